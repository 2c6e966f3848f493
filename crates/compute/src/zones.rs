//! Statistics by zone: exact coverage, true areas, all zones of a tile in one pass.

use serde::Serialize;
use tesela_model::TimeSelector;

/// Share of valid area below which values are null, unless whoever asks says otherwise: the same over HTTP and on the
/// command line.
pub const DEFAULT_MIN_COVERAGE: f64 = 0.5;

/// A question about zones.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneQuery {
    /// Zone set id.
    pub set: String,
    /// Derived product id.
    pub product: String,
    /// Band name, or an expression over band names.
    pub band: String,
    /// Which periods: [`TimeSelector::Latest`] is the latest one, an interval every period that starts in it.
    pub time: TimeSelector,
    /// Every period, whatever `time` says.
    pub all_periods: bool,
    /// Only this zone.
    pub key: Option<String>,
    /// Below this share of valid area values are null with a reason.
    pub min_coverage: f64,
    /// At which snapshot.
    pub snapshot: Option<u64>,
}

/// One zone at one time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ZoneStatRow {
    /// Zone key.
    pub key: String,
    /// Start of the period, `2024-01-01`.
    pub datetime: String,
    /// Band.
    pub band: String,
    /// Sum of coverage fractions of valid cells.
    pub count: f64,
    /// Coverage-weighted mean.
    pub mean: Option<f64>,
    /// Population standard deviation.
    pub sd: Option<f64>,
    /// Smallest value of any cell touched.
    pub min: Option<f64>,
    /// Largest value of any cell touched.
    pub max: Option<f64>,
    /// Coverage-weighted median.
    pub median: Option<f64>,
    /// Valid share of the zone's cells, 0 to 1.
    pub coverage: f64,
    /// True area of the zone's valid cells, m².
    pub valid_area_m2: f64,
    /// True area of all the zone's cells, m².
    pub area_m2: f64,
    /// Mean number of observations behind the values, where the product or its input has a count.
    pub clear_obs_mean: Option<f64>,
    /// Mean EMAD, where the product or its input has one.
    pub emad_mean: Option<f64>,
    /// `exact_coverage`.
    pub method: &'static str,
    /// Product status.
    pub status: &'static str,
    /// Snapshot read.
    pub snapshot: u64,
    /// Why values are null: `below_min_coverage`, `no_valid_cells`.
    pub reason: Option<&'static str>,
}

/// Statistics of a zone set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ZoneTable {
    /// Zone set id.
    pub zone_set: String,
    /// Product id.
    pub product: String,
    /// Band or expression.
    pub band: String,
    /// Snapshot read.
    pub snapshot: u64,
    /// Rows by time, then key.
    pub rows: Vec<ZoneStatRow>,
}

mod coverage;
mod register;
mod stats;

pub use register::{ZoneInput, ZoneRegistration};
