//! Pushes, signed with a key made here.

use super::*;
use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;
use jiff::SignedDuration;
use p256::{
    ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner},
    pkcs8::EncodePublicKey,
};
use proptest::prelude::*;
use sha1::{Digest, Sha1};

const KID: &str = "00000000-1111-4222-8333-444444444444";

fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

fn key_answer(algorithm: &str, digest: &str) -> Value {
    let der = signing_key().verifying_key().to_public_key_der().unwrap();
    let base64 = STANDARD.encode(der.as_bytes());
    let pem = format!("-----BEGIN PUBLIC KEY-----{base64}-----END PUBLIC KEY-----");
    json!({"key": pem, "algorithm": algorithm, "digest": digest})
}

fn header(kid: &str, signature: &str) -> String {
    let header = json!({"alg": "ecdsa", "kid": kid, "signature": signature, "digest": "SHA1"});
    STANDARD.encode(header.to_string())
}

fn push_with(header: Option<&str>, body: &[u8]) -> Unverified {
    let mut headers = HeaderMap::new();
    if let Some(header) = header {
        headers.insert("x-ebay-signature", header.parse().unwrap());
    }
    Unverified::new(headers, Bytes::copy_from_slice(body))
}

fn signed_by(kid: &str, body: &[u8]) -> Unverified {
    let mut prehash = [0; 32];
    prehash[12..].copy_from_slice(&Sha1::digest(body));
    let signature: Signature = signing_key().sign_prehash(&prehash).unwrap();
    let signature = STANDARD.encode(signature.to_der().as_bytes());
    push_with(Some(&header(kid, &signature)), body)
}

fn body(topic: &str, published: &str, data: Value) -> Vec<u8> {
    let notification = json!({"notificationId": "n", "publishDate": published, "data": data});
    json!({"metadata": {"topic": topic}, "notification": notification})
        .to_string()
        .into_bytes()
}

fn of_order(published: &str) -> Vec<u8> {
    body(
        "ORDER_CONFIRMATION",
        published,
        json!({"order": {"orderId": "1-1"}}),
    )
}

fn token_answer() -> Value {
    json!({"access_token": "application-token", "expires_in": 7200, "token_type": "x"})
}

/// A world that has met the key.
fn world_with_key() -> World {
    let world = world();
    world
        .network
        .answer(200, token_answer())
        .answer(200, key_answer("ECDSA", "SHA1"));
    world
}

async fn verify(world: &World, body: &[u8]) -> Result<Vec<Signal>, PushRefused> {
    world.ebay.verify(signed_by(KID, body)).await
}

async fn status(world: &World, push: Unverified) -> u16 {
    match world.ebay.verify(push).await {
        Ok(_) => 204,
        Err(refused) => refused.status.as_u16(),
    }
}

#[tokio::test]
async fn a_signed_push_is_a_signal_and_its_key_is_fetched_once_an_hour() {
    let world = world_with_key();
    let push = of_order("2026-01-15T11:59:00.000Z");
    for _ in 0..3 {
        let signals = verify(&world, &push).await.unwrap();
        assert_eq!(signals[0].kind, SignalKind::OrderChanged(order_id("1-1")));
        assert_eq!(signals[0].seen_at, now());
    }
    let asked = world.network.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].uri().path(), "/identity/v1/oauth2/token");
    assert_eq!(
        asked[0].headers()["authorization"],
        "Basic RXhhbXBsZS1BcHA6ZXhhbXBsZS1jZXJ0"
    );
    let form = "grant_type=client_credentials&scope=https%3A%2F%2Fapi.ebay.com%2Foauth%2Fapi_scope";
    assert_eq!(asked[0].body(), form);
    assert_eq!(
        asked[1].uri().path(),
        format!("/commerce/notification/v1/public_key/{KID}")
    );
    assert_eq!(
        asked[1].headers()["authorization"],
        "Bearer application-token"
    );
    // After an hour the key is asked for again, the token not yet.
    world.clock.advance(SignedDuration::from_hours(1));
    world.network.answer(200, key_answer("ECDSA", "SHA1"));
    verify(&world, &push).await.unwrap();
    assert_eq!(world.network.asked().len(), 1);
}

#[tokio::test]
async fn an_application_token_that_is_refused_is_renewed_once() {
    let world = world();
    world
        .network
        .answer(200, token_answer())
        .answer(401, "")
        .answer(200, token_answer());
    world.network.answer(200, key_answer("ECDSA", "SHA1"));
    verify(&world, &of_order("2026-01-15T11:59:00Z"))
        .await
        .unwrap();
    assert_eq!(world.network.asked().len(), 4);
}

#[tokio::test]
async fn age_counts_for_orders_and_never_for_an_erasure() {
    let world = world_with_key();
    for (published, taken) in [
        ("2026-01-13T12:00:00.000Z", true),
        ("2026-01-13T11:59:59.000Z", false),
        ("2026-01-15T12:10:00.000Z", true),
        ("2026-01-15T12:10:01.000Z", false),
    ] {
        let outcome = verify(&world, &of_order(published)).await;
        assert_eq!(outcome.is_ok(), taken, "{published}");
        if let Err(refused) = outcome {
            assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
        }
    }
    let data = json!({"username": " Buyer_One ", "userId": "u1", "eiasToken": "e1=="});
    for published in ["2001-01-01T00:00:00.000Z", "not a time"] {
        let push = body("MARKETPLACE_ACCOUNT_DELETION", published, data.clone());
        let signals = verify(&world, &push).await.unwrap();
        let SignalKind::PersonErased(persons) = &signals[0].kind else {
            panic!("{signals:?}");
        };
        assert_eq!(persons.len(), 3);
        // The same person as an order's buyer has it.
        let buyer = world
            .ebay
            .outside
            .pseudonyms
            .key()
            .await
            .unwrap()
            .of(&world.ebay.id, "buyer_one");
        assert_eq!(Some(&persons[0]), buyer.as_ref());
    }
}

#[tokio::test]
async fn topics_that_are_not_about_orders_are_taken_and_say_nothing() {
    let world = world_with_key();
    for data in [
        json!({"itemId": "1"}),
        Value::Null,
        json!({"order": "x"}),
        json!([1]),
    ] {
        let push = body("A_TOPIC_OF_TOMORROW", "1999-01-01T00:00:00Z", data);
        assert_eq!(verify(&world, &push).await, Ok(Vec::new()));
    }
    let push = body(
        "ITEM_MARKED_SHIPPED",
        "2026-01-15T11:59:00Z",
        json!({"orderId": "2-2"}),
    );
    assert_eq!(
        verify(&world, &push).await.unwrap()[0].kind,
        SignalKind::OrderChanged(order_id("2-2"))
    );
}

#[tokio::test]
async fn a_verified_body_that_is_malformed_is_refused_for_good() {
    let world = world_with_key();
    let order = |id: Value| {
        body(
            "X",
            "2026-01-15T11:59:00Z",
            json!({"order": {"orderId": id}}),
        )
    };
    for body in [
        b"{".to_vec(),
        b"{}".to_vec(),
        order(json!(7)),
        order(json!("a b")),
        of_order("yesterday"),
        body("MARKETPLACE_ACCOUNT_DELETION", "", json!({"username": ""})),
    ] {
        assert_eq!(
            verify(&world, &body).await.unwrap_err().status,
            StatusCode::BAD_REQUEST
        );
    }
}

#[tokio::test]
async fn a_signature_that_does_not_fit_is_refused() {
    let world = world_with_key();
    let good = of_order("2026-01-15T11:59:00Z");
    verify(&world, &good).await.unwrap();
    world.network.asked();
    let good_header = signed_by(KID, &good)
        .header("x-ebay-signature")
        .unwrap()
        .to_owned();
    let mut longer = good.clone();
    longer.push(b' ');
    assert_eq!(
        status(&world, push_with(Some(&good_header), &longer)).await,
        412
    );
    assert_eq!(status(&world, push_with(None, &good)).await, 412);
    let mut twice = HeaderMap::new();
    twice.append("x-ebay-signature", good_header.parse().unwrap());
    twice.append("x-ebay-signature", good_header.parse().unwrap());
    assert_eq!(
        status(&world, Unverified::new(twice, good.clone().into())).await,
        412
    );
    let long = "x".repeat(4_000);
    for wrong in [
        "",
        "%%",
        "bm90IGpzb24=",
        &long,
        &header(KID, "AAAA"),
        &header(KID, "%"),
    ] {
        assert_eq!(
            status(&world, push_with(Some(wrong), &good)).await,
            412,
            "{wrong}"
        );
    }
    assert!(world.network.asked().is_empty());
}

#[tokio::test]
async fn an_id_that_is_none_of_ebays_is_not_looked_up() {
    let world = world();
    for kid in [
        "",
        "short",
        "../../../sell/account/v1",
        "9936261a_7d7b_4621_a0f1",
        &"a".repeat(65),
    ] {
        assert_eq!(status(&world, signed_by(kid, b"{}")).await, 412, "{kid}");
    }
    assert!(world.network.asked().is_empty());
}

#[tokio::test]
async fn only_the_announced_algorithm_is_taken() {
    for (algorithm, digest) in [
        ("RSA", "SHA1"),
        ("ECDSA", "MD5"),
        ("ECDSA", "SHA256"),
        ("", ""),
    ] {
        let world = world();
        world
            .network
            .answer(200, token_answer())
            .answer(200, key_answer(algorithm, digest));
        let push = of_order("2026-01-15T11:59:00Z");
        assert_eq!(verify(&world, &push).await.unwrap_err().status, 500);
        // It is remembered, and not asked for again at once.
        assert_eq!(verify(&world, &push).await.unwrap_err().status, 500);
        assert_eq!(world.network.asked().len(), 2);
    }
}

#[tokio::test]
async fn made_up_keys_cost_a_few_calls_a_minute_and_never_shut_out_a_known_one() {
    let world = world_with_key();
    let push = of_order("2026-01-15T12:30:00Z");
    world.clock.advance(SignedDuration::from_mins(30));
    verify(&world, &push).await.unwrap();
    world.network.asked();
    for _ in 0..limits::NEW_KEY_LOOK_UPS_PER_MINUTE {
        world
            .network
            .answer(404, json!({"errors": [{"errorId": 195001}]}));
    }
    let mut statuses = Vec::new();
    for n in 0..40 {
        let kid = format!("{n:0>36}");
        statuses.push(status(&world, signed_by(&kid, &push)).await);
        // The same id again costs nothing.
        assert!([412, 503].contains(&status(&world, signed_by(&kid, &push)).await));
    }
    // One of the ten in this minute was the key that is known now.
    assert_eq!(statuses.iter().filter(|s| **s == 412).count(), 9);
    assert_eq!(statuses.iter().filter(|s| **s == 503).count(), 31);
    assert_eq!(world.network.asked().len(), 9);
    world.network.answers.lock().unwrap().clear();
    world.clock.advance(SignedDuration::from_mins(59));
    for n in 100..120 {
        let kid = format!("{n:0>36}");
        assert!([500, 503].contains(&status(&world, signed_by(&kid, &push)).await));
    }
    world.clock.advance(SignedDuration::from_secs(61));
    for n in 200..220 {
        let kid = format!("{n:0>36}");
        status(&world, signed_by(&kid, &push)).await;
    }
    world.network.answer(200, key_answer("ECDSA", "SHA1"));
    verify(&world, &push).await.unwrap();
}

#[tokio::test]
async fn a_key_that_cannot_be_read_now_makes_ebay_send_again() {
    let world = world();
    world.network.answer(200, token_answer()).answer(500, "");
    let push = of_order("2026-01-15T11:59:00Z");
    assert_eq!(verify(&world, &push).await.unwrap_err().status, 500);
    assert_eq!(verify(&world, &push).await.unwrap_err().status, 500);
    assert_eq!(world.network.asked().len(), 2);
    world.clock.advance(limits::KEY_FAULT_KEPT);
    world.network.answer(200, key_answer("ECDSA", "SHA1"));
    verify(&world, &push).await.unwrap();
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn no_header_and_no_body_pass_unsigned(header in "[ -~]{0,300}", body in prop::collection::vec(any::<u8>(), 0..300)) {
        let world = world_with_key();
        prop_assert!(block_on(world.ebay.verify(push_with(Some(&header), &body))).is_err());
    }

    #[test]
    fn no_changed_byte_passes(at in 0_usize..100, with in 1_u8..) {
        let world = world_with_key();
        let mut body = of_order("2026-01-15T11:59:00Z");
        let header = signed_by(KID, &body).header("x-ebay-signature").unwrap().to_owned();
        let at = at % body.len();
        body[at] ^= with;
        prop_assert!(block_on(world.ebay.verify(push_with(Some(&header), &body))).is_err());
    }

    #[test]
    fn no_signature_made_of_noise_passes(der in prop::collection::vec(any::<u8>(), 0..80)) {
        let world = world_with_key();
        let body = of_order("2026-01-15T11:59:00Z");
        let header = header(KID, &STANDARD.encode(der));
        prop_assert!(block_on(world.ebay.verify(push_with(Some(&header), &body))).is_err());
    }

    #[test]
    fn no_signed_bytes_and_no_answer_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), status in 100_u16..600) {
        let world = world_with_key();
        let _ = block_on(verify(&world, &bytes));
        world.network.answer(status, String::from_utf8_lossy(&bytes));
        prop_assert!(block_on(world.ebay.order(&order_id("1-1"))).is_err());
        world.network.answer(status, String::from_utf8_lossy(&bytes));
        let outcomes = block_on(world.ebay.push(&[update("A", "a", 1)], jiff::Timestamp::MAX));
        prop_assert!(outcomes.is_err() || outcomes.unwrap()[0].is_err());
    }

    #[test]
    fn no_query_makes_the_challenge_panic(query in ".{0,300}") {
        let _ = world().ebay.challenge(&query);
    }
}
