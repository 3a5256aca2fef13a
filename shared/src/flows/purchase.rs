//! The purchase protocol. The only thing that cannot be undone is buying, so:
//!
//! 1. a lease is taken by a conditional write; only its writer calls the supplier;
//! 2. an error says whether the outside world changed: `None` gives the purchase back to be tried again or refused,
//!    `Happened` counts as placed, `Unknown` is a doubt;
//! 3. a doubt, or a lease that ran out, is settled before anything else, in the way that the supplier declares;
//! 4. without proof a person decides.

use super::{FlowError, LANDS_WITHIN, LONGEST_RUN, forward, ledger, plan, reason_of, wait_of};
use crate::Kervan;
use crate::decide::{is_too_much, sends_the_rest};
use crate::domain::{
    Buyer, Cancel, Doubt, Event, Order, Purchase, PurchaseState, Reason, Refusal, SupplierOrderId,
};
use crate::guards::{Guard, stands};
use crate::marketplaces::{Account, CallError, Effect, Kind, PlaceRequest, Placed, Retry, Settle};
use crate::seal::{SealError, Sealed};
use crate::store::{Condition, Item, Write, keys};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Longer than a run with what it can still write after its call: when the lease has run out, its holder is gone.
const LEASE: SignedDuration = SignedDuration::from_secs(LONGEST_RUN.as_secs() + 30);
/// A passing refusal for want of stock is believed after so many attempts.
const MOST_STOCK_TRIES: u32 = 3;
/// A doubt that cannot be settled now is looked at again after this time at least.
const DOUBT_PAUSE: Duration = Duration::from_secs(60);
/// The same, where a person has to mend an account first.
const PERSON_PAUSE: Duration = Duration::from_secs(30 * 60);

/// The buyer as the channel has just shown it.
#[derive(Clone, Copy)]
pub(super) struct FreshBuyer<'a> {
    /// None where the channel does not show it (any more).
    pub(super) buyer: Option<&'a Buyer>,
    /// Whether it was sealed just now; else it is sealed with the lease, so that a repeat sends the same.
    pub(super) sealed: bool,
}

/// Takes the lease and buys.
pub(super) async fn place(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    fresh: FreshBuyer<'_>,
) -> Result<(), FlowError> {
    let Some(buyer) = buyer_of(kervan, order, fresh.buyer).await? else {
        return forward::raise(kervan, order, Reason::BuyerErased).await;
    };
    let account = match supplier(kervan, order, number).await {
        Ok(account) => account,
        Err(error) => return postpone(kervan, order, number, &error).await,
    };
    let to_seal = fresh.buyer.filter(|_| !fresh.sealed);
    let writes = forward::buyer_writes(kervan, &order.key, to_seal).await?;
    take_lease(kervan, order, number, writes).await?;
    match call(&account, order, number, &buyer).await {
        Ok(placed) => note_placed(kervan, order, number, placed.supplier_orders).await,
        Err(error) => not_placed(kervan, order, number, &*account, error).await,
    }
}

/// Finds out whether a purchase exists of which nobody knows.
pub(super) async fn settle(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
) -> Result<(), FlowError> {
    let account = match supplier(kervan, order, number).await {
        Ok(account) => account,
        Err(error) => return still_in_doubt(kervan, order, number, &error).await,
    };
    let now = kervan.clock.now();
    let Some(buy) = account.buy() else {
        return forward::raise(kervan, order, Reason::PurchaseInDoubt).await;
    };
    let (first_sent_at, reference) = match order.purchase(number) {
        Some(Purchase {
            state: PurchaseState::Placing { first_sent_at, .. },
            reference,
            ..
        }) => (*first_sent_at, reference.clone()),
        _ => return Ok(()),
    };
    tracing::warn!(order = %order.key, purchase = number, "It is not known whether a purchase was placed.");
    match buy.settle() {
        Settle::LookUp { listed_within } => {
            // Whoever took the lease first may have called at its very end, and the call may take effect late: an answer
            // that there is none proves nothing before.
            let safe = LEASE.saturating_add(surely_listed(listed_within));
            let early = safe.saturating_sub(now.duration_since(first_sent_at));
            if early.is_positive() && stands(Guard::SettlingTime) {
                let early = Duration::try_from(early).unwrap_or_default();
                return record_doubt(kervan, order, number, early).await;
            }
            take_lease(kervan, order, number, Vec::new()).await?;
            if !stands(Guard::SearchFirst) {
                let back = Event::NotPlaced {
                    purchase: number,
                    retry_at: now,
                };
                return Ok(ledger::record(kervan, order, &[back], Vec::new()).await?);
            }
            match buy.look_up(&reference, first_sent_at).await {
                Ok(Some(placed)) => {
                    note_placed(kervan, order, number, placed.supplier_orders).await
                }
                Ok(None) => {
                    let back = Event::NotPlaced {
                        purchase: number,
                        retry_at: now,
                    };
                    Ok(ledger::record(kervan, order, &[back], Vec::new()).await?)
                }
                Err(error) => still_in_doubt(kervan, order, number, &error).await,
            }
        }
        // A repeat can be what buys. Once not all of it is wanted any more, only a person may risk that.
        Settle::Repeat { .. }
            if (order.is_shipped_by_hand()
                || order.details.cancel != Cancel::No
                || order
                    .purchase(number)
                    .is_some_and(|it| is_too_much(order, it)))
                && stands(Guard::RepeatOnlyWanted) =>
        {
            forward::raise(kervan, order, Reason::PurchaseInDoubt).await
        }
        Settle::Repeat { within, .. }
            if is_within(first_sent_at, now, within) || !stands(Guard::RepeatWindow) =>
        {
            // Exactly what was sent before, so that the supplier knows it again: the terms from the history, the buyer
            // from the seal.
            let Some(buyer) = buyer_of(kervan, order, None).await? else {
                return forward::raise(kervan, order, Reason::PurchaseInDoubt).await;
            };
            take_lease(kervan, order, number, Vec::new()).await?;
            match call(&account, order, number, &buyer).await {
                Ok(placed) => note_placed(kervan, order, number, placed.supplier_orders).await,
                Err(error) => still_in_doubt(kervan, order, number, &error).await,
            }
        }
        Settle::Repeat { .. } | Settle::Person => {
            forward::raise(kervan, order, Reason::PurchaseInDoubt).await
        }
    }
}

/// From a call's sending on: whatever it comes to is found by a search after this time.
fn surely_listed(listed_within: Duration) -> SignedDuration {
    let listed = SignedDuration::try_from(listed_within).unwrap_or(SignedDuration::MAX);
    LANDS_WITHIN.saturating_add(listed)
}

fn is_within(from: Timestamp, now: Timestamp, window: Duration) -> bool {
    let window = SignedDuration::try_from(window).unwrap_or(SignedDuration::ZERO);
    now.duration_since(from) < window
}

async fn supplier(
    kervan: &Kervan,
    order: &Order,
    number: u8,
) -> Result<Arc<dyn Account>, CallError> {
    let supplier = order
        .purchase(number)
        .and_then(|purchase| purchase.lines.first())
        .map_or(&order.key.channel, |line| &line.offer.supplier);
    kervan.accounts.get(supplier).await
}

/// The conditional write that makes this worker the only one who may call the supplier.
async fn take_lease(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    writes: Vec<Write>,
) -> Result<(), FlowError> {
    let lease_until = kervan
        .clock
        .now()
        .checked_add(LEASE)
        .unwrap_or(Timestamp::MAX);
    let started = Event::PlacingStarted {
        purchase: number,
        lease_until,
    };
    Ok(ledger::record(kervan, order, &[started], writes).await?)
}

/// Records what a call to the supplier came to, as long as the purchase is still where this worker left it.
async fn record_outcome(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    events: &[Event],
    writes: &[Write],
) -> Result<(), FlowError> {
    let state = |order: &Order| {
        order
            .purchase(number)
            .map(|purchase| purchase.state.clone())
    };
    let mine = state(order);
    let is_mine = |now: &Order| state(now) == mine || !stands(Guard::StillMine);
    ledger::record_outcome(kervan, order, events, writes, is_mine).await
}

async fn call(
    account: &Arc<dyn Account>,
    order: &Order,
    number: u8,
    buyer: &Buyer,
) -> Result<Placed, CallError> {
    let (Some(buy), Some(purchase)) = (account.buy(), order.purchase(number)) else {
        let code = "not-a-supplier";
        return Err(CallError::new(
            account.id(),
            "place",
            Kind::Misconfigured,
            Retry::Person,
            code,
        ));
    };
    let request = PlaceRequest {
        reference: &purchase.reference,
        lines: &purchase.lines,
        buyer,
        not_after: match purchase.state {
            PurchaseState::Placing { lease_until, .. } => lease_until,
            _ => Timestamp::MIN,
        },
    };
    buy.place(&request).await
}

/// The supplier has it. Each of its numbers leads back to the order from now on.
async fn note_placed(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    supplier_orders: Vec<SupplierOrderId>,
) -> Result<(), FlowError> {
    let Some(purchase) = order.purchase(number).cloned() else {
        return Ok(());
    };
    let mut writes = plan::bought(&purchase);
    for id in &supplier_orders {
        let key = keys::supplier_order(&purchase.lines[0].offer.supplier, id);
        let item = Item::new(key, 1, ledger::write(&order.key)?);
        writes.push(Write::Put {
            item,
            only_if: Condition::Always,
        });
    }
    let unknown = supplier_orders.is_empty();
    let mut events = vec![Event::Placed {
        purchase: number,
        supplier_orders,
    }];
    let passed = order
        .attention
        .as_ref()
        .is_some_and(|attention| attention.reason.passes());
    let waits_for_lines = order
        .attention
        .as_ref()
        .is_some_and(|attention| matches!(attention.reason, Reason::LinesMissing { .. }));
    if unknown && (passed || order.attention.is_none()) {
        events.push(Event::AttentionRaised {
            reason: Reason::PurchaseNumberUnknown,
        });
    } else if passed && !(waits_for_lines && sends_the_rest(order)) {
        events.push(Event::AttentionCleared);
    }
    record_outcome(kervan, order, number, &events, &writes).await?;
    tracing::info!(order = %order.key, purchase = number, "A purchase was placed.");
    Ok(())
}

/// The call of a first attempt failed: what is known decides.
async fn not_placed(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    account: &dyn Account,
    error: CallError,
) -> Result<(), FlowError> {
    tracing::warn!(order = %order.key, purchase = number, %error, "A purchase was not placed.");
    match error.effect {
        Effect::Happened => note_placed(kervan, order, number, Vec::new()).await,
        Effect::Unknown if stands(Guard::DoubtFirst) => doubt(kervan, order, number, account).await,
        Effect::None | Effect::Unknown => {
            let tries = match order.purchase(number).map(|purchase| &purchase.state) {
                Some(PurchaseState::Placing { attempt, .. }) => *attempt,
                _ => 0,
            };
            let out_of_stock = error.kind == Kind::OutOfStock && tries >= MOST_STOCK_TRIES;
            let refused = matches!(error.kind, Kind::AddressRefused | Kind::NotDeliverable);
            if out_of_stock || refused || error.retry == Retry::Permanent {
                refuse(kervan, order, number, &error).await
            } else {
                postpone(kervan, order, number, &error).await
            }
        }
    }
}

/// Proven without effect and it may work later, by itself or once a person has mended something.
async fn postpone(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    error: &CallError,
) -> Result<(), FlowError> {
    let mut events = Vec::new();
    if let Some(PurchaseState::Placing { .. }) = order.purchase(number).map(|p| &p.state) {
        let wait = SignedDuration::try_from(wait_of(error)).unwrap_or(SignedDuration::ZERO);
        let retry_at = kervan
            .clock
            .now()
            .checked_add(wait)
            .unwrap_or(Timestamp::MAX);
        events.push(Event::NotPlaced {
            purchase: number,
            retry_at,
        });
    }
    match reason_of(error) {
        Some(reason) if order.attention.as_ref().is_none_or(|a| a.reason != reason) => {
            events.push(Event::AttentionRaised { reason });
        }
        _ => {}
    }
    if events.is_empty() {
        return Ok(());
    }
    record_outcome(kervan, order, number, &events, &[]).await
}

/// Proven without effect, and it will not work: the units are free again, and the next offer may be tried.
async fn refuse(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    error: &CallError,
) -> Result<(), FlowError> {
    let Some(purchase) = order.purchase(number) else {
        return Ok(());
    };
    let refusal = match error.kind {
        Kind::OutOfStock => Refusal::Stock,
        Kind::AddressRefused | Kind::NotDeliverable => Refusal::Address,
        _ => Refusal::Other,
    };
    let writes = plan::release(&purchase.lines, kervan.clock.now());
    let refused = Event::Refused {
        purchase: number,
        refusal,
        code: error.code.clone(),
    };
    record_outcome(kervan, order, number, &[refused], &writes).await
}

/// Nobody knows. It is settled after the supplier's settling time, and nothing else is done until then.
async fn doubt(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    account: &dyn Account,
) -> Result<(), FlowError> {
    let after = match account.buy().map(crate::marketplaces::Buy::settle) {
        Some(Settle::LookUp { .. }) if !stands(Guard::SettlingTime) => Duration::ZERO,
        Some(Settle::LookUp { listed_within }) => {
            Duration::try_from(surely_listed(listed_within)).unwrap_or(Duration::MAX)
        }
        Some(Settle::Repeat { after, .. }) => after,
        Some(Settle::Person) | None => Duration::ZERO,
    };
    record_doubt(kervan, order, number, after).await
}

/// A settling look failed: that says nothing of the first attempt, whatever the error is.
async fn still_in_doubt(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    error: &CallError,
) -> Result<(), FlowError> {
    tracing::warn!(order = %order.key, purchase = number, %error, "A doubt could not be settled yet.");
    if error.effect == Effect::Happened {
        return note_placed(kervan, order, number, Vec::new()).await;
    }
    if error.retry == Retry::Person && error.effect == Effect::None {
        let reason = reason_of(error).unwrap_or(Reason::PurchaseInDoubt);
        record_doubt(kervan, order, number, PERSON_PAUSE).await?;
        return forward::raise(kervan, order, reason).await;
    }
    // For ever longer: a doubt that a minute did not settle will hardly be settled by the next one.
    let age = match order.purchase(number).map(|purchase| &purchase.state) {
        Some(PurchaseState::Placing { first_sent_at, .. }) => {
            kervan.clock.now().duration_since(*first_sent_at)
        }
        _ => SignedDuration::ZERO,
    };
    let age = Duration::try_from(age).unwrap_or_default();
    let pause = wait_of(error).max(DOUBT_PAUSE).max(age / 4);
    record_doubt(kervan, order, number, pause).await
}

async fn record_doubt(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    after: Duration,
) -> Result<(), FlowError> {
    let Some(PurchaseState::Placing { doubt, .. }) = order.purchase(number).map(|p| &p.state)
    else {
        return Ok(());
    };
    let now = kervan.clock.now();
    let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::MAX);
    let doubt = Doubt {
        since: doubt.map_or(now, |doubt| doubt.since),
        settle_at: now.checked_add(after).unwrap_or(Timestamp::MAX),
    };
    let doubted = Event::Doubted {
        purchase: number,
        doubt,
    };
    record_outcome(kervan, order, number, &[doubted], &[]).await
}

/// The buyer: what the channel just said on a first attempt, else what was sealed. `None` once it is gone.
async fn buyer_of(
    kervan: &Kervan,
    order: &Order,
    fresh: Option<&Buyer>,
) -> Result<Option<Buyer>, FlowError> {
    if order.buyer_erased {
        return Ok(None);
    }
    if let Some(buyer) = fresh {
        return Ok(Some(buyer.clone()));
    }
    let Some(item) = kervan.store.get(&keys::buyer(&order.key)).await? else {
        return Ok(None);
    };
    let sealed: Sealed = ledger::read(&item.body)?;
    let plain = kervan.seal.open(&order.key.to_string(), &sealed).await?;
    let buyer = serde_json::from_slice(&plain)
        .map_err(|_| SealError::Refused("the sealed buyer is not what it should be".to_owned()))?;
    Ok(Some(buyer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::SURELY_LANDED;
    use crate::marketplaces::alibaba::{cn1688, icbu};

    /// The `Timeout` of a function in the template, in seconds.
    fn timeout_s(function: &str) -> i64 {
        let template = include_str!("../../../template.yaml");
        let code = format!("CodeUri: functions/{function}\n");
        let (_, properties) = template.split_once(&code).unwrap();
        let (_, timeout) = properties.split_once("Timeout: ").unwrap();
        timeout.lines().next().unwrap().trim().parse().unwrap()
    }

    #[test]
    fn a_lease_is_longer_than_the_run_that_holds_it() {
        for function in ["order-forwarder", "tracking-updater", "inventory-poller"] {
            let timeout = SignedDuration::from_secs(timeout_s(function));
            assert!(timeout <= LONGEST_RUN, "{function}");
        }
        assert!(LONGEST_RUN < LEASE);
        assert_eq!(SURELY_LANDED, LONGEST_RUN + LANDS_WITHIN);
    }

    #[test]
    fn a_search_proves_an_absence_only_when_the_latest_call_would_be_listed() {
        for listed_within in [icbu::limits::LISTED_WITHIN, cn1688::limits::LISTED_WITHIN] {
            let listed = SignedDuration::try_from(listed_within).unwrap();
            // Called at the end of the run, effective as late as can be, listed as late as the adapter says.
            let run = SignedDuration::from_secs(timeout_s("order-forwarder"));
            assert!(LEASE + surely_listed(listed_within) > run + LANDS_WITHIN + listed);
        }
    }
}
