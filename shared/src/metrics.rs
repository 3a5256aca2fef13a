//! What is measured: how fresh stock and prices are, from the supplier's word to the channel.
//!
//! A function writes what was noted at the end of each invocation, as lines of CloudWatch's embedded metric format: CloudWatch
//! makes metrics of them (with percentiles, as every value is there), and nothing has to be called.

use crate::domain::AccountId;
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
    /// How old the evidence of an offer is when its supplier is asked again, whether or not it answers; of an offer without
    /// any, how long it is overdue. By supplier too.
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
    /// Looks that a supplier did not answer, so that the offer is put off. By supplier too. One that only a limit held back
    /// is none.
    LooksFailed,
    /// Listings that a channel was told of.
    ListingsTold,
    /// Listings that a channel could not be told of: it did not answer or refused, or their budget of changes is used up.
    /// Counted at each try.
    ListingsNotTold,
}

impl Count {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::OffersDue,
        Self::OffersChecked,
        Self::LooksFailed,
        Self::ListingsTold,
        Self::ListingsNotTold,
    ];

    /// The metric's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OffersDue => "OffersDue",
            Self::OffersChecked => "OffersChecked",
            Self::LooksFailed => "LooksFailed",
            Self::ListingsTold => "ListingsTold",
            Self::ListingsNotTold => "ListingsNotTold",
        }
    }
}

/// What was measured and counted since it was last taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// What is of no supplier alone has no name.
    noted: BTreeMap<Option<AccountId>, Noted>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Noted {
    /// Measured times, in the order of their noting.
    times: BTreeMap<Measure, Vec<Duration>>,
    /// Sums.
    counts: BTreeMap<Count, u64>,
}

/// What is measured and counted, until it is written.
#[derive(Debug, Default)]
pub struct Metrics {
    taken: Mutex<Taken>,
}

impl Metrics {
    /// Notes a time. One that is below zero, as clocks of machines differ, counts as zero.
    pub fn note(&self, measure: Measure, time: jiff::SignedDuration) {
        self.lock().of(None).note(measure, time);
    }

    /// Notes a time of a supplier, which counts among those of all as well: one that is silent is not hidden by the others.
    pub fn note_of(&self, supplier: &AccountId, measure: Measure, time: jiff::SignedDuration) {
        self.lock().of(Some(supplier)).note(measure, time);
    }

    /// Counts this many more.
    pub fn count(&self, what: Count, more: usize) {
        self.lock().of(None).count(what, more);
    }

    /// Counts this many more of a supplier, which count among those of all as well.
    pub fn count_of(&self, supplier: &AccountId, what: Count, more: usize) {
        self.lock().of(Some(supplier)).count(what, more);
    }

    /// Takes what was noted since the last time.
    pub fn take(&self) -> Taken {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn note(&mut self, measure: Measure, time: jiff::SignedDuration) {
        let time = Duration::try_from(time).unwrap_or(Duration::ZERO);
        self.times.entry(measure).or_default().push(time);
    }

    fn count(&mut self, what: Count, more: usize) {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let sum = self.counts.entry(what).or_default();
        *sum = sum.saturating_add(more);
    }
}

impl Taken {
    fn of(&mut self, supplier: Option<&AccountId>) -> &mut Noted {
        self.noted.entry(supplier.cloned()).or_default()
    }

    /// The measured times of all, in the order of their noting.
    pub fn times(&self, measure: Measure) -> Vec<Duration> {
        let times = self
            .noted
            .values()
            .filter_map(|noted| noted.times.get(&measure));
        times.flatten().copied().collect()
    }

    /// The sum of all.
    pub fn counted(&self, what: Count) -> u64 {
        let counts = self
            .noted
            .values()
            .filter_map(|noted| noted.counts.get(&what));
        counts.sum()
    }

    /// Lines of the embedded metric format for the metrics of a stack: none where nothing was noted, and several where
    /// there are more values than one line can hold. A line is of one supplier, or of none, because it can name a dimension
    /// once. Seconds are written to three digits.
    pub fn lines(&self, stack: &str, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        for (supplier, noted) in &self.noted {
            let longest = noted.times.values().map(Vec::len).max().unwrap_or(0);
            let of_times = longest.div_ceil(MOST_VALUES);
            let of_counts = usize::from(!noted.counts.is_empty());
            let of_these = 0..of_times.max(of_counts);
            lines.extend(of_these.map(|line| noted.line(line, stack, supplier.as_ref(), now)));
        }
        lines
    }
}

impl Noted {
    fn line(
        &self,
        line: usize,
        stack: &str,
        supplier: Option<&AccountId>,
        now: Timestamp,
    ) -> String {
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
        let mut dimensions = json!([["Stack"]]);
        if let Some(supplier) = supplier {
            dimensions = json!([["Stack"], ["Stack", "Supplier"]]);
            fields.insert("Supplier".to_owned(), json!(supplier.to_string()));
        }
        let directive = json!({
            "Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": metrics,
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
