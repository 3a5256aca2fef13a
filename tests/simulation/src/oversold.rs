//! Every unit that a channel sells over what the supplier has, counted at the moment of the sale, and what Kervan could know.
//!
//! A sale is held against two numbers. **Real** is the supplier's own stock at that moment, less the units sold on all
//! channels that it has not been sent an order for; what this sale takes over that is *oversold*. **Known** is what the table
//! says: the newest evidence that any look has brought, less what orders have reserved and bought since, less units sold
//! whose orders have reserved nothing yet; evidence that is worthless by the merchant's rule counts as none.
//!
//! A unit that is oversold is one of three:
//!
//! - **unknowable**: the table still knew of it. The supplier's stock fell after the newest look.
//! - **on its way**: the table knew that it was gone, but for less than a minute (one queue hop after an order or a look,
//!   with the channel's call), or, where something had failed, for less than the 30 minutes in which a message is delivered
//!   five times, and a worker, a message, a late request or an offer that is due for the next schedule was still at it.
//! - **within the rule**: the table knew, and nothing was on its way. There must be none: that is reported as I5.

use jiff::{SignedDuration, Timestamp};
use kervan::domain::{EvidenceRule, Sku};
use std::collections::BTreeMap;
use std::fmt;

/// One queue hop, and the call of a channel: a function's whole time.
const HOP: SignedDuration = SignedDuration::from_secs(60);
/// Five deliveries, hidden for six minutes each.
const LONGEST_REPAIR: SignedDuration = SignedDuration::from_mins(30);
/// A supplier that cannot be read is asked again within this time, and what is published is weighed anew then.
const WEIGHED_WITHIN: SignedDuration = SignedDuration::from_mins(35);

/// What customers got who buy only what a listing shows, in units; `turned_away` in customers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sales {
    /// Units sold.
    pub sold: u64,
    /// Customers whom the listing showed too little.
    pub turned_away: u64,
    /// Units oversold that no look could have told of yet.
    pub unknowable: u64,
    /// Units oversold while word of it was on its way to the channel.
    pub on_its_way: u64,
    /// Units oversold although the table knew, and nothing was on its way. Always 0 where nothing is broken.
    pub within_rule: u64,
}

impl Sales {
    /// All units oversold.
    pub const fn oversold(&self) -> u64 {
        self.unknowable + self.on_its_way + self.within_rule
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.sold += other.sold;
        self.turned_away += other.turned_away;
        self.unknowable += other.unknowable;
        self.on_its_way += other.on_its_way;
        self.within_rule += other.within_rule;
    }
}

impl fmt::Display for Sales {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} units sold, {} customers turned away, oversold: {} within the rule, {} while word was on its way, {} that \
             nobody could know",
            self.sold, self.turned_away, self.within_rule, self.on_its_way, self.unknowable
        )
    }
}

/// An offer as the table had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// When the supplier was asked.
    pub(crate) evidence_at: Timestamp,
    /// Units that no order has taken.
    pub(crate) free: i64,
}

/// What the table said of a sku from a moment on.
#[derive(Debug, Clone)]
struct Page {
    at: Timestamp,
    number: u64,
    offers: Vec<Known>,
    /// Units sold by then whose orders had reserved nothing.
    unreserved: i64,
}

impl Page {
    fn free(&self, oldest: Timestamp) -> i64 {
        let known = self.offers.iter().filter(|one| one.evidence_at >= oldest);
        known.map(|one| one.free.max(0)).sum()
    }
}

/// What the table said of each sku, and when.
#[derive(Debug, Default)]
pub(crate) struct Books {
    pages: BTreeMap<Sku, Vec<Page>>,
    /// Pages so far: much happens at the same time, and in its order all the same.
    written: u64,
    pub(crate) sales: Sales,
}

/// A moment, among others at the same time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    at: Timestamp,
    written: u64,
}

/// One sale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sale {
    pub(crate) units: i64,
    /// The supplier's stock at the moment of the sale.
    pub(crate) real: i64,
    /// Units sold before, on all channels, that the supplier was not sent an order for.
    pub(crate) open: i64,
    /// Whether somebody was at work on what happened before, or a message waited that told of it.
    pub(crate) is_on_its_way: bool,
    pub(crate) at: Timestamp,
}

impl Books {
    /// The table or the orders have changed.
    pub(crate) fn note(&mut self, sku: &Sku, at: Timestamp, offers: Vec<Known>, unreserved: i64) {
        let pages = self.pages.entry(sku.clone()).or_default();
        let is_new = |last: &Page| last.offers != offers || last.unreserved != unreserved;
        if pages.last().is_none_or(is_new) {
            self.written += 1;
            pages.push(Page {
                at,
                number: self.written,
                offers,
                unreserved,
            });
        }
    }

    /// This moment.
    pub(crate) const fn moment(&self, at: Timestamp) -> Moment {
        Moment {
            at,
            written: self.written,
        }
    }

    /// The most units that the table has said to be free from a moment on; none where it was never told of the sku.
    pub(crate) fn most_free(&self, sku: &Sku, since: Moment, rule: &EvidenceRule) -> Option<i64> {
        let (pages, from) = (self.pages.get(sku)?, since.at);
        let is_before = |page: &Page| page.number <= since.written;
        let first = pages.iter().rposition(is_before).unwrap_or(0);
        let free = pages[first..].iter().map(|page| {
            let seen_at = page.at.max(from);
            page.free(before(seen_at, rule.worthless()))
        });
        free.max()
    }

    /// The most units that were sold and not reserved, at any time from a moment on.
    pub(crate) fn most_unreserved(&self, sku: &Sku, since: Moment) -> i64 {
        let pages = self.pages.get(sku).map_or(&[][..], Vec::as_slice);
        let is_before = |page: &Page| page.number <= since.written;
        let first = pages.iter().rposition(is_before).unwrap_or(0);
        let pages = pages.get(first..).unwrap_or_default().iter();
        pages.map(|page| page.unreserved).max().unwrap_or(0)
    }

    /// Judges a sale.
    pub(crate) fn sold(&mut self, sku: &Sku, sale: Sale, rule: &EvidenceRule) -> Sales {
        let over = |left: i64| (sale.units - left.max(0)).clamp(0, sale.units);
        let oversold = over(sale.real - sale.open);
        // What the table does not know to be gone at the end of a stretch of time, nobody could know.
        let known_over = |age: SignedDuration| {
            let from = before(sale.at, age);
            let pages = self.pages.get(sku).map_or(&[][..], Vec::as_slice);
            let first = pages.iter().rposition(|page| page.at <= from);
            let seen = pages[first.unwrap_or(0)..].iter().map(|page| {
                let oldest = before(page.at.max(from), rule.worthless() + WEIGHED_WITHIN);
                over(page.free(oldest) - page.unreserved)
            });
            match first {
                Some(_) => seen.min().unwrap_or(0),
                None => 0,
            }
        };
        let (now, hop) = (known_over(SignedDuration::ZERO), known_over(HOP));
        let late = known_over(LONGEST_REPAIR);
        let known = now.min(oversold);
        let excusable = if sale.is_on_its_way { late } else { hop };
        let within_rule = excusable.min(known);
        let count = |units: i64| u64::try_from(units).unwrap_or(0);
        let came = Sales {
            sold: count(sale.units),
            turned_away: 0,
            unknowable: count(oversold - known),
            on_its_way: count(known - within_rule),
            within_rule: count(within_rule),
        };
        self.sales.add(came);
        came
    }
}

fn before(at: Timestamp, age: SignedDuration) -> Timestamp {
    at.checked_sub(age).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + seconds).unwrap()
    }

    /// Three units are known from the beginning, and none from second 1000 on.
    fn books() -> (Books, Sku) {
        let (mut books, sku) = (Books::default(), Sku::parse("LAMP-01").unwrap());
        for (second, free) in [(0, 3), (1_000, 0)] {
            let known = Known {
                evidence_at: at(second),
                free,
            };
            books.note(&sku, at(second), vec![known], 0);
        }
        (books, sku)
    }

    fn sold(second: i64, real: i64, is_on_its_way: bool) -> Sales {
        let (mut books, sku) = books();
        let sale = Sale {
            units: 1,
            real,
            open: 0,
            is_on_its_way,
            at: at(second),
        };
        let came = books.sold(&sku, sale, &EvidenceRule::default());
        assert_eq!(came, books.sales);
        came
    }

    #[test]
    fn a_unit_that_the_supplier_has_is_not_oversold_whatever_the_table_says() {
        for second in [500, 1_001, 5_000] {
            assert_eq!(sold(second, 1, false).oversold(), 0);
        }
    }

    #[test]
    fn what_no_look_has_told_of_is_unknowable() {
        assert_eq!(sold(999, 0, true).unknowable, 1);
        assert_eq!(sold(999, 0, false).unknowable, 1);
    }

    #[test]
    fn word_has_a_minute_and_half_an_hour_where_somebody_is_still_at_it() {
        assert_eq!(sold(1_059, 0, false).on_its_way, 1);
        assert_eq!(sold(1_060, 0, false).within_rule, 1);
        assert_eq!(sold(1_060, 0, true).on_its_way, 1);
        assert_eq!(sold(2_799, 0, true).on_its_way, 1);
        assert_eq!(sold(2_800, 0, true).within_rule, 1);
    }

    #[test]
    fn units_of_orders_that_have_reserved_nothing_are_not_there_twice() {
        let (mut books, sku) = books();
        let known = Known {
            evidence_at: at(2_000),
            free: 2,
        };
        books.note(&sku, at(2_000), vec![known], 2);
        let sale = Sale {
            units: 1,
            real: 2,
            open: 2,
            is_on_its_way: false,
            at: at(2_100),
        };
        assert_eq!(
            books.sold(&sku, sale, &EvidenceRule::default()).within_rule,
            1
        );
    }

    #[test]
    fn worthless_evidence_counts_as_none_once_it_was_weighed_again() {
        let (mut books, sku) = (Books::default(), Sku::parse("LAMP-01").unwrap());
        let known = Known {
            evidence_at: at(0),
            free: 3,
        };
        books.note(&sku, at(0), vec![known], 0);
        let rule = EvidenceRule::default();
        let mut came = |second| {
            let sale = Sale {
                units: 1,
                real: 0,
                open: 0,
                is_on_its_way: false,
                at: at(second),
            };
            books.sold(&sku, sale, &rule)
        };
        assert_eq!(came(86_400).unknowable, 1);
        assert_eq!(came(86_400 + 36 * 60 + 60).within_rule, 1);
        let most_free = |second| books.most_free(&sku, books.moment(at(second)), &rule);
        assert_eq!(most_free(86_401), Some(0));
        assert_eq!(most_free(86_000), Some(3));
    }

    #[test]
    fn what_was_free_when_a_function_began_counts_for_it_and_what_was_gone_does_not() {
        let (mut books, sku) = books();
        let (began, now) = (books.moment(at(1_000)), at(1_000));
        let known = |free| {
            vec![Known {
                evidence_at: now,
                free,
            }]
        };
        let rule = EvidenceRule::default();
        assert_eq!(books.most_free(&sku, began, &rule), Some(0));
        books.note(&sku, now, known(2), 0);
        let later = books.moment(now);
        books.note(&sku, now, known(1), 0);
        assert_eq!(books.most_free(&sku, began, &rule), Some(2));
        assert_eq!(books.most_free(&sku, later, &rule), Some(2));
        assert_eq!(books.most_free(&sku, books.moment(now), &rule), Some(1));
    }
}
