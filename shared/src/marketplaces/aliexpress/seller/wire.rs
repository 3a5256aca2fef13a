//! Requests and answers of the seller API as they are on the wire. Answers are read by [`super::super::loose`], so no
//! shape of a field makes an answer unreadable by itself.

use super::super::loose;
use serde::{Deserialize, Serialize};

/// `param0` of `aliexpress.solution.order.get`. Times are US Pacific.
#[derive(Serialize)]
pub(super) struct OrdersQuery<'a> {
    pub(super) modified_date_start: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) modified_date_end: Option<&'a str>,
    pub(super) current_page: u32,
    pub(super) page_size: u32,
}

/// `param1` of `aliexpress.solution.order.info.get` and `aliexpress.solution.order.receiptinfo.get`.
#[derive(Serialize)]
pub(super) struct OrderQuery {
    pub(super) order_id: u64,
}

/// One product of `mutiple_product_update_list`.
#[derive(Serialize)]
pub(super) struct ProductUpdate<'a> {
    pub(super) product_id: u64,
    pub(super) multiple_sku_update_list: Vec<SkuUpdate<'a>>,
}

/// One product of a submission, as JSON text in `item_content`.
#[derive(Serialize)]
pub(super) struct FeedProduct<'a> {
    pub(super) aliexpress_product_id: u64,
    pub(super) multiple_sku_update_list: Vec<SkuUpdate<'a>>,
}

/// What becomes of one sku.
#[derive(Serialize)]
pub(super) struct SkuUpdate<'a> {
    pub(super) sku_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inventory: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<String>,
}

/// One item of `item_list`.
#[derive(Serialize)]
pub(super) struct FeedItem<'a> {
    pub(super) item_content_id: &'a str,
    pub(super) item_content: String,
}

/// Answer of `aliexpress.solution.order.get`.
#[derive(Deserialize)]
pub(super) struct OrdersAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<OrdersPage>,
}

/// A page of orders. `error_code` and `error_message` can be filled although `success` is true.
#[derive(Deserialize)]
pub(super) struct OrdersPage {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) total_count: Option<i64>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) total_page: Option<i64>,
    #[serde(default, deserialize_with = "loose::all")]
    pub(super) target_list: Vec<Option<OrderStub>>,
}

/// An order in a list.
#[derive(Deserialize)]
pub(super) struct OrderStub {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) order_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) gmt_update: Option<String>,
}

/// Answer of `aliexpress.solution.order.info.get`.
#[derive(Deserialize)]
pub(super) struct OrderAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<OrderResult>,
}

/// The order, or why there is none.
#[derive(Deserialize)]
pub(super) struct OrderResult {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) data: Option<Order>,
}

/// A customer's order.
#[derive(Deserialize)]
pub(super) struct Order {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) order_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) frozen_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) issue_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) gmt_create: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) gmt_modified: Option<String>,
    /// When the present status ends by itself.
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) over_time_left: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) order_amount: Option<Amount>,
    /// The amount before a change; the name is misspelt by AliExpress.
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) init_oder_amount: Option<Amount>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) buyerloginid: Option<String>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) receipt_address: Option<ReceiptCountry>,
    #[serde(default, deserialize_with = "loose::all")]
    pub(super) child_order_list: Vec<Option<ChildOrder>>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) logistic_info_list: Vec<LogisticInfo>,
}

/// The one field of the order's own address that is read: the whole of it comes from another call.
#[derive(Deserialize)]
pub(super) struct ReceiptCountry {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) country: Option<String>,
}

/// A line of an order.
#[derive(Deserialize)]
pub(super) struct ChildOrder {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) child_order_id: Option<String>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) order_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) sku_code: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) product_count: Option<i64>,
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) product_price: Option<Amount>,
    /// What AliExpress keeps, as a part of 1.
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) escrow_fee_rate: Option<String>,
}

/// A parcel that AliExpress knows of.
#[derive(Deserialize)]
pub(super) struct LogisticInfo {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) logistics_no: Option<String>,
}

/// Money as decimal text with its currency.
#[derive(Deserialize)]
pub(super) struct Amount {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) amount: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) currency_code: Option<String>,
}

/// Answer of `aliexpress.solution.order.receiptinfo.get`. It holds a buyer's data, so it has no `Debug`.
#[derive(Deserialize)]
pub(super) struct ReceiptAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Receipt>,
}

/// Who gets an order. It holds a buyer's data, so it has no `Debug`.
#[derive(Deserialize)]
pub(super) struct Receipt {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) contact_person: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) mobile_no: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) phone_country: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) phone_area: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) phone_number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) country: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) province: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) city: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) address: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) address2: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) detail_address: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) zip: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
}

/// Answer of `aliexpress.solution.order.fulfill`.
#[derive(Deserialize)]
pub(super) struct FulfilledAnswer {
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Fulfilled>,
}

/// Whether a parcel was declared.
#[derive(Deserialize)]
pub(super) struct Fulfilled {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) result_success: Option<bool>,
    #[serde(default, alias = "result_error_code", deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
    /// Free text, which is only compared with what is documented.
    #[serde(
        default,
        alias = "result_error_desc",
        alias = "error_message",
        deserialize_with = "loose::text"
    )]
    pub(super) error_desc: Option<String>,
}

/// Answer of `aliexpress.solution.batch.product.inventory.update` and of its sister for prices.
#[derive(Deserialize)]
pub(super) struct UpdatedAnswer {
    /// Where a gateway puts the answer one deeper.
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) result: Option<Updated>,
    #[serde(flatten)]
    pub(super) bare: Updated,
}

/// What became of products. A product can stand in both lists; then it failed in part.
#[derive(Deserialize)]
pub(super) struct Updated {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) update_success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) update_error_code: Option<String>,
    #[serde(default, deserialize_with = "loose::all")]
    pub(super) update_failed_list: Vec<Option<UpdatedProduct>>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) update_successful_list: Vec<UpdatedProduct>,
}

/// What became of one product.
#[derive(Deserialize)]
pub(super) struct UpdatedProduct {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) product_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
}

/// Answer of `aliexpress.solution.feed.submit`.
#[derive(Deserialize)]
pub(super) struct SubmittedAnswer {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) job_id: Option<String>,
}

/// Answer of `aliexpress.solution.feed.query`.
#[derive(Deserialize)]
pub(super) struct ReportAnswer {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) job_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) total_item_count: Option<i64>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) result_list: Vec<ReportItem>,
}

/// What became of one item of a submission.
#[derive(Deserialize)]
pub(super) struct ReportItem {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) item_content_id: Option<String>,
    /// JSON as text.
    #[serde(default, deserialize_with = "loose::object")]
    pub(super) item_execution_result: Option<ItemResult>,
}

/// The inner answer of an item.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemResult {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
}

/// Answer of `aliexpress.solution.feed.list.get`.
#[derive(Deserialize)]
pub(super) struct JobsAnswer {
    #[serde(default, deserialize_with = "loose::all")]
    pub(super) job_list: Vec<Option<Job>>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) total_page: Option<i64>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) total_count: Option<i64>,
}

/// A submission.
#[derive(Deserialize)]
pub(super) struct Job {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) job_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) operation_type: Option<String>,
}

/// Answer of `aliexpress.logistics.redefining.listlogisticsservice`. `error_desc` is filled in successes too.
#[derive(Deserialize)]
pub(super) struct ServicesAnswer {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) result_success: Option<bool>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) error_code: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) result_list: Vec<Service>,
}

/// A logistics service that the shop may declare.
#[derive(Debug, Deserialize)]
pub(super) struct Service {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) service_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) display_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) tracking_no_regex: Option<String>,
    /// The smaller, the more recommended.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) recommend_order: Option<i64>,
}

/// Answer of `aliexpress.solution.merchant.profile.get`.
#[derive(Deserialize)]
pub(in crate::marketplaces::aliexpress) struct Profile {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(in crate::marketplaces::aliexpress) product_posting_forbidden: Option<bool>,
}
