//! Money that a customer gets back.

use super::{LineId, Money};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Why money is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundReason {
    /// The customer cancelled.
    CustomerCancelled,
    /// The goods cannot be had.
    OutOfStock,
    /// The goods did not come.
    NotReceived,
    /// The goods came damaged, or are not what was sold.
    NotAsDescribed,
    /// A favour.
    Goodwill,
}

/// A refund of an order, as Kervan has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRefund {
    /// Counts from 1 in each order.
    pub number: u8,
    /// How much.
    pub amount: Money,
    /// Lines that need not be sent any more because of it, whole; all of them where it gives back all of the order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<LineId>,
    /// How far it is.
    pub state: OrderRefundState,
}

/// How far a refund is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum OrderRefundState {
    /// Somebody may be telling the channel, or did and got no answer.
    Started {
        /// Until then nobody else tells.
        lease_until: Timestamp,
    },
    /// The channel has it.
    Issued {
        /// The channel's id.
        id: String,
    },
    /// It is proven that the channel does not have it.
    Failed {
        /// The channel's documented code, or a word of ours.
        code: String,
    },
}

impl OrderRefund {
    /// Whether the customer gets it, or may get it.
    pub const fn counts(&self) -> bool {
        !matches!(self.state, OrderRefundState::Failed { .. })
    }
}
