//! What of an order is still to be sent, and by whom.

use super::{Money, Order, OrderLine, OrderRefund, OrderRefundState, Parcel, ParcelState};

impl Order {
    /// Whether somebody else has sent it: the channel counts it as shipped, and not by the parcels that it was told of.
    /// Where it was told of all units, the parts of a bundle that its parcels do not stand for may still be missing.
    pub fn is_shipped_by_hand(&self) -> bool {
        let is_ours = |line: &OrderLine| {
            let told = self.told_units(line);
            told >= line.quantity.saturating_sub(line.cancelled) || (line.shipped_whole && told > 0)
        };
        self.details.fulfilled && !self.details.lines.iter().all(is_ours)
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

    /// Units of a line that somebody else has shipped. A channel that knows no units counts the line as shipped with the
    /// first parcel of ours, which says nothing of anybody else.
    pub fn shipped_by_hand(&self, line: &OrderLine) -> u32 {
        let known = self.shipped_by_others.get(&line.id).copied();
        self.shipped_by_hand_now(line).max(known.unwrap_or(0))
    }

    /// Keeps what the channel's answer shows beyond our own parcels.
    pub(super) fn note_shipped_by_others(&mut self) {
        let lines = self.details.lines.iter();
        let counted = lines.filter(|line| !line.shipped_whole);
        let seen: Vec<_> = counted
            .map(|line| {
                (
                    line.id.clone(),
                    line.shipped.saturating_sub(self.told_units(line)),
                )
            })
            .filter(|(_, units)| *units > 0)
            .collect();
        for (line, units) in seen {
            let most = self.shipped_by_others.entry(line).or_default();
            *most = units.max(*most);
        }
    }

    fn shipped_by_hand_now(&self, line: &OrderLine) -> u32 {
        let shipped = if self.details.fulfilled {
            line.quantity.saturating_sub(line.cancelled)
        } else {
            line.shipped
        };
        let told = self.told_units(line);
        if line.shipped_whole && told > 0 {
            return 0;
        }
        shipped.saturating_sub(told)
    }

    /// Units of a line that the channel still has to be told of, before it refuses more.
    pub fn left_to_tell(&self, line: &OrderLine) -> u32 {
        let gone = line.cancelled.saturating_add(self.shipped_by_hand(line));
        let left = line.quantity.saturating_sub(gone);
        left.saturating_sub(self.told_units(line))
    }

    /// Units of a line that Kervan still has to send: none of a line that a person has given up or is paying back through
    /// Kervan, else those that the channel wants.
    pub fn wanted(&self, line: &OrderLine) -> u32 {
        let is_given_up = self.decided.lines.contains_key(&line.id) || self.pays_back(line);
        if is_given_up {
            return 0;
        }
        self.wanted_by_channel(line)
    }

    /// Whether a refund through Kervan is of this line, and was made or may have been.
    pub fn pays_back(&self, line: &OrderLine) -> bool {
        let mut refunds = self.refunds.iter();
        refunds.any(|refund| refund.counts() && refund.lines.contains(&line.id))
    }

    /// Units of a line that are still to be sent by the channel's word: what was ordered, less what was cancelled, paid back
    /// whole, is about to be, or was shipped by somebody else.
    pub fn wanted_by_channel(&self, line: &OrderLine) -> u32 {
        let gone = line
            .cancelled
            .saturating_add(line.refunded)
            .saturating_add(line.refunding)
            .saturating_add(self.shipped_by_hand(line));
        line.quantity.saturating_sub(gone)
    }

    /// Units of a line that were rightly bought: those that are wanted, and those that the channel was told of, whatever
    /// happened to them afterwards.
    pub fn wanted_or_told(&self, line: &OrderLine) -> u32 {
        let told = self.told_units(line).min(line.quantity);
        self.wanted(line).max(told)
    }

    /// Whether a refund of a line that was not told whole is under way. If it fails, the line is to be sent after all.
    pub fn is_refunding(&self) -> bool {
        let lines = &self.details.lines;
        lines.iter().any(|line| {
            let is_under_way = line.refunding > 0 || self.may_fail_to_pay_back(line);
            is_under_way && self.told_units(line) < line.quantity
        })
    }

    /// Whether a refund of ours of this line can still fail: the channel has not answered, does not show it yet, or is at
    /// work on one of the whole order, which ends as a cancellation there.
    fn may_fail_to_pay_back(&self, line: &OrderLine) -> bool {
        let ours = self.refunded_by_us();
        let is_whole = ours >= self.details.total.minor;
        let is_shown = self.details.refunded_minor >= ours && !is_whole;
        let is_open = |refund: &OrderRefund| match refund.state {
            OrderRefundState::Started { .. } => true,
            OrderRefundState::Issued { .. } => !is_shown,
            OrderRefundState::Failed { .. } => false,
        };
        let mut refunds = self.refunds.iter();
        refunds.any(|refund| refund.lines.contains(&line.id) && is_open(refund))
    }

    /// What is given back through Kervan, or may be, in minor units.
    fn refunded_by_us(&self) -> i64 {
        let ours = self.refunds.iter().filter(|refund| refund.counts());
        let ours = ours.map(|refund| refund.amount.minor);
        ours.fold(0, i64::saturating_add)
    }

    /// What is left of the total after what was given back, by the channel's word or by ours: a refund that we have begun
    /// counts before the channel shows it.
    pub fn revenue(&self) -> Money {
        let ours = self.refunded_by_us();
        let total = self.details.total;
        let minor = total
            .minor
            .saturating_sub(self.details.refunded_minor.max(ours));
        Money { minor, ..total }
    }
}
