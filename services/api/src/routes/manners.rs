//! What every answer has in common, whatever the route: the snapshot, safety headers, a time limit, problem
//! documents instead of a framework's plain texts, a line in the log and in the metrics.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use super::metrics::Metrics;
use super::reply::SNAPSHOT_HEADER;
use crate::{ApiError, AppState};

/// Longest time an answer may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Route label of paths that no route has; client text never becomes a label.
const UNMATCHED: &str = "unmatched";

/// What the outer middleware needs.
#[derive(Clone)]
pub(crate) struct Surroundings {
    /// For the latest snapshot.
    pub(crate) app: AppState,
    /// Counters.
    pub(crate) metrics: Arc<Metrics>,
}

/// The outermost middleware: counts and logs the request, then adds the headers of every answer.
pub(crate) async fn every_answer(
    State(around): State<Surroundings>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let _under_way = around.metrics.enter();
    let method = method_name(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| UNMATCHED.to_owned(), |path| path.as_str().to_owned());
    let span = tracing::info_span!("request", method, route = %route, path = %request.uri().path());
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Ok(catalog) = around.app.cube.catalog() {
        around.metrics.saw_snapshot(catalog.snapshot);
    }
    let headers = response.headers_mut();
    headers.entry(SNAPSHOT_HEADER).or_insert_with(|| HeaderValue::from(around.metrics.snapshot()));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    let (status, took) = (response.status().as_u16(), started.elapsed());
    around.metrics.answered(&route, method, status, took);
    span.in_scope(|| tracing::debug!(status, took_ms = took.as_secs_f64() * 1e3, "answered"));
    response
}

/// The innermost middleware: ends what takes too long, and turns plain refusals into problem documents.
pub(crate) async fn problems_and_time(request: Request, next: Next) -> Response {
    let head = request.method() == Method::HEAD;
    let Ok(response) = tokio::time::timeout(TIME_LIMIT, next.run(request)).await else {
        return ApiError {
            status: StatusCode::SERVICE_UNAVAILABLE,
            code: "timeout",
            detail: format!("no answer within {} s; ask for less", TIME_LIMIT.as_secs()),
            parameter: None,
        }
        .into_response();
    };
    let refused = response.status().is_client_error() || response.status().is_server_error();
    if refused && !head && is_plain(&response) { documented(&response) } else { response }
}

/// Whether a refusal comes from the framework rather than from a handler.
fn is_plain(response: &Response) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    media_type.is_none_or(|t| t.starts_with("text/plain"))
}

/// The same refusal as a problem document; its headers stay.
fn documented(plain: &Response) -> Response {
    let (status, detail, code) = match plain.status() {
        StatusCode::PAYLOAD_TOO_LARGE => (plain.status(), "the body is larger than 2 MB", "too_large"),
        StatusCode::METHOD_NOT_ALLOWED => (
            plain.status(),
            "this address does not take that method; Allow lists those it takes",
            "method_not_allowed",
        ),
        s if s.is_server_error() => (s, "the server could not answer", "internal"),
        s => (s, "the request could not be read", "bad_request"),
    };
    let mut response = ApiError { status, code, detail: detail.into(), parameter: None }.into_response();
    for (name, value) in plain.headers() {
        if ![header::CONTENT_TYPE, header::CONTENT_LENGTH].contains(name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// Answers a path that no route has.
pub(crate) async fn no_such_path() -> ApiError {
    ApiError::not_found("no_such_path", "there is nothing at this address; /api.html lists what there is")
}

/// Answers a method that a route does not take.
pub(crate) async fn no_such_method() -> ApiError {
    ApiError {
        status: StatusCode::METHOD_NOT_ALLOWED,
        code: "method_not_allowed",
        detail: "this address does not take that method; the Allow header lists those it takes".into(),
        parameter: None,
    }
}

/// Answers for a handler that panicked; the message goes to the log.
pub(crate) fn panicked(cause: &(dyn Any + Send)) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("a panic without a message");
    ApiError::internal(&text).into_response()
}

/// Headers that scripts of other origins may read.
pub(crate) fn exposed_headers() -> [HeaderName; 8] {
    [
        SNAPSHOT_HEADER,
        HeaderName::from_static("tesela-datetime"),
        header::CONTENT_RANGE,
        header::CONTENT_LENGTH,
        header::CONTENT_DISPOSITION,
        header::ETAG,
        header::LINK,
        header::WARNING,
    ]
}

/// The method as a label; methods nobody uses share one.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
