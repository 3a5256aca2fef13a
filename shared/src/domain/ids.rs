//! Names of things. Each is text that was checked once, where it entered.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr};

/// A value from outside that does not fit its type. The text never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {problem}")]
pub struct Invalid {
    /// What was being read, as the design names it.
    pub what: &'static str,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Invalid {
    /// An error about `what`.
    pub fn new(what: &'static str, problem: impl Into<String>) -> Self {
        Self {
            what,
            problem: problem.into(),
        }
    }
}

/// An outside system that Kervan talks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Marketplace {
    /// amazon.com and its national sites; a channel.
    Amazon,
    /// ebay.com and its national sites; a channel.
    Ebay,
    /// aliexpress.com; a supplier, and a channel for those who have a shop there.
    AliExpress,
    /// Alibaba.com and 1688.com; a supplier.
    Alibaba,
}

impl Marketplace {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Amazon, Self::Ebay, Self::AliExpress, Self::Alibaba];

    /// The name used in accounts, paths and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Amazon => "amazon",
            Self::Ebay => "ebay",
            Self::AliExpress => "aliexpress",
            Self::Alibaba => "alibaba",
        }
    }
}

impl fmt::Display for Marketplace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Marketplace {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter();
        let mut named = known.filter(|marketplace| marketplace.as_str() == text);
        named.next().ok_or_else(|| {
            let problem = "must be one of: amazon, ebay, aliexpress, alibaba";
            Invalid::new("marketplace", problem)
        })
    }
}

/// One set of credentials at one marketplace, written `ebay:main`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId {
    marketplace: Marketplace,
    name: String,
}

impl AccountId {
    /// The account `name` at `marketplace`. A name has 1 to 32 characters of `a-z`, `0-9`, `-`.
    pub fn new(marketplace: Marketplace, name: &str) -> Result<Self, Invalid> {
        let fits = (1..=32).contains(&name.len())
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !fits {
            let problem =
                "the name after the colon must be 1 to 32 of a-z, 0-9 and -, as in ebay:main";
            return Err(Invalid::new("account", problem));
        }
        Ok(Self {
            marketplace,
            name: name.to_owned(),
        })
    }

    /// Where the account is.
    pub const fn marketplace(&self) -> Marketplace {
        self.marketplace
    }

    /// The part after the colon.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.marketplace, self.name)
    }
}

impl FromStr for AccountId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (marketplace, name) = text
            .split_once(':')
            .ok_or_else(|| Invalid::new("account", "must be marketplace:name, as in ebay:main"))?;
        Self::new(marketplace.parse()?, name)
    }
}

impl TryFrom<String> for AccountId {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(account: AccountId) -> Self {
        account.to_string()
    }
}

/// Whether a character shows nothing and is yet another one: zero-width and direction marks, soft hyphens. Spreadsheets and
/// web pages leave them in what is copied, and two ids that look alike would be two.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

/// Declares an id: text of bounded length without blanks or control characters, so that it can stand in a key,
/// a log field and a URL path (percent-encoded there).
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $longest:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text: not empty, not too long, no blanks, no control or invisible characters, no `#`.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let fits = (1..=$longest).contains(&text.len())
                    && text.chars().all(|c| !c.is_whitespace() && !c.is_control() && !is_invisible(c) && c != '#');
                if !fits {
                    let problem = concat!("must be 1 to ", $longest, " bytes without blanks, control or invisible characters and #");
                    return Err(Invalid::new($what, problem));
                }
                Ok(Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

text_id!(
    /// Our own code of one sellable variant. eBay allows 50 characters, the shortest limit of the marketplaces.
    Sku, "sku", 50
);
text_id!(
    /// A channel's own id of a customer's order: opaque text, `01-12345-67890` or `itemId-transactionId!n` at eBay.
    ChannelOrderId, "order id", 80
);
text_id!(
    /// A channel's own id of one line of an order.
    LineId, "line id", 40
);
text_id!(
    /// A supplier's own id of an order that we placed there. Text, because the numbers exceed 2^53.
    SupplierOrderId, "supplier order id", 40
);
text_id!(
    /// A keyed hash that stands for a person where the name itself must not be written.
    Pseudonym, "pseudonym", 64
);

/// A customer's order: the channel account and the channel's id. Written `ebay:main/01-12345-67890`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderKey {
    /// The account on which the customer bought.
    pub channel: AccountId,
    /// The channel's id of the order.
    pub id: ChannelOrderId,
}

impl fmt::Display for OrderKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.channel, self.id)
    }
}

impl FromStr for OrderKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (channel, id) = text.split_once('/').ok_or_else(|| {
            Invalid::new(
                "order",
                "must be account/id, as in ebay:main/01-12345-67890",
            )
        })?;
        Ok(Self {
            channel: channel.parse()?,
            id: ChannelOrderId::parse(id)?,
        })
    }
}

/// A supplier's variant: the account, its product and its sku there. Written `aliexpress:main/100500…/1200…`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OfferId {
    /// The account that buys.
    pub supplier: AccountId,
    /// The supplier's id of the product.
    pub product: String,
    /// The supplier's id of the variant.
    pub variant: String,
}

impl OfferId {
    /// An offer of `supplier`; both ids are 1 to 40 letters, digits, `-` or `_`.
    pub fn new(supplier: AccountId, product: &str, variant: &str) -> Result<Self, Invalid> {
        let fits = |text: &str| {
            (1..=40).contains(&text.len())
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        if !fits(product) || !fits(variant) {
            let problem = "product and variant must each be 1 to 40 letters, digits, - or _";
            return Err(Invalid::new("offer", problem));
        }
        Ok(Self {
            supplier,
            product: product.to_owned(),
            variant: variant.to_owned(),
        })
    }
}

impl fmt::Display for OfferId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}/{}/{}",
            self.supplier, self.product, self.variant
        )
    }
}

/// Our reference of a purchase at its supplier. It is derived from the order and the purchase number alone, so every
/// attempt sends the same one and the supplier can tell a repeat from a new order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reference(String);

impl Reference {
    /// The reference of purchase `number` of `order`: `kv-`, 20 hex digits of a hash, and the number.
    pub fn of(order: &OrderKey, number: u8) -> Self {
        let digest = Sha256::digest(order.to_string());
        Self(format!("kv-{}-{number}", hex::encode(&digest[..10])))
    }

    /// The text as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: &str) -> OrderKey {
        OrderKey {
            channel: "ebay:main".parse().unwrap(),
            id: ChannelOrderId::parse(id).unwrap(),
        }
    }

    #[test]
    fn an_account_is_read_as_it_is_written() {
        let account: AccountId = "aliexpress:second-shop".parse().unwrap();
        assert_eq!(account.marketplace(), Marketplace::AliExpress);
        assert_eq!(account.to_string(), "aliexpress:second-shop");
        for wrong in [
            "ebay",
            "ebay:",
            "etsy:main",
            "ebay:Main",
            "ebay:a/b",
            "ebay:a#b",
        ] {
            assert!(wrong.parse::<AccountId>().is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn an_order_id_is_opaque_but_cannot_break_a_key() {
        assert_eq!(order("110-22!3").to_string(), "ebay:main/110-22!3");
        for wrong in ["", "a b", "a#b", "a\nb", &"x".repeat(81)] {
            assert!(ChannelOrderId::parse(wrong).is_err());
        }
    }

    #[test]
    fn the_reference_depends_on_the_order_and_the_number_alone() {
        assert_eq!(
            Reference::of(&order("01-1"), 1),
            Reference::of(&order("01-1"), 1)
        );
        assert_ne!(
            Reference::of(&order("01-1"), 1),
            Reference::of(&order("01-1"), 2)
        );
        assert_ne!(
            Reference::of(&order("01-1"), 1),
            Reference::of(&order("01-2"), 1)
        );
        assert_eq!(Reference::of(&order("01-1"), 1).as_str().len(), 25);
    }

    #[test]
    fn an_error_never_repeats_the_value() {
        let error = ChannelOrderId::parse("Jane Doe").unwrap_err();
        assert!(!error.to_string().contains("Jane"));
    }
}
