//! eBay's refunds, and the calls by which pushes are subscribed to.

use crate::common::EbayClient;
use crate::common::Got;
use crate::common::call;
use crate::common::encode;
use axum::body::Body;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Money;
use kervan_marketplaces::defaults;
use kervan_marketplaces::ebay::NewListing;
use kervan_marketplaces::ebay::NewOrder;
use kervan_marketplaces::ebay::PaymentStatus;
use serde_json::Value;
use serde_json::json;

const BASE: &str = "/commerce/notification/v1";

async fn with_order() -> (EbayClient, String) {
    let client = EbayClient::new().await;
    client
        .ebay
        .add_listing(NewListing::new("LAMP", Money::usd(1000), 9));
    let order = client.ebay.place_order(NewOrder::one("LAMP", 2)).unwrap();
    client.advance_ms(5_000);
    (client, order)
}

fn of(amount: &str) -> Value {
    let amount = json!({ "value": amount, "currency": "USD" });
    json!({ "reasonForRefund": "OTHER_ADJUSTMENT", "orderLevelRefundAmount": amount })
}

#[tokio::test]
async fn a_refund_is_refused_by_ebays_numbers() {
    let (client, order) = with_order().await;
    let path = format!("/sell/fulfillment/v1/order/{order}/issue_refund");
    let changed = |field: &str, value: Value| {
        let mut body = of("1.00");
        body[field] = value;
        body
    };
    for (body, id) in [
        (changed("reasonForRefund", json!("WHIM")), 34903),
        (changed("orderLevelRefundAmount", Value::Null), 34905),
        (
            changed("orderLevelRefundAmount", json!({ "currency": "USD" })),
            34906,
        ),
        (of("0.00"), 34907),
        (of("1.001"), 34907),
        (
            changed("orderLevelRefundAmount", json!({ "value": "1" })),
            34908,
        ),
        (
            changed(
                "orderLevelRefundAmount",
                json!({ "value": "1", "currency": "EUR" }),
            ),
            34909,
        ),
        (of("20.01"), 34915),
        (changed("comment", json!("x".repeat(101))), 34921),
    ] {
        assert_eq!(client.post(&path, &body).await.error_id(), id, "{body}");
    }
    let unknown = client
        .post("/sell/fulfillment/v1/order/99-1/issue_refund", &of("1.00"))
        .await;
    assert_eq!(
        (unknown.status, unknown.error_id()),
        (StatusCode::NOT_FOUND, 34913)
    );
    client
        .ebay
        .set_payment(&order, PaymentStatus::Pending)
        .unwrap();
    let early = client.post(&path, &of("1.00")).await;
    assert_eq!(
        (early.status, early.error_id()),
        (StatusCode::CONFLICT, 34929)
    );
    client
        .ebay
        .set_payment(&order, PaymentStatus::Paid)
        .unwrap();
    assert_eq!(
        client.post(&path, &of("20.00")).await.json()["refundStatus"],
        "PENDING"
    );
    client.advance_ms(60_000);
    assert_eq!(client.post(&path, &of("1.00")).await.error_id(), 34917);
    let view = client.ebay.order(&order).unwrap();
    assert_eq!(
        (view.payment, view.refunds[0].status.as_str()),
        (PaymentStatus::FullyRefunded, "REFUNDED")
    );
}

#[tokio::test]
async fn a_signature_that_is_there_must_be_right_and_may_be_demanded() {
    let (client, order) = with_order().await;
    let path = format!("/sell/fulfillment/v1/order/{order}/issue_refund");
    let headers = [
        ("signature", "sig1=:AAAA:"),
        ("x-ebay-signature-key", defaults::EBAY_SIGNING_JWE),
    ];
    let wrong = client.post_with(&path, &of("1.00"), &headers).await;
    assert_eq!(wrong.error_id(), 215_120);
    let mut settings = client.ebay.settings();
    settings.refunds_need_signature = true;
    client.ebay.set_settings(settings);
    assert_eq!(client.post(&path, &of("1.00")).await.error_id(), 215_120);
    assert_eq!(client.ebay.counters().refunds, 0);
}

/// A client with the token of the application.
async fn application() -> EbayClient {
    let mut client = EbayClient::new().await;
    let scope = encode("https://api.ebay.com/oauth/api_scope");
    let form = format!("grant_type=client_credentials&scope={scope}");
    let got = client.token_call(&form).await;
    client.token = got.json()["access_token"].as_str().unwrap().to_owned();
    let mut settings = client.ebay.settings();
    settings.challenge_destinations = false;
    client.ebay.set_settings(settings);
    client
}

async fn put(client: &EbayClient, path: &str, body: &Value) -> Got {
    let request = Request::put(format!("{BASE}{path}"))
        .header("authorization", format!("Bearer {}", client.token))
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    call(client.ebay.router(), request).await
}

fn destination() -> Value {
    json!({ "name": "door", "status": "ENABLED", "deliveryConfig": {
        "endpoint": "https://hooks.example.com/x", "verificationToken": defaults::EBAY_VERIFICATION_TOKEN } })
}

fn subscription(topic: &str, status: &str, destination: &str) -> Value {
    json!({ "topicId": topic, "status": status, "destinationId": destination, "payload": {
        "format": "JSON", "schemaVersion": "1.0", "deliveryProtocol": "HTTPS" } })
}

fn id_of(got: &Got) -> String {
    let location = got.headers["location"].to_str().unwrap();
    location.rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn an_address_comes_first_then_an_endpoint_then_a_subscription() {
    let client = application().await;
    let at = |path: &str| format!("{BASE}{path}");
    assert_eq!(client.get(&at("/config")).await.error_id(), 195_026);
    assert_eq!(
        client
            .post(&at("/destination"), &destination())
            .await
            .error_id(),
        195_003
    );
    assert_eq!(
        put(&client, "/config", &json!({ "alertEmail": "nobody" }))
            .await
            .error_id(),
        195_025
    );
    let set = put(
        &client,
        "/config",
        &json!({ "alertEmail": "ops@example.com" }),
    )
    .await;
    assert_eq!(set.status, StatusCode::NO_CONTENT);
    for (pointer, value, id) in [
        ("/name", json!("<b>"), 195_016),
        ("/status", json!("MARKED_DOWN"), 195_018),
        ("/deliveryConfig/endpoint", Value::Null, 195_017),
        ("/deliveryConfig/verificationToken", json!("short"), 195_019),
    ] {
        let mut wrong = destination();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert_eq!(
            client.post(&at("/destination"), &wrong).await.error_id(),
            id,
            "{pointer}"
        );
    }
    let made = client.post(&at("/destination"), &destination()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let door = id_of(&made);
    assert_eq!(
        client
            .post(&at("/destination"), &destination())
            .await
            .error_id(),
        195_021
    );
    assert_eq!(
        put(&client, "/destination/none", &destination())
            .await
            .error_id(),
        195_022
    );

    let deletion = "MARKETPLACE_ACCOUNT_DELETION";
    for (topic, status, to, id) in [
        ("NO_TOPIC", "ENABLED", door.as_str(), 195_027),
        ("ORDER_CONFIRMATION", "ENABLED", &door, 195_011),
        (deletion, "PERHAPS", &door, 195_006),
        (deletion, "ENABLED", "none", 195_007),
    ] {
        let refused = client
            .post(&at("/subscription"), &subscription(topic, status, to))
            .await;
        assert_eq!(refused.error_id(), id, "{topic} {status} {to}");
    }
    client.ebay.mark_endpoints_down();
    let enabled = subscription(deletion, "ENABLED", &door);
    assert_eq!(
        client.post(&at("/subscription"), &enabled).await.error_id(),
        195_015
    );
    let disabled = subscription(deletion, "DISABLED", &door);
    let made = id_of(&client.post(&at("/subscription"), &disabled).await);
    assert_eq!(
        client
            .post(&at("/subscription"), &disabled)
            .await
            .error_id(),
        195_012
    );
    let enable = at(&format!("/subscription/{made}/enable"));
    assert_eq!(client.post(&enable, &json!({})).await.error_id(), 195_015);
    put(&client, &format!("/destination/{door}"), &destination()).await;
    assert!(client.ebay.delete_account("nobody").is_none());
    assert_eq!(
        client.post(&enable, &json!({})).await.status,
        StatusCode::NO_CONTENT
    );
    assert!(client.ebay.delete_account("somebody").is_some());
    assert_eq!(
        client
            .post(&at("/subscription/none/test"), &json!({}))
            .await
            .error_id(),
        195_013
    );
    assert_eq!(client.get(&at("/topic?limit=5")).await.error_id(), 195_004);
    assert_eq!(
        client
            .get(&at("/topic?continuation_token=x"))
            .await
            .error_id(),
        195_005
    );
}

#[tokio::test]
async fn the_quotas_are_less_by_what_was_called() {
    let client = application().await;
    let path = "/developer/analytics/v1_beta/rate_limit/";
    let got = client.get(path).await.json();
    let rate = got["rateLimits"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["apiName"] == "analytics");
    let rate = &rate.unwrap()["resources"][0]["rates"][0];
    assert_eq!(
        (&rate["limit"], &rate["remaining"]),
        (&json!(5000), &json!(4999))
    );
    let seller = EbayClient::new().await;
    assert_eq!(seller.get(path).await.error_id(), 1100);
}
