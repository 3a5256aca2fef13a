//! The queue in memory: deliveries, delays and hiding as SQS has them, by the clock it is given.

use super::{
    Depth, MOST_IN_A_CALL, Outgoing, Queue, QueueError, Received, check, check_hiding,
    whole_seconds,
};
use crate::clock::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A queue in memory. It never waits: a receive that finds nothing visible answers at once, because the clock of a
/// simulation does not move by itself.
#[derive(Debug)]
pub struct MemoryQueue {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    dead_letters: Option<(u32, Arc<MemoryQueue>)>,
}

impl MemoryQueue {
    /// An empty queue that delivers a message until it is deleted.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            state: Mutex::default(),
            clock,
            dead_letters: None,
        }
    }

    /// Delivers a message at most `tries` times; instead of once more, it goes to `dead_letters`.
    #[must_use]
    pub fn with_dead_letters(mut self, tries: u32, dead_letters: Arc<Self>) -> Self {
        self.dead_letters = Some((tries, dead_letters));
        self
    }

    /// An independent copy of the queue under a clock of its own. What failed too often goes to `dead_letters`, which is a
    /// copy of this queue's where it has one.
    #[must_use]
    pub fn fork(&self, clock: Arc<dyn Clock>, dead_letters: &Arc<Self>) -> Self {
        let tries = self.dead_letters.as_ref().map(|(tries, _)| *tries);
        Self {
            state: Mutex::new(self.lock().clone()),
            clock,
            dead_letters: tries.map(|tries| (tries, dead_letters.clone())),
        }
    }

    /// The bodies of all messages, hidden ones included, in the order of their sending.
    pub fn bodies(&self) -> Vec<String> {
        let state = self.lock();
        let bodies = state.messages.values().map(|message| message.body.clone());
        bodies.collect()
    }

    /// When the next message becomes visible, or became so: up to where a simulation may move its clock.
    pub fn next_visible_at(&self) -> Option<Timestamp> {
        let state = self.lock();
        let times = state.messages.values().map(|message| message.visible_at);
        times.min()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn after(&self, duration: Duration) -> Timestamp {
        let seconds = i64::try_from(whole_seconds(duration)).unwrap_or(i64::MAX);
        let later = self
            .clock
            .now()
            .checked_add(SignedDuration::from_secs(seconds));
        later.unwrap_or(Timestamp::MAX)
    }

    /// Takes out what has been tried often enough. It is visible at once in the other queue, where its deliveries are
    /// counted from the beginning. The time of its sending stays.
    fn bury(&self, state: &mut State, now: Timestamp) {
        let Some((tries, dead_letters)) = &self.dead_letters else {
            return;
        };
        let worn_out =
            |message: &Message| message.visible_at <= now && message.deliveries >= *tries;
        let (dead, alive) = std::mem::take(&mut state.messages)
            .into_iter()
            .partition::<BTreeMap<_, _>, _>(|(_, message)| worn_out(message));
        state.messages = alive;
        for message in dead.into_values() {
            dead_letters.lock().add(message.body, message.sent_at, now);
        }
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn send(&self, messages: Vec<Outgoing>) -> Result<(), QueueError> {
        check(&messages)?;
        for message in messages {
            let visible_at = self.after(message.delay);
            self.lock().add(message.body, self.clock.now(), visible_at);
        }
        Ok(())
    }

    async fn receive(
        &self,
        most: usize,
        visibility: Duration,
        _wait: Duration,
    ) -> Result<Vec<Received>, QueueError> {
        check_hiding(visibility)?;
        let now = self.clock.now();
        let hidden_until = self.after(visibility);
        let mut state = self.lock();
        // Under the same lock and of the same time, or a message could be given once more in between.
        self.bury(&mut state, now);
        let visible = state
            .messages
            .iter_mut()
            .filter(|(_, message)| message.visible_at <= now)
            .take(most.clamp(1, MOST_IN_A_CALL));
        let deliver = |(number, message): (&u64, &mut Message)| {
            message.deliveries += 1;
            message.visible_at = hidden_until;
            Received {
                id: format!("message-{number}"),
                receipt: receipt(*number, message.deliveries),
                body: message.body.clone(),
                deliveries: message.deliveries,
                sent_at: Some(message.sent_at),
            }
        };
        Ok(visible.map(deliver).collect())
    }

    async fn delete(&self, receipt: &str) -> Result<(), QueueError> {
        let (number, delivery) = parse(receipt)?;
        let mut state = self.lock();
        // SQS accepts the receipt of an older delivery, and then may or may not delete; this one does not.
        if state.latest(number, delivery).is_some() {
            state.messages.remove(&number);
        }
        Ok(())
    }

    async fn release(&self, receipt: &str, after: Duration) -> Result<(), QueueError> {
        check_hiding(after)?;
        let (number, delivery) = parse(receipt)?;
        let (now, visible_at) = (self.clock.now(), self.after(after));
        let mut state = self.lock();
        match state.latest(number, delivery) {
            Some(message) if message.visible_at > now => {
                message.visible_at = visible_at;
                Ok(())
            }
            _ => Err(QueueError("the message is not in flight".to_owned())),
        }
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        let now = self.clock.now();
        let mut state = self.lock();
        self.bury(&mut state, now);
        let is_visible = |message: &&Message| message.visible_at <= now;
        let visible = state.messages.values().filter(is_visible).count() as u64;
        Ok(Depth {
            visible,
            hidden: state.messages.len() as u64 - visible,
        })
    }
}

#[derive(Debug, Clone, Default)]
struct State {
    /// By the number of their sending, so the oldest comes first.
    messages: BTreeMap<u64, Message>,
    sent: u64,
}

impl State {
    fn add(&mut self, body: String, sent_at: Timestamp, visible_at: Timestamp) {
        self.sent += 1;
        let message = Message {
            body,
            sent_at,
            visible_at,
            deliveries: 0,
        };
        self.messages.insert(self.sent, message);
    }

    /// The message, if this was its latest delivery.
    fn latest(&mut self, number: u64, delivery: u32) -> Option<&mut Message> {
        let message = self.messages.get_mut(&number);
        message.filter(|message| message.deliveries == delivery)
    }
}

#[derive(Debug, Clone)]
struct Message {
    body: String,
    sent_at: Timestamp,
    visible_at: Timestamp,
    deliveries: u32,
}

fn receipt(number: u64, delivery: u32) -> String {
    format!("{number}/{delivery}")
}

fn parse(receipt: &str) -> Result<(u64, u32), QueueError> {
    let parts = receipt.split_once('/');
    parts
        .and_then(|(number, delivery)| Some((number.parse().ok()?, delivery.parse().ok()?)))
        .ok_or_else(|| QueueError("the receipt is not one of this queue".to_owned()))
}
