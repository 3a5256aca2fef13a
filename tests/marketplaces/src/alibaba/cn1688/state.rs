//! Everything the 1688 simulator knows.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::types::Cn1688Config;
use super::types::Cn1688Counters;
use super::types::Cn1688Operation;
use super::types::Cn1688Product;
use super::types::Cn1688Settings;
use super::types::Cn1688Status;
use crate::actions::Party;
use crate::alibaba::supply::Supply;
use crate::clock::later;
use crate::fault::Gate;
use crate::push::Outbox;
use crate::random::Random;
use crate::simulator::Marketplace;
use crate::simulator::Simulator;

/// 1688 as it stands.
#[derive(Clone)]
pub struct State {
    /// Shared by all copies until their settings differ.
    pub(super) config: Arc<Cn1688Config>,
    /// The clock's time at the start of the present call.
    pub(super) now: Timestamp,
    pub(super) random: Random,
    pub(super) gate: Gate,
    pub(super) counters: Cn1688Counters,
    /// Live access tokens and their ends.
    pub(super) access: BTreeMap<String, Timestamp>,
    pub(super) refresh: Option<(String, Timestamp)>,
    pub(super) products: BTreeMap<u64, Product>,
    pub(super) orders: BTreeMap<u64, Order>,
    pub(super) purchases: u64,
    pub(super) outbox: Outbox,
    /// Messages that were taken from the list of those that nobody took.
    pub(super) confirmed: BTreeSet<u64>,
    pub(super) supply: Supply,
}

#[derive(Clone)]
pub(super) struct Product {
    pub(super) new: Cn1688Product,
    pub(super) published: bool,
}

#[derive(Clone)]
pub(super) struct Order {
    pub(super) order_id: u64,
    pub(super) reference: Option<String>,
    pub(super) purchase: u64,
    pub(super) seller: String,
    pub(super) status: Cn1688Status,
    pub(super) created_at: Timestamp,
    pub(super) modified_at: Timestamp,
    pub(super) lines: Vec<Line>,
    /// Fen.
    pub(super) carriage: i64,
    /// What the answer to the order said that it costs, in fen.
    pub(super) told: i64,
    /// What was paid, in fen.
    pub(super) paid: Option<i64>,
    pub(super) closed: Option<Closed>,
    pub(super) refund: Option<Refund>,
    pub(super) trade_type: String,
    pub(super) message: String,
    pub(super) address: Value,
    pub(super) parcels: Vec<Parcel>,
}

#[derive(Clone)]
pub(super) struct Line {
    pub(super) item_id: u64,
    pub(super) offer_id: u64,
    pub(super) spec_id: String,
    pub(super) units: u32,
    /// Fen.
    pub(super) price: i64,
    pub(super) part: u32,
}

#[derive(Clone)]
pub(super) struct Parcel {
    pub(super) logistics_id: String,
    pub(super) number: String,
    pub(super) signed: bool,
    /// It was refused or sent back.
    pub(super) failed: bool,
    /// What the carrier wrote, and when.
    pub(super) steps: Vec<(Timestamp, String)>,
    /// Lines in it, with their units.
    pub(super) items: Vec<(u64, u32)>,
}

/// How an unpaid order ended.
#[derive(Clone)]
pub(super) struct Closed {
    pub(super) by: Party,
    pub(super) reason: String,
}

/// An order that was paid back before it was sent.
#[derive(Clone)]
pub(super) struct Refund {
    /// `TQ` and digits.
    pub(super) id: String,
    pub(super) fen: i64,
    pub(super) at: Timestamp,
}

impl Order {
    /// What it costs, in fen.
    pub(super) fn total(&self) -> i64 {
        self.goods() + self.carriage
    }

    /// Fen, without carriage.
    pub(super) fn goods(&self) -> i64 {
        goods(&self.lines)
    }
}

/// What lines cost together, in fen.
pub(super) fn goods(lines: &[Line]) -> i64 {
    let lines = lines.iter();
    lines.map(|line| line.price * i64::from(line.units)).sum()
}

impl Marketplace for State {
    type Config = Cn1688Config;
    type Settings = Cn1688Settings;
    type Operation = Cn1688Operation;
    type Counters = Cn1688Counters;

    fn new(config: Cn1688Config, seed: u64, now: Timestamp) -> Self {
        let settings = &config.settings;
        let access_ends_at = later(now, Duration::from_secs(settings.access_token_s));
        let refresh_ends_at = later(now, Duration::from_secs(settings.refresh_token_s));
        Self {
            access: BTreeMap::from([(config.access_token.clone(), access_ends_at)]),
            refresh: Some((config.refresh_token.clone(), refresh_ends_at)),
            config: Arc::new(config),
            now,
            random: Random::new(seed ^ 0x1688),
            gate: Gate::default(),
            counters: Cn1688Counters::default(),
            products: BTreeMap::new(),
            orders: BTreeMap::new(),
            purchases: 0,
            outbox: Outbox::default(),
            confirmed: BTreeSet::new(),
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

    fn settings(&self) -> &Cn1688Settings {
        &self.config.settings
    }

    fn settings_mut(&mut self) -> &mut Cn1688Settings {
        &mut Arc::make_mut(&mut self.config).settings
    }

    fn counters(&self) -> Cn1688Counters {
        Cn1688Counters {
            calls: self.gate.calls.clone(),
            rate_limited: self.gate.limited.clone(),
            ..self.counters.clone()
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        self.outbox.next_due()
    }

    fn takes_ms(&self, _operation: Cn1688Operation) -> u64 {
        self.supply.takes_ms
    }

    fn expire_access_tokens(&mut self) {
        self.access.clear();
    }

    fn revoke_consent(&mut self) {
        self.access.clear();
        self.refresh = None;
    }
}

impl State {
    /// Changes an order's status and tells the buyer's application.
    pub(super) fn enter(&mut self, order_id: u64, status: Cn1688Status) {
        let now = self.now;
        if let Some(order) = self.orders.get_mut(&order_id) {
            order.status = status;
            order.modified_at = now;
            if status == Cn1688Status::WaitSellerSend {
                order.paid = Some(order.total());
            }
        }
        let topic = match status {
            Cn1688Status::WaitBuyerPay => "ORDER_BUYER_VIEW_BUYER_MAKE",
            Cn1688Status::WaitSellerSend => "ORDER_BUYER_VIEW_ORDER_PAY",
            Cn1688Status::WaitBuyerReceive => "ORDER_BUYER_VIEW_ANNOUNCE_SENDGOODS",
            Cn1688Status::Success => "ORDER_BUYER_VIEW_ORDER_SUCCESS",
            Cn1688Status::Cancel | Cn1688Status::Terminated => {
                "ORDER_BUYER_VIEW_ORDER_SELLER_CLOSE"
            }
        };
        self.announce(order_id, topic, &json!(status));
    }
}

/// Fen as yuan.
pub(super) fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}
