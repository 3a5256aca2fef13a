//! A shop of any size on the memory ports: one supplier and one channel that answer at once and without limits.

use crate::counting::{Calls, Counter, CountingQueue, CountingStore, size};
use anyhow::{Result, bail};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use kervan::clock::{Clock, ManualClock};
use kervan::domain::{
    AccountId, CountryCode, Evidence, Listing, ListingId, Money, Offer, OfferId, Sku,
};
use kervan::flows::{self, InventoryTask, catalog};
use kervan::handler::{self, Message};
use kervan::http::{Http, HttpError, Sent};
use kervan::marketplaces::{Account, CallError, ListingUpdate, PushListings, ReadStock};
use kervan::queue::{MemoryQueue, UnsetQueue};
use kervan::seal::MemorySeal;
use kervan::secrets::MemorySecrets;
use kervan::store::{MemoryStore, Store};
use kervan::{Accounts, Kervan, Queues};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Messages of one invocation, as the template has it.
const BATCH: usize = 10;
/// What DynamoDB adds to the size of each item and index entry when it bills the storage.
const BYTES_OF_AN_ITEM: u64 = 100;
/// No offer is looked at less often.
const LONGEST_INTERVAL: SignedDuration = SignedDuration::from_mins(61);

/// A shop in memory.
#[derive(Debug)]
pub struct MemoryShop {
    /// Its ports.
    pub kervan: Kervan,
    /// What its store and its queue were asked.
    pub counter: Arc<Counter>,
    /// Where it buys.
    pub supplier: Arc<Supplier>,
    /// Where it sells.
    pub channel: Arc<Channel>,
    clock: Arc<ManualClock>,
    offers: u32,
}

/// What it is made of.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Skus, each with one offer and one listing.
    pub offers: u32,
    /// Offers that the supplier tells of in one call.
    pub offers_at_once: usize,
    /// Listings that the channel takes in one call.
    pub listings_at_once: usize,
    /// Whether what DynamoDB bills is counted, which takes time.
    pub units: bool,
}

/// What working off a pass came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Worked {
    /// Offers that were due.
    pub due: usize,
    /// Runs of the schedule.
    pub runs: u64,
    /// Invocations for messages of the queue.
    pub invocations: u64,
    /// What finding what is due asked of the ports.
    pub poll: Calls,
    /// What looking and publishing asked of the ports.
    pub work: Calls,
    /// Calls to the supplier, of which each tells of as many products as it can.
    pub asked: u64,
    /// Calls to the channel.
    pub pushed: u64,
    /// Listings that the channel was told of.
    pub told: u64,
    /// Seconds that finding what is due took.
    pub poll_s: f64,
    /// Seconds that looking and publishing took.
    pub work_s: f64,
}

impl MemoryShop {
    /// Fills the catalogue; every offer is due at once.
    ///
    /// # Errors
    /// Where an id or a write is refused, which is a fault of the bench.
    pub async fn open(size: Size) -> Result<Self> {
        let clock = Arc::new(ManualClock::at("2026-11-24T00:00:00Z".parse()?));
        let counter = Arc::new(Counter::default());
        let store = MemoryStore::new(clock.clone());
        let store: Arc<dyn Store> =
            Arc::new(CountingStore::new(store, counter.clone(), size.units));
        let queue = MemoryQueue::new(clock.clone());
        let queues = Queues {
            orders: Arc::new(UnsetQueue("orders")),
            tracking: Arc::new(UnsetQueue("tracking")),
            inventory: Arc::new(CountingQueue::new(queue, counter.clone())),
        };
        let supplier = Arc::new(Supplier {
            id: "aliexpress:main".parse()?,
            clock: clock.clone(),
            at_once: size.offers_at_once,
            changed: AtomicU32::new(0),
            calls: AtomicU64::new(0),
        });
        let channel = Arc::new(Channel {
            id: "ebay:main".parse()?,
            at_once: size.listings_at_once,
            calls: AtomicU64::new(0),
            told: AtomicU64::new(0),
        });
        let secrets = Arc::new(MemorySecrets::default());
        let accounts = Accounts::new(
            Vec::new(),
            "bench/",
            secrets,
            Arc::new(NoNetwork),
            clock.clone(),
            None,
        )
        .with_account(supplier.clone())
        .with_account(channel.clone());
        let seal = Arc::new(MemorySeal::new());
        let kervan = Kervan::new(clock.clone(), store, seal, queues, accounts);
        let shop = Self {
            kervan,
            counter,
            supplier,
            channel,
            clock,
            offers: size.offers,
        };
        shop.fill().await?;
        Ok(shop)
    }

    async fn fill(&self) -> Result<()> {
        let (supplier, channel) = (self.supplier.id(), self.channel.id());
        let ship_to: CountryCode = "US".parse()?;
        let price = Money {
            minor: 1_999,
            currency: "USD".parse()?,
        };
        for number in 0..self.offers {
            // A catalogue is not loaded in one moment.
            if number.is_multiple_of(100) {
                self.clock.advance(SignedDuration::from_millis(1));
            }
            // As long as real ids are, so that items are as large.
            let sku = Sku::parse(&format!("SHELF-{number:07}-BLK"))?;
            let id = ListingId {
                channel: channel.clone(),
                sku: sku.clone(),
                offer: format!("8{number:010}"),
            };
            let product = format!("1005{number:012}");
            let offer = OfferId::new(supplier.clone(), &product, &format!("12000{number:012}"))?;
            let offer = Offer::new(offer, sku, 1, ship_to.clone());
            let listing = Listing::new(id, price);
            catalog::put(&*self.kervan.store, listing, offer, self.clock.now()).await?;
        }
        Ok(())
    }

    /// Bytes of a sku's items with what DynamoDB adds to each, once in the table, and once more in the index what has a due time.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn stored_bytes(&self) -> Result<u64> {
        let sku = kervan::store::keys::sku(&Sku::parse("SHELF-0000000-BLK")?);
        let items = self.kervan.store.query(&sku, "", None, 100).await?.items;
        let bytes = |item: &kervan::store::Item| {
            let times = 1 + u64::from(item.due.is_some());
            times * (size(item) + BYTES_OF_AN_ITEM)
        };
        Ok(items.iter().map(bytes).sum())
    }

    /// Another stock at the supplier for one of so many offers; 1 for all of them.
    pub fn change_stock(&self, one_of: u32) {
        self.supplier.changed.store(one_of, Ordering::Relaxed);
    }

    /// Lets all offers come due, finds them and works everything off.
    ///
    /// # Errors
    /// Where a flow or the queue fails, or a message does.
    pub async fn pass(&self) -> Result<Worked> {
        self.clock.advance(LONGEST_INTERVAL);
        let mut worked = Worked::default();
        let (asked, pushed, told) = (
            self.supplier.calls(),
            self.channel.calls(),
            self.channel.told(),
        );
        loop {
            let (started, before) = (std::time::Instant::now(), self.counter.calls());
            let due = flows::queue_due_stock(&self.kervan).await?;
            worked.poll_s += started.elapsed().as_secs_f64();
            worked.poll = worked.poll + (self.counter.calls() - before);
            worked.runs += 1;
            if due == 0 {
                break;
            }
            worked.due += due;
            let (started, before) = (std::time::Instant::now(), self.counter.calls());
            while self.batch().await? {
                worked.invocations += 1;
            }
            worked.work_s += started.elapsed().as_secs_f64();
            worked.work = worked.work + (self.counter.calls() - before);
        }
        worked.asked = self.supplier.calls() - asked;
        worked.pushed = self.channel.calls() - pushed;
        worked.told = self.channel.told() - told;
        Ok(worked)
    }

    /// Works on a batch of the queue as the deployed function does; false where nothing is visible.
    async fn batch(&self) -> Result<bool> {
        let queue = &self.kervan.queues.inventory;
        let hidden = Duration::from_secs(360);
        let received = queue.receive(BATCH, hidden, Duration::ZERO).await?;
        if received.is_empty() {
            return Ok(false);
        }
        let receipts: Vec<String> = received.iter().map(|it| it.receipt.clone()).collect();
        let messages = received.into_iter().map(|it| Message {
            id: it.id,
            receipt: it.receipt,
            body: it.body,
            deliveries: it.deliveries,
        });
        let work = |task: InventoryTask| async move { flows::inventory(&self.kervan, &task).await };
        let failed = handler::batch(queue, messages.collect(), work).await;
        if !failed.is_empty() {
            bail!("{} messages failed", failed.len());
        }
        for receipt in receipts {
            queue.delete(&receipt).await?;
        }
        // Time passes while it works, so that not all offers come due in one moment.
        self.clock.advance(SignedDuration::from_millis(1));
        // The deployed function writes them.
        self.kervan.metrics.take();
        Ok(true)
    }
}

/// A supplier that tells of many offers at once.
#[derive(Debug)]
pub struct Supplier {
    id: AccountId,
    clock: Arc<ManualClock>,
    at_once: usize,
    /// Stock of one offer of so many is another than at first; 0 for none.
    changed: AtomicU32,
    calls: AtomicU64,
}

impl Supplier {
    /// How often it was asked.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Account for Supplier {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn read_stock(&self) -> Option<&dyn ReadStock> {
        Some(self)
    }
}

#[async_trait]
impl ReadStock for Supplier {
    fn products_at_once(&self) -> usize {
        self.at_once
    }

    async fn stock(
        &self,
        offers: &[OfferId],
        _ship_to: &CountryCode,
    ) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError> {
        let products: BTreeSet<&str> = offers.iter().map(|offer| offer.product.as_str()).collect();
        let calls = products.len().div_ceil(self.at_once.max(1));
        self.calls.fetch_add(calls as u64, Ordering::Relaxed);
        let changed = self.changed.load(Ordering::Relaxed);
        let at: Timestamp = self.clock.now();
        let answer = |offer: &OfferId| {
            let number = offer.product.get(4..).and_then(|it| it.parse::<u32>().ok());
            let number = number.unwrap_or_default();
            let is_changed = changed > 0 && number.is_multiple_of(changed);
            let stock = 10 + number % 30 + u32::from(is_changed);
            Ok("USD".parse().ok().map(|currency| Evidence {
                stock,
                cost: Money {
                    minor: 720,
                    currency,
                },
                at,
            }))
        };
        Ok(offers.iter().map(answer).collect())
    }
}

/// A channel that takes many listings at once.
#[derive(Debug)]
pub struct Channel {
    id: AccountId,
    at_once: usize,
    calls: AtomicU64,
    told: AtomicU64,
}

impl Channel {
    /// How often it was called.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Listings that it was told of.
    pub fn told(&self) -> u64 {
        self.told.load(Ordering::Relaxed)
    }
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
    fn one_call(&self, listings: &[&ListingId]) -> Vec<usize> {
        (0..listings.len().min(self.at_once)).collect()
    }

    async fn push(
        &self,
        updates: &[ListingUpdate],
        _: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.told.fetch_add(updates.len() as u64, Ordering::Relaxed);
        Ok(updates.iter().map(|_| Ok(())).collect())
    }
}

#[derive(Debug)]
struct NoNetwork;

#[async_trait]
impl Http for NoNetwork {
    async fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, HttpError> {
        Err(HttpError {
            sent: Sent::No,
            timed_out: false,
            problem: "there is no network".to_owned(),
        })
    }
}
