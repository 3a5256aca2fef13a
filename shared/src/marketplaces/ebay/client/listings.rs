//! Listings, over the Inventory API or the Trading API.

use super::{Call, Caller, Client, SEGMENT};
use crate::domain::ListingId;
use crate::marketplaces::{
    CallError, Effect, Kind, ListingUpdate, Retry, Shown,
    ebay::{
        convert::{self, ListedBy},
        error::Operation,
        wire,
    },
};
use http::Method;
use jiff::Timestamp;
use percent_encoding::utf8_percent_encode;

impl Client {
    /// Sets quantity and price, each listing over the API that made it: bulkUpdatePriceQuantity (Inventory API) with a
    /// call for each sku, ReviseInventoryStatus (Trading API) with a call for every few items.
    pub(in crate::marketplaces::ebay) async fn push(
        &self,
        updates: &[ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let mut outcomes: Vec<Option<Result<(), CallError>>> = vec![None; updates.len()];
        let mut stopped: Vec<(ListedBy, CallError)> = Vec::new();
        let calls = convert::calls_of(updates);
        let is_one_api = calls.iter().all(|call| call.by == calls[0].by);
        for (made, call) in calls.into_iter().enumerate() {
            let of_call: Vec<&ListingUpdate> = call.updates.iter().map(|n| &updates[*n]).collect();
            let stop = stopped.iter().find(|(by, _)| *by == call.by);
            let answer = match (stop, call.by) {
                (Some((_, error)), _) => Err(error.clone().with_effect(Effect::None)),
                (None, ListedBy::Inventory) => self.update(&of_call, not_after).await,
                (None, ListedBy::Trading) => self.revise(&of_call, not_after).await,
            };
            if let Err(error) = &answer
                && concerns_all(error)
            {
                if made == 0 && is_one_api {
                    return Err(error.clone());
                }
                stopped.push((call.by, error.clone()));
            }
            match answer {
                Ok(answers) => {
                    for (number, answer) in call.updates.into_iter().zip(answers) {
                        outcomes[number] = Some(answer);
                    }
                }
                Err(error) => {
                    for number in call.updates {
                        outcomes[number] = Some(Err(error.clone()));
                    }
                }
            }
        }
        Ok(self.with_replaced(updates, outcomes))
    }

    /// What a listing of the Inventory API shows, from getOffers: all offers of its sku, of which there are few. That of
    /// the Trading API is not read.
    pub(in crate::marketplaces::ebay) async fn read_listing(
        &self,
        listing: &ListingId,
    ) -> Result<Option<Shown>, CallError> {
        let operation = Operation::GetOffers;
        if convert::item_id(listing).is_some() {
            let fault = self.fault(operation);
            return Err(fault.not_sent(Kind::Refused, Retry::Permanent, "trading-listing"));
        }
        let sku = utf8_percent_encode(listing.sku.as_str(), SEGMENT);
        let path = format!("/sell/inventory/v1/offer?sku={sku}");
        let answer = self.read(&Call::get(operation, path), Caller::Seller).await;
        let offers: wire::Offers = match answer {
            Err(error) if error.kind == Kind::NotFound => return Ok(None),
            answer => answer?,
        };
        convert::shown(&offers, listing).map_err(|field| self.bad(operation, field))
    }

    /// One call, of updates of one sku: an outcome for each.
    async fn update(
        &self,
        updates: &[&ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let operation = Operation::BulkUpdatePriceQuantity;
        let path = "/sell/inventory/v1/bulk_update_price_quantity".to_owned();
        let body = self.json(operation, &convert::bulk_update(updates))?;
        let call = Call {
            not_after,
            ..Call::with(operation, Method::POST, path, body)
        };
        let answer: wire::BulkUpdated = self.read(&call, Caller::Seller).await?;
        let outcomes = updates.iter().map(|update| self.outcome(update, &answer));
        Ok(outcomes.collect())
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
}

/// Whether an error is about the account or the way to eBay, so that the next sku would meet the same.
const fn concerns_all(error: &CallError) -> bool {
    !matches!(
        error.kind,
        // A system error may be one sku's alone, and must not keep the others back for good.
        Kind::Refused | Kind::NotFound | Kind::Unreadable | Kind::Unavailable
    )
}
