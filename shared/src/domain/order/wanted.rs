//! What of an order is still to be sent, and by whom.

use super::{Money, Order, OrderLine, Parcel, ParcelState};

impl Order {
    /// Whether somebody else has sent it: the channel counts it as shipped, and not by the parcels that it was told of.
    /// Where it was told of all units, the parts of a bundle that its parcels do not stand for may still be missing.
    pub fn is_shipped_by_hand(&self) -> bool {
        let is_told = |line: &OrderLine| {
            self.told_units(line) >= line.quantity.saturating_sub(line.cancelled)
        };
        self.details.fulfilled && !self.details.lines.iter().all(is_told)
    }

    /// Units of a line that the channel was told of with parcels of ours, or that a person told it of where it refused one.
    fn told_units(&self, line: &OrderLine) -> u32 {
        let told = |parcel: &&Parcel| {
            matches!(
                parcel.state,
                ParcelState::Confirming { .. }
                    | ParcelState::Confirmed { .. }
                    | ParcelState::Refused
            )
        };
        let lines = self.parcels.iter().filter(told).flat_map(|it| &it.lines);
        let units = lines.filter(|told| told.line == line.id);
        units.map(|told| told.quantity).fold(0, u32::saturating_add)
    }

    /// Units of a line that somebody else has shipped.
    pub fn shipped_by_hand(&self, line: &OrderLine) -> u32 {
        let shipped = if self.details.fulfilled {
            line.quantity.saturating_sub(line.cancelled)
        } else {
            line.shipped
        };
        shipped.saturating_sub(self.told_units(line))
    }

    /// Units of a line that the channel still has to be told of, before it refuses more.
    pub fn left_to_tell(&self, line: &OrderLine) -> u32 {
        let gone = line.cancelled.saturating_add(self.shipped_by_hand(line));
        let left = line.quantity.saturating_sub(gone);
        left.saturating_sub(self.told_units(line))
    }

    /// Units of a line that Kervan has to send in all: what was ordered, less what was cancelled, paid back, or shipped by
    /// somebody else. What the channel was told of is sent, whatever happens to it afterwards.
    pub fn wanted(&self, line: &OrderLine) -> u32 {
        let gone = line
            .cancelled
            .saturating_add(line.refunded)
            .saturating_add(line.refunding)
            .saturating_add(self.shipped_by_hand(line));
        let told = self.told_units(line).min(line.quantity);
        if self.is_paid_back() {
            return told;
        }
        line.quantity.saturating_sub(gone).max(told)
    }

    /// What is left of the total once everything is paid back that was given back, by the channel's word or by ours: a refund
    /// that we have begun counts before the channel shows it.
    pub fn revenue(&self) -> Money {
        let total = self.details.total;
        let minor = total.minor.saturating_sub(self.paid_back_minor());
        Money { minor, ..total }
    }

    /// Whether nothing of the total is left, or will be once a refund that is under way has come through.
    pub fn is_paid_back(&self) -> bool {
        let total = self.details.total.minor;
        total > 0 && self.paid_back_minor() >= total
    }

    fn paid_back_minor(&self) -> i64 {
        let ours = self.refunds.iter().filter(|refund| refund.counts());
        let ours = ours.map(|refund| refund.amount.minor);
        let ours = ours.fold(0, i64::saturating_add);
        self.details.refunded_minor.max(ours)
    }
}
