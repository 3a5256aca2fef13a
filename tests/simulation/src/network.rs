//! The simulators' routers as the HTTP port, and one clock for both sides.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use kervan::clock::Clock;
use kervan::http::{Http, HttpError, Sent};
use kervan_marketplaces::WireFault;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

/// Stands where `https://api.ebay.com` stands. Nothing listens there: the port only names the router.
pub(crate) const EBAY_URL: &str = "http://127.0.0.1:1";
/// Stands where `https://api-sg.aliexpress.com` stands.
pub(crate) const SUPPLIER_URL: &str = "http://127.0.0.1:2";
/// The same for the second account at AliExpress.
pub(crate) const SECOND_SUPPLIER_URL: &str = "http://127.0.0.1:3";
/// Stands where Amazon's API and its token server stand.
pub(crate) const AMAZON_URL: &str = "http://127.0.0.1:4";
/// Stands where `https://openapi-api.alibaba.com` stands.
pub(crate) const ALIBABA_URL: &str = "http://127.0.0.1:5";

/// Stands where eBay stands for the second account there.
pub(crate) const SECOND_EBAY_URL: &str = "http://127.0.0.1:6";

/// The network of a world.
#[derive(Clone)]
pub(crate) struct Network {
    pub(crate) ebay: axum::Router,
    pub(crate) second_ebay: Option<axum::Router>,
    pub(crate) aliexpress: axum::Router,
    pub(crate) second: Option<axum::Router>,
    pub(crate) amazon: Option<axum::Router>,
    pub(crate) alibaba: Option<axum::Router>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Network")
    }
}

#[async_trait]
impl Http for Network {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        let router = match request.uri().port_u16() {
            Some(1) => Some(&self.ebay),
            Some(2) => Some(&self.aliexpress),
            Some(3) => self.second.as_ref(),
            Some(4) => self.amazon.as_ref(),
            Some(5) => self.alibaba.as_ref(),
            Some(6) => self.second_ebay.as_ref(),
            _ => None,
        };
        let router = router.ok_or_else(|| failed(Sent::No, false, "no such host"))?;
        let request = request.map(axum::body::Body::from);
        let Ok(response) = router.clone().oneshot(request).await;
        match response.extensions().get::<WireFault>() {
            Some(WireFault::Refused) => return Err(failed(Sent::No, false, "connection refused")),
            Some(WireFault::Hang) => return Err(failed(Sent::Maybe, true, "no answer in time")),
            None => {}
        }
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await;
        let body = body.map_err(|_| failed(Sent::Maybe, false, "the answer broke off"))?;
        Ok(http::Response::from_parts(head, body))
    }
}

pub(crate) fn failed(sent: Sent, timed_out: bool, problem: &str) -> HttpError {
    HttpError {
        sent,
        timed_out,
        problem: problem.to_owned(),
    }
}

/// Kervan's manual clock, shown to the simulators as theirs.
#[derive(Debug, Clone)]
pub(crate) struct SharedClock(pub(crate) Arc<kervan::clock::ManualClock>);

impl kervan_marketplaces::Clock for SharedClock {
    fn now(&self) -> Timestamp {
        Clock::now(&*self.0)
    }

    fn advance(&self, by: Duration) -> bool {
        self.0
            .advance(jiff::SignedDuration::try_from(by).unwrap_or(jiff::SignedDuration::ZERO));
        true
    }
}
