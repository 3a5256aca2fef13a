//! A push comes in. It is verified, reduced to signals, queued, and only then answered with 2xx: what was answered with
//! 2xx is never lost (invariant I1). One call to AWS a push.

use super::{FlowError, ledger};
use crate::Door;
use crate::domain::{AccountId, Signal, SignalKind};
use crate::guards::{Guard, stands};
use crate::marketplaces::{Account, Kind, PushRefused, Unverified};
use crate::queue::{Outgoing, Queue};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

/// The largest push that is read. The marketplaces' own are below 10 KB.
pub const LARGEST_PUSH_BYTES: usize = 128 * 1024;

/// A request at the door, as it came.
#[derive(Debug)]
pub enum Intake {
    /// A push with headers and raw body.
    Push {
        /// Headers.
        headers: HeaderMap,
        /// The body's bytes.
        body: Bytes,
    },
    /// A question whether the endpoint is ours, with the raw query string.
    Challenge {
        /// The query string.
        query: String,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeAnswer {
    /// The status; 2xx only once everything is queued.
    pub status: StatusCode,
    /// JSON text.
    pub body: String,
}

impl IntakeAnswer {
    fn new(status: StatusCode, message: &str) -> Self {
        Self {
            status,
            body: serde_json::json!({ "message": message }).to_string(),
        }
    }
}

/// Answers one request for the account named in its path, such as `ebay` and `main`.
pub async fn intake(door: &Door, marketplace: &str, name: &str, request: Intake) -> IntakeAnswer {
    let account = match open(door, marketplace, name).await {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    let Some(verifier) = account.verify_pushes() else {
        return IntakeAnswer::new(StatusCode::NOT_FOUND, "this account takes no pushes");
    };
    let verified = match request {
        Intake::Challenge { query } => {
            return match verifier.challenge(&query) {
                Some(Ok(challenge)) => IntakeAnswer {
                    status: StatusCode::OK,
                    body: challenge.body,
                },
                Some(Err(refused)) => refuse(account.id(), &refused),
                None => IntakeAnswer::new(StatusCode::NOT_FOUND, "this account asks no questions"),
            };
        }
        Intake::Push { body, .. } if body.len() > LARGEST_PUSH_BYTES => {
            let refused = PushRefused::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
            return refuse(account.id(), &refused);
        }
        Intake::Push { headers, body } => verifier.verify(Unverified::new(headers, body)).await,
    };
    match verified {
        Ok(signals) => queue(door, account.id(), signals).await,
        Err(refused) => refuse(account.id(), &refused),
    }
}

async fn open(
    door: &Door,
    marketplace: &str,
    name: &str,
) -> Result<Arc<dyn Account>, IntakeAnswer> {
    let unknown = || IntakeAnswer::new(StatusCode::NOT_FOUND, "there is no such account");
    let id: AccountId = format!("{marketplace}:{name}")
        .parse()
        .map_err(|_| unknown())?;
    if !door.accounts.knows(&id) {
        return Err(unknown());
    }
    door.accounts.get(&id).await.map_err(|error| {
        // Our own trouble: the marketplace shall send again.
        tracing::error!(account = %id, %error, "A push cannot be verified.");
        let status = match error.kind {
            Kind::Misconfigured => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        IntakeAnswer::new(status, "this account cannot be opened now")
    })
}

fn refuse(account: &AccountId, refused: &PushRefused) -> IntakeAnswer {
    let status = refused.status.as_u16();
    tracing::warn!(%account, status, reason = refused.reason, "A push was refused.");
    IntakeAnswer::new(refused.status, refused.reason)
}

async fn queue(door: &Door, account: &AccountId, signals: Vec<Signal>) -> IntakeAnswer {
    let count = signals.len();
    if let Err(error) = pass_on(door, signals).await.or_else(ignored) {
        tracing::error!(%account, %error, "A push could not be queued; the marketplace will send it again.");
        return IntakeAnswer::new(StatusCode::SERVICE_UNAVAILABLE, "try again later");
    }
    tracing::info!(%account, signals = count, "A push was queued.");
    IntakeAnswer::new(StatusCode::OK, "queued")
}

/// Queues signals: of suppliers' orders for the tracking-updater, of all else for the order-forwarder.
pub(super) async fn pass_on(door: &Door, signals: Vec<Signal>) -> Result<(), FlowError> {
    let to_tracking = |signal: &Signal| matches!(signal.kind, SignalKind::SupplierOrderChanged(_));
    let (tracking, orders): (Vec<_>, Vec<_>) = signals.into_iter().partition(to_tracking);
    send(&door.orders, &orders).await?;
    send(&door.tracking, &tracking).await
}

/// Without its guard, the door would not wait to hear that the queue has them.
fn ignored(error: FlowError) -> Result<(), FlowError> {
    if stands(Guard::QueueFirst) {
        Err(error)
    } else {
        Ok(())
    }
}

/// Sends signals to a queue; none is no call.
pub(super) async fn send(queue: &Arc<dyn Queue>, signals: &[Signal]) -> Result<(), FlowError> {
    if signals.is_empty() {
        return Ok(());
    }
    let bodies: Result<Vec<_>, _> = signals.iter().map(ledger::write).collect();
    Ok(queue
        .send(bodies?.into_iter().map(Outgoing::now).collect())
        .await?)
}
