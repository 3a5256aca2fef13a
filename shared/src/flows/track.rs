//! Suppliers are asked how far their orders are, and channels are told of the parcels, each once in effect.

mod closed;
mod packed;

use super::{FlowError, Outcome, SURELY_LANDED, forward, ledger, reason_of, wait_of};
use crate::Kervan;
use crate::decide::{TrackingStep, next_tracking_step};
use crate::domain::{
    ChannelOrderId, Event, Order, OrderKey, Parcel, ParcelLine, ParcelState, Phase, Purchase,
    PurchaseState, Reason, Signal, SignalKind, SupplierOrderId, TrackingNumber,
};
use crate::guards::{Guard, stands};
use crate::marketplaces::{
    CallError, Effect, Kind, ParcelToConfirm, Retry, SupplierOrder, SupplierState,
};
use crate::store::keys;
use closed::closed_orders;
use jiff::{SignedDuration, Timestamp};
use packed::new_parcel;
use std::time::Duration;

/// The most steps that one message takes.
const MOST_STEPS: usize = 32;
/// A channel that is read back before an unanswered confirmation has landed would be told twice. Whoever took the lease may
/// have sent it at the very end of its run.
const LEASE: SignedDuration = SURELY_LANDED;
/// A supplier's push can overtake the record of its order; afterwards the number is not ours.
const UNKNOWN_PATIENCE: SignedDuration = SignedDuration::from_mins(10);
/// A supplier shows a new order within seconds; one that it does not show after this time is a person's matter.
const NOT_FOUND_PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// A supplier books a payment within this time; then a person is told.
const PAYMENT_PATIENCE: SignedDuration = SignedDuration::from_mins(15);
/// The most due orders that one run queues.
const MOST_DUE: usize = 1000;

/// Works on one message of the tracking queue.
pub async fn track(kervan: &Kervan, signal: &Signal) -> Result<Outcome, FlowError> {
    let order = match &signal.kind {
        SignalKind::SupplierOrderChanged(id) => match order_of(kervan, signal, id).await? {
            Some(order) => order,
            None => return Ok(unknown(kervan, signal, id)),
        },
        SignalKind::TrackingDue(id) => match of_channel(kervan, signal, id).await? {
            Some(order) => order,
            None => return Ok(Outcome::Done),
        },
        SignalKind::OrderChanged(_) | SignalKind::PersonErased(_) => {
            let problem = "this signal is not for the tracking-updater";
            return Err(FlowError::Poison(problem.to_owned()));
        }
    };
    advance(kervan, signal, order).await
}

/// Queues what the index says is due: what no push announced.
pub async fn queue_due_tracking(kervan: &Kervan) -> Result<usize, FlowError> {
    let now = kervan.clock.now();
    let due = kervan
        .store
        .due(keys::TRACK_LANE, Timestamp::MIN, now, MOST_DUE)
        .await?;
    let mut signals = Vec::new();
    for item in &due {
        // One item that cannot be read must not stop the others.
        let Ok(order) = ledger::read::<Order>(&item.body) else {
            tracing::error!("A due order cannot be read.");
            continue;
        };
        signals.push(Signal {
            account: order.key.channel,
            kind: SignalKind::TrackingDue(order.key.id),
            seen_at: now,
        });
    }
    super::intake::send(&kervan.queues.tracking, &signals).await?;
    Ok(signals.len())
}

async fn order_of(
    kervan: &Kervan,
    signal: &Signal,
    id: &SupplierOrderId,
) -> Result<Option<Order>, FlowError> {
    let key = keys::supplier_order(&signal.account, id);
    let Some(item) = kervan.store.get(&key).await? else {
        return Ok(None);
    };
    let order: OrderKey = ledger::read(&item.body)?;
    ledger::load(&*kervan.store, &order).await
}

async fn of_channel(
    kervan: &Kervan,
    signal: &Signal,
    id: &ChannelOrderId,
) -> Result<Option<Order>, FlowError> {
    let key = OrderKey {
        channel: signal.account.clone(),
        id: id.clone(),
    };
    ledger::load(&*kervan.store, &key).await
}

fn unknown(kervan: &Kervan, signal: &Signal, id: &SupplierOrderId) -> Outcome {
    let age = kervan.clock.now().duration_since(signal.seen_at);
    if age < UNKNOWN_PATIENCE {
        let wait = Duration::try_from(age).unwrap_or_default();
        return Outcome::Later(wait.clamp(Duration::from_secs(2), Duration::from_secs(120)));
    }
    tracing::warn!(account = %signal.account, supplier_order = %id, "A supplier's order is not one of ours.");
    Outcome::Done
}

async fn advance(kervan: &Kervan, signal: &Signal, mut order: Order) -> Result<Outcome, FlowError> {
    if order.phase != Phase::Open {
        return Ok(Outcome::Done);
    }
    let before = order.version;
    let (events, failed) = ask_suppliers(kervan, &order).await;
    if !events.is_empty() {
        ledger::record(kervan, &mut order, &events, Vec::new()).await?;
    }
    for _ in 0..MOST_STEPS {
        let reason = match next_tracking_step(&order, kervan.clock.now()) {
            TrackingStep::Confirm(number) => {
                if let Some(outcome) = confirm(kervan, &mut order, &number).await? {
                    return Ok(outcome);
                }
                continue;
            }
            TrackingStep::Finish => {
                ledger::record(kervan, &mut order, &[Event::Finished], Vec::new()).await?;
                tracing::info!(order = %order.key, "An order is done.");
                continue;
            }
            TrackingStep::ReportUnknownNumber => Reason::PurchaseNumberUnknown,
            TrackingStep::ReportMissingTracking => Reason::TrackingMissing,
            TrackingStep::Rest => break,
        };
        let version = order.version;
        forward::raise(kervan, &mut order, reason).await?;
        if order.version == version {
            break;
        }
    }
    if let Some(error) = failed {
        return not_told(kervan, signal, &mut order, &error).await;
    }
    if order.version == before {
        ledger::looked_at(kervan, &order).await?;
    }
    Ok(Outcome::Done)
}

/// A supplier did not answer. What the index queued is queued by it again; a push's message comes back while it is young.
async fn not_told(
    kervan: &Kervan,
    signal: &Signal,
    order: &mut Order,
    error: &CallError,
) -> Result<Outcome, FlowError> {
    tracing::warn!(order = %order.key, %error, "A supplier did not say how far its order is.");
    let lasting =
        error.kind == Kind::NotFound && oldest_placing_age(kervan, order) > NOT_FOUND_PATIENCE;
    let missing = || Reason::Misconfigured {
        account: error.account.to_string(),
        code: error.code.clone(),
    };
    if let Some(reason) = reason_of(error).or_else(|| lasting.then(missing)) {
        if order.attention.is_none() {
            forward::raise(kervan, order, reason).await?;
        } else {
            ledger::looked_at(kervan, order).await?;
        }
        return Ok(Outcome::Done);
    }
    match (&signal.kind, error.retry) {
        (SignalKind::SupplierOrderChanged(_), Retry::After(wait)) => {
            Ok(forward::later_while_young(kervan, signal, wait))
        }
        _ => {
            ledger::looked_at(kervan, order).await?;
            Ok(Outcome::Done)
        }
    }
}

fn oldest_placing_age(kervan: &Kervan, order: &Order) -> SignedDuration {
    let placed = order
        .purchases
        .iter()
        .filter_map(|purchase| match &purchase.state {
            PurchaseState::Placed { at, .. } | PurchaseState::Shipped { at, .. } => Some(*at),
            _ => None,
        });
    placed.min().map_or(SignedDuration::ZERO, |at| {
        kervan.clock.now().duration_since(at)
    })
}

/// What the suppliers say that the order does not yet know, and the first error. One purchase that cannot be asked about
/// does not keep the others' parcels from their customer.
async fn ask_suppliers(kervan: &Kervan, order: &Order) -> (Vec<Event>, Option<CallError>) {
    let on_its_way = |purchase: &&Purchase| {
        matches!(
            purchase.state,
            PurchaseState::Placed { .. } | PurchaseState::Shipped { .. }
        )
    };
    let (mut told, mut failed) = (Vec::new(), None);
    'purchases: for purchase in order.purchases.iter().filter(on_its_way) {
        let mut answers = Vec::new();
        for id in purchase.supplier_orders() {
            match ask(kervan, purchase, id).await {
                Ok(answer) => answers.push(answer),
                Err(error) => {
                    failed.get_or_insert(error);
                    continue 'purchases;
                }
            }
        }
        if !answers.is_empty() {
            told.push((purchase, answers));
        }
    }
    let now = kervan.clock.now();
    let mut events = Vec::new();
    let mut seen: Vec<Parcel> = order.parcels.clone();
    for (purchase, answers) in &told {
        events.extend(closed_orders(purchase, answers));
        news(order, purchase, answers, now, &mut seen, &mut events);
    }
    events.extend(trouble(order, &told, failed.is_none(), now));
    (events, failed)
}

async fn ask(
    kervan: &Kervan,
    purchase: &Purchase,
    id: &SupplierOrderId,
) -> Result<SupplierOrder, CallError> {
    let supplier = &purchase.lines[0].offer.supplier;
    let account = kervan.accounts.get(supplier).await?;
    let not_a_supplier = || {
        let kind = Kind::Misconfigured;
        CallError::new(
            supplier,
            "supplier_order",
            kind,
            Retry::Person,
            "not-a-supplier",
        )
    };
    account
        .buy()
        .ok_or_else(not_a_supplier)?
        .supplier_order(id)
        .await
}

/// Compares what a purchase's suppliers say with what is known; pure. `seen` grows by the parcels that are new, so that
/// one parcel that two orders share is one, and no unit is in two.
fn news(
    order: &Order,
    purchase: &Purchase,
    answers: &[SupplierOrder],
    now: Timestamp,
    seen: &mut Vec<Parcel>,
    events: &mut Vec<Event>,
) {
    let number = purchase.number;
    let parcels = answers.iter().flat_map(|answer| {
        let parcels = answer.parcels.iter();
        parcels.map(move |parcel| (parcel, answer.contents.as_slice()))
    });
    for (parcel, of_order) in parcels {
        let known = seen
            .iter()
            .position(|known| known.tracking_number == parcel.tracking_number);
        let place = known.unwrap_or_else(|| {
            let new = new_parcel(order, purchase, parcel, of_order, seen, now);
            events.push(Event::ParcelSeen {
                parcel: new.clone(),
            });
            seen.push(new);
            seen.len() - 1
        });
        if parcel.delivered && seen[place].delivered_at.is_none() {
            seen[place].delivered_at = Some(now);
            events.push(Event::ParcelDelivered {
                parcel: parcel.tracking_number.clone(),
            });
        }
    }
    let delivered = |answer: &SupplierOrder| answer.state == SupplierState::Delivered;
    let shipped = |answer: &SupplierOrder| answer.state == SupplierState::Shipped;
    if answers.iter().all(delivered) {
        events.push(Event::Delivered { purchase: number });
    } else if answers
        .iter()
        .all(|answer| shipped(answer) || delivered(answer))
        && matches!(purchase.state, PurchaseState::Placed { .. })
    {
        events.push(Event::Shipped { purchase: number });
    }
}

/// Whether a person has to see to a supplier's order, or no longer has to. `complete`: all suppliers answered.
fn trouble(
    order: &Order,
    told: &[(&Purchase, Vec<SupplierOrder>)],
    complete: bool,
    now: Timestamp,
) -> Option<Event> {
    let closed = told.iter().find_map(|(purchase, answers)| {
        let ids = purchase.supplier_orders();
        let mut answers = ids.iter().zip(answers);
        answers.find_map(|(id, answer)| match &answer.state {
            SupplierState::Closed { code } => Some(Reason::PurchaseClosed {
                code: code.clone(),
                supplier_order: (ids.len() > 1).then(|| id.clone()),
            }),
            _ => None,
        })
    });
    let overdue = told.iter().any(|(purchase, answers)| {
        let unpaid = answers
            .iter()
            .any(|answer| answer.state == SupplierState::Unpaid);
        let placed_at = match &purchase.state {
            PurchaseState::Placed { at, .. } | PurchaseState::Shipped { at, .. } => *at,
            _ => now,
        };
        unpaid && now.duration_since(placed_at) > PAYMENT_PATIENCE
    });
    let reason = closed.or_else(|| overdue.then_some(Reason::PurchaseUnpaid));
    let had = order.attention.as_ref().map(|attention| &attention.reason);
    let replaceable = had.is_none_or(|had| had.passes() || *had == Reason::PurchaseUnpaid);
    match reason {
        Some(reason) if replaceable && had != Some(&reason) => {
            Some(Event::AttentionRaised { reason })
        }
        Some(_) => None,
        None => {
            let asked = |account: &String| {
                told.iter()
                    .any(|(p, _)| p.lines[0].offer.supplier.to_string() == *account)
            };
            let over = match had {
                Some(Reason::PurchaseUnpaid) => true,
                Some(Reason::ConsentEnded { account } | Reason::Misconfigured { account, .. }) => {
                    asked(account)
                }
                _ => false,
            };
            (over && complete && !told.is_empty()).then_some(Event::AttentionCleared)
        }
    }
}

/// Tells the channel of a parcel under a lease. From the second attempt on, the channel is read first: an answer that was
/// lost must not become a second shipment. `Some`: this is all for now.
async fn confirm(
    kervan: &Kervan,
    order: &mut Order,
    number: &TrackingNumber,
) -> Result<Option<Outcome>, FlowError> {
    let mut events = Vec::new();
    if let Some(lines) = fewer_lines(order, number) {
        // The merchant may have entered this very number: then it is at the channel, and nothing is missing.
        match is_at_channel(kervan, order, number).await {
            Ok(true) => return by_hand(kervan, order, number).await,
            Ok(false) => {}
            Err(error) => return Ok(Some(Outcome::Later(wait_of(&error)))),
        }
        let is_none = lines.is_empty();
        events.push(Event::ParcelReduced {
            parcel: number.clone(),
            lines,
        });
        if is_none {
            ledger::record(kervan, order, &events, Vec::new()).await?;
            return Ok(None);
        }
    }
    let now = kervan.clock.now();
    let lease_until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
    let started = Event::ConfirmStarted {
        parcel: number.clone(),
        lease_until,
    };
    events.push(started);
    ledger::record(kervan, order, &events, Vec::new()).await?;
    // Others may be at work on the order's other parcels meanwhile; this one stays this worker's for the lease.
    let state = |order: &Order| order.parcel(number).map(|parcel| parcel.state.clone());
    let mine = state(order);
    let is_mine = |now: &Order| state(now) == mine;
    match tell_channel(kervan, order, number).await {
        Ok(()) => {
            let mut events = vec![Event::ParcelConfirmed {
                parcel: number.clone(),
            }];
            if channel_trouble_is_over(order) {
                events.push(Event::AttentionCleared);
            }
            ledger::record_outcome(kervan, order, &events, &[], is_mine).await?;
            tracing::info!(order = %order.key, "A parcel was confirmed.");
            Ok(None)
        }
        Err(error) => {
            tracing::warn!(order = %order.key, %error, "A parcel was not confirmed.");
            if let Some(reason) = reason_of(&error) {
                forward::raise(kervan, order, reason).await?;
                return Ok(Some(Outcome::Done));
            }
            if error.retry == Retry::Permanent && error.effect == Effect::None {
                let events = after_refusal(kervan, order, number, &error).await?;
                ledger::record_outcome(kervan, order, &events, &[], is_mine).await?;
                return Ok(None);
            }
            // The lease has to run out first; the index would find the order too.
            let wait = wait_of(&error).max(Duration::from_secs(LEASE.unsigned_abs().as_secs() + 1));
            Ok(Some(Outcome::Later(wait)))
        }
    }
}

/// The channel refuses a parcel, and was not told of it. Where it only has less of the order than is in the parcel, it is
/// told of that; else a person has to see to it.
async fn after_refusal(
    kervan: &Kervan,
    order: &mut Order,
    number: &TrackingNumber,
    error: &CallError,
) -> Result<Vec<Event>, FlowError> {
    let parcel = number.clone();
    let state = order.parcel(number).map(|parcel| &parcel.state);
    // One that may have been told of before is never told of differently.
    let is_first = matches!(state, Some(ParcelState::Confirming { attempt: 1, .. }));
    if is_first && let Some(lines) = fewer_lines_now(kervan, order, number).await? {
        return Ok(match is_at_channel(kervan, order, number).await {
            Ok(true) => vec![Event::ParcelConfirmed { parcel }],
            _ => vec![Event::ParcelReduced { parcel, lines }],
        });
    }
    let reason = Reason::TrackingRefused {
        code: error.code.clone(),
    };
    Ok(vec![
        Event::ParcelRefused { parcel },
        Event::AttentionRaised { reason },
    ])
}

/// What of a parcel the channel can still be told, where that is less than what is in it: it refuses a line whole that has
/// too many units. A parcel that it may have been told of is repeated as it was.
fn fewer_lines(order: &Order, number: &TrackingNumber) -> Option<Vec<ParcelLine>> {
    let parcel = order.parcel(number)?;
    if !matches!(parcel.state, ParcelState::Seen { .. }) {
        return None;
    }
    let lines = parcel.lines.iter().filter_map(|told| {
        let mut lines = order.details.lines.iter();
        let line = lines.find(|line| line.id == told.line)?;
        let left = order.left_to_tell(line);
        let quantity = told.quantity.min(left);
        (quantity > 0).then(|| ParcelLine {
            line: told.line.clone(),
            quantity,
        })
    });
    let lines: Vec<ParcelLine> = lines.collect();
    (lines != parcel.lines).then_some(lines)
}

/// The same of a parcel that the channel has just refused, by what the channel says of the order now: somebody may have
/// shipped or cancelled a part of it since it was read.
async fn fewer_lines_now(
    kervan: &Kervan,
    order: &mut Order,
    number: &TrackingNumber,
) -> Result<Option<Vec<ParcelLine>>, FlowError> {
    let Ok(fetched) = forward::fetch(kervan, &order.key).await else {
        return Ok(None);
    };
    *order = forward::note_changes(kervan, order.clone(), &fetched).await?;
    let mut untold = order.clone();
    let parcels = untold.parcels.iter_mut();
    for parcel in parcels.filter(|parcel| parcel.tracking_number == *number) {
        let not_before = kervan.clock.now();
        parcel.state = ParcelState::Seen { not_before };
    }
    Ok(fewer_lines(&untold, number))
}

/// Whether the channel has a parcel of this number.
async fn is_at_channel(
    kervan: &Kervan,
    order: &Order,
    number: &TrackingNumber,
) -> Result<bool, CallError> {
    let channel = &order.key.channel;
    let account = kervan.accounts.get(channel).await?;
    match account.confirm_parcels() {
        Some(door) => door.is_confirmed(&order.key.id, number).await,
        None => Ok(false),
    }
}

/// Somebody has told the channel of the parcel already.
async fn by_hand(
    kervan: &Kervan,
    order: &mut Order,
    number: &TrackingNumber,
) -> Result<Option<Outcome>, FlowError> {
    let started = Event::ConfirmStarted {
        parcel: number.clone(),
        lease_until: kervan.clock.now(),
    };
    let confirmed = Event::ParcelConfirmed {
        parcel: number.clone(),
    };
    ledger::record(kervan, order, &[started, confirmed], Vec::new()).await?;
    Ok(None)
}

fn channel_trouble_is_over(order: &Order) -> bool {
    let channel = order.key.channel.to_string();
    match order.attention.as_ref().map(|attention| &attention.reason) {
        Some(Reason::ConsentEnded { account } | Reason::Misconfigured { account, .. }) => {
            *account == channel
        }
        _ => false,
    }
}

async fn tell_channel(
    kervan: &Kervan,
    order: &Order,
    number: &TrackingNumber,
) -> Result<(), CallError> {
    let channel = &order.key.channel;
    let missing =
        |code| CallError::new(channel, "confirm", Kind::Misconfigured, Retry::Person, code);
    let account = kervan.accounts.get(channel).await?;
    let door = account
        .confirm_parcels()
        .ok_or_else(|| missing("not-a-channel"))?;
    let parcel = order
        .parcel(number)
        .ok_or_else(|| missing("no-such-parcel"))?;
    let first = matches!(parcel.state, ParcelState::Confirming { attempt: 1, .. });
    if !first && stands(Guard::ReadBack) && door.is_confirmed(&order.key.id, number).await? {
        return Ok(());
    }
    let request = ParcelToConfirm {
        tracking_number: number.clone(),
        carrier: parcel.carrier.clone(),
        lines: parcel.lines.clone(),
        shipped_at: kervan.clock.now(),
        not_after: match parcel.state {
            ParcelState::Confirming { lease_until, .. } => lease_until,
            _ => Timestamp::MIN,
        },
    };
    door.confirm(&order.key.id, &request).await
}
