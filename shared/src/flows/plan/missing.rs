//! Lines that cannot be had: what is known of the obstacles while a plan is made, and what a person is told of them.

use super::quote::Short;
use crate::Kervan;
use crate::decide::{Need, Route, Sending};
use crate::domain::{
    Event, LineId, MissingLine, OfferId, Order, PurchaseState, Reason, Refusal, Rest, Sku,
    WhyMissing,
};
use crate::flows::{FlowError, ledger};
use crate::guards::{Guard, stands};

/// What a plan has met so far.
pub(super) struct Denied {
    /// Offers that cannot be had for this order.
    offers: Vec<OfferId>,
    /// Units that suppliers do not have.
    scarce: Vec<Short>,
    /// Why offers of lines cannot be had, as far as it is not for want of units.
    whys: Vec<(LineId, WhyMissing)>,
    /// Lines that are left out whatever their offers.
    lost: Vec<MissingLine>,
}

impl Denied {
    /// What an order's own history says.
    pub(super) fn of(order: &Order) -> Self {
        Self {
            offers: refused_offers(order),
            scarce: Vec::new(),
            whys: Vec::new(),
            lost: Vec::new(),
        }
    }

    pub(super) fn offers(&mut self, offers: impl IntoIterator<Item = OfferId>) {
        self.offers.extend(offers);
    }

    pub(super) fn undeliverable(&mut self, offer: OfferId, line: LineId) {
        self.offers.push(offer);
        self.whys.push((line, WhyMissing::NotDeliverable));
    }

    pub(super) fn short(&mut self, short: Short) {
        self.scarce.push(short);
    }

    pub(super) fn refused(&mut self, line: LineId, sku: Sku, code: String) {
        self.lost.push(MissingLine {
            line,
            sku: sku.to_string(),
            why: WhyMissing::Refused { code },
        });
    }

    /// A line loses alone: it is tried without its dearest offer, and then left out.
    pub(super) fn loses(&mut self, line: &LineId, needs: &[Need], routed: &Route<'_>) {
        let is_known =
            |(known, why): &(LineId, WhyMissing)| known == line && *why == WhyMissing::WouldLose;
        let is_second = self.whys.iter().any(is_known);
        self.whys.push((line.clone(), WhyMissing::WouldLose));
        let of_line = |need: &Need| need.line == *line;
        match super::dearest(needs, routed, of_line) {
            Some(offer) if !is_second => self.offers.push(offer),
            _ => {
                let sku = needs.iter().find(|need| of_line(need));
                let sku = sku.map(|need| need.sku.to_string());
                self.lost.push(MissingLine {
                    line: line.clone(),
                    sku: sku.unwrap_or_default(),
                    why: WhyMissing::WouldLose,
                });
            }
        }
    }

    /// Leaves out offers that were refused, and units that a supplier was found not to have.
    pub(super) fn narrow(&self, needs: &mut [Need]) {
        for need in needs {
            need.candidates
                .retain(|candidate| !self.offers.contains(&candidate.offer));
            for candidate in &mut need.candidates {
                let of_offer = |short: &&Short| short.offer == candidate.offer;
                let known = self.scarce.iter().filter(of_offer);
                let least = known.map(|short| i64::from(short.stock)).min();
                candidate.free = least.map_or(candidate.free, |least| least.min(candidate.free));
            }
        }
    }

    pub(super) fn lost(&self) -> impl Iterator<Item = MissingLine> {
        self.lost.iter().cloned()
    }

    /// Why no offer fills a need.
    pub(super) fn why(&self, order: &Order, need: &Need) -> WhyMissing {
        let mut whys = self.whys.iter().rev();
        let known = whys.find(|(line, _)| *line == need.line);
        let known = known.map(|(_, why)| why.clone());
        let known = known.or_else(|| {
            let code = refusals(order, Some(&need.line))
                .find_map(|(refusal, code)| (refusal != Refusal::Stock).then(|| code.to_owned()))?;
            Some(WhyMissing::Refused { code })
        });
        known.unwrap_or(WhyMissing::OutOfStock)
    }
}

/// Offers whose supplier refused this order: they are not asked again for it, until a person says so.
fn refused_offers(order: &Order) -> Vec<OfferId> {
    if !stands(Guard::RefusedOffers) {
        return Vec::new();
    }
    let lifted_to = order.decided.refusals_lifted_to;
    let refused = order.purchases.iter().filter(|purchase| {
        matches!(purchase.state, PurchaseState::Refused { .. }) && purchase.number > lifted_to
    });
    let lines = refused.flat_map(|purchase| &purchase.lines);
    lines.map(|line| line.offer.clone()).collect()
}

/// The refusals that count, the last one first; those of purchases with this line, where one is named.
fn refusals<'a>(
    order: &'a Order,
    line: Option<&'a LineId>,
) -> impl Iterator<Item = (Refusal, &'a str)> {
    let lifted_to = order.decided.refusals_lifted_to;
    let purchases = order.purchases.iter().rev();
    let purchases = purchases.filter(move |purchase| {
        let has = |line: &LineId| purchase.lines.iter().any(|one| one.line == *line);
        purchase.number > lifted_to && line.is_none_or(has)
    });
    purchases.filter_map(|purchase| match &purchase.state {
        PurchaseState::Refused { refusal, code } => Some((*refusal, code.as_str())),
        _ => None,
    })
}

/// The last refusal's reason, which tells a person more than "out of stock".
fn refusal_reason(order: &Order) -> Option<Reason> {
    refusals(order, None).find_map(|(refusal, code)| {
        let code = code.to_owned();
        match refusal {
            Refusal::Address => Some(Reason::AddressRefused { code }),
            Refusal::Other => Some(Reason::SupplierRefused { code }),
            Refusal::Stock => None,
        }
    })
}

/// Why an order cannot be planned now. Where its lines are not parted, or it has one alone, that is what the first of them
/// lacks; else all that are missing are named, with what happens to the others. `None` where nothing is missing.
pub(super) fn reason(
    order: &Order,
    sending: Sending,
    rest: Option<Rest>,
    loss: Option<Reason>,
) -> Option<Reason> {
    let first = sending.missing.first()?;
    let wanted = order.details.lines.iter();
    let wanted = wanted.filter(|line| order.wanted(line) > 0).count();
    let loses = |missing: &MissingLine| missing.why == WhyMissing::WouldLose;
    // What would lose as a whole is told with how much, so that it can be accepted.
    let all_lose = !is_begun(order) && sending.missing.iter().all(loses) && loss.is_some();
    match rest.filter(|_| wanted > 1 && (!all_lose || sending.can_be_had)) {
        Some(rest) => {
            let rest = match rest {
                Rest::Sent if is_begun(order) => Rest::Sent,
                Rest::Asked if sending.can_be_had => Rest::Asked,
                _ => Rest::Waits,
            };
            let lines = sending.missing;
            Some(Reason::LinesMissing { lines, rest })
        }
        None if first.why == WhyMissing::NotMapped => {
            let sku = first.sku.clone();
            Some(Reason::SkuNotMapped { sku })
        }
        None => {
            let reason = loss.or_else(|| refusal_reason(order));
            let out_of_stock = || {
                let sku = Sku::parse(&first.sku).ok()?;
                Some(Reason::OutOfStock { sku })
            };
            reason.or_else(out_of_stock)
        }
    }
}

/// Whether a part of the order is bought, or planned to be.
fn is_begun(order: &Order) -> bool {
    order.purchases.iter().any(|one| !one.is_given_up())
}

/// What is recorded where lines are missing: which are left out, and why, for a person. Trouble with an account stays in the
/// attention list while something of the order waits for it.
pub(super) fn events(order: &Order, reason: Reason) -> Vec<Event> {
    let mut events = Vec::new();
    if let Reason::LinesMissing { lines, rest } = &reason
        && *rest == Rest::Sent
    {
        let lines: Vec<LineId> = lines.iter().map(|missing| missing.line.clone()).collect();
        if lines != order.left_out {
            events.push(Event::LeftOut { lines });
        }
    }
    let known = order.attention.as_ref().map(|attention| &attention.reason);
    let planned = |state: &PurchaseState| matches!(state, PurchaseState::Planned { .. });
    let waits_for_account = matches!(
        known,
        Some(Reason::ConsentEnded { .. } | Reason::Misconfigured { .. })
    ) && order.purchases.iter().any(|one| planned(&one.state));
    let stays = |known: &Reason| *known == reason || !known.gives_way_to(&reason);
    if !known.is_some_and(stays) && !waits_for_account {
        tracing::warn!(order = %order.key, reason = reason.code(), "An order needs attention.");
        events.push(Event::AttentionRaised { reason });
    }
    events
}

/// Puts an order into the attention list for what it lacks.
pub(super) async fn raise(
    kervan: &Kervan,
    order: &mut Order,
    reason: Reason,
) -> Result<(), FlowError> {
    let events = events(order, reason);
    if events.is_empty() {
        return Ok(());
    }
    Ok(ledger::record(kervan, order, &events, Vec::new()).await?)
}
