//! Offers are looked at when they are due, and listings are lowered and raised by what is found.
//!
//! | file | what |
//! |---|---|
//! | `poll.rs` | offers whose time has come are queued |
//! | `look.rs` | a supplier is asked, and what it says is noted |
//! | `supply.rs` | how many units there are to sell |
//! | `publish.rs` | listings are brought to what the table knows, the most urgent first |
//! | `read_back.rs` | a sample of listings is read, to find what was changed behind our back |
//! | `bulk.rs` | what may wait is handed in together, and its report read |
//! | `side_by_side.rs` | listings are read and written some at a time |

mod bulk;
mod look;
mod poll;
mod publish;
mod read_back;
mod side_by_side;
mod supply;

pub(in crate::flows) use look::look;
pub use supply::should_show;

use super::catalog::{self, StoredOffer};
use super::{FlowError, Outcome, forward, reason_of};
use crate::Kervan;
use crate::domain::{AccountId, OfferId, Sku};
use crate::marketplaces::Retry;
use crate::metrics::Count;
use crate::store::{Due, Key, keys};
use jiff::{SignedDuration, Timestamp};
use publish::{Told, Why, publish};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A look's message comes back for so long.
const YOUNG: SignedDuration = SignedDuration::from_mins(10);

/// A message of the inventory queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum InventoryTask {
    /// Look at offers of one supplier, then publish their skus.
    Look {
        /// The offers with their skus.
        offers: Vec<(Sku, OfferId)>,
        /// When they were found to be due: what was looked at since is not looked at again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        queued_at: Option<Timestamp>,
    },
    /// Publish what the table knows of these skus.
    Publish {
        /// The skus.
        skus: Vec<Sku>,
        /// When an order took units of them, where one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ordered_at: Option<Timestamp>,
    },
    /// Read listings of a channel back.
    ReadBack {
        /// The channel.
        channel: AccountId,
    },
    /// Hand in what waits at a channel, or look at what was handed in.
    Bulk {
        /// The channel.
        channel: AccountId,
    },
}

/// Queues what is due: offers to look at, and channels with listings that wait for a bulk call or a submission to look at.
/// Returns how many offers were queued.
pub async fn queue_due_stock(kervan: &Kervan) -> Result<usize, FlowError> {
    // What fails for one of the three is told at the end, so that it does not stop the others.
    let queued = poll::queue_due_stock(kervan).await;
    let waiting = bulk::queue_waiting(kervan).await;
    let read_back = read_back::queue_due(kervan).await;
    waiting.and(read_back).and(queued)
}

/// Works on one message of the inventory queue.
pub async fn inventory(kervan: &Kervan, task: &InventoryTask) -> Result<Outcome, FlowError> {
    let mut again = None;
    let mut why = Why::default();
    let skus = match task {
        InventoryTask::ReadBack { channel } => {
            let told = read_back::read_back(kervan, channel).await?;
            return outcome(kervan, told).await;
        }
        InventoryTask::Bulk { channel } => {
            let told = bulk::bulk(kervan, channel).await?;
            return outcome(kervan, told).await;
        }
        InventoryTask::Publish { skus, ordered_at } => {
            why.ordered_at = *ordered_at;
            skus.clone()
        }
        InventoryTask::Look { offers, queued_at } => {
            // What the message found at an earlier delivery counts too: then, a listing had to wait.
            why.looked_since = queued_at.or_else(|| Some(kervan.clock.now()));
            let stored = still_due(kervan, offers, *queued_at).await?;
            // All of them: a message comes back where a listing had to wait, and then nothing is left to look at.
            let mut skus: Vec<Sku> = offers.iter().map(|(sku, _)| sku.clone()).collect();
            skus.sort();
            skus.dedup();
            if let Some(error) = look(kervan, stored).await? {
                tracing::warn!(%error, "A supplier's stock could not be read; what is known grows old.");
                if let Some(reason) = reason_of(&error) {
                    forward::raise_for_account(kervan, &error.account, reason).await?;
                }
                again = look::comes_again(&error);
            }
            skus
        }
    };
    let mut told = publish(kervan, &skus, why).await?;
    told.again = again.into_iter().chain(told.again).min();
    match (task, outcome(kervan, told).await?) {
        (InventoryTask::Look { offers, queued_at }, Outcome::Later(wait))
            if !is_young(kervan, *queued_at) =>
        {
            look::look_within(kervan, offers, wait).await?;
            Ok(Outcome::Done)
        }
        (_, outcome) => Ok(outcome),
    }
}

/// Whether a look's message may come back for what it could not do. Later the next look does it, which is made sooner: a
/// message that came back as long as a channel is ill would be joined by another one with every look.
fn is_young(kervan: &Kervan, queued_at: Option<Timestamp>) -> bool {
    // One that does not say when it was written is none of the poller's, and there are no others like it.
    queued_at.is_none_or(|at| kervan.clock.now().duration_since(at) < YOUNG)
}

/// The offers as they are stored, without those that were looked at since the message was written.
async fn still_due(
    kervan: &Kervan,
    offers: &[(Sku, OfferId)],
    queued_at: Option<Timestamp>,
) -> Result<Vec<StoredOffer>, FlowError> {
    let keys: Vec<Key> = offers
        .iter()
        .map(|(sku, id)| keys::offer(sku, id))
        .collect();
    let items = kervan.store.get_many(&keys).await?;
    let mut stored = Vec::with_capacity(items.len());
    for item in items.into_iter().flatten() {
        let is_later = |due: &Due| queued_at.is_some_and(|queued_at| due.at > queued_at);
        if !item.due.as_ref().is_some_and(is_later) {
            stored.push(catalog::stored_offer(&item)?);
        }
    }
    Ok(stored)
}

/// A listing that only a limit or a token's renewal keeps from being told for less than this time is about to be told.
const SOON: Duration = Duration::from_secs(5 * 60);

/// What is to be done about what was not told.
async fn outcome(kervan: &Kervan, told: Told) -> Result<Outcome, FlowError> {
    let mut again = told.again;
    let is_soon = |error| look::comes_again(error).is_some_and(|wait| wait < SOON);
    let late = told.failed.iter().filter(|(_, error)| !is_soon(error));
    let not_told = told.not_told + late.count();
    if not_told > 0 {
        kervan.metrics.count(Count::ListingsNotTold, not_told);
    }
    if let Some(error) = told.of_all {
        tracing::warn!(%error, "What waits at a channel could not be told.");
        if let Some(reason) = reason_of(&error) {
            forward::raise_for_account(kervan, &error.account, reason).await?;
        }
    }
    for (id, error) in told.failed {
        tracing::warn!(sku = %id.sku, %error, "A listing could not be published.");
        if let Some(reason) = reason_of(&error) {
            forward::raise_for_account(kervan, &error.account, reason).await?;
        }
        if let Retry::After(wait) = error.retry {
            again = Some(again.map_or(wait, |before| before.min(wait)));
        }
    }
    Ok(again.map_or(Outcome::Done, Outcome::Later))
}

#[cfg(test)]
mod fakes;
#[cfg(test)]
mod tests;
