//! A person tells the channel that an order cannot be filled. The channel cancels it, and tells Kervan of that as of any
//! cancellation.

use super::FlowError;
use super::ledger::{self, NotRecorded};
use crate::Accounts;
use crate::clock::Clock;
use crate::domain::{Event, LineId, Order, OrderKey, Phase, Remark};
use crate::marketplaces::CallError;
use crate::store::Store;

/// Why the channel was not told.
#[derive(Debug, thiserror::Error)]
pub enum DeclineError {
    /// Kervan does not have the order.
    #[error("the order is not in the table: it was never recorded, or the id is another")]
    UnknownOrder,
    /// The order is over.
    #[error("the order is over")]
    Over,
    /// Something of it is at a supplier, or may be.
    #[error("purchase {0} is at a supplier, or may be: decide about it first (orders resolve)")]
    Bought(u8),
    /// The channel has no call for it.
    #[error("this channel takes cancellations by the seller on its own pages only")]
    NotOffered,
    /// The channel did not take it; nothing more is bought for the order, and it can be told again.
    #[error(
        "the channel did not take it; nothing is bought for the order, and you can run this again: {0}"
    )]
    NotTaken(CallError),
    /// The channel cannot be asked; nothing was recorded.
    #[error("the channel cannot be asked: {0}")]
    Unasked(CallError),
    /// Something else.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<NotRecorded> for DeclineError {
    fn from(error: NotRecorded) -> Self {
        Self::Flow(error.into())
    }
}

/// Tells the channel that the seller cannot fill the order. From then on nothing is bought for it.
pub async fn decline(
    accounts: &Accounts,
    store: &dyn Store,
    clock: &dyn Clock,
    key: &OrderKey,
    why: &Remark,
    by: &Remark,
) -> Result<Order, DeclineError> {
    let order = ledger::load(store, key).await?;
    let mut order = order.ok_or(DeclineError::UnknownOrder)?;
    if order.phase != Phase::Open {
        return Err(DeclineError::Over);
    }
    if let Some(purchase) = order.purchases.iter().find(|purchase| purchase.is_live()) {
        return Err(DeclineError::Bought(purchase.number));
    }
    let account = accounts.get(&key.channel).await;
    let account = account.map_err(DeclineError::Unasked)?;
    let channel = account.cancel_orders().ok_or(DeclineError::NotOffered)?;
    let declined = Event::Declined {
        why: why.clone(),
        by: by.clone(),
    };
    // Recorded first, on the order as it was loaded: a worker that began to buy in between makes this fail, and one that
    // comes later finds that nothing is to be bought.
    ledger::record_in_haste(store, clock.now(), &mut order, &[declined], Vec::new()).await?;
    let lines: Vec<LineId> = order
        .details
        .lines
        .iter()
        .map(|line| line.id.clone())
        .collect();
    let told = channel.cancel(&key.id, &lines).await;
    told.map_err(DeclineError::NotTaken)?;
    Ok(order)
}
