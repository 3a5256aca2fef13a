//! What currencies are worth: shown, set, and taken from a file.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use kervan::domain::{Currency, Rate};
use kervan::flows::rates;
use kervan::store::Store;

use crate::command::target::Target;
use crate::command::text::{age, aligned, plain};

/// The columns of a file of rates.
const COLUMNS: [&str; 5] = ["from", "to", "value", "source", "at"];

#[derive(Debug, Args)]
pub(super) struct RatesArguments {
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
The newer rate of two currencies counts, whoever it is from. Orders that wait for a rate are taken up within minutes. The \
exit code is 1 if the rate was not taken.

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
2026-01-15T14:00:00Z). A file with a row that is wrong, or with another column, is not taken at all. Of a file that is \
right, rates older than the known ones are left out, which is no failure.

Examples:
  cargo kervan price rates import rates.csv --profile shop")]
struct RatesImport {
    /// The file, CSV
    file: PathBuf,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(
    arguments: RatesArguments,
    now: Timestamp,
    out: &mut dyn Write,
) -> Result<ExitCode> {
    match arguments.action {
        RatesAction::Show(RatesShow { json, target }) => {
            let opened = target.open().await?;
            show_rates(&*opened.store, now, json, out)
                .await
                .with_context(|| format!("{} cannot be read", opened.place))?;
        }
        RatesAction::Set(arguments) => {
            let rate = rate(&arguments.pair, &arguments.value, &arguments.source, now)?;
            let opened = arguments.target.open().await?;
            if add_rates(&*opened.store, &[rate], now, out).await? == 0 {
                return Ok(ExitCode::FAILURE);
            }
        }
        RatesAction::Import(RatesImport { file, target }) => {
            let file_name = file.display();
            let text = std::fs::read_to_string(&file)
                .with_context(|| format!("{file_name} cannot be read"))?;
            let new = read_rates(&text, now).with_context(|| format!("{file_name} is wrong"))?;
            let opened = target.open().await?;
            add_rates(&*opened.store, &new, now, out).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
) -> Result<usize> {
    let taken = rates::add(store, new, now).await?;
    match new.len() - taken {
        0 => writeln!(out, "{taken} taken.")?,
        left => writeln!(
            out,
            "{taken} taken, {left} left out: newer ones are known, or they are dated ahead; see: cargo kervan price \
             rates show"
        )?,
    }
    Ok(taken)
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
    // A time in a column of another name would be taken for now.
    if let Some(unknown) = header.iter().find(|name| !COLUMNS.contains(name)) {
        let unknown = plain(unknown);
        bail!(
            "the column {unknown:?} is unknown; the columns are {}",
            COLUMNS.join(", ")
        );
    }
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
            (",source", ",who", "the column \"who\" is unknown"),
            (",source,at", ",at", "the column source is missing"),
            (",at", ",date", "the column \"date\" is unknown"),
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
        let add = async |rate: &Rate, at| {
            let mut out = Vec::new();
            let taken = add_rates(&store, std::slice::from_ref(rate), at, &mut out).await;
            (taken.unwrap(), String::from_utf8(out).unwrap())
        };
        assert_eq!(add(&rate, now()).await, (1, "1 taken.\n".to_owned()));
        let older = Rate {
            at: now() - jiff::SignedDuration::from_hours(1),
            ..rate
        };
        let (taken, text) = add(&older, now()).await;
        assert!(
            taken == 0 && text.starts_with("0 taken, 1 left out"),
            "{text}"
        );
        let later = now() + jiff::SignedDuration::from_hours(2);
        show_rates(&store, later, false, &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("EUR/USD  1.0832  my bank  2 h old"), "{text}");
    }
}
