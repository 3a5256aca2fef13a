use super::*;
use crate::clock::{Clock, ManualClock};
use crate::context::{Accounts, Queues};
use crate::domain::{Evidence, Listing, ListingId, Money};
use crate::flows::{catalog, inventory};
use crate::http::NoNetwork;
use crate::marketplaces::{
    Account, CallError, Kind, ListingUpdate, PushListings, ReadStock, Retry,
};
use crate::metrics::Measure;
use crate::queue::{MemoryQueue, UnsetQueue};
use crate::seal::MemorySeal;
use crate::secrets::MemorySecrets;
use crate::store::MemoryStore;
use async_trait::async_trait;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A supplier that tells of 20 products at once, and a channel, which both keep what they are asked.
#[derive(Debug)]
struct Market {
    id: AccountId,
    clock: Arc<ManualClock>,
    stock: Mutex<u32>,
    is_ill: Mutex<bool>,
    looked_at: Mutex<BTreeMap<OfferId, Vec<Timestamp>>>,
    calls: Mutex<Vec<usize>>,
    shown: Mutex<Vec<u32>>,
}

impl Market {
    fn new(id: &str, clock: &Arc<ManualClock>) -> Arc<Self> {
        Arc::new(Self {
            id: id.parse().unwrap(),
            clock: clock.clone(),
            stock: Mutex::new(40),
            is_ill: Mutex::default(),
            looked_at: Mutex::default(),
            calls: Mutex::default(),
            shown: Mutex::default(),
        })
    }
}

impl Account for Market {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn read_stock(&self) -> Option<&dyn ReadStock> {
        Some(self)
    }

    fn push_listings(&self) -> Option<&dyn PushListings> {
        Some(self)
    }
}

#[async_trait]
impl ReadStock for Market {
    fn products_at_once(&self) -> usize {
        20
    }

    async fn stock(
        &self,
        offers: &[OfferId],
        _: &CountryCode,
    ) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError> {
        if *self.is_ill.lock().unwrap() {
            let retry = Retry::After(Duration::from_secs(5));
            return Err(CallError::new(
                &self.id,
                "stock",
                Kind::Unavailable,
                retry,
                "503",
            ));
        }
        self.calls.lock().unwrap().push(offers.len());
        let at = self.clock.now();
        let mut looked_at = self.looked_at.lock().unwrap();
        for offer in offers {
            looked_at.entry(offer.clone()).or_default().push(at);
        }
        let evidence = Evidence {
            stock: *self.stock.lock().unwrap(),
            cost: Money::zero("USD".parse().unwrap()),
            at,
        };
        Ok(offers.iter().map(|_| Ok(Some(evidence.clone()))).collect())
    }
}

#[async_trait]
impl PushListings for Market {
    async fn push(
        &self,
        updates: &[ListingUpdate],
        _: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let mut shown = self.shown.lock().unwrap();
        shown.extend(updates.iter().map(|update| update.quantity));
        Ok(updates.iter().map(|_| Ok(())).collect())
    }
}

struct Shop {
    kervan: Kervan,
    clock: Arc<ManualClock>,
    supplier: Arc<Market>,
    channel: Arc<Market>,
}

impl Shop {
    /// A shop with so many skus, each of a product of its own; the first of them is listed.
    async fn with(skus: usize) -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let (supplier, channel) = (
            Market::new("aliexpress:main", &clock),
            Market::new("ebay:main", &clock),
        );
        let secrets = Arc::new(MemorySecrets::new());
        let http = Arc::new(NoNetwork);
        let accounts = Accounts::new(Vec::new(), "", secrets, http, clock.clone(), None);
        let accounts = accounts.with_account(supplier.clone());
        let unset = Arc::new(UnsetQueue("A_QUEUE"));
        let queues = Queues {
            orders: unset.clone(),
            tracking: unset,
            inventory: Arc::new(MemoryQueue::new(clock.clone())),
        };
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let seal = Arc::new(MemorySeal::new());
        let accounts = accounts.with_account(channel.clone());
        let kervan = Kervan::new(clock.clone(), store, seal, queues, accounts);
        for number in 0..skus {
            let sku = Sku::parse(&format!("S{number}")).unwrap();
            let listing = ListingId {
                channel: channel.id.clone(),
                sku: sku.clone(),
                offer: number.to_string(),
            };
            let price = Money::parse("19.99", "USD".parse().unwrap()).unwrap();
            let id = OfferId::new(supplier.id.clone(), &format!("P{number}"), "1").unwrap();
            let offer = Offer::new(id, sku, 1, "US".parse().unwrap());
            let now = clock.now();
            let store = &*kervan.store;
            catalog::put(store, Listing::new(listing, price), offer, now)
                .await
                .unwrap();
        }
        Self {
            kervan,
            clock,
            supplier,
            channel,
        }
    }

    /// Works on all messages that are visible; every `lost`th is lost instead.
    async fn work(&self, lost: Option<usize>) -> usize {
        let queue = &self.kervan.queues.inventory;
        let mut messages = 0;
        loop {
            let hidden = Duration::from_secs(360);
            let received = queue.receive(10, hidden, Duration::ZERO).await.unwrap();
            if received.is_empty() {
                return messages;
            }
            for message in received {
                messages += 1;
                if lost.is_none_or(|lost| messages % lost != 0) {
                    let task = serde_json::from_str(&message.body).unwrap();
                    inventory(&self.kervan, &task).await.unwrap();
                }
                queue.delete(&message.receipt).await.unwrap();
            }
        }
    }

    /// Lets minutes pass with the schedule of the template.
    async fn pass(&self, minutes: usize, lost: Option<usize>) {
        for _ in 0..minutes {
            queue_due_stock(&self.kervan).await.unwrap();
            self.work(lost).await;
            self.clock.advance(SignedDuration::from_mins(1));
        }
    }

    /// Somebody buys one at the supplier, which keeps the last.
    fn sell_one(&self) {
        let mut stock = self.supplier.stock.lock().unwrap();
        *stock = stock.saturating_sub(1).max(1);
    }

    fn shown(&self) -> Option<u32> {
        self.channel.shown.lock().unwrap().last().copied()
    }
}

#[tokio::test]
async fn a_hundred_products_are_five_full_calls_of_a_supplier_that_tells_of_twenty_at_once() {
    let shop = Shop::with(100).await;
    assert_eq!(queue_due_stock(&shop.kervan).await.unwrap(), 100);
    assert_eq!(shop.work(None).await, 5);
    assert_eq!(*shop.supplier.calls.lock().unwrap(), [20; 5]);
    assert_eq!(queue_due_stock(&shop.kervan).await.unwrap(), 0);
}

#[tokio::test]
async fn over_a_day_every_offer_is_looked_at_at_least_hourly_and_one_that_rests_not_more_often() {
    let shop = Shop::with(30).await;
    shop.pass(24 * 60, None).await;
    let looked_at = shop.supplier.looked_at.lock().unwrap().clone();
    assert_eq!(looked_at.len(), 30);
    for times in looked_at.values() {
        let gaps = times.windows(2).map(|two| two[1].duration_since(two[0]));
        let longest = gaps.max().unwrap();
        assert!(longest <= SignedDuration::from_mins(62), "{longest:?}");
        assert!((24..=28).contains(&times.len()), "{}", times.len());
    }
}

#[tokio::test]
async fn what_a_lost_message_left_behind_is_found_again_within_ten_minutes() {
    let shop = Shop::with(60).await;
    queue_due_stock(&shop.kervan).await.unwrap();
    // Every message is lost.
    shop.work(Some(1)).await;
    assert!(shop.supplier.looked_at.lock().unwrap().is_empty());
    shop.clock.advance(SignedDuration::from_mins(2));
    shop.pass(9, None).await;
    assert_eq!(shop.supplier.looked_at.lock().unwrap().len(), 60);
}

#[tokio::test]
async fn a_message_that_comes_twice_costs_no_second_look() {
    let shop = Shop::with(20).await;
    queue_due_stock(&shop.kervan).await.unwrap();
    // Another run that had not heard of the first.
    shop.kervan
        .store
        .write(vec![Write::Delete {
            key: keys::stock_cursor(),
        }])
        .await
        .unwrap();
    queue_due_stock(&shop.kervan).await.unwrap();
    assert_eq!(shop.work(None).await, 2);
    assert_eq!(*shop.supplier.calls.lock().unwrap(), [20]);
}

#[tokio::test]
async fn a_supplier_that_is_ill_for_a_day_lowers_its_listings_down_to_nothing_and_comes_back() {
    let shop = Shop::with(1).await;
    shop.pass(2, None).await;
    assert_eq!(shop.shown(), Some(40));
    *shop.supplier.is_ill.lock().unwrap() = true;
    let mut before = 40;
    for hour in 1..=25 {
        shop.pass(60, None).await;
        let shown = shop.shown().unwrap();
        assert!(shown <= before, "{shown} after {hour} h, {before} before");
        assert!(hour > 5 || shown == 40, "{shown} after {hour} h");
        assert!(
            !(8..=23).contains(&hour) || (1..40).contains(&shown),
            "{shown} after {hour} h"
        );
        before = shown;
    }
    assert_eq!(shop.shown(), Some(0));
    *shop.supplier.is_ill.lock().unwrap() = false;
    shop.pass(61, None).await;
    assert_eq!(shop.shown(), Some(40));
}

#[tokio::test]
async fn what_sells_is_looked_at_ten_times_as_often_as_what_rests() {
    let shop = Shop::with(1).await;
    shop.pass(60, None).await;
    shop.supplier.looked_at.lock().unwrap().clear();
    for _ in 0..60 {
        shop.sell_one();
        shop.pass(1, None).await;
    }
    let looks: usize = shop
        .supplier
        .looked_at
        .lock()
        .unwrap()
        .values()
        .map(Vec::len)
        .sum();
    assert!(looks >= 10, "{looks} looks in an hour");
}

#[tokio::test]
async fn what_a_look_found_is_measured_and_what_is_published_for_another_reason_is_not() {
    let shop = Shop::with(1).await;
    shop.pass(1, None).await;
    let taken = shop.kervan.metrics.take();
    assert_eq!(taken.times(Measure::EvidenceToPublished).len(), 1);
    assert_eq!(taken.counted(Count::ListingsTold), 1);
    // Twenty minutes later the same stock is found, and nothing is told.
    shop.pass(20, None).await;
    shop.kervan.metrics.take();
    let sku = Sku::parse("S0").unwrap();
    let entry = catalog::load(&*shop.kervan.store, &sku).await.unwrap();
    let mut listing = entry.listings[0].listing.clone();
    listing.price = Money::parse("24.99", "USD".parse().unwrap()).unwrap();
    let offer = entry.offers[0].offer.clone();
    let now = shop.clock.now();
    catalog::put(&*shop.kervan.store, listing, offer, now)
        .await
        .unwrap();
    let task = InventoryTask::Publish {
        skus: vec![sku],
        ordered_at: None,
    };
    inventory(&shop.kervan, &task).await.unwrap();
    let taken = shop.kervan.metrics.take();
    assert_eq!(taken.counted(Count::ListingsTold), 1);
    assert!(taken.times(Measure::EvidenceToPublished).is_empty());
}

#[tokio::test]
async fn an_offer_that_was_never_answered_is_counted_and_grows_old() {
    let shop = Shop::with(1).await;
    *shop.supplier.is_ill.lock().unwrap() = true;
    shop.clock.advance(SignedDuration::from_mins(7));
    shop.pass(1, None).await;
    let taken = shop.kervan.metrics.take();
    assert_eq!(taken.counted(Count::LooksFailed), 1);
    assert_eq!(taken.counted(Count::OffersChecked), 0);
    let ages = taken.times(Measure::EvidenceAge);
    assert_eq!(ages, [Duration::from_secs(7 * 60)]);
    let lines = taken.lines("kervan", shop.clock.now());
    let of_supplier = lines.iter().filter(|line| {
        line.contains("\"Supplier\":\"aliexpress:main\"") && line.contains("\"LooksFailed\":1")
    });
    assert_eq!(of_supplier.count(), 1);
}
