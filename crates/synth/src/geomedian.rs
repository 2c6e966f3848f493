//! Geometric median of a few spectra, in f64: the generator's own yardstick, independent of Tesela's.

/// Reflectance in six bands.
pub(crate) type Point = [f64; 6];

/// A residual shorter than this (reflectance) ends the iteration: 0.0004 DN.
const STEP: f64 = 1e-8;
const MAX_STEPS: usize = 500;

fn difference(a: &Point, b: &Point) -> Point {
    std::array::from_fn(|k| a[k] - b[k])
}

fn dot(a: &Point, b: &Point) -> f64 {
    (0..6).map(|k| a[k] * b[k]).sum()
}

/// One step of Weiszfeld's map from `y`.
struct Step {
    /// Where it leads; the cost is never higher there.
    image: Point,
    /// Sum of distances from `y`.
    cost: f64,
    /// The observation nearest to `y` and its distance.
    nearest: (usize, f64),
}

fn weiszfeld(observations: &[Point], y: &Point) -> Step {
    let (mut sum, mut weights, mut cost, mut nearest) = ([0.0; 6], 0.0, 0.0, (0, f64::INFINITY));
    for (i, x) in observations.iter().enumerate() {
        let r = difference(x, y);
        let d = dot(&r, &r).sqrt();
        cost += d;
        if d < nearest.1 {
            nearest = (i, d);
        }
        let w = 1.0 / d.max(1e-13);
        weights += w;
        for k in 0..6 {
            sum[k] += w * r[k];
        }
    }
    Step { image: std::array::from_fn(|k| y[k] + sum[k] / weights), cost, nearest }
}

/// The point with the least sum of Euclidean distances to all observations; none: `None`, two: their
/// midpoint.
///
/// Weiszfeld's iteration from the mean, accelerated (Anderson, depth 2; a step that raises the cost is
/// replaced by the plain one). An observation that comes near is tested for being the optimum itself
/// (Kuhn), which the plain iteration only creeps towards.
pub(crate) fn geometric_median(observations: &[Point]) -> Option<Point> {
    let n = observations.len();
    if n == 0 {
        return None;
    }
    let mut y: Point = std::array::from_fn(|k| observations.iter().map(|x| x[k]).sum::<f64>() / n as f64);
    if n <= 2 {
        return Some(y);
    }
    let mut history = History::default();
    let (mut cost_before, mut image_before) = (f64::INFINITY, y);
    let mut tested = [usize::MAX; 4];
    for step in 0..MAX_STEPS {
        let Step { image, cost, nearest: (near, distance) } = weiszfeld(observations, &y);
        if cost == 0.0 {
            return Some(y);
        }
        if cost > cost_before * (1.0 + 1e-13) {
            y = image_before;
            history = History::default();
            cost_before = f64::INFINITY;
            continue;
        }
        cost_before = cost;
        if distance < 1e-9 || (distance * n as f64 <= 0.2 * cost && !tested.contains(&near)) {
            tested[step % tested.len()] = near;
            match leave(observations, near) {
                None => return Some(observations[near]),
                Some(away) if distance < 1e-9 => {
                    y = away;
                    history = History::default();
                    cost_before = f64::INFINITY;
                    continue;
                }
                Some(_) => {}
            }
        }
        let residual = difference(&image, &y);
        if dot(&residual, &residual) < STEP * STEP {
            return Some(image);
        }
        image_before = image;
        y = history.accelerate(residual, image);
    }
    Some(y)
}

/// The last residuals and images of the iteration, newest first.
#[derive(Default)]
struct History {
    last: [Option<(Point, Point)>; 2],
}

impl History {
    /// Anderson's combination of the newest image with those before.
    fn accelerate(&mut self, residual: Point, image: Point) -> Point {
        let mut y = image;
        match self.last {
            [Some((r1, t1)), Some((r2, t2))] => {
                let (f1, f2) = (difference(&residual, &r1), difference(&r1, &r2));
                let (g1, g2) = (difference(&image, &t1), difference(&t1, &t2));
                let (a, b, c) = (dot(&f1, &f1), dot(&f1, &f2), dot(&f2, &f2));
                let ridge = 1e-10 * (a + c);
                let (a, c) = (a + ridge, c + ridge);
                let (p, q) = (dot(&f1, &residual), dot(&f2, &residual));
                let det = a * c - b * b;
                let (s1, s2) = ((p * c - q * b) / det, (a * q - b * p) / det);
                if s1.is_finite() && s2.is_finite() {
                    for k in 0..6 {
                        y[k] -= s1 * g1[k] + s2 * g2[k];
                    }
                }
            }
            [Some((r1, t1)), None] => {
                let (f1, g1) = (difference(&residual, &r1), difference(&image, &t1));
                let s1 = dot(&f1, &residual) / dot(&f1, &f1);
                if s1.is_finite() {
                    for k in 0..6 {
                        y[k] -= s1 * g1[k];
                    }
                }
            }
            _ => {}
        }
        self.last = [Some((residual, image)), self.last[0]];
        y
    }
}

/// `None` when observation `k` is the optimum, else the Vardi–Zhang point next to it with lower cost.
fn leave(observations: &[Point], k: usize) -> Option<Point> {
    let at = &observations[k];
    let (mut pull, mut weights, mut same) = ([0.0; 6], 0.0, 0.0);
    for x in observations {
        let r = difference(x, at);
        let d = dot(&r, &r).sqrt();
        if d == 0.0 {
            same += 1.0;
            continue;
        }
        weights += 1.0 / d;
        for k in 0..6 {
            pull[k] += r[k] / d;
        }
    }
    let strength = pull.iter().map(|v| v * v).sum::<f64>().sqrt();
    if strength <= same {
        return None;
    }
    let share = (1.0 - same / strength) / weights;
    Some(std::array::from_fn(|b| at[b] + share * pull[b]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DN: [[f64; 6]; 7] = [
        [8000., 9200., 9700., 15800., 14100., 11600.],
        [8150., 9350., 9900., 15200., 14500., 11900.],
        [7900., 9050., 9450., 16900., 13700., 11200.],
        [8300., 9500., 10200., 14600., 14900., 12300.],
        [21000., 21500., 21900., 24500., 20100., 17400.],
        [7700., 8500., 8700., 11900., 11100., 9500.],
        [8050., 9250., 9750., 16000., 14200., 11700.],
    ];

    fn solve(observations: &[[f64; 6]]) -> [f64; 6] {
        let rho: Vec<Point> = observations.iter().map(|o| o.map(|v| v * 2.75e-5 - 0.2)).collect();
        geometric_median(&rho).unwrap().map(|v| (v + 0.2) / 2.75e-5)
    }

    fn assert_near(got: [f64; 6], want: [f64; 6]) {
        for k in 0..6 {
            assert!((got[k] - want[k]).abs() < 0.01, "{got:?} {want:?}");
        }
    }

    /// KAT-GM1, 3, 4, 5, 6, 7, 8, 11, 12 of science.md.
    #[test]
    fn known_answers() {
        let o = DN;
        assert_near(solve(&o), [8069.461, 9260.035, 9764.005, 15788.293, 14161.091, 11658.194]);
        assert_near(solve(&o[..1]), o[0]);
        assert_near(solve(&o[..2]), [8075., 9275., 9800., 15500., 14300., 11750.]);
        assert_near(
            solve(&[o[0], o[1], o[4]]),
            [8207.897, 9402.327, 9936.351, 15451.392, 14426.296, 11855.066],
        );
        assert_near(solve(&[o[0], o[0], o[0], o[0], o[1], o[2], o[4]]), o[0]);
        assert_near(solve(&[o[0]; 5]), o[0]);
        assert!(geometric_median(&[]).is_none());
        assert_near(
            solve(&[o[0], o[1], o[2], o[3], o[6]]),
            [8034.540, 9232.249, 9738.721, 15827.984, 14174.825, 11663.515],
        );
        assert_near(
            solve(&[o[0], o[1], o[2], o[3], o[5], o[6]]),
            [8001.857, 9201.356, 9701.550, 15797.783, 14102.117, 11602.051],
        );
    }

    /// At the optimum either the unit vectors to the observations cancel, or it is an observation.
    #[test]
    fn random_stacks_are_solved_to_the_optimum() {
        for case in 0..3000_i64 {
            let n = 3 + (case % 12) as usize;
            let stack: Vec<Point> = (0..n as i64)
                .map(|i| std::array::from_fn(|k| 0.2 + 0.1 * crate::noise::signed(9, case, 8 * i + k as i64)))
                .collect();
            let y = geometric_median(&stack).unwrap();
            if stack.contains(&y) {
                continue;
            }
            let mut pull = [0.0; 6];
            for x in &stack {
                let r = difference(x, &y);
                let d = dot(&r, &r).sqrt();
                for k in 0..6 {
                    pull[k] += r[k] / d;
                }
            }
            assert!(dot(&pull, &pull).sqrt() < 1e-4, "case {case}: {pull:?}");
        }
    }
}
