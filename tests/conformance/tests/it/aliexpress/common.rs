//! What the tests share: the contract's files, a gateway of fixed answers, an order.

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use kervan::{
    clock::{Clock, ManualClock},
    domain::{Address, Buyer, LineId, Money, OfferId, PurchaseLine, Reference, Sku},
    http::{Http, HttpError},
    limiter::Limiter,
    marketplaces::{
        Outside, PlaceRequest, Pseudonyms, TokenStore,
        aliexpress::{AliExpress, Shop},
    },
    seal::MemorySeal,
    secrets::Secret,
    store::MemoryStore,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, Mutex},
};

pub(crate) const APP_KEY: &str = "123456";
pub(crate) const APP_SECRET: &str = "unit-test-secret-Zx81";

/// The contract's folder; `None`, which is recorded, where it is not named.
pub(crate) fn folder() -> Option<PathBuf> {
    kervan_conformance::contracts("aliexpress")
}

/// A file of the contract.
pub(crate) fn contract(path: &str) -> Option<Value> {
    Some(crate::contracts::json(&folder()?.join(path)))
}

/// A sample's payload.
pub(crate) fn sample(name: &str) -> Option<Value> {
    Some(contract(&format!("samples/ds/{name}.json"))?["body"].clone())
}

/// The payload that the reference page of `method` shows.
pub(crate) fn demo(method: &str) -> Option<Value> {
    Some(sample("response_demo")?[method].clone())
}

/// Answers each method with one body, and keeps what it was sent.
#[derive(Debug, Default)]
pub(crate) struct Gateway {
    pub(crate) answers: HashMap<&'static str, Value>,
    pub(crate) sent: Mutex<Vec<BTreeMap<String, String>>>,
}

impl Gateway {
    /// A gateway whose tokens can be renewed and which answers `method` with `body`.
    pub(crate) fn saying(method: &'static str, body: Value) -> Self {
        let token = json!({"access_token": "session-1", "refresh_token": "refresh-1",
                           "expires_in": 2_592_000, "refresh_expires_in": 5_183_988, "code": "0"});
        Self {
            answers: HashMap::from([("/auth/token/refresh", token)]),
            sent: Mutex::default(),
        }
        .and(method, body)
    }

    /// The same, with one more answer.
    pub(crate) fn and(mut self, method: &'static str, body: Value) -> Self {
        self.answers.insert(method, body);
        self
    }

    /// What was sent to `method` the first time.
    pub(crate) fn sent_to(&self, method: &str) -> BTreeMap<String, String> {
        let sent = self.sent.lock().unwrap();
        let mut calls = sent.iter().filter(|call| call["method"] == method);
        calls.next().unwrap().clone()
    }
}

#[async_trait]
impl Http for Gateway {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let path = request.uri().path().strip_prefix("/rest");
        let path = path.map(str::to_owned);
        let form = url::form_urlencoded::parse(request.body()).into_owned();
        let mut call: BTreeMap<String, String> = form.collect();
        if let Some(path) = path {
            call.insert("method".to_owned(), path);
        }
        let answer = match &self.answers[call["method"].as_str()] {
            // What is not JSON is sent as it is.
            Value::String(text) => text.clone(),
            answer => answer.to_string(),
        };
        self.sent.lock().unwrap().push(call);
        Ok(Response::new(Bytes::from(answer)))
    }
}

/// An account whose clock stands at `now` (seconds since 1970).
pub(crate) fn shop_at(now: i64, gateway: &Arc<Gateway>) -> AliExpress {
    let now = jiff::Timestamp::from_second(now).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(now));
    let secret = json!({"environment": "production", "app_key": APP_KEY,
                        "app_secret": APP_SECRET, "refresh_token": "seed"});
    shop_with(&secret, gateway.clone(), clock)
}

/// A shop with these further fields in its secret, whose clock stands at `now` (seconds since 1970).
pub(crate) fn seller_at(now: i64, gateway: &Arc<Gateway>, further: Value) -> Shop {
    let clock = ManualClock::at(jiff::Timestamp::from_second(now).unwrap());
    let mut secret = json!({"environment": "production", "app_key": APP_KEY, "side": "seller",
                            "app_secret": APP_SECRET, "refresh_token": "seed"});
    let fields = secret.as_object_mut().unwrap();
    fields.extend(further.as_object().unwrap().clone());
    let outside = outside_of(gateway.clone(), Arc::new(clock));
    let secret = Secret::new(secret.to_string());
    Shop::new("aliexpress:shop".parse().unwrap(), &secret, outside).unwrap()
}

/// An account at some time.
pub(crate) fn shop(gateway: &Arc<Gateway>) -> AliExpress {
    shop_at(1_790_000_000, gateway)
}

/// An account with this secret.
pub(crate) fn shop_with(secret: &Value, http: Arc<dyn Http>, clock: Arc<dyn Clock>) -> AliExpress {
    let outside = outside_of(http, clock);
    let secret = Secret::new(secret.to_string());
    AliExpress::new("aliexpress:main".parse().unwrap(), &secret, outside).unwrap()
}

/// What an account needs of the outside, with tokens of its own.
pub(crate) fn outside_of(http: Arc<dyn Http>, clock: Arc<dyn Clock>) -> Outside {
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let limits = store.clone();
    let tokens = TokenStore::new(store, Arc::new(MemorySeal::new()), clock.clone());
    Outside {
        http,
        clock: clock.clone(),
        tokens: Some(Arc::new(tokens)),
        limiter: Some(Arc::new(Limiter::new(limits, clock))),
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
    }
}

/// An offer of the account.
pub(crate) fn offer(product: &str, variant: &str) -> OfferId {
    OfferId::new("aliexpress:main".parse().unwrap(), product, variant).unwrap()
}

/// A line of a purchase.
pub(crate) fn line(
    offer: OfferId,
    quantity: u32,
    shipping: &str,
    attributes: &str,
) -> PurchaseLine {
    let usd = "USD".parse().unwrap();
    PurchaseLine {
        line: LineId::parse("1").unwrap(),
        sku: Sku::parse("SKU-1").unwrap(),
        offer,
        quantity,
        unit_cost: Money::zero(usd),
        shipping: Money::zero(usd),
        shipping_option: shipping.to_owned(),
        variant_attributes: attributes.to_owned(),
    }
}

/// Somebody in the United States.
pub(crate) fn buyer() -> Buyer {
    Buyer {
        name: "Jane Doe".into(),
        phone: "8565550100".into(),
        email: String::new(),
        account_name: "jane1".into(),
        address: Address {
            line1: "1 Example Street".into(),
            line2: "Floor 2".into(),
            city: "Vineland".into(),
            region: "NJ".into(),
            postal_code: "08360".into(),
            country: "US".parse().unwrap(),
        },
    }
}

/// Our reference of some order.
pub(crate) fn reference() -> Reference {
    Reference::of(&"ebay:main/01-1".parse().unwrap(), 1)
}

/// A purchase to place.
pub(crate) fn purchase<'a>(
    reference: &'a Reference,
    lines: &'a [PurchaseLine],
    buyer: &'a Buyer,
) -> PlaceRequest<'a> {
    PlaceRequest {
        reference,
        lines,
        buyer,
        not_after: jiff::Timestamp::MAX,
    }
}
