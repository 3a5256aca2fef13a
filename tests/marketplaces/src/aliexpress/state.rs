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
    pub(super) terms: Terms,
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
    /// When the user's consent ends before its time, and the access tokens with it.
    pub(super) consent_ends_at: Option<Timestamp>,
    /// Refresh tokens that a later one replaced.
    pub(super) replaced: Vec<String>,
    /// Codes of the consent page, and when they end.
    pub(super) codes: BTreeMap<String, Timestamp>,
}

/// What buying costs and meets beyond the catalogue.
#[derive(Clone, Default)]
pub(super) struct Terms {
    /// Tax on top of the goods, in hundredths of their price.
    pub(super) tax_percent: u32,
    /// Import charges of an order, in cents.
    pub(super) import_cents: i64,
    /// What an order costs beyond what was told, in hundredths of it.
    pub(super) more_percent: u32,
    /// Whether the buying account may not buy.
    pub(super) account_blocked: bool,
    /// Whether the next order is refused.
    pub(super) refuses_next: bool,
    /// How long a call takes, in milliseconds.
    pub(super) takes_ms: u64,
}

impl Terms {
    /// The tax on one of a product.
    pub(super) fn tax(&self, price: &Money) -> Money {
        Money::new(part_of(price.cents, self.tax_percent), &*price.currency)
    }
}

/// So many hundredths of an amount, rounded.
pub(super) fn part_of(cents: i64, percent: u32) -> i64 {
    cents.saturating_mul(i64::from(percent)).saturating_add(50) / 100
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
    /// Import charges, in cents.
    pub(super) import_cents: i64,
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
    /// Tax on top of all its units, in cents.
    pub(super) tax_cents: i64,
    /// Whether its price was told without tax.
    pub(super) taxed_on_top: bool,
    /// What it costs beyond what was told, in cents.
    pub(super) more_cents: i64,
}

impl Line {
    pub(super) fn goods(&self) -> Money {
        self.price.times(self.quantity)
    }

    pub(super) fn fee(&self) -> Money {
        Money::new(self.delivery.fee_cents, &*self.price.currency)
    }

    /// An amount in the line's currency.
    pub(super) fn money(&self, cents: i64) -> Money {
        Money::new(cents, &*self.price.currency)
    }

    /// Everything that is paid for it.
    pub(super) fn cost_cents(&self) -> i64 {
        self.goods().cents + self.fee().cents + self.tax_cents + self.more_cents
    }
}

impl Order {
    pub(super) fn cost(&self) -> Money {
        let lines: i64 = self.lines.iter().map(Line::cost_cents).sum();
        self.money(lines + self.import_cents)
    }

    /// An amount in the order's currency.
    pub(super) fn money(&self, cents: i64) -> Money {
        let currency = self
            .lines
            .first()
            .map_or("USD", |line| &line.price.currency);
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
            consent_ends_at: None,
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
            terms: Terms::default(),
            outbox: Outbox::default(),
            push_answers: VecDeque::new(),
        }
    }

    fn catch_up(&mut self, now: Timestamp) {
        self.move_orders(now);
        self.execute_feeds();
        self.end_refunds();
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
        let refund = self.seller.next_refund();
        [self.outbox.next_due(), self.next_event(), refund]
            .into_iter()
            .flatten()
            .min()
    }

    fn takes_ms(&self, operation: AliExpressOperation) -> u64 {
        match operation {
            AliExpressOperation::SolutionOrderGet => self.seller.lists.page_takes_ms,
            AliExpressOperation::TokenCreate | AliExpressOperation::TokenRefresh => 0,
            operation if operation.is_sellers() => 0,
            _ => self.terms.takes_ms,
        }
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
