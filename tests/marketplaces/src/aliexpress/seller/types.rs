//! What the seller's side is told and what it shows.

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

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
    /// Who bought.
    pub buyer: Buyer,
    /// What was declared.
    pub shipments: Vec<ShipmentView>,
    /// When it was bought.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub modified_at: Timestamp,
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
    /// When.
    pub at: Timestamp,
}
