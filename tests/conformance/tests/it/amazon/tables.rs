//! Every documented status and code, and what it becomes. A code without a row fails here.

use crate::amazon::common::{Network, account, contract, now, order_id, pairs, parcel, update};
use crate::amazon::model;
use http::Method;
use kervan::marketplaces::{
    CallError, ConfirmParcels, Effect, Kind, PushListings, ReadOrders, Retry, amazon::limits,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const LATER: Retry = Retry::After(limits::FAULT_WAIT);

/// Statuses of a reading call, with the axes of its error.
const STATUSES: [(u16, Kind, Retry); 10] = [
    (400, Kind::Refused, Retry::Permanent),
    (401, Kind::Misconfigured, Retry::Person),
    (403, Kind::Misconfigured, Retry::Person),
    (404, Kind::NotFound, Retry::Permanent),
    (409, Kind::Refused, LATER),
    (413, Kind::Refused, Retry::Permanent),
    (415, Kind::Refused, Retry::Permanent),
    (429, Kind::Throttled, Retry::After(Duration::from_secs(2))),
    (500, Kind::Unavailable, LATER),
    (503, Kind::Unavailable, LATER),
];

/// Codes as they stand in answers of the contract, by the status with which each comes there.
const CODES: [(&str, Kind, Retry); 7] = [
    (
        "QuotaExceeded",
        Kind::Throttled,
        Retry::After(Duration::from_secs(2)),
    ),
    ("Unauthorized", Kind::Misconfigured, Retry::Person),
    ("InvalidInput", Kind::Refused, Retry::Permanent),
    ("BAD_REQUEST", Kind::Refused, Retry::Permanent),
    ("400", Kind::Refused, Retry::Permanent),
    ("ServiceUnavailable", Kind::Unavailable, LATER),
    ("InternalFailure", Kind::Unavailable, LATER),
];

/// The words of the token server.
const WORDS: [(&str, Kind, Retry); 9] = [
    ("access_denied", Kind::Misconfigured, Retry::Person),
    ("invalid_grant", Kind::ConsentEnded, Retry::Person),
    ("invalid_client", Kind::Misconfigured, Retry::Person),
    ("invalid_request", Kind::Misconfigured, Retry::Person),
    ("invalid_scope", Kind::Misconfigured, Retry::Person),
    ("unauthorized_client", Kind::Misconfigured, Retry::Person),
    ("unsupported_grant_type", Kind::Misconfigured, Retry::Person),
    ("server_error", Kind::Unavailable, LATER),
    ("temporarily_unavailable", Kind::Unavailable, LATER),
];

/// For the coverage.
pub(crate) const MAPPED: usize = STATUSES.len() + CODES.len() + WORDS.len();

async fn read_with(status: u16, body: Value) -> CallError {
    let network = Network::default().and(Method::GET, "/orders/", status, body);
    let amazon = account(&Arc::new(network), &["ATVPDKIKX0DER"]);
    amazon
        .order(&order_id("111-1111111-1111111"))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn every_status_of_the_models_has_its_row() {
    let rows: BTreeMap<u16, (Kind, Retry)> = STATUSES
        .iter()
        .map(|(status, kind, retry)| (*status, (*kind, *retry)))
        .collect();
    for name in [
        "orders_2026-01-01",
        "ordersV0",
        "listingsItems_2021-08-01",
        "feeds_2021-06-30",
        "notifications",
        "sellers",
    ] {
        let Some(model) = contract(&format!("models/{name}.json")) else {
            return;
        };
        for operation in model::operations(&model) {
            for status in operation.statuses().filter(|status| *status >= 300) {
                assert!(rows.contains_key(&status), "{} has {status}", operation.id);
            }
        }
    }
    for (status, (kind, retry)) in rows {
        let error = read_with(
            status,
            json!({"errors": [{"code": "X", "message": "Jane"}]}),
        )
        .await;
        let axes = (error.kind, error.retry, error.effect);
        assert_eq!(axes, (kind, retry, Effect::None), "{status}");
    }
}

/// Every error body of the sandbox, and every one that was met in the field.
pub(crate) fn documented() -> Option<Vec<(u16, Value)>> {
    let mut found = Vec::new();
    for api in [
        "orders_2026-01-01",
        "orders_v0",
        "feeds_2021-06-30",
        "listings_items_2021-08-01",
        "notifications_v1",
        "sellers_v1",
    ] {
        for pair in pairs(api)? {
            let status = u16::try_from(pair["status"].as_u64().unwrap()).unwrap();
            if status >= 300 {
                found.push((status, pair["response_body"].clone()));
            }
        }
    }
    for case in contract("samples/spapi_errors.json")?["responses"]
        .as_array()
        .unwrap()
    {
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        found.push((status, case["body"].clone()));
    }
    Some(found)
}

#[tokio::test]
async fn every_code_of_the_contract_has_its_row() {
    let Some(documented) = documented() else {
        return;
    };
    let rows: BTreeMap<&str, (Kind, Retry)> = CODES
        .iter()
        .map(|(code, kind, retry)| (*code, (*kind, *retry)))
        .collect();
    let mut met = BTreeMap::new();
    for (status, body) in documented {
        let Some(code) = body["errors"][0]["code"].as_str().map(str::to_owned) else {
            // Some answers of the sandbox have no errors at all: then the status is the code.
            let error = read_with(status, body).await;
            assert_eq!(error.code, format!("http-{status}"));
            continue;
        };
        let row = rows.get(code.as_str());
        let (kind, retry) = *row.unwrap_or_else(|| panic!("{code} has no row"));
        let error = read_with(status, body.clone()).await;
        // An expired token alone is worth a second try.
        let expired = body.to_string().contains("has expired");
        let (kind, retry) = if expired {
            (Kind::TokenInvalid, LATER)
        } else {
            (kind, retry)
        };
        assert_eq!((error.kind, error.retry), (kind, retry), "{status} {body}");
        met.insert(code, ());
    }
    let never: Vec<_> = rows
        .keys()
        .filter(|code| !met.contains_key(**code))
        .collect();
    assert!(
        never.is_empty(),
        "{never:?} are in no answer of the contract"
    );
}

#[tokio::test]
async fn every_word_of_the_token_server_has_its_row() {
    let Some(sample) = contract("samples/lwa_token.json") else {
        return;
    };
    let rows: BTreeMap<&str, (Kind, Retry)> = WORDS
        .iter()
        .map(|(word, kind, retry)| (*word, (*kind, *retry)))
        .collect();
    for case in sample["errors"].as_array().unwrap() {
        let word = case["body"]["error"].as_str().unwrap();
        let (kind, retry) = *rows
            .get(word)
            .unwrap_or_else(|| panic!("{word} has no row"));
        let is_retried = matches!(retry, Retry::After(_));
        assert_eq!(case["retryable"], is_retried, "{word}");
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let error = crate::amazon::samples::token_error(status, case["body"].clone()).await;
        assert_eq!((error.kind, error.retry), (kind, retry), "{word}");
    }
}

#[tokio::test]
async fn the_documented_limits_are_the_ones_that_are_asked_for() {
    let Some(limits_file) = contract("rate_limits.json") else {
        return;
    };
    let rows = limits_file["operations"]
        .as_array()
        .or_else(|| limits_file.as_array())
        .unwrap();
    for (api, name, limit) in [
        ("orders_2026-01-01", "searchOrders", limits::SEARCH_ORDERS),
        ("orders_2026-01-01", "getOrder", limits::GET_ORDER),
        ("orders_v0", "confirmShipment", limits::CONFIRM_SHIPMENT),
        (
            "listings_items_2021-08-01",
            "patchListingsItem",
            limits::PATCH_LISTINGS_ITEM,
        ),
        (
            "listings_items_2021-08-01",
            "getListingsItem",
            limits::GET_LISTINGS_ITEM,
        ),
        (
            "feeds_2021-06-30",
            "createFeedDocument",
            limits::CREATE_FEED_DOCUMENT,
        ),
        ("feeds_2021-06-30", "createFeed", limits::CREATE_FEED),
        ("feeds_2021-06-30", "getFeed", limits::GET_FEED),
        ("feeds_2021-06-30", "getFeeds", limits::GET_FEEDS),
        (
            "feeds_2021-06-30",
            "getFeedDocument",
            limits::GET_FEED_DOCUMENT,
        ),
        ("notifications_v1", "getDestinations", limits::NOTIFICATIONS),
        (
            "notifications_v1",
            "createDestination",
            limits::NOTIFICATIONS,
        ),
        ("notifications_v1", "getSubscription", limits::NOTIFICATIONS),
        (
            "notifications_v1",
            "createSubscription",
            limits::NOTIFICATIONS,
        ),
        (
            "notifications_v1",
            "deleteSubscriptionById",
            limits::NOTIFICATIONS,
        ),
        (
            "sellers_v1",
            "getMarketplaceParticipations",
            limits::PARTICIPATIONS,
        ),
    ] {
        let is_meant = |row: &&Value| row["api"] == api && row["operationId"] == name;
        let row = rows
            .iter()
            .find(is_meant)
            .unwrap_or_else(|| panic!("{name} has no limit"));
        let rate = row["rate_per_second"].as_f64().unwrap();
        let ours = f64::from(limit.calls) / limit.per.as_secs_f64();
        assert!((rate - ours).abs() < 1e-9, "{name}: {rate} and {ours}");
        assert_eq!(
            row["burst"].as_f64().unwrap(),
            f64::from(limit.burst),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_refusal_under_200_is_a_failure_and_a_write_without_a_readable_answer_a_doubt() {
    let Some(sample) = contract("samples/patchListingsItem.json") else {
        return;
    };
    let mut outcomes = Vec::new();
    for response in sample["responses"].as_array().unwrap() {
        let body = response["body"].clone();
        let network = Network::default().and(Method::PATCH, "/listings/", 200, body);
        let amazon = account(&Arc::new(network), &["ATVPDKIKX0DER"]);
        let outcome = amazon
            .push(&[update("LAMP-01", 5, "19.99")], jiff::Timestamp::MAX)
            .await
            .unwrap();
        outcomes.push(
            outcome[0]
                .clone()
                .map_err(|error| (error.code, error.effect)),
        );
    }
    let invalid = Err(("90000900".to_owned(), Effect::None));
    assert_eq!(outcomes, [Ok(()), invalid]);

    let closed = contract("samples/spapi_errors.json").unwrap();
    let cases = closed["responses"].as_array().unwrap();
    let case = cases
        .iter()
        .find(|case| case["case"] == "already_fulfilled_other_package");
    let id = "902-1106328-1059050";
    let order = |packages: Value| json!({"order": {"orderId": id, "packages": packages}});
    for (packages, is_there) in [
        (json!([{"trackingNumber": "1z-999aa10 123456784"}]), true),
        (json!([{"trackingNumber": "1Z999AA10123456785"}]), false),
        (json!([]), false),
        (Value::Null, false),
        (
            json!([{"trackingNumber": "1Z999AA10123456784", "packageStatus": {"status": "CANCELLED"}}]),
            false,
        ),
    ] {
        let network = Network::default()
            .and(
                Method::POST,
                "/orders/v0/",
                400,
                case.unwrap()["body"].clone(),
            )
            .and(Method::GET, "/orders/", 200, order(packages.clone()));
        let amazon = account(&Arc::new(network), &["ATVPDKIKX0DER"]);
        let parcel = parcel("1Z999AA10123456784", "UPS", "79039765272157", 1);
        let outcome = amazon.confirm(&order_id(id), &parcel).await;
        assert_eq!(outcome.is_ok(), is_there, "{packages}");
        if let Err(error) = outcome {
            assert_eq!(error.code, "PackageToUpdateNotFound");
        }
    }
    assert!(parcel("1Z999AA10123456784", "UPS", "1", 1).shipped_at <= now());
}
