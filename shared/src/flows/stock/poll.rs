//! Offers whose time has come are queued, as many together as the supplier tells of at once.
//!
//! What is due lies in 16 lanes of the index. Each run reads on from where the last one stopped, so that an offer that is
//! queued costs no write; it leaves the lane's past when it was looked at. Messages can be lost on the way, in the end in a
//! dead-letter queue: so every ten minutes a run begins at the beginning and finds what is still due.

use super::InventoryTask;
use crate::Kervan;
use crate::domain::{AccountId, CountryCode, Offer, OfferId, Sku};
use crate::flows::{FlowError, ledger};
use crate::metrics::Count;
use crate::queue::Outgoing;
use crate::store::{Condition, Item, Write, WriteError, keys};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most offers of a lane that one run queues.
const MOST_DUE: usize = 2000;
/// The least products of a message: fewer make more messages than work.
const FEWEST_PRODUCTS: usize = 10;
/// A due time can be written a little after its moment, and the index lags: so much is read twice.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// So often a run begins at the beginning.
const FROM_THE_BEGINNING: SignedDuration = SignedDuration::from_mins(10);
/// While so many messages wait, what is overdue lies in them.
const MANY_MESSAGES: u64 = 1000;

/// Up to when each lane was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    lanes: Vec<Timestamp>,
    begun_at: Timestamp,
}

/// Queues the offers whose time has come, as many products together as the supplier tells of at once. Returns how many
/// offers were queued.
pub(super) async fn queue_due_stock(kervan: &Kervan) -> Result<usize, FlowError> {
    let now = kervan.clock.now();
    let stored = kervan.store.get(&keys::stock_cursor()).await?;
    let known = stored
        .as_ref()
        .and_then(|item| ledger::read(&item.body).ok());
    let cursor = beginning(kervan, known, now).await?;
    let lanes = cursor
        .lanes
        .iter()
        .zip(0..)
        .map(|(from, number)| async move {
            let lane = keys::stock_lane_of(number);
            kervan.store.due(&lane, *from, now, MOST_DUE).await
        });
    let due: Vec<Vec<Item>> = try_join_all(lanes).await?;
    let queued = queue(kervan, due.iter().flatten(), now).await?;
    let read_to = |items: &Vec<Item>| {
        let last = items.last().filter(|_| items.len() >= MOST_DUE);
        let to = last.and_then(|item| item.due.as_ref()).map(|due| due.at);
        to.unwrap_or_else(|| now.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN))
    };
    let next = Cursor {
        lanes: due.iter().map(read_to).collect(),
        ..cursor
    };
    let version = stored.map(|item| item.version);
    let write = Write::Put {
        item: Item::new(
            keys::stock_cursor(),
            version.unwrap_or(0) + 1,
            ledger::write(&next)?,
        ),
        only_if: version.map_or(Condition::Absent, Condition::Version),
    };
    match kervan.store.write(vec![write]).await {
        // Another run was as quick; an offer that is queued twice is looked at once.
        Ok(()) | Err(WriteError::Conflict(_) | WriteError::Contended) => Ok(queued),
        Err(error) => Err(error.into()),
    }
}

/// Where this run begins to read.
async fn beginning(
    kervan: &Kervan,
    known: Option<Cursor>,
    now: Timestamp,
) -> Result<Cursor, FlowError> {
    let all = Cursor {
        lanes: vec![Timestamp::MIN; usize::from(keys::STOCK_LANES)],
        begun_at: now,
    };
    let fits = |cursor: &Cursor| cursor.lanes.len() == usize::from(keys::STOCK_LANES);
    let Some(known) = known.filter(fits) else {
        return Ok(all);
    };
    if now.duration_since(known.begun_at) < FROM_THE_BEGINNING {
        return Ok(known);
    }
    let waiting = kervan.queues.inventory.depth().await?;
    Ok(if waiting.visible > MANY_MESSAGES {
        known
    } else {
        all
    })
}

/// Queues offers by supplier and country, those of one product together.
async fn queue(
    kervan: &Kervan,
    due: impl Iterator<Item = &Item>,
    now: Timestamp,
) -> Result<usize, FlowError> {
    let mut asked: BTreeMap<(AccountId, CountryCode), Products> = BTreeMap::new();
    let mut queued = 0;
    for item in due {
        let Ok(offer) = ledger::read::<Offer>(&item.body) else {
            tracing::error!("A due offer cannot be read.");
            continue;
        };
        let products = asked.entry((offer.id.supplier.clone(), offer.ship_to));
        let product = products.or_default().entry(offer.id.product.clone());
        product.or_default().push((offer.sku, offer.id));
        queued += 1;
    }
    let mut messages = Vec::new();
    for ((supplier, _), products) in asked {
        let at_once = products_at_once(kervan, &supplier).await;
        let products: Vec<_> = products.into_values().collect();
        for products in products.chunks(at_once) {
            let task = InventoryTask::Look {
                offers: products.concat(),
                queued_at: Some(now),
            };
            messages.push(Outgoing::now(ledger::write(&task)?));
        }
    }
    if !messages.is_empty() {
        kervan.queues.inventory.send(messages).await?;
    }
    kervan.metrics.count(Count::OffersDue, queued);
    Ok(queued)
}

/// Offers of one supplier by product.
type Products = BTreeMap<String, Vec<(Sku, OfferId)>>;

/// How many products are in one message: as many as one call of the supplier tells of, or as make a few calls. An account
/// that cannot be opened is met again by whoever works on it.
async fn products_at_once(kervan: &Kervan, supplier: &AccountId) -> usize {
    let account = kervan.accounts.get(supplier).await.ok();
    let stock = account.as_ref().and_then(|account| account.read_stock());
    let at_once = stock.map_or(1, |stock| stock.products_at_once()).max(1);
    FEWEST_PRODUCTS.div_ceil(at_once) * at_once
}

#[cfg(test)]
mod tests;
