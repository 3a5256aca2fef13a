use super::super::fakes::Merchant;
use super::{ONE_IN, due};
use crate::domain::ListingId;
use jiff::{SignedDuration, Timestamp};

/// A shop with a sku that is chosen today, and shows 5 units.
async fn shop() -> (Merchant, String) {
    let shop = Merchant::open(&[("ebay:main", 1, None, false)]);
    let now = shop.kervan.clock.now();
    let chosen = |n: &u32| due(&id(&format!("S{n}")), now).is_some();
    let sku = format!("S{}", (0..500).find(chosen).unwrap());
    shop.sell(&sku, None).await;
    shop.has(&sku, 5).await;
    shop.publish(&[&sku]).await;
    shop.calls();
    (shop, sku)
}

fn id(sku: &str) -> ListingId {
    ListingId {
        channel: "ebay:main".parse().unwrap(),
        sku: crate::domain::Sku::parse(sku).unwrap(),
        offer: "1".to_owned(),
    }
}

/// Lets so many minutes pass, with the schedule each minute.
async fn pass(shop: &Merchant, minutes: usize) {
    for _ in 0..minutes {
        shop.minute().await;
    }
}

#[tokio::test]
async fn what_shows_as_published_is_left_alone() {
    let (shop, sku) = shop().await;
    pass(&shop, 70).await;
    assert_eq!(shop.channels[0].reads(), 1);
    assert!(shop.calls().is_empty());
    assert_eq!(shop.shown(&sku).await, Some(5));
    pass(&shop, 70).await;
    assert_eq!(shop.channels[0].reads(), 1);
}

#[tokio::test]
async fn a_quantity_that_somebody_raised_is_set_back() {
    let (shop, sku) = shop().await;
    shop.channels[0].changed_by_hand(&sku, 9);
    pass(&shop, 50).await;
    shop.has(&sku, 5).await;
    pass(&shop, 15).await;
    let told = vec![("ebay:main".to_owned(), vec![(sku.clone(), 5)])];
    assert_eq!(shop.calls(), told);
    assert_eq!(shop.shown(&sku).await, Some(5));
}

#[tokio::test]
async fn a_lower_quantity_may_be_a_sale_on_its_way_and_is_looked_at_twice() {
    let (shop, sku) = shop().await;
    shop.channels[0].changed_by_hand(&sku, 4);
    pass(&shop, 70).await;
    assert_eq!(shop.channels[0].reads(), 1);
    assert!(shop.calls().is_empty());
    shop.has(&sku, 5).await;
    pass(&shop, 40).await;
    assert_eq!(shop.channels[0].reads(), 2);
    let told = vec![("ebay:main".to_owned(), vec![(sku.clone(), 5)])];
    assert_eq!(shop.calls(), told);
}

#[test]
fn every_listing_is_chosen_on_one_of_so_many_days() {
    for n in 0..50 {
        let id = id(&format!("S{n}"));
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let day = |day: u64| start + SignedDuration::from_hours(24 * i64::try_from(day).unwrap());
        let chosen = (0..ONE_IN).filter(|n| due(&id, day(*n)).is_some());
        assert_eq!(chosen.count(), 1);
    }
}
