use super::*;
use serde_json::json;

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn read_text(text: &str) -> Result<Option<Notification>, PushRefused> {
    read(
        &"amazon:main".parse().unwrap(),
        "A1SELLER",
        text.as_bytes(),
        now(),
    )
}

fn order_change(seller: &str) -> Value {
    json!({
        "NotificationVersion": "1.0", "NotificationType": "ORDER_CHANGE", "PayloadVersion": "1.0",
        "EventTime": "2026-01-15T11:59:00Z",
        "Payload": {"OrderChangeNotification": {
            "SellerId": seller, "AmazonOrderId": "111-1234567-1234567",
            "OrderChangeType": "OrderStatusChange", "Summary": {"FulfillmentType": "MFN"},
        }},
        "NotificationMetadata": {"NotificationId": "d0e9e693-c3ad-4373-979f-ed4ec98dd746"},
    })
}

/// The same with the first letter of each key small, as other types have it.
fn camel(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(key, value)| {
                (
                    format!("{}{}", key[..1].to_lowercase(), &key[1..]),
                    camel(value),
                )
            })
            .collect(),
        other => other,
    }
}

#[test]
fn an_order_is_signalled_whatever_the_case_of_the_keys_and_through_the_bus() {
    let pascal = order_change("A1SELLER");
    let bus =
        json!({"version": "0", "id": "event", "detail-type": "ORDER_CHANGE", "detail": pascal});
    for message in [pascal.clone(), camel(pascal), bus] {
        let read = read_text(&message.to_string()).unwrap().unwrap();
        assert_eq!(read.id, "d0e9e693-c3ad-4373-979f-ed4ec98dd746");
        let id = ChannelOrderId::parse("111-1234567-1234567").unwrap();
        let signal = Signal {
            account: "amazon:main".parse().unwrap(),
            kind: SignalKind::OrderChanged(id),
            seen_at: now(),
        };
        assert_eq!(read.signals, [signal]);
    }
}

#[test]
fn another_sellers_message_is_not_ours() {
    assert_eq!(read_text(&order_change("A2OTHER").to_string()), Ok(None));
    let listing = json!({"NotificationType": "LISTINGS_ITEM_STATUS_CHANGE", "Payload": {"SellerId": "A2OTHER"}});
    assert_eq!(read_text(&listing.to_string()), Ok(None));
}

#[test]
fn other_types_and_orders_that_amazon_sends_say_nothing() {
    let mut by_amazon = order_change("A1SELLER");
    by_amazon["Payload"]["OrderChangeNotification"]["Summary"]["FulfillmentType"] = "AFN".into();
    let feed = json!({"notificationType": "FEED_PROCESSING_FINISHED",
        "payload": {"feedProcessingFinishedNotification": {"sellerId": "A1SELLER", "feedId": "1"}},
        "notificationMetadata": {"notificationId": "n"}});
    let of_tomorrow = json!({"NotificationType": "OF_TOMORROW", "Payload": {}});
    for message in [by_amazon, feed, of_tomorrow] {
        let read = read_text(&message.to_string()).unwrap().unwrap();
        assert_eq!(read.signals, [], "{message}");
    }
}

#[test]
fn a_message_without_an_id_has_one_that_a_repeat_shares() {
    let mut message = order_change("A1SELLER");
    message["NotificationMetadata"] = Value::Null;
    let id = |message: &Value| read_text(&message.to_string()).unwrap().unwrap().id;
    let first = id(&message);
    assert!(first.starts_with("sha256:"));
    assert_eq!(first, id(&message));
    message["EventTime"] = "2026-01-15T11:59:01Z".into();
    assert_ne!(first, id(&message));
    let bus = json!({"id": "event", "detail": message});
    assert_eq!(id(&bus), "event");
}

#[test]
fn what_is_no_message_is_refused_without_repeating_it() {
    let mut nameless = order_change("A1SELLER");
    nameless["Payload"]["OrderChangeNotification"]["AmazonOrderId"] = "Jane Doe".into();
    for message in [
        String::new(),
        "<html>Jane</html>".to_owned(),
        "[]".to_owned(),
        "7".to_owned(),
        "{\"NotificationType\":".to_owned(),
        json!({"Payload": {}}).to_string(),
        json!({"NotificationType": 7, "Payload": {}}).to_string(),
        json!({"NotificationType": "ORDER_CHANGE"}).to_string(),
        json!({"NotificationType": "ORDER_CHANGE", "Payload": "Jane"}).to_string(),
        json!({"NotificationType": "ORDER_CHANGE", "Payload": {}}).to_string(),
        nameless.to_string(),
    ] {
        let refused = read_text(&message).unwrap_err();
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{message}");
        assert!(!refused.to_string().contains("Jane"));
    }
    assert!(read(&"amazon:main".parse().unwrap(), "A", &[0xff, 0xfe], now()).is_err());
}
