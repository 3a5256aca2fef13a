//! `kervan price`: how a price comes about, prices that wait for a person, and the rates of currencies.

#[cfg(test)]
pub(super) mod fixture;
mod held;
mod rates;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use kervan::clock::{Clock, SystemClock};
use kervan::decide::{Change, Priced, WhyNot};
use kervan::domain::{AccountId, HeldPrice, Listing, Sku};
use kervan::flows::price;
use kervan::store::Store;
use serde_json::{Value, json};

use super::target::Target;
use super::text::{aligned, plain};
use held::{Accept, Held};
use rates::RatesArguments;

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
        Action::Held(arguments) => held::held(arguments, now, out).await?,
        Action::Accept(arguments) => return held::accept(arguments, now, out).await,
        Action::Rates(arguments) => return rates::run(arguments, now, out).await,
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
    let Listing { price, pricing, .. } = &one.listing;
    let mut verdict = match &one.outcome {
        Err(why) => format!("no price by the rules: {why}; {price} stays"),
        Ok((priced, change)) => {
            let what = match (change, &pricing.held) {
                (Change::Same, _) => "it is the price already".to_owned(),
                (Change::Take, _) => format!("it replaces {price} with the next look at the stock"),
                (Change::Hold, Some(held)) if is_refused(held, priced) => {
                    format!("too far from {price}: a person has said no to it, and {price} stays")
                }
                (Change::Hold, _) => format!("too far from {price}: it waits for a person"),
            };
            let (least, rule) = (priced.least, priced.rule);
            format!(
                "{} by rule {rule}, nothing is lost from {least} on; {what}",
                priced.price
            )
        }
    };
    if !pricing.by_rules {
        verdict.push_str(&format!(
            "\nThis listing has a fixed price, {price}: the rules do not count for it"
        ));
    } else if !one.sells {
        let least = match &one.outcome {
            Ok((priced, _)) => format!("; orders are bought from {} on", priced.bearable),
            Err(WhyNot::BelowCost { least, .. }) => format!("; nothing is lost from {least} on"),
            Err(_) => String::new(),
        };
        verdict.push_str(&format!(
            "\nThe listing shows no units, because each sale at {} would lose more than an order may{least}",
            one.price
        ));
    }
    for offer in &one.too_dear {
        verdict.push_str(&format!(
            "\nUnits of {offer} are not shown: a sale at {} that is bought there would lose more than an order may",
            one.price
        ));
    }
    verdict
}

fn is_refused(held: &HeldPrice, priced: &Priced) -> bool {
    held.rejected && held.price == priced.price
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
        "price_now": one.price,
        "sells": one.sells,
        "too_dear": one.too_dear,
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

#[cfg(test)]
mod tests;
