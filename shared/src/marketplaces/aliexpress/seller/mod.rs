//! A shop at AliExpress, a channel: orders are read, parcels declared, listings set singly and in bulk by the seller API,
//! over the new gateway or the old one.
//!
//! A [`crate::domain::ListingId`] of a shop has the product's number as its `offer` and the variant's `sku_code` as its
//! `sku`: the calls that set stock and price take both and nothing else, so each variant wants a code of its own. Prices
//! are in the product's own currency, which the calls do not name: it is the account's `currency`.
//!
//! What it cannot do for us: there is no call to refund or to cancel, and pushes are documented for buyers alone, so
//! orders are found by polling.
//!
//! Sources: the seller API's pages 42269 (fulfil), 42270 (orders), 42707 (one order), 45135 (stock), 45140 (prices),
//! 44004 and 44009 (submissions), and the guides "Order Management Errors" and "Shipping Validation Error".

mod client;
mod convert;
mod error;
mod pacific;
mod services;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use client::{
    FEED_SUBMIT, FULFILL, PRICES_SUBMIT, PRICES_UPDATE, PROFILE_GET, STOCKS_SUBMIT, STOCKS_UPDATE,
};
use error::TRACKING_NUMBER;
pub(super) use wire::Profile;

use super::client::Client as Link;
use super::config::{Config, Side};
use super::{examine, limits};
use crate::domain::{AccountId, ChannelOrderId, Invalid, ListingId, TrackingNumber};
use crate::marketplaces::{
    Account, CallError, ConfirmParcels, Effect, Examine, FetchedOrder, Finding, Kind,
    ListingUpdate, OrderPage, Outside, ParcelToConfirm, PushInBulk, PushListings, ReadOrders,
    Retry, Submission,
};
use crate::secrets::Secret;
use async_trait::async_trait;
use client::{Client, FEED_QUERY, Part};
use convert::Portion;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// An AliExpress account that sells.
#[derive(Debug)]
pub struct Shop {
    client: Client,
}

impl Shop {
    /// The shop `id` with the credentials of its secret; see [`Config`] for the fields. The error names the field that
    /// is wrong.
    pub fn new(id: AccountId, secret: &Secret, outside: Outside) -> Result<Self, Invalid> {
        let config = Config::parse(secret)?;
        if config.side != Side::Seller {
            return Err(Invalid::new("side", "must be seller"));
        }
        Ok(Self::of(Link {
            id,
            config,
            outside,
        }))
    }

    pub(super) fn of(link: Link) -> Self {
        Self {
            client: Client::new(link),
        }
    }
}

impl Account for Shop {
    fn id(&self) -> &AccountId {
        &self.client.link.id
    }

    fn read_orders(&self) -> Option<&dyn ReadOrders> {
        Some(self)
    }

    fn push_listings(&self) -> Option<&dyn PushListings> {
        Some(self)
    }

    fn push_in_bulk(&self) -> Option<&dyn PushInBulk> {
        Some(self)
    }

    fn confirm_parcels(&self) -> Option<&dyn ConfirmParcels> {
        Some(self)
    }

    fn examine(&self) -> Option<&dyn Examine> {
        Some(self)
    }
}

#[async_trait]
impl ReadOrders for Shop {
    async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError> {
        self.client.order(id).await
    }

    /// AliExpress's times are whole seconds, so the span is widened to them, and over the whole hour that comes twice
    /// when summer time ends. What changes after the end of a span that ends now may be among its orders.
    async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError> {
        self.client.changed(from, until, page).await
    }
}

#[async_trait]
impl ConfirmParcels for Shop {
    async fn is_confirmed(
        &self,
        order: &ChannelOrderId,
        tracking_number: &TrackingNumber,
    ) -> Result<bool, CallError> {
        self.client.is_confirmed(order, tracking_number).await
    }

    async fn confirm(
        &self,
        order: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError> {
        self.client.confirm(order, parcel).await
    }
}

#[async_trait]
impl PushListings for Shop {
    async fn push(
        &self,
        updates: &[ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        self.client.push(updates, not_after).await
    }

    /// One call takes a few products, each with many of its variants.
    fn one_call(&self, listings: &[&ListingId]) -> Vec<usize> {
        let (products, skus) = (limits::PRODUCTS_PER_UPDATE, limits::SKUS_PER_PRODUCT);
        convert::one_call(listings, products, skus)
    }
}

/// A submission is two jobs, one for stock and one for prices, written `S<job>+P<job>`. Of one that is found again, or
/// whose second half never went out, there is one half: `S<job>` or `P<job>`.
///
/// AliExpress recommends the calls of [`PushListings`], and has announced that these operation types will end.
#[async_trait]
impl PushInBulk for Shop {
    fn most(&self) -> usize {
        limits::ITEMS_PER_SUBMISSION
    }

    /// AliExpress does not say when it took the jobs, so the submission has our time.
    async fn submit(&self, updates: &[ListingUpdate]) -> Result<Submission, CallError> {
        let call = self.client.link.call(FEED_SUBMIT);
        let at = self.client.link.outside.clock.now();
        let (portions, _) = self.client.portions(&call, updates);
        if portions.is_empty() || updates.len() > self.most() {
            return Err(call.ours(Kind::Refused, Retry::Permanent, "nothing-or-too-many"));
        }
        let stocks = self.client.submit(Part::Stocks, updates, &portions).await?;
        let prices = self.client.submit(Part::Prices, updates, &portions).await;
        // The stock's job is at work, whatever became of the prices'.
        let prices = prices.map_err(|error| match error.effect {
            Effect::None => error.with_effect(Effect::Happened),
            _ => error,
        })?;
        Ok(Submission {
            id: format!("S{stocks}+P{prices}"),
            at,
        })
    }

    async fn report(
        &self,
        submission: &Submission,
        updates: &[ListingUpdate],
    ) -> Result<Option<Vec<Result<(), CallError>>>, CallError> {
        let call = self.client.link.call(FEED_QUERY);
        let jobs = jobs_of(&submission.id);
        let jobs = jobs.ok_or_else(|| call.ours(Kind::Refused, Retry::Permanent, "submission"))?;
        let (portions, unsent) = self.client.portions(&call, updates);
        let mut outcomes: BTreeMap<usize, Result<(), CallError>> = unsent
            .into_iter()
            .map(|(place, error)| (place, Err(error)))
            .collect();
        for job in &jobs {
            let Some(reported) = self.reported(*job, &portions).await? else {
                return Ok(None);
            };
            for (portion, outcome) in portions.iter().zip(reported) {
                for place in &portion.places {
                    let before = outcomes.remove(place).unwrap_or(Ok(()));
                    outcomes.insert(*place, before.and(outcome.clone()));
                }
            }
        }
        if jobs.len() < 2 {
            // What one half did is no success of the whole; setting it once more is harmless.
            let half = call.ours(
                Kind::Refused,
                Retry::After(Duration::ZERO),
                "half-submission",
            );
            for outcome in outcomes.values_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(half.clone().with_effect(Effect::Happened));
            }
        }
        Ok(Some(convert::whole(&call, updates, &outcomes)))
    }

    /// AliExpress does not say when a job was handed in, so each has the beginning of what was asked for.
    async fn submissions(&self, since: Timestamp) -> Result<Vec<Submission>, CallError> {
        let jobs = self.client.jobs(since).await?.into_iter();
        Ok(jobs
            .map(|(part, id)| Submission {
                id: format!("{}{id}", letter(part)),
                at: since,
            })
            .collect())
    }
}

#[async_trait]
impl Examine for Shop {
    async fn examine(&self) -> Vec<Finding> {
        examine::seller(&self.client.link).await
    }
}

impl Shop {
    /// An answer for each portion; `None` while the job is at work.
    async fn reported(
        &self,
        job: u64,
        portions: &[Portion],
    ) -> Result<Option<Vec<Result<(), CallError>>>, CallError> {
        let call = self.client.link.call(FEED_QUERY);
        let report = self.client.report(job).await?;
        let total = report
            .total_item_count
            .and_then(|total| usize::try_from(total).ok());
        let all_done = total.is_some_and(|total| total > 0 && report.result_list.len() >= total);
        let mut outcomes = Vec::with_capacity(portions.len());
        for portion in portions {
            let name = portion.name();
            let mut named = report
                .result_list
                .iter()
                .filter(|item| item.item_content_id.as_deref() == Some(name.as_str()));
            let Some(item) = named.next() else {
                if !all_done {
                    return Ok(None);
                }
                outcomes.push(Err(call.unreadable("item_content_id")));
                continue;
            };
            let result = item.item_execution_result.as_ref();
            let success = result.and_then(|result| result.success);
            outcomes.push(match (success, result) {
                (Some(true), _) => Ok(()),
                (Some(false), Some(result)) => {
                    Err(call.refused(result.error_code.as_deref(), None))
                }
                _ => Err(call.unreadable("item_execution_result")),
            });
        }
        Ok(Some(outcomes))
    }
}

const fn letter(part: Part) -> char {
    match part {
        Part::Stocks => 'S',
        Part::Prices => 'P',
    }
}

/// The jobs of a submission; `None` where it is none of ours.
fn jobs_of(submission: &str) -> Option<Vec<u64>> {
    let mut jobs = Vec::new();
    let mut letters = String::new();
    for job in submission.split('+') {
        let letter = job.chars().next()?;
        letters.push(letter);
        let digits = &job[letter.len_utf8()..];
        let is_number = digits.bytes().all(|b| b.is_ascii_digit());
        jobs.push(digits.parse().ok().filter(|_| is_number)?);
    }
    matches!(letters.as_str(), "S" | "P" | "SP").then_some(jobs)
}
