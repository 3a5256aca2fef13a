//! Messages of the queue that Amazon writes to (developer-docs.amazon.com/sp-api, "Notifications API"). The letters of
//! their keys differ by type, so keys are read without regard to case; through EventBridge a message comes in `detail`.

#[cfg(test)]
mod tests;

use crate::{
    domain::{AccountId, ChannelOrderId, Signal, SignalKind},
    marketplaces::{Notification, PushRefused},
};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Types that say that an order changed; the second is what the first replaced.
const ORDER_TYPES: [&str; 2] = ["ORDER_CHANGE", "ORDER_STATUS_CHANGE"];

/// The longest id that is kept as it is. Amazon sends a UUID.
const LONGEST_ID: usize = 128;

/// What a message says to the account of this seller; `None` where it is another seller's.
pub(super) fn read(
    account: &AccountId,
    seller_id: &str,
    message: &[u8],
    now: Timestamp,
) -> Result<Option<Notification>, PushRefused> {
    let malformed = |reason| PushRefused::new(StatusCode::BAD_REQUEST, reason);
    let message_value: Value =
        serde_json::from_slice(message).map_err(|_| malformed("notification is not JSON"))?;
    let outer = message_value
        .as_object()
        .ok_or_else(|| malformed("notification is no object"))?;
    let inner = field(outer, "detail")
        .and_then(Value::as_object)
        .unwrap_or(outer);
    let kind = text(inner, "notificationType");
    let kind = kind.ok_or_else(|| malformed("notification without a type"))?;
    let payload = field(inner, "payload").and_then(Value::as_object);
    let payload = payload.ok_or_else(|| malformed("notification without a payload"))?;
    // What is told stands in the payload itself or in one object of it that is named after the type.
    let nested = payload.values().filter_map(Value::as_object);
    let parts: Vec<&Map<String, Value>> = std::iter::once(payload).chain(nested).collect();
    let said = |name: &str| parts.iter().find_map(|part| text(part, name));
    if said("sellerId").is_some_and(|seller| seller != seller_id) {
        return Ok(None);
    }
    let mut signals = Vec::new();
    if ORDER_TYPES.contains(&kind) {
        let id = said("amazonOrderId").and_then(|id| ChannelOrderId::parse(id).ok());
        let id = id.ok_or_else(|| malformed("order notification without an order"))?;
        if !is_sent_by_amazon(&parts) {
            signals.push(Signal {
                account: account.clone(),
                kind: SignalKind::OrderChanged(id),
                seen_at: now,
            });
        }
    }
    Ok(Some(Notification {
        id: id(outer, inner, message),
        signals,
    }))
}

/// Whether the order is filled from Amazon's own stock: then it is none of ours.
fn is_sent_by_amazon(parts: &[&Map<String, Value>]) -> bool {
    let summaries = parts
        .iter()
        .filter_map(|part| field(part, "summary")?.as_object());
    let mut types = summaries.filter_map(|summary| text(summary, "fulfillmentType"));
    types.any(|kind| kind == "AFN")
}

/// The message's id, or a hash of its bytes where it has none: a repeat then still has the same.
fn id(outer: &Map<String, Value>, inner: &Map<String, Value>, message: &[u8]) -> String {
    let metadata = field(inner, "notificationMetadata").and_then(Value::as_object);
    let given = metadata
        .and_then(|metadata| text(metadata, "notificationId"))
        .or_else(|| text(outer, "id"));
    let fits = |id: &&str| id.len() <= LONGEST_ID && id.bytes().all(|b| b.is_ascii_graphic());
    match given.filter(fits) {
        Some(id) => id.to_owned(),
        None => format!("sha256:{}", hex::encode(&Sha256::digest(message)[..16])),
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = field(object, name)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}

fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut named = object
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value)
}
