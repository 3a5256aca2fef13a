//! The seller's side: a shop's listings and customers' orders, behind both gateways.

mod control;
mod listings;
mod orders;
pub(super) mod routes;
mod types;
mod xml;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::envelope::GatewayError;
use super::gateway::Params;
use super::state::State;
use super::state::Tokens;
use super::types::AliExpressOperation as Operation;
use crate::buyer::Buyer;
use crate::money::Money;

pub use types::*;
pub(super) use xml::document;

/// Everything that the shop knows.
#[derive(Clone)]
pub(super) struct Seller {
    pub(super) tokens: Tokens,
    listings: BTreeMap<u64, Vec<ListingSku>>,
    orders: BTreeMap<u64, Order>,
    feeds: BTreeMap<u64, Feed>,
    next_child: u64,
}

#[derive(Clone)]
struct ListingSku {
    sku_code: String,
    price: Money,
    inventory: u32,
}

#[derive(Clone)]
struct Order {
    order_id: u64,
    status: SaleStatus,
    lines: Vec<Line>,
    buyer: Buyer,
    shipments: Vec<ShipmentView>,
    /// Whether a shipment was declared as the last one.
    all_sent: bool,
    created_at: Timestamp,
    modified_at: Timestamp,
    end_reason: Option<String>,
}

#[derive(Clone)]
struct Line {
    child_id: u64,
    product_id: u64,
    sku_code: String,
    quantity: u32,
    price: Money,
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
        }
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
