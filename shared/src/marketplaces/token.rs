//! Access tokens, shared by all functions: kept sealed in the table, renewed by one holder at a time.
//!
//! A refresh can make the earlier refresh token worthless, so two at once could lose the account. Whoever renews takes
//! a lease by a conditional write; the others use the old token while it lives, or come back a moment later.

use super::CallError;
use crate::{clock::Clock, domain::AccountId, seal::Seal, secrets::Secret, store::Store};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;

/// Tokens as an authorisation server gave them.
#[derive(Debug, Clone)]
pub struct FreshToken {
    /// Opens the API.
    pub access: Secret,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// The refresh token to use from now on; `None` where the old one stays.
    pub refresh: Option<Secret>,
}

/// Asks an authorisation server for a new access token.
#[async_trait]
pub trait Refresh: Send + Sync {
    /// Renews. An ended consent is [`super::Kind::ConsentEnded`].
    async fn refresh(&self, refresh_token: &Secret) -> Result<FreshToken, CallError>;
}

/// Where tokens are kept.
#[derive(Debug)]
pub struct TokenStore {
    store: Arc<dyn Store>,
    seal: Arc<dyn Seal>,
    clock: Arc<dyn Clock>,
}

impl TokenStore {
    /// A token store on these ports.
    pub fn new(store: Arc<dyn Store>, seal: Arc<dyn Seal>, clock: Arc<dyn Clock>) -> Self {
        Self { store, seal, clock }
    }

    /// A valid access token of `account`, renewed where it ends soon. `seed` is the refresh token that a person put into
    /// the account's secret; a new one there replaces what is kept.
    pub async fn access(
        &self,
        account: &AccountId,
        seed: &Secret,
        refresh: &dyn Refresh,
    ) -> Result<Secret, CallError> {
        let _ = (&self.store, &self.seal, &self.clock, account, seed, refresh);
        Err(CallError::new(
            account,
            "token",
            super::Kind::Misconfigured,
            super::Retry::Person,
            "not-written-yet",
        ))
    }

    /// Says that the marketplace refused this access token, so that it is renewed before its end.
    pub async fn refused(&self, account: &AccountId, access: &Secret) -> Result<(), CallError> {
        let _ = (account, access);
        Ok(())
    }
}
