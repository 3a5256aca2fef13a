//! eBay: OAuth, the Sell Fulfillment and Inventory calls that a seller's integration needs, the public key of the
//! Notification API, and its signed notifications. Strict where eBay is strict; what it says is what eBay's OpenAPI
//! documents and guides say.

mod analytics;
mod control;
mod error;
mod fulfillment;
mod inventory;
mod notification;
mod oauth;
mod orders;
mod refunds;
mod routes;
pub mod signature;
mod state;
mod subscriptions;
mod trading;
mod types;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use axum::response::Response;

use crate::answer::Answer;
use crate::answer::Call;
use crate::answer::under_fault;
use crate::clock::Clock;

pub use notification::Challenge;
pub use types::*;

use state::State;

/// The eBay simulator. Clones share one marketplace.
#[derive(Clone)]
pub struct Ebay {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl Ebay {
    /// A new, empty marketplace. The same seed gives the same ids, buyers and signing key.
    pub fn new(config: EbayConfig, clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self {
            clock,
            state: Arc::new(Mutex::new(State::new(config, seed))),
        }
    }

    /// The clock that everything here ages by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The HTTP interface, eBay's paths and `/_control`, to be served or called in-process. In-process, look for
    /// `WireFault` in the extensions of each response.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.clock.now();
        state
    }

    /// Takes a call through faults, limits and counting to the code that answers it.
    fn serve(&self, operation: EbayOperation, run: impl FnOnce(&mut State) -> Answer) -> Response {
        let mut state = self.state();
        let name = operation.name();
        let fault = state.gate.enter(name);
        under_fault(fault, error::own_errors, || {
            let now = state.now;
            if state.gate.is_over_limit(name, now) {
                return error::too_many_requests();
            }
            run(&mut state)
        })
    }

    /// As `serve`, for the Trading API, whose errors are XML.
    fn serve_trading(
        &self,
        operation: EbayOperation,
        call: &Call,
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        let mut state = self.state();
        let name = operation.name();
        let fault = state.gate.enter(name);
        let own = || trading::own_errors(call);
        under_fault(fault, own, || {
            let now = state.now;
            if state.gate.is_over_limit(name, now) {
                return trading::own_errors(call).too_many;
            }
            run(&mut state)
        })
    }

    /// As `serve`, for calls that need a token with one of the scopes.
    fn serve_authorized(
        &self,
        operation: EbayOperation,
        call: &Call,
        scopes: &[&str],
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        self.serve(operation, |state| match state.check_token(call, scopes) {
            Ok(()) => run(state),
            Err(answer) => *answer,
        })
    }
}
