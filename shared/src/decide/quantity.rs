//! How many units a channel may show.

use crate::domain::EvidenceRule;
use crate::guards::{Guard, stands};
use jiff::Timestamp;

/// What is known of one offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stocked {
    /// Units of the evidence that no order has taken; can be negative when a supplier's stock fell below what was sold.
    pub free: i64,
    /// When the supplier was asked.
    pub evidence_at: Timestamp,
}

/// What one unit of a sku takes of one of its parts. A sku that is no bundle is its own only part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supply {
    /// Units of the part in one unit of the sku, at least 1.
    pub units: u32,
    /// The part's offers.
    pub offers: Vec<Stocked>,
}

/// Units to publish: what is free over all offers, the scarcest part deciding, less the buffer, capped. Evidence that is
/// no longer fresh lowers and never raises; from the rule's `fades` on less and less of it counts, down to nothing.
pub fn published_quantity(
    parts: &[Supply],
    published: Option<u32>,
    buffer: u32,
    cap: u32,
    rule: &EvidenceRule,
    now: Timestamp,
) -> u32 {
    let units = |worth: &dyn Fn(&Stocked) -> i64| {
        let of_part = |part: &Supply| {
            let free = part.offers.iter().map(worth);
            free.fold(0_i64, i64::saturating_add) / i64::from(part.units.max(1))
        };
        let scarcest = parts.iter().map(of_part).min().unwrap_or(0);
        let offered = scarcest.saturating_sub(i64::from(buffer)).max(0);
        u32::try_from(offered).unwrap_or(u32::MAX).min(cap)
    };
    let age = |offer: &Stocked| now.duration_since(offer.evidence_at);
    let fresh = units(&|offer| {
        if age(offer) <= rule.fresh() {
            offer.free.max(0)
        } else {
            0
        }
    });
    let known = units(&|offer| worth(offer, rule, now));
    if !stands(Guard::FreshEvidence) {
        return known;
    }
    fresh.max(known.min(published.unwrap_or(0)))
}

/// What old evidence still counts: all of it up to `fades`, then a share that falls evenly to nothing.
fn worth(offer: &Stocked, rule: &EvidenceRule, now: Timestamp) -> i64 {
    let free = offer.free.max(0);
    let age = now.duration_since(offer.evidence_at);
    let (fades, worthless) = (rule.fades(), rule.worthless());
    if age <= fades {
        return free;
    }
    if age >= worthless {
        return 0;
    }
    let (left, whole) = ((worthless - age).as_secs(), (worthless - fades).as_secs());
    let share = i128::from(free) * i128::from(left) / i128::from(whole.max(1));
    i64::try_from(share).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
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

    fn shown(offers: &[Stocked], published: Option<u32>, buffer: u32, cap: u32) -> u32 {
        let part = Supply {
            units: 1,
            offers: offers.to_vec(),
        };
        let rule = EvidenceRule::default();
        published_quantity(&[part], published, buffer, cap, &rule, at(0))
    }

    /// Free units of each offer with the hours since it was looked at, what is published, and what is to be published.
    type Row<'a> = (&'a [(i64, i64)], Option<u32>, u32);

    fn check(buffer: u32, cap: u32, rows: &[Row<'_>]) {
        for (offers, published, wanted) in rows {
            let offer = |(free, hours_old): &(i64, i64)| offer(*free, *hours_old);
            let stocked: Vec<_> = offers.iter().map(offer).collect();
            let shown = shown(&stocked, *published, buffer, cap);
            assert_eq!(shown, *wanted, "{offers:?} over {published:?}");
        }
    }

    #[test]
    fn buffer_is_held_back_and_the_cap_kept() {
        check(
            2,
            100,
            &[
                (&[], Some(5), 0),
                (&[(0, 0)], None, 0),
                (&[(1, 0)], None, 0),
                (&[(2, 0)], None, 0),
                (&[(3, 0)], None, 1),
                (&[(12, 0)], None, 10),
                (&[(101, 0)], None, 99),
                (&[(102, 0)], None, 100),
                (&[(103, 0)], None, 100),
                (&[(i64::MAX, 0)], None, 100),
            ],
        );
        check(0, 100, &[(&[], Some(5), 0), (&[(3, 0)], None, 3)]);
    }

    #[test]
    fn offers_are_added_and_one_that_is_oversold_takes_nothing_of_another() {
        let rows: &[Row<'_>] = &[
            (&[(3, 0), (4, 0)], None, 7),
            (&[(3, 0), (-4, 0)], None, 3),
            (&[(-3, 0), (-4, 0)], Some(9), 0),
            (&[(i64::MAX, 0), (i64::MAX, 0)], None, 100),
        ];
        check(0, 100, rows);
    }

    #[test]
    fn old_evidence_lowers_and_never_raises() {
        // Up to 2 hours evidence is fresh, from 6 hours on it fades, after 24 it is worthless.
        let rows: &[Row<'_>] = &[
            (&[(12, 2)], Some(3), 12),
            (&[(12, 2)], None, 12),
            (&[(12, 3)], Some(3), 3),
            (&[(12, 5)], Some(3), 3),
            (&[(2, 5)], Some(3), 2),
            (&[(12, 5)], None, 0),
            (&[(12, 30)], Some(3), 0),
            // What is fresh may raise, what is old is left as it is shown.
            (&[(4, 0), (12, 5)], Some(3), 4),
            (&[(4, 0), (12, 5)], Some(9), 9),
            (&[(4, 0), (12, 5)], Some(99), 16),
            (&[(4, 0), (12, 5)], None, 4),
        ];
        check(0, 100, rows);
    }

    #[test]
    fn evidence_is_fresh_up_to_the_second() {
        let rule = EvidenceRule::default();
        let part = Supply {
            units: 1,
            offers: vec![offer(12, 0)],
        };
        for (second, wanted) in [(7199, 12), (7200, 12), (7201, 3)] {
            let now = at(0) + SignedDuration::from_secs(second);
            let parts = std::slice::from_ref(&part);
            let shown = published_quantity(parts, Some(3), 0, 100, &rule, now);
            assert_eq!(shown, wanted, "{second} s");
        }
    }

    #[test]
    fn evidence_fades_evenly_between_the_two_times_of_the_merchants_rule() {
        // 6 to 24 hours by default: after 15 hours half of it is left.
        assert_eq!(shown(&[offer(40, 6)], Some(100), 0, 100), 40);
        assert_eq!(shown(&[offer(40, 15)], Some(100), 0, 100), 20);
        assert_eq!(shown(&[offer(40, 24)], Some(100), 0, 100), 0);
        let rule = EvidenceRule {
            fresh_minutes: 10,
            fades_minutes: 20,
            worthless_minutes: 30,
        };
        let minutes = |minutes: i64| {
            let part = Supply {
                units: 1,
                offers: vec![offer(10, 0)],
            };
            let now = at(0) + SignedDuration::from_mins(minutes);
            published_quantity(&[part], Some(10), 0, 100, &rule, now)
        };
        let seen: Vec<u32> = [0, 10, 20, 25, 29, 30].map(minutes).to_vec();
        assert_eq!(seen, [10, 10, 10, 5, 1, 0]);
    }

    #[test]
    fn the_scarcest_part_decides_about_a_bundle() {
        let part = |units, free| Supply {
            units,
            offers: vec![offer(free, 0)],
        };
        let rule = EvidenceRule::default();
        let bundle = |parts: &[Supply]| published_quantity(parts, None, 1, 100, &rule, at(0));
        assert_eq!(bundle(&[part(2, 9), part(1, 30)]), 3);
        assert_eq!(bundle(&[part(2, 9), part(1, 0)]), 0);
    }

    proptest! {
        #[test]
        fn never_more_than_is_free(free in -50_i64..500, hours in 0_i64..40, before in 0_u32..500, buffer in 0_u32..20) {
            let shown = shown(&[offer(free, hours)], Some(before), buffer, 300);
            prop_assert!(i64::from(shown) <= (free - i64::from(buffer)).max(0));
            prop_assert!(hours <= 2 || shown <= before);
        }

        #[test]
        fn what_grows_old_never_shows_more(free in 0_i64..500, minutes in 0_i64..3000, more in 0_i64..600, before in 0_u32..500) {
            let part = Supply { units: 1, offers: vec![offer(free, 0)] };
            let rule = EvidenceRule::default();
            let after = |minutes: i64| {
                let now = at(0) + SignedDuration::from_mins(minutes);
                published_quantity(std::slice::from_ref(&part), Some(before), 0, 1_000, &rule, now)
            };
            prop_assert!(after(minutes + more) <= after(minutes));
        }
    }
}
