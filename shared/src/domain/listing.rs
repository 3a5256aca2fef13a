//! A sku offered on a channel.

use super::{AccountId, Money, Revisions, Sku};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The channel's own ids of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListingId {
    /// The account that sells.
    pub channel: AccountId,
    /// The sku as the channel knows it.
    pub sku: Sku,
    /// The channel's id of the published offer (eBay: the `offerId` of the Inventory API, or `item:` and the ItemID of a
    /// listing that was made through the Trading API).
    pub offer: String,
}

/// A listing and what the channel shows of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Which listing.
    pub id: ListingId,
    /// The price at which we sell: the catalogue's, or what the price rules came to last.
    pub price: Money,
    /// How the price is found.
    #[serde(default, skip_serializing_if = "Pricing::is_fixed")]
    pub pricing: Pricing,
    /// The channel's id of the listing whose variations this and other skus are, where they share its daily budget of
    /// changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variation_of: Option<String>,
    /// Units that are never offered.
    pub buffer: u32,
    /// The most units that are shown.
    pub cap: u32,
    /// What was last published; none before the first time.
    pub published: Option<Published>,
    /// An update got no answer and may land until then, over what was published since: after it, the listing is published
    /// once more, whatever it should show.
    #[serde(default)]
    pub doubt_until: Option<Timestamp>,
    /// What a submission that is at work will set, until [`Listing::doubt_until`] at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_bulk: Option<Published>,
    /// How often it was changed lately, where the channel limits that.
    #[serde(default)]
    pub revisions: Revisions,
    /// What it waits to be told for, while it waits for the channel's bulk call.
    #[serde(default, skip_serializing_if = "Cause::is_none")]
    pub cause: Cause,
}

/// What a channel has to be told of a listing for, and since when: so that its lateness can be measured when it is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// When a supplier said what the channel is not told of yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_at: Option<Timestamp>,
    /// When an order took units that the channel still shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordered_at: Option<Timestamp>,
}

impl Cause {
    /// Whether there is nothing whose lateness could be measured.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Both; of two of a kind the earlier, which has waited longer.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let earlier = |one: Option<Timestamp>, other| one.into_iter().chain(other).min();
        Self {
            evidence_at: earlier(self.evidence_at, other.evidence_at),
            ordered_at: earlier(self.ordered_at, other.ordered_at),
        }
    }

    /// What of it is later than this time.
    #[must_use]
    pub fn since(self, told_at: Option<Timestamp>) -> Self {
        let is_later = |at: &Timestamp| told_at.is_none_or(|told_at| told_at < *at);
        Self {
            evidence_at: self.evidence_at.filter(is_later),
            ordered_at: self.ordered_at.filter(is_later),
        }
    }
}

/// How a listing's price is found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pricing {
    /// By the price rules; else it is the catalogue's.
    pub by_rules: bool,
    /// The lowest price of this listing.
    pub floor: Option<Money>,
    /// The highest price of this listing.
    pub ceiling: Option<Money>,
    /// The brand's minimum advertised price: never below it, whatever the ceiling says.
    pub minimum_advertised: Option<Money>,
    /// A price that jumped too far, until a person has looked at it. Meanwhile the old one stays.
    pub held: Option<HeldPrice>,
}

/// What of a price and its limits does not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// No price is above the floor and below the ceiling.
    FloorAboveCeiling,
    /// The price is below the floor.
    BelowFloor,
    /// The price is above the ceiling.
    AboveCeiling,
    /// The price is below the brand's minimum.
    BelowMinimum,
}

impl Pricing {
    /// What of the limits, and of a fixed price, contradicts each other. Amounts of different currencies are not compared.
    pub fn contradictions(&self, fixed: Option<Money>) -> Vec<Contradiction> {
        let is_above = |one: Option<Money>, other: Option<Money>| {
            one.zip(other).is_some_and(|(one, other)| {
                one.currency == other.currency && one.minor > other.minor
            })
        };
        let all = [
            (self.floor, self.ceiling, Contradiction::FloorAboveCeiling),
            (self.floor, fixed, Contradiction::BelowFloor),
            (fixed, self.ceiling, Contradiction::AboveCeiling),
            (self.minimum_advertised, fixed, Contradiction::BelowMinimum),
        ];
        let wrong = all
            .into_iter()
            .filter(|(one, other, _)| is_above(*one, *other));
        wrong.map(|(_, _, what)| what).collect()
    }

    /// Whether the catalogue's price is the price, and nothing else is to be known.
    fn is_fixed(&self) -> bool {
        *self == Self::default()
    }
}

/// A price that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPrice {
    /// What the rules came to.
    pub price: Money,
    /// Since when.
    pub since: Timestamp,
    /// A person has said no to this price: it is not asked for again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rejected: bool,
}

impl Listing {
    /// A listing that was never published, with a fixed price, no buffer and the usual cap of 50 units.
    pub fn new(id: ListingId, price: Money) -> Self {
        Self {
            id,
            price,
            pricing: Pricing::default(),
            variation_of: None,
            buffer: 0,
            cap: 50,
            published: None,
            doubt_until: None,
            in_bulk: None,
            revisions: Revisions::default(),
            cause: Cause::default(),
        }
    }

    /// What the channel surely shows; `None` where that is not known.
    pub fn shown(&self, now: Timestamp) -> Option<&Published> {
        let may_be_overwritten = |published: &&Published| {
            self.doubt_until
                .is_some_and(|until| until <= now && published.at < until)
        };
        let published = self.published.as_ref();
        published.filter(|published| !may_be_overwritten(published))
    }

    /// What a submission that is at work will set.
    pub fn submitted(&self, now: Timestamp) -> Option<&Published> {
        let is_open = self.doubt_until.is_some_and(|until| now < until);
        self.in_bulk.as_ref().filter(|_| is_open)
    }
}

/// What the channel was last told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Units on sale.
    pub quantity: u32,
    /// The price.
    pub price: Money,
    /// When.
    pub at: Timestamp,
}
