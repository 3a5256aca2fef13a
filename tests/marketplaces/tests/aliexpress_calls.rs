//! AliExpress's calls: signatures, tokens, purchases, tracking.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod common;

use common::AliClient;
use common::is_true;
use common::us_address;
use http::StatusCode;
use kervan_marketplaces::Fault;
use kervan_marketplaces::Money;
use kervan_marketplaces::RateLimit;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::aliexpress::AliExpressOperation as Operation;
use kervan_marketplaces::aliexpress::NewProduct;
use kervan_marketplaces::aliexpress::NewSku;
use kervan_marketplaces::aliexpress::OrderStatus;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

const CUP: u64 = 1_005_001;
const LID: u64 = 1_005_002;

fn shop() -> AliClient {
    stocked(AliClient::new())
}

fn stocked(client: AliClient) -> AliClient {
    client
        .aliexpress
        .add_product(NewProduct::simple(CUP, 11, Money::usd(500), 10))
        .unwrap();
    client
        .aliexpress
        .add_product(NewProduct::simple(LID, 22, Money::usd(300), 10))
        .unwrap();
    client
}

fn error_code(body: &Value) -> &str {
    body["error_response"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_wrong_signature_key_token_or_time_is_refused() {
    let client = shop();
    let mut params = client.common();
    params.push(("method".to_owned(), "aliexpress.ds.product.get".to_owned()));
    let forged = client
        .send_signed("/sync", params.clone(), &"0".repeat(64))
        .await
        .json();
    assert_eq!(error_code(&forged), "IncompleteSignature");
    assert_eq!(
        error_code(&client.send("/sync", "", params.clone()).await.json()),
        "IllegalAccessToken"
    );
    let mut old = params.clone();
    old[2].1 = (client.clock_ms() - 7_201_000).to_string();
    assert_eq!(
        error_code(&client.send("/sync", "", old).await.json()),
        "IllegalTimestamp"
    );
    let mut other = params.clone();
    other[0].1 = "1".to_owned();
    assert_eq!(
        error_code(&client.send("/sync", "", other).await.json()),
        "InvalidAppkey"
    );
    let mut xml = params;
    xml.push(("format".to_owned(), "xml".to_owned()));
    assert_eq!(
        error_code(&client.send("/sync", "", xml).await.json()),
        "InvalidFormat"
    );
    assert_eq!(client.aliexpress.counters().bad_signatures, 1);
}

#[tokio::test]
async fn the_old_methods_are_taken_on_sync_with_version_2_only() {
    let client = shop();
    for method in [SignMethod::Md5, SignMethod::HmacMd5] {
        let mut params = client.common();
        params[1].1 = if method == SignMethod::Md5 {
            "md5"
        } else {
            "hmac"
        }
        .to_owned();
        // 12:00 UTC, written as the old gateway wants it.
        params[2].1 = "2026-11-02 20:00:00".to_owned();
        for (name, value) in [
            ("method", "aliexpress.ds.product.get"),
            ("session", defaults::ALIEXPRESS_ACCESS_TOKEN),
            ("product_id", "1005001"),
            ("ship_to_country", "US"),
        ] {
            params.push((name.to_owned(), value.to_owned()));
        }
        let secret = defaults::ALIEXPRESS_APP_SECRET;
        let signature = sign(method, secret, "", &params);
        let refused = client
            .send_signed("/sync", params.clone(), &signature)
            .await
            .json();
        assert_eq!(error_code(&refused), "isv.invalid-parameter");
        params.push(("v".to_owned(), "2.0".to_owned()));
        let signature = sign(method, secret, "", &params);
        let taken = client.send_signed("/sync", params, &signature).await.json();
        assert!(
            taken.get("aliexpress_ds_product_get_response").is_some(),
            "{taken}"
        );
    }
}

#[tokio::test]
async fn lists_are_wrapped_unless_simplified() {
    let client = shop();
    let product = [
        ("product_id", CUP.to_string()),
        ("ship_to_country", "US".to_owned()),
    ];
    let method = "aliexpress.ds.product.get";
    let wrapped = client.business(method, &product).await.json();
    let list = &wrapped["aliexpress_ds_product_get_response"]["result"]["ae_item_sku_info_dtos"];
    assert!(list["ae_item_sku_info_d_t_o"].is_array());
    let mut simple = product.to_vec();
    simple.push(("simplify", "true".to_owned()));
    let bare = client.business(method, &simple).await.json();
    let list = &bare["aliexpress_ds_product_get_response"]["result"]["ae_item_sku_info_dtos"];
    assert_eq!(list[0]["offer_sale_price"], "5.00");
}

#[tokio::test]
async fn a_refresh_replaces_both_tokens_and_a_second_refresher_is_counted() {
    let mut client = shop();
    let old = defaults::ALIEXPRESS_REFRESH_TOKEN;
    let fresh = client.refresh(old).await.json();
    assert_eq!(fresh["code"], "0");
    let race = client.refresh(old).await.json();
    assert_eq!(race["code"], "IllegalRefreshToken");
    assert_eq!(client.aliexpress.counters().refresh_races, 1);
    client.token = fresh["access_token"].as_str().unwrap().to_owned();
    assert!(is_true(
        &client.create("R1", &[CUP], false).await["is_success"]
    ));
    client.advance_s(86_400);
    assert_eq!(
        error_code(&client.create_call("R2", &[CUP], false).await.json()),
        "IllegalAccessToken"
    );
    // The consent ends two days after it was given, however often it was refreshed.
    client.advance_s(86_400);
    let late = client
        .refresh(fresh["refresh_token"].as_str().unwrap())
        .await
        .json();
    assert_eq!(late["code"], "IllegalRefreshToken");
    assert_eq!(client.aliexpress.counters().refresh_races, 1);
}

#[tokio::test]
async fn a_code_of_the_consent_page_works_once() {
    let client = shop();
    client.aliexpress.revoke_consent();
    assert_eq!(
        error_code(&client.create_call("R1", &[CUP], false).await.json()),
        "IllegalAccessToken"
    );
    let mut params = client.common();
    params.push(("code".to_owned(), client.aliexpress.consent()));
    let (path, prefix) = ("/rest/auth/token/create", "/auth/token/create");
    assert_eq!(
        client.send(path, prefix, params.clone()).await.json()["code"],
        "0"
    );
    assert_eq!(
        client.send(path, prefix, params).await.json()["code"],
        "InvalidCode"
    );
}

#[tokio::test]
async fn a_system_call_through_sync_is_signed_with_its_path_and_answers_under_its_path() {
    let client = shop();
    let mut params = client.common();
    params.push(("method".to_owned(), "/auth/token/refresh".to_owned()));
    params.push((
        "refresh_token".to_owned(),
        defaults::ALIEXPRESS_REFRESH_TOKEN.to_owned(),
    ));
    let got = client
        .send("/sync", "/auth/token/refresh", params)
        .await
        .json();
    assert!(
        got["/auth/token/refresh_response"]["access_token"].is_string(),
        "{got}"
    );
}

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
