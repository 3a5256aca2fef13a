//! One bucket, pure: a single moment tells how full it is.

use super::{Limit, Traffic};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The longest wait that a caller is told: a queue delays a message no longer.
const LONGEST_WAIT_US: i64 = 900_000_000;
/// This part of a bucket is taken at once.
const AHEAD_OF_BURST: i64 = 25;
/// The most tokens that are taken at once.
const MOST_AHEAD: i64 = 20;
/// Tokens that were taken ahead are used within this time, or not at all.
const LONGEST_KEPT_US: i64 = 10_000_000;

/// How full a bucket is. Times are microseconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bucket {
    /// When it will be full again if nobody takes anything.
    full_at: i64,
    /// When the next caller in the line of orders is told to come, and of stock.
    orders_line: i64,
    stock_line: i64,
    /// What the marketplace said last, in calls of a million seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learned: Option<u64>,
}

/// What taking from a bucket came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many calls may be made, at least one: one now, the others within `kept`.
    Calls {
        /// How many.
        calls: u32,
        /// How long they may be used.
        kept: Duration,
    },
    /// None; come again after this time.
    Wait(Duration),
}

impl Bucket {
    /// A stored bucket; one that cannot be read is a new one.
    pub(super) fn read(body: &str) -> Self {
        serde_json::from_str(body).unwrap_or_default()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) const fn learned(&self) -> Option<u64> {
        self.learned
    }

    pub(super) const fn learn(&mut self, calls_per_million_s: u64) {
        self.learned = Some(calls_per_million_s);
    }

    /// Takes at least one token, some ahead where there are many; or a place in the line.
    pub(super) fn take(&mut self, limit: Limit, traffic: Traffic, now: Timestamp) -> Taken {
        let now = now.as_microsecond();
        let interval = self.interval(limit);
        let burst = Self::burst(limit, interval);
        let room = match traffic {
            Traffic::Orders => burst,
            Traffic::Stock => burst - burst / 2,
        };
        let from = self.full_at.max(now);
        let used = from - now;
        let free = room.saturating_mul(interval).saturating_sub(used) / interval;
        if free >= 1 {
            let calls = free.min((burst / AHEAD_OF_BURST).clamp(1, MOST_AHEAD));
            self.full_at = from.saturating_add(calls.saturating_mul(interval));
            let kept = Self::kept(limit, interval);
            return Taken::Calls {
                calls: u32::try_from(calls).unwrap_or(1),
                kept: Duration::from_micros(kept.unsigned_abs()),
            };
        }
        // The next token of this traffic is free then; whoever waits already comes first.
        let next = now + used + interval - room.saturating_mul(interval);
        let line = match traffic {
            Traffic::Orders => &mut self.orders_line,
            Traffic::Stock => &mut self.stock_line,
        };
        let turn = next.max(*line);
        let wait = (turn - now).min(LONGEST_WAIT_US);
        if turn - now <= LONGEST_WAIT_US {
            *line = turn.saturating_add(interval);
        }
        Taken::Wait(Duration::from_micros(wait.unsigned_abs()))
    }

    /// Empties it so that the next call is free after `wait`.
    pub(super) fn empty(&mut self, limit: Limit, wait: Duration, now: Timestamp) {
        let interval = self.interval(limit);
        let burst = Self::burst(limit, interval);
        let wait = i64::try_from(wait.as_micros()).unwrap_or(LONGEST_WAIT_US);
        let full_at = now
            .as_microsecond()
            .saturating_add(wait)
            .saturating_add((burst - 1).saturating_mul(interval));
        self.full_at = self.full_at.max(full_at);
    }

    /// Microseconds in which one token flows in.
    fn interval(&self, limit: Limit) -> i64 {
        let documented = limit.per.as_micros() / u128::from(limit.calls.max(1));
        let learned = self
            .learned
            .map(|calls| 1_000_000_000_000 / u128::from(calls.max(1)));
        let interval = learned.unwrap_or(documented).max(1);
        i64::try_from(interval).unwrap_or(i64::MAX / 4)
    }

    /// Tokens of a full bucket. What was taken ahead may be used while new ones flow in, so as many stay inside.
    fn burst(limit: Limit, interval: i64) -> i64 {
        let burst = i64::from(limit.burst.max(1));
        match burst / AHEAD_OF_BURST {
            0 | 1 => burst,
            _ => burst - Self::kept(limit, interval) / interval,
        }
    }

    /// How long tokens that were taken ahead may be used, in microseconds: until a quarter of the bucket flowed in.
    fn kept(limit: Limit, interval: i64) -> i64 {
        let quarter = i64::from(limit.burst / 4).saturating_mul(interval);
        quarter.min(LONGEST_KEPT_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(us: i64) -> Timestamp {
        Timestamp::from_microsecond(1_700_000_000_000_000 + us).unwrap()
    }

    fn limit(calls: u32, per: Duration, burst: u32) -> Limit {
        Limit { calls, per, burst }
    }

    fn taken(bucket: &mut Bucket, limit: Limit, at: Timestamp) -> Result<u32, Duration> {
        match bucket.take(limit, Traffic::Orders, at) {
            Taken::Calls { calls, .. } => Ok(calls),
            Taken::Wait(wait) => Err(wait),
        }
    }

    #[test]
    fn a_burst_is_given_at_once_and_then_one_an_interval() {
        let slow = limit(1, 2 * SECOND, 3);
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            assert_eq!(taken(&mut bucket, slow, at(0)), Ok(1));
        }
        assert_eq!(taken(&mut bucket, slow, at(0)), Err(2 * SECOND));
        assert_eq!(taken(&mut bucket, slow, at(2_000_000)), Ok(1));
    }

    #[test]
    fn whoever_waits_is_told_a_moment_of_its_own() {
        let slow = limit(1, 2 * SECOND, 1);
        let mut bucket = Bucket::default();
        assert_eq!(taken(&mut bucket, slow, at(0)), Ok(1));
        for turn in 1..=5 {
            assert_eq!(taken(&mut bucket, slow, at(0)), Err(2 * turn * SECOND));
        }
    }

    #[test]
    fn stock_leaves_half_of_the_bucket_to_orders() {
        let slow = limit(1, 60 * SECOND, 10);
        let mut bucket = Bucket::default();
        let mut stock = 0;
        while let Taken::Calls { calls, .. } = bucket.take(slow, Traffic::Stock, at(0)) {
            stock += calls;
        }
        assert_eq!(stock, 5);
        let mut orders = 0;
        while let Taken::Calls { calls, .. } = bucket.take(slow, Traffic::Orders, at(0)) {
            orders += calls;
        }
        assert_eq!(orders, 5);
    }

    #[test]
    fn what_the_marketplace_says_counts_more_than_what_it_documents() {
        let documented = limit(1, SECOND, 1);
        let mut bucket = Bucket::default();
        bucket.learn(100_000);
        assert_eq!(taken(&mut bucket, documented, at(0)), Ok(1));
        assert_eq!(taken(&mut bucket, documented, at(0)), Err(10 * SECOND));
    }

    #[test]
    fn a_refusal_of_the_marketplace_empties_the_bucket_for_everybody() {
        let quick = limit(10, SECOND, 20);
        let mut bucket = Bucket::default();
        bucket.empty(quick, 30 * SECOND, at(0));
        assert!(taken(&mut bucket, quick, at(29_000_000)).is_err());
        assert_eq!(taken(&mut bucket, quick, at(30_000_000)), Ok(1));
    }

    proptest! {
        #[test]
        fn no_span_of_time_sees_more_than_the_burst_and_what_flows_in(
            calls in 1_u32..200, burst in 1_u32..500, steps in prop::collection::vec((0_i64..400_000, any::<bool>()), 1..200),
        ) {
            let limit = limit(calls, SECOND, burst);
            let (mut bucket, mut now, mut given) = (Bucket::default(), 0, Vec::new());
            for (step, is_stock) in steps {
                now += step;
                let traffic = if is_stock { Traffic::Stock } else { Traffic::Orders };
                if let Taken::Calls { calls, kept } = bucket.take(limit, traffic, at(now)) {
                    given.push((now, 1));
                    // The worst that can be: the others are used in the last moment.
                    let last = now + i64::try_from(kept.as_micros()).unwrap();
                    given.push((last, i64::from(calls) - 1));
                }
            }
            given.sort_unstable();
            for (first, (from, _)) in given.iter().enumerate() {
                let mut sum = 0;
                for (until, count) in &given[first..] {
                    sum += count;
                    let flowed_in = (until - from) * i64::from(calls) / 1_000_000 + 1;
                    prop_assert!(sum <= i64::from(burst) + flowed_in);
                }
            }
        }
    }
}
