//! What may wait is handed in together, where a channel works off many listings of one submission, and its report is read.
//!
//! Listings wait in the lanes of their channel, one for each urgency. At most one submission of a channel is at work, so
//! that no two can overtake each other. Its record goes `Marking → Submitting → Open → Ending → Idle`:
//!
//! - **Marking**: each listing forgets what it shows, and notes what the submission will set.
//! - **Submitting**: it is being handed in. Without an answer, the channel's submissions are read before any repeat.
//! - **Open**: the channel is at work. What falls is told directly meanwhile; as the submission may land after that, the
//!   listing is told once more when the report is there.
//! - **Ending**: each listing notes what it shows now.
//!
//! A submission is as large as the channel takes, and that is more than one invocation can mark or note: on the function's
//! share of a core, a call of the table costs about two milliseconds, so 25,000 listings, each read and written, take two
//! minutes and more. So an invocation works for [`WORKS_FOR`], writes how far it came, and the next one goes on from there.
//! One that is cut off leaves a lease that runs out: marking is then given up, and noting goes on.
//!
//! Whatever fails on the way, each listing has a due time in its lane at which it is told anew.
//!
//! **Memory.** A submission is read whole twice: when it is handed in, and with its report. For 25,000 listings that is
//! about 12 MB of listings, and the document of at most 10 MiB, or a report of about as much and 5 MB of answers: less
//! than 50 MB of the function's 256. While they are marked and noted, only a part or a helping of them is there.
//!
//! | file | what |
//! |---|---|
//! | `bulk/hand_in.rs` | what waits is marked and handed in |
//! | `bulk/settle.rs` | the report is read, and the listings are noted |
//! | `bulk/record.rs` | the record in the table |

mod hand_in;
mod record;
mod settle;

use super::InventoryTask;
use super::publish::{Told, Why, bulk_due, publish, wait_in_lane};
use super::side_by_side::{Work, side_by_side};
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{AccountId, Cause, Listing, ListingId, Sku};
use crate::flows::{FlowError, ledger};
use crate::marketplaces::Retry;
use crate::queue::Outgoing;
use crate::store::keys;
use hand_in::hand_in;
use jiff::{SignedDuration, Timestamp};
use record::{Record, Step};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// So many listings are read or written at once. More would not be quicker, because the function's share of a core is
/// what they wait for, and so many new connections at one moment would take longer than one may take to be made.
const AT_ONCE: usize = 32;
/// Listings of one part of the record; at less than 800 bytes each, below the store's largest item.
const LISTINGS_OF_A_PART: usize = 400;
/// An invocation begins no more of it after this time: what is begun then takes some seconds more, and a call of the channel
/// and the messages that are worked on beside it want theirs.
const WORKS_FOR: SignedDuration = SignedDuration::from_secs(15);
/// The next invocation goes on after this time.
const GOES_ON: Duration = Duration::from_secs(1);
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
        if has_waiting(kervan, id).await? {
            channels.insert(id.clone());
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

/// Whether listings wait at a channel. Costs up to three reads of the index.
pub(super) async fn has_waiting(kervan: &Kervan, channel: &AccountId) -> Result<bool, FlowError> {
    let now = kervan.clock.now();
    for urgency in WAITING {
        let lane = keys::bulk_lane(channel, urgency);
        let first = kervan.store.due(&lane, Timestamp::MIN, now, 1).await?;
        if !first.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
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
        return hand_in(kervan, &*account, stored, record::Progress::default()).await;
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
        // Nobody knows which listings of the last parts are marked.
        Step::Marking(so_far) if so_far.parts < mine.record.parts => {
            settle::give_up(kervan, mine, now).await
        }
        Step::Marking(so_far) => hand_in(kervan, &*account, mine, so_far).await,
        Step::Submitting => settle::find(kervan, door, mine).await,
        Step::Open { submissions } => settle::report(kervan, door, mine, &submissions).await,
        Step::Ending { ended, verdict } => settle::end(kervan, mine, ended, verdict).await,
    }
}

fn after(now: Timestamp, time: SignedDuration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// Whether an invocation that began then has worked long enough.
fn is_long_enough(kervan: &Kervan, began_at: Timestamp) -> bool {
    kervan.clock.now().duration_since(began_at) >= WORKS_FOR
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
    let failed: BTreeMap<&ListingId, Retry> = told
        .failed
        .iter()
        .map(|(id, error)| (id, error.retry))
        .collect();
    let mut works: Vec<Work<'_, ()>> = Vec::new();
    // What a limit held back again has just been put into its lane.
    for id in ids.iter().filter(|id| !told.in_lane.contains(id)) {
        let wait = failed.get(id).map_or(told.again, |retry| match retry {
            Retry::After(wait) => Some(*wait),
            _ => None,
        });
        works.push(Box::pin(leave_lane(kervan, id, wait)));
    }
    side_by_side(works, AT_ONCE).await?;
    Ok(told)
}

/// Takes a listing from its lane, or has it wait there for so long.
async fn leave_lane(
    kervan: &Kervan,
    id: &ListingId,
    wait: Option<Duration>,
) -> Result<(), FlowError> {
    let Some(item) = kervan.store.get(&keys::listing(id)).await? else {
        return Ok(());
    };
    let now = kervan.clock.now();
    let due_at = item.due.as_ref().map(|due| due.at);
    if due_at.is_none_or(|at| at > now) {
        return Ok(());
    }
    let listing: Listing = ledger::read(&item.body)?;
    let wait = wait.and_then(|wait| SignedDuration::try_from(wait).ok());
    let due = wait.map(|wait| bulk_due(id, Urgency::Fall, after(now, wait)));
    // What shows what it should waits for nothing.
    let cause = due.as_ref().map_or_else(Cause::default, |_| listing.cause);
    wait_in_lane(kervan, &listing, item.version, cause, due).await
}

#[cfg(test)]
mod tests;
