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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::oneshot,
    };

    /// Answers one request on a port of its own, and tells what came.
    async fn answering(answer: Vec<u8>) -> (String, oneshot::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/path?token=secret",
            listener.local_addr().unwrap()
        );
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let length = connection.read(&mut request).await.unwrap();
            request.truncate(length);
            let _ = tell.send(String::from_utf8_lossy(&request).into_owned());
            let _ = connection.write_all(&answer).await;
            if answer.is_empty() {
                let _ = connection.read(&mut [0]).await;
            }
        });
        (url, told)
    }

    async fn get(url: &str) -> Result<http::Response<Bytes>, HttpError> {
        let client = HttpClient::new(Duration::from_millis(300)).unwrap();
        let request = http::Request::get(url).body(Bytes::from_static(b"secret"));
        client.send(request.unwrap()).await
    }

    async fn failure(answer: Vec<u8>) -> HttpError {
        let (url, _) = answering(answer).await;
        let error = get(&url).await.unwrap_err();
        assert!(!error.problem.contains("secret"), "{}", error.problem);
        error
    }

    #[tokio::test]
    async fn a_request_is_sent_with_no_language_and_our_name() {
        let answer = b"HTTP/1.1 404 Nothing\r\nx-one: 1\r\ncontent-length: 2\r\n\r\nno";
        let (url, told) = answering(answer.to_vec()).await;
        let response = get(&url).await.unwrap();
        assert_eq!(response.status(), 404);
        assert_eq!(response.headers()["x-one"], "1");
        assert_eq!(response.body(), "no");
        let request = told.await.unwrap().to_lowercase();
        assert!(request.starts_with("get /path?token=secret http/1.1\r\n"));
        assert!(request.contains("user-agent: kervan/"), "{request}");
        assert!(!request.contains("accept-language"), "{request}");
        assert!(!request.contains("accept-encoding"), "{request}");
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_like_any_other() {
        let answer =
            b"HTTP/1.1 302 Away\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        let (url, _) = answering(answer.to_vec()).await;
        assert_eq!(get(&url).await.unwrap().status(), 302);
    }

    #[tokio::test]
    async fn a_refused_connection_proves_that_nothing_was_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/?token=secret", listener.local_addr().unwrap());
        drop(listener);
        let error = get(&url).await.unwrap_err();
        assert_eq!((error.sent, error.timed_out), (Sent::No, false));
        assert!(
            error.problem.starts_with("GET 127.0.0.1: "),
            "{}",
            error.problem
        );
        assert!(error.problem.contains("refused"), "{}", error.problem);
        assert!(!error.problem.contains("secret"), "{}", error.problem);
    }

    #[tokio::test]
    async fn a_server_that_cannot_do_tls_has_not_got_the_request() {
        let (url, _) = answering(b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()).await;
        let error = get(&url.replace("http:", "https:")).await.unwrap_err();
        assert_eq!(error.sent, Sent::No, "{}", error.problem);
    }

    #[tokio::test]
    async fn no_answer_in_time_is_a_doubt() {
        let error = failure(Vec::new()).await;
        assert_eq!((error.sent, error.timed_out), (Sent::Maybe, true));
    }

    #[tokio::test]
    async fn a_connection_closed_before_the_answer_is_a_doubt() {
        let error = failure(b"HTTP/1.1 2".to_vec()).await;
        assert_eq!((error.sent, error.timed_out), (Sent::Maybe, false));
    }

    #[tokio::test]
    async fn an_answer_that_breaks_off_is_a_doubt() {
        let error = failure(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf".to_vec()).await;
        assert_eq!((error.sent, error.timed_out), (Sent::Maybe, false));
    }

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_not_read_on() {
        let mut answer = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        answer.resize(answer.len() + LARGEST_ANSWER_BYTES + 1, b'x');
        let (url, _) = answering(answer).await;
        let client = HttpClient::new(HttpClient::USUAL_TIMEOUT).unwrap();
        let request = http::Request::get(url).body(Bytes::new()).unwrap();
        let error = client.send(request).await.unwrap_err();
        assert_eq!((error.sent, error.timed_out), (Sent::Maybe, false));
        assert!(error.problem.contains("longer than"), "{}", error.problem);
    }
}
