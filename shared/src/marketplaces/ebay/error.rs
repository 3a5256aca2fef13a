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
    /// Money is given back.
    IssueRefund,
    /// Quantity and price are set.
    BulkUpdatePriceQuantity,
    /// The offers of a sku.
    GetOffers,
    /// Where eBay writes when an endpoint does not answer.
    GetConfig,
    /// That is set.
    UpdateConfig,
    /// What can be subscribed to.
    GetTopics,
    /// Endpoints that eBay knows.
    GetDestinations,
    /// An endpoint is told to eBay.
    CreateDestination,
    /// An endpoint is told to eBay again.
    UpdateDestination,
    /// What is subscribed to.
    GetSubscriptions,
    /// A topic is subscribed to.
    CreateSubscription,
    /// A subscription is changed.
    UpdateSubscription,
    /// A subscription begins.
    EnableSubscription,
    /// A made-up push is asked for.
    TestSubscription,
    /// What is left of the quotas.
    GetRateLimits,
    /// Trading API: orders, by id or by time.
    TradingGetOrders,
    /// Trading API: a parcel is confirmed.
    CompleteSale,
    /// Trading API: quantity and price are set.
    ReviseInventoryStatus,
    /// Trading API: eBay's time.
    OfficialTime,
    /// Trading API: which notifications are sent.
    GetNotificationPreferences,
    /// Trading API: that is set.
    SetNotificationPreferences,
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
            Self::IssueRefund => "issueRefund",
            Self::BulkUpdatePriceQuantity => "bulkUpdatePriceQuantity",
            Self::GetOffers => "getOffers",
            Self::GetConfig => "getConfig",
            Self::UpdateConfig => "updateConfig",
            Self::GetTopics => "getTopics",
            Self::GetDestinations => "getDestinations",
            Self::CreateDestination => "createDestination",
            Self::UpdateDestination => "updateDestination",
            Self::GetSubscriptions => "getSubscriptions",
            Self::CreateSubscription => "createSubscription",
            Self::UpdateSubscription => "updateSubscription",
            Self::EnableSubscription => "enableSubscription",
            Self::TestSubscription => "test",
            Self::GetRateLimits => "getRateLimits",
            Self::TradingGetOrders => "GetOrders",
            Self::CompleteSale => "CompleteSale",
            Self::ReviseInventoryStatus => "ReviseInventoryStatus",
            Self::OfficialTime => "GeteBayOfficialTime",
            Self::GetNotificationPreferences => "GetNotificationPreferences",
            Self::SetNotificationPreferences => "SetNotificationPreferences",
        }
    }

    const fn writes(self) -> bool {
        matches!(
            self,
            Self::CreateShippingFulfillment
                | Self::IssueRefund
                | Self::BulkUpdatePriceQuantity
                | Self::UpdateConfig
                | Self::CreateDestination
                | Self::UpdateDestination
                | Self::CreateSubscription
                | Self::UpdateSubscription
                | Self::EnableSubscription
                | Self::TestSubscription
                | Self::CompleteSale
                | Self::ReviseInventoryStatus
                | Self::SetNotificationPreferences
        )
    }

    const fn asks_for_token(self) -> bool {
        matches!(self, Self::RefreshToken | Self::ApplicationToken)
    }

    /// The effect of a call that ended without telling: a read never has one, and neither has a token request, because
    /// eBay's refresh tokens stay the same.
    pub(super) const fn effect_of_silence(self) -> Effect {
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

    /// The thing that was asked for exists, under another name than it was asked by.
    pub(super) fn other_name(self) -> CallError {
        let (kind, retry) = (Kind::NotFound, Retry::Permanent);
        self.error(kind, retry, Effect::None, "other-name")
    }

    /// An answer whose text is not XML, or not whole: that passes.
    pub(super) fn not_xml(self) -> CallError {
        let retry = Retry::After(limits::FAULT_WAIT);
        let effect = self.operation.effect_of_silence();
        self.error(Kind::Unreadable, retry, effect, "not-xml")
    }

    /// The call is not made, because what it needs is missing from our side.
    pub(super) fn not_sent(self, kind: Kind, retry: Retry, code: &str) -> CallError {
        self.error(kind, retry, Effect::None, code)
    }

    /// An error whose axes were found elsewhere in this adapter's error maps.
    pub(super) fn error(self, kind: Kind, retry: Retry, effect: Effect, code: &str) -> CallError {
        CallError::new(self.account, self.operation.name(), kind, retry, code).with_effect(effect)
    }

    fn axes(self, status: StatusCode, headers: &HeaderMap, said: &Said) -> (Kind, Retry, Effect) {
        if self.operation.asks_for_token()
            && let Some((kind, retry)) = said.code.as_deref().and_then(of_oauth)
        {
            return (kind, retry, Effect::None);
        }
        if !status.is_server_error()
            && self.operation == Operation::IssueRefund
            && let Some((kind, retry)) = said.code.as_deref().and_then(of_refund)
        {
            // Each of these says that this call paid nothing; what an earlier one paid is read with the order.
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
        "30500" | "25001" | "195000" | "34900" => (Kind::Unavailable, later),
        // No alert address yet, or none that eBay takes; the endpoint, its token, or its answer to the challenge.
        "195003" | "195025" | "195017" | "195019" | "195020" => {
            (Kind::Misconfigured, Retry::Person)
        }
        // The topic or its payload is no more.
        "195014" => (Kind::Refused, Retry::Permanent),
        _ => return None,
    })
}

/// What issueRefund refuses with (Fulfillment API, issueRefund, its error codes).
fn of_refund(code: &str) -> Option<(Kind, Retry)> {
    let settled = Retry::After(limits::REFUND_UNSETTLED_WAIT);
    Some(match code {
        // The request lacks something, names what is not there, or asks for more than is left.
        "34901" | "34902" | "34903" | "34905" | "34906" | "34907" | "34908" | "34909" | "34910"
        | "34911" | "34912" | "34914" | "34915" | "34921" | "34924" => {
            (Kind::Refused, Retry::Permanent)
        }
        "34913" => (Kind::NotFound, Retry::Permanent),
        // A case is open, it was paid back already, it is too late, or this order is paid back elsewhere.
        "34916" | "34917" | "34918" | "34920" | "34923" => (Kind::Refused, Retry::Permanent),
        "34919" => (Kind::Misconfigured, Retry::Person),
        // The seller's means of paying back: none of it works for any order.
        "34925" | "34926" | "34927" | "34928" | "34930" => (Kind::AccountBlocked, Retry::Person),
        // Another refund of the order is under way; the buyer's payment is not settled.
        "34922" | "34929" => (Kind::Refused, settled),
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
mod tests;
