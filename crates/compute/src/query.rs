//! The one question type: map tiles, map pictures and feature info all start here.

mod answer;
pub(crate) use answer::physical;
mod extent;
mod moment;

use tesela_grid::GeoBox;
use tesela_model::{Period, Resampling, TimeSelector};

/// Which values are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Selection {
    /// Bands by name, as physical values.
    Bands(Vec<String>),
    /// One expression over band names.
    Expression(String),
}

/// Pixels of one product at one time in one place.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelQuery {
    /// Product id.
    pub product: String,
    /// What.
    pub selection: Selection,
    /// When.
    pub time: TimeSelector,
    /// Where, in any CRS: the pixels of the answer.
    pub target: GeoBox,
    /// Named mask of a scenes product; `None` shows everything.
    pub mask: Option<String>,
    /// How pixels are resampled to the target.
    pub resampling: Resampling,
    /// At which snapshot; `None` is the latest.
    pub snapshot: Option<u64>,
}

/// What a query's time means in a product.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The period (derived) or the solar day's scenes (from the first scene's time, one second long).
    pub period: Period,
    /// `2024` for a year, `2024-03-05` for scenes.
    pub label: String,
    /// ISO time served in headers and answers: `2024-01-01T00:00:00Z`.
    pub datetime: String,
    /// Platforms that contribute; empty for derived products.
    pub platforms: Vec<String>,
    /// Names every generation or slot that can be read: what an ETag is made from.
    pub version: String,
}

/// The answer to a [`PixelQuery`].
#[derive(Debug, Clone)]
pub struct PixelAnswer {
    /// One layer per band, or one for an expression: `(y, x)` row-major physical values, NaN for nodata.
    pub layers: Vec<Vec<f32>>,
    /// Names of the layers.
    pub names: Vec<String>,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// When.
    pub moment: Moment,
    /// Snapshot read.
    pub snapshot: u64,
    /// Pyramid level read.
    pub level: u32,
}

impl PixelAnswer {
    /// Whether no layer has any value.
    pub fn is_empty(&self) -> bool {
        self.layers.iter().all(|l| l.iter().all(|v| v.is_nan()))
    }
}

/// What a time slider needs to know of one date.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct DateEntry {
    /// `2024-01-01` for a period's start, `2024-03-05` for a solar day; unique, ascending.
    pub datetime: String,
    /// `2024` or `2024-03-05`.
    pub label: String,
    /// Platform; null for derived products.
    pub platform: Option<String>,
    /// Share of pixels that pass the standard mask, 0 to 1, of the scenes meeting the box; null where unknown.
    pub clear_fraction: Option<f64>,
}

/// Where and when a product has data.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductExtent {
    /// Tight longitude and latitude bounds.
    pub lon_lat: tesela_grid::BoundingBox,
    /// First instant to end of the last period.
    pub time: Period,
}
