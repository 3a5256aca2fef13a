//! Reads of the whole table, and deletes that need something.

use super::{Given, conflicts, item, put};
use crate::ports::cases::{self, Case};
use kervan::store::{Condition, Guard, Item, Key, Write};

pub(super) fn cases(given: Given) -> Vec<Case> {
    cases::cases![given;
        a_scan_reads_each_item_with_the_prefix_once_whatever_its_pages_hold,
        a_scan_reads_whole_items_and_none_that_expired,
        a_guarded_delete_needs_the_item_as_it_was_seen,
        a_guarded_delete_fails_its_transaction,
    ]
}

async fn a_scan_reads_each_item_with_the_prefix_once_whatever_its_pages_hold(given: Given) {
    let mut wanted = Vec::new();
    for pk in ["SCAN#1", "SCAN#ü#2", "SCAN#10"] {
        for sk in ["B", "A", "a#2", "a#10"] {
            wanted.push(item(pk, sk));
        }
    }
    for item in &wanted {
        given.keep(item.clone()).await;
    }
    for other in ["SCAN", "scan#1", "XSCAN#1"] {
        given.keep(item(other, "A")).await;
    }
    let by_key = |items: &[Item]| {
        let mut keys: Vec<Key> = items.iter().map(|item| item.key.clone()).collect();
        keys.sort();
        keys
    };
    for limit in [1, 3, 1000] {
        let read = scan(&given, "SCAN#", limit).await;
        assert_eq!(by_key(&read), by_key(&wanted), "limit {limit}");
        // The items of a partition come one after the other, in their order.
        for pair in read
            .windows(2)
            .filter(|pair| pair[0].key.pk == pair[1].key.pk)
        {
            assert!(pair[0].key.sk < pair[1].key.sk, "limit {limit}");
        }
        let mut partitions: Vec<&str> = read.iter().map(|item| item.key.pk.as_str()).collect();
        partitions.dedup();
        assert_eq!(partitions.len(), 3, "limit {limit}");
    }
    let all = scan(&given, "", 100).await;
    assert!(all.len() > wanted.len());
}

async fn a_scan_reads_whole_items_and_none_that_expired(given: Given) {
    let mut lasting = item("SCANNED", "A");
    lasting.counters.insert("free".to_owned(), 7);
    let mut mortal = item("SCANNED", "B");
    mortal.expires_at = Some(given.in_seconds(10));
    given.keep(lasting.clone()).await;
    given.keep(mortal).await;
    assert_eq!(scan(&given, "SCANNED", 100).await.len(), 2);
    given.pass(11);
    assert_eq!(scan(&given, "SCANNED", 100).await, [lasting]);
}

async fn a_guarded_delete_needs_the_item_as_it_was_seen(given: Given) {
    let mut item = item("SD1", "A");
    item.counters.insert("free".to_owned(), 3);
    let delete = |only_if| Write::DeleteIf {
        key: item.key.clone(),
        only_if,
    };
    let absent = given.store.write(vec![delete(vec![])]).await;
    assert_eq!(conflicts(absent), [0]);
    given.keep(item.clone()).await;
    for wrong in [
        Guard::Version(2),
        Guard::Equals("free", 2),
        Guard::AtLeast("free", 4),
        Guard::AtLeast("bought", 1),
    ] {
        let refused = given.store.write(vec![delete(vec![wrong])]).await;
        assert_eq!(conflicts(refused), [0]);
    }
    assert_eq!(given.get(&item.key).await, Some(item.clone()));
    let right = vec![
        Guard::Version(1),
        Guard::Equals("free", 3),
        Guard::Equals("bought", 0),
    ];
    given.store.write(vec![delete(right)]).await.unwrap();
    assert_eq!(given.get(&item.key).await, None);
}

async fn a_guarded_delete_fails_its_transaction(given: Given) {
    let [there, new] = ["A", "B"].map(|sk| item("SD2", sk));
    given.keep(there.clone()).await;
    let writes = |version| {
        vec![
            put(new.clone(), Condition::Absent),
            Write::DeleteIf {
                key: there.key.clone(),
                only_if: vec![Guard::Version(version)],
            },
        ]
    };
    assert_eq!(conflicts(given.store.write(writes(2)).await), [1]);
    assert_eq!(given.get(&new.key).await, None);
    given.store.write(writes(1)).await.unwrap();
    assert_eq!(given.get(&there.key).await, None);
    assert_eq!(given.get(&new.key).await, Some(new));
}

/// All pages together.
async fn scan(given: &Given, prefix: &str, limit: usize) -> Vec<Item> {
    let (mut items, mut after) = (Vec::new(), None::<Key>);
    loop {
        let page = given.store.scan(prefix, after.as_ref(), limit).await;
        let page = page.unwrap();
        assert!(page.items.len() <= limit);
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return items,
        }
    }
}
