//! The seller's side: a shop's listings and customers' orders, behind both gateways.

mod control;
mod detail;
mod happenings;
mod listings;
mod orders;
pub(super) mod routes;
mod sale;
mod types;
mod xml;

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::envelope::GatewayError;
use super::gateway::Params;
use super::state::State;
use super::state::Tokens;
use super::types::AliExpressOperation as Operation;
use crate::actions::ListHabits;
use crate::money::Money;

pub use types::*;
pub(super) use xml::document;

use sale::Order;

/// Everything that the shop knows.
#[derive(Clone)]
pub(super) struct Seller {
    pub(super) tokens: Tokens,
    listings: BTreeMap<u64, Vec<ListingSku>>,
    orders: BTreeMap<u64, Order>,
    feeds: BTreeMap<u64, Feed>,
    next_child: u64,
    /// How orders are listed.
    pub(super) lists: ListHabits,
    /// Refunds under way: when each ends, the order, the place of its line, and the place of the refund in that.
    refunds_due: BTreeSet<(Timestamp, u64, usize, usize)>,
}

#[derive(Clone)]
struct ListingSku {
    sku_code: String,
    price: Money,
    inventory: u32,
}

#[derive(Clone)]
struct Feed {
    operation_type: String,
    submitted_at: Timestamp,
    items: Vec<(String, String)>,
    /// What each item came to, once the job was executed.
    results: Option<Vec<(String, String)>>,
}

impl Seller {
    pub(super) fn new(tokens: Tokens) -> Self {
        Self {
            tokens,
            listings: BTreeMap::new(),
            orders: BTreeMap::new(),
            feeds: BTreeMap::new(),
            next_child: 8_190_000_000_000_001,
            lists: ListHabits::default(),
            refunds_due: BTreeSet::new(),
        }
    }

    /// When the next refund ends.
    pub(super) fn next_refund(&self) -> Option<Timestamp> {
        self.refunds_due.first().map(|(at, ..)| *at)
    }

    /// An order that reads show.
    fn shown(&self, id: u64) -> Option<&Order> {
        self.orders.get(&id).filter(|order| !order.vanished)
    }
}

impl Operation {
    /// Whether the call is a shop's.
    pub(super) fn is_sellers(self) -> bool {
        let name = self.name();
        name.starts_with("aliexpress.solution.")
            || name.starts_with("aliexpress.logistics.redefining.")
    }
}

impl State {
    pub(super) fn run_seller(
        &mut self,
        operation: Operation,
        params: &Params,
    ) -> Result<Value, GatewayError> {
        match operation {
            Operation::SolutionOrderGet => self.solution_order_get(params),
            Operation::SolutionOrderInfoGet => self.solution_order_info(params),
            Operation::SolutionReceiptInfoGet => self.solution_receipt_info(params),
            Operation::SolutionOrderFulfill => self.solution_fulfill(params),
            Operation::ListLogisticsService => Ok(orders::services()),
            Operation::SolutionInventoryUpdate => self.batch_update(params, "inventory"),
            Operation::SolutionPriceUpdate => self.batch_update(params, "price"),
            Operation::SolutionFeedSubmit => self.feed_submit(params),
            Operation::SolutionFeedQuery => self.feed_query(params),
            Operation::SolutionFeedListGet => self.feed_list(params),
            _ => Ok(self.merchant_profile()),
        }
    }
}

/// The shop's wall clock.
fn pacific() -> TimeZone {
    TimeZone::posix("PST8PDT,M3.2.0,M11.1.0").unwrap_or(TimeZone::UTC)
}

fn wall(at: Timestamp) -> String {
    let there = pacific().to_datetime(at);
    there.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A wall time of the shop; of two meanings the earlier.
fn instant(text: &str) -> Option<Timestamp> {
    let wall = DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
    pacific().to_timestamp(wall).ok()
}
