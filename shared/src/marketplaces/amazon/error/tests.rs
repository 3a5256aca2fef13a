use super::{Operation::*, *};

const LATER: Retry = Retry::After(limits::FAULT_WAIT);
const WAIT: Duration = Duration::from_secs(179);

fn answered(operation: Operation, status: u16, body: &str) -> CallError {
    let account = "amazon:main".parse().unwrap();
    let fault = Fault {
        account: &account,
        operation,
    };
    fault.answered(StatusCode::from_u16(status).unwrap(), body.as_bytes(), WAIT)
}

fn errors(code: &str, message: &str, details: &str) -> String {
    serde_json::json!({"errors": [{"code": code, "message": message, "details": details}]})
        .to_string()
}

#[test]
fn every_row_of_the_table_has_its_three_axes() {
    use Effect::{None as NoEffect, Unknown};
    use Kind::*;
    use Retry::{Permanent, Person};
    let oauth = |word: &str| format!(r#"{{"error":"{word}","error_description":"Jane Doe"}}"#);
    let of = |code: &str| errors(code, "Jane Doe", "");
    let expired = errors(
        "Unauthorized",
        "denied",
        "The access token you provided has expired.",
    );
    let missing = errors(
        "Unauthorized",
        "denied",
        "Access token is missing in the request header.",
    );
    let closed = errors(
        "InvalidInput",
        "(errorCode=GeneralError, errorMetric=PackageToUpdateNotFound)",
        "",
    );
    let s3 = |code: &str| {
        format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Jane</Message></Error>")
    };
    let html = "<html>Jane Doe</html>";
    let throttled = Retry::After(WAIT);
    #[rustfmt::skip]
    let rows: Vec<(Operation, u16, String, Kind, Retry, Effect, &str)> = vec![
        (RefreshToken, 400, oauth("invalid_grant"), ConsentEnded, Person, NoEffect, "invalid_grant"),
        (RefreshToken, 401, oauth("invalid_client"), Misconfigured, Person, NoEffect, "invalid_client"),
        (RefreshToken, 400, oauth("unauthorized_client"), Misconfigured, Person, NoEffect, "unauthorized_client"),
        (GrantlessToken, 400, oauth("invalid_scope"), Misconfigured, Person, NoEffect, "invalid_scope"),
        (GrantlessToken, 400, oauth("invalid_request"), Misconfigured, Person, NoEffect, "invalid_request"),
        (GrantlessToken, 400, oauth("unsupported_grant_type"), Misconfigured, Person, NoEffect, "unsupported_grant_type"),
        (RefreshToken, 403, oauth("access_denied"), Misconfigured, Person, NoEffect, "access_denied"),
        (RefreshToken, 500, oauth("server_error"), Unavailable, LATER, NoEffect, "server_error"),
        (RefreshToken, 400, oauth("temporarily_unavailable"), Unavailable, LATER, NoEffect, "temporarily_unavailable"),
        (RefreshToken, 400, oauth("of_tomorrow"), Misconfigured, Person, NoEffect, "of_tomorrow"),
        (RefreshToken, 401, html.into(), Misconfigured, Person, NoEffect, "http-401"),
        (RefreshToken, 429, html.into(), Throttled, throttled, NoEffect, "http-429"),
        (RefreshToken, 502, html.into(), Unavailable, LATER, NoEffect, "http-502"),
        (GetOrder, 400, of("InvalidInput"), Refused, Permanent, NoEffect, "InvalidInput"),
        (GetOrder, 400, of("Invalid Input"), Refused, Permanent, NoEffect, "Invalid_Input"),
        (GetOrder, 400, html.into(), Refused, Permanent, NoEffect, "http-400"),
        (GetOrder, 401, of("Unauthorized"), Misconfigured, Person, NoEffect, "Unauthorized"),
        (GetOrder, 403, of("Unauthorized"), Misconfigured, Person, NoEffect, "Unauthorized"),
        (GetOrder, 403, missing, Misconfigured, Person, NoEffect, "Unauthorized"),
        (GetOrder, 403, expired.clone(), TokenInvalid, LATER, NoEffect, "Unauthorized"),
        (ConfirmShipment, 403, expired, TokenInvalid, LATER, NoEffect, "Unauthorized"),
        (GetOrder, 403, html.into(), Misconfigured, Person, NoEffect, "http-403"),
        (GetOrder, 404, of("NotFound"), NotFound, Permanent, NoEffect, "NotFound"),
        (GetOrder, 404, String::new(), NotFound, Permanent, NoEffect, "http-404"),
        (ConfirmShipment, 400, closed, Refused, Permanent, NoEffect, "PackageToUpdateNotFound"),
        (ConfirmShipment, 408, String::new(), NoAnswer, LATER, Unknown, "http-408"),
        (CreateSubscription, 409, of("Conflict"), Refused, LATER, Unknown, "Conflict"),
        (PatchListingsItem, 413, of("PayloadTooLarge"), Refused, Permanent, NoEffect, "PayloadTooLarge"),
        (PatchListingsItem, 415, of("UnsupportedMediaType"), Refused, Permanent, NoEffect, "UnsupportedMediaType"),
        (SearchOrders, 429, of("QuotaExceeded"), Throttled, throttled, NoEffect, "QuotaExceeded"),
        (ConfirmShipment, 429, html.into(), Throttled, throttled, NoEffect, "http-429"),
        (ConfirmShipment, 403, of("QuotaExceeded"), Throttled, throttled, NoEffect, "QuotaExceeded"),
        (GetOrder, 500, of("InternalFailure"), Unavailable, LATER, NoEffect, "InternalFailure"),
        (ConfirmShipment, 500, of("InternalFailure"), Unavailable, LATER, Unknown, "InternalFailure"),
        (CreateFeed, 503, of("ServiceUnavailable"), Unavailable, LATER, Unknown, "ServiceUnavailable"),
        (CreateFeedDocument, 503, html.into(), Unavailable, LATER, NoEffect, "http-503"),
        (ConfirmShipment, 302, String::new(), Unavailable, LATER, Unknown, "http-302"),
        (UploadFeedDocument, 403, s3("SignatureDoesNotMatch"), Refused, Permanent, NoEffect, "SignatureDoesNotMatch"),
        (UploadFeedDocument, 403, s3("AccessDenied"), Refused, LATER, NoEffect, "AccessDenied"),
        (UploadFeedDocument, 400, s3("EntityTooLarge"), Refused, Permanent, NoEffect, "EntityTooLarge"),
        (DownloadFeedDocument, 503, s3("SlowDown"), Unavailable, LATER, NoEffect, "SlowDown"),
        (GetOrder, 400, r#"{"errors":"Jane Doe"}"#.into(), Refused, Permanent, NoEffect, "http-400"),
        (GetOrder, 400, r#"{"errors":[{"code":400,"message":null}]}"#.into(), Refused, Permanent, NoEffect, "400"),
        (GetOrder, 400, r#"[{"errors":[]}]"#.into(), Refused, Permanent, NoEffect, "http-400"),
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
    let account = "amazon:main".parse().unwrap();
    let silence = |sent| HttpError {
        sent,
        timed_out: true,
        problem: String::new(),
    };
    for (operation, sent, kind, effect) in [
        (
            ConfirmShipment,
            Sent::Maybe,
            Kind::NoAnswer,
            Effect::Unknown,
        ),
        (ConfirmShipment, Sent::No, Kind::Unreachable, Effect::None),
        (
            CreateListingsFeed,
            Sent::Maybe,
            Kind::NoAnswer,
            Effect::Unknown,
        ),
        (
            UploadFeedDocument,
            Sent::Maybe,
            Kind::NoAnswer,
            Effect::None,
        ),
        (GetOrder, Sent::Maybe, Kind::NoAnswer, Effect::None),
        (RefreshToken, Sent::Maybe, Kind::NoAnswer, Effect::None),
    ] {
        let fault = Fault {
            account: &account,
            operation,
        };
        let error = fault.no_answer(&silence(sent));
        let axes = (error.kind, error.retry, error.effect);
        assert_eq!(axes, (kind, LATER, effect), "{operation:?}");
    }
}

#[test]
fn a_later_page_that_is_refused_lets_the_span_be_read_anew() {
    let account = "amazon:main".parse().unwrap();
    let fault = Fault {
        account: &account,
        operation: SearchOrders,
    };
    let refused = fault.of_later_page(answered(SearchOrders, 400, &errors("InvalidInput", "", "")));
    assert_eq!(
        (refused.retry, refused.code.as_str()),
        (LATER, "page-ended")
    );
    let other = answered(SearchOrders, 403, "");
    assert_eq!(fault.of_later_page(other.clone()), other);
}
