//! How many units a channel may show.

use crate::guards::{Guard, stands};
use jiff::{SignedDuration, Timestamp};

/// Evidence up to this age may raise a published quantity.
pub const FRESH: SignedDuration = SignedDuration::from_hours(2);
/// Evidence older than this counts as nothing.
pub const WORTHLESS: SignedDuration = SignedDuration::from_hours(24);

/// What is known of one offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stocked {
    /// Units of the evidence that no order has taken; can be negative when a supplier's stock fell below what was sold.
    pub free: i64,
    /// When the supplier was asked.
    pub evidence_at: Timestamp,
}

/// Units to publish: what is free over all offers, less the buffer, capped; old evidence lowers and never raises.
pub fn published_quantity(
    offers: &[Stocked],
    published: Option<u32>,
    buffer: u32,
    cap: u32,
    now: Timestamp,
) -> u32 {
    let age = |offer: &Stocked| now.duration_since(offer.evidence_at);
    let units = |most: SignedDuration| {
        let free = offers
            .iter()
            .filter(|offer| age(offer) <= most)
            .map(|offer| offer.free.max(0));
        let sum = free
            .fold(0_i64, i64::saturating_add)
            .saturating_sub(i64::from(buffer));
        u32::try_from(sum.max(0)).unwrap_or(u32::MAX).min(cap)
    };
    let (fresh, known) = (units(FRESH), units(WORTHLESS));
    if !stands(Guard::FreshEvidence) {
        return known;
    }
    fresh.max(known.min(published.unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    fn offer(free: i64, hours_old: i64) -> Stocked {
        Stocked {
            free,
            evidence_at: at(-hours_old),
        }
    }

    #[test]
    fn buffer_is_held_back_and_the_cap_kept() {
        assert_eq!(published_quantity(&[offer(12, 0)], None, 2, 100, at(0)), 10);
        assert_eq!(
            published_quantity(&[offer(500, 0)], None, 2, 100, at(0)),
            100
        );
        assert_eq!(published_quantity(&[offer(1, 0)], None, 2, 100, at(0)), 0);
    }

    #[test]
    fn old_evidence_lowers_and_never_raises() {
        assert_eq!(
            published_quantity(&[offer(12, 5)], Some(3), 0, 100, at(0)),
            3
        );
        assert_eq!(
            published_quantity(&[offer(2, 5)], Some(3), 0, 100, at(0)),
            2
        );
        assert_eq!(published_quantity(&[offer(12, 5)], None, 0, 100, at(0)), 0);
        assert_eq!(
            published_quantity(&[offer(12, 30)], Some(3), 0, 100, at(0)),
            0
        );
    }

    proptest! {
        #[test]
        fn never_more_than_is_free(free in -50_i64..500, hours in 0_i64..40, before in 0_u32..500, buffer in 0_u32..20) {
            let shown = published_quantity(&[offer(free, hours)], Some(before), buffer, 300, at(0));
            prop_assert!(i64::from(shown) <= (free - i64::from(buffer)).max(0));
            prop_assert!(hours <= 2 || shown <= before);
        }
    }
}
