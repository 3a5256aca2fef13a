use super::*;
use serde_json::json;

fn account() -> AccountId {
    "aliexpress:main".parse().unwrap()
}

fn answered(operation: &'static str, status: u16, body: &[u8]) -> Result<Value, CallError> {
    let account = account();
    let call = Call {
        account: &account,
        operation,
    };
    call.root(StatusCode::from_u16(status).unwrap(), body)
}

fn refused(operation: &'static str, body: Value) -> CallError {
    answered(operation, 200, body.to_string().as_bytes()).unwrap_err()
}

fn axes(error: &CallError) -> (Kind, Effect) {
    (error.kind, error.effect)
}

#[test]
fn the_root_is_found_with_and_without_its_name() {
    let inner = json!({"result": {"a": 1}});
    for body in [
        json!({"aliexpress_ds_product_get_response": inner, "code": "0"}),
        json!({"aliexpress_ds_product_get": inner}),
        json!({"result": {"a": 1}, "code": "0"}),
    ] {
        let root = answered(client::PRODUCT_GET, 200, body.to_string().as_bytes()).unwrap();
        assert_eq!(root["result"]["a"], 1);
    }
}

#[test]
fn a_ban_names_its_length() {
    let ban = |operation, text: &str| {
        let body = json!({"error_response": {"code": "ApiCallLimit", "msg": text}});
        let error = refused(operation, body);
        assert_eq!(axes(&error), (Kind::Throttled, Effect::None));
        error.retry
    };
    let text = "frequency exceeds the limit. this ban will last 5 seconds";
    assert_eq!(
        ban(client::ORDER_CREATE, text),
        Retry::After(Duration::from_secs(6))
    );
    assert_eq!(ban(client::ORDER_GET, "slow down"), SHORT);
    let ages = "ban lasts 99999999999999999999 or 999999999 seconds";
    assert_eq!(ban(client::ORDER_GET, ages), SHORT);
}

#[test]
fn a_sub_code_says_more_than_its_wrapper() {
    let of = |operation, sub_code: &str| {
        let body = json!({"error_response": {"code": 15, "sub_code": sub_code}});
        axes(&refused(operation, body))
    };
    let create = client::ORDER_CREATE;
    assert_eq!(
        of(create, "isp.service-unavailable"),
        (Kind::Unavailable, Effect::Unknown)
    );
    assert_eq!(
        of(create, "isp.new-word"),
        (Kind::Unavailable, Effect::Unknown)
    );
    assert_eq!(of(create, "isv.new-word"), (Kind::Refused, Effect::Unknown));
    assert_eq!(
        of(create, "isv.insufficient-permission"),
        (Kind::Misconfigured, Effect::None)
    );
    assert_eq!(
        of(client::ORDER_GET, "isp.service-unavailable"),
        (Kind::Unavailable, Effect::None)
    );
}

#[test]
fn a_new_order_that_cannot_be_read_yet_is_no_misconfiguration() {
    let body = json!({"error_response":
        {"code": "15", "type": "ISP", "sub_code": "isv.insufficient-permission"}});
    let error = refused(client::ORDER_GET, body);
    assert_eq!((error.kind, error.retry), (Kind::NotFound, WHILE));
}

#[test]
fn what_proves_nothing_leaves_an_order_in_doubt() {
    let cases: [(u16, &[u8]); 7] = [
        (200, b""),
        (200, b"<html>"),
        (200, b"[]"),
        (502, b"<html>bad gateway</html>"),
        (500, br#"{"error_response":{"code":"IncompleteSignature"}}"#),
        (
            200,
            br#"{"error_response":{"code":"NewWord","type":"ISP"}}"#,
        ),
        (404, b"{}"),
    ];
    for (status, body) in cases {
        let error = answered(client::ORDER_CREATE, status, body).unwrap_err();
        assert_eq!(error.effect, Effect::Unknown, "{status} {body:?}");
        let error = answered(client::PRODUCT_GET, status, body).unwrap_err();
        assert_eq!(error.effect, Effect::None, "{status} {body:?}");
    }
    let limit = answered(client::ORDER_CREATE, 429, b"").unwrap_err();
    assert_eq!(axes(&limit), (Kind::Throttled, Effect::None));
}

#[test]
fn only_a_connection_that_was_never_made_proves_that_nothing_was_sent() {
    let account = account();
    let call = |operation| Call {
        account: &account,
        operation,
    };
    let error = |sent, timed_out| HttpError {
        sent,
        timed_out,
        problem: String::new(),
    };
    let create = call(client::ORDER_CREATE);
    let unsent = create.unanswered(&error(Sent::No, true));
    assert_eq!(axes(&unsent), (Kind::Unreachable, Effect::None));
    let lost = create.unanswered(&error(Sent::Maybe, true));
    assert_eq!(axes(&lost), (Kind::NoAnswer, Effect::Unknown));
    let read = call(client::ORDER_GET).unanswered(&error(Sent::Maybe, false));
    assert_eq!(axes(&read), (Kind::NoAnswer, Effect::None));
}

#[test]
fn free_text_never_becomes_a_code() {
    let account = account();
    let call = Call {
        account: &account,
        operation: client::ORDER_CREATE,
    };
    let error = call.refused(Some("Jane Doe lives elsewhere"), Some("Jane Doe"));
    assert_eq!(error.code, "undocumented");
    let error = call.refused(Some("605"), Some("Item is not allowed to this country"));
    assert_eq!(error.code, "Item_is_not_allowed_to_this_country");
}
