//! Amazon (Selling Partner API), a channel: orders are read with the Orders API 2026-01-01, parcels confirmed, listings
//! set singly and by feed, orders cancelled by feed; Amazon tells of changes in a queue, to which it is subscribed here.
//!
//! What it cannot do for us: it sells nothing that we buy; money is given back in Seller Central, because the feed for it
//! (POST_PAYMENT_ADJUSTMENT_DATA) has no answer that would tell a repeat; and nothing is pushed over HTTP.
//!
//! A listing's `offer` names its marketplace, as in `ATVPDKIKX0DER`; anything else means the account's first.

mod auth;
mod client;
mod config;
mod convert;
mod document;
mod error;
mod feeds;
pub mod limits;
mod listings;
mod loose;
mod notification;
mod setup;
mod signature;
mod sites;
#[cfg(test)]
mod tests;
mod wire;

pub use config::Config;

use super::{
    Account, CallError, CancelOrders, ConfirmParcels, Examine, FetchedOrder, Finding,
    ListingUpdate, Notification, OrderPage, Outside, ParcelToConfirm, PushInBulk, PushListings,
    PushRefused, ReadListings, ReadNotifications, ReadOrders, Shown, Submission, Subscribe,
    SubscribeTo, Subscribed,
};
use crate::marketplaces::UserTokens;
use crate::{
    domain::{AccountId, ChannelOrderId, Invalid, LineId, ListingId, TrackingNumber},
    secrets::Secret,
};
use async_trait::async_trait;
use client::Client;
use jiff::Timestamp;
use std::{fmt, sync::Arc};

/// One Amazon account.
pub struct Amazon {
    client: Client,
}

impl Amazon {
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
            client: Client::new(id, config, outside, tokens),
        }
    }
}

impl fmt::Debug for Amazon {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Amazon({})", self.client.account)
    }
}

impl Account for Amazon {
    fn id(&self) -> &AccountId {
        &self.client.account
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

    fn push_in_bulk(&self) -> Option<&dyn PushInBulk> {
        Some(self)
    }

    fn confirm_parcels(&self) -> Option<&dyn ConfirmParcels> {
        Some(self)
    }

    fn cancel_orders(&self) -> Option<&dyn CancelOrders> {
        Some(self)
    }

    fn read_notifications(&self) -> Option<&dyn ReadNotifications> {
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
impl ReadOrders for Amazon {
    async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError> {
        self.client.order(id).await
    }

    /// The end of the span is kept [`limits::SPAN_ENDS_BEFORE`] behind our clock, so the next span must begin before
    /// this one's end. Orders that Amazon sends itself are left out.
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
impl PushListings for Amazon {
    /// Amazon takes one listing a call, so they are sent one after the other. Where the account itself is refused or
    /// Amazon is out of reach, the rest is not sent and gets the same error. Success means accepted: the change shows
    /// minutes later.
    async fn push(
        &self,
        updates: &[ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError> {
        self.client.push(updates, not_after).await
    }
}

#[async_trait]
impl ReadListings for Amazon {
    async fn read(&self, listings: &[ListingId]) -> Vec<Result<Option<Shown>, CallError>> {
        let mut read = Vec::with_capacity(listings.len());
        for listing in listings {
            read.push(self.client.read_listing(listing).await);
        }
        read
    }
}

#[async_trait]
impl PushInBulk for Amazon {
    fn most(&self) -> usize {
        limits::MESSAGES_PER_FEED
    }

    fn most_bytes(&self) -> usize {
        limits::LARGEST_FEED_BYTES - limits::FEED_HEADER_BYTES
    }

    fn bytes(&self, update: &ListingUpdate) -> usize {
        self.client.feed_bytes(update)
    }

    async fn submit(&self, updates: &[ListingUpdate]) -> Result<Submission, CallError> {
        self.client.submit(updates).await
    }

    async fn report(
        &self,
        submission: &Submission,
        updates: &[ListingUpdate],
    ) -> Result<Option<Vec<Result<(), CallError>>>, CallError> {
        self.client.report(submission, updates).await
    }

    async fn submissions(&self, since: Timestamp) -> Result<Vec<Submission>, CallError> {
        self.client.submissions(since).await
    }
}

#[async_trait]
impl ConfirmParcels for Amazon {
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
impl CancelOrders for Amazon {
    async fn cancel(&self, order: &ChannelOrderId, lines: &[LineId]) -> Result<(), CallError> {
        self.client.cancel(order, lines).await
    }
}

impl ReadNotifications for Amazon {
    fn read(&self, message: &[u8]) -> Result<Option<Notification>, PushRefused> {
        let client = &self.client;
        let now = client.outside.clock.now();
        notification::read(&client.account, &client.config.seller_id, message, now)
    }
}

#[async_trait]
impl Subscribe for Amazon {
    async fn subscribe(&self, to: &SubscribeTo) -> Result<Vec<Subscribed>, CallError> {
        self.client.subscribe(to).await
    }
}

#[async_trait]
impl Examine for Amazon {
    async fn examine(&self) -> Vec<Finding> {
        self.client.examine().await
    }
}
