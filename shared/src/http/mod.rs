//! The HTTP port of the marketplace adapters: plain requests and responses, so that a simulator's router can stand in
//! for the network.

mod client;

pub use client::HttpClient;

use async_trait::async_trait;
use bytes::Bytes;

/// The largest answer that is read; a longer one is a broken one. Order pages of 200 stay below 2 MiB.
pub const LARGEST_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// No answer came.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct HttpError {
    /// Whether the request can have reached the other side.
    pub sent: Sent,
    /// Whether it was the time that ran out.
    pub timed_out: bool,
    /// What happened, without the URL's query, headers and body.
    pub problem: String,
}

/// Whether a request can have reached the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The connection was never made.
    No,
    /// It may have.
    Maybe,
}

/// Sends requests.
#[async_trait]
pub trait Http: Send + Sync + std::fmt::Debug {
    /// Sends one request, once, and reads the whole answer, whatever its status. Redirects are not followed.
    async fn send(&self, request: http::Request<Bytes>)
    -> Result<http::Response<Bytes>, HttpError>;
}

/// A network without a connection, for tests that need none.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct NoNetwork;

#[cfg(test)]
#[async_trait]
impl Http for NoNetwork {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        Err(HttpError {
            sent: Sent::No,
            timed_out: false,
            problem: "there is no network".to_owned(),
        })
    }
}
