//! Weighted mean, variance and extremes in one pass, without keeping values.

use serde::{Deserialize, Serialize};

/// Running weighted moments of a stream of values; 48 bytes, and all that maps of mean or spread need.
///
/// # Source
/// West (1979), Updating mean and variance estimates: an improved method, CACM 22(9); merging after Chan, Golub
/// and LeVeque (1983), The American Statistician 37(3).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    weight: f64,
    sum: f64,
    mean: f64,
    squares: f64, // Σ w (x − mean)²
    min: f64,
    max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { weight: 0.0, sum: 0.0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// Adds a finite value with its weight; a weight of 0 has no effect.
    #[inline]
    pub fn add(&mut self, value: f64, weight: f64) {
        if weight == 0.0 {
            return;
        }
        let total = self.weight + weight;
        let step = value - self.mean;
        self.mean += step * (weight / total);
        self.squares += weight * step * (value - self.mean);
        self.weight = total;
        self.sum += weight * value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds everything `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        if other.is_empty() {
            return;
        }
        if self.is_empty() {
            *self = *other;
            return;
        }
        let total = self.weight + other.weight;
        let step = other.mean - self.mean;
        self.mean += step * (other.weight / total);
        self.squares += other.squares + step * step * (self.weight * other.weight / total);
        self.weight = total;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// True if no value has been added.
    pub fn is_empty(&self) -> bool {
        self.min > self.max
    }

    /// Sum of weights.
    pub fn count(&self) -> f64 {
        self.weight
    }

    /// Sum of weight × value; 0 without values.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Σwx / Σw; NaN without values.
    pub fn mean(&self) -> f64 {
        if self.is_empty() { f64::NAN } else { self.mean }
    }

    /// Population variance Σw(x − mean)² / Σw; NaN without values.
    pub fn variance(&self) -> f64 {
        if self.is_empty() { f64::NAN } else { (self.squares / self.weight).max(0.0) }
    }

    /// Square root of the variance; NaN without values.
    pub fn stdev(&self) -> f64 {
        self.variance().sqrt()
    }

    /// Coefficient of variation, stdev / mean; NaN without values, not finite if the mean is 0.
    pub fn coefficient_of_variation(&self) -> f64 {
        self.stdev() / self.mean()
    }

    /// Smallest value, whatever its weight.
    pub fn min(&self) -> Option<f64> {
        (!self.is_empty()).then_some(self.min)
    }

    /// Greatest value, whatever its weight.
    pub fn max(&self) -> Option<f64> {
        (!self.is_empty()).then_some(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[(f64, f64)]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|&(value, weight)| moments.add(value, weight));
        moments
    }

    #[test]
    fn a_small_spread_on_a_great_mean_survives() {
        let moments = of(&[(1e9 + 1.0, 1.0), (1e9 + 2.0, 1.0), (1e9 + 3.0, 1.0)]);
        assert!((moments.variance() - 2.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn merged_halves_equal_the_whole() {
        let all = [(3.0, 0.5), (7.0, 1.0), (-2.0, 0.25), (7.0, 0.125), (0.0, 1.0)];
        for cut in 0..=all.len() {
            let mut merged = of(&all[..cut]);
            merged.merge(&of(&all[cut..]));
            let whole = of(&all);
            assert!((merged.mean() - whole.mean()).abs() < 1e-15);
            assert!((merged.variance() - whole.variance()).abs() < 1e-13);
            assert_eq!((merged.min(), merged.max()), (Some(-2.0), Some(7.0)));
        }
    }

    #[test]
    fn nothing_has_a_sum_but_no_mean() {
        let none = Moments::default();
        assert_eq!((none.count(), none.sum(), none.min(), none.max()), (0.0, 0.0, None, None));
        assert!(none.mean().is_nan() && none.variance().is_nan() && none.coefficient_of_variation().is_nan());
    }
}
