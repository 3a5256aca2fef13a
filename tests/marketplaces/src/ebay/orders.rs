//! getOrder and getOrders (Sell Fulfillment API v1).

use http::StatusCode;
use jiff::Timestamp;
use jiff::ToSpan;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::error::FULFILLMENT;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::types::CancelState;
use super::types::FulfillmentStatus;
use super::types::PaymentStatus;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::form;
use crate::money::Money;

const MAX_LIMIT: usize = 200;
const DEFAULT_LIMIT: usize = 50;
const MAX_ORDER_IDS: usize = 50;
const SECONDS_OF_DAY: i64 = 86_400;

/// What the `filter` parameter asks for. Of the two dates only `created` counts when both are given.
#[derive(Default)]
struct Filter {
    created: Option<(Timestamp, Option<Timestamp>)>,
    modified: Option<(Timestamp, Option<Timestamp>)>,
    statuses: Option<[FulfillmentStatus; 2]>,
}

impl State {
    /// GET order/{orderId}
    pub(super) fn get_order(&mut self, order_id: &str, call: &Call) -> Answer {
        self.settle_refunds();
        match self.visible_order(order_id) {
            Ok(order) => Answer::json(
                StatusCode::OK,
                &self.order_json(self.as_read(order), true, &call.origin()),
            ),
            Err(answer) => *answer,
        }
    }

    /// The order as a read shows it: some reads are answered by a side that has not heard of the last change yet.
    fn as_read<'a>(&self, order: &'a Order) -> &'a Order {
        let lag = self.config.settings.order_lag_ms;
        let lags = self
            .gate
            .calls
            .get("getOrder")
            .is_some_and(|calls| calls % 2 == 1);
        match &order.before {
            Some((changed_at, before)) if lags && later_ms(*changed_at, lag) > self.now => before,
            _ => order,
        }
    }

    /// The order, when the id has the form of one and the read side knows it already.
    pub(super) fn visible_order(&self, order_id: &str) -> Result<&Order, Box<Answer>> {
        let message = format!("Invalid order ID: {order_id}");
        let well_formed = !order_id.is_empty()
            && order_id
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'!');
        if !well_formed {
            return Err(Box::new(error::bad_request(32100, FULFILLMENT, &message)));
        }
        let delay = self.config.settings.order_visible_after_ms;
        self.orders
            .get(order_id)
            .filter(|order| later_ms(order.created_at, delay) <= self.now)
            .ok_or_else(|| {
                Box::new(error::request(
                    StatusCode::NOT_FOUND,
                    32100,
                    FULFILLMENT,
                    &message,
                ))
            })
    }

    /// GET order
    pub(super) fn get_orders(&self, call: &Call) -> Answer {
        let query = call.uri.query();
        if query
            .unwrap_or_default()
            .contains(['[', ']', '{', '}', '|'])
        {
            // eBay's front servers turn such a request away before any of eBay's code sees it.
            return Answer::html(StatusCode::BAD_REQUEST, "HTTP Status 400 - Bad Request");
        }
        let found = match form::query_value(query, "orderIds") {
            Some(ids) => self.orders_by_id(&ids),
            None => self.orders_by_filter(query),
        };
        match found {
            Ok((orders, limit, offset)) => self.page(&orders, limit, offset, query, &call.origin()),
            Err(answer) => *answer,
        }
    }

    fn orders_by_id(&self, ids: &str) -> Result<(Vec<&Order>, usize, usize), Box<Answer>> {
        let ids: Vec<&str> = ids
            .split(',')
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .collect();
        if ids.len() > MAX_ORDER_IDS {
            return Err(Box::new(error::bad_request(
                30900,
                FULFILLMENT,
                "Exceeded maximum number of order IDs (the current limit is 50)",
            )));
        }
        let orders = ids
            .into_iter()
            .filter_map(|id| self.orders.get(id))
            .filter(|order| self.is_listed(order))
            .collect();
        Ok((orders, DEFAULT_LIMIT, 0))
    }

    fn orders_by_filter(
        &self,
        query: Option<&str>,
    ) -> Result<(Vec<&Order>, usize, usize), Box<Answer>> {
        let limit = self.number(query, "limit", 31100, DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
        let offset = self.number(query, "offset", 31000, 0, 0..=usize::MAX)?;
        let filter = self.filter(form::query_value(query, "filter").as_deref())?;
        let mut orders: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| self.is_listed(order) && self.matches(order, &filter))
            .collect();
        orders.sort_by(|a, b| (a.created_at, &a.order_id).cmp(&(b.created_at, &b.order_id)));
        Ok((orders, limit, offset))
    }

    /// The list trails behind both a sale and a change.
    fn is_listed(&self, order: &Order) -> bool {
        let delay = self.config.settings.orders_list_visible_after_ms;
        later_ms(order.created_at, delay) <= self.now
    }

    fn number(
        &self,
        query: Option<&str>,
        name: &str,
        error_id: u32,
        default: usize,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, Box<Answer>> {
        let Some(text) = form::query_value(query, name) else {
            return Ok(default);
        };
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| {
            let message = format!("Invalid {name}: {text}");
            Box::new(error::bad_request(error_id, FULFILLMENT, &message))
        })
    }

    fn filter(&self, text: Option<&str>) -> Result<Filter, Box<Answer>> {
        let mut filter = Filter::default();
        for part in text
            .unwrap_or_default()
            .split(',')
            .filter(|part| !part.is_empty())
        {
            let (name, value) = part.split_once(':').unwrap_or((part, ""));
            match name {
                "creationdate" => filter.created = Some(self.dates(name, value)?),
                "lastmodifieddate" => filter.modified = Some(self.dates(name, value)?),
                "orderfulfillmentstatus" => filter.statuses = Some(statuses(name, value)?),
                other => {
                    let message = format!("Invalid filter name: {other}");
                    return Err(Box::new(error::bad_request(30700, FULFILLMENT, &message)));
                }
            }
        }
        Ok(filter)
    }

    fn dates(
        &self,
        name: &str,
        value: &str,
    ) -> Result<(Timestamp, Option<Timestamp>), Box<Answer>> {
        let refuse =
            |id, message: &str| Err(Box::new(error::bad_request(id, FULFILLMENT, message)));
        let inner = value
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let Some((start, end)) = inner.and_then(|inner| inner.split_once("..")) else {
            return Err(invalid_filter_value(name, value));
        };
        if start.is_empty() {
            return refuse(30820, "Start date is missing");
        }
        let Some(start) = date(start) else {
            return refuse(30810, "Invalid date format");
        };
        let end = match end {
            "" => None,
            text => match date(text) {
                Some(end) => Some(end),
                None => return refuse(30810, "Invalid date format"),
            },
        };
        if start > self.now || end.is_some_and(|end| end > self.now) {
            return refuse(30850, "Start and end dates can't be in the future");
        }
        if end.is_some_and(|end| end < start) {
            return refuse(30840, "Start date should be before end date");
        }
        let oldest = Offset::UTC.to_datetime(self.now).checked_sub(2.years());
        if oldest.is_ok_and(|oldest| Offset::UTC.to_datetime(start) < oldest) {
            let message = "Time range between start date and end date must be within '2' years.";
            return refuse(30830, message);
        }
        Ok((start, end))
    }

    fn matches(&self, order: &Order, filter: &Filter) -> bool {
        let within = |at: Timestamp, (start, end): (Timestamp, Option<Timestamp>)| {
            start <= at && end.is_none_or(|end| at <= end)
        };
        let by_date = match (filter.created, filter.modified) {
            (Some(created), _) => within(order.created_at, created),
            (None, Some(modified)) => within(order.modified_at, modified),
            (None, None) => {
                order.created_at.as_second() + 90 * SECONDS_OF_DAY >= self.now.as_second()
            }
        };
        let status = order.fulfillment_status();
        by_date
            && filter
                .statuses
                .is_none_or(|wanted| wanted.contains(&status))
    }

    fn page(
        &self,
        orders: &[&Order],
        limit: usize,
        offset: usize,
        query: Option<&str>,
        origin: &str,
    ) -> Answer {
        let link = |offset: usize| {
            let kept = query.unwrap_or_default().split('&').filter(|pair| {
                !pair.is_empty() && !pair.starts_with("offset=") && !pair.starts_with("limit=")
            });
            let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
            pairs.push(format!("limit={limit}"));
            pairs.push(format!("offset={offset}"));
            format!("{origin}/sell/fulfillment/v1/order?{}", pairs.join("&"))
        };
        let shown: Vec<Value> = orders
            .iter()
            .skip(offset)
            .take(limit)
            .map(|order| self.order_json(order, false, origin))
            .collect();
        let mut body = json!({
            "href": link(offset),
            "total": orders.len(),
            "limit": limit,
            "offset": offset,
            "orders": shown,
        });
        if offset.saturating_add(limit) < orders.len() {
            body["next"] = json!(link(offset + limit));
        }
        if offset > 0 {
            body["prev"] = json!(link(offset.saturating_sub(limit)));
        }
        Answer::json(StatusCode::OK, &body)
    }

    fn order_json(&self, order: &Order, with_cancel_requests: bool, origin: &str) -> Value {
        let total = order.total();
        let hrefs: Vec<String> = order
            .fulfillments
            .iter()
            .map(|one| {
                let id = &one.fulfillment_id;
                let order_id = &order.order_id;
                format!("{origin}/sell/fulfillment/v1/order/{order_id}/shipping_fulfillment/{id}")
            })
            .collect();
        json!({
            "orderId": order.order_id,
            "legacyOrderId": order.order_id,
            "creationDate": iso_ms(order.created_at),
            "lastModifiedDate": iso_ms(order.modified_at),
            "orderFulfillmentStatus": order.fulfillment_status(),
            "orderPaymentStatus": order.payment,
            "sellerId": self.config.seller,
            "buyer": buyer_json(order),
            "pricingSummary": {
                "priceSubtotal": total,
                "deliveryCost": Money::new(0, &*total.currency),
                "total": total,
            },
            "cancelStatus": cancel_json(order, with_cancel_requests),
            "paymentSummary": payment_json(order),
            "fulfillmentStartInstructions": [start_instruction_json(order)],
            "fulfillmentHrefs": hrefs,
            "lineItems": order.lines.iter().map(line_json).collect::<Vec<_>>(),
            "salesRecordReference": order.sales_record.to_string(),
            "totalFeeBasisAmount": total,
        })
    }
}

fn buyer_json(order: &Order) -> Value {
    let buyer = &order.buyer;
    json!({
        "username": buyer.username,
        "taxAddress": {
            "city": buyer.city,
            "stateOrProvince": buyer.state_or_province,
            "postalCode": buyer.postal_code,
            "countryCode": buyer.country_code,
        },
    })
}

fn cancel_json(order: &Order, with_requests: bool) -> Value {
    let mut requests = Vec::new();
    if let (true, Some(asked_at)) = (with_requests, order.cancel_asked_at) {
        let state = match order.cancel {
            CancelState::Canceled => "COMPLETED",
            _ => "REQUESTED",
        };
        requests.push(json!({
            "cancelInitiator": "BUYER",
            "cancelReason": order.cancel_reason,
            "cancelRequestedDate": iso_ms(asked_at),
            "cancelRequestId": format!("5{}", order.sales_record),
            "cancelRequestState": state,
        }));
    }
    json!({ "cancelState": order.cancel, "cancelRequests": requests })
}

fn payment_json(order: &Order) -> Value {
    let status = match order.payment {
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::FullyRefunded => {
            "PAID"
        }
        PaymentStatus::Pending => "PENDING",
        PaymentStatus::Failed => "FAILED",
    };
    let refunds: Vec<Value> = order
        .refunds
        .iter()
        .map(super::refunds::refund_json)
        .collect();
    json!({
        "totalDueSeller": order.total(),
        "refunds": refunds,
        "payments": [{
            "paymentMethod": "EBAY",
            "paymentReferenceId": order.sales_record.to_string(),
            "paymentDate": iso_ms(order.created_at),
            "amount": order.total(),
            "paymentStatus": status,
        }],
    })
}

fn start_instruction_json(order: &Order) -> Value {
    let buyer = &order.buyer;
    let mut address = json!({
        "addressLine1": buyer.address_line1,
        "city": buyer.city,
        "stateOrProvince": buyer.state_or_province,
        "postalCode": buyer.postal_code,
        "countryCode": buyer.country_code,
    });
    if let Some(line2) = &buyer.address_line2 {
        address["addressLine2"] = json!(line2);
    }
    let days = |count: u64| iso_ms(later_ms(order.created_at, count * 86_400_000));
    json!({
        "fulfillmentInstructionsType": "SHIP_TO",
        "minEstimatedDeliveryDate": days(5),
        "maxEstimatedDeliveryDate": days(15),
        "ebaySupportedFulfillment": false,
        "shippingStep": {
            "shipTo": {
                "fullName": buyer.full_name,
                "contactAddress": address,
                "primaryPhone": { "phoneNumber": buyer.phone },
                "email": buyer.email,
            },
            "shippingCarrierCode": "Other",
            "shippingServiceCode": "EconomyShippingFromOutsideUS",
        },
    })
}

fn line_json(line: &Line) -> Value {
    let cost = line.cost();
    json!({
        "lineItemId": line.line_item_id,
        "legacyItemId": line.listing_id,
        "sku": line.sku,
        "title": line.title,
        "lineItemCost": cost,
        "quantity": line.quantity,
        "soldFormat": "FIXED_PRICE",
        "listingMarketplaceId": "EBAY_US",
        "purchaseMarketplaceId": "EBAY_US",
        "lineItemFulfillmentStatus": line.status(),
        "total": cost,
        "deliveryCost": { "shippingCost": Money::new(0, &*cost.currency) },
        "appliedPromotions": [],
        "taxes": [],
        "properties": { "buyerProtection": true },
    })
}

/// Only these two pairs exist; single values and other pairs are refused.
fn statuses(name: &str, value: &str) -> Result<[FulfillmentStatus; 2], Box<Answer>> {
    use FulfillmentStatus::Fulfilled;
    use FulfillmentStatus::InProgress;
    use FulfillmentStatus::NotStarted;
    match value {
        "{NOT_STARTED|IN_PROGRESS}" => Ok([NotStarted, InProgress]),
        "{FULFILLED|IN_PROGRESS}" => Ok([Fulfilled, InProgress]),
        _ => Err(invalid_filter_value(name, value)),
    }
}

fn invalid_filter_value(name: &str, value: &str) -> Box<Answer> {
    let message = format!("Invalid filter value {value} for filter {name}");
    Box::new(error::bad_request(30800, FULFILLMENT, &message))
}

/// ISO 8601 in UTC; eBay takes no other zone.
fn date(text: &str) -> Option<Timestamp> {
    text.strip_suffix('Z')?;
    text.parse().ok()
}
