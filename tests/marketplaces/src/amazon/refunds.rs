//! Money that the seller gives back on the pages of Seller Central. The Orders API shows nothing of it; the ledger does,
//! once it is paid (Finances API 2024-06-19).

use jiff::Timestamp;

use super::state::Order;
use super::state::State;
use super::types::AmazonRefundView;
use super::types::AmazonStatus;
use crate::actions::RefundEnd;
use crate::actions::RefundOf;
use crate::actions::no_such_thing;
use crate::clock::later_ms;
use crate::error::ControlError;

/// Money on its way back.
#[derive(Clone)]
pub(super) struct Refund {
    pub(super) refund_id: String,
    pub(super) asked_at: Timestamp,
    pub(super) paid_at: Timestamp,
    /// Places of lines, and cents without tax.
    pub(super) lines: Vec<(usize, i64)>,
}

impl Order {
    /// What of a line's price is paid back by a time, or is to be paid back at all.
    pub(super) fn refunded(&self, place: usize, by: Option<Timestamp>) -> i64 {
        let refunds = self.happened.refunds.iter();
        refunds
            .filter(|refund| by.is_none_or(|by| refund.paid_at <= by))
            .flat_map(|refund| &refund.lines)
            .filter(|(line, _)| *line == place)
            .map(|(_, cents)| cents)
            .sum()
    }

    pub(super) fn refund_views(&self, now: Timestamp) -> Vec<AmazonRefundView> {
        let lines = |refund: &Refund| {
            let with_id = |(place, cents): &(usize, i64)| {
                let line = self.lines.get(*place)?;
                Some((line.order_item_id.clone(), *cents))
            };
            refund.lines.iter().filter_map(with_id).collect()
        };
        let view = |refund: &Refund| AmazonRefundView {
            refund_id: refund.refund_id.clone(),
            asked_at: refund.asked_at,
            paid_at: refund.paid_at,
            is_paid: refund.paid_at <= now,
            lines: lines(refund),
        };
        self.happened.refunds.iter().map(view).collect()
    }

    /// What a refund gives back of each line.
    fn to_refund(&self, of: RefundOf) -> Result<Vec<(usize, i64)>, ControlError> {
        let left = |place: usize| -> Result<i64, ControlError> {
            let line = self.lines.get(place);
            let line = line.ok_or_else(|| ControlError::unknown("line", place))?;
            Ok(line.goods().cents - self.refunded(place, None))
        };
        let mut lines = match of {
            RefundOf::Line { line } => vec![(line, left(line)?)],
            RefundOf::Part { line, cents } => {
                let most = left(line)?;
                if !(1..=most).contains(&cents) {
                    let message = format!("between 1 and {most} cents can be paid back");
                    return Err(ControlError::Conflict(message));
                }
                vec![(line, cents)]
            }
            RefundOf::Order => (0..self.lines.len())
                .map(|place| Ok((place, left(place)?)))
                .collect::<Result<_, ControlError>>()?,
        };
        lines.retain(|(_, cents)| *cents > 0);
        if lines.is_empty() {
            return Err(ControlError::Conflict(
                "nothing is left to be paid back".to_owned(),
            ));
        }
        Ok(lines)
    }
}

impl State {
    pub(super) fn refund(
        &mut self,
        order_id: &str,
        of: RefundOf,
        ends: RefundEnd,
    ) -> Result<(), ControlError> {
        let waits_ms = match ends {
            RefundEnd::Paid => 0,
            RefundEnd::Pending => self.config.settings.refund_waits_ms,
            RefundEnd::FailsLater => {
                return Err(no_such_thing(
                    "Amazon documents no refund that fails once the seller has made it.",
                ));
            }
        };
        let refund_id = self.random.digits(12);
        let now = self.now;
        let order = self.orders.get_mut(order_id);
        let order = order.ok_or_else(|| ControlError::unknown("order", order_id))?;
        if order.packages.is_empty() || order.status() == AmazonStatus::Cancelled {
            return Err(no_such_thing(
                "Amazon charges the buyer when the first parcel is confirmed; before, there is nothing to pay back, and the order or the line is cancelled.",
            ));
        }
        let lines = order.to_refund(of)?;
        // No page says that this changes the order, so the time of its last change stays.
        order.happened.refunds.push(Refund {
            refund_id,
            asked_at: now,
            paid_at: later_ms(now, waits_ms),
            lines,
        });
        Ok(())
    }
}
