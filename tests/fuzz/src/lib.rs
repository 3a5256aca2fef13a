//! What comes over the wire, made up: every decoder and every push verifier of every marketplace takes any bytes, never
//! panics, and never calls a success what is none.
//!
//! A target is one operation of one account. Its input is what the marketplace answers: the first byte chooses the status,
//! the second the content type, the rest is the body. The adapters run whole, over their HTTP port, so what is tried is
//! the code that runs at a customer's.
//!
//! `tests/it/mutations.rs` gives each target some thousand mutations of known answers at every test run, the same each time.
//! `cargo kervan fuzz` runs LLVM's fuzzer on one, with the coverage of this workspace's code to guide it.

mod accounts;
mod mutate;
mod network;
mod operations;
mod oracle;
mod seeds;

pub use accounts::Kind;
pub use mutate::mutate;
pub use operations::{Operation, Target, targets};
pub use seeds::seeds;
