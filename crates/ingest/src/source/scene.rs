//! One scene as found: identity, time, sun, bands.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};
use tesela_model::landsat::Platform;

/// Level of surface reflectance made from a Level-1 product by ESPA (Collection 1 and before), and of stacks.
pub const LEVEL_SR: &str = "SR";

/// Collection of scenes from before collections.
pub const COLLECTION_PRE: &str = "pre";

/// A scene that can be ingested: nothing of it but names and metadata has been read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SceneSource {
    /// USGS product id, else the pre-collection scene id, else the stem of the stack.
    pub product_id: String,
    /// Unique by sensor, path, row and acquisition date; a newer processing keeps it.
    pub scene_key: String,
    /// Satellite.
    pub platform: Platform,
    /// Instruments as the metadata names them (`OLI_TIRS`), else the sensor's name.
    pub instrument: String,
    /// `01`, `02` or `pre`.
    pub collection: String,
    /// `L2SP`, `L2SR`, or [`LEVEL_SR`].
    pub level: String,
    /// `T1`, `T2` or `RT`; none before collections.
    pub tier: Option<String>,
    /// WRS path, 0 if unknown (stacks without a scene id).
    pub path: u16,
    /// WRS row, 0 if unknown.
    pub row: u16,
    /// Scene centre time.
    pub acquired: Timestamp,
    /// True when only the date is known and `acquired` is its noon, UTC.
    pub time_assumed: bool,
    /// Day of processing.
    pub processed: Option<Date>,
    /// Cloud cover of the whole scene, percent.
    pub cloud_cover_percent: Option<f64>,
    /// Sun azimuth at the scene centre.
    pub sun_azimuth_deg: Option<f64>,
    /// Sun elevation at the scene centre.
    pub sun_elevation_deg: Option<f64>,
    /// Files by file band name: `SR_B4`, `QA_PIXEL`, `sr_band4`, `pixel_qa`.
    pub bands: BTreeMap<String, BandFile>,
    /// Geometry as the metadata says; the raster decides.
    pub mtl: Option<MtlGeometry>,
    /// True for scenes of the generator (`ORIGIN` begins with `SYNTHETIC`).
    pub synthetic: bool,
    /// The metadata file or manifest this was read from: what to give `discover` again.
    pub source: PathBuf,
    /// A useful part of the metadata, to be kept with the scene.
    pub metadata: serde_json::Value,
    /// Things that look wrong but do not keep the scene out.
    pub warnings: Vec<String>,
}

/// Where a band lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandFile {
    /// The raster file.
    pub path: PathBuf,
    /// Band within it, from 1.
    pub band_index: usize,
}

/// Geometry of the reflective bands according to the metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MtlGeometry {
    /// UTM zone, 1 to 60.
    pub utm_zone: Option<u8>,
    /// The CRS this implies, such as `EPSG:32617`: Landsat uses north zones with negative northings.
    pub crs_hint: Option<String>,
    /// Centre of the upper left pixel.
    pub corner_ul_center_xy: (f64, f64),
    /// Rows of the full scene.
    pub lines: u32,
    /// Columns of the full scene.
    pub samples: u32,
    /// Pixel size in metres.
    pub cell_size: f64,
}

impl MtlGeometry {
    /// The outer corner of the upper left pixel: MTL corners are pixel centres.
    pub fn corner_ul_edge_xy(&self) -> (f64, f64) {
        let (x, y) = self.corner_ul_center_xy;
        (x - self.cell_size / 2.0, y + self.cell_size / 2.0)
    }
}

impl SceneSource {
    /// The acquisition date in UTC.
    pub fn acquired_date(&self) -> Date {
        Offset::UTC.to_datetime(self.acquired).date()
    }
}

/// The instant of a date and a time in UTC, or of noon when the time is unknown; the flag says so.
pub(crate) fn acquisition_instant(date: Date, time: Option<civil::Time>) -> Option<(Timestamp, bool)> {
    let at = date.to_datetime(time.unwrap_or(civil::Time::constant(12, 0, 0, 0)));
    Some((Offset::UTC.to_timestamp(at).ok()?, time.is_none()))
}
