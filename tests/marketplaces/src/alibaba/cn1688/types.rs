//! What the 1688 simulator is told and what it shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::actions::Party;
use crate::defaults;
use crate::operation::operations;

/// Credentials and first settings.
#[derive(Debug, Clone)]
pub struct Cn1688Config {
    /// Application key.
    pub app_key: String,
    /// Application secret.
    pub app_secret: String,
    /// The access token that is valid from the start.
    pub access_token: String,
    /// The refresh token that is valid from the start.
    pub refresh_token: String,
    /// The buying account (`userInfo` in messages).
    pub member_id: String,
    /// What can also be changed later.
    pub settings: Cn1688Settings,
}

impl Default for Cn1688Config {
    fn default() -> Self {
        Self {
            app_key: defaults::CN1688_APP_KEY.to_owned(),
            app_secret: defaults::CN1688_APP_SECRET.to_owned(),
            access_token: defaults::CN1688_ACCESS_TOKEN.to_owned(),
            refresh_token: defaults::CN1688_REFRESH_TOKEN.to_owned(),
            member_id: defaults::CN1688_MEMBER_ID.to_owned(),
            settings: Cn1688Settings::default(),
        }
    }
}

/// Times and habits that can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cn1688Settings {
    /// Life of an access token in seconds (10 hours).
    pub access_token_s: u64,
    /// Life of a refresh token in seconds (half a year).
    pub refresh_token_s: u64,
    /// Milliseconds from an order until it can be searched and read.
    pub order_visible_after_ms: u64,
    /// The trade modes that previews offer.
    pub trade_modes: Vec<String>,
    /// Answers with an order's number say `success: false`, as the samples of the page do.
    pub odd_success_flag: bool,
    /// The search looks at our reference; otherwise it answers with all orders.
    pub searches_references: bool,
    /// Orders show our reference.
    pub shows_references: bool,
    /// The buyer has signed a contract of pre-signed payment.
    pub pays_pre_signed: bool,
    /// APIs that the application has no right to.
    pub denied: Vec<String>,
    /// Parcels name the carrier's number in the trace alone.
    pub number_in_trace_only: bool,
    /// Where messages are pushed to. `None` pushes nothing.
    pub push_url: Option<String>,
    /// How long a push waits for its answer, in milliseconds.
    pub push_wait_ms: u64,
    /// Milliseconds between deliveries of one message.
    pub push_retry_gap_ms: u64,
    /// Deliveries after the first; then a message waits in the list for seven days.
    pub push_retries: u32,
}

impl Default for Cn1688Settings {
    fn default() -> Self {
        Self {
            access_token_s: 36_000,
            refresh_token_s: 15_552_000,
            order_visible_after_ms: 500,
            trade_modes: vec!["assureTrade".to_owned(), "alipay".to_owned()],
            odd_success_flag: false,
            searches_references: true,
            shows_references: true,
            pays_pre_signed: true,
            denied: Vec::new(),
            number_in_trace_only: false,
            push_url: None,
            push_wait_ms: 3_000,
            push_retry_gap_ms: 60_000,
            push_retries: 2,
        }
    }
}

operations! {
    /// The calls that are counted, limited and can be made to fail.
    pub enum Cn1688Operation {
        /// Product detail.
        ProductDetail = "product.search.queryProductDetail",
        /// Preview of an order.
        Preview = "alibaba.createOrder.preview",
        /// An order.
        CreateOrder = "alibaba.trade.createCrossOrder",
        /// An order of the open market, as older clients place it.
        FastCreateOrder = "alibaba.trade.fastCreateOrder",
        /// Pre-signed payment.
        PreparePay = "alibaba.trade.pay.protocolPay.preparePay",
        /// A cashier's page for many orders.
        PayUrl = "alibaba.alipay.url.get",
        /// Cancelling.
        Cancel = "alibaba.trade.cancel",
        /// The buyer's orders.
        OrderList = "alibaba.trade.getBuyerOrderList",
        /// One order.
        OrderGet = "alibaba.trade.get.buyerView",
        /// Parcels of an order.
        Logistics = "alibaba.trade.getLogisticsInfos.buyerView",
        /// Where parcels were.
        Trace = "alibaba.trade.getLogisticsTraceInfo.buyerView",
        /// Refunds of an order whose trade has not ended.
        Refunds = "alibaba.trade.refund.OpQueryBatchRefundByOrderIdAndStatus",
        /// Messages that nobody took.
        Messages = "push.query.messageList",
        /// Taking messages.
        ConfirmMessages = "push.message.confirm",
        /// Tokens; not signed.
        GetToken = "getToken",
        /// A new refresh token in the last 30 days of the old one.
        PostponeToken = "postponeToken",
    }
}

impl Cn1688Operation {
    /// The namespace, which stands before the name in the path.
    pub(super) fn space(self) -> &'static str {
        match self {
            Self::ProductDetail => "com.alibaba.fenxiao.crossborder",
            Self::Logistics | Self::Trace => "com.alibaba.logistics",
            Self::Messages | Self::ConfirmMessages => "cn.alibaba.open",
            Self::GetToken | Self::PostponeToken => "system.oauth2",
            _ => "com.alibaba.trade",
        }
    }
}

/// A product to be sold.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cn1688Product {
    /// Offer id.
    pub offer_id: u64,
    /// The seller; an order is of one.
    pub seller: String,
    /// Its variants; none for a product without.
    pub skus: Vec<Cn1688Sku>,
    /// The fewest units of an order.
    #[serde(default = "one")]
    pub min_order: u32,
    /// Products of another part go into another order of the same call.
    #[serde(default)]
    pub part: u32,
    /// The product tells who sells it.
    #[serde(default)]
    pub names_seller: bool,
}

fn one() -> u32 {
    1
}

impl Cn1688Product {
    /// A product with one variant.
    pub fn simple(offer_id: u64, seller: &str, spec_id: &str, price_fen: i64, stock: u32) -> Self {
        Self {
            offer_id,
            seller: seller.to_owned(),
            skus: vec![Cn1688Sku {
                spec_id: spec_id.to_owned(),
                sku_id: offer_id * 10 + 1,
                price_fen,
                stock,
            }],
            min_order: 1,
            part: 0,
            names_seller: true,
        }
    }
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cn1688Sku {
    /// Its id in orders, 32 hexadecimal digits.
    pub spec_id: String,
    /// Its number.
    pub sku_id: u64,
    /// Price of one in fen.
    pub price_fen: i64,
    /// Units that the seller has.
    pub stock: u32,
}

/// `status` of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cn1688Status {
    /// Ordered, not paid.
    WaitBuyerPay,
    /// Paid, not sent.
    WaitSellerSend,
    /// Sent.
    WaitBuyerReceive,
    /// Arrived, and the money is the seller's.
    Success,
    /// Cancelled.
    Cancel,
    /// Ended by a dispute.
    Terminated,
}

/// An order as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct Cn1688OrderView {
    /// The platform's number, beyond 2^53.
    pub order_id: u64,
    /// The buyer's own reference.
    pub out_order_id: Option<String>,
    /// Which accepted call made it, counted from 1; orders of one call share it.
    pub purchase: u64,
    /// Where it stands.
    pub status: Cn1688Status,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// Offer, spec and units.
    pub lines: Vec<(u64, String, u32)>,
    /// The trade mode.
    pub trade_type: String,
    /// The buyer's message to the seller.
    pub message: String,
    /// The address as it was sent.
    pub address: Value,
    /// Parcels: the carrier's number, and whether it was signed for.
    pub parcels: Vec<(String, bool)>,
    /// What carriers wrote beside the first event: the parcel's number and the text.
    pub events: Vec<(String, String)>,
    /// Carriers' numbers of parcels that were refused or sent back.
    pub failed: Vec<String>,
    /// What the answer to the order said that it costs, in fen.
    pub told_fen: i64,
    /// What it costs, in fen.
    pub total_fen: i64,
    /// What was paid, in fen.
    pub paid_fen: Option<i64>,
    /// What was paid back, in fen; the refund is paid.
    pub refunded_fen: i64,
    /// Who closed it before it was paid.
    pub closed_by: Option<Party>,
}

/// What matters to "never twice" and to limits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Cn1688Counters {
    /// Calls by operation, failed and refused ones included.
    pub calls: BTreeMap<String, u64>,
    /// Calls answered with gw.QosAppFrequencyLimit.
    pub rate_limited: BTreeMap<String, u64>,
    /// Accepted calls by `outOrderId`. More than 1 is a purchase made twice: the platform does not stop it.
    pub purchases_by_out_order_id: BTreeMap<String, u64>,
    /// Orders; a call that is split makes more than one.
    pub orders: u64,
    /// Units ordered.
    pub units_bought: u64,
    /// Payments that went through.
    pub payments: u64,
    /// Calls with a wrong or missing signature.
    pub bad_signatures: u64,
    /// Calls with a missing, expired or unknown access token.
    pub unauthorized: u64,
    /// Refreshes that worked.
    pub refreshes: u64,
    /// Refresh tokens that were prolonged.
    pub postponed: u64,
}
