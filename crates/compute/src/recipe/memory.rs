//! What working a plan takes, and how it is fitted into what may be used.
//!
//! The unit of memory is the block: the stacks of one square of pixels, the floats of reducers that need them, and the
//! planes that come out. Beside the blocks, one a thread, stand the encoded shards of the tile being written and the
//! caches of the store: decoded chunks, and indexes of shards as many as the plan has. Blocks shrink before threads do;
//! the answer does not depend on either.

use serde::Serialize;
use tesela_model::Band;

use super::ComputeOptions;
use super::plan::{Plan, PlannedInputs, PlannedJob};
use super::unit::{LEAST_SIDE, Manner, SIDE};
use crate::ComputeError;
use crate::catalog::Product;
use crate::cube::{CHUNK_CACHE_BYTES, INDEX_CACHE_BYTES};

/// The program itself, with GDAL, PROJ and SQLite.
const PROGRAM_BYTES: u64 = 120 << 20;
/// The full cache of decoded chunks as the system sees it: between chunks of different age the allocator loses room, an
/// eighth where it was measured.
const CACHE_BYTES: u64 = CHUNK_CACHE_BYTES / 8 * 9;

/// Bytes of the index of one plane of a tile in its shard, for each pixel of it: an entry of 16 bytes for a chunk of
/// 64 × 64 pixels. Archive blocks take an eighth of that.
const INDEX_BYTES_A_PIXEL: f64 = 16.0 / (64.0 * 64.0);

/// What one block of a plan is made of.
pub(super) struct Need {
    /// Scenes, or rasters.
    pub(super) scenes: bool,
    /// Whether stacks are turned into floats.
    pub(super) floats: bool,
    /// Dates or rasters.
    pub(super) depth: usize,
    /// Bands read.
    pub(super) bands: usize,
    /// Pixels around a block: those of the mask or, of rasters, of the clean-up.
    pub(super) halo: usize,
    pub(super) outputs: Vec<Band>,
    /// Rasters written at once.
    pub(super) periods: usize,
    /// Pixels of a tile.
    pub(super) tile_pixels: u64,
    /// Planes of a band of one tile that the whole plan takes of its input: their indexes stay in memory.
    pub(super) planes: u64,
}

impl Need {
    /// Bytes of a block of `side` pixels squared.
    fn block(&self, side: usize) -> u64 {
        let square = |side: usize| (side as u64) * (side as u64);
        let (depth, bands) = (self.depth as u64, self.bands as u64);
        let floats = if self.floats { 4 } else { 0 };
        let stacks = if self.scenes {
            // Bands and the saturation word of two bytes, hidden and needed flags; the quality word with its halo.
            let stack = depth * ((bands + 1) * 2 + bands * floats + floats + 3) * square(side);
            stack + depth * 4 * square(side + 2 * self.halo)
        } else {
            // One float and one class a raster, the bands of the raster being read.
            (depth * 6 + bands * 8) * square(side + 2 * self.halo)
        };
        // Floats, stored values and counts of a band, with the next level beside it.
        let planes = self.outputs.len() as u64 * self.periods as u64 * 12 * square(side);
        stacks + planes
    }

    /// Bytes of the encoded shards of one tile, at worst as large as their pixels, pyramid included.
    fn shards(&self) -> u64 {
        let pixel: u64 = self.outputs.iter().map(|b| b.dtype.size_bytes() as u64).sum();
        pixel * self.tile_pixels * 4 / 3 * self.periods as u64
    }

    /// Bytes of the indexes of the input's shards, as far as they are kept.
    fn indexes(&self) -> u64 {
        // Quality and saturation beside the bands.
        let planes = self.planes as f64 * (self.bands + 2) as f64;
        let bytes = planes * self.tile_pixels as f64 * INDEX_BYTES_A_PIXEL;
        (bytes as u64).min(INDEX_CACHE_BYTES)
    }

    fn all(&self, threads: usize, side: usize) -> u64 {
        PROGRAM_BYTES + CACHE_BYTES + self.indexes() + self.shards() + threads as u64 * self.block(side)
    }
}

/// How a plan is worked within what may be used.
#[derive(Debug)]
pub(super) struct Fitted {
    pub(super) manner: Manner,
    threads: usize,
}

impl Fitted {
    /// Works on as many threads as fit.
    ///
    /// # Errors
    /// Those of the work; [`ComputeError::Parameter`] when threads cannot be started.
    pub(super) fn pool<T: Send>(
        &self,
        work: impl FnOnce() -> Result<T, ComputeError> + Send,
    ) -> Result<T, ComputeError> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(self.threads).build();
        let pool =
            pool.map_err(|e| ComputeError::Parameter { parameter: "threads", problem: e.to_string() })?;
        pool.install(work)
    }
}

/// The largest blocks and the most threads that fit.
///
/// # Errors
/// [`ComputeError::TooLittleMemory`] says how much one thread needs.
pub(super) fn fit(need: &Need, options: &ComputeOptions) -> Result<Fitted, ComputeError> {
    let most = options.threads.filter(|n| *n > 0).unwrap_or_else(rayon::current_num_threads);
    let fitted = |threads, side| Fitted { manner: Manner { side, read_all: options.read_all }, threads };
    let Some(given) = options.memory_bytes else { return Ok(fitted(most, SIDE)) };
    for threads in (1..=most).rev() {
        let mut side = SIDE;
        while side >= LEAST_SIDE {
            if need.all(threads, side) <= given {
                return Ok(fitted(threads, side));
            }
            side /= 2;
        }
    }
    let mb = |bytes: u64| bytes.div_ceil(1 << 20);
    Err(ComputeError::TooLittleMemory { given: mb(given), needed: mb(need.all(1, LEAST_SIDE)) })
}

/// What a dry run says of the work ahead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    /// Tiles to work, over all periods.
    pub units: usize,
    /// Bytes of stored input pixels that will be decoded, masks apart.
    pub input_bytes: u64,
    /// Bytes of output pixels before encoding, pyramid included.
    pub output_bytes: u64,
    /// Threads, and side of a block in pixels.
    pub threads: usize,
    /// See `threads`.
    pub block_side_px: usize,
    /// Most memory that will be used.
    pub memory_mb: u64,
    /// Seconds were every tile full; sparse tiles take a fraction of it. From one rate for all reducers: an order of
    /// magnitude.
    pub seconds: u64,
}

/// Input bytes that a thread decodes and reduces in a second: `demo --all` on two cores gave 57 MB for the annual
/// geomedian and 91 MB for water, counting the part of its tiles that has pixels.
const BYTES_A_THREAD_SECOND: u64 = 60 << 20;

/// Planes of a band of one tile that a plan takes of its input.
pub(super) fn planes(plan: &Plan) -> u64 {
    let of_job = |job: &PlannedJob| match &job.inputs {
        // Slots are of one tile each; rasters of all.
        PlannedInputs::Slots(ids) => ids.len() as u64,
        PlannedInputs::Rasters(ids) => (ids.len() * job.tiles.len()) as u64,
    };
    plan.jobs.iter().map(of_job).sum()
}

pub(super) fn estimate(
    need: &Need,
    plan: &Plan,
    product: &Product,
    options: &ComputeOptions,
) -> Result<Estimate, ComputeError> {
    let fitted = fit(need, options)?;
    let units = plan.units().count();
    let tile = u64::from(product.grid.tile_size).pow(2);
    let input_bytes = need.planes * tile * (need.bands as u64 + 1) * 2;
    let periods: u64 = plan.jobs.iter().map(|j| (j.tiles.len() * j.periods.len()) as u64).sum();
    let pixel: u64 = need.outputs.iter().map(|b| b.dtype.size_bytes() as u64).sum();
    Ok(Estimate {
        units,
        input_bytes,
        output_bytes: periods * tile * pixel * 4 / 3,
        threads: fitted.threads,
        block_side_px: fitted.manner.side,
        memory_mb: need.all(fitted.threads, fitted.manner.side).div_ceil(1 << 20),
        seconds: input_bytes / (BYTES_A_THREAD_SECOND * fitted.threads as u64),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need() -> Need {
        Need {
            scenes: true,
            floats: false,
            depth: 90,
            bands: 6,
            halo: 3,
            outputs: Vec::new(),
            periods: 1,
            tile_pixels: 2048 * 2048,
            planes: 90,
        }
    }

    #[test]
    fn blocks_shrink_before_threads_do() {
        let with = |mb: u64| {
            let options = ComputeOptions {
                memory_bytes: Some(mb << 20),
                threads: Some(2),
                ..ComputeOptions::default()
            };
            fit(&need(), &options).map(|f| (f.threads, f.manner.side))
        };
        // Twelve megabytes of indexes: 90 dates of eight bands.
        assert_eq!(need().indexes() >> 20, 11);
        assert_eq!(Need { planes: 1 << 40, ..need() }.indexes(), INDEX_CACHE_BYTES);
        let base = (PROGRAM_BYTES + CACHE_BYTES + need().indexes()) >> 20;
        assert_eq!(with(base + 1000).unwrap(), (2, 256));
        assert_eq!(with(base + 100).unwrap(), (2, 128));
        let too_little = with(base).unwrap_err().to_string();
        assert!(too_little.contains("--memory"), "{too_little}");
        // A unit of 2048² × 90 dates × 7 bands stays below 1.5 GB a thread.
        assert!(need().all(1, SIDE) < 1_500 << 20, "{}", need().all(1, SIDE));
    }
}
