//! Conditions, updates and transactions.

use super::{Given, add, check, conflicts, item, put};
use crate::ports::cases::{self, Case};
use kervan::store::{Condition, Due, Guard, Item, Key, MOST_WRITES, StoreError, Write, WriteError};

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        a_put_that_must_be_first_is_refused_after_another,
        a_put_on_a_version_needs_that_version,
        a_put_replaces_the_whole_item,
        an_update_needs_an_item,
        an_update_changes_only_what_it_names,
        the_version_grows_with_the_body_alone,
        an_update_on_a_version_needs_that_version,
        an_absent_counter_counts_as_0,
        a_counter_is_guarded_at_its_limit,
        all_guards_of_an_update_must_hold,
        a_delete_of_nothing_is_fine,
        a_transaction_is_applied_as_a_whole,
        a_transaction_names_the_writes_whose_conditions_failed,
        a_transaction_can_check_an_item_without_changing_it,
        an_item_is_written_once_in_a_transaction,
        a_transaction_has_1_to_100_writes,
        an_expired_item_counts_as_absent_to_conditions,
        a_large_item_is_kept_and_a_larger_one_refused,
        a_key_cannot_be_empty,
        a_refused_write_writes_nothing,
    ]
}

async fn a_put_that_must_be_first_is_refused_after_another(given: Given) {
    let first = item("W1", "A");
    given.put(first.clone(), Condition::Absent).await.unwrap();
    let mut second = first.clone();
    second.body = "{}".to_owned();
    assert_eq!(conflicts(given.put(second, Condition::Absent).await), [0]);
    assert_eq!(given.get(&first.key).await, Some(first));
}

async fn a_put_on_a_version_needs_that_version(given: Given) {
    let mut item = item("W2", "A");
    let absent = given.put(item.clone(), Condition::Version(1)).await;
    assert_eq!(conflicts(absent), [0]);
    given.keep(item.clone()).await;
    item.version = 2;
    let later = given.put(item.clone(), Condition::Version(2)).await;
    assert_eq!(conflicts(later), [0]);
    given
        .put(item.clone(), Condition::Version(1))
        .await
        .unwrap();
    let earlier = given.put(item.clone(), Condition::Version(1)).await;
    assert_eq!(conflicts(earlier), [0]);
    assert_eq!(given.get(&item.key).await, Some(item));
}

async fn a_put_replaces_the_whole_item(given: Given) {
    let mut full = item("W3", "A");
    full.due = Some(due("w3", given.in_seconds(0)));
    full.expires_at = Some(given.in_seconds(1_000));
    full.counters.insert("free".to_owned(), 3);
    given.keep(full.clone()).await;
    assert_eq!(given.get(&full.key).await, Some(full));
    let bare = item("W3", "A");
    given.keep(bare.clone()).await;
    assert_eq!(given.get(&bare.key).await, Some(bare));
}

async fn an_update_needs_an_item(given: Given) {
    let key = Key::new("W4", "A");
    for write in [
        check(&key, vec![]),
        add(&key, vec![("free", 1)], vec![]),
        body(&key, "{}", vec![]),
        add(&key, vec![("free", 1)], vec![Guard::AtLeast("free", 0)]),
    ] {
        assert_eq!(conflicts(given.store.write(vec![write]).await), [0]);
    }
    assert_eq!(given.get(&key).await, None);
}

async fn an_update_changes_only_what_it_names(given: Given) {
    let mut expected = item("W5", "A");
    expected.due = Some(due("w5", given.in_seconds(5)));
    expected.expires_at = Some(given.in_seconds(1_000));
    expected.counters.insert("free".to_owned(), 3);
    given.keep(expected.clone()).await;
    let key = expected.key.clone();

    given
        .store
        .write(vec![body(&key, "{\"new\":1}", vec![])])
        .await
        .unwrap();
    (expected.body, expected.version) = ("{\"new\":1}".to_owned(), 2);
    assert_eq!(given.get(&key).await, Some(expected.clone()));

    let counters = vec![("free", -5), ("held", 2)];
    given
        .store
        .write(vec![add(&key, counters, vec![])])
        .await
        .unwrap();
    expected.counters.insert("free".to_owned(), -2);
    expected.counters.insert("held".to_owned(), 2);
    assert_eq!(given.get(&key).await, Some(expected.clone()));

    given.store.write(vec![set_due(&key, None)]).await.unwrap();
    expected.due = None;
    assert_eq!(given.get(&key).await, Some(expected.clone()));

    let later = due("w5-later", given.in_seconds(9));
    given
        .store
        .write(vec![set_due(&key, Some(later.clone()))])
        .await
        .unwrap();
    expected.due = Some(later);
    assert_eq!(given.get(&key).await, Some(expected));
}

async fn the_version_grows_with_the_body_alone(given: Given) {
    let item = item("W6", "A");
    let key = &item.key;
    given.keep(item.clone()).await;
    for (write, version) in [
        (body(key, "{}", vec![]), 2),
        (add(key, vec![("free", 1)], vec![]), 2),
        (set_due(key, None), 2),
        (check(key, vec![]), 2),
        (body(key, "{}", vec![]), 3),
    ] {
        given.store.write(vec![write]).await.unwrap();
        assert_eq!(given.get(key).await.unwrap().version, version);
    }
}

async fn an_update_on_a_version_needs_that_version(given: Given) {
    let item = item("W7", "A");
    let key = &item.key;
    given.keep(item.clone()).await;
    let write = body(key, "{\"by\":1}", vec![Guard::Version(1)]);
    given.store.write(vec![write]).await.unwrap();
    let late = body(key, "{\"by\":2}", vec![Guard::Version(1)]);
    assert_eq!(conflicts(given.store.write(vec![late]).await), [0]);
    let kept = given.get(key).await.unwrap();
    assert_eq!((kept.version, kept.body.as_str()), (2, "{\"by\":1}"));
}

async fn an_absent_counter_counts_as_0(given: Given) {
    let item = item("W8", "A");
    let key = &item.key;
    given.keep(item.clone()).await;
    for guard in [
        Guard::AtLeast("free", 0),
        Guard::AtLeast("free", -1),
        Guard::Equals("free", 0),
    ] {
        given
            .store
            .write(vec![check(key, vec![guard])])
            .await
            .unwrap();
    }
    for guard in [
        Guard::AtLeast("free", 1),
        Guard::Equals("free", 1),
        Guard::Equals("free", -1),
    ] {
        let outcome = given.store.write(vec![check(key, vec![guard])]).await;
        assert_eq!(conflicts(outcome), [0], "{guard:?}");
    }
    let write = add(key, vec![("free", -1)], vec![Guard::AtLeast("free", 0)]);
    given.store.write(vec![write]).await.unwrap();
    assert_eq!(given.get(key).await.unwrap().counters["free"], -1);
}

async fn a_counter_is_guarded_at_its_limit(given: Given) {
    let mut item = item("W9", "A");
    item.counters.insert("free".to_owned(), 2);
    let key = &item.key;
    given.keep(item.clone()).await;
    let take = || add(key, vec![("free", -1)], vec![Guard::AtLeast("free", 1)]);
    given.store.write(vec![take()]).await.unwrap();
    let exactly = |value| check(key, vec![Guard::Equals("free", value)]);
    given.store.write(vec![exactly(1)]).await.unwrap();
    assert_eq!(conflicts(given.store.write(vec![exactly(2)]).await), [0]);
    given.store.write(vec![take()]).await.unwrap();
    assert_eq!(conflicts(given.store.write(vec![take()]).await), [0]);
    assert_eq!(given.get(key).await.unwrap().counters["free"], 0);
}

async fn all_guards_of_an_update_must_hold(given: Given) {
    let mut item = item("W10", "A");
    item.counters.insert("free".to_owned(), 2);
    let key = &item.key;
    given.keep(item.clone()).await;
    let guards = |version| {
        let counters = [Guard::AtLeast("free", 2), Guard::Equals("held", 0)];
        [vec![Guard::Version(version)], counters.to_vec()].concat()
    };
    let wrong = add(key, vec![("held", 1)], guards(2));
    assert_eq!(conflicts(given.store.write(vec![wrong]).await), [0]);
    let right = add(key, vec![("held", 1)], guards(1));
    given.store.write(vec![right]).await.unwrap();
    let again = add(key, vec![("held", 1)], guards(1));
    assert_eq!(conflicts(given.store.write(vec![again]).await), [0]);
}

async fn a_delete_of_nothing_is_fine(given: Given) {
    let item = item("W11", "A");
    let delete = || Write::Delete {
        key: item.key.clone(),
    };
    given.store.write(vec![delete()]).await.unwrap();
    given.keep(item.clone()).await;
    given.store.write(vec![delete()]).await.unwrap();
    assert_eq!(given.get(&item.key).await, None);
    let other = super::item("W11", "B");
    given
        .store
        .write(vec![delete(), put(other, Condition::Absent)])
        .await
        .unwrap();
}

async fn a_transaction_is_applied_as_a_whole(given: Given) {
    let [one, two, three, new] = ["A", "B", "C", "D"].map(|sk| item("W12", sk));
    for item in [&one, &two, &three] {
        given.keep(item.clone()).await;
    }
    let mut changed = one.clone();
    changed.version = 2;
    let writes = vec![
        put(changed.clone(), Condition::Version(1)),
        add(&two.key, vec![("free", 4)], vec![Guard::Equals("free", 0)]),
        Write::Delete {
            key: three.key.clone(),
        },
        put(new.clone(), Condition::Absent),
    ];
    given.store.write(writes).await.unwrap();
    assert_eq!(given.get(&one.key).await, Some(changed));
    assert_eq!(given.get(&two.key).await.unwrap().counters["free"], 4);
    assert_eq!(given.get(&three.key).await, None);
    assert_eq!(given.get(&new.key).await, Some(new));
}

async fn a_transaction_names_the_writes_whose_conditions_failed(given: Given) {
    let [there, other, new] = ["A", "B", "C"].map(|sk| item("W13", sk));
    given.keep(there.clone()).await;
    given.keep(other.clone()).await;
    let writes = vec![
        put(new.clone(), Condition::Absent),
        put(there.clone(), Condition::Absent),
        add(&other.key, vec![("free", 1)], vec![]),
        check(&Key::new("W13", "Z"), vec![]),
        Write::Delete {
            key: Key::new("W13", "Y"),
        },
        put(item("W13", "X"), Condition::Version(9)),
    ];
    assert_eq!(conflicts(given.store.write(writes).await), [1, 3, 5]);
    assert_eq!(given.get(&new.key).await, None);
    assert_eq!(given.get(&other.key).await, Some(other));
}

async fn a_transaction_can_check_an_item_without_changing_it(given: Given) {
    let [checked, new] = ["A", "B"].map(|sk| item("W14", sk));
    given.keep(checked.clone()).await;
    let writes = |version| {
        vec![
            check(&checked.key, vec![Guard::Version(version)]),
            put(new.clone(), Condition::Absent),
        ]
    };
    assert_eq!(conflicts(given.store.write(writes(2)).await), [0]);
    given.store.write(writes(1)).await.unwrap();
    assert_eq!(given.get(&checked.key).await, Some(checked));
    assert_eq!(given.get(&new.key).await, Some(new));
}

async fn an_item_is_written_once_in_a_transaction(given: Given) {
    let item = item("W15", "A");
    let twice = vec![
        put(item.clone(), Condition::Always),
        check(&item.key, vec![]),
    ];
    refused(given.store.write(twice).await);
    let write = add(&item.key, vec![("free", 1), ("free", 1)], vec![]);
    given.keep(item).await;
    refused(given.store.write(vec![write]).await);
}

async fn a_transaction_has_1_to_100_writes(given: Given) {
    let writes = |count: usize| {
        let items = (0..count).map(|number| item("W16", &format!("{number:03}")));
        items
            .map(|item| put(item, Condition::Absent))
            .collect::<Vec<_>>()
    };
    refused(given.store.write(vec![]).await);
    refused(given.store.write(writes(MOST_WRITES + 1)).await);
    given.store.write(writes(MOST_WRITES)).await.unwrap();
    let page = given.store.query("W16", "", None, 1_000).await.unwrap();
    assert_eq!(page.items.len(), MOST_WRITES);
    let again = conflicts(given.store.write(writes(MOST_WRITES)).await);
    assert_eq!(again, (0..MOST_WRITES).collect::<Vec<_>>());
}

async fn an_expired_item_counts_as_absent_to_conditions(given: Given) {
    let mut old = item("W17", "A");
    old.expires_at = Some(given.in_seconds(10));
    old.counters.insert("free".to_owned(), 5);
    let new = item("W17", "A");
    given.keep(old.clone()).await;
    given.pass(9);
    let early = given.put(new.clone(), Condition::Absent).await;
    assert_eq!(conflicts(early), [0]);
    given.pass(1);
    for write in [
        put(new.clone(), Condition::Version(1)),
        check(&old.key, vec![]),
        add(
            &old.key,
            vec![("free", -1)],
            vec![Guard::AtLeast("free", 1)],
        ),
        body(&old.key, "{}", vec![Guard::Version(1)]),
    ] {
        assert_eq!(conflicts(given.store.write(vec![write]).await), [0]);
    }
    given.put(new.clone(), Condition::Absent).await.unwrap();
    assert_eq!(given.get(&new.key).await, Some(new));
}

async fn a_large_item_is_kept_and_a_larger_one_refused(given: Given) {
    let mut item = item("W18", "A");
    item.body = "ü".repeat(175 * 1024);
    given.keep(item.clone()).await;
    assert_eq!(given.get(&item.key).await, Some(item.clone()));
    let larger = "x".repeat(400 * 1024);
    refused(
        given
            .store
            .write(vec![body(&item.key, &larger, vec![])])
            .await,
    );
    let mut replaced = item.clone();
    replaced.body = larger;
    refused(given.put(replaced, Condition::Always).await);
    assert_eq!(given.get(&item.key).await, Some(item));
}

async fn a_key_cannot_be_empty(given: Given) {
    for (pk, sk) in [("", "A"), ("W19", "")] {
        refused(given.put(item(pk, sk), Condition::Always).await);
        let read = given.store.get(&Key::new(pk, sk)).await;
        assert!(matches!(read, Err(StoreError::Refused(_))), "{read:?}");
    }
    let mut item = item("W19", "A");
    item.due = Some(due("", given.in_seconds(0)));
    refused(given.put(item, Condition::Always).await);
}

async fn a_refused_write_writes_nothing(given: Given) {
    let good = item("W20", "A");
    let mut bad = item("W20", "B");
    bad.body = "x".repeat(400 * 1024);
    let writes = [good.clone(), bad].map(|item| put(item, Condition::Always));
    refused(given.store.write(writes.to_vec()).await);
    assert_eq!(given.get(&good.key).await, None::<Item>);
}

fn due(lane: &str, at: jiff::Timestamp) -> Due {
    Due {
        lane: lane.to_owned(),
        at,
    }
}

fn body(key: &Key, body: &str, only_if: Vec<Guard>) -> Write {
    Write::Update {
        key: key.clone(),
        set_body: Some(body.to_owned()),
        set_due: None,
        add: Vec::new(),
        only_if,
    }
}

fn set_due(key: &Key, due: Option<Due>) -> Write {
    Write::Update {
        key: key.clone(),
        set_body: None,
        set_due: Some(due),
        add: Vec::new(),
        only_if: Vec::new(),
    }
}

fn refused(outcome: Result<(), WriteError>) {
    let refused = matches!(outcome, Err(WriteError::Store(StoreError::Refused(_))));
    assert!(refused, "{outcome:?}");
}
