//! What happens at the marketplaces without anybody asking: Amazon sends its notifications, and the companies at
//! Alibaba.com ship what was paid. The other simulators do as much by themselves.

use jiff::Timestamp;
use kervan::queue::{Outgoing, Queue, Sqs};
use kervan_marketplaces::alibaba::icbu::TradeStatus;
use kervan_marketplaces::{Amazon, Icbu};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinHandle;

/// How often the marketplaces are looked at.
const LOOKS_EVERY: Duration = Duration::from_millis(100);
/// After a refusal of the queue.
const SENDS_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Tasks that end when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Hands(Vec<JoinHandle<()>>);

impl Hands {
    pub(super) fn start(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.push(tokio::spawn(work));
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// Puts Amazon's notifications into the merchant's queue, each until the queue has it.
pub(super) async fn notify(amazon: Amazon, queue: Sqs) {
    let mut waiting: Vec<String> = Vec::new();
    loop {
        let due = amazon.take_due_notifications(amazon.clock().now());
        waiting.extend(due.into_iter().map(|notification| notification.body));
        if !waiting.is_empty() {
            let messages = waiting.iter().cloned().map(Outgoing::now).collect();
            match queue.send(messages).await {
                Ok(()) => waiting.clear(),
                Err(_) => tokio::time::sleep(SENDS_AGAIN_AFTER).await,
            }
        }
        tokio::time::sleep(LOOKS_EVERY).await;
    }
}

/// Ships what was paid at Alibaba.com, and lets it arrive.
pub(super) async fn ship(icbu: Icbu, ships_after: Duration, delivers_after: Duration) {
    let mut shipped: BTreeMap<u64, Timestamp> = BTreeMap::new();
    let mut arrived: BTreeSet<u64> = BTreeSet::new();
    loop {
        let now = icbu.clock().now();
        let is_over =
            |since: Timestamp, wait: Duration| now.duration_since(since).unsigned_abs() >= wait;
        // With all arrived there is nothing to look through.
        let orders = usize::try_from(icbu.counters().orders).unwrap_or(usize::MAX);
        let open = if arrived.len() < orders {
            icbu.orders()
        } else {
            Vec::new()
        };
        for order in open {
            let id = order.trade_id;
            let is_to_ship = order.status == TradeStatus::Undeliver
                && order.paid_at.is_some_and(|at| is_over(at, ships_after));
            let is_to_arrive = order.status == TradeStatus::WaitConfirmReceipt
                && shipped
                    .get(&id)
                    .is_some_and(|at| is_over(*at, delivers_after));
            if is_to_ship && icbu.ship(id, 1).is_ok() {
                shipped.insert(id, now);
            }
            if is_to_arrive && icbu.deliver(id).and_then(|()| icbu.confirm(id)).is_ok() {
                arrived.insert(id);
            }
        }
        tokio::time::sleep(LOOKS_EVERY).await;
    }
}
