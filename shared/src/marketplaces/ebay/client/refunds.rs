//! Refunds over the Fulfillment API.

use super::{Call, Caller, Client, orders::order_path};
use crate::{
    domain::ChannelOrderId,
    marketplaces::{
        CallError, Kind, RefundRequest, RefundState, Refunded, Retry,
        ebay::{OrdersApi, convert, error::Operation, limits, wire},
    },
};
use http::Method;

impl Client {
    /// The refunds that getOrder shows (Fulfillment API, `paymentSummary.refunds` and `lineItems.refunds`).
    pub(in crate::marketplaces::ebay) async fn refunds(
        &self,
        id: &ChannelOrderId,
    ) -> Result<Vec<Refunded>, CallError> {
        let order = self.wire_order(id).await?;
        convert::refunds(&order).map_err(|field| self.bad(Operation::GetOrder, field))
    }

    /// issueRefund (Fulfillment API): of the whole order or of one of its lines, signed where the account has a key. There is no key against
    /// repeats; eBay only stops what exceeds the order.
    pub(in crate::marketplaces::ebay) async fn refund(
        &self,
        order: &ChannelOrderId,
        request: &RefundRequest,
    ) -> Result<Refunded, CallError> {
        let operation = Operation::IssueRefund;
        let fault = self.fault(operation);
        if self.config.must_sign() && self.signer.is_none() {
            return Err(fault.not_sent(Kind::Misconfigured, Retry::Person, "signing-key"));
        }
        if request.amount.minor <= 0 {
            return Err(fault.not_sent(Kind::Refused, Retry::Permanent, "amount"));
        }
        let comment = short(&request.comment);
        let amount = wire::Amount {
            value: request.amount.decimal(),
            currency: request.amount.currency.code().to_owned(),
        };
        // eBay takes one of both, and wants the item where it is one line of several. The Trading API names lines otherwise.
        let names_lines = self.config.orders == OrdersApi::Fulfillment;
        let (of_order, of_lines) = match request.line.as_ref().filter(|_| names_lines) {
            None => (Some(amount), Vec::new()),
            Some(line) => {
                let item = wire::RefundItem {
                    line_item_id: line.as_str(),
                    refund_amount: amount,
                };
                (None, vec![item])
            }
        };
        let body = wire::NewRefund {
            reason_for_refund: convert::refund_reason(request.reason),
            comment: Some(comment.as_str()).filter(|comment| !comment.is_empty()),
            order_level_refund_amount: of_order,
            refund_items: of_lines,
        };
        let path = format!("{}/issue_refund", order_path(order));
        let body = self.json(operation, &body)?;
        let call = Call {
            not_after: request.not_after,
            signed: true,
            ..Call::with(operation, Method::POST, path, body)
        };
        let answer: wire::IssuedRefund = self.read(&call, Caller::Seller).await?;
        let state = convert::refund_state(answer.refund_status.as_deref());
        let id = answer.refund_id.filter(|id| !id.is_empty());
        match (id, state) {
            // Only a refund that failed has no id.
            (None, RefundState::Pending | RefundState::Paid) => Err(fault.unsaid("refundId")),
            (id, state) => Ok(Refunded {
                id: id.unwrap_or_default(),
                amount: request.amount,
                state,
            }),
        }
    }
}

/// A comment as long as eBay takes it.
fn short(comment: &str) -> String {
    let comment = comment.trim();
    comment
        .chars()
        .take(limits::LONGEST_REFUND_COMMENT)
        .collect()
}
