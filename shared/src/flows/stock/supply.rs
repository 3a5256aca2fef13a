//! How many units of a sku there are to sell.

use crate::decide::{Stocked, published_quantity};
use crate::domain::Listing;
use crate::flows::catalog::{Entry, StoredOffer};
use jiff::Timestamp;

/// Units that a listing should show now.
pub(super) fn wanted_quantity(entry: &Entry, listing: &Listing, now: Timestamp) -> u32 {
    let known = |stored: &StoredOffer| {
        let evidence = stored.offer.evidence.as_ref()?;
        Some(Stocked {
            free: stored.free,
            evidence_at: evidence.at,
        })
    };
    let offers: Vec<Stocked> = entry.offers.iter().filter_map(known).collect();
    let shown = listing.shown(now).map(|published| published.quantity);
    published_quantity(&offers, shown, listing.buffer, listing.cap, now)
}
