//! Amazon: Login with Amazon, and the calls of the Selling Partner API that a seller's integration needs: Orders
//! 2026-01-01, confirmShipment of v0, listTransactions of Finances 2024-06-19, Listings Items, Feeds with a storage of
//! their own, Notifications, Sellers. What it says is what Amazon's models and guides say; its messages wait in an outbox
//! for whoever plays the queue.

mod bucket;
mod control;
mod document;
mod error;
mod feeds;
mod finances;
mod happenings;
mod listings;
mod lwa;
mod notifications;
mod orders;
mod refunds;
mod rendering;
mod routes;
mod shipment;
mod state;
mod types;

use axum::response::Response;
use http::HeaderValue;
use http::StatusCode;
use http::header::DATE;

use crate::answer::Answer;
use crate::answer::Call;
use crate::simulator::Simulator;
use crate::simulator::pass;

pub use types::*;

use state::State;

/// The Amazon simulator.
pub type Amazon = Simulator<State>;

impl Amazon {
    /// Takes a call through counting, faults and limits to the code that answers it.
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
        let state = &mut *self.state();
        let mut response = pass(state, operation, error::own_errors, |state| {
            let is_over_limit = state.gate.is_over_limit(operation.name(), state.now);
            if is_over_limit || (limited && !state.takes_token(operation)) {
                return error::too_many_requests();
            }
            run(state)
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
