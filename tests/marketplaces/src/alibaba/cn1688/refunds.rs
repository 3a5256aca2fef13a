//! Refunds before the end of a trade, as the buyer's application reads them.

use serde_json::Value;
use serde_json::json;

use super::gateway::Params;
use super::gateway::Refused;
use super::reading::china_time;
use super::state::Order;
use super::state::Refund;
use super::state::State;

impl State {
    /// The refunds of one order: those under way (1) or those paid (3). Money is fen here, whatever it is in the order.
    pub(super) fn refunds(&mut self, params: &Params) -> Result<Value, Refused> {
        let id = params.required("orderId")?.parse().unwrap_or(0);
        let kind = params.required("queryType")?;
        if !["1", "3"].contains(&kind) {
            return Err(Refused::missing("queryType"));
        }
        let Some(order) = self.orders.get(&id) else {
            // Beside no success flag, with JSON inside of a text.
            let inner = json!({
                "errorCode": "003002",
                "errorMessage": "made up for tests",
                "cause": "errorCode:ORDER_NOT_EXIST,errorMsg:null,cause:null",
            });
            let body = json!({ "errorCode": "500", "errorMessage": inner.to_string(), "extErrorMessage": "made up for tests" });
            return Err(Refused::Service(body));
        };
        let paid = order.refund.iter().filter(|_| kind == "3");
        let models = paid.map(|refund| self.refund_json(order, refund));
        Ok(json!({ "result": { "opOrderRefundModels": models.collect::<Vec<_>>() } }))
    }

    fn refund_json(&self, order: &Order, refund: &Refund) -> Value {
        let at = china_time(refund.at);
        json!({
            "refundId": refund.id,
            "id": refund.id.trim_start_matches("TQ").parse::<u64>().unwrap_or(0),
            "orderId": order.order_id,
            "status": "refundsuccess",
            "disputeType": 1,
            "goodsStatus": 1,
            "applyPayment": order.goods(),
            "applyCarriage": refund.fen - order.goods(),
            "refundPayment": order.goods(),
            "refundCarriage": refund.fen - order.goods(),
            "canRefundPayment": refund.fen,
            "frozenFund": -1,
            "rejectTimes": 0,
            "gmtApply": at,
            "gmtCreate": at,
            "gmtModified": at,
            "gmtCompleted": at,
            "buyerMemberId": self.config.member_id,
            "sellerMemberId": order.seller,
            "isGoodsReceived": false,
            "isOnlyRefund": true,
            "isRefundGoods": false,
            "success": true,
            "refundOperationList": [],
        })
    }
}
