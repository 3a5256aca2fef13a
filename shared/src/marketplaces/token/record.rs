//! What the table holds of an account's tokens, and what follows from it. Pure but for the holder's random name.

use crate::{seal::Sealed, secrets::Secret};
use crate::guards::{Guard, stands};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// How long a process may go on with the seed that it read last.
const SEED_OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// How soon a renewal that is under way may have ended.
const SOON: Duration = Duration::from_secs(2);

/// The hash by which a new seed is told from the one in use.
pub(super) fn seed_hash(seed: &Secret) -> String {
    // The hash is stored, the seed is not.
    hex::encode(Sha256::digest(seed.expose()))
}

/// Whether two tokens are the same, in constant time.
pub(super) fn same(one: &Secret, other: &Secret) -> bool {
    // Compared only.
    one.expose()
        .as_bytes()
        .ct_eq(other.expose().as_bytes())
        .into()
}

/// The tokens, as they are sealed.
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) refresh: Secret,
}

impl Tokens {
    /// The text to seal.
    pub(super) fn write(&self) -> Option<Zeroizing<Vec<u8>>> {
        // Written to be sealed at once.
        let both = [self.access.expose(), self.refresh.expose()];
        serde_json::to_vec(&both).ok().map(Zeroizing::new)
    }

    /// Reads what was sealed.
    pub(super) fn read(plain: &[u8]) -> Option<Self> {
        let [access, refresh]: [Secret; 2] = serde_json::from_slice(plain).ok()?;
        Some(Self { access, refresh })
    }
}

/// The item's body.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// Hash of the refresh token that a person gave; everything here descends from it.
    pub(super) seed_hash: String,
    /// The seed before, for as long as some process may not have read the new one.
    superseded: Option<Superseded>,
    /// Both tokens; none before the first renewal.
    pub(super) sealed: Option<Sealed>,
    /// When the access token ends.
    pub(super) expires_at: Timestamp,
    /// When it is renewed.
    pub(super) renew_at: Timestamp,
    /// Grows with every pair of tokens.
    generation: u64,
    /// Whether the marketplace has ended the consent.
    consent_ended: bool,
    /// Who renews, or why nobody does for a while.
    lease: Option<Lease>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Superseded {
    seed_hash: String,
    until: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
struct Lease {
    /// A random name; empty where a failed renewal is only being waited out.
    holder: String,
    until: Timestamp,
}

/// Who renews, and from what.
#[derive(Debug)]
pub(super) struct Holder {
    name: String,
    seed_hash: String,
    generation: u64,
}

/// What follows from a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Its access token is good.
    Use,
    /// A person has to consent again.
    Ended,
    /// Another renews, or a failed renewal is waited out; come back after this time.
    Wait(Duration, &'static str),
    /// Take the lease and renew.
    Renew,
}

impl Record {
    /// A record of a seed that was not used yet, in the place of another seed's record.
    pub(super) fn new(seed_hash: String, before: Option<Self>, now: Timestamp) -> Self {
        Self {
            seed_hash,
            superseded: before.map(|before| Superseded {
                seed_hash: before.seed_hash,
                until: now.saturating_add(SEED_OVERLAP).unwrap_or(now),
            }),
            sealed: None,
            expires_at: Timestamp::UNIX_EPOCH,
            renew_at: Timestamp::UNIX_EPOCH,
            generation: 0,
            consent_ended: false,
            lease: None,
        }
    }

    /// Whether a caller with this seed goes on with the record. One that still has the seed before must not put it back:
    /// that would throw tokens away that no seed can bring again.
    pub(super) fn serves(&self, seed_hash: &str, now: Timestamp) -> bool {
        let superseded = self.superseded.as_ref();
        self.seed_hash == seed_hash
            || superseded.is_some_and(|old| old.seed_hash == seed_hash && now < old.until)
    }

    /// What to do at this time.
    pub(super) fn step(&self, now: Timestamp) -> Step {
        let lives = now < self.expires_at;
        if now < self.renew_at || (self.consent_ended && lives) {
            return Step::Use;
        }
        if self.consent_ended {
            return Step::Ended;
        }
        match &self.lease {
            Some(lease) if now < lease.until && stands(Guard::TokenLease) => {
                if lives {
                    return Step::Use;
                }
                // A renewal ends long before its lease does; a pause ends with it.
                let left = Duration::try_from(lease.until.duration_since(now)).unwrap_or_default();
                if lease.holder.is_empty() {
                    return Step::Wait(left, "renewal-failed-before");
                }
                Step::Wait(left.min(SOON), "renewal-under-way")
            }
            _ => Step::Renew,
        }
    }

    /// Gives the lease to a new holder.
    pub(super) fn lease(&mut self, now: Timestamp, length: SignedDuration) -> Holder {
        let name = hex::encode(rand::random::<[u8; 8]>());
        self.lease = Some(Lease {
            holder: name.clone(),
            until: now.saturating_add(length).unwrap_or(now),
        });
        Holder {
            name,
            seed_hash: self.seed_hash.clone(),
            generation: self.generation,
        }
    }

    /// Whether the holder's outcome still counts: no new seed, and nobody has stored tokens meanwhile or it holds the
    /// lease itself. One whose lease ran out may find a second renewal at work; what both began with is the same, so the
    /// outcome counts.
    pub(super) fn still_of(&self, holder: &Holder) -> bool {
        self.seed_hash == holder.seed_hash
            && (self.generation == holder.generation || self.is_held_by(holder))
    }

    /// Stores tokens with their end and the time of their renewal.
    pub(super) fn store(
        &mut self,
        holder: &Holder,
        sealed: Sealed,
        (expires_at, renew_at): (Timestamp, Timestamp),
    ) {
        self.sealed = Some(sealed);
        self.expires_at = expires_at;
        self.renew_at = renew_at;
        self.generation += 1;
        self.consent_ended = false;
        if self.is_held_by(holder) {
            self.lease = None;
        }
    }

    /// Ends the access token before its time.
    pub(super) fn end_access(&mut self, now: Timestamp) {
        self.expires_at = self.expires_at.min(now);
        self.renew_at = self.renew_at.min(now);
    }

    /// Records that the consent has ended, so that nobody asks again with this seed.
    pub(super) fn end_consent(&mut self, holder: &Holder) {
        if self.generation == holder.generation {
            self.consent_ended = true;
        }
        if self.is_held_by(holder) {
            self.lease = None;
        }
    }

    /// Lets nobody renew for a while.
    pub(super) fn rest(&mut self, holder: &Holder, now: Timestamp, pause: SignedDuration) {
        if self.is_held_by(holder) {
            self.lease = Some(Lease {
                holder: String::new(),
                until: now.saturating_add(pause).unwrap_or(now),
            });
        }
    }

    fn is_held_by(&self, holder: &Holder) -> bool {
        self.lease
            .as_ref()
            .is_some_and(|lease| lease.holder == holder.name)
    }
}
