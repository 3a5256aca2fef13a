//! How many units of a sku there are to sell.

use crate::Kervan;
use crate::decide::{Stocked, Supply, published_quantity};
use crate::domain::{EvidenceRule, Listing, OfferId};
use crate::flows::FlowError;
use crate::flows::catalog::{Entry, StoredListing, StoredOffer};
use crate::flows::price::{self, Explained};
use jiff::Timestamp;

/// A listing with the price that it should have now, and the units that it should show: none where each sale would lose.
pub(super) async fn wanted(
    kervan: &Kervan,
    entry: &Entry,
    stored: &StoredListing,
    now: Timestamp,
) -> Result<(StoredListing, u32), FlowError> {
    let rules = kervan.rules.get().await?;
    let current = price::current(kervan, entry, stored).await?;
    let quantity = if current.sells {
        let listing = &current.stored.listing;
        wanted_quantity(entry, listing, &current.too_dear, &rules.evidence, now)
    } else {
        0
    };
    Ok((current.stored, quantity))
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
