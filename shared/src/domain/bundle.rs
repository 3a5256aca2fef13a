//! A sku that is made of others.

use super::{Invalid, LineId, Sku};
use serde::{Deserialize, Serialize};

/// The most different skus in a bundle: all of them are reserved in one transaction.
const MOST_PARTS: usize = 20;

/// Units of a sku in one unit of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What.
    pub sku: Sku,
    /// How many, at least 1.
    pub units: u32,
}

/// What one unit of an order's line was made of when the order was taken. It stays so, whatever the catalogue says later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedLine {
    /// The channel's line.
    pub line: LineId,
    /// Its parts, at least one. A sku that is no bundle is its own only part. The first part leads: its parcel is the one
    /// that the channel is told of.
    pub parts: Vec<Part>,
}

/// A sku that is sold as one and bought as its parts. It has listings and no offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Bundle {
    sku: Sku,
    parts: Vec<Part>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    sku: Sku,
    parts: Vec<Part>,
}

impl Bundle {
    /// A bundle of 1 to [`MOST_PARTS`] different skus, none of them itself, with 1 to 10,000 units each.
    pub fn new(sku: Sku, parts: Vec<Part>) -> Result<Self, Invalid> {
        let wrong = |problem: &str| Err(Invalid::new("bundle", problem));
        if !(1..=MOST_PARTS).contains(&parts.len()) {
            return wrong("must have 1 to 20 parts");
        }
        if parts.iter().any(|part| !(1..=10_000).contains(&part.units)) {
            return wrong("must have 1 to 10000 units of each part");
        }
        if parts.iter().any(|part| part.sku == sku) {
            return wrong("cannot be a part of itself");
        }
        let is_twice = |(place, part): (usize, &Part)| {
            parts[..place].iter().any(|other| other.sku == part.sku)
        };
        if parts.iter().enumerate().any(is_twice) {
            return wrong("must name each part once");
        }
        Ok(Self { sku, parts })
    }

    /// The sku that is sold.
    pub const fn sku(&self) -> &Sku {
        &self.sku
    }

    /// What one unit of it is made of.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}

impl TryFrom<Stored> for Bundle {
    type Error = Invalid;

    fn try_from(stored: Stored) -> Result<Self, Invalid> {
        Self::new(stored.sku, stored.parts)
    }
}

impl From<Bundle> for Stored {
    fn from(bundle: Bundle) -> Self {
        Self {
            sku: bundle.sku,
            parts: bundle.parts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(sku: &str, units: u32) -> Part {
        Part {
            sku: Sku::parse(sku).unwrap(),
            units,
        }
    }

    #[test]
    fn a_bundle_names_other_skus_once_each_with_their_units() {
        let set = || Sku::parse("SET").unwrap();
        let good = Bundle::new(set(), vec![part("MUG", 2), part("PLATE", 1)]).unwrap();
        let text = serde_json::to_string(&good).unwrap();
        assert_eq!(serde_json::from_str::<Bundle>(&text).unwrap(), good);
        for wrong in [
            vec![],
            vec![part("SET", 1)],
            vec![part("MUG", 0)],
            vec![part("MUG", 10_001)],
            vec![part("MUG", 1), part("MUG", 1)],
            (0..21).map(|n| part(&format!("P{n}"), 1)).collect(),
        ] {
            assert!(Bundle::new(set(), wrong).is_err());
        }
        let itself = text.replace("MUG", "SET");
        assert!(serde_json::from_str::<Bundle>(&itself).is_err());
    }
}
