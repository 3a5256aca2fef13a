//! What happens on the suppliers' side, and how calls tell it.

use crate::common::AliClient;
use crate::common::CUP;
use crate::common::LID;
use crate::common::call;
use crate::common::error_code;
use crate::common::is_true;
use crate::common::stocked;
use crate::common::us_address;
use axum::body::Body;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Money;
use kervan_marketplaces::SupplierAction;
use kervan_marketplaces::Takes;
use kervan_marketplaces::aliexpress::CARRIER_TEXTS;
use kervan_marketplaces::aliexpress::OrderCreateRoot;
use kervan_marketplaces::aliexpress::OrderStatus;
use kervan_marketplaces::aliexpress::SupplierOrderView;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

const TRACKING: &str = "aliexpress.ds.order.tracking.get";

fn supplier() -> AliClient {
    stocked(AliClient::with(|config| {
        config.settings.mixed_types = false;
        config.settings.order_visible_after_ms = 0;
    }))
}

async fn control(client: &AliClient, action: &Value) -> (StatusCode, Value) {
    let request = Request::post("/_control/supplier/act")
        .header("content-type", "application/json")
        .body(Body::from(action.to_string()))
        .unwrap();
    let got = call(client.aliexpress.router(), request).await;
    (got.status, got.json())
}

async fn act(client: &AliClient, action: Value) {
    let (status, answer) = control(client, &action).await;
    assert_eq!(status, StatusCode::OK, "{action}: {answer}");
}

/// Two cups, paid at once; their order.
async fn bought(client: &AliClient, reference: &str) -> SupplierOrderView {
    let order = json!({
        "out_order_id": reference,
        "logistics_address": us_address(),
        "product_items": [{ "product_id": CUP, "product_count": 2 }],
    });
    let extend = json!({ "payment": { "try_to_pay": "true" } });
    let params = [
        (
            "param_place_order_request4_open_api_d_t_o",
            order.to_string(),
        ),
        ("ds_extend_request", extend.to_string()),
    ];
    let got = client
        .business("aliexpress.ds.order.create", &params)
        .await
        .json();
    let result = &got["aliexpress_ds_order_create_response"]["result"];
    assert!(is_true(&result["is_success"]), "{got}");
    let id = result["order_list"]["number"][0].as_u64().unwrap();
    client.aliexpress.order(id).unwrap()
}

async fn order(client: &AliClient, id: u64) -> Value {
    let got = client.order(id).await;
    got["aliexpress_trade_ds_order_get_response"]["result"].clone()
}

async fn cup(client: &AliClient) -> Value {
    let params = [
        ("product_id", CUP.to_string()),
        ("ship_to_country", "US".to_owned()),
    ];
    let got = client
        .business("aliexpress.ds.product.get", &params)
        .await
        .json();
    let result = &got["aliexpress_ds_product_get_response"]["result"];
    result["ae_item_sku_info_dtos"]["ae_item_sku_info_d_t_o"][0].clone()
}

async fn option(client: &AliClient) -> Value {
    let request = json!({
        "quantity": 1, "shipToCountry": "US", "productId": CUP.to_string(),
        "selectedSkuId": (CUP * 10 + 1).to_string(), "language": "en_US", "locale": "en_US",
        "currency": "USD",
    });
    let params = [("queryDeliveryReq", request.to_string())];
    let got = client
        .business("aliexpress.ds.freight.query", &params)
        .await
        .json();
    let result = &got["aliexpress_ds_freight_query_response"]["result"];
    result["delivery_options"]["delivery_option_d_t_o"][0].clone()
}

/// The events of an order's first parcel, newest first.
async fn events(client: &AliClient, id: u64) -> Vec<Value> {
    let params = [
        ("ae_order_id", id.to_string()),
        ("language", "en_US".to_owned()),
    ];
    let got = client.business(TRACKING, &params).await.json();
    let data = &got["aliexpress_ds_order_tracking_get_response"]["result"]["data"];
    let parcel = &data["tracking_detail_line_list"]["tracking_detail"][0];
    parcel["detail_node_list"]["detail_node"]
        .as_array()
        .unwrap()
        .clone()
}

#[tokio::test]
async fn a_tax_on_top_is_told_with_the_product_and_paid_with_the_order() {
    let client = supplier();
    assert!(cup(&client).await.get("tax_amount").is_none());
    assert_eq!(option(&client).await["ddpIncludeVATTax"], "true");
    act(&client, json!({"action": "tax_on_top", "percent": 19})).await;
    let cup = cup(&client).await;
    assert!(!is_true(&cup["price_include_tax"]));
    assert_eq!(cup["offer_sale_price"], "5.00");
    assert_eq!(
        (&cup["tax_amount"], &cup["tax_currency_code"]),
        (&json!("0.95"), &json!("USD"))
    );
    assert_eq!(option(&client).await["ddpIncludeVATTax"], "false");
    let view = bought(&client, "SO-1").await;
    let order = order(&client, view.order_id).await;
    // Goods 10.00, delivery 1.99, tax 1.90.
    assert_eq!(order["order_amount"]["amount"], "13.89");
    assert_eq!(order["user_order_amount"]["amount"], "13.89");
    let child = &order["child_order_list"]["aeop_child_order_info"][0];
    assert_eq!(
        child["actual_tax_fee"],
        json!({"amount": "1.90", "currency_code": "USD"})
    );
    assert_eq!(child["actual_fee"]["amount"], "13.89");
    assert_eq!(child["sale_fee"]["amount"], "10.00");
    assert_eq!(
        (&child["price_include_tax"], &child["already_include_tax"]),
        (&json!("false"), &json!("false"))
    );
    assert_eq!((view.cost, view.tax), (Money::usd(1_389), Money::usd(190)));
}

#[tokio::test]
async fn import_charges_are_estimated_before_and_in_the_amount_after() {
    let client = supplier();
    act(&client, json!({"action": "import_charges", "cents": 450})).await;
    assert_eq!(cup(&client).await["estimated_import_charges"], "4.50");
    let view = bought(&client, "SO-1").await;
    let order = order(&client, view.order_id).await;
    assert_eq!(order["order_amount"]["amount"], "16.49");
    let child = &order["child_order_list"]["aeop_child_order_info"][0];
    assert_eq!(child["actual_fee"]["amount"], "11.99");
    assert_eq!(view.import_charges, Money::usd(450));
    let (status, _) = control(&client, &json!({"action": "import_charges", "cents": -1})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_order_costs_more_than_was_told_and_only_its_read_says_so() {
    let client = supplier();
    act(&client, json!({"action": "charge_more", "percent": 10})).await;
    assert_eq!(cup(&client).await["offer_sale_price"], "5.00");
    assert_eq!(option(&client).await["shipping_fee_cent"], "1.99");
    let view = bought(&client, "SO-1").await;
    let order = order(&client, view.order_id).await;
    assert_eq!(order["order_amount"]["amount"], "13.19");
    let child = &order["child_order_list"]["aeop_child_order_info"][0];
    assert_eq!(
        (&child["sale_fee"]["amount"], &child["actual_fee"]["amount"]),
        (&json!("11.20"), &json!("13.19"))
    );
    assert_eq!(view.more_than_told, Money::usd(120));
}

#[tokio::test]
async fn a_blocked_account_buys_nothing_and_the_next_order_is_refused_once() {
    let client = supplier();
    act(
        &client,
        json!({"action": "block_account", "is_blocked": true}),
    )
    .await;
    for reference in ["SO-1", "SO-2"] {
        let refused = client.create(reference, &[CUP], true).await;
        assert_eq!(refused["error_code"], "USER_ACCOUNT_DISABLED");
        assert!(!is_true(&refused["is_success"]));
    }
    act(
        &client,
        json!({"action": "block_account", "is_blocked": false}),
    )
    .await;
    act(&client, json!({"action": "refuse_next_order"})).await;
    let refused = client.create("SO-1", &[CUP], true).await;
    assert_eq!(refused["error_code"], "A001_ORDER_CANNOT_BE_PLACED");
    assert!(is_true(
        &client.create("SO-1", &[CUP], true).await["is_success"]
    ));
    assert_eq!(client.aliexpress.orders().len(), 1);
    assert_eq!(client.aliexpress.stock(CUP, CUP * 10 + 1), Some(9));
}

#[tokio::test]
async fn one_order_of_a_purchase_is_closed() {
    let client = supplier();
    client.create("SO-1", &[CUP, LID], true).await;
    let [closed, other] = client.aliexpress.orders().try_into().unwrap();
    let action = json!({"action": "close_order", "order_id": closed.order_id.to_string()});
    act(&client, action.clone()).await;
    let shown = order(&client, closed.order_id).await;
    assert_eq!(shown["order_status"], "FINISH");
    assert_eq!(shown["logistics_status"], "NO_LOGISTICS");
    let child = &shown["child_order_list"]["aeop_child_order_info"][0];
    assert_eq!(child["end_reason"], "CANCELED");
    assert_eq!(
        order(&client, other.order_id).await["order_status"],
        "WAIT_SELLER_SEND_GOODS"
    );
    let (status, answer) = control(&client, &action).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(answer["error"].is_string());
    let (status, _) = control(&client, &json!({"action": "close_order", "order_id": "x"})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_carrier_writes_what_it_likes() {
    let client = supplier();
    let id = bought(&client, "SO-1").await.order_id;
    let event =
        |text: &str| json!({"action": "tracking_event", "order_id": id.to_string(), "text": text});
    assert_eq!(
        control(&client, &event("Too early")).await.0,
        StatusCode::CONFLICT
    );
    client.aliexpress.ship(id, 1).unwrap();
    for text in ["Delivered to a neighbour at number 14", ""] {
        client.advance_s(60);
        act(&client, event(text)).await;
    }
    let events = events(&client, id).await;
    assert_eq!(events.len(), 3);
    assert!(
        events[0].get("tracking_detail_desc").is_none(),
        "some events have a name alone"
    );
    assert_eq!(
        events[1]["tracking_detail_desc"],
        "Delivered to a neighbour at number 14"
    );
    assert_eq!(events[1]["tracking_name"], "Shipping update");
    assert_eq!(
        events[1]["time_stamp"].as_i64(),
        Some(client.clock_ms() - 60_000)
    );
    for (text, _) in CARRIER_TEXTS {
        act(&client, event(text)).await;
        let latest = self::events(&client, id).await.remove(0);
        let shown = latest.get("tracking_detail_desc").and_then(Value::as_str);
        assert_eq!(shown.unwrap_or_default(), text);
    }
    assert_eq!(
        order(&client, id).await["order_status"],
        "WAIT_BUYER_ACCEPT_GOODS"
    );
}

#[tokio::test]
async fn a_parcel_that_is_refused_comes_back_and_is_never_delivered() {
    let client = supplier();
    client
        .aliexpress
        .change_settings(json!({ "delivers_after_ms": 3_600_000 }))
        .unwrap();
    let id = bought(&client, "SO-1").await.order_id;
    let on = |action: &str| json!({"action": action, "order_id": id.to_string()});
    assert_eq!(
        control(&client, &on("return_parcel")).await.0,
        StatusCode::CONFLICT
    );
    client.aliexpress.ship(id, 1).unwrap();
    act(&client, on("refuse_parcel")).await;
    let latest = events(&client, id).await.remove(0);
    assert_eq!(latest["tracking_name"], "Delivery update");
    assert_eq!(
        latest["tracking_detail_desc"],
        "Delivery attempt unsuccessful.Refused by the recipient"
    );
    client.advance_s(60);
    act(&client, on("return_parcel")).await;
    let latest = events(&client, id).await.remove(0);
    // The word is there, and yet the customer has nothing.
    assert_eq!(
        latest["tracking_detail_desc"],
        "Return parcel delivered to the sender."
    );
    client.advance_s(7_200);
    let shown = order(&client, id).await;
    assert_eq!(shown["order_status"], "WAIT_BUYER_ACCEPT_GOODS");
    assert_eq!(shown["logistics_status"], "SELLER_SEND_GOODS");
    let view = client.aliexpress.order(id).unwrap();
    assert_eq!(view.status, OrderStatus::WaitBuyerAcceptGoods);
    let parcel = &view.parcels[0];
    assert!(parcel.refused_at.is_some() && parcel.returned_at.is_some());
    assert_eq!(parcel.delivered_at, None);
    for action in ["return_parcel", "refuse_parcel"] {
        assert_eq!(control(&client, &on(action)).await.0, StatusCode::CONFLICT);
    }
}

#[tokio::test]
async fn calls_take_their_time() {
    let client = supplier();
    client
        .aliexpress
        .act_as_supplier(&SupplierAction::SlowCalls { takes_ms: 9_000 })
        .unwrap();
    let takes = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = client.aliexpress.router().oneshot(request).await.unwrap();
        let takes = response.extensions().get::<Takes>().copied();
        takes.map(|takes| takes.0.as_millis())
    };
    assert_eq!(
        takes("/sync?method=aliexpress.ds.order.create").await,
        Some(9_000)
    );
    assert_eq!(
        takes("/sync?method=aliexpress.ds.product.get").await,
        Some(9_000)
    );
    assert_eq!(
        takes("/sync?method=aliexpress.solution.order.get").await,
        None
    );
    assert_eq!(takes("/rest/auth/token/refresh").await, None);
}

#[tokio::test]
async fn a_consent_ends_and_its_last_tokens_say_when() {
    let mut client = supplier();
    act(&client, json!({"action": "end_consent", "in_s": 600})).await;
    let renewed = client
        .refresh(defaults::ALIEXPRESS_REFRESH_TOKEN)
        .await
        .json();
    assert_eq!(renewed["refresh_expires_in"], 600);
    assert_eq!(
        renewed["refresh_token_valid_time"].as_i64(),
        Some(client.clock_ms() + 600_000)
    );
    assert_eq!(renewed["expires_in"], 600, "no token outlives it");
    client.token = renewed["access_token"].as_str().unwrap().to_owned();
    client.advance_s(599);
    assert!(is_true(
        &client.create("SO-1", &[CUP], true).await["is_success"]
    ));
    client.advance_s(1);
    let got = client.create_call("SO-2", &[CUP], true).await.json();
    assert_eq!(error_code(&got), "IllegalAccessToken");
    let refresh = renewed["refresh_token"].as_str().unwrap();
    assert_eq!(
        client.refresh(refresh).await.json()["code"],
        "IllegalRefreshToken"
    );
    // A person consents again.
    let mut all = client.common();
    all.push(("code".to_owned(), client.aliexpress.consent()));
    let again = client
        .send("/rest/auth/token/create", "/auth/token/create", all)
        .await
        .json();
    assert_eq!(again["refresh_expires_in"], 172_800);
    assert_eq!(again["expires_in"], 86_400);
}

#[tokio::test]
async fn the_answer_to_an_order_stands_under_the_name_that_was_chosen() {
    let client = supplier();
    for (name, key) in [
        (
            "method_response",
            Some("aliexpress_ds_order_create_response"),
        ),
        (
            "placeorder_response",
            Some("aliexpress_trade_buy_placeorder_response"),
        ),
        ("method", Some("aliexpress_ds_order_create")),
        ("bare", None),
    ] {
        client
            .aliexpress
            .change_settings(json!({ "order_create_root": name }))
            .unwrap();
        let got = client
            .create_call(&format!("SO-{name}"), &[CUP], true)
            .await
            .json();
        let root = key.map_or(&got, |key| &got[key]);
        assert!(is_true(&root["result"]["is_success"]), "{got}");
        assert!(root["request_id"].is_string());
        let keys = got.as_object().unwrap().len();
        assert_eq!(keys, if key.is_some() { 1 } else { 2 });
        // Every other call keeps its own.
        let id = client.aliexpress.orders()[0].order_id;
        assert!(order(&client, id).await.is_object());
    }
    assert_eq!(OrderCreateRoot::default(), OrderCreateRoot::MethodResponse);
}
