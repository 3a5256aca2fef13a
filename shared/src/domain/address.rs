//! A buyer's data. It prints as `[sealed]`, so no log line, error or panic can hold it.

use super::Invalid;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An ISO 3166-1 alpha-2 country code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CountryCode(String);

impl CountryCode {
    /// `US`.
    pub fn united_states() -> Self {
        Self("US".to_owned())
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CountryCode {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::new(
            "country",
            "must be two capital letters of ISO 3166-1, as in US",
        ))
    }
}

impl TryFrom<String> for CountryCode {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<CountryCode> for String {
    fn from(country: CountryCode) -> Self {
        country.0
    }
}

/// Where the parcel goes. Lines are as the channel gave them; a supplier's own rules are checked by its adapter.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub line1: String,
    /// Flat, floor, building; empty where there is none.
    pub line2: String,
    /// Town.
    pub city: String,
    /// State, county or province, as the channel wrote it; empty where there is none.
    pub region: String,
    /// Postal code; empty where there is none.
    pub postal_code: String,
    /// The country, the one part that may also stand outside the seal.
    pub country: CountryCode,
}

/// The person who bought: only ever stored sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// Full name of the recipient.
    pub name: String,
    /// Phone number as the channel gave it; empty where it gave none.
    pub phone: String,
    /// E-mail address, often the channel's alias; empty where it gave none.
    pub email: String,
    /// The channel's own name or id of the buyer.
    pub account_name: String,
    /// Where the parcel goes.
    pub address: Address,
}

impl fmt::Debug for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[sealed]")
    }
}

impl fmt::Debug for Buyer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[sealed]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_prints_as_sealed() {
        let buyer = Buyer {
            name: "Jane Doe".into(),
            phone: "4075550100".into(),
            email: "jane@example.invalid".into(),
            account_name: "jane1".into(),
            address: Address {
                line1: "1 Main St".into(),
                line2: String::new(),
                city: "Orlando".into(),
                region: "FL".into(),
                postal_code: "32807".into(),
                country: "US".parse().unwrap(),
            },
        };
        assert_eq!(
            format!("{buyer:?} {:?}", buyer.address),
            "[sealed] [sealed]"
        );
    }
}
