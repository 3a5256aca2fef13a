//! The documented limits, and what Kervan keeps to.

use std::time::Duration;

/// Calls per second of each operation (page "API QPS"). Whether they count for the application or for the account is
/// not documented.
pub const CALLS_PER_SECOND: [(&str, u32); 5] = [
    (super::client::PRODUCT_GET, 500),
    (super::client::FREIGHT_QUERY, 350),
    (super::client::ORDER_CREATE, 150),
    (super::client::ORDER_GET, 1000),
    (super::client::TRACKING_GET, 100),
];

/// A repeated `out_order_id` is recognised for 24 hours (page of `aliexpress.ds.order.create`). Kervan stays well below,
/// because the two clocks differ and the window's beginning is not documented.
pub const REPEAT_WITHIN: Duration = Duration::from_secs(20 * 3600);

/// An unanswered order is repeated after this time. The guide reads a new order after about 10 s; a repeat that meets
/// the first one at work could be taken for another.
pub const REPEAT_AFTER: Duration = Duration::from_secs(30);

/// A push that is older is refused. The platform sends one up to 12 times, half an hour apart, which is 6 hours.
pub const OLDEST_PUSH: Duration = Duration::from_secs(24 * 3600);

/// How far a push's clock may be ahead of ours.
pub const PUSH_AHEAD: Duration = Duration::from_secs(600);

/// The longest pause after too many calls: a daily limit lasts until midnight, GMT+8.
pub const LONGEST_BAN: Duration = Duration::from_secs(24 * 3600);
