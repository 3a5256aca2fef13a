//! `kervan catalog`: skus with their listings and offers are put into the table, and looked up.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Timestamp};
use kervan::clock::{Clock, SystemClock};
use kervan::decide::{FRESH, WORTHLESS};
use kervan::domain::Sku;
use kervan::flows::catalog::{self, Entry, StoredListing, StoredOffer};
use kervan::store::Store;
use serde_json::{Value, json};

use super::catalog_import::{self, Rows};
use super::catalog_report::Report;
use super::target::Target;
use super::text::{age, aligned, plain};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Put the rows of a CSV file into the catalogue
    Import(Import),
    /// Show a sku: what its listings show, what is known of its offers
    Show(Show),
}

#[derive(Debug, Args)]
#[command(after_help = "\
The file has a header and one row for each listing with an offer that fills it. A sku stands in several rows where it \
has several listings or offers; rows that repeat a listing or an offer repeat its terms too.

  sku               your code of the variant, as it is at the channel
  channel           the account that sells, as ebay:main
  listing_offer_id  the channel's id of the listing (eBay: offerId)
  price             what you ask, as 19.99
  currency          of the price, as USD
  buffer            units that are never offered (0 where it is left out)
  cap               the most units that are shown (50)
  supplier          the account that buys, as aliexpress:main
  product_id        the supplier's id of the product
  variant_id        the supplier's id of the variant
  rank              offers of a low rank are tried first (1)
  ship_to           the country for which stock is asked (US)

A row is applied whole or not at all, and bad rows do not hold up good ones. What is already in the catalogue keeps its \
stock and its reservations, so a file can be imported again. Nothing is removed. The exit code is 1 if any row was not \
applied.

Examples:
  cargo kervan catalog import skus.csv --dry-run        check the file; needs no access to AWS
  cargo kervan catalog import skus.csv --profile shop
  cargo kervan catalog import skus.csv --local --verdicts verdicts.csv")]
struct Import {
    /// The file: CSV in UTF-8, its cells separated by commas, semicolons or tabs
    file: PathBuf,
    /// Check the rows and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the bad rows and the counts as JSON
    #[arg(long)]
    json: bool,
    /// Write a verdict on every row into this CSV file
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo kervan catalog show MUG-1
  cargo kervan catalog show MUG-1 --local --json")]
struct Show {
    /// The sku
    sku: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    run_to(arguments, &mut io::stdout()).await
}

async fn run_to(arguments: Arguments, out: &mut dyn Write) -> Result<ExitCode> {
    match arguments.action {
        Action::Import(arguments) => import(&arguments, out).await,
        Action::Show(arguments) => {
            let sku = Sku::parse(&arguments.sku)?;
            let opened = arguments.target.open().await?;
            let (store, now) = (&*opened.store, SystemClock.now());
            show(store, &sku, now, arguments.json, out)
                .await
                .with_context(|| format!("{sku} cannot be shown from {}", opened.place))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn import(arguments: &Import, out: &mut dyn Write) -> Result<ExitCode> {
    if arguments.verdicts.as_ref() == Some(&arguments.file) {
        bail!("The verdicts would replace the file that is imported: choose another name");
    }
    // A file that cannot be read is told before anybody is asked for credentials.
    let rows = Rows::open(&arguments.file)?;
    let opened = if arguments.dry_run {
        None
    } else {
        let opened = arguments.target.open().await?;
        eprintln!("Importing into {}", opened.place);
        Some(opened)
    };
    let verdicts = arguments.verdicts.as_deref();
    let (as_json, dry_run) = (arguments.json, arguments.dry_run);
    let mut report = Report::new(out, as_json, dry_run, verdicts, rows.file_bytes())?;
    let store = opened.as_ref().map(|opened| &*opened.store);
    let stopped = catalog_import::apply(store, rows, &mut report).await?;
    let counts = report.finish(stopped.as_deref())?;
    Ok(if stopped.is_none() && counts.all_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn show(
    store: &dyn Store,
    sku: &Sku,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let mut entry = catalog::load(store, sku).await?;
    if entry.listings.is_empty() && entry.offers.is_empty() {
        bail!("the sku is not in the catalogue; add it with: cargo kervan catalog import");
    }
    entry.offers.sort_by_key(|stored| stored.offer.rank);
    if as_json {
        let text = serde_json::to_string_pretty(&as_value(sku, &entry, now)?)?;
        return Ok(writeln!(out, "{text}")?);
    }
    writeln!(out, "{sku}\n\nlistings")?;
    let listings: Vec<_> = entry
        .listings
        .iter()
        .map(|l| listing_line(l, now))
        .collect();
    write!(out, "{}", aligned("  ", &listings))?;
    writeln!(out, "\noffers, the first is tried first")?;
    let offers: Vec<_> = entry.offers.iter().map(|o| offer_line(o, now)).collect();
    write!(out, "{}", aligned("  ", &offers))?;
    Ok(())
}

fn listing_line(stored: &StoredListing, now: Timestamp) -> Vec<String> {
    let listing = &stored.listing;
    let published = match &listing.published {
        None => "nothing published yet".to_owned(),
        Some(published) => format!(
            "published {} at {}, {} ago",
            published.quantity,
            published.price,
            age(now, published.at)
        ),
    };
    vec![
        listing.id.channel.to_string(),
        plain(&listing.id.offer),
        format!("price {}", listing.price),
        format!("buffer {}", listing.buffer),
        format!("cap {}", listing.cap),
        published,
    ]
}

fn offer_line(stored: &StoredOffer, now: Timestamp) -> Vec<String> {
    let offer = &stored.offer;
    let mut line = vec![
        format!("rank {}", offer.rank),
        offer.id.to_string(),
        format!("to {}", offer.ship_to.as_str()),
    ];
    let Some(evidence) = &offer.evidence else {
        line.push("the supplier was not asked yet".to_owned());
        return line;
    };
    let worth = match now.duration_since(evidence.at) {
        old if old > WORTHLESS => ", too old to count",
        old if old > FRESH => ", too old to raise a listing",
        _ => "",
    };
    line.extend([
        format!("stock {}", evidence.stock),
        format!("free {}", stored.free),
        format!("cost {}", evidence.cost),
        format!("seen {} ago{worth}", age(now, evidence.at)),
    ]);
    line
}

/// As stored, with what the table keeps beside it and the age of the evidence.
fn as_value(sku: &Sku, entry: &Entry, now: Timestamp) -> Result<Value> {
    let mut offers = Vec::new();
    for stored in &entry.offers {
        let mut offer = serde_json::to_value(&stored.offer)?;
        let evidence = stored.offer.evidence.as_ref();
        let age: Option<SignedDuration> = evidence.map(|evidence| now.duration_since(evidence.at));
        offer["free"] = json!(stored.free);
        offer["bought_since_evidence"] = json!(stored.bought);
        offer["evidence_age_s"] = json!(age.map(|age| age.as_secs().max(0)));
        offers.push(offer);
    }
    let listings: Vec<_> = entry
        .listings
        .iter()
        .map(|stored| &stored.listing)
        .collect();
    Ok(json!({ "sku": sku, "listings": listings, "offers": offers }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::{Arguments as All, Command};
    use aws_sdk_dynamodb::types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType,
        Projection, ProjectionType, ScalarAttributeType,
    };
    use clap::{CommandFactory, Parser};
    use kervan::aws::Aws;
    use kervan_infra::local_stack::{LocalStack, StackOptions};
    use std::fs;

    #[test]
    fn the_command_line_and_every_help_text_builds() {
        All::command().debug_assert();
        for arguments in [
            &["catalog", "import", "--help"][..],
            &["catalog", "show", "--help"],
            &["orders", "attention", "--help"],
            &["orders", "show", "--help"],
            &["orders", "resolve", "bought", "--help"],
            &["price", "explain", "--help"],
            &["price", "held", "--help"],
            &["price", "accept", "--help"],
            &["price", "rates", "show", "--help"],
            &["price", "rates", "set", "--help"],
            &["price", "rates", "import", "--help"],
            &["rules", "show", "--help"],
            &["rules", "set", "--help"],
            &["dlq", "list", "--help"],
            &["dlq", "redrive", "--help"],
            &["orders", "resolve", "buy-again", "--help"],
            &["orders", "resolve", "cancel", "--help"],
            &["orders", "resolve", "confirmed", "--help"],
        ] {
            let help = All::try_parse_from([&["kervan"], arguments].concat()).unwrap_err();
            let text = help.to_string();
            assert!(text.contains("Examples:"), "{text}");
            assert!(text.contains("Where it works:"), "{text}");
        }
    }

    /// As a user types it; returns the exit code and what is on standard output.
    async fn kervan(arguments: &[&str]) -> Result<(ExitCode, String)> {
        let all = All::try_parse_from([&["kervan"], arguments].concat())?;
        let Command::Catalog(arguments) = all.command else {
            bail!("not a catalog command");
        };
        let mut out = Vec::new();
        let code = run_to(arguments, &mut out).await?;
        Ok((code, String::from_utf8(out)?))
    }

    /// As `template.yaml` declares it, under a name as CloudFormation gives.
    async fn make_table(aws: &Aws) {
        let attribute = |name: &str, kind| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(kind).build().unwrap()
        };
        let key = |name: &str, kind| {
            let key = KeySchemaElement::builder().attribute_name(name);
            key.key_type(kind).build().unwrap()
        };
        let whole = Projection::builder().projection_type(ProjectionType::All);
        let due = GlobalSecondaryIndex::builder()
            .index_name("due")
            .key_schema(key("due_lane", KeyType::Hash))
            .key_schema(key("due_at", KeyType::Range))
            .projection(whole.build());
        let table = aws.dynamodb().create_table();
        table
            .table_name("kervan-Table-1A2B3C4D5E6F7")
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("pk", ScalarAttributeType::S))
            .attribute_definitions(attribute("sk", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_lane", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .global_secondary_indexes(due.build().unwrap())
            .send()
            .await
            .unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_imported_into_a_local_stack_is_shown() {
        let stack = LocalStack::start(StackOptions::default()).await.unwrap();
        let endpoint = stack.endpoint();
        let missing = kervan(&["catalog", "show", "MUG-1", "--endpoint", endpoint]).await;
        let missing = missing.unwrap_err().to_string();
        assert!(missing.contains("sam list stack-outputs"), "{missing}");
        make_table(&Aws::local(endpoint)).await;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (file, verdicts) = (path("skus.csv"), path("verdicts.csv"));
        let header =
            "sku,channel,listing_offer_id,price,currency,supplier,product_id,variant_id,rank";
        let rows = "MUG-1,ebay:main,81,19.99,USD,aliexpress:main,1005,12,2\n\
                    MUG-1,ebay:main,81,19.99,USD,aliexpress:main,1006,13,1\n\
                    MUG-2,ebay:main,82,cheap,USD,aliexpress:main,1005,14,1\n";
        fs::write(&file, format!("{header}\n{rows}")).unwrap();
        let to_stack = ["--endpoint", endpoint];
        let import = [&["catalog", "import", &file, "--json"], &to_stack[..]].concat();
        let import = [&import[..], &["--verdicts", &verdicts]].concat();
        // Twice: what is there already is changed, not doubled.
        for _ in 0..2 {
            let (code, text) = kervan(&import).await.unwrap();
            assert_eq!(code, ExitCode::FAILURE);
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["rows"], 3);
            assert_eq!(value["good"], 2);
            assert_eq!(value["problems"][0]["line"], 4);
            assert_eq!(value["problems"][0]["column"], "price");
        }
        let verdicts = fs::read_to_string(&verdicts).unwrap();
        assert!(verdicts.contains("\n2,MUG-1,applied,,\n"), "{verdicts}");
        assert!(verdicts.contains("\n4,MUG-2,bad,price,"), "{verdicts}");

        let show = [&["catalog", "show", "MUG-1"], &to_stack[..]].concat();
        let (code, text) = kervan(&show).await.unwrap();
        assert_eq!(code, ExitCode::SUCCESS);
        assert!(text.contains("price 19.99 USD"), "{text}");
        let (first, second) = (text.find("/1006/13"), text.find("/1005/12"));
        assert!(first.is_some() && first < second, "{text}");
        let (_, text) = kervan(&[&show[..], &["--json"]].concat()).await.unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["listings"][0]["price"]["minor"], 1999);
        assert_eq!(value["offers"].as_array().unwrap().len(), 2);

        let other = [&["catalog", "show", "MUG-2"], &to_stack[..]].concat();
        let error = kervan(&other).await.unwrap_err();
        assert!(format!("{error:#}").contains("not in the catalogue"));
        stack.stop().await;
    }
}
