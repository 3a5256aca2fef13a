//! What the purchase protocol relies on, in the shapes of its own transactions: an order's state, the record of its
//! history, its due time, its entry in the attention list, and the units that it takes.

use super::{Given, add, check, conflicts, item, put};
use crate::ports::cases::{self, Case};
use jiff::Timestamp;
use kervan::store::{Condition, Due, Guard, Item, Key, StoreError, Write, WriteError};
use std::slice;

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        an_order_that_is_begun_again_meets_itself,
        events_that_are_recorded_again_meet_their_own_version,
        units_that_are_taken_again_are_taken_twice_without_a_version,
        one_failed_condition_writes_nothing_of_any_kind,
        failed_extra_writes_are_told_from_the_orders_own,
        units_are_taken_of_all_offers_or_of_none,
        a_look_without_news_moves_the_due_time_of_its_version_alone,
        a_finished_order_leaves_the_index_with_its_last_event,
        a_finished_order_can_become_due_again,
        an_attention_entry_goes_with_the_event_that_ends_it_or_was_never_there,
        new_evidence_changes_body_due_time_and_counters_at_once_or_not_at_all,
        a_deleted_item_can_be_first_again,
        an_expired_buyer_counts_as_absent_in_a_transaction,
        a_transaction_of_more_than_4_megabytes_is_refused,
        a_put_that_is_too_large_is_refused_whatever_its_condition,
        keys_have_the_longest_that_they_may_have_and_no_more,
    ]
}

/// The transaction that records one event, as `flows/ledger.rs` makes it, with the units that a plan takes.
fn recorded(order: &str, version: u64, due: Option<Due>, extra: Vec<Write>) -> Vec<Write> {
    let mut state = state(order, version);
    state.due = due;
    let before = match version {
        1 => Condition::Absent,
        _ => Condition::Version(version - 1),
    };
    let record = item(order, &format!("HISTORY#{version:05}"));
    let mut writes = vec![put(state, before), put(record, Condition::Absent)];
    writes.extend(extra);
    writes
}

fn state(order: &str, version: u64) -> Item {
    let body = format!("{{\"version\":{version}}}");
    Item::new(Key::new(order, "STATE"), version, body)
}

fn take(offer: &Key, units: i64) -> Write {
    let enough = Guard::AtLeast("free", units);
    add(offer, vec![("free", -units)], vec![enough])
}

async fn offer(given: &Given, pk: &str, free: i64) -> Key {
    let mut offer = item(pk, "OFFER#1");
    offer.counters.insert("free".to_owned(), free);
    given.keep(offer.clone()).await;
    offer.key
}

async fn free(given: &Given, offer: &Key) -> i64 {
    given.get(offer).await.unwrap().counters["free"]
}

async fn partition(given: &Given, pk: &str) -> Vec<Item> {
    given.store.query(pk, "", None, 100).await.unwrap().items
}

async fn is_due(given: &Given, lane: &str, seconds: i64) -> Vec<Key> {
    let found = given
        .store
        .due(lane, Timestamp::MIN, given.in_seconds(seconds), 100)
        .await;
    found.unwrap().into_iter().map(|item| item.key).collect()
}

async fn an_order_that_is_begun_again_meets_itself(given: Given) {
    let buyer = item("P1", "BUYER");
    let attention = Key::new("P1", "ATTENTION");
    let extra = || {
        vec![
            put(buyer.clone(), Condition::Always),
            Write::Delete {
                key: attention.clone(),
            },
        ]
    };
    let begin = recorded("P1", 1, None, extra());
    given.store.write(begin.clone()).await.unwrap();
    let kept = partition(&given, "P1").await;
    assert_eq!(kept.len(), 3);
    assert_eq!(conflicts(given.store.write(begin).await), [0, 1]);
    assert_eq!(partition(&given, "P1").await, kept);
}

async fn events_that_are_recorded_again_meet_their_own_version(given: Given) {
    let offer = offer(&given, "P2-sku", 3).await;
    given
        .store
        .write(recorded("P2", 1, None, vec![]))
        .await
        .unwrap();
    let planned = recorded("P2", 2, None, vec![take(&offer, 1)]);
    given.store.write(planned.clone()).await.unwrap();
    let kept = partition(&given, "P2").await;
    // The answer was lost, so its writer makes the same write again: the units are not taken twice.
    assert_eq!(conflicts(given.store.write(planned).await), [0, 1]);
    assert_eq!(partition(&given, "P2").await, kept);
    assert_eq!(free(&given, &offer).await, 2);
}

/// Why units are only ever moved beside a versioned write: alone they meet nothing of their own.
async fn units_that_are_taken_again_are_taken_twice_without_a_version(given: Given) {
    let offer = offer(&given, "P3", 3).await;
    for _ in 0..2 {
        given.store.write(vec![take(&offer, 1)]).await.unwrap();
    }
    assert_eq!(free(&given, &offer).await, 1);
}

async fn one_failed_condition_writes_nothing_of_any_kind(given: Given) {
    let mut before = Vec::new();
    for sk in ["1-replaced", "2-counted", "3-moved", "4-deleted", "5-body"] {
        let mut item = item("P4", sk);
        item.due = Some(due("p4", given.in_seconds(0)));
        item.counters.insert("free".to_owned(), 7);
        given.keep(item.clone()).await;
        before.push(item);
    }
    let key = |place: usize| before[place].key.clone();
    let everything = |last: Write| {
        vec![
            put(item("P4", "1-replaced"), Condition::Version(1)),
            add(&key(1), vec![("free", -7)], vec![Guard::AtLeast("free", 7)]),
            set_due(&key(2), None, vec![Guard::Version(1)]),
            Write::Delete { key: key(3) },
            set_body(&key(4), vec![]),
            put(item("P4", "6-new"), Condition::Absent),
            last,
        ]
    };
    for failing in [
        put(item("P4-other", "A"), Condition::Version(1)),
        check(&Key::new("P4-other", "A"), vec![]),
        take(&Key::new("P4-other", "A"), 1),
        set_due(&Key::new("P4-other", "A"), None, vec![]),
    ] {
        let outcome = given.store.write(everything(failing)).await;
        assert_eq!(conflicts(outcome), [6]);
        assert_eq!(partition(&given, "P4").await, before);
        assert_eq!(is_due(&given, "p4", 0).await.len(), before.len());
    }
}

async fn failed_extra_writes_are_told_from_the_orders_own(given: Given) {
    let [plenty, empty] = [
        offer(&given, "P5-a", 9).await,
        offer(&given, "P5-b", 0).await,
    ];
    let extra = || vec![take(&plenty, 1), take(&empty, 1)];
    given
        .store
        .write(recorded("P5", 1, None, vec![]))
        .await
        .unwrap();
    let outcome = given.store.write(recorded("P5", 2, None, extra())).await;
    assert_eq!(conflicts(outcome), [3]);
    given
        .store
        .write(recorded("P5", 2, None, vec![]))
        .await
        .unwrap();
    let outcome = given.store.write(recorded("P5", 2, None, extra())).await;
    assert_eq!(conflicts(outcome), [0, 1, 3]);
    assert_eq!(free(&given, &plenty).await, 9);
}

async fn units_are_taken_of_all_offers_or_of_none(given: Given) {
    let mut offers = Vec::new();
    for (number, free) in [5, 5, 1].into_iter().enumerate() {
        offers.push(offer(&given, &format!("P6-{number}"), free).await);
    }
    let take_two = || offers.iter().map(|offer| take(offer, 2)).collect();
    assert_eq!(conflicts(given.store.write(take_two()).await), [2]);
    let give = add(&offers[2], vec![("free", 1)], vec![]);
    given.store.write(vec![give]).await.unwrap();
    given.store.write(take_two()).await.unwrap();
    for (offer, left) in offers.iter().zip([3, 3, 0]) {
        assert_eq!(free(&given, offer).await, left);
    }
}

async fn a_look_without_news_moves_the_due_time_of_its_version_alone(given: Given) {
    let at = |seconds| Some(due("p7", given.in_seconds(seconds)));
    given
        .store
        .write(recorded("P7", 1, at(0), vec![]))
        .await
        .unwrap();
    let key = Key::new("P7", "STATE");
    let looked = |version, seconds| set_due(&key, at(seconds), vec![Guard::Version(version)]);
    given.store.write(vec![looked(1, 30)]).await.unwrap();
    assert_eq!(is_due(&given, "p7", 29).await, []);
    assert_eq!(is_due(&given, "p7", 30).await, slice::from_ref(&key));
    // Who looked before the next event must not move the time that the event has set.
    given
        .store
        .write(recorded("P7", 2, at(10), vec![]))
        .await
        .unwrap();
    let late = given.store.write(vec![looked(1, 600)]).await;
    assert_eq!(conflicts(late), [0]);
    assert_eq!(is_due(&given, "p7", 10).await, slice::from_ref(&key));
    let kept = given.get(&key).await.unwrap();
    assert_eq!((kept.version, kept.due), (2, at(10)));
}

async fn a_finished_order_leaves_the_index_with_its_last_event(given: Given) {
    let at = Some(due("p8", given.in_seconds(0)));
    given
        .store
        .write(recorded("P8", 1, at, vec![]))
        .await
        .unwrap();
    assert_eq!(is_due(&given, "p8", 0).await.len(), 1);
    given
        .store
        .write(recorded("P8", 2, None, vec![]))
        .await
        .unwrap();
    assert_eq!(is_due(&given, "p8", 1_000_000).await, []);
    let kept = given.get(&Key::new("P8", "STATE")).await.unwrap();
    assert_eq!((kept.version, kept.due), (2, None));
}

async fn a_finished_order_can_become_due_again(given: Given) {
    let at = |seconds| Some(due("p9", given.in_seconds(seconds)));
    for (version, due) in [(1, at(0)), (2, None), (3, at(5)), (4, at(1))] {
        given
            .store
            .write(recorded("P9", version, due, vec![]))
            .await
            .unwrap();
    }
    // Once, at its newest time.
    assert_eq!(is_due(&given, "p9", 0).await, []);
    assert_eq!(is_due(&given, "p9", 9).await, [Key::new("P9", "STATE")]);
    let found = given
        .store
        .due("p9", Timestamp::MIN, given.in_seconds(9), 10)
        .await;
    assert_eq!(found.unwrap()[0].version, 4);
}

async fn an_attention_entry_goes_with_the_event_that_ends_it_or_was_never_there(given: Given) {
    let mut entry = item("P10", "ATTENTION");
    entry.due = Some(due("p10", given.in_seconds(0)));
    let raise = || vec![put(entry.clone(), Condition::Always)];
    let clear = || {
        vec![Write::Delete {
            key: entry.key.clone(),
        }]
    };
    given
        .store
        .write(recorded("P10", 1, None, clear()))
        .await
        .unwrap();
    for version in [2, 3] {
        given
            .store
            .write(recorded("P10", version, None, raise()))
            .await
            .unwrap();
        assert_eq!(is_due(&given, "p10", 0).await, [entry.key.clone()]);
    }
    // An event that comes too late takes nothing with it.
    let late = given.store.write(recorded("P10", 3, None, clear())).await;
    assert_eq!(conflicts(late), [0, 1]);
    assert_eq!(is_due(&given, "p10", 0).await.len(), 1);
    given
        .store
        .write(recorded("P10", 4, None, clear()))
        .await
        .unwrap();
    assert_eq!(is_due(&given, "p10", 0).await, []);
    assert_eq!(given.get(&entry.key).await, None);
}

async fn new_evidence_changes_body_due_time_and_counters_at_once_or_not_at_all(given: Given) {
    let key = offer(&given, "P11", 4).await;
    let look = |version, bought: i64| Write::Update {
        key: key.clone(),
        set_body: Some("{\"evidence\":1}".to_owned()),
        set_due: Some(Some(due("p11", given.in_seconds(60)))),
        add: vec![("free", 3), ("bought", -bought)],
        only_if: vec![Guard::Version(version), Guard::Equals("bought", bought)],
    };
    let before = given.get(&key).await;
    // A purchase was noted in between, or another look: the evidence is of another time.
    for (version, bought) in [(1, 2), (2, 0)] {
        let late = given.store.write(vec![look(version, bought)]).await;
        assert_eq!(conflicts(late), [0]);
        assert_eq!(given.get(&key).await, before);
    }
    given.store.write(vec![look(1, 0)]).await.unwrap();
    let kept = given.get(&key).await.unwrap();
    assert_eq!((kept.version, kept.counters["free"]), (2, 7));
    assert_eq!(is_due(&given, "p11", 60).await, [key]);
}

async fn a_deleted_item_can_be_first_again(given: Given) {
    let mut first = item("P12", "A");
    first.counters.insert("free".to_owned(), 5);
    first.due = Some(due("p12", given.in_seconds(0)));
    given.keep(first.clone()).await;
    let delete = Write::Delete {
        key: first.key.clone(),
    };
    given.store.write(vec![delete]).await.unwrap();
    let gone = given.put(first.clone(), Condition::Version(1)).await;
    assert_eq!(conflicts(gone), [0]);
    let bare = item("P12", "A");
    given.put(bare.clone(), Condition::Absent).await.unwrap();
    assert_eq!(given.get(&bare.key).await, Some(bare));
    assert_eq!(is_due(&given, "p12", 0).await, []);
}

async fn an_expired_buyer_counts_as_absent_in_a_transaction(given: Given) {
    let mut buyer = item("P13", "BUYER");
    buyer.expires_at = Some(given.in_seconds(10));
    given.keep(buyer.clone()).await;
    given.pass(10);
    let other = || put(item("P13", "STATE"), Condition::Always);
    for failing in [
        set_body(&buyer.key, vec![]),
        check(&buyer.key, vec![]),
        put(buyer.clone(), Condition::Version(1)),
    ] {
        let outcome = given.store.write(vec![other(), failing]).await;
        assert_eq!(conflicts(outcome), [1]);
    }
    assert_eq!(given.get(&Key::new("P13", "STATE")).await, None);
    let delete = Write::Delete {
        key: buyer.key.clone(),
    };
    given.store.write(vec![other(), delete]).await.unwrap();
    buyer.expires_at = Some(given.in_seconds(10));
    let again = vec![put(buyer.clone(), Condition::Absent)];
    given.store.write(again).await.unwrap();
    assert_eq!(given.get(&buyer.key).await, Some(buyer));
}

async fn a_transaction_of_more_than_4_megabytes_is_refused(given: Given) {
    let writes = |count: usize| {
        let items = (0..count).map(|number| {
            let mut item = item("P14", &number.to_string());
            item.body = "x".repeat(350 * 1024);
            put(item, Condition::Absent)
        });
        items.collect::<Vec<_>>()
    };
    refused(given.store.write(writes(12)).await);
    assert_eq!(partition(&given, "P14").await, []);
    given.store.write(writes(11)).await.unwrap();
    assert_eq!(partition(&given, "P14").await.len(), 11);
}

async fn a_put_that_is_too_large_is_refused_whatever_its_condition(given: Given) {
    let mut large = item("P15", "A");
    large.body = "x".repeat(400 * 1024);
    for only_if in [Condition::Version(1), Condition::Absent] {
        refused(given.put(large.clone(), only_if).await);
        let together = vec![
            check(&Key::new("P15", "B"), vec![]),
            put(large.clone(), only_if),
        ];
        refused(given.store.write(together).await);
    }
}

async fn keys_have_the_longest_that_they_may_have_and_no_more(given: Given) {
    let (pk, sk) = ("p".repeat(2048), "s".repeat(1024));
    let longest = item(&pk, &sk);
    given.keep(longest.clone()).await;
    assert_eq!(given.get(&longest.key).await, Some(longest));
    let (longer_pk, longer_sk) = (format!("{pk}p"), format!("{sk}s"));
    for (pk, sk) in [(&longer_pk, &sk), (&pk, &longer_sk)] {
        refused(given.put(item(pk, sk), Condition::Always).await);
        let read = given.store.get(&Key::new(pk.clone(), sk.clone())).await;
        assert!(matches!(read, Err(StoreError::Refused(_))), "{read:?}");
    }
}

fn due(lane: &str, at: Timestamp) -> Due {
    Due {
        lane: lane.to_owned(),
        at,
    }
}

fn set_due(key: &Key, due: Option<Due>, only_if: Vec<Guard>) -> Write {
    Write::Update {
        key: key.clone(),
        set_body: None,
        set_due: Some(due),
        add: Vec::new(),
        only_if,
    }
}

fn set_body(key: &Key, only_if: Vec<Guard>) -> Write {
    Write::Update {
        key: key.clone(),
        set_body: Some("{}".to_owned()),
        set_due: None,
        add: Vec::new(),
        only_if,
    }
}

fn refused(outcome: Result<(), WriteError>) {
    let refused = matches!(outcome, Err(WriteError::Store(StoreError::Refused(_))));
    assert!(refused, "{outcome:?}");
}
