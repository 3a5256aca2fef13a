//! I9: no unit is bought that the channel, as it was last read, no longer wants. The last read is the one that stands in the
//! order: whoever has read something newer and ended before writing it can have told nobody. What was wanted then is worked
//! out from what the marketplace itself knew, and not from what Kervan made of its answer.

use super::Monitor;
use kervan::domain::{OrderKey, Sku};
use kervan_marketplaces::AliExpress;
use kervan_marketplaces::ebay::{CancelState, EbayLineView, EbayOrderView, PaymentStatus};

use crate::plain_supplier::Shelf;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Units that a channel still wanted of an order in each of its states that somebody has read, by the time of the state's
/// last change.
pub(super) type Reads = BTreeMap<(OrderKey, Timestamp), u32>;

impl Monitor {
    /// A function has the channel's answer about an order.
    pub(crate) fn order_read(&self, port: Option<u16>, path: &str) {
        let Some(id) = path.strip_prefix("/sell/fulfillment/v1/order/") else {
            return;
        };
        let Some((channel, ebay)) = self.channel_of(port) else {
            return;
        };
        // A read that lags shows an older state than the one that is looked at here.
        if id.contains('/') || ebay.settings().order_lag_ms > 0 {
            return;
        }
        let Some(view) = ebay.order(id) else { return };
        let wanted = self.wanted(&view);
        let key = OrderKey {
            channel: channel.clone(),
            id: match id.to_owned().try_into() {
                Ok(id) => id,
                Err(_) => return,
            },
        };
        let state = (key, view.last_modified_at);
        self.lock().reads.insert(state, wanted);
    }

    /// A supplier is asked for so many units under this reference.
    pub(super) fn only_wanted(&self, reference: &str, units: u32) {
        let order = self.lock().references.get(reference).cloned();
        let Some(order) = order else { return };
        let wanted = {
            let state = self.lock();
            let known = state.mirror.orders.get(&order);
            let read = known.map(|known| (order.clone(), known.details.modified_at));
            read.and_then(|read| state.reads.get(&read).copied())
        };
        let bought = self.bought_beside(&order, reference);
        if let Some(wanted) = wanted
            && bought.saturating_add(units) > wanted
        {
            let what = format!(
                "{units} units are bought for {order} beside {bought}, and {wanted} were wanted when it was last read"
            );
            self.report("I9", what);
        }
    }

    /// Units that live orders at suppliers hold for a customer's order, without those of this reference.
    fn bought_beside(&self, order: &OrderKey, reference: &str) -> u32 {
        let references = self.lock().references.clone();
        let counts = |other: &str| other != reference && references.get(other) == Some(order);
        let at_suppliers = self.suppliers.iter().flat_map(AliExpress::orders);
        let live = at_suppliers.filter(|one| one.end_reason.is_none());
        let theirs = live.filter(|one| one.out_order_id.as_deref().is_some_and(counts));
        let units = theirs.flat_map(|one| one.lines).map(|line| line.quantity);
        let shelved = self.shelf.iter().flat_map(Shelf::units);
        let shelved = shelved.filter(|(other, _)| counts(other));
        units.sum::<u32>() + shelved.map(|(_, units)| units).sum::<u32>()
    }

    /// Units of what an order's lines are made of that the customer still gets, as the marketplace knows it.
    fn wanted(&self, order: &EbayOrderView) -> u32 {
        let is_over =
            order.cancel == CancelState::Canceled || order.payment == PaymentStatus::FullyRefunded;
        if is_over {
            return 0;
        }
        let lines = order.lines.iter();
        lines
            .map(|line| self.part_units(line, still_wanted(line)))
            .sum()
    }

    /// Units of a line in units of what it is made of.
    pub(crate) fn part_units(&self, line: &EbayLineView, units: u32) -> u32 {
        let parts = Sku::parse(&line.sku).map(|sku| self.parts_of(&sku));
        let parts = parts.unwrap_or_default().into_iter();
        units * parts.map(|part| part.units).sum::<u32>()
    }
}

/// Units of a line that were not shipped by hand, where its price was not paid back.
pub(crate) fn still_wanted(line: &EbayLineView) -> u32 {
    if line.refunded_cents >= line.cost.cents {
        return 0;
    }
    line.quantity.saturating_sub(line.shipped_by_hand)
}
