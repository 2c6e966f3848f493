//! Exception reports, and refusals shown as pictures.
//!
//! A refusal of the client's request is sent with HTTP 200, as every WMS does: QGIS and others show the text of a
//! report only then. Refusals for load (429) and faults of ours (500) keep their status.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::map::{background, side_px};
use super::version::Version;
use crate::picture::{ImageFormat, paint};
use crate::request::Params;
use crate::request::text::printable;
use crate::{ApiError, AppState};

/// A refusal in WMS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Exception {
    /// `LayerNotDefined`, `InvalidCRS`, …
    pub(super) code: Option<&'static str>,
    /// The parameter at fault.
    pub(super) locator: Option<&'static str>,
    /// For people.
    pub(super) text: String,
    /// HTTP status.
    pub(super) status: StatusCode,
}

#[derive(Template)]
#[template(path = "wms_exception_130.xml")]
struct Report130<'a> {
    code: Option<&'a str>,
    locator: Option<&'a str>,
    text: &'a str,
}

#[derive(Template)]
#[template(path = "wms_exception_111.xml")]
struct Report111<'a> {
    code: Option<&'a str>,
    text: &'a str,
}

impl Exception {
    /// A refusal of what the client asked.
    pub(super) fn new(
        code: Option<&'static str>,
        locator: Option<&'static str>,
        text: impl Into<String>,
    ) -> Self {
        Self { code, locator, text: text.into(), status: StatusCode::OK }
    }

    /// A parameter's value means nothing, and the standard has no code for it.
    pub(super) fn invalid(locator: &'static str, text: impl Into<String>) -> Self {
        Self::new(Some("InvalidParameterValue"), Some(locator), text)
    }

    /// A parameter is not there.
    pub(super) fn missing(locator: &'static str) -> Self {
        Self::new(Some("MissingParameterValue"), Some(locator), format!("parameter {locator} is missing"))
    }

    fn report(&self, version: Version) -> Result<String, askama::Error> {
        let text = printable(&self.text);
        match version {
            Version::V130 => Report130 { code: self.code, locator: self.locator, text: &text }.render(),
            Version::V111 => {
                let code = self.code.map(|code| if code == "InvalidCRS" { "InvalidSRS" } else { code });
                Report111 { code, text: &text }.render()
            }
        }
    }
}

impl From<ApiError> for Exception {
    fn from(e: ApiError) -> Self {
        let (code, locator) = match e.code {
            "unknown_product" => (Some("LayerNotDefined"), Some("LAYERS")),
            "unknown_style" => (Some("StyleNotDefined"), Some("STYLES")),
            "no_data_at_time" | "invalid_datetime" => (Some("InvalidDimensionValue"), Some("TIME")),
            "invalid_crs" => (Some("InvalidCRS"), Some("CRS")),
            "unknown_mask" => (Some("InvalidParameterValue"), Some("MASK")),
            "unknown_snapshot" => (Some("InvalidParameterValue"), Some("SNAPSHOT")),
            "too_large" => (None, Some("WIDTH")),
            _ if e.status.is_client_error() => (Some("InvalidParameterValue"), e.parameter),
            _ => (None, None),
        };
        let refused = e.status.is_client_error() && e.status != StatusCode::TOO_MANY_REQUESTS;
        let (code, status) = if refused { (code, StatusCode::OK) } else { (None, e.status) };
        Self { code, locator, text: e.detail, status }
    }
}

/// A refusal in the form the request's `EXCEPTIONS` wants: a report, the text in a picture, or an empty picture.
pub(super) fn shown(exception: &Exception, state: &AppState, params: &Params, version: Version) -> Response {
    let wanted = params.get("exceptions").unwrap_or_default().to_ascii_lowercase();
    let is_map = params.get("request").is_some_and(|r| r.eq_ignore_ascii_case("getmap"));
    if is_map && (wanted.ends_with("inimage") || wanted.ends_with("blank")) {
        let written = wanted.ends_with("inimage");
        if let Some(response) = pictured(exception, state, params, written) {
            return response;
        }
    }
    let Ok(body) = exception.report(version) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let media_type = match version {
        Version::V130 => "text/xml; charset=utf-8",
        Version::V111 => "application/vnd.ogc.se_xml; charset=utf-8",
    };
    sent(exception.status, media_type, body.into_bytes())
}

fn pictured(exception: &Exception, state: &AppState, params: &Params, written: bool) -> Option<Response> {
    let max = state.config.max_picture_px;
    let side = |name| side_px(params, name).ok().filter(|px| *px <= max).unwrap_or(256) as u32;
    let (width, height) = (side("WIDTH"), side("HEIGHT"));
    let color = background(params).unwrap_or(Some([255, 255, 255]));
    let format = params.get("format").and_then(ImageFormat::of).unwrap_or(ImageFormat::Png);
    let bytes = if written {
        paint::with_text((width, height), color, format, &exception.text)
    } else {
        paint::flat(width, height, color, format)
    };
    Some(sent(StatusCode::OK, format.content_type(), bytes.ok()?))
}

fn sent(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_of_both_versions() {
        let e = Exception::new(Some("InvalidCRS"), Some("CRS"), "EPSG:0 & <more>\u{0}");
        insta::assert_snapshot!(format!(
            "{}\n{}",
            e.report(Version::V130).unwrap(),
            e.report(Version::V111).unwrap()
        ));
    }

    #[test]
    fn refusals_get_the_protocols_codes() {
        let of = |code| Exception::from(ApiError::not_found(code, "x"));
        for (code, name, locator) in [
            ("unknown_product", "LayerNotDefined", "LAYERS"),
            ("unknown_style", "StyleNotDefined", "STYLES"),
            ("no_data_at_time", "InvalidDimensionValue", "TIME"),
        ] {
            assert_eq!((of(code).code, of(code).locator), (Some(name), Some(locator)));
            assert_eq!(of(code).status, StatusCode::OK);
        }
        assert_eq!(Exception::from(ApiError::busy()).status, StatusCode::TOO_MANY_REQUESTS);
    }
}
