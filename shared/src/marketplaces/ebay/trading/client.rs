//! The Trading API's calls.

use super::{
    convert::{self, Revised},
    error,
    wire::{self, Ack, Answer, Sold, Tracking},
    xml,
};
use crate::{
    domain::{ChannelOrderId, TrackingNumber},
    marketplaces::{
        CallError, Effect, FetchedOrder, Kind, ListingUpdate, OrderPage, ParcelToConfirm, Retry,
        ebay::{
            client::{Caller, Client},
            convert::{BadField, iso_ms},
            error::Operation,
            limits,
        },
    },
    secrets::Secret,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use jiff::Timestamp;
use xml::Element;

/// The version of eBay's schema that is spoken.
const SCHEMA: &str = "1451";
/// The events that tell of orders: one when it is bought, one when it is paid.
pub(in super::super) const EVENTS: [&str; 2] = ["FixedPriceTransaction", "AuctionCheckoutComplete"];

impl Client {
    /// GetOrders for one order.
    pub(in super::super) async fn trading_order(
        &self,
        id: &ChannelOrderId,
    ) -> Result<FetchedOrder, CallError> {
        let order = self.trading_order_element(id).await?;
        let bad = |field| self.bad(Operation::TradingGetOrders, field);
        convert::order(&order).map_err(bad)
    }

    /// GetOrders by the time of the last change. A page's name is the start of its span in milliseconds and its number:
    /// eBay takes spans of a month, so a longer one is read in several.
    pub(in super::super) async fn trading_changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError> {
        let operation = Operation::TradingGetOrders;
        let fault = self.fault(operation);
        let now = self.outside.clock.now();
        let until = until.min(self.safely_past());
        let (start, number) = match page {
            Some(page) => read_page(page).ok_or_else(|| {
                // The name of the page did not come from here.
                fault.not_sent(Kind::Refused, Retry::Permanent, "page")
            })?,
            None => {
                let oldest = now.checked_sub(limits::TRADING_ORDERS_KEPT);
                (from.max(oldest.unwrap_or(from)), 1)
            }
        };
        if start >= until {
            let (orders, next) = (Vec::new(), None);
            return Ok(OrderPage { orders, next });
        }
        let end = start.checked_add(limits::TRADING_LONGEST_SPAN);
        let end = end.unwrap_or(until).min(until);
        let entries = limits::TRADING_ORDERS_PER_PAGE;
        let request = wire::get_orders(&iso_ms(start), &iso_ms(end), number, entries);
        let answer = self.trade(operation, request, Timestamp::MAX).await?;
        let orders = orders(&answer).map(convert::changed);
        let orders: Result<Vec<_>, BadField> = orders.collect();
        let orders = orders.map_err(|field| self.bad(operation, field))?;
        let next = match answer.root.value(&["HasMoreOrders"]) {
            // An empty page leads nowhere, whatever it says.
            Some("true") if !orders.is_empty() => Some(page_name(start, number.saturating_add(1))),
            Some("true" | "false") => (end < until).then(|| page_name(end, 1)),
            _ => return Err(fault.meaningless("HasMoreOrders")),
        };
        Ok(OrderPage { orders, next })
    }

    /// Whether all lines of an order have the parcel. A parcel of a part of them is told again, which changes nothing.
    pub(in super::super) async fn trading_is_confirmed(
        &self,
        order: &ChannelOrderId,
        number: &TrackingNumber,
    ) -> Result<bool, CallError> {
        let order = self.trading_order_element(order).await?;
        let mut lines = convert::transactions(&order).peekable();
        Ok(lines.peek().is_some()
            && lines.all(|line| convert::has_parcel(&convert::parcels(line), number)))
    }

    /// CompleteSale. It replaces the parcels that eBay knows of, so these are read and sent along: of the whole order in
    /// one call where the parcel holds it all and there is no other, else line by line. What has the parcel already is
    /// left alone, so a repeat finishes what was begun.
    pub(in super::super) async fn trading_confirm(
        &self,
        id: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError> {
        let operation = Operation::CompleteSale;
        let fault = self.fault(operation);
        let order = self.trading_order_element(id).await?;
        let number = &parcel.tracking_number;
        let mut lines: Vec<(String, Vec<Tracking>)> = Vec::new();
        for line in convert::transactions(&order) {
            let line_id = convert::line_id(line).ok_or_else(|| {
                fault.not_sent(Kind::Unreadable, Retry::Permanent, "OrderLineItemID")
            })?;
            lines.push((line_id, convert::parcels(line)));
        }
        let is_in_parcel = |line: &str| parcel.lines.iter().any(|one| one.line.as_str() == line);
        let is_known = |line: &str| lines.iter().any(|(id, _)| id == line);
        if !parcel.lines.iter().all(|line| is_known(line.line.as_str())) {
            return Err(fault.not_sent(Kind::Refused, Retry::Permanent, "line"));
        }
        let is_whole = lines
            .iter()
            .all(|(line, parcels)| is_in_parcel(line) && parcels.is_empty());
        let this = Tracking {
            number: number.as_str().to_owned(),
            carrier: convert::carrier(&parcel.carrier),
        };
        let shipped_at = iso_ms(parcel.shipped_at.min(self.safely_past()));
        if is_whole {
            let sold = Sold::Order(id.as_str());
            let request = wire::complete_sale(sold, &shipped_at, &[this]);
            let sent = self.trade(operation, request, parcel.not_after).await;
            return sent.map(|_| ());
        }
        let mut is_begun = false;
        for (line, mut parcels) in lines {
            if !is_in_parcel(&line) || convert::has_parcel(&parcels, number) {
                continue;
            }
            parcels.push(this.clone());
            let request = wire::complete_sale(Sold::Line(&line), &shipped_at, &parcels);
            let sent = self.trade(operation, request, parcel.not_after).await;
            sent.map_err(|error| match error.effect {
                Effect::None if is_begun => error.with_effect(Effect::Unknown),
                _ => error,
            })?;
            is_begun = true;
        }
        Ok(())
    }

    /// ReviseInventoryStatus, of different items: an outcome for each.
    pub(in super::super) async fn revise(
        &self,
        updates: &[&ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let operation = Operation::ReviseInventoryStatus;
        let fault = self.fault(operation);
        let is_item = |update: &&ListingUpdate| {
            let id = update.listing.offer.trim_start_matches("item:");
            (1..=19).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit())
        };
        if !updates.iter().all(is_item) {
            return Err(fault.not_sent(Kind::Refused, Retry::Permanent, "item"));
        }
        let request = wire::revise(updates);
        let answer = self.exchange(operation, request, not_after).await?;
        let outcome = |update: &&ListingUpdate| match convert::revised(update, updates, &answer) {
            Revised::Made => Ok(()),
            Revised::Refused(entry) => Err(error::of_entry(fault, entry)),
            Revised::Unsaid => Err(fault.unsaid("InventoryStatus")),
        };
        Ok(updates.iter().map(outcome).collect())
    }

    /// GeteBayOfficialTime: also shows that the token opens the Trading API.
    pub(in super::super) async fn official_time(&self) -> Result<Timestamp, CallError> {
        let operation = Operation::OfficialTime;
        let request = wire::empty(operation.name());
        let answer = self.trade(operation, request, Timestamp::MAX).await?;
        let time = answer
            .root
            .value(&["Timestamp"])
            .and_then(|text| text.parse().ok());
        time.ok_or_else(|| self.fault(operation).meaningless("Timestamp"))
    }

    /// GetNotificationPreferences: those of [`EVENTS`] that are sent to our endpoint.
    pub(in super::super) async fn sent_events(&self) -> Result<Vec<&'static str>, CallError> {
        let operation = Operation::GetNotificationPreferences;
        let ask = |level| self.trade(operation, wire::get_preferences(level), Timestamp::MAX);
        let application = ask("Application").await?;
        let to = |name| {
            let path = ["ApplicationDeliveryPreferences", name];
            application.root.value(&path)
        };
        if to("ApplicationEnable") != Some("Enable")
            || to("ApplicationURL") != Some(self.config.endpoint.as_str())
        {
            return Ok(Vec::new());
        }
        let user = ask("User").await?;
        let events = user.root.child("UserDeliveryPreferenceArray");
        let is_sent = |event: &&'static str| {
            let mut all = events
                .into_iter()
                .flat_map(|all| all.all("NotificationEnable"));
            all.any(|one| {
                one.value(&["EventType"]) == Some(*event)
                    && one.value(&["EventEnable"]) == Some("Enable")
            })
        };
        Ok(EVENTS.into_iter().filter(is_sent).collect())
    }

    /// SetNotificationPreferences: all of [`EVENTS`] go to our endpoint. It can be repeated.
    pub(in super::super) async fn send_events(&self) -> Result<(), CallError> {
        let operation = Operation::SetNotificationPreferences;
        let request = wire::set_preferences(&self.config.endpoint, &EVENTS);
        let sent = self.trade(operation, request, Timestamp::MAX).await;
        sent.map(|_| ())
    }

    async fn trading_order_element(&self, id: &ChannelOrderId) -> Result<Element, CallError> {
        let operation = Operation::TradingGetOrders;
        let request = wire::get_order(id.as_str());
        let answer = self.trade(operation, request, Timestamp::MAX).await?;
        let mut found = orders(&answer);
        let is_it = |order: &&Element| order.value(&["OrderID"]) == Some(id.as_str());
        if let Some(order) = found.clone().find(is_it) {
            return Ok(order.clone());
        }
        let fault = self.fault(operation);
        // An order's older name finds it too. Under that name it would be a second order, and bought twice: the sweep
        // finds it under its own.
        Err(match found.next() {
            Some(_) => fault.other_name(),
            None => fault.not_sent(Kind::NotFound, Retry::Permanent, "no-order"),
        })
    }

    /// A call that does all or nothing.
    async fn trade(
        &self,
        operation: Operation,
        request: String,
        not_after: Timestamp,
    ) -> Result<Answer, CallError> {
        let answer = self.exchange(operation, request, not_after).await?;
        if answer.ack == Ack::Success {
            return Ok(answer);
        }
        let error = error::of_entries(self.fault(operation), &answer.errors);
        Err(match answer.ack {
            // A part of it was done, and it is not said which.
            Ack::PartialFailure => error.with_effect(operation.effect_of_silence()),
            Ack::Success | Ack::Failure => error,
        })
    }

    /// Sends a request; where eBay says that the token ended, once more with a new one. Which parts failed is left to the
    /// caller, but a failure that is about the call as a whole is an error.
    async fn exchange(
        &self,
        operation: Operation,
        request: String,
        not_after: Timestamp,
    ) -> Result<Answer, CallError> {
        let body = Bytes::from(request);
        let token = self.token(Caller::Seller).await?;
        match self
            .exchange_with(operation, &body, not_after, &token)
            .await
        {
            Err(error) if error.kind == Kind::TokenInvalid => {
                let token = self.another_token(Caller::Seller, &token).await?;
                self.exchange_with(operation, &body, not_after, &token)
                    .await
            }
            outcome => outcome,
        }
    }

    async fn exchange_with(
        &self,
        operation: Operation,
        body: &Bytes,
        not_after: Timestamp,
        token: &Secret,
    ) -> Result<Answer, CallError> {
        let fault = self.fault(operation);
        let request = self
            .trading_request(operation, body, token)
            .ok_or_else(|| fault.not_sent(Kind::Misconfigured, Retry::Person, "request"))?;
        let answer = self.dispatch(operation, not_after, request).await?;
        let root = xml::parse(answer.body()).map_err(|_| fault.not_xml())?;
        let answer = Answer::read(root, operation.name());
        let answer = answer.ok_or_else(|| fault.meaningless("Ack"))?;
        if answer.ack == Ack::Failure {
            let error = error::of_entries(fault, &answer.errors);
            self.note_refusal(operation, &error).await;
            // Whatever the call was for, it failed as a whole and the next one would too.
            if matches!(
                error.kind,
                Kind::TokenInvalid | Kind::ConsentEnded | Kind::Misconfigured | Kind::Throttled
            ) {
                return Err(error);
            }
        }
        Ok(answer)
    }

    fn trading_request(
        &self,
        operation: Operation,
        body: &Bytes,
        token: &Secret,
    ) -> Option<Request<Bytes>> {
        // The token is what opens the API; it leaves in this header alone, and here without "Bearer".
        let mut token = HeaderValue::from_str(token.expose()).ok()?;
        token.set_sensitive(true);
        Request::builder()
            .method(Method::POST)
            .uri(format!("{}/ws/api.dll", self.config.api))
            .header(header::CONTENT_TYPE, "text/xml")
            .header(header::ACCEPT_LANGUAGE, &self.config.locale)
            .header("x-ebay-api-call-name", operation.name())
            .header("x-ebay-api-compatibility-level", SCHEMA)
            .header("x-ebay-api-siteid", self.config.site_id())
            .header("x-ebay-api-iaf-token", token)
            .body(body.clone())
            .ok()
    }
}

fn orders(answer: &Answer) -> impl Iterator<Item = &Element> + Clone {
    let array = answer.root.child("OrderArray").into_iter();
    array.flat_map(|array| array.all("Order"))
}

fn page_name(start: Timestamp, number: u32) -> String {
    format!("{}.{number}", start.as_millisecond())
}

fn read_page(name: &str) -> Option<(Timestamp, u32)> {
    let (start, number) = name.split_once('.')?;
    let start = Timestamp::from_millisecond(start.parse().ok()?).ok()?;
    Some((start, number.parse().ok().filter(|number| *number > 0)?))
}
