//! An order as GetOrders shows it.

use super::orders::line_id;
use super::xml::amount;
use super::xml::escape;
use super::xml::leaf;
use crate::actions::Hidden;
use crate::actions::Spoiled;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::ebay::state::Line;
use crate::ebay::state::Order;
use crate::ebay::types::CancelState;
use crate::ebay::types::FulfillmentStatus;
use crate::ebay::types::FulfillmentView;
use crate::ebay::types::PaymentStatus;
use crate::money::Money;

const DAY_MS: u64 = 86_400_000;
/// From this version of the schema on, `Total` holds what eBay collects and remits (KB 5216).
const TAX_IN_TOTAL: u32 = 1307;

/// What a read asks for.
pub(super) struct Read {
    /// `IncludeFinalValueFee`
    pub(super) with_fee: bool,
    /// The version of the schema that the caller speaks.
    pub(super) level: u32,
}

pub(super) fn status_of(order: &Order) -> &'static str {
    match (order.cancel, order.payment) {
        (CancelState::Canceled, _) => "Cancelled",
        (CancelState::InProgress, _) => "CancelPending",
        (_, PaymentStatus::Pending | PaymentStatus::Failed) => "Active",
        _ => "Completed",
    }
}

/// An order as GetOrders shows it.
pub(super) fn order_xml(order: &Order, read: &Read) -> String {
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
    let tax = order.tax();
    // What eBay collects is a part of the total for who asks by a schema of this or a newer version.
    let total_cents = match read.level {
        TAX_IN_TOTAL.. => total.cents.saturating_add(tax.cents),
        _ => total.cents,
    };
    let with_tax = Money::new(total_cents, &*total.currency);
    let mut xml = String::from("<Order>");
    xml += &leaf("OrderID", &order.order_id);
    xml += &leaf("OrderStatus", status_of(order));
    xml += &amount("AdjustmentAmount", &nothing);
    xml += &amount("AmountPaid", if is_paid { &with_tax } else { &nothing });
    xml += &format!(
        "<CheckoutStatus><eBayPaymentStatus>{paid_status}</eBayPaymentStatus><LastModifiedTime>{}</LastModifiedTime><PaymentMethod>CreditCard</PaymentMethod><Status>{checkout}</Status></CheckoutStatus>",
        iso_ms(order.modified_at)
    );
    if order.spoiled != Some(Spoiled::Entry) {
        xml += &leaf("CreatedTime", iso_ms(order.created_at));
    }
    xml += &address_xml(order);
    xml += &amount("Subtotal", &total);
    xml += &amount("Total", &with_tax);
    if tax.cents > 0 {
        xml += &leaf("eBayCollectAndRemitTax", "true");
    }
    let lines: String = order
        .lines
        .iter()
        .map(|line| line_xml(order, line, read))
        .collect();
    xml += &format!("<TransactionArray>{lines}</TransactionArray>");
    if order.hidden != Some(Hidden::Buyer) {
        xml += &leaf("BuyerUserID", &order.buyer.username);
    }
    if order.spoiled == Some(Spoiled::Character) {
        // The first is no character of XML 1.0, the second is one that hardly anybody expects.
        xml += "<BuyerCheckoutMessage>gift&#x1;\u{85}</BuyerCheckoutMessage>";
    }
    xml += &refunds_xml(order);
    let hold = if order.is_reviewed {
        "PaymentReview"
    } else {
        "None"
    };
    xml += &leaf("PaymentHoldStatus", hold);
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
    if matches!(order.hidden, Some(Hidden::Address | Hidden::Buyer)) {
        return "<ShippingAddress />".to_owned();
    }
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
    let is_shown = |name| name != "Country" || order.hidden != Some(Hidden::Country);
    let fields = fields.into_iter().filter(|(name, _)| is_shown(*name));
    let fields: String = fields.map(|(name, text)| leaf(name, text)).collect();
    format!("<ShippingAddress>{fields}</ShippingAddress>")
}

fn line_xml(order: &Order, line: &Line, read: &Read) -> String {
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
    let email = match order.hidden {
        Some(Hidden::Buyer) => "Invalid Request",
        _ => &order.buyer.email,
    };
    xml += &format!("<Buyer>{}</Buyer>", leaf("Email", email));
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
    if line.status() == FulfillmentStatus::Fulfilled {
        let of_line = order.fulfillments.iter().filter(has_line);
        let last = of_line.map(|one| one.shipped_at).max();
        xml += &leaf("ShippedTime", iso_ms(last.unwrap_or(order.modified_at)));
    }
    xml += &tax_xml(line);
    if order.is_fulfilled_by_ebay {
        let by = leaf("FulfillmentBy", "EBAY");
        xml += &format!("<Program><Fulfillment>{by}</Fulfillment></Program>");
    }
    let share = |fee: Money| {
        let cents = fee.cents * line.cost().cents / order.total().cents.max(1);
        Money::new(cents, fee.currency)
    };
    if let Some(fee) = order.fee_by_trading(read.with_fee) {
        xml += &amount("FinalValueFee", &share(fee));
    }
    xml += &leaf("OrderLineItemID", line_id(line));
    xml + "</Transaction>"
}

/// What eBay collects of a line and pays to the state.
fn tax_xml(line: &Line) -> String {
    if line.tax_cents == 0 {
        return String::new();
    }
    let tax = amount(
        "TaxAmount",
        &Money::new(line.tax_cents, &*line.price.currency),
    );
    let (kind, reference) = match &line.tax_reference {
        Some(reference) => (
            "VAT",
            format!(
                "<eBayReference name=\"IOSS\">{}</eBayReference>",
                escape(reference.as_str())
            ),
        ),
        None => ("SalesTax", String::new()),
    };
    let total = amount(
        "TotalTaxAmount",
        &Money::new(line.tax_cents, &*line.price.currency),
    );
    format!(
        "<eBayCollectAndRemitTax>true</eBayCollectAndRemitTax><eBayCollectAndRemitTaxes>{total}<TaxDetails><Imposition>{kind}</Imposition><TaxDescription>{kind}</TaxDescription>{tax}<CollectionMethod>NET</CollectionMethod></TaxDetails>{reference}</eBayCollectAndRemitTaxes>"
    )
}

/// Refunds of the order. Which line one is for is not told here.
fn refunds_xml(order: &Order) -> String {
    let refunds = order.refunds.iter().map(|refund| {
        let status = match &*refund.status {
            "REFUNDED" => "Succeeded",
            "FAILED" => "Failed",
            _ => "Pending",
        };
        let inner = leaf("RefundStatus", status)
            + &amount("RefundAmount", &refund.amount)
            + &leaf("RefundTime", iso_ms(refund.asked_at))
            + &leaf("ReferenceID", &refund.refund_id);
        format!("<Refund>{inner}</Refund>")
    });
    match refunds.collect::<String>() {
        none if none.is_empty() => none,
        refunds => {
            format!("<MonetaryDetails><Refunds>{refunds}</Refunds></MonetaryDetails>")
        }
    }
}
