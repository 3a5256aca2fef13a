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
    /// What becomes of an order of which not everything can be had.
    pub orders: OrderRules,
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

/// What becomes of an order of which not everything can be had: a line's sku is in no catalogue, out of stock or not
/// deliverable, its suppliers refuse it, or it would lose alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrderRules {
    /// What becomes of the lines that can be had.
    pub unavailable: Unavailable,
    /// For so many minutes after a line was first found missing everything waits, whatever the rule; 0 to 20160 (two weeks),
    /// and 0 where the rule is to wait.
    pub after_minutes: u32,
}

/// What becomes of the lines that can be had, while others cannot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unavailable {
    /// Nothing is bought until all can be had. The default: the others cost the merchant a second delivery, and a customer
    /// whose lamp came without its bulb may send it back; a wait costs time, and a person can end it at any moment.
    #[default]
    Wait,
    /// They are bought now; the order stays in the attention list for the missing ones.
    SendTheRest,
    /// Nothing is bought until all can be had, or a person says that the rest shall be sent.
    Ask,
}

impl OrderRules {
    /// The longest `after_minutes`: two weeks. No channel's customer waits longer.
    const LONGEST_MINUTES: u32 = 14 * 24 * 60;

    /// Refuses a rule that contradicts itself.
    pub fn check(&self) -> Result<(), Invalid> {
        let wrong = |problem: &str| Err(Invalid::new("orders", problem));
        if self.after_minutes > Self::LONGEST_MINUTES {
            return wrong("after_minutes must be 0 to 20160");
        }
        if self.unavailable == Unavailable::Wait && self.after_minutes > 0 {
            return wrong("after_minutes counts only where unavailable is send_the_rest or ask");
        }
        Ok(())
    }

    /// The time for which everything waits.
    pub fn after(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.after_minutes))
    }
}

impl Rules {
    /// Refuses rules that contradict themselves, naming what would be right.
    pub fn check(&self) -> Result<(), Invalid> {
        self.evidence.check()?;
        self.price.check()?;
        self.orders.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_for_orders_that_contradicts_itself_is_refused() {
        use Unavailable::{Ask, SendTheRest, Wait};
        // The rule, its minutes, and what is wrong.
        let rows = [
            (Wait, 0, ""),
            (SendTheRest, 0, ""),
            (SendTheRest, 20_160, ""),
            (Ask, 1, ""),
            (Wait, 1, "counts only"),
            (Ask, 20_161, "0 to 20160"),
        ];
        for (unavailable, after_minutes, wrong) in rows {
            let orders = OrderRules {
                unavailable,
                after_minutes,
            };
            let rules = Rules {
                orders,
                ..Rules::default()
            };
            let told = rules.check().err().map(|error| error.to_string());
            let told = told.unwrap_or_default();
            assert_eq!(told.is_empty(), wrong.is_empty(), "{orders:?}: {told}");
            assert!(told.contains(wrong), "{told}");
        }
    }

    #[test]
    fn rules_that_say_nothing_of_orders_wait_and_a_word_of_nobody_is_refused() {
        let rules: Rules = serde_json::from_str("{}").unwrap();
        assert_eq!(rules.orders.unavailable, Unavailable::Wait);
        let text = r#"{ "orders": { "unavailable": "send_the_rest", "after_minutes": 90 } }"#;
        let rules: Rules = serde_json::from_str(text).unwrap();
        assert_eq!(rules.orders.unavailable, Unavailable::SendTheRest);
        assert_eq!(rules.orders.after(), SignedDuration::from_mins(90));
        let text = r#"{ "orders": { "unavailable": "send" } }"#;
        assert!(serde_json::from_str::<Rules>(text).is_err());
    }
}
