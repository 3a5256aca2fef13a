//! What is in a parcel, in units of what was bought and in units of what was sold.

use crate::domain::{
    LineId, Order, PackedPart, Parcel, ParcelLine, ParcelState, Part, Purchase, PurchaseLine, Sku,
};
use crate::marketplaces::{ParcelContent, SupplierParcel};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A parcel as the order keeps it. Where the supplier does not say what is in it, it is taken to hold what is left of the
/// supplier's order, as far as that is told (`of_order`), or of the purchase.
pub(super) fn new_parcel(
    order: &Order,
    purchase: &Purchase,
    parcel: &SupplierParcel,
    of_order: &[ParcelContent],
    seen: &[Parcel],
    now: Timestamp,
) -> Parcel {
    let (mut lines, mut parts): (Vec<ParcelLine>, Vec<PackedPart>) = (Vec::new(), Vec::new());
    for (bought, quantity) in contents(order, purchase, parcel, of_order, seen) {
        if bundle(order, &bought.line).is_some() {
            parts.push(PackedPart {
                line: bought.line.clone(),
                sku: bought.sku.clone(),
                quantity,
            });
        } else {
            lines.push(ParcelLine {
                line: bought.line.clone(),
                quantity,
            });
        }
    }
    lines.extend(completed(order, &parts, seen));
    // A confirmation without a line would be of the whole order at some channels.
    let state = if lines.is_empty() {
        ParcelState::NotTold
    } else {
        ParcelState::Seen { not_before: now }
    };
    Parcel {
        tracking_number: parcel.tracking_number.clone(),
        carrier: parcel.carrier.clone(),
        purchase: purchase.number,
        lines,
        parts,
        state,
        delivered_at: None,
    }
}

/// The parts of a line that is not told unit by unit: one of its units is more than one unit of what was bought.
fn bundle<'a>(order: &'a Order, line: &LineId) -> Option<&'a [Part]> {
    let parts = order.parts_of(line)?;
    let is_one_for_one = matches!(parts, [only] if only.units == 1);
    (!is_one_for_one).then_some(parts)
}

/// Units of bundles whose leading part is complete with these parts and was not before. Never more than were sold, also
/// where a part was bought a second time because its first parcel was lost.
fn completed(order: &Order, parts: &[PackedPart], seen: &[Parcel]) -> Vec<ParcelLine> {
    let mut completed = Vec::new();
    for line in &order.details.lines {
        let Some([lead, ..]) = bundle(order, &line.id) else {
            continue;
        };
        let leads = |part: &&PackedPart| part.line == line.id && part.sku == lead.sku;
        let units = |parts: &[PackedPart]| -> u32 {
            let units = parts.iter().filter(leads).map(|part| part.quantity);
            units.fold(0, u32::saturating_add)
        };
        let before = seen.iter().map(|parcel| units(&parcel.parts));
        let before = before.fold(0, u32::saturating_add);
        let whole = |lead_units: u32| (lead_units / lead.units.max(1)).min(line.quantity);
        let quantity = whole(before.saturating_add(units(parts))) - whole(before);
        if quantity > 0 {
            completed.push(ParcelLine {
                line: line.id.clone(),
                quantity,
            });
        }
    }
    completed
}

/// What of the purchase's lines is in the parcel.
fn contents<'a>(
    order: &Order,
    purchase: &'a Purchase,
    parcel: &SupplierParcel,
    of_order: &[ParcelContent],
    seen: &[Parcel],
) -> Vec<(&'a PurchaseLine, u32)> {
    let mut sent = sent_units(purchase, seen);
    let mut left: Vec<(&PurchaseLine, u32)> = Vec::new();
    // One line of the order may be bought through two offers: what was sent of it is taken off the first one first.
    for line in &purchase.lines {
        let part = bundle(order, &line.line).map(|_| &line.sku);
        let sent = sent.entry((&line.line, part)).or_default();
        let taken = line.quantity.min(*sent);
        *sent -= taken;
        left.push((line, line.quantity - taken));
    }
    let mut packed = Vec::new();
    for content in &parcel.contents {
        let mut units = content.quantity;
        for (line, rest) in left.iter_mut().filter(|(line, _)| is_meant(content, line)) {
            let taken = units.min(*rest);
            if taken > 0 {
                packed.push((*line, taken));
                *rest -= taken;
                units -= taken;
            }
        }
    }
    if packed.is_empty() {
        let holds = |line: &PurchaseLine| of_order.iter().any(|content| is_meant(content, line));
        let is_told = purchase.lines.iter().any(holds);
        let in_order = |line: &PurchaseLine| !is_told || holds(line);
        packed = left
            .into_iter()
            .filter(|(line, rest)| *rest > 0 && in_order(line))
            .collect();
    }
    packed
}

fn is_meant(content: &ParcelContent, line: &PurchaseLine) -> bool {
    let variant = content.variant.as_ref();
    line.offer.product == content.product
        && variant.is_none_or(|variant| *variant == line.offer.variant)
}

/// Units of the purchase that earlier parcels hold, by line, and for bundles by part.
fn sent_units<'a>(
    purchase: &Purchase,
    seen: &'a [Parcel],
) -> BTreeMap<(&'a LineId, Option<&'a Sku>), u32> {
    let mut sent = BTreeMap::new();
    let of_purchase = |parcel: &&Parcel| parcel.purchase == purchase.number;
    for parcel in seen.iter().filter(of_purchase) {
        for part in &parcel.parts {
            *sent.entry((&part.line, Some(&part.sku))).or_default() += part.quantity;
        }
        // A bundle's own units are counted by its parts.
        let is_bundle = |line: &ParcelLine| parcel.parts.iter().any(|part| part.line == line.line);
        for line in parcel.lines.iter().filter(|line| !is_bundle(line)) {
            *sent.entry((&line.line, None)).or_default() += line.quantity;
        }
    }
    sent
}

#[cfg(test)]
mod tests;
