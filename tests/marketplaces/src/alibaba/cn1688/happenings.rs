//! What happens on the sellers' side without a call, and what it leaves in orders, parcels and messages.
//!
//! Sellers of 1688 change the freight of an order before it is paid, close it, or pay it back before it is sent; carriers
//! write what they like, in Chinese.

use std::time::Duration;

use serde_json::json;

use super::state::Closed;
use super::state::Order;
use super::state::Refund;
use super::state::State;
use super::types::Cn1688Status;
use crate::actions::Party;
use crate::actions::Supplier;
use crate::actions::SupplierAction;
use crate::actions::no_such_thing;
use crate::alibaba::supply::percent_of;
use crate::clock::later;
use crate::error::ControlError;

/// What a carrier writes when a recipient does not take a parcel.
const REFUSED: &str = "快件因收件人拒收派送不成功，等待网点处理";
/// What a carrier writes when a parcel is back at its sender: it ends in the word for "signed for".
const RETURNED: &str = "快件已退回至发件人，退件已签收";

impl Supplier for State {
    fn act_as_supplier(&mut self, action: &SupplierAction) -> Result<(), ControlError> {
        match action {
            SupplierAction::TaxOnTop { .. } => Err(no_such_thing(
                "1688 shows one price and no tax beside it: no page of an offer, a preview or an order has such a field",
            )),
            SupplierAction::ImportCharges { .. } => Err(no_such_thing(
                "an order at 1688 ends at an address in China, and nothing is imported for it",
            )),
            SupplierAction::ChargeMore { percent } => {
                self.supply.more_percent = *percent;
                Ok(())
            }
            SupplierAction::BlockAccount { is_blocked } => {
                self.supply.is_blocked = *is_blocked;
                Ok(())
            }
            SupplierAction::RefuseNextOrder => {
                self.supply.refuses_next = true;
                Ok(())
            }
            SupplierAction::CloseOrder { order_id } => self.close(number(order_id)?, Party::Seller),
            SupplierAction::TrackingEvent { order_id, text } => {
                self.track(number(order_id)?, text, "TRANSPORT")
            }
            SupplierAction::ReturnParcel { order_id } => {
                self.fail_parcels(number(order_id)?, RETURNED)
            }
            SupplierAction::RefuseParcel { order_id } => {
                self.fail_parcels(number(order_id)?, REFUSED)
            }
            SupplierAction::SlowCalls { takes_ms } => {
                self.supply.takes_ms = *takes_ms;
                Ok(())
            }
            SupplierAction::EndConsent { in_s } => self.end_consent(*in_s),
        }
    }
}

fn number(order_id: &str) -> Result<u64, ControlError> {
    let number = order_id.parse().ok();
    number.ok_or_else(|| ControlError::unknown("order", order_id))
}

impl State {
    fn known(&mut self, order_id: u64) -> Result<&mut Order, ControlError> {
        let order = self.orders.get_mut(&order_id);
        order.ok_or_else(|| ControlError::unknown("order", order_id))
    }

    /// Puts another freight on an order, which only the seller can and only before it is paid.
    pub(super) fn change_freight(&mut self, order_id: u64, fen: i64) -> Result<(), ControlError> {
        let now = self.now;
        let order = self.known(order_id)?;
        if order.status != Cn1688Status::WaitBuyerPay {
            return Err(too_late(order));
        }
        order.carriage = fen;
        order.modified_at = now;
        let topic = "ORDER_BUYER_VIEW_ORDER_PRICE_MODIFY";
        self.announce(order_id, topic, &json!(Cn1688Status::WaitBuyerPay));
        Ok(())
    }

    /// After an order was answered, the seller raises its freight by what is to be charged more.
    pub(super) fn charge_more(&mut self, order_id: u64) {
        let percent = self.supply.more_percent;
        let Some(order) = self.orders.get(&order_id).filter(|_| percent > 0) else {
            return;
        };
        let freight = order.carriage + percent_of(order.told, percent);
        // An order that was placed just now is there and unpaid.
        let _ = self.change_freight(order_id, freight);
    }

    /// Closes an order that was not sent. One that was paid is paid back first, and both is told, as a refund that ends a
    /// trade is told with the message of a seller who closes it.
    pub(super) fn close(&mut self, order_id: u64, by: Party) -> Result<(), ControlError> {
        let status = self.known(order_id)?.status;
        match (status, by) {
            (Cn1688Status::WaitBuyerPay, _) => {
                let reason = match by {
                    Party::Seller => "sellerGoodsLack",
                    Party::Buyer => "buyerCancel",
                    Party::Marketplace => "BUYER_NO_PAY",
                };
                self.close_unpaid(order_id, by, reason);
                Ok(())
            }
            (Cn1688Status::WaitSellerSend, Party::Seller | Party::Buyer) => self.pay_back(order_id),
            _ => Err(too_late(self.known(order_id)?)),
        }
    }

    /// Closes an unpaid order, with its own message for each who can.
    pub(super) fn close_unpaid(&mut self, order_id: u64, by: Party, reason: &str) {
        let now = self.now;
        let Some(order) = self.orders.get_mut(&order_id) else {
            return;
        };
        order.status = Cn1688Status::Cancel;
        order.modified_at = now;
        order.closed = Some(Closed {
            by,
            reason: reason.to_owned(),
        });
        let topic = match by {
            Party::Buyer => "ORDER_BUYER_VIEW_ORDER_BUYER_CLOSE",
            Party::Seller => "ORDER_BUYER_VIEW_ORDER_SELLER_CLOSE",
            Party::Marketplace => "ORDER_BUYER_VIEW_ORDER_BOPS_CLOSE",
        };
        self.announce(order_id, topic, &json!(Cn1688Status::Cancel));
    }

    fn pay_back(&mut self, order_id: u64) -> Result<(), ControlError> {
        let (now, digits) = (self.now, self.random.digits(17));
        let order = self.known(order_id)?;
        let fen = order.paid.unwrap_or_else(|| order.total());
        order.refund = Some(Refund {
            id: format!("TQ{digits}"),
            fen,
            at: now,
        });
        order.status = Cn1688Status::Cancel;
        order.modified_at = now;
        self.announce_refund(order_id, &digits);
        let topic = "ORDER_BUYER_VIEW_ORDER_SELLER_CLOSE";
        self.announce(order_id, topic, &json!(Cn1688Status::Cancel));
        Ok(())
    }

    /// Writes an event into the trace of every parcel of an order.
    fn track(&mut self, order_id: u64, text: &str, changed: &str) -> Result<(), ControlError> {
        let now = self.now;
        let order = self.known(order_id)?;
        if order.parcels.is_empty() {
            return Err(no_such_thing("the order has no parcel yet"));
        }
        for parcel in &mut order.parcels {
            parcel.steps.push((now, text.to_owned()));
        }
        self.announce_trace(order_id, changed);
        Ok(())
    }

    fn fail_parcels(&mut self, order_id: u64, text: &str) -> Result<(), ControlError> {
        self.track(order_id, text, "FAILED")?;
        let order = self.known(order_id)?;
        order
            .parcels
            .iter_mut()
            .for_each(|parcel| parcel.failed = true);
        Ok(())
    }

    /// The refresh token ends then. An access token that was given before lives to its own end.
    fn end_consent(&mut self, in_s: u64) -> Result<(), ControlError> {
        let ends_at = later(self.now, Duration::from_secs(in_s));
        let refresh = self.refresh.as_mut();
        let refresh = refresh.ok_or_else(|| no_such_thing("there is no consent to end"))?;
        refresh.1 = ends_at;
        Ok(())
    }
}

fn too_late(order: &Order) -> ControlError {
    ControlError::Conflict(format!("the order is {:?}", order.status))
}
