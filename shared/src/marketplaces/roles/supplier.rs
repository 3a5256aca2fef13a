//! What an account that we buy at can do for us.

use super::in_time;
use crate::domain::{
    AccountId, Buyer, CountryCode, Evidence, LineId, Money, OfferId, PurchaseLine, Reference,
    SupplierOrderId, TrackingNumber,
};
use crate::marketplaces::{CallError, Kind, Retry};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// Reads a supplier's stock.
#[async_trait]
pub trait ReadStock: Send + Sync {
    /// How many products one call of the marketplace tells of. What is asked for together should be of no more.
    fn products_at_once(&self) -> usize {
        1
    }

    /// Evidence for offers of this account, one answer an offer in the same order; `None` where the variant is gone. The
    /// outer error is the call's, the inner ones are the offers'.
    async fn stock(
        &self,
        offers: &[OfferId],
        ship_to: &CountryCode,
    ) -> Result<Vec<Result<Option<Evidence>, CallError>>, CallError>;
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
    pub lines: &'a [PurchaseLine],
    /// Who gets it.
    pub buyer: &'a Buyer,
    /// The end of the lease: from then on the request must not be sent any more.
    pub not_after: Timestamp,
}

impl PlaceRequest<'_> {
    /// Asked by an adapter directly before it sends the order, every time. The error proves that nothing was sent.
    pub fn in_time(&self, supplier: &AccountId, now: Timestamp) -> Result<(), CallError> {
        if in_time(self.not_after, now) {
            return Ok(());
        }
        let retry = Retry::After(Duration::ZERO);
        Err(CallError::new(
            supplier,
            "place",
            Kind::TooLate,
            retry,
            "lease-over",
        ))
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
    /// The supplier's orders can be searched by our reference.
    LookUp {
        /// A search surely finds an order so long after it was placed.
        listed_within: Duration,
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
    /// What was bought with it, whatever became of it; empty where the supplier does not say, or not of all of it.
    pub contents: Vec<ParcelContent>,
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

/// Units in a supplier's parcel, or in its order.
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

    /// Whether `next` can be in one order with `lines`, by what their quotes said. What cannot is a purchase of its own,
    /// because a purchase is one call and one reference. A supplier that splits an order itself takes all.
    fn takes_together(&self, lines: &[PurchaseLine], next: &PurchaseLine) -> bool {
        let _ = (lines, next);
        true
    }

    /// Places a purchase: the one call that cannot be undone. Called only by the holder of the purchase's lease; it asks
    /// [`PlaceRequest::in_time`] before it sends.
    async fn place(&self, request: &PlaceRequest<'_>) -> Result<Placed, CallError>;

    /// How a doubt is settled here.
    fn settle(&self) -> Settle;

    /// Searches for a purchase by our reference among the orders since it was first sent; only where [`Buy::settle`] says
    /// `LookUp`. `None`: proven absent.
    async fn look_up(
        &self,
        reference: &Reference,
        since: Timestamp,
    ) -> Result<Option<Placed>, CallError>;

    /// Reads an order that we placed, with its parcels.
    async fn supplier_order(&self, id: &SupplierOrderId) -> Result<SupplierOrder, CallError>;
}
