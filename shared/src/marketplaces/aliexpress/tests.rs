mod pushes;
pub(super) mod shapes;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::domain::{Address, Buyer, LineId, OfferId, OrderKey, PurchaseLine, Sku};
use crate::http::{Http, HttpError, Sent};
use crate::limiter::Limiter;
use crate::marketplaces::{Effect, Pseudonyms, TokenStore};
use crate::{seal::MemorySeal, store::MemoryStore};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

pub(super) const NOW: &str = "2026-11-02T08:00:00Z";

pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

/// Gives the answers that were put in, in their order, and keeps what it was sent. A token's renewal always works.
#[derive(Debug, Default)]
pub(super) struct Gateway {
    answers: Mutex<VecDeque<Result<Bytes, Sent>>>,
    sent: Mutex<Vec<HashMap<String, String>>>,
    renewals: Mutex<u32>,
}

impl Gateway {
    pub(super) fn will_say(&self, answer: &Value) {
        self.will_send(answer.to_string());
    }

    pub(super) fn will_send(&self, body: impl Into<Bytes>) {
        self.answers.lock().unwrap().push_back(Ok(body.into()));
    }

    pub(super) fn will_break(&self, sent: Sent) {
        self.answers.lock().unwrap().push_back(Err(sent));
    }

    pub(super) fn sent(&self) -> Vec<HashMap<String, String>> {
        self.sent.lock().unwrap().clone()
    }
}

#[async_trait]
impl Http for Gateway {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if request.uri().path() == "/rest/auth/token/refresh" {
            let mut renewals = self.renewals.lock().unwrap();
            *renewals += 1;
            let answer = json!({"access_token": format!("access-{renewals}"), "expires_in": "86400",
                                "refresh_token": "next", "refresh_expires_in": 172_800, "code": "0"});
            return Ok(Response::new(answer.to_string().into()));
        }
        let form = url::form_urlencoded::parse(request.body()).into_owned();
        self.sent.lock().unwrap().push(form.collect());
        let answer = self.answers.lock().unwrap().pop_front().unwrap();
        answer.map(Response::new).map_err(|sent| HttpError {
            sent,
            timed_out: sent == Sent::Maybe,
            problem: "it broke".to_owned(),
        })
    }
}

/// What an account needs, with this gateway for its network.
pub(super) fn outside(gateway: Arc<Gateway>) -> Outside {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(NOW.parse().unwrap()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let limiter = Limiter::new(store.clone(), clock.clone());
    let tokens = TokenStore::new(store, Arc::new(MemorySeal::new()), clock.clone());
    Outside {
        http: gateway,
        clock,
        tokens: Some(Arc::new(tokens)),
        limiter: Some(Arc::new(limiter)),
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("key".into()))),
    }
}

fn shop(gateway: Arc<Gateway>) -> AliExpress {
    let outside = outside(gateway);
    let secret = json!({"environment": "http://127.0.0.1:9", "app_key": "500123",
                        "app_secret": "app-secret", "refresh_token": "seed", "seller_id": "77"});
    let id = "aliexpress:main".parse().unwrap();
    AliExpress::new(id, &Secret::new(secret.to_string()), outside).unwrap()
}

fn line(product: &str, variant: &str) -> PurchaseLine {
    let usd = "USD".parse().unwrap();
    PurchaseLine {
        line: LineId::parse("1").unwrap(),
        sku: Sku::parse("SKU-1").unwrap(),
        offer: OfferId::new("aliexpress:main".parse().unwrap(), product, variant).unwrap(),
        quantity: 2,
        unit_cost: Money::zero(usd),
        shipping: Money::zero(usd),
        shipping_option: "CAINIAO_STANDARD".into(),
        variant_attributes: "14:175#Black & White".into(),
    }
}

fn buyer() -> Buyer {
    Buyer {
        name: "Jane Doe".into(),
        phone: "4075550100".into(),
        email: String::new(),
        account_name: "jane1".into(),
        address: Address {
            line1: "1 Main Street".into(),
            line2: String::new(),
            city: "Orlando".into(),
            region: "FL".into(),
            postal_code: "32807".into(),
            country: "US".parse().unwrap(),
        },
    }
}

fn place(shop: &AliExpress, lines: &[PurchaseLine], buyer: &Buyer) -> Result<Placed, CallError> {
    let order: OrderKey = "ebay:main/01-1".parse().unwrap();
    let reference = Reference::of(&order, 1);
    block_on(shop.place(&PlaceRequest {
        reference: &reference,
        lines,
        buyer,
        not_after: Timestamp::MAX,
    }))
}

fn created() -> Value {
    json!({"aliexpress_ds_order_create_response": {"result": {
        "is_success": true, "order_list": {"number": [8198352049851315_u64]}}}})
}

fn token_refused() -> Value {
    json!({"error_response": {"type": "ISV", "code": "IllegalAccessToken", "msg": "expired"}})
}

#[test]
fn an_order_says_who_where_what_and_our_reference() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    gateway.will_say(&created());
    let placed = place(&shop, &[line("1005002704149141", "12")], &buyer()).unwrap();
    assert_eq!(placed.supplier_orders[0].as_str(), "8198352049851315");
    let sent = &gateway.sent()[0];
    let order = &sent["param_place_order_request4_open_api_d_t_o"];
    let order: Value = serde_json::from_str(order).unwrap();
    let reference = Reference::of(&"ebay:main/01-1".parse().unwrap(), 1);
    assert_eq!(order["out_order_id"], reference.as_str());
    assert_eq!(order["logistics_address"]["province"], "Florida");
    assert_eq!(
        order["product_items"][0]["product_id"],
        1005002704149141_u64
    );
    assert_eq!(
        order["product_items"][0]["sku_attr"],
        "14:175#Black & White"
    );
    assert_eq!(sent["session"], "access-1");
    let extend: Value = serde_json::from_str(&sent["ds_extend_request"]).unwrap();
    assert_eq!(
        extend["payment"],
        json!({"pay_currency": "USD", "try_to_pay": "false"})
    );
}

#[test]
fn what_cannot_be_ordered_is_never_sent() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    let mut nameless = buyer();
    nameless.name = "Cher".into();
    let refused = place(&shop, &[line("1", "12")], &nameless).unwrap_err();
    assert_eq!(
        (refused.kind, &*refused.code),
        (Kind::AddressRefused, "US.full_name")
    );
    let refused = place(&shop, &[line("abc", "12")], &buyer()).unwrap_err();
    assert_eq!(refused.effect, Effect::None);
    let mut euro = line("1", "12");
    euro.unit_cost = Money::zero("EUR".parse().unwrap());
    assert_eq!(
        place(&shop, &[euro], &buyer()).unwrap_err().kind,
        Kind::Refused
    );
    assert!(gateway.sent().is_empty());
}

#[test]
fn a_refused_token_is_renewed_and_the_order_sent_once_more() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    gateway.will_say(&token_refused());
    gateway.will_say(&created());
    assert!(place(&shop, &[line("1", "12")], &buyer()).is_ok());
    let sessions: Vec<_> = gateway
        .sent()
        .iter()
        .map(|sent| sent["session"].clone())
        .collect();
    assert_eq!(sessions, ["access-1", "access-2"]);
    for _ in 0..2 {
        gateway.will_say(&token_refused());
    }
    let error = place(&shop, &[line("1", "12")], &buyer()).unwrap_err();
    assert_eq!(
        (error.kind, error.retry),
        (Kind::ConsentEnded, Retry::Person)
    );
    assert_eq!(gateway.sent().len(), 4);
}

#[test]
fn a_lost_answer_is_settled_by_the_same_request() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    gateway.will_break(Sent::Maybe);
    let lost = place(&shop, &[line("1", "12")], &buyer()).unwrap_err();
    assert_eq!((lost.kind, lost.effect), (Kind::NoAnswer, Effect::Unknown));
    gateway.will_say(&json!({"aliexpress_ds_order_create_response": {"result": {
        "is_success": "false", "error_code": "REPEATED_ORDER_ERROR"}}}));
    let placed = place(&shop, &[line("1", "12")], &buyer()).unwrap();
    assert!(placed.supplier_orders.is_empty());
    let orders: Vec<_> = gateway
        .sent()
        .iter()
        .map(|sent| sent["param_place_order_request4_open_api_d_t_o"].clone())
        .collect();
    assert_eq!(orders[0], orders[1]);
    gateway.will_break(Sent::No);
    let unsent = place(&shop, &[line("1", "12")], &buyer()).unwrap_err();
    assert_eq!(
        (unsent.kind, unsent.effect),
        (Kind::Unreachable, Effect::None)
    );
    assert!(matches!(shop.settle(), Settle::Repeat { .. }));
}

#[test]
fn lines_of_one_product_ask_for_it_once() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    let variant = |id| {
        json!({"sku_id": id, "offer_sale_price": "3.94", "currency_code": "USD",
               "sku_available_stock": 1})
    };
    gateway.will_say(
        &json!({"aliexpress_ds_product_get_response": {"rsp_code": 200, "result": {
        "ae_item_sku_info_dtos": [variant("12"), variant("13")]}}}),
    );
    gateway.will_say(&json!({"aliexpress_ds_freight_query_response": {"result": {
        "success": true, "delivery_options": [{"code": "A", "shipping_fee_cent": "1.99",
        "shipping_fee_currency": "USD", "tracking": true}]}}}));
    // Refused, because there is one unit less than wanted.
    gateway.will_say(&json!({"aliexpress_ds_freight_query_response": {"result": {
        "success": false, "code": 505, "msg": "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS"}}}));
    let wanted: Vec<_> = [("12", 1), ("13", 2)]
        .into_iter()
        .map(|(variant, quantity)| Wanted {
            line: LineId::parse(variant).unwrap(),
            offer: line("7", variant).offer,
            quantity,
        })
        .collect();
    let quote = block_on(shop.quote(&QuoteRequest {
        wanted: &wanted,
        ship_to: &"UK".parse().unwrap(),
    }));
    let lines = quote.unwrap().lines;
    assert_eq!((lines[0].shipping.minor, lines[0].stock), (199, 1));
    assert_eq!((lines[1].shipping_option.as_str(), lines[1].stock), ("", 1));
    assert_eq!(gateway.sent().len(), 3);
    assert_eq!(gateway.sent()[0]["ship_to_country"], "GB");
}

#[test]
fn a_product_that_is_gone_has_no_variants() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    gateway.will_say(&json!({"aliexpress_ds_product_get_response":
        {"rsp_code": "404", "rsp_msg": "ITEM_ID_NOT_FOUND"}}));
    let offers = [line("7", "12").offer, line("7", "13").offer];
    let stock = block_on(shop.stock(&offers, &"US".parse().unwrap()));
    assert_eq!(stock.unwrap(), [Ok(None), Ok(None)]);
}

#[test]
fn a_refusal_for_too_many_calls_stops_everybody_and_nothing_is_sent_meanwhile() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    gateway.will_say(
        &json!({"error_response": {"type": "ISV", "code": "ApiCallLimit",
        "msg": "Api access frequency exceeds the limit. this ban will last 1 seconds"}}),
    );
    let banned = place(&shop, &[line("1", "12")], &buyer()).unwrap_err();
    let wait = std::time::Duration::from_secs(2);
    assert_eq!(
        (banned.kind, banned.retry),
        (Kind::Throttled, Retry::After(wait))
    );
    let waits = place(&shop, &[line("1", "12")], &buyer()).unwrap_err();
    assert_eq!((waits.effect, &*waits.code), (Effect::None, "own-limit"));
    assert_eq!(gateway.sent().len(), 1);
    // Another operation has its own limit.
    gateway.will_say(&json!({"rsp_code": "404", "rsp_msg": "ITEM_ID_NOT_FOUND"}));
    let offers = [line("7", "12").offer];
    let stock = block_on(shop.stock(&offers, &"US".parse().unwrap()));
    assert_eq!(stock.unwrap(), [Ok(None)]);
}

#[test]
fn the_lease_is_asked_for_after_the_limit_and_the_token() {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    let order: OrderKey = "ebay:main/01-1".parse().unwrap();
    let late = block_on(shop.place(&PlaceRequest {
        reference: &Reference::of(&order, 1),
        lines: &[line("1", "12")],
        buyer: &buyer(),
        not_after: NOW.parse().unwrap(),
    }));
    assert_eq!(late.unwrap_err().kind, Kind::TooLate);
    assert!(gateway.sent().is_empty());
}

/// JSON that looks a little like an answer.
fn answers() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[0-9a-zA-Z.:;# -]{0,20}".prop_map(Value::from),
        Just(json!("USD")),
        Just(json!("onSelling")),
    ];
    let names = prop::sample::select(vec![
        "result",
        "error_response",
        "code",
        "sub_code",
        "msg",
        "is_success",
        "order_list",
        "number",
        "success",
        "delivery_options",
        "shipping_fee_cent",
        "shipping_fee_currency",
        "ae_item_sku_info_dtos",
        "sku_id",
        "sku_available_stock",
        "currency_code",
        "rsp_code",
        "offer_sale_price",
        "order_status",
        "logistics_status",
        "child_order_list",
        "end_reason",
        "logistics_info_list",
        "logistics_no",
        "data",
        "tracking_detail_line_list",
        "mail_no",
        "package_item_list",
        "quantity",
        "item_id",
        "detail_node_list",
        "ret",
    ]);
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(names.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn ask_everything(body: &Bytes) {
    let gateway = Arc::new(Gateway::default());
    let shop = shop(gateway.clone());
    for _ in 0..5 {
        gateway.will_send(body.clone());
        // A token that the answer calls refused is renewed and the call made again.
        gateway.will_send(body.clone());
        gateway.will_send(body.clone());
    }
    let country = "US".parse().unwrap();
    let placed = place(&shop, &[line("1", "12")], &buyer());
    assert!(placed.is_err() || !body.is_empty());
    let _ = block_on(shop.stock(&[line("1", "12").offer], &country));
    let wanted = [Wanted {
        line: LineId::parse("1").unwrap(),
        offer: line("1", "12").offer,
        quantity: 1,
    }];
    let _ = block_on(shop.quote(&QuoteRequest {
        wanted: &wanted,
        ship_to: &country,
    }));
    let id = SupplierOrderId::parse("5").unwrap();
    let _ = block_on(shop.supplier_order(&id));
}

proptest! {
    #[test]
    fn no_answer_makes_a_reader_panic(body in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from),
        answers().prop_map(|answer| Bytes::from(answer.to_string())),
        answers().prop_map(|answer| Bytes::from(json!({"result": answer}).to_string())),
    ]) {
        ask_everything(&body);
    }
}
