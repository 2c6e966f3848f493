//! Sampling a source raster at the positions of a picture's pixels.

use tesela_grid::PixelWindow;
use tesela_model::Resampling;

use crate::error::{RasterError, check_size};
use crate::{NearestIndex, Sample, SourceGrid, lanes};

/// Weight of valid neighbours below which a sample is nodata.
const MIN_WEIGHT: f64 = 0.5;

/// Source pixels to sample: the values of a window.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a, T> {
    pub(crate) values: &'a [T],
    pub(crate) window: PixelWindow,
    pub(crate) nodata: T,
    hidden: Option<&'a [bool]>,
}

impl<'a, T: Sample> Source<'a, T> {
    /// The values of `window`, row-major; `nodata` is not sampled, and fills the picture where there is nothing.
    ///
    /// # Errors
    /// [`RasterError::Size`] if the values do not fill the window.
    pub fn new(values: &'a [T], window: PixelWindow, nodata: T) -> Result<Self, RasterError> {
        check_size("the source", values.len(), window.len())?;
        Ok(Self { values, window, nodata, hidden: None })
    }

    /// Leaves out pixels where `hidden` is true.
    ///
    /// # Errors
    /// [`RasterError::Size`] if the mask does not fill the window.
    pub fn masked(self, hidden: &'a [bool]) -> Result<Self, RasterError> {
        check_size("the mask", hidden.len(), self.window.len())?;
        Ok(Self { hidden: Some(hidden), ..self })
    }

    /// The value at an index into the window, if it is valid.
    #[inline]
    fn at(&self, index: usize) -> Option<f64> {
        let value = *self.values.get(index)?;
        let hidden = self.hidden.is_some_and(|hidden| hidden.get(index).copied().unwrap_or(true));
        (!hidden && !value.is_nodata(self.nodata)).then(|| value.to_f64())
    }
}

/// Samples `source` for every pixel of a picture.
///
/// Bilinear and cubic (Keys, a = −0.5) weigh the valid among 2 × 2 and 4 × 4 neighbours, renormalised; nodata where
/// their weight is below one half. Integers are rounded half to even and clamped to their range; a sample of valid
/// pixels is never the nodata value itself. Nodata where a pixel has no position or lies outside the window.
///
/// For nearest sampling of several bands, make one [`NearestIndex`] instead.
///
/// # Errors
/// [`RasterError::Size`] if `out` is not the picture.
pub fn gather<T: Sample>(
    source: &Source<'_, T>,
    grid: &SourceGrid,
    resampling: Resampling,
    out: &mut [T],
) -> Result<(), RasterError> {
    check_size("the picture", out.len(), grid.width() * grid.height())?;
    let whole = PixelWindow::new(0, 0, grid.width(), grid.height());
    gather_part(source, grid, resampling, &whole, out, grid.width())
}

/// As [`gather`], of a part of the picture alone, into rows `stride` long from the first of `out`. What lies past the
/// picture is nodata.
///
/// # Errors
/// [`RasterError::Size`] if `out` ends before the part.
pub fn gather_part<T: Sample>(
    source: &Source<'_, T>,
    grid: &SourceGrid,
    resampling: Resampling,
    part: &PixelWindow,
    out: &mut [T],
    stride: usize,
) -> Result<(), RasterError> {
    if part.is_empty() {
        return Ok(());
    }
    let needed = (part.height - 1) * stride + part.width;
    check_size("the raster", out.len().min(needed).min(stride * part.height), needed)?;
    match (resampling, source.hidden) {
        (Resampling::Nearest, None) => {
            let index = NearestIndex::of_part(grid, &source.window, part);
            index.gather_rows(source.values, source.nodata, part.width, out, stride)?;
        }
        (Resampling::Nearest, Some(hidden)) => {
            let index = NearestIndex::of_part(grid, &source.window, part);
            index.gather_rows(source.values, source.nodata, part.width, out, stride)?;
            let mut hides = vec![true; part.width];
            for (row, line) in out.chunks_mut(stride).take(part.height).enumerate() {
                index.gather_run(row * part.width, hidden, true, &mut hides)?;
                line.iter_mut()
                    .zip(&hides)
                    .filter(|(_, hides)| **hides)
                    .for_each(|(v, _)| *v = source.nodata);
            }
        }
        (Resampling::Bilinear, None) => {
            let mut left = Vec::new();
            each_row(source, grid, part, out, stride, |us, vs, line| {
                if T::bilinear_row(source, [us, vs], line, &mut left) {
                    for run in left.drain(..) {
                        let end = line.len().min(run + lanes::TOGETHER);
                        let run = run..end;
                        one_by_one(source, &us[run.clone()], &vs[run.clone()], &mut line[run], |u, v| {
                            bilinear(source, u, v)
                        });
                    }
                } else {
                    one_by_one(source, us, vs, line, |u, v| bilinear(source, u, v));
                }
            });
        }
        (Resampling::Bilinear, Some(_)) => each_row(source, grid, part, out, stride, |us, vs, line| {
            one_by_one(source, us, vs, line, |u, v| bilinear(source, u, v));
        }),
        (Resampling::Cubic, _) => each_row(source, grid, part, out, stride, |us, vs, line| {
            one_by_one(source, us, vs, line, |u, v| cubic(source, u, v));
        }),
    }
    Ok(())
}

/// Calls with each row of a part: positions in the source's window, and the pixels to fill.
#[inline]
fn each_row<T: Sample>(
    source: &Source<'_, T>,
    grid: &SourceGrid,
    part: &PixelWindow,
    out: &mut [T],
    stride: usize,
    mut with: impl FnMut(&[f64], &[f64], &mut [T]),
) {
    let (mut us, mut vs) = (vec![0.0; part.width], vec![0.0; part.width]);
    let (px, py) = (source.window.px as f64, source.window.py as f64);
    let (left, top) = (part.px.max(0) as usize, part.py.max(0) as usize);
    for (row, line) in out.chunks_mut(stride).take(part.height).enumerate() {
        grid.row_from(top + row, left, &mut us, &mut vs);
        us.iter_mut().for_each(|u| *u -= px);
        vs.iter_mut().for_each(|v| *v -= py);
        with(&us, &vs, &mut line[..part.width]);
    }
}

/// Calls `sample` with every position that may lie in the window.
#[inline]
fn one_by_one<T: Sample>(
    source: &Source<'_, T>,
    us: &[f64],
    vs: &[f64],
    out: &mut [T],
    sample: impl Fn(f64, f64) -> Option<f64>,
) {
    // Windows are far below 2^31 pixels a side: positions past that are outside.
    let side = |size: usize| (size as f64).min(f64::from(i32::MAX - 4));
    let (width, height) = (side(source.window.width), side(source.window.height));
    for ((out, u), v) in out.iter_mut().zip(us).zip(vs) {
        // Beyond half a pixel from the window nothing weighs one half. False for NaN.
        let near = *u >= -0.5 && *u <= width + 0.5 && *v >= -0.5 && *v <= height + 0.5;
        let value = if near { sample(*u, *v) } else { None };
        *out = value.map_or(source.nodata, |value| T::from_f64(value, source.nodata));
    }
}

/// Index of the neighbour at or before a position from −0.5 on, and the way to the next one, 0 to 1.
#[inline]
fn split(position: f64) -> (i32, f64) {
    let shifted = position + 0.5; // not negative, so that truncating is rounding down
    let before = shifted as i32;
    (before - 1, shifted - f64::from(before))
}

#[inline]
fn bilinear<T: Sample>(source: &Source<'_, T>, u: f64, v: f64) -> Option<f64> {
    let ((i, tx), (j, ty)) = (split(u), split(v));
    weighted(source, i, j, [1.0 - tx, tx], [1.0 - ty, ty])
}

#[inline]
fn cubic<T: Sample>(source: &Source<'_, T>, u: f64, v: f64) -> Option<f64> {
    let ((i, tx), (j, ty)) = (split(u), split(v));
    weighted(source, i - 1, j - 1, cubic_weights(tx), cubic_weights(ty))
}

/// Keys's cubic convolution with a = −0.5, of the neighbours at −1, 0, 1, 2 for a position `t` after neighbour 0.
///
/// Source: Keys (1981), IEEE Trans. ASSP 29(6), eq. 15.
#[inline]
fn cubic_weights(t: f64) -> [f64; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
}

/// Mean of the valid among N × N neighbours from column `i` and row `j`, if they weigh one half.
#[inline]
fn weighted<T: Sample, const N: usize>(
    source: &Source<'_, T>,
    i: i32,
    j: i32,
    across: [f64; N],
    down: [f64; N],
) -> Option<f64> {
    let (width, height) = (source.window.width, source.window.height);
    if i >= 0 && j >= 0 && i as usize + N <= width && j as usize + N <= height {
        let all = all_valid(source, j as usize * width + i as usize, &across, &down);
        if all.is_some() {
            return all;
        }
    }
    some_valid(source, i, j, &across, &down)
}

/// The sum over N × N neighbours inside the window, if all are valid; weights sum to one.
#[inline]
fn all_valid<T: Sample, const N: usize>(
    source: &Source<'_, T>,
    first: usize,
    across: &[f64; N],
    down: &[f64; N],
) -> Option<f64> {
    let mut sum = 0.0;
    let mut valid = true;
    for (row, wy) in down.iter().enumerate() {
        let start = first + row * source.window.width;
        let line = source.values.get(start..start + N)?;
        let mut along = 0.0;
        for (value, wx) in line.iter().zip(across) {
            valid &= !value.is_nodata(source.nodata);
            along += value.to_f64() * wx;
        }
        if let Some(hidden) = source.hidden {
            valid &= !hidden.get(start..start + N)?.iter().any(|hidden| *hidden);
        }
        sum += along * wy;
    }
    valid.then_some(sum)
}

/// The renormalised sum over the valid of N × N neighbours, if they weigh one half.
#[cold]
fn some_valid<T: Sample, const N: usize>(
    source: &Source<'_, T>,
    i: i32,
    j: i32,
    across: &[f64; N],
    down: &[f64; N],
) -> Option<f64> {
    let (width, height) = (source.window.width as i32, source.window.height as i32);
    let (mut sum, mut weight) = (0.0, 0.0);
    for (row, wy) in (j..).zip(down).filter(|(row, _)| (0..height).contains(row)) {
        for (col, wx) in (i..).zip(across).filter(|(col, _)| (0..width).contains(col)) {
            if let Some(value) = source.at(row as usize * source.window.width + col as usize) {
                sum += wx * wy * value;
                weight += wx * wy;
            }
        }
    }
    // A hair less: the weights of a position in the middle sum to one half only up to rounding.
    (weight >= MIN_WEIGHT - 1e-9).then(|| sum / weight)
}
