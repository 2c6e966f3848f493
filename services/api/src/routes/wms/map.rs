//! `GetMap`.

use axum::http::HeaderMap;
use axum::response::Response;
use tesela_grid::{GeoBox, TILE_PX};

use super::error::Exception;
use super::version::Version;
use crate::AppState;
use crate::picture::http::{Empty, if_none_match, insert, respond};
use crate::picture::{ImageFormat, PictureLayer, PictureRequest, picture};
use crate::request::text::shorten;
use crate::request::{Params, space, time, values};

/// Layers of one map, at most.
pub(super) const LAYER_LIMIT: usize = 16;

/// Answers `GetMap`.
pub(super) async fn get_map(
    state: &AppState,
    params: &Params,
    headers: &HeaderMap,
    version: Version,
) -> Result<Response, Exception> {
    let format = format(params)?;
    let layers = layers(params)?;
    let mut request = map_request(state, params, version, layers)?;
    request.format = format;
    request.background = background(params)?;
    request.if_none_match = if_none_match(headers);
    let answer = picture(state, request).await?;
    let date = answer.datetime.clone();
    let mut response = respond(answer, Empty::Picture);
    if params.get("time").is_none() {
        let warning = format!("99 Default value used: time={date} ISO8601");
        insert(response.headers_mut(), axum::http::header::WARNING, &warning);
    }
    Ok(response)
}

/// What `GetMap` and the map part of `GetFeatureInfo` have in common: layers, place, time.
pub(super) fn map_request(
    state: &AppState,
    params: &Params,
    version: Version,
    layers: Vec<PictureLayer>,
) -> Result<PictureRequest, Exception> {
    let target = target(params, version)?;
    let max = state.config.max_picture_px;
    if target.width > max || target.height > max {
        let text = format!("a map is at most {max} x {max} px");
        return Err(Exception::new(None, Some("WIDTH"), text));
    }
    Ok(PictureRequest {
        layers,
        time: time::datetime(params.get("time"))?,
        mask: values::mask(params.get("mask")),
        resampling: values::resampling(params.get("resampling"))?,
        snapshot: time::snapshot(params.get("snapshot"))?,
        ..PictureRequest::new("", "", target)
    })
}

/// `LAYERS` and `STYLES`, the lowest first. Styles left out or empty are the default.
pub(super) fn layers(params: &Params) -> Result<Vec<PictureLayer>, Exception> {
    let names = params.get("layers").ok_or_else(|| Exception::missing("LAYERS"))?;
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if names.len() > LAYER_LIMIT {
        let text = format!("{} layers asked for; a map has at most {LAYER_LIMIT}", names.len());
        return Err(Exception::invalid("LAYERS", text));
    }
    let styles = params.get("styles").unwrap_or_default();
    let styles: Vec<&str> = styles.split(',').map(str::trim).collect();
    let default = styles.len() == 1 && styles[0].is_empty();
    if !default && styles.len() != names.len() {
        let text = format!("{} styles for {} layers", styles.len(), names.len());
        return Err(Exception::new(Some("StyleNotDefined"), Some("STYLES"), text));
    }
    let layer = |(i, name): (usize, &&str)| PictureLayer {
        product: (*name).to_owned(),
        style: if default { String::new() } else { styles[i].to_owned() },
        expression: None,
    };
    Ok(names.iter().enumerate().map(layer).collect())
}

/// The map's pixels, from CRS, box and size.
fn target(params: &Params, version: Version) -> Result<GeoBox, Exception> {
    let name = version.crs_parameter();
    let refuse = |text: String| Exception::new(Some(version.invalid_crs()), Some(name), text);
    let text =
        params.any(&[name, "CRS", "SRS"]).ok_or_else(|| refuse(format!("parameter {name} is missing")))?;
    let crs = space::crs(name, text).map_err(|e| refuse(e.detail))?;
    let text = params.get("bbox").ok_or_else(|| Exception::missing("BBOX"))?;
    let numbers = space::numbers("BBOX", text)?;
    let bounds = version.bounds(&crs, numbers)?;
    if bounds.width() <= 0.0 || bounds.height() <= 0.0 {
        let text = format!("BBOX {:?} is empty: minx must be below maxx, miny below maxy", shorten(text));
        return Err(Exception::invalid("BBOX", text));
    }
    let (width, height) = (side_px(params, "WIDTH")?, side_px(params, "HEIGHT")?);
    let target = GeoBox::from_bounds(crs, bounds, width, height);
    if !(target.dx.is_normal() && target.dy.is_normal()) {
        return Err(Exception::invalid("BBOX", "BBOX is too small or too large for numbers to hold"));
    }
    Ok(target)
}

/// `WIDTH` or `HEIGHT`, one or more.
pub(super) fn side_px(params: &Params, name: &'static str) -> Result<usize, Exception> {
    let text = params.get(name).ok_or_else(|| Exception::missing(name))?;
    text.parse().ok().filter(|px| *px > 0).ok_or_else(|| {
        Exception::invalid(
            name,
            format!("{name} {:?} is not a number of pixels, such as {TILE_PX}", shorten(text)),
        )
    })
}

/// The file format.
fn format(params: &Params) -> Result<ImageFormat, Exception> {
    let text = params.get("format").unwrap_or_default();
    ImageFormat::of(text).filter(|_| text.contains('/')).ok_or_else(|| {
        let text = format!("format {:?} is not image/png or image/webp", shorten(text));
        Exception::new(Some("InvalidFormat"), Some("FORMAT"), text)
    })
}

/// The colour under the map, white unless `BGCOLOR` says otherwise; `None` if `TRANSPARENT` is true.
pub(super) fn background(params: &Params) -> Result<Option<[u8; 3]>, Exception> {
    if params.get("transparent").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Ok(None);
    }
    let Some(text) = params.get("bgcolor") else { return Ok(Some([255; 3])) };
    let digits =
        text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).or_else(|| text.strip_prefix('#'));
    let color = digits.and_then(|digits| tesela_model::parse_color(&format!("#{digits}")));
    let [r, g, b, _] = color.ok_or_else(|| {
        Exception::invalid("BGCOLOR", format!("colour {:?} is not 0xRRGGBB", shorten(text)))
    })?;
    Ok(Some([r, g, b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Params {
        let base = [("CRS", "CRS:84"), ("BBOX", "-99,19,-98,20"), ("WIDTH", "200"), ("HEIGHT", "100")];
        Params::new(pairs.iter().copied().chain(base))
    }

    #[test]
    fn a_box_and_a_size_become_pixels() {
        let t = target(&with(&[]), Version::V130).unwrap();
        assert_eq!((t.x_min, t.y_max, t.dx, t.dy, t.width), (-99.0, 20.0, 0.005, 0.01, 200));
        let swapped = with(&[("crs", "EPSG:4326"), ("bbox", "19,-99,20,-98")]);
        let s = target(&swapped, Version::V130).unwrap();
        assert_eq!((s.x_min, s.y_max, s.dx), (t.x_min, t.y_max, t.dx));
        let old = with(&[("srs", "EPSG:4326")]);
        assert_eq!(target(&old, Version::V111).unwrap().x_min, -99.0);
    }

    #[test]
    fn bad_places_are_refused_by_name() {
        for (name, value, code, locator) in [
            ("CRS", "EPSG:99999", "InvalidCRS", "CRS"),
            ("CRS", "+proj=bogus", "InvalidCRS", "CRS"),
            ("BBOX", "-98,19,-99,20", "InvalidParameterValue", "BBOX"),
            ("BBOX", "-99,19,-99,20", "InvalidParameterValue", "BBOX"),
            ("BBOX", "1,2,3", "InvalidParameterValue", "BBOX"),
            ("BBOX", "-99,19,-98,1e309", "InvalidParameterValue", "BBOX"),
            ("WIDTH", "0", "InvalidParameterValue", "WIDTH"),
            ("HEIGHT", "-1", "InvalidParameterValue", "HEIGHT"),
        ] {
            let e = target(&with(&[(name, value)]), Version::V130).unwrap_err();
            assert_eq!((e.code, e.locator), (Some(code), Some(locator)), "{name}={value}");
        }
        let e = target(&with(&[("SRS", "EPSG:99999")]), Version::V111).unwrap_err();
        assert_eq!(e.code, Some("InvalidSRS"));
    }

    #[test]
    fn layers_pair_with_styles() {
        let of = |l: &str, s: &str| layers(&Params::new([("layers", l), ("styles", s)]));
        let names =
            |l: Vec<PictureLayer>| -> Vec<_> { l.into_iter().map(|l| (l.product, l.style)).collect() };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(names(of("a,b", "").unwrap()), [pair("a", ""), pair("b", "")]);
        assert_eq!(names(of("a,b", ",ndvi").unwrap()), [pair("a", ""), pair("b", "ndvi")]);
        assert_eq!(of("a,b", "ndvi").unwrap_err().code, Some("StyleNotDefined"));
        assert_eq!(of("", "").unwrap_err().locator, Some("LAYERS"));
        assert!(of(&vec!["a"; 3000].join(","), "").is_err());
    }

    #[test]
    fn maps_are_opaque_and_white_unless_told() {
        let of = |pairs: &[(&str, &str)]| background(&Params::new(pairs.iter().copied()));
        assert_eq!(of(&[]).unwrap(), Some([255; 3]));
        assert_eq!(of(&[("TRANSPARENT", "true")]).unwrap(), None);
        assert_eq!(of(&[("transparent", "FALSE"), ("bgcolor", "0x0000FF")]).unwrap(), Some([0, 0, 255]));
        assert!(of(&[("bgcolor", "blue")]).is_err());
    }
}
