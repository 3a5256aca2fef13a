//! Amazon's calls: tokens, limits, orders, parcels, listings, feeds, notifications, and the control interface.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

#[path = "../common/mod.rs"]
mod common;

mod access;
mod client;
mod feeds;
mod orders;
