//! The structuring element.

use super::MorphologyError;

/// Largest radius, in pixels: row distances are kept in a byte, 255 meaning farther.
pub const MAX_RADIUS: f64 = 254.0;

/// A Euclidean disk: the offsets with `x² + y² ≤ r²`, in pixels. Radii need not be whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// Per vertical offset `0..=reach`, the largest horizontal offset.
    half_widths: Vec<u8>,
}

impl Disk {
    /// The disk of `radius` pixels; 0 is the single pixel.
    /// # Errors
    /// [`MorphologyError::Radius`] unless `0 ≤ radius ≤` [`MAX_RADIUS`].
    pub fn new(radius: f64) -> Result<Self, MorphologyError> {
        if !(0.0..=MAX_RADIUS).contains(&radius) {
            return Err(MorphologyError::Radius { radius });
        }
        let reach = radius as u8; // whole part
        let fits = |x: u8, y: u8| f64::from(x).powi(2) + f64::from(y).powi(2) <= radius * radius;
        let half_width = |y: u8| (0..=reach).rev().find(|&x| fits(x, y)).unwrap_or(0);
        Ok(Self { half_widths: (0..=reach).map(half_width).collect() })
    }

    /// Largest horizontal or vertical offset, the whole part of the radius.
    pub fn reach(&self) -> usize {
        self.half_widths.len() - 1
    }

    /// Number of pixels in the disk.
    pub fn size(&self) -> usize {
        let row = |half: &u8| 2 * usize::from(*half) + 1;
        let rows: usize = self.half_widths.iter().map(row).sum();
        2 * rows - row(&self.half_widths[0])
    }

    /// Largest horizontal offset at vertical offset `dy ≤ reach`.
    pub(super) fn half_width(&self, dy: usize) -> u8 {
        self.half_widths[dy]
    }
}
