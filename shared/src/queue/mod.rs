//! The queue port: at least once, in any order, with delays, visibility and a count of deliveries, as SQS has them.

mod memory;
#[cfg(feature = "aws")]
mod sqs;
mod unset;

pub use memory::MemoryQueue;
#[cfg(feature = "aws")]
pub use sqs::Sqs;
pub use unset::UnsetQueue;

use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// The longest delay of a message (SQS's own limit).
pub const LONGEST_DELAY: Duration = Duration::from_secs(900);

/// The longest that a delivery can be hidden (SQS's own limit).
pub const LONGEST_HIDING: Duration = Duration::from_secs(12 * 60 * 60);

/// The largest body, and the largest sum of the bodies of one call.
pub const LARGEST_BODY_BYTES: usize = 256 * 1024;

/// The most messages of one call (SQS's own limit).
const MOST_IN_A_CALL: usize = 10;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// JSON text.
    pub body: String,
    /// Hidden for so long at first; whole seconds, at most [`LONGEST_DELAY`].
    pub delay: Duration,
}

impl Outgoing {
    /// A message that is visible at once.
    pub const fn now(body: String) -> Self {
        Self {
            body,
            delay: Duration::ZERO,
        }
    }
}

/// A message that was received and is hidden from others for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The queue's id of the message.
    pub id: String,
    /// What deletes or releases this delivery.
    pub receipt: String,
    /// JSON text.
    pub body: String,
    /// How often it has been received, this time included.
    pub deliveries: u32,
    /// When it was first sent, where the queue says; to the millisecond.
    pub sent_at: Option<Timestamp>,
}

/// How many messages a queue holds, about: SQS counts a while behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// That could be received now.
    pub visible: u64,
    /// That are delayed, or received and not deleted.
    pub hidden: u64,
}

/// The queue did not do what was asked. A message may have been sent nevertheless.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not answer: {0}")]
pub struct QueueError(pub String);

/// One queue.
#[async_trait]
pub trait Queue: Send + Sync + std::fmt::Debug {
    /// Sends all messages, ten a call. After an error some may have been sent: the caller sends all again.
    async fn send(&self, messages: Vec<Outgoing>) -> Result<(), QueueError>;

    /// Receives up to ten messages and hides them for `visibility`, at most [`LONGEST_HIDING`]; waits up to `wait` for
    /// the first.
    async fn receive(
        &self,
        most: usize,
        visibility: Duration,
        wait: Duration,
    ) -> Result<Vec<Received>, QueueError>;

    /// Deletes a delivery's message; one that is gone is fine. With the receipt of an older delivery it may stay.
    async fn delete(&self, receipt: &str) -> Result<(), QueueError>;

    /// Makes a delivery's message visible again after `after`, at most [`LONGEST_HIDING`].
    async fn release(&self, receipt: &str, after: Duration) -> Result<(), QueueError>;

    /// Counts the messages, about.
    async fn depth(&self) -> Result<Depth, QueueError>;
}

/// Refuses what SQS would refuse, before anything is sent.
fn check(messages: &[Outgoing]) -> Result<(), QueueError> {
    for message in messages {
        let bytes = message.body.len();
        if !(1..=LARGEST_BODY_BYTES).contains(&bytes) {
            let problem = format!("a body has 1 to {LARGEST_BODY_BYTES} bytes, not {bytes}");
            return Err(QueueError(problem));
        }
        if message.delay > LONGEST_DELAY {
            let (delay, most) = (message.delay.as_secs(), LONGEST_DELAY.as_secs());
            let problem = format!("a delay has at most {most} s, not {delay} s");
            return Err(QueueError(problem));
        }
        if let Some(wrong) = message.body.chars().find(|it| !is_in_xml(*it)) {
            let problem = format!("a body cannot hold the character {wrong:?}");
            return Err(QueueError(problem));
        }
    }
    Ok(())
}

/// SQS takes the characters of XML 1.0 and refuses a whole batch because of another one. JSON writes most others as
/// escapes, but U+FFFE and U+FFFF as they are.
const fn is_in_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// The same for the time that a delivery is hidden.
fn check_hiding(hidden: Duration) -> Result<(), QueueError> {
    if hidden > LONGEST_HIDING {
        let (asked, most) = (hidden.as_secs(), LONGEST_HIDING.as_secs());
        let problem = format!("a delivery is hidden for at most {most} s, not {asked} s");
        return Err(QueueError(problem));
    }
    Ok(())
}

/// SQS counts in whole seconds; a part of one becomes a whole one, so that nothing comes early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
