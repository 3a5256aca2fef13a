//! Prices that jumped: those that wait for a person, and what the person decides.

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::Timestamp;
use kervan::domain::{AccountId, Hundredths, Listing, Money, Sku};
use kervan::flows::price::{self, Waiting};
use kervan::flows::{FlowError, catalog};
use kervan::store::Store;
use serde_json::Value;

use crate::command::catalog::publisher::Publisher;
use crate::command::target::Target;
use crate::command::text::{age, aligned, count, plain, shell_word};

/// The most held prices that are shown.
const MOST_SHOWN: usize = 1000;
/// The most prices that are decided about at once.
const MOST_DECIDED: usize = 20_000;
/// Prices that are decided about before their skus are published.
const IN_A_STEP: usize = 25;

#[derive(Debug, Args)]
#[command(after_help = "\
The old price stays meanwhile. Where it would lose money, the listing shows no units. Beside each price stands the command \
that takes it; with --reject it says no.

Examples:
  cargo kervan price held
  cargo kervan price held --profile shop --json")]
pub(super) struct Held {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The price is the one that you have seen: where another one waits by now, nothing is done. With --reject the old price stays, \
and the same new one is not asked for again. With --up-to-factor, all prices are taken (or, with --reject, refused) that \
changed by no more than that, up or down; --dry-run shows which.

Examples:
  cargo kervan price accept MUG-1 --channel ebay:main --price 31.00
  cargo kervan price accept MUG-1 --channel ebay:main --price 31.00 --reject
  cargo kervan price accept --up-to-factor 1.8 --dry-run")]
pub(super) struct Accept {
    /// The sku
    #[arg(
        required_unless_present = "up_to_factor",
        conflicts_with = "up_to_factor",
        value_parser = Sku::parse
    )]
    sku: Option<Sku>,
    /// The channel; with --up-to-factor, all channels where it is left out
    #[arg(long, required_unless_present = "up_to_factor")]
    channel: Option<AccountId>,
    /// The channel's id of the listing, where the sku has several there
    #[arg(long, value_name = "ID", conflicts_with = "up_to_factor")]
    listing: Option<String>,
    /// The price that waits, as `price held` shows it
    #[arg(
        long,
        value_name = "AMOUNT",
        required_unless_present = "up_to_factor",
        conflicts_with = "up_to_factor"
    )]
    price: Option<String>,
    /// All prices that changed by no more than this factor, as 1.8
    #[arg(long, value_name = "FACTOR")]
    up_to_factor: Option<Hundredths>,
    /// Say no to the price
    #[arg(long)]
    reject: bool,
    /// Show what would be decided, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn held(arguments: Held, now: Timestamp, out: &mut dyn Write) -> Result<()> {
    let opened = arguments.target.open().await?;
    let waiting = price::held(&*opened.store, now, MOST_SHOWN + 1).await;
    let mut waiting = waiting.with_context(|| format!("{} cannot be read", opened.place))?;
    if waiting.len() > MOST_SHOWN {
        waiting.truncate(MOST_SHOWN);
        eprintln!(
            "More than {MOST_SHOWN} prices wait; these have waited longest. Many at once: cargo kervan price accept \
             --up-to-factor"
        );
    }
    show(
        &waiting,
        now,
        &arguments.target.as_flags(),
        arguments.json,
        out,
    )
}

fn show(
    waiting: &[Waiting],
    now: Timestamp,
    flags: &str,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    if as_json {
        let value = |one: &Waiting| -> Result<Value> {
            let mut value = serde_json::to_value(one)?;
            value["accept"] = command(one, flags).into();
            Ok(value)
        };
        let all: Vec<Value> = waiting.iter().map(value).collect::<Result<_>>()?;
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?);
    }
    if waiting.is_empty() {
        return Ok(writeln!(out, "No price waits for a person.")?);
    }
    let line = |one: &Waiting| {
        let mut line = cells(one);
        line.push(format!("waits {}", age(now, one.since)));
        line.push(command(one, flags));
        line
    };
    let lines: Vec<_> = waiting.iter().map(line).collect();
    Ok(write!(out, "{}", aligned("", &lines))?)
}

fn cells(one: &Waiting) -> Vec<String> {
    vec![
        one.listing.sku.to_string(),
        one.listing.channel.to_string(),
        plain(&one.listing.offer),
        format!("{} → {}", one.from, one.to),
    ]
}

/// The command that takes the price, ready to be pasted.
fn command(one: &Waiting, flags: &str) -> String {
    let id = &one.listing;
    format!(
        "cargo kervan price accept {} --channel {} --listing {} --price {}{flags}",
        shell_word(id.sku.as_str()),
        id.channel,
        shell_word(&id.offer),
        one.to.decimal()
    )
}

pub(super) async fn accept(
    arguments: Accept,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let opened = arguments.target.open().await?;
    // Found before anything is decided, because a price that is taken has to be published.
    let publisher = if arguments.reject || arguments.dry_run {
        Publisher::silent()
    } else {
        let mut queues = arguments.target.open_queues(&["InventoryQueue"]).await?;
        Publisher::to(queues.queues.remove(0))
    };
    decide(&*opened.store, &publisher, &arguments, now, out)
        .await
        .with_context(|| format!("Not everything was decided in {}", opened.place))
}

async fn decide(
    store: &dyn Store,
    publisher: &Publisher,
    arguments: &Accept,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    let meant = match (&arguments.sku, &arguments.channel, &arguments.price) {
        (Some(sku), Some(channel), Some(price)) => {
            let listing = find(store, sku, channel, arguments.listing.as_deref()).await?;
            vec![waiting(listing, price, now)?]
        }
        _ => within_factor(store, arguments, now).await?,
    };
    let is_alone = arguments.sku.is_some();
    let (mut done, mut failed) = (0, 0);
    for step in meant.chunks(IN_A_STEP) {
        let mut skus = Vec::new();
        for one in step {
            if !arguments.dry_run {
                match decide_one(store, one, !arguments.reject).await {
                    Err(error) if is_alone => return Err(error),
                    Err(error) => {
                        failed += 1;
                        let (sku, channel) = (&one.listing.sku, &one.listing.channel);
                        writeln!(out, "{sku} on {channel}: {error}")?;
                        continue;
                    }
                    Ok(()) => skus.push(one.listing.sku.clone()),
                }
            }
            done += 1;
            writeln!(out, "{}: {}", cells(one).join("  "), outcome(arguments))?;
        }
        if !arguments.reject {
            let published = publisher.publish(skus).await;
            published.context(
                "The prices above are taken and could not be queued: they are published when the stock is next looked at",
            )?;
        }
    }
    if !is_alone {
        let note = if arguments.dry_run {
            "; nothing was written, because this is a dry run"
        } else {
            ""
        };
        writeln!(out, "{}{note}", count(done, "price"))?;
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

const fn outcome(arguments: &Accept) -> &'static str {
    match (arguments.dry_run, arguments.reject) {
        (false, false) => "taken",
        (false, true) => "the old one stays, and the new one is not asked for again",
        (true, false) => "would be taken",
        (true, true) => "would be refused",
    }
}

async fn decide_one(store: &dyn Store, one: &Waiting, takes: bool) -> Result<()> {
    let decided = price::decide(store, &one.listing, one.to, takes).await;
    match decided {
        Ok(Some(_)) => Ok(()),
        Ok(None) => bail!("no price waits any more; see: cargo kervan price held"),
        Err(FlowError::Overtaken) => bail!("others were at work on the listing: try again"),
        Err(error) => Err(error.into()),
    }
}

/// All that wait and changed by no more than the factor. Prices of different currencies have none.
async fn within_factor(
    store: &dyn Store,
    arguments: &Accept,
    now: Timestamp,
) -> Result<Vec<Waiting>> {
    let factor = arguments
        .up_to_factor
        .context("Say which prices are meant")?;
    let mut waiting = price::held(store, now, MOST_DECIDED + 1).await?;
    if waiting.len() > MOST_DECIDED {
        waiting.truncate(MOST_DECIDED);
        eprintln!("More than {MOST_DECIDED} prices wait; run the command again for the others");
    }
    waiting.retain(|one| {
        let channel = arguments.channel.as_ref();
        channel.is_none_or(|channel| one.listing.channel == *channel) && is_within(one, factor)
    });
    Ok(waiting)
}

fn is_within(one: &Waiting, factor: Hundredths) -> bool {
    let (from, to) = (one.from, one.to);
    let (low, high) = (from.minor.min(to.minor), from.minor.max(to.minor));
    let same = from.currency == to.currency && low > 0;
    same && i128::from(high) * 100 <= i128::from(low) * i128::from(factor.0)
}

/// The price as the person has seen it; whether it still is the one that waits is found when it is decided.
fn waiting(listing: Listing, price: &str, now: Timestamp) -> Result<Waiting> {
    let held = listing.pricing.held.as_ref();
    let currency = held.map_or(listing.price.currency, |held| held.price.currency);
    let decimal = price
        .strip_suffix(currency.code())
        .unwrap_or(price)
        .trim_end();
    let seen = Money::parse(decimal, currency);
    Ok(Waiting {
        to: seen.with_context(|| format!("The price must be in {currency}, as 31.00"))?,
        from: listing.price,
        since: held.map_or(now, |held| held.since),
        listing: listing.id,
    })
}

async fn find(
    store: &dyn Store,
    sku: &Sku,
    channel: &AccountId,
    listing: Option<&str>,
) -> Result<Listing> {
    let entry = catalog::load(store, sku).await?;
    let listings = entry.listings.into_iter().map(|stored| stored.listing);
    let is_meant = |one: &Listing| {
        one.id.channel == *channel && listing.is_none_or(|listing| one.id.offer == listing)
    };
    let mut listings: Vec<Listing> = listings.filter(is_meant).collect();
    match (listings.pop(), listings.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => {
            bail!("{sku} has several listings on {channel}: name one with --listing")
        }
        (None, _) => bail!("{sku} has no such listing on {channel}"),
    }
}

#[cfg(test)]
mod tests;
