//! The one place that maps an answer of AliExpress to a [`CallError`] with its three axes.
//!
//! The calls that change something are an order, a token's renewal, a seller's shipment, and a seller's stock and prices;
//! every other call has no effect. What the documented codes mean is in `codes.rs`; codes that nobody documents prove
//! nothing.

mod codes;

pub use codes::{Meaning, meaning};

use super::{client, limits, loose, seller, wire::Refusal, xml};
use crate::domain::AccountId;
use crate::http::{HttpError, Sent};
use crate::marketplaces::{CallError, Effect, Kind, Retry};
use codes::{LATER, SHORT, WHILE};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

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
    /// servers leave `_response` or the whole root away, and orders are answered under an older method's name too
    /// (`aliexpress_trade_buy_placeorder_response`). The old gateway may answer in XML.
    pub(super) fn root(&self, status: StatusCode, body: &[u8]) -> Result<Value, CallError> {
        let answer = serde_json::from_slice(body).ok();
        let answer = answer.or_else(|| xml::value(body)).unwrap_or_default();
        let error = if status.is_success() {
            let error = self.refusal(&answer);
            match (error, answer) {
                (None, Value::Object(mut fields)) => {
                    let name = self.operation.replace('.', "_");
                    let root = fields
                        .remove(&format!("{name}_response"))
                        .or_else(|| fields.remove(&name))
                        .or_else(|| only_response(&mut fields))
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

    pub(super) fn doubtful(&self, kind: Kind, retry: Retry, code: &str) -> CallError {
        let error = self.ours(kind, retry, code);
        if self.changes_something() {
            return error.with_effect(Effect::Unknown);
        }
        error
    }

    fn changes_something(&self) -> bool {
        matches!(
            self.operation,
            client::ORDER_CREATE
                | client::TOKEN_REFRESH
                | seller::FULFILL
                | seller::STOCKS_UPDATE
                | seller::PRICES_UPDATE
                | seller::FEED_SUBMIT
        )
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

/// What stands under the one name of the kind `…_response`, whatever method it is named after.
fn only_response(fields: &mut Map<String, Value>) -> Option<Value> {
    let is_one = |(name, value): &(&String, &Value)| {
        name.ends_with("_response") && *name != "error_response" && value.is_object()
    };
    let mut names = fields.iter().filter(is_one).map(|(name, _)| name.clone());
    match (names.next(), names.next()) {
        (Some(name), None) => fields.remove(&name),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
