//! What a person decides about an order that waits, and in which words it is kept.

use super::{Invalid, LineId, Money, SupplierOrderId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A person's decision about an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Decision {
    /// The purchase is at the supplier, under these numbers.
    Bought {
        /// Which purchase.
        purchase: u8,
        /// The supplier's numbers, at least one.
        supplier_orders: Vec<SupplierOrderId>,
        /// Whether they replace numbers that were wrong.
        corrects: bool,
    },
    /// The merchant buys elsewhere what is not bought yet: Kervan buys nothing more for the order.
    BoughtElsewhere {
        /// Purchases that the supplier does not have, or no longer.
        not_at_supplier: Vec<u8>,
    },
    /// What is not bought yet shall be bought now, by offers that refused before too.
    BuyAgain {
        /// Purchases that the supplier does not have, or no longer: they are bought again.
        not_at_supplier: Vec<u8>,
        /// The most that the order may lose; without it what was accepted before stands.
        accepted_loss: Option<Money>,
    },
    /// The order was cancelled: it ends.
    Cancel {
        /// Purchases that the supplier does not have, or no longer, or that come back.
        not_at_supplier: Vec<u8>,
    },
    /// The shipment was confirmed at the channel by hand.
    ConfirmedByHand,
    /// More is bought than is wanted, and it is kept.
    Keep {
        /// How many units too many.
        units: u32,
    },
    /// What can be had now is bought, and the lines that cannot be had wait.
    SendTheRest,
    /// These lines are not sent: the person has cancelled them or paid them back at the channel, or will.
    CancelLines {
        /// Which lines.
        lines: Vec<LineId>,
        /// Purchases that do not have these lines at the supplier any more.
        not_at_supplier: Vec<u8>,
    },
    /// The merchant buys and sends these lines without Kervan.
    LinesElsewhere {
        /// Which lines.
        lines: Vec<LineId>,
        /// Purchases that do not have these lines at the supplier any more.
        not_at_supplier: Vec<u8>,
    },
    /// These lines shall be bought (again), also where it was decided before that they are not.
    LinesAgain {
        /// Which lines.
        lines: Vec<LineId>,
        /// Purchases that do not have these lines at the supplier any more.
        not_at_supplier: Vec<u8>,
    },
}

impl Decision {
    /// The decision's name as written in lists.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Bought { .. } => "bought",
            Self::BoughtElsewhere { .. } => "bought_elsewhere",
            Self::BuyAgain { .. } => "buy_again",
            Self::Cancel { .. } => "cancel",
            Self::ConfirmedByHand => "confirmed_by_hand",
            Self::Keep { .. } => "keep",
            Self::SendTheRest => "send_the_rest",
            Self::CancelLines { .. } => "cancel_lines",
            Self::LinesElsewhere { .. } => "lines_elsewhere",
            Self::LinesAgain { .. } => "lines_again",
        }
    }

    /// Purchases of which the person says that the supplier does not have them, or no longer.
    pub fn not_at_supplier(&self) -> &[u8] {
        match self {
            Self::BoughtElsewhere { not_at_supplier }
            | Self::BuyAgain {
                not_at_supplier, ..
            }
            | Self::Cancel { not_at_supplier }
            | Self::CancelLines {
                not_at_supplier, ..
            }
            | Self::LinesElsewhere {
                not_at_supplier, ..
            }
            | Self::LinesAgain {
                not_at_supplier, ..
            } => not_at_supplier,
            Self::Bought { .. } | Self::ConfirmedByHand | Self::Keep { .. } | Self::SendTheRest => {
                &[]
            }
        }
    }
}

/// What was decided about a line that Kervan does not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineDecision {
    /// Nobody sends it.
    Cancelled,
    /// The merchant sends it without Kervan.
    Elsewhere,
}

/// What of earlier decisions still counts for an order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Decided {
    /// Nothing more is bought for the order.
    pub bought_elsewhere: bool,
    /// Purchases up to this number are forgotten as refusals: their offers may be asked again.
    pub refusals_lifted_to: u8,
    /// The most that the order may lose; not negative, in the order's currency.
    pub accepted_loss: Option<Money>,
    /// So many units too many are bought and kept.
    pub kept_units: u32,
    /// What can be had is bought without waiting for the rest, whatever the merchant's rule.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub send_the_rest: bool,
    /// Lines that Kervan does not send.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub lines: BTreeMap<LineId, LineDecision>,
}

/// One line that a person wrote: 1 to 200 characters, none of which could steer a terminal or break a line. It stays in
/// the history for good, so no buyer's data belongs in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Remark(String);

impl Remark {
    /// The most characters of a remark.
    pub const MOST_CHARACTERS: usize = 200;

    /// Checks the text; blanks at both ends are left out.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let most = Self::MOST_CHARACTERS;
        if !(1..=most).contains(&text.chars().count()) {
            let problem = format!("must be 1 to {most} characters");
            return Err(Invalid::new("text", problem));
        }
        if text.chars().any(breaks_a_line) {
            let problem = "must be one line without control characters";
            return Err(Invalid::new("text", problem));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Control characters, and what Unicode has to end a line or to turn its direction.
fn breaks_a_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Remark {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl TryFrom<String> for Remark {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

impl From<Remark> for String {
    fn from(remark: Remark) -> Self {
        remark.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_remark_is_one_line_of_bounded_length() {
        assert_eq!(
            Remark::parse("  found at AliExpress ").unwrap().as_str(),
            "found at AliExpress"
        );
        assert!(Remark::parse(&"ü".repeat(200)).is_ok());
        let too_long = "x".repeat(201);
        for wrong in [
            "",
            "   ",
            "a\nb",
            "a\u{1b}[2J",
            "a\u{202e}b",
            "a\tb",
            &too_long,
        ] {
            assert!(Remark::parse(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    proptest! {
        #[test]
        fn what_was_taken_is_taken_again(text in ".{0,210}") {
            if let Ok(remark) = Remark::parse(&text) {
                prop_assert_eq!(Remark::parse(remark.as_str()), Ok(remark));
            }
        }
    }
}
