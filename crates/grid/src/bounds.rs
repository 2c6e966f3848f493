use serde::{Deserialize, Serialize};

/// An axis-aligned box in some CRS, `(x, y)` order, in that CRS's units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoundingBox {
    /// Smallest easting or longitude.
    pub x_min: f64,
    /// Smallest northing or latitude.
    pub y_min: f64,
    /// Largest easting or longitude.
    pub x_max: f64,
    /// Largest northing or latitude.
    pub y_max: f64,
}

impl BoundingBox {
    /// A box from its corners; the caller keeps `min <= max`.
    pub const fn new(x_min: f64, y_min: f64, x_max: f64, y_max: f64) -> Self {
        Self { x_min, y_min, x_max, y_max }
    }

    /// The smallest box holding all points, or `None` when no point is finite.
    pub fn of_points(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let mut found: Option<Self> = None;
        for (x, y) in points {
            if !(x.is_finite() && y.is_finite()) {
                continue;
            }
            let b = found.get_or_insert(Self::new(x, y, x, y));
            b.x_min = b.x_min.min(x);
            b.y_min = b.y_min.min(y);
            b.x_max = b.x_max.max(x);
            b.y_max = b.y_max.max(y);
        }
        found
    }

    /// Width in CRS units.
    pub fn width(&self) -> f64 {
        self.x_max - self.x_min
    }

    /// Height in CRS units.
    pub fn height(&self) -> f64 {
        self.y_max - self.y_min
    }

    /// Whether the interiors or edges meet.
    pub fn intersects(&self, other: &Self) -> bool {
        self.x_min <= other.x_max
            && other.x_min <= self.x_max
            && self.y_min <= other.y_max
            && other.y_min <= self.y_max
    }

    /// Whether longitude and latitude bounds hold a place, edges included; `x_min` above `x_max` are bounds across the
    /// 180th meridian.
    pub fn holds_place(&self, lon: f64, lat: f64) -> bool {
        let (from_west, to_east) = (lon >= self.x_min, lon <= self.x_max);
        let between = if self.x_min > self.x_max { from_west || to_east } else { from_west && to_east };
        // 180° has two names.
        let other = lon.abs() == 180.0 && [self.x_min, self.x_max].contains(&-lon);
        (between || other) && self.y_min <= lat && lat <= self.y_max
    }

    /// Longitude and latitude bounds for documents whose boxes cannot cross the 180th meridian: all longitudes where these
    /// do, `x_min` above `x_max`.
    pub fn not_across_180(&self) -> Self {
        if self.x_min > self.x_max { Self { x_min: -180.0, x_max: 180.0, ..*self } } else { *self }
    }

    /// The middle of longitude and latitude bounds, which may cross the 180th meridian.
    pub fn middle_place(&self) -> (f64, f64) {
        let turn = if self.x_min > self.x_max { 360.0 } else { 0.0 };
        let lon = (self.x_min + self.x_max + turn) / 2.0;
        (if lon > 180.0 { lon - 360.0 } else { lon }, (self.y_min + self.y_max) / 2.0)
    }

    /// The smallest box holding both.
    pub fn union(&self, other: &Self) -> Self {
        Self::new(
            self.x_min.min(other.x_min),
            self.y_min.min(other.y_min),
            self.x_max.max(other.x_max),
            self.y_max.max(other.y_max),
        )
    }

    /// `n` points along each edge, corners included: enough to reproject a box safely.
    pub fn edge_points(&self, n: usize) -> Vec<(f64, f64)> {
        let n = n.max(2);
        let mut points = Vec::with_capacity(4 * n);
        for i in 0..n {
            let t = i as f64 / (n - 1) as f64;
            let x = self.x_min + t * self.width();
            let y = self.y_min + t * self.height();
            points.extend([(x, self.y_min), (x, self.y_max), (self.x_min, y), (self.x_max, y)]);
        }
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_bounds_across_180() {
        let fiji = BoundingBox::new(179.0, -18.0, -179.0, -16.0);
        for lon in [179.0, 179.5, 180.0, -180.0, -179.5, -179.0] {
            assert!(fiji.holds_place(lon, -17.0), "{lon}");
        }
        for (lon, lat) in [(178.9, -17.0), (-178.9, -17.0), (0.0, -17.0), (180.0, -19.0), (180.0, 0.0)] {
            assert!(!fiji.holds_place(lon, lat), "{lon} {lat}");
        }
        let west = BoundingBox::new(178.0, 0.0, 180.0, 1.0);
        assert!(west.holds_place(180.0, 0.5) && west.holds_place(-180.0, 0.5));
        assert!(!west.holds_place(-179.9, 0.5) && !west.holds_place(0.0, 0.5));
        assert!(BoundingBox::new(-180.0, -90.0, 180.0, -80.0).holds_place(13.0, -90.0));
    }

    #[test]
    fn bounds_across_180_have_their_middle_there() {
        let fiji = BoundingBox::new(176.0, -21.0, -178.0, -12.0);
        assert_eq!(fiji.middle_place(), (179.0, -16.5));
        assert_eq!(BoundingBox::new(178.0, -1.0, -174.0, 1.0).middle_place(), (-178.0, 0.0));
        assert_eq!(fiji.not_across_180(), BoundingBox::new(-180.0, -21.0, 180.0, -12.0));
        let mexico = BoundingBox::new(-118.0, 14.0, -86.0, 33.0);
        assert_eq!((mexico.middle_place(), mexico.not_across_180()), ((-102.0, 23.5), mexico));
    }
}
