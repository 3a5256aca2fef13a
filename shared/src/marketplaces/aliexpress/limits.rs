//! The documented limits, and what Kervan keeps to.

use super::{client, seller};
use crate::limiter::Limit;
use std::time::Duration;

/// Calls per second of each operation of the dropshipping API (page "API QPS"). Whether they count for the application
/// or for the account is not documented.
pub const CALLS_PER_SECOND: [(&str, u32); 5] = [
    (client::PRODUCT_GET, 500),
    (client::FREIGHT_QUERY, 350),
    (client::ORDER_CREATE, 150),
    (client::ORDER_GET, 1000),
    (client::TRACKING_GET, 100),
];

/// Submissions of one operation type in 24 hours (page of `aliexpress.solution.feed.submit`).
pub const SUBMISSIONS_PER_DAY: u32 = 300;

/// Items of one submission (page of `aliexpress.solution.feed.submit`, `item_list`).
pub const ITEMS_PER_SUBMISSION: usize = 2000;

/// Products of one update of stock or prices (pages of `aliexpress.solution.batch.product.*.update`).
pub const PRODUCTS_PER_UPDATE: usize = 20;

/// Skus of one product in one update (the same pages).
pub const SKUS_PER_PRODUCT: usize = 200;

/// Orders on one page (`page_size` of `aliexpress.solution.order.get`; its sister APIs name 50 as the most).
pub const ORDERS_PER_PAGE: u32 = 50;

/// The pages of one list of orders are read within this time.
pub const PAGES_READ_WITHIN: Duration = Duration::from_secs(15 * 60);

/// Submissions on one page, and the most pages that are read.
pub const SUBMISSIONS_PER_PAGE: u32 = 50;
/// The most pages of submissions that are read: as many as hold all of a day's.
pub const SUBMISSION_PAGES: u32 = 2 * SUBMISSIONS_PER_DAY / SUBMISSIONS_PER_PAGE;

/// How long the list of logistics services is kept: it names contracts, which change by the month.
pub const SERVICES_KEPT: Duration = Duration::from_secs(6 * 3600);

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

/// How far a request's timestamp may be off (system parameters of the gateway).
pub const TIMESTAMP_OFF: Duration = Duration::from_secs(7_200);
/// The same at the old gateway (TOP manual).
pub const OLD_TIMESTAMP_OFF: Duration = Duration::from_secs(600);

/// The limit of an operation; `None` where none is documented. What is allowed at once and what flows in meanwhile are
/// half of it each, so that no span of its length sees more than it in whole.
pub(super) fn of(operation: &str) -> Option<Limit> {
    let second = Duration::from_secs(1);
    let of_second = |calls| halves(calls, second);
    match operation {
        seller::PRICES_SUBMIT | seller::STOCKS_SUBMIT => {
            Some(halves(SUBMISSIONS_PER_DAY, Duration::from_secs(24 * 3600)))
        }
        operation => {
            let mut known = CALLS_PER_SECOND.iter();
            known
                .find(|(name, _)| *name == operation)
                .map(|(_, calls)| of_second(*calls))
        }
    }
}

const fn halves(calls: u32, per: Duration) -> Limit {
    Limit {
        calls: calls / 2,
        per,
        burst: calls / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_sees_more_than_is_documented() {
        for (operation, calls) in CALLS_PER_SECOND {
            let limit = of(operation).unwrap();
            assert_eq!(limit.per, Duration::from_secs(1));
            assert!(limit.calls + limit.burst <= calls, "{operation}");
        }
        let feeds = of(seller::STOCKS_SUBMIT).unwrap();
        assert_eq!(feeds.calls + feeds.burst, SUBMISSIONS_PER_DAY);
        assert_eq!(of(client::TOKEN_REFRESH), None);
    }
}
