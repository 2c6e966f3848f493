use crate::{BoundingBox, CrsName};

/// A north-up raster footprint: CRS, upper-left corner, pixel size and shape.
///
/// Named after the same idea in odc-geo. Rotated rasters are not represented: Landsat Level-2 and
/// every grid here is north-up, and ingest refuses the rest by name.
#[derive(Debug, Clone, PartialEq)]
pub struct GeoBox {
    /// The CRS of the corner.
    pub crs: CrsName,
    /// Left edge of column 0, CRS units.
    pub x_min: f64,
    /// Top edge of row 0, CRS units.
    pub y_max: f64,
    /// Column spacing, CRS units, positive.
    pub dx: f64,
    /// Row spacing, CRS units, positive (rows go south).
    pub dy: f64,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl GeoBox {
    /// The box that fills `bounds` with `width × height` pixels.
    pub fn from_bounds(crs: CrsName, bounds: BoundingBox, width: usize, height: usize) -> Self {
        Self {
            crs,
            x_min: bounds.x_min,
            y_max: bounds.y_max,
            dx: bounds.width() / width as f64,
            dy: bounds.height() / height as f64,
            width,
            height,
        }
    }

    /// Outer edges.
    pub fn bounds(&self) -> BoundingBox {
        BoundingBox::new(
            self.x_min,
            self.y_max - self.dy * self.height as f64,
            self.x_min + self.dx * self.width as f64,
            self.y_max,
        )
    }

    /// CRS coordinates of a pixel position; `(0.5, 0.5)` is the centre of the first pixel.
    pub fn xy(&self, col: f64, row: f64) -> (f64, f64) {
        (self.x_min + col * self.dx, self.y_max - row * self.dy)
    }

    /// Pixel position of CRS coordinates; the inverse of [`GeoBox::xy`].
    pub fn col_row(&self, x: f64, y: f64) -> (f64, f64) {
        ((x - self.x_min) / self.dx, (self.y_max - y) / self.dy)
    }
}
