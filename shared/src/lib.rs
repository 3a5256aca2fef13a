//! Kervan joins the marketplaces where a merchant sells with those where the goods are bought.
//!
//! The crate reads from the inside out:
//!
//! - [`domain`] holds plain types that are valid once they exist: ids, money, orders, purchases, parcels.
//! - [`decide`] holds pure functions over them: no I/O, no clock.
//! - [`flows`] holds one file a use case; each takes a [`Kervan`] with every port it may need.
//! - [`marketplaces`] holds one folder a marketplace behind small traits, one a role.
//! - [`store`], [`queue`], [`secrets`], [`seal`], [`http`] and [`clock`] are the ports, each with its AWS
//!   implementation and one in memory; [`limiter`] shares the marketplaces' limits over the store;
//!   [`metrics`] keeps what is measured.
//!
//! **Invariant:** `domain` and `decide` never import a port; `flows` never imports an AWS crate.

pub mod aws;
mod causes;
pub mod clock;
pub mod decide;
pub mod domain;
pub mod flows;
pub mod guards;
pub mod handler;
pub mod http;
pub mod limiter;
pub mod marketplaces;
pub mod metrics;
pub mod queue;
pub mod seal;
pub mod secrets;
#[cfg(feature = "aws")]
pub mod setup;
pub mod store;

mod context;

pub use context::{Accounts, Door, Kervan, OpenError, Queues};
