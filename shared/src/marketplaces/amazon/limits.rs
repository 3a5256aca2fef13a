//! Amazon's documented limits, and the times that follow from them.
//!
//! Amazon limits each operation for each pair of seller and application with a token bucket. The figures stand in the
//! description of each operation (developer-docs.amazon.com/sp-api, "Usage Plans and Rate Limits"); the header
//! `x-amzn-RateLimit-Limit` tells where a seller's differ, and then the header counts.

use crate::limiter::Limit;
use jiff::SignedDuration;
use std::time::Duration;

/// `calls` in 10,000 seconds: Amazon names rates with four decimals.
const fn of(calls: u32, burst: u32) -> Limit {
    Limit {
        calls,
        per: Duration::from_secs(10_000),
        burst,
    }
}

/// searchOrders: 0.0056 a second, one in about three minutes (Orders API 2026-01-01).
pub const SEARCH_ORDERS: Limit = of(56, 20);
/// getOrder: 0.5 a second (Orders API 2026-01-01).
pub const GET_ORDER: Limit = of(5_000, 30);
/// confirmShipment: 2 a second (Orders API v0).
pub const CONFIRM_SHIPMENT: Limit = of(20_000, 10);
/// patchListingsItem: 5 a second (Listings Items API 2021-08-01).
pub const PATCH_LISTINGS_ITEM: Limit = of(50_000, 5);
/// getListingsItem: 5 a second (Listings Items API 2021-08-01).
pub const GET_LISTINGS_ITEM: Limit = of(50_000, 10);
/// createFeedDocument: 0.5 a second (Feeds API 2021-06-30).
pub const CREATE_FEED_DOCUMENT: Limit = of(5_000, 15);
/// createFeed: 0.0083 a second, one in two minutes (Feeds API 2021-06-30).
pub const CREATE_FEED: Limit = of(83, 15);
/// createFeed of a JSON_LISTINGS_FEED: five in five minutes, apart from all other feeds (changelog of 6 May 2025).
pub const CREATE_LISTINGS_FEED: Limit = Limit {
    calls: 5,
    per: Duration::from_secs(300),
    burst: 5,
};
/// getFeed: 2 a second (Feeds API 2021-06-30).
pub const GET_FEED: Limit = of(20_000, 15);
/// getFeeds: 0.0222 a second, one in 45 seconds (Feeds API 2021-06-30).
pub const GET_FEEDS: Limit = of(222, 10);
/// getFeedDocument: 0.0222 a second, one in 45 seconds (Feeds API 2021-06-30).
pub const GET_FEED_DOCUMENT: Limit = of(222, 10);
/// Each operation of the Notifications API v1: 1 a second.
pub const NOTIFICATIONS: Limit = of(10_000, 5);
/// getMarketplaceParticipations: 0.016 a second, one a minute (Sellers API v1).
pub const PARTICIPATIONS: Limit = of(160, 15);

/// Orders on one page of searchOrders, `maxResultsPerPage`.
pub const ORDERS_PER_PAGE: u32 = 100;

/// How far back orders are given, in days: two years, and a little less is asked for.
pub const ORDERS_KEPT_DAYS: i64 = 729;

/// How long before the request the end of a searched span must lie: two minutes by Amazon's clock, and a little more by
/// ours, because two clocks never agree. The next span must reach back over it.
pub const SPAN_ENDS_BEFORE: SignedDuration = SignedDuration::from_secs(125);

/// How far a time that is sent stays behind our clock.
pub const CLOCK_MARGIN: SignedDuration = SignedDuration::from_secs(5);

/// Marketplaces in one search (`marketplaceIds`), and in one feed.
pub const MARKETPLACES_PER_CALL: usize = 25;

/// Messages in one JSON_LISTINGS_FEED (its schema, `maxItems`).
pub const MESSAGES_PER_FEED: usize = 25_000;

/// The largest document of a feed: Amazon advises to stay below 10 MiB (Feeds API best practices).
pub const LARGEST_FEED_BYTES: usize = 10 * 1024 * 1024;

/// What the header of a JSON_LISTINGS_FEED takes of that at the most.
pub const FEED_HEADER_BYTES: usize = 1024;

/// Feeds on one page of getFeeds, `pageSize`.
pub const FEEDS_PER_PAGE: u32 = 100;

/// Pages of feeds that are read at once: more than the bucket holds would only wait.
pub const FEED_PAGES: usize = 5;

/// The largest report that is unpacked. One of 25,000 errors has about 8 MiB.
pub const LARGEST_REPORT_BYTES: u64 = 64 * 1024 * 1024;

/// How often a cancellation that was handed in is looked at before it is left to Amazon.
pub const CANCEL_LOOKS: usize = 2;

/// The pause before each look at a cancellation.
pub const CANCEL_LOOK_PAUSE: Duration = Duration::from_secs(1);

/// Refreshing and grantless tokens live an hour; a grantless one is renewed this long before its end.
pub const TOKEN_MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// The wait after a fault of Amazon's, of the network, or an answer that cannot be read.
pub const FAULT_WAIT: Duration = Duration::from_secs(30);

/// The shortest and the longest wait after a refusal for too many calls. Between them it is the time in which the bucket
/// gets one token: there is no Retry-After.
pub const THROTTLED_WAIT: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_secs(3_600));

/// The wait after a refusal of the token endpoint for too many calls; nothing is documented.
pub const TOKEN_THROTTLED_WAIT: Duration = Duration::from_secs(30);

/// How far Amazon's clock may be from ours before a person should know.
pub const CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_secs(30);
