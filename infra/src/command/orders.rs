//! `kervan orders`: what waits for a person, and what happened to an order. Only the table is asked, and of an order only
//! its state and its history: the buyer's data is sealed in another item, which is never read here.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use kervan::clock::{Clock, SystemClock};
use kervan::domain::{Attention, OrderKey};
use kervan::flows::ledger;
use kervan::store::{Item, Store, keys};
use serde_json::{Value, json};

use super::orders_timeline;
use super::target::Target;
use super::text::{age, time};

/// The most entries of the attention list that are shown.
const MOST_SHOWN: usize = 1000;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the orders and accounts that wait for a person, the longest waiting first
    Attention(List),
    /// Show an order: its state, purchases and parcels, and all that happened to it
    Show(Show),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each entry has its reason, what to do, and whether Kervan may still spend money on the order while it waits.

Examples:
  cargo kervan orders attention
  cargo kervan orders attention --profile shop --json")]
struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Nothing of the buyer is shown but the country: name and address are sealed, and stay so.

Examples:
  cargo kervan orders show ebay:main/01-12345-67890
  cargo kervan orders show ebay:main/01-12345-67890 --local --json")]
struct Show {
    /// The order: account, slash, the channel's id
    order: OrderKey,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let (now, out) = (SystemClock.now(), &mut io::stdout());
    match arguments.action {
        Action::Attention(List { json, target }) => {
            let opened = target.open().await?;
            attention(&*opened.store, now, json, out)
                .await
                .with_context(|| format!("{} cannot be read", opened.place))?;
        }
        Action::Show(Show {
            order,
            json,
            target,
        }) => {
            let opened = target.open().await?;
            show(&*opened.store, &order, now, json, out)
                .await
                .with_context(|| format!("{order} cannot be shown from {}", opened.place))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Who waits, and why.
struct Waiting {
    /// An order, as `ebay:main/01-1`, or an account, as `ebay:main`.
    who: String,
    is_order: bool,
    attention: Attention,
}

impl Waiting {
    fn of(item: &Item) -> Result<Self> {
        let attention = ledger::read(&item.body)?;
        let order = keys::order_of_partition(&item.key.pk);
        let is_order = order.is_some();
        let who = match (order, item.key.pk.strip_prefix("ACCOUNT#")) {
            (Some(order), _) => order.to_string(),
            (None, Some(account)) => account.to_owned(),
            (None, None) => bail!("The attention list holds an unknown item: {}", item.key.pk),
        };
        Ok(Self {
            who,
            is_order,
            attention,
        })
    }

    fn as_value(&self, now: Timestamp) -> Result<Value> {
        let Attention { reason, since } = &self.attention;
        Ok(json!({
            "waits": if self.is_order { "order" } else { "account" },
            "id": self.who,
            "since": since,
            "waiting_s": now.duration_since(*since).as_secs().max(0),
            "reason": reason.code(),
            "details": orders_timeline::details_of(reason)?,
            "next_action": reason.next_action(),
            "may_spend": reason.may_spend(),
        }))
    }
}

async fn attention(
    store: &dyn Store,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let mut items = store.due(keys::ATTENTION_LANE, now, MOST_SHOWN + 1).await?;
    let has_more = items.len() > MOST_SHOWN;
    items.truncate(MOST_SHOWN);
    let waiting: Vec<Waiting> = items.iter().map(Waiting::of).collect::<Result<_>>()?;
    if as_json {
        let entries: Vec<Value> = waiting
            .iter()
            .map(|waiting| waiting.as_value(now))
            .collect::<Result<_>>()?;
        let value = json!({ "attention": entries, "has_more": has_more });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    if waiting.is_empty() {
        return Ok(writeln!(out, "Nothing waits for a person.")?);
    }
    for Waiting { who, attention, .. } in &waiting {
        let Attention { reason, since } = attention;
        writeln!(out, "{who}")?;
        writeln!(out, "  since        {} ({})", time(*since), age(now, *since))?;
        writeln!(out, "  reason       {}", orders_timeline::reason(reason)?)?;
        writeln!(out, "  next action  {}", reason.next_action())?;
        let may_spend = if reason.may_spend() { "yes" } else { "no" };
        writeln!(out, "  may spend    {may_spend}")?;
    }
    if has_more {
        writeln!(out, "… and more: these {MOST_SHOWN} wait the longest")?;
    }
    Ok(())
}

async fn show(
    store: &dyn Store,
    key: &OrderKey,
    now: Timestamp,
    as_json: bool,
    out: &mut dyn Write,
) -> Result<()> {
    let Some(order) = ledger::load(store, key).await? else {
        bail!("the order is not in the table: it was never recorded, or the id is another");
    };
    let history = ledger::history(store, key).await?;
    if as_json {
        let value = json!({ "order": order, "history": history });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    orders_timeline::write_order(&order, now, out)?;
    orders_timeline::write_history(&history, out)
}
