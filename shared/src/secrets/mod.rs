//! The secrets port.

#[cfg(feature = "aws")]
mod manager;
mod memory;

#[cfg(feature = "aws")]
pub use manager::SecretsManager;
pub use memory::MemorySecrets;

use async_trait::async_trait;
use zeroize::Zeroizing;

/// A secret's text: it prints as `[sealed]` and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps the text.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text. Say why at each place that calls this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[sealed]")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// A secret could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// There is no secret of this name, or no permission to read it.
    #[error("the secret {0} cannot be read: it does not exist or this role may not read it")]
    Missing(String),
    /// A passing fault.
    #[error("secrets are unavailable: {0}")]
    Unavailable(String),
}

/// Where credentials are kept.
#[async_trait]
pub trait Secrets: Send + Sync + std::fmt::Debug {
    /// Reads the text of the secret `name`; what was read in the last minutes may be taken from memory.
    async fn get(&self, name: &str) -> Result<Secret, SecretsError>;

    /// Reads the current text, for when a marketplace refuses the one that `get` gave: it may have been rotated.
    async fn refresh(&self, name: &str) -> Result<Secret, SecretsError>;
}
