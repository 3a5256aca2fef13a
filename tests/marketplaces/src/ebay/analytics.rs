//! getRateLimits (Developer Analytics API v1 beta): the quotas that are often quoted, less the calls that were made.

use http::StatusCode;
use serde_json::Value;
use serde_json::json;

use super::state::State;
use crate::answer::Answer;
use crate::clock::iso_ms;
use crate::clock::later_ms;

const DAY_S: u64 = 86_400;

/// Context, name and version of an API, its daily quota, and the operations that count.
const APIS: [(&str, &str, &str, u64, &[&str]); 5] = [
    (
        "sell",
        "fulfillment",
        "v1",
        100_000,
        &[
            "getOrder",
            "getOrders",
            "createShippingFulfillment",
            "getShippingFulfillments",
            "issueRefund",
        ],
    ),
    (
        "sell",
        "inventory",
        "v1",
        2_000_000,
        &["bulkUpdatePriceQuantity", "getOffers"],
    ),
    (
        "commerce",
        "notification",
        "v1",
        10_000,
        &["getPublicKey", "getTopics", "getSubscriptions"],
    ),
    (
        "developer",
        "analytics",
        "v1_beta",
        5_000,
        &["getRateLimits"],
    ),
    (
        "TradingAPI",
        "TradingAPI",
        "v1",
        5_000,
        &["tradingGetOrders", "completeSale", "reviseInventoryStatus"],
    ),
];

impl State {
    /// GET rate_limit/
    pub(super) fn rate_limits(&self) -> Answer {
        let reset = iso_ms(later_ms(self.now, DAY_S * 1_000));
        let limits = APIS.map(|(context, name, version, limit, operations)| {
            let calls = operations
                .iter()
                .filter_map(|one| self.gate.calls.get(*one));
            let remaining = limit.saturating_sub(calls.sum());
            let rate = json!({
                "limit": limit, "remaining": remaining, "reset": reset, "timeWindow": DAY_S,
            });
            let resource = json!({ "name": format!("{context}.{name}"), "rates": [rate] });
            json!({
                "apiContext": context, "apiName": name, "apiVersion": version,
                "resources": [resource],
            })
        });
        let limits: Vec<Value> = limits.to_vec();
        Answer::json(StatusCode::OK, &json!({ "rateLimits": limits }))
    }
}
