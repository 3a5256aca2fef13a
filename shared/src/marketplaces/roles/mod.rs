//! What an account can do for us. Roles are small; what an account cannot do is declared by having no such role.
//!
//! | file | roles |
//! |---|---|
//! | `channel.rs` | read orders, push listings (singly and in bulk) and read them back, confirm parcels, refund, cancel |
//! | `supplier.rs` | read stock, buy |
//! | `door.rs` | verify pushes, read notifications, pull what was missed |
//! | `setup.rs` | subscribe, examine |

mod channel;
mod door;
mod setup;
mod supplier;

pub use crate::domain::RefundReason;
pub use channel::{
    CancelOrders, ConfirmParcels, FetchedOrder, ListingUpdate, OrderPage, ParcelToConfirm,
    PushInBulk, PushListings, ReadListings, ReadOrders, Refund, RefundRequest, RefundState,
    Refunded, Shown, Submission,
};
pub use door::{Notification, PullMissed, ReadNotifications, VerifyPushes};
pub use setup::{Examine, Finding, Subscribe, SubscribeStep, SubscribeTo, Subscribed, Verdict};
pub use supplier::{
    Buy, ParcelContent, PlaceRequest, Placed, Quote, QuoteRequest, QuotedLine, ReadStock, Settle,
    SupplierOrder, SupplierParcel, SupplierState, Wanted,
};

use crate::domain::AccountId;
use crate::guards::{Guard, stands};
use jiff::Timestamp;

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

    /// Many listings can be set with one call.
    fn push_in_bulk(&self) -> Option<&dyn PushInBulk> {
        None
    }

    /// What listings show can be read.
    fn read_listings(&self) -> Option<&dyn ReadListings> {
        None
    }

    /// Customers can be given their money back.
    fn refund(&self) -> Option<&dyn Refund> {
        None
    }

    /// Customers' orders can be cancelled by us.
    fn cancel_orders(&self) -> Option<&dyn CancelOrders> {
        None
    }

    /// Messages of a queue can be read that the marketplace writes to.
    fn read_notifications(&self) -> Option<&dyn ReadNotifications> {
        None
    }

    /// Pushes that nobody took can be read again.
    fn pull_missed(&self) -> Option<&dyn PullMissed> {
        None
    }

    /// Pushes are subscribed to with calls.
    fn subscribe(&self) -> Option<&dyn Subscribe> {
        None
    }

    /// The account's set-up can be looked at.
    fn examine(&self) -> Option<&dyn Examine> {
        None
    }
}

/// Whether a request may still be sent under its lease. An adapter asks directly before it sends what cannot be undone,
/// every time: whatever it did before, renewing a token say, may have taken longer than the lease.
pub(in crate::marketplaces) fn in_time(not_after: Timestamp, now: Timestamp) -> bool {
    now < not_after || !stands(Guard::OwnLease)
}
