//! The purchase protocol under everything that can go wrong, as far as every run of the tests tries it. `cargo kervan
//! simulate` runs all of it, and repeats and explains a schedule that fails.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what was run"
)]

mod guards;
mod protocol;
mod sample;
