//! Symmetric positive systems of a few unknowns.

use super::MAX_PARAMETERS;

/// A pivot that is left with less than this share of its diagonal means dependent columns.
const DEPENDENT: f64 = 1e-10;

/// Solves `A x = b` in place, `A` by its lower triangle in the first `p` rows; `None` if it is singular.
pub(super) fn solve(
    a: &mut [[f64; MAX_PARAMETERS]; MAX_PARAMETERS],
    b: &[f64; MAX_PARAMETERS],
    p: usize,
) -> Option<[f64; MAX_PARAMETERS]> {
    for i in 0..p {
        let diagonal = a[i][i];
        for j in 0..=i {
            let sum = a[i][..j].iter().zip(&a[j][..j]).fold(a[i][j], |sum, (x, y)| sum - x * y);
            if j < i {
                a[i][j] = sum / a[j][j];
            } else if sum > DEPENDENT * diagonal {
                a[i][i] = sum.sqrt();
            } else {
                return None; // NaN comes here too
            }
        }
    }
    let mut x = *b;
    for i in 0..p {
        let sum = a[i][..i].iter().zip(&x[..i]).fold(x[i], |sum, (a, x)| sum - a * x);
        x[i] = sum / a[i][i];
    }
    for i in (0..p).rev() {
        let sum = a[i + 1..p].iter().zip(&x[i + 1..p]).fold(x[i], |sum, (a, x)| sum - a[i] * x);
        x[i] = sum / a[i][i];
    }
    Some(x)
}
