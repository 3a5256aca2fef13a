//! What happens to a customer's order at the shop without a call: the seller's own hand, the buyer, AliExpress.

use jiff::Timestamp;

use super::SaleRefundState;
use super::SaleStatus;
use super::ShipmentView;
use super::sale::End;
use super::sale::Order;
use super::sale::Refund;
use crate::actions::Channel;
use crate::actions::FeeReport;
use crate::actions::Hidden;
use crate::actions::ListHabits;
use crate::actions::OrderAction;
use crate::actions::Party;
use crate::actions::RefundEnd;
use crate::actions::RefundOf;
use crate::actions::no_such_thing;
use crate::aliexpress::state::State;
use crate::buyer::Buyer;
use crate::clock::later_ms;
use crate::error::ControlError;

impl Channel for State {
    fn act(&mut self, order_id: &str, action: &OrderAction) -> Result<String, ControlError> {
        let unknown = || ControlError::unknown("sale", order_id);
        let id: u64 = order_id.parse().map_err(|_| unknown())?;
        if !self.seller.orders.contains_key(&id) {
            return Err(unknown());
        }
        match action {
            OrderAction::ShipByHand { line, units } => {
                let number = format!("LP{}", self.random.digits(14));
                self.change(id, |order, now| {
                    ship_by_hand(order, *line, *units, number, now)
                })?;
            }
            OrderAction::Refund { of, ends } => self.refund(id, *of, *ends)?,
            OrderAction::CancelLine { line, by } => {
                self.change(id, |order, now| cancel_line(order, *line, *by, now))?;
            }
            OrderAction::CancelOrder { by } => {
                self.change(id, |order, now| cancel(order, *by, now))?;
            }
            OrderAction::ChangeAddress { buyer } => {
                self.change(id, |order, _| move_to(order, buyer))?;
            }
            OrderAction::NeverPaid => self.change(id, |order, _| leave_unpaid(order))?,
            OrderAction::Review => self.change(id, |order, _| review(order))?,
            quiet => self.mark(id, quiet)?,
        }
        Ok(order_id.to_owned())
    }

    fn list_habits(&mut self) -> &mut ListHabits {
        &mut self.seller.lists
    }
}

impl State {
    /// A change that the order's time of modification shows.
    fn change(
        &mut self,
        id: u64,
        change: impl FnOnce(&mut Order, Timestamp) -> Result<(), ControlError>,
    ) -> Result<(), ControlError> {
        let now = self.now;
        if let Some(order) = self.seller.orders.get_mut(&id) {
            change(order, now)?;
            order.modified_at = now;
        }
        Ok(())
    }

    /// What changes how an order is shown, and leaves its time of modification alone.
    fn mark(&mut self, id: u64, action: &OrderAction) -> Result<(), ControlError> {
        let Some(order) = self.seller.orders.get_mut(&id) else {
            return Ok(());
        };
        match action {
            OrderAction::Hide { what } => order.hidden = Some(*what),
            OrderAction::Vanish => order.vanished = true,
            OrderAction::Spoil { what } => order.spoiled.push(*what),
            OrderAction::FulfilByChannel => order.by_warehouse = true,
            OrderAction::ReportFee { how } => order.fee = told(*how)?,
            OrderAction::ChangeId => {
                return Err(no_such_thing("an order of AliExpress keeps its id"));
            }
            OrderAction::MergeInto { .. } => {
                return Err(no_such_thing(
                    "AliExpress merges no orders: children stay in the order they were bought in",
                ));
            }
            OrderAction::CollectTax { .. } => {
                return Err(no_such_thing(
                    "no field of the shop's order calls tells a tax, nor a number of AliExpress's own such as its IOSS",
                ));
            }
            _ => {}
        }
        Ok(())
    }

    fn refund(&mut self, id: u64, of: RefundOf, ends: RefundEnd) -> Result<(), ControlError> {
        let due = later_ms(self.now, self.config.settings.refund_takes_ms);
        let mut made = Vec::new();
        self.change(id, |order, now| {
            made = pay_back(order, of, ends, now)?;
            Ok(())
        })?;
        if ends != RefundEnd::Paid {
            let due = made.into_iter().map(|(line, place)| (due, id, line, place));
            self.seller.refunds_due.extend(due);
        }
        Ok(())
    }

    /// Lets the refunds end that are due by now.
    pub(in crate::aliexpress) fn end_refunds(&mut self) {
        while let Some(due) = self.seller.refunds_due.first().copied() {
            let (at, id, line, place) = due;
            if at > self.now {
                return;
            }
            self.seller.refunds_due.remove(&due);
            let order = self.seller.orders.get_mut(&id);
            let Some(order) = order else { continue };
            let found = order.lines.get_mut(line);
            if let Some(refund) = found.and_then(|line| line.refunds.get_mut(place)) {
                refund.state = refund.ends;
                refund.at = at;
                let end = end_of(refund.disputed);
                order.modified_at = at;
                order.settle(end);
            }
        }
    }

    /// After a page of a list that is not the last: the order on it that has stood longest changes, a second after the
    /// span that was asked for, if that ends about now.
    pub(super) fn move_while_paged(&mut self, shown: &[u64], until: Option<Timestamp>) {
        let now = self.now;
        let orders = &self.seller.orders;
        let oldest = shown
            .iter()
            .filter_map(|id| Some((orders.get(id)?.modified_at, *id)))
            .min();
        let soon = |until: &Timestamp| *until < later_ms(now, 60_000);
        let after = until.filter(soon).map(|until| later_ms(until, 1_000));
        if let Some(order) = oldest.and_then(|(_, id)| self.seller.orders.get_mut(&id)) {
            order.modified_at = after.map_or(now, |after| after.max(now));
        }
    }
}

fn conflict(order: &Order) -> ControlError {
    ControlError::Conflict(format!("the order is {:?}", order.status))
}

fn no_line(line: usize) -> ControlError {
    ControlError::unknown("line", line)
}

fn ship_by_hand(
    order: &mut Order,
    line: usize,
    units: u32,
    logistics_no: String,
    now: Timestamp,
) -> Result<(), ControlError> {
    let sendable = matches!(
        order.status,
        SaleStatus::WaitSellerSendGoods | SaleStatus::SellerPartSendGoods | SaleStatus::InCancel
    );
    if !sendable {
        return Err(conflict(order));
    }
    let found = order.lines.get_mut(line).ok_or_else(|| no_line(line))?;
    let left = found.quantity - found.by_hand;
    if found.is_over() || units == 0 || units > left {
        let message = format!("the line has {left} units to send, not {units}");
        return Err(ControlError::Conflict(message));
    }
    found.by_hand += units;
    order.shipments.push(ShipmentView {
        logistics_no,
        service_name: "CAINIAO_STANDARD".to_owned(),
        send_type: "part".to_owned(),
        by_hand: true,
        at: now,
    });
    order.settle(End::Dispute);
    if let (true, Some(last)) = (order.all_sent, order.shipments.last_mut()) {
        last.send_type = "all".to_owned();
    }
    Ok(())
}

fn end_of(disputed: bool) -> End {
    if disputed { End::Dispute } else { End::Buyer }
}

/// Which refunds were made: the places of their lines, and theirs in those.
fn pay_back(
    order: &mut Order,
    of: RefundOf,
    ends: RefundEnd,
    now: Timestamp,
) -> Result<Vec<(usize, usize)>, ControlError> {
    if matches!(
        order.status,
        SaleStatus::PlaceOrderSuccess | SaleStatus::RiskControl
    ) {
        return Err(conflict(order));
    }
    let (lines, part) = match of {
        RefundOf::Line { line } => (line..line + 1, None),
        RefundOf::Part { line, cents } => (line..line + 1, Some(cents)),
        RefundOf::Order => (0..order.lines.len(), None),
    };
    let disputed = order.has_left();
    let mut made = Vec::new();
    for place in lines {
        let line = order.lines.get_mut(place).ok_or_else(|| no_line(place))?;
        let left = line.left_cents();
        let cents = part.unwrap_or(left);
        // Of an order the lines that have nothing left are passed over.
        if left == 0 && of == RefundOf::Order {
            continue;
        }
        if cents <= 0 || cents > left {
            let message = format!("{left} cents of the line can be paid back, not {cents}");
            return Err(ControlError::Conflict(message));
        }
        made.push((place, line.refunds.len()));
        line.refunds.push(Refund {
            cents,
            whole: part.is_none(),
            disputed,
            state: match ends {
                RefundEnd::Paid => SaleRefundState::RefundOk,
                RefundEnd::Pending | RefundEnd::FailsLater => SaleRefundState::WaitRefund,
            },
            ends: match ends {
                RefundEnd::FailsLater => SaleRefundState::RefundCancel,
                RefundEnd::Paid | RefundEnd::Pending => SaleRefundState::RefundOk,
            },
            at: now,
        });
    }
    if made.is_empty() {
        let message = "everything is paid back already";
        return Err(ControlError::Conflict(message.to_owned()));
    }
    order.settle(end_of(disputed));
    Ok(made)
}

/// Why an order ends that somebody cancels as it stands.
fn end_by(order: &Order, by: Party) -> Result<End, ControlError> {
    if order.has_left() {
        let message = "what was sent is not cancelled any more: the buyer disputes it";
        return Err(ControlError::Conflict(message.to_owned()));
    }
    match (by, order.status) {
        (_, SaleStatus::WaitBuyerAcceptGoods | SaleStatus::Finish) => Err(conflict(order)),
        (Party::Buyer, SaleStatus::PlaceOrderSuccess) => Ok(End::BuyerDidNotPay),
        (Party::Buyer, SaleStatus::RiskControl) => Ok(End::BuyerDuringReview),
        (Party::Buyer, _) => Ok(End::Buyer),
        (Party::Seller, SaleStatus::PlaceOrderSuccess | SaleStatus::RiskControl) => Err(
            no_such_thing("a seller ends no order that is not paid: its time to pay runs out"),
        ),
        (Party::Seller, _) => Ok(End::SellerDidNotSend),
        (Party::Marketplace, SaleStatus::RiskControl) => Ok(End::Review),
        (Party::Marketplace, _) => Ok(End::Security),
    }
}

/// Cancels an order. A seller has no page for it; what he does not send in time ends by itself.
fn cancel(order: &mut Order, by: Party, now: Timestamp) -> Result<(), ControlError> {
    let end = end_by(order, by)?;
    for place in 0..order.lines.len() {
        drop_line(order, place, now);
    }
    order.settle(end);
    Ok(())
}

fn cancel_line(
    order: &mut Order,
    line: usize,
    by: Party,
    now: Timestamp,
) -> Result<(), ControlError> {
    match by {
        Party::Buyer => {}
        Party::Seller => {
            return Err(no_such_thing(
                "a seller cancels no child order: the buyer asks for it, or the whole order's time to send runs out",
            ));
        }
        Party::Marketplace => {
            return Err(no_such_thing(
                "AliExpress closes whole orders: no page knows a child order that it closed",
            ));
        }
    }
    let found = order.lines.get(line).ok_or_else(|| no_line(line))?;
    let ended =
        order.status == SaleStatus::Finish || order.status == SaleStatus::WaitBuyerAcceptGoods;
    if ended || found.is_over() || found.by_hand > 0 || order.shipments.iter().any(|s| !s.by_hand) {
        return Err(ControlError::Conflict(
            "the line is over, or some of it may be sent".to_owned(),
        ));
    }
    let end = match order.status {
        SaleStatus::PlaceOrderSuccess => End::BuyerDidNotPay,
        SaleStatus::RiskControl => End::BuyerDuringReview,
        _ => End::Buyer,
    };
    drop_line(order, line, now);
    order.settle(end);
    Ok(())
}

/// Cancels a line; what was paid for it goes back.
fn drop_line(order: &mut Order, line: usize, now: Timestamp) {
    let paid = !matches!(
        order.status,
        SaleStatus::PlaceOrderSuccess | SaleStatus::RiskControl
    );
    let Some(line) = order.lines.get_mut(line).filter(|line| !line.is_over()) else {
        return;
    };
    line.cancelled = true;
    let cents = line.left_cents();
    if paid && cents > 0 {
        line.refunds.push(Refund {
            cents,
            whole: true,
            disputed: false,
            state: SaleRefundState::RefundOk,
            ends: SaleRefundState::RefundOk,
            at: now,
        });
    }
}

fn move_to(order: &mut Order, buyer: &Buyer) -> Result<(), ControlError> {
    if order.has_left() || order.status == SaleStatus::Finish {
        return Err(conflict(order));
    }
    order.buyer = buyer.clone();
    Ok(())
}

/// For an order to which nothing has happened yet: it reads as one that was never paid.
fn leave_unpaid(order: &mut Order) -> Result<(), ControlError> {
    if !is_fresh(order) {
        return Err(conflict(order));
    }
    order.status = SaleStatus::PlaceOrderSuccess;
    order.never_paid = true;
    Ok(())
}

/// Risk control holds an order back, usually for a day; nothing of it can be sent meanwhile.
fn review(order: &mut Order) -> Result<(), ControlError> {
    if !is_fresh(order) || order.never_paid {
        return Err(conflict(order));
    }
    order.status = SaleStatus::RiskControl;
    Ok(())
}

fn is_fresh(order: &Order) -> bool {
    let waits = matches!(
        order.status,
        SaleStatus::PlaceOrderSuccess | SaleStatus::RiskControl | SaleStatus::WaitSellerSendGoods
    );
    let touched = |line: &super::sale::Line| line.cancelled || !line.refunds.is_empty();
    waits && !order.has_left() && !order.lines.iter().any(touched)
}

fn told(how: FeeReport) -> Result<FeeReport, ControlError> {
    match how {
        FeeReport::Always | FeeReport::Never => Ok(how),
        FeeReport::OnRequest => Err(no_such_thing(
            "no parameter asks for the fee: its rate is in a read of the order or it is not",
        )),
        FeeReport::OtherCurrency => Err(no_such_thing(
            "the fee is told as a rate, which has no currency; the amount beside it is deprecated",
        )),
    }
}

/// A text with its end hidden: so many letters from the start stay, as in recorded answers.
pub(super) fn masked(text: &str, kept: usize) -> String {
    text.chars()
        .enumerate()
        .map(|(place, letter)| if place < kept { letter } else { '*' })
        .collect()
}

/// Whether reads of the order leave out where it goes.
pub(super) fn hides_address(order: &Order) -> bool {
    matches!(order.hidden, Some(Hidden::Address | Hidden::Buyer))
}
