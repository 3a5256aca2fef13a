//! Pushes, verified.

use super::*;

fn push(body: &[u8], authorization: Option<&str>) -> Unverified {
    let mut headers = HeaderMap::new();
    if let Some(text) = authorization {
        headers.insert("authorization", text.parse().unwrap());
    }
    Unverified::new(headers, Bytes::copy_from_slice(body))
}

fn signed(body: &[u8]) -> Unverified {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"app-secret").unwrap();
    mac.update(b"500123");
    mac.update(body);
    push(body, Some(&hex::encode(mac.finalize().into_bytes())))
}

fn verified(push: Unverified) -> Result<Vec<Signal>, u16> {
    let shop = shop(Arc::default());
    block_on(shop.verify(push)).map_err(|refused| refused.status.as_u16())
}

fn order_push(change: impl FnOnce(&mut Value)) -> Unverified {
    let now: Timestamp = NOW.parse().unwrap();
    let mut body = json!({"data": {"buyerId": 1, "orderId": 1105933950463697_u64,
        "orderStatus": "OrderShipped"}, "message_type": 53, "seller_id": "77",
        "site": "ae_global", "timestamp": now.as_second()});
    change(&mut body);
    signed(body.to_string().as_bytes())
}

#[test]
fn a_push_of_an_order_is_a_signal_whatever_its_type() {
    for change in [
        (|_| ()) as fn(&mut Value),
        |body| body["message_type"] = json!(99),
        |body| body["data"]["orderId"] = json!("1105933950463697"),
        |body| body["data"] = json!(body["data"].to_string()),
        |body| body["timestamp"] = json!(body["timestamp"].as_i64().unwrap() * 1000),
        |body| body["timestamp"] = json!(body["timestamp"].to_string()),
    ] {
        let signals = verified(order_push(change)).unwrap();
        let id = SupplierOrderId::parse("1105933950463697").unwrap();
        assert_eq!(signals[0].kind, SignalKind::SupplierOrderChanged(id));
    }
}

#[test]
fn other_pushes_are_taken_without_a_signal() {
    for change in [
        (|body| body["data"] = json!({"productId": 5})) as fn(&mut Value),
        |body| body["data"] = Value::Null,
        |body| body["seller_id"] = json!(78),
    ] {
        assert_eq!(verified(order_push(change)), Ok(Vec::new()));
    }
}

#[test]
fn a_push_is_refused_for_its_signature_its_age_and_its_shape() {
    assert_eq!(verified(push(b"{}", None)), Err(401));
    assert_eq!(verified(push(b"{}", Some("00"))), Err(401));
    assert_eq!(verified(signed(b"{not json")), Err(400));
    assert_eq!(verified(signed(b"{}")), Err(400));
    let aged = |by: i64| {
        verified(order_push(|body| {
            body["timestamp"] = json!(body["timestamp"].as_i64().unwrap() + by);
        }))
    };
    assert_eq!(aged(-86_401), Err(401));
    assert!(aged(-86_399).is_ok());
    assert_eq!(aged(601), Err(401));
    assert!(aged(599).is_ok());
    let spaced = order_push(|body| body["data"]["orderId"] = json!("1 2"));
    assert_eq!(verified(spaced), Err(400));
}

proptest! {
    #[test]
    fn no_push_makes_the_verifier_panic(
        body in prop::collection::vec(any::<u8>(), 0..200),
        header in "[ -~]{0,80}",
        timestamp in any::<i64>(),
    ) {
        let _ = verified(push(&body, Some(header.trim())));
        let _ = verified(signed(&body));
        let _ = verified(order_push(|push| push["timestamp"] = json!(timestamp)));
    }
}
