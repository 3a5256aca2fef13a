//! The calls of a shop: signed and sent by the same client as a buyer's.

use super::super::client::{Client as Link, Outgoing, json, number};
use super::super::error::Call;
use super::super::limits;
use super::convert::{self, Portion};
use super::wire::{
    FeedItem, FeedProduct, FulfilledAnswer, JobsAnswer, Order, OrderAnswer, OrderQuery,
    OrdersAnswer, OrdersQuery, ProductUpdate, Receipt, ReceiptAnswer, ReportAnswer, Service,
    ServicesAnswer, SkuUpdate, SubmittedAnswer, Updated, UpdatedAnswer,
};
use super::{pacific, services};
use crate::domain::{ChannelOrderId, TrackingNumber};
use crate::limiter::Traffic;
use crate::marketplaces::{
    CallError, Effect, FetchedOrder, Kind, ListingUpdate, OrderPage, ParcelToConfirm, Retry,
    in_time,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(in crate::marketplaces::aliexpress) const ORDERS_GET: &str = "aliexpress.solution.order.get";
pub(in crate::marketplaces::aliexpress) const INFO_GET: &str = "aliexpress.solution.order.info.get";
pub(in crate::marketplaces::aliexpress) const RECEIPT_GET: &str =
    "aliexpress.solution.order.receiptinfo.get";
pub(in crate::marketplaces::aliexpress) const FULFILL: &str = "aliexpress.solution.order.fulfill";
pub(in crate::marketplaces::aliexpress) const SERVICES_LIST: &str =
    "aliexpress.logistics.redefining.listlogisticsservice";
pub(in crate::marketplaces::aliexpress) const STOCKS_UPDATE: &str =
    "aliexpress.solution.batch.product.inventory.update";
pub(in crate::marketplaces::aliexpress) const PRICES_UPDATE: &str =
    "aliexpress.solution.batch.product.price.update";
pub(in crate::marketplaces::aliexpress) const FEED_SUBMIT: &str = "aliexpress.solution.feed.submit";
pub(in crate::marketplaces::aliexpress) const FEED_QUERY: &str = "aliexpress.solution.feed.query";
pub(in crate::marketplaces::aliexpress) const FEED_LIST: &str = "aliexpress.solution.feed.list.get";
pub(in crate::marketplaces::aliexpress) const PROFILE_GET: &str =
    "aliexpress.solution.merchant.profile.get";
/// Submissions are limited for each operation type, so they are counted under a name of their own.
pub(in crate::marketplaces::aliexpress) const STOCKS_SUBMIT: &str =
    "aliexpress.solution.feed.submit:PRODUCT_STOCKS_UPDATE";
pub(in crate::marketplaces::aliexpress) const PRICES_SUBMIT: &str =
    "aliexpress.solution.feed.submit:PRODUCT_PRICES_UPDATE";

/// Where a customer looks for a parcel of a carrier that AliExpress does not read itself.
const TRACKING_WEBSITE: &str = "https://www.17track.net";

/// What of a listing is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Units on sale.
    Stocks,
    /// The price.
    Prices,
}

impl Part {
    const fn update(self) -> &'static str {
        match self {
            Self::Stocks => STOCKS_UPDATE,
            Self::Prices => PRICES_UPDATE,
        }
    }

    const fn counted_as(self) -> &'static str {
        match self {
            Self::Stocks => STOCKS_SUBMIT,
            Self::Prices => PRICES_SUBMIT,
        }
    }

    /// Its `operation_type`.
    pub(super) const fn feed(self) -> &'static str {
        match self {
            Self::Stocks => "PRODUCT_STOCKS_UPDATE",
            Self::Prices => "PRODUCT_PRICES_UPDATE",
        }
    }

    /// This part of an update; `None` where it leaves the part as it is.
    fn sku_update(self, update: &ListingUpdate) -> Option<SkuUpdate<'_>> {
        let price = update.price.filter(|_| self == Self::Prices);
        if self == Self::Prices && price.is_none() {
            return None;
        }
        Some(SkuUpdate {
            sku_code: update.listing.sku.as_str(),
            inventory: (self == Self::Stocks).then_some(update.quantity),
            price: price.map(|price| price.decimal()),
        })
    }
}

/// The calls of one shop.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) link: Link,
    /// The logistics services of the shop, and when they were read.
    services: Mutex<Option<(Timestamp, Arc<[Service]>)>>,
}

impl Client {
    pub(super) fn new(link: Link) -> Self {
        Self {
            link,
            services: Mutex::default(),
        }
    }

    fn now(&self) -> Timestamp {
        self.link.outside.clock.now()
    }

    /// Orders that changed in a span of time. The page's name is its number, from 1.
    pub(super) async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError> {
        let call = self.link.call(ORDERS_GET);
        let number = page.unwrap_or("1").parse().ok().filter(|page| *page > 0);
        // The name of the page did not come from here.
        let number: u32 =
            number.ok_or_else(|| call.ours(Kind::Refused, Retry::Permanent, "page"))?;
        let span = pacific::beginning(from).zip(pacific::end(until));
        let (start, end) =
            span.ok_or_else(|| call.ours(Kind::Refused, Retry::Permanent, "span"))?;
        // An order that changes while the pages are read must not leave the list, or those behind it would move up over
        // the edge of a page and be missed. So a span that ends now is left open.
        let within = SignedDuration::try_from(limits::PAGES_READ_WITHIN).unwrap_or_default();
        let is_over = self.now().duration_since(until) > within;
        let query = OrdersQuery {
            modified_date_start: &start,
            modified_date_end: is_over.then_some(end.as_str()),
            current_page: number,
            page_size: limits::ORDERS_PER_PAGE,
        };
        let parameters = [("param0", json(&call, &query)?)];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer: OrdersAnswer = self.link.send(&outgoing).await?;
        let answer = answer.result.ok_or_else(|| call.unreadable("result"))?;
        let size = (number, limits::ORDERS_PER_PAGE);
        convert::page(&call, answer, size, (until, self.now()))
    }

    /// One order with its address.
    pub(super) async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError> {
        let call = self.link.call(INFO_GET);
        let order = self.info(id).await?;
        let receipt = if convert::is_over(&order) {
            None
        } else {
            match self.receipt(id).await {
                Ok(receipt) => Some(receipt),
                Err(error) if error.kind == Kind::NotFound => None,
                Err(error) => return Err(error),
            }
        };
        convert::order(&order, receipt.as_ref(), self.now())
            .map_err(|field| call.unreadable(field.0))
    }

    /// Whether AliExpress has a parcel of this number.
    pub(super) async fn is_confirmed(
        &self,
        id: &ChannelOrderId,
        number: &TrackingNumber,
    ) -> Result<bool, CallError> {
        let order = self.info(id).await?;
        Ok(convert::has_parcel(&order.logistic_info_list, number))
    }

    async fn info(&self, id: &ChannelOrderId) -> Result<Order, CallError> {
        let call = self.link.call(INFO_GET);
        let query = OrderQuery {
            order_id: number(&call, id.as_str())?,
        };
        let parameters = [("param1", json(&call, &query)?)];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer: OrderAnswer = self.link.send(&outgoing).await?;
        let result = answer.result.ok_or_else(|| call.unreadable("result"))?;
        match (result.data, result.error_code) {
            (Some(order), _)
                if order
                    .id
                    .as_deref()
                    .is_none_or(|theirs| theirs == id.as_str()) =>
            {
                Ok(order)
            }
            (Some(_), _) => Err(call.unreadable("id")),
            (None, code) => Err(call.refused(code.as_deref(), None)),
        }
    }

    async fn receipt(&self, id: &ChannelOrderId) -> Result<Receipt, CallError> {
        let call = self.link.call(RECEIPT_GET);
        let query = OrderQuery {
            order_id: number(&call, id.as_str())?,
        };
        let parameters = [("param1", json(&call, &query)?)];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer: ReceiptAnswer = self.link.send(&outgoing).await?;
        let receipt = answer.result.ok_or_else(|| call.unreadable("result"))?;
        match (&receipt.country, &receipt.error_code) {
            (None, Some(code)) => Err(call.refused(Some(code), None)),
            _ => Ok(receipt),
        }
    }

    /// Declares a parcel. A number that a carrier's service refuses is declared once more with the service for all
    /// others, as AliExpress advises (page "Shipping Validation Error").
    pub(super) async fn confirm(
        &self,
        id: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError> {
        let call = self.link.call(FULFILL);
        let order = self.info(id).await?;
        let send_type = convert::send_type(&call, &order, &parcel.lines)?;
        let country = convert::country(&order);
        let services = self.services().await?;
        let number = &parcel.tracking_number;
        let mut chosen =
            services::choose(&services, &parcel.carrier, number, country.as_ref()).into_iter();
        let none = || call.ours(Kind::Misconfigured, Retry::Person, "no-logistics-service");
        let mut service = chosen.next().ok_or_else(none)?;
        loop {
            let outcome = self.fulfill(id, parcel, service, send_type).await;
            let other = match &outcome {
                Err(error) if error.code == super::TRACKING_NUMBER => chosen.next(),
                _ => None,
            };
            match other {
                Some(other) => service = other,
                None => return outcome,
            }
        }
    }

    async fn fulfill(
        &self,
        id: &ChannelOrderId,
        parcel: &ParcelToConfirm,
        service: &str,
        send_type: &str,
    ) -> Result<(), CallError> {
        let call = self.link.call(FULFILL);
        let mut parameters = vec![
            ("out_ref", id.as_str().to_owned()),
            ("service_name", service.to_owned()),
            ("send_type", send_type.to_owned()),
            ("logistics_no", parcel.tracking_number.as_str().to_owned()),
        ];
        if services::wants_website(service) {
            parameters.push(("tracking_website", TRACKING_WEBSITE.to_owned()));
        }
        let may_send = || self.may_send(&call, parcel.not_after);
        let outgoing = Outgoing::new(call, &parameters, Traffic::Orders);
        let answer: FulfilledAnswer = self.link.send_if(&may_send, &outgoing).await?;
        let answer = answer.result.ok_or_else(|| call.unreadable("result"))?;
        match answer.result_success {
            Some(true) => Ok(()),
            Some(false) => Err(super::error::not_declared(
                &call,
                answer.error_code.as_deref(),
                answer.error_desc.as_deref(),
            )),
            None => Err(call.unreadable("result_success")),
        }
    }

    /// Whether a request may still be sent under its lease.
    fn may_send(&self, call: &Call<'_>, not_after: Timestamp) -> Result<(), CallError> {
        if in_time(not_after, self.now()) {
            return Ok(());
        }
        let retry = Retry::After(Duration::ZERO);
        Err(call.ours(Kind::TooLate, retry, "lease-over"))
    }

    /// The logistics services of the shop, at most [`limits::SERVICES_KEPT`] old.
    async fn services(&self) -> Result<Arc<[Service]>, CallError> {
        let now = self.now();
        let kept = SignedDuration::try_from(limits::SERVICES_KEPT).unwrap_or_default();
        let known = self
            .services
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((at, services)) = known
            && now.duration_since(at) < kept
        {
            return Ok(services);
        }
        let call = self.link.call(SERVICES_LIST);
        let outgoing = Outgoing::new(call, &[], Traffic::Orders);
        let answer: ServicesAnswer = self.link.send(&outgoing).await?;
        match answer.result_success {
            Some(false) => return Err(call.refused(answer.error_code.as_deref(), None)),
            None if answer.result_list.is_empty() => return Err(call.unreadable("result_list")),
            _ => {}
        }
        let services: Arc<[Service]> = answer.result_list.into();
        let mut known = self.services.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((now, services.clone()));
        Ok(services)
    }

    /// Sets stock and then price of listings, in as many calls as they need. Where the account itself is refused or
    /// AliExpress is out of reach, the rest is not sent and gets the same error.
    pub(super) async fn push(
        &self,
        updates: &[ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let call = self.link.call(STOCKS_UPDATE);
        let currency = self.link.config.currency;
        let (portions, unsent) =
            convert::portions(&call, updates, currency, limits::SKUS_PER_PRODUCT);
        let mut outcomes: BTreeMap<usize, Result<(), CallError>> = unsent
            .into_iter()
            .map(|(place, error)| (place, Err(error)))
            .collect();
        let mut stopped: Option<CallError> = None;
        let calls = convert::calls(portions, limits::PRODUCTS_PER_UPDATE);
        for (made, portions) in calls.into_iter().enumerate() {
            let answers = match &stopped {
                Some(error) => {
                    let error = error.clone().with_effect(Effect::None);
                    vec![Err(error); portions.len()]
                }
                None => match self.set(updates, &portions, not_after).await {
                    Ok(answers) => answers,
                    Err(error) if made == 0 && concerns_all(&error) => return Err(error),
                    Err(error) => {
                        stopped = Some(error.clone()).filter(concerns_all);
                        vec![Err(error); portions.len()]
                    }
                },
            };
            for (portion, answer) in portions.iter().zip(answers) {
                let places = portion.places.iter();
                outcomes.extend(places.map(|place| (*place, answer.clone())));
            }
        }
        Ok(convert::whole(&call, updates, &outcomes))
    }

    /// Sets both parts of one call's portions; the answers are theirs, in their order.
    async fn set(
        &self,
        updates: &[ListingUpdate],
        portions: &[Portion],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let all: Vec<&Portion> = portions.iter().collect();
        let stocks = self
            .set_part(Part::Stocks, updates, &all, not_after)
            .await?;
        let has_price = |place: &usize| updates.get(*place).is_some_and(|it| it.price.is_some());
        let priced = |portion: &Portion| portion.places.iter().any(has_price);
        let of_price: Vec<&Portion> = portions.iter().filter(|it| priced(it)).collect();
        let prices = match of_price.as_slice() {
            [] => Ok(Vec::new()),
            _ => {
                self.set_part(Part::Prices, updates, &of_price, not_after)
                    .await
            }
        };
        // The stock of what has no new price is new all the same.
        let late = |error: CallError| match error.effect {
            Effect::None => error.with_effect(Effect::Happened),
            _ => error,
        };
        let mut prices = match prices {
            Ok(prices) => prices,
            Err(error) => vec![Err(error); of_price.len()],
        }
        .into_iter();
        let both = portions.iter().zip(stocks).map(|(portion, stock)| {
            let price = priced(portion).then(|| prices.next()).flatten();
            stock.and(price.unwrap_or(Ok(())).map_err(late))
        });
        Ok(both.collect())
    }

    async fn set_part(
        &self,
        part: Part,
        updates: &[ListingUpdate],
        portions: &[&Portion],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let call = self.link.call(part.update());
        let products: Vec<ProductUpdate<'_>> = portions
            .iter()
            .map(|portion| ProductUpdate {
                product_id: portion.product,
                multiple_sku_update_list: skus(part, updates, portion),
            })
            .collect();
        let parameters = [("mutiple_product_update_list", json(&call, &products)?)];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Stock);
        let may_send = || self.may_send(&call, not_after);
        let answer: UpdatedAnswer = self.link.send_if(&may_send, &outgoing).await?;
        let answer: Updated = answer.result.unwrap_or(answer.bare);
        let of = |portion: &&Portion| convert::updated(&call, &answer, portion.product);
        Ok(portions.iter().map(of).collect())
    }

    /// Hands one part of all updates in; the job's id.
    pub(super) async fn submit(
        &self,
        part: Part,
        updates: &[ListingUpdate],
        portions: &[Portion],
    ) -> Result<u64, CallError> {
        let call = self.link.call(FEED_SUBMIT);
        let names: Vec<String> = portions.iter().map(Portion::name).collect();
        let items = portions.iter().zip(&names).map(|(portion, name)| {
            let content = FeedProduct {
                aliexpress_product_id: portion.product,
                multiple_sku_update_list: skus(part, updates, portion),
            };
            Ok(FeedItem {
                item_content_id: name,
                item_content: json(&call, &content)?,
            })
        });
        let items = items.collect::<Result<Vec<_>, CallError>>()?;
        let parameters = [
            ("operation_type", part.feed().to_owned()),
            ("item_list", json(&call, &items)?),
        ];
        let outgoing = Outgoing {
            counted_as: part.counted_as(),
            ..Outgoing::new(call, &parameters, Traffic::Stock)
        };
        let answer: SubmittedAnswer = self.link.send(&outgoing).await?;
        let id = answer.job_id.and_then(|id| id.parse().ok());
        id.ok_or_else(|| call.unreadable("job_id"))
    }

    /// What became of a job's items.
    pub(super) async fn report(&self, job: u64) -> Result<ReportAnswer, CallError> {
        let call = self.link.call(FEED_QUERY);
        let parameters = [("job_id", job.to_string())];
        let outgoing = Outgoing::new(call, &parameters, Traffic::Stock);
        let answer: ReportAnswer = self.link.send(&outgoing).await?;
        if answer
            .job_id
            .as_deref()
            .is_some_and(|theirs| theirs != job.to_string())
        {
            return Err(call.unreadable("job_id"));
        }
        Ok(answer)
    }

    /// Jobs that were handed in since a time: each with its part, the newest first.
    pub(super) async fn jobs(&self, since: Timestamp) -> Result<Vec<(Part, u64)>, CallError> {
        let call = self.link.call(FEED_LIST);
        let start = pacific::beginning(since);
        let start = start.ok_or_else(|| call.ours(Kind::Refused, Retry::Permanent, "span"))?;
        let mut jobs = Vec::new();
        for page in 1..=limits::SUBMISSION_PAGES {
            let parameters = [
                ("current_page", page.to_string()),
                ("page_size", limits::SUBMISSIONS_PER_PAGE.to_string()),
                ("submitted_time_start", start.clone()),
            ];
            let outgoing = Outgoing::new(call, &parameters, Traffic::Stock);
            let answer: JobsAnswer = self.link.send(&outgoing).await?;
            if answer.job_list.is_empty() && answer.total_count.is_none() {
                return Err(call.unreadable("job_list"));
            }
            let is_last = answer
                .total_page
                .is_none_or(|pages| i64::from(page) >= pages);
            for job in answer.job_list {
                let job = job.ok_or_else(|| call.unreadable("job_list"))?;
                let kind = job.operation_type.as_deref();
                let mut parts = [Part::Stocks, Part::Prices].into_iter();
                let part = parts.find(|part| kind == Some(part.feed()));
                let id = job.job_id.and_then(|id| id.parse().ok());
                let id: u64 = id.ok_or_else(|| call.unreadable("job_id"))?;
                jobs.extend(part.map(|part| (part, id)));
            }
            if is_last {
                break;
            }
        }
        // Numbers grow; in which order the list comes is not documented.
        jobs.sort_by_key(|(_, id)| std::cmp::Reverse(*id));
        Ok(jobs)
    }

    /// The listings by product, as submissions hold them.
    pub(super) fn portions(
        &self,
        call: &Call<'_>,
        updates: &[ListingUpdate],
    ) -> (Vec<Portion>, BTreeMap<usize, CallError>) {
        let currency = self.link.config.currency;
        convert::portions(call, updates, currency, limits::SKUS_PER_PRODUCT)
    }
}

fn skus<'a>(part: Part, updates: &'a [ListingUpdate], portion: &Portion) -> Vec<SkuUpdate<'a>> {
    let found = portion
        .places
        .iter()
        .filter_map(|place| updates.get(*place));
    found.filter_map(|update| part.sku_update(update)).collect()
}

/// Whether an error is about the account or the way to AliExpress, so that the next call would meet the same.
const fn concerns_all(error: &CallError) -> bool {
    !matches!(
        error.kind,
        Kind::Refused | Kind::NotFound | Kind::Unreadable | Kind::Unavailable
    )
}
