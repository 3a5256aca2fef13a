//! A merchant's whole world in one process, and the scheduler that breaks it.
//!
//! `world.rs` is the calm world of the in-process tests: everything happens in its order. `simulation.rs` runs the same
//! functions behind a gate: every call that they make waits there until a plan says what goes next and what becomes of it.

#[cfg(not(debug_assertions))]
compile_error!("the simulation takes guards away, which only a debug build lets it");

mod choices;
mod ending;
mod explore;
mod fault;
mod gate;
mod guarded;
mod monitor;
mod network;
mod oversold;
mod passes;
mod plain_supplier;
mod ports;
mod scenario;
mod simulation;
mod stage;
mod world;

pub use explore::{Effort, Failure, Schedule, Summary, processors, run_all};
pub use fault::Fault;
pub use guarded::{
    NOTICED_BY_SAMPLE_MIN, Search, scenario_of, search, search_sample, with_every_guard,
};
pub use monitor::Violation;
pub use oversold::Sales;
pub use passes::{
    Breadth, Pass, SEEDS, calm, one_fault, one_fault_pass, passes, seeds, seeds_of_scenario,
    two_faults, two_faults_pass,
};
pub use scenario::{Action, Counter, Scenario, named, scenarios};
pub use simulation::Outcome;
pub use stage::{BUYER_WORDS, NEVER_IN_THE_OPEN, NewOffer, Stage, WorldOptions, known_buyer};
pub use world::World;
