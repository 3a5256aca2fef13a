//! What is sent, against the parameter tables of the platforms' pages.

use crate::alibaba::common::{
    APP_SECRET, Gateway, NOW_S, Sent, buyer, buyer_in_china, cn1688_secret, contract, icbu_secret,
    line, of_gateway, offer, place, quote, reference, sample,
};
use kervan::{
    domain::SupplierOrderId,
    marketplaces::alibaba::{cn1688, icbu},
    secrets::Secret,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The operations of Alibaba.com, all of which are sent by `icbu_sent`.
pub(crate) const ICBU: [&str; 10] = [
    "/eco/buyer/product/description",
    "/eco/buyer/product/inventory",
    "/order/freight/calculate",
    "/buynow/order/create",
    "/alibaba/dropshipping/order/pay",
    "/alibaba/order/list",
    "/alibaba/order/get",
    "/order/logistics/tracking/get",
    "/order/logistics/query",
    "/auth/token/refresh",
];

/// The operations of 1688 that the contract has a table of; all are sent by `cn1688_sent`.
pub(crate) const CN1688: [&str; 7] = [
    "product.search.queryProductDetail",
    "alibaba.createOrder.preview",
    "alibaba.trade.createCrossOrder",
    "alibaba.trade.getBuyerOrderList",
    "alibaba.trade.get.buyerView",
    "alibaba.trade.getLogisticsInfos.buyerView",
    "alibaba.trade.getLogisticsTraceInfo.buyerView",
];

/// Those that it has none of.
pub(crate) const CN1688_WITHOUT_TABLE: [&str; 5] = [
    "alibaba.trade.pay.protocolPay.preparePay",
    "push.query.messageList",
    "push.message.confirm",
    "system.oauth2/getToken",
    "system.oauth2/postponeToken",
];

/// Makes every call of Alibaba.com once.
async fn icbu_sent() -> Arc<Gateway> {
    let description = json!({"code": "0", "result": {"result_code": "200", "result_data": {
        "eCompanyId": "c8G3==", "currency": "USD", "skus": [{"sku_id": "200001",
        "ladder_price": [{"min_quantity": "1", "price": "1.00", "currency": "USD"}]}]}}});
    let inventory = json!({"code": "0", "result": {"result_code": "200", "result_data": [
        {"shipping_from": "CN", "inventory_list": [{"sku_id": "200001", "inventory_count": "99"}]}]}});
    let freight = json!({"code": "0", "value": [{"vendor_code": "EX_ASP_JYC_FEDEX",
        "fee": {"amount": "3.0", "currency": "USD"}}]});
    let gateway = Gateway::new()
        .saying("/eco/buyer/product/description", description)
        .saying("/eco/buyer/product/inventory", inventory)
        .saying("/order/freight/calculate", freight)
        .saying(
            "/buynow/order/create",
            json!({"code": "0", "value": {"trade_id": "1"}}),
        )
        .saying(
            "/alibaba/dropshipping/order/pay",
            json!({"code": "0", "value": {"status": "PAY_SUCCESS"}}),
        )
        .saying(
            "/alibaba/order/list",
            json!({"code": "0", "value": {"total_count": "0"}}),
        )
        .saying(
            "/alibaba/order/get",
            json!({"code": "0", "value": {"trade_status": "trade_success"}}),
        )
        .saying(
            "/order/logistics/tracking/get",
            json!({"code": "0", "tracking_list": []}),
        )
        .saying("/order/logistics/query", json!({"code": "0", "value": {}}));
    let gateway = Arc::new(gateway);
    let account = of_gateway(&icbu_secret(), &gateway);
    let goods = offer(100_001, "200001");
    let terms = quote(&account, goods.clone(), 10, "US").await.unwrap();
    place(&account, &[line(goods, 10, &terms)], &buyer())
        .await
        .unwrap();
    let buy = account.buy().unwrap();
    let now = jiff::Timestamp::from_second(NOW_S).unwrap();
    assert_eq!(buy.look_up(&reference(), now).await.unwrap(), None);
    buy.supplier_order(&SupplierOrderId::parse("1").unwrap())
        .await
        .unwrap();
    gateway
}

/// Makes every call of 1688 once.
async fn cn1688_sent() -> Arc<Gateway> {
    let detail = json!({"result": {"success": true, "code": "200", "result": {"productSkuInfos": [
        {"specId": "ab12", "amountOnSale": 99, "price": "18.00"}]}}});
    let preview = json!({"success": true, "orderPreviewResuslt": [{"tradeModeNameList": ["alipay"],
        "sumPayment": 4400, "sumCarriage": 800, "sumPaymentNoCarriage": 3600}]});
    let created = json!({"success": true, "result": {"success": true, "orderId": "5"}});
    let paid = json!({"result": {"success": true, "result": {"paySuccess": true}}});
    let order = json!({"success": "true", "result": {"baseInfo": {"status": "waitbuyerreceive"}}});
    let logistics = json!({"result": [{"logisticsId": "LP1", "status": "TRANSPORT"}]});
    let gateway = Gateway::new()
        .saying("product.search.queryProductDetail", detail)
        .saying("alibaba.createOrder.preview", preview)
        .saying("alibaba.trade.createCrossOrder", created)
        .saying("alibaba.trade.pay.protocolPay.preparePay", paid)
        .saying(
            "alibaba.trade.getBuyerOrderList",
            json!({"result": [], "totalRecord": 0}),
        )
        .saying("alibaba.trade.get.buyerView", order)
        .saying("alibaba.trade.getLogisticsInfos.buyerView", logistics)
        .saying(
            "alibaba.trade.getLogisticsTraceInfo.buyerView",
            json!({"logisticsTrace": []}),
        )
        .saying(
            "push.query.messageList",
            json!({"pushMessagePage": {"datas": [], "totalCount": 0}}),
        )
        .saying("push.message.confirm", json!({"isSuccess": true}))
        .saying(
            "system.oauth2/postponeToken",
            json!({"refresh_token": "next"}),
        );
    let gateway = Arc::new(gateway);
    let mut secret = cn1688_secret();
    secret["pay"] = json!("alipay");
    secret["refresh_token_ends"] = json!("2026-09-30T00:00:00Z");
    let account = of_gateway(&secret, &gateway);
    let goods = offer(554_456_348_334_u64, "ab12");
    let terms = quote(&account, goods.clone(), 2, "CN").await.unwrap();
    place(&account, &[line(goods, 2, &terms)], &buyer_in_china())
        .await
        .unwrap();
    let buy = account.buy().unwrap();
    // Long ago, so that the table of the past is searched too.
    let then = jiff::Timestamp::from_second(NOW_S - 100 * 24 * 3600).unwrap();
    assert_eq!(buy.look_up(&reference(), then).await.unwrap(), None);
    buy.supplier_order(&SupplierOrderId::parse("5").unwrap())
        .await
        .unwrap();
    let missed = account.pull_missed().unwrap();
    missed.missed().await.unwrap();
    missed.take(&["7".to_owned()]).await.unwrap();
    gateway
}

/// A row such as `query_req{product_id,country}`, `data_select=logistic_order`, `start_page (from 0)`,
/// `create_date_start/end`, `inv_req.sku_id`: names, and the fields inside.
fn row(text: &str) -> (Vec<String>, Vec<String>) {
    let text = text.split([' ', '=']).next().unwrap();
    let (name, inside) = text.split_once('{').unwrap_or((text, ""));
    let inside = inside
        .trim_end_matches('}')
        .split(',')
        .filter(|name| !name.is_empty());
    let names = match name.rsplit_once('/') {
        Some((start, end)) => {
            let stem = start.trim_end_matches("start");
            vec![start.to_owned(), format!("{stem}{end}")]
        }
        None => vec![name.to_owned()],
    };
    (names, inside.map(str::to_owned).collect())
}

#[tokio::test]
async fn every_call_of_alibaba_com_keeps_to_its_table() {
    let gateway = icbu_sent().await;
    let Some(table) = contract("icbu/gateway.json") else {
        return;
    };
    let rows = table["apis"].as_array().unwrap();
    let system = [
        "app_key",
        "sign_method",
        "timestamp",
        "access_token",
        "sign",
    ];
    for operation in ICBU
        .iter()
        .filter(|operation| !operation.contains("/auth/"))
    {
        let sent = gateway.sent_to(operation);
        let api = rows.iter().find(|api| api["path"] == **operation);
        let api = api.unwrap_or_else(|| panic!("{operation} has no table"));
        let texts = |name: &str| -> Vec<String> {
            let list = api[name].as_array().unwrap().iter();
            list.map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let mut known: BTreeSet<String> = system.map(str::to_owned).into();
        for required in texts("required") {
            let (names, inside) = row(&required);
            let value = &sent.form[&names[0]];
            known.insert(names[0].clone());
            if !inside.is_empty() {
                let value: Value = serde_json::from_str(value).unwrap();
                let fields: BTreeSet<_> = value.as_object().unwrap().keys().cloned().collect();
                assert_eq!(
                    fields,
                    inside.into_iter().collect(),
                    "{operation}: {required}"
                );
            }
        }
        for optional in texts("optional") {
            known.extend(row(&optional).0);
        }
        let unknown: Vec<_> = sent
            .form
            .keys()
            .filter(|name| !known.contains(*name))
            .collect();
        assert!(unknown.is_empty(), "{operation} does not know {unknown:?}");
        assert!(
            sent.content_type
                .starts_with("application/x-www-form-urlencoded")
        );
    }
}

#[tokio::test]
async fn an_order_looks_like_the_documented_one() {
    let gateway = icbu_sent().await;
    let Some(example) = sample("icbu/samples/buynow.order.create.request.json") else {
        return;
    };
    let sent = gateway.sent_to("/buynow/order/create").form;
    let json = |name: &str| -> Value { serde_json::from_str(&sent[name]).unwrap() };
    assert_eq!(json("product_list"), example["product_list"]);
    let (ours, theirs) = (json("logistics_detail"), &example["logistics_detail"]);
    let shape = |value: &Value| -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(shape(&ours), shape(theirs));
    assert_eq!(ours["carrier_code"], theirs["carrier_code"]);
    let (ours, theirs) = (&ours["shipment_address"], &theirs["shipment_address"]);
    assert_eq!(shape(ours), shape(theirs));
    for name in [
        "zip",
        "country",
        "country_code",
        "province",
        "province_code",
        "city",
        "contact_person",
        "address",
        "alternate_address",
    ] {
        assert_eq!(ours[name], theirs[name], "{name}");
    }
    assert_eq!(shape(&ours["telephone"]), shape(&theirs["telephone"]));
    assert_eq!(shape(&json("properties")), shape(&example["properties"]));
}

/// Whether text is of a type of the tables.
fn is_of_type(text: &str, kind: &str) -> bool {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    match kind {
        "String" => true,
        "Integer" | "Long" => text.parse::<i64>().is_ok(),
        "Boolean" => matches!(text, "true" | "false"),
        "Object" => value.is_object(),
        "Object[]" | "Long[]" | "String[]" => value.is_array(),
        other => panic!("{other} is a new type"),
    }
}

#[tokio::test]
async fn every_call_of_1688_keeps_to_its_table() {
    let gateway = cn1688_sent().await;
    for operation in CN1688 {
        let Some(table) = contract(&format!("1688/apis/{operation}.json")) else {
            return;
        };
        let sent = gateway.sent_to(operation);
        let (space, name) = table["api"].as_str().unwrap().split_once(':').unwrap();
        let (name, version) = name.rsplit_once('-').unwrap();
        assert_eq!(
            sent.path,
            format!("/openapi/param2/{version}/{space}/{name}/1000000")
        );
        let mut known = BTreeSet::from(["access_token", "_aop_signature", "_aop_timestamp"]);
        for row in table["request"].as_array().unwrap() {
            let name = row["name"].as_str().unwrap();
            known.insert(name);
            match sent.form.get(name) {
                Some(text) => {
                    let kind = row["type"].as_str().unwrap();
                    assert!(is_of_type(text, kind), "{operation}: {name} is {text}");
                }
                None => assert_eq!(row["required"], false, "{operation} lacks {name}"),
            }
        }
        let unknown: Vec<_> = sent
            .form
            .keys()
            .filter(|name| !known.contains(name.as_str()))
            .collect();
        assert!(unknown.is_empty(), "{operation} does not know {unknown:?}");
    }
    let order = gateway.sent_to("createCrossOrder").form;
    let address: Value = serde_json::from_str(&order["addressParam"]).unwrap();
    let cargo: Value = serde_json::from_str(&order["cargoParamList"]).unwrap();
    let named = |value: &Value, known: &str| {
        let mut names = value.as_object().unwrap().keys();
        assert!(names.all(|name| known.contains(name.as_str())), "{value}");
    };
    named(
        &address,
        "addressId districtCode fullName mobile phone postCode provinceText cityText areaText townText address",
    );
    named(&cargo[0], "offerId specId quantity openOfferId outMemberId");
    assert!(cargo[0]["offerId"].is_u64() && cargo[0]["quantity"].is_u64());
    assert_eq!(order["tradeType"], "alipay", "as the preview offers it");
}

/// The signature of a call, taken out of its form.
fn signed(sent: &Sent, name: &str) -> (String, BTreeMap<String, String>) {
    let mut form = sent.form.clone();
    (form.remove(name).unwrap(), form)
}

#[tokio::test]
async fn every_call_is_signed_as_it_was_sent() {
    let secret = Secret::new(APP_SECRET.to_owned());
    fn pairs(form: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
        form.iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
    let sent = icbu_sent().await.sent.lock().unwrap().clone();
    let operations: BTreeSet<_> = sent
        .iter()
        .map(|call| call.path.trim_start_matches("/rest").to_owned())
        .collect();
    assert_eq!(operations, ICBU.map(str::to_owned).into());
    for call in &sent {
        let (signature, form) = signed(call, "sign");
        let path = call.path.strip_prefix("/rest").unwrap();
        assert_eq!(
            icbu::signature::sign(&secret, path, pairs(&form)).unwrap(),
            signature
        );
        assert!(form.values().all(|value| !value.is_empty()));
    }
    let sent = cn1688_sent().await.sent.lock().unwrap().clone();
    for operation in CN1688.iter().chain(&CN1688_WITHOUT_TABLE) {
        assert!(
            sent.iter().any(|call| call.path.contains(operation)),
            "{operation} was not sent"
        );
    }
    for call in &sent {
        let path = call.path.strip_prefix("/openapi/").unwrap();
        if path.starts_with("http/1/system.oauth2/getToken") {
            let names: Vec<_> = call.form.keys().map(String::as_str).collect();
            assert_eq!(
                names,
                ["client_id", "client_secret", "grant_type", "refresh_token"]
            );
            continue;
        }
        let (signature, form) = signed(call, "_aop_signature");
        assert_eq!(
            cn1688::signature::sign(&secret, path, pairs(&form)).unwrap(),
            signature,
            "{path}"
        );
        let is_users = !path.contains("cn.alibaba.open");
        assert_eq!(form.contains_key("access_token"), is_users, "{path}");
    }
    let past = sent
        .iter()
        .any(|call| call.form.get("isHis").is_some_and(|past| past == "true"));
    assert!(
        past,
        "an old doubt is searched for in the table of the past too"
    );
}
