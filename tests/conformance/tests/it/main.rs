//! What we rely on, held against what says how it is: the marketplaces' contracts and public clients, and AWS for the
//! ports in memory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test says what it skips and covers, and fails by panicking, in its helpers too"
)]

mod alibaba;
mod aliexpress;
mod amazon;
mod clients;
mod contracts;
mod ebay;
mod ports;
mod wanted;
