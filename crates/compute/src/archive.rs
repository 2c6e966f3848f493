//! `compact`: slots as they arrived, one object each, into archive blocks of many dates. Only places change: no
//! snapshot is taken, no answer differs.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;
use tesela_crs::crs_info;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{GroupKind, MoveCommit, NewGroup, NewObject, ProductKind, SlotRow};
use tesela_layout::facts::BandFacts;
use tesela_layout::names::{array_name, slots_prefix};
use tesela_layout::{Form, SlotsGroup};
use tesela_model::{Band, Instant, Period, Progress};
use tesela_store::{ArrayRef, ObjectInfo, ObjectKey, Pixels, Store, StoreOptions, Window};

use crate::catalog::Product;
use crate::cube::store_options;
use crate::{ComputeError, Cube};

/// How slots are compacted.
#[derive(Debug, Clone, Default)]
pub struct CompactOptions {
    /// Only this product.
    pub product: Option<String>,
    /// Also blocks that would be less than half full, and archive blocks that are.
    pub all: bool,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What a compaction did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CompactReport {
    /// Archive blocks written.
    pub blocks: usize,
    /// Slots that lie in them now.
    pub slots: usize,
    /// Bytes of the objects they came from.
    pub bytes_before: u64,
    /// Bytes of the blocks.
    pub bytes_after: u64,
    /// Bytes read, uncompressed.
    pub raw_bytes: u64,
    /// Groups nothing refers to now; `tesela gc` deletes them.
    pub freed_groups: usize,
}

/// Slots that become one block, by time.
struct Block {
    tile: TileId,
    slots: Vec<SlotRow>,
}

impl Cube {
    /// Moves slots into archive blocks: whole groups of a tile, in time order, as many as fit a block. The caller
    /// holds the writer lock. Each block is read back and compared before the index places the slots there.
    ///
    /// # Errors
    /// Unknown product; [`ComputeError::Cancelled`], what was moved until then stays so; those of store and index.
    pub fn compact(
        &self,
        options: &CompactOptions,
        progress: &dyn Progress,
    ) -> Result<CompactReport, ComputeError> {
        let catalog = self.fresh_catalog()?;
        if let Some(id) = &options.product {
            catalog.product(id)?;
        }
        let wanted = |p: &Product| {
            p.kind == ProductKind::Scenes && options.product.as_ref().is_none_or(|id| *id == p.id)
        };
        let sizes: BTreeMap<String, u64> =
            self.index().groups()?.into_iter().map(|g| (g.prefix, g.bytes)).collect();
        let mut report = CompactReport::default();
        let mut jobs = Vec::new();
        for product in catalog.products.values().filter(|p| wanted(p)) {
            let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
            let slots = self.index().slots(&product.id, None, &always, catalog.snapshot)?;
            jobs.extend(blocks(product, slots, options.all).into_iter().map(|b| (product.clone(), b)));
        }
        let groups: BTreeSet<&str> =
            jobs.iter().flat_map(|(_, b)| b.slots.iter().map(|s| s.prefix.as_str())).collect();
        report.bytes_before = groups.iter().filter_map(|g| sizes.get(*g)).sum();
        report.freed_groups = groups.len();
        if options.dry_run || jobs.is_empty() {
            report.blocks = jobs.len();
            report.slots = jobs.iter().map(|(_, b)| b.slots.len()).sum();
            return Ok(report);
        }
        // Every chunk is decoded once, what came and what was written.
        let reading = StoreOptions { chunk_cache_bytes: 0, ..store_options() };
        let store = Store::with_objects(self.store().objects().clone(), &reading);
        let run = self.index().begin_run("compact")?;
        let total: u64 = jobs.iter().map(|(p, b)| (b.slots.len() * p.bands.len()) as u64).sum();
        progress.begin("compact", total, "planes");
        for (number, (product, block)) in jobs.iter().enumerate() {
            let moved = compact_block(&store, product, block, &run, number, progress)?;
            report.bytes_after += moved.commit.group.objects.iter().map(|o| o.bytes).sum::<u64>();
            report.raw_bytes += moved.raw_bytes;
            store.sync()?;
            self.index().commit_move(&moved.commit)?;
            report.blocks += 1;
            report.slots += block.slots.len();
        }
        progress.end();
        self.index().end_run(&run)?;
        Ok(report)
    }
}

/// Packs the groups of each tile, in time order, into blocks. A group is never cut, so that it is free as a whole;
/// one whose dates a block has already waits for the next.
fn blocks(product: &Product, slots: Vec<SlotRow>, all: bool) -> Vec<Block> {
    let Some(def) = product.scenes() else { return Vec::new() };
    let most = def.layout.archive.dates as usize;
    let mut tiles: BTreeMap<TileId, BTreeMap<String, Vec<SlotRow>>> = BTreeMap::new();
    for slot in slots {
        tiles.entry(slot.tile).or_default().entry(slot.prefix.clone()).or_default().push(slot);
    }
    let mut found = Vec::new();
    for (tile, groups) in tiles {
        let half = most.div_ceil(2);
        let mut groups: Vec<Vec<SlotRow>> = groups
            .into_values()
            .filter(|g| g.first().is_some_and(|s| !s.archive) || (all && g.len() < half))
            .collect();
        groups.sort_by_key(|g| g.iter().map(|s| (s.time, s.id)).min());
        // A short archive block alone would be written again as it is.
        if groups.len() == 1 && groups[0].first().is_some_and(|s| s.archive) {
            continue;
        }
        let mut open: Vec<SlotRow> = Vec::new();
        let mut times: BTreeSet<Instant> = BTreeSet::new();
        let mut close = |slots: &mut Vec<SlotRow>, times: &mut BTreeSet<Instant>| {
            times.clear();
            let mut slots = std::mem::take(slots);
            slots.sort_by_key(|s| s.time);
            if slots.len() >= if all { 1 } else { half } {
                found.push(Block { tile, slots });
            }
        };
        for group in groups {
            let clashes = group.iter().any(|s| times.contains(&s.time));
            if clashes || open.len() + group.len() > most {
                close(&mut open, &mut times);
            }
            // A group of more dates than a block has stays as it is.
            if group.len() <= most {
                times.extend(group.iter().map(|s| s.time));
                open.extend(group);
            }
        }
        close(&mut open, &mut times);
    }
    found
}

struct Moved {
    commit: MoveCommit,
    raw_bytes: u64,
}

fn compact_block(
    store: &Store,
    product: &Product,
    block: &Block,
    run: &str,
    number: usize,
    progress: &dyn Progress,
) -> Result<Moved, ComputeError> {
    let Some(def) = product.scenes() else { return Err(ComputeError::Cancelled) };
    let crs = crs_info(&product.grid.crs)?;
    let prefix = ObjectKey::new(&slots_prefix(&product.id, block.tile, run, number))?;
    let group = SlotsGroup {
        prefix: prefix.clone(),
        tile: block.tile,
        bands: &product.bands,
        grid: &product.grid,
        crs: &crs,
        layout: def.layout,
        form: Form::Archive,
        planned: block.slots.len() as u64,
    };
    let windows = group.windows();
    let mut facts = group.facts(&def.masks);
    let written: Vec<(Vec<ObjectInfo>, Vec<Plane>)> = product
        .bands
        .par_iter()
        .zip(&mut facts)
        .map(|(band, facts)| write_band(store, &group, &windows, band, &block.slots, facts, progress))
        .collect::<Result<_, _>>()?;
    let (objects, planes): (Vec<_>, Vec<_>) = written.into_iter().unzip();
    let mut objects: Vec<ObjectInfo> = objects.into_iter().flatten().collect();
    let mut spec = group.spec(block.slots.iter().map(|s| s.time).collect());
    objects.extend(group.put_facts(store, &facts, &def.masks, &mut spec)?);
    objects.extend(store.write_group(&spec)?);
    product
        .bands
        .par_iter()
        .zip(&planes)
        .try_for_each(|(band, planes)| read_back(store, &prefix, band, planes))?;
    let raw_bytes = product
        .bands
        .iter()
        .zip(&planes)
        .map(|(b, planes)| {
            planes.iter().map(|p| p.window.len() as u64).sum::<u64>() * b.dtype.size_bytes() as u64
        })
        .sum();
    let objects = objects
        .iter()
        .map(|o| NewObject { key: o.key.as_str().into(), bytes: o.bytes, digest: o.digest.clone() })
        .collect();
    Ok(Moved {
        commit: MoveCommit {
            product: product.id.clone(),
            run: run.into(),
            group: NewGroup { prefix: prefix.as_str().into(), archive: true, objects },
            kind: GroupKind::Slots,
            rows: block.slots.iter().enumerate().map(|(i, s)| (s.id, i as u64)).collect(),
            doomed: Vec::new(),
        },
        raw_bytes,
    })
}

/// The pixels of one date at one level, as they were read.
struct Plane {
    position: u64,
    level: u32,
    /// Where anything is stored, from the tile's first pixel.
    window: Window,
    /// CRC-32C of the pixels. Against faults, not forgery; several times quicker than a digest.
    sum: u32,
}

/// One band of a block, all dates and levels; its objects, and what was read.
fn write_band(
    store: &Store,
    group: &SlotsGroup<'_>,
    windows: &[PixelWindow],
    band: &Band,
    slots: &[SlotRow],
    facts: &mut BandFacts,
    progress: &dyn Progress,
) -> Result<(Vec<ObjectInfo>, Vec<Plane>), ComputeError> {
    let mut writer = group.band_writer(store, band)?;
    let mut planes = Vec::with_capacity(slots.len() * windows.len());
    let mut pixels = Pixels::empty(band.dtype);
    for (position, slot) in slots.iter().enumerate() {
        if progress.cancelled() {
            return Err(ComputeError::Cancelled);
        }
        let (from, position) = (ObjectKey::new(&slot.prefix)?, position as u64);
        for (level, tile) in windows.iter().enumerate() {
            let array = store.open_array(&from, &array_name(&band.name, level as u32))?;
            let Some(window) = store.stored_window(&array, slot.position)? else { continue };
            store.read_window(&array, slot.position, window, &mut pixels)?;
            let sum = crc32c::crc32c(pixels.bytes());
            planes.push(Plane { position, level: level as u32, window, sum });
            let place =
                PixelWindow::new(tile.px + window.x0, tile.py + window.y0, window.width, window.height);
            if level == 0 {
                facts.add(position, tile, &place, &pixels);
            }
            writer.put(position, level as u32, tile, &place, &pixels)?;
        }
        writer.pass(position + 1)?;
        progress.advance(1);
    }
    Ok((writer.finish()?, planes))
}

/// Compares what was written with what was read: dates that share their inner chunks together, so that each chunk is
/// decoded once, and a few rows of chunks at a time, so that little is held.
fn read_back(store: &Store, prefix: &ObjectKey, band: &Band, planes: &[Plane]) -> Result<(), ComputeError> {
    let mut levels: BTreeMap<u32, Vec<&Plane>> = BTreeMap::new();
    for plane in planes {
        levels.entry(plane.level).or_default().push(plane);
    }
    let mut pixels = Pixels::empty(band.dtype);
    for (level, planes) in levels {
        let array = store.open_array(prefix, &array_name(&band.name, level))?;
        let depth = array.inner()[0];
        for group in planes.chunk_by(|a, b| a.position / depth == b.position / depth) {
            let dates: Vec<u64> = group.iter().map(|p| p.position).collect();
            let mut sums = vec![0; group.len()];
            for part in parts(&array, group) {
                store.read_windows(&array, &dates, part, &mut pixels)?;
                for ((layer, plane), sum) in group.iter().enumerate().zip(&mut sums) {
                    *sum = sum_part(*sum, &pixels, layer, &part, &plane.window);
                }
            }
            for (plane, sum) in group.iter().zip(sums) {
                if sum != plane.sum {
                    return Err(ComputeError::NotTheSame {
                        group: prefix.to_string(),
                        band: band.name.clone(),
                        level,
                        position: plane.position,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Pixels of all dates that are read back at once, bytes; at least one row of chunks.
const PART_BYTES: usize = 4 << 20;

/// The window that holds those of some planes, cut into whole rows of chunks from the north.
fn parts(array: &ArrayRef, planes: &[&Plane]) -> Vec<Window> {
    let end = |from: i64, len: usize| from + len as i64;
    let windows = || planes.iter().map(|p| &p.window);
    let x0 = windows().map(|w| w.x0).min().unwrap_or(0);
    let y0 = windows().map(|w| w.y0).min().unwrap_or(0);
    let right = windows().map(|w| end(w.x0, w.width)).max().unwrap_or(x0);
    let bottom = windows().map(|w| end(w.y0, w.height)).max().unwrap_or(y0);
    let (rows, width) = (array.inner()[1] as i64, (right - x0) as usize);
    let row_bytes = planes.len() * width * rows as usize * array.dtype().size_bytes();
    let step = rows * (PART_BYTES / row_bytes.max(1)).max(1) as i64;
    let mut found = Vec::new();
    let mut top = y0;
    while top < bottom {
        let next = (top - top.rem_euclid(rows) + step).min(bottom);
        found.push(Window { y0: top, x0, height: (next - top) as usize, width });
        top = next;
    }
    found
}

/// Adds to the sum of a plane the rows of its window that lie in `part` of a layer of `pixels`, shaped
/// `(layers, height, width)` as `part`.
fn sum_part(sum: u32, pixels: &Pixels, layer: usize, part: &Window, window: &Window) -> u32 {
    let size = pixels.dtype().size_bytes();
    let top = window.y0.max(part.y0);
    let bottom = (window.y0 + window.height as i64).min(part.y0 + part.height as i64);
    if top >= bottom {
        return sum;
    }
    let first = layer * part.height + (top - part.y0) as usize;
    let stride = part.width * size;
    let all = &pixels.bytes()[first * stride..(first + (bottom - top) as usize) * stride];
    if window.width == part.width {
        return crc32c::crc32c_append(sum, all);
    }
    let (left, run) = ((window.x0 - part.x0) as usize * size, window.width * size);
    all.chunks_exact(stride).fold(sum, |sum, line| crc32c::crc32c_append(sum, &line[left..left + run]))
}
