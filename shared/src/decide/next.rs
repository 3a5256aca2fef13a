//! The protocol, readable: what is to be done next with an order, and when somebody has to look at it again.

use super::schedule::next_tracking_check;
use crate::domain::{
    Attention, Cancel, LineId, Order, OrderLine, ParcelState, Payment, Phase, Purchase,
    PurchaseState, Reason, Sku, TrackingNumber,
};
use crate::guards::{Guard, stands};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// An order that is not paid, that somebody asks to cancel, or that the merchant fills from elsewhere is looked at again
/// after this time; the channel's push usually comes first.
const HOLD_CHECK: SignedDuration = SignedDuration::from_mins(30);

/// A channel pays a refund within so long of the order's last change; then a person has to look.
const REFUND_LASTS: SignedDuration = SignedDuration::from_hours(72);

/// A supplier's terms are bought on for so long. Later they are asked for anew: the price may have jumped.
const TERMS_LAST: SignedDuration = SignedDuration::from_mins(10);

/// The next step of buying for an order: the order-forwarder's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuyingStep {
    /// It is not known whether a purchase exists: find out, before anything else.
    Settle(u8),
    /// The order was cancelled, or the merchant has shipped it by hand: give back what was planned and not bought.
    GiveBack,
    /// The customer cancelled, or asks to, too late: a person has to see to it.
    ReportLateCancel,
    /// More is bought than the channel still wants: a person has to see to it.
    ReportTooMuch(TooMuch),
    /// A refund has been under way for long: it may have failed, and the goods may be owed.
    ReportRefund,
    /// Choose suppliers, ask for terms, reserve.
    Plan,
    /// The terms of a planned purchase are old, or it has more than is still wanted: give it up, so that what is wanted is
    /// planned on new ones.
    PlanAnew(u8),
    /// Take the lease and buy.
    Place(u8),
    /// Somebody else is at work, it is not yet time, a person is needed, or everything is bought.
    Rest,
}

/// The next step of tracking an order: the tracking-updater's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackingStep {
    /// Tell the channel of a parcel.
    Confirm(TrackingNumber),
    /// Everything arrived and the channel knows.
    Finish,
    /// A purchase exists at the supplier, and its number there is not known.
    ReportUnknownNumber,
    /// Everything arrived, but a purchase never had a parcel.
    ReportMissingTracking,
    /// Nothing can be done now.
    Rest,
}

/// Who looks at a due order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// The order-forwarder.
    Forward,
    /// The tracking-updater.
    Track,
}

/// What is to be done next about buying. The order of the questions is the protocol: a doubt comes before everything,
/// because nothing may be bought or cancelled while it is not known what exists.
pub fn next_buying_step(order: &Order, now: Timestamp) -> BuyingStep {
    if order.phase != Phase::Open {
        return BuyingStep::Rest;
    }
    let unsettled = order
        .purchases
        .iter()
        .find_map(|p| Some((p.number, settle_from(p)?)));
    if let Some((number, from)) = unsettled {
        return if from <= now && may_settle(order) {
            BuyingStep::Settle(number)
        } else {
            BuyingStep::Rest
        };
    }
    let details = &order.details;
    let bought = order.purchases.iter().any(Purchase::is_live);
    if order.is_shipped_by_hand() || details.cancel == Cancel::Done {
        let planned = |p: &Purchase| matches!(p.state, PurchaseState::Planned { .. });
        if !bought || order.purchases.iter().any(planned) {
            return BuyingStep::GiveBack;
        }
    }
    if let Some(number) = planned_too_much(order) {
        return BuyingStep::PlanAnew(number);
    }
    let kept = order.purchases.iter().any(|one| !one.is_given_up());
    if !kept && open_units(order).is_empty() && !order.is_refunding() {
        return BuyingStep::GiveBack;
    }
    if let Some(report) = report(order, now) {
        return report;
    }
    let waits_for_person = |attention: &Attention| !attention.reason.passes();
    if order.attention.as_ref().is_some_and(waits_for_person) || !may_buy(order) {
        return BuyingStep::Rest;
    }
    let is_open = !open_units(order).is_empty();
    let ready = order.purchases.iter().find(|purchase| {
        matches!(purchase.state, PurchaseState::Planned { not_before, .. } if not_before <= now)
    });
    let ready = ready.filter(|_| !is_open || sends_the_rest(order));
    let Some(purchase) = ready else {
        return if is_open {
            BuyingStep::Plan
        } else {
            BuyingStep::Rest
        };
    };
    let is_old = now.duration_since(purchase.terms_at) > TERMS_LAST;
    if is_old && stands(Guard::FreshTerms) {
        BuyingStep::PlanAnew(purchase.number)
    } else {
        BuyingStep::Place(purchase.number)
    }
}

/// What a person has to hear of, unless it is in the attention list already or something there must not be hidden.
fn report(order: &Order, now: Timestamp) -> Option<BuyingStep> {
    let details = &order.details;
    let may_raise = |reason: &Reason| {
        let known = order.attention.as_ref().map(|attention| &attention.reason);
        known.is_none_or(|known| known != reason && known.gives_way_to(reason))
    };
    let bought = order.purchases.iter().any(Purchase::is_live);
    if details.cancel != Cancel::No {
        let is_late = bought && !details.fulfilled;
        return (is_late && may_raise(&Reason::CancelledAfterPurchase))
            .then_some(BuyingStep::ReportLateCancel);
    }
    if let Some(too_much) = bought_too_much(order) {
        let (sku, units) = (too_much.sku.clone(), too_much.units);
        let is_news = units > order.decided.kept_units;
        return (is_news && may_raise(&Reason::BoughtTooMuch { sku, units }))
            .then_some(BuyingStep::ReportTooMuch(too_much));
    }
    let is_slow = now.duration_since(details.modified_at) > REFUND_LASTS;
    (order.is_refunding() && is_slow && may_raise(&Reason::RefundFailed))
        .then_some(BuyingStep::ReportRefund)
}

/// Whether money may be spent on the order: paid, not shipped by hand, nobody asks to cancel, and the merchant does not
/// buy elsewhere.
fn may_buy(order: &Order) -> bool {
    let details = &order.details;
    matches!(details.payment, Payment::Paid)
        && (matches!(details.cancel, Cancel::No) || !stands(Guard::CancelStops))
        && !order.is_shipped_by_hand()
        && !order.decided.bought_elsewhere
}

/// What is to be done next about parcels. An order in the attention list is tracked all the same: what was shipped
/// arrives, whatever else is wrong.
pub fn next_tracking_step(order: &Order, now: Timestamp) -> TrackingStep {
    if order.phase != Phase::Open {
        return TrackingStep::Rest;
    }
    let due = order.parcels.iter().find(|parcel| match parcel.state {
        ParcelState::Seen { not_before } => not_before <= now,
        ParcelState::Confirming { lease_until, .. } => {
            lease_until <= now || !stands(Guard::ParcelLease)
        }
        ParcelState::Confirmed { .. } | ParcelState::Refused | ParcelState::NotTold => false,
    });
    if let Some(parcel) = due {
        return TrackingStep::Confirm(parcel.tracking_number.clone());
    }
    let placed_without_number = |purchase: &Purchase| matches!(&purchase.state, PurchaseState::Placed { supplier_orders, .. } if supplier_orders.is_empty());
    if order.attention.is_none() && order.purchases.iter().any(placed_without_number) {
        return TrackingStep::ReportUnknownNumber;
    }
    let kept = || {
        order
            .purchases
            .iter()
            .filter(|purchase| !purchase.is_given_up())
    };
    let delivered = |purchase: &Purchase| matches!(purchase.state, PurchaseState::Delivered { .. });
    let filled = order.is_shipped_by_hand() || open_units(order).is_empty();
    let arrived = filled && kept().next().is_some() && kept().all(delivered);
    let told = |state: &ParcelState| {
        matches!(
            state,
            ParcelState::Confirmed { .. } | ParcelState::Refused | ParcelState::NotTold
        )
    };
    // What only a person can close stays in the attention list, even when everything has arrived.
    let attended = |attention: &Attention| !attention.reason.passes();
    let held = order.attention.as_ref().is_some_and(attended);
    // What is bought too much, and a refund that may still fail, is reported first.
    let too_much = bought_too_much(order).map_or(0, |too_much| too_much.units);
    let held = held || order.is_refunding() || too_much > order.decided.kept_units;
    if !arrived || held || !order.parcels.iter().all(|parcel| told(&parcel.state)) {
        return TrackingStep::Rest;
    }
    let has_parcel = |purchase: &Purchase| {
        order
            .parcels
            .iter()
            .any(|parcel| parcel.purchase == purchase.number)
    };
    if kept().all(has_parcel) {
        TrackingStep::Finish
    } else {
        TrackingStep::ReportMissingTracking
    }
}

/// Units that no purchase fills yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The place of the order's line.
    pub place: usize,
    /// The part of it; `None` where the catalogue does not know the line's sku yet.
    pub part: Option<Sku>,
    /// Units of the part, at least one.
    pub units: u32,
}

/// Units that are bought and no longer wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooMuch {
    /// What there is too much of; the first, where there is more.
    pub sku: Sku,
    /// Units of all that there is too much of, as they were bought.
    pub units: u32,
}

/// Units of a line that Kervan has to send in all.
fn wanted(order: &Order, line: &OrderLine) -> u32 {
    if stands(Guard::WantedUnits) {
        order.wanted(line)
    } else {
        line.quantity
    }
}

/// Units of a line's part, or of the line, that purchases have which are not given up.
fn filled(order: &Order, line: &OrderLine, part: Option<&Sku>) -> u32 {
    let kept = order.purchases.iter().filter(|one| !one.is_given_up());
    let lines = kept.flat_map(|purchase| &purchase.lines);
    let filling = lines
        .filter(|bought| bought.line == line.id && part.is_none_or(|part| bought.sku == *part));
    filling
        .map(|bought| bought.quantity)
        .fold(0, u32::saturating_add)
}

/// What these purchases have beyond what is wanted, by the order's line and the part. A line that the channel no longer has
/// is not wanted at all.
fn surplus<'a>(
    order: &'a Order,
    purchases: impl Iterator<Item = &'a Purchase>,
    wanted: impl Fn(&OrderLine) -> u32,
) -> Vec<(LineId, Sku, u32)> {
    let mut bought: BTreeMap<(&LineId, &Sku), u32> = BTreeMap::new();
    for line in purchases.flat_map(|purchase| &purchase.lines) {
        let units = bought.entry((&line.line, &line.sku)).or_default();
        *units = units.saturating_add(line.quantity);
    }
    let needed = |id: &LineId, sku: &Sku| {
        let mut lines = order.details.lines.iter();
        let line = lines.find(|line| line.id == *id)?;
        let units = match order.parts_of(id) {
            Some(parts) => parts.iter().find(|part| part.sku == *sku)?.units,
            // Recorded before anything was known of what it is made of: one for one.
            None => 1,
        };
        Some(wanted(line).saturating_mul(units))
    };
    let beyond = bought.into_iter().filter_map(|((id, sku), units)| {
        let units = units.saturating_sub(needed(id, sku).unwrap_or(0));
        (units > 0).then(|| (id.clone(), sku.clone(), units))
    });
    beyond.collect()
}

fn kept(order: &Order) -> impl Iterator<Item = &Purchase> {
    let purchases = order.purchases.iter();
    purchases.filter(|purchase| !purchase.is_given_up())
}

/// What is at a supplier, or may be, beyond what is wanted and what the channel was told of.
fn bought_surplus(order: &Order) -> Vec<(LineId, Sku, u32)> {
    let bought = kept(order).filter(|purchase| purchase.is_live());
    surplus(order, bought, |line| {
        if stands(Guard::WantedUnits) {
            order.wanted_or_told(line)
        } else {
            line.quantity
        }
    })
}

/// A planned purchase that has units of what there is too much of. The last one: it has the least claim.
fn planned_too_much(order: &Order) -> Option<u8> {
    let too_much = surplus(order, kept(order), |line| wanted(order, line));
    too_much.into_iter().find_map(|(line, sku, _)| {
        let has = |purchase: &&Purchase| {
            let mut lines = purchase.lines.iter();
            matches!(purchase.state, PurchaseState::Planned { .. })
                && lines.any(|bought| bought.line == line && bought.sku == sku)
        };
        let purchase = order.purchases.iter().rev().find(has)?;
        Some(purchase.number)
    })
}

/// What is bought beyond what is wanted. What is only planned is given up before.
pub fn bought_too_much(order: &Order) -> Option<TooMuch> {
    let all = bought_surplus(order);
    let units = all.iter().map(|(_, _, units)| *units);
    let units = units.fold(0, u32::saturating_add);
    let (_, sku, _) = all.into_iter().next()?;
    Some(TooMuch { sku, units })
}

/// Whether a purchase has units of which more is bought, or may be, than is wanted.
pub fn is_too_much(order: &Order, purchase: &Purchase) -> bool {
    let all = bought_surplus(order);
    let mut lines = purchase.lines.iter();
    lines.any(|bought| {
        let is_it =
            |(line, sku, _): &(LineId, Sku, u32)| *line == bought.line && *sku == bought.sku;
        all.iter().any(is_it)
    })
}

/// What of the order's lines purchases do not fill, part by part; refused and cancelled purchases are not counted.
pub fn open_units(order: &Order) -> Vec<Open> {
    let mut open = Vec::new();
    for (place, line) in order.details.lines.iter().enumerate() {
        let parts = order.parts_of(&line.id).unwrap_or_default();
        let mut rest = |part: Option<&Sku>, wanted: u32| {
            let units = wanted.saturating_sub(filled(order, line, part));
            if units > 0 {
                let part = part.cloned();
                open.push(Open { place, part, units });
            }
        };
        let wanted = wanted(order, line);
        if parts.is_empty() {
            rest(None, wanted);
        }
        for part in parts {
            rest(Some(&part.sku), wanted.saturating_mul(part.units));
        }
    }
    open
}

/// Whether what is planned is bought although lines are open: the last plan has left all of them out.
pub fn sends_the_rest(order: &Order) -> bool {
    let open = open_units(order);
    let is_left_out = |open: &Open| {
        let line = &order.details.lines[open.place];
        order.left_out.contains(&line.id)
    };
    !open.is_empty() && open.iter().all(is_left_out)
}

/// When somebody has to look at the order again, and who. An open order has a due time unless it waits for a person,
/// and then it is in the attention list (invariant I3).
pub fn due(order: &Order, checked_at: Timestamp) -> Option<(Timestamp, Lane)> {
    if order.phase != Phase::Open {
        return None;
    }
    // Where nothing may be bought now, the channel is asked again after a while: it may have been paid or decided.
    let held = !may_buy(order);
    let planned = |p: &&Purchase| matches!(p.state, PurchaseState::Planned { .. });
    let purchases = order
        .purchases
        .iter()
        .filter(|purchase| !(held && planned(purchase)))
        .filter_map(|purchase| purchase_due(purchase, checked_at));
    let parcels = order
        .parcels
        .iter()
        .filter_map(|parcel| match parcel.state {
            ParcelState::Seen { not_before } => Some((not_before, Lane::Track)),
            ParcelState::Confirming { lease_until, .. } => Some((lease_until, Lane::Track)),
            ParcelState::Confirmed { .. } | ParcelState::Refused | ParcelState::NotTold => None,
        });
    let unplanned = !open_units(order).is_empty();
    let undecided = order.is_refunding();
    let unbought = unplanned || undecided || (held && order.purchases.iter().any(|p| planned(&p)));
    let open = unbought.then(|| {
        let wait = if held || !unplanned {
            HOLD_CHECK
        } else {
            SignedDuration::ZERO
        };
        (
            checked_at.checked_add(wait).unwrap_or(Timestamp::MAX),
            Lane::Forward,
        )
    });
    let attended = order.attention.is_some();
    let in_doubt = |purchase: &Purchase| settle_from(purchase).is_some();
    let doubtful = order.purchases.iter().any(in_doubt) && may_settle(order);
    // While it waits for lines alone, what is planned without them is bought; the lines are looked for by the sweep.
    let reason = order.attention.as_ref().map(|attention| &attention.reason);
    let waits_for_lines = matches!(reason, Some(Reason::LinesMissing { .. }));
    let buys_on = waits_for_lines && sends_the_rest(order);
    let earliest = purchases
        .filter(|(_, lane)| !attended || *lane == Lane::Track || doubtful || buys_on)
        .chain(parcels)
        .chain(open.filter(|_| !attended || doubtful))
        .min();
    let acts = matches!(
        next_buying_step(order, checked_at),
        BuyingStep::GiveBack
            | BuyingStep::ReportLateCancel
            | BuyingStep::ReportTooMuch(_)
            | BuyingStep::ReportRefund
            | BuyingStep::PlanAnew(_)
    );
    if acts {
        let now = (checked_at, Lane::Forward);
        return Some(earliest.map_or(now, |earliest| earliest.min(now)));
    }
    match earliest {
        None if !attended => Some((checked_at, Lane::Track)),
        earliest => earliest,
    }
}

fn purchase_due(purchase: &Purchase, checked_at: Timestamp) -> Option<(Timestamp, Lane)> {
    match &purchase.state {
        PurchaseState::Planned { not_before, .. } => Some((*not_before, Lane::Forward)),
        PurchaseState::Placing { .. } => Some((settle_from(purchase)?, Lane::Forward)),
        PurchaseState::Placed {
            supplier_orders, ..
        } if supplier_orders.is_empty() => None,
        PurchaseState::Placed { at, .. } | PurchaseState::Shipped { at, .. } => {
            Some((next_tracking_check(*at, checked_at), Lane::Track))
        }
        _ => None,
    }
}

/// Whether a doubt can still be settled without a person. Any other reason to wait does not stop it: the time in which a
/// supplier knows an exact repeat again runs on.
fn may_settle(order: &Order) -> bool {
    let reason = order.attention.as_ref().map(|attention| &attention.reason);
    !matches!(reason, Some(Reason::PurchaseInDoubt | Reason::BuyerErased))
}

/// From when on a purchase that may have been placed has to be settled: after its lease and its settling time.
fn settle_from(purchase: &Purchase) -> Option<Timestamp> {
    match &purchase.state {
        PurchaseState::Placing {
            doubt: Some(doubt), ..
        } => Some(doubt.settle_at),
        // Without its lease, a purchase could be settled as soon as it is begun.
        PurchaseState::Placing { .. } if !stands(Guard::PurchaseLease) => {
            Some(Timestamp::UNIX_EPOCH)
        }
        PurchaseState::Placing { lease_until, .. } => Some(*lease_until),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
