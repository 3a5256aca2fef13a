//! Errors in eBay's words. Numbers and texts are those of the OpenAPI documents where these name any.

use http::StatusCode;
use serde_json::Value;
use serde_json::json;

use crate::answer::Answer;
use crate::answer::OwnErrors;

pub(super) const FULFILLMENT: &str = "API_FULFILLMENT";
pub(super) const INVENTORY: &str = "API_INVENTORY";
pub(super) const NOTIFICATION: &str = "API_NOTIFICATION";

/// One error of category REQUEST, as it stands in `errors`.
pub(super) fn entry(error_id: u32, domain: &str, message: &str) -> Value {
    entry_of(error_id, domain, "REQUEST", message)
}

pub(super) fn entry_of(error_id: u32, domain: &str, category: &str, message: &str) -> Value {
    json!({
        "errorId": error_id,
        "domain": domain,
        "category": category,
        "message": message,
        "longMessage": message,
    })
}

/// An answer with one error of category REQUEST.
pub(super) fn request(status: StatusCode, error_id: u32, domain: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "errors": [entry(error_id, domain, message)] }),
    )
}

pub(super) fn bad_request(error_id: u32, domain: &str, message: &str) -> Answer {
    request(StatusCode::BAD_REQUEST, error_id, domain, message)
}

pub(super) fn unauthorized(error_id: u32, message: &str) -> Answer {
    request(StatusCode::UNAUTHORIZED, error_id, "OAuth", message)
}

pub(super) fn forbidden() -> Answer {
    let mut error = entry(1100, "ACCESS", "Access denied");
    error["longMessage"] = json!("Insufficient permissions to fulfill the request.");
    Answer::json(StatusCode::FORBIDDEN, &json!({ "errors": [error] }))
}

pub(super) fn too_many_requests() -> Answer {
    let mut error = entry(2001, "ACCESS", "Too many requests.");
    error["longMessage"] = json!("The request limit has been reached for the resource.");
    Answer::json(StatusCode::TOO_MANY_REQUESTS, &json!({ "errors": [error] }))
}

fn system_error() -> Answer {
    let error = entry_of(30500, FULFILLMENT, "APPLICATION", "System error");
    Answer::json(
        StatusCode::INTERNAL_SERVER_ERROR,
        &json!({ "errors": [error] }),
    )
}

pub(super) fn own_errors() -> OwnErrors {
    OwnErrors {
        too_many: too_many_requests(),
        server_error: system_error(),
        server_error_after: system_error(),
    }
}
