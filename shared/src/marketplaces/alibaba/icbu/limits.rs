//! The documented limits, and what Kervan keeps to. Rates are not published, so none is asked for.

use std::time::Duration;

/// The dearest order, in cents of a US dollar; a dearer one is refused with 480006 (FAQ, docId=131).
pub const DEAREST_ORDER_CENTS: i64 = 500_000;

/// The cheapest order, in cents of a US dollar; a cheaper one is refused with 430013 (FAQ, docId=131).
pub const CHEAPEST_ORDER_CENTS: i64 = 30;

/// Orders on one page of the order list. The most is not documented; twenty is what the page's example asks for.
pub const ORDERS_PER_PAGE: u32 = 20;

/// The most pages of one search. With more orders than that since a lost answer, a person looks.
pub const MOST_PAGES: u32 = 10;

/// A search surely finds an order so long after it was placed. Not documented; a new order is listed within seconds.
pub const LISTED_WITHIN: Duration = Duration::from_secs(60);

/// A search reaches back by so much before the first sending, because two clocks differ.
pub const SEARCH_MARGIN: Duration = Duration::from_secs(900);

/// A push that is older is refused. The platform sends one up to 12 times over about 6 hours (dropshipping guide).
pub const OLDEST_PUSH: Duration = Duration::from_secs(24 * 3600);

/// How far a push's clock may be ahead of ours.
pub const PUSH_AHEAD: Duration = Duration::from_secs(600);

/// How far a request's time may be from the platform's; the sister platform documents two hours.
pub const CLOCK_SKEW: Duration = Duration::from_secs(7_200);

/// The longest pause after too many calls that is believed.
pub const LONGEST_BAN: Duration = Duration::from_secs(24 * 3600);
