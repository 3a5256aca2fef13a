//! Plain types that are valid once they exist: parsed at the edge, private where a rule must hold.
//!
//! **Invariant:** nothing here does I/O or reads a clock.

mod address;
mod ids;
mod money;
mod signal;

pub use address::{Address, Buyer, CountryCode};
pub use ids::{
    AccountId, ChannelOrderId, Invalid, LineId, Marketplace, OfferId, OrderKey, Pseudonym,
    Reference, Sku, SupplierOrderId,
};
pub use money::{Currency, Money};
pub use signal::{Signal, SignalKind};
