//! What came of it, counted at the marketplaces and not in our own table.

use super::kills::{KILLED, cut_short};
use super::storm::{Bought, Damage};
use kervan::domain::{OrderKey, Phase, Reference};
use kervan::flows::ledger;
use kervan_infra::shop::Shop;
use kervan_marketplaces::aliexpress::SupplierOrderView;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// The most purchases that an order of the test can come to.
const MOST_PURCHASES: u8 = 9;

/// Waits until every order is done; with one that is not, says how far it came.
pub(super) async fn all_are_done(shop: &Shop, orders: &[Bought], patience: Duration) {
    let started = Instant::now();
    let mut open: VecDeque<&OrderKey> = orders.iter().map(|order| &order.key).collect();
    let mut told = Instant::now();
    while let Some(key) = open.pop_front() {
        // The stack may be too busy to say.
        let order = shop.order(key).await.unwrap_or_default();
        if order.is_some_and(|order| order.phase == Phase::Done) {
            continue;
        }
        open.push_back(key);
        if told.elapsed() > Duration::from_secs(30) {
            eprintln!("{} orders are on their way", open.len());
            told = Instant::now();
        }
        if started.elapsed() > patience {
            panic!("{}", stuck(shop, &open).await);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn stuck(shop: &Shop, open: &VecDeque<&OrderKey>) -> String {
    let mut text = format!("{} orders are stuck:\n", open.len());
    for key in open.iter().take(5) {
        let order = shop.order(key).await.unwrap();
        text.push_str(&format!("{key}: {order:#?}\n"));
        for record in shop.history(key).await.unwrap() {
            let (number, at, event) = (record.number, record.at, record.event.name());
            text.push_str(&format!("  {number} {at} {event}\n"));
        }
    }
    text + &kervan_infra::process::last_lines(&shop.stack().log_file())
}

/// None lost, none bought twice: each purchase was accepted once, and what was bought for an order is what the customer
/// bought.
pub(super) fn everything_was_bought_once(shop: &Shop, orders: &[Bought]) {
    let supplier = &shop.simulators.aliexpress;
    let counters = supplier.counters();
    let repeated = counters.purchases_by_out_order_id.iter();
    let repeated: Vec<_> = repeated.filter(|(_, times)| **times != 1).collect();
    assert!(repeated.is_empty(), "bought twice: {repeated:?}");
    assert_eq!(counters.purchases_by_out_order_id.len(), orders.len());
    assert_eq!(counters.purchases_without_reference, 0);
    assert_eq!(counters.refresh_races, 0);

    let supplied = supplier.orders();
    for order in orders {
        let mut wanted: BTreeMap<u64, u32> = BTreeMap::new();
        for (sku, quantity) in &order.lines {
            *wanted.entry(shop.product(sku).unwrap()).or_default() += quantity;
        }
        let mut got: BTreeMap<u64, u32> = BTreeMap::new();
        let lines = supplied_for(&supplied, &order.key).flat_map(|supplied| &supplied.lines);
        for line in lines {
            *got.entry(line.product_id).or_default() += line.quantity;
        }
        assert_eq!(got, wanted, "{}", order.key);
    }
    let sold: u64 = supplier.skus().iter().map(|sku| sku.sold).sum();
    let wanted = orders.iter().flat_map(|order| &order.lines);
    let wanted: u64 = wanted.map(|(_, quantity)| u64::from(*quantity)).sum();
    assert_eq!(sold, wanted);
}

/// Each parcel that a store sent was confirmed on the customer's order once, and nothing else was.
pub(super) fn every_parcel_was_confirmed_once(shop: &Shop, orders: &[Bought]) -> usize {
    let ebay = &shop.simulators.ebay;
    let supplied = shop.simulators.aliexpress.orders();
    let mut parcels = 0;
    for order in orders {
        let sent = supplied_for(&supplied, &order.key).flat_map(|supplied| &supplied.parcels);
        let mut sent: Vec<String> = sent.map(|parcel| parcel.mail_no.clone()).collect();
        let seen = ebay.order(order.key.id.as_str()).unwrap();
        let told = seen.fulfillments.iter();
        let mut told: Vec<String> = told
            .map(|parcel| parcel.tracking_number.clone().unwrap_or_default())
            .collect();
        sent.sort();
        told.sort();
        assert!(!sent.is_empty(), "{} was not shipped", order.key);
        assert_eq!(told, sent, "{}", order.key);
        assert!(
            seen.lines.iter().all(|line| line.shipped == line.quantity),
            "{}",
            order.key
        );
        parcels += told.len();
    }
    assert_eq!(ebay.counters().duplicate_fulfillments, 0);
    parcels
}

fn supplied_for<'a>(
    supplied: &'a [SupplierOrderView],
    key: &OrderKey,
) -> impl Iterator<Item = &'a SupplierOrderView> {
    let references: Vec<String> = (1..=MOST_PURCHASES)
        .map(|number| Reference::of(key, number).to_string())
        .collect();
    let is_its = move |order: &&SupplierOrderView| {
        let reference = order.out_order_id.as_ref();
        reference.is_some_and(|reference| references.contains(reference))
    };
    supplied.iter().filter(is_its)
}

/// Whatever was killed while it wrote: the history makes the stored state, in one chain.
pub(super) async fn every_history_makes_its_state(shop: &Shop, orders: &[Bought]) {
    for order in orders {
        let replayed = ledger::replay(&*shop.store, &order.key).await.unwrap();
        assert_eq!(replayed, shop.order(&order.key).await.unwrap());
    }
}

/// Prints what was done to the stack; fails where the storm was none.
pub(super) fn tell(shop: &Shop, damage: &Damage, orders: usize, parcels: usize) {
    let log = std::fs::read(shop.stack().log_file()).unwrap();
    let log = String::from_utf8_lossy(&log);
    let kills = damage.kills.borrow();
    let (mut all, mut all_cut_short) = (0, 0);
    eprintln!("\nfunction           killed   in the middle of an invocation");
    for function in KILLED {
        let (killed, cut_short) = (kills.of(function), cut_short(&log, function));
        eprintln!("{function:<18} {killed:>6}   {cut_short:>6}");
        assert!(cut_short > 0, "no invocation of {function} was cut short");
        all += killed;
        all_cut_short += cut_short;
    }
    eprintln!("{:<18} {all:>6}   {all_cut_short:>6}", "all");
    let supplier = shop.simulators.aliexpress.counters();
    let pushes = shop.simulators.ebay.pushes();
    let repeated = pushes.iter().filter(|push| push.attempts > 1).count();
    let arrived = |answer: &Option<u16>| answer.is_some_and(|status| status < 300);
    let given_up = pushes
        .iter()
        .filter(|push| !push.answers.iter().any(arrived));
    eprintln!(
        "killed while an answer was waited for: {}",
        damage.trapped.get()
    );
    eprintln!("effects without an answer: {}", damage.lost_answers.get());
    eprintln!(
        "purchases asked for again and recognised: {}",
        supplier.repeats_recognised
    );
    eprintln!(
        "pushes of eBay: {}, every one of them twice; sent again {repeated}, given up {}",
        pushes.len(),
        given_up.count()
    );
    eprintln!("pushes of AliExpress stopped: {}", supplier.push_stopped);
    eprintln!(
        "messages put into a queue a second time: {}",
        damage.copies.get()
    );
    eprintln!("schedules fired: {}", damage.ticks.get());
    eprintln!(
        "orders {orders}, purchases {}, parcels {parcels}; 0 lost, 0 twice, 0 stuck\n",
        supplier.purchases_by_out_order_id.len()
    );
    assert!(damage.ticks.get() > 0, "no schedule fired");
    assert!(damage.copies.get() > 0, "no signal was queued twice");
    assert!(
        supplier.repeats_recognised > 0,
        "no lost answer was looked into"
    );
}
