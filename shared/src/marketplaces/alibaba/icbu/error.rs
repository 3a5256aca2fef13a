//! The one place that maps an answer of Alibaba.com to a [`CallError`] with its three axes.
//!
//! The effect in the table is that of the calls that change something: an order, a payment, a token's renewal. Every other
//! call has none. A code proves "no effect" only where it says why nothing was done.

use super::{client, limits, wire::Refusal, xml};
use crate::domain::AccountId;
use crate::http::{HttpError, Sent};
use crate::marketplaces::{CallError, Effect, Kind, Retry, loose};
use http::StatusCode;
use serde_json::{Map, Value};
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
/// Longer than terms last, so that the purchase is planned on a new quote.
const NEW_QUOTE: Retry = Retry::After(Duration::from_secs(900));

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

/// Every code of the dropshipping FAQ (docId=131), and those of the gateway family.
const DOCUMENTED: &[(Meaning, &[&str])] = &[
    (
        proven(Kind::Throttled, SHORT),
        &["7", "ApiCallLimit", "AppCallLimit", "SellerCallLimit"],
    ),
    (
        broken(WHILE),
        &[
            "ServiceUnavailable",
            "ServiceTimeout",
            "InternalError",
            "isp.service-unavailable",
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
            "InvalidAppKey",
            "AppWhiteIpLimit",
            "IllegalTimestamp",
            "InvalidApiPath",
            "InsufficientPermission",
            "isv.insufficient-permission",
            "11",
            "25",
            // The limit of an application that is still being tested.
            "300000",
        ],
    ),
    (
        proven(Kind::Refused, Retry::Permanent),
        &[
            "MissingParameter",
            "InvalidParameter",
            "isv.invalid-parameter",
            // Above 5,000 and below 0.30 US dollars.
            "480006",
            "430013",
            // Below the smallest quantity, in three words.
            "10007",
            "410006",
            "4027",
            // The seller has no number for the country's packaging law.
            "400007",
            "4016",
        ],
    ),
    // The carrier of the quote is not one of this order (any more).
    (proven(Kind::Refused, NEW_QUOTE), &["130602", "4028"]),
    (
        proven(Kind::OutOfStock, Retry::Permanent),
        &["130703", "140004"],
    ),
    // A promotion's stock that is out of date at the platform itself.
    (proven(Kind::OutOfStock, LATER), &["130704"]),
    (
        proven(Kind::NotFound, Retry::Permanent),
        &["130106", "10005", "PRODUCT_NOT_FOUND"],
    ),
    // A new order is shown a moment late; one that stays away is a person's after an hour.
    (proven(Kind::NotFound, WHILE), &["ORDER_NOT_FOUND"]),
    (
        proven(Kind::NotDeliverable, Retry::Permanent),
        &["10010", "130608", "10012", "120019", "4015"],
    ),
    // No tariff without a whole address.
    (proven(Kind::AddressRefused, Retry::Permanent), &["800022"]),
    // A buyer that is registered in China may not buy.
    (proven(Kind::AccountBlocked, Retry::Person), &["110001"]),
    // A payment that a person has to make on the site, once.
    (
        proven(Kind::Refused, Retry::Person),
        &["NEVER_PAY_SUCCESS_IN_DROPSHIPER"],
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

    /// The answer's root object, or the error that it is; JSON, or XML of the older gateway.
    pub(super) fn root(&self, status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
        let answer = parsed(body);
        let error = match self.refusal(&answer) {
            Some(error) => error,
            None if !status.is_success() => self.status(status),
            None if answer.is_object() => return Ok(unwrapped(answer)),
            None => self.unreadable("no-object"),
        };
        // Behind a server's fault anything may have happened, whatever the text in front of it says.
        let doubt = status.is_server_error() && self.changes_something();
        Err(if doubt {
            error.with_effect(Effect::Unknown)
        } else {
            error
        })
    }

    /// What a business answer refuses with.
    pub(super) fn refused(&self, code: Option<&str>) -> CallError {
        match code {
            Some(code) if meaning(code).is_some() => self.documented(code),
            // A read that is refused for an unknown reason is refused; a write is in doubt until it was looked up.
            Some(code) => self.doubtful(Kind::Refused, Retry::Permanent, word_of(code)),
            None => self.unreadable("no-code"),
        }
    }

    fn documented(&self, code: &str) -> CallError {
        let Some(meaning) = meaning(code) else {
            return self.unreadable("undocumented");
        };
        let error = self.ours(meaning.kind, meaning.retry, code);
        if self.changes_something() {
            return error.with_effect(meaning.effect);
        }
        error
    }

    /// The refusal in an answer; none where its code is `0`, or where it has none.
    fn refusal(&self, answer: &Value) -> Option<CallError> {
        let fields = answer.as_object()?;
        let envelope = fields.get("error_response");
        let root = envelope.or_else(|| wrapped(fields)).unwrap_or(answer);
        let refusal = match loose::object::<_, Refusal>(root) {
            Ok(Some(refusal)) => refusal,
            _ => return envelope.map(|_| self.unreadable("error-response")),
        };
        match refusal.code.as_deref() {
            Some("0") | None if envelope.is_none() => None,
            None => Some(self.unreadable("no-code")),
            Some(_) => Some(self.envelope(&refusal)),
        }
    }

    fn envelope(&self, refusal: &Refusal) -> CallError {
        let (code, sub_code) = (refusal.code.as_deref(), refusal.sub_code.as_deref());
        let known = [sub_code, code].into_iter().flatten();
        let Some(word) = known.clone().find(|word| meaning(word).is_some()) else {
            let Some(code) = sub_code.or(code) else {
                return self.unreadable("no-code");
            };
            let by_us = refusal.kind.as_deref() == Some("ISV") || code.starts_with("isv.");
            return if by_us || code.bytes().all(|b| b.is_ascii_digit()) {
                self.doubtful(Kind::Refused, Retry::Permanent, word_of(code))
            } else {
                self.doubtful(Kind::Unavailable, WHILE, word_of(code))
            };
        };
        let mut error = self.documented(word);
        if error.kind == Kind::Throttled {
            let ban = refusal.message.as_deref().and_then(ban_length);
            error.retry = ban.map_or(SHORT, Retry::After);
        }
        error
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
        matches!(
            self.operation,
            client::ORDER_CREATE | client::ORDER_PAY | client::TOKEN_REFRESH
        )
    }
}

/// JSON, or XML in its shape; null where it is neither.
fn parsed(body: &[u8]) -> Value {
    let is_xml = body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'<');
    if is_xml {
        return xml::read(body).unwrap_or_default();
    }
    serde_json::from_slice(body).unwrap_or_default()
}

fn unwrapped(answer: Value) -> Value {
    let root = answer.as_object().and_then(wrapped).cloned();
    root.unwrap_or(answer)
}

/// The older gateway names its root after the method, and XML always has one.
fn wrapped(fields: &Map<String, Value>) -> Option<&Value> {
    let (name, root) = fields.iter().next().filter(|_| fields.len() == 1)?;
    let is_wrapper = name.ends_with("_response") || name == "response";
    (is_wrapper && root.is_object()).then_some(root)
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

    fn answered(operation: &'static str, status: u16, body: &[u8]) -> Result<Value, CallError> {
        let account = "alibaba:main".parse().unwrap();
        let call = Call {
            account: &account,
            operation,
        };
        call.root(StatusCode::from_u16(status).unwrap(), body)
    }

    fn axes(error: &CallError) -> (Kind, Effect) {
        (error.kind, error.effect)
    }

    #[test]
    fn a_refusal_is_one_in_json_and_in_xml() {
        for body in [
            &br#"{"code":"130703","message":"x","request_id":"1"}"#[..],
            br#"{"code":130703}"#,
            br#"{"error_response":{"code":"15","sub_code":"130703"}}"#,
            br#"{"alibaba_buynow_order_create_response":{"code":"130703"}}"#,
            b"<error_response><code>15</code><sub_code>130703</sub_code><msg>x</msg></error_response>",
        ] {
            let error = answered(client::ORDER_CREATE, 200, body).unwrap_err();
            assert_eq!(axes(&error), (Kind::OutOfStock, Effect::None), "{error}");
        }
    }

    #[test]
    fn an_answer_is_the_same_in_json_and_in_xml() {
        let json = br#"{"code":"0","value":{"trade_id":"234193410001028893"},"request_id":"1"}"#;
        let xml = b"<?xml version=\"1.0\"?><alibaba_order_get_response><code>0</code>\
            <value><trade_id>234193410001028893</trade_id></value></alibaba_order_get_response>";
        for body in [&json[..], xml] {
            let root = answered(client::ORDER_GET, 200, body).unwrap();
            assert_eq!(root["value"], json!({"trade_id": "234193410001028893"}));
        }
    }

    #[test]
    fn what_proves_nothing_leaves_an_order_in_doubt() {
        let cases: [(u16, &[u8]); 9] = [
            (200, b""),
            (200, b"<html><body>busy</body></html>"),
            (200, b"<error_response><code>7"),
            (200, b"[]"),
            (502, b"<html>bad gateway</html>"),
            (500, br#"{"code":"IncompleteSignature"}"#),
            (200, br#"{"code":"NewWord","type":"ISP"}"#),
            (200, br#"{"code":"99999","type":"ISV"}"#),
            (404, b"{}"),
        ];
        for (status, body) in cases {
            let error = answered(client::ORDER_CREATE, status, body).unwrap_err();
            assert_eq!(error.effect, Effect::Unknown, "{status} {body:?}");
            let error = answered(client::ORDER_GET, status, body).unwrap_err();
            assert_eq!(error.effect, Effect::None, "{status} {body:?}");
        }
        let limit = answered(client::ORDER_CREATE, 429, b"").unwrap_err();
        assert_eq!(axes(&limit), (Kind::Throttled, Effect::None));
    }

    #[test]
    fn a_ban_names_its_length_and_free_text_never_becomes_a_code() {
        let body = br#"{"code":"ApiCallLimit","message":"this ban will last 5 seconds"}"#;
        let error = answered(client::ORDER_CREATE, 200, body).unwrap_err();
        assert_eq!(error.retry, Retry::After(Duration::from_secs(6)));
        let body = br#"{"code":"Jane Doe lives elsewhere","message":"Jane"}"#;
        let error = answered(client::ORDER_CREATE, 200, body).unwrap_err();
        assert_eq!(error.code, "undocumented");
    }

    #[test]
    fn only_a_connection_that_was_never_made_proves_that_nothing_was_sent() {
        let account = "alibaba:main".parse().unwrap();
        let call = |operation| Call {
            account: &account,
            operation,
        };
        let error = |sent| HttpError {
            sent,
            timed_out: true,
            problem: String::new(),
        };
        let create = call(client::ORDER_CREATE);
        assert_eq!(
            axes(&create.unanswered(&error(Sent::No))),
            (Kind::Unreachable, Effect::None)
        );
        assert_eq!(
            axes(&create.unanswered(&error(Sent::Maybe))),
            (Kind::NoAnswer, Effect::Unknown)
        );
        let read = call(client::ORDER_GET).unanswered(&error(Sent::Maybe));
        assert_eq!(axes(&read), (Kind::NoAnswer, Effect::None));
    }
}
