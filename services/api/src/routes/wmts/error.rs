//! Exception reports: OWS 1.1, HTTP 400, with code and locator.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::ApiError;
use crate::picture::tiles::NoTile;
use crate::request::text::printable;

/// A refusal in WMTS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exception {
    /// `InvalidParameterValue`, `TileOutOfRange`, …
    pub(super) code: &'static str,
    /// The parameter at fault.
    pub(super) locator: Option<&'static str>,
    /// For people.
    pub(super) text: String,
    /// HTTP status.
    pub(super) status: StatusCode,
}

#[derive(Template)]
#[template(path = "wmts_exception.xml")]
struct Report<'a> {
    code: &'a str,
    locator: Option<&'a str>,
    text: &'a str,
}

impl Exception {
    /// A parameter's value means nothing.
    pub(super) fn invalid(locator: &'static str, text: impl Into<String>) -> Self {
        Self::new("InvalidParameterValue", Some(locator), text)
    }

    /// A parameter is not there.
    pub(super) fn missing(locator: &'static str) -> Self {
        Self::new("MissingParameterValue", Some(locator), format!("parameter {locator} is missing"))
    }

    /// Any other refusal, HTTP 400.
    pub(super) fn new(code: &'static str, locator: Option<&'static str>, text: impl Into<String>) -> Self {
        Self { code, locator, text: text.into(), status: StatusCode::BAD_REQUEST }
    }

    /// In an address of the REST encoding, a name that means nothing is a page that does not exist.
    pub(super) fn in_path(self) -> Self {
        let name = self.code == "InvalidParameterValue"
            && matches!(self.locator, Some("Layer" | "Style" | "TileMatrixSet" | "TileMatrix" | "Format"));
        Self { status: if name { StatusCode::NOT_FOUND } else { self.status }, ..self }
    }
}

impl From<ApiError> for Exception {
    fn from(e: ApiError) -> Self {
        let invalid = |locator| Self::invalid(locator, e.detail.clone());
        match e.code {
            "unknown_product" => invalid("Layer"),
            "unknown_style" => invalid("Style"),
            "no_data_at_time" | "invalid_datetime" => invalid("Time"),
            "unknown_mask" => invalid("Mask"),
            "unknown_snapshot" => invalid("Snapshot"),
            "unknown_band" | "invalid_expression" => invalid("Expression"),
            _ if e.status.is_client_error() && e.status != StatusCode::TOO_MANY_REQUESTS => {
                Self::new("InvalidParameterValue", e.parameter, e.detail)
            }
            _ => Self { status: e.status, ..Self::new("NoApplicableCode", None, e.detail) },
        }
    }
}

impl From<NoTile> for Exception {
    fn from(why: NoTile) -> Self {
        let (code, locator) = match &why {
            NoTile::Set(_) => ("InvalidParameterValue", "TileMatrixSet"),
            NoTile::Matrix(_) => ("InvalidParameterValue", "TileMatrix"),
            NoTile::Row(_) => ("InvalidParameterValue", "TileRow"),
            NoTile::Col(_) => ("InvalidParameterValue", "TileCol"),
            NoTile::RowOutside(_) => ("TileOutOfRange", "TileRow"),
            NoTile::ColOutside(_) => ("TileOutOfRange", "TileCol"),
        };
        Self::new(code, Some(locator), why.message())
    }
}

impl IntoResponse for Exception {
    fn into_response(self) -> Response {
        let text = printable(&self.text);
        let report = Report { code: self.code, locator: self.locator, text: &text };
        let Ok(body) = report.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/xml")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (self.status, headers, body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_escaped_and_carry_code_and_locator() {
        let text = printable("layer \"<script>\u{1}&");
        let report = Report { code: "InvalidParameterValue", locator: Some("Layer"), text: &text };
        insta::assert_snapshot!(report.render().unwrap());
    }

    #[test]
    fn refusals_get_the_protocols_codes() {
        let of = |code: &'static str| Exception::from(ApiError::not_found(code, "x"));
        assert_eq!(of("no_data_at_time"), Exception::invalid("Time", "x"));
        assert_eq!(of("unknown_style").locator, Some("Style"));
        assert_eq!(of("unknown_style").in_path().status, 404);
        assert_eq!(Exception::from(NoTile::RowOutside("x".into())).in_path().status, 400);
        assert_eq!(Exception::from(ApiError::busy()).status, 429);
        assert_eq!(Exception::from(ApiError::busy()).code, "NoApplicableCode");
    }
}
