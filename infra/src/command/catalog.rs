//! `kervan catalog`: skus with their listings and offers are put into the table, looked up, taken out, and written into
//! files.
//!
//! | file | what |
//! |---|---|
//! | `columns.rs`, `cells.rs` | what a file says of a listing, an offer or a bundle |
//! | `csv_file.rs`, `json_file.rs` | a file is read row by row, document by document |
//! | `seen.rs` | rows that contradict each other are found |
//! | `import.rs`, `report.rs` | what a file brings is written, with a verdict on each row |
//! | `export.rs` | the catalogue is written into a file |
//! | `show.rs`, `remove.rs` | one sku |
//! | `publisher.rs`, `meter.rs` | listings are published; how far long work is |

mod cells;
mod columns;
mod csv_file;
mod export;
mod import;
mod json_file;
mod meter;
pub(super) mod publisher;
mod remove;
mod report;
mod seen;
mod show;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use kervan::clock::{Clock, SystemClock};
use kervan::domain::{AccountId, OfferId, Sku};

use super::target::Target;
use super::text::count;
use export::Format;
use import::{Input, Table};
use publisher::Publisher;
use remove::{Wanted, parse_listing, parse_offer};
use report::Report;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put the rows of a CSV file, or the documents of a JSON file, into the catalogue
    Import(Import),
    /// Write the catalogue into a file that can be imported
    Export(Export),
    /// Show a sku: what its listings show and should show, what is known of its offers, what it is made of
    Show(Show),
    /// Take a listing, an offer, a bundle or all of a sku out of the catalogue
    Remove(Remove),
}

#[derive(Debug, Args)]
#[command(after_help = "\
A CSV file has a header, and rows that each bring a listing, an offer that fills it, both, or what a bundle is made of; \
what a row does not bring stays empty. A sku stands in several rows where it has several listings or offers; rows that \
repeat a listing or an offer repeat its terms too. Of a listing or an offer that is in the catalogue already, what the file \
has no column for stays as it is; an empty cell sets what stands in brackets, or none. So a file of prices alone leaves \
buffers, caps and limits as they are. What is new begins with what stands in brackets.

  sku               your code of the variant, as it is at the channel
  channel           the account that sells, as ebay:main
  listing_offer_id  the channel's id of the listing (eBay: offerId, or item: and the ItemID of an older listing)
  price             what you ask, as 19.99; or rules, and the price rules find it
  currency          of the price, as USD
  pricing           rules, or fixed (fixed). A price beside rules is where a new listing begins; one whose price the rules
                    have found keeps that, also where the file has a price and no column pricing
  floor             the lowest price of this listing
  ceiling           the highest price
  map               the brand's minimum advertised price
  variation_of      the channel's id of the listing that this is a variation of
  buffer            units that are never offered (0)
  cap               the most units that are shown (50)
  supplier          the account that buys, as aliexpress:main
  product_id        the supplier's id of the product
  variant_id        the supplier's id of the variant
  rank              offers of a low rank are tried first (1)
  ship_to           the country for which stock is asked (US)
  shipping          what the shipping of one unit is thought to cost, as 3.50 USD
  parts             of a bundle, with their units: MUG-1*2 PLATE-1*1; it has no supplier then

A JSON file (.json, .jsonl, .ndjson) is a list of documents, or one document a line. Their fields are named as the columns \
are; a field that is left out is as a column that the file does not have, and null as an empty cell. Amounts stand in \
quotation marks. A document has at most 100 listings, offers and parts together, an offer counting twice, and 256 KiB. \
A supplier's variant fills one sku, so that its units are sold once; another sku of it is a bundle, as in MUG-1*1:

  {\"sku\": \"MUG-1\",
   \"listings\": [{\"channel\": \"ebay:main\", \"listing_offer_id\": \"8123\", \"price\": \"19.99\", \"currency\": \"USD\"}],
   \"offers\": [{\"supplier\": \"aliexpress:main\", \"product_id\": \"1005\", \"variant_id\": \"12\", \"shipping\": \"3.50 USD\"}]}
  {\"sku\": \"SET-1\", \"bundle\": [{\"sku\": \"MUG-1\", \"units\": 2}, {\"sku\": \"PLATE-1\", \"units\": 1}]}

A row or a document is applied whole or not at all, and bad ones do not hold up good ones. Rows that say different things \
of the same listing or offer are bad, but for the first of them; some four million listings, offers and skus are remembered \
for that, and the summary tells where a file has more. What is already in the catalogue keeps its stock, its reservations and what was published, so a file can be imported again; listings that change \
are published at once. Nothing is removed. The exit code is 1 if anything was not applied.

Examples:
  cargo kervan catalog import skus.csv --dry-run        check the file; needs no access to AWS
  cargo kervan catalog import skus.json --profile shop
  cargo kervan catalog import skus.csv --local --verdicts verdicts.csv")]
struct Import {
    /// The file: CSV in UTF-8, its cells separated by commas, semicolons or tabs; or JSON, if it is named so
    file: PathBuf,
    /// Check the rows and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the bad rows and the counts as JSON
    #[arg(long)]
    json: bool,
    /// Write a verdict on every row or document into this CSV file, one line for each
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
It writes your terms, as an import reads them: listings, prices, offers and bundles. What Kervan has learned (stock, \
reservations, what is published) is not among them. The skus come in no order. What is changed meanwhile may be in the \
file or not. The whole table is read for it, orders too, which Amazon bills: some 0.03 USD for each GB, by list price.

Examples:
  cargo kervan catalog export skus.csv --profile shop
  cargo kervan catalog export skus.jsonl --local
  cargo kervan catalog export --format csv --local | head")]
struct Export {
    /// The file, which is replaced; standard output where it is left out
    file: Option<PathBuf>,
    /// How it is written; where it is left out, the file's name says it
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan catalog show MUG-1
  cargo kervan catalog show SET-1 --local --json")]
struct Show {
    /// The sku
    sku: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A listing goes when its channel surely shows no units, because what a channel shows can be bought. Another is published \
to zero first and stays: run the command again when it shows none. An offer goes when no order has units of it reserved \
and none were bought since the latest look at its stock. With --all, offers and parts go after the listings. Orders that \
were taken keep what they were taken with. Nothing is ended at the channel. The exit code is 1 if something has to wait.

Examples:
  cargo kervan catalog remove MUG-1 --listing ebay:main/8123456789 --dry-run
  cargo kervan catalog remove MUG-1 --offer aliexpress:main/1005001/1200001
  cargo kervan catalog remove SET-1 --all --profile shop")]
struct Remove {
    /// The sku
    sku: String,
    /// A listing, by its channel and the channel's id
    #[arg(long, value_name = "CHANNEL/ID", value_parser = parse_listing)]
    listing: Vec<(AccountId, String)>,
    /// An offer, by its supplier, product and variant
    #[arg(long, value_name = "SUPPLIER/PRODUCT/VARIANT", value_parser = parse_offer)]
    offer: Vec<OfferId>,
    /// What the sku is made of
    #[arg(long)]
    bundle: bool,
    /// All of it
    #[arg(long, conflicts_with_all = ["listing", "offer", "bundle"])]
    all: bool,
    /// Remove a listing though units may be shown: it has ended at the channel, or never was there
    #[arg(long)]
    even_if_shown: bool,
    /// Show what would be removed, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    run_to(arguments, &mut io::stdout()).await
}

async fn run_to(arguments: Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    match arguments.action {
        Action::Import(arguments) => import(&arguments, out).await,
        Action::Export(arguments) => export(&arguments, out).await,
        Action::Show(arguments) => {
            let sku = Sku::parse(&arguments.sku)?;
            let opened = arguments.target.open().await?;
            let (store, now) = (&*opened.store, SystemClock.now());
            show::show(store, &sku, now, arguments.json, out)
                .await
                .with_context(|| format!("{sku} cannot be shown from {}", opened.place))?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Remove(arguments) => remove(arguments, out).await,
    }
}

async fn import(arguments: &Import, out: &mut dyn Write) -> Result<ExitCode> {
    if let Some(verdicts) = &arguments.verdicts
        && is_same_file(verdicts, &arguments.file)
    {
        bail!("The verdicts would replace the file that is imported: choose another name");
    }
    // A file that cannot be read is told before anybody is asked for credentials.
    let input = Input::open(&arguments.file)?;
    let opened = if arguments.dry_run {
        None
    } else {
        let opened = arguments.target.open().await?;
        eprintln!("Importing into {}", opened.place);
        Some((opened, Publisher::open(&arguments.target).await))
    };
    let verdicts = arguments.verdicts.as_deref();
    let (as_json, dry_run) = (arguments.json, arguments.dry_run);
    let (one, bytes) = (input.one(), input.file_bytes());
    let mut report = Report::new(out, one, as_json, dry_run, verdicts, bytes)?;
    let table = opened.as_ref().map(|(opened, publisher)| Table {
        store: &*opened.store,
        publisher,
    });
    let stopped = import::apply(table, input, &mut report).await?;
    let counts = report.finish(stopped.as_deref())?;
    Ok(if stopped.is_none() && counts.all_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn export(arguments: &Export, out: &mut dyn Write) -> Result<ExitCode> {
    let by_name = arguments.file.as_deref().map(Format::of);
    let format = arguments.format.or(by_name).unwrap_or(Format::Csv);
    let opened = arguments.target.open().await?;
    let store = &*opened.store;
    let exported = match &arguments.file {
        None => export::export(store, format, &mut io::BufWriter::new(out)).await,
        Some(file) => export::export_to(store, format, file).await,
    };
    // Whoever reads has seen enough, as `head` has.
    if arguments.file.is_none() && exported.as_ref().is_err_and(is_broken_pipe) {
        return Ok(ExitCode::SUCCESS);
    }
    let skus = exported.with_context(|| format!("{} cannot be exported", opened.place))?;
    eprintln!("{} exported from {}", count(skus, "sku"), opened.place);
    Ok(ExitCode::SUCCESS)
}

/// Whether two names, which may be links, lead to one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::metadata(path).map(|it| (it.dev(), it.ino())).ok();
    id(one).is_some_and(|one| Some(one) == id(other))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain();
    causes.any(|cause| {
        let cause = cause.downcast_ref::<io::Error>();
        cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

async fn remove(arguments: Remove, out: &mut dyn Write) -> Result<ExitCode> {
    let sku = Sku::parse(&arguments.sku)?;
    let wanted = Wanted {
        listings: arguments.listing,
        offers: arguments.offer,
        bundle: arguments.bundle,
        all: arguments.all,
        even_if_shown: arguments.even_if_shown,
    };
    if wanted.listings.is_empty() && wanted.offers.is_empty() && !wanted.bundle && !wanted.all {
        bail!("Say what is to be removed: --listing, --offer, --bundle or --all");
    }
    let opened = arguments.target.open().await?;
    let publisher = if arguments.dry_run {
        Publisher::silent()
    } else {
        Publisher::open(&arguments.target).await
    };
    let table = Table {
        store: &*opened.store,
        publisher: &publisher,
    };
    let now = SystemClock.now();
    remove::remove(table, &sku, &wanted, arguments.dry_run, now, out)
        .await
        .with_context(|| format!("It cannot be removed from {}", opened.place))
}

#[cfg(test)]
mod tests;
