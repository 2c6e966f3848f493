//! Buffers reused from pixel to pixel.

use std::mem;

/// Scratch memory of the geomedian kernels: make one per thread and pass it to every call.
///
/// It carries capacity, never values: a result does not depend on what the workspace was used for before.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Complete observations, row after row, when some had to be dropped.
    complete: Vec<f64>,
    /// Distance of each observation to the current point.
    pub(super) distance: Vec<f64>,
    /// Which observations have had their vertex certificate evaluated.
    pub(super) tested: Vec<bool>,
    /// One number per observation: the three deviations, or positions along a line.
    pub(super) columns: [Vec<f64>; 3],
}

impl Workspace {
    /// An empty workspace; it grows with the first pixels.
    pub fn new() -> Self {
        Self::default()
    }

    /// A workspace that will not grow until a pixel has more than `observations` rows of `bands` values.
    pub fn with_capacity(observations: usize, bands: usize) -> Self {
        Self {
            complete: Vec::with_capacity(observations * bands),
            distance: Vec::with_capacity(observations),
            tested: Vec::with_capacity(observations),
            columns: std::array::from_fn(|_| Vec::with_capacity(observations)),
        }
    }

    /// Calls `solve` with the observations of `obs` whose bands are all finite, in the same order.
    pub(super) fn with_complete<const P: usize, T>(
        &mut self,
        obs: &[[f64; P]],
        solve: impl FnOnce(&[[f64; P]], &mut Self) -> T,
    ) -> T {
        if obs.iter().all(is_complete) {
            return solve(obs, self);
        }
        let mut rows = mem::take(&mut self.complete);
        rows.clear();
        rows.extend(obs.iter().filter(|row| is_complete(row)).flatten());
        let solution = solve(rows.as_chunks().0, self);
        self.complete = rows;
        solution
    }
}

fn is_complete<const P: usize>(row: &[f64; P]) -> bool {
    row.iter().all(|value| value.is_finite())
}
