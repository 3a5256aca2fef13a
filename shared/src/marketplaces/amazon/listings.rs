//! Single listings: quantity and price at once (Listings Items API 2021-08-01).

use super::{
    client::{Call, Client, encoded},
    convert, document,
    error::Operation,
    wire,
};
use crate::domain::ListingId;
use crate::marketplaces::{CallError, Effect, Kind, ListingUpdate, Retry, Shown};
use http::Method;
use jiff::Timestamp;
use std::collections::BTreeMap;

impl Client {
    /// patchListingsItem (Listings Items API 2021-08-01), a call for each listing. Success means that Amazon accepted
    /// it; it shows minutes later.
    pub(super) async fn push(
        &self,
        updates: &[ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        let mut outcomes: BTreeMap<usize, Result<(), CallError>> = BTreeMap::new();
        let mut stopped: Option<CallError> = None;
        for (place, update) in updates.iter().enumerate() {
            if convert::last_of(updates, place) != place {
                continue;
            }
            let outcome = match &stopped {
                Some(error) => Err(error.clone().with_effect(Effect::None)),
                None => self.patch(update, not_after).await,
            };
            if let Err(error) = &outcome
                && stopped.is_none()
                && concerns_all(error)
            {
                if outcomes.is_empty() {
                    return Err(error.clone());
                }
                stopped = Some(error.clone());
            }
            outcomes.insert(place, outcome);
        }
        // An update that a later one of the same listing replaced has that one's outcome.
        let unsaid = || Err(self.fault(Operation::PatchListingsItem).unsaid("sku"));
        let outcome = |place| outcomes.get(&convert::last_of(updates, place)).cloned();
        let places = 0..updates.len();
        Ok(places
            .map(|place| outcome(place).unwrap_or_else(unsaid))
            .collect())
    }

    async fn patch(&self, update: &ListingUpdate, not_after: Timestamp) -> Result<(), CallError> {
        let operation = Operation::PatchListingsItem;
        let fault = self.fault(operation);
        let marketplace = self.marketplace_of_listing(update);
        let patches = convert::patches(update, marketplace)
            .ok_or_else(|| fault.not_sent(Kind::Refused, Retry::Permanent, "price"))?;
        let body = wire::ListingsItemPatch {
            product_type: &self.config.product_type,
            patches,
        };
        let path = format!(
            "/listings/2021-08-01/items/{}/{}?marketplaceIds={marketplace}",
            encoded(&self.config.seller_id),
            encoded(update.listing.sku.as_str())
        );
        let mut call = self.call_with(operation, Method::PATCH, path, &body)?;
        call.not_after = not_after;
        let answer: wire::ListingsItemSubmission = self.read(&call).await?;
        let mut issues = answer.issues.iter();
        let issue = issues.find(|issue| document::is_error(issue));
        match answer.status.as_deref() {
            Some("ACCEPTED") => Ok(()),
            Some("INVALID") => {
                let code = issue.and_then(|issue| issue.code.as_deref());
                Err(fault.refused(code.unwrap_or("INVALID")))
            }
            _ => Err(fault.unsaid("status")),
        }
    }

    /// What a listing shows, from getListingsItem (Listings Items API 2021-08-01); `None` where there is none.
    pub(super) async fn read_listing(
        &self,
        listing: &ListingId,
    ) -> Result<Option<Shown>, CallError> {
        let operation = Operation::GetListingsItem;
        let marketplace = self.marketplace_of(listing);
        let path = format!(
            "/listings/2021-08-01/items/{}/{}?marketplaceIds={marketplace}&includedData=attributes,fulfillmentAvailability",
            encoded(&self.config.seller_id),
            encoded(listing.sku.as_str())
        );
        let item: wire::ListingsItem = match self.read(&Call::get(operation, path)).await {
            Err(error) if error.kind == Kind::NotFound => return Ok(None),
            answer => answer?,
        };
        let shown = convert::shown(&item, marketplace);
        let bad = |field: convert::BadField| self.fault(operation).meaningless(field.0);
        shown.map(Some).map_err(bad)
    }

    /// The marketplace of a listing: its offer's name where that is one of ours, else the account's first.
    pub(super) fn marketplace_of_listing<'a>(&'a self, update: &'a ListingUpdate) -> &'a str {
        self.marketplace_of(&update.listing)
    }

    fn marketplace_of(&self, listing: &ListingId) -> &str {
        let ids = &self.config.marketplace_ids;
        let named = ids.iter().find(|id| **id == listing.offer);
        named.map_or_else(|| self.config.main_marketplace(), String::as_str)
    }
}

/// Whether an error is about the account or the way to Amazon, so that the next listing would meet the same.
const fn concerns_all(error: &CallError) -> bool {
    !matches!(
        error.kind,
        // A system error may be one listing's alone, and must not keep the others back for good.
        Kind::Refused | Kind::NotFound | Kind::Unreadable | Kind::Unavailable
    )
}
