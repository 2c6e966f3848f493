//! One period: blocks, shards, pyramid, group.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use tesela_crs::crs_info;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{NewGeneration, NewGroup, NewObject};
use tesela_layout::facts::{BandFacts, facts_spec, put_tile_facts};
use tesela_layout::names::{TILE_LEVELS, coarsest_level, generation_prefix, tiles_extent, tiles_window};
use tesela_layout::{Shape, array_spec, group_spec};
use tesela_model::{Band, Progress, RecipeDef, Reducer};
use tesela_store::{ArrayRef, ArraySpec, Codec, ObjectInfo, ObjectKey, ShardWriter};

use super::block::{GeomedianTile, SIDE, expression_block};
use super::pyramid::{Counted, halved};
use super::{Inputs, Job};
use crate::catalog::Product;
use crate::load::{Item, Neighbours};
use crate::skip::ChunkReport;
use crate::{ComputeError, Cube};

const INNER: u32 = 256;

/// Level-3 pixels of one block, from which grid-wide levels are made.
struct Top {
    window: PixelWindow,
    bands: Vec<Counted>,
}

impl Cube {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn make(
        &self,
        recipe: &RecipeDef,
        product: &Product,
        input: &Product,
        job: Job,
        run: &str,
        digest: &str,
        snapshot: u64,
        read_all: bool,
        progress: &dyn Progress,
    ) -> Result<(NewGeneration, u64, ChunkReport), ComputeError> {
        let grid = &product.grid;
        let (min, end, tiles) = self.tiles(input, &job.inputs, snapshot)?;
        let top_level = coarsest_level(grid, min, end);
        let windows: Vec<PixelWindow> = (0..=top_level).map(|l| tiles_window(grid, min, end, l)).collect();
        let prefix = ObjectKey::new(&generation_prefix(&recipe.recipe, &job.period, run))?;
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
                product.bands.iter().map(|b| array_spec(b, level, shape, Codec::Zstd5Byte)).collect()
            })
            .collect();
        let neighbours = match &job.inputs {
            Inputs::Slots(by_tile) => Neighbours::new(by_tile.values().flatten().cloned()),
            Inputs::Generation(_) => Neighbours::default(),
        };
        let size = [grid.tile_size as usize; 2];
        let new_facts = || -> Vec<BandFacts> {
            let facts =
                |(band, spec): (&Band, &ArraySpec)| BandFacts::new(band, spec.inner, size, &BTreeMap::new());
            product.bands.iter().zip(&specs[0]).map(facts).collect()
        };
        let facts_objects = [(end.iy - min.iy) as u64, (end.ix - min.ix) as u64];
        let facts = facts_spec(&new_facts(), 1, facts_objects);
        let mut objects = Vec::new();
        let mut tops = Vec::new();
        let (mut pixels, mut chunks) = (0, ChunkReport::default());
        for tile in tiles {
            let counted: Vec<Mutex<BandFacts>> = new_facts().into_iter().map(Mutex::new).collect();
            let done = self.make_tile(
                recipe,
                product,
                input,
                &job,
                tile,
                &windows,
                &specs,
                &prefix,
                &neighbours,
                &counted,
                read_all,
                progress,
            )?;
            if let Some(spec) = facts.as_ref().filter(|_| !done.0.is_empty()) {
                let unlock = |f: Mutex<BandFacts>| f.into_inner().unwrap_or_else(PoisonError::into_inner);
                let counted: Vec<BandFacts> = counted.into_iter().map(unlock).collect();
                // Tile rows grow north, objects south.
                let at = [(end.iy - 1 - tile.iy) as u64, (tile.ix - min.ix) as u64];
                objects.extend(put_tile_facts(self.store(), &prefix, spec, at, &counted, 1)?);
            }
            objects.extend(done.0);
            tops.extend(done.1);
            pixels += done.2;
            chunks.add(done.3);
        }
        objects.extend(self.make_wide_levels(product, &windows, &specs, &prefix, &tops)?);
        let crs = crs_info(&grid.crs)?;
        let (slots, sources) = match &job.inputs {
            Inputs::Slots(by_tile) => (by_tile.values().flatten().map(|s| s.id).collect(), Vec::new()),
            Inputs::Generation(g) => (Vec::new(), vec![g.id]),
        };
        let provenance = serde_json::json!({
            "recipe": recipe.recipe,
            "recipe_version": recipe.version,
            "definition_digest": digest,
            "software": concat!("tesela ", env!("CARGO_PKG_VERSION")),
            "input": recipe.input,
            "mask": recipe.mask,
            "input_snapshot": snapshot,
            "slots": slots.len(),
            "status": recipe.status.as_str(),
        });
        let mut attributes = serde_json::Map::new();
        attributes.insert("title".into(), recipe.title.get("en").cloned().unwrap_or_default().into());
        attributes.insert("tesela_provenance".into(), provenance.clone());
        if self.catalog()?.synthetic {
            attributes.insert("synthetic".into(), true.into());
        }
        let mut spec = group_spec(
            prefix.clone(),
            grid,
            &crs,
            &windows,
            vec![job.period.start],
            specs.into_iter().flatten().collect(),
            attributes,
        );
        spec.facts = facts;
        objects.extend(self.store().write_group(&spec)?);
        let group = NewGroup {
            prefix: prefix.as_str().into(),
            archive: false,
            objects: objects
                .iter()
                .map(|o| NewObject { key: o.key.as_str().into(), bytes: o.bytes, digest: o.digest.clone() })
                .collect(),
        };
        let generation = NewGeneration {
            period: job.period,
            group,
            tile_min: min,
            tile_end: end,
            provenance: provenance.to_string(),
            slots,
            sources,
        };
        Ok((generation, pixels, chunks))
    }

    /// Extent of the product and the tiles that this period has pixels in.
    fn tiles(
        &self,
        input: &Product,
        inputs: &Inputs,
        snapshot: u64,
    ) -> Result<(TileId, TileId, Vec<TileId>), ComputeError> {
        match inputs {
            Inputs::Slots(by_tile) => {
                let all = self.index().slot_tiles(&input.id, snapshot)?;
                let tiles: Vec<TileId> = by_tile.keys().copied().collect();
                let (min, end) =
                    tiles_extent(all.into_iter().chain(tiles.iter().copied())).ok_or_else(|| {
                        ComputeError::NoData {
                            product: input.id.clone(),
                            time: "any time".into(),
                            hint: "it has no scenes".into(),
                        }
                    })?;
                Ok((min, end, tiles))
            }
            Inputs::Generation(g) => {
                let tiles = (g.tile_min.iy..g.tile_end.iy)
                    .flat_map(|iy| (g.tile_min.ix..g.tile_end.ix).map(move |ix| TileId { ix, iy }))
                    .collect();
                Ok((g.tile_min, g.tile_end, tiles))
            }
        }
    }

    #[allow(clippy::too_many_arguments, clippy::type_complexity)]
    fn make_tile(
        &self,
        recipe: &RecipeDef,
        product: &Product,
        input: &Product,
        job: &Job,
        tile: TileId,
        windows: &[PixelWindow],
        specs: &[Vec<ArraySpec>],
        prefix: &ObjectKey,
        neighbours: &Neighbours,
        facts: &[Mutex<BandFacts>],
        read_all: bool,
        progress: &dyn Progress,
    ) -> Result<(Vec<ObjectInfo>, Vec<Top>, u64, ChunkReport), ComputeError> {
        let grid = &product.grid;
        let tile_window = grid.tile_window(tile, 0);
        let blocks = blocks(&tile_window);
        // Shards of this tile: levels 0 to 3 of every band.
        let mut writers: Vec<Mutex<ShardWriter>> = Vec::new();
        for level in 0..=TILE_LEVELS {
            let side = grid.level_tile_size(level) as i64;
            let base = windows[level as usize];
            let here = grid.tile_window(tile, level);
            let shard = [0, ((here.py - base.py) / side) as u64, ((here.px - base.px) / side) as u64];
            for spec in &specs[level as usize] {
                let array = ArrayRef::from_spec(prefix, spec)?;
                writers.push(Mutex::new(self.store().shard_writer(&array, shard)?));
            }
        }
        let run: Box<dyn Fn(&PixelWindow) -> Result<Option<super::block::BlockPixels>, ComputeError> + Sync> =
            match (&job.inputs, &recipe.reducer) {
                (Inputs::Slots(by_tile), Reducer::Geomedian { bands }) => {
                    let Some(slots) = by_tile.get(&tile) else {
                        return Ok((Vec::new(), Vec::new(), 0, ChunkReport::default()));
                    };
                    let mut work =
                        GeomedianTile::new(self, recipe, input, &product.bands, bands, slots, neighbours)?;
                    if read_all {
                        work.read_all();
                    }
                    Box::new(move |w| work.run(w))
                }
                (Inputs::Generation(g), Reducer::Expression { expression, .. }) => {
                    let expression = input.expression(expression)?;
                    let item = Item::Generation(g.clone());
                    let output = &product.bands[0];
                    Box::new(move |w| expression_block(self, input, &item, &expression, output, w))
                }
                _ => {
                    return Err(ComputeError::Recipe {
                        recipe: recipe.recipe.clone(),
                        problem: format!("its reducer does not take {}", input.id),
                    });
                }
            };
        let done: Vec<Option<(Top, u64, ChunkReport)>> = blocks
            .par_iter()
            .map(|window| {
                if progress.cancelled() {
                    return Err(ComputeError::Cancelled);
                }
                let made = match run(window)? {
                    Some(block) => {
                        let chunks = block.chunks;
                        let (top, pixels) = self.put_block(product, tile, window, block, &writers, facts)?;
                        Some((top, pixels, chunks))
                    }
                    None => None,
                };
                progress.advance(1);
                Ok(made)
            })
            .collect::<Result<_, _>>()?;
        let objects = writers
            .into_par_iter()
            .map(|w| Ok(w.into_inner().unwrap_or_else(PoisonError::into_inner).finish()?))
            .collect::<Result<Vec<_>, ComputeError>>()?;
        let pixels = done.iter().flatten().map(|(_, n, _)| n).sum();
        let mut chunks = ChunkReport::default();
        done.iter().flatten().for_each(|(_, _, c)| chunks.add(*c));
        let tops = done.into_iter().flatten().map(|(t, _, _)| t).collect();
        Ok((objects.into_iter().flatten().collect(), tops, pixels, chunks))
    }

    /// Puts a block and its levels 1 to 3 into the tile's shards.
    fn put_block(
        &self,
        product: &Product,
        tile: TileId,
        window: &PixelWindow,
        block: super::block::BlockPixels,
        writers: &[Mutex<ShardWriter>],
        facts: &[Mutex<BandFacts>],
    ) -> Result<(Top, u64), ComputeError> {
        let mut window = *window;
        let mut bands: Vec<Counted> =
            block.planes.into_iter().zip(&product.bands).map(|(p, b)| Counted::base(p, b)).collect();
        let whole = product.grid.tile_window(tile, 0);
        for (counted, facts) in bands.iter().zip(facts) {
            let mut facts = facts.lock().unwrap_or_else(PoisonError::into_inner);
            facts.add(0, &whole, &window, &counted.values);
        }
        for level in 0..=TILE_LEVELS {
            if level > 0 {
                bands = halve_all(&bands, &product.bands, &window)?;
                window = halved(&window);
            }
            let here = product.grid.tile_window(tile, level);
            let (y0, x0) = ((window.py - here.py) as u64, (window.px - here.px) as u64);
            let row = &writers[level as usize * bands.len()..];
            for (counted, writer) in bands.iter().zip(row) {
                let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
                writer.put_window(0, y0, x0, window.height, window.width, &counted.values)?;
            }
        }
        Ok((Top { window, bands }, block.pixels))
    }

    /// Levels 4 and up over the whole extent.
    fn make_wide_levels(
        &self,
        product: &Product,
        windows: &[PixelWindow],
        specs: &[Vec<ArraySpec>],
        prefix: &ObjectKey,
        tops: &[Top],
    ) -> Result<Vec<ObjectInfo>, ComputeError> {
        let mut objects = Vec::new();
        // Blocks meet on even edges at level 3, so each is halved by itself into the level-4 canvas.
        let whole = windows[TILE_LEVELS as usize + 1];
        let mut canvas: Vec<Counted> = product.bands.iter().map(|b| Counted::empty(b, whole.len())).collect();
        for top in tops {
            let part = halve_all(&top.bands, &product.bands, &top.window)?;
            let part_window = halved(&top.window);
            for (c, p) in canvas.iter_mut().zip(&part) {
                c.paste(&whole, p, &part_window);
            }
        }
        let mut window = whole;
        for level in TILE_LEVELS as usize + 1..windows.len() {
            if level > TILE_LEVELS as usize + 1 {
                canvas = halve_all(&canvas, &product.bands, &window)?;
                window = windows[level];
            }
            let written: Vec<Option<ObjectInfo>> = canvas
                .par_iter()
                .zip(&specs[level])
                .map(|(counted, spec)| {
                    let array = ArrayRef::from_spec(prefix, spec)?;
                    let mut writer = self.store().shard_writer(&array, [0, 0, 0])?;
                    writer.put_window(0, 0, 0, window.height, window.width, &counted.values)?;
                    Ok::<_, ComputeError>(writer.finish()?)
                })
                .collect::<Result<_, _>>()?;
            objects.extend(written.into_iter().flatten());
        }
        Ok(objects)
    }
}

impl Cube {
    /// Works a geomedian recipe over a window without writing: physical values of its bands, NaN where none. For
    /// comparisons; the recipe need not be a product of the cube.
    ///
    /// # Errors
    /// As [`Cube::compute`]; [`ComputeError::Recipe`] for any other reducer.
    pub fn evaluate(
        &self,
        recipe: &RecipeDef,
        period: &tesela_model::Period,
        window: &PixelWindow,
    ) -> Result<Vec<Vec<f32>>, ComputeError> {
        let catalog = self.catalog()?;
        let input = catalog.product(&recipe.input)?.clone();
        super::check(recipe, &input)?;
        let Reducer::Geomedian { bands } = &recipe.reducer else {
            let problem = "only geomedian recipes can be evaluated without writing".into();
            return Err(ComputeError::Recipe { recipe: recipe.recipe.clone(), problem });
        };
        let outputs: Vec<Band> = recipe.outputs.iter().map(Band::from).collect();
        let mut layers = vec![vec![f32::NAN; window.len()]; bands.len()];
        let inputs = self.inputs(&input, catalog.snapshot)?.into_iter().find(|(p, _)| p == period);
        let Some((_, Inputs::Slots(by_tile))) = inputs else { return Ok(layers) };
        let neighbours = Neighbours::new(by_tile.values().flatten().cloned());
        for (tile, slots) in &by_tile {
            let work = GeomedianTile::new(self, recipe, &input, &outputs, bands, slots, &neighbours)?;
            let parts: Vec<PixelWindow> = blocks(&input.grid.tile_window(*tile, 0))
                .iter()
                .filter_map(|b| b.intersection(window))
                .collect();
            let made: Vec<_> = parts.par_iter().map(|w| work.run(w)).collect::<Result<_, _>>()?;
            for (part, block) in parts.iter().zip(made) {
                let Some(block) = block else { continue };
                for ((layer, plane), band) in layers.iter_mut().zip(&block.planes).zip(&outputs) {
                    let values = crate::query::physical(plane, band)?;
                    for (row, line) in values.chunks_exact(part.width).enumerate() {
                        let at = (part.py - window.py) as usize + row;
                        let start = at * window.width + (part.px - window.px) as usize;
                        layer[start..start + part.width].copy_from_slice(line);
                    }
                }
            }
        }
        Ok(layers)
    }

    /// Physical values of every band of a derived raster in a window, NaN where nodata.
    ///
    /// # Errors
    /// Unknown product; [`ComputeError::NoData`] when the period does not exist; those of the store.
    pub fn stored_window(
        &self,
        product: &str,
        period: &tesela_model::Period,
        window: &PixelWindow,
    ) -> Result<Vec<Vec<f32>>, ComputeError> {
        let catalog = self.catalog()?;
        let product = catalog.product(product)?;
        let time = tesela_model::TimeSelector::Span(*period);
        let (item, _) = self.find_item(product, &time, catalog.snapshot)?;
        let bands: Vec<&Band> = product.bands.iter().collect();
        let read = self.read_item(product, &item, &bands, 0, window)?;
        read.iter().zip(&bands).map(|(p, b)| crate::query::physical(p, b)).collect()
    }
}

fn halve_all(bands: &[Counted], defs: &[Band], window: &PixelWindow) -> Result<Vec<Counted>, ComputeError> {
    bands.iter().zip(defs).map(|(c, b)| c.halve(b, window.width, window.height)).collect()
}

/// A tile's blocks, in row order.
fn blocks(tile: &PixelWindow) -> Vec<PixelWindow> {
    let mut blocks = BTreeMap::new();
    for (j, y) in (0..tile.height).step_by(SIDE).enumerate() {
        for (i, x) in (0..tile.width).step_by(SIDE).enumerate() {
            let w = PixelWindow::new(
                tile.px + x as i64,
                tile.py + y as i64,
                SIDE.min(tile.width - x),
                SIDE.min(tile.height - y),
            );
            blocks.insert((j, i), w);
        }
    }
    blocks.into_values().collect()
}
