//! eBay's older Trading API: XML, numbers, and what it refuses.

use crate::common::EbayClient;
use crate::common::Got;
use crate::common::call;
use axum::body::Body;
use http::Request;
use http::StatusCode;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Fault;
use kervan_marketplaces::Money;
use kervan_marketplaces::defaults;
use kervan_marketplaces::ebay::EbayOperation;
use kervan_marketplaces::ebay::NewListing;
use kervan_marketplaces::ebay::NewOrder;
use kervan_marketplaces::ebay::signature::platform_signature;

struct Trading {
    client: EbayClient,
}

impl Trading {
    async fn new() -> Self {
        let client = EbayClient::new().await;
        for n in 1..=5 {
            client.ebay.add_listing(NewListing {
                listing_id: Some(format!("11000000000{n}")),
                trading: true,
                ..NewListing::new(format!("SKU-{n}"), Money::usd(1000), 5)
            });
        }
        Self { client }
    }

    async fn send(&self, name: &str, body: String, token: Option<&str>) -> Got {
        let mut request = Request::post("/ws/api.dll")
            .header("content-type", "text/xml")
            .header("x-ebay-api-call-name", name)
            .header("x-ebay-api-compatibility-level", "1451")
            .header("x-ebay-api-siteid", "0");
        if let Some(token) = token {
            request = request.header("x-ebay-api-iaf-token", token);
        }
        call(
            self.client.ebay.router(),
            request.body(Body::from(body)).unwrap(),
        )
        .await
    }

    async fn call(&self, name: &str, inner: &str) -> String {
        let body = request(name, inner);
        text(&self.send(name, body, Some(&self.client.token)).await)
    }
}

fn request(name: &str, inner: &str) -> String {
    format!("<{name}Request xmlns=\"urn:ebay:apis:eBLBaseComponents\">{inner}</{name}Request>")
}

fn text(got: &Got) -> String {
    assert_eq!(got.status, StatusCode::OK);
    String::from_utf8(got.body.to_vec()).unwrap()
}

fn code(answer: &str) -> &str {
    let after = answer.split("<ErrorCode>").nth(1).expect("an ErrorCode");
    after.split('<').next().unwrap()
}

fn item(n: u32, quantity: u32) -> String {
    format!(
        "<InventoryStatus><ItemID>11000000000{n}</ItemID><SKU>SKU-{n}</SKU><Quantity>{quantity}</Quantity></InventoryStatus>"
    )
}

#[tokio::test]
async fn every_call_needs_a_live_token_its_headers_and_its_own_root() {
    let mut trading = Trading::new().await;
    let name = "GeteBayOfficialTime";
    let missing = trading.send(name, request(name, ""), None).await;
    assert_eq!(code(&text(&missing)), "930");
    let bearer = format!("Bearer {}", trading.client.token);
    let wrong = trading.send(name, request(name, ""), Some(&bearer)).await;
    assert_eq!(code(&text(&wrong)), "21916984");
    let token = trading.client.token.clone();
    for broken in ["", "<a", "<OtherRequest/>", "<GeteBayOfficialTimeRequest/>"] {
        let got = trading.send(name, broken.to_owned(), Some(&token)).await;
        assert_eq!(code(&text(&got)), "5", "{broken}");
    }
    assert_eq!(code(&trading.call("GetEverything", "").await), "2");
    let good = trading.call(name, "").await;
    assert!(
        good.contains("<Ack>Success</Ack>") && good.contains("<Timestamp>2026-11-02T12:00:00.000Z")
    );
    trading.client.ebay.expire_access_tokens();
    assert_eq!(code(&trading.call(name, "").await), "21917053");
    trading.client.token = trading.client.refresh().await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    trading.client.advance_ms(7_200_000);
    assert_eq!(code(&trading.call(name, "").await), "21917053");
}

#[tokio::test]
async fn items_are_revised_by_fours_each_by_itself_and_so_often_a_day() {
    let mut trading = Trading::new().await;
    let ebay = trading.client.ebay.clone();
    let name = "ReviseInventoryStatus";
    let many: String = (1..=5).map(|n| item(n, 1)).collect();
    assert_eq!(code(&trading.call(name, &many).await), "37");
    let twice = item(1, 1) + &item(1, 2);
    assert_eq!(code(&trading.call(name, &twice).await), "37");
    ebay.end_listing("SKU-2").unwrap();
    let partly = trading.call(name, &(item(1, 3) + &item(2, 3))).await;
    assert!(partly.contains("<Ack>PartialFailure</Ack>"), "{partly}");
    assert_eq!(code(&partly), "21916750");
    assert!(partly.contains("<ErrorParameters ParamID=\"SKU\"><Value>SKU-2</Value>"));
    assert_eq!(ebay.listed_quantity("SKU-1"), Some(3));
    let plain = ebay.add_listing(NewListing::new("PLAIN", Money::usd(1), 1));
    let inner = format!(
        "<InventoryStatus><ItemID>{}</ItemID><Quantity>1</Quantity></InventoryStatus>",
        plain.listing_id
    );
    assert_eq!(code(&trading.call(name, &inner).await), "21919474");
    let mut settings = ebay.settings();
    settings.revisions_per_day = 1;
    ebay.set_settings(settings);
    assert_eq!(code(&trading.call(name, &item(1, 4)).await), "240");
    assert_eq!(ebay.counters().revisions_refused, 1);
    trading.client.advance_ms(86_400_000);
    trading.client.token = trading.client.refresh().await.json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let next_day = trading.call(name, &item(1, 4)).await;
    assert!(next_day.contains("<Ack>Success</Ack>"), "{next_day}");
}

#[tokio::test]
async fn orders_come_in_pages_and_spans_of_a_month() {
    let trading = Trading::new().await;
    let client = &trading.client;
    for _ in 0..3 {
        client.ebay.place_order(NewOrder::one("SKU-1", 1)).unwrap();
    }
    client.advance_ms(60_000);
    let span = |from: &str, page: u32| {
        format!(
            "<ModTimeFrom>{from}</ModTimeFrom><ModTimeTo>2026-11-02T12:01:00.000Z</ModTimeTo><Pagination><EntriesPerPage>2</EntriesPerPage><PageNumber>{page}</PageNumber></Pagination>"
        )
    };
    let from = "2026-11-02T11:00:00.000Z";
    let first = trading.call("GetOrders", &span(from, 1)).await;
    assert_eq!(first.matches("<Order>").count(), 2);
    assert!(first.contains("<HasMoreOrders>true</HasMoreOrders>"));
    let second = trading.call("GetOrders", &span(from, 2)).await;
    assert_eq!(second.matches("<Order>").count(), 1);
    assert!(second.contains("<HasMoreOrders>false</HasMoreOrders>"));
    let third = trading.call("GetOrders", &span(from, 3)).await;
    assert!(third.contains("<OrderArray />"));
    assert_eq!(
        code(
            &trading
                .call("GetOrders", &span("2026-10-01T00:00:00.000Z", 1))
                .await
        ),
        "37"
    );
    assert_eq!(code(&trading.call("GetOrders", "").await), "37");
}

#[tokio::test]
async fn a_sale_is_completed_by_its_line_and_a_repeat_replaces() {
    let trading = Trading::new().await;
    let client = &trading.client;
    let order = client
        .ebay
        .place_order(NewOrder::of([("SKU-1", 2), ("SKU-2", 1)]))
        .unwrap();
    client.advance_ms(5_000);
    let line = client.ebay.order(&order).unwrap().lines[0].clone();
    let id = format!("{}-{}", line.listing_id, line.line_item_id);
    let sale = |time: &str, number: &str| {
        format!(
            "<OrderLineItemID>{id}</OrderLineItemID><Shipped>true</Shipped><Shipment><ShippedTime>{time}</ShippedTime><ShipmentTrackingDetails><ShipmentTrackingNumber>{number}</ShipmentTrackingNumber><ShippingCarrierUsed>UPS</ShippingCarrierUsed></ShipmentTrackingDetails></Shipment>"
        )
    };
    for number in ["AAAA1", "AAAA1", "BBBB2"] {
        let done = trading
            .call("CompleteSale", &sale("2026-11-02T12:00:00Z", number))
            .await;
        assert!(done.contains("<Ack>Success</Ack>"), "{done}");
    }
    let view = client.ebay.order(&order).unwrap();
    assert_eq!(view.fulfillments.len(), 1);
    assert_eq!(view.fulfillments[0].fulfillment_id, "BBBB2");
    assert_eq!((view.lines[0].shipped, view.lines[1].shipped), (2, 0));
    for wrong in [
        sale("2026-11-03T00:00:00Z", "AAAA1"),
        sale("2026-11-02T12:00:00Z", "A-1"),
    ] {
        assert_eq!(code(&trading.call("CompleteSale", &wrong).await), "37");
    }
    let named = trading
        .call(
            "GetOrders",
            &format!("<OrderIDArray><OrderID>{id}</OrderID></OrderIDArray>"),
        )
        .await;
    assert!(named.contains(&format!("<OrderID>{order}</OrderID>")));
    assert!(named.contains("<ShipmentTrackingNumber>BBBB2</ShipmentTrackingNumber>"));
}

#[tokio::test]
async fn faults_are_in_the_words_of_this_api() {
    let trading = Trading::new().await;
    let operation = EbayOperation::GeteBayOfficialTime;
    trading
        .client
        .ebay
        .fail_next(operation, Fault::TooManyRequests, 1);
    assert_eq!(code(&trading.call("GeteBayOfficialTime", "").await), "518");
    trading
        .client
        .ebay
        .fail_next(operation, Fault::ServerError, 1);
    let failed = trading.call("GeteBayOfficialTime", "").await;
    assert!(failed.contains("SystemError") && code(&failed) == "10007");
}

#[tokio::test]
async fn events_that_are_asked_for_are_sent_and_signed() {
    let trading = Trading::new().await;
    let ebay = &trading.client.ebay;
    let set = "<ApplicationDeliveryPreferences><ApplicationEnable>Enable</ApplicationEnable><ApplicationURL>https://hooks.example.com/x</ApplicationURL></ApplicationDeliveryPreferences><UserDeliveryPreferenceArray><NotificationEnable><EventType>FixedPriceTransaction</EventType><EventEnable>Enable</EventEnable></NotificationEnable></UserDeliveryPreferenceArray>";
    ebay.place_order(NewOrder::one("SKU-1", 1)).unwrap();
    assert!(ebay.pushes().is_empty());
    trading.call("SetNotificationPreferences", set).await;
    let user = trading
        .call(
            "GetNotificationPreferences",
            "<PreferenceLevel>User</PreferenceLevel>",
        )
        .await;
    assert!(
        user.contains(
            "<EventType>FixedPriceTransaction</EventType><EventEnable>Enable</EventEnable>"
        )
    );
    ebay.place_order(NewOrder::of([("SKU-1", 1), ("SKU-2", 1)]))
        .unwrap();
    let pushes = ebay.take_due_pushes(trading.client.clock.now());
    assert_eq!(pushes.len(), 2);
    let body = String::from_utf8(pushes[0].body.to_vec()).unwrap();
    let signature = platform_signature(
        "2026-11-02T12:00:00.000Z",
        defaults::EBAY_DEV_ID,
        defaults::EBAY_CLIENT_ID,
        defaults::EBAY_CLIENT_SECRET,
    );
    assert!(body.contains(&signature));
    let wrong = set.replace("FixedPriceTransaction", "AnythingElse");
    assert_eq!(
        code(&trading.call("SetNotificationPreferences", &wrong).await),
        "37"
    );
}
