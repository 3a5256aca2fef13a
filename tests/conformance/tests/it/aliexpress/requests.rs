//! What is sent, against the parameter tables of the reference pages.

use crate::aliexpress::common::{
    APP_SECRET, Gateway, buyer, contract, line, offer, purchase, reference, sample, shop,
};
use crate::aliexpress::samples::{CREATE, FREIGHT, ORDER, PRODUCT, TRACKING};
use kervan::{
    domain::{LineId, SupplierOrderId},
    marketplaces::{
        Buy, QuoteRequest, Wanted,
        aliexpress::signature::{Scheme, sign},
    },
    secrets::Secret,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const SYSTEM: [&str; 8] = [
    "app_key",
    "format",
    "method",
    "session",
    "sign",
    "sign_method",
    "simplify",
    "timestamp",
];

/// Makes every call once and gives back what was sent.
async fn everything_sent() -> Arc<Gateway> {
    let product = json!({"result": {"ae_item_sku_info_dtos": [{"sku_id": "12", "sku_price": "1",
        "currency_code": "USD", "sku_available_stock": 9}]}});
    let freight = json!({"result": {"delivery_options": [{"code": "A", "shipping_fee_cent": "1",
        "shipping_fee_currency": "USD"}]}});
    let created = json!({"result": {"is_success": true, "order_list": [5]}});
    let order = json!({"result": {"order_status": "WAIT_BUYER_ACCEPT_GOODS"}});
    let gateway = Arc::new(
        Gateway::saying(PRODUCT, product)
            .and(FREIGHT, freight)
            .and(CREATE, created)
            .and(ORDER, order)
            .and(TRACKING, json!({"result": {"ret": true}})),
    );
    let shop = shop(&gateway);
    let wanted = [Wanted {
        line: LineId::parse("1").unwrap(),
        offer: offer("7", "12"),
        quantity: 1,
    }];
    let ship_to = &"US".parse().unwrap();
    let wanted = QuoteRequest {
        wanted: &wanted,
        ship_to,
    };
    shop.quote(&wanted).await.unwrap();
    let lines = [line(
        offer("1005004638293060", "1"),
        1,
        "STD",
        "14:365458#Brown",
    )];
    let (reference, buyer) = (reference(), buyer());
    shop.place(&purchase(&reference, &lines, &buyer))
        .await
        .unwrap();
    let id = SupplierOrderId::parse("5").unwrap();
    shop.supplier_order(&id).await.unwrap();
    gateway
}

/// The paths of a value's leaves and branches, as the tables name them: lists do not count.
fn paths(prefix: &str, value: &Value, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = format!("{prefix}.{name}");
                found.insert(path.clone(), value.clone());
                paths(&path, value, found);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| paths(prefix, entry, found)),
        _ => {}
    }
}

/// The business parameters of a call by path; objects are sent as JSON text.
fn business(call: &BTreeMap<String, String>) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (name, text) in call
        .iter()
        .filter(|(name, _)| !SYSTEM.contains(&name.as_str()))
    {
        let value = match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => value,
            _ => Value::String(text.clone()),
        };
        found.insert(name.clone(), value.clone());
        paths(name, &value, &mut found);
    }
    found
}

#[tokio::test]
async fn every_call_keeps_to_its_parameter_table() {
    let gateway = everything_sent().await;
    let tables = [
        (PRODUCT, "aliexpress.ds.product.get"),
        (FREIGHT, "aliexpress.ds.freight.query"),
        (CREATE, "aliexpress.ds.order.create"),
        (ORDER, "aliexpress.trade.ds.order.get"),
        (TRACKING, "aliexpress.ds.order.tracking.get"),
        ("/auth/token/refresh", "auth.token.refresh"),
    ];
    for (method, file) in tables {
        let Some(table) = contract(&format!("apis/{file}.json")) else {
            return;
        };
        let sent = business(&gateway.sent_to(method));
        let rows = table["request"].as_array().unwrap();
        let mut known = BTreeSet::new();
        for row in rows {
            let path = row["path"].as_str().unwrap();
            known.insert(path.to_owned());
            let value = sent.get(path);
            let parent = path.rsplit_once('.').map(|(parent, _)| parent);
            let expected = parent.is_none_or(|parent| sent.contains_key(parent));
            assert!(
                value.is_some() || !expected || row["required"] == false,
                "{method} lacks {path}"
            );
            let Some(value) = value.filter(|_| path.contains('.')) else {
                continue;
            };
            let fits = match row["type"].as_str().unwrap() {
                "Number" => value.is_u64(),
                "String" => value.is_string(),
                "Object" => value.is_object(),
                "Object[]" => value.is_array(),
                other => panic!("{other} is a new type"),
            };
            assert!(fits, "{method}: {path} is {value}");
        }
        let unknown: Vec<_> = sent.keys().filter(|path| !known.contains(*path)).collect();
        assert!(unknown.is_empty(), "{method} does not know {unknown:?}");
    }
}

#[tokio::test]
async fn every_call_is_signed_as_it_was_sent() {
    let gateway = everything_sent().await;
    let secret = Secret::new(APP_SECRET.to_owned());
    for mut call in gateway.sent.lock().unwrap().clone() {
        let signature = call.remove("sign").unwrap();
        assert_eq!(call["timestamp"], "1790000000000");
        let path = if call["method"].starts_with('/') {
            call.remove("method").unwrap()
        } else {
            String::new()
        };
        let pairs = call
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        assert_eq!(
            sign(Scheme::Sha256, &secret, &path, pairs).unwrap(),
            signature
        );
        assert!(call.values().all(|value| !value.is_empty()));
    }
}

#[tokio::test]
async fn an_order_looks_like_the_documented_one() {
    let Some(example) = sample("ds.order.create.request") else {
        return;
    };
    let gateway = everything_sent().await;
    let sent = business(&gateway.sent_to(CREATE));
    let request = "param_place_order_request4_open_api_d_t_o";
    let mut address = sent[&format!("{request}.logistics_address")].clone();
    address.as_object_mut().unwrap().remove("address2");
    assert_eq!(address, example[request]["logistics_address"]);
    assert_eq!(sent["ds_extend_request"], example["ds_extend_request"]);
    let items = &example[request]["product_items"];
    let ours = &sent[&format!("{request}.product_items")];
    for name in ["product_id", "product_count", "sku_attr"] {
        assert_eq!(ours[0][name], items[0][name], "{name}");
    }
}
