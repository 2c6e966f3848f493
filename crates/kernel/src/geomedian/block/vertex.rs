//! Minimisers that are an observation, one pixel a lane, `f32`: nearly half of all of three observations, one in a hundred
//! of eight.

use super::lanes::{Lanes, dot};
use super::solve::Observations;

/// Lanes with at most this many observations are asked: each is compared with each.
pub(super) const FEW: usize = 8;

/// The first observation that is the minimiser of its lane, and the lanes of `active` that have one.
///
/// Kuhn's inequality: the pull of the others does not exceed the hold of those that coincide with it. Where `f32` cannot
/// say which is greater the minimiser is as near to the observation as rounding.
#[inline(always)]
pub(super) fn vertex<V: Lanes<L>, const L: usize, const P: usize>(
    obs: &Observations<'_, V, L, P>,
    active: V::Mask,
) -> ([V; P], V::Mask) {
    let (zero, one) = (V::splat(0.0), V::splat(1.0));
    let mut found = V::and_not(active, active);
    let mut point = [zero; P];
    let rows = &obs.rows[..obs.rows.len().min(FEW)];
    for (k, datum) in rows.iter().enumerate() {
        let mut y = point;
        for j in 0..P {
            y[j] = V::load(&datum[j]);
        }
        let (mut hold, mut pull) = (zero, [zero; P]);
        for (i, x) in rows.iter().enumerate() {
            let here = V::splat(i as f32).less(obs.counts);
            let mut offset = y;
            let mut squared = zero;
            for j in 0..P {
                offset[j] = V::load(&x[j]) - y[j];
                squared = squared + offset[j] * offset[j];
            }
            let apart = zero.less(squared);
            let weight = V::choose(V::and(here, apart), one / squared.sqrt(), zero);
            hold = hold + V::choose(V::and_not(here, apart), one, zero);
            for j in 0..P {
                pull[j] = pull[j] + weight * offset[j];
            }
        }
        let asked = V::and(V::and_not(active, found), V::splat(k as f32).less(obs.counts));
        let least = V::and_not(asked, (hold * hold).less(dot(&pull, &pull)));
        for j in 0..P {
            point[j] = V::choose(least, y[j], point[j]);
        }
        found = V::or(found, least);
        if V::bits(V::and_not(active, found)) == 0 {
            break;
        }
    }
    (point, found)
}
