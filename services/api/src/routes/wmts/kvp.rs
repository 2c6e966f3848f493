//! Requests as query strings.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::capabilities::{Sections, document};
use super::error::Exception;
use super::tile::{TileRequest, get_feature_info, get_tile};
use crate::AppState;
use crate::picture::ImageFormat;
use crate::picture::info_format::InfoFormat;
use crate::request::Params;
use crate::request::text::shorten;

/// `/wmts?SERVICE=WMTS&REQUEST=…`
pub(super) async fn answer(
    State(state): State<AppState>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Exception> {
    match operation(&params)? {
        Operation::Capabilities(sections) => document(&state, &params, &headers, sections).await,
        Operation::Tile(asked, format) => get_tile(&state, *asked, format, &headers).await,
        Operation::FeatureInfo(asked, format) => {
            let (i, j) = (required(&params, "I")?, required(&params, "J")?);
            get_feature_info(&state, *asked, (i, j), format, &headers).await
        }
    }
}

#[derive(Debug)]
enum Operation {
    Capabilities(Sections),
    Tile(Box<TileRequest>, ImageFormat),
    FeatureInfo(Box<TileRequest>, InfoFormat),
}

/// What a query string asks for.
fn operation(params: &Params) -> Result<Operation, Exception> {
    let service = required(params, "Service")?;
    if !service.eq_ignore_ascii_case("WMTS") {
        return Err(Exception::invalid("Service", format!("service {:?} is not WMTS", shorten(service))));
    }
    let request = required(params, "Request")?;
    match request.to_ascii_lowercase().as_str() {
        "getcapabilities" => {
            check_accept_versions(params)?;
            Sections::of(params.get("Sections")).map(Operation::Capabilities)
        }
        "gettile" => {
            let asked = Box::new(tile(params)?);
            Ok(Operation::Tile(asked, image_format(params)?))
        }
        "getfeatureinfo" => {
            let asked = Box::new(tile(params)?);
            image_format(params)?;
            let text = required(params, "InfoFormat")?;
            let format = InfoFormat::of_media_type(text).ok_or_else(|| {
                let known = InfoFormat::ALL.map(InfoFormat::media_type).join(", ");
                Exception::invalid("InfoFormat", format!("{:?} is none of {known}", shorten(text)))
            })?;
            Ok(Operation::FeatureInfo(asked, format))
        }
        _ => Err(Exception::invalid(
            "Request",
            format!("{:?} is none of GetCapabilities, GetTile, GetFeatureInfo", shorten(request)),
        )),
    }
}

fn required<'p>(params: &'p Params, name: &'static str) -> Result<&'p str, Exception> {
    params.get(name).ok_or_else(|| Exception::missing(name))
}

fn tile(params: &Params) -> Result<TileRequest, Exception> {
    if let Some(version) = params.get("Version").filter(|version| *version != "1.0.0") {
        return Err(Exception::invalid("Version", format!("version {:?} is not 1.0.0", shorten(version))));
    }
    let owned = |name| required(params, name).map(str::to_owned);
    Ok(TileRequest {
        layer: owned("Layer")?,
        // Named but empty, as some clients write the default.
        style: params.raw("Style").map(str::to_owned).ok_or_else(|| Exception::missing("Style"))?,
        time: params.get("Time").map(str::to_owned),
        set: owned("TileMatrixSet")?,
        matrix: owned("TileMatrix")?,
        row: owned("TileRow")?,
        col: owned("TileCol")?,
        params: params.clone(),
    })
}

fn image_format(params: &Params) -> Result<ImageFormat, Exception> {
    let text = required(params, "Format")?;
    ImageFormat::of(text).filter(|_| text.contains('/')).ok_or_else(|| {
        Exception::invalid("Format", format!("{:?} is not image/png or image/webp", shorten(text)))
    })
}

fn check_accept_versions(params: &Params) -> Result<(), Exception> {
    let Some(versions) = params.get("AcceptVersions") else { return Ok(()) };
    if versions.split(',').any(|version| version.trim() == "1.0.0") {
        return Ok(());
    }
    Err(Exception::new("VersionNegotiationFailed", None, "this server speaks WMTS 1.0.0"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILE: [(&str, &str); 11] = [
        ("SERVICE", "WMTS"),
        ("REQUEST", "GetTile"),
        ("VERSION", "1.0.0"),
        ("LAYER", "geomedian_annual"),
        ("STYLE", ""),
        ("FORMAT", "image/png"),
        ("TILEMATRIXSET", "WebMercatorQuad"),
        ("TILEMATRIX", "10"),
        ("TILEROW", "455"),
        ("TILECOL", "229"),
        ("TIME", "2024-01-01"),
    ];

    fn without(name: &str) -> Params {
        Params::new(TILE.into_iter().filter(|(key, _)| *key != name))
    }

    fn with(name: &str, value: &str) -> Params {
        Params::new(TILE.into_iter().map(|(key, old)| (key, if key == name { value } else { old })))
    }

    #[test]
    fn a_tile_is_read_whatever_the_case_of_names() {
        let params = Params::new(TILE.into_iter().map(|(k, v)| (k.to_lowercase(), v)));
        let Operation::Tile(asked, ImageFormat::Png) = operation(&params).unwrap() else { panic!() };
        assert_eq!((asked.layer.as_str(), asked.style.as_str()), ("geomedian_annual", ""));
        assert_eq!(asked.time.as_deref(), Some("2024-01-01"));
    }

    #[test]
    fn every_missing_parameter_is_named() {
        for (name, locator) in [
            ("SERVICE", "Service"),
            ("REQUEST", "Request"),
            ("LAYER", "Layer"),
            ("STYLE", "Style"),
            ("FORMAT", "Format"),
            ("TILEMATRIXSET", "TileMatrixSet"),
            ("TILEMATRIX", "TileMatrix"),
            ("TILEROW", "TileRow"),
            ("TILECOL", "TileCol"),
        ] {
            assert_eq!(operation(&without(name)).unwrap_err(), Exception::missing(locator));
        }
        assert!(operation(&without("TIME")).is_ok());
    }

    #[test]
    fn invalid_values_are_named() {
        for (name, value, locator) in [
            ("SERVICE", "BOGUS", "Service"),
            ("REQUEST", "GetBogus", "Request"),
            ("FORMAT", "bogus/bogus", "Format"),
            ("FORMAT", "png", "Format"),
            ("VERSION", "2.0.0", "Version"),
        ] {
            let e = operation(&with(name, value)).unwrap_err();
            assert_eq!((e.code, e.locator), ("InvalidParameterValue", Some(locator)));
        }
    }

    #[test]
    fn versions_are_negotiated() {
        let with = |versions: &str| {
            let pairs = [("service", "WMTS"), ("request", "GetCapabilities"), ("acceptversions", versions)];
            operation(&Params::new(pairs)).map(|_| ())
        };
        assert!(with("1.0.0,0.9.0").is_ok());
        assert_eq!(with("99.9.9").unwrap_err().code, "VersionNegotiationFailed");
    }
}
