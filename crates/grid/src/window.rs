/// A rectangle of pixels on a grid at one pyramid level, in *global* pixel indices.
///
/// `px` grows east from the grid's origin, `py` grows **south** from it (so both may be negative).
/// Half-open: columns `px..px + width`, rows `py..py + height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PixelWindow {
    /// First column.
    pub px: i64,
    /// First (northernmost) row.
    pub py: i64,
    /// Number of columns.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
}

impl PixelWindow {
    /// A window from its first pixel and size.
    pub const fn new(px: i64, py: i64, width: usize, height: usize) -> Self {
        Self { px, py, width, height }
    }

    /// Number of pixels.
    pub const fn len(&self) -> usize {
        self.width * self.height
    }

    /// Whether the window holds no pixel.
    pub const fn is_empty(&self) -> bool {
        self.width == 0 || self.height == 0
    }

    /// One past the last column.
    pub const fn px_end(&self) -> i64 {
        self.px + self.width as i64
    }

    /// One past the last row.
    pub const fn py_end(&self) -> i64 {
        self.py + self.height as i64
    }

    /// The pixels in both windows, or `None` when there are none.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let px = self.px.max(other.px);
        let py = self.py.max(other.py);
        let px_end = self.px_end().min(other.px_end());
        let py_end = self.py_end().min(other.py_end());
        (px < px_end && py < py_end)
            .then(|| Self::new(px, py, (px_end - px) as usize, (py_end - py) as usize))
    }

    /// The smallest window holding both.
    pub fn union(&self, other: &Self) -> Self {
        let px = self.px.min(other.px);
        let py = self.py.min(other.py);
        Self::new(
            px,
            py,
            (self.px_end().max(other.px_end()) - px) as usize,
            (self.py_end().max(other.py_end()) - py) as usize,
        )
    }

    /// The window grown by `halo` pixels on every side.
    pub fn grown(&self, halo: usize) -> Self {
        let h = halo as i64;
        Self::new(self.px - h, self.py - h, self.width + 2 * halo, self.height + 2 * halo)
    }
}
