//! What of an order is still to be sent, and by whom.

use super::{Money, Order, OrderLine, Parcel, ParcelState};

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

    /// Units of a line that are still wanted: what was ordered, less what was cancelled, paid back whole, is about to be, or was
    /// shipped by somebody else.
    pub fn wanted(&self, line: &OrderLine) -> u32 {
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
        lines
            .iter()
            .any(|line| line.refunding > 0 && self.told_units(line) < line.quantity)
    }

    /// What is left of the total after what was given back, by the channel's word or by ours: a refund that we have begun
    /// counts before the channel shows it.
    pub fn revenue(&self) -> Money {
        let ours = self.refunds.iter().filter(|refund| refund.counts());
        let ours = ours.map(|refund| refund.amount.minor);
        let ours = ours.fold(0, i64::saturating_add);
        let total = self.details.total;
        let minor = total
            .minor
            .saturating_sub(self.details.refunded_minor.max(ours));
        Money { minor, ..total }
    }
}
