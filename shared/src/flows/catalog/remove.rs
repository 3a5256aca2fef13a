//! What is no longer sold or bought goes out of the catalogue, if nothing hangs on it.

use super::{BOUGHT, FREE, load};
use crate::domain::{Listing, ListingId, OfferId, Sku};
use crate::flows::{FlowError, ledger};
use crate::store::{Guard, Store, Write, keys};
use jiff::Timestamp;

/// What removing a listing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is gone.
    Gone,
    /// The channel may still show units of it. It may show none from now on, and has to be published; when the channel
    /// surely shows none, it can be removed.
    ToZero,
}

/// Removes a listing, if its channel surely shows no units. What a channel shows can be bought, and an order of a sku
/// that is no longer known waits for a person; so another listing is only brought to zero: its cap becomes 0.
/// `even_if_shown` removes it nevertheless: for one that has ended at the channel, or that never was there.
///
/// The listing is given by its channel and the channel's id. [`FlowError::Unfit`] where there is none.
pub async fn remove_listing(
    store: &dyn Store,
    id: &ListingId,
    even_if_shown: bool,
    now: Timestamp,
) -> Result<Removed, FlowError> {
    let entry = load(store, &id.sku).await?;
    let mut listings = entry.listings.into_iter();
    let Some(stored) = listings.find(|stored| stored.listing.id == *id) else {
        let ListingId {
            channel,
            sku,
            offer,
        } = id;
        return Err(FlowError::Unfit(format!(
            "{sku} has no listing {channel}/{offer}"
        )));
    };
    let (key, only_if) = (keys::listing(id), vec![Guard::Version(stored.version)]);
    let listing = stored.listing;
    if even_if_shown || shows_none(&listing, now) {
        let delete = Write::DeleteIf { key, only_if };
        let held = Write::Delete {
            key: keys::held_price(id),
        };
        store.write(vec![delete, held]).await?;
        return Ok(Removed::Gone);
    }
    if listing.cap > 0 {
        let listing = Listing { cap: 0, ..listing };
        let lower = Write::Update {
            key,
            set_body: Some(ledger::write(&listing)?),
            set_due: None,
            add: Vec::new(),
            only_if,
        };
        store.write(vec![lower]).await?;
    }
    Ok(Removed::ToZero)
}

/// No units are shown, and no update is under way that could land late. An update that was only begun has made the table
/// forget what is shown.
fn shows_none(listing: &Listing, now: Timestamp) -> bool {
    let shown = listing.shown(now);
    let is_sure = listing.doubt_until.is_none_or(|until| until <= now);
    is_sure && shown.is_some_and(|shown| shown.quantity == 0)
}

/// Removes an offer, if no order has reserved units of it and none were bought since the latest look: an order that gives
/// units back must find it. [`FlowError::Unfit`] where it is so, or where there is no such offer.
pub async fn remove_offer(store: &dyn Store, sku: &Sku, id: &OfferId) -> Result<(), FlowError> {
    let entry = load(store, sku).await?;
    let mut offers = entry.offers.iter();
    let Some(stored) = offers.find(|stored| stored.offer.id == *id) else {
        return Err(FlowError::Unfit(format!("{sku} has no offer {id}")));
    };
    let evidence = stored.offer.evidence.as_ref();
    let stock = evidence.map_or(0, |evidence| i64::from(evidence.stock));
    if stored.free != stock || stored.bought != 0 {
        let (bought, reserved) = (stored.bought, stock - stored.free - stored.bought);
        return Err(FlowError::Unfit(format!(
            "of the offer {id}, {reserved} units are reserved by orders and {bought} were bought since the latest look at \
             its stock: try again when those orders are bought and the stock was looked at, or give the offer a high rank \
             meanwhile"
        )));
    }
    // An order that reserves now changes the counters and not the version.
    let only_if = vec![
        Guard::Version(stored.version),
        Guard::Equals(FREE, stock),
        Guard::Equals(BOUGHT, 0),
    ];
    let key = keys::offer(sku, id);
    let claim = Write::Delete {
        key: keys::variant(id),
    };
    let delete = Write::DeleteIf { key, only_if };
    Ok(store.write(vec![delete, claim]).await?)
}

/// Removes what a sku is made of. Orders that were taken before keep the parts that they were taken with; its listings
/// have nothing to sell until the sku has offers of its own. [`FlowError::Unfit`] where it is no bundle.
pub async fn remove_bundle(store: &dyn Store, sku: &Sku) -> Result<(), FlowError> {
    let entry = load(store, sku).await?;
    let Some(bundle) = entry.bundle else {
        return Err(FlowError::Unfit(format!("{sku} is no bundle")));
    };
    let mut writes = vec![Write::DeleteIf {
        key: keys::bundle(sku),
        only_if: vec![Guard::Version(entry.bundle_version)],
    }];
    let parts = bundle.parts().iter();
    writes.extend(parts.map(|part| Write::Delete {
        key: keys::part_of(&part.sku, sku),
    }));
    Ok(store.write(writes).await?)
}
