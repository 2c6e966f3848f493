//! The last resort of the scalar solver: Newton's method with a line search.
//!
//! One pixel in ten thousand at `n ≤ 5` has its minimiser a few digital numbers from an observation and
//! the accelerated iteration bounces off the kink there. Newton's model includes that curvature; halving
//! the step until the cost falls makes it safe on the near-collinear stacks where bare Newton cycles.

use super::Workspace;
use super::scalar::{ON_OBSERVATION, Vertex, distance, dot, measure, norm};

/// Share of the fall promised by the slope that a step must deliver (Armijo).
const SUFFICIENT: f64 = 1e-4;
/// Share by which the cost may seem to grow from rounding; without it the last steps would be halved for
/// nothing.
const ROUNDING: f64 = 1e-14;
/// Halvings of a step before the cost is taken to be flat to the last digit.
const HALVINGS: u32 = 40;

/// Solved when the step (ρ), here a fair estimate of the distance to the minimiser, is shorter than this.
const TOLERANCE: f64 = 1e-9;

/// Where the search ended.
pub(super) struct Descent<const P: usize> {
    pub(super) point: [f64; P],
    pub(super) iterations: u32,
    pub(super) converged: bool,
}

/// Walks from `y` to the minimiser, in at most `limit` steps; `O(n²p)` once, to rule
/// out every observation, then `O(n·p²)` per step.
pub(super) fn descend<const P: usize>(
    obs: &[[f64; P]],
    mut y: [f64; P],
    limit: u32,
    ws: &mut Workspace,
) -> Descent<P> {
    let done = |point, iterations| Descent { point, iterations, converged: true };
    for (k, x) in obs.iter().enumerate() {
        if Vertex::at(obs, k).is_minimiser() {
            return done(*x, 1);
        }
    }
    ws.distance.clear();
    ws.distance.resize(obs.len(), 0.0);
    for iteration in 1..=limit {
        let pass = measure(obs, &y, &mut ws.distance);
        if pass.least < ON_OBSERVATION {
            y = Vertex::at(obs, pass.nearest).descend();
            continue;
        }
        let (gradient, hessian, weight) = derivatives(obs, &y, &ws.distance);
        let step =
            solve_positive(hessian, &gradient.map(|g| -g)).unwrap_or_else(|| gradient.map(|g| -g / weight)); // the Weiszfeld step always descends
        let slope = dot(&gradient, &step);
        let ahead = |share: f64| -> [f64; P] { std::array::from_fn(|j| y[j] + share * step[j]) };
        if norm(&step) < TOLERANCE {
            return done(ahead(1.0), iteration);
        }
        let mut share = 1.0;
        let mut halvings = 0;
        let enough = |share: f64| pass.cost * (1.0 + ROUNDING) + SUFFICIENT * share * slope;
        while total_distance(obs, &ahead(share)) > enough(share) {
            share *= 0.5;
            halvings += 1;
            if halvings == HALVINGS {
                return done(y, iteration);
            }
        }
        y = ahead(share);
    }
    Descent { point: y, iterations: limit, converged: false }
}

fn total_distance<const P: usize>(obs: &[[f64; P]], y: &[f64; P]) -> f64 {
    obs.iter().map(|x| distance(x, y)).sum()
}

/// Gradient `Σ (y − xᵢ)/dᵢ`, Hessian `Σ (I − uᵢuᵢᵀ)/dᵢ` with `uᵢ` the unit vector of `y − xᵢ`, and `Σ 1/dᵢ`.
fn derivatives<const P: usize>(
    obs: &[[f64; P]],
    y: &[f64; P],
    distance: &[f64],
) -> ([f64; P], [[f64; P]; P], f64) {
    let mut gradient = [0.0; P];
    let mut hessian = [[0.0; P]; P];
    let mut weight = 0.0;
    for (x, &d) in obs.iter().zip(distance) {
        let unit: [f64; P] = std::array::from_fn(|j| (y[j] - x[j]) / d);
        weight += 1.0 / d;
        for a in 0..P {
            gradient[a] += unit[a];
            hessian[a][a] += 1.0 / d;
            for b in 0..P {
                hessian[a][b] -= unit[a] * unit[b] / d;
            }
        }
    }
    (gradient, hessian, weight)
}

/// Solves `A·x = b` by Cholesky's factorisation; `None` unless `A` is safely positive definite.
fn solve_positive<const P: usize>(mut a: [[f64; P]; P], b: &[f64; P]) -> Option<[f64; P]> {
    const SAFE: f64 = 1e-13;
    let largest = (0..P).map(|j| a[j][j]).fold(0.0, f64::max);
    let mut x = *b;
    for j in 0..P {
        for k in 0..j {
            let factor = a[j][k];
            for row in a.iter_mut().skip(j) {
                row[j] -= row[k] * factor;
            }
            x[j] -= factor * x[k];
        }
        if a[j][j] <= SAFE * largest {
            return None;
        }
        let root = a[j][j].sqrt();
        for row in a.iter_mut().skip(j) {
            row[j] /= root;
        }
        x[j] /= root;
    }
    for j in (0..P).rev() {
        for k in j + 1..P {
            x[j] -= a[k][j] * x[k];
        }
        x[j] /= a[j][j];
    }
    Some(x)
}
