//! What can be wrong with the questions asked of this crate.

/// A refused input; the arithmetic itself cannot fail.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StatsError {
    /// The window has no cells, or cells of no size, or is not finite.
    #[error(
        "not a cell window: left {x_min}, top {y_max}, cell {cell_width} x {cell_height}, \
         {cols} columns x {rows} rows"
    )]
    InvalidWindow {
        /// Left edge of column 0.
        x_min: f64,
        /// Top edge of row 0.
        y_max: f64,
        /// Width of a cell.
        cell_width: f64,
        /// Height of a cell.
        cell_height: f64,
        /// Number of columns.
        cols: u32,
        /// Number of rows.
        rows: u32,
    },
    /// A polygon vertex is NaN or infinite.
    #[error("vertex {index} of a polygon ring is not finite: ({x}, {y})")]
    VertexNotFinite {
        /// Position in its ring.
        index: usize,
        /// First coordinate.
        x: f64,
        /// Second coordinate.
        y: f64,
    },
    /// A quantile outside 0..=1.
    #[error("quantile {q} is outside 0..=1")]
    QuantileOutOfRange {
        /// What was asked for.
        q: f64,
    },
    /// A minimum coverage outside 0..=1.
    #[error("minimum coverage {min_fraction} is outside 0..=1")]
    MinFractionOutOfRange {
        /// What was asked for.
        min_fraction: f32,
    },
    /// Stored coverage that is out of order, overlapping or outside 0..=1.
    #[error(
        "coverage is not in row-major order, overlaps, or has a fraction outside 0..1, at row {row}, column {col}"
    )]
    MalformedCoverage {
        /// Row of the first faulty entry.
        row: u32,
        /// Column of the first faulty entry.
        col: u32,
    },
}
