//! The one place that maps an answer, or its absence, to an error with its three axes.
//!
//! eBay's envelope is `{"errors":[{errorId, category, …}]}`; `{"error":[…]}`, `{"errorMessage":{"error":[…]}}`, OAuth's
//! `{"error":"…"}`, HTML and nothing at all were seen too. The number decides where it is known, then the status, then
//! the category (developer.ebay.com, "Handling errors").

use super::{limits, wire::ErrorEntry};
use crate::{
    domain::AccountId,
    http::{HttpError, Sent},
    marketplaces::{CallError, Effect, Kind, Retry},
};
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use std::time::Duration;

/// An operation of eBay's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// A user token for the refresh token.
    RefreshToken,
    /// An application token.
    ApplicationToken,
    /// A key that signs pushes.
    GetPublicKey,
    /// One order.
    GetOrder,
    /// Orders that changed.
    GetOrders,
    /// The parcels of an order.
    GetShippingFulfillments,
    /// A parcel is confirmed.
    CreateShippingFulfillment,
    /// Quantity and price are set.
    BulkUpdatePriceQuantity,
}

impl Operation {
    /// eBay's name of it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RefreshToken => "refreshToken",
            Self::ApplicationToken => "clientCredentials",
            Self::GetPublicKey => "getPublicKey",
            Self::GetOrder => "getOrder",
            Self::GetOrders => "getOrders",
            Self::GetShippingFulfillments => "getShippingFulfillments",
            Self::CreateShippingFulfillment => "createShippingFulfillment",
            Self::BulkUpdatePriceQuantity => "bulkUpdatePriceQuantity",
        }
    }

    const fn writes(self) -> bool {
        matches!(
            self,
            Self::CreateShippingFulfillment | Self::BulkUpdatePriceQuantity
        )
    }

    const fn asks_for_token(self) -> bool {
        matches!(self, Self::RefreshToken | Self::ApplicationToken)
    }

    /// The effect of a call that ended without telling: a read never has one, and neither has a token request, because
    /// eBay's refresh tokens stay the same.
    const fn effect_of_silence(self) -> Effect {
        if self.writes() {
            Effect::Unknown
        } else {
            Effect::None
        }
    }
}

/// The error of one account's calls of one operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault<'a> {
    /// Who was called.
    pub(super) account: &'a AccountId,
    /// For what.
    pub(super) operation: Operation,
}

impl Fault<'_> {
    /// No answer came.
    pub(super) fn no_answer(self, error: &HttpError) -> CallError {
        let (kind, effect) = match error.sent {
            Sent::No => (Kind::Unreachable, Effect::None),
            Sent::Maybe => (Kind::NoAnswer, self.operation.effect_of_silence()),
        };
        let code = if error.timed_out {
            "timed-out"
        } else {
            "no-answer"
        };
        self.error(kind, Retry::After(limits::FAULT_WAIT), effect, code)
    }

    /// An answer came whose status is not 2xx.
    pub(super) fn answered(
        self,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) -> CallError {
        let said = Said::read(body);
        let status_code = || format!("http-{}", status.as_u16());
        let code = said.code.clone().unwrap_or_else(status_code);
        let (kind, retry, effect) = self.axes(status, headers, &said);
        self.error(kind, retry, effect, &code)
    }

    /// One item of a multi-status answer failed.
    pub(super) fn item(self, status: u16, errors: &[ErrorEntry]) -> CallError {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let said = Said::of_entries(errors);
        let code = said
            .code
            .clone()
            .unwrap_or_else(|| format!("http-{}", status.as_u16()));
        let (kind, retry, effect) = self.axes(status, &HeaderMap::new(), &said);
        self.error(kind, retry, effect, &code)
    }

    /// A 2xx answer is not JSON of the expected shape. Cut off, empty or a proxy's page: that passes. Another shape: the
    /// contract changed, and asking again gives the same.
    pub(super) fn unreadable(self, error: &serde_json::Error) -> CallError {
        if error.is_data() {
            return self.meaningless("shape");
        }
        let retry = Retry::After(limits::FAULT_WAIT);
        let effect = self.operation.effect_of_silence();
        self.error(Kind::Unreadable, retry, effect, "not-json")
    }

    /// A 2xx answer is well-formed, but this field has no meaning for us. Asking again gives the same.
    pub(super) fn meaningless(self, field: &str) -> CallError {
        let effect = self.operation.effect_of_silence();
        self.error(Kind::Unreadable, Retry::Permanent, effect, field)
    }

    /// A 2xx answer does not say what became of a part of the request.
    pub(super) fn unsaid(self, field: &str) -> CallError {
        let retry = Retry::After(limits::FAULT_WAIT);
        let effect = self.operation.effect_of_silence();
        self.error(Kind::Unreadable, retry, effect, field)
    }

    /// The call is not made, because what it needs is missing from our side.
    pub(super) fn not_sent(self, kind: Kind, retry: Retry, code: &str) -> CallError {
        self.error(kind, retry, Effect::None, code)
    }

    fn error(self, kind: Kind, retry: Retry, effect: Effect, code: &str) -> CallError {
        CallError::new(self.account, self.operation.name(), kind, retry, code).with_effect(effect)
    }

    fn axes(self, status: StatusCode, headers: &HeaderMap, said: &Said) -> (Kind, Retry, Effect) {
        if self.operation.asks_for_token()
            && let Some((kind, retry)) = said.code.as_deref().and_then(of_oauth)
        {
            return (kind, retry, Effect::None);
        }
        if !status.is_server_error()
            && let Some((kind, retry)) = said.code.as_deref().and_then(of_number)
        {
            // What is refused now and not later met something of ours that is there already, or is under way.
            let effect = match retry {
                Retry::After(_) if kind != Kind::TokenInvalid => self.operation.effect_of_silence(),
                _ => Effect::None,
            };
            return (kind, retry, effect);
        }
        let later = Retry::After(limits::FAULT_WAIT);
        let silence = self.operation.effect_of_silence();
        match status.as_u16() {
            401 if self.operation.asks_for_token() => {
                (Kind::Misconfigured, Retry::Person, Effect::None)
            }
            401 => (Kind::TokenInvalid, later, Effect::None),
            403 => (Kind::Misconfigured, Retry::Person, Effect::None),
            404 | 410 => (Kind::NotFound, Retry::Permanent, Effect::None),
            408 => (Kind::NoAnswer, later, silence),
            // Somebody else changed the same thing, perhaps our own lost call: read back.
            409 => (Kind::Refused, later, silence),
            429 => (Kind::Throttled, throttled(headers), Effect::None),
            400..=499 if said.is_application() => (Kind::Unavailable, later, silence),
            400..=499 => (Kind::Refused, Retry::Permanent, Effect::None),
            // A server that failed is no judge of whose fault it was, so the category does not count here.
            _ => (Kind::Unavailable, later, silence),
        }
    }
}

/// Error numbers that say more than their status (developer.ebay.com, the errors of each call; `x-response-codes` of
/// eBay's OpenAPI documents).
fn of_number(code: &str) -> Option<(Kind, Retry)> {
    let later = Retry::After(limits::FAULT_WAIT);
    Some(match code {
        // Invalid and missing access token; they come with 401, and with 400 from some calls.
        "1001" | "1002" => (Kind::TokenInvalid, later),
        // Access denied; signature of the request missing or wrong.
        "1100" | "215000" | "215001" | "215120" => (Kind::Misconfigured, Retry::Person),
        // Unknown order, unknown public key.
        "32100" | "195001" => (Kind::NotFound, Retry::Permanent),
        "32400" => (Kind::AccountBlocked, Retry::Person),
        // A time of ours lies in eBay's future: the clocks differ, and time passes.
        "30850" => (Kind::Refused, later),
        // "Please use PUT": the parcel may be there already, so it is read back like a conflict.
        "34500" => (Kind::Refused, later),
        // System errors; they come with 500, where the status decides, but also inside a multi-status answer.
        "30500" | "25001" | "195000" => (Kind::Unavailable, later),
        _ => return None,
    })
}

/// The words of the token endpoint (RFC 6749 section 5.2).
fn of_oauth(code: &str) -> Option<(Kind, Retry)> {
    Some(match code {
        "invalid_grant" => (Kind::ConsentEnded, Retry::Person),
        "invalid_client"
        | "invalid_scope"
        | "unauthorized_client"
        | "invalid_request"
        | "unsupported_grant_type" => (Kind::Misconfigured, Retry::Person),
        _ => return None,
    })
}

fn throttled(headers: &HeaderMap) -> Retry {
    let wait = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.trim().parse().ok())
        .map_or(limits::THROTTLED_WAIT, Duration::from_secs);
    Retry::After(wait.clamp(Duration::from_secs(1), limits::LONGEST_THROTTLED_WAIT))
}

/// What an error body says, without its free text.
#[derive(Default)]
struct Said {
    code: Option<String>,
    category: Option<String>,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self::default();
        };
        if let Some(word) = value.get("error").and_then(Value::as_str) {
            return Self {
                code: Some(word.to_owned()),
                category: None,
            };
        }
        let list = value
            .get("errors")
            .or_else(|| value.get("error"))
            .or_else(|| value.get("errorMessage")?.get("error"))
            .cloned()
            .unwrap_or_default();
        let entries: Vec<ErrorEntry> = serde_json::from_value(list).unwrap_or_default();
        Self::of_entries(&entries)
    }

    /// The first entry is the cause; eBay puts what follows from it behind.
    fn of_entries(entries: &[ErrorEntry]) -> Self {
        entries.first().map_or_else(Self::default, |entry| Self {
            code: entry.error_id.map(|id| id.to_string()),
            category: entry.category.clone(),
        })
    }

    fn is_application(&self) -> bool {
        self.category
            .as_deref()
            .is_some_and(|category| category.eq_ignore_ascii_case("APPLICATION"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation::*, *};

    const LATER: Retry = Retry::After(limits::FAULT_WAIT);

    fn answered(operation: Operation, status: u16, body: &str) -> CallError {
        let account = "ebay:main".parse().unwrap();
        let fault = Fault {
            account: &account,
            operation,
        };
        let status = StatusCode::from_u16(status).unwrap();
        fault.answered(status, &HeaderMap::new(), body.as_bytes())
    }

    fn entry(id: u32, category: &str) -> String {
        format!(
            r#"{{"errors":[{{"errorId":{id},"domain":"X","category":"{category}","message":"Jane Doe"}}]}}"#
        )
    }

    #[test]
    fn every_row_of_the_table_has_its_three_axes() {
        use Effect::{None as NoEffect, Unknown};
        use Kind::*;
        use Retry::{Permanent, Person};
        let grant = r#"{"error":"invalid_grant","error_description":"Jane Doe"}"#;
        let client = r#"{"error":"invalid_client"}"#;
        let scope = r#"{"error":"invalid_scope"}"#;
        let html = "<html>Jane Doe</html>";
        #[rustfmt::skip]
        let rows: Vec<(Operation, u16, String, Kind, Retry, Effect, &str)> = vec![
            (RefreshToken, 400, grant.into(), ConsentEnded, Person, NoEffect, "invalid_grant"),
            (RefreshToken, 401, client.into(), Misconfigured, Person, NoEffect, "invalid_client"),
            (RefreshToken, 400, scope.into(), Misconfigured, Person, NoEffect, "invalid_scope"),
            (ApplicationToken, 401, html.into(), Misconfigured, Person, NoEffect, "http-401"),
            (ApplicationToken, 503, html.into(), Unavailable, LATER, NoEffect, "http-503"),
            (GetOrder, 401, entry(1001, "REQUEST"), TokenInvalid, LATER, NoEffect, "1001"),
            (CreateShippingFulfillment, 401, entry(1002, "REQUEST"), TokenInvalid, LATER, NoEffect, "1002"),
            (CreateShippingFulfillment, 401, String::new(), TokenInvalid, LATER, NoEffect, "http-401"),
            (GetOrder, 403, entry(1100, "REQUEST"), Misconfigured, Person, NoEffect, "1100"),
            (GetOrder, 403, html.into(), Misconfigured, Person, NoEffect, "http-403"),
            (GetOrder, 400, entry(215120, "REQUEST"), Misconfigured, Person, NoEffect, "215120"),
            (GetOrder, 404, String::new(), NotFound, Permanent, NoEffect, "http-404"),
            (GetOrder, 400, entry(32100, "REQUEST"), NotFound, Permanent, NoEffect, "32100"),
            (GetPublicKey, 404, entry(195001, "REQUEST"), NotFound, Permanent, NoEffect, "195001"),
            (GetPublicKey, 500, entry(195000, "APPLICATION"), Unavailable, LATER, NoEffect, "195000"),
            (GetOrders, 400, entry(30850, "REQUEST"), Refused, LATER, NoEffect, "30850"),
            (GetOrders, 400, entry(30800, "REQUEST"), Refused, Permanent, NoEffect, "30800"),
            (GetOrders, 500, entry(30500, "APPLICATION"), Unavailable, LATER, NoEffect, "30500"),
            (CreateShippingFulfillment, 400, entry(32300, "REQUEST"), Refused, Permanent, NoEffect, "32300"),
            (CreateShippingFulfillment, 400, entry(32400, "REQUEST"), AccountBlocked, Person, NoEffect, "32400"),
            (CreateShippingFulfillment, 400, entry(34500, "REQUEST"), Refused, LATER, Unknown, "34500"),
            (CreateShippingFulfillment, 400, entry(7, "BUSINESS"), Refused, Permanent, NoEffect, "7"),
            (CreateShippingFulfillment, 400, entry(7, "APPLICATION"), Unavailable, LATER, Unknown, "7"),
            (CreateShippingFulfillment, 408, String::new(), NoAnswer, LATER, Unknown, "http-408"),
            (CreateShippingFulfillment, 409, html.into(), Refused, LATER, Unknown, "http-409"),
            (CreateShippingFulfillment, 429, String::new(), Throttled, Retry::After(limits::THROTTLED_WAIT), NoEffect, "http-429"),
            (CreateShippingFulfillment, 500, entry(30500, "APPLICATION"), Unavailable, LATER, Unknown, "30500"),
            (CreateShippingFulfillment, 500, entry(32300, "REQUEST"), Unavailable, LATER, Unknown, "32300"),
            (CreateShippingFulfillment, 502, html.into(), Unavailable, LATER, Unknown, "http-502"),
            (CreateShippingFulfillment, 302, String::new(), Unavailable, LATER, Unknown, "http-302"),
            (BulkUpdatePriceQuantity, 500, entry(25001, "APPLICATION"), Unavailable, LATER, Unknown, "25001"),
            (BulkUpdatePriceQuantity, 400, entry(25709, "REQUEST"), Refused, Permanent, NoEffect, "25709"),
            (GetOrder, 400, r#"{"error":[{"errorId":8}]}"#.into(), Refused, Permanent, NoEffect, "8"),
            (GetOrder, 400, r#"{"errorMessage":{"error":[{"errorId":9}]}}"#.into(), Refused, Permanent, NoEffect, "9"),
            (GetOrder, 400, r#"{"errors":"Jane Doe"}"#.into(), Refused, Permanent, NoEffect, "http-400"),
        ];
        for (operation, status, body, kind, retry, effect, code) in rows {
            let error = answered(operation, status, &body);
            let axes = (error.kind, error.retry, error.effect, error.code.as_str());
            assert_eq!(
                axes,
                (kind, retry, effect, code),
                "{operation:?} {status} {body}"
            );
            assert!(!format!("{error} {error:?}").contains("Jane"), "{error}");
        }
    }

    #[test]
    fn silence_after_sending_leaves_a_write_in_doubt_and_a_read_not() {
        let account = "ebay:main".parse().unwrap();
        let fault = |operation| Fault {
            account: &account,
            operation,
        };
        let silence = |sent| HttpError {
            sent,
            timed_out: true,
            problem: String::new(),
        };
        for (operation, sent, kind, effect) in [
            (
                CreateShippingFulfillment,
                Sent::Maybe,
                Kind::NoAnswer,
                Effect::Unknown,
            ),
            (
                CreateShippingFulfillment,
                Sent::No,
                Kind::Unreachable,
                Effect::None,
            ),
            (GetOrder, Sent::Maybe, Kind::NoAnswer, Effect::None),
            (RefreshToken, Sent::Maybe, Kind::NoAnswer, Effect::None),
        ] {
            let error = fault(operation).no_answer(&silence(sent));
            assert_eq!((error.kind, error.effect), (kind, effect));
            assert_eq!(error.retry, LATER);
        }
    }

    #[test]
    fn a_wait_that_ebay_names_is_believed_within_bounds() {
        for (text, seconds) in [
            ("7", 7),
            ("0", 1),
            ("999999999", 21_600),
            ("Wed, 21 Oct 2026 07:28:00 GMT", 60),
            ("-5", 60),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            assert_eq!(
                throttled(&headers),
                Retry::After(Duration::from_secs(seconds))
            );
        }
    }

    #[test]
    fn an_answer_that_is_cut_off_passes_and_another_shape_does_not() {
        let account = "ebay:main".parse().unwrap();
        let fault = Fault {
            account: &account,
            operation: GetOrder,
        };
        for (body, retry) in [
            ("", LATER),
            ("{\"a\":", LATER),
            ("<html>", LATER),
            ("7", Retry::Permanent),
        ] {
            let error = serde_json::from_str::<super::super::wire::OrderPage>(body)
                .err()
                .unwrap();
            let error = fault.unreadable(&error);
            assert_eq!(
                (error.kind, error.retry),
                (Kind::Unreadable, retry),
                "{body}"
            );
        }
    }
}
