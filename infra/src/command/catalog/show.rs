//! What is known of a sku, for a person.

use std::io::Write;

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use kervan::decide::Urgency;
use kervan::domain::{EvidenceRule, Listing, Money, Part, Revisions, Sku};
use kervan::flows::catalog::{self, Entry, StoredListing, StoredOffer};
use kervan::flows::price::{self, Explained};
use kervan::flows::{rules, should_show};
use kervan::store::Store;
use serde_json::{Value, json};

use crate::command::text::{age, aligned, plain};

/// A sku with what its parts are known to have.
struct Known {
    entry: Entry,
    /// Of each listing, in their order, what the rules say of its price.
    explained: Vec<Explained>,
    rule: EvidenceRule,
    now: Timestamp,
}

/// Shows a sku, its offers by rank.
pub(super) async fn show(
    store: &dyn Store,
    sku: &Sku,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let mut entry = catalog::load_with_parts(store, sku).await?;
    if !entry.is_there() {
        let part_of = match entry.part_of.first() {
            Some(bundle) => format!(", though {bundle} names it as a part"),
            None => String::new(),
        };
        bail!("the sku is not in the catalogue{part_of}; add it with: cargo kervan catalog import");
    }
    entry.offers.sort_by_key(|stored| stored.offer.rank);
    let rules = rules::load(store).await?;
    let known = Known {
        explained: price::explain_entry(store, sku, &entry, &rules, now).await?,
        entry,
        rule: rules.evidence,
        now,
    };
    if as_json {
        let text = serde_json::to_string_pretty(&known.as_value(sku)?)?;
        return Ok(writeln!(out, "{text}")?);
    }
    known.write(sku, out)
}

impl Known {
    fn write(&self, sku: &Sku, out: &mut dyn Write) -> Result<()> {
        let Entry {
            listings,
            offers,
            part_of,
            ..
        } = &self.entry;
        writeln!(out, "{sku}\n\nlistings")?;
        let lines = listings.iter().zip(&self.explained);
        let lines: Vec<_> = lines.map(|(l, e)| self.listing_line(l, e)).collect();
        write!(out, "{}", aligned("  ", &lines))?;
        if self.parts().is_empty() {
            writeln!(out, "\noffers, the first is tried first")?;
            let lines: Vec<_> = offers.iter().map(|o| self.offer_line(o)).collect();
            write!(out, "{}", aligned("  ", &lines))?;
        } else {
            let bundles = self.sellable();
            writeln!(
                out,
                "\na bundle, of which {bundles} could be sold now, each of"
            )?;
            let lines: Vec<_> = self.parts().iter().map(|p| self.part_line(p)).collect();
            write!(out, "{}", aligned("  ", &lines))?;
        }
        if !part_of.is_empty() {
            let names: Vec<_> = part_of.iter().map(Sku::as_str).collect();
            writeln!(out, "\na part of {}", names.join(", "))?;
        }
        Ok(())
    }

    fn listing_line(&self, stored: &StoredListing, explained: &Explained) -> Vec<String> {
        let (listing, now) = (&stored.listing, self.now);
        let published = match listing.shown(now) {
            // Before a channel is told, the table forgets what it shows, until the answer is there.
            None if was_told(listing) => "what it shows is not known".to_owned(),
            None => "nothing is known to be published".to_owned(),
            Some(published) => format!(
                "published {} at {}, {} ago",
                published.quantity,
                published.price,
                age(now, published.at)
            ),
        };
        let mut line = vec![
            listing.id.channel.to_string(),
            plain(&listing.id.offer),
            price_text(listing),
            format!("buffer {}", listing.buffer),
            format!("cap {}", listing.cap),
            published,
            self.should_text(listing, explained),
        ];
        if let Some(held) = &listing.pricing.held {
            let (price, since) = (held.price, age(now, held.since));
            line.push(if held.rejected {
                format!("a person has said no to {price}")
            } else {
                format!("{price} is held for a person since {since}")
            });
        }
        if let Some(of) = &listing.variation_of {
            line.push(format!("a variation of {}", plain(of)));
        }
        line
    }

    /// What the listing should show, by the code that publishes it.
    fn should_text(&self, listing: &Listing, explained: &Explained) -> String {
        let price = explained.price;
        let Some(should) = should_show(&self.entry, explained, &self.rule, self.now) else {
            return "is not published, because it has no price yet".to_owned();
        };
        let shown = listing.shown(self.now);
        if shown.is_some_and(|shown| {
            Urgency::of(Some((shown.quantity, shown.price)), (should, price)) == Urgency::None
        }) {
            return match explained.sells {
                true => "as it should be".to_owned(),
                false => "as it should be: each sale would lose more than an order may".to_owned(),
            };
        }
        match explained.sells {
            true => format!("should be {should} at {price}"),
            false => format!(
                "should be 0, because each sale at {price} would lose more than an order may"
            ),
        }
    }

    fn offer_line(&self, stored: &StoredOffer) -> Vec<String> {
        let (offer, now) = (&stored.offer, self.now);
        let shipping = offer.shipping.map_or_else(
            || "shipping unknown".to_owned(),
            |shipping| format!("shipping {shipping}"),
        );
        let next = match stored.due_at {
            None => "no look is due".to_owned(),
            Some(at) if at <= now => "a look is due".to_owned(),
            // The age of now, seen from then, is the time until then.
            Some(at) => format!("next look in {}", age(at, now)),
        };
        let mut line = vec![
            format!("rank {}", offer.rank),
            offer.id.to_string(),
            format!("to {}", offer.ship_to.as_str()),
            shipping,
            next,
        ];
        let Some(evidence) = &offer.evidence else {
            line.push("the supplier was not asked yet".to_owned());
            return line;
        };
        let worth = match now.duration_since(evidence.at) {
            old if old > self.rule.worthless() => ", too old to count",
            old if old > self.rule.fresh() => ", too old to raise a listing",
            _ => "",
        };
        line.extend([
            format!("stock {}", evidence.stock),
            format!("free {}", stored.free),
            format!("cost {}", evidence.cost),
            format!("seen {} ago{worth}", age(now, evidence.at)),
        ]);
        line
    }

    fn part_line(&self, part: &Part) -> Vec<String> {
        let offers = self.offers_of(part);
        let units = match offers.is_empty() {
            true => "not in the catalogue".to_owned(),
            false => format!("{} there", self.units(offers)),
        };
        vec![format!("{} of", part.units), part.sku.to_string(), units]
    }

    /// What it is made of; nothing where it is no bundle.
    fn parts(&self) -> &[Part] {
        self.entry.bundle.as_ref().map_or(&[], |it| it.parts())
    }

    fn offers_of(&self, part: &Part) -> &[StoredOffer] {
        let offers = self.entry.parts.get(&part.sku);
        offers.map_or(&[], Vec::as_slice)
    }

    /// Units of a sku's offers that nobody has taken, by what suppliers said that still counts.
    fn units(&self, offers: &[StoredOffer]) -> i64 {
        let offers = offers.iter().filter(|stored| {
            let evidence = stored.offer.evidence.as_ref();
            evidence.is_some_and(|it| self.now.duration_since(it.at) <= self.rule.worthless())
        });
        offers.map(|stored| stored.free.max(0)).sum()
    }

    /// Units of the sku itself: a bundle is there as often as the scarcest of its parts fills it.
    fn sellable(&self) -> i64 {
        if self.parts().is_empty() {
            return self.units(&self.entry.offers);
        }
        let parts = self.parts().iter();
        let bundles =
            parts.map(|part| self.units(self.offers_of(part)) / i64::from(part.units.max(1)));
        bundles.min().unwrap_or(0)
    }

    /// As stored, with what the table keeps beside it, the age of the evidence, and what listings should show.
    fn as_value(&self, sku: &Sku) -> Result<Value> {
        let entry = &self.entry;
        let mut offers = Vec::new();
        for stored in &entry.offers {
            let mut offer = serde_json::to_value(&stored.offer)?;
            let evidence = stored.offer.evidence.as_ref();
            let age: Option<SignedDuration> =
                evidence.map(|evidence| self.now.duration_since(evidence.at));
            offer["free"] = json!(stored.free);
            offer["bought_since_evidence"] = json!(stored.bought);
            offer["evidence_age_s"] = json!(age.map(|age| age.as_secs().max(0)));
            offer["next_look_at"] = json!(stored.due_at);
            offers.push(offer);
        }
        let mut listings = Vec::new();
        for (stored, explained) in entry.listings.iter().zip(&self.explained) {
            let mut listing = serde_json::to_value(&stored.listing)?;
            let should = should_show(entry, explained, &self.rule, self.now);
            listing["should_show"] = json!(should);
            listing["should_cost"] = json!(explained.price);
            listing["would_lose_too_much"] = json!(!explained.sells);
            listing["too_dear"] = json!(explained.too_dear);
            listings.push(listing);
        }
        let mut value = json!({
            "sku": sku,
            "listings": listings,
            "offers": offers,
            "could_be_sold": self.sellable(),
            "part_of": entry.part_of,
        });
        if !self.parts().is_empty() {
            let part = |part: &Part| {
                json!({
                    "sku": part.sku,
                    "units": part.units,
                    "there": self.units(self.offers_of(part)),
                })
            };
            value["bundle"] = self.parts().iter().map(part).collect();
        }
        Ok(value)
    }
}

/// Whether its channel was told of it at some time, by what the table has of it.
fn was_told(listing: &Listing) -> bool {
    listing.published.is_some()
        || listing.doubt_until.is_some()
        || listing.in_bulk.is_some()
        || listing.revisions != Revisions::default()
}

fn price_text(listing: &Listing) -> String {
    let pricing = &listing.pricing;
    let mut text = match (pricing.by_rules, listing.price.minor) {
        (true, 0) => "price by rules, none yet".to_owned(),
        (true, _) => format!("price {} by rules", listing.price),
        (false, _) => format!("price {}", listing.price),
    };
    for (name, bound) in [
        ("floor", pricing.floor),
        ("ceiling", pricing.ceiling),
        ("map", pricing.minimum_advertised),
    ] {
        let decimal = bound.map(Money::decimal);
        text.extend(decimal.map(|decimal| format!(", {name} {decimal}")));
    }
    text
}

#[cfg(test)]
mod tests;
