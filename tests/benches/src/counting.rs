//! Ports that count what is asked of them, as AWS would.

use async_trait::async_trait;
use jiff::Timestamp;
use kervan::queue::{Depth, MemoryQueue, Outgoing, Queue, QueueError, Received};
use kervan::store::{Due, Item, Key, MemoryStore, Page, Store, StoreError, Write, WriteError};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Add, Sub};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What was asked of the ports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Calls {
    /// Reads of items by their keys, up to a hundred together.
    pub gets: u64,
    /// Reads of a partition.
    pub queries: u64,
    /// Reads of the due index.
    pub dues: u64,
    /// Writes, whether of one item or of several together.
    pub writes: u64,
    /// Calls that send: at most ten messages, and 256 KiB, each.
    pub sends: u64,
    /// Messages that were sent.
    pub messages: u64,
    /// Calls that receive.
    pub receives: u64,
    /// DynamoDB's read units; only where units are counted.
    pub read_units: f64,
    /// DynamoDB's write units of the table; only where units are counted.
    pub write_units: f64,
    /// DynamoDB's write units of the index; only where units are counted.
    pub index_units: f64,
}

impl Calls {
    /// Calls that read the store.
    pub const fn reads(&self) -> u64 {
        self.gets + self.queries + self.dues
    }
}

impl Add for Calls {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            gets: self.gets + more.gets,
            queries: self.queries + more.queries,
            dues: self.dues + more.dues,
            writes: self.writes + more.writes,
            sends: self.sends + more.sends,
            messages: self.messages + more.messages,
            receives: self.receives + more.receives,
            read_units: self.read_units + more.read_units,
            write_units: self.write_units + more.write_units,
            index_units: self.index_units + more.index_units,
        }
    }
}

impl Sub for Calls {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            gets: self.gets - before.gets,
            queries: self.queries - before.queries,
            dues: self.dues - before.dues,
            writes: self.writes - before.writes,
            sends: self.sends - before.sends,
            messages: self.messages - before.messages,
            receives: self.receives - before.receives,
            read_units: self.read_units - before.read_units,
            write_units: self.write_units - before.write_units,
            index_units: self.index_units - before.index_units,
        }
    }
}

/// Counts of a store and a queue that are used together.
#[derive(Debug, Default)]
pub struct Counter(Mutex<Calls>);

impl Counter {
    /// What was counted so far.
    pub fn calls(&self) -> Calls {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, add: impl FnOnce(&mut Calls)) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// A store in memory that counts.
#[derive(Debug)]
pub struct CountingStore {
    inner: MemoryStore,
    counter: std::sync::Arc<Counter>,
    /// Units cost a look at each item before and after, so they are not counted where the time is measured.
    units: bool,
}

impl CountingStore {
    /// Counts calls, and with `units` also what DynamoDB bills.
    pub const fn new(inner: MemoryStore, counter: std::sync::Arc<Counter>, units: bool) -> Self {
        Self {
            inner,
            counter,
            units,
        }
    }
}

#[async_trait]
impl Store for CountingStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let item = self.inner.get(key).await?;
        let units = self.units.then(|| item.as_ref().map_or(0, size));
        self.counter.add(|calls| {
            calls.gets += 1;
            calls.read_units += units.map_or(0.0, read_units);
        });
        Ok(item)
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let items = self.inner.get_many(keys).await?;
        let distinct: BTreeSet<&Key> = keys.iter().collect();
        let mut units = 0.0;
        if self.units {
            let found: BTreeMap<&Key, &Option<Item>> = keys.iter().zip(&items).collect();
            let sizes = found.values().map(|item| item.as_ref().map_or(0, size));
            units = sizes.map(read_units).sum();
        }
        self.counter.add(|calls| {
            // One call reads a hundred.
            calls.gets += distinct.len().div_ceil(100) as u64;
            calls.read_units += units;
        });
        Ok(items)
    }

    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let page = self.inner.query(pk, prefix, after, limit).await?;
        let units = self.units.then(|| page.items.iter().map(size).sum());
        self.counter.add(|calls| {
            calls.queries += 1;
            calls.read_units += units.map_or(0.0, read_units);
        });
        Ok(page)
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        let keys: Vec<Key> = writes.iter().map(|write| write.key().clone()).collect();
        let mut before = Vec::new();
        if self.units {
            for key in &keys {
                before.push(self.inner.get(key).await?);
            }
        }
        // What fails is billed too.
        let result = self.inner.write(writes).await;
        self.counter.add(|calls| calls.writes += 1);
        // A transaction prepares each write and then makes it.
        let times = if keys.len() > 1 { 2.0 } else { 1.0 };
        for (key, before) in keys.iter().zip(before) {
            let after = self.inner.get(key).await?;
            let bytes = |item: &Option<Item>| item.as_ref().map_or(0, size);
            let largest = bytes(&before).max(bytes(&after));
            self.counter.add(|calls| {
                calls.write_units += times * write_units(largest);
                calls.index_units += index_units(before.as_ref(), after.as_ref());
            });
        }
        result
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let items = self.inner.due(lane, from, until, limit).await?;
        let units = self.units.then(|| items.iter().map(size).sum());
        self.counter.add(|calls| {
            calls.dues += 1;
            // An index is read eventually consistently, which costs half.
            calls.read_units += units.map_or(0.0, |bytes| read_units(bytes) / 2.0);
        });
        Ok(items)
    }
}

/// A unit reads up to 4 KB, and reading nothing costs one too.
fn read_units(bytes: u64) -> f64 {
    whole(bytes.div_ceil(4096).max(1))
}

/// A unit writes up to 1 KB.
fn write_units(bytes: u64) -> f64 {
    whole(bytes.div_ceil(1024).max(1))
}

/// An entry that moves in the index is deleted and written again; one that stays is written where its item changed.
fn index_units(before: Option<&Item>, after: Option<&Item>) -> f64 {
    let entry = |item: Option<&Item>| -> Option<(Due, u64)> {
        let item = item?;
        Some((item.due.clone()?, size(item)))
    };
    match (entry(before), entry(after)) {
        (None, None) => 0.0,
        (Some((_, bytes)), None) | (None, Some((_, bytes))) => write_units(bytes),
        (Some((was, old)), Some((is, new))) if was != is => write_units(old) + write_units(new),
        (Some((_, old)), Some((_, new))) if before != after => write_units(old.max(new)),
        (Some(_), Some(_)) => 0.0,
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
const fn whole(number: u64) -> f64 {
    number as f64
}

/// The bytes of an item as DynamoDB counts them: names and texts by their UTF-8 bytes, a number by some ten.
pub fn size(item: &Item) -> u64 {
    let number = 10;
    let due = item.due.as_ref();
    let due = due.map_or(0, |due| "due_lanedue_at".len() + due.lane.len() + number);
    let expires = item.expires_at.map_or(0, |_| "expires_at".len() + number);
    let counters = item.counters.keys();
    let counters = counters.map(|name| "c_".len() + name.len() + number);
    let texts = item.key.pk.len() + item.key.sk.len() + item.body.len();
    let bytes = "pkskbodyv".len() + number + texts + due + expires + counters.sum::<usize>();
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

/// A queue in memory that counts.
#[derive(Debug)]
pub struct CountingQueue {
    inner: MemoryQueue,
    counter: std::sync::Arc<Counter>,
}

impl CountingQueue {
    /// Counts calls.
    pub const fn new(inner: MemoryQueue, counter: std::sync::Arc<Counter>) -> Self {
        Self { inner, counter }
    }
}

#[async_trait]
impl Queue for CountingQueue {
    async fn send(&self, messages: Vec<Outgoing>) -> Result<(), QueueError> {
        let (count, calls_of) = (messages.len() as u64, sends(&messages));
        self.counter.add(|calls| {
            calls.messages += count;
            calls.sends += calls_of;
        });
        self.inner.send(messages).await
    }

    async fn receive(
        &self,
        most: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<Received>, QueueError> {
        self.counter.add(|calls| calls.receives += 1);
        self.inner.receive(most, visibility, wait).await
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        self.inner.delete(receipt).await
    }

    async fn release(&self, receipt: &str, after: Duration) -> Result<(), QueueError> {
        self.inner.release(receipt, after).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.inner.depth().await
    }
}

/// Calls of ten messages at most; SQS bills each 64 KB of a call as one more.
fn sends(messages: &[Outgoing]) -> u64 {
    let billed = |call: &[Outgoing]| {
        let bytes: usize = call.iter().map(|message| message.body.len()).sum();
        bytes.div_ceil(64 * 1024).max(1) as u64
    };
    messages.chunks(10).map(billed).sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use kervan::clock::SystemClock;
    use kervan::store::Condition;
    use std::sync::Arc;

    fn item(bytes: usize, due: Option<i64>) -> Item {
        let mut item = Item::new(Key::new("SKU#1", "OFFER#1"), 1, "x".repeat(bytes));
        item.due = due.map(|second| Due {
            lane: "stock".to_owned(),
            at: Timestamp::from_second(second).unwrap(),
        });
        item
    }

    #[test]
    fn an_entry_that_moves_in_the_index_is_written_twice() {
        let (small, moved, large) = (item(10, Some(1)), item(10, Some(2)), item(1500, Some(1)));
        let none = item(10, None);
        let units = |before: &Item, after: &Item| index_units(Some(before), Some(after));
        let all = [
            units(&none, &none),
            units(&none, &small),
            units(&small, &none),
            units(&small, &moved),
            units(&small, &large),
            units(&small, &small),
        ];
        assert_eq!(all, [0.0, 1.0, 1.0, 2.0, 2.0, 0.0]);
    }

    #[tokio::test]
    async fn units_are_those_of_dynamodb() {
        let counter = Arc::new(Counter::default());
        let store = MemoryStore::new(Arc::new(SystemClock));
        let store = CountingStore::new(store, counter.clone(), true);
        let put = |item: Item| Write::Put {
            item,
            only_if: Condition::Always,
        };
        store.write(vec![put(item(5000, None))]).await.unwrap();
        let calls = counter.calls();
        assert_eq!((calls.writes, calls.write_units), (1, 5.0));
        let mut other = item(10, Some(1));
        other.key.sk = "OFFER#2".to_owned();
        store
            .write(vec![put(item(10, None)), put(other)])
            .await
            .unwrap();
        let more = counter.calls() - calls;
        // The first had 5000 bytes before, and a transaction costs double.
        assert_eq!((more.write_units, more.index_units), (12.0, 1.0));
        store.get(&Key::new("none", "none")).await.unwrap();
        store.query("SKU#1", "", None, 10).await.unwrap();
        assert_eq!(counter.calls().read_units, 2.0);
    }
}
