//! getOrder and getOrders (Sell Fulfillment API v1): which orders an answer has.

use http::StatusCode;
use jiff::Timestamp;
use jiff::ToSpan;
use jiff::tz::Offset;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::error::FULFILLMENT;
use super::order_json::Read;
use super::state::Order;
use super::state::State;
use super::types::FulfillmentStatus;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::later_ms;
use crate::form;

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
                &self.order_json(self.as_read(order), &Read::of_one(call)),
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
            .filter(|order| !order.is_gone && later_ms(order.created_at, delay) <= self.now)
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
    pub(super) fn get_orders(&mut self, call: &Call) -> Answer {
        self.settle_refunds();
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
        let (answer, moved) = match found {
            Ok((orders, limit, offset)) => {
                let is_last = offset.saturating_add(limit) >= orders.len();
                let oldest = orders.get(offset).filter(|_| !is_last);
                let oldest = oldest.map(|order| order.order_id.clone());
                (self.page(&orders, limit, offset, call), oldest)
            }
            Err(answer) => return *answer,
        };
        if let Some(id) = moved.filter(|_| self.list_habits.moves_while_paged) {
            let now = self.now;
            if let Some(order) = self.orders.get_mut(&id) {
                order.modified_at = later_ms(now, 1);
            }
        }
        answer
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
        !order.is_gone && later_ms(order.created_at, delay) <= self.now
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

    fn page(&self, orders: &[&Order], limit: usize, offset: usize, call: &Call) -> Answer {
        let (query, origin) = (call.uri.query(), call.origin());
        let link = |offset: usize| {
            let kept = query.unwrap_or_default().split('&').filter(|pair| {
                !pair.is_empty() && !pair.starts_with("offset=") && !pair.starts_with("limit=")
            });
            let mut pairs: Vec<String> = kept.map(str::to_owned).collect();
            pairs.push(format!("limit={limit}"));
            pairs.push(format!("offset={offset}"));
            format!("{origin}/sell/fulfillment/v1/order?{}", pairs.join("&"))
        };
        let read = Read::of_list(call);
        let shown: Vec<Value> = orders
            .iter()
            .skip(offset)
            .take(limit)
            .map(|order| self.order_json(order, &read))
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
