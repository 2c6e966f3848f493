//! Which cells count, and by how much.

use serde::{Deserialize, Serialize};

use crate::StatsError;

/// What a cell weighs in a zone's statistics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellWeighting {
    /// Its covered fraction: the rule for all official figures.
    #[default]
    Fraction,
    /// 1, however little is covered.
    None,
    /// Its covered true area in m²: for zones so large that the projection's scale varies within them.
    TrueArea,
}

/// How cells enter a zone's statistics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, try_from = "RuleFields")]
pub struct CellRule {
    weighting: CellWeighting,
    min_fraction: f32,
    default_value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFields {
    #[serde(default)]
    weighting: CellWeighting,
    #[serde(default)]
    min_fraction: f32,
    #[serde(default)]
    default_value: Option<f64>,
}

impl TryFrom<RuleFields> for CellRule {
    type Error = StatsError;

    fn try_from(fields: RuleFields) -> Result<Self, StatsError> {
        let rule = Self::default().with_weighting(fields.weighting).with_min_fraction(fields.min_fraction)?;
        Ok(match fields.default_value {
            Some(value) => rule.with_default_value(value),
            None => rule,
        })
    }
}

impl CellRule {
    /// Sets what a cell weighs.
    #[must_use]
    pub fn with_weighting(self, weighting: CellWeighting) -> Self {
        Self { weighting, ..self }
    }

    /// Leaves cells out that are covered by less than this; the others keep their weights.
    ///
    /// Such cells are also missing from the areas and from the valid share.
    ///
    /// # Errors
    /// [`StatsError::MinFractionOutOfRange`] outside 0..=1.
    pub fn with_min_fraction(self, min_fraction: f32) -> Result<Self, StatsError> {
        if (0.0..=1.0).contains(&min_fraction) {
            Ok(Self { min_fraction, ..self })
        } else {
            Err(StatsError::MinFractionOutOfRange { min_fraction })
        }
    }

    /// Lets nodata cells enter the statistics with this value; they still count as not valid in `coverage` and
    /// in the areas. A value that is not finite takes the default away again.
    #[must_use]
    pub fn with_default_value(self, value: f64) -> Self {
        Self { default_value: value.is_finite().then_some(value), ..self }
    }

    /// True if a cell covered by `fraction` takes part.
    #[inline]
    pub(crate) fn admits(&self, fraction: f32) -> bool {
        fraction > 0.0 && fraction >= self.min_fraction
    }

    /// What a cell that takes part weighs.
    #[inline]
    pub(crate) fn weight(&self, fraction: f32, cell_area_m2: f64) -> f64 {
        match self.weighting {
            CellWeighting::Fraction => f64::from(fraction),
            CellWeighting::None => 1.0,
            CellWeighting::TrueArea => f64::from(fraction) * cell_area_m2,
        }
    }

    #[inline]
    pub(crate) fn default_value(&self) -> Option<f64> {
        self.default_value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_checked_too() {
        let rule: CellRule = serde_json::from_str(r#"{"weighting": "none", "min_fraction": 0.5}"#).unwrap();
        assert_eq!(
            rule,
            CellRule::default().with_weighting(CellWeighting::None).with_min_fraction(0.5).unwrap()
        );
        assert!(serde_json::from_str::<CellRule>(r#"{"min_fraction": 2}"#).is_err());
        assert!(serde_json::from_str::<CellRule>(r#"{"min_fractoin": 0.5}"#).is_err());
        assert!(CellRule::default().with_min_fraction(f32::NAN).is_err());
    }
}
