//! The layers around all routes, from the outside in: manners, CORS, compression, panics, time, body size.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Version, header};
use axum::middleware::{from_fn, from_fn_with_state};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;

use super::manners::{Surroundings, every_answer, exposed_headers, panicked, problems_and_time};

/// Largest body of a request, bytes.
const BODY_LIMIT: usize = 2 << 20;

/// Smallest answer that is worth compressing, bytes.
const COMPRESSED_FROM: u64 = 512;

/// Puts the layers around a router that has its fallbacks already.
pub(crate) fn wrap(router: Router, around: Surroundings) -> Router {
    router
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(from_fn(problems_and_time))
        .layer(CatchPanicLayer::custom(|cause: Box<dyn std::any::Any + Send>| panicked(cause.as_ref())))
        .layer(CompressionLayer::new().gzip(true).compress_when(is_text))
        .layer(cors())
        .layer(from_fn_with_state(around, every_answer))
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD, Method::POST, Method::OPTIONS])
        .allow_headers(Any)
        .expose_headers(exposed_headers())
        .max_age(std::time::Duration::from_secs(86400))
        .vary([])
}

/// Whether an answer is of a kind that shrinks: pictures and arrays are compressed already.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    let media_type = text(header::CONTENT_TYPE).unwrap_or_default();
    let length = text(header::CONTENT_LENGTH).and_then(|n| n.parse::<u64>().ok());
    let kind = media_type.split(';').next().unwrap_or_default().trim();
    let shrinks = kind.starts_with("text/")
        || kind.ends_with("json")
        || kind.ends_with("xml")
        || kind == "application/vnd.mapbox-vector-tile";
    shrinks && length.is_none_or(|n| n >= COMPRESSED_FROM)
}
