//! Everything the eBay simulator knows.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use p256::ecdsa::SigningKey;

use super::notification::Destination;
use super::subscriptions::Endpoint;
use super::subscriptions::Subscription;
use super::trading::Platform;
use super::types::CancelState;
use super::types::EbayConfig;
use super::types::EbayCounters;
use super::types::EbayOperation;
use super::types::EbaySettings;
use super::types::FulfillmentStatus;
use super::types::FulfillmentView;
use super::types::PaymentStatus;
use super::types::RefundView;
use crate::actions::FeeReport;
use crate::actions::Hidden;
use crate::actions::ListHabits;
use crate::actions::Party;
use crate::actions::Spoiled;
use crate::buyer::Buyer;
use crate::fault::Gate;
use crate::money::Money;
use crate::push::Outbox;
use crate::random::Random;
use crate::simulator::Marketplace;
use crate::simulator::Simulator;

/// eBay as it stands.
#[derive(Clone)]
pub struct State {
    /// Shared by all copies until their settings differ.
    pub(super) config: Arc<EbayConfig>,
    /// The clock's time at the start of the present call.
    pub(super) now: Timestamp,
    pub(super) random: Random,
    pub(super) gate: Gate,
    pub(super) counters: EbayCounters,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) refresh_revoked: bool,
    pub(super) offers: Vec<Offer>,
    /// `shipToLocationAvailability.quantity` by sku.
    pub(super) pools: BTreeMap<String, u32>,
    pub(super) orders: BTreeMap<String, Order>,
    pub(super) key: SigningKey,
    pub(super) kid: String,
    pub(super) destinations: BTreeMap<String, Destination>,
    pub(super) outbox: Outbox,
    /// Access tokens that have ended before their time.
    pub(super) ended_tokens: BTreeSet<String>,
    /// `alertEmail`
    pub(super) alert_email: Option<String>,
    /// Endpoints of the Notification API by id.
    pub(super) endpoints: BTreeMap<String, Endpoint>,
    /// Subscriptions of the Notification API by id.
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    /// Where platform notifications go.
    pub(super) platform: Platform,
    /// How lists of orders are answered.
    pub(super) list_habits: ListHabits,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) expires_at: Timestamp,
    pub(super) scopes: Vec<String>,
    pub(super) is_user: bool,
}

#[derive(Clone)]
pub(super) struct Offer {
    pub(super) sku: String,
    pub(super) title: String,
    pub(super) offer_id: String,
    pub(super) listing_id: String,
    pub(super) price: Money,
    pub(super) quantity: u32,
    pub(super) published: bool,
    pub(super) trading: bool,
    /// The day of the last revision and the number of revisions on it.
    pub(super) revisions: (Date, u32),
}

#[derive(Clone)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) created_at: Timestamp,
    pub(super) modified_at: Timestamp,
    pub(super) payment: PaymentStatus,
    pub(super) cancel: CancelState,
    pub(super) cancel_reason: String,
    pub(super) cancel_asked_at: Option<Timestamp>,
    pub(super) buyer: Buyer,
    pub(super) lines: Vec<Line>,
    pub(super) fulfillments: Vec<FulfillmentView>,
    pub(super) refunds: Vec<RefundView>,
    pub(super) sales_record: u64,
    pub(super) cancelled_by: Option<Party>,
    /// What reads do not show of the buyer.
    pub(super) hidden: Option<Hidden>,
    pub(super) is_reviewed: bool,
    pub(super) fee_report: FeeReport,
    pub(super) is_fulfilled_by_ebay: bool,
    /// No read shows it any more.
    pub(super) is_gone: bool,
    pub(super) spoiled: Option<Spoiled>,
    /// When the seller's or the buyer's doing last changed it, and how it was before.
    pub(super) before: Option<(Timestamp, Box<Order>)>,
}

#[derive(Clone)]
pub(super) struct Line {
    pub(super) line_item_id: String,
    pub(super) sku: String,
    pub(super) title: String,
    pub(super) listing_id: String,
    pub(super) price: Money,
    pub(super) quantity: u32,
    pub(super) shipped: u32,
    /// Of them, on eBay's pages.
    pub(super) shipped_by_hand: u32,
    /// What eBay collects from the buyer on top and pays to the state.
    pub(super) tax_cents: i64,
    /// The number that has to stand on the parcel.
    pub(super) tax_reference: Option<String>,
}

impl Line {
    pub(super) fn cost(&self) -> Money {
        self.price.times(self.quantity)
    }

    pub(super) fn status(&self) -> FulfillmentStatus {
        match self.shipped {
            0 => FulfillmentStatus::NotStarted,
            shipped if shipped < self.quantity => FulfillmentStatus::InProgress,
            _ => FulfillmentStatus::Fulfilled,
        }
    }
}

impl Order {
    pub(super) fn fulfillment_status(&self) -> FulfillmentStatus {
        let all = |wanted| self.lines.iter().all(|line| line.status() == wanted);
        if all(FulfillmentStatus::NotStarted) {
            FulfillmentStatus::NotStarted
        } else if all(FulfillmentStatus::Fulfilled) {
            FulfillmentStatus::Fulfilled
        } else {
            FulfillmentStatus::InProgress
        }
    }

    pub(super) fn total(&self) -> Money {
        let currency = self
            .lines
            .first()
            .map_or_else(|| "USD".to_owned(), |line| line.price.currency.clone());
        let cents = self.lines.iter().map(|line| line.cost().cents).sum();
        Money::new(cents, currency)
    }
}

impl Marketplace for State {
    type Config = EbayConfig;
    type Settings = EbaySettings;
    type Operation = EbayOperation;
    type Counters = EbayCounters;

    fn new(config: EbayConfig, seed: u64, now: Timestamp) -> Self {
        let mut random = Random::new(seed ^ 0xEBA7);
        let key = loop {
            // Almost every 32 bytes are a valid P-256 scalar; the few that are not are drawn again.
            if let Ok(key) = SigningKey::from_slice(&random.bytes32()) {
                break key;
            }
        };
        Self {
            kid: random.uuid(),
            key,
            config: Arc::new(config),
            now,
            random,
            gate: Gate::default(),
            counters: EbayCounters::default(),
            tokens: BTreeMap::new(),
            refresh_revoked: false,
            offers: Vec::new(),
            pools: BTreeMap::new(),
            orders: BTreeMap::new(),
            destinations: BTreeMap::new(),
            outbox: Outbox::default(),
            ended_tokens: BTreeSet::new(),
            alert_email: None,
            endpoints: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            platform: Platform::default(),
            list_habits: ListHabits::default(),
        }
    }

    fn catch_up(&mut self, now: Timestamp) {
        self.now = now;
    }

    fn router(simulator: Simulator<Self>) -> Router {
        super::routes::router(simulator)
    }

    fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    fn settings(&self) -> &EbaySettings {
        &self.config.settings
    }

    fn settings_mut(&mut self) -> &mut EbaySettings {
        &mut Arc::make_mut(&mut self.config).settings
    }

    fn counters(&self) -> EbayCounters {
        EbayCounters {
            calls: self.gate.calls.clone(),
            rate_limited: self.gate.limited.clone(),
            orders: u64::try_from(self.orders.len()).unwrap_or(u64::MAX),
            ..self.counters.clone()
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.outbox.next_due()
    }

    fn takes_ms(&self, operation: EbayOperation) -> u64 {
        match operation {
            EbayOperation::GetOrders | EbayOperation::TradingGetOrders => {
                self.list_habits.page_takes_ms
            }
            _ => 0,
        }
    }

    fn expire_access_tokens(&mut self) {
        let ended = std::mem::take(&mut self.tokens).into_keys();
        self.ended_tokens.extend(ended);
    }

    fn revoke_consent(&mut self) {
        self.refresh_revoked = true;
        self.tokens.clear();
        self.ended_tokens.clear();
    }
}

impl State {
    /// The calendar day that revisions are counted by.
    pub(super) fn today(&self) -> Date {
        Offset::UTC.to_datetime(self.now).date()
    }

    /// What a customer can buy of an offer.
    pub(super) fn listed_quantity(&self, offer: &Offer) -> u32 {
        let pool = self.pools.get(&offer.sku).copied().unwrap_or(0);
        pool.min(offer.quantity)
    }
}
