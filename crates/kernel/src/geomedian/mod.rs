//! Geometric median of a pixel's observations, and the median deviations around it.
//!
//! The geomedian of `x₁ … xₙ ∈ Rᵖ` is `argmin_y Σ‖xᵢ − y‖₂`: a real spectrum-like centre that half of the
//! observations may not drag away. Everything here takes surface **reflectance** ρ (not digital numbers):
//! the point does not care about a scale and offset shared by all bands, but the spectral and Bray-Curtis
//! deviations do.
//!
//! Sums run in time order and nothing is carried from one pixel to the next, so the same observations give
//! the same bytes whatever the chunking or the number of threads.
//!
//! # Contract
//! * An observation with any missing (non-finite) band is dropped whole; `count` is what remains.
//! * `n = 0` gives NaN in every band and every deviation; `n = 1` the observation itself with deviations 0;
//!   `n = 2` the midpoint.
//! * The point is the true minimiser to within 0.5 DN (1.4e-5 ρ); [`QaFlags`] tells where it is not unique.
//!
//! # Source
//! Roberts, Mueller, McIntyre (2017), IEEE TGRS 55(11): geomedian. Roberts, Dunn, Mueller (2018), IGARSS:
//! the deviations. Solver: [`scalar`], a Weiszfeld map accelerated after Anderson, with the vertex test of
//! Kuhn (1973) and Vardi and Zhang (2000).

mod block;
mod collinear;
mod flags;
mod mads;
mod newton;
mod quantize;
mod rows;
pub mod scalar;
#[cfg(test)]
mod tests;
mod workspace;

pub use block::{
    Layer, Level, Planes, SCALAR_UP_TO, Samples, Stack, StackError, geomad_block, geomad_block_at,
};
pub use flags::QaFlags;
pub use mads::{Mads, mads};
pub use quantize::{IntegerSample, Quantizer, QuantizerError};
pub use rows::{MAX_BANDS, RowsError, RowsSummary, geomad_rows};
pub use workspace::Workspace;

/// Fewer valid observations than this set [`QaFlags::LOW_COUNT`].
pub const LOW_COUNT_BELOW: usize = 5;

/// A geomedian and how it was reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solution<const P: usize> {
    /// The minimiser, in the units of the observations; NaN in every band when there was no observation.
    pub point: [f64; P],
    /// Passes over the observations; 0 where a closed form answered (`n ≤ 2`).
    pub iterations: u32,
    /// What a user should know before trusting the point.
    pub flags: QaFlags,
}

/// A geomedian, its deviations and its count: everything one pixel of a composite publishes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geomad<const P: usize> {
    /// The geomedian; NaN in every band when fewer than `min_obs` observations were valid.
    pub point: [f64; P],
    /// Deviations around the point; NaN where the point is.
    pub mads: Mads,
    /// Number of complete observations, kept even where `min_obs` turned the pixel to nodata.
    pub count: u16,
    /// Passes over the observations.
    pub iterations: u32,
    /// What a user should know before trusting the point.
    pub flags: QaFlags,
}

/// Geometric median of `obs`, one row per observation in time order.
///
/// Incomplete observations (any band NaN or infinite) are dropped; see the [module](self) for the rules at
/// small `n`. Allocates only when `ws` has not yet seen as many observations.
pub fn geomedian<const P: usize>(obs: &[[f64; P]], ws: &mut Workspace) -> Solution<P> {
    ws.with_complete(obs, scalar::solve)
}

/// [`geomedian`], [`mads`] and the count of `obs` in one call.
///
/// Pixels with fewer than `min_obs` complete observations become nodata (NaN) but keep their count; the
/// usual `min_obs` is 1.
pub fn geomad<const P: usize>(obs: &[[f64; P]], min_obs: u16, ws: &mut Workspace) -> Geomad<P> {
    ws.with_complete(obs, |obs, ws| {
        let count = u16::try_from(obs.len()).unwrap_or(u16::MAX);
        if count == 0 || count < min_obs {
            let flags = QaFlags::of_count(obs.len());
            return Geomad { point: [f64::NAN; P], mads: Mads::NODATA, count, iterations: 0, flags };
        }
        let Solution { point, iterations, flags } = scalar::solve(obs, ws);
        Geomad { point, mads: mads(obs, &point, ws), count, iterations, flags }
    })
}
