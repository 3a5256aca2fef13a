//! A person decides about an order that Kervan cannot take further by itself, and the order goes on from there.

use jiff::SignedDuration;
use kervan::domain::{
    Decision, Money, OrderKey, Phase, PurchaseState, Remark, Sku, SupplierOrderId,
};
use kervan::flows::resolve::{self, Resolution, ResolveError, Told, Unfit};
use kervan::flows::{catalog, ledger};
use kervan_end_to_end::{World, WorldOptions, known_buyer};
use kervan_marketplaces::Fault;
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::ebay::NewOrder;

const STOCK: u32 = 10;

async fn world() -> World {
    World::with_lamp(WorldOptions::default(), STOCK)
        .await
        .unwrap()
}

async fn decide(
    world: &World,
    key: &OrderKey,
    decision: Decision,
) -> Result<Resolution, ResolveError> {
    let told = Told {
        decision,
        reason: Remark::parse("looked at the supplier's site").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    resolve::resolve(&*world.store, &*world.clock, key, &told).await
}

async fn pass(world: &World, time: SignedDuration) {
    world.pass_with_schedules(time).await.unwrap();
}

/// Units of the lamp's offer that no order has taken.
async fn free(world: &World) -> i64 {
    let sku = Sku::parse("LAMP-01").unwrap();
    let entry = catalog::load(&*world.store, &sku).await.unwrap();
    entry.offers[0].free
}

/// The order has arrived, was bought so often, and its history gives its state.
async fn assert_arrived(world: &World, key: &OrderKey, bought: usize) {
    let order = world.order(key).await.unwrap().unwrap();
    assert_eq!(order.phase, Phase::Done, "{order:?}");
    assert_eq!(world.aliexpress.orders().len(), bought);
    let counters = world.aliexpress.counters();
    let mut times = counters.purchases_by_out_order_id.values();
    assert!(times.all(|times| *times == 1), "{counters:?}");
    let replayed = ledger::replay(&*world.store, key).await.unwrap().unwrap();
    assert_eq!(replayed, order);
}

fn again(not_at_supplier: &[u8]) -> Decision {
    Decision::BuyAgain {
        not_at_supplier: not_at_supplier.to_vec(),
        accepted_loss: None,
    }
}

#[tokio::test]
async fn a_number_that_was_found_at_the_supplier_lets_the_order_arrive() {
    let world = world().await;
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutAfter, 1);
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_hours(30)).await;
    assert_eq!(
        world.attention(&key).await.unwrap(),
        "purchase_number_unknown"
    );
    let number = world.aliexpress.orders()[0].order_id.to_string();
    let entered = Decision::Bought {
        purchase: 1,
        supplier_orders: vec![SupplierOrderId::parse(&number).unwrap()],
        corrects: false,
    };
    decide(&world, &key, entered).await.unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "");
    pass(&world, SignedDuration::from_hours(2)).await;
    assert_arrived(&world, &key, 1).await;
    let sold = world.ebay.order(key.id.as_str()).unwrap();
    assert_eq!(sold.fulfillments.len(), 1);
}

#[tokio::test]
async fn a_doubt_that_nothing_could_settle_is_bought_again_on_a_persons_word_and_bought_once() {
    let world = world().await;
    // So often that the window of exact repeats ends before an answer comes.
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutBefore, 500);
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_hours(30)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "purchase_in_doubt");
    assert!(world.aliexpress.orders().is_empty());
    world.aliexpress.clear_faults();
    decide(&world, &key, again(&[1])).await.unwrap();
    pass(&world, SignedDuration::from_hours(3)).await;
    assert_arrived(&world, &key, 1).await;
    assert_eq!(free(&world).await, i64::from(STOCK) - 1);
}

#[tokio::test]
async fn a_person_who_is_wrong_about_a_doubt_does_not_make_it_be_bought_twice() {
    let world = world().await;
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutAfter, 1);
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    // Somebody may be buying still: nothing is decided.
    let early = decide(&world, &key, again(&[1])).await.unwrap_err();
    assert!(
        matches!(early, ResolveError::Unfit(Unfit::Leased { .. })),
        "{early}"
    );
    assert_eq!(world.aliexpress.orders().len(), 1);
    world.clock.advance(SignedDuration::from_mins(3));
    decide(&world, &key, again(&[1])).await.unwrap();
    pass(&world, SignedDuration::from_hours(1)).await;
    assert_eq!(
        world.attention(&key).await.unwrap(),
        "purchase_number_unknown"
    );
    assert_eq!(world.aliexpress.orders().len(), 1);
}

#[tokio::test]
async fn a_cancelled_order_ends_and_its_units_can_be_sold_again() {
    let world = world().await;
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutBefore, 500);
    let key = world.buy("LAMP-01", 3).unwrap();
    pass(&world, SignedDuration::from_hours(30)).await;
    assert_eq!(free(&world).await, i64::from(STOCK) - 3);
    let cancel = Decision::Cancel {
        not_at_supplier: Vec::new(),
    };
    decide(&world, &key, cancel).await.unwrap();
    world.aliexpress.clear_faults();
    pass(&world, SignedDuration::from_hours(2)).await;
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!(order.phase, Phase::Cancelled);
    assert!(world.aliexpress.orders().is_empty());
    assert_eq!(free(&world).await, i64::from(STOCK));
    assert_eq!(world.ebay.listed_quantity("LAMP-01"), Some(STOCK));
}

#[tokio::test]
async fn a_purchase_that_the_supplier_closed_is_bought_anew() {
    let mut options = WorldOptions::default();
    options.aliexpress.settings.ships_after_ms = Some(7_200_000);
    let world = World::with_lamp(options, STOCK).await.unwrap();
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_mins(10)).await;
    let number = world.aliexpress.orders()[0].order_id;
    world.aliexpress.close(number, "seller_cancel").unwrap();
    pass(&world, SignedDuration::from_hours(3)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "purchase_closed");
    let refused = decide(&world, &key, again(&[])).await.unwrap_err();
    assert!(
        matches!(refused, ResolveError::Unfit(Unfit::AtSupplier { .. })),
        "{refused}"
    );
    decide(&world, &key, again(&[1])).await.unwrap();
    pass(&world, SignedDuration::from_hours(6)).await;
    assert_arrived(&world, &key, 2).await;
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!(order.purchases[0].state, PurchaseState::Cancelled);
    assert_eq!(order.purchases.len(), 2);
    // The closed purchase's unit came back with the supplier's stock, and is not given back a second time.
    assert_eq!(free(&world).await, i64::from(STOCK) - 1);
}

#[tokio::test]
async fn an_offer_that_refused_is_asked_again_and_may_refuse_again() {
    let world = world().await;
    let mut buyer = known_buyer();
    buyer.full_name = "Cher".to_owned();
    let mut order = NewOrder::one("LAMP-01", 1);
    order.buyer = Some(buyer);
    let key = world.buy_as(order).unwrap();
    pass(&world, SignedDuration::from_hours(1)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "address_refused");
    // The address is as it was, so the answer is too.
    decide(&world, &key, again(&[])).await.unwrap();
    pass(&world, SignedDuration::from_hours(1)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "address_refused");
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!(order.purchases.len(), 2);
    assert_eq!(free(&world).await, i64::from(STOCK));
}

#[tokio::test]
async fn a_loss_is_made_up_to_what_was_accepted_and_no_further() {
    let world = world().await;
    let price = kervan_marketplaces::Money::usd(22_00);
    world
        .aliexpress
        .set_price(500_001, 5_000_011, &price)
        .unwrap();
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_mins(10)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "would_lose");
    let accept = |minor| Decision::BuyAgain {
        not_at_supplier: Vec::new(),
        accepted_loss: Some(Money {
            minor,
            currency: "USD".parse().unwrap(),
        }),
    };
    decide(&world, &key, accept(1_00)).await.unwrap();
    pass(&world, SignedDuration::from_mins(10)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "would_lose");
    assert!(world.aliexpress.orders().is_empty());
    decide(&world, &key, accept(9_00)).await.unwrap();
    pass(&world, SignedDuration::from_hours(3)).await;
    assert_arrived(&world, &key, 1).await;
}

#[tokio::test]
async fn what_is_bought_elsewhere_ends_once_it_is_shipped_by_hand() {
    let world = world().await;
    let price = kervan_marketplaces::Money::usd(40_00);
    world
        .aliexpress
        .set_price(500_001, 5_000_011, &price)
        .unwrap();
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_mins(10)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "would_lose");
    let elsewhere = Decision::BoughtElsewhere {
        not_at_supplier: Vec::new(),
    };
    decide(&world, &key, elsewhere).await.unwrap();
    let price = kervan_marketplaces::Money::usd(7_00);
    world
        .aliexpress
        .set_price(500_001, 5_000_011, &price)
        .unwrap();
    pass(&world, SignedDuration::from_hours(2)).await;
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!((order.phase, order.attention), (Phase::Open, None));
    world.ship_by_hand(&key).await.unwrap();
    pass(&world, SignedDuration::from_hours(1)).await;
    assert_arrived(&world, &key, 0).await;
}
