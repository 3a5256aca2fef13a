//! The Trading API's error codes, with their three axes. The status is 200 for most of them; `Ack` and `Errors` tell.

use super::wire::ErrorEntry;
use crate::marketplaces::{
    CallError, Effect, Kind, Retry,
    ebay::{error::Fault, limits},
};
use std::time::Duration;

/// A quota of calls is daily, and the answer names no time.
const QUOTA_WAIT: Duration = Duration::from_secs(3_600);

/// The error of a call by its first entry; what follows from it stands behind.
pub(super) fn of_entries(fault: Fault<'_>, entries: &[ErrorEntry]) -> CallError {
    match entries.first() {
        Some(entry) => of_entry(fault, entry),
        // It says that it failed, and not why.
        None => fault.unsaid("no-errors"),
    }
}

/// The error of one entry.
pub(super) fn of_entry(fault: Fault<'_>, entry: &ErrorEntry) -> CallError {
    let later = Retry::After(limits::FAULT_WAIT);
    let (kind, retry, effect) = match of_code(&entry.code) {
        Some((kind, retry)) => (kind, retry, Effect::None),
        // A server that failed may have done it all the same.
        None if entry.is_system => {
            let effect = fault.operation.effect_of_silence();
            (Kind::Unavailable, later, effect)
        }
        None => (Kind::Refused, Retry::Permanent, Effect::None),
    };
    fault.error(kind, retry, effect, &entry.code)
}

/// Codes that say more than their class (developer.ebay.com, "Errors by number").
fn of_code(code: &str) -> Option<(Kind, Retry)> {
    let later = Retry::After(limits::FAULT_WAIT);
    Some(match code {
        // The token is missing: nothing of ours ever leaves it out.
        "930" => (Kind::Misconfigured, Retry::Person),
        // Invalid, ended, and not one of OAuth: another token of the same consent is no better.
        "931" | "932" | "21916984" => (Kind::ConsentEnded, Retry::Person),
        // Ended as tokens do every two hours: the one that a new token cures.
        "21917053" => (Kind::TokenInvalid, later),
        // The application's calls of the day are used up.
        "518" => (Kind::Throttled, Retry::After(QUOTA_WAIT)),
        // The listing ended; the seller sells more than eBay allows; it is an auction; it was made through the
        // Inventory API.
        "21916750" | "21919188" | "21916286" | "21919474" => (Kind::Refused, Retry::Permanent),
        _ => return None,
    })
}
