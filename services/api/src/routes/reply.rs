//! Answers of the JSON routes: bodies, snapshot, caching.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::{ApiError, ApiResult};

/// The header that names the snapshot an answer was read at.
pub(crate) const SNAPSHOT_HEADER: HeaderName = HeaderName::from_static("tesela-snapshot");

/// An answer in JSON.
///
/// # Errors
/// 500 when the value cannot be written, which is a fault of ours.
pub(crate) fn json(value: &impl Serialize) -> ApiResult<Response> {
    typed_json("application/json", value)
}

/// An answer in JSON under a media type of its own.
///
/// # Errors
/// As [`json`].
pub(crate) fn typed_json(media_type: &'static str, value: &impl Serialize) -> ApiResult<Response> {
    let body = serde_json::to_vec(value).map_err(|e| ApiError::internal(&e))?;
    Ok(body_of(media_type, body))
}

/// An answer of any media type.
pub(crate) fn body_of(media_type: &'static str, body: impl Into<Vec<u8>>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, body.into()).into_response()
}

/// Notes at which snapshot an answer was read. One that was asked for by number never changes and may be kept.
pub(crate) fn at_snapshot(mut response: Response, snapshot: u64, pinned: bool) -> Response {
    response.headers_mut().insert(SNAPSHOT_HEADER, HeaderValue::from(snapshot));
    if pinned {
        let kept = HeaderValue::from_static("public, max-age=86400");
        response.headers_mut().insert(header::CACHE_CONTROL, kept);
    }
    response
}

/// Adds a header whose value is made at run time; characters that no header may hold are dropped.
pub(crate) fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    let clean: String = value.chars().filter(|c| (' '..='~').contains(c)).collect();
    if let Ok(value) = HeaderValue::from_str(&clean) {
        response.headers_mut().append(name, value);
    }
    response
}

/// `Content-Disposition` of a file to keep; only letters, digits, `-`, `_`, `.` stay in its name.
pub(crate) fn as_download(response: Response, name: &str) -> Response {
    let clean: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    with_header(response, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{clean}\""))
}

/// A finite number; NaN and infinities have no JSON and become null.
pub(crate) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
