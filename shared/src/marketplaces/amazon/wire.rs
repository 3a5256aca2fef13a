//! Types as Amazon sends and wants them (the models of SP-API: orders_2026-01-01, ordersV0, listingsItems_2021-08-01,
//! feeds_2021-06-30, notifications, sellers). Fields that nobody reads are not written down.

use super::loose;
use crate::secrets::Secret;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// The token server's answer.
#[derive(Debug, Deserialize)]
pub(super) struct Token {
    pub(super) access_token: Option<Secret>,
    /// Life in seconds.
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) expires_in: Option<i64>,
    pub(super) refresh_token: Option<Secret>,
}

/// GetOrderResponse.
#[derive(Debug, Deserialize)]
pub(super) struct GetOrder {
    pub(super) order: Order,
}

/// SearchOrdersResponse, as far as a sweep reads it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchOrders {
    #[serde(deserialize_with = "loose::needed_list")]
    pub(super) orders: Vec<OrderStub>,
    pub(super) pagination: Option<Pagination>,
}

/// Pagination; absent on the last page.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) next_token: Option<String>,
}

/// What a sweep reads of an order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderStub {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) order_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) last_updated_time: Option<String>,
}

/// Order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) order_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) created_time: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) last_updated_time: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) programs: Vec<String>,
    pub(super) sales_channel: Option<SalesChannel>,
    pub(super) buyer: Option<Buyer>,
    pub(super) recipient: Option<Recipient>,
    pub(super) proceeds: Option<OrderProceeds>,
    pub(super) fulfillment: Option<OrderFulfillment>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) order_items: Vec<OrderItem>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) packages: Vec<OrderPackage>,
}

/// SalesChannel.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SalesChannel {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) marketplace_id: Option<String>,
}

/// Buyer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Buyer {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) buyer_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) buyer_email: Option<String>,
}

/// Recipient.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recipient {
    pub(super) delivery_address: Option<CustomerAddress>,
}

/// CustomerAddress.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CustomerAddress {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) company_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) address_line1: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) address_line2: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) address_line3: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) city: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) municipality: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) district_or_county: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) state_or_region: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) postal_code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) country_code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) phone: Option<String>,
    #[serde(default, deserialize_with = "crate::marketplaces::loose::object")]
    pub(super) extended_fields: Option<AddressExtendedFields>,
}

/// AddressExtendedFields; Brazil has them.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AddressExtendedFields {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) street_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) street_number: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) complement: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) neighborhood: Option<String>,
}

/// OrderProceeds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderProceeds {
    pub(super) grand_total: Option<Money>,
}

/// OrderFulfillment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderFulfillment {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) fulfillment_status: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) fulfilled_by: Option<String>,
    pub(super) ship_by_window: Option<DateTimeRange>,
}

/// DateTimeRange.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DateTimeRange {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) latest_date_time: Option<String>,
}

/// OrderItem.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderItem {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) order_item_id: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) quantity_ordered: Option<i64>,
    pub(super) product: Option<ItemProduct>,
    pub(super) proceeds: Option<ItemProceeds>,
    pub(super) fulfillment: Option<ItemFulfillment>,
    pub(super) cancellation: Option<ItemCancellation>,
}

/// ItemFulfillment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemFulfillment {
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) quantity_fulfilled: Option<i64>,
}

/// ItemProduct.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemProduct {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) seller_sku: Option<String>,
    pub(super) price: Option<ItemPrice>,
}

/// ItemPrice.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemPrice {
    pub(super) unit_price: Option<Money>,
}

/// ItemProceeds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemProceeds {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) breakdowns: Vec<ItemProceedsBreakdown>,
}

/// ItemProceedsBreakdown.
#[derive(Debug, Deserialize)]
pub(super) struct ItemProceedsBreakdown {
    #[serde(default, rename = "type", deserialize_with = "loose::text")]
    pub(super) kind: Option<String>,
    pub(super) subtotal: Option<Money>,
}

/// ItemCancellation. What is in its parts is free text; that they are there is what counts.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemCancellation {
    pub(super) cancellation_request: Option<Value>,
    pub(super) cancellation_execution: Option<Value>,
}

/// OrderPackage.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderPackage {
    pub(super) package_status: Option<PackageStatus>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) tracking_number: Option<String>,
}

/// PackageStatus.
#[derive(Debug, Deserialize)]
pub(super) struct PackageStatus {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
}

/// Money of the Orders API: a decimal as text.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Money {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) amount: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) currency_code: Option<String>,
}

/// ConfirmShipmentRequest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfirmShipment<'a> {
    pub(super) marketplace_id: &'a str,
    pub(super) package_detail: PackageDetail<'a>,
}

/// PackageDetail.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PackageDetail<'a> {
    /// Text that holds a positive whole number: a bare number is refused.
    pub(super) package_reference_id: String,
    pub(super) carrier_code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) carrier_name: Option<String>,
    pub(super) tracking_number: &'a str,
    pub(super) ship_date: String,
    /// A list even for one: an object gets an error that speaks of something else.
    pub(super) order_items: Vec<ConfirmShipmentItem<'a>>,
}

/// ConfirmShipmentOrderItem.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfirmShipmentItem<'a> {
    pub(super) order_item_id: &'a str,
    pub(super) quantity: u32,
}

/// ListingsItemPatchRequest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListingsItemPatch<'a> {
    pub(super) product_type: &'a str,
    pub(super) patches: Patches<'a>,
}

/// The patches of an update.
pub(super) type Patches<'a> = Vec<Patch<'a>>;

/// PatchOperation.
#[derive(Debug, Serialize)]
pub(super) struct Patch<'a> {
    pub(super) op: &'static str,
    pub(super) path: &'static str,
    pub(super) value: [Patched<'a>; 1],
}

/// What is patched.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Patched<'a> {
    Availability(Availability),
    Offer(PurchasableOffer<'a>),
}

/// An entry of `fulfillment_availability`.
#[derive(Debug, Serialize)]
pub(super) struct Availability {
    pub(super) fulfillment_channel_code: &'static str,
    pub(super) quantity: u32,
}

/// An entry of `purchasable_offer`.
#[derive(Debug, Serialize)]
pub(super) struct PurchasableOffer<'a> {
    pub(super) marketplace_id: &'a str,
    pub(super) currency: &'static str,
    pub(super) audience: &'static str,
    pub(super) our_price: [OurPrice; 1],
}

/// An entry of `our_price`.
#[derive(Debug, Serialize)]
pub(super) struct OurPrice {
    pub(super) schedule: [Schedule; 1],
}

/// An entry of `schedule`.
#[derive(Debug, Serialize)]
pub(super) struct Schedule {
    pub(super) value_with_tax: Number,
}

/// Item (getListingsItem), with its attributes and availability.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListingsItem {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) fulfillment_availability: Vec<ItemAvailability>,
    #[serde(default)]
    pub(super) attributes: Option<ItemAttributes>,
}

/// FulfillmentAvailability.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemAvailability {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) fulfillment_channel_code: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) quantity: Option<i64>,
}

/// What is used of ItemAttributes.
#[derive(Debug, Deserialize)]
pub(super) struct ItemAttributes {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) purchasable_offer: Vec<SetOffer>,
}

/// An entry of `purchasable_offer`, as Amazon has it.
#[derive(Debug, Deserialize)]
pub(super) struct SetOffer {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) marketplace_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) currency: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) audience: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) our_price: Vec<SetPrice>,
}

/// An entry of `our_price`, as Amazon has it.
#[derive(Debug, Deserialize)]
pub(super) struct SetPrice {
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) schedule: Vec<SetSchedule>,
}

/// An entry of `schedule`, as Amazon has it.
#[derive(Debug, Deserialize)]
pub(super) struct SetSchedule {
    pub(super) value_with_tax: Option<Number>,
}

/// ListingsItemSubmissionResponse.
#[derive(Debug, Deserialize)]
pub(super) struct ListingsItemSubmission {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) status: Option<String>,
    #[serde(default, deserialize_with = "loose::list")]
    pub(super) issues: Vec<Issue>,
}

/// Issue, of a listing or of a feed's message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Issue {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) severity: Option<String>,
    #[serde(default, deserialize_with = "loose::whole")]
    pub(super) message_id: Option<i64>,
}

/// CreateFeedDocumentSpecification.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewFeedDocument {
    pub(super) content_type: &'static str,
}

/// CreateFeedDocumentResponse and FeedDocument.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeedDocument {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) feed_document_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) url: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) compression_algorithm: Option<String>,
}

/// CreateFeedSpecification.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewFeed<'a> {
    pub(super) feed_type: &'static str,
    pub(super) marketplace_ids: Vec<&'a str>,
    pub(super) input_feed_document_id: &'a str,
}

/// CreateFeedResponse.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedFeed {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) feed_id: Option<String>,
}

/// Feed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Feed {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) feed_id: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) created_time: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) processing_status: Option<String>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) result_feed_document_id: Option<String>,
}

/// GetFeedsResponse.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Feeds {
    #[serde(deserialize_with = "loose::needed_list")]
    pub(super) feeds: Vec<Feed>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) next_token: Option<String>,
}

/// What the Notifications and Sellers APIs put around their answers.
#[derive(Debug, Deserialize)]
pub(super) struct Payload<T> {
    pub(super) payload: T,
}

/// CreateDestinationRequest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewDestination<'a> {
    pub(super) name: String,
    pub(super) resource_specification: NewResource<'a>,
}

/// DestinationResourceSpecification.
#[derive(Debug, Serialize)]
pub(super) struct NewResource<'a> {
    pub(super) sqs: NewQueue<'a>,
}

/// SqsResource, as sent.
#[derive(Debug, Serialize)]
pub(super) struct NewQueue<'a> {
    pub(super) arn: &'a str,
}

/// Destination.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Destination {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) destination_id: Option<String>,
    pub(super) resource: Option<Resource>,
}

/// DestinationResource.
#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    pub(super) sqs: Option<Queue>,
}

/// SqsResource, as read.
#[derive(Debug, Deserialize)]
pub(super) struct Queue {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) arn: Option<String>,
}

/// CreateSubscriptionRequest.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSubscription<'a> {
    pub(super) payload_version: &'static str,
    pub(super) destination_id: &'a str,
}

/// Subscription.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Subscription {
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) subscription_id: Option<String>,
    #[serde(default, deserialize_with = "loose::id")]
    pub(super) destination_id: Option<String>,
}

/// MarketplaceParticipation.
#[derive(Debug, Deserialize)]
pub(super) struct MarketplaceParticipation {
    pub(super) marketplace: Option<Marketplace>,
    pub(super) participation: Option<Participation>,
}

/// Marketplace.
#[derive(Debug, Deserialize)]
pub(super) struct Marketplace {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) id: Option<String>,
}

/// Participation.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Participation {
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) is_participating: Option<bool>,
    #[serde(default, deserialize_with = "loose::flag")]
    pub(super) has_suspended_listings: Option<bool>,
}

impl std::fmt::Debug for Buyer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[sealed]")
    }
}

impl std::fmt::Debug for CustomerAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[sealed]")
    }
}
