//! The table's layout, in one place.
//!
//! | partition | sort key | what |
//! |---|---|---|
//! | `ORDER#ebay:main#01-1` | `STATE` | the order with its purchases and parcels; its due time |
//! | | `BUYER` | the buyer, sealed; expires |
//! | | `HISTORY#00001` | one record of what happened, append-only |
//! | | `ATTENTION` | why it waits for a person; in the attention lane |
//! | `SUPPLIER#aliexpress:main#123` | `ORDER` | which order a supplier's order belongs to |
//! | `PERSON#<pseudonym>` | `ebay:main/01-1` | which orders are a person's; expires with their data |
//! | `SKU#<sku>` | `LISTING#ebay:main/81` | a listing: the channel's ids, what is published |
//! | | `OFFER#aliexpress:main/1/2` | an offer: evidence, and the counters of free units |
//! | | `BUNDLE` | what a sku is made of, where it is bought as others |
//! | | `IN#<bundle>` | a bundle that this sku is a part of |
//! | `VARIANT#aliexpress:main/1/2` | `SKU` | which sku a supplier's variant fills: its units are counted once |
//! | `VARIATIONS#ebay:main#12` | `REVISIONS` | how often a listing was changed whose variations share a budget; expires |
//! | `STOCK` | `QUEUED` | up to when the offers that are due were queued, by lane |
//! | `RULES` | `RULES` | what the merchant decides about stock and prices |
//! | `RATES` | `RATES` | what currencies are worth in each other, from whom and since when |
//! | `HELD#<sku>` | `ebay:main/81` | a price that waits for a person; in the price lane |
//! | `ACCOUNT#ebay:main` | `TOKEN` | access and refresh token, sealed; the lease of the one that refreshes |
//! | | `SWEEP` | up to when the channel's orders were read |
//! | | `BULK` | the channel's submission that is at work, or the last |
//! | | `BULK#00000001#00001` | listings of that submission; expires |
//! | | `ATTENTION` | why the account waits for a person |
//! | | `LIMIT#getOrder` | how many calls of an operation are left; expires |

use super::Key;
use crate::decide::Urgency;
use crate::domain::{AccountId, ListingId, OfferId, OrderKey, Pseudonym, Sku, SupplierOrderId};

/// Sort key of an order's state.
pub const STATE: &str = "STATE";
/// Sort key of an order's sealed buyer.
pub const BUYER: &str = "BUYER";
/// Sort key of an order's, or an account's, entry in the attention list.
pub const ATTENTION: &str = "ATTENTION";
/// Beginning of the sort keys of an order's history.
pub const HISTORY: &str = "HISTORY#";
/// Beginning of the partitions of skus.
pub const SKU: &str = "SKU#";
/// Beginning of the sort keys of a sku's listings.
pub const LISTING: &str = "LISTING#";
/// Beginning of the sort keys of a sku's offers.
pub const OFFER: &str = "OFFER#";
/// Sort key of what a sku is made of.
pub const BUNDLE: &str = "BUNDLE";
/// Beginning of the sort keys of the bundles that a sku is a part of.
pub const PART_OF: &str = "IN#";

/// Lane of orders that the order-forwarder has to look at.
pub const FORWARD_LANE: &str = "forward";
/// Lane of orders whose tracking is due.
pub const TRACK_LANE: &str = "track";
/// Lane of what waits for a person.
pub const ATTENTION_LANE: &str = "attention";
/// How many lanes the offers whose stock is due are spread over: one partition of the index takes 1,000 writes a second.
pub const STOCK_LANES: u8 = 16;

/// Lane of a channel's listings that wait to be told in bulk, of one urgency.
pub fn bulk_lane(channel: &AccountId, urgency: Urgency) -> String {
    format!("bulk#{channel}#{}", urgency as u8)
}

/// Lane of a channel's listings that are read back, at the first look or, where it found less than was published, at the
/// second.
pub fn read_back_lane(channel: &AccountId, is_second: bool) -> String {
    format!("readback#{channel}#{}", u8::from(is_second) + 1)
}

/// Lane of submissions that have to be looked at.
pub const SUBMISSION_LANE: &str = "submission";
/// Lane of prices that wait for a person.
pub const PRICE_LANE: &str = "price";

/// Partition of an order.
pub fn order(order: &OrderKey) -> String {
    format!("ORDER#{}#{}", order.channel, order.id)
}

/// An order's state.
pub fn order_state(key: &OrderKey) -> Key {
    Key::new(order(key), STATE)
}

/// An order's sealed buyer.
pub fn buyer(key: &OrderKey) -> Key {
    Key::new(order(key), BUYER)
}

/// An order's entry in the attention list.
pub fn attention(key: &OrderKey) -> Key {
    Key::new(order(key), ATTENTION)
}

/// An account's entry in the attention list.
pub fn account_attention(account: &AccountId) -> Key {
    Key::new(format!("ACCOUNT#{account}"), ATTENTION)
}

/// A record of an order's history; the number counts from 1.
pub fn history(key: &OrderKey, number: u64) -> Key {
    Key::new(order(key), format!("{HISTORY}{number:05}"))
}

/// Where a supplier's order leads back to ours.
pub fn supplier_order(supplier: &AccountId, id: &SupplierOrderId) -> Key {
    Key::new(format!("SUPPLIER#{supplier}#{id}"), "ORDER")
}

/// Partition of a person's orders.
pub fn person(pseudonym: &Pseudonym) -> String {
    format!("PERSON#{pseudonym}")
}

/// One order of a person.
pub fn person_order(pseudonym: &Pseudonym, order: &OrderKey) -> Key {
    Key::new(person(pseudonym), order.to_string())
}

/// Partition of a sku.
pub fn sku(sku: &Sku) -> String {
    format!("{SKU}{sku}")
}

/// A sku's listing on a channel.
pub fn listing(id: &ListingId) -> Key {
    let (channel, offer) = (&id.channel, &id.offer);
    Key::new(sku(&id.sku), format!("{LISTING}{channel}/{offer}"))
}

/// What a sku is made of.
pub fn bundle(code: &Sku) -> Key {
    Key::new(sku(code), BUNDLE)
}

/// That a sku is a part of a bundle.
pub fn part_of(part: &Sku, bundle: &Sku) -> Key {
    Key::new(sku(part), format!("{PART_OF}{bundle}"))
}

/// How often a channel's listing was changed whose variations share a budget.
pub fn revisions(channel: &AccountId, variation_of: &str) -> Key {
    Key::new(format!("VARIATIONS#{channel}#{variation_of}"), "REVISIONS")
}

/// The lane of an offer whose stock is due: the same for it always.
pub fn stock_lane(code: &Sku, offer: &OfferId) -> String {
    // FNV-1a: what lies in the table must not depend on a hash that a library may change.
    let key = format!("{code}/{offer}");
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    stock_lane_of(u8::try_from(hash % u64::from(STOCK_LANES)).unwrap_or(0))
}

/// A lane by its number, below [`STOCK_LANES`].
pub fn stock_lane_of(number: u8) -> String {
    format!("stock#{number:02}")
}

/// Up to when the offers that are due were queued.
pub fn stock_cursor() -> Key {
    Key::new("STOCK", "QUEUED")
}

/// The merchant's rules.
pub fn rules() -> Key {
    Key::new("RULES", "RULES")
}

/// The rates of currencies.
pub fn rates() -> Key {
    Key::new("RATES", "RATES")
}

/// A listing's price that waits for a person.
pub fn held_price(id: &ListingId) -> Key {
    let (channel, offer) = (&id.channel, &id.offer);
    Key::new(format!("HELD#{}", id.sku), format!("{channel}/{offer}"))
}

/// A sku's offer.
pub fn offer(code: &Sku, offer: &OfferId) -> Key {
    Key::new(sku(code), format!("{OFFER}{offer}"))
}

/// Which sku a supplier's variant fills.
pub fn variant(offer: &OfferId) -> Key {
    Key::new(format!("VARIANT#{offer}"), "SKU")
}

/// An account's tokens.
pub fn token(account: &AccountId) -> Key {
    Key::new(format!("ACCOUNT#{account}"), "TOKEN")
}

/// The calls that are left of an account's operation.
pub fn limit(account: &AccountId, operation: &str) -> Key {
    Key::new(format!("ACCOUNT#{account}"), format!("LIMIT#{operation}"))
}

/// A channel's submission.
pub fn submission(channel: &AccountId) -> Key {
    Key::new(format!("ACCOUNT#{channel}"), "BULK")
}

/// A part of a submission's listings; both numbers count from 1.
pub fn submission_part(channel: &AccountId, number: u64, part: u32) -> Key {
    let sk = format!("BULK#{number:08}#{part:05}");
    Key::new(format!("ACCOUNT#{channel}"), sk)
}

/// How far a channel's orders were swept.
pub fn sweep(channel: &AccountId) -> Key {
    Key::new(format!("ACCOUNT#{channel}"), "SWEEP")
}

/// The order of a partition; `None` where the partition is not an order's.
pub fn order_of_partition(pk: &str) -> Option<OrderKey> {
    let (channel, id) = pk.strip_prefix("ORDER#")?.split_once('#')?;
    Some(OrderKey {
        channel: channel.parse().ok()?,
        id: crate::domain::ChannelOrderId::parse(id).ok()?,
    })
}
