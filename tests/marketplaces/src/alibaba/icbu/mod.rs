//! Alibaba.com for buyers: the gateway with its signatures, tokens, products, freight, orders, payment and tracking, and
//! its pushes. Strict where the platform is strict; numbers are text, and a failed payment is a good answer.

mod catalogue;
mod control;
mod gateway;
mod happenings;
mod orders;
mod pushes;
mod reading;
mod routes;
mod state;
mod types;

use crate::simulator::Simulator;

pub use types::*;

use state::State;

/// The Alibaba.com simulator.
pub type Icbu = Simulator<State>;
