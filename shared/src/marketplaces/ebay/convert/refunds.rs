//! Refunds: of the whole order and of its lines.

use super::{BadField, money};
use crate::domain::{Currency, Money};
use crate::marketplaces::ebay::wire;
use crate::marketplaces::{RefundReason, RefundState, Refunded};

/// eBay's word for why money is given back (`ReasonForRefundEnum`).
pub(in crate::marketplaces::ebay) const fn refund_reason(reason: RefundReason) -> &'static str {
    match reason {
        RefundReason::CustomerCancelled => "BUYER_CANCEL",
        RefundReason::OutOfStock => "SELLER_CANCEL",
        RefundReason::NotReceived => "ITEM_NOT_RECEIVED",
        RefundReason::NotAsDescribed => "ITEM_NOT_AS_DESCRIBED",
        RefundReason::Goodwill => "OTHER_ADJUSTMENT",
    }
}

/// How far a refund is (`RefundStatusEnum`). A word of tomorrow is not taken for an end.
pub(in crate::marketplaces::ebay) fn refund_state(status: Option<&str>) -> RefundState {
    match status {
        Some("REFUNDED") => RefundState::Paid,
        Some("FAILED") => RefundState::Failed,
        _ => RefundState::Pending,
    }
}

/// All refunds of an order: of the whole, and of its lines, which have no status but a date once they are paid. A refund of a
/// line can stand at the order too, under the same id or, because one of the two places may show none, with the same amount;
/// it is one, with what the order says of it.
pub(in crate::marketplaces::ebay) fn refunds(
    order: &wire::Order,
) -> Result<Vec<Refunded>, BadField> {
    let summary = order.payment_summary.as_ref();
    let of_order = summary.and_then(|summary| summary.refunds.as_deref());
    let of_order = of_order.unwrap_or_default().iter().map(|refund| {
        let state = refund_state(refund.refund_status.as_deref());
        refunded(refund, state, "paymentSummary.refunds")
    });
    let lines = order.line_items.as_deref().unwrap_or_default().iter();
    let of_lines = lines.flat_map(|line| line.refunds.as_deref().unwrap_or_default());
    let of_lines =
        of_lines.map(|refund| refunded(refund, state_of_line(refund), "lineItems.refunds"));
    let mut all = of_order.collect::<Result<Vec<_>, _>>()?;
    let mut twice: Vec<usize> = (0..all.len()).collect();
    for refund in of_lines {
        let refund: Refunded = refund?;
        let is_it = |place: &usize| {
            let known = &all[*place];
            let has_ids = !known.id.is_empty() && !refund.id.is_empty();
            known.amount == refund.amount && (!has_ids || known.id == refund.id)
        };
        match twice.iter().position(is_it) {
            Some(place) => drop(twice.swap_remove(place)),
            None => all.push(refund),
        }
    }
    Ok(all)
}

fn refunded(
    refund: &wire::OrderRefund,
    state: RefundState,
    field: &'static str,
) -> Result<Refunded, BadField> {
    // One that was made in eBay's own pages has only the second.
    let id = refund
        .refund_id
        .as_ref()
        .or(refund.refund_reference_id.as_ref());
    Ok(Refunded {
        id: id.cloned().unwrap_or_default(),
        amount: money(refund.amount.as_ref(), field)?,
        state,
    })
}

/// The ids of refunds that failed. A line's refund has no state of its own.
pub(super) fn failed_refunds(order: &wire::Order) -> Vec<&str> {
    let summary = order.payment_summary.as_ref();
    let refunds = summary.and_then(|summary| summary.refunds.as_deref());
    let refunds = refunds.unwrap_or_default().iter();
    let failed = refunds
        .filter(|refund| refund_state(refund.refund_status.as_deref()) == RefundState::Failed);
    failed
        .filter_map(|refund| refund.refund_id.as_deref())
        .collect()
}

/// What was paid back of a line, and what is about to be, without what failed.
pub(super) fn refunds_of(
    line: &wire::LineItem,
    currency: Currency,
    failed: &[&str],
) -> Result<(Money, Money), BadField> {
    let field = "lineItems.refunds";
    let (mut paid, mut under_way) = (Money::zero(currency), Money::zero(currency));
    for refund in line.refunds.as_deref().unwrap_or_default() {
        let state = match refund.refund_id.as_deref() {
            Some(id) if failed.contains(&id) => RefundState::Failed,
            _ => state_of_line(refund),
        };
        let sum = match state {
            RefundState::Paid => &mut paid,
            RefundState::Pending => &mut under_way,
            RefundState::Failed => continue,
        };
        let amount = money(refund.amount.as_ref(), field)?;
        *sum = sum.plus(amount).ok_or(BadField(field))?;
    }
    Ok((paid, under_way))
}

/// A line's refund has a date once it is paid, and as a rule no state.
fn state_of_line(refund: &wire::OrderRefund) -> RefundState {
    match (&refund.refund_status, &refund.refund_date) {
        (Some(status), _) => refund_state(Some(status)),
        (None, Some(_)) => RefundState::Paid,
        (None, None) => RefundState::Pending,
    }
}

/// What was paid back of the order and of its lines, or is about to be. A refund of a line can stand at the order too: under
/// the same id or, because one of the two places may show none, with the same amount. It counts once.
pub(super) fn refunded_minor(order: &wire::Order, currency: Currency) -> Result<i64, BadField> {
    let failed = failed_refunds(order);
    let is_failed = |refund: &&wire::OrderRefund| {
        let id = refund.refund_id.as_deref();
        id.is_some_and(|id| failed.contains(&id))
    };
    let amount = |refund: &wire::OrderRefund| {
        let amount = money(refund.amount.as_ref(), "refunds.amount")?;
        if amount.currency == currency {
            Ok(amount.minor)
        } else {
            Err(BadField("refunds.amount.currency"))
        }
    };
    let summary = order.payment_summary.as_ref();
    let of_order = summary.and_then(|summary| summary.refunds.as_deref());
    let of_order = of_order.unwrap_or_default().iter();
    let mut seen = Vec::new();
    for refund in of_order.filter(|refund| !is_failed(refund)) {
        seen.push((refund.refund_id.as_deref(), amount(refund)?));
    }
    let mut sum: i64 = seen.iter().map(|(_, minor)| *minor).sum();
    let lines = order.line_items.as_deref().unwrap_or_default().iter();
    let of_lines = lines.flat_map(|line| line.refunds.as_deref().unwrap_or_default());
    for refund in of_lines.filter(|refund| !is_failed(refund)) {
        let (id, minor) = (refund.refund_id.as_deref(), amount(refund)?);
        let is_it = |(other, theirs): &(Option<&str>, i64)| match (id, other) {
            (Some(id), Some(other)) => id == *other,
            _ => minor == *theirs,
        };
        match seen.iter().position(is_it) {
            Some(place) => drop(seen.swap_remove(place)),
            None => sum = sum.saturating_add(minor),
        }
    }
    Ok(sum)
}
