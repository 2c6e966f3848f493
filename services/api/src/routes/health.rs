//! Probes and metrics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::json;

use super::metrics::Metrics;
use super::read::read;
use super::reply::{body_of, json as json_reply};
use crate::{ApiError, ApiResult, AppState};

/// The routes; `/metrics` shows the counters given.
pub(crate) fn routes(metrics: Arc<Metrics>) -> Router<AppState> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(counters))
        .layer(Extension(metrics))
}

/// The process answers.
async fn alive() -> ApiResult<Response> {
    json_reply(&json!({"status": "ok"}))
}

/// The catalogue can be read.
async fn ready(State(app): State<AppState>) -> ApiResult<Response> {
    let found = read(&app, |cube| Ok(cube.catalog()?)).await.map_err(|e| ApiError {
        status: StatusCode::SERVICE_UNAVAILABLE,
        code: "not_ready",
        detail: "the cube's index cannot be read; the operator finds the cause in the log".into(),
        parameter: e.parameter,
    })?;
    json_reply(&json!({"status": "ok", "snapshot": found.snapshot, "products": found.products.len()}))
}

async fn counters(State(app): State<AppState>, Extension(metrics): Extension<Arc<Metrics>>) -> Response {
    if let Ok(catalog) = app.cube.catalog() {
        metrics.saw_snapshot(catalog.snapshot);
    }
    body_of("text/plain; version=0.0.4; charset=utf-8", metrics.text())
}
