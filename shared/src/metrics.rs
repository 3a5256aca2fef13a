//! What is measured: how fresh stock and prices are, from the supplier's word to the channel.
//!
//! A function writes what was noted at the end of each invocation, as lines of CloudWatch's embedded metric format: CloudWatch
//! makes metrics of them (with percentiles, as every value is there), and nothing has to be called.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The namespace of the metrics.
pub const NAMESPACE: &str = "Kervan";
/// The format's limit of the values that one metric has in one line.
const MOST_VALUES: usize = 100;

/// A measured time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// How old the evidence of an offer is when its supplier is asked again, whether or not it answers.
    EvidenceAge,
    /// From a supplier's answer to the channel having been told of it.
    EvidenceToPublished,
    /// From the record of an order's plan to another channel having been told that there are fewer units.
    OrderToLowered,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::EvidenceAge,
        Self::EvidenceToPublished,
        Self::OrderToLowered,
    ];

    /// The metric's name; its unit is seconds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EvidenceAge => "EvidenceAge",
            Self::EvidenceToPublished => "EvidenceToPublished",
            Self::OrderToLowered => "OrderToLowered",
        }
    }
}

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Count {
    /// Offers whose time to be looked at had come. Zero is counted too: without it, the poller does not run.
    OffersDue,
    /// Offers of which a supplier has told the stock.
    OffersChecked,
    /// Listings that a channel was told of.
    ListingsTold,
}

impl Count {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OffersDue, Self::OffersChecked, Self::ListingsTold];

    /// The metric's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OffersDue => "OffersDue",
            Self::OffersChecked => "OffersChecked",
            Self::ListingsTold => "ListingsTold",
        }
    }
}

/// What was measured and counted since it was last taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Measured times, in the order of their noting.
    pub times: BTreeMap<Measure, Vec<Duration>>,
    /// Sums.
    pub counts: BTreeMap<Count, u64>,
}

/// What is measured and counted, until it is written.
#[derive(Debug, Default)]
pub struct Metrics {
    taken: Mutex<Taken>,
}

impl Metrics {
    /// Notes a time. One that is below zero, as clocks of machines differ, counts as zero.
    pub fn note(&self, measure: Measure, time: jiff::SignedDuration) {
        let time = Duration::try_from(time).unwrap_or(Duration::ZERO);
        self.lock().times.entry(measure).or_default().push(time);
    }

    /// Counts this many more.
    pub fn count(&self, what: Count, more: usize) {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let mut taken = self.lock();
        let sum = taken.counts.entry(what).or_default();
        *sum = sum.saturating_add(more);
    }

    /// Takes what was noted since the last time.
    pub fn take(&self) -> Taken {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// Lines of the embedded metric format for the metrics of a stack: none where nothing was noted, and several where
    /// there are more values than one line can hold. Seconds are written to three digits.
    pub fn lines(&self, stack: &str, now: Timestamp) -> Vec<String> {
        let longest = self.times.values().map(Vec::len).max().unwrap_or(0);
        let of_times = longest.div_ceil(MOST_VALUES);
        let of_counts = usize::from(!self.counts.is_empty());
        let lines = 0..of_times.max(of_counts);
        lines.map(|line| self.line(line, stack, now)).collect()
    }

    fn line(&self, line: usize, stack: &str, now: Timestamp) -> String {
        let (mut metrics, mut fields) = (Vec::new(), Map::new());
        for (measure, times) in &self.times {
            if let Some(times) = times.chunks(MOST_VALUES).nth(line) {
                let seconds: Vec<f64> = times.iter().map(|time| three_digits(*time)).collect();
                metrics.push(json!({ "Name": measure.name(), "Unit": "Seconds" }));
                fields.insert(measure.name().to_owned(), json!(seconds));
            }
        }
        // A sum in two lines would count twice.
        for (count, sum) in self.counts.iter().filter(|_| line == 0) {
            metrics.push(json!({ "Name": count.name(), "Unit": "Count" }));
            fields.insert(count.name().to_owned(), json!(sum));
        }
        let directive = json!({
            "Namespace": NAMESPACE, "Dimensions": [["Stack"]], "Metrics": metrics,
        });
        let about = json!({
            "Timestamp": now.as_millisecond(), "CloudWatchMetrics": [directive],
        });
        fields.insert("_aws".to_owned(), about);
        fields.insert("Stack".to_owned(), json!(stack));
        Value::Object(fields).to_string()
    }
}

/// Seconds, rounded to three digits and to the millisecond: nobody reads more, and logs are paid by the byte.
fn three_digits(time: Duration) -> f64 {
    let mut step = 1;
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX >> 16);
    while millis / step >= 1000 {
        step *= 10;
    }
    let rounded = (millis + step / 2) / step * step;
    #[allow(
        clippy::cast_precision_loss,
        reason = "a rounded figure of milliseconds, below 2^49"
    )]
    let seconds = rounded as f64 / 1000.0;
    seconds
}

#[cfg(test)]
mod tests;
