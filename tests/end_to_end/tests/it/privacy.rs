//! A buyer's data and the secrets stay where they belong: sealed in the table, at the supplier, and nowhere else.

use jiff::SignedDuration;
use kervan_end_to_end::{BUYER_WORDS, NEVER_IN_THE_OPEN, World, WorldOptions, known_buyer};
use kervan_marketplaces::Fault;
use kervan_marketplaces::ebay::NewOrder;

/// Everything that Kervan wrote: the table and all queues.
fn written(world: &World) -> String {
    let mut all = format!("{:?}", world.store.items());
    for queue in [
        &world.orders,
        &world.tracking,
        &world.inventory,
        &world.dead,
    ] {
        all.push_str(&queue.bodies().join("\n"));
    }
    all
}

fn assert_clean(text: &str) {
    for word in NEVER_IN_THE_OPEN {
        assert!(!text.contains(word), "{word} was written in the open");
    }
}

#[tokio::test]
async fn nothing_of_the_buyer_and_no_secret_is_written_in_the_open() {
    let world = World::with_lamp(WorldOptions::default(), 10).await.unwrap();
    let mut order = NewOrder::one("LAMP-01", 1);
    order.buyer = Some(known_buyer());
    world.buy_as(order).unwrap();
    for _ in 0..200 {
        world.pass(SignedDuration::from_secs(30)).await.unwrap();
        assert_clean(&written(&world));
    }
    let address = world.aliexpress.orders()[0].address.to_string();
    assert!(
        address.contains(BUYER_WORDS[1]),
        "the supplier did not get the address"
    );
}

#[tokio::test]
async fn an_account_deletion_erases_the_buyer_for_good() {
    let world = World::with_lamp(WorldOptions::default(), 10).await.unwrap();
    let buyer = known_buyer();
    let mut order = NewOrder::one("LAMP-01", 1);
    order.buyer = Some(buyer.clone());
    let key = world.buy_as(order).unwrap();
    world.pass(SignedDuration::from_mins(2)).await.unwrap();
    let sealed = |world: &World| {
        world
            .store
            .items()
            .iter()
            .any(|item| item.key.sk == "BUYER")
    };
    assert!(sealed(&world));
    world
        .ebay
        .delete_account(&buyer.username)
        .expect("an endpoint is registered");
    world.pass(SignedDuration::from_mins(2)).await.unwrap();
    assert!(!sealed(&world));
    assert!(world.order(&key).await.unwrap().unwrap().buyer_erased);
    assert!(
        world
            .store
            .items()
            .iter()
            .all(|item| !item.key.pk.starts_with("PERSON#"))
    );
}

#[tokio::test]
async fn an_account_deletion_that_could_not_be_queued_is_sent_again_until_it_is() {
    let world = World::with_lamp(WorldOptions::default(), 10).await.unwrap();
    let buyer = known_buyer();
    let mut order = NewOrder::one("LAMP-01", 1);
    order.buyer = Some(buyer.clone());
    let key = world.buy_as(order).unwrap();
    world.pass(SignedDuration::from_hours(2)).await.unwrap();
    let operation = kervan_marketplaces::ebay::EbayOperation::GetPublicKey;
    world.ebay.fail_next(operation, Fault::ServerError, 1);
    world
        .ebay
        .delete_account(&buyer.username)
        .expect("an endpoint is registered");
    world.pass(SignedDuration::from_hours(1)).await.unwrap();
    assert!(world.order(&key).await.unwrap().unwrap().buyer_erased);
}
