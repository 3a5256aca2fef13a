//! Requests and answers as they are on the wire. Every object of a request is a JSON text that is signed exactly as it is
//! sent. Answers are read by [`crate::marketplaces::loose`], so no shape of a field makes an answer unreadable by itself.
//! Odd spellings are the platform's own.

use crate::marketplaces::loose;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// `addressParam`. It can hold a buyer's data, so it has no `Debug`.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddressParam {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address_id: Option<u64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) full_name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) mobile: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) phone: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) post_code: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) province_text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) city_text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) area_text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) town_text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) address: String,
}

/// An entry of `cargoParamList`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cargo<'a> {
    pub(super) offer_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spec_id: Option<&'a str>,
    pub(super) quantity: u32,
}

/// `offerDetailParam` of `product.search.queryProductDetail`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferDetail<'a> {
    pub(super) offer_id: u64,
    pub(super) country: &'a str,
}

/// `tradeWithholdPreparePayParam` of `alibaba.trade.pay.protocolPay.preparePay`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreparePay<'a> {
    pub(super) order_id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pay_channel: Option<&'a str>,
    pub(super) op_request_id: &'a str,
}

/// A refusal, in any of its four namings.
#[derive(Deserialize)]
pub(super) struct Refusal {
    #[serde(default, deserialize_with = "loose::text")]
    error_code: Option<String>,
    #[serde(default, rename = "errorCode", deserialize_with = "loose::text")]
    error_code_camel: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    code: Option<String>,
    /// OAuth's own word.
    #[serde(default, deserialize_with = "loose::text")]
    error: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    error_message: Option<String>,
    #[serde(default, rename = "errorMsg", deserialize_with = "loose::text")]
    error_msg: Option<String>,
    #[serde(default, rename = "errorMessage", deserialize_with = "loose::text")]
    error_message_camel: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    message: Option<String>,
}

impl Refusal {
    /// The code, whatever its name is.
    pub(super) fn code(&self) -> Option<&str> {
        let codes = [
            &self.error_code,
            &self.error_code_camel,
            &self.code,
            &self.error,
        ];
        codes.into_iter().find_map(|code| code.as_deref())
    }

    /// The message, whatever its name is.
    pub(super) fn message(&self) -> Option<&str> {
        let messages = [
            &self.error_message,
            &self.error_msg,
            &self.error_message_camel,
            &self.message,
        ];
        messages.into_iter().find_map(|message| message.as_deref())
    }
}

/// What every business answer has beside its data.
#[derive(Deserialize)]
pub(super) struct Flag {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
}

/// Answer of `alibaba.createOrder.preview`.
#[derive(Deserialize)]
pub(super) struct PreviewAnswer {
    #[serde(
        default,
        rename = "orderPreviewResuslt",
        deserialize_with = "loose::list"
    )]
    pub(super) parts: Vec<Preview>,
}

/// An order of a preview; more than one where the platform would split it. Sums are fen, cargo amounts yuan.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Preview {
    #[serde(default, deserialize_with = "loose::ids")]
    pub(super) trade_mode_name_list: Vec<Option<String>>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) status: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) result_code: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) sum_payment: Option<i64>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) sum_carriage: Option<i64>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) sum_payment_no_carriage: Option<i64>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) cargo_list: Vec<PreviewCargo>,
}

/// A line of a preview, in yuan.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreviewCargo {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) amount: Option<String>,
}

/// Answer of `alibaba.trade.createCrossOrder`.
#[derive(Deserialize)]
pub(super) struct CreatedAnswer {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Created>,
}

/// What became of an order. Its flag is another than the outer one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) order_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) message: Option<String>,
    /// Filled where the platform split the order; the fields beside it are empty then.
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) order_list: Vec<CreatedPart>,
    /// What was not ordered.
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) failed_offer_list: Vec<FailedOffer>,
}

/// An order of a split one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedPart {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) order_id: Option<String>,
}

/// A line that was not ordered.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FailedOffer {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
}

/// Answer of `alibaba.trade.pay.protocolPay.preparePay`.
#[derive(Deserialize)]
pub(super) struct PaidAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Paid>,
}

/// What became of a payment.
#[derive(Deserialize)]
pub(super) struct Paid {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<PaidBy>,
}

/// How it was paid.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaidBy {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) pay_success: Option<bool>,
}

/// Answer of `alibaba.trade.getBuyerOrderList`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderPage {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) result: Vec<Order>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) total_record: Option<i64>,
}

/// Answer of `alibaba.trade.get.buyerView`.
#[derive(Deserialize)]
pub(super) struct OrderAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Order>,
}

/// An order that we placed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) base_info: Option<BaseInfo>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) product_items: Vec<ProductItem>,
}

/// What an order is. Its number is also given as text, which is to be preferred.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BaseInfo {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) id_of_str: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) out_order_id: Option<String>,
}

/// A line of an order that we placed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProductItem {
    #[serde(default, rename = "productID", deserialize_with = "loose::id")]
    pub(super) product_id: Option<String>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) spec_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) quantity: Option<i64>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    #[serde(default, rename = "subItemID", deserialize_with = "loose::id")]
    pub(super) sub_item_id: Option<String>,
    #[serde(default, rename = "subItemIDString", deserialize_with = "loose::id")]
    pub(super) sub_item_id_string: Option<String>,
}

/// Answer of `alibaba.trade.getLogisticsInfos.buyerView`.
#[derive(Deserialize)]
pub(super) struct LogisticsAnswer {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) result: Vec<Logistics>,
}

/// A parcel.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Logistics {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_id: Option<String>,
    /// The carrier's number; listed on the page and missing in its sample.
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_bill_no: Option<String>,
    /// The lines in it, with commas between.
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) order_entry_ids: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_company_name: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) logistics_order_goods: Vec<SentGoods>,
}

/// Units in a parcel.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SentGoods {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) trade_order_item_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) quantity: Option<i64>,
}

/// Answer of `alibaba.trade.getLogisticsTraceInfo.buyerView`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TraceAnswer {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) logistics_trace: Vec<Trace>,
}

/// Where a parcel was.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Trace {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_bill_no: Option<String>,
}

/// Answer of `product.search.queryProductDetail`: a result in a result.
#[derive(Deserialize)]
pub(super) struct DetailAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<DetailResult>,
}

/// The outer result.
#[derive(Deserialize)]
pub(super) struct DetailResult {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Product>,
}

/// A product. Prices are yuan.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Product {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) seller_open_id: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) product_sku_infos: Vec<ProductSku>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) product_sale_info: Option<SaleInfo>,
}

/// A variant.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProductSku {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) spec_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) amount_on_sale: Option<i64>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) price: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) consign_price: Option<String>,
}

/// What a product without variants is sold for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SaleInfo {
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) amount_on_sale: Option<i64>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) price_range_list: Vec<PriceRange>,
}

/// A price from a number of units on.
#[derive(Deserialize)]
pub(super) struct PriceRange {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) price: Option<String>,
}

/// Answer of `system.oauth2/getToken`. It holds secrets, so it has no `Debug`.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) access_token: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) refresh_token: Option<String>,
    /// Seconds from now, as text.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) expires_in: Option<i64>,
}

/// Answer of `push.query.messageList`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessagesAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) push_message_page: Option<MessagePage>,
}

/// A page of messages.
#[derive(Deserialize)]
pub(super) struct MessagePage {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) datas: Vec<Message>,
}

/// Answer of `push.message.confirm`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TakenAnswer {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) is_success: Option<bool>,
}

/// A message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) msg_id: Option<String>,
    /// Milliseconds since 1970.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) gmt_born: Option<i64>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) user_info: Option<String>,
    #[serde(default)]
    pub(super) data: Value,
}
