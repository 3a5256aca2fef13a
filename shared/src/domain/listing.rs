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
    /// The price at which we sell.
    pub price: Money,
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
    /// How often it was changed lately, where the channel limits that.
    #[serde(default)]
    pub revisions: Revisions,
}

impl Listing {
    /// What the channel surely shows; `None` where that is not known.
    pub fn shown(&self, now: Timestamp) -> Option<&Published> {
        let may_be_overwritten = |published: &&Published| {
            self.doubt_until
                .is_some_and(|until| until <= now && published.at < until)
        };
        let published = self.published.as_ref();
        published.filter(|published| !may_be_overwritten(published))
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
