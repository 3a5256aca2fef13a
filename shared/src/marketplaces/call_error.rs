//! The error of an outside call, with its three axes: what it is, what to do, and whether the outside world changed.

use crate::domain::{AccountId, safe_code};
use std::time::Duration;

/// An outside call did not give what was asked.
///
/// It holds no free text of the marketplace, because that can repeat a buyer's data: only the documented code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{account} {operation}: {kind:?} {code} (retry {retry:?}, effect {effect:?})")]
pub struct CallError {
    /// Who was called.
    pub account: AccountId,
    /// The marketplace's name of the operation.
    pub operation: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What to do.
    pub retry: Retry,
    /// Whether the outside world changed.
    pub effect: Effect,
    /// The marketplace's documented code, or a word of ours; only letters, digits and `._:-`.
    pub code: String,
}

/// What an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// No connection.
    Unreachable,
    /// No answer in time, or the connection broke before it.
    NoAnswer,
    /// Too many calls.
    Throttled,
    /// The marketplace is broken.
    Unavailable,
    /// The access token is not valid; a new one may be.
    TokenInvalid,
    /// The consent has ended: only a person can renew it.
    ConsentEnded,
    /// Permission, scope, address allow-list, signature, application key: our set-up is wrong.
    Misconfigured,
    /// There is no such thing.
    NotFound,
    /// The request is refused as it is.
    Refused,
    /// Not enough units.
    OutOfStock,
    /// The address is refused.
    AddressRefused,
    /// Nothing ships there.
    NotDeliverable,
    /// The buying account is blocked.
    AccountBlocked,
    /// The answer cannot be read.
    Unreadable,
    /// Nothing was sent: the caller's lease had run out.
    TooLate,
}

/// What to do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same call will fail again.
    Permanent,
    /// The same call may succeed after this time.
    After(Duration),
    /// Only a person can mend it.
    Person,
}

/// Whether the outside world changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It is proven that it did not.
    None,
    /// It did.
    Happened,
    /// Nobody knows.
    Unknown,
}

impl CallError {
    /// An error without effect, with a safe form of `code`.
    pub fn new(
        account: &AccountId,
        operation: &'static str,
        kind: Kind,
        retry: Retry,
        code: &str,
    ) -> Self {
        Self {
            account: account.clone(),
            operation,
            kind,
            retry,
            effect: Effect::None,
            code: safe_code(code),
        }
    }

    /// The same error with another effect.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }
}
