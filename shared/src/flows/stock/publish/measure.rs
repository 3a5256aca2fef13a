//! How late a channel was told is measured on every road: directly, and in bulk.

use super::Why;
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{Cause, Listing};
use crate::flows::catalog::Entry;
use crate::metrics::{Count, Measure};

/// What a channel has to be told of a listing for: what a look of this message found, an order of this message, and what
/// the listing has waited for. A price that was imported is told for none of them, however old the evidence is, and what
/// the channel was told of already is not what this is told for.
pub(super) fn cause(listing: &Listing, entry: &Entry, urgency: Urgency, why: Why) -> Cause {
    let offers = entry.offers.iter().chain(entry.parts.values().flatten());
    let evidence = offers.filter_map(|stored| stored.offer.evidence.as_ref());
    let found = evidence
        .map(|evidence| evidence.at)
        .filter(|at| why.looked_since.is_some_and(|since| since <= *at));
    let of_message = Cause {
        evidence_at: found.max(),
        ordered_at: why.ordered_at.filter(|_| urgency <= Urgency::Fall),
    };
    let told_at = listing.published.as_ref().map(|published| published.at);
    of_message.and(listing.cause).since(told_at)
}

/// Counts a listing that a channel was told of now, and notes how late.
pub(in crate::flows::stock) fn note(kervan: &Kervan, cause: Cause) {
    kervan.metrics.count(Count::ListingsTold, 1);
    let measured = cause.ordered_at.map(|at| (Measure::OrderToLowered, at));
    let found = cause
        .evidence_at
        .map(|at| (Measure::EvidenceToPublished, at));
    if let Some((measure, at)) = measured.or(found) {
        let time = kervan.clock.now().duration_since(at);
        kervan.metrics.note(measure, time);
    }
}
