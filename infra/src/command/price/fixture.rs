//! A sku with a price by the rules, for tests.

use std::sync::Arc;

use jiff::Timestamp;
use kervan::clock::ManualClock;
use kervan::domain::{
    Evidence, HeldPrice, Listing, ListingId, Money, Offer, OfferId, Pricing, Sku,
};
use kervan::flows::price::Waiting;
use kervan::flows::{catalog, rules};
use kervan::store::{Condition, Due, Item, MemoryStore, Store, Write, keys};

pub(in crate::command) fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

pub(in crate::command) fn usd(amount: &str) -> Money {
    Money::parse(amount, "USD".parse().unwrap()).unwrap()
}

pub(in crate::command) fn listing(code: &str, price: &str, held: Option<(&str, bool)>) -> Listing {
    let id = ListingId {
        channel: "ebay:main".parse().unwrap(),
        sku: Sku::parse(code).unwrap(),
        offer: "81".to_owned(),
    };
    let held = held.map(|(price, rejected)| HeldPrice {
        price: usd(price),
        since: now(),
        rejected,
    });
    Listing {
        pricing: Pricing {
            by_rules: true,
            held,
            ..Pricing::default()
        },
        ..Listing::new(id, usd(price))
    }
}

/// A table with a rule of half on top of the cost.
pub(in crate::command) async fn shop() -> MemoryStore {
    let store = MemoryStore::new(Arc::new(ManualClock::at(now())));
    let text = r#"{ "price": { "rules": [ { "markup_percent": 50, "shipping": "0 USD" } ] } }"#;
    rules::set(&store, &serde_json::from_str(text).unwrap())
        .await
        .unwrap();
    store
}

/// Puts the listing there as the flows leave it, with five units at this cost; what it holds is in the list of those that
/// wait.
pub(in crate::command) async fn put(store: &MemoryStore, listing: &Listing, cost: &str) {
    let sku = listing.id.sku.clone();
    let id = OfferId::new("alibaba:main".parse().unwrap(), "1", sku.as_str()).unwrap();
    let mut offer = Offer::usual(id, sku);
    catalog::put(store, listing.clone(), offer.clone(), now())
        .await
        .unwrap();
    offer.evidence = Some(Evidence {
        stock: 5,
        cost: usd(cost),
        at: now(),
    });
    let offer_body = serde_json::to_string(&offer).unwrap();
    let mut offer_item = Item::new(keys::offer(&offer.sku, &offer.id), 2, offer_body);
    offer_item.counters.insert(catalog::FREE.into(), 5);
    let body = serde_json::to_string(listing).unwrap();
    let mut items = vec![offer_item, Item::new(keys::listing(&listing.id), 2, body)];
    if let Some(held) = listing.pricing.held.as_ref().filter(|held| !held.rejected) {
        let waiting = Waiting {
            listing: listing.id.clone(),
            from: listing.price,
            to: held.price,
            since: held.since,
        };
        let body = serde_json::to_string(&waiting).unwrap();
        let mut item = Item::new(keys::held_price(&listing.id), 1, body);
        item.due = Some(Due {
            lane: keys::PRICE_LANE.to_owned(),
            at: held.since,
        });
        items.push(item);
    }
    let put = |item| Write::Put {
        item,
        only_if: Condition::Always,
    };
    store
        .write(items.into_iter().map(put).collect())
        .await
        .unwrap();
}
