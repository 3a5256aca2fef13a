//! eBay's calls: tokens, orders, parcels, listings.

use crate::common::BULK;
use crate::common::EbayClient;
use crate::common::ORDERS;
use crate::common::encode;
use http::StatusCode;
use kervan_marketplaces::Fault;
use kervan_marketplaces::Money;
use kervan_marketplaces::RateLimit;
use kervan_marketplaces::WireFault;
use kervan_marketplaces::ebay::EbayOperation;
use kervan_marketplaces::ebay::NewListing;
use kervan_marketplaces::ebay::NewOrder;
use serde_json::Value;
use serde_json::json;

async fn with_listing(quantity: u32) -> EbayClient {
    let client = EbayClient::new().await;
    client
        .ebay
        .add_listing(NewListing::new("LAMP", Money::usd(1999), quantity));
    client
}

/// An order that the API shows already, and its only line.
async fn visible_order(client: &EbayClient, quantity: u32) -> (String, String) {
    let order_id = client
        .ebay
        .place_order(NewOrder::one("LAMP", quantity))
        .unwrap();
    client.advance_ms(5_000);
    let line = client.ebay.order(&order_id).unwrap().lines[0]
        .line_item_id
        .clone();
    (order_id, line)
}

#[tokio::test]
async fn an_access_token_ends_after_two_hours_and_refreshing_brings_no_new_refresh_token() {
    let mut client = with_listing(5).await;
    let (order_id, _) = visible_order(&client, 1).await;
    let path = format!("{ORDERS}/{order_id}");
    assert_eq!(client.get(&path).await.status, StatusCode::OK);
    client.advance_ms(7_200_000);
    let late = client.get(&path).await;
    assert_eq!(
        (late.status, late.error_id()),
        (StatusCode::UNAUTHORIZED, 1001)
    );
    let fresh = client.refresh().await.json();
    assert!(fresh.get("refresh_token").is_none());
    client.token = fresh["access_token"].as_str().unwrap().to_owned();
    assert_eq!(client.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_revoked_consent_gives_invalid_grant() {
    let client = EbayClient::new().await;
    client.ebay.revoke_consent();
    let got = client.refresh().await;
    assert_eq!(got.status, StatusCode::BAD_REQUEST);
    assert_eq!(got.json()["error"], "invalid_grant");
    let missing = client.get(ORDERS).await;
    assert_eq!(missing.error_id(), 1001);
}

#[tokio::test]
async fn an_application_token_reads_public_keys_and_nothing_of_the_seller() {
    let mut client = EbayClient::new().await;
    let refused = client.get("/commerce/notification/v1/public_key/x").await;
    assert_eq!(
        (refused.status, refused.error_id()),
        (StatusCode::FORBIDDEN, 1100)
    );
    let scope = encode("https://api.ebay.com/oauth/api_scope");
    let got = client
        .token_call(&format!("grant_type=client_credentials&scope={scope}"))
        .await;
    client.token = got.json()["access_token"].as_str().unwrap().to_owned();
    let unknown = client.get("/commerce/notification/v1/public_key/x").await;
    assert_eq!(
        (unknown.status, unknown.error_id()),
        (StatusCode::NOT_FOUND, 195_001)
    );
    assert_eq!(client.get(ORDERS).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_without_the_scope_is_forbidden() {
    let mut client = with_listing(1).await;
    let refresh_token = encode(kervan_marketplaces::defaults::EBAY_REFRESH_TOKEN);
    let scope = encode("https://api.ebay.com/oauth/api_scope/sell.inventory");
    let form = format!("grant_type=refresh_token&refresh_token={refresh_token}&scope={scope}");
    client.token = client.token_call(&form).await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(client.get(ORDERS).await.error_id(), 1100);
    assert_eq!(
        client.get("/sell/inventory/v1/offer?sku=LAMP").await.status,
        StatusCode::OK
    );
    let wider = encode("https://api.ebay.com/oauth/api_scope/sell.marketing");
    let form = format!("grant_type=refresh_token&refresh_token={refresh_token}&scope={wider}");
    assert_eq!(
        client.token_call(&form).await.json()["error"],
        "invalid_scope"
    );
}

#[tokio::test]
async fn paging_follows_next_until_it_is_missing() {
    let client = with_listing(100).await;
    for _ in 0..7 {
        client.ebay.place_order(NewOrder::one("LAMP", 1)).unwrap();
        client.advance_ms(1_000);
    }
    client.advance_ms(5_000);
    let filter = encode("creationdate:[2026-11-02T00:00:00.000Z..]");
    let mut next = Some(format!("{ORDERS}?filter={filter}&limit=3"));
    let mut seen = Vec::new();
    let mut pages = 0;
    while let Some(url) = next {
        let page = client.get(&url).await.json();
        assert_eq!(page["total"], 7);
        seen.extend(
            page["orders"]
                .as_array()
                .unwrap()
                .iter()
                .map(|order| order["orderId"].clone()),
        );
        next = page["next"].as_str().map(str::to_owned);
        pages += 1;
    }
    assert_eq!(pages, 3);
    let all: Vec<Value> = client
        .ebay
        .orders()
        .iter()
        .map(|order| json!(order.order_id))
        .collect();
    assert_eq!(seen, all);
}

#[tokio::test]
async fn brackets_must_be_encoded_and_dates_must_have_passed() {
    let client = EbayClient::new().await;
    let raw = client
        .get(&format!(
            "{ORDERS}?filter=creationdate:[2026-11-01T00:00:00.000Z..]"
        ))
        .await;
    assert_eq!(raw.status, StatusCode::BAD_REQUEST);
    let refused = |filter: &str| format!("{ORDERS}?filter={}", encode(filter));
    for (filter, error_id) in [
        ("creationdate:[2026-11-02T12:00:01.000Z..]", 30850),
        ("creationdate:[2026-11-02..]", 30810),
        ("creationdate:[..2026-11-01T00:00:00.000Z]", 30820),
        (
            "creationdate:[2026-11-02T00:00:00.000Z..2026-11-01T00:00:00.000Z]",
            30840,
        ),
        ("creationdate:[2023-11-02T00:00:00.000Z..]", 30830),
        ("orderfulfillmentstatus:{NOT_STARTED}", 30800),
        ("buyer:[x]", 30700),
    ] {
        assert_eq!(
            client.get(&refused(filter)).await.error_id(),
            error_id,
            "{filter}"
        );
    }
    assert_eq!(
        client.get(&format!("{ORDERS}?limit=201")).await.error_id(),
        31100
    );
    let many = vec!["1"; 51].join(",");
    assert_eq!(
        client
            .get(&format!("{ORDERS}?orderIds={many}"))
            .await
            .error_id(),
        30900
    );
}

#[tokio::test]
async fn a_new_order_is_found_late_and_listed_later_still() {
    let client = with_listing(5).await;
    let order_id = client.ebay.place_order(NewOrder::one("LAMP", 1)).unwrap();
    let path = format!("{ORDERS}/{order_id}");
    assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND);
    client.advance_ms(200);
    assert_eq!(client.get(&path).await.status, StatusCode::OK);
    assert_eq!(client.get(ORDERS).await.json()["total"], 0);
    client.advance_ms(800);
    assert_eq!(client.get(ORDERS).await.json()["total"], 1);
}

#[tokio::test]
async fn only_get_order_shows_a_cancel_request() {
    let client = with_listing(5).await;
    let (order_id, _) = visible_order(&client, 1).await;
    client
        .ebay
        .request_cancel(&order_id, "ORDER_PLACED_BY_MISTAKE")
        .unwrap();
    let one = client.get(&format!("{ORDERS}/{order_id}")).await.json();
    assert_eq!(
        one["cancelStatus"]["cancelRequests"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let listed = client.get(ORDERS).await.json()["orders"][0].clone();
    assert_eq!(listed["cancelStatus"]["cancelState"], "IN_PROGRESS");
    assert_eq!(listed["cancelStatus"]["cancelRequests"], json!([]));
}

#[tokio::test]
async fn a_parcel_is_confirmed_with_its_tracking_number_as_id() {
    let client = with_listing(5).await;
    let (order_id, line) = visible_order(&client, 2).await;
    let path = format!("{ORDERS}/{order_id}/shipping_fulfillment");
    let parcel = |number: &str, quantity: u32| {
        json!({
            "lineItems": [{ "lineItemId": line, "quantity": quantity }],
            "shippingCarrierCode": "CAINIAO",
            "trackingNumber": number,
        })
    };
    for (body, error_id) in [
        (parcel("LP-1", 1), 32300),
        (
            json!({ "lineItems": [{ "lineItemId": line }], "trackingNumber": "LP1" }),
            32300,
        ),
        (
            json!({ "lineItems": [{ "lineItemId": line }], "shippingCarrierCode": "UPS" }),
            32300,
        ),
        (parcel("LP1", 3), 32600),
        (json!({ "lineItems": [{ "lineItemId": "9" }] }), 32200),
        (
            json!({ "lineItems": [{ "lineItemId": line }, { "lineItemId": line }] }),
            32210,
        ),
        (json!({ "shippedDate": "2027-01-01T00:00:00.000Z" }), 32500),
    ] {
        assert_eq!(
            client.post(&path, &body).await.error_id(),
            error_id,
            "{body}"
        );
    }
    let made = client.post(&path, &parcel("LP1", 1)).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert!(made.body.is_empty());
    let location = made.headers["location"].to_str().unwrap();
    assert_eq!(location, format!("http://ebay.test{path}/LP1"));
    assert_eq!(
        client.get(&format!("{path}/LP1")).await.json()["shipmentTrackingNumber"],
        "LP1"
    );
    let order = client.get(&format!("{ORDERS}/{order_id}")).await.json();
    assert_eq!(order["orderFulfillmentStatus"], "IN_PROGRESS");
    client.post(&path, &parcel("LP2", 1)).await;
    assert_eq!(client.get(&path).await.json()["total"], 2);
    let order = client.get(&format!("{ORDERS}/{order_id}")).await.json();
    assert_eq!(order["orderFulfillmentStatus"], "FULFILLED");
    assert_eq!(
        client.post(&path, &parcel("LP3", 1)).await.error_id(),
        32600
    );
}

#[tokio::test]
async fn a_parcel_confirmed_twice_is_there_twice_and_counted() {
    let client = with_listing(5).await;
    let (order_id, line) = visible_order(&client, 1).await;
    let path = format!("{ORDERS}/{order_id}/shipping_fulfillment");
    let body = json!({
        "lineItems": [{ "lineItemId": line, "quantity": 1 }],
        "shippingCarrierCode": "CAINIAO",
        "trackingNumber": "LP1",
    });
    client.ebay.fail_next(
        EbayOperation::CreateShippingFulfillment,
        Fault::TimeoutAfter,
        1,
    );
    let lost = client.post(&path, &body).await;
    assert_eq!(lost.wire, Some(WireFault::Hang));
    assert_eq!(client.get(&path).await.json()["total"], 1);
    assert_eq!(client.post(&path, &body).await.status, StatusCode::CREATED);
    assert_eq!(client.ebay.counters().duplicate_fulfillments, 1);
    assert!(client.ebay.order(&order_id).unwrap().fulfillments[1].duplicate);
}

#[tokio::test]
async fn a_bulk_update_judges_each_offer_by_itself() {
    let client = with_listing(5).await;
    let offer = client.get("/sell/inventory/v1/offer?sku=LAMP").await.json()["offers"][0].clone();
    let body = json!({ "requests": [{
        "sku": "LAMP",
        "shipToLocationAvailability": { "quantity": 3 },
        "offers": [
            { "offerId": offer["offerId"], "availableQuantity": 2 },
            { "offerId": "1", "availableQuantity": 2 },
        ],
    }]});
    let got = client.post(BULK, &body).await;
    assert_eq!(got.status, StatusCode::MULTI_STATUS);
    let responses = got.json()["responses"].clone();
    assert_eq!(responses[1]["statusCode"], 200);
    assert_eq!(responses[2]["errors"][0]["errorId"], 25709);
    assert_eq!(client.ebay.listed_quantity("LAMP"), Some(2));
    let two_skus = json!({ "requests": [{ "sku": "LAMP" }, { "sku": "DESK" }] });
    assert_eq!(client.post(BULK, &two_skus).await.error_id(), 25709);
}

#[tokio::test]
async fn inventory_refuses_the_star_language_and_writes_without_a_language() {
    let client = with_listing(5).await;
    let body = json!({ "requests": [{ "sku": "LAMP", "offers": [] }] });
    let star = [("accept-language", "*"), ("content-language", "en-US")];
    let got = client.post_with(BULK, &body, &star).await;
    assert_eq!(got.error_id(), 25709);
    assert!(
        got.json()["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("header Accept-Language")
    );
    assert_eq!(client.post_with(BULK, &body, &[]).await.error_id(), 25709);
    assert_eq!(client.post(BULK, &body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_listing_takes_250_revisions_a_day() {
    let client = with_listing(5).await;
    let offer_id = client.ebay.listings()[0].offer_id.clone();
    let body = json!({ "requests": [{
        "sku": "LAMP",
        "offers": [{ "offerId": offer_id, "availableQuantity": 4 }],
    }]});
    for _ in 0..250 {
        assert_eq!(client.post(BULK, &body).await.status, StatusCode::OK);
    }
    assert_eq!(
        client.post(BULK, &body).await.status,
        StatusCode::MULTI_STATUS
    );
    assert_eq!(client.ebay.counters().revisions_refused, 1);
    client.advance_ms(43_200_000);
    let mut client = client;
    client.token = client.refresh().await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(client.post(BULK, &body).await.status, StatusCode::OK);
}

#[tokio::test]
async fn calls_over_the_limit_get_429_until_the_window_has_passed() {
    let client = EbayClient::new().await;
    let limit = RateLimit {
        calls: 2,
        per_ms: 1_000,
    };
    client
        .ebay
        .set_rate_limit(EbayOperation::GetOrders, Some(limit));
    assert_eq!(client.get(ORDERS).await.status, StatusCode::OK);
    assert_eq!(client.get(ORDERS).await.status, StatusCode::OK);
    assert_eq!(
        client.get(ORDERS).await.status,
        StatusCode::TOO_MANY_REQUESTS
    );
    client.advance_ms(1_000);
    assert_eq!(client.get(ORDERS).await.status, StatusCode::OK);
    assert_eq!(client.ebay.counters().rate_limited["getOrders"], 1);
}

#[tokio::test]
async fn faults_come_in_the_order_they_were_planned_and_then_stop() {
    let client = EbayClient::new().await;
    client
        .ebay
        .fail_next(EbayOperation::GetOrders, Fault::Refused, 1);
    client
        .ebay
        .fail_next(EbayOperation::Any, Fault::ServerError, 1);
    client
        .ebay
        .fail_next(EbayOperation::GetOrders, Fault::HtmlErrorPage, 1);
    client
        .ebay
        .fail_next(EbayOperation::GetOrders, Fault::MalformedBody, 1);
    assert_eq!(client.get(ORDERS).await.wire, Some(WireFault::Refused));
    assert_eq!(client.get(ORDERS).await.error_id(), 30500);
    assert_eq!(client.get(ORDERS).await.status, StatusCode::BAD_GATEWAY);
    let cut = client.get(ORDERS).await;
    assert!(serde_json::from_slice::<Value>(&cut.body).is_err());
    assert_eq!(client.get(ORDERS).await.status, StatusCode::OK);
    assert_eq!(client.ebay.counters().calls["getOrders"], 5);
}

#[tokio::test]
async fn a_customer_buys_no_more_than_is_listed_unless_told_to_oversell() {
    let client = with_listing(1).await;
    assert!(client.ebay.place_order(NewOrder::one("LAMP", 2)).is_err());
    client.ebay.place_order(NewOrder::one("LAMP", 1)).unwrap();
    assert!(client.ebay.place_order(NewOrder::one("LAMP", 1)).is_err());
    let mut greedy = NewOrder::one("LAMP", 1);
    greedy.oversell = true;
    client.ebay.place_order(greedy).unwrap();
    assert_eq!(client.ebay.counters().units_oversold, 1);
}
