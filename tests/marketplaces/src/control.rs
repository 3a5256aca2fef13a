//! The controls that all marketplaces have, over HTTP under `/_control`: the methods of `Simulator`. Each marketplace
//! merges its own.

use std::error::Error;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::FromRequest;
use axum::extract::Request;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::routing::get;
use axum::routing::post;
use http::Uri;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::json;

use crate::clock::Clock;
use crate::error::ControlError;
use crate::fault::Fault;
use crate::fault::RateLimit;
use crate::push::PushView;
use crate::simulator::Marketplace;
use crate::simulator::Pushing;
use crate::simulator::Simulator;

/// What a control call answers.
pub(crate) type Made<T = Value> = Result<Json<T>, ControlError>;

/// The controls of every marketplace.
pub(crate) fn router<M: Marketplace>() -> Router<Simulator<M>> {
    Router::new()
        .route("/limits", post(set_limit::<M>))
        .route("/faults", post(fail_next::<M>).delete(clear_faults::<M>))
        .route("/settings", get(settings::<M>).patch(change_settings::<M>))
        .route("/counters", get(counters::<M>))
        .route("/clock", get(clock::<M>).post(advance_clock::<M>))
        .route("/tokens/expire", post(expire_access_tokens::<M>))
        .route("/tokens/revoke", post(revoke_consent::<M>))
        .fallback(unknown)
}

/// The controls of a marketplace that pushes over HTTP.
pub(crate) fn push_router<M: Pushing>() -> Router<Simulator<M>> {
    Router::new().route("/pushes", get(pushes::<M>))
}

/// The answer of a control call that has nothing to tell.
pub(crate) fn done() -> Made {
    Ok(Json(json!({ "done": true })))
}

/// A JSON body. One that cannot be read is answered as every other control error, with the reason: where the name of an
/// operation, a fault or a field does not exist, it lists those that do.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        let read = Json::<T>::from_request(request, state).await;
        read.map(|Json(body)| Self(body)).map_err(unreadable)
    }
}

fn unreadable(rejection: JsonRejection) -> ControlError {
    // The source names the field and the reason without the words around them.
    let reason = rejection.source().map(ToString::to_string);
    ControlError::Invalid(reason.unwrap_or_else(|| rejection.body_text()))
}

/// Settings with the given fields replaced. A field that does not exist is an error, not a silent nothing.
pub(crate) fn merge<T: Serialize + DeserializeOwned>(
    present: &T,
    change: Value,
) -> Result<T, ControlError> {
    let invalid = |error: serde_json::Error| ControlError::Invalid(error.to_string());
    let mut merged = serde_json::to_value(present).map_err(invalid)?;
    let (Value::Object(merged_fields), Value::Object(changes)) = (&mut merged, change) else {
        return Err(ControlError::Invalid(
            "settings are a JSON object".to_owned(),
        ));
    };
    merged_fields.extend(changes);
    serde_json::from_value(merged).map_err(invalid)
}

/// `{"operation": "getOrders", "limit": {"calls": 5, "per_ms": 1000}}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit<O> {
    operation: O,
    limit: Option<RateLimit>,
}

/// `{"operation": "getOrders", "fault": "timeout_after", "times": 1}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlannedFault<O> {
    operation: O,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

/// `{"advance_ms": 60000}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_ms: u64,
}

async fn unknown(uri: Uri) -> ControlError {
    ControlError::unknown("control", uri.path())
}

async fn set_limit<M: Marketplace>(
    State(simulator): State<Simulator<M>>,
    Body(body): Body<Limit<M::Operation>>,
) -> Made {
    simulator.set_rate_limit(body.operation, body.limit);
    done()
}

async fn fail_next<M: Marketplace>(
    State(simulator): State<Simulator<M>>,
    Body(body): Body<PlannedFault<M::Operation>>,
) -> Made {
    simulator.fail_next(body.operation, body.fault, body.times);
    done()
}

async fn clear_faults<M: Marketplace>(State(simulator): State<Simulator<M>>) -> Made {
    simulator.clear_faults();
    done()
}

async fn settings<M: Marketplace>(State(simulator): State<Simulator<M>>) -> Json<M::Settings> {
    Json(simulator.settings())
}

async fn change_settings<M: Marketplace>(
    State(simulator): State<Simulator<M>>,
    Body(change): Body<Value>,
) -> Made {
    simulator.change_settings(change)?;
    done()
}

async fn counters<M: Marketplace>(State(simulator): State<Simulator<M>>) -> Json<M::Counters> {
    Json(simulator.counters())
}

async fn clock<M: Marketplace>(State(simulator): State<Simulator<M>>) -> Json<Value> {
    time_of(simulator.clock().as_ref())
}

/// Moves the clock, which all marketplaces on it share.
async fn advance_clock<M: Marketplace>(
    State(simulator): State<Simulator<M>>,
    Body(body): Body<Advance>,
) -> Made {
    let clock = simulator.clock().as_ref();
    if clock.advance(Duration::from_millis(body.advance_ms)) {
        Ok(time_of(clock))
    } else {
        let message = "this clock cannot be moved";
        Err(ControlError::Conflict(message.to_owned()))
    }
}

fn time_of(clock: &dyn Clock) -> Json<Value> {
    Json(json!({ "now": clock.now() }))
}

async fn expire_access_tokens<M: Marketplace>(State(simulator): State<Simulator<M>>) -> Made {
    simulator.expire_access_tokens();
    done()
}

async fn revoke_consent<M: Marketplace>(State(simulator): State<Simulator<M>>) -> Made {
    simulator.revoke_consent();
    done()
}

async fn pushes<M: Pushing>(State(simulator): State<Simulator<M>>) -> Json<Vec<PushView>> {
    Json(simulator.pushes())
}
