//! What waits at a channel is marked, as much as one submission takes, and handed in.

use super::record::{self, Progress, Record, Sent, Step, Stored};
use super::{
    AT_ONCE, FIRST_LOOKS, GOES_ON, LEASE, LISTINGS_OF_A_PART, OPEN_AT_MOST, WAITING, after,
    directly, is_long_enough, settle,
};
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{AccountId, Cause, Listing, ListingId, Published, Sku};
use crate::flows::catalog;
use crate::flows::stock::publish::{
    Told, bulk_due, is_much, note_published, set_due, wait_in_lane,
};
use crate::flows::stock::side_by_side::{Work, side_by_side};
use crate::flows::stock::supply::wanted;
use crate::flows::{FlowError, ledger, wait_of};
use crate::marketplaces::{Account, Effect, ListingUpdate, PushInBulk};
use crate::store::keys;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// So many listings are taken from the lanes at once.
const HELPING: usize = 2_000;

/// A listing that waits, read anew, with what it should show.
struct Waiting {
    listing: Listing,
    version: u64,
    quantity: u32,
    urgency: Urgency,
}

/// Hands in what waits, or goes on with that. What came to zero since, and what is too little for a submission, is told
/// directly. What is marked leaves the past of its lane, so each helping, and each invocation, finds what is left.
pub(super) async fn hand_in(
    kervan: &Kervan,
    account: &dyn Account,
    mut mine: Stored,
    mut so_far: Progress,
) -> Result<Told, FlowError> {
    let Some(door) = account.push_in_bulk() else {
        return Ok(Told::default());
    };
    let began_at = kervan.clock.now();
    let mut told = Told::default();
    let mut is_full = false;
    while !is_full && !is_long_enough(kervan, began_at) {
        let is_new = matches!(mine.record.step, Step::Idle);
        let room = door.most() - so_far.listings.min(door.most());
        let ids = collect(kervan, &mine.record.channel, room.min(HELPING)).await?;
        if is_new && !is_worth_it(account, &ids) {
            return directly(kervan, &ids).await;
        }
        let waiting = sort_out(kervan, &mine, &ids, &mut told).await?;
        let (helping, is_last) = as_many_as_fit(door, waiting, so_far.bytes);
        if helping.is_empty() {
            break;
        }
        if is_new {
            mine.record.number += 1;
            mine.record.begun_at = kervan.clock.now();
            mine.record.parts = 0;
        }
        let parts = u32::try_from(helping.len().div_ceil(LISTINGS_OF_A_PART)).unwrap_or(0);
        mine.record.parts += parts;
        let lease = after(kervan.clock.now(), LEASE);
        let Some(leased) = record::write(kervan, mine, Step::Marking(so_far), lease).await? else {
            return Ok(told);
        };
        mine = leased;
        so_far = mark(kervan, door, &mine.record, helping, so_far).await?;
        is_full = is_last || so_far.listings >= door.most();
    }
    if matches!(mine.record.step, Step::Idle) {
        return Ok(told);
    }
    if is_long_enough(kervan, began_at) {
        let now = kervan.clock.now();
        record::write(kervan, mine, Step::Marking(so_far), now).await?;
        told.again(GOES_ON);
        return Ok(told);
    }
    submit(kervan, door, mine, told).await
}

/// Whether as many as these are worth a submission.
fn is_worth_it(account: &dyn Account, ids: &[ListingId]) -> bool {
    let ids: Vec<&ListingId> = ids.iter().collect();
    let door = account.push_listings();
    !ids.is_empty() && door.is_none_or(|door| is_much(door, &ids))
}

/// Reads listings anew and tells directly what must not wait any more. Returns those that are to be handed in, the most
/// urgent first.
async fn sort_out(
    kervan: &Kervan,
    mine: &Stored,
    ids: &[ListingId],
    told: &mut Told,
) -> Result<Vec<Waiting>, FlowError> {
    let (mut waiting, mut urgent) = (Vec::new(), Vec::new());
    let now = kervan.clock.now();
    let is_marking = matches!(mine.record.step, Step::Marking(_));
    let read = read_all(kervan, ids).await?;
    let mut works: Vec<Work<'_, ()>> = Vec::new();
    for it in read {
        let submitted = it.listing.submitted(now).map(|submitted| submitted.at);
        if is_marking && submitted == Some(mine.record.begun_at) {
            // It is marked already: the index lags, or something waits for the report.
            continue;
        }
        // An earlier update may still land, over what is handed in.
        if let Some(until) = it.listing.doubt_until.filter(|until| now < *until)
            && it.urgency != Urgency::ToZero
        {
            works.push(Box::pin(async move {
                let due = bulk_due(&it.listing.id, it.urgency, until);
                set_due(kervan, &it.listing.id, it.version, Some(due)).await
            }));
            continue;
        }
        match it.urgency {
            // What shows what it should waits for nothing.
            Urgency::None => works.push(Box::pin(async move {
                wait_in_lane(kervan, &it.listing, it.version, Cause::default(), None).await
            })),
            Urgency::ToZero => urgent.push(it.listing.id),
            _ => waiting.push(it),
        }
    }
    side_by_side(works, AT_ONCE).await?;
    if !urgent.is_empty() {
        told.add(directly(kervan, &urgent).await?);
    }
    Ok(waiting)
}

/// Those that fit into what is left of a submission, and whether it is full with them.
fn as_many_as_fit(
    door: &dyn PushInBulk,
    mut waiting: Vec<Waiting>,
    mut bytes: usize,
) -> (Vec<Waiting>, bool) {
    let fit = waiting.iter().take_while(|it| {
        bytes = bytes.saturating_add(door.bytes(&it.sent().update()));
        bytes <= door.most_bytes()
    });
    let fit = fit.count();
    let is_full = fit < waiting.len();
    waiting.truncate(fit);
    (waiting, is_full)
}

async fn submit(
    kervan: &Kervan,
    door: &dyn PushInBulk,
    mine: Stored,
    mut told: Told,
) -> Result<Told, FlowError> {
    let sent = record::parts(kervan, &mine.record).await?;
    let updates: Vec<ListingUpdate> = sent.iter().flatten().map(Sent::update).collect();
    drop(sent);
    let now = kervan.clock.now();
    if updates.is_empty() {
        record::write(kervan, mine, Step::Idle, now).await?;
        return Ok(told);
    }
    let Some(mine) = record::write(kervan, mine, Step::Submitting, after(now, LEASE)).await? else {
        return Ok(told);
    };
    let channel = mine.record.channel.clone();
    let answer = door.submit(&updates).await;
    let (now, listings) = (kervan.clock.now(), updates.len());
    match answer {
        Ok(submission) => {
            tracing::info!(%channel, listings, "Listings were handed in together.");
            let submissions = vec![submission.into()];
            let step = Step::Open { submissions };
            record::write(kervan, mine, step, after(now, FIRST_LOOKS)).await?;
        }
        Err(error) if error.effect == Effect::None => {
            let wait = SignedDuration::try_from(wait_of(&error)).unwrap_or(FIRST_LOOKS);
            told.add(settle::give_up(kervan, mine, after(now, wait)).await?);
            told.of_all = Some(error);
            told.not_told += listings;
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
    let read = side_by_side(works, AT_ONCE).await?;
    let mut waiting: Vec<Waiting> = read.into_iter().flatten().collect();
    waiting.sort_by_key(|it| it.urgency);
    Ok(waiting)
}

async fn read_one(
    kervan: &Kervan,
    sku: Sku,
    ids: Vec<ListingId>,
) -> Result<Vec<Waiting>, FlowError> {
    let entry = match catalog::load_with_parts(&*kervan.store, &sku).await {
        Ok(entry) => entry,
        // One that cannot be read must not keep thousands back.
        Err(FlowError::Stored(error)) => {
            tracing::error!(%sku, error, "A sku cannot be read, and its listings are not handed in.");
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let now = kervan.clock.now();
    let mut waiting = Vec::new();
    for stored in entry
        .listings
        .iter()
        .filter(|it| ids.contains(&it.listing.id))
    {
        let wanted = wanted(kervan, &entry, stored, now).await?;
        let shown = wanted.stored.listing.shown(now);
        waiting.push(Waiting {
            urgency: wanted.urgency(shown.map(|it| (it.quantity, it.price))),
            version: wanted.stored.version,
            quantity: wanted.quantity,
            listing: wanted.stored.listing,
        });
    }
    Ok(waiting)
}

/// Writes what will be handed in into the record's next parts, a part at a time, and then marks the listings; those at which
/// somebody came between are left out.
async fn mark(
    kervan: &Kervan,
    door: &dyn PushInBulk,
    record: &Record,
    waiting: Vec<Waiting>,
    mut so_far: Progress,
) -> Result<Progress, FlowError> {
    for waiting in waiting.chunks(LISTINGS_OF_A_PART) {
        let part = so_far.parts + 1;
        let planned: Vec<Sent> = waiting.iter().map(Waiting::sent).collect();
        record::write_part(kervan, record, part, &planned).await?;
        let mut works: Vec<Work<'_, bool>> = Vec::new();
        for it in waiting {
            works.push(Box::pin(mark_one(kervan, record, it)));
        }
        let marked = side_by_side(works, AT_ONCE).await?;
        let count = planned.len();
        let mut is_marked = marked.into_iter();
        let mut left = planned;
        left.retain(|_| is_marked.next().unwrap_or(false));
        if left.len() < count {
            record::write_part(kervan, record, part, &left).await?;
        }
        let bytes: usize = left.iter().map(|sent| door.bytes(&sent.update())).sum();
        so_far = Progress {
            parts: part,
            listings: so_far.listings + left.len(),
            bytes: so_far.bytes + bytes,
        };
    }
    Ok(so_far)
}

impl Waiting {
    fn sent(&self) -> Sent {
        let told_at = self.listing.published.as_ref().map(|it| it.at);
        Sent {
            listing: self.listing.id.clone(),
            quantity: self.quantity,
            price: self.listing.price,
            version: self.version + 1,
            cause: self.listing.cause.since(told_at),
            verdict: None,
        }
    }
}

async fn mark_one(kervan: &Kervan, record: &Record, it: &Waiting) -> Result<bool, FlowError> {
    // To the millisecond, as the table keeps due times: the one must be known by the other.
    let until = after(record.begun_at, OPEN_AT_MOST).as_millisecond();
    let until = Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX);
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
