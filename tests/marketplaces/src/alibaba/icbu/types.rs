//! What the Alibaba.com simulator is told and what it shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::defaults;
use crate::operation::operations;

/// Credentials and first settings.
#[derive(Debug, Clone)]
pub struct IcbuConfig {
    /// Application key.
    pub app_key: String,
    /// Application secret.
    pub app_secret: String,
    /// The access token that is valid from the start.
    pub access_token: String,
    /// The refresh token that is valid from the start.
    pub refresh_token: String,
    /// The buying account (`seller_id` in pushes).
    pub seller_id: String,
    /// What can also be changed later.
    pub settings: IcbuSettings,
}

impl Default for IcbuConfig {
    fn default() -> Self {
        Self {
            app_key: defaults::ALIBABA_APP_KEY.to_owned(),
            app_secret: defaults::ALIBABA_APP_SECRET.to_owned(),
            access_token: defaults::ALIBABA_ACCESS_TOKEN.to_owned(),
            refresh_token: defaults::ALIBABA_REFRESH_TOKEN.to_owned(),
            seller_id: defaults::ALIBABA_SELLER_ID.to_owned(),
            settings: IcbuSettings::default(),
        }
    }
}

/// Where an order shows the buyer's reference, which no page says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceShown {
    /// In the list and in the order.
    InList,
    /// In the order alone.
    InOrder,
    /// Nowhere.
    Nowhere,
}

/// Times and habits that can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IcbuSettings {
    /// Life of an access token in seconds (10 days).
    pub access_token_s: u64,
    /// Life of the refresh token from consent in seconds (60 days); refreshing does not prolong it.
    pub refresh_token_s: u64,
    /// Milliseconds from an order until it can be read.
    pub order_visible_after_ms: u64,
    /// Where an order shows the buyer's reference.
    pub reference_shown: ReferenceShown,
    /// The buyer has paid an order by hand before; until then every payment fails.
    pub has_paid_before: bool,
    /// Payments fail.
    pub pay_fails: bool,
    /// The most of a page of orders, whatever is asked for.
    pub orders_per_page: usize,
    /// Errors are answered in XML, as the older gateway does.
    pub errors_in_xml: bool,
    /// Where events are pushed to. `None` pushes nothing.
    pub push_url: Option<String>,
    /// How long a push waits for its answer, in milliseconds.
    pub push_wait_ms: u64,
    /// Milliseconds between deliveries of one push.
    pub push_retry_gap_ms: u64,
    /// Deliveries after the first.
    pub push_retries: u32,
}

impl Default for IcbuSettings {
    fn default() -> Self {
        Self {
            access_token_s: 864_000,
            refresh_token_s: 5_184_000,
            order_visible_after_ms: 500,
            reference_shown: ReferenceShown::InOrder,
            has_paid_before: true,
            pay_fails: false,
            orders_per_page: 50,
            errors_in_xml: false,
            push_url: None,
            push_wait_ms: 500,
            push_retry_gap_ms: 1_800_000,
            push_retries: 12,
        }
    }
}

operations! {
    /// The calls that are counted, limited and can be made to fail.
    pub enum IcbuOperation {
        /// /auth/token/refresh
        TokenRefresh = "/auth/token/refresh",
        /// /eco/buyer/product/check
        ProductCheck = "/eco/buyer/product/check",
        /// /eco/buyer/product/description
        Description = "/eco/buyer/product/description",
        /// /eco/buyer/product/inventory
        Inventory = "/eco/buyer/product/inventory",
        /// /shipping/freight/calculate
        BasicFreight = "/shipping/freight/calculate",
        /// /order/freight/calculate
        Freight = "/order/freight/calculate",
        /// /buynow/order/create
        OrderCreate = "/buynow/order/create",
        /// /alibaba/dropshipping/order/pay
        OrderPay = "/alibaba/dropshipping/order/pay",
        /// /alibaba/order/list
        OrderList = "/alibaba/order/list",
        /// /alibaba/order/get
        OrderGet = "/alibaba/order/get",
        /// /order/logistics/tracking/get
        Tracking = "/order/logistics/tracking/get",
        /// /order/logistics/query
        Logistics = "/order/logistics/query",
    }
}

/// A product to be sold.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcbuProduct {
    /// Product id.
    pub product_id: u64,
    /// The seller; an order is of one.
    pub company: String,
    /// Its variants, at least one.
    pub skus: Vec<IcbuSku>,
    /// How it can be sent.
    pub carriers: Vec<IcbuCarrier>,
    /// Countries that it is not sent to.
    #[serde(default)]
    pub not_to: Vec<String>,
}

impl IcbuProduct {
    /// A product with one variant at one place, sent by one carrier for 4.67 dollars.
    pub fn simple(product_id: u64, company: &str, price: &str, place: &str, stock: u32) -> Self {
        Self {
            product_id,
            company: company.to_owned(),
            skus: vec![IcbuSku {
                sku_id: product_id * 10 + 1,
                tiers: vec![(1, price.to_owned())],
                stock: BTreeMap::from([(place.to_owned(), stock)]),
            }],
            carriers: vec![IcbuCarrier {
                code: "EX_ASP_JYC_FEDEX".to_owned(),
                from: place.to_owned(),
                fee: "4.67".to_owned(),
                days: "5-9".to_owned(),
            }],
            not_to: Vec::new(),
        }
    }
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcbuSku {
    /// Sku id.
    pub sku_id: u64,
    /// Prices in US dollars from so many units on, the smallest number first; fewer units are not sold.
    pub tiers: Vec<(u32, String)>,
    /// Units at each place: CN, US, MX.
    pub stock: BTreeMap<String, u32>,
}

/// A way of sending a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IcbuCarrier {
    /// The `vendor_code`, which an order takes as `carrier_code`.
    pub code: String,
    /// The place that it fetches from.
    pub from: String,
    /// Fee of an order in US dollars.
    pub fee: String,
    /// Days, as in `5-9`.
    pub days: String,
}

/// `trade_status`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeStatus {
    /// Ordered, not paid.
    Unpay,
    /// Paid, not sent.
    Undeliver,
    /// A part is sent.
    Delivering,
    /// Sent.
    WaitConfirmReceipt,
    /// Arrived and confirmed.
    TradeSuccess,
    /// Closed.
    TradeClose,
    /// There is a dispute.
    Frozen,
}

/// An order as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct IcbuOrderView {
    /// The platform's number, beyond 2^53.
    pub trade_id: u64,
    /// The buyer's own reference.
    pub channel_refer_id: String,
    /// Where it stands.
    pub status: TradeStatus,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Product, sku and units.
    pub lines: Vec<(u64, u64, u32)>,
    /// Where it is sent from.
    pub dispatch_location: String,
    /// The carrier that was chosen.
    pub carrier_code: String,
    /// The address as it was sent.
    pub address: Value,
    /// Parcels.
    pub parcels: Vec<IcbuParcelView>,
    /// What was quoted for it, goods and freight, in cents.
    pub quoted_cents: i64,
    /// Tax on top, in cents.
    pub vat_cents: i64,
    /// Import charges on top, in cents.
    pub duty_cents: i64,
    /// What the seller put on top, in cents.
    pub adjusted_cents: i64,
    /// What it costs, in cents.
    pub total_cents: i64,
    /// What was paid, in cents.
    pub paid_cents: Option<i64>,
    /// What was paid back, in cents.
    pub refunded_cents: i64,
}

/// A parcel.
#[derive(Debug, Clone, Serialize)]
pub struct IcbuParcelView {
    /// Tracking number.
    pub tracking_number: String,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// It was refused or sent back.
    pub failed: bool,
    /// What the carrier wrote beside its first event, and when.
    pub events: Vec<(Timestamp, String)>,
}

/// What matters to "never twice" and to limits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IcbuCounters {
    /// Calls by operation, failed and refused ones included.
    pub calls: BTreeMap<String, u64>,
    /// Calls answered with a call limit.
    pub rate_limited: BTreeMap<String, u64>,
    /// Orders by the buyer's reference. More than 1 is a purchase made twice: the platform does not stop it.
    pub orders_by_reference: BTreeMap<String, u64>,
    /// Orders.
    pub orders: u64,
    /// Units ordered.
    pub units_bought: u64,
    /// Orders refused because there were fewer units.
    pub refused_out_of_stock: u64,
    /// Payments that went through.
    pub payments: u64,
    /// Calls with a wrong or missing signature.
    pub bad_signatures: u64,
    /// Calls with a missing, expired or unknown access token.
    pub unauthorized: u64,
    /// Refreshes that worked.
    pub refreshes: u64,
    /// Refreshes with a refresh token that another refresh had replaced.
    pub refresh_races: u64,
}
