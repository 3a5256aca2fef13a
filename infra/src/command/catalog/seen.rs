//! Finds rows that say different things of the same: the last would win in silence.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use kervan::domain::{Bundle, Listing, Offer, Sku};
use kervan::flows::catalog::Terms;

use super::cells::Fault;
use super::columns::Column;

/// Listings, offers and skus that are remembered to find rows that contradict each other. Such rows stand together in
/// most files, so then it begins anew.
const MOST_REMEMBERED: usize = 100_000;

const LISTING: [Column; 9] = [
    Column::Price,
    Column::Currency,
    Column::Pricing,
    Column::Floor,
    Column::Ceiling,
    Column::Map,
    Column::VariationOf,
    Column::Buffer,
    Column::Cap,
];
const OFFER: [Column; 3] = [Column::Rank, Column::ShipTo, Column::Shipping];

/// What earlier rows said, as hashes, with the line of the first.
#[derive(Default)]
pub(super) struct Seen {
    hasher: RandomState,
    listings: HashMap<u64, (u64, [u64; LISTING.len()])>,
    offers: HashMap<u64, (u64, [u64; OFFER.len()])>,
    /// Of what skus are made; `None` where a sku has offers.
    made: HashMap<u64, (u64, Option<u64>)>,
    /// Skus that are parts.
    parts: HashMap<u64, u64>,
}

impl Seen {
    /// What of the terms contradicts earlier lines. The path stands before a column's name, by kind and place.
    pub(super) fn check(
        &mut self,
        line: u64,
        terms: &Terms,
        path: impl Fn(&str, usize) -> String,
    ) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (place, listing) in terms.listings.iter().enumerate() {
            self.listing(line, listing, &path("listings", place), &mut faults);
        }
        for (place, offer) in terms.offers.iter().enumerate() {
            self.offer(line, offer, &path("offers", place), &mut faults);
        }
        let sku = self.hasher.hash_one(&terms.sku);
        if let Some(bundle) = &terms.bundle {
            let column = match path("bundle", 0) {
                path if path.is_empty() => Column::Parts.name(),
                _ => "bundle",
            };
            self.bundle(line, sku, bundle, column, &mut faults);
        } else if !terms.offers.is_empty() {
            let column = match path("offers", 0) {
                path if path.is_empty() => Column::Supplier.name(),
                _ => "offers",
            };
            if let Some((first, Some(_))) = known(&mut self.made, sku, || (line, None)) {
                let problem = format!(
                    "must be empty, because line {first} says of which parts the sku is made"
                );
                faults.push(Fault::at(column, problem));
            }
        }
        faults
    }

    fn listing(&mut self, line: u64, listing: &Listing, path: &str, faults: &mut Vec<Fault>) {
        let hash = |hash: &dyn Fn(&RandomState) -> u64| hash(&self.hasher);
        let (price, pricing) = (listing.price, &listing.pricing);
        let minor = |money: Option<kervan::domain::Money>| money.map(|money| money.minor);
        let terms = [
            hash(&|it| it.hash_one(price.minor)),
            hash(&|it| it.hash_one(price.currency)),
            hash(&|it| it.hash_one(pricing.by_rules)),
            hash(&|it| it.hash_one(minor(pricing.floor))),
            hash(&|it| it.hash_one(minor(pricing.ceiling))),
            hash(&|it| it.hash_one(minor(pricing.minimum_advertised))),
            hash(&|it| it.hash_one(&listing.variation_of)),
            hash(&|it| it.hash_one(listing.buffer)),
            hash(&|it| it.hash_one(listing.cap)),
        ];
        let key = self.hasher.hash_one(&listing.id);
        let earlier = known(&mut self.listings, key, || (line, terms));
        differing(earlier, terms, LISTING, path, "listing", faults);
    }

    fn offer(&mut self, line: u64, offer: &Offer, path: &str, faults: &mut Vec<Fault>) {
        let terms = [
            self.hasher.hash_one(offer.rank),
            self.hasher.hash_one(&offer.ship_to),
            self.hasher.hash_one(offer.shipping),
        ];
        let key = self.hasher.hash_one((&offer.sku, &offer.id));
        let earlier = known(&mut self.offers, key, || (line, terms));
        differing(earlier, terms, OFFER, path, "offer", faults);
    }

    fn bundle(
        &mut self,
        line: u64,
        sku: u64,
        bundle: &Bundle,
        column: &str,
        faults: &mut Vec<Fault>,
    ) {
        let mut parts: Vec<(&Sku, u32)> = bundle
            .parts()
            .iter()
            .map(|part| (&part.sku, part.units))
            .collect();
        parts.sort();
        let made = self.hasher.hash_one(parts);
        let problem = match known(&mut self.made, sku, || (line, Some(made))) {
            Some((first, None)) => Some(format!(
                "must be empty, because line {first} has an offer of the sku"
            )),
            Some((first, Some(other))) if other != made => Some(format!(
                "must be as in line {first}, which has the same sku"
            )),
            _ => None,
        };
        let outer = self.parts.get(&sku).map(|first| {
            format!("must be empty, because the sku is a part of a bundle in line {first}")
        });
        let of_bundle = |part: &kervan::domain::Part| {
            let (first, made) = self.made.get(&self.hasher.hash_one(&part.sku))?;
            made.is_some().then(|| {
                format!(
                    "must not name {}, which is a bundle itself in line {first}",
                    part.sku
                )
            })
        };
        let inner = bundle.parts().iter().find_map(of_bundle);
        let problems = [problem, outer, inner].into_iter().flatten();
        faults.extend(problems.map(|problem| Fault::at(column, problem)));
        for part in bundle.parts() {
            let key = self.hasher.hash_one(&part.sku);
            known(&mut self.parts, key, || line);
        }
    }
}

/// What was said before under this key, or else what is said now is remembered.
fn known<T: Copy>(seen: &mut HashMap<u64, T>, key: u64, now: impl FnOnce() -> T) -> Option<T> {
    if let Some(known) = seen.get(&key) {
        return Some(*known);
    }
    if seen.len() >= MOST_REMEMBERED {
        seen.clear();
    }
    seen.insert(key, now());
    None
}

fn differing<const N: usize>(
    earlier: Option<(u64, [u64; N])>,
    terms: [u64; N],
    columns: [Column; N],
    path: &str,
    what: &str,
    faults: &mut Vec<Fault>,
) {
    let Some((first, known)) = earlier else {
        return;
    };
    let pairs = columns.into_iter().zip(known.iter().zip(&terms));
    for (column, _) in pairs.filter(|(_, (known, given))| known != given) {
        let problem = format!("must be as in line {first}, which has the same {what}");
        faults.push(Fault::at(format!("{path}{}", column.name()), problem));
    }
}
