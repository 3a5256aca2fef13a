//! Amazon's calls: tokens, limits, orders, parcels, listings, feeds, notifications, and the control interface.

mod access;
mod client;
mod feeds;
mod orders;
