//! What an account that we sell at can do for us.

use crate::domain::{
    Buyer, ChannelOrderId, LineId, ListingId, Money, OrderDetails, ParcelLine, RefundReason,
    TrackingNumber,
};
use crate::marketplaces::CallError;
use async_trait::async_trait;
use jiff::Timestamp;

/// A customer's order as the channel has it now.
#[derive(Debug, Clone)]
pub struct FetchedOrder {
    /// What may be stored openly.
    pub details: OrderDetails,
    /// What may only be stored sealed; `None` where the channel does not show the buyer (any more).
    pub buyer: Option<Buyer>,
    /// The channel's ids of refunds of the order that failed, as far as it tells with the order.
    pub failed_refunds: Vec<String>,
}

/// A page of orders that changed.
#[derive(Debug, Clone)]
pub struct OrderPage {
    /// The orders, with the time of their last change by the channel's clock.
    pub orders: Vec<(ChannelOrderId, Timestamp)>,
    /// What to ask the next page with; `None` on the last.
    pub next: Option<String>,
}

/// Reads customers' orders.
#[async_trait]
pub trait ReadOrders: Send + Sync {
    /// One order with everything needed to buy for it.
    async fn order(&self, id: &ChannelOrderId) -> Result<FetchedOrder, CallError>;

    /// Orders that changed in a span of time, a page at a time.
    async fn changed(
        &self,
        from: Timestamp,
        until: Timestamp,
        page: Option<&str>,
    ) -> Result<OrderPage, CallError>;
}

/// What a listing shall show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingUpdate {
    /// Which listing.
    pub listing: ListingId,
    /// Units on sale.
    pub quantity: u32,
    /// The price; `None` leaves it as it is.
    pub price: Option<Money>,
}

impl ListingUpdate {
    /// A listing that shall show so many units at a price. One that goes to zero keeps the price that it has: nobody buys at
    /// it, and a price that the channel refuses must not keep on sale what is not there.
    pub fn new(listing: ListingId, quantity: u32, price: Money) -> Self {
        Self {
            listing,
            quantity,
            price: (quantity > 0).then_some(price),
        }
    }
}

/// Sets quantity and price of listings.
#[async_trait]
pub trait PushListings: Send + Sync {
    /// Sets them; from `not_after` on the request must not be sent any more, because others count on it having landed. The
    /// outer error is the call's, the inner ones are the items', in the same order.
    async fn push(
        &self,
        updates: &[ListingUpdate],
        not_after: Timestamp,
    ) -> Result<Vec<Result<(), CallError>>, CallError>;

    /// Which of these one call of the marketplace sets together, by their places: the first, and as many of the others as
    /// the call takes. Only the adapter knows what a call is full of.
    fn one_call(&self, listings: &[&ListingId]) -> Vec<usize> {
        (0..listings.len().min(1)).collect()
    }

    /// How often one listing may be changed in any 24 hours; `None` where nobody says. Whoever pushes counts.
    fn revisions_per_day(&self) -> Option<u32> {
        None
    }
}

/// What a listing shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Units on sale.
    pub quantity: u32,
    /// The price.
    pub price: Money,
}

/// Reads what listings show.
#[async_trait]
pub trait ReadListings: Send + Sync {
    /// The most listings that are worth reading at once; at least 1.
    fn most_at_once(&self) -> usize {
        1
    }

    /// What listings show, in their order; `None` for one that is not there.
    async fn read(&self, listings: &[ListingId]) -> Vec<Result<Option<Shown>, CallError>>;
}

/// The marketplace's id of many updates that were handed in together and are worked off later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The marketplace's id.
    pub id: String,
    /// When it was handed in, by the marketplace's clock.
    pub at: Timestamp,
}

/// Sets many listings with one call, which the marketplace works off later.
#[async_trait]
pub trait PushInBulk: Send + Sync {
    /// The most listings of one submission.
    fn most(&self) -> usize;

    /// The most bytes of one submission, where the marketplace limits them.
    fn most_bytes(&self) -> usize {
        usize::MAX
    }

    /// How many of these bytes an update takes at the most; 0 where they are not limited.
    fn bytes(&self, _: &ListingUpdate) -> usize {
        0
    }

    /// Hands updates in. Without an answer it may have happened: [`PushInBulk::submissions`] is read before a repeat.
    async fn submit(&self, updates: &[ListingUpdate]) -> Result<Submission, CallError>;

    /// What became of a submission: an answer for each of its updates, in their order; `None` while it is at work.
    async fn report(
        &self,
        submission: &Submission,
        updates: &[ListingUpdate],
    ) -> Result<Option<Vec<Result<(), CallError>>>, CallError>;

    /// What was handed in since a time, the newest first.
    async fn submissions(&self, since: Timestamp) -> Result<Vec<Submission>, CallError>;
}

/// A parcel that the channel shall know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelToConfirm {
    /// Its number.
    pub tracking_number: TrackingNumber,
    /// The carrier as the supplier names it; the adapter finds the channel's code.
    pub carrier: String,
    /// What is in it.
    pub lines: Vec<ParcelLine>,
    /// When it was seen to be shipped.
    pub shipped_at: Timestamp,
    /// The end of the lease: from then on the request must not be sent any more.
    pub not_after: Timestamp,
}

/// Tells customers of parcels.
#[async_trait]
pub trait ConfirmParcels: Send + Sync {
    /// Whether the channel already has this parcel. Asked before every attempt but the first.
    async fn is_confirmed(
        &self,
        order: &ChannelOrderId,
        tracking_number: &TrackingNumber,
    ) -> Result<bool, CallError>;

    /// Tells the channel of it, once.
    async fn confirm(
        &self,
        order: &ChannelOrderId,
        parcel: &ParcelToConfirm,
    ) -> Result<(), CallError>;
}

/// Money that a customer gets back for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// How much, of the whole order.
    pub amount: Money,
    /// The one line that it is for; none where it is for the order, or for several of its lines.
    pub line: Option<LineId>,
    /// Why.
    pub reason: RefundReason,
    /// Said to the customer; empty where nothing is said.
    pub comment: String,
    /// The end of the lease: from then on the request must not be sent any more.
    pub not_after: Timestamp,
}

/// A refund as the channel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refunded {
    /// The channel's id of it.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub state: RefundState,
}

/// How far a refund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundState {
    /// The channel has it and has not paid yet.
    Pending,
    /// It was paid.
    Paid,
    /// It failed; nothing was paid.
    Failed,
}

/// Gives customers their money back.
#[async_trait]
pub trait Refund: Send + Sync {
    /// The refunds of an order so far. Read before every attempt but the first, because a repeat pays twice.
    async fn refunds(&self, order: &ChannelOrderId) -> Result<Vec<Refunded>, CallError>;

    /// Gives money back.
    async fn refund(
        &self,
        order: &ChannelOrderId,
        request: &RefundRequest,
    ) -> Result<Refunded, CallError>;
}

/// Tells a channel that the seller cannot fill an order.
#[async_trait]
pub trait CancelOrders: Send + Sync {
    /// Cancels the whole order. Where the channel works it off later, success means that it was handed in.
    async fn cancel(&self, order: &ChannelOrderId, lines: &[LineId]) -> Result<(), CallError>;
}
