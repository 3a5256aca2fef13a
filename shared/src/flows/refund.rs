//! A person gives a customer money back. The intent is recorded before the channel is told, because a repeat pays twice:
//! whatever fails, the next try first reads what the channel has.
//!
//! A refund stops the buying of what it pays back: of all lines where it gives back all that is left, else of the lines that
//! the person names. Of an open order one of both has to be said, or that all of it is still to be sent.
//!
//! **Invariant:** an order's refunds, those that may have been paid included, are never more than its total.

use super::ledger::{self, NotRecorded};
use super::{FlowError, LANDS_WITHIN};
use crate::Accounts;
use crate::clock::Clock;
use crate::domain::{
    Event, LineId, Money, Order, OrderKey, OrderLine, OrderRefund, OrderRefundState, Phase, Reason,
    RefundReason, Remark, safe_code,
};
use crate::marketplaces::{CallError, Effect, Refund, RefundRequest, RefundState, Refunded};
use crate::store::Store;
use jiff::{SignedDuration, Timestamp};

/// The code of a refund that the channel took and that failed there.
const FAILED: &str = "failed-at-channel";

/// Longer than a request can take to be made.
const LEASE: SignedDuration = SignedDuration::from_mins(2);

/// What a person wants to give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundOrder {
    /// How much.
    pub amount: Money,
    /// What of the order need not be sent any more because of it.
    pub stops: Stops,
    /// Why, in the channel's words.
    pub reason: RefundReason,
    /// Said to the customer; empty where nothing is said.
    pub comment: String,
    /// Why, in the person's words.
    pub why: Remark,
    /// By whom.
    pub by: Remark,
}

/// What of an order need not be sent any more because money is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stops {
    /// Nobody has said. A refund of all that is left needs no word: it stops the order.
    Unsaid,
    /// These lines.
    Lines(Vec<LineId>),
    /// Nothing: all of it is still to be sent.
    Nothing,
}

/// Why nothing more was given back.
#[derive(Debug, thiserror::Error)]
pub enum RefundError {
    /// Kervan does not have the order.
    #[error("the order is not in the table: it was never recorded, or the id is another")]
    UnknownOrder,
    /// The channel has no call for it.
    #[error("this channel takes refunds on its own pages only")]
    NotOffered,
    /// More than is left.
    #[error("at most {0} of the order is left to be given back")]
    TooMuch(Money),
    /// Another currency than the order's, or nothing.
    #[error("the amount must be more than nothing, in the order's currency")]
    Amount,
    /// Nobody has said what becomes of the goods.
    #[error(
        "the order is open, and a part of its price says nothing of the goods: name the lines that need not be sent any more with --line (it has {0}), or say with --keep-buying that all of it is still to be sent"
    )]
    Unsaid(String),
    /// The order has no such line.
    #[error("the order has no line {line}: it has {lines}")]
    NoSuchLine {
        /// The line that was named.
        line: LineId,
        /// The lines that there are.
        lines: String,
    },
    /// An earlier refund may still be on its way.
    #[error("an earlier refund got no answer; whether it was paid can be read from {0} on")]
    Unsettled(Timestamp),
    /// An earlier refund, which got no answer, was paid.
    #[error("an earlier refund that got no answer was paid, as {0}; nothing was paid now")]
    WasPaid(String),
    /// It got no answer: run it again later, and it is looked for first.
    #[error("the channel did not answer, so the refund may have been paid: {0}")]
    Unanswered(CallError),
    /// The channel refused.
    #[error("the channel was asked and refused: {0}")]
    Refused(CallError),
    /// The channel took it, and it failed there.
    #[error("the channel took the refund as {0}, and it failed there: nothing was paid")]
    Failed(String),
    /// The channel could not be asked; nothing was recorded and nothing paid.
    #[error("the channel cannot be asked: {0}")]
    Unasked(CallError),
    /// Something else.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl From<NotRecorded> for RefundError {
    fn from(error: NotRecorded) -> Self {
        Self::Flow(error.into())
    }
}

/// Gives money back. The order is returned with what was recorded.
pub async fn refund(
    accounts: &Accounts,
    store: &dyn Store,
    clock: &dyn Clock,
    key: &OrderKey,
    wanted: &RefundOrder,
) -> Result<(Order, Refunded), RefundError> {
    let order = ledger::load(store, key).await?;
    let mut order = order.ok_or(RefundError::UnknownOrder)?;
    let account = accounts.get(&key.channel).await;
    let account = account.map_err(RefundError::Unasked)?;
    let channel = account.refund().ok_or(RefundError::NotOffered)?;
    let known = channel.refunds(&key.id).await;
    let known = known.map_err(RefundError::Unasked)?;
    settle(store, clock, &mut order, &known).await?;
    let failed = known.iter().filter(|one| one.state == RefundState::Failed);
    let failed: Vec<String> = failed.map(|one| one.id.clone()).collect();
    for event in failures(&order, &failed) {
        record(store, clock, &mut order, event).await?;
    }
    let left = check_amount(&order, &known, wanted.amount)?;
    let lines = stopped_lines(&order, wanted, left)?;
    let line = only_line(&order, &lines);

    let now = clock.now();
    let lease_until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
    let number = next_number(&order);
    let started = Event::RefundStarted {
        refund: number,
        amount: wanted.amount,
        lines,
        lease_until,
        reason: wanted.reason,
        why: wanted.why.clone(),
        by: wanted.by.clone(),
    };
    record(store, clock, &mut order, started).await?;
    let waits = order.attention.as_ref().map(|attention| &attention.reason);
    if waits == Some(&Reason::RefundFailed) {
        record(store, clock, &mut order, Event::AttentionCleared).await?;
    }
    let request = RefundRequest {
        amount: wanted.amount,
        line,
        reason: wanted.reason,
        comment: wanted.comment.clone(),
        not_after: lease_until,
    };
    pay(store, clock, &mut order, channel, number, &request).await
}

/// Refunds of ours that the channel had taken and that have failed there, by its ids.
pub(super) fn failures(order: &Order, failed: &[String]) -> Vec<Event> {
    let is_failed = |refund: &&OrderRefund| match &refund.state {
        OrderRefundState::Issued { id } => failed.contains(id),
        _ => false,
    };
    let ours = order.refunds.iter().filter(is_failed);
    ours.map(|refund| Event::RefundFailed {
        refund: refund.number,
        code: FAILED.to_owned(),
    })
    .collect()
}

async fn pay(
    store: &dyn Store,
    clock: &dyn Clock,
    order: &mut Order,
    channel: &dyn Refund,
    number: u8,
    request: &RefundRequest,
) -> Result<(Order, Refunded), RefundError> {
    match channel.refund(&order.key.id, request).await {
        Ok(refunded) if refunded.state == RefundState::Failed => {
            let failed = Event::RefundFailed {
                refund: number,
                code: FAILED.to_owned(),
            };
            record(store, clock, order, failed).await?;
            Err(RefundError::Failed(refunded.id))
        }
        Ok(refunded) => {
            let id = refunded.id.clone();
            let issued = Event::RefundIssued { refund: number, id };
            record(store, clock, order, issued).await?;
            Ok((order.clone(), refunded))
        }
        Err(error) if error.effect == Effect::None => {
            let code = error.code.clone();
            let failed = Event::RefundFailed {
                refund: number,
                code,
            };
            record(store, clock, order, failed).await?;
            Err(RefundError::Refused(error))
        }
        Err(error) => Err(RefundError::Unanswered(error)),
    }
}

/// Finds out about a refund that got no answer. It is the channel's refund of this amount that no other of ours is.
async fn settle(
    store: &dyn Store,
    clock: &dyn Clock,
    order: &mut Order,
    known: &[Refunded],
) -> Result<(), RefundError> {
    let open = order.refunds.iter().find_map(|refund| match refund.state {
        OrderRefundState::Started { lease_until } => Some((refund.clone(), lease_until)),
        _ => None,
    });
    let Some((open, lease_until)) = open else {
        return Ok(());
    };
    let is_ours = |id: &str| {
        let mut states = order.refunds.iter().map(|refund| &refund.state);
        states.any(|state| matches!(state, OrderRefundState::Issued { id: ours } if ours == id))
    };
    let found = known.iter().find(|refunded| {
        refunded.state != RefundState::Failed
            && refunded.amount == open.amount
            && !is_ours(&refunded.id)
    });
    let refund = open.number;
    if let Some(found) = found {
        let id = found.id.clone();
        let issued = Event::RefundIssued {
            refund,
            id: id.clone(),
        };
        record(store, clock, order, issued).await?;
        return Err(RefundError::WasPaid(id));
    }
    // A request that was sent in the lease's last moment may still land.
    let sure_at = lease_until.checked_add(LANDS_WITHIN);
    let sure_at = sure_at.unwrap_or(Timestamp::MAX);
    if clock.now() < sure_at {
        return Err(RefundError::Unsettled(sure_at));
    }
    let code = "not-at-channel".to_owned();
    record(store, clock, order, Event::RefundFailed { refund, code }).await
}

/// Checks the amount; what can be given back at the most.
fn check_amount(order: &Order, known: &[Refunded], amount: Money) -> Result<i64, RefundError> {
    let total = order.details.total;
    if amount.currency != total.currency || amount.minor <= 0 {
        return Err(RefundError::Amount);
    }
    // What was given back on the channel's pages counts too.
    let ours = order.refunds.iter().filter(|refund| refund.counts());
    let ours: i64 = ours.map(|refund| refund.amount.minor).sum();
    let theirs = known
        .iter()
        .filter(|refunded| refunded.state != RefundState::Failed);
    let theirs: i64 = theirs.map(|refunded| refunded.amount.minor).sum();
    let left = total.minor.saturating_sub(ours.max(theirs));
    if amount.minor > left {
        return Err(RefundError::TooMuch(Money {
            minor: left.max(0),
            currency: total.currency,
        }));
    }
    Ok(left)
}

/// The lines that need not be sent any more: all of them where all that is left is given back, else those that the person
/// names. An order that is over buys nothing, so nothing has to be said of it.
fn stopped_lines(
    order: &Order,
    wanted: &RefundOrder,
    left: i64,
) -> Result<Vec<LineId>, RefundError> {
    let all = || order.details.lines.iter();
    let named = || {
        let lines = all().map(|line| format!("{} {}", line.id, safe_code(&line.sku)));
        lines.collect::<Vec<_>>().join(", ")
    };
    if wanted.amount.minor >= left {
        return Ok(all().map(|line| line.id.clone()).collect());
    }
    match &wanted.stops {
        Stops::Lines(lines) => {
            let is_unknown = |line: &&LineId| all().all(|known| known.id != **line);
            if let Some(line) = lines.iter().find(is_unknown) {
                return Err(RefundError::NoSuchLine {
                    line: line.clone(),
                    lines: named(),
                });
            }
            let is_named = |line: &&OrderLine| lines.contains(&line.id);
            Ok(all().filter(is_named).map(|line| line.id.clone()).collect())
        }
        Stops::Nothing => Ok(Vec::new()),
        Stops::Unsaid if order.phase == Phase::Open => Err(RefundError::Unsaid(named())),
        Stops::Unsaid => Ok(Vec::new()),
    }
}

/// The line that a refund is for, where it is one of several. Of several at once a channel may make several refunds, and
/// one that got no answer could not be found again by its amount.
fn only_line(order: &Order, lines: &[LineId]) -> Option<LineId> {
    match lines {
        [line] if order.details.lines.len() > 1 => Some(line.clone()),
        _ => None,
    }
}

fn next_number(order: &Order) -> u8 {
    u8::try_from(order.refunds.len() + 1).unwrap_or(u8::MAX)
}

async fn record(
    store: &dyn Store,
    clock: &dyn Clock,
    order: &mut Order,
    event: Event,
) -> Result<(), RefundError> {
    let now = clock.now();
    Ok(ledger::record_in_haste(store, now, order, &[event], Vec::new()).await?)
}

#[cfg(test)]
mod tests;
