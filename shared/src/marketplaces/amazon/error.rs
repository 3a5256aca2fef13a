//! The one place that maps an answer, or its absence, to an error with its three axes.
//!
//! Amazon's envelope is `{"errors":[{code, message, details}]}`; the token server's is OAuth's, the storage of documents
//! answers XML, and a request that breaks HTTP itself gets HTML. The code is text without an enumeration, in several
//! spellings, so the status decides first (developer-docs.amazon.com/sp-api, "Response format"; the models' responses).

#[cfg(test)]
mod tests;

use super::limits;
use crate::{
    domain::AccountId,
    http::{HttpError, Sent},
    limiter::{Limit, Traffic},
    marketplaces::{CallError, Effect, Kind, Retry},
};
use http::StatusCode;
use serde_json::Value;
use std::time::Duration;

/// An operation of Amazon's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// A token that acts for the seller.
    RefreshToken,
    /// A token that acts for the application alone.
    GrantlessToken,
    /// One order.
    GetOrder,
    /// Orders that changed.
    SearchOrders,
    /// A parcel is confirmed.
    ConfirmShipment,
    /// Quantity and price are set.
    PatchListingsItem,
    /// What a listing shows.
    GetListingsItem,
    /// A place for a document is made.
    CreateFeedDocument,
    /// A document is put there.
    UploadFeedDocument,
    /// A document of listings is handed in.
    CreateListingsFeed,
    /// Another document is handed in.
    CreateFeed,
    /// How far a feed is.
    GetFeed,
    /// Which feeds there are.
    GetFeeds,
    /// Where a report is.
    GetFeedDocument,
    /// A report is fetched.
    DownloadFeedDocument,
    /// Which queues Amazon knows.
    GetDestinations,
    /// Amazon is told of a queue.
    CreateDestination,
    /// Where notifications of a type go.
    GetSubscription,
    /// Notifications of a type are asked for.
    CreateSubscription,
    /// Notifications of a type are not wanted there any more.
    DeleteSubscription,
    /// Where the seller sells.
    GetMarketplaceParticipations,
}

impl Operation {
    /// Amazon's name of it. It names the limit too, so feeds of listings, which are limited apart, have their own.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::RefreshToken => "refreshToken",
            Self::GrantlessToken => "clientCredentials",
            Self::GetOrder => "getOrder",
            Self::SearchOrders => "searchOrders",
            Self::ConfirmShipment => "confirmShipment",
            Self::PatchListingsItem => "patchListingsItem",
            Self::GetListingsItem => "getListingsItem",
            Self::CreateFeedDocument => "createFeedDocument",
            Self::UploadFeedDocument => "uploadFeedDocument",
            Self::CreateListingsFeed => "createFeed:JSON_LISTINGS_FEED",
            Self::CreateFeed => "createFeed",
            Self::GetFeed => "getFeed",
            Self::GetFeeds => "getFeeds",
            Self::GetFeedDocument => "getFeedDocument",
            Self::DownloadFeedDocument => "downloadFeedDocument",
            Self::GetDestinations => "getDestinations",
            Self::CreateDestination => "createDestination",
            Self::GetSubscription => "getSubscription",
            Self::CreateSubscription => "createSubscription",
            Self::DeleteSubscription => "deleteSubscriptionById",
            Self::GetMarketplaceParticipations => "getMarketplaceParticipations",
        }
    }

    /// What Amazon allows of it; `None` where nothing is documented.
    pub(super) const fn limit(self) -> Option<Limit> {
        Some(match self {
            Self::GetOrder => limits::GET_ORDER,
            Self::SearchOrders => limits::SEARCH_ORDERS,
            Self::ConfirmShipment => limits::CONFIRM_SHIPMENT,
            Self::PatchListingsItem => limits::PATCH_LISTINGS_ITEM,
            Self::GetListingsItem => limits::GET_LISTINGS_ITEM,
            Self::CreateFeedDocument => limits::CREATE_FEED_DOCUMENT,
            Self::CreateListingsFeed => limits::CREATE_LISTINGS_FEED,
            Self::CreateFeed => limits::CREATE_FEED,
            Self::GetFeed => limits::GET_FEED,
            Self::GetFeeds => limits::GET_FEEDS,
            Self::GetFeedDocument => limits::GET_FEED_DOCUMENT,
            Self::GetDestinations
            | Self::CreateDestination
            | Self::GetSubscription
            | Self::CreateSubscription
            | Self::DeleteSubscription => limits::NOTIFICATIONS,
            Self::GetMarketplaceParticipations => limits::PARTICIPATIONS,
            Self::RefreshToken
            | Self::GrantlessToken
            | Self::UploadFeedDocument
            | Self::DownloadFeedDocument => return None,
        })
    }

    /// What it is mostly called for. Feeds carry listings, but for cancellations, which are rare.
    pub(super) const fn traffic(self) -> Traffic {
        match self {
            Self::PatchListingsItem
            | Self::GetListingsItem
            | Self::CreateListingsFeed
            | Self::GetFeeds => Traffic::Stock,
            _ => Traffic::Orders,
        }
    }

    /// Whether a call of it changes something. A document that nobody hands in changes nothing.
    const fn writes(self) -> bool {
        matches!(
            self,
            Self::ConfirmShipment
                | Self::PatchListingsItem
                | Self::CreateListingsFeed
                | Self::CreateFeed
                | Self::CreateDestination
                | Self::CreateSubscription
                | Self::DeleteSubscription
        )
    }

    const fn asks_for_token(self) -> bool {
        matches!(self, Self::RefreshToken | Self::GrantlessToken)
    }

    const fn is_storage(self) -> bool {
        matches!(self, Self::UploadFeedDocument | Self::DownloadFeedDocument)
    }

    /// The effect of a call that ended without telling. A token request has none: a refresh token stays as it is.
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

    /// An answer came whose status is not 2xx. `wait`: how long a bucket takes for one token, by what is known of it.
    pub(super) fn answered(self, status: StatusCode, body: &[u8], wait: Duration) -> CallError {
        let said = Said::read(body);
        let (kind, retry, effect) = self.axes(status, &said, wait);
        let word = said.word.map(str::to_owned);
        let code = word.or(said.code);
        let code = code.unwrap_or_else(|| format!("http-{}", status.as_u16()));
        self.error(kind, retry, effect, &code)
    }

    /// A 2xx answer says that it was refused all the same. `code`: what Amazon calls the reason.
    pub(super) fn refused(self, code: &str) -> CallError {
        self.error(Kind::Refused, Retry::Permanent, Effect::None, code)
    }

    /// A 2xx answer is not JSON of the expected shape. Cut off, empty or a proxy's page: that passes. Another shape: the
    /// contract changed, and asking again gives the same.
    pub(super) fn unreadable(self, error: &serde_json::Error) -> CallError {
        if error.is_data() {
            return self.meaningless("shape");
        }
        self.garbled("not-json")
    }

    /// A 2xx answer is well-formed, but this field has no meaning for us. Asking again gives the same.
    pub(super) fn meaningless(self, field: &str) -> CallError {
        let effect = self.operation.effect_of_silence();
        self.error(Kind::Unreadable, Retry::Permanent, effect, field)
    }

    /// A 2xx answer is cut off or packed wrongly; it may be whole the next time.
    pub(super) fn garbled(self, code: &str) -> CallError {
        let effect = self.operation.effect_of_silence();
        let retry = Retry::After(limits::FAULT_WAIT);
        self.error(Kind::Unreadable, retry, effect, code)
    }

    /// A 2xx answer does not say what became of a part of what was asked.
    pub(super) fn unsaid(self, field: &str) -> CallError {
        let retry = Retry::After(limits::FAULT_WAIT);
        self.error(Kind::Unreadable, retry, Effect::Unknown, field)
    }

    /// A feed ended without working its messages off.
    pub(super) fn feed_ended(self, status: &str) -> CallError {
        let retry = Retry::After(limits::FAULT_WAIT);
        // "Some, none, or all of the operations" of a fatal feed may have happened; a cancelled one was never begun.
        let effect = match status {
            "CANCELLED" => Effect::None,
            _ => Effect::Unknown,
        };
        self.error(Kind::Unavailable, retry, effect, status)
    }

    /// The error of a search's later page. A token that has ended is refused like any wrong request, and ends what was
    /// read of the span; the span itself is read anew, so the refusal is not for ever.
    pub(super) fn of_later_page(self, error: CallError) -> CallError {
        match (error.kind, error.retry) {
            (Kind::Refused, Retry::Permanent) => {
                let retry = Retry::After(limits::FAULT_WAIT);
                self.error(Kind::Refused, retry, Effect::None, "page-ended")
            }
            _ => error,
        }
    }

    /// The call is not made, because what it needs is missing from our side.
    pub(super) fn not_sent(self, kind: Kind, retry: Retry, code: &str) -> CallError {
        self.error(kind, retry, Effect::None, code)
    }

    fn error(self, kind: Kind, retry: Retry, effect: Effect, code: &str) -> CallError {
        CallError::new(self.account, self.operation.name(), kind, retry, code).with_effect(effect)
    }

    fn axes(self, status: StatusCode, said: &Said, wait: Duration) -> (Kind, Retry, Effect) {
        let later = Retry::After(limits::FAULT_WAIT);
        let silence = self.operation.effect_of_silence();
        let person = |kind| (kind, Retry::Person, Effect::None);
        if self.operation.asks_for_token()
            && let Some(known) = said.code.as_deref().and_then(of_oauth)
        {
            return known;
        }
        if self.operation.is_storage() {
            return of_storage(status, said);
        }
        match status.as_u16() {
            // Throttling is told by the code too, with whatever status it came.
            429 => (Kind::Throttled, Retry::After(wait), Effect::None),
            400..=499 if said.is_quota() => (Kind::Throttled, Retry::After(wait), Effect::None),
            400 | 401 if self.operation.asks_for_token() => person(Kind::Misconfigured),
            // Only of an expired token is it known that a new one helps.
            401 | 403 if said.is_expired => (Kind::TokenInvalid, later, Effect::None),
            // The role is missing, the region is wrong, or the token is of another application.
            401 | 403 => person(Kind::Misconfigured),
            404 | 410 => (Kind::NotFound, Retry::Permanent, Effect::None),
            408 => (Kind::NoAnswer, later, silence),
            // It exists already, perhaps by our own lost call: read back.
            409 => (Kind::Refused, later, silence),
            400..=499 => (Kind::Refused, Retry::Permanent, Effect::None),
            _ => (Kind::Unavailable, later, silence),
        }
    }
}

/// The words of the token server (RFC 6749 section 5.2, and those that Amazon's own SDK knows).
fn of_oauth(code: &str) -> Option<(Kind, Retry, Effect)> {
    let later = Retry::After(limits::FAULT_WAIT);
    let (kind, retry) = match code {
        "invalid_grant" => (Kind::ConsentEnded, Retry::Person),
        "access_denied"
        | "invalid_client"
        | "invalid_request"
        | "invalid_scope"
        | "unauthorized_client"
        | "unsupported_grant_type" => (Kind::Misconfigured, Retry::Person),
        "server_error" | "temporarily_unavailable" => (Kind::Unavailable, later),
        _ => return None,
    };
    Some((kind, retry, Effect::None))
}

/// The storage's answers. Nothing there has an effect until the document is handed in.
fn of_storage(status: StatusCode, said: &Said) -> (Kind, Retry, Effect) {
    let later = Retry::After(limits::FAULT_WAIT);
    let (kind, retry) = match (status.as_u16(), said.code.as_deref()) {
        // Another content type than the one that the URL was signed for.
        (_, Some("SignatureDoesNotMatch")) => (Kind::Refused, Retry::Permanent),
        (413, _) | (_, Some("EntityTooLarge")) => (Kind::Refused, Retry::Permanent),
        // A URL lives five minutes, and the next try gets another.
        (400..=499, _) => (Kind::Refused, later),
        _ => (Kind::Unavailable, later),
    };
    (kind, retry, Effect::None)
}

/// Words that stand in the message alone and say more than the code.
const WORDS: [&str; 1] = ["PackageToUpdateNotFound"];

/// What an error body says, without its free text.
#[derive(Default)]
struct Said {
    code: Option<String>,
    word: Option<&'static str>,
    is_expired: bool,
}

impl Said {
    fn read(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self::of_xml(body);
        };
        if let Some(word) = value.get("error").and_then(Value::as_str) {
            return Self {
                code: Some(word.to_owned()),
                ..Self::default()
            };
        }
        let Some(errors) = value.get("errors").and_then(Value::as_array) else {
            return Self::default();
        };
        let text = |field| {
            errors
                .iter()
                .filter_map(move |error| error.get(field)?.as_str())
        };
        let code = errors.first().and_then(|error| match error.get("code")? {
            Value::String(code) if !code.is_empty() => Some(code.clone()),
            Value::Number(code) => Some(code.to_string()),
            _ => None,
        });
        let is_expired = text("details")
            .chain(text("message"))
            .map(str::to_ascii_lowercase)
            .any(|text| text.contains("token") && text.contains("expired"));
        let word = WORDS.into_iter().find(|word| {
            text("message")
                .chain(text("details"))
                .any(|t| t.contains(word))
        });
        Self {
            code,
            word,
            is_expired,
        }
    }

    /// The storage's `<Error><Code>…</Code>`.
    fn of_xml(body: &[u8]) -> Self {
        let text = std::str::from_utf8(body).unwrap_or_default();
        let code = text
            .split_once("<Code>")
            .and_then(|(_, rest)| rest.split_once("</Code>"));
        let code = code.map(|(code, _)| code.trim().to_owned());
        Self {
            code: code.filter(|code| !code.is_empty() && code.len() <= 64),
            ..Self::default()
        }
    }

    fn is_quota(&self) -> bool {
        self.code.as_deref() == Some("QuotaExceeded")
    }
}
