//! 1688.com for buyers: the `param2` gateway with its signatures, tokens, products, previews, orders, payment, logistics,
//! and its messages with the list of those that nobody took. Strict where the platform is strict, and as untidy as it is
//! in what it answers: four namings of errors, fen and yuan, numbers that lost their last digits beside texts that did not.

mod catalogue;
mod control;
mod gateway;
mod messages;
mod orders;
mod reading;
mod routes;
pub mod signature;
mod state;
mod types;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::clock::Clock;

pub use types::*;

use state::State;

/// The 1688 simulator. Clones share one marketplace.
#[derive(Clone)]
pub struct Cn1688 {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl Cn1688 {
    /// A new marketplace without products. The same seed gives the same ids and tokens.
    pub fn new(config: Cn1688Config, clock: Arc<dyn Clock>, seed: u64) -> Self {
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

    /// The HTTP interface, the platform's paths and `/_control`, to be served or called in-process. In-process, look for
    /// `WireFault` in the extensions of each response.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    /// The state at the clock's time.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = self.clock.now();
        state
    }
}
