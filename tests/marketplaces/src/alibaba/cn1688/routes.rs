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

use super::Cn1688;
use super::types::Cn1688Operation;
use super::types::Cn1688OrderView;
use super::types::Cn1688Product;
use super::types::Cn1688Status;
use crate::answer::Call;
use crate::control;
use crate::error::ControlError;
use crate::fault::Fault;
use crate::fault::RateLimit;

type Made<T = Value> = Result<Json<T>, ControlError>;

pub(super) fn router(cn1688: Cn1688) -> Router {
    Router::new()
        .route("/openapi/{*path}", get(openapi).post(openapi))
        .nest("/_control", control_router())
        .with_state(cn1688)
}

async fn openapi(State(cn1688): State<Cn1688>, Path(path): Path<String>, call: Call) -> Response {
    cn1688.openapi(&path, &call)
}

fn control_router() -> Router<Cn1688> {
    Router::new()
        .route("/products", post(add_product))
        .route("/products/{offer_id}/published", post(set_published))
        .route("/products/{offer_id}/skus/{spec_id}/stock", post(set_stock))
        .route("/orders", get(orders))
        .route("/orders/{order_id}", get(order))
        .route("/orders/{order_id}/{step}", post(step))
        .route("/tokens/{what}", post(tokens))
        .route("/limits", post(set_limit))
        .route("/faults", post(fail_next).delete(clear_faults))
        .route("/settings", get(settings).patch(change_settings))
        .route("/pushes", get(pushes))
        .route("/counters", get(counters))
        .route("/clock", get(clock).post(advance_clock))
}

#[derive(Deserialize)]
struct Published {
    published: bool,
}

#[derive(Deserialize)]
struct Stock {
    stock: u32,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Step {
    lines: usize,
    status: Option<Cn1688Status>,
}

#[derive(Deserialize)]
struct Limit {
    operation: Cn1688Operation,
    limit: Option<RateLimit>,
}

#[derive(Deserialize)]
struct PlannedFault {
    operation: Cn1688Operation,
    fault: Fault,
    #[serde(default = "once")]
    times: u32,
}

fn once() -> u32 {
    1
}

async fn add_product(State(cn1688): State<Cn1688>, Json(new): Json<Cn1688Product>) -> Made {
    cn1688.add_product(new)?;
    control::done()
}

async fn set_published(
    State(cn1688): State<Cn1688>,
    Path(id): Path<u64>,
    Json(body): Json<Published>,
) -> Made {
    cn1688.set_published(id, body.published)?;
    control::done()
}

async fn set_stock(
    State(cn1688): State<Cn1688>,
    Path((offer_id, spec_id)): Path<(u64, String)>,
    Json(body): Json<Stock>,
) -> Made {
    cn1688.set_stock(offer_id, &spec_id, body.stock)?;
    control::done()
}

async fn orders(State(cn1688): State<Cn1688>) -> Response {
    Json(cn1688.orders()).into_response()
}

async fn order(State(cn1688): State<Cn1688>, Path(id): Path<u64>) -> Made<Cn1688OrderView> {
    let view = cn1688.order(id);
    view.map(Json)
        .ok_or_else(|| ControlError::unknown("order", id))
}

async fn step(
    State(cn1688): State<Cn1688>,
    Path((id, step)): Path<(u64, String)>,
    Json(body): Json<Step>,
) -> Made {
    match (step.as_str(), body.status) {
        ("pay", _) => cn1688.pay(id)?,
        ("ship", _) => cn1688.ship(id, body.lines)?,
        ("deliver", _) => cn1688.deliver(id)?,
        ("status", Some(status)) => cn1688.set_status(id, status)?,
        (other, _) => return Err(ControlError::unknown("step", other)),
    }
    control::done()
}

async fn tokens(State(cn1688): State<Cn1688>, Path(what): Path<String>) -> Made {
    match what.as_str() {
        "expire" => cn1688.expire_access_tokens(),
        "revoke" => cn1688.revoke_consent(),
        other => return Err(ControlError::unknown("token action", other)),
    }
    control::done()
}

async fn set_limit(State(cn1688): State<Cn1688>, Json(body): Json<Limit>) -> Made {
    cn1688.set_rate_limit(body.operation, body.limit);
    control::done()
}

async fn fail_next(State(cn1688): State<Cn1688>, Json(body): Json<PlannedFault>) -> Made {
    cn1688.fail_next(body.operation, body.fault, body.times);
    control::done()
}

async fn clear_faults(State(cn1688): State<Cn1688>) -> Made {
    cn1688.clear_faults();
    control::done()
}

async fn settings(State(cn1688): State<Cn1688>) -> Response {
    Json(cn1688.settings()).into_response()
}

async fn change_settings(State(cn1688): State<Cn1688>, Json(change): Json<Value>) -> Made {
    cn1688.set_settings(control::merge(&cn1688.settings(), change)?);
    control::done()
}

async fn pushes(State(cn1688): State<Cn1688>) -> Response {
    Json(cn1688.pushes()).into_response()
}

async fn counters(State(cn1688): State<Cn1688>) -> Response {
    Json(cn1688.counters()).into_response()
}

async fn clock(State(cn1688): State<Cn1688>) -> Response {
    control::show_clock(cn1688.clock().as_ref()).into_response()
}

async fn advance_clock(State(cn1688): State<Cn1688>, Json(body): Json<control::Advance>) -> Made {
    control::advance(cn1688.clock().as_ref(), &body)
}
