//! Harmonic regression: a series as a mean, a trend and a few sine waves of the year.
//!
//! `y = β₀ + β₁ t/T + Σₖ aₖ cos(2πk t/T) + bₖ sin(2πk t/T)`, least squares over the observations there are,
//! for irregular times. Amplitude and phase of the first waves are what tells crops from pasture and what a
//! composite loses.
//!
//! # Contract
//! * Times are days from any origin, the same for a whole block; the trend is per period. NaN observations
//!   are left out.
//! * Nodata (`None`) below `observations_per_parameter` (default 3) observations per parameter, and where the
//!   dates cannot tell the parameters apart.
//! * Everything in `f64`; sums in time order.
//!
//! # Source
//! Zhu and Woodcock (2014), RSE 144 for the model; normal equations on centred times, solved by Cholesky.

mod cholesky;
#[cfg(test)]
mod tests;

/// Mean length of a year of the Gregorian calendar, days.
pub const YEAR_DAYS: f64 = 365.2425;

/// Most waves of a model.
pub const MAX_ORDER: usize = 4;

/// Most parameters: mean, trend and two for each wave.
pub const MAX_PARAMETERS: usize = 2 + 2 * MAX_ORDER;

/// Which terms are fitted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Model {
    /// Number of waves, of 1, 2, … cycles a period; 1 to [`MAX_ORDER`].
    pub order: usize,
    /// Whether a linear trend is fitted too.
    pub trend: bool,
    /// Length of the period, days.
    pub period: f64,
    /// Observations needed for each parameter.
    pub observations_per_parameter: usize,
}

impl Model {
    /// `order` waves of the year, with or without a trend, three observations a parameter.
    pub fn annual(order: usize, trend: bool) -> Self {
        Self { order, trend, period: YEAR_DAYS, observations_per_parameter: 3 }
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        1 + usize::from(self.trend) + 2 * self.order
    }
}

/// Why a model or its times were refused.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HarmonicError {
    /// The number of waves is 0 or above [`MAX_ORDER`].
    #[error("a harmonic model has 1 to {MAX_ORDER} waves, not {order}")]
    Order {
        /// The number asked for.
        order: usize,
    },
    /// The period is not a positive number of days.
    #[error("the period of a harmonic model must be above 0 days, not {period}")]
    Period {
        /// The period given.
        period: f64,
    },
    /// A time is not a number.
    #[error("time {position} of the series is not a number of days")]
    Time {
        /// Its position.
        position: usize,
    },
    /// The series is not as long as the times.
    #[error("a series of {found} values has {expected} times")]
    Length {
        /// Times.
        expected: usize,
        /// Values.
        found: usize,
    },
}

/// A fitted model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    model: Model,
    coefficients: [f64; MAX_PARAMETERS],
    /// Observations used.
    pub count: usize,
    /// Root of the sum of squared residuals over `n − parameters`, in the units of the series; NaN where
    /// `n` is `parameters`.
    pub rmse: f64,
    /// Share of the variance that is explained, at most 1; NaN for a constant series.
    pub r2: f64,
}

impl Fit {
    /// `β₀`, then the trend per period if fitted, then `a₁ b₁ a₂ b₂ …`.
    pub fn coefficients(&self) -> &[f64] {
        &self.coefficients[..self.model.parameters()]
    }

    /// Level at time 0: the mean of the series, if there is no trend and the waves are well sampled.
    pub fn level(&self) -> f64 {
        self.coefficients[0]
    }

    /// Change per period; 0 if no trend was fitted.
    pub fn trend(&self) -> f64 {
        if self.model.trend { self.coefficients[1] } else { 0.0 }
    }

    /// `a` and `b` of wave `k`, counted from 1; `None` beyond the model's order.
    fn wave(&self, k: usize) -> Option<(f64, f64)> {
        let at = (1..=self.model.order).contains(&k).then(|| usize::from(self.model.trend) + 2 * k - 1)?;
        Some((self.coefficients[at], self.coefficients[at + 1]))
    }

    /// Height of wave `k` (from 1) above the level, in the units of the series; `None` beyond the order.
    pub fn amplitude(&self, k: usize) -> Option<f64> {
        self.wave(k).map(|(a, b)| a.hypot(b))
    }

    /// Days from the origin of the times to the first crest of wave `k` (from 1), from 0 to less than
    /// `period / k`; `None` beyond the order.
    pub fn peak_day(&self, k: usize) -> Option<f64> {
        let (a, b) = self.wave(k)?;
        let length = self.model.period / k as f64;
        let day = (b.atan2(a) / std::f64::consts::TAU * length).rem_euclid(length);
        Some(if day < length { day } else { 0.0 }) // a negative nothing rounds up to the whole length
    }

    /// Value of the model at a time, days from the same origin.
    pub fn predict(&self, time: f64) -> f64 {
        let mut row = [0.0; MAX_PARAMETERS];
        regressors(&self.model, time, 0.0, &mut row);
        self.coefficients().iter().zip(row).map(|(c, x)| c * x).sum()
    }
}

/// The regressors of one model at the times of a block, worked out once for all its pixels.
#[derive(Debug, Clone)]
pub struct Design {
    model: Model,
    rows: Vec<[f64; MAX_PARAMETERS]>,
    /// Subtracted from every time before the trend is fitted, periods.
    centre: f64,
}

impl Design {
    /// Prepares `model` for observations at `times`, days from one origin.
    /// # Errors
    /// [`HarmonicError::Order`], [`HarmonicError::Period`], [`HarmonicError::Time`].
    pub fn new(model: Model, times: &[f64]) -> Result<Self, HarmonicError> {
        if !(1..=MAX_ORDER).contains(&model.order) {
            return Err(HarmonicError::Order { order: model.order });
        }
        if !(model.period > 0.0 && model.period.is_finite()) {
            return Err(HarmonicError::Period { period: model.period });
        }
        if let Some(position) = times.iter().position(|t| !t.is_finite()) {
            return Err(HarmonicError::Time { position });
        }
        let centre = times.iter().sum::<f64>() / times.len().max(1) as f64 / model.period;
        let row = |&time: &f64| {
            let mut row = [0.0; MAX_PARAMETERS];
            regressors(&model, time, centre, &mut row);
            row
        };
        Ok(Self { model, rows: times.iter().map(row).collect(), centre })
    }

    /// Fits one pixel: `values` at the times of the design, those that are not finite being missing. `None` is
    /// nodata: too few observations, or dates that leave a parameter undetermined.
    /// # Errors
    /// [`HarmonicError::Length`].
    pub fn fit(&self, values: &[f64]) -> Result<Option<Fit>, HarmonicError> {
        if values.len() != self.rows.len() {
            return Err(HarmonicError::Length { expected: self.rows.len(), found: values.len() });
        }
        let p = self.model.parameters();
        let seen = || self.rows.iter().zip(values).filter(|(_, value)| value.is_finite());
        let count = seen().count();
        if count < p.max(self.model.observations_per_parameter * p) {
            return Ok(None);
        }
        // About the mean of the values, so that a small season on a high level loses no digits.
        let mean = seen().map(|(_, value)| value).sum::<f64>() / count as f64;
        let mut normal = [[0.0; MAX_PARAMETERS]; MAX_PARAMETERS];
        let mut moments = [0.0; MAX_PARAMETERS];
        for (row, value) in seen() {
            let value = value - mean;
            for i in 0..p {
                moments[i] += row[i] * value;
                for j in 0..=i {
                    normal[i][j] += row[i] * row[j];
                }
            }
        }
        let Some(mut coefficients) = cholesky::solve(&mut normal, &moments, p) else { return Ok(None) };
        let (mut residual, mut total) = (0.0, 0.0);
        for (row, value) in seen() {
            let value = value - mean;
            let mut fitted = 0.0;
            for i in 0..p {
                fitted += coefficients[i] * row[i];
            }
            residual += (value - fitted) * (value - fitted);
            total += value * value;
        }
        coefficients[0] += mean;
        if self.model.trend {
            coefficients[0] -= coefficients[1] * self.centre; // back to the origin of the times
        }
        let freedom = (count - p) as f64;
        let rmse = (residual / freedom).sqrt(); // 0/0 is NaN
        let r2 = if total > 0.0 { 1.0 - residual / total } else { f64::NAN };
        let rmse = if freedom > 0.0 { rmse } else { f64::NAN };
        Ok(Some(Fit { model: self.model, coefficients, count, rmse, r2 }))
    }
}

/// The row of the design matrix at a time.
fn regressors(model: &Model, time: f64, centre: f64, row: &mut [f64; MAX_PARAMETERS]) {
    let turns = time / model.period;
    row[0] = 1.0;
    let mut at = 1;
    if model.trend {
        row[1] = turns - centre;
        at = 2;
    }
    for k in 1..=model.order {
        // Whole turns first: the angle stays small, and exact for days counted from 1970 or 0001.
        let (sin, cos) = ((k as f64 * turns).fract() * std::f64::consts::TAU).sin_cos();
        row[at] = cos;
        row[at + 1] = sin;
        at += 2;
    }
}
