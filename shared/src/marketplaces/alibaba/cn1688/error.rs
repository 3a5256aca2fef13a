//! The one place that maps an answer of 1688 to a [`CallError`] with its three axes.
//!
//! The effect in the table is that of the calls that change something: an order, a payment, a token's renewal. Every other
//! call has none. What the gateway itself refuses was never handed on. What the service behind refuses proves "no effect"
//! only where its code says why.
//!
//! Error fields have four namings: `error_code`/`error_message` (gateway), `code`/`message` (order), `errorCode`/`errorMsg`
//! (preview), `errorCode`/`errorMessage` (all others).

use super::{client, limits, wire::Refusal};
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

/// What the documentation says of a code; `None` where it says nothing. One code has words behind it, and counts by its
/// beginning.
pub fn meaning(code: &str) -> Option<Meaning> {
    documented(code).map(|(meaning, _)| meaning)
}

/// The meaning of a text, and the documented word that it is or begins with.
fn documented(text: &str) -> Option<(Meaning, &'static str)> {
    DOCUMENTED.iter().find_map(|(meaning, codes)| {
        let mut words = codes.iter().map(|code| (code.trim_end_matches('*'), *code));
        let known = words.find(|(word, code)| match code.ends_with('*') {
            true => text.starts_with(word),
            false => text.eq_ignore_ascii_case(word),
        });
        known.map(|(word, _)| (*meaning, word))
    })
}

const THROTTLED: Retry = Retry::After(limits::THROTTLED_WAIT);
const SHORT: Retry = Retry::After(Duration::from_secs(2));
const WHILE: Retry = Retry::After(Duration::from_secs(30));
const LATER: Retry = Retry::After(Duration::from_secs(300));
const NEXT_LOOK: Retry = Retry::After(Duration::from_secs(6 * 3600));
/// Longer than terms last, so that the purchase is planned on a new preview.
const NEW_PREVIEW: Retry = Retry::After(Duration::from_secs(900));

const fn proven(kind: Kind, retry: Retry) -> Meaning {
    Meaning {
        kind,
        retry,
        effect: Effect::None,
    }
}

/// Every code of the gateway's page and of the pages of the calls that are made. A star stands for words behind it.
const DOCUMENTED: &[(Meaning, &[&str])] = &[
    (
        proven(Kind::Throttled, THROTTLED),
        &["gw.QosAppFrequencyLimit"],
    ),
    (
        proven(Kind::Misconfigured, Retry::Person),
        &[
            "gw.NoUsageLeftError",
            "gw.APIACLDecline",
            "gw.SignatureInvalid",
            "gw.SignatureMissing",
            "gw.AppKeyNotFound",
            "gw.AppKeyMissing",
            "gw.APIUnsupported",
            // The user of the token is neither the order's buyer nor its seller.
            "400_3",
            "order.nopermission.buyer",
            // No distribution contract for the flow of the configuration.
            "500_007",
        ],
    ),
    (
        proven(Kind::Refused, Retry::Permanent),
        &["gw.ParamMissing"],
    ),
    // The text of a dead token, whatever its code is.
    (
        proven(Kind::TokenInvalid, SHORT),
        &["401", "Request need user authenticated*"],
    ),
    // The words of OAuth for a refresh token that is none (any more).
    (
        proven(Kind::ConsentEnded, Retry::Person),
        &[
            "invalid_grant",
            "refresh_token_expired",
            "invalid_refresh_token",
        ],
    ),
    // No logistics yet, no trace yet.
    (proven(Kind::NotFound, NEXT_LOOK), &["500_2", "404"]),
    (
        proven(Kind::NotFound, Retry::Permanent),
        &[
            "ORDER_NOT_EXIST",
            "order.createtime.history",
            // The offer is not sold online, or the variant is not of it.
            "500_001",
            "500_003",
        ],
    ),
    (
        proven(Kind::Unavailable, SHORT_AFTER_ORDER),
        &["CLOSE_ORDER_TOO_FAST"],
    ),
    // The trade mode is not one of this order; another is asked for with a new preview.
    (
        proven(Kind::Refused, NEW_PREVIEW),
        &["not support tradeType*"],
    ),
    (
        proven(Kind::Refused, Retry::Permanent),
        &[
            // Several sellers in one order.
            "500_002",
            // Below the smallest quantity: of the offer, of mixed orders, of wholesale.
            "500_005",
            "500_006",
            "500_009",
            // A price of zero.
            "500_008",
            "ORDER_STATUS_ERROR",
            "PARAM_ILLEGAL",
        ],
    ),
    (proven(Kind::OutOfStock, Retry::Permanent), &["500_004"]),
    (
        proven(Kind::AddressRefused, Retry::Person),
        &["AddressId invalid*"],
    ),
    (
        proven(Kind::AccountBlocked, Retry::Person),
        &[
            "ACCOUNT_BALANCE_NOT_ENOUGH",
            "ACCOUNT_NOT_EXIST",
            "ACCOUNT_FROZEN",
        ],
    ),
];

/// An order cannot be cancelled in its first ten seconds.
const SHORT_AFTER_ORDER: Retry = Retry::After(Duration::from_secs(10));

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

    /// The answer's object, or the gateway's refusal. What the service behind says is left to each call, because an order
    /// can exist beside a refusal.
    pub(super) fn root(&self, status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
        let answer: Value = serde_json::from_slice(body).unwrap_or_default();
        let gateway = answer.get("error_code").or_else(|| answer.get("error"));
        let error = match (gateway, status) {
            (Some(_), _) => self.refusal(&answer),
            (None, status) if status.is_success() && answer.is_object() => return Ok(answer),
            (None, status) if status.is_success() => self.unreadable("no-object"),
            (None, StatusCode::UNAUTHORIZED) => self.refused(Some("401"), None),
            (None, status) => self.status(status),
        };
        // Behind a server's fault anything may have happened, whatever the text in front of it says.
        let doubt = status.is_server_error() && self.changes_something();
        Err(if doubt {
            error.with_effect(Effect::Unknown)
        } else {
            error
        })
    }

    /// What an answer refuses with, in any of the four namings.
    pub(super) fn refusal(&self, answer: &Value) -> CallError {
        match Refusal::deserialize(answer) {
            Ok(refusal) => self.refused(refusal.code(), refusal.message()),
            Err(_) => self.unreadable("refusal"),
        }
    }

    /// What a code refuses with; the message counts only where it begins as a documented one does.
    pub(super) fn refused(&self, code: Option<&str>, message: Option<&str>) -> CallError {
        let known = message.and_then(documented);
        match (known.or_else(|| code.and_then(documented)), code) {
            (Some((meaning, word)), _) => {
                let error = self.ours(meaning.kind, meaning.retry, word);
                if self.changes_something() {
                    error.with_effect(meaning.effect)
                } else {
                    error
                }
            }
            // The gateway did not hand it on.
            (None, Some(code)) if code.starts_with("gw.") => {
                self.ours(Kind::Misconfigured, Retry::Person, word_of(code))
            }
            (None, Some(code)) => self.doubtful(Kind::Refused, Retry::Permanent, word_of(code)),
            (None, None) => self.unreadable("no-code"),
        }
    }

    fn status(&self, status: StatusCode) -> CallError {
        let code = format!("http-{}", status.as_u16());
        match status {
            StatusCode::TOO_MANY_REQUESTS => self.ours(Kind::Throttled, THROTTLED, &code),
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
            client::CREATE_ORDER | client::PAY | client::GET_TOKEN | client::POSTPONE_TOKEN
        )
    }
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

    fn answered(operation: &'static str, status: u16, body: &str) -> Result<Value, CallError> {
        let account = "alibaba:cn".parse().unwrap();
        let call = Call {
            account: &account,
            operation,
        };
        call.root(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    fn axes(error: &CallError) -> (Kind, Effect) {
        (error.kind, error.effect)
    }

    #[test]
    fn what_the_gateway_refuses_was_never_handed_on() {
        let of = |status, code: &str| {
            let body = format!(r#"{{"error_code":"{code}","error_message":"x"}}"#);
            answered(client::CREATE_ORDER, status, &body).unwrap_err()
        };
        let limit = of(400, "gw.QosAppFrequencyLimit");
        assert_eq!(axes(&limit), (Kind::Throttled, Effect::None));
        assert_eq!(limit.retry, Retry::After(Duration::from_secs(10)));
        assert_eq!(
            axes(&of(400, "gw.APIACLDecline")),
            (Kind::Misconfigured, Effect::None)
        );
        assert_eq!(
            axes(&of(400, "gw.NewWord")),
            (Kind::Misconfigured, Effect::None)
        );
        assert_eq!(axes(&of(401, "401")), (Kind::TokenInvalid, Effect::None));
        assert_eq!(of(500, "gw.APIACLDecline").effect, Effect::Unknown);
    }

    #[test]
    fn a_dead_token_is_known_by_its_status_alone() {
        let error = answered(client::CREATE_ORDER, 401, "").unwrap_err();
        assert_eq!(axes(&error), (Kind::TokenInvalid, Effect::None));
    }

    #[test]
    fn a_refusal_is_read_in_all_four_namings() {
        let account = "alibaba:cn".parse().unwrap();
        let call = Call {
            account: &account,
            operation: client::PREVIEW,
        };
        for body in [
            r#"{"error_code":"500_004","error_message":"x"}"#,
            r#"{"code":"500_004","message":"x"}"#,
            r#"{"errorCode":"500_004","errorMsg":"x"}"#,
            r#"{"errorCode":"500_004","errorMessage":"x"}"#,
        ] {
            let error = call.refusal(&serde_json::from_str(body).unwrap());
            assert_eq!(
                (error.kind, &*error.code),
                (Kind::OutOfStock, "500_004"),
                "{body}"
            );
        }
        let by_message = call.refused(Some("400"), Some("AddressId invalid:AddressId invalid"));
        assert_eq!(
            (by_message.kind, &*by_message.code),
            (Kind::AddressRefused, "AddressId_invalid")
        );
        let by_beginning = call.refused(Some("not support tradeType:【X】"), None);
        assert_eq!(
            (by_beginning.kind, &*by_beginning.code),
            (Kind::Refused, "not_support_tradeType")
        );
    }

    #[test]
    fn what_proves_nothing_leaves_an_order_in_doubt() {
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, "[]"),
            (200, r#"{"success":tr"#),
            (502, "<html>bad gateway</html>"),
            (403, "{}"),
        ] {
            let error = answered(client::CREATE_ORDER, status, body).unwrap_err();
            assert_eq!(error.effect, Effect::Unknown, "{status} {body}");
            let error = answered(client::GET_ORDER, status, body).unwrap_err();
            assert_eq!(error.effect, Effect::None, "{status} {body}");
        }
    }

    #[test]
    fn free_text_never_becomes_a_code() {
        let account = "alibaba:cn".parse().unwrap();
        let call = Call {
            account: &account,
            operation: client::CREATE_ORDER,
        };
        let error = call.refused(Some("张三 lives elsewhere"), Some("张三"));
        assert_eq!(
            (error.effect, &*error.code),
            (Effect::Unknown, "undocumented")
        );
    }
}
