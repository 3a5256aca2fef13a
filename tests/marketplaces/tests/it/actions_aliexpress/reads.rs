//! What reads show of an order and its buyer, and how they list orders.

use super::INFO;
use super::LIST;
use super::RECEIPT;
use super::act;
use super::children;
use super::control;
use super::info;
use super::line;
use super::listed;
use super::old;
use super::read;
use super::receipt;
use super::refused;
use super::shop;
use super::sold;
use super::stub;
use axum::body::Body;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Takes;
use kervan_marketplaces::aliexpress::SaleStatus;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;
use tower::ServiceExt;

#[tokio::test]
async fn an_address_changes_until_something_is_sent() {
    let client = shop();
    let id = sold(&client, true);
    let buyer = json!({
        "username": "de_1", "full_name": "Ines Holt", "address_line1": "Beispielweg 4",
        "city": "Lübeck", "state_or_province": "Schleswig-Holstein", "postal_code": "23552",
        "country_code": "DE", "phone": "4945155501", "email": "x@members.example.invalid",
    });
    client.advance_s(5);
    act(
        &client,
        id,
        json!({"action": "change_address", "buyer": buyer}),
    )
    .await;
    let receipt = receipt(&client, id).await;
    assert_eq!(receipt["contact_person"], "Ines Holt");
    assert_eq!(
        (&receipt["city"], &receipt["country"]),
        (&json!("Lübeck"), &json!("DE"))
    );
    assert_eq!(stub(&client, id).await["gmt_update"], "2026-11-02 04:00:05");
    act(
        &client,
        id,
        json!({"action": "ship_by_hand", "line": 1, "units": 1}),
    )
    .await;
    refused(
        &client,
        id,
        json!({"action": "change_address", "buyer": buyer}),
    )
    .await;
}

#[tokio::test]
async fn parts_of_a_buyer_are_hidden() {
    let client = shop();
    let hidden = async |what: &str| {
        let id = sold(&client, true);
        let shown = receipt(&client, id).await;
        act(&client, id, json!({"action": "hide", "what": what})).await;
        (id, shown, info(&client, id).await)
    };
    let (id, _, data) = hidden("address").await;
    assert_eq!(receipt(&client, id).await, json!({}));
    assert!(data.get("receipt_address").is_none() && data["buyerloginid"].is_string());
    let (id, before, data) = hidden("country").await;
    let after = receipt(&client, id).await;
    assert!(after.get("country").is_none() && data["receipt_address"].get("country").is_none());
    assert_eq!(after["contact_person"], before["contact_person"]);
    let (id, before, data) = hidden("masked").await;
    let after = receipt(&client, id).await;
    let name = before["contact_person"].as_str().unwrap();
    let masked = format!("{}{}", &name[..3], "*".repeat(name.len() - 3));
    assert_eq!(after["contact_person"], masked);
    assert_eq!(data["receipt_address"]["contact_person"], masked);
    assert!(after["mobile_no"].as_str().unwrap().ends_with("****"));
    assert_eq!(
        (&after["city"], &after["zip"]),
        (&before["city"], &before["zip"])
    );
    let (id, _, data) = hidden("buyer").await;
    assert!(data.get("receipt_address").is_none() && data.get("buyerloginid").is_none());
    let query = [("param1", json!({ "order_id": id }).to_string())];
    let got = client.business(RECEIPT, &query).await.json();
    assert_eq!(
        got["error_response"]["sub_code"],
        "isv.insufficient-permission"
    );
}

#[tokio::test]
async fn an_order_is_never_paid_or_looked_into() {
    let client = shop();
    let id = sold(&client, true);
    act(&client, id, json!({"action": "never_paid"})).await;
    client.advance_s(86_400);
    assert_eq!(
        info(&client, id).await["order_status"],
        "PLACE_ORDER_SUCCESS"
    );
    let paid = client
        .aliexpress
        .set_sale_status(id, SaleStatus::WaitSellerSendGoods, None);
    assert!(paid.is_err());
    refused(&client, id, json!({"action": "review"})).await;
    let id = sold(&client, true);
    act(&client, id, json!({"action": "review"})).await;
    assert_eq!(info(&client, id).await["order_status"], "RISK_CONTROL");
    assert_eq!(stub(&client, id).await["order_status"], "RISK_CONTROL");
    let sent = sold(&client, true);
    act(
        &client,
        sent,
        json!({"action": "ship_by_hand", "line": 0, "units": 1}),
    )
    .await;
    refused(&client, sent, json!({"action": "review"})).await;
    refused(&client, sent, json!({"action": "never_paid"})).await;
}

#[tokio::test]
async fn what_aliexpress_does_not_have_is_refused_with_the_reason() {
    let client = shop();
    let id = sold(&client, true);
    for (action, reason) in [
        (json!({"action": "change_id"}), "keeps its id"),
        (
            json!({"action": "merge_into", "order_id": "1"}),
            "merges no orders",
        ),
        (
            json!({"action": "collect_tax", "cents_a_line": 100, "reference": null}),
            "tells a tax",
        ),
        (
            json!({"action": "collect_tax", "cents_a_line": 100, "reference": "IM0000000001"}),
            "IOSS",
        ),
        (
            json!({"action": "report_fee", "how": "on_request"}),
            "no parameter",
        ),
        (
            json!({"action": "report_fee", "how": "other_currency"}),
            "no currency",
        ),
    ] {
        let told = refused(&client, id, action).await;
        assert!(told.contains(reason), "{told}");
    }
    let got = control(&client, "POST", "sales/5/act", &json!({"action": "vanish"})).await;
    assert_eq!(got.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_fee_is_a_rate_or_nothing() {
    let client = shop();
    let id = sold(&client, true);
    act(&client, id, json!({"action": "report_fee", "how": "never"})).await;
    for child in children(&info(&client, id).await) {
        assert!(child.get("escrow_fee_rate").is_none());
    }
    act(
        &client,
        id,
        json!({"action": "report_fee", "how": "always"}),
    )
    .await;
    assert_eq!(
        children(&info(&client, id).await)[0]["escrow_fee_rate"],
        "0.08"
    );
    assert_eq!(line(&client, id, 0).fee_cents, 200);
}

#[tokio::test]
async fn the_warehouse_sends_and_the_order_says_so() {
    let client = shop();
    let id = sold(&client, true);
    act(&client, id, json!({"action": "fulfil_by_channel"})).await;
    let child = &children(&info(&client, id).await)[0];
    assert_eq!(child["send_goods_operator"], "WAREHOUSE_SEND_GOODS");
    assert_eq!(
        child["logistics_warehouse_type"],
        "cainiaoInternationalWarehouse"
    );
    let product = &stub(&client, id).await["product_list"]["order_product_dto"][0];
    assert_eq!(product["send_goods_operator"], "WAREHOUSE_SEND_GOODS");
}

#[tokio::test]
async fn a_vanished_order_is_in_no_read() {
    let client = shop();
    let (id, other) = (sold(&client, true), sold(&client, true));
    act(&client, id, json!({"action": "vanish"})).await;
    let all = listed(&client, &json!({ "current_page": 1, "page_size": 50 })).await;
    assert_eq!((all.len(), &all[0]["order_id"]), (1, &json!(other)));
    let query = json!({ "order_id": id });
    let result = read(&client, INFO, "param1", &query).await;
    assert_eq!(result["error_code"], "B_PRODUCT_NOT_FOUND");
    let got = client
        .business(RECEIPT, &[("param1", query.to_string())])
        .await;
    assert_eq!(
        got.json()["error_response"]["sub_code"],
        "isv.insufficient-permission"
    );
    assert!(client.aliexpress.sale(id).unwrap().vanished);
}

#[tokio::test]
async fn a_spoiled_order_stumbles_its_strict_readers() {
    let client = shop();
    let id = sold(&client, true);
    act(&client, id, json!({"action": "spoil", "what": "entry"})).await;
    let data = info(&client, id).await;
    assert!(data.get("order_status").is_none() && data.get("gmt_modified").is_none());
    let stub = stub(&client, id).await;
    assert!(stub.get("order_status").is_none() && stub.get("gmt_update").is_none());
    assert_eq!(stub["order_id"], id);
    act(&client, id, json!({"action": "spoil", "what": "character"})).await;
    let list = json!({ "current_page": 1, "page_size": 50 }).to_string();
    let order = json!({ "order_id": id }).to_string();
    for (method, name, query) in [(LIST, "param0", &list), (INFO, "param1", &order)] {
        let got = client.business(method, &[(name, query.clone())]).await;
        assert_eq!(got.headers["content-type"], "application/json");
        let text = String::from_utf8(got.body.to_vec()).unwrap();
        assert!(text.contains("Please ring twice \\ud83d\""), "{text}");
        assert!(
            serde_json::from_str::<Value>(&text).is_err(),
            "half an emoji"
        );
        let xml = old(&client, method, name, query, "xml").await;
        let xml = String::from_utf8(xml.body.to_vec()).unwrap();
        assert!(
            xml.contains("<memo>Please ring twice \u{b}</memo>"),
            "{xml}"
        );
    }
}

#[tokio::test]
async fn orders_move_between_the_pages_of_a_list_that_takes_its_time() {
    let client = shop();
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(sold(&client, true));
        client.advance_s(60);
    }
    let habits = json!({ "moves_while_paged": true, "page_takes_ms": 2_500 });
    let got = control(&client, "PATCH", "lists", &habits).await;
    assert_eq!(got.status, StatusCode::OK);
    assert_eq!(
        control(&client, "GET", "lists", &json!({})).await.json(),
        habits
    );
    let page = async |page: u32| {
        let query = json!({ "current_page": page, "page_size": 2,
            "modified_date_start": "2026-11-02 04:00:00", "modified_date_end": "2026-11-02 04:04:00" });
        let got = client
            .business(LIST, &[("param0", query.to_string())])
            .await
            .json();
        let list =
            &got["aliexpress_solution_order_get_response"]["result"]["target_list"]["order_dto"];
        let ids = list.as_array().cloned().unwrap_or_default();
        ids.iter()
            .map(|stub| stub["order_id"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    // Newest first; the older of the two leaves the span, so the next page begins one too late.
    assert_eq!(page(1).await, [ids[3], ids[2]]);
    assert_eq!(page(2).await, [ids[0]]);
    assert_eq!(page(1).await, [ids[3], ids[1]]);
    let params = [
        ("method", LIST),
        ("access_token", defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN),
    ];
    let mut all = client.common();
    all.extend(params.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let form = all.iter().map(|(name, value)| format!("{name}={value}"));
    let request = Request::post("/sync")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(form.collect::<Vec<_>>().join("&")))
        .unwrap();
    let response = client.aliexpress.router().oneshot(request).await.unwrap();
    let takes = response.extensions().get::<Takes>().unwrap();
    assert_eq!(takes.0.as_millis(), 2_500);
}
