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
