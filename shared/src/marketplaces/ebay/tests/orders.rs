//! Orders as eBay sends them.

use super::*;

#[tokio::test]
async fn an_order_is_read_with_its_buyer_sealed() {
    let fetched = fetch(&order_json()).await.unwrap();
    let details = &fetched.details;
    assert_eq!(details.payment, crate::domain::Payment::Paid);
    assert!(details.cancel == crate::domain::Cancel::No && !details.fulfilled);
    assert_eq!(details.total.to_string(), "44.99 USD");
    assert_eq!(details.fee.to_string(), "4.87 USD");
    assert_eq!(details.lines[0].price.to_string(), "38.00 USD");
    assert_eq!(
        details.lines[0].ship_by.unwrap().to_string(),
        "2026-01-17T07:59:59Z"
    );
    assert_eq!(details.lines[1].sku, "");
    let buyer = fetched.buyer.as_ref().unwrap();
    assert_eq!(
        (buyer.name.as_str(), buyer.phone.as_str()),
        ("Ann Example", "")
    );
    assert_eq!(buyer.account_name, "buyer_one");
    assert!(!format!("{fetched:?}").contains("Ann"));
}

#[tokio::test]
async fn states_that_forbid_buying_are_never_read_as_paid() {
    use crate::domain::Payment;
    for (field, value, check) in [
        ("/orderPaymentStatus", "PENDING", Payment::Pending),
        ("/orderPaymentStatus", "FAILED", Payment::Pending),
        ("/orderPaymentStatus", "FULLY_REFUNDED", Payment::Pending),
        ("/orderPaymentStatus", "PARTIALLY_REFUNDED", Payment::Paid),
        (
            "/orderPaymentStatus",
            "A_WORD_OF_TOMORROW",
            Payment::Pending,
        ),
    ] {
        let mut order = order_json();
        *order.pointer_mut(field).unwrap() = value.into();
        assert_eq!(
            fetch(&order).await.unwrap().details.payment,
            check,
            "{value}"
        );
    }
}

#[tokio::test]
async fn only_a_decided_cancellation_is_one() {
    use crate::domain::Cancel;
    for (state, payment, check) in [
        ("NONE_REQUESTED", "PAID", Cancel::No),
        ("IN_PROGRESS", "PAID", Cancel::Requested),
        ("A_WORD_OF_TOMORROW", "PAID", Cancel::Requested),
        ("CANCELED", "PAID", Cancel::Done),
        ("NONE_REQUESTED", "FULLY_REFUNDED", Cancel::Done),
    ] {
        let mut order = order_json();
        order["cancelStatus"]["cancelState"] = state.into();
        order["orderPaymentStatus"] = payment.into();
        assert_eq!(
            fetch(&order).await.unwrap().details.cancel,
            check,
            "{state} {payment}"
        );
    }
}

#[tokio::test]
async fn a_faded_buyer_is_none_and_the_country_is_found_elsewhere() {
    let contact = "/fulfillmentStartInstructions/0/shippingStep/shipTo";
    for field in ["fullName", "contactAddress"] {
        let mut order = order_json();
        order.pointer_mut(contact).unwrap()[field] = Value::Null;
        let fetched = fetch(&order).await.unwrap();
        assert!(fetched.buyer.is_none());
        assert_eq!(fetched.details.country.as_str(), "US");
    }
    let mut order = order_json();
    order["fulfillmentStartInstructions"] = json!([{"pickupStep": {}}]);
    assert!(fetch(&order).await.unwrap().buyer.is_none());
}

#[tokio::test]
async fn a_parcel_for_international_shipping_carries_its_reference() {
    let mut order = order_json();
    order["fulfillmentStartInstructions"][0]["shippingStep"]["shipToReferenceId"] =
        "1234567".into();
    let buyer = fetch(&order).await.unwrap().buyer.unwrap();
    assert_eq!(buyer.address.line2, "Reference 1234567");
}

#[tokio::test]
async fn company_and_county_are_said_in_the_second_line_where_they_say_something() {
    let lines = async |county: &str| {
        let mut order = order_json();
        let contact = &mut order["fulfillmentStartInstructions"][0]["shippingStep"]["shipTo"];
        contact["companyName"] = "Example Ltd".into();
        contact["contactAddress"]["addressLine2"] = "Flat 2".into();
        contact["contactAddress"]["county"] = county.into();
        fetch(&order).await.unwrap().buyer.unwrap().address.line2
    };
    assert_eq!(lines("Surrey").await, "Example Ltd, Flat 2, Surrey");
    assert_eq!(lines("Testville").await, "Example Ltd, Flat 2", "its town");
}

#[tokio::test]
async fn a_field_without_meaning_is_named_and_its_value_is_not() {
    for (field, value, named) in [
        (
            "/pricingSummary/total/value",
            json!("Jane"),
            "pricingSummary.total",
        ),
        (
            "/pricingSummary/total/currency",
            json!("JANE"),
            "pricingSummary.total",
        ),
        (
            "/totalMarketplaceFee/value",
            json!("1.999"),
            "totalMarketplaceFee",
        ),
        ("/creationDate", json!("Jane"), "creationDate"),
        ("/lineItems", json!([]), "lineItems"),
        ("/lineItems/0/quantity", json!(0), "lineItems.quantity"),
        (
            "/lineItems/0/lineItemId",
            json!("Jane Doe"),
            "lineItems.lineItemId",
        ),
        ("/lineItems/0/quantity", json!("Jane"), "shape"),
        ("/cancelStatus", Value::Null, "cancelStatus.cancelState"),
        ("/orderId", json!("another"), "orderId"),
        (
            "/fulfillmentStartInstructions/0/shippingStep/shipTo/contactAddress/countryCode",
            json!("Jane"),
            "shipTo.contactAddress.countryCode",
        ),
    ] {
        let mut order = order_json();
        *order.pointer_mut(field).unwrap() = value;
        let error = fetch(&order).await.unwrap_err();
        assert_eq!(
            (error.kind, error.retry),
            (Kind::Unreadable, Retry::Permanent),
            "{field}"
        );
        assert_eq!((error.code.as_str(), error.effect), (named, Effect::None));
    }
}

#[tokio::test]
async fn an_order_id_cannot_leave_its_place_in_the_path() {
    let world = world();
    let _ = world.ebay.order(&order_id("110-22!3/../x?y=ü%")).await;
    let asked = world.network.asked();
    let path = format!("{ORDER}/110-22%213%2F..%2Fx%3Fy%3D%C3%BC%25");
    assert_eq!(asked[0].uri().path_and_query().unwrap().as_str(), path);
}

#[tokio::test]
async fn changed_orders_are_asked_for_as_documented_and_never_in_the_future() {
    let world = world();
    let next = format!("https://api.ebay.com{ORDER}?limit=200&offset=200");
    let page = json!({
        "next": next,
        "orders": [{"orderId": "1-1", "lastModifiedDate": "2026-01-15T10:01:00.000Z"}]
    });
    world
        .network
        .answer(200, page)
        .answer(200, json!({"total": 0}));
    let from = "2026-01-15T09:00:00.1239Z".parse().unwrap();
    let until = "2026-01-16T00:00:00Z".parse().unwrap();
    let page = world.ebay.changed(from, until, None).await.unwrap();
    assert_eq!(page.orders.len(), 1);
    assert_eq!(page.next.as_deref(), Some("200"));
    let last = world
        .ebay
        .changed(from, until, page.next.as_deref())
        .await
        .unwrap();
    assert!(last.orders.is_empty() && last.next.is_none());
    let asked = world.network.asked();
    let query = |offset| {
        let span = "%5B2026-01-15T09:00:00.123Z..2026-01-15T11:59:55.000Z%5D";
        format!("filter=lastmodifieddate:{span}&limit=200&offset={offset}")
    };
    assert_eq!(asked[0].uri().query(), Some(query(0).as_str()));
    assert_eq!(asked[1].uri().query(), Some(query(200).as_str()));
    assert_eq!(asked[0].headers()["accept-language"], "en-US");
    // A span in the future has no orders and costs no call.
    assert!(
        world
            .ebay
            .changed(until, until, None)
            .await
            .unwrap()
            .orders
            .is_empty()
    );
    assert!(world.network.asked().is_empty());
}

#[tokio::test]
async fn a_next_page_elsewhere_or_backwards_is_not_followed() {
    for next in [
        "https://evil.example.com/sell/fulfillment/v1/order?offset=200",
        "https://api.ebay.com.evil.example/sell/fulfillment/v1/order?offset=200",
        "http://api.ebay.com/sell/fulfillment/v1/order?offset=200",
        "https://api.ebay.com/sell/fulfillment/v1/order/x?offset=200",
        "https://api.ebay.com/sell/fulfillment/v1/order?offset=0",
        "https://api.ebay.com/sell/fulfillment/v1/order?limit=200",
        "//[",
    ] {
        let world = world();
        world.network.answer(200, json!({"next": next}));
        let page = world
            .ebay
            .changed(now() - jiff::SignedDuration::from_hours(1), now(), None);
        let error = page.await.unwrap_err();
        assert_eq!(
            (error.kind, error.code.as_str()),
            (Kind::Unreadable, "next"),
            "{next}"
        );
    }
}
