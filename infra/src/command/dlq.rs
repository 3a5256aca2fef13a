//! `kervan dlq`: the messages that failed too often are looked at, and sent back to be worked on again.

mod message;
mod redrive;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use kervan::clock::{Clock, SystemClock};
use kervan::queue::{Depth, Queue, QueueError, Received};
use serde_json::json;

use super::target::Target;
use super::text::{aligned, count};
use message::Message;

/// A message that was received is hidden from others for so long, if it is not released before.
const HIDDEN: Duration = Duration::from_secs(60);
/// A receive that finds nothing waits for so long: SQS asks all of its machines then.
const WAIT: Duration = Duration::from_secs(1);
/// So many receives without a message end a queue.
const MOST_EMPTY: usize = 2;
/// Calls at once.
const MOST_AT_ONCE: usize = 16;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the messages that failed too often
    List(List),
    /// Send messages back to the queue that they came from
    Redrive(Redrive),
}

#[derive(Debug, Args)]
#[command(after_help = "\
A message that failed five times lies in the dead-letter queue of its queue for up to 14 days, and an alarm rings. The \
function's log says why it failed. Nothing is lost by it for good: what a message was about is found again by the \
schedules, but for a person who is to be erased.

Nothing is removed. While it is looked at, a message is hidden for a moment, for at most a minute if this command is \
interrupted; that look counts as a delivery.

Examples:
  cargo kervan dlq list
  cargo kervan dlq list orders --limit 500 --profile shop
  cargo kervan dlq list --local --json")]
struct List {
    /// Which queue; all four where it is left out
    queue: Option<Name>,
    /// The most messages that are shown of a queue, 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Mend the cause first, or they fail again and come back. Each message is sent to its queue and only then removed here: \
where this command is interrupted, a message can be in both, which is harmless: whoever works on it a second time finds \
nothing left to do. It stops after as many messages as were there when it began. The exit code is 1 if any message could \
not be sent or removed.

Examples:
  cargo kervan dlq redrive orders --dry-run
  cargo kervan dlq redrive orders --limit 1       see first how one fares
  cargo kervan dlq redrive --all --profile shop")]
struct Redrive {
    /// Which queue, where not --all
    #[arg(conflicts_with = "all")]
    queue: Option<Name>,
    /// All four queues
    #[arg(long)]
    all: bool,
    /// The most messages that are sent of a queue
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Count what would be sent, and send nothing
    #[arg(long)]
    dry_run: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: Target,
}

/// A queue of the template that has a dead-letter queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Customers' orders, for the order-forwarder
    Orders,
    /// Suppliers' orders and parcels, for the tracking-updater
    Tracking,
    /// Stock and listings, for the inventory-poller
    Inventory,
    /// What Amazon tells, for the webhook-intake
    Notifications,
}

impl Name {
    const ALL: [Self; 4] = [
        Self::Orders,
        Self::Tracking,
        Self::Inventory,
        Self::Notifications,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Tracking => "tracking",
            Self::Inventory => "inventory",
            Self::Notifications => "notifications",
        }
    }

    /// The dead-letter queue's name in the template, and its queue's.
    const fn in_template(self) -> [&'static str; 2] {
        match self {
            Self::Orders => ["OrdersDeadLetters", "OrdersQueue"],
            Self::Tracking => ["TrackingDeadLetters", "TrackingQueue"],
            Self::Inventory => ["InventoryDeadLetters", "InventoryQueue"],
            Self::Notifications => ["NotificationsDeadLetters", "NotificationsQueue"],
        }
    }
}

/// A dead-letter queue and where its messages came from.
struct Pair {
    name: Name,
    dead_letters: Arc<dyn Queue>,
    source: Arc<dyn Queue>,
}

pub(super) async fn run(arguments: Arguments) -> Result<ExitCode> {
    let out = &mut io::stdout();
    match arguments.action {
        Action::List(List {
            queue,
            limit,
            json,
            target,
        }) => {
            let (pairs, place) = open(&target, queue).await?;
            let (limit, flags) = (usize::from(limit), target.as_flags());
            list(&pairs, limit, SystemClock.now(), json, &flags, out)
                .await
                .with_context(|| format!("The dead letters of {place} cannot be listed"))?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Redrive(Redrive {
            queue,
            all,
            limit,
            dry_run,
            json,
            target,
        }) => {
            if queue.is_none() && !all {
                bail!("Name a queue (orders, tracking or inventory), or give --all");
            }
            let (pairs, place) = open(&target, queue).await?;
            let how = redrive::How {
                limit,
                dry_run,
                as_json: json,
            };
            let all_good = redrive::redrive(&pairs, how, out)
                .await
                .with_context(|| format!("The dead letters of {place} cannot be sent back"))?;
            Ok(if all_good {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}

/// The queue that was named, or all.
async fn open(target: &Target, queue: Option<Name>) -> Result<(Vec<Pair>, String)> {
    let names = queue.map_or(Name::ALL.to_vec(), |name| vec![name]);
    let in_template: Vec<&str> = names.iter().flat_map(|name| name.in_template()).collect();
    let opened = target.open_queues(&in_template).await?;
    let mut queues = opened.queues.into_iter();
    let mut pairs = Vec::new();
    for name in names {
        if let (Some(dead_letters), Some(source)) = (queues.next(), queues.next()) {
            pairs.push(Pair {
                name,
                dead_letters,
                source,
            });
        }
    }
    Ok((pairs, opened.place))
}

async fn list(
    pairs: &[Pair],
    limit: usize,
    now: Timestamp,
    as_json: bool,
    flags: &str,
    out: &mut dyn Write,
) -> Result<()> {
    let (mut values, mut redrive) = (Vec::new(), Vec::new());
    for Pair {
        name, dead_letters, ..
    } in pairs
    {
        let depth = dead_letters.depth().await?;
        let messages = look(*name, &**dead_letters, limit).await?;
        // The count lags behind; what was seen is there.
        let total = total(depth).max(messages.len() as u64);
        let has_more = total > messages.len() as u64;
        if as_json {
            let shown: Vec<_> = messages.iter().map(Message::as_value).collect();
            values.push(json!({
                "queue": name.as_str(),
                "count": total,
                "messages": shown,
                "has_more": has_more,
            }));
            continue;
        }
        writeln!(out, "{}: {}", name.as_str(), count(total, "message"))?;
        let rows: Vec<_> = messages.iter().map(|message| message.as_row(now)).collect();
        write!(out, "{}", aligned("  ", &rows))?;
        if has_more {
            let more = total - messages.len() as u64;
            writeln!(
                out,
                "  … and {more} more: see them with --limit, or somebody else is looking at them"
            )?;
        }
        if total > 0 {
            redrive.push(format!("cargo kervan dlq redrive {}{flags}", name.as_str()));
        }
    }
    if as_json {
        let value = json!({ "queues": values });
        return Ok(writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?);
    }
    if !redrive.is_empty() {
        writeln!(out, "\nOnce the cause is mended, send them back with:")?;
        for command in redrive {
            writeln!(out, "  {command}")?;
        }
    }
    Ok(())
}

/// Receives messages and lets them go again, the longest waiting first.
async fn look(name: Name, queue: &dyn Queue, limit: usize) -> Result<Vec<Message>, QueueError> {
    let mut found: BTreeMap<String, Received> = BTreeMap::new();
    let received = receive_up_to(queue, limit, &mut found).await;
    let released = stream::iter(found.values())
        .map(|message| queue.release(&message.receipt, Duration::ZERO))
        .buffer_unordered(MOST_AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    received?;
    if let Some(Err(error)) = released.into_iter().find(Result::is_err) {
        let seconds = HIDDEN.as_secs();
        eprintln!("Messages stay hidden for up to {seconds} s, because {error}");
    }
    let found = found.into_values();
    let mut messages: Vec<_> = found.map(|message| Message::read(name, message)).collect();
    messages.sort_by_key(Message::sent_at);
    Ok(messages)
}

async fn receive_up_to(
    queue: &dyn Queue,
    limit: usize,
    found: &mut BTreeMap<String, Received>,
) -> Result<(), QueueError> {
    let mut empty = 0;
    while found.len() < limit && empty < MOST_EMPTY {
        let received = queue.receive(limit - found.len(), HIDDEN, WAIT).await?;
        let before = found.len();
        found.extend(
            received
                .into_iter()
                .map(|message| (message.id.clone(), message)),
        );
        // What comes a second time shows nothing new either.
        empty = if found.len() > before { 0 } else { empty + 1 };
    }
    Ok(())
}

/// All messages of a queue, hidden ones too.
const fn total(depth: Depth) -> u64 {
    depth.visible + depth.hidden
}
