//! createShippingFulfillment, getShippingFulfillments and getShippingFulfillment (Sell Fulfillment API v1).

use http::StatusCode;
use http::header::LOCATION;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::error::FULFILLMENT;
use super::state::Order;
use super::state::State;
use super::types::FulfillmentView;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;

/// eBay does not say its number; this one stops a loop in a client without stopping a real order.
const MAX_TRACKING_NUMBERS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    line_items: Vec<RequestLine>,
    shipped_date: Option<String>,
    shipping_carrier_code: Option<String>,
    tracking_number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestLine {
    line_item_id: String,
    quantity: Option<u32>,
}

/// A request that passed every check.
struct Parcel {
    lines: Vec<(String, u32)>,
    shipped_at: Timestamp,
    carrier: Option<String>,
    tracking_number: Option<String>,
    duplicate: bool,
}

impl State {
    /// POST order/{orderId}/shipping_fulfillment. There is no idempotency: the same parcel sent again is added again.
    pub(super) fn create_fulfillment(&mut self, order_id: &str, call: &Call) -> Answer {
        if !call.has_content_type("application/json") {
            return Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let Ok(request) = serde_json::from_slice::<Request>(&call.body) else {
            return error::bad_request(32600, FULFILLMENT, "Invalid input data");
        };
        let parcel = match self.visible_order(order_id) {
            Ok(order) => match self.check(order, request) {
                Ok(parcel) => parcel,
                Err((id, message)) => return error::bad_request(id, FULFILLMENT, &message),
            },
            Err(answer) => return *answer,
        };
        let id = match &parcel.tracking_number {
            Some(number) => number.clone(),
            None => (999 + self.counters.fulfillments).to_string(),
        };
        self.record(order_id, &id, parcel);
        let origin = call.origin();
        let location =
            format!("{origin}/sell/fulfillment/v1/order/{order_id}/shipping_fulfillment/{id}");
        Answer::empty(StatusCode::CREATED).with(LOCATION, location)
    }

    fn check(&self, order: &Order, request: Request) -> Result<Parcel, (u32, String)> {
        let tracking_number = request.tracking_number.filter(|text| !text.is_empty());
        let carrier = request
            .shipping_carrier_code
            .filter(|text| !text.is_empty());
        let is_plain = |text: &String| text.bytes().all(|c| c.is_ascii_alphanumeric());
        if tracking_number.is_some() != carrier.is_some()
            || !tracking_number.as_ref().is_none_or(is_plain)
        {
            let message = "Invalid shipment tracking number or carrier";
            return Err((32300, message.to_owned()));
        }
        let shipped_at = match request.shipped_date {
            None => self.now,
            Some(text) => text
                .parse::<Timestamp>()
                .ok()
                .filter(|at| *at <= self.now)
                .ok_or((32500, "Invalid shipped date".to_owned()))?,
        };
        if order.fulfillments.len() >= MAX_TRACKING_NUMBERS {
            let message = "Maximum tracking number for order is exceeded";
            return Err((34100, message.to_owned()));
        }
        let duplicate = tracking_number.is_some()
            && order
                .fulfillments
                .iter()
                .any(|one| one.tracking_number == tracking_number);
        let lines = check_lines(order, request.line_items, duplicate)?;
        Ok(Parcel {
            lines,
            shipped_at,
            carrier,
            tracking_number,
            duplicate,
        })
    }

    fn record(&mut self, order_id: &str, id: &str, parcel: Parcel) {
        let now = self.now;
        let Some(order) = self.orders.get_mut(order_id) else {
            return;
        };
        for (line_item_id, units) in &parcel.lines {
            let lines = order.lines.iter_mut();
            for line in lines.filter(|line| line.line_item_id == *line_item_id) {
                line.shipped = line.shipped.saturating_add(*units);
            }
        }
        order.modified_at = now;
        self.counters.fulfillments += 1;
        self.counters.duplicate_fulfillments += u64::from(parcel.duplicate);
        order.fulfillments.push(FulfillmentView {
            fulfillment_id: id.to_owned(),
            tracking_number: parcel.tracking_number,
            carrier: parcel.carrier,
            shipped_at: parcel.shipped_at,
            recorded_at: now,
            lines: parcel.lines,
            duplicate: parcel.duplicate,
        });
    }

    /// GET order/{orderId}/shipping_fulfillment
    pub(super) fn list_fulfillments(&self, order_id: &str) -> Answer {
        match self.visible_order(order_id) {
            Ok(order) => {
                let list: Vec<Value> = order.fulfillments.iter().map(fulfillment_json).collect();
                let body = json!({ "fulfillments": list, "total": list.len() });
                Answer::json(StatusCode::OK, &body)
            }
            Err(answer) => *answer,
        }
    }

    /// GET order/{orderId}/shipping_fulfillment/{fulfillmentId}
    pub(super) fn get_fulfillment(&self, order_id: &str, id: &str) -> Answer {
        let order = match self.visible_order(order_id) {
            Ok(order) => order,
            Err(answer) => return *answer,
        };
        match order
            .fulfillments
            .iter()
            .find(|one| one.fulfillment_id == id)
        {
            Some(one) => Answer::json(StatusCode::OK, &fulfillment_json(one)),
            None => {
                let message = format!("Invalid shipping fulfillment ID: {id}");
                error::request(StatusCode::NOT_FOUND, 32110, FULFILLMENT, &message)
            }
        }
    }
}

/// No lines means all lines with what remains of them. A repeated tracking number may go over the remaining units,
/// because eBay takes it as one more label on the same goods.
fn check_lines(
    order: &Order,
    given: Vec<RequestLine>,
    duplicate: bool,
) -> Result<Vec<(String, u32)>, (u32, String)> {
    if given.is_empty() {
        let rest = order.lines.iter().map(|line| {
            let units = line.quantity.saturating_sub(line.shipped);
            (line.line_item_id.clone(), units)
        });
        return Ok(rest.filter(|(_, units)| *units > 0).collect());
    }
    let mut lines: Vec<(String, u32)> = Vec::with_capacity(given.len());
    for wanted in given {
        let id = wanted.line_item_id;
        let Some(line) = order.lines.iter().find(|line| line.line_item_id == id) else {
            return Err((32200, format!("Invalid line item id: {id}")));
        };
        if lines.iter().any(|(seen, _)| *seen == id) {
            return Err((32210, "Duplicate line item in the request".to_owned()));
        }
        let units = wanted.quantity.unwrap_or(1);
        let remaining = if duplicate {
            line.quantity
        } else {
            line.quantity.saturating_sub(line.shipped)
        };
        if units == 0 || units > remaining {
            return Err((32600, "Invalid input data".to_owned()));
        }
        lines.push((id, units));
    }
    Ok(lines)
}

fn fulfillment_json(one: &FulfillmentView) -> Value {
    let lines: Vec<Value> = one
        .lines
        .iter()
        .map(|(id, units)| json!({ "lineItemId": id, "quantity": units }))
        .collect();
    let mut body = json!({
        "fulfillmentId": one.fulfillment_id,
        "shippedDate": iso_ms(one.shipped_at),
        "lineItems": lines,
    });
    if let (Some(number), Some(carrier)) = (&one.tracking_number, &one.carrier) {
        body["shipmentTrackingNumber"] = json!(number);
        body["shippingCarrierCode"] = json!(carrier);
    }
    body
}
