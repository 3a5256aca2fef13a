//! The network, by reqwest.

use super::{Http, HttpError, LARGEST_ANSWER_BYTES, Sent};
use crate::causes::causes;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use std::{error::Error, sync::Arc, time::Duration};

/// How marketplaces see us.
const USER_AGENT: &str = concat!("Kervan/", env!("CARGO_PKG_VERSION"));
/// TCP and TLS of a new connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is not used again. A frozen function does not see that the other side closed,
/// and a request on such a connection ends in doubt about whether it was sent.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// The HTTP client of the marketplace adapters. It follows no redirects, asks no proxy, keeps no cookies, adds no
/// header but its own User-Agent and `Accept: */*`, and sends every request once.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: reqwest::Client,
}

impl HttpClient {
    /// Long enough for the slowest marketplace, and twice within a function's time.
    pub const USUAL_TIMEOUT: Duration = Duration::from_secs(15);

    /// A client whose requests end after `timeout`, the answer's body included.
    pub fn new(timeout: Duration) -> Result<Self, HttpError> {
        let client = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .tls_backend_preconfigured(tls()?)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(timeout)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .map_err(|error| unsent("the HTTP client cannot be built", &error))?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Http for HttpClient {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let to = format!(
            "{} {}",
            request.method(),
            request.uri().host().unwrap_or("without a host")
        );
        let request = reqwest::Request::try_from(request).map_err(|error| unsent(&to, &error))?;
        let sent = self.client.execute(request).await;
        let mut answer = sent.map_err(|error| failed(&to, error))?;
        let mut response = http::Response::new(Bytes::new());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        *response.body_mut() = body(&to, answer).await?;
        Ok(response)
    }
}

/// Authorities that Mozilla trusts, as of the build, already parsed: this takes 0.03 ms where reading the system's
/// files takes 5 ms, and up to 70 ms from a cold disk.
fn tls() -> Result<rustls::ClientConfig, HttpError> {
    let roots = rustls::RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unsent("TLS cannot be set up", &error))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn body(to: &str, mut answer: reqwest::Response) -> Result<Bytes, HttpError> {
    let mut body = BytesMut::new();
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body.freeze()),
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(Some(_)) => {
                return Err(HttpError {
                    sent: Sent::Maybe,
                    timed_out: false,
                    problem: format!(
                        "{to}: the answer is longer than {LARGEST_ANSWER_BYTES} bytes"
                    ),
                });
            }
            Err(error) => return Err(failed(to, error)),
        }
    }
}

fn failed(to: &str, error: reqwest::Error) -> HttpError {
    // Only a connection that was never made proves that nothing was sent.
    let sent = if error.is_connect() {
        Sent::No
    } else {
        Sent::Maybe
    };
    HttpError {
        sent,
        timed_out: error.is_timeout(),
        problem: format!("{to}: {}", causes(&error.without_url())),
    }
}

fn unsent(to: &str, error: &(dyn Error + 'static)) -> HttpError {
    HttpError {
        sent: Sent::No,
        timed_out: false,
        problem: format!("{to}: {}", causes(error)),
    }
}
