//! Paths: eBay's own, and `/_control` with the same methods as the handle.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::Ebay;
use super::error;
use super::types::EbayOperation as Operation;
use super::types::NewListing;
use super::types::NewOrder;
use super::types::PaymentStatus;
use super::types::SCOPE_FINANCES;
use super::types::SCOPE_FULFILLMENT;
use super::types::SCOPE_INVENTORY;
use crate::answer::Answer;
use crate::answer::Call;
use crate::control;
use crate::control::Body;
use crate::control::Made;
use crate::error::ControlError;
use crate::money::Money;

const READ_FULFILLMENT: &[&str] = &[
    SCOPE_FULFILLMENT,
    "https://api.ebay.com/oauth/api_scope/sell.fulfillment.readonly",
];
const READ_INVENTORY: &[&str] = &[
    SCOPE_INVENTORY,
    "https://api.ebay.com/oauth/api_scope/sell.inventory.readonly",
];

pub(super) fn router(ebay: Ebay) -> Router {
    let order = "/sell/fulfillment/v1/order";
    let fulfillment = "/sell/fulfillment/v1/order/{order_id}/shipping_fulfillment";
    Router::new()
        .route("/identity/v1/oauth2/token", post(token))
        .route(order, get(get_orders))
        .route("/sell/fulfillment/v1/order/{order_id}", get(get_order))
        .route(fulfillment, post(create_fulfillment).get(list_fulfillments))
        .route(
            "/sell/fulfillment/v1/order/{order_id}/shipping_fulfillment/{id}",
            get(get_fulfillment),
        )
        .route(
            "/sell/inventory/v1/bulk_update_price_quantity",
            post(bulk_update),
        )
        .route("/sell/inventory/v1/offer", get(get_offers))
        .route(
            "/commerce/notification/v1/public_key/{kid}",
            get(get_public_key),
        )
        .route(
            "/sell/fulfillment/v1/order/{order_id}/issue_refund",
            post(issue_refund),
        )
        .route("/ws/api.dll", post(trading))
        .route("/developer/analytics/v1_beta/rate_limit/", get(rate_limits))
        .merge(super::subscriptions::router())
        .nest("/_control", control_router())
        .fallback(unknown_path)
        .with_state(ebay)
}

async fn unknown_path() -> Answer {
    error::request(StatusCode::NOT_FOUND, 2002, "ACCESS", "Resource not found")
}

async fn token(State(ebay): State<Ebay>, call: Call) -> Response {
    ebay.serve(Operation::Token, |state| state.token(&call))
}

async fn get_order(State(ebay): State<Ebay>, Path(id): Path<String>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetOrder, &call, READ_FULFILLMENT, |state| {
        state.get_order(&id, &call)
    })
}

async fn get_orders(State(ebay): State<Ebay>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetOrders, &call, READ_FULFILLMENT, |state| {
        state.get_orders(&call)
    })
}

async fn create_fulfillment(
    State(ebay): State<Ebay>,
    Path(id): Path<String>,
    call: Call,
) -> Response {
    let operation = Operation::CreateShippingFulfillment;
    ebay.serve_authorized(operation, &call, &[SCOPE_FULFILLMENT], |state| {
        state.create_fulfillment(&id, &call)
    })
}

async fn list_fulfillments(
    State(ebay): State<Ebay>,
    Path(id): Path<String>,
    call: Call,
) -> Response {
    let operation = Operation::GetShippingFulfillments;
    ebay.serve_authorized(operation, &call, READ_FULFILLMENT, |state| {
        state.list_fulfillments(&id)
    })
}

async fn get_fulfillment(
    State(ebay): State<Ebay>,
    Path((order_id, id)): Path<(String, String)>,
    call: Call,
) -> Response {
    let operation = Operation::GetShippingFulfillment;
    ebay.serve_authorized(operation, &call, READ_FULFILLMENT, |state| {
        state.get_fulfillment(&order_id, &id)
    })
}

async fn bulk_update(State(ebay): State<Ebay>, call: Call) -> Response {
    let operation = Operation::BulkUpdatePriceQuantity;
    ebay.serve_authorized(operation, &call, &[SCOPE_INVENTORY], |state| {
        state.bulk_update(&call)
    })
}

async fn get_offers(State(ebay): State<Ebay>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetOffers, &call, READ_INVENTORY, |state| {
        state.get_offers(&call)
    })
}

async fn get_public_key(State(ebay): State<Ebay>, Path(kid): Path<String>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetPublicKey, &call, &[], |state| {
        state.get_public_key(&kid)
    })
}

async fn issue_refund(State(ebay): State<Ebay>, Path(id): Path<String>, call: Call) -> Response {
    ebay.serve_authorized(Operation::IssueRefund, &call, &[SCOPE_FINANCES], |state| {
        state.issue_refund(&id, &call)
    })
}

async fn rate_limits(State(ebay): State<Ebay>, call: Call) -> Response {
    ebay.serve_authorized(Operation::GetRateLimits, &call, &[], |state| {
        state.rate_limits()
    })
}

async fn trading(State(ebay): State<Ebay>, call: Call) -> Response {
    match super::trading::operation(&call) {
        Ok(operation) => {
            ebay.serve_trading(operation, &call, |state| state.trade(operation, &call))
        }
        Err(answer) => answer.into_response(),
    }
}

fn control_router() -> Router<Ebay> {
    control::router()
        .merge(control::push_router())
        .merge(crate::actions::channel_router("/orders"))
        .route("/listings", get(listings).post(add_listing))
        .route("/listings/{sku}/quantity", post(set_quantity))
        .route("/listings/{sku}/price", post(set_price))
        .route("/listings/{sku}/end", post(end_listing))
        .route("/endpoint/mark_down", post(mark_endpoints_down))
        .route("/orders", get(orders).post(place_order))
        .route("/orders/{order_id}", get(order))
        .route("/orders/{order_id}/request_cancel", post(request_cancel))
        .route("/orders/{order_id}/cancel", post(cancel_order))
        .route("/orders/{order_id}/payment", post(set_payment))
        .route("/accounts/delete", post(delete_account))
        .route(
            "/endpoint",
            post(register_endpoint).delete(unregister_endpoint),
        )
        .route("/tokens/restore", post(restore_consent))
}

#[derive(Deserialize)]
struct Quantity {
    quantity: u32,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default = "buyer_asked")]
    reason: String,
}

fn buyer_asked() -> String {
    "BUYER_ASKED_CANCEL".to_owned()
}

#[derive(Deserialize)]
struct Payment {
    payment: PaymentStatus,
}

#[derive(Deserialize)]
struct Username {
    username: String,
}

#[derive(Deserialize)]
struct Endpoint {
    endpoint: String,
    #[serde(default = "default_token")]
    verification_token: String,
}

fn default_token() -> String {
    crate::defaults::EBAY_VERIFICATION_TOKEN.to_owned()
}

async fn listings(State(ebay): State<Ebay>) -> Response {
    Json(ebay.listings()).into_response()
}

async fn add_listing(State(ebay): State<Ebay>, Body(new): Body<NewListing>) -> Response {
    Json(ebay.add_listing(new)).into_response()
}

async fn set_quantity(
    State(ebay): State<Ebay>,
    Path(sku): Path<String>,
    Body(body): Body<Quantity>,
) -> Made {
    ebay.set_quantity(&sku, body.quantity)?;
    control::done()
}

async fn end_listing(State(ebay): State<Ebay>, Path(sku): Path<String>) -> Made {
    ebay.end_listing(&sku)?;
    control::done()
}

async fn mark_endpoints_down(State(ebay): State<Ebay>) -> Made {
    ebay.mark_endpoints_down();
    control::done()
}

async fn set_price(
    State(ebay): State<Ebay>,
    Path(sku): Path<String>,
    Body(price): Body<Money>,
) -> Made {
    ebay.set_price(&sku, &price)?;
    control::done()
}

async fn orders(State(ebay): State<Ebay>) -> Response {
    Json(ebay.orders()).into_response()
}

async fn place_order(State(ebay): State<Ebay>, Body(new): Body<NewOrder>) -> Made {
    let order_id = ebay.place_order(new)?;
    Ok(Json(json!({ "order_id": order_id })))
}

async fn order(
    State(ebay): State<Ebay>,
    Path(id): Path<String>,
) -> Made<super::types::EbayOrderView> {
    let view = ebay.order(&id);
    view.map(Json)
        .ok_or_else(|| ControlError::unknown("order", id))
}

async fn request_cancel(
    State(ebay): State<Ebay>,
    Path(id): Path<String>,
    Body(body): Body<Reason>,
) -> Made {
    ebay.request_cancel(&id, &body.reason)?;
    control::done()
}

async fn cancel_order(State(ebay): State<Ebay>, Path(id): Path<String>) -> Made {
    ebay.cancel_order(&id)?;
    control::done()
}

async fn set_payment(
    State(ebay): State<Ebay>,
    Path(id): Path<String>,
    Body(body): Body<Payment>,
) -> Made {
    ebay.set_payment(&id, body.payment)?;
    control::done()
}

async fn delete_account(State(ebay): State<Ebay>, Body(body): Body<Username>) -> Made {
    Ok(Json(
        json!({ "push_id": ebay.delete_account(&body.username) }),
    ))
}

async fn register_endpoint(State(ebay): State<Ebay>, Body(body): Body<Endpoint>) -> Made {
    ebay.register_endpoint(&body.endpoint, &body.verification_token)
        .await?;
    control::done()
}

async fn unregister_endpoint(State(ebay): State<Ebay>) -> Made {
    ebay.unregister_endpoint();
    control::done()
}

async fn restore_consent(State(ebay): State<Ebay>) -> Made {
    ebay.restore_consent();
    control::done()
}
