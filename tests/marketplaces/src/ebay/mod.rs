//! eBay: OAuth, the Sell Fulfillment and Inventory calls that a seller's integration needs, the public key of the
//! Notification API, and its signed notifications. Strict where eBay is strict; what it says is what eBay's OpenAPI
//! documents and guides say.

mod analytics;
mod control;
mod error;
mod fulfillment;
mod happenings;
mod inventory;
mod notification;
mod oauth;
mod order_json;
mod orders;
mod refunds;
mod routes;
pub mod signature;
mod state;
mod subscriptions;
mod trading;
mod types;

use axum::response::Response;

use crate::answer::Answer;
use crate::answer::Call;
use crate::answer::OwnErrors;
use crate::simulator::Simulator;
use crate::simulator::pass;

pub use notification::Challenge;
pub use types::*;

use state::State;

/// The eBay simulator.
pub type Ebay = Simulator<State>;

impl Ebay {
    /// Takes a call through counting, faults and limits to the code that answers it.
    fn serve(&self, operation: EbayOperation, run: impl FnOnce(&mut State) -> Answer) -> Response {
        self.serve_with(operation, error::own_errors, run)
    }

    /// As `serve`, for the Trading API, whose errors are XML.
    fn serve_trading(
        &self,
        operation: EbayOperation,
        call: &Call,
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        self.serve_with(operation, || trading::own_errors(call), run)
    }

    fn serve_with(
        &self,
        operation: EbayOperation,
        own: impl Fn() -> OwnErrors,
        run: impl FnOnce(&mut State) -> Answer,
    ) -> Response {
        pass(&mut *self.state(), operation, &own, |state| {
            if state.gate.is_over_limit(operation.name(), state.now) {
                return own().too_many;
            }
            run(state)
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
