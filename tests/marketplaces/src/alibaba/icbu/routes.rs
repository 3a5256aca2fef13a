//! Paths: the platform's own, and `/_control` with the same methods as the handle.

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

use super::Icbu;
use super::types::IcbuOperation;
use super::types::IcbuOrderView;
use super::types::IcbuProduct;
use super::types::TradeStatus;
use crate::answer::Call;
use crate::control;
use crate::error::ControlError;
use crate::fault::Fault;
use crate::fault::RateLimit;

type Made<T = Value> = Result<Json<T>, ControlError>;

pub(super) fn router(icbu: Icbu) -> Router {
    Router::new()
        .route("/rest/{*path}", get(rest).post(rest))
        .nest("/_control", control_router())
        .with_state(icbu)
}

async fn rest(State(icbu): State<Icbu>, Path(path): Path<String>, call: Call) -> Response {
    icbu.rest(&format!("/{path}"), &call)
}

fn control_router() -> Router<Icbu> {
    Router::new()
        .route("/products", post(add_product))
        .route("/products/{product_id}/online", post(set_online))
        .route(
            "/products/{product_id}/skus/{sku_id}/stock",
            post(set_stock),
        )
        .route("/orders", get(orders))
        .route("/orders/{trade_id}", get(order))
        .route("/orders/{trade_id}/{step}", post(step))
        .route("/tokens/{what}", post(tokens))
        .route("/limits", post(set_limit))
        .route("/faults", post(fail_next).delete(clear_faults))
        .route("/settings", get(settings).patch(change_settings))
        .route("/pushes", get(pushes))
        .route("/counters", get(counters))
        .route("/clock", get(clock).post(advance_clock))
}

#[derive(Deserialize)]
struct Online {
    online: bool,
}

#[derive(Deserialize)]
struct Stock {
    place: String,
    stock: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Step {
    parcels: u32,
    status: Option<TradeStatus>,
}

#[derive(Deserialize)]
struct Limit {
    operation: IcbuOperation,
    limit: Option<RateLimit>,
}

#[derive(Deserialize)]
struct PlannedFault {
    operation: IcbuOperation,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

async fn add_product(State(icbu): State<Icbu>, Json(new): Json<IcbuProduct>) -> Made {
    icbu.add_product(new)?;
    control::done()
}

async fn set_online(
    State(icbu): State<Icbu>,
    Path(id): Path<u64>,
    Json(body): Json<Online>,
) -> Made {
    icbu.set_online(id, body.online)?;
    control::done()
}

async fn set_stock(
    State(icbu): State<Icbu>,
    Path((product_id, sku_id)): Path<(u64, u64)>,
    Json(body): Json<Stock>,
) -> Made {
    icbu.set_stock(product_id, sku_id, &body.place, body.stock)?;
    control::done()
}

async fn orders(State(icbu): State<Icbu>) -> Response {
    Json(icbu.orders()).into_response()
}

async fn order(State(icbu): State<Icbu>, Path(id): Path<u64>) -> Made<IcbuOrderView> {
    let view = icbu.order(id);
    view.map(Json)
        .ok_or_else(|| ControlError::unknown("order", id))
}

async fn step(
    State(icbu): State<Icbu>,
    Path((id, step)): Path<(u64, String)>,
    Json(body): Json<Step>,
) -> Made {
    match (step.as_str(), body.status) {
        ("pay", _) => icbu.pay(id)?,
        ("ship", _) => icbu.ship(id, body.parcels)?,
        ("deliver", _) => icbu.deliver(id)?,
        ("confirm", _) => icbu.confirm(id)?,
        ("status", Some(status)) => icbu.set_status(id, status)?,
        (other, _) => return Err(ControlError::unknown("step", other)),
    }
    control::done()
}

async fn tokens(State(icbu): State<Icbu>, Path(what): Path<String>) -> Made {
    match what.as_str() {
        "expire" => icbu.expire_access_tokens(),
        "revoke" => icbu.revoke_consent(),
        other => return Err(ControlError::unknown("token action", other)),
    }
    control::done()
}

async fn set_limit(State(icbu): State<Icbu>, Json(body): Json<Limit>) -> Made {
    icbu.set_rate_limit(body.operation, body.limit);
    control::done()
}

async fn fail_next(State(icbu): State<Icbu>, Json(body): Json<PlannedFault>) -> Made {
    icbu.fail_next(body.operation, body.fault, body.times);
    control::done()
}

async fn clear_faults(State(icbu): State<Icbu>) -> Made {
    icbu.clear_faults();
    control::done()
}

async fn settings(State(icbu): State<Icbu>) -> Response {
    Json(icbu.settings()).into_response()
}

async fn change_settings(State(icbu): State<Icbu>, Json(change): Json<Value>) -> Made {
    icbu.set_settings(control::merge(&icbu.settings(), change)?);
    control::done()
}

async fn pushes(State(icbu): State<Icbu>) -> Response {
    Json(icbu.pushes()).into_response()
}

async fn counters(State(icbu): State<Icbu>) -> Response {
    Json(icbu.counters()).into_response()
}

async fn clock(State(icbu): State<Icbu>) -> Response {
    control::show_clock(icbu.clock().as_ref()).into_response()
}

async fn advance_clock(State(icbu): State<Icbu>, Json(body): Json<control::Advance>) -> Made {
    control::advance(icbu.clock().as_ref(), &body)
}
