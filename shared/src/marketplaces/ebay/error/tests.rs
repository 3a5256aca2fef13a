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
