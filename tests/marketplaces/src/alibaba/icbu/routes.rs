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

use super::Icbu;
use super::types::IcbuOrderView;
use super::types::IcbuProduct;
use super::types::TradeStatus;
use crate::actions::supplier_router;
use crate::answer::Call;
use crate::control;
use crate::control::Body;
use crate::control::Made;
use crate::error::ControlError;

pub(super) fn router(icbu: Icbu) -> Router {
    Router::new()
        .route("/rest/{*path}", get(rest).post(rest).fallback(other_method))
        .nest("/_control", control_router())
        .with_state(icbu)
}

/// Neither GET nor POST: no API has another method.
async fn other_method(State(icbu): State<Icbu>) -> Response {
    icbu.no_such_api()
}

async fn rest(State(icbu): State<Icbu>, Path(path): Path<String>, call: Call) -> Response {
    icbu.rest(&format!("/{path}"), &call)
}

fn control_router() -> Router<Icbu> {
    control::router()
        .merge(control::push_router())
        .merge(supplier_router())
        .route("/products", post(add_product))
        .route("/products/{product_id}/online", post(set_online))
        .route(
            "/products/{product_id}/skus/{sku_id}/stock",
            post(set_stock),
        )
        .route("/orders", get(orders))
        .route("/orders/{trade_id}", get(order))
        .route("/orders/{trade_id}/{step}", post(step))
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
    cents: i64,
    status: Option<TradeStatus>,
}

async fn add_product(State(icbu): State<Icbu>, Body(new): Body<IcbuProduct>) -> Made {
    icbu.add_product(new)?;
    control::done()
}

async fn set_online(
    State(icbu): State<Icbu>,
    Path(id): Path<u64>,
    Body(body): Body<Online>,
) -> Made {
    icbu.set_online(id, body.online)?;
    control::done()
}

async fn set_stock(
    State(icbu): State<Icbu>,
    Path((product_id, sku_id)): Path<(u64, u64)>,
    Body(body): Body<Stock>,
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
    Body(body): Body<Step>,
) -> Made {
    match (step.as_str(), body.status) {
        ("pay", _) => icbu.pay(id)?,
        ("ship", _) => icbu.ship(id, body.parcels)?,
        ("deliver", _) => icbu.deliver(id)?,
        ("adjust", _) => icbu.adjust(id, body.cents)?,
        ("confirm", _) => icbu.confirm(id)?,
        ("status", Some(status)) => icbu.set_status(id, status)?,
        (other, _) => return Err(ControlError::unknown("step", other)),
    }
    control::done()
}
