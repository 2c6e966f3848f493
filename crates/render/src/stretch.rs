//! Physical values to bytes for red, green and blue.

use crate::steps::Steps;

/// `255 · t^(1 / gamma)`, rounded half up, with t the place of a value in the range, clamped.
#[derive(Debug, Clone)]
pub(crate) enum Stretch {
    /// Gamma 1.
    Linear {
        /// Value painted 0.
        low: f32,
        /// Bytes in one unit.
        per_unit: f32,
    },
    /// Any other gamma, as the values where each byte begins.
    Curve(Steps),
}

impl Stretch {
    pub(crate) fn new([low, high]: [f64; 2], gamma: f64) -> Self {
        if gamma == 1.0 {
            return Self::Linear { low: low as f32, per_unit: (255.0 / (high - low)) as f32 };
        }
        let begin = |byte: u8| (low + (high - low) * ((f64::from(byte) - 0.5) / 255.0).powf(gamma)) as f32;
        Self::Curve(Steps::new((1..=u8::MAX).map(begin).collect()))
    }

    /// The byte of a value; 0 for NaN.
    #[inline]
    pub(crate) fn byte(&self, value: f32) -> u8 {
        match self {
            Self::Linear { low, per_unit } => linear(value, *low, *per_unit),
            Self::Curve(steps) => steps.reached(value),
        }
    }

    /// Paints three planes as RGBA pixels; a pixel with NaN in any is transparent black.
    pub(crate) fn paint(&self, planes: [&[f32]; 3], pixels: &mut [u8]) {
        match self {
            Self::Linear { low, per_unit } => paint(planes, pixels, |v| linear(v, *low, *per_unit)),
            Self::Curve(steps) => paint(planes, pixels, |v| steps.reached(v)),
        }
    }
}

#[inline]
fn linear(value: f32, low: f32, per_unit: f32) -> u8 {
    ((value - low) * per_unit + 0.5) as u8 // clamps; NaN is 0
}

#[inline]
fn paint([red, green, blue]: [&[f32]; 3], pixels: &mut [u8], byte: impl Fn(f32) -> u8) {
    for (((pixel, r), g), b) in pixels.chunks_exact_mut(4).zip(red).zip(green).zip(blue) {
        let alpha = if r.is_nan() | g.is_nan() | b.is_nan() { 0 } else { 255 };
        let color = [byte(*r), byte(*g), byte(*b), 255];
        pixel.copy_from_slice(&color.map(|channel| channel & alpha));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_middle_and_beyond() {
        let linear = Stretch::new([0.0, 0.3], 1.0);
        assert_eq!([-1.0, 0.0, 0.15, 0.3, 0.9, f32::NAN].map(|v| linear.byte(v)), [0, 0, 128, 255, 255, 0]);
    }

    #[test]
    fn a_curve_is_the_rounded_power() {
        for gamma in [0.5, 1.0, 1.8, 2.2] {
            let curve = Stretch::new([0.05, 0.45], gamma);
            for i in 0..=2000 {
                let t = f64::from(i) / 2000.0;
                let exact = 255.0 * t.powf(1.0 / gamma);
                let found = f64::from(curve.byte((0.05 + 0.4 * t) as f32));
                // f32 values may lie a hair to either side of a threshold.
                assert!(
                    (found - exact).abs() <= 0.5 + 1e-2 * exact.min(1.0) + 2e-3,
                    "{gamma} {t} {found} {exact}"
                );
            }
        }
    }
}
