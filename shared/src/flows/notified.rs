//! A marketplace wrote to a queue of ours. The message is reduced to signals, as a push is; who may write to the queue is
//! the queue's own policy.

use super::{FlowError, Outcome, intake};
use crate::Door;
use crate::marketplaces::{CallError, Kind, Notification};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// So many notifications are remembered: a repeat comes within seconds, and one that is not recognised costs one read.
const REMEMBERED: usize = 2_000;

/// The ids of notifications that this process read lately.
#[derive(Debug, Default)]
pub struct Notified(Mutex<VecDeque<String>>);

impl Notified {
    fn has(&self, id: &str) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|known| known == id)
    }

    fn add(&self, id: String) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ids.push_back(id);
        if ids.len() > REMEMBERED {
            ids.pop_front();
        }
    }
}

/// Works on one message of the notifications queue.
pub async fn notified(door: &Door, message: &Value) -> Result<Outcome, FlowError> {
    let Some(notification) = read(door, &message.to_string()).await? else {
        tracing::warn!("A notification is of no account that is configured.");
        return Ok(Outcome::Done);
    };
    if door.notified.has(&notification.id) {
        tracing::info!("A notification came again.");
        return Ok(Outcome::Done);
    }
    let signals = notification.signals.len();
    intake::pass_on(door, notification.signals).await?;
    // Remembered only now: what could not be queued has to be read again.
    door.notified.add(notification.id);
    tracing::info!(signals, "A notification was queued.");
    Ok(Outcome::Done)
}

/// What a message says to the account that it is of.
async fn read(door: &Door, message: &str) -> Result<Option<Notification>, FlowError> {
    for id in door.accounts.ids() {
        let account = match door.accounts.get(id).await {
            Ok(account) => account,
            // It may be of this account: the message waits until it can be opened.
            Err(error) if passes(&error) => return Err(FlowError::Account(error)),
            Err(_) => continue,
        };
        let Some(reader) = account.read_notifications() else {
            continue;
        };
        let read = reader.read(message.as_bytes());
        let read = read.map_err(|refused| FlowError::Poison(refused.reason.to_owned()))?;
        if read.is_some() {
            return Ok(read);
        }
    }
    Ok(None)
}

fn passes(error: &CallError) -> bool {
    error.kind == Kind::Unavailable
}
