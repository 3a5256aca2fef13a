//! A merchant with channels that keep what they are told, for tests.

use super::*;
use crate::clock::ManualClock;
use crate::context::{Accounts, Queues};
use crate::decide::Urgency;
use crate::domain::{AccountId, Evidence, Listing, ListingId, Money, Offer, Published};
use crate::http::NoNetwork;
use crate::marketplaces::{
    Account, CallError, Effect, Kind, ListingUpdate, OWN_LIMIT, PushInBulk, PushListings,
    ReadListings, Shown, Submission,
};
use crate::queue::{MemoryQueue, UnsetQueue};
use crate::seal::MemorySeal;
use crate::secrets::MemorySecrets;
use crate::store::{Condition, Item, MemoryStore, Page, Store, StoreError, Write, WriteError};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What was sent with one call: the channel, and skus with quantities.
pub(super) type Call = (String, Vec<(String, u32)>);

/// What one channel does.
#[derive(Debug, Default)]
pub(super) struct Does {
    /// Items of these skus fail so.
    pub(super) fails: BTreeMap<String, CallError>,
    /// The next submission ends so, whether or not it is taken.
    pub(super) submit_fails: Option<CallError>,
    /// A submission whose answer is lost is taken nevertheless.
    pub(super) takes_unanswered: bool,
    /// Submissions, by their ids.
    pub(super) submissions: Vec<(Submission, Vec<ListingUpdate>)>,
    /// Submissions are worked off.
    pub(super) is_done: bool,
    /// The most listings of one submission; 1000 where it is not said.
    pub(super) most_in_bulk: Option<usize>,
    /// The most bytes of one submission, of which each listing takes 100.
    pub(super) most_bytes: Option<usize>,
    /// What its listings show, by sku.
    shows: BTreeMap<String, Shown>,
    /// How many listings were read.
    reads: usize,
}

/// A channel.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: AccountId,
    most: usize,
    budget: Option<u32>,
    has_bulk: bool,
    clock: Arc<ManualClock>,
    log: Arc<Mutex<Vec<Call>>>,
    pub(super) does: Mutex<Does>,
}

impl Account for Channel {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn push_listings(&self) -> Option<&dyn PushListings> {
        Some(self)
    }

    fn read_listings(&self) -> Option<&dyn ReadListings> {
        Some(self)
    }

    fn push_in_bulk(&self) -> Option<&dyn PushInBulk> {
        self.has_bulk.then_some(self)
    }
}

impl Channel {
    fn outcome(&self, update: &ListingUpdate) -> Result<(), CallError> {
        let does = self.does.lock().unwrap();
        does.fails
            .get(update.listing.sku.as_str())
            .map_or(Ok(()), |error| Err(error.clone()))
    }

    /// A person at the channel sets a quantity.
    pub(super) fn changed_by_hand(&self, sku: &str, quantity: u32) {
        let mut does = self.does.lock().unwrap();
        does.shows.get_mut(sku).unwrap().quantity = quantity;
    }

    pub(super) fn reads(&self) -> usize {
        self.does.lock().unwrap().reads
    }

    pub(super) fn error(&self, kind: Kind, effect: Effect) -> CallError {
        let retry = Retry::After(Duration::from_secs(5));
        CallError::new(&self.id, "push", kind, retry, "wrong").with_effect(effect)
    }

    /// Our own limit holds items of this sku back for so long.
    pub(super) fn holds_back(&self, sku: &str, wait: Duration) {
        let error = CallError::new(
            &self.id,
            "push",
            Kind::Throttled,
            Retry::After(wait),
            OWN_LIMIT,
        );
        let mut does = self.does.lock().unwrap();
        does.fails.insert(sku.to_owned(), error);
    }

    pub(super) fn fails(&self, sku: &str, kind: Kind, effect: Effect) {
        let error = self.error(kind, effect);
        let mut does = self.does.lock().unwrap();
        does.fails.insert(sku.to_owned(), error);
    }
}

fn said(updates: &[ListingUpdate]) -> Vec<(String, u32)> {
    let one = |update: &ListingUpdate| (update.listing.sku.to_string(), update.quantity);
    updates.iter().map(one).collect()
}

#[async_trait]
impl PushListings for Channel {
    async fn push(
        &self,
        updates: &[ListingUpdate],
        _: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let call = (self.id.to_string(), said(updates));
        self.log.lock().unwrap().push(call);
        let outcomes: Vec<_> = updates.iter().map(|update| self.outcome(update)).collect();
        let mut does = self.does.lock().unwrap();
        for (update, outcome) in updates.iter().zip(&outcomes) {
            if outcome.is_ok() {
                let sku = update.listing.sku.to_string();
                let before = does.shows.get(&sku).map(|shown| shown.price);
                // What goes to zero keeps its price.
                let price = update
                    .price
                    .or(before)
                    .unwrap_or_else(|| Money::zero("USD".parse().unwrap()));
                let quantity = update.quantity;
                does.shows.insert(sku, Shown { quantity, price });
            }
        }
        Ok(outcomes)
    }

    fn one_call(&self, listings: &[&ListingId]) -> Vec<usize> {
        (0..listings.len().min(self.most)).collect()
    }

    fn revisions_per_day(&self) -> Option<u32> {
        self.budget
    }
}

#[async_trait]
impl ReadListings for Channel {
    async fn read(&self, listings: &[ListingId]) -> Vec<Result<Option<Shown>, CallError>> {
        let mut does = self.does.lock().unwrap();
        does.reads += listings.len();
        let shown = |id: &ListingId| Ok(does.shows.get(id.sku.as_str()).cloned());
        listings.iter().map(shown).collect()
    }
}

#[async_trait]
impl PushInBulk for Channel {
    fn most(&self) -> usize {
        self.does.lock().unwrap().most_in_bulk.unwrap_or(1000)
    }

    fn most_bytes(&self) -> usize {
        self.does.lock().unwrap().most_bytes.unwrap_or(usize::MAX)
    }

    fn bytes(&self, _: &ListingUpdate) -> usize {
        100
    }

    async fn submit(&self, updates: &[ListingUpdate]) -> Result<Submission, CallError> {
        let mut does = self.does.lock().unwrap();
        let submission = Submission {
            id: format!("F{}", does.submissions.len() + 1),
            at: crate::clock::Clock::now(&*self.clock),
        };
        let error = does.submit_fails.take();
        if error.is_none() || does.takes_unanswered {
            let handed_in = (submission.clone(), updates.to_vec());
            does.submissions.push(handed_in);
        }
        error.map_or(Ok(submission), Err)
    }

    async fn report(
        &self,
        submission: &Submission,
        updates: &[ListingUpdate],
    ) -> Result<Option<Vec<Result<(), CallError>>>, CallError> {
        {
            let does = self.does.lock().unwrap();
            let mut known = does.submissions.iter();
            let (_, handed_in) = known.find(|(it, _)| it.id == submission.id).unwrap();
            assert_eq!(handed_in, updates);
            if !does.is_done {
                return Ok(None);
            }
        }
        Ok(Some(updates.iter().map(|it| self.outcome(it)).collect()))
    }

    async fn submissions(&self, since: Timestamp) -> Result<Vec<Submission>, CallError> {
        let does = self.does.lock().unwrap();
        let all = does.submissions.iter().rev().map(|(it, _)| it.clone());
        Ok(all.filter(|it| it.at >= since).collect())
    }
}

/// A table whose writes take their time.
#[derive(Debug)]
struct SlowStore {
    inner: MemoryStore,
    clock: Arc<ManualClock>,
    write_us: Arc<AtomicI64>,
}

#[async_trait]
impl Store for SlowStore {
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
        let time = SignedDuration::from_micros(self.write_us.load(Ordering::Relaxed));
        self.clock.advance(time);
        self.inner.write(writes).await
    }

    async fn due(
        &self,
        lane: &str,
        from: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        self.inner.due(lane, from, until, limit).await
    }
}

/// A merchant.
pub(super) struct Merchant {
    pub(super) kervan: Kervan,
    pub(super) clock: Arc<ManualClock>,
    pub(super) channels: Vec<Arc<Channel>>,
    pub(super) queue: Arc<MemoryQueue>,
    /// How long a write takes, in microseconds.
    pub(super) write_us: Arc<AtomicI64>,
    log: Arc<Mutex<Vec<Call>>>,
}

/// A channel to open: its id, how many it takes at once, its budget, and whether it has a bulk call.
pub(super) type Opened = (&'static str, usize, Option<u32>, bool);

impl Merchant {
    pub(super) fn open(channels: &[Opened]) -> Self {
        // The table keeps due times to the millisecond, and a real clock is finer.
        let now = "2026-01-15T12:00:00.000123456Z".parse().unwrap();
        let clock = Arc::new(ManualClock::at(now));
        let log = Arc::new(Mutex::new(Vec::new()));
        let channels: Vec<Arc<Channel>> = channels
            .iter()
            .map(|(id, most, budget, has_bulk)| {
                Arc::new(Channel {
                    id: id.parse().unwrap(),
                    most: *most,
                    budget: *budget,
                    has_bulk: *has_bulk,
                    clock: clock.clone(),
                    log: log.clone(),
                    does: Mutex::default(),
                })
            })
            .collect();
        let secrets = Arc::new(MemorySecrets::new());
        let http = Arc::new(NoNetwork);
        let mut accounts = Accounts::new(Vec::new(), "", secrets, http, clock.clone(), None);
        for channel in &channels {
            accounts = accounts.with_account(channel.clone());
        }
        let queue = Arc::new(MemoryQueue::new(clock.clone()));
        let unset = Arc::new(UnsetQueue("A_QUEUE"));
        let queues = Queues {
            orders: unset.clone(),
            tracking: unset,
            inventory: queue.clone(),
        };
        let write_us = Arc::new(AtomicI64::new(0));
        let store = Arc::new(SlowStore {
            inner: MemoryStore::new(clock.clone()),
            clock: clock.clone(),
            write_us: write_us.clone(),
        });
        let seal = Arc::new(MemorySeal::new());
        let kervan = Kervan::new(clock.clone(), store, seal, queues, accounts);
        Self {
            kervan,
            clock,
            channels,
            queue,
            write_us,
            log,
        }
    }

    pub(super) fn advance(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// Sells a sku on every channel, as a variation of `group` where one is given.
    pub(super) async fn sell(&self, sku: &str, group: Option<&str>) {
        let usd = "USD".parse().unwrap();
        let sku = Sku::parse(sku).unwrap();
        for channel in &self.channels {
            let id = ListingId {
                channel: channel.id.clone(),
                sku: sku.clone(),
                offer: "1".to_owned(),
            };
            let mut listing = Listing::new(id, Money::parse("10.00", usd).unwrap());
            listing.variation_of = group.map(str::to_owned);
            let offer = Offer {
                id: OfferId::new("aliexpress:main".parse().unwrap(), sku.as_str(), "2").unwrap(),
                sku: sku.clone(),
                rank: 1,
                ship_to: "US".parse().unwrap(),
                shipping: None,
                evidence: None,
                interval_s: 600,
            };
            let (store, now) = (&*self.kervan.store, self.kervan.clock.now());
            catalog::put(store, listing, offer, now).await.unwrap();
        }
    }

    /// A sku of the first channel waits in the lane of its bulk call: it shows other units than there are.
    pub(super) async fn waits(&self, sku: &str, shows: u32, there_are: u32) {
        let (now, usd) = (self.kervan.clock.now(), "USD".parse().unwrap());
        let sku = Sku::parse(sku).unwrap();
        let id = ListingId {
            channel: self.channels[0].id.clone(),
            sku: sku.clone(),
            offer: "1".to_owned(),
        };
        let mut listing = Listing::new(id, Money::parse("10.00", usd).unwrap());
        listing.published = Some(Published {
            quantity: shows,
            price: listing.price,
            at: now,
        });
        let supplier = "aliexpress:main".parse().unwrap();
        let id = OfferId::new(supplier, sku.as_str(), "2").unwrap();
        let mut offer = Offer::new(id, sku.clone(), 1, "US".parse().unwrap());
        offer.evidence = Some(Evidence {
            stock: there_are,
            cost: Money::zero(usd),
            at: now,
        });
        let body = crate::flows::ledger::write(&listing).unwrap();
        let mut of_listing = Item::new(keys::listing(&listing.id), 1, body);
        of_listing.due = Some(publish::bulk_due(&listing.id, Urgency::Rise, now));
        let key = keys::offer(&sku, &offer.id);
        let body = crate::flows::ledger::write(&offer).unwrap();
        let mut of_offer = Item::new(key, 1, body);
        let free = (catalog::FREE.to_owned(), i64::from(there_are));
        of_offer.counters.extend([free]);
        let put = |item| Write::Put {
            item,
            only_if: Condition::Absent,
        };
        let writes = vec![put(of_listing), put(of_offer)];
        self.kervan.store.write(writes).await.unwrap();
    }

    /// The supplier has so many units of a sku.
    pub(super) async fn has(&self, sku: &str, stock: u32) {
        self.supplier_has("aliexpress:main", sku, stock, 0).await;
    }

    /// A supplier has so many units of a sku, at this cost in cents.
    pub(super) async fn supplier_has(&self, supplier: &str, sku: &str, stock: u32, cost: i64) {
        let sku = Sku::parse(sku).unwrap();
        let id = OfferId::new(supplier.parse().unwrap(), sku.as_str(), "2").unwrap();
        let (store, key) = (&*self.kervan.store, keys::offer(&sku, &id));
        if store.get(&key).await.unwrap().is_none() {
            let offer = Offer::new(id, sku, 1, "US".parse().unwrap());
            let item = Item::new(key.clone(), 1, crate::flows::ledger::write(&offer).unwrap());
            let only_if = Condition::Absent;
            let put = Write::Put { item, only_if };
            store.write(vec![put]).await.unwrap();
        }
        let item = store.get(&key).await.unwrap().unwrap();
        let evidence = Evidence {
            stock,
            cost: Money {
                minor: cost,
                currency: "USD".parse().unwrap(),
            },
            at: self.kervan.clock.now(),
        };
        let stored = catalog::stored_offer(&item).unwrap();
        look::note(&self.kervan, stored, Some(evidence))
            .await
            .unwrap();
    }

    /// The price of the first listing of a sku is half on top of its cost; so many units are held back.
    pub(super) async fn by_rules(&self, sku: &str, buffer: u32) {
        let text = r#"{ "price": { "rules": [
            { "markup_percent": 50, "shipping": "0 USD", "jump_factor": 9 }
        ] } }"#;
        let (store, rules) = (&*self.kervan.store, serde_json::from_str(text).unwrap());
        crate::flows::rules::set(store, &rules).await.unwrap();
        let mut listing = self.listing(sku).await;
        listing.pricing.by_rules = true;
        listing.buffer = buffer;
        let update = Write::Update {
            key: keys::listing(&listing.id),
            set_body: Some(crate::flows::ledger::write(&listing).unwrap()),
            set_due: None,
            add: Vec::new(),
            only_if: Vec::new(),
        };
        store.write(vec![update]).await.unwrap();
    }

    pub(super) async fn publish(&self, skus: &[&str]) -> Outcome {
        self.publish_after(skus, None).await
    }

    /// The same, where an order took units at a time.
    pub(super) async fn publish_after(
        &self,
        skus: &[&str],
        ordered_at: Option<Timestamp>,
    ) -> Outcome {
        let skus = skus.iter().map(|sku| Sku::parse(sku).unwrap()).collect();
        let task = InventoryTask::Publish { skus, ordered_at };
        inventory(&self.kervan, &task).await.unwrap()
    }

    /// Works on a message about what suppliers were asked since then, and found.
    pub(super) async fn publish_looked(&self, skus: &[&str], looked_since: Timestamp) {
        let skus: Vec<Sku> = skus.iter().map(|sku| Sku::parse(sku).unwrap()).collect();
        let why = Why {
            looked_since: Some(looked_since),
            ..Why::default()
        };
        publish(&self.kervan, &skus, why).await.unwrap();
    }

    pub(super) async fn listing(&self, sku: &str) -> Listing {
        let sku = Sku::parse(sku).unwrap();
        let entry = catalog::load(&*self.kervan.store, &sku).await.unwrap();
        entry.listings[0].listing.clone()
    }

    /// The quantity that the table says is shown; `None` where it does not know.
    pub(super) async fn shown(&self, sku: &str) -> Option<u32> {
        let now = self.kervan.clock.now();
        let listing = self.listing(sku).await;
        listing.shown(now).map(|published| published.quantity)
    }

    /// The price that the first channel was told last of a sku, in cents.
    pub(super) fn told_price(&self, sku: &str) -> Option<i64> {
        let does = self.channels[0].does.lock().unwrap();
        does.shows.get(sku).map(|shown| shown.price.minor)
    }

    /// Takes the calls so far.
    pub(super) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }

    /// Runs the schedule and works on what it queued, until nothing is left.
    pub(super) async fn minute(&self) {
        self.advance(1);
        queue_due_stock(&self.kervan).await.unwrap();
        let seen = self.queue.bodies();
        for body in &seen {
            let task: InventoryTask = crate::flows::ledger::read(body).unwrap();
            // The supplier is not asked here.
            if !matches!(task, InventoryTask::Look { .. }) {
                inventory(&self.kervan, &task).await.unwrap();
            }
        }
        self.take_all().await;
    }

    async fn take_all(&self) {
        use crate::queue::Queue;
        loop {
            let taken = self
                .queue
                .receive(10, Duration::from_secs(30), Duration::ZERO)
                .await
                .unwrap();
            if taken.is_empty() {
                return;
            }
            for message in taken {
                self.queue.delete(&message.receipt).await.unwrap();
            }
        }
    }
}
