//! Small parts that both control interfaces share.

use std::time::Duration;

use axum::Json;
use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::json;

use crate::clock::Clock;
use crate::error::ControlError;

/// `{"advance_ms": 60000}`
#[derive(Deserialize)]
pub(crate) struct Advance {
    advance_ms: u64,
}

/// The answer of a control call that has nothing to tell.
pub(crate) fn done() -> Result<Json<Value>, ControlError> {
    Ok(Json(json!({ "done": true })))
}

pub(crate) fn show_clock(clock: &dyn Clock) -> Json<Value> {
    Json(json!({ "now": clock.now() }))
}

/// Moves the clock that both marketplaces share.
pub(crate) fn advance(clock: &dyn Clock, body: &Advance) -> Result<Json<Value>, ControlError> {
    if clock.advance(Duration::from_millis(body.advance_ms)) {
        Ok(show_clock(clock))
    } else {
        Err(ControlError::Conflict(
            "this clock cannot be moved".to_owned(),
        ))
    }
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
