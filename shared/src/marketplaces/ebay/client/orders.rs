//! Orders and parcels over the Fulfillment API.

use super::{Call, Caller, Client, SEGMENT};
use crate::{
    domain::{ChannelOrderId, Marketplace, TrackingNumber},
    marketplaces::{
        CallError, FetchedOrder, Kind, OrderPage, ParcelToConfirm, Retry, carriers,
        ebay::{convert, error::Operation, limits, wire},
    },
};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::utf8_percent_encode;
use serde::de::IgnoredAny;
use url::Url;

const FULFILLMENT: &str = "/sell/fulfillment/v1";

impl Client {
    /// getOrder (developer.ebay.com, Fulfillment API): the one call that also tells of requests to cancel.
    pub(in crate::marketplaces::ebay) async fn order(
        &self,
        id: &ChannelOrderId,
    ) -> Result<FetchedOrder, CallError> {
        let order = self.wire_order(id).await?;
        let parcels = if convert::is_partly_shipped(&order) {
            self.parcels(id).await?
        } else {
            Vec::new()
        };
        convert::order(&order, &parcels).map_err(|field| self.bad(Operation::GetOrder, field))
    }

    /// An order as eBay sends it.
    pub(super) async fn wire_order(&self, id: &ChannelOrderId) -> Result<wire::Order, CallError> {
        let call = Call::get(Operation::GetOrder, order_path(id));
        let order: wire::Order = self.read(&call, Caller::Seller).await?;
        if order.order_id == id.as_str() {
            return Ok(order);
        }
        // An order's older name finds it too. Under that name it would be a second order, and bought twice: the sweep
        // finds it under its own.
        let fault = self.fault(Operation::GetOrder);
        Err(if convert::is_line_name(id) {
            fault.other_name()
        } else {
            fault.meaningless("orderId")
        })
    }

    /// getOrders (Fulfillment API) by the time of the last change, a page at a time. The page's name is its offset.
    pub(in crate::marketplaces::ebay) async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError> {
        let fault = self.fault(Operation::GetOrders);
        let offset: u32 = page.unwrap_or("0").parse().map_err(|_| {
            // The name of the page did not come from here.
            fault.not_sent(Kind::Refused, Retry::Permanent, "page")
        })?;
        let Some(filter) = self.filter(from, until) else {
            return Ok(OrderPage {
                orders: Vec::new(),
                next: None,
            });
        };
        let limit = limits::ORDERS_PER_PAGE;
        let path = format!("{FULFILLMENT}/order?filter={filter}&limit={limit}&offset={offset}");
        let call = Call::get(Operation::GetOrders, path);
        let answer: wire::OrderPage = self.read(&call, Caller::Seller).await?;
        let bad = |field| fault.meaningless(field);
        let mut orders = Vec::new();
        for stub in answer.orders.unwrap_or_default() {
            let id = ChannelOrderId::parse(&stub.order_id).map_err(|_| bad("orders.orderId"))?;
            let modified = convert::time(&stub.last_modified_date, "orders.lastModifiedDate");
            orders.push((id, modified.map_err(|field| bad(field.0))?));
        }
        let next = match answer.next.filter(|next| !next.is_empty()) {
            Some(next) => Some(self.next_offset(&next, offset).ok_or_else(|| bad("next"))?),
            None => None,
        };
        Ok(OrderPage { orders, next })
    }

    /// getShippingFulfillments (Fulfillment API): whether eBay has a parcel of this number.
    pub(in crate::marketplaces::ebay) async fn is_confirmed(
        &self,
        order: &ChannelOrderId,
        number: &TrackingNumber,
    ) -> Result<bool, CallError> {
        let parcels = self.parcels(order).await?;
        Ok(parcels
            .iter()
            .any(|parcel| convert::is_parcel(parcel, number)))
    }

    /// getShippingFulfillments (Fulfillment API).
    async fn parcels(&self, order: &ChannelOrderId) -> Result<Vec<wire::Fulfillment>, CallError> {
        let path = format!("{}/shipping_fulfillment", order_path(order));
        let call = Call::get(Operation::GetShippingFulfillments, path);
        let answer: wire::Fulfillments = self.read(&call, Caller::Seller).await?;
        Ok(answer.fulfillments.unwrap_or_default())
    }

    /// createShippingFulfillment (Fulfillment API): one call a parcel, without any key against repeats.
    pub(in crate::marketplaces::ebay) async fn confirm(
        &self,
        order: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError> {
        let body = wire::NewFulfillment {
            line_items: lines_once(parcel),
            // A time in eBay's future is error 32500.
            shipped_date: convert::iso_ms(parcel.shipped_at.min(self.safely_past())),
            shipping_carrier_code: carriers::at(Marketplace::Ebay, &parcel.carrier).code,
            tracking_number: parcel.tracking_number.as_str(),
        };
        let operation = Operation::CreateShippingFulfillment;
        let path = format!("{}/shipping_fulfillment", order_path(order));
        let body = self.json(operation, &body)?;
        let call = Call {
            not_after: parcel.not_after,
            ..Call::with(operation, Method::POST, path, body)
        };
        let answer = self.send(&call, Caller::Seller).await?;
        // 201 with an empty body. Another 2xx, or a page for people, is not eBay's word: the parcel is read back.
        let body = answer.body().trim_ascii();
        let is_json = || serde_json::from_slice::<IgnoredAny>(body).is_ok();
        if answer.status() != StatusCode::CREATED || !(body.is_empty() || is_json()) {
            return Err(self.fault(operation).unsaid("status"));
        }
        Ok(())
    }

    /// The filter as documented, brackets percent-encoded; `None` where the span of time is empty.
    fn filter(&self, from: Timestamp, until: Timestamp) -> Option<String> {
        let until = until.min(self.safely_past());
        let kept = SignedDuration::from_hours(24 * limits::ORDERS_KEPT_DAYS);
        let oldest = self.outside.clock.now().checked_sub(kept).ok()?;
        let from = from.max(oldest);
        (from < until).then(|| {
            let (from, until) = (convert::iso_ms(from), convert::iso_ms(until));
            format!("lastmodifieddate:%5B{from}..{until}%5D")
        })
    }

    /// The offset in `next`. Only this host and path are believed, and only an offset that leads on.
    fn next_offset(&self, next: &str, offset: u32) -> Option<String> {
        let ours = Url::parse(&format!("{}{FULFILLMENT}/order", self.config.api)).ok()?;
        let next = ours.join(next).ok()?;
        if next.origin() != ours.origin() || next.path() != ours.path() {
            return None;
        }
        let (_, next) = next.query_pairs().find(|(name, _)| name == "offset")?;
        let next: u32 = next.parse().ok()?;
        (next > offset).then(|| next.to_string())
    }
}

pub(super) fn order_path(id: &ChannelOrderId) -> String {
    let id = utf8_percent_encode(id.as_str(), SEGMENT);
    format!("{FULFILLMENT}/order/{id}")
}

/// The parcel's lines, each once: eBay refuses a line that comes twice (error 32210).
fn lines_once(parcel: &ParcelToConfirm) -> Vec<wire::NewFulfillmentLine<'_>> {
    let mut lines: Vec<wire::NewFulfillmentLine<'_>> = Vec::with_capacity(parcel.lines.len());
    for line in &parcel.lines {
        let id = line.line.as_str();
        match lines.iter_mut().find(|known| known.line_item_id == id) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => lines.push(wire::NewFulfillmentLine {
                line_item_id: id,
                quantity: line.quantity,
            }),
        }
    }
    lines
}
