//! What must hold once nothing happens any more: counted at the marketplaces, compared with the table.

use crate::monitor::{Monitor, StoredOffer, still_wanted};
use crate::stage::{NEVER_IN_THE_OPEN, Stage};
use futures_util::FutureExt;
use jiff::Timestamp;
use kervan::clock::Clock;
use kervan::domain::{EvidenceRule, Order, Phase, PurchaseState, Sku};
use kervan::flows::catalog;
use kervan::store::{Store, keys};
use kervan_marketplaces::ebay::{CancelState, EbayLineView, EbayOrderView};

/// Checks the end and says of each order, in the order of the customers, how it ended.
pub(crate) fn check(stage: &Stage, monitor: &Monitor) -> Vec<String> {
    let orders = monitor.orders_now();
    let mut ends = Vec::new();
    for (channel, sold) in stage.sold() {
        let order = orders
            .iter()
            .find(|order| order.key.channel == channel && order.key.id.as_str() == sold.order_id);
        ends.push(match order {
            Some(order) => {
                units(monitor, order, &sold);
                erased(stage, monitor, order);
                end_of(order)
            }
            // It was over before Kervan saw it.
            None if sold.cancel == CancelState::Canceled => "left_alone".to_owned(),
            None => {
                monitor.report(
                    "I1",
                    format!("{} was sold and never recorded", sold.order_id),
                );
                "lost".to_owned()
            }
        });
    }
    for body in stage.dead.bodies() {
        monitor.report("I1", format!("a message has died: {body}"));
        if NEVER_IN_THE_OPEN.iter().any(|word| body.contains(word)) {
            monitor.report("I7", "a buyer's data lies in the dead-letter queue");
        }
    }
    check_listings(stage, monitor);
    monitor.replay_everything().now_or_never();
    ends
}

/// How an order ended, in a word.
fn end_of(order: &Order) -> String {
    match (&order.phase, &order.attention) {
        (Phase::Done, _) => "done".to_owned(),
        (Phase::Cancelled, _) => "cancelled".to_owned(),
        (Phase::Open, Some(attention)) => attention.reason.code(),
        (Phase::Open, None) => "open".to_owned(),
    }
}

/// I6 and I4: what was bought is what was sold, and the customer knows of all of it.
fn units(monitor: &Monitor, order: &Order, sold: &EbayOrderView) {
    let key = &order.key;
    let of_line = |line: &EbayLineView| monitor.part_units(line, line.quantity);
    let wanted: u32 = sold.lines.iter().map(of_line).sum();
    // What somebody else has shipped or paid back may have been bought before, and then a person was told.
    let of_line = |line: &EbayLineView| monitor.part_units(line, still_wanted(line));
    let least: u32 = sold.lines.iter().map(of_line).sum();
    let is_told = |line: &EbayLineView| line.shipped - line.shipped_by_hand >= still_wanted(line);
    let is_told = sold.lines.iter().all(is_told);
    let all_bought = monitor.units_bought();
    let of_order = all_bought.iter().filter(|((order, _), _)| order == key);
    let bought: u32 = of_order.map(|(_, units)| units).sum();
    let in_doubt = |state: &PurchaseState| matches!(state, PurchaseState::Placing { .. });
    let doubtful = order.purchases.iter().any(|one| in_doubt(&one.state));
    let live = order
        .purchases
        .iter()
        .filter(|one| one.is_live() && !in_doubt(&one.state));
    let known: u32 = live
        .flat_map(|one| &one.lines)
        .map(|line| line.quantity)
        .sum();
    if bought > wanted {
        let what = format!("{key}: {bought} units bought for {wanted} sold");
        monitor.report("I6", what);
    }
    if bought != known && !doubtful {
        let what = format!("{key}: {bought} units at suppliers, the order knows of {known}");
        monitor.report("I6", what);
    }
    match order.phase {
        Phase::Done if bought < least => {
            monitor.report(
                "I6",
                format!("{key} is done with {bought} of {least} units"),
            );
        }
        Phase::Done if !is_told => {
            monitor.report(
                "I4",
                format!("{key} is done, and not all of it is confirmed"),
            );
        }
        Phase::Cancelled if bought > 0 => {
            monitor.report(
                "I6",
                format!("{key} is cancelled, and {bought} units are bought"),
            );
        }
        Phase::Open if order.attention.is_none() => {
            monitor.report("I3", format!("{key} is still open"));
        }
        _ => {}
    }
}

/// I7: what was erased is gone.
fn erased(stage: &Stage, monitor: &Monitor, order: &Order) {
    if order.buyer_erased && !monitor.is_erasure_demanded() {
        monitor.report(
            "I7",
            format!("{}'s buyer was erased, and nobody asked for it", order.key),
        );
    }
    let item = stage.store.get(&keys::buyer(&order.key)).now_or_never();
    if order.buyer_erased && !matches!(item, Some(Ok(None))) {
        monitor.report(
            "I7",
            format!("{}'s buyer was erased and is there", order.key),
        );
    }
}

/// I5, wherever nobody is at work: no listing shows more than is known to be free, unless its stock is due for a look.
pub(crate) fn check_listings(stage: &Stage, monitor: &Monitor) {
    let now = stage.clock.now();
    let offers = monitor.offers_now();
    let rule = monitor.evidence_rule();
    let views = stage.channels().into_iter();
    for view in views.flat_map(|(_, ebay)| ebay.listings()) {
        let Ok(sku) = Sku::parse(&view.sku) else {
            continue;
        };
        let parts = monitor.parts_of(&sku).into_iter();
        // A part that is due is nobody's word yet.
        let free: Option<Vec<i64>> = parts
            .map(|part| Some(free_units(&offers, &part.sku, &rule, now)? / i64::from(part.units)))
            .collect();
        let free = free.and_then(|free| free.into_iter().min());
        if let Some(free) = free.filter(|free| i64::from(view.quantity) > *free) {
            let what = format!("{} shows {}, and {free} are free", view.sku, view.quantity);
            monitor.report("I5", what);
        }
    }
}

/// Units of a sku that no order has taken, by what is known; none where an offer of it is due for a look.
fn free_units(
    offers: &[StoredOffer],
    sku: &Sku,
    rule: &EvidenceRule,
    now: Timestamp,
) -> Option<i64> {
    let offers = offers.iter().filter(|stored| stored.offer.sku == *sku);
    let is_due = |stored: &StoredOffer| stored.due.as_ref().is_some_and(|due| due.at <= now);
    if offers.clone().any(is_due) {
        return None;
    }
    let free = offers.filter_map(|stored| {
        let evidence = stored.offer.evidence.as_ref()?;
        let is_known = now.duration_since(evidence.at) <= rule.worthless();
        let units = stored.counter(catalog::FREE);
        Some(if is_known { units.max(0) } else { 0 })
    });
    Some(free.sum())
}
