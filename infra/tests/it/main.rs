//! The command and the local stack, as the processes that they are.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[cfg(target_os = "linux")]
mod catalog_memory;
#[cfg(target_os = "linux")]
mod nothing_left_behind;
