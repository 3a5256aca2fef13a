//! AWS: its clients, what their errors mean, and how often they are asked.

mod calls;
#[cfg(feature = "aws")]
mod clients;
#[cfg(feature = "aws")]
mod connector;
#[cfg(feature = "aws")]
mod fault;

pub use calls::{Calls, calls};
#[cfg(feature = "aws")]
pub(crate) use clients::timeouts;
#[cfg(feature = "aws")]
pub use clients::{Aws, MissingVariable};
#[cfg(feature = "aws")]
pub(crate) use fault::Fault;
