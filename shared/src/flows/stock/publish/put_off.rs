//! What may wait goes in bulk, where a channel works off many listings of one submission and there is enough to do.
//!
//! Messages are worked on one by one and hold the goods of a few products, so what waits is not counted by message alone:
//! what the channel's limit held back lies in the lanes of the bulk call, and while something does, what may wait joins it
//! there. So zeros and falls find the direct calls free.

use super::{Job, Why, measure, next_places};
use crate::Kervan;
use crate::domain::{AccountId, ListingId};
use crate::flows::FlowError;
use crate::flows::stock::bulk::has_waiting;
use crate::flows::stock::publish::note::{bulk_due, wait_in_lane};
use crate::marketplaces::{Account, CallError, PushListings};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What takes as many calls is worth a submission.
pub(in crate::flows::stock) const BULK_FROM_CALLS: usize = 20;

/// The accounts of some channels.
pub(super) type Accounts = BTreeMap<AccountId, Result<Arc<dyn Account>, CallError>>;

/// Puts off what may wait, where the channel's bulk call is worth it; returns the rest. Costs up to three reads of the index
/// for a channel that has one and would be told now of what may wait.
pub(super) async fn put_off(
    kervan: &Kervan,
    jobs: Vec<Job>,
    accounts: &Accounts,
    why: Why,
) -> Result<Vec<Job>, FlowError> {
    let mut waiting: BTreeMap<&AccountId, Vec<&ListingId>> = BTreeMap::new();
    for job in jobs.iter().filter(|job| job.urgency.may_wait()) {
        let ids = waiting.entry(&job.listing.id.channel).or_default();
        ids.push(&job.listing.id);
    }
    let mut in_bulk = BTreeSet::new();
    for (channel, ids) in waiting {
        let Some(Ok(account)) = accounts.get(channel) else {
            continue;
        };
        let (Some(door), Some(_)) = (account.push_listings(), account.push_in_bulk()) else {
            continue;
        };
        if is_much(door, &ids) || has_waiting(kervan, channel).await? {
            in_bulk.insert(channel.clone());
        }
    }
    let mut rest = Vec::new();
    for job in jobs {
        if !job.urgency.may_wait() || !in_bulk.contains(&job.listing.id.channel) {
            rest.push(job);
            continue;
        }
        wait(kervan, &job, why).await?;
    }
    Ok(rest)
}

async fn wait(kervan: &Kervan, job: &Job, why: Why) -> Result<(), FlowError> {
    let due = bulk_due(&job.listing.id, job.urgency, kervan.clock.now());
    let cause = measure::cause(&job.listing, &job.work.entry, job.urgency, why);
    wait_in_lane(kervan, &job.listing, job.version, cause, Some(due)).await
}

/// Whether direct calls for these listings would be so many that a submission is worth it.
pub(in crate::flows::stock) fn is_much(door: &dyn PushListings, listings: &[&ListingId]) -> bool {
    let mut left = listings.to_vec();
    for _ in 1..BULK_FROM_CALLS {
        let places = next_places(door, &left);
        let mut place = 0..;
        left.retain(|_| places.binary_search(&place.next().unwrap_or(0)).is_err());
        if left.is_empty() {
            return false;
        }
    }
    true
}
