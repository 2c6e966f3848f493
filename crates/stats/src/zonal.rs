//! One zone, one raster layer: cells in, a row of statistics out.

use serde::{Deserialize, Serialize};

use crate::{CellRule, Coverage, Distribution, Moments, Quantile};

/// Gathers the cells of a zone; a zone over several tiles is gathered tile by tile, or in parts that are merged.
///
/// Results depend on the order of cells and merges only in the last bits; keep the order to keep the bytes.
#[derive(Debug, Clone, Default)]
pub struct ZoneAccumulator {
    rule: CellRule,
    totals: Totals,
    moments: Moments,
    values: Option<Box<Distribution>>,
}

/// What is covered and what of it is valid.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    all_fraction: f64,
    valid_fraction: f64,
    all_area_m2: f64,
    valid_area_m2: f64,
}

impl ZoneAccumulator {
    /// Count, sum, mean, spread, extremes and areas only; keeps no values.
    pub fn moments_only(rule: CellRule) -> Self {
        Self { rule, ..Self::default() }
    }

    /// Also quantiles, majority, minority and variety; keeps the distinct values of the zone.
    pub fn with_values(rule: CellRule) -> Self {
        Self { rule, values: Some(Box::default()), ..Self::default() }
    }

    /// Adds a cell of which `fraction` lies in the zone.
    ///
    /// `value` is `None`, NaN or infinite where the cell is nodata. `cell_area_m2` is the true area of the whole cell.
    /// Cells with a fraction of 0 or less are ignored.
    #[inline]
    pub fn add(&mut self, value: Option<f64>, fraction: f32, cell_area_m2: f64) {
        if !self.rule.admits(fraction) {
            return;
        }
        let covered = f64::from(fraction);
        let valid = value.filter(|value| value.is_finite());
        self.totals.all_fraction += covered;
        self.totals.all_area_m2 += covered * cell_area_m2;
        if valid.is_some() {
            self.totals.valid_fraction += covered;
            self.totals.valid_area_m2 += covered * cell_area_m2;
        }
        let Some(value) = valid.or(self.rule.default_value()) else { return };
        let weight = self.rule.weight(fraction, cell_area_m2);
        self.moments.add(value, weight);
        if let Some(values) = &mut self.values {
            values.add(value, weight);
        }
    }

    /// Adds all cells of one coverage, in row-major order.
    ///
    /// `value_at` and `area_at` are asked for (row, column) in the coverage's window: the cell's value, `None`
    /// where nodata, and its whole true area in m².
    pub fn add_coverage(
        &mut self,
        coverage: &Coverage,
        mut value_at: impl FnMut(u32, u32) -> Option<f64>,
        mut area_at: impl FnMut(u32, u32) -> f64,
    ) {
        for run in coverage.runs() {
            for col in run.col_start..run.col_start + run.len {
                self.add(value_at(run.row, col), run.fraction, area_at(run.row, col));
            }
        }
    }

    /// Adds everything `other` has seen; both must have been made alike.
    ///
    /// If only one of them keeps values, the result keeps none rather than half of them.
    pub fn merge(&mut self, other: &Self) {
        self.totals.all_fraction += other.totals.all_fraction;
        self.totals.valid_fraction += other.totals.valid_fraction;
        self.totals.all_area_m2 += other.totals.all_area_m2;
        self.totals.valid_area_m2 += other.totals.valid_area_m2;
        self.moments.merge(&other.moments);
        match (&mut self.values, &other.values) {
            (Some(values), Some(others)) => values.merge(others),
            _ => self.values = None,
        }
    }

    /// The moments gathered so far.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// The values gathered so far, if they are kept.
    pub fn values(&mut self) -> Option<&mut Distribution> {
        self.values.as_deref_mut()
    }

    /// Everything known about the zone, with the given quantiles besides the median.
    ///
    /// Quantiles are answered only if values are kept.
    pub fn summary(&mut self, quantiles: &[Quantile]) -> ZonalSummary {
        let moments = &self.moments;
        let totals = &self.totals;
        let mut summary = ZonalSummary {
            count: moments.count(),
            sum: moments.sum(),
            mean: finite(moments.mean()),
            variance: finite(moments.variance()),
            stdev: finite(moments.stdev()),
            coefficient_of_variation: finite(moments.coefficient_of_variation()),
            min: moments.min(),
            max: moments.max(),
            coverage: finite(totals.valid_fraction / totals.all_fraction),
            valid_area_m2: totals.valid_area_m2,
            area_m2: totals.all_area_m2,
            ..ZonalSummary::default()
        };
        let Some(values) = &mut self.values else { return summary };
        let sorted = values.sorted();
        summary.median = sorted.quantile(Quantile::MEDIAN);
        summary.quantiles =
            quantiles.iter().map(|&q| QuantileValue { q, value: sorted.quantile(q) }).collect();
        summary.majority = sorted.majority();
        summary.minority = sorted.minority();
        summary.variety = Some(sorted.variety());
        summary
    }
}

/// A quantile and the value found there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct QuantileValue {
    /// Where the distribution was read.
    pub q: Quantile,
    /// What was found; `None` without valid cells.
    pub value: Option<f64>,
}

/// The statistics of one zone in one layer. Values are in the layer's unit; what is not defined is `None`.
///
/// Without valid cells count, sum and variety are 0 and the rest is `None`. The last five are absent from
/// documents if values were not kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ZonalSummary {
    /// Sum of the weights c of valid cells: their number, each by its covered fraction.
    pub count: f64,
    /// Σcx.
    pub sum: f64,
    /// Σcx / Σc.
    pub mean: Option<f64>,
    /// Population variance Σc(x − mean)² / Σc.
    pub variance: Option<f64>,
    /// Square root of the variance.
    pub stdev: Option<f64>,
    /// stdev / mean; `None` if the mean is 0.
    pub coefficient_of_variation: Option<f64>,
    /// Smallest value of any cell touched.
    pub min: Option<f64>,
    /// Greatest value of any cell touched.
    pub max: Option<f64>,
    /// Share of the zone's cells that is valid, by covered fraction, 0..=1; `None` for a zone without cells.
    pub coverage: Option<f64>,
    /// True area of the zone where it is valid, in m².
    pub valid_area_m2: f64,
    /// True area of the zone as the sum over its cells, in m².
    pub area_m2: f64,
    /// Quantile 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median: Option<f64>,
    /// Quantiles asked for, in the order asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<QuantileValue>,
    /// Value covering most; of several the greatest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub majority: Option<f64>,
    /// Value covering least; of several the smallest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minority: Option<f64>,
    /// Number of distinct values; `None` if values were not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variety: Option<u64>,
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
