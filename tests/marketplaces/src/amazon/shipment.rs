//! confirmShipment (Orders API v0).

use http::StatusCode;
use jiff::Timestamp;
use serde_json::Value;

use super::error;
use super::state::Order;
use super::state::State;
use super::types::AmazonPackageView;
use super::types::AmazonStatus;
use crate::answer::Answer;
use crate::answer::Call;

const CLOSED: &str = "Failed to create package due to not finding a matching package or order already fulfilled.  ErrorMessage(errorCode=GeneralError, errorDescription=Unable to find package to update for order (), errorMetric=PackageToUpdateNotFound, packageIndex=null)";
const BAD_ITEM: &str = "OrderItemId  is invalid, please obtain the value through the getOrderItems API or Manage Orders page";

impl State {
    /// POST orders/{orderId}/shipmentConfirmation. The same reference again edits the package.
    pub(super) fn confirm_shipment(&mut self, order_id: &str, call: &Call) -> Answer {
        if !call.has_content_type("application/json") {
            return error::media_type();
        }
        let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
            return error::invalid("The request body is not valid JSON.");
        };
        if body["marketplaceId"] != self.marketplace().as_str() {
            return error::invalid("MarketplaceId is invalid.");
        }
        let now = self.now;
        let shown = self.orders.get(order_id);
        let Some(order) = shown.filter(|order| !order.happened.is_gone) else {
            return error::not_found("The order was not found.");
        };
        let package = match package(order, &body["packageDetail"], now) {
            Ok(package) => package,
            Err(message) => return error::invalid(&message),
        };
        let known = order
            .packages
            .iter()
            .position(|p| p.reference == package.reference);
        let is_twice = known.is_none()
            && order
                .packages
                .iter()
                .any(|p| p.tracking_number == package.tracking_number);
        self.counters.duplicate_packages += u64::from(is_twice);
        match known {
            Some(_) => self.counters.package_edits += 1,
            None => self.counters.packages += 1,
        }
        let Some(order) = self.orders.get_mut(order_id) else {
            return error::not_found("The order was not found.");
        };
        match known {
            Some(place) => {
                let first = &order.packages[place];
                order.packages[place] = AmazonPackageView {
                    edits: first.edits + 1,
                    confirmed_at: first.confirmed_at,
                    by_hand: first.by_hand,
                    ..package
                };
            }
            None => order.packages.push(package),
        }
        order.updated_at = now;
        self.announce(order_id, "OrderStatusChange");
        Answer::empty(StatusCode::NO_CONTENT)
    }
}

/// The package that a request describes, or why it is refused.
fn package(order: &Order, detail: &Value, now: Timestamp) -> Result<AmazonPackageView, String> {
    let reference = match &detail["packageReferenceId"] {
        Value::String(reference) => reference.clone(),
        _ => {
            let message = "The input you have submitted is not valid. Please check the fields with invalid type [packageDetail.packageReferenceId].";
            return Err(message.to_owned());
        }
    };
    if !reference.parse::<u64>().is_ok_and(|number| number > 0) {
        return Err("PackageReferenceId: is invalid, must be a positive numeric value.".to_owned());
    }
    let text = |name: &str| match &detail[name] {
        Value::String(text) if !text.trim().is_empty() => Ok(text.clone()),
        _ => Err(format!("{name} is missing or invalid.")),
    };
    let carrier_code = text("carrierCode")?;
    let carrier_name = detail["carrierName"].as_str().map(str::to_owned);
    let is_named = carrier_name
        .as_ref()
        .is_some_and(|name| !name.trim().is_empty());
    if carrier_code == "Other" && !is_named {
        return Err("CarrierName is required when CarrierCode is Other.".to_owned());
    }
    let tracking_number = text("trackingNumber")?;
    let shipped_at: Timestamp = text("shipDate")?
        .parse()
        .map_err(|_| "shipDate is not ISO 8601.".to_owned())?;
    if shipped_at > now {
        return Err("shipDate is in the future.".to_owned());
    }
    match order.status() {
        AmazonStatus::Pending => return Err("The order is not ready to be shipped.".to_owned()),
        AmazonStatus::Cancelled => return Err("The order is cancelled.".to_owned()),
        _ => {}
    }
    if order.by_amazon
        || order
            .programs
            .iter()
            .any(|program| program == "FBM_SHIP_PLUS")
    {
        return Err("Confirming this shipment is not supported.".to_owned());
    }
    let is_known = order
        .packages
        .iter()
        .any(|package| package.reference == reference);
    if !is_known && order.status() == AmazonStatus::Shipped {
        return Err(CLOSED.to_owned());
    }
    let items = detail["orderItems"].as_array().ok_or(BAD_ITEM)?;
    let mut lines: Vec<(String, u32)> = Vec::new();
    for item in items {
        let id = item["orderItemId"].as_str().unwrap_or_default();
        let line = order
            .lines
            .iter()
            .find(|line| line.order_item_id == id)
            .ok_or(BAD_ITEM)?;
        let quantity = item["quantity"]
            .as_u64()
            .and_then(|n| u32::try_from(n).ok());
        let quantity = quantity.filter(|quantity| *quantity > 0);
        let quantity = quantity.ok_or("The quantity must be a positive number.")?;
        if lines.iter().any(|(known, _)| known == id) {
            return Err("An order item is there twice.".to_owned());
        }
        if order.shipped(id, Some(&reference)) + quantity > line.kept() {
            return Err("The quantity is more than is left of the order item.".to_owned());
        }
        lines.push((id.to_owned(), quantity));
    }
    if lines.is_empty() {
        return Err(BAD_ITEM.to_owned());
    }
    Ok(AmazonPackageView {
        reference,
        carrier_code,
        carrier_name,
        tracking_number,
        shipped_at,
        lines,
        edits: 0,
        confirmed_at: now,
        by_hand: false,
    })
}
