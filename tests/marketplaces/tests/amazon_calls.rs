//! Amazon's calls: tokens, limits, orders, parcels, listings, feeds, notifications, and the control interface.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

mod common;

use axum::body::Body;
use common::Got;
use common::call;
use common::clock;
use common::encode;
use http::Method;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Amazon;
use kervan_marketplaces::AmazonConfig;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Fault;
use kervan_marketplaces::ManualClock;
use kervan_marketplaces::Money;
use kervan_marketplaces::RateLimit;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::amazon::AmazonBucket;
use kervan_marketplaces::amazon::AmazonNewListing;
use kervan_marketplaces::amazon::AmazonNewOrder;
use kervan_marketplaces::amazon::AmazonOperation;
use kervan_marketplaces::amazon::AmazonSettings;
use kervan_marketplaces::amazon::AmazonStatus;
use kervan_marketplaces::defaults;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ORDERS: &str = "/orders/2026-01-01/orders";
const MARKETPLACE: &str = defaults::AMAZON_MARKETPLACE_ID;

struct Client {
    amazon: Amazon,
    clock: Arc<ManualClock>,
    token: String,
}

impl Client {
    async fn new() -> Self {
        let clock = clock();
        let amazon = Amazon::new(AmazonConfig::default(), clock.clone(), 7);
        amazon.add_listing(AmazonNewListing::new("LAMP", Money::usd(1999), 10));
        let mut client = Self {
            amazon,
            clock,
            token: String::new(),
        };
        client.token = client.fresh().await;
        client
    }

    async fn fresh(&self) -> String {
        let refresh_token = encode(defaults::AMAZON_REFRESH_TOKEN);
        let form = format!("grant_type=refresh_token&refresh_token={refresh_token}");
        self.token_call(&form).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn grantless(&self) -> String {
        let scope = encode("sellingpartnerapi::notifications");
        let form = format!("grant_type=client_credentials&scope={scope}");
        self.token_call(&form).await.json()["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn token_call(&self, form: &str) -> Got {
        let (id, secret) = (defaults::AMAZON_CLIENT_ID, defaults::AMAZON_CLIENT_SECRET);
        self.plain_token_call(&format!("{form}&client_id={id}&client_secret={secret}"))
            .await
    }

    async fn plain_token_call(&self, form: &str) -> Got {
        let request = Request::post("/auth/o2/token")
            .header(
                "content-type",
                "application/x-www-form-urlencoded;charset=UTF-8",
            )
            .body(Body::from(form.to_owned()))
            .unwrap();
        call(self.amazon.router(), request).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Got {
        self.send_as(&self.token, method, path, body).await
    }

    async fn send_as(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Got {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "amazon.test")
            .header("x-amz-access-token", token);
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        call(self.amazon.router(), request.body(body).unwrap()).await
    }

    async fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None).await
    }

    async fn post(&self, path: &str, body: &Value) -> Got {
        self.send(Method::POST, path, Some(body)).await
    }

    async fn control(&self, method: Method, path: &str, body: Option<&Value>) -> Got {
        self.send(method, &format!("/_control{path}"), body).await
    }

    fn pass_s(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn place(&self, quantity: u32) -> (String, String) {
        let id = self
            .amazon
            .place_order(AmazonNewOrder::one("LAMP", quantity))
            .unwrap();
        let line = self.amazon.order(&id).unwrap().lines[0]
            .order_item_id
            .clone();
        (id, line)
    }

    async fn confirm(&self, id: &str, detail: &Value) -> Got {
        let body = json!({ "marketplaceId": MARKETPLACE, "packageDetail": detail });
        self.post(
            &format!("/orders/v0/orders/{id}/shipmentConfirmation"),
            &body,
        )
        .await
    }

    /// Puts a document into the storage and hands it in.
    async fn feed(&self, feed_type: &str, content_type: &str, document: &str) -> String {
        let place = self
            .post(
                "/feeds/2021-06-30/documents",
                &json!({ "contentType": content_type }),
            )
            .await;
        assert_eq!(place.status, StatusCode::CREATED);
        let place = place.json();
        let put = self.put(&place, content_type, document).await;
        assert_eq!(put.status, StatusCode::OK);
        let body = json!({ "feedType": feed_type, "marketplaceIds": [MARKETPLACE],
            "inputFeedDocumentId": place["feedDocumentId"] });
        let made = self.post("/feeds/2021-06-30/feeds", &body).await;
        assert_eq!(made.status, StatusCode::ACCEPTED);
        made.json()["feedId"].as_str().unwrap().to_owned()
    }

    async fn put(&self, place: &Value, content_type: &str, document: &str) -> Got {
        let url = place["url"].as_str().unwrap();
        let request = Request::put(url)
            .header("content-type", content_type)
            .body(Body::from(document.to_owned()))
            .unwrap();
        call(self.amazon.router(), request).await
    }
}

fn code(got: &Got) -> (u16, String) {
    let code = got.json()["errors"][0]["code"].as_str().unwrap().to_owned();
    (got.status.as_u16(), code)
}

fn detail(line: &str, quantity: u32) -> Value {
    json!({
        "packageReferenceId": "11", "carrierCode": "UPS", "trackingNumber": "1Z999AA10123456784",
        "shipDate": "2026-11-02T12:00:00Z", "orderItems": [{ "orderItemId": line, "quantity": quantity }],
    })
}

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

#[tokio::test]
async fn a_patch_is_accepted_at_once_and_shows_later_and_replace_loses_the_rest() {
    let client = Client::new().await;
    let path = format!(
        "/listings/2021-08-01/items/{}/LAMP?marketplaceIds={MARKETPLACE}",
        defaults::AMAZON_SELLER_ID
    );
    let patch = |op: &str, name: &str| {
        json!({ "productType": "PRODUCT", "patches": [{ "op": op,
        "path": "/attributes/fulfillment_availability",
        "value": [{ name: "DEFAULT", "quantity": 4 }] }] })
    };
    let send = async |body: &Value| client.send(Method::PATCH, &path, Some(body)).await;
    let accepted = send(&patch("merge", "fulfillment_channel_code")).await;
    assert_eq!(accepted.json()["status"], "ACCEPTED");
    assert_eq!(client.amazon.listed_quantity("LAMP"), Some(10));
    client.pass_s(1);
    assert_eq!(client.amazon.listed_quantity("LAMP"), Some(4));
    assert_eq!(client.amazon.listings()[0].lead_time_days, Some(2));
    let camel = send(&patch("merge", "fulfillmentChannelCode")).await;
    assert_eq!(
        (camel.status, camel.json()["status"].clone()),
        (StatusCode::OK, json!("INVALID"))
    );
    assert_eq!(camel.json()["issues"][0]["code"], "90000900");
    send(&patch("replace", "fulfillment_channel_code")).await;
    client.pass_s(1);
    assert_eq!(client.amazon.listings()[0].lead_time_days, None);
    assert_eq!(
        send(&json!({ "patches": [] })).await.status,
        StatusCode::BAD_REQUEST
    );
    let shown = client
        .get(&format!("{path}&includedData=attributes,offers"))
        .await
        .json();
    assert_eq!(shown["offers"][0]["price"]["amount"], "19.99");
    let stranger = client
        .get(&format!(
            "/listings/2021-08-01/items/A2OTHER/LAMP?marketplaceIds={MARKETPLACE}"
        ))
        .await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    let nowhere = path.split('?').next().unwrap();
    assert_eq!(client.get(nowhere).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_storage_compares_the_content_type_to_the_letter() {
    let client = Client::new().await;
    let announced = json!({ "contentType": "application/json; charset=UTF-8" });
    let place = client
        .post("/feeds/2021-06-30/documents", &announced)
        .await
        .json();
    for wrong in [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
    ] {
        let got = client.put(&place, wrong, "{}").await;
        assert_eq!(got.status, StatusCode::FORBIDDEN, "{wrong}");
        assert!(String::from_utf8_lossy(&got.body).contains("SignatureDoesNotMatch"));
    }
    let url = place["url"].as_str().unwrap();
    let request = Request::put(url)
        .header("content-type", "application/json; charset=UTF-8")
        .header("x-amz-access-token", &client.token)
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        call(client.amazon.router(), request).await.status,
        StatusCode::FORBIDDEN,
        "a token is a header too many"
    );
    let hand_in = json!({ "feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE], "inputFeedDocumentId": place["feedDocumentId"] });
    assert_eq!(
        client
            .post("/feeds/2021-06-30/feeds", &hand_in)
            .await
            .status,
        StatusCode::BAD_REQUEST,
        "nothing was put there"
    );
    assert_eq!(
        client
            .put(&place, "application/json; charset=UTF-8", "{}")
            .await
            .status,
        StatusCode::OK
    );
    client.pass_s(300);
    let late = client
        .put(&place, "application/json; charset=UTF-8", "{}")
        .await;
    assert!(String::from_utf8_lossy(&late.body).contains("AccessDenied"));
    let mut dead = hand_in.clone();
    dead["feedType"] = json!("POST_INVENTORY_AVAILABILITY_DATA");
    assert_eq!(
        client.post("/feeds/2021-06-30/feeds", &dead).await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn a_feed_goes_its_way_and_a_broken_one_is_fatal() {
    let client = Client::new().await;
    let message = |id: u64, sku: &str| {
        json!({ "messageId": id, "sku": sku, "operationType": "PATCH", "productType": "PRODUCT",
        "patches": [{ "op": "merge", "path": "/attributes/fulfillment_availability",
            "value": [{ "fulfillment_channel_code": "DEFAULT", "quantity": 6 }] }] })
    };
    let header = json!({ "sellerId": defaults::AMAZON_SELLER_ID, "version": "2.0" });
    let document =
        json!({ "header": header, "messages": [message(1, "LAMP"), message(2, "NONE")] });
    let id = client
        .feed(
            "JSON_LISTINGS_FEED",
            "application/json",
            &document.to_string(),
        )
        .await;
    let status = async || {
        client
            .get(&format!("/feeds/2021-06-30/feeds/{id}"))
            .await
            .json()
    };
    assert_eq!(status().await["processingStatus"], "IN_QUEUE");
    client.pass_s(1);
    assert_eq!(status().await["processingStatus"], "IN_PROGRESS");
    client.pass_s(1);
    let done = status().await;
    assert_eq!(done["processingStatus"], "DONE");
    let result = done["resultFeedDocumentId"].as_str().unwrap();
    let place = client
        .get(&format!("/feeds/2021-06-30/documents/{result}"))
        .await
        .json();
    assert_eq!(place["compressionAlgorithm"], "GZIP");
    let request = Request::get(place["url"].as_str().unwrap())
        .body(Body::empty())
        .unwrap();
    let report = call(client.amazon.router(), request).await;
    assert_eq!(report.body[..2], [0x1f, 0x8b]);
    client.pass_s(1);
    assert_eq!(client.amazon.listed_quantity("LAMP"), Some(6));
    for broken in [
        "{",
        "{}",
        &json!({ "header": header, "messages": [message(1, "LAMP"), message(1, "LAMP")] })
            .to_string(),
    ] {
        let id = client
            .feed("JSON_LISTINGS_FEED", "application/json", broken)
            .await;
        client.pass_s(2);
        let ended = client
            .get(&format!("/feeds/2021-06-30/feeds/{id}"))
            .await
            .json();
        assert_eq!(
            (
                &ended["processingStatus"],
                ended.get("resultFeedDocumentId")
            ),
            (&json!("FATAL"), None)
        );
    }
    let first = client
        .get("/feeds/2021-06-30/feeds?feedTypes=JSON_LISTINGS_FEED&pageSize=3")
        .await
        .json();
    let token = encode(first["nextToken"].as_str().unwrap());
    let second = client
        .get(&format!("/feeds/2021-06-30/feeds?nextToken={token}"))
        .await
        .json();
    assert_eq!(
        (
            first["feeds"].as_array().unwrap().len(),
            second["feeds"][0]["feedId"].clone()
        ),
        (3, json!(id))
    );
    let both = client
        .get(&format!(
            "/feeds/2021-06-30/feeds?nextToken={token}&pageSize=3"
        ))
        .await;
    assert_eq!(both.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        client.get("/feeds/2021-06-30/feeds").await.status,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn feeds_of_listings_have_a_bucket_of_their_own() {
    let client = Client::new().await;
    for _ in 0..5 {
        client
            .feed("JSON_LISTINGS_FEED", "application/json", "{}")
            .await;
    }
    let place = client
        .post(
            "/feeds/2021-06-30/documents",
            &json!({ "contentType": "a/b" }),
        )
        .await
        .json();
    client.put(&place, "a/b", "{}").await;
    let mut body = json!({ "feedType": "JSON_LISTINGS_FEED", "marketplaceIds": [MARKETPLACE], "inputFeedDocumentId": place["feedDocumentId"] });
    let sixth = client.post("/feeds/2021-06-30/feeds", &body).await;
    assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS);
    body["feedType"] = json!("POST_ORDER_ACKNOWLEDGEMENT_DATA");
    assert_eq!(
        client.post("/feeds/2021-06-30/feeds", &body).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn an_acknowledgement_cancels_a_whole_order_that_is_not_shipped() {
    let client = Client::new().await;
    let (id, line) = client.place(1);
    let document = |line: &str| {
        format!(
            "<?xml version=\"1.0\"?><AmazonEnvelope><Header><DocumentVersion>1.01</DocumentVersion><MerchantIdentifier>{}</MerchantIdentifier></Header><MessageType>OrderAcknowledgement</MessageType><Message><MessageID>1</MessageID><OrderAcknowledgement><AmazonOrderID>{id}</AmazonOrderID><StatusCode>Failure</StatusCode><Item><AmazonOrderItemCode>{line}</AmazonOrderItemCode><CancelReason>NoInventory</CancelReason></Item></OrderAcknowledgement></Message></AmazonEnvelope>",
            defaults::AMAZON_SELLER_ID
        )
    };
    let kind = "POST_ORDER_ACKNOWLEDGEMENT_DATA";
    client.feed(kind, "text/xml", &document("1")).await;
    client.pass_s(2);
    assert_eq!(
        client.amazon.order(&id).unwrap().status,
        AmazonStatus::Unshipped,
        "a line is unknown"
    );
    client.feed(kind, "text/xml", &document(&line)).await;
    client.pass_s(2);
    assert_eq!(
        client.amazon.order(&id).unwrap().status,
        AmazonStatus::Cancelled
    );
    client.feed(kind, "text/xml", "<AmazonEnvelope>").await;
    client.pass_s(2);
    assert_eq!(client.amazon.feeds().last().unwrap().status, "FATAL");
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
