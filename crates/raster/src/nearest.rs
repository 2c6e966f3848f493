//! Nearest neighbour: the source pixel of every picture pixel, found once for all bands.

use tesela_grid::PixelWindow;
use tesela_model::Resampling;

use crate::error::{RasterError, check_size};
use crate::{Sample, SourceGrid};

/// Marks a picture pixel outside the source.
const OUTSIDE: u32 = u32::MAX;

/// For each pixel of a picture, the index into a source window of the pixel it lies in.
#[derive(Debug, Clone)]
pub struct NearestIndex {
    indices: Vec<u32>,
    source_len: usize,
}

impl NearestIndex {
    /// Finds the pixels of `window` that the picture's pixels lie in. Windows of 2^31 pixels
    /// and more are treated as empty.
    pub fn new(grid: &SourceGrid, window: &PixelWindow) -> Self {
        Self::of_part(grid, window, &PixelWindow::new(0, 0, grid.width(), grid.height()))
    }

    /// As [`NearestIndex::new`], of a part of the picture alone: rows and columns counted from its first pixel. What
    /// lies past the picture has no source pixel.
    pub fn of_part(grid: &SourceGrid, window: &PixelWindow, part: &PixelWindow) -> Self {
        let mut indices = vec![OUTSIDE; part.len()];
        if part.is_empty() || window.is_empty() || i32::try_from(window.len()).is_err() {
            return Self { indices, source_len: window.len() };
        }
        let (left, top) = (part.px.max(0) as usize, part.py.max(0) as usize);
        let (mut us, mut vs) = (vec![f64::NAN; left + part.width], vec![f64::NAN; left + part.width]);
        let (px, py) = (window.px as f64, window.py as f64);
        let (width, height) = (window.width as f64, window.height as f64);
        let stride = window.width as u32;
        let whole = PixelWindow::new(0, 0, grid.width(), grid.height());
        let all_inside = whole.union(part) == whole
            && grid.is_complete()
            && grid.source_window(Resampling::Nearest).is_some_and(|needed| needed.union(window) == *window);
        for (row, line) in indices.chunks_exact_mut(part.width).enumerate() {
            grid.row(top + row, &mut us, &mut vs);
            for ((index, u), v) in line.iter_mut().zip(&us[left..]).zip(&vs[left..]) {
                let (u, v) = (u - px, v - py);
                // Not for NaN. The product fits: the window holds fewer than 2^31 pixels.
                let inside = all_inside || (u >= 0.0 && u < width && v >= 0.0 && v < height);
                let here = (v as i32 as u32).wrapping_mul(stride).wrapping_add(u as i32 as u32);
                *index = if inside { here } else { OUTSIDE };
            }
        }
        Self { indices, source_len: window.len() }
    }

    /// Whether every pixel of the picture lies outside the window.
    pub fn is_outside(&self) -> bool {
        self.indices.iter().all(|index| *index == OUTSIDE)
    }

    /// Copies source values to the picture; `fill` where a pixel lies outside the window. Works for any value,
    /// masks included.
    ///
    /// # Errors
    /// [`RasterError::Size`] if `values` is not the window or `out` not the picture.
    pub fn gather<T: Copy>(&self, values: &[T], fill: T, out: &mut [T]) -> Result<(), RasterError> {
        check_size("the source", values.len(), self.source_len)?;
        check_size("the picture", out.len(), self.indices.len())?;
        for (out, index) in out.iter_mut().zip(&self.indices) {
            *out = values.get(*index as usize).copied().unwrap_or(fill);
        }
        Ok(())
    }

    /// Leaves out the pixels of the picture that are not taken, one flag a pixel: as if they lay outside the source.
    ///
    /// # Errors
    /// [`RasterError::Size`] if `take` is not the picture.
    pub fn take_only(&mut self, take: &[bool]) -> Result<(), RasterError> {
        check_size("what is taken", take.len(), self.indices.len())?;
        for (index, take) in self.indices.iter_mut().zip(take) {
            *index = if *take { *index } else { OUTSIDE };
        }
        Ok(())
    }

    /// As [`gather`](Self::gather), into the first `width` pixels of rows `stride` long. Without `fill`, pixels outside
    /// the window stay as they are.
    ///
    /// # Errors
    /// [`RasterError::Size`] if `values` is not the window, or `out` ends before the picture.
    pub fn gather_rows<T: Copy>(
        &self,
        values: &[T],
        fill: Option<T>,
        width: usize,
        out: &mut [T],
        stride: usize,
    ) -> Result<(), RasterError> {
        check_size("the source", values.len(), self.source_len)?;
        let rows = self.indices.chunks_exact(width.max(1));
        let needed = rows.len().saturating_sub(1) * stride + width;
        check_size("the raster", out.len().min(needed), needed)?;
        for (indices, out) in rows.zip(out.chunks_mut(stride.max(1))) {
            let pixels = out.iter_mut().zip(indices);
            match fill {
                Some(fill) => pixels.for_each(|(out, index)| {
                    *out = values.get(*index as usize).copied().unwrap_or(fill);
                }),
                None => pixels.for_each(|(out, index)| {
                    *out = values.get(*index as usize).copied().unwrap_or(*out);
                }),
            }
        }
        Ok(())
    }

    /// As [`gather`](Self::gather), and `nodata` where the source pixel is hidden.
    ///
    /// # Errors
    /// [`RasterError::Size`] if `values` or `hidden` is not the window or `out` not the picture.
    pub fn gather_masked<T: Sample>(
        &self,
        values: &[T],
        hidden: &[bool],
        nodata: T,
        out: &mut [T],
    ) -> Result<(), RasterError> {
        check_size("the mask", hidden.len(), self.source_len)?;
        self.gather(values, nodata, out)?;
        for (out, index) in out.iter_mut().zip(&self.indices) {
            if hidden.get(*index as usize).copied().unwrap_or(true) {
                *out = nodata;
            }
        }
        Ok(())
    }
}
