//! 1688.com for buyers: the `param2` gateway with its signatures, tokens, products, previews, orders, payment, logistics,
//! and its messages with the list of those that nobody took. Strict where the platform is strict, and as untidy as it is
//! in what it answers: four namings of errors, fen and yuan, numbers that lost their last digits beside texts that did not.

mod catalogue;
mod control;
mod gateway;
mod happenings;
mod messages;
mod orders;
mod reading;
mod refunds;
mod routes;
pub mod signature;
mod state;
mod types;

use crate::simulator::Simulator;

pub use types::*;

use state::State;

/// The 1688 simulator.
pub type Cn1688 = Simulator<State>;
