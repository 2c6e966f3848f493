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
            let mut sum = a[i][j];
            for k in 0..j {
                sum -= a[i][k] * a[j][k];
            }
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
        for k in 0..i {
            x[i] -= a[i][k] * x[k];
        }
        x[i] /= a[i][i];
    }
    for i in (0..p).rev() {
        for k in i + 1..p {
            x[i] -= a[k][i] * x[k];
        }
        x[i] /= a[i][i];
    }
    Some(x)
}
