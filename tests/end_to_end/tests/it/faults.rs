//! What goes wrong on the way: each obstacle ends as a retry, a refusal with its reason, or an entry in the attention list,
//! and never as a second purchase.

use crate::common::world;
use jiff::SignedDuration;
use kervan::domain::{Phase, PurchaseState};
use kervan::flows::ledger;
use kervan::queue::{Outgoing, Queue};
use kervan_end_to_end::{World, WorldOptions, known_buyer};
use kervan_marketplaces::Fault;
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::ebay::{EbayOperation, NewListing, NewOrder};
use kervan_simulation::NewOffer;
use std::sync::Arc;

fn bought_twice(world: &World) -> bool {
    world
        .aliexpress
        .counters()
        .purchases_by_out_order_id
        .values()
        .any(|times| *times > 1)
}

#[tokio::test]
async fn an_unmapped_sku_waits_for_a_person_and_goes_on_once_it_is_mapped() {
    let world = world().await;
    let price = kervan_marketplaces::Money::usd(29_99);
    world.ebay.add_listing(NewListing::new("VASE-09", price, 3));
    let key = world.buy("VASE-09", 1).unwrap();
    world.pass(SignedDuration::from_mins(1)).await.unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "sku_not_mapped");
    assert!(world.aliexpress.orders().is_empty());
    world.add("VASE-09", 29_99, 500_002, 9_00, 5).await.unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(2))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
}

#[tokio::test]
async fn a_revoked_consent_is_reported_once_and_calls_stop() {
    let world = world().await;
    world.aliexpress.revoke_consent();
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_mins(2)).await.unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "consent_ended");
    let calls = |world: &World| world.aliexpress.counters().calls.values().sum::<u64>();
    let before = calls(&world);
    world
        .pass_with_schedules(SignedDuration::from_mins(40))
        .await
        .unwrap();
    assert_eq!(
        calls(&world),
        before,
        "the marketplace was called with a consent that has ended"
    );
    assert!(world.aliexpress.orders().is_empty());
}

#[tokio::test]
async fn a_suppliers_refusal_gives_the_units_back_and_asks_a_person() {
    let world = world().await;
    let mut buyer = known_buyer();
    buyer.full_name = "Cher".to_owned();
    let mut order = NewOrder::one("LAMP-01", 1);
    order.buyer = Some(buyer);
    let key = world.buy_as(order).unwrap();
    world.pass(SignedDuration::from_mins(5)).await.unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "address_refused");
    let order = world.order(&key).await.unwrap().unwrap();
    assert!(matches!(
        order.purchases[0].state,
        PurchaseState::Refused { .. }
    ));
    assert!(world.aliexpress.orders().is_empty());
    // Its unit is free again: ten others can have all ten.
    for _ in 0..10 {
        world.buy("LAMP-01", 1).unwrap();
        world.pass(SignedDuration::from_secs(10)).await.unwrap();
    }
    assert_eq!(world.aliexpress.orders().len(), 10);
}

#[tokio::test]
async fn a_purchase_that_times_out_before_its_effect_is_bought_once_by_an_exact_repeat() {
    let world = world().await;
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutBefore, 1);
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    let order = world.order(&key).await.unwrap().unwrap();
    assert!(matches!(
        order.purchases[0].state,
        PurchaseState::Placing { doubt: Some(_), .. }
    ));
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
    assert_eq!(world.aliexpress.orders().len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_an_exact_repeat_and_never_bought_again() {
    let world = world().await;
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutAfter, 1);
    let key = world.buy("LAMP-01", 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(30))
        .await
        .unwrap();
    // AliExpress says that it has the order and not under which number, and has no search: a person finds the number.
    assert_eq!(
        world.attention(&key).await.unwrap(),
        "purchase_number_unknown"
    );
    assert_eq!(world.aliexpress.orders().len(), 1);
    assert!(!bought_twice(&world));
}

#[tokio::test]
async fn a_lost_answer_goes_on_by_itself_where_the_supplier_repeats_its_numbers() {
    let mut options = WorldOptions::default();
    options.aliexpress.settings.repeat_answers_first_ids = true;
    let world = World::with_lamp(options, 10).await.unwrap();
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutAfter, 1);
    let key = world.buy("LAMP-01", 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
    assert_eq!(world.aliexpress.orders().len(), 1);
    assert!(!bought_twice(&world));
}

#[tokio::test]
async fn a_lost_confirmation_is_read_back_and_not_sent_twice() {
    let world = world().await;
    world.ebay.fail_next(
        EbayOperation::CreateShippingFulfillment,
        Fault::TimeoutAfter,
        1,
    );
    let key = world.buy("LAMP-01", 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
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

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letter_queue_and_the_rest_goes_on() {
    let world = world().await;
    world
        .orders
        .send(vec![Outgoing::now("{\"kind\":\"nonsense\"}".to_owned())])
        .await
        .unwrap();
    let key = world.buy("LAMP-01", 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
    assert_eq!(
        world.dead.bodies(),
        vec!["{\"kind\":\"nonsense\"}".to_owned()]
    );
    assert!(world.orders.bodies().is_empty());
}

#[tokio::test]
async fn an_order_that_no_push_announced_is_found_by_the_sweep() {
    let world = World::new(WorldOptions::default());
    world
        .add("LAMP-01", 19_99, 500_001, 7_00, 10)
        .await
        .unwrap();
    world
        .pass_with_schedules(SignedDuration::from_mins(5))
        .await
        .unwrap();
    let key = world.buy("LAMP-01", 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(8))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
    assert_eq!(world.aliexpress.orders().len(), 1);
}

#[tokio::test]
async fn the_last_unit_is_sold_once_and_the_second_customer_waits_for_a_person() {
    let world = World::with_lamp(WorldOptions::default(), 1).await.unwrap();
    let mut late = NewOrder::one("LAMP-01", 1);
    late.oversell = true;
    let first = world.buy("LAMP-01", 1).unwrap();
    let second = world.buy_as(late).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    let mut ends = Vec::new();
    for key in [first, second] {
        ends.push(world.attention(&key).await.unwrap());
    }
    ends.sort();
    assert_eq!(ends, ["", "out_of_stock"]);
    assert_eq!(world.aliexpress.orders().len(), 1);
    assert_eq!(world.ebay.listed_quantity("LAMP-01"), Some(0));
}

#[tokio::test]
async fn a_consent_that_ends_on_the_way_clears_itself_once_it_is_renewed() {
    let world = world().await;
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    world.aliexpress.revoke_consent();
    world
        .pass_with_schedules(SignedDuration::from_hours(30))
        .await
        .unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "consent_ended");
    world.renew_supplier_consent().await.unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(30))
        .await
        .unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "");
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
}

#[tokio::test]
async fn one_message_that_panics_does_not_fail_its_batch() {
    let clock: Arc<dyn kervan::clock::Clock> = Arc::new(kervan::clock::SystemClock);
    let queue: Arc<dyn Queue> = Arc::new(kervan::queue::MemoryQueue::new(clock));
    let message = |id: &str| kervan::handler::Message {
        id: id.to_owned(),
        receipt: id.to_owned(),
        body: format!("\"{id}\""),
        deliveries: 1,
    };
    let messages = vec![message("good"), message("bad"), message("fine")];
    let work = |id: String| async move {
        assert_ne!(id, "bad", "this message panics");
        Ok(kervan::flows::Outcome::Done)
    };
    assert_eq!(
        kervan::handler::batch(&queue, messages, work).await,
        ["bad"]
    );
}

#[tokio::test]
async fn an_order_split_over_stores_is_confirmed_parcel_by_parcel() {
    let world = world().await;
    world.add("VASE-09", 29_99, 500_002, 9_00, 5).await.unwrap();
    world
        .pass_with_schedules(SignedDuration::from_mins(6))
        .await
        .unwrap();
    let mut settings = world.aliexpress.settings();
    settings.parcels = 2;
    world.aliexpress.set_settings(settings);
    let key = world
        .buy_as(NewOrder::of([("LAMP-01", 2), ("VASE-09", 1)]))
        .unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!(order.phase, Phase::Done, "{order:?}");
    let sold = world.ebay.order(key.id.as_str()).unwrap();
    assert!(
        sold.lines.iter().all(|line| line.shipped == line.quantity),
        "{sold:?}"
    );
    assert!(sold.fulfillments.len() > 1);
}

#[tokio::test]
async fn a_purchase_that_would_lose_money_is_not_made() {
    let world = world().await;
    world
        .aliexpress
        .set_price(500_001, 5_000_011, &kervan_marketplaces::Money::usd(40_00))
        .unwrap();
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_mins(1)).await.unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "would_lose");
    assert!(world.aliexpress.orders().is_empty());
}

#[tokio::test]
async fn several_offers_that_are_cheap_together_are_bought_where_one_that_has_all_would_lose() {
    let world = world().await;
    let offer = |product, cost, stock| NewOffer {
        product,
        cost,
        stock,
        rank: 1,
        at_second: false,
    };
    let offers = [
        offer(500_011, 9_00, 2),
        offer(500_012, 10_00, 2),
        offer(500_013, 80_00, 100),
    ];
    world.list("VASE-09", 29_99, &offers).await.unwrap();
    let minutes = SignedDuration::from_mins(6);
    world.pass_with_schedules(minutes).await.unwrap();
    let key = world.buy("VASE-09", 3).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
    let bought = world.aliexpress.orders();
    let lines = bought.iter().flat_map(|order| &order.lines);
    let mut units: Vec<_> = lines.map(|line| (line.product_id, line.quantity)).collect();
    units.sort_unstable();
    assert_eq!(units, [(500_011, 2), (500_012, 1)]);
}

#[tokio::test]
async fn one_holder_at_a_time_renews_the_suppliers_token() {
    let mut options = WorldOptions::default();
    options.aliexpress.settings.access_token_s = 120;
    let world = World::with_lamp(options, 50).await.unwrap();
    for _ in 0..10 {
        world.buy("LAMP-01", 1).unwrap();
        world
            .pass_with_schedules(SignedDuration::from_mins(7))
            .await
            .unwrap();
    }
    let counters = world.aliexpress.counters();
    assert!(counters.refreshes > 5, "{counters:?}");
    assert_eq!(counters.refresh_races, 0);
    assert_eq!(world.aliexpress.orders().len(), 10);
}

#[tokio::test]
async fn the_history_of_an_order_gives_its_state_and_each_record_seals_the_one_before() {
    let world = world().await;
    let key = world.buy("LAMP-01", 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    let order = world.order(&key).await.unwrap().unwrap();
    let replayed = ledger::replay(&*world.store, &key).await.unwrap().unwrap();
    assert_eq!(replayed, order);
}
