//! What is known about a CRS.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use gdal::spatial_ref::SpatialRef;
use tesela_grid::CrsName;
use tesela_grid::area::CellAreaModel;

use crate::cf::{CfValue, grid_mapping};
use crate::error::{CrsError, shorten};
use crate::{area_model, srs};

/// A description of a CRS, made once and shared: see [`crs_info`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CrsInfo {
    /// The name it was asked by.
    pub name: CrsName,
    /// WKT2:2019 on one line.
    pub wkt2: String,
    /// WKT1 as GDAL writes it; the same as `wkt2` where WKT1 has no words for the CRS.
    pub wkt1: String,
    /// EPSG code, if the CRS carries one.
    pub epsg: Option<u32>,
    /// PROJ string; empty where there is none. Loses the datum's name: for humans and for `proj4js`.
    pub proj4: String,
    /// Whether coordinates are longitude and latitude.
    pub is_geographic: bool,
    /// Unit of the coordinates: `metre`, `degree`, `US survey foot`.
    pub unit_name: String,
    /// Metres, or radians if geographic, in one unit.
    pub unit_factor: f64,
    /// The registry's name: `Mexico ITRF2008 / LCC`.
    pub title: String,
    /// How cell areas are worked out; `None` for projections not covered, spheres, and units other than metre
    /// and degree.
    pub area_model: Option<CellAreaModel>,
    /// Attributes of a CF `grid_mapping` variable, `crs_wkt` (WKT2) among them, in writing order.
    pub cf_grid_mapping: Vec<(&'static str, CfValue)>,
    /// Whether the registry's first axis is latitude or northing: see [`is_northing_first`].
    pub northing_first: bool,
}

/// Descriptions kept before the table starts afresh; clients can name some 7,000 CRS.
const CACHED: usize = 1024;

static CACHE: LazyLock<RwLock<HashMap<CrsName, Arc<CrsInfo>>>> = LazyLock::new(RwLock::default);

/// What is known about a CRS; cached for the process.
///
/// # Errors
/// [`CrsError::Unknown`] names the text that means nothing.
pub fn crs_info(crs: &CrsName) -> Result<Arc<CrsInfo>, CrsError> {
    if let Some(info) = CACHE.read().unwrap_or_else(PoisonError::into_inner).get(crs) {
        return Ok(Arc::clone(info));
    }
    let info = Arc::new(CrsInfo::read(crs)?);
    let mut cache = CACHE.write().unwrap_or_else(PoisonError::into_inner);
    if cache.len() >= CACHED {
        cache.clear();
    }
    cache.insert(crs.clone(), Arc::clone(&info));
    Ok(info)
}

/// Whether the authority puts latitude or northing first, as WMS 1.3.0 and OGC API want coordinates written:
/// true for EPSG:4326 and EPSG:6372, false for OGC:CRS84, EPSG:3857, UTM and any WKT.
///
/// Inside Tesela coordinates are always `(x, y)`.
///
/// # Errors
/// [`CrsError::Unknown`] if the name means nothing.
pub fn is_northing_first(crs: &CrsName) -> Result<bool, CrsError> {
    crs_info(crs).map(|info| info.northing_first)
}

impl CrsInfo {
    fn read(crs: &CrsName) -> Result<Self, CrsError> {
        let srs = srs::open(crs)?;
        let wkt2 = srs::wkt2(&srs).ok_or_else(|| CrsError::Unknown {
            crs: shorten(crs.as_str()),
            reason: "it cannot be written as WKT2".into(),
        })?;
        let _quiet = srs::Quiet::new();
        let is_geographic = srs.is_geographic();
        let (unit_name, unit_factor) = if is_geographic {
            (srs.angular_units_name(), srs.angular_units())
        } else {
            (srs.linear_units_name(), srs.linear_units())
        };
        Ok(Self {
            name: crs.clone(),
            wkt1: srs.to_wkt().ok().filter(|wkt| !wkt.is_empty()).unwrap_or_else(|| wkt2.clone()),
            epsg: crs.epsg_code().or_else(|| epsg_of(&srs)),
            proj4: srs.to_proj4().unwrap_or_default().trim().to_owned(),
            is_geographic,
            unit_name: unit_name.unwrap_or_default(),
            unit_factor,
            title: srs.name().unwrap_or_default(),
            area_model: area_model::of(&srs),
            cf_grid_mapping: grid_mapping(&srs, &wkt2),
            northing_first: crs.epsg_code().is_some() && srs::northing_first(&srs),
            wkt2,
        })
    }
}

fn epsg_of(srs: &SpatialRef) -> Option<u32> {
    srs.authority().ok()?.strip_prefix("EPSG:")?.parse().ok()
}
