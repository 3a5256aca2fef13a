//! What happens to an order at eBay without a call, and how both of its APIs show it.

use axum::body::Body;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Money;
use kervan_marketplaces::Takes;
use kervan_marketplaces::ebay::NewListing;
use kervan_marketplaces::ebay::NewOrder;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

use crate::common::EbayClient;
use crate::common::Got;
use crate::common::ORDERS;
use crate::common::call;

struct Shop {
    client: EbayClient,
    order: String,
}

impl Shop {
    /// An order of two lamps and a rug, 59.97 USD.
    async fn new() -> Self {
        let client = EbayClient::new().await;
        for (sku, cents) in [("LAMP", 1_999), ("RUG", 1_999)] {
            client
                .ebay
                .add_listing(NewListing::new(sku, Money::usd(cents), 50));
        }
        let order = NewOrder::of([("LAMP", 2), ("RUG", 1)]);
        let order = client.ebay.place_order(order).unwrap();
        client.advance_ms(2_000);
        Self { client, order }
    }

    async fn act_on(&self, order: &str, action: &Value) -> Got {
        let path = format!("/_control/orders/{order}/act");
        self.client.post(&path, action).await
    }

    async fn act(&self, action: Value) {
        let got = self.act_on(&self.order, &action).await;
        assert_eq!(got.status, StatusCode::OK, "{action}: {:?}", got.body);
        self.client.advance_ms(10);
    }

    async fn is_refused(&self, action: Value) {
        let got = self.act_on(&self.order, &action).await;
        assert_eq!(got.status, StatusCode::CONFLICT, "{action}");
        let reason = got.json()["error"].as_str().unwrap().to_owned();
        assert!(reason.contains("eBay"), "{reason}");
    }

    async fn read(&self) -> Value {
        let got = self.client.get(&format!("{ORDERS}/{}", self.order)).await;
        assert_eq!(got.status, StatusCode::OK, "{:?}", got.body);
        got.json()
    }

    async fn trading(&self, inner: &str, level: &str) -> String {
        let got = self.client.trading_orders(inner, level).await;
        String::from_utf8(got.body.to_vec()).unwrap()
    }

    async fn read_trading(&self) -> String {
        let ids = format!(
            "<OrderIDArray><OrderID>{}</OrderID></OrderIDArray>",
            self.order
        );
        self.trading(&ids, "1451").await
    }
}

/// What stands between two tags, at each place.
fn all<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let parts = xml.split(&open).skip(1).filter_map(|part| {
        let (head, rest) = part.split_once('>')?;
        let is_it = head.is_empty() || head.starts_with(' ');
        let (text, _) = rest.split_once(&close)?;
        is_it.then_some(text)
    });
    parts.collect()
}

#[tokio::test]
async fn units_that_are_shipped_by_hand_are_a_parcel_like_any_other() {
    let shop = Shop::new().await;
    shop.act(json!({ "action": "ship_by_hand", "line": 0, "units": 1 }))
        .await;
    let order = shop.read().await;
    assert_eq!(order["orderFulfillmentStatus"], "IN_PROGRESS");
    let status = |line: usize| order["lineItems"][line]["lineItemFulfillmentStatus"].clone();
    assert_eq!(status(0), "IN_PROGRESS");
    assert_eq!(status(1), "NOT_STARTED");
    let path = format!("{ORDERS}/{}/shipping_fulfillment", shop.order);
    let parcels = shop.client.get(&path).await.json();
    assert_eq!(parcels["fulfillments"][0]["lineItems"][0]["quantity"], 1);
    let view = shop.client.ebay.order(&shop.order).unwrap();
    assert_eq!(
        (view.lines[0].shipped, view.lines[0].shipped_by_hand),
        (1, 1)
    );
    let xml = shop.read_trading().await;
    assert_eq!(all(&xml, "ShipmentTrackingNumber").len(), 1);
    assert!(all(&xml, "ShippedTime").is_empty());

    shop.act(json!({ "action": "ship_by_hand", "line": 0, "units": 1 }))
        .await;
    let xml = shop.read_trading().await;
    // The line is whole, the order is not.
    assert_eq!(all(&xml, "ShippedTime").len(), 1);
    let more = json!({ "action": "ship_by_hand", "line": 0, "units": 1 });
    let got = shop.act_on(&shop.order, &more).await;
    assert_eq!(got.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_refund_by_hand_is_shown_with_its_line_and_ends_as_it_was_told_to() {
    let shop = Shop::new().await;
    let refund = |of: Value, ends: &str| json!({ "action": "refund", "of": of, "ends": ends });
    let line = json!({ "part": "line", "line": 1 });
    shop.act(refund(line, "paid")).await;
    let order = shop.read().await;
    assert_eq!(order["orderPaymentStatus"], "PARTIALLY_REFUNDED");
    let of_line = &order["lineItems"][1]["refunds"][0];
    assert_eq!(of_line["amount"]["value"], "19.99");
    assert!(of_line["refundDate"].is_string());
    assert_eq!(order["lineItems"][0]["refunds"], json!([]));

    let part = json!({ "part": "part", "line": 0, "cents": 500 });
    shop.act(refund(part.clone(), "pending")).await;
    let order = shop.read().await;
    assert_eq!(
        order["lineItems"][0]["refunds"][0]["refundDate"],
        Value::Null
    );
    shop.act(refund(part, "fails_later")).await;
    let states = async || {
        let order = shop.read().await;
        let refunds = order["paymentSummary"]["refunds"].as_array().unwrap();
        let states = refunds
            .iter()
            .map(|one| one["refundStatus"].as_str().unwrap().to_owned());
        states.collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["REFUNDED", "PENDING", "PENDING"]);
    shop.client.advance_ms(60_000);
    assert_eq!(states().await, ["REFUNDED", "REFUNDED", "FAILED"]);
    let xml = shop.read_trading().await;
    assert_eq!(
        all(&xml, "RefundStatus"),
        ["Succeeded", "Succeeded", "Failed"]
    );
    assert_eq!(all(&xml, "RefundAmount"), ["19.99", "5.00", "5.00"]);
}

#[tokio::test]
async fn an_order_that_is_paid_back_whole_is_fully_refunded() {
    let shop = Shop::new().await;
    shop.act(json!({ "action": "refund", "of": { "part": "order" }, "ends": "paid" }))
        .await;
    assert_eq!(shop.read().await["orderPaymentStatus"], "FULLY_REFUNDED");
    assert_eq!(
        all(&shop.read_trading().await, "RefundAmount"),
        [shop.client.ebay.order(&shop.order).unwrap().total.decimal()]
    );
    let again = json!({ "action": "refund", "of": { "part": "order" }, "ends": "paid" });
    let got = shop.act_on(&shop.order, &again).await;
    assert_eq!(got.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn an_order_is_cancelled_by_either_side_and_a_line_by_none() {
    for (by, initiator) in [
        ("buyer", "BUYER"),
        ("seller", "SELLER"),
        ("marketplace", "SYSTEM"),
    ] {
        let shop = Shop::new().await;
        shop.is_refused(json!({ "action": "cancel_line", "line": 0, "by": by }))
            .await;
        shop.act(json!({ "action": "cancel_order", "by": by }))
            .await;
        let order = shop.read().await;
        assert_eq!(order["cancelStatus"]["cancelState"], "CANCELED");
        let request = &order["cancelStatus"]["cancelRequests"][0];
        assert_eq!(request["cancelInitiator"], initiator);
        let xml = shop.read_trading().await;
        assert_eq!(all(&xml, "OrderStatus"), ["Cancelled"]);
    }
}

#[tokio::test]
async fn an_address_changes_and_is_hidden_in_part_or_whole() {
    let shop = Shop::new().await;
    let mut buyer = shop.client.ebay.order(&shop.order).unwrap().buyer;
    buyer.city = "Elsewhere".to_owned();
    shop.act(json!({ "action": "change_address", "buyer": buyer }))
        .await;
    let address = |order: &Value| {
        let step = &order["fulfillmentStartInstructions"][0]["shippingStep"];
        step["shipTo"]["contactAddress"].clone()
    };
    assert_eq!(address(&shop.read().await)["city"], "Elsewhere");
    assert_eq!(all(&shop.read_trading().await, "CityName"), ["Elsewhere"]);

    shop.is_refused(json!({ "action": "hide", "what": "masked" }))
        .await;
    shop.act(json!({ "action": "hide", "what": "country" }))
        .await;
    assert_eq!(address(&shop.read().await)["countryCode"], Value::Null);
    assert_eq!(address(&shop.read().await)["city"], "Elsewhere");
    let xml = shop.read_trading().await;
    assert!(all(&xml, "Country").is_empty());
    shop.act(json!({ "action": "hide", "what": "address" }))
        .await;
    assert_eq!(address(&shop.read().await), Value::Null);
    assert!(
        shop.read_trading()
            .await
            .contains("<ShippingAddress /><Subtotal")
    );
    assert!(shop.read().await["buyer"]["username"].is_string());
    shop.act(json!({ "action": "hide", "what": "buyer" })).await;
    assert_eq!(shop.read().await["buyer"], json!({}));
    let xml = shop.read_trading().await;
    assert!(all(&xml, "BuyerUserID").is_empty());
    assert_eq!(all(&xml, "Email"), ["Invalid Request"; 2]);
}

#[tokio::test]
async fn an_order_goes_on_under_another_id_or_within_another() {
    let mut shop = Shop::new().await;
    let lines = shop.read().await["lineItems"].clone();
    let got = shop
        .act_on(&shop.order, &json!({ "action": "change_id" }))
        .await;
    let id = got.json()["order_id"].as_str().unwrap().to_owned();
    let old = format!("{ORDERS}/{}", shop.order);
    assert_eq!(shop.client.get(&old).await.status, StatusCode::NOT_FOUND);
    shop.order = id;
    assert_eq!(
        shop.read().await["lineItems"][0]["lineItemId"],
        lines[0]["lineItemId"]
    );
    let other = shop
        .client
        .ebay
        .place_order(NewOrder::one("RUG", 1))
        .unwrap();
    shop.client.advance_ms(2_000);
    shop.act(json!({ "action": "merge_into", "order_id": other }))
        .await;
    let old = format!("{ORDERS}/{}", shop.order);
    assert_eq!(shop.client.get(&old).await.status, StatusCode::NOT_FOUND);
    shop.order = other;
    assert_eq!(shop.read().await["lineItems"].as_array().unwrap().len(), 3);
    assert_eq!(all(&shop.read_trading().await, "OrderLineItemID").len(), 3);
}

#[tokio::test]
async fn payment_stays_away_or_is_looked_into() {
    let shop = Shop::new().await;
    shop.act(json!({ "action": "review" })).await;
    let order = shop.read().await;
    let hold = &order["paymentSummary"]["payments"][0]["paymentHolds"][0];
    assert_eq!(hold["holdState"], "HELD");
    let xml = shop.read_trading().await;
    assert_eq!(all(&xml, "PaymentHoldStatus"), ["PaymentReview"]);
    shop.act(json!({ "action": "never_paid" })).await;
    assert_eq!(shop.read().await["orderPaymentStatus"], "PENDING");
    assert!(all(&shop.read_trading().await, "PaidTime").is_empty());
}

#[tokio::test]
async fn tax_that_ebay_collects_is_in_a_total_only_where_the_caller_asks_so() {
    let shop = Shop::new().await;
    shop.act(json!({ "action": "collect_tax", "cents_a_line": 100, "reference": "IM2760000742" }))
        .await;
    let order = shop.read().await;
    assert_eq!(order["pricingSummary"]["total"]["value"], "59.97");
    assert_eq!(
        order["paymentSummary"]["totalDueSeller"]["value"], "61.97",
        "documented to hold it"
    );
    let tax = &order["lineItems"][0]["ebayCollectAndRemitTaxes"][0];
    assert_eq!(tax["amount"]["value"], "1.00");
    assert_eq!(
        tax["ebayReference"],
        json!({ "name": "IOSS", "value": "IM2760000742" })
    );
    let path = format!("{ORDERS}/{}?fieldGroups=TAX_BREAKDOWN", shop.order);
    let order = shop.client.get(&path).await.json();
    assert_eq!(order["pricingSummary"]["total"]["value"], "61.97");

    let xml = shop.read_trading().await;
    assert_eq!(all(&xml, "Total"), ["61.97"]);
    assert_eq!(all(&xml, "TotalTaxAmount"), ["1.00", "1.00"]);
    let ids = format!(
        "<OrderIDArray><OrderID>{}</OrderID></OrderIDArray>",
        shop.order
    );
    assert_eq!(
        all(&shop.trading(&ids, "1305").await, "Total"),
        ["59.97"],
        "an older schema"
    );
}

#[tokio::test]
async fn a_fee_is_told_always_never_on_request_or_in_another_currency() {
    let shop = Shop::new().await;
    let fee = async || shop.read().await["totalMarketplaceFee"].clone();
    assert_eq!(fee().await, Value::Null);
    shop.act(json!({ "action": "report_fee", "how": "always" }))
        .await;
    assert_eq!(fee().await, json!({ "value": "7.79", "currency": "USD" }));
    let ids = format!(
        "<OrderIDArray><OrderID>{}</OrderID></OrderIDArray>",
        shop.order
    );
    assert!(all(&shop.trading(&ids, "1451").await, "FinalValueFee").is_empty());
    let asked = format!("{ids}<IncludeFinalValueFee>true</IncludeFinalValueFee>");
    let xml = shop.trading(&asked, "1451").await;
    assert_eq!(all(&xml, "FinalValueFee"), ["5.19", "2.59"]);
    shop.act(json!({ "action": "report_fee", "how": "other_currency" }))
        .await;
    assert_eq!(fee().await["currency"], "EUR");
    shop.act(json!({ "action": "report_fee", "how": "never" }))
        .await;
    assert_eq!(fee().await, Value::Null);
    assert!(all(&shop.trading(&asked, "1451").await, "FinalValueFee").is_empty());
}

#[tokio::test]
async fn ebay_fulfils_an_order_itself_or_shows_it_no_more() {
    let shop = Shop::new().await;
    shop.act(json!({ "action": "fulfil_by_channel" })).await;
    let order = shop.read().await;
    assert_eq!(
        order["program"]["fulfillmentProgram"]["fulfilledBy"],
        "EBAY"
    );
    let xml = shop.read_trading().await;
    assert_eq!(all(&xml, "FulfillmentBy"), ["EBAY"; 2]);
    shop.act(json!({ "action": "vanish" })).await;
    let path = format!("{ORDERS}/{}", shop.order);
    assert_eq!(shop.client.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(shop.client.get(ORDERS).await.json()["total"], 0);
    assert!(all(&shop.read_trading().await, "OrderID").is_empty());
    assert!(shop.client.ebay.order(&shop.order).unwrap().is_gone);
}

#[tokio::test]
async fn an_entry_that_a_strict_reader_stumbles_over_stays_so_in_every_read() {
    let shop = Shop::new().await;
    shop.act(json!({ "action": "spoil", "what": "entry" }))
        .await;
    assert_eq!(shop.read().await["creationDate"], Value::Null);
    let list = shop.client.get(ORDERS).await.json();
    assert_eq!(list["orders"][0]["creationDate"], Value::Null);
    assert!(all(&shop.read_trading().await, "CreatedTime").is_empty());
    shop.act(json!({ "action": "spoil", "what": "character" }))
        .await;
    let note = shop.read().await["buyerCheckoutNotes"].clone();
    assert!(note.as_str().unwrap().contains('\u{1}'));
    assert!(shop.read_trading().await.contains("&#x1;\u{85}"));
}

#[tokio::test]
async fn the_set_moves_between_two_pages_and_a_page_takes_its_time() {
    let shop = Shop::new().await;
    let second = shop
        .client
        .ebay
        .place_order(NewOrder::one("RUG", 1))
        .unwrap();
    shop.client.advance_ms(2_000);
    let habits = json!({ "moves_while_paged": true, "page_takes_ms": 4_000 });
    let request = Request::patch("/_control/lists")
        .header("content-type", "application/json")
        .body(Body::from(habits.to_string()))
        .unwrap();
    let got = call(shop.client.ebay.router(), request).await;
    assert_eq!(got.status, StatusCode::OK);
    let before = shop.client.ebay.order(&shop.order).unwrap();
    let request = Request::get(format!("{ORDERS}?limit=1&offset=0"))
        .header("host", "ebay.test")
        .header("authorization", format!("Bearer {}", shop.client.token))
        .body(Body::empty())
        .unwrap();
    let response = shop.client.ebay.router().oneshot(request).await.unwrap();
    let takes = response.extensions().get::<Takes>().copied();
    assert_eq!(takes, Some(Takes(std::time::Duration::from_secs(4))));
    let after = shop.client.ebay.order(&shop.order).unwrap();
    assert!(after.last_modified_at > before.last_modified_at);
    // The last page moves nothing.
    let before = shop.client.ebay.order(&second).unwrap();
    shop.client.get(&format!("{ORDERS}?limit=1&offset=1")).await;
    let after = shop.client.ebay.order(&second).unwrap();
    assert_eq!(after.last_modified_at, before.last_modified_at);
}
