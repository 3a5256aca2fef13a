//! eBay's own signature vectors and challenge cases, through the public trait. They are not part of the project:
//! `KERVAN_CONTRACTS` names the folder that holds them, and without it these tests say so and pass.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test says what it skips and fails by panicking, in its helpers too"
)]

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use kervan::{
    clock::ManualClock,
    domain::SignalKind,
    http::{Http, HttpError},
    marketplaces::{Account, Outside, Pseudonyms, Unverified, VerifyPushes, ebay::Ebay},
    secrets::Secret,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    path::PathBuf,
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

/// A file of eBay's contract; `None`, said on stderr, where the folder is not named.
fn contract(path: &str) -> Option<Value> {
    let Some(folder) = std::env::var_os("KERVAN_CONTRACTS") else {
        eprintln!("skipped: KERVAN_CONTRACTS is not set, so there is no ebay/{path}");
        return None;
    };
    let mut file = PathBuf::from(folder);
    // cargo runs tests in the crate's folder; the variable is meant from the workspace's.
    if file.is_relative() {
        file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(file);
    }
    let file = file.join("ebay").join(path);
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
    Some(serde_json::from_str(&text).unwrap())
}

fn ebay(http: Arc<FakeEbay>, now: Timestamp, endpoint: &str, token: &str) -> Ebay {
    let secret = json!({
        // eBay's own challenge case has an endpoint without https, which only a local stack may have.
        "environment": "http://127.0.0.1:9",
        "client_id": "Example-App",
        "client_secret": "example-cert",
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
