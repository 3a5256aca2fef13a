//! Orders in the table. An order changes in one way only: events are applied, and its state, its history, its due time
//! and its place in the attention list are written in one transaction, on the condition that nobody else wrote first.

use super::FlowError;
use crate::decide::{self, Lane};
use crate::domain::{Event, HistoryRecord, Misfit, Order, OrderKey};
use crate::guards::{Guard, stands};
use crate::store::{Condition, Due, Item, Key, Write, WriteError, keys};
use crate::{Kervan, store::Store};
use jiff::Timestamp;
use std::time::Duration;

/// Pauses between attempts to record what a marketplace answered; about two seconds in all.
const FIRST_PAUSE: Duration = Duration::from_millis(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Why events were not recorded.
#[derive(Debug)]
pub enum NotRecorded {
    /// The extra writes at these places did not fit; nothing was written.
    Extra(Vec<usize>),
    /// Something else.
    Failed(FlowError),
}

impl From<NotRecorded> for FlowError {
    fn from(error: NotRecorded) -> Self {
        match error {
            NotRecorded::Extra(_) => Self::Overtaken,
            NotRecorded::Failed(error) => error,
        }
    }
}

impl From<FlowError> for NotRecorded {
    fn from(error: FlowError) -> Self {
        Self::Failed(error)
    }
}

impl From<Misfit> for NotRecorded {
    fn from(error: Misfit) -> Self {
        Self::Failed(error.into())
    }
}

/// Reads an order.
pub async fn load(store: &dyn Store, key: &OrderKey) -> Result<Option<Order>, FlowError> {
    let item = store.get(&keys::order_state(key)).await?;
    item.map(|item| read(&item.body)).transpose()
}

/// Reads a stored JSON text.
pub fn read<T: serde::de::DeserializeOwned>(body: &str) -> Result<T, FlowError> {
    serde_json::from_str(body).map_err(|error| {
        // The position says enough; the text of the item stays out of logs.
        let place = format!("line {} column {}", error.line(), error.column());
        FlowError::Stored(format!("{} at {place}", std::any::type_name::<T>()))
    })
}

/// Writes JSON text to store.
pub fn write<T: serde::Serialize>(value: &T) -> Result<String, FlowError> {
    serde_json::to_string(value).map_err(|error| FlowError::Stored(error.to_string()))
}

/// Reads an order's history, the oldest record first.
pub async fn history(store: &dyn Store, key: &OrderKey) -> Result<Vec<HistoryRecord>, FlowError> {
    let (mut records, mut after) = (Vec::new(), None);
    loop {
        let partition = keys::order(key);
        let page = store
            .query(&partition, keys::HISTORY, after.as_deref(), 100)
            .await?;
        for item in &page.items {
            records.push(read(&item.body)?);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(records),
        }
    }
}

/// Makes an order's state anew from its history, checking that each record carries the hash of the one before. What comes
/// out is what is stored (invariant I8).
pub async fn replay(store: &dyn Store, key: &OrderKey) -> Result<Option<Order>, FlowError> {
    let (mut order, mut after): (Option<Order>, _) = (None, None);
    loop {
        let page = store
            .query(&keys::order(key), keys::HISTORY, after.as_deref(), 100)
            .await?;
        for item in &page.items {
            order = Some(follow(order, key, &item.body)?);
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(order),
        }
    }
}

/// Applies one stored history record to what the records before it gave; `None` before the first.
///
/// # Errors
/// Where the record cannot be read, does not carry the hash of the one before, or does not fit the order.
pub fn follow(order: Option<Order>, key: &OrderKey, body: &str) -> Result<Order, FlowError> {
    let record: HistoryRecord = read(body)?;
    let last = order
        .as_ref()
        .map_or(HistoryRecord::NONE_BEFORE, |order| &order.last_hash);
    if record.previous != last {
        let problem = format!("record {} does not follow the one before", record.number);
        return Err(FlowError::Stored(problem));
    }
    let mut next = match order {
        None => Order::begin(key.clone(), record.at, &record.event)?,
        Some(mut order) => {
            order.apply(record.at, &record.event)?;
            order
        }
    };
    next.last_hash = HistoryRecord::hash_of(body);
    Ok(next)
}

/// Records the first events of an order that is not yet in the table. The first is `Recorded`.
pub async fn begin(
    kervan: &Kervan,
    key: &OrderKey,
    events: &[Event],
    extra: Vec<Write>,
) -> Result<Order, NotRecorded> {
    let now = kervan.clock.now();
    let (first, rest) = events
        .split_first()
        .ok_or(FlowError::Poison("no event".to_owned()))?;
    let mut order = Order::begin(key.clone(), now, first)?;
    let mut writes = vec![history_write(
        &mut order,
        now,
        first,
        HistoryRecord::NONE_BEFORE,
    )?];
    apply_all(&mut order, now, rest, &mut writes)?;
    let due = due_entry(&order, now);
    commit(&*kervan.store, &order, due, None, writes, extra).await?;
    Ok(order)
}

/// Records more events, on the condition that the order is still as it was loaded. `order` is changed only on success.
pub async fn record(
    kervan: &Kervan,
    order: &mut Order,
    events: &[Event],
    extra: Vec<Write>,
) -> Result<(), NotRecorded> {
    let now = kervan.clock.now();
    record_at(&*kervan.store, now, Timestamp::MAX, order, events, extra).await
}

/// As [`record`], for a person who has the table alone: whoever the order is due for looks at it with the next sweep.
pub(super) async fn record_in_haste(
    store: &dyn Store,
    now: Timestamp,
    order: &mut Order,
    events: &[Event],
    extra: Vec<Write>,
) -> Result<(), NotRecorded> {
    record_at(store, now, now, order, events, extra).await
}

/// Records events; whoever the order is due for looks at it at `latest`.
async fn record_at(
    store: &dyn Store,
    now: Timestamp,
    latest: Timestamp,
    order: &mut Order,
    events: &[Event],
    extra: Vec<Write>,
) -> Result<(), NotRecorded> {
    let mut changed = order.clone();
    let mut writes = Vec::new();
    apply_all(&mut changed, now, events, &mut writes)?;
    let due = due_entry(&changed, now).map(|due| Due {
        at: due.at.min(latest),
        ..due
    });
    commit(store, &changed, due, Some(order), writes, extra).await?;
    *order = changed;
    Ok(())
}

/// Records what a call to a marketplace came to. Nobody else knows it, so a write that collides with another one is made
/// again on what that one left, as long as what the events are about `is_mine` still.
pub(super) async fn record_outcome(
    kervan: &Kervan,
    order: &mut Order,
    events: &[Event],
    writes: &[Write],
    is_mine: impl Fn(&Order) -> bool,
) -> Result<(), FlowError> {
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match record(kervan, order, events, writes.to_vec()).await {
            Ok(()) => return Ok(()),
            Err(error) => FlowError::from(error),
        };
        if !error.is_passing() || pause > LONGEST_PAUSE {
            return Err(error);
        }
        tracing::warn!(order = %order.key, %error, "A call's outcome could not be recorded at once.");
        kervan.clock.sleep(pause).await;
        pause *= 2;
        if let Ok(Some(now)) = load(&*kervan.store, &order.key).await {
            if !is_mine(&now) {
                return Err(FlowError::Overtaken);
            }
            *order = now;
        }
    }
}

/// Moves an order's due time without an event: somebody looked and found nothing new.
pub async fn looked_at(kervan: &Kervan, order: &Order) -> Result<(), FlowError> {
    let set_due = due_entry(order, kervan.clock.now());
    let write = Write::Update {
        key: keys::order_state(&order.key),
        set_body: None,
        set_due: Some(set_due),
        add: Vec::new(),
        only_if: vec![crate::store::Guard::Version(order.version)],
    };
    match kervan.store.write(vec![write]).await {
        // Whoever changed the order in between has set its due time too.
        Ok(()) | Err(WriteError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn apply_all(
    order: &mut Order,
    now: Timestamp,
    events: &[Event],
    writes: &mut Vec<Write>,
) -> Result<(), FlowError> {
    for event in events {
        order.apply(now, event)?;
        let previous = order.last_hash.clone();
        writes.push(history_write(order, now, event, &previous)?);
    }
    Ok(())
}

fn history_write(
    order: &mut Order,
    at: Timestamp,
    event: &Event,
    previous: &str,
) -> Result<Write, FlowError> {
    let record = HistoryRecord {
        number: order.version,
        at,
        event: event.clone(),
        previous: previous.to_owned(),
    };
    let body = write(&record)?;
    order.last_hash = HistoryRecord::hash_of(&body);
    let item = Item::new(keys::history(&order.key, order.version), 1, body);
    // The state is written in the same transaction, on the condition that nobody wrote this number before.
    Ok(Write::Put {
        item,
        only_if: Condition::Always,
    })
}

/// One transaction: the state first, then the history, the attention entry, and what the flow adds.
async fn commit(
    store: &dyn Store,
    order: &Order,
    due: Option<Due>,
    before: Option<&Order>,
    history: Vec<Write>,
    extra: Vec<Write>,
) -> Result<(), NotRecorded> {
    let mut state = Item::new(keys::order_state(&order.key), order.version, write(order)?);
    state.due = due;
    let only_if = match before {
        None if stands(Guard::RecordedOnce) => Condition::Absent,
        Some(before) if stands(Guard::OrderVersion) => Condition::Version(before.version),
        _ => Condition::Always,
    };
    let mut writes = vec![Write::Put {
        item: state,
        only_if,
    }];
    writes.extend(history);
    let had = before.and_then(|before| before.attention.as_ref());
    match (&order.attention, had) {
        (Some(attention), had) if had != Some(attention) => {
            let key = keys::attention(&order.key);
            writes.push(attention_write(key, attention)?);
        }
        (None, Some(_)) => writes.push(Write::Delete {
            key: keys::attention(&order.key),
        }),
        _ => {}
    }
    let own = writes.len();
    writes.extend(extra);
    match store.write(writes).await {
        Ok(()) => Ok(()),
        Err(WriteError::Conflict(places)) if places.iter().all(|place| *place >= own) => Err(
            NotRecorded::Extra(places.iter().map(|place| place - own).collect()),
        ),
        Err(error) => Err(FlowError::from(error).into()),
    }
}

/// An entry of the attention list.
pub(super) fn attention_write(
    key: Key,
    attention: &crate::domain::Attention,
) -> Result<Write, FlowError> {
    let mut item = Item::new(key, 1, write(attention)?);
    item.due = Some(Due {
        lane: keys::ATTENTION_LANE.to_owned(),
        at: attention.since,
    });
    Ok(Write::Put {
        item,
        only_if: Condition::Always,
    })
}

fn due_entry(order: &Order, checked_at: Timestamp) -> Option<Due> {
    let (at, lane) = decide::due(order, checked_at)?;
    let lane = match lane {
        Lane::Forward => keys::FORWARD_LANE,
        Lane::Track => keys::TRACK_LANE,
    };
    Some(Due {
        lane: lane.to_owned(),
        at,
    })
}
