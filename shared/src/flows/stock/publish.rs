//! Listings are brought to what the table knows: the most urgent first, in calls that are as full as the channel takes.

mod budget;

use super::read_back;
use super::supply::wanted;
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{Listing, ListingId, Published, Revisions, Sku};
use crate::flows::catalog::{self, Entry};
use crate::flows::{FlowError, LANDS_WITHIN, ledger};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{Account, CallError, Effect, Kind, ListingUpdate, PushListings, Retry};
use crate::metrics::{Count, Measure};
use crate::store::{Due, Guard, Write, WriteError, keys};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// How often a listing is published anew when others come between.
const MOST_PUBLISHINGS: usize = 6;
/// What was read so long ago is read again before a channel is told.
const KNOWN_FOR: SignedDuration = SignedDuration::from_secs(5);
/// So many listings of one channel that may wait are told in bulk, where the channel has it.
pub(in crate::flows::stock) const BULK_FROM: usize = 20;

/// What telling channels came to.
#[derive(Debug, Default)]
pub(in crate::flows::stock) struct Told {
    /// Something has to be told once more, or for the first time, after this time.
    pub(in crate::flows::stock) again: Option<Duration>,
    /// Listings that were not told.
    pub(in crate::flows::stock) failed: Vec<(ListingId, CallError)>,
    /// What concerns no listing alone.
    pub(in crate::flows::stock) of_all: Option<CallError>,
    /// Others came between too often: all of it is to be done again.
    pub(in crate::flows::stock) overtaken: bool,
}

impl Told {
    fn again(&mut self, wait: Duration) {
        self.again = Some(self.again.map_or(wait, |before| before.min(wait)));
    }
}

/// Why skus are published.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::flows::stock) struct Why {
    /// An order took units then.
    pub(in crate::flows::stock) ordered_at: Option<Timestamp>,
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

/// A listing of which the table has forgotten what it shows, because its channel is being told.
#[derive(Debug)]
struct Marked {
    job: Job,
    counted: Counted,
    at: Timestamp,
}

/// Where a change was counted.
#[derive(Debug)]
enum Counted {
    /// Nowhere: the channel has no budget.
    No,
    /// In the listing, which had these before.
    Own(Revisions),
    /// In the counter that variations share.
    Shared,
}

/// Brings listings of skus to what the table knows; those that show it already cost no call.
pub(in crate::flows::stock) async fn publish(
    kervan: &Kervan,
    skus: &[Sku],
    why: Why,
) -> Result<Told, FlowError> {
    let mut told = Told::default();
    let mut jobs = Vec::new();
    // A bundle has fewer units when one of its parts has: it is published with them.
    let mut open: VecDeque<Sku> = skus.iter().cloned().collect();
    let mut seen: BTreeSet<Sku> = skus.iter().cloned().collect();
    while let Some(sku) = open.pop_front() {
        let read_at = kervan.clock.now();
        let entry = Arc::new(catalog::load_with_parts(&*kervan.store, &sku).await?);
        let bundles = entry.part_of.iter();
        open.extend(
            bundles
                .filter(|bundle| seen.insert((*bundle).clone()))
                .cloned(),
        );
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
    let mut accounts: BTreeMap<_, Result<Arc<dyn Account>, CallError>> = BTreeMap::new();
    for job in &jobs {
        let channel = &job.listing.id.channel;
        if !accounts.contains_key(channel) {
            accounts.insert(channel.clone(), kervan.accounts.get(channel).await);
        }
    }
    if !why.has_waited {
        jobs = put_off(kervan, jobs, &accounts).await?;
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
    }
    if told.overtaken {
        return Err(FlowError::Overtaken);
    }
    Ok(told)
}

/// What has to be told of a listing, if anything.
async fn decide(kervan: &Kervan, work: Work, told: &mut Told) -> Result<Option<Job>, FlowError> {
    let mut listings = work.entry.listings.iter();
    let Some(stored) = listings.find(|stored| stored.listing.id == work.id) else {
        return Ok(None);
    };
    let now = kervan.clock.now();
    let (stored, quantity) = wanted(kervan, &work.entry, stored, now).await?;
    let listing = stored.listing;
    if listing.price.minor <= 0 {
        // The rules have not come to a price yet, and what has no price is not sold.
        tracing::warn!(sku = %listing.id.sku, channel = %listing.id.channel, "A listing has no price yet and is not published.");
        return Ok(None);
    }
    let shown = listing.shown(now);
    let shown = shown.map(|shown| (shown.quantity, shown.price));
    let submitted = listing.submitted(now);
    let expected = shown.or(submitted.map(|it| (it.quantity, it.price)));
    let mut urgency = Urgency::of(expected, (quantity, listing.price));
    if submitted.is_some() && urgency.may_wait() && !work.is_told {
        // The submission could undo it. It is told when its report is there.
        let due = bulk_due(&listing.id, urgency, now);
        set_due(kervan, &listing.id, stored.version, Some(due)).await?;
        return Ok(None);
    }
    if urgency == Urgency::None && !work.is_told {
        once_more(&listing, now, told);
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
    let version = stored.version;
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

/// Puts off what may wait, where it is so much that the channel's bulk call is worth it.
async fn put_off(
    kervan: &Kervan,
    jobs: Vec<Job>,
    accounts: &BTreeMap<crate::domain::AccountId, Result<Arc<dyn Account>, CallError>>,
) -> Result<Vec<Job>, FlowError> {
    let has_bulk = |job: &Job| {
        let account = accounts.get(&job.listing.id.channel);
        account.is_some_and(|found| matches!(found, Ok(it) if it.push_in_bulk().is_some()))
    };
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.urgency.may_wait()) {
        *counts.entry(job.listing.id.channel.clone()).or_default() += 1;
    }
    let mut rest = Vec::new();
    for job in jobs {
        let waiting = counts.get(&job.listing.id.channel).copied().unwrap_or(0);
        if waiting < BULK_FROM || !job.urgency.may_wait() || !has_bulk(&job) {
            rest.push(job);
            continue;
        }
        let now = kervan.clock.now();
        let due = bulk_due(&job.listing.id, job.urgency, now);
        // Whoever came between tells the channel, or puts it off.
        set_due(kervan, &job.listing.id, job.version, Some(due)).await?;
    }
    Ok(rest)
}

/// The next listings to tell together: one call of the channel of the most urgent, zeros by themselves.
fn next_batch(jobs: &mut Vec<Job>, door: &dyn PushListings) -> Vec<Job> {
    let most = door.most_at_once().max(1);
    let (mut batch, mut rest): (Vec<Job>, Vec<Job>) = (Vec::new(), Vec::new());
    for job in jobs.drain(..) {
        let fits = batch.first().is_none_or(|first| {
            let (one, other) = (&first.listing.id, &job.listing.id);
            let both_zero = |job: &Job| job.urgency == Urgency::ToZero;
            one.channel == other.channel
                && both_zero(first) == both_zero(&job)
                && door.go_together(one, other)
        });
        if fits && batch.len() < most {
            batch.push(job);
        } else {
            rest.push(job);
        }
    }
    *jobs = rest;
    batch
}

fn fail_channel(jobs: &mut Vec<Job>, error: &CallError, told: &mut Told) {
    let failed = jobs.extract_if(.., |job| job.listing.id.channel == error.account);
    told.failed
        .extend(failed.map(|job| (job.listing.id, error.clone())));
}

fn misconfigured(channel: &crate::domain::AccountId, code: &str) -> CallError {
    CallError::new(channel, "publish", Kind::Misconfigured, Retry::Person, code)
}

/// Tells a channel of a batch. Before, the table forgets what the listings show; only a worker that nobody came between
/// notes it again. So two workers at once cannot leave the channel with one number and the table with the other. Returns
/// the listings at which somebody came between.
async fn tell(
    kervan: &Kervan,
    account: &dyn Account,
    door: &dyn PushListings,
    batch: Vec<Job>,
    why: Why,
    told: &mut Told,
) -> Result<Vec<Work>, FlowError> {
    let (mut overtaken, mut marked) = (Vec::new(), Vec::new());
    for mut job in batch {
        let now = kervan.clock.now();
        if now.duration_since(job.work.read_at) > KNOWN_FOR {
            let mut work = job.work;
            // It was not told, so this look does not count.
            work.looks -= 1;
            match read_again(kervan, work, told).await? {
                Some(again) => job = again,
                None => continue,
            }
        }
        match mark(kervan, door, job, told).await? {
            Ok(it) => marked.push(it),
            Err(work) => overtaken.extend(work),
        }
    }
    if marked.is_empty() {
        return Ok(overtaken);
    }
    let updates: Vec<ListingUpdate> = marked.iter().map(|it| it.job.update()).collect();
    let mut results = match door.push(&updates).await {
        Ok(results) => results,
        Err(error) => vec![Err(error); updates.len()],
    };
    let unsaid = misconfigured(account.id(), "no-answer-for-item").with_effect(Effect::Unknown);
    results.resize(updates.len(), Err(unsaid));
    for (marked, result) in marked.into_iter().zip(results) {
        match result {
            Ok(()) => overtaken.extend(succeed(kervan, account, marked, why, told).await?),
            Err(error) => fail(kervan, account, marked, error, told).await?,
        }
    }
    Ok(overtaken)
}

impl Job {
    fn update(&self) -> ListingUpdate {
        ListingUpdate {
            listing: self.listing.id.clone(),
            quantity: self.quantity,
            price: self.listing.price,
        }
    }
}

/// Counts the change and forgets what the listing shows. The inner error is a listing that is not to be told now: with the
/// work where somebody came between.
async fn mark(
    kervan: &Kervan,
    door: &dyn PushListings,
    mut job: Job,
    told: &mut Told,
) -> Result<Result<Marked, Option<Work>>, FlowError> {
    let at = kervan.clock.now();
    let mut counted = Counted::No;
    if let Some(most) = door.revisions_per_day() {
        let to_zero = job.quantity == 0;
        let wait = if let Some(shared) = shared_budget(&job.listing) {
            counted = Counted::Shared;
            budget::take(kervan, shared, most, to_zero, at).await?
        } else {
            let before = job.listing.revisions.clone();
            job.listing.revisions = before.with_one_more(at);
            let wait = before.wait(most, to_zero, at);
            counted = Counted::Own(before);
            wait
        };
        if !wait.is_zero() {
            let (id, quantity) = (&job.listing.id, job.quantity);
            tracing::warn!(sku = %id.sku, channel = %id.channel, quantity, "A listing was changed too often today and has to wait.");
            told.again(wait);
            return Ok(Err(None));
        }
    }
    if note_published(kervan, &job.listing, job.version, None, None).await? {
        return Ok(Ok(Marked { job, counted, at }));
    }
    if let (Counted::Shared, Some(shared)) = (&counted, shared_budget(&job.listing)) {
        budget::give_back(kervan, shared, at).await?;
    }
    Ok(Err(Some(job.work)))
}

fn shared_budget(listing: &Listing) -> Option<(&crate::domain::AccountId, &str)> {
    let group = listing.variation_of.as_deref()?;
    Some((&listing.id.channel, group))
}

/// Notes what the channel shows now. Where somebody came between, the listing is looked at again.
async fn succeed(
    kervan: &Kervan,
    account: &dyn Account,
    marked: Marked,
    why: Why,
    told: &mut Told,
) -> Result<Option<Work>, FlowError> {
    let Marked { job, at, .. } = marked;
    let (id, quantity) = (&job.listing.id, job.quantity);
    tracing::info!(sku = %id.sku, channel = %id.channel, quantity, "A listing was published.");
    let published = Published {
        quantity,
        price: job.listing.price,
        at,
    };
    let can_read = account.read_listings().is_some() && job.listing.submitted(at).is_none();
    let sampled = can_read.then(|| read_back::due(id, at)).flatten().map(Some);
    if !note_published(
        kervan,
        &job.listing,
        job.version + 1,
        Some(published),
        sampled,
    )
    .await?
    {
        let work = Work {
            is_told: true,
            ..job.work
        };
        return Ok(Some(work));
    }
    measure(kervan, &job, why);
    once_more(&job.listing, at, told);
    Ok(None)
}

fn measure(kervan: &Kervan, job: &Job, why: Why) {
    kervan.metrics.count(Count::ListingsTold, 1);
    let now = kervan.clock.now();
    if let (Some(at), true) = (why.ordered_at, job.urgency <= Urgency::Fall) {
        let time = now.duration_since(at);
        kervan.metrics.note(Measure::OrderToLowered, time);
        return;
    }
    let evidence = job.work.entry.offers.iter();
    let newest = evidence.filter_map(|stored| stored.offer.evidence.as_ref().map(|it| it.at));
    // What the listing was told of already is not what this was told for: evidence that fades, say.
    let before = job.listing.published.as_ref().map(|published| published.at);
    if let Some(at) = newest
        .max()
        .filter(|at| before.is_none_or(|before| before < *at))
    {
        let time = now.duration_since(at);
        kervan.metrics.note(Measure::EvidenceToPublished, time);
    }
}

/// What one listing's failure leaves: a doubt, or a count that is given back. What a limit held back goes in bulk where the
/// channel has it, but for zeros, which wait for the next moment.
async fn fail(
    kervan: &Kervan,
    account: &dyn Account,
    marked: Marked,
    error: CallError,
    told: &mut Told,
) -> Result<(), FlowError> {
    let Marked { job, counted, at } = marked;
    if error.effect != Effect::None {
        note_doubt(kervan, &job.listing.id).await?;
        told.failed.push((job.listing.id, error));
        return Ok(());
    }
    let in_bulk = error.kind == Kind::Throttled
        && job.urgency != Urgency::ToZero
        && account.push_in_bulk().is_some();
    let due = in_bulk.then(|| bulk_due(&job.listing.id, job.urgency, kervan.clock.now()));
    let mut listing = job.listing;
    let mut is_changed = due.is_some();
    match counted {
        Counted::No => {}
        Counted::Own(before) => {
            listing.revisions = before;
            is_changed = true;
        }
        Counted::Shared => {
            if let Some(shared) = shared_budget(&listing) {
                budget::give_back(kervan, shared, at).await?;
            }
        }
    }
    if is_changed {
        // Nothing was changed, so nothing counts. Where somebody came between, one too many is counted, and they tell it.
        note_published(kervan, &listing, job.version + 1, None, due.map(Some)).await?;
    }
    if !in_bulk {
        told.failed.push((listing.id, error));
    }
    Ok(())
}

/// Whether a listing that was just told has to be told again, because an earlier update may still land. A longer doubt is
/// that of a submission, whose report has its own time.
fn once_more(listing: &Listing, now: Timestamp, told: &mut Told) {
    let left = listing.doubt_until.map(|until| until.duration_since(now));
    let left = left.filter(|left| *left <= LANDS_WITHIN);
    let left = left.and_then(|left| Duration::try_from(left).ok());
    if let Some(left) = left
        && !left.is_zero()
        && stands(Safety::LateUpdate)
    {
        told.again(left);
    }
}

/// Notes that an update got no answer: it may land late, over newer ones. The quantities of a listing that is told in vain
/// for long stay in doubt with the last of them.
async fn note_doubt(kervan: &Kervan, id: &ListingId) -> Result<(), FlowError> {
    for _ in 0..MOST_PUBLISHINGS {
        let entry = catalog::load(&*kervan.store, &id.sku).await?;
        let mut listings = entry.listings.into_iter();
        let Some(stored) = listings.find(|stored| stored.listing.id == *id) else {
            return Ok(());
        };
        let until = kervan.clock.now().checked_add(LANDS_WITHIN).ok();
        let until = until.max(stored.listing.doubt_until);
        let listing = Listing {
            doubt_until: until.filter(|_| stands(Safety::LateUpdate)),
            ..stored.listing
        };
        if note_published(kervan, &listing, stored.version, None, None).await? {
            return Ok(());
        }
    }
    Err(FlowError::Overtaken)
}

/// The entry of a listing that waits to be told in bulk.
pub(in crate::flows::stock) fn bulk_due(id: &ListingId, urgency: Urgency, at: Timestamp) -> Due {
    Due {
        lane: keys::bulk_lane(&id.channel, urgency),
        at,
    }
}

/// Sets a listing's due time where it is still at this version; whoever changed it in between knows better.
pub(in crate::flows::stock) async fn set_due(
    kervan: &Kervan,
    id: &ListingId,
    version: u64,
    due: Option<Due>,
) -> Result<(), FlowError> {
    let write = Write::Update {
        key: keys::listing(id),
        set_body: None,
        set_due: Some(due),
        add: Vec::new(),
        only_if: vec![Guard::Version(version)],
    };
    match kervan.store.write(vec![write]).await {
        Ok(()) | Err(WriteError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Notes what the channel shows, where the listing is still at this version; false where it is not.
pub(in crate::flows::stock) async fn note_published(
    kervan: &Kervan,
    listing: &Listing,
    version: u64,
    published: Option<Published>,
    set_due: Option<Option<Due>>,
) -> Result<bool, FlowError> {
    let is_sure = |published: &Published| listing.doubt_until.is_some_and(|at| at <= published.at);
    let over = published.as_ref().is_some_and(is_sure);
    let listing = Listing {
        published,
        doubt_until: listing.doubt_until.filter(|_| !over),
        ..listing.clone()
    };
    let mut only_if = vec![Guard::Version(version)];
    only_if.retain(|_| stands(Safety::ListingVersion));
    let write = Write::Update {
        key: keys::listing(&listing.id),
        set_body: Some(ledger::write(&listing)?),
        set_due,
        add: Vec::new(),
        only_if,
    };
    match kervan.store.write(vec![write]).await {
        Ok(()) => Ok(true),
        Err(WriteError::Conflict(_) | WriteError::Contended) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
