//! The road of an order in one process, with the faults named one by one: the world of the simulation, in which
//! everything happens in its order. The same road on the deployed stack is in `tests/it/deployed`.

pub use kervan_simulation::{BUYER_WORDS, NEVER_IN_THE_OPEN, World, WorldOptions, known_buyer};
