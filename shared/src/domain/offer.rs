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
    /// What the shipping of one unit is thought to cost, for the price rules; what an order really pays is asked when it is
    /// planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
    /// What is known of stock and cost; none before the first look.
    pub evidence: Option<Evidence>,
    /// Seconds between two looks at the stock.
    pub interval_s: u32,
}

/// Seconds between the first looks at an offer's stock; later ones follow what is found.
const FIRST_INTERVAL_S: u32 = 600;

impl Offer {
    /// An offer of which the merchant has said nothing: rank 1, and stock is asked for the United States.
    pub fn usual(id: OfferId, sku: Sku) -> Self {
        Self::new(id, sku, 1, CountryCode::united_states())
    }

    /// An offer that was never looked at.
    pub fn new(id: OfferId, sku: Sku, rank: u32, ship_to: CountryCode) -> Self {
        Self {
            id,
            sku,
            rank,
            ship_to,
            shipping: None,
            evidence: None,
            interval_s: FIRST_INTERVAL_S,
        }
    }
}
