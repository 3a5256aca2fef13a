//! A sample of listings is read, to find what was changed behind our back: by a person, by another tool, by a fault.
//!
//! A share of the listings is chosen anew each day. One of them that is published then gets a due time in its channel's
//! lane with the same write, so choosing costs nothing. Up to [`AN_HOUR`] listings of a channel are read in an hour: for
//! each a call, a read of the catalogue and a write; besides, two reads of the index every few minutes.
//!
//! A channel that shows **less** than was published has most likely sold some, and its order is on the way. Setting the
//! listing back would sell these units twice, so it is read once more later, and only then told again.

use super::InventoryTask;
use super::publish::{Told, Why, note_published, publish, set_due};
use crate::Kervan;
use crate::domain::{AccountId, Listing, ListingId};
use crate::flows::{FlowError, ledger, set_due_unless_changed};
use crate::marketplaces::{Retry, Shown};
use crate::queue::Outgoing;
use crate::store::{Due, Item, keys};
use jiff::{SignedDuration, Timestamp};
use std::hash::{Hash, Hasher};

/// How many listings of a channel are read in an hour; a divisor of 60.
const AN_HOUR: i64 = 20;
/// One in so many listings is chosen on a day.
const ONE_IN: u64 = 16;
/// A listing is read so long after it was published: Amazon shows a change minutes later.
const SETTLES_WITHIN: SignedDuration = SignedDuration::from_mins(60);
/// How long a sale may be on its way to us.
const SALE_KNOWN_WITHIN: SignedDuration = SignedDuration::from_mins(30);

/// When a listing that was published now is read back; `None` where it is not chosen today.
pub(super) fn due(id: &ListingId, now: Timestamp) -> Option<Due> {
    let mut hasher = std::hash::DefaultHasher::new();
    id.hash(&mut hasher);
    let day = u64::try_from(now.as_second() / 86_400).unwrap_or(0);
    let is_chosen = hasher.finish().wrapping_add(day).is_multiple_of(ONE_IN);
    is_chosen.then(|| at(id, false, now, SETTLES_WITHIN))
}

fn at(id: &ListingId, is_second: bool, now: Timestamp, wait: SignedDuration) -> Due {
    Due {
        lane: keys::read_back_lane(&id.channel, is_second),
        at: now.checked_add(wait).unwrap_or(Timestamp::MAX),
    }
}

/// Queues a task for each channel of which a listing is to be read, at the minutes when one is allowed.
pub(super) async fn queue_due(kervan: &Kervan) -> Result<(), FlowError> {
    let now = kervan.clock.now();
    if now.as_second() / 60 % (60 / AN_HOUR) != 0 {
        return Ok(());
    }
    let mut tasks = Vec::new();
    for channel in kervan.accounts.ids() {
        // An account that cannot be opened is met again by whoever works on it.
        let account = kervan.accounts.get(channel).await;
        if account.is_ok_and(|account| account.read_listings().is_some())
            && !next(kervan, channel, 1).await?.is_empty()
        {
            let channel = channel.clone();
            let task = ledger::write(&InventoryTask::ReadBack { channel })?;
            tasks.push(Outgoing::now(task));
        }
    }
    if !tasks.is_empty() {
        kervan.queues.inventory.send(tasks).await?;
    }
    Ok(())
}

/// The next listings to be read, the second looks first.
async fn next(
    kervan: &Kervan,
    channel: &AccountId,
    most: usize,
) -> Result<Vec<(Item, bool)>, FlowError> {
    let now = kervan.clock.now();
    for is_second in [true, false] {
        let lane = keys::read_back_lane(channel, is_second);
        let due = kervan.store.due(&lane, Timestamp::MIN, now, most).await?;
        if !due.is_empty() {
            return Ok(due.into_iter().map(|item| (item, is_second)).collect());
        }
    }
    Ok(Vec::new())
}

/// Reads the next listings of a channel back, and tells the channel anew of those that show something else.
pub(super) async fn read_back(kervan: &Kervan, channel: &AccountId) -> Result<Told, FlowError> {
    let account = match kervan.accounts.get(channel).await {
        Ok(account) => account,
        Err(error) => {
            return Ok(Told {
                of_all: Some(error),
                ..Told::default()
            });
        }
    };
    let Some(door) = account.read_listings() else {
        return Ok(Told::default());
    };
    let mut asked = Vec::new();
    for (item, is_second) in next(kervan, channel, door.most_at_once().max(1)).await? {
        // The index may lag: what is read here is what the answer is compared with.
        let Some(item) = kervan.store.get(&item.key).await? else {
            continue;
        };
        match ledger::read::<Listing>(&item.body) {
            Ok(listing) => asked.push((listing, item.version, is_second)),
            // Those behind it must not wait for it.
            Err(error) => {
                tracing::error!(%error, "A listing that is to be read back cannot be read.");
                set_due_unless_changed(kervan, item.key, item.version, None).await?;
            }
        }
    }
    let ids: Vec<ListingId> = asked.iter().map(|(it, ..)| it.id.clone()).collect();
    if ids.is_empty() {
        return Ok(Told::default());
    }
    let answers = door.read(&ids).await;
    let (read, mut changed) = (ids.len(), Vec::new());
    let mut of_all = None;
    for ((listing, version, is_second), answer) in asked.into_iter().zip(answers) {
        let id = listing.id.clone();
        let found = match answer {
            Ok(found) => found,
            Err(error) => {
                // One that cannot be read is left until it is chosen again.
                let again = matches!(error.retry, Retry::After(_));
                let now = kervan.clock.now();
                let due = again.then(|| at(&id, is_second, now, SALE_KNOWN_WITHIN));
                set_due(kervan, &id, version, due).await?;
                of_all = Some(error);
                continue;
            }
        };
        if compare(kervan, listing, version, is_second, found).await? {
            changed.push(id.sku);
        }
    }
    let differing = changed.len();
    tracing::info!(%channel, read, differing, "Listings were read back.");
    changed.sort();
    changed.dedup();
    let mut told = publish(kervan, &changed, Why::default()).await?;
    told.of_all = told.of_all.or(of_all);
    Ok(told)
}

/// Compares what a listing shows with what was published. True where the table has forgotten it, because it differs.
async fn compare(
    kervan: &Kervan,
    listing: Listing,
    version: u64,
    is_second: bool,
    found: Option<Shown>,
) -> Result<bool, FlowError> {
    let (now, id) = (kervan.clock.now(), listing.id.clone());
    let (Some(published), Some(found)) = (listing.shown(now).cloned(), found) else {
        // Nobody knows what it should show, or it is gone: that is met when it is published.
        set_due(kervan, &id, version, None).await?;
        return Ok(false);
    };
    if now.duration_since(published.at) < SALE_KNOWN_WITHIN {
        let due = at(&id, false, now, SETTLES_WITHIN);
        set_due(kervan, &id, version, Some(due)).await?;
        return Ok(false);
    }
    // A listing goes to zero without a price.
    let is_price = found.price != published.price && published.quantity > 0;
    if found.quantity == published.quantity && !is_price {
        set_due(kervan, &id, version, None).await?;
        return Ok(false);
    }
    let may_be_sold = found.quantity < published.quantity && !is_price;
    if may_be_sold && !is_second {
        let due = at(&id, true, now, SALE_KNOWN_WITHIN);
        set_due(kervan, &id, version, Some(due)).await?;
        return Ok(false);
    }
    tracing::warn!(sku = %id.sku, channel = %id.channel, published = published.quantity, found = found.quantity, is_price, "A listing was changed behind our back; it is published anew.");
    note_published(kervan, &listing, version, None, Some(None)).await
}

#[cfg(test)]
mod tests;
