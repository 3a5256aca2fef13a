//! Limits that all functions share: a token bucket in the table for each operation of an account.
//!
//! Marketplaces limit per account and operation, and instances know nothing of each other. So each call is taken from a
//! bucket before it is made. Where the bucket has many tokens, some are taken at once and used up within seconds, so that
//! most calls cost no write; where it is empty, the caller is told when to come again, each caller a moment of its own, so
//! that what waits comes back at the marketplace's speed and not all at once. Nobody waits inside a function.
//!
//! **Invariants:** in no span of time do all callers together make more calls than the burst and what flows in during it.
//! Stock traffic leaves half of each bucket to orders and tracking.

mod bucket;

use crate::clock::Clock;
use crate::domain::AccountId;
use crate::store::{Condition, Item, Store, StoreError, Write, WriteError, keys};
use bucket::{Bucket, Taken};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex as Turn;

/// How often a caller tries again that others came before.
const MOST_TRIES: u32 = 40;
/// The longest pause between two tries, in milliseconds.
const LONGEST_PAUSE_MS: u64 = 20;
/// A bucket that nobody uses is forgotten after this time: it is long full.
const BUCKET_KEPT: SignedDuration = SignedDuration::from_hours(48);

/// What a marketplace allows: `calls` in every span of `per`, and up to `burst` at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Calls in a span, at least 1.
    pub calls: u32,
    /// The span.
    pub per: Duration,
    /// The most calls at once, at least 1.
    pub burst: u32,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Traffic {
    /// Orders, purchases and tracking: they may take the last token.
    Orders,
    /// Stock and prices: they leave half of the bucket to orders.
    Stock,
}

/// A call is not allowed now.
#[derive(Debug, thiserror::Error)]
pub enum NotAllowed {
    /// The bucket is empty. The caller comes again after this time, which is its own.
    #[error("the limit is used up for {0:?}")]
    Empty(Duration),
    /// The bucket could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The buckets of all accounts.
#[derive(Debug)]
pub struct Limiter {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    local: Mutex<BTreeMap<Place, Local>>,
}

type Place = (AccountId, &'static str);

/// What this process knows of a bucket.
#[derive(Debug, Clone, Default)]
struct Local {
    /// The bucket as it was last seen, with its version.
    seen: Option<(u64, Bucket)>,
    /// Tokens taken ahead, and until when they may be used.
    ahead: BTreeMap<Traffic, (u32, Timestamp)>,
    /// Held by whoever takes: calls of one process that are made side by side would else stand in each other's way, and each
    /// write that fails is paid for.
    turn: Arc<Turn<()>>,
}

impl Limiter {
    /// Buckets in this table.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            local: Mutex::default(),
        }
    }

    /// Takes one call of an operation, or says when to come again.
    pub async fn take(
        &self,
        account: &AccountId,
        operation: &'static str,
        limit: Limit,
        traffic: Traffic,
    ) -> Result<(), NotAllowed> {
        let place = (account.clone(), operation);
        if self.take_ahead(&place, traffic) {
            return Ok(());
        }
        let turn = self.with_local(&place, |local| local.turn.clone());
        let _turn = turn.lock().await;
        // Whoever came before may have taken some ahead.
        if self.take_ahead(&place, traffic) {
            return Ok(());
        }
        let taken = self
            .change(&place, |bucket, now| bucket.take(limit, traffic, now))
            .await?;
        match taken {
            Taken::Calls { calls, kept } => {
                let until = self.clock.now().checked_add(kept);
                let ahead = (calls.saturating_sub(1), until.unwrap_or(Timestamp::MIN));
                self.with_local(&place, |local| local.ahead.insert(traffic, ahead));
                Ok(())
            }
            Taken::Wait(wait) => Err(NotAllowed::Empty(wait)),
        }
    }

    /// Notes the rate that the marketplace names, in calls of a million seconds. A rate that is known already costs
    /// nothing.
    pub async fn learn(
        &self,
        account: &AccountId,
        operation: &'static str,
        calls_per_million_s: u64,
    ) -> Result<(), StoreError> {
        let place = (account.clone(), operation);
        let known = self.with_local(&place, |local| {
            local.seen.as_ref().and_then(|(_, bucket)| bucket.learned())
        });
        if known == Some(calls_per_million_s) || calls_per_million_s == 0 {
            return Ok(());
        }
        let learned = self.change(&place, |bucket, _| bucket.learn(calls_per_million_s));
        learned.await.map(|_| ()).map_err(only_store)
    }

    /// Notes that the marketplace refused a call for too many: nobody calls for so long.
    pub async fn empty(
        &self,
        account: &AccountId,
        operation: &'static str,
        limit: Limit,
        wait: Duration,
    ) -> Result<(), StoreError> {
        let place = (account.clone(), operation);
        self.with_local(&place, |local| local.ahead.clear());
        let emptied = self.change(&place, |bucket, now| bucket.empty(limit, wait, now));
        emptied.await.map(|_| ()).map_err(only_store)
    }

    fn with_local<T>(&self, place: &Place, change: impl FnOnce(&mut Local) -> T) -> T {
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        change(local.entry(place.clone()).or_default())
    }

    fn take_ahead(&self, place: &Place, traffic: Traffic) -> bool {
        let now = self.clock.now();
        self.with_local(place, |local| {
            let Some((calls, until)) = local.ahead.get_mut(&traffic) else {
                return false;
            };
            if *calls == 0 || *until <= now {
                return false;
            }
            *calls -= 1;
            true
        })
    }

    /// Changes a bucket, whoever else does the same. The bucket is first believed to be as it was last seen.
    async fn change<T>(
        &self,
        place: &Place,
        change: impl Fn(&mut Bucket, Timestamp) -> T,
    ) -> Result<T, NotAllowed> {
        let key = keys::limit(&place.0, place.1);
        let mut seen = self.with_local(place, |local| local.seen.clone());
        for tries in 0..MOST_TRIES {
            let (version, mut bucket) = match seen.take() {
                Some(seen) => seen,
                None => match self.store.get(&key).await? {
                    Some(item) => (item.version, Bucket::read(&item.body)),
                    None => (0, Bucket::default()),
                },
            };
            let now = self.clock.now();
            let result = change(&mut bucket, now);
            let mut item = Item::new(key.clone(), version + 1, bucket.write());
            item.expires_at = now.checked_add(BUCKET_KEPT).ok();
            let only_if = match version {
                0 => Condition::Absent,
                version => Condition::Version(version),
            };
            match self.store.write(vec![Write::Put { item, only_if }]).await {
                Ok(()) => {
                    self.with_local(place, |local| local.seen = Some((version + 1, bucket)));
                    return Ok(result);
                }
                Err(WriteError::Conflict(_) | WriteError::Contended) => {}
                Err(WriteError::Store(error)) => return Err(error.into()),
            }
            if tries > 0 {
                let longest = LONGEST_PAUSE_MS.min(2 << tries.min(10));
                let pause = rand::rng().random_range(1..=longest);
                self.clock.sleep(Duration::from_millis(pause)).await;
            }
        }
        let problem = "too many callers change one limit at once";
        Err(StoreError::Unavailable(problem.to_owned()).into())
    }
}

fn only_store(error: NotAllowed) -> StoreError {
    match error {
        NotAllowed::Store(error) => error,
        NotAllowed::Empty(wait) => StoreError::Unavailable(format!("{wait:?}")),
    }
}
