//! What one currency is worth in another, from whom and since when.
//!
//! All arithmetic is exact, in whole numbers; a result is rounded once, and always against us: what we pay up, what we
//! get down. Rounding half to even would be off by as much in either direction, and a rule that nothing is lost would then
//! be wrong by a unit in every second case.

use super::{Currency, Invalid, Money};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Units of a rate's value: 10^9 of them are 1.
const ONE: u64 = 1_000_000_000;
/// The most rates that are kept: a bank names some thirty.
const MOST_RATES: usize = 400;
/// The most characters of a source's name.
const LONGEST_SOURCE: usize = 60;
/// A rate can be dated so far ahead of our clock; what is further ahead would never grow old.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// How much of one currency one unit of another is: exact, to nine digits behind the point, above 0 and up to 10^9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RateValue(u64);

impl RateValue {
    /// The value in units of 10^-9.
    pub const fn nanos(self) -> u64 {
        self.0
    }
}

impl FromStr for RateValue {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = || {
            Invalid::new(
                "rate",
                "must be a decimal number above 0, up to 1000000000, with at most nine digits behind the point, as in 1.0832",
            )
        };
        let nanos = decimal(text, 9).ok_or_else(wrong)?;
        if nanos == 0 || nanos > ONE * ONE {
            return Err(wrong());
        }
        Ok(Self(nanos))
    }
}

impl TryFrom<String> for RateValue {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<RateValue> for String {
    fn from(value: RateValue) -> Self {
        value.to_string()
    }
}

impl fmt::Display for RateValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:09}", self.0 / ONE, self.0 % ONE);
        formatter.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// A decimal number without a sign as a whole number of its last digit; zeros beyond are let pass, other digits not.
pub(super) fn decimal(text: &str, digits: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || fraction.len() > 30 {
        return None;
    }
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let kept = &fraction[..fraction.len().min(digits)];
    if fraction[kept.len()..].bytes().any(|b| b != b'0') {
        return None;
    }
    format!("{whole}{kept:0<digits$}").parse().ok()
}

/// One unit of `from` is `value` units of `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// What is given.
    pub from: Currency,
    /// What is got.
    pub to: Currency,
    /// How much of it.
    pub value: RateValue,
    /// Who says so: 1 to 60 printable characters.
    pub source: String,
    /// Of which time it is.
    pub at: Timestamp,
}

impl Rate {
    /// A rate between two different currencies.
    pub fn new(
        from: Currency,
        to: Currency,
        value: RateValue,
        source: &str,
        at: Timestamp,
    ) -> Result<Self, Invalid> {
        if from == to {
            return Err(Invalid::new("rate", "must be of two different currencies"));
        }
        let source = source.trim();
        if !(1..=LONGEST_SOURCE).contains(&source.chars().count())
            || source.chars().any(|c| c.is_control())
        {
            return Err(Invalid::new(
                "source",
                "must be 1 to 60 characters on one line",
            ));
        }
        Ok(Self {
            from,
            to,
            value,
            source: source.to_owned(),
            at,
        })
    }

    fn is_between(&self, one: Currency, other: Currency) -> bool {
        (self.from, self.to) == (one, other) || (self.from, self.to) == (other, one)
    }

    fn other(&self, currency: Currency) -> Option<Currency> {
        match currency {
            _ if self.from == currency => Some(self.to),
            _ if self.to == currency => Some(self.from),
            _ => None,
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            from,
            to,
            value,
            source,
            at,
        } = self;
        write!(formatter, "{from}/{to} {value} ({source}, {at})")
    }
}

/// Which way a conversion's remainder goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// What we pay: up.
    Cost,
    /// What we get: down.
    Proceeds,
}

/// Money in another currency, and by which rates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted {
    /// The amount that was converted.
    pub from: Money,
    /// What it came to.
    pub money: Money,
    /// The rates: none where the currency is the same, two across a third currency.
    pub rates: Vec<Rate>,
}

/// Why money cannot be converted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoRate {
    /// No rate leads from the one to the other.
    #[error(
        "there is no rate of {from}/{to}; set one with: kervan price rates set {from}/{to} VALUE --source NAME"
    )]
    Missing {
        /// What was given.
        from: Currency,
        /// What was wanted.
        to: Currency,
    },
    /// There are rates, and they are too old.
    #[error(
        "the rate of {from}/{to} is too old, it is of {at}; set a newer one with: kervan price rates set {from}/{to} VALUE --source NAME"
    )]
    TooOld {
        /// What was given.
        from: Currency,
        /// What was wanted.
        to: Currency,
        /// Of when the older of the rates is.
        at: Timestamp,
    },
    /// The amount is beyond every reason.
    #[error("the amount is too large to be converted")]
    TooLarge,
}

/// The rates that are known, at most one of each pair of currencies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rates {
    rates: Vec<Rate>,
    /// When a source was last asked for rates, whatever came of it.
    pub asked_at: Option<Timestamp>,
}

impl Rates {
    /// All rates, in the order of their currencies.
    pub fn all(&self) -> &[Rate] {
        &self.rates
    }

    /// Takes a rate where it is not older than the one of the same two currencies; says whether it was taken. One that is
    /// dated more than a day ahead of `now` is not: it would never grow old.
    pub fn take(&mut self, rate: Rate, now: Timestamp) -> bool {
        if rate.at.duration_since(now) > AHEAD || rate.from == rate.to {
            return false;
        }
        let same = |known: &&mut Rate| known.is_between(rate.from, rate.to);
        let is_full = self.rates.len() >= MOST_RATES;
        match self.rates.iter_mut().find(same) {
            Some(known) if known.at > rate.at => return false,
            Some(known) => *known = rate,
            None if is_full => return false,
            None => self.rates.push(rate),
        }
        let place = |rate: &Rate| (rate.from.code(), rate.to.code());
        self.rates.sort_by_key(place);
        true
    }

    /// The time of a source's newest rate.
    pub fn newest_of(&self, source: &str) -> Option<Timestamp> {
        let of_source = self.rates.iter().filter(|rate| rate.source == source);
        of_source.map(|rate| rate.at).max()
    }

    /// The way from one currency to another: a rate of the two in either direction where it is not older than `oldest`, else
    /// whichever way has the newest rates, that one or across one other currency.
    fn way(
        &self,
        from: Currency,
        to: Currency,
        oldest: Timestamp,
    ) -> Option<(&Rate, Option<&Rate>)> {
        let between = |one, other| self.rates.iter().find(|rate| rate.is_between(one, other));
        let direct = between(from, to);
        if let Some(rate) = direct.filter(|rate| rate.at >= oldest) {
            return Some((rate, None));
        }
        let legs = self.rates.iter().filter_map(|first| {
            let across = first.other(from)?;
            Some((first, Some(between(across, to)?)))
        });
        let ways = legs.chain(direct.map(|rate| (rate, None)));
        ways.max_by_key(|(first, second)| first.at.min(second.map_or(first.at, |one| one.at)))
    }
}

/// The rates that count now.
#[derive(Debug, Clone, Copy)]
pub struct Exchange<'a> {
    /// All that are known.
    pub rates: &'a Rates,
    /// The time.
    pub now: Timestamp,
    /// Rates that are older count as none.
    pub most_age: SignedDuration,
}

impl<'a> Exchange<'a> {
    /// The money in another currency, with the rates that led there.
    pub fn convert(&self, money: Money, to: Currency, toward: Toward) -> Result<Converted, NoRate> {
        let (value, rates) = self.value(money, to, toward)?;
        let (first, second) = rates;
        Ok(Converted {
            from: money,
            money: value,
            rates: first.into_iter().chain(second).cloned().collect(),
        })
    }

    /// As [`Exchange::convert`], and nothing is copied.
    #[allow(clippy::type_complexity, reason = "at most two rates, borrowed")]
    pub fn value(
        &self,
        money: Money,
        to: Currency,
        toward: Toward,
    ) -> Result<(Money, (Option<&'a Rate>, Option<&'a Rate>)), NoRate> {
        let from = money.currency;
        if from == to {
            return Ok((money, (None, None)));
        }
        let oldest = self.now.checked_sub(self.most_age);
        let oldest = oldest.unwrap_or(Timestamp::MIN);
        let way = self.rates.way(from, to, oldest);
        let (first, second) = way.ok_or(NoRate::Missing { from, to })?;
        let at = first.at.min(second.map_or(first.at, |second| second.at));
        if at < oldest {
            return Err(NoRate::TooOld { from, to, at });
        }
        let value = exchanged(money, to, toward, first, second).ok_or(NoRate::TooLarge)?;
        Ok((value, (Some(first), second)))
    }
}

/// One division, at the end: across two rates nothing is rounded in between. What goes out of the fraction at sight is left
/// out of it, so that amounts and rates of this world fit into 64 bits, whose division costs a fraction of the one of 128.
fn exchanged(
    money: Money,
    to: Currency,
    toward: Toward,
    first: &Rate,
    second: Option<&Rate>,
) -> Option<Money> {
    let (over, under) = fraction(money.currency, to, first, second)?;
    let amount = u128::from(money.minor.unsigned_abs());
    let (down, is_whole) = match amount.checked_mul(over) {
        Some(exact) => quotient(exact, under),
        None => {
            let common = gcd(over, under);
            quotient(amount.checked_mul(over / common)?, under / common)
        }
    };
    // A negative amount is rounded up by coming nearer to nothing.
    let grows = !is_whole && (money.minor < 0) == (toward == Toward::Proceeds);
    let size = i128::try_from(down).ok()? + i128::from(grows);
    let minor = if money.minor < 0 { -size } else { size };
    Some(Money {
        minor: i64::try_from(minor).ok()?,
        currency: to,
    })
}

/// Numerator and denominator from the minor units of one currency into those of another.
fn fraction(
    from: Currency,
    to: Currency,
    first: &Rate,
    second: Option<&Rate>,
) -> Option<(u128, u128)> {
    let one = u128::from(ONE);
    let value = |rate: &Rate| u128::from(rate.value.0);
    let (mut over, mut under) = match (first.from == from, second) {
        (true, None) => (value(first), one),
        (false, None) => (one, value(first)),
        (is_along, Some(second)) => {
            let values = (value(first), value(second));
            match (is_along, second.to == to) {
                (true, true) => (values.0.checked_mul(values.1)?, one * one),
                (true, false) => values,
                (false, true) => (values.1, values.0),
                (false, false) => (one * one, values.0.checked_mul(values.1)?),
            }
        }
    };
    let (had, gets) = (from.exponent(), to.exponent());
    if gets > had {
        over = over.checked_mul(u128::from(10_u64.pow(gets - had)))?;
    } else if gets < had {
        under = under.checked_mul(u128::from(10_u64.pow(had - gets)))?;
    }
    Some((over, under))
}

/// The quotient rounded down, and whether it is exact.
fn quotient(over: u128, under: u128) -> (u128, bool) {
    if let (Ok(over), Ok(under)) = (u64::try_from(over), u64::try_from(under)) {
        return (u128::from(over / under), over.is_multiple_of(under));
    }
    (over / under, over.is_multiple_of(under))
}

const fn gcd(mut one: u128, mut other: u128) -> u128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

#[cfg(test)]
mod tests;
