//! What the customer, the channel and the merchant change while an order is on its way: cancelled, paid later, shipped by
//! hand. Nothing is bought that is no longer wanted.

use crate::common::world;
use jiff::SignedDuration;
use kervan::domain::{Phase, PurchaseState};
use kervan_end_to_end::{World, WorldOptions};
use kervan_marketplaces::Fault;
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::ebay::{NewOrder, PaymentStatus};

/// An order whose purchase was put off, so that something can happen before it is placed.
async fn put_off(world: &World) -> kervan::domain::OrderKey {
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TooManyRequests, 1);
    let key = world.buy("LAMP-01", 1).unwrap();
    world
        .pass(SignedDuration::from_millis(2_100))
        .await
        .unwrap();
    let order = world
        .order(&key)
        .await
        .unwrap()
        .expect("the order was recorded");
    assert!(matches!(
        order.purchases[0].state,
        PurchaseState::Planned { .. }
    ));
    key
}

#[tokio::test]
async fn while_the_customer_asks_to_cancel_nothing_is_bought_and_a_decided_cancel_ends_the_order() {
    let world = world().await;
    let key = put_off(&world).await;
    world
        .ebay
        .request_cancel(key.id.as_str(), "BUYER_CANCEL")
        .unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(2))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Open);
    assert!(world.aliexpress.orders().is_empty());
    world.ebay.cancel_order(key.id.as_str()).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(1))
        .await
        .unwrap();
    assert_eq!(
        world.order(&key).await.unwrap().unwrap().phase,
        Phase::Cancelled
    );
    assert!(world.aliexpress.orders().is_empty());
}

#[tokio::test]
async fn a_payment_that_fails_first_and_comes_later_is_bought_for() {
    let world = world().await;
    let mut order = NewOrder::one("LAMP-01", 1);
    order.payment = PaymentStatus::Pending;
    let key = world.buy_as(order).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_mins(10))
        .await
        .unwrap();
    world
        .ebay
        .set_payment(key.id.as_str(), PaymentStatus::Failed)
        .unwrap();
    world
        .pass_with_schedules(SignedDuration::from_mins(10))
        .await
        .unwrap();
    assert!(world.aliexpress.orders().is_empty());
    world
        .ebay
        .set_payment(key.id.as_str(), PaymentStatus::Paid)
        .unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
    assert_eq!(world.aliexpress.orders().len(), 1);
}

#[tokio::test]
async fn a_cancel_after_the_purchase_is_reported_to_a_person() {
    let mut options = WorldOptions::default();
    options.aliexpress.settings.ships_after_ms = Some(7_200_000);
    let world = World::with_lamp(options, 10).await.unwrap();
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    world
        .ebay
        .request_cancel(key.id.as_str(), "BUYER_CANCEL")
        .unwrap();
    world
        .pass_with_schedules(SignedDuration::from_mins(30))
        .await
        .unwrap();
    assert_eq!(
        world.attention(&key).await.unwrap(),
        "cancelled_after_purchase"
    );
    assert_eq!(world.aliexpress.orders().len(), 1);
}

#[tokio::test]
async fn a_cancel_in_the_middle_of_a_doubt_never_makes_the_repeat_buy() {
    let world = world().await;
    world
        .aliexpress
        .fail_next(AliExpressOperation::OrderCreate, Fault::TimeoutBefore, 1);
    let key = world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    world.ebay.cancel_order(key.id.as_str()).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(2))
        .await
        .unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "purchase_in_doubt");
    assert!(world.aliexpress.orders().is_empty());
}

#[tokio::test]
async fn an_order_that_was_shipped_by_hand_is_not_bought_as_well() {
    let world = World::with_lamp(WorldOptions::default(), 1).await.unwrap();
    let mut late = NewOrder::one("LAMP-01", 1);
    late.oversell = true;
    world.buy("LAMP-01", 1).unwrap();
    world.pass(SignedDuration::from_secs(30)).await.unwrap();
    let key = world.buy_as(late).unwrap();
    world.pass(SignedDuration::from_mins(2)).await.unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "out_of_stock");
    world.ship_by_hand(&key).await.unwrap();
    world.aliexpress.set_stock(500_001, 5_000_011, 5).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    assert_eq!(world.order(&key).await.unwrap().unwrap().phase, Phase::Done);
    assert_eq!(world.aliexpress.orders().len(), 1);
}

#[tokio::test]
async fn a_supplier_that_has_fewer_than_was_known_is_looked_at_at_once_and_no_listing_shows_what_is_gone()
 {
    let world = world().await;
    let variant = 500_001 * 10 + 1;
    world.aliexpress.set_stock(500_001, variant, 3).unwrap();
    let key = world.buy("LAMP-01", 5).unwrap();
    world.pass(SignedDuration::from_secs(10)).await.unwrap();
    assert_eq!(world.attention(&key).await.unwrap(), "out_of_stock");
    // The table knew of ten; no schedule has run since.
    let shown = world.ebay.listings().into_iter().next().unwrap();
    assert_eq!(shown.quantity, 3);
}
