use super::super::fakes::Merchant;
use crate::flows::Outcome;
use crate::marketplaces::{Effect, Kind};
use std::time::Duration;

fn call(channel: &str, said: &[(&str, u32)]) -> (String, Vec<(String, u32)>) {
    let said = said.iter().map(|(sku, units)| ((*sku).to_owned(), *units));
    (channel.to_owned(), said.collect())
}

#[tokio::test]
async fn zeros_come_first_over_all_skus_and_channels_then_falls_then_rises() {
    let shop = Merchant::open(&[
        ("ebay:main", 1, None, false),
        ("amazon:main", 1, None, false),
    ]);
    for (sku, stock) in [("A", 3), ("B", 9), ("C", 1)] {
        shop.sell(sku, None).await;
        shop.has(sku, stock).await;
    }
    shop.publish(&["A", "B", "C"]).await;
    shop.calls();
    for (sku, stock) in [("A", 8), ("B", 2), ("C", 0)] {
        shop.has(sku, stock).await;
    }
    assert_eq!(shop.publish(&["A", "B", "C"]).await, Outcome::Done);
    let both = |sku, units| {
        let said = [(sku, units)];
        [call("amazon:main", &said), call("ebay:main", &said)]
    };
    assert_eq!(
        shop.calls(),
        [both("C", 0), both("B", 2), both("A", 8)].concat()
    );
    // What they show already costs nothing.
    shop.publish(&["A", "B", "C"]).await;
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn calls_are_filled_and_zeros_have_their_own() {
    let shop = Merchant::open(&[("ebay:main", 3, None, false)]);
    let skus = ["A", "B", "C", "D", "E"];
    for sku in skus {
        shop.sell(sku, None).await;
        shop.has(sku, 5).await;
    }
    shop.publish(&skus).await;
    let ebay = |said: &[_]| call("ebay:main", said);
    let first = ebay(&[("A", 5), ("B", 5), ("C", 5)]);
    assert_eq!(shop.calls(), [first, ebay(&[("D", 5), ("E", 5)])]);
    for (sku, stock) in [("A", 9), ("B", 8), ("C", 0), ("D", 4), ("E", 0)] {
        shop.has(sku, stock).await;
    }
    shop.publish(&skus).await;
    let rest = ebay(&[("D", 4), ("A", 9), ("B", 8)]);
    assert_eq!(shop.calls(), [ebay(&[("C", 0), ("E", 0)]), rest]);
}

#[tokio::test]
async fn each_items_failure_is_its_own() {
    let shop = Merchant::open(&[("ebay:main", 25, Some(40), false)]);
    for sku in ["A", "B", "C"] {
        shop.sell(sku, None).await;
        shop.has(sku, 5).await;
    }
    shop.channels[0].fails("A", Kind::Throttled, Effect::None);
    shop.channels[0].fails("B", Kind::NoAnswer, Effect::Unknown);
    let outcome = shop.publish(&["A", "B", "C"]).await;
    assert_eq!(outcome, Outcome::Later(Duration::from_secs(5)));
    let now = shop.kervan.clock.now();
    let (a, b, c) = (
        shop.listing("A").await,
        shop.listing("B").await,
        shop.listing("C").await,
    );
    assert_eq!((a.published, a.revisions.used(now)), (None, 0));
    assert!(a.doubt_until.is_none());
    assert_eq!((b.published, b.revisions.used(now)), (None, 1));
    assert!(b.doubt_until.is_some());
    assert_eq!(c.published.map(|it| it.quantity), Some(5));
    assert_eq!(c.revisions.used(now), 1);
    // C is done and is not told again; B is told once more when its first update can have landed.
    shop.calls();
    shop.channels[0].does.lock().unwrap().fails.clear();
    assert!(matches!(
        shop.publish(&["A", "B", "C"]).await,
        Outcome::Later(_)
    ));
    let again = call("ebay:main", &[("A", 5), ("B", 5)]);
    assert_eq!(shop.calls(), [again]);
    shop.advance(4);
    assert_eq!(shop.publish(&["A", "B", "C"]).await, Outcome::Done);
    assert_eq!(shop.calls(), [call("ebay:main", &[("B", 5)])]);
}

#[tokio::test]
async fn variations_share_a_budget_and_its_reserve_for_zero() {
    let shop = Merchant::open(&[("ebay:main", 1, Some(40), false)]);
    let skus = ["A", "B"];
    for sku in skus {
        shop.sell(sku, Some("77")).await;
    }
    let mut told = 0;
    for stock in 1..=15 {
        for sku in skus {
            shop.has(sku, stock).await;
            assert_eq!(shop.publish(&[sku]).await, Outcome::Done);
            told += shop.calls().len();
        }
    }
    assert_eq!(told, 30);
    shop.has("A", 20).await;
    assert!(matches!(shop.publish(&["A"]).await, Outcome::Later(_)));
    assert!(shop.calls().is_empty());
    for sku in skus {
        shop.has(sku, 0).await;
        assert_eq!(shop.publish(&[sku]).await, Outcome::Done);
    }
    assert_eq!(shop.calls().len(), 2);
    // The listings themselves count nothing.
    let now = shop.kervan.clock.now();
    assert_eq!(shop.listing("A").await.revisions.used(now), 0);
}

#[tokio::test]
async fn what_changed_nothing_is_given_back_to_the_shared_budget() {
    let shop = Merchant::open(&[("ebay:main", 1, Some(4), false)]);
    shop.sell("A", Some("77")).await;
    shop.has("A", 5).await;
    shop.channels[0].fails("A", Kind::Throttled, Effect::None);
    for _ in 0..50 {
        let refused = shop.publish(&["A"]).await;
        assert_eq!(refused, Outcome::Later(Duration::from_secs(5)));
    }
    shop.channels[0].does.lock().unwrap().fails.clear();
    assert_eq!(shop.publish(&["A"]).await, Outcome::Done);
}
