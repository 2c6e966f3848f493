//! The robust solver: one pixel, `f64`, right for every `n` and for minimisers that are an observation.
//!
//! The Weiszfeld image of `y` is `T(y) = Σ wᵢxᵢ / Σ wᵢ` with `wᵢ = 1/‖xᵢ − y‖`. It always descends but
//! crawls near an observation, so the sequence is extrapolated (Anderson acceleration with two columns) and
//! falls back to the plain image whenever the extrapolation climbs. An observation close to the current
//! point is tested once for being the minimiser itself, which is decided by Kuhn's inequality and not by
//! convergence. What is not solved by then goes to Newton's method with a line search.

use super::collinear::minimiser_is_segment;
use super::newton::{Descent, descend};
use super::{QaFlags, Solution, Workspace};

/// Passes over the observations before giving up with [`QaFlags::MAX_ITERATIONS`].
pub const MAX_ITERATIONS: u32 = 200;

/// Passes before the accelerated iteration hands over to Newton's method.
const ACCELERATED_ITERATIONS: u32 = 60;

/// Solved when the estimated distance to the minimiser (ρ) is less than this; see [`iterate`].
const TOLERANCE: f64 = 1e-9;

/// The same with at most [`FEW`] observations, where the estimate is least reliable: nearly collinear
/// stacks have a direction of almost no curvature.
const TOLERANCE_FEW: f64 = 1e-10;
const FEW: usize = 8;

/// An observation nearer than this share of the mean distance is tested for being the minimiser.
const VERTEX_TEST_SHARE: f64 = 0.2;

/// Distance (ρ) at which the point counts as sitting on an observation.
pub(super) const ON_OBSERVATION: f64 = 1e-9;

/// Cost may grow by this share (rounding) before an extrapolation is refused.
const CLIMB_TOLERANCE: f64 = 1e-13;

/// Solves for **complete** observations (every band finite), in time order.
///
/// `O(n·p)` per iteration, 8 to 10 iterations being usual; see [`super::geomedian`] for the rules at small
/// `n`.
pub fn solve<const P: usize>(obs: &[[f64; P]], ws: &mut Workspace) -> Solution<P> {
    let flags = QaFlags::of_count(obs.len());
    match obs {
        [] => Solution { point: [f64::NAN; P], iterations: 0, flags },
        [only] => Solution { point: *only, iterations: 0, flags },
        [a, b] => {
            let unique = if a == b { QaFlags::NONE } else { QaFlags::NON_UNIQUE };
            let point = std::array::from_fn(|j| 0.5 * (a[j] + b[j]));
            Solution { point, iterations: 0, flags: flags | unique }
        }
        _ => {
            let mut solution = iterate(obs, ws);
            solution.flags |= flags;
            if minimiser_is_segment(obs, ws) {
                solution.flags |= QaFlags::NON_UNIQUE;
            }
            solution
        }
    }
}

/// The accelerated iteration, for three observations or more.
///
/// Stops on `‖T(y) − y‖ · mean(1/d) · mean(d)`. The step alone is the gradient over `Σ 1/d`, which one
/// observation next to `y` makes huge, and the step small, long before the gradient is; the product
/// measures the gradient against the curvature of a typical observation instead.
fn iterate<const P: usize>(obs: &[[f64; P]], ws: &mut Workspace) -> Solution<P> {
    let n = obs.len() as f64;
    let tolerance = if obs.len() <= FEW { TOLERANCE_FEW } else { TOLERANCE };
    ws.tested.clear();
    ws.tested.resize(obs.len(), false);
    ws.distance.clear();
    ws.distance.resize(obs.len(), 0.0);

    let mut y = mean(obs);
    let mut image = y;
    let mut history = History::new();
    let mut previous_cost = f64::INFINITY;

    for iteration in 1..=ACCELERATED_ITERATIONS {
        let done = |point| Solution { point, iterations: iteration, flags: QaFlags::NONE };
        let Pass { cost, nearest, least } = measure(obs, &y, &mut ws.distance);
        if cost == 0.0 {
            return done(y);
        }
        if cost > previous_cost * (1.0 + CLIMB_TOLERANCE) {
            y = image;
            history.clear();
            previous_cost = f64::INFINITY;
            continue;
        }
        previous_cost = cost;

        if least <= VERTEX_TEST_SHARE * cost / n && !ws.tested[nearest] {
            ws.tested[nearest] = true;
            if Vertex::at(obs, nearest).is_minimiser() {
                return done(obs[nearest]);
            }
        }
        if least < ON_OBSERVATION {
            let vertex = Vertex::at(obs, nearest);
            if vertex.is_minimiser() {
                return done(obs[nearest]); // only where all observations lie within rounding of it
            }
            y = vertex.descend();
            history.clear();
            previous_cost = f64::INFINITY;
            continue;
        }

        let (step, total_weight) = weiszfeld_step(obs, &y, &ws.distance);
        image = std::array::from_fn(|j| y[j] + step[j]);
        if norm(&step) * (total_weight / n) * (cost / n) < tolerance {
            return done(image);
        }
        y = history.extrapolate(&step, &image);
    }
    let limit = MAX_ITERATIONS - ACCELERATED_ITERATIONS;
    let Descent { point, iterations, converged } = descend(obs, image, limit, ws);
    let flags = if converged { QaFlags::NONE } else { QaFlags::MAX_ITERATIONS };
    Solution { point, iterations: ACCELERATED_ITERATIONS + iterations, flags }
}

/// What one pass over the distances finds.
pub(super) struct Pass {
    /// Sum of the distances.
    pub(super) cost: f64,
    /// Position of the nearest observation, the first of equals.
    pub(super) nearest: usize,
    /// Its distance.
    pub(super) least: f64,
}

/// Fills `distance` and sums it in time order.
pub(super) fn measure<const P: usize>(obs: &[[f64; P]], y: &[f64; P], distance: &mut [f64]) -> Pass {
    for (d, x) in distance.iter_mut().zip(obs) {
        *d = squared_distance(x, y);
    }
    for d in distance.iter_mut() {
        *d = d.sqrt(); // on its own: two lanes per instruction
    }
    let mut pass = Pass { cost: 0.0, nearest: 0, least: f64::INFINITY };
    for (i, &d) in distance.iter().enumerate() {
        pass.cost += d;
        if d < pass.least {
            (pass.least, pass.nearest) = (d, i);
        }
    }
    pass
}

/// `T(y) − y` and `Σ 1/d`; every distance must be above zero.
fn weiszfeld_step<const P: usize>(obs: &[[f64; P]], y: &[f64; P], distance: &[f64]) -> ([f64; P], f64) {
    let mut total = 0.0;
    let mut pull = [0.0; P];
    for (x, &d) in obs.iter().zip(distance) {
        let weight = 1.0 / d;
        total += weight;
        for j in 0..P {
            pull[j] += weight * (x[j] - y[j]);
        }
    }
    let inverse = 1.0 / total;
    (pull.map(|g| g * inverse), total)
}

/// The cost around one observation: its one-sided slope and the way down.
pub(super) struct Vertex<'a, const P: usize> {
    datum: &'a [f64; P],
    /// How many observations coincide with it.
    multiplicity: f64,
    /// `R = Σ (x_k − xᵢ)/‖x_k − xᵢ‖` over the others: the gradient of their share of the cost.
    gradient: [f64; P],
    /// `Σ 1/‖x_k − xᵢ‖` over the others.
    weight: f64,
}

impl<'a, const P: usize> Vertex<'a, P> {
    pub(super) fn at(obs: &'a [[f64; P]], k: usize) -> Self {
        let datum = &obs[k];
        let mut vertex = Self { datum, multiplicity: 0.0, gradient: [0.0; P], weight: 0.0 };
        for x in obs {
            let squared = squared_distance(datum, x);
            if squared == 0.0 {
                vertex.multiplicity += 1.0;
                continue;
            }
            let inverse = 1.0 / squared.sqrt();
            vertex.weight += inverse;
            for j in 0..P {
                vertex.gradient[j] += (datum[j] - x[j]) * inverse;
            }
        }
        vertex
    }

    /// Kuhn's inequality: the pull of the others does not exceed the hold of this observation.
    pub(super) fn is_minimiser(&self) -> bool {
        norm(&self.gradient) <= self.multiplicity
    }

    /// The Vardi–Zhang step away from an observation that is not the minimiser.
    pub(super) fn descend(&self) -> [f64; P] {
        let share = (1.0 - self.multiplicity / norm(&self.gradient)) / self.weight;
        std::array::from_fn(|j| self.datum[j] - share * self.gradient[j])
    }
}

/// The last steps and images, newest first, for Anderson acceleration with at most two columns.
struct History<const P: usize> {
    len: usize,
    steps: [[f64; P]; 2],
    images: [[f64; P]; 2],
}

impl<const P: usize> History<P> {
    fn new() -> Self {
        Self { len: 0, steps: [[0.0; P]; 2], images: [[0.0; P]; 2] }
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    /// The next point from the newest step and image, which are then remembered: `T − ΔT·γ` where `γ`
    /// minimises `‖r − ΔF·γ‖`, with a ridge that keeps dependent columns harmless.
    fn extrapolate(&mut self, step: &[f64; P], image: &[f64; P]) -> [f64; P] {
        const RIDGE: f64 = 1e-10;
        let mut next = *image;
        if self.len > 0 {
            let f1 = subtract(step, &self.steps[0]);
            let t1 = subtract(image, &self.images[0]);
            let (f2, t2) = if self.len > 1 {
                (subtract(&self.steps[0], &self.steps[1]), subtract(&self.images[0], &self.images[1]))
            } else {
                ([0.0; P], [0.0; P]) // the second column drops out: its γ is 0
            };
            let (a11, a12, a22) = (dot(&f1, &f1), dot(&f1, &f2), dot(&f2, &f2));
            let (b1, b2) = (dot(&f1, step), dot(&f2, step));
            let ridge = RIDGE * (a11 + a22);
            let (a11, a22) = (a11 + ridge, a22 + ridge);
            let determinant = a11 * a22 - a12 * a12;
            if determinant > 0.0 {
                let g1 = (a22 * b1 - a12 * b2) / determinant;
                let g2 = (a11 * b2 - a12 * b1) / determinant;
                for j in 0..P {
                    next[j] -= g1 * t1[j] + g2 * t2[j];
                }
            }
        }
        self.steps = [*step, self.steps[0]];
        self.images = [*image, self.images[0]];
        self.len = (self.len + 1).min(2);
        next
    }
}

fn mean<const P: usize>(obs: &[[f64; P]]) -> [f64; P] {
    let mut sum = [0.0; P];
    for x in obs {
        for j in 0..P {
            sum[j] += x[j];
        }
    }
    let n = obs.len() as f64;
    sum.map(|s| s / n)
}

pub(super) fn subtract<const P: usize>(a: &[f64; P], b: &[f64; P]) -> [f64; P] {
    std::array::from_fn(|j| a[j] - b[j])
}

pub(super) fn dot<const P: usize>(a: &[f64; P], b: &[f64; P]) -> f64 {
    let mut sum = 0.0;
    for j in 0..P {
        sum += a[j] * b[j];
    }
    sum
}

pub(super) fn norm<const P: usize>(a: &[f64; P]) -> f64 {
    dot(a, a).sqrt()
}

pub(super) fn distance<const P: usize>(a: &[f64; P], b: &[f64; P]) -> f64 {
    squared_distance(a, b).sqrt()
}

fn squared_distance<const P: usize>(a: &[f64; P], b: &[f64; P]) -> f64 {
    let mut sum = 0.0;
    for j in 0..P {
        let difference = a[j] - b[j];
        sum += difference * difference;
    }
    sum
}
