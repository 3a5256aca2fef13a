//! How an account's marketplace tells us that something changed.

use crate::domain::Signal;
use crate::marketplaces::{CallError, Challenge, PushRefused, Unverified};
use async_trait::async_trait;

/// Verifies pushes and turns them into signals.
#[async_trait]
pub trait VerifyPushes: Send + Sync {
    /// Checks authenticity over the raw bytes, then age, then shape.
    async fn verify(&self, push: Unverified) -> Result<Vec<Signal>, PushRefused>;

    /// Answers the question whether the endpoint is ours; `None` where the marketplace has no such question.
    fn challenge(&self, query: &str) -> Option<Result<Challenge, PushRefused>>;
}

/// A message of a queue that the marketplace writes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// The marketplace's id of it; a repeat has the same.
    pub id: String,
    /// What it says.
    pub signals: Vec<Signal>,
}

/// Reads messages of a queue that the marketplace writes to. Whoever may write to the queue is known by its policy, so
/// there is no signature.
pub trait ReadNotifications: Send + Sync {
    /// What a message says; `None` where it is of another account.
    fn read(&self, message: &[u8]) -> Result<Option<Notification>, PushRefused>;
}

/// Gives again what the marketplace could not push: messages that it keeps for some days because nobody took them.
#[async_trait]
pub trait PullMissed: Send + Sync {
    /// A page of them, the oldest first, each with what it says; empty where there are none. Called by the sweep, which
    /// queues their signals and then takes them; a page is read again as long as that was not done.
    async fn missed(&self) -> Result<Vec<Notification>, CallError>;

    /// Takes messages by their ids, so that they are not given again.
    async fn take(&self, ids: &[String]) -> Result<(), CallError>;
}
