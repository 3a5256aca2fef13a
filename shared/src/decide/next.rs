//! The protocol, readable: what is to be done next with an order, and when somebody has to look at it again.

use super::schedule::next_tracking_check;
use crate::domain::{Order, ParcelState, Payment, Phase, Purchase, PurchaseState, TrackingNumber};
use jiff::{SignedDuration, Timestamp};

/// An unpaid order is looked at again after this time; the channel's push usually comes first.
const PAYMENT_CHECK: SignedDuration = SignedDuration::from_mins(30);

/// The next step of buying for an order: the order-forwarder's protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuyingStep {
    /// It is not known whether a purchase exists: find out, before anything else.
    Settle(u8),
    /// The customer cancelled and nothing was bought: give everything back.
    Cancel,
    /// The customer cancelled too late: a person has to see to it.
    ReportLateCancel,
    /// Choose suppliers, ask for terms, reserve.
    Plan,
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
    let waits_for_person = order
        .attention
        .as_ref()
        .is_some_and(|attention| !attention.reason.passes());
    if order.phase != Phase::Open || waits_for_person {
        return BuyingStep::Rest;
    }
    let unsettled = order
        .purchases
        .iter()
        .find_map(|p| Some((p.number, settle_from(p)?)));
    if let Some((number, from)) = unsettled {
        return if from <= now {
            BuyingStep::Settle(number)
        } else {
            BuyingStep::Rest
        };
    }
    if order.details.cancel_requested || order.details.payment == Payment::Failed {
        return match order.purchases.iter().any(Purchase::is_live) {
            false => BuyingStep::Cancel,
            true if order.attention.is_none() => BuyingStep::ReportLateCancel,
            true => BuyingStep::Rest,
        };
    }
    if order.details.payment != Payment::Paid {
        return BuyingStep::Rest;
    }
    if !lines_without_purchase(order).is_empty() {
        return BuyingStep::Plan;
    }
    let ready = order.purchases.iter().find(|purchase| {
        matches!(purchase.state, PurchaseState::Planned { not_before, .. } if not_before <= now)
    });
    ready.map_or(BuyingStep::Rest, |purchase| {
        BuyingStep::Place(purchase.number)
    })
}

/// What is to be done next about parcels. An order in the attention list is tracked all the same: what was shipped
/// arrives, whatever else is wrong.
pub fn next_tracking_step(order: &Order, now: Timestamp) -> TrackingStep {
    if order.phase != Phase::Open {
        return TrackingStep::Rest;
    }
    let due = order.parcels.iter().find(|parcel| match parcel.state {
        ParcelState::Seen { not_before } => not_before <= now,
        ParcelState::Confirming { lease_until, .. } => lease_until <= now,
        ParcelState::Confirmed { .. } | ParcelState::Refused => false,
    });
    if let Some(parcel) = due {
        return TrackingStep::Confirm(parcel.tracking_number.clone());
    }
    let dead = |purchase: &&Purchase| {
        matches!(
            purchase.state,
            PurchaseState::Refused { .. } | PurchaseState::Cancelled
        )
    };
    let mut alive = order
        .purchases
        .iter()
        .filter(|purchase| !dead(purchase))
        .peekable();
    let arrived = alive.peek().is_some()
        && lines_without_purchase(order).is_empty()
        && alive.all(|purchase| matches!(purchase.state, PurchaseState::Delivered { .. }));
    let told =
        |state: &ParcelState| matches!(state, ParcelState::Confirmed { .. } | ParcelState::Refused);
    if !arrived || !order.parcels.iter().all(|parcel| told(&parcel.state)) {
        return TrackingStep::Rest;
    }
    let has_parcel = |purchase: &Purchase| {
        order
            .parcels
            .iter()
            .any(|parcel| parcel.purchase == purchase.number)
    };
    let complete = order
        .purchases
        .iter()
        .filter(|purchase| !dead(purchase))
        .all(has_parcel);
    match (complete, &order.attention) {
        (true, _) => TrackingStep::Finish,
        (false, None) => TrackingStep::ReportMissingTracking,
        (false, Some(_)) => TrackingStep::Rest,
    }
}

/// The places of the order's lines that no purchase fills, refused and cancelled ones not counted.
pub fn lines_without_purchase(order: &Order) -> Vec<usize> {
    let counts = |purchase: &&Purchase| {
        !matches!(
            purchase.state,
            PurchaseState::Refused { .. } | PurchaseState::Cancelled
        )
    };
    let filled = |index: &usize| {
        let line = &order.details.lines[*index].id;
        let mut purchases = order.purchases.iter().filter(counts);
        purchases.any(|purchase| purchase.lines.iter().any(|bought| bought.line == *line))
    };
    (0..order.details.lines.len())
        .filter(|index| !filled(index))
        .collect()
}

/// When somebody has to look at the order again, and who. An open order has a due time unless it waits for a person,
/// and then it is in the attention list (invariant I3).
pub fn due(order: &Order, checked_at: Timestamp) -> Option<(Timestamp, Lane)> {
    if order.phase != Phase::Open {
        return None;
    }
    let purchases = order
        .purchases
        .iter()
        .filter_map(|p| purchase_due(p, checked_at));
    let parcels = order
        .parcels
        .iter()
        .filter_map(|parcel| match parcel.state {
            ParcelState::Seen { not_before } => Some((not_before, Lane::Track)),
            ParcelState::Confirming { lease_until, .. } => Some((lease_until, Lane::Track)),
            ParcelState::Confirmed { .. } | ParcelState::Refused => None,
        });
    let unpaid = order.details.payment == Payment::Pending;
    let unplanned = !lines_without_purchase(order).is_empty();
    let open = (unpaid || unplanned).then(|| {
        let wait = if unpaid {
            PAYMENT_CHECK
        } else {
            SignedDuration::ZERO
        };
        (
            checked_at.checked_add(wait).unwrap_or(Timestamp::MAX),
            Lane::Forward,
        )
    });
    let attended = order.attention.is_some();
    let earliest = purchases
        .chain(parcels)
        .chain(open)
        .filter(|(_, lane)| !(attended && *lane == Lane::Forward))
        .min();
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

/// From when on a purchase that may have been placed has to be settled: after its lease and its settling time.
fn settle_from(purchase: &Purchase) -> Option<Timestamp> {
    match &purchase.state {
        PurchaseState::Placing {
            doubt: Some(doubt), ..
        } => Some(doubt.settle_at),
        PurchaseState::Placing { lease_until, .. } => Some(*lease_until),
        _ => None,
    }
}
