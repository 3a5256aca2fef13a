//! What follows from a decision about single lines of an order, and about single orders of a purchase's supplier.

use super::Unfit;
use super::steps::{Parts, check_still_wanted, foresee, is_placing, wrong_state};
use crate::decide::open_units;
use crate::domain::{
    Cancel, ClosedOrder, Event, LineDecision, LineId, Order, PartLine, Purchase, PurchaseLine,
    PurchaseState, Sku, SupplierOrderId,
};
use crate::flows::plan;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// These lines are not sent. What is planned of them is given up by the worker; what is bought of them is too much.
pub(super) fn cancel_lines(
    order: &Order,
    lines: &[LineId],
    gone: &[u8],
    now: Timestamp,
) -> Result<Parts, Unfit> {
    check(order, lines, LineDecision::Cancelled)?;
    parts_gone(order, lines, gone, now)
}

/// The merchant sends these lines. What a supplier has of them, or may have, has to be over first: it would come as well.
pub(super) fn lines_elsewhere(
    order: &Order,
    lines: &[LineId],
    gone: &[u8],
    now: Timestamp,
) -> Result<Parts, Unfit> {
    check(order, lines, LineDecision::Elsewhere)?;
    let (events, writes) = parts_gone(order, lines, gone, now)?;
    let after = foresee(order, &events, now);
    for purchase in after.purchases.iter().filter(|one| one.is_live()) {
        let mut bought = purchase.lines.iter();
        if let Some(bought) = bought.find(|bought| lines.contains(&bought.line)) {
            let line = bought.line.clone();
            let purchase = purchase.number;
            return Err(Unfit::LineBought { line, purchase });
        }
    }
    Ok((events, writes))
}

/// These lines are bought (again): those that were given up before, those that wait, and those that the supplier no longer
/// has of a purchase.
pub(super) fn lines_again(
    order: &Order,
    lines: &[LineId],
    gone: &[u8],
    now: Timestamp,
) -> Result<Parts, Unfit> {
    check_known(order, lines)?;
    check_still_wanted(order)?;
    if let Some(doubtful) = order.purchases.iter().find(|one| is_placing(one)) {
        return Err(Unfit::InDoubt(doubtful.number));
    }
    let (events, writes) = parts_gone(order, lines, gone, now)?;
    let mut after = foresee(order, &events, now);
    after.decided.lines.retain(|line, _| !lines.contains(line));
    let open = open_units(&after);
    for line in &after.details.lines {
        let is_open = open
            .iter()
            .any(|open| after.details.lines[open.place].id == line.id);
        let was_given_up = order.decided.lines.contains_key(&line.id);
        if !lines.contains(&line.id) || is_open || (was_given_up && after.wanted(line) > 0) {
            continue;
        }
        let line_id = line.id.clone();
        let has = |one: &&Purchase| one.lines.iter().any(|bought| bought.line == line.id);
        let mut kept = after.purchases.iter().filter(|one| !one.is_given_up());
        return Err(match kept.find(has).filter(|_| after.wanted(line) > 0) {
            Some(purchase) => Unfit::LineBought {
                line: line_id,
                purchase: purchase.number,
            },
            None => Unfit::LineNotWanted(line_id),
        });
    }
    Ok((events, writes))
}

/// What of a purchase is over at the supplier by the supplier's own word: one of several orders. `None`: it has closed none
/// alone, and the purchase is over as a whole where a person says so.
pub(super) fn closed_part(purchase: &Purchase) -> Option<Result<Event, Unfit>> {
    let closed: Vec<&ClosedOrder> = known_closed(purchase).collect();
    if closed.is_empty() || closed.len() == purchase.supplier_orders().len() {
        return None;
    }
    if closed.iter().any(|closed| closed.lines.is_empty()) {
        let lines: BTreeSet<&LineId> = purchase.lines.iter().map(|line| &line.line).collect();
        return Some(Err(Unfit::NameLines {
            purchase: purchase.number,
            lines: lines.into_iter().cloned().collect(),
        }));
    }
    let lines = closed.iter().flat_map(|closed| &closed.lines).cloned();
    let numbers = closed.iter().map(|closed| closed.supplier_order.clone());
    Some(Ok(given_up(purchase, lines.collect(), numbers.collect())))
}

fn known_closed(purchase: &Purchase) -> impl Iterator<Item = &ClosedOrder> {
    let ids = purchase.supplier_orders();
    let closed = purchase.closed.iter();
    closed.filter(move |closed| ids.contains(&closed.supplier_order))
}

fn check(order: &Order, lines: &[LineId], decision: LineDecision) -> Result<(), Unfit> {
    check_known(order, lines)?;
    if order.details.cancel == Cancel::Done {
        return Err(Unfit::NotWanted("cancelled"));
    }
    let is_known = |line: &&LineId| order.decided.lines.get(line) == Some(&decision);
    match lines.iter().find(is_known) {
        Some(line) => Err(Unfit::LineGivenUp(line.clone())),
        None => Ok(()),
    }
}

fn check_known(order: &Order, lines: &[LineId]) -> Result<(), Unfit> {
    let is_there = |id: &LineId| order.details.lines.iter().any(|line| line.id == *id);
    match lines.iter().find(|line| !is_there(line)) {
        Some(line) => Err(Unfit::NoSuchLine {
            line: line.clone(),
            lines: order
                .details
                .lines
                .iter()
                .map(|line| line.id.clone())
                .collect(),
        }),
        None => Ok(()),
    }
}

/// Gives up what the named purchases have of these lines, and what suppliers themselves have closed of them.
fn parts_gone(
    order: &Order,
    lines: &[LineId],
    gone: &[u8],
    now: Timestamp,
) -> Result<Parts, Unfit> {
    let named: BTreeSet<u8> = gone.iter().copied().collect();
    let mut events = Vec::new();
    let mut freed: Vec<&PurchaseLine> = Vec::new();
    for number in &named {
        let purchase = order.purchase(*number);
        let purchase = purchase.ok_or(Unfit::NoSuchPurchase(*number))?;
        match &purchase.state {
            PurchaseState::Placed { .. } | PurchaseState::Shipped { .. } => {
                events.push(part_gone(order, purchase, lines)?);
            }
            // Nothing of it is there: its other lines are planned anew.
            PurchaseState::Placing { .. } => {
                events.push(Event::PurchaseGivenUp { purchase: *number });
                freed.extend(&purchase.lines);
            }
            _ => {
                let problem = "there is nothing of it at a supplier";
                return Err(wrong_state(purchase, problem));
            }
        }
    }
    let others = order.purchases.iter();
    for purchase in others.filter(|one| !named.contains(&one.number)) {
        let of_lines = |closed: &&ClosedOrder| {
            let mut parts = closed.lines.iter();
            !closed.lines.is_empty() && parts.all(|part| lines.contains(&part.line))
        };
        let closed: Vec<&ClosedOrder> = known_closed(purchase).filter(of_lines).collect();
        if !closed.is_empty() {
            let lines = closed.iter().flat_map(|closed| &closed.lines).cloned();
            let numbers = closed.iter().map(|closed| closed.supplier_order.clone());
            events.push(given_up(purchase, lines.collect(), numbers.collect()));
        }
    }
    Ok((events, plan::release(freed, now)))
}

/// A person says that the supplier does not have these lines of a purchase any more.
fn part_gone(order: &Order, purchase: &Purchase, lines: &[LineId]) -> Result<Event, Unfit> {
    let mine = order.parcels.iter();
    let mut mine = mine.filter(|parcel| parcel.purchase == purchase.number);
    let is_sent = mine.any(|parcel| {
        let told = parcel.lines.iter().map(|line| &line.line);
        let mut packed = told.chain(parcel.parts.iter().map(|part| &part.line));
        packed.any(|line| lines.contains(line))
    });
    if is_sent {
        return Err(Unfit::OnItsWay(purchase.number));
    }
    let named = purchase
        .lines
        .iter()
        .filter(|one| lines.contains(&one.line));
    let parts: Vec<PartLine> = named
        .map(|one| PartLine {
            line: one.line.clone(),
            sku: one.sku.clone(),
            quantity: one.quantity,
        })
        .collect();
    if parts.is_empty() {
        return Err(wrong_state(purchase, "it has none of these lines"));
    }
    let is_over = |closed: &&ClosedOrder| {
        let mut parts = closed.lines.iter();
        parts.all(|part| lines.contains(&part.line))
    };
    let numbers = known_closed(purchase).filter(is_over);
    let numbers = numbers
        .map(|closed| closed.supplier_order.clone())
        .collect();
    Ok(given_up(purchase, parts, numbers))
}

/// The purchase without these units, or given up where nothing is left of it. Its stock comes back as it went, with the
/// supplier's.
fn given_up(purchase: &Purchase, parts: Vec<PartLine>, numbers: Vec<SupplierOrderId>) -> Event {
    let number = purchase.number;
    let mut units: BTreeMap<(LineId, Sku), u32> = BTreeMap::new();
    for part in parts {
        let of_part = units.entry((part.line, part.sku)).or_default();
        *of_part = of_part.saturating_add(part.quantity);
    }
    // What was given up before can be named again with another order of the supplier.
    units.retain(|(line, sku), units| {
        let of_part = |one: &&PurchaseLine| one.line == *line && one.sku == *sku;
        let has = purchase
            .lines
            .iter()
            .filter(of_part)
            .map(|one| one.quantity);
        *units = (*units).min(has.fold(0, u32::saturating_add));
        *units > 0
    });
    let bought = purchase.lines.iter().map(|line| line.quantity);
    let bought = bought.fold(0, u32::saturating_add);
    let over = units.values().copied().fold(0, u32::saturating_add);
    if over >= bought {
        return Event::PurchaseGivenUp { purchase: number };
    }
    // The last number stays, or nobody would ask about what is left.
    let is_last = numbers.len() >= purchase.supplier_orders().len();
    let lines = units.into_iter().map(|((line, sku), quantity)| PartLine {
        line,
        sku,
        quantity,
    });
    Event::PurchasePartGivenUp {
        purchase: number,
        lines: lines.collect(),
        supplier_orders: if is_last { Vec::new() } else { numbers },
    }
}

#[cfg(test)]
mod tests;
