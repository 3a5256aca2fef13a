//! The catalogue in the table: what we sell, where it is listed, and where it can be bought.
//!
//! | file | what |
//! |---|---|
//! | `terms.rs` | what the merchant says, and what is left as it is |
//! | `put.rs` | terms are put into it, each sku's in one transaction |
//! | `remove.rs` | what is no longer sold or bought goes, if nothing hangs on it |

mod put;
mod remove;
mod terms;

pub use put::{Put, put, put_bundle, put_terms};
pub use remove::{Removed, remove_bundle, remove_listing, remove_offer};
pub use terms::{ListingTerms, OfferTerms, Term, Terms};

use super::{FlowError, ledger};
use crate::domain::{Bundle, Listing, Offer, Sku};
use crate::store::{Item, Key, Store, keys};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Items of the table that one step of a walk looks at.
const ITEMS_AT_ONCE: usize = 1000;

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
    /// The version of what it is made of; 0 where it is no bundle.
    pub bundle_version: u64,
    /// Where the parts of a bundle can be bought; only [`load_with_parts`] reads them.
    pub parts: BTreeMap<Sku, Vec<StoredOffer>>,
    /// The bundles that it is a part of.
    pub part_of: Vec<Sku>,
}

impl Entry {
    /// Whether the sku itself is in the catalogue; one that is only a part of bundles is not.
    pub const fn is_there(&self) -> bool {
        !self.listings.is_empty() || !self.offers.is_empty() || self.bundle.is_some()
    }
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
    /// When its stock is looked at next.
    pub due_at: Option<Timestamp>,
    /// Its version in the table.
    pub version: u64,
}

/// As [`load`], with the offers of a bundle's parts.
pub async fn load_with_parts(store: &dyn Store, sku: &Sku) -> Result<Entry, FlowError> {
    let mut entry = load(store, sku).await?;
    let Some(bundle) = &entry.bundle else {
        return Ok(entry);
    };
    for part in bundle.parts() {
        let offers = load(store, &part.sku).await?.offers;
        entry.parts.insert(part.sku.clone(), offers);
    }
    Ok(entry)
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
        entry.bundle_version = item.version;
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
        due_at: item.due.as_ref().map(|due| due.at),
        version: item.version,
    })
}

/// Reads the catalogue sku by sku, in no order. What is written meanwhile may be read or not.
#[derive(Debug, Default)]
pub struct Walk {
    after: Option<Key>,
    is_over: bool,
    /// The sku whose items may go on in the next page.
    open: Option<(Sku, Entry)>,
}

impl Walk {
    /// The next skus, about a page of them; `None` at the end. A sku that is only a part of bundles is not among them.
    pub async fn next(
        &mut self,
        store: &dyn Store,
    ) -> Result<Option<Vec<(Sku, Entry)>>, FlowError> {
        if self.is_over {
            return Ok(None);
        }
        let scan = store
            .scan(keys::SKU, self.after.as_ref(), ITEMS_AT_ONCE)
            .await?;
        let mut whole = Vec::new();
        for item in &scan.items {
            let code = item.key.pk.strip_prefix(keys::SKU).unwrap_or_default();
            if self
                .open
                .as_ref()
                .is_none_or(|(sku, _)| sku.as_str() != code)
            {
                let sku = Sku::parse(code).map_err(|error| FlowError::Stored(error.to_string()))?;
                whole.extend(self.open.replace((sku, Entry::default())));
            }
            if let Some((_, entry)) = &mut self.open {
                add(entry, item)?;
            }
        }
        self.is_over = scan.next.is_none();
        self.after = scan.next;
        if self.is_over {
            whole.extend(self.open.take());
        }
        whole.retain(|(_, entry)| entry.is_there());
        Ok(Some(whole))
    }
}

#[cfg(test)]
mod tests;
