//! Suppliers are chosen, asked for their terms, and the units are reserved, all before any money is spent.

mod missing;
mod quote;

use super::catalog::{self, BOUGHT, FREE, StoredOffer};
use super::ledger::NotRecorded;
use super::stock::{self, InventoryTask};
use super::{FlowError, forward, ledger, mapping, reason_of, wait_of};
use crate::Kervan;
use crate::decide::{
    Candidate, Margin, Need, Route, landed, margin, most_loss, open_units, part_revenue, rest_of,
    route, sending, worst_line,
};
use crate::domain::{
    Cancel, Currency, Event, Exchange, LineDecision, LineId, MissingLine, Money, OfferId, Order,
    OrderLine, Purchase, PurchaseLine, PurchaseState, Rate, Reason, Reference, Rest, Sku,
    WhyMissing,
};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{CallError, Retry};
use crate::queue::Outgoing;
use crate::store::{Due, Guard, MOST_WRITES, Write, keys};
use jiff::{SignedDuration, Timestamp};
use missing::Denied;
use quote::{NoTerms, Short, quote_all};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a plan is made anew when offers turn out to be empty or others take their units in between.
const MOST_ROUTES: usize = 8;

/// Plans the lines that no purchase fills. `Some`: come back after this time. Whatever stands in the way for longer puts
/// the order into the attention list; what can be had without it is planned where the merchant's rule, or a person, says so.
pub(super) async fn plan(
    kervan: &Kervan,
    order: &mut Order,
) -> Result<Option<Duration>, FlowError> {
    mapping::complete(kervan, order).await?;
    let rules = kervan.rules.get().await?;
    let rest = rest_of(order, &rules.orders, kervan.clock.now());
    let mut denied = Denied::of(order);
    let mut loss: Option<Reason> = None;
    let of_lines = rest.map_or(0, |_| 2 * order.details.lines.len());
    for _ in 0..MOST_ROUTES + of_lines {
        let (mut needs, mut missing) = needs(kervan, order, rest.is_none()).await?;
        denied.narrow(&mut needs);
        missing.extend(denied.lost());
        let sending = sending(needs, missing, rest, |need| denied.why(order, need));
        if sending.now.is_empty() {
            if let Some(reason) = missing::reason(order, sending, rest, loss) {
                missing::raise(kervan, order, reason).await?;
            }
            return Ok(None);
        }
        let needs = &sending.now;
        let Ok(routed) = route(needs) else {
            break;
        };
        let planned = match quote_all(kervan, order, needs, &routed).await {
            Ok(planned) if is_too_large(&planned) => {
                return raise(kervan, order, Reason::TooLarge).await;
            }
            Ok(planned) => planned,
            Err(NoTerms::Offer(offer, line)) => {
                denied.undeliverable(offer, line);
                continue;
            }
            Err(NoTerms::Short(short)) => {
                announce_short(kervan, &short).await?;
                denied.short(short);
                continue;
            }
            Err(NoTerms::Refused(line, sku, error)) if rest.is_some() => {
                denied.refused(line, sku, error.code);
                continue;
            }
            Err(NoTerms::Refused(_, _, error) | NoTerms::Call(error)) => {
                return postpone(kervan, order, &error).await;
            }
        };
        let rates = match loses(kervan, order, &planned).await? {
            Ok(rates) => rates,
            Err(reason @ Reason::WouldLose { .. }) if rest.is_some() => {
                let Some(line) = loses_alone(kervan, order, &planned).await? else {
                    return raise(kervan, order, loss.unwrap_or(reason)).await;
                };
                loss.get_or_insert(reason);
                denied.loses(&line, needs, &routed);
                continue;
            }
            // One offer that has all of it is chosen before several that are cheaper together.
            Err(reason @ Reason::WouldLose { .. }) if loss.is_none() => {
                loss = Some(reason);
                denied.offers(dearest(needs, &routed, |_| true));
                continue;
            }
            Err(reason) => return raise(kervan, order, loss.unwrap_or(reason)).await,
        };
        let skus: Vec<Sku> = needs.iter().map(|need| need.sku.clone()).collect();
        match reserve(kervan, order, planned, sending.missing, rates).await {
            Ok(()) => {
                announce(kervan, skus).await;
                return Ok(None);
            }
            // Another order took the units in between: look again.
            Err(NotRecorded::Extra(_)) => {}
            Err(NotRecorded::Failed(error)) => return Err(error),
        }
    }
    Ok(Some(Duration::from_secs(30)))
}

/// Gives up a planned purchase whose terms are old, or that has more than is wanted. What is wanted of it is planned next,
/// on new terms.
pub(super) async fn give_up(
    kervan: &Kervan,
    order: &mut Order,
    number: u8,
) -> Result<(), FlowError> {
    let Some(purchase) = order.purchase(number) else {
        return Ok(());
    };
    let writes = release(&purchase.lines, kervan.clock.now());
    let cancelled = Event::PurchaseCancelled { purchase: number };
    Ok(ledger::record(kervan, order, &[cancelled], writes).await?)
}

/// Gives back what was planned and not bought. Where nothing was bought at all, that ends the order.
pub(super) async fn give_back(kervan: &Kervan, order: &mut Order) -> Result<(), FlowError> {
    let planned = |purchase: &&Purchase| matches!(purchase.state, PurchaseState::Planned { .. });
    let mut events = Vec::new();
    let mut lines = Vec::new();
    for purchase in order.purchases.iter().filter(planned) {
        events.push(Event::PurchaseCancelled {
            purchase: purchase.number,
        });
        lines.extend(&purchase.lines);
    }
    let writes = release(lines, kervan.clock.now());
    if !order.purchases.iter().any(Purchase::is_live) {
        let lines = &order.details.lines;
        let is_cancelled = |line: &OrderLine| {
            let decided = order.decided.lines.get(&line.id);
            line.cancelled >= line.quantity || decided == Some(&LineDecision::Cancelled)
        };
        let by_hand = order.details.cancel == Cancel::No && !lines.iter().all(is_cancelled);
        events.push(if by_hand {
            Event::Finished
        } else {
            Event::Cancelled
        });
    }
    ledger::record(kervan, order, &events, writes).await?;
    tracing::info!(order = %order.key, "What was planned for an order was given back.");
    Ok(())
}

/// Writes that give the units of lines back; their offers are due for a look at once.
pub(super) fn release<'a>(
    lines: impl IntoIterator<Item = &'a PurchaseLine>,
    now: Timestamp,
) -> Vec<Write> {
    let give = |(offer, units)| change(offer, vec![(FREE, units)], Vec::new(), Some(now));
    units_by_offer(lines).into_iter().map(give).collect()
}

/// Writes that note that a purchase's units were bought: the evidence still contains them until the next look.
pub(super) fn bought(purchase: &Purchase) -> Vec<Write> {
    let note = |(offer, units)| change(offer, vec![(BOUGHT, units)], Vec::new(), None);
    units_by_offer(&purchase.lines)
        .into_iter()
        .map(note)
        .collect()
}

/// Writes that take the units of lines, on the condition that they are free. Their offers are due for a look at once: if
/// the word that their listings have to be lowered is lost, the look lowers them within a minute.
fn take<'a>(lines: impl IntoIterator<Item = &'a PurchaseLine>, now: Timestamp) -> Vec<Write> {
    let take = |(offer, units)| {
        let mut only_if = vec![Guard::AtLeast(FREE, units)];
        only_if.retain(|_| stands(Safety::Reservation));
        change(offer, vec![(FREE, -units)], only_if, Some(now))
    };
    units_by_offer(lines).into_iter().map(take).collect()
}

/// Units by offer: a transaction writes an item once, however many lines it fills.
fn units_by_offer<'a>(
    lines: impl IntoIterator<Item = &'a PurchaseLine>,
) -> BTreeMap<(&'a Sku, &'a OfferId), i64> {
    let mut units = BTreeMap::new();
    for line in lines {
        *units.entry((&line.sku, &line.offer)).or_default() += i64::from(line.quantity);
    }
    units
}

fn change(
    (sku, offer): (&Sku, &OfferId),
    add: Vec<(&'static str, i64)>,
    only_if: Vec<Guard>,
    look_at: Option<Timestamp>,
) -> Write {
    let due = |at| Due {
        lane: keys::stock_lane(sku, offer),
        at,
    };
    Write::Update {
        key: keys::offer(sku, offer),
        set_body: None,
        set_due: look_at.map(|at| Some(due(at))),
        add,
        only_if,
    }
}

/// The offer of a route that costs most, of the needs that are meant, in the currency in which they are compared.
fn dearest(
    needs: &[Need],
    routed: &Route<'_>,
    is_meant: impl Fn(&Need) -> bool,
) -> Option<OfferId> {
    let shares = routed.purchases().flatten();
    let candidates = shares.filter_map(|share| {
        let need = needs.get(share.need).filter(|need| is_meant(need))?;
        let mut candidates = need.candidates.iter();
        candidates.find(|candidate| candidate.offer == *share.offer)
    });
    let dearest = candidates.max_by_key(|candidate| candidate.landed_minor);
    dearest.map(|candidate| candidate.offer.clone())
}

async fn raise(
    kervan: &Kervan,
    order: &mut Order,
    reason: Reason,
) -> Result<Option<Duration>, FlowError> {
    forward::raise(kervan, order, reason).await?;
    Ok(None)
}

async fn postpone(
    kervan: &Kervan,
    order: &mut Order,
    error: &CallError,
) -> Result<Option<Duration>, FlowError> {
    tracing::warn!(order = %order.key, %error, "A supplier did not give its terms.");
    match (reason_of(error), error.retry) {
        (Some(reason), _) => raise(kervan, order, reason).await,
        (None, Retry::Permanent) => {
            let reason = Reason::SupplierRefused {
                code: error.code.clone(),
            };
            raise(kervan, order, reason).await
        }
        (None, _) => Ok(Some(wait_of(error))),
    }
}

/// The open lines with their candidates, and those that nobody offers. `first_alone`: one that nobody offers is enough.
async fn needs(
    kervan: &Kervan,
    order: &Order,
    first_alone: bool,
) -> Result<(Vec<Need>, Vec<MissingLine>), FlowError> {
    let (mut needs, mut missing) = (Vec::new(), Vec::new());
    let rules = kervan.rules.get().await?;
    let rates = kervan.rates.get().await?;
    let exchange = Exchange {
        rates: &rates,
        now: kervan.clock.now(),
        most_age: rules.price.rates.most_age(),
    };
    for open in open_units(order) {
        if first_alone && !missing.is_empty() {
            return Ok((Vec::new(), missing));
        }
        let line = &order.details.lines[open.place];
        let unmapped = |sku: String| MissingLine {
            line: line.id.clone(),
            sku,
            why: WhyMissing::NotMapped,
        };
        let Some(sku) = open.part else {
            missing.push(unmapped(crate::domain::safe_code(&line.sku)));
            continue;
        };
        let entry = catalog::load(&*kervan.store, &sku).await?;
        if entry.offers.is_empty() {
            missing.push(unmapped(sku.to_string()));
            continue;
        }
        let mut candidates = Vec::new();
        for offer in entry.offers {
            let known = with_evidence(kervan, offer, rules.evidence.fresh()).await?;
            let currency = order.details.total.currency;
            candidates.extend(known.and_then(|known| candidate(&known, currency, &exchange)));
        }
        needs.push(Need {
            line: line.id.clone(),
            sku,
            quantity: open.units,
            candidates,
        });
    }
    if first_alone && !missing.is_empty() {
        needs.clear();
    }
    Ok((needs, missing))
}

/// An offer as routing and the price rules see it, so that both choose the same; none where nothing is known of it.
pub(super) fn candidate(
    stored: &StoredOffer,
    currency: Currency,
    exchange: &Exchange<'_>,
) -> Option<Candidate> {
    let offer = &stored.offer;
    let cost = offer.evidence.as_ref()?.cost;
    Some(Candidate {
        offer: offer.id.clone(),
        rank: offer.rank,
        landed_minor: landed(cost, offer.shipping, currency, exchange),
        free: stored.free,
    })
}

/// An offer with its evidence. Where that is missing or older than `most_age`, the supplier is asked first. The supplier is
/// asked for its terms before anything is bought, so old evidence decides nothing here.
async fn with_evidence(
    kervan: &Kervan,
    stored: StoredOffer,
    most_age: SignedDuration,
) -> Result<Option<StoredOffer>, FlowError> {
    let now = kervan.clock.now();
    let evidence = stored.offer.evidence.as_ref();
    if evidence.is_some_and(|evidence| now.duration_since(evidence.at) <= most_age) {
        return Ok(Some(stored));
    }
    let key = keys::offer(&stored.offer.sku, &stored.offer.id);
    stock::look(kervan, vec![stored]).await?;
    let item = kervan.store.get(&key).await?;
    item.map(|item| catalog::stored_offer(&item)).transpose()
}

/// Why what is planned must not be placed any more: since it was planned, a part of the price was paid back or a line was
/// given up, and what is left does not carry the costs.
pub(super) async fn loss_since(
    kervan: &Kervan,
    order: &Order,
) -> Result<Option<Reason>, FlowError> {
    let (revenue, _) = part_revenue(order, &[]);
    if revenue == order.details.total {
        return Ok(None);
    }
    Ok(loses(kervan, order, &[]).await?.err())
}

/// What lines cost as a purchase; `None` where the sum overflows or currencies differ.
fn cost_of(order: &Order, lines: &[PurchaseLine]) -> Option<Money> {
    let purchase = Purchase {
        number: 1,
        reference: Reference::of(&order.key, 1),
        lines: lines.to_vec(),
        terms_at: order.updated_at,
        state: PurchaseState::Cancelled,
        closed: Vec::new(),
    };
    purchase.cost()
}

/// The line of a plan that loses most alone; `None` where none does.
async fn loses_alone(
    kervan: &Kervan,
    order: &Order,
    planned: &[Vec<PurchaseLine>],
) -> Result<Option<LineId>, FlowError> {
    let rules = kervan.rules.get().await?;
    let rates = kervan.rates.get().await?;
    let exchange = Exchange {
        rates: &rates,
        now: kervan.clock.now(),
        most_age: rules.price.rates.most_age(),
    };
    let cost = |line: &PurchaseLine| cost_of(order, std::slice::from_ref(line));
    Ok(worst_line(order, planned, cost, &exchange))
}

/// The rates by which the plan's costs were converted, or why it must not be carried out: it would lose more than the rule
/// or a person allows, or what it costs is not known in the order's currency. What is not bought brings nothing.
async fn loses(
    kervan: &Kervan,
    order: &Order,
    planned: &[Vec<PurchaseLine>],
) -> Result<Result<Vec<Rate>, Reason>, FlowError> {
    let kept = order
        .purchases
        .iter()
        .filter(|purchase| !purchase.is_given_up());
    let new = planned.iter().map(|lines| cost_of(order, lines));
    let costs = kept.map(Purchase::cost).chain(new);
    let rules = kervan.rules.get().await?;
    let rates = kervan.rates.get().await?;
    let exchange = Exchange {
        rates: &rates,
        now: kervan.clock.now(),
        most_age: rules.price.rates.most_age(),
    };
    let (revenue, fee) = part_revenue(order, planned);
    let (left, rates) = match margin(revenue, fee, costs, &exchange) {
        _ if !stands(Safety::NoLoss) => return Ok(Ok(Vec::new())),
        Ok(Margin { left, rates }) => (left, rates),
        Err(error) => {
            tracing::warn!(order = %order.key, %error, "It is not known whether an order would lose money.");
            return Ok(Err(Reason::NoRate));
        }
    };
    // What a person accepted and what the rule allows are both the most that the order may lose: the higher one counts.
    let allowed = most_loss(&rules.price.loss, order.details.total, &exchange);
    let least = order.least_margin_minor().min(-allowed.minor);
    Ok(if left.minor >= least {
        Ok(rates)
    } else {
        let margin_minor = left.minor;
        Err(Reason::WouldLose { margin_minor })
    })
}

/// Whether a plan does not fit into one transaction: the order's state, its place in the attention list, up to three more
/// records, one of each purchase, and each offer.
fn is_too_large(planned: &[Vec<PurchaseLine>]) -> bool {
    5 + planned.len() + units_by_offer(planned.iter().flatten()).len() > MOST_WRITES
}

/// Records the plan and takes the units, in one transaction: two orders cannot take the last one.
async fn reserve(
    kervan: &Kervan,
    order: &mut Order,
    planned: Vec<Vec<PurchaseLine>>,
    missing: Vec<MissingLine>,
    rates: Vec<Rate>,
) -> Result<(), NotRecorded> {
    let mut events = Vec::new();
    if missing.is_empty() {
        if !order.left_out.is_empty() {
            let lines = Vec::new();
            events.push(Event::LeftOut { lines });
        }
        if order.attention.is_some() {
            events.push(Event::AttentionCleared);
        }
    } else {
        let (lines, rest) = (missing, Rest::Sent);
        events.extend(missing::events(order, Reason::LinesMissing { lines, rest }));
    }
    if !rates.is_empty() {
        events.push(Event::CostsConverted { rates });
    }
    let writes = take(planned.iter().flatten(), kervan.clock.now());
    for (place, lines) in planned.into_iter().enumerate() {
        let purchase = u8::try_from(order.purchases.len() + 1 + place)
            .map_err(|_| FlowError::Poison("more than 255 purchases".to_owned()))?;
        events.push(Event::Planned { purchase, lines });
    }
    ledger::record(kervan, order, &events, writes).await?;
    tracing::info!(order = %order.key, purchases = order.purchases.len(), "An order was planned and reserved.");
    Ok(())
}

/// Has the other channels lowered at once. The next look at the stock would do it too, so a failure loses nothing.
async fn announce(kervan: &Kervan, mut skus: Vec<Sku>) {
    skus.sort();
    skus.dedup();
    let task = InventoryTask::Publish {
        skus,
        ordered_at: Some(kervan.clock.now()),
    };
    send(kervan, &task).await;
}

/// A supplier has less than the table knew, and every listing of it shows too much: it is looked at now, not at its time.
async fn announce_short(kervan: &Kervan, short: &Short) -> Result<(), FlowError> {
    let now = kervan.clock.now();
    let is_due = change(
        (&short.sku, &short.offer),
        Vec::new(),
        Vec::new(),
        Some(now),
    );
    kervan.store.write(vec![is_due]).await?;
    let task = InventoryTask::Look {
        offers: vec![(short.sku.clone(), short.offer.clone())],
        queued_at: Some(now),
    };
    send(kervan, &task).await;
    Ok(())
}

async fn send(kervan: &Kervan, task: &InventoryTask) {
    let inventory = &kervan.queues.inventory;
    let sent = match ledger::write(task) {
        Ok(body) => inventory.send(vec![Outgoing::now(body)]).await,
        Err(error) => return tracing::error!(%error, "A task cannot be written."),
    };
    if let Err(error) = sent {
        tracing::warn!(%error, "Listings are lowered at the next look at the stock only.");
    }
}

#[cfg(test)]
mod tests;
