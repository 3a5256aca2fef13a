//! What the seller's side is told and what it shows.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use crate::actions::FeeReport;
use crate::actions::Hidden;
use crate::buyer::Buyer;
use crate::money::Money;

/// A product of the shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewListing {
    /// Product id.
    pub product_id: u64,
    /// Its variants, at least one.
    pub skus: Vec<NewListingSku>,
}

/// A variant of a product of the shop.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewListingSku {
    /// The shop's own code of it.
    pub sku_code: String,
    /// Price of one.
    pub price: Money,
    /// Units on sale.
    pub inventory: u32,
}

/// What the shop shows of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListingSkuView {
    /// Product id.
    pub product_id: u64,
    /// The shop's own code.
    pub sku_code: String,
    /// Price of one.
    pub price: Money,
    /// Units on sale.
    pub inventory: u32,
}

/// What a customer buys. Somebody made up buys it where `buyer` is missing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSale {
    /// Who buys.
    #[serde(default)]
    pub buyer: Option<Buyer>,
    /// Codes and units, at least one.
    pub lines: Vec<(String, u32)>,
    /// Whether it is paid at once.
    #[serde(default)]
    pub paid: bool,
}

/// `order_status` of a customer's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SaleStatus {
    /// Not paid.
    PlaceOrderSuccess,
    /// Paid, and held for a day.
    RiskControl,
    /// The buyer asks to cancel.
    InCancel,
    /// To be shipped.
    WaitSellerSendGoods,
    /// A part is shipped.
    SellerPartSendGoods,
    /// All is shipped.
    WaitBuyerAcceptGoods,
    /// Over: received, or cancelled.
    Finish,
}

/// A customer's order as it stands.
#[derive(Debug, Clone, Serialize)]
pub struct SaleView {
    /// Order id.
    pub order_id: u64,
    /// Where it stands.
    pub status: SaleStatus,
    /// Child order id, code and units of each line.
    pub lines: Vec<(u64, String, u32)>,
    /// What became of each line.
    pub units: Vec<SaleLineView>,
    /// Why it ended without goods.
    pub end_reason: Option<String>,
    /// How its fee is told.
    pub fee_report: FeeReport,
    /// The part of the buyer's data that no read shows.
    pub hidden: Option<Hidden>,
    /// Whether no read shows it.
    pub vanished: bool,
    /// Whether AliExpress's warehouse sends it.
    pub by_warehouse: bool,
    /// Who bought.
    pub buyer: Buyer,
    /// What was declared.
    pub shipments: Vec<ShipmentView>,
    /// When it was bought.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Timestamp,
}

/// What became of a line of a customer's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaleLineView {
    /// Child order id.
    pub child_id: u64,
    /// The shop's own code.
    pub sku_code: String,
    /// `order_status` of the child order.
    pub status: SaleStatus,
    /// Units that were bought.
    pub ordered: u32,
    /// Units that went with a declaration by API that it was the last. One of a part names no units, so none of it counts
    /// here; see the order's `shipments`.
    pub shipped_by_api: u32,
    /// Units that the seller marked as sent on AliExpress's pages.
    pub shipped_by_hand: u32,
    /// Units that were cancelled.
    pub cancelled: u32,
    /// Cents that were paid back.
    pub refunded_cents: i64,
    /// Whether that was a refund of the whole line.
    pub refunded_whole: bool,
    /// Each refund.
    pub refunds: Vec<SaleRefundView>,
    /// What AliExpress keeps of it, in cents, whether it is told or not.
    pub fee_cents: i64,
}

/// A refund of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SaleRefundView {
    /// How much, in cents.
    pub cents: i64,
    /// Whether it is of the line as a whole, which is not to be sent then.
    pub whole: bool,
    /// Where it stands.
    pub state: SaleRefundState,
    /// Since when it stands there.
    pub at: Timestamp,
}

/// `refund_status`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleRefundState {
    /// To be paid.
    WaitRefund,
    /// Paid.
    RefundOk,
    /// It came to nothing.
    RefundCancel,
}

/// A declared shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShipmentView {
    /// Tracking number.
    pub logistics_no: String,
    /// The service it was declared with.
    pub service_name: String,
    /// `all` or `part`.
    pub send_type: String,
    /// Whether it was declared on AliExpress's pages and not by API.
    pub by_hand: bool,
    /// When.
    pub at: Timestamp,
}
