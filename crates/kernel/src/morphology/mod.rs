//! Cleaning of boolean masks with Euclidean disks: dilation, erosion, opening, closing.
//!
//! A [`Disk`] of radius `r` holds every offset with `x² + y² ≤ r²`, in pixels, so dilation sets the pixels
//! within `r` of a set pixel and erosion keeps those farther than `r` from every clear one. Exact, not an
//! approximation by repeated squares. Cost is `O(pixels · (2r + 1))` in byte operations.
//!
//! # Border
//! The mask is clear outside its frame. Erosion alone needs a choice, [`Outside`]: pass [`Outside::Set`]
//! when the frame carries a halo of real pixels ([`halo`]) that is cut off afterwards, or to keep regions
//! that touch the border; [`Outside::Clear`] is the literal reading (and odc-algo's padding with False).
//! There is no undefined case: an all-set mask erodes to itself or shrinks from the border.
//!
//! # Source
//! The operations of odc-algo's `mask_cleanup`; distance by rows and columns after Meijster et al. (2000).

mod disk;
#[cfg(test)]
mod tests;

pub use disk::{Disk, MAX_RADIUS};
use serde::{Deserialize, Serialize};

/// A morphological operation, by the names odc-algo and our product files use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Set every pixel within the radius of a set one.
    Dilation,
    /// Keep only set pixels farther than the radius from every clear one.
    Erosion,
    /// Erosion, then dilation: removes what a disk does not fit into.
    Opening,
    /// Dilation, then erosion: fills what a disk does not fit into.
    Closing,
}

impl Operation {
    /// How far away a pixel can change the result, in pixels: the reach once or, for opening and closing,
    /// twice.
    pub fn halo(self, disk: &Disk) -> usize {
        match self {
            Self::Dilation | Self::Erosion => disk.reach(),
            Self::Opening | Self::Closing => 2 * disk.reach(),
        }
    }
}

/// What [`Operation::Erosion`] assumes beyond the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outside {
    /// Clear pixels: erosion also eats from the border.
    #[default]
    Clear,
    /// Set pixels: erosion leaves the border alone.
    Set,
}

/// Why an operation was refused.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MorphologyError {
    /// The radius is negative, not a number or above [`MAX_RADIUS`].
    #[error("a disk radius must be between 0 and {MAX_RADIUS} pixels, not {radius}")]
    Radius {
        /// The radius given.
        radius: f64,
    },
    /// The mask is not `width × height` long.
    #[error("a mask of {width}×{height} pixels cannot hold {len} values")]
    MaskLength {
        /// Length of the mask.
        len: usize,
        /// Pixels per row.
        width: usize,
        /// Rows.
        height: usize,
    },
}

/// Pixels needed around a window so that `steps` are exact inside it.
pub fn halo(steps: &[(Operation, Disk)]) -> usize {
    steps.iter().map(|(operation, disk)| operation.halo(disk)).sum()
}

/// Morphology on masks of one shape, row-major `width × height`, changed in place; reuses its buffers.
#[derive(Debug, Clone)]
pub struct Morphology {
    width: usize,
    height: usize,
    /// Per pixel: horizontal distance to the nearest set pixel of its row, 255 for farther.
    distance: Vec<u8>,
    /// Per row: whether any pixel is set.
    occupied: Vec<bool>,
}

impl Morphology {
    /// Buffers for masks of `width × height` pixels.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, distance: vec![0; width * height], occupied: vec![false; height] }
    }

    /// Applies `steps` one after the other, for instance opening by 2 and then dilation by 5.
    /// # Errors
    /// [`MorphologyError::MaskLength`] if `mask` is not `width × height` long.
    pub fn apply(
        &mut self,
        mask: &mut [bool],
        steps: &[(Operation, Disk)],
        outside: Outside,
    ) -> Result<(), MorphologyError> {
        for (operation, disk) in steps {
            match operation {
                Operation::Dilation => self.dilate(mask, disk)?,
                Operation::Erosion => self.erode(mask, disk, outside)?,
                Operation::Opening => self.open(mask, disk, outside)?,
                Operation::Closing => self.close(mask, disk)?,
            }
        }
        Ok(())
    }

    /// Sets every pixel within the disk of a set one; nothing enters from outside.
    /// # Errors
    /// [`MorphologyError::MaskLength`] if `mask` is not `width × height` long.
    pub fn dilate(&mut self, mask: &mut [bool], disk: &Disk) -> Result<(), MorphologyError> {
        self.check(mask)?;
        self.spread(mask, disk, true);
        Ok(())
    }

    /// Clears every pixel within the disk of a clear one.
    /// # Errors
    /// [`MorphologyError::MaskLength`] if `mask` is not `width × height` long.
    pub fn erode(&mut self, mask: &mut [bool], disk: &Disk, outside: Outside) -> Result<(), MorphologyError> {
        self.check(mask)?;
        self.spread(mask, disk, false);
        if outside == Outside::Clear {
            self.clear_border(mask, disk.reach());
        }
        Ok(())
    }

    /// Erosion, then dilation; never sets a pixel.
    /// # Errors
    /// [`MorphologyError::MaskLength`] if `mask` is not `width × height` long.
    pub fn open(&mut self, mask: &mut [bool], disk: &Disk, outside: Outside) -> Result<(), MorphologyError> {
        self.erode(mask, disk, outside)?;
        self.dilate(mask, disk)
    }

    /// Dilation, then erosion; never clears a pixel. The dilation is followed beyond the frame, so regions
    /// at the border are closed as if the clear surroundings were part of the mask.
    /// # Errors
    /// [`MorphologyError::MaskLength`] if `mask` is not `width × height` long.
    pub fn close(&mut self, mask: &mut [bool], disk: &Disk) -> Result<(), MorphologyError> {
        self.check(mask)?;
        let margin = disk.reach();
        if mask.is_empty() || margin == 0 {
            return Ok(());
        }
        let mut wide = Self::new(self.width + 2 * margin, self.height + 2 * margin);
        let mut padded = vec![false; wide.width * wide.height];
        let (width, stride) = (self.width, wide.width);
        let inside = |y: usize| {
            let start = (y + margin) * stride + margin;
            start..start + width
        };
        for (y, row) in mask.chunks_exact(self.width).enumerate() {
            padded[inside(y)].copy_from_slice(row);
        }
        wide.spread(&mut padded, disk, true);
        wide.spread(&mut padded, disk, false);
        for (y, row) in mask.chunks_exact_mut(self.width).enumerate() {
            row.copy_from_slice(&padded[inside(y)]);
        }
        Ok(())
    }

    fn check(&self, mask: &[bool]) -> Result<(), MorphologyError> {
        let (width, height) = (self.width, self.height);
        if mask.len() == width * height {
            Ok(())
        } else {
            Err(MorphologyError::MaskLength { len: mask.len(), width, height })
        }
    }

    /// Spreads the pixels equal to `value` over the disk: dilation of the set ones, erosion by the clear.
    fn spread(&mut self, mask: &mut [bool], disk: &Disk, value: bool) {
        if mask.is_empty() {
            return;
        }
        let rows = mask.chunks_exact(self.width).zip(self.distance.chunks_exact_mut(self.width));
        for ((row, distance), occupied) in rows.zip(&mut self.occupied) {
            *occupied = row.contains(&value);
            if *occupied {
                row_distance(row, value, distance);
            }
        }
        let distance: Vec<&[u8]> = self.distance.chunks_exact(self.width).collect();
        for (y, row) in mask.chunks_exact_mut(self.width).enumerate() {
            let first = y.saturating_sub(disk.reach());
            let last = (y + disk.reach()).min(self.height - 1);
            for source in (first..=last).filter(|&source| self.occupied[source]) {
                let half_width = disk.half_width(source.abs_diff(y));
                for (pixel, &d) in row.iter_mut().zip(distance[source]) {
                    *pixel = if value { *pixel | (d <= half_width) } else { *pixel & (d > half_width) };
                }
            }
        }
    }

    /// Clears the pixels within `reach` of the outside.
    fn clear_border(&self, mask: &mut [bool], reach: usize) {
        if mask.is_empty() {
            return;
        }
        for (y, row) in mask.chunks_exact_mut(self.width).enumerate() {
            if y < reach || y + reach >= self.height {
                row.fill(false);
            } else {
                let edge = reach.min(self.width);
                row[..edge].fill(false);
                row[self.width - edge..].fill(false);
            }
        }
    }
}

/// Distance of each pixel of a row to the nearest one equal to `value`, saturating at 255.
fn row_distance(row: &[bool], value: bool, distance: &mut [u8]) {
    let mut steps = u8::MAX;
    for (d, &pixel) in distance.iter_mut().zip(row) {
        steps = if pixel == value { 0 } else { steps.saturating_add(1) };
        *d = steps;
    }
    for d in distance.iter_mut().rev() {
        steps = steps.saturating_add(1).min(*d);
        *d = steps;
    }
}
