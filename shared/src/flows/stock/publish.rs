//! Listings are brought to what the table knows.

use super::supply::wanted_quantity;
use crate::Kervan;
use crate::domain::{Listing, ListingId, Published, Sku};
use crate::flows::catalog::{self, Entry};
use crate::flows::{FlowError, LANDS_WITHIN, ledger, price};
use crate::guards::{Guard as Safety, stands};
use crate::marketplaces::{Account, CallError, Effect, Kind, ListingUpdate, Retry};
use crate::store::{Guard, Write, WriteError, keys};
use jiff::Timestamp;
use std::time::Duration;

/// How often a listing is published anew when others come between.
const MOST_PUBLISHINGS: usize = 6;

/// What telling a channel came to.
pub(super) enum Told {
    /// It shows what it should.
    Done,
    /// It was told, and has to be told once more after this time: an earlier update may still land.
    Again(Duration),
    /// It was not told.
    Failed(CallError),
}

/// Brings a sku's listings to what the table knows; those that show it already cost no call.
pub(super) async fn publish(kervan: &Kervan, sku: &Sku) -> Result<Told, FlowError> {
    let entry = catalog::load(&*kervan.store, sku).await?;
    let mut told = Told::Done;
    for stored in &entry.listings {
        match publish_listing(kervan, sku, &entry, &stored.listing.id).await? {
            Told::Done => {}
            again @ Told::Again(_) => told = again,
            failed @ Told::Failed(_) => return Ok(failed),
        }
    }
    Ok(told)
}

/// Before the channel is told, the table forgets what it shows; only a worker that nobody came between notes it again.
/// So two workers at once cannot leave the channel with one number and the table with the other.
async fn publish_listing(
    kervan: &Kervan,
    sku: &Sku,
    loaded: &Entry,
    id: &ListingId,
) -> Result<Told, FlowError> {
    let mut is_told = false;
    // Read anew only where somebody came between: most listings show already what they should.
    let mut newer: Option<Entry> = None;
    for _ in 0..MOST_PUBLISHINGS {
        let entry = newer.as_ref().unwrap_or(loaded);
        let found = entry
            .listings
            .iter()
            .find(|stored| stored.listing.id == *id);
        let Some(stored) = found else {
            return Ok(Told::Done);
        };
        let now = kervan.clock.now();
        let priced = price::current(kervan, entry, stored).await?;
        let (stored, listing) = (&priced.stored, &priced.stored.listing);
        let quantity = if priced.sells {
            wanted_quantity(entry, listing, now)
        } else {
            0
        };
        let shown = listing.shown(now);
        let shown = shown.map(|shown| (shown.quantity, shown.price));
        if shown == Some((quantity, listing.price)) && !is_told {
            return Ok(once_more(listing, now));
        }
        let account = match kervan.accounts.get(&id.channel).await {
            Ok(account) => account,
            Err(error) => return Ok(Told::Failed(error)),
        };
        let budget = account
            .push_listings()
            .and_then(|door| door.revisions_per_day());
        let mut listing = listing.clone();
        let uncounted = listing.revisions.clone();
        if let Some(budget) = budget {
            let wait = uncounted.wait(budget, quantity == 0, now);
            if !wait.is_zero() {
                tracing::warn!(%sku, channel = %id.channel, quantity, "A listing was changed too often today and has to wait.");
                return Ok(Told::Again(wait));
            }
            listing.revisions = uncounted.with_one_more(now);
        }
        let listing = &listing;
        if !note_published(kervan, listing, stored.version, None).await? {
            newer = Some(catalog::load(&*kervan.store, sku).await?);
            continue;
        }
        let price = listing.price;
        let update = ListingUpdate {
            listing: listing.id.clone(),
            quantity,
            price,
        };
        if let Err(error) = push(&*account, &update).await {
            if error.effect != Effect::None {
                note_doubt(kervan, sku, id).await?;
            } else if budget.is_some() {
                // Nothing was changed, so nothing counts. Where somebody came between, one too many is counted.
                let listing = Listing {
                    revisions: uncounted,
                    ..listing.clone()
                };
                note_published(kervan, &listing, stored.version + 1, None).await?;
            }
            return Ok(Told::Failed(error));
        }
        is_told = true;
        tracing::info!(%sku, channel = %id.channel, quantity, "A listing was published.");
        let published = Published {
            quantity,
            price,
            at: now,
        };
        if note_published(kervan, listing, stored.version + 1, Some(published)).await? {
            return Ok(once_more(listing, now));
        }
        newer = Some(catalog::load(&*kervan.store, sku).await?);
    }
    Err(FlowError::Overtaken)
}

/// Whether a listing that was just told has to be told again, because an earlier update may still land.
fn once_more(listing: &Listing, now: Timestamp) -> Told {
    let left = listing.doubt_until.map(|until| until.duration_since(now));
    let left = left.and_then(|left| Duration::try_from(left).ok());
    match left {
        Some(left) if !left.is_zero() && stands(Safety::LateUpdate) => Told::Again(left),
        _ => Told::Done,
    }
}

/// Notes that an update got no answer: it may land late, over newer ones. The quantities of a listing that is told in vain
/// for long stay in doubt with the last of them.
async fn note_doubt(kervan: &Kervan, sku: &Sku, id: &ListingId) -> Result<(), FlowError> {
    for _ in 0..MOST_PUBLISHINGS {
        let entry = catalog::load(&*kervan.store, sku).await?;
        let mut listings = entry.listings.into_iter();
        let Some(stored) = listings.find(|stored| stored.listing.id == *id) else {
            return Ok(());
        };
        let until = kervan.clock.now().checked_add(LANDS_WITHIN).ok();
        let listing = Listing {
            doubt_until: until.filter(|_| stands(Safety::LateUpdate)),
            ..stored.listing
        };
        if note_published(kervan, &listing, stored.version, None).await? {
            return Ok(());
        }
    }
    Err(FlowError::Overtaken)
}

async fn push(account: &dyn Account, update: &ListingUpdate) -> Result<(), CallError> {
    let channel = &update.listing.channel;
    let missing =
        |code| CallError::new(channel, "publish", Kind::Misconfigured, Retry::Person, code);
    let door = account
        .push_listings()
        .ok_or_else(|| missing("not-a-channel"))?;
    let results = door.push(std::slice::from_ref(update)).await?;
    results
        .into_iter()
        .next()
        .unwrap_or_else(|| Err(missing("no-answer-for-item")))
}

/// Notes what the channel shows, where the listing is still at this version; false where it is not.
async fn note_published(
    kervan: &Kervan,
    listing: &Listing,
    version: u64,
    published: Option<Published>,
) -> Result<bool, FlowError> {
    let is_sure = |published: &Published| listing.doubt_until.is_some_and(|at| at <= published.at);
    let over = published.as_ref().is_some_and(is_sure);
    let listing = Listing {
        published,
        doubt_until: listing.doubt_until.filter(|_| !over),
        ..listing.clone()
    };
    let mut only_if = vec![Guard::Version(version)];
    only_if.retain(|_| stands(Safety::ListingVersion));
    let write = Write::Update {
        key: keys::listing(&listing.id),
        set_body: Some(ledger::write(&listing)?),
        set_due: None,
        add: Vec::new(),
        only_if,
    };
    match kervan.store.write(vec![write]).await {
        Ok(()) => Ok(true),
        Err(WriteError::Conflict(_) | WriteError::Contended) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
