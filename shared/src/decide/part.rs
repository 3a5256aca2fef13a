//! An order of which not everything can be had: which lines are bought now, which wait and why, and what the bought ones
//! have to carry alone.

use super::margin::margin;
use super::next::open_units;
use super::route::{Need, Unroutable, route};
use crate::domain::{
    Exchange, LineDecision, LineId, MissingLine, Money, Order, OrderLine, OrderRules, PurchaseLine,
    Rest, Sku, Unavailable, WhyMissing,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What happens to the lines of an order that can be had, where others cannot; `None`: they wait, and the order waits for
/// what it lacks as one. A person's word counts before the merchant's rule, and what was once sent in part stays so.
pub fn rest_of(order: &Order, rules: &OrderRules, now: Timestamp) -> Option<Rest> {
    if order.decided.send_the_rest || !order.left_out.is_empty() {
        return Some(Rest::Sent);
    }
    let since = order.missing_since.unwrap_or(now);
    let is_early = now.duration_since(since) < rules.after();
    match rules.unavailable {
        Unavailable::Wait => None,
        Unavailable::SendTheRest | Unavailable::Ask if is_early => Some(Rest::Waits),
        Unavailable::SendTheRest => Some(Rest::Sent),
        Unavailable::Ask => Some(Rest::Asked),
    }
}

/// What of an order is bought now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// What is bought now; it can be routed.
    pub now: Vec<Need>,
    /// The lines that cannot be had, each once.
    pub missing: Vec<MissingLine>,
    /// Whether there are lines that could be had without the missing ones.
    pub can_be_had: bool,
}

/// Parts an order into what is bought now and what cannot be had. A line is bought whole or not at all: with all its units,
/// and all parts of a bundle. `missing` are lines that are known to be missing, and `why` says why no offer fills a need.
pub fn sending(
    needs: Vec<Need>,
    missing: Vec<MissingLine>,
    rest: Option<Rest>,
    why: impl Fn(&Need) -> WhyMissing,
) -> Sending {
    let (mut now, mut all) = (needs, Vec::<MissingLine>::new());
    for line in missing {
        if all.iter().all(|known| known.line != line.line) {
            all.push(line);
        }
    }
    let keep = |now: &mut Vec<Need>, missing: &[MissingLine]| {
        now.retain(|need| missing.iter().all(|missing| missing.line != need.line));
    };
    keep(&mut now, &all);
    while let Some(Unroutable { need }) = route(&now).err() {
        let need = &now[need];
        all.push(MissingLine {
            line: need.line.clone(),
            sku: need.sku.to_string(),
            why: why(need),
        });
        keep(&mut now, &all);
    }
    let can_be_had = !now.is_empty();
    if !all.is_empty() && rest != Some(Rest::Sent) {
        now.clear();
    }
    Sending {
        now,
        missing: all,
        can_be_had,
    }
}

/// What is left of the price, and what the channel keeps of it, for what Kervan has bought and plans to buy. The customer is
/// presumably paid back what nobody sends: of a line that is not bought, neither its price counts nor its share of all that
/// was paid beside the prices. So no line that cannot be had hides a loss on those that are sent.
pub fn part_revenue(order: &Order, planned: &[Vec<PurchaseLine>]) -> (Money, Money) {
    let details = &order.details;
    let unsent = unsent(order, planned).into_iter();
    let shares = unsent.map(|(place, units)| share(order, &details.lines[place], units, Up));
    let gone = shares.fold(0_i64, i64::saturating_add);
    let revenue = order.revenue();
    let revenue = Money {
        minor: revenue.minor.saturating_sub(gone),
        ..revenue
    };
    let credited = of_fee(order, gone, Down);
    let fee = Money {
        minor: details.fee.minor.saturating_sub(credited),
        ..details.fee
    };
    (revenue, fee)
}

/// The line of a plan that would lose most if it was bought alone, where one would lose. `cost` is what a line costs.
pub fn worst_line(
    order: &Order,
    planned: &[Vec<PurchaseLine>],
    cost: impl Fn(&PurchaseLine) -> Option<Money>,
    exchange: &Exchange<'_>,
) -> Option<LineId> {
    let details = &order.details;
    let alone = |line: &OrderLine| {
        let bought = planned.iter().flatten().filter(|one| one.line == line.id);
        let bought: Vec<&PurchaseLine> = bought.collect();
        let units = line_units(order, line, &bought);
        let share = share(order, line, units, Down);
        let total = Money {
            minor: share,
            ..details.total
        };
        let fee = Money {
            minor: of_fee(order, share, Up),
            ..details.fee
        };
        let costs = bought.iter().map(|bought| cost(bought));
        let left = margin(total, fee, costs, exchange).ok()?.left.minor;
        (!bought.is_empty() && left < 0).then(|| (left, line.id.clone()))
    };
    let losing = details.lines.iter().filter_map(alone);
    losing.min().map(|(_, line)| line)
}

/// How a share is rounded.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Up,
    Down,
}

use Rounding::{Down, Up};

/// `whole × part / of`, for nothing negative.
fn proportion(whole: i64, part: i64, of: i64, rounding: Rounding) -> i64 {
    let (whole, part, of) = (
        i128::from(whole.max(0)),
        i128::from(part.max(0)),
        i128::from(of),
    );
    if of <= 0 {
        return 0;
    }
    let more = if rounding == Up { of - 1 } else { 0 };
    i64::try_from((whole * part.min(of) + more) / of).unwrap_or(i64::MAX)
}

/// What the channel keeps of a share of the total.
fn of_fee(order: &Order, share: i64, rounding: Rounding) -> i64 {
    let details = &order.details;
    proportion(details.fee.minor, share, details.total.minor, rounding)
}

/// What of the total was paid for units of a line: by its price, with what was paid beside the prices in proportion. Where
/// nothing has a price, by units.
fn share(order: &Order, line: &OrderLine, units: u32, rounding: Rounding) -> i64 {
    let (details, currency) = (&order.details, order.details.total.currency);
    let has_prices = details.lines.iter().any(|line| line.price.minor > 0)
        && details
            .lines
            .iter()
            .all(|line| line.price.currency == currency);
    let weight = |line: &OrderLine| {
        if has_prices {
            line.price.minor.max(0)
        } else {
            i64::from(line.quantity)
        }
    };
    let all = details.lines.iter().map(weight);
    let all = all.fold(0, i64::saturating_add);
    let quantity = i64::from(line.quantity.max(1));
    // Both fractions at once: rounding twice could make the parts more than the whole.
    let part = weight(line).saturating_mul(i64::from(units.min(line.quantity)));
    proportion(
        details.total.minor,
        part,
        all.saturating_mul(quantity),
        rounding,
    )
}

/// Units of lines that Kervan does not buy, by the place of the line: those that no purchase and no plan fills, and those of
/// lines that a person has given up. What is paid back through Kervan counts as money already.
fn unsent(order: &Order, planned: &[Vec<PurchaseLine>]) -> BTreeMap<usize, u32> {
    let mut unsent = BTreeMap::new();
    for open in open_units(order) {
        let line = &order.details.lines[open.place];
        let fills = |one: &&PurchaseLine| {
            one.line == line.id && open.part.as_ref().is_none_or(|part| one.sku == *part)
        };
        let filled = planned.iter().flatten().filter(fills);
        let filled = filled.map(|one| one.quantity).fold(0, u32::saturating_add);
        let left = open.units.saturating_sub(filled);
        let of_one = open
            .part
            .as_ref()
            .map_or(1, |part| part_units(order, line, part));
        let units = left.div_ceil(of_one.max(1));
        let most = unsent.entry(open.place).or_insert(0);
        *most = units.max(*most);
    }
    for (place, line) in order.details.lines.iter().enumerate() {
        let gone = line.cancelled.saturating_add(line.refunded);
        let gone = gone.saturating_add(line.refunding);
        let units = match order.decided.lines.get(&line.id) {
            _ if order.pays_back(line) => continue,
            None => continue,
            Some(LineDecision::Cancelled) => order.wanted_by_channel(line),
            // Whoever sends it has its price for it, before and after it was sent.
            Some(LineDecision::Elsewhere) => line.quantity.saturating_sub(gone),
        };
        unsent.insert(place, units);
    }
    unsent.retain(|_, units| *units > 0);
    unsent
}

fn part_units(order: &Order, line: &OrderLine, sku: &Sku) -> u32 {
    let parts = order.parts_of(&line.id).unwrap_or_default();
    let part = parts.iter().find(|part| part.sku == *sku);
    part.map_or(1, |part| part.units)
}

/// Units of a line that these goods make, as far as its parts go.
fn line_units(order: &Order, line: &OrderLine, bought: &[&PurchaseLine]) -> u32 {
    let mut by_sku = BTreeMap::new();
    for one in bought {
        *by_sku.entry(&one.sku).or_insert(0_u32) += one.quantity;
    }
    let units = by_sku
        .into_iter()
        .map(|(sku, units)| units / part_units(order, line, sku).max(1));
    units.min().unwrap_or(0)
}

#[cfg(test)]
mod tests;
