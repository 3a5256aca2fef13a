//! Paths: AliExpress's own, and `/_control` with the same methods as the handle.

use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::AliExpress;
use super::seller;
use super::types::NewProduct;
use super::types::SupplierOrderView;
use crate::actions;
use crate::answer::Call;
use crate::control;
use crate::control::Body;
use crate::control::Made;
use crate::error::ControlError;
use crate::money::Money;

pub(super) fn router(aliexpress: AliExpress) -> Router {
    Router::new()
        .route("/sync", get(sync).post(sync))
        .route("/router/rest", get(old).post(old))
        .route("/rest/{*path}", get(rest).post(rest))
        .nest("/_control", control_router())
        .with_state(aliexpress)
}

async fn sync(State(aliexpress): State<AliExpress>, call: Call) -> Response {
    aliexpress.sync(&call)
}

async fn old(State(aliexpress): State<AliExpress>, call: Call) -> Response {
    aliexpress.old(&call)
}

async fn rest(
    State(aliexpress): State<AliExpress>,
    Path(path): Path<String>,
    call: Call,
) -> Response {
    aliexpress.rest(&format!("/{path}"), &call)
}

fn control_router() -> Router<AliExpress> {
    control::router()
        .merge(control::push_router())
        .route("/products", get(skus).post(add_product))
        .route("/products/{product_id}/on_sale", post(set_on_sale))
        .route(
            "/products/{product_id}/takes_orders",
            post(set_takes_orders),
        )
        .route(
            "/products/{product_id}/skus/{sku_id}/stock",
            post(set_stock),
        )
        .route(
            "/products/{product_id}/skus/{sku_id}/price",
            post(set_price),
        )
        .route("/orders", get(orders))
        .route("/orders/{order_id}", get(order))
        .route("/orders/{order_id}/pay", post(pay))
        .route("/orders/{order_id}/ship", post(ship))
        .route("/orders/{order_id}/deliver", post(deliver))
        .route("/orders/{order_id}/close", post(close))
        .route("/tokens", get(current_tokens))
        .route("/tokens/consent", post(consent))
        .route("/tokens/consent_as_seller", post(consent_as_seller))
        .route("/pushes/resume", post(resume_pushes))
        .merge(actions::supplier_router())
        .merge(seller::routes::router())
}

#[derive(Deserialize)]
struct TakesOrders {
    takes_orders: bool,
}

#[derive(Deserialize)]
struct OnSale {
    on_sale: bool,
}

#[derive(Deserialize)]
struct Stock {
    stock: u32,
}

#[derive(Deserialize)]
struct Parcels {
    #[serde(default = "one")]
    parcels: u32,
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

fn one() -> u32 {
    1
}

async fn skus(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.skus()).into_response()
}

async fn add_product(State(aliexpress): State<AliExpress>, Body(new): Body<NewProduct>) -> Made {
    aliexpress.add_product(new)?;
    control::done()
}

async fn set_on_sale(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
    Body(body): Body<OnSale>,
) -> Made {
    aliexpress.set_on_sale(id, body.on_sale)?;
    control::done()
}

async fn set_takes_orders(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
    Body(body): Body<TakesOrders>,
) -> Made {
    aliexpress.set_takes_orders(id, body.takes_orders)?;
    control::done()
}

async fn set_stock(
    State(aliexpress): State<AliExpress>,
    Path((product_id, sku_id)): Path<(u64, u64)>,
    Body(body): Body<Stock>,
) -> Made {
    aliexpress.set_stock(product_id, sku_id, body.stock)?;
    control::done()
}

async fn set_price(
    State(aliexpress): State<AliExpress>,
    Path((product_id, sku_id)): Path<(u64, u64)>,
    Body(price): Body<Money>,
) -> Made {
    aliexpress.set_price(product_id, sku_id, &price)?;
    control::done()
}

async fn orders(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.orders()).into_response()
}

async fn order(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
) -> Made<SupplierOrderView> {
    let view = aliexpress.order(id);
    view.map(Json)
        .ok_or_else(|| ControlError::unknown("order", id))
}

async fn pay(State(aliexpress): State<AliExpress>, Path(id): Path<u64>) -> Made {
    aliexpress.pay(id)?;
    control::done()
}

async fn ship(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
    Body(body): Body<Parcels>,
) -> Made {
    aliexpress.ship(id, body.parcels)?;
    control::done()
}

async fn deliver(State(aliexpress): State<AliExpress>, Path(id): Path<u64>) -> Made {
    aliexpress.deliver(id)?;
    control::done()
}

async fn close(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
    Body(body): Body<Reason>,
) -> Made {
    aliexpress.close(id, &body.reason)?;
    control::done()
}

async fn current_tokens(State(aliexpress): State<AliExpress>) -> Response {
    let (access_token, refresh_token) = aliexpress.current_tokens();
    Json(json!({ "access_token": access_token, "refresh_token": refresh_token })).into_response()
}

async fn consent(State(aliexpress): State<AliExpress>) -> Made {
    Ok(Json(json!({ "code": aliexpress.consent() })))
}

async fn consent_as_seller(State(aliexpress): State<AliExpress>) -> Made {
    Ok(Json(json!({ "code": aliexpress.consent_as_seller() })))
}

async fn resume_pushes(State(aliexpress): State<AliExpress>) -> Made {
    aliexpress.resume_pushes();
    control::done()
}
