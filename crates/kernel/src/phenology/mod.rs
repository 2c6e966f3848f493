//! When a season starts, peaks and ends: phenology of a vegetation index.
//!
//! [`season`] is ours: crossings of a share of the amplitude, left and right of the peak each with its own
//! base, interpolated between dates. [`dea_season`] reproduces `xr_phenology` of dea-tools. [`peaks`] counts
//! crops: local maxima that stand out.
//!
//! # Contract
//! * Times are days, increasing, counted from any origin. For the agricultural year of Mexico (October to
//!   September) count from 1 October and the autumn-winter season is not cut in two; results are in the same
//!   count.
//! * NaN observations are left out (in [`dea_season`] they also spoil the slopes beside them, as there).
//! * The series should be a harmonic fit or 16-day values with the gaps filled: a cloud left in looks like the
//!   end of a season.

mod dea;
mod peaks;
#[cfg(test)]
mod tests;

pub use dea::{DeaSeason, DeaTiming, dea_season};
pub use peaks::{MIN_PROMINENCE, peaks};

/// Share of the amplitude at which a season starts and ends unless told otherwise.
pub const DEFAULT_SHARE: f64 = 0.2;

/// Fewest observations that give a season.
pub const MIN_OBS: usize = 3;

/// A season by thresholds. Days are in the count of the input, values in its units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Season {
    /// Day of the greatest value, the first of equals.
    pub peak: f64,
    /// The greatest value.
    pub peak_value: f64,
    /// Least value before the peak, or NaN if there is none.
    pub base_before: f64,
    /// Least value after the peak, or NaN.
    pub base_after: f64,
    /// Day the value last rose through the threshold before the peak, NaN if the series begins above it.
    pub start: f64,
    /// Threshold of the start: the share of the way from the base before to the peak.
    pub start_value: f64,
    /// Day the value first fell through the threshold after the peak, NaN if the series ends above it.
    pub end: f64,
    /// Threshold of the end.
    pub end_value: f64,
}

impl Season {
    /// Days from start to end; NaN if one is missing.
    pub fn length(&self) -> f64 {
        self.end - self.start
    }

    /// Peak above the lower of the two bases.
    pub fn amplitude(&self) -> f64 {
        self.peak_value - self.base_before.min(self.base_after) // min leaves NaN aside
    }

    /// Rise per day from start to peak; NaN without a start.
    pub fn greening(&self) -> f64 {
        (self.peak_value - self.start_value) / (self.peak - self.start)
    }

    /// Change per day from peak to end, below 0; NaN without an end.
    pub fn senescing(&self) -> f64 {
        (self.end_value - self.peak_value) / (self.end - self.peak)
    }
}

/// Input that is not a series.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PhenologyError {
    /// Series and times differ in length.
    #[error("a series of {values} values has {times} times")]
    Length {
        /// Number of times.
        times: usize,
        /// Number of values.
        values: usize,
    },
    /// Times do not increase.
    #[error("times must increase; time {position} does not")]
    Times {
        /// Position of the first that does not.
        position: usize,
    },
    /// The share is not between 0 and 1.
    #[error("a season starts at a share of its amplitude between 0 and 1, not {share}")]
    Share {
        /// The share given.
        share: f64,
    },
}

/// The season around the greatest value, by a `share` of the amplitude (usual: [`DEFAULT_SHARE`]).
///
/// `None` is nodata: fewer than [`MIN_OBS`] observations, or a constant series.
/// # Errors
/// [`PhenologyError`].
/// # Source
/// Jönsson and Eklundh (2004), Computers & Geosciences 30: the amplitude threshold of TIMESAT.
pub fn season(times: &[f64], values: &[f64], share: f64) -> Result<Option<Season>, PhenologyError> {
    check(times, values)?;
    if !(share > 0.0 && share < 1.0) {
        return Err(PhenologyError::Share { share });
    }
    let seen: Vec<(f64, f64)> = observations(times, values).collect();
    let Some(at) = greatest(seen.iter().map(|o| o.1)) else { return Ok(None) };
    let (peak, peak_value) = seen[at];
    if seen.len() < MIN_OBS || seen.iter().all(|o| o.1 == peak_value) {
        return Ok(None);
    }
    let (before, after) = (&seen[..=at], &seen[at..]);
    let (base_before, start_value, start) = side(before.iter().rev(), share);
    let (base_after, end_value, end) = side(after.iter(), share);
    Ok(Some(Season { peak, peak_value, base_before, base_after, start, start_value, end, end_value }))
}

/// Base, threshold and crossing on one side of the peak, walking away from it.
fn side<'a>(from_peak: impl Iterator<Item = &'a (f64, f64)> + Clone, share: f64) -> (f64, f64, f64) {
    let peak = from_peak.clone().next().map_or(f64::NAN, |o| o.1);
    let base = from_peak.clone().skip(1).map(|o| o.1).fold(f64::NAN, f64::min);
    let threshold = base + share * (peak - base);
    let pairs = from_peak.clone().zip(from_peak.skip(1));
    let crossing = pairs
        .filter(|(near, far)| near.1 > threshold && far.1 <= threshold)
        .map(|(near, far)| near.0 + (near.1 - threshold) / (near.1 - far.1) * (far.0 - near.0));
    (base, threshold, crossing.take(1).fold(f64::NAN, |_, day| day))
}

fn check(times: &[f64], values: &[f64]) -> Result<(), PhenologyError> {
    if times.len() != values.len() {
        return Err(PhenologyError::Length { times: times.len(), values: values.len() });
    }
    let increases = |pair: &[f64]| pair[1] > pair[0]; // not if one is NaN
    match times.windows(2).position(|pair| !increases(pair)) {
        Some(before) => Err(PhenologyError::Times { position: before + 1 }),
        None => Ok(()),
    }
}

fn observations(times: &[f64], values: &[f64]) -> impl Iterator<Item = (f64, f64)> {
    times.iter().copied().zip(values.iter().copied()).filter(|(_, value)| value.is_finite())
}

/// Position of the greatest value, the first of equals; NaN is never the greatest.
fn greatest(values: impl Iterator<Item = f64>) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (at, value) in values.enumerate() {
        if !value.is_nan() && best.is_none_or(|(_, most)| value > most) {
            best = Some((at, value));
        }
    }
    best.map(|(at, _)| at)
}
