//! Terms are put into the catalogue. What is already there keeps what Kervan has learned of it.

use super::{Entry, load};
use crate::domain::{Bundle, Listing, Money, Offer, Part, Sku};
use crate::flows::{FlowError, ledger};
use crate::store::{Condition, Due, Guard, Item, Key, MOST_WRITES, Store, Write, keys};
use jiff::Timestamp;

/// What the merchant says of a sku: all of it is put, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Which sku; every listing and offer below is of it.
    pub sku: Sku,
    /// Where it is sold.
    pub listings: Vec<Listing>,
    /// Where it can be bought.
    pub offers: Vec<Offer>,
    /// What it is made of.
    pub bundle: Option<Bundle>,
}

/// What putting terms came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Put {
    /// Something was written; else the table held it all.
    pub is_changed: bool,
    /// A listing has to be published, and no look at the stock of something new will see to it.
    pub is_to_publish: bool,
}

/// Puts a listing and an offer of one sku into the catalogue, both or neither.
pub async fn put(
    store: &dyn Store,
    listing: Listing,
    offer: Offer,
    now: Timestamp,
) -> Result<(), FlowError> {
    let terms = Terms {
        sku: listing.id.sku.clone(),
        listings: vec![listing],
        offers: vec![offer],
        bundle: None,
    };
    put_terms(store, &terms, now).await?;
    Ok(())
}

/// Puts what a sku is made of into the catalogue, in place of what it was made of.
pub async fn put_bundle(
    store: &dyn Store,
    bundle: Bundle,
    now: Timestamp,
) -> Result<(), FlowError> {
    let terms = Terms {
        sku: bundle.sku().clone(),
        listings: Vec::new(),
        offers: Vec::new(),
        bundle: Some(bundle),
    };
    put_terms(store, &terms, now).await?;
    Ok(())
}

/// Puts terms of a sku into the catalogue in one transaction. Of what is already there the terms change alone: evidence,
/// counters, what was published and how often, doubts, held prices and the price that the rules came to stay. The stock
/// of an offer that is new or changed is due at once; what is as it was is not written.
///
/// A sku with offers is no bundle, and no part of a bundle is a bundle: [`FlowError::Unfit`]. Two writers at the same
/// moment can get around that; such a bundle has no units to sell.
pub async fn put_terms(store: &dyn Store, terms: &Terms, now: Timestamp) -> Result<Put, FlowError> {
    let known = load(store, &terms.sku).await?;
    check(store, terms, &known).await?;
    let mut writes = Vec::new();
    let mut is_to_publish = false;
    for listing in &terms.listings {
        is_to_publish |= put_listing(listing, &known, &mut writes)?;
    }
    for offer in &terms.offers {
        put_offer(offer, &known, now, &mut writes)?;
    }
    if let Some(bundle) = &terms.bundle {
        is_to_publish |= put_parts(bundle, &known, &mut writes)?;
    }
    // Before the first look nothing is known that could be published; the look does it.
    let is_known = known.bundle.is_some()
        || terms.bundle.is_some()
        || (known.offers.iter()).any(|stored| stored.offer.evidence.is_some());
    let put = Put {
        is_changed: !writes.is_empty(),
        is_to_publish: is_to_publish && is_known,
    };
    if put.is_changed {
        store.write(writes).await?;
    }
    Ok(put)
}

/// Refuses terms that do not fit what is there, with what would.
async fn check(store: &dyn Store, terms: &Terms, known: &Entry) -> Result<(), FlowError> {
    let sku = &terms.sku;
    let unfit = |problem: String| Err(FlowError::Unfit(problem));
    let bundle_writes = |bundle: &Bundle| {
        let old = known.bundle.as_ref().map_or(0, |old| old.parts().len());
        1 + bundle.parts().len() + old
    };
    let writes =
        terms.listings.len() + terms.offers.len() + terms.bundle.as_ref().map_or(0, bundle_writes);
    if writes > MOST_WRITES {
        return unfit(format!(
            "{sku} brings {writes} changes at once, and {MOST_WRITES} fit: put its listings and offers in several steps"
        ));
    }
    let Some(bundle) = &terms.bundle else {
        if known.bundle.is_some() && !terms.offers.is_empty() {
            return unfit(format!(
                "{sku} is a bundle, which is bought as its parts: put the offer to a part, or remove the bundle first"
            ));
        }
        return Ok(());
    };
    if !terms.offers.is_empty() || !known.offers.is_empty() {
        return unfit(format!(
            "{sku} has offers of suppliers, and a bundle is bought as its parts: remove the offers first"
        ));
    }
    if let Some(outer) = known.part_of.first() {
        return unfit(format!(
            "{sku} is a part of {outer}, and a part cannot be a bundle: name its own parts in {outer}"
        ));
    }
    let is_known = |part: &Part| {
        known
            .bundle
            .as_ref()
            .is_some_and(|old| old.parts().iter().any(|one| one.sku == part.sku))
    };
    for part in bundle.parts().iter().filter(|part| !is_known(part)) {
        if store.get(&keys::bundle(&part.sku)).await?.is_some() {
            let part = &part.sku;
            return unfit(format!(
                "the part {part} is a bundle itself: name its parts instead"
            ));
        }
    }
    Ok(())
}

/// Adds the write of a listing, if it is one; tells whether the channel has to hear of it.
fn put_listing(
    listing: &Listing,
    known: &Entry,
    writes: &mut Vec<Write>,
) -> Result<bool, FlowError> {
    let key = keys::listing(&listing.id);
    let mut listings = known.listings.iter();
    let Some(stored) = listings.find(|stored| stored.listing.id == listing.id) else {
        writes.push(fresh(Item::new(key, 1, ledger::write(listing)?)));
        return Ok(true);
    };
    let old = &stored.listing;
    let mut next = Listing {
        price: price(listing, old),
        pricing: listing.pricing.clone(),
        variation_of: listing.variation_of.clone(),
        buffer: listing.buffer,
        cap: listing.cap,
        ..old.clone()
    };
    if next.pricing.by_rules {
        next.pricing.held = old.pricing.held.clone();
    }
    if next != *old {
        writes.push(changed(key, ledger::write(&next)?, stored.version, None));
        return Ok(true);
    }
    // What was put and could not be queued is queued when it is put again.
    let shown = next.published.as_ref().map(|published| published.price);
    Ok(shown != Some(next.price))
}

/// What the rules came to stays until they come to something else.
fn price(listing: &Listing, old: &Listing) -> Money {
    let same = listing.price.currency == old.price.currency;
    if listing.pricing.by_rules && same {
        old.price
    } else {
        listing.price
    }
}

fn put_offer(
    offer: &Offer,
    known: &Entry,
    now: Timestamp,
    writes: &mut Vec<Write>,
) -> Result<(), FlowError> {
    let key = keys::offer(&offer.sku, &offer.id);
    let due = Due {
        lane: keys::stock_lane(&offer.sku, &offer.id),
        at: now,
    };
    let mut offers = known.offers.iter();
    let Some(stored) = offers.find(|stored| stored.offer.id == offer.id) else {
        let mut item = Item::new(key, 1, ledger::write(offer)?);
        item.due = Some(due);
        writes.push(fresh(item));
        return Ok(());
    };
    let next = Offer {
        rank: offer.rank,
        ship_to: offer.ship_to.clone(),
        shipping: offer.shipping,
        ..stored.offer.clone()
    };
    if next != stored.offer {
        writes.push(changed(
            key,
            ledger::write(&next)?,
            stored.version,
            Some(due),
        ));
    }
    Ok(())
}

/// Adds the writes of a bundle: what it is made of, and that its parts are in it. Tells whether it is another than before.
fn put_parts(bundle: &Bundle, known: &Entry, writes: &mut Vec<Write>) -> Result<bool, FlowError> {
    let key = keys::bundle(bundle.sku());
    let body = ledger::write(bundle)?;
    let old = match &known.bundle {
        Some(old) if old == bundle => return Ok(false),
        Some(old) => {
            writes.push(changed(key, body, known.bundle_version, None));
            old.parts()
        }
        None => {
            writes.push(fresh(Item::new(key, 1, body)));
            &[]
        }
    };
    let is_in = |parts: &[Part], part: &Part| parts.iter().any(|other| other.sku == part.sku);
    for part in old.iter().filter(|part| !is_in(bundle.parts(), part)) {
        let key = keys::part_of(&part.sku, bundle.sku());
        writes.push(Write::Delete { key });
    }
    for part in bundle.parts().iter().filter(|part| !is_in(old, part)) {
        let key = keys::part_of(&part.sku, bundle.sku());
        writes.push(Write::Put {
            item: Item::new(key, 1, "{}".to_owned()),
            only_if: Condition::Always,
        });
    }
    Ok(true)
}

/// A put where nothing is there.
fn fresh(item: Item) -> Write {
    Write::Put {
        item,
        only_if: Condition::Absent,
    }
}

/// An update of the body alone, so that counters live on.
fn changed(key: Key, body: String, version: u64, due: Option<Due>) -> Write {
    Write::Update {
        key,
        set_body: Some(body),
        set_due: due.map(Some),
        add: Vec::new(),
        only_if: vec![Guard::Version(version)],
    }
}
