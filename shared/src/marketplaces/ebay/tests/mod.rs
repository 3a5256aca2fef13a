//! The adapter against a network that answers from a list and remembers what it was asked.

use super::*;
use crate::{
    clock::ManualClock,
    domain::{LineId, ListingId, Money, ParcelLine, SignalKind, Sku},
    http::{Http, HttpError, Sent},
    marketplaces::{Effect, Kind, Pseudonyms, Refresh, Retry},
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

mod orders;
mod pushes;
mod quotas;
mod writes;

const ORDER: &str = "/sell/fulfillment/v1/order";

/// Answers from a list; an empty list is a network that never answers.
#[derive(Debug, Default)]
struct Network {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl Network {
    fn answer(&self, status: u16, body: impl ToString) -> &Self {
        self.answers
            .lock()
            .unwrap()
            .push_back((status, body.to_string()));
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
        let (status, body) = answer.ok_or(HttpError {
            sent: Sent::Maybe,
            timed_out: true,
            problem: "timed out".into(),
        })?;
        Ok(Response::builder()
            .status(status)
            .body(body.into())
            .unwrap())
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
    ebay: Ebay,
}

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn world() -> World {
    let network = Arc::new(Network::default());
    let clock = Arc::new(ManualClock::at(now()));
    let outside = Outside {
        http: network.clone(),
        clock: clock.clone(),
        tokens: None,
        limiter: None,
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("pseudonym-key".into()))),
    };
    let secret = json!({
        "environment": "production",
        "client_id": "Example-App",
        "client_secret": "example-cert",
        "refresh_token": "v^1.1#refresh",
        "endpoint": "https://hooks.example.com/push/ebay/main",
        "verification_token": "example-verification-token-0123456789_abcd",
    });
    let config = Config::parse(&Secret::new(secret.to_string())).unwrap();
    let id = "ebay:main".parse().unwrap();
    let ebay = Ebay::with_tokens(id, config, outside, Some(Arc::new(Tokens::default())));
    World {
        network,
        clock,
        ebay,
    }
}

fn order_id(text: &str) -> ChannelOrderId {
    ChannelOrderId::parse(text).unwrap()
}

fn amount(value: &str) -> Value {
    json!({"value": value, "currency": "USD"})
}

fn order_json() -> Value {
    json!({
        "orderId": "11-11111-11111",
        "creationDate": "2026-01-15T10:00:00.000Z",
        "lastModifiedDate": "2026-01-15T10:01:00.123Z",
        "orderFulfillmentStatus": "NOT_STARTED",
        "orderPaymentStatus": "PAID",
        "aFieldOfTomorrow": {"x": [1]},
        "buyer": {"username": "buyer_one", "taxAddress": {"countryCode": "US"}},
        "pricingSummary": {"total": amount("44.99")},
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        "fulfillmentStartInstructions": [{"shippingStep": {"shipTo": {
            "fullName": "Ann Example",
            "contactAddress": {
                "addressLine1": "1 Test Rd", "addressLine2": null, "city": "Testville",
                "stateOrProvince": "CA", "postalCode": "90001", "countryCode": "US"
            },
            "primaryPhone": {"phoneNumber": "Invalid Request"},
            "email": "alias@members.example.invalid"
        }}}],
        "lineItems": [
            {
                "lineItemId": "1001", "sku": "LAMP-1", "quantity": 2,
                "lineItemCost": amount("40.00"), "discountedLineItemCost": amount("38.00"),
                "lineItemFulfillmentInstructions": {"shipByDate": "2026-01-17T07:59:59.000Z"}
            },
            {"lineItemId": "1002", "quantity": 1, "lineItemCost": amount("2.00")}
        ],
        "totalMarketplaceFee": amount("4.87")
    })
}

async fn fetch(body: &Value) -> Result<FetchedOrder, CallError> {
    let world = world();
    world.network.answer(200, body);
    world.ebay.order(&order_id("11-11111-11111")).await
}

fn update(sku: &str, offer: &str, quantity: u32) -> ListingUpdate {
    ListingUpdate::new(
        ListingId {
            channel: "ebay:main".parse().unwrap(),
            sku: Sku::parse(sku).unwrap(),
            offer: offer.into(),
        },
        quantity,
        Money::parse("19.90", "USD".parse().unwrap()).unwrap(),
    )
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_made_once_more() {
    let world = world();
    let refusal = json!({"errors": [{"errorId": 1001}]});
    world
        .network
        .answer(401, &refusal)
        .answer(200, order_json());
    world.ebay.order(&order_id("11-11111-11111")).await.unwrap();
    let asked = world.network.asked();
    let token = |n: usize| {
        asked[n].headers()["authorization"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (token(0), token(1)),
        ("Bearer token-0".into(), "Bearer token-1".into())
    );
    assert!(asked[0].headers()["authorization"].is_sensitive());

    world.network.answer(401, &refusal).answer(401, &refusal);
    let error = world
        .ebay
        .order(&order_id("11-11111-11111"))
        .await
        .unwrap_err();
    assert_eq!(error.kind, Kind::TokenInvalid);
    assert_eq!(world.network.asked().len(), 2);
}

#[tokio::test]
async fn the_endpoint_proves_itself_and_nothing_else() {
    let ebay = world().ebay;
    let body = ebay.challenge("challenge_code=abc").unwrap().unwrap().body;
    assert!(body.starts_with(r#"{"challengeResponse":""#));
    assert_eq!(
        ebay.challenge("?challenge_code=abc").unwrap().unwrap().body,
        body
    );
    let long = format!("challenge_code={}", "x".repeat(257));
    for query in [
        "",
        "challenge_code=",
        "code=abc",
        "challenge_code=a&challenge_code=b",
        &long,
    ] {
        let refused = ebay.challenge(query).unwrap().unwrap_err();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn a_seller_without_a_token_store_is_misconfigured() {
    let World { ebay, .. } = world();
    let secret = json!({
        "environment": "sandbox", "client_id": "a", "client_secret": "b", "refresh_token": "c",
        "endpoint": "https://h.example.com", "verification_token": "x".repeat(32),
    });
    let secret = Secret::new(secret.to_string());
    let ebay = Ebay::new(ebay.id.clone(), &secret, ebay.outside).unwrap();
    let error = ebay.order(&order_id("1-1")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (Kind::Misconfigured, Retry::Person)
    );
}
