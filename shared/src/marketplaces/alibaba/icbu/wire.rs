//! Requests and answers as they are on the wire. Numbers come as text. Answers are read by [`crate::marketplaces::loose`],
//! so no shape of a field makes an answer unreadable by itself.

use crate::marketplaces::loose;
use serde::{Deserialize, Serialize};

/// `query_req` of `/eco/buyer/product/description`.
#[derive(Serialize)]
pub(super) struct DescriptionQuery<'a> {
    pub(super) product_id: &'a str,
    pub(super) country: &'a str,
}

/// `inv_req` of `/eco/buyer/product/inventory`.
#[derive(Serialize)]
pub(super) struct InventoryQuery<'a> {
    pub(super) product_id: &'a str,
}

/// A code with its name.
#[derive(Serialize)]
pub(super) struct Named<'a> {
    pub(super) code: &'a str,
    pub(super) name: &'a str,
}

/// `address` of `/order/freight/calculate`.
#[derive(Serialize)]
pub(super) struct FreightAddress<'a> {
    pub(super) zip: &'a str,
    pub(super) country: Named<'a>,
    pub(super) province: Named<'a>,
    pub(super) city: Named<'a>,
    pub(super) address: &'a str,
}

/// An entry of `logistics_product_list` of `/order/freight/calculate`.
#[derive(Serialize)]
pub(super) struct FreightProduct<'a> {
    pub(super) product_id: &'a str,
    pub(super) sku_id: &'a str,
    pub(super) quantity: String,
    pub(super) country_code: &'a str,
}

/// An entry of `product_list` of `/buynow/order/create`.
#[derive(Serialize)]
pub(super) struct OrderProduct<'a> {
    pub(super) product_id: &'a str,
    pub(super) sku_id: &'a str,
    pub(super) quantity: String,
}

/// `logistics_detail` of `/buynow/order/create`. It holds a buyer's data, so it has no `Debug`.
#[derive(Serialize)]
pub(super) struct LogisticsDetail<'a> {
    pub(super) shipment_address: ShipmentAddress,
    pub(super) dispatch_location: &'a str,
    pub(super) carrier_code: &'a str,
}

/// Who gets the goods. It holds a buyer's data, so it has no `Debug`.
#[derive(Serialize)]
pub(super) struct ShipmentAddress {
    pub(super) zip: String,
    pub(super) country: String,
    pub(super) country_code: String,
    pub(super) province: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) province_code: String,
    pub(super) city: String,
    pub(super) address: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) alternate_address: String,
    pub(super) contact_person: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) telephone: Option<Telephone>,
}

/// A telephone number with its calling code.
#[derive(Serialize)]
pub(super) struct Telephone {
    pub(super) country: String,
    pub(super) area: String,
    pub(super) number: String,
}

/// `properties` of `/buynow/order/create`: where the order comes from.
#[derive(Serialize)]
pub(super) struct Properties<'a> {
    pub(super) platform: &'a str,
    #[serde(rename = "orderId")]
    pub(super) order_id: &'a str,
}

/// `param_order_pay_request` of `/alibaba/dropshipping/order/pay`.
#[derive(Serialize)]
pub(super) struct PayRequest<'a> {
    pub(super) order_id_list: [&'a str; 1],
    pub(super) payment_method: &'a str,
    pub(super) user_ip: &'a str,
    pub(super) user_agent: &'a str,
    pub(super) accept_language: &'a str,
    pub(super) screen_resolution: &'a str,
    pub(super) is_pc: bool,
    pub(super) isv_drop_shipper_registration_time: u64,
}

/// A date of `/alibaba/order/list`: milliseconds, and the same as text.
#[derive(Serialize)]
pub(super) struct DateFilter {
    pub(super) date_timestamp: String,
    pub(super) date_str: String,
}

/// A refusal: bare, or inside `error_response` at the older gateway.
#[derive(Deserialize)]
pub(super) struct Refusal {
    /// Whose fault it is: `ISV` the caller's, `ISP` the service's behind, `SYSTEM` the gateway's.
    #[serde(default, rename = "type", deserialize_with = "loose::text")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, alias = "msg", deserialize_with = "loose::text")]
    pub(super) message: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) sub_code: Option<String>,
}

/// What product calls wrap their data in.
#[derive(Deserialize)]
#[serde(bound(deserialize = ""))]
pub(super) struct ResultAnswer<T: serde::de::DeserializeOwned> {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<ResultBody<T>>,
}

/// The inner answer: `result_code` is `200` where it is good.
#[derive(Deserialize)]
#[serde(bound(deserialize = ""))]
pub(super) struct ResultBody<T: serde::de::DeserializeOwned> {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) result_code: Option<String>,
    #[serde(default = "none", deserialize_with = "maybe")]
    pub(super) result_data: Option<T>,
}

/// What order calls wrap their data in.
#[derive(Deserialize)]
#[serde(bound(deserialize = ""))]
pub(super) struct ValueAnswer<T: serde::de::DeserializeOwned> {
    #[serde(default = "none", deserialize_with = "maybe")]
    pub(super) value: Option<T>,
}

fn none<T>() -> Option<T> {
    None
}

/// The value, or nothing where it has another shape.
fn maybe<'de, D, T>(input: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    Ok(serde_json::from_value(serde_json::Value::deserialize(input)?).ok())
}

/// A list, bare or wrapped.
pub(super) struct List<T>(pub(super) Vec<T>);

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        loose::list(input).map(Self)
    }
}

/// Data of `/eco/buyer/product/description`.
#[derive(Deserialize)]
pub(super) struct Product {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    /// The seller, whom carriers are asked for.
    #[serde(default, rename = "eCompanyId", deserialize_with = "loose::id")]
    pub(super) company: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) currency: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) wholesale_trade: Option<Wholesale>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) skus: Vec<Sku>,
}

/// The price of a few units.
#[derive(Deserialize)]
pub(super) struct Wholesale {
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) min_order_quantity: Option<i64>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) price: Option<String>,
}

/// A variant.
#[derive(Deserialize)]
pub(super) struct Sku {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) sku_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) ladder_price: Vec<Tier>,
}

/// The price from a number of units on.
#[derive(Deserialize)]
pub(super) struct Tier {
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) min_quantity: Option<i64>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) price: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) currency: Option<String>,
}

/// Data of `/eco/buyer/product/inventory`: what lies at one place.
#[derive(Deserialize)]
pub(super) struct Shelf {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) shipping_from: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) inventory_list: Vec<Inventory>,
}

/// The units of a variant at a place.
#[derive(Deserialize)]
pub(super) struct Inventory {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) sku_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) inventory_count: Option<i64>,
}

/// A way to ship, of `/order/freight/calculate`.
#[derive(Deserialize)]
pub(super) struct Freight {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) vendor_code: Option<String>,
    /// Days, as in `3-9` or `10~15`.
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) delivery_time: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) fee: Option<Amount>,
}

/// An amount of money.
#[derive(Deserialize)]
pub(super) struct Amount {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) amount: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) currency: Option<String>,
}

/// Value of `/buynow/order/create`.
#[derive(Deserialize)]
pub(super) struct Created {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) trade_id: Option<String>,
}

/// Value of `/alibaba/dropshipping/order/pay`.
#[derive(Deserialize)]
pub(super) struct Payment {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) reason_code: Option<String>,
}

/// Value of `/alibaba/order/list`.
#[derive(Deserialize)]
pub(super) struct OrderPage {
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) total_count: Option<i64>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) order_list: Vec<Order>,
}

/// An order, in the list or in detail. Which of the fields show our reference is not documented, so all are looked at.
#[derive(Deserialize)]
pub(super) struct Order {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) trade_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) trade_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) channel_refer_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) remark: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) properties: Option<OrderProperties>,
}

/// What we gave the order along.
#[derive(Deserialize)]
pub(super) struct OrderProperties {
    #[serde(default, rename = "orderId", deserialize_with = "loose::text")]
    pub(super) order_id: Option<String>,
}

/// Answer of `/order/logistics/tracking/get`: the list is at the root.
#[derive(Deserialize)]
pub(super) struct TrackingAnswer {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) tracking_list: Vec<Tracking>,
}

/// A parcel on its way.
#[derive(Deserialize)]
pub(super) struct Tracking {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) carrier: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) tracking_number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) current_event_code: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) event_list: Vec<TrackingEvent>,
}

/// Something that happened to a parcel.
#[derive(Deserialize)]
pub(super) struct TrackingEvent {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) event_code: Option<String>,
}

/// Value of `/order/logistics/query`.
#[derive(Deserialize)]
pub(super) struct Logistics {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) shipping_order_list: Vec<Shipping>,
}

/// A shipment as the seller entered it.
#[derive(Deserialize)]
pub(super) struct Shipping {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) voucher: Option<Voucher>,
}

/// The seller's number of it.
#[derive(Deserialize)]
pub(super) struct Voucher {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) tracking_number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) service_provider: Option<String>,
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
pub(super) struct PushData {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) trade_id_str: Option<String>,
}
