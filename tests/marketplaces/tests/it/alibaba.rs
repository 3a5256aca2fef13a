//! Alibaba's two platforms, called in-process and signed by hand: what they refuse, and what they keep to themselves.

use std::time::Duration;

use crate::alibaba_client::CnClient;
use crate::alibaba_client::IcbuClient;
use crate::alibaba_client::SPEC;
use crate::alibaba_client::owned;
use crate::alibaba_client::post;
use crate::alibaba_client::units;
use crate::common::call;
use http::StatusCode;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Fault;
use kervan_marketplaces::PushState;
use kervan_marketplaces::RateLimit;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::alibaba::cn1688::Cn1688Operation;
use kervan_marketplaces::alibaba::cn1688::Cn1688Product;
use kervan_marketplaces::alibaba::cn1688::Cn1688Status;
use kervan_marketplaces::alibaba::icbu::IcbuOperation;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn alibaba_com_refuses_a_wrong_signature_key_time_and_token() {
    let client = IcbuClient::new();
    let path = "/alibaba/order/list";
    let code = async |params: &[(&str, &str)], secret: &str| {
        let got = client.send(path, owned(params), secret).await;
        assert_eq!(got.status, StatusCode::OK, "errors are answered with 200");
        got.json()["code"].as_str().unwrap().to_owned()
    };
    let secret = defaults::ALIBABA_APP_SECRET;
    assert_eq!(
        code(&[("role", "buyer")], "wrong").await,
        "IncompleteSignature"
    );
    assert_eq!(
        code(&[("role", "buyer")], secret).await,
        "IllegalAccessToken"
    );
    assert_eq!(
        code(&[("timestamp", "1")], secret).await,
        "IllegalTimestamp"
    );
    assert_eq!(client.icbu.counters().bad_signatures, 1);
    assert_eq!(client.ask("/nowhere", &[]).await["code"], "InvalidApiPath");
    client.clock.advance(Duration::from_secs(864_001));
    assert_eq!(
        client.ask(path, &[("role", "buyer")]).await["code"],
        "IllegalAccessToken"
    );
}

#[tokio::test]
async fn alibaba_com_checks_an_order_and_places_a_repeat_again() {
    let client = IcbuClient::new();
    let code =
        async |change: fn(&mut Value, &mut Value)| client.order(change).await["code"].clone();
    for (change, expected) in [
        (
            (|goods, _| goods[0]["sku_id"] = json!("9")) as fn(&mut Value, &mut Value),
            "10005",
        ),
        (|goods, _| goods[0]["product_id"] = json!("9"), "130106"),
        (|goods, _| goods[0]["quantity"] = json!("5"), "130703"),
        (
            |goods, _| goods[0]["quantity"] = json!(2),
            "MissingParameter",
        ),
        (
            |_, logistics| logistics["carrier_code"] = json!("BROWSING_EX_ASP_JYC_FEDEX"),
            "4028",
        ),
        (
            |_, logistics| logistics["dispatch_location"] = json!("MX"),
            "10012",
        ),
        (
            |_, logistics| logistics["shipment_address"]["country_code"] = json!("UK"),
            "10010",
        ),
        (
            |_, logistics| logistics["shipment_address"]["city"] = json!(""),
            "MissingParameter",
        ),
    ] {
        assert_eq!(code(change).await, expected);
    }
    let first = client.order(|_, _| ()).await;
    let second = client.order(|_, _| ()).await;
    assert_ne!(first["value"]["trade_id"], second["value"]["trade_id"]);
    assert_eq!(client.icbu.counters().orders_by_reference["SO-1"], 2);
    assert_eq!(code(|_, _| ()).await, "130703", "the four units are gone");
}

#[tokio::test]
async fn alibaba_com_shows_a_new_order_late_and_pages_from_zero() {
    let client = IcbuClient::new();
    let id = client.order(|_, _| ()).await["value"]["trade_id"].clone();
    let get = [("e_trade_id", id.as_str().unwrap())];
    assert_eq!(
        client.ask("/alibaba/order/get", &get).await["code"],
        "ORDER_NOT_FOUND"
    );
    client.clock.advance(Duration::from_secs(1));
    assert_eq!(
        client.ask("/alibaba/order/get", &get).await["value"]["trade_status"],
        "unpay"
    );
    let page = async |number: &str| {
        let params = [
            ("role", "buyer"),
            ("start_page", number),
            ("page_size", "1"),
        ];
        client.ask("/alibaba/order/list", &params).await["value"].clone()
    };
    assert_eq!(page("0").await["total_count"], "1", "numbers are text");
    assert_eq!(page("0").await["order_list"][0]["trade_id"], id);
    assert_eq!(page("1").await["order_list"], json!([]));
}

#[tokio::test]
async fn alibaba_com_fails_on_demand_before_and_after_the_effect() {
    for (fault, orders) in [
        (Fault::Refused, 0),
        (Fault::TooManyRequests, 0),
        (Fault::ServerError, 0),
        (Fault::ServerErrorAfter, 1),
        (Fault::TimeoutAfter, 1),
        (Fault::MalformedBody, 1),
    ] {
        let client = IcbuClient::new();
        client.icbu.fail_next(IcbuOperation::OrderCreate, fault, 1);
        let goods = json!([{ "product_id": "5", "sku_id": "51", "quantity": "1" }]).to_string();
        let logistics = json!({ "shipment_address": { "country": "x", "country_code": "US",
            "city": "x", "address": "x", "contact_person": "x" }, "carrier_code": "EX_ASP_JYC_FEDEX" });
        let params = owned(&[
            ("access_token", defaults::ALIBABA_ACCESS_TOKEN),
            ("channel_refer_id", "SO-1"),
            ("product_list", &goods),
            ("logistics_detail", &logistics.to_string()),
        ]);
        let got = client
            .send("/buynow/order/create", params, defaults::ALIBABA_APP_SECRET)
            .await;
        let wire = match fault {
            Fault::Refused => Some(WireFault::Refused),
            Fault::TimeoutAfter => Some(WireFault::Hang),
            _ => None,
        };
        assert_eq!(got.wire, wire, "{fault:?}");
        assert_eq!(client.icbu.counters().orders, orders, "{fault:?}");
        let is_good =
            serde_json::from_slice::<Value>(&got.body).is_ok_and(|body| body["code"] == "0");
        assert!(!is_good, "{fault:?}");
    }
}

#[tokio::test]
async fn alibaba_com_limits_calls_and_words_errors_in_xml() {
    let client = IcbuClient::new();
    let limit = RateLimit {
        calls: 1,
        per_ms: 1_000,
    };
    client
        .icbu
        .set_rate_limit(IcbuOperation::OrderList, Some(limit));
    let list = [("role", "buyer")];
    assert_eq!(client.ask("/alibaba/order/list", &list).await["code"], "0");
    assert_eq!(
        client.ask("/alibaba/order/list", &list).await["code"],
        "ApiCallLimit"
    );
    let mut settings = client.icbu.settings();
    settings.errors_in_xml = true;
    client.icbu.set_settings(settings);
    let got = client
        .send("/alibaba/order/list", owned(&list), "wrong")
        .await;
    let text = String::from_utf8(got.body.to_vec()).unwrap();
    assert!(
        text.contains("<error_response><code>IncompleteSignature</code>"),
        "{text}"
    );
}

#[tokio::test]
async fn the_gateway_of_1688_refuses_with_status_400_and_a_dead_token_with_401() {
    let client = CnClient::new();
    let api = "param2/1/com.alibaba.trade/alibaba.trade.getBuyerOrderList";
    let of = async |path: String, params: &[(&str, &str)], secret: &str| {
        let got = client.send(&path, owned(params), secret).await;
        (
            got.status.as_u16(),
            got.json()["error_code"].as_str().unwrap().to_owned(),
        )
    };
    let (key, secret) = (defaults::CN1688_APP_KEY, defaults::CN1688_APP_SECRET);
    let token = ("access_token", defaults::CN1688_ACCESS_TOKEN);
    let expected = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        of(format!("{api}/{key}"), &[token], "no").await,
        expected(400, "gw.SignatureInvalid")
    );
    assert_eq!(
        of(format!("{api}/77"), &[token], secret).await,
        expected(400, "gw.AppKeyNotFound")
    );
    assert_eq!(
        of(format!("{api}s/{key}"), &[token], secret).await,
        expected(400, "gw.APIUnsupported")
    );
    assert_eq!(
        of(format!("{api}/{key}"), &[], secret).await,
        expected(401, "401")
    );
    let unsigned = post(&format!("/openapi/{api}/{key}"), &owned(&[token]));
    let got = call(client.cn1688.router(), unsigned).await;
    assert_eq!(got.json()["error_code"], "gw.SignatureMissing");
    let limit = RateLimit {
        calls: 0,
        per_ms: 1_000,
    };
    client
        .cn1688
        .set_rate_limit(Cn1688Operation::OrderList, Some(limit));
    assert_eq!(
        of(format!("{api}/{key}"), &[token], secret).await,
        expected(400, "gw.QosAppFrequencyLimit")
    );
}

#[tokio::test]
async fn an_order_at_1688_is_checked_split_and_repeated() {
    let client = CnClient::new();
    let other = Cn1688Product::simple(6, "seller-2", SPEC, 100, 9);
    let apart = Cn1688Product {
        part: 1,
        ..Cn1688Product::simple(7, "seller-1", SPEC, 100, 9)
    };
    let many = Cn1688Product {
        min_order: 3,
        ..Cn1688Product::simple(8, "seller-1", SPEC, 100, 9)
    };
    for product in [other, apart, many] {
        client.cn1688.add_product(product).unwrap();
    }
    let line = |offer: u64| json!({ "offerId": offer, "specId": SPEC, "quantity": 1 });
    for (cargo, code) in [
        (units(10), "500_004"),
        (json!([line(5), line(6)]), "500_002"),
        (json!([line(8)]), "500_005"),
        (json!([line(99)]), "500_001"),
        (
            json!([{ "offerId": 5, "specId": "00", "quantity": 1 }]),
            "500_003",
        ),
        (Value::from(vec![line(5); 51]), "500_002"),
    ] {
        let answer = client.order(cargo, &[]).await;
        assert_eq!(
            (&answer["success"], &answer["code"]),
            (&json!(false), &json!(code))
        );
    }
    let wrong = client.order(units(1), &[("tradeType", "bank")]).await;
    assert_eq!(wrong["code"], "not support tradeType:【bank】");
    let split = client
        .order(json!([line(5), line(7)]), &[("outOrderId", "SO-1")])
        .await;
    assert_eq!(split["result"]["orderList"].as_array().unwrap().len(), 2);
    assert!(split["result"].get("orderId").is_none());
    let again = client.order(units(1), &[("outOrderId", "SO-1")]).await;
    assert_eq!(
        again["result"]["totalSuccessAmount"], 2_605,
        "fen, with the carriage"
    );
    assert_eq!(
        client.cn1688.counters().purchases_by_out_order_id["SO-1"],
        2
    );
}

#[tokio::test]
async fn an_order_at_1688_is_cancelled_only_unpaid_and_not_in_its_first_seconds() {
    let client = CnClient::new();
    let order = client.order(units(1), &[]).await["result"]["orderId"].clone();
    let id = order.as_str().unwrap();
    let cancel = async || {
        let params = [
            ("webSite", "1688"),
            ("tradeID", id),
            ("cancelReason", "other"),
        ];
        client
            .ask("com.alibaba.trade/alibaba.trade.cancel", &params)
            .await
    };
    assert_eq!(cancel().await["errorCode"], "CLOSE_ORDER_TOO_FAST");
    client.clock.advance(Duration::from_secs(11));
    client.cn1688.pay(id.parse().unwrap()).unwrap();
    assert_eq!(cancel().await["errorCode"], "ORDER_STATUS_ERROR");
    client
        .cn1688
        .set_status(id.parse().unwrap(), Cn1688Status::WaitBuyerPay)
        .unwrap();
    assert_eq!(cancel().await["success"], true);
    let params = [("webSite", "1688"), ("orderId", id)];
    let read = client
        .ask("com.alibaba.trade/alibaba.trade.get.buyerView", &params)
        .await;
    let base = &read["result"]["baseInfo"];
    assert_eq!(
        (&base["idOfStr"], &base["status"]),
        (&order, &json!("cancel"))
    );
    assert_ne!(
        base["id"].to_string(),
        id,
        "the number lost its last digits"
    );
}

#[tokio::test]
async fn a_message_is_tried_three_times_and_then_kept_for_a_week() {
    let client = CnClient::new();
    let mut settings = client.cn1688.settings();
    settings.push_url = Some("http://127.0.0.1:9/".to_owned());
    client.cn1688.set_settings(settings);
    client.order(units(1), &[]).await;
    for _ in 0..3 {
        let pushes = client.cn1688.take_due_pushes(client.clock.now());
        assert_eq!(pushes.len(), 1);
        assert!(pushes[0].body.starts_with(b"message=%7B"));
        client.cn1688.push_answered(pushes[0].id, Some(500));
        client.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(client.cn1688.pushes()[0].state, PushState::GivenUp);
    let missed = async || {
        let params = [("page", "1"), ("pageSize", "20")];
        client
            .ask("cn.alibaba.open/push.query.messageList", &params)
            .await["pushMessagePage"]
            .clone()
    };
    let page = missed().await;
    assert_eq!(page["totalCount"], 1);
    let id = format!("[{}]", page["datas"][0]["msgId"]);
    let confirm = "cn.alibaba.open/push.message.confirm";
    assert_eq!(
        client.ask(confirm, &[("msgIdList", &id)]).await["isSuccess"],
        true
    );
    assert_eq!(missed().await["totalCount"], 0);
    let bad = client
        .ask(
            "cn.alibaba.open/push.query.messageList",
            &[("pageSize", "10")],
        )
        .await;
    assert_eq!(bad["error_code"], "gw.ParamMissing", "a page has 20 to 200");
}
