//! Messages go back to the queue that they came from: sent first, removed then.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::stream::{self, StreamExt};
use indicatif::{ProgressBar, ProgressStyle};
use kervan::queue::{Outgoing, Queue, QueueError, Received};
use serde::Serialize;
use serde_json::json;

use super::{HIDDEN, MOST_AT_ONCE, MOST_EMPTY, Pair, WAIT, total};
use crate::command::text::count;

/// Messages of one receive.
const MOST_IN_A_CALL: u64 = 10;
/// From so many messages on, progress is shown.
const MANY: u64 = 50;
/// Between two lines of progress where there is no terminal to draw a bar on.
const BETWEEN_LINES: Duration = Duration::from_secs(5);

#[derive(Clone, Copy)]
pub(super) struct How {
    /// The most messages of a queue.
    pub(super) limit: Option<u64>,
    pub(super) dry_run: bool,
    pub(super) as_json: bool,
}

/// What became of a queue's messages.
#[derive(Debug, Default, Serialize)]
struct Counts {
    queue: &'static str,
    /// Sent back; in a dry run, what would be.
    sent: u64,
    /// Sent back, and still here: they are in both queues.
    not_removed: u64,
    /// What is left here, about.
    left: Option<u64>,
    /// Why it stopped early.
    stopped: Option<String>,
}

/// Sends messages back; whether all went well.
pub(super) async fn redrive(pairs: &[Pair], how: How, out: &mut dyn Write) -> Result<bool> {
    let mut all = Vec::new();
    for pair in pairs {
        let there = total(pair.dead_letters.depth().await?);
        let mut counts = if how.dry_run {
            Counts {
                sent: how.limit.map_or(there, |limit| limit.min(there)),
                ..Counts::default()
            }
        } else {
            let mut meter = Meter::new(pair.name.as_str(), there);
            let counts = redrive_one(pair, goal(how.limit, there), &mut meter).await;
            meter.end();
            counts
        };
        counts.queue = pair.name.as_str();
        let left = pair.dead_letters.depth().await;
        counts.left = left.ok().map(total);
        if !how.as_json {
            write_counts(&counts, how.dry_run, out)?;
        }
        all.push(counts);
    }
    let is_good = |counts: &Counts| counts.stopped.is_none() && counts.not_removed == 0;
    let all_good = all.iter().all(is_good);
    if how.as_json {
        let value = json!({ "dry_run": how.dry_run, "queues": all });
        writeln!(out, "{}", serde_json::to_string_pretty(&value)?)?;
    }
    Ok(all_good)
}

/// No more than were there at the beginning: what fails again must not be sent round and round. SQS's count lags behind,
/// so one receive is always made.
fn goal(limit: Option<u64>, there: u64) -> u64 {
    limit.unwrap_or_else(|| there.max(MOST_IN_A_CALL))
}

async fn redrive_one(pair: &Pair, goal: u64, meter: &mut Meter) -> Counts {
    let (mut counts, mut empty) = (Counts::default(), 0);
    while counts.sent < goal && empty < MOST_EMPTY {
        let most = (goal - counts.sent).min(MOST_IN_A_CALL);
        let most = usize::try_from(most).unwrap_or(1);
        let received = match pair.dead_letters.receive(most, HIDDEN, WAIT).await {
            Ok(received) => received,
            Err(error) => {
                counts.stopped = Some(error.to_string());
                return counts;
            }
        };
        if received.is_empty() {
            empty += 1;
            continue;
        }
        empty = 0;
        let bodies = received.iter().map(|message| message.body.clone());
        if let Err(error) = pair.source.send(bodies.map(Outgoing::now).collect()).await {
            release(&*pair.dead_letters, &received).await;
            counts.stopped = Some(error.to_string());
            return counts;
        }
        counts.sent += received.len() as u64;
        counts.not_removed += remove(&*pair.dead_letters, &received).await;
        meter.show(counts.sent);
    }
    counts
}

/// Removes messages; returns how many stay.
async fn remove(queue: &dyn Queue, messages: &[Received]) -> u64 {
    let removed = stream::iter(messages)
        .map(|message| queue.delete(&message.receipt))
        .buffer_unordered(MOST_AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    removed.iter().filter(|removed| removed.is_err()).count() as u64
}

/// Lets messages be seen again at once. One that cannot be is seen again a minute later.
async fn release(queue: &dyn Queue, messages: &[Received]) {
    let _: Vec<Result<(), QueueError>> = stream::iter(messages)
        .map(|message| queue.release(&message.receipt, Duration::ZERO))
        .buffer_unordered(MOST_AT_ONCE)
        .collect()
        .await;
}

fn write_counts(counts: &Counts, dry_run: bool, out: &mut dyn Write) -> Result<()> {
    let (queue, messages) = (counts.queue, count(counts.sent, "message"));
    if dry_run {
        return Ok(writeln!(out, "{queue}: {messages} would be sent back")?);
    }
    let left = match counts.left {
        None | Some(0) => String::new(),
        Some(left) => format!(", about {left} left"),
    };
    writeln!(out, "{queue}: {messages} sent back{left}")?;
    if counts.not_removed > 0 {
        let kept = count(counts.not_removed, "message");
        writeln!(
            out,
            "  {kept} could not be removed here and will be worked on twice, which is harmless"
        )?;
    }
    if let Some(error) = &counts.stopped {
        writeln!(out, "  stopped: {error}. Nothing is lost: run it again")?;
    }
    Ok(())
}

/// How far it is, on standard error: a bar on a terminal, else a line now and then.
struct Meter {
    bar: Option<ProgressBar>,
    queue: &'static str,
    there: u64,
    last_line: Instant,
}

impl Meter {
    fn new(queue: &'static str, there: u64) -> Self {
        let bar = (there >= MANY).then(|| {
            let bar = ProgressBar::new(there);
            let style = ProgressStyle::with_template("{prefix} {bar:40} {pos} of {len}");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.with_prefix(queue)
        });
        Self {
            bar,
            queue,
            there,
            last_line: Instant::now(),
        }
    }

    fn show(&mut self, sent: u64) {
        let Some(bar) = &self.bar else {
            return;
        };
        bar.set_position(sent);
        if bar.is_hidden() && self.last_line.elapsed() >= BETWEEN_LINES {
            self.last_line = Instant::now();
            eprintln!("{}: {sent} of {} sent back", self.queue, self.there);
        }
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
