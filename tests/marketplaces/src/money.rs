//! Amounts of money with two decimals, which is all that the simulated marketplaces trade in.

use std::fmt;

use serde::Deserialize;
use serde::Serialize;

/// An amount in hundredths of a currency. In JSON it is `{"value":"12.34","currency":"USD"}`, as eBay writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WireMoney", into = "WireMoney")]
pub struct Money {
    /// Hundredths of the currency.
    pub cents: i64,
    /// ISO 4217 code.
    pub currency: String,
}

impl Money {
    /// An amount of `cents` hundredths of `currency`.
    pub fn new(cents: i64, currency: impl Into<String>) -> Self {
        Self {
            cents,
            currency: currency.into(),
        }
    }

    /// An amount in US dollars.
    pub fn usd(cents: i64) -> Self {
        Self::new(cents, "USD")
    }

    /// The amount as a decimal text with two places, without the currency.
    pub fn decimal(&self) -> String {
        let sign = if self.cents < 0 { "-" } else { "" };
        let cents = self.cents.unsigned_abs();
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }

    /// This amount `count` times.
    pub fn times(&self, count: u32) -> Self {
        Self::new(self.cents.saturating_mul(i64::from(count)), &*self.currency)
    }

    /// Reads a decimal text with at most two places.
    pub fn parse(value: &str, currency: &str) -> Option<Self> {
        let (sign, digits) = match value.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, value),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || fraction.len() > 2 || !is_number(whole) || !is_number(fraction) {
            return None;
        }
        let whole: i64 = whole.parse().ok()?;
        let fraction: i64 = format!("{fraction:0<2}").parse().ok()?;
        let cents = whole.checked_mul(100)?.checked_add(fraction)?;
        let is_currency = currency.len() == 3 && currency.bytes().all(|c| c.is_ascii_uppercase());
        is_currency.then(|| Self::new(sign * cents, currency))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

#[derive(Serialize, Deserialize)]
struct WireMoney {
    value: String,
    currency: String,
}

impl From<Money> for WireMoney {
    fn from(money: Money) -> Self {
        Self {
            value: money.decimal(),
            currency: money.currency,
        }
    }
}

impl TryFrom<WireMoney> for Money {
    type Error = String;

    fn try_from(wire: WireMoney) -> Result<Self, Self::Error> {
        Money::parse(&wire.value, &wire.currency)
            .ok_or_else(|| format!("not an amount: {} {}", wire.value, wire.currency))
    }
}
