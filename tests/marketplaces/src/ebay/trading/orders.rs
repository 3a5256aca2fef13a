//! GetOrders and CompleteSale.

use jiff::Timestamp;

use super::Done;
use super::Refusal;
use super::invalid;
use super::xml::Node;
use super::xml::amount;
use super::xml::leaf;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::ebay::state::Line;
use crate::ebay::state::Order;
use crate::ebay::state::State;
use crate::ebay::types::CancelState;
use crate::ebay::types::FulfillmentStatus;
use crate::ebay::types::FulfillmentView;
use crate::ebay::types::PaymentStatus;
use crate::money::Money;

const DAY_MS: u64 = 86_400_000;
const LONGEST_SPAN_MS: u64 = 30 * DAY_MS;
const MOST_PER_PAGE: usize = 100;

/// ItemID-TransactionID.
pub(super) fn line_id(line: &Line) -> String {
    format!("{}-{}", line.listing_id, line.line_item_id)
}

impl State {
    pub(super) fn get_trading_orders(&mut self, request: &Node) -> Done {
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
                let visible = |order: &&Order| later_ms(order.created_at, delay) <= self.now;
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
                let orders: String = shown.iter().map(|order| order_xml(order)).collect();
                format!("<OrderArray>{orders}</OrderArray>")
            }
        };
        let total = found.len();
        Ok(format!(
            "<PaginationResult><TotalNumberOfPages>{pages}</TotalNumberOfPages><TotalNumberOfEntries>{total}</TotalNumberOfEntries></PaginationResult><HasMoreOrders>{}</HasMoreOrders>{array}<OrdersPerPage>{entries}</OrdersPerPage><PageNumber>{page}</PageNumber><ReturnedOrderCountActual>{}</ReturnedOrderCountActual>",
            page < pages,
            shown.len(),
        ))
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
            .filter(|order| later_ms(order.created_at, delay) <= self.now)
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

fn status_of(order: &Order) -> &'static str {
    match (order.cancel, order.payment) {
        (CancelState::Canceled, _) => "Cancelled",
        (CancelState::InProgress, _) => "CancelPending",
        (_, PaymentStatus::Pending | PaymentStatus::Failed) => "Active",
        _ => "Completed",
    }
}

fn order_xml(order: &Order) -> String {
    let is_paid = !matches!(
        order.payment,
        PaymentStatus::Pending | PaymentStatus::Failed
    );
    let (paid_status, checkout) = if is_paid {
        ("NoPaymentFailure", "Complete")
    } else {
        ("PaymentInProcess", "Incomplete")
    };
    let cancel = match order.cancel {
        CancelState::NoneRequested => "NotApplicable",
        CancelState::InProgress => "CancelRequested",
        CancelState::Canceled => "CancelClosedWithRefund",
    };
    let total = order.total();
    let nothing = Money::new(0, &*total.currency);
    let mut xml = String::from("<Order>");
    xml += &leaf("OrderID", &order.order_id);
    xml += &leaf("OrderStatus", status_of(order));
    xml += &amount("AdjustmentAmount", &nothing);
    xml += &amount("AmountPaid", if is_paid { &total } else { &nothing });
    xml += &format!(
        "<CheckoutStatus><eBayPaymentStatus>{paid_status}</eBayPaymentStatus><LastModifiedTime>{}</LastModifiedTime><PaymentMethod>CreditCard</PaymentMethod><Status>{checkout}</Status></CheckoutStatus>",
        iso_ms(order.modified_at)
    );
    xml += &leaf("CreatedTime", iso_ms(order.created_at));
    xml += &address_xml(order);
    xml += &amount("Subtotal", &total);
    xml += &amount("Total", &total);
    let lines: String = order
        .lines
        .iter()
        .map(|line| line_xml(order, line))
        .collect();
    xml += &format!("<TransactionArray>{lines}</TransactionArray>");
    xml += &leaf("BuyerUserID", &order.buyer.username);
    if is_paid {
        xml += &leaf("PaidTime", iso_ms(order.created_at));
    }
    if order.fulfillment_status() == FulfillmentStatus::Fulfilled {
        let last = order.fulfillments.iter().map(|one| one.shipped_at).max();
        xml += &leaf("ShippedTime", iso_ms(last.unwrap_or(order.modified_at)));
    }
    xml += &leaf("CancelStatus", cancel);
    xml += &leaf("ExtendedOrderID", &order.order_id);
    xml + "</Order>"
}

fn address_xml(order: &Order) -> String {
    let buyer = &order.buyer;
    let fields = [
        ("Name", buyer.full_name.as_str()),
        ("Street1", &buyer.address_line1),
        (
            "Street2",
            buyer.address_line2.as_deref().unwrap_or_default(),
        ),
        ("CityName", &buyer.city),
        ("StateOrProvince", &buyer.state_or_province),
        ("Country", &buyer.country_code),
        ("Phone", &buyer.phone),
        ("PostalCode", &buyer.postal_code),
    ];
    let fields = fields.map(|(name, text)| leaf(name, text)).concat();
    format!("<ShippingAddress>{fields}</ShippingAddress>")
}

fn line_xml(order: &Order, line: &Line) -> String {
    let has_line =
        |parcel: &&FulfillmentView| parcel.lines.iter().any(|(id, _)| *id == line.line_item_id);
    let parcels = order.fulfillments.iter().filter(has_line).map(|parcel| {
        let carrier = parcel.carrier.as_deref().unwrap_or_default();
        let number = parcel.tracking_number.as_deref().unwrap_or_default();
        let inner = leaf("ShippingCarrierUsed", carrier) + &leaf("ShipmentTrackingNumber", number);
        format!("<ShipmentTrackingDetails>{inner}</ShipmentTrackingDetails>")
    });
    let parcels: String = parcels.collect();
    let item = leaf("ItemID", &line.listing_id) + &leaf("Title", &line.title);
    let handle_by = iso_ms(later_ms(order.created_at, 3 * DAY_MS));
    let mut xml = String::from("<Transaction>");
    xml += &format!("<Buyer>{}</Buyer>", leaf("Email", &order.buyer.email));
    xml += &format!("<ShippingDetails>{parcels}</ShippingDetails>");
    xml += &format!("<Item>{item}</Item>");
    xml += &leaf("QuantityPurchased", line.quantity.to_string());
    xml += &leaf("TransactionID", &line.line_item_id);
    xml += &amount("TransactionPrice", &line.price);
    xml += &format!(
        "<ShippingServiceSelected><ShippingPackageInfo><HandleByTime>{handle_by}</HandleByTime></ShippingPackageInfo></ShippingServiceSelected>"
    );
    // All that is sold here is a variation: the sku stands there and not with the item.
    xml += &format!("<Variation>{}</Variation>", leaf("SKU", &line.sku));
    xml += &leaf("OrderLineItemID", line_id(line));
    xml + "</Transaction>"
}
