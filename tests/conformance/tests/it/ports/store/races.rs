//! Workers that race, through the real ledger, on eight threads: what the purchase protocol promises when many are at work
//! at once. Buyers who race are in `last_unit.rs`.

use super::Given;
use crate::ports::cases::{self, Case};
use jiff::{SignedDuration, Timestamp};
use kervan::domain::{
    Cancel, Event, Money, OfferId, Order, OrderDetails, OrderKey, OrderLine, Payment, PurchaseLine,
    PurchaseState, Sku,
};
use kervan::flows::{FlowError, ledger, ledger::NotRecorded};
use kervan::queue::MemoryQueue;
use kervan::seal::MemorySeal;
use kervan::secrets::MemorySecrets;
use kervan::store::{Guard, Write, keys};
use kervan::{Accounts, Kervan, Queues, http::HttpClient};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;

/// Purchases that several workers want to place.
const PURCHASES: usize = 10;
/// Events that each of sixteen workers records.
const EVENTS: usize = 5;
/// A worker that is overtaken reads again, but not for ever.
const MOST_TRIES: usize = 500;

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        of_two_and_of_sixteen_workers_one_gets_the_lease_of_a_purchase,
        sixteen_workers_make_one_history_without_a_gap,
    ]
}

async fn of_two_and_of_sixteen_workers_one_gets_the_lease_of_a_purchase(given: Given) {
    let kervan = Arc::new(kervan(&given));
    for workers in [2, 16] {
        for number in 0..PURCHASES {
            let key = order_key(&format!("LEASE{workers}"), number);
            let mut order = begin(&kervan, &key).await;
            ledger::record(&kervan, &mut order, &[planned(&[sku()])], vec![])
                .await
                .unwrap();
            let ready = Arc::new(Barrier::new(workers));
            let tasks = (0..workers).map(|worker| {
                let lease = take_lease(kervan.clone(), key.clone(), worker, ready.clone());
                tokio::spawn(lease)
            });
            let mut holders = Vec::new();
            for task in tasks.collect::<Vec<_>>() {
                holders.extend(task.await.unwrap());
            }
            assert_eq!(holders.len(), 1, "{workers} workers: {holders:?}");
            let order = whole(&kervan, &key).await;
            assert_eq!(order.version, 3);
            let state = &order.purchases[0].state;
            let PurchaseState::Placing { lease_until, .. } = state else {
                panic!("{state:?}");
            };
            assert_eq!(*lease_until, holders[0]);
        }
    }
}

/// The end of the lease, where this worker got it. Every worker's lease ends at a time of its own.
async fn take_lease(
    kervan: Arc<Kervan>,
    key: OrderKey,
    worker: usize,
    ready: Arc<Barrier>,
) -> Option<Timestamp> {
    let loaded = ledger::load(&*kervan.store, &key).await.unwrap();
    let mut order = loaded.unwrap();
    let lease = SignedDuration::from_secs(90 + i64::try_from(worker).unwrap());
    let lease_until = kervan.clock.now() + lease;
    let started = Event::PlacingStarted {
        purchase: 1,
        lease_until,
    };
    ready.wait().await;
    match ledger::record(&kervan, &mut order, &[started], vec![]).await {
        Ok(()) => Some(lease_until),
        Err(NotRecorded::Failed(FlowError::Overtaken)) => None,
        Err(error) => panic!("{error:?}"),
    }
}

async fn sixteen_workers_make_one_history_without_a_gap(given: Given) {
    let kervan = Arc::new(kervan(&given));
    let key = order_key("CHAIN", 0);
    begin(&kervan, &key).await;
    let workers = (0..16).map(|worker| tokio::spawn(change(kervan.clone(), key.clone(), worker)));
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    assert_eq!(whole(&kervan, &key).await.version, 1 + 16 * EVENTS as u64);
    let history = ledger::history(&*kervan.store, &key).await.unwrap();
    let mut fees = history.iter().filter_map(|record| match &record.event {
        Event::Changed { details } => Some(details.fee.minor),
        _ => None,
    });
    let mut fees = fees.by_ref().collect::<Vec<_>>();
    fees.sort_unstable();
    let all = (0..16 * EVENTS as i64).collect::<Vec<_>>();
    assert_eq!(fees, all, "each event is there once");
}

/// Records a worker's events, each anew where another worker was quicker.
async fn change(kervan: Arc<Kervan>, key: OrderKey, worker: usize) {
    for event in 0..EVENTS {
        let mut tries_left = MOST_TRIES;
        loop {
            let loaded = ledger::load(&*kervan.store, &key).await.unwrap();
            let mut order = loaded.unwrap();
            let mut details = order.details.clone();
            details.fee.minor = i64::try_from(worker * EVENTS + event).unwrap();
            let changed = Event::Changed { details };
            match ledger::record(&kervan, &mut order, &[changed], vec![]).await {
                Ok(()) => break,
                Err(NotRecorded::Failed(FlowError::Overtaken)) if tries_left > 0 => tries_left -= 1,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// The order, after it was shown that its history has no gap, is one chain, and makes the state that is stored.
pub(super) async fn whole(kervan: &Kervan, key: &OrderKey) -> Order {
    let stored = ledger::load(&*kervan.store, key).await.unwrap().unwrap();
    let history = ledger::history(&*kervan.store, key).await.unwrap();
    let numbers = history.iter().map(|record| record.number);
    assert!(numbers.eq(1..=stored.version), "{key} has a gap");
    let replayed = ledger::replay(&*kervan.store, key).await.unwrap();
    assert_eq!(replayed.as_ref(), Some(&stored));
    stored
}

async fn begin(kervan: &Kervan, key: &OrderKey) -> Order {
    let recorded = Event::Recorded {
        details: details(kervan.clock.now()),
    };
    ledger::begin(kervan, key, &[recorded], vec![])
        .await
        .unwrap()
}

/// The write that reserves: exactly what `flows/plan.rs` adds to its events.
pub(super) fn take(sku: &Sku) -> Write {
    Write::Update {
        key: keys::offer(sku, &offer()),
        set_body: None,
        set_due: None,
        add: vec![("free", -1)],
        only_if: vec![Guard::AtLeast("free", 1)],
    }
}

pub(super) fn kervan(given: &Given) -> Kervan {
    let queue = || Arc::new(MemoryQueue::new(given.clock.clone()));
    let http = Arc::new(HttpClient::new(Duration::from_secs(1)).unwrap());
    let secrets = Arc::new(MemorySecrets::new());
    let queues = Queues {
        orders: queue(),
        tracking: queue(),
        inventory: queue(),
    };
    let (clock, store) = (given.clock.clone(), given.store.clone());
    let accounts = Accounts::new(vec![], "", secrets, http, clock.clone(), None);
    Kervan::new(clock, store, Arc::new(MemorySeal::new()), queues, accounts)
}

fn order_key(race: &str, number: usize) -> OrderKey {
    format!("ebay:main/{race}-{number}").parse().unwrap()
}

fn sku() -> Sku {
    Sku::parse("LAST-UNIT").unwrap()
}

pub(super) fn offer() -> OfferId {
    OfferId::new("aliexpress:main".parse().unwrap(), "1005001", "1").unwrap()
}

pub(super) fn usd(minor: i64) -> Money {
    Money {
        minor,
        currency: "USD".parse().unwrap(),
    }
}

fn details(now: Timestamp) -> OrderDetails {
    OrderDetails {
        bought_at: now,
        modified_at: now,
        payment: Payment::Paid,
        cancel: Cancel::No,
        fulfilled: false,
        total: usd(19_99),
        fee: usd(0),
        refunded_minor: 0,
        country: "US".parse().unwrap(),
        lines: vec![OrderLine {
            id: "1".to_owned().try_into().unwrap(),
            sku: "LAST-UNIT".to_owned(),
            quantity: 1,
            price: usd(19_99),
            ship_by: None,
            shipped: 0,
            shipped_whole: false,
            cancelled: 0,
            refunded: 0,
            refunding: 0,
        }],
    }
}

/// A purchase of one unit of each of the skus.
pub(super) fn planned(skus: &[Sku]) -> Event {
    let line = |sku: &Sku| PurchaseLine {
        line: "1".to_owned().try_into().unwrap(),
        sku: sku.clone(),
        offer: offer(),
        quantity: 1,
        unit_cost: usd(7_00),
        shipping: usd(0),
        shipping_option: "STANDARD".to_owned(),
        variant_attributes: String::new(),
    };
    Event::Planned {
        purchase: 1,
        lines: skus.iter().map(line).collect(),
    }
}
