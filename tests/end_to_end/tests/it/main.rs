//! The road of an order, in this process and on the deployed stack.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test fails by panicking, in its helpers too, and says how far it is"
)]

mod bundles;
mod changes;
mod collisions;
mod common;
mod deployed;
mod door;
mod everywhere;
mod faults;
mod parts;
mod privacy;
mod resolve;
mod road;
mod wanted;
