//! What is no longer sold or bought is taken out of the catalogue, safely.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use kervan::domain::{AccountId, ListingId, OfferId, Sku};
use kervan::flows::FlowError;
use kervan::flows::catalog::{self, Entry, Removed};

use super::cells::listing_id;
use super::import::Table;

/// How often one removal is tried where others are at work on the sku.
const MOST_TRIES: u32 = 5;

/// What is to go.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Listings, by their channels and the channels' ids.
    pub(super) listings: Vec<(AccountId, String)>,
    pub(super) offers: Vec<OfferId>,
    pub(super) bundle: bool,
    /// All of the above that the sku has.
    pub(super) all: bool,
    /// Also listings of which the channel may still show units.
    pub(super) even_if_shown: bool,
}

/// `ebay:main/8123456789`.
pub(super) fn parse_listing(text: &str) -> Result<(AccountId, String)> {
    let (channel, id) = text.split_once('/').context(
        "A listing is named by its channel and the channel's id, as in ebay:main/8123456789",
    )?;
    let id =
        listing_id(id).map_err(|problem| anyhow::anyhow!("The id of the listing {problem}"))?;
    Ok((channel.parse()?, id))
}

/// `aliexpress:main/1005001/1200001`.
pub(super) fn parse_offer(text: &str) -> Result<OfferId> {
    let mut words = text.splitn(3, '/');
    let (Some(supplier), Some(product), Some(variant)) = (words.next(), words.next(), words.next())
    else {
        bail!(
            "An offer is named by its supplier, product and variant, as in aliexpress:main/1005001/1200001"
        );
    };
    Ok(OfferId::new(supplier.parse()?, product, variant)?)
}

/// Removes it, the listings first: what is still shown must be buyable. Fails where something has to wait.
pub(super) async fn remove(
    table: Table<'_>,
    sku: &Sku,
    wanted: &Wanted,
    dry_run: bool,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let entry = catalog::load(table.store, sku).await?;
    let wanted = &resolve(sku, &entry, wanted)?;
    if dry_run {
        for line in lines(wanted) {
            writeln!(out, "would be removed: {line}")?;
        }
        writeln!(out, "nothing was written, because this is a dry run")?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut waits = false;
    for (channel, offer) in &wanted.listings {
        let id = ListingId {
            channel: channel.clone(),
            sku: sku.clone(),
            offer: offer.clone(),
        };
        let removed =
            again(|| catalog::remove_listing(table.store, &id, wanted.even_if_shown, now));
        match removed.await? {
            Removed::Gone => writeln!(out, "removed: listing {channel}/{offer}")?,
            Removed::ToZero => {
                waits = true;
                writeln!(
                    out,
                    "not yet removed: listing {channel}/{offer} may still show units; it is published to zero now and \
                     stays there. Run this again in some minutes"
                )?;
            }
        }
    }
    if waits {
        table.publisher.publish([sku.clone()]).await?;
        if !wanted.offers.is_empty() || wanted.bundle {
            writeln!(
                out,
                "the rest stays until the listings show none, so that what is sold can be bought"
            )?;
        }
        return Ok(ExitCode::FAILURE);
    }
    for offer in &wanted.offers {
        again(|| catalog::remove_offer(table.store, sku, offer)).await?;
        writeln!(out, "removed: offer {offer}")?;
    }
    if wanted.bundle {
        again(|| catalog::remove_bundle(table.store, sku)).await?;
        writeln!(out, "removed: the parts of the bundle")?;
    }
    // Listings of the sku and of its bundles have less to sell.
    if !wanted.offers.is_empty() || wanted.bundle {
        let bundles = entry.part_of.into_iter();
        table
            .publisher
            .publish(bundles.chain([sku.clone()]))
            .await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What of the sku is meant, all of which is there.
fn resolve(sku: &Sku, entry: &Entry, wanted: &Wanted) -> Result<Wanted> {
    let listings = entry.listings.iter().map(|stored| &stored.listing.id);
    let listings: Vec<_> = listings
        .map(|id| (id.channel.clone(), id.offer.clone()))
        .collect();
    let offers: Vec<_> = entry
        .offers
        .iter()
        .map(|stored| stored.offer.id.clone())
        .collect();
    if !entry.is_there() {
        bail!("{sku} is not in the catalogue");
    }
    if !wanted.all {
        for (channel, offer) in &wanted.listings {
            if !listings.contains(&(channel.clone(), offer.clone())) {
                bail!("{sku} has no listing {channel}/{offer}");
            }
        }
        if let Some(missing) = wanted.offers.iter().find(|offer| !offers.contains(offer)) {
            bail!("{sku} has no offer {missing}");
        }
        if wanted.bundle && entry.bundle.is_none() {
            bail!("{sku} is no bundle");
        }
        return Ok(Wanted {
            listings: wanted.listings.clone(),
            offers: wanted.offers.clone(),
            ..*wanted
        });
    }
    if let Some(bundle) = entry.part_of.first() {
        bail!(
            "{sku} is a part of {bundle}: remove that bundle, or import it with other parts, first"
        );
    }
    Ok(Wanted {
        listings,
        offers,
        bundle: entry.bundle.is_some(),
        ..*wanted
    })
}

fn lines(wanted: &Wanted) -> Vec<String> {
    let listings = wanted
        .listings
        .iter()
        .map(|(channel, id)| format!("listing {channel}/{id}"));
    let offers = wanted.offers.iter().map(|offer| format!("offer {offer}"));
    let bundle = wanted.bundle.then(|| "the parts of the bundle".to_owned());
    listings.chain(offers).chain(bundle).collect()
}

/// Again where another worker was at the same item.
async fn again<T, F>(mut work: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T, FlowError>>,
{
    for _ in 1..MOST_TRIES {
        match work().await {
            Err(FlowError::Overtaken) => {}
            outcome => return Ok(outcome?),
        }
    }
    Ok(work().await?)
}

#[cfg(test)]
mod tests;
