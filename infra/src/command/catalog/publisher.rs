//! Listings that the merchant changed are published by the inventory-poller, which is told through its queue.

use std::sync::Arc;
use std::time::Duration;

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

/// Tells the inventory-poller which skus to publish.
#[derive(Debug)]
pub(in crate::command) struct Publisher {
    queue: Option<Arc<dyn Queue>>,
}

impl Publisher {
    pub(in crate::command) const fn to(queue: Arc<dyn Queue>) -> Self {
        Self { queue: Some(queue) }
    }

    /// Nobody is told: listings are published when the stock of their offers is next looked at.
    pub(in crate::command) const fn silent() -> Self {
        Self { queue: None }
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
}
