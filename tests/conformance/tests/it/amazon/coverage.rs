//! What of the contract is covered, in one line, counted from the contract's files.

use crate::amazon::common::{contract, pairs};
use crate::amazon::{requests, tables};
use serde_json::Value;

/// The operations whose sandbox answers `samples.rs` decodes through the roles.
const DECODED: [(&str, &[&str]); 6] = [
    ("orders_2026-01-01", &["getOrder", "searchOrders"]),
    ("orders_v0", &["confirmShipment"]),
    (
        "feeds_2021-06-30",
        &[
            "getFeeds",
            "createFeed",
            "getFeed",
            "createFeedDocument",
            "getFeedDocument",
        ],
    ),
    ("listings_items_2021-08-01", &["patchListingsItem"]),
    (
        "notifications_v1",
        &[
            "getDestinations",
            "createDestination",
            "getSubscription",
            "createSubscription",
            "deleteSubscriptionById",
        ],
    ),
    ("sellers_v1", &["getMarketplaceParticipations"]),
];

/// Single files that are decoded: the confirmation, two patches, the report of listings and the one of orders.
const FILES: usize = 5;

#[test]
fn the_coverage_is_said() {
    let Some(errors) = tables::documented() else {
        return;
    };
    let mut decoded = errors.len() + FILES;
    for (api, operations) in DECODED {
        let is_decoded = |pair: &&Value| {
            let name = pair["operationId"].as_str().unwrap();
            operations.contains(&name) && pair["status"].as_u64().unwrap() < 300
        };
        let pairs = pairs(api).unwrap();
        for name in operations {
            let is_there = pairs.iter().any(|pair| pair["operationId"] == *name);
            assert!(is_there, "{api} has no {name}");
        }
        decoded += pairs.iter().filter(is_decoded).count();
    }
    let words = contract("samples/lwa_token.json").unwrap();
    decoded += words["errors"].as_array().unwrap().len();
    let notifications = contract("samples/notification_examples.json").unwrap();
    let examples = notifications["examples"].as_object().unwrap().values();
    decoded += examples
        .map(|list| list.as_array().unwrap().len())
        .sum::<usize>();
    println!(
        "coverage amazon: {} operations, {decoded} samples decoded, {} codes mapped",
        requests::VALIDATED,
        tables::MAPPED
    );
}
