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
use serde_json::Value;
use serde_json::json;

use super::AliExpress;
use super::seller;
use super::types::AliExpressOperation;
use super::types::NewProduct;
use super::types::SupplierOrderView;
use crate::answer::Call;
use crate::control;
use crate::error::ControlError;
use crate::fault::Fault;
use crate::fault::RateLimit;
use crate::money::Money;

type Made<T = Value> = Result<Json<T>, ControlError>;

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
    Router::new()
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
        .route("/tokens/{what}", post(tokens))
        .route("/limits", post(set_limit))
        .route("/faults", post(fail_next).delete(clear_faults))
        .route("/settings", get(settings).patch(change_settings))
        .route("/pushes", get(pushes))
        .route("/pushes/resume", post(resume_pushes))
        .route("/counters", get(counters))
        .route("/clock", get(clock).post(advance_clock))
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
    #[serde(default = "once")]
    parcels: u32,
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

#[derive(Deserialize)]
struct Limit {
    operation: AliExpressOperation,
    limit: Option<RateLimit>,
}

#[derive(Deserialize)]
struct PlannedFault {
    operation: AliExpressOperation,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

async fn skus(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.skus()).into_response()
}

async fn add_product(State(aliexpress): State<AliExpress>, Json(new): Json<NewProduct>) -> Made {
    aliexpress.add_product(new)?;
    control::done()
}

async fn set_on_sale(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
    Json(body): Json<OnSale>,
) -> Made {
    aliexpress.set_on_sale(id, body.on_sale)?;
    control::done()
}

async fn set_takes_orders(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
    Json(body): Json<TakesOrders>,
) -> Made {
    aliexpress.set_takes_orders(id, body.takes_orders)?;
    control::done()
}

async fn set_stock(
    State(aliexpress): State<AliExpress>,
    Path((product_id, sku_id)): Path<(u64, u64)>,
    Json(body): Json<Stock>,
) -> Made {
    aliexpress.set_stock(product_id, sku_id, body.stock)?;
    control::done()
}

async fn set_price(
    State(aliexpress): State<AliExpress>,
    Path((product_id, sku_id)): Path<(u64, u64)>,
    Json(price): Json<Money>,
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
    Json(body): Json<Parcels>,
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
    Json(body): Json<Reason>,
) -> Made {
    aliexpress.close(id, &body.reason)?;
    control::done()
}

async fn current_tokens(State(aliexpress): State<AliExpress>) -> Response {
    let (access_token, refresh_token) = aliexpress.current_tokens();
    Json(json!({ "access_token": access_token, "refresh_token": refresh_token })).into_response()
}

async fn tokens(State(aliexpress): State<AliExpress>, Path(what): Path<String>) -> Made {
    match what.as_str() {
        "expire" => aliexpress.expire_access_tokens(),
        "revoke" => aliexpress.revoke_consent(),
        "consent_as_seller" => {
            return Ok(Json(json!({ "code": aliexpress.consent_as_seller() })));
        }
        "consent" => return Ok(Json(json!({ "code": aliexpress.consent() }))),
        other => return Err(ControlError::unknown("token action", other)),
    }
    control::done()
}

async fn set_limit(State(aliexpress): State<AliExpress>, Json(body): Json<Limit>) -> Made {
    aliexpress.set_rate_limit(body.operation, body.limit);
    control::done()
}

async fn fail_next(State(aliexpress): State<AliExpress>, Json(body): Json<PlannedFault>) -> Made {
    aliexpress.fail_next(body.operation, body.fault, body.times);
    control::done()
}

async fn clear_faults(State(aliexpress): State<AliExpress>) -> Made {
    aliexpress.clear_faults();
    control::done()
}

async fn settings(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.settings()).into_response()
}

async fn change_settings(State(aliexpress): State<AliExpress>, Json(change): Json<Value>) -> Made {
    aliexpress.set_settings(control::merge(&aliexpress.settings(), change)?);
    control::done()
}

async fn pushes(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.pushes()).into_response()
}

async fn resume_pushes(State(aliexpress): State<AliExpress>) -> Made {
    aliexpress.resume_pushes();
    control::done()
}

async fn counters(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.counters()).into_response()
}

async fn clock(State(aliexpress): State<AliExpress>) -> Response {
    control::show_clock(aliexpress.clock().as_ref()).into_response()
}

async fn advance_clock(
    State(aliexpress): State<AliExpress>,
    Json(body): Json<control::Advance>,
) -> Made {
    control::advance(aliexpress.clock().as_ref(), &body)
}
