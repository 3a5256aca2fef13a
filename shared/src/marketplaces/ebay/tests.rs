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
    ListingUpdate {
        listing: ListingId {
            channel: "ebay:main".parse().unwrap(),
            sku: Sku::parse(sku).unwrap(),
            offer: offer.into(),
        },
        quantity,
        price: Money::parse("19.90", "USD".parse().unwrap()).unwrap(),
    }
}

fn parcel() -> ParcelToConfirm {
    let line = |id: &str, quantity| ParcelLine {
        line: LineId::parse(id).unwrap(),
        quantity,
    };
    ParcelToConfirm {
        tracking_number: TrackingNumber::parse("LP 0012-3456").unwrap(),
        carrier: "China Post Registered Air Mail".into(),
        lines: vec![line("1001", 1), line("1002", 1), line("1001", 1)],
        shipped_at: "2026-01-16T00:00:00Z".parse().unwrap(),
    }
}

#[tokio::test]
async fn an_order_is_read_with_its_buyer_sealed() {
    let fetched = fetch(&order_json()).await.unwrap();
    let details = &fetched.details;
    assert_eq!(details.payment, crate::domain::Payment::Paid);
    assert!(!details.cancel_requested && !details.fulfilled);
    assert_eq!(details.total.to_string(), "44.99 USD");
    assert_eq!(details.fee.to_string(), "4.87 USD");
    assert_eq!(details.lines[0].price.to_string(), "38.00 USD");
    assert_eq!(
        details.lines[0].ship_by.unwrap().to_string(),
        "2026-01-17T07:59:59Z"
    );
    assert_eq!(details.lines[1].sku, "");
    let buyer = fetched.buyer.as_ref().unwrap();
    assert_eq!(
        (buyer.name.as_str(), buyer.phone.as_str()),
        ("Ann Example", "")
    );
    assert_eq!(buyer.account_name, "buyer_one");
    assert!(!format!("{fetched:?}").contains("Ann"));
}

#[tokio::test]
async fn states_that_forbid_buying_are_never_read_as_paid() {
    use crate::domain::Payment;
    for (field, value, check) in [
        ("/orderPaymentStatus", "PENDING", Payment::Pending),
        ("/orderPaymentStatus", "FAILED", Payment::Failed),
        ("/orderPaymentStatus", "FULLY_REFUNDED", Payment::Failed),
        ("/orderPaymentStatus", "PARTIALLY_REFUNDED", Payment::Paid),
        (
            "/orderPaymentStatus",
            "A_WORD_OF_TOMORROW",
            Payment::Pending,
        ),
    ] {
        let mut order = order_json();
        *order.pointer_mut(field).unwrap() = value.into();
        assert_eq!(
            fetch(&order).await.unwrap().details.payment,
            check,
            "{value}"
        );
    }
    for state in ["CANCELED", "IN_PROGRESS", "A_WORD_OF_TOMORROW"] {
        let mut order = order_json();
        order["cancelStatus"]["cancelState"] = state.into();
        assert!(fetch(&order).await.unwrap().details.cancel_requested);
    }
}

#[tokio::test]
async fn a_faded_buyer_is_none_and_the_country_is_found_elsewhere() {
    let contact = "/fulfillmentStartInstructions/0/shippingStep/shipTo";
    for field in ["fullName", "contactAddress"] {
        let mut order = order_json();
        order.pointer_mut(contact).unwrap()[field] = Value::Null;
        let fetched = fetch(&order).await.unwrap();
        assert!(fetched.buyer.is_none());
        assert_eq!(fetched.details.country.as_str(), "US");
    }
    let mut order = order_json();
    order["fulfillmentStartInstructions"] = json!([{"pickupStep": {}}]);
    assert!(fetch(&order).await.unwrap().buyer.is_none());
}

#[tokio::test]
async fn a_parcel_for_international_shipping_carries_its_reference() {
    let mut order = order_json();
    order["fulfillmentStartInstructions"][0]["shippingStep"]["shipToReferenceId"] =
        "1234567".into();
    let buyer = fetch(&order).await.unwrap().buyer.unwrap();
    assert_eq!(buyer.address.line2, "Reference 1234567");
}

#[tokio::test]
async fn a_field_without_meaning_is_named_and_its_value_is_not() {
    for (field, value, named) in [
        (
            "/pricingSummary/total/value",
            json!("Jane"),
            "pricingSummary.total",
        ),
        (
            "/pricingSummary/total/currency",
            json!("JANE"),
            "pricingSummary.total",
        ),
        (
            "/totalMarketplaceFee/value",
            json!("1.999"),
            "totalMarketplaceFee",
        ),
        ("/creationDate", json!("Jane"), "creationDate"),
        ("/lineItems", json!([]), "lineItems"),
        ("/lineItems/0/quantity", json!(0), "lineItems.quantity"),
        (
            "/lineItems/0/lineItemId",
            json!("Jane Doe"),
            "lineItems.lineItemId",
        ),
        ("/lineItems/0/quantity", json!("Jane"), "shape"),
        ("/cancelStatus", Value::Null, "cancelStatus.cancelState"),
        ("/orderId", json!("another"), "orderId"),
        (
            "/fulfillmentStartInstructions/0/shippingStep/shipTo/contactAddress/countryCode",
            json!("Jane"),
            "shipTo.contactAddress.countryCode",
        ),
    ] {
        let mut order = order_json();
        *order.pointer_mut(field).unwrap() = value;
        let error = fetch(&order).await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry),
            (Kind::Unreadable, Retry::Permanent),
            "{field}"
        );
        assert_eq!((error.code.as_str(), error.effect), (named, Effect::None));
    }
}

#[tokio::test]
async fn an_order_id_cannot_leave_its_place_in_the_path() {
    let world = world();
    let _ = world.ebay.order(&order_id("110-22!3/../x?y=ü%")).await;
    let asked = world.network.asked();
    let path = format!("{ORDER}/110-22%213%2F..%2Fx%3Fy%3D%C3%BC%25");
    assert_eq!(asked[0].uri().path_and_query().unwrap().as_str(), path);
}

#[tokio::test]
async fn changed_orders_are_asked_for_as_documented_and_never_in_the_future() {
    let world = world();
    let next = format!("https://api.ebay.com{ORDER}?limit=200&offset=200");
    let page = json!({
        "next": next,
        "orders": [{"orderId": "1-1", "lastModifiedDate": "2026-01-15T10:01:00.000Z"}]
    });
    world
        .network
        .answer(200, page)
        .answer(200, json!({"total": 0}));
    let from = "2026-01-15T09:00:00.1239Z".parse().unwrap();
    let until = "2026-01-16T00:00:00Z".parse().unwrap();
    let page = world.ebay.changed(from, until, None).await.unwrap();
    assert_eq!(page.orders.len(), 1);
    assert_eq!(page.next.as_deref(), Some("200"));
    let last = world
        .ebay
        .changed(from, until, page.next.as_deref())
        .await
        .unwrap();
    assert!(last.orders.is_empty() && last.next.is_none());
    let asked = world.network.asked();
    let query = |offset| {
        let span = "%5B2026-01-15T09:00:00.123Z..2026-01-15T11:59:55.000Z%5D";
        format!("filter=lastmodifieddate:{span}&limit=200&offset={offset}")
    };
    assert_eq!(asked[0].uri().query(), Some(query(0).as_str()));
    assert_eq!(asked[1].uri().query(), Some(query(200).as_str()));
    assert_eq!(asked[0].headers()["accept-language"], "en-US");
    // A span in the future has no orders and costs no call.
    assert!(
        world
            .ebay
            .changed(until, until, None)
            .await
            .unwrap()
            .orders
            .is_empty()
    );
    assert!(world.network.asked().is_empty());
}

#[tokio::test]
async fn a_next_page_elsewhere_or_backwards_is_not_followed() {
    for next in [
        "https://evil.example.com/sell/fulfillment/v1/order?offset=200",
        "https://api.ebay.com.evil.example/sell/fulfillment/v1/order?offset=200",
        "http://api.ebay.com/sell/fulfillment/v1/order?offset=200",
        "https://api.ebay.com/sell/fulfillment/v1/order/x?offset=200",
        "https://api.ebay.com/sell/fulfillment/v1/order?offset=0",
        "https://api.ebay.com/sell/fulfillment/v1/order?limit=200",
        "//[",
    ] {
        let world = world();
        world.network.answer(200, json!({"next": next}));
        let page = world
            .ebay
            .changed(now() - jiff::SignedDuration::from_hours(1), now(), None);
        let error = page.await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (Kind::Unreadable, "next"),
            "{next}"
        );
    }
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
async fn a_parcel_is_confirmed_in_one_call() {
    let world = world();
    world.network.answer(201, "");
    world
        .ebay
        .confirm(&order_id("1-1"), &parcel())
        .await
        .unwrap();
    let asked = world.network.asked();
    assert_eq!(
        asked[0].uri().path(),
        format!("{ORDER}/1-1/shipping_fulfillment")
    );
    assert_eq!(asked[0].headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap();
    let lines =
        json!([{"lineItemId": "1001", "quantity": 2}, {"lineItemId": "1002", "quantity": 1}]);
    let expected = json!({
        "lineItems": lines, "shippedDate": "2026-01-15T11:59:55.000Z",
        "shippingCarrierCode": "ChinaPost", "trackingNumber": "LP00123456"
    });
    assert_eq!(body, expected);
    let error = world
        .ebay
        .confirm(&order_id("1-1"), &parcel())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::NoAnswer, Effect::Unknown)
    );
}

#[tokio::test]
async fn a_parcel_is_found_by_its_number_however_it_is_written() {
    for (fulfillments, found) in [
        (json!([{"shipmentTrackingNumber": "lp-0012 3456"}]), true),
        (json!([{"fulfillmentId": "LP00123456"}]), true),
        (
            json!([{"fulfillmentId": "999", "shipmentTrackingNumber": "LP00123457"}]),
            false,
        ),
        (json!([]), false),
        (Value::Null, false),
    ] {
        let world = world();
        world
            .network
            .answer(200, json!({"fulfillments": fulfillments}));
        let number = &parcel().tracking_number;
        assert_eq!(
            world
                .ebay
                .is_confirmed(&order_id("1-1"), number)
                .await
                .unwrap(),
            found
        );
    }
}

#[tokio::test]
async fn listings_are_set_a_sku_a_call_and_matched_by_offer() {
    let world = world();
    let answer = json!({"responses": [
        {"statusCode": 200, "sku": "A"},
        {"statusCode": 400, "sku": "A", "offerId": "a2", "errors": [{"errorId": 25709, "category": "REQUEST"}]},
        {"statusCode": 200, "sku": "A", "offerId": "a1"}
    ]});
    world.network.answer(207, answer);
    let pool = json!({"responses": [
        {"statusCode": 500, "sku": "B", "errors": [{"errorId": 25001, "category": "APPLICATION"}]},
        {"statusCode": 200, "sku": "B", "offerId": "b1"}
    ]});
    world.network.answer(200, pool);
    let updates = [
        update("A", "a1", 3),
        update("B", "b1", 1),
        update("A", "a2", 5),
        update("A", "a3", 4),
    ];
    let outcomes = world.ebay.push(&updates).await.unwrap();
    let codes: Vec<_> = outcomes
        .iter()
        .map(|o| o.as_ref().err().map(|e| e.code.as_str()))
        .collect();
    assert_eq!(codes, [None, Some("25001"), Some("25709"), Some("offerId")]);
    let asked = world.network.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].headers()["content-language"], "en-US");
    assert_eq!(asked[0].headers()["x-ebay-c-marketplace-id"], "EBAY_US");
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(body["requests"].as_array().unwrap().len(), 1);
    assert_eq!(
        body["requests"][0]["shipToLocationAvailability"]["quantity"],
        5
    );
    let first = json!({"offerId": "a1", "availableQuantity": 3, "price": amount("19.90")});
    assert_eq!(body["requests"][0]["offers"][0], first);
}

#[tokio::test]
async fn the_last_update_of_a_listing_counts_and_a_call_is_never_too_large() {
    let world = world();
    let entries = |range: std::ops::Range<u32>| {
        let entry = |n: u32| json!({"statusCode": 200, "offerId": n.to_string()});
        json!({"responses": range.map(entry).collect::<Vec<_>>()})
    };
    world
        .network
        .answer(200, entries(0..25))
        .answer(200, entries(25..26));
    let mut updates = vec![update("A", "0", 9)];
    updates.extend((0..26).map(|n| update("A", &n.to_string(), 1)));
    let outcomes = world.ebay.push(&updates).await.unwrap();
    assert!(outcomes.len() == 27 && outcomes.iter().all(Result::is_ok));
    let asked = world.network.asked();
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(
        body["requests"][0]["shipToLocationAvailability"]["quantity"],
        1
    );
    assert_eq!(body["requests"][0]["offers"].as_array().unwrap().len(), 25);
    assert!(world.ebay.push(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_stops_one_sku_for_all_is_not_tried_with_the_next() {
    let world = world();
    let updates = [
        update("A", "a", 1),
        update("B", "b", 1),
        update("C", "c", 1),
    ];
    world.network.answer(429, "");
    assert_eq!(
        world.ebay.push(&updates).await.unwrap_err().kind,
        Kind::Throttled
    );
    assert_eq!(world.network.asked().len(), 1);

    world.network.answer(
        200,
        json!({"responses": [{"statusCode": 200, "offerId": "a"}]}),
    );
    let outcomes = world.ebay.push(&updates).await.unwrap();
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().effect, Effect::Unknown);
    assert_eq!(outcomes[2].as_ref().unwrap_err().effect, Effect::None);
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

mod pushes;
