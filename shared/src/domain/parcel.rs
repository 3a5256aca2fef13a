//! A shipment with a tracking number.

use super::{Invalid, LineId, Sku};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A carrier's number of a parcel: capital letters and digits only, because eBay takes nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TrackingNumber(String);

impl TrackingNumber {
    /// Takes the number as a supplier wrote it; blanks and hyphens go, letters become capital. 4 to 50 characters.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let number: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if !(4..=50).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Invalid::new(
                "tracking number",
                "must be 4 to 50 letters and digits",
            ));
        }
        Ok(Self(number))
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrackingNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for TrackingNumber {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<TrackingNumber> for String {
    fn from(number: TrackingNumber) -> Self {
        number.0
    }
}

/// Units of one order line in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelLine {
    /// The channel's line.
    pub line: LineId,
    /// How many units of it.
    pub quantity: u32,
}

/// Units of a bundle's part in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedPart {
    /// The channel's line that is a bundle.
    pub line: LineId,
    /// The part.
    pub sku: Sku,
    /// How many units of the part.
    pub quantity: u32,
}

/// A parcel of a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Its number; one order never has the same twice.
    pub tracking_number: TrackingNumber,
    /// The carrier as the supplier names it.
    pub carrier: String,
    /// The purchase that it belongs to.
    pub purchase: u8,
    /// What the channel is told of: units of its lines. A bundle's unit is told once, with the parcel that completes its
    /// leading part.
    pub lines: Vec<ParcelLine>,
    /// What is in it of bundles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PackedPart>,
    /// How far the channel knows of it.
    pub state: ParcelState,
    /// When the carrier delivered it.
    pub delivered_at: Option<Timestamp>,
}

/// How far the channel knows of a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ParcelState {
    /// The channel has not been told.
    Seen {
        /// Not to be told before.
        not_before: Timestamp,
    },
    /// Someone is telling the channel, or was and failed to say how it ended.
    Confirming {
        /// Counts from 1. From the second on, the channel is read before it is told.
        attempt: u32,
        /// Until then nobody else tells.
        lease_until: Timestamp,
    },
    /// The channel has it.
    Confirmed {
        /// Since when.
        at: Timestamp,
    },
    /// The channel refuses it; a person looks.
    Refused,
    /// It holds only parts of bundles for which another parcel stands: a channel takes a unit in one parcel alone.
    NotTold,
}
