use crate::{BoundingBox, CrsName, GeoBox, GridDef};

/// One zoom level of a [`TileMatrixSet`]; identifiers are plain integers.
#[derive(Debug, Clone, PartialEq)]
pub struct TileMatrix {
    /// Zoom level, also the identifier.
    pub zoom: u32,
    /// Pixel size, CRS units.
    pub cell_size: f64,
    /// OGC scale denominator at 0.28 mm per pixel.
    pub scale_denominator: f64,
    /// Top-left corner of tile (0, 0), `(x, y)` order.
    pub top_left: (f64, f64),
    /// Tiles per row.
    pub matrix_width: u64,
    /// Tiles per column.
    pub matrix_height: u64,
}

/// A pyramid of map tiles of 256 × 256 px (OGC 17-083r4).
#[derive(Debug, Clone, PartialEq)]
pub struct TileMatrixSet {
    /// Identifier: `WebMercatorQuad`, `WorldCRS84Quad`, or a grid's id.
    pub id: String,
    /// CRS of the tiles.
    pub crs: CrsName,
    /// URN of the well-known scale set, if it is one.
    pub well_known_scale_set: Option<&'static str>,
    /// Levels, coarsest first.
    pub matrices: Vec<TileMatrix>,
}

/// A map tile's address, checked against its set when built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TileCoord {
    /// Zoom level.
    pub z: u32,
    /// Column, growing east.
    pub x: u64,
    /// Row, growing south.
    pub y: u64,
}

/// Why a map tile's address is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TmsError {
    /// The zoom level does not exist.
    #[error("tile matrix {zoom} does not exist in {set}; levels are 0 to {max}")]
    Zoom {
        /// Tile matrix set id.
        set: String,
        /// Level asked for.
        zoom: u32,
        /// Deepest level.
        max: u32,
    },
    /// The column lies outside the matrix.
    #[error("tile column {col} is outside 0 to {max} at level {zoom} of {set}")]
    Col {
        /// Tile matrix set id.
        set: String,
        /// Level.
        zoom: u32,
        /// Column asked for.
        col: u64,
        /// Last column.
        max: u64,
    },
    /// The row lies outside the matrix.
    #[error("tile row {row} is outside 0 to {max} at level {zoom} of {set}")]
    Row {
        /// Tile matrix set id.
        set: String,
        /// Level.
        zoom: u32,
        /// Row asked for.
        row: u64,
        /// Last row.
        max: u64,
    },
}

/// Side of a map tile, pixels.
pub const TILE_PX: usize = 256;

const METRES_PER_PIXEL: f64 = 0.28e-3;
/// Metres per degree on the sphere of radius 6378137 m, as OGC 17-083r4 converts.
const METRES_PER_DEGREE: f64 = 6378137.0 * std::f64::consts::PI / 180.0;

impl TileMatrixSet {
    /// `WebMercatorQuad` (OGC 17-083r4, annex D.1), levels 0 to 24.
    pub fn web_mercator_quad() -> Self {
        let half = std::f64::consts::PI * 6378137.0;
        let matrices = (0..=24)
            .map(|zoom| {
                let n = 1u64 << zoom;
                let cell_size = 2.0 * half / (n as f64 * TILE_PX as f64);
                TileMatrix {
                    zoom,
                    cell_size,
                    scale_denominator: cell_size / METRES_PER_PIXEL,
                    top_left: (-half, half),
                    matrix_width: n,
                    matrix_height: n,
                }
            })
            .collect();
        Self {
            id: "WebMercatorQuad".into(),
            crs: CrsName::epsg(3857),
            well_known_scale_set: Some("urn:ogc:def:wkss:OGC:1.0:GoogleMapsCompatible"),
            matrices,
        }
    }

    /// `WorldCRS84Quad` (OGC 17-083r4, annex D.2), levels 0 to 23; coordinates are lon, lat.
    pub fn world_crs84_quad() -> Self {
        let matrices = (0..=23)
            .map(|zoom| {
                let n = 1u64 << zoom;
                let cell_size = 180.0 / (n as f64 * TILE_PX as f64);
                TileMatrix {
                    zoom,
                    cell_size,
                    scale_denominator: cell_size * METRES_PER_DEGREE / METRES_PER_PIXEL,
                    top_left: (-180.0, 90.0),
                    matrix_width: 2 * n,
                    matrix_height: n,
                }
            })
            .collect();
        Self {
            id: "WorldCRS84Quad".into(),
            crs: CrsName::lon_lat(),
            well_known_scale_set: Some("urn:ogc:def:wkss:OGC:1.0:GoogleCRS84Quad"),
            matrices,
        }
    }

    /// The set of a cube grid: the deepest level is the grid's own pixels, each one above doubles
    /// them, and level 0 fits the grid's extent into one tile or a few.
    pub fn of_grid(grid: &GridDef) -> Self {
        let bounds = grid.extent_bounds();
        let side = bounds.width().max(bounds.height());
        let mut levels = 0;
        while grid.level_resolution(levels) * (TILE_PX as f64) < side {
            levels += 1;
        }
        let matrices = (0..=levels)
            .map(|zoom| {
                let cell_size = grid.level_resolution(levels - zoom);
                let span = cell_size * TILE_PX as f64;
                TileMatrix {
                    zoom,
                    cell_size,
                    scale_denominator: cell_size / METRES_PER_PIXEL,
                    top_left: (bounds.x_min, bounds.y_max),
                    matrix_width: (bounds.width() / span - 1e-9).ceil().max(1.0) as u64,
                    matrix_height: (bounds.height() / span - 1e-9).ceil().max(1.0) as u64,
                }
            })
            .collect();
        Self { id: grid.id.clone(), crs: grid.crs.clone(), well_known_scale_set: None, matrices }
    }

    /// The footprint of one map tile.
    ///
    /// # Errors
    /// [`TmsError`] says which of level, column and row does not exist, and the range that does.
    pub fn tile_geobox(&self, tile: TileCoord) -> Result<GeoBox, TmsError> {
        let max = self.matrices.len() as u32 - 1;
        let matrix = self.matrices.get(tile.z as usize).ok_or_else(|| TmsError::Zoom {
            set: self.id.clone(),
            zoom: tile.z,
            max,
        })?;
        if tile.x >= matrix.matrix_width {
            let (set, zoom, col) = (self.id.clone(), tile.z, tile.x);
            return Err(TmsError::Col { set, zoom, col, max: matrix.matrix_width - 1 });
        }
        if tile.y >= matrix.matrix_height {
            let (set, zoom, row) = (self.id.clone(), tile.z, tile.y);
            return Err(TmsError::Row { set, zoom, row, max: matrix.matrix_height - 1 });
        }
        let span = matrix.cell_size * TILE_PX as f64;
        let x_min = matrix.top_left.0 + tile.x as f64 * span;
        let y_max = matrix.top_left.1 - tile.y as f64 * span;
        Ok(GeoBox {
            crs: self.crs.clone(),
            x_min,
            y_max,
            dx: matrix.cell_size,
            dy: matrix.cell_size,
            width: TILE_PX,
            height: TILE_PX,
        })
    }

    /// Bounds of level 0.
    pub fn bounds(&self) -> BoundingBox {
        let m = &self.matrices[0];
        let span = m.cell_size * TILE_PX as f64;
        let (x, y) = m.top_left;
        BoundingBox::new(x, y - span * m.matrix_height as f64, x + span * m.matrix_width as f64, y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin_grid;

    #[test]
    fn web_mercator_matches_the_standard() {
        let set = TileMatrixSet::web_mercator_quad();
        assert!((set.matrices[0].scale_denominator - 559082264.0287178).abs() < 1e-3);
        assert!((set.matrices[18].scale_denominator - 2132.72958384978).abs() < 1e-8);
        let g = set.tile_geobox(TileCoord { z: 1, x: 1, y: 0 }).unwrap();
        assert!((g.x_min).abs() < 1e-6 && (g.y_max - 20037508.342789244).abs() < 1e-6);
    }

    #[test]
    fn crs84_matches_the_standard() {
        let set = TileMatrixSet::world_crs84_quad();
        assert!((set.matrices[0].scale_denominator - 279541132.0143589).abs() < 1e-3);
        assert_eq!((set.matrices[1].matrix_width, set.matrices[1].matrix_height), (4, 2));
    }

    #[test]
    fn grid_sets_end_at_native_pixels() {
        let grid = builtin_grid("mx6372_30").unwrap();
        let set = TileMatrixSet::of_grid(&grid);
        let last = set.matrices.last().unwrap();
        assert_eq!(last.cell_size, 30.0);
        assert_eq!((set.matrices[0].matrix_width, set.matrices[0].matrix_height), (1, 1));
        let bounds = grid.extent_bounds();
        assert_eq!(last.matrix_width as f64 * 256.0 * 30.0, bounds.width());
    }

    #[test]
    fn tiles_outside_are_named() {
        let set = TileMatrixSet::web_mercator_quad();
        let e = set.tile_geobox(TileCoord { z: 2, x: 4, y: 0 }).unwrap_err();
        assert!(matches!(e, TmsError::Col { col: 4, max: 3, .. }));
        assert!(matches!(
            set.tile_geobox(TileCoord { z: 99, x: 0, y: 0 }),
            Err(TmsError::Zoom { max: 24, .. })
        ));
    }
}
