//! Alibaba.com for buyers: the gateway with its signatures, tokens, products, freight, orders, payment and tracking, and
//! its pushes. Strict where the platform is strict; numbers are text, and a failed payment is a good answer.

mod catalogue;
mod control;
mod gateway;
mod orders;
mod pushes;
mod routes;
mod state;
mod types;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::clock::Clock;

pub use types::*;

use state::State;

/// The Alibaba.com simulator. Clones share one marketplace.
#[derive(Clone)]
pub struct Icbu {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

impl Icbu {
    /// A new marketplace without products. The same seed gives the same ids and tokens.
    pub fn new(config: IcbuConfig, clock: Arc<dyn Clock>, seed: u64) -> Self {
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

    /// The state, brought up to the clock: what was to happen by now has happened.
    fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.catch_up(self.clock.now());
        state
    }
}
