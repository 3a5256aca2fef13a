use super::super::fakes::Merchant;
use crate::domain::{Bundle, Part, Sku};
use crate::flows::{Outcome, catalog};
use crate::marketplaces::{Effect, Kind};
use crate::metrics::{Count, Measure};
use crate::store::{Write, keys};
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
async fn variations_share_a_budget_and_what_is_kept_of_it() {
    let shop = Merchant::open(&[("ebay:main", 1, Some(40), false)]);
    let skus = ["A", "B"];
    for sku in skus {
        shop.sell(sku, Some("77")).await;
    }
    let mut told = 0;
    for stock in 1..=12 {
        for sku in skus {
            shop.has(sku, stock).await;
            assert_eq!(shop.publish(&[sku]).await, Outcome::Done);
            told += shop.calls().len();
        }
    }
    assert_eq!(told, 24);
    shop.has("A", 20).await;
    assert!(matches!(shop.publish(&["A"]).await, Outcome::Later(_)));
    assert!(shop.calls().is_empty());
    // Six more are kept for falls, and the last ten for zero.
    for stock in (6..=11).rev() {
        shop.has("A", stock).await;
        assert_eq!(shop.publish(&["A"]).await, Outcome::Done);
    }
    assert_eq!(shop.calls().len(), 6);
    shop.has("B", 0).await;
    assert_eq!(shop.publish(&["B"]).await, Outcome::Done);
    assert_eq!(shop.calls(), [call("ebay:main", &[("B", 0)])]);
    // The listings themselves count nothing.
    let now = shop.kervan.clock.now();
    assert_eq!(shop.listing("A").await.revisions.used(now), 0);
}

#[tokio::test]
async fn a_fall_without_room_goes_to_zero_and_comes_back_when_there_is_room() {
    for group in [None, Some("77")] {
        let shop = Merchant::open(&[("ebay:main", 1, Some(40), false)]);
        shop.sell("A", group).await;
        for stock in (1..=54).rev() {
            shop.has("A", stock).await;
            shop.publish(&["A"]).await;
            let shown = shop.shown("A").await.unwrap();
            assert!(shown <= stock, "{shown} of {stock}");
        }
        // 50 is shown at the most. Room for a first rise and 29 falls, and then a zero.
        let told: Vec<u32> = shop.calls().iter().map(|(_, said)| said[0].1).collect();
        let falls: Vec<u32> = (21..=50).rev().chain([0]).collect();
        assert_eq!(told, falls, "{group:?}");
        let Outcome::Later(wait) = shop.publish(&["A"]).await else {
            panic!("it would not come back by itself");
        };
        shop.clock
            .advance(jiff::SignedDuration::try_from(wait).unwrap());
        shop.has("A", 7).await;
        assert_eq!(shop.publish(&["A"]).await, Outcome::Done);
        assert_eq!(shop.calls(), [call("ebay:main", &[("A", 7)])], "{group:?}");
    }
}

#[tokio::test]
async fn what_waits_for_its_budget_is_counted_as_not_told() {
    let shop = Merchant::open(&[("ebay:main", 1, Some(2), false)]);
    shop.sell("A", None).await;
    shop.has("A", 3).await;
    shop.publish(&["A"]).await;
    let counted = |what| shop.kervan.metrics.take().counted(what);
    assert_eq!(counted(Count::ListingsNotTold), 0);
    shop.has("A", 9).await;
    assert!(matches!(shop.publish(&["A"]).await, Outcome::Later(_)));
    assert_eq!(counted(Count::ListingsNotTold), 1);
}

#[tokio::test]
async fn a_listing_that_is_refused_is_counted_as_not_told_and_one_that_a_limit_held_back_is_not() {
    let shop = Merchant::open(&[("ebay:main", 25, None, false)]);
    for sku in ["A", "B", "C"] {
        shop.sell(sku, None).await;
        shop.has(sku, 5).await;
    }
    shop.channels[0].fails("A", Kind::Refused, Effect::None);
    shop.channels[0].fails("B", Kind::Throttled, Effect::None);
    shop.publish(&["A", "B", "C"]).await;
    let taken = shop.kervan.metrics.take();
    assert_eq!(taken.counted(Count::ListingsNotTold), 1);
    assert_eq!(taken.counted(Count::ListingsTold), 1);
}

#[tokio::test]
async fn what_a_message_found_is_measured_once_and_a_price_that_was_imported_not_at_all() {
    let shop = Merchant::open(&[("ebay:main", 25, None, false)]);
    let queued_at = shop.kervan.clock.now();
    shop.sell("A", None).await;
    shop.advance(1);
    shop.has("A", 5).await;
    shop.advance(2);
    shop.publish_looked(&["A"], queued_at).await;
    let measured = || {
        let taken = shop.kervan.metrics.take();
        taken.times(Measure::EvidenceToPublished)
    };
    assert_eq!(measured(), [Duration::from_secs(120)]);
    // Something raised it behind our back, so it is told again, of the same evidence.
    shop.sell("A", Some("other")).await;
    shop.advance(20);
    shop.has("A", 6).await;
    shop.advance(20);
    shop.publish(&["A"]).await;
    assert_eq!(shop.calls().len(), 2);
    assert!(measured().is_empty());
}

#[tokio::test]
async fn an_order_is_measured_once_however_often_the_channel_is_told() {
    let shop = Merchant::open(&[("ebay:main", 25, None, false)]);
    shop.sell("A", None).await;
    shop.has("A", 5).await;
    shop.publish(&["A"]).await;
    shop.has("A", 4).await;
    shop.advance(1);
    shop.channels[0].fails("A", Kind::NoAnswer, Effect::Unknown);
    let ordered_at = Some(shop.kervan.clock.now());
    let repeat = shop.publish_after(&["A"], ordered_at).await;
    assert!(matches!(repeat, Outcome::Later(_)));
    let lowered = || shop.kervan.metrics.take().times(Measure::OrderToLowered);
    assert!(lowered().is_empty());
    shop.channels[0].does.lock().unwrap().fails.clear();
    shop.advance(1);
    // Told, and once more when the first update can have landed.
    assert!(matches!(
        shop.publish_after(&["A"], ordered_at).await,
        Outcome::Later(_)
    ));
    shop.advance(4);
    let done = shop.publish_after(&["A"], ordered_at).await;
    assert_eq!(done, Outcome::Done);
    assert_eq!(shop.calls().len(), 4);
    assert_eq!(lowered(), [Duration::from_secs(60)]);
}

#[tokio::test]
async fn a_bundle_is_measured_by_the_evidence_of_its_parts() {
    let shop = Merchant::open(&[("ebay:main", 25, None, false)]);
    let queued_at = shop.kervan.clock.now();
    for sku in ["CUP", "SET"] {
        shop.sell(sku, None).await;
    }
    let set = Sku::parse("SET").unwrap();
    let store = &*shop.kervan.store;
    let stored = catalog::load(store, &set).await.unwrap().offers.remove(0);
    let key = keys::offer(&set, &stored.offer.id);
    store.write(vec![Write::Delete { key }]).await.unwrap();
    let cup = Part {
        sku: Sku::parse("CUP").unwrap(),
        units: 2,
    };
    let bundle = Bundle::new(set, vec![cup]).unwrap();
    let now = shop.kervan.clock.now();
    catalog::put_bundle(store, bundle, now).await.unwrap();
    shop.has("CUP", 9).await;
    shop.advance(1);
    shop.publish_looked(&["CUP"], queued_at).await;
    assert_eq!(shop.shown("SET").await, Some(4));
    let times = shop.kervan.metrics.take();
    let times = times.times(Measure::EvidenceToPublished);
    assert_eq!(times, [Duration::from_secs(60); 2]);
}

#[tokio::test]
async fn a_full_call_of_thousands_is_marked_side_by_side_and_each_is_noted() {
    let shop = Merchant::open(&[("aliexpress:shop", 4000, None, false)]);
    let skus: Vec<String> = (0..1500).map(|n| format!("S{n:04}")).collect();
    for sku in &skus {
        shop.sell(sku, None).await;
        shop.has(sku, 5).await;
    }
    let all: Vec<&str> = skus.iter().map(String::as_str).collect();
    shop.publish(&all).await;
    let sizes: Vec<usize> = shop.calls().iter().map(|(_, said)| said.len()).collect();
    assert_eq!(sizes, [1500]);
    for sku in ["S0000", "S0777", "S1499"] {
        assert_eq!(shop.shown(sku).await, Some(5));
    }
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

#[tokio::test]
async fn units_that_are_too_dear_for_the_price_are_not_shown_until_the_others_are_gone() {
    let shop = Merchant::open(&[("amazon:main", 1, None, true)]);
    let amazon = |units| [call("amazon:main", &[("A", units)])];
    shop.sell("A", None).await;
    shop.by_rules("A", 0).await;
    shop.supplier_has("aliexpress:main", "A", 5, 10_00).await;
    shop.supplier_has("alibaba:main", "A", 7, 30_00).await;
    shop.publish(&["A"]).await;
    assert_eq!(shop.calls(), amazon(5));
    assert_eq!(shop.listing("A").await.price.minor, 15_00);
    // The cheap ones are gone. More units at a higher price would wait for others, but not what is on sale at a price at which
    // orders are not bought.
    shop.waits("B", 1, 5).await;
    shop.supplier_has("aliexpress:main", "A", 0, 10_00).await;
    shop.publish(&["A"]).await;
    assert_eq!(shop.calls(), amazon(7));
    assert_eq!(shop.listing("A").await.price.minor, 45_00);
    shop.supplier_has("alibaba:main", "A", 9, 30_00).await;
    shop.publish(&["A"]).await;
    assert!(shop.calls().is_empty());
}

#[tokio::test]
async fn units_that_are_held_back_do_not_keep_the_dearer_ones_from_being_sold() {
    let shop = Merchant::open(&[("ebay:main", 1, None, false)]);
    shop.sell("A", None).await;
    shop.by_rules("A", 2).await;
    shop.supplier_has("aliexpress:main", "A", 2, 10_00).await;
    shop.supplier_has("alibaba:main", "A", 7, 30_00).await;
    shop.publish(&["A"]).await;
    assert_eq!(shop.calls(), [call("ebay:main", &[("A", 7)])]);
    assert_eq!(shop.listing("A").await.price.minor, 45_00);
}

#[tokio::test]
async fn the_price_of_what_is_held_back_is_kept_and_told_with_the_next_unit() {
    let shop = Merchant::open(&[("ebay:main", 1, None, false)]);
    shop.sell("A", None).await;
    shop.by_rules("A", 1).await;
    for (cost, price) in [(10_00, 15_00), (11_00, 16_50), (60_00, 90_00)] {
        shop.supplier_has("aliexpress:main", "A", 1, cost).await;
        shop.publish(&["A"]).await;
        let listing = shop.listing("A").await;
        assert_eq!((listing.price.minor, listing.pricing.held), (price, None));
    }
    assert_eq!(shop.calls(), [call("ebay:main", &[("A", 0)])]);
    shop.supplier_has("aliexpress:main", "A", 2, 60_00).await;
    shop.publish(&["A"]).await;
    assert_eq!(shop.calls(), [call("ebay:main", &[("A", 1)])]);
    assert_eq!(shop.told_price("A"), Some(90_00));
}

#[tokio::test]
async fn what_a_limit_held_back_shows_what_it_showed() {
    let shop = Merchant::open(&[("ebay:main", 1, None, false)]);
    shop.sell("A", None).await;
    shop.has("A", 5).await;
    shop.publish(&["A"]).await;
    shop.channels[0].fails("A", Kind::Throttled, Effect::None);
    for stock in [9, 3] {
        shop.has("A", stock).await;
        shop.publish(&["A"]).await;
        assert_eq!(shop.shown("A").await, Some(5));
    }
    // On old evidence, it is raised no more, and not lowered for having waited.
    shop.has("A", 9).await;
    shop.advance(3 * 60);
    shop.channels[0].does.lock().unwrap().fails.clear();
    shop.calls();
    assert_eq!(shop.publish(&["A"]).await, Outcome::Done);
    assert!(shop.calls().is_empty());
}
