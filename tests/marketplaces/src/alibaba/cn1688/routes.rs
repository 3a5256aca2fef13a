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

use super::Cn1688;
use super::types::Cn1688OrderView;
use super::types::Cn1688Product;
use super::types::Cn1688Status;
use crate::actions::Party;
use crate::actions::supplier_router;
use crate::answer::Call;
use crate::control;
use crate::control::Body;
use crate::control::Made;
use crate::error::ControlError;

pub(super) fn router(cn1688: Cn1688) -> Router {
    Router::new()
        .route(
            "/openapi/{*path}",
            get(openapi).post(openapi).fallback(other_method),
        )
        .nest("/_control", control_router())
        .with_state(cn1688)
}

/// Neither GET nor POST: no API has another method.
async fn other_method() -> Response {
    Cn1688::no_such_api()
}

async fn openapi(State(cn1688): State<Cn1688>, Path(path): Path<String>, call: Call) -> Response {
    cn1688.openapi(&path, &call)
}

fn control_router() -> Router<Cn1688> {
    control::router()
        .merge(control::push_router())
        .merge(supplier_router())
        .route("/products", post(add_product))
        .route("/products/{offer_id}/published", post(set_published))
        .route("/products/{offer_id}/skus/{spec_id}/stock", post(set_stock))
        .route("/orders", get(orders))
        .route("/orders/{order_id}", get(order))
        .route("/orders/{order_id}/{step}", post(step))
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
    fen: i64,
    by: Option<Party>,
    status: Option<Cn1688Status>,
}

async fn add_product(State(cn1688): State<Cn1688>, Body(new): Body<Cn1688Product>) -> Made {
    cn1688.add_product(new)?;
    control::done()
}

async fn set_published(
    State(cn1688): State<Cn1688>,
    Path(id): Path<u64>,
    Body(body): Body<Published>,
) -> Made {
    cn1688.set_published(id, body.published)?;
    control::done()
}

async fn set_stock(
    State(cn1688): State<Cn1688>,
    Path((offer_id, spec_id)): Path<(u64, String)>,
    Body(body): Body<Stock>,
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
    Body(body): Body<Step>,
) -> Made {
    if let ("close", Some(by)) = (step.as_str(), body.by) {
        cn1688.close(id, by)?;
        return control::done();
    }
    match (step.as_str(), body.status) {
        ("freight", _) => cn1688.set_freight(id, body.fen)?,
        ("pay", _) => cn1688.pay(id)?,
        ("ship", _) => cn1688.ship(id, body.lines)?,
        ("deliver", _) => cn1688.deliver(id)?,
        ("status", Some(status)) => cn1688.set_status(id, status)?,
        (other, _) => return Err(ControlError::unknown("step", other)),
    }
    control::done()
}
