//! Pixels against what is said of them: facts of chunks, and pyramids.
//!
//! Every stored chunk of level 0 is decoded once, for both. A chunk that is not stored is fill, which takes no decoding:
//! its facts are those of nothing, and no level above it may have a pixel.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{GenerationRow, ProductKind};
use tesela_layout::names::tiles_window;
use tesela_model::{Band, Instant, MaskDef, Period, Progress};
use tesela_store::{ArrayRef, FactsRef, ObjectKey, Pixels, Store, StoreOptions, Window};

use super::facts::{Recount, masks};
use super::pyramid::{Levels, stale_wide_level};
use super::{CheckReport, fault};
use crate::catalog::Product;
use crate::cube::store_options;
use crate::load::place;
use crate::{ComputeError, Cube};

/// A group whose pixels are looked at.
pub(super) struct Group<'g> {
    pub(super) product: &'g Product,
    pub(super) key: ObjectKey,
    /// Of derived rasters: those have a pyramid that follows from level 0 alone.
    pub(super) generation: Option<GenerationRow>,
    pub(super) facts: Option<FactsRef>,
    /// The masks as they were when the facts were written.
    pub(super) masks: BTreeMap<String, MaskDef>,
}

impl Group<'_> {
    /// A tile as rows and columns of this raster's arrays at a level.
    pub(super) fn tile(&self, tile: TileId, level: u32) -> Option<PixelWindow> {
        let g = self.generation.as_ref()?;
        let grid = &self.product.grid;
        let base = tiles_window(grid, g.tile_min, g.tile_end, level);
        let here = grid.tile_window(tile, level);
        Some(PixelWindow::new(here.px - base.px, here.py - base.py, here.width, here.height))
    }
}

/// What is looked at together: one band of a tile, or what lies over all tiles.
struct Part {
    group: usize,
    band: usize,
    /// Row and column of the object of facts that are compared.
    facts: Option<[u64; 2]>,
    /// The tile whose levels are compared.
    tile: Option<TileId>,
    /// Its place among the parts of its group.
    order: usize,
}

/// What is wrong in a part.
#[derive(Default)]
struct Found {
    /// The first level that does not follow.
    stale: Option<u32>,
    /// The first fact that is not as the pixels say.
    wrong: Option<String>,
}

impl Cube {
    /// Facts of every visible group that has them, and every pyramid level of every visible derived raster, against the
    /// pixels of level 0.
    pub(crate) fn check_pixels(
        &self,
        progress: &dyn Progress,
        report: &mut CheckReport,
    ) -> Result<(), ComputeError> {
        let catalog = self.fresh_catalog()?;
        // Every chunk is read once.
        let reading = StoreOptions { chunk_cache_bytes: 0, ..store_options() };
        let store = Store::with_objects(self.store().objects().clone(), &reading);
        let mut rows: Vec<(&Product, String, Option<GenerationRow>)> = Vec::new();
        for product in catalog.products.values() {
            let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
            match product.kind {
                ProductKind::Scenes => {
                    let slots = self.index().slots(&product.id, None, &always, catalog.snapshot)?;
                    let prefixes: BTreeSet<String> = slots.into_iter().map(|s| s.prefix).collect();
                    rows.extend(prefixes.into_iter().map(|prefix| (&**product, prefix, None)));
                }
                ProductKind::Derived => {
                    let found = self.index().generations(&product.id, catalog.snapshot)?;
                    rows.extend(found.into_iter().map(|g| (&**product, g.prefix.clone(), Some(g))));
                }
            }
        }
        let groups: Vec<Group<'_>> = rows
            .into_par_iter()
            .map(|(product, prefix, generation)| {
                let key = ObjectKey::new(&prefix)?;
                let facts = store.open_facts(&key)?;
                let masks = facts.as_ref().map(masks).unwrap_or_default();
                Ok(Group { product, key, generation, facts, masks })
            })
            .collect::<Result<_, ComputeError>>()?;
        let parts: Vec<Part> = groups.iter().enumerate().flat_map(|(i, group)| parts(i, group)).collect();
        progress.begin("check pixels", parts.len() as u64, "parts");
        let found: Vec<Found> = parts
            .par_iter()
            .map(|part| {
                let found = check_part(&store, &groups[part.group], part);
                progress.advance(1);
                found
            })
            .collect::<Result<_, _>>()?;
        progress.end();
        name_faults(&groups, &parts, &found, report);
        Ok(())
    }
}

/// Tiles from the south-west, band by band, then the levels over all of them; objects of facts that are no tile's last.
fn parts(number: usize, group: &Group<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut order = 0;
    let mut each_band = |facts, tile| {
        let bands = 0..group.product.bands.len();
        parts.extend(bands.map(|band| Part { group: number, band, facts, tile, order }));
        order += 1;
    };
    let mut left: BTreeSet<[u64; 2]> = BTreeSet::new();
    let mut by_tile = false;
    if let Some(facts) = &group.facts {
        let [down, across] = facts.objects();
        left.extend((0..down).flat_map(|y| (0..across).map(move |x| [y, x])));
        let side = u64::from(group.product.grid.tile_size);
        by_tile = (0..2).all(|i| facts.object()[i] * facts.chunk()[i + 1] == side);
    }
    if let Some(g) = &group.generation {
        for iy in g.tile_min.iy..g.tile_end.iy {
            for ix in g.tile_min.ix..g.tile_end.ix {
                // Tile rows grow north, objects south.
                let at = [(g.tile_end.iy - 1 - iy) as u64, (ix - g.tile_min.ix) as u64];
                each_band(Some(at).filter(|at| by_tile && left.remove(at)), Some(TileId { ix, iy }));
            }
        }
        each_band(None, None);
    }
    for at in left {
        each_band(Some(at), None);
    }
    parts
}

fn check_part(store: &Store, group: &Group<'_>, part: &Part) -> Result<Found, ComputeError> {
    let band = &group.product.bands[part.band];
    let mut found = Found::default();
    if part.facts.is_none() && part.tile.is_none() {
        found.stale = stale_wide_level(store, group, band)?;
        return Ok(found);
    }
    let array = store.open_array(&group.key, &band.name)?;
    let mut recount = None;
    if let (Some(facts), Some(at)) = (&group.facts, part.facts) {
        match Recount::new(facts, at, &array, band, &group.masks) {
            Some(begun) => recount = Some(begun),
            None => found.wrong = Some(format!("{}: the number of chunks", band.name)),
        }
    }
    let mut levels = match part.tile {
        Some(tile) => Levels::read(store, group, band, tile, &array)?,
        None => None,
    };
    let tile = levels.as_ref().map(Levels::tile).or(recount.as_ref().map(Recount::window));
    let Some(window) = tile.copied() else { return Ok(found) };
    let mut look = |chunk: [u64; 3], pixels: &Pixels| -> Result<(), ComputeError> {
        if let Some(recount) = &mut recount {
            recount.add(chunk, pixels);
        }
        if let Some(levels) = &mut levels {
            levels.add(chunk, pixels)?;
        }
        Ok(())
    };
    let window = place(&PixelWindow::new(0, 0, 0, 0), &window);
    if fill_is_nodata(&array, band) {
        store.scan(&array, window, &mut look)?;
    } else {
        // What is not stored reads as a value that counts.
        let fill = Pixels::filled(array.dtype(), array.chunk_len(), array.fill());
        let mut left = chunks_under(&array, &window);
        store.scan(&array, window, &mut |chunk, pixels| {
            left.remove(&chunk);
            look(chunk, pixels)
        })?;
        left.into_iter().try_for_each(|chunk| look(chunk, &fill))?;
    }
    if let Some(recount) = recount {
        found.wrong = recount.first_wrong(store)?;
    }
    if let Some(levels) = levels {
        found.stale = levels.finish(store)?;
    }
    Ok(found)
}

/// Whether what is not stored reads as the band's own nodata.
pub(super) fn fill_is_nodata(array: &ArrayRef, band: &Band) -> bool {
    array.fill() == band.nodata || (array.fill().is_nan() && band.nodata.is_nan())
}

/// Every chunk, stored or not, that shares a pixel with a window.
fn chunks_under(array: &ArrayRef, window: &Window) -> BTreeSet<[u64; 3]> {
    let [dates, height, width] = array.shape();
    let [depth, rows, columns] = array.inner();
    let span = |start: i64, len: usize, size: u64, step: u64| {
        let end = (start + len as i64).clamp(0, size as i64) as u64;
        (start.max(0) as u64).min(end) / step..end.div_ceil(step)
    };
    let (ys, xs) =
        (span(window.y0, window.height, height, rows), span(window.x0, window.width, width, columns));
    let rows = (0..dates.div_ceil(depth)).flat_map(|t| ys.clone().map(move |y| (t, y)));
    rows.flat_map(|(t, y)| xs.clone().map(move |x| [t, y, x])).collect()
}

/// One fault a raster whose levels do not follow, the first of its tiles; then one for each band whose facts do not.
fn name_faults(groups: &[Group<'_>], parts: &[Part], found: &[Found], report: &mut CheckReport) {
    let mut stale: BTreeMap<usize, (usize, u32, Option<TileId>)> = BTreeMap::new();
    let mut wrong: BTreeMap<(usize, usize), &str> = BTreeMap::new();
    for (part, found) in parts.iter().zip(found) {
        if let Some(level) = found.stale {
            let here = (part.order, level, part.tile);
            let first = stale.entry(part.group).or_insert(here);
            if (here.0, here.1) < (first.0, first.1) {
                *first = here;
            }
        }
        if let Some(name) = &found.wrong {
            wrong.entry((part.group, part.band)).or_insert(name);
        }
    }
    for (group, (_, level, tile)) in stale {
        let Some(g) = &groups[group].generation else { continue };
        let raster = format!("{} {}", groups[group].product.id, g.period.label());
        let detail = match tile {
            Some(tile) => format!("level {level} of tile {tile} of {raster} does not follow from level 0"),
            None => format!("level {level} of {raster} does not follow from level {}", level - 1),
        };
        report.faults.push(fault("pyramid_stale", &g.prefix, detail));
    }
    for ((group, _), name) in wrong {
        let prefix = groups[group].key.as_str();
        let detail = format!("{prefix}: the facts say of `{name}` what does not follow from the pixels");
        report.faults.push(fault("facts_wrong", prefix, detail));
    }
}
