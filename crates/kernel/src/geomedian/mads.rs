//! Median absolute deviations of the observations around a point, in three metrics.

use super::Workspace;
use super::scalar::dot;

/// The three deviations of a geomedian, all zero or more, smaller meaning steadier.
///
/// Medians of even counts are the mean of the two middle values; no 1.4826 factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mads {
    /// Median Euclidean distance, in the unit of the observations (ρ).
    pub emad: f64,
    /// Median cosine distance `1 − cos(x, m)`, unitless, 0..=2.
    pub smad: f64,
    /// Median Bray-Curtis distance `Σ|x − m| / Σ|x + m|`, unitless.
    pub bcmad: f64,
}

impl Mads {
    /// No observation: NaN in all three.
    pub const NODATA: Self = Self { emad: f64::NAN, smad: f64::NAN, bcmad: f64::NAN };
    /// A single observation deviates from nothing.
    pub const ZERO: Self = Self { emad: 0.0, smad: 0.0, bcmad: 0.0 };
}

/// Deviations of `obs` (reflectance, one row per observation) around `point`.
///
/// Undefined distances are left out of their median: all three of an incomplete observation, the cosine
/// of a zero spectrum, Bray-Curtis where `Σ|x + m|` is 0. A median of nothing is NaN.
///
/// # Source
/// Roberts, Dunn, Mueller (2018), "Open Data Cube products using high-dimensional statistics of time
/// series", IGARSS.
pub fn mads<const P: usize>(obs: &[[f64; P]], point: &[f64; P], ws: &mut Workspace) -> Mads {
    let [euclidean, cosine, bray_curtis] = &mut ws.columns;
    for column in [&mut *euclidean, &mut *cosine, &mut *bray_curtis] {
        column.clear();
    }
    let point_squared = dot(point, point);
    for x in obs {
        let (mut squared, mut product, mut length_squared) = (0.0, 0.0, 0.0);
        let (mut apart, mut together) = (0.0, 0.0);
        for j in 0..P {
            let difference = x[j] - point[j];
            squared += difference * difference;
            product += x[j] * point[j];
            length_squared += x[j] * x[j];
            apart += difference.abs();
            together += (x[j] + point[j]).abs();
        }
        let lengths = (length_squared * point_squared).sqrt();
        push_defined(euclidean, squared);
        push_defined(cosine, if squared == 0.0 && lengths > 0.0 { 0.0 } else { 1.0 - product / lengths });
        push_defined(bray_curtis, if together == 0.0 { f64::NAN } else { apart / together });
    }
    if let [only] = euclidean[..]
        && only == 0.0
    {
        return Mads::ZERO;
    }
    Mads {
        emad: median_of(euclidean, f64::sqrt), // order is the same squared: two roots instead of n
        smad: median_of(cosine, |d| if d < 0.0 { 0.0 } else { d }), // rounding only
        bcmad: median_of(bray_curtis, |d| d),
    }
}

fn push_defined(column: &mut Vec<f64>, value: f64) {
    if !value.is_nan() {
        column.push(value);
    }
}

/// Median of `f(values)` for a growing `f`: the middle value, or the mean of the two middle ones; NaN when
/// empty. Reorders `values`.
fn median_of(values: &mut [f64], f: impl Fn(f64) -> f64) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if even {
        let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        0.5 * (f(lower) + f(*upper))
    } else {
        f(*upper)
    }
}
