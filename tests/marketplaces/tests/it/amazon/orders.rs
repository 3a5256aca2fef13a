//! Orders and parcels.

use super::client::Client;
use super::client::MARKETPLACE;
use super::client::ORDERS;
use super::client::code;
use super::client::detail;
use crate::common::encode;
use http::Method;
use http::StatusCode;
use kervan_marketplaces::amazon::AmazonNewOrder;
use kervan_marketplaces::amazon::AmazonOperation;
use kervan_marketplaces::amazon::AmazonStatus;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn a_search_wants_one_beginning_and_an_end_two_minutes_ago() {
    let client = Client::new().await;
    for (query, status) in [
        ("", 400),
        (
            "lastUpdatedAfter=2026-11-01T00:00:00Z&createdAfter=2026-11-01T00:00:00Z",
            400,
        ),
        (
            "lastUpdatedAfter=2026-11-01T00:00:00Z&createdBefore=2026-11-01T00:00:00Z",
            400,
        ),
        (
            "lastUpdatedAfter=2026-11-01T00:00:00Z&lastUpdatedBefore=2026-11-02T11:58:01Z",
            400,
        ),
        (
            "lastUpdatedAfter=2026-11-01T00:00:00Z&lastUpdatedBefore=2026-11-02T11:58:00Z",
            200,
        ),
        (
            "lastUpdatedAfter=2026-11-02T00:00:00Z&lastUpdatedBefore=2026-11-01T00:00:00Z",
            400,
        ),
        ("createdAfter=yesterday", 400),
        (
            "createdAfter=2026-11-01T00:00:00Z&maxResultsPerPage=101",
            400,
        ),
        (
            "createdAfter=2026-11-01T00:00:00Z&includedData=SECRETS",
            400,
        ),
        (
            "createdAfter=2026-11-01T00:00:00Z&paginationToken=made-up",
            400,
        ),
        ("createdAfter=2026-11-01T00:00:00Z&unknown=1", 400),
    ] {
        let got = client.get(&format!("{ORDERS}?{query}")).await;
        assert_eq!(got.status.as_u16(), status, "{query}");
    }
}

#[tokio::test]
async fn a_page_is_had_only_with_the_parameters_of_the_first_and_for_a_day() {
    let client = Client::new().await;
    for _ in 0..3 {
        client.place(1);
    }
    client.pass_s(300);
    let search =
        format!("{ORDERS}?lastUpdatedAfter=2026-11-01T00:00:00Z&marketplaceIds={MARKETPLACE}");
    let first = client
        .get(&format!("{search}&maxResultsPerPage=2"))
        .await
        .json();
    assert_eq!(first["orders"].as_array().unwrap().len(), 2);
    let token = encode(first["pagination"]["nextToken"].as_str().unwrap());
    let other = client
        .get(&format!(
            "{ORDERS}?lastUpdatedAfter=2026-11-01T00:00:00Z&paginationToken={token}"
        ))
        .await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
    let second = client
        .get(&format!(
            "{search}&paginationToken={token}&includedData=BUYER"
        ))
        .await
        .json();
    assert_eq!(second["orders"].as_array().unwrap().len(), 1);
    assert!(second.get("pagination").is_none());
    client.pass_s(86_400);
    let token_of_us = client.fresh().await;
    let late = client
        .send_as(
            &token_of_us,
            Method::GET,
            &format!("{search}&paginationToken={token}"),
            None,
        )
        .await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_order_shows_its_buyer_once_it_is_paid_and_only_what_is_asked_for() {
    let client = Client::new().await;
    let new = AmazonNewOrder::one("LAMP", 2).pending();
    let id = client.amazon.place_order(new).unwrap();
    let path =
        format!("{ORDERS}/{id}?includedData=BUYER,RECIPIENT,PROCEEDS,FULFILLMENT,CANCELLATION");
    let pending = client.get(&path).await.json()["order"].clone();
    assert_eq!(pending["fulfillment"]["fulfillmentStatus"], "PENDING");
    assert!(pending.get("recipient").is_none() && pending.get("proceeds").is_none());
    client.amazon.pay_order(&id).unwrap();
    let paid = client.get(&path).await.json()["order"].clone();
    assert_eq!(paid["fulfillment"]["fulfillmentStatus"], "UNSHIPPED");
    assert_eq!(paid["proceeds"]["grandTotal"]["amount"], "39.98");
    let view = client.amazon.order(&id).unwrap();
    assert_eq!(
        paid["recipient"]["deliveryAddress"]["name"],
        view.buyer.full_name
    );
    let bare = client.get(&format!("{ORDERS}/{id}")).await.json()["order"].clone();
    assert!(bare.get("recipient").is_none() && bare.get("fulfillment").is_none());
    client.amazon.request_cancel(&id, "mistake").unwrap();
    let asked = client.get(&path).await.json()["order"]["orderItems"][0]["cancellation"].clone();
    assert_eq!(asked["cancellationRequest"]["requester"], "BUYER");
    client.amazon.cancel_order(&id).unwrap();
    let over = client.get(&path).await.json()["order"].clone();
    assert_eq!(over["fulfillment"]["fulfillmentStatus"], "CANCELLED");
    assert_eq!(
        client
            .get(&format!("{ORDERS}/111-1111111-1111111"))
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        client.get(&format!("{ORDERS}/TEST_CASE_400")).await.status,
        StatusCode::BAD_REQUEST
    );
    assert!(
        client
            .amazon
            .place_order(AmazonNewOrder::one("LAMP", 99))
            .is_err()
    );
}

#[tokio::test]
async fn a_confirmation_is_checked_in_every_part() {
    let client = Client::new().await;
    let (id, line) = client.place(2);
    client
        .amazon
        .set_bucket(AmazonOperation::ConfirmShipment, None);
    let good = detail(&line, 2);
    for (field, value, says) in [
        (
            "packageReferenceId",
            json!(11),
            "packageDetail.packageReferenceId",
        ),
        ("packageReferenceId", json!("A-1"), "positive numeric"),
        ("packageReferenceId", json!("0"), "positive numeric"),
        ("carrierCode", json!("Other"), "CarrierName"),
        ("carrierCode", json!(""), "carrierCode"),
        ("trackingNumber", Value::Null, "trackingNumber"),
        ("shipDate", json!("soon"), "shipDate"),
        ("shipDate", json!("2026-11-02T12:00:01Z"), "future"),
        (
            "orderItems",
            json!({ "orderItemId": line, "quantity": 1 }),
            "OrderItemId",
        ),
        ("orderItems", json!([]), "OrderItemId"),
        (
            "orderItems",
            json!([{ "orderItemId": "1", "quantity": 1 }]),
            "OrderItemId",
        ),
        (
            "orderItems",
            json!([{ "orderItemId": line, "quantity": 3 }]),
            "more than is left",
        ),
        (
            "orderItems",
            json!([{ "orderItemId": line, "quantity": 0 }]),
            "positive",
        ),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        let got = client.confirm(&id, &wrong).await;
        assert_eq!(code(&got), (400, "InvalidInput".to_owned()), "{wrong}");
        let message = got.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(message.contains(says), "{message}");
    }
    assert_eq!(client.amazon.counters().packages, 0);
    let pending = client
        .amazon
        .place_order(AmazonNewOrder::one("LAMP", 1).pending())
        .unwrap();
    assert_eq!(
        client.confirm(&pending, &good).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        client.confirm("111-1111111-1111111", &good).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn the_same_reference_edits_a_package_and_another_adds_one_until_the_order_is_closed() {
    let client = Client::new().await;
    let (id, line) = client.place(2);
    for _ in 0..2 {
        let got = client.confirm(&id, &detail(&line, 1)).await;
        assert_eq!((got.status, got.body.len()), (StatusCode::NO_CONTENT, 0));
    }
    let view = client.amazon.order(&id).unwrap();
    assert_eq!(
        (view.status, view.packages.len(), view.packages[0].edits),
        (AmazonStatus::PartiallyShipped, 1, 1)
    );
    let mut second = detail(&line, 1);
    second["packageReferenceId"] = json!("12");
    assert_eq!(
        client.confirm(&id, &second).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        client.amazon.order(&id).unwrap().status,
        AmazonStatus::Shipped
    );
    second["packageReferenceId"] = json!("13");
    let closed = client.confirm(&id, &second).await;
    assert!(String::from_utf8_lossy(&closed.body).contains("PackageToUpdateNotFound"));
    let counters = client.amazon.counters();
    let counted = (
        counters.packages,
        counters.package_edits,
        counters.duplicate_packages,
    );
    assert_eq!(
        counted,
        (2, 1, 1),
        "one number went out under two references"
    );
    let packages = client
        .get(&format!("{ORDERS}/{id}?includedData=PACKAGES"))
        .await;
    assert_eq!(
        packages.json()["order"]["packages"][0]["trackingNumber"],
        "1Z999AA10123456784"
    );
}
