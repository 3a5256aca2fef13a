//! What we buy from one supplier for an order, or a part of it.
//!
//! `Planned → Placing → Placed → Shipped → Delivered`, with `Refused`, `Cancelled`, and the way back from `Placing` to
//! `Planned` once it is proven that nothing was placed. A person can give up what was placed, or may have been.

use super::{LineId, Money, OfferId, Reference, Sku, SupplierOrderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Units of one order line, bought through one offer, on the terms that were quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseLine {
    /// The channel's line that it fills.
    pub line: LineId,
    /// What is bought: the sku of that line, or a part of it where that is a bundle.
    pub sku: Sku,
    /// Where it is bought.
    pub offer: OfferId,
    /// How many units of it.
    pub quantity: u32,
    /// Price of one unit when it was quoted.
    pub unit_cost: Money,
    /// Shipping of the line when it was quoted.
    pub shipping: Money,
    /// The supplier's code of the shipping option.
    pub shipping_option: String,
    /// The supplier's own description of the variant, which an order must repeat; empty where it has none.
    pub variant_attributes: String,
}

/// One purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// Counts from 1 in each order.
    pub number: u8,
    /// Our reference at the supplier.
    pub reference: Reference,
    /// What is bought. All lines are of one supplier and one currency.
    pub lines: Vec<PurchaseLine>,
    /// When the supplier named its terms.
    pub terms_at: Timestamp,
    /// How far it is.
    pub state: PurchaseState,
    /// Orders at the supplier, of several that it made of the purchase, that it has closed and nobody has decided about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<ClosedOrder>,
}

/// One of several orders that a supplier made of a purchase, and that will not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedOrder {
    /// The supplier's number.
    pub supplier_order: SupplierOrderId,
    /// What of the purchase was in it; empty where the supplier does not tell.
    pub lines: Vec<PartLine>,
}

/// Units of a line of a purchase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartLine {
    /// The channel's line.
    pub line: LineId,
    /// What was bought.
    pub sku: Sku,
    /// Units of it.
    pub quantity: u32,
}

/// How far a purchase is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PurchaseState {
    /// Nothing was placed; it may be placed from `not_before` on.
    Planned {
        /// Not to be placed before.
        not_before: Timestamp,
        /// Attempts so far, all proven without effect.
        attempts: u32,
    },
    /// Somebody may be placing it. Only the writer of this state calls the supplier.
    Placing {
        /// Counts from 1.
        attempt: u32,
        /// Until then nobody else touches it.
        lease_until: Timestamp,
        /// When the supplier was first sent this reference: a window for exact repeats counts from here.
        first_sent_at: Timestamp,
        /// Set where the call ended without telling whether it had an effect.
        doubt: Option<Doubt>,
    },
    /// The supplier has it.
    Placed {
        /// The supplier's numbers; it may split one purchase by shop. Empty where the supplier says that it exists but
        /// not under which number.
        supplier_orders: Vec<SupplierOrderId>,
        /// Since when.
        at: Timestamp,
    },
    /// All of it is on its way.
    Shipped {
        /// The supplier's numbers.
        supplier_orders: Vec<SupplierOrderId>,
        /// When it was placed.
        at: Timestamp,
    },
    /// All of it has arrived.
    Delivered {
        /// The supplier's numbers.
        supplier_orders: Vec<SupplierOrderId>,
    },
    /// The supplier refused, proven without effect.
    Refused {
        /// What was refused.
        refusal: Refusal,
        /// The supplier's documented code.
        code: String,
    },
    /// Given up: nothing was placed, or a person has said that the supplier does not have it any more.
    Cancelled,
}

/// What a supplier refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The units are not there.
    Stock,
    /// The address is not taken.
    Address,
    /// Something else.
    Other,
}

/// It is not known whether the supplier has the purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// Since when.
    pub since: Timestamp,
    /// When it may be settled.
    pub settle_at: Timestamp,
}

impl Purchase {
    /// Whether the supplier has it, or may have it.
    pub const fn is_live(&self) -> bool {
        !matches!(
            self.state,
            PurchaseState::Planned { .. }
                | PurchaseState::Refused { .. }
                | PurchaseState::Cancelled
        )
    }

    /// Whether it was given up: it fills no line and costs nothing.
    pub const fn is_given_up(&self) -> bool {
        matches!(
            self.state,
            PurchaseState::Refused { .. } | PurchaseState::Cancelled
        )
    }

    /// The supplier's numbers, as far as they are known.
    pub fn supplier_orders(&self) -> &[SupplierOrderId] {
        match &self.state {
            PurchaseState::Placed {
                supplier_orders, ..
            }
            | PurchaseState::Shipped {
                supplier_orders, ..
            }
            | PurchaseState::Delivered { supplier_orders } => supplier_orders,
            _ => &[],
        }
    }

    /// Takes units out of it that the supplier does not have any more, with its numbers of them. `None`, and nothing changed,
    /// where it has not so many, or nothing would be left of it.
    pub(super) fn give_up_part(
        &mut self,
        parts: &[PartLine],
        numbers: &[SupplierOrderId],
    ) -> Option<()> {
        let mut left = self.lines.clone();
        for part in parts {
            let mut units = part.quantity;
            // One line may be bought through two offers.
            let of_part =
                |bought: &&mut PurchaseLine| bought.line == part.line && bought.sku == part.sku;
            for bought in left.iter_mut().filter(of_part) {
                let taken = units.min(bought.quantity);
                bought.quantity -= taken;
                units -= taken;
            }
            if units > 0 {
                return None;
            }
        }
        left.retain(|bought| bought.quantity > 0);
        let known = self.supplier_orders().iter();
        let kept: Vec<SupplierOrderId> =
            known.filter(|id| !numbers.contains(id)).cloned().collect();
        if left.is_empty() || (kept.is_empty() && !numbers.is_empty()) {
            return None;
        }
        match &mut self.state {
            PurchaseState::Placed {
                supplier_orders, ..
            }
            | PurchaseState::Shipped {
                supplier_orders, ..
            } => *supplier_orders = kept,
            _ => return None,
        }
        self.lines = left;
        self.closed
            .retain(|closed| !numbers.contains(&closed.supplier_order));
        Some(())
    }

    /// What it costs on the quoted terms; `None` where the sum overflows or currencies differ.
    pub fn cost(&self) -> Option<Money> {
        let mut lines = self.lines.iter().map(|line| {
            line.unit_cost
                .times(line.quantity)
                .and_then(|goods| goods.plus(line.shipping))
        });
        let first = lines.next()??;
        lines.try_fold(first, |sum, line| sum.plus(line?))
    }
}
