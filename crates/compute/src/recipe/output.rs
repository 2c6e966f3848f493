//! Where the rasters of a job lie, and the shards of one tile of them being written.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use tesela_grid::{GridDef, PixelWindow, TileId};
use tesela_layout::facts::{BandFacts, facts_spec, put_tile_facts};
use tesela_layout::names::{TILE_LEVELS, coarsest_level, generation_prefix, tiles_window};
use tesela_layout::{Shape, array_spec};
use tesela_model::{Band, DType, Period};
use tesela_store::{
    ArrayRef, ArraySpec, Codec, FactsSpec, ObjectInfo, ObjectKey, Pixels, ShardWriter, Store,
};

use super::pyramid::{Counted, halved};
use crate::ComputeError;
use crate::catalog::Product;

const INNER: u32 = 256;

/// LZ4 is read more than twice as fast and takes 5 to 7 % more bytes of measured values; classes and flags, large patches of one
/// value, take half as many with Zstandard (docs/store-layout.md).
fn codec(band: &Band) -> Codec {
    if band.dtype == DType::Uint8 { Codec::Zstd2Byte } else { Codec::Lz4Bit }
}

/// The arrays of the rasters of one job; all periods have the same.
pub(super) struct Output<'o> {
    pub(super) product: &'o Product,
    pub(super) tile_min: TileId,
    pub(super) tile_end: TileId,
    /// Pixels of each level, 0 first.
    pub(super) windows: Vec<PixelWindow>,
    /// Arrays by level, then band.
    pub(super) specs: Vec<Vec<ArraySpec>>,
    pub(super) facts: Option<FactsSpec>,
}

impl<'o> Output<'o> {
    pub(super) fn new(product: &'o Product, tile_min: TileId, tile_end: TileId) -> Self {
        let grid = &product.grid;
        let top = coarsest_level(grid, tile_min, tile_end);
        let windows: Vec<PixelWindow> =
            (0..=top).map(|level| tiles_window(grid, tile_min, tile_end, level)).collect();
        let specs: Vec<Vec<ArraySpec>> = windows
            .iter()
            .enumerate()
            .map(|(level, window)| {
                let level = level as u32;
                let shape = if level <= TILE_LEVELS {
                    Shape::tiled(1, window, 1, grid.level_tile_size(level), INNER)
                } else {
                    Shape::whole(1, window, INNER)
                };
                product.bands.iter().map(|b| array_spec(b, level, shape, codec(b))).collect()
            })
            .collect();
        let mut output = Self { product, tile_min, tile_end, windows, specs, facts: None };
        let tiles = [(tile_end.iy - tile_min.iy) as u64, (tile_end.ix - tile_min.ix) as u64];
        output.facts = facts_spec(&output.new_facts(), 1, tiles);
        output
    }

    pub(super) fn grid(&self) -> &GridDef {
        &self.product.grid
    }

    /// Prefix of the raster of a period that a run makes.
    pub(super) fn prefix(&self, period: &Period, run: &str) -> Result<ObjectKey, ComputeError> {
        Ok(ObjectKey::new(&generation_prefix(&self.product.id, period, run))?)
    }

    /// Level-4 pixels of a tile: the coarsest that are its own.
    pub(super) fn top_window(&self, tile: TileId) -> PixelWindow {
        self.grid().tile_window(tile, TILE_LEVELS + 1)
    }

    /// Every tile, from the south-west.
    pub(super) fn tiles(&self) -> Vec<TileId> {
        tiles_between(self.tile_min, self.tile_end)
    }

    /// Names inside a group of every object that a tile may have.
    pub(super) fn tile_objects(&self, tile: TileId) -> Result<Vec<String>, ComputeError> {
        let prefix = ObjectKey::new("x")?;
        let mut names = Vec::new();
        for level in 0..=TILE_LEVELS {
            for spec in &self.specs[level as usize] {
                let key = ArrayRef::from_spec(&prefix, spec)?.shard_key(self.shard(tile, level));
                names.extend(key.as_str().strip_prefix("x/").map(str::to_owned));
            }
        }
        if let Some(facts) = &self.facts {
            let key = facts.object_key(&prefix, self.facts_object(tile))?;
            names.extend(key.as_str().strip_prefix("x/").map(str::to_owned));
        }
        Ok(names)
    }

    fn shard(&self, tile: TileId, level: u32) -> [u64; 3] {
        let side = self.grid().level_tile_size(level) as i64;
        let base = self.windows[level as usize];
        let here = self.grid().tile_window(tile, level);
        [0, ((here.py - base.py) / side) as u64, ((here.px - base.px) / side) as u64]
    }

    /// Tile rows grow north, objects south.
    fn facts_object(&self, tile: TileId) -> [u64; 2] {
        [(self.tile_end.iy - 1 - tile.iy) as u64, (tile.ix - self.tile_min.ix) as u64]
    }

    fn new_facts(&self) -> Vec<BandFacts> {
        let size = [self.grid().tile_size as usize; 2];
        let facts =
            |(band, spec): (&Band, &ArraySpec)| BandFacts::new(band, spec.inner, size, &BTreeMap::new());
        self.product.bands.iter().zip(&self.specs[0]).map(facts).collect()
    }

    /// The shards of one tile of one period.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn tile_writer<'w>(
        &'w self,
        store: &'w Store,
        prefix: ObjectKey,
        tile: TileId,
    ) -> Result<TileWriter<'w>, ComputeError> {
        let mut shards = Vec::new();
        for level in 0..=TILE_LEVELS {
            for spec in &self.specs[level as usize] {
                let array = ArrayRef::from_spec(&prefix, spec)?;
                shards.push(Mutex::new(store.shard_writer(&array, self.shard(tile, level))?));
            }
        }
        let facts = self.new_facts().into_iter().map(Mutex::new).collect();
        let top = self.top_window(tile);
        let empty = |b: &Band| Mutex::new(Counted::empty(b, top.len()));
        let tops = self.product.bands.iter().map(empty).collect();
        Ok(TileWriter { output: self, store, prefix, tile, shards, facts, tops })
    }
}

/// Levels 0 to 3 of one tile of one period being written, block by block and by several threads.
pub(super) struct TileWriter<'w> {
    output: &'w Output<'w>,
    store: &'w Store,
    prefix: ObjectKey,
    tile: TileId,
    /// By level, then band.
    shards: Vec<Mutex<ShardWriter>>,
    facts: Vec<Mutex<BandFacts>>,
    /// Level 4, band by band.
    tops: Vec<Mutex<Counted>>,
}

impl TileWriter<'_> {
    /// Puts a block of level 0 and what follows of it. Blocks begin and end on multiples of 16 pixels, or at the tile's
    /// edge.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn put(&self, window: &PixelWindow, planes: Vec<Pixels>) -> Result<(), ComputeError> {
        let bands = &self.output.product.bands;
        let grid = self.output.grid();
        let mut window = *window;
        let mut levels: Vec<Counted> =
            planes.into_iter().zip(bands).map(|(p, b)| Counted::base(p, b)).collect();
        let whole = grid.tile_window(self.tile, 0);
        for (counted, facts) in levels.iter().zip(&self.facts) {
            unpoisoned(facts.lock()).add(0, &whole, &window, &counted.values);
        }
        for level in 0..=TILE_LEVELS {
            let here = grid.tile_window(self.tile, level);
            let (y0, x0) = ((window.py - here.py) as u64, (window.px - here.px) as u64);
            let row = &self.shards[level as usize * bands.len()..];
            for (counted, writer) in levels.iter().zip(row) {
                unpoisoned(writer.lock()).put_window(
                    0,
                    y0,
                    x0,
                    window.height,
                    window.width,
                    &counted.values,
                )?;
            }
            levels = halve_all(&levels, bands, &window)?;
            window = halved(&window);
        }
        let top_window = self.output.top_window(self.tile);
        for (top, counted) in self.tops.iter().zip(&levels) {
            unpoisoned(top.lock()).paste(&top_window, counted, &window);
        }
        Ok(())
    }

    /// Writes what was put: its objects, and level 4.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) fn finish(self) -> Result<(Vec<ObjectInfo>, Vec<Counted>), ComputeError> {
        let written: Vec<Option<ObjectInfo>> = self
            .shards
            .into_par_iter()
            .map(|w| Ok(unpoisoned(w.into_inner()).finish()?))
            .collect::<Result<_, ComputeError>>()?;
        let mut objects: Vec<ObjectInfo> = written.into_iter().flatten().collect();
        if let Some(spec) = self.output.facts.as_ref().filter(|_| !objects.is_empty()) {
            let facts: Vec<BandFacts> = self.facts.into_iter().map(|f| unpoisoned(f.into_inner())).collect();
            let at = self.output.facts_object(self.tile);
            objects.extend(put_tile_facts(self.store, &self.prefix, spec, at, &facts, 1)?);
        }
        Ok((objects, self.tops.into_iter().map(|t| unpoisoned(t.into_inner())).collect()))
    }
}

/// Tiles from a south-western one to before a north-eastern one.
pub(super) fn tiles_between(min: TileId, end: TileId) -> Vec<TileId> {
    (min.iy..end.iy).flat_map(|iy| (min.ix..end.ix).map(move |ix| TileId { ix, iy })).collect()
}

fn unpoisoned<T>(lock: Result<T, PoisonError<T>>) -> T {
    lock.unwrap_or_else(PoisonError::into_inner)
}

/// The next level of every band.
///
/// # Errors
/// [`ComputeError::Parameter`] when sizes do not fit.
pub(super) fn halve_all(
    bands: &[Counted],
    defs: &[Band],
    window: &PixelWindow,
) -> Result<Vec<Counted>, ComputeError> {
    bands.iter().zip(defs).map(|(c, b)| c.halve(b, window.width, window.height)).collect()
}

/// A tile cut into squares of `side` pixels, in row order.
pub(super) fn blocks(tile: &PixelWindow, side: usize) -> Vec<PixelWindow> {
    let rows = (0..tile.height).step_by(side);
    rows.flat_map(|y| (0..tile.width).step_by(side).map(move |x| (x, y)))
        .map(|(x, y)| {
            PixelWindow::new(
                tile.px + x as i64,
                tile.py + y as i64,
                side.min(tile.width - x),
                side.min(tile.height - y),
            )
        })
        .collect()
}
