use super::*;
use crate::clock::ManualClock;
use crate::domain::{Evidence, HeldPrice, ListingId, Money, OfferId, Part, Pricing, Published};
use crate::store::{Guard, MemoryStore, Write};
use jiff::SignedDuration;
use std::sync::Arc;

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn memory() -> MemoryStore {
    MemoryStore::new(Arc::new(ManualClock::at(now())))
}

fn sku(code: &str) -> Sku {
    Sku::parse(code).unwrap()
}

fn usd(amount: &str) -> Money {
    Money::parse(amount, "USD".parse().unwrap()).unwrap()
}

fn listing(code: &str, id: &str, price: &str) -> Listing {
    let id = ListingId {
        channel: "ebay:main".parse().unwrap(),
        sku: sku(code),
        offer: id.to_owned(),
    };
    Listing::new(id, usd(price))
}

fn offer(code: &str, variant: &str) -> Offer {
    let id = OfferId::new("aliexpress:main".parse().unwrap(), "1005", variant).unwrap();
    Offer::new(id, sku(code), 1, "US".parse().unwrap())
}

fn bundle(code: &str, parts: &[(&str, u32)]) -> Bundle {
    let part = |(code, units): &(&str, u32)| Part {
        sku: sku(code),
        units: *units,
    };
    Bundle::new(sku(code), parts.iter().map(part).collect()).unwrap()
}

fn terms(code: &str) -> Terms {
    Terms {
        sku: sku(code),
        listings: Vec::new(),
        offers: Vec::new(),
        bundle: None,
    }
}

/// Writes over a listing or an offer as the flows do.
async fn overwrite(store: &MemoryStore, key: Key, body: String, add: Vec<(&'static str, i64)>) {
    let update = Write::Update {
        key,
        set_body: Some(body),
        set_due: Some(None),
        add,
        only_if: Vec::new(),
    };
    store.write(vec![update]).await.unwrap();
}

/// A sku that was looked at and published, with a held price, a doubt and a revision; 3 of 9 units are reserved.
async fn lived(store: &MemoryStore) -> Entry {
    let by_rules = Pricing {
        by_rules: true,
        ..Pricing::default()
    };
    let first = Listing {
        pricing: by_rules.clone(),
        ..listing("MUG", "81", "10")
    };
    put(store, first.clone(), offer("MUG", "1"), now())
        .await
        .unwrap();
    let held = HeldPrice {
        price: usd("99"),
        since: now(),
        rejected: false,
    };
    let listing = Listing {
        price: usd("12.34"),
        pricing: Pricing {
            held: Some(held),
            ..by_rules
        },
        published: Some(Published {
            quantity: 6,
            price: usd("12.34"),
            at: now(),
        }),
        doubt_until: Some(now() - SignedDuration::from_secs(1)),
        revisions: first.revisions.with_one_more(now()),
        ..first
    };
    let body = ledger::write(&listing).unwrap();
    overwrite(store, keys::listing(&listing.id), body, vec![]).await;
    let offer = Offer {
        evidence: Some(Evidence {
            stock: 9,
            cost: usd("3"),
            at: now(),
        }),
        interval_s: 77,
        ..offer("MUG", "1")
    };
    let key = keys::offer(&offer.sku, &offer.id);
    overwrite(store, key, ledger::write(&offer).unwrap(), vec![(FREE, 6)]).await;
    load(store, &sku("MUG")).await.unwrap()
}

#[tokio::test]
async fn what_kervan_has_learned_stays_when_terms_are_put_again() {
    let store = memory();
    let before = lived(&store).await;
    let changed = Terms {
        listings: vec![
            Listing {
                pricing: Pricing {
                    by_rules: true,
                    floor: Some(usd("11")),
                    ..Pricing::default()
                },
                buffer: 2,
                cap: 7,
                variation_of: Some("900".to_owned()),
                ..listing("MUG", "81", "5")
            }
            .into(),
        ],
        offers: vec![
            Offer {
                rank: 4,
                shipping: Some(usd("1.5")),
                ..offer("MUG", "1")
            }
            .into(),
        ],
        ..terms("MUG")
    };
    let put = put_terms(&store, &changed, now()).await.unwrap();
    assert!(put.is_changed && put.is_to_publish);
    let after = load(&store, &sku("MUG")).await.unwrap();
    let (old, new) = (&before.listings[0].listing, &after.listings[0].listing);
    assert_eq!((new.buffer, new.cap), (2, 7));
    assert_eq!(new.variation_of.as_deref(), Some("900"));
    assert_eq!(new.pricing.floor, Some(usd("11")));
    assert_eq!(new.pricing.held, old.pricing.held);
    assert_eq!(new.price, usd("12.34"), "what the rules came to");
    assert_eq!(new.published, old.published);
    assert_eq!(new.doubt_until, old.doubt_until);
    assert_eq!(new.revisions, old.revisions);
    let (old, new) = (&before.offers[0], &after.offers[0]);
    assert_eq!((new.offer.rank, new.offer.shipping), (4, Some(usd("1.5"))));
    assert_eq!(new.offer.evidence, old.offer.evidence);
    assert_eq!((new.free, new.bought, new.offer.interval_s), (6, 0, 77));
    assert_eq!(due(&store, "MUG", "1").await, Some(now()));
}

#[tokio::test]
async fn what_is_as_it_was_is_not_written() {
    let store = memory();
    let before = lived(&store).await;
    let same = Terms {
        listings: vec![
            Listing {
                pricing: Pricing {
                    by_rules: true,
                    ..Pricing::default()
                },
                ..listing("MUG", "81", "10")
            }
            .into(),
        ],
        offers: vec![offer("MUG", "1").into()],
        ..terms("MUG")
    };
    let put = put_terms(&store, &same, now()).await.unwrap();
    assert_eq!(put, Put::default());
    let after = load(&store, &sku("MUG")).await.unwrap();
    assert_eq!(after.listings[0].version, before.listings[0].version);
    assert_eq!(after.offers[0].version, before.offers[0].version);
    assert_eq!(due(&store, "MUG", "1").await, None);

    // With a price of the merchant's own, the rules' price and what is held are gone.
    let fixed = Terms {
        listings: vec![listing("MUG", "81", "10").into()],
        ..terms("MUG")
    };
    put_terms(&store, &fixed, now()).await.unwrap();
    let after = load(&store, &sku("MUG")).await.unwrap();
    let listing = &after.listings[0].listing;
    assert_eq!((listing.price, &listing.pricing.held), (usd("10"), &None));
    // Not published yet: whoever puts it again may have it published again.
    let put = put_terms(&store, &fixed, now()).await.unwrap();
    assert!(!put.is_changed && put.is_to_publish);
}

/// What a file says that has a price and nothing else of the listing.
fn price_alone(code: &str, id: &str, price: &str) -> ListingTerms {
    let listing = listing(code, id, price);
    ListingTerms {
        id: listing.id,
        price: listing.price,
        by_rules: Term::Keep,
        floor: Term::Keep,
        ceiling: Term::Keep,
        minimum_advertised: Term::Keep,
        variation_of: Term::Keep,
        buffer: Term::Keep,
        cap: Term::Keep,
    }
}

fn nothing_more(code: &str, variant: &str) -> OfferTerms {
    let offer = offer(code, variant);
    OfferTerms {
        id: offer.id,
        sku: offer.sku,
        rank: Term::Keep,
        ship_to: Term::Keep,
        shipping: Term::Keep,
    }
}

#[tokio::test]
async fn terms_of_which_nothing_is_said_stay_and_what_is_new_begins_with_the_usual() {
    let store = memory();
    let guarded = Listing {
        pricing: Pricing {
            floor: Some(usd("8")),
            ceiling: Some(usd("20")),
            minimum_advertised: Some(usd("9")),
            ..Pricing::default()
        },
        variation_of: Some("900".to_owned()),
        buffer: 3,
        // It is being taken down.
        cap: 0,
        ..listing("MUG", "81", "10")
    };
    let shipped = Offer {
        rank: 4,
        ship_to: "DE".parse().unwrap(),
        shipping: Some(usd("1.5")),
        ..offer("MUG", "1")
    };
    put(&store, guarded.clone(), shipped.clone(), now())
        .await
        .unwrap();
    let narrow = Terms {
        listings: vec![
            price_alone("MUG", "81", "12"),
            price_alone("MUG", "82", "7"),
        ],
        offers: vec![nothing_more("MUG", "1"), nothing_more("MUG", "2")],
        ..terms("MUG")
    };
    put_terms(&store, &narrow, now()).await.unwrap();
    let after = load(&store, &sku("MUG")).await.unwrap();
    let with_price = Listing {
        price: usd("12"),
        ..guarded
    };
    assert_eq!(after.listings[0].listing, with_price);
    assert_eq!(after.listings[1].listing, listing("MUG", "82", "7"));
    assert_eq!(after.offers[0].offer, shipped);
    assert_eq!(after.offers[1].offer, offer("MUG", "2"));
}

#[tokio::test]
async fn a_price_that_the_kept_limits_do_not_allow_is_refused_with_what_would_be_right() {
    let store = memory();
    let guarded = Listing {
        pricing: Pricing {
            floor: Some(usd("8")),
            ..Pricing::default()
        },
        ..listing("MUG", "81", "10")
    };
    put(&store, guarded, offer("MUG", "1"), now())
        .await
        .unwrap();
    let euros = Money::parse("10", "EUR".parse().unwrap()).unwrap();
    let other_currency = ListingTerms {
        price: euros,
        ..price_alone("MUG", "81", "10")
    };
    let freed = ListingTerms {
        floor: Term::Set(None),
        ..other_currency.clone()
    };
    let before = store.items();
    for (wrong, told) in [
        (
            price_alone("MUG", "81", "7.99"),
            "a price of 7.99 USD below its floor of 8.00 USD",
        ),
        (
            other_currency,
            "changes to EUR and has a floor of 8.00 USD: give floor too",
        ),
        (
            ListingTerms {
                price: usd("0"),
                ..price_alone("MUG", "81", "1")
            },
            "a fixed price and none is given",
        ),
    ] {
        let wrong = Terms {
            listings: vec![wrong],
            ..terms("MUG")
        };
        let error = put_terms(&store, &wrong, now()).await.unwrap_err();
        assert!(error.to_string().contains(told), "{error}");
        assert_eq!(store.items(), before);
    }
    let freed = Terms {
        listings: vec![freed],
        ..terms("MUG")
    };
    put_terms(&store, &freed, now()).await.unwrap();
    let listing = load(&store, &sku("MUG")).await.unwrap().listings.remove(0);
    assert_eq!(listing.listing.price, euros);
}

#[tokio::test]
async fn a_price_alone_leaves_a_listing_with_its_rules() {
    let store = memory();
    let before = lived(&store).await;
    let narrow = Terms {
        listings: vec![price_alone("MUG", "81", "5")],
        ..terms("MUG")
    };
    let put = put_terms(&store, &narrow, now()).await.unwrap();
    assert!(!put.is_changed);
    let after = load(&store, &sku("MUG")).await.unwrap();
    assert_eq!(after.listings[0].listing, before.listings[0].listing);
}

#[tokio::test]
async fn no_price_waits_for_a_person_after_the_listing_got_a_fixed_one() {
    let store = memory();
    let held = keys::held_price(&lived(&store).await.listings[0].listing.id);
    let entry = Write::Put {
        item: Item::new(held.clone(), 1, "{}".to_owned()),
        only_if: crate::store::Condition::Always,
    };
    store.write(vec![entry]).await.unwrap();
    let fixed = Terms {
        listings: vec![listing("MUG", "81", "10").into()],
        ..terms("MUG")
    };
    put_terms(&store, &fixed, now()).await.unwrap();
    assert_eq!(store.get(&held).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_bundle_replaces_what_the_sku_was_made_of_and_its_parts_know() {
    let store = memory();
    let made = bundle("SET", &[("MUG", 2), ("PLATE", 1)]);
    put_bundle(&store, made.clone(), now()).await.unwrap();
    let of = |code: &'static str| {
        let store = &store;
        async move { load(store, &sku(code)).await.unwrap() }
    };
    assert_eq!(of("SET").await.bundle, Some(made));
    assert_eq!(of("MUG").await.part_of, [sku("SET")]);
    assert!(!of("MUG").await.is_there());

    let other = bundle("SET", &[("MUG", 1), ("BOWL", 3)]);
    put_bundle(&store, other.clone(), now()).await.unwrap();
    assert_eq!(of("SET").await.bundle, Some(other));
    assert_eq!(of("MUG").await.part_of, [sku("SET")]);
    assert_eq!(of("BOWL").await.part_of, [sku("SET")]);
    assert!(of("PLATE").await.part_of.is_empty());

    remove_bundle(&store, &sku("SET")).await.unwrap();
    assert!(store.items().is_empty());
    let again = remove_bundle(&store, &sku("SET")).await.unwrap_err();
    assert_eq!(again.to_string(), "SET is no bundle");
}

#[tokio::test]
async fn a_bundle_has_no_offers_and_no_part_is_a_bundle() {
    let store = memory();
    put_bundle(&store, bundle("SET", &[("MUG", 2)]), now())
        .await
        .unwrap();
    put(&store, listing("MUG", "1", "5"), offer("MUG", "1"), now())
        .await
        .unwrap();
    let offers = |code: &'static str| Terms {
        offers: vec![offer(code, "1").into()],
        ..terms(code)
    };
    let parts = |code: &'static str, part: &'static str| Terms {
        bundle: Some(bundle(code, &[(part, 1)])),
        ..terms(code)
    };
    let both = Terms {
        offers: vec![offer("X", "1").into()],
        ..parts("X", "MUG")
    };
    let before = store.items();
    for (wrong, told) in [
        (offers("SET"), "SET is a bundle"),
        (parts("MUG", "CUP"), "MUG has offers of suppliers"),
        (both, "X has offers of suppliers"),
        (parts("OUTER", "SET"), "the part SET is a bundle itself"),
    ] {
        let error = put_terms(&store, &wrong, now()).await.unwrap_err();
        assert!(error.to_string().starts_with(told), "{error}");
    }
    remove_offer(&store, &sku("MUG"), &offer("MUG", "1").id)
        .await
        .unwrap();
    let error = put_terms(&store, &parts("MUG", "CUP"), now()).await;
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("MUG is a part of SET"), "{error}");
    // The offer, and whose variant it is.
    assert_eq!(store.items().len(), before.len() - 2);
}

#[tokio::test]
async fn a_suppliers_variant_fills_one_sku_until_it_is_taken_out() {
    let store = memory();
    for _ in 0..2 {
        put(&store, listing("MUG", "81", "10"), offer("MUG", "1"), now())
            .await
            .unwrap();
    }
    let other = || put(&store, listing("CUP", "82", "10"), offer("CUP", "1"), now());
    let text = other().await.unwrap_err().to_string();
    assert!(text.contains("make CUP a bundle of MUG*1"), "{text}");
    assert!(!load(&store, &sku("CUP")).await.unwrap().is_there());
    let id = offer("MUG", "1").id;
    remove_offer(&store, &sku("MUG"), &id).await.unwrap();
    other().await.unwrap();
}

#[tokio::test]
async fn terms_that_are_too_many_for_one_transaction_are_refused_whole() {
    let store = memory();
    let many = |count: usize| Terms {
        listings: (0..count)
            .map(|n| listing("MUG", &n.to_string(), "5").into())
            .collect(),
        ..terms("MUG")
    };
    let error = put_terms(&store, &many(101), now()).await.unwrap_err();
    assert!(error.to_string().contains("101 changes"), "{error}");
    assert!(store.items().is_empty());
    put_terms(&store, &many(100), now()).await.unwrap();
    assert_eq!(store.items().len(), 100);
}

#[tokio::test]
async fn a_listing_goes_when_its_channel_surely_shows_none() {
    let store = memory();
    let id = lived(&store).await.listings.remove(0).listing.id;
    let other = ListingId {
        offer: "82".to_owned(),
        ..id.clone()
    };
    let error = remove_listing(&store, &other, false, now())
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "MUG has no listing ebay:main/82");
    for _ in 0..2 {
        let removed = remove_listing(&store, &id, false, now()).await.unwrap();
        assert_eq!(removed, Removed::ToZero);
    }
    let shows = |quantity, doubt_until| {
        let (store, id) = (&store, id.clone());
        async move {
            let entry = load(store, &id.sku).await.unwrap();
            let stored = entry.listings[0].listing.clone();
            assert_eq!(stored.cap, 0);
            let listing = Listing {
                published: Some(Published {
                    quantity,
                    price: stored.price,
                    at: now(),
                }),
                doubt_until,
                ..stored
            };
            let body = ledger::write(&listing).unwrap();
            overwrite(store, keys::listing(&id), body, vec![]).await;
            remove_listing(store, &id, false, now()).await.unwrap()
        }
    };
    assert_eq!(shows(1, None).await, Removed::ToZero);
    let later = now() + SignedDuration::from_secs(60);
    assert_eq!(shows(0, Some(later)).await, Removed::ToZero);
    assert_eq!(shows(0, None).await, Removed::Gone);
    let entry = load(&store, &id.sku).await.unwrap();
    assert_eq!((entry.listings.len(), entry.offers.len()), (0, 1));

    put(&store, listing("MUG", "81", "5"), offer("MUG", "1"), now())
        .await
        .unwrap();
    let removed = remove_listing(&store, &id, true, now()).await.unwrap();
    assert_eq!(removed, Removed::Gone);
}

#[tokio::test]
async fn an_offer_with_units_that_orders_took_is_not_removed() {
    let store = memory();
    let offer = lived(&store).await.offers.remove(0).offer;
    let remove = || remove_offer(&store, &offer.sku, &offer.id);
    let error = remove().await.unwrap_err().to_string();
    assert!(error.contains("3 units are reserved"), "{error}");
    let count = |add| {
        let key = keys::offer(&offer.sku, &offer.id);
        let write = Write::Update {
            key,
            set_body: None,
            set_due: None,
            add,
            only_if: vec![Guard::AtLeast(FREE, 0)],
        };
        store.write(vec![write])
    };
    count(vec![(BOUGHT, 3)]).await.unwrap();
    let error = remove().await.unwrap_err().to_string();
    assert!(error.contains("0 units are reserved"), "{error}");
    assert!(error.contains("3 were bought"), "{error}");
    count(vec![(BOUGHT, -3), (FREE, 3)]).await.unwrap();
    remove().await.unwrap();
    let error = remove().await.unwrap_err().to_string();
    assert_eq!(error, "MUG has no offer aliexpress:main/1005/1");
}

#[tokio::test]
async fn a_walk_meets_every_sku_once_with_all_that_is_known_of_it() {
    let store = memory();
    for n in 0..700 {
        let code = format!("S{n}");
        put(&store, listing(&code, "1", "5"), offer(&code, &code), now())
            .await
            .unwrap();
    }
    put_bundle(&store, bundle("SET", &[("S1", 1), ("LATER", 2)]), now())
        .await
        .unwrap();
    let (mut walk, mut met, mut steps) = (Walk::default(), Vec::new(), 0);
    while let Some(skus) = walk.next(&store).await.unwrap() {
        met.extend(skus);
        steps += 1;
    }
    // Whose variant an offer is lies beside the skus.
    assert_eq!((met.len(), steps), (701, 3));
    for (sku, entry) in &met {
        let whole = load(&store, sku).await.unwrap();
        assert_eq!(entry.listings.len(), whole.listings.len());
        assert_eq!(entry.offers.len(), whole.offers.len());
        assert_eq!(
            (&entry.bundle, &entry.part_of),
            (&whole.bundle, &whole.part_of)
        );
    }
    let mut codes: Vec<_> = met.iter().map(|(sku, _)| sku).collect();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), 701);
}

/// When an offer's stock is due.
async fn due(store: &MemoryStore, code: &str, variant: &str) -> Option<Timestamp> {
    let key = keys::offer(&sku(code), &offer(code, variant).id);
    let item = store.get(&key).await.unwrap().unwrap();
    item.due.map(|due| due.at)
}
