//! What an ingest holds at most, and so how many units are worked on at once.
//!
//! Where quality decides, the dates of one chunk are decided together and then written band by band: held are what was
//! decided of these dates, and one band of them a thread. Else all bands of these dates are held.

use tesela_layout::Form;

use crate::IngestError;
use crate::fuse::keeps_nearest;
use crate::raster;
use crate::slots::Context;

/// The program, its libraries and the index, and what an allocator cannot use again.
const PROGRAM: u64 = 112 << 20;
/// Of each object that is being written, what is gathered before it goes to its file.
const GATHERED: u64 = 320 << 10;

/// Bytes held, at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// Whatever the number of units, but for the blocks that GDAL keeps.
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
        // Level 0 in four objects or so, and three levels.
        let objects = c.bands.len() as u64 * 7 * GATHERED;
        let Some((q, _)) = c.quality.as_ref().filter(|_| c.form == Form::Archive) else {
            let all: u64 = sizes().sum::<u64>() * pixels;
            return Self { shared: PROGRAM + threads * pixels * 12, unit: all * (depth + 2) + objects };
        };
        // What is decided of a date: its words at all levels, which children make each level, and where the nearest
        // pixels lie.
        let words = c.bands[*q].dtype.size_bytes() as u64;
        let nearest = 4;
        let kept = if keeps_nearest(c.product) { nearest } else { 0 };
        let date = pixels * (words * 4 + 1).div_ceil(3) + pixels * kept;
        // What a thread keeps from band to band: chunks, a plane, what was read; and what it takes to decide a date,
        // which is more than the levels of a band.
        let thread = pixels * (largest * (depth + 2) + nearest + words + 3);
        Self { shared: PROGRAM + threads * thread, unit: date * c.dates_together() as u64 + objects }
    }

    /// Units that fit into so many bytes together, at most one a thread.
    ///
    /// # Errors
    /// [`IngestError::TooLittleMemory`] when not even one fits.
    pub(crate) fn units(&self, memory: u64, threads: usize) -> Result<usize, IngestError> {
        let (least, shared) = (self.shared + self.unit, self.shared + raster::cache_bytes(Some(memory)));
        if memory < shared + self.unit {
            // Of more memory, GDAL keeps more.
            let needed = least + raster::cache_bytes(Some(least + least / 15));
            return Err(IngestError::TooLittleMemory {
                given: memory >> 20,
                needed: needed.div_ceil(1 << 20),
            });
        }
        Ok(((memory - shared) / self.unit.max(1)).clamp(1, threads.max(1) as u64) as usize)
    }
}

#[cfg(test)]
mod tests {
    use tesela_crs::crs_info;
    use tesela_grid::builtin_grid;
    use tesela_model::{PyramidRule, Resampling, shipped_product};
    use tesela_store::Store;

    use super::*;

    fn need(resampling: Resampling, form: Form, threads: usize) -> Need {
        let mut product = shipped_product("landsat_c2_sr").unwrap().unwrap();
        product
            .measurements
            .iter_mut()
            .filter(|m| m.pyramid == PyramidRule::Mean)
            .for_each(|m| m.resampling = resampling);
        let grid = builtin_grid(&product.grid).unwrap();
        let (crs, store) = (crs_info(&grid.crs).unwrap(), Store::in_memory());
        Need::of(&Context::new(&product, &grid, &crs, &store, "run", form), threads)
    }

    #[test]
    fn a_tile_of_nine_bands_fits_half_a_gigabyte() {
        let memory = 512 << 20;
        assert_eq!(need(Resampling::Bilinear, Form::Archive, 2).units(memory, 2).unwrap(), 1);
        // Where the nearest pixels lie is kept, four bytes for each of eight dates.
        let error = need(Resampling::Nearest, Form::Archive, 2).units(memory, 2).unwrap_err();
        let IngestError::TooLittleMemory { given: 512, needed } = error else { panic!("{error}") };
        assert!((600..640).contains(&needed), "{needed}");
        let memory = needed << 20;
        assert_eq!(need(Resampling::Nearest, Form::Archive, 2).units(memory, 2).unwrap(), 1);
    }

    #[test]
    fn more_memory_is_more_units_up_to_the_threads() {
        let units = |memory: u64, threads| {
            let memory = memory << 20;
            need(Resampling::Bilinear, Form::Archive, threads).units(memory, threads).unwrap()
        };
        assert_eq!([units(512, 2), units(1024, 2), units(4096, 2), units(4096, 16)], [1, 2, 2, 16]);
    }
}
