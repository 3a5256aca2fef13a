//! The documented limits, and what Kervan keeps to.

use crate::limiter::Limit;
use std::time::Duration;

/// Calls of one API in a minute, as a public client reports; no page says it. A tenth of them at once.
pub const CALLS: Limit = Limit {
    calls: 500,
    per: Duration::from_secs(60),
    burst: 50,
};

/// Variants in one order (page of `alibaba.trade.createCrossOrder`).
pub const LINES_PER_ORDER: usize = 50;

/// Orders on one page of the order list; 50 is the most (page of `alibaba.trade.getBuyerOrderList`).
pub const ORDERS_PER_PAGE: u32 = 50;

/// The most pages of one search. A search by our reference finds one order as a rule.
pub const MOST_PAGES: u32 = 10;

/// Messages on one page of those that nobody took: 20 to 200 (page of `push.query.messageList`).
pub const MESSAGES_PER_PAGE: u32 = 200;

/// The pause after `gw.QosAppFrequencyLimit`. The platform's guide doubles it up to 120 s; here the bucket that all
/// functions share stays empty for it, which keeps the others away too.
pub const THROTTLED_WAIT: Duration = Duration::from_secs(10);

/// A search surely finds an order so long after it was placed. Not documented; a new order is listed within seconds.
pub const LISTED_WITHIN: Duration = Duration::from_secs(60);

/// A search reaches back by so much before the first sending, because two clocks differ.
pub const SEARCH_MARGIN: Duration = Duration::from_secs(900);

/// After so long an order may have moved to the table of the past, which is searched with `isHis`. Three months are
/// reported; less is asked for.
pub const PAST_AFTER: Duration = Duration::from_secs(60 * 24 * 3600);

/// A message that is older is refused. The platform keeps what was not taken for seven days.
pub const OLDEST_MESSAGE: Duration = Duration::from_secs(8 * 24 * 3600);

/// How far a message's clock may be ahead of ours.
pub const MESSAGE_AHEAD: Duration = Duration::from_secs(600);

/// How far our clock may be from the platform's before requests may be refused; not documented.
pub const CLOCK_SKEW: Duration = Duration::from_secs(600);

/// A refresh token can be prolonged only so long before its end (OAuth page).
pub const PROLONGED_BEFORE_END: Duration = Duration::from_secs(30 * 24 * 3600);
