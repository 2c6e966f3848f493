//! Small windows and dense pictures of coverage.

use geo_types::{MultiPolygon, Polygon};
use tesela_stats::{CellWindow, Coverage, cover_multi_polygon};

/// Cells of 1 × 1 with the lower left corner at (0, 0).
pub(crate) fn unit_cells(cols: u32, rows: u32) -> CellWindow {
    CellWindow { x_min: 0.0, y_max: f64::from(rows), cell_width: 1.0, cell_height: 1.0, cols, rows }
}

/// The coverage as rows from the top, 0 where absent.
pub(crate) fn dense(coverage: &Coverage, window: CellWindow) -> Vec<Vec<f32>> {
    let mut rows = vec![vec![0.0; window.cols as usize]; window.rows as usize];
    for cell in coverage.cells() {
        rows[cell.row as usize][cell.col as usize] = cell.fraction;
    }
    rows
}

/// Coverage of a valid zone on a valid window.
pub(crate) fn cover(zone: &MultiPolygon<f64>, window: CellWindow) -> Coverage {
    cover_multi_polygon(zone, window).unwrap_or_else(|error| unreachable!("{error}"))
}

/// A polygon without holes.
pub(crate) fn ring(vertices: &[(f64, f64)]) -> Polygon<f64> {
    Polygon::new(vertices.to_vec().into(), vec![])
}
