//! Many writers at once.

use super::{Given, add, item, put};
use crate::ports::cases::{self, Case};
use kervan::store::{Condition, Guard, Key, Store, Write, WriteError};
use std::sync::Arc;

const WRITERS: usize = 64;
const UNITS: i64 = 10;
/// A writer that meets another tries again, but not for ever.
const MOST_TRIES: usize = 200;

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        the_last_units_go_to_as_many_writers,
        the_last_units_go_to_as_many_transactions_with_an_order_each,
        one_of_many_writers_of_a_version_wins,
        no_addition_is_lost,
    ]
}

async fn the_last_units_go_to_as_many_writers(given: Given) {
    let sku = stocked(&given, "C1").await;
    let writes = |_| vec![take(&sku)];
    assert_eq!(winners(&given, writes).await, UNITS as usize);
    assert_eq!(given.get(&sku).await.unwrap().counters["free"], 0);
}

async fn the_last_units_go_to_as_many_transactions_with_an_order_each(given: Given) {
    let sku = stocked(&given, "C2").await;
    let writes = |writer: usize| {
        let order = item("C2-orders", &format!("{writer:03}"));
        vec![take(&sku), put(order, Condition::Absent)]
    };
    assert_eq!(winners(&given, writes).await, UNITS as usize);
    assert_eq!(given.get(&sku).await.unwrap().counters["free"], 0);
    let orders = given.store.query("C2-orders", "", None, 100).await.unwrap();
    assert_eq!(orders.items.len(), UNITS as usize);
}

async fn one_of_many_writers_of_a_version_wins(given: Given) {
    let first = item("C3", "A");
    given.keep(first.clone()).await;
    let writes = |writer: usize| {
        let mut item = first.clone();
        (item.version, item.body) = (2, writer.to_string());
        vec![put(item, Condition::Version(1))]
    };
    assert_eq!(winners(&given, writes).await, 1);
    assert_eq!(given.get(&first.key).await.unwrap().version, 2);
}

async fn no_addition_is_lost(given: Given) {
    let counted = item("C4", "A");
    given.keep(counted.clone()).await;
    let writes = |_| vec![add(&counted.key, vec![("seen", 3)], vec![])];
    assert_eq!(winners(&given, writes).await, WRITERS);
    let counters = given.get(&counted.key).await.unwrap().counters;
    assert_eq!(counters["seen"], 3 * WRITERS as i64);
}

async fn stocked(given: &Given, pk: &str) -> Key {
    let mut item = item(pk, "OFFER#1");
    item.counters.insert("free".to_owned(), UNITS);
    given.keep(item.clone()).await;
    item.key
}

fn take(sku: &Key) -> Write {
    add(sku, vec![("free", -1)], vec![Guard::AtLeast("free", 1)])
}

/// How many of the writers succeeded; the others met a condition that did not hold.
async fn winners(given: &Given, writes: impl Fn(usize) -> Vec<Write>) -> usize {
    let writers = (0..WRITERS).map(|writer| {
        let (store, writes) = (given.store.clone(), writes(writer));
        tokio::spawn(try_to(store, writes))
    });
    let mut winners = 0;
    for writer in writers.collect::<Vec<_>>() {
        winners += usize::from(writer.await.unwrap());
    }
    winners
}

async fn try_to(store: Arc<dyn Store>, writes: Vec<Write>) -> bool {
    for _ in 0..MOST_TRIES {
        match store.write(writes.clone()).await {
            Ok(()) => return true,
            Err(WriteError::Conflict(_)) => return false,
            Err(WriteError::Contended) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("still contended after {MOST_TRIES} tries");
}
