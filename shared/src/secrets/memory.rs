//! Secrets in memory.

use super::{Secret, Secrets, SecretsError};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Secrets by name.
#[derive(Debug, Default)]
pub struct MemorySecrets(Mutex<HashMap<String, Secret>>);

impl MemorySecrets {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// An independent copy.
    #[must_use]
    pub fn fork(&self) -> Self {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Self(Mutex::new(secrets.clone()))
    }

    /// Stores or replaces a secret.
    pub fn put(&self, name: impl Into<String>, text: impl Into<String>) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        secrets.insert(name.into(), Secret::new(text.into()));
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn get(&self, name: &str) -> Result<Secret, SecretsError> {
        let secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let missing = || SecretsError::Missing(name.to_owned());
        secrets.get(name).cloned().ok_or_else(missing)
    }

    async fn refresh(&self, name: &str) -> Result<Secret, SecretsError> {
        self.get(name).await
    }
}
