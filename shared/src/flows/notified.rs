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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Accounts;
    use crate::clock::ManualClock;
    use crate::domain::{AccountId, ChannelOrderId, Signal, SignalKind};
    use crate::http::HttpClient;
    use crate::marketplaces::{Account, PushRefused, ReadNotifications};
    use crate::queue::{MemoryQueue, Queue, UnsetQueue};
    use crate::secrets::MemorySecrets;
    use jiff::Timestamp;
    use serde_json::json;
    use std::sync::Arc;
    use std::time::Duration;

    /// A marketplace whose messages are its orders' ids; those that begin with `other` are another account's.
    #[derive(Debug)]
    struct Reader(AccountId);

    impl Account for Reader {
        fn id(&self) -> &AccountId {
            &self.0
        }

        fn read_notifications(&self) -> Option<&dyn ReadNotifications> {
            Some(self)
        }
    }

    impl ReadNotifications for Reader {
        fn read(&self, message: &[u8]) -> Result<Option<Notification>, PushRefused> {
            let id: String = serde_json::from_slice(message)
                .map_err(|_| PushRefused::new(http::StatusCode::BAD_REQUEST, "cannot be read"))?;
            if id.starts_with("other") {
                return Ok(None);
            }
            let order = ChannelOrderId::parse(&id).unwrap();
            Ok(Some(Notification {
                id,
                signals: vec![Signal {
                    account: self.0.clone(),
                    kind: SignalKind::OrderChanged(order),
                    seen_at: Timestamp::UNIX_EPOCH,
                }],
            }))
        }
    }

    fn door(orders: Arc<dyn Queue>) -> Door {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let http = Arc::new(HttpClient::new(Duration::from_secs(1)).unwrap());
        let secrets = Arc::new(MemorySecrets::new());
        let accounts = Accounts::new(Vec::new(), "kervan/", secrets, http, clock, None);
        Door {
            accounts: accounts.with_account(Arc::new(Reader("amazon:main".parse().unwrap()))),
            orders,
            tracking: Arc::new(UnsetQueue("tracking")),
            notified: Notified::default(),
        }
    }

    #[tokio::test]
    async fn a_notification_that_comes_again_is_queued_once() {
        let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
        let orders = Arc::new(MemoryQueue::new(clock));
        let door = door(orders.clone());
        for id in ["1", "1", "2", "other-3", "1"] {
            assert_eq!(notified(&door, &json!(id)).await.unwrap(), Outcome::Done);
        }
        assert_eq!(orders.bodies().len(), 2);
    }

    #[tokio::test]
    async fn a_notification_that_could_not_be_queued_is_not_taken_for_known() {
        let door = door(Arc::new(UnsetQueue("orders")));
        for _ in 0..2 {
            assert!(matches!(
                notified(&door, &json!("1")).await,
                Err(FlowError::Queue(_))
            ));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_for_the_dead_letter_queue() {
        let door = door(Arc::new(UnsetQueue("orders")));
        let read = notified(&door, &json!({"no": "id"})).await;
        assert!(matches!(read, Err(FlowError::Poison(_))));
    }
}
