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

    fn pace(interval_s: u32, changed: bool) -> Pace {
        Pace {
            interval_s,
            elapsed_s: Some(interval_s),
            changed,
            gone: 0,
            free: 100,
        }
    }

    #[test]
    fn stock_that_changes_is_looked_at_more_often() {
        assert_eq!(next_stock_interval(pace(600, true)), 300);
        assert_eq!(next_stock_interval(pace(600, false)), 1200);
        assert_eq!(next_stock_interval(pace(60, true)), 60);
        assert_eq!(next_stock_interval(pace(u32::MAX, false)), 3600);
    }

    #[test]
    fn what_sells_fast_is_looked_at_before_it_can_be_gone() {
        let selling = |gone, free| {
            next_stock_interval(Pace {
                gone,
                free,
                ..pace(1200, true)
            })
        };
        // Two units in 20 minutes: 8 units last 80 minutes, a quarter of that is 20.
        assert_eq!(selling(2, 8), 600);
        assert_eq!(selling(4, 4), 300);
        assert_eq!(selling(40, 4), 60);
        assert_eq!(selling(40, 0), 60);
    }

    #[test]
    fn a_purchase_is_asked_about_less_and_less() {
        let placed = Timestamp::from_second(1_800_000_000).unwrap();
        let wait = |hours| {
            let checked = placed + SignedDuration::from_hours(hours);
            next_tracking_check(placed, checked)
                .duration_since(checked)
                .as_secs()
        };
        assert_eq!((wait(0), wait(10), wait(100)), (300, 3600, 21600));
    }
}
