//! The calls: orders and parcels, and how any call is sent. Listings are set in `listings.rs`, feeds handed in in
//! `feeds.rs`, and what is set up once is in `setup.rs`.

use super::{
    auth::Auth,
    config::Config,
    convert::{self, BadField},
    error::{Fault, Operation},
    limits, signature, wire,
};
use crate::{
    domain::{AccountId, ChannelOrderId, TrackingNumber, safe_code},
    marketplaces::{
        CallError, FetchedOrder, Kind, OrderPage, Outside, ParcelToConfirm, Retry, UserTokens,
        carriers, in_time,
    },
    secrets::Secret,
};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Everything but RFC 3986's unreserved characters is encoded in a path segment or a value: a sku may hold a slash, a
/// blank or a plus.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const ORDERS: &str = "/orders/2026-01-01/orders";

/// What is asked for with an order: who gets it, what is paid, what is cancelled, how far it is.
const ORDER_DATA: &str = "BUYER,RECIPIENT,PROCEEDS,CANCELLATION,FULFILLMENT";

/// Calls Amazon for one account.
pub(super) struct Client {
    pub(super) account: AccountId,
    pub(super) config: Config,
    pub(super) outside: Outside,
    pub(super) auth: Auth,
    /// Rates that Amazon named, in calls of a million seconds: a refusal for too many does not name its own.
    rates: Mutex<BTreeMap<Operation, u64>>,
}

/// For whom a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    /// With the seller's token.
    Seller,
    /// With the application's own, "grantless".
    Application,
}

/// A call before its token is known.
pub(super) struct Call {
    operation: Operation,
    method: Method,
    path: String,
    body: Bytes,
    caller: Caller,
    /// The end of the lease under which it is made; MAX where it needs none.
    pub(super) not_after: Timestamp,
}

impl Client {
    pub(super) fn new(
        account: AccountId,
        config: Config,
        outside: Outside,
        user_tokens: Option<Arc<dyn UserTokens>>,
    ) -> Self {
        Self {
            auth: Auth::new(
                account.clone(),
                config.clone(),
                outside.clone(),
                user_tokens,
            ),
            account,
            config,
            outside,
            rates: Mutex::default(),
        }
    }

    /// getOrder (Orders API 2026-01-01). What of the buyer is shown follows from the application's roles alone, so no
    /// restricted data token is asked for.
    pub(super) async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError> {
        let order = self.read_order(id, ORDER_DATA).await?;
        convert::order(&order, self.config.fee_hundredths_of_percent)
            .map_err(|field| self.bad(Operation::GetOrder, field))
    }

    /// getOrder with these parts.
    pub(super) async fn read_order(
        &self,
        id: &ChannelOrderId,
        parts: &str,
    ) -> Result<wire::Order, CallError> {
        let path = format!("{ORDERS}/{}?includedData={parts}", encoded(id.as_str()));
        let answer: wire::GetOrder = self.read(&Call::get(Operation::GetOrder, path)).await?;
        if answer.order.order_id.as_deref() != Some(id.as_str()) {
            return Err(self.bad(Operation::GetOrder, BadField("orderId")));
        }
        Ok(answer.order)
    }

    /// searchOrders (Orders API 2026-01-01) by the time of the last change, a page at a time. Later pages must repeat
    /// all parameters unchanged, so a page's name holds its span beside Amazon's token. The token dies after 24 hours;
    /// an error on a later page means that the span is read anew.
    pub(super) async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError> {
        let fault = self.fault(Operation::SearchOrders);
        let (from, until, token) = match page {
            None => {
                let span = convert::span(from, until, self.outside.clock.now());
                let Some((from, until)) = span else {
                    return Ok(OrderPage {
                        orders: Vec::new(),
                        next: None,
                    });
                };
                (convert::iso(from), convert::iso(until), None)
            }
            Some(page) => {
                let mut parts = page.splitn(3, ' ').map(str::to_owned);
                match (parts.next(), parts.next(), parts.next()) {
                    (Some(from), Some(until), Some(token)) => (from, until, Some(token)),
                    // The name of the page did not come from here.
                    _ => return Err(fault.not_sent(Kind::Refused, Retry::Permanent, "page")),
                }
            }
        };
        let path = self.search_path(&from, &until, token.as_deref());
        let call = Call::get(Operation::SearchOrders, path);
        let answer: wire::SearchOrders = match (self.read(&call).await, &token) {
            (Err(error), Some(_)) => return Err(fault.of_later_page(error)),
            (answer, _) => answer?,
        };
        let mut orders = Vec::with_capacity(answer.orders.len());
        for stub in answer.orders {
            let id = stub.order_id.unwrap_or_default();
            let id = ChannelOrderId::parse(&id).map_err(|_| fault.meaningless("orders.orderId"))?;
            let at = convert::time(stub.last_updated_time.as_deref(), "orders.lastUpdatedTime");
            orders.push((id, at.map_err(|field| fault.meaningless(field.0))?));
        }
        let next = answer
            .pagination
            .and_then(|pagination| pagination.next_token);
        if next.is_some() && next == token {
            // It would lead round and round.
            return Err(fault.meaningless("pagination.nextToken"));
        }
        let next = next.map(|token| format!("{from} {until} {token}"));
        Ok(OrderPage { orders, next })
    }

    /// Orders that Amazon sends itself are not asked for: nothing is to be done for them.
    fn search_path(&self, from: &str, until: &str, token: Option<&str>) -> String {
        let token = token.map(|token| format!("&paginationToken={}", encoded(token)));
        format!(
            "{ORDERS}?lastUpdatedAfter={}&lastUpdatedBefore={}&marketplaceIds={}&fulfilledBy=MERCHANT&maxResultsPerPage={}{}",
            encoded(from),
            encoded(until),
            self.config.marketplace_ids.join(","),
            limits::ORDERS_PER_PAGE,
            token.unwrap_or_default()
        )
    }

    /// Whether Amazon has a parcel of this number: getOrder with PACKAGES.
    pub(super) async fn is_confirmed(
        &self,
        order: &ChannelOrderId,
        number: &TrackingNumber,
    ) -> Result<bool, CallError> {
        let order = self.read_order(order, "FULFILLMENT,PACKAGES").await?;
        Ok(convert::has_parcel(&order, number))
    }

    /// confirmShipment (Orders API v0, which has no successor yet). A repeat with the same package reference edits the
    /// package, so it adds none.
    pub(super) async fn confirm(
        &self,
        order: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError> {
        let operation = Operation::ConfirmShipment;
        // Amazon counts the seller's invalid numbers, so one that cannot be right waits for a person.
        if !carriers::number_fits(&parcel.carrier, &parcel.tracking_number) {
            return Err(self.fault(operation).refused("tracking-number-pattern"));
        }
        let marketplace = self.marketplace_of_order(order).await?;
        let body = convert::confirmation(order, &marketplace, parcel, self.safely_past());
        let path = format!(
            "/orders/v0/orders/{}/shipmentConfirmation",
            encoded(order.as_str())
        );
        let mut call = self.call_with(operation, Method::POST, path, &body)?;
        call.not_after = parcel.not_after;
        match self.send(&call).await {
            // The order was closed by another package or by hand: if it shows this one, all is well.
            Err(error) if error.code == "PackageToUpdateNotFound" => {
                if self.is_confirmed(order, &parcel.tracking_number).await? {
                    return Ok(());
                }
                Err(error)
            }
            // 204. Another 2xx, a proxy's page say, is not Amazon's word: the parcel is read back.
            Ok(answer) if answer.status() != StatusCode::NO_CONTENT => {
                Err(self.fault(operation).unsaid("status"))
            }
            outcome => outcome.map(|_| ()),
        }
    }

    /// The marketplace of an order: the only one of the account, or what the order says.
    async fn marketplace_of_order(&self, id: &ChannelOrderId) -> Result<String, CallError> {
        if let [only] = self.config.marketplace_ids.as_slice() {
            return Ok(only.clone());
        }
        let order = self.read_order(id, "FULFILLMENT").await?;
        let marketplace = convert::marketplace_of(&order).map(str::to_owned);
        let missing = BadField("salesChannel.marketplaceId");
        marketplace.ok_or_else(|| self.bad(Operation::GetOrder, missing))
    }

    /// The errors of this account's calls of an operation.
    pub(super) const fn fault(&self, operation: Operation) -> Fault<'_> {
        Fault {
            account: &self.account,
            operation,
        }
    }

    fn bad(&self, operation: Operation, field: BadField) -> CallError {
        self.fault(operation).meaningless(field.0)
    }

    /// The latest time that Amazon is sure to take for the past.
    fn safely_past(&self) -> Timestamp {
        let now = self.outside.clock.now();
        now.checked_sub(limits::CLOCK_MARGIN).unwrap_or(now)
    }

    /// A call with a JSON body.
    pub(super) fn call_with(
        &self,
        operation: Operation,
        method: Method,
        path: String,
        body: &impl Serialize,
    ) -> Result<Call, CallError> {
        let unsent = |_| {
            let fault = self.fault(operation);
            fault.not_sent(Kind::Refused, Retry::Permanent, "request")
        };
        let body = serde_json::to_vec(body).map_err(unsent)?;
        Ok(Call {
            method,
            body: body.into(),
            ..Call::get(operation, path)
        })
    }

    /// Sends a call and reads its answer.
    pub(super) async fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, CallError> {
        let answer = self.send(call).await?;
        serde_json::from_slice(answer.body())
            .map_err(|error| self.fault(call.operation).unreadable(&error))
    }

    /// Sends a call; where Amazon says that the token has expired, once more with a new one. A refused token means that
    /// nothing was done.
    pub(super) async fn send(&self, call: &Call) -> Result<Response<Bytes>, CallError> {
        let token = self.token(call.caller).await?;
        match self.send_with(call, &token).await {
            Err(error) if error.kind == Kind::TokenInvalid => {
                match call.caller {
                    Caller::Seller => self.auth.user_token_refused(&token).await?,
                    Caller::Application => self.auth.grantless_token_refused(),
                }
                let token = self.token(call.caller).await?;
                self.send_with(call, &token).await
            }
            outcome => outcome,
        }
    }

    async fn token(&self, caller: Caller) -> Result<Secret, CallError> {
        match caller {
            Caller::Seller => self.auth.user_token().await,
            Caller::Application => self.auth.grantless_token().await,
        }
    }

    async fn send_with(&self, call: &Call, token: &Secret) -> Result<Response<Bytes>, CallError> {
        let fault = self.fault(call.operation);
        let now = self.outside.clock.now();
        let request = self
            .request(call, token, now)
            .ok_or_else(|| fault.not_sent(Kind::Misconfigured, Retry::Person, "request"))?;
        if let Some(limit) = call.operation.limit() {
            let (name, traffic) = (call.operation.name(), call.operation.traffic());
            let outside = &self.outside;
            outside.allow(&self.account, name, limit, traffic).await?;
        }
        if !in_time(call.not_after, self.outside.clock.now()) {
            let retry = Retry::After(Duration::ZERO);
            return Err(fault.not_sent(Kind::TooLate, retry, "lease-over"));
        }
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| fault.no_answer(&error))?;
        self.learn_rate(call.operation, answer.headers()).await;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(self.refusal(call.operation, &answer).await)
    }

    /// Maps a refusal, logs what Amazon's support asks for, and tells the others of one for too many calls.
    async fn refusal(&self, operation: Operation, answer: &Response<Bytes>) -> CallError {
        let wait = self.wait_of(operation);
        let fault = self.fault(operation);
        let error = fault.answered(answer.status(), answer.body(), wait);
        let request_id = answer.headers().get("x-amzn-requestid");
        let request_id = request_id
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default();
        tracing::warn!(
            account = %self.account,
            operation = operation.name(),
            status = answer.status().as_u16(),
            code = error.code,
            request_id = safe_code(request_id),
            "Amazon refused a call."
        );
        if error.kind == Kind::Throttled
            && let Some(limit) = operation.limit()
        {
            let (account, name) = (&self.account, operation.name());
            let outside = &self.outside;
            outside.refused_for_limit(account, name, limit, wait).await;
        }
        error
    }

    /// Remembers the rate that an answer names. It is named with a success, a 400 and a 404, and not with a 429.
    async fn learn_rate(&self, operation: Operation, headers: &HeaderMap) {
        // Feeds of listings are limited by another rule than the one that the header speaks of.
        if operation == Operation::CreateListingsFeed {
            return;
        }
        let named = headers.get("x-amzn-ratelimit-limit");
        let rate = named.and_then(|value| calls_per_million_s(value.to_str().ok()?));
        let Some(rate) = rate else { return };
        let known = {
            let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
            rates.insert(operation, rate)
        };
        if known != Some(rate) {
            let (account, name) = (&self.account, operation.name());
            self.outside.learned_rate(account, name, rate).await;
        }
    }

    /// How long the bucket of an operation takes for one token.
    fn wait_of(&self, operation: Operation) -> Duration {
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let (shortest, longest) = limits::THROTTLED_WAIT;
        let wait = match (rates.get(&operation), operation.limit()) {
            (Some(rate), _) => Duration::from_micros(1_000_000_000_000 / (*rate).max(1)),
            (None, Some(limit)) => limit.per / limit.calls.max(1),
            (None, None) => limits::TOKEN_THROTTLED_WAIT,
        };
        wait.clamp(shortest, longest)
    }

    fn request(&self, call: &Call, token: &Secret, now: Timestamp) -> Option<Request<Bytes>> {
        let request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.config.api, call.path));
        let mut request = signature::proven(request, token, now)?;
        if !call.body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        request.body(call.body.clone()).ok()
    }
}

impl Call {
    /// A reading call for the seller.
    pub(super) const fn get(operation: Operation, path: String) -> Self {
        Self {
            operation,
            method: Method::GET,
            path,
            body: Bytes::new(),
            caller: Caller::Seller,
            not_after: Timestamp::MAX,
        }
    }

    /// A call without a body.
    pub(super) fn delete(operation: Operation, path: String) -> Self {
        let mut call = Self::get(operation, path);
        call.method = Method::DELETE;
        call
    }

    /// The same call with the application's own token.
    #[must_use]
    pub(super) fn grantless(mut self) -> Self {
        self.caller = Caller::Application;
        self
    }
}

/// A part of a path, or a value of a query, that can hold anything.
pub(super) fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, SEGMENT)
}

/// The time of an answer by Amazon's clock; `None` where it does not say.
pub(super) fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    let text = headers.get(header::DATE)?.to_str().ok()?;
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()
}

/// A rate such as `0.0056` or `2.0` in calls of a million seconds, without a float; `None` for what is no rate.
fn calls_per_million_s(text: &str) -> Option<u64> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 6 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(6)];
    let rate = format!("{whole}{fraction:0<6}").parse().ok()?;
    (rate > 0).then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_without_rounding() {
        for (text, rate) in [
            ("0.0056", Some(5_600)),
            ("2.0", Some(2_000_000)),
            ("5", Some(5_000_000)),
            (" 0.5 ", Some(500_000)),
            ("0.01666666666", Some(16_666)),
            ("0.0", None),
            ("", None),
            ("-1", None),
            (".5", None),
            ("1e3", None),
            ("9999999", None),
        ] {
            assert_eq!(calls_per_million_s(text), rate, "{text}");
        }
    }

    #[test]
    fn amazons_clock_is_read_from_its_header() {
        let mut headers = HeaderMap::new();
        assert_eq!(date_of(&headers), None);
        let text = "Thu, 15 Jan 2026 12:00:00 GMT";
        headers.insert(header::DATE, text.parse().unwrap());
        let noon = "2026-01-15T12:00:00Z".parse().unwrap();
        assert_eq!(date_of(&headers), Some(noon));
    }
}
