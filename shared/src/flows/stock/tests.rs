use super::look::note;
use super::*;
use crate::clock::ManualClock;
use crate::context::{Accounts, Kervan, Queues};
use crate::domain::{AccountId, Evidence, Listing, ListingId, Money, Offer};
use crate::http::NoNetwork;
use crate::marketplaces::{Account, CallError, Effect, Kind, ListingUpdate, PushListings, Retry};
use crate::queue::UnsetQueue;
use crate::seal::MemorySeal;
use crate::secrets::MemorySecrets;
use crate::store::MemoryStore;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const BUDGET: u32 = 40;

/// A channel whose listings may be changed so often, and that keeps what it is told.
#[derive(Debug)]
struct Channel {
    id: AccountId,
    told: Mutex<Vec<(u32, Option<i64>)>>,
    refuses: Mutex<Option<Effect>>,
}

impl Account for Channel {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn push_listings(&self) -> Option<&dyn PushListings> {
        Some(self)
    }
}

#[async_trait]
impl PushListings for Channel {
    async fn push(
        &self,
        updates: &[ListingUpdate],
        _: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        if let Some(effect) = *self.refuses.lock().unwrap() {
            let retry = Retry::After(Duration::from_secs(5));
            let error = CallError::new(&self.id, "push", Kind::Throttled, retry, "429");
            return Err(error.with_effect(effect));
        }
        let mut told = self.told.lock().unwrap();
        let one = |one: &ListingUpdate| (one.quantity, one.price.map(|price| price.minor));
        told.extend(updates.iter().map(one));
        Ok(updates.iter().map(|_| Ok(())).collect())
    }

    fn revisions_per_day(&self) -> Option<u32> {
        Some(BUDGET)
    }
}

struct Shop {
    kervan: Kervan,
    clock: Arc<ManualClock>,
    channel: Arc<Channel>,
}

impl Shop {
    async fn open() -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let channel = Arc::new(Channel {
            id: "ebay:main".parse().unwrap(),
            told: Mutex::default(),
            refuses: Mutex::default(),
        });
        let secrets = Arc::new(MemorySecrets::new());
        let http = Arc::new(NoNetwork);
        let accounts = Accounts::new(Vec::new(), "", secrets, http, clock.clone(), None);
        let unset = Arc::new(UnsetQueue("A_QUEUE"));
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let queues = Queues {
            orders: unset.clone(),
            tracking: unset.clone(),
            inventory: unset,
        };
        let accounts = accounts.with_account(channel.clone());
        let seal = Arc::new(MemorySeal::new());
        let kervan = Kervan::new(clock.clone(), store, seal, queues, accounts);
        Self {
            kervan,
            clock,
            channel,
        }
    }

    /// Publishes the lamp at a price, with so many units at the supplier.
    async fn publish(&self, price: &str, stock: u32) -> Outcome {
        let sku = Sku::parse("LAMP").unwrap();
        let usd = "USD".parse().unwrap();
        let listing = Listing::new(
            ListingId {
                channel: self.channel.id.clone(),
                sku: sku.clone(),
                offer: "1".to_owned(),
            },
            Money::parse(price, usd).unwrap(),
        );
        let id = OfferId::new("aliexpress:main".parse().unwrap(), "1", "2").unwrap();
        let now = self.kervan.clock.now();
        let offer = Offer {
            id: id.clone(),
            sku: sku.clone(),
            rank: 1,
            ship_to: "US".parse().unwrap(),
            shipping: None,
            evidence: None,
            interval_s: 600,
        };
        let store = &self.kervan.store;
        catalog::put(&**store, listing, offer, now).await.unwrap();
        let entry = catalog::load(&**store, &sku).await.unwrap();
        let evidence = Evidence {
            stock,
            cost: Money::zero(usd),
            at: now,
        };
        let stored = entry.offers.into_iter().next().unwrap();
        note(&self.kervan, stored, Some(evidence)).await.unwrap();
        let task = InventoryTask::Publish {
            skus: vec![sku],
            ordered_at: None,
        };
        inventory(&self.kervan, &task).await.unwrap()
    }

    fn told(&self) -> usize {
        self.channel.told.lock().unwrap().len()
    }

    fn refuses(&self, effect: Option<Effect>) {
        *self.channel.refuses.lock().unwrap() = effect;
    }
}

/// A price of its own for each change.
fn price(n: u32) -> String {
    format!("{}.00", 10 + n)
}

/// Changes that may rise, of the budget: the last ten are kept for zero, and six before them for falls.
const RISES: u32 = BUDGET - 16;

#[tokio::test]
async fn a_listing_is_changed_within_its_budget_and_the_rest_of_it_is_for_falls_and_zero() {
    let shop = Shop::open().await;
    for n in 0..RISES {
        assert_eq!(shop.publish(&price(n), 5).await, Outcome::Done, "{n}");
    }
    // What the channel shows already costs nothing.
    assert_eq!(shop.publish(&price(RISES - 1), 5).await, Outcome::Done);
    let waits = shop.publish(&price(99), 5).await;
    let Outcome::Later(wait) = waits else {
        panic!("{waits:?}");
    };
    assert!(wait > Duration::from_secs(23 * 3_600), "{wait:?}");
    assert_eq!(shop.told(), 24);
    // Less is left at the supplier, and then nothing: that is told at once.
    assert_eq!(shop.publish(&price(99), 4).await, Outcome::Done);
    assert_eq!(shop.publish(&price(99), 0).await, Outcome::Done);
    assert_eq!(shop.channel.told.lock().unwrap().last(), Some(&(0, None)));
    assert!(matches!(
        shop.publish(&price(99), 5).await,
        Outcome::Later(_)
    ));
    shop.clock.advance(SignedDuration::try_from(wait).unwrap());
    assert_eq!(shop.publish(&price(99), 5).await, Outcome::Done);
    assert_eq!(shop.told(), 27);
}

#[tokio::test]
async fn what_changed_nothing_does_not_count_and_what_may_have_does() {
    let shop = Shop::open().await;
    shop.refuses(Some(Effect::None));
    for _ in 0..100 {
        let refused = shop.publish(&price(1), 5).await;
        assert_eq!(refused, Outcome::Later(Duration::from_secs(5)));
    }
    shop.refuses(Some(Effect::Unknown));
    for _ in 0..BUDGET - 10 {
        let refused = shop.publish(&price(1), 5).await;
        assert_eq!(refused, Outcome::Later(Duration::from_secs(5)));
    }
    shop.refuses(None);
    // Those that may have changed something count, so it goes to zero until it may be changed again.
    let waits = shop.publish(&price(1), 5).await;
    assert!(matches!(waits, Outcome::Later(_)), "{waits:?}");
    assert_eq!(*shop.channel.told.lock().unwrap(), [(0, None)]);
}
