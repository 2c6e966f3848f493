//! Tails of the normal distribution.

/// `2/√π ∫ₓ^∞ exp(−t²) dt` for `x ≥ 0`, to about 14 digits: the Maclaurin series near 0, the continued fraction
/// beyond (Abramowitz and Stegun 7.1.6 and 7.1.14).
pub(super) fn erfc(x: f64) -> f64 {
    const SQRT_PI: f64 = 1.772_453_850_905_516;
    if x < 2.0 {
        let (mut term, mut sum) = (x, x);
        for k in 1..60 {
            term *= 2.0 * x * x / f64::from(2 * k + 1);
            sum += term;
        }
        return 1.0 - 2.0 / SQRT_PI * (-x * x).exp() * sum;
    }
    let mut fraction = 0.0;
    for k in (1..=120).rev() {
        fraction = 0.5 * f64::from(k) / (x + fraction);
    }
    (-x * x).exp() / (SQRT_PI * (x + fraction))
}
