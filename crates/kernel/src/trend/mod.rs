//! Trend of a series without assuming its shape: Mann–Kendall's test and Sen's slope.
//!
//! For annual values (a composite's NDVI, a mosaic's water share). The test asks whether later values tend to
//! be greater, ties allowed; the slope is the median of the slopes between all pairs, so a third of the years
//! may be wrong without moving it far. `O(n²)` pairs: 780 for 40 years.
//!
//! # Contract
//! * NaN and infinite observations are left out with their times; nodata (`None`) below 3 observations, or
//!   where all times are equal.
//! * The p-value assumes independent errors. Annual means are autocorrelated, so it is too small: say so
//!   beside it.
//!
//! # Source
//! Mann (1945), Econometrica 13; Kendall (1975); Sen (1968), JASA 63; slope interval as in scipy's
//! `theilslopes`, intercept `median(y) − slope · median(t)` as in scipy and pymannkendall.

mod normal;
#[cfg(test)]
mod tests;

/// Fewest observations that give a trend.
pub const MIN_OBS: usize = 3;

/// Standard normal quantile of 97.5 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// Result of Mann and Kendall's test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannKendall {
    /// Pairs that grow less pairs that shrink.
    pub s: i64,
    /// Variance of `s` if there were no trend, corrected for ties.
    pub variance: f64,
    /// `s`, one nearer to 0, in standard deviations; 0 if `s` is.
    pub z: f64,
    /// Two-sided probability of such a `z` without a trend, **independent errors assumed**.
    pub p: f64,
    /// `s` over the number of pairs, −1 to 1.
    pub tau: f64,
}

/// Sen's line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sen {
    /// Median slope, in the units of the series per unit of time.
    pub slope: f64,
    /// `median(y) − slope · median(t)`: the line's value at time 0.
    pub intercept: f64,
    /// Lower end of the 95 % interval of the slope.
    pub slope_low: f64,
    /// Upper end.
    pub slope_high: f64,
}

/// A trend and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendFit {
    /// Observations used.
    pub count: usize,
    /// Whether there is one.
    pub test: MannKendall,
    /// How large it is.
    pub line: Sen,
}

/// Series and times differ in length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a series of {values} values has {times} times")]
pub struct TrendError {
    /// Number of times.
    pub times: usize,
    /// Number of values.
    pub values: usize,
}

/// Buffers reused from pixel to pixel; a result does not depend on what they were used for before.
#[derive(Debug, Clone, Default)]
pub struct Trend {
    times: Vec<f64>,
    values: Vec<f64>,
    sorted: Vec<f64>,
    slopes: Vec<f64>,
}

impl Trend {
    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The trend of `values` at `times` (any unit, in order, gaps and repeats allowed).
    /// # Errors
    /// [`TrendError`] if there are not as many times as values.
    pub fn fit(&mut self, times: &[f64], values: &[f64]) -> Result<Option<TrendFit>, TrendError> {
        if times.len() != values.len() {
            return Err(TrendError { times: times.len(), values: values.len() });
        }
        let seen = || times.iter().zip(values).filter(|(t, v)| t.is_finite() && v.is_finite());
        self.times.clear();
        self.values.clear();
        self.times.extend(seen().map(|(t, _)| t));
        self.values.extend(seen().map(|(_, v)| v));
        let count = self.values.len();
        if count < MIN_OBS {
            return Ok(None);
        }
        let test = self.mann_kendall();
        Ok(self.sen().map(|line| TrendFit { count, test, line }))
    }

    fn mann_kendall(&mut self) -> MannKendall {
        let mut s = 0i64;
        for (i, x) in self.values.iter().enumerate() {
            for later in &self.values[i + 1..] {
                s += i64::from(later > x) - i64::from(later < x);
            }
        }
        let n = self.values.len() as f64;
        let ties = tie_term(&self.values, &mut self.sorted);
        let variance = (n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0;
        let z = if s == 0 { 0.0 } else { (s - s.signum()) as f64 / variance.sqrt() };
        let p = normal::erfc(z.abs() / std::f64::consts::SQRT_2);
        MannKendall { s, variance, z, p, tau: s as f64 / (0.5 * n * (n - 1.0)) }
    }

    /// `None` if no two times differ.
    fn sen(&mut self) -> Option<Sen> {
        self.slopes.clear();
        for (i, (t, x)) in self.times.iter().zip(&self.values).enumerate() {
            for (later, y) in self.times[i + 1..].iter().zip(&self.values[i + 1..]) {
                if later != t {
                    self.slopes.push((y - x) / (later - t));
                }
            }
        }
        if self.slopes.is_empty() {
            return None;
        }
        let slope = middle(&mut self.slopes);

        let n = self.values.len() as f64;
        let ties = tie_term(&self.values, &mut self.sorted) + tie_term(&self.times, &mut self.sorted);
        let sigma = ((n * (n - 1.0) * (2.0 * n + 5.0) - ties) / 18.0).max(0.0).sqrt();
        let pairs = self.slopes.len() as f64;
        let rank = |side: f64| (0.5 * (pairs + side * Z_95 * sigma)).round_ties_even();
        let last = self.slopes.len() - 1;
        let high = (rank(1.0) as usize).min(last);
        let low = (rank(-1.0) - 1.0).max(0.0) as usize;

        self.sorted.clone_from(&self.values);
        let value = middle(&mut self.sorted);
        self.sorted.clone_from(&self.times);
        let time = middle(&mut self.sorted);
        Some(Sen {
            slope,
            intercept: value - slope * time,
            slope_low: nth(&mut self.slopes, low.min(last)),
            slope_high: nth(&mut self.slopes, high),
        })
    }
}

/// `Σ k(k − 1)(2k + 5)` over groups of `k` equal values.
fn tie_term(values: &[f64], sorted: &mut Vec<f64>) -> f64 {
    sorted.clear();
    sorted.extend_from_slice(values);
    sorted.sort_unstable_by(f64::total_cmp);
    let group = |group: &[f64]| {
        let k = group.len() as f64;
        k * (k - 1.0) * (2.0 * k + 5.0)
    };
    sorted.chunk_by(|a, b| a == b).map(group).sum()
}

/// Median of values, of which there is one at least; reorders them.
fn middle(values: &mut [f64]) -> f64 {
    let half = values.len() / 2;
    let upper = nth(values, half);
    if values.len().is_multiple_of(2) {
        let lower = values[..half].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        0.5 * (lower + upper)
    } else {
        upper
    }
}

/// The value at `rank` among `values`, which are reordered: quicker than sorting 780 slopes for four of them.
fn nth(values: &mut [f64], rank: usize) -> f64 {
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}
