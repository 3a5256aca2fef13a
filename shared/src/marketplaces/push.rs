//! A push, before and after its check. What was not verified has no way to become a signal: it does not compile.

use crate::domain::{AccountId, Pseudonym};
use crate::guards::{Guard, stands};
use crate::secrets::{Secret, Secrets, SecretsError};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use sha2::Sha256;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A push as it came.
#[derive(Clone)]
pub struct Unverified {
    headers: HeaderMap,
    body: Bytes,
}

/// A push whose signature was checked over its raw bytes.
#[derive(Clone)]
pub struct Verified {
    body: Bytes,
}

/// The answer to a marketplace's question whether an endpoint is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// JSON text to answer with.
    pub body: String,
}

/// A push that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct PushRefused {
    /// What the marketplace is answered: 4xx where it shall not try again, 5xx where it shall.
    pub status: StatusCode,
    /// Why, without anything from the push.
    pub reason: &'static str,
}

impl PushRefused {
    /// A refusal.
    pub const fn new(status: StatusCode, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

impl Unverified {
    /// A push with its headers and its body's raw bytes.
    pub const fn new(headers: HeaderMap, body: Bytes) -> Self {
        Self { headers, body }
    }

    /// A header's text; `None` where it is missing, repeated or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        values
            .next()
            .is_none()
            .then(|| value.to_str().ok())
            .flatten()
    }

    /// Runs the check over the raw bytes; only a push that passes it can be read.
    pub fn check(
        self,
        check: impl FnOnce(&[u8]) -> Result<(), PushRefused>,
    ) -> Result<Verified, PushRefused> {
        if stands(Guard::PushSignature) {
            check(&self.body)?;
        }
        Ok(Verified { body: self.body })
    }
}

impl Verified {
    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}

impl std::fmt::Debug for Unverified {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Unverified({} bytes)", self.body.len())
    }
}

impl std::fmt::Debug for Verified {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Verified({} bytes)", self.body.len())
    }
}

/// Names persons by a keyed hash. The key is read when a person is first named: a function that names nobody needs no
/// access to it.
#[derive(Debug)]
pub struct Pseudonyms {
    key: OnceCell<PseudonymKey>,
    /// Where the key is, if it is not known from the start.
    kept: Option<(Arc<dyn Secrets>, String)>,
}

impl Pseudonyms {
    /// Names made with this key; another key makes all earlier ones unfindable.
    pub fn new(key: Secret) -> Self {
        Self {
            key: OnceCell::new_with(Some(PseudonymKey { key })),
            kept: None,
        }
    }

    /// Names made with the key that is the secret of this name.
    pub const fn kept_in(secrets: Arc<dyn Secrets>, name: String) -> Self {
        Self {
            key: OnceCell::const_new(),
            kept: Some((secrets, name)),
        }
    }

    /// The key; it is read once.
    pub async fn key(&self) -> Result<&PseudonymKey, SecretsError> {
        let kept = &self.kept;
        let read = || async move {
            let Some((secrets, name)) = kept else {
                return Err(SecretsError::Missing("pseudonym-key".to_owned()));
            };
            let key = secrets.get(name).await?;
            Ok(PseudonymKey { key })
        };
        self.key.get_or_try_init(read).await
    }
}

/// The key of the hashes that stand for persons. Without it nobody can try names out against what is stored.
#[derive(Debug, Clone)]
pub struct PseudonymKey {
    key: Secret,
}

impl PseudonymKey {
    /// The pseudonym of a person whom `account`'s marketplace knows as `name`.
    pub fn of(&self, account: &AccountId, name: &str) -> Option<Pseudonym> {
        // The key is needed here and nowhere else.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose().as_bytes()).ok()?;
        mac.update(account.to_string().as_bytes());
        mac.update(b"\n");
        mac.update(name.trim().to_lowercase().as_bytes());
        Pseudonym::parse(&hex::encode(&mac.finalize().into_bytes()[..16])).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::MemorySecrets;

    #[tokio::test]
    async fn the_key_is_read_when_a_person_is_first_named_and_missed_no_earlier() {
        let secrets = Arc::new(MemorySecrets::new());
        let pseudonyms = Pseudonyms::kept_in(secrets.clone(), "kervan/pseudonym-key".to_owned());
        let missing = pseudonyms.key().await.unwrap_err();
        assert!(matches!(missing, SecretsError::Missing(_)));
        secrets.put("kervan/pseudonym-key", "key");
        let account = "ebay:main".parse().unwrap();
        let known = Pseudonyms::new(Secret::new("key".to_owned()));
        let name = |key: &PseudonymKey| key.of(&account, "buyer_one").unwrap();
        assert_eq!(
            name(pseudonyms.key().await.unwrap()),
            name(known.key().await.unwrap())
        );
    }
}
