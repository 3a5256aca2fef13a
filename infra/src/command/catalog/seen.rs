//! Finds rows that say different things of the same: the last would win in silence.
//!
//! **Invariant:** memory is bounded, at some 100 MB, whatever the file holds. Where it is used up, the summary says so.

use std::hash::BuildHasher;

use kervan::domain::{Bundle, Money, Part, Sku};
use kervan::flows::catalog::{ListingTerms, OfferTerms, Term, Terms};

use super::cells::Fault;
use super::columns::Column;
use records::{Record, Records};

mod records;

/// Listings, offers, skus and parts that are remembered, at 24 bytes each. A row has up to three of them.
const MOST_REMEMBERED: usize = 4_000_000;

/// At most nine: of each a tag of seven bits is kept.
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

/// Of no use to a file that is made to collide: another one in every process.
#[cfg(not(test))]
type Hashes = std::hash::RandomState;
/// In tests the same in every process: two values whose tags are the same by chance would fail one run in 127.
#[cfg(test)]
type Hashes = std::hash::BuildHasherDefault<std::hash::DefaultHasher>;

/// What is remembered under one key.
#[derive(Hash)]
enum Kind {
    Listing,
    Offer,
    /// Of what a sku is made: [`OF_OFFERS`], or a hash of its parts.
    Made,
    /// A sku that is a part.
    Part,
}

/// The terms of a sku that has offers of its own.
const OF_OFFERS: u32 = 0;

/// What earlier rows said, as hashes, with the line of the first.
pub(super) struct Seen {
    hasher: Hashes,
    records: Records,
    /// The first line of which not all could be remembered.
    full_since: Option<u64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self::with_room_for(MOST_REMEMBERED)
    }
}

impl Seen {
    pub(super) fn with_room_for(most: usize) -> Self {
        Self {
            hasher: Hashes::default(),
            records: Records::with_room_for(most),
            full_since: None,
        }
    }

    /// From this line on rows are compared with earlier ones alone, and no longer with each other.
    pub(super) const fn full_since(&self) -> Option<u64> {
        self.full_since
    }

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
        if let Some(bundle) = &terms.bundle {
            let column = match path("bundle", 0) {
                path if path.is_empty() => Column::Parts.name(),
                _ => "bundle",
            };
            self.bundle(line, &terms.sku, bundle, column, &mut faults);
        } else if !terms.offers.is_empty() {
            let column = match path("offers", 0) {
                path if path.is_empty() => Column::Supplier.name(),
                _ => "offers",
            };
            let key = self.key(Kind::Made, &terms.sku);
            let earlier = self.known(Record::new(key, line, OF_OFFERS, 0));
            if let Some(Record { line: first, .. }) = earlier.filter(|it| it.whole != OF_OFFERS) {
                let problem = format!(
                    "must be empty, because line {first} says of which parts the sku is made"
                );
                faults.push(Fault::at(column, problem));
            }
        }
        faults
    }

    fn listing(&mut self, line: u64, listing: &ListingTerms, path: &str, faults: &mut Vec<Fault>) {
        let minor = |money: &Option<Money>| money.map(|money| money.minor);
        let price = listing.price;
        let terms = [
            Some(self.hasher.hash_one(price.minor)),
            Some(self.hasher.hash_one(price.currency)),
            self.hash(&listing.by_rules, |it| *it),
            self.hash(&listing.floor, minor),
            self.hash(&listing.ceiling, minor),
            self.hash(&listing.minimum_advertised, minor),
            self.hash(&listing.variation_of, Clone::clone),
            self.hash(&listing.buffer, |it| *it),
            self.hash(&listing.cap, |it| *it),
        ];
        let key = self.key(Kind::Listing, &listing.id);
        self.compare(key, line, terms, LISTING, path, "listing", faults);
    }

    fn offer(&mut self, line: u64, offer: &OfferTerms, path: &str, faults: &mut Vec<Fault>) {
        let terms = [
            self.hash(&offer.rank, |it| *it),
            self.hash(&offer.ship_to, Clone::clone),
            self.hash(&offer.shipping, |it| *it),
        ];
        let key = self.key(Kind::Offer, (&offer.sku, &offer.id));
        self.compare(key, line, terms, OFFER, path, "offer", faults);
    }

    fn bundle(
        &mut self,
        line: u64,
        sku: &Sku,
        bundle: &Bundle,
        column: &str,
        faults: &mut Vec<Fault>,
    ) {
        let parts = bundle.parts().iter();
        let mut named: Vec<(&Sku, u32)> = parts.map(|part| (&part.sku, part.units)).collect();
        named.sort();
        let made = half(self.hasher.hash_one(named)).max(OF_OFFERS + 1);
        let key = self.key(Kind::Made, sku);
        let problem = match self.known(Record::new(key, line, made, 0)) {
            Some(earlier) if earlier.whole == OF_OFFERS => Some(format!(
                "must be empty, because line {} has an offer of the sku",
                earlier.line
            )),
            Some(earlier) if earlier.whole != made => Some(format!(
                "must be as in line {}, which has the same sku",
                earlier.line
            )),
            _ => None,
        };
        let outer = self.records.get(self.key(Kind::Part, sku)).map(|first| {
            let line = first.line;
            format!("must be empty, because the sku is a part of a bundle in line {line}")
        });
        let of_bundle = |part: &Part| {
            let first = self.records.get(self.key(Kind::Made, &part.sku))?;
            (first.whole != OF_OFFERS).then(|| {
                let (part, line) = (&part.sku, first.line);
                format!("must not name {part}, which is a bundle itself in line {line}")
            })
        };
        let inner = bundle.parts().iter().find_map(of_bundle);
        let problems = [problem, outer, inner].into_iter().flatten();
        faults.extend(problems.map(|problem| Fault::at(column, problem)));
        for part in bundle.parts() {
            let key = self.key(Kind::Part, &part.sku);
            self.known(Record::new(key, line, 0, 0));
        }
    }

    fn key(&self, kind: Kind, id: impl std::hash::Hash) -> u64 {
        self.hasher.hash_one((kind, id))
    }

    fn hash<T, H: std::hash::Hash>(&self, term: &Term<T>, what: impl Fn(&T) -> H) -> Option<u64> {
        term.said().map(|value| self.hasher.hash_one(what(value)))
    }

    /// What was said before under this key, or else what is said now is remembered.
    fn known(&mut self, now: Record) -> Option<Record> {
        if let Some(known) = self.records.get(now.key) {
            return Some(known);
        }
        if !self.records.add(now) && self.full_since.is_none() {
            self.full_since = Some(u64::from(now.line));
        }
        None
    }

    /// Names the columns of which something else is said than before. A term that one of the two does not have says
    /// nothing, so it contradicts nothing.
    #[allow(
        clippy::too_many_arguments,
        reason = "what is said, and how it is told"
    )]
    fn compare<const N: usize>(
        &mut self,
        key: u64,
        line: u64,
        terms: [Option<u64>; N],
        columns: [Column; N],
        path: &str,
        what: &str,
        faults: &mut Vec<Fault>,
    ) {
        let whole = half(self.hasher.hash_one(&terms[..]));
        let now = Record::new(key, line, whole, tags(&terms));
        let Some(earlier) = self.known(now) else {
            return;
        };
        let first = earlier.line;
        let before = faults.len();
        let mut have_same = true;
        for (place, column) in columns.into_iter().enumerate() {
            let (known, given) = (tag(earlier.tags, place), tag(now.tags, place));
            have_same &= (known == 0) == (given == 0);
            if known != 0 && given != 0 && known != given {
                let problem = format!("must be as in line {first}, which has the same {what}");
                faults.push(Fault::at(format!("{path}{}", column.name()), problem));
            }
        }
        // Two different values have the same tag once in 127 times; the hash of all terms tells them apart.
        if faults.len() == before && have_same && earlier.whole != now.whole {
            faults.push(Fault::of_all(format!(
                "must say of the {what} {path}what line {first} says"
            )));
        }
    }
}

/// Of each term seven bits: 0 where it is not said.
fn tags<const N: usize>(terms: &[Option<u64>; N]) -> u64 {
    let mut tags = 0;
    for (place, term) in terms.iter().enumerate() {
        tags |= term.map_or(0, |hash| 1 + hash % 127) << (7 * place);
    }
    tags
}

const fn tag(tags: u64, place: usize) -> u64 {
    (tags >> (7 * place)) & 0x7f
}

#[allow(clippy::cast_possible_truncation, reason = "half of a hash is a hash")]
const fn half(hash: u64) -> u32 {
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests;
