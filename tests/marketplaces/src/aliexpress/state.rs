//! Everything the AliExpress simulator knows.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::seller::Seller;
use super::types::AliExpressConfig;
use super::types::AliExpressCounters;
use super::types::AliExpressOperation;
use super::types::AliExpressSettings;
use super::types::DeliveryOption;
use super::types::NewSku;
use super::types::OrderStatus;
use super::types::ParcelView;
use crate::clock::later;
use crate::fault::Gate;
use crate::money::Money;
use crate::push::Outbox;
use crate::random::Random;
use crate::simulator::Marketplace;
use crate::simulator::Simulator;

/// AliExpress as it stands.
#[derive(Clone)]
pub struct State {
    /// Shared by all copies until their settings differ.
    pub(super) config: Arc<AliExpressConfig>,
    /// The clock's time at the start of the present call.
    pub(super) now: Timestamp,
    pub(super) random: Random,
    pub(super) gate: Gate,
    pub(super) counters: AliExpressCounters,
    pub(super) tokens: Tokens,
    pub(super) seller: Seller,
    pub(super) products: BTreeMap<u64, Product>,
    pub(super) orders: BTreeMap<u64, Order>,
    /// The orders that can still change by themselves, so that a long run does not look at all the finished ones.
    pub(super) open: BTreeSet<u64>,
    /// When each `out_order_id` bought last, and what.
    pub(super) purchases: BTreeMap<String, (Timestamp, Vec<u64>)>,
    pub(super) purchase_count: u64,
    pub(super) outbox: Outbox,
    /// Whether each of the last pushes was answered well.
    pub(super) push_answers: VecDeque<bool>,
}

#[derive(Clone)]
pub(super) struct Tokens {
    /// Live access tokens and their ends.
    pub(super) access: BTreeMap<String, Timestamp>,
    pub(super) refresh: Option<String>,
    pub(super) refresh_ends_at: Timestamp,
    /// Refresh tokens that a later one replaced.
    pub(super) replaced: Vec<String>,
    /// Codes of the consent page, and when they end.
    pub(super) codes: BTreeMap<String, Timestamp>,
}

#[derive(Clone)]
pub(super) struct Product {
    pub(super) product_id: u64,
    pub(super) title: String,
    pub(super) store_id: u64,
    pub(super) skus: Vec<Sku>,
    pub(super) delivery: Vec<DeliveryOption>,
    pub(super) not_to: Vec<String>,
    pub(super) on_sale: bool,
    /// Whether an order of it is taken.
    pub(super) takes_orders: bool,
}

#[derive(Clone)]
pub(super) struct Sku {
    pub(super) new: NewSku,
    pub(super) sold: u64,
}

#[derive(Clone)]
pub(super) struct Order {
    pub(super) order_id: u64,
    pub(super) out_order_id: Option<String>,
    pub(super) purchase: u64,
    pub(super) store_id: u64,
    pub(super) status: OrderStatus,
    pub(super) end_reason: Option<String>,
    pub(super) created_at: Timestamp,
    pub(super) paid_at: Option<Timestamp>,
    pub(super) lines: Vec<Line>,
    pub(super) address: Value,
    pub(super) parcels: Vec<ParcelView>,
}

#[derive(Clone)]
pub(super) struct Line {
    pub(super) product_id: u64,
    pub(super) title: String,
    pub(super) sku_id: u64,
    pub(super) sku_attr: String,
    pub(super) quantity: u32,
    pub(super) price: Money,
    pub(super) delivery: DeliveryOption,
}

impl Line {
    pub(super) fn goods(&self) -> Money {
        self.price.times(self.quantity)
    }

    pub(super) fn fee(&self) -> Money {
        Money::new(self.delivery.fee_cents, &*self.price.currency)
    }
}

impl Order {
    pub(super) fn cost(&self) -> Money {
        let currency = self
            .lines
            .first()
            .map_or_else(|| "USD".to_owned(), |line| line.price.currency.clone());
        let cents = self
            .lines
            .iter()
            .map(|line| line.goods().cents + line.fee().cents)
            .sum();
        Money::new(cents, currency)
    }
}

impl Marketplace for State {
    type Config = AliExpressConfig;
    type Settings = AliExpressSettings;
    type Operation = AliExpressOperation;
    type Counters = AliExpressCounters;

    fn new(config: AliExpressConfig, seed: u64, now: Timestamp) -> Self {
        let settings = &config.settings;
        let access_ends_at = later(now, Duration::from_secs(settings.access_token_s));
        let refresh_ends_at = later(now, Duration::from_secs(settings.refresh_token_s));
        let tokens = |access: &str, refresh: &str| Tokens {
            access: BTreeMap::from([(access.to_owned(), access_ends_at)]),
            refresh: Some(refresh.to_owned()),
            refresh_ends_at,
            replaced: Vec::new(),
            codes: BTreeMap::new(),
        };
        let buyers = tokens(&config.access_token, &config.refresh_token);
        let sellers = tokens(&config.seller_access_token, &config.seller_refresh_token);
        Self {
            config: Arc::new(config),
            now,
            random: Random::new(seed ^ 0xA11E),
            gate: Gate::default(),
            counters: AliExpressCounters::default(),
            tokens: buyers,
            seller: Seller::new(sellers),
            products: BTreeMap::new(),
            orders: BTreeMap::new(),
            open: BTreeSet::new(),
            purchases: BTreeMap::new(),
            purchase_count: 0,
            outbox: Outbox::default(),
            push_answers: VecDeque::new(),
        }
    }

    fn catch_up(&mut self, now: Timestamp) {
        self.move_orders(now);
        self.execute_feeds();
    }

    fn router(simulator: Simulator<Self>) -> Router {
        super::routes::router(simulator)
    }

    fn gate(&mut self) -> &mut Gate {
        &mut self.gate
    }

    fn settings(&self) -> &AliExpressSettings {
        &self.config.settings
    }

    fn settings_mut(&mut self) -> &mut AliExpressSettings {
        &mut Arc::make_mut(&mut self.config).settings
    }

    fn counters(&self) -> AliExpressCounters {
        AliExpressCounters {
            calls: self.gate.calls.clone(),
            rate_limited: self.gate.limited.clone(),
            ..self.counters.clone()
        }
    }

    fn next_due(&self) -> Option<Timestamp> {
        [self.outbox.next_due(), self.next_event()]
            .into_iter()
            .flatten()
            .min()
    }

    fn expire_access_tokens(&mut self) {
        self.tokens.access.clear();
        self.seller.tokens.access.clear();
    }

    fn revoke_consent(&mut self) {
        for tokens in [&mut self.tokens, &mut self.seller.tokens] {
            tokens.access.clear();
            tokens.refresh = None;
        }
    }
}

impl State {
    /// A number as a JSON number or, now and then, as a string.
    pub(super) fn loose(&mut self, number: u64) -> Value {
        if self.config.settings.mixed_types && self.random.one_in(3) {
            json!(number.to_string())
        } else {
            json!(number)
        }
    }

    /// A boolean as one or, now and then, as a string.
    pub(super) fn loose_bool(&mut self, value: bool) -> Value {
        if self.config.settings.mixed_types && self.random.one_in(3) {
            json!(value.to_string())
        } else {
            json!(value)
        }
    }

    /// As request ids of the gateway look.
    pub(super) fn request_id(&mut self) -> String {
        format!("21{}{}", self.random.hex(6), self.random.digits(16))
    }
}
