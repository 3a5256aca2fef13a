//! What the merchant decides about stock and prices: data in the table, not code.

use super::{Invalid, PriceRules};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// All rules. What a stored document leaves out has its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// What a supplier's word on its stock is worth as it grows old.
    pub evidence: EvidenceRule,
    /// How prices are found, and how much an order may lose.
    pub price: PriceRules,
}

/// What a supplier's word on its stock is worth as it grows old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceRule {
    /// Evidence up to this age, in minutes, may raise a published quantity; 1 to 1440.
    pub fresh_minutes: u32,
    /// From here on, in minutes, less and less of it counts; not before `fresh_minutes`.
    pub fades_minutes: u32,
    /// Evidence older than this, in minutes, counts as nothing; not before `fades_minutes`, at most 10080 (a week).
    pub worthless_minutes: u32,
}

impl Default for EvidenceRule {
    fn default() -> Self {
        Self {
            fresh_minutes: 120,
            fades_minutes: 360,
            worthless_minutes: 1440,
        }
    }
}

impl EvidenceRule {
    /// Refuses a rule whose times are out of order.
    pub fn check(&self) -> Result<(), Invalid> {
        let wrong = |problem: &str| Err(Invalid::new("evidence", problem));
        if !(1..=1440).contains(&self.fresh_minutes) {
            return wrong("fresh_minutes must be 1 to 1440");
        }
        if self.fades_minutes < self.fresh_minutes {
            return wrong("fades_minutes must not be below fresh_minutes");
        }
        if self.worthless_minutes < self.fades_minutes || self.worthless_minutes > 10_080 {
            return wrong("worthless_minutes must be from fades_minutes to 10080");
        }
        Ok(())
    }

    /// Evidence up to this age may raise a published quantity.
    pub fn fresh(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.fresh_minutes))
    }

    /// From this age on, less and less of the evidence counts.
    pub fn fades(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.fades_minutes))
    }

    /// Evidence older than this counts as nothing.
    pub fn worthless(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.worthless_minutes))
    }
}

impl Rules {
    /// Refuses rules that contradict themselves, naming what would be right.
    pub fn check(&self) -> Result<(), Invalid> {
        self.evidence.check()?;
        self.price.check()
    }
}
