//! How prices are found, and how much an order may lose: the merchant's rules, as data.

use super::rates::decimal;
use super::{AccountId, Currency, Invalid, Money, Sku};
use jiff::SignedDuration;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

/// The most rules: each listing is held against them in turn.
const MOST_RULES: usize = 500;

/// What the merchant says of prices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceRules {
    /// Tried in this order: the first rule that fits a listing counts, and it counts as a whole. So all that a price comes
    /// from stands in one place.
    pub rules: Vec<PriceRule>,
    /// How much an order may lose.
    pub loss: LossRule,
    /// How old a rate may be.
    pub rates: RatesRule,
}

/// How the price of some listings is found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PriceRule {
    /// Which listings; all of them where nothing is said.
    #[serde(rename = "for")]
    pub scope: Scope,
    /// Part of the price that is left once fee and cost are paid; together with the fee below 100.
    pub margin_percent: Option<Hundredths>,
    /// What is added to the cost, as a part of it. Either this or `margin_percent`.
    pub markup_percent: Option<Hundredths>,
    /// At least so much is left of each unit.
    pub min_profit: Option<Amount>,
    /// The lowest price. A listing's own floor may be higher, and then counts.
    pub floor: Option<Amount>,
    /// The highest price. A listing's own ceiling may be lower, and then counts.
    pub ceiling: Option<Amount>,
    /// How prices end. They are rounded upward.
    pub rounding: Rounding,
    /// Part of the price that the channel keeps.
    pub channel_fee_percent: Hundredths,
    /// What the channel keeps of each unit besides.
    pub channel_fee: Option<Amount>,
    /// Shipping of a unit where the offer says none. Without it such an offer has no price: nothing is guessed.
    pub shipping: Option<Amount>,
    /// A price that changes by more than this factor, up or down, is held until a person has looked at it.
    pub jump_factor: JumpFactor,
}

/// Which listings a rule is for. What is left empty fits all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scope {
    /// Skus, or their beginnings, as `MUG-*`.
    pub skus: Vec<String>,
    /// Suppliers of the offer that would be bought first; of a bundle, of all its parts.
    pub suppliers: Vec<AccountId>,
    /// Channels.
    pub channels: Vec<AccountId>,
}

impl Scope {
    /// Whether a listing is meant.
    pub fn fits<'a>(
        &self,
        sku: &Sku,
        channel: &AccountId,
        mut suppliers: impl Iterator<Item = &'a AccountId>,
    ) -> bool {
        let sku = sku.as_str();
        let is_meant = |wanted: &String| match wanted.strip_suffix('*') {
            Some(beginning) => sku.starts_with(beginning),
            None => sku == wanted,
        };
        (self.skus.is_empty() || self.skus.iter().any(is_meant))
            && (self.channels.is_empty() || self.channels.contains(channel))
            && (self.suppliers.is_empty() || suppliers.all(|one| self.suppliers.contains(one)))
    }
}

/// How much an order may lose. Without a word nothing may be lost. Where both are given, the lower amount counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LossRule {
    /// As money.
    pub most: Option<Amount>,
    /// As a part of what the customer pays.
    pub most_percent: Option<Hundredths>,
}

/// How old a rate may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RatesRule {
    /// Rates that are older, in hours, count as none; 1 to 720. The European Central Bank names none from Friday to Monday
    /// afternoon, which is up to 74 hours, and none for five days at Easter.
    pub most_age_hours: u32,
}

impl Default for RatesRule {
    fn default() -> Self {
        Self { most_age_hours: 96 }
    }
}

impl RatesRule {
    /// Rates that are older count as none.
    pub fn most_age(&self) -> SignedDuration {
        SignedDuration::from_hours(i64::from(self.most_age_hours))
    }
}

impl PriceRules {
    /// Refuses rules that contradict themselves, naming the rule and what would be right.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.rules.len() > MOST_RULES {
            return Err(Invalid::new("price.rules", "must be at most 500"));
        }
        for (place, rule) in self.rules.iter().enumerate() {
            rule.check().map_err(|problem| {
                Invalid::new("price.rules", format!("rule {}: {problem}", place + 1))
            })?;
        }
        if self.loss.most.is_some_and(|most| most.0.minor < 0) {
            return Err(Invalid::new("price.loss", "most must not be negative"));
        }
        if self.loss.most_percent.is_some_and(|part| part.0 > 10_000) {
            return Err(Invalid::new("price.loss", "most_percent must be 0 to 100"));
        }
        if !(1..=720).contains(&self.rates.most_age_hours) {
            return Err(Invalid::new(
                "price.rates",
                "most_age_hours must be 1 to 720",
            ));
        }
        Ok(())
    }
}

impl PriceRule {
    fn check(&self) -> Result<(), String> {
        for sku in &self.scope.skus {
            let beginning = sku.strip_suffix('*').unwrap_or(sku);
            if sku != "*" && Sku::parse(beginning).is_err() {
                return Err(format!(
                    "{sku:?} must be a sku, or the beginning of one followed by *, as MUG-*"
                ));
            }
        }
        let wrong = |text: &str| Err(text.to_owned());
        if self.margin_percent.is_some() && self.markup_percent.is_some() {
            return wrong("give margin_percent or markup_percent, not both");
        }
        if self.margin_percent.is_none()
            && self.markup_percent.is_none()
            && self.min_profit.is_none()
        {
            return wrong("needs margin_percent, markup_percent or min_profit");
        }
        let margin = self.margin_percent.map_or(0, |margin| margin.0);
        if margin.saturating_add(self.channel_fee_percent.0) >= 10_000 {
            return wrong("margin_percent and channel_fee_percent together must be below 100");
        }
        if self
            .markup_percent
            .is_some_and(|markup| markup.0 > 1_000_000)
        {
            return wrong("markup_percent must be at most 10000");
        }
        let amounts = [
            self.min_profit,
            self.floor,
            self.ceiling,
            self.channel_fee,
            self.shipping,
        ];
        if amounts.iter().flatten().any(|amount| amount.0.minor < 0) {
            return wrong("amounts must not be negative");
        }
        if let (Some(floor), Some(ceiling)) = (self.floor, self.ceiling)
            && floor.0.currency == ceiling.0.currency
            && floor.0.minor > ceiling.0.minor
        {
            return wrong("floor must not be above ceiling");
        }
        if !(101..=10_000).contains(&self.jump_factor.0.0) {
            return wrong("jump_factor must be 1.01 to 100");
        }
        Ok(())
    }
}

/// A decimal number with at most two digits behind the point, kept exactly. In JSON a number or a text: `12.5`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hundredths(pub u32);

impl FromStr for Hundredths {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let value = decimal(text, 2).and_then(|value| u32::try_from(value).ok());
        value.map(Self).ok_or_else(|| {
            Invalid::new(
                "number",
                "must be at least 0 and have at most two digits behind the point, as 12.5",
            )
        })
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Hundredths {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hundredths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Decimal;
        impl Visitor<'_> for Decimal {
            type Value = Hundredths;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number with at most two digits behind the point")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Hundredths, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Hundredths, E> {
                self.visit_str(&value.to_string())
            }

            // The shortest text that stands for the number is the text that was written; nothing is computed with it.
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Hundredths, E> {
                self.visit_str(&value.to_string())
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hundredths, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Decimal)
    }
}

/// How far a price may go at once, up or down; 1.5 where nothing is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JumpFactor(pub Hundredths);

impl Default for JumpFactor {
    fn default() -> Self {
        Self(Hundredths(150))
    }
}

/// Money as a person writes it into rules: `19.99 USD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Amount(pub Money);

impl TryFrom<String> for Amount {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let wrong = || {
            Invalid::new(
                "amount",
                "must be a number, a blank and a currency, as in 19.99 USD",
            )
        };
        let (number, currency) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let currency: Currency = currency.trim().parse()?;
        Money::parse(number, currency).map(Self)
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.0.to_string()
    }
}

/// How prices end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rounding {
    /// As they come: `none`.
    #[default]
    None,
    /// In whole units: `whole`.
    Whole,
    /// In these hundredths of a unit: `.99`, `.95`. Where the currency has no hundredths, in whole units.
    Ending(u8),
}

impl Rounding {
    /// The next price upward that ends so; `None` where it overflows.
    pub fn up(self, price: Money) -> Option<Money> {
        let unit = 10_i64.pow(price.currency.exponent());
        let ending = match self {
            Self::None => return Some(price),
            Self::Whole => 0,
            Self::Ending(_) if unit < 100 => 0,
            Self::Ending(hundredths) => i64::from(hundredths) * (unit / 100),
        };
        let missing = (ending - price.minor).rem_euclid(unit);
        let minor = price.minor.checked_add(missing)?;
        Some(Money { minor, ..price })
    }
}

impl TryFrom<String> for Rounding {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let wrong = || Invalid::new("rounding", "must be none, whole, or two digits as .99");
        match text.as_str() {
            "none" => Ok(Self::None),
            "whole" => Ok(Self::Whole),
            _ => {
                let digits = text.strip_prefix('.').ok_or_else(wrong)?;
                let is_ending = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
                let digits = Some(digits).filter(|_| is_ending).ok_or_else(wrong)?;
                digits.parse().map(Self::Ending).map_err(|_| wrong())
            }
        }
    }
}

impl From<Rounding> for String {
    fn from(rounding: Rounding) -> Self {
        match rounding {
            Rounding::None => "none".to_owned(),
            Rounding::Whole => "whole".to_owned(),
            Rounding::Ending(hundredths) => format!(".{hundredths:02}"),
        }
    }
}

#[cfg(test)]
mod tests;
