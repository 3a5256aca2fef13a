//! What the world does to a customer's order, and to the goods behind it, without anybody calling the marketplace's API: a
//! seller's own hand on the marketplace's pages, the buyer, the marketplace, the supplier, the carrier.
//!
//! The actions have the same names at every marketplace; what each of them looks like on the wire is the marketplace's own.
//! One that a marketplace does not have, or does not document, is refused with the reason. The matrix in the README says
//! which are which, and a test performs each.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::routing::get;
use axum::routing::post;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use crate::buyer::Buyer;
use crate::control::Body;
use crate::control::Made;
use crate::control::done;
use crate::control::merge;
use crate::error::ControlError;
use crate::simulator::Marketplace;
use crate::simulator::Simulator;

/// What happens to a customer's order at a channel. Lines are counted from 0, as the order has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum OrderAction {
    /// The seller marks units of a line as shipped on the marketplace's pages.
    ShipByHand {
        /// Which line.
        line: usize,
        /// How many more of its units.
        units: u32,
    },
    /// The seller pays money back on the marketplace's pages.
    Refund {
        /// What of.
        of: RefundOf,
        /// How it ends.
        ends: RefundEnd,
    },
    /// A line is cancelled whole.
    CancelLine {
        /// Which line.
        line: usize,
        /// By whom.
        by: Party,
    },
    /// The order is cancelled, and the buyer gets the money back.
    CancelOrder {
        /// By whom.
        by: Party,
    },
    /// The buyer, or the marketplace for the buyer, changes where it goes.
    ChangeAddress {
        /// The new address, whole.
        buyer: Box<Buyer>,
    },
    /// The order goes on under another id, as when it is paid.
    ChangeId,
    /// The order becomes a part of another of the same buyer.
    MergeInto {
        /// The order that stays.
        order_id: String,
    },
    /// Reads no longer show a part of the buyer's data.
    Hide {
        /// Which part.
        what: Hidden,
    },
    /// The order is not paid, and stays so.
    NeverPaid,
    /// The marketplace looks into the payment and asks not to ship meanwhile.
    Review,
    /// The marketplace collects a tax from the buyer on top of the price and pays it to the state itself.
    CollectTax {
        /// Tax on each line, in cents of the order's currency.
        cents_a_line: i64,
        /// The number that has to stand on the parcel, such as an IOSS number.
        reference: Option<String>,
    },
    /// How the marketplace tells its fee from now on.
    ReportFee {
        /// How.
        how: FeeReport,
    },
    /// The marketplace ships it from its own warehouse.
    FulfilByChannel,
    /// No read shows the order any more.
    Vanish,
    /// A part of the order is written so that a strict reader stumbles over it, in every read of it.
    Spoil {
        /// Which part.
        what: Spoiled,
    },
}

/// What of an order is paid back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case", deny_unknown_fields)]
pub enum RefundOf {
    /// A line, whole: the customer is not to get it any more.
    Line {
        /// Which line.
        line: usize,
    },
    /// A part of a line's price, in cents; the goods are still to come.
    Part {
        /// Of which line.
        line: usize,
        /// How much.
        cents: i64,
    },
    /// Everything.
    Order,
}

/// How a refund ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundEnd {
    /// It is paid at once.
    Paid,
    /// It is under way, and is paid later.
    Pending,
    /// It is under way, and fails later.
    FailsLater,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The customer.
    Buyer,
    /// The merchant.
    Seller,
    /// The marketplace itself.
    Marketplace,
}

/// A part of the buyer's data that reads do not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hidden {
    /// There is no address at all.
    Address,
    /// The address lacks its country.
    Country,
    /// Name, street and phone are masked, the rest is there.
    Masked,
    /// Everything about the buyer is withheld from this application.
    Buyer,
}

/// How a marketplace tells its fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeeReport {
    /// With every read.
    Always,
    /// Only where the request asks for it.
    OnRequest,
    /// Not at all.
    Never,
    /// In another currency than the order's.
    OtherCurrency,
}

/// A part of an order that a strict reader stumbles over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spoiled {
    /// A field that is always there is missing.
    Entry,
    /// A text holds a character that the format forbids or that hardly anybody expects.
    Character,
}

/// How lists of orders are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListHabits {
    /// After each page that is not the last, the oldest order that was on it changes, so that it leaves its place in the set.
    pub moves_while_paged: bool,
    /// Milliseconds until a page is answered.
    pub page_takes_ms: u64,
}

/// What happens on a supplier's side. Orders are the supplier's, by their ids there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum SupplierAction {
    /// Prices are told without tax from now on; an order costs it on top.
    TaxOnTop {
        /// Hundredths of the goods' price.
        percent: u32,
    },
    /// Orders cost import charges on top from now on.
    ImportCharges {
        /// On each order, in cents of the supplier's currency.
        cents: i64,
    },
    /// Orders cost more than was told before from now on, and the answer to the order does not say so.
    ChargeMore {
        /// Hundredths of the order's price.
        percent: u32,
    },
    /// The buying account may not buy.
    BlockAccount {
        /// Whether it is blocked from now on.
        is_blocked: bool,
    },
    /// The next order is refused for a reason of its own, and no other.
    RefuseNextOrder,
    /// One order is closed: its goods do not come.
    CloseOrder {
        /// Which one.
        order_id: String,
    },
    /// A carrier writes an event about the order's parcels.
    TrackingEvent {
        /// Of which order.
        order_id: String,
        /// As the carrier writes it.
        text: String,
    },
    /// The parcel comes back to its sender.
    ReturnParcel {
        /// Of which order.
        order_id: String,
    },
    /// The recipient does not take the parcel.
    RefuseParcel {
        /// Of which order.
        order_id: String,
    },
    /// Each call takes so long from now on.
    SlowCalls {
        /// In milliseconds.
        takes_ms: u64,
    },
    /// The consent ends after this time.
    EndConsent {
        /// In seconds.
        in_s: u64,
    },
}

/// A marketplace where we sell.
pub trait Channel: Marketplace {
    /// Does something to an order; answers the id that it has from now on.
    fn act(&mut self, order_id: &str, action: &OrderAction) -> Result<String, ControlError>;

    /// How lists are answered.
    fn list_habits(&mut self) -> &mut ListHabits;
}

/// A marketplace where we buy.
pub trait Supplier: Marketplace {
    /// Does something on the supplier's side.
    fn act_as_supplier(&mut self, action: &SupplierAction) -> Result<(), ControlError>;
}

impl<M: Channel> Simulator<M> {
    /// Does something to a customer's order; answers the id that it has from now on.
    pub fn act(&self, order_id: &str, action: &OrderAction) -> Result<String, ControlError> {
        self.state().act(order_id, action)
    }

    /// Changes how lists of orders are answered.
    pub fn set_list_habits(&self, habits: ListHabits) {
        *self.state().list_habits() = habits;
    }
}

impl<M: Supplier> Simulator<M> {
    /// Does something on the supplier's side.
    pub fn act_as_supplier(&self, action: &SupplierAction) -> Result<(), ControlError> {
        self.state().act_as_supplier(action)
    }
}

/// The controls of a channel: `path` is where its customers' orders are.
pub(crate) fn channel_router<M: Channel>(path: &str) -> Router<Simulator<M>> {
    Router::new()
        .route(&format!("{path}/{{id}}/act"), post(act::<M>))
        .route("/lists", get(habits::<M>).patch(change_habits::<M>))
}

/// The controls of a supplier.
pub(crate) fn supplier_router<M: Supplier>() -> Router<Simulator<M>> {
    Router::new().route("/supplier/act", post(act_as_supplier::<M>))
}

/// Why an action is refused that the marketplace does not have.
pub(crate) fn no_such_thing(reason: &str) -> ControlError {
    ControlError::Conflict(reason.to_owned())
}

async fn act<M: Channel>(
    State(simulator): State<Simulator<M>>,
    Path(id): Path<String>,
    Body(action): Body<OrderAction>,
) -> Made {
    let id = simulator.act(&id, &action)?;
    Ok(Json(json!({ "order_id": id })))
}

async fn habits<M: Channel>(State(simulator): State<Simulator<M>>) -> Json<ListHabits> {
    Json(*simulator.state().list_habits())
}

async fn change_habits<M: Channel>(
    State(simulator): State<Simulator<M>>,
    Body(change): Body<Value>,
) -> Made {
    let state = &mut *simulator.state();
    let habits = state.list_habits();
    *habits = merge(habits, change)?;
    done()
}

async fn act_as_supplier<M: Supplier>(
    State(simulator): State<Simulator<M>>,
    Body(action): Body<SupplierAction>,
) -> Made {
    simulator.act_as_supplier(&action)?;
    done()
}
