//! Typed values of a metadata tree. Every error names the field and the file.

use std::str::FromStr;

use jiff::civil::{Date, DateTime, Time};
use serde_json::{Map, Value, json};
use tesela_model::landsat::ProductId;

use super::{Layout, Mtl, MtlError, espa};
use crate::source::scene::{COLLECTION_PRE, MtlGeometry};

/// What a metadata file says of its scene, whatever its generation.
#[derive(Debug, Clone, PartialEq)]
pub struct MtlFacts {
    /// `LANDSAT_PRODUCT_ID`; none before collections.
    pub product_id: Option<String>,
    /// `LANDSAT_SCENE_ID`.
    pub scene_id: Option<String>,
    /// `SPACECRAFT_ID`, such as `LANDSAT_8`.
    pub spacecraft: String,
    /// `SENSOR_ID`, such as `OLI_TIRS`.
    pub sensor: String,
    /// `PROCESSING_LEVEL`, or `DATA_TYPE` before Collection 2.
    pub level: String,
    /// `01`, `02` or `pre`.
    pub collection: String,
    /// `COLLECTION_CATEGORY`, else the end of the product id.
    pub tier: Option<String>,
    /// WRS path.
    pub path: u16,
    /// WRS row.
    pub row: u16,
    /// `DATE_ACQUIRED`.
    pub acquired: Date,
    /// `SCENE_CENTER_TIME`, UTC.
    pub center_time: Option<Time>,
    /// Day of processing, from the product id, else from the processing record.
    pub processed: Option<Date>,
    /// `CLOUD_COVER`, percent; none when not computed (−1).
    pub cloud_cover_percent: Option<f64>,
    /// `SUN_AZIMUTH`.
    pub sun_azimuth_deg: Option<f64>,
    /// `SUN_ELEVATION`.
    pub sun_elevation_deg: Option<f64>,
    /// `ORIGIN` of `PRODUCT_CONTENTS`.
    pub origin: Option<String>,
    /// Geometry of the reflective bands, if all of it is given.
    pub geometry: Option<MtlGeometry>,
    /// Field (or ESPA band name) and the raster file it names.
    pub file_names: Vec<(String, String)>,
    /// A part of the rest, to be kept with the scene.
    pub metadata: Value,
}

/// Groups that describe the product itself. The Level-1 record of a Level-2 product is not among them.
const GROUPS: [&str; 6] = [
    "PRODUCT_CONTENTS",
    "METADATA_FILE_INFO",
    "PRODUCT_METADATA",
    "IMAGE_ATTRIBUTES",
    "PROJECTION_ATTRIBUTES",
    "PROJECTION_PARAMETERS",
];

/// Groups that describe how it was made, looked at after [`GROUPS`].
const RECORDS: [&str; 3] =
    ["LEVEL2_PROCESSING_RECORD", "LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", "LEVEL1_PROCESSING_RECORD"];

/// Fields kept as text in `metadata`.
const TEXTS: [&str; 8] = [
    "STATION_ID",
    "NADIR_OFFNADIR",
    "SENSOR_MODE_SLC",
    "DATE_PRODUCT_GENERATED",
    "PROCESSING_SOFTWARE_VERSION",
    "ALGORITHM_SOURCE_SURFACE_REFLECTANCE",
    "FILE_DATE",
    "DIGITAL_OBJECT_IDENTIFIER",
];

/// Fields kept as numbers in `metadata`.
const NUMBERS: [&str; 11] = [
    "CLOUD_COVER_LAND",
    "EARTH_SUN_DISTANCE",
    "ROLL_ANGLE",
    "IMAGE_QUALITY",
    "IMAGE_QUALITY_OLI",
    "GROUND_CONTROL_POINTS_MODEL",
    "GEOMETRIC_RMSE_MODEL",
    "GEOMETRIC_RMSE_MODEL_X",
    "GEOMETRIC_RMSE_MODEL_Y",
    "REFLECTANCE_MULT_BAND_1",
    "REFLECTANCE_ADD_BAND_1",
];

impl Mtl {
    /// The first of these fields in the groups that describe the product.
    pub fn text(&self, fields: &[&str]) -> Option<&str> {
        self.find(&GROUPS, fields)
    }

    /// The typed values; the error names the first field that is absent or wrong.
    pub fn facts(&self) -> Result<MtlFacts, MtlError> {
        let product_id = self.text(&["LANDSAT_PRODUCT_ID"]).map(str::to_owned);
        let scene_id = self
            .text(&["LANDSAT_SCENE_ID"])
            .or_else(|| self.find(&RECORDS, &["LANDSAT_SCENE_ID"]))
            .map(str::to_owned);
        Ok(MtlFacts {
            spacecraft: self.required("SPACECRAFT_ID")?.to_owned(),
            sensor: self.required("SENSOR_ID")?.to_owned(),
            level: self.level()?,
            collection: self.collection()?,
            tier: self.tier(product_id.as_deref()),
            path: self.wrs("WRS_PATH", 251)?,
            row: self.wrs("WRS_ROW", 248)?,
            acquired: self.parsed("DATE_ACQUIRED", self.required("DATE_ACQUIRED")?, "a date YYYY-MM-DD")?,
            center_time: self.center_time()?,
            processed: self.processed(product_id.as_deref()),
            cloud_cover_percent: self.number("CLOUD_COVER")?.filter(|c| (0.0..=100.0).contains(c)),
            sun_azimuth_deg: self.number("SUN_AZIMUTH")?,
            sun_elevation_deg: self.number("SUN_ELEVATION")?,
            origin: self.text(&["ORIGIN"]).map(str::to_owned),
            geometry: self.geometry()?,
            file_names: self.file_names(),
            metadata: self.metadata(scene_id.as_deref()),
            product_id,
            scene_id,
        })
    }

    fn find(&self, groups: &[&str], fields: &[&str]) -> Option<&str> {
        groups.iter().filter_map(|g| self.root.group(g)).find_map(|g| fields.iter().find_map(|f| g.field(f)))
    }

    fn required(&self, field: &str) -> Result<&str, MtlError> {
        self.text(&[field])
            .ok_or_else(|| MtlError::MissingField { file: self.file_text(), field: field.to_owned() })
    }

    fn file_text(&self) -> String {
        self.file.display().to_string()
    }

    fn bad(&self, field: &str, found: &str, expected: &'static str) -> MtlError {
        MtlError::BadField {
            file: self.file_text(),
            field: field.to_owned(),
            found: found.to_owned(),
            expected,
        }
    }

    fn parsed<T: FromStr>(&self, field: &str, text: &str, expected: &'static str) -> Result<T, MtlError> {
        text.parse().map_err(|_| self.bad(field, text, expected))
    }

    fn number(&self, field: &str) -> Result<Option<f64>, MtlError> {
        let Some(text) = self.text(&[field]) else { return Ok(None) };
        let value: f64 = self.parsed(field, text, "a number")?;
        if value.is_finite() { Ok(Some(value)) } else { Err(self.bad(field, text, "a finite number")) }
    }

    fn wrs(&self, field: &str, highest: u16) -> Result<u16, MtlError> {
        let text = self.required(field)?;
        let number: u16 = self.parsed(field, text, "a WRS number")?;
        if (1..=highest).contains(&number) { Ok(number) } else { Err(self.bad(field, text, "a WRS number")) }
    }

    fn level(&self) -> Result<String, MtlError> {
        self.text(&["PROCESSING_LEVEL", "DATA_TYPE"]).map(str::to_owned).ok_or_else(|| {
            MtlError::MissingField {
                file: self.file_text(),
                field: "PROCESSING_LEVEL (or DATA_TYPE)".to_owned(),
            }
        })
    }

    fn collection(&self) -> Result<String, MtlError> {
        match self.text(&["COLLECTION_NUMBER"]) {
            Some(text) => {
                let number: u8 = self.parsed("COLLECTION_NUMBER", text, "01 or 02")?;
                Ok(format!("{number:02}"))
            }
            None if self.layout == Layout::Collection2 => {
                self.required("COLLECTION_NUMBER").map(str::to_owned)
            }
            None => Ok(COLLECTION_PRE.to_owned()),
        }
    }

    /// Some Collection 1 files leave the category out; the id has it.
    fn tier(&self, product_id: Option<&str>) -> Option<String> {
        let of_id = || product_id.and_then(|id| ProductId::parse(id).ok()).map(|id| id.tier.name());
        self.text(&["COLLECTION_CATEGORY"]).or_else(of_id).map(str::to_owned)
    }

    fn center_time(&self) -> Result<Option<Time>, MtlError> {
        let Some(text) = self.text(&["SCENE_CENTER_TIME"]) else { return Ok(None) };
        let time = text.trim_end_matches(['Z', 'z']);
        Ok(Some(time.parse().map_err(|_| self.bad("SCENE_CENTER_TIME", text, "a time HH:MM:SS.sssZ"))?))
    }

    /// Lenient: a processing date only decides which of two processings is newer.
    fn processed(&self, product_id: Option<&str>) -> Option<Date> {
        if let Some(id) = product_id.and_then(|id| ProductId::parse(id).ok()) {
            return Some(id.processed);
        }
        let text = self
            .find(&RECORDS, &["DATE_PRODUCT_GENERATED"])
            .or_else(|| self.text(&["FILE_DATE", "DATE_PRODUCT_GENERATED"]))?;
        text.trim_end_matches('Z').parse::<DateTime>().ok().map(DateTime::date)
    }

    fn geometry(&self) -> Result<Option<MtlGeometry>, MtlError> {
        let x = self.number("CORNER_UL_PROJECTION_X_PRODUCT")?;
        let y = self.number("CORNER_UL_PROJECTION_Y_PRODUCT")?;
        let cell_size = self.number("GRID_CELL_SIZE_REFLECTIVE")?;
        let count = |field| {
            self.text(&[field]).map(|text| self.parsed::<u32>(field, text, "a number of pixels")).transpose()
        };
        let (lines, samples) = (count("REFLECTIVE_LINES")?, count("REFLECTIVE_SAMPLES")?);
        let utm_zone = self.utm_zone()?;
        let (Some(x), Some(y), Some(cell_size), Some(lines), Some(samples)) =
            (x, y, cell_size, lines, samples)
        else {
            return Ok(None);
        };
        let wgs84 = self.text(&["DATUM"]).is_none_or(|d| d.eq_ignore_ascii_case("WGS84"));
        let polar = self.text(&["MAP_PROJECTION"]) == Some("PS") && self.is_antarctic();
        let crs_hint = match utm_zone {
            Some(zone) => Some(format!("EPSG:326{zone:02}")),
            None => polar.then(|| "EPSG:3031".to_owned()),
        };
        let crs_hint = crs_hint.filter(|_| wgs84);
        Ok(Some(MtlGeometry { utm_zone, crs_hint, corner_ul_center_xy: (x, y), lines, samples, cell_size }))
    }

    fn utm_zone(&self) -> Result<Option<u8>, MtlError> {
        let Some(text) = self.text(&["UTM_ZONE"]) else { return Ok(None) };
        let zone: u8 = self.parsed("UTM_ZONE", text, "1 to 60")?;
        if (1..=60).contains(&zone) { Ok(Some(zone)) } else { Err(self.bad("UTM_ZONE", text, "1 to 60")) }
    }

    fn is_antarctic(&self) -> bool {
        self.text(&["CORNER_UL_LAT_PRODUCT"]).and_then(|t| t.parse::<f64>().ok()).is_some_and(|lat| lat < 0.0)
    }

    fn file_names(&self) -> Vec<(String, String)> {
        if let Some(bands) = self.root.group(espa::BANDS) {
            return bands
                .fields
                .iter()
                .map(|(name, file)| (name.to_ascii_lowercase(), file.clone()))
                .collect();
        }
        let fields = self.root.group("PRODUCT_CONTENTS").map_or(&[][..], |g| &g.fields);
        fields.iter().filter(|(key, _)| key.starts_with("FILE_NAME_")).cloned().collect()
    }

    fn metadata(&self, scene_id: Option<&str>) -> Value {
        let mut kept = Map::new();
        if let Some(id) = scene_id {
            kept.insert("landsat_scene_id".to_owned(), json!(id));
        }
        if let Some(origin) = self.text(&["ORIGIN"]) {
            kept.insert("origin".to_owned(), json!(origin));
        }
        let anywhere = |field| self.text(&[field]).or_else(|| self.find(&RECORDS, &[field]));
        for field in TEXTS {
            if let Some(text) = anywhere(field) {
                kept.insert(field.to_ascii_lowercase(), json!(text));
            }
        }
        for field in NUMBERS {
            if let Some(number) = anywhere(field).and_then(|t| t.parse::<f64>().ok()) {
                kept.insert(field.to_ascii_lowercase(), json!(number));
            }
        }
        if let Some(corners) = self.corners() {
            kept.insert("corners_lonlat".to_owned(), corners);
        }
        Value::Object(kept)
    }

    /// Corners of the raster in degrees: upper left, upper right, lower right, lower left.
    fn corners(&self) -> Option<Value> {
        let degrees = |field: String| self.text(&[&field])?.parse::<f64>().ok().filter(|d| d.is_finite());
        let mut corners = Vec::new();
        for corner in ["UL", "UR", "LR", "LL"] {
            let lon = degrees(format!("CORNER_{corner}_LON_PRODUCT"))?;
            let lat = degrees(format!("CORNER_{corner}_LAT_PRODUCT"))?;
            corners.push(json!([lon, lat]));
        }
        Some(Value::Array(corners))
    }
}
