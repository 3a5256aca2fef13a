//! eBay, a channel: orders are read, listings set, parcels confirmed and refunds made over the Sell APIs; pushes come
//! from the Notification API, account deletions among them, which eBay demands of every application.
//!
//! Beside them stands the older Trading API (`trading`). A listing can only be changed through the API that made it, so
//! that is chosen per listing: [`ListingId::offer`](crate::domain::ListingId) is an offerId of the Inventory API, or
//! `item:` and the ItemID of a listing of the Trading API. Which of the two reads orders and confirms parcels is said in
//! the account's secret; the Trading API's own pushes, platform notifications, are verified beside the others.
//!
//! Further files: `subscribe.rs` and `examine.rs` hold the roles of these names.
//!
//! What it cannot do for us: it sells nothing that we buy, so there is no stock to read and nothing to place. Orders are
//! not cancelled by us: eBay's Post-Order API is not spoken.

mod auth;
mod client;
mod config;
mod convert;
mod error;
mod examine;
pub mod limits;
pub mod signature;
mod subscribe;
#[cfg(test)]
mod tests;
mod trading;
mod wire;

pub use config::{Config, OrdersApi, SigningKey};

use super::{
    Account, CallError, Challenge, ConfirmParcels, Examine, FetchedOrder, ListingUpdate, OrderPage,
    Outside, ParcelToConfirm, PushListings, PushRefused, ReadListings, ReadOrders, Refund,
    RefundRequest, Refunded, Shown, Subscribe, Unverified, VerifyPushes,
};
use crate::marketplaces::UserTokens;
use crate::{
    domain::{AccountId, ChannelOrderId, Invalid, ListingId, Signal, SignalKind, TrackingNumber},
    secrets::Secret,
};
use async_trait::async_trait;
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

    fn read_listings(&self) -> Option<&dyn ReadListings> {
        Some(self)
    }

    fn confirm_parcels(&self) -> Option<&dyn ConfirmParcels> {
        Some(self)
    }

    fn verify_pushes(&self) -> Option<&dyn VerifyPushes> {
        Some(self)
    }

    fn refund(&self) -> Option<&dyn Refund> {
        Some(self)
    }

    fn subscribe(&self) -> Option<&dyn Subscribe> {
        Some(self)
    }

    fn examine(&self) -> Option<&dyn Examine> {
        Some(self)
    }
}

#[async_trait]
impl ReadOrders for Ebay {
    async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError> {
        match self.client.config.orders {
            OrdersApi::Fulfillment => self.client.order(id).await,
            OrdersApi::Trading => self.client.trading_order(id).await,
        }
    }

    /// The end of the span is kept [`limits::CLOCK_MARGIN_MS`] behind our clock, so the next span must begin before
    /// this one's end.
    async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError> {
        match self.client.config.orders {
            OrdersApi::Fulfillment => self.client.changed(from, until, page).await,
            OrdersApi::Trading => self.client.trading_changed(from, until, page).await,
        }
    }
}

#[async_trait]
impl PushListings for Ebay {
    /// The Inventory API takes one sku a call, the Trading API a few items, so updates are sent in several calls, one
    /// after the other. Where the account itself is refused or eBay is out of reach, the rest of that API's is not sent
    /// and gets the same error.
    async fn push(
        &self,
        updates: &[ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        self.client.push(updates, not_after).await
    }

    /// One call takes one sku's offers; of the Trading API, a few items.
    fn one_call(&self, listings: &[&ListingId]) -> Vec<usize> {
        convert::one_call(listings)
    }

    fn revisions_per_day(&self) -> Option<u32> {
        Some(limits::REVISIONS_PER_LISTING_AND_DAY)
    }
}

#[async_trait]
impl ReadListings for Ebay {
    async fn read(&self, listings: &[ListingId]) -> Vec<Result<Option<Shown>, CallError>> {
        let mut read = Vec::with_capacity(listings.len());
        for listing in listings {
            read.push(self.client.read_listing(listing).await);
        }
        read
    }
}

#[async_trait]
impl ConfirmParcels for Ebay {
    async fn is_confirmed(
        &self,
        order: &ChannelOrderId,
        tracking_number: &TrackingNumber,
    ) -> Result<bool, CallError> {
        match self.client.config.orders {
            OrdersApi::Fulfillment => self.client.is_confirmed(order, tracking_number).await,
            OrdersApi::Trading => {
                self.client
                    .trading_is_confirmed(order, tracking_number)
                    .await
            }
        }
    }

    async fn confirm(
        &self,
        order: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError> {
        match self.client.config.orders {
            OrdersApi::Fulfillment => self.client.confirm(order, parcel).await,
            OrdersApi::Trading => self.client.trading_confirm(order, parcel).await,
        }
    }
}

/// Over the Fulfillment API, whichever API reads the orders.
#[async_trait]
impl Refund for Ebay {
    async fn refunds(&self, order: &ChannelOrderId) -> Result<Vec<Refunded>, CallError> {
        self.client.refunds(order).await
    }

    /// eBay works it off later: the answer is `Pending`, and how it ended is read with [`Refund::refunds`].
    async fn refund(
        &self,
        order: &ChannelOrderId,
        request: &RefundRequest,
    ) -> Result<Refunded, CallError> {
        self.client.refund(order, request).await
    }
}

#[async_trait]
impl VerifyPushes for Ebay {
    async fn verify(&self, push: Unverified) -> Result<Vec<Signal>, PushRefused> {
        let now = self.outside.clock.now();
        if signature::platform::is_platform(&push) {
            return self.verify_platform(push, now);
        }
        let push = signature::verify(&self.client, &self.keys, now, push).await?;
        let malformed = PushRefused::new(StatusCode::BAD_REQUEST, "push malformed");
        let wire = serde_json::from_slice(push.body()).map_err(|_| malformed.clone())?;
        let pseudonyms = self.outside.pseudonyms.key().await.map_err(|_| {
            // It is sent again.
            PushRefused::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "the pseudonym key cannot be read",
            )
        })?;
        let says = convert::push(&wire, &self.id, pseudonyms);
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

impl Ebay {
    /// A platform notification: whatever it says, only ids are taken of it, and the orders are asked for.
    fn verify_platform(
        &self,
        push: Unverified,
        now: Timestamp,
    ) -> Result<Vec<Signal>, PushRefused> {
        let (_, said) = signature::platform::verify(&self.client.config, now, push)?;
        let malformed = PushRefused::new(StatusCode::BAD_REQUEST, "push malformed");
        let orders = trading::push_orders(&said).map_err(|_| malformed)?;
        let signal = |id| Signal {
            account: self.id.clone(),
            kind: SignalKind::OrderChanged(id),
            seen_at: now,
        };
        Ok(orders.into_iter().map(signal).collect())
    }
}

fn is_current(published_at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(published_at);
    -limits::PUSH_AHEAD <= age && age <= limits::OLDEST_PUSH
}
