//! CF conventions 1.11, appendix F: a CRS as the attributes of a `grid_mapping` variable.

use std::ffi::CStr;

use gdal::spatial_ref::SpatialRef;

use crate::area_model::is_web_mercator;
use crate::srs::{inverse_flattening, node, parameter};

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum CfValue {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// Several numbers.
    Numbers(Vec<f64>),
}

/// WKT1 parameter name to CF attribute.
type Parameters = &'static [(&'static CStr, &'static str)];

const FALSE_ORIGIN: Parameters =
    &[(c"false_easting", "false_easting"), (c"false_northing", "false_northing")];

const CONIC: Parameters = &[
    (c"central_meridian", "longitude_of_central_meridian"),
    (c"longitude_of_center", "longitude_of_central_meridian"),
    (c"latitude_of_origin", "latitude_of_projection_origin"),
    (c"latitude_of_center", "latitude_of_projection_origin"),
];

/// CF name and parameters of a projection; `None` where CF has no name for it.
fn projection_attributes(projection: &str) -> Option<(&'static str, Parameters)> {
    Some(match projection {
        "Lambert_Conformal_Conic_2SP" => ("lambert_conformal_conic", CONIC),
        "Albers_Conic_Equal_Area" => ("albers_conical_equal_area", CONIC),
        "Transverse_Mercator" => (
            "transverse_mercator",
            &[
                (c"scale_factor", "scale_factor_at_central_meridian"),
                (c"central_meridian", "longitude_of_central_meridian"),
                (c"latitude_of_origin", "latitude_of_projection_origin"),
            ],
        ),
        "Mercator_1SP" => (
            "mercator",
            &[
                (c"central_meridian", "longitude_of_projection_origin"),
                (c"scale_factor", "scale_factor_at_projection_origin"),
            ],
        ),
        "Lambert_Azimuthal_Equal_Area" => (
            "lambert_azimuthal_equal_area",
            &[
                (c"longitude_of_center", "longitude_of_projection_origin"),
                (c"latitude_of_center", "latitude_of_projection_origin"),
            ],
        ),
        "Cylindrical_Equal_Area" => (
            "lambert_cylindrical_equal_area",
            &[
                (c"central_meridian", "longitude_of_central_meridian"),
                (c"standard_parallel_1", "standard_parallel"),
            ],
        ),
        "Sinusoidal" => ("sinusoidal", &[(c"longitude_of_center", "longitude_of_projection_origin")]),
        _ => return None,
    })
}

/// The attributes in writing order. A projection without a CF name has the figure of the earth and `crs_wkt` only.
pub(crate) fn grid_mapping(srs: &SpatialRef, wkt2: &str) -> Vec<(&'static str, CfValue)> {
    let mut attributes: Vec<(&'static str, CfValue)> = Vec::new();
    let projection = node(srs, "PROJECTION");
    if srs.is_geographic() {
        attributes.push(("grid_mapping_name", CfValue::Text("latitude_longitude".into())));
    } else if let Some((name, parameters)) = projection.as_deref().and_then(projection_attributes) {
        attributes.push(("grid_mapping_name", CfValue::Text(name.into())));
        if parameters == CONIC {
            let parallels = [c"standard_parallel_1", c"standard_parallel_2"];
            let parallels = parallels.into_iter().filter_map(|key| parameter(srs, key)).collect();
            attributes.push(("standard_parallel", CfValue::Numbers(parallels)));
        }
        let given = parameters.iter().chain(FALSE_ORIGIN);
        attributes.extend(
            given.filter_map(|(key, attribute)| Some((*attribute, CfValue::Number(parameter(srs, key)?)))),
        );
    }
    if let Ok(a) = srs.semi_major() {
        attributes.push(("semi_major_axis", CfValue::Number(a)));
        // CF writes a sphere as 0; Web Mercator is drawn with a sphere's formulas.
        let inverse = if is_web_mercator(srs) { None } else { inverse_flattening(srs) };
        attributes.push(("inverse_flattening", CfValue::Number(inverse.unwrap_or(0.0))));
    }
    attributes.push(("longitude_of_prime_meridian", CfValue::Number(prime_meridian(srs))));
    let names = [
        ("SPHEROID", "reference_ellipsoid_name"),
        ("DATUM", "horizontal_datum_name"),
        ("PRIMEM", "prime_meridian_name"),
        ("GEOGCS", "geographic_crs_name"),
        ("PROJCS", "projected_crs_name"),
    ];
    attributes.extend(
        names.into_iter().filter_map(|(key, attribute)| Some((attribute, CfValue::Text(node(srs, key)?)))),
    );
    attributes.push(("crs_wkt", CfValue::Text(wkt2.to_owned())));
    attributes
}

fn prime_meridian(srs: &SpatialRef) -> f64 {
    let degrees = srs.get_attr_value("PRIMEM", 1).ok().flatten();
    degrees.and_then(|text| text.parse().ok()).unwrap_or(0.0)
}
