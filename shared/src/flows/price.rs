//! A listing's price by the rules, when it is published; and prices that changed too far at once, until a person has
//! looked at them.

use super::catalog::{self, Entry, StoredListing, StoredOffer};
use super::{FlowError, ledger, plan, rates, rules};
use crate::Kervan;
use crate::decide::{
    self, Candidate, Change, Pricable, Priced, PricedOffer, PricedPart, Step, Steps, WhyNot,
    first_choice, least_bearable, price_step,
};
use crate::domain::{
    Exchange, HeldPrice, JumpFactor, Listing, ListingId, Money, Offer, OfferId, Rates, Rules, Sku,
};
use crate::store::{Condition, Due, Guard, Item, Store, Write, keys};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A listing with the price that it should have.
#[derive(Debug, Clone)]
pub struct Current {
    /// The listing, its price by the rules of now. It is written with what is published next.
    pub stored: StoredListing,
    /// Whether it may be sold: not where each sale would lose more than an order may lose, because the price is held, or
    /// limited from above, below what it costs now. It shows no units then.
    pub sells: bool,
    /// The lowest price at which a sale loses no more than an order may lose, where the rules came to it.
    pub bearable: Option<Money>,
    /// Offers whose units it does not show: a sale that is bought by them at this price would lose more than an order may
    /// lose. Once the others have none to sell, the price follows them.
    pub too_dear: Vec<OfferId>,
}

/// A price that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Which listing.
    pub listing: ListingId,
    /// The price that stays meanwhile.
    pub from: Money,
    /// What the rules came to.
    pub to: Money,
    /// Since when.
    pub since: Timestamp,
}

/// How a listing's price comes about.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The listing as it is.
    pub listing: Listing,
    /// The steps, as far as they went.
    pub steps: Vec<Step>,
    /// The price, and what becomes of it; or why there is none.
    pub outcome: Result<(Priced, Change), WhyNot>,
    /// The price that counts now.
    pub price: Money,
    /// As [`Current::sells`].
    pub sells: bool,
    /// As [`Current::too_dear`].
    pub too_dear: Vec<OfferId>,
}

/// What the rules say of a listing's price.
struct Judged {
    outcome: Result<(Priced, Change), WhyNot>,
    price: Money,
    sells: bool,
    too_dear: Vec<OfferId>,
}

/// What prices are found from, besides the catalogue.
struct Basis<'a> {
    rules: &'a Rules,
    rates: &'a Rates,
    now: Timestamp,
}

/// A sku that is bought, with the offers that may be chosen.
struct Bought {
    sku: Sku,
    units: u32,
    offers: Vec<StoredOffer>,
}

/// The price that a listing should have now. One whose price is the catalogue's costs nothing. A jump is written down at
/// once, for a person, and the old price stays.
pub async fn current(
    kervan: &Kervan,
    entry: &Entry,
    stored: &StoredListing,
) -> Result<Current, FlowError> {
    let mut stored = stored.clone();
    if !stored.listing.pricing.by_rules {
        return Ok(Current {
            stored,
            sells: true,
            bearable: None,
            too_dear: Vec::new(),
        });
    }
    let rules = kervan.rules.get().await?;
    let rates = kervan.rates.get().await?;
    let basis = Basis {
        rules: &rules,
        rates: &rates,
        now: kervan.clock.now(),
    };
    let store = &*kervan.store;
    let bought = bought(store, entry, &stored.listing.id.sku, &basis).await?;
    let judged = judge(&basis, &bought, &stored.listing, &mut ());
    match &judged.outcome {
        Err(why) => {
            let (sku, channel) = (&stored.listing.id.sku, &stored.listing.id.channel);
            tracing::warn!(%sku, %channel, %why, "The rules give no price; the last one stays.");
        }
        Ok((priced, Change::Hold)) => hold(kervan, &mut stored, priced.price, basis.now).await?,
        Ok((_, Change::Same | Change::Take)) => {
            if stored.listing.pricing.held.is_some() {
                release(store, &mut stored, |listing| listing.price = judged.price).await?;
            }
            stored.listing.price = judged.price;
        }
    }
    let priced = judged.outcome.as_ref().ok();
    Ok(Current {
        stored,
        sells: judged.sells,
        bearable: priced.map(|(priced, _)| priced.bearable),
        too_dear: judged.too_dear,
    })
}

/// What the rules come to, and what that means for the listing. Nothing is written.
fn judge(
    basis: &Basis<'_>,
    bought: &[Bought],
    listing: &Listing,
    steps: &mut impl Steps,
) -> Judged {
    let exchange = Exchange {
        rates: basis.rates,
        now: basis.now,
        most_age: basis.rules.price.rates.most_age(),
    };
    let currency = listing.price.currency;
    let part = |bought| PricedPart::of(bought, listing, &exchange);
    let parts: Vec<PricedPart<'_>> = bought.iter().map(part).collect();
    let input = Pricable {
        sku: &listing.id.sku,
        channel: &listing.id.channel,
        currency,
        pricing: &listing.pricing,
        parts: &parts,
        rules: &basis.rules.price,
        exchange,
    };
    let outcome = decide::price(&input, steps).map(|priced| {
        let change = price_step(listing.price, priced.price, factor(basis, &priced));
        (priced, change)
    });
    let price = match &outcome {
        Ok((priced, Change::Same | Change::Take)) if listing.pricing.by_rules => priced.price,
        _ => listing.price,
    };
    let sells = match &outcome {
        _ if !listing.pricing.by_rules => true,
        Ok((priced, _)) => {
            let least = priced.bearable;
            price.currency == least.currency && price.minor >= least.minor
        }
        // Where nobody knows what it costs, nobody knows that it is a loss: the order's own check decides.
        Err(WhyNot::BelowCost { least, .. }) => price.minor >= least.minor,
        Err(_) => true,
    };
    let too_dear = if sells && listing.pricing.by_rules {
        too_dear(&input, bought, price)
    } else {
        Vec::new()
    };
    Judged {
        outcome,
        price,
        sells,
        too_dear,
    }
}

/// Offers besides the first choice by which a sale at this price would lose more than an order may lose.
fn too_dear(input: &Pricable<'_>, bought: &[Bought], price: Money) -> Vec<OfferId> {
    let mut found = Vec::new();
    for (place, bought) in bought.iter().enumerate() {
        let chosen = input.parts.get(place).and_then(|part| part.offer);
        let others = bought.offers.iter().map(|stored| &stored.offer);
        for other in others.filter(|other| chosen.is_some_and(|chosen| *chosen.id != other.id)) {
            let mut parts = input.parts.to_vec();
            if let Some(part) = parts.get_mut(place) {
                part.offer = PricedOffer::of(other);
            }
            let input = Pricable {
                parts: &parts,
                ..*input
            };
            // Where nobody knows what it costs, nobody knows that it is a loss.
            if least_bearable(&input).is_ok_and(|least| price.minor < least.minor) {
                found.push(other.id.clone());
            }
        }
    }
    found
}

/// How the prices of a sku come about, of all its listings, by the same code that decides them.
pub async fn explain(
    store: &dyn Store,
    sku: &Sku,
    now: Timestamp,
) -> Result<Vec<Explained>, FlowError> {
    let entry = catalog::load(store, sku).await?;
    explain_entry(store, sku, &entry, &rules::load(store).await?, now).await
}

/// As [`explain`], of a sku that was read already, its listings in the order in which they stand there.
pub async fn explain_entry(
    store: &dyn Store,
    sku: &Sku,
    entry: &Entry,
    rules: &Rules,
    now: Timestamp,
) -> Result<Vec<Explained>, FlowError> {
    let (rates, _) = rates::load(store).await?;
    let basis = Basis {
        rules,
        rates: &rates,
        now,
    };
    let bought = bought(store, entry, sku, &basis).await?;
    let explain = |stored: &StoredListing| {
        let mut steps = Vec::new();
        let listing = stored.listing.clone();
        let judged = judge(&basis, &bought, &listing, &mut steps);
        Explained {
            listing,
            steps,
            outcome: judged.outcome,
            price: judged.price,
            sells: judged.sells,
            too_dear: judged.too_dear,
        }
    };
    Ok(entry.listings.iter().map(explain).collect())
}

/// The prices that wait for a person, the longest waiting first, at most so many.
pub async fn held(
    store: &dyn Store,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Waiting>, FlowError> {
    let items = store
        .due(keys::PRICE_LANE, Timestamp::MIN, now, most)
        .await?;
    items.iter().map(|item| ledger::read(&item.body)).collect()
}

/// A person takes the price that they have seen, or says no to it: then the old one stays, and the same one is not asked for
/// again. `None` where no price of the listing waits; [`FlowError::Unfit`] where another one does by now.
pub async fn decide(
    store: &dyn Store,
    id: &ListingId,
    seen: Money,
    takes: bool,
) -> Result<Option<Waiting>, FlowError> {
    let entry = catalog::load(store, &id.sku).await?;
    let found = entry
        .listings
        .into_iter()
        .find(|stored| stored.listing.id == *id);
    let Some(mut stored) = found else {
        return Ok(None);
    };
    let pricing = &mut stored.listing.pricing;
    let held = pricing.held.clone().filter(|held| !held.rejected);
    let Some(held) = held else {
        // An entry that is left of an earlier price would be listed for ever.
        let key = keys::held_price(id);
        if store.get(&key).await?.is_some() {
            write(store, &mut stored, vec![Write::Delete { key }]).await?;
        }
        return Ok(None);
    };
    if held.price != seen {
        return Err(FlowError::Unfit(format!(
            "the price that waits is {} by now, and not {seen}: look at it first, with kervan price held",
            held.price
        )));
    }
    let waiting = Waiting {
        listing: id.clone(),
        from: stored.listing.price,
        to: held.price,
        since: held.since,
    };
    if takes {
        release(store, &mut stored, |listing| listing.price = held.price).await?;
    } else {
        let rejected = Some(HeldPrice {
            rejected: true,
            ..held
        });
        let listing = &mut stored.listing;
        listing.pricing.held = rejected;
        let delete = Write::Delete {
            key: keys::held_price(id),
        };
        write(store, &mut stored, vec![delete]).await?;
    }
    Ok(Some(waiting))
}

fn factor(basis: &Basis<'_>, priced: &Priced) -> crate::domain::Hundredths {
    let rule = basis.rules.price.rules.get(priced.rule - 1);
    rule.map_or(JumpFactor::default(), |rule| rule.jump_factor)
        .0
}

/// What a sku is bought as: itself, or a bundle's parts. Offers whose evidence is worthless are no candidates.
async fn bought(
    store: &dyn Store,
    entry: &Entry,
    sku: &Sku,
    basis: &Basis<'_>,
) -> Result<Vec<Bought>, FlowError> {
    let one = |sku: &Sku, units: u32, offers: &[StoredOffer]| {
        let worthless = basis.rules.evidence.worthless();
        let usable = |stored: &&StoredOffer| {
            let evidence = stored.offer.evidence.as_ref();
            evidence.is_some_and(|seen| basis.now.duration_since(seen.at) <= worthless)
        };
        Bought {
            sku: sku.clone(),
            units,
            offers: offers.iter().filter(usable).cloned().collect(),
        }
    };
    let Some(bundle) = &entry.bundle else {
        return Ok(vec![one(sku, 1, &entry.offers)]);
    };
    let mut all = Vec::new();
    for part in bundle.parts() {
        let offers = match entry.parts.get(&part.sku) {
            Some(offers) => offers.clone(),
            None => catalog::load(store, &part.sku).await?.offers,
        };
        all.push(one(&part.sku, part.units, &offers));
    }
    Ok(all)
}

impl<'a> PricedPart<'a> {
    /// With the offer that would be bought for one unit of what is sold: first of those that have one besides the buffer.
    fn of(bought: &'a Bought, listing: &Listing, exchange: &Exchange<'_>) -> Self {
        let candidate = |stored| plan::candidate(stored, listing.price.currency, exchange);
        let candidates: Vec<Candidate> = bought.offers.iter().filter_map(candidate).collect();
        let with_buffer = bought
            .units
            .saturating_mul(listing.buffer.saturating_add(1));
        let choice = first_choice(candidates.iter(), with_buffer)
            .or_else(|| first_choice(candidates.iter(), bought.units));
        let mut offers = bought.offers.iter().map(|stored| &stored.offer);
        let offer = choice.and_then(|choice| offers.find(|offer| offer.id == choice.offer));
        Self {
            sku: &bought.sku,
            units: bought.units,
            offer: offer.and_then(PricedOffer::of),
        }
    }
}

impl<'a> PricedOffer<'a> {
    fn of(offer: &'a Offer) -> Option<Self> {
        Some(Self {
            id: &offer.id,
            cost: offer.evidence.as_ref()?.cost,
            shipping: offer.shipping,
        })
    }
}

/// Notes a price that waits for a person, once for each price.
async fn hold(
    kervan: &Kervan,
    stored: &mut StoredListing,
    to: Money,
    now: Timestamp,
) -> Result<(), FlowError> {
    let listing = &mut stored.listing;
    if listing
        .pricing
        .held
        .as_ref()
        .is_some_and(|held| held.price == to)
    {
        return Ok(());
    }
    let known = listing.pricing.held.as_ref().filter(|held| !held.rejected);
    let since = known.map_or(now, |held| held.since);
    listing.pricing.held = Some(HeldPrice {
        price: to,
        since,
        rejected: false,
    });
    let waiting = Waiting {
        listing: listing.id.clone(),
        from: listing.price,
        to,
        since,
    };
    let mut item = Item::new(keys::held_price(&listing.id), 1, ledger::write(&waiting)?);
    item.due = Some(Due {
        lane: keys::PRICE_LANE.to_owned(),
        at: since,
    });
    let only_if = Condition::Always;
    write(&*kervan.store, stored, vec![Write::Put { item, only_if }]).await?;
    let (sku, channel) = (&waiting.listing.sku, &waiting.listing.channel);
    tracing::warn!(%sku, %channel, from = %waiting.from, %to, "A price jumped and waits for a person.");
    Ok(())
}

/// Ends the waiting of a price.
async fn release(
    store: &dyn Store,
    stored: &mut StoredListing,
    how: impl FnOnce(&mut Listing),
) -> Result<(), FlowError> {
    stored.listing.pricing.held = None;
    how(&mut stored.listing);
    let key = keys::held_price(&stored.listing.id);
    write(store, stored, vec![Write::Delete { key }]).await
}

/// Writes a listing on the version that was read, with more in the same transaction.
async fn write(
    store: &dyn Store,
    stored: &mut StoredListing,
    more: Vec<Write>,
) -> Result<(), FlowError> {
    let mut writes = vec![Write::Update {
        key: keys::listing(&stored.listing.id),
        set_body: Some(ledger::write(&stored.listing)?),
        set_due: None,
        add: Vec::new(),
        only_if: vec![Guard::Version(stored.version)],
    }];
    writes.extend(more);
    store.write(writes).await?;
    stored.version += 1;
    Ok(())
}

#[cfg(test)]
mod tests;
