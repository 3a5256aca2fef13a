//! What may wait is handed in together, where a channel works off many listings of one submission, and its report is read.
//!
//! Listings wait in the lanes of their channel, one for each urgency. At most one submission of a channel is at work, so
//! that no two can overtake each other. Its record goes `Marking → Submitting → Open → Idle`:
//!
//! - **Marking**: each listing forgets what it shows, and notes what the submission will set.
//! - **Submitting**: it is being handed in. Without an answer, the channel's submissions are read before any repeat.
//! - **Open**: the channel is at work. What falls is told directly meanwhile; as the submission may land after that, the
//!   listing is told once more when the report is there.
//!
//! Whatever fails on the way, each listing has a due time in its lane at which it is told anew.

mod record;
mod settle;

use super::InventoryTask;
use super::publish::{BULK_FROM, Told, Why, bulk_due, note_published, publish, set_due};
use super::supply::wanted;
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{AccountId, Listing, ListingId, Published, Sku};
use crate::flows::catalog;
use crate::flows::{FlowError, ledger, wait_of};
use crate::marketplaces::{Effect, ListingUpdate, PushInBulk, Retry};
use crate::queue::Outgoing;
use crate::store::keys;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use record::{Record, Sent, Step, Stored};
use std::collections::{BTreeMap, BTreeSet};

/// The most listings of one submission: so many are read and marked within the function's time.
const MOST_LISTINGS: usize = 10_000;
/// So many listings are read or written at once.
const AT_ONCE: usize = 16;
/// Listings of one part of the record; at less than 700 bytes each, far below the store's largest item.
const LISTINGS_OF_A_PART: usize = 400;
/// Whoever works on a submission has it for so long; longer than a function may run.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// A submission that is not done by then is given up, and its listings are told anew.
const OPEN_AT_MOST: SignedDuration = SignedDuration::from_hours(6);
/// A submission that got no answer is among the channel's by then, or was never handed in.
const KNOWN_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// How far the channel's clock may be behind ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(2);
/// How long until a report is asked for, and asked for again.
const FIRST_LOOKS: SignedDuration = SignedDuration::from_mins(1);
/// The same, of a submission that takes long.
const LATER_LOOKS: SignedDuration = SignedDuration::from_mins(5);

/// What waits, in the order in which it is handed in. Zeros never wait.
const WAITING: [Urgency; 3] = [Urgency::Fall, Urgency::Rise, Urgency::Price];

/// Queues a task for each channel at which listings wait, or whose submission has to be looked at. Costs a read of the
/// index, and three more for each channel with a bulk call.
pub(super) async fn queue_waiting(kervan: &Kervan) -> Result<(), FlowError> {
    let now = kervan.clock.now();
    let mut channels = BTreeSet::new();
    for item in kervan
        .store
        .due(keys::SUBMISSION_LANE, Timestamp::MIN, now, 100)
        .await?
    {
        channels.insert(ledger::read::<Record>(&item.body)?.channel);
    }
    for id in kervan.accounts.ids() {
        // An account that cannot be opened is met again by whoever works on it.
        let account = kervan.accounts.get(id).await;
        let has_bulk = account.is_ok_and(|account| account.push_in_bulk().is_some());
        if !has_bulk || channels.contains(id) {
            continue;
        }
        for urgency in WAITING {
            let lane = keys::bulk_lane(id, urgency);
            if !kervan
                .store
                .due(&lane, Timestamp::MIN, now, 1)
                .await?
                .is_empty()
            {
                channels.insert(id.clone());
                break;
            }
        }
    }
    let tasks = channels
        .into_iter()
        .map(|channel| ledger::write(&InventoryTask::Bulk { channel }).map(Outgoing::now));
    let tasks = tasks.collect::<Result<Vec<_>, _>>()?;
    if !tasks.is_empty() {
        kervan.queues.inventory.send(tasks).await?;
    }
    Ok(())
}

/// Hands in what waits at a channel, or looks at what was handed in, where it is time.
pub(super) async fn bulk(kervan: &Kervan, channel: &AccountId) -> Result<Told, FlowError> {
    let account = match kervan.accounts.get(channel).await {
        Ok(account) => account,
        Err(error) => {
            return Ok(Told {
                of_all: Some(error),
                ..Told::default()
            });
        }
    };
    let Some(door) = account.push_in_bulk() else {
        return Ok(Told::default());
    };
    let stored = record::load(kervan, channel).await?;
    let now = kervan.clock.now();
    if matches!(stored.record.step, Step::Idle) {
        return hand_in(kervan, door, stored).await;
    }
    if now < stored.record.next_at {
        return Ok(Told::default());
    }
    let step = stored.record.step.clone();
    let Some(mine) = record::write(kervan, stored, step.clone(), after(now, LEASE)).await? else {
        return Ok(Told::default());
    };
    match step {
        Step::Idle => Ok(Told::default()),
        Step::Marking => settle::give_up(kervan, mine, now).await,
        Step::Submitting => settle::find(kervan, door, mine).await,
        Step::Open { submissions } => settle::report(kervan, door, mine, &submissions).await,
    }
}

/// Reading or writing one listing.
type Work<'a, T> = BoxFuture<'a, Result<T, FlowError>>;

/// Does works, some at a time; the results are in their order.
async fn side_by_side<T>(works: Vec<Work<'_, T>>) -> Result<Vec<T>, FlowError> {
    stream::iter(works).buffered(AT_ONCE).try_collect().await
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// A listing that waits, read anew, with what it should show.
struct Waiting {
    listing: Listing,
    version: u64,
    quantity: u32,
    urgency: Urgency,
}

/// Hands in what waits. What came to zero since, and what is too little for a submission, is told directly.
async fn hand_in(
    kervan: &Kervan,
    door: &dyn PushInBulk,
    stored: Stored,
) -> Result<Told, FlowError> {
    let channel = stored.record.channel.clone();
    let most = door.most().min(MOST_LISTINGS);
    let ids = collect(kervan, &channel, most).await?;
    if ids.len() < BULK_FROM {
        return directly(kervan, &ids).await;
    }
    let mut waiting = Vec::new();
    let mut urgent = Vec::new();
    let now = kervan.clock.now();
    for it in read_all(kervan, &ids).await? {
        // An earlier update may still land, over what is handed in.
        if let Some(until) = it.listing.doubt_until.filter(|until| now < *until)
            && it.urgency != Urgency::ToZero
        {
            let due = bulk_due(&it.listing.id, it.urgency, until);
            set_due(kervan, &it.listing.id, it.version, Some(due)).await?;
            continue;
        }
        match it.urgency {
            Urgency::None => set_due(kervan, &it.listing.id, it.version, None).await?,
            Urgency::ToZero => urgent.push(it.listing.id),
            _ => waiting.push(it),
        }
    }
    let told = directly(kervan, &urgent).await?;
    if waiting.is_empty() {
        return Ok(told);
    }
    let mut next = stored;
    next.record.number += 1;
    next.record.begun_at = now;
    next.record.parts = u32::try_from(waiting.len().div_ceil(LISTINGS_OF_A_PART)).unwrap_or(0);
    let Some(mine) = record::write(kervan, next, Step::Marking, after(now, LEASE)).await? else {
        return Ok(told);
    };
    let sent = mark(kervan, &mine.record, waiting).await?;
    if sent.is_empty() {
        record::write(kervan, mine, Step::Idle, now).await?;
        return Ok(told);
    }
    let Some(mine) = record::write(kervan, mine, Step::Submitting, after(now, LEASE)).await? else {
        return Ok(told);
    };
    submit(kervan, door, mine, &sent, told).await
}

async fn submit(
    kervan: &Kervan,
    door: &dyn PushInBulk,
    mine: Stored,
    sent: &[Sent],
    mut told: Told,
) -> Result<Told, FlowError> {
    let channel = mine.record.channel.clone();
    let updates: Vec<ListingUpdate> = sent.iter().map(Sent::update).collect();
    let answer = door.submit(&updates).await;
    let now = kervan.clock.now();
    match answer {
        Ok(submission) => {
            let listings = sent.len();
            tracing::info!(%channel, listings, "Listings were handed in together.");
            let submissions = vec![submission.into()];
            let step = Step::Open { submissions };
            record::write(kervan, mine, step, after(now, FIRST_LOOKS)).await?;
        }
        Err(error) if error.effect == Effect::None => {
            let wait = SignedDuration::try_from(wait_of(&error)).unwrap_or(FIRST_LOOKS);
            told = settle::give_up(kervan, mine, after(now, wait)).await?;
            told.of_all = Some(error);
        }
        Err(error) => {
            tracing::warn!(%error, "A submission got no answer; it is looked for.");
            record::write(kervan, mine, Step::Submitting, after(now, FIRST_LOOKS)).await?;
        }
    }
    Ok(told)
}

/// The listings that wait, the most urgent first.
async fn collect(
    kervan: &Kervan,
    channel: &AccountId,
    most: usize,
) -> Result<Vec<ListingId>, FlowError> {
    let now = kervan.clock.now();
    let mut ids = Vec::new();
    for urgency in WAITING {
        let room = most - ids.len();
        if room == 0 {
            break;
        }
        let lane = keys::bulk_lane(channel, urgency);
        for item in kervan.store.due(&lane, Timestamp::MIN, now, room).await? {
            match ledger::read::<Listing>(&item.body) {
                Ok(listing) => ids.push(listing.id),
                Err(error) => tracing::error!(%error, "A waiting listing cannot be read."),
            }
        }
    }
    // The index may lag: one that moved from lane to lane can be in both.
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    Ok(ids)
}

/// Reads listings anew and decides what they should show.
async fn read_all(kervan: &Kervan, ids: &[ListingId]) -> Result<Vec<Waiting>, FlowError> {
    let mut by_sku: BTreeMap<Sku, Vec<ListingId>> = BTreeMap::new();
    for id in ids {
        by_sku.entry(id.sku.clone()).or_default().push(id.clone());
    }
    let mut works: Vec<Work<'_, Vec<Waiting>>> = Vec::new();
    for (sku, ids) in by_sku {
        works.push(Box::pin(read_one(kervan, sku, ids)));
    }
    let read = side_by_side(works).await?;
    let mut waiting: Vec<Waiting> = read.into_iter().flatten().collect();
    waiting.sort_by_key(|it| it.urgency);
    Ok(waiting)
}

async fn read_one(
    kervan: &Kervan,
    sku: Sku,
    ids: Vec<ListingId>,
) -> Result<Vec<Waiting>, FlowError> {
    let entry = catalog::load_with_parts(&*kervan.store, &sku).await?;
    let now = kervan.clock.now();
    let mut waiting = Vec::new();
    for stored in entry
        .listings
        .iter()
        .filter(|it| ids.contains(&it.listing.id))
    {
        let (stored, quantity) = wanted(kervan, &entry, stored, now).await?;
        let listing = stored.listing;
        let shown = listing.shown(now).map(|it| (it.quantity, it.price));
        waiting.push(Waiting {
            urgency: Urgency::of(shown, (quantity, listing.price)),
            version: stored.version,
            listing,
            quantity,
        });
    }
    Ok(waiting)
}

/// Tells listings directly, and takes them from their lane; what was not told stays there.
async fn directly(kervan: &Kervan, ids: &[ListingId]) -> Result<Told, FlowError> {
    let skus: BTreeSet<Sku> = ids.iter().map(|id| id.sku.clone()).collect();
    let skus: Vec<Sku> = skus.into_iter().collect();
    let why = Why {
        has_waited: true,
        ..Why::default()
    };
    let told = publish(kervan, &skus, why).await?;
    let now = kervan.clock.now();
    for id in ids {
        let Some(item) = kervan.store.get(&keys::listing(id)).await? else {
            continue;
        };
        let due_at = item.due.as_ref().map(|due| due.at);
        if due_at.is_none_or(|at| at > now) {
            continue;
        }
        let error = told.failed.iter().find(|(failed, _)| failed == id);
        let wait = error.map_or(told.again, |(_, error)| match error.retry {
            Retry::After(wait) => Some(wait),
            _ => None,
        });
        let wait = wait.and_then(|wait| SignedDuration::try_from(wait).ok());
        let due = wait.map(|wait| bulk_due(id, Urgency::Fall, after(now, wait)));
        set_due(kervan, id, item.version, due).await?;
    }
    Ok(told)
}

/// Writes what will be handed in into the record, a part at a time, and then marks the listings; those at which somebody
/// came between are left out. Returns what is to be handed in.
async fn mark(
    kervan: &Kervan,
    record: &Record,
    waiting: Vec<Waiting>,
) -> Result<Vec<Sent>, FlowError> {
    let mut sent = Vec::with_capacity(waiting.len());
    for (part, waiting) in (1..).zip(waiting.chunks(LISTINGS_OF_A_PART)) {
        let planned: Vec<Sent> = waiting.iter().map(Waiting::sent).collect();
        record::write_part(kervan, record, part, &planned).await?;
        let mut works: Vec<Work<'_, bool>> = Vec::new();
        for it in waiting {
            works.push(Box::pin(mark_one(kervan, record, it)));
        }
        let marked = side_by_side(works).await?;
        let count = planned.len();
        let mut is_marked = marked.into_iter();
        let mut left = planned;
        left.retain(|_| is_marked.next().unwrap_or(false));
        if left.len() < count {
            record::write_part(kervan, record, part, &left).await?;
        }
        sent.extend(left);
    }
    Ok(sent)
}

impl Waiting {
    fn sent(&self) -> Sent {
        Sent {
            listing: self.listing.id.clone(),
            quantity: self.quantity,
            price: self.listing.price,
            version: self.version + 1,
        }
    }
}

async fn mark_one(kervan: &Kervan, record: &Record, it: &Waiting) -> Result<bool, FlowError> {
    let until = after(record.begun_at, OPEN_AT_MOST);
    let listing = Listing {
        doubt_until: Some(until),
        in_bulk: Some(Published {
            quantity: it.quantity,
            price: it.listing.price,
            at: record.begun_at,
        }),
        ..it.listing.clone()
    };
    // Whatever becomes of the submission, the listing comes back by itself.
    let due = bulk_due(&listing.id, it.urgency, until);
    note_published(kervan, &listing, it.version, None, Some(Some(due))).await
}

#[cfg(test)]
mod tests;
