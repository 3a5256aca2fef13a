//! eBay's documented limits, and the times that follow from them.

use super::error::Operation;
use crate::limiter::{Limit, Traffic};
use jiff::SignedDuration;
use std::time::Duration;

/// Orders on one page of getOrders (developer.ebay.com, Fulfillment API, getOrders, `limit`).
pub const ORDERS_PER_PAGE: u32 = 200;

/// How far back orders can be read, in days: eBay keeps two years, and a little less is asked for because a day too
/// much is error 30830 (Fulfillment API, getOrders, `filter`).
pub const ORDERS_KEPT_DAYS: i64 = 729;

/// How far a time that is sent stays behind our clock, in milliseconds: a time in eBay's future is error 30850 or 32500,
/// and two clocks never agree. The next span of time must reach back over it.
pub const CLOCK_MARGIN_MS: i64 = 5_000;

/// Offers in one call of bulkUpdatePriceQuantity, all of one sku (Inventory API, bulkUpdatePriceQuantity).
pub const OFFERS_PER_UPDATE: usize = 25;

/// Revisions of one listing in one calendar day; the next one is refused until the day ends (Inventory API,
/// bulkUpdatePriceQuantity). Price and stock changes count together.
pub const REVISIONS_PER_LISTING_AND_DAY: u32 = 250;

/// Calls of the Notification API in one day, getPublicKey among them (developer.ebay.com, API call limits).
pub const NOTIFICATION_CALLS_PER_DAY: u32 = 10_000;

/// Calls of the Developer Analytics API in one day (developer.ebay.com, API call limits).
pub const ANALYTICS_CALLS_PER_DAY: u32 = 5_000;

/// Calls of the Fulfillment API in one day: often quoted, not verified. `kervan doctor` shows the application's own.
pub const FULFILLMENT_CALLS_PER_DAY: u32 = 100_000;

/// Calls of the Inventory API in one day: often quoted, not verified.
pub const INVENTORY_CALLS_PER_DAY: u32 = 2_000_000;

/// Calls of the Trading API in one day: often quoted, not verified.
pub const TRADING_CALLS_PER_DAY: u32 = 5_000;

/// How long the application's own quotas are believed before they are asked for again, where a quoted figure keeps
/// calls back.
pub const QUOTAS_KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Orders on one page of the Trading API's GetOrders, and the longest span of one request in days; the span is not
/// verified (developer.ebay.com, Trading API, GetOrders).
pub const TRADING_ORDERS_PER_PAGE: u32 = 100;
/// See [`TRADING_ORDERS_PER_PAGE`].
pub const TRADING_LONGEST_SPAN: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far back the Trading API keeps orders.
pub const TRADING_ORDERS_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Items of one call of ReviseInventoryStatus (Trading API, ReviseInventoryStatus).
pub const ITEMS_PER_REVISION: usize = 4;

/// The longest comment of a refund, in characters (Fulfillment API, issueRefund).
pub const LONGEST_REFUND_COMMENT: usize = 100;

/// The wait after a refund that eBay cannot make yet, because the buyer's payment is not settled or another refund is
/// under way.
pub const REFUND_UNSETTLED_WAIT: Duration = Duration::from_secs(4 * 3_600);

/// How old or how far ahead the timestamp of a platform notification may be (developer.ebay.com, Platform
/// notifications: refuse what is older than 10 minutes). It is all that the signature covers.
pub const PLATFORM_PUSH_AGE: SignedDuration = SignedDuration::from_mins(10);

/// Calls that share one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Quota {
    /// Names the limit; eBay counts by API.
    pub(super) name: &'static str,
    /// How many calls.
    pub(super) limit: Limit,
    /// What they are for.
    pub(super) traffic: Traffic,
    /// Whether the figure is only often quoted.
    pub(super) is_hearsay: bool,
}

/// The limit that a call is taken from; `None` where eBay documents none, as of its token endpoint. eBay counts by
/// application, so two accounts of one application can together still meet a 429.
pub(super) const fn quota(operation: Operation) -> Option<Quota> {
    let (name, limit, traffic) = match operation {
        Operation::RefreshToken | Operation::ApplicationToken => return None,
        Operation::GetOrder
        | Operation::GetOrders
        | Operation::GetShippingFulfillments
        | Operation::CreateShippingFulfillment
        | Operation::IssueRefund => (
            "fulfillment",
            a_day(FULFILLMENT_CALLS_PER_DAY),
            Traffic::Orders,
        ),
        Operation::BulkUpdatePriceQuantity | Operation::GetOffers => {
            ("inventory", a_day(INVENTORY_CALLS_PER_DAY), Traffic::Stock)
        }
        Operation::GetPublicKey
        | Operation::GetConfig
        | Operation::UpdateConfig
        | Operation::GetTopics
        | Operation::GetDestinations
        | Operation::CreateDestination
        | Operation::UpdateDestination
        | Operation::GetSubscriptions
        | Operation::CreateSubscription
        | Operation::UpdateSubscription
        | Operation::EnableSubscription
        | Operation::TestSubscription => (
            "notification",
            a_day(NOTIFICATION_CALLS_PER_DAY),
            Traffic::Orders,
        ),
        Operation::GetRateLimits => ("analytics", a_day(ANALYTICS_CALLS_PER_DAY), Traffic::Orders),
        Operation::ReviseInventoryStatus => {
            ("trading", a_day(TRADING_CALLS_PER_DAY), Traffic::Stock)
        }
        Operation::TradingGetOrders
        | Operation::CompleteSale
        | Operation::OfficialTime
        | Operation::GetNotificationPreferences
        | Operation::SetNotificationPreferences => {
            ("trading", a_day(TRADING_CALLS_PER_DAY), Traffic::Orders)
        }
    };
    Some(Quota {
        name,
        limit,
        traffic,
        is_hearsay: !matches!(name.as_bytes(), b"notification" | b"analytics"),
    })
}

/// A daily quota that is never overdrawn, whatever the hour at which eBay's day begins: a tenth of it at once, the rest
/// spread over the day. ReviseInventoryStatus has a further limit of 6000 calls in 15 s, which a daily quota of that API
/// never lets anybody reach.
const fn a_day(quota: u32) -> Limit {
    Limit {
        calls: quota - quota / 10,
        per: Duration::from_secs(86_400),
        burst: quota / 10,
    }
}

/// How long eBay waits for the answer to a push, in milliseconds (developer.ebay.com, Marketplace user account
/// deletion).
pub const PUSH_ANSWER_WITHIN_MS: u64 = 3_000;

/// The longest challenge code that is answered, in bytes. eBay sends a UUID or shorter.
pub const LONGEST_CHALLENGE_CODE: usize = 256;

/// The longest signature header that is looked at, in bytes. Real ones have about 250.
pub const LONGEST_SIGNATURE_HEADER: usize = 2_048;

/// How long a public key is kept (Marketplace user account deletion: "cache the key for an hour").
pub const KEY_KEPT: SignedDuration = SignedDuration::from_hours(1);

/// How long it is remembered that a key does not exist or cannot be used.
pub const KEY_ABSENT_KEPT: SignedDuration = SignedDuration::from_mins(5);

/// How long it is remembered that a key could not be read, so that a fault of eBay's is not asked for with every push.
pub const KEY_FAULT_KEPT: SignedDuration = SignedDuration::from_secs(5);

/// Look-ups of keys never seen before, in one minute and one process. eBay signs with very few keys at a time.
pub const NEW_KEY_LOOK_UPS_PER_MINUTE: usize = 10;

/// Keys that are remembered at once.
pub const KEYS_REMEMBERED: usize = 16;

/// Absent keys that are remembered at once.
pub const ABSENT_KEYS_REMEMBERED: usize = 256;

/// A push about an order that was published longer ago is refused; eBay gives up repeating long before.
pub const OLDEST_PUSH: SignedDuration = SignedDuration::from_hours(48);

/// How far a push may have been published in the future of our clock.
pub const PUSH_AHEAD: SignedDuration = SignedDuration::from_mins(10);

/// An application token is renewed this long before its end.
pub const TOKEN_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The wait after a refusal for too many calls that names no time.
pub const THROTTLED_WAIT: Duration = Duration::from_secs(60);

/// The longest wait that is believed: quotas are daily, and longer ones would hide a changed quota.
pub const LONGEST_THROTTLED_WAIT: Duration = Duration::from_secs(6 * 3_600);

/// The wait after a fault of eBay's, of the network, or an answer that cannot be read.
pub const FAULT_WAIT: Duration = Duration::from_secs(30);
