//! What proves to Amazon who calls: the access token in a header of its own. Amazon ended the signing of requests in
//! October 2023 and ignores a signature that is sent (developer-docs.amazon.com/sp-api, changelog), and messages come
//! through a queue whose policy names who may write to it, so there is nothing to verify.

use crate::secrets::Secret;
use http::{HeaderValue, header, request};
use jiff::Timestamp;

/// How Amazon's documents ask a caller to name itself: application, version and language.
const USER_AGENT: &str = concat!("Kervan/", env!("CARGO_PKG_VERSION"), " (Language=Rust)");

/// The headers of every call. `None` where the token cannot stand in a header.
pub(super) fn proven(
    request: request::Builder,
    token: &Secret,
    now: Timestamp,
) -> Option<request::Builder> {
    // The token is what opens the API; it leaves in this header alone.
    let mut value = HeaderValue::from_str(token.expose()).ok()?;
    value.set_sensitive(true);
    let named = request
        .header("x-amz-access-token", value)
        // Older texts ask for it and nothing says that it is not looked at any more.
        .header("x-amz-date", now.strftime("%Y%m%dT%H%M%SZ").to_string())
        .header(header::USER_AGENT, USER_AGENT)
        .header(header::ACCEPT, "application/json");
    Some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_carries_the_token_sealed_and_says_who_calls() {
        let now = "2026-01-15T12:00:05.9Z".parse().unwrap();
        let token = Secret::new("Atza|example".into());
        let request = proven(http::Request::get("https://example.com/"), &token, now).unwrap();
        let request = request.body(()).unwrap();
        let headers = request.headers();
        assert_eq!(headers["x-amz-access-token"], "Atza|example");
        assert!(headers["x-amz-access-token"].is_sensitive());
        assert_eq!(headers["x-amz-date"], "20260115T120005Z");
        assert!(!headers.contains_key("authorization"));
        let broken = Secret::new("a\nb".into());
        assert!(proven(http::Request::get("https://example.com/"), &broken, now).is_none());
    }
}
