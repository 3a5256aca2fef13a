//! The catalogue in the table: what we sell, where it is listed, and where it can be bought.

use super::{FlowError, ledger};
use crate::domain::{Bundle, Evidence, Listing, Offer, Sku};
use crate::store::{Condition, Due, Item, Store, Write, keys};
use jiff::Timestamp;

/// Counter of an offer: units that no order has taken.
pub const FREE: &str = "free";
/// Counter of an offer: units that were bought since the latest evidence, which it therefore still contains.
pub const BOUGHT: &str = "bought";

/// Everything known of a sku.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Where it is sold.
    pub listings: Vec<StoredListing>,
    /// Where it can be bought.
    pub offers: Vec<StoredOffer>,
    /// What it is made of, where it is bought as other skus.
    pub bundle: Option<Bundle>,
    /// The bundles that it is a part of.
    pub part_of: Vec<Sku>,
}

/// A listing with the version that guards it.
#[derive(Debug, Clone)]
pub struct StoredListing {
    /// The listing.
    pub listing: Listing,
    /// Its version in the table.
    pub version: u64,
}

/// An offer with its counters and the version that guards it.
#[derive(Debug, Clone)]
pub struct StoredOffer {
    /// The offer.
    pub offer: Offer,
    /// Units that no order has taken.
    pub free: i64,
    /// Units bought since the evidence.
    pub bought: i64,
    /// Its version in the table.
    pub version: u64,
}

/// Reads all that is known of a sku; nothing where it is not in the catalogue.
pub async fn load(store: &dyn Store, sku: &Sku) -> Result<Entry, FlowError> {
    let (mut entry, mut after) = (Entry::default(), None);
    loop {
        let page = store
            .query(&keys::sku(sku), "", after.as_deref(), 100)
            .await?;
        for item in &page.items {
            add(&mut entry, item)?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(entry),
        }
    }
}

fn add(entry: &mut Entry, item: &Item) -> Result<(), FlowError> {
    if item.key.sk.starts_with(keys::LISTING) {
        let listing = ledger::read(&item.body)?;
        entry.listings.push(StoredListing {
            listing,
            version: item.version,
        });
    } else if item.key.sk.starts_with(keys::OFFER) {
        entry.offers.push(stored_offer(item)?);
    } else if item.key.sk == keys::BUNDLE {
        entry.bundle = Some(ledger::read(&item.body)?);
    } else if let Some(bundle) = item.key.sk.strip_prefix(keys::PART_OF) {
        let bundle = Sku::parse(bundle).map_err(|error| FlowError::Stored(error.to_string()))?;
        entry.part_of.push(bundle);
    }
    Ok(())
}

/// An offer as an item holds it.
pub(super) fn stored_offer(item: &Item) -> Result<StoredOffer, FlowError> {
    let counter = |name: &str| item.counters.get(name).copied().unwrap_or(0);
    Ok(StoredOffer {
        offer: ledger::read(&item.body)?,
        free: counter(FREE),
        bought: counter(BOUGHT),
        version: item.version,
    })
}

/// Puts a listing and an offer of one sku into the catalogue, both or neither. What is already there keeps its evidence,
/// its counters, what was published, and how often; the offer's stock is due at once.
pub async fn put(
    store: &dyn Store,
    listing: Listing,
    offer: Offer,
    now: Timestamp,
) -> Result<(), FlowError> {
    let known = load(store, &listing.id.sku).await?;
    let mut writes = Vec::new();
    let key = keys::listing(&listing.id);
    let old = known
        .listings
        .iter()
        .find(|old| old.listing.id == listing.id);
    let body = match old.map(|old| old.listing.clone()) {
        Some(old) => ledger::write(&Listing {
            published: old.published,
            doubt_until: old.doubt_until,
            revisions: old.revisions,
            ..listing
        })?,
        None => ledger::write(&listing)?,
    };
    writes.push(put_or_update(key, body, old.map(|old| old.version), None));
    let key = keys::offer(&offer.sku, &offer.id);
    let old = known.offers.iter().find(|old| old.offer.id == offer.id);
    let evidence: Option<Evidence> = old.and_then(|old| old.offer.evidence.clone());
    let body = ledger::write(&Offer { evidence, ..offer })?;
    let due = Due {
        lane: keys::STOCK_LANE.to_owned(),
        at: now,
    };
    writes.push(put_or_update(
        key,
        body,
        old.map(|old| old.version),
        Some(due),
    ));
    Ok(store.write(writes).await?)
}

/// A put where nothing is there, else an update of the body alone, so that counters live on.
fn put_or_update(
    key: crate::store::Key,
    body: String,
    version: Option<u64>,
    due: Option<Due>,
) -> Write {
    match version {
        None => {
            let mut item = Item::new(key, 1, body);
            item.due = due;
            Write::Put {
                item,
                only_if: Condition::Absent,
            }
        }
        Some(version) => Write::Update {
            key,
            set_body: Some(body),
            set_due: due.map(Some),
            add: Vec::new(),
            only_if: vec![crate::store::Guard::Version(version)],
        },
    }
}
