//! Everything the Alibaba.com simulator knows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;

use super::types::IcbuConfig;
use super::types::IcbuCounters;
use super::types::IcbuOperation;
use super::types::IcbuParcelView;
use super::types::IcbuProduct;
use super::types::IcbuSettings;
use super::types::TradeStatus;
use crate::alibaba::supply::Supply;
use crate::clock::later;
use crate::fault::Gate;
use crate::push::Outbox;
use crate::random::Random;
use crate::simulator::Marketplace;
use crate::simulator::Simulator;

/// Alibaba.com as it stands.
#[derive(Clone)]
pub struct State {
    /// Shared by all copies until their settings differ.
    pub(super) config: Arc<IcbuConfig>,
    /// The clock's time at the start of the present call.
    pub(super) now: Timestamp,
    pub(super) random: Random,
    pub(super) gate: Gate,
    pub(super) counters: IcbuCounters,
    pub(super) tokens: Tokens,
    pub(super) products: BTreeMap<u64, Product>,
    pub(super) orders: BTreeMap<u64, Order>,
    pub(super) outbox: Outbox,
    pub(super) supply: Supply,
}

#[derive(Clone)]
pub(super) struct Tokens {
    /// Live access tokens and their ends.
    pub(super) access: BTreeMap<String, Timestamp>,
    pub(super) refresh: Option<String>,
    pub(super) refresh_ends_at: Timestamp,
    /// Refresh tokens that a later one replaced.
    pub(super) replaced: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Product {
    pub(super) new: IcbuProduct,
    pub(super) online: bool,
}

#[derive(Clone)]
pub(super) struct Order {
    pub(super) trade_id: u64,
    pub(super) reference: String,
    pub(super) properties: Value,
    pub(super) remark: String,
    pub(super) status: TradeStatus,
    pub(super) created_at: Timestamp,
    pub(super) modified_at: Timestamp,
    pub(super) paid_at: Option<Timestamp>,
    /// Product, sku, units, price of one in hundredths of a cent.
    pub(super) lines: Vec<(u64, u64, u32, i64)>,
    pub(super) from: String,
    pub(super) carrier: String,
    /// In hundredths of a cent.
    pub(super) fee: i64,
    /// Tax on the goods, in hundredths of a cent.
    pub(super) vat: i64,
    /// Import charges, in hundredths of a cent.
    pub(super) duty: i64,
    /// What the seller put on top, in hundredths of a cent.
    pub(super) adjusted: i64,
    /// What was paid, in hundredths of a cent.
    pub(super) paid: Option<i64>,
    /// What was paid back, in hundredths of a cent.
    pub(super) refunded: i64,
    pub(super) address: Value,
    pub(super) parcels: Vec<IcbuParcelView>,
}

impl Order {
    /// Goods alone, in hundredths of a cent.
    pub(super) fn goods(&self) -> i64 {
        let lines = self.lines.iter();
        lines
            .map(|(_, _, units, price)| price * i64::from(*units))
            .sum()
    }

    /// Everything that is paid for it, in hundredths of a cent.
    pub(super) fn total(&self) -> i64 {
        self.goods() + self.fee + self.vat + self.duty + self.adjusted
    }
}

impl Marketplace for State {
    type Config = IcbuConfig;
    type Settings = IcbuSettings;
    type Operation = IcbuOperation;
    type Counters = IcbuCounters;

    fn new(config: IcbuConfig, seed: u64, now: Timestamp) -> Self {
        let settings = &config.settings;
        let access_ends_at = later(now, Duration::from_secs(settings.access_token_s));
        let tokens = Tokens {
            access: BTreeMap::from([(config.access_token.clone(), access_ends_at)]),
            refresh: Some(config.refresh_token.clone()),
            refresh_ends_at: later(now, Duration::from_secs(settings.refresh_token_s)),
            replaced: Vec::new(),
        };
        Self {
            config: Arc::new(config),
            now,
            random: Random::new(seed ^ 0x1CB0),
            gate: Gate::default(),
            counters: IcbuCounters::default(),
            tokens,
            products: BTreeMap::new(),
            orders: BTreeMap::new(),
            outbox: Outbox::default(),
            supply: Supply::default(),
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

    fn settings(&self) -> &IcbuSettings {
        &self.config.settings
    }

    fn settings_mut(&mut self) -> &mut IcbuSettings {
        &mut Arc::make_mut(&mut self.config).settings
    }

    fn counters(&self) -> IcbuCounters {
        IcbuCounters {
            calls: self.gate.calls.clone(),
            rate_limited: self.gate.limited.clone(),
            ..self.counters.clone()
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.outbox.next_due()
    }

    fn takes_ms(&self, _operation: IcbuOperation) -> u64 {
        self.supply.takes_ms
    }

    fn expire_access_tokens(&mut self) {
        self.tokens.access.clear();
    }

    fn revoke_consent(&mut self) {
        self.tokens.access.clear();
        self.tokens.refresh = None;
    }
}

impl State {
    /// As request ids of the gateway look.
    pub(super) fn request_id(&mut self) -> String {
        format!("0b{}{}", self.random.hex(6), self.random.digits(16))
    }

    /// Changes an order's status and tells the buyer's application.
    pub(super) fn enter(&mut self, trade_id: u64, status: TradeStatus) {
        let now = self.now;
        if let Some(order) = self.orders.get_mut(&trade_id) {
            order.status = status;
            order.modified_at = now;
            if status == TradeStatus::Undeliver {
                order.paid_at = Some(now);
                order.paid = Some(order.total());
            }
        }
        self.announce(trade_id, status);
    }
}

/// A decimal amount in hundredths of a cent; four decimals are what prices have at most.
pub(super) fn amount(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 4 {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<4}").parse().ok()?;
    Some(whole * 10_000 + fraction)
}

/// Hundredths of a cent as a decimal with so many places.
pub(super) fn decimal(amount: i64, places: usize) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let amount = amount.unsigned_abs();
    let text = format!("{sign}{}.{:04}", amount / 10_000, amount % 10_000);
    let kept = text.len() - (4 - places.min(4));
    text[..kept].to_owned()
}
