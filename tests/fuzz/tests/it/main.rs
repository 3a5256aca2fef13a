//! The targets of the fuzzer, at each test run.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of this is tests, but clippy knows only the functions marked so"
)]

mod mutations;
