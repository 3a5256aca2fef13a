//! Everything the Amazon simulator knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;

use super::bucket::Level;
use super::feeds::Feed;
use super::feeds::Upload;
use super::happenings::Happened;
use super::listings::Change;
use super::lwa::Caller;
use super::notifications::Destination;
use super::notifications::Outgoing;
use super::notifications::Subscription;
use super::orders::Page;
use super::types::AmazonBucket;
use super::types::AmazonConfig;
use super::types::AmazonCounters;
use super::types::AmazonOperation;
use super::types::AmazonPackageView;
use super::types::AmazonSettings;
use super::types::AmazonStatus;
use crate::actions::ListHabits;
use crate::buyer::Buyer;
use crate::fault::Gate;
use crate::money::Money;
use crate::random::Random;
use crate::simulator::Marketplace;
use crate::simulator::Simulator;

/// Amazon as it stands.
#[derive(Clone)]
pub struct State {
    /// Shared by all copies until their settings differ.
    pub(super) config: Arc<AmazonConfig>,
    /// The clock's time at the start of the present call.
    pub(super) now: Timestamp,
    pub(super) random: Random,
    pub(super) gate: Gate,
    pub(super) counters: AmazonCounters,
    pub(super) buckets: BTreeMap<AmazonOperation, Option<AmazonBucket>>,
    pub(super) levels: BTreeMap<AmazonOperation, Level>,
    pub(super) tokens: BTreeMap<String, Token>,
    pub(super) refresh_revoked: bool,
    pub(super) listings: BTreeMap<String, Listing>,
    /// Accepted changes that do not show yet.
    pub(super) changes: Vec<(Timestamp, Change)>,
    pub(super) orders: BTreeMap<String, Order>,
    pub(super) pages: BTreeMap<String, Page>,
    pub(super) uploads: BTreeMap<String, Upload>,
    pub(super) feeds: BTreeMap<String, Feed>,
    pub(super) destinations: BTreeMap<String, Destination>,
    pub(super) subscriptions: BTreeMap<String, Subscription>,
    pub(super) outbox: Vec<Outgoing>,
    pub(super) lists: ListHabits,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) expires_at: Timestamp,
    pub(super) caller: Caller,
}

#[derive(Clone)]
pub(super) struct Listing {
    pub(super) sku: String,
    pub(super) title: String,
    pub(super) asin: String,
    pub(super) price: Money,
    pub(super) quantity: u32,
    pub(super) lead_time_days: Option<u32>,
    pub(super) changes: u32,
}

#[derive(Clone)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) is_paid: bool,
    /// Who cancelled it, as in `BUYER`.
    pub(super) cancelled_by: Option<&'static str>,
    pub(super) cancel_request: Option<String>,
    pub(super) by_amazon: bool,
    pub(super) programs: Vec<String>,
    pub(super) buyer: Buyer,
    pub(super) lines: Vec<Line>,
    pub(super) packages: Vec<AmazonPackageView>,
    pub(super) happened: Happened,
}

#[derive(Clone)]
pub(super) struct Line {
    pub(super) order_item_id: String,
    pub(super) sku: String,
    pub(super) title: String,
    pub(super) asin: String,
    pub(super) price: Money,
    pub(super) quantity: u32,
    pub(super) cancelled: u32,
    /// Who cancelled it alone, as in `BUYER`.
    pub(super) cancelled_by: Option<&'static str>,
    /// What Amazon collects on top of the price.
    pub(super) tax_cents: i64,
}

impl Line {
    /// Units that are not cancelled.
    pub(super) fn kept(&self) -> u32 {
        self.quantity.saturating_sub(self.cancelled)
    }

    /// The price of all of them, without tax.
    pub(super) fn goods(&self) -> Money {
        self.price.times(self.kept())
    }

    /// What the customer pays for them.
    pub(super) fn amount(&self) -> Money {
        let tax = if self.kept() == 0 { 0 } else { self.tax_cents };
        Money::new(self.goods().cents + tax, &*self.price.currency)
    }
}

impl Order {
    /// Units of a line in all packages but the one of this reference.
    pub(super) fn shipped(&self, order_item_id: &str, but: Option<&str>) -> u32 {
        let packages = self
            .packages
            .iter()
            .filter(|p| Some(p.reference.as_str()) != but);
        packages
            .flat_map(|package| &package.lines)
            .filter(|(id, _)| id == order_item_id)
            .map(|(_, units)| units)
            .sum()
    }

    /// Units of a line that are still to be sent.
    pub(super) fn left(&self, line: &Line) -> u32 {
        let shipped = self.shipped(&line.order_item_id, None);
        line.kept().saturating_sub(shipped)
    }

    pub(super) fn status(&self) -> AmazonStatus {
        if self.cancelled_by.is_some() || self.lines.iter().all(|line| line.kept() == 0) {
            return AmazonStatus::Cancelled;
        }
        if !self.is_paid {
            return AmazonStatus::Pending;
        }
        if self.lines.iter().all(|line| self.left(line) == 0) {
            AmazonStatus::Shipped
        } else if self.packages.is_empty() {
            AmazonStatus::Unshipped
        } else {
            AmazonStatus::PartiallyShipped
        }
    }

    pub(super) fn total(&self) -> Money {
        self.money(self.lines.iter().map(|line| line.amount().cents).sum())
    }

    /// An amount in the order's currency.
    pub(super) fn money(&self, cents: i64) -> Money {
        let currency = self.lines.first().map(|line| &*line.price.currency);
        Money::new(cents, currency.unwrap_or("USD"))
    }
}

impl Marketplace for State {
    type Config = AmazonConfig;
    type Settings = AmazonSettings;
    type Operation = AmazonOperation;
    type Counters = AmazonCounters;

    fn new(config: AmazonConfig, seed: u64, now: Timestamp) -> Self {
        Self {
            config: Arc::new(config),
            now,
            random: Random::new(seed ^ 0xA3A2),
            gate: Gate::default(),
            counters: AmazonCounters::default(),
            buckets: BTreeMap::new(),
            levels: BTreeMap::new(),
            tokens: BTreeMap::new(),
            refresh_revoked: false,
            listings: BTreeMap::new(),
            changes: Vec::new(),
            orders: BTreeMap::new(),
            pages: BTreeMap::new(),
            uploads: BTreeMap::new(),
            feeds: BTreeMap::new(),
            destinations: BTreeMap::new(),
            subscriptions: BTreeMap::new(),
            outbox: Vec::new(),
            lists: ListHabits::default(),
        }
    }

    fn catch_up(&mut self, now: Timestamp) {
        self.now = now;
        self.work_off();
    }

    fn router(simulator: Simulator<Self>) -> Router {
        super::routes::router(simulator)
    }

    fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    fn settings(&self) -> &AmazonSettings {
        &self.config.settings
    }

    fn settings_mut(&mut self) -> &mut AmazonSettings {
        &mut Arc::make_mut(&mut self.config).settings
    }

    fn counters(&self) -> AmazonCounters {
        AmazonCounters {
            calls: self.gate.calls.clone(),
            rate_limited: self.gate.limited.clone(),
            orders: u64::try_from(self.orders.len()).unwrap_or(u64::MAX),
            ..self.counters.clone()
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        let messages = self.outbox.iter().map(|one| one.due);
        let refunds = self
            .orders
            .values()
            .flat_map(|order| &order.happened.refunds)
            .map(|refund| refund.paid_at)
            .filter(|paid_at| *paid_at > self.now);
        messages.chain(refunds).min()
    }

    fn takes_ms(&self, operation: AmazonOperation) -> u64 {
        match operation {
            AmazonOperation::SearchOrders => self.lists.page_takes_ms,
            _ => 0,
        }
    }

    fn expire_access_tokens(&mut self) {
        for token in self.tokens.values_mut() {
            token.expires_at = self.now;
        }
    }

    fn revoke_consent(&mut self) {
        self.refresh_revoked = true;
        self.tokens.clear();
    }
}

impl State {
    /// Works off what was accepted earlier and is due.
    pub(super) fn work_off(&mut self) {
        self.work_off_feeds();
        self.work_off_changes();
    }

    /// The marketplace of listings and orders.
    pub(super) fn marketplace(&self) -> String {
        self.config
            .marketplace_ids
            .first()
            .cloned()
            .unwrap_or_default()
    }
}

/// Money as the Orders API writes it.
pub(super) fn money_json(money: &Money) -> Value {
    serde_json::json!({ "amount": money.decimal(), "currencyCode": money.currency })
}
