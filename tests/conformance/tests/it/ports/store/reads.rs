//! Reads by key, by partition and by due time.

use super::{Given, check, item};
use crate::ports::cases::{self, Case};
use jiff::{SignedDuration, Timestamp};
use kervan::{
    clock::Clock,
    store::{Due, Item, Key, Write},
};

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        nothing_is_read_where_nothing_was_written,
        any_text_is_read_as_it_was_written,
        times_are_kept_to_their_precision,
        a_partition_is_read_in_the_order_of_its_sort_keys,
        a_prefix_reads_its_part_alone,
        pages_follow_each_other_without_gaps,
        a_page_can_start_anywhere,
        large_items_are_read_together,
        only_what_is_due_is_found_the_oldest_first,
        what_is_no_longer_due_is_not_found,
        a_due_item_moves_between_lanes,
        so_many_due_items_are_read_as_asked_for,
        what_is_due_is_read_from_a_time_on,
        many_items_are_read_in_the_order_of_their_keys,
        an_expired_item_is_read_by_nobody,
    ]
}

async fn nothing_is_read_where_nothing_was_written(given: Given) {
    assert_eq!(given.get(&Key::new("R1", "A")).await, None);
    let page = given.store.query("R1", "", None, 10).await.unwrap();
    assert_eq!((page.items, page.next), (vec![], None));
    assert_eq!(found(&given, "r1", 0).await, [""; 0]);
}

async fn any_text_is_read_as_it_was_written(given: Given) {
    let mut item = item("R2#çağla 😀", "Ж#\"\\'");
    item.body = "{\"a\":\"\u{0}\u{7f}\u{2028}\\n😀 & <b>\"}".to_owned();
    given.keep(item.clone()).await;
    assert_eq!(given.get(&item.key).await, Some(item));
    let mut empty = super::item("R2", "empty");
    empty.body = String::new();
    given.keep(empty.clone()).await;
    assert_eq!(given.get(&empty.key).await, Some(empty));
}

async fn times_are_kept_to_their_precision(given: Given) {
    let mut item = item("R3", "A");
    let base = given.in_seconds(100);
    let at = base + SignedDuration::from_nanos(123_456_789);
    item.due = Some(due("r3", at));
    item.expires_at = Some(at);
    given.keep(item.clone()).await;
    let kept = given.get(&item.key).await.unwrap();
    assert_eq!(
        kept.due.unwrap().at,
        base + SignedDuration::from_millis(123)
    );
    assert_eq!(kept.expires_at, Some(base));
}

async fn a_partition_is_read_in_the_order_of_its_sort_keys(given: Given) {
    for sk in ["b", "a", "B", "é", "a#1", "a#10", "a#2", "😀"] {
        given.keep(item("R4", sk)).await;
    }
    given.keep(item("R4#", "a")).await;
    given.keep(item("R", "a")).await;
    let keys = sort_keys(&given, "R4", "").await;
    assert_eq!(keys, ["B", "a", "a#1", "a#10", "a#2", "b", "é", "😀"]);
}

async fn a_prefix_reads_its_part_alone(given: Given) {
    for sk in [
        "BUYER",
        "HISTORY#00001",
        "HISTORY#00002",
        "HISTORZ",
        "STATE",
    ] {
        given.keep(item("R5", sk)).await;
    }
    let history = sort_keys(&given, "R5", "HISTORY#").await;
    assert_eq!(history, ["HISTORY#00001", "HISTORY#00002"]);
    assert_eq!(sort_keys(&given, "R5", "OFFER#").await, [""; 0]);
}

async fn pages_follow_each_other_without_gaps(given: Given) {
    let all = (0..6)
        .map(|number| format!("P#{number}"))
        .collect::<Vec<_>>();
    for sk in &all {
        given.keep(item("R6", sk)).await;
    }
    given.keep(item("R6", "Q")).await;
    for limit in [1, 2, 3, 4, 6, 7] {
        let (mut read, mut after, mut pages) = (Vec::new(), None::<String>, 0);
        loop {
            let page = given.store.query("R6", "P#", after.as_deref(), limit);
            let page = page.await.unwrap();
            assert!(page.items.len() <= limit);
            read.extend(page.items.into_iter().map(|item| item.key.sk));
            pages += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(read, all, "limit {limit}");
        assert_eq!(pages, all.len().div_ceil(limit), "limit {limit}");
    }
}

async fn a_page_can_start_anywhere(given: Given) {
    for sk in ["P#1", "P#2", "P#3"] {
        given.keep(item("R7", sk)).await;
    }
    for (after, expected) in [
        ("P#1", vec!["P#2", "P#3"]),
        ("P#11", vec!["P#2", "P#3"]),
        ("P#3", vec![]),
        ("A", vec!["P#1", "P#2", "P#3"]),
        ("Z", vec![]),
    ] {
        let page = given
            .store
            .query("R7", "P#", Some(after), 10)
            .await
            .unwrap();
        let keys = page.items.iter().map(|item| item.key.sk.as_str());
        assert_eq!(keys.collect::<Vec<_>>(), expected, "after {after}");
    }
}

async fn large_items_are_read_together(given: Given) {
    // More than the megabyte that DynamoDB reads at once.
    for sk in ["1", "2", "3", "4"] {
        let mut item = item("R8", sk);
        item.body = sk.repeat(350 * 1024);
        given.keep(item).await;
    }
    assert_eq!(sort_keys(&given, "R8", "").await, ["1", "2", "3", "4"]);
}

async fn only_what_is_due_is_found_the_oldest_first(given: Given) {
    for (sk, seconds) in [("later", 60), ("now", 0), ("oldest", -20), ("old", -10)] {
        keep_due(&given, item("R9", sk), "r9", seconds).await;
    }
    given.keep(item("R9", "never")).await;
    keep_due(&given, item("R9", "elsewhere"), "r9-other", -20).await;
    assert_eq!(found(&given, "r9", 0).await, ["oldest", "old", "now"]);
    assert_eq!(found(&given, "r9", -10).await, ["oldest", "old"]);
    assert_eq!(found(&given, "r9", 60).await.len(), 4);
    let whole = given
        .store
        .due("r9", Timestamp::MIN, given.in_seconds(-20), 1)
        .await
        .unwrap();
    assert_eq!(whole, [given.get(&Key::new("R9", "oldest")).await.unwrap()]);
}

async fn what_is_no_longer_due_is_not_found(given: Given) {
    let [cleared, replaced, deleted] = ["A", "B", "C"].map(|sk| item("R10", sk));
    for item in [&cleared, &replaced, &deleted] {
        keep_due(&given, item.clone(), "r10", 0).await;
    }
    given
        .store
        .write(vec![set_due(&cleared.key, None)])
        .await
        .unwrap();
    given.keep(replaced).await;
    let delete = Write::Delete { key: deleted.key };
    given.store.write(vec![delete]).await.unwrap();
    assert_eq!(found(&given, "r10", 0).await, [""; 0]);
}

async fn a_due_item_moves_between_lanes(given: Given) {
    let item = item("R11", "A");
    keep_due(&given, item.clone(), "r11-a", 0).await;
    let moved = due("r11-b", given.in_seconds(5));
    given
        .store
        .write(vec![set_due(&item.key, Some(moved))])
        .await
        .unwrap();
    assert_eq!(found(&given, "r11-a", 10).await, [""; 0]);
    assert_eq!(found(&given, "r11-b", 4).await, [""; 0]);
    assert_eq!(found(&given, "r11-b", 5).await, ["A"]);
}

async fn so_many_due_items_are_read_as_asked_for(given: Given) {
    for (place, sk) in ["A", "B", "C"].iter().enumerate() {
        keep_due(&given, item("R12", sk), "r12", -10 + place as i64).await;
    }
    for limit in 0..=3 {
        let items = given
            .store
            .due("r12", Timestamp::MIN, given.clock.now(), limit)
            .await;
        assert_eq!(items.unwrap().len(), limit);
    }
}

async fn what_is_due_is_read_from_a_time_on(given: Given) {
    for (place, sk) in (0..).zip(["A", "B", "C", "D"]) {
        keep_due(&given, item("R14", sk), "r14", place * 10).await;
    }
    let span = async |from: Timestamp, until: Timestamp| {
        let items = given.store.due("r14", from, until, 100).await.unwrap();
        let names = items.into_iter().map(|item| item.key.sk);
        names.collect::<Vec<_>>()
    };
    let at = |seconds| given.in_seconds(seconds);
    assert_eq!(span(at(10), at(20)).await, ["B", "C"]);
    assert_eq!(span(at(11), at(29)).await, ["C"]);
    assert_eq!(span(at(20), at(20)).await, ["C"]);
    assert_eq!(span(at(20), at(10)).await, [""; 0]);
    assert_eq!(span(Timestamp::MIN, Timestamp::MAX).await.len(), 4);
}

/// More than DynamoDB reads with one call, some of them absent and some asked for twice.
async fn many_items_are_read_in_the_order_of_their_keys(given: Given) {
    let key = |number: usize| Key::new(format!("R15-{number}"), "A");
    for number in (0..130).step_by(2) {
        let mut item = Item::new(key(number), 1, number.to_string());
        item.counters.insert("free".to_owned(), 7);
        given.keep(item).await;
    }
    let mut mortal = Item::new(key(131), 1, "131".to_owned());
    mortal.expires_at = Some(given.in_seconds(-1));
    given.keep(mortal).await;
    let numbers: Vec<usize> = (0..132).rev().chain([4, 4, 5]).collect();
    let keys: Vec<Key> = numbers.iter().copied().map(key).collect();
    let items = given.store.get_many(&keys).await.unwrap();
    let bodies = items
        .iter()
        .map(|item| item.as_ref().map(|it| it.body.clone()));
    let wanted = numbers.iter().map(|number| {
        let is_there = number % 2 == 0 && *number < 130;
        is_there.then(|| number.to_string())
    });
    assert_eq!(bodies.collect::<Vec<_>>(), wanted.collect::<Vec<_>>());
    let whole = items
        .iter()
        .flatten()
        .all(|item| item.counters["free"] == 7);
    assert!(whole && items.len() == 135);
    assert_eq!(given.store.get_many(&[]).await.unwrap(), []);
}

async fn an_expired_item_is_read_by_nobody(given: Given) {
    let mut mortal = item("R13", "B");
    mortal.expires_at = Some(given.in_seconds(10));
    for item in [item("R13", "A"), mortal.clone(), item("R13", "C")] {
        keep_due(&given, item, "r13", 0).await;
    }
    given.pass(9);
    assert_eq!(sort_keys(&given, "R13", "").await, ["A", "B", "C"]);
    assert_eq!(found(&given, "r13", 0).await.len(), 3);
    given.pass(1);
    assert_eq!(given.get(&mortal.key).await, None);
    assert_eq!(sort_keys(&given, "R13", "").await, ["A", "C"]);
    assert_eq!(found(&given, "r13", 0).await, ["A", "C"]);
    let page = given.store.query("R13", "", None, 2).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
    let two = given
        .store
        .due("r13", Timestamp::MIN, given.clock.now(), 2)
        .await
        .unwrap();
    assert_eq!(two.len(), 2);
}

async fn keep_due(given: &Given, mut item: Item, lane: &str, seconds: i64) {
    item.due = Some(due(lane, given.in_seconds(seconds)));
    given.keep(item).await;
}

async fn sort_keys(given: &Given, pk: &str, prefix: &str) -> Vec<String> {
    let page = given.store.query(pk, prefix, None, 100).await.unwrap();
    assert_eq!(page.next, None);
    page.items.into_iter().map(|item| item.key.sk).collect()
}

/// Sort keys of what is due so many seconds from now.
async fn found(given: &Given, lane: &str, seconds: i64) -> Vec<String> {
    let items = given
        .store
        .due(lane, Timestamp::MIN, given.in_seconds(seconds), 100)
        .await;
    let items = items.unwrap().into_iter();
    items.map(|item| item.key.sk).collect()
}

fn due(lane: &str, at: jiff::Timestamp) -> Due {
    Due {
        lane: lane.to_owned(),
        at,
    }
}

fn set_due(key: &Key, due: Option<Due>) -> Write {
    let Write::Update {
        key,
        set_body,
        add,
        only_if,
        ..
    } = check(key, vec![])
    else {
        unreachable!("a check is an update");
    };
    Write::Update {
        key,
        set_body,
        set_due: Some(due),
        add,
        only_if,
    }
}
