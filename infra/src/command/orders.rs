//! `kervan orders`: what waits for a person, what happened to an order, and what a person decides about it. Only the table
//! is asked, and of an order only its state and its history: the buyer's data is sealed in another item, which is never
//! read here.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use kervan::clock::{Clock, SystemClock};
use kervan::domain::{Attention, OrderKey};
use kervan::flows::ledger;
use kervan::store::{Item, Store, keys};
use serde_json::{Value, json};

use super::orders_advice::{Advice, advice};
use super::orders_after_sale::{self, Decline, Refund};
use super::orders_resolve::{self, Resolve};
use super::orders_timeline;
use super::target::Target;
use super::text::{age, time};

/// The most entries of the attention list that are shown.
const MOST_SHOWN: usize = 1000;
/// Orders that are read at once.
const MOST_AT_ONCE: usize = 16;

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
    /// Decide about an order that waits: it is bought, to be bought again, cancelled or confirmed
    Resolve(Resolve),
    /// Give a customer money back
    Refund(Refund),
    /// Tell the channel that an order cannot be filled: it is cancelled there, and nothing is bought for it
    Decline(Decline),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each entry has its reason, what to do, whether Kervan may still spend money on the order while it waits, and the commands \
that decide about it.

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

#[cfg(test)]
impl Arguments {
    pub(super) fn into_resolve(self) -> Option<Resolve> {
        match self.action {
            Action::Resolve(resolve) => Some(resolve),
            _ => None,
        }
    }
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let (now, out) = (SystemClock.now(), &mut io::stdout());
    match arguments.action {
        Action::Attention(List { json, target }) => {
            let opened = target.open().await?;
            attention(&*opened.store, now, json, &target.as_flags(), out)
                .await
                .with_context(|| format!("{} cannot be read", opened.place))?;
        }
        Action::Show(Show {
            order,
            json,
            target,
        }) => {
            let opened = target.open().await?;
            show(&*opened.store, &order, now, json, &target.as_flags(), out)
                .await
                .with_context(|| format!("{order} cannot be shown from {}", opened.place))?;
        }
        Action::Resolve(arguments) => orders_resolve::run(arguments, &SystemClock, out).await?,
        Action::Refund(arguments) => {
            orders_after_sale::refund(arguments, &SystemClock, out).await?
        }
        Action::Decline(arguments) => {
            orders_after_sale::decline(arguments, &SystemClock, out).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Who waits, and why.
struct Waiting {
    /// An order, as `ebay:main/01-1`, or an account, as `ebay:main`.
    who: String,
    /// The order, where it is one.
    order: Option<OrderKey>,
    attention: Attention,
    /// What can be decided.
    commands: Vec<Advice>,
}

impl Waiting {
    fn of(item: &Item) -> Result<Self> {
        let attention = ledger::read(&item.body)?;
        let order = keys::order_of_partition(&item.key.pk);
        let who = match (&order, item.key.pk.strip_prefix("ACCOUNT#")) {
            (Some(order), _) => order.to_string(),
            (None, Some(account)) => account.to_owned(),
            (None, None) => bail!("The attention list holds an unknown item: {}", item.key.pk),
        };
        Ok(Self {
            who,
            order,
            attention,
            commands: Vec::new(),
        })
    }

    /// Reads the order and finds out what can be decided about it. One that was never recorded has no decisions.
    async fn advised(mut self, store: &dyn Store, flags: &str) -> Result<Self> {
        if let Some(key) = &self.order
            && let Some(order) = ledger::load(store, key).await?
        {
            self.commands = advice(&order, flags);
        }
        Ok(self)
    }

    fn as_value(&self, now: Timestamp) -> Result<Value> {
        let Attention { reason, since } = &self.attention;
        Ok(json!({
            "waits": if self.order.is_some() { "order" } else { "account" },
            "id": self.who,
            "since": since,
            "waiting_s": now.duration_since(*since).as_secs().max(0),
            "reason": reason.code(),
            "details": orders_timeline::details_of(reason)?,
            "next_action": reason.next_action(),
            "may_spend": reason.passes(),
            "resolve": self.commands,
        }))
    }
}

async fn attention(
    store: &dyn Store,
    now: Timestamp,
    as_json: bool,
    flags: &str,
    out: &mut dyn Write,
) -> Result<()> {
    let mut items = store
        .due(keys::ATTENTION_LANE, Timestamp::MIN, now, MOST_SHOWN + 1)
        .await?;
    let has_more = items.len() > MOST_SHOWN;
    items.truncate(MOST_SHOWN);
    let waiting = items.iter().map(Waiting::of).collect::<Result<Vec<_>>>()?;
    let waiting: Vec<Waiting> = stream::iter(waiting)
        .map(|waiting| waiting.advised(store, flags))
        .buffered(MOST_AT_ONCE)
        .try_collect()
        .await?;
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
    for Waiting {
        who,
        attention,
        commands,
        ..
    } in &waiting
    {
        let Attention { reason, since } = attention;
        writeln!(out, "{who}")?;
        writeln!(
            out,
            "  since        {} ({})",
            time(*since),
            age(now, *since)
        )?;
        writeln!(out, "  reason       {}", orders_timeline::reason(reason)?)?;
        writeln!(out, "  next action  {}", reason.next_action())?;
        let may_spend = if reason.passes() { "yes" } else { "no" };
        writeln!(out, "  may spend    {may_spend}")?;
        orders_timeline::write_commands(commands, out)?;
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
    flags: &str,
    out: &mut dyn Write,
) -> Result<()> {
    let Some(order) = ledger::load(store, key).await? else {
        bail!("the order is not in the table: it was never recorded, or the id is another");
    };
    let history = ledger::history(store, key).await?;
    let commands = advice(&order, flags);
    if as_json {
        let value = json!({ "order": order, "history": history, "resolve": commands });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    orders_timeline::write_order(&order, &commands, now, out)?;
    orders_timeline::write_history(&history, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::orders_fixture::{at, events, key, table};
    use kervan::clock::ManualClock;
    use kervan::store::MemoryStore;
    use std::sync::Arc;

    #[tokio::test]
    async fn orders_and_accounts_that_wait_are_listed_the_longest_waiting_first() {
        let (store, mut out) = (table(&events()).await, Vec::new());
        attention(&store, at(60), false, " --local", &mut out)
            .await
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 12, "{text}");
        assert_eq!(lines[0], "ebay:second");
        assert_eq!(
            lines[2],
            "  reason       consent_ended, account ebay:second"
        );
        assert_eq!(lines[4], "  may spend    yes");
        assert_eq!(lines[5], "ebay:main/01-12345-67890");
        assert_eq!(lines[6], "  since        2026-02-02 02:46:00Z (54 min)");
        assert_eq!(lines[7], "  reason       tracking_refused, code 36");
        assert_eq!(lines[9], "  may spend    no");
        assert_eq!(lines[10], "  it is done at the channel:");
        assert_eq!(
            lines[11],
            "    cargo kervan orders resolve ebay:main/01-12345-67890 confirmed --reason 'confirmed at the channel' --local"
        );

        let mut out = Vec::new();
        attention(&store, at(60), true, "", &mut out).await.unwrap();
        let value: Value = serde_json::from_slice(&out).unwrap();
        let entries = value["attention"].as_array().unwrap();
        assert_eq!(entries[0]["waits"], "account");
        assert_eq!(entries[1]["id"], "ebay:main/01-12345-67890");
        assert_eq!(entries[1]["details"]["code"], "36");
        assert_eq!(entries[1]["may_spend"], false);
        assert_eq!(entries[1]["resolve"].as_array().unwrap().len(), 1);
        assert_eq!(value["has_more"], false);
    }

    #[tokio::test]
    async fn nothing_that_waits_is_said_so() {
        let store = MemoryStore::new(Arc::new(ManualClock::at(at(0))));
        let mut out = Vec::new();
        attention(&store, at(0), false, "", &mut out).await.unwrap();
        assert_eq!(out, b"Nothing waits for a person.\n");
    }

    #[tokio::test]
    async fn an_order_is_shown_with_what_happened_and_without_its_buyer() {
        let store = table(&events()).await;
        for as_json in [false, true] {
            let mut out = Vec::new();
            show(&store, &key(), at(60), as_json, "", &mut out)
                .await
                .unwrap();
            let text = String::from_utf8(out).unwrap();
            for part in [
                "8123456",
                "LP00123",
                "tracking_refused",
                "aliexpress:main",
                "CAINIAO",
            ] {
                assert!(text.contains(part), "{part} is not in {text}");
            }
            assert!(!text.contains("Jane") && !text.contains('\u{1b}'), "{text}");
        }
        let mut out = Vec::new();
        show(&store, &key(), at(60), false, " --local", &mut out)
            .await
            .unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "  channel      paid, 45.00 USD, 2 × MUG-1, to US",
            "  2026-02-02 02:41:00Z  recorded          paid, 45.00 USD, 2 × MUG-1, to US",
            "  2026-02-02 02:44:00Z  placed            purchase 1, supplier's order 8123456",
            "  2026-02-02 02:46:00Z  attention_raised  tracking_refused, code 36",
        ] {
            assert!(
                text.contains(&format!("\n{line}\n")),
                "{line} is not in\n{text}"
            );
        }
    }

    #[tokio::test]
    async fn an_order_that_is_not_there_is_an_error() {
        let other: OrderKey = "ebay:main/02-1".parse().unwrap();
        let store = table(&events()).await;
        let error = show(&store, &other, at(60), false, "", &mut Vec::new()).await;
        assert!(error.unwrap_err().to_string().contains("not in the table"));
    }
}
