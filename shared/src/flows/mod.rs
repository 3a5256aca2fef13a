//! The use cases, one file each. A flow takes the ports, does one thing, and says how it ended.
//!
//! | file | what | who runs it |
//! |---|---|---|
//! | `intake.rs` | a push is verified and queued | webhook-intake |
//! | `notified.rs` | a notification from a queue is read and queued | webhook-intake |
//! | `sweep.rs` | what pushes missed is found, what is due is queued | order-sweeper |
//! | `forward.rs` | an order is read, recorded and bought step by step | order-forwarder |
//! | `mapping.rs` | what an order's lines are made of | order-forwarder |
//! | `plan.rs` | suppliers are chosen, asked and reserved | order-forwarder |
//! | `purchase.rs` | the purchase protocol: lease, place, settle | order-forwarder |
//! | `erase.rs` | a person's data goes | order-forwarder |
//! | `resolve.rs` | a person decides about an order that waits | the command `kervan` |
//! | `refund.rs` | a person gives a customer money back | the command `kervan` |
//! | `decline.rs` | a person tells the channel that an order cannot be filled | the command `kervan` |
//! | `track.rs` | suppliers are asked for parcels, channels are told of them | tracking-updater |
//! | `stock/` | offers are looked at, listings are lowered and raised | inventory-poller |
//! | `rules.rs` | what the merchant decides about stock and prices | all |
//! | `rates.rs` | what currencies are worth, kept and got | all; the inventory-poller gets them |
//! | `price.rs` | the price of a listing by the rules; prices that wait for a person | inventory-poller, `kervan` |
//! | `catalog.rs` | skus, listings and offers are read and written | all |
//! | `ledger.rs` | an order is loaded; events are recorded in one transaction | all |
//!
//! **Invariant:** a flow that fails has either changed nothing or left a due time that makes somebody look again.

pub mod catalog;
pub mod decline;
mod erase;
mod forward;
mod intake;
pub mod ledger;
mod mapping;
mod notified;
mod plan;
pub mod price;
mod purchase;
pub mod rates;
pub mod refund;
pub mod resolve;
pub mod rules;
mod stock;
mod sweep;
mod track;

pub use forward::forward;
pub use intake::{Intake, IntakeAnswer, LARGEST_PUSH_BYTES, intake};
pub use notified::{Notified, notified};
pub use rates::{RatesShelf, RatesSource};
pub use rules::RulesShelf;
pub use stock::{InventoryTask, inventory, queue_due_stock, should_show};
pub use sweep::{SWEEP_INTERVAL, sweep};
pub use track::{queue_due_tracking, track};

use crate::Kervan;
use crate::domain::{Misfit, Reason};
use crate::marketplaces::{CallError, Kind, Retry};
use crate::queue::QueueError;
use crate::seal::SealError;
use crate::secrets::SecretsError;
use crate::store::{Due, Guard, Key, StoreError, Write, WriteError};
use jiff::SignedDuration;
use std::time::Duration;

/// The longest that a worker runs: the order-forwarder's, the tracking-updater's and the inventory-poller's timeouts in
/// `template.yaml` are not longer.
const LONGEST_RUN: SignedDuration = SignedDuration::from_secs(60);

/// A request that got no answer takes effect within this time of its sending, or never: ours are given up after 20 s, and
/// no proxy on the way holds one for minutes.
pub const LANDS_WITHIN: SignedDuration = SignedDuration::from_mins(3);

/// Whatever a worker was about to send when it said so has taken effect after this time, or never will.
const SURELY_LANDED: SignedDuration =
    SignedDuration::from_secs(LONGEST_RUN.as_secs() + LANDS_WITHIN.as_secs());

/// How the work on a message ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done; the message can go.
    Done,
    /// Nothing is wrong with the message, but it is too early: put it back for so long.
    Later(Duration),
}

/// How the work on a message failed. The queue delivers it again, and after its tries it lies in the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The message can never be worked on: it is not what it should be.
    #[error("the message is not understood: {0}")]
    Poison(String),
    /// Another worker changed the same order in between; a new try reads it again.
    #[error("another worker changed the same item")]
    Overtaken,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The key service failed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The secrets failed.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// An account cannot be opened now.
    #[error(transparent)]
    Account(CallError),
    /// A stored item is not what it should be.
    #[error("a stored item cannot be read: {0}")]
    Stored(String),
    /// What was asked for does not fit what is there; nothing was changed. The text says what would.
    #[error("{0}")]
    Unfit(String),
    /// A defect of ours: an event met a state that it does not fit.
    #[error(transparent)]
    Misfit(#[from] Misfit),
}

impl FlowError {
    /// Whether the same work may succeed later: no fault of the message, and not a defect.
    pub const fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Overtaken
                | Self::Store(StoreError::Unavailable(_))
                | Self::Queue(_)
                | Self::Account(_)
                | Self::Seal(SealError::Unavailable(_))
                | Self::Secrets(SecretsError::Unavailable(_))
        )
    }
}

impl From<WriteError> for FlowError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict(_) | WriteError::Contended => Self::Overtaken,
            WriteError::Store(error) => Self::Store(error),
        }
    }
}

/// Writes in one transaction; false where somebody came between, who knows better.
async fn write_unless_changed(kervan: &Kervan, writes: Vec<Write>) -> Result<bool, FlowError> {
    match kervan.store.write(writes).await {
        Ok(()) => Ok(true),
        Err(WriteError::Conflict(_) | WriteError::Contended) => Ok(false),
        Err(WriteError::Store(error)) => Err(error.into()),
    }
}

/// Sets when an item is due, where it is still at this version.
async fn set_due_unless_changed(
    kervan: &Kervan,
    key: Key,
    version: u64,
    due: Option<Due>,
) -> Result<bool, FlowError> {
    let write = Write::Update {
        key,
        set_body: None,
        set_due: Some(due),
        add: Vec::new(),
        only_if: vec![Guard::Version(version)],
    };
    write_unless_changed(kervan, vec![write]).await
}

/// The attention reason of an error that only a person can mend; `None` for others.
fn reason_of(error: &CallError) -> Option<Reason> {
    let account = error.account.to_string();
    match (error.kind, error.retry) {
        (Kind::ConsentEnded, _) => Some(Reason::ConsentEnded { account }),
        (_, Retry::Person) => Some(Reason::Misconfigured {
            account,
            code: error.code.clone(),
        }),
        _ => None,
    }
}

/// How long to wait after a temporary error; a minute where it is not said.
fn wait_of(error: &CallError) -> Duration {
    match error.retry {
        Retry::After(wait) => wait,
        Retry::Permanent | Retry::Person => Duration::from_secs(60),
    }
}
