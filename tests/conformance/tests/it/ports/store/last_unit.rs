//! Buyers on two channels who all want the last unit, through the real ledger: each has seen that it is there before any
//! of them writes.

use super::Given;
use super::races::{kervan, planned, take, usd, whole};
use crate::ports::cases::{self, Case};
use kervan::Kervan;
use kervan::domain::{
    Cancel, Event, LineId, MappedLine, OfferId, OrderDetails, OrderKey, OrderLine, Part, Payment,
    Reason, Sku,
};
use kervan::flows::{FlowError, ledger, ledger::NotRecorded};
use kervan::store::{Item, Key, Store, keys};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Barrier;

/// Workers that buy for them: as many processes as a busy function has.
const WORKERS: usize = 64;
/// Last sets, each wanted by this many buyers.
const SETS: usize = 10;
const BUYERS_OF_A_SET: usize = 60;
/// A worker that is overtaken reads again, but not for ever.
const MOST_TRIES: usize = 1_000;
/// Of so many orders one is read whole afterwards.
const LOOKED_AT: usize = 50;

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        all_buyers_on_two_channels_see_the_last_unit_and_one_gets_it,
        of_the_last_units_of_a_sets_parts_nobody_gets_half_a_set,
    ]
}

async fn all_buyers_on_two_channels_see_the_last_unit_and_one_gets_it(given: Given) {
    let buyers = given.buyers;
    let kervan = Arc::new(kervan(&given));
    let unit = stock(&given, "LAST-UNIT").await;
    let over = Arc::new(AtomicBool::new(false));
    let watcher = tokio::spawn(never_below_zero(
        given.store.clone(),
        unit.clone(),
        over.clone(),
    ));
    let began = Instant::now();
    let race = Race {
        name: "LAST".to_owned(),
        buyers: (0..buyers).map(|_| vec!["LAST-UNIT"]).collect(),
    };
    let came = race.run(&kervan, WORKERS).await;
    over.store(true, Ordering::SeqCst);
    assert!(watcher.await.unwrap() > 0, "nobody watched the counter");
    assert_eq!(came.winners.len(), 1, "{:?}", came.winners);
    assert_eq!(came.refused_at_the_write, buyers - 1);
    assert_eq!(free(&given, &unit).await, 0);
    let took = began.elapsed();
    println!("{buyers} buyers of one unit: one got it, in {took:.1?}");
    for number in (0..buyers).step_by(LOOKED_AT) {
        is_whole(&kervan, &race.key(number), &came.winners, "LAST-UNIT").await;
    }
    is_whole(&kervan, &came.winners[0], &came.winners, "LAST-UNIT").await;
}

/// Some buyers want the set, others one of its parts. Whoever gets a part of a set gets all of it.
async fn of_the_last_units_of_a_sets_parts_nobody_gets_half_a_set(given: Given) {
    let kervan = Arc::new(kervan(&given));
    for set in 0..SETS {
        let (mug, plate) = (format!("LAST-MUG-{set}"), format!("LAST-PLATE-{set}"));
        let (mugs, plates) = (stock(&given, &mug).await, stock(&given, &plate).await);
        let wanted = |number: usize| -> Vec<&str> {
            match number % 3 {
                // Everybody wants the first set.
                1 if set > 0 => vec![&mug],
                2 if set > 0 => vec![&plate],
                // In both orders: a store that locked one after the other would come to a stop.
                _ if number.is_multiple_of(2) => vec![&mug, &plate],
                _ => vec![&plate, &mug],
            }
        };
        let race = Race {
            name: format!("SET{set}"),
            buyers: (0..BUYERS_OF_A_SET).map(wanted).collect(),
        };
        let came = race.run(&kervan, BUYERS_OF_A_SET).await;
        let mut got: Vec<String> = Vec::new();
        for key in &came.winners {
            let order = whole(&kervan, key).await;
            let lines = order.purchases.iter().flat_map(|one| &one.lines);
            got.extend(lines.map(|line| line.sku.to_string()));
        }
        got.sort();
        assert_eq!(got, [mug.clone(), plate.clone()], "{:?}", came.winners);
        assert_eq!(
            (free(&given, &mugs).await, free(&given, &plates).await),
            (0, 0)
        );
        if set == 0 {
            assert_eq!(came.winners.len(), 1, "a set is one buyer's");
        }
        assert_eq!(
            came.refused_at_the_write + came.winners.len(),
            BUYERS_OF_A_SET
        );
        for number in 0..BUYERS_OF_A_SET {
            is_whole(&kervan, &race.key(number), &came.winners, &mug).await;
        }
    }
}

/// Buyers with what each wants: one unit of each sku, all or nothing.
struct Race<'a> {
    name: String,
    buyers: Vec<Vec<&'a str>>,
}

#[derive(Default)]
struct Came {
    winners: Vec<OrderKey>,
    /// Buyers who had seen the units and whose write was refused for want of them.
    refused_at_the_write: usize,
}

impl Race<'_> {
    fn key(&self, number: usize) -> OrderKey {
        let channel = ["ebay:main", "amazon:main"][number % 2];
        format!("{channel}/{}-{number}", self.name).parse().unwrap()
    }

    /// All orders are recorded and all buyers see the units; then all of them buy.
    async fn run(&self, kervan: &Arc<Kervan>, workers: usize) -> Came {
        let ready = Arc::new(Barrier::new(workers));
        let next = Arc::new(AtomicUsize::new(0));
        let buyers = self.buyers.iter().enumerate();
        let buyers = buyers.map(|(number, wanted)| {
            let wanted = wanted.iter().map(|sku| Sku::parse(sku).unwrap());
            (self.key(number), wanted.collect())
        });
        let buyers: Arc<Vec<(OrderKey, Vec<Sku>)>> = Arc::new(buyers.collect());
        let workers = (0..workers).map(|_| {
            let work = buy_all(kervan.clone(), buyers.clone(), next.clone(), ready.clone());
            tokio::spawn(work)
        });
        let mut came = Came::default();
        for worker in workers.collect::<Vec<_>>() {
            let part = worker.await.unwrap();
            came.winners.extend(part.winners);
            came.refused_at_the_write += part.refused_at_the_write;
        }
        came
    }
}

async fn buy_all(
    kervan: Arc<Kervan>,
    buyers: Arc<Vec<(OrderKey, Vec<Sku>)>>,
    next: Arc<AtomicUsize>,
    ready: Arc<Barrier>,
) -> Came {
    let mut mine = Vec::new();
    while let Some((key, wanted)) = buyers.get(next.fetch_add(1, Ordering::SeqCst)) {
        let events = recorded(&kervan, wanted);
        let order = ledger::begin(&kervan, key, &events, vec![]).await;
        let order = order.unwrap();
        for sku in wanted {
            let seen = kervan.store.get(&keys::offer(sku, &offer())).await.unwrap();
            assert_eq!(seen.unwrap().counters["free"], 1, "{key} saw no unit");
        }
        mine.push((order, wanted));
    }
    ready.wait().await;
    let mut came = Came::default();
    for (mut order, wanted) in mine {
        let planned: Vec<Event> = vec![planned(wanted)];
        for tries_left in (0..MOST_TRIES).rev() {
            let take = wanted.iter().map(take).collect();
            match ledger::record(&kervan, &mut order, &planned, take).await {
                Ok(()) => came.winners.push(order.key.clone()),
                Err(NotRecorded::Extra(places)) => {
                    assert!(
                        places.iter().all(|place| *place < wanted.len()),
                        "{places:?}"
                    );
                    came.refused_at_the_write += 1;
                    out_of_stock(&kervan, &mut order, wanted[places[0]].clone()).await;
                }
                Err(NotRecorded::Failed(FlowError::Overtaken)) if tries_left > 0 => continue,
                Err(error) => panic!("{error:?}"),
            }
            break;
        }
    }
    came
}

/// What `flows/plan.rs` records where nothing is left.
async fn out_of_stock(kervan: &Kervan, order: &mut kervan::domain::Order, sku: Sku) {
    let raised = Event::AttentionRaised {
        reason: Reason::OutOfStock { sku },
    };
    ledger::record(kervan, order, &[raised], vec![])
        .await
        .unwrap();
}

/// The order's history is one chain that makes its state; it has its plan, or it waits for a person.
async fn is_whole(kervan: &Kervan, key: &OrderKey, winners: &[OrderKey], sku: &str) {
    let order = whole(kervan, key).await;
    assert_eq!(order.version, 3, "{sku}: {order:?}");
    let won = winners.contains(key);
    assert_eq!(order.purchases.len(), usize::from(won), "{sku}: {order:?}");
    assert_eq!(order.attention.is_none(), won, "{sku}: {order:?}");
}

/// Looks at the counter all the time; returns how often.
async fn never_below_zero(store: Arc<dyn Store>, offer: Key, over: Arc<AtomicBool>) -> usize {
    let mut looks = 0;
    while !over.load(Ordering::SeqCst) {
        let free = store.get(&offer).await.unwrap().unwrap().counters["free"];
        assert!((0..=1).contains(&free), "{free} units are free");
        looks += 1;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    looks
}

/// One unit of a sku.
async fn stock(given: &Given, sku: &str) -> Key {
    let key = keys::offer(&Sku::parse(sku).unwrap(), &offer());
    let mut item = Item::new(key.clone(), 1, "{}".to_owned());
    item.counters.insert("free".to_owned(), 1);
    given.keep(item).await;
    key
}

async fn free(given: &Given, key: &Key) -> i64 {
    given.get(key).await.unwrap().counters["free"]
}

fn offer() -> OfferId {
    super::races::offer()
}

/// An order of a line, with what it is made of.
fn recorded(kervan: &Kervan, wanted: &[Sku]) -> [Event; 2] {
    let line = || LineId::parse("1").unwrap();
    let parts = wanted.iter().map(|sku| Part {
        sku: sku.clone(),
        units: 1,
    });
    let now = kervan.clock.now();
    let details = OrderDetails {
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
            id: line(),
            sku: "LAST".to_owned(),
            quantity: 1,
            price: usd(19_99),
            ship_by: None,
            shipped: 0,
            shipped_whole: false,
            cancelled: 0,
            refunded: 0,
            refunding: 0,
        }],
    };
    let lines = vec![MappedLine {
        line: line(),
        parts: parts.collect(),
    }];
    [Event::Recorded { details }, Event::Mapped { lines }]
}
