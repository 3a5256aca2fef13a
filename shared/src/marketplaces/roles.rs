//! What an account can do for us. Roles are small; what an account cannot do is declared by having no such role.

use super::{CallError, Challenge, Kind, PushRefused, Retry, Unverified};
use crate::domain::{
    AccountId, Buyer, ChannelOrderId, CountryCode, Evidence, LineId, ListingId, Money, OfferId,
    OrderDetails, ParcelLine, Reference, Signal, SupplierOrderId, TrackingNumber,
};
use crate::guards::{Guard, stands};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// One account at one marketplace.
pub trait Account: Send + Sync + std::fmt::Debug {
    /// Which account.
    fn id(&self) -> &AccountId;

    /// Customers' orders can be read.
    fn read_orders(&self) -> Option<&dyn ReadOrders> {
        None
    }

    /// Quantity and price of listings can be set.
    fn push_listings(&self) -> Option<&dyn PushListings> {
        None
    }

    /// Parcels can be confirmed to customers.
    fn confirm_parcels(&self) -> Option<&dyn ConfirmParcels> {
        None
    }

    /// Stock and cost of offers can be read.
    fn read_stock(&self) -> Option<&dyn ReadStock> {
        None
    }

    /// Goods can be bought.
    fn buy(&self) -> Option<&dyn Buy> {
        None
    }

    /// Its pushes can be verified.
    fn verify_pushes(&self) -> Option<&dyn VerifyPushes> {
        None
    }
}

/// A customer's order as the channel has it now.
#[derive(Debug, Clone)]
pub struct FetchedOrder {
    /// What may be stored openly.
    pub details: OrderDetails,
    /// What may only be stored sealed; `None` where the channel does not show the buyer (any more).
    pub buyer: Option<Buyer>,
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
    /// The price.
    pub price: Money,
}

/// Sets quantity and price of listings.
#[async_trait]
pub trait PushListings: Send + Sync {
    /// Sets them. The outer error is the call's, the inner ones are the items', in the same order.
    async fn push(
        &self,
        updates: &[ListingUpdate],
    ) -> Result<Vec<Result<(), CallError>>, CallError>;
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

/// Reads a supplier's stock.
#[async_trait]
pub trait ReadStock: Send + Sync {
    /// Evidence for offers of one product, one answer an offer in the same order. `None` where the variant is gone.
    async fn stock(
        &self,
        product: &str,
        variants: &[String],
        ship_to: &CountryCode,
    ) -> Result<Vec<Option<Evidence>>, CallError>;
}

/// Units that are wanted of an offer for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The channel's line.
    pub line: LineId,
    /// The offer.
    pub offer: OfferId,
    /// Units.
    pub quantity: u32,
}

/// What would it cost, could it be had, how would it come?
#[derive(Debug, Clone)]
pub struct QuoteRequest<'a> {
    /// What is wanted, all of this account.
    pub wanted: &'a [Wanted],
    /// Where it goes.
    pub ship_to: &'a CountryCode,
}

/// A supplier's terms for one wanted line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedLine {
    /// Price of one unit.
    pub unit_cost: Money,
    /// Shipping of the whole line.
    pub shipping: Money,
    /// The supplier's code of the shipping option.
    pub shipping_option: String,
    /// What an order must repeat to mean this variant; empty where nothing.
    pub variant_attributes: String,
    /// Units that the supplier says it has.
    pub stock: u32,
}

/// A supplier's terms, in the order of what was wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// A line for each wanted line.
    pub lines: Vec<QuotedLine>,
}

/// A purchase to place. Every attempt of one purchase sends the same one.
#[derive(Debug, Clone)]
pub struct PlaceRequest<'a> {
    /// Our reference.
    pub reference: &'a Reference,
    /// What is bought, on which terms.
    pub lines: &'a [crate::domain::PurchaseLine],
    /// Who gets it.
    pub buyer: &'a Buyer,
    /// The end of the lease: from then on the request must not be sent any more.
    pub not_after: Timestamp,
}

impl PlaceRequest<'_> {
    /// Asked by an adapter directly before it sends the order, every time: whatever it did before, renewing a token say,
    /// may have taken longer than the lease. The error proves that nothing was sent.
    pub fn in_time(&self, supplier: &AccountId, now: Timestamp) -> Result<(), CallError> {
        if now < self.not_after || !stands(Guard::OwnLease) {
            return Ok(());
        }
        let retry = Retry::After(Duration::ZERO);
        Err(CallError::new(supplier, "place", Kind::TooLate, retry, "lease-over"))
    }
}

/// A supplier took a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its numbers; a supplier may split by shop. Empty where it only says that it has had this reference already.
    pub supplier_orders: Vec<SupplierOrderId>,
}

/// How a doubt about a purchase is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settle {
    /// The supplier's orders can be searched by our reference, reliably after this time.
    LookUp {
        /// Settling time.
        after: Duration,
    },
    /// The same request may be repeated, and is known to be recognised, within this time of the first.
    Repeat {
        /// Time after the refused or unanswered call before the repeat.
        after: Duration,
        /// From the first sending on; kept well below what the supplier documents.
        within: Duration,
    },
    /// Only a person can tell.
    Person,
}

/// What a supplier says of an order that we placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplierOrder {
    /// How far it is.
    pub state: SupplierState,
    /// Its parcels so far.
    pub parcels: Vec<SupplierParcel>,
}

/// How far a supplier's order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupplierState {
    /// It waits for our payment.
    Unpaid,
    /// It is being prepared.
    Processing,
    /// A part is on its way.
    PartlyShipped,
    /// All of it is on its way.
    Shipped,
    /// All of it has arrived.
    Delivered,
    /// It was closed and will not come.
    Closed {
        /// The supplier's documented code.
        code: String,
    },
}

/// Units in a supplier's parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParcelContent {
    /// The supplier's id of the product.
    pub product: String,
    /// The supplier's id of the variant, where it says.
    pub variant: Option<String>,
    /// Units.
    pub quantity: u32,
}

/// A supplier's parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplierParcel {
    /// Its number.
    pub tracking_number: TrackingNumber,
    /// The carrier as the supplier names it.
    pub carrier: String,
    /// What is in it; empty where the supplier does not say.
    pub contents: Vec<ParcelContent>,
    /// Whether the carrier delivered it.
    pub delivered: bool,
}

/// Buys.
#[async_trait]
pub trait Buy: Send + Sync {
    /// Asks for terms. Has no effect.
    async fn quote(&self, request: &QuoteRequest<'_>) -> Result<Quote, CallError>;

    /// Places a purchase: the one call that cannot be undone. Called only by the holder of the purchase's lease; it asks
    /// [`PlaceRequest::in_time`] before it sends.
    async fn place(&self, request: &PlaceRequest<'_>) -> Result<Placed, CallError>;

    /// How a doubt is settled here.
    fn settle(&self) -> Settle;

    /// Searches for a purchase by our reference; only where [`Buy::settle`] says `LookUp`. `None`: proven absent.
    async fn look_up(&self, reference: &Reference) -> Result<Option<Placed>, CallError>;

    /// Reads an order that we placed, with its parcels.
    async fn supplier_order(&self, id: &SupplierOrderId) -> Result<SupplierOrder, CallError>;
}

/// Verifies pushes and turns them into signals.
#[async_trait]
pub trait VerifyPushes: Send + Sync {
    /// Checks authenticity over the raw bytes, then age, then shape.
    async fn verify(&self, push: Unverified) -> Result<Vec<Signal>, PushRefused>;

    /// Answers the question whether the endpoint is ours; `None` where the marketplace has no such question.
    fn challenge(&self, query: &str) -> Option<Result<Challenge, PushRefused>>;
}
