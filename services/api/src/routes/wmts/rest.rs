//! Requests as paths.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::capabilities::{Sections, document};
use super::error::Exception;
use super::tile::{TileRequest, get_feature_info, get_tile};
use crate::AppState;
use crate::picture::ImageFormat;
use crate::picture::info_format::InfoFormat;
use crate::request::Params;
use crate::request::text::shorten;

/// `/wmts/1.0.0/WMTSCapabilities.xml`
pub(super) async fn capabilities(
    State(state): State<AppState>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Exception> {
    if !accepts_xml(&headers) {
        return Ok(StatusCode::NOT_ACCEPTABLE.into_response());
    }
    document(&state, &params, &headers, Sections::ALL).await
}

/// `…/{layer}/{style}/{Time}/{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}.png`
pub(super) async fn tile(
    State(state): State<AppState>,
    path: Result<Path<[String; 7]>, PathRejection>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Exception> {
    let Path([layer, style, time, set, matrix, row, file]) = path.map_err(|e| bad_path(&e))?;
    let (col, format) = split(&file, ImageFormat::of)?;
    let time = Some(time);
    let asked = TileRequest { layer, style, time, set, matrix, row, col, params };
    get_tile(&state, asked, format, &headers).await.map_err(Exception::in_path)
}

/// `…/{TileCol}/{J}/{I}.json`
pub(super) async fn feature_info(
    State(state): State<AppState>,
    path: Result<Path<[String; 9]>, PathRejection>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Exception> {
    let Path([layer, style, time, set, matrix, row, col, j, file]) = path.map_err(|e| bad_path(&e))?;
    let (i, format) = split(&file, InfoFormat::of_extension)?;
    let time = Some(time);
    let asked = TileRequest { layer, style, time, set, matrix, row, col, params };
    get_feature_info(&state, asked, (&i, &j), format, &headers).await.map_err(Exception::in_path)
}

/// The last step of a path, `229.png`, as its name and format.
fn split<F>(file: &str, format: fn(&str) -> Option<F>) -> Result<(String, F), Exception> {
    file.rsplit_once('.')
        .and_then(|(name, extension)| Some((name.to_owned(), format(extension)?)))
        .ok_or_else(|| {
            Exception::invalid("Format", format!("{:?} ends in no known format", shorten(file))).in_path()
        })
}

fn bad_path(rejection: &PathRejection) -> Exception {
    Exception::new("InvalidParameterValue", None, rejection.body_text())
}

/// Whether a client takes XML; one that names nothing does.
fn accepts_xml(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()) else { return true };
    accept.split(',').any(|entry| {
        let range = entry.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        matches!(range.as_str(), "" | "*/*" | "application/*" | "text/*" | "application/xml" | "text/xml")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_clients_that_take_xml_get_it() {
        let ok = |accept: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            accepts_xml(&headers)
        };
        assert!(ok(None) && ok(Some("*/*")) && ok(Some("text/html, application/xml;q=0.9")));
        assert!(!ok(Some("example/unknown")));
    }

    #[test]
    fn the_last_step_has_a_format() {
        assert_eq!(split("229.png", ImageFormat::of).unwrap(), ("229".into(), ImageFormat::Png));
        assert_eq!(split("229", ImageFormat::of).unwrap_err().status, 404);
    }
}
