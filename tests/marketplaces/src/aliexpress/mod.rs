//! AliExpress for dropshippers: the gateway with its signatures and envelopes, tokens, products, freight, purchases
//! and tracking, and its pushes. And for a shop: its orders, shipments, listings and jobs, behind the old gateway too. Strict where AliExpress is strict, and as untidy as it is in what it answers.

mod address;
mod carriers;
mod catalogue;
mod control;
mod envelope;
mod gateway;
mod happenings;
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

use crate::simulator::Simulator;

pub use carriers::CARRIER_TEXTS;
pub use seller::*;
pub use types::*;

use state::State;

/// The AliExpress simulator.
pub type AliExpress = Simulator<State>;
