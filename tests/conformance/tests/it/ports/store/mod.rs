//! The behaviour of a store. Each case has partitions of its own, so that all can share one table.

mod concurrency;
mod last_unit;
mod limits;
mod protocol;
mod races;
mod reads;
mod scans;
mod sweeps;
mod writes;

use crate::ports::cases::Case;
use jiff::{SignedDuration, Timestamp};
use kervan::{
    clock::{Clock, ManualClock},
    store::{Condition, Guard, Item, Key, Store, Write, WriteError},
};
use std::sync::Arc;

/// A store and the clock that it was given.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    /// Buyers who want one last unit.
    pub(crate) buyers: usize,
}

pub(crate) fn cases(given: Given) -> Vec<Case> {
    let mut cases = writes::cases(given.clone());
    cases.extend(reads::cases(given.clone()));
    cases.extend(scans::cases(given.clone()));
    cases.extend(protocol::cases(given.clone()));
    cases.extend(concurrency::cases(given.clone()));
    // Before the races, which leave orders that are due.
    cases.extend(sweeps::cases(given.clone()));
    cases.extend(limits::cases(given.clone()));
    cases.extend(races::cases(given.clone()));
    cases.extend(last_unit::cases(given));
    cases
}

impl Given {
    async fn put(&self, item: Item, only_if: Condition) -> Result<(), WriteError> {
        self.store.write(vec![put(item, only_if)]).await
    }

    /// Puts without a condition.
    pub(crate) async fn keep(&self, item: Item) {
        self.put(item, Condition::Always).await.unwrap();
    }

    pub(crate) async fn get(&self, key: &Key) -> Option<Item> {
        self.store.get(key).await.unwrap()
    }

    /// The time so many seconds from now, as a table keeps it.
    fn in_seconds(&self, seconds: i64) -> Timestamp {
        let later = self.clock.now() + SignedDuration::from_secs(seconds);
        Timestamp::from_second(later.as_second()).unwrap()
    }

    fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }
}

pub(crate) fn item(pk: &str, sk: &str) -> Item {
    Item::new(Key::new(pk, sk), 1, format!("{{\"of\":\"{pk}/{sk}\"}}"))
}

pub(crate) fn put(item: Item, only_if: Condition) -> Write {
    Write::Put { item, only_if }
}

/// An update that changes nothing yet.
fn check(key: &Key, only_if: Vec<Guard>) -> Write {
    add(key, Vec::new(), only_if)
}

pub(crate) fn add(key: &Key, add: Vec<(&'static str, i64)>, only_if: Vec<Guard>) -> Write {
    Write::Update {
        key: key.clone(),
        set_body: None,
        set_due: None,
        add,
        only_if,
    }
}

fn conflicts(outcome: Result<(), WriteError>) -> Vec<usize> {
    match outcome {
        Err(WriteError::Conflict(places)) => places,
        other => panic!("a conflict was expected, not {other:?}"),
    }
}
