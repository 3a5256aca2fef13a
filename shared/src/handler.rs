//! What all functions do alike: log as JSON, and take a batch message by message, so that one message's failure or panic
//! does not fail the others.

use crate::aws;
use crate::clock::{Clock, SystemClock};
use crate::flows::{FlowError, Outcome};
use crate::guards::{Guard, stands};
use crate::metrics::{Metrics, Taken};
use crate::queue::{LONGEST_DELAY, Outgoing, Queue};
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use futures_util::future::join_all;
use std::future::Future;
use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A worker that was overtaken reads again and tries so often before the message goes back.
const MOST_TRIES: usize = 4;
/// A message that met an outage of ours is put back for so long.
const OUTAGE_PAUSE: Duration = Duration::from_secs(30);
/// A message that failed comes back after this time, doubled with each delivery.
const FIRST_BACKOFF: Duration = Duration::from_secs(5);

static WARM: AtomicBool = AtomicBool::new(false);

/// What calls a function that has a queue and a schedule.
#[derive(Debug)]
pub enum Trigger {
    /// Messages of its queue.
    Queue(SqsEvent),
    /// Its schedule.
    Schedule,
}

impl<'de> serde::Deserialize<'de> for Trigger {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = serde_json::Value::deserialize(deserializer)?;
        if event.get("Records").is_none() {
            return Ok(Self::Schedule);
        }
        serde_json::from_value(event)
            .map(Self::Queue)
            .map_err(serde::de::Error::custom)
    }
}

/// A message as the event source gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The queue's id of the message.
    pub id: String,
    /// What releases this delivery.
    pub receipt: String,
    /// JSON text.
    pub body: String,
    /// How often it has been delivered, this time included.
    pub deliveries: u32,
}

/// Sends log events to standard error as JSON, one a line, at the level that `RUST_LOG` names (`info` by default).
pub fn start_logging() {
    let level = std::env::var("RUST_LOG")
        .ok()
        .and_then(|level| level.parse().ok());
    let logging = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level.unwrap_or(tracing::Level::INFO))
        .with_writer(std::io::stderr);
    // A second start in one process, as in tests, keeps the first.
    let _ = logging.try_init();
    // A panic's text can repeat a buyer's data; where it happened is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(location, "A worker panicked.");
    }));
}

/// Works on the messages of an SQS event; the answer names those that failed. What was measured meanwhile is written.
pub async fn sqs<M, F>(
    function: &'static str,
    queue: &Arc<dyn Queue>,
    metrics: &Metrics,
    event: SqsEvent,
    work: impl Fn(M) -> F,
) -> SqsBatchResponse
where
    M: serde::de::DeserializeOwned + Clone,
    F: Future<Output = Result<Outcome, FlowError>>,
{
    let before = aws::calls();
    let messages: Vec<Message> = event.records.into_iter().map(message).collect();
    let count = messages.len();
    let failed = batch(queue, messages, work).await;
    log_invocation(function, before, count, failed.len());
    write_metrics(&metrics.take());
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    response
}

/// Runs the work of a schedule; its failure is the invocation's. What was measured meanwhile is written.
pub async fn schedule(
    function: &'static str,
    metrics: &Metrics,
    work: impl Future<Output = Result<usize, FlowError>>,
) -> Result<(), FlowError> {
    let before = aws::calls();
    let result = work.await;
    match &result {
        Ok(queued) => tracing::info!(function, queued, "The schedule's work is done."),
        Err(error) => tracing::error!(function, %error, "The schedule's work failed."),
    }
    log_invocation(function, before, 0, usize::from(result.is_err()));
    write_metrics(&metrics.take());
    result.map(|_| ())
}

/// Writes what was measured to standard output, which Lambda collects as it does the log. The stack's name tells the
/// metrics of two stacks in one account apart.
fn write_metrics(taken: &Taken) {
    let stack = std::env::var("KERVAN_STACK").unwrap_or_else(|_| "kervan".to_owned());
    let mut out = std::io::stdout().lock();
    for line in taken.lines(&stack, SystemClock.now()) {
        // In one piece, so that nothing comes in between. Without the figures, the work is done all the same.
        if let Err(error) = out.write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, "What was measured could not be written.");
        }
    }
}

fn message(record: SqsMessage) -> Message {
    let deliveries = record.attributes.get("ApproximateReceiveCount");
    Message {
        id: record.message_id.unwrap_or_default(),
        receipt: record.receipt_handle.unwrap_or_default(),
        body: record.body.unwrap_or_default(),
        deliveries: deliveries.and_then(|count| count.parse().ok()).unwrap_or(1),
    }
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

/// Works on all messages of a batch and returns the ids of those that failed; they come back after a pause, and after
/// their tries they lie in the dead-letter queue. A message that came too early is put back as a new one, which does not
/// count as a try.
pub async fn batch<M, F>(
    queue: &Arc<dyn Queue>,
    messages: Vec<Message>,
    work: impl Fn(M) -> F,
) -> Vec<String>
where
    M: serde::de::DeserializeOwned + Clone,
    F: Future<Output = Result<Outcome, FlowError>>,
{
    let worked = join_all(messages.iter().map(|message| one(queue, message, &work))).await;
    let stays = |done: &bool| !done && stands(Guard::FailedStays);
    let failed = messages
        .into_iter()
        .zip(worked)
        .filter(|(_, done)| stays(done));
    failed.map(|(message, _)| message.id).collect()
}

/// Logs what an invocation cost. Every function writes this line with the same fields, once an invocation.
pub fn log_invocation(function: &'static str, before: aws::Calls, messages: usize, failed: usize) {
    let calls = aws::calls().since(before);
    let cold = !WARM.swap(true, Ordering::Relaxed);
    tracing::info!(
        function,
        cold,
        messages,
        failed,
        dynamodb = calls.dynamodb,
        sqs = calls.sqs,
        secrets = calls.secrets,
        kms = calls.kms,
        "The invocation ended."
    );
}

async fn one<M, F>(queue: &Arc<dyn Queue>, message: &Message, work: &impl Fn(M) -> F) -> bool
where
    M: serde::de::DeserializeOwned + Clone,
    F: Future<Output = Result<Outcome, FlowError>>,
{
    let id = message.id.as_str();
    let result = match serde_json::from_str::<M>(&message.body) {
        Ok(parsed) => guarded(work, parsed).await,
        // Neither the text nor the parser's words are logged: they could repeat what must not be in a log.
        Err(error) => Err(FlowError::Poison(format!(
            "{:?} error in its JSON",
            error.classify()
        ))),
    };
    let result = match result {
        // An outage of ours is no fault of the message: it must not use up its tries.
        Err(error) if error.is_passing() => {
            tracing::warn!(message_id = id, %error, "A message waits for something of ours to come back.");
            Ok(Outcome::Later(OUTAGE_PAUSE))
        }
        other => other,
    };
    match result {
        Ok(Outcome::Done) => true,
        Ok(Outcome::Later(wait)) => {
            let delay = Duration::from_secs(wait.as_secs().max(1)).min(LONGEST_DELAY);
            let again = Outgoing {
                body: message.body.clone(),
                delay,
            };
            match queue.send(vec![again]).await {
                Ok(()) => true,
                Err(error) => {
                    tracing::warn!(message_id = id, %error, "A message could not be put back; it comes again by itself.");
                    false
                }
            }
        }
        Err(error) => {
            tracing::error!(message_id = id, deliveries = message.deliveries, %error, "A message failed.");
            let pause = FIRST_BACKOFF * 2_u32.pow(message.deliveries.clamp(1, 8) - 1);
            if let Err(error) = queue.release(&message.receipt, pause).await {
                tracing::warn!(message_id = id, %error, "A failed message comes back only after its visibility time.");
            }
            false
        }
    }
}

/// Runs the work; a panic becomes an error of this message, and an overtaken worker reads again.
async fn guarded<M, F>(work: &impl Fn(M) -> F, parsed: M) -> Result<Outcome, FlowError>
where
    M: Clone,
    F: Future<Output = Result<Outcome, FlowError>>,
{
    let mut last = FlowError::Overtaken;
    for _ in 0..MOST_TRIES {
        let caught = AssertUnwindSafe(work(parsed.clone())).catch_unwind().await;
        // The panic's text may repeat anything; the panic hook has written where it was.
        let result =
            caught.unwrap_or_else(|_| Err(FlowError::Poison("the worker panicked".to_owned())));
        match result {
            Err(FlowError::Overtaken) => last = FlowError::Overtaken,
            other => return other,
        }
    }
    Err(last)
}
