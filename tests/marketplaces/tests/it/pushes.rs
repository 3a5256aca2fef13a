//! What the marketplaces send: signed, redelivered, stopped.

use crate::common::AliClient;
use crate::common::EbayClient;
use crate::common::encode;
use kervan_marketplaces::Clock;
use kervan_marketplaces::Money;
use kervan_marketplaces::PushState;
use kervan_marketplaces::aliexpress::NewProduct;
use kervan_marketplaces::aliexpress::signature::push_authorization;
use kervan_marketplaces::defaults;
use kervan_marketplaces::ebay::NewListing;
use kervan_marketplaces::ebay::NewOrder;
use kervan_marketplaces::ebay::signature::challenge_response;
use kervan_marketplaces::ebay::signature::key_id;
use kervan_marketplaces::ebay::signature::notification_is_signed;
use serde_json::Value;
use serde_json::json;

const ENDPOINT: &str = "https://hooks.example.invalid/ebay";
const TOKEN: &str = defaults::EBAY_VERIFICATION_TOKEN;

async fn registered() -> EbayClient {
    let client = EbayClient::new().await;
    for sku in ["LAMP", "DESK"] {
        client
            .ebay
            .add_listing(NewListing::new(sku, Money::usd(1999), 9));
    }
    let challenge = client.ebay.begin_registration(ENDPOINT, TOKEN).unwrap();
    let code = challenge.url.split("challenge_code=").nth(1).unwrap();
    let answer = json!({ "challengeResponse": challenge_response(code, TOKEN, ENDPOINT) });
    let body = answer.to_string();
    client
        .ebay
        .finish_registration(&challenge, 200, "application/json", body.as_bytes())
        .unwrap();
    client
}

#[tokio::test]
async fn an_endpoint_that_answers_the_challenge_wrongly_is_refused_with_the_reason() {
    let client = EbayClient::new().await;
    assert!(
        client
            .ebay
            .begin_registration(ENDPOINT, "too-short")
            .is_err()
    );
    let challenge = client.ebay.begin_registration(ENDPOINT, TOKEN).unwrap();
    let wrong = json!({ "challengeResponse": "00" }).to_string();
    let cases: [(u16, &str, &[u8], &str); 4] = [
        (202, "application/json", b"{}", "status 202"),
        (200, "text/plain", b"{}", "content type"),
        (200, "application/json", b"\xEF\xBB\xBF{}", "not JSON"),
        (200, "application/json", wrong.as_bytes(), "expected hash"),
    ];
    for (status, content_type, body, reason) in cases {
        let refused = client
            .ebay
            .finish_registration(&challenge, status, content_type, body);
        assert!(
            refused.unwrap_err().to_string().contains(reason),
            "{reason}"
        );
    }
    assert_eq!(client.ebay.delete_account("somebody"), None);
}

#[tokio::test]
async fn each_line_is_announced_and_every_attempt_is_signed_with_the_published_key() {
    let client = registered().await;
    client
        .ebay
        .place_order(NewOrder::of([("LAMP", 1), ("DESK", 2)]))
        .unwrap();
    let first = client.ebay.take_due_pushes(client.clock.now());
    assert_eq!(first.len(), 2);
    let header = first[0].headers["x-ebay-signature"]
        .to_str()
        .unwrap()
        .to_owned();
    let mut reader = EbayClient {
        token: String::new(),
        ebay: client.ebay.clone(),
        clock: client.clock.clone(),
    };
    let scope = encode("https://api.ebay.com/oauth/api_scope");
    let got = reader
        .token_call(&format!("grant_type=client_credentials&scope={scope}"))
        .await;
    reader.token = got.json()["access_token"].as_str().unwrap().to_owned();
    let path = format!(
        "/commerce/notification/v1/public_key/{}",
        key_id(&header).unwrap()
    );
    let key = reader.get(&path).await.json();
    assert_eq!(
        (&key["algorithm"], &key["digest"]),
        (&json!("ECDSA"), &json!("SHA1"))
    );
    let key = key["key"].as_str().unwrap();
    assert!(!key.contains('\n'));
    assert!(notification_is_signed(&header, &first[0].body, key));
    let mut forged = first[0].body.to_vec();
    forged.push(b' ');
    assert!(!notification_is_signed(&header, &forged, key));
    client.ebay.push_answered(first[0].id, Some(500));
    client.ebay.push_answered(first[1].id, Some(204));
    assert!(client.ebay.take_due_pushes(client.clock.now()).is_empty());
    client.advance_ms(10_000);
    let again = client.ebay.take_due_pushes(client.clock.now());
    assert_eq!(again.len(), 1);
    let body: Value = serde_json::from_slice(&again[0].body).unwrap();
    assert_eq!(body["notification"]["publishAttemptCount"], 2);
    let header = again[0].headers["x-ebay-signature"].to_str().unwrap();
    assert!(notification_is_signed(header, &again[0].body, key));
}

#[tokio::test]
async fn an_order_is_announced_three_times_and_a_deletion_until_it_is_acknowledged() {
    let client = registered().await;
    client.ebay.place_order(NewOrder::one("LAMP", 1)).unwrap();
    let deletion = client.ebay.delete_account("alma_1").unwrap();
    for _ in 0..20 {
        for push in client.ebay.take_due_pushes(client.clock.now()) {
            client.ebay.push_answered(push.id, None);
        }
        client.advance_ms(3_600_000);
    }
    let pushes = client.ebay.pushes();
    assert_eq!(
        (pushes[0].attempts, pushes[0].state),
        (3, PushState::GivenUp)
    );
    assert!(pushes[1].attempts > 15);
    let last = client.ebay.take_due_pushes(client.clock.now());
    assert_eq!(last[0].id, deletion);
    client.ebay.push_answered(deletion, Some(200));
    assert_eq!(client.ebay.pushes()[1].state, PushState::Delivered);
}

fn selling() -> AliClient {
    let client = AliClient::with(|config| {
        config.settings.push_url = Some("https://hooks.example.invalid/aliexpress".to_owned());
    });
    client
        .aliexpress
        .add_product(NewProduct::simple(1, 11, Money::usd(500), 100))
        .unwrap();
    client
}

#[tokio::test]
async fn an_aliexpress_push_is_signed_over_key_and_raw_body() {
    let client = selling();
    client.create("SO-1", &[1], true).await;
    let pushes = client.aliexpress.take_due_pushes(client.clock.now());
    let events: Vec<&str> = pushes.iter().map(|push| push.topic.as_str()).collect();
    assert_eq!(events, ["OrderCreated", "PaymentAuthorized"]);
    let (key, secret) = (
        defaults::ALIEXPRESS_APP_KEY,
        defaults::ALIEXPRESS_APP_SECRET,
    );
    let expected = push_authorization(key, secret, &pushes[0].body);
    assert_eq!(pushes[0].headers["authorization"], expected.as_str());
    let body: Value = serde_json::from_slice(&pushes[0].body).unwrap();
    assert_eq!(body["message_type"], 53);
    assert_eq!(body["timestamp"], client.clock.now().as_second());
    assert_eq!(pushes[0].wait_ms, 500);
}

#[tokio::test]
async fn pushing_stops_when_more_than_half_of_the_answers_are_failures() {
    let client = selling();
    let mut answered = 0;
    while !client.aliexpress.counters().push_stopped {
        client.create(&format!("SO-{answered}"), &[1], false).await;
        for push in client.aliexpress.take_due_pushes(client.clock.now()) {
            client
                .aliexpress
                .push_answered(push.id, if answered < 5 { Some(200) } else { None });
            answered += 1;
        }
    }
    assert_eq!(answered, 11);
    client.create("SO-late", &[1], false).await;
    client.advance_s(3_600);
    assert!(
        client
            .aliexpress
            .take_due_pushes(client.clock.now())
            .is_empty()
    );
    client.aliexpress.resume_pushes();
    client.create("SO-later", &[1], false).await;
    assert_eq!(
        client.aliexpress.take_due_pushes(client.clock.now()).len(),
        1
    );
}
