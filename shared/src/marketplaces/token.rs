//! Access tokens, shared by all functions: kept sealed in the table, renewed by one holder at a time.
//!
//! A refresh can make the earlier refresh token worthless, so two at once could lose the account. Whoever renews takes
//! a lease by a conditional write; the others use the old token while it lives, or come back a moment later.
//!
//! An answer that never came leaves it open which refresh token is the right one. The lease then runs out by itself,
//! and the same one is sent again: a server that has not seen it gives tokens, one that has ends the consent.

mod record;
#[cfg(test)]
mod tests;

use super::{CallError, Effect, Kind, Retry};
use crate::store::{Condition, Item, Store, StoreError, Write, WriteError, keys};
use crate::{clock::Clock, domain::AccountId, seal::Seal, seal::SealError, secrets::Secret};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use record::{Holder, Record, Step, Tokens};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a renewal may take; longer than an HTTP call can. Until then nobody else renews.
const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// A token is renewed this long before its end, or a tenth of its life before, if that is shorter.
const EARLY: SignedDuration = SignedDuration::from_mins(30);
/// The shortest and the longest pause after a renewal that failed without effect.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// When to come back while another renews.
const SOON: Retry = Retry::After(Duration::from_secs(2));
/// When to come back where a port is out of reach.
const LATER: Retry = Retry::After(Duration::from_secs(5));
/// How often other writers may come between before a caller is sent away.
const MOST_CONFLICTS: usize = 8;

/// Tokens as an authorisation server gave them.
#[derive(Debug, Clone)]
pub struct FreshToken {
    /// Opens the API.
    pub access: Secret,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// The refresh token to use from now on; `None` where the old one stays.
    pub refresh: Option<Secret>,
}

/// Asks an authorisation server for a new access token.
#[async_trait]
pub trait Refresh: Send + Sync {
    /// Renews. An ended consent is [`super::Kind::ConsentEnded`]; an answer that never came, [`Effect::Unknown`].
    async fn refresh(&self, refresh_token: &Secret) -> Result<FreshToken, CallError>;
}

/// Where tokens are kept.
#[derive(Debug)]
pub struct TokenStore {
    store: Arc<dyn Store>,
    seal: Arc<dyn Seal>,
    clock: Arc<dyn Clock>,
    /// What this process knows. The lock of an account is held over its renewal, so that one process asks once.
    known: Mutex<HashMap<AccountId, Slot>>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Known>>>;

/// An access token in memory.
#[derive(Debug)]
struct Known {
    seed_hash: String,
    access: Secret,
    renew_at: Timestamp,
}

impl TokenStore {
    /// A token store on these ports.
    pub fn new(store: Arc<dyn Store>, seal: Arc<dyn Seal>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            seal,
            clock,
            known: Mutex::default(),
        }
    }

    /// A valid access token of `account`, renewed where it ends soon. `seed` is the refresh token that a person put into
    /// the account's secret; a new one there replaces what is kept.
    ///
    /// Errors have no effect as far as the caller's own call is concerned: [`Kind::ConsentEnded`] until the seed changes,
    /// [`Kind::TokenInvalid`] with `renewal-under-way` while another renews, else what the renewal or a port said.
    pub async fn access(
        &self,
        account: &AccountId,
        seed: &Secret,
        refresh: &dyn Refresh,
    ) -> Result<Secret, CallError> {
        let slot = self.slot(account);
        let mut known = slot.lock().await;
        let now = self.clock.now();
        let session = Session {
            tokens: self,
            account,
            seed,
            seed_hash: record::seed_hash(seed),
        };
        if let Some(token) = known.as_ref()
            && token.seed_hash == session.seed_hash
            && now < token.renew_at
        {
            return Ok(token.access.clone());
        }
        *known = None;
        let found = session.find(refresh).await;
        let (access, renew_at) = found.map_err(|error| error.with_effect(Effect::None))?;
        *known = Some(Known {
            seed_hash: session.seed_hash,
            access: access.clone(),
            renew_at,
        });
        Ok(access)
    }

    /// Says that the marketplace refused this access token, so that it is renewed before its end. Where another one has
    /// taken its place meanwhile, nothing happens.
    pub async fn refused(&self, account: &AccountId, access: &Secret) -> Result<(), CallError> {
        let slot = self.slot(account);
        let mut known = slot.lock().await;
        if known
            .as_ref()
            .is_some_and(|token| record::same(&token.access, access))
        {
            *known = None;
        }
        for _ in 0..MOST_CONFLICTS {
            let Some((version, mut record)) = self.read(account).await? else {
                return Ok(());
            };
            let Some(tokens) = self.open(account, &record).await? else {
                return Ok(());
            };
            if !record::same(&tokens.access, access) {
                return Ok(());
            }
            record.end_access(self.clock.now());
            if self.write(account, Some(version), &record).await? {
                return Ok(());
            }
        }
        Err(error(
            account,
            Kind::TokenInvalid,
            SOON,
            "renewal-under-way",
        ))
    }

    /// When the kept access token ends; `None` where none is kept.
    pub async fn access_ends_at(
        &self,
        account: &AccountId,
    ) -> Result<Option<Timestamp>, CallError> {
        let record = self.read(account).await?;
        let kept = record.filter(|(_, record)| record.sealed.is_some());
        Ok(kept.map(|(_, record)| record.expires_at))
    }

    fn slot(&self, account: &AccountId) -> Slot {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(account.clone()).or_default().clone()
    }

    async fn read(&self, account: &AccountId) -> Result<Option<(u64, Record)>, CallError> {
        let item = self.store.get(&keys::token(account)).await;
        let item = item.map_err(|problem| store_error(account, &problem))?;
        let Some(item) = item else { return Ok(None) };
        let record = serde_json::from_str(&item.body)
            .map_err(|_| error(account, Kind::Misconfigured, Retry::Person, "token-record"))?;
        Ok(Some((item.version, record)))
    }

    /// Writes where the item is still at this version; false where it is not.
    async fn write(
        &self,
        account: &AccountId,
        version: Option<u64>,
        record: &Record,
    ) -> Result<bool, CallError> {
        let body = serde_json::to_string(record)
            .map_err(|_| error(account, Kind::Misconfigured, Retry::Person, "token-record"))?;
        let put = Write::Put {
            item: Item::new(keys::token(account), version.unwrap_or(0) + 1, body),
            only_if: version.map_or(Condition::Absent, Condition::Version),
        };
        match self.store.write(vec![put]).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict(_) | WriteError::Contended) => Ok(false),
            Err(WriteError::Store(problem)) => Err(store_error(account, &problem)),
        }
    }

    async fn open(
        &self,
        account: &AccountId,
        record: &Record,
    ) -> Result<Option<Tokens>, CallError> {
        let Some(sealed) = &record.sealed else {
            return Ok(None);
        };
        let plain = self.seal.open(&bound_to(account), sealed).await;
        let plain = plain.map_err(|problem| seal_error(account, &problem))?;
        let tokens = Tokens::read(&plain);
        let unreadable = || error(account, Kind::Misconfigured, Retry::Person, "token-record");
        tokens.map(Some).ok_or_else(unreadable)
    }
}

/// One caller's way to a token.
struct Session<'a> {
    tokens: &'a TokenStore,
    account: &'a AccountId,
    seed: &'a Secret,
    seed_hash: String,
}

impl Session<'_> {
    /// A token and the time until which it needs no second look.
    async fn find(&self, refresh: &dyn Refresh) -> Result<(Secret, Timestamp), CallError> {
        for _ in 0..MOST_CONFLICTS {
            let found = self.tokens.read(self.account).await?;
            let (version, record) = found.unzip();
            let now = self.tokens.clock.now();
            let mut record = match record {
                Some(record) if record.serves(&self.seed_hash, now) => record,
                before => Record::new(self.seed_hash.clone(), before, now),
            };
            match self.step(&record, now) {
                Step::Use => return self.kept(&record).await,
                Step::Ended => {
                    let kind = Kind::ConsentEnded;
                    return Err(error(self.account, kind, Retry::Person, "consent-ended"));
                }
                Step::Wait(pause, code) => {
                    let retry = Retry::After(pause);
                    return Err(error(self.account, Kind::TokenInvalid, retry, code));
                }
                Step::Renew => {
                    let holder = record.lease(now, LEASE);
                    if !self.tokens.write(self.account, version, &record).await? {
                        continue;
                    }
                    if let Some(outcome) = self.renew(refresh, &record, &holder).await? {
                        return Ok(outcome);
                    }
                }
            }
        }
        Err(error(
            self.account,
            Kind::TokenInvalid,
            SOON,
            "renewal-under-way",
        ))
    }

    /// What follows from the record. A process that has not read the new seed yet cannot begin with it.
    fn step(&self, record: &Record, now: Timestamp) -> Step {
        let without_seed = record.sealed.is_none() && record.seed_hash != self.seed_hash;
        match record.step(now) {
            Step::Renew if without_seed => Step::Wait(LONGEST_PAUSE, "seed-is-old"),
            step => step,
        }
    }

    /// The token that the record holds.
    async fn kept(&self, record: &Record) -> Result<(Secret, Timestamp), CallError> {
        let tokens = self.tokens.open(self.account, record).await?;
        let missing = || {
            error(
                self.account,
                Kind::Misconfigured,
                Retry::Person,
                "token-record",
            )
        };
        let tokens = tokens.ok_or_else(missing)?;
        Ok((tokens.access, record.renew_at))
    }

    /// Renews under the lease. `None` where the record has to be looked at again.
    async fn renew(
        &self,
        refresh: &dyn Refresh,
        record: &Record,
        holder: &Holder,
    ) -> Result<Option<(Secret, Timestamp)>, CallError> {
        let old = self.tokens.open(self.account, record).await?;
        let refresh_token = old.map_or_else(|| self.seed.clone(), |tokens| tokens.refresh);
        let started = self.tokens.clock.now();
        let problem = match refresh.refresh(&refresh_token).await {
            Ok(fresh) => {
                let renew_at = renew_at(started, fresh.expires_at);
                self.keep(&fresh, renew_at, refresh_token, holder).await;
                return Ok(Some((fresh.access, renew_at)));
            }
            Err(problem) => problem,
        };
        let now = self.tokens.clock.now();
        if problem.kind == Kind::ConsentEnded {
            let ended = self
                .finish(holder, |record| record.end_consent(holder))
                .await;
            ended?;
            // Another may have renewed just before; and an access token that is left is used to its end.
            return Ok(None);
        }
        if problem.effect != Effect::Unknown {
            let pause = pause(problem.retry);
            self.finish(holder, |record| record.rest(holder, now, pause))
                .await?;
        }
        if now < record.expires_at {
            return self
                .kept(record)
                .await
                .map(|(access, _)| Some((access, now)));
        }
        Err(problem)
    }

    /// Keeps fresh tokens. The marketplace has given them already, so a port that fails costs the others a renewal, but
    /// not this caller its token.
    async fn keep(
        &self,
        fresh: &FreshToken,
        renew_at: Timestamp,
        old_refresh: Secret,
        holder: &Holder,
    ) {
        let tokens = Tokens {
            access: fresh.access.clone(),
            refresh: fresh.refresh.clone().unwrap_or(old_refresh),
        };
        let mut kept = Ok(());
        for _ in 0..3 {
            let sealed = match tokens.write() {
                Some(plain) => self.tokens.seal.seal(&bound_to(self.account), &plain).await,
                None => Err(SealError::Refused(
                    "the tokens cannot be written".to_owned(),
                )),
            };
            kept = match sealed {
                Ok(sealed) => {
                    let times = (fresh.expires_at, renew_at);
                    let store = |record: &mut Record| record.store(holder, sealed.clone(), times);
                    self.finish(holder, store).await
                }
                Err(problem) => Err(seal_error(self.account, &problem)),
            };
            if kept.is_ok() {
                return;
            }
        }
        if let Err(problem) = kept {
            let account = self.account.to_string();
            tracing::error!(
                account,
                code = problem.code,
                "fresh tokens could not be kept"
            );
        }
    }

    /// Changes the record as the end of a renewal, unless what the renewal began with is gone.
    async fn finish(&self, holder: &Holder, change: impl Fn(&mut Record)) -> Result<(), CallError> {
        for _ in 0..MOST_CONFLICTS {
            let Some((version, mut record)) = self.tokens.read(self.account).await? else {
                return Ok(());
            };
            if !record.still_of(holder) {
                return Ok(());
            }
            change(&mut record);
            if self
                .tokens
                .write(self.account, Some(version), &record)
                .await?
            {
                return Ok(());
            }
        }
        Err(error(
            self.account,
            Kind::TokenInvalid,
            SOON,
            "renewal-under-way",
        ))
    }
}

/// When a token is renewed, by its life.
fn renew_at(started: Timestamp, expires_at: Timestamp) -> Timestamp {
    let life = expires_at.duration_since(started);
    let early = (life / 10).clamp(SignedDuration::ZERO, EARLY);
    expires_at.checked_sub(early).unwrap_or(expires_at)
}

fn pause(retry: Retry) -> SignedDuration {
    let pause = match retry {
        Retry::After(pause) => pause.clamp(SHORTEST_PAUSE, LONGEST_PAUSE),
        Retry::Permanent | Retry::Person => LONGEST_PAUSE,
    };
    SignedDuration::try_from(pause).unwrap_or(LEASE)
}

fn bound_to(account: &AccountId) -> String {
    format!("account:{account}")
}

fn error(account: &AccountId, kind: Kind, retry: Retry, code: &str) -> CallError {
    CallError::new(account, "token", kind, retry, code)
}

fn store_error(account: &AccountId, problem: &StoreError) -> CallError {
    match problem {
        StoreError::Unavailable(_) => error(account, Kind::Unavailable, LATER, "token-store"),
        StoreError::Refused(_) => error(account, Kind::Misconfigured, Retry::Person, "token-store"),
    }
}

fn seal_error(account: &AccountId, problem: &SealError) -> CallError {
    match problem {
        SealError::Unavailable(_) => error(account, Kind::Unavailable, LATER, "token-seal"),
        SealError::Refused(_) => error(account, Kind::Misconfigured, Retry::Person, "token-seal"),
    }
}
