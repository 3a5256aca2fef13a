//! searchOrders and getOrder (Orders API 2026-01-01).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::rendering;
use super::state::Order;
use super::state::State;
use super::types::AmazonStatus;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::later_ms;
use crate::form;

const TWO_MINUTES_MS: i64 = 120_000;
const INCLUDED: [&str; 11] = [
    "BUYER",
    "RECIPIENT",
    "PROCEEDS",
    "EXPENSE",
    "PROMOTION",
    "CANCELLATION",
    "FULFILLMENT",
    "PACKAGES",
    "TAX",
    "PAYMENT",
    "FULFILLMENT_ORDERS",
];
/// What a search may say. Amazon passes over other names; here they are refused, because each is somebody's mistake.
const PARAMETERS: [&str; 10] = [
    "createdAfter",
    "createdBefore",
    "lastUpdatedAfter",
    "lastUpdatedBefore",
    "fulfillmentStatuses",
    "marketplaceIds",
    "fulfilledBy",
    "maxResultsPerPage",
    "paginationToken",
    "includedData",
];

/// What a page's token stands for.
#[derive(Clone)]
pub(super) struct Page {
    /// All parameters that must be repeated unchanged.
    search: BTreeMap<String, String>,
    rest: Vec<String>,
    expires_at: Timestamp,
}

type Refused = Box<Answer>;

impl State {
    /// GET orders/{orderId}
    pub(super) fn get_order(&self, order_id: &str, call: &Call) -> Answer {
        let included = match included(call) {
            Ok(included) => included,
            Err(answer) => return *answer,
        };
        let delay = self.config.settings.order_visible_after_ms;
        let is_order_id = order_id.len() == 19
            && order_id
                .bytes()
                .enumerate()
                .all(|(place, byte)| match place {
                    3 | 11 => byte == b'-',
                    _ => byte.is_ascii_digit(),
                });
        if !is_order_id {
            return error::invalid("Invalid Input");
        }
        let is_shown = |order: &&Order| {
            !order.happened.is_gone && later_ms(order.created_at, delay) <= self.now
        };
        match self.orders.get(order_id).filter(is_shown) {
            Some(order) => {
                rendering::answer(&json!({ "order": self.order_json(order, &included) }))
            }
            None => error::not_found("The order was not found."),
        }
    }

    /// GET orders
    pub(super) fn search_orders(&mut self, call: &Call) -> Answer {
        match self.searched(call) {
            Ok(body) => rendering::answer(&body),
            Err(answer) => *answer,
        }
    }

    fn searched(&mut self, call: &Call) -> Result<Value, Refused> {
        let query = call.uri.query().unwrap_or_default();
        let mut search: BTreeMap<String, String> =
            form::parse(query.as_bytes()).into_iter().collect();
        if let Some(unknown) = search
            .keys()
            .find(|name| !PARAMETERS.contains(&name.as_str()))
        {
            return Err(refused(&format!("Unknown parameter {unknown}.")));
        }
        let included = included(call)?;
        search.remove("includedData");
        let most = match search.remove("maxResultsPerPage").map(|text| text.parse()) {
            None => 100,
            Some(Ok(most @ 1..=100)) => most,
            Some(_) => return Err(refused("maxResultsPerPage must be between 1 and 100.")),
        };
        let token = search.remove("paginationToken");
        let found = match token {
            None => self.matching(&search)?,
            Some(token) => {
                let page = self.pages.get(&token);
                let page = page.filter(|page| page.expires_at > self.now && page.search == search);
                let refused = || refused("The paginationToken is invalid or has expired.");
                page.ok_or_else(refused)?.rest.clone()
            }
        };
        let (shown, rest) = found.split_at(found.len().min(most));
        let orders: Vec<Value> = shown
            .iter()
            .filter_map(|id| self.orders.get(id))
            .filter(|order| !order.happened.is_gone)
            .map(|order| self.order_json(order, &included))
            .collect();
        let mut body = json!({ "orders": orders });
        if let Some(before) = search.get("lastUpdatedBefore") {
            body["lastUpdatedBefore"] = json!(before);
        }
        if !rest.is_empty() {
            self.move_oldest(shown);
            // As real ones are, so that nobody forgets to encode it.
            let token = format!("{}+/{}==", self.random.hex(20), self.random.hex(20));
            body["pagination"] = json!({ "nextToken": token });
            let page = Page {
                search,
                rest: rest.to_vec(),
                expires_at: later_ms(self.now, self.config.settings.page_token_s * 1_000),
            };
            self.pages.insert(token, page);
        }
        Ok(body)
    }

    /// Where it is a habit, the oldest order of a page changes as soon as the page is answered. The next page's token goes
    /// on after it all the same; a reader who begins again finds the order at its new time.
    fn move_oldest(&mut self, page: &[String]) {
        let now = self.now;
        let oldest = page.first().filter(|_| self.lists.moves_while_paged);
        if let Some(order) = oldest.and_then(|id| self.orders.get_mut(id)) {
            order.updated_at = now;
        }
    }

    /// The ids of all orders that a search finds, the oldest change first.
    fn matching(&self, search: &BTreeMap<String, String>) -> Result<Vec<String>, Refused> {
        let given = |name: &str| search.get(name).map(String::as_str);
        let by_creation = given("createdAfter").is_some();
        if by_creation == given("lastUpdatedAfter").is_some() {
            return Err(refused(
                "Exactly one of createdAfter and lastUpdatedAfter must be given.",
            ));
        }
        let (after, before, other) = if by_creation {
            ("createdAfter", "createdBefore", "lastUpdatedBefore")
        } else {
            ("lastUpdatedAfter", "lastUpdatedBefore", "createdBefore")
        };
        if given(other).is_some() {
            return Err(refused(&format!("{other} may not be given with {after}.")));
        }
        let time = |name: &str| {
            let parsed = given(name).map(|text| text.parse::<Timestamp>());
            parsed
                .transpose()
                .map_err(|_| refused(&format!("{name} is not ISO 8601.")))
        };
        let from = time(after)?.unwrap_or(Timestamp::MIN);
        let latest = Timestamp::from_millisecond(self.now.as_millisecond() - TWO_MINUTES_MS);
        let latest = latest.unwrap_or(Timestamp::MIN);
        let until = time(before)?.unwrap_or(latest);
        if until > latest {
            let message = format!("{before} must be at least two minutes before the request.");
            return Err(refused(&message));
        }
        if until < from {
            return Err(refused(&format!("{before} must not be before {after}.")));
        }
        let list = |name: &str| {
            given(name).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>())
        };
        let marketplaces = list("marketplaceIds");
        if marketplaces.as_ref().is_some_and(|ids| ids.len() > 50) {
            return Err(refused("At most 50 marketplaceIds."));
        }
        let (statuses, by) = (list("fulfillmentStatuses"), list("fulfilledBy"));
        let is_in = |list: &Option<Vec<String>>, value: &str| {
            list.as_ref()
                .is_none_or(|list| list.iter().any(|one| one == value))
        };
        let delay = self.config.settings.search_visible_after_ms;
        let mut found: Vec<(Timestamp, &str)> = Vec::new();
        for order in self.orders.values() {
            let at = if by_creation {
                order.created_at
            } else {
                order.updated_at
            };
            let is_found = !order.happened.is_gone
                && (from..=until).contains(&at)
                && later_ms(order.updated_at, delay) <= self.now
                && is_in(&marketplaces, &self.marketplace())
                && is_in(&statuses, status_name(order.status()))
                && is_in(&by, fulfilled_by(order));
            if is_found {
                found.push((at, &order.order_id));
            }
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id.to_owned()).collect())
    }
}

fn refused(message: &str) -> Refused {
    Box::new(error::invalid(message))
}

fn included(call: &Call) -> Result<Vec<String>, Refused> {
    let given = form::query_value(call.uri.query(), "includedData").unwrap_or_default();
    let names: Vec<String> = given
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if names.iter().any(|name| !INCLUDED.contains(&name.as_str())) {
        return Err(refused("includedData has an unknown value."));
    }
    Ok(names)
}

pub(super) fn status_name(status: AmazonStatus) -> &'static str {
    match status {
        AmazonStatus::Pending => "PENDING",
        AmazonStatus::Unshipped => "UNSHIPPED",
        AmazonStatus::PartiallyShipped => "PARTIALLY_SHIPPED",
        AmazonStatus::Shipped => "SHIPPED",
        AmazonStatus::Cancelled => "CANCELLED",
    }
}

pub(super) fn fulfilled_by(order: &Order) -> &'static str {
    if order.by_amazon {
        "AMAZON"
    } else {
        "MERCHANT"
    }
}
