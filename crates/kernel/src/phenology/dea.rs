//! Seasons as `xr_phenology` of dea-tools finds them, for comparison with published figures.
//!
//! Kept as it is there, with what is odd about it: starts and ends are dates of observations; "first" is the
//! rising observation of the **lowest value**; ends look at every observation behind the peak, rising or
//! falling, but for those of slope 0; a season that ends before it starts is lengthened by the last day.

use super::{PhenologyError, check, greatest};

/// Which rising (falling) observation is the start (end).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeaTiming {
    /// The lowest: `method_sos="first"`, `method_eos="last"`.
    #[default]
    Outer,
    /// The one nearest to their median, the earliest of equals: `"median"`.
    Median,
}

/// The outputs of `xr_phenology`. Days are those of the input, NaN where there is no start or end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeaSeason {
    /// POS, day of the greatest value.
    pub peak: f64,
    /// vPOS.
    pub peak_value: f64,
    /// Trough, the least value.
    pub trough: f64,
    /// AOS, peak less trough.
    pub amplitude: f64,
    /// SOS, day of the start.
    pub start: f64,
    /// vSOS.
    pub start_value: f64,
    /// EOS, day of the end.
    pub end: f64,
    /// vEOS.
    pub end_value: f64,
    /// LOS, days from start to end.
    pub length: f64,
    /// ROG, rise per day from start to peak.
    pub greening: f64,
    /// ROS, change per day from peak to end.
    pub senescing: f64,
}

/// The season of dea-tools; `days` are days of the year there. `None` if all observations are missing.
/// # Errors
/// [`PhenologyError::Length`], [`PhenologyError::Times`].
/// # Source
/// dea-tools `temporal.py`, `xr_phenology` (version of May 2024).
pub fn dea_season(
    days: &[f64],
    values: &[f64],
    timing: DeaTiming,
) -> Result<Option<DeaSeason>, PhenologyError> {
    check(days, values)?;
    let Some(at) = greatest(values.iter().copied()) else { return Ok(None) };
    let (peak, peak_value) = (days[at], values[at]);
    let trough = values.iter().copied().fold(f64::NAN, f64::min);

    let before = slopes(&days[..at], &values[..at], false, true);
    let rising: Vec<(f64, f64)> = before.filter(|o| o.2 > 0.0).map(|o| (o.0, o.1)).collect();
    let (start, start_value) = choose(&rising, timing);
    let after = slopes(&days[at + 1..], &values[at + 1..], true, false);
    let falling: Vec<(f64, f64)> = after.filter(|o| o.2 != 0.0).map(|o| (o.0, o.1)).collect();
    let (end, end_value) = choose(&falling, timing);

    let apart = end - start;
    let length = if apart < 0.0 { days.last().copied().unwrap_or(f64::NAN) + apart } else { apart };
    Ok(Some(DeaSeason {
        peak,
        peak_value,
        trough,
        amplitude: peak_value - trough,
        start,
        start_value,
        end,
        end_value,
        length,
        greening: (peak_value - start_value) / (peak - start),
        senescing: (end_value - peak_value) / (end - peak),
    }))
}

/// Day, value and slope of each observation, as numpy's gradient: central, weighted by the steps, one-sided at
/// the ends of the series, and NaN beside a missing value, such as the peak where the series was cut.
fn slopes(
    days: &[f64],
    values: &[f64],
    cut_before: bool,
    cut_after: bool,
) -> impl Iterator<Item = (f64, f64, f64)> {
    let n = values.len();
    let slope = move |i: usize| {
        let step = |a: usize, b: usize| (values[b] - values[a]) / (days[b] - days[a]);
        match (i > 0, i + 1 < n) {
            (true, true) => {
                let (left, right) = (days[i] - days[i - 1], days[i + 1] - days[i]);
                let sum = left * left * values[i + 1] + (right * right - left * left) * values[i]
                    - right * right * values[i - 1];
                sum / (left * right * (left + right))
            }
            (false, _) if cut_before => f64::NAN,
            (_, false) if cut_after => f64::NAN,
            (false, true) => step(i, i + 1),
            (true, false) => step(i - 1, i),
            (false, false) => f64::NAN,
        }
    };
    (0..n).map(move |i| (days[i], values[i], slope(i))).filter(|o| !o.1.is_nan())
}

/// Day and value of the chosen observation, the earliest of equals; NaN if there is none.
fn choose(from: &[(f64, f64)], timing: DeaTiming) -> (f64, f64) {
    let mut sorted: Vec<f64> = from.iter().map(|o| o.1).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let Some(&upper) = sorted.get(half) else { return (f64::NAN, f64::NAN) };
    let median = if sorted.len().is_multiple_of(2) { 0.5 * (sorted[half - 1] + upper) } else { upper };
    let distance = |value: f64| match timing {
        DeaTiming::Outer => value - median,
        DeaTiming::Median => (value - median).abs(),
    };
    let nearest = from.iter().copied().reduce(|a, b| if distance(b.1) < distance(a.1) { b } else { a });
    nearest.unwrap_or((f64::NAN, f64::NAN))
}
