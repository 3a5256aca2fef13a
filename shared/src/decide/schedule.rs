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

/// Seconds until the next look at an offer: half as long after a change, twice as long without, from 1 to 60 minutes.
pub fn next_stock_interval(interval_s: u32, changed: bool) -> u32 {
    let next = if changed {
        interval_s / 2
    } else {
        interval_s.saturating_mul(2)
    };
    next.clamp(SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S)
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

    #[test]
    fn stock_that_changes_is_looked_at_more_often() {
        assert_eq!(next_stock_interval(600, true), 300);
        assert_eq!(next_stock_interval(600, false), 1200);
        assert_eq!(next_stock_interval(60, true), 60);
        assert_eq!(next_stock_interval(u32::MAX, false), 3600);
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
