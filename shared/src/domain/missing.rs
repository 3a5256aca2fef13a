//! Lines of an order that cannot be had now, and what happens to the others meanwhile.

use super::LineId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A line that cannot be bought now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingLine {
    /// Which line of the channel's order.
    pub line: LineId,
    /// The sku that cannot be had, of the line or of a part of it; as the channel sent it where nobody knows it.
    pub sku: String,
    /// Why.
    #[serde(flatten)]
    pub why: WhyMissing,
}

/// Why a line cannot be bought now. No amounts: they would make a new reason of each look at the same obstacle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum WhyMissing {
    /// The sku is not in the catalogue, or nobody offers it.
    NotMapped,
    /// No offer has enough units that are known to be free.
    OutOfStock,
    /// Bought alone, it would lose more than the rule allows.
    WouldLose,
    /// No supplier sends it to the buyer's country.
    NotDeliverable,
    /// The suppliers refused it.
    Refused {
        /// The supplier's documented code.
        code: String,
    },
}

impl fmt::Display for WhyMissing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotMapped => formatter.write_str("not mapped"),
            Self::OutOfStock => formatter.write_str("out of stock"),
            Self::WouldLose => formatter.write_str("would lose"),
            Self::NotDeliverable => formatter.write_str("not deliverable"),
            Self::Refused { code } => write!(formatter, "refused with {code}"),
        }
    }
}

impl fmt::Display for MissingLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({}, {})", self.line, self.sku, self.why)
    }
}

/// What happens to the lines that can be had, while others cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rest {
    /// They wait too: the merchant's time is not over yet, or there is nothing that can be had.
    Waits,
    /// A person is asked.
    Asked,
    /// They are bought.
    Sent,
}
