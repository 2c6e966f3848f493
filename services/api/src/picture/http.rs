//! Headers of pictures and documents, 304 and 204.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::PictureResponse;
use super::cache::Document;

/// Names the snapshot an answer was read at.
pub const SNAPSHOT: HeaderName = HeaderName::from_static("tesela-snapshot");
/// Names the time a picture shows.
pub const DATETIME: HeaderName = HeaderName::from_static("tesela-datetime");

/// How long an answer at the latest snapshot may be kept without asking again.
const LATEST: HeaderValue = HeaderValue::from_static("public, max-age=60");
/// An answer at a numbered snapshot never changes.
const PINNED: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// What a picture with nothing in it is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Empty {
    /// 204, as XYZ clients expect.
    NoContent,
    /// The transparent file, as OGC services must.
    Picture,
}

/// The client's `If-None-Match`.
pub fn if_none_match(headers: &HeaderMap) -> Option<String> {
    headers.get(header::IF_NONE_MATCH)?.to_str().ok().map(str::to_owned)
}

/// Whether a client's `If-None-Match` names a tag.
pub fn is_current(if_none_match: Option<&str>, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    if_none_match.is_some_and(|tags| tags.split(',').any(|tag| strong(tag) == etag || tag.trim() == "*"))
}

/// A picture as an HTTP answer.
pub fn respond(picture: PictureResponse, empty: Empty) -> Response {
    let status = match &picture.bytes {
        None => StatusCode::NOT_MODIFIED,
        Some(_) if picture.empty && empty == Empty::NoContent => StatusCode::NO_CONTENT,
        Some(_) => StatusCode::OK,
    };
    let mut response = status.into_response();
    if let (StatusCode::OK, Some(bytes)) = (status, picture.bytes) {
        *response.body_mut() = bytes.into();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(picture.content_type));
    }
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, if picture.pinned { PINNED } else { LATEST });
    insert(headers, header::ETAG, &picture.etag);
    insert(headers, DATETIME, &picture.datetime);
    headers.insert(SNAPSHOT, HeaderValue::from(picture.snapshot));
    response
}

/// A document as an HTTP answer; its language is negotiated.
pub fn respond_document(
    document: Document,
    content_type: &'static str,
    snapshot: u64,
    request: &HeaderMap,
) -> Response {
    let mut response = if is_current(if_none_match(request).as_deref(), &document.etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(document.bytes.into());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    insert(headers, header::ETAG, &document.etag);
    headers.insert(SNAPSHOT, HeaderValue::from(snapshot));
    response
}

/// Sets a header, unless the value could not be one.
pub fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_in_lists_weak_or_strong() {
        for tags in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert!(is_current(Some(tags), "\"a\""), "{tags}");
        }
        for tags in [None, Some("\"b\""), Some(""), Some("a")] {
            assert!(!is_current(tags, "\"a\""), "{tags:?}");
        }
    }

    fn made(empty: bool, bytes: Option<&'static [u8]>) -> PictureResponse {
        PictureResponse {
            bytes: bytes.map(axum::body::Bytes::from_static),
            content_type: "image/png",
            etag: "\"a\"".into(),
            datetime: "2024-01-01T00:00:00Z".into(),
            snapshot: 7,
            empty,
            pinned: false,
        }
    }

    #[test]
    fn nothing_is_204_for_xyz_and_a_file_for_ogc() {
        assert_eq!(respond(made(true, Some(b"x")), Empty::NoContent).status(), 204);
        assert_eq!(respond(made(true, Some(b"x")), Empty::Picture).status(), 200);
        assert_eq!(respond(made(false, None), Empty::Picture).status(), 304);
        let response = respond(made(false, Some(b"x")), Empty::NoContent);
        assert_eq!(response.status(), 200);
        for (name, value) in
            [("etag", "\"a\""), ("tesela-datetime", "2024-01-01T00:00:00Z"), ("tesela-snapshot", "7")]
        {
            assert_eq!(response.headers()[name], value);
        }
        assert_eq!(response.headers()["cache-control"], "public, max-age=60");
    }
}
