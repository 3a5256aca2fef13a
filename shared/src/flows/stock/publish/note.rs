//! What the table knows of a listing, and when it is due, is written.

use crate::Kervan;
use crate::decide::Urgency;
use crate::domain::{Cause, Listing, ListingId, Published};
use crate::flows::{FlowError, ledger, set_due_unless_changed, write_unless_changed};
use crate::store::{Due, Guard, Write, keys};
use jiff::Timestamp;

/// The entry of a listing that waits to be told in bulk.
pub(in crate::flows::stock) fn bulk_due(id: &ListingId, urgency: Urgency, at: Timestamp) -> Due {
    Due {
        lane: keys::bulk_lane(&id.channel, urgency),
        at,
    }
}

/// Sets a listing's due time where it is still at this version; whoever changed it in between knows better.
pub(in crate::flows::stock) async fn set_due(
    kervan: &Kervan,
    id: &ListingId,
    version: u64,
    due: Option<Due>,
) -> Result<(), FlowError> {
    set_due_unless_changed(kervan, keys::listing(id), version, due).await?;
    Ok(())
}

/// Puts a listing into the lane of its channel's bulk call, or takes it out of it, with what it waits to be told for.
/// Whoever changed it in between tells the channel, or puts it off.
pub(in crate::flows::stock) async fn wait_in_lane(
    kervan: &Kervan,
    listing: &Listing,
    version: u64,
    cause: Cause,
    due: Option<Due>,
) -> Result<(), FlowError> {
    let mut body = None;
    if listing.cause != cause {
        let listing = Listing {
            cause,
            ..listing.clone()
        };
        body = Some(ledger::write(&listing)?);
    }
    write(kervan, &listing.id, version, body, Some(due)).await?;
    Ok(())
}

/// Notes what the channel shows, where the listing is still at this version; false where it is not.
pub(in crate::flows::stock) async fn note_published(
    kervan: &Kervan,
    listing: &Listing,
    version: u64,
    published: Option<Published>,
    set_due: Option<Option<Due>>,
) -> Result<bool, FlowError> {
    let is_sure = |published: &Published| listing.doubt_until.is_some_and(|at| at <= published.at);
    let over = published.as_ref().is_some_and(is_sure);
    let listing = Listing {
        // What the channel has been told is nothing that it waits for.
        cause: match published {
            Some(_) => Cause::default(),
            None => listing.cause,
        },
        published,
        doubt_until: listing.doubt_until.filter(|_| !over),
        ..listing.clone()
    };
    let body = ledger::write(&listing)?;
    write(kervan, &listing.id, version, Some(body), set_due).await
}

/// Notes a listing whose channel was not told: it shows what it showed. Whoever came between knows better.
pub(super) async fn note_untold(
    kervan: &Kervan,
    listing: &Listing,
    version: u64,
    due: Option<Due>,
) -> Result<(), FlowError> {
    let body = ledger::write(listing)?;
    write(kervan, &listing.id, version, Some(body), due.map(Some)).await?;
    Ok(())
}

async fn write(
    kervan: &Kervan,
    id: &ListingId,
    version: u64,
    set_body: Option<String>,
    set_due: Option<Option<Due>>,
) -> Result<bool, FlowError> {
    let write = Write::Update {
        key: keys::listing(id),
        set_body,
        set_due,
        add: Vec::new(),
        only_if: vec![Guard::Version(version)],
    };
    write_unless_changed(kervan, vec![write]).await
}
