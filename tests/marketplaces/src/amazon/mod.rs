//! Amazon: Login with Amazon, and the calls of the Selling Partner API that a seller's integration needs: Orders
//! 2026-01-01, confirmShipment of v0, Listings Items, Feeds with a storage of their own, Notifications, Sellers. What it
//! says is what Amazon's models and guides say; its messages wait in an outbox for whoever plays the queue.

mod bucket;
mod control;
mod document;
mod error;
mod feeds;
mod listings;
mod lwa;
mod notifications;
mod orders;
mod routes;
mod shipment;
mod state;
mod types;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use axum::response::Response;
use http::HeaderValue;
use http::StatusCode;
use http::header::DATE;

use crate::answer::Answer;
use crate::answer::Call;
use crate::answer::under_fault;
use crate::clock::Clock;

pub use types::*;

use state::State;

/// The Amazon simulator. Clones share one marketplace.
#[derive(Clone)]
pub struct Amazon {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl Amazon {
    /// A new, empty marketplace. The same seed gives the same ids and buyers.
    pub fn new(config: AmazonConfig, clock: Arc<dyn Clock>, seed: u64) -> Self {
        Self {
            clock,
            state: Arc::new(Mutex::new(State::new(config, seed))),
        }
    }

    /// The clock that everything here ages by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The HTTP interface, Amazon's paths, the token server's, the storage's and `/_control`, to be served or called
    /// in-process. In-process, look for `WireFault` in the extensions of each response.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// The marketplace as it is now: what was accepted earlier and is due has been worked off.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.clock.now();
        state.work_off();
        state
    }

    /// Takes a call through faults, limits and counting to the code that answers it.
    fn serve(
        &self,
        operation: AmazonOperation,
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        self.serve_with(operation, true, run)
    }

    /// As `serve`; where it is not `limited` here, the code that answers asks the bucket.
    fn serve_with(
        &self,
        operation: AmazonOperation,
        limited: bool,
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        let mut state = self.state();
        let name = operation.name();
        let fault = state.gate.enter(name);
        let mut response = under_fault(fault, error::own_errors, || {
            let now = state.now;
            if state.gate.is_over_limit(name, now) || (limited && !state.takes_token(operation)) {
                return error::too_many_requests();
            }
            run(&mut state)
        });
        let says_rate = response.status().is_success()
            || [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND].contains(&response.status());
        let rate = state.rate_header(operation).filter(|_| says_rate);
        let request_id = state.random.uuid();
        let date = state.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        for (name, value) in [
            ("x-amzn-requestid", Some(request_id)),
            ("x-amzn-ratelimit-limit", rate),
            (DATE.as_str(), Some(date)),
        ] {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// For a seller's call whose bucket is found further in.
    fn serve_unlimited(
        &self,
        operation: AmazonOperation,
        call: &Call,
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        self.serve_with(operation, false, |state| {
            match state.check_token(call, lwa::Caller::Seller) {
                Ok(()) => run(state),
                Err(answer) => *answer,
            }
        })
    }

    /// As `serve`, for calls that need a token.
    fn serve_authorized(
        &self,
        operation: AmazonOperation,
        call: &Call,
        caller: lwa::Caller,
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        self.serve(operation, |state| match state.check_token(call, caller) {
            Ok(()) => run(state),
            Err(answer) => *answer,
        })
    }
}
