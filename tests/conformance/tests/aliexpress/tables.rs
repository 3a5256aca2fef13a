//! Signature vectors, and the table of errors.

use crate::common::{APP_KEY, APP_SECRET, Gateway, contract, shop_at};
use bytes::Bytes;
use http::HeaderMap;
use kervan::{
    domain::SignalKind,
    marketplaces::{
        Effect, Kind, Retry, Unverified, VerifyPushes,
        aliexpress::{
            error::meaning,
            signature::{Scheme, push_is_authentic, sign, text_to_sign},
        },
    },
    secrets::Secret,
};
use serde_json::Value;
use std::sync::Arc;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn parameters(vector: &Value) -> Vec<(&str, &str)> {
    let parameters = vector["params"].as_object().unwrap().iter();
    parameters
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect()
}

#[test]
fn every_request_vector_gives_its_signature() {
    let Some(vectors) = contract("vectors.json") else {
        return;
    };
    let requests = vectors["request_vectors"].as_array().unwrap();
    assert!(requests.len() >= 16);
    for vector in requests {
        let scheme = match text(vector, "scheme") {
            "gop-sha256" | "top-hmac-sha256" => Scheme::Sha256,
            "top-md5" => Scheme::Md5,
            "top-hmac-md5" => Scheme::HmacMd5,
            other => panic!("{other} is a new scheme"),
        };
        let secret = Secret::new(text(vector, "app_secret").to_owned());
        let signature = sign(
            scheme,
            &secret,
            text(vector, "path_prefix"),
            parameters(vector),
        );
        assert_eq!(
            signature.unwrap(),
            text(vector, "expected_sign"),
            "{}",
            vector["id"]
        );
    }
    for example in vectors["sort_examples"].as_array().unwrap() {
        let signed = text_to_sign(text(example, "path_prefix"), parameters(example));
        assert_eq!(signed, text(example, "string_to_sign"));
    }
}

#[tokio::test]
async fn every_push_vector_is_authentic() {
    let Some(vectors) = contract("vectors.json") else {
        return;
    };
    for vector in vectors["push_vectors"].as_array().unwrap() {
        let secret = Secret::new(text(vector, "app_secret").to_owned());
        let body = text(vector, "raw_body").as_bytes();
        let header = text(vector, "expected_authorization");
        let key = text(vector, "app_key");
        assert!(
            push_is_authentic(key, &secret, body, header),
            "{}",
            vector["id"]
        );
        assert!(!push_is_authentic(
            key,
            &secret,
            body,
            &header.to_uppercase()
        ));
        if (key, text(vector, "app_secret")) != (APP_KEY, APP_SECRET) {
            continue;
        }
        let signals = shop_at(1_719_389_260, &Arc::new(Gateway::default()))
            .verify(push(body, header))
            .await
            .unwrap();
        let is_order = |kind: &SignalKind| matches!(kind, SignalKind::SupplierOrderChanged(_));
        assert!(is_order(&signals[0].kind));
    }
}

fn push(body: &[u8], authorization: &str) -> Unverified {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", authorization.parse().unwrap());
    Unverified::new(headers, Bytes::copy_from_slice(body))
}

#[test]
fn every_documented_error_has_a_meaning_of_its_class() {
    let Some(errors) = contract("errors.json") else {
        return;
    };
    let errors = errors["errors"].as_array().unwrap();
    assert!(errors.len() > 40);
    for error in errors {
        let (code, class) = (text(error, "code"), text(error, "class"));
        let Some(meaning) = meaning(code) else {
            panic!("{code} has no row");
        };
        let later = matches!(meaning.retry, Retry::After(_));
        let fits = match class {
            "retry" | "by-sub-code" | "poll-later" => later,
            "retry-limited" => later && meaning.kind == Kind::OutOfStock,
            "reauth" => matches!(meaning.kind, Kind::TokenInvalid | Kind::ConsentEnded),
            "config" => meaning.kind == Kind::Misconfigured && meaning.retry == Retry::Person,
            // Being told that an order is another account's is a matter of set-up.
            "permanent" => !later && meaning.effect == Effect::None,
            "account" => meaning.kind == Kind::AccountBlocked,
            "manual" => meaning.retry == Retry::Person && meaning.effect == Effect::None,
            "already-done" | "created-unpaid" => meaning.effect == Effect::Happened,
            other => panic!("{other} is a new class"),
        };
        assert!(fits, "{code} of class {class} is {meaning:?}");
    }
}
