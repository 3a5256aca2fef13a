//! What can happen to an order. Its history is a list of these, and its state is nothing but their sum.

use super::{
    Decision, Doubt, LineId, MappedLine, Money, OrderDetails, Parcel, ParcelLine, PartLine,
    PurchaseLine, Rate, Reason, RefundReason, Refusal, Remark, SupplierOrderId, TrackingNumber,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One thing that happened to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The order was read from the channel for the first time.
    Recorded {
        /// What the channel said, without the buyer's data.
        details: OrderDetails,
    },
    /// The channel says something else than before.
    Changed {
        /// What it says now.
        details: OrderDetails,
    },
    /// What lines are made of, by the catalogue of the moment.
    Mapped {
        /// The lines that the catalogue knows.
        lines: Vec<MappedLine>,
    },
    /// A purchase was planned and its units reserved.
    Planned {
        /// Counts from 1 in the order.
        purchase: u8,
        /// What it buys.
        lines: Vec<PurchaseLine>,
    },
    /// What is planned next leaves these lines out: they cannot be had now, and the others are bought without them. None:
    /// nothing is left out any more.
    LeftOut {
        /// The lines.
        lines: Vec<LineId>,
    },
    /// Costs of what is planned next were converted into the order's currency by these rates.
    CostsConverted {
        /// The rates, with their sources and times.
        rates: Vec<Rate>,
    },
    /// Somebody took the lease and calls the supplier.
    PlacingStarted {
        /// Which purchase.
        purchase: u8,
        /// The end of the lease.
        lease_until: Timestamp,
    },
    /// The supplier has the purchase.
    Placed {
        /// Which purchase.
        purchase: u8,
        /// The supplier's numbers.
        supplier_orders: Vec<SupplierOrderId>,
    },
    /// A person says that the purchase has other numbers at the supplier than was thought.
    NumbersCorrected {
        /// Which purchase.
        purchase: u8,
        /// The supplier's numbers.
        supplier_orders: Vec<SupplierOrderId>,
    },
    /// It is proven that the supplier does not have the purchase; it may be tried again.
    NotPlaced {
        /// Which purchase.
        purchase: u8,
        /// Not before.
        retry_at: Timestamp,
    },
    /// It is not known whether the supplier has the purchase.
    Doubted {
        /// Which purchase.
        purchase: u8,
        /// Since when, and when it may be settled.
        doubt: Doubt,
    },
    /// The supplier refused the purchase, proven without effect; its units are free again.
    Refused {
        /// Which purchase.
        purchase: u8,
        /// What was refused.
        refusal: Refusal,
        /// The supplier's documented code.
        code: String,
    },
    /// The purchase was given up before it was placed; its units are free again.
    PurchaseCancelled {
        /// Which purchase.
        purchase: u8,
    },
    /// A person says that the supplier does not have the purchase, or no longer. It is given up; it may have been placed.
    PurchaseGivenUp {
        /// Which purchase.
        purchase: u8,
    },
    /// The supplier has closed one of several orders that it made of a purchase.
    SupplierOrderClosed {
        /// Which purchase.
        purchase: u8,
        /// The supplier's number of the closed order.
        supplier_order: SupplierOrderId,
        /// What of the purchase was in it; empty where the supplier does not tell.
        lines: Vec<PartLine>,
    },
    /// A person says that the supplier does not have a part of a purchase any more. That part is given up.
    PurchasePartGivenUp {
        /// Which purchase.
        purchase: u8,
        /// What is given up of it.
        lines: Vec<PartLine>,
        /// The supplier's numbers that are over with it.
        supplier_orders: Vec<SupplierOrderId>,
    },
    /// All of a purchase is on its way.
    Shipped {
        /// Which purchase.
        purchase: u8,
    },
    /// All of a purchase has arrived.
    Delivered {
        /// Which purchase.
        purchase: u8,
    },
    /// The supplier named a parcel.
    ParcelSeen {
        /// The parcel.
        parcel: Parcel,
    },
    /// Somebody took the lease and tells the channel of a parcel.
    ConfirmStarted {
        /// Which parcel.
        parcel: TrackingNumber,
        /// The end of the lease.
        lease_until: Timestamp,
    },
    /// The channel has the parcel.
    ParcelConfirmed {
        /// Which parcel.
        parcel: TrackingNumber,
    },
    /// The channel refuses the parcel.
    ParcelRefused {
        /// Which parcel.
        parcel: TrackingNumber,
    },
    /// The channel no longer has all that the parcel would be told of, and was not told: it is told of these lines, or not at
    /// all.
    ParcelReduced {
        /// Which parcel.
        parcel: TrackingNumber,
        /// What the channel still has of it.
        lines: Vec<ParcelLine>,
    },
    /// A parcel arrived.
    ParcelDelivered {
        /// Which parcel.
        parcel: TrackingNumber,
    },
    /// The order waits for a person.
    AttentionRaised {
        /// Why.
        reason: Reason,
    },
    /// The cause has passed.
    AttentionCleared,
    /// A person decided about the order. What follows from it stands in the records after this one, of the same moment.
    Resolved {
        /// What was decided.
        decision: Decision,
        /// Why, in the person's words.
        reason: Remark,
        /// Who.
        by: Remark,
    },
    /// Somebody tells the channel to give money back.
    RefundStarted {
        /// Counts from 1 in the order.
        refund: u8,
        /// How much.
        amount: Money,
        /// Lines that need not be sent any more because of it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<LineId>,
        /// The end of the lease.
        lease_until: Timestamp,
        /// Why, in the channel's words.
        reason: RefundReason,
        /// Why, in the person's words.
        why: Remark,
        /// Who.
        by: Remark,
    },
    /// The channel has the refund.
    RefundIssued {
        /// Which refund.
        refund: u8,
        /// The channel's id.
        id: String,
    },
    /// It is proven that the channel does not have the refund.
    RefundFailed {
        /// Which refund.
        refund: u8,
        /// The channel's documented code, or a word of ours.
        code: String,
    },
    /// A person tells the channel that the order cannot be filled. Nothing more is bought for it.
    Declined {
        /// Why, in the person's words.
        why: Remark,
        /// Who.
        by: Remark,
    },
    /// The customer's order was cancelled, and nothing of it is bought or comes any more.
    Cancelled,
    /// The buyer's data was erased.
    BuyerErased,
    /// Nothing is left to do.
    Finished,
}

impl Event {
    /// The event's name as written in logs and lists.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Recorded { .. } => "recorded",
            Self::Changed { .. } => "changed",
            Self::Mapped { .. } => "mapped",
            Self::Planned { .. } => "planned",
            Self::LeftOut { .. } => "left_out",
            Self::CostsConverted { .. } => "costs_converted",
            Self::PlacingStarted { .. } => "placing_started",
            Self::Placed { .. } => "placed",
            Self::NumbersCorrected { .. } => "numbers_corrected",
            Self::NotPlaced { .. } => "not_placed",
            Self::Doubted { .. } => "doubted",
            Self::Refused { .. } => "refused",
            Self::PurchaseCancelled { .. } => "purchase_cancelled",
            Self::PurchaseGivenUp { .. } => "purchase_given_up",
            Self::SupplierOrderClosed { .. } => "supplier_order_closed",
            Self::PurchasePartGivenUp { .. } => "purchase_part_given_up",
            Self::Shipped { .. } => "shipped",
            Self::Delivered { .. } => "delivered",
            Self::ParcelSeen { .. } => "parcel_seen",
            Self::ConfirmStarted { .. } => "confirm_started",
            Self::ParcelConfirmed { .. } => "parcel_confirmed",
            Self::ParcelRefused { .. } => "parcel_refused",
            Self::ParcelReduced { .. } => "parcel_reduced",
            Self::ParcelDelivered { .. } => "parcel_delivered",
            Self::AttentionRaised { .. } => "attention_raised",
            Self::AttentionCleared => "attention_cleared",
            Self::Resolved { .. } => "resolved",
            Self::RefundStarted { .. } => "refund_started",
            Self::RefundIssued { .. } => "refund_issued",
            Self::RefundFailed { .. } => "refund_failed",
            Self::Declined { .. } => "declined",
            Self::Cancelled => "cancelled",
            Self::BuyerErased => "buyer_erased",
            Self::Finished => "finished",
        }
    }
}

/// A record of an order's history. It carries the hash of the one before, so that none can be changed or lost unseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRecord {
    /// Counts from 1 in the order.
    pub number: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// Lower-case hex SHA-256 of the record before as stored; 64 zeros for the first.
    pub previous: String,
}

impl HistoryRecord {
    /// What the first record carries for the one before.
    pub const NONE_BEFORE: &str =
        "0000000000000000000000000000000000000000000000000000000000000000";

    /// The hash that the next record carries, of this record's stored text.
    pub fn hash_of(stored: &str) -> String {
        hex::encode(Sha256::digest(stored))
    }
}
