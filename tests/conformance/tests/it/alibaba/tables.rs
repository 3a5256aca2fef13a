//! Signature vectors, and the tables of errors.

use crate::alibaba::common::contract;
use kervan::{
    marketplaces::{
        Effect, Kind, Retry,
        alibaba::{cn1688, icbu},
    },
    secrets::Secret,
};
use serde_json::Value;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn parameters(vector: &Value) -> Vec<(&str, &str)> {
    let parameters = vector["params"].as_object().unwrap().iter();
    parameters
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect()
}

fn secret(vector: &Value) -> Secret {
    Secret::new(text(vector, "app_secret").to_owned())
}

#[test]
fn every_vector_of_alibaba_com_gives_its_signature() {
    let Some(vectors) = contract("vectors.json") else {
        return;
    };
    let requests = vectors["icbu_request_vectors"].as_array().unwrap();
    assert!(requests.len() >= 5);
    for vector in requests {
        let path = text(vector, "path_prefix");
        let signature = icbu::signature::sign(&secret(vector), path, parameters(vector));
        assert_eq!(
            signature.unwrap(),
            text(vector, "expected_sign"),
            "{}",
            vector["id"]
        );
    }
    let pushes = vectors["icbu_push_vectors"].as_array().unwrap();
    assert!(pushes.len() >= 2);
    for vector in pushes {
        let (key, body) = (text(vector, "app_key"), text(vector, "raw_body").as_bytes());
        let header = text(vector, "expected_authorization");
        let secret = secret(vector);
        assert!(icbu::signature::push_is_authentic(
            key, &secret, body, header
        ));
        assert!(!icbu::signature::push_is_authentic(
            key,
            &secret,
            &body[1..],
            header
        ));
    }
}

#[test]
fn every_vector_of_1688_gives_its_signature() {
    let Some(vectors) = contract("vectors.json") else {
        return;
    };
    let vectors = vectors["1688_vectors"].as_array().unwrap();
    assert!(vectors.len() >= 13);
    let mut messages = 0;
    for vector in vectors {
        let expected = text(vector, "expected_signature");
        let secret = secret(vector);
        let signature = cn1688::signature::sign(&secret, text(vector, "path"), parameters(vector));
        assert_eq!(signature.unwrap(), expected, "{}", vector["id"]);
        if let Some(message) = vector["params"]["message"].as_str()
            && text(vector, "path").is_empty()
        {
            assert!(cn1688::signature::message_is_authentic(
                &secret, message, expected
            ));
            messages += 1;
        }
    }
    assert!(messages >= 2);
}

/// How many documented codes have a row.
pub(crate) fn mapped_codes() -> Option<(usize, usize)> {
    let icbu = contract("icbu/errors.json")?;
    let cn = contract("1688/errors.json")?;
    let count = |table: &Value, names: &[&str]| -> usize {
        let lists = names
            .iter()
            .map(|name| table[*name].as_array().unwrap().len());
        lists.sum()
    };
    Some((
        count(&icbu, &["errors", "pay_reason"]),
        count(&cn, &["gateway", "business"]) + count(&cn, &["batch_pay_status"]) - 1,
    ))
}

/// Whether what is done fits what the contract says should be.
fn fits(class: &str, code: &str, kind: Kind, retry: Retry) -> bool {
    let later = matches!(retry, Retry::After(_));
    match class {
        "retry" | "poll-later" => later,
        "retry-limited" => later && kind == Kind::OutOfStock,
        // A repeat is useless until terms have been asked for anew, which takes ten minutes.
        "requote" => matches!(retry, Retry::After(wait) if wait.as_secs() > 600),
        "reauth" => matches!(kind, Kind::TokenInvalid | Kind::ConsentEnded),
        "config" => kind == Kind::Misconfigured && retry == Retry::Person,
        "out-of-stock" => kind == Kind::OutOfStock && retry == Retry::Permanent,
        "account" => kind == Kind::AccountBlocked && retry == Retry::Person,
        // The preview that is asked for anew offers another trade mode; for some a person has to mend the set-up.
        "permanent" if code.starts_with("not support") => later,
        "permanent" => !later,
        other => panic!("{other} is a new class"),
    }
}

#[test]
fn every_documented_error_of_alibaba_com_has_a_meaning_of_its_class() {
    let Some(errors) = contract("icbu/errors.json") else {
        return;
    };
    for error in errors["errors"].as_array().unwrap() {
        let (code, class) = (text(error, "code"), text(error, "class"));
        let Some(meaning) = icbu::error::meaning(code) else {
            panic!("{code} has no row");
        };
        assert!(
            fits(class, code, meaning.kind, meaning.retry),
            "{code} of class {class} is {meaning:?}"
        );
        assert_eq!(
            meaning.effect,
            Effect::None,
            "{code} says why nothing was done"
        );
    }
    for reason in errors["pay_reason"].as_array().unwrap() {
        let code = text(reason, "reason_code");
        let Some(meaning) = icbu::error::meaning(code) else {
            panic!("{code} has no row");
        };
        assert_eq!(meaning.retry, Retry::Person, "{code}");
    }
}

#[test]
fn every_documented_error_of_1688_has_a_meaning_of_its_class() {
    let Some(errors) = contract("1688/errors.json") else {
        return;
    };
    for list in ["gateway", "business", "batch_pay_status"] {
        for error in errors[list].as_array().unwrap() {
            let (code, class) = (text(error, "code"), text(error, "class"));
            // The status is a part of the page's wording, the text behind it is the answer's.
            let code = code.strip_prefix("HTTP 401 ").unwrap_or(code);
            if class == "ok" {
                assert!(cn1688::error::meaning(code).is_none(), "{code} is no error");
                continue;
            }
            let Some(meaning) = cn1688::error::meaning(code) else {
                panic!("{code} has no row");
            };
            assert!(
                fits(class, code, meaning.kind, meaning.retry),
                "{code} of class {class} is {meaning:?}"
            );
            assert_eq!(
                meaning.effect,
                Effect::None,
                "{code} says why nothing was done"
            );
        }
    }
}
