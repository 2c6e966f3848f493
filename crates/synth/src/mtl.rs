//! The metadata file of a scene (MTL), in the three encodings that USGS delivers.

use std::fmt::Write as _;

use crate::calendar::{Pass, Platform, Tier, epoch_day};
use crate::place::{PIXEL_M, Raster, UTM_ZONE, WRS_PATH};
use crate::sun::Sun;
use crate::tiff::NOTICE;

/// A value: text is quoted in ODL, a number or date is not.
enum Value {
    Text(String),
    Bare(String),
}

impl Value {
    fn as_str(&self) -> &str {
        match self {
            Value::Text(v) | Value::Bare(v) => v,
        }
    }
}

struct Group {
    name: &'static str,
    items: Vec<(String, Value)>,
}

impl Group {
    fn new(name: &'static str) -> Group {
        Group { name, items: Vec::new() }
    }

    fn text(&mut self, key: impl Into<String>, value: impl Into<String>) -> &mut Group {
        self.items.push((key.into(), Value::Text(value.into())));
        self
    }

    fn bare(&mut self, key: impl Into<String>, value: impl std::fmt::Display) -> &mut Group {
        self.items.push((key.into(), Value::Bare(format!("{value}"))));
        self
    }
}

/// Everything an MTL says that is not fixed.
pub(crate) struct SceneFacts<'a> {
    pub(crate) product_id: &'a str,
    /// `L2SP` or `L2SR`.
    pub(crate) level: &'static str,
    pub(crate) pass: &'a Pass,
    pub(crate) wrs_row: u16,
    /// Seconds of the UTC day at the scene centre.
    pub(crate) utc_s: f64,
    /// Date of processing.
    pub(crate) processed: jiff::civil::Date,
    pub(crate) sun: Sun,
    pub(crate) raster: &'a Raster,
    /// Longitude and latitude of the centres of the corner pixels: UL, UR, LL, LR.
    pub(crate) corners_lon_lat: [(f64, f64); 4],
    /// Share of cloud among observed pixels, per cent.
    pub(crate) cloud_cover: f64,
    /// The same over land.
    pub(crate) cloud_cover_land: f64,
    /// Which SR bands hold saturated pixels.
    pub(crate) saturated: Vec<bool>,
}

/// A complete MTL document.
pub(crate) struct Mtl {
    groups: Vec<Group>,
}

impl Mtl {
    pub(crate) fn new(facts: &SceneFacts<'_>) -> Mtl {
        Mtl {
            groups: vec![
                product_contents(facts),
                image_attributes(facts),
                projection_attributes(facts),
                level2_record(facts),
                surface_reflectance(facts),
                level1_record(facts),
            ],
        }
    }

    /// `_MTL.txt`: ODL.
    pub(crate) fn odl(&self) -> String {
        let mut out = String::from("GROUP = LANDSAT_METADATA_FILE\n");
        for group in &self.groups {
            let _ = writeln!(out, "  GROUP = {}", group.name);
            for (key, value) in &group.items {
                let _ = match value {
                    Value::Text(v) => writeln!(out, "    {key} = \"{v}\""),
                    Value::Bare(v) => writeln!(out, "    {key} = {v}"),
                };
            }
            let _ = writeln!(out, "  END_GROUP = {}", group.name);
        }
        out.push_str("END_GROUP = LANDSAT_METADATA_FILE\nEND\n");
        out
    }

    /// `_MTL.json`: one object per group, every value a string.
    pub(crate) fn json(&self) -> String {
        let mut groups = serde_json::Map::new();
        for group in &self.groups {
            let items = group
                .items
                .iter()
                .map(|(key, value)| (key.clone(), serde_json::Value::from(value.as_str())))
                .collect::<serde_json::Map<_, _>>();
            groups.insert(group.name.to_owned(), items.into());
        }
        serde_json::json!({ "LANDSAT_METADATA_FILE": groups }).to_string()
    }

    /// `_MTL.xml`.
    pub(crate) fn xml(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LANDSAT_METADATA_FILE>\n");
        for group in &self.groups {
            let _ = writeln!(out, "  <{}>", group.name);
            for (key, value) in &group.items {
                let text = value.as_str().replace('&', "&amp;").replace('<', "&lt;");
                let _ = writeln!(out, "    <{key}>{text}</{key}>");
            }
            let _ = writeln!(out, "  </{}>", group.name);
        }
        out.push_str("</LANDSAT_METADATA_FILE>\n");
        out
    }
}

fn product_contents(facts: &SceneFacts<'_>) -> Group {
    let id = facts.product_id;
    let bands = facts.pass.platform.sr_bands();
    let mut group = Group::new("PRODUCT_CONTENTS");
    group
        .text("ORIGIN", NOTICE)
        .text("DATA_PROVIDER", "tesela demo (synthetic data)")
        .text("LANDSAT_PRODUCT_ID", id)
        .text("PROCESSING_LEVEL", facts.level)
        .bare("COLLECTION_NUMBER", "02")
        .text("COLLECTION_CATEGORY", tier(facts.pass.tier))
        .text("OUTPUT_FORMAT", "GEOTIFF");
    for band in bands {
        group.text(format!("FILE_NAME_BAND_{band}"), format!("{id}_SR_B{band}.TIF"));
    }
    group
        .text("FILE_NAME_QUALITY_L1_PIXEL", format!("{id}_QA_PIXEL.TIF"))
        .text("FILE_NAME_QUALITY_L1_RADIOMETRIC_SATURATION", format!("{id}_QA_RADSAT.TIF"))
        .text("FILE_NAME_METADATA_ODL", format!("{id}_MTL.txt"))
        .text("FILE_NAME_METADATA_XML", format!("{id}_MTL.xml"));
    for band in bands {
        group.text(format!("DATA_TYPE_BAND_{band}"), "UINT16");
    }
    group
        .text("DATA_TYPE_QUALITY_L1_PIXEL", "UINT16")
        .text("DATA_TYPE_QUALITY_L1_RADIOMETRIC_SATURATION", "UINT16");
    group
}

fn image_attributes(facts: &SceneFacts<'_>) -> Group {
    let platform = facts.pass.platform;
    let (spacecraft, sensor) = match platform {
        Platform::Landsat5 => ("LANDSAT_5", "TM"),
        Platform::Landsat7 => ("LANDSAT_7", "ETM"),
        Platform::Landsat8 => ("LANDSAT_8", "OLI_TIRS"),
        Platform::Landsat9 => ("LANDSAT_9", "OLI_TIRS"),
    };
    // OLI files write path and row without leading zeros, the older sensors with.
    let wrs = |n: u16| if platform.is_oli() { n.to_string() } else { format!("{n:03}") };
    let mut group = Group::new("IMAGE_ATTRIBUTES");
    group
        .text("SPACECRAFT_ID", spacecraft)
        .text("SENSOR_ID", sensor)
        .bare("WRS_TYPE", 2)
        .bare("WRS_PATH", wrs(WRS_PATH))
        .bare("WRS_ROW", wrs(facts.wrs_row));
    if platform.is_oli() {
        group
            .text("NADIR_OFFNADIR", "NADIR")
            .bare("TARGET_WRS_PATH", wrs(WRS_PATH))
            .bare("TARGET_WRS_ROW", wrs(facts.wrs_row));
    }
    group
        .bare("DATE_ACQUIRED", facts.pass.day)
        .text("SCENE_CENTER_TIME", clock(facts.utc_s))
        .text("STATION_ID", "SYN")
        .bare("CLOUD_COVER", format!("{:.2}", facts.cloud_cover))
        .bare("CLOUD_COVER_LAND", format!("{:.2}", facts.cloud_cover_land));
    if platform.is_oli() {
        group.bare("IMAGE_QUALITY_OLI", 9);
    } else {
        group.bare("IMAGE_QUALITY", 9);
    }
    for (band, saturated) in platform.sr_bands().iter().zip(&facts.saturated) {
        group.text(format!("SATURATION_BAND_{band}"), if *saturated { "Y" } else { "N" });
    }
    if platform.is_oli() {
        group.bare("ROLL_ANGLE", "-0.001");
    }
    group
        .bare("SUN_AZIMUTH", format!("{:.8}", facts.sun.azimuth_deg))
        .bare("SUN_ELEVATION", format!("{:.8}", facts.sun.elevation_deg))
        .bare("EARTH_SUN_DISTANCE", format!("{:.7}", facts.sun.distance_au));
    match platform {
        Platform::Landsat5 => {
            group.text("SENSOR_MODE", "SAM").text("SENSOR_MODE_SLC", "ON").text("SENSOR_ANOMALIES", "NONE");
        }
        Platform::Landsat7 => {
            let slc = if facts.pass.slc_off() { "OFF" } else { "ON" };
            group.text("SENSOR_MODE", "SAM").text("SENSOR_MODE_SLC", slc).text("SENSOR_ANOMALIES", "NONE");
        }
        Platform::Landsat8 | Platform::Landsat9 => {
            group.text("TRUNCATION_OLI", "UPPER");
        }
    }
    group
}

fn projection_attributes(facts: &SceneFacts<'_>) -> Group {
    let raster = facts.raster;
    // Corners are centres of pixels.
    let left = raster.west + PIXEL_M / 2.0;
    let top = raster.north - PIXEL_M / 2.0;
    let right = left + (raster.width - 1) as f64 * PIXEL_M;
    let bottom = top - (raster.height - 1) as f64 * PIXEL_M;
    let corners = [("UL", left, top), ("UR", right, top), ("LL", left, bottom), ("LR", right, bottom)];
    let mut group = Group::new("PROJECTION_ATTRIBUTES");
    group
        .text("MAP_PROJECTION", "UTM")
        .text("DATUM", "WGS84")
        .text("ELLIPSOID", "WGS84")
        .bare("UTM_ZONE", UTM_ZONE)
        .bare("GRID_CELL_SIZE_REFLECTIVE", "30.00")
        .bare("REFLECTIVE_LINES", raster.height)
        .bare("REFLECTIVE_SAMPLES", raster.width)
        .text("ORIENTATION", "NORTH_UP");
    for ((corner, _, _), (lon, lat)) in corners.iter().zip(facts.corners_lon_lat) {
        group
            .bare(format!("CORNER_{corner}_LAT_PRODUCT"), format!("{lat:.5}"))
            .bare(format!("CORNER_{corner}_LON_PRODUCT"), format!("{lon:.5}"));
    }
    for (corner, x, y) in corners {
        group
            .bare(format!("CORNER_{corner}_PROJECTION_X_PRODUCT"), format!("{x:.3}"))
            .bare(format!("CORNER_{corner}_PROJECTION_Y_PRODUCT"), format!("{y:.3}"));
    }
    group
}

fn level2_record(facts: &SceneFacts<'_>) -> Group {
    let algorithm = if facts.pass.platform.is_oli() { "LaSRC_1.5.0" } else { "LEDAPS_3.4.0" };
    let mut group = Group::new("LEVEL2_PROCESSING_RECORD");
    group
        .text("ORIGIN", NOTICE)
        .text("REQUEST_ID", "SYNTHETIC")
        .text("LANDSAT_PRODUCT_ID", facts.product_id)
        .text("PROCESSING_LEVEL", facts.level)
        .text("OUTPUT_FORMAT", "GEOTIFF")
        .bare("DATE_PRODUCT_GENERATED", format!("{}T10:00:00Z", facts.processed))
        .text("PROCESSING_SOFTWARE_VERSION", concat!("tesela-synth_", env!("CARGO_PKG_VERSION")))
        .text("ALGORITHM_SOURCE_SURFACE_REFLECTANCE", algorithm);
    for source in ["OZONE", "PRESSURE", "WATER_VAPOR", "AIR_TEMPERATURE"] {
        group.text(format!("DATA_SOURCE_{source}"), "SYNTHETIC");
    }
    group
}

fn surface_reflectance(facts: &SceneFacts<'_>) -> Group {
    let mut group = Group::new("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS");
    let bands = facts.pass.platform.sr_bands();
    for band in bands {
        group
            .bare(format!("REFLECTANCE_MAXIMUM_BAND_{band}"), "1.602213")
            .bare(format!("REFLECTANCE_MINIMUM_BAND_{band}"), "-0.199972");
    }
    for band in bands {
        group
            .bare(format!("QUANTIZE_CAL_MAX_BAND_{band}"), 65_535)
            .bare(format!("QUANTIZE_CAL_MIN_BAND_{band}"), 1);
    }
    for band in bands {
        group.bare(format!("REFLECTANCE_MULT_BAND_{band}"), "2.75e-05");
    }
    for band in bands {
        group.bare(format!("REFLECTANCE_ADD_BAND_{band}"), "-0.2");
    }
    group
}

fn level1_record(facts: &SceneFacts<'_>) -> Group {
    let pass = facts.pass;
    let mut group = Group::new("LEVEL1_PROCESSING_RECORD");
    let scene_id = format!(
        "{}{WRS_PATH:03}{:03}{:04}{:03}SYN00",
        match pass.platform {
            Platform::Landsat5 => "LT5",
            Platform::Landsat7 => "LE7",
            Platform::Landsat8 => "LC8",
            Platform::Landsat9 => "LC9",
        },
        facts.wrs_row,
        pass.day.year(),
        pass.day.day_of_year()
    );
    // A plausible registration error, worse in tier 2.
    let spread = (epoch_day(pass.day).rem_euclid(97)) as f64 / 97.0;
    let rmse = if pass.tier == Tier::T1 { 3.5 + 5.0 * spread } else { 13.0 + 6.0 * spread };
    group
        .text("ORIGIN", NOTICE)
        .text("REQUEST_ID", "SYNTHETIC")
        .text("LANDSAT_SCENE_ID", scene_id)
        .text("LANDSAT_PRODUCT_ID", facts.product_id.replace(facts.level, "L1TP"))
        .text("PROCESSING_LEVEL", "L1TP")
        .text("COLLECTION_CATEGORY", tier(pass.tier))
        .text("OUTPUT_FORMAT", "GEOTIFF")
        .bare("DATE_PRODUCT_GENERATED", format!("{}T09:45:00Z", facts.processed))
        .text("DATA_SOURCE_ELEVATION", "SYNTHETIC")
        .bare("GEOMETRIC_RMSE_MODEL", format!("{rmse:.3}"))
        .bare("GEOMETRIC_RMSE_MODEL_Y", format!("{:.3}", rmse * 0.8))
        .bare("GEOMETRIC_RMSE_MODEL_X", format!("{:.3}", rmse * 0.6));
    group
}

/// Collection category.
pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::T1 => "T1",
        Tier::T2 => "T2",
    }
}

/// `HH:MM:SS.fffffffZ` of a UTC second.
fn clock(utc_s: f64) -> String {
    let whole = utc_s.floor() as i64;
    let fraction = ((utc_s - utc_s.floor()) * 1e7) as i64;
    format!("{:02}:{:02}:{:02}.{fraction:07}Z", whole / 3600, whole / 60 % 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_has_usgs_form() {
        assert_eq!(clock(16.0 * 3600.0 + 5.0 * 60.0 + 7.25), "16:05:07.2500000Z");
    }
}
