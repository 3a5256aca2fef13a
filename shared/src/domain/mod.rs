//! Plain types that are valid once they exist: parsed at the edge, private where a rule must hold.
//!
//! **Invariant:** nothing here does I/O or reads a clock.

mod address;
mod attention;
mod bundle;
mod decision;
mod event;
mod ids;
mod listing;
mod missing;
mod money;
mod offer;
mod order;
mod parcel;
mod price_rules;
mod purchase;
mod rates;
mod refund;
mod revisions;
mod rules;
mod signal;

pub use address::{Address, Buyer, CountryCode};
pub use attention::{Attention, Reason, safe_code};
pub use bundle::{Bundle, MappedLine, Part};
pub use decision::{Decided, Decision, LineDecision, Remark};
pub use event::{Event, HistoryRecord};
pub use ids::{
    AccountId, ChannelOrderId, Invalid, LineId, Marketplace, OfferId, OrderKey, Pseudonym,
    Reference, Sku, SupplierOrderId,
};
pub use listing::{Cause, Contradiction, HeldPrice, Listing, ListingId, Pricing, Published};
pub use missing::{MissingLine, Rest, WhyMissing};
pub use money::{Currency, Money};
pub use offer::{Evidence, Offer};
pub use order::{Cancel, Misfit, Order, OrderDetails, OrderLine, Payment, Phase};
pub use parcel::{PackedPart, Parcel, ParcelLine, ParcelState, TrackingNumber};
pub use price_rules::{
    Amount, Hundredths, JumpFactor, LossRule, PriceRule, PriceRules, RatesRule, Rounding, Scope,
};
pub use purchase::{ClosedOrder, Doubt, PartLine, Purchase, PurchaseLine, PurchaseState, Refusal};
pub use rates::{Converted, Exchange, NoRate, Rate, RateValue, Rates, Toward};
pub use refund::{OrderRefund, OrderRefundState, RefundReason};
pub use revisions::{Purpose, Revisions};
pub use rules::{EvidenceRule, OrderRules, Rules, Unavailable};
pub use signal::{Signal, SignalKind};
