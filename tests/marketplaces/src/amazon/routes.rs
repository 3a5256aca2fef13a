//! Paths: Amazon's own, the token server's, the storage's, and `/_control` with the same methods as the handle.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::delete;
use axum::routing::get;
use axum::routing::post;
use axum::routing::put;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::Amazon;
use super::error;
use super::lwa::Caller::Application;
use super::lwa::Caller::Seller;
use super::types::AmazonBucket;
use super::types::AmazonNewListing;
use super::types::AmazonNewOrder;
use super::types::AmazonOperation as Operation;
use super::types::AmazonOrderView;
use crate::actions::channel_router;
use crate::answer::Answer;
use crate::answer::Call;
use crate::control;
use crate::control::Body;
use crate::control::Made;
use crate::error::ControlError;
use crate::money::Money;

pub(super) fn router(amazon: Amazon) -> Router {
    let listing = "/listings/2021-08-01/items/{seller_id}/{sku}";
    let subscription = "/notifications/v1/subscriptions/{kind}";
    let destinations = "/notifications/v1/destinations";
    let feeds = "/feeds/2021-06-30";
    Router::new()
        .route("/auth/o2/token", post(token))
        .route("/orders/2026-01-01/orders", get(search_orders))
        .route("/orders/2026-01-01/orders/{order_id}", get(get_order))
        .route(
            "/orders/v0/orders/{order_id}/shipmentConfirmation",
            post(confirm_shipment),
        )
        .route("/finances/2024-06-19/transactions", get(list_transactions))
        .route(listing, get(get_listing).patch(patch_listing))
        .route(&format!("{feeds}/documents"), post(create_document))
        .route(&format!("{feeds}/documents/{{id}}"), get(get_document))
        .route(&format!("{feeds}/feeds"), get(get_feeds).post(create_feed))
        .route(&format!("{feeds}/feeds/{{id}}"), get(get_feed))
        .route("/storage/{id}", put(upload).get(download))
        .route(destinations, get(get_destinations).post(create_destination))
        .route(
            subscription,
            get(get_subscription).post(create_subscription),
        )
        .route(
            &format!("{subscription}/{{id}}"),
            delete(delete_subscription),
        )
        .route("/sellers/v1/marketplaceParticipations", get(participations))
        .nest("/_control", control_router())
        .fallback(unknown_path)
        .with_state(amazon)
}

async fn unknown_path() -> Answer {
    // So Amazon answers a path that no operation has, whatever the token.
    error::answer(
        StatusCode::FORBIDDEN,
        "MissingAuthenticationToken",
        "Missing Authentication Token",
        "",
    )
}

async fn token(State(amazon): State<Amazon>, call: Call) -> Response {
    amazon.serve(Operation::Token, |state| state.token(&call))
}

async fn search_orders(State(amazon): State<Amazon>, call: Call) -> Response {
    amazon.serve_authorized(Operation::SearchOrders, &call, Seller, |state| {
        state.search_orders(&call)
    })
}

async fn get_order(State(amazon): State<Amazon>, Path(id): Path<String>, call: Call) -> Response {
    amazon.serve_authorized(Operation::GetOrder, &call, Seller, |state| {
        state.get_order(&id, &call)
    })
}

async fn confirm_shipment(
    State(amazon): State<Amazon>,
    Path(id): Path<String>,
    call: Call,
) -> Response {
    amazon.serve_authorized(Operation::ConfirmShipment, &call, Seller, |state| {
        state.confirm_shipment(&id, &call)
    })
}

async fn list_transactions(State(amazon): State<Amazon>, call: Call) -> Response {
    amazon.serve_authorized(Operation::ListTransactions, &call, Seller, |state| {
        state.list_transactions(&call)
    })
}

async fn get_listing(
    State(amazon): State<Amazon>,
    Path((seller_id, sku)): Path<(String, String)>,
    call: Call,
) -> Response {
    amazon.serve_authorized(Operation::GetListingsItem, &call, Seller, |state| {
        state.get_listing(&seller_id, &sku, &call)
    })
}

async fn patch_listing(
    State(amazon): State<Amazon>,
    Path((seller_id, sku)): Path<(String, String)>,
    call: Call,
) -> Response {
    amazon.serve_authorized(Operation::PatchListingsItem, &call, Seller, |state| {
        state.patch_listing(&seller_id, &sku, &call)
    })
}

async fn create_document(State(amazon): State<Amazon>, call: Call) -> Response {
    amazon.serve_authorized(Operation::CreateFeedDocument, &call, Seller, |state| {
        state.create_document(&call)
    })
}

async fn get_document(
    State(amazon): State<Amazon>,
    Path(id): Path<String>,
    call: Call,
) -> Response {
    amazon.serve_authorized(Operation::GetFeedDocument, &call, Seller, |state| {
        state.get_document(&id, &call)
    })
}

async fn create_feed(State(amazon): State<Amazon>, call: Call) -> Response {
    // Which bucket counts is in the body, so it is asked for further in.
    amazon.serve_unlimited(Operation::CreateFeed, &call, |state| {
        state.create_feed(&call)
    })
}

async fn get_feeds(State(amazon): State<Amazon>, call: Call) -> Response {
    amazon.serve_authorized(Operation::GetFeeds, &call, Seller, |state| {
        state.get_feeds(&call)
    })
}

async fn get_feed(State(amazon): State<Amazon>, Path(id): Path<String>, call: Call) -> Response {
    amazon.serve_authorized(Operation::GetFeed, &call, Seller, |state| {
        state.get_feed(&id)
    })
}

async fn upload(State(amazon): State<Amazon>, Path(id): Path<String>, call: Call) -> Response {
    amazon.serve(Operation::UploadFeedDocument, |state| {
        state.upload(&id, &call)
    })
}

async fn download(State(amazon): State<Amazon>, Path(id): Path<String>, call: Call) -> Response {
    amazon.serve(Operation::DownloadFeedDocument, |state| {
        state.download(&id, &call)
    })
}

async fn get_destinations(State(amazon): State<Amazon>, call: Call) -> Response {
    let operation = Operation::GetDestinations;
    amazon.serve_authorized(operation, &call, Application, |state| {
        state.get_destinations()
    })
}

async fn create_destination(State(amazon): State<Amazon>, call: Call) -> Response {
    amazon.serve_authorized(Operation::CreateDestination, &call, Application, |state| {
        state.create_destination(&call)
    })
}

async fn get_subscription(
    State(amazon): State<Amazon>,
    Path(kind): Path<String>,
    call: Call,
) -> Response {
    amazon.serve_authorized(Operation::GetSubscription, &call, Seller, |state| {
        state.get_subscription(&kind)
    })
}

async fn create_subscription(
    State(amazon): State<Amazon>,
    Path(kind): Path<String>,
    call: Call,
) -> Response {
    amazon.serve_authorized(Operation::CreateSubscription, &call, Seller, |state| {
        state.create_subscription(&kind, &call)
    })
}

async fn delete_subscription(
    State(amazon): State<Amazon>,
    Path((kind, id)): Path<(String, String)>,
    call: Call,
) -> Response {
    amazon.serve_authorized(Operation::DeleteSubscription, &call, Application, |state| {
        state.delete_subscription(&kind, &id)
    })
}

async fn participations(State(amazon): State<Amazon>, call: Call) -> Response {
    let operation = Operation::GetMarketplaceParticipations;
    amazon.serve_authorized(operation, &call, Seller, |state| state.participations())
}

fn control_router() -> Router<Amazon> {
    control::router()
        .merge(channel_router("/orders"))
        .route("/listings", get(listings).post(add_listing))
        .route("/listings/{sku}/quantity", post(set_quantity))
        .route("/listings/{sku}/price", post(set_price))
        .route("/orders", get(orders).post(place_order))
        .route("/orders/{order_id}", get(order))
        .route("/orders/{order_id}/pay", post(pay_order))
        .route("/orders/{order_id}/request_cancel", post(request_cancel))
        .route("/orders/{order_id}/cancel", post(cancel_order))
        .route("/feeds", get(feeds))
        .route("/feeds/{feed_id}/end", post(end_feed))
        .route("/notifications/take", post(take_notifications))
        .route("/buckets", post(set_bucket))
        .route("/tokens/restore", post(restore_consent))
}

#[derive(Deserialize)]
struct Quantity {
    quantity: u32,
}

#[derive(Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct Ending {
    fatal: bool,
}

#[derive(Deserialize)]
struct Bucket {
    operation: Operation,
    bucket: Option<AmazonBucket>,
}

async fn listings(State(amazon): State<Amazon>) -> Response {
    Json(amazon.listings()).into_response()
}

async fn add_listing(State(amazon): State<Amazon>, Body(new): Body<AmazonNewListing>) -> Response {
    Json(amazon.add_listing(new)).into_response()
}

async fn set_quantity(
    State(amazon): State<Amazon>,
    Path(sku): Path<String>,
    Body(body): Body<Quantity>,
) -> Made {
    amazon.set_quantity(&sku, body.quantity)?;
    control::done()
}

async fn set_price(
    State(amazon): State<Amazon>,
    Path(sku): Path<String>,
    Body(price): Body<Money>,
) -> Made {
    amazon.set_price(&sku, &price)?;
    control::done()
}

async fn orders(State(amazon): State<Amazon>) -> Response {
    Json(amazon.orders()).into_response()
}

async fn place_order(State(amazon): State<Amazon>, Body(new): Body<AmazonNewOrder>) -> Made {
    let order_id = amazon.place_order(new)?;
    Ok(Json(json!({ "order_id": order_id })))
}

async fn order(State(amazon): State<Amazon>, Path(id): Path<String>) -> Made<AmazonOrderView> {
    let view = amazon.order(&id);
    view.map(Json)
        .ok_or_else(|| ControlError::unknown("order", id))
}

async fn pay_order(State(amazon): State<Amazon>, Path(id): Path<String>) -> Made {
    amazon.pay_order(&id)?;
    control::done()
}

async fn request_cancel(
    State(amazon): State<Amazon>,
    Path(id): Path<String>,
    Body(body): Body<Reason>,
) -> Made {
    amazon.request_cancel(&id, &body.reason)?;
    control::done()
}

async fn cancel_order(State(amazon): State<Amazon>, Path(id): Path<String>) -> Made {
    amazon.cancel_order(&id)?;
    control::done()
}

async fn feeds(State(amazon): State<Amazon>) -> Response {
    Json(amazon.feeds()).into_response()
}

async fn end_feed(
    State(amazon): State<Amazon>,
    Path(id): Path<String>,
    Body(body): Body<Ending>,
) -> Made {
    amazon.end_feed(&id, body.fatal)?;
    control::done()
}

async fn take_notifications(State(amazon): State<Amazon>) -> Response {
    Json(amazon.take_due_notifications(amazon.clock().now())).into_response()
}

async fn set_bucket(State(amazon): State<Amazon>, Body(body): Body<Bucket>) -> Made {
    amazon.set_bucket(body.operation, body.bucket);
    control::done()
}

async fn restore_consent(State(amazon): State<Amazon>) -> Made {
    amazon.restore_consent();
    control::done()
}
