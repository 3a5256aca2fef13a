//! Offers whose time has come are queued, as many together as the supplier tells of at once.

use super::InventoryTask;
use crate::Kervan;
use crate::domain::{AccountId, CountryCode, Offer, OfferId, Sku};
use crate::flows::{FlowError, ledger};
use crate::queue::Outgoing;
use crate::store::{Due, Guard, Write, WriteError, keys};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// The most offers that one run queues.
const MOST_DUE: usize = 2000;
/// An offer that was queued is not queued again for so long, whatever becomes of the message.
const QUEUED_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// Queues the offers whose time has come, as many products together as the supplier tells of at once. Returns how many
/// offers were queued.
pub(super) async fn queue_due_stock(kervan: &Kervan) -> Result<usize, FlowError> {
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
