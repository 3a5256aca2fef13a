//! A set that is sold as one and bought as its parts, from two suppliers.

use jiff::SignedDuration;
use kervan::clock::Clock;
use kervan::domain::{
    Bundle, Listing, ListingId, Money, Offer, Order, OrderKey, ParcelState, Part, Phase,
    PurchaseState, Sku,
};
use kervan::flows::{catalog, ledger};
use kervan::store::keys;
use kervan_end_to_end::{World, WorldOptions};
use kervan_marketplaces::ebay::NewListing;
use kervan_simulation::NewOffer;

const MUG: u64 = 500_001;
const PLATE: u64 = 600_001;
const OTHER_PLATE: u64 = 700_001;

fn part(sku: &str, units: u32) -> Part {
    Part {
        sku: Sku::parse(sku).unwrap(),
        units,
    }
}

fn set() -> Sku {
    Sku::parse("SET-01").unwrap()
}

async fn make_set_of(world: &World, parts: Vec<Part>) {
    let bundle = Bundle::new(set(), parts).unwrap();
    catalog::put_bundle(&*world.store, bundle, world.clock.now())
        .await
        .unwrap();
}

/// A merchant who sells mugs, plates, and sets of two mugs and a plate on eBay. Ten mugs are at one supplier and seven
/// plates at another; there are other plates at the first where `has_other_plates`.
async fn world(has_other_plates: bool) -> World {
    let options = WorldOptions {
        second_supplier: true,
        ..WorldOptions::default()
    };
    let world = World::new(options);
    let offer = |product, cost, stock, rank, at_second| NewOffer {
        product,
        cost,
        stock,
        rank,
        at_second,
    };
    let mug = offer(MUG, 3_00, 10, 1, false);
    world.list("MUG-01", 9_99, &[mug]).await.unwrap();
    let mut plates = vec![offer(PLATE, 4_00, 7, 1, true)];
    if has_other_plates {
        plates.push(offer(OTHER_PLATE, 5_00, 7, 2, false));
    }
    world.list("PLATE-01", 12_99, &plates).await.unwrap();
    let price = kervan_marketplaces::Money::usd(29_99);
    let shown = world.ebay.add_listing(NewListing::new("SET-01", price, 0));
    let id = ListingId {
        channel: "ebay:main".parse().unwrap(),
        sku: set(),
        offer: shown.offer_id,
    };
    let price = Money {
        minor: 29_99,
        currency: "USD".parse().unwrap(),
    };
    let terms = catalog::Terms {
        sku: set(),
        listings: vec![Listing::new(id, price).into()],
        offers: Vec::new(),
        bundle: Some(Bundle::new(set(), vec![part("MUG-01", 2), part("PLATE-01", 1)]).unwrap()),
    };
    catalog::put_terms(&*world.store, &terms, world.clock.now())
        .await
        .unwrap();
    world.register_pushes().await.unwrap();
    world.run_schedules().await.unwrap();
    world.settle().await.unwrap();
    world
}

async fn order(world: &World, key: &OrderKey) -> Order {
    world.order(key).await.unwrap().expect("it was recorded")
}

fn shown(world: &World) -> [u32; 3] {
    ["MUG-01", "PLATE-01", "SET-01"].map(|sku| world.ebay.listed_quantity(sku).unwrap())
}

/// The offer's evidence, what is free of it and what was bought since.
async fn units(world: &World, sku: &str) -> (i64, i64, i64) {
    let partition = keys::sku(&Sku::parse(sku).unwrap());
    let items = world.store.items();
    let mut items = items
        .iter()
        .filter(|item| item.key.pk == partition && item.key.sk.starts_with(keys::OFFER));
    let item = items.next().unwrap();
    let offer: Offer = ledger::read(&item.body).unwrap();
    let counter = |name| item.counters.get(name).copied().unwrap_or(0);
    let stock = i64::from(offer.evidence.unwrap().stock);
    (stock, counter(catalog::FREE), counter(catalog::BOUGHT))
}

#[tokio::test]
async fn a_set_is_bought_as_its_parts_told_once_and_kept_as_it_was_taken() {
    let world = world(false).await;
    assert_eq!(shown(&world), [10, 7, 5], "ten mugs are five sets");
    let key = world.buy("SET-01", 2).unwrap();
    world.pass(SignedDuration::from_secs(5)).await.unwrap();
    // No schedule has run: what an order takes lowers its parts and every set that they are in.
    assert_eq!(shown(&world), [6, 5, 3]);
    let taken = order(&world, &key).await;
    let parts = taken.mapping[0].parts.clone();
    assert_eq!(parts, [part("MUG-01", 2), part("PLATE-01", 1)]);
    assert_eq!(taken.purchases.len(), 2, "{taken:?}");
    let (mugs, plates) = (
        world.aliexpress.orders(),
        world.second.as_ref().unwrap().orders(),
    );
    assert_eq!((mugs.len(), mugs[0].lines[0].quantity), (1, 4));
    assert_eq!((plates.len(), plates[0].lines[0].quantity), (1, 2));

    // From now on a set is something else; this order stays what it was taken as.
    make_set_of(&world, vec![part("MUG-01", 1)]).await;
    world
        .pass_with_schedules(SignedDuration::from_mins(30))
        .await
        .unwrap();
    let sent = order(&world, &key).await;
    assert_eq!(sent.mapping, taken.mapping);
    assert_eq!(sent.parcels.len(), 2, "{sent:?}");
    let confirmed = |state: &ParcelState| matches!(state, ParcelState::Confirmed { .. });
    let told: Vec<bool> = (sent.parcels.iter())
        .map(|one| confirmed(&one.state))
        .collect();
    assert_eq!(told.iter().filter(|told| **told).count(), 1, "{sent:?}");
    let sold = world.ebay.order(key.id.as_str()).unwrap();
    assert_eq!((sold.fulfillments.len(), sold.lines[0].shipped), (1, 2));
    assert_eq!(shown(&world)[2], 6, "six mugs are six of the new sets");

    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    let done = order(&world, &key).await;
    assert_eq!(done.phase, Phase::Done, "{done:?}");
    assert_eq!(world.ebay.counters().duplicate_fulfillments, 0);
    assert_eq!(
        world
            .ebay
            .order(key.id.as_str())
            .unwrap()
            .fulfillments
            .len(),
        1
    );
    let replayed = ledger::replay(&*world.store, &key).await.unwrap();
    assert_eq!(replayed, Some(done));
}

#[tokio::test]
async fn a_part_that_is_refused_is_given_back_and_the_other_stays_bought() {
    let world = world(false).await;
    let second = world.second.as_ref().unwrap();
    second.set_takes_orders(PLATE, false).unwrap();
    let key = world.buy("SET-01", 2).unwrap();
    world.pass(SignedDuration::from_secs(30)).await.unwrap();
    let waiting = order(&world, &key).await;
    assert!(waiting.attention.is_some(), "{waiting:?}");
    let states: Vec<bool> = (waiting.purchases.iter())
        .map(|one| matches!(one.state, PurchaseState::Refused { .. }))
        .collect();
    assert_eq!(states, [false, true], "{waiting:?}");
    // Every unit is accounted for: four mugs were bought, and no plate is held.
    let (stock, free, bought) = units(&world, "MUG-01").await;
    assert_eq!((stock - free - bought, free), (0, 6));
    let (stock, free, bought) = units(&world, "PLATE-01").await;
    assert_eq!((stock, free, bought), (7, 7, 0));
    assert_eq!(world.aliexpress.orders().len(), 1);
    assert_eq!(second.orders().len(), 0);
}

#[tokio::test]
async fn a_part_that_is_refused_is_bought_elsewhere() {
    let world = world(true).await;
    let second = world.second.as_ref().unwrap();
    second.set_takes_orders(PLATE, false).unwrap();
    let key = world.buy("SET-01", 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    let done = order(&world, &key).await;
    assert_eq!(done.phase, Phase::Done, "{done:?}");
    // The mugs once, and the plate where there was another.
    assert_eq!(world.aliexpress.orders().len(), 2);
    assert_eq!(second.orders().len(), 0);
    let sold = world.ebay.order(key.id.as_str()).unwrap();
    assert_eq!((sold.fulfillments.len(), sold.lines[0].shipped), (1, 1));
}

#[tokio::test]
async fn a_set_of_which_a_part_is_short_is_not_half_bought() {
    let world = world(false).await;
    // The last plates are sold elsewhere while eBay still shows five sets.
    let second = world.second.as_ref().unwrap();
    second.set_stock(PLATE, PLATE * 10 + 1, 1).unwrap();
    let key = world.buy("SET-01", 2).unwrap();
    world.pass(SignedDuration::from_secs(30)).await.unwrap();
    let waiting = order(&world, &key).await;
    assert_eq!(waiting.purchases.len(), 0, "{waiting:?}");
    assert_eq!(world.attention(&key).await.unwrap(), "out_of_stock");
    assert_eq!(world.aliexpress.orders().len(), 0, "no mug is bought");
    // It is taken up by itself when the plates are there.
    second.set_stock(PLATE, PLATE * 10 + 1, 7).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    let done = order(&world, &key).await;
    assert_eq!(done.phase, Phase::Done, "{done:?}");
}
