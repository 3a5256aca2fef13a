//! Tokens, limits, notifications, faults and the control interface.

use super::client::Client;
use super::client::ORDERS;
use super::client::code;
use super::client::detail;
use crate::common::encode;
use http::Method;
use http::StatusCode;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Fault;
use kervan_marketplaces::RateLimit;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::amazon::AmazonBucket;
use kervan_marketplaces::amazon::AmazonOperation;
use kervan_marketplaces::amazon::AmazonSettings;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;

#[tokio::test]
async fn a_token_lives_an_hour_and_says_why_it_is_refused() {
    let client = Client::new().await;
    let (id, _) = client.place(1);
    let path = format!("{ORDERS}/{id}");
    assert_eq!(client.get(&path).await.status, StatusCode::OK);
    client.pass_s(3_600);
    let details = async |token: &str| {
        let got = client.send_as(token, Method::GET, &path, None).await;
        assert_eq!(code(&got), (403, "Unauthorized".to_owned()));
        got.json()["errors"][0]["details"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(details(&client.token).await.contains("expired"));
    assert!(details("unknown").await.contains("invalid"));
    assert_eq!(
        details(&client.grantless().await).await,
        "",
        "the application is no seller"
    );
    assert_eq!(client.amazon.counters().unauthorized, 3);
    let fresh = client.fresh().await;
    assert_eq!(
        client
            .send_as(&fresh, Method::GET, &path, None)
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_token_server_takes_a_refresh_token_or_a_scope_and_never_both() {
    let client = Client::new().await;
    let refresh = encode(defaults::AMAZON_REFRESH_TOKEN);
    for (form, error) in [
        (
            format!("grant_type=refresh_token&refresh_token={refresh}&scope=x"),
            "invalid_request",
        ),
        (
            "grant_type=refresh_token&refresh_token=wrong".to_owned(),
            "invalid_grant",
        ),
        (
            "grant_type=client_credentials&scope=x".to_owned(),
            "invalid_scope",
        ),
        (
            "grant_type=client_credentials".to_owned(),
            "invalid_request",
        ),
        ("grant_type=password".to_owned(), "unsupported_grant_type"),
    ] {
        assert_eq!(
            client.token_call(&form).await.json()["error"],
            error,
            "{form}"
        );
    }
    let stranger = client
        .plain_token_call("grant_type=client_credentials&client_id=x&client_secret=y")
        .await;
    assert_eq!(
        (stranger.status.as_u16(), stranger.json()["error"].clone()),
        (401, json!("invalid_client"))
    );
    client.amazon.revoke_consent();
    let revoked = client
        .token_call(&format!("grant_type=refresh_token&refresh_token={refresh}"))
        .await;
    assert_eq!(revoked.json()["error"], "invalid_grant");
    client.amazon.restore_consent();
    client.fresh().await;
}

#[tokio::test]
async fn buckets_run_empty_fill_again_and_name_their_rate_except_when_empty() {
    let client = Client::new().await;
    let search = format!("{ORDERS}?lastUpdatedAfter=2026-11-01T00:00:00Z");
    for _ in 0..20 {
        let got = client.get(&search).await;
        assert_eq!(got.headers["x-amzn-ratelimit-limit"], "0.0056");
        assert!(got.headers.contains_key("x-amzn-requestid"));
        assert_eq!(got.headers["date"], "Mon, 02 Nov 2026 12:00:00 GMT");
    }
    let empty = client.get(&search).await;
    assert_eq!(code(&empty), (429, "QuotaExceeded".to_owned()));
    assert!(!empty.headers.contains_key("x-amzn-ratelimit-limit"));
    assert!(!empty.headers.contains_key("retry-after"));
    client.pass_s(178);
    assert_eq!(
        client.get(&search).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    client.pass_s(1);
    assert_eq!(client.get(&search).await.status, StatusCode::OK);
    let bucket = AmazonBucket {
        calls_per_million_s: 2_000_000,
        burst: 1,
    };
    client
        .amazon
        .set_bucket(AmazonOperation::SearchOrders, Some(bucket));
    assert_eq!(
        client.get(&search).await.headers["x-amzn-ratelimit-limit"],
        "2.0"
    );
    assert_eq!(
        client.get(&search).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    client
        .amazon
        .set_bucket(AmazonOperation::SearchOrders, None);
    for _ in 0..50 {
        assert_eq!(client.get(&search).await.status, StatusCode::OK);
    }
    let none = RateLimit {
        calls: 0,
        per_ms: 1,
    };
    client
        .amazon
        .set_rate_limit(AmazonOperation::SearchOrders, Some(none));
    assert_eq!(
        client.get(&search).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(client.amazon.counters().rate_limited["searchOrders"], 4);
}

#[tokio::test]
async fn destinations_are_the_applications_and_subscriptions_the_sellers() {
    let client = Client::new().await;
    let (destinations, subscription) = (
        "/notifications/v1/destinations",
        "/notifications/v1/subscriptions/ORDER_CHANGE",
    );
    let arn = "arn:aws:sqs:us-east-1:123456789012:q";
    let queue = json!({ "name": "n", "resourceSpecification": { "sqs": { "arn": arn } } });
    assert_eq!(
        client.post(destinations, &queue).await.status,
        StatusCode::FORBIDDEN
    );
    let grantless = client.grantless().await;
    let post = async |body: &Value| {
        client
            .send_as(&grantless, Method::POST, destinations, Some(body))
            .await
    };
    assert_eq!(
        post(&json!({ "name": "n", "resourceSpecification": { "sqs": { "arn": "q" } } }))
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
    let made = post(&queue).await.json()["payload"].clone();
    assert_eq!(post(&queue).await.status, StatusCode::CONFLICT);
    assert_eq!(client.get(subscription).await.status, StatusCode::NOT_FOUND);
    let wanted = json!({ "payloadVersion": "1.0", "destinationId": made["destinationId"] });
    assert_eq!(
        client
            .post(
                subscription,
                &json!({ "payloadVersion": "1.0", "destinationId": "x" })
            )
            .await
            .status,
        StatusCode::BAD_REQUEST
    );
    let subscribed = client.post(subscription, &wanted).await.json();
    assert_eq!(
        client.post(subscription, &wanted).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(client.get(subscription).await.json(), subscribed);

    let settings = AmazonSettings {
        notification_copies: 2,
        notification_delay_ms: 5_000,
        ..client.amazon.settings()
    };
    client.amazon.set_settings(settings);
    let (id, _) = client.place(1);
    assert!(
        client
            .amazon
            .take_due_notifications(client.clock.now())
            .is_empty()
    );
    client.clock.set(client.amazon.next_due().unwrap());
    let taken = client.amazon.take_due_notifications(client.clock.now());
    assert_eq!((taken.len(), &taken[0].id), (2, &taken[1].id));
    let body: Value = serde_json::from_str(&taken[0].body).unwrap();
    assert_eq!(
        body["Payload"]["OrderChangeNotification"]["AmazonOrderId"],
        id.as_str()
    );
    assert_eq!(
        (taken[0].queue_arn.as_str(), client.amazon.next_due()),
        (arn, None)
    );

    let one = format!(
        "{subscription}/{}",
        subscribed["payload"]["subscriptionId"].as_str().unwrap()
    );
    assert_eq!(
        client.send(Method::DELETE, &one, None).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        client
            .send_as(&grantless, Method::DELETE, &one, None)
            .await
            .status,
        StatusCode::OK
    );
    client.place(1);
    assert_eq!(client.amazon.next_due(), None, "nobody subscribed to it");
}

#[tokio::test]
async fn faults_happen_before_or_after_the_effect_as_they_say() {
    let client = Client::new().await;
    let (id, line) = client.place(9);
    for (number, (fault, status, wire, has_effect)) in [
        (Fault::Refused, 0, Some(WireFault::Refused), false),
        (Fault::TooManyRequests, 429, None, false),
        (Fault::ServerError, 500, None, false),
        (Fault::HtmlErrorPage, 502, None, false),
        (Fault::TimeoutBefore, 0, Some(WireFault::Hang), false),
        (Fault::ServerErrorAfter, 500, None, true),
        (Fault::TimeoutAfter, 0, Some(WireFault::Hang), true),
        (Fault::MalformedBody, 204, None, true),
    ]
    .into_iter()
    .enumerate()
    {
        client
            .amazon
            .fail_next(AmazonOperation::ConfirmShipment, fault, 1);
        let before = client.amazon.counters().packages;
        let mut detail = detail(&line, 1);
        detail["packageReferenceId"] = json!((number + 1).to_string());
        let got = client.confirm(&id, &detail).await;
        assert_eq!(got.wire, wire, "{fault:?}");
        if wire.is_none() {
            assert_eq!(got.status.as_u16(), status, "{fault:?}");
        }
        assert_eq!(
            client.amazon.counters().packages - before,
            u64::from(has_effect),
            "{fault:?}"
        );
        client.pass_s(5);
    }
}

#[tokio::test]
async fn everything_can_be_done_over_http_too() {
    let client = Client::new().await;
    let post = async |path: &str, body: Value| {
        let got = client.control(Method::POST, path, Some(&body)).await;
        assert_eq!(got.status, StatusCode::OK, "{path} {:?}", got.body);
        got.json()
    };
    post(
        "/listings",
        json!({ "sku": "X", "price": { "value": "5.00", "currency": "USD" }, "quantity": 3 }),
    )
    .await;
    post("/listings/X/quantity", json!({ "quantity": 8 })).await;
    post(
        "/listings/X/price",
        json!({ "value": "6.00", "currency": "USD" }),
    )
    .await;
    let placed = post(
        "/orders",
        json!({ "lines": [{ "sku": "X", "quantity": 2 }], "paid": false }),
    )
    .await;
    let id = placed["order_id"].as_str().unwrap().to_owned();
    post(&format!("/orders/{id}/pay"), json!({})).await;
    post(
        &format!("/orders/{id}/request_cancel"),
        json!({ "reason": "x" }),
    )
    .await;
    post(&format!("/orders/{id}/cancel"), json!({})).await;
    let view = client
        .control(Method::GET, &format!("/orders/{id}"), None)
        .await
        .json();
    assert_eq!(
        (&view["status"], &view["total"]["value"]),
        (&json!("CANCELLED"), &json!("12.00"))
    );
    post(
        "/limits",
        json!({ "operation": "getOrder", "limit": { "calls": 1, "per_ms": 1000 } }),
    )
    .await;
    post(
        "/buckets",
        json!({ "operation": "getOrder", "bucket": { "calls_per_million_s": 1, "burst": 1 } }),
    )
    .await;
    post(
        "/faults",
        json!({ "operation": "any", "fault": "server_error" }),
    )
    .await;
    assert_eq!(
        client.control(Method::DELETE, "/faults", None).await.status,
        StatusCode::OK
    );
    assert_eq!(
        client.get(&format!("{ORDERS}/{id}")).await.status,
        StatusCode::OK
    );
    assert_eq!(
        client.get(&format!("{ORDERS}/{id}")).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    let changed = client
        .control(
            Method::PATCH,
            "/settings",
            Some(&json!({ "page_token_s": 5 })),
        )
        .await;
    assert_eq!(
        (changed.status, client.amazon.settings().page_token_s),
        (StatusCode::OK, 5)
    );
    let typo = client
        .control(
            Method::PATCH,
            "/settings",
            Some(&json!({ "page_tokens": 5 })),
        )
        .await;
    assert_eq!(typo.status, StatusCode::UNPROCESSABLE_ENTITY);
    let feed = client.feed("JSON_LISTINGS_FEED", "a/b", "{}").await;
    post(&format!("/feeds/{feed}/end"), json!({ "fatal": true })).await;
    let feeds = client.control(Method::GET, "/feeds", None).await.json();
    assert_eq!(feeds[0]["status"], "FATAL");
    post("/clock", json!({ "advance_ms": 1_000 })).await;
    assert!(
        post("/notifications/take", json!({}))
            .await
            .as_array()
            .unwrap()
            .is_empty()
    );
    let counters = client.control(Method::GET, "/counters", None).await.json();
    assert_eq!(
        (&counters["orders"], &counters["feeds"]),
        (&json!(1), &json!(1))
    );
    post("/tokens/expire", json!({})).await;
    assert_eq!(
        client.get(&format!("{ORDERS}/{id}")).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        client
            .control(Method::POST, "/tokens/eat", Some(&json!({})))
            .await
            .status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(client.get("/nowhere").await.status, StatusCode::FORBIDDEN);
}
