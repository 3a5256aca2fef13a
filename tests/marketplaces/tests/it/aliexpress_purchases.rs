//! AliExpress's purchases: references, stores, payment, tracking.

use crate::common::AliClient;
use crate::common::CUP;
use crate::common::LID;
use crate::common::error_code;
use crate::common::is_true;
use crate::common::shop;
use crate::common::stocked;
use crate::common::us_address;
use http::StatusCode;
use kervan_marketplaces::Fault;
use kervan_marketplaces::Money;
use kervan_marketplaces::RateLimit;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::aliexpress::AliExpressOperation as Operation;
use kervan_marketplaces::aliexpress::NewProduct;
use kervan_marketplaces::aliexpress::NewSku;
use kervan_marketplaces::aliexpress::OrderStatus;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn a_repeated_reference_buys_once_within_a_day_and_again_after_it() {
    let client = shop();
    let first = client.create("SO-1", &[CUP], false).await;
    assert!(is_true(&first["is_success"]));
    let again = client.create("SO-1", &[CUP], false).await;
    assert_eq!(again["error_code"], "REPEATED_ORDER_ERROR");
    assert!(again.get("order_list").is_none());
    let mut settings = client.aliexpress.settings();
    settings.repeat_answers_first_ids = true;
    settings.access_token_s = 10_000_000;
    client.aliexpress.set_settings(settings);
    assert_eq!(
        client.create("SO-1", &[CUP], false).await["order_list"],
        first["order_list"]
    );
    client.advance_s(86_300);
    assert_eq!(
        client.create("SO-1", &[CUP], false).await["order_list"],
        first["order_list"]
    );
    assert_eq!(
        client.aliexpress.counters().purchases_by_out_order_id["SO-1"],
        1
    );
    let mut client = client;
    let fresh = client
        .refresh(defaults::ALIEXPRESS_REFRESH_TOKEN)
        .await
        .json();
    client.token = fresh["access_token"].as_str().unwrap().to_owned();
    client.advance_s(100);
    assert!(is_true(
        &client.create("SO-1", &[CUP], false).await["is_success"]
    ));
    assert_eq!(
        client.aliexpress.counters().purchases_by_out_order_id["SO-1"],
        2
    );
}

#[tokio::test]
async fn a_timeout_after_the_effect_has_bought_and_one_before_it_has_not() {
    let client = shop();
    client
        .aliexpress
        .fail_next(Operation::OrderCreate, Fault::TimeoutBefore, 1);
    let lost = client.create_call("SO-1", &[CUP], false).await;
    assert_eq!(lost.wire, Some(WireFault::Hang));
    assert!(client.aliexpress.orders().is_empty());
    client
        .aliexpress
        .fail_next(Operation::OrderCreate, Fault::TimeoutAfter, 1);
    let lost = client.create_call("SO-1", &[CUP], false).await;
    assert_eq!(lost.wire, Some(WireFault::Hang));
    assert_eq!(client.aliexpress.orders().len(), 1);
    assert_eq!(client.aliexpress.stock(CUP, CUP * 10 + 1), Some(9));
    assert_eq!(
        client.create("SO-1", &[CUP], false).await["error_code"],
        "REPEATED_ORDER_ERROR"
    );
    client
        .aliexpress
        .fail_next(Operation::OrderCreate, Fault::ServerErrorAfter, 1);
    let lost = client.create_call("SO-2", &[CUP], false).await.json();
    assert_eq!(
        lost["error_response"]["sub_code"],
        "isp.service-unavailable"
    );
    assert_eq!(client.aliexpress.orders().len(), 2);
}

#[tokio::test]
async fn lines_of_two_stores_become_two_orders_of_one_purchase() {
    let client = shop();
    let made = client.create("SO-1", &[CUP, LID], true).await;
    let ids = made["order_list"]["number"].as_array().unwrap().clone();
    assert_eq!(ids.len(), 2);
    let orders = client.aliexpress.orders();
    assert!(orders.iter().all(|order| order.purchase == 1));
    assert!(
        orders
            .iter()
            .all(|order| order.status == OrderStatus::WaitSellerSendGoods)
    );
    assert_eq!(
        client.aliexpress.counters().purchases_by_out_order_id["SO-1"],
        1
    );
    let cup = orders.iter().find(|order| order.store_id == 11).unwrap();
    assert_eq!(cup.cost, Money::usd(500 + 199));
}

#[tokio::test]
async fn payment_on_the_site_by_key_or_failed() {
    let client = shop();
    client.create("SO-1", &[CUP], false).await;
    let id = client.aliexpress.orders()[0].order_id;
    client.advance_s(1);
    let shown = client.order(id).await;
    let result = &shown["aliexpress_trade_ds_order_get_response"]["result"];
    assert_eq!(result["order_status"], "PLACE_ORDER_SUCCESS");
    client.aliexpress.pay(id).unwrap();
    assert!(client.aliexpress.pay(id).is_err());
    let mut settings = client.aliexpress.settings();
    settings.auto_pay_fails = true;
    client.aliexpress.set_settings(settings);
    let unpaid = client.create("SO-2", &[CUP], true).await;
    assert!(is_true(&unpaid["is_success"]));
    assert_eq!(unpaid["error_msg"], "OrderCreated, autoPay fail:APIPayFail");
    assert_eq!(
        client.aliexpress.orders()[1].status,
        OrderStatus::PlaceOrderSuccess
    );
}

#[tokio::test]
async fn an_unpaid_order_closes_and_its_goods_go_back() {
    let client = shop();
    client.create("SO-1", &[CUP], false).await;
    client.advance_s(86_399);
    assert_eq!(
        client.aliexpress.orders()[0].status,
        OrderStatus::PlaceOrderSuccess
    );
    client.advance_s(1);
    let order = client.aliexpress.orders()[0].clone();
    assert_eq!(order.status, OrderStatus::Finish);
    assert!(order.end_reason.is_some());
    assert_eq!(client.aliexpress.stock(CUP, CUP * 10 + 1), Some(10));
}

#[tokio::test]
async fn an_order_is_shown_late_shipped_in_two_parcels_and_delivered() {
    let client = shop();
    let items = json!([{ "product_id": CUP, "product_count": 3, "logistics_service_name": "CAINIAO_STANDARD" }]);
    let order = json!({ "out_order_id": "SO-1", "logistics_address": us_address(), "product_items": items });
    let params = [
        (
            "param_place_order_request4_open_api_d_t_o",
            order.to_string(),
        ),
        (
            "ds_extend_request",
            json!({ "payment": { "try_to_pay": "true" } }).to_string(),
        ),
    ];
    client.business("aliexpress.ds.order.create", &params).await;
    let id = client.aliexpress.orders()[0].order_id;
    assert_eq!(
        client.order(id).await["error_response"]["sub_code"],
        "isv.insufficient-permission"
    );
    client.advance_s(1);
    assert!(client.order(id).await.get("error_response").is_none());
    let tracking = [
        ("ae_order_id", id.to_string()),
        ("language", "en_US".to_owned()),
    ];
    let method = "aliexpress.ds.order.tracking.get";
    let result = |body: Value| body["aliexpress_ds_order_tracking_get_response"]["result"].clone();
    let none = result(client.business(method, &tracking).await.json());
    assert_eq!(none["code"], "1001");
    client.aliexpress.ship(id, 2).unwrap();
    let sent = result(client.business(method, &tracking).await.json());
    let parcels = sent["data"]["tracking_detail_line_list"]["tracking_detail"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(parcels.len(), 2);
    let units: u64 = parcels
        .iter()
        .map(|parcel| {
            parcel["package_item_list"]["package_item"][0]["quantity"]
                .as_u64()
                .unwrap()
        })
        .sum();
    assert_eq!(units, 3);
    client.aliexpress.deliver(id).unwrap();
    let shown = client.order(id).await["aliexpress_trade_ds_order_get_response"]["result"].clone();
    assert_eq!(shown["order_status"], "FINISH");
    assert_eq!(shown["logistics_status"], "BUYER_ACCEPT_GOODS");
    assert_eq!(
        shown["logistics_info_list"]["aeop_order_logistics_info"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test]
async fn an_order_lives_by_itself_when_told_to() {
    let client = stocked(AliClient::with(|config| {
        config.settings.merchant_pays_after_ms = Some(1_000);
        config.settings.ships_after_ms = Some(2_000);
        config.settings.delivers_after_ms = Some(3_000);
    }));
    client.create("SO-1", &[CUP], false).await;
    client.advance_s(100);
    let order = client.aliexpress.orders()[0].clone();
    assert_eq!(order.status, OrderStatus::Finish);
    let arrived = order.parcels[0].delivered_at.unwrap();
    assert_eq!(arrived.as_second() - order.created_at.as_second(), 6);
}

#[tokio::test]
async fn business_refusals_come_with_status_200_and_buy_nothing() {
    let client = shop();
    client.aliexpress.set_stock(LID, LID * 10 + 1, 0).unwrap();
    assert_eq!(
        client.create("SO-1", &[CUP, LID], false).await["error_code"],
        "INVENTORY_HOLD_ERROR"
    );
    let euro = NewProduct {
        skus: vec![NewSku {
            sku_id: 1,
            sku_attr: "14:1#Red".to_owned(),
            price: Money::new(100, "EUR"),
            stock: 5,
        }],
        ..NewProduct::simple(77, 11, Money::usd(1), 1)
    };
    client.aliexpress.add_product(euro).unwrap();
    let code = |items: Value, address: Value| {
        let order =
            json!({ "out_order_id": "SO-2", "logistics_address": address, "product_items": items });
        let params = [(
            "param_place_order_request4_open_api_d_t_o",
            order.to_string(),
        )];
        let client = &client;
        async move {
            let got = client.business("aliexpress.ds.order.create", &params).await;
            assert_eq!(got.status, StatusCode::OK);
            got.json()["aliexpress_ds_order_create_response"]["result"]["error_code"].clone()
        }
    };
    let cup = json!({ "product_id": CUP, "product_count": 1 });
    let red = json!({ "product_id": 77, "product_count": 1, "sku_attr": "14:1" });
    assert_eq!(
        code(json!([cup, red]), us_address()).await,
        "PRICE_PAY_CURRENCY_ERROR"
    );
    let by_air =
        json!([{ "product_id": CUP, "product_count": 1, "logistics_service_name": "AIR" }]);
    assert_eq!(
        code(by_air, us_address()).await,
        "DELIVERY_METHOD_NOT_EXIST"
    );
    let mut short = us_address();
    short["province"] = json!("NJ");
    let refused = code(json!([cup]), short).await;
    assert_eq!(refused, "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL");
    assert!(client.aliexpress.orders().is_empty());
    assert_eq!(client.aliexpress.stock(CUP, CUP * 10 + 1), Some(10));
    assert_eq!(client.aliexpress.counters().refused_out_of_stock, 1);
}

#[tokio::test]
async fn a_ban_of_a_second_is_an_api_call_limit() {
    let client = shop();
    let limit = RateLimit {
        calls: 1,
        per_ms: 1_000,
    };
    client
        .aliexpress
        .set_rate_limit(Operation::OrderCreate, Some(limit));
    client.create("SO-1", &[CUP], false).await;
    let banned = client.create_call("SO-2", &[CUP], false).await;
    assert_eq!(banned.status, StatusCode::OK);
    assert_eq!(error_code(&banned.json()), "ApiCallLimit");
    client.advance_s(1);
    assert!(is_true(
        &client.create("SO-2", &[CUP], false).await["is_success"]
    ));
}

#[tokio::test]
async fn freight_is_quoted_in_decimals_and_refused_where_nothing_is_sent() {
    let client = shop();
    let mut query = json!({
        "quantity": "1", "shipToCountry": "US", "productId": CUP.to_string(),
        "selectedSkuId": (CUP * 10 + 1).to_string(), "language": "en_US", "locale": "en_US", "currency": "USD",
    });
    let method = "aliexpress.ds.freight.query";
    let ask = |query: &Value| [("queryDeliveryReq", query.to_string())];
    let got = client.business(method, &ask(&query)).await.json();
    let result = &got["aliexpress_ds_freight_query_response"]["result"];
    let option = &result["delivery_options"]["delivery_option_d_t_o"][0];
    assert_eq!(option["shipping_fee_cent"], "1.99");
    query["quantity"] = json!(11);
    let got = client.business(method, &ask(&query)).await.json();
    let result = &got["aliexpress_ds_freight_query_response"]["result"];
    assert_eq!(result["msg"], "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS");
}

#[tokio::test]
async fn some_order_ids_are_beyond_what_a_double_holds() {
    let client = stocked(AliClient::with(|config| {
        config.settings.mixed_types = false
    }));
    for number in 0..10 {
        client.create(&format!("SO-{number}"), &[CUP], false).await;
    }
    let ids: Vec<u64> = client
        .aliexpress
        .orders()
        .iter()
        .map(|order| order.order_id)
        .collect();
    assert!(ids.iter().any(|id| *id > 1 << 53));
    assert!(ids.iter().any(|id| *id < 1 << 53));
}
