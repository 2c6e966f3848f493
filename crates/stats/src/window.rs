//! Where the cells are.

use geo_types::Coord;
use serde::{Deserialize, Serialize};

use crate::StatsError;

/// A block of equal cells in the grid's own coordinates (metres or degrees), row 0 at the top.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CellWindow {
    /// Left edge of column 0.
    pub x_min: f64,
    /// Top edge of row 0.
    pub y_max: f64,
    /// Width of a cell, positive.
    pub cell_width: f64,
    /// Height of a cell, positive: rows grow downwards, against y.
    pub cell_height: f64,
    /// Number of columns.
    pub cols: u32,
    /// Number of rows.
    pub rows: u32,
}

impl CellWindow {
    /// Planar area of one cell, in squared grid units.
    pub fn cell_area(&self) -> f64 {
        self.cell_width * self.cell_height
    }

    /// Centre of a cell in grid coordinates: what a cell's true area is computed at.
    pub fn cell_centre(&self, row: u32, col: u32) -> Coord<f64> {
        Coord {
            x: self.x_min + (f64::from(col) + 0.5) * self.cell_width,
            y: self.y_max - (f64::from(row) + 0.5) * self.cell_height,
        }
    }

    /// Column and row of a point, as fractions: `(0, 0)` is the top left corner of the window.
    pub(crate) fn to_cells(self, point: Coord<f64>) -> Coord<f64> {
        Coord { x: (point.x - self.x_min) / self.cell_width, y: (self.y_max - point.y) / self.cell_height }
    }

    /// # Errors
    /// [`StatsError::InvalidWindow`] if there are no cells, or their size is not positive and finite.
    pub(crate) fn validated(self) -> Result<Self, StatsError> {
        let finite = self.x_min.is_finite() && self.y_max.is_finite();
        let sized = [self.cell_width, self.cell_height].iter().all(|size| size.is_finite() && *size > 0.0);
        if finite && sized && self.cols > 0 && self.rows > 0 {
            return Ok(self);
        }
        Err(StatsError::InvalidWindow {
            x_min: self.x_min,
            y_max: self.y_max,
            cell_width: self.cell_width,
            cell_height: self.cell_height,
            cols: self.cols,
            rows: self.rows,
        })
    }
}
