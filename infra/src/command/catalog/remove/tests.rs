use super::super::publisher::Publisher;
use super::*;
use kervan::clock::ManualClock;
use kervan::domain::{Bundle, Listing, Money, Offer, Part, Published};
use kervan::queue::MemoryQueue;
use kervan::store::{Condition, Item, MemoryStore, Store, Write as Change, keys};
use std::sync::Arc;

struct Shop {
    store: MemoryStore,
    queue: Arc<MemoryQueue>,
    publisher: Publisher,
}

fn now() -> Timestamp {
    "2026-01-15T12:00:00Z".parse().unwrap()
}

fn sku(code: &str) -> Sku {
    Sku::parse(code).unwrap()
}

fn listing(code: &str) -> Listing {
    let (channel, offer) = parse_listing("ebay:main/81").unwrap();
    let id = ListingId {
        channel,
        sku: sku(code),
        offer,
    };
    Listing::new(id, Money::parse("5", "USD".parse().unwrap()).unwrap())
}

impl Shop {
    async fn open() -> Self {
        let clock = Arc::new(ManualClock::at(now()));
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let shop = Self {
            store: MemoryStore::new(clock),
            publisher: Publisher::to(queue.clone()),
            queue,
        };
        let id = parse_offer("aliexpress:main/1/2").unwrap();
        let offer = Offer::new(id, sku("MUG"), 1, "US".parse().unwrap());
        catalog::put(&shop.store, listing("MUG"), offer, now())
            .await
            .unwrap();
        shop
    }

    async fn remove(
        &self,
        code: &str,
        wanted: &Wanted,
        dry_run: bool,
    ) -> Result<(ExitCode, String)> {
        let table = Table {
            store: &self.store,
            publisher: &self.publisher,
        };
        let mut out = Vec::new();
        let code = remove(table, &sku(code), wanted, dry_run, now(), &mut out).await?;
        Ok((code, String::from_utf8(out)?))
    }

    /// The channel shows none of the listing.
    async fn show_none(&self, code: &str) {
        let listing = Listing {
            published: Some(Published {
                quantity: 0,
                price: listing(code).price,
                at: now(),
            }),
            ..listing(code)
        };
        let body = serde_json::to_string(&listing).unwrap();
        let put = Change::Put {
            item: Item::new(keys::listing(&listing.id), 9, body),
            only_if: Condition::Always,
        };
        self.store.write(vec![put]).await.unwrap();
    }
}

fn all() -> Wanted {
    Wanted {
        all: true,
        ..Wanted::default()
    }
}

#[tokio::test]
async fn a_sku_goes_when_its_channel_shows_none_of_it() {
    let shop = Shop::open().await;
    let (code, text) = shop.remove("MUG", &all(), true).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS);
    assert!(
        text.contains("would be removed: listing ebay:main/81\n"),
        "{text}"
    );
    assert!(
        text.contains("would be removed: offer aliexpress:main/1/2\n"),
        "{text}"
    );
    // The listing, the offer, and whose variant that is.
    assert_eq!(
        (shop.store.items().len(), shop.queue.bodies().len()),
        (3, 0)
    );

    let (code, text) = shop.remove("MUG", &all(), false).await.unwrap();
    assert_eq!(code, ExitCode::FAILURE);
    assert!(
        text.contains("not yet removed: listing ebay:main/81"),
        "{text}"
    );
    assert!(text.contains("the rest stays"), "{text}");
    assert_eq!(shop.store.items().len(), 3);
    assert!(shop.queue.bodies()[0].contains("\"MUG\""));

    shop.show_none("MUG").await;
    let (code, text) = shop.remove("MUG", &all(), false).await.unwrap();
    assert_eq!(code, ExitCode::SUCCESS, "{text}");
    assert!(shop.store.items().is_empty());
    let error = shop.remove("MUG", &all(), false).await.unwrap_err();
    assert_eq!(error.to_string(), "MUG is not in the catalogue");
}

#[tokio::test]
async fn a_part_stays_while_a_bundle_is_made_of_it() {
    let shop = Shop::open().await;
    let part = Part {
        sku: sku("MUG"),
        units: 2,
    };
    let bundle = Bundle::new(sku("SET"), vec![part]).unwrap();
    catalog::put_bundle(&shop.store, bundle, now())
        .await
        .unwrap();
    let error = shop.remove("MUG", &all(), false).await.unwrap_err();
    assert!(
        error.to_string().starts_with("MUG is a part of SET"),
        "{error}"
    );
    // Its offer alone may go, and the bundle is published anew.
    let offer = Wanted {
        offers: vec![parse_offer("aliexpress:main/1/2").unwrap()],
        ..Wanted::default()
    };
    shop.remove("MUG", &offer, false).await.unwrap();
    assert!(shop.queue.bodies()[0].contains("[\"MUG\",\"SET\"]"));
    shop.remove("SET", &all(), false).await.unwrap();
    let left: Vec<_> = shop
        .store
        .items()
        .into_iter()
        .map(|item| item.key.sk)
        .collect();
    assert_eq!(left, ["LISTING#ebay:main/81"]);
    let listing = Wanted {
        listings: vec![parse_listing("ebay:main/81").unwrap()],
        even_if_shown: true,
        ..Wanted::default()
    };
    shop.remove("MUG", &listing, false).await.unwrap();
    assert!(shop.store.items().is_empty());
}

#[tokio::test]
async fn what_is_not_there_is_named_before_anything_goes() {
    let shop = Shop::open().await;
    let before = shop.store.items();
    let there = Wanted {
        listings: vec![parse_listing("ebay:main/81").unwrap()],
        even_if_shown: true,
        ..Wanted::default()
    };
    for (wanted, told) in [
        (
            Wanted {
                offers: vec![parse_offer("aliexpress:main/9/9").unwrap()],
                listings: there.listings.clone(),
                ..there
            },
            "MUG has no offer aliexpress:main/9/9",
        ),
        (
            Wanted {
                bundle: true,
                listings: there.listings.clone(),
                ..Wanted::default()
            },
            "MUG is no bundle",
        ),
        (
            Wanted {
                listings: vec![parse_listing("ebay:main/item:7").unwrap()],
                ..Wanted::default()
            },
            "MUG has no listing ebay:main/item:7",
        ),
    ] {
        let error = shop.remove("MUG", &wanted, false).await.unwrap_err();
        assert_eq!(error.to_string(), told);
    }
    assert_eq!(shop.store.items(), before);
    for wrong in ["ebay:main", "ebay/1", "ebay:main/a b", "ebay:main/"] {
        assert!(parse_listing(wrong).is_err(), "{wrong} was taken");
    }
    for wrong in ["aliexpress:main/1", "aliexpress:main/1/2/3", "x/1/2"] {
        assert!(parse_offer(wrong).is_err(), "{wrong} was taken");
    }
}
