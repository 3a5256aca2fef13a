//! What the AliExpress simulator is told and what it shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use crate::defaults;
use crate::money::Money;
use crate::operation::operations;

/// Credentials and first settings.
#[derive(Debug, Clone)]
pub struct AliExpressConfig {
    /// Application key.
    pub app_key: String,
    /// Application secret.
    pub app_secret: String,
    /// The access token that is valid from the start.
    pub access_token: String,
    /// The refresh token that is valid from the start.
    pub refresh_token: String,
    /// The shop's access token that is valid from the start.
    pub seller_access_token: String,
    /// The shop's refresh token that is valid from the start.
    pub seller_refresh_token: String,
    /// The buying account (`seller_id` in tokens and pushes).
    pub seller_id: String,
    /// What can also be changed later.
    pub settings: AliExpressSettings,
}

impl Default for AliExpressConfig {
    fn default() -> Self {
        Self {
            app_key: defaults::ALIEXPRESS_APP_KEY.to_owned(),
            app_secret: defaults::ALIEXPRESS_APP_SECRET.to_owned(),
            access_token: defaults::ALIEXPRESS_ACCESS_TOKEN.to_owned(),
            refresh_token: defaults::ALIEXPRESS_REFRESH_TOKEN.to_owned(),
            seller_access_token: defaults::ALIEXPRESS_SHOP_ACCESS_TOKEN.to_owned(),
            seller_refresh_token: defaults::ALIEXPRESS_SHOP_REFRESH_TOKEN.to_owned(),
            seller_id: defaults::ALIEXPRESS_SELLER_ID.to_owned(),
            settings: AliExpressSettings::default(),
        }
    }
}

/// Times and habits that can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AliExpressSettings {
    /// Life of an access token in seconds (test application: 86400).
    pub access_token_s: u64,
    /// Life of the refresh token from consent in seconds; refreshing does not prolong it (test application: 172800).
    pub refresh_token_s: u64,
    /// Milliseconds from a purchase until order.get finds it.
    pub order_visible_after_ms: u64,
    /// Seconds after which an unpaid order closes (`pay_timeout_second`).
    pub pay_timeout_s: u64,
    /// How long a repeated `out_order_id` is recognised, in seconds (24 hours).
    pub repeat_window_s: u64,
    /// Answer a repeated `out_order_id` with the first ids instead of REPEATED_ORDER_ERROR.
    pub repeat_answers_first_ids: bool,
    /// The application key is on the list of those that `try_to_pay` works for.
    pub auto_pay_listed: bool,
    /// `try_to_pay` fails: is_success=true with "OrderCreated, autoPay fail:APIPayFail".
    pub auto_pay_fails: bool,
    /// The merchant pays on the site this many milliseconds after the purchase; `None` waits for `pay`.
    pub merchant_pays_after_ms: Option<u64>,
    /// The store ships this many milliseconds after the payment; `None` waits for `ship`.
    pub ships_after_ms: Option<u64>,
    /// In how many parcels the store ships by itself.
    pub parcels: u32,
    /// The parcel arrives this many milliseconds after it was shipped; `None` waits for `deliver`.
    pub delivers_after_ms: Option<u64>,
    /// The buying account has auto-pay as a member benefit.
    pub auto_pay_benefit: bool,
    /// Milliseconds until a shop's job is executed.
    pub feed_takes_ms: u64,
    /// Milliseconds until a refund that is under way is paid, or fails.
    pub refund_takes_ms: u64,
    /// What the answer of order.create is named.
    pub order_create_root: OrderCreateRoot,
    /// Say `update_success` although products failed, as AliExpress's samples do.
    pub update_success_lies: bool,
    /// Write some numbers and booleans as strings, as the gateway does.
    pub mixed_types: bool,
    /// Where order events are pushed to. `None` pushes nothing.
    pub push_url: Option<String>,
    /// How long a push waits for its answer, in milliseconds.
    pub push_wait_ms: u64,
    /// Milliseconds between deliveries of one push.
    pub push_retry_gap_ms: u64,
    /// Deliveries after the first.
    pub push_retries: u32,
    /// Answers that the stop rule looks at: pushing stops when more than half of the last so many were failures.
    pub push_stop_window: u32,
}

impl Default for AliExpressSettings {
    fn default() -> Self {
        Self {
            access_token_s: 86_400,
            refresh_token_s: 172_800,
            order_visible_after_ms: 500,
            pay_timeout_s: 86_400,
            repeat_window_s: 86_400,
            repeat_answers_first_ids: false,
            auto_pay_listed: true,
            auto_pay_fails: false,
            merchant_pays_after_ms: None,
            ships_after_ms: None,
            parcels: 1,
            delivers_after_ms: None,
            auto_pay_benefit: true,
            feed_takes_ms: 500,
            refund_takes_ms: 3_600_000,
            order_create_root: OrderCreateRoot::default(),
            update_success_lies: false,
            mixed_types: true,
            push_url: None,
            push_wait_ms: 500,
            push_retry_gap_ms: 1_800_000,
            push_retries: 12,
            push_stop_window: 20,
        }
    }
}

/// The root object of an answer to order.create. The pages show the method's name; public clients read each of the others
/// as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderCreateRoot {
    /// `aliexpress_ds_order_create_response`, as that of every other call.
    #[default]
    MethodResponse,
    /// `aliexpress_trade_buy_placeorder_response`, by the name of the call's predecessor.
    PlaceorderResponse,
    /// `aliexpress_ds_order_create`, as some pages write it.
    Method,
    /// No root: its fields stand alone.
    Bare,
}

operations! {
    /// The calls that are counted, limited and can be made to fail.
    pub enum AliExpressOperation {
        /// /auth/token/create
        TokenCreate = "/auth/token/create",
        /// /auth/token/refresh
        TokenRefresh = "/auth/token/refresh",
        /// aliexpress.ds.product.get
        ProductGet = "aliexpress.ds.product.get",
        /// aliexpress.ds.freight.query
        FreightQuery = "aliexpress.ds.freight.query",
        /// aliexpress.ds.order.create
        OrderCreate = "aliexpress.ds.order.create",
        /// aliexpress.trade.ds.order.get
        OrderGet = "aliexpress.trade.ds.order.get",
        /// aliexpress.ds.order.tracking.get
        TrackingGet = "aliexpress.ds.order.tracking.get",
        /// aliexpress.ds.member.benefit.get
        MemberBenefitGet = "aliexpress.ds.member.benefit.get",
        /// aliexpress.solution.order.get
        SolutionOrderGet = "aliexpress.solution.order.get",
        /// aliexpress.solution.order.info.get
        SolutionOrderInfoGet = "aliexpress.solution.order.info.get",
        /// aliexpress.solution.order.receiptinfo.get
        SolutionReceiptInfoGet = "aliexpress.solution.order.receiptinfo.get",
        /// aliexpress.solution.order.fulfill
        SolutionOrderFulfill = "aliexpress.solution.order.fulfill",
        /// aliexpress.logistics.redefining.listlogisticsservice
        ListLogisticsService = "aliexpress.logistics.redefining.listlogisticsservice",
        /// aliexpress.solution.batch.product.inventory.update
        SolutionInventoryUpdate = "aliexpress.solution.batch.product.inventory.update",
        /// aliexpress.solution.batch.product.price.update
        SolutionPriceUpdate = "aliexpress.solution.batch.product.price.update",
        /// aliexpress.solution.feed.submit
        SolutionFeedSubmit = "aliexpress.solution.feed.submit",
        /// aliexpress.solution.feed.query
        SolutionFeedQuery = "aliexpress.solution.feed.query",
        /// aliexpress.solution.feed.list.get
        SolutionFeedListGet = "aliexpress.solution.feed.list.get",
        /// aliexpress.solution.merchant.profile.get
        SolutionProfileGet = "aliexpress.solution.merchant.profile.get",
    }
}

/// A product to be sold by a store.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    /// Product id.
    pub product_id: u64,
    /// Title.
    #[serde(default)]
    pub title: Option<String>,
    /// The store that sells it; lines of different stores become different orders.
    pub store_id: u64,
    /// Its variants, at least one.
    pub skus: Vec<NewSku>,
    /// How it can be sent; `CAINIAO_STANDARD` for 1.99 where this is empty.
    #[serde(default)]
    pub delivery: Vec<DeliveryOption>,
    /// Countries that it is not sent to.
    #[serde(default)]
    pub not_to: Vec<String>,
}

impl NewProduct {
    /// A product with one variant, sent by the usual service.
    pub fn simple(product_id: u64, store_id: u64, price: Money, stock: u32) -> Self {
        Self {
            product_id,
            title: None,
            store_id,
            skus: vec![NewSku {
                sku_id: product_id * 10 + 1,
                sku_attr: String::new(),
                price,
                stock,
            }],
            delivery: Vec::new(),
            not_to: Vec::new(),
        }
    }
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSku {
    /// Sku id.
    pub sku_id: u64,
    /// As `14:175;5:200003528#Large`; empty for a product without variants.
    #[serde(default)]
    pub sku_attr: String,
    /// Price of one.
    pub price: Money,
    /// Units the store has.
    pub stock: u32,
}

/// A way of sending a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeliveryOption {
    /// The code, which order.create takes as `logistics_service_name`.
    pub code: String,
    /// The carrier's name.
    pub company: String,
    /// Fee for a line, in hundredths of the product's currency.
    pub fee_cents: i64,
    /// Days it takes at least.
    pub min_days: u32,
    /// Days it takes at most.
    pub max_days: u32,
}

/// `order_status`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum OrderStatus {
    /// Bought, not paid.
    PlaceOrderSuccess,
    /// Paid, not shipped.
    WaitSellerSendGoods,
    /// A part is shipped.
    SellerPartSendGoods,
    /// Shipped.
    WaitBuyerAcceptGoods,
    /// Delivered, or closed: `end_reason` tells.
    Finish,
}

/// An order at a store as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct SupplierOrderView {
    /// AliExpress's order id; some are beyond 2^53.
    pub order_id: u64,
    /// The buyer's own reference, if one was sent.
    pub out_order_id: Option<String>,
    /// Which accepted call to order.create made it, counted from 1; orders of one call share it.
    pub purchase: u64,
    /// The store.
    pub store_id: u64,
    /// Where it stands.
    pub status: OrderStatus,
    /// Why it ended without being delivered.
    pub end_reason: Option<String>,
    /// When it was bought.
    pub created_at: Timestamp,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Everything that it costs: goods, delivery, and what came on top.
    pub cost: Money,
    /// The tax in it.
    pub tax: Money,
    /// The import charges in it.
    pub import_charges: Money,
    /// What it costs beyond what was told before it was bought, tax and import charges aside.
    pub more_than_told: Money,
    /// Lines.
    pub lines: Vec<SupplierLineView>,
    /// The address as it was sent.
    pub address: Value,
    /// Parcels.
    pub parcels: Vec<ParcelView>,
}

/// A line of an order at a store.
#[derive(Debug, Clone, Serialize)]
pub struct SupplierLineView {
    /// Product id.
    pub product_id: u64,
    /// Sku id.
    pub sku_id: u64,
    /// Units.
    pub quantity: u32,
    /// Price of one when it was bought.
    pub price: Money,
    /// The delivery code that was chosen.
    pub delivery: String,
}

/// A parcel of a store.
#[derive(Debug, Clone, Serialize)]
pub struct ParcelView {
    /// Tracking number.
    pub mail_no: String,
    /// The code of the delivery service.
    pub service: String,
    /// The carrier's name.
    pub carrier: String,
    /// When it was sent.
    pub shipped_at: Timestamp,
    /// When it arrived.
    pub delivered_at: Option<Timestamp>,
    /// When its recipient did not take it.
    pub refused_at: Option<Timestamp>,
    /// When it was back at its sender.
    pub returned_at: Option<Timestamp>,
    /// Sku ids and units in it.
    pub items: Vec<(u64, u32)>,
    /// What the carrier wrote besides, oldest first.
    pub events: Vec<ParcelEventView>,
}

/// An event of a parcel in its carrier's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ParcelEventView {
    /// When.
    pub at: Timestamp,
    /// What kind of event the platform takes it for.
    pub name: String,
    /// The carrier's words; events without any exist.
    pub text: String,
}

/// What a product's variant is offered for now.
#[derive(Debug, Clone, Serialize)]
pub struct SkuView {
    /// Product id.
    pub product_id: u64,
    /// The store.
    pub store_id: u64,
    /// Sku id.
    pub sku_id: u64,
    /// As `14:175#Black`.
    pub sku_attr: String,
    /// Price of one.
    pub price: Money,
    /// Units left.
    pub stock: u32,
    /// Units sold.
    pub sold: u64,
}

/// What matters to "never twice" and to limits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AliExpressCounters {
    /// Calls by operation, failed and refused ones included.
    pub calls: BTreeMap<String, u64>,
    /// Calls answered with ApiCallLimit.
    pub rate_limited: BTreeMap<String, u64>,
    /// Accepted calls to order.create by `out_order_id`. More than 1 is a purchase made twice.
    pub purchases_by_out_order_id: BTreeMap<String, u64>,
    /// Accepted calls to order.create without an `out_order_id`.
    pub purchases_without_reference: u64,
    /// Calls to order.create that were recognised as repeated.
    pub repeats_recognised: u64,
    /// Shipments that the shop declared, by `order/number`. More than 1 is a parcel that was told of twice.
    pub shipments: BTreeMap<String, u64>,
    /// Jobs refused because a day had enough of their type.
    pub feeds_over_limit: BTreeMap<String, u64>,
    /// Orders at stores; one purchase from two stores makes two.
    pub orders: u64,
    /// Lines refused because the store had fewer units.
    pub refused_out_of_stock: u64,
    /// Units bought.
    pub units_bought: u64,
    /// Calls with a wrong or missing signature.
    pub bad_signatures: u64,
    /// Calls with a missing, expired or unknown access token.
    pub unauthorized: u64,
    /// Refreshes that worked.
    pub refreshes: u64,
    /// Refreshes with a refresh token that another refresh had replaced: two refreshers at once.
    pub refresh_races: u64,
    /// Whether the stop rule has stopped pushing.
    pub push_stopped: bool,
}
