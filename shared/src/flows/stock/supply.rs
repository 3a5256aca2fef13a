//! How many units of a sku there are to sell.

use crate::Kervan;
use crate::decide::{Stocked, Supply, Urgency, published_quantity};
use crate::domain::{EvidenceRule, Listing, Money, OfferId};
use crate::flows::FlowError;
use crate::flows::catalog::{Entry, StoredListing, StoredOffer};
use crate::flows::price::{self, Explained};
use jiff::Timestamp;

/// What a listing should show now.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The listing, with the price that it should have.
    pub(super) stored: StoredListing,
    /// Units: none where each sale would lose.
    pub(super) quantity: u32,
    /// The lowest price at which a sale loses no more than an order may lose, where that is known.
    bearable: Option<Money>,
}

impl Wanted {
    /// How urgent it is to change the listing from what it shows, where that is known. What is on sale at a price that orders
    /// are not bought at is as urgent as what shows too much.
    pub(super) fn urgency(&self, shown: Option<(u32, Money)>) -> Urgency {
        let urgency = Urgency::of(shown, (self.quantity, self.stored.listing.price));
        let loses = |(units, price): (u32, Money)| {
            let least = self.bearable.filter(|it| it.currency == price.currency);
            units > 0 && least.is_some_and(|least| price.minor < least.minor)
        };
        if urgency.may_wait() && shown.is_some_and(loses) {
            Urgency::Fall
        } else {
            urgency
        }
    }
}

/// What a listing should show now.
pub(super) async fn wanted(
    kervan: &Kervan,
    entry: &Entry,
    stored: &StoredListing,
    now: Timestamp,
) -> Result<Wanted, FlowError> {
    let rules = kervan.rules.get().await?;
    let current = price::current(kervan, entry, stored).await?;
    let quantity = if current.sells {
        let listing = &current.stored.listing;
        wanted_quantity(entry, listing, &current.too_dear, &rules.evidence, now)
    } else {
        0
    };
    Ok(Wanted {
        stored: current.stored,
        quantity,
        bearable: current.bearable,
    })
}

/// Units that a listing should show now, for whoever only looks: by what [`price::explain_entry`] found of its price, and
/// with the offers of a bundle's parts in the entry. `None` where it has no price yet: it is not published then.
pub fn should_show(
    entry: &Entry,
    explained: &Explained,
    rule: &EvidenceRule,
    now: Timestamp,
) -> Option<u32> {
    match (explained.price.minor, explained.sells) {
        (..=0, _) => None,
        (_, false) => Some(0),
        _ => {
            let (listing, too_dear) = (&explained.listing, &explained.too_dear);
            Some(wanted_quantity(entry, listing, too_dear, rule, now))
        }
    }
}

/// Units that a listing should show now, without those of offers that are too dear for its price. A bundle has as many as
/// its scarcest part allows.
fn wanted_quantity(
    entry: &Entry,
    listing: &Listing,
    too_dear: &[OfferId],
    rule: &EvidenceRule,
    now: Timestamp,
) -> u32 {
    let counts = |stored: &&StoredOffer| !too_dear.contains(&stored.offer.id);
    let of = |units, offers: &[StoredOffer]| Supply {
        units,
        offers: offers.iter().filter(counts).filter_map(known).collect(),
    };
    let supply: Vec<Supply> = match &entry.bundle {
        None => vec![of(1, &entry.offers)],
        Some(bundle) => {
            let parts = bundle.parts().iter();
            let offers = |sku| entry.parts.get(sku).map_or(&[][..], Vec::as_slice);
            parts
                .map(|part| of(part.units, offers(&part.sku)))
                .collect()
        }
    };
    let shown = listing.shown(now).map(|published| published.quantity);
    published_quantity(&supply, shown, listing.buffer, listing.cap, rule, now)
}

fn known(stored: &StoredOffer) -> Option<Stocked> {
    let evidence = stored.offer.evidence.as_ref()?;
    Some(Stocked {
        free: stored.free,
        evidence_at: evidence.at,
    })
}
