//! What an ingest holds at most, and so how many units are worked on at once.
//!
//! Where quality decides, the dates of one chunk are decided together and then written band by band: held are what was
//! decided of these dates, and one band of them a thread. Else all bands of these dates are held.

use tesela_layout::Form;
use tesela_model::Resampling;

use crate::IngestError;
use crate::fuse::keeps_nearest;
use crate::slots::Context;

/// The program, its libraries and the index, the blocks that GDAL keeps, and what an allocator cannot use again.
const PROGRAM: u64 = 192 << 20;
/// Of each object that is being written, what is gathered before it goes to its file.
const GATHERED: u64 = 320 << 10;

/// Bytes held, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// Whatever the number of units.
    shared: u64,
    /// By each unit.
    unit: u64,
}

impl Need {
    /// Of tiles full of pixels, all of them warped.
    pub(crate) fn of(c: &Context<'_>, threads: usize) -> Self {
        let (threads, pixels) = (threads.max(1) as u64, u64::from(c.grid.tile_size).pow(2));
        let sizes = || c.bands.iter().map(|b| b.dtype.size_bytes() as u64);
        let largest = sizes().max().unwrap_or(1);
        let depth = if c.form == Form::Archive { u64::from(c.product.layout.archive.inner[0]) } else { 1 };
        let objects = c.bands.len() as u64 * 8;
        let Some((q, _)) = c.quality.as_ref().filter(|_| c.form == Form::Archive) else {
            let all: u64 = sizes().sum::<u64>() * pixels;
            let thread = pixels * 12;
            return Self { shared: PROGRAM + threads * thread, unit: all * (depth + 2) + objects * GATHERED };
        };
        let kernels = c.product.measurements.iter().any(|m| m.resampling != Resampling::Nearest);
        // Words, which of the children make each level and the words of these levels; where the nearest pixels lie.
        let words = c.bands[*q].dtype.size_bytes() as u64;
        let kept = if keeps_nearest(c.product) { 4 } else { 0 };
        let date = pixels * (words * 4 + 1).div_ceil(3) + pixels * kept;
        // Chunks that are begun, a plane, what is read of a file, and the levels above; or what it takes to decide.
        let samples = if kernels { largest } else { 0 };
        let thread = pixels * (largest * (depth + 3) + samples).max(16);
        Self {
            shared: PROGRAM + threads * thread,
            unit: date * c.dates_together() as u64 + objects * GATHERED,
        }
    }

    /// Units that fit into so many bytes together, at most one a thread.
    ///
    /// # Errors
    /// [`IngestError::TooLittleMemory`] when not even one fits.
    pub(crate) fn units(&self, memory: u64, threads: usize) -> Result<usize, IngestError> {
        let least = self.shared + self.unit;
        if memory < least {
            return Err(IngestError::TooLittleMemory {
                given: memory >> 20,
                needed: least.div_ceil(1 << 20),
            });
        }
        Ok(((memory - self.shared) / self.unit.max(1)).clamp(1, threads.max(1) as u64) as usize)
    }
}
