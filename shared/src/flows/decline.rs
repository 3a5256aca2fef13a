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
        .filter(|line| line.cancelled < line.quantity)
        .map(|line| line.id.clone())
        .collect();
    let told = channel.cancel(&key.id, &lines).await;
    told.map_err(DeclineError::NotTaken)?;
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::{AccountId, ChannelOrderId, OrderDetails};
    use crate::http::HttpClient;
    use crate::marketplaces::{Account, CancelOrders, Kind, Retry};
    use crate::secrets::MemorySecrets;
    use crate::store::{Condition, Item, MemoryStore, Write, keys};
    use async_trait::async_trait;
    use jiff::Timestamp;
    use serde_json::json;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    #[derive(Debug)]
    struct Channel {
        id: AccountId,
        refuses: AtomicBool,
        told: AtomicUsize,
    }

    impl Account for Channel {
        fn id(&self) -> &AccountId {
            &self.id
        }

        fn cancel_orders(&self) -> Option<&dyn CancelOrders> {
            Some(self)
        }
    }

    #[async_trait]
    impl CancelOrders for Channel {
        async fn cancel(&self, _: &ChannelOrderId, lines: &[LineId]) -> Result<(), CallError> {
            assert_eq!(lines.len(), 1);
            self.told.fetch_add(1, Ordering::Relaxed);
            if self.refuses.load(Ordering::Relaxed) {
                let (kind, retry) = (Kind::Unavailable, Retry::After(Duration::ZERO));
                return Err(CallError::new(&self.id, "cancel", kind, retry, "http-503"));
            }
            Ok(())
        }
    }

    fn key() -> OrderKey {
        "amazon:main/111-1".parse().unwrap()
    }

    /// A channel with one order of one line, to which these events happened.
    async fn told(refuses: bool, events: &[Event]) -> (Result<Order, DeclineError>, usize, Order) {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let store = MemoryStore::new(clock.clone());
        let usd = json!({"minor": 2000, "currency": "USD"});
        let details: OrderDetails = serde_json::from_value(json!({
            "bought_at": now, "modified_at": now, "payment": "paid", "cancel": "no",
            "fulfilled": false, "total": usd, "fee": usd, "country": "US",
            "lines": [{"id": "1", "sku": "LAMP", "quantity": 1, "price": usd, "ship_by": null}],
        }))
        .unwrap();
        let mut order = Order::begin(key(), now, &Event::Recorded { details }).unwrap();
        for event in events {
            order.apply(now, event).unwrap();
        }
        let body = serde_json::to_string(&order).unwrap();
        let item = Item::new(keys::order_state(&key()), order.version, body);
        let only_if = Condition::Absent;
        store
            .write(vec![Write::Put { item, only_if }])
            .await
            .unwrap();
        let channel = Arc::new(Channel {
            id: key().channel,
            refuses: AtomicBool::new(refuses),
            told: AtomicUsize::new(0),
        });
        let http = Arc::new(HttpClient::new(Duration::from_secs(1)).unwrap());
        let secrets = Arc::new(MemorySecrets::new());
        let accounts = Accounts::new(Vec::new(), "kervan/", secrets, http, clock.clone(), None);
        let accounts = accounts.with_account(channel.clone());
        let (why, by) = (
            Remark::parse("gone").unwrap(),
            Remark::parse("ada").unwrap(),
        );
        let done = decline(&accounts, &store, &*clock, &key(), &why, &by).await;
        let order = ledger::load(&store, &key()).await.unwrap().unwrap();
        (done, channel.told.load(Ordering::Relaxed), order)
    }

    #[tokio::test]
    async fn the_channel_is_told_and_nothing_is_bought_from_then_on() {
        let (done, told, order) = told(false, &[]).await;
        done.unwrap();
        assert_eq!(told, 1);
        assert!(order.decided.bought_elsewhere);
    }

    #[tokio::test]
    async fn a_channel_that_does_not_take_it_can_be_told_again_and_nothing_is_bought_meanwhile() {
        let (done, told, order) = told(true, &[]).await;
        assert!(matches!(done, Err(DeclineError::NotTaken(_))));
        assert_eq!(told, 1);
        assert!(order.decided.bought_elsewhere);
    }

    #[tokio::test]
    async fn an_order_that_is_over_is_left_alone() {
        let (done, told, order) = told(false, &[Event::Finished]).await;
        assert!(matches!(done, Err(DeclineError::Over)));
        assert_eq!(told, 0);
        assert!(!order.decided.bought_elsewhere);
    }
}
