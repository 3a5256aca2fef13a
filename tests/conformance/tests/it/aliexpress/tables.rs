//! Signature vectors, and the table of errors.

use crate::aliexpress::common::{APP_KEY, APP_SECRET, Gateway, contract, folder, shop_at};
use bytes::Bytes;
use http::HeaderMap;
use kervan::{
    domain::SignalKind,
    marketplaces::{
        Effect, Kind, Retry, Unverified, VerifyPushes,
        aliexpress::{
            error::meaning,
            limits,
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

/// The operations that Kervan calls, by their files of the contract.
const USED: [&str; 13] = [
    "aliexpress.ds.freight.query",
    "aliexpress.ds.member.benefit.get",
    "aliexpress.ds.order.create",
    "aliexpress.ds.order.tracking.get",
    "aliexpress.ds.product.get",
    "aliexpress.trade.ds.order.get",
    "auth.token.refresh",
    "seller/aliexpress.solution.batch.product.inventory.update",
    "seller/aliexpress.solution.feed.query",
    "seller/aliexpress.solution.feed.submit",
    "seller/aliexpress.solution.order.fulfill",
    "seller/aliexpress.solution.order.get",
    "seller/aliexpress.solution.order.receiptinfo.get",
];

/// Operations that Kervan calls and of which the contract has a sample alone, or nothing.
const USED_WITHOUT_A_TABLE: [&str; 5] = [
    "aliexpress.logistics.redefining.listlogisticsservice",
    "aliexpress.solution.batch.product.price.update",
    "aliexpress.solution.feed.list.get",
    "aliexpress.solution.merchant.profile.get",
    "aliexpress.solution.order.info.get",
];

#[test]
fn every_error_of_every_page_that_is_used_has_a_meaning() {
    let mut mapped = std::collections::BTreeSet::new();
    for api in USED {
        let Some(table) = contract(&format!("apis/{api}.json")) else {
            return;
        };
        // The seller's tables name no errors.
        for code in table["documented_errors"].as_array().into_iter().flatten() {
            let code = code.as_str().unwrap();
            assert!(meaning(code).is_some(), "{api}: {code} has no row");
            mapped.insert(code.to_owned());
        }
    }
    assert!(mapped.len() >= 20, "{mapped:?}");
}

#[test]
fn the_old_gateways_numbers_are_known() {
    // TOP manual, "API error codes": the platform's own, of which only some may pass by themselves.
    for (code, kind) in [
        ("7", Kind::Throttled),
        ("11", Kind::Misconfigured),
        ("12", Kind::Misconfigured),
        ("15", Kind::Unavailable),
        ("21", Kind::Misconfigured),
        ("22", Kind::Misconfigured),
        ("25", Kind::Misconfigured),
        ("26", Kind::TokenInvalid),
        ("27", Kind::TokenInvalid),
        ("29", Kind::Misconfigured),
        ("31", Kind::Misconfigured),
        ("40", Kind::Refused),
        ("41", Kind::Refused),
        ("50", Kind::Unavailable),
    ] {
        assert_eq!(meaning(code).unwrap().kind, kind, "{code}");
    }
}

#[test]
fn no_old_name_is_called() {
    let Some(renames) = contract("api_renames.json") else {
        return;
    };
    for rename in renames["renames"].as_array().unwrap() {
        let old = text(rename, "old");
        assert!(
            !USED.contains(&old) && !USED_WITHOUT_A_TABLE.contains(&old),
            "{old}"
        );
    }
}

#[test]
fn the_limits_are_the_documented_ones() {
    let Some(gateway) = contract("gateway.json") else {
        return;
    };
    let documented = gateway["qps"]["values"].as_object().unwrap();
    for (operation, calls) in limits::CALLS_PER_SECOND {
        assert_eq!(documented[operation], calls, "{operation}");
    }
    for api in USED.iter().chain(&USED_WITHOUT_A_TABLE) {
        let kept = limits::CALLS_PER_SECOND.iter().any(|(name, _)| name == api);
        assert_eq!(kept, documented.contains_key(*api), "{api}");
    }
    let feeds = text(
        &gateway["qps"]["seller_side"],
        "aliexpress.solution.feed.submit",
    );
    assert!(feeds.starts_with(&limits::SUBMISSIONS_PER_DAY.to_string()));
    assert_eq!(
        gateway["timestamp"]["max_skew_seconds"],
        limits::TIMESTAMP_OFF.as_secs()
    );
}

/// Each rule of an address, and where it is kept: before the call, by AliExpress alone because nobody says that what it
/// asks for is required, or never, because what is before it already stops the order.
#[test]
fn every_rule_of_an_address_has_its_place() {
    let Some(rules) = contract("address_rules.json") else {
        return;
    };
    let kept = [
        ("US", "full_name"),
        ("US", "address"),
        ("US", "province"),
        ("BR", "cpf"),
        ("MX", "passport_no"),
        ("SA", "trade_extra_param.nat_addr"),
        ("SA", "mobile_no"),
        ("ES", "mobile_no"),
        ("AR", "mobile_no"),
        ("AU", "full_name"),
        ("NZ", "full_name"),
        ("DZ", "full_name"),
        ("ZA", "full_name"),
    ];
    let left_to_aliexpress = [
        ("IL", "id"),
        ("AR", "tax_number"),
        ("KR", "passport_no"),
        ("KR", "foreigner_passport_no"),
        ("CL", "rut_no"),
    ];
    let never_reached = [
        ("BR", "full_name"),
        ("BR", "birthday"),
        ("BR", "city"),
        ("BR", "zip"),
        ("MX", "address2"),
    ];
    let known: Vec<_> = kept
        .iter()
        .chain(&left_to_aliexpress)
        .chain(&never_reached)
        .collect();
    let countries = rules
        .as_object()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.len() == 2);
    let mut seen = 0;
    for (country, fields) in countries {
        for field in fields.as_object().unwrap().keys() {
            assert!(
                known.contains(&&(country.as_str(), field.as_str())),
                "{country}.{field}"
            );
            seen += 1;
        }
    }
    assert_eq!(seen, known.len());
    assert_eq!(rules["country_alias"]["UK"], "GB");
}

#[test]
fn the_coverage_is_told() {
    let (Some(errors), Some(folder)) = (contract("errors.json"), folder()) else {
        return;
    };
    let errors = errors["errors"].as_array().unwrap();
    let mapped = errors
        .iter()
        .filter(|error| meaning(text(error, "code")).is_some());
    let operations = USED.len() + USED_WITHOUT_A_TABLE.len();
    let mut files = 0;
    for kind in ["ds", "seller_top", "xml"] {
        let found = std::fs::read_dir(folder.join("samples").join(kind)).unwrap();
        files += found
            .filter(|file| {
                file.as_ref()
                    .unwrap()
                    .path()
                    .extension()
                    .is_some_and(|e| e != "md")
            })
            .count();
    }
    let decoded =
        crate::aliexpress::samples::READ.len() + crate::aliexpress::seller::READ.len() + 3;
    println!(
        "coverage aliexpress: {operations} operations, {decoded} of {files} samples decoded, {} of {} codes mapped",
        mapped.count(),
        errors.len()
    );
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
