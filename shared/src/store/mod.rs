//! The store port: one table of items with conditions, transactions, a sparse index of due times, and expiry.
//!
//! It is shaped after what DynamoDB promises and no more, so that the one in memory can be a checked model of it: the
//! same behaviour suite runs on both.
//!
//! **Invariants:** reads by key are consistent; reads of the due index may lag, so whoever acts on one reads the item
//! again. An expired item is never returned, whether or not it has been deleted yet, and counts as absent to conditions
//! and updates.

#[cfg(feature = "aws")]
mod dynamodb;
pub mod keys;
mod memory;

#[cfg(feature = "aws")]
pub use dynamodb::DynamoDb;
pub use memory::MemoryStore;

use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// The most writes that one transaction takes (DynamoDB's own limit).
pub const MOST_WRITES: usize = 100;

/// The address of an item: items of one partition can be read together, in the order of their sort keys.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    /// A key of both parts.
    pub fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Where it is.
    pub key: Key,
    /// Grows by one with each change of the body; the guard against two writers.
    pub version: u64,
    /// JSON text; the store does not look inside.
    pub body: String,
    /// When something has to look at the item again. Items without are not in the index.
    pub due: Option<Due>,
    /// When the item ceases to be (to the second).
    pub expires_at: Option<Timestamp>,
    /// Numbers that many writers change at once, each with its own condition.
    pub counters: BTreeMap<String, i64>,
}

impl Item {
    /// An item with a body and nothing else.
    pub fn new(key: Key, version: u64, body: String) -> Self {
        Self {
            key,
            version,
            body,
            due: None,
            expires_at: None,
            counters: BTreeMap::new(),
        }
    }

    /// Whether the item has ceased to be.
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at
            .is_some_and(|at| at.as_second() <= now.as_second())
    }
}

/// An entry of the due index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// Who looks: each kind of worker has lanes of its own.
    pub lane: String,
    /// From when on (to the millisecond).
    pub at: Timestamp,
}

/// One change of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Puts the item as a whole.
    Put {
        /// The item, with its new version.
        item: Item,
        /// What must hold before.
        only_if: Condition,
    },
    /// Changes parts of an item that exists.
    Update {
        /// Which item.
        key: Key,
        /// A new body; the version grows by one with it.
        set_body: Option<String>,
        /// A new due time, or none at all.
        set_due: Option<Option<Due>>,
        /// Numbers to add to counters; an absent counter counts as 0.
        add: Vec<(&'static str, i64)>,
        /// All must hold before.
        only_if: Vec<Guard>,
    },
    /// Deletes the item; one that is absent is fine.
    Delete {
        /// Which item.
        key: Key,
    },
    /// Deletes an item that exists.
    DeleteIf {
        /// Which item.
        key: Key,
        /// All must hold before.
        only_if: Vec<Guard>,
    },
}

impl Write {
    /// The item that is written.
    pub const fn key(&self) -> &Key {
        match self {
            Self::Put { item, .. } => &item.key,
            Self::Update { key, .. } | Self::Delete { key } | Self::DeleteIf { key, .. } => key,
        }
    }
}

/// What must hold before a put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Always,
    /// No such item.
    Absent,
    /// The item exists at this version.
    Version(u64),
}

/// What must hold before an update or a guarded delete, besides that the item exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The item is at this version.
    Version(u64),
    /// The counter is at least this; an absent counter is 0.
    AtLeast(&'static str, i64),
    /// The counter is exactly this; an absent counter is 0.
    Equals(&'static str, i64),
}

/// A part of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Items in the order of their sort keys.
    pub items: Vec<Item>,
    /// The sort key to go on after, if there is more.
    pub next: Option<String>,
}

impl Page {
    /// The first `limit` of `items`, which goes on if there are more.
    fn of(mut items: Vec<Item>, limit: usize) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items
            .last()
            .filter(|_| more)
            .map(|item| item.key.sk.clone());
        Self { items, next }
    }
}

/// A part of the whole table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Items whose partition keys begin as was asked; there may be none, and yet more to come.
    pub items: Vec<Item>,
    /// The key to go on after; `None` at the end of the table.
    pub next: Option<Key>,
}

/// The store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A passing fault; trying again later may help. A write may or may not have happened.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It will fail again: a missing permission, table or key, an item that cannot be read.
    #[error("the store refused: {0}")]
    Refused(String),
}

/// A transaction was not applied.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Conditions did not hold; nothing was written. The numbers are the places of the writes in the transaction.
    #[error("conditions of writes {0:?} did not hold")]
    Conflict(Vec<usize>),
    /// Another transaction was at work on the same items; nothing was written. Read again and retry.
    #[error("another transaction was at work on the same items")]
    Contended,
    /// Something else.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One table.
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Reads one item, consistently.
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError>;

    /// Reads items, consistently each, in the order of their keys; `None` where there is none. A key may stand there twice.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for key in keys {
            items.push(self.get(key).await?);
        }
        Ok(items)
    }

    /// Reads a partition's items whose sort keys begin with `prefix`, consistently, from after `after`.
    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError>;

    /// Looks at up to `limit` items of the table from after `after`, and reads those whose partition keys begin with
    /// `pk_prefix`. An item that is there from the first page to the last is read once; what is written meanwhile may be
    /// read or not. Partitions come in no order; the items of one come one after the other, in the order of their sort
    /// keys. Every item of the table is paid for, so this is for a person's tools alone, never for a function.
    async fn scan(
        &self,
        pk_prefix: &str,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Scan, StoreError> {
        let _ = (pk_prefix, after, limit);
        let problem = "this store cannot be read as a whole";
        Err(StoreError::Refused(problem.to_owned()))
    }

    /// Applies 1 to [`MOST_WRITES`] writes on different items, all or none.
    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError>;

    /// Items of a lane that are due from `from` to `until`, both included, the oldest first. May lag behind writes.
    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError>;
}

/// Refuses what no store takes, whatever is in the table. DynamoDB would refuse it too; some stand-ins do not.
fn check(writes: &[Write]) -> Result<(), StoreError> {
    let count = writes.len();
    if !(1..=MOST_WRITES).contains(&count) {
        let problem = format!("a transaction takes 1 to {MOST_WRITES} writes, not {count}");
        return Err(StoreError::Refused(problem));
    }
    let mut keys = BTreeSet::new();
    for write in writes {
        if !keys.insert(write.key()) {
            let problem = "a transaction cannot write one item twice";
            return Err(StoreError::Refused(problem.to_owned()));
        }
        let Write::Update { add, .. } = write else {
            continue;
        };
        let names = add.iter().map(|(name, _)| name).collect::<BTreeSet<_>>();
        if names.len() < add.len() {
            let problem = "an update cannot add to one counter twice";
            return Err(StoreError::Refused(problem.to_owned()));
        }
    }
    Ok(())
}
