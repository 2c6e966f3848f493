//! Where the geometric median is not unique.

use super::Workspace;
use super::scalar::{dot, norm, subtract};

/// Distances below this share of the coordinates' size are rounding. Exactly collinear digital numbers are
/// within 1e-15 once scaled; the nearest miss that 16-bit numbers allow is 1e-10.
const RELATIVE_TOLERANCE: f64 = 1e-13;

/// Whether the minimisers of `Σ‖xᵢ − y‖` fill a segment: an even number of observations, all on one line,
/// whose two middle ones differ. `O(n·p)`; leaves at the first observation off the line.
pub(super) fn minimiser_is_segment<const P: usize>(obs: &[[f64; P]], ws: &mut Workspace) -> bool {
    let Some(origin) = obs.first() else { return false };
    if obs.len() % 2 == 1 {
        return false;
    }
    let mut axis = [0.0; P];
    let mut axis_squared = 0.0;
    for x in obs {
        let offset = subtract(x, origin);
        let squared = dot(&offset, &offset);
        if squared > axis_squared {
            (axis, axis_squared) = (offset, squared);
        }
    }
    if axis_squared == 0.0 {
        return false;
    }
    let length = axis_squared.sqrt();
    let tolerance = RELATIVE_TOLERANCE * (norm(origin) + length);

    let along = &mut ws.columns[0];
    along.clear();
    for x in obs {
        let offset = subtract(x, origin);
        let t = dot(&offset, &axis) / axis_squared;
        let across: [f64; P] = std::array::from_fn(|j| offset[j] - t * axis[j]);
        if norm(&across) > tolerance {
            return false;
        }
        along.push(t * length);
    }
    let (below, upper, _) = along.select_nth_unstable_by(obs.len() / 2, f64::total_cmp);
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    *upper - lower > tolerance
}
