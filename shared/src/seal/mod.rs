//! The seal port: AES-256-GCM under a data key of its own, which a key service wraps and binds to a text.
//!
//! **Invariant:** what was sealed for one order cannot be opened as another's: the text is both the encryption context
//! of the wrapped key and the associated data of the cipher.

mod cipher;
#[cfg(feature = "aws")]
mod kms;
mod memory;

#[cfg(feature = "aws")]
pub use kms::Kms;
pub use memory::MemorySeal;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Sealed data. Safe to store; all parts are base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The data key, wrapped by the key service.
    pub wrapped_key: String,
    /// The cipher's 96-bit nonce.
    pub nonce: String,
    /// Ciphertext and tag.
    pub text: String,
}

/// Data could not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key service is out of reach; try later.
    #[error("the key service is unavailable: {0}")]
    Unavailable(String),
    /// Wrong key, wrong binding, changed data, or no permission.
    #[error("the seal cannot be opened or made: {0}")]
    Refused(String),
}

/// Seals and opens.
#[async_trait]
pub trait Seal: Send + Sync + std::fmt::Debug {
    /// Seals `plain`, bound to the text `bound_to`.
    async fn seal(&self, bound_to: &str, plain: &[u8]) -> Result<Sealed, SealError>;

    /// Opens what was sealed with the same binding.
    async fn open(&self, bound_to: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError>;
}
