//! What currencies are worth: kept in the table, read from it for a minute, and got from the European Central Bank.

mod ecb;

use super::{FlowError, ledger};
use crate::Kervan;
use crate::clock::Clock;
use crate::domain::{Rate, Rates};
use crate::http::Http;
use crate::store::{Condition, Item, Store, Write, keys};
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

pub use ecb::parse as parse_ecb;

/// Rates that were read are used for so long.
const KEPT: SignedDuration = SignedDuration::from_mins(1);
/// Rates that are older are got anew.
const GOT_AFTER: SignedDuration = SignedDuration::from_hours(12);
/// A source is asked no more often.
const ASKED_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// How often rates are changed anew when others come between.
const MOST_TRIES: usize = 4;

/// Where a function has the rates from.
#[derive(Debug)]
pub struct RatesShelf {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<(Timestamp, Arc<Rates>)>>,
}

impl RatesShelf {
    /// Rates of this table.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            kept: Mutex::default(),
        }
    }

    /// The rates, at most a minute old.
    pub async fn get(&self) -> Result<Arc<Rates>, FlowError> {
        let now = self.clock.now();
        let kept = self.kept().clone();
        if let Some((at, rates)) = kept
            && now.duration_since(at) < KEPT
        {
            return Ok(rates);
        }
        let rates = Arc::new(load(&*self.store).await?.0);
        *self.kept() = Some((now, rates.clone()));
        Ok(rates)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<(Timestamp, Arc<Rates>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the rates with the version of their item, 0 where there are none.
pub async fn load(store: &dyn Store) -> Result<(Rates, u64), FlowError> {
    match store.get(&keys::rates()).await? {
        Some(item) => Ok((ledger::read(&item.body)?, item.version)),
        None => Ok((Rates::default(), 0)),
    }
}

/// Adds rates to those that are known; one that is older than the known one of its pair is left out, as is one dated in
/// the future. Returns how many were taken.
pub async fn add(store: &dyn Store, new: &[Rate], now: Timestamp) -> Result<usize, FlowError> {
    change(store, |rates| {
        new.iter()
            .filter(|rate| rates.take((*rate).clone(), now))
            .count()
    })
    .await
}

async fn change(store: &dyn Store, how: impl Fn(&mut Rates) -> usize) -> Result<usize, FlowError> {
    for _ in 0..MOST_TRIES {
        let (mut rates, version) = load(store).await?;
        let count = how(&mut rates);
        let item = Item::new(keys::rates(), version + 1, ledger::write(&rates)?);
        let only_if = match version {
            0 => Condition::Absent,
            version => Condition::Version(version),
        };
        match store.write(vec![Write::Put { item, only_if }]).await {
            Ok(()) => return Ok(count),
            Err(error) => match FlowError::from(error) {
                FlowError::Overtaken => {}
                error => return Err(error),
            },
        }
    }
    Err(FlowError::Overtaken)
}

/// Where rates are got.
#[derive(Debug)]
pub struct RatesSource {
    /// The address of the ECB's daily file, or of one of the same form.
    pub url: String,
    /// The network.
    pub http: Arc<dyn Http>,
}

impl RatesSource {
    /// Gets the rates where the known ones of the source are older than 12 hours and the source was not asked within the last hour. A
    /// source that fails leaves the known ones as they are. Returns how many were taken.
    pub async fn refresh(
        &self,
        store: &dyn Store,
        shelf: &RatesShelf,
        now: Timestamp,
    ) -> Result<usize, FlowError> {
        let known = shelf.get().await?;
        let within =
            |at: Option<Timestamp>, span| at.is_some_and(|at| now.duration_since(at) < span);
        // A rate that a person has set says nothing of how old the bank's others are.
        if within(known.newest_of(ecb::SOURCE), GOT_AFTER) || within(known.asked_at, ASKED_EVERY) {
            return Ok(0);
        }
        // Noted first: a source that does not answer is not asked again with every tick.
        change(store, |rates| {
            rates.asked_at = Some(now);
            0
        })
        .await?;
        match self.ask().await {
            Ok(new) => {
                let taken = add(store, &new, now).await?;
                tracing::info!(taken, "Rates were got.");
                Ok(taken)
            }
            Err(problem) => {
                tracing::warn!(problem, "Rates could not be got; the known ones stay.");
                Ok(0)
            }
        }
    }

    /// As [`RatesSource::refresh`]; a failure is logged and keeps nothing else from being done.
    pub async fn refresh_in(&self, kervan: &Kervan) {
        let now = kervan.clock.now();
        let done = self.refresh(&*kervan.store, &kervan.rates, now).await;
        if let Err(error) = done {
            tracing::warn!(%error, "Rates could not be kept.");
        }
    }

    async fn ask(&self) -> Result<Vec<Rate>, String> {
        let request = http::Request::get(&self.url)
            .body(Bytes::new())
            .map_err(|_| "the address of the rates is none".to_owned())?;
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status() != http::StatusCode::OK {
            return Err(format!("the source answers {}", answer.status()));
        }
        parse_ecb(answer.body()).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests;
