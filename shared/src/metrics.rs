//! What is measured: how fresh stock and prices are, from the supplier's word to the channel.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A measured time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// How old the evidence of an offer is when it is replaced by newer.
    EvidenceAge,
    /// From a supplier's answer to the channel having been told of it.
    EvidenceToPublished,
    /// From the record of an order's plan to another channel having been told that there are fewer units.
    OrderToLowered,
}

/// Measured times, until they are written.
#[derive(Debug, Default)]
pub struct Metrics {
    taken: Mutex<BTreeMap<Measure, Vec<Duration>>>,
}

impl Metrics {
    /// Notes a time. One that is below zero, as clocks of machines differ, counts as zero.
    pub fn note(&self, measure: Measure, time: jiff::SignedDuration) {
        let time = Duration::try_from(time).unwrap_or(Duration::ZERO);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.entry(measure).or_default().push(time);
    }

    /// Takes what was noted since the last time.
    pub fn take(&self) -> BTreeMap<Measure, Vec<Duration>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *taken)
    }
}
