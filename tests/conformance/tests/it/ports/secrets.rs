//! The behaviour of secrets.

use crate::ports::cases::{Case, cases};
use kervan::secrets::{Secrets, SecretsError};
use std::sync::Arc;

/// Secrets that can be written to.
#[async_trait::async_trait]
pub(crate) trait Vault: Send + Sync {
    fn secrets(&self) -> &dyn Secrets;
    async fn put(&self, name: &str, text: &str);
}

pub(crate) fn cases(vault: Arc<dyn Vault>) -> Vec<Case> {
    cases![vault;
        a_secret_is_read,
        a_secret_that_does_not_exist_is_missing_by_its_name,
        a_changed_secret_is_seen_after_a_refresh,
    ]
}

async fn a_secret_is_read(vault: Arc<dyn Vault>) {
    let text = "{\"client_id\":\"ü-1\"}";
    vault.put("account/ebay/read", text).await;
    let secret = vault.secrets().get("account/ebay/read").await.unwrap();
    assert_eq!(secret.expose(), text);
    assert_eq!(format!("{secret:?}"), "[sealed]");
}

async fn a_secret_that_does_not_exist_is_missing_by_its_name(vault: Arc<dyn Vault>) {
    for read in [
        vault.secrets().get("account/nobody").await,
        vault.secrets().refresh("account/nobody").await,
    ] {
        let error = read.unwrap_err();
        assert!(matches!(error, SecretsError::Missing(name) if name == "account/nobody"));
    }
}

async fn a_changed_secret_is_seen_after_a_refresh(vault: Arc<dyn Vault>) {
    let name = "account/ebay/changed";
    vault.put(name, "old").await;
    assert_eq!(vault.secrets().get(name).await.unwrap().expose(), "old");
    vault.put(name, "new").await;
    assert_eq!(vault.secrets().refresh(name).await.unwrap().expose(), "new");
    assert_eq!(vault.secrets().get(name).await.unwrap().expose(), "new");
}
