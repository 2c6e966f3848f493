//! Polygons to coverage.

use geo_types::{LineString, MultiPolygon, Polygon};

use crate::polygon_area::ring_area;
use crate::sweep::sweep;
use crate::trace::{Tracer, snap};
use crate::{CellWindow, Coverage, StatsError};

/// Computes exact coverages on one window, one zone after the other, reusing its memory.
///
/// Coordinates are in the grid's CRS; edges are straight there. The parts of a zone outside the window are
/// ignored, so a zone over several tiles is built once per tile. Orientation of rings does not matter: outer
/// rings add, inner rings take away. Rings should be valid (OGC simple features); where they are not, parts that
/// overlap count once where they cover a cell wholly, and both lobes of a figure eight count as inside, but a
/// cell in which they meet can be off. Zones are repaired when they are registered, not here.
///
/// ```
/// use geo_types::{Polygon, polygon};
/// use tesela_stats::{CellWindow, CoverageBuilder};
///
/// let window = CellWindow { x_min: 0.0, y_max: 3.0, cell_width: 1.0, cell_height: 1.0, cols: 3, rows: 3 };
/// let zone: Polygon = polygon![(x: 0.5, y: 0.5), (x: 2.5, y: 0.5), (x: 2.5, y: 2.5), (x: 0.5, y: 2.5)];
/// let mut builder = CoverageBuilder::new(window)?;
/// builder.add_polygon(&zone)?;
/// let fractions: Vec<f32> = builder.finish().cells().map(|cell| cell.fraction).collect();
/// assert_eq!(fractions, [0.25, 0.5, 0.25, 0.5, 1.0, 0.5, 0.25, 0.5, 0.25]);
/// # Ok::<(), tesela_stats::StatsError>(())
/// ```
#[derive(Debug)]
pub struct CoverageBuilder {
    window: CellWindow,
    tracer: Tracer,
}

impl CoverageBuilder {
    /// # Errors
    /// [`StatsError::InvalidWindow`] if the window has no cells or cells of no size.
    pub fn new(window: CellWindow) -> Result<Self, StatsError> {
        let window = window.validated()?;
        Ok(Self { window, tracer: Tracer::new(window.cols, window.rows) })
    }

    /// The window coverages are computed on.
    pub fn window(&self) -> &CellWindow {
        &self.window
    }

    /// Adds a polygon to the zone at hand; polygons of one zone must not overlap.
    ///
    /// # Errors
    /// [`StatsError::VertexNotFinite`]; the zone at hand is then dropped.
    pub fn add_polygon(&mut self, polygon: &Polygon<f64>) -> Result<(), StatsError> {
        self.add_ring(polygon.exterior(), 1.0)?;
        polygon.interiors().iter().try_for_each(|hole| self.add_ring(hole, -1.0))
    }

    /// Adds all polygons of a multipolygon to the zone at hand.
    ///
    /// # Errors
    /// [`StatsError::VertexNotFinite`]; the zone at hand is then dropped.
    pub fn add_multi_polygon(&mut self, zone: &MultiPolygon<f64>) -> Result<(), StatsError> {
        zone.iter().try_for_each(|polygon| self.add_polygon(polygon))
    }

    /// The coverage of everything added since the last call; the builder is then empty again.
    pub fn finish(&mut self) -> Coverage {
        let coverage = sweep(&mut self.tracer.records, self.window.cols);
        self.tracer.records.clear();
        coverage
    }

    fn add_ring(&mut self, ring: &LineString<f64>, role: f64) -> Result<(), StatsError> {
        let bad = ring.coords().position(|vertex| !(vertex.x.is_finite() && vertex.y.is_finite()));
        if let Some(index) = bad {
            self.tracer.records.clear();
            let vertex = ring.0[index];
            return Err(StatsError::VertexNotFinite { index, x: vertex.x, y: vertex.y });
        }
        let area = ring_area(ring);
        if area == 0.0 {
            return Ok(());
        }
        let sign = role * area.signum();
        let mut cells = ring.coords().map(|&vertex| {
            let cell = self.window.to_cells(vertex);
            geo_types::Coord { x: snap(cell.x), y: snap(cell.y) }
        });
        let Some(mut from) = cells.next() else { return Ok(()) };
        for to in cells {
            self.tracer.edge(from, to, sign);
            from = to;
        }
        Ok(())
    }
}

/// Exact coverage of a window by one polygon; for many zones reuse a [`CoverageBuilder`].
///
/// # Errors
/// [`StatsError::InvalidWindow`], [`StatsError::VertexNotFinite`].
pub fn cover_polygon(polygon: &Polygon<f64>, window: CellWindow) -> Result<Coverage, StatsError> {
    let mut builder = CoverageBuilder::new(window)?;
    builder.add_polygon(polygon)?;
    Ok(builder.finish())
}

/// Exact coverage of a window by one multipolygon; for many zones reuse a [`CoverageBuilder`].
///
/// # Errors
/// [`StatsError::InvalidWindow`], [`StatsError::VertexNotFinite`].
pub fn cover_multi_polygon(zone: &MultiPolygon<f64>, window: CellWindow) -> Result<Coverage, StatsError> {
    let mut builder = CoverageBuilder::new(window)?;
    builder.add_multi_polygon(zone)?;
    Ok(builder.finish())
}
