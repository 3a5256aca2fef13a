//! GetOrders and CompleteSale: which orders are shown, and what a sale becomes.

use jiff::Timestamp;

use super::Done;
use super::Refusal;
use super::invalid;
use super::order_xml::Read;
use super::order_xml::order_xml;
use super::order_xml::status_of;
use super::xml::Node;
use crate::clock::later_ms;
use crate::ebay::state::Line;
use crate::ebay::state::Order;
use crate::ebay::state::State;
use crate::ebay::types::FulfillmentView;

const DAY_MS: u64 = 86_400_000;
const LONGEST_SPAN_MS: u64 = 30 * DAY_MS;
const MOST_PER_PAGE: usize = 100;

/// ItemID-TransactionID.
pub(super) fn line_id(line: &Line) -> String {
    format!("{}-{}", line.listing_id, line.line_item_id)
}

impl State {
    pub(super) fn get_trading_orders(&mut self, request: &Node, level: u32) -> Done {
        self.settle_refunds();
        let read = Read {
            with_fee: request.text_of("IncludeFinalValueFee") == Some("true"),
            level,
        };
        let size = |name, default| match request.child("Pagination").and_then(|p| p.text_of(name)) {
            None => Ok(default),
            Some(text) => text.parse::<usize>().map_err(|_| invalid(name)),
        };
        let (entries, page) = (size("EntriesPerPage", 25)?, size("PageNumber", 1)?);
        if !(1..=MOST_PER_PAGE).contains(&entries) || page == 0 {
            return Err(invalid("Pagination"));
        }
        let found: Vec<&Order> = match request.child("OrderIDArray") {
            Some(ids) => {
                let ids: Vec<&str> = ids.all("OrderID").map(Node::text).collect();
                let is_named = |order: &&Order| {
                    ids.contains(&&*order.order_id)
                        || order
                            .lines
                            .iter()
                            .any(|line| ids.contains(&&*line_id(line)))
                };
                let delay = self.config.settings.order_visible_after_ms;
                let visible = |order: &&Order| {
                    !order.is_gone && later_ms(order.created_at, delay) <= self.now
                };
                self.orders
                    .values()
                    .filter(visible)
                    .filter(is_named)
                    .collect()
            }
            None => self.changed_orders(request)?,
        };
        let pages = found.len().div_ceil(entries);
        let shown: Vec<&Order> = found
            .iter()
            .skip((page - 1) * entries)
            .take(entries)
            .copied()
            .collect();
        let array = match shown.as_slice() {
            [] => "<OrderArray />".to_owned(),
            shown => {
                let orders: String = shown.iter().map(|order| order_xml(order, &read)).collect();
                format!("<OrderArray>{orders}</OrderArray>")
            }
        };
        let (total, count) = (found.len(), shown.len());
        let moved = shown.first().filter(|_| page < pages);
        let moved = moved.map(|order| order.order_id.clone());
        let answer = format!(
            "<PaginationResult><TotalNumberOfPages>{pages}</TotalNumberOfPages><TotalNumberOfEntries>{total}</TotalNumberOfEntries></PaginationResult><HasMoreOrders>{}</HasMoreOrders>{array}<OrdersPerPage>{entries}</OrdersPerPage><PageNumber>{page}</PageNumber><ReturnedOrderCountActual>{}</ReturnedOrderCountActual>",
            page < pages,
            count,
        );
        if let Some(id) = moved.filter(|_| self.list_habits.moves_while_paged) {
            let now = self.now;
            if let Some(order) = self.orders.get_mut(&id) {
                order.modified_at = later_ms(now, 1);
            }
        }
        Ok(answer)
    }

    fn changed_orders(&self, request: &Node) -> Result<Vec<&Order>, Refusal> {
        let time = |name| {
            let text = request.text_of(name).ok_or_else(|| invalid(name))?;
            let utc = text.strip_suffix('Z').map(|_| text.parse::<Timestamp>());
            utc.and_then(Result::ok).ok_or_else(|| invalid(name))
        };
        let (from, until) = (time("ModTimeFrom")?, time("ModTimeTo")?);
        if until < from || until > later_ms(from, LONGEST_SPAN_MS) || from > self.now {
            return Err(invalid("ModTimeFrom"));
        }
        let status = request.text_of("OrderStatus").unwrap_or("All");
        if !["All", "Active", "Completed", "Cancelled", "Shipped"].contains(&status) {
            return Err(invalid("OrderStatus"));
        }
        let delay = self.config.settings.orders_list_visible_after_ms;
        let mut found: Vec<&Order> = self
            .orders
            .values()
            .filter(|order| !order.is_gone && later_ms(order.created_at, delay) <= self.now)
            .filter(|order| from <= order.modified_at && order.modified_at <= until)
            .filter(|order| status == "All" || status == status_of(order))
            .collect();
        found.sort_by(|a, b| (a.created_at, &a.order_id).cmp(&(b.created_at, &b.order_id)));
        Ok(found)
    }

    /// The parcels that are given take the place of those that the lines had: a repeat changes nothing.
    pub(super) fn complete_sale(&mut self, request: &Node) -> Done {
        let sold = match (
            request.text_of("OrderLineItemID"),
            request.text_of("OrderID"),
        ) {
            (Some(line), _) => line.to_owned(),
            (None, Some(order)) => order.to_owned(),
            (None, None) => {
                let item = request
                    .text_of("ItemID")
                    .ok_or_else(|| invalid("OrderID"))?;
                let transaction = request.text_of("TransactionID");
                format!(
                    "{item}-{}",
                    transaction.ok_or_else(|| invalid("TransactionID"))?
                )
            }
        };
        let is_it = |order: &&mut Order| {
            order.order_id == sold || order.lines.iter().any(|line| line_id(line) == sold)
        };
        let now = self.now;
        let Some(order) = self.orders.values_mut().find(is_it) else {
            return Err(invalid("OrderID"));
        };
        if request.text_of("Shipped") != Some("true") {
            return Err(invalid("Shipped"));
        }
        let Some(shipment) = request.child("Shipment") else {
            return Err(invalid("Shipment"));
        };
        let shipped_at = match shipment.text_of("ShippedTime") {
            None => now,
            Some(text) => text.parse().map_err(|_| invalid("ShippedTime"))?,
        };
        if shipped_at > now {
            return Err(invalid("ShippedTime"));
        }
        let mut parcels = Vec::new();
        for details in shipment.all("ShipmentTrackingDetails") {
            let number = details.text_of("ShipmentTrackingNumber");
            let number = number.ok_or_else(|| invalid("ShipmentTrackingNumber"))?;
            let carrier = details.text_of("ShippingCarrierUsed");
            let carrier = carrier.ok_or_else(|| invalid("ShippingCarrierUsed"))?;
            if !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return Err(invalid("ShipmentTrackingNumber"));
            }
            parcels.push((number.to_owned(), carrier.to_owned()));
        }
        let whole = order.order_id == sold;
        let meant = |line: &Line| whole || line_id(line) == sold;
        let lines: Vec<(String, u32)> = order
            .lines
            .iter_mut()
            .filter(|line| meant(line))
            .map(|line| {
                line.shipped = line.quantity;
                (line.line_item_id.clone(), line.quantity)
            })
            .collect();
        for parcel in &mut order.fulfillments {
            parcel
                .lines
                .retain(|(id, _)| !lines.iter().any(|(line, _)| line == id));
        }
        order.fulfillments.retain(|parcel| !parcel.lines.is_empty());
        for (number, carrier) in parcels {
            let known = order
                .fulfillments
                .iter_mut()
                .find(|one| one.tracking_number.as_deref() == Some(&*number));
            match known {
                Some(known) => known.lines.extend(lines.clone()),
                None => {
                    self.counters.fulfillments += 1;
                    order.fulfillments.push(FulfillmentView {
                        fulfillment_id: number.clone(),
                        tracking_number: Some(number),
                        carrier: Some(carrier),
                        shipped_at,
                        recorded_at: now,
                        lines: lines.clone(),
                        duplicate: false,
                    });
                }
            }
        }
        order.modified_at = now;
        Ok(String::new())
    }
}
