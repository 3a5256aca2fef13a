use super::*;
use crate::clock::{Clock, ManualClock};
use crate::context::{Accounts, Queues};
use crate::domain::{Evidence, Offer, OfferId, Pricing, Rate};
use crate::http::NoNetwork;
use crate::queue::UnsetQueue;
use crate::seal::MemorySeal;
use crate::secrets::MemorySecrets;
use crate::store::MemoryStore;
use jiff::SignedDuration;
use std::sync::Arc;

struct Shop {
    kervan: Kervan,
    clock: Arc<ManualClock>,
    listing: ListingId,
}

fn usd(minor: i64) -> Money {
    Money {
        minor,
        currency: "USD".parse().unwrap(),
    }
}

impl Shop {
    /// A lamp at 15.00 USD by a rule of half on top of the cost.
    async fn open(by_rules: bool) -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let (secrets, http) = (Arc::new(MemorySecrets::new()), Arc::new(NoNetwork));
        let accounts = Accounts::new(Vec::new(), "", secrets, http, clock.clone(), None);
        let unset = Arc::new(UnsetQueue("A_QUEUE"));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let queues = Queues {
            orders: unset.clone(),
            tracking: unset.clone(),
            inventory: unset,
        };
        let seal = Arc::new(MemorySeal::new());
        let kervan = Kervan::new(clock.clone(), store, seal, queues, accounts);
        let text = r#"{ "price": { "rules": [ { "markup_percent": 50, "shipping": "0 USD" } ] } }"#;
        rules::set(&*kervan.store, &serde_json::from_str(text).unwrap())
            .await
            .unwrap();
        let listing = ListingId {
            channel: "ebay:main".parse().unwrap(),
            sku: Sku::parse("LAMP").unwrap(),
            offer: "81".to_owned(),
        };
        let shop = Self {
            kervan,
            clock,
            listing,
        };
        let mut listing = Listing::new(shop.listing.clone(), usd(1500));
        listing.pricing = Pricing {
            by_rules,
            ..Pricing::default()
        };
        let id = OfferId::new("alibaba:main".parse().unwrap(), "1", "2").unwrap();
        let offer = Offer::new(id, shop.listing.sku.clone(), 1, "US".parse().unwrap());
        let now = shop.clock.now();
        catalog::put(&*shop.kervan.store, listing, offer, now)
            .await
            .unwrap();
        shop
    }

    async fn entry(&self) -> Entry {
        let store = &*self.kervan.store;
        catalog::load(store, &self.listing.sku).await.unwrap()
    }

    /// The supplier has five at this cost; what the listing should show then.
    async fn cost(&self, minor: i64) -> Current {
        let entry = self.entry().await;
        let mut offer = entry.offers[0].offer.clone();
        offer.evidence = Some(Evidence {
            stock: 5,
            cost: usd(minor),
            at: self.clock.now(),
        });
        let key = keys::offer(&offer.sku, &offer.id);
        let update = Write::Update {
            key,
            set_body: Some(ledger::write(&offer).unwrap()),
            set_due: None,
            add: vec![(catalog::FREE, 5 - entry.offers[0].free)],
            only_if: Vec::new(),
        };
        self.kervan.store.write(vec![update]).await.unwrap();
        let entry = self.entry().await;
        let now = current(&self.kervan, &entry, &entry.listings[0])
            .await
            .unwrap();
        let version = self.entry().await.listings[0].version;
        assert_eq!(
            now.stored.version, version,
            "what is told next is written on it"
        );
        now
    }

    /// Another supplier has five too, at this cost.
    async fn second_offer(&self, cost: Money) -> OfferId {
        let id = OfferId::new("alibaba:second".parse().unwrap(), "1", "2").unwrap();
        let sku = self.listing.sku.clone();
        let mut offer = Offer::new(id.clone(), sku, 1, "US".parse().unwrap());
        let at = self.clock.now();
        offer.evidence = Some(Evidence { stock: 5, cost, at });
        let body = ledger::write(&offer).unwrap();
        let mut item = Item::new(keys::offer(&offer.sku, &id), 1, body);
        item.counters.insert(catalog::FREE.to_owned(), 5);
        let only_if = Condition::Always;
        let put = Write::Put { item, only_if };
        self.kervan.store.write(vec![put]).await.unwrap();
        id
    }

    async fn waiting(&self) -> Vec<Waiting> {
        let store = &*self.kervan.store;
        held(store, self.clock.now(), 10).await.unwrap()
    }
}

#[tokio::test]
async fn a_price_by_the_rules_follows_the_cost_and_a_fixed_one_does_not() {
    let shop = Shop::open(true).await;
    let now = shop.cost(1100).await;
    assert_eq!((now.stored.listing.price, now.sells), (usd(1650), true));
    assert!(shop.waiting().await.is_empty());
    let fixed = Shop::open(false).await;
    assert_eq!(fixed.cost(1100).await.stored.listing.price, usd(1500));
}

#[tokio::test]
async fn a_jump_waits_for_a_person_and_is_not_sold_at_a_loss_meanwhile() {
    let shop = Shop::open(true).await;
    let now = shop.cost(2000).await;
    let listing = now.stored.listing;
    assert_eq!((listing.price, now.sells), (usd(1500), false));
    shop.clock.advance(SignedDuration::from_mins(5));
    shop.cost(2000).await;
    let waiting = shop.waiting().await;
    assert_eq!(waiting.len(), 1, "once for each price");
    assert_eq!((waiting[0].from, waiting[0].to), (usd(1500), usd(3000)));
    let store = &*shop.kervan.store;
    let taken = decide(store, &shop.listing, usd(3000), true).await.unwrap();
    assert_eq!(taken.as_ref(), waiting.first());
    let now = shop.cost(2000).await;
    assert_eq!((now.stored.listing.price, now.sells), (usd(3000), true));
    assert!(shop.waiting().await.is_empty());
    let again = decide(store, &shop.listing, usd(3000), true).await;
    assert_eq!(again.unwrap(), None);
}

#[tokio::test]
async fn a_price_that_was_refused_is_not_asked_for_again_and_another_is() {
    let shop = Shop::open(true).await;
    // A cost that was read a hundred times too low.
    let now = shop.cost(10).await;
    assert_eq!((now.stored.listing.price, now.sells), (usd(1500), true));
    let store = &*shop.kervan.store;
    let refused = decide(store, &shop.listing, usd(15), false).await;
    assert!(refused.unwrap().is_some());
    assert_eq!(shop.cost(10).await.stored.listing.price, usd(1500));
    assert!(shop.waiting().await.is_empty());
    shop.cost(12).await;
    assert_eq!(shop.waiting().await.len(), 1, "another price is asked for");
    assert_eq!(shop.cost(1000).await.stored.listing.pricing.held, None);
    assert!(shop.waiting().await.is_empty(), "it came right by itself");
}

#[tokio::test]
async fn what_is_explained_is_what_is_decided() {
    let shop = Shop::open(true).await;
    let now = shop.cost(1234).await;
    let store = &*shop.kervan.store;
    let told = explain(store, &shop.listing.sku, shop.clock.now())
        .await
        .unwrap();
    let (priced, change) = told[0].outcome.clone().unwrap();
    assert_eq!(
        (priced.price, change),
        (now.stored.listing.price, Change::Take)
    );
    assert!(told[0].steps.len() >= 3);
}

#[tokio::test]
async fn a_person_takes_the_price_that_they_have_seen_and_no_other() {
    let shop = Shop::open(true).await;
    shop.cost(2000).await;
    let seen = shop.waiting().await[0].to;
    shop.cost(4000).await;
    let store = &*shop.kervan.store;
    for takes in [true, false] {
        let error = decide(store, &shop.listing, seen, takes).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("is 60.00 USD by now, and not 30.00"),
            "{text}"
        );
    }
    assert_eq!(shop.entry().await.listings[0].listing.price, usd(1500));
    assert_eq!(shop.waiting().await[0].to, usd(6000));
}

#[tokio::test]
async fn an_entry_that_is_left_of_an_earlier_price_goes_when_it_is_decided_about() {
    let shop = Shop::open(true).await;
    shop.cost(2000).await;
    let (store, stored) = (&*shop.kervan.store, shop.entry().await.listings.remove(0));
    let mut listing = stored.listing;
    listing.pricing = Pricing::default();
    let update = Write::Update {
        key: keys::listing(&shop.listing),
        set_body: Some(ledger::write(&listing).unwrap()),
        set_due: None,
        add: Vec::new(),
        only_if: Vec::new(),
    };
    store.write(vec![update]).await.unwrap();
    assert_eq!(shop.waiting().await.len(), 1);
    let decided = decide(store, &shop.listing, usd(3000), true).await.unwrap();
    assert_eq!(decided, None);
    assert!(shop.waiting().await.is_empty());
    assert_eq!(shop.entry().await.listings[0].listing.price, usd(1500));
}

#[tokio::test]
async fn what_is_explained_says_whether_the_listing_may_be_sold_and_writes_nothing() {
    let shop = Shop::open(true).await;
    for cost in [1000, 1100, 2000, 10, 12] {
        let (before, version) = (shop.waiting().await, shop.entry().await.listings[0].version);
        let told = async || {
            let told = explain(&*shop.kervan.store, &shop.listing.sku, shop.clock.now()).await;
            let told = told.unwrap().remove(0);
            (told.price, told.sells)
        };
        told().await;
        assert_eq!(shop.waiting().await, before);
        assert_eq!(shop.entry().await.listings[0].version, version);
        let now = shop.cost(cost).await;
        assert_eq!(
            told().await,
            (now.stored.listing.price, now.sells),
            "{cost}"
        );
    }
}

#[tokio::test]
async fn a_price_follows_the_offer_that_is_cheaper_in_the_listings_currency() {
    let shop = Shop::open(true).await;
    assert_eq!(shop.cost(1100).await.stored.listing.price, usd(1650));
    let (store, now) = (&*shop.kervan.store, shop.clock.now());
    let currency = |code: &str| code.parse().unwrap();
    let rate = |to| Rate::new(currency("USD"), to, "7".parse().unwrap(), "a bank", now);
    let rate = rate(currency("CNY")).unwrap();
    rates::add(store, &[rate], now).await.unwrap();
    shop.second_offer(Money {
        minor: 7000,
        currency: currency("CNY"),
    })
    .await;
    // The rates are read anew.
    shop.clock.advance(SignedDuration::from_mins(2));
    let entry = shop.entry().await;
    let listing = &entry.listings[0];
    let now = current(&shop.kervan, &entry, listing).await.unwrap();
    assert_eq!(now.stored.listing.price, usd(1500), "70 CNY are 10 USD");
}

#[tokio::test]
async fn an_offer_by_which_a_sale_would_lose_more_than_an_order_may_is_too_dear() {
    let shop = Shop::open(true).await;
    // The price follows the cheaper one: 10.00 and half of it.
    assert!(shop.cost(1000).await.too_dear.is_empty());
    for (second, is_too_dear) in [(1200, false), (1500, false), (1501, true), (9000, true)] {
        let id = shop.second_offer(usd(second)).await;
        let entry = shop.entry().await;
        let now = current(&shop.kervan, &entry, &entry.listings[0]);
        let now = now.await.unwrap();
        assert!(now.sells);
        let wanted = if is_too_dear { vec![id] } else { Vec::new() };
        assert_eq!(now.too_dear, wanted, "{second}");
        let store = &*shop.kervan.store;
        let told = explain(store, &shop.listing.sku, shop.clock.now()).await;
        assert_eq!(told.unwrap()[0].too_dear, wanted, "{second}");
    }
}
