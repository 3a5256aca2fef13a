//! Terms are put into the catalogue. What is already there keeps what Kervan has learned of it.

use super::{Entry, ListingTerms, OfferTerms, Terms, load};
use crate::domain::{Bundle, Listing, Offer, Part, Sku};
use crate::flows::{FlowError, ledger};
use crate::store::{Condition, Due, Guard, Item, Key, MOST_WRITES, Store, Write, keys};
use jiff::Timestamp;

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
        listings: vec![listing.into()],
        offers: vec![offer.into()],
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

/// Puts terms of a sku into the catalogue in one transaction. Of what is already there the terms that are set change alone:
/// evidence, counters, what was published and how often, doubts, held prices and the price that the rules came to stay.
/// The stock of an offer that is new or changed is due at once; what is as it was is not written.
///
/// A sku with offers is no bundle, no part of a bundle is a bundle, and a supplier's variant fills one sku:
/// [`FlowError::Unfit`]. Of bundles, two writers at the same
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
        writes.extend(claim(store, offer, &known).await?);
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
    if writes.len() > MOST_WRITES {
        return Err(FlowError::Unfit(format!(
            "{} brings {} changes at once, and {MOST_WRITES} fit: put its listings and offers in several steps",
            terms.sku,
            writes.len()
        )));
    }
    if put.is_changed {
        store.write(writes).await?;
    }
    Ok(put)
}

/// Refuses terms that do not fit what is there, with what would.
async fn check(store: &dyn Store, terms: &Terms, known: &Entry) -> Result<(), FlowError> {
    let sku = &terms.sku;
    let unfit = |problem: String| Err(FlowError::Unfit(problem));
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

/// Adds the writes of a listing, if there are any; tells whether the channel has to hear of it.
fn put_listing(
    terms: &ListingTerms,
    known: &Entry,
    writes: &mut Vec<Write>,
) -> Result<bool, FlowError> {
    let key = keys::listing(&terms.id);
    let mut listings = known.listings.iter();
    let stored = listings.find(|stored| stored.listing.id == terms.id);
    let old = stored.map(|stored| &stored.listing);
    let next: Listing = terms.onto(old).map_err(FlowError::Unfit)?;
    let Some(stored) = stored else {
        writes.push(fresh(Item::new(key, 1, ledger::write(&next)?)));
        return Ok(true);
    };
    if next != stored.listing {
        writes.push(changed(key, ledger::write(&next)?, stored.version, None));
        if stored.listing.pricing.held.is_some() && next.pricing.held.is_none() {
            // Nobody can decide any more about a price that no listing waits for.
            let key = keys::held_price(&terms.id);
            writes.push(Write::Delete { key });
        }
        return Ok(true);
    }
    // What was put and could not be queued is queued when it is put again.
    let shown = next.published.as_ref().map(|published| published.price);
    Ok(shown != Some(next.price))
}

fn put_offer(
    terms: &OfferTerms,
    known: &Entry,
    now: Timestamp,
    writes: &mut Vec<Write>,
) -> Result<(), FlowError> {
    let key = keys::offer(&terms.sku, &terms.id);
    let due = Due {
        lane: keys::stock_lane(&terms.sku, &terms.id),
        at: now,
    };
    let mut offers = known.offers.iter();
    let stored = offers.find(|stored| stored.offer.id == terms.id);
    let next: Offer = terms.onto(stored.map(|stored| &stored.offer));
    let Some(stored) = stored else {
        let mut item = Item::new(key, 1, ledger::write(&next)?);
        item.due = Some(due);
        writes.push(fresh(item));
        return Ok(());
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

/// The write that makes a supplier's variant that is new in the catalogue this sku's. Under two skus its units would be
/// counted, and sold, twice.
async fn claim(
    store: &dyn Store,
    offer: &OfferTerms,
    known: &Entry,
) -> Result<Option<Write>, FlowError> {
    if known
        .offers
        .iter()
        .any(|stored| stored.offer.id == offer.id)
    {
        return Ok(None);
    }
    let key = keys::variant(&offer.id);
    let Some(item) = store.get(&key).await? else {
        return Ok(Some(fresh(Item::new(key, 1, ledger::write(&offer.sku)?))));
    };
    let owner: Sku = ledger::read(&item.body)?;
    if owner == offer.sku {
        return Ok(None);
    }
    let (sku, id) = (&offer.sku, &offer.id);
    Err(FlowError::Unfit(format!(
        "{id} fills {owner} already, and its units would be sold twice: make {sku} a bundle of {owner}*1"
    )))
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
