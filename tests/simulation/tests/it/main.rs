//! What the simulation rests on: its scenarios, its schedules and the guards. The schedules themselves are run by `cargo
//! kervan simulate`, all of them or the sample of `cargo kervan test`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, and says what was run"
)]

mod guards;
mod protocol;
