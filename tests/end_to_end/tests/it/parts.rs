//! Orders of which one line cannot be had: what becomes of the others by each rule and each decision.

use jiff::SignedDuration;
use kervan::domain::{
    Decision, LineId, Money, OrderKey, OrderRules, Phase, Reason, RefundReason, Remark, Rest,
    Rules, Unavailable, WhyMissing,
};
use kervan::flows::refund::{self, RefundError, RefundOrder, Stops};
use kervan::flows::resolve::{self, Told};
use kervan::flows::{ledger, rules};
use kervan_end_to_end::{World, WorldOptions};
use kervan_marketplaces::aliexpress::AliExpressOperation;
use kervan_marketplaces::ebay::NewOrder;
use kervan_marketplaces::{Fault, SupplierAction};

const LAMP: u64 = 500_001;
const MUG: u64 = 500_002;

/// A lamp and a mug for 19.99 dollars each, of two stores at one supplier, which ships the next morning.
async fn world(unavailable: Unavailable, after_minutes: u32) -> World {
    let mut options = WorldOptions::default();
    options.aliexpress.settings.ships_after_ms = Some(7_200_000);
    let world = World::with_lamp(options, 10).await.unwrap();
    world.add("MUG-02", 19_99, MUG, 4_00, 10).await.unwrap();
    let orders = OrderRules {
        unavailable,
        after_minutes,
    };
    let all = Rules {
        orders,
        ..Rules::default()
    };
    rules::set(&*world.store, &all).await.unwrap();
    pass(&world, SignedDuration::from_mins(6)).await;
    world
}

async fn pass(world: &World, time: SignedDuration) {
    world.pass_with_schedules(time).await.unwrap();
}

fn stock(world: &World, product: u64, units: u32) {
    let sku = product * 10 + 1;
    world.aliexpress.set_stock(product, sku, units).unwrap();
}

fn buy_both(world: &World) -> OrderKey {
    let mut order = NewOrder::of([("LAMP-01", 1), ("MUG-02", 1)]);
    order.oversell = true;
    world.buy_as(order).unwrap()
}

/// The product of each order at the supplier.
fn bought(world: &World) -> Vec<u64> {
    let orders = world.aliexpress.orders().into_iter();
    let lines = orders.flat_map(|order| order.lines);
    lines.map(|line| line.product_id).collect()
}

/// The id of the order's line with this sku.
async fn line(world: &World, key: &OrderKey, sku: &str) -> LineId {
    let order = world.order(key).await.unwrap().unwrap();
    let line = order.details.lines.iter().find(|line| line.sku == sku);
    line.unwrap().id.clone()
}

async fn decide(world: &World, key: &OrderKey, decision: Decision) {
    let told = Told {
        decision,
        reason: Remark::parse("cannot be had").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    resolve::resolve(&*world.store, &*world.clock, key, &told)
        .await
        .unwrap();
}

/// The lines that the order waits for, with why, and what becomes of the rest.
async fn missing(world: &World, key: &OrderKey) -> (Vec<(String, WhyMissing)>, Rest) {
    let order = world.order(key).await.unwrap().unwrap();
    match order.attention.clone().map(|attention| attention.reason) {
        Some(Reason::LinesMissing { lines, rest }) => {
            let lines = lines.into_iter().map(|line| (line.sku, line.why));
            (lines.collect(), rest)
        }
        _ => panic!("{order:?}"),
    }
}

fn mug() -> Vec<(String, WhyMissing)> {
    vec![("MUG-02".to_owned(), WhyMissing::OutOfStock)]
}

/// The order is over, nothing of it waits, and its history gives its state.
async fn assert_done(world: &World, key: &OrderKey) {
    let order = world.order(key).await.unwrap().unwrap();
    assert_eq!((order.phase, &order.attention), (Phase::Done, &None));
    let replayed = ledger::replay(&*world.store, key).await.unwrap().unwrap();
    assert_eq!(replayed, order);
}

#[tokio::test]
async fn an_order_that_waits_is_bought_as_one() {
    let world = world(Unavailable::Wait, 0).await;
    stock(&world, MUG, 0);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(30)).await;
    assert!(bought(&world).is_empty());
    assert_eq!(world.attention(&key).await.unwrap(), "out_of_stock");
    stock(&world, MUG, 5);
    pass(&world, SignedDuration::from_hours(8)).await;
    assert_eq!(bought(&world).len(), 2);
    assert_done(&world, &key).await;
}

#[tokio::test]
async fn the_rest_is_sent_and_the_missing_line_when_it_is_there() {
    let world = world(Unavailable::SendTheRest, 0).await;
    stock(&world, MUG, 0);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(2)).await;
    assert_eq!(bought(&world), [LAMP]);
    assert_eq!(missing(&world, &key).await, (mug(), Rest::Sent));
    pass(&world, SignedDuration::from_hours(5)).await;
    let told = world.ebay.order(key.id.as_str()).unwrap();
    let shipped: Vec<u32> = told.lines.iter().map(|line| line.shipped).collect();
    assert_eq!(shipped, [1, 0], "the customer knows of the lamp");
    assert_eq!(missing(&world, &key).await, (mug(), Rest::Sent));
    stock(&world, MUG, 5);
    pass(&world, SignedDuration::from_hours(8)).await;
    assert_eq!(bought(&world), [LAMP, MUG]);
    assert_done(&world, &key).await;
}

#[tokio::test]
async fn the_rest_waits_for_as_long_as_the_rule_says() {
    let world = world(Unavailable::SendTheRest, 60).await;
    stock(&world, MUG, 0);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(50)).await;
    assert!(bought(&world).is_empty());
    assert_eq!(missing(&world, &key).await, (mug(), Rest::Waits));
    pass(&world, SignedDuration::from_mins(90)).await;
    assert_eq!(bought(&world), [LAMP]);
    assert_eq!(missing(&world, &key).await, (mug(), Rest::Sent));
}

#[tokio::test]
async fn a_person_who_is_asked_sends_the_rest_and_gives_the_missing_line_up() {
    let world = world(Unavailable::Ask, 0).await;
    stock(&world, MUG, 0);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(30)).await;
    assert!(bought(&world).is_empty());
    assert_eq!(missing(&world, &key).await, (mug(), Rest::Asked));
    decide(&world, &key, Decision::SendTheRest).await;
    pass(&world, SignedDuration::from_mins(10)).await;
    assert_eq!(bought(&world), [LAMP]);
    assert_eq!(missing(&world, &key).await, (mug(), Rest::Sent));
    let cancelled = Decision::CancelLines {
        lines: vec![line(&world, &key, "MUG-02").await],
        not_at_supplier: Vec::new(),
    };
    decide(&world, &key, cancelled).await;
    stock(&world, MUG, 5);
    pass(&world, SignedDuration::from_hours(8)).await;
    assert_eq!(bought(&world), [LAMP]);
    assert_done(&world, &key).await;
}

#[tokio::test]
async fn an_order_that_asks_is_bought_as_one_once_all_is_there() {
    let world = world(Unavailable::Ask, 0).await;
    stock(&world, MUG, 0);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(10)).await;
    assert_eq!(missing(&world, &key).await, (mug(), Rest::Asked));
    stock(&world, MUG, 5);
    pass(&world, SignedDuration::from_mins(20)).await;
    assert_eq!(bought(&world).len(), 2);
}

#[tokio::test]
async fn a_line_that_cannot_be_had_hides_no_loss_of_those_that_can() {
    let world = world(Unavailable::SendTheRest, 0).await;
    stock(&world, MUG, 0);
    let dear = kervan_marketplaces::Money::usd(25_00);
    let lamp = LAMP * 10 + 1;
    world.aliexpress.set_price(LAMP, lamp, &dear).unwrap();
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(30)).await;
    assert!(
        bought(&world).is_empty(),
        "39.98 would carry it, and 19.99 do not"
    );
    let (mut lines, rest) = missing(&world, &key).await;
    lines.sort_by(|one, other| one.0.cmp(&other.0));
    let lamp = ("LAMP-01".to_owned(), WhyMissing::WouldLose);
    assert_eq!((lines, rest), ([vec![lamp], mug()].concat(), Rest::Waits));
    // With the mug, the order as a whole makes money.
    stock(&world, MUG, 5);
    pass(&world, SignedDuration::from_hours(2)).await;
    assert_eq!(bought(&world).len(), 2);
}

#[tokio::test]
async fn a_line_that_loses_alone_is_left_out() {
    let world = world(Unavailable::SendTheRest, 0).await;
    let dear = kervan_marketplaces::Money::usd(45_00);
    let sku = MUG * 10 + 1;
    world.aliexpress.set_price(MUG, sku, &dear).unwrap();
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(30)).await;
    assert_eq!(bought(&world), [LAMP]);
    let mug = ("MUG-02".to_owned(), WhyMissing::WouldLose);
    assert_eq!(missing(&world, &key).await, (vec![mug], Rest::Sent));
}

#[tokio::test]
async fn a_line_that_is_cancelled_while_nothing_can_be_bought_is_not_bought() {
    let world = world(Unavailable::Wait, 0).await;
    let create = AliExpressOperation::OrderCreate;
    world.aliexpress.fail_next(create, Fault::Refused, 4);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_secs(30)).await;
    assert!(bought(&world).is_empty());
    let lines = vec![line(&world, &key, "LAMP-01").await];
    let cancelled = Decision::CancelLines {
        lines,
        not_at_supplier: Vec::new(),
    };
    decide(&world, &key, cancelled).await;
    pass(&world, SignedDuration::from_hours(8)).await;
    assert_eq!(bought(&world), [MUG]);
    assert_done(&world, &key).await;
}

async fn pay_back(
    world: &World,
    key: &OrderKey,
    cents: i64,
    stops: Stops,
) -> Result<(), RefundError> {
    let wanted = RefundOrder {
        amount: Money {
            minor: cents,
            currency: "USD".parse().unwrap(),
        },
        stops,
        reason: RefundReason::OutOfStock,
        comment: String::new(),
        why: Remark::parse("cannot be had").unwrap(),
        by: Remark::parse("anna").unwrap(),
    };
    let accounts = &world.kervan.accounts;
    let done = refund::refund(accounts, &*world.store, &*world.clock, key, &wanted).await;
    done.map(|_| ())
}

#[tokio::test]
async fn a_line_that_kervan_pays_back_while_nothing_can_be_bought_is_not_bought() {
    let world = world(Unavailable::Wait, 0).await;
    let create = AliExpressOperation::OrderCreate;
    world.aliexpress.fail_next(create, Fault::Refused, 4);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_secs(30)).await;
    let unsaid = pay_back(&world, &key, 19_99, Stops::Unsaid).await;
    assert!(matches!(unsaid, Err(RefundError::Unsaid(_))), "{unsaid:?}");
    let mug = line(&world, &key, "MUG-02").await;
    pay_back(&world, &key, 19_99, Stops::Lines(vec![mug]))
        .await
        .unwrap();
    let refunds = world.ebay.order(key.id.as_str()).unwrap().refunds;
    let of_lines: Vec<Option<usize>> = refunds.iter().map(|refund| refund.line).collect();
    assert_eq!(of_lines, [Some(1)], "eBay knows which line it is");
    pass(&world, SignedDuration::from_hours(8)).await;
    assert_eq!(bought(&world), [LAMP]);
    assert_done(&world, &key).await;
}

#[tokio::test]
async fn an_order_that_kervan_pays_back_whole_is_not_bought() {
    let world = world(Unavailable::Wait, 0).await;
    let create = AliExpressOperation::OrderCreate;
    world.aliexpress.fail_next(create, Fault::Refused, 4);
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_secs(30)).await;
    pay_back(&world, &key, 39_98, Stops::Unsaid).await.unwrap();
    pass(&world, SignedDuration::from_hours(3)).await;
    assert!(bought(&world).is_empty());
    let order = world.order(&key).await.unwrap().unwrap();
    assert_eq!((order.phase, order.attention), (Phase::Cancelled, None));
}

#[tokio::test]
async fn of_a_purchase_whose_second_store_closes_its_order_only_that_is_bought_again() {
    let world = world(Unavailable::Wait, 0).await;
    let key = buy_both(&world);
    pass(&world, SignedDuration::from_mins(1)).await;
    let orders = world.aliexpress.orders();
    assert_eq!(orders.len(), 2, "one purchase, and two orders of it");
    let is_mug = |order: &&kervan_marketplaces::aliexpress::SupplierOrderView| {
        order.lines.iter().all(|line| line.product_id == MUG)
    };
    let order_id = orders.iter().find(is_mug).unwrap().order_id.to_string();
    let close = SupplierAction::CloseOrder {
        order_id: order_id.clone(),
    };
    world.aliexpress.act_as_supplier(&close).unwrap();
    pass(&world, SignedDuration::from_mins(30)).await;
    let order = world.order(&key).await.unwrap().unwrap();
    let reason = order.attention.map(|attention| attention.reason);
    let Some(Reason::PurchaseClosed {
        supplier_order: Some(closed),
        ..
    }) = reason
    else {
        panic!("{reason:?}")
    };
    assert_eq!(closed.as_str(), order_id);
    let again = Decision::BuyAgain {
        not_at_supplier: vec![1],
        accepted_loss: None,
    };
    decide(&world, &key, again).await;
    pass(&world, SignedDuration::from_hours(8)).await;
    let mut all = bought(&world);
    all.sort_unstable();
    assert_eq!(all, [LAMP, MUG, MUG], "the lamp is bought once");
    assert_done(&world, &key).await;
    let sold = world.ebay.order(key.id.as_str()).unwrap();
    assert!(sold.lines.iter().all(|line| line.shipped == 1), "{sold:?}");
    assert_eq!(sold.fulfillments.len(), 2);
}
