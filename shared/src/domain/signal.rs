//! "Something about X may have changed." A signal never carries the truth: the marketplace is asked for that.

use super::{AccountId, Pseudonym};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What may have changed, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The account that it concerns.
    pub account: AccountId,
    /// What may have changed.
    #[serde(flatten)]
    pub kind: SignalKind,
    /// When Kervan learned of it.
    pub seen_at: Timestamp,
}

/// The kinds of signal, each with the id that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum SignalKind {
    /// A customer's order on a channel was made, paid, changed or cancelled; or it is due.
    OrderChanged(super::ChannelOrderId),
    /// An order that we placed at a supplier was paid, shipped, delivered or closed.
    SupplierOrderChanged(super::SupplierOrderId),
    /// The tracking of a customer's order is due for a look.
    TrackingDue(super::ChannelOrderId),
    /// A person has to be erased; the pseudonyms of all names by which the channel knows them.
    PersonErased(Vec<Pseudonym>),
}
