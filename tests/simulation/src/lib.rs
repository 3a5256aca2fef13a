//! A merchant's whole world in one process.

mod network;
mod stage;
mod world;

pub use stage::{BUYER_WORDS, NEVER_IN_THE_OPEN, NewOffer, Stage, WorldOptions, known_buyer};
pub use world::World;
