//! The table as the monitor knows it. Each item is parsed once, when it is written, so that checking a write costs what
//! that write touches and not what the whole table holds.

use kervan::domain::{EvidenceRule, Listing, Offer, Order, OrderKey, Rules};
use kervan::flows::{FlowError, ledger};
use kervan::store::{Due, Item, Key, keys};
use std::collections::BTreeMap;

/// An offer with the counters and the due time that its item has.
#[derive(Debug, Clone)]
pub(crate) struct StoredOffer {
    pub(crate) offer: Offer,
    pub(crate) counters: BTreeMap<String, i64>,
    pub(crate) due: Option<Due>,
}

impl StoredOffer {
    /// A counter of the item; one that was never written is 0.
    pub(crate) fn counter(&self, name: &str) -> i64 {
        self.counters.get(name).copied().unwrap_or(0)
    }
}

/// What is stored, by kind.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    pub(super) orders: BTreeMap<OrderKey, Order>,
    /// Each order as the history records give it that were written so far.
    replayed: BTreeMap<OrderKey, Order>,
    pub(super) offers: BTreeMap<Key, StoredOffer>,
    pub(super) listings: BTreeMap<Key, Listing>,
    pub(super) evidence: EvidenceRule,
}

impl Mirror {
    /// Takes over what the table now has under a key.
    ///
    /// # Errors
    /// Where the text cannot be read as what it should be.
    pub(super) fn set(&mut self, key: &Key, item: Option<&Item>) -> Result<(), FlowError> {
        if key.sk.starts_with(keys::OFFER) {
            let Some(item) = item else {
                self.offers.remove(key);
                return Ok(());
            };
            let stored = StoredOffer {
                offer: ledger::read(&item.body)?,
                counters: item.counters.clone(),
                due: item.due.clone(),
            };
            self.offers.insert(key.clone(), stored);
        } else if key.sk.starts_with(keys::LISTING) {
            match item {
                Some(item) => self.listings.insert(key.clone(), ledger::read(&item.body)?),
                None => self.listings.remove(key),
            };
        } else if *key == keys::rules() {
            let rules = item.map(|item| ledger::read::<Rules>(&item.body));
            self.evidence = rules.transpose()?.unwrap_or_default().evidence;
        }
        Ok(())
    }

    /// Applies history records that one transaction wrote, in their order, and answers what the order is by them.
    ///
    /// # Errors
    /// Where a record does not follow the one before: one was changed, lost or written twice.
    pub(super) fn replay<'a>(
        &mut self,
        key: &OrderKey,
        records: impl Iterator<Item = &'a str>,
    ) -> Result<Option<&Order>, FlowError> {
        let mut order = self.replayed.remove(key);
        for body in records {
            order = Some(ledger::follow(order, key, body)?);
        }
        if let Some(order) = order {
            self.replayed.insert(key.clone(), order);
        }
        Ok(self.replayed.get(key))
    }
}
