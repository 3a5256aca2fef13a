//! searchOrders and getOrder (Orders API 2026-01-01).

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::state::money_json;
use super::types::AmazonPackageView;
use super::types::AmazonStatus;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::form;
use crate::money::Money;

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
        let order = self.orders.get(order_id);
        match order.filter(|order| later_ms(order.created_at, delay) <= self.now) {
            Some(order) => {
                let body = json!({ "order": self.order_json(order, &included) });
                Answer::json(StatusCode::OK, &body)
            }
            None => error::not_found("The order was not found."),
        }
    }

    /// GET orders
    pub(super) fn search_orders(&mut self, call: &Call) -> Answer {
        match self.searched(call) {
            Ok(body) => Answer::json(StatusCode::OK, &body),
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
            .map(|order| self.order_json(order, &included))
            .collect();
        let mut body = json!({ "orders": orders });
        if let Some(before) = search.get("lastUpdatedBefore") {
            body["lastUpdatedBefore"] = json!(before);
        }
        if !rest.is_empty() {
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
            let is_found = (from..=until).contains(&at)
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

    fn order_json(&self, order: &Order, included: &[String]) -> Value {
        let wants = |name: &str| included.iter().any(|one| one == name);
        let status = order.status();
        let items = order
            .lines
            .iter()
            .map(|line| item_json(order, line, included));
        let mut body = json!({
            "orderId": order.order_id,
            "createdTime": iso_ms(order.created_at),
            "lastUpdatedTime": iso_ms(order.updated_at),
            "programs": order.programs,
            "salesChannel": {
                "channelName": "AMAZON",
                "marketplaceId": self.marketplace(),
                "marketplaceName": "Amazon.com",
            },
            "orderItems": items.collect::<Vec<_>>(),
        });
        let is_open = matches!(
            status,
            AmazonStatus::Unshipped | AmazonStatus::PartiallyShipped
        );
        // Before the payment nobody is told who buys and for how much.
        if wants("BUYER") && order.is_paid {
            body["buyer"] = json!({ "buyerName": order.buyer.full_name });
            if is_open || status == AmazonStatus::Shipped {
                body["buyer"]["buyerEmail"] = json!(order.buyer.email);
            }
        }
        if wants("RECIPIENT") && order.is_paid && status != AmazonStatus::Cancelled {
            body["recipient"] = json!({ "deliveryAddress": address_json(order, is_open) });
        }
        if wants("PROCEEDS") && order.is_paid {
            body["proceeds"] = json!({ "grandTotal": money_json(&order.total()) });
        }
        if wants("FULFILLMENT") {
            let day = |count: u64| iso_ms(later_ms(order.created_at, count * 86_400_000));
            body["fulfillment"] = json!({
                "fulfillmentStatus": status_name(status),
                "fulfilledBy": fulfilled_by(order),
                "fulfillmentServiceLevel": "STANDARD",
                "shipByWindow": { "earliestDateTime": day(0), "latestDateTime": day(3) },
                "deliverByWindow": { "earliestDateTime": day(5), "latestDateTime": day(15) },
            });
        }
        if wants("PACKAGES") {
            body["packages"] = order.packages.iter().map(package_json).collect();
        }
        body
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

fn fulfilled_by(order: &Order) -> &'static str {
    if order.by_amazon {
        "AMAZON"
    } else {
        "MERCHANT"
    }
}

fn address_json(order: &Order, with_phone: bool) -> Value {
    let buyer = &order.buyer;
    let mut address = json!({
        "name": buyer.full_name,
        "addressLine1": buyer.address_line1,
        "addressLine2": buyer.address_line2.as_deref().unwrap_or_default(),
        "addressLine3": "",
        "city": buyer.city,
        "stateOrRegion": buyer.state_or_province,
        "postalCode": buyer.postal_code,
        "countryCode": buyer.country_code,
        "addressType": "RESIDENTIAL",
    });
    if with_phone {
        address["phone"] = json!(buyer.phone);
    }
    address
}

fn item_json(order: &Order, line: &Line, included: &[String]) -> Value {
    let wants = |name: &str| included.iter().any(|one| one == name);
    let shipped = order.shipped(&line.order_item_id, None);
    let mut item = json!({
        "orderItemId": line.order_item_id,
        "quantityOrdered": line.quantity,
        "product": {
            "asin": line.asin,
            "title": line.title,
            "sellerSku": line.sku,
            "price": { "unitPrice": money_json(&line.price) },
        },
    });
    if wants("PROCEEDS") && order.is_paid {
        let total = money_json(&line.price.times(line.quantity));
        let nothing = money_json(&Money::new(0, &*line.price.currency));
        item["proceeds"] = json!({
            "proceedsTotal": total,
            "breakdowns": [
                { "type": "ITEM", "subtotal": total },
                { "type": "SHIPPING", "subtotal": nothing },
            ],
        });
    }
    if wants("FULFILLMENT") {
        item["fulfillment"] = json!({
            "quantityFulfilled": shipped,
            "quantityUnfulfilled": line.quantity.saturating_sub(shipped),
        });
    }
    if wants("CANCELLATION") {
        if let Some(reason) = &order.cancel_request {
            item["cancellation"]["cancellationRequest"] =
                json!({ "requester": "BUYER", "cancelReason": reason });
        }
        if let Some(by) = order.cancelled_by {
            item["cancellation"]["cancellationExecution"] = json!({ "cancelledBy": by });
        }
    }
    item
}

fn package_json(package: &AmazonPackageView) -> Value {
    let items = package.lines.iter();
    let items = items.map(|(id, units)| json!({ "orderItemId": id, "quantity": units }));
    let carrier = package
        .carrier_name
        .as_ref()
        .unwrap_or(&package.carrier_code);
    json!({
        "packageReferenceId": package.reference,
        "packageStatus": { "status": "IN_TRANSIT" },
        "carrier": carrier,
        "shipTime": iso_ms(package.shipped_at),
        "trackingNumber": package.tracking_number,
        "packageItems": items.collect::<Vec<_>>(),
    })
}
