//! Listings that the merchant changed are published by the inventory-poller, which is told through its queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use kervan::domain::Sku;
use kervan::flows::InventoryTask;
use kervan::queue::{Outgoing, Queue};

use crate::command::target::Target;

/// Skus in one message: as many as a worker publishes well within its time.
const SKUS_AT_ONCE: usize = 25;
/// How often a send is tried.
const MOST_TRIES: u32 = 3;
const WAIT: Duration = Duration::from_millis(500);
/// While so many messages wait, an import adds none: that an order took units is told through the same queue, and would come
/// to its turn behind them. Half of what the poller lets lie there, so that looks at stock find room beside an import.
const MANY_MESSAGES: u64 = 500;
/// A queue of which nothing was taken for so long is not worked off: what SQS counts can be a minute old.
const PATIENCE: Duration = Duration::from_secs(120);

/// Tells the inventory-poller which skus to publish.
#[derive(Debug)]
pub(in crate::command) struct Publisher {
    queue: Option<Arc<dyn Queue>>,
    patience: Duration,
    /// The merchant knows that it is waited for.
    was_told: AtomicBool,
    /// The queue is not worked off, and is not waited for.
    is_left: AtomicBool,
}

impl Publisher {
    pub(in crate::command) const fn to(queue: Arc<dyn Queue>) -> Self {
        Self::with(Some(queue))
    }

    /// Nobody is told: listings are published when the stock of their offers is next looked at.
    pub(in crate::command) const fn silent() -> Self {
        Self::with(None)
    }

    const fn with(queue: Option<Arc<dyn Queue>>) -> Self {
        Self {
            queue,
            patience: PATIENCE,
            was_told: AtomicBool::new(false),
            is_left: AtomicBool::new(false),
        }
    }

    /// The queue of the stack. Where there is none, as with a table alone, the merchant is told what that means.
    pub(super) async fn open(target: &Target) -> Self {
        match target.open_queues(&["InventoryQueue"]).await {
            Ok(mut opened) if !opened.queues.is_empty() => Self::to(opened.queues.remove(0)),
            Ok(_) => Self::silent(),
            Err(error) => {
                eprintln!(
                    "Listings that change are published when their stock is next looked at, not at once: {error:#}"
                );
                Self::silent()
            }
        }
    }

    /// Has the listings of these skus published. Being told twice does no harm.
    pub(in crate::command) async fn publish(
        &self,
        skus: impl IntoIterator<Item = Sku>,
    ) -> Result<()> {
        let Some(queue) = &self.queue else {
            return Ok(());
        };
        let mut skus: Vec<Sku> = skus.into_iter().collect();
        skus.sort();
        skus.dedup();
        let mut messages = Vec::new();
        for skus in skus.chunks(SKUS_AT_ONCE) {
            let task = InventoryTask::Publish {
                skus: skus.to_vec(),
                ordered_at: None,
            };
            messages.push(Outgoing::now(serde_json::to_string(&task)?));
        }
        if messages.is_empty() {
            return Ok(());
        }
        for _ in 1..MOST_TRIES {
            if queue.send(messages.clone()).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(WAIT).await;
        }
        Ok(queue.send(messages).await?)
    }

    /// Waits while the queue is full of other work, as long as that goes on.
    pub(super) async fn wait_for_room(&self) {
        let Some(queue) = &self.queue else {
            return;
        };
        let (mut fewest, mut since) = (u64::MAX, Instant::now());
        while !self.is_left.load(Ordering::Relaxed) {
            // A queue that does not say is taken to have room.
            let waiting = queue.depth().await.map_or(0, |depth| depth.visible);
            if waiting <= MANY_MESSAGES {
                return;
            }
            if waiting < fewest {
                if fewest == u64::MAX && !self.was_told.swap(true, Ordering::Relaxed) {
                    eprintln!(
                        "The inventory queue has {waiting} messages; the import goes on as they are worked off"
                    );
                }
                (fewest, since) = (waiting, Instant::now());
            } else if since.elapsed() >= self.patience {
                eprintln!(
                    "The inventory queue has {waiting} messages, and nobody takes any: what changed is added to them"
                );
                self.is_left.store(true, Ordering::Relaxed);
            }
            tokio::time::sleep(WAIT).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use kervan::clock::ManualClock;
    use kervan::queue::MemoryQueue;

    async fn full() -> Arc<MemoryQueue> {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let queue = Arc::new(MemoryQueue::new(clock));
        let messages = (0..=MANY_MESSAGES).map(|n| Outgoing::now(n.to_string()));
        queue.send(messages.collect()).await.unwrap();
        queue
    }

    #[tokio::test]
    async fn a_full_queue_is_waited_for_while_it_is_worked_off() {
        let queue = full().await;
        let publisher = Publisher::to(queue.clone());
        let waits = tokio::spawn(async move { publisher.wait_for_room().await });
        tokio::time::sleep(2 * WAIT).await;
        assert!(!waits.is_finished());
        let (hidden, wait) = (Duration::from_secs(60), Duration::ZERO);
        let taken = queue.receive(1, hidden, wait).await.unwrap();
        queue.delete(&taken[0].receipt).await.unwrap();
        waits.await.unwrap();
    }

    #[tokio::test]
    async fn a_queue_that_nobody_works_off_is_not_waited_for() {
        let queue = full().await;
        let publisher = Publisher {
            patience: Duration::ZERO,
            ..Publisher::to(queue.clone())
        };
        publisher.wait_for_room().await;
        assert!(publisher.is_left.load(Ordering::Relaxed));
        publisher.publish([Sku::parse("A").unwrap()]).await.unwrap();
        assert_eq!(queue.bodies().len(), 502);
    }
}
