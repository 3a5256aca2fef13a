//! Two channels and two suppliers: mixed orders, and a burst that is larger than the marketplace's limits.

use jiff::SignedDuration;
use kervan::domain::{
    Listing, ListingId, Offer, OfferId, OrderKey, Phase, Signal, SignalKind, Sku,
};
use kervan::flows::{self, InventoryTask, Outcome, catalog};
use kervan::marketplaces::SubscribeTo;
use kervan::store::Store;
use kervan_end_to_end::{World, WorldOptions};
use kervan_marketplaces::alibaba::icbu::IcbuProduct;
use kervan_marketplaces::amazon::{AmazonNewListing, AmazonNewOrder, AmazonStatus};
use kervan_marketplaces::{AmazonConfig, IcbuConfig, Money};

const ALIBABA_PRODUCT: u64 = 1_600_001;
const ALIEXPRESS_PRODUCT: u64 = 500_001;

/// A merchant who sells a lamp and a vase at Amazon, the lamp on eBay too, and buys the lamp at AliExpress and the vase at
/// Alibaba.com. The functions keep to shared limits.
async fn world(stock: u32) -> World {
    let options = WorldOptions {
        everywhere: Some((AmazonConfig::default(), IcbuConfig::default())),
        limits: true,
        ..WorldOptions::default()
    };
    let world = World::new(options);
    world
        .add("LAMP-01", 19_99, ALIEXPRESS_PRODUCT, 7_00, stock)
        .await
        .unwrap();
    let alibaba = world.alibaba.as_ref().unwrap();
    let vase = IcbuProduct::simple(ALIBABA_PRODUCT, "vases", "5.00", "CN", stock);
    alibaba.add_product(vase).unwrap();
    let lamp = OfferId::new(
        "aliexpress:main".parse().unwrap(),
        &ALIEXPRESS_PRODUCT.to_string(),
        &(ALIEXPRESS_PRODUCT * 10 + 1).to_string(),
    );
    let vase = OfferId::new(
        "alibaba:main".parse().unwrap(),
        &ALIBABA_PRODUCT.to_string(),
        &(ALIBABA_PRODUCT * 10 + 1).to_string(),
    );
    sell_at_amazon(&world, "LAMP-01", 21_99, lamp.unwrap()).await;
    sell_at_amazon(&world, "VASE-01", 24_99, vase.unwrap()).await;
    world.register_pushes().await.unwrap();
    let id = "amazon:main".parse().unwrap();
    let account = world.kervan.accounts.get(&id).await.unwrap();
    let to = SubscribeTo {
        queue_arn: Some("arn:aws:sqs:us-east-1:123456789012:notifications".to_owned()),
        alert_email: None,
    };
    account.subscribe().unwrap().subscribe(&to).await.unwrap();
    world.run_schedules().await.unwrap();
    // Amazon shows a change a moment after it took it.
    world.pass(SignedDuration::from_secs(2)).await.unwrap();
    world
}

async fn sell_at_amazon(world: &World, sku: &str, price: i64, offer: OfferId) {
    let amazon = world.amazon.as_ref().unwrap();
    amazon.add_listing(AmazonNewListing::new(sku, Money::usd(price), 0));
    let sku = Sku::parse(sku).unwrap();
    let id = ListingId {
        channel: "amazon:main".parse().unwrap(),
        sku: sku.clone(),
        offer: sku.to_string(),
    };
    let price = kervan::domain::Money {
        minor: price,
        currency: "USD".parse().unwrap(),
    };
    let listing = Listing {
        cap: 5_000,
        ..Listing::new(id, price)
    };
    let offer = Offer {
        id: offer,
        sku,
        rank: 1,
        ship_to: "US".parse().unwrap(),
        shipping: None,
        evidence: None,
        interval_s: 600,
    };
    let now = kervan::clock::Clock::now(&*world.clock);
    let store: &dyn Store = &*world.store;
    catalog::put(store, listing, offer, now).await.unwrap();
}

fn key(id: &str) -> OrderKey {
    format!("amazon:main/{id}").parse().unwrap()
}

#[tokio::test]
async fn an_order_of_two_suppliers_goods_comes_in_two_parcels_that_amazon_hears_of_once_each() {
    let world = world(10).await;
    let (amazon, alibaba) = (
        world.amazon.as_ref().unwrap(),
        world.alibaba.as_ref().unwrap(),
    );
    assert_eq!(amazon.listed_quantity("VASE-01"), Some(10), "not published");
    let basket = AmazonNewOrder::of([("LAMP-01", 1), ("VASE-01", 2)]);
    let id = amazon.place_order(basket).unwrap();
    world.pass(SignedDuration::from_secs(30)).await.unwrap();

    let order = world.order(&key(&id)).await.unwrap();
    let order = order.expect("the notification brought the order");
    assert_eq!(order.purchases.len(), 2, "{order:?}");
    assert_eq!(world.aliexpress.orders().len(), 1);
    let theirs = alibaba.orders();
    assert_eq!(theirs.len(), 1);
    assert_eq!(amazon.listed_quantity("VASE-01"), Some(8), "not lowered");

    alibaba.ship(theirs[0].trade_id, 1).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_mins(45))
        .await
        .unwrap();
    let sold = amazon.order(&id).unwrap();
    assert_eq!(sold.packages.len(), 2, "{sold:?}");
    assert_eq!(sold.status, AmazonStatus::Shipped);
    assert!(sold.packages.iter().all(|package| package.edits == 0));

    alibaba.deliver(theirs[0].trade_id).unwrap();
    world
        .pass_with_schedules(SignedDuration::from_hours(3))
        .await
        .unwrap();
    let order = world.order(&key(&id)).await.unwrap().unwrap();
    assert_eq!(order.phase, Phase::Done, "{order:?}");
}

#[tokio::test]
async fn a_sale_lowers_both_channels_within_one_message() {
    let world = world(10).await;
    let amazon = world.amazon.as_ref().unwrap();
    let shown = |sku: &str| (world.ebay.listed_quantity(sku), amazon.listed_quantity(sku));
    assert_eq!(shown("LAMP-01"), (Some(10), Some(10)));
    assert_eq!(world.inventory.bodies(), Vec::<String>::new());
    let id = amazon
        .place_order(AmazonNewOrder::one("LAMP-01", 3))
        .unwrap();
    let signal = Signal {
        account: "amazon:main".parse().unwrap(),
        kind: SignalKind::OrderChanged(id.clone().try_into().unwrap()),
        seen_at: kervan::clock::Clock::now(&*world.clock),
    };
    flows::forward(&world.kervan, &signal).await.unwrap();
    let order = world.order(&key(&id)).await.unwrap().unwrap();
    assert_eq!(order.purchases.len(), 1, "{order:?}");
    // One message, and no schedule: nothing else looks at the stock here.
    let messages = world.inventory.bodies();
    assert_eq!(messages.len(), 1, "{messages:?}");
    let task: InventoryTask = serde_json::from_str(&messages[0]).unwrap();
    let lamp = vec![Sku::parse("LAMP-01").unwrap()];
    assert!(
        matches!(&task, InventoryTask::Publish { skus, ordered_at: Some(_) } if *skus == lamp),
        "{task:?}"
    );
    let outcome = flows::inventory(&world.kervan, &task).await.unwrap();
    assert_eq!(outcome, Outcome::Done);
    // Amazon shows a change a moment after it took it.
    world.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(shown("LAMP-01"), (Some(7), Some(7)));
    assert_eq!(
        world.inventory.bodies(),
        messages,
        "nothing more was queued"
    );
}

/// Orders of the burst: 2,000 where everything is run, which takes a minute, and else what takes some seconds.
fn orders_at_once() -> usize {
    if std::env::var_os("KERVAN_FULL").is_some() {
        2_000
    } else {
        300
    }
}

#[tokio::test]
async fn orders_at_once_drain_at_amazons_speed_without_a_dead_letter() {
    let orders = orders_at_once();
    let world = world(5_000).await;
    let amazon = world.amazon.as_ref().unwrap();
    let mut ids = Vec::new();
    for _ in 0..orders {
        let mut order = AmazonNewOrder::one("LAMP-01", 1);
        order.oversell = true;
        ids.push(amazon.place_order(order).unwrap());
    }
    // At half an order a second that getOrder allows, no order is bought before its turn, and none much later.
    let began = kervan::clock::Clock::now(&*world.clock);
    for _ in 0..96 {
        world
            .pass_with_schedules(SignedDuration::from_mins(15))
            .await
            .unwrap();
        if world.aliexpress.orders().len() == orders {
            break;
        }
    }
    assert_eq!(world.aliexpress.orders().len(), orders);
    assert_eq!(
        world.dead.bodies(),
        Vec::<String>::new(),
        "there are dead letters"
    );
    let counters = amazon.counters();
    let took = kervan::clock::Clock::now(&*world.clock).duration_since(began);
    println!(
        "{orders} orders in {took:#} of Amazon's time, calls {:?}",
        counters.calls
    );
    assert_eq!(
        counters.rate_limited.values().sum::<u64>(),
        0,
        "{counters:?}"
    );
    for id in ids {
        let order = world.order(&key(&id)).await.unwrap().expect("recorded");
        assert_eq!(order.purchases.len(), 1);
    }
}
