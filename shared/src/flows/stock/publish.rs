//! Listings are brought to what the table knows: the most urgent first, in calls that are as full as the channel takes.
//!
//! | file | what |
//! |---|---|
//! | `publish/put_off.rs` | what may wait goes in bulk, where that is worth it |
//! | `publish/tell.rs` | a channel is told of a batch |
//! | `publish/budget.rs` | the budget of changes that variations share |
//! | `publish/note.rs` | what the table knows of a listing is written |
//! | `publish/measure.rs` | how late a channel was told |

mod budget;
mod measure;
mod note;
mod put_off;
mod tell;

pub(in crate::flows::stock) use measure::note as note_told;
pub(in crate::flows::stock) use note::{bulk_due, note_published, set_due, wait_in_lane};
pub(in crate::flows::stock) use put_off::is_much;

use super::side_by_side::{self, side_by_side};
use super::supply::wanted;
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{AccountId, Listing, ListingId, Sku};
use crate::flows::FlowError;
use crate::flows::catalog::{self, Entry};
use crate::marketplaces::{CallError, Effect, Kind, PushListings, Retry};
use jiff::{SignedDuration, Timestamp};
use note::note_untold;
use put_off::put_off;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tell::{once_more, tell};

/// How often a listing is published anew when others come between.
const MOST_PUBLISHINGS: usize = 6;
/// What was read so long ago is read again before a channel is told.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(5);
/// So many skus are read at once.
const READ_AT_ONCE: usize = 16;

/// What telling channels came to.
#[derive(Debug, Default)]
pub(in crate::flows::stock) struct Told {
    /// Something has to be told once more, or for the first time, after this time.
    pub(in crate::flows::stock) again: Option<Duration>,
    /// Listings that were not told.
    pub(in crate::flows::stock) failed: Vec<(ListingId, CallError)>,
    /// How many more were not told: their budget is used up, or the submission that they were in was not taken.
    pub(in crate::flows::stock) not_told: usize,
    /// Listings that were not told because of a limit, and wait in the lane of their channel's bulk call.
    pub(in crate::flows::stock) in_lane: BTreeSet<ListingId>,
    /// Channels that could not be reached.
    pub(in crate::flows::stock) out_of_reach: Vec<CallError>,
    /// What concerns no listing alone.
    pub(in crate::flows::stock) of_all: Option<CallError>,
    /// Others came between too often: all of it is to be done again.
    pub(in crate::flows::stock) overtaken: bool,
}

impl Told {
    /// Something has to be told after this time, at the latest.
    pub(in crate::flows::stock) fn again(&mut self, wait: Duration) {
        self.again = Some(self.again.map_or(wait, |before| before.min(wait)));
    }

    /// What telling others came to.
    pub(in crate::flows::stock) fn add(&mut self, other: Self) {
        self.again = self.again.into_iter().chain(other.again).min();
        self.failed.extend(other.failed);
        self.not_told += other.not_told;
        self.in_lane.extend(other.in_lane);
        self.out_of_reach.extend(other.out_of_reach);
        self.of_all = self.of_all.take().or(other.of_all);
        self.overtaken |= other.overtaken;
    }
}

/// Why skus are published.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::flows::stock) struct Why {
    /// An order took units then.
    pub(in crate::flows::stock) ordered_at: Option<Timestamp>,
    /// Suppliers were asked since then.
    pub(in crate::flows::stock) looked_since: Option<Timestamp>,
    /// What may wait has waited long enough, and is not put off again.
    pub(in crate::flows::stock) has_waited: bool,
}

/// A listing that is looked at.
#[derive(Debug, Clone)]
struct Work {
    id: ListingId,
    entry: Arc<Entry>,
    read_at: Timestamp,
    /// How often it was looked at.
    looks: usize,
    /// The channel was told already, and then somebody came between.
    is_told: bool,
}

/// A listing whose channel has to be told.
#[derive(Debug)]
struct Job {
    work: Work,
    listing: Listing,
    version: u64,
    quantity: u32,
    urgency: Urgency,
}

/// Brings listings of skus to what the table knows; those that show it already cost no call.
pub(in crate::flows::stock) async fn publish(
    kervan: &Kervan,
    skus: &[Sku],
    why: Why,
) -> Result<Told, FlowError> {
    let mut told = Told::default();
    let mut jobs = Vec::new();
    for (entry, read_at) in load(kervan, skus).await? {
        for stored in &entry.listings {
            let work = Work {
                id: stored.listing.id.clone(),
                entry: entry.clone(),
                read_at,
                looks: 0,
                is_told: false,
            };
            jobs.extend(decide(kervan, work, &mut told).await?);
        }
    }
    let mut accounts = put_off::Accounts::new();
    for job in &jobs {
        let channel = &job.listing.id.channel;
        if !accounts.contains_key(channel) {
            accounts.insert(channel.clone(), kervan.accounts.get(channel).await);
        }
    }
    if !why.has_waited {
        jobs = put_off(kervan, jobs, &accounts, why).await?;
    }
    while !jobs.is_empty() {
        jobs.sort_by_key(|job| job.urgency);
        let channel = jobs[0].listing.id.channel.clone();
        let account = match accounts.get(&channel) {
            Some(Ok(account)) => account,
            other => {
                let error = other.and_then(|found| found.as_ref().err()).cloned();
                let error = error.unwrap_or_else(|| misconfigured(&channel, "unknown-account"));
                fail_channel(&mut jobs, &error, &mut told);
                continue;
            }
        };
        let Some(door) = account.push_listings() else {
            fail_channel(
                &mut jobs,
                &misconfigured(&channel, "not-a-channel"),
                &mut told,
            );
            continue;
        };
        let batch = next_batch(&mut jobs, door);
        for work in tell(kervan, &**account, door, batch, why, &mut told).await? {
            jobs.extend(read_again(kervan, work, &mut told).await?);
        }
        // One channel that does not answer must not use up the time of the others.
        for error in std::mem::take(&mut told.out_of_reach) {
            fail_channel(&mut jobs, &error.with_effect(Effect::None), &mut told);
        }
    }
    if told.overtaken {
        return Err(FlowError::Overtaken);
    }
    Ok(told)
}

/// Reads skus, each with the time before it was read, and the bundles that they are parts of: a bundle has fewer units when
/// one of its parts has, so it is published with them.
async fn load(kervan: &Kervan, skus: &[Sku]) -> Result<Vec<(Arc<Entry>, Timestamp)>, FlowError> {
    let mut entries: Vec<(Arc<Entry>, Timestamp)> = Vec::new();
    let mut seen: BTreeSet<Sku> = BTreeSet::new();
    let mut open = skus.to_vec();
    open.retain(|sku| seen.insert(sku.clone()));
    while !open.is_empty() {
        let mut works: Vec<side_by_side::Work<'_, _>> = Vec::new();
        for sku in std::mem::take(&mut open) {
            works.push(Box::pin(async move {
                let read_at = kervan.clock.now();
                let entry = catalog::load_with_parts(&*kervan.store, &sku).await?;
                Ok((Arc::new(entry), read_at))
            }));
        }
        let read = side_by_side(works, READ_AT_ONCE).await?;
        let bundles = read.iter().flat_map(|(entry, _)| &entry.part_of);
        let new = bundles.filter(|bundle| seen.insert((*bundle).clone()));
        open.extend(new.cloned());
        entries.extend(read);
    }
    Ok(entries)
}

/// What has to be told of a listing, if anything.
async fn decide(kervan: &Kervan, work: Work, told: &mut Told) -> Result<Option<Job>, FlowError> {
    let mut listings = work.entry.listings.iter();
    let Some(stored) = listings.find(|stored| stored.listing.id == work.id) else {
        return Ok(None);
    };
    let now = kervan.clock.now();
    let price_before = stored.listing.price;
    let wanted = wanted(kervan, &work.entry, stored, now).await?;
    let (listing, quantity) = (&wanted.stored.listing, wanted.quantity);
    if listing.price.minor <= 0 {
        // The rules have not come to a price yet, and what has no price is not sold.
        tracing::warn!(sku = %listing.id.sku, channel = %listing.id.channel, "A listing has no price yet and is not published.");
        return Ok(None);
    }
    let version = wanted.stored.version;
    let shown = listing.shown(now);
    let shown = shown.map(|shown| (shown.quantity, shown.price));
    let submitted = listing.submitted(now);
    let expected = shown.or(submitted.map(|it| (it.quantity, it.price)));
    let mut urgency = wanted.urgency(expected);
    if submitted.is_some() && urgency.may_wait() && !work.is_told {
        // The submission could undo it. It is told when its report is there.
        let due = bulk_due(&listing.id, urgency, now);
        set_due(kervan, &listing.id, version, Some(due)).await?;
        return Ok(None);
    }
    if urgency == Urgency::None && !work.is_told {
        if listing.price != price_before {
            // What is not on sale is told no price; it is kept, so that the next step is one from here.
            note_untold(kervan, listing, version, None).await?;
        }
        once_more(listing, now, told);
        return Ok(None);
    }
    if work.is_told {
        // An older update may have come last: nobody knows what it shows.
        urgency = Urgency::of(None, (quantity, listing.price));
    }
    if work.looks >= MOST_PUBLISHINGS {
        told.overtaken = true;
        return Ok(None);
    }
    let listing = wanted.stored.listing;
    let looks = work.looks + 1;
    Ok(Some(Job {
        work: Work { looks, ..work },
        listing,
        version,
        quantity,
        urgency,
    }))
}

/// Reads a listing anew and decides again.
async fn read_again(
    kervan: &Kervan,
    work: Work,
    told: &mut Told,
) -> Result<Option<Job>, FlowError> {
    let read_at = kervan.clock.now();
    let entry = Arc::new(catalog::load_with_parts(&*kervan.store, &work.id.sku).await?);
    let work = Work {
        entry,
        read_at,
        ..work
    };
    decide(kervan, work, told).await
}

/// The next listings to tell together: one call of the channel of the most urgent, zeros by themselves.
fn next_batch(jobs: &mut Vec<Job>, door: &dyn PushListings) -> Vec<Job> {
    let Some(first) = jobs.first() else {
        return Vec::new();
    };
    let is_zero = |job: &Job| job.urgency == Urgency::ToZero;
    let of_call = |job: &&Job| {
        job.listing.id.channel == first.listing.id.channel && is_zero(job) == is_zero(first)
    };
    let fitting: Vec<&ListingId> = jobs
        .iter()
        .filter(of_call)
        .map(|job| &job.listing.id)
        .collect();
    let chosen: BTreeSet<ListingId> = next_places(door, &fitting)
        .into_iter()
        .filter_map(|place| fitting.get(place).map(|id| (*id).clone()))
        .collect();
    jobs.extract_if(.., |job| chosen.contains(&job.listing.id))
        .collect()
}

/// The places of the listings that the next call sets, in order; the first is always one of them.
fn next_places(door: &dyn PushListings, listings: &[&ListingId]) -> Vec<usize> {
    let mut places = door.one_call(listings);
    places.push(0);
    places.retain(|place| *place < listings.len());
    places.sort_unstable();
    places.dedup();
    places
}

fn fail_channel(jobs: &mut Vec<Job>, error: &CallError, told: &mut Told) {
    let failed = jobs.extract_if(.., |job| job.listing.id.channel == error.account);
    told.failed
        .extend(failed.map(|job| (job.listing.id, error.clone())));
}

fn misconfigured(channel: &AccountId, code: &str) -> CallError {
    CallError::new(channel, "publish", Kind::Misconfigured, Retry::Person, code)
}

#[cfg(test)]
mod tests;
