//! A channel is told of a batch of listings, with one call.
//!
//! Before, the table forgets what the listings show, and notes until when the update may land; only a worker that nobody
//! came between notes what it shows again. Whoever tells a listing while another is at it tells it once more when the
//! other's update must have landed, whatever became of the other. So no two workers leave the channel with one number and
//! the table with the other.

use super::budget;
use super::measure;
use super::note::{bulk_due, note_published, note_untold};
use super::{Job, KNOWN_FOR, MOST_PUBLISHINGS, Told, Why, Work, misconfigured, read_again};
use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{AccountId, Cause, Listing, ListingId, Published, Purpose, Revisions};
use crate::flows::catalog;
use crate::flows::stock::read_back;
use crate::flows::stock::side_by_side::{self, side_by_side};
use crate::flows::{FlowError, LANDS_WITHIN, SURELY_LANDED};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{
    Account, CallError, Effect, Kind, ListingUpdate, OWN_LIMIT, PushListings, Retry,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// A channel is told so long after a mark at the latest: longer than the function may run.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// A turn that our own limit gives by then is waited for: at Amazon's five calls a second, those are as many as are told
/// directly where no limit is met. What has to wait longer is better handed in.
const TURN_COMES_SOON: Duration = Duration::from_secs(4);

/// So many listings of a batch are marked, or noted, at once: a full call of a channel can hold thousands.
const AT_ONCE: usize = 16;

/// A listing of which the table has forgotten what it shows, because its channel is being told.
#[derive(Debug)]
struct Marked {
    job: Job,
    counted: Counted,
    at: Timestamp,
    cause: Cause,
    /// It comes from the lane of the channel's bulk call.
    has_waited: bool,
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

/// Tells a channel of a batch. Returns the listings at which somebody came between.
pub(super) async fn tell(
    kervan: &Kervan,
    account: &dyn Account,
    door: &dyn PushListings,
    batch: Vec<Job>,
    why: Why,
    told: &mut Told,
) -> Result<Vec<Work>, FlowError> {
    let (mut overtaken, mut marked) = (Vec::new(), Vec::new());
    let mut works: Vec<side_by_side::Work<'_, _>> = Vec::new();
    for jobs in by_counter(batch, |job| &job.listing) {
        works.push(Box::pin(mark_in_turn(kervan, door, jobs, why)));
    }
    for (of_these, more) in side_by_side(works, AT_ONCE).await? {
        told.add(more);
        for one in of_these {
            match one {
                Ok(it) => marked.push(it),
                Err(work) => overtaken.push(work),
            }
        }
    }
    if marked.is_empty() {
        return Ok(overtaken);
    }
    let updates: Vec<ListingUpdate> = marked.iter().map(|it| it.job.update()).collect();
    let first = marked.iter().map(|it| it.at).min();
    let not_after = first.and_then(|first| first.checked_add(TOLD_WITHIN).ok());
    let not_after = not_after.unwrap_or(Timestamp::MAX);
    let mut results = match door.push(&updates, not_after).await {
        Ok(results) => results,
        Err(error) => {
            if keeps_others_back(&error) {
                told.out_of_reach.push(error.clone());
            }
            vec![Err(error); updates.len()]
        }
    };
    let unsaid = misconfigured(account.id(), "no-answer-for-item").with_effect(Effect::Unknown);
    results.resize(updates.len(), Err(unsaid));
    let answered = marked.into_iter().zip(results).collect();
    let mut works: Vec<side_by_side::Work<'_, _>> = Vec::new();
    for answered in by_counter(answered, |(marked, _)| &marked.job.listing) {
        works.push(Box::pin(note_in_turn(kervan, account, answered)));
    }
    for (works, more) in side_by_side(works, AT_ONCE).await? {
        told.add(more);
        overtaken.extend(works);
    }
    Ok(overtaken)
}

/// Whether the next call to the channel would only wait as long and meet the same.
const fn keeps_others_back(error: &CallError) -> bool {
    matches!(
        error.kind,
        Kind::Unreachable | Kind::NoAnswer | Kind::TokenInvalid | Kind::ConsentEnded
    )
}

impl Job {
    fn update(&self) -> ListingUpdate {
        ListingUpdate::new(self.listing.id.clone(), self.quantity, self.listing.price)
    }
}

/// The same in groups: those that are counted together come one after the other, because side by side they would only come
/// between each other; any other is alone.
fn by_counter<T>(all: Vec<T>, listing_of: impl Fn(&T) -> &Listing) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for one in all {
        let Some(counter) = listing_of(&one).variation_of.clone() else {
            groups.push(vec![one]);
            continue;
        };
        let place = *places.entry(counter).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups
}

/// Marks listings one after the other: those that can be told now, and the work on those at which somebody came between.
async fn mark_in_turn(
    kervan: &Kervan,
    door: &dyn PushListings,
    jobs: Vec<Job>,
    why: Why,
) -> Result<(Vec<Result<Marked, Work>>, Told), FlowError> {
    let (mut marked, mut told) = (Vec::new(), Told::default());
    for mut job in jobs {
        let now = kervan.clock.now();
        if now.duration_since(job.work.read_at) > KNOWN_FOR {
            let mut work = job.work;
            // It was not told, so this look does not count.
            work.looks -= 1;
            match read_again(kervan, work, &mut told).await? {
                Some(again) => job = again,
                None => continue,
            }
        }
        marked.extend(mark(kervan, door, job, why, &mut told).await?);
    }
    Ok((marked, told))
}

/// Counts the change and forgets what the listing shows. `None` is a listing that has to wait for its budget; the error is
/// the work where somebody came between.
async fn mark(
    kervan: &Kervan,
    door: &dyn PushListings,
    mut job: Job,
    why: Why,
    told: &mut Told,
) -> Result<Option<Result<Marked, Work>>, FlowError> {
    let at = kervan.clock.now();
    let Some(counted) = count(kervan, door, &mut job, at, told).await? else {
        told.not_told += 1;
        return Ok(None);
    };
    let cause = measure::cause(&job.listing, &job.work.entry, job.urgency, why);
    let lands = at.checked_add(SURELY_LANDED).ok();
    let listing = Listing {
        doubt_until: lands
            .filter(|_| stands(Safety::LateUpdate))
            .max(job.listing.doubt_until),
        ..job.listing.clone()
    };
    if note_published(kervan, &listing, job.version, None, None).await? {
        return Ok(Some(Ok(Marked {
            job,
            counted,
            at,
            cause,
            has_waited: why.has_waited,
        })));
    }
    if let (Counted::Shared, Some(shared)) = (&counted, shared_budget(&job.listing)) {
        budget::give_back(kervan, shared, at).await?;
    }
    Ok(Some(Err(job.work)))
}

/// Counts a change where there is room for it; `None` where it has to wait. A fall without room goes to zero out of what is
/// kept for that: nothing is sold meanwhile that is not there, and the listing comes back when there is room for a rise.
async fn count(
    kervan: &Kervan,
    door: &dyn PushListings,
    job: &mut Job,
    at: Timestamp,
    told: &mut Told,
) -> Result<Option<Counted>, FlowError> {
    let Some(most) = door.revisions_per_day() else {
        return Ok(Some(Counted::No));
    };
    let purpose = match job.urgency {
        _ if job.quantity == 0 => Purpose::Zero,
        Urgency::ToZero | Urgency::Fall => Purpose::Fall,
        Urgency::Rise | Urgency::Price | Urgency::None => Purpose::Rise,
    };
    let counted = match count_as(kervan, most, job, purpose, at).await? {
        Err(wait) if purpose == Purpose::Fall => {
            let zero = count_as(kervan, most, job, Purpose::Zero, at).await?;
            if zero.is_ok() {
                let (id, quantity) = (&job.listing.id, job.quantity);
                tracing::warn!(sku = %id.sku, channel = %id.channel, quantity, "A listing was changed too often today and goes to zero until it may be changed again.");
                job.quantity = 0;
                job.urgency = Urgency::ToZero;
                told.again(wait);
            }
            zero
        }
        counted => counted,
    };
    match counted {
        Ok(counted) => Ok(Some(counted)),
        Err(wait) => {
            let (id, quantity) = (&job.listing.id, job.quantity);
            tracing::warn!(sku = %id.sku, channel = %id.channel, quantity, "A listing was changed too often today and has to wait.");
            told.again(wait);
            Ok(None)
        }
    }
}

/// Counts a change for this purpose, in the listing or in the counter that it shares; the error is how long it has to wait.
async fn count_as(
    kervan: &Kervan,
    most: u32,
    job: &mut Job,
    purpose: Purpose,
    at: Timestamp,
) -> Result<Result<Counted, Duration>, FlowError> {
    if let Some(shared) = shared_budget(&job.listing) {
        let wait = budget::take(kervan, shared, most, purpose, at).await?;
        return Ok(if wait.is_zero() {
            Ok(Counted::Shared)
        } else {
            Err(wait)
        });
    }
    let before = job.listing.revisions.clone();
    let wait = before.wait(most, purpose, at);
    if !wait.is_zero() {
        return Ok(Err(wait));
    }
    job.listing.revisions = before.with_one_more(at);
    Ok(Ok(Counted::Own(before)))
}

fn shared_budget(listing: &Listing) -> Option<(&AccountId, &str)> {
    let group = listing.variation_of.as_deref()?;
    Some((&listing.id.channel, group))
}

/// Notes what became of listings, one after the other. Returns those at which somebody came between.
async fn note_in_turn(
    kervan: &Kervan,
    account: &dyn Account,
    answered: Vec<(Marked, Result<(), CallError>)>,
) -> Result<(Vec<Work>, Told), FlowError> {
    let (mut overtaken, mut told) = (Vec::new(), Told::default());
    for (marked, answer) in answered {
        match answer {
            Ok(()) => overtaken.extend(succeed(kervan, account, marked, &mut told).await?),
            Err(error) => fail(kervan, account, marked, error, &mut told).await?,
        }
    }
    Ok((overtaken, told))
}

/// Notes what the channel shows now. Where somebody came between, the listing is looked at again.
async fn succeed(
    kervan: &Kervan,
    account: &dyn Account,
    marked: Marked,
    told: &mut Told,
) -> Result<Option<Work>, FlowError> {
    let Marked { job, at, cause, .. } = marked;
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
    measure::note(kervan, cause);
    once_more(&job.listing, at, told);
    Ok(None)
}

/// What one listing's failure leaves: a doubt, or a count that is given back. What a limit holds back for long goes in bulk
/// where the channel has it, but for zeros, which wait for the next moment.
async fn fail(
    kervan: &Kervan,
    account: &dyn Account,
    marked: Marked,
    error: CallError,
    told: &mut Told,
) -> Result<(), FlowError> {
    let Marked {
        job,
        counted,
        at,
        cause,
        has_waited,
    } = marked;
    if error.effect != Effect::None {
        note_doubt(kervan, &job.listing.id).await?;
        told.failed.push((job.listing.id, error));
        return Ok(());
    }
    // Where the channel refuses, nobody knows how long that lasts.
    let has_turn = matches!(error.retry, Retry::After(wait) if wait < TURN_COMES_SOON)
        && error.code == OWN_LIMIT;
    // What comes from its lane, because it is too little for a submission, is tried again as soon as the limit lets it.
    let in_bulk = error.kind == Kind::Throttled
        && !has_turn
        && !has_waited
        && job.urgency != Urgency::ToZero
        && account.push_in_bulk().is_some();
    let due = in_bulk.then(|| bulk_due(&job.listing.id, job.urgency, kervan.clock.now()));
    let mut listing = job.listing;
    if in_bulk {
        listing.cause = cause;
    }
    if job.work.is_told {
        // What was told before may have come after what others told.
        listing.published = None;
    }
    match counted {
        Counted::No => {}
        Counted::Own(before) => listing.revisions = before,
        Counted::Shared => {
            if let Some(shared) = shared_budget(&listing) {
                budget::give_back(kervan, shared, at).await?;
            }
        }
    }
    // Nothing was changed, so nothing counts and nothing can land. Where somebody came between, one too many is counted, and
    // they tell it.
    note_untold(kervan, &listing, job.version + 1, due).await?;
    if in_bulk {
        told.in_lane.insert(listing.id);
    } else {
        told.failed.push((listing.id, error));
    }
    Ok(())
}

/// Whether a listing that was just told has to be told again, because an earlier update may still land. A longer doubt is
/// that of a submission, whose report has its own time.
pub(super) fn once_more(listing: &Listing, now: Timestamp, told: &mut Told) {
    let left = listing.doubt_until.map(|until| until.duration_since(now));
    let left = left.filter(|left| *left <= SURELY_LANDED);
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
