//! The marketplaces, alike from inside: one folder each, with the same file names.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs` | what it is, what it can: the account and its roles |
//! | `config.rs` | the account's secret, parsed |
//! | `auth.rs` | how a token is got and renewed |
//! | `signature.rs` | how requests are signed and pushes verified |
//! | `wire.rs` | types exactly as sent |
//! | `convert.rs` | wire ⇄ domain, pure |
//! | `client.rs` | the calls |
//! | `error.rs` | the one place that maps an answer to a [`CallError`] |
//! | `limits.rs` | the documented limits |
//!
//! **Invariant:** only this module knows a marketplace by name; the flows see roles.

pub mod aliexpress;
mod call_error;
pub mod ebay;
mod push;
mod roles;
mod token;

pub use call_error::{CallError, Effect, Kind, Retry};
pub use push::{Challenge, Pseudonyms, PushRefused, Unverified, Verified};
use roles::in_time;
pub use roles::{
    Account, Buy, ConfirmParcels, FetchedOrder, ListingUpdate, OrderPage, ParcelContent,
    ParcelToConfirm, PlaceRequest, Placed, PushListings, Quote, QuoteRequest, QuotedLine,
    ReadOrders, ReadStock, Settle, SupplierOrder, SupplierParcel, SupplierState, VerifyPushes,
    Wanted,
};
pub use token::{FreshToken, Refresh, TokenStore};

use crate::{clock::Clock, http::Http};
use std::sync::Arc;

/// What every adapter needs of the outside.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The network.
    pub http: Arc<dyn Http>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where tokens are kept; absent in functions that may not read the table, which then have no user tokens.
    pub tokens: Option<Arc<TokenStore>>,
    /// How persons are named where they must not be.
    pub pseudonyms: Arc<Pseudonyms>,
}
