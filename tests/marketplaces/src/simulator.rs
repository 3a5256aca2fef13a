//! The handle on a marketplace, and what all marketplaces have in common: a clock, planned faults and limits, settings,
//! counters, tokens that end, and copies. What is done to all of them is written here and in `control`, once; what one
//! marketplace sells, answers and signs is its own.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::Answer;
use crate::answer::OwnErrors;
use crate::answer::under_fault;
use crate::clock::Clock;
use crate::control;
use crate::error::ControlError;
use crate::fault::Fault;
use crate::fault::Gate;
use crate::fault::RateLimit;
use crate::fault::Takes;
use crate::operation::Operation;
use crate::push::Outbox;
use crate::push::Push;
use crate::push::PushView;

/// Everything that one marketplace knows, as the shared controls need it. Only this crate implements it.
pub trait Marketplace: Clone + Send + Sized + 'static {
    /// Credentials and first settings.
    type Config;
    /// What can be changed while it runs.
    type Settings: Clone + Serialize + DeserializeOwned;
    /// The calls that are counted, limited and can be made to fail.
    type Operation: Operation;
    /// What is counted.
    type Counters: Serialize;

    /// A marketplace without goods.
    fn new(config: Self::Config, seed: u64, now: Timestamp) -> Self;

    /// Lets happen what was to happen by `now`, which is the time from here on.
    fn catch_up(&mut self, now: Timestamp);

    /// The marketplace's own paths and `/_control`.
    fn router(simulator: Simulator<Self>) -> Router;

    /// What each call passes first.
    fn gate(&mut self) -> &mut Gate;

    /// The present settings.
    fn settings(&self) -> &Self::Settings;

    /// The settings, to be changed.
    fn settings_mut(&mut self) -> &mut Self::Settings;

    /// Everything counted since the start.
    fn counters(&self) -> Self::Counters;

    /// When something happens next without a call.
    fn next_due(&self) -> Option<Timestamp>;

    /// How long a call takes to be answered, in milliseconds.
    fn takes_ms(&self, _operation: Self::Operation) -> u64 {
        0
    }

    /// Ends all access tokens and leaves the consent as it is.
    fn expire_access_tokens(&mut self);

    /// Ends the consent, and with it all access tokens.
    fn revoke_consent(&mut self);
}

/// A marketplace that sends its messages to an HTTP endpoint. Amazon is none: its messages wait for a queue, which
/// answers nothing and has no second delivery.
pub trait Pushing: Marketplace {
    /// The messages and what became of them.
    fn outbox(&mut self) -> &mut Outbox;

    /// Signs and hands out what is due at `now`.
    fn take_due(&mut self, now: Timestamp) -> Vec<Push>;

    /// Notes the answer to a message. False for an unknown id.
    fn note_answer(&mut self, id: u64, status: Option<u16>, now: Timestamp) -> bool {
        self.outbox().answered(id, status, now)
    }
}

/// The handle on a simulated marketplace. Clones share one marketplace; a copy of its own is a `fork`.
pub struct Simulator<M> {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<M>>,
}

impl<M> Clone for Simulator<M> {
    fn clone(&self) -> Self {
        Self {
            clock: self.clock.clone(),
            state: self.state.clone(),
        }
    }
}

impl<M: Marketplace> Simulator<M> {
    /// A new marketplace without goods. The same seed gives the same ids, tokens, buyers and keys.
    pub fn new(config: M::Config, clock: Arc<dyn Clock>, seed: u64) -> Self {
        let state = M::new(config, seed, clock.now());
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A copy of the marketplace as it is now, which ages by another clock; that should not stand earlier than this
    /// one's. Neither influences the other from here on, and the same calls give the same ids in both.
    #[must_use]
    pub fn fork(&self, clock: Arc<dyn Clock>) -> Self {
        let state = self.locked().clone();
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The clock that everything here ages by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The HTTP interface, the marketplace's paths and `/_control`, to be served or called in-process. In-process, look
    /// for `WireFault` in the extensions of each response.
    pub fn router(&self) -> Router {
        M::router(self.clone())
    }

    /// Limits an operation by a sliding window, or lifts that limit. There are none at first.
    pub fn set_rate_limit(&self, operation: M::Operation, limit: Option<RateLimit>) {
        self.state().gate().set_limit(operation.name(), limit);
    }

    /// Makes the next calls of an operation fail. Plans queue up in the order they were made.
    pub fn fail_next(&self, operation: M::Operation, fault: Fault, times: u32) {
        let name = operation.name();
        self.state().gate().fail_next(name, fault, times);
    }

    /// Drops all planned failures.
    pub fn clear_faults(&self) {
        self.state().gate().clear_faults();
    }

    /// The present settings.
    pub fn settings(&self) -> M::Settings {
        self.state().settings().clone()
    }

    /// Replaces the settings.
    pub fn set_settings(&self, settings: M::Settings) {
        *self.state().settings_mut() = settings;
    }

    /// Replaces the given fields of the settings. A field that does not exist is an error that lists the existing ones.
    pub fn change_settings(&self, change: Value) -> Result<(), ControlError> {
        let state = &mut *self.state();
        *state.settings_mut() = control::merge(state.settings(), change)?;
        Ok(())
    }

    /// Everything counted since the start.
    pub fn counters(&self) -> M::Counters {
        self.state().counters()
    }

    /// When the next message is due or something else happens by itself, for a simulation that jumps from event to event.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.state().next_due()
    }

    /// All access tokens end now; refreshing still works.
    pub fn expire_access_tokens(&self) {
        self.state().expire_access_tokens();
    }

    /// The user takes the consent back: access tokens and refresh tokens are refused.
    pub fn revoke_consent(&self) {
        self.state().revoke_consent();
    }

    /// The marketplace at the clock's time.
    pub(crate) fn state(&self) -> MutexGuard<'_, M> {
        let mut state = self.locked();
        state.catch_up(self.clock.now());
        state
    }

    fn locked(&self) -> MutexGuard<'_, M> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Pushing> Simulator<M> {
    /// All pushes and what became of them.
    pub fn pushes(&self) -> Vec<PushView> {
        self.state().outbox().views()
    }

    /// The pushes that are due at `now`, signed. Each is handed out once, until it is reported on.
    pub fn take_due_pushes(&self, now: Timestamp) -> Vec<Push> {
        self.state().take_due(now)
    }

    /// Reports the status that a push was answered with, `None` for no answer in time. False: unknown id.
    pub fn push_answered(&self, id: u64, status: Option<u16>) -> bool {
        let now = self.clock.now();
        self.state().note_answer(id, status, now)
    }
}

/// Takes a call through counting and planned faults to the code that answers it. Limits are that code's, because
/// marketplaces differ in what they check before.
pub(crate) fn pass<M: Marketplace>(
    market: &mut M,
    operation: M::Operation,
    own: impl FnOnce() -> OwnErrors,
    run: impl FnOnce(&mut M) -> Answer,
) -> Response {
    let fault = market.gate().enter(operation.name());
    let takes = Duration::from_millis(market.takes_ms(operation));
    let mut response = under_fault(fault, own, || run(market));
    if !takes.is_zero() {
        response.extensions_mut().insert(Takes(takes));
    }
    response
}
