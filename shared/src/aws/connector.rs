//! One HTTP connector for all clients.
//!
//! The SDK's own client makes a connector for every client and loads the system's certificates from files, which takes
//! 5 ms and, from a cold disk, up to 70 ms of a cold start. Made once, from certificates inside the program, it takes 1.

use aws_smithy_http_client::{
    Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    http::{HttpClient, HttpConnectorSettings, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use std::time::Duration;

/// A connection that was idle for longer is not used again. A frozen function does not see that the other side closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Whom to believe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The authorities that Mozilla trusts, as of the build.
    Inside,
    /// What the system is set up to trust, such as a company's own authority.
    System,
}

/// Hands out the one connector.
#[derive(Debug, Clone)]
pub(super) struct OneConnector(SharedHttpConnector);

impl OneConnector {
    pub(super) fn new(trust: Trust, connect_timeout: Duration) -> Self {
        let store = match trust {
            Trust::System => TrustStore::default(),
            Trust::Inside => TrustStore::empty().with_pem_certificate(certificates()),
        };
        let builder = Connector::builder()
            .connector_settings(
                HttpConnectorSettings::builder()
                    .connect_timeout(connect_timeout)
                    .build(),
            )
            .pool_idle_timeout(IDLE_TIMEOUT)
            .tls_provider(Provider::Rustls(CryptoMode::Ring));
        let connector = match TlsContext::builder().with_trust_store(store).build() {
            Ok(context) => builder.tls_context(context).build(),
            Err(_) => builder.build(),
        };
        Self(SharedHttpConnector::new(connector))
    }
}

impl HttpClient for OneConnector {
    /// The settings are those that the connector was made with: all clients get the same.
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.clone()
    }
}

/// The SDK takes certificates as PEM only.
fn certificates() -> Vec<u8> {
    let mut text = String::new();
    for certificate in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        BASE64_STANDARD.encode_string(certificate, &mut text);
        text.push_str("\n-----END CERTIFICATE-----\n");
    }
    text.into_bytes()
}
