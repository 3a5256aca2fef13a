//! The merchant's rules, read from the table and kept for a minute.

use super::{FlowError, ledger};
use crate::clock::Clock;
use crate::domain::Rules;
use crate::store::{Condition, Item, Store, Write, keys};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex, PoisonError};

/// Rules that were read are used for so long.
const KEPT: SignedDuration = SignedDuration::from_mins(1);

/// Where a function has the rules from.
#[derive(Debug)]
pub struct RulesShelf {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<(Timestamp, Arc<Rules>)>>,
}

impl RulesShelf {
    /// Rules of this table.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            kept: Mutex::default(),
        }
    }

    /// The rules, at most a minute old; the defaults where the merchant has set none.
    pub async fn get(&self) -> Result<Arc<Rules>, FlowError> {
        let now = self.clock.now();
        let kept = self.kept().clone();
        if let Some((at, rules)) = kept
            && now.duration_since(at) < KEPT
        {
            return Ok(rules);
        }
        let rules = Arc::new(load(&*self.store).await?);
        *self.kept() = Some((now, rules.clone()));
        Ok(rules)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<(Timestamp, Arc<Rules>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the rules; the defaults where none are set.
pub async fn load(store: &dyn Store) -> Result<Rules, FlowError> {
    let item = store.get(&keys::rules()).await?;
    item.map_or_else(|| Ok(Rules::default()), |item| ledger::read(&item.body))
}

/// Replaces the rules. Functions work by them within a minute.
pub async fn set(store: &dyn Store, rules: &Rules) -> Result<(), FlowError> {
    rules
        .check()
        .map_err(|error| FlowError::Poison(error.to_string()))?;
    let item = Item::new(keys::rules(), 1, ledger::write(rules)?);
    let only_if = Condition::Always;
    Ok(store.write(vec![Write::Put { item, only_if }]).await?)
}
