//! Why a control call could not be carried out.

use axum::response::IntoResponse;
use axum::response::Response;
use http::StatusCode;
use serde_json::json;

use crate::answer::Answer;

/// A control call that makes no sense. Over HTTP it is 404, 409 or 422 with `{"error": "..."}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// There is no such order, sku, product or the like.
    #[error("unknown {what}: {id}")]
    Unknown {
        /// What kind of thing was looked for.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// The listing has fewer units than the customer wants to buy; a real customer could not buy either.
    #[error("{sku} has {available} units, not {wanted}")]
    OutOfStock {
        /// The sku.
        sku: String,
        /// Units that the listing offers.
        available: u32,
        /// Units asked for.
        wanted: u32,
    },
    /// The thing is in a state that does not allow it.
    #[error("not possible now: {0}")]
    Conflict(String),
    /// The request itself is wrong.
    #[error("{0}")]
    Invalid(String),
}

impl ControlError {
    pub(crate) fn unknown(what: &'static str, id: impl ToString) -> Self {
        Self::Unknown {
            what,
            id: id.to_string(),
        }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Unknown { .. } => StatusCode::NOT_FOUND,
            Self::OutOfStock { .. } | Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Answer::json(status, &json!({ "error": self.to_string() })).into_response()
    }
}
