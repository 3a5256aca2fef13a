//! An order as getOrder and getOrders show it (Sell Fulfillment API v1).

use serde_json::Value;
use serde_json::json;

use super::refunds::refund_json;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::types::CancelState;
use super::types::PaymentStatus;
use super::types::RefundView;
use crate::actions::Hidden;
use crate::actions::Spoiled;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::form;
use crate::money::Money;

/// What a read asks for.
pub(super) struct Read {
    origin: String,
    /// getOrder alone shows requests to cancel.
    is_of_one: bool,
    /// `fieldGroups=TAX_BREAKDOWN`: taxes by kind, and totals with what eBay collects.
    with_taxes: bool,
}

impl Read {
    pub(super) fn of_one(call: &Call) -> Self {
        Self::of(call, true)
    }

    pub(super) fn of_list(call: &Call) -> Self {
        Self::of(call, false)
    }

    fn of(call: &Call, is_of_one: bool) -> Self {
        let groups = form::query_value(call.uri.query(), "fieldGroups");
        Self {
            origin: call.origin(),
            is_of_one,
            with_taxes: groups.as_deref() == Some("TAX_BREAKDOWN"),
        }
    }
}

impl State {
    pub(super) fn order_json(&self, order: &Order, read: &Read) -> Value {
        let total = order.total();
        let (tax, origin) = (order.tax(), &read.origin);
        let with_tax = Money::new(total.cents.saturating_add(tax.cents), &*total.currency);
        let hrefs: Vec<String> = order
            .fulfillments
            .iter()
            .map(|one| {
                let id = &one.fulfillment_id;
                let order_id = &order.order_id;
                format!("{origin}/sell/fulfillment/v1/order/{order_id}/shipping_fulfillment/{id}")
            })
            .collect();
        let mut body = json!({
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
                "total": if read.with_taxes { &with_tax } else { &total },
            },
            "cancelStatus": cancel_json(order, read.is_of_one),
            "paymentSummary": payment_json(order, &with_tax),
            "fulfillmentStartInstructions": [start_instruction_json(order)],
            "fulfillmentHrefs": hrefs,
            "lineItems": order.lines.iter().map(|line| line_json(order, line, read)).collect::<Vec<_>>(),
            "salesRecordReference": order.sales_record.to_string(),
            "totalFeeBasisAmount": total,
        });
        if let Some(fee) = order.fee() {
            body["totalMarketplaceFee"] = json!(fee);
        }
        if tax.cents > 0 {
            body["ebayCollectAndRemitTax"] = json!(true);
        }
        if order.is_fulfilled_by_ebay {
            body["program"] = json!({ "fulfillmentProgram": { "fulfilledBy": "EBAY" } });
        }
        match order.hidden {
            Some(Hidden::Buyer) => body["buyer"] = json!({}),
            Some(Hidden::Address | Hidden::Country) => {
                body["buyer"] = json!({ "username": order.buyer.username });
            }
            Some(Hidden::Masked) | None => {}
        }
        match order.spoiled {
            Some(Spoiled::Entry) => {
                body.as_object_mut().map(|body| body.remove("creationDate"));
            }
            // A line separator and a character outside the plane that most texts are in.
            Some(Spoiled::Character) => {
                body["buyerCheckoutNotes"] = json!("gift\u{2028}\u{1}\u{1F381}");
            }
            None => {}
        }
        body
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
            "cancelInitiator": order.canceller(),
            "cancelReason": order.cancel_reason,
            "cancelRequestedDate": iso_ms(asked_at),
            "cancelRequestId": format!("5{}", order.sales_record),
            "cancelRequestState": state,
        }));
    }
    json!({ "cancelState": order.cancel, "cancelRequests": requests })
}

fn payment_json(order: &Order, due: &Money) -> Value {
    let status = match order.payment {
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::FullyRefunded => {
            "PAID"
        }
        PaymentStatus::Pending => "PENDING",
        PaymentStatus::Failed => "FAILED",
    };
    let refunds: Vec<Value> = order.refunds.iter().map(refund_json).collect();
    let mut body = json!({
        "totalDueSeller": due,
        "refunds": refunds,
        "payments": [{
            "paymentMethod": "EBAY",
            "paymentReferenceId": order.sales_record.to_string(),
            "paymentDate": iso_ms(order.created_at),
            "amount": order.total(),
            "paymentStatus": status,
        }],
    });
    if order.is_reviewed {
        body["payments"][0]["paymentHolds"] = json!([{
            "holdAmount": order.total(),
            "holdReason": "PAYMENT_REVIEW",
            "holdState": "HELD",
        }]);
    }
    body
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
    let mut ship_to = json!({
        "fullName": buyer.full_name,
        "contactAddress": address,
        "primaryPhone": { "phoneNumber": buyer.phone },
        "email": buyer.email,
    });
    match order.hidden {
        Some(Hidden::Address | Hidden::Buyer) => ship_to = json!({}),
        Some(Hidden::Country) => {
            let address = ship_to["contactAddress"].as_object_mut();
            address.map(|address| address.remove("countryCode"));
        }
        Some(Hidden::Masked) | None => {}
    }
    let days = |count: u64| iso_ms(later_ms(order.created_at, count * 86_400_000));
    json!({
        "fulfillmentInstructionsType": "SHIP_TO",
        "minEstimatedDeliveryDate": days(5),
        "maxEstimatedDeliveryDate": days(15),
        "ebaySupportedFulfillment": false,
        "shippingStep": {
            "shipTo": ship_to,
            "shippingCarrierCode": "Other",
            "shippingServiceCode": "EconomyShippingFromOutsideUS",
        },
    })
}

fn line_json(order: &Order, line: &Line, read: &Read) -> Value {
    let cost = line.cost();
    let tax = Money::new(line.tax_cents, &*cost.currency);
    let with_tax = Money::new(cost.cents.saturating_add(tax.cents), &*cost.currency);
    let refunds = order.refunds_of(line).map(line_refund_json);
    let mut body = json!({
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
        "total": if read.with_taxes { &with_tax } else { &cost },
        "refunds": refunds.collect::<Vec<_>>(),
        "deliveryCost": { "shippingCost": Money::new(0, &*cost.currency) },
        "appliedPromotions": [],
        "taxes": [],
        "properties": { "buyerProtection": true },
    });
    if tax.cents > 0 {
        let kind = if line.tax_reference.is_some() {
            "VAT"
        } else {
            "STATE_SALES_TAX"
        };
        let mut collected = json!({ "taxType": kind, "amount": tax, "collectionMethod": "NET" });
        if let Some(reference) = &line.tax_reference {
            collected["ebayReference"] = json!({ "name": "IOSS", "value": reference });
        }
        body["ebayCollectAndRemitTaxes"] = json!([collected]);
        if read.with_taxes {
            body["taxes"] = json!([{ "taxType": kind, "amount": tax }]);
        }
    }
    body
}

/// A refund as a line shows it: with its date once it is paid, and without a state.
fn line_refund_json(refund: &RefundView) -> Value {
    let mut body = json!({ "refundId": refund.refund_id, "amount": refund.amount });
    if refund.status == "REFUNDED" {
        body["refundDate"] = json!(iso_ms(refund.asked_at));
    }
    body
}
