//! Time as the simulators see it. Everything that ages (tokens, visibility, payment windows, redeliveries) asks a
//! `Clock`, so a simulation can let a day pass in a millisecond.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use jiff::Timestamp;

/// Where the simulators take the time from.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Moves the clock forward, and says whether it can be moved at all.
    fn advance(&self, by: Duration) -> bool;
}

/// The machine's time, plus whatever it was moved forward by `advance`.
#[derive(Debug, Default)]
pub struct SystemClock {
    offset: Mutex<Duration>,
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let offset = *self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        later(Timestamp::now(), offset)
    }

    fn advance(&self, by: Duration) -> bool {
        let mut offset = self.offset.lock().unwrap_or_else(PoisonError::into_inner);
        *offset = offset.saturating_add(by);
        true
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<Timestamp>,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn new(start: Timestamp) -> Self {
        Self {
            now: Mutex::new(start),
        }
    }

    /// Puts the clock to `to`, which may also be earlier than its present time.
    pub fn set(&self, to: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn advance(&self, by: Duration) -> bool {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = later(*now, by);
        true
    }
}

/// `at` plus `by`, or the end of time where that does not exist.
pub(crate) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// `at` plus a number of milliseconds.
pub(crate) fn later_ms(at: Timestamp, by_ms: u64) -> Timestamp {
    later(at, Duration::from_millis(by_ms))
}

/// `yyyy-MM-ddTHH:mm:ss.SSSZ`, as eBay writes times.
pub(crate) fn iso_ms(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
