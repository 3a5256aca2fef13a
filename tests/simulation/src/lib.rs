//! A merchant's whole world in one process, and the scheduler that breaks it.
//!
//! `world.rs` is the calm world of the in-process tests: everything happens in its order. `simulation.rs` runs the same
//! functions behind a gate: every call that they make waits there until a plan says what goes next and what becomes of it.

mod choices;
mod ending;
mod explore;
mod fault;
mod gate;
mod guarded;
mod monitor;
mod network;
mod oversold;
mod plain_supplier;
mod ports;
mod scenario;
mod simulation;
mod stage;
mod world;

pub use explore::{
    Effort, Failure, Schedule, Summary, calm, depth_one, depth_two, run_all, seeds, seeds_of,
};
pub use fault::Fault;
pub use guarded::{Search, scenario_of, search};
pub use monitor::Violation;
pub use oversold::Sales;
pub use scenario::{Action, Counter, Scenario, named, scenarios};
pub use simulation::Outcome;
pub use stage::{BUYER_WORDS, NEVER_IN_THE_OPEN, NewOffer, Stage, WorldOptions, known_buyer};
pub use world::World;
