//! eBay, a channel: orders are read, listings set and parcels confirmed over the Sell APIs; pushes come from the
//! Notification API, account deletions among them, which eBay demands of every application.
//!
//! What it cannot do for us: it sells nothing that we buy, so there is no stock to read and nothing to place. Listings
//! must have been made through the Inventory API; those of the older Trading API cannot be set here.

mod auth;
mod client;
mod config;
mod convert;
mod error;
pub mod limits;
mod signature;
#[cfg(test)]
mod tests;
mod wire;

pub use config::Config;

use super::{
    Account, CallError, Challenge, ConfirmParcels, FetchedOrder, ListingUpdate, OrderPage, Outside,
    ParcelToConfirm, PushListings, PushRefused, ReadOrders, Unverified, VerifyPushes,
};
use crate::{
    domain::{AccountId, ChannelOrderId, Invalid, Signal, TrackingNumber},
    secrets::Secret,
};
use async_trait::async_trait;
use auth::UserTokens;
use client::Client;
use http::StatusCode;
use jiff::Timestamp;
use std::{fmt, sync::Arc};

/// One eBay account.
pub struct Ebay {
    id: AccountId,
    endpoint: String,
    verification_token: Secret,
    outside: Outside,
    client: Client,
    keys: signature::Keys,
}

impl Ebay {
    /// The account `id` with its secret's JSON text, as [`Config`] describes it. Fails where the secret does not fit,
    /// naming the field and never its value.
    pub fn new(id: AccountId, secret: &Secret, outside: Outside) -> Result<Self, Invalid> {
        let config = Config::parse(secret)?;
        let tokens = outside.tokens.clone().map(|tokens| tokens as Arc<_>);
        Ok(Self::with_tokens(id, config, outside, tokens))
    }

    fn with_tokens(
        id: AccountId,
        config: Config,
        outside: Outside,
        tokens: Option<Arc<dyn UserTokens>>,
    ) -> Self {
        Self {
            endpoint: config.endpoint.clone(),
            verification_token: config.verification_token.clone(),
            client: Client::new(id.clone(), config, outside.clone(), tokens),
            keys: signature::Keys::default(),
            id,
            outside,
        }
    }
}

impl fmt::Debug for Ebay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Ebay({})", self.id)
    }
}

impl Account for Ebay {
    fn id(&self) -> &AccountId {
        &self.id
    }

    fn read_orders(&self) -> Option<&dyn ReadOrders> {
        Some(self)
    }

    fn push_listings(&self) -> Option<&dyn PushListings> {
        Some(self)
    }

    fn confirm_parcels(&self) -> Option<&dyn ConfirmParcels> {
        Some(self)
    }

    fn verify_pushes(&self) -> Option<&dyn VerifyPushes> {
        Some(self)
    }
}

#[async_trait]
impl ReadOrders for Ebay {
    async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError> {
        self.client.order(id).await
    }

    /// The end of the span is kept [`limits::CLOCK_MARGIN_MS`] behind our clock, so the next span must begin before
    /// this one's end.
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
impl PushListings for Ebay {
    /// eBay takes one sku a call, so updates of several skus are sent in several calls, one after the other. Where the
    /// account itself is refused or eBay is out of reach, the rest is not sent and gets the same error.
    async fn push(
        &self,
        updates: &[ListingUpdate],
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        self.client.push(updates).await
    }
}

#[async_trait]
impl ConfirmParcels for Ebay {
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
impl VerifyPushes for Ebay {
    async fn verify(&self, push: Unverified) -> Result<Vec<Signal>, PushRefused> {
        let now = self.outside.clock.now();
        let push = signature::verify(&self.client, &self.keys, now, push).await?;
        let malformed = PushRefused::new(StatusCode::BAD_REQUEST, "push malformed");
        let wire = serde_json::from_slice(push.body()).map_err(|_| malformed.clone())?;
        let says = convert::push(&wire, &self.id, &self.outside.pseudonyms);
        let says = says.map_err(|_| malformed)?;
        if says.published_at.is_some_and(|at| !is_current(at, now)) {
            let status = StatusCode::PRECONDITION_FAILED;
            return Err(PushRefused::new(status, "push too old or from the future"));
        }
        let signal = says.kind.map(|kind| Signal {
            account: self.id.clone(),
            kind,
            seen_at: now,
        });
        Ok(signal.into_iter().collect())
    }

    fn challenge(&self, query: &str) -> Option<Result<Challenge, PushRefused>> {
        // The token goes into the hash that eBay compares, and nowhere else.
        let token = self.verification_token.expose();
        Some(signature::challenge(query, token, &self.endpoint))
    }
}

fn is_current(published_at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(published_at);
    -limits::PUSH_AHEAD <= age && age <= limits::OLDEST_PUSH
}
