//! What a listing's price should be, by the merchant's rules, and whether it changed too far at once.
//!
//! cost and shipping → the listing's currency → margin, markup or least profit, with the channel's fee → rounding → floor,
//! ceiling, minimum advertised price → never below cost.

use super::{Candidate, most_loss};
use crate::domain::{
    AccountId, Amount, Currency, Exchange, Hundredths, Money, NoRate, OfferId, PriceRule,
    PriceRules, Pricing, Rate, Sku, Toward,
};
use serde::Serialize;

/// Hundredths of a percent in the whole.
const WHOLE: i128 = 10_000;

/// What a price is found from.
#[derive(Debug, Clone, Copy)]
pub struct Pricable<'a> {
    /// The sku of the listing.
    pub sku: &'a Sku,
    /// Where it is sold.
    pub channel: &'a AccountId,
    /// In which currency.
    pub currency: Currency,
    /// The listing's own limits.
    pub pricing: &'a Pricing,
    /// What one unit is bought as: the sku itself, or a bundle's parts.
    pub parts: &'a [PricedPart<'a>],
    /// The rules.
    pub rules: &'a PriceRules,
    /// The rates.
    pub exchange: Exchange<'a>,
}

/// Units of a sku in one unit of what is sold, with the offer by which they would be bought.
#[derive(Debug, Clone, Copy)]
pub struct PricedPart<'a> {
    /// What is bought.
    pub sku: &'a Sku,
    /// How many units.
    pub units: u32,
    /// The offer that routing would choose first ([`first_choice`]); none where none is usable.
    pub offer: Option<PricedOffer<'a>>,
}

/// What an offer costs.
#[derive(Debug, Clone, Copy)]
pub struct PricedOffer<'a> {
    /// Which offer.
    pub id: &'a OfferId,
    /// One unit.
    pub cost: Money,
    /// Shipping of one unit, where it is known.
    pub shipping: Option<Money>,
}

/// A price by the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Priced {
    /// The price.
    pub price: Money,
    /// The lowest price at which nothing is lost.
    pub least: Money,
    /// The lowest price at which no more is lost than an order may lose.
    pub bearable: Money,
    /// Which rule counted, from 1.
    pub rule: usize,
}

/// One step on the way to a price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was done.
    pub name: &'static str,
    /// The amount before.
    pub before: Option<Money>,
    /// The amount after.
    pub after: Money,
    /// Why.
    pub reason: String,
}

/// Where steps go. Nothing is built for one that keeps none, so that a decision that nobody asks about costs no more.
pub trait Steps {
    /// Takes a step.
    fn add(&mut self, step: impl FnOnce() -> Step);
}

impl Steps for () {
    fn add(&mut self, _: impl FnOnce() -> Step) {}
}

impl Steps for Vec<Step> {
    fn add(&mut self, step: impl FnOnce() -> Step) {
        self.push(step());
    }
}

/// Why there is no price by the rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// No rule is for this listing.
    #[error("no rule fits: add one to price.rules with `kervan rules set`")]
    NoRule,
    /// There is nothing to buy it by.
    #[error("no offer of {0} has known stock: the price stays until there is one")]
    NoOffer(Sku),
    /// What shipping costs is not known.
    #[error(
        "the shipping of {0} is not known: give the offer one, or the rule a `shipping`, \"0 USD\" where it is free"
    )]
    NoShipping(Sku),
    /// A currency cannot be converted.
    #[error(transparent)]
    NoRate(#[from] NoRate),
    /// The ceiling is below what it costs.
    #[error("a price of {price} would lose money, below {least}: raise the ceiling")]
    BelowCost {
        /// What limits and rules come to.
        price: Money,
        /// The lowest price at which nothing is lost.
        least: Money,
    },
    /// The amounts are beyond every reason.
    #[error("the amounts are too large")]
    TooLarge,
}

/// The offer that routing would choose first for so many units: of the lowest rank, then cost, that has them.
pub fn first_choice<'a>(
    offers: impl Iterator<Item = &'a Candidate>,
    units: u32,
) -> Option<&'a Candidate> {
    offers
        .filter(|offer| offer.free >= i64::from(units.max(1)))
        .min_by_key(|offer| offer.place())
}

/// The price of a listing. The first rule that fits counts as a whole.
pub fn price(input: &Pricable<'_>, steps: &mut impl Steps) -> Result<Priced, WhyNot> {
    let (place, rule) = fitting(input)?;
    let spent = Spent::of(input, rule, steps)?;
    let mut now = wanted(input, rule, &spent, steps)?;
    now = rounded(rule, now, steps)?;
    now = limited(input, rule, now, steps)?;
    let least = spent.least(rule)?;
    if now.minor < least.minor {
        return Err(WhyNot::BelowCost { price: now, least });
    }
    Ok(Priced {
        price: now,
        least,
        bearable: bearable(input, rule, &spent)?,
        rule: place + 1,
    })
}

/// The lowest price at which an order of one unit, bought by these offers, loses no more than an order may lose.
pub fn least_bearable(input: &Pricable<'_>) -> Result<Money, WhyNot> {
    let (_, rule) = fitting(input)?;
    bearable(input, rule, &Spent::of(input, rule, &mut ())?)
}

/// The first rule that fits, and its place.
fn fitting<'a>(input: &Pricable<'a>) -> Result<(usize, &'a PriceRule), WhyNot> {
    let suppliers = || {
        let offers = input.parts.iter().filter_map(|part| part.offer);
        offers.map(|offer| &offer.id.supplier)
    };
    if let Some(part) = input.parts.iter().find(|part| part.offer.is_none()) {
        return Err(WhyNot::NoOffer(part.sku.clone()));
    }
    let mut rules = input.rules.rules.iter().enumerate();
    let fits =
        |(_, rule): &(usize, &PriceRule)| rule.scope.fits(input.sku, input.channel, suppliers());
    rules.find(fits).ok_or(WhyNot::NoRule)
}

/// What one unit costs, in the listing's currency, and what the channel keeps of a sale besides its part.
struct Spent<'a> {
    cost: Money,
    fee: Known<'a>,
}

impl<'a> Spent<'a> {
    fn of(input: &Pricable<'a>, rule: &PriceRule, steps: &mut impl Steps) -> Result<Self, WhyNot> {
        Ok(Self {
            cost: cost(input, rule, steps)?,
            fee: converted(input, rule.channel_fee, Toward::Cost)?,
        })
    }

    /// The lowest price of which so much is left.
    fn for_profit(&self, profit: i64, rule: &PriceRule) -> Result<Money, WhyNot> {
        for_profit(self.cost, self.fee.minor, profit, rule.channel_fee_percent)
    }

    /// The lowest price at which nothing is lost.
    fn least(&self, rule: &PriceRule) -> Result<Money, WhyNot> {
        self.for_profit(0, rule)
    }
}

/// Goods and shipping of one unit, in the listing's currency.
fn cost(input: &Pricable<'_>, rule: &PriceRule, steps: &mut impl Steps) -> Result<Money, WhyNot> {
    let mut sum = Money::zero(input.currency);
    for part in input.parts {
        let offer = part
            .offer
            .ok_or_else(|| WhyNot::NoOffer(part.sku.clone()))?;
        let shipping = offer.shipping.or(rule.shipping.map(|amount| amount.0));
        let shipping = shipping.ok_or_else(|| WhyNot::NoShipping(part.sku.clone()))?;
        for (name, amount) in [("cost", offer.cost), ("shipping", shipping)] {
            let amount = amount.times(part.units).ok_or(WhyNot::TooLarge)?;
            let (money, rates) = input.exchange.value(amount, input.currency, Toward::Cost)?;
            let before = sum;
            sum = sum.plus(money).ok_or(WhyNot::TooLarge)?;
            steps.add(|| {
                let units = part.units;
                let by = by_rates(amount, rates);
                Step {
                    name,
                    before: Some(before),
                    after: sum,
                    reason: format!("{units} × {} by {}: {by}", part.sku, offer.id),
                }
            });
        }
    }
    Ok(sum)
}

/// What margin, markup and least profit ask for; the highest of them.
fn wanted(
    input: &Pricable<'_>,
    rule: &PriceRule,
    spent: &Spent<'_>,
    steps: &mut impl Steps,
) -> Result<Money, WhyNot> {
    let Spent { cost, fee } = spent;
    let part = rule.channel_fee_percent;
    let mut best = spent.least(rule)?;
    steps.add(|| Step {
        name: "fee",
        before: Some(*cost),
        after: best,
        reason: format!(
            "the channel keeps {part} % and {}",
            fee.text(input.currency)
        ),
    });
    let out = i128::from(cost.minor) + i128::from(fee.minor);
    let asked = [
        rule.margin_percent.map(|margin| {
            let rest = WHOLE - i128::from(part.0) - i128::from(margin.0);
            ("margin", quotient(out * WHOLE, rest))
        }),
        rule.markup_percent.map(|markup| {
            let over = out * WHOLE + i128::from(cost.minor) * i128::from(markup.0);
            ("markup", quotient(over, WHOLE - i128::from(part.0)))
        }),
    ];
    let profit = converted(input, rule.min_profit, Toward::Cost)?;
    let least = spent.for_profit(profit.minor, rule)?;
    let least = ("least profit", Some(least.minor));
    let least = rule.min_profit.map(|_| least);
    for (name, minor) in asked.into_iter().flatten().chain(least) {
        let minor = minor.ok_or(WhyNot::TooLarge)?;
        let before = best;
        best.minor = best.minor.max(minor);
        steps.add(|| Step {
            name,
            before: Some(before),
            after: best,
            reason: match name {
                "margin" => format!("{} % of the price are left", text(rule.margin_percent)),
                "markup" => format!("{} % on top of the cost", text(rule.markup_percent)),
                _ => format!("at least {} are left", profit.text(input.currency)),
            },
        });
    }
    Ok(best)
}

fn text(percent: Option<Hundredths>) -> String {
    percent.unwrap_or_default().to_string()
}

/// The lowest price of which so much is left. The fee is a part of the price, so it is solved for, not added; a fee that
/// the channel rounds up still leaves it.
fn for_profit(cost: Money, fee: i64, profit: i64, part: Hundredths) -> Result<Money, WhyNot> {
    let spent = i128::from(cost.minor) + i128::from(fee) + i128::from(profit);
    let minor = quotient(spent * WHOLE, WHOLE - i128::from(part.0));
    let minor = minor.ok_or(WhyNot::TooLarge)?;
    Ok(Money { minor, ..cost })
}

/// The quotient rounded up; `None` where there is none, or it is too large. Prices of this world fit into 64 bits, whose
/// division costs a fraction of the one of 128.
fn quotient(over: i128, under: i128) -> Option<i64> {
    if under <= 0 {
        return None;
    }
    if let (Ok(over), Ok(under)) = (i64::try_from(over), i64::try_from(under)) {
        let (down, rest) = (over.div_euclid(under), over.rem_euclid(under));
        return down.checked_add(i64::from(rest != 0));
    }
    let up = over.checked_add(under - 1)?.div_euclid(under);
    i64::try_from(up).ok()
}

/// An amount of a rule in the listing's currency, and where it is from.
struct Known<'a> {
    minor: i64,
    /// As the rule has it; `None` where it has none.
    from: Option<Money>,
    rates: RatesUsed<'a>,
}

type RatesUsed<'a> = (Option<&'a Rate>, Option<&'a Rate>);

impl Known<'_> {
    fn text(&self, currency: Currency) -> String {
        let minor = self.minor;
        let money = Money { minor, currency };
        match self.from.filter(|from| *from != money) {
            Some(from) => format!("{money} ({})", by_rates(from, self.rates)),
            None => money.to_string(),
        }
    }
}

/// An amount with the rates by which it was converted.
fn by_rates(amount: Money, (first, second): RatesUsed<'_>) -> String {
    let mut text = amount.to_string();
    for rate in first.into_iter().chain(second) {
        text.push_str(&format!(", at {rate}"));
    }
    text
}

fn converted<'a>(
    input: &Pricable<'a>,
    amount: Option<Amount>,
    toward: Toward,
) -> Result<Known<'a>, WhyNot> {
    let from = amount.map(|amount| amount.0);
    let Some(amount) = from else {
        return Ok(Known {
            minor: 0,
            from,
            rates: (None, None),
        });
    };
    let (money, rates) = input.exchange.value(amount, input.currency, toward)?;
    Ok(Known {
        minor: money.minor,
        from,
        rates,
    })
}

fn rounded(rule: &PriceRule, now: Money, steps: &mut impl Steps) -> Result<Money, WhyNot> {
    let up = rule.rounding.up(now).ok_or(WhyNot::TooLarge)?;
    if up != now {
        steps.add(|| Step {
            name: "rounding",
            before: Some(now),
            after: up,
            reason: format!("upward to {}", String::from(rule.rounding)),
        });
    }
    Ok(up)
}

/// Floors raise, ceilings lower; of two the stricter counts. The brand's minimum comes last: it wins over every ceiling.
fn limited(
    input: &Pricable<'_>,
    rule: &PriceRule,
    mut now: Money,
    steps: &mut impl Steps,
) -> Result<Money, WhyNot> {
    let own = input.pricing;
    let of_rule = |amount: Option<Amount>| amount.map(|amount| amount.0);
    let limits = [
        ("floor", own.floor, true),
        ("floor of the rule", of_rule(rule.floor), true),
        ("ceiling", own.ceiling, false),
        ("ceiling of the rule", of_rule(rule.ceiling), false),
        ("minimum advertised price", own.minimum_advertised, true),
    ];
    for (name, limit, raises) in limits {
        let Some(limit) = limit else { continue };
        let toward = if raises {
            Toward::Cost
        } else {
            Toward::Proceeds
        };
        let limit = converted(input, Some(Amount(limit)), toward)?;
        let after = if raises {
            now.minor.max(limit.minor)
        } else {
            now.minor.min(limit.minor)
        };
        if after != now.minor {
            let before = now;
            now.minor = after;
            steps.add(|| Step {
                name,
                before: Some(before),
                after: now,
                reason: format!(
                    "{} {}",
                    if raises { "not below" } else { "not above" },
                    limit.text(input.currency)
                ),
            });
        }
    }
    Ok(now)
}

/// The lowest price at which an order of one unit is still bought.
fn bearable(input: &Pricable<'_>, rule: &PriceRule, spent: &Spent<'_>) -> Result<Money, WhyNot> {
    // The loss grows with the price where it is a part of it, so that of the lowest price is the stricter one.
    let loss = |price| most_loss(&input.rules.loss, price, &input.exchange).minor;
    let lower = spent.for_profit(-loss(spent.least(rule)?), rule)?;
    spent.for_profit(-loss(lower), rule)
}

/// What becomes of a price by the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is the price already.
    Same,
    /// It is the price from now on.
    Take,
    /// It is too far from the price: a person has to look at it.
    Hold,
}

/// Whether a price may follow on the one before. A listing that had none takes any.
pub fn price_step(old: Money, new: Money, factor: Hundredths) -> Change {
    if old == new {
        return Change::Same;
    }
    if old.currency != new.currency {
        return Change::Hold;
    }
    let (low, high) = (old.minor.min(new.minor), old.minor.max(new.minor));
    let is_jump = i128::from(high) * 100 > i128::from(low) * i128::from(factor.0);
    if old.minor > 0 && is_jump {
        Change::Hold
    } else {
        Change::Take
    }
}

#[cfg(test)]
mod tests;
