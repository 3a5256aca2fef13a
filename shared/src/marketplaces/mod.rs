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

mod address_lines;
pub mod alibaba;
pub mod aliexpress;
pub mod amazon;
mod call_error;
mod carriers;
pub mod ebay;
mod loose;
mod phone;
mod products;
mod push;
mod roles;
mod token;
mod us_states;
mod user_tokens;

pub use call_error::{CallError, Effect, Kind, Retry};
pub use push::{Challenge, PseudonymKey, Pseudonyms, PushRefused, Unverified, Verified};
use roles::in_time;
pub use roles::{
    Account, Buy, CancelOrders, ConfirmParcels, Examine, FetchedOrder, Finding, ListingUpdate,
    Notification, OrderPage, ParcelContent, ParcelToConfirm, PlaceRequest, Placed, PullMissed,
    PushInBulk, PushListings, Quote, QuoteRequest, QuotedLine, ReadListings, ReadNotifications,
    ReadOrders, ReadStock, Refund, RefundReason, RefundRequest, RefundState, Refunded, Settle,
    Shown, Submission, Subscribe, SubscribeStep, SubscribeTo, Subscribed, SupplierOrder,
    SupplierParcel, SupplierState, Verdict, VerifyPushes, Wanted,
};
pub use token::{FreshToken, Refresh, TokenStore};
use user_tokens::UserTokens;

use crate::domain::AccountId;
use crate::limiter::{Limit, Limiter, NotAllowed, Traffic};
use crate::{clock::Clock, http::Http};
use std::sync::Arc;
use std::time::Duration;

/// What every adapter needs of the outside.
#[derive(Debug, Clone)]
pub struct Outside {
    /// The network.
    pub http: Arc<dyn Http>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where tokens are kept; absent in functions that may not read the table, which then have no user tokens.
    pub tokens: Option<Arc<TokenStore>>,
    /// Limits shared with all other functions; absent in functions that may not read the table.
    pub limiter: Option<Arc<Limiter>>,
    /// How persons are named where they must not be.
    pub pseudonyms: Arc<Pseudonyms>,
}

impl Outside {
    /// Takes one call of an operation from the account's limit. An adapter asks before every request; the error proves
    /// that nothing was sent, and says when to come again.
    pub(crate) async fn allow(
        &self,
        account: &AccountId,
        operation: &'static str,
        limit: Limit,
        traffic: Traffic,
    ) -> Result<(), CallError> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        let (kind, wait, code) = match limiter.take(account, operation, limit, traffic).await {
            Ok(()) => return Ok(()),
            Err(NotAllowed::Empty(wait)) => (Kind::Throttled, wait, OWN_LIMIT),
            Err(NotAllowed::Store(_)) => (Kind::Unavailable, STORE_WAIT, "limiter"),
        };
        let retry = Retry::After(wait);
        Err(CallError::new(account, operation, kind, retry, code))
    }

    /// Tells all other functions that the marketplace refused a call for too many.
    pub(crate) async fn refused_for_limit(
        &self,
        account: &AccountId,
        operation: &'static str,
        limit: Limit,
        wait: Duration,
    ) {
        let Some(limiter) = &self.limiter else {
            return;
        };
        // What could not be noted is learned again from the next refusal.
        if let Err(error) = limiter.empty(account, operation, limit, wait).await {
            tracing::warn!(%account, operation, %error, "A refusal for too many calls could not be noted.");
        }
    }

    /// Tells all other functions what rate the marketplace names, in calls of a million seconds.
    pub(crate) async fn learned_rate(
        &self,
        account: &AccountId,
        operation: &'static str,
        calls_per_million_s: u64,
    ) {
        let Some(limiter) = &self.limiter else {
            return;
        };
        let learned = limiter.learn(account, operation, calls_per_million_s).await;
        if let Err(error) = learned {
            tracing::warn!(%account, operation, %error, "A rate could not be noted.");
        }
    }
}

/// The code of an error by which our own limit keeps a call back: nothing was sent, and the wait is the caller's own turn.
pub(crate) const OWN_LIMIT: &str = "own-limit";
/// When a call is tried again that could not be taken from its limit.
const STORE_WAIT: Duration = Duration::from_secs(10);
