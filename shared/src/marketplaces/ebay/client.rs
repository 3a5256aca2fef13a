//! The calls.

use super::{
    auth::{Auth, UserTokens},
    config::Config,
    convert::{self, BadField},
    error::{Fault, Operation},
    limits, wire,
};
use crate::{
    domain::{AccountId, ChannelOrderId, Marketplace, TrackingNumber},
    marketplaces::{
        CallError, Effect, FetchedOrder, Kind, ListingUpdate, OrderPage, Outside, ParcelToConfirm,
        Retry, carriers, in_time,
    },
    secrets::Secret,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Everything but RFC 3986's unreserved characters is encoded in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const FULFILLMENT: &str = "/sell/fulfillment/v1";

/// Calls eBay for one account.
pub(super) struct Client {
    account: AccountId,
    config: Config,
    outside: Outside,
    auth: Auth,
}

/// For whom a call is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Caller {
    Seller,
    Application,
}

/// A call before its token is known.
struct Call {
    operation: Operation,
    method: Method,
    path: String,
    body: Bytes,
    /// The end of the lease under which it is made; MAX where it needs none.
    not_after: Timestamp,
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
        }
    }

    /// getOrder (developer.ebay.com, Fulfillment API): the one call that also tells of requests to cancel.
    pub(super) async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError> {
        let call = Call::get(Operation::GetOrder, order_path(id));
        let order: wire::Order = self.read(&call, Caller::Seller).await?;
        if order.order_id != id.as_str() {
            return Err(self.bad(Operation::GetOrder, BadField("orderId")));
        }
        convert::order(&order).map_err(|field| self.bad(Operation::GetOrder, field))
    }

    /// getOrders (Fulfillment API) by the time of the last change, a page at a time. The page's name is its offset.
    pub(super) async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError> {
        let fault = self.fault(Operation::GetOrders);
        let offset: u32 = page.unwrap_or("0").parse().map_err(|_| {
            // The name of the page did not come from here.
            fault.not_sent(Kind::Refused, Retry::Permanent, "page")
        })?;
        let Some(filter) = self.filter(from, until) else {
            return Ok(OrderPage {
                orders: Vec::new(),
                next: None,
            });
        };
        let limit = limits::ORDERS_PER_PAGE;
        let path = format!("{FULFILLMENT}/order?filter={filter}&limit={limit}&offset={offset}");
        let call = Call::get(Operation::GetOrders, path);
        let answer: wire::OrderPage = self.read(&call, Caller::Seller).await?;
        let bad = |field| fault.meaningless(field);
        let mut orders = Vec::new();
        for stub in answer.orders.unwrap_or_default() {
            let id = ChannelOrderId::parse(&stub.order_id).map_err(|_| bad("orders.orderId"))?;
            let modified = convert::time(&stub.last_modified_date, "orders.lastModifiedDate");
            orders.push((id, modified.map_err(|field| bad(field.0))?));
        }
        let next = match answer.next.filter(|next| !next.is_empty()) {
            Some(next) => Some(self.next_offset(&next, offset).ok_or_else(|| bad("next"))?),
            None => None,
        };
        Ok(OrderPage { orders, next })
    }

    /// getShippingFulfillments (Fulfillment API): whether eBay has a parcel of this number.
    pub(super) async fn is_confirmed(
        &self,
        order: &ChannelOrderId,
        number: &TrackingNumber,
    ) -> Result<bool, CallError> {
        let path = format!("{}/shipping_fulfillment", order_path(order));
        let call = Call::get(Operation::GetShippingFulfillments, path);
        let answer: wire::Fulfillments = self.read(&call, Caller::Seller).await?;
        let parcels = answer.fulfillments.unwrap_or_default();
        Ok(parcels
            .iter()
            .any(|parcel| convert::is_parcel(parcel, number)))
    }

    /// createShippingFulfillment (Fulfillment API): one call a parcel, without any key against repeats.
    pub(super) async fn confirm(
        &self,
        order: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError> {
        let body = wire::NewFulfillment {
            line_items: lines_once(parcel),
            // A time in eBay's future is error 32500.
            shipped_date: convert::iso_ms(parcel.shipped_at.min(self.safely_past())),
            shipping_carrier_code: carriers::at(Marketplace::Ebay, &parcel.carrier).code,
            tracking_number: parcel.tracking_number.as_str(),
        };
        let call = Call {
            operation: Operation::CreateShippingFulfillment,
            method: Method::POST,
            path: format!("{}/shipping_fulfillment", order_path(order)),
            body: self.json(Operation::CreateShippingFulfillment, &body)?,
            not_after: parcel.not_after,
        };
        // 201 with an empty body; any other 2xx says as much.
        self.send(&call, Caller::Seller).await.map(|_| ())
    }

    /// getPublicKey (Notification API), with an application token.
    pub(super) async fn public_key(&self, kid: &str) -> Result<wire::PublicKey, CallError> {
        let kid = utf8_percent_encode(kid, SEGMENT);
        let path = format!("/commerce/notification/v1/public_key/{kid}");
        let call = Call::get(Operation::GetPublicKey, path);
        self.read(&call, Caller::Application).await
    }

    /// bulkUpdatePriceQuantity (Inventory API), a call for each sku.
    pub(super) async fn push(
        &self,
        updates: &[ListingUpdate],
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let mut outcomes: Vec<Option<Result<(), CallError>>> = vec![None; updates.len()];
        let mut stopped: Option<CallError> = None;
        for (made, call) in convert::calls_of(updates).into_iter().enumerate() {
            let of_call: Vec<&ListingUpdate> = call.iter().map(|n| &updates[*n]).collect();
            let answer = match &stopped {
                Some(error) => Err(error.clone().with_effect(Effect::None)),
                None => self.update(&of_call).await,
            };
            match &answer {
                Err(error) if made == 0 && concerns_all(error) => return Err(error.clone()),
                Err(error) if concerns_all(error) => stopped = Some(error.clone()),
                _ => {}
            }
            for (number, update) in call.into_iter().zip(of_call) {
                outcomes[number] = Some(match &answer {
                    Ok(answer) => self.outcome(update, answer),
                    Err(error) => Err(error.clone()),
                });
            }
        }
        Ok(self.with_replaced(updates, outcomes))
    }

    async fn update(&self, updates: &[&ListingUpdate]) -> Result<wire::BulkUpdated, CallError> {
        let operation = Operation::BulkUpdatePriceQuantity;
        let call = Call {
            operation,
            method: Method::POST,
            path: "/sell/inventory/v1/bulk_update_price_quantity".to_owned(),
            body: self.json(operation, &convert::bulk_update(updates))?,
            not_after: Timestamp::MAX,
        };
        self.read(&call, Caller::Seller).await
    }

    fn outcome(&self, update: &ListingUpdate, answer: &wire::BulkUpdated) -> Result<(), CallError> {
        let fault = self.fault(Operation::BulkUpdatePriceQuantity);
        let entry = convert::outcome_of(update, answer).ok_or_else(|| fault.unsaid("offerId"))?;
        match entry.status_code {
            200..300 => Ok(()),
            status => Err(fault.item(status, entry.errors.as_deref().unwrap_or_default())),
        }
    }

    /// An update that a later one of the same listing replaced has that one's outcome.
    fn with_replaced(
        &self,
        updates: &[ListingUpdate],
        outcomes: Vec<Option<Result<(), CallError>>>,
    ) -> Vec<Result<(), CallError>> {
        let fault = self.fault(Operation::BulkUpdatePriceQuantity);
        let last = |update: &ListingUpdate| {
            let same = updates.iter().rposition(|u| u.listing == update.listing);
            same.and_then(|number| outcomes[number].clone())
        };
        updates
            .iter()
            .map(|update| last(update).unwrap_or_else(|| Err(fault.unsaid("offerId"))))
            .collect()
    }

    /// The errors of this account's calls of an operation.
    const fn fault(&self, operation: Operation) -> Fault<'_> {
        Fault {
            account: &self.account,
            operation,
        }
    }

    fn json(&self, operation: Operation, body: &impl serde::Serialize) -> Result<Bytes, CallError> {
        let unsent = |_| {
            self.fault(operation)
                .not_sent(Kind::Refused, Retry::Permanent, "request")
        };
        serde_json::to_vec(body).map(Bytes::from).map_err(unsent)
    }

    async fn read<T: DeserializeOwned>(&self, call: &Call, caller: Caller) -> Result<T, CallError> {
        let answer = self.send(call, caller).await?;
        serde_json::from_slice(answer.body())
            .map_err(|error| self.fault(call.operation).unreadable(&error))
    }

    /// Sends a call; where eBay refuses the token, once more with a new one. A refused token means that nothing was done.
    async fn send(&self, call: &Call, caller: Caller) -> Result<Response<Bytes>, CallError> {
        let token = self.token(caller).await?;
        match self.send_with(call, caller, &token).await {
            Err(error) if error.kind == Kind::TokenInvalid => {
                match caller {
                    Caller::Seller => self.auth.user_token_refused(&token).await?,
                    Caller::Application => self.auth.application_token_refused(),
                }
                let token = self.token(caller).await?;
                self.send_with(call, caller, &token).await
            }
            outcome => outcome,
        }
    }

    async fn token(&self, caller: Caller) -> Result<Secret, CallError> {
        match caller {
            Caller::Seller => self.auth.user_token().await,
            Caller::Application => self.auth.application_token().await,
        }
    }

    async fn send_with(
        &self,
        call: &Call,
        caller: Caller,
        token: &Secret,
    ) -> Result<Response<Bytes>, CallError> {
        let fault = self.fault(call.operation);
        let request = self
            .request(call, caller, token)
            .ok_or_else(|| fault.not_sent(Kind::Misconfigured, Retry::Person, "request"))?;
        if !in_time(call.not_after, self.outside.clock.now()) {
            let retry = Retry::After(Duration::ZERO);
            return Err(fault.not_sent(Kind::TooLate, retry, "lease-over"));
        }
        let answer = self.outside.http.send(request).await;
        let answer = answer.map_err(|error| fault.no_answer(&error))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        Err(fault.answered(answer.status(), answer.headers(), answer.body()))
    }

    fn request(&self, call: &Call, caller: Caller, token: &Secret) -> Option<Request<Bytes>> {
        // The token is what opens the API; it leaves in this header alone.
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.config.api, call.path))
            .header(header::AUTHORIZATION, bearer)
            .header(header::ACCEPT, "application/json")
            .header(header::ACCEPT_LANGUAGE, &self.config.locale);
        if caller == Caller::Seller {
            request = request.header("x-ebay-c-marketplace-id", &self.config.marketplace_id);
        }
        if call.method == Method::POST {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::CONTENT_LANGUAGE, &self.config.locale);
        }
        request.body(call.body.clone()).ok()
    }

    /// The filter as documented, brackets percent-encoded; `None` where the span of time is empty.
    fn filter(&self, from: Timestamp, until: Timestamp) -> Option<String> {
        let until = until.min(self.safely_past());
        let kept = SignedDuration::from_hours(24 * limits::ORDERS_KEPT_DAYS);
        let oldest = self.outside.clock.now().checked_sub(kept).ok()?;
        let from = from.max(oldest);
        (from < until).then(|| {
            let (from, until) = (convert::iso_ms(from), convert::iso_ms(until));
            format!("lastmodifieddate:%5B{from}..{until}%5D")
        })
    }

    /// The latest time that eBay is sure to take for the past.
    fn safely_past(&self) -> Timestamp {
        let margin = SignedDuration::from_millis(limits::CLOCK_MARGIN_MS);
        let now = self.outside.clock.now();
        now.checked_sub(margin).unwrap_or(now)
    }

    /// The offset in `next`. Only this host and path are believed, and only an offset that leads on.
    fn next_offset(&self, next: &str, offset: u32) -> Option<String> {
        let ours = Url::parse(&format!("{}{FULFILLMENT}/order", self.config.api)).ok()?;
        let next = ours.join(next).ok()?;
        if next.origin() != ours.origin() || next.path() != ours.path() {
            return None;
        }
        let (_, next) = next.query_pairs().find(|(name, _)| name == "offset")?;
        let next: u32 = next.parse().ok()?;
        (next > offset).then(|| next.to_string())
    }

    fn bad(&self, operation: Operation, field: BadField) -> CallError {
        self.fault(operation).meaningless(field.0)
    }
}

impl Call {
    const fn get(operation: Operation, path: String) -> Self {
        Self {
            operation,
            method: Method::GET,
            path,
            body: Bytes::new(),
            not_after: Timestamp::MAX,
        }
    }
}

/// Whether an error is about the account or the way to eBay, so that the next sku would meet the same.
const fn concerns_all(error: &CallError) -> bool {
    !matches!(
        error.kind,
        // A system error may be one sku's alone, and must not keep the others back for good.
        Kind::Refused | Kind::NotFound | Kind::Unreadable | Kind::Unavailable
    )
}

fn order_path(id: &ChannelOrderId) -> String {
    let id = utf8_percent_encode(id.as_str(), SEGMENT);
    format!("{FULFILLMENT}/order/{id}")
}

/// The parcel's lines, each once: eBay refuses a line that comes twice (error 32210).
fn lines_once(parcel: &ParcelToConfirm) -> Vec<wire::NewFulfillmentLine<'_>> {
    let mut lines: Vec<wire::NewFulfillmentLine<'_>> = Vec::with_capacity(parcel.lines.len());
    for line in &parcel.lines {
        let id = line.line.as_str();
        match lines.iter_mut().find(|known| known.line_item_id == id) {
            Some(known) => known.quantity = known.quantity.saturating_add(line.quantity),
            None => lines.push(wire::NewFulfillmentLine {
                line_item_id: id,
                quantity: line.quantity,
            }),
        }
    }
    lines
}
