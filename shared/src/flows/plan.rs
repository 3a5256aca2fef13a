//! Suppliers are chosen, asked for their terms, and the units are reserved, all before any money is spent.

mod quote;

use super::catalog::{self, BOUGHT, FREE, StoredOffer};
use super::ledger::NotRecorded;
use super::stock::{self, InventoryTask};
use super::{FlowError, forward, ledger, mapping, reason_of, wait_of};
use crate::Kervan;
use crate::decide::{Candidate, Margin, Need, Route, landed, margin, most_loss, open_units, route};
use crate::domain::{
    Cancel, Currency, Event, Exchange, OfferId, Order, OrderLine, Purchase, PurchaseLine,
    PurchaseState, Rate, Reason, Reference, Refusal, Sku,
};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{CallError, Retry};
use crate::queue::Outgoing;
use crate::store::{Due, Guard, MOST_WRITES, Write, keys};
use jiff::{SignedDuration, Timestamp};
use quote::{NoTerms, Short, quote_all};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a plan is made anew when offers turn out to be empty or others take their units in between.
const MOST_ROUTES: usize = 8;

/// Plans the lines that no purchase fills. `Some`: come back after this time. Whatever stands in the way for longer puts
/// the order into the attention list.
pub(super) async fn plan(
    kervan: &Kervan,
    order: &mut Order,
) -> Result<Option<Duration>, FlowError> {
    mapping::complete(kervan, order).await?;
    let mut refused: Vec<OfferId> = refused_offers(order);
    let mut scarce: Vec<Short> = Vec::new();
    let mut loss: Option<Reason> = None;
    for _ in 0..MOST_ROUTES {
        let (mut needs, skus) = match needs(kervan, order).await? {
            Ok(needs) => needs,
            Err(reason) => return raise(kervan, order, reason).await,
        };
        narrow(&mut needs, &refused, &scarce);
        let routed = match route(&needs) {
            Ok(routed) => routed,
            Err(unroutable) => {
                let sku = needs[unroutable.need].sku.clone();
                let reason = loss.or_else(|| refusal_reason(order));
                let reason = reason.unwrap_or(Reason::OutOfStock { sku });
                return raise(kervan, order, reason).await;
            }
        };
        let planned = match quote_all(kervan, order, &needs, &routed).await {
            Ok(planned) if is_too_large(&planned) => {
                return raise(kervan, order, Reason::TooLarge).await;
            }
            Ok(planned) => planned,
            Err(NoTerms::Offer(offer)) => {
                refused.push(offer);
                continue;
            }
            Err(NoTerms::Short(short)) => {
                announce_short(kervan, &short).await?;
                scarce.push(short);
                continue;
            }
            Err(NoTerms::Call(error)) => return postpone(kervan, order, &error).await,
        };
        let rates = match loses(kervan, order, &planned).await? {
            Ok(rates) => rates,
            // One offer that has all of it is chosen before several that are cheaper together.
            Err(reason @ Reason::WouldLose { .. }) if loss.is_none() => {
                loss = Some(reason);
                refused.extend(dearest(&needs, &routed));
                continue;
            }
            Err(reason) => return raise(kervan, order, loss.unwrap_or(reason)).await,
        };
        match reserve(kervan, order, planned, rates).await {
            Ok(()) => {
                announce(kervan, &skus).await;
                return Ok(None);
            }
            // Another order took the units in between: look again.
            Err(NotRecorded::Extra(_)) => {}
            Err(NotRecorded::Failed(error)) => return Err(error),
        }
    }
    Ok(Some(Duration::from_secs(30)))
}

/// Leaves out offers that were refused, and units that a supplier was found not to have.
fn narrow(needs: &mut [Need], refused: &[OfferId], scarce: &[Short]) {
    for need in needs {
        need.candidates
            .retain(|candidate| !refused.contains(&candidate.offer));
        for candidate in &mut need.candidates {
            let known = scarce.iter().filter(|short| short.offer == candidate.offer);
            let least = known.map(|short| i64::from(short.stock)).min();
            candidate.free = least.map_or(candidate.free, |least| least.min(candidate.free));
        }
    }
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
        let is_cancelled = |line: &OrderLine| line.cancelled >= line.quantity;
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

/// The offer of a route that costs most, in the currency in which they are compared.
fn dearest(needs: &[Need], routed: &Route<'_>) -> Option<OfferId> {
    let shares = routed.purchases().flatten();
    let candidates = shares.filter_map(|share| {
        let mut candidates = needs.get(share.need)?.candidates.iter();
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

/// The open lines with their candidates, or why a line cannot be bought at all.
async fn needs(
    kervan: &Kervan,
    order: &Order,
) -> Result<Result<(Vec<Need>, Vec<Sku>), Reason>, FlowError> {
    let (mut needs, mut skus) = (Vec::new(), Vec::new());
    let rules = kervan.rules.get().await?;
    let rates = kervan.rates.get().await?;
    let exchange = Exchange {
        rates: &rates,
        now: kervan.clock.now(),
        most_age: rules.price.rates.most_age(),
    };
    for open in open_units(order) {
        let line = &order.details.lines[open.place];
        let unmapped = || Reason::SkuNotMapped {
            sku: crate::domain::safe_code(&line.sku),
        };
        let Some(sku) = open.part else {
            return Ok(Err(unmapped()));
        };
        let entry = catalog::load(&*kervan.store, &sku).await?;
        if entry.offers.is_empty() {
            let sku = sku.to_string();
            return Ok(Err(Reason::SkuNotMapped { sku }));
        }
        let mut candidates = Vec::new();
        for offer in entry.offers {
            let known = with_evidence(kervan, offer, rules.evidence.fresh()).await?;
            let currency = order.details.total.currency;
            candidates.extend(known.and_then(|known| candidate(&known, currency, &exchange)));
        }
        needs.push(Need {
            line: line.id.clone(),
            sku: sku.clone(),
            quantity: open.units,
            candidates,
        });
        skus.push(sku);
    }
    Ok(Ok((needs, skus)))
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

/// Why what is planned must not be placed any more: since it was planned, a part of the price was paid back, and what is left
/// does not carry the costs.
pub(super) async fn loss_since(
    kervan: &Kervan,
    order: &Order,
) -> Result<Option<Reason>, FlowError> {
    if order.revenue() == order.details.total {
        return Ok(None);
    }
    Ok(loses(kervan, order, &[]).await?.err())
}

/// The rates by which the plan's costs were converted, or why it must not be carried out: it would lose more than the rule
/// or a person allows, or what it costs is not known in the order's currency.
async fn loses(
    kervan: &Kervan,
    order: &Order,
    planned: &[Vec<PurchaseLine>],
) -> Result<Result<Vec<Rate>, Reason>, FlowError> {
    let cost = |lines: &Vec<PurchaseLine>| {
        let purchase = Purchase {
            number: 1,
            reference: Reference::of(&order.key, 1),
            lines: lines.clone(),
            terms_at: order.updated_at,
            state: PurchaseState::Cancelled,
        };
        purchase.cost()
    };
    let kept = order
        .purchases
        .iter()
        .filter(|purchase| !purchase.is_given_up());
    let costs = kept.map(Purchase::cost).chain(planned.iter().map(cost));
    let rules = kervan.rules.get().await?;
    let rates = kervan.rates.get().await?;
    let exchange = Exchange {
        rates: &rates,
        now: kervan.clock.now(),
        most_age: rules.price.rates.most_age(),
    };
    let details = &order.details;
    let (left, rates) = match margin(order.revenue(), details.fee, costs, &exchange) {
        _ if !stands(Safety::NoLoss) => return Ok(Ok(Vec::new())),
        Ok(Margin { left, rates }) => (left, rates),
        Err(error) => {
            tracing::warn!(order = %order.key, %error, "It is not known whether an order would lose money.");
            return Ok(Err(Reason::NoRate));
        }
    };
    // What a person accepted and what the rule allows are both the most that the order may lose: the higher one counts.
    let allowed = most_loss(&rules.price.loss, details.total, &exchange);
    let least = order.least_margin_minor().min(-allowed.minor);
    Ok(if left.minor >= least {
        Ok(rates)
    } else {
        let margin_minor = left.minor;
        Err(Reason::WouldLose { margin_minor })
    })
}

/// Whether a plan does not fit into one transaction: the order's state, its place in the attention list, up to two more
/// records, one of each purchase, and each offer.
fn is_too_large(planned: &[Vec<PurchaseLine>]) -> bool {
    4 + planned.len() + units_by_offer(planned.iter().flatten()).len() > MOST_WRITES
}

/// Records the plan and takes the units, in one transaction: two orders cannot take the last one.
async fn reserve(
    kervan: &Kervan,
    order: &mut Order,
    planned: Vec<Vec<PurchaseLine>>,
    rates: Vec<Rate>,
) -> Result<(), NotRecorded> {
    let mut events = Vec::new();
    if order.attention.is_some() {
        events.push(Event::AttentionCleared);
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
async fn announce(kervan: &Kervan, skus: &[Sku]) {
    let mut skus: Vec<Sku> = skus.to_vec();
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

/// Offers whose supplier refused this order: they are not asked again for it, until a person says so.
fn refused_offers(order: &Order) -> Vec<OfferId> {
    let lifted_to = order.decided.refusals_lifted_to;
    let refused = |purchase: &&Purchase| {
        matches!(purchase.state, PurchaseState::Refused { .. })
            && purchase.number > lifted_to
            && stands(Safety::RefusedOffers)
    };
    let lines = order
        .purchases
        .iter()
        .filter(refused)
        .flat_map(|purchase| &purchase.lines);
    lines.map(|line| line.offer.clone()).collect()
}

/// The last refusal's reason, which tells a person more than "out of stock".
fn refusal_reason(order: &Order) -> Option<Reason> {
    order
        .purchases
        .iter()
        .rev()
        .filter(|purchase| purchase.number > order.decided.refusals_lifted_to)
        .find_map(|purchase| match &purchase.state {
            PurchaseState::Refused {
                refusal: Refusal::Address,
                code,
            } => Some(Reason::AddressRefused { code: code.clone() }),
            PurchaseState::Refused {
                refusal: Refusal::Other,
                code,
            } => Some(Reason::SupplierRefused { code: code.clone() }),
            _ => None,
        })
}

#[cfg(test)]
mod tests;
