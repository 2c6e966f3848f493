//! Percentiles of every pixel, by sorting whole rows of pixels.

use super::lanes::{LANES, Level, Row, at_level, sort};
use super::stack::{Sample, Stack, TemporalError, check};

/// Which value stands for a share of the sorted observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// Linear between the two nearest ranks, position `q (n − 1)`: the default of numpy. Needs 1 observation.
    #[default]
    Linear,
    /// The nearest rank, `q (n − 1)` rounded half to even: odc-algo. Needs 3 observations.
    Odc,
}

impl Method {
    /// Fewest observations that give a value.
    pub fn min_obs(self) -> usize {
        match self {
            Self::Linear => 1,
            Self::Odc => 3,
        }
    }

    /// Rank below, rank above and how far between, for `n` sorted values.
    #[inline(always)]
    fn position(self, share: f64, n: usize) -> (usize, usize, f64) {
        let last = (n - 1) as f64;
        match self {
            Self::Linear => {
                let at = share * last;
                let below = at as usize; // whole part
                (below, (below + 1).min(n - 1), at - below as f64)
            }
            Self::Odc => {
                let rank = (share * last).round_ties_even() as usize;
                (rank, rank, 0.0)
            }
        }
    }
}

/// The percentile of observations that are sorted already; NaN below [`Method::min_obs`] and for a `share` that
/// is not between 0 and 1 (0.5 is the median).
pub fn of_sorted(sorted: &[f64], share: f64, method: Method) -> f64 {
    if sorted.len() < method.min_obs() || !(0.0..=1.0).contains(&share) {
        return f64::NAN;
    }
    let (below, above, between) = method.position(share, sorted.len());
    interpolate(sorted[below], sorted[above], between)
}

/// `a` to `b`, from the nearer end, so that the middle of equal values is that value.
#[inline(always)]
fn interpolate(a: f64, b: f64, between: f64) -> f64 {
    if between < 0.5 { a + (b - a) * between } else { b - (b - a) * (1.0 - between) }
}

/// The percentiles `shares` (0 to 1) of every pixel: `out` is `(share, pixel)`, in the units of the stack, NaN
/// where there are fewer observations than [`Method::min_obs`].
///
/// Cost is `O(dates · log² dates)` vector steps for 32 pixels, hardly more for many shares than for one.
/// # Errors
/// [`TemporalError::Share`], [`TemporalError::Length`] unless `out` holds a value per share and pixel.
/// # Source
/// Hyndman and Fan (1996), The American Statistician 50: definition 7; odc-algo `_percentile.py`.
pub fn percentiles<T: Sample>(
    stack: &Stack<'_, T>,
    shares: &[f64],
    method: Method,
    out: &mut [f32],
) -> Result<(), TemporalError> {
    percentiles_at(Level::best(), stack, shares, method, out)
}

/// The median of every pixel: [`percentiles`] at 0.5, linear.
/// # Errors
/// [`TemporalError::Length`] unless `out` holds a value per pixel.
pub fn median<T: Sample>(stack: &Stack<'_, T>, out: &mut [f32]) -> Result<(), TemporalError> {
    percentiles(stack, &[0.5], Method::Linear, out)
}

pub(super) fn percentiles_at<T: Sample>(
    level: Level,
    stack: &Stack<'_, T>,
    shares: &[f64],
    method: Method,
    out: &mut [f32],
) -> Result<(), TemporalError> {
    if let Some(&share) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
        return Err(TemporalError::Share { share });
    }
    let pixels = stack.pixels();
    check("the output", shares.len() * pixels, out.len())?;
    let dates = stack.dates();
    let mut rows = vec![[T::LAST; LANES]; STRIP / LANES * dates];
    let mut ranks = Ranks::new(shares, method);
    for start in (0..pixels).step_by(STRIP) {
        let width = STRIP.min(pixels - start);
        let counts = sorted_strip(level, stack, start, width, &mut rows);
        for (i, &n) in counts.as_flattened()[..width].iter().enumerate() {
            let column = &rows[i / LANES * dates..];
            for (k, position) in ranks.of(usize::from(n)).iter().enumerate() {
                out[k * pixels + start + i] = match *position {
                    None => f32::NAN,
                    Some((below, above, between)) => {
                        let value = |rank: usize| column[rank][i % LANES].to_f64();
                        interpolate(value(below), value(above), between) as f32
                    }
                };
            }
        }
    }
    Ok(())
}

/// Pixels read at a time: dates lie far apart in memory, so a run of each is taken.
const STRIP: usize = 16 * LANES;

/// Observations of each pixel of a strip.
type Counts = [[u16; LANES]; STRIP / LANES];

at_level!(sorted_strip = strip<T>(
    stack: &Stack<'_, T>, start: usize, width: usize, rows: &mut [Row<T>]
) -> Counts);

/// Sorts the observations of `width` pixels from `start` on, and counts them: `rows` is
/// `(group of pixels, rank, pixel)`.
#[inline(always)]
fn strip<T: Sample>(stack: &Stack<'_, T>, start: usize, width: usize, rows: &mut [Row<T>]) -> Counts {
    let dates = stack.dates();
    let mut counts = [[0; LANES]; STRIP / LANES];
    let mut used = [0; STRIP / LANES];
    let groups = width.div_ceil(LANES);
    for date in 0..dates {
        for group in 0..groups {
            // A row of which nothing can be used is written over by the next.
            let row = &mut rows[group * dates + used[group]];
            let counts = &mut counts[group];
            let first = group * LANES;
            let any = if width - first >= LANES {
                stack.load(date, start + first, row, counts)
            } else {
                *row = [T::LAST; LANES];
                let rest = width - first;
                stack.load(date, start + first, &mut row[..rest], &mut counts[..rest])
            };
            used[group] += usize::from(any);
        }
    }
    for group in 0..groups {
        sort(&mut rows[group * dates..][..used[group]]);
    }
    counts
}

/// Positions of the shares among `n` values, worked out once for each `n` that occurs.
struct Ranks<'s> {
    shares: &'s [f64],
    method: Method,
    by_count: Vec<Vec<Option<(usize, usize, f64)>>>,
}

impl<'s> Ranks<'s> {
    fn new(shares: &'s [f64], method: Method) -> Self {
        Self { shares, method, by_count: Vec::new() }
    }

    #[inline(always)]
    fn of(&mut self, n: usize) -> &[Option<(usize, usize, f64)>] {
        while self.by_count.len() <= n {
            let n = self.by_count.len();
            let position =
                |&share: &f64| (n >= self.method.min_obs()).then(|| self.method.position(share, n));
            self.by_count.push(self.shares.iter().map(position).collect());
        }
        &self.by_count[n]
    }
}
