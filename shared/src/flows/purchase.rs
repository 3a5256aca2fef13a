//! The purchase protocol. The only thing that cannot be undone is buying, so:
//!
//! 1. a lease is taken by a conditional write; only its writer calls the supplier;
//! 2. an error says whether the outside world changed: `None` gives the purchase back to be tried again or refused,
//!    `Happened` counts as placed, `Unknown` is a doubt;
//! 3. a doubt, or a lease that ran out, is settled before anything else, in the way that the supplier declares;
//! 4. without proof a person decides.

use super::{FlowError, forward, ledger, plan, reason_of, wait_of};
use crate::Kervan;
use crate::domain::{
    Buyer, Doubt, Event, Order, Purchase, PurchaseState, Reason, Refusal, SupplierOrderId,
};
use crate::marketplaces::{Account, CallError, Effect, Kind, PlaceRequest, Placed, Retry, Settle};
use crate::seal::{SealError, Sealed};
use crate::store::{Condition, Item, Write, keys};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Longer than the order-forwarder's timeout of 60 s with what it can still write after its call: when the lease has run
/// out, its holder is gone.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// A doubt that cannot be settled now is looked at again after this time at least.
const DOUBT_PAUSE: Duration = Duration::from_secs(60);
/// The same, where a person has to mend an account first.
const PERSON_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Takes the lease and buys. The buyer's data is what the channel just said, or what was sealed.
pub(super) async fn place(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    fresh_buyer: Option<&Buyer>,
) -> Result<(), FlowError> {
    let Some(buyer) = buyer_of(kervan, order, fresh_buyer).await? else {
        return forward::raise(kervan, order, Reason::BuyerErased).await;
    };
    let account = match supplier(kervan, order, number).await {
        Ok(account) => account,
        Err(error) => return postpone(kervan, order, number, &error).await,
    };
    take_lease(kervan, order, number).await?;
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
        Settle::LookUp { .. } => {
            take_lease(kervan, order, number).await?;
            match buy.look_up(&reference).await {
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
        Settle::Repeat { within, .. } if is_within(first_sent_at, now, within) => {
            // Exactly what was sent before, so that the supplier knows it again: the terms from the history, the buyer
            // from the seal.
            let Some(buyer) = buyer_of(kervan, order, None).await? else {
                return forward::raise(kervan, order, Reason::PurchaseInDoubt).await;
            };
            take_lease(kervan, order, number).await?;
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
async fn take_lease(kervan: &Kervan, order: &mut Order, number: u8) -> Result<(), FlowError> {
    let lease_until = kervan
        .clock
        .now()
        .checked_add(LEASE)
        .unwrap_or(Timestamp::MAX);
    let mut events = vec![Event::PlacingStarted {
        purchase: number,
        lease_until,
    }];
    // Whoever gets here was let through because this cause may have passed; another one stays.
    if order
        .attention
        .as_ref()
        .is_some_and(|attention| attention.reason.passes())
    {
        events.push(Event::AttentionCleared);
    }
    Ok(ledger::record(kervan, order, &events, Vec::new()).await?)
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
    if unknown {
        events.push(Event::AttentionRaised {
            reason: Reason::PurchaseNumberUnknown,
        });
    }
    ledger::record(kervan, order, &events, writes).await?;
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
        Effect::Unknown => doubt(kervan, order, number, account).await,
        Effect::None => match error.retry {
            Retry::After(_) if error.kind != Kind::OutOfStock => {
                postpone(kervan, order, number, &error).await
            }
            Retry::Person => postpone(kervan, order, number, &error).await,
            Retry::After(_) | Retry::Permanent => refuse(kervan, order, number, &error).await,
        },
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
    Ok(ledger::record(kervan, order, &events, Vec::new()).await?)
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
    let writes = plan::release(purchase);
    let refused = Event::Refused {
        purchase: number,
        refusal,
        code: error.code.clone(),
    };
    Ok(ledger::record(kervan, order, &[refused], writes).await?)
}

/// Nobody knows. It is settled after the supplier's settling time, and nothing else is done until then.
async fn doubt(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
    account: &dyn Account,
) -> Result<(), FlowError> {
    let after = match account.buy().map(crate::marketplaces::Buy::settle) {
        Some(Settle::LookUp { after } | Settle::Repeat { after, .. }) => after,
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
    if error.retry == Retry::Person && error.effect == Effect::None {
        let reason = reason_of(error).unwrap_or(Reason::PurchaseInDoubt);
        record_doubt(kervan, order, number, PERSON_PAUSE).await?;
        return forward::raise(kervan, order, reason).await;
    }
    record_doubt(kervan, order, number, wait_of(error).max(DOUBT_PAUSE)).await
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
    let after = SignedDuration::try_from(after).unwrap_or(SignedDuration::ZERO);
    let doubt = Doubt {
        since: doubt.map_or(now, |doubt| doubt.since),
        settle_at: now.checked_add(after).unwrap_or(Timestamp::MAX),
    };
    let doubted = Event::Doubted {
        purchase: number,
        doubt,
    };
    Ok(ledger::record(kervan, order, &[doubted], Vec::new()).await?)
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
