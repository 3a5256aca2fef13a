//! The gate through which every call of every function goes. Here a call waits until the scheduler lets it go on, and
//! hears what becomes of it. Nothing has to be listed by hand: what goes through a port goes through the gate.

use crate::fault::Fault;
use jiff::{SignedDuration, Timestamp};
use kervan::flows::LANDS_WITHIN;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// One invocation of a function.
pub(crate) type RunId = u64;
/// Work that goes on without the function that began it.
pub(crate) type Detached = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a call does to the world outside the function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Reads the table. Nothing changes, but others can come between.
    Read,
    /// An effect point: writes the table, sends, deletes or releases a message, calls a marketplace.
    Effect,
    /// Waits.
    Sleep(Duration),
}

/// A call that waits at the gate.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) run: RunId,
    pub(crate) touch: Touch,
    pub(crate) what: String,
    /// What becomes of it, once that is decided, and when it goes on.
    pub(crate) decided: Option<(Fault, Timestamp)>,
    /// Who has to look once it goes on: one of many that a run does side by side is not polled otherwise.
    waker: Option<Waker>,
}

#[derive(Default)]
struct State {
    current: RunId,
    next: u64,
    waiting: BTreeMap<u64, Waiting>,
    released: BTreeMap<u64, Fault>,
    /// Runs whose process has ended by a decision made here.
    dead: Vec<RunId>,
    detached: Vec<(Timestamp, Detached)>,
    is_told: bool,
}

/// The gate.
#[derive(Clone, Default)]
pub(crate) struct Gate(Arc<Mutex<State>>);

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Gate")
    }
}

impl Gate {
    /// A gate. With `is_told`, calls say in words what they are; it costs time.
    pub(crate) fn new(is_told: bool) -> Self {
        let gate = Self::default();
        gate.lock().is_told = is_told;
        gate
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the scheduler's decision about a call of the run that is being polled.
    pub(crate) async fn pass(&self, touch: Touch, what: impl FnOnce() -> String + Send) -> Fault {
        let call = {
            let mut state = self.lock();
            let what = if state.is_told { what() } else { String::new() };
            let (call, run) = (state.next, state.current);
            state.next += 1;
            let waiting = Waiting {
                run,
                touch,
                what,
                decided: None,
                waker: None,
            };
            state.waiting.insert(call, waiting);
            call
        };
        Pass { gate: self, call }.await
    }

    /// Lets virtual time pass for the run that is being polled.
    pub(crate) async fn pause(&self, time: Duration) {
        let what = || format!("waits {} ms", time.as_millis());
        self.pass(Touch::Sleep(time), what).await;
    }

    /// The run that is being polled.
    pub(crate) fn current(&self) -> RunId {
        self.lock().current
    }

    /// The process of the run that is being polled ends here.
    pub(crate) async fn die(&self) {
        {
            let mut state = self.lock();
            let run = state.current;
            state.dead.push(run);
        }
        std::future::pending::<()>().await;
    }

    /// How late the effect of the call that was made last comes: at the latest moment that the protocol allows for, or for
    /// every other call at one between a second and that.
    pub(crate) fn late_by(&self) -> SignedDuration {
        let call = self.lock().next;
        if call.is_multiple_of(2) {
            return LANDS_WITHIN;
        }
        let most = LANDS_WITHIN.as_secs();
        let seconds = i64::try_from(call).unwrap_or(0).wrapping_mul(67) % most;
        SignedDuration::from_secs(1 + seconds)
    }

    /// Hands over work that is done at its time, whatever becomes of the function.
    pub(crate) fn detach(&self, at: Timestamp, work: Detached) {
        self.lock().detached.push((at, work));
    }

    /// Whose calls the next ones are.
    pub(crate) fn enter(&self, run: RunId) {
        self.lock().current = run;
    }

    /// Looks at the calls that wait.
    pub(crate) fn with_waiting<T>(&self, look: impl FnOnce(&BTreeMap<u64, Waiting>) -> T) -> T {
        look(&self.lock().waiting)
    }

    /// Decides about a call, which goes on at the given time.
    pub(crate) fn decide(&self, call: u64, fault: Fault, at: Timestamp) {
        if let Some(waiting) = self.lock().waiting.get_mut(&call) {
            waiting.decided = Some((fault, at));
        }
    }

    /// Lets a call go on now, and wakes the run that made it.
    pub(crate) fn release(&self, call: u64, fault: Fault) {
        let mut state = self.lock();
        let Some(waiting) = state.waiting.remove(&call) else {
            return;
        };
        state.released.insert(call, fault);
        drop(state);
        if let Some(waker) = waiting.waker {
            waker.wake();
        }
    }

    /// Forgets the calls of a run that has ended.
    pub(crate) fn forget(&self, run: RunId) {
        self.lock().waiting.retain(|_, waiting| waiting.run != run);
    }

    /// The runs that ended here since the last question.
    pub(crate) fn take_dead(&self) -> Vec<RunId> {
        std::mem::take(&mut self.lock().dead)
    }

    /// Detached work whose time has come.
    pub(crate) fn take_detached(&self, now: Timestamp) -> Vec<Detached> {
        let mut state = self.lock();
        let all = std::mem::take(&mut state.detached);
        let (due, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|(at, _)| *at <= now);
        state.detached = later;
        due.into_iter().map(|(_, work)| work).collect()
    }

    /// Whether detached work's time has come.
    pub(crate) fn has_detached(&self, now: Timestamp) -> bool {
        self.lock().detached.iter().any(|(at, _)| *at <= now)
    }

    /// When something here goes on by itself: a decided call or detached work.
    pub(crate) fn next_event(&self) -> Option<Timestamp> {
        let state = self.lock();
        let decided = state.waiting.values();
        let decided = decided.filter_map(|waiting| waiting.decided.map(|(_, at)| at));
        let detached = state.detached.iter().map(|(at, _)| *at);
        decided.chain(detached).min()
    }
}

struct Pass<'a> {
    gate: &'a Gate,
    call: u64,
}

impl Future for Pass<'_> {
    type Output = Fault;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Fault> {
        let mut state = self.gate.lock();
        if let Some(fault) = state.released.remove(&self.call) {
            return Poll::Ready(fault);
        }
        if let Some(waiting) = state.waiting.get_mut(&self.call) {
            waiting.waker = Some(context.waker().clone());
        }
        Poll::Pending
    }
}
