//! What sellers, buyers and eBay itself do to an order without a call of the API.

use super::state::Line;
use super::state::Order;
use super::state::State;
use super::types::CancelState;
use super::types::FulfillmentView;
use super::types::PaymentStatus;
use super::types::RefundView;
use crate::actions::Channel;
use crate::actions::FeeReport;
use crate::actions::Hidden;
use crate::actions::ListHabits;
use crate::actions::OrderAction;
use crate::actions::Party;
use crate::actions::RefundEnd;
use crate::actions::RefundOf;
use crate::actions::no_such_thing;
use crate::error::ControlError;
use crate::money::Money;

/// What eBay keeps of each hundred.
const FEE_PERCENT: i64 = 13;

impl Channel for State {
    fn act(&mut self, order_id: &str, action: &OrderAction) -> Result<String, ControlError> {
        self.settle_refunds();
        match action {
            OrderAction::ChangeId => return self.change_id(order_id),
            OrderAction::MergeInto { order_id: into } => return self.merge(order_id, into),
            OrderAction::ShipByHand { line, units } => {
                self.ship_by_hand(order_id, *line, *units)?
            }
            OrderAction::Refund { of, ends } => self.refund_by_hand(order_id, *of, *ends)?,
            _ => self.change(order_id, action)?,
        }
        Ok(order_id.to_owned())
    }

    fn list_habits(&mut self) -> &mut ListHabits {
        &mut self.list_habits
    }
}

impl State {
    fn change(&mut self, order_id: &str, action: &OrderAction) -> Result<(), ControlError> {
        let now = self.now;
        let order = self.order_mut(order_id)?;
        match action {
            OrderAction::CancelOrder { by } => {
                order.cancel = CancelState::Canceled;
                order.payment = PaymentStatus::FullyRefunded;
                order.cancelled_by = Some(*by);
                order.cancel_asked_at.get_or_insert(now);
            }
            OrderAction::CancelLine { .. } => {
                let reason = "eBay cancels whole orders only (Post-Order, Create Cancellation)";
                return Err(no_such_thing(reason));
            }
            OrderAction::ChangeAddress { buyer } => order.buyer = (**buyer).clone(),
            OrderAction::Hide {
                what: Hidden::Masked,
            } => {
                let reason = "eBay masks no address: it shows one whole, or none";
                return Err(no_such_thing(reason));
            }
            OrderAction::Hide { what } => order.hidden = Some(*what),
            OrderAction::NeverPaid => order.payment = PaymentStatus::Pending,
            OrderAction::Review => order.is_reviewed = true,
            OrderAction::CollectTax {
                cents_a_line,
                reference,
            } => {
                for line in &mut order.lines {
                    line.tax_cents = *cents_a_line;
                    line.tax_reference.clone_from(reference);
                }
            }
            OrderAction::ReportFee { how } => order.fee_report = *how,
            OrderAction::FulfilByChannel => order.is_fulfilled_by_ebay = true,
            OrderAction::Vanish => order.is_gone = true,
            OrderAction::Spoil { what } => order.spoiled = Some(*what),
            OrderAction::ChangeId
            | OrderAction::MergeInto { .. }
            | OrderAction::ShipByHand { .. }
            | OrderAction::Refund { .. } => {}
        }
        Ok(())
    }

    /// Another parcel, with a tracking number that the seller typed in.
    fn ship_by_hand(
        &mut self,
        order_id: &str,
        line: usize,
        units: u32,
    ) -> Result<(), ControlError> {
        let number = format!("HAND{}", self.random.digits(10));
        let now = self.now;
        let order = self.order_mut(order_id)?;
        let line = line_of(order, line)?;
        if units == 0 || units > line.quantity.saturating_sub(line.shipped) {
            return Err(no_such_thing("the line has fewer units left to be shipped"));
        }
        line.shipped += units;
        line.shipped_by_hand += units;
        let lines = vec![(line.line_item_id.clone(), units)];
        order.fulfillments.push(FulfillmentView {
            fulfillment_id: number.clone(),
            tracking_number: Some(number),
            carrier: Some("USPS".to_owned()),
            shipped_at: now,
            recorded_at: now,
            lines,
            duplicate: false,
        });
        Ok(())
    }

    fn refund_by_hand(
        &mut self,
        order_id: &str,
        of: RefundOf,
        ends: RefundEnd,
    ) -> Result<(), ControlError> {
        let refund_id = format!("5{}", self.random.digits(9));
        let now = self.now;
        let order = self.order_mut(order_id)?;
        let (line, amount) = match of {
            RefundOf::Line { line } => {
                let given = line_of(order, line)?.cost();
                (Some(line), given)
            }
            RefundOf::Part { line, cents } => {
                let currency = line_of(order, line)?.price.currency.clone();
                (Some(line), Money::new(cents, currency))
            }
            RefundOf::Order => (None, order.total()),
        };
        let given: i64 = order.live_refunds().map(|refund| refund.amount.cents).sum();
        if amount.cents <= 0 || given.saturating_add(amount.cents) > order.total().cents {
            return Err(no_such_thing("more than is left of the order"));
        }
        order.refunds.push(RefundView {
            refund_id,
            amount,
            status: "PENDING".to_owned(),
            reason: "OTHER_ADJUSTMENT".to_owned(),
            asked_at: now,
            line,
            by_hand: true,
            fails: ends == RefundEnd::FailsLater,
            settles_at_once: ends == RefundEnd::Paid,
        });
        self.settle_refunds();
        Ok(())
    }

    /// As when an unpaid order is paid: the lines keep their ids, the order does not.
    fn change_id(&mut self, order_id: &str) -> Result<String, ControlError> {
        self.order_mut(order_id)?;
        let digits = self.random.digits(5);
        let Some(mut order) = self.orders.remove(order_id) else {
            return Err(ControlError::unknown("order", order_id));
        };
        let (prefix, _) = order_id.rsplit_once('-').unwrap_or((order_id, ""));
        let id = format!("{prefix}-{digits}");
        order.order_id.clone_from(&id);
        order.before = None;
        self.orders.insert(id.clone(), order);
        Ok(id)
    }

    /// As with a combined invoice: the lines go on in the other order.
    fn merge(&mut self, order_id: &str, into: &str) -> Result<String, ControlError> {
        if order_id == into || !self.orders.contains_key(into) {
            return Err(ControlError::unknown("order", into));
        }
        let Some(merged) = self.orders.remove(order_id) else {
            return Err(ControlError::unknown("order", order_id));
        };
        let order = self.order_mut(into)?;
        order.lines.extend(merged.lines);
        order.fulfillments.extend(merged.fulfillments);
        Ok(into.to_owned())
    }
}

impl Order {
    /// Refunds that were paid or may be.
    pub(super) fn live_refunds(&self) -> impl Iterator<Item = &RefundView> {
        self.refunds
            .iter()
            .filter(|refund| refund.status != "FAILED")
    }

    /// The refunds of one line.
    pub(super) fn refunds_of(&self, line: &Line) -> impl Iterator<Item = &RefundView> {
        let place = self
            .lines
            .iter()
            .position(|one| one.line_item_id == line.line_item_id);
        self.refunds
            .iter()
            .filter(move |refund| place.is_some() && refund.line == place)
    }

    /// Taxes that eBay collects and pays to the state.
    pub(super) fn tax(&self) -> Money {
        let cents = self.lines.iter().map(|line| line.tax_cents).sum();
        Money::new(cents, self.total().currency)
    }

    /// What eBay keeps, whether or not it says so.
    pub(super) fn true_fee(&self) -> Money {
        let total = self.total();
        Money::new(total.cents * FEE_PERCENT / 100, total.currency)
    }

    /// What eBay keeps, where the Fulfillment API says so: nothing has to be asked for there.
    pub(super) fn fee(&self) -> Option<Money> {
        let fee = self.true_fee();
        match self.fee_report {
            FeeReport::Always | FeeReport::OnRequest => Some(fee),
            FeeReport::Never => None,
            FeeReport::OtherCurrency => Some(Money::new(fee.cents, "EUR")),
        }
    }

    /// The same at the Trading API, which tells a fee to nobody who does not ask (KB 1919).
    pub(super) fn fee_by_trading(&self, is_asked_for: bool) -> Option<Money> {
        self.fee().filter(|_| is_asked_for)
    }

    /// Who cancelled, as eBay names them.
    pub(super) fn canceller(&self) -> &'static str {
        match self.cancelled_by {
            Some(Party::Seller) => "SELLER",
            Some(Party::Marketplace) => "SYSTEM",
            Some(Party::Buyer) | None => "BUYER",
        }
    }
}

fn line_of(order: &mut Order, line: usize) -> Result<&mut Line, ControlError> {
    let lines = order.lines.get_mut(line);
    lines.ok_or_else(|| ControlError::unknown("line", line))
}
