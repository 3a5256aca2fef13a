//! What happens at AliExpress without a call: to a customer's order of the shop, as both gateways tell it, and at the
//! suppliers.

mod lines;
mod reads;
mod supplier;

use crate::common::AliClient;
use crate::common::Got;
use crate::common::call;
use axum::body::Body;
use http::Request;
use http::StatusCode;
use jiff::tz::Offset;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Money;
use kervan_marketplaces::aliexpress::NewListing;
use kervan_marketplaces::aliexpress::NewListingSku;
use kervan_marketplaces::aliexpress::NewSale;
use kervan_marketplaces::aliexpress::SaleLineView;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

pub(crate) const LIST: &str = "aliexpress.solution.order.get";
pub(crate) const INFO: &str = "aliexpress.solution.order.info.get";
pub(crate) const RECEIPT: &str = "aliexpress.solution.order.receiptinfo.get";
pub(crate) const FULFILL: &str = "aliexpress.solution.order.fulfill";

/// A shop with two products, called with its own token.
pub(crate) fn shop() -> AliClient {
    let mut client = AliClient::with(|config| {
        config.settings.mixed_types = false;
        config.settings.access_token_s = 10 * 86_400;
    });
    client.token = defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN.to_owned();
    for (product_id, sku_code, cents) in [(1_005_009, "MUG", 1_250), (1_005_010, "VASE", 2_000)] {
        let sku = NewListingSku {
            sku_code: sku_code.to_owned(),
            price: Money::usd(cents),
            inventory: 50,
        };
        let new = NewListing {
            product_id,
            skus: vec![sku],
        };
        client.aliexpress.add_listing(new).unwrap();
    }
    client
}

/// Two mugs and a vase.
pub(crate) fn sold(client: &AliClient, paid: bool) -> u64 {
    let sale = NewSale {
        buyer: None,
        lines: vec![("MUG".to_owned(), 2), ("VASE".to_owned(), 1)],
        paid,
    };
    client.aliexpress.sell(sale).unwrap()
}

pub(crate) async fn control(client: &AliClient, method: &str, path: &str, body: &Value) -> Got {
    let request = Request::builder()
        .method(method)
        .uri(format!("/_control/{path}"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    call(client.aliexpress.router(), request).await
}

pub(crate) async fn act(client: &AliClient, id: u64, action: Value) {
    let got = control(client, "POST", &format!("sales/{id}/act"), &action).await;
    assert_eq!(got.status, StatusCode::OK, "{action}: {}", got.json());
    assert_eq!(got.json()["order_id"], id.to_string());
}

/// The reason that an action is refused with.
pub(crate) async fn refused(client: &AliClient, id: u64, action: Value) -> String {
    let got = control(client, "POST", &format!("sales/{id}/act"), &action).await;
    assert_eq!(got.status, StatusCode::CONFLICT, "{action}");
    got.json()["error"].as_str().unwrap().to_owned()
}

/// A call of the old gateway, at its own wall clock.
pub(crate) async fn old(
    client: &AliClient,
    method: &str,
    name: &str,
    value: &str,
    format: &str,
) -> Got {
    let beijing = Offset::constant(8).to_datetime(client.clock.now());
    let timestamp = beijing.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let params: Vec<(String, String)> = [
        ("app_key", defaults::ALIEXPRESS_APP_KEY),
        ("method", method),
        ("session", defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN),
        ("v", "2.0"),
        ("timestamp", &timestamp),
        ("sign_method", "md5"),
        ("format", format),
        (name, value),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let signature = sign(
        SignMethod::Md5,
        defaults::ALIEXPRESS_APP_SECRET,
        "",
        &params,
    );
    client.send_signed("/router/rest", params, &signature).await
}

/// The answer of a call, which is the same at both gateways.
pub(crate) async fn read(client: &AliClient, method: &str, name: &str, query: &Value) -> Value {
    let new = client.business(method, &[(name, query.to_string())]).await;
    let old = old(client, method, name, &query.to_string(), "json").await;
    let root = format!("{}_response", method.replace('.', "_"));
    let result = |got: Got| got.json()[&root]["result"].clone();
    let (new, old) = (result(new), result(old));
    assert_eq!(new, old);
    new
}

pub(crate) async fn info(client: &AliClient, id: u64) -> Value {
    read(client, INFO, "param1", &json!({ "order_id": id })).await["data"].clone()
}

pub(crate) async fn receipt(client: &AliClient, id: u64) -> Value {
    read(client, RECEIPT, "param1", &json!({ "order_id": id })).await
}

/// The child orders of an order.
pub(crate) fn children(data: &Value) -> Vec<Value> {
    let list = &data["child_order_list"]["global_aeop_tp_child_order_dto"];
    list.as_array().unwrap().clone()
}

/// The orders on a page of the list.
pub(crate) async fn listed(client: &AliClient, query: &Value) -> Vec<Value> {
    let result = read(client, LIST, "param0", query).await;
    let list = &result["target_list"]["order_dto"];
    list.as_array().cloned().unwrap_or_default()
}

pub(crate) async fn stub(client: &AliClient, id: u64) -> Value {
    let all = listed(client, &json!({ "current_page": 1, "page_size": 50 })).await;
    let found = all.into_iter().find(|stub| stub["order_id"] == id);
    found.unwrap_or_default()
}

pub(crate) fn line(client: &AliClient, id: u64, place: usize) -> SaleLineView {
    client.aliexpress.sale(id).unwrap().units[place].clone()
}
