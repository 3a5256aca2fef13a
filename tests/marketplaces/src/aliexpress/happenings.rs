//! What happens on the suppliers' side: what buying costs, what is refused, what carriers write.

use std::time::Duration;

use super::state::Order;
use super::state::State;
use super::types::OrderStatus;
use super::types::ParcelEventView;
use super::types::ParcelView;
use crate::actions::Supplier;
use crate::actions::SupplierAction;
use crate::clock::later;
use crate::error::ControlError;

/// The only word that the page of trade.ds.order.get has for why a line ended.
const CLOSED: &str = "CANCELED";

impl Supplier for State {
    fn act_as_supplier(&mut self, action: &SupplierAction) -> Result<(), ControlError> {
        match action {
            SupplierAction::TaxOnTop { percent } => self.terms.tax_percent = *percent,
            SupplierAction::ImportCharges { cents } => {
                self.terms.import_cents = not_negative(*cents)?;
            }
            SupplierAction::ChargeMore { percent } => self.terms.more_percent = *percent,
            SupplierAction::BlockAccount { is_blocked } => {
                self.terms.account_blocked = *is_blocked;
            }
            SupplierAction::RefuseNextOrder => self.terms.refuses_next = true,
            SupplierAction::CloseOrder { order_id } => self.close_before_sending(order_id)?,
            SupplierAction::TrackingEvent { order_id, text } => {
                self.write_event(order_id, "Shipping update", text)?;
            }
            SupplierAction::ReturnParcel { order_id } => self.send_back(order_id)?,
            SupplierAction::RefuseParcel { order_id } => self.refuse_parcel(order_id)?,
            SupplierAction::SlowCalls { takes_ms } => self.terms.takes_ms = *takes_ms,
            SupplierAction::EndConsent { in_s } => self.end_consent(*in_s),
        }
        Ok(())
    }
}

impl State {
    fn supplied(&mut self, order_id: &str) -> Result<&mut Order, ControlError> {
        let id: Option<u64> = order_id.parse().ok();
        let order = id.and_then(|id| self.orders.get_mut(&id));
        order.ok_or_else(|| ControlError::unknown("order", order_id))
    }

    fn close_before_sending(&mut self, order_id: &str) -> Result<(), ControlError> {
        let order = self.supplied(order_id)?;
        let (id, status) = (order.order_id, order.status);
        match status {
            OrderStatus::PlaceOrderSuccess | OrderStatus::WaitSellerSendGoods => {
                self.close(id, CLOSED, self.now);
                Ok(())
            }
            _ => Err(ControlError::Conflict(format!("the order is {status:?}"))),
        }
    }

    /// The parcels of an order that are under way.
    fn under_way(
        &mut self,
        order_id: &str,
    ) -> Result<impl Iterator<Item = &mut ParcelView>, ControlError> {
        let order = self.supplied(order_id)?;
        let travels = |parcel: &&mut ParcelView| {
            parcel.delivered_at.is_none() && parcel.returned_at.is_none()
        };
        let mut parcels = order.parcels.iter_mut().filter(travels).peekable();
        if parcels.peek().is_none() {
            let message = "the order has no parcel under way";
            return Err(ControlError::Conflict(message.to_owned()));
        }
        Ok(parcels)
    }

    /// A carrier writes something about all parcels of an order, those that have arrived too.
    fn write_event(&mut self, order_id: &str, name: &str, text: &str) -> Result<(), ControlError> {
        let at = self.now;
        let order = self.supplied(order_id)?;
        if order.parcels.is_empty() {
            let message = "the order has no parcel yet";
            return Err(ControlError::Conflict(message.to_owned()));
        }
        for parcel in &mut order.parcels {
            parcel.events.push(event(at, name, text));
        }
        Ok(())
    }

    /// The order stays as it is: no status of it tells that a parcel came back.
    fn send_back(&mut self, order_id: &str) -> Result<(), ControlError> {
        let at = self.now;
        for parcel in self.under_way(order_id)? {
            parcel.returned_at = Some(at);
            for text in [
                "Your package is on its way back to the sender.",
                "Return parcel delivered to the sender.",
            ] {
                parcel.events.push(event(at, "Delivery update", text));
            }
        }
        Ok(())
    }

    fn refuse_parcel(&mut self, order_id: &str) -> Result<(), ControlError> {
        let at = self.now;
        for parcel in self.under_way(order_id)? {
            parcel.refused_at = Some(at);
            // The reason follows the first sentence without a blank, as carriers' own reasons do.
            let text = "Delivery attempt unsuccessful.Refused by the recipient";
            let name = "Delivery update";
            parcel.events.push(event(at, name, text));
        }
        Ok(())
    }

    /// The end of the consent moves, and after it no token of the buying account works.
    fn end_consent(&mut self, in_s: u64) {
        let ends_at = later(self.now, Duration::from_secs(in_s));
        self.tokens.refresh_ends_at = ends_at;
        self.tokens.consent_ends_at = Some(ends_at);
    }
}

fn event(at: jiff::Timestamp, name: &str, text: &str) -> ParcelEventView {
    ParcelEventView {
        at,
        name: name.to_owned(),
        text: text.to_owned(),
    }
}

fn not_negative(cents: i64) -> Result<i64, ControlError> {
    if cents < 0 {
        return Err(ControlError::Invalid(
            "charges are not less than nothing".to_owned(),
        ));
    }
    Ok(cents)
}
