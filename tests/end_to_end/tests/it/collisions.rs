//! Two at work on one order: what a marketplace answered is not lost when its record collides with another write.

use crate::common::world;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kervan::domain::{ParcelState, PurchaseState};
use kervan::store::{Item, Key, MemoryStore, Page, Store, StoreError, Write, WriteError};
use kervan_end_to_end::World;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A store in which the first writes that record an event collide with somebody else's.
#[derive(Debug)]
struct Colliding {
    store: Arc<MemoryStore>,
    event: &'static str,
    left: AtomicUsize,
}

#[async_trait]
impl Store for Colliding {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.store.get(key).await
    }

    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.store.query(pk, prefix, after, limit).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        let event = format!("\"event\":\"{}\"", self.event);
        let records_it = writes
            .iter()
            .any(|write| matches!(write, Write::Put { item, .. } if item.body.contains(&event)));
        let takes_one = |left: usize| left.checked_sub(1);
        let order = Ordering::SeqCst;
        if records_it && self.left.fetch_update(order, order, takes_one).is_ok() {
            return Err(WriteError::Contended);
        }
        self.store.write(writes).await
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        self.store.due(lane, from, until, limit).await
    }
}

/// The lamp's world with a store in which recording this event collides three times.
async fn colliding(event: &'static str) -> World {
    let mut world = world().await;
    let (store, left) = (world.store.clone(), AtomicUsize::new(3));
    world.kervan.store = Arc::new(Colliding { store, event, left });
    world
}

#[tokio::test]
async fn a_suppliers_answer_survives_a_collision_in_the_table() {
    let world = colliding("placed").await;
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    let order = world.order(&key).await.unwrap().unwrap();
    assert!(
        matches!(order.purchases[0].state, PurchaseState::Placed { .. }),
        "{order:?}"
    );
    assert_eq!(
        world.aliexpress.counters().repeats_recognised,
        0,
        "nothing was in doubt"
    );
}

#[tokio::test]
async fn a_channels_answer_survives_a_collision_in_the_table() {
    let world = colliding("parcel_confirmed").await;
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_mins(3)).await.unwrap();
    let order = world.order(&key).await.unwrap().unwrap();
    assert!(
        matches!(order.parcels[0].state, ParcelState::Confirmed { .. }),
        "{order:?}"
    );
    assert_eq!(
        world
            .ebay
            .order(key.id.as_str())
            .unwrap()
            .fulfillments
            .len(),
        1
    );
}
