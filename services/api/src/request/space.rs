//! CRS names, boxes and axis order.
//!
//! Inside, coordinates are `(x, y)`; here they are turned from and into the order an authority asks for.

use tesela_crs::{crs_info, is_northing_first, parse_client_crs};
use tesela_grid::{BoundingBox, CrsName};

use super::text::shorten;
use crate::{ApiError, ApiResult};

/// A CRS as a client names it.
///
/// # Errors
/// 400 naming the parameter, if it is not a horizontal CRS of a registry.
pub fn crs(parameter: &'static str, text: &str) -> ApiResult<CrsName> {
    parse_client_crs(text)
        .map_err(|e| ApiError { code: "invalid_crs", ..ApiError::parameter(parameter, e.to_string()) })
}

/// `minx,miny,maxx,maxy` as written, in whatever axis order; the six-number form is read without its heights.
///
/// # Errors
/// 400 if it is not four finite numbers.
pub fn numbers(parameter: &'static str, text: &str) -> ApiResult<[f64; 4]> {
    let bad = || {
        ApiError::parameter(parameter, format!("{:?} is not four numbers minx,miny,maxx,maxy", shorten(text)))
    };
    if text.len() > 400 {
        return Err(bad());
    }
    let values: Vec<f64> = text
        .split(',')
        .map(|part| part.trim().parse().ok().filter(|v: &f64| v.is_finite()))
        .collect::<Option<_>>()
        .ok_or_else(bad)?;
    match values[..] {
        [a, b, c, d] => Ok([a, b, c, d]),
        [a, b, _, c, d, _] => Ok([a, b, c, d]),
        _ => Err(bad()),
    }
}

/// A box in `(x, y)` order from numbers in the CRS's own axis order.
///
/// # Errors
/// 400 if the CRS means nothing.
pub fn in_axis_order(crs: &CrsName, [a, b, c, d]: [f64; 4]) -> ApiResult<BoundingBox> {
    let swapped = is_northing_first(crs).map_err(|e| ApiError::parameter("crs", e.to_string()))?;
    Ok(if swapped { BoundingBox::new(b, a, d, c) } else { BoundingBox::new(a, b, c, d) })
}

/// `bbox` with its `bbox-crs` (longitude and latitude if absent), as OGC API writes it, in `(x, y)` order. West above
/// east, in degrees, is a box across the 180th meridian.
///
/// # Errors
/// 400 naming the parameter at fault; else the box must have width and height zero or more.
pub fn bbox(text: &str, bbox_crs: Option<&str>) -> ApiResult<(CrsName, BoundingBox)> {
    let name = bbox_crs.map_or(Ok(CrsName::lon_lat()), |text| crs("bbox-crs", text))?;
    let bounds = in_axis_order(&name, numbers("bbox", text)?)?;
    let crosses = crs_info(&name).is_ok_and(|info| info.is_geographic);
    if (bounds.x_min > bounds.x_max && !crosses) || bounds.y_min > bounds.y_max {
        return Err(ApiError::parameter(
            "bbox",
            "bbox must rise: minx <= maxx (degrees may pass 180) and miny <= maxy",
        ));
    }
    Ok((name, bounds))
}

/// The two numbers of a corner in the CRS's own axis order.
pub fn corner(crs: &CrsName, x: f64, y: f64) -> (f64, f64) {
    if is_northing_first(crs).unwrap_or(false) { (y, x) } else { (x, y) }
}

/// The EPSG code or OGC name of a CRS; `None` for one that only a WKT describes.
pub fn registry_name(crs: &CrsName) -> Option<CrsName> {
    if crs.epsg_code().is_some() || *crs == CrsName::lon_lat() {
        return Some(crs.clone());
    }
    Some(CrsName::epsg(crs_info(crs).ok()?.epsg?))
}

/// `urn:ogc:def:crs:EPSG::3857`; `None` for a CRS no registry names.
pub fn urn(crs: &CrsName) -> Option<String> {
    let name = registry_name(crs)?;
    Some(match name.epsg_code() {
        Some(code) => format!("urn:ogc:def:crs:EPSG::{code}"),
        None => "urn:ogc:def:crs:OGC:1.3:CRS84".to_owned(),
    })
}

/// The name WMS uses: `EPSG:3857`, `CRS:84`; `None` for a CRS no registry names.
pub fn wms_name(crs: &CrsName) -> Option<String> {
    let name = registry_name(crs)?;
    Some(name.epsg_code().map_or_else(|| "CRS:84".to_owned(), |code| format!("EPSG:{code}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_are_read_in_the_axis_order_of_their_crs() {
        let xy = BoundingBox::new(-99.0, 19.0, -98.0, 20.0);
        for (crs, text) in [
            (None, "-99,19,-98,20"),
            (Some("CRS:84"), "-99,19,-98,20"),
            (Some("EPSG:4326"), "19,-99,20,-98"),
            (Some("EPSG:4326"), "19,-99,0,20,-98,100"),
            (None, "-9.9e1, 1.9e1, -98, 20"),
        ] {
            assert_eq!(bbox(text, crs).unwrap().1, xy, "{text}");
        }
        let (_, lcc) = bbox("800000,2700000,900000,2900000", Some("EPSG:6372")).unwrap();
        assert_eq!((lcc.x_min, lcc.y_min), (2_700_000.0, 800_000.0));
        let (_, utm) = bbox("470000,2149280,500720,2180000", Some("EPSG:32614")).unwrap();
        assert_eq!((utm.x_min, utm.y_min), (470_000.0, 2_149_280.0));
    }

    #[test]
    fn boxes_may_pass_180_degrees() {
        let fiji = BoundingBox::new(179.0, -18.0, -179.0, -16.0);
        for (crs, text) in [(None, "179,-18,-179,-16"), (Some("EPSG:4326"), "-18,179,-16,-179")] {
            assert_eq!(bbox(text, crs).unwrap().1, fiji, "{text}");
        }
    }

    #[test]
    fn bad_boxes_are_refused() {
        for text in ["", "1,2,3", "a,b,c,d", "NaN,0,1,1", "0,0,inf,1", "0,1,1,0", "0,0,1,1,1", "1e309,0,1,1"]
        {
            assert!(bbox(text, None).is_err(), "{text}");
        }
        // Metres have no 180th meridian.
        assert!(bbox("1,0,0,1", Some("EPSG:3857")).is_err());
        assert!(bbox("0,0,1,1", Some("EPSG:0")).is_err());
        assert!(bbox("0,0,1,1", Some("+proj=bogus")).is_err());
    }

    #[test]
    fn names_for_each_protocol() {
        assert_eq!(urn(&CrsName::epsg(6372)).unwrap(), "urn:ogc:def:crs:EPSG::6372");
        assert_eq!(urn(&CrsName::lon_lat()).unwrap(), "urn:ogc:def:crs:OGC:1.3:CRS84");
        assert_eq!(wms_name(&CrsName::lon_lat()).unwrap(), "CRS:84");
        let albers = tesela_grid::builtin_grid("mxaea_30").unwrap().crs;
        assert_eq!(urn(&albers), None);
    }
}
