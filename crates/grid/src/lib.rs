//! Where pixels are: boxes, windows, tiled grids, tile matrix sets and true cell areas.
//!
//! Pure arithmetic: no I/O, no clock, no coordinate library. Coordinate *transforms* live in
//! `tesela-crs`; this crate only knows CRS *names*.
//!
//! Conventions, everywhere in Tesela:
//! - coordinates are `(x, y)`: easting or longitude first, whatever the CRS registry says;
//! - pixel rows grow south, tile rows (`iy`) grow north;
//! - windows are half-open: `[px, px + width) × [py, py + height)`.

pub mod area;
mod bounds;
mod crs_name;
mod geobox;
mod grid_def;
mod tms;
mod window;

pub use bounds::BoundingBox;
pub use crs_name::CrsName;
pub use geobox::GeoBox;
pub use grid_def::{GridDef, GridError, GridExtent, TileId, Titles, builtin_grid, builtin_grid_ids};
pub use tms::{TILE_PX, TileCoord, TileMatrix, TileMatrixSet, TmsError};
pub use window::PixelWindow;
