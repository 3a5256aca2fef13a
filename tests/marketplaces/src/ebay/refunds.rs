//! issueRefund (Sell Fulfillment API v1), with the signature that European sellers' calls must have.

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;

use super::error;
use super::error::FULFILLMENT;
use super::signature;
use super::state::Order;
use super::state::State;
use super::types::PaymentStatus;
use super::types::RefundView;
use crate::answer::Answer;
use crate::answer::Call;
use crate::clock::iso_ms;
use crate::clock::later_ms;
use crate::money::Money;

const LONGEST_COMMENT: usize = 100;
const REASONS: [&str; 7] = [
    "BUYER_CANCEL",
    "SELLER_CANCEL",
    "ITEM_NOT_RECEIVED",
    "BUYER_RETURN",
    "ITEM_NOT_AS_DESCRIBED",
    "OTHER_ADJUSTMENT",
    "SHIPPING_DISCOUNT",
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    reason_for_refund: Option<String>,
    comment: Option<String>,
    order_level_refund_amount: Option<Amount>,
    refund_items: Option<Vec<Item>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    line_item_id: Option<String>,
    refund_amount: Option<Amount>,
}

#[derive(Deserialize)]
struct Amount {
    value: Option<String>,
    currency: Option<String>,
}

impl Request {
    /// The place of the one line that is paid back; `None` where it is the order, or several lines at once.
    fn only_line(&self, order: &Order) -> Option<usize> {
        let [item] = self.refund_items.as_deref()? else {
            return None;
        };
        let id = item.line_item_id.as_deref();
        order
            .lines
            .iter()
            .position(|line| Some(&*line.line_item_id) == id)
    }
}

type Refusal = (u16, u32, &'static str);

impl State {
    /// POST order/{orderId}/issue_refund. There is no idempotency: the same refund sent again is made again.
    pub(super) fn issue_refund(&mut self, order_id: &str, call: &Call) -> Answer {
        if !call.has_content_type("application/json") {
            return Answer::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        if let Err(answer) = self.check_signature(call) {
            return *answer;
        }
        self.settle_refunds();
        let refuse = |(status, id, message): Refusal| {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            error::request(status, id, FULFILLMENT, message)
        };
        let Ok(request) = serde_json::from_slice::<Request>(&call.body) else {
            return refuse((400, 34902, "Request can't be empty."));
        };
        let visible = self.visible_order(order_id).is_ok();
        let Some(order) = self.orders.get(order_id).filter(|_| visible) else {
            return refuse((404, 34913, "Can not find the order."));
        };
        let amount = match check(order, &request) {
            Ok(amount) => amount,
            Err(refusal) => return refuse(refusal),
        };
        let line = request.only_line(order);
        let refund_id = format!("5{}", self.random.digits(9));
        let (now, reason) = (self.now, request.reason_for_refund.unwrap_or_default());
        self.counters.refunds += 1;
        if let Some(order) = self.orders.get_mut(order_id) {
            order.modified_at = now;
            order.refunds.push(RefundView {
                refund_id: refund_id.clone(),
                amount,
                status: "PENDING".to_owned(),
                reason,
                asked_at: now,
                line,
                by_hand: false,
                fails: false,
                settles_at_once: false,
            });
        }
        let body = json!({ "refundId": refund_id, "refundStatus": "PENDING" });
        Answer::json(StatusCode::OK, &body)
    }

    /// Refunds whose time has come are paid, or fail.
    pub(super) fn settle_refunds(&mut self) {
        let (now, after) = (self.now, self.config.settings.refund_settles_after_ms);
        let all_fail = self.config.settings.refunds_fail;
        for order in self.orders.values_mut() {
            let total = order.total().cents;
            let due = |refund: &&mut RefundView| {
                let settles_at = match refund.settles_at_once {
                    true => refund.asked_at,
                    false => later_ms(refund.asked_at, after),
                };
                refund.status == "PENDING" && settles_at <= now
            };
            let mut settled = false;
            for refund in order.refunds.iter_mut().filter(due) {
                let fails = all_fail || refund.fails;
                refund.status = if fails { "FAILED" } else { "REFUNDED" }.to_owned();
                settled = true;
            }
            if settled {
                let is_paid = |refund: &&RefundView| refund.status == "REFUNDED";
                let paid = order.refunds.iter().filter(is_paid);
                let paid: i64 = paid.map(|refund| refund.amount.cents).sum();
                order.payment = match paid {
                    0 => order.payment,
                    paid if paid >= total => PaymentStatus::FullyRefunded,
                    _ => PaymentStatus::PartiallyRefunded,
                };
            }
        }
    }

    fn check_signature(&self, call: &Call) -> Result<(), Box<Answer>> {
        let is_signed = ["signature", "signature-input", "x-ebay-signature-key"]
            .iter()
            .any(|name| call.header(name).is_some());
        if !is_signed && !self.config.settings.refunds_need_signature {
            return Ok(());
        }
        let key = signature::public_half(&self.config.signing_private_key);
        let is_valid = key.is_some_and(|key| {
            signature::message_is_signed(call, "POST", &key, &self.config.signing_jwe, self.now)
        });
        if is_valid {
            return Ok(());
        }
        let message = "Signature validation failed";
        Err(Box::new(error::bad_request(215_120, "ACCESS", message)))
    }
}

fn check(order: &Order, request: &Request) -> Result<Money, Refusal> {
    let reason = request.reason_for_refund.as_deref();
    if !reason.is_some_and(|reason| REASONS.contains(&reason)) {
        return Err((400, 34903, "The refund reason must be specified."));
    }
    let comment = request.comment.as_deref().unwrap_or_default();
    if comment.chars().count() > LONGEST_COMMENT {
        return Err((400, 34921, "The comment exceeds the length limit."));
    }
    let items = request.refund_items.as_deref().unwrap_or_default();
    let amount = match (&request.order_level_refund_amount, items) {
        (Some(amount), []) => of_order(order, amount)?,
        (None, [_, ..]) => {
            let mut cents = 0_i64;
            for item in items {
                let id = item.line_item_id.as_deref();
                let line = order
                    .lines
                    .iter()
                    .find(|line| Some(&*line.line_item_id) == id);
                let line = line.ok_or((400, 34914, "Can't find the item in the order."))?;
                let amount = item.refund_amount.as_ref();
                let amount = amount.ok_or((400, 34906, "The amount value must be specified."))?;
                let amount = of_order(order, amount)?;
                if amount.cents > line.cost().cents {
                    return Err((
                        409,
                        34924,
                        "The item refund amount exceeds the item remaining amount.",
                    ));
                }
                cents = cents.saturating_add(amount.cents);
            }
            Money::new(cents, order.total().currency)
        }
        _ => {
            let message = "Either orderLevelRefundAmount or refundItems must be specified.";
            return Err((400, 34905, message));
        }
    };
    match order.payment {
        PaymentStatus::FullyRefunded => Err((400, 34917, "This order was already refunded.")),
        PaymentStatus::Pending | PaymentStatus::Failed => {
            let message = "You cannot refund this order yet since the buyer payment has not been processed. Please try again later.";
            Err((409, 34929, message))
        }
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded => {
            let is_live = |refund: &&RefundView| refund.status != "FAILED";
            let given = order.refunds.iter().filter(is_live);
            let given: i64 = given.map(|refund| refund.amount.cents).sum();
            if given.saturating_add(amount.cents) > order.total().cents {
                return Err((400, 34915, "The refund amount exceeds order amount."));
            }
            Ok(amount)
        }
    }
}

fn of_order(order: &Order, amount: &Amount) -> Result<Money, Refusal> {
    let value = amount.value.as_deref();
    let value = value.ok_or((400, 34906, "The amount value must be specified."))?;
    let currency = amount.currency.as_deref();
    let currency = currency.ok_or((400, 34908, "The amount currency must be specified."))?;
    if currency != order.total().currency {
        return Err((400, 34909, "The amount currency isn't correct."));
    }
    let money = Money::parse(value, currency).filter(|money| money.cents > 0);
    let message = "The amount value must be positive and within two decimals.";
    money.ok_or((400, 34907, message))
}

/// A refund as getOrder shows it.
pub(super) fn refund_json(refund: &RefundView) -> Value {
    let mut body = json!({
        "refundId": refund.refund_id,
        "refundStatus": refund.status,
        "amount": refund.amount,
    });
    if refund.status == "REFUNDED" {
        body["refundDate"] = json!(iso_ms(refund.asked_at));
        body["refundReferenceId"] = json!(format!("7{}", refund.refund_id));
    }
    body
}
