//! What is known of a sku, for a person.

use std::io::Write;

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use kervan::decide::{Stocked, Supply, published_quantity};
use kervan::domain::{EvidenceRule, Listing, Money, Part, Sku};
use kervan::flows::catalog::{self, Entry, StoredListing, StoredOffer};
use kervan::flows::rules;
use kervan::store::Store;
use serde_json::{Value, json};

use crate::command::text::{age, aligned, plain};

/// A sku with what its parts are known to have.
struct Known {
    entry: Entry,
    parts: Vec<KnownPart>,
    rule: EvidenceRule,
    now: Timestamp,
}

struct KnownPart {
    part: Part,
    entry: Entry,
}

/// Shows a sku, its offers by rank.
pub(super) async fn show(
    store: &dyn Store,
    sku: &Sku,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let mut entry = catalog::load(store, sku).await?;
    if !entry.is_there() {
        let part_of = match entry.part_of.first() {
            Some(bundle) => format!(", though {bundle} names it as a part"),
            None => String::new(),
        };
        bail!("the sku is not in the catalogue{part_of}; add it with: cargo kervan catalog import");
    }
    entry.offers.sort_by_key(|stored| stored.offer.rank);
    let mut parts = Vec::new();
    for part in entry.bundle.iter().flat_map(|bundle| bundle.parts()) {
        parts.push(KnownPart {
            part: part.clone(),
            entry: catalog::load(store, &part.sku).await?,
        });
    }
    let known = Known {
        entry,
        parts,
        rule: rules::load(store).await?.evidence,
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
        let lines: Vec<_> = listings.iter().map(|l| self.listing_line(l)).collect();
        write!(out, "{}", aligned("  ", &lines))?;
        if self.parts.is_empty() {
            writeln!(out, "\noffers, the first is tried first")?;
            let lines: Vec<_> = offers.iter().map(|o| self.offer_line(o)).collect();
            write!(out, "{}", aligned("  ", &lines))?;
        } else {
            let bundles = self.sellable();
            writeln!(
                out,
                "\na bundle, of which {bundles} could be sold now, each of"
            )?;
            let lines: Vec<_> = self.parts.iter().map(|p| self.part_line(p)).collect();
            write!(out, "{}", aligned("  ", &lines))?;
        }
        if !part_of.is_empty() {
            let names: Vec<_> = part_of.iter().map(Sku::as_str).collect();
            writeln!(out, "\na part of {}", names.join(", "))?;
        }
        Ok(())
    }

    fn listing_line(&self, stored: &StoredListing) -> Vec<String> {
        let (listing, now) = (&stored.listing, self.now);
        let should = self.wanted(listing);
        let published = match listing.shown(now) {
            None if listing.doubt_until.is_some() => "what it shows is in doubt".to_owned(),
            None => "nothing published yet".to_owned(),
            Some(published) => format!(
                "published {} at {}, {} ago",
                published.quantity,
                published.price,
                age(now, published.at)
            ),
        };
        let is_there = listing
            .shown(now)
            .is_some_and(|shown| shown.quantity == should && shown.price == listing.price);
        let mut line = vec![
            listing.id.channel.to_string(),
            plain(&listing.id.offer),
            price_text(listing),
            format!("buffer {}", listing.buffer),
            format!("cap {}", listing.cap),
            published,
            if is_there {
                "as it should be".to_owned()
            } else {
                format!("should be {should} at {}", listing.price)
            },
        ];
        if let Some(held) = &listing.pricing.held {
            let since = age(now, held.since);
            line.push(format!("{} is held for a person since {since}", held.price));
        }
        if let Some(of) = &listing.variation_of {
            line.push(format!("a variation of {}", plain(of)));
        }
        line
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

    fn part_line(&self, known: &KnownPart) -> Vec<String> {
        let KnownPart { part, entry } = known;
        let units = match entry.offers.is_empty() {
            true => "not in the catalogue".to_owned(),
            false => format!("{} there", self.units(entry)),
        };
        vec![format!("{} of", part.units), part.sku.to_string(), units]
    }

    /// Units of a sku's offers that nobody has taken, by what suppliers said that still counts.
    fn units(&self, entry: &Entry) -> i64 {
        let offers = entry.offers.iter().filter(|stored| {
            let evidence = stored.offer.evidence.as_ref();
            evidence.is_some_and(|it| self.now.duration_since(it.at) <= self.rule.worthless())
        });
        offers.map(|stored| stored.free.max(0)).sum()
    }

    /// Units of the sku itself: a bundle is there as often as the scarcest of its parts fills it.
    fn sellable(&self) -> i64 {
        if self.parts.is_empty() {
            return self.units(&self.entry);
        }
        let bundles = self
            .parts
            .iter()
            .map(|known| self.units(&known.entry) / i64::from(known.part.units.max(1)));
        bundles.min().unwrap_or(0)
    }

    /// What a listing should show now.
    fn wanted(&self, listing: &Listing) -> u32 {
        let stocked = |stored: &StoredOffer| {
            let evidence_at = stored.offer.evidence.as_ref()?.at;
            let free = stored.free;
            Some(Stocked { free, evidence_at })
        };
        let supply = |units, entry: &Entry| Supply {
            units,
            offers: entry.offers.iter().filter_map(stocked).collect(),
        };
        let supplies: Vec<Supply> = if self.parts.is_empty() {
            vec![supply(1, &self.entry)]
        } else {
            let parts = self.parts.iter();
            parts
                .map(|known| supply(known.part.units, &known.entry))
                .collect()
        };
        let shown = listing.shown(self.now).map(|shown| shown.quantity);
        let (buffer, cap) = (listing.buffer, listing.cap);
        published_quantity(&supplies, shown, buffer, cap, &self.rule, self.now)
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
        for stored in &entry.listings {
            let mut listing = serde_json::to_value(&stored.listing)?;
            listing["should_show"] = json!(self.wanted(&stored.listing));
            listings.push(listing);
        }
        let mut value = json!({
            "sku": sku,
            "listings": listings,
            "offers": offers,
            "could_be_sold": self.sellable(),
            "part_of": entry.part_of,
        });
        if !self.parts.is_empty() {
            let part = |known: &KnownPart| {
                json!({
                    "sku": known.part.sku,
                    "units": known.part.units,
                    "there": self.units(&known.entry),
                })
            };
            value["bundle"] = self.parts.iter().map(part).collect();
        }
        Ok(value)
    }
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
