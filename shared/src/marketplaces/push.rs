//! A push, before and after its check. What was not verified has no way to become a signal: it does not compile.

use crate::guards::{Guard, stands};
use crate::domain::{AccountId, Pseudonym};
use crate::secrets::Secret;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use sha2::Sha256;

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

/// Names persons by a keyed hash. Without the key nobody can try names out against what is stored.
#[derive(Debug, Clone)]
pub struct Pseudonyms {
    key: Secret,
}

impl Pseudonyms {
    /// Names made with this key; another key makes all earlier ones unfindable.
    pub const fn new(key: Secret) -> Self {
        Self { key }
    }

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
