//! Types exactly as eBay sends them, or takes them. Only what is used is named; unknown fields and words pass, because
//! eBay adds both without notice. Nothing here is printed: orders hold buyers' data.

use crate::secrets::Secret;
use serde::{Deserialize, Serialize};

/// An amount (Fulfillment and Inventory API, `Amount`).
#[derive(Deserialize, Serialize, Default)]
#[serde(default)]
pub(super) struct Amount {
    pub(super) value: String,
    pub(super) currency: String,
}

/// An order (Fulfillment API, getOrder).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Order {
    pub(super) order_id: String,
    pub(super) creation_date: String,
    pub(super) last_modified_date: String,
    pub(super) order_fulfillment_status: Option<String>,
    pub(super) order_payment_status: Option<String>,
    pub(super) buyer: Option<Buyer>,
    pub(super) pricing_summary: Option<PricingSummary>,
    pub(super) cancel_status: Option<CancelStatus>,
    pub(super) fulfillment_start_instructions: Option<Vec<Instruction>>,
    pub(super) line_items: Option<Vec<LineItem>>,
    pub(super) total_marketplace_fee: Option<Amount>,
    pub(super) payment_summary: Option<PaymentSummary>,
}

/// An order's payments (`PaymentSummary`).
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct PaymentSummary {
    pub(super) refunds: Option<Vec<OrderRefund>>,
}

/// A refund of an order or of a line (`OrderRefund`, `LineItemRefund`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OrderRefund {
    pub(super) amount: Option<Amount>,
    pub(super) refund_date: Option<String>,
    pub(super) refund_id: Option<String>,
    pub(super) refund_reference_id: Option<String>,
    pub(super) refund_status: Option<String>,
}

/// Money to give back (Fulfillment API, issueRefund).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewRefund<'a> {
    pub(super) reason_for_refund: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) order_level_refund_amount: Option<Amount>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) refund_items: Vec<RefundItem<'a>>,
}

/// Money to give back of a line (`RefundItem`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundItem<'a> {
    pub(super) line_item_id: &'a str,
    pub(super) refund_amount: Amount,
}

/// What became of it (`Refund`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct IssuedRefund {
    pub(super) refund_id: Option<String>,
    pub(super) refund_status: Option<String>,
}

/// An order's buyer (`Buyer`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Buyer {
    pub(super) username: Option<String>,
    pub(super) tax_address: Option<TaxAddress>,
}

/// Where the buyer is taxed (`TaxAddress`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TaxAddress {
    pub(super) country_code: Option<String>,
}

/// What the customer pays (`PricingSummary`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PricingSummary {
    pub(super) total: Option<Amount>,
}

/// Whether a cancellation is asked for (`CancelStatus`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct CancelStatus {
    pub(super) cancel_state: Option<String>,
}

/// How an order is to be sent (`FulfillmentStartInstruction`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Instruction {
    pub(super) shipping_step: Option<ShippingStep>,
}

/// Where an order is to be sent (`ShippingStep`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ShippingStep {
    pub(super) ship_to: Option<Contact>,
    pub(super) ship_to_reference_id: Option<String>,
}

/// A person and an address (`ExtendedContact`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Contact {
    pub(super) full_name: Option<String>,
    pub(super) company_name: Option<String>,
    pub(super) contact_address: Option<ContactAddress>,
    pub(super) primary_phone: Option<Phone>,
    pub(super) email: Option<String>,
}

/// An address (`Address`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContactAddress {
    pub(super) address_line1: Option<String>,
    pub(super) address_line2: Option<String>,
    pub(super) city: Option<String>,
    pub(super) county: Option<String>,
    pub(super) state_or_province: Option<String>,
    pub(super) postal_code: Option<String>,
    pub(super) country_code: Option<String>,
}

/// A phone number (`PhoneNumber`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Phone {
    pub(super) phone_number: Option<String>,
}

/// A line of an order (`LineItem`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LineItem {
    pub(super) line_item_id: String,
    pub(super) sku: Option<String>,
    pub(super) quantity: u32,
    pub(super) line_item_cost: Option<Amount>,
    pub(super) discounted_line_item_cost: Option<Amount>,
    pub(super) line_item_fulfillment_instructions: Option<LineInstructions>,
    pub(super) line_item_fulfillment_status: Option<String>,
    pub(super) delivery_cost: Option<DeliveryCost>,
    pub(super) refunds: Option<Vec<OrderRefund>>,
}

/// What a line's delivery costs the customer (`DeliveryCost`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct DeliveryCost {
    pub(super) shipping_cost: Option<Amount>,
}

/// When a line is to be sent (`LineItemFulfillmentInstructions`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LineInstructions {
    pub(super) ship_by_date: Option<String>,
}

/// A page of orders (Fulfillment API, getOrders), of which only the fact of the change is read.
#[derive(Deserialize)]
pub(super) struct OrderPage {
    pub(super) next: Option<String>,
    pub(super) orders: Option<Vec<OrderStub>>,
}

/// An order on a page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderStub {
    pub(super) order_id: String,
    pub(super) last_modified_date: String,
}

/// The parcels of an order (Fulfillment API, getShippingFulfillments).
#[derive(Deserialize)]
pub(super) struct Fulfillments {
    pub(super) fulfillments: Option<Vec<Fulfillment>>,
}

/// A parcel that eBay knows (`ShippingFulfillment`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Fulfillment {
    pub(super) fulfillment_id: Option<String>,
    pub(super) shipment_tracking_number: Option<String>,
    pub(super) line_items: Option<Vec<FulfillmentLine>>,
}

/// What is in a parcel that eBay knows (`LineItemReference`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct FulfillmentLine {
    pub(super) line_item_id: String,
    pub(super) quantity: Option<u32>,
}

/// A parcel to confirm (Fulfillment API, createShippingFulfillment).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewFulfillment<'a> {
    pub(super) line_items: Vec<NewFulfillmentLine<'a>>,
    pub(super) shipped_date: String,
    pub(super) shipping_carrier_code: &'static str,
    pub(super) tracking_number: &'a str,
}

/// What is in a parcel to confirm (`LineItemReference`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewFulfillmentLine<'a> {
    pub(super) line_item_id: &'a str,
    pub(super) quantity: u32,
}

/// Prices and quantities to set (Inventory API, bulkUpdatePriceQuantity). One sku a call, in spite of the list.
#[derive(Serialize)]
pub(super) struct BulkUpdate<'a> {
    pub(super) requests: [SkuUpdate<'a>; 1],
}

/// What is set of a sku (`PriceQuantity`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SkuUpdate<'a> {
    pub(super) sku: &'a str,
    pub(super) ship_to_location_availability: Pool,
    pub(super) offers: Vec<OfferUpdate<'a>>,
}

/// The units of a sku that all its offers share (`ShipToLocationAvailability`).
#[derive(Serialize)]
pub(super) struct Pool {
    pub(super) quantity: u32,
}

/// What is set of an offer (`OfferPriceQuantity`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferUpdate<'a> {
    pub(super) offer_id: &'a str,
    pub(super) available_quantity: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Amount>,
}

/// Offers of a sku (Inventory API, getOffers).
#[derive(Deserialize)]
pub(super) struct Offers {
    #[serde(default)]
    pub(super) offers: Vec<Offer>,
}

/// An offer (`EbayOfferDetailsWithAll`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Offer {
    pub(super) offer_id: String,
    pub(super) available_quantity: Option<u32>,
    pub(super) pricing_summary: Option<OfferPricing>,
}

/// The price of an offer (`PricingSummary`).
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct OfferPricing {
    pub(super) price: Option<Amount>,
}

/// What became of each offer (`BulkPriceQuantityResponse`), with status 200 or 207.
#[derive(Deserialize)]
pub(super) struct BulkUpdated {
    pub(super) responses: Vec<OfferUpdated>,
}

/// What became of one offer, or of the sku where no offer is named (`PriceQuantityResponse`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OfferUpdated {
    pub(super) status_code: u16,
    pub(super) sku: Option<String>,
    pub(super) offer_id: Option<String>,
    pub(super) errors: Option<Vec<ErrorEntry>>,
}

/// One entry of an error list (`Error`). Its messages are not read: they can repeat a buyer's data.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ErrorEntry {
    pub(super) error_id: Option<u64>,
    pub(super) category: Option<String>,
}

/// Tokens (developer.ebay.com, "OAuth: refresh token request", "client credentials grant").
#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) access_token: Secret,
    pub(super) expires_in: i64,
    pub(super) refresh_token: Option<Secret>,
}

/// A key that signs pushes (Notification API, getPublicKey).
#[derive(Deserialize)]
pub(super) struct PublicKey {
    pub(super) key: String,
    pub(super) algorithm: String,
    pub(super) digest: String,
}

/// The `X-EBAY-SIGNATURE` header, decoded. Its `alg` and `digest` are the sender's word and not read.
#[derive(Deserialize)]
pub(super) struct SignatureHeader {
    pub(super) kid: String,
    pub(super) signature: String,
}

/// A push.
#[derive(Deserialize)]
pub(super) struct Push {
    pub(super) metadata: PushMetadata,
    pub(super) notification: Notification,
}

/// What a push is about.
#[derive(Deserialize)]
pub(super) struct PushMetadata {
    pub(super) topic: String,
}

/// A push's content.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Notification {
    pub(super) publish_date: Option<String>,
    #[serde(default)]
    pub(super) data: serde_json::Value,
}

/// Where eBay writes when an endpoint does not answer (Notification API, getConfig, updateConfig).
#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NotificationConfig {
    pub(super) alert_email: Option<String>,
}

/// A page of a list of the Notification API.
#[derive(Deserialize)]
pub(super) struct Listed<T> {
    pub(super) next: Option<String>,
    #[serde(alias = "topics", alias = "destinations", alias = "subscriptions")]
    pub(super) items: Option<Vec<T>>,
}

/// What can be subscribed to (`Topic`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Topic {
    pub(super) topic_id: String,
    pub(super) status: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) supported_payloads: Option<Vec<SupportedPayload>>,
}

/// A form in which a topic is pushed (`PayloadDetail`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SupportedPayload {
    pub(super) schema_version: Option<String>,
    pub(super) format: Option<Vec<String>>,
    pub(super) delivery_protocol: Option<String>,
    pub(super) deprecated: Option<bool>,
}

/// An endpoint that eBay knows (`Destination`). Its configuration is an object, though the contract says text.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Destination {
    pub(super) destination_id: String,
    pub(super) status: Option<String>,
    pub(super) delivery_config: serde_json::Value,
}

/// An endpoint to tell eBay (`DestinationRequest`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewDestination<'a> {
    pub(super) name: &'static str,
    pub(super) status: &'static str,
    pub(super) delivery_config: DeliveryConfig<'a>,
}

/// Where an endpoint is, and the token that it proves itself with (`DeliveryConfig`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryConfig<'a> {
    pub(super) endpoint: &'a str,
    pub(super) verification_token: &'a str,
}

/// A subscription (`Subscription`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Subscription {
    pub(super) subscription_id: String,
    pub(super) topic_id: String,
    pub(super) status: Option<String>,
    pub(super) destination_id: Option<String>,
}

/// A subscription to make (`CreateSubscriptionRequest`) or to change, then without its topic
/// (`UpdateSubscriptionRequest`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSubscription<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) topic_id: Option<&'a str>,
    pub(super) status: &'static str,
    pub(super) payload: Payload<'a>,
    pub(super) destination_id: &'a str,
}

/// The form in which a subscription is pushed (`SubscriptionPayloadDetail`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'a> {
    pub(super) format: &'static str,
    pub(super) schema_version: &'a str,
    pub(super) delivery_protocol: &'static str,
}

/// What is left of the application's quotas (Developer Analytics API, getRateLimits).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RateLimits {
    pub(super) rate_limits: Option<Vec<ApiLimits>>,
}

/// The quotas of an API (`RateLimit`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ApiLimits {
    pub(super) api_context: Option<String>,
    pub(super) api_name: Option<String>,
    pub(super) resources: Option<Vec<LimitedResource>>,
}

/// The quotas of a method (`Resource`).
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct LimitedResource {
    pub(super) name: Option<String>,
    pub(super) rates: Option<Vec<Rate>>,
}

/// A quota (`Rate`). The window is in seconds.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Rate {
    pub(super) limit: Option<u64>,
    pub(super) remaining: Option<u64>,
    pub(super) reset: Option<String>,
    pub(super) time_window: Option<u64>,
}
