//! When to look again.

use jiff::{SignedDuration, Timestamp};

/// The shortest time between two looks at an offer's stock, in seconds.
const SHORTEST_INTERVAL_S: u32 = 60;
/// The longest time between two looks at an offer's stock, in seconds.
const LONGEST_INTERVAL_S: u32 = 3600;

/// When to ask the supplier about a purchase again. Pushes come first in general, so this is for the lost ones: often in
/// the first hour, hourly for two days, then four times a day.
pub fn next_tracking_check(placed_at: Timestamp, checked_at: Timestamp) -> Timestamp {
    let age = checked_at.duration_since(placed_at);
    let wait = if age < SignedDuration::from_hours(1) {
        SignedDuration::from_mins(5)
    } else if age < SignedDuration::from_hours(48) {
        SignedDuration::from_hours(1)
    } else {
        SignedDuration::from_hours(6)
    };
    checked_at.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// How an offer moved between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Seconds that were planned between the two.
    pub interval_s: u32,
    /// Seconds that really lay between them; `None` at the first look.
    pub elapsed_s: Option<u32>,
    /// Whether stock or cost are others than before.
    pub changed: bool,
    /// Units that went, whoever took them.
    pub gone: u32,
    /// Units that no order has taken.
    pub free: u32,
}

/// Seconds until the next look at an offer, from 1 to 60 minutes: half as long after a change, twice as long without one,
/// and never longer than a quarter of the time in which the free units sell out at the speed of late.
pub fn next_stock_interval(pace: Pace) -> u32 {
    let next = if pace.changed {
        pace.interval_s / 2
    } else {
        pace.interval_s.saturating_mul(2)
    };
    let quarter = pace.elapsed_s.filter(|_| pace.gone > 0).map(|elapsed_s| {
        let sells_out_s = u64::from(pace.free) * u64::from(elapsed_s) / u64::from(pace.gone);
        u32::try_from(sells_out_s / 4).unwrap_or(u32::MAX)
    });
    next.min(quarter.unwrap_or(u32::MAX))
        .clamp(SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S)
}

/// Whether an order in the attention list, whose cause can pass, is due for another try at a sweep that comes every
/// `every`: at each sweep in the first hour, then about every hour.
pub fn attention_retry_is_due(since: Timestamp, now: Timestamp, every: SignedDuration) -> bool {
    let age = now.duration_since(since);
    age < SignedDuration::from_hours(1) || age.as_secs() % 3600 < every.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Interval, elapsed, whether something changed, units gone, units free, and the seconds until the next look.
    type Row = (u32, Option<u32>, bool, u32, u32, u32);

    fn check(rows: &[Row]) {
        for row in rows {
            let (interval_s, elapsed_s, changed, gone, free, wanted) = *row;
            let pace = Pace {
                interval_s,
                elapsed_s,
                changed,
                gone,
                free,
            };
            assert_eq!(next_stock_interval(pace), wanted, "{pace:?}");
        }
    }

    #[test]
    fn stock_that_changes_is_looked_at_more_often() {
        check(&[
            (600, Some(600), true, 0, 100, 300),
            (601, Some(601), true, 0, 100, 300),
            (600, Some(600), false, 0, 100, 1200),
            // The first look has nothing to compare with.
            (600, None, false, 0, 100, 1200),
            (600, None, true, 0, 100, 300),
            // Never more often than each minute, never less often than each hour.
            (122, Some(122), true, 0, 100, 61),
            (120, Some(120), true, 0, 100, 60),
            (60, Some(60), true, 0, 100, 60),
            (0, Some(60), false, 0, 100, 60),
            (1799, Some(1799), false, 0, 100, 3598),
            (1800, Some(1800), false, 0, 100, 3600),
            (1801, Some(1801), false, 0, 100, 3600),
            (u32::MAX, Some(60), false, 0, 100, 3600),
        ]);
    }

    #[test]
    fn what_sells_fast_is_looked_at_before_it_can_be_gone() {
        check(&[
            // Two units in 20 minutes: 8 units last 80 minutes, a quarter of that is 20; half the interval is sooner.
            (1200, Some(1200), true, 2, 8, 600),
            // 4 units last 20 minutes, or as long as it really took to sell them.
            (1200, Some(1200), true, 4, 4, 300),
            (1200, Some(800), true, 4, 4, 200),
            (1200, Some(1200), false, 4, 4, 300),
            // 3 units of 7 are gone in 1,000 seconds: 7 last 2,333 seconds, a quarter of that is 583.
            (1200, Some(1000), true, 3, 7, 583),
            (1200, Some(1200), true, 40, 4, 60),
            (1200, Some(1200), true, 40, 0, 60),
            // One unit that went is as good a sign as many.
            (1200, Some(1200), true, 1, 1, 300),
            // What went before the first look says nothing of the speed.
            (1200, None, true, 4, 4, 600),
            (1200, Some(u32::MAX), true, 1, u32::MAX, 600),
        ]);
    }

    #[test]
    fn a_purchase_is_asked_about_less_and_less() {
        let placed = Timestamp::from_second(1_800_000_000).unwrap();
        let (minute, hour) = (60, 3600);
        // Seconds since the purchase was placed, and until it is asked about again.
        let rows = [
            (0, 5 * minute),
            (hour - 1, 5 * minute),
            (hour, hour),
            (hour + 1, hour),
            (48 * hour - 1, hour),
            (48 * hour, 6 * hour),
            (1000 * hour, 6 * hour),
        ];
        for (age, wanted) in rows {
            let checked = placed + SignedDuration::from_secs(age);
            let next = next_tracking_check(placed, checked);
            assert_eq!(next.duration_since(checked).as_secs(), wanted, "{age} s");
        }
    }

    #[test]
    fn an_order_that_waits_is_tried_at_each_sweep_for_an_hour_and_then_hourly() {
        let since = Timestamp::from_second(1_800_000_000).unwrap();
        // Seconds since the order waits, seconds between two sweeps, whether it is tried.
        let rows = [
            (0, 600, true),
            (1800, 600, true),
            (3599, 600, true),
            (3600, 600, true),
            (4199, 600, true),
            (4200, 600, false),
            (4201, 600, false),
            (7199, 600, false),
            (7200, 600, true),
            (7799, 600, true),
            (7800, 600, false),
            (7259, 60, true),
            (7260, 60, false),
            (100 * 3600, 60, true),
        ];
        for (age, every, wanted) in rows {
            let now = since + SignedDuration::from_secs(age);
            let every = SignedDuration::from_secs(every);
            let is_due = attention_retry_is_due(since, now, every);
            assert_eq!(is_due, wanted, "{age} s, swept every {every:#}");
        }
    }
}
