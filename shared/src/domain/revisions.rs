//! How often a listing was changed lately.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

const HOUR_S: i64 = 3_600;
/// Any 24 hours touch at most so many hours of the clock.
const HOURS_COUNTED: i64 = 25;
/// So many changes of a budget are kept for a listing that has to go to zero.
const KEPT_FOR_ZERO: u32 = 10;
/// Of the others, one in so many is kept for falls: what rises, or has another price, can wait without harm.
const ONE_IN_FOR_FALLS: u32 = 5;

/// What a change is for: the more urgent it is, the more of a budget it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purpose {
    /// Nothing is left, and the next customer would buy it.
    Zero,
    /// There are fewer units than are shown.
    Fall,
    /// There are more units, or only the price is another.
    Rise,
}

impl Purpose {
    /// How many changes of a budget it leaves for what is more urgent.
    fn leaves(self, budget: u32) -> u32 {
        let for_zero = KEPT_FOR_ZERO.min(budget / 2);
        match self {
            Self::Zero => 0,
            Self::Fall => for_zero,
            Self::Rise => for_zero + (budget - for_zero) / ONE_IN_FOR_FALLS,
        }
    }
}

/// Changes of a listing by the hour, over the last 25 hours of the clock.
///
/// A marketplace counts by its own calendar day, whose time zone is its secret. So no 24 hours, wherever they begin, see
/// more changes than a day's budget: what is counted covers them whole, because they touch at most 25 hours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revisions(BTreeMap<i64, u16>);

impl Revisions {
    /// How long a change has to wait under a budget of changes in 24 hours; zero where it may be made now. The last few of
    /// a budget are kept for changes to zero, which keep us from selling what is not there, and some before them for falls.
    pub fn wait(&self, budget: u32, purpose: Purpose, now: Timestamp) -> Duration {
        let room = budget - purpose.leaves(budget);
        let this_hour = hour(now);
        let mut used: u32 = self.recent(this_hour).map(|(_, count)| count).sum();
        if used < room {
            return Duration::ZERO;
        }
        for (hour, count) in self.recent(this_hour) {
            used -= count;
            if used < room {
                return until(hour + HOURS_COUNTED, now);
            }
        }
        // A budget of nothing never has room.
        until(this_hour + HOURS_COUNTED, now)
    }

    /// Counts a change that is made now, and forgets those that no longer count.
    #[must_use]
    pub fn with_one_more(&self, now: Timestamp) -> Self {
        let this_hour = hour(now);
        let counted = |at: i64| this_hour - at < HOURS_COUNTED;
        let mut hours = self.0.clone();
        hours.retain(|at, _| counted(*at));
        let count = hours.entry(this_hour).or_default();
        *count = count.saturating_add(1);
        Self(hours)
    }

    /// Takes back a change that was counted then and changed nothing.
    #[must_use]
    pub fn with_one_less(&self, counted_at: Timestamp) -> Self {
        let mut hours = self.0.clone();
        if let Some(count) = hours.get_mut(&hour(counted_at)) {
            *count = count.saturating_sub(1);
        }
        hours.retain(|_, count| *count > 0);
        Self(hours)
    }

    /// How many changes count now.
    pub fn used(&self, now: Timestamp) -> u32 {
        self.recent(hour(now)).map(|(_, count)| count).sum()
    }

    /// Those that count, the oldest first. An hour of the future counts too: another machine's clock was ahead.
    fn recent(&self, this_hour: i64) -> impl Iterator<Item = (i64, u32)> {
        let from = this_hour - HOURS_COUNTED + 1;
        self.0
            .range(from..)
            .map(|(hour, count)| (*hour, u32::from(*count)))
    }
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR_S)
}

fn until(hour: i64, now: Timestamp) -> Duration {
    let wait_ms = hour * HOUR_S * 1_000 - now.as_millisecond();
    Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn made(count: u32, now: Timestamp) -> Revisions {
        (0..count).fold(Revisions::default(), |revisions, _| {
            revisions.with_one_more(now)
        })
    }

    #[test]
    fn rises_stop_first_then_falls_and_the_last_of_a_budget_are_kept_for_going_to_zero() {
        let now = at(0);
        for (purpose, room) in [
            (Purpose::Rise, 192),
            (Purpose::Fall, 240),
            (Purpose::Zero, 250),
        ] {
            let may_be_made = made(room - 1, now).wait(250, purpose, now);
            assert_eq!(may_be_made, Duration::ZERO, "{purpose:?}");
            let has_to_wait = made(room, now).wait(250, purpose, now);
            assert!(has_to_wait > Duration::ZERO, "{purpose:?}");
        }
    }

    #[test]
    fn what_waits_may_be_made_when_the_wait_is_over_and_not_before() {
        let mut revisions = made(200, at(0));
        for _ in 0..40 {
            revisions = revisions.with_one_more(at(7_300));
        }
        for purpose in [Purpose::Fall, Purpose::Rise] {
            let wait = revisions.wait(250, purpose, at(8_000));
            let then = at(8_000)
                .checked_add(SignedDuration::try_from(wait).unwrap())
                .unwrap();
            assert_eq!(revisions.wait(250, purpose, then), Duration::ZERO);
            let before = then - SignedDuration::from_millis(1);
            assert!(revisions.wait(250, purpose, before) > Duration::ZERO);
            assert_eq!(revisions.used(then), 40);
        }
    }

    #[test]
    fn a_small_or_empty_budget_still_has_an_end() {
        let now = at(0);
        assert_eq!(made(0, now).wait(1, Purpose::Rise, now), Duration::ZERO);
        assert!(made(1, now).wait(1, Purpose::Zero, now) > Duration::ZERO);
        assert!(made(0, now).wait(0, Purpose::Zero, now) > Duration::ZERO);
    }

    #[test]
    fn what_changed_nothing_is_taken_back() {
        let now = at(0);
        assert_eq!(made(3, now).with_one_less(now), made(2, now));
        assert_eq!(made(1, now).with_one_less(now), Revisions::default());
        assert_eq!(made(1, now).with_one_less(at(7_200)), made(1, now));
    }

    #[test]
    fn it_is_stored_as_a_small_map_and_forgets() {
        let revisions = made(3, at(0)).with_one_more(at(30 * 3_600));
        let text = serde_json::to_string(&revisions).unwrap();
        assert_eq!(text, "{\"500030\":1}");
        assert_eq!(serde_json::from_str::<Revisions>(&text).unwrap(), revisions);
    }

    fn any_purpose() -> impl Strategy<Value = Purpose> {
        prop::sample::select(vec![Purpose::Zero, Purpose::Fall, Purpose::Rise])
    }

    proptest! {
        /// Whatever is asked for and whenever, no 24 hours see more than the budget, and what is less urgent never takes
        /// what is kept for what is more.
        #[test]
        fn no_day_of_any_time_zone_sees_more_than_the_budget(
            budget in 1_u32..70,
            steps in prop::collection::vec((0_i64..4_000, any_purpose()), 1..300),
        ) {
            let (mut revisions, mut now_s) = (Revisions::default(), 0);
            let mut all: Vec<i64> = Vec::new();
            for (step_s, purpose) in steps {
                now_s += step_s;
                let before = revisions.used(at(now_s));
                if revisions.wait(budget, purpose, at(now_s)).is_zero() {
                    prop_assert!(before + purpose.leaves(budget) < budget);
                    revisions = revisions.with_one_more(at(now_s));
                    all.push(now_s);
                }
            }
            for (first, start) in all.iter().enumerate() {
                let day = all[first..].iter().take_while(|other| **other < start + 86_400);
                prop_assert!(day.count() <= budget as usize);
            }
        }

        /// A listing that is changed as it should be, one of its budget alone, can always be taken to zero: no fall is
        /// told where it could not be.
        #[test]
        fn a_fall_without_room_can_always_go_to_zero(
            budget in 2_u32..70,
            steps in prop::collection::vec((0_i64..4_000, 0_u32..6), 1..300),
        ) {
            let (mut revisions, mut now_s, mut shown) = (Revisions::default(), 0, 0);
            for (step_s, there) in steps {
                now_s += step_s;
                let purpose = match there {
                    0 => Purpose::Zero,
                    fewer if fewer < shown => Purpose::Fall,
                    _ => Purpose::Rise,
                };
                if there == shown {
                    continue;
                }
                let now = at(now_s);
                if revisions.wait(budget, purpose, now).is_zero() {
                    shown = there;
                } else if purpose == Purpose::Rise {
                    continue;
                } else {
                    prop_assert!(revisions.wait(budget, Purpose::Zero, now).is_zero());
                    shown = 0;
                }
                revisions = revisions.with_one_more(now);
                prop_assert!(shown <= there);
            }
        }
    }
}
