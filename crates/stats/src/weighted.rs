//! Statistics of one raster weighted by another.

use crate::{CellRule, Moments};

/// Mean and spread of values x weighted by c·w, with w from a second raster (population, quality, …).
///
/// A valid value without a weight makes every figure NaN, as a weight cannot be made up; give a default weight
/// through `weight: Some(0.0)` to leave such cells out. Negative weights are taken as they are.
///
/// # Source
/// exactextract 0.3, `weighted_mean`, `weighted_sum`, `weighted_variance`, `weighted_stdev`.
#[derive(Debug, Clone, Copy, Default)]
pub struct WeightedMoments {
    rule: CellRule,
    moments: Moments,
    weight_missing: bool,
}

impl WeightedMoments {
    /// Starts without cells.
    pub fn new(rule: CellRule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// Adds a cell of which `fraction` lies in the zone; value and weight are `None` or
    /// not finite where nodata.
    pub fn add(&mut self, value: Option<f64>, weight: Option<f64>, fraction: f32, cell_area_m2: f64) {
        let value = value.filter(|value| value.is_finite()).or(self.rule.default_value());
        let Some(value) = value.filter(|_| self.rule.admits(fraction)) else { return };
        match weight.filter(|weight| weight.is_finite()) {
            Some(weight) => self.moments.add(value, weight * self.rule.weight(fraction, cell_area_m2)),
            None => self.weight_missing = true,
        }
    }

    /// Adds everything `other` has seen.
    pub fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        self.weight_missing |= other.weight_missing;
    }

    /// Σcw; NaN if a weight is missing.
    pub fn weight(&self) -> f64 {
        self.known(self.moments.count())
    }

    /// Σcxw; 0 without values, NaN if a weight is missing.
    pub fn sum(&self) -> f64 {
        self.known(self.moments.sum())
    }

    /// Σcxw / Σcw; NaN without weight or if a weight is missing.
    pub fn mean(&self) -> f64 {
        self.known(self.moments.mean())
    }

    /// Population variance with weights cw; NaN without weight or if a weight is missing.
    pub fn variance(&self) -> f64 {
        self.known(self.moments.variance())
    }

    /// Square root of the variance.
    pub fn stdev(&self) -> f64 {
        self.variance().sqrt()
    }

    fn known(&self, value: f64) -> f64 {
        if self.weight_missing { f64::NAN } else { value }
    }
}
