//! The shop's part of `/_control`.

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

use super::NewListing;
use super::NewSale;
use super::SaleStatus;
use super::SaleView;
use crate::actions;
use crate::aliexpress::AliExpress;
use crate::control;
use crate::control::Body;
use crate::control::Made;
use crate::error::ControlError;

pub(in crate::aliexpress) fn router() -> Router<AliExpress> {
    actions::channel_router("/sales")
        .route("/listings", get(listings).post(add_listing))
        .route("/sales", get(sales).post(sell))
        .route("/sales/{order_id}", get(sale))
        .route("/sales/{order_id}/status", post(set_status))
}

#[derive(Deserialize)]
struct NewStatus {
    status: SaleStatus,
    #[serde(default)]
    end_reason: Option<String>,
}

async fn listings(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.listings()).into_response()
}

async fn add_listing(State(aliexpress): State<AliExpress>, Body(new): Body<NewListing>) -> Made {
    aliexpress.add_listing(new)?;
    control::done()
}

async fn sales(State(aliexpress): State<AliExpress>) -> Response {
    Json(aliexpress.sales()).into_response()
}

async fn sell(State(aliexpress): State<AliExpress>, Body(sale): Body<NewSale>) -> Made {
    Ok(Json(json!({ "order_id": aliexpress.sell(sale)? })))
}

async fn sale(State(aliexpress): State<AliExpress>, Path(id): Path<u64>) -> Made<SaleView> {
    let view = aliexpress.sale(id);
    view.map(Json)
        .ok_or_else(|| ControlError::unknown("sale", id))
}

async fn set_status(
    State(aliexpress): State<AliExpress>,
    Path(id): Path<u64>,
    Body(body): Body<NewStatus>,
) -> Made {
    aliexpress.set_sale_status(id, body.status, body.end_reason.as_deref())?;
    control::done()
}
