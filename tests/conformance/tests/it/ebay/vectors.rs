//! eBay's own signature vectors and challenge cases, through the public trait.

use crate::ebay::common::{contract, contract_text};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use kervan::{
    clock::ManualClock,
    domain::SignalKind,
    http::{Http, HttpError},
    marketplaces::{
        Account, Outside, Pseudonyms, Unverified, VerifyPushes,
        ebay::{
            Ebay,
            signature::requests::{Signed, Signer, base, content_digest},
        },
    },
    secrets::Secret,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

const KEY_PATH: &str = "/commerce/notification/v1/public_key/";
const TOKEN_PATH: &str = "/identity/v1/oauth2/token";

/// Answers as eBay's token endpoint and getPublicKey do, and remembers what it was asked.
#[derive(Debug, Default)]
struct FakeEbay {
    keys: HashMap<String, Value>,
    failing_keys: HashMap<String, u16>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

#[async_trait]
impl Http for FakeEbay {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let path = request.uri().path().to_owned();
        self.asked.lock().unwrap().push(request);
        let kid = path.strip_prefix(KEY_PATH).unwrap_or_default();
        let (status, body) = match self.keys.get(kid) {
            _ if path == TOKEN_PATH => {
                let token = json!({"access_token": "application-token", "expires_in": 7200, "token_type": "Application Access Token"});
                (200, token)
            }
            Some(key) => (200, key.clone()),
            None => (*self.failing_keys.get(kid).unwrap_or(&404), Value::Null),
        };
        let body = Bytes::from(body.to_string());
        Ok(Response::builder().status(status).body(body).unwrap())
    }
}

fn ebay(http: Arc<FakeEbay>, now: Timestamp, endpoint: &str, token: &str) -> Ebay {
    let secret = json!({
        "dev_id": "11111111-aaaa-4bbb-8ccc-222222222222",
        // eBay's own challenge case has an endpoint without https, which only a local stack may have.
        "environment": "http://127.0.0.1:9",
        "client_id": "ExampleC-App-PRD-333333333-44444444",
        "client_secret": "PRD-555555555555-6666-4777-8888-9999",
        "refresh_token": "refresh",
        "endpoint": endpoint,
        "verification_token": token,
    });
    let outside = Outside {
        http,
        clock: Arc::new(ManualClock::at(now)),
        tokens: None,
        limiter: None,
        pseudonyms: Arc::new(Pseudonyms::new(Secret::new("pseudonym-key".into()))),
    };
    let id = "ebay:main".parse().unwrap();
    Ebay::new(id, &Secret::new(secret.to_string()), outside).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} is not text"))
}

fn push(case: &Value) -> Unverified {
    let mut headers = HeaderMap::new();
    let signature = text(case, "x_ebay_signature").parse().unwrap();
    headers.insert("x-ebay-signature", signature);
    let body = text(case, "raw_body").to_owned();
    Unverified::new(headers, body.into())
}

/// eBay with the keys of the vectors, a minute after a push was published.
fn ebay_of(cases: &[Value], case: &Value) -> (Arc<FakeEbay>, Ebay) {
    let mut fake = FakeEbay::default();
    for one in cases.iter().filter(|one| one["public_key_id"].is_string()) {
        let kid = text(one, "public_key_id").to_owned();
        fake.keys
            .insert(kid, one["get_public_key_response"].clone());
    }
    if let Some(status) = case["get_public_key_status"].as_u64() {
        let failing = fake
            .keys
            .drain()
            .map(|(kid, _)| (kid, u16::try_from(status).unwrap()));
        fake.failing_keys = failing.collect();
    }
    let body: Value = serde_json::from_str(text(case, "raw_body")).unwrap();
    let published: Timestamp = text(&body["notification"], "publishDate").parse().unwrap();
    let fake = Arc::new(fake);
    let now = published + SignedDuration::from_mins(1);
    let ebay = ebay(
        fake.clone(),
        now,
        "https://hooks.example.com/ebay",
        &"t".repeat(32),
    );
    (fake, ebay)
}

fn cases(file: &str) -> Vec<Value> {
    let list = contract(file).map(|mut contract| contract["cases"].take());
    let cases = list.map(|list| list.as_array().cloned().unwrap());
    assert!(cases.as_ref().is_none_or(|cases| !cases.is_empty()));
    cases.unwrap_or_default()
}

#[tokio::test]
async fn every_signature_vector_is_answered_as_ebays_sdks_do() {
    let cases = cases("vectors/notification_signature.json");
    for case in &cases {
        let name = text(case, "name");
        let (_, ebay) = ebay_of(&cases, case);
        let outcome = ebay.verify_pushes().unwrap().verify(push(case)).await;
        let status = outcome
            .as_ref()
            .map_or_else(|refused| refused.status.as_u16(), |_| 204);
        assert_eq!(
            u64::from(status),
            case["expect_http_status"].as_u64().unwrap(),
            "{name}"
        );
        if let Some(valid) = case["expect_signature_valid"].as_bool() {
            assert_eq!(outcome.is_ok(), valid, "{name}");
        }
        let Ok(signals) = outcome else { continue };
        let body: Value = serde_json::from_str(text(case, "raw_body")).unwrap();
        assert_eq!(signals.len(), 1, "{name}");
        match &signals[0].kind {
            SignalKind::PersonErased(persons) => {
                assert_eq!(
                    text(&body["metadata"], "topic"),
                    "MARKETPLACE_ACCOUNT_DELETION"
                );
                assert_eq!(persons.len(), 3, "{name}");
            }
            SignalKind::OrderChanged(id) => {
                let order = &body["notification"]["data"]["order"];
                assert_eq!(id.as_str(), text(order, "orderId"), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn one_process_takes_all_vectors_and_asks_for_each_key_once() {
    let cases = cases("vectors/notification_signature.json");
    let valid: Vec<&Value> = cases
        .iter()
        .filter(|case| case["expect_signature_valid"] == true)
        .collect();
    let Some(last) = valid
        .iter()
        .find(|case| text(case, "name").starts_with("order"))
    else {
        return;
    };
    let (fake, ebay) = ebay_of(&cases, last);
    for case in valid.iter().chain(&valid) {
        ebay.verify(push(case)).await.unwrap();
    }
    let asked = fake.asked.lock().unwrap();
    let keys = asked
        .iter()
        .filter(|one| one.uri().path().starts_with(KEY_PATH))
        .count();
    assert_eq!((keys, asked.len()), (valid.len(), valid.len() + 1));
    fits_the_contract(&asked);
}

/// Each getPublicKey request is one that eBay's OpenAPI document describes.
fn fits_the_contract(asked: &[Request<Bytes>]) {
    let Some(document) = contract("specs/commerce_notification_v1_oas3.json") else {
        return;
    };
    let base = text(&document["servers"][0]["variables"]["basePath"], "default");
    let described = &document["paths"]["/public_key/{public_key_id}"]["get"];
    assert_eq!(text(described, "operationId"), "getPublicKey");
    for request in asked.iter().filter(|one| one.uri().path() != TOKEN_PATH) {
        let path = request.uri().path().strip_prefix(base).unwrap();
        let kid = path.strip_prefix("/public_key/").unwrap();
        assert!(!kid.is_empty() && !kid.contains('/'));
        assert_eq!(request.method(), "GET");
        assert_eq!(
            request.headers()["authorization"],
            "Bearer application-token"
        );
    }
}

#[test]
fn every_challenge_is_answered_as_documented() {
    for case in cases("vectors/endpoint_challenge.json") {
        let (endpoint, token) = (text(&case, "endpoint"), text(&case, "verification_token"));
        let ebay = ebay(Arc::default(), Timestamp::UNIX_EPOCH, endpoint, token);
        let query = format!("challenge_code={}", text(&case, "challenge_code"));
        let challenge = ebay
            .verify_pushes()
            .unwrap()
            .challenge(&query)
            .unwrap()
            .unwrap();
        let body: Value = serde_json::from_str(&challenge.body).unwrap();
        assert_eq!(body, case["expected_body"]);
    }
}

/// A platform notification as it would come, of a file or of a timestamp alone.
fn platform_push(body: String) -> Unverified {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "text/xml;charset=utf-8".parse().unwrap());
    let action = "\"https://developer.ebay.com/notification/FixedPriceTransaction\"";
    headers.insert("soapaction", action.parse().unwrap());
    Unverified::new(headers, body.into())
}

fn envelope(signature: &str, timestamp: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"s\"><e:Header><b:RequesterCredentials xmlns:b=\"b\"><b:NotificationSignature>{signature}</b:NotificationSignature></b:RequesterCredentials></e:Header><e:Body><GetItemTransactionsResponse><Timestamp>{timestamp}</Timestamp><OrderID>01-1</OrderID></GetItemTransactionsResponse></e:Body></e:Envelope>"
    )
}

#[tokio::test]
async fn every_platform_vector_is_judged_as_ebay_signs() {
    let token = "t".repeat(32);
    for case in cases("vectors/platform_notification_signature.json") {
        let timestamp: Timestamp = text(&case, "timestamp").parse().unwrap();
        let presented = case["presented_signature"].as_str();
        let signature = presented.unwrap_or_else(|| text(&case, "expected_signature"));
        let body = envelope(signature, text(&case, "timestamp"));
        let valid = case["expect_valid"] != false;
        for (age_s, fresh) in [
            (0, true),
            (599, true),
            (-599, true),
            (601, false),
            (-601, false),
        ] {
            let now = timestamp + SignedDuration::from_secs(age_s);
            let ebay = ebay(
                Arc::default(),
                now,
                "https://hooks.example.com/ebay",
                &token,
            );
            let outcome = ebay.verify(platform_push(body.clone())).await;
            assert_eq!(outcome.is_ok(), valid && fresh, "{case} {age_s}");
            if let Err(refused) = outcome {
                assert_eq!(refused.status, 412);
            }
        }
    }
}

#[tokio::test]
async fn the_recorded_platform_notifications_are_signals_and_nothing_more() {
    let Some(sale) = contract_text("platform_notifications/FixedPriceTransaction.xml") else {
        return;
    };
    let sold = contract_text("platform_notifications/ItemSold.xml").unwrap();
    let now = "2026-01-15T10:01:00Z".parse().unwrap();
    let ebay = ebay(
        Arc::default(),
        now,
        "https://hooks.example.com/ebay",
        &"t".repeat(32),
    );
    let signals = ebay.verify(platform_push(sale.clone())).await.unwrap();
    let order = SignalKind::OrderChanged("01-23456-78901".to_owned().try_into().unwrap());
    assert_eq!(signals.len(), 1);
    assert_eq!(signals[0].kind, order);
    // An item's event names no order.
    assert!(ebay.verify(platform_push(sold)).await.unwrap().is_empty());
    // The signature is of the timestamp alone, so the rest is anybody's: another id is at worst another reading.
    let forged = sale.replace("01-23456-78901", "01-00000-00000");
    assert_eq!(ebay.verify(platform_push(forged)).await.unwrap().len(), 1);
    let later = sale.replace("10:00:05.123Z", "10:00:05.124Z");
    assert_eq!(
        ebay.verify(platform_push(later)).await.unwrap_err().status,
        412
    );
}

#[test]
fn every_message_signature_vector_has_its_digest_and_its_base() {
    let Some(vectors) = contract("vectors/digital_signature.json") else {
        return;
    };
    for case in vectors["content_digest"].as_array().unwrap() {
        let digest = content_digest(text(case, "body").as_bytes());
        assert_eq!(digest.as_deref(), case["sha-256"].as_str());
    }
    let private = text(&vectors["test_key"], "private_key_pkcs8_der_base64");
    let mut signed_again = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let (name, request, headers) = (text(case, "name"), &case["request"], &case["headers"]);
        let body = request["body"].as_str().unwrap_or_default();
        let created = text(headers, "signature-input").rsplit('=').next().unwrap();
        let parts = Signed {
            method: text(request, "method"),
            path: text(request, "path"),
            authority: text(request, "authority"),
            body: body.as_bytes(),
            created: created.parse().unwrap(),
        };
        let given_digest = headers["content-digest"].as_str();
        let jwe = text(headers, "x-ebay-signature-key");
        let base = base(&parts, given_digest, jwe);
        assert_eq!(base, text(case, "signature_base"), "{name}");
        // Whether a case is valid follows from the base and the digest alone, as eBay checks it.
        let signature = text(headers, "signature").strip_prefix("sig1=:").unwrap();
        let signature = STANDARD
            .decode(signature.strip_suffix(':').unwrap())
            .unwrap();
        let spki = STANDARD
            .decode(text(case, "public_key_spki_base64"))
            .unwrap();
        let fits = match text(case, "algorithm") {
            "ed25519" => verified(&ring::signature::ED25519, &spki[12..], &base, &signature),
            _ => {
                let rsa = &ring::signature::RSA_PKCS1_2048_8192_SHA256;
                verified(rsa, &spki[24..], &base, &signature)
            }
        };
        let whole = content_digest(body.as_bytes()).as_deref() == given_digest;
        assert_eq!(fits && whole, case["expect_valid"] == true, "{name}");
        if text(case, "algorithm") == "ed25519" {
            let (jwe, private) = (Secret::new(jwe.into()), Secret::new(private.into()));
            let ours = Signer::new(&jwe, &private).unwrap().headers(&parts);
            assert_eq!(ours.len(), headers.as_object().unwrap().len(), "{name}");
            for (header, value) in ours {
                assert_eq!(value, text(headers, header), "{name} {header}");
            }
            signed_again += 1;
        }
    }
    assert_eq!(signed_again, 3);
}

fn verified(
    algorithm: &'static dyn ring::signature::VerificationAlgorithm,
    key: &[u8],
    base: &str,
    signature: &[u8],
) -> bool {
    let key = ring::signature::UnparsedPublicKey::new(algorithm, key);
    key.verify(base.as_bytes(), signature).is_ok()
}
