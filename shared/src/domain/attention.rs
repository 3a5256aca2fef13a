//! Why an order waits for a person: a closed set, each reason with its next action and whether money may be spent.

use super::{MissingLine, Rest, Sku, SupplierOrderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An order's entry in the attention list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attention {
    /// Why.
    pub reason: Reason,
    /// Since when.
    pub since: Timestamp,
}

/// Everything that can stop an order. What is not in this list may not stop one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// The channel's answer about the order cannot be read.
    OrderUnreadable {
        /// What cannot be read.
        code: String,
    },
    /// A line's sku is not in the catalogue.
    SkuNotMapped {
        /// The sku as the channel sent it, or the part of it that nobody offers.
        sku: String,
    },
    /// No offer has enough units that are known to be free.
    OutOfStock {
        /// The sku that cannot be had.
        sku: Sku,
    },
    /// Lines cannot be had, and the merchant's rule, or a person, says what becomes of the others.
    LinesMissing {
        /// The lines that cannot be had.
        lines: Vec<MissingLine>,
        /// What happens to the others.
        rest: Rest,
    },
    /// Buying would lose more than the rule allows.
    WouldLose {
        /// Minor units of the order's currency; negative.
        margin_minor: i64,
    },
    /// Costs and proceeds have different currencies and no rate of today is known. Taken up again once there is one.
    NoRate,
    /// What has to be bought for it is so much that it cannot be reserved in one transaction.
    TooLarge,
    /// Every supplier refused.
    SupplierRefused {
        /// The supplier's documented code.
        code: String,
    },
    /// The supplier or the buyer's country refuses the address.
    AddressRefused {
        /// The supplier's documented code.
        code: String,
    },
    /// It is not known whether a purchase was placed, and no look-up can tell.
    PurchaseInDoubt,
    /// A purchase exists at the supplier, but its number there is not known.
    PurchaseNumberUnknown,
    /// A purchase was placed and waits for its payment on the supplier's site.
    PurchaseUnpaid,
    /// The supplier closed a purchase that was placed.
    PurchaseClosed {
        /// The supplier's documented code.
        code: String,
        /// Which of the supplier's orders, where it made several of the purchase.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplier_order: Option<SupplierOrderId>,
    },
    /// The customer cancelled after the purchase was placed.
    CancelledAfterPurchase,
    /// More was bought than the channel still wants: units were shipped by somebody else, cancelled or paid back meanwhile.
    BoughtTooMuch {
        /// What there is too much of; the first, where there is more.
        sku: Sku,
        /// How many units too many, of all that there is too much of.
        units: u32,
    },
    /// A refund failed at the channel after it had been taken, or has been under way for days.
    RefundFailed,
    /// The buyer's data was erased before the purchase was placed.
    BuyerErased,
    /// An account's consent has ended; a person has to renew it. Taken up again by itself afterwards.
    ConsentEnded {
        /// The account, as in `ebay:main`.
        account: String,
    },
    /// A marketplace refuses our configuration or permission.
    Misconfigured {
        /// The account, as in `ebay:main`.
        account: String,
        /// The marketplace's documented code.
        code: String,
    },
    /// A purchase arrived, and the supplier never named a tracking number.
    TrackingMissing,
    /// The channel refuses the tracking number.
    TrackingRefused {
        /// The channel's documented code.
        code: String,
    },
}

impl Reason {
    /// What a person should do, in one sentence. What is decided is entered with `kervan orders resolve`; the command shows
    /// with each order how.
    pub fn next_action(&self) -> &'static str {
        match self {
            Self::OrderUnreadable { .. } => {
                "Look at the order at the channel; it is tried again about every hour."
            }
            Self::SkuNotMapped { .. } => {
                "Add the sku with `kervan catalog import`; the order is taken up again within minutes."
            }
            Self::OutOfStock { .. } => {
                "Add an offer that has stock and it is taken up again within minutes; or buy elsewhere or cancel with `kervan orders resolve`."
            }
            Self::LinesMissing { rest, .. } => match rest {
                Rest::Waits => {
                    "Add offers for the missing lines and it is taken up again within minutes; or send the rest, or cancel the lines or buy them elsewhere, with `kervan orders resolve`."
                }
                Rest::Asked => {
                    "Send the rest, or cancel the missing lines or buy them elsewhere, with `kervan orders resolve`; or add offers for them, and all is bought within minutes."
                }
                Rest::Sent => {
                    "The rest is bought. Add offers for the missing lines and they are bought too; or cancel them or buy them elsewhere with `kervan orders resolve`."
                }
            },
            Self::WouldLose { .. } => {
                "Accept the loss, buy elsewhere or cancel with `kervan orders resolve`; or add a cheaper offer first and buy again."
            }
            Self::NoRate => {
                "Set a rate with `kervan price rates set` and the order is taken up again within minutes; or buy elsewhere or cancel with `kervan orders resolve`."
            }
            Self::TooLarge => {
                "Buy the order elsewhere or cancel it with `kervan orders resolve`: it needs more than about 90 offers at once."
            }
            Self::SupplierRefused { .. } => {
                "Look the code up, then buy again, buy elsewhere or cancel with `kervan orders resolve`."
            }
            Self::AddressRefused { .. } => {
                "Have the buyer correct the address at the channel, then buy again with `kervan orders resolve`; or buy elsewhere or cancel."
            }
            Self::PurchaseInDoubt => {
                "Search the supplier's site for the purchase's reference, then enter its number or buy again with `kervan orders resolve`."
            }
            Self::PurchaseNumberUnknown => {
                "Find the order on the supplier's site and enter its number with `kervan orders resolve`; do not buy again."
            }
            Self::PurchaseUnpaid => "Pay the order on the supplier's site; it goes on by itself.",
            Self::PurchaseClosed { .. } => {
                "See why the supplier closed it, then buy again, buy elsewhere or cancel with `kervan orders resolve`."
            }
            Self::CancelledAfterPurchase => {
                "Cancel on the supplier's site or prepare for a return, then cancel it here with `kervan orders resolve`."
            }
            Self::BoughtTooMuch { .. } => {
                "Cancel the units on the supplier's site and buy again what is still wanted, or keep them, with `kervan orders resolve`."
            }
            Self::RefundFailed => {
                "See at the channel why it failed; then give the money back again with `kervan orders refund`, or buy what was sold with `kervan orders resolve`."
            }
            Self::BuyerErased => {
                "Cancel the order at the channel, then here with `kervan orders resolve`: there is no address any more."
            }
            Self::ConsentEnded { .. } => {
                "Renew the consent and put the new refresh token into the secret."
            }
            Self::Misconfigured { .. } => {
                "Mend the account's secret or permissions (the function's log says what is wrong); what waits is then taken up again."
            }
            Self::TrackingMissing => {
                "Confirm the shipment at the channel by hand, then say so with `kervan orders resolve`."
            }
            Self::TrackingRefused { .. } => {
                "Enter the tracking number at the channel by hand, then say so with `kervan orders resolve`."
            }
        }
    }

    /// Whether the cause can pass by itself: the sweep then takes the order up again, and money may be spent on it. Where
    /// it cannot, no money is spent until a person has decided.
    pub const fn passes(&self) -> bool {
        matches!(
            self,
            Self::OrderUnreadable { .. }
                | Self::SkuNotMapped { .. }
                | Self::OutOfStock { .. }
                | Self::LinesMissing { .. }
                | Self::NoRate
                | Self::ConsentEnded { .. }
                | Self::Misconfigured { .. }
        )
    }

    /// Whether another reason may take this one's place in the list: one that passes by itself, one that asks to pay for what
    /// is no longer wanted, and one whose number has changed.
    pub const fn gives_way_to(&self, other: &Self) -> bool {
        self.passes()
            || matches!(
                (self, other),
                (
                    Self::PurchaseUnpaid | Self::BoughtTooMuch { .. },
                    Self::BoughtTooMuch { .. } | Self::CancelledAfterPurchase
                )
            )
    }

    /// The code as written in logs and lists.
    pub fn code(&self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|value| Some(value.get("reason")?.as_str()?.to_owned()))
            .unwrap_or_default()
    }
}

/// A marketplace's code, made safe to store and log: at most 64 letters, digits and `._:-`, nothing else. Free text of
/// a marketplace can repeat a buyer's data and is never kept.
pub fn safe_code(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._:-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(64)
        .collect()
}
