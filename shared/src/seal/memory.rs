//! The seal under a key that lives and dies with the process.

use super::{Seal, SealError, Sealed, cipher};
use async_trait::async_trait;
use zeroize::Zeroizing;

/// A key in memory that wraps data keys as KMS does.
pub struct MemorySeal {
    master: Zeroizing<[u8; cipher::KEY_BYTES]>,
}

impl MemorySeal {
    /// A seal under a new random key.
    pub fn new() -> Self {
        Self {
            master: Zeroizing::new(rand::random()),
        }
    }
}

impl Default for MemorySeal {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for MemorySeal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("MemorySeal([sealed])")
    }
}

#[async_trait]
impl Seal for MemorySeal {
    async fn seal(&self, bound_to: &str, plain: &[u8]) -> Result<Sealed, SealError> {
        let key = Zeroizing::new(rand::random::<[u8; cipher::KEY_BYTES]>());
        let (nonce, text) = cipher::encrypt(&*self.master, bound_to, &*key)?;
        cipher::seal(&*key, &[&nonce[..], &text].concat(), bound_to, plain)
    }

    async fn open(&self, bound_to: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let wrapped = cipher::decode(&sealed.wrapped_key)?;
        let parts = wrapped.split_at_checked(cipher::NONCE_BYTES);
        let short = || SealError::Refused("the wrapped key is too short".to_owned());
        let (nonce, text) = parts.ok_or_else(short)?;
        let key = cipher::decrypt(&*self.master, nonce, bound_to, text)?;
        cipher::open(&key, bound_to, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, prelude::BASE64_STANDARD};

    #[tokio::test]
    async fn a_change_of_any_byte_of_the_wrapped_key_is_refused() {
        let seal = MemorySeal::new();
        let sealed = seal.seal("order", b"buyer").await.unwrap();
        let wrapped = cipher::decode(&sealed.wrapped_key).unwrap();
        for place in 0..wrapped.len() {
            let (mut wrapped, mut changed) = (wrapped.clone(), sealed.clone());
            wrapped[place] ^= 1;
            changed.wrapped_key = BASE64_STANDARD.encode(wrapped);
            assert!(seal.open("order", &changed).await.is_err(), "byte {place}");
        }
    }

    #[tokio::test]
    async fn another_key_opens_nothing() {
        let sealed = MemorySeal::new().seal("order", b"buyer").await.unwrap();
        assert!(MemorySeal::new().open("order", &sealed).await.is_err());
    }
}
