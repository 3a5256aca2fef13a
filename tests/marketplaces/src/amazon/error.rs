//! Errors in Amazon's words.

use http::StatusCode;
use serde_json::json;

use crate::answer::Answer;
use crate::answer::OwnErrors;

pub(super) fn answer(status: StatusCode, code: &str, message: &str, details: &str) -> Answer {
    let error = json!({ "code": code, "message": message, "details": details });
    Answer::json(status, &json!({ "errors": [error] }))
}

/// 400 with the code that most operations use.
pub(super) fn invalid(message: &str) -> Answer {
    answer(StatusCode::BAD_REQUEST, "InvalidInput", message, "")
}

pub(super) fn not_found(message: &str) -> Answer {
    answer(StatusCode::NOT_FOUND, "NotFound", message, "")
}

pub(super) fn conflict(message: &str) -> Answer {
    answer(StatusCode::CONFLICT, "Conflict", message, "")
}

pub(super) fn media_type() -> Answer {
    let message =
        "The entity of the request is in a format not supported by the requested resource.";
    answer(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UnsupportedMediaType",
        message,
        "",
    )
}

pub(super) fn unauthorized(details: &str) -> Answer {
    let message = "Access to requested resource is denied.";
    answer(StatusCode::FORBIDDEN, "Unauthorized", message, details)
}

pub(super) fn too_many_requests() -> Answer {
    let message = "You exceeded your quota for the requested resource.";
    answer(StatusCode::TOO_MANY_REQUESTS, "QuotaExceeded", message, "")
}

fn internal() -> Answer {
    let message = "We encountered an internal error. Please try again.";
    answer(
        StatusCode::INTERNAL_SERVER_ERROR,
        "InternalFailure",
        message,
        "",
    )
}

pub(super) fn own_errors() -> OwnErrors {
    OwnErrors {
        too_many: too_many_requests(),
        server_error: internal(),
        server_error_after: internal(),
    }
}

/// The storage's own form.
pub(super) fn storage(status: StatusCode, code: &str) -> Answer {
    Answer::xml(
        status,
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>"),
    )
}
