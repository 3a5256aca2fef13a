//! The invariants, watched while the functions run. Each is checked where it could break first: at the write, the send or
//! the call itself, not at the end.

mod calls;
mod mirror;
mod sales;
mod wanted;

use crate::gate::{Gate, RunId};
use crate::oversold::{Books, Known, Moment};
use crate::plain_supplier::{SHELF_PRODUCT, Shelf};
use jiff::{SignedDuration, Timestamp};
use kervan::clock::Clock;
use kervan::clock::ManualClock;
use kervan::domain::{
    AccountId, Bundle, Cancel, OfferId, Order, OrderKey, Part, Payment, Phase, PurchaseState, Sku,
};
use kervan::flows::{FlowError, Outcome, catalog, ledger};
use kervan::queue::Outgoing;
use kervan::store::{Item, Key, MemoryStore, Store, Write, keys};
use kervan_marketplaces::{AliExpress, Ebay};
use mirror::Mirror;
pub(crate) use mirror::StoredOffer;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wanted::Reads;
pub(crate) use wanted::still_wanted;

/// Terms are bought on for ten minutes, and a worker may take a while.
const OLDEST_TERMS: SignedDuration = SignedDuration::from_mins(13);
/// A worker that loaded its evidence so long ago may still push what it found.
const PUSH_SLACK: SignedDuration = SignedDuration::from_mins(5);

/// An invariant that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// As `I2`.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.invariant, self.what)
    }
}

#[derive(Default)]
struct State {
    violations: Vec<Violation>,
    /// The lease of each reference, as it was written.
    leases: BTreeMap<String, Lease>,
    /// When the channel last changed each order, as far as the table knows.
    changed: BTreeMap<OrderKey, Timestamp>,
    /// Whether eBay has really demanded that the buyer's data goes.
    erasure_demanded: bool,
    /// References with the order and the purchase that they mean.
    references: BTreeMap<String, OrderKey>,
    /// Calls on the wire that must not meet another of their kind: placing a reference, renewing a token.
    in_flight: BTreeMap<String, u32>,
    /// Bodies of messages that each run has put into a queue.
    sent: BTreeMap<RunId, Vec<String>>,
    /// How many messages of a body each run has finished for good: two of one batch can say the same.
    finished: BTreeMap<(RunId, String), usize>,
    mirror: Mirror,
    has_placed: bool,
    /// What the table says that a listing shows; none where it does not know.
    shown: BTreeMap<Key, Option<u32>>,
    /// What it said before it forgot, because the channel was to be told.
    shown_before: BTreeMap<Key, u32>,
    reads: Reads,
    /// When each run began.
    began: BTreeMap<RunId, Moment>,
    books: Books,
}

impl State {
    fn listing_written(&mut self, key: &Key) {
        let Some(listing) = self.mirror.listings.get(key) else {
            return;
        };
        let published = listing.published.as_ref();
        let now = published.map(|published| published.quantity);
        let before = self.shown.insert(key.clone(), now);
        if now.is_none() {
            let before = before.flatten().unwrap_or(0);
            self.shown_before.insert(key.clone(), before);
        }
    }
}

/// A lease of a purchase.
#[derive(Clone, Copy)]
struct Lease {
    holder: RunId,
    until: Timestamp,
    /// Whether money may be spent, by what the table knew when the lease was written.
    may_buy: bool,
}

/// Watches. Copies watch the same.
#[derive(Clone)]
pub(crate) struct Monitor {
    state: Arc<Mutex<State>>,
    gate: Gate,
    clock: Arc<ManualClock>,
    store: Arc<MemoryStore>,
    channels: Vec<(AccountId, Ebay)>,
    suppliers: Vec<AliExpress>,
    shelf: Option<Shelf>,
    /// What bundles are made of; no scenario changes that.
    bundles: Arc<[Bundle]>,
    forbidden: Arc<[&'static str]>,
}

impl fmt::Debug for Monitor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Monitor")
    }
}

impl Monitor {
    pub(crate) fn new(
        gate: Gate,
        stage: &crate::stage::Stage,
        shelf: Option<Shelf>,
        forbidden: &[&'static str],
    ) -> Self {
        let second = stage.second.iter().cloned();
        let items = stage.store.items().into_iter();
        let bundles = items.filter(|item| item.key.sk == keys::BUNDLE);
        let bundles = bundles.filter_map(|item| ledger::read(&item.body).ok());
        let mut state = State::default();
        for item in stage.store.items() {
            if let Err(error) = state.mirror.set(&item.key, Some(&item)) {
                let what = error.to_string();
                state.violations.push(Violation {
                    invariant: "I8",
                    what,
                });
            }
            state.listing_written(&item.key);
        }
        Self {
            state: Arc::new(Mutex::new(state)),
            gate,
            clock: stage.clock.clone(),
            store: stage.store.clone(),
            channels: stage
                .channels()
                .into_iter()
                .map(|(channel, ebay)| (channel, ebay.clone()))
                .collect(),
            suppliers: std::iter::once(stage.aliexpress.clone())
                .chain(second)
                .collect(),
            shelf,
            bundles: bundles.collect(),
            forbidden: forbidden.into(),
        }
    }

    /// What one unit of a sku is bought as: a bundle's parts, or the sku itself.
    pub(crate) fn parts_of(&self, sku: &Sku) -> Vec<Part> {
        let bundle = self.bundles.iter().find(|bundle| bundle.sku() == sku);
        let itself = || Part {
            sku: sku.clone(),
            units: 1,
        };
        bundle.map_or_else(|| vec![itself()], |bundle| bundle.parts().to_vec())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that an invariant did not hold.
    pub(crate) fn report(&self, invariant: &'static str, what: impl Into<String>) {
        let what = what.into();
        self.lock().violations.push(Violation { invariant, what });
    }

    /// What did not hold so far.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        self.lock().violations.clone()
    }

    pub(crate) fn is_broken(&self) -> bool {
        !self.lock().violations.is_empty()
    }

    /// How many messages a run has put into queues.
    pub(crate) fn sent_by(&self, run: RunId) -> usize {
        self.lock().sent.get(&run).map_or(0, Vec::len)
    }

    /// A run begins.
    pub(crate) fn began(&self, run: RunId) {
        let now = self.clock.now();
        let mut state = self.lock();
        let moment = state.books.moment(now);
        state.began.insert(run, moment);
    }

    /// Whether a purchase was placed, as the table has it.
    pub(crate) fn has_placed(&self) -> bool {
        self.lock().has_placed
    }

    /// A transaction was written: I3, I6, I7 and I8 of what it touched.
    pub(crate) async fn written(&self, writes: &[Write]) {
        let run = self.gate.current();
        for write in writes {
            let (key, body) = match write {
                Write::Put { item, .. } => (&item.key, Some(&item.body)),
                Write::Update { key, set_body, .. } => (key, set_body.as_ref()),
                Write::Delete { key } | Write::DeleteIf { key, .. } => (key, None),
            };
            if let Some(body) = body {
                self.nothing_in_the_open(&format!("{} {}", key.pk, key.sk), body);
            }
            self.mirror(key, body.is_some()).await;
        }
        for write in writes {
            if let (Write::Put { item, .. }, keys::STATE) = (write, write.key().sk.as_str()) {
                self.order_written(run, item, writes).await;
            }
        }
        let takes = |write: &&Write| match write {
            Write::Update { add, set_body, .. } => {
                set_body.is_none()
                    && add
                        .iter()
                        .any(|(name, by)| *name == catalog::FREE && *by < 0)
            }
            _ => false,
        };
        let taken: Vec<&Key> = writes.iter().filter(takes).map(Write::key).collect();
        self.units_are_conserved(&taken);
    }

    /// Takes over what the table has under a key that was written.
    async fn mirror(&self, key: &Key, has_body: bool) {
        let Ok(item) = self.store.get(key).await else {
            return self.report("I8", format!("{} {} cannot be read", key.pk, key.sk));
        };
        let set = {
            let mut state = self.lock();
            let set = state.mirror.set(key, item.as_ref());
            if has_body {
                state.listing_written(key);
            }
            set
        };
        if let Err(error) = set {
            self.report("I8", error.to_string());
        }
        if item.is_none() && key.sk == keys::STATE {
            self.report("I8", format!("{} was deleted", key.pk));
        }
    }

    async fn order_written(&self, run: RunId, item: &Item, writes: &[Write]) {
        let Ok(order) = ledger::read::<Order>(&item.body) else {
            return self.report("I8", "an order that cannot be read was written");
        };
        {
            let mut state = self.lock();
            let before = state.mirror.orders.insert(order.key.clone(), order.clone());
            for purchase in &order.purchases {
                let reference = purchase.reference.as_str().to_owned();
                state
                    .references
                    .insert(reference.clone(), order.key.clone());
                state.has_placed |=
                    purchase.is_live() && !matches!(purchase.state, PurchaseState::Placing { .. });
                if let PurchaseState::Placing {
                    lease_until: until, ..
                } = purchase.state
                {
                    // One that was given back and taken at the same instant ends at the same time, and is another.
                    let before = before
                        .as_ref()
                        .and_then(|order| order.purchase(purchase.number));
                    let is_held = before.is_some_and(|before| {
                        matches!(before.state, PurchaseState::Placing { lease_until, .. } if lease_until == until)
                    });
                    if !is_held {
                        let lease = Lease {
                            holder: run,
                            until,
                            may_buy: may_buy(&order),
                        };
                        state.leases.insert(reference, lease);
                    }
                }
            }
        }
        self.buying_begins_well(&order);
        self.channel_goes_forward(&order);
        let waits = order.attention.is_some();
        if order.phase == Phase::Open && item.due.is_none() && !waits {
            self.report(
                "I3",
                format!("{} is open and nobody will look at it", order.key),
            );
        }
        let listed = self.store.get(&keys::attention(&order.key)).await;
        if waits && !matches!(listed, Ok(Some(_))) {
            self.report("I3", format!("{} waits and is not in the list", order.key));
        }
        self.history_gives(&order, writes);
    }

    /// I8: the history records that came with an order's state give that state.
    fn history_gives(&self, order: &Order, writes: &[Write]) {
        let partition = keys::order(&order.key);
        let records = writes.iter().filter_map(|write| match write {
            Write::Put { item, .. } => Some(item),
            _ => None,
        });
        let records = records
            .filter(|item| item.key.pk == partition && item.key.sk.starts_with(keys::HISTORY));
        let problem = {
            let mut state = self.lock();
            let bodies = records.map(|item| item.body.as_str());
            match state.mirror.replay(&order.key, bodies) {
                Ok(Some(replayed)) if replayed == order => None,
                Ok(_) => Some("gives another state".to_owned()),
                Err(error) => Some(error.to_string()),
            }
        };
        if let Some(problem) = problem {
            self.report("I8", format!("{}'s history: {problem}", order.key));
        }
    }

    /// I8 at the end: every order's whole history, read from the table, gives the state that is stored.
    pub(crate) async fn replay_everything(&self) {
        for known in self.orders_now() {
            let key = &known.key;
            let stored = ledger::load(&*self.store, key).await;
            let replayed = ledger::replay(&*self.store, key).await;
            match (stored, replayed) {
                (Ok(Some(stored)), Ok(Some(replayed))) if stored == known && replayed == known => {}
                (Err(error), _) | (_, Err(error)) => {
                    self.report("I8", format!("{key}'s history: {error}"));
                }
                _ => self.report("I8", format!("{key}'s history gives another state")),
            }
        }
    }

    /// I6: a purchase is begun on fresh terms, and not at a loss.
    fn buying_begins_well(&self, order: &Order) {
        let begun = order.purchases.iter().filter(|purchase| {
            let begun_now = |at: &Timestamp| *at == order.updated_at;
            matches!(&purchase.state, PurchaseState::Placing { first_sent_at, .. } if begun_now(first_sent_at))
        });
        for purchase in begun {
            let reference = &purchase.reference;
            if order.updated_at.duration_since(purchase.terms_at) > OLDEST_TERMS {
                self.report("I6", format!("{reference} is bought on old terms"));
            }
            let total = order.revenue();
            if order.cost().is_none_or(|cost| cost.minor > total.minor) {
                self.report("I6", format!("{reference} is bought at a loss"));
            }
        }
    }

    /// An older answer of the channel never replaces a newer one: what was cancelled would come back to life.
    fn channel_goes_forward(&self, order: &Order) {
        let now = order.details.modified_at;
        let before = self.lock().changed.insert(order.key.clone(), now);
        if before.is_some_and(|before| now < before) {
            self.report("I6", format!("{} went back to an older answer", order.key));
        }
    }

    /// eBay has really demanded that the buyer's data goes.
    pub(crate) fn demand_erasure(&self) {
        self.lock().erasure_demanded = true;
    }

    /// Whether it has.
    pub(crate) fn is_erasure_demanded(&self) -> bool {
        self.lock().erasure_demanded
    }

    /// I6: what is free, what is reserved and what was bought since the evidence add up to the evidence.
    fn units_are_conserved(&self, taken_now: &[&Key]) {
        let mut broken = Vec::new();
        let known = {
            let state = self.lock();
            let mut reserved: BTreeMap<(&Sku, &OfferId), i64> = BTreeMap::new();
            let purchases = state.mirror.orders.values().flat_map(|one| &one.purchases);
            let holding = purchases.filter(|purchase| {
                matches!(
                    purchase.state,
                    PurchaseState::Planned { .. } | PurchaseState::Placing { .. }
                )
            });
            for line in holding.flat_map(|purchase| &purchase.lines) {
                *reserved.entry((&line.sku, &line.offer)).or_default() += i64::from(line.quantity);
            }
            let mut known: BTreeMap<Sku, Vec<Known>> = BTreeMap::new();
            for (key, stored) in &state.mirror.offers {
                let offer = &stored.offer;
                let free = stored.counter(catalog::FREE);
                let bought = stored.counter(catalog::BOUGHT);
                let of_sku = known.entry(offer.sku.clone()).or_default();
                of_sku.extend(offer.evidence.as_ref().map(|evidence| Known {
                    evidence_at: evidence.at,
                    free,
                }));
                let taken = reserved.get(&(&offer.sku, &offer.id)).copied().unwrap_or(0);
                let evidence = offer.evidence.as_ref();
                let stock = evidence.map_or(0, |evidence| i64::from(evidence.stock));
                let id = &offer.id;
                if taken_now.contains(&key) && free < 0 {
                    broken.push(format!("offer {id}: {free} units are free after an order"));
                }
                if free + bought + taken != stock {
                    broken.push(format!(
                        "offer {id}: {free} free, {bought} bought and {taken} reserved are not {stock}"
                    ));
                }
            }
            known
        };
        for what in broken {
            self.report("I6", what);
        }
        self.note_known(known);
    }

    /// Every order as it is stored.
    pub(crate) fn orders_now(&self) -> Vec<Order> {
        self.lock().mirror.orders.values().cloned().collect()
    }

    /// Every offer as it is stored.
    pub(crate) fn offers_now(&self) -> Vec<StoredOffer> {
        self.lock().mirror.offers.values().cloned().collect()
    }

    fn nothing_in_the_open(&self, place: &str, text: &str) {
        if let Some(word) = self.forbidden.iter().find(|word| text.contains(**word)) {
            self.report("I7", format!("{word} stands in {place}"));
        }
    }

    /// Messages are about to be sent: I7.
    pub(crate) fn sending(&self, queue: &str, messages: &[Outgoing]) {
        for message in messages {
            self.nothing_in_the_open(queue, &message.body);
        }
    }

    /// Messages are in a queue.
    pub(crate) fn sent(&self, bodies: Vec<String>) {
        let run = self.gate.current();
        self.lock().sent.entry(run).or_default().extend(bodies);
    }

    /// Notes what a function's work on a message came to, and passes it on.
    pub(crate) fn worked<M: serde::Serialize>(
        &self,
        message: &M,
        result: Result<Outcome, FlowError>,
    ) -> Result<Outcome, FlowError> {
        let run = self.gate.current();
        if matches!(result, Ok(Outcome::Done)) {
            let body = ledger::write(message).unwrap_or_default();
            *self.lock().finished.entry((run, body)).or_default() += 1;
        }
        result
    }

    /// A message is about to be deleted: I1, unless its work is done or it was put back.
    pub(crate) fn deleting(&self, body: &str) {
        let run = self.gate.current();
        let is_kept = {
            let mut state = self.lock();
            let finished = state.finished.get_mut(&(run, body.to_owned()));
            let finished = finished.filter(|count| **count > 0);
            let is_finished = finished.map(|count| *count -= 1).is_some();
            let sent = state.sent.get_mut(&run);
            is_finished || sent.is_some_and(|sent| take_one(sent, body))
        };
        if !is_kept {
            self.report("I1", "a message whose work had failed was deleted");
        }
    }

    /// After an effect: what the marketplaces have counted. I2, I4 and I6 as they really came out.
    pub(crate) fn check_marketplaces(&self) {
        for supplier in &self.suppliers {
            let counters = supplier.counters();
            for (reference, times) in &counters.purchases_by_out_order_id {
                if *times > 1 {
                    self.report("I2", format!("{reference} was bought {times} times"));
                }
            }
            if counters.purchases_without_reference > 0 {
                self.report("I2", "something was bought without a reference");
            }
        }
        for (reference, times) in self.shelf.iter().flat_map(Shelf::purchases) {
            if times > 1 {
                self.report("I2", format!("{reference} was bought {times} times"));
            }
        }
        for (channel, ebay) in &self.channels {
            if ebay.counters().duplicate_fulfillments > 0 {
                self.report("I4", format!("a parcel was confirmed twice at {channel}"));
            }
        }
        let orders = self.channels.iter().flat_map(|(_, ebay)| ebay.orders());
        for order in orders {
            for line in &order.lines {
                if line.shipped > line.quantity {
                    let id = &order.order_id;
                    self.report(
                        "I4",
                        format!("more units of {id} were confirmed than bought"),
                    );
                }
            }
        }
    }

    /// Units that live orders at suppliers hold, by customer's order and supplier's product. A reference that no order has
    /// is a violation.
    pub(crate) fn units_bought(&self) -> BTreeMap<(OrderKey, String), u32> {
        let mut units: BTreeMap<(OrderKey, String), u32> = BTreeMap::new();
        let references = self.lock().references.clone();
        let mut add =
            |reference: &str, product: String, quantity: u32| match references.get(reference) {
                Some(order) => *units.entry((order.clone(), product)).or_default() += quantity,
                None => self.report("I2", format!("{reference} was bought and is in no order")),
            };
        for order in self.suppliers.iter().flat_map(AliExpress::orders) {
            for line in order.lines.iter().filter(|_| order.end_reason.is_none()) {
                let reference = order.out_order_id.as_deref().unwrap_or("");
                add(reference, line.product_id.to_string(), line.quantity);
            }
        }
        for (reference, quantity) in self.shelf.iter().flat_map(Shelf::units) {
            add(&reference, SHELF_PRODUCT.to_owned(), quantity);
        }
        units
    }
}

/// Takes one of these away; whether there was one.
fn take_one(bodies: &mut Vec<String>, body: &str) -> bool {
    let place = bodies.iter().position(|one| one == body);
    place.map(|place| bodies.swap_remove(place)).is_some()
}

/// Whether the table's knowledge of an order lets money be spent.
fn may_buy(order: &Order) -> bool {
    order.details.cancel == Cancel::No
        && order.details.payment == Payment::Paid
        && !order.is_shipped_by_hand()
}
