//! A customer's order is read, recorded, and bought step by step. Each step is decided by
//! [`next_buying_step`](crate::decide::next_buying_step) from the stored state alone, so that it does not matter which
//! signal came, how often, or what failed before.

use super::{
    FlowError, Outcome, erase, ledger, mapping, plan, purchase, reason_of, refund, wait_of,
};
use crate::Kervan;
use crate::decide::{self, BuyingStep, Lane, TooMuch, next_buying_step};
use crate::domain::{
    Attention, Buyer, Cancel, ChannelOrderId, Event, Order, OrderDetails, OrderKey, OrderLine,
    Phase, Reason, Signal, SignalKind,
};
use crate::guards::{Guard, stands};
use crate::marketplaces::{CallError, FetchedOrder, Kind, Retry};
use crate::queue::LONGEST_DELAY;
use crate::seal::SealError;
use crate::store::{Condition, Item, Write, keys};
use jiff::SignedDuration;
use std::time::Duration;

/// The most steps that one message takes: far more than an order with several purchases has.
const MOST_STEPS: usize = 24;
/// An order that the channel does not show yet is asked for again until this age of its signal; the sweep finds it after.
const NOT_FOUND_PATIENCE: SignedDuration = SignedDuration::from_hours(1);
/// A message about a recorded order is put back up to this age. Then the index takes over, every five minutes.
const MESSAGE_YOUTH: SignedDuration = SignedDuration::from_mins(5);
/// A buyer's data is kept for so long. eBay itself withholds it after 90 days.
const BUYER_KEPT: SignedDuration = SignedDuration::from_hours(60 * 24);

/// Works on one message of the orders queue.
pub async fn forward(kervan: &Kervan, signal: &Signal) -> Result<Outcome, FlowError> {
    match &signal.kind {
        SignalKind::OrderChanged(id) => order_changed(kervan, signal, id).await,
        SignalKind::PersonErased(pseudonyms) => erase::person_erased(kervan, pseudonyms).await,
        SignalKind::SupplierOrderChanged(_) | SignalKind::TrackingDue(_) => Err(FlowError::Poison(
            "this signal is not for the order-forwarder".to_owned(),
        )),
    }
}

async fn order_changed(
    kervan: &Kervan,
    signal: &Signal,
    id: &ChannelOrderId,
) -> Result<Outcome, FlowError> {
    let key = OrderKey {
        channel: signal.account.clone(),
        id: id.clone(),
    };
    let known = ledger::load(&*kervan.store, &key).await?;
    if known
        .as_ref()
        .is_some_and(|order| order.phase != Phase::Open)
    {
        return Ok(Outcome::Done);
    }
    let fetched = match fetch(kervan, &key).await {
        Ok(fetched) => fetched,
        Err(error) => return unread(kervan, signal, known, &error).await,
    };
    // What was sealed when the order was recorded may have changed since.
    let sealed_now = known.is_none();
    let order = match known {
        Some(order) => Some(note_changes(kervan, order, &fetched).await?),
        None => record_new(kervan, &key, &fetched).await?,
    };
    match order {
        Some(order) => buy(kervan, signal, order, &fetched, sealed_now).await,
        None => Ok(Outcome::Done),
    }
}

pub(super) async fn fetch(kervan: &Kervan, key: &OrderKey) -> Result<FetchedOrder, CallError> {
    let account = kervan.accounts.get(&key.channel).await?;
    let channel = account.read_orders().ok_or_else(|| {
        let retry = crate::marketplaces::Retry::Person;
        CallError::new(
            &key.channel,
            "order",
            Kind::Misconfigured,
            retry,
            "not-a-channel",
        )
    })?;
    channel.order(&key.id).await
}

/// The channel did not give the order. Nothing is lost: the message comes again, or the sweep finds the order.
async fn unread(
    kervan: &Kervan,
    signal: &Signal,
    known: Option<Order>,
    error: &CallError,
) -> Result<Outcome, FlowError> {
    tracing::warn!(account = %signal.account, %error, "An order could not be read.");
    if let Some(reason) = reason_of(error) {
        match known {
            Some(mut order) => raise(kervan, &mut order, reason).await?,
            None => raise_for_account(kervan, &signal.account, reason).await?,
        }
        return Ok(Outcome::Done);
    }
    if error.kind == Kind::NotFound {
        let age = kervan.clock.now().duration_since(signal.seen_at);
        if age > NOT_FOUND_PATIENCE {
            return Ok(Outcome::Done);
        }
        return Ok(later(kervan, signal, Duration::from_secs(2)));
    }
    if error.retry == Retry::Permanent {
        let reason = Reason::OrderUnreadable {
            code: error.code.clone(),
        };
        match known {
            Some(mut order) => raise(kervan, &mut order, reason).await?,
            None => raise_for_unrecorded(kervan, signal, reason).await?,
        }
        return Ok(Outcome::Done);
    }
    // Whoever has to wait for a limit was given a moment of its own: coming later would let it pass unused.
    match (known, error.kind) {
        (None, Kind::Throttled) => Ok(Outcome::Later(wait_of(error).min(LONGEST_DELAY))),
        (None, _) => Ok(later(kervan, signal, wait_of(error))),
        (Some(_), _) => Ok(later_while_young(kervan, signal, wait_of(error))),
    }
}

/// An order that cannot be recorded is in the attention list all the same; the sweep tries it again from there.
async fn raise_for_unrecorded(
    kervan: &Kervan,
    signal: &Signal,
    reason: Reason,
) -> Result<(), FlowError> {
    let SignalKind::OrderChanged(id) = &signal.kind else {
        return Ok(());
    };
    let order = OrderKey {
        channel: signal.account.clone(),
        id: id.clone(),
    };
    let key = keys::attention(&order);
    if kervan.store.get(&key).await?.is_some() {
        return Ok(());
    }
    tracing::error!(%order, reason = reason.code(), "An order cannot be read and needs attention.");
    let attention = Attention {
        reason,
        since: kervan.clock.now(),
    };
    Ok(kervan
        .store
        .write(vec![ledger::attention_write(key, &attention)?])
        .await?)
}

/// Records an order that was never seen. One that was shipped or cancelled before Kervan saw it is not Kervan's.
async fn record_new(
    kervan: &Kervan,
    key: &OrderKey,
    fetched: &FetchedOrder,
) -> Result<Option<Order>, FlowError> {
    let details = &fetched.details;
    let is_gone = |line: &OrderLine| {
        let gone = [line.shipped, line.cancelled, line.refunded];
        let gone = gone.into_iter().fold(0, u32::saturating_add);
        gone >= line.quantity
    };
    let is_over = details.lines.iter().all(is_gone) && stands(Guard::WantedUnits);
    if details.fulfilled || details.cancel == Cancel::Done || is_over {
        tracing::info!(order = %key, "An order that is already over is left alone.");
        return Ok(None);
    }
    let recorded = Event::Recorded {
        details: details.clone(),
    };
    let mut events = vec![recorded];
    let lines = mapping::of(kervan, &details.lines).await?;
    if !lines.is_empty() {
        events.push(Event::Mapped { lines });
    }
    let mut extra = buyer_writes(kervan, key, fetched.buyer.as_ref()).await?;
    // It may have stood there while it could not be read.
    extra.push(Write::Delete {
        key: keys::attention(key),
    });
    match ledger::begin(kervan, key, &events, extra).await {
        Ok(order) => {
            tracing::info!(order = %key, lines = order.details.lines.len(), "An order was recorded.");
            Ok(Some(order))
        }
        Err(error) => Err(error.into()),
    }
}

/// The buyer's data, sealed and bound to the order, and the way from the person to the order.
pub(super) async fn buyer_writes(
    kervan: &Kervan,
    key: &OrderKey,
    buyer: Option<&Buyer>,
) -> Result<Vec<Write>, FlowError> {
    let Some(buyer) = buyer else {
        return Ok(Vec::new());
    };
    let plain = zeroize::Zeroizing::new(
        serde_json::to_vec(buyer).map_err(|error| SealError::Refused(error.to_string()))?,
    );
    let sealed = kervan.seal.seal(&key.to_string(), &plain).await?;
    let expires_at = kervan.clock.now().checked_add(BUYER_KEPT).ok();
    let mut item = Item::new(keys::buyer(key), 1, ledger::write(&sealed)?);
    item.expires_at = expires_at;
    let mut writes = vec![Write::Put {
        item,
        only_if: Condition::Always,
    }];
    let pseudonyms = kervan.accounts.pseudonyms().await?;
    if let Some(person) = pseudonyms.of(&key.channel, &buyer.account_name) {
        let mut item = Item::new(keys::person_order(&person, key), 1, ledger::write(key)?);
        item.expires_at = expires_at;
        writes.push(Write::Put {
            item,
            only_if: Condition::Always,
        });
    }
    Ok(writes)
}

/// Records what the channel says now, where it differs from before. An older answer never overwrites a newer one.
pub(super) async fn note_changes(
    kervan: &Kervan,
    mut order: Order,
    fetched: &FetchedOrder,
) -> Result<Order, FlowError> {
    let details = &fetched.details;
    let mut events = refund::failures(&order, &fetched.failed_refunds);
    let has_failed = !events.is_empty();
    let is_older = details.modified_at < order.details.modified_at;
    if *details != order.details && !(is_older && stands(Guard::NewerDetails)) {
        events.push(Event::Changed {
            details: details.clone(),
        });
    }
    if has_passed(&order, details) {
        events.push(Event::AttentionCleared);
    }
    let stays = |known: &Attention| !known.reason.passes() && !has_passed(&order, details);
    if has_failed && !order.attention.as_ref().is_some_and(stays) {
        let reason = Reason::RefundFailed;
        events.push(Event::AttentionRaised { reason });
    }
    if !events.is_empty() {
        ledger::record(kervan, &mut order, &events, Vec::new()).await?;
    }
    Ok(order)
}

/// Whether the channel's answer itself shows that the cause of the attention has passed.
fn has_passed(order: &Order, details: &OrderDetails) -> bool {
    match order.attention.as_ref().map(|attention| &attention.reason) {
        Some(Reason::OrderUnreadable { .. }) => true,
        Some(Reason::ConsentEnded { account } | Reason::Misconfigured { account, .. }) => {
            *account == order.key.channel.to_string()
        }
        Some(Reason::LinesMissing { .. }) => {
            let now = Order {
                details: details.clone(),
                ..order.clone()
            };
            decide::open_units(&now).is_empty()
        }
        Some(Reason::CancelledAfterPurchase) => details.cancel == Cancel::No,
        Some(Reason::BoughtTooMuch { .. }) => {
            let now = Order {
                details: details.clone(),
                ..order.clone()
            };
            decide::bought_too_much(&now).is_none()
        }
        _ => false,
    }
}

/// Takes one step after the other until nothing is left to do now.
async fn buy(
    kervan: &Kervan,
    signal: &Signal,
    mut order: Order,
    fetched: &FetchedOrder,
    sealed_now: bool,
) -> Result<Outcome, FlowError> {
    let loaded = order.version;
    for _ in 0..MOST_STEPS {
        let before = order.version;
        match next_buying_step(&order, kervan.clock.now()) {
            BuyingStep::Rest => return rest(kervan, &order, loaded).await,
            BuyingStep::GiveBack => plan::give_back(kervan, &mut order).await?,
            BuyingStep::ReportLateCancel => {
                raise(kervan, &mut order, Reason::CancelledAfterPurchase).await?;
            }
            BuyingStep::ReportTooMuch(TooMuch { sku, units }) => {
                let reason = Reason::BoughtTooMuch { sku, units };
                raise(kervan, &mut order, reason).await?;
            }
            BuyingStep::ReportRefund => {
                raise(kervan, &mut order, Reason::RefundFailed).await?;
            }
            BuyingStep::Plan => {
                if let Some(wait) = plan::plan(kervan, &mut order).await? {
                    return Ok(later_while_young(kervan, signal, wait));
                }
            }
            BuyingStep::PlanAnew(number) => plan::give_up(kervan, &mut order, number).await?,
            BuyingStep::Place(number) => {
                if let Some(reason) = plan::loss_since(kervan, &order).await? {
                    plan::give_up(kervan, &mut order, number).await?;
                    raise(kervan, &mut order, reason).await?;
                    continue;
                }
                let fresh = fetched.buyer.as_ref();
                let buyer = purchase::FreshBuyer {
                    buyer: fresh,
                    sealed: sealed_now,
                };
                purchase::place(kervan, &mut order, number, buyer).await?;
            }
            BuyingStep::Settle(number) => purchase::settle(kervan, &mut order, number).await?,
        }
        // A step that changed nothing has met the same obstacle as before: the attention list already has it.
        if order.version == before {
            return Ok(Outcome::Done);
        }
    }
    Ok(Outcome::Later(Duration::from_secs(60)))
}

/// What is due within a queue's longest delay comes back by the queue; what is due later, by the sweep. Where nothing
/// has changed, the due time moves on.
async fn rest(kervan: &Kervan, order: &Order, loaded: u64) -> Result<Outcome, FlowError> {
    let now = kervan.clock.now();
    if order.version == loaded {
        ledger::looked_at(kervan, order).await?;
    }
    match decide::due(order, now) {
        Some((at, Lane::Forward)) if at > now => {
            let wait = Duration::try_from(at.duration_since(now)).unwrap_or_default();
            Ok(if wait <= LONGEST_DELAY {
                Outcome::Later(wait)
            } else {
                Outcome::Done
            })
        }
        _ => Ok(Outcome::Done),
    }
}

/// Puts a message back for ever longer: each time about half of its age.
pub(super) fn later(kervan: &Kervan, signal: &Signal, wait: Duration) -> Outcome {
    let age = kervan.clock.now().duration_since(signal.seen_at);
    let age = Duration::try_from(age).unwrap_or_default();
    Outcome::Later(wait.max(age / 2).min(LONGEST_DELAY))
}

/// The same for an order that is recorded: after a while its due time alone brings it back, or an outage would multiply
/// messages.
pub(super) fn later_while_young(kervan: &Kervan, signal: &Signal, wait: Duration) -> Outcome {
    let age = kervan.clock.now().duration_since(signal.seen_at);
    if age > MESSAGE_YOUTH {
        Outcome::Done
    } else {
        later(kervan, signal, wait)
    }
}

/// Puts an order into the attention list, unless it is there for the same reason, or for one that only a person can end
/// and that must not be hidden by another.
pub(super) async fn raise(
    kervan: &Kervan,
    order: &mut Order,
    reason: Reason,
) -> Result<(), FlowError> {
    let stays = |known: &Attention| known.reason == reason || !known.reason.gives_way_to(&reason);
    if order.attention.as_ref().is_some_and(stays) {
        return Ok(());
    }
    tracing::warn!(order = %order.key, reason = reason.code(), "An order needs attention.");
    let raised = Event::AttentionRaised { reason };
    Ok(ledger::record(kervan, order, &[raised], Vec::new()).await?)
}

/// Puts an account into the attention list: nothing of it can be read, so there may be no order to put there.
pub(super) async fn raise_for_account(
    kervan: &Kervan,
    account: &crate::domain::AccountId,
    reason: Reason,
) -> Result<(), FlowError> {
    tracing::error!(%account, reason = reason.code(), "An account needs attention.");
    let key = keys::account_attention(account);
    if kervan.store.get(&key).await?.is_some() {
        return Ok(());
    }
    let attention = Attention {
        reason,
        since: kervan.clock.now(),
    };
    Ok(kervan
        .store
        .write(vec![ledger::attention_write(key, &attention)?])
        .await?)
}
