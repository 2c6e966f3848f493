//! The fast solver: Anderson acceleration of the Weiszfeld map, one pixel a lane, `f32`.
//!
//! The iteration is that of [`super::super::scalar`]; what it leaves out is the test of observations for being
//! the minimiser. A lane that comes near one is given up, to be solved there.

use super::lanes::{Lanes, dot};

/// Passes before the lanes not solved are given up. Nine in ten pixels of 46 observations need seven or eight.
const MAX_PASSES: u32 = 40;

/// Solved when `‖T(y) − y‖ · mean(1/d) · mean(d)` (ρ), an estimate of the distance to the minimiser, is less than
/// this: 0.07 DN. Rounding leaves a tenth of it.
const TOLERANCE: f32 = 2e-6;

/// And the extrapolated point, which knows how flat the cost is, is nearer than this (ρ). Where it is too flat for
/// either to say, the deviations find out.
const LEAP: f32 = 2e-6;

/// Lanes with fewer observations than this, where costs are flat more often, must come as near as this share of both.
const SPARSE: f32 = 13.0;
const NEARER: f32 = 0.5;

/// A lane is given up when its point is nearer to an observation than this share of the mean distance.
const NEAR_SHARE: f32 = 0.003;

/// Cost may grow by this share (rounding) before an extrapolation is refused.
const CLIMB_TOLERANCE: f32 = 1e-6;

/// The first step is lengthened by this share of itself: the mean lies on the side of the clouds, from where the map always
/// falls short, and up to twice its step the cost falls. One pass in ten is saved.
const LENGTHENED: f32 = 0.25;

/// Ridge on the diagonal of the normal equations, whose columns are scaled to one.
const RIDGE: f32 = 1e-5;

/// Added to each squared distance (ρ²) instead of asking whether it is zero.
const FLOOR: f32 = 1e-14;

/// Observations whose terms are added up apart before they join the sum: bounds its rounding for long series.
const RUN: usize = 64;

/// The observations of `L` pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observations<'a, V, const L: usize, const P: usize> {
    /// `rows[k]` is the `k`-th complete observation of every lane (ρ, time order). What a lane holds beyond its
    /// count is ignored but must be finite.
    pub(super) rows: &'a [[[f32; L]; P]],
    /// How many each lane has.
    pub(super) counts: V,
    /// Every lane that matters has at least this many.
    pub(super) full: usize,
}

/// Solves the lanes of `active`; returns their minimisers (ρ) and which of them met the tolerance.
#[inline(always)]
pub(super) fn solve<V: Lanes<L>, const L: usize, const P: usize>(
    obs: &Observations<'_, V, L, P>,
    active: V::Mask,
) -> ([V; P], V::Mask) {
    let zero = V::splat(0.0);
    let one = V::splat(1.0);
    let endless = V::splat(f32::INFINITY);
    // An inactive lane may be empty.
    let per_count = one / V::choose(active, obs.counts, one);

    let nearer = V::choose(obs.counts.less(V::splat(SPARSE)), V::splat(NEARER * NEARER), one);
    let (tolerance, longest_leap) =
        (V::splat(TOLERANCE * TOLERANCE) * nearer, V::splat(LEAP * LEAP) * nearer);

    let mut y = mean(obs, per_count);
    let mut running = active;
    let mut solved = V::and_not(active, active);
    let mut previous_cost = endless;
    // The last step and image, and how they differed from those before; the changes are zero without history.
    let mut remembered = solved;
    let (mut step_1, mut image_1) = ([zero; P], [zero; P]);
    let (mut step_change_2, mut image_change_2) = ([zero; P], [zero; P]);

    for passes in 0..MAX_PASSES {
        let pass = measure(obs, &y);
        let (mean_distance, mean_weight) = (pass.cost * per_count, pass.weight * per_count);
        let inverse = one / pass.weight;
        let mut step = pass.pull;
        let mut image = y;
        for j in 0..P {
            step[j] = step[j] * inverse;
            image[j] = y[j] + step[j];
        }

        let mut step_change = step;
        let mut image_change = image;
        for j in 0..P {
            step_change[j] = V::choose(remembered, step[j] - step_1[j], zero);
            image_change[j] = V::choose(remembered, image[j] - image_1[j], zero);
        }
        let (g1, g2) = mixing(&step, &step_change, &step_change_2);
        let mut next = image;
        let mut leap = image;
        for j in 0..P {
            next[j] = image[j] - (g1 * image_change[j] + g2 * image_change_2[j]);
            if passes == 0 {
                next[j] = image[j] + V::splat(LENGTHENED) * step[j];
            }
            leap[j] = next[j] - y[j];
        }

        let near = V::splat(NEAR_SHARE) * mean_distance;
        let given_up = V::and(running, pass.nearest.less(near * near));
        let scale = mean_distance * mean_weight;
        let still = (dot(&step, &step) * (scale * scale)).less(tolerance);
        let near_by = dot(&leap, &leap).less(longest_leap);
        let done = V::and_not(V::and(running, V::and(still, near_by)), given_up);
        solved = V::or(solved, done);
        let going_on = V::and_not(V::and_not(running, done), given_up);
        let climbs = V::and(going_on, (previous_cost * V::splat(1.0 + CLIMB_TOLERANCE)).less(pass.cost));
        let moving = V::or(going_on, done);
        for j in 0..P {
            y[j] = V::choose(moving, V::choose(climbs, image_1[j], next[j]), y[j]);
            step_1[j] = step[j];
            image_1[j] = image[j];
            step_change_2[j] = V::choose(climbs, zero, step_change[j]);
            image_change_2[j] = V::choose(climbs, zero, image_change[j]);
        }
        previous_cost = V::choose(climbs, endless, pass.cost);
        remembered = V::and_not(going_on, climbs);
        running = going_on;
        if V::bits(running) == 0 {
            break;
        }
    }
    (y, solved)
}

#[inline(always)]
fn mean<V: Lanes<L>, const L: usize, const P: usize>(
    obs: &Observations<'_, V, L, P>,
    per_count: V,
) -> [V; P] {
    let zero = V::splat(0.0);
    let mut total = [zero; P];
    for (i, run) in obs.rows.chunks(RUN).enumerate() {
        let mut sum = [zero; P];
        for (k, x) in (i * RUN..).zip(run) {
            let here = V::splat(k as f32).less(obs.counts);
            for j in 0..P {
                sum[j] = sum[j] + V::choose(here, V::load(&x[j]), zero);
            }
        }
        for j in 0..P {
            total[j] = total[j] + sum[j];
        }
    }
    for v in &mut total {
        *v = *v * per_count;
    }
    total
}

/// Sums over the observations of each lane.
struct Pass<V, const P: usize> {
    /// `Σ d`.
    cost: V,
    /// `Σ 1/d`.
    weight: V,
    /// `Σ (x − y)/d`.
    pull: [V; P],
    /// Least `d²`.
    nearest: V,
}

#[inline(always)]
fn measure<V: Lanes<L>, const L: usize, const P: usize>(
    obs: &Observations<'_, V, L, P>,
    y: &[V; P],
) -> Pass<V, P> {
    let zero = V::splat(0.0);
    let one = V::splat(1.0);
    let mut total = Pass { cost: zero, weight: zero, pull: [zero; P], nearest: V::splat(f32::INFINITY) };
    for (i, run) in obs.rows.chunks(RUN).enumerate() {
        let (mut cost, mut weight, mut pull, mut nearest) = (zero, zero, [zero; P], total.nearest);
        let start = i * RUN;
        let (whole, ragged) = run.split_at(obs.full.saturating_sub(start).min(run.len()));
        for x in whole {
            let (offset, squared) = offset(x, y);
            let d = squared.sqrt();
            let w = one / d;
            cost = cost + d;
            weight = weight + w;
            nearest = squared.min(nearest);
            for j in 0..P {
                pull[j] = pull[j] + w * offset[j];
            }
        }
        for (k, x) in (start + whole.len()..).zip(ragged) {
            let here = V::splat(k as f32).less(obs.counts);
            let (offset, squared) = offset(x, y);
            let d = squared.sqrt();
            let w = V::choose(here, one / d, zero);
            cost = cost + V::choose(here, d, zero);
            weight = weight + w;
            nearest = V::choose(here, squared.min(nearest), nearest);
            for j in 0..P {
                pull[j] = pull[j] + w * offset[j];
            }
        }
        total.cost = total.cost + cost;
        total.weight = total.weight + weight;
        for (sum, part) in total.pull.iter_mut().zip(pull) {
            *sum = *sum + part;
        }
        total.nearest = nearest;
    }
    total
}

/// `x − y` and its squared length above the floor.
#[inline(always)]
fn offset<V: Lanes<L>, const L: usize, const P: usize>(x: &[[f32; L]; P], y: &[V; P]) -> ([V; P], V) {
    let mut offset = *y;
    let mut squared = V::splat(FLOOR);
    for j in 0..P {
        offset[j] = V::load(&x[j]) - y[j];
        squared = squared + offset[j] * offset[j];
    }
    (offset, squared)
}

/// The shares of the last two changes that best cancel the step, 0 for a change that is zero.
#[inline(always)]
fn mixing<V: Lanes<L>, const L: usize, const P: usize>(
    step: &[V; P],
    change_1: &[V; P],
    change_2: &[V; P],
) -> (V, V) {
    let (zero, one, least) = (V::splat(0.0), V::splat(1.0), V::splat(1e-30));
    let (a11, a12, a22) = (dot(change_1, change_1), dot(change_1, change_2), dot(change_2, change_2));
    // Scaled by the diagonal, or products of squares of small steps would underflow.
    let i1 = V::choose(least.less(a11), one / a11, zero);
    let i2 = V::choose(least.less(a22), one / a22, zero);
    let (b1, b2) = (dot(change_1, step) * i1, dot(change_2, step) * i2);
    let (c1, c2) = (a12 * i1, a12 * i2);
    let ridged = V::splat(1.0 + RIDGE) - c1 * c2;
    let inverse = one / ridged.max(V::splat(RIDGE));
    ((b1 - c1 * b2) * inverse, (b2 - c2 * b1) * inverse)
}
