//! A supplier that has made several orders of one purchase, and closes one of them.

use crate::domain::{ClosedOrder, Event, PartLine, Purchase};
use crate::marketplaces::{ParcelContent, SupplierOrder, SupplierState};

/// Orders of a purchase that the supplier has closed and that are not known to be; pure. A purchase that is one order is
/// closed whole, which needs no word of its own.
pub(super) fn closed_orders(purchase: &Purchase, answers: &[SupplierOrder]) -> Vec<Event> {
    let ids = purchase.supplier_orders();
    if ids.len() < 2 {
        return Vec::new();
    }
    let closed = ids.iter().zip(answers).filter(|(id, answer)| {
        let is_it = |known: &ClosedOrder| known.supplier_order == **id;
        matches!(answer.state, SupplierState::Closed { .. }) && !purchase.closed.iter().any(is_it)
    });
    let event = closed.map(|(id, answer)| Event::SupplierOrderClosed {
        purchase: purchase.number,
        supplier_order: id.clone(),
        lines: lines_of(purchase, &answer.contents),
    });
    event.collect()
}

/// The lines of a purchase that a supplier's order holds; none where it does not say, or speaks of something else.
fn lines_of(purchase: &Purchase, contents: &[ParcelContent]) -> Vec<PartLine> {
    let mut left: Vec<u32> = purchase.lines.iter().map(|line| line.quantity).collect();
    // What is known to be in another closed order is not in this one.
    for known in purchase.closed.iter().flat_map(|closed| &closed.lines) {
        let mut units = known.quantity;
        for (line, left) in purchase.lines.iter().zip(&mut left) {
            if line.line == known.line && line.sku == known.sku {
                let taken = units.min(*left);
                *left -= taken;
                units -= taken;
            }
        }
    }
    let mut parts: Vec<PartLine> = Vec::new();
    for content in contents {
        let mut units = content.quantity;
        for (line, left) in purchase.lines.iter().zip(&mut left) {
            let variant = content.variant.as_ref();
            let is_meant = line.offer.product == content.product
                && variant.is_none_or(|variant| *variant == line.offer.variant);
            let taken = if is_meant { units.min(*left) } else { 0 };
            if taken == 0 {
                continue;
            }
            *left -= taken;
            units -= taken;
            let is_same = |part: &&mut PartLine| part.line == line.line && part.sku == line.sku;
            match parts.iter_mut().find(is_same) {
                Some(part) => part.quantity += taken,
                None => parts.push(PartLine {
                    line: line.line.clone(),
                    sku: line.sku.clone(),
                    quantity: taken,
                }),
            }
        }
        if units > 0 {
            return Vec::new();
        }
    }
    parts
}

#[cfg(test)]
mod tests;
