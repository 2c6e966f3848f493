//! A quantile that exists.

use serde::{Deserialize, Serialize};

use crate::StatsError;

/// A probability in 0..=1 at which a distribution is read: 0.5 is the median.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Quantile(f64);

impl Quantile {
    /// The middle of a distribution.
    pub const MEDIAN: Self = Self(0.5);

    /// # Errors
    /// [`StatsError::QuantileOutOfRange`] outside 0..=1 or for NaN.
    pub fn new(q: f64) -> Result<Self, StatsError> {
        if (0.0..=1.0).contains(&q) { Ok(Self(q)) } else { Err(StatsError::QuantileOutOfRange { q }) }
    }

    /// The probability.
    pub fn probability(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Quantile {
    type Error = StatsError;

    fn try_from(q: f64) -> Result<Self, StatsError> {
        Self::new(q)
    }
}

impl From<Quantile> for f64 {
    fn from(quantile: Quantile) -> Self {
        quantile.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_quantiles_are_refused_also_in_documents() {
        assert!(Quantile::new(f64::NAN).is_err());
        assert!(Quantile::new(-0.01).is_err());
        assert!(serde_json::from_str::<Quantile>("1.5").is_err());
        assert_eq!(serde_json::from_str::<Quantile>("0.5").unwrap(), Quantile::MEDIAN);
    }
}
