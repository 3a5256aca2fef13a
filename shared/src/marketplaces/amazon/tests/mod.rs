//! The adapter against a network that answers from a list and remembers what it was asked.

use super::*;
use crate::{
    clock::{Clock, ManualClock},
    domain::{ListingId, Money, ParcelLine, Sku},
    http::{Http, HttpError, Sent},
    marketplaces::{Effect, Kind, Pseudonyms, Refresh, Retry, Verdict},
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

mod calls;
mod setup;

/// Answers from a list; an empty list is a network that never answers.
#[derive(Debug, Default)]
struct Network {
    answers: Mutex<VecDeque<(u16, HeaderMap, Bytes)>>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl Network {
    fn answer(&self, status: u16, body: impl ToString) -> &Self {
        self.answer_with(status, &[], body)
    }

    fn answer_with(
        &self,
        status: u16,
        headers: &[(&'static str, &str)],
        body: impl ToString,
    ) -> &Self {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
        let answer = (status, headers.collect(), Bytes::from(body.to_string()));
        self.answers.lock().unwrap().push_back(answer);
        self
    }

    fn asked(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl Http for Network {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        self.asked.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        let (status, headers, body) = answer.ok_or(HttpError {
            sent: Sent::Maybe,
            timed_out: true,
            problem: "timed out".into(),
        })?;
        let mut response = Response::builder().status(status).body(body).unwrap();
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// Gives `token-0`, and a new one after each refusal.
#[derive(Debug, Default)]
struct Tokens(AtomicU32);

#[async_trait]
impl UserTokens for Tokens {
    async fn access(
        &self,
        _: &AccountId,
        _: &Secret,
        _: &dyn Refresh,
    ) -> Result<Secret, CallError> {
        Ok(Secret::new(format!(
            "token-{}",
            self.0.load(Ordering::SeqCst)
        )))
    }

    async fn refused(&self, _: &AccountId, token: &Secret) -> Result<(), CallError> {
        let refused = format!("token-{}", self.0.fetch_add(1, Ordering::SeqCst));
        assert_eq!(token.expose(), refused);
        Ok(())
    }
}

struct World {
    network: Arc<Network>,
    clock: Arc<ManualClock>,
    amazon: Amazon,
}

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn secret() -> Value {
    json!({
        "environment": "production",
        "marketplace_ids": ["ATVPDKIKX0DER"],
        "client_id": "amzn1.application-oa2-client.example",
        "client_secret": "amzn1.oa2-cs.v1.example",
        "refresh_token": "Atzr|example",
        "seller_id": "A1SELLER",
    })
}

fn world() -> World {
    world_with(&secret())
}

fn world_with(secret: &Value) -> World {
    let network = Arc::new(Network::default());
    let clock = Arc::new(ManualClock::at(now()));
    let outside = Outside {
        http: network.clone(),
        clock: clock.clone(),
        tokens: None,
        limiter: None,
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("pseudonym-key".into()))),
    };
    let config = Config::parse(&Secret::new(secret.to_string())).unwrap();
    let id = "amazon:main".parse().unwrap();
    let amazon = Amazon::with_tokens(id, config, outside, Some(Arc::new(Tokens::default())));
    World {
        network,
        clock,
        amazon,
    }
}

fn order_id(text: &str) -> ChannelOrderId {
    ChannelOrderId::parse(text).unwrap()
}

fn order_json() -> Value {
    json!({"order": {
        "orderId": "1-1",
        "createdTime": "2026-01-15T10:00:00Z",
        "lastUpdatedTime": "2026-01-15T10:01:00Z",
        "salesChannel": {"marketplaceId": "ATVPDKIKX0DER"},
        "fulfillment": {"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT"},
        "proceeds": {"grandTotal": {"amount": "10.00", "currencyCode": "USD"}},
        "orderItems": [{
            "orderItemId": "1", "quantityOrdered": 1,
            "product": {"price": {"unitPrice": {"amount": "10.00", "currencyCode": "USD"}}},
        }],
        "packages": [{"trackingNumber": "1Z999AA10123456784"}],
    }})
}

fn parcel() -> ParcelToConfirm {
    ParcelToConfirm {
        tracking_number: TrackingNumber::parse("1Z999AA10123456784").unwrap(),
        carrier: "UPS".into(),
        lines: vec![ParcelLine {
            line: LineId::parse("1").unwrap(),
            quantity: 1,
        }],
        shipped_at: now(),
        not_after: Timestamp::MAX,
    }
}

fn update(sku: &str, offer: &str) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: "amazon:main".parse().unwrap(),
            sku: Sku::parse(sku).unwrap(),
            offer: offer.into(),
        },
        3,
        Money::parse("19.90", "USD".parse().unwrap()).unwrap(),
    )
}

fn expired() -> Value {
    json!({"errors": [{"code": "Unauthorized", "message": "denied",
        "details": "The access token you provided has expired."}]})
}
