//! Money is a whole number of the currency's smallest unit.

use super::Invalid;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 4217 currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The three letters.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits behind the decimal point: 2 for USD, 0 for JPY.
    pub fn exponent(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        iso_currency::Currency::from_code(text)
            .map(Self)
            .ok_or_else(|| Invalid::new("currency", "must be an ISO 4217 code, as in USD"))
    }
}

impl TryFrom<String> for Currency {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount of one currency, in its minor unit (cents for USD).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount in minor units; negative for money that goes out of a sum.
    pub minor: i64,
    /// The currency of the amount.
    pub currency: Currency,
}

impl Money {
    /// No money of this currency.
    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads a decimal amount such as `19.99`, `-3` or `7.500`. Digits beyond the minor unit must be zero: an amount
    /// is refused rather than rounded. Amounts reach to ±10^15 minor units.
    pub fn parse(decimal: &str, currency: Currency) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("amount", "must be a decimal number of the currency's units");
        let (negative, digits) = match decimal.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, decimal),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 15 || !all_digits(whole) || !all_digits(fraction) {
            return Err(wrong());
        }
        let exponent = currency.exponent() as usize;
        let kept = &fraction[..fraction.len().min(exponent)];
        if fraction[kept.len()..].bytes().any(|b| b != b'0') {
            return Err(Invalid::new(
                "amount",
                "has digits below the currency's smallest unit",
            ));
        }
        let minor: i64 = format!("{whole}{kept:0<exponent$}")
            .parse()
            .map_err(|_| wrong())?;
        if minor > 1_000_000_000_000_000 {
            return Err(wrong());
        }
        Ok(Self {
            minor: if negative { -minor } else { minor },
            currency,
        })
    }

    /// The sum; `None` where the currencies differ or the number overflows.
    pub fn plus(self, other: Self) -> Option<Self> {
        (self.currency == other.currency)
            .then(|| self.minor.checked_add(other.minor))
            .flatten()
            .map(|minor| Self { minor, ..self })
    }

    /// The difference; `None` where the currencies differ or the number overflows.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(Self {
            minor: other.minor.checked_neg()?,
            ..other
        })
    }

    /// The amount taken `times`; `None` where the number overflows.
    pub fn times(self, times: u32) -> Option<Self> {
        let minor = self.minor.checked_mul(i64::from(times))?;
        Some(Self { minor, ..self })
    }

    /// The amount without its currency, as marketplaces write it: `19.99`.
    pub fn decimal(self) -> String {
        let exponent = self.currency.exponent();
        let sign = if self.minor < 0 { "-" } else { "" };
        let unit = 10_u64.pow(exponent);
        let (whole, rest) = (
            self.minor.unsigned_abs() / unit,
            self.minor.unsigned_abs() % unit,
        );
        if exponent == 0 {
            return format!("{sign}{whole}");
        }
        format!("{sign}{whole}.{rest:0width$}", width = exponent as usize)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.decimal(), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd() -> Currency {
        "USD".parse().unwrap()
    }

    #[test]
    fn decimals_are_read_without_rounding() {
        assert_eq!(Money::parse("19.99", usd()).unwrap().minor, 1999);
        assert_eq!(Money::parse("7.5000", usd()).unwrap().minor, 750);
        assert_eq!(
            Money::parse("-0.05", usd()).unwrap().to_string(),
            "-0.05 USD"
        );
        assert_eq!(
            Money::parse("120", "JPY".parse().unwrap())
                .unwrap()
                .decimal(),
            "120"
        );
        for wrong in [
            "",
            ".5",
            "1.999",
            "1,5",
            "1e3",
            "--1",
            "1 ",
            "9999999999999999",
        ] {
            assert!(Money::parse(wrong, usd()).is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn currencies_do_not_mix() {
        let dollar = Money {
            minor: 100,
            currency: usd(),
        };
        let euro = Money {
            minor: 100,
            currency: "EUR".parse().unwrap(),
        };
        assert_eq!(dollar.plus(euro), None);
        assert_eq!(dollar.minus(dollar), Some(Money::zero(usd())));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in -1_000_000_000_000_i64..1_000_000_000_000) {
            let money = Money { minor, currency: usd() };
            prop_assert_eq!(Money::parse(&money.decimal(), usd()).unwrap(), money);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in ".{0,40}") {
            let _ = Money::parse(&text, usd());
        }
    }
}
