//! Errors at the edge. JSON routes answer with RFC 9457 problem documents; WMS and WMTS translate the same
//! [`ApiError`] into their own exception reports. The cause of a 500 is logged, never sent.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tesela_compute::ComputeError;
use tesela_compute::error::ErrorKind;

/// The result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

/// A refusal with its HTTP status.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// HTTP status.
    pub status: StatusCode,
    /// Stable machine-readable code, e.g. `unknown_product`.
    pub code: &'static str,
    /// For people: what was wrong and what would be right.
    pub detail: String,
    /// The request parameter at fault.
    pub parameter: Option<&'static str>,
}

impl ApiError {
    /// 400 about one parameter.
    pub fn parameter(parameter: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code: "invalid_parameter",
            detail: detail.into(),
            parameter: Some(parameter),
        }
    }

    /// 404.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, code, detail: detail.into(), parameter: None }
    }

    /// 413: the request would cost too much.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            code: "too_large",
            detail: detail.into(),
            parameter: None,
        }
    }

    /// 406: none of the accepted formats can be made.
    pub fn not_acceptable(detail: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_ACCEPTABLE,
            code: "not_acceptable",
            detail: detail.into(),
            parameter: None,
        }
    }

    /// 429: too many requests wait.
    pub fn busy() -> Self {
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "busy",
            detail: "too many requests are waiting for pixels; try again in a few seconds".into(),
            parameter: None,
        }
    }

    /// 500; the cause goes to the log.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "request failed");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "internal",
            detail: "the server could not answer; the operator finds the cause in the log".into(),
            parameter: None,
        }
    }
}

impl From<ComputeError> for ApiError {
    fn from(e: ComputeError) -> Self {
        let status = match e.kind() {
            ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorKind::Gone => StatusCode::GONE,
            // The index was tidied up between two reads of one answer; the next attempt sees the new state. If the
            // objects are lost for good, `tesela check` names them.
            ErrorKind::Moved => {
                tracing::error!(cause = %Chain(&e), "pixels not found where the index places them");
                return Self {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    code: e.code(),
                    detail: "the pixels were moved while this was being answered, or are lost; ask again"
                        .into(),
                    parameter: None,
                };
            }
            ErrorKind::Internal => return Self::internal(&Chain(&e)),
        };
        let parameter = match &e {
            ComputeError::Parameter { parameter, .. } => Some(*parameter),
            _ => None,
        };
        Self { status, code: e.code(), detail: e.to_string(), parameter }
    }
}

/// An error and its causes on one line.
struct Chain<'e>(&'e dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut body = json!({
            "type": format!("urn:tesela:problem:{}", self.code),
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Some(p) = self.parameter {
            body["parameter"] = p.into();
        }
        let mut response = (self.status, Json(body)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
        }
        response
    }
}
