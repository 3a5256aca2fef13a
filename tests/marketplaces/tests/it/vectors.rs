//! The signatures here against published and recorded vectors, where the contracts are at hand.

use kervan_marketplaces::alibaba::cn1688::signature::sign as sign_1688;
use kervan_marketplaces::aliexpress::signature::SignMethod;
use kervan_marketplaces::aliexpress::signature::push_authorization;
use kervan_marketplaces::aliexpress::signature::sign;
use kervan_marketplaces::ebay::signature::challenge_response;
use kervan_marketplaces::ebay::signature::key_id;
use kervan_marketplaces::ebay::signature::notification_is_signed;
use kervan_marketplaces::ebay::signature::platform_signature;
use serde_json::Value;

/// A file of a marketplace's contracts; `None`, which is recorded, where they are not at hand.
fn contract(marketplace: &str, path: &str) -> Option<Value> {
    let file = kervan_conformance::contracts(marketplace)?.join(path);
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
    Some(serde_json::from_str(&text).unwrap())
}

#[test]
fn ebay_notifications_are_judged_as_ebay_judges_them() {
    let Some(vectors) = contract("ebay", "vectors/notification_signature.json") else {
        return;
    };
    let mut judged = 0;
    for case in vectors["cases"].as_array().unwrap() {
        let Some(expected) = case["expect_signature_valid"].as_bool() else {
            continue;
        };
        let header = case["x_ebay_signature"].as_str().unwrap();
        let key = case["get_public_key_response"]["key"].as_str().unwrap();
        let body = case["raw_body"].as_str().unwrap();
        let valid = notification_is_signed(header, body.as_bytes(), key);
        assert_eq!(valid, expected, "{}", case["name"]);
        assert_eq!(key_id(header).as_deref(), case["public_key_id"].as_str());
        judged += 1;
    }
    assert!(judged >= 5);
}

#[test]
fn ebay_platform_notifications_are_signed_as_ebay_signs_them() {
    let Some(vectors) = contract("ebay", "vectors/platform_notification_signature.json") else {
        return;
    };
    for case in vectors["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let keys = (text("dev_id"), text("app_id"), text("cert_id"));
        let signature = platform_signature(text("timestamp"), keys.0, keys.1, keys.2);
        assert_eq!(signature, text("expected_signature"), "{}", case["note"]);
    }
}

#[test]
fn the_endpoint_challenge_has_ebays_answer() {
    let Some(vectors) = contract("ebay", "vectors/endpoint_challenge.json") else {
        return;
    };
    for case in vectors["cases"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap();
        let answer = challenge_response(
            text("challenge_code"),
            text("verification_token"),
            text("endpoint"),
        );
        assert_eq!(answer, case["expected_body"]["challengeResponse"]);
    }
}

#[test]
fn aliexpress_requests_are_signed_as_the_pages_and_sdks_sign_them() {
    let Some(vectors) = contract("aliexpress", "vectors.json") else {
        return;
    };
    for vector in vectors["request_vectors"].as_array().unwrap() {
        let method = match vector["scheme"].as_str().unwrap() {
            "gop-sha256" | "top-hmac-sha256" => SignMethod::Sha256,
            "top-md5" => SignMethod::Md5,
            "top-hmac-md5" => SignMethod::HmacMd5,
            other => unreachable!("a scheme that nobody wrote down: {other}"),
        };
        let params: Vec<(String, String)> = vector["params"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let secret = vector["app_secret"].as_str().unwrap();
        let prefix = vector["path_prefix"].as_str().unwrap();
        let signature = sign(method, secret, prefix, &params);
        assert_eq!(signature, vector["expected_sign"], "{}", vector["id"]);
    }
    for vector in vectors["push_vectors"].as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let body = text("raw_body").as_bytes();
        let authorization = push_authorization(text("app_key"), text("app_secret"), body);
        assert_eq!(
            authorization, vector["expected_authorization"],
            "{}",
            vector["id"]
        );
    }
}

#[test]
fn alibabas_requests_are_signed_as_the_pages_and_sdks_sign_them() {
    let Some(vectors) = contract("alibaba", "vectors.json") else {
        return;
    };
    let params = |vector: &Value| -> Vec<(String, String)> {
        let params = vector["params"].as_object().unwrap().iter();
        params
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect()
    };
    for vector in vectors["icbu_request_vectors"].as_array().unwrap() {
        let (secret, path) = (&vector["app_secret"], &vector["path_prefix"]);
        let (secret, path) = (secret.as_str().unwrap(), path.as_str().unwrap());
        let signature = sign(SignMethod::Sha256, secret, path, &params(vector));
        assert_eq!(signature, vector["expected_sign"], "{}", vector["id"]);
    }
    for vector in vectors["1688_vectors"].as_array().unwrap() {
        let (secret, path) = (&vector["app_secret"], &vector["path"]);
        let (secret, path) = (secret.as_str().unwrap(), path.as_str().unwrap());
        let signature = sign_1688(secret, path, &params(vector));
        assert_eq!(signature, vector["expected_signature"], "{}", vector["id"]);
    }
}
