//! What follows from a decision, worked out from the order alone.

use super::lines::{cancel_lines, closed_part, lines_again, lines_elsewhere};
use super::{Told, Unfit};
use crate::decide::{bought_too_much, open_units};
use crate::domain::{
    Attention, Cancel, Decision, Event, Money, Order, Phase, Purchase, PurchaseLine, PurchaseState,
    Reason, SupplierOrderId,
};
use crate::flows::plan;
use crate::store::Write;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A lease counts as over only so long after its end: the person's computer is no clock of AWS's.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(60);

/// What is recorded of a decision.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) events: Vec<Event>,
    /// Beside the order itself: units.
    pub(super) writes: Vec<Write>,
}

/// Works out what follows from a decision. Pure.
pub(super) fn steps(order: &Order, told: &Told, now: Timestamp) -> Result<Steps, Unfit> {
    match order.phase {
        Phase::Open => {}
        Phase::Done => return Err(Unfit::Over("done")),
        Phase::Cancelled => return Err(Unfit::Over("cancelled")),
    }
    let decision = &told.decision;
    check_leases(order, now)?;
    check_named(order, decision)?;
    let (mut events, writes) = match decision {
        Decision::Bought {
            purchase,
            supplier_orders,
            corrects,
        } => bought(order, *purchase, supplier_orders, *corrects)?,
        Decision::BoughtElsewhere { not_at_supplier } => {
            bought_elsewhere(order, not_at_supplier, now)?
        }
        Decision::BuyAgain {
            not_at_supplier,
            accepted_loss,
        } => buy_again(order, not_at_supplier, *accepted_loss, now)?,
        Decision::Cancel { not_at_supplier } => cancel(order, not_at_supplier, now)?,
        Decision::ConfirmedByHand => confirmed_by_hand(order)?,
        Decision::Keep { units } => keep(order, *units)?,
        Decision::SendTheRest => send_the_rest(order)?,
        Decision::CancelLines {
            lines,
            not_at_supplier,
        } => cancel_lines(order, lines, not_at_supplier, now)?,
        Decision::LinesElsewhere {
            lines,
            not_at_supplier,
        } => lines_elsewhere(order, lines, not_at_supplier, now)?,
        Decision::LinesAgain {
            lines,
            not_at_supplier,
        } => lines_again(order, lines, not_at_supplier, now)?,
    };
    events.insert(
        0,
        Event::Resolved {
            decision: decision.clone(),
            reason: told.reason.clone(),
            by: told.by.clone(),
        },
    );
    let after = foresee(order, &events, now);
    let ended = |attention: &Attention| is_ended(&attention.reason, decision, &events, &after);
    if after.phase == Phase::Open && after.attention.as_ref().is_some_and(ended) {
        events.push(Event::AttentionCleared);
    }
    Ok(Steps { events, writes })
}

pub(super) type Parts = (Vec<Event>, Vec<Write>);

/// Whoever holds a lease may be calling the supplier at this moment.
fn check_leases(order: &Order, now: Timestamp) -> Result<(), Unfit> {
    for purchase in &order.purchases {
        let PurchaseState::Placing { lease_until, .. } = &purchase.state else {
            continue;
        };
        let until = lease_until
            .checked_add(CLOCKS_DIFFER)
            .unwrap_or(Timestamp::MAX);
        if until > now {
            let purchase = purchase.number;
            return Err(Unfit::Leased { purchase, until });
        }
    }
    Ok(())
}

fn check_named(order: &Order, decision: &Decision) -> Result<(), Unfit> {
    let unknown = |number: &&u8| order.purchase(**number).is_none();
    let mut named = decision.not_at_supplier().iter();
    named
        .find(unknown)
        .map_or(Ok(()), |number| Err(Unfit::NoSuchPurchase(*number)))
}

/// The purchase is at the supplier, under these numbers.
fn bought(
    order: &Order,
    number: u8,
    ids: &[SupplierOrderId],
    corrects: bool,
) -> Result<Parts, Unfit> {
    let purchase = order
        .purchase(number)
        .ok_or(Unfit::NoSuchPurchase(number))?;
    check_numbers(order, number, ids)?;
    let supplier_orders = ids.to_vec();
    let has_number = !purchase.supplier_orders().is_empty();
    let has_parcel = order.parcels.iter().any(|parcel| parcel.purchase == number);
    let placed = Event::Placed {
        purchase: number,
        supplier_orders: supplier_orders.clone(),
    };
    match &purchase.state {
        PurchaseState::Placing { .. } if !corrects => Ok((vec![placed], plan::bought(purchase))),
        // Its units were counted as bought when it became known that it exists.
        PurchaseState::Placed { .. } if !has_number && !corrects => Ok((vec![placed], Vec::new())),
        PurchaseState::Placed { .. } if has_number && corrects && !has_parcel => {
            let corrected = Event::NumbersCorrected {
                purchase: number,
                supplier_orders,
            };
            Ok((vec![corrected], Vec::new()))
        }
        _ if corrects => {
            let problem =
                "only a number under which the supplier has sent nothing yet can be corrected";
            Err(wrong_state(purchase, problem))
        }
        PurchaseState::Placed { .. } => Err(wrong_state(
            purchase,
            "it has a number already; one that is wrong is corrected as such",
        )),
        _ => {
            let problem = "only a purchase that is in doubt, or whose number is unknown, can be given a number";
            Err(wrong_state(purchase, problem))
        }
    }
}

fn check_numbers(order: &Order, number: u8, ids: &[SupplierOrderId]) -> Result<(), Unfit> {
    let is_repeated = |(place, id): (usize, &SupplierOrderId)| ids[..place].contains(id);
    if ids.is_empty() || ids.iter().enumerate().any(is_repeated) {
        return Err(Unfit::Numbers);
    }
    for other in order.purchases.iter().filter(|p| p.number != number) {
        if let Some(id) = ids.iter().find(|id| other.supplier_orders().contains(id)) {
            let owner = format!("purchase {} of this order", other.number);
            let number = id.clone();
            return Err(Unfit::NumberTaken { number, owner });
        }
    }
    Ok(())
}

/// The merchant buys the rest elsewhere. What is at a supplier goes on, unless the person says that it is not there.
fn bought_elsewhere(order: &Order, gone: &[u8], now: Timestamp) -> Result<Parts, Unfit> {
    if order.decided.bought_elsewhere {
        return Err(Unfit::BoughtElsewhere);
    }
    if order.details.cancel == Cancel::Done {
        return Err(Unfit::NotWanted("cancelled"));
    }
    let reason = order.attention.as_ref().map(|attention| &attention.reason);
    for purchase in at_supplier(order) {
        let unknown = purchase.supplier_orders().is_empty();
        let stuck = match reason {
            Some(Reason::PurchaseNumberUnknown) => unknown,
            Some(Reason::PurchaseClosed { .. }) => gone.is_empty(),
            _ => false,
        };
        if stuck && !gone.contains(&purchase.number) {
            return Err(still_there(purchase));
        }
    }
    let (mut parts, mut whole) = (Vec::new(), Vec::new());
    for number in gone {
        match order.purchase(*number).and_then(closed_part) {
            Some(part) => parts.push(part?),
            None => whole.push(*number),
        }
    }
    let (mut events, writes) = give_up(order, &whole, now);
    events.extend(parts);
    let after = foresee(order, &events, now);
    if open_units(&after).is_empty() {
        return Err(Unfit::NothingToBuy);
    }
    Ok((events, writes))
}

/// What the supplier does not have is bought again, and what it refused is asked for again.
fn buy_again(
    order: &Order,
    gone: &[u8],
    accepted_loss: Option<Money>,
    now: Timestamp,
) -> Result<Parts, Unfit> {
    check_still_wanted(order)?;
    let currency = order.details.total.currency;
    if accepted_loss.is_some_and(|loss| loss.currency != currency || loss.minor < 0) {
        return Err(Unfit::Loss(currency));
    }
    for purchase in order.purchases.iter().filter(|p| is_placing(p)) {
        if !gone.contains(&purchase.number) {
            return Err(Unfit::InDoubt(purchase.number));
        }
    }
    let mut events = Vec::new();
    // Named twice is named once.
    for number in &gone.iter().copied().collect::<BTreeSet<u8>>() {
        let purchase = order
            .purchase(*number)
            .ok_or(Unfit::NoSuchPurchase(*number))?;
        let has_parcel = order.parcels.iter().any(|p| p.purchase == *number);
        if let Some(part) = closed_part(purchase) {
            events.push(part?);
            continue;
        }
        events.push(match &purchase.state {
            // The same purchase again, under the same reference: a supplier that has it after all can still tell.
            PurchaseState::Placing { .. } => Event::NotPlaced {
                purchase: *number,
                retry_at: now,
            },
            // Its units come back with the supplier's stock, as they went.
            PurchaseState::Placed { .. } if !has_parcel => {
                Event::PurchaseGivenUp { purchase: *number }
            }
            PurchaseState::Placed { .. }
            | PurchaseState::Shipped { .. }
            | PurchaseState::Delivered { .. } => return Err(Unfit::OnItsWay(*number)),
            _ => {
                return Err(wrong_state(
                    purchase,
                    "there is nothing of it at a supplier",
                ));
            }
        });
    }
    if events.is_empty() {
        check_can_be_tried(order)?;
    }
    Ok((events, Vec::new()))
}

pub(super) fn check_still_wanted(order: &Order) -> Result<(), Unfit> {
    let details = &order.details;
    match details.cancel {
        Cancel::Done => return Err(Unfit::NotWanted("cancelled")),
        Cancel::Requested => return Err(Unfit::NotWanted("asked to be cancelled")),
        Cancel::No => {}
    }
    if details.fulfilled {
        return Err(Unfit::NotWanted("already shipped"));
    }
    if order.decided.bought_elsewhere {
        return Err(Unfit::BoughtElsewhere);
    }
    if order.buyer_erased {
        return Err(Unfit::BuyerErased);
    }
    Ok(())
}

/// Whether the order waits for something that another try could end.
fn check_can_be_tried(order: &Order) -> Result<(), Unfit> {
    let reason = order.attention.as_ref().map(|attention| &attention.reason);
    match reason {
        Some(
            Reason::PurchaseClosed { .. }
            | Reason::PurchaseNumberUnknown
            | Reason::BoughtTooMuch { .. },
        ) => at_supplier(order)
            .next()
            .map_or(Ok(()), |purchase| Err(still_there(purchase))),
        Some(reason) if reason.passes() || waits_for_an_offer(reason) => Ok(()),
        _ => Err(Unfit::NotTheCause(reason.cloned())),
    }
}

/// Whether buying itself met the obstacle, and may not meet it again.
const fn waits_for_an_offer(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::WouldLose { .. }
            | Reason::NoRate
            | Reason::TooLarge
            | Reason::SupplierRefused { .. }
            | Reason::AddressRefused { .. }
            | Reason::BuyerErased
            | Reason::RefundFailed
    )
}

/// The order ends. Nothing of it may be at a supplier, as the person says.
fn cancel(order: &Order, gone: &[u8], now: Timestamp) -> Result<Parts, Unfit> {
    let delivered = |p: &&Purchase| matches!(p.state, PurchaseState::Delivered { .. });
    let arrived = order.purchases.iter().filter(delivered);
    let mut theirs = at_supplier(order).chain(arrived);
    if let Some(purchase) = theirs.find(|purchase| !gone.contains(&purchase.number)) {
        return Err(still_there(purchase));
    }
    let (mut events, writes) = give_up(order, gone, now);
    events.push(Event::Cancelled);
    Ok((events, writes))
}

/// The channel knows of the shipment, told by hand.
fn confirmed_by_hand(order: &Order) -> Result<Parts, Unfit> {
    let reason = order.attention.as_ref().map(|attention| &attention.reason);
    match reason {
        Some(Reason::TrackingRefused { .. }) => Ok((Vec::new(), Vec::new())),
        // Everything has arrived, and the one parcel that Kervan never saw was confirmed.
        Some(Reason::TrackingMissing) => Ok((vec![Event::Finished], Vec::new())),
        _ => Err(Unfit::NotTheCause(reason.cloned())),
    }
}

/// What is bought too much stays with the merchant: the order goes on without it.
fn keep(order: &Order, units: u32) -> Result<Parts, Unfit> {
    let reason = order.attention.as_ref().map(|attention| &attention.reason);
    if !matches!(reason, Some(Reason::BoughtTooMuch { .. })) {
        return Err(Unfit::NotTheCause(reason.cloned()));
    }
    let too_much = bought_too_much(order).map_or(0, |too_much| too_much.units);
    if too_much != units {
        return Err(Unfit::Units(too_much));
    }
    Ok((Vec::new(), Vec::new()))
}

/// What can be had is bought without the rest. The workers find out what that is.
fn send_the_rest(order: &Order) -> Result<Parts, Unfit> {
    check_still_wanted(order)?;
    if order.decided.send_the_rest {
        return Err(Unfit::RestIsSent);
    }
    let lines = order.details.lines.iter();
    let is_parted = lines.filter(|line| order.wanted(line) > 0).count() > 1;
    let reason = order.attention.as_ref().map(|attention| &attention.reason);
    let lacks = |reason: &Reason| {
        let lacks = matches!(
            reason,
            Reason::LinesMissing { .. }
                | Reason::OutOfStock { .. }
                | Reason::SkuNotMapped { .. }
                | Reason::WouldLose { .. }
                | Reason::SupplierRefused { .. }
                | Reason::AddressRefused { .. }
        );
        lacks && is_parted && !open_units(order).is_empty()
    };
    if !reason.is_some_and(lacks) {
        return Err(Unfit::NotTheCause(reason.cloned()));
    }
    Ok((Vec::new(), Vec::new()))
}

/// Gives up what is planned or in doubt, whose units are free again, and what the person says is not at the supplier.
fn give_up(order: &Order, gone: &[u8], now: Timestamp) -> Parts {
    let mut events = Vec::new();
    let mut lines: Vec<&PurchaseLine> = Vec::new();
    for purchase in &order.purchases {
        let number = purchase.number;
        match &purchase.state {
            PurchaseState::Planned { .. } => {
                events.push(Event::PurchaseCancelled { purchase: number });
                lines.extend(&purchase.lines);
            }
            PurchaseState::Placing { .. } => {
                events.push(Event::PurchaseGivenUp { purchase: number });
                lines.extend(&purchase.lines);
            }
            // Its units come back with the supplier's stock, as they went.
            PurchaseState::Placed { .. } | PurchaseState::Shipped { .. }
                if gone.contains(&number) =>
            {
                events.push(Event::PurchaseGivenUp { purchase: number });
            }
            _ => {}
        }
    }
    (events, plan::release(lines, now))
}

/// Whether the decision has ended what the order waits for.
fn is_ended(reason: &Reason, decision: &Decision, events: &[Event], after: &Order) -> bool {
    let buys = matches!(
        decision,
        Decision::BuyAgain { .. }
            | Decision::BoughtElsewhere { .. }
            | Decision::SendTheRest
            | Decision::CancelLines { .. }
            | Decision::LinesElsewhere { .. }
            | Decision::LinesAgain { .. }
    );
    let gave_up = events.iter().any(|event| {
        matches!(
            event,
            Event::PurchaseGivenUp { .. } | Event::PurchasePartGivenUp { .. }
        )
    });
    let has_closed = |p: &&Purchase| !p.is_given_up() && !p.closed.is_empty();
    let no_number = |p: &&Purchase| is_placed(p) && p.supplier_orders().is_empty();
    match reason {
        Reason::PurchaseInDoubt => !after.purchases.iter().any(is_placing),
        Reason::PurchaseNumberUnknown => !after.purchases.iter().any(|p| no_number(&p)),
        Reason::PurchaseClosed { .. } => gave_up && !after.purchases.iter().any(|p| has_closed(&p)),
        Reason::PurchaseUnpaid => gave_up,
        Reason::TrackingMissing | Reason::TrackingRefused { .. } => {
            matches!(decision, Decision::ConfirmedByHand)
        }
        Reason::CancelledAfterPurchase => false,
        Reason::BoughtTooMuch { .. } => {
            bought_too_much(after).is_none_or(|too_much| too_much.units <= after.decided.kept_units)
        }
        reason if waits_for_an_offer(reason) => buys,
        _ => buys || matches!(decision, Decision::Bought { .. }),
    }
}

/// The order as it would be. An event that does not fit is left out here; recording it is refused as a misfit.
pub(super) fn foresee(order: &Order, events: &[Event], now: Timestamp) -> Order {
    let mut after = order.clone();
    for event in events {
        let _ = after.apply(now, event);
    }
    after
}

pub(super) fn is_placing(purchase: &Purchase) -> bool {
    matches!(purchase.state, PurchaseState::Placing { .. })
}

const fn is_placed(purchase: &Purchase) -> bool {
    matches!(purchase.state, PurchaseState::Placed { .. })
}

/// Purchases that a supplier has and that have not arrived.
fn at_supplier(order: &Order) -> impl Iterator<Item = &Purchase> {
    let there = |p: &&Purchase| {
        matches!(
            p.state,
            PurchaseState::Placed { .. } | PurchaseState::Shipped { .. }
        )
    };
    order.purchases.iter().filter(there)
}

fn still_there(purchase: &Purchase) -> Unfit {
    Unfit::AtSupplier {
        purchase: purchase.number,
        supplier: purchase.lines[0].offer.supplier.clone(),
        supplier_orders: purchase.supplier_orders().to_vec(),
    }
}

pub(super) fn wrong_state(purchase: &Purchase, problem: &'static str) -> Unfit {
    let state = match &purchase.state {
        PurchaseState::Planned { .. } => "planned",
        PurchaseState::Placing { .. } => "being placed",
        PurchaseState::Placed { .. } => "placed",
        PurchaseState::Shipped { .. } => "shipped",
        PurchaseState::Delivered { .. } => "delivered",
        PurchaseState::Refused { .. } => "refused",
        PurchaseState::Cancelled => "given up",
    };
    Unfit::WrongState {
        purchase: purchase.number,
        state,
        problem,
    }
}
