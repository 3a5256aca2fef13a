//! A supplier's variant that can fill a sku.

use super::{CountryCode, Money, OfferId, Sku};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a supplier said of a variant, and when. Old evidence may lower a published quantity, never raise it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Units that the supplier says it has.
    pub stock: u32,
    /// Price of one unit without shipping.
    pub cost: Money,
    /// When the supplier was asked.
    pub at: Timestamp,
}

/// An offer as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Which variant of which supplier.
    pub id: OfferId,
    /// The sku that it fills.
    pub sku: Sku,
    /// Lower is tried first.
    pub rank: u32,
    /// The country for which stock is asked; a supplier's stock can differ by where it ships to.
    pub ship_to: CountryCode,
    /// What is known of stock and cost; none before the first look.
    pub evidence: Option<Evidence>,
    /// Seconds between two looks at the stock.
    pub interval_s: u32,
}
