//! Why a decision does not fit an order.

use crate::domain::{AccountId, Currency, LineId, Reason, SupplierOrderId};
use jiff::Timestamp;

/// Why a decision does not fit the order. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The order has ended.
    #[error("the order is over ({0}): nothing is left to decide")]
    Over(&'static str),
    /// A worker may be calling the supplier.
    #[error(
        "a worker may be placing purchase {purchase} at this moment: nothing can be decided before {}",
        to_the_second(*.until)
    )]
    Leased {
        /// Which purchase.
        purchase: u8,
        /// From when on a person may decide.
        until: Timestamp,
    },
    /// There is no such purchase.
    #[error("the order has no purchase {0}")]
    NoSuchPurchase(u8),
    /// The purchase is in a state that the decision does not fit.
    #[error("purchase {purchase} is {state}: {problem}")]
    WrongState {
        /// Which purchase.
        purchase: u8,
        /// Its state.
        state: &'static str,
        /// What would fit.
        problem: &'static str,
    },
    /// It is not known whether the purchase was placed, and the person did not say that it was looked for.
    #[error(
        "it is not known whether purchase {0} was placed: search the supplier's site for its reference first"
    )]
    InDoubt(u8),
    /// The supplier has a purchase, and the person did not say that it is over there.
    #[error("purchase {purchase} is at {supplier}{}", numbered(.supplier_orders))]
    AtSupplier {
        /// Which purchase.
        purchase: u8,
        /// Where.
        supplier: AccountId,
        /// Under which numbers, as far as they are known.
        supplier_orders: Vec<SupplierOrderId>,
    },
    /// The supplier has sent the purchase, or a part of it.
    #[error(
        "purchase {0} was sent by the supplier, and what was sent cannot be bought again by Kervan"
    )]
    OnItsWay(u8),
    /// A supplier's number is another purchase's.
    #[error("the supplier's order {number} belongs to {owner}")]
    NumberTaken {
        /// The number.
        number: SupplierOrderId,
        /// Whose it is.
        owner: String,
    },
    /// No number, or one number twice.
    #[error("a purchase that was placed has one or more different numbers at the supplier")]
    Numbers,
    /// Every line is bought, so there is nothing to buy elsewhere.
    #[error(
        "every line of the order is bought or being bought by Kervan: there is nothing left to buy elsewhere"
    )]
    NothingToBuy,
    /// The merchant has said before that the rest is bought elsewhere.
    #[error(
        "it was decided before that the merchant buys elsewhere: Kervan buys nothing more for the order"
    )]
    BoughtElsewhere,
    /// The order is not to be bought for any more.
    #[error("the order is {0} at the channel: nothing is bought for it")]
    NotWanted(&'static str),
    /// The address is gone.
    #[error("the buyer's data was erased: there is no address that Kervan could have it sent to")]
    BuyerErased,
    /// The accepted loss is in another currency than the order, or negative.
    #[error("the loss must be accepted as a positive amount of the order's currency, {0}")]
    Loss(Currency),
    /// Another number of units is bought too much.
    #[error("{0} units are bought and not wanted, not as many as were named")]
    Units(u32),
    /// The order has no such line.
    #[error("the order has no line {line}: it has {}", listed(.lines))]
    NoSuchLine {
        /// The line that was named.
        line: LineId,
        /// The lines that there are.
        lines: Vec<LineId>,
    },
    /// The same was decided about the line before.
    #[error("line {0} was given up before")]
    LineGivenUp(LineId),
    /// The supplier has the line, or may have it.
    #[error("line {line} is in purchase {purchase}, which the supplier has or will have")]
    LineBought {
        /// Which line.
        line: LineId,
        /// The purchase with it.
        purchase: u8,
    },
    /// Nothing of the line is to be sent.
    #[error("nothing of line {0} is to be sent: it was sent, cancelled or paid back")]
    LineNotWanted(LineId),
    /// The supplier has closed a part of the purchase and does not say which.
    #[error(
        "the supplier has closed one of several orders of purchase {purchase} and does not say what was in it; its lines are {}",
        listed(.lines)
    )]
    NameLines {
        /// Which purchase.
        purchase: u8,
        /// The lines that it has.
        lines: Vec<LineId>,
    },
    /// It was decided before that the rest is sent.
    #[error("it was decided before that what can be had is sent without the rest")]
    RestIsSent,
    /// The order does not wait for what this decision would end.
    #[error("the order {}", waits_for(.0.as_ref()))]
    NotTheCause(Option<Reason>),
}

fn numbered(ids: &[SupplierOrderId]) -> String {
    if ids.is_empty() {
        return ", under a number that is not known".to_owned();
    }
    let texts: Vec<&str> = ids.iter().map(SupplierOrderId::as_str).collect();
    format!(" as {}", texts.join(", "))
}

fn listed(lines: &[LineId]) -> String {
    let texts: Vec<&str> = lines.iter().map(LineId::as_str).collect();
    texts.join(", ")
}

fn to_the_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn waits_for(reason: Option<&Reason>) -> String {
    reason.map_or_else(
        || "does not wait for a person: it goes on by itself".to_owned(),
        |reason| format!("waits for something else: {}", reason.code()),
    )
}
