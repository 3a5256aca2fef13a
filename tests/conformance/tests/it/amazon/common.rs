//! What the tests share: the contract's files, a network of fixed answers, an account.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, Request, Response};
use kervan::{
    clock::{Clock, ManualClock},
    domain::{ChannelOrderId, LineId, ListingId, Money, ParcelLine, Sku, TrackingNumber},
    http::{Http, HttpError},
    limiter::Limiter,
    marketplaces::{
        ListingUpdate, Outside, ParcelToConfirm, Pseudonyms, TokenStore, amazon::Amazon,
    },
    seal::MemorySeal,
    secrets::Secret,
    store::MemoryStore,
};
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

pub(crate) const SELLER: &str = "A1EXAMPLESELLER";
pub(crate) const US: &str = "ATVPDKIKX0DER";
pub(crate) const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:amazon";

/// The contract's folder; `None`, which is recorded, where it is not named.
pub(crate) fn folder() -> Option<PathBuf> {
    kervan_conformance::contracts("amazon")
}

/// A file of the contract.
pub(crate) fn contract(path: &str) -> Option<Value> {
    Some(crate::contracts::json(&folder()?.join(path)))
}

/// The sandbox pairs of one API.
pub(crate) fn pairs(api: &str) -> Option<Vec<Value>> {
    let file = contract(&format!("sandbox/{api}.json"))?;
    Some(file["pairs"].as_array().unwrap().clone())
}

type Answers = Vec<(Method, &'static str, u16, Bytes)>;

/// Answers each method and path with one body, tokens by itself, and keeps what it was sent.
#[derive(Debug, Default)]
pub(crate) struct Network {
    answers: Answers,
    pub(crate) sent: Mutex<Vec<Request<Bytes>>>,
}

impl Network {
    /// One more answer, to a method and the beginning of a path. Of several that fit the first counts.
    pub(crate) fn and(self, method: Method, path: &'static str, status: u16, body: Value) -> Self {
        let body = match body {
            Value::Null => Bytes::new(),
            body => Bytes::from(body.to_string()),
        };
        self.and_bytes(method, path, status, body)
    }

    /// The same with a body of any kind.
    pub(crate) fn and_bytes(
        mut self,
        method: Method,
        path: &'static str,
        status: u16,
        body: Bytes,
    ) -> Self {
        self.answers.push((method, path, status, body));
        self
    }

    /// What was sent to the API, tokens and storage aside.
    pub(crate) fn calls(&self) -> Vec<Request<Bytes>> {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        let is_api = |request: &Request<Bytes>| {
            let host = request.uri().host().unwrap();
            host.starts_with("sellingpartnerapi")
        };
        sent.into_iter().filter(is_api).collect()
    }
}

#[async_trait]
impl Http for Network {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        self.sent.lock().unwrap().push(request);
        if path == "/auth/o2/token" {
            let token =
                json!({"access_token": "Atza|x", "token_type": "bearer", "expires_in": 3600});
            return Ok(Response::new(Bytes::from(token.to_string())));
        }
        let answer = self.answers.iter();
        let mut answer = answer.filter(|(m, p, ..)| *m == method && path.starts_with(p));
        let (_, _, status, body) = answer
            .next()
            .unwrap_or_else(|| panic!("nobody answers {method} {path}"));
        let answer = Response::builder().status(*status).body(body.clone());
        Ok(answer.unwrap())
    }
}

pub(crate) fn now() -> jiff::Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

/// An account at Amazon proper, selling on these marketplaces.
pub(crate) fn account(network: &Arc<Network>, marketplaces: &[&str]) -> Amazon {
    let secret = json!({
        "environment": "production",
        "marketplace_ids": marketplaces,
        "client_id": "amzn1.application-oa2-client.example",
        "client_secret": "amzn1.oa2-cs.v1.example",
        "refresh_token": "Atzr|example",
        "seller_id": SELLER,
        "fee_percent": "10",
    });
    account_with(&secret, network.clone(), Arc::new(ManualClock::at(now())))
}

/// An account with this secret, with tokens and limits shared in a table.
pub(crate) fn account_with(secret: &Value, http: Arc<dyn Http>, clock: Arc<dyn Clock>) -> Amazon {
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let tokens = TokenStore::new(store.clone(), Arc::new(MemorySeal::new()), clock.clone());
    let outside = Outside {
        http,
        limiter: Some(Arc::new(Limiter::new(store, clock.clone()))),
        clock,
        tokens: Some(Arc::new(tokens)),
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
    };
    let secret = Secret::new(secret.to_string());
    Amazon::new("amazon:main".parse().unwrap(), &secret, outside).unwrap()
}

pub(crate) fn order_id(text: &str) -> ChannelOrderId {
    ChannelOrderId::parse(text).unwrap()
}

pub(crate) fn number(text: &str) -> TrackingNumber {
    TrackingNumber::parse(text).unwrap()
}

pub(crate) fn parcel(tracking: &str, carrier: &str, line: &str, quantity: u32) -> ParcelToConfirm {
    ParcelToConfirm {
        tracking_number: number(tracking),
        carrier: carrier.to_owned(),
        lines: vec![ParcelLine {
            line: LineId::parse(line).unwrap(),
            quantity,
        }],
        shipped_at: now(),
        not_after: jiff::Timestamp::MAX,
    }
}

pub(crate) fn update(sku: &str, quantity: u32, price: &str) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: "amazon:main".parse().unwrap(),
            sku: Sku::parse(sku).unwrap(),
            offer: US.to_owned(),
        },
        quantity,
        Money::parse(price, "USD".parse().unwrap()).unwrap(),
    )
}
