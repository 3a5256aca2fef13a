//! The road of an order in one process: the real flows and adapters on the ports in memory, the simulators' routers in
//! place of the network, and a clock that moves only when it is told to.
//!
//! The same road on the deployed stack is in `tests/deployed`.

mod network;
mod world;

pub use world::{BUYER_WORDS, NEVER_IN_THE_OPEN, World, WorldOptions, known_buyer};
