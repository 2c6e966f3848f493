//! Every observation of one pixel.

use serde::Serialize;
use tesela_grid::TileId;
use tesela_model::TimeSelector;

use crate::query::Selection;

/// A question about one pixel through time.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesQuery {
    /// Product id.
    pub product: String,
    /// Longitude, degrees.
    pub lon: f64,
    /// Latitude, degrees.
    pub lat: f64,
    /// What; empty bands mean all.
    pub selection: Selection,
    /// When; [`TimeSelector::Latest`] means always.
    pub time: TimeSelector,
    /// Named mask; `None` is the product's `standard` mask where it has one.
    pub mask: Option<String>,
    /// Whether masked observations are returned too, with `used: false` and a reason.
    pub keep_masked: bool,
    /// At which snapshot.
    pub snapshot: Option<u64>,
}

/// Where a series was read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Location {
    /// Longitude asked for.
    pub lon: f64,
    /// Latitude asked for.
    pub lat: f64,
    /// CRS of the grid.
    pub crs: String,
    /// Easting of the pixel's centre, CRS units.
    pub x: f64,
    /// Northing of the pixel's centre, CRS units.
    pub y: f64,
    /// Tile, `[ix, iy]`.
    pub tile: [i32; 2],
    /// Column in the tile.
    pub col: u32,
    /// Row in the tile.
    pub row: u32,
}

impl Location {
    /// The tile.
    pub fn tile_id(&self) -> TileId {
        TileId { ix: self.tile[0], iy: self.tile[1] }
    }
}

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// `2024-01-01` for a period's start, a full instant for a scene.
    pub datetime: String,
    /// Platform; `None` for derived products.
    pub platform: Option<String>,
    /// Physical values in the order of [`Series::bands`]; `None` for nodata.
    pub values: Vec<Option<f64>>,
    /// Whether the mask and valid ranges let it pass.
    pub used: bool,
    /// Why not: flag names joined by `+`, `nodata`, `saturated`, `out_of_range`.
    pub reason: Option<String>,
}

/// A pixel's observations in time order.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Product id.
    pub product: String,
    /// Snapshot read.
    pub snapshot: u64,
    /// Where.
    pub location: Location,
    /// Names and units of the values.
    pub bands: Vec<(String, String)>,
    /// Observations, oldest first; none outside the data.
    pub observations: Vec<Observation>,
}

mod read;
