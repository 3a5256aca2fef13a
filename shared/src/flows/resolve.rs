//! A person decides about an order that waits: what was found at the supplier's site is entered, it is bought again, it
//! is bought elsewhere, or it is cancelled.
//!
//! What follows from a decision is worked out from the stored order alone (`steps`, pure) and recorded in one
//! transaction with it, so that a worker who was quicker makes it be thought over anew. Nothing is called outside: the
//! order is due at once, and the workers go on from there.
//!
//! **Invariant:** nothing is decided while somebody may be buying, and what may be at a supplier is only given up where
//! the person has said of that very purchase that it is not there.

#[cfg(test)]
mod case;
mod lines;
#[cfg(test)]
mod properties;
mod steps;
#[cfg(test)]
mod tests;
mod unfit;

pub use unfit::Unfit;

use super::FlowError;
use super::ledger::{self, NotRecorded};
use crate::clock::Clock;
use crate::domain::{Decision, Event, Misfit, Order, OrderKey, Remark, SupplierOrderId};
use crate::store::{Condition, Item, Key, Store, Write, keys};
use steps::{Steps, steps};

/// How often a decision is worked out: once, and once more where a worker came between.
const MOST_TRIES: usize = 2;

/// What a person tells about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub reason: Remark,
    /// By whom.
    pub by: Remark,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The order before.
    pub before: Order,
    /// The order with the decision.
    pub after: Order,
    /// What was recorded, the decision first.
    pub events: Vec<Event>,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Kervan does not have the order.
    #[error("the order is not in the table: it was never recorded, or the id is another")]
    UnknownOrder,
    /// The decision does not fit.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// Workers came between, more than once.
    #[error("a worker is busy with the order and was quicker; nothing was decided")]
    Overtaken,
    /// Something else.
    #[error(transparent)]
    Flow(FlowError),
}

impl From<FlowError> for ResolveError {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::Overtaken => Self::Overtaken,
            other => Self::Flow(other),
        }
    }
}

impl From<Misfit> for ResolveError {
    fn from(error: Misfit) -> Self {
        Self::Flow(error.into())
    }
}

/// Records what a person decides about an order, with what follows from it.
pub async fn resolve(
    store: &dyn Store,
    clock: &dyn Clock,
    key: &OrderKey,
    told: &Told,
) -> Result<Resolution, ResolveError> {
    let mut result = Err(ResolveError::Overtaken);
    for _ in 0..MOST_TRIES {
        result = resolve_once(store, clock, key, told).await;
        if !matches!(result, Err(ResolveError::Overtaken)) {
            return result;
        }
    }
    result
}

/// What [`resolve`] would do; nothing is written.
pub async fn preview(
    store: &dyn Store,
    clock: &dyn Clock,
    key: &OrderKey,
    told: &Told,
) -> Result<Resolution, ResolveError> {
    let (before, steps) = prepare(store, clock, key, told).await?;
    let now = clock.now();
    let mut after = before.clone();
    for event in &steps.events {
        after.apply(now, event)?;
    }
    Ok(Resolution {
        before,
        after,
        events: steps.events,
    })
}

async fn resolve_once(
    store: &dyn Store,
    clock: &dyn Clock,
    key: &OrderKey,
    told: &Told,
) -> Result<Resolution, ResolveError> {
    let (before, steps) = prepare(store, clock, key, told).await?;
    let mut after = before.clone();
    let Steps { events, writes } = steps;
    match ledger::record_in_haste(store, clock.now(), &mut after, &events, writes).await {
        Ok(()) => Ok(Resolution {
            before,
            after,
            events,
        }),
        // A number that was free a moment ago has found its order.
        Err(NotRecorded::Extra(_)) => Err(ResolveError::Overtaken),
        Err(NotRecorded::Failed(error)) => Err(error.into()),
    }
}

async fn prepare(
    store: &dyn Store,
    clock: &dyn Clock,
    key: &OrderKey,
    told: &Told,
) -> Result<(Order, Steps), ResolveError> {
    let order = ledger::load(store, key).await?;
    let order = order.ok_or(ResolveError::UnknownOrder)?;
    let mut steps = steps(&order, told, clock.now())?;
    if let Decision::Bought {
        purchase,
        supplier_orders,
        ..
    } = &told.decision
    {
        let index = index_writes(store, &order, *purchase, supplier_orders).await?;
        steps.writes.extend(index);
    }
    Ok((order, steps))
}

/// Each of the supplier's numbers leads to the order from now on, and numbers that were wrong no longer do. One that leads
/// to another order was mistyped.
async fn index_writes(
    store: &dyn Store,
    order: &Order,
    number: u8,
    supplier_orders: &[SupplierOrderId],
) -> Result<Vec<Write>, ResolveError> {
    let unknown = || Unfit::NoSuchPurchase(number);
    let purchase = order.purchase(number).ok_or_else(unknown)?;
    let line = purchase.lines.first().ok_or_else(unknown)?;
    let mut writes = Vec::new();
    for id in supplier_orders {
        let key = keys::supplier_order(&line.offer.supplier, id);
        match owner(store, &key).await? {
            None => writes.push(Write::Put {
                item: Item::new(key, 1, ledger::write(&order.key)?),
                only_if: Condition::Absent,
            }),
            Some(owner) if owner == order.key => {}
            Some(owner) => {
                let (number, owner) = (id.clone(), owner.to_string());
                return Err(Unfit::NumberTaken { number, owner }.into());
            }
        }
    }
    let wrong = purchase.supplier_orders().iter();
    for id in wrong.filter(|id| !supplier_orders.contains(id)) {
        let key = keys::supplier_order(&line.offer.supplier, id);
        if owner(store, &key).await?.as_ref() == Some(&order.key) {
            writes.push(Write::Delete { key });
        }
    }
    Ok(writes)
}

/// The order that a supplier's number leads to.
async fn owner(store: &dyn Store, key: &Key) -> Result<Option<OrderKey>, ResolveError> {
    let item = store.get(key).await.map_err(FlowError::from)?;
    Ok(item.map(|item| ledger::read(&item.body)).transpose()?)
}
