//! Where adapters get a seller's token: from the shared token store, for which their tests stand in.

use super::{CallError, Refresh, TokenStore};
use crate::domain::AccountId;
use crate::secrets::Secret;
use async_trait::async_trait;

/// Where user tokens are kept: the shared token store, which tests stand in for.
#[async_trait]
pub(super) trait UserTokens: Send + Sync {
    /// A valid token, renewed by `refresh` where it ends soon.
    async fn access(
        &self,
        account: &AccountId,
        seed: &Secret,
        refresh: &dyn Refresh,
    ) -> Result<Secret, CallError>;

    /// The marketplace refused this token.
    async fn refused(&self, account: &AccountId, token: &Secret) -> Result<(), CallError>;
}

#[async_trait]
impl UserTokens for TokenStore {
    async fn access(
        &self,
        account: &AccountId,
        seed: &Secret,
        refresh: &dyn Refresh,
    ) -> Result<Secret, CallError> {
        Self::access(self, account, seed, refresh).await
    }

    async fn refused(&self, account: &AccountId, token: &Secret) -> Result<(), CallError> {
        Self::refused(self, account, token).await
    }
}
