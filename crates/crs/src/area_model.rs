//! From a projection's name and parameters to the way its cell areas are worked out.

use gdal::spatial_ref::SpatialRef;
use tesela_grid::area::{CellAreaModel, Ellipsoid};

use crate::srs::{inverse_flattening, node, parameter};

/// Equal-area projections by their WKT1 names.
const EQUAL_AREA: [&str; 11] = [
    "Albers_Conic_Equal_Area",
    "Lambert_Azimuthal_Equal_Area",
    "Cylindrical_Equal_Area",
    "Sinusoidal",
    "Mollweide",
    "Bonne",
    "Eckert_II",
    "Eckert_IV",
    "Eckert_VI",
    "Equal_Earth",
    "Goode_Homolosine",
];

/// `None` for projections not covered, spheres, and units other than metre and degree.
pub(crate) fn of(srs: &SpatialRef) -> Option<CellAreaModel> {
    let ellipsoid = ellipsoid(srs);
    if srs.is_geographic() {
        let is_degree = (srs.angular_units() - 1f64.to_radians()).abs() < 1e-12;
        return is_degree.then_some(CellAreaModel::Geographic { ellipsoid: ellipsoid? });
    }
    if !srs.is_projected() || srs.linear_units() != 1.0 {
        return None;
    }
    let projection = node(srs, "PROJECTION")?;
    if EQUAL_AREA.contains(&projection.as_str()) {
        return Some(CellAreaModel::EqualArea);
    }
    let ellipsoid = ellipsoid?;
    let lat0_deg = parameter(srs, c"latitude_of_origin").unwrap_or(0.0);
    let lon0_deg = parameter(srs, c"central_meridian").unwrap_or(0.0);
    let false_easting_m = parameter(srs, c"false_easting").unwrap_or(0.0);
    let false_northing_m = parameter(srs, c"false_northing").unwrap_or(0.0);
    match projection.as_str() {
        "Lambert_Conformal_Conic_2SP" => Some(CellAreaModel::LambertConformal2sp {
            lat1_deg: parameter(srs, c"standard_parallel_1")?,
            lat2_deg: parameter(srs, c"standard_parallel_2")?,
            lat0_deg,
            lon0_deg,
            false_easting_m,
            false_northing_m,
            ellipsoid,
        }),
        "Transverse_Mercator" => Some(CellAreaModel::TransverseMercator {
            lat0_deg,
            lon0_deg,
            k0: parameter(srs, c"scale_factor").unwrap_or(1.0),
            false_easting_m,
            false_northing_m,
            ellipsoid,
        }),
        _ if is_web_mercator(srs) => Some(CellAreaModel::WebMercator { ellipsoid }),
        _ => None,
    }
}

/// EPSG:3857 and its twins: a sphere's Mercator of the ellipsoid's coordinates, origin at (0, 0).
pub(crate) fn is_web_mercator(srs: &SpatialRef) -> bool {
    srs.to_proj4().is_ok_and(|text| {
        text.contains("+proj=merc") && text.contains("+nadgrids=@null") && text.contains("+lon_0=0")
    })
}

pub(crate) fn ellipsoid(srs: &SpatialRef) -> Option<Ellipsoid> {
    Some(Ellipsoid { a_m: srs.semi_major().ok()?, inverse_flattening: inverse_flattening(srs)? })
}
