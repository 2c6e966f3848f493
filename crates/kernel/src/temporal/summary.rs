//! Count, mean, standard deviation, least and greatest of every pixel.

use super::lanes::{Level, at_level};
use super::stack::{Sample, Stack};

/// What the sum of squares is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deviation {
    /// By `n`, as numpy, xarray and the zone statistics do; 0 for a single observation.
    #[default]
    Population,
    /// By `n − 1`, the unbiased estimate; nodata for a single observation.
    Sample,
}

/// Statistics of every pixel, in the units of the stack; NaN where there is no observation.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Number of observations.
    pub count: Vec<u16>,
    /// Mean.
    pub mean: Vec<f32>,
    /// Standard deviation.
    pub deviation: Vec<f32>,
    /// Least observation.
    pub least: Vec<f32>,
    /// Greatest observation.
    pub greatest: Vec<f32>,
}

/// Pixels worked on at a time; their dates stay in the cache for the second pass.
const STRIP: usize = 256;

/// The [`Summary`] of every pixel. Sums run in `f64` in time order, the deviation about the mean.
pub fn summarise<T: Sample>(stack: &Stack<'_, T>, deviation: Deviation) -> Summary {
    summarise_at(Level::best(), stack, deviation)
}

pub(super) fn summarise_at<T: Sample>(level: Level, stack: &Stack<'_, T>, deviation: Deviation) -> Summary {
    let pixels = stack.pixels();
    let nodata = || vec![f32::NAN; pixels];
    let mut summary = Summary {
        count: vec![0; pixels],
        mean: nodata(),
        deviation: nodata(),
        least: nodata(),
        greatest: nodata(),
    };
    let mut rows = vec![([T::LAST; STRIP], [false; STRIP]); stack.dates()];
    for start in (0..pixels).step_by(STRIP) {
        let width = STRIP.min(pixels - start);
        fill(level, stack, deviation, start, width, &mut rows, &mut summary);
    }
    summary
}

/// One date of a strip, and which of its values are observations.
type Loaded<T> = ([T; STRIP], [bool; STRIP]);

at_level!(fill = strip<T>(
    stack: &Stack<'_, T>,
    deviation: Deviation,
    start: usize,
    width: usize,
    rows: &mut [Loaded<T>],
    summary: &mut Summary
));

#[inline(always)]
fn strip<T: Sample>(
    stack: &Stack<'_, T>,
    deviation: Deviation,
    start: usize,
    width: usize,
    rows: &mut [Loaded<T>],
    summary: &mut Summary,
) {
    let mut sums = [0.0f64; STRIP];
    let mut squares = [0.0f64; STRIP];
    let mut counts = [0u16; STRIP];
    let mut least = [f64::INFINITY; STRIP];
    let mut greatest = [f64::NEG_INFINITY; STRIP];
    for (date, (row, used)) in rows.iter_mut().enumerate() {
        let before = counts;
        stack.load(date, start, &mut row[..width], &mut counts[..width]);
        // Places behind the last pixel are never used; loops of a fixed length vectorise.
        for i in 0..STRIP {
            used[i] = counts[i] != before[i]; // 65535 may be an observation or stand for none
            let value = row[i].to_f64();
            sums[i] += if used[i] { value } else { 0.0 };
            least[i] = if used[i] & (value < least[i]) { value } else { least[i] };
            greatest[i] = if used[i] & (value > greatest[i]) { value } else { greatest[i] };
        }
    }
    let mut means = [0.0f64; STRIP];
    for i in 0..STRIP {
        means[i] = sums[i] / f64::from(counts[i]); // NaN where there is none
    }
    for (row, used) in &*rows {
        for i in 0..STRIP {
            let from_mean = row[i].to_f64() - means[i];
            squares[i] += if used[i] { from_mean * from_mean } else { 0.0 };
        }
    }
    for i in 0..width {
        let (n, at) = (counts[i], start + i);
        if n == 0 {
            continue;
        }
        summary.count[at] = n;
        summary.mean[at] = means[i] as f32;
        summary.least[at] = least[i] as f32;
        summary.greatest[at] = greatest[i] as f32;
        let freedom = match deviation {
            Deviation::Population => f64::from(n),
            Deviation::Sample => f64::from(n - 1), // 0/0 is NaN: nodata
        };
        summary.deviation[at] = (squares[i] / freedom).sqrt() as f32;
    }
}
