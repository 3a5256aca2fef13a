//! What happens on the sellers' side without a call, and what it leaves in orders, tracking and pushes.
//!
//! Freight and product calls tell neither tax nor duty, and the answer to an order tells no sum at all: only the order
//! itself does, once it can be read.

use std::time::Duration;

use super::state::Order;
use super::state::State;
use super::types::TradeStatus;
use crate::actions::Supplier;
use crate::actions::SupplierAction;
use crate::actions::no_such_thing;
use crate::alibaba::supply::percent_of;
use crate::clock::later;
use crate::error::ControlError;

/// Hundredths of a cent in a cent.
const CENT: i64 = 100;
/// What a carrier writes when a recipient does not take a parcel.
const REFUSED: &str =
    "The receiver refused the delivery. The package will be returned to the sender.";
/// What a carrier writes when a parcel is back at its sender: it begins with the word for a delivery.
const RETURNED: &str = "Delivered, To Original Sender";

impl Supplier for State {
    fn act_as_supplier(&mut self, action: &SupplierAction) -> Result<(), ControlError> {
        match action {
            SupplierAction::TaxOnTop { percent } => self.supply.tax_percent = *percent,
            SupplierAction::ImportCharges { cents } => self.supply.charges_cents = *cents,
            SupplierAction::ChargeMore { percent } => self.supply.more_percent = *percent,
            SupplierAction::BlockAccount { is_blocked } => self.supply.is_blocked = *is_blocked,
            SupplierAction::RefuseNextOrder => self.supply.refuses_next = true,
            SupplierAction::CloseOrder { order_id } => self.close(number(order_id)?)?,
            SupplierAction::TrackingEvent { order_id, text } => {
                self.track(number(order_id)?, text)?;
            }
            SupplierAction::ReturnParcel { order_id } => {
                self.fail_parcels(number(order_id)?, RETURNED)?;
            }
            SupplierAction::RefuseParcel { order_id } => {
                self.fail_parcels(number(order_id)?, REFUSED)?;
            }
            SupplierAction::SlowCalls { takes_ms } => self.supply.takes_ms = *takes_ms,
            // Only the refresh token ends: an access token that was given before lives to its own end.
            SupplierAction::EndConsent { in_s } => {
                if self.tokens.refresh.is_none() {
                    return Err(no_such_thing("there is no consent to end"));
                }
                self.tokens.refresh_ends_at = later(self.now, Duration::from_secs(*in_s));
            }
        }
        Ok(())
    }
}

fn number(trade_id: &str) -> Result<u64, ControlError> {
    let number = trade_id.parse().ok();
    number.ok_or_else(|| ControlError::unknown("order", trade_id))
}

impl State {
    /// What an order costs beside goods and freight, as the habits are now.
    pub(super) fn surcharge(&self, order: &mut Order) {
        let supply = &self.supply;
        // Whole cents, so that what an order shows adds up.
        let share = |amount, percent| {
            let part = percent_of(amount, percent);
            (part + CENT - 1) / CENT * CENT
        };
        order.vat = share(order.goods(), supply.tax_percent);
        order.duty = supply.charges_cents * CENT;
        order.adjusted = share(order.goods() + order.fee, supply.more_percent);
    }

    /// The seller puts a sum on an unpaid order, or takes it off; in cents.
    pub(super) fn adjust(&mut self, trade_id: u64, cents: i64) -> Result<(), ControlError> {
        let now = self.now;
        let order = self.known(trade_id)?;
        if order.status != TradeStatus::Unpay {
            return Err(too_late(order));
        }
        order.adjusted = cents * CENT;
        order.modified_at = now;
        Ok(())
    }

    /// Closes an order that was not sent. One that was paid is frozen while its money goes back; who closed it, no field
    /// tells.
    fn close(&mut self, trade_id: u64) -> Result<(), ControlError> {
        let order = self.known(trade_id)?;
        match order.status {
            TradeStatus::Unpay => {}
            TradeStatus::Undeliver => {
                order.refunded = order.paid.unwrap_or_default();
                self.enter(trade_id, TradeStatus::Frozen);
            }
            _ => return Err(too_late(order)),
        }
        self.enter(trade_id, TradeStatus::TradeClose);
        Ok(())
    }

    /// Writes an event into the tracking of every parcel of an order.
    fn track(&mut self, trade_id: u64, text: &str) -> Result<(), ControlError> {
        let now = self.now;
        let order = self.known(trade_id)?;
        if order.parcels.is_empty() {
            return Err(no_such_thing("the order has no parcel yet"));
        }
        for parcel in &mut order.parcels {
            parcel.events.push((now, text.to_owned()));
        }
        Ok(())
    }

    fn fail_parcels(&mut self, trade_id: u64, text: &str) -> Result<(), ControlError> {
        self.track(trade_id, text)?;
        let order = self.known(trade_id)?;
        let parcels = order.parcels.iter_mut();
        parcels.for_each(|parcel| parcel.failed = true);
        Ok(())
    }

    fn known(&mut self, trade_id: u64) -> Result<&mut Order, ControlError> {
        let order = self.orders.get_mut(&trade_id);
        order.ok_or_else(|| ControlError::unknown("order", trade_id))
    }
}

fn too_late(order: &Order) -> ControlError {
    ControlError::Conflict(format!("the order is {:?}", order.status))
}
