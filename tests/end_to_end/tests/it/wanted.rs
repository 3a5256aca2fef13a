//! Units are shipped by hand, and lines are paid back, while Kervan is at work on the order.

use jiff::SignedDuration;
use kervan::domain::{Decision, OrderKey, Phase, Remark};
use kervan::flows::resolve::{self, Told, Unfit};
use kervan_end_to_end::{World, WorldOptions};
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::ebay::NewOrder;
use kervan_marketplaces::{Fault, OrderAction, RefundEnd, RefundOf};

const BY_HAND: OrderAction = OrderAction::ShipByHand { line: 0, units: 1 };

/// The lamp and a mug, ten units of each.
async fn world() -> World {
    let world = World::with_lamp(WorldOptions::default(), 10).await.unwrap();
    world.add("MUG-02", 19_99, 500_002, 4_00, 10).await.unwrap();
    world.run_schedules().await.unwrap();
    world.settle().await.unwrap();
    world
}

async fn pass(world: &World, time: SignedDuration) {
    world.pass_with_schedules(time).await.unwrap();
}

/// For so many calls nothing can be bought.
fn hold_back(world: &World, calls: u32) {
    let create = AliExpressOperation::OrderCreate;
    world.aliexpress.fail_next(create, Fault::Refused, calls);
}

fn act(world: &World, key: &OrderKey, action: &OrderAction) {
    world.ebay.act(key.id.as_str(), action).unwrap();
}

/// Product and units of each order at the supplier.
fn bought(world: &World) -> Vec<(u64, u32)> {
    let orders = world.aliexpress.orders().into_iter();
    let lines = orders.flat_map(|order| order.lines);
    lines.map(|line| (line.product_id, line.quantity)).collect()
}

async fn decide(world: &World, key: &OrderKey, decision: Decision) -> Result<(), Unfit> {
    let told = Told {
        decision,
        reason: Remark::parse("for our own shelf").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    match resolve::resolve(&*world.store, &*world.clock, key, &told).await {
        Ok(_) => Ok(()),
        Err(resolve::ResolveError::Unfit(unfit)) => Err(unfit),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn what_is_shipped_by_hand_before_the_purchase_is_not_bought() {
    let world = world().await;
    hold_back(&world, 4);
    let key = world.buy("LAMP-01", 2).unwrap();
    pass(&world, SignedDuration::from_secs(30)).await;
    assert!(bought(&world).is_empty());
    act(&world, &key, &BY_HAND);
    pass(&world, SignedDuration::from_hours(3)).await;
    assert_eq!(bought(&world), [(500_001, 1)]);
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!((order.phase, order.attention), (Phase::Done, None));
    let seen = world.ebay.order(key.id.as_str()).unwrap();
    assert_eq!(
        (seen.lines[0].shipped, seen.lines[0].shipped_by_hand),
        (2, 1)
    );
}

#[tokio::test]
async fn a_line_that_is_paid_back_before_the_purchase_is_not_bought() {
    for of in [RefundOf::Line { line: 0 }, RefundOf::Line { line: 1 }] {
        let world = world().await;
        hold_back(&world, 4);
        let order = NewOrder::of([("LAMP-01", 1), ("MUG-02", 1)]);
        let key = world.buy_as(order).unwrap();
        pass(&world, SignedDuration::from_secs(30)).await;
        let ends = RefundEnd::Pending;
        act(&world, &key, &OrderAction::Refund { of, ends });
        pass(&world, SignedDuration::from_hours(3)).await;
        let left = match of {
            RefundOf::Line { line: 0 } => 500_002,
            _ => 500_001,
        };
        assert_eq!(bought(&world), [(left, 1)]);
        let order = world.order(&key).await.unwrap().unwrap();
        assert_eq!((order.phase, order.attention), (Phase::Done, None));
    }
}

#[tokio::test]
async fn a_part_of_the_price_that_is_paid_back_leaves_the_goods_to_be_sent() {
    let world = world().await;
    hold_back(&world, 4);
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_secs(30)).await;
    let refund = OrderAction::Refund {
        of: RefundOf::Part {
            line: 0,
            cents: 1_00,
        },
        ends: RefundEnd::Paid,
    };
    act(&world, &key, &refund);
    pass(&world, SignedDuration::from_hours(3)).await;
    assert_eq!(bought(&world), [(500_001, 1)]);
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!(order.phase, Phase::Done);
}

#[tokio::test]
async fn what_is_shipped_by_hand_after_the_purchase_is_a_persons_matter_and_told_with_the_rest() {
    let world = world().await;
    let key = world.buy("LAMP-01", 2).unwrap();
    pass(&world, SignedDuration::from_secs(20)).await;
    assert_eq!(bought(&world), [(500_001, 2)]);
    act(&world, &key, &BY_HAND);
    pass(&world, SignedDuration::from_mins(20)).await;
    assert_eq!(world.attention(&key).await.unwrap(), "bought_too_much");
    let wrong = decide(&world, &key, Decision::Keep { units: 2 }).await;
    assert_eq!(wrong, Err(Unfit::Units(1)));
    decide(&world, &key, Decision::Keep { units: 1 })
        .await
        .unwrap();
    pass(&world, SignedDuration::from_hours(3)).await;
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!((order.phase, order.attention), (Phase::Done, None));
    let seen = world.ebay.order(key.id.as_str()).unwrap();
    let told: Vec<u32> = seen
        .fulfillments
        .iter()
        .flat_map(|one| &one.lines)
        .map(|line| line.1)
        .collect();
    assert_eq!(told, [1, 1], "one by hand, and one of the two that came");
}

#[tokio::test]
async fn a_refund_that_fails_makes_a_line_wanted_again() {
    let world = world().await;
    hold_back(&world, 4);
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_secs(30)).await;
    let refund = OrderAction::Refund {
        of: RefundOf::Line { line: 0 },
        ends: RefundEnd::FailsLater,
    };
    act(&world, &key, &refund);
    pass(&world, SignedDuration::from_secs(20)).await;
    assert!(bought(&world).is_empty(), "it may be paid back");
    pass(&world, SignedDuration::from_hours(3)).await;
    assert_eq!(bought(&world), [(500_001, 1)]);
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!((order.phase, order.attention), (Phase::Done, None));
}

#[tokio::test]
async fn nothing_is_bought_once_what_is_left_of_the_price_does_not_carry_it() {
    let world = world().await;
    hold_back(&world, 4);
    let key = world.buy("LAMP-01", 1).unwrap();
    pass(&world, SignedDuration::from_secs(30)).await;
    let refund = OrderAction::Refund {
        of: RefundOf::Part {
            line: 0,
            cents: 15_00,
        },
        ends: RefundEnd::Pending,
    };
    act(&world, &key, &refund);
    pass(&world, SignedDuration::from_hours(3)).await;
    assert!(bought(&world).is_empty());
    assert_eq!(world.attention(&key).await.unwrap(), "would_lose");
}
