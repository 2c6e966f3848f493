//! Facts of chunks as pixels are written: how many are valid, their smallest and largest value, and for flag words how
//! many pixels each flag and each mask of the product has. Pure; [`SlotsGroup::put_facts`] stores them.
//!
//! Facts are of level 0, one *cell* an inner chunk. Counts are of pixels inside the array, written or not: what is not
//! written is nodata. Names along the axis `fact`:
//!
//! | name | what |
//! |---|---|
//! | `red.count` | pixels that are not nodata; NaN is nodata too |
//! | `red.min`, `red.max` | of those, as stored; NaN where there is none |
//! | `qa_pixel.count` | words that are not nodata |
//! | `qa_pixel.unobserved` | words that are nodata or flagged `fill` |
//! | `qa_pixel.flag.cloud` | words with the flag, nodata's own among them |
//! | `qa_pixel.mask.standard` | words that the mask hides, before any flag is grown |

mod run;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tesela_grid::PixelWindow;
use tesela_model::landsat::{FlagMask, FlagTable};
use tesela_model::{Band, MaskDef};
use tesela_store::{FactsSpec, GroupSpec, ObjectInfo, ObjectKey, Pixels, Store, StoreError};

use crate::SlotsGroup;

/// Counts are stored as float32, exact up to this many pixels in a chunk.
const MOST_PIXELS: u64 = 1 << 24;

/// Name of the fact that counts the words a mask hides.
pub fn mask_fact(band: &str, mask: &str) -> String {
    format!("{band}.mask.{mask}")
}

/// Name of the fact that counts the words that are no observation.
pub fn unobserved_fact(band: &str) -> String {
    format!("{band}.unobserved")
}

/// The attribute of facts that keeps what their masks were: a mask of another definition is another mask.
pub fn masks_attribute(masks: &BTreeMap<String, MaskDef>) -> Value {
    masks.iter().map(|(name, m)| (name.clone(), json!(m.any_of))).collect::<Map<_, _>>().into()
}

/// The attribute of facts that keeps which flags the words of each band have.
pub fn flag_tables_attribute(bands: &[Band]) -> Value {
    let of = |b: &Band| Some((b.name.clone(), json!(b.flags.as_ref()?)));
    bands.iter().filter_map(of).collect::<Map<_, _>>().into()
}

/// The facts of one band of one tile, gathered window by window.
#[derive(Debug)]
pub struct BandFacts {
    band: String,
    nodata: f64,
    /// Dates, rows and columns of a cell.
    chunk: [u64; 3],
    /// Rows and columns of pixels in the tile.
    size: [usize; 2],
    /// Rows and columns of cells in the tile.
    cells: [usize; 2],
    found: Found,
}

#[derive(Debug)]
enum Found {
    Values(Vec<Range>),
    Words { cells: Vec<Vec<(u16, u32)>>, facts: Vec<(String, WordFact)> },
}

/// What is known of the values of a cell.
#[derive(Debug, Clone, Copy)]
struct Range {
    count: u32,
    min: f32,
    max: f32,
}

#[derive(Debug)]
enum WordFact {
    Valid,
    /// Nodata, or any of these flags.
    Hidden(FlagMask),
    Flag(FlagMask),
}

const NOTHING: Range = Range { count: 0, min: f32::INFINITY, max: f32::NEG_INFINITY };

impl BandFacts {
    /// Of a band whose chunks are `chunk` dates, rows and columns, over a tile of `size` rows and columns; `masks` are
    /// the product's, for its flag words.
    pub fn new(band: &Band, chunk: [u64; 3], size: [usize; 2], masks: &BTreeMap<String, MaskDef>) -> Self {
        let cells = [size[0].div_ceil(chunk[1] as usize), size[1].div_ceil(chunk[2] as usize)];
        let table = band.flags.as_deref().and_then(|name| FlagTable::builtin(name).ok());
        let found = match table {
            None => Found::Values(Vec::new()),
            Some(table) => Found::Words { cells: Vec::new(), facts: word_facts(band, table, masks) },
        };
        Self { band: band.name.clone(), nodata: band.nodata, chunk, size, cells, found }
    }

    /// Adds a window of one date, row by row: pixels of the tile that starts at `tile`'s first. Each pixel once.
    pub fn add(&mut self, position: u64, tile: &PixelWindow, window: &PixelWindow, plane: &Pixels) {
        self.add_part(position, tile, window, plane, 0);
    }

    /// As [`BandFacts::add`] of the pixels of `plane` from `start`. A window that is not inside the tile, or has more
    /// pixels than there are, is not counted.
    pub fn add_part(
        &mut self,
        position: u64,
        tile: &PixelWindow,
        window: &PixelWindow,
        plane: &Pixels,
        start: usize,
    ) {
        if plane.len() < start + window.len() || tile.intersection(window) != Some(*window) {
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the instructions, asked here.
            return unsafe { self.count_avx2(position, tile, window, plane, start) };
        }
        self.count(position, tile, window, plane, start);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn count_avx2(
        &mut self,
        position: u64,
        tile: &PixelWindow,
        window: &PixelWindow,
        plane: &Pixels,
        start: usize,
    ) {
        self.count(position, tile, window, plane, start);
    }

    /// Counts a window that is inside; in the vector lanes of whichever caller.
    #[inline(always)]
    fn count(
        &mut self,
        position: u64,
        tile: &PixelWindow,
        window: &PixelWindow,
        plane: &Pixels,
        start: usize,
    ) {
        let base = (position / self.chunk[0]) as usize * self.cells[0] * self.cells[1];
        let end = base + self.cells[0] * self.cells[1];
        let corner = [(window.py - tile.py) as usize, (window.px - tile.px) as usize];
        let place = Place {
            corner,
            width: window.width,
            height: window.height,
            rows: self.chunk[1] as usize,
            columns: self.chunk[2] as usize,
            across: self.cells[1],
            start,
        };
        match &mut self.found {
            Found::Values(cells) => {
                cells.resize(cells.len().max(end), NOTHING);
                let (cells, nodata) = (&mut cells[base..end], self.nodata);
                match plane {
                    Pixels::U8(v) => place.integers(cells, v, nodata as u8, i16::from, f32::from),
                    Pixels::U16(v) => {
                        // In the order of i16, of which every processor knows the least of many at once.
                        let key = |v: u16| (v ^ 0x8000) as i16;
                        let value = |k: i16| f32::from(k as u16 ^ 0x8000);
                        place.integers(cells, v, nodata as u16, key, value);
                    }
                    Pixels::I16(v) => place.integers(cells, v, nodata as i16, |v| v, f32::from),
                    Pixels::F32(v) => {
                        place.each(v, |cell, run| floats(&mut cells[cell], run, nodata as f32));
                    }
                }
            }
            Found::Words { cells, .. } => {
                cells.resize(cells.len().max(end), Vec::new());
                let cells = &mut cells[base..end];
                match plane {
                    Pixels::U8(v) => place.each(v, |cell, run| words(&mut cells[cell], run, u16::from)),
                    Pixels::U16(v) => place.each(v, |cell, run| words(&mut cells[cell], run, |v| v)),
                    // As a mask takes them: no word is below 0.
                    Pixels::I16(v) => {
                        place.each(v, |cell, run| words(&mut cells[cell], run, |v| v.max(0) as u16));
                    }
                    Pixels::F32(v) => place.each(v, |cell, run| words(&mut cells[cell], run, |v| v as u16)),
                }
            }
        }
    }

    /// What each plane says, in order.
    pub fn names(&self) -> Vec<String> {
        match &self.found {
            Found::Values(_) => ["count", "min", "max"].map(|what| format!("{}.{what}", self.band)).into(),
            Found::Words { facts, .. } => facts.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    /// The planes, each `(time, y, x)`, of the tile of an array of `dates`.
    pub fn planes(&self, dates: u64) -> Vec<f32> {
        let [down, across] = self.cells;
        let times = dates.div_ceil(self.chunk[0]) as usize;
        let len = times * down * across;
        match &self.found {
            Found::Values(cells) => {
                let get = |i: usize| cells.get(i).copied().unwrap_or(NOTHING);
                let extreme = |r: Range, v: f32| if r.count == 0 { f32::NAN } else { v };
                let count = (0..len).map(|i| get(i).count as f32);
                let min = (0..len).map(|i| extreme(get(i), get(i).min));
                let max = (0..len).map(|i| extreme(get(i), get(i).max));
                count.chain(min).chain(max).collect()
            }
            Found::Words { cells, facts } => {
                let nodata = self.nodata.clamp(0.0, 65535.0) as u16;
                let mut out = vec![0.0; facts.len() * len];
                let mut says: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
                for i in 0..len {
                    let [t, y, x] = [i / (down * across), i / across % down, i % across];
                    let of = |i: usize, chunk: u64, size: u64| chunk.min(size - (i as u64 * chunk).min(size));
                    let pixels = of(t, self.chunk[0], dates)
                        * of(y, self.chunk[1], self.size[0] as u64)
                        * of(x, self.chunk[2], self.size[1] as u64);
                    let counted = cells.get(i).map(Vec::as_slice).unwrap_or_default();
                    let written: u64 = counted.iter().map(|(_, n)| u64::from(*n)).sum();
                    let unwritten = (nodata, pixels.saturating_sub(written) as u32);
                    for (word, n) in counted.iter().chain([&unwritten]) {
                        let said = says.entry(*word).or_insert_with(|| {
                            let is = |(_, fact): &(String, WordFact)| fact.is(*word, nodata);
                            (0..facts.len()).filter(|f| is(&facts[*f])).collect()
                        });
                        said.iter().for_each(|f| out[f * len + i] += *n as f32);
                    }
                }
                out
            }
        }
    }
}

impl WordFact {
    fn is(&self, word: u16, nodata: u16) -> bool {
        match self {
            Self::Valid => word != nodata,
            Self::Hidden(mask) => word == nodata || mask.matches(word),
            Self::Flag(mask) => mask.matches(word),
        }
    }
}

fn word_facts(band: &Band, table: &FlagTable, masks: &BTreeMap<String, MaskDef>) -> Vec<(String, WordFact)> {
    let name = &band.name;
    let fill = table.mask(&["fill"]).unwrap_or_default();
    let mut facts =
        vec![(format!("{name}.count"), WordFact::Valid), (unobserved_fact(name), WordFact::Hidden(fill))];
    for (mask, def) in masks {
        facts.extend(table.mask(&def.any_of).ok().map(|m| (mask_fact(name, mask), WordFact::Hidden(m))));
    }
    for flag in table.flag_names() {
        let mask = table.mask(&[&flag]).ok();
        facts.extend(mask.map(|m| (format!("{name}.flag.{flag}"), WordFact::Flag(m))));
    }
    facts
}

/// A window of a tile, as rows and columns of cells.
struct Place {
    corner: [usize; 2],
    width: usize,
    height: usize,
    rows: usize,
    columns: usize,
    across: usize,
    /// The window's first value.
    start: usize,
}

impl Place {
    /// Calls with each run of values that lies in one row and one cell.
    fn each<T>(&self, values: &[T], mut with: impl FnMut(usize, &[T])) {
        for y in 0..self.height {
            let row = &values[self.start + y * self.width..][..self.width];
            let cells = (self.corner[0] + y) / self.rows * self.across;
            let mut x = 0;
            while x < self.width {
                let column = self.corner[1] + x;
                let end = self.width.min(x + self.columns - column % self.columns);
                with(cells + column / self.columns, &row[x..end]);
                x = end;
            }
        }
    }

    /// Count and extremes of each cell's values, cell by cell: what the lanes found is put together once for all rows
    /// of a cell. `key` keeps the order of values.
    #[inline(always)]
    fn integers<T: Copy>(
        &self,
        cells: &mut [Range],
        values: &[T],
        nodata: T,
        key: impl Fn(T) -> i16,
        value: impl Fn(i16) -> f32,
    ) {
        let nodata = key(nodata);
        // A lane counts to 32767: so many rows of a cell have fewer values in it.
        let most_rows = (i16::MAX as usize / (self.columns / LANES + 2)).max(1);
        let mut y = 0;
        while y < self.height {
            let row = self.corner[0] + y;
            let below = self.height.min(y + (self.rows - row % self.rows).min(most_rows));
            let mut x = 0;
            while x < self.width {
                let column = self.corner[1] + x;
                let end = self.width.min(x + self.columns - column % self.columns);
                let mut lanes = Lanes::new();
                for y in y..below {
                    let first = self.start + y * self.width;
                    lanes.add(&values[first + x..first + end], nodata, &key);
                }
                lanes.into_range(&mut cells[row / self.rows * self.across + column / self.columns], &value);
                x = end;
            }
            y = below;
        }
    }
}

/// Values looked at together.
const LANES: usize = 32;

/// Counts and extremes in lanes of their own until the end, branchless and without a check for overflow, so that the
/// compiler takes many values in one instruction.
struct Lanes {
    count: [i16; LANES],
    min: [i16; LANES],
    max: [i16; LANES],
}

impl Lanes {
    #[inline(always)]
    fn new() -> Self {
        Self { count: [0; LANES], min: [i16::MAX; LANES], max: [i16::MIN; LANES] }
    }

    #[inline(always)]
    fn add<T: Copy>(&mut self, run: &[T], nodata: i16, key: &impl Fn(T) -> i16) {
        let (whole, rest) = run.as_chunks::<LANES>();
        for values in whole {
            let lanes = self.count.iter_mut().zip(&mut self.min).zip(&mut self.max);
            for (((count, min), max), value) in lanes.zip(values) {
                let k = key(*value);
                // All bits where it is nodata.
                let none = -i16::from(k == nodata);
                *count = count.wrapping_sub(!none);
                *min = (*min).min((k & !none) | (i16::MAX & none));
                *max = (*max).max((k & !none) | (i16::MIN & none));
            }
        }
        for (i, v) in rest.iter().enumerate() {
            let k = key(*v);
            if k != nodata {
                self.count[i] = self.count[i].wrapping_add(1);
                self.min[i] = self.min[i].min(k);
                self.max[i] = self.max[i].max(k);
            }
        }
    }

    #[inline(always)]
    fn into_range(self, range: &mut Range, value: &impl Fn(i16) -> f32) {
        let count: u32 = self.count.iter().map(|n| u32::from(*n as u16)).sum();
        if count > 0 {
            let min = self.min.into_iter().fold(i16::MAX, i16::min);
            let max = self.max.into_iter().fold(i16::MIN, i16::max);
            range.count += count;
            range.min = range.min.min(value(min));
            range.max = range.max.max(value(max));
        }
    }
}

fn floats(range: &mut Range, run: &[f32], nodata: f32) {
    let (mut count, mut min, mut max) = (0u32, f32::INFINITY, f32::NEG_INFINITY);
    for &v in run {
        let valid = !v.is_nan() & (v != nodata);
        count = count.wrapping_add(u32::from(valid));
        min = if valid & (v < min) { v } else { min };
        max = if valid & (v > max) { v } else { max };
    }
    range.count += count;
    range.min = range.min.min(min);
    range.max = range.max.max(max);
}

/// Counts words by runs of equal ones, as clouds and their edges lie.
fn words<T: Copy + PartialEq>(counts: &mut Vec<(u16, u32)>, run: &[T], word: impl Fn(T) -> u16) {
    let mut left = run;
    while let Some(first) = left.first() {
        let n = run_length(left, first);
        let w = word(*first);
        match counts.iter_mut().find(|(known, _)| *known == w) {
            Some((_, count)) => *count += n as u32,
            None => counts.push((w, n as u32)),
        }
        left = &left[n..];
    }
}

/// How many values from the start are `first`.
#[inline]
fn run_length<T: Copy + PartialEq>(values: &[T], first: &T) -> usize {
    let (blocks, _) = values.as_chunks::<LANES>();
    // Without a way out of the block, so that the compiler takes many values in one instruction.
    let is_whole = |block: &&[T; LANES]| block.iter().fold(true, |same, v| same & (v == first));
    let known = blocks.iter().take_while(is_whole).count() * LANES;
    values[known..].iter().position(|v| v != first).map_or(values.len(), |n| known + n)
}

/// The facts of some objects of a group as they are stored; `None` when a chunk has more pixels than are counted.
pub fn facts_spec(bands: &[BandFacts], dates: u64, objects: [u64; 2]) -> Option<FactsSpec> {
    let first = bands.first()?;
    if bands.iter().any(|b| b.chunk != first.chunk) || first.chunk.iter().product::<u64>() > MOST_PIXELS {
        return None;
    }
    let object = first.cells.map(|n| n as u64);
    Some(FactsSpec {
        names: bands.iter().flat_map(BandFacts::names).collect(),
        cells: [dates.div_ceil(first.chunk[0]), object[0] * objects[0], object[1] * objects[1]],
        object,
        chunk: first.chunk,
        attributes: Map::new(),
    })
}

/// Puts the facts of one tile of a group, in the object of that row and column.
///
/// # Errors
/// [`StoreError`] of the store.
pub fn put_tile_facts(
    store: &Store,
    prefix: &ObjectKey,
    spec: &FactsSpec,
    at: [u64; 2],
    bands: &[BandFacts],
    dates: u64,
) -> Result<Option<ObjectInfo>, StoreError> {
    let values: Vec<f32> = bands.iter().flat_map(|b| b.planes(dates)).collect();
    store.put_facts(prefix, spec, at, &values)
}

impl SlotsGroup<'_> {
    /// Facts of each band, nothing counted yet.
    pub fn facts(&self, masks: &BTreeMap<String, MaskDef>) -> Vec<BandFacts> {
        let size = [self.grid.tile_size as usize; 2];
        let facts = |band| BandFacts::new(band, self.array(band, 0, self.planned).inner, size, masks);
        self.bands.iter().map(facts).collect()
    }

    /// Puts the facts of the group's bands and enters them in its specification: before
    /// [`Store::write_group`](tesela_store::Store::write_group).
    ///
    /// # Errors
    /// [`StoreError`] of the store.
    pub fn put_facts(
        &self,
        store: &Store,
        bands: &[BandFacts],
        masks: &BTreeMap<String, MaskDef>,
        group: &mut GroupSpec,
    ) -> Result<Option<ObjectInfo>, StoreError> {
        let dates = group.time.len() as u64;
        group.facts = facts_spec(bands, dates, [1, 1]);
        if let Some(facts) = &mut group.facts {
            facts.attributes.insert("masks".into(), masks_attribute(masks));
            facts.attributes.insert("flag_tables".into(), flag_tables_attribute(self.bands));
        }
        let Some(spec) = &group.facts else { return Ok(None) };
        put_tile_facts(store, &self.prefix, spec, [0, 0], bands, dates)
    }
}

#[cfg(test)]
mod tests;
