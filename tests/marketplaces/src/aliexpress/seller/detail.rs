//! One order of a customer, and where it goes.

use serde_json::Value;
use serde_json::json;

use super::SaleRefundState;
use super::happenings::hides_address;
use super::happenings::masked;
use super::orders::money;
use super::orders::number;
use super::sale::Line;
use super::sale::Order;
use super::sale::Refund;
use super::sale::issue_status;
use super::wall;
use crate::actions::FeeReport;
use crate::actions::Hidden;
use crate::actions::Spoiled;
use crate::aliexpress::envelope::GatewayError;
use crate::aliexpress::envelope::ODD;
use crate::aliexpress::gateway::Params;
use crate::aliexpress::state::State;
use crate::money::Money;

/// The bits of `ext_info_bit_flag` that disputes and refunds are shown for. Without it everything is shown.
const ISSUES: u64 = 1;
const REFUNDS: u64 = 16;

/// What the request wants to see beside the order itself.
#[derive(Clone, Copy)]
struct Extras {
    issues: bool,
    refunds: bool,
}

impl State {
    pub(super) fn solution_order_info(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let query = params.json("param1")?;
        let id = number(&query["order_id"])?;
        let extras = match &query["ext_info_bit_flag"] {
            Value::Null => Extras {
                issues: true,
                refunds: true,
            },
            flag => {
                let bits = number(flag)?;
                Extras {
                    issues: bits & ISSUES != 0,
                    refunds: bits & REFUNDS != 0,
                }
            }
        };
        let shown_id = self.loose(id);
        let Some(order) = self.seller.shown(id) else {
            return Ok(json!({ "result": { "error_code": "B_PRODUCT_NOT_FOUND",
                "error_message": "order not found", "time_stamp": wall(self.now) } }));
        };
        let data = data(order, &shown_id, extras);
        Ok(json!({ "result": { "data": data, "time_stamp": wall(self.now) } }))
    }

    pub(super) fn solution_receipt_info(&mut self, params: &Params) -> Result<Value, GatewayError> {
        let id = number(&params.json("param1")?["order_id"])?;
        let shown = self.seller.shown(id);
        let shown = shown.filter(|order| order.hidden != Some(Hidden::Buyer));
        let Some(order) = shown else {
            let message = "Insufficient permission.";
            return Err(GatewayError::remote("isv.insufficient-permission", message));
        };
        if hides_address(order) {
            return Ok(json!({ "result": {} }));
        }
        let buyer = &order.buyer;
        let mut receipt = json!({
            "contact_person": buyer.full_name,
            "address": buyer.address_line1,
            "detail_address": buyer.address_line1,
            "address2": buyer.address_line2,
            "city": buyer.city,
            "province": buyer.state_or_province,
            "zip": buyer.postal_code,
            "country": buyer.country_code,
            "mobile_no": buyer.phone,
            "phone_country": "1",
        });
        match order.hidden {
            Some(Hidden::Country) => remove(&mut receipt, "country"),
            Some(Hidden::Masked) => mask(&mut receipt),
            _ => {}
        }
        Ok(json!({ "result": receipt }))
    }
}

fn data(order: &Order, shown_id: &Value, extras: Extras) -> Value {
    let lines = order.lines.iter();
    let children: Vec<Value> = lines.map(|line| child(order, line, extras)).collect();
    let shipments: Vec<Value> = order
        .shipments
        .iter()
        .map(|shipment| {
            json!({
                "logistics_no": shipment.logistics_no,
                "logistics_type_code": shipment.service_name,
                "gmt_send": wall(shipment.at),
                "receive_status": "default",
            })
        })
        .collect();
    let mut data = json!({
        "id": shown_id,
        "order_status": order.status,
        "logistics_status": order.logistics_status(),
        "frozen_status": "NO_FROZEN",
        "issue_status": order.issue_status(),
        "gmt_create": wall(order.created_at),
        "gmt_modified": wall(order.modified_at),
        "over_time_left": wall(crate::clock::later_ms(order.modified_at, 7 * 86_400_000)),
        "order_amount": money(&order.total()),
        "buyerloginid": order.buyer.username,
        "receipt_address": receipt_address(order),
        "child_order_list": children,
    });
    if hides_address(order) {
        remove(&mut data, "receipt_address");
    }
    if order.hidden == Some(Hidden::Buyer) {
        remove(&mut data, "buyerloginid");
    }
    if !shipments.is_empty() {
        data["logistic_info_list"] = json!(shipments);
    }
    if let Some(reason) = &order.end_reason {
        data["order_end_reason"] = json!(reason);
    }
    let refunds = order.lines.iter().flat_map(|line| &line.refunds);
    if let (true, Some(refund)) = (extras.refunds, refund_info(refunds, order, "amount")) {
        data["refund_info"] = refund;
    }
    if order.spoiled.contains(&Spoiled::Character) {
        data["memo"] = json!(memo());
    }
    spoil(order, &mut data);
    data
}

fn child(order: &Order, line: &Line, extras: Extras) -> Value {
    let mut child = json!({
        "id": line.child_id,
        "child_order_id": line.child_id.to_string(),
        "product_id": line.product_id,
        "sku_code": line.sku_code,
        "product_count": line.quantity,
        "product_price": money(&line.price),
        "escrow_fee_rate": "0.08",
        "order_status": order.child_status(line),
    });
    if order.fee == FeeReport::Never {
        remove(&mut child, "escrow_fee_rate");
    }
    if order.by_warehouse {
        child["send_goods_operator"] = json!("WAREHOUSE_SEND_GOODS");
        child["logistics_warehouse_type"] = json!("cainiaoInternationalWarehouse");
    }
    let refunds = || line.refunds.iter();
    if let (true, Some(refund)) = (extras.refunds, refund_info(refunds(), order, "amount_str")) {
        child["refund_info"] = refund;
    }
    let disputed = refunds().rfind(|refund| refund.disputed);
    if let Some(last) = disputed {
        child["issue_status"] = json!(issue_status(refunds()));
        if extras.issues {
            let under_way = last.state == SaleRefundState::WaitRefund;
            child["child_issue_info"] = json!({
                "issue_status": if under_way { "processing" } else { "finish" },
                "issue_time": wall(last.at),
            });
        }
    }
    child
}

/// The refunds of a child order, or of all of an order, as one: AliExpress has room for one. What came to nothing is told
/// only where nothing else is.
fn refund_info<'a>(
    refunds: impl Iterator<Item = &'a Refund>,
    order: &Order,
    amount: &str,
) -> Option<Value> {
    let (nothing, standing): (Vec<&Refund>, Vec<&Refund>) =
        refunds.partition(|refund| refund.state == SaleRefundState::RefundCancel);
    let told = if standing.is_empty() {
        nothing
    } else {
        standing
    };
    let last = told.iter().max_by_key(|refund| refund.at)?;
    let waits = told
        .iter()
        .find(|refund| refund.state == SaleRefundState::WaitRefund);
    let currency = order.total().currency;
    let cash = Money::new(told.iter().map(|refund| refund.cents).sum(), &*currency);
    let cash_json = json!({
        "cent": cash.cents,
        "cent_factor": 100,
        "currency_code": currency,
        amount: cash.decimal(),
    });
    Some(json!({
        "refund_status": waits.unwrap_or(last).state,
        "refund_type": "payout_refund",
        "refund_time": wall(last.at),
        "refund_cash_amt": cash_json,
    }))
}

/// The order's own address: a part of what the other call says.
fn receipt_address(order: &Order) -> Value {
    let buyer = &order.buyer;
    match order.hidden {
        Some(Hidden::Country) => json!({}),
        Some(Hidden::Masked) => {
            let mut address = json!({
                "contact_person": buyer.full_name,
                "detail_address": buyer.address_line1,
                "address2": buyer.address_line2,
                "city": buyer.city,
                "province": buyer.state_or_province,
                "zip": buyer.postal_code,
                "country": buyer.country_code,
                "mobile_no": buyer.phone,
            });
            mask(&mut address);
            address
        }
        _ => json!({ "country": buyer.country_code }),
    }
}

/// Hides who it is and where exactly they live.
fn mask(address: &mut Value) {
    for (name, kept) in [
        ("contact_person", 3),
        ("address", 4),
        ("detail_address", 4),
        ("address2", 4),
        ("mobile_no", 2),
    ] {
        if let Some(text) = address[name].as_str() {
            address[name] = json!(masked(text, kept));
        }
    }
}

pub(super) fn memo() -> String {
    format!("Please ring twice {ODD}")
}

/// Takes away what every read of an order has.
pub(super) fn spoil(order: &Order, shown: &mut Value) {
    if order.spoiled.contains(&Spoiled::Entry) {
        for name in ["order_status", "gmt_update", "gmt_modified"] {
            remove(shown, name);
        }
    }
}

fn remove(value: &mut Value, name: &str) {
    if let Value::Object(fields) = value {
        fields.remove(name);
    }
}
