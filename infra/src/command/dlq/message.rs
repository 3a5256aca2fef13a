//! What a dead letter is about, in one line.

use jiff::Timestamp;
use kervan::domain::{Signal, SignalKind};
use kervan::flows::InventoryTask;
use kervan::queue::Received;
use serde_json::{Value, json};

use super::Name;
use crate::command::text::{age, count, plain, time};

/// The most characters that are shown of a text that cannot be read.
const MOST_SHOWN: usize = 160;
/// The most skus that are named of one task.
const MOST_SKUS: usize = 5;

/// A dead letter as it is shown.
pub(super) struct Message {
    received: Received,
    what: What,
}

enum What {
    Signal(Signal),
    Task(InventoryTask),
    /// Amazon's name of its type. What else is in it can be a buyer's, and is not shown.
    Notification(String),
    /// The beginning of its text.
    Unreadable(String),
}

impl Message {
    /// Reads a message of this queue. What is in it is what anybody may have sent: it never fails and never panics.
    pub(super) fn read(name: Name, received: Received) -> Self {
        let body = received.body.as_str();
        let read = match name {
            Name::Orders | Name::Tracking => serde_json::from_str(body).map(What::Signal),
            Name::Inventory => serde_json::from_str(body).map(What::Task),
            Name::Notifications => Ok(What::Notification(notification_type(body))),
        };
        let what = read.unwrap_or_else(|_| What::Unreadable(beginning(body)));
        Self { received, what }
    }

    /// When it was first sent.
    pub(super) const fn sent_at(&self) -> Option<Timestamp> {
        self.received.sent_at
    }

    /// Its cells: id, since when, deliveries, what it is about.
    pub(super) fn as_row(&self, now: Timestamp) -> Vec<String> {
        let sent = self.received.sent_at.map_or_else(
            || "at an unknown time".to_owned(),
            |at| format!("{} ({})", time(at), age(now, at)),
        );
        let times = count(u64::from(self.received.deliveries), "time");
        let deliveries = format!("received {times}");
        vec![plain(&self.received.id), sent, deliveries, self.text()]
    }

    pub(super) fn as_value(&self) -> Value {
        let content = match &self.what {
            What::Signal(signal) => json!({ "signal": signal }),
            What::Task(task) => json!({ "task": task }),
            What::Notification(kind) => json!({ "notification": kind }),
            What::Unreadable(text) => json!({ "unreadable": text }),
        };
        json!({
            "id": self.received.id,
            "sent_at": self.received.sent_at,
            "deliveries": self.received.deliveries,
            "about": self.text(),
            "content": content,
        })
    }

    fn text(&self) -> String {
        match &self.what {
            What::Signal(signal) => about_signal(signal),
            What::Task(task) => about_task(task),
            What::Notification(kind) => format!("a notification of Amazon: {}", plain(kind)),
            What::Unreadable(text) => format!("cannot be read: {text}"),
        }
    }
}

/// Amazon writes its keys in two cases.
fn notification_type(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let named = ["NotificationType", "notificationType"].map(|name| body[name].as_str());
    let kind = named.into_iter().flatten().next();
    kind.map_or("of an unknown type".to_owned(), |kind| {
        kind.chars().take(MOST_SHOWN).collect()
    })
}

fn about_signal(signal: &Signal) -> String {
    let account = &signal.account;
    let what = match &signal.kind {
        SignalKind::OrderChanged(id) => format!("order {account}/{id} may have changed"),
        SignalKind::SupplierOrderChanged(id) => {
            format!("supplier's order {id} at {account} may have changed")
        }
        SignalKind::TrackingDue(id) => format!("tracking of {account}/{id} is due"),
        SignalKind::PersonErased(names) => {
            let names = count(names.len() as u64, "pseudonym");
            format!("a person of {account} is to be erased ({names})")
        }
    };
    format!("{}, seen {}", plain(&what), time(signal.seen_at))
}

fn about_task(task: &InventoryTask) -> String {
    match task {
        InventoryTask::Look { offers, .. } => {
            let skus = offers.iter().map(|(sku, _)| sku.as_str());
            format!("look at the stock of {}", named(skus))
        }
        InventoryTask::Publish { skus, .. } => {
            format!("publish {}", named(skus.iter().map(|sku| sku.as_str())))
        }
        InventoryTask::ReadBack { channel } => {
            format!("read listings of {} back", plain(&channel.to_string()))
        }
        InventoryTask::Bulk { channel } => {
            format!("hand in what waits at {}", plain(&channel.to_string()))
        }
    }
}

fn named<'a>(skus: impl ExactSizeIterator<Item = &'a str>) -> String {
    let more = skus.len().saturating_sub(MOST_SKUS);
    let mut texts: Vec<String> = skus.take(MOST_SKUS).map(plain).collect();
    if more > 0 {
        texts.push(format!("{more} more"));
    }
    texts.join(", ")
}

fn beginning(text: &str) -> String {
    let shown: String = text.chars().take(MOST_SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{}{more}", plain(&shown))
}
