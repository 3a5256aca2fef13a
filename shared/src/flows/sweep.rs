//! What pushes missed: every channel is asked for orders that changed, and every order that is due is queued.

use super::{FlowError, forward, intake, ledger, reason_of, write_unless_changed};
use crate::Kervan;
use crate::decide::attention_retry_is_due;
use crate::domain::{
    AccountId, Attention, ChannelOrderId, Order, OrderKey, Reason, Signal, SignalKind,
};
use crate::guards::{Guard, stands};
use crate::marketplaces::{CallError, PullMissed, ReadOrders, Retry};
use crate::store::{Condition, Item, Write, keys};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often the order-sweeper runs, as the template says.
pub const SWEEP_INTERVAL: SignedDuration = SignedDuration::from_mins(5);
/// Spans overlap by so much: pages shift while orders change, and a channel shows a change late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(10);
/// The first sweep of an account looks back so far. Orders that are older are the merchant's own affair.
const FIRST_LOOK: SignedDuration = SignedDuration::from_hours(24);
/// The most pages of one span: 20,000 orders at eBay. With more, the span is read again until it is whole.
const MOST_PAGES: usize = 100;
/// A supplier's entry in the attention list stands for so long.
const SUPPLIER_ENTRY: SignedDuration = SignedDuration::from_hours(1);
/// The most pages of missed pushes that one sweep takes; the next one goes on.
const MOST_MISSED_PAGES: usize = 10;
/// The most due orders that one sweep queues.
const MOST_DUE: usize = 1000;

/// How far an account's orders were read.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Cursor {
    /// Orders that changed up to here are queued.
    until: Option<Timestamp>,
    /// What was queued of the overlap, with the time of its change: not queued again.
    seen: BTreeMap<ChannelOrderId, Timestamp>,
    /// The longest span that is read at once, in seconds: narrowed where a span could not be read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    widest_s: Option<i64>,
}

/// Sweeps every channel and the index. One account's trouble does not keep the others from being swept. Returns how many
/// signals were queued.
pub async fn sweep(kervan: &Kervan) -> Result<usize, FlowError> {
    let mut queued = 0;
    for id in kervan.accounts.ids() {
        match sweep_account(kervan, id).await? {
            Ok(count) => queued += count,
            Err(error) => {
                tracing::error!(account = %id, %error, "A channel could not be swept.");
                // A passing fault is not worth a person's time; what will not pass by itself is.
                let lasting = || Reason::Misconfigured {
                    account: id.to_string(),
                    code: error.code.clone(),
                };
                let reason =
                    reason_of(&error).or_else(|| (error.retry == Retry::Permanent).then(lasting));
                if let Some(reason) = reason {
                    forward::raise_for_account(kervan, id, reason).await?;
                }
            }
        }
    }
    queued += queue_due(kervan).await?;
    queued += retry_attention(kervan).await?;
    Ok(queued)
}

async fn sweep_account(
    kervan: &Kervan,
    id: &AccountId,
) -> Result<Result<usize, CallError>, FlowError> {
    let account = match kervan.accounts.get(id).await {
        Ok(account) => account,
        Err(error) => return Ok(Err(error)),
    };
    let Some(channel) = account.read_orders() else {
        supplier_entry_ends(kervan, id).await?;
        return match account.pull_missed() {
            Some(missed) => pull_missed(kervan, missed).await,
            None => Ok(Ok(0)),
        };
    };
    let key = keys::sweep(id);
    let stored = kervan.store.get(&key).await?;
    let cursor: Cursor = stored
        .as_ref()
        .map(|item| ledger::read(&item.body))
        .transpose()?
        .unwrap_or_default();
    let now = kervan.clock.now();
    let overlap = if stands(Guard::SweepOverlap) {
        OVERLAP
    } else {
        SignedDuration::ZERO
    };
    let from = cursor
        .until
        .map_or(now - FIRST_LOOK, |until| until - overlap);
    let widest = cursor.widest_s.map(SignedDuration::from_secs);
    let end = widest.map_or(now, |widest| now.min(from + widest));
    let (changed, complete) = match read_span(channel, from, end).await {
        Ok(read) => read,
        Err(error) => return Ok(Err(error)),
    };
    let is_new = |(order, at): &(&ChannelOrderId, &Timestamp)| cursor.seen.get(*order) != Some(*at);
    let signals: Vec<Signal> = changed
        .iter()
        .filter(is_new)
        .map(|(order, _)| Signal {
            account: id.clone(),
            kind: SignalKind::OrderChanged(order.clone()),
            seen_at: now,
        })
        .collect();
    // Queued first, then remembered: the other way round a crash would lose them.
    if stands(Guard::QueueBeforeCursor) {
        intake::send(&kervan.queues.orders, &signals).await?;
    }
    let until = if complete { Some(end) } else { cursor.until };
    // A busy day's orders can be more than a limit lets through at once: half of the span is tried next, and it grows again.
    let widest_s = next_widest(end.duration_since(from), complete, cursor.widest_s);
    // Only what the next span overlaps with can be met again. A span that was not whole is read anew as a whole.
    let met_again = end - overlap;
    let seen = changed
        .into_iter()
        .filter(|(_, at)| complete && *at >= met_again)
        .collect();
    let body = ledger::write(&Cursor {
        until,
        seen,
        widest_s,
    })?;
    let version = stored.as_ref().map_or(0, |item| item.version);
    let item = Item::new(key, version + 1, body);
    let only_if = stored.map_or(Condition::Absent, |item| Condition::Version(item.version));
    let mut writes = vec![Write::Put { item, only_if }];
    if complete {
        writes.push(Write::Delete {
            key: keys::account_attention(id),
        });
    }
    // Where another sweep was as far, both queued.
    write_unless_changed(kervan, writes).await?;
    if !stands(Guard::QueueBeforeCursor) {
        intake::send(&kervan.queues.orders, &signals).await?;
    }
    Ok(Ok(signals.len()))
}

/// Queues what a platform could not push, then takes it: the other way round a crash would lose it.
async fn pull_missed(
    kervan: &Kervan,
    missed: &dyn PullMissed,
) -> Result<Result<usize, CallError>, FlowError> {
    let mut queued = 0;
    for _ in 0..MOST_MISSED_PAGES {
        let page = match missed.missed().await {
            Ok(page) if page.is_empty() => break,
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let ids: Vec<String> = page.iter().map(|missed| missed.id.clone()).collect();
        let signals = page.into_iter().flat_map(|missed| missed.signals);
        let of_supplier =
            |signal: &Signal| matches!(signal.kind, SignalKind::SupplierOrderChanged(_));
        let (tracking, orders): (Vec<_>, Vec<_>) = signals.partition(of_supplier);
        intake::send(&kervan.queues.tracking, &tracking).await?;
        intake::send(&kervan.queues.orders, &orders).await?;
        if let Err(error) = missed.take(&ids).await {
            return Ok(Err(error));
        }
        queued += tracking.len() + orders.len();
    }
    Ok(Ok(queued))
}

/// A supplier is not swept, so nothing here proves that its trouble is over: an entry of it ends after an hour, and the
/// next look at its stock makes a new one where it is not. What concerned its secret ends at once, since it could be read.
async fn supplier_entry_ends(kervan: &Kervan, id: &AccountId) -> Result<(), FlowError> {
    let key = keys::account_attention(id);
    let Some(item) = kervan.store.get(&key).await? else {
        return Ok(());
    };
    let attention: Attention = ledger::read(&item.body)?;
    let old = kervan.clock.now().duration_since(attention.since) > SUPPLIER_ENTRY;
    if old || matches!(attention.reason, Reason::Misconfigured { .. }) {
        kervan.store.write(vec![Write::Delete { key }]).await?;
    }
    Ok(())
}

/// How long the next span may be.
fn next_widest(read: SignedDuration, complete: bool, widest_s: Option<i64>) -> Option<i64> {
    let least = OVERLAP + SWEEP_INTERVAL;
    if !complete {
        return Some((read / 2).max(least).as_secs());
    }
    // Once a span is wider than any that is asked for, it is no limit any more.
    let doubled = widest_s.map(|widest| widest.saturating_mul(2));
    doubled.filter(|widest| *widest < FIRST_LOOK.as_secs())
}

/// All orders that changed in the span, and whether that was all. What was read before a passing fault counts.
async fn read_span(
    channel: &dyn ReadOrders,
    from: Timestamp,
    until: Timestamp,
) -> Result<(BTreeMap<ChannelOrderId, Timestamp>, bool), CallError> {
    let (mut changed, mut next) = (BTreeMap::new(), None);
    for _ in 0..MOST_PAGES {
        let page = match channel.changed(from, until, next.as_deref()).await {
            Ok(page) => page,
            Err(error) if next.is_some() && matches!(error.retry, Retry::After(_)) => {
                tracing::warn!(%error, "A span of orders could not be read whole; a shorter one is next.");
                return Ok((changed, false));
            }
            Err(error) => return Err(error),
        };
        changed.extend(page.orders);
        match page.next {
            Some(more) => next = Some(more),
            None => return Ok((changed, true)),
        }
    }
    Ok((changed, false))
}

/// Orders whose due time has come: retries, leases that ran out, doubts to settle, payments to look for.
async fn queue_due(kervan: &Kervan) -> Result<usize, FlowError> {
    let now = kervan.clock.now();
    let due = kervan
        .store
        .due(keys::FORWARD_LANE, Timestamp::MIN, now, MOST_DUE)
        .await?;
    let mut signals = Vec::new();
    for item in &due {
        // One item that cannot be read must not stop the others.
        match ledger::read::<Order>(&item.body) {
            Ok(order) => signals.push(order_signal(order.key, now)),
            Err(error) => tracing::error!(%error, "A due order cannot be read."),
        }
    }
    intake::send(&kervan.queues.orders, &signals).await?;
    Ok(signals.len())
}

/// Orders in the attention list whose cause may have passed.
async fn retry_attention(kervan: &Kervan) -> Result<usize, FlowError> {
    let now = kervan.clock.now();
    let waiting = kervan
        .store
        .due(keys::ATTENTION_LANE, Timestamp::MIN, now, MOST_DUE)
        .await?;
    let mut signals = Vec::new();
    for item in &waiting {
        let Ok(attention) = ledger::read::<Attention>(&item.body) else {
            tracing::error!("An entry of the attention list cannot be read.");
            continue;
        };
        let may_pass = attention.reason.passes();
        if !may_pass || !attention_retry_is_due(attention.since, now, SWEEP_INTERVAL) {
            continue;
        }
        if let Some(order) = keys::order_of_partition(&item.key.pk) {
            signals.push(order_signal(order, now));
        }
    }
    intake::send(&kervan.queues.orders, &signals).await?;
    Ok(signals.len())
}

fn order_signal(order: OrderKey, now: Timestamp) -> Signal {
    Signal {
        account: order.channel,
        kind: SignalKind::OrderChanged(order.id),
        seen_at: now,
    }
}

#[cfg(test)]
mod tests;
