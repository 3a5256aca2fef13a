//! Amazon's calls: tokens, limits, orders, parcels, listings, feeds, notifications, and the control interface.

mod access;
pub(crate) mod client;
mod feeds;
mod orders;
