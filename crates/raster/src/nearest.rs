//! Nearest neighbour: the source pixel of every picture pixel, found once for all bands.

use tesela_grid::PixelWindow;
use tesela_model::Resampling;

use crate::SourceGrid;
use crate::error::{RasterError, check_size};

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
        let whole = PixelWindow::new(0, 0, grid.width(), grid.height());
        let all_inside = whole.union(part) == whole
            && grid.is_complete()
            && grid.source_window(Resampling::Nearest).is_some_and(|needed| needed.union(window) == *window);
        for (row, line) in indices.chunks_exact_mut(part.width).enumerate() {
            grid.row(top + row, &mut us, &mut vs);
            find(line, &us[left..], &vs[left..], window, all_inside);
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

    /// As [`gather`](Self::gather), of the pixels of the picture from the one numbered `first`, row by row; as many as
    /// `out` has.
    ///
    /// # Errors
    /// [`RasterError::Size`] if `values` is not the window, or the picture ends before.
    pub fn gather_run<T: Copy>(
        &self,
        first: usize,
        values: &[T],
        fill: T,
        out: &mut [T],
    ) -> Result<(), RasterError> {
        check_size("the source", values.len(), self.source_len)?;
        let indices = self.indices.get(first..first + out.len()).unwrap_or_default();
        check_size("the picture", indices.len(), out.len())?;
        for (out, index) in out.iter_mut().zip(indices) {
            *out = values.get(*index as usize).copied().unwrap_or(fill);
        }
        Ok(())
    }

    /// As [`gather`](Self::gather), into the first `width` pixels of rows `stride` long.
    ///
    /// # Errors
    /// [`RasterError::Size`] if `values` is not the window, or `out` ends before the picture.
    pub fn gather_rows<T: Copy>(
        &self,
        values: &[T],
        fill: T,
        width: usize,
        out: &mut [T],
        stride: usize,
    ) -> Result<(), RasterError> {
        let rows = self.indices.len() / width.max(1);
        let needed = rows.saturating_sub(1) * stride + width;
        check_size("the raster", out.len().min(needed), needed)?;
        for (row, out) in out.chunks_mut(stride.max(1)).take(rows).enumerate() {
            self.gather_run(row * width, values, fill, &mut out[..width])?;
        }
        Ok(())
    }
}

/// The pixels of `window` at these positions. Windows hold fewer than 2^31 pixels.
fn find(line: &mut [u32], us: &[f64], vs: &[f64], window: &PixelWindow, all_inside: bool) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions, asked here.
        return unsafe { find_avx2(line, us, vs, window, all_inside) };
    }
    find_in_lanes(line, us, vs, window, all_inside);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn find_avx2(line: &mut [u32], us: &[f64], vs: &[f64], window: &PixelWindow, all_inside: bool) {
    find_in_lanes(line, us, vs, window, all_inside);
}

#[inline(always)]
fn find_in_lanes(line: &mut [u32], us: &[f64], vs: &[f64], window: &PixelWindow, all_inside: bool) {
    let (px, py) = (window.px as f64, window.py as f64);
    let (width, height) = (window.width as f64, window.height as f64);
    let stride = window.width as u32;
    for ((index, u), v) in line.iter_mut().zip(us).zip(vs) {
        let (u, v) = (u - px, v - py);
        // Not for NaN.
        let inside = all_inside | ((u >= 0.0) & (u < width) & (v >= 0.0) & (v < height));
        let here = (v as i32 as u32).wrapping_mul(stride).wrapping_add(u as i32 as u32);
        *index = if inside { here } else { OUTSIDE };
    }
}
