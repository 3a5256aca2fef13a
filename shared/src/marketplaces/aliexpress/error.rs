//! The one place that maps an answer of AliExpress to a [`CallError`] with its three axes.
//!
//! The effect in the table is that of `aliexpress.ds.order.create` and of a token's renewal, the two calls that change
//! something; every other call has none. A code proves "no effect" only where it says why nothing was done. Codes that
//! speak of a broken service, and codes that nobody documents, prove nothing.

use super::{client, limits, loose, wire::Refusal};
use crate::domain::AccountId;
use crate::http::{HttpError, Sent};
use crate::marketplaces::{CallError, Effect, Kind, Retry};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// What a documented code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What it is.
    pub kind: Kind,
    /// What to do.
    pub retry: Retry,
    /// What a call that changes something has done when it is answered so.
    pub effect: Effect,
}

/// What the documentation says of a code; `None` where it says nothing.
pub fn meaning(code: &str) -> Option<Meaning> {
    let has = |codes: &[&str]| codes.iter().any(|known| known.eq_ignore_ascii_case(code));
    let (meaning, _) = DOCUMENTED.iter().find(|(_, codes)| has(codes))?;
    Some(*meaning)
}

const SHORT: Retry = Retry::After(Duration::from_secs(2));
const WHILE: Retry = Retry::After(Duration::from_secs(30));
const LATER: Retry = Retry::After(Duration::from_secs(300));
const NEXT_LOOK: Retry = Retry::After(Duration::from_secs(6 * 3600));

const fn proven(kind: Kind, retry: Retry) -> Meaning {
    Meaning {
        kind,
        retry,
        effect: Effect::None,
    }
}

const fn broken(retry: Retry) -> Meaning {
    Meaning {
        kind: Kind::Unavailable,
        retry,
        effect: Effect::Unknown,
    }
}

const fn happened(retry: Retry) -> Meaning {
    Meaning {
        kind: Kind::Refused,
        retry,
        effect: Effect::Happened,
    }
}

/// Every code of the API pages, the error pages and the gateway guides, and those that clients have seen. Numbers are
/// of the gateway (`7`, `11`, `15`, `25` to `27`, `50`), of products (`404`, `602`, `605`), of shipping (`505`) and of
/// tracking (`1001`).
const DOCUMENTED: &[(Meaning, &[&str])] = &[
    (
        proven(Kind::Throttled, SHORT),
        &["ApiCallLimit", "AppCallLimit", "7"],
    ),
    (
        broken(WHILE),
        &[
            "ServiceUnavailable",
            "isp.service-unavailable",
            "InternalError",
            "System Error",
            "15",
            "50",
        ],
    ),
    (
        proven(Kind::TokenInvalid, SHORT),
        &["IllegalAccessToken", "InvalidSession", "26", "27"],
    ),
    (
        proven(Kind::ConsentEnded, Retry::Person),
        &["IllegalRefreshToken", "InvalidCode"],
    ),
    (
        proven(Kind::Misconfigured, Retry::Person),
        &[
            "IncompleteSignature",
            "InvalidAppkey",
            "AppWhiteIpLimit",
            "IllegalTimestamp",
            "InvalidApiPath",
            "AUTH_TYPE_UNSUPPORTED",
            "isv.insufficient-permission",
            "isv.invalid-authorization",
            "A006_INVALID_ACCOUNT_INFO",
            "11",
            "25",
        ],
    ),
    (
        proven(Kind::Refused, Retry::Permanent),
        &[
            "isv.402",
            "isv.invalid-parameter",
            "MissingParameter",
            "UnsupportedParamMapping",
            "PRICE_PAY_CURRENCY_ERROR",
            "BUY_LIMIT_RESOURCE_INSUFFICIENT",
            "DELIVERY_METHOD_NOT_EXIST",
        ],
    ),
    (
        proven(Kind::Refused, Retry::Person),
        &[
            "ERROR_WHEN_BUILD_FOR_PLACE_ORDER",
            "A001_ORDER_CANNOT_BE_PLACED",
            "A004_CANNOT_USER_COUPON",
        ],
    ),
    (
        proven(Kind::AddressRefused, Retry::Permanent),
        &[
            "B_DROPSHIPPER_DELIVERY_ADDRESS_VALIDATE_FAIL",
            "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_CN_INVALID",
            "B_DROPSHIPPER_DELIVERY_ADDRESS_CPF_NOT_MATCH",
        ],
    ),
    (
        proven(Kind::AddressRefused, Retry::Person),
        &["A002_INVALID_ZONE", "A005_INVALID_COUNTRIES"],
    ),
    (
        proven(Kind::AccountBlocked, Retry::Person),
        &[
            "BLACKLIST_BUYER_IN_LIST",
            "USER_ACCOUNT_DISABLED",
            "A003_SUSPICIOUS_BUYER",
        ],
    ),
    // Out of stock or a passing fault: the page does not tell them apart.
    (proven(Kind::OutOfStock, LATER), &["INVENTORY_HOLD_ERROR"]),
    (
        proven(Kind::OutOfStock, Retry::Permanent),
        &["All SKU Unsaleable"],
    ),
    (
        proven(Kind::NotDeliverable, Retry::Permanent),
        &[
            "DELIVERY_NOT_AVAILABLE_TO_YOUR_ADDRESS",
            "Item is not allowed to this country",
            "505",
            "605",
        ],
    ),
    (
        proven(Kind::NotFound, Retry::Permanent),
        &[
            "ITEM_ID_NOT_FOUND",
            "B_PRODUCT_NOT_FOUND",
            "DELIVERY_INFO_EMPTY",
            "404",
            "602",
        ],
    ),
    (
        proven(Kind::NotFound, NEXT_LOOK),
        &["TRACKING DATA NOT FOUND", "1001"],
    ),
    (happened(Retry::Permanent), &["REPEATED_ORDER_ERROR"]),
    (
        happened(Retry::Person),
        &["OrderCreated, autoPay fail:APIPayFail"],
    ),
];

/// One call, as far as its errors need to know it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) account: &'a AccountId,
    pub(super) operation: &'static str,
}

impl Call<'_> {
    /// An error that we found ourselves, without effect.
    pub(super) fn ours(&self, kind: Kind, retry: Retry, code: &str) -> CallError {
        CallError::new(self.account, self.operation, kind, retry, code)
    }

    /// No answer came.
    pub(super) fn unanswered(&self, error: &HttpError) -> CallError {
        match error.sent {
            Sent::No => self.ours(Kind::Unreachable, WHILE, "unreachable"),
            Sent::Maybe if error.timed_out => self.doubtful(Kind::NoAnswer, WHILE, "timed-out"),
            Sent::Maybe => self.doubtful(Kind::NoAnswer, WHILE, "connection-broke"),
        }
    }

    /// An answer that does not say what it must.
    pub(super) fn unreadable(&self, code: &str) -> CallError {
        self.doubtful(Kind::Unreadable, LATER, code)
    }

    /// The answer's root object, or the error that it is. On `/sync` the root is named after the method; pages and some
    /// servers leave `_response` or the whole root away.
    pub(super) fn root(&self, status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let error = if status.is_success() {
            let error = self.refusal(&answer);
            match (error, answer) {
                (None, Value::Object(mut fields)) => {
                    let name = self.operation.replace('.', "_");
                    let root = fields
                        .remove(&format!("{name}_response"))
                        .or_else(|| fields.remove(&name))
                        .unwrap_or(Value::Object(fields));
                    return Ok(root);
                }
                (error, _) => error.unwrap_or_else(|| self.unreadable("no-json-object")),
            }
        } else {
            let error = self.refusal(&answer);
            error.unwrap_or_else(|| self.status(status))
        };
        // Behind a server's fault anything may have happened, whatever the text in front of it says.
        let doubt = status.is_server_error() && self.changes_something();
        Err(if doubt {
            error.with_effect(Effect::Unknown)
        } else {
            error
        })
    }

    /// What a business answer refuses with: its code, or its message where that is a documented code.
    pub(super) fn refused(&self, code: Option<&str>, message: Option<&str>) -> CallError {
        let message = message.filter(|text| meaning(text).is_some());
        let known = [message, code].into_iter().flatten();
        let word = known.clone().find(|word| meaning(word).is_some());
        match (word, code) {
            (Some(word), _) => self.documented(word),
            // A read that is refused for an unknown reason is refused; a write is in doubt until a person has looked.
            (None, Some(code)) => self.doubtful(Kind::Refused, Retry::Permanent, word_of(code)),
            (None, None) => self.unreadable("no-code"),
        }
    }

    fn documented(&self, code: &str) -> CallError {
        let Some(meaning) = meaning(code) else {
            return self.unreadable("undocumented");
        };
        // A new order is not readable for about 10 s, and is then refused as if it were another account's.
        let may_be_new = self.operation == client::ORDER_GET
            && code.eq_ignore_ascii_case("isv.insufficient-permission");
        let error = if may_be_new {
            self.ours(Kind::NotFound, WHILE, code)
        } else {
            self.ours(meaning.kind, meaning.retry, code)
        };
        if self.changes_something() {
            return error.with_effect(meaning.effect);
        }
        error
    }

    fn refusal(&self, answer: &Value) -> Option<CallError> {
        let fields = answer.as_object()?;
        if let Some(envelope) = fields.get("error_response") {
            return Some(match loose::object::<_, Refusal>(envelope) {
                Ok(Some(refusal)) => self.envelope(&refusal),
                _ => self.unreadable("error-response"),
            });
        }
        let bare = Refusal::deserialize(answer).ok()?;
        let has_root = |name: &String| name == "result" || name.ends_with("_response");
        if bare.code.as_deref().is_some_and(|code| code != "0") && !fields.keys().any(has_root) {
            return Some(self.envelope(&bare));
        }
        let code = fields.get("msg_code").and_then(Value::as_str)?;
        Some(self.refused(Some(code), None))
    }

    fn envelope(&self, refusal: &Refusal) -> CallError {
        let (code, sub_code) = (refusal.code.as_deref(), refusal.sub_code.as_deref());
        let known = [sub_code, code].into_iter().flatten();
        let Some(word) = known.clone().find(|word| meaning(word).is_some()) else {
            let by_us = refusal.kind.as_deref() == Some("ISV");
            return match sub_code.or(code) {
                Some(code) if by_us => {
                    self.doubtful(Kind::Refused, Retry::Permanent, word_of(code))
                }
                Some(code) => self.by_prefix(code),
                None => self.unreadable("no-code"),
            };
        };
        // Codes 15 and 50 only wrap what the service behind said.
        if let (Some(sub_code), "15" | "50") = (sub_code, word) {
            return self.by_prefix(sub_code);
        }
        let mut error = self.documented(word);
        if error.kind == Kind::Throttled {
            let texts = [refusal.sub_msg.as_deref(), refusal.msg.as_deref()];
            let ban = texts.into_iter().flatten().find_map(ban_length);
            error.retry = ban.map_or(SHORT, Retry::After);
        }
        error
    }

    /// The older gateway names who is to blame: `isv.` the caller, `isp.` the service.
    fn by_prefix(&self, code: &str) -> CallError {
        if code.starts_with("accesscontrol.limited") {
            return self.ours(Kind::Throttled, SHORT, word_of(code));
        }
        if code.starts_with("isv.") {
            // Blaming the caller proves nothing about a purchase where the code is not documented.
            return self.doubtful(Kind::Refused, Retry::Permanent, word_of(code));
        }
        self.doubtful(Kind::Unavailable, WHILE, word_of(code))
    }

    fn status(&self, status: StatusCode) -> CallError {
        let code = format!("http-{}", status.as_u16());
        match status {
            StatusCode::TOO_MANY_REQUESTS => self.ours(Kind::Throttled, SHORT, &code),
            status if status.is_server_error() => self.doubtful(Kind::Unavailable, WHILE, &code),
            _ => self.unreadable(&code),
        }
    }

    fn doubtful(&self, kind: Kind, retry: Retry, code: &str) -> CallError {
        let error = self.ours(kind, retry, code);
        if self.changes_something() {
            return error.with_effect(Effect::Unknown);
        }
        error
    }

    fn changes_something(&self) -> bool {
        matches!(self.operation, client::ORDER_CREATE | client::TOKEN_REFRESH)
    }
}

/// How long the gateway says that it will not listen, and a second for the way: `this ban will last 1 seconds`.
fn ban_length(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let number: String = text[digits..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let seconds: u64 = number.parse().ok()?;
    Some(Duration::from_secs(seconds.saturating_add(1)).min(limits::LONGEST_BAN))
}

/// A code that nobody documents is kept only where it looks like one; free text could repeat a buyer's data.
fn word_of(code: &str) -> &str {
    let like_a_code = code.len() <= 64
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
    if like_a_code { code } else { "undocumented" }
}

#[cfg(test)]
mod tests {
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
}
