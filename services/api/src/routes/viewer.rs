//! The map viewer's files.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tesela_viewer::Asset;

use super::query::Segments;
use crate::picture::http::{if_none_match, is_current};
use crate::{ApiError, ApiResult, AppState};

/// The routes.
pub(crate) fn routes() -> Router<AppState> {
    Router::new().route("/viewer/{*path}", get(file))
}

async fn file(Segments([path]): Segments<1>, headers: HeaderMap) -> ApiResult<Response> {
    let asset = tesela_viewer::asset(&path)
        .ok_or_else(|| ApiError::not_found("no_such_file", "the viewer has no such file"))?;
    Ok(sent(asset, &headers))
}

/// The page at `/`.
pub(crate) fn page(headers: &HeaderMap) -> Response {
    sent(tesela_viewer::index(), headers)
}

/// A file, or 304 when the client has it. Names do not change with the content, so clients ask each time.
fn sent(asset: Asset, headers: &HeaderMap) -> Response {
    let known = is_current(if_none_match(headers).as_deref(), &asset.etag);
    let etag = HeaderValue::from_str(&asset.etag).unwrap_or_else(|_| HeaderValue::from_static("\"\""));
    let common = [(header::ETAG, etag), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))];
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type))];
    (common, kind, asset.bytes.into_owned()).into_response()
}
