//! A person's data goes, on the marketplace's or the person's demand, at once and for good.

use super::{FlowError, Outcome, forward, ledger};
use crate::Kervan;
use crate::decide::open_units;
use crate::domain::{Event, Order, OrderKey, Phase, Pseudonym, PurchaseState, Reason};
use crate::store::{Key, Write, keys};

/// Erases everything sealed of the person behind these pseudonyms. Repeating it is harmless.
pub(super) async fn person_erased(
    kervan: &Kervan,
    pseudonyms: &[Pseudonym],
) -> Result<Outcome, FlowError> {
    let mut erased = 0;
    for pseudonym in pseudonyms {
        let partition = keys::person(pseudonym);
        // What is erased leaves the partition, so the first page is always the next one.
        loop {
            let page = kervan.store.query(&partition, "", None, 25).await?;
            if page.items.is_empty() {
                break;
            }
            for item in page.items {
                let order: OrderKey = ledger::read(&item.body)?;
                erase(kervan, &order, item.key).await?;
                erased += 1;
            }
        }
    }
    tracing::info!(orders = erased, "A person's data was erased.");
    Ok(Outcome::Done)
}

async fn erase(kervan: &Kervan, key: &OrderKey, index: Key) -> Result<(), FlowError> {
    let writes = vec![
        Write::Delete {
            key: keys::buyer(key),
        },
        Write::Delete { key: index },
    ];
    let Some(mut order) = ledger::load(&*kervan.store, key).await? else {
        return Ok(kervan.store.write(writes).await?);
    };
    if order.buyer_erased {
        return Ok(kervan.store.write(writes).await?);
    }
    ledger::record(kervan, &mut order, &[Event::BuyerErased], writes).await?;
    if needs_the_address(&order) {
        forward::raise(kervan, &mut order, Reason::BuyerErased).await?;
    }
    Ok(())
}

/// Whether something is still to be bought, which is impossible now.
fn needs_the_address(order: &Order) -> bool {
    let planned = |state: &PurchaseState| matches!(state, PurchaseState::Planned { .. });
    let unbought = !open_units(order).is_empty()
        || order
            .purchases
            .iter()
            .any(|purchase| planned(&purchase.state));
    order.phase == Phase::Open && unbought && !order.decided.bought_elsewhere
}
