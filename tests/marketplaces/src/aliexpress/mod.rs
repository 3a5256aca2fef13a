//! AliExpress for dropshippers: the gateway with its signatures and envelopes, tokens, products, freight, purchases
//! and tracking, and its pushes. And for a shop: its orders, shipments, listings and jobs, behind the old gateway too. Strict where AliExpress is strict, and as untidy as it is in what it answers.

mod address;
mod catalogue;
mod control;
mod envelope;
mod gateway;
mod lifecycle;
mod purchase;
mod pushes;
mod reading;
mod routes;
mod seller;
pub mod signature;
mod state;
mod tokens;
mod types;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::clock::Clock;

pub use seller::*;
pub use types::*;

use state::State;

/// The AliExpress simulator. Clones share one marketplace.
#[derive(Clone)]
pub struct AliExpress {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl AliExpress {
    /// A new marketplace without products. The same seed gives the same ids and tokens.
    pub fn new(config: AliExpressConfig, clock: Arc<dyn Clock>, seed: u64) -> Self {
        let state = State::new(config, seed, clock.now());
        Self {
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The clock that everything here ages by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The HTTP interface, AliExpress's paths and `/_control`, to be served or called in-process. In-process, look
    /// for `WireFault` in the extensions of each response.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// The state, brought up to the clock: what was to happen by now has happened.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.catch_up(self.clock.now());
        state.execute_feeds();
        state
    }
}
