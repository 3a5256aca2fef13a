//! Offers are looked at when they are due, and listings are lowered and raised by what is found.

use super::catalog::{self, BOUGHT, Entry, FREE, StoredOffer};
use super::{FlowError, LANDS_WITHIN, Outcome, forward, ledger, reason_of};
use crate::Kervan;
use crate::decide::{Stocked, next_stock_interval, published_quantity};
use crate::domain::{AccountId, CountryCode, Evidence, Listing, Offer, OfferId, Published, Sku};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{Account, CallError, Effect, Kind, ListingUpdate, Retry};
use crate::queue::Outgoing;
use crate::store::{Due, Guard, Write, WriteError, keys};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a listing is published anew when others come between.
const MOST_PUBLISHINGS: usize = 6;
/// The most offers that one run queues.
const MOST_DUE: usize = 2000;
/// An offer that was queued is not queued again for so long, whatever becomes of the message.
const QUEUED_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// A message of the inventory queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case")]
pub enum InventoryTask {
    /// Look at offers of one supplier, then publish their skus.
    Look {
        /// The offers with their skus.
        offers: Vec<(Sku, OfferId)>,
    },
    /// Publish what the table knows of these skus.
    Publish {
        /// The skus.
        skus: Vec<Sku>,
    },
}

/// Queues the offers whose time has come, as many products together as the supplier tells of at once. Returns how many
/// offers were queued.
pub async fn queue_due_stock(kervan: &Kervan) -> Result<usize, FlowError> {
    let now = kervan.clock.now();
    let due = kervan.store.due(keys::STOCK_LANE, now, MOST_DUE).await?;
    let mut asked: BTreeMap<(AccountId, CountryCode), Products> = BTreeMap::new();
    for item in &due {
        let Ok(offer) = ledger::read::<Offer>(&item.body) else {
            tracing::error!("A due offer cannot be read.");
            continue;
        };
        let products = asked.entry((offer.id.supplier.clone(), offer.ship_to));
        let product = products.or_default().entry(offer.id.product.clone());
        product.or_default().push((offer.sku, offer.id));
    }
    let mut messages = Vec::new();
    for ((supplier, _), products) in asked {
        let at_once = products_at_once(kervan, &supplier).await;
        let products: Vec<_> = products.into_values().collect();
        for products in products.chunks(at_once) {
            let offers = products.concat();
            messages.push(Outgoing::now(ledger::write(&InventoryTask::Look {
                offers,
            })?));
        }
    }
    if !messages.is_empty() {
        kervan.queues.inventory.send(messages).await?;
    }
    let later = now.checked_add(QUEUED_PAUSE).unwrap_or(Timestamp::MAX);
    for item in &due {
        let due = Due {
            lane: keys::STOCK_LANE.to_owned(),
            at: later,
        };
        let write = Write::Update {
            key: item.key.clone(),
            set_body: None,
            set_due: Some(Some(due)),
            add: Vec::new(),
            only_if: vec![Guard::Version(item.version)],
        };
        match kervan.store.write(vec![write]).await {
            // Somebody looked in between and set the time.
            Ok(()) | Err(WriteError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(due.len())
}

/// Offers of one supplier by product.
type Products = BTreeMap<String, Vec<(Sku, OfferId)>>;

/// How many products may be in one message. An account that cannot be opened is met again by whoever works on it.
async fn products_at_once(kervan: &Kervan, supplier: &AccountId) -> usize {
    let account = kervan.accounts.get(supplier).await.ok();
    let stock = account.as_ref().and_then(|account| account.read_stock());
    stock.map_or(1, |stock| stock.products_at_once()).max(1)
}

/// Works on one message of the inventory queue.
pub async fn inventory(kervan: &Kervan, task: &InventoryTask) -> Result<Outcome, FlowError> {
    let skus = match task {
        InventoryTask::Publish { skus } => skus.clone(),
        InventoryTask::Look { offers } => {
            let mut stored = Vec::new();
            for (sku, id) in offers {
                let item = kervan.store.get(&keys::offer(sku, id)).await?;
                stored.extend(item.map(|item| catalog::stored_offer(&item)).transpose()?);
            }
            if let Some(error) = look(kervan, stored).await? {
                tracing::warn!(%error, "A supplier's stock could not be read; what is known grows old.");
                if let Some(reason) = reason_of(&error) {
                    forward::raise_for_account(kervan, &error.account, reason).await?;
                }
            }
            let mut skus: Vec<Sku> = offers.iter().map(|(sku, _)| sku.clone()).collect();
            skus.sort();
            skus.dedup();
            skus
        }
    };
    let mut outcome = Outcome::Done;
    for sku in &skus {
        match publish(kervan, sku).await? {
            Told::Done => {}
            Told::Again(wait) => outcome = Outcome::Later(wait),
            Told::Failed(error) => {
                tracing::warn!(%sku, %error, "A listing could not be published.");
                if let Some(reason) = reason_of(&error) {
                    forward::raise_for_account(kervan, &error.account, reason).await?;
                }
                if let Retry::After(wait) = error.retry {
                    outcome = Outcome::Later(wait);
                }
            }
        }
    }
    Ok(outcome)
}

/// Asks the supplier of these offers for their stock and notes what it says. After an error, what it concerns is no newer
/// than before.
pub(super) async fn look(
    kervan: &Kervan,
    offers: Vec<StoredOffer>,
) -> Result<Option<CallError>, FlowError> {
    let Some(first) = offers.first() else {
        return Ok(None);
    };
    let (id, ship_to) = (first.offer.id.clone(), first.offer.ship_to.clone());
    let ids: Vec<OfferId> = offers
        .iter()
        .map(|stored| stored.offer.id.clone())
        .collect();
    let account = match kervan.accounts.get(&id.supplier).await {
        Ok(account) => account,
        Err(error) => return Ok(Some(error)),
    };
    let Some(supplier) = account.read_stock() else {
        let (kind, retry) = (Kind::Misconfigured, Retry::Person);
        return Ok(Some(CallError::new(
            &id.supplier,
            "stock",
            kind,
            retry,
            "not-a-supplier",
        )));
    };
    let answers = match supplier.stock(&ids, &ship_to).await {
        Ok(answers) => answers,
        Err(error) => return Ok(Some(error)),
    };
    let mut failed = None;
    for (stored, answer) in offers.into_iter().zip(answers) {
        match answer {
            Ok(answer) => note(kervan, stored, answer).await?,
            Err(error) => failed = Some(error),
        }
    }
    Ok(failed)
}

/// Writes new evidence and moves the free units by what changed. A purchase that was placed while the supplier was asked
/// counts as bought until the next look, whether or not the answer contains it: at worst a unit too few is shown.
async fn note(
    kervan: &Kervan,
    stored: StoredOffer,
    answer: Option<Evidence>,
) -> Result<(), FlowError> {
    let now = kervan.clock.now();
    let old = stored.offer.evidence.clone();
    let evidence = match (answer, &old) {
        (Some(evidence), _) => Some(evidence),
        // A variant that is gone has no units; what it last cost stays.
        (None, Some(old)) => Some(Evidence {
            stock: 0,
            at: now,
            ..old.clone()
        }),
        (None, None) => None,
    };
    let units = |evidence: &Option<Evidence>| evidence.as_ref().map_or(0, |e| i64::from(e.stock));
    let changed = units(&evidence) - units(&old);
    let interval_s = next_stock_interval(stored.offer.interval_s, changed != 0);
    let wait = SignedDuration::from_secs(i64::from(interval_s));
    let offer = Offer {
        evidence,
        interval_s,
        ..stored.offer
    };
    let due = Due {
        lane: keys::STOCK_LANE.to_owned(),
        at: now.checked_add(wait).unwrap_or(Timestamp::MAX),
    };
    let mut only_if = vec![Guard::Version(stored.version)];
    only_if.retain(|_| stands(Safety::EvidenceVersion));
    let write = Write::Update {
        key: keys::offer(&offer.sku, &offer.id),
        set_body: Some(ledger::write(&offer)?),
        set_due: Some(Some(due)),
        add: vec![(FREE, changed + stored.bought), (BOUGHT, -stored.bought)],
        only_if,
    };
    match kervan.store.write(vec![write]).await {
        Ok(()) | Err(WriteError::Conflict(_) | WriteError::Contended) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What telling a channel came to.
enum Told {
    /// It shows what it should.
    Done,
    /// It was told, and has to be told once more after this time: an earlier update may still land.
    Again(Duration),
    /// It was not told.
    Failed(CallError),
}

/// Brings a sku's listings to what the table knows; those that show it already cost no call.
async fn publish(kervan: &Kervan, sku: &Sku) -> Result<Told, FlowError> {
    let entry = catalog::load(&*kervan.store, sku).await?;
    let mut told = Told::Done;
    for stored in &entry.listings {
        match publish_listing(kervan, sku, &entry, &stored.listing.id.channel).await? {
            Told::Done => {}
            again @ Told::Again(_) => told = again,
            failed @ Told::Failed(_) => return Ok(failed),
        }
    }
    Ok(told)
}

/// Before the channel is told, the table forgets what it shows; only a worker that nobody came between notes it again.
/// So two workers at once cannot leave the channel with one number and the table with the other.
async fn publish_listing(
    kervan: &Kervan,
    sku: &Sku,
    loaded: &Entry,
    channel: &AccountId,
) -> Result<Told, FlowError> {
    let mut is_told = false;
    // Read anew only where somebody came between: most listings show already what they should.
    let mut newer: Option<Entry> = None;
    for _ in 0..MOST_PUBLISHINGS {
        let entry = newer.as_ref().unwrap_or(loaded);
        let found = entry
            .listings
            .iter()
            .find(|stored| stored.listing.id.channel == *channel);
        let Some(stored) = found else {
            return Ok(Told::Done);
        };
        let now = kervan.clock.now();
        let listing = &stored.listing;
        let quantity = wanted_quantity(entry, listing, now);
        let shown = listing.shown(now);
        let shown = shown.map(|shown| (shown.quantity, shown.price));
        if shown == Some((quantity, listing.price)) && !is_told {
            return Ok(once_more(listing, now));
        }
        let account = match kervan.accounts.get(channel).await {
            Ok(account) => account,
            Err(error) => return Ok(Told::Failed(error)),
        };
        let budget = account
            .push_listings()
            .and_then(|door| door.revisions_per_day());
        let mut listing = listing.clone();
        let uncounted = listing.revisions.clone();
        if let Some(budget) = budget {
            let wait = uncounted.wait(budget, quantity == 0, now);
            if !wait.is_zero() {
                tracing::warn!(%sku, %channel, quantity, "A listing was changed too often today and has to wait.");
                return Ok(Told::Again(wait));
            }
            listing.revisions = uncounted.with_one_more(now);
        }
        let listing = &listing;
        if !note_published(kervan, listing, stored.version, None).await? {
            newer = Some(catalog::load(&*kervan.store, sku).await?);
            continue;
        }
        let price = listing.price;
        let update = ListingUpdate {
            listing: listing.id.clone(),
            quantity,
            price,
        };
        if let Err(error) = push(&*account, &update).await {
            if error.effect != Effect::None {
                note_doubt(kervan, sku, channel).await?;
            } else if budget.is_some() {
                // Nothing was changed, so nothing counts. Where somebody came between, one too many is counted.
                let listing = Listing {
                    revisions: uncounted,
                    ..listing.clone()
                };
                note_published(kervan, &listing, stored.version + 1, None).await?;
            }
            return Ok(Told::Failed(error));
        }
        is_told = true;
        tracing::info!(%sku, %channel, quantity, "A listing was published.");
        let published = Published {
            quantity,
            price,
            at: now,
        };
        if note_published(kervan, listing, stored.version + 1, Some(published)).await? {
            return Ok(once_more(listing, now));
        }
        newer = Some(catalog::load(&*kervan.store, sku).await?);
    }
    Err(FlowError::Overtaken)
}

/// Whether a listing that was just told has to be told again, because an earlier update may still land.
fn once_more(listing: &Listing, now: Timestamp) -> Told {
    let left = listing.doubt_until.map(|until| until.duration_since(now));
    let left = left.and_then(|left| Duration::try_from(left).ok());
    match left {
        Some(left) if !left.is_zero() && stands(Safety::LateUpdate) => Told::Again(left),
        _ => Told::Done,
    }
}

/// Notes that an update got no answer: it may land late, over newer ones. The quantities of a listing that is told in vain
/// for long stay in doubt with the last of them.
async fn note_doubt(kervan: &Kervan, sku: &Sku, channel: &AccountId) -> Result<(), FlowError> {
    for _ in 0..MOST_PUBLISHINGS {
        let entry = catalog::load(&*kervan.store, sku).await?;
        let mut listings = entry.listings.into_iter();
        let Some(stored) = listings.find(|stored| stored.listing.id.channel == *channel) else {
            return Ok(());
        };
        let until = kervan.clock.now().checked_add(LANDS_WITHIN).ok();
        let listing = Listing {
            doubt_until: until.filter(|_| stands(Safety::LateUpdate)),
            ..stored.listing
        };
        if note_published(kervan, &listing, stored.version, None).await? {
            return Ok(());
        }
    }
    Err(FlowError::Overtaken)
}

fn wanted_quantity(entry: &Entry, listing: &Listing, now: Timestamp) -> u32 {
    let known = |stored: &StoredOffer| {
        let evidence = stored.offer.evidence.as_ref()?;
        Some(Stocked {
            free: stored.free,
            evidence_at: evidence.at,
        })
    };
    let offers: Vec<Stocked> = entry.offers.iter().filter_map(known).collect();
    let shown = listing.shown(now).map(|published| published.quantity);
    published_quantity(&offers, shown, listing.buffer, listing.cap, now)
}

async fn push(account: &dyn Account, update: &ListingUpdate) -> Result<(), CallError> {
    let channel = &update.listing.channel;
    let missing =
        |code| CallError::new(channel, "publish", Kind::Misconfigured, Retry::Person, code);
    let door = account
        .push_listings()
        .ok_or_else(|| missing("not-a-channel"))?;
    let results = door.push(std::slice::from_ref(update)).await?;
    results
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(missing("no-answer-for-item")))
}

/// Notes what the channel shows, where the listing is still at this version; false where it is not.
async fn note_published(
    kervan: &Kervan,
    listing: &Listing,
    version: u64,
    published: Option<Published>,
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
        key: keys::listing(&listing.id.sku, &listing.id.channel),
        set_body: Some(ledger::write(&listing)?),
        set_due: None,
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
