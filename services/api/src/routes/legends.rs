//! Legends as pictures: `/legends/{layer}/{style}.png?lang=es`.

use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;

use crate::picture::http::respond_document;
use crate::picture::{legend, off_thread};
use crate::request::text::shorten;
use crate::request::{Lang, Params};
use crate::{ApiError, ApiResult, AppState};

/// The routes of this file.
pub fn routes() -> Router<AppState> {
    Router::new().route("/legends/{layer}/{file}", get(get_legend))
}

async fn get_legend(
    State(state): State<AppState>,
    path: Result<Path<[String; 2]>, PathRejection>,
    params: Params,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let Path([layer, file]) = path.map_err(|e| ApiError::parameter("path", e.body_text()))?;
    let style = file.strip_suffix(".png").ok_or_else(|| {
        ApiError::not_found(
            "unknown_format",
            format!("{:?} is not a legend; legends are {{style}}.png", shorten(&file)),
        )
    })?;
    let (style, lang) = (style.to_owned(), Lang::negotiate(params.get("lang"), &headers));
    let (snapshot, legend) =
        off_thread(&state, move |cube| legend::of_style(&*cube.catalog()?, &layer, &style, lang)).await?;
    Ok(respond_document(legend, "image/png", snapshot, &headers))
}
