//! What the world does to an order at Amazon without a call: the seller in Seller Central, the buyer, Amazon.

use super::refunds::Refund;
use super::state::Line;
use super::state::Order;
use super::state::State;
use super::types::AmazonPackageView;
use super::types::AmazonStatus;
use crate::actions::Channel;
use crate::actions::FeeReport;
use crate::actions::Hidden;
use crate::actions::ListHabits;
use crate::actions::OrderAction;
use crate::actions::Party;
use crate::actions::Spoiled;
use crate::actions::no_such_thing;
use crate::buyer::Buyer;
use crate::error::ControlError;

/// What happened to an order beside calls.
#[derive(Clone, Default)]
pub(super) struct Happened {
    /// What reads do not show of the buyer.
    pub(super) hidden: Vec<Hidden>,
    /// What strict readers stumble over.
    pub(super) spoiled: Vec<Spoiled>,
    /// No read shows it.
    pub(super) is_gone: bool,
    pub(super) never_paid: bool,
    pub(super) under_review: bool,
    /// The ledger has no sale of it.
    pub(super) tells_no_fee: bool,
    /// The IOSS number that goes with the tax.
    pub(super) tax_reference: Option<String>,
    pub(super) refunds: Vec<Refund>,
}

impl Channel for State {
    fn act(&mut self, order_id: &str, action: &OrderAction) -> Result<String, ControlError> {
        if !self.orders.contains_key(order_id) {
            return Err(ControlError::unknown("order", order_id));
        }
        match action {
            OrderAction::ShipByHand { line, units } => {
                self.ship_by_hand(order_id, *line, *units)?
            }
            OrderAction::Refund { of, ends } => self.refund(order_id, *of, *ends)?,
            OrderAction::CancelLine { line, by } => self.cancel_line(order_id, *line, *by)?,
            OrderAction::CancelOrder { by } => self.cancel_whole(order_id, *by)?,
            OrderAction::ChangeAddress { buyer } => self.change_address(order_id, buyer)?,
            OrderAction::ChangeId => {
                return Err(no_such_thing(
                    "An order at Amazon has one id from its first moment, paid or not.",
                ));
            }
            OrderAction::MergeInto { .. } => {
                return Err(no_such_thing("Amazon never makes one order of two."));
            }
            OrderAction::NeverPaid => self.unpay(order_id, true)?,
            OrderAction::Review => self.unpay(order_id, false)?,
            OrderAction::CollectTax {
                cents_a_line,
                reference,
            } => self.collect_tax(order_id, *cents_a_line, reference.as_deref())?,
            OrderAction::ReportFee { how } => self.report_fee(order_id, *how)?,
            OrderAction::FulfilByChannel => self.fulfil_by_amazon(order_id)?,
            OrderAction::Hide { what } => self.happened(order_id, |now| now.hidden.push(*what))?,
            OrderAction::Vanish => self.happened(order_id, |now| now.is_gone = true)?,
            OrderAction::Spoil { what } => {
                self.happened(order_id, |now| now.spoiled.push(*what))?;
            }
        }
        Ok(order_id.to_owned())
    }

    fn list_habits(&mut self) -> &mut ListHabits {
        &mut self.lists
    }
}

impl State {
    /// Changes what is no change of the order itself: the time of its last change stays.
    fn happened(
        &mut self,
        order_id: &str,
        change: impl FnOnce(&mut Happened),
    ) -> Result<(), ControlError> {
        let order = self.orders.get_mut(order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        change(&mut order.happened);
        Ok(())
    }

    /// Changes an order, unless that is refused, and the time of its last change with it.
    fn change(
        &mut self,
        order_id: &str,
        change: impl FnOnce(&mut Order) -> Result<(), ControlError>,
    ) -> Result<(), ControlError> {
        let now = self.now;
        let order = self.orders.get_mut(order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        change(order)?;
        order.updated_at = now;
        Ok(())
    }

    fn ship_by_hand(
        &mut self,
        order_id: &str,
        place: usize,
        units: u32,
    ) -> Result<(), ControlError> {
        let (reference, number) = (self.random.digits(10), self.random.digits(18));
        let now = self.now;
        self.change(order_id, |order| {
            match order.status() {
                AmazonStatus::Pending => return Err(conflict("the order is not paid")),
                AmazonStatus::Cancelled => return Err(conflict("the order is cancelled")),
                _ if order.by_amazon => return Err(conflict("Amazon ships the order")),
                _ => {}
            }
            let line = line_of(&order.lines, place)?;
            let left = order.left(line);
            if !(1..=left).contains(&units) {
                return Err(conflict(&format!("{left} units are left of the line")));
            }
            let package = AmazonPackageView {
                reference,
                carrier_code: "USPS".to_owned(),
                carrier_name: None,
                tracking_number: format!("9400{number}"),
                shipped_at: now,
                lines: vec![(line.order_item_id.clone(), units)],
                edits: 0,
                confirmed_at: now,
                by_hand: true,
            };
            order.packages.push(package);
            Ok(())
        })?;
        self.announce(order_id, "OrderStatusChange");
        Ok(())
    }

    fn cancel_line(&mut self, order_id: &str, place: usize, by: Party) -> Result<(), ControlError> {
        self.change(order_id, |order| {
            match order.status() {
                AmazonStatus::Cancelled => return Err(conflict("the order is cancelled")),
                AmazonStatus::Pending if by == Party::Seller => return Err(conflict(PENDING)),
                _ => {}
            }
            let line = line_of(&order.lines, place)?;
            if order.shipped(&line.order_item_id, None) > 0 {
                return Err(conflict("units of the line are shipped"));
            }
            if line.kept() == 0 {
                return Err(conflict("the line is cancelled"));
            }
            let line = &mut order.lines[place];
            line.cancelled = line.quantity;
            line.cancelled_by = Some(party_name(by));
            Ok(())
        })?;
        self.announce(order_id, "OrderStatusChange");
        Ok(())
    }

    fn cancel_whole(&mut self, order_id: &str, by: Party) -> Result<(), ControlError> {
        let order = self.orders.get(order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        if !order.packages.is_empty() {
            return Err(conflict("units of the order are shipped"));
        }
        if order.status() == AmazonStatus::Pending && by == Party::Seller {
            return Err(conflict(PENDING));
        }
        self.cancel(order_id, party_name(by)).map_err(conflict)
    }

    fn change_address(&mut self, order_id: &str, buyer: &Buyer) -> Result<(), ControlError> {
        self.change(order_id, |order| {
            let status = order.status();
            if matches!(status, AmazonStatus::Shipped | AmazonStatus::Cancelled) {
                return Err(conflict("the order is over"));
            }
            order.buyer = buyer.clone();
            Ok(())
        })?;
        self.announce(order_id, "BuyerRequestedChange");
        Ok(())
    }

    /// The order is pending, for ever or until it is paid: Amazon tells a payment that is missing and one that it looks
    /// into in the same way.
    fn unpay(&mut self, order_id: &str, for_ever: bool) -> Result<(), ControlError> {
        self.change(order_id, |order| {
            untouched(order)?;
            order.is_paid = false;
            order.happened.never_paid |= for_ever;
            order.happened.under_review = !for_ever;
            Ok(())
        })?;
        self.announce(order_id, "OrderStatusChange");
        Ok(())
    }

    fn collect_tax(
        &mut self,
        order_id: &str,
        cents: i64,
        reference: Option<&str>,
    ) -> Result<(), ControlError> {
        if cents <= 0 {
            let message = "a tax is more than nothing";
            return Err(ControlError::Invalid(message.to_owned()));
        }
        self.change(order_id, |order| {
            for line in &mut order.lines {
                line.tax_cents = cents;
            }
            order.happened.tax_reference = reference.map(str::to_owned);
            Ok(())
        })
    }

    fn report_fee(&mut self, order_id: &str, how: FeeReport) -> Result<(), ControlError> {
        match how {
            FeeReport::OnRequest => self.happened(order_id, |now| now.tells_no_fee = false),
            FeeReport::Never => self.happened(order_id, |now| now.tells_no_fee = true),
            FeeReport::Always => Err(no_such_thing(
                "No order of the Orders API tells a fee; only the ledger does.",
            )),
            FeeReport::OtherCurrency => Err(no_such_thing(
                "Nothing documents a fee in another currency than the marketplace's.",
            )),
        }
    }

    fn fulfil_by_amazon(&mut self, order_id: &str) -> Result<(), ControlError> {
        self.change(order_id, |order| {
            untouched(order)?;
            order.by_amazon = true;
            Ok(())
        })?;
        self.announce(order_id, "OrderStatusChange");
        Ok(())
    }
}

const PENDING: &str = "a seller cannot cancel what is pending";

fn conflict(message: &str) -> ControlError {
    ControlError::Conflict(message.to_owned())
}

/// Whether nothing of an order is shipped and it is not cancelled.
fn untouched(order: &Order) -> Result<(), ControlError> {
    if !order.packages.is_empty() || order.status() == AmazonStatus::Cancelled {
        return Err(conflict("the order is shipped or cancelled"));
    }
    Ok(())
}

fn line_of(lines: &[Line], place: usize) -> Result<&Line, ControlError> {
    lines
        .get(place)
        .ok_or_else(|| ControlError::unknown("line", place))
}

/// `cancelledBy`
fn party_name(party: Party) -> &'static str {
    match party {
        Party::Buyer => "BUYER",
        Party::Seller => "MERCHANT",
        Party::Marketplace => "AMAZON",
    }
}
