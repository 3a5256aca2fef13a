//! Requests and answers as they are on the wire. Answers are read by [`super::loose`], so no shape of a field makes an
//! answer unreadable by itself.

use super::loose;
use serde::{Deserialize, Serialize};

/// `param_place_order_request4_open_api_d_t_o` of `aliexpress.ds.order.create`.
#[derive(Serialize)]
pub(super) struct PlaceOrder<'a> {
    pub(super) out_order_id: &'a str,
    pub(super) logistics_address: LogisticsAddress,
    pub(super) product_items: Vec<ProductItem<'a>>,
}

/// The address of an order. It holds a buyer's data, so it has no `Debug`.
#[derive(Serialize)]
pub(super) struct LogisticsAddress {
    pub(super) address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) address2: String,
    pub(super) city: String,
    pub(super) contact_person: String,
    pub(super) country: String,
    pub(super) full_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) mobile_no: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) phone_country: String,
    pub(super) province: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) zip: String,
}

/// One line of an order.
#[derive(Serialize)]
pub(super) struct ProductItem<'a> {
    pub(super) product_id: u64,
    pub(super) product_count: u32,
    /// Empty for a product with one variant.
    pub(super) sku_attr: &'a str,
    pub(super) logistics_service_name: &'a str,
}

/// `ds_extend_request` of `aliexpress.ds.order.create`.
#[derive(Serialize)]
pub(super) struct ExtendRequest<'a> {
    pub(super) payment: Payment<'a>,
    pub(super) trade_extra_param: TradeExtra<'a>,
}

/// How the order is paid.
#[derive(Serialize)]
pub(super) struct Payment<'a> {
    pub(super) pay_currency: &'a str,
    /// `true` or `false` as text.
    pub(super) try_to_pay: &'static str,
}

/// What kind of trade it is. It can hold a part of the buyer's address.
#[derive(Serialize)]
pub(super) struct TradeExtra<'a> {
    pub(super) business_model: &'static str,
    /// The short national address of Saudi Arabia: four letters and four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) nat_addr: Option<&'a str>,
}

/// `queryDeliveryReq` of `aliexpress.ds.freight.query`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryQuery<'a> {
    pub(super) quantity: u32,
    pub(super) ship_to_country: &'a str,
    pub(super) product_id: &'a str,
    pub(super) selected_sku_id: &'a str,
    pub(super) language: &'a str,
    pub(super) locale: &'a str,
    pub(super) currency: &'a str,
}

/// `single_order_query` of `aliexpress.trade.ds.order.get`.
#[derive(Serialize)]
pub(super) struct OrderQuery {
    pub(super) order_id: u64,
}

/// A refusal of the gateway: inside `error_response`, or bare on `/rest`.
#[derive(Deserialize)]
pub(super) struct Refusal {
    /// Whose fault it is: `ISV` the caller's, `ISP` the service's behind, `SYSTEM` the gateway's.
    #[serde(default, rename = "type", deserialize_with = "loose::text")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, alias = "message", deserialize_with = "loose::text")]
    pub(super) msg: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) sub_code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) sub_msg: Option<String>,
}

/// Answer of `aliexpress.ds.product.get`.
#[derive(Deserialize)]
pub(super) struct ProductAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Product>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) rsp_code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) rsp_msg: Option<String>,
}

/// A product.
#[derive(Deserialize)]
pub(super) struct Product {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) ae_item_base_info_dto: Option<ProductBase>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) ae_item_sku_info_dtos: Vec<Variant>,
}

/// What all variants share.
#[derive(Deserialize)]
pub(super) struct ProductBase {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) product_status_type: Option<String>,
}

/// A variant. Its currency is the one that was asked for; the product's own is the shop's.
#[derive(Deserialize)]
pub(super) struct Variant {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) sku_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) sku_attr: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) sku_available_stock: Option<i64>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) offer_sale_price: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) sku_price: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) currency_code: Option<String>,
}

/// Answer of `aliexpress.ds.freight.query`.
#[derive(Deserialize)]
pub(super) struct FreightAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Freight>,
}

/// The ways to ship.
#[derive(Deserialize)]
pub(super) struct Freight {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) msg: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) delivery_options: Vec<DeliveryOption>,
}

/// A way to ship.
#[derive(Deserialize)]
pub(super) struct DeliveryOption {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    /// A decimal amount in the currency's unit, despite its name.
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) shipping_fee_cent: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) shipping_fee_currency: Option<String>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) free_shipping: Option<bool>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) tracking: Option<bool>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) max_delivery_days: Option<i64>,
}

/// Answer of `aliexpress.ds.order.create`.
#[derive(Deserialize)]
pub(super) struct CreatedAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Created>,
}

/// What became of an order.
#[derive(Deserialize)]
pub(super) struct Created {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) is_success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
    /// One number for each shop.
    #[serde(default, deserialize_with = "loose::ids")]
    pub(super) order_list: Vec<Option<String>>,
}

/// Answer of `aliexpress.trade.ds.order.get`.
#[derive(Deserialize)]
pub(super) struct OrderAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Order>,
}

/// An order that we placed.
#[derive(Deserialize)]
pub(super) struct Order {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) order_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_status: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) child_order_list: Vec<ChildOrder>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) logistics_info_list: Vec<LogisticsInfo>,
}

/// A line of an order that we placed.
#[derive(Deserialize)]
pub(super) struct ChildOrder {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) product_id: Option<String>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) sku_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) product_count: Option<i64>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) end_reason: Option<String>,
}

/// A shipment of an order, in short.
#[derive(Deserialize)]
pub(super) struct LogisticsInfo {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_no: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_service: Option<String>,
}

/// Answer of `aliexpress.ds.order.tracking.get`.
#[derive(Deserialize)]
pub(super) struct TrackingAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Tracking>,
}

/// The tracking of an order.
#[derive(Deserialize)]
pub(super) struct Tracking {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) ret: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) msg: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) data: Option<TrackingData>,
}

/// The list of parcels.
#[derive(Deserialize)]
pub(super) struct TrackingData {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) tracking_detail_line_list: Vec<TrackingDetail>,
}

/// A parcel.
#[derive(Deserialize)]
pub(super) struct TrackingDetail {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) mail_no: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) carrier_name: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) package_item_list: Vec<PackageItem>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) detail_node_list: Vec<TrackingNode>,
}

/// What is in a parcel.
#[derive(Deserialize)]
pub(super) struct PackageItem {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) item_id: Option<String>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) sku_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) quantity: Option<i64>,
}

/// Where a parcel was.
#[derive(Deserialize)]
pub(super) struct TrackingNode {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) tracking_detail_desc: Option<String>,
}

/// Answer of `aliexpress.ds.member.benefit.get`.
#[derive(Deserialize)]
pub(super) struct BenefitsAnswer {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) result: Vec<Benefit>,
}

/// Something that the buyer's account may have.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Benefit {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    /// Whether it has it.
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) can_benefit: Option<bool>,
}

/// Answer of `/auth/token/refresh`. It holds secrets, so it has no `Debug`.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) access_token: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) refresh_token: Option<String>,
    /// Seconds from now.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) expires_in: Option<i64>,
    /// Seconds from now; 0 where only a person can renew.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) refresh_expires_in: Option<i64>,
}

/// A push.
#[derive(Deserialize)]
pub(super) struct Push {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) seller_id: Option<String>,
    /// Seconds since 1970, unlike the API's milliseconds.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) timestamp: Option<i64>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) data: Option<PushData>,
}

/// What a push is about. The number of its type may change, so the fields decide.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PushData {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) order_id: Option<String>,
}
