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
use crate::store::{Due, MemoryStore, Page, Store, WriteError};
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
    /// A shop with nothing in it.
    fn on(store: Arc<dyn Store>, clock: Arc<ManualClock>) -> Self {
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
        let seal = Arc::new(MemorySeal::new());
        let accounts = accounts.with_account(channel.clone());
        let kervan = Kervan::new(clock.clone(), store, seal, queues, accounts);
        Self {
            kervan,
            clock,
            supplier,
            channel,
        }
    }

    /// A shop with so many skus, each of a product of its own, and listed.
    async fn with(skus: usize) -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let shop = Self::on(Arc::new(MemoryStore::new(clock.clone())), clock);
        for number in 0..skus {
            let sku = Sku::parse(&format!("S{number}")).unwrap();
            let listing = ListingId {
                channel: shop.channel.id.clone(),
                sku: sku.clone(),
                offer: number.to_string(),
            };
            let price = Money::parse("19.99", "USD".parse().unwrap()).unwrap();
            let id = OfferId::new(shop.supplier.id.clone(), &format!("P{number}"), "1").unwrap();
            let offer = Offer::new(id, sku, 1, "US".parse().unwrap());
            let now = shop.clock.now();
            let store = &*shop.kervan.store;
            catalog::put(store, Listing::new(listing, price), offer, now)
                .await
                .unwrap();
        }
        shop
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

/// A store in memory that refuses to read one lane, takes its time to read a page of all, and can be cut off.
#[derive(Debug)]
struct Slow {
    inner: MemoryStore,
    clock: Arc<ManualClock>,
    refused: Option<String>,
    a_reading: SignedDuration,
    pages: Mutex<Vec<String>>,
    /// Writes that still succeed; any number where it is none.
    writes_left: Mutex<Option<usize>>,
}

impl Slow {
    fn with(refused: Option<&str>, a_reading: SignedDuration) -> (Arc<Self>, Shop) {
        let clock = Arc::new(ManualClock::at("2026-01-15T12:00:00Z".parse().unwrap()));
        let store = Arc::new(Self {
            inner: MemoryStore::new(clock.clone()),
            clock: clock.clone(),
            refused: refused.map(str::to_owned),
            a_reading,
            pages: Mutex::default(),
            writes_left: Mutex::default(),
        });
        (store.clone(), Shop::on(store, clock))
    }

    /// An offer that is due, in a lane of our choice.
    async fn put(&self, lane: &str, number: usize, ms_ago: i64, is_readable: bool) {
        let sku = Sku::parse(&format!("S{number}")).unwrap();
        let id = OfferId::new(
            "aliexpress:main".parse().unwrap(),
            &format!("P{number}"),
            "1",
        );
        let offer = Offer::new(id.unwrap(), sku, 1, "US".parse().unwrap());
        let body = ledger::write(&offer).unwrap();
        let body = if is_readable { body } else { "{}".to_owned() };
        let mut item = Item::new(keys::offer(&offer.sku, &offer.id), 1, body);
        item.due = Some(Due {
            lane: lane.to_owned(),
            at: self.clock.now() - SignedDuration::from_millis(ms_ago),
        });
        let only_if = Condition::Always;
        let put = Write::Put { item, only_if };
        self.inner.write(vec![put]).await.unwrap();
    }

    fn pages(&self, lane: &str) -> usize {
        let pages = self.pages.lock().unwrap();
        pages.iter().filter(|read| *read == lane).count()
    }
}

#[async_trait]
impl Store for Slow {
    async fn get(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        self.inner.get(key).await
    }

    async fn query(
        &self,
        pk: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        self.inner.query(pk, prefix, after, limit).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), WriteError> {
        if let Some(left) = &mut *self.writes_left.lock().unwrap() {
            let gone = || StoreError::Unavailable("the function ends".to_owned());
            *left = left.checked_sub(1).ok_or_else(gone)?;
        }
        self.inner.write(writes).await
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        if lane == keys::stock_lane_of(3) {
            self.clock.advance(self.a_reading);
        }
        if self.refused.as_deref() == Some(lane) {
            return Err(StoreError::Refused("an item cannot be read".to_owned()));
        }
        self.pages.lock().unwrap().push(lane.to_owned());
        self.inner.due(lane, from, until, limit).await
    }
}

/// The offers in the messages of the queue, each as often as it is there.
async fn queued(shop: &Shop) -> BTreeMap<String, usize> {
    let mut offers = BTreeMap::new();
    loop {
        let queue = &shop.kervan.queues.inventory;
        let hidden = Duration::from_secs(360);
        let received = queue.receive(10, hidden, Duration::ZERO).await.unwrap();
        if received.is_empty() {
            return offers;
        }
        for message in received {
            let task = serde_json::from_str(&message.body).unwrap();
            let InventoryTask::Look { offers: looks, .. } = task else {
                panic!("{task:?}");
            };
            for (_, offer) in looks {
                *offers.entry(offer.product).or_default() += 1;
            }
            queue.delete(&message.receipt).await.unwrap();
        }
    }
}

#[tokio::test]
async fn one_run_queues_all_that_is_due_page_by_page_and_each_offer_once() {
    let (store, shop) = Slow::with(None, SignedDuration::ZERO);
    let ms_ago = |number: usize| 100_000 - i64::try_from(number / 7).unwrap();
    for number in 0..4 * PAGE {
        let lane = keys::stock_lane_of(if number < 3 * PAGE { 3 } else { 4 });
        store.put(&lane, number, ms_ago(number), true).await;
    }
    assert_eq!(queue_due_stock(&shop.kervan).await.unwrap(), 4 * PAGE);
    let queued = queued(&shop).await;
    assert_eq!(queued.len(), 4 * PAGE);
    assert!(queued.values().all(|times| *times == 1));
    assert_eq!(queue_due_stock(&shop.kervan).await.unwrap(), 0);
}

#[tokio::test]
async fn a_moment_with_more_offers_than_a_page_is_queued_too() {
    let (store, shop) = Slow::with(None, SignedDuration::ZERO);
    let lane = keys::stock_lane_of(3);
    for number in 0..2 * PAGE + 10 {
        store.put(&lane, number, 100_000, true).await;
    }
    store.put(&lane, 9_999, 90_000, true).await;
    queue_due_stock(&shop.kervan).await.unwrap();
    let queued = queued(&shop).await;
    assert_eq!(queued.len(), 2 * PAGE + 11);
    assert!(queued.values().all(|times| *times == 1));
}

#[tokio::test]
async fn a_run_whose_time_is_up_is_gone_on_with_by_the_next() {
    let (store, shop) = Slow::with(None, SignedDuration::from_secs(13));
    let lane = keys::stock_lane_of(3);
    for number in 0..5 * PAGE {
        let ms_ago = 300_000 - i64::try_from(number).unwrap();
        store.put(&lane, number, ms_ago, true).await;
    }
    // A page takes 13 seconds: after two of them no further one is begun.
    let first = queue_due_stock(&shop.kervan).await.unwrap();
    assert_eq!((first, store.pages(&lane)), (2 * PAGE - 1, 2));
    for _ in 0..2 {
        shop.clock.advance(SignedDuration::from_secs(34));
        queue_due_stock(&shop.kervan).await.unwrap();
    }
    let queued = queued(&shop).await;
    assert_eq!(queued.len(), 5 * PAGE);
    let twice = queued.values().filter(|times| **times > 1).count();
    assert!(twice <= 4, "{twice} offers were queued twice");
}

#[tokio::test]
async fn a_run_that_is_cut_off_forgets_nothing() {
    for written in 0..3 {
        let (store, shop) = Slow::with(None, SignedDuration::ZERO);
        let lane = keys::stock_lane_of(3);
        for number in 0..2 * PAGE {
            let ms_ago = 300_000 - i64::try_from(number).unwrap();
            store.put(&lane, number, ms_ago, true).await;
        }
        // Cut off when a page is queued and its place is not yet written.
        *store.writes_left.lock().unwrap() = Some(written);
        assert!(queue_due_stock(&shop.kervan).await.is_err());
        *store.writes_left.lock().unwrap() = None;
        queue_due_stock(&shop.kervan).await.unwrap();
        let queued = queued(&shop).await;
        assert_eq!(queued.len(), 2 * PAGE, "cut after {written} writes");
        let twice = queued.values().filter(|times| **times > 1).count();
        assert!(twice <= PAGE, "{twice} offers were queued twice");
    }
}

#[tokio::test]
async fn what_cannot_be_read_keeps_no_other_lane_from_being_queued() {
    let (refused, other) = (keys::stock_lane_of(0), keys::stock_lane_of(1));
    let (store, shop) = Slow::with(Some(&refused), SignedDuration::ZERO);
    store.put(&refused, 1, 90_000, true).await;
    for number in 0..PAGE {
        store.put(&other, 10 + number, 90_000, false).await;
    }
    store.put(&other, 2, 80_000, true).await;
    let told = queue_due_stock(&shop.kervan).await;
    assert!(told.is_err(), "the lane that cannot be read is told");
    assert_eq!(queued(&shop).await.keys().collect::<Vec<_>>(), ["P2"]);
}
