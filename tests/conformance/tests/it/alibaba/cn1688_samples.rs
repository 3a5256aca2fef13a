//! Every sample of 1688's operations through the roles.

use crate::alibaba::common::{
    APP_SECRET, Gateway, NOW_S, account, buyer_in_china, cn1688_secret, contract, folder,
    of_gateway, offer, place, plain_line, quote, reference, sample,
};
use bytes::Bytes;
use http::HeaderMap;
use kervan::{
    clock::ManualClock,
    domain::{SignalKind, SupplierOrderId},
    marketplaces::{Account, CallError, Effect, Kind, Placed, Retry, SupplierState, Unverified},
};
use kervan_marketplaces::alibaba::cn1688::signature::message_signature;
use serde_json::{Value, json};
use std::sync::Arc;

/// Samples that tests here decode.
pub(crate) const DECODED: [&str; 12] = [
    "createCrossOrder.account_period",
    "createCrossOrder.address_error",
    "createCrossOrder.success_flag_mixed",
    "createOrder.preview",
    "errors",
    "fastCreateOrder.success",
    "get.buyerView.reduced",
    "getLogisticsInfos.buyerView",
    "getLogisticsTraceInfo.buyerView",
    "product.search.queryProductDetail",
    "push.query.messageList",
    "token",
];
/// Samples of operations that are not used.
const OTHERS: [&str; 3] = ["alipay.url.get", "cancel", "cancel.too_fast"];
/// Messages, each with the order that it is about; none where it is about products.
pub(crate) const MESSAGES: [(&str, Option<&str>); 7] = [
    ("LOGISTICS_BUYER_VIEW_TRACE", Some("2938624554509662976")),
    ("LOGISTICS_MAIL_NO_CHANGE", Some("2958424554509662976")),
    ("ORDER_BATCH_PAY", Some("558880835194545941")),
    (
        "ORDER_BUYER_VIEW_ANNOUNCE_SENDGOODS",
        Some("167539019420540000"),
    ),
    ("ORDER_BUYER_VIEW_ORDER_PAY", Some("167539019420540000")),
    ("PRODUCT_PRODUCT_INVENTORY_CHANGE", None),
    ("PRODUCT_RELATION_VIEW_PRODUCT_EXPIRE", None),
];

const SPEC: &str = "eb81c61de14f4adb405ffcc2c8a4a3fb";
const PREVIEW: &str = "alibaba.createOrder.preview";
const CREATE: &str = "alibaba.trade.createCrossOrder";
const ORDER: &str = "alibaba.trade.get.buyerView";
const LIST: &str = "alibaba.trade.getBuyerOrderList";
const LOGISTICS: &str = "alibaba.trade.getLogisticsInfos.buyerView";
const TRACE: &str = "alibaba.trade.getLogisticsTraceInfo.buyerView";
const DETAIL: &str = "product.search.queryProductDetail";

fn body(name: &str) -> Option<Value> {
    sample(&format!("1688/samples/{name}.json"))
}

fn saying(answers: &[(&'static str, &Value)]) -> Arc<dyn Account> {
    let gateway = answers
        .iter()
        .fold(Gateway::new(), |gateway, (operation, body)| {
            gateway.saying(operation, (*body).clone())
        });
    of_gateway(&cn1688_secret(), &Arc::new(gateway))
}

/// Places an order that is previewed as the sample shows and answered so.
async fn placed(answer: &Value) -> Result<Placed, CallError> {
    let account = saying(&[
        (PREVIEW, &body("createOrder.preview").unwrap()),
        (CREATE, answer),
    ]);
    let lines = [plain_line(
        offer(548_818_919_805_u64, SPEC),
        2,
        "CNY",
        "nzassure",
    )];
    place(&account, &lines, &buyer_in_china()).await
}

#[test]
fn every_sample_and_message_is_decoded_or_known_to_be_of_no_use() {
    let Some(folder) = folder() else {
        return;
    };
    let folder = folder.join("1688");
    for (part, known) in [
        ("samples", [&DECODED[..], &OTHERS].concat()),
        ("messages", MESSAGES.map(|(name, _)| name).to_vec()),
    ] {
        for entry in std::fs::read_dir(folder.join(part)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = name.strip_suffix(".json").unwrap();
            assert!(known.contains(&name), "{name} is new");
        }
    }
}

#[tokio::test]
async fn a_preview_is_in_fen_and_a_product_in_yuan() {
    let Some((preview, detail)) =
        body("createOrder.preview").zip(body("product.search.queryProductDetail"))
    else {
        return;
    };
    let variant = "2b36920d5139fd431a2030090d1e2599";
    let goods = offer(34_513_534_353_434_u64, variant);
    let account = saying(&[(PREVIEW, &preview), (DETAIL, &detail)]);
    let terms = quote(&account, goods.clone(), 2, "CN").await.unwrap();
    let terms = &terms.lines[0];
    assert_eq!(terms.unit_cost.to_string(), "18.00 CNY");
    assert_eq!(terms.shipping.to_string(), "8.00 CNY");
    assert_eq!(
        (terms.shipping_option.as_str(), terms.stock),
        ("nzassure", 123)
    );
    let stock = account.read_stock().unwrap();
    let seen = stock.stock(&[goods], &"CN".parse().unwrap()).await.unwrap();
    let evidence = seen[0].as_ref().unwrap().as_ref().unwrap();
    assert_eq!(
        (evidence.stock, evidence.cost.to_string().as_str()),
        (123, "18.00 CNY")
    );
}

#[tokio::test]
async fn a_number_is_an_order_whatever_the_flags_say() {
    let Some(mixed) = body("createCrossOrder.success_flag_mixed") else {
        return;
    };
    for (sample, id) in [
        (mixed, "87407346014789305"),
        (
            body("createCrossOrder.account_period").unwrap(),
            "87407346015789305",
        ),
    ] {
        // The page prints the inner object alone.
        for outer in [
            json!({"result": sample, "success": false}),
            json!({"result": sample, "success": true}),
            json!({"result": sample}),
        ] {
            assert_eq!(
                placed(&outer).await.unwrap().supplier_orders[0].as_str(),
                id
            );
        }
    }
    let fast = placed(&body("fastCreateOrder.success").unwrap())
        .await
        .unwrap();
    assert_eq!(fast.supplier_orders[0].as_str(), "58218860983545941");
    let split = json!({"success": true, "result": {"success": true, "orderList": [
        {"orderId": "105581756010628640", "orderAmmount": 4_848_000},
        {"orderId": 105_637_283_010_628_640_u64}]}});
    let ids: Vec<_> = placed(&split).await.unwrap().supplier_orders;
    let ids: Vec<_> = ids.iter().map(SupplierOrderId::as_str).collect();
    assert_eq!(ids, ["105581756010628640", "105637283010628640"]);
    let partly = json!({"success": true, "result": {"orderId": "5", "failedOfferList": [{"errorCode": "500_004"}]}});
    let error = placed(&partly).await.unwrap_err();
    assert_eq!(
        (error.effect, error.retry),
        (Effect::Happened, Retry::Person)
    );
}

#[tokio::test]
async fn an_order_that_was_not_placed_says_so_or_is_in_doubt() {
    let Some(address) = body("createCrossOrder.address_error") else {
        return;
    };
    let error = placed(&address).await.unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::AddressRefused, Effect::None)
    );
    for (answer, kind, effect) in [
        (
            json!({"success": false, "code": "500_004"}),
            Kind::OutOfStock,
            Effect::None,
        ),
        (
            json!({"success": false, "code": "not support tradeType:【X】"}),
            Kind::Refused,
            Effect::None,
        ),
        (
            json!({"success": true, "result": {"success": false, "code": "500_002"}}),
            Kind::Refused,
            Effect::None,
        ),
        (
            json!({"success": false, "result": {"failedOfferList": [{"errorCode": "500_001"}]}}),
            Kind::NotFound,
            Effect::None,
        ),
        (
            json!({"success": false, "code": "NEW_WORD"}),
            Kind::Refused,
            Effect::Unknown,
        ),
        (
            json!({"success": true, "result": {}}),
            Kind::Unreadable,
            Effect::Unknown,
        ),
        (json!({"success": true}), Kind::Unreadable, Effect::Unknown),
        (
            json!({"result": {"orderId": "12 34"}}),
            Kind::Unreadable,
            Effect::Unknown,
        ),
        (json!({}), Kind::Unreadable, Effect::Unknown),
    ] {
        let error = placed(&answer).await.unwrap_err();
        assert_eq!((error.kind, error.effect), (kind, effect), "{answer}");
    }
}

#[tokio::test]
async fn an_order_is_read_with_its_parcels() {
    let Some(order) = body("get.buyerView.reduced") else {
        return;
    };
    let (logistics, trace) = (
        body("getLogisticsInfos.buyerView").unwrap(),
        body("getLogisticsTraceInfo.buyerView").unwrap(),
    );
    let id = SupplierOrderId::parse("123123121212").unwrap();
    let account = saying(&[(ORDER, &order)]);
    let read = account.buy().unwrap().supplier_order(&id).await.unwrap();
    assert_eq!(read.state, SupplierState::Processing);
    let mut sent = order.clone();
    sent["result"]["baseInfo"]["status"] = json!("waitbuyerreceive");
    sent["result"]["productItems"][0]["status"] = json!("waitbuyerreceive");
    // The samples are of three orders: the parcel is given the trace's name and the order's line.
    let mut parcels = logistics.clone();
    parcels["result"][0]["logisticsId"] = trace["logisticsTrace"][0]["logisticsId"].clone();
    parcels["result"][0]["orderEntryIds"] = json!("128403042259997000");
    let account = saying(&[(ORDER, &sent), (LOGISTICS, &parcels), (TRACE, &trace)]);
    let read = account.buy().unwrap().supplier_order(&id).await.unwrap();
    assert_eq!(
        read.state,
        SupplierState::Delivered,
        "its one parcel is signed for"
    );
    let parcel = &read.parcels[0];
    assert_eq!(parcel.tracking_number.as_str(), "3832890717253");
    assert_eq!(
        (
            parcel.contents[0].product.as_str(),
            parcel.contents[0].quantity
        ),
        ("547486647009", 1)
    );
    // As the sample is, without any number: the order is readable and has no parcel yet.
    let account = saying(&[(ORDER, &sent), (LOGISTICS, &logistics), (TRACE, &trace)]);
    let read = account.buy().unwrap().supplier_order(&id).await.unwrap();
    assert!(read.parcels.is_empty());
}

#[tokio::test]
async fn every_documented_status_is_a_state() {
    let Some((enums, order)) = contract("1688/enums.json").zip(body("get.buyerView.reduced"))
    else {
        return;
    };
    let none = json!({"success": false, "errorCode": "500_2", "errorMessage": "x"});
    for status in enums["order_status"].as_array().unwrap() {
        let mut order = order.clone();
        order["result"]["baseInfo"]["status"] = status.clone();
        order["result"]["productItems"][0]["status"] = status.clone();
        let account = saying(&[(ORDER, &order), (LOGISTICS, &none)]);
        let id = SupplierOrderId::parse("1").unwrap();
        let state = account
            .buy()
            .unwrap()
            .supplier_order(&id)
            .await
            .unwrap()
            .state;
        let expected = match status.as_str().unwrap() {
            "waitbuyerpay" => SupplierState::Unpaid,
            "waitsellersend" => SupplierState::Processing,
            "waitbuyerreceive" => SupplierState::Shipped,
            "confirm_goods" | "success" => SupplierState::Delivered,
            code @ ("cancel" | "terminated") => SupplierState::Closed {
                code: code.to_owned(),
            },
            other => panic!("{other} is a new status"),
        };
        assert_eq!(state, expected);
    }
}

#[tokio::test]
async fn a_search_finds_the_order_that_shows_our_reference() {
    let Some(order) = body("get.buyerView.reduced") else {
        return;
    };
    let since = jiff::Timestamp::from_second(NOW_S - 1_000).unwrap();
    let look = async |shown: &Value| {
        let mut order = order["result"].clone();
        order["baseInfo"]["outOrderId"] = shown.clone();
        // A number that lost its last digits beside a text that did not.
        order["baseInfo"]["id"] = json!(58_218_860_983_545_944_u64);
        order["baseInfo"]["idOfStr"] = json!("58218860983545941");
        let list = json!({"result": [order], "totalRecord": 1});
        let account = saying(&[
            (LIST, &list),
            (ORDER, &json!({"result": order, "success": "true"})),
        ]);
        account.buy().unwrap().look_up(&reference(), since).await
    };
    let found = look(&json!(reference().as_str())).await.unwrap().unwrap();
    assert_eq!(found.supplier_orders[0].as_str(), "58218860983545941");
    assert_eq!(look(&json!("1928919827731")).await.unwrap(), None);
    assert_eq!(
        look(&Value::Null).await.unwrap_err().code,
        "reference-not-shown"
    );
}

#[tokio::test]
async fn every_error_sample_has_its_axes() {
    let Some(samples) = contract("1688/samples/errors.json") else {
        return;
    };
    let preview = body("createOrder.preview").unwrap();
    for sample in samples["gateway"].as_array().unwrap() {
        let status = u16::try_from(sample["http"].as_u64().unwrap()).unwrap();
        let gateway = Gateway::new().saying(PREVIEW, preview.clone()).answering(
            CREATE,
            status,
            sample["body"].clone(),
        );
        let account = of_gateway(&cn1688_secret(), &Arc::new(gateway));
        let lines = [plain_line(
            offer(548_818_919_805_u64, SPEC),
            2,
            "CNY",
            "nzassure",
        )];
        let error = place(&account, &lines, &buyer_in_china())
            .await
            .unwrap_err();
        let expected = match sample["body"]["error_code"].as_str().unwrap() {
            "gw.QosAppFrequencyLimit" => Kind::Throttled,
            // Refused again with a token that was just renewed.
            "401" => Kind::ConsentEnded,
            _ => Kind::Misconfigured,
        };
        assert_eq!((error.kind, error.effect), (expected, Effect::None));
    }
    for sample in samples["business"].as_array().unwrap() {
        let account = saying(&[(ORDER, sample)]);
        let id = SupplierOrderId::parse("1").unwrap();
        let error = account
            .buy()
            .unwrap()
            .supplier_order(&id)
            .await
            .unwrap_err();
        assert!(matches!(error.retry, Retry::After(_)), "{sample}");
        assert_eq!(error.code, sample["errorCode"].as_str().unwrap());
    }
}

#[tokio::test]
async fn a_token_of_text_numbers_is_used() {
    let Some(token) = body("token") else {
        return;
    };
    let gateway = Gateway::new()
        .saying("system.oauth2/getToken", token)
        .saying(ORDER, body("get.buyerView.reduced").unwrap());
    let gateway = Arc::new(gateway);
    let account = of_gateway(&cn1688_secret(), &gateway);
    let id = SupplierOrderId::parse("1").unwrap();
    account.buy().unwrap().supplier_order(&id).await.unwrap();
    assert_eq!(
        gateway.sent_to(ORDER).form["access_token"],
        "ACCESS_TOKEN_EXAMPLE"
    );
}

#[tokio::test]
async fn every_message_says_which_orders_it_is_about() {
    for (name, order) in MESSAGES {
        let Some(message) = sample(&format!("1688/messages/{name}.json")) else {
            return;
        };
        let born = message["gmtBorn"].as_i64().unwrap();
        let clock = ManualClock::at(jiff::Timestamp::from_millisecond(born).unwrap());
        let account = account(&cn1688_secret(), Arc::new(Gateway::new()), Arc::new(clock));
        let text = message.to_string();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("message", &text)
            .append_pair("_aop_signature", &message_signature(APP_SECRET, &text))
            .finish();
        let push = Unverified::new(HeaderMap::new(), Bytes::from(form));
        let signals = account.verify_pushes().unwrap().verify(push).await.unwrap();
        let found: Vec<_> = signals.into_iter().map(|signal| signal.kind).collect();
        let expected: Vec<_> = order
            .map(|id| SignalKind::SupplierOrderChanged(SupplierOrderId::parse(id).unwrap()))
            .into_iter()
            .collect();
        assert_eq!(found, expected, "{name}");
    }
}

#[tokio::test]
async fn missed_messages_are_read_and_those_about_no_order_say_nothing() {
    let Some(page) = body("push.query.messageList") else {
        return;
    };
    let account = saying(&[("push.query.messageList", &page)]);
    let missed = account.pull_missed().unwrap().missed().await.unwrap();
    assert_eq!((missed.len(), missed[0].id.as_str()), (1, "68891027"));
    assert!(missed[0].signals.is_empty());
}
