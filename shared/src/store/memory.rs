//! The store in memory: what DynamoDB promises, and its limits, under one lock.

use super::{Condition, Guard, Item, Key, Page, Scan, Store, StoreError, Write, WriteError, check};
use crate::clock::Clock;
use async_trait::async_trait;
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// DynamoDB's limit of one item, names of attributes included.
const LARGEST_ITEM_BYTES: usize = 400 * 1024;
/// DynamoDB's limit of all that one transaction puts.
const LARGEST_TRANSACTION_BYTES: usize = 4 * 1024 * 1024;
/// DynamoDB's limit of a partition key.
const LONGEST_PK_BYTES: usize = 2048;
/// DynamoDB's limit of a sort key.
const LONGEST_SK_BYTES: usize = 1024;

/// A table in memory.
#[derive(Debug)]
pub struct MemoryStore {
    table: Mutex<Table>,
    clock: Arc<dyn Clock>,
}

/// The items and the index of their due times.
#[derive(Debug, Clone, Default)]
struct Table {
    items: BTreeMap<Key, Item>,
    due: BTreeMap<String, BTreeSet<(i64, Key)>>,
}

impl Table {
    /// Puts an item, or takes it out.
    fn set(&mut self, key: Key, item: Option<Item>) {
        let due = item.as_ref().and_then(|item| item.due.clone());
        let old = match item {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(&key),
        };
        if let Some(old) = old.and_then(|old| old.due)
            && let Some(lane) = self.due.get_mut(&old.lane)
        {
            lane.remove(&(old.at.as_millisecond(), key.clone()));
        }
        if let Some(due) = due {
            let lane = self.due.entry(due.lane).or_default();
            lane.insert((due.at.as_millisecond(), key));
        }
    }
}

impl MemoryStore {
    /// An empty table; the clock decides what has expired.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            table: Mutex::default(),
            clock,
        }
    }

    /// An independent copy of the table under a clock of its own, so that a simulation prepares a table once and begins
    /// each schedule from a copy.
    #[must_use]
    pub fn fork(&self, clock: Arc<dyn Clock>) -> Self {
        Self {
            table: Mutex::new(self.lock().clone()),
            clock,
        }
    }

    /// Everything that has not expired, in the order of the keys, for whoever checks what was written.
    pub fn items(&self) -> Vec<Item> {
        let now = self.clock.now();
        let table = self.lock();
        let live = table.items.values().filter(|item| !item.is_expired(now));
        live.cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        check_key(key)?;
        Ok(live(&self.lock().items, key, self.clock.now()).cloned())
    }

    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        check_key(&Key::new(pk, "-"))?;
        let now = self.clock.now();
        let limit = limit.max(1);
        let table = self.lock();
        let found = table
            .items
            .range(Key::new(pk, prefix)..)
            .take_while(|(key, _)| key.pk == pk && key.sk.starts_with(prefix))
            .filter(|(key, item)| {
                !item.is_expired(now) && after.is_none_or(|it| key.sk.as_str() > it)
            })
            .take(limit.saturating_add(1))
            .map(|(_, item)| item.clone());
        Ok(Page::of(found.collect(), limit))
    }

    async fn scan(
        &self,
        pk_prefix: &str,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Scan, StoreError> {
        let now = self.clock.now();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let table = self.lock();
        let mut ahead = table.items.range((from, Bound::Unbounded));
        let seen: Vec<&Item> = ahead
            .by_ref()
            .take(limit.max(1))
            .map(|(_, item)| item)
            .collect();
        let last = seen.last().map(|item| item.key.clone());
        let wanted = |item: &&&Item| item.key.pk.starts_with(pk_prefix) && !item.is_expired(now);
        Ok(Scan {
            items: seen
                .iter()
                .filter(wanted)
                .map(|item| (*item).clone())
                .collect(),
            next: last.filter(|_| ahead.next().is_some()),
        })
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        check(&writes)?;
        for write in &writes {
            check_key(write.key())?;
        }
        check_puts(&writes)?;
        let now = self.clock.now();
        let mut table = self.lock();
        let places = writes.iter().enumerate();
        let conflicts = places
            .filter(|(_, write)| !holds(write, live(&table.items, write.key(), now)))
            .map(|(place, _)| place)
            .collect::<Vec<_>>();
        if !conflicts.is_empty() {
            return Err(WriteError::Conflict(conflicts));
        }
        // All are made before any is kept.
        let made = writes
            .into_iter()
            .map(|write| make(write, &table.items))
            .collect::<Result<Vec<_>, _>>()?;
        for (key, item) in made {
            table.set(key, item);
        }
        Ok(())
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let now = self.clock.now();
        let table = self.lock();
        let Some(lane) = table.due.get(lane) else {
            return Ok(Vec::new());
        };
        let (from, until) = (from.as_millisecond(), until.as_millisecond());
        let first = (from, Key::new("", ""));
        let found = lane
            .range(first..)
            .take_while(|(at, _)| *at <= until)
            .filter_map(|(_, key)| live(&table.items, key, now));
        Ok(found.take(limit).cloned().collect())
    }
}

fn live<'a>(items: &'a BTreeMap<Key, Item>, key: &Key, now: Timestamp) -> Option<&'a Item> {
    items.get(key).filter(|item| !item.is_expired(now))
}

fn holds(write: &Write, before: Option<&Item>) -> bool {
    match write {
        Write::Put { only_if, .. } => match only_if {
            Condition::Always => true,
            Condition::Absent => before.is_none(),
            Condition::Version(version) => before.is_some_and(|item| item.version == *version),
        },
        Write::Update { only_if, .. } | Write::DeleteIf { only_if, .. } => {
            before.is_some_and(|item| only_if.iter().all(|guard| guards(*guard, item)))
        }
        Write::Delete { .. } => true,
    }
}

fn guards(guard: Guard, item: &Item) -> bool {
    let counter = |name| item.counters.get(name).copied().unwrap_or_default();
    match guard {
        Guard::Version(version) => item.version == version,
        Guard::AtLeast(name, least) => counter(name) >= least,
        Guard::Equals(name, exactly) => counter(name) == exactly,
    }
}

fn make(write: Write, items: &BTreeMap<Key, Item>) -> Result<(Key, Option<Item>), StoreError> {
    match write {
        Write::Delete { key } | Write::DeleteIf { key, .. } => Ok((key, None)),
        Write::Put { item, .. } => {
            let item = kept(item)?;
            Ok((item.key.clone(), Some(item)))
        }
        Write::Update {
            key,
            set_body,
            set_due,
            add,
            ..
        } => {
            let gone = || StoreError::Refused("an update needs an item".to_owned());
            let mut item = items.get(&key).cloned().ok_or_else(gone)?;
            if let Some(body) = set_body {
                item.body = body;
                item.version += 1;
            }
            if let Some(due) = set_due {
                item.due = due;
            }
            add_to(&mut item, &add)?;
            Ok((key, Some(kept(item)?)))
        }
    }
}

fn add_to(item: &mut Item, add: &[(&'static str, i64)]) -> Result<(), StoreError> {
    for (name, by) in add {
        let counter = item.counters.entry((*name).to_owned()).or_default();
        let overflow = || StoreError::Refused(format!("the counter {name} is full"));
        *counter = counter.checked_add(*by).ok_or_else(overflow)?;
    }
    Ok(())
}

/// DynamoDB looks at what is put before it looks at any condition.
fn check_puts(writes: &[Write]) -> Result<(), StoreError> {
    let mut bytes = 0;
    for write in writes {
        if let Write::Put { item, .. } = write {
            check_item(item)?;
            bytes += size(item);
        }
    }
    if bytes > LARGEST_TRANSACTION_BYTES {
        let problem = "a transaction cannot be larger than 4 MiB";
        return Err(StoreError::Refused(problem.to_owned()));
    }
    Ok(())
}

fn check_item(item: &Item) -> Result<(), StoreError> {
    let refused = |problem: &str| Err(StoreError::Refused(problem.to_owned()));
    if item.due.as_ref().is_some_and(|due| due.lane.is_empty()) {
        return refused("the lane of a due time cannot be empty");
    }
    if size(item) > LARGEST_ITEM_BYTES {
        return refused("an item cannot be larger than 400 KiB");
    }
    Ok(())
}

/// The item as the table keeps it: times to the precision that they have there.
fn kept(mut item: Item) -> Result<Item, StoreError> {
    check_item(&item)?;
    let whole = |problem: jiff::Error| StoreError::Refused(problem.to_string());
    if let Some(due) = &mut item.due {
        due.at = Timestamp::from_millisecond(due.at.as_millisecond()).map_err(whole)?;
    }
    if let Some(at) = &mut item.expires_at {
        *at = Timestamp::from_second(at.as_second()).map_err(whole)?;
    }
    Ok(item)
}

/// Names and texts count by their UTF-8 bytes; a number takes some 10 bytes.
fn size(item: &Item) -> usize {
    let number = 10;
    let fixed = "pkskbodyv".len() + number;
    let due = item.due.as_ref();
    let due = due.map_or(0, |due| "due_lanedue_at".len() + due.lane.len() + number);
    let expires = item.expires_at.map_or(0, |_| "expires_at".len() + number);
    let counters = item
        .counters
        .keys()
        .map(|name| "c_".len() + name.len() + number);
    let texts = item.key.pk.len() + item.key.sk.len() + item.body.len();
    fixed + texts + due + expires + counters.sum::<usize>()
}

fn check_key(key: &Key) -> Result<(), StoreError> {
    let fits = (1..=LONGEST_PK_BYTES).contains(&key.pk.len())
        && (1..=LONGEST_SK_BYTES).contains(&key.sk.len());
    if fits {
        Ok(())
    } else {
        let problem = format!("keys have 1 to {LONGEST_PK_BYTES} and {LONGEST_SK_BYTES} bytes");
        Err(StoreError::Refused(problem))
    }
}
