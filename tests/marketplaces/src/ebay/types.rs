//! What the eBay simulator is told and what it shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::actions::FeeReport;
use crate::buyer::Buyer;
use crate::defaults;
use crate::money::Money;
use crate::operation::operations;

/// Credentials and first settings.
#[derive(Debug, Clone)]
pub struct EbayConfig {
    /// Application id.
    pub client_id: String,
    /// Application secret.
    pub client_secret: String,
    /// The seller's refresh token.
    pub refresh_token: String,
    /// The seller's user name.
    pub seller: String,
    /// Developer id, which platform notifications are signed with.
    pub dev_id: String,
    /// The `jwe` of the seller's signing key.
    pub signing_jwe: String,
    /// The private half of that key, base64 of PKCS #8; only its public half is used.
    pub signing_private_key: String,
    /// Scopes that the seller consented to, full URLs.
    pub granted_scopes: Vec<String>,
    /// What can also be changed later.
    pub settings: EbaySettings,
}

impl Default for EbayConfig {
    fn default() -> Self {
        Self {
            client_id: defaults::EBAY_CLIENT_ID.to_owned(),
            client_secret: defaults::EBAY_CLIENT_SECRET.to_owned(),
            refresh_token: defaults::EBAY_REFRESH_TOKEN.to_owned(),
            seller: defaults::EBAY_SELLER.to_owned(),
            dev_id: defaults::EBAY_DEV_ID.to_owned(),
            signing_jwe: defaults::EBAY_SIGNING_JWE.to_owned(),
            signing_private_key: defaults::EBAY_SIGNING_PRIVATE_KEY.to_owned(),
            granted_scopes: [
                SCOPE_FULFILLMENT,
                SCOPE_INVENTORY,
                SCOPE_FINANCES,
                SCOPE_NOTIFICATION,
                SCOPE_PUBLIC,
            ]
            .map(str::to_owned)
            .to_vec(),
            settings: EbaySettings::default(),
        }
    }
}

/// Scope of the Fulfillment calls.
pub const SCOPE_FULFILLMENT: &str = "https://api.ebay.com/oauth/api_scope/sell.fulfillment";
/// Scope of the Inventory calls.
pub const SCOPE_INVENTORY: &str = "https://api.ebay.com/oauth/api_scope/sell.inventory";
/// Scope of refunds.
pub const SCOPE_FINANCES: &str = "https://api.ebay.com/oauth/api_scope/sell.finances";
/// Scope of the seller's notification subscriptions.
pub const SCOPE_NOTIFICATION: &str =
    "https://api.ebay.com/oauth/api_scope/commerce.notification.subscription";
/// Scope of public data, the one of application tokens.
pub const SCOPE_PUBLIC: &str = "https://api.ebay.com/oauth/api_scope";

/// Times and habits that can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EbaySettings {
    /// Life of an access token in seconds (eBay: 7200).
    pub access_token_s: u64,
    /// Milliseconds from a sale until getOrder finds it.
    pub order_visible_after_ms: u64,
    /// For so many milliseconds after an order changed, every second getOrder still shows it as it was before.
    pub order_lag_ms: u64,
    /// Milliseconds from a sale until getOrders lists it.
    pub orders_list_visible_after_ms: u64,
    /// Milliseconds from a sale until its notification is sent first.
    pub push_delay_ms: u64,
    /// Waits between deliveries of order topics, in milliseconds: one delivery more than there are waits.
    pub order_push_gaps_ms: Vec<u64>,
    /// Waits between deliveries of account deletions, in milliseconds.
    pub deletion_push_gaps_ms: Vec<u64>,
    /// How long eBay waits for the answer to a notification, in milliseconds.
    pub push_wait_ms: u64,
    /// Send each order notification this many times, as eBay does now and then. 1 is once.
    pub push_copies: u32,
    /// Revisions that one listing takes in a calendar day (UTC here).
    pub revisions_per_day: u32,
    /// Whether a refund without a signature is refused, as for sellers of the European Union and the United Kingdom.
    pub refunds_need_signature: bool,
    /// Milliseconds from a refund until it is paid.
    pub refund_settles_after_ms: u64,
    /// Whether a refund that is under way fails instead of being paid.
    pub refunds_fail: bool,
    /// Whether an endpoint that is told by createDestination is asked over the network to prove itself.
    pub challenge_destinations: bool,
    /// Topics that this application may not subscribe to.
    pub restricted_topics: Vec<String>,
    /// How the fee of new orders is told.
    pub fee_report: FeeReport,
}

impl Default for EbaySettings {
    fn default() -> Self {
        Self {
            access_token_s: 7200,
            order_visible_after_ms: 200,
            order_lag_ms: 0,
            orders_list_visible_after_ms: 1_000,
            push_delay_ms: 0,
            order_push_gaps_ms: vec![10_000, 60_000],
            deletion_push_gaps_ms: [10_000, 60_000, 600_000]
                .into_iter()
                .chain([3_600_000; 24])
                .collect(),
            push_wait_ms: 3_000,
            push_copies: 1,
            revisions_per_day: 250,
            refunds_need_signature: false,
            refund_settles_after_ms: 60_000,
            refunds_fail: false,
            challenge_destinations: true,
            restricted_topics: Vec::new(),
            fee_report: FeeReport::Never,
        }
    }
}

operations! {
    /// The calls that are counted, limited and can be made to fail, under eBay's names.
    pub enum EbayOperation {
        /// POST /identity/v1/oauth2/token
        Token = "token",
        /// GET order
        GetOrder = "getOrder",
        /// GET orders
        GetOrders = "getOrders",
        /// POST shipping_fulfillment
        CreateShippingFulfillment = "createShippingFulfillment",
        /// GET shipping_fulfillment
        GetShippingFulfillments = "getShippingFulfillments",
        /// GET shipping_fulfillment by id
        GetShippingFulfillment = "getShippingFulfillment",
        /// POST bulk_update_price_quantity
        BulkUpdatePriceQuantity = "bulkUpdatePriceQuantity",
        /// GET offer
        GetOffers = "getOffers",
        /// GET public_key
        GetPublicKey = "getPublicKey",
        /// POST issue_refund
        IssueRefund = "issueRefund",
        /// GET config
        GetConfig = "getConfig",
        /// PUT config
        UpdateConfig = "updateConfig",
        /// GET topic
        GetTopics = "getTopics",
        /// GET destination
        GetDestinations = "getDestinations",
        /// POST destination
        CreateDestination = "createDestination",
        /// PUT destination
        UpdateDestination = "updateDestination",
        /// GET subscription
        GetSubscriptions = "getSubscriptions",
        /// POST subscription
        CreateSubscription = "createSubscription",
        /// PUT subscription
        UpdateSubscription = "updateSubscription",
        /// POST enable
        EnableSubscription = "enableSubscription",
        /// POST test
        TestSubscription = "testSubscription",
        /// GET rate_limit
        GetRateLimits = "getRateLimits",
        /// Trading API GetOrders
        TradingGetOrders = "tradingGetOrders",
        /// Trading API CompleteSale
        CompleteSale = "completeSale",
        /// Trading API ReviseInventoryStatus
        ReviseInventoryStatus = "reviseInventoryStatus",
        /// Trading API GeteBayOfficialTime
        GeteBayOfficialTime = "geteBayOfficialTime",
        /// Trading API GetNotificationPreferences
        GetNotificationPreferences = "getNotificationPreferences",
        /// Trading API SetNotificationPreferences
        SetNotificationPreferences = "setNotificationPreferences",
    }
}

/// A sku to be offered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewListing {
    /// The seller's own code.
    pub sku: String,
    /// Title; made up from the sku where it is missing.
    #[serde(default)]
    pub title: Option<String>,
    /// Price of one.
    pub price: Money,
    /// Units offered.
    pub quantity: u32,
    /// Offer id; given out by the simulator where it is missing.
    #[serde(default)]
    pub offer_id: Option<String>,
    /// Listing id; given out by the simulator where it is missing. Variations of one listing share it.
    #[serde(default)]
    pub listing_id: Option<String>,
    /// False for an offer that is not live: bulkUpdatePriceQuantity refuses it.
    #[serde(default = "yes")]
    pub published: bool,
    /// Whether it was made through the Trading API: then only that changes it, by its listing id.
    #[serde(default)]
    pub trading: bool,
}

impl NewListing {
    /// A live offer whose ids the simulator gives out.
    pub fn new(sku: impl Into<String>, price: Money, quantity: u32) -> Self {
        Self {
            sku: sku.into(),
            title: None,
            price,
            quantity,
            offer_id: None,
            listing_id: None,
            published: true,
            trading: false,
        }
    }
}

/// An offer as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct ListingView {
    /// The seller's own code.
    pub sku: String,
    /// Title.
    pub title: String,
    /// Offer id, as bulkUpdatePriceQuantity wants it.
    pub offer_id: String,
    /// Listing id, as line items show it.
    pub listing_id: String,
    /// Price of one.
    pub price: Money,
    /// What a customer sees: the smaller of the sku's pool and the offer's own quantity.
    pub quantity: u32,
    /// `shipToLocationAvailability.quantity`
    pub pool_quantity: u32,
    /// `availableQuantity`
    pub offer_quantity: u32,
    /// Revisions since midnight UTC.
    pub revisions_today: u32,
    /// Whether it is live.
    pub published: bool,
}

/// What a customer buys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// At least one line.
    pub lines: Vec<NewOrderLine>,
    /// Who buys; made up where it is missing.
    #[serde(default)]
    pub buyer: Option<Buyer>,
    /// Whether it is paid at once.
    #[serde(default)]
    pub payment: PaymentStatus,
    /// Sell more than the listing has, as happens when two customers click at once.
    #[serde(default)]
    pub oversell: bool,
}

impl NewOrder {
    /// A paid order of one line by a made-up customer.
    pub fn one(sku: impl Into<String>, quantity: u32) -> Self {
        Self::of([(sku, quantity)])
    }

    /// A paid order of several lines by a made-up customer.
    pub fn of<S: Into<String>>(lines: impl IntoIterator<Item = (S, u32)>) -> Self {
        let lines = lines.into_iter().map(|(sku, quantity)| NewOrderLine {
            sku: sku.into(),
            quantity,
        });
        Self {
            lines: lines.collect(),
            buyer: None,
            payment: PaymentStatus::Paid,
            oversell: false,
        }
    }
}

/// One line of a customer's order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrderLine {
    /// A listed sku.
    pub sku: String,
    /// Units, at least 1.
    pub quantity: u32,
}

/// `orderPaymentStatus`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// Not settled yet.
    Pending,
    /// Paid.
    #[default]
    Paid,
    /// The payment failed.
    Failed,
    /// A part was paid back.
    PartiallyRefunded,
    /// Paid back in full.
    FullyRefunded,
}

/// `orderFulfillmentStatus`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FulfillmentStatus {
    /// Nothing was shipped.
    NotStarted,
    /// A part was shipped.
    InProgress,
    /// Everything was shipped.
    Fulfilled,
}

/// `cancelStatus.cancelState`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelState {
    /// Nobody asked.
    NoneRequested,
    /// The buyer asked, the seller has not answered.
    InProgress,
    /// Cancelled.
    Canceled,
}

/// A customer's order as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct EbayOrderView {
    /// eBay's order id.
    pub order_id: String,
    /// When it was bought.
    pub created_at: Timestamp,
    /// When it changed last.
    pub last_modified_at: Timestamp,
    /// Payment.
    pub payment: PaymentStatus,
    /// Shipping.
    pub fulfillment: FulfillmentStatus,
    /// Cancellation.
    pub cancel: CancelState,
    /// Who bought.
    pub buyer: Buyer,
    /// Lines.
    pub lines: Vec<EbayLineView>,
    /// What the customer paid, without the tax that eBay collects.
    pub total: Money,
    /// What eBay collected and pays to the state.
    pub tax: Money,
    /// What eBay keeps.
    pub fee: Money,
    /// Whether no read shows it any more.
    pub is_gone: bool,
    /// Parcels that were confirmed, in the order of arrival, repeated ones included.
    pub fulfillments: Vec<FulfillmentView>,
    /// Refunds, in the order of arrival.
    pub refunds: Vec<RefundView>,
}

/// A refund that the seller asked for.
#[derive(Debug, Clone, Serialize)]
pub struct RefundView {
    /// eBay's id of it.
    pub refund_id: String,
    /// How much.
    pub amount: Money,
    /// `PENDING`, `REFUNDED` or `FAILED`.
    pub status: String,
    /// `reasonForRefund`
    pub reason: String,
    /// When the call arrived.
    pub asked_at: Timestamp,
    /// The place of the line that it is for; `None` for the whole order.
    pub line: Option<usize>,
    /// Whether it was made on eBay's pages.
    pub by_hand: bool,
    /// Whether it will fail.
    #[serde(skip)]
    pub(super) fails: bool,
    /// Whether it waits for nothing.
    #[serde(skip)]
    pub(super) settles_at_once: bool,
}

/// A line of a customer's order.
#[derive(Debug, Clone, Serialize)]
pub struct EbayLineView {
    /// eBay's id of the line.
    pub line_item_id: String,
    /// The seller's own code.
    pub sku: String,
    /// The listing it was bought from.
    pub listing_id: String,
    /// Units bought.
    pub quantity: u32,
    /// Units confirmed as shipped; more than `quantity` where a parcel was confirmed twice.
    pub shipped: u32,
    /// Of them, on eBay's pages.
    pub shipped_by_hand: u32,
    /// What the buyer pays for the line, without tax.
    pub cost: Money,
    /// What was paid back for the line or may be, in cents.
    pub refunded_cents: i64,
}

/// A parcel that the seller confirmed.
#[derive(Debug, Clone, Serialize)]
pub struct FulfillmentView {
    /// The tracking number, or a number where there is none.
    pub fulfillment_id: String,
    /// Tracking number.
    pub tracking_number: Option<String>,
    /// Carrier.
    pub carrier: Option<String>,
    /// `shippedDate`
    pub shipped_at: Timestamp,
    /// When the call arrived.
    pub recorded_at: Timestamp,
    /// Line item ids and units.
    pub lines: Vec<(String, u32)>,
    /// Whether the order had this tracking number already.
    pub duplicate: bool,
}

/// What matters to "never twice" and to limits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct EbayCounters {
    /// Calls by operation, failed and refused ones included.
    pub calls: BTreeMap<String, u64>,
    /// Calls answered with 429 by a limit.
    pub rate_limited: BTreeMap<String, u64>,
    /// Customers' orders.
    pub orders: u64,
    /// Confirmed parcels, repeated ones included.
    pub fulfillments: u64,
    /// Parcels that were confirmed more than once.
    pub duplicate_fulfillments: u64,
    /// Units sold beyond what a listing had.
    pub units_oversold: u64,
    /// Access tokens given out.
    pub tokens_issued: u64,
    /// Calls with a missing, expired or unknown access token.
    pub unauthorized: u64,
    /// Offers that reached their revisions of the day.
    pub revisions_refused: u64,
    /// Refunds that were taken.
    pub refunds: u64,
}

fn yes() -> bool {
    true
}
