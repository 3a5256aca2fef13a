//! `kervan price`: how a price comes about, prices that wait for a person, and the rates of currencies.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use kervan::clock::{Clock, SystemClock};
use kervan::decide::Change;
use kervan::domain::{AccountId, Currency, Listing, ListingId, Rate, Sku};
use kervan::flows::{InventoryTask, catalog, ledger, price, rates};
use kervan::queue::Outgoing;
use kervan::store::Store;
use serde_json::{Value, json};

use super::target::Target;
use super::text::{age, aligned, plain};

/// The most held prices that are shown.
const MOST_SHOWN: usize = 1000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show each step by which the prices of a sku come about
    Explain(Explain),
    /// List the prices that jumped and wait for a person, the longest waiting first
    Held(Held),
    /// Take a price that waits, or say no to it
    Accept(Accept),
    /// Show and set what currencies are worth
    Rates(RatesArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The steps are those of the decision itself, with the rates that count now and where they are from.

Examples:
  cargo kervan price explain MUG-1
  cargo kervan price explain MUG-1 --channel ebay:main --local --json")]
struct Explain {
    /// The sku
    sku: String,
    /// Only the listings of this channel
    #[arg(long)]
    channel: Option<AccountId>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The old price stays meanwhile. Where it would lose money, the listing shows no units.

Examples:
  cargo kervan price held
  cargo kervan price held --profile shop --json")]
struct Held {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
With --reject the old price stays, and the same new one is not asked for again.

Examples:
  cargo kervan price accept MUG-1 --channel ebay:main
  cargo kervan price accept MUG-1 --channel ebay:main --reject")]
struct Accept {
    /// The sku
    sku: String,
    /// The channel
    #[arg(long)]
    channel: AccountId,
    /// The channel's id of the listing, where the sku has several there
    #[arg(long, value_name = "ID")]
    listing: Option<String>,
    /// Say no to the price
    #[arg(long)]
    reject: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
struct RatesArguments {
    #[command(subcommand)]
    action: RatesAction,
}

#[derive(Debug, Subcommand)]
enum RatesAction {
    /// Show the rates that are known
    Show(RatesShow),
    /// Set the rate of two currencies
    Set(RatesSet),
    /// Take the rates of a file
    Import(RatesImport),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan price rates show
  cargo kervan price rates show --local --json")]
struct RatesShow {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The newer rate of two currencies counts, whoever it is from. Orders that wait for a rate are taken up within minutes.

Examples:
  cargo kervan price rates set EUR/USD 1.0832 --source \"my bank\"")]
struct RatesSet {
    /// The currencies, as EUR/USD
    pair: String,
    /// How much of the second one unit of the first is
    value: String,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    source: String,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The file has a header and one row for each rate: from, to, value, source, and, where it is not of now, at (as \
2026-01-15T14:00:00Z). A file with a row that is wrong is not taken at all.

Examples:
  cargo kervan price rates import rates.csv --profile shop")]
struct RatesImport {
    /// The file, CSV
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let (now, out) = (SystemClock.now(), &mut io::stdout());
    match arguments.action {
        Action::Explain(arguments) => {
            let sku = Sku::parse(&arguments.sku)?;
            let opened = arguments.target.open().await?;
            let channel = arguments.channel.as_ref();
            explain(&*opened.store, &sku, channel, now, arguments.json, out)
                .await
                .with_context(|| format!("{sku} cannot be explained from {}", opened.place))?;
        }
        Action::Held(arguments) => {
            let opened = arguments.target.open().await?;
            held(&*opened.store, now, arguments.json, out)
                .await
                .with_context(|| format!("{} cannot be read", opened.place))?;
        }
        Action::Accept(arguments) => accept(arguments, out).await?,
        Action::Rates(arguments) => match arguments.action {
            RatesAction::Show(RatesShow { json, target }) => {
                let opened = target.open().await?;
                show_rates(&*opened.store, now, json, out)
                    .await
                    .with_context(|| format!("{} cannot be read", opened.place))?;
            }
            RatesAction::Set(arguments) => {
                let rate = rate(&arguments.pair, &arguments.value, &arguments.source, now)?;
                let opened = arguments.target.open().await?;
                add_rates(&*opened.store, &[rate], now, out).await?;
            }
            RatesAction::Import(RatesImport { file, target }) => {
                let file_name = file.display();
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("{file_name} cannot be read"))?;
                let new =
                    read_rates(&text, now).with_context(|| format!("{file_name} is wrong"))?;
                let opened = target.open().await?;
                add_rates(&*opened.store, &new, now, out).await?;
            }
        },
    }
    Ok(ExitCode::SUCCESS)
}

async fn explain(
    store: &dyn Store,
    sku: &Sku,
    channel: Option<&AccountId>,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let mut all = price::explain(store, sku, now).await?;
    all.retain(|one| channel.is_none_or(|channel| one.listing.id.channel == *channel));
    if all.is_empty() {
        bail!("there is no such listing; see: cargo kervan catalog show {sku}");
    }
    if as_json {
        let all: Vec<Value> = all.iter().map(as_value).collect();
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?);
    }
    for one in &all {
        let id = &one.listing.id;
        writeln!(out, "{sku} on {}, listing {}", id.channel, plain(&id.offer))?;
        let step = |step: &kervan::decide::Step| {
            vec![
                step.name.to_owned(),
                step.after.to_string(),
                plain(&step.reason),
            ]
        };
        let steps: Vec<_> = one.steps.iter().map(step).collect();
        write!(out, "{}", aligned("  ", &steps))?;
        writeln!(out, "{}\n", verdict(one))?;
    }
    Ok(())
}

fn verdict(one: &price::Explained) -> String {
    let (price, by_rules) = (one.listing.price, one.listing.pricing.by_rules);
    let verdict = match &one.outcome {
        Err(why) => format!("no price by the rules: {why}; {price} stays"),
        Ok((priced, change)) => {
            let what = match change {
                Change::Same => "it is the price already".to_owned(),
                Change::Take => format!("it replaces {price} with the next look at the stock"),
                Change::Hold => format!("too far from {price}: it waits for a person"),
            };
            let (least, rule) = (priced.least, priced.rule);
            format!(
                "{} by rule {rule}, nothing is lost from {least} on; {what}",
                priced.price
            )
        }
    };
    if by_rules {
        verdict
    } else {
        format!("{verdict}\nThis listing has a fixed price, {price}: the rules do not count for it")
    }
}

fn as_value(one: &price::Explained) -> Value {
    let Listing {
        id, price, pricing, ..
    } = &one.listing;
    let mut value = json!({
        "channel": id.channel,
        "listing": id.offer,
        "price": price,
        "by_rules": pricing.by_rules,
        "held": pricing.held,
        "steps": one.steps,
    });
    match &one.outcome {
        Ok((priced, change)) => {
            value["by_the_rules"] = json!(priced);
            value["change"] = json!(change);
        }
        Err(why) => value["why_not"] = json!(why.to_string()),
    }
    value
}

async fn held(store: &dyn Store, now: Timestamp, as_json: bool, out: &mut dyn Write) -> Result<()> {
    let waiting = price::held(store, now, MOST_SHOWN).await?;
    if as_json {
        return Ok(writeln!(
            out,
            "{}",
            serde_json::to_string_pretty(&waiting)?
        )?);
    }
    if waiting.is_empty() {
        return Ok(writeln!(out, "No price waits for a person.")?);
    }
    let line = |one: &price::Waiting| {
        vec![
            one.listing.sku.to_string(),
            one.listing.channel.to_string(),
            plain(&one.listing.offer),
            format!("{} → {}", one.from, one.to),
            format!("waits {}", age(now, one.since)),
        ]
    };
    let lines: Vec<_> = waiting.iter().map(line).collect();
    Ok(write!(out, "{}", aligned("", &lines))?)
}

async fn accept(arguments: Accept, out: &mut dyn Write) -> Result<()> {
    let sku = Sku::parse(&arguments.sku)?;
    let opened = arguments.target.open().await?;
    let listing = arguments.listing.as_deref();
    let id = find(&*opened.store, &sku, &arguments.channel, listing).await?;
    let decided = price::decide(&*opened.store, &id, !arguments.reject).await;
    let decided = decided.with_context(|| format!("{} cannot be written", opened.place))?;
    let Some(waiting) = decided else {
        bail!(
            "no price of {sku} on {} waits; see: cargo kervan price held",
            id.channel
        );
    };
    if arguments.reject {
        writeln!(
            out,
            "{} stays; {} is not asked for again.",
            waiting.from, waiting.to
        )?;
        return Ok(());
    }
    let task = InventoryTask::Publish {
        skus: vec![sku],
        ordered_at: None,
    };
    let queues = arguments.target.open_queues(&["InventoryQueue"]).await?;
    let body = ledger::write(&task)?;
    for queue in &queues.queues {
        queue.send(vec![Outgoing::now(body.clone())]).await?;
    }
    writeln!(
        out,
        "{} replaces {} and is published.",
        waiting.to, waiting.from
    )?;
    Ok(())
}

async fn find(
    store: &dyn Store,
    sku: &Sku,
    channel: &AccountId,
    listing: Option<&str>,
) -> Result<ListingId> {
    let entry = catalog::load(store, sku).await?;
    let ids = entry.listings.into_iter().map(|stored| stored.listing.id);
    let is_meant = |id: &ListingId| {
        id.channel == *channel && listing.is_none_or(|listing| id.offer == listing)
    };
    let mut ids: Vec<ListingId> = ids.filter(is_meant).collect();
    match (ids.pop(), ids.is_empty()) {
        (Some(id), true) => Ok(id),
        (Some(_), false) => {
            bail!("{sku} has several listings on {channel}: name one with --listing")
        }
        (None, _) => bail!("{sku} has no such listing on {channel}"),
    }
}

async fn show_rates(
    store: &dyn Store,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let (rates, _) = rates::load(store).await?;
    if as_json {
        let text = serde_json::to_string_pretty(rates.all())?;
        return Ok(writeln!(out, "{text}")?);
    }
    if rates.all().is_empty() {
        let how = "set one with: cargo kervan price rates set EUR/USD VALUE --source NAME";
        return Ok(writeln!(out, "No rates are known; {how}")?);
    }
    let line = |rate: &Rate| {
        vec![
            format!("{}/{}", rate.from, rate.to),
            rate.value.to_string(),
            plain(&rate.source),
            format!("{} old", age(now, rate.at)),
        ]
    };
    let lines: Vec<_> = rates.all().iter().map(line).collect();
    Ok(write!(out, "{}", aligned("", &lines))?)
}

async fn add_rates(
    store: &dyn Store,
    new: &[Rate],
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<()> {
    let taken = rates::add(store, new, now).await?;
    let left = new.len() - taken;
    writeln!(
        out,
        "{taken} taken, {left} left out: newer ones are known, or they are dated ahead."
    )?;
    Ok(())
}

fn rate(pair: &str, value: &str, source: &str, at: Timestamp) -> Result<Rate> {
    let (from, to) = pair
        .split_once('/')
        .context("The currencies must be given as EUR/USD")?;
    let (from, to): (Currency, Currency) = (from.parse()?, to.parse()?);
    Ok(Rate::new(from, to, value.parse()?, source, at)?)
}

fn read_rates(text: &str, now: Timestamp) -> Result<Vec<Rate>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let header = reader.headers()?.clone();
    let place = |name: &str| header.iter().position(|cell| cell == name);
    let needed = |name: &str| place(name).with_context(|| format!("the column {name} is missing"));
    let places = [
        needed("from")?,
        needed("to")?,
        needed("value")?,
        needed("source")?,
    ];
    let mut all = Vec::new();
    for (number, row) in reader.records().enumerate() {
        let row = row?;
        let cell = |place: usize| row.get(place).unwrap_or_default();
        let [from, to, value, source] = places.map(cell);
        let at = place("at").map(cell).filter(|at| !at.is_empty());
        let read = || -> Result<Rate> {
            let at = at.map_or(Ok(now), str::parse)?;
            rate(&format!("{from}/{to}"), value, source, at)
        };
        all.push(read().with_context(|| format!("row {}", number + 2))?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-01-15T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_file_of_rates_is_taken_whole_or_not_at_all() {
        let file = "from,to,value,source,at\nEUR,USD,1.0832,bank,\nEUR,CNY,7.77,bank,2026-01-14T14:00:00Z\n";
        let read = read_rates(file, now()).unwrap();
        assert_eq!(read[0].at, now());
        assert_eq!(
            read[1].to_string(),
            "EUR/CNY 7.77 (bank, 2026-01-14T14:00:00Z)"
        );
        for (from, to, told) in [
            ("1.0832", "1,0832", "line: 2"),
            ("7.77", "0", "row 3"),
            ("CNY", "EUR", "row 3"),
            (",source", ",who", "the column source"),
        ] {
            let error = read_rates(&file.replacen(from, to, 1), now()).unwrap_err();
            let error = format!("{error:#}");
            assert!(error.contains(told), "{error}");
        }
    }

    #[tokio::test]
    async fn rates_are_set_and_shown_with_their_age_and_source() {
        let clock = std::sync::Arc::new(kervan::clock::ManualClock::at(now()));
        let store = kervan::store::MemoryStore::new(clock);
        let rate = rate("EUR/USD", "1.0832", "my bank", now()).unwrap();
        let mut out = Vec::new();
        add_rates(&store, &[rate], now(), &mut out).await.unwrap();
        let later = now() + jiff::SignedDuration::from_hours(2);
        show_rates(&store, later, false, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("EUR/USD  1.0832  my bank  2 h old"), "{text}");
    }
}
