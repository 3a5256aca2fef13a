//! Parcels and listings.

use super::*;

fn parcel() -> ParcelToConfirm {
    let line = |id: &str, quantity| ParcelLine {
        line: LineId::parse(id).unwrap(),
        quantity,
    };
    ParcelToConfirm {
        tracking_number: TrackingNumber::parse("LP 0012-3456").unwrap(),
        carrier: "China Post Registered Air Mail".into(),
        lines: vec![line("1001", 1), line("1002", 1), line("1001", 1)],
        shipped_at: "2026-01-16T00:00:00Z".parse().unwrap(),
        not_after: jiff::Timestamp::MAX,
    }
}

#[tokio::test]
async fn a_parcel_is_confirmed_in_one_call() {
    let world = world();
    world.network.answer(201, "");
    world
        .ebay
        .confirm(&order_id("1-1"), &parcel())
        .await
        .unwrap();
    let asked = world.network.asked();
    assert_eq!(
        asked[0].uri().path(),
        format!("{ORDER}/1-1/shipping_fulfillment")
    );
    assert_eq!(asked[0].headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap();
    let lines =
        json!([{"lineItemId": "1001", "quantity": 2}, {"lineItemId": "1002", "quantity": 1}]);
    let expected = json!({
        "lineItems": lines, "shippedDate": "2026-01-15T11:59:55.000Z",
        "shippingCarrierCode": "ChinaPost", "trackingNumber": "LP00123456"
    });
    assert_eq!(body, expected);
    let error = world
        .ebay
        .confirm(&order_id("1-1"), &parcel())
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.effect),
        (Kind::NoAnswer, Effect::Unknown)
    );
}

#[tokio::test]
async fn only_ebays_own_answer_confirms_a_parcel() {
    let page = "<html><body>Please sign in</body></html>";
    for (status, body) in [(200, ""), (200, page), (201, page), (202, ""), (204, "")] {
        let world = world();
        world.network.answer(status, body);
        let confirmed = world.ebay.confirm(&order_id("1-1"), &parcel()).await;
        let error = confirmed.unwrap_err();
        let axes = (error.kind, error.effect);
        assert_eq!(axes, (Kind::Unreadable, Effect::Unknown), "{status}");
        assert!(matches!(error.retry, Retry::After(_)), "{status}");
    }
}

#[tokio::test]
async fn a_parcel_is_found_by_its_number_however_it_is_written() {
    for (fulfillments, found) in [
        (json!([{"shipmentTrackingNumber": "lp-0012 3456"}]), true),
        (json!([{"fulfillmentId": "LP00123456"}]), true),
        (
            json!([{"fulfillmentId": "999", "shipmentTrackingNumber": "LP00123457"}]),
            false,
        ),
        (json!([]), false),
        (Value::Null, false),
    ] {
        let world = world();
        world
            .network
            .answer(200, json!({"fulfillments": fulfillments}));
        let number = &parcel().tracking_number;
        assert_eq!(
            world
                .ebay
                .is_confirmed(&order_id("1-1"), number)
                .await
                .unwrap(),
            found
        );
    }
}

#[tokio::test]
async fn listings_are_set_a_sku_a_call_and_matched_by_offer() {
    let world = world();
    let answer = json!({"responses": [
        {"statusCode": 200, "sku": "A"},
        {"statusCode": 400, "sku": "A", "offerId": "a2", "errors": [{"errorId": 25709, "category": "REQUEST"}]},
        {"statusCode": 200, "sku": "A", "offerId": "a1"}
    ]});
    world.network.answer(207, answer);
    let pool = json!({"responses": [
        {"statusCode": 500, "sku": "B", "errors": [{"errorId": 25001, "category": "APPLICATION"}]},
        {"statusCode": 200, "sku": "B", "offerId": "b1"}
    ]});
    world.network.answer(200, pool);
    let updates = [
        update("A", "a1", 3),
        update("B", "b1", 1),
        update("A", "a2", 5),
        update("A", "a3", 4),
    ];
    let outcomes = world
        .ebay
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    let codes: Vec<_> = outcomes
        .iter()
        .map(|o| o.as_ref().err().map(|e| e.code.as_str()))
        .collect();
    assert_eq!(codes, [None, Some("25001"), Some("25709"), Some("offerId")]);
    let asked = world.network.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].headers()["content-language"], "en-US");
    assert_eq!(asked[0].headers()["x-ebay-c-marketplace-id"], "EBAY_US");
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(body["requests"].as_array().unwrap().len(), 1);
    assert_eq!(
        body["requests"][0]["shipToLocationAvailability"]["quantity"],
        5
    );
    let first = json!({"offerId": "a1", "availableQuantity": 3, "price": amount("19.90")});
    assert_eq!(body["requests"][0]["offers"][0], first);
}

#[tokio::test]
async fn the_last_update_of_a_listing_counts_and_a_call_is_never_too_large() {
    let world = world();
    let entries = |range: std::ops::Range<u32>| {
        let entry = |n: u32| json!({"statusCode": 200, "offerId": n.to_string()});
        json!({"responses": range.map(entry).collect::<Vec<_>>()})
    };
    world
        .network
        .answer(200, entries(0..25))
        .answer(200, entries(25..26));
    let mut updates = vec![update("A", "0", 9)];
    updates.extend((0..26).map(|n| update("A", &n.to_string(), 1)));
    let outcomes = world
        .ebay
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    assert!(outcomes.len() == 27 && outcomes.iter().all(Result::is_ok));
    let asked = world.network.asked();
    let body: Value = serde_json::from_slice(asked[0].body()).unwrap();
    assert_eq!(
        body["requests"][0]["shipToLocationAvailability"]["quantity"],
        1
    );
    assert_eq!(body["requests"][0]["offers"].as_array().unwrap().len(), 25);
    assert!(
        world
            .ebay
            .push(&[], jiff::Timestamp::MAX)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn what_stops_one_sku_for_all_is_not_tried_with_the_next() {
    let world = world();
    let updates = [
        update("A", "a", 1),
        update("B", "b", 1),
        update("C", "c", 1),
    ];
    world.network.answer(429, "");
    assert_eq!(
        world
            .ebay
            .push(&updates, jiff::Timestamp::MAX)
            .await
            .unwrap_err()
            .kind,
        Kind::Throttled
    );
    assert_eq!(world.network.asked().len(), 1);

    world.network.answer(
        200,
        json!({"responses": [{"statusCode": 200, "offerId": "a"}]}),
    );
    let outcomes = world
        .ebay
        .push(&updates, jiff::Timestamp::MAX)
        .await
        .unwrap();
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().effect, Effect::Unknown);
    assert_eq!(outcomes[2].as_ref().unwrap_err().effect, Effect::None);
    assert_eq!(world.network.asked().len(), 2);
}

#[test]
fn one_call_takes_25_offers_of_a_sku_or_4_items_of_the_trading_api() {
    let world = world();
    let listings: Vec<ListingId> = (0..60)
        .map(|n| match n % 3 {
            0 => update("A", &format!("{n}"), 1).listing,
            1 => update("B", &format!("{n}"), 1).listing,
            // Two variations of each item.
            _ => update("C", &format!("item:{}", n / 6), 1).listing,
        })
        .collect();
    let all: Vec<&ListingId> = listings.iter().collect();
    let of_a: Vec<usize> = (0..60).step_by(3).collect();
    assert_eq!(world.ebay.one_call(&all), of_a);
    let many: Vec<&ListingId> = std::iter::repeat_n(all[0], 30).collect();
    assert_eq!(world.ebay.one_call(&many).len(), 25);
    assert_eq!(world.ebay.one_call(&all[2..]), [0, 6, 12, 18]);
    assert!(world.ebay.one_call(&[]).is_empty());
}
