//! Stored numbers and the physical values they stand for (`science.md` 1.2).

use serde::{Deserialize, Serialize};

/// How a band stores a physical value: `value = stored * scale + offset`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    /// Physical units per stored unit.
    pub scale: f64,
    /// Physical value of stored zero.
    pub offset: f64,
    /// The stored number that means "no observation".
    pub nodata: Option<i32>,
    /// Stored numbers within the documented range, both ends included.
    pub valid_range: Option<(i32, i32)>,
}

impl Scaling {
    /// Surface reflectance of Collection 2.
    pub const C2_SR: Self =
        Self { scale: 2.75e-5, offset: -0.2, nodata: Some(0), valid_range: Some((7273, 43636)) };

    /// Surface temperature of Collection 2, in kelvin.
    pub const C2_ST: Self =
        Self { scale: 0.003_418_02, offset: 149.0, nodata: Some(0), valid_range: Some((293, 65535)) };

    /// Surface reflectance of Collection 1 and before.
    pub const C1_SR: Self =
        Self { scale: 1e-4, offset: 0.0, nodata: Some(-9999), valid_range: Some((0, 10_000)) };

    /// The physical value, or `None` for nodata. The valid range is not applied.
    pub fn value(&self, stored: i32) -> Option<f64> {
        if self.nodata == Some(stored) { None } else { Some(self.raw(stored)) }
    }

    /// `stored * scale + offset`, nodata or not.
    pub fn raw(&self, stored: i32) -> f64 {
        f64::from(stored) * self.scale + self.offset
    }

    /// The nearest stored number to a physical value, not clamped to any type; `None` if it is not finite or
    /// does not fit 32 bits.
    pub fn stored(&self, value: f64) -> Option<i32> {
        let number = ((value - self.offset) / self.scale).round();
        let fits = number >= f64::from(i32::MIN) && number <= f64::from(i32::MAX);
        // The range was checked, so the conversion is exact.
        #[allow(clippy::cast_possible_truncation)]
        fits.then_some(number as i32)
    }

    /// Whether a stored number is an observation within the documented range.
    pub fn is_valid(&self, stored: i32) -> bool {
        self.nodata != Some(stored)
            && self.valid_range.is_none_or(|(low, high)| (low..=high).contains(&stored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-9, "{got} != {expected}");
    }

    #[test]
    fn kat_l1_reflectance() {
        let cases = [
            (1, -0.199_972_5),
            (7272, -0.000_02),
            (7273, 0.000_007_5),
            (14545, 0.199_987_5),
            (43636, 0.999_99),
            (65535, 1.602_212_5),
        ];
        for (stored, reflectance) in cases {
            near(Scaling::C2_SR.value(stored).unwrap(), reflectance);
            assert_eq!(Scaling::C2_SR.stored(reflectance), Some(stored));
        }
        assert_eq!(Scaling::C2_SR.value(0), None);
        assert!(!Scaling::C2_SR.is_valid(7272) && Scaling::C2_SR.is_valid(7273));
        assert!(Scaling::C2_SR.is_valid(43636) && !Scaling::C2_SR.is_valid(43637));
        assert!(!Scaling::C2_SR.is_valid(0));
    }

    #[test]
    fn kat_l1_temperature() {
        near(Scaling::C2_ST.value(293).unwrap(), 293.0 * 0.003_418_02 + 149.0);
        assert!((Scaling::C2_ST.value(293).unwrap() - 150.001_48).abs() < 5e-6);
        assert!((Scaling::C2_ST.value(44177).unwrap() - 299.997_87).abs() < 5e-6);
    }

    #[test]
    fn collection_1_and_values_out_of_reach() {
        assert_eq!(Scaling::C1_SR.value(-9999), None);
        near(Scaling::C1_SR.value(1234).unwrap(), 0.1234);
        assert_eq!(Scaling::C1_SR.stored(f64::NAN), None);
        assert_eq!(Scaling::C1_SR.stored(1e9), None);
    }
}
