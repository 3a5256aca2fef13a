//! What the marketplaces send by themselves: an outbox with redelivery, the same for both.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::clock::later_ms;

/// A signed message that is due now. Send it as a POST, then report with `push_answered`.
#[derive(Debug, Clone)]
pub struct Push {
    /// Names this message in `push_answered`; the same over all attempts.
    pub id: u64,
    /// 1 for the first delivery.
    pub attempt: u32,
    /// The topic or event, for readers.
    pub topic: String,
    /// Where it goes.
    pub url: String,
    /// Content type and signature.
    pub headers: HeaderMap,
    /// The bytes that were signed.
    pub body: Bytes,
    /// How long the marketplace waits for the answer, in milliseconds.
    pub wait_ms: u64,
}

/// What became of a message so far.
#[derive(Debug, Clone, Serialize)]
pub struct PushView {
    /// As in `Push`.
    pub id: u64,
    /// The topic or event.
    pub topic: String,
    /// Where it goes.
    pub url: String,
    /// The part of the message that says what happened.
    pub data: Value,
    /// Deliveries tried.
    pub attempts: u32,
    /// The status of each answer; `None` where none came in time.
    pub answers: Vec<Option<u16>>,
    /// Pending, in flight, delivered or given up.
    pub state: PushState,
    /// When it is tried next, or was at last.
    pub due: Timestamp,
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PushState {
    /// Waits for its time.
    Pending,
    /// Handed out, not answered yet.
    InFlight,
    /// Answered with 2xx.
    Delivered,
    /// Tried as often as the marketplace tries, or dropped because pushing was stopped.
    GivenUp,
}

/// A message to be sent, before it is signed.
pub(crate) struct NewPush {
    pub(crate) topic: String,
    pub(crate) url: String,
    pub(crate) data: Value,
    pub(crate) due: Timestamp,
    /// The waits between deliveries; one delivery more than there are waits.
    pub(crate) gaps_ms: Vec<u64>,
    pub(crate) wait_ms: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    view: PushView,
    gaps_ms: Vec<u64>,
    wait_ms: u64,
}

/// All messages of one marketplace.
#[derive(Debug, Clone, Default)]
pub struct Outbox {
    next_id: u64,
    entries: BTreeMap<u64, Entry>,
}

impl Outbox {
    pub(crate) fn add(&mut self, push: NewPush) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        let view = PushView {
            id,
            topic: push.topic,
            url: push.url,
            data: push.data,
            attempts: 0,
            answers: Vec::new(),
            state: PushState::Pending,
            due: push.due,
        };
        let entry = Entry {
            view,
            gaps_ms: push.gaps_ms,
            wait_ms: push.wait_ms,
        };
        self.entries.insert(id, entry);
        id
    }

    /// Hands out what is due, oldest first; `sign` writes the body and the headers of this attempt.
    pub(crate) fn take_due(
        &mut self,
        now: Timestamp,
        mut sign: impl FnMut(&PushView) -> (HeaderMap, Bytes),
    ) -> Vec<Push> {
        let mut due: Vec<&mut Entry> = self
            .entries
            .values_mut()
            .filter(|entry| entry.view.state == PushState::Pending && entry.view.due <= now)
            .collect();
        due.sort_by_key(|entry| (entry.view.due, entry.view.id));
        due.into_iter()
            .map(|entry| {
                entry.view.attempts += 1;
                entry.view.state = PushState::InFlight;
                let (headers, body) = sign(&entry.view);
                Push {
                    id: entry.view.id,
                    attempt: entry.view.attempts,
                    topic: entry.view.topic.clone(),
                    url: entry.view.url.clone(),
                    headers,
                    body,
                    wait_ms: entry.wait_ms,
                }
            })
            .collect()
    }

    /// Notes an answer: 2xx ends it, anything else plans the next delivery or gives up. False for an unknown id.
    pub(crate) fn answered(&mut self, id: u64, status: Option<u16>, now: Timestamp) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        entry.view.answers.push(status);
        if status.is_some_and(|status| (200..300).contains(&status)) {
            entry.view.state = PushState::Delivered;
            return true;
        }
        let tried = usize::try_from(entry.view.attempts).unwrap_or(usize::MAX);
        match entry.gaps_ms.get(tried.saturating_sub(1)) {
            Some(gap_ms) => {
                entry.view.due = later_ms(now, *gap_ms);
                entry.view.state = PushState::Pending;
            }
            None => entry.view.state = PushState::GivenUp,
        }
        true
    }

    /// Drops everything that waits.
    pub(crate) fn give_up_pending(&mut self) {
        for entry in self.entries.values_mut() {
            if entry.view.state == PushState::Pending {
                entry.view.state = PushState::GivenUp;
            }
        }
    }

    /// When the next message is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.entries
            .values()
            .filter(|entry| entry.view.state == PushState::Pending)
            .map(|entry| entry.view.due)
            .min()
    }

    pub(crate) fn views(&self) -> Vec<PushView> {
        self.entries
            .values()
            .map(|entry| entry.view.clone())
            .collect()
    }
}
