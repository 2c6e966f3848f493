//! The same kernels for a number of bands known only at run time.

use super::{Geomad, Mads, QaFlags, Workspace, geomad};

/// Most bands a run-time stack may have.
pub const MAX_BANDS: usize = 16;

/// What [`geomad_rows`] finds besides the point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowsSummary {
    /// Deviations around the point.
    pub mads: Mads,
    /// Number of complete observations.
    pub count: u16,
    /// Passes over the observations.
    pub iterations: u32,
    /// What a user should know before trusting the point.
    pub flags: QaFlags,
}

/// Why [`geomad_rows`] refused its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RowsError {
    /// The number of bands is 0 or above [`MAX_BANDS`].
    #[error("a geomedian takes 1 to {MAX_BANDS} bands, not {bands}")]
    BandCount {
        /// The number asked for.
        bands: usize,
    },
    /// The observations do not fill whole rows.
    #[error("{values} values are not a whole number of rows of {bands} bands")]
    RaggedRows {
        /// Values given.
        values: usize,
        /// Values per row.
        bands: usize,
    },
    /// The output does not have one value per band.
    #[error("the output holds {len} values for {bands} bands")]
    OutputLength {
        /// Length of the output.
        len: usize,
        /// Length it should have.
        bands: usize,
    },
}

/// [`geomad`] on row-major `obs`: `n` rows (observations in time order) of `bands` values (ρ).
///
/// Writes the point to `point`, one value per band, NaN below `min_obs` complete observations.
/// # Errors
/// [`RowsError::BandCount`] unless `bands` is 1 to [`MAX_BANDS`], [`RowsError::RaggedRows`] if `obs` is not
/// a whole number of rows, [`RowsError::OutputLength`] if `point` is not `bands` long.
pub fn geomad_rows(
    obs: &[f64],
    bands: usize,
    min_obs: u16,
    point: &mut [f64],
    ws: &mut Workspace,
) -> Result<RowsSummary, RowsError> {
    if point.len() != bands {
        return Err(RowsError::OutputLength { len: point.len(), bands });
    }
    macro_rules! dispatch {
        ($($p:literal)*) => {
            match bands {
                $($p => fixed::<$p>(obs, min_obs, point, ws),)*
                _ => Err(RowsError::BandCount { bands }),
            }
        };
    }
    dispatch!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

fn fixed<const P: usize>(
    obs: &[f64],
    min_obs: u16,
    out: &mut [f64],
    ws: &mut Workspace,
) -> Result<RowsSummary, RowsError> {
    let (rows, rest) = obs.as_chunks::<P>();
    if !rest.is_empty() {
        return Err(RowsError::RaggedRows { values: obs.len(), bands: P });
    }
    let Geomad { point, mads, count, iterations, flags } = geomad(rows, min_obs, ws);
    out.copy_from_slice(&point);
    Ok(RowsSummary { mads, count, iterations, flags })
}
