//! A sku offered on a channel.

use super::{AccountId, Money, Sku};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The channel's own ids of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListingId {
    /// The account that sells.
    pub channel: AccountId,
    /// The sku as the channel knows it.
    pub sku: Sku,
    /// The channel's id of the published offer (eBay: `offerId`).
    pub offer: String,
}

/// A listing and what the channel shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Which listing.
    pub id: ListingId,
    /// The price at which we sell.
    pub price: Money,
    /// Units that are never offered.
    pub buffer: u32,
    /// The most units that are shown.
    pub cap: u32,
    /// What was last published; none before the first time.
    pub published: Option<Published>,
}

/// What the channel was last told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Units on sale.
    pub quantity: u32,
    /// The price.
    pub price: Money,
    /// When.
    pub at: Timestamp,
}
