//! What can go wrong on a call, on demand.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::clock::later_ms;

/// A failure of one call. The comment of each says whether the call has its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The connection is closed before anything was read. No effect.
    Refused,
    /// The marketplace's "too many calls" answer. No effect.
    TooManyRequests,
    /// A server error in the marketplace's own form. No effect.
    ServerError,
    /// A server error in the marketplace's own form, after the effect.
    ServerErrorAfter,
    /// A proxy's HTML page with status 502. No effect.
    HtmlErrorPage,
    /// No answer, no effect.
    TimeoutBefore,
    /// No answer, but the effect has happened.
    TimeoutAfter,
    /// The right answer cut off in the middle, so that it cannot be parsed. The effect has happened.
    MalformedBody,
}

impl Fault {
    /// Whether the call does what it was asked for in spite of the fault.
    pub fn has_effect(self) -> bool {
        matches!(
            self,
            Self::ServerErrorAfter | Self::TimeoutAfter | Self::MalformedBody
        )
    }
}

/// A mark in the extensions of a response that is none: what the wire does instead of answering. The serving layer
/// acts on it; who calls a router in-process has to look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireFault {
    /// The connection breaks off without an answer.
    Refused,
    /// Nothing is ever answered.
    Hang,
}

/// A mark in the extensions of a response: how long it takes to come. The serving layer waits; who calls a router
/// in-process has to look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Takes(pub Duration);

/// How many calls of one operation are answered in a time window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Calls in the window.
    pub calls: u32,
    /// Length of the sliding window in milliseconds of the simulator's clock.
    pub per_ms: u64,
}

/// The name of an operation that stands for all of them in `fail_next` and in limits.
pub(crate) const ANY: &str = "any";

/// What each call passes before the marketplace looks at it: planned faults, limits and counting.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    faults: Vec<(String, Fault, u32)>,
    limits: BTreeMap<String, RateLimit>,
    recent: BTreeMap<String, VecDeque<Timestamp>>,
    /// Calls that arrived, by operation.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Calls turned away by a limit, by operation.
    pub(crate) limited: BTreeMap<String, u64>,
}

impl Gate {
    pub(crate) fn fail_next(&mut self, operation: &str, fault: Fault, times: u32) {
        if times > 0 {
            self.faults.push((operation.to_owned(), fault, times));
        }
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn set_limit(&mut self, operation: &str, limit: Option<RateLimit>) {
        self.recent.clear();
        match limit {
            Some(limit) => self.limits.insert(operation.to_owned(), limit),
            None => self.limits.remove(operation),
        };
    }

    /// Counts a call and takes the first planned fault that fits it.
    pub(crate) fn enter(&mut self, operation: &str) -> Option<Fault> {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let place = self
            .faults
            .iter()
            .position(|(planned, _, _)| planned == operation || planned == ANY)?;
        let planned = &mut self.faults[place];
        planned.2 -= 1;
        let fault = planned.1;
        if planned.2 == 0 {
            self.faults.remove(place);
        }
        Some(fault)
    }

    /// Whether this call is one too many; a call turned away does not use the window up.
    pub(crate) fn is_over_limit(&mut self, operation: &str, now: Timestamp) -> bool {
        let Some(limit) = self.limits.get(operation).or_else(|| self.limits.get(ANY)) else {
            return false;
        };
        let recent = self.recent.entry(operation.to_owned()).or_default();
        while recent
            .front()
            .is_some_and(|at| later_ms(*at, limit.per_ms) <= now)
        {
            recent.pop_front();
        }
        if recent.len() >= usize::try_from(limit.calls).unwrap_or(usize::MAX) {
            *self.limited.entry(operation.to_owned()).or_default() += 1;
            return true;
        }
        recent.push_back(now);
        false
    }
}
