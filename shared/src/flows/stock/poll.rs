//! Offers whose time has come are queued, as many together as the supplier tells of at once.
//!
//! What is due lies in 16 lanes of the index. A run reads all lanes side by side, a page at a time, until nothing is due or
//! its time is up; each page is queued, and then the place up to which it reached is written. A run that is cut off at any
//! point has queued a page twice at worst. The next run reads on from there, so that an offer that is queued costs no
//! write; it leaves the lane's past when it was looked at. Messages can be lost on the way, in the end in a dead-letter
//! queue: so every ten minutes a run begins at the beginning and finds what is still due.
//!
//! **What limits it.** 1,000,000 offers every 15 minutes are 66,667 a minute: five pages of each lane. Looking at them is
//! limited by what the suppliers allow, where one call tells of one product: 250 calls a second of an account at AliExpress,
//! which are 225,000 offers in 15 minutes, and 500 a minute at 1688, which are 7,500; orders take of the same.

use super::InventoryTask;
use crate::Kervan;
use crate::domain::{AccountId, CountryCode, Offer, OfferId, Sku};
use crate::flows::{FlowError, ledger, write_unless_changed};
use crate::metrics::Count;
use crate::queue::Outgoing;
use crate::store::{Condition, Item, Key, StoreError, Write, keys};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The offers of a lane that are read at once: about as many as DynamoDB answers with in one megabyte.
const PAGE: usize = 1000;
/// The most offers of a lane that are read at once where one moment has more than a page.
const LARGEST_PAGE: usize = 4 * PAGE;
/// No page is begun after so long: the function has 50 seconds, a slow page included.
const LONGEST_RUN: SignedDuration = SignedDuration::from_secs(25);
/// The least products of a message: fewer make more messages than work.
const FEWEST_PRODUCTS: usize = 10;
/// A due time can be written a little after its moment, and the index lags: so much is read twice.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);
/// So often a run begins at the beginning.
const FROM_THE_BEGINNING: SignedDuration = SignedDuration::from_mins(10);
/// The most offers of a message, but for one product's: so many are read with one call of the table.
const MOST_OFFERS: usize = 100;
/// While so many messages wait, no more are added: what is overdue lies in them or stays due, and the word that an order
/// took units comes to its turn.
const MANY_MESSAGES: u64 = 1000;

/// Up to when each lane was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Cursor {
    lanes: Vec<Timestamp>,
    begun_at: Timestamp,
}

/// How far a run came in a lane.
#[derive(Debug)]
struct Reading {
    lane: String,
    /// The next page begins here.
    from: Timestamp,
    /// Offers of that moment that are queued already.
    queued: BTreeSet<Key>,
    page: usize,
    goes_on: bool,
}

/// Queues the offers whose time has come, as many products together as the supplier tells of at once. Returns how many
/// offers were queued.
pub(super) async fn queue_due_stock(kervan: &Kervan) -> Result<usize, FlowError> {
    let now = kervan.clock.now();
    if is_busy(kervan).await {
        kervan.metrics.count(Count::OffersDue, 0);
        return Ok(0);
    }
    let stored = kervan.store.get(&keys::stock_cursor()).await?;
    let mut version = stored.as_ref().map(|item| item.version);
    let known = stored.and_then(|item| ledger::read(&item.body).ok());
    let cursor = beginning(known, now);
    let lanes = cursor.lanes.iter().zip(0..);
    let mut lanes: Vec<Reading> = lanes.map(|(from, lane)| Reading::of(lane, *from)).collect();
    let latest = now.checked_sub(OVERLAP).unwrap_or(Timestamp::MIN);
    let (mut queued, mut failed) = (0, None);
    loop {
        let (due, error) = read_page(kervan, &mut lanes, now).await;
        failed = failed.or(error);
        queued += queue(kervan, due.iter(), now).await?;
        let next = Cursor {
            lanes: lanes.iter().map(|lane| lane.from.min(latest)).collect(),
            ..cursor
        };
        let is_ours = write(kervan, &next, &mut version).await?;
        let is_late = kervan.clock.now().duration_since(now) >= LONGEST_RUN;
        if !is_ours || is_late || !lanes.iter().any(|lane| lane.goes_on) {
            break;
        }
    }
    failed.map_or(Ok(queued), |error| Err(error.into()))
}

/// Reads a page of each lane that goes on, side by side. A lane that cannot be read stays where it is and keeps no other one
/// from being read.
async fn read_page(
    kervan: &Kervan,
    lanes: &mut [Reading],
    now: Timestamp,
) -> (Vec<Item>, Option<StoreError>) {
    let open = lanes.iter_mut().filter(|lane| lane.goes_on);
    let pages = open.map(|lane| async move {
        let read = kervan.store.due(&lane.lane, lane.from, now, lane.page);
        let page = read.await;
        if let Err(error) = &page {
            tracing::error!(lane = lane.lane, %error, "A lane of due offers cannot be read.");
            lane.goes_on = false;
        }
        page.map(|items| lane.take(items, now))
    });
    let (mut due, mut failed) = (Vec::new(), None);
    for page in join_all(pages).await {
        match page {
            Ok(items) => due.extend(items),
            Err(error) => failed = Some(error),
        }
    }
    (due, failed)
}

impl Reading {
    fn of(lane: u8, from: Timestamp) -> Self {
        Self {
            lane: keys::stock_lane_of(lane),
            from,
            queued: BTreeSet::new(),
            page: PAGE,
            goes_on: true,
        }
    }

    /// Goes on behind a page; the part of it that this run has not queued yet. A page begins with the moment at which the
    /// last one ended, because that may have more offers than were read.
    fn take(&mut self, mut items: Vec<Item>, now: Timestamp) -> Vec<Item> {
        let at = |item: &Item| item.due.as_ref().map(|due| due.at);
        let is_full = items.len() >= self.page;
        let last = items.last().filter(|_| is_full).and_then(at);
        let to = last.unwrap_or(now);
        let of_moment = items.iter().filter(|item| at(item) == Some(to));
        let of_moment: BTreeSet<Key> = of_moment.map(|item| item.key.clone()).collect();
        items.retain(|item| !self.queued.contains(&item.key));
        if to > self.from {
            self.goes_on = is_full;
            (self.from, self.queued, self.page) = (to, of_moment, PAGE);
        } else {
            // A moment with more offers than a page is read in larger ones. Where the largest does not hold it, the rest is
            // found once these were looked at.
            self.goes_on = is_full && self.page < LARGEST_PAGE;
            self.page *= 2;
            self.queued.extend(of_moment);
        }
        items
    }
}

/// Writes how far this run came. False where another run was as quick: it goes on, and an offer that is queued twice is
/// looked at once.
async fn write(
    kervan: &Kervan,
    cursor: &Cursor,
    version: &mut Option<u64>,
) -> Result<bool, FlowError> {
    let next = version.unwrap_or(0) + 1;
    let write = Write::Put {
        item: Item::new(keys::stock_cursor(), next, ledger::write(cursor)?),
        only_if: version.map_or(Condition::Absent, Condition::Version),
    };
    let is_ours = write_unless_changed(kervan, vec![write]).await?;
    if is_ours {
        *version = Some(next);
    }
    Ok(is_ours)
}

/// Whether enough is queued already. Where the queue does not say, it is taken to be empty.
async fn is_busy(kervan: &Kervan) -> bool {
    let depth = kervan.queues.inventory.depth().await;
    let waiting = depth.map_or(0, |depth| depth.visible);
    if waiting > MANY_MESSAGES {
        tracing::warn!(
            waiting,
            "Offers that are due wait, because the queue is full of others."
        );
    }
    waiting > MANY_MESSAGES
}

/// Where this run begins to read.
fn beginning(known: Option<Cursor>, now: Timestamp) -> Cursor {
    let fits = |cursor: &Cursor| cursor.lanes.len() == usize::from(keys::STOCK_LANES);
    let is_new = |cursor: &Cursor| now.duration_since(cursor.begun_at) < FROM_THE_BEGINNING;
    let known = known.filter(fits).filter(is_new);
    known.unwrap_or_else(|| Cursor {
        lanes: vec![Timestamp::MIN; usize::from(keys::STOCK_LANES)],
        begun_at: now,
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
        for offers in helpings(products, at_once) {
            let task = InventoryTask::Look {
                offers,
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

/// The offers of each message: those of one product stay together, and a message has as many products as are asked for
/// together, or fewer where they have many variants.
fn helpings(products: Products, at_once: usize) -> Vec<Vec<(Sku, OfferId)>> {
    let mut helpings: Vec<Vec<(Sku, OfferId)>> = Vec::new();
    let mut room = 0;
    for offers in products.into_values() {
        match helpings.last_mut() {
            Some(last) if room > 0 && last.len() + offers.len() <= MOST_OFFERS => {
                last.extend(offers);
                room -= 1;
            }
            _ => {
                helpings.push(offers);
                room = at_once - 1;
            }
        }
    }
    helpings
}

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
