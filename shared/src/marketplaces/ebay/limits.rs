//! eBay's documented limits, and the times that follow from them.

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
