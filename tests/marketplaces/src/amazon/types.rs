//! What the Amazon simulator is told and what it shows.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::actions::Hidden;
use crate::buyer::Buyer;
use crate::defaults;
use crate::money::Money;
use crate::operation::operations;

/// Credentials and first settings.
#[derive(Debug, Clone)]
pub struct AmazonConfig {
    /// The application's id at Login with Amazon.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// The seller's refresh token.
    pub refresh_token: String,
    /// The seller's id.
    pub seller_id: String,
    /// Marketplaces on which the seller sells; the first is that of listings and orders.
    pub marketplace_ids: Vec<String>,
    /// What can also be changed later.
    pub settings: AmazonSettings,
}

impl Default for AmazonConfig {
    fn default() -> Self {
        Self {
            client_id: defaults::AMAZON_CLIENT_ID.to_owned(),
            client_secret: defaults::AMAZON_CLIENT_SECRET.to_owned(),
            refresh_token: defaults::AMAZON_REFRESH_TOKEN.to_owned(),
            seller_id: defaults::AMAZON_SELLER_ID.to_owned(),
            marketplace_ids: vec![defaults::AMAZON_MARKETPLACE_ID.to_owned()],
            settings: AmazonSettings::default(),
        }
    }
}

/// Times and habits that can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AmazonSettings {
    /// Life of an access token in seconds (Amazon: 3600).
    pub access_token_s: u64,
    /// Milliseconds from a sale until getOrder finds it.
    pub order_visible_after_ms: u64,
    /// Milliseconds from a change until searchOrders lists it.
    pub search_visible_after_ms: u64,
    /// Life of a page's token in seconds (Amazon: 24 hours).
    pub page_token_s: u64,
    /// Milliseconds from an accepted patch until the listing shows it.
    pub listing_applies_after_ms: u64,
    /// Milliseconds that a feed waits in its queue, and again that it is worked on.
    pub feed_works_ms: u64,
    /// Life of a URL of the storage in seconds (Amazon: 300).
    pub document_url_s: u64,
    /// Milliseconds from a change until its notification is in the outbox.
    pub notification_delay_ms: u64,
    /// Milliseconds that a refund made by hand waits before it is paid (Seller Central: two hours).
    pub refund_waits_ms: u64,
    /// Milliseconds from a movement of money until listTransactions shows it (Amazon: up to 48 hours).
    pub ledger_visible_after_ms: u64,
    /// Send each notification this many times, as queues do now and then. 1 is once.
    pub notification_copies: u32,
    /// Whether Amazon's token buckets hold. A single one is set with `set_bucket`.
    pub rate_limits: bool,
}

impl Default for AmazonSettings {
    fn default() -> Self {
        Self {
            access_token_s: 3600,
            order_visible_after_ms: 0,
            search_visible_after_ms: 1_000,
            page_token_s: 86_400,
            listing_applies_after_ms: 500,
            feed_works_ms: 1_000,
            document_url_s: 300,
            notification_delay_ms: 0,
            refund_waits_ms: 7_200_000,
            ledger_visible_after_ms: 0,
            notification_copies: 1,
            rate_limits: true,
        }
    }
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmazonBucket {
    /// Tokens that flow in within a million seconds.
    pub calls_per_million_s: u64,
    /// The most tokens at once.
    pub burst: u32,
}

operations! {
    /// The calls that are counted, limited and can be made to fail, under Amazon's names.
    pub enum AmazonOperation {
        /// POST /auth/o2/token
        Token = "token",
        /// GET orders
        SearchOrders = "searchOrders",
        /// GET an order
        GetOrder = "getOrder",
        /// POST shipmentConfirmation
        ConfirmShipment = "confirmShipment",
        /// GET transactions
        ListTransactions = "listTransactions",
        /// GET a listing
        GetListingsItem = "getListingsItem",
        /// PATCH a listing
        PatchListingsItem = "patchListingsItem",
        /// POST a feed document
        CreateFeedDocument = "createFeedDocument",
        /// PUT into the storage
        UploadFeedDocument = "uploadFeedDocument",
        /// POST a feed
        CreateFeed = "createFeed",
        /// POST a JSON_LISTINGS_FEED, which is limited apart
        CreateListingsFeed = "createListingsFeed",
        /// GET a feed
        GetFeed = "getFeed",
        /// GET feeds
        GetFeeds = "getFeeds",
        /// GET a feed document
        GetFeedDocument = "getFeedDocument",
        /// GET from the storage
        DownloadFeedDocument = "downloadFeedDocument",
        /// GET destinations
        GetDestinations = "getDestinations",
        /// POST a destination
        CreateDestination = "createDestination",
        /// GET a subscription
        GetSubscription = "getSubscription",
        /// POST a subscription
        CreateSubscription = "createSubscription",
        /// DELETE a subscription
        DeleteSubscription = "deleteSubscription",
        /// GET marketplaceParticipations
        GetMarketplaceParticipations = "getMarketplaceParticipations",
    }
}

impl AmazonOperation {
    /// What Amazon's models say of the operation.
    pub(super) fn documented_bucket(self) -> Option<AmazonBucket> {
        let (calls_per_million_s, burst) = match self {
            Self::Any | Self::Token | Self::UploadFeedDocument | Self::DownloadFeedDocument => {
                return None;
            }
            Self::SearchOrders => (5_600, 20),
            Self::GetOrder => (500_000, 30),
            Self::ConfirmShipment => (2_000_000, 10),
            Self::ListTransactions => (500_000, 10),
            Self::GetListingsItem => (5_000_000, 10),
            Self::PatchListingsItem => (5_000_000, 5),
            Self::CreateFeedDocument => (500_000, 15),
            Self::CreateFeed => (8_300, 15),
            Self::CreateListingsFeed => (16_666, 5),
            Self::GetFeed => (2_000_000, 15),
            Self::GetFeeds | Self::GetFeedDocument => (22_200, 10),
            Self::GetDestinations
            | Self::CreateDestination
            | Self::GetSubscription
            | Self::CreateSubscription
            | Self::DeleteSubscription => (1_000_000, 5),
            Self::GetMarketplaceParticipations => (16_000, 15),
        };
        Some(AmazonBucket {
            calls_per_million_s,
            burst,
        })
    }
}

/// A sku to be offered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmazonNewListing {
    /// The seller's own code.
    pub sku: String,
    /// Title; made up from the sku where it is missing.
    #[serde(default)]
    pub title: Option<String>,
    /// Price of one.
    pub price: Money,
    /// Units offered.
    pub quantity: u32,
    /// `lead_time_to_ship_max_days`, which a careless `replace` loses.
    #[serde(default)]
    pub lead_time_days: Option<u32>,
}

impl AmazonNewListing {
    /// A listing with a lead time of two days.
    pub fn new(sku: impl Into<String>, price: Money, quantity: u32) -> Self {
        Self {
            sku: sku.into(),
            title: None,
            price,
            quantity,
            lead_time_days: Some(2),
        }
    }
}

/// A listing as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct AmazonListingView {
    /// The seller's own code.
    pub sku: String,
    /// Amazon's number of the product.
    pub asin: String,
    /// Price of one.
    pub price: Money,
    /// What a customer can buy.
    pub quantity: u32,
    /// `lead_time_to_ship_max_days`
    pub lead_time_days: Option<u32>,
    /// Patches that were accepted, those of feeds included.
    pub changes: u32,
}

/// What a customer buys.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmazonNewOrder {
    /// At least one line.
    pub lines: Vec<AmazonNewOrderLine>,
    /// Who buys; made up where it is missing.
    #[serde(default)]
    pub buyer: Option<Buyer>,
    /// Whether it is paid at once. Real orders wait some minutes, in status PENDING.
    #[serde(default = "yes")]
    pub paid: bool,
    /// Whether Amazon fills it from its own stock.
    #[serde(default)]
    pub by_amazon: bool,
    /// `programs`, as in `PRIME`.
    #[serde(default)]
    pub programs: Vec<String>,
    /// Sell more than the listing has, as happens when two customers click at once.
    #[serde(default)]
    pub oversell: bool,
}

impl AmazonNewOrder {
    /// A paid order of one line by a made-up customer.
    pub fn one(sku: impl Into<String>, quantity: u32) -> Self {
        Self::of([(sku, quantity)])
    }

    /// A paid order of several lines by a made-up customer.
    pub fn of<S: Into<String>>(lines: impl IntoIterator<Item = (S, u32)>) -> Self {
        let lines = lines.into_iter().map(|(sku, quantity)| AmazonNewOrderLine {
            sku: sku.into(),
            quantity,
        });
        Self {
            lines: lines.collect(),
            buyer: None,
            paid: true,
            by_amazon: false,
            programs: Vec::new(),
            oversell: false,
        }
    }

    /// The same order, not paid yet.
    #[must_use]
    pub fn pending(mut self) -> Self {
        self.paid = false;
        self
    }
}

/// One line of a customer's order.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmazonNewOrderLine {
    /// A listed sku.
    pub sku: String,
    /// Units, at least 1.
    pub quantity: u32,
}

/// `fulfillmentStatus`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AmazonStatus {
    /// The payment is not authorised.
    Pending,
    /// To be sent.
    Unshipped,
    /// A part is sent.
    PartiallyShipped,
    /// All is sent.
    Shipped,
    /// It will not be sent.
    Cancelled,
}

/// A customer's order as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct AmazonOrderView {
    /// Amazon's order id.
    pub order_id: String,
    /// When it was bought.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// How far it is.
    pub status: AmazonStatus,
    /// Whether the buyer asked to cancel it.
    pub cancel_requested: bool,
    /// Who bought.
    pub buyer: Buyer,
    /// Lines.
    pub lines: Vec<AmazonLineView>,
    /// What the customer paid, tax that Amazon collects included.
    pub total: Money,
    /// Amazon's fee on the goods, whether it is told or not.
    pub fee: Money,
    /// Whether the ledger tells the fee.
    pub tells_fee: bool,
    /// The number that has to stand on the parcel.
    pub tax_reference: Option<String>,
    /// Parcels that were confirmed.
    pub packages: Vec<AmazonPackageView>,
    /// Money that went back, or is to go back.
    pub refunds: Vec<AmazonRefundView>,
    /// Whether Amazon ships it.
    pub by_amazon: bool,
    /// Whether Amazon looks into the payment.
    pub under_review: bool,
    /// Whether it stays unpaid for ever.
    pub never_paid: bool,
    /// What reads do not show of the buyer.
    pub hidden: Vec<Hidden>,
    /// Whether no read shows it.
    pub vanished: bool,
}

/// A line of a customer's order.
#[derive(Debug, Clone, Serialize)]
pub struct AmazonLineView {
    /// Amazon's id of the line.
    pub order_item_id: String,
    /// The seller's own code.
    pub sku: String,
    /// Units bought.
    pub quantity: u32,
    /// Units confirmed as shipped, by whomever.
    pub shipped: u32,
    /// Of these, units that confirmShipment told.
    pub shipped_by_api: u32,
    /// Of these, units that the seller marked by hand.
    pub shipped_by_hand: u32,
    /// Units that were cancelled.
    pub cancelled: u32,
    /// Who cancelled them, as in `BUYER`.
    pub cancelled_by: Option<&'static str>,
    /// Price of all units that are not cancelled, without tax.
    pub price_cents: i64,
    /// Tax that Amazon collects on the line.
    pub tax_cents: i64,
    /// Of the price, what is paid back.
    pub refunded_cents: i64,
    /// Whether the whole price is paid back.
    pub refunded_whole: bool,
}

/// Money that the seller gives back by hand.
#[derive(Debug, Clone, Serialize)]
pub struct AmazonRefundView {
    /// Amazon's number of it.
    pub refund_id: String,
    /// When the seller asked for it.
    pub asked_at: Timestamp,
    /// When it is paid.
    pub paid_at: Timestamp,
    /// Whether it is paid.
    pub is_paid: bool,
    /// Order item ids and cents, without tax.
    pub lines: Vec<(String, i64)>,
}

/// A parcel that the seller confirmed.
#[derive(Debug, Clone, Serialize)]
pub struct AmazonPackageView {
    /// `packageReferenceId`
    pub reference: String,
    /// `carrierCode`
    pub carrier_code: String,
    /// `carrierName`
    pub carrier_name: Option<String>,
    /// Tracking number.
    pub tracking_number: String,
    /// `shipDate`
    pub shipped_at: Timestamp,
    /// Order item ids and units.
    pub lines: Vec<(String, u32)>,
    /// How often it was sent again with the same reference.
    pub edits: u32,
    /// When Amazon was told first.
    pub confirmed_at: Timestamp,
    /// Whether the seller did it by hand.
    pub by_hand: bool,
}

/// A feed as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct AmazonFeedView {
    /// Amazon's id.
    pub feed_id: String,
    /// As in `JSON_LISTINGS_FEED`.
    pub feed_type: String,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// `processingStatus`
    pub status: String,
    /// What was handed in.
    pub document: String,
}

/// A message for the seller's queue. Whoever plays the queue puts `body` into it as it is.
#[derive(Debug, Clone, Serialize)]
pub struct AmazonNotification {
    /// `NotificationId`; the same over all copies.
    pub id: String,
    /// As in `ORDER_CHANGE`.
    pub notification_type: String,
    /// The queue that it goes to.
    pub queue_arn: String,
    /// JSON text.
    pub body: String,
}

/// What matters to "never twice" and to limits.
#[derive(Debug, Clone, Default, Serialize)]
pub struct AmazonCounters {
    /// Calls by operation, failed and refused ones included.
    pub calls: BTreeMap<String, u64>,
    /// Calls answered with 429 by a limit.
    pub rate_limited: BTreeMap<String, u64>,
    /// Customers' orders.
    pub orders: u64,
    /// Packages.
    pub packages: u64,
    /// Confirmations that edited a package which was there.
    pub package_edits: u64,
    /// Packages whose tracking number the order had already under another reference.
    pub duplicate_packages: u64,
    /// Units sold beyond what a listing had.
    pub units_oversold: u64,
    /// Access tokens given out.
    pub tokens_issued: u64,
    /// Calls with a missing, expired or unknown access token, or one of the wrong kind.
    pub unauthorized: u64,
    /// Feeds that were handed in.
    pub feeds: u64,
    /// Notifications that were handed out, copies included.
    pub notifications: u64,
}

fn yes() -> bool {
    true
}
