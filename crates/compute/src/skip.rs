//! Chunks that need not be decoded: those in which nobody looks at a pixel.
//!
//! Quality words are read first. What a mask hides in a whole chunk is then not read of the other bands. Where a
//! group has facts ([`tesela_layout::facts`]), whole windows of a slot are known to be hidden before even their words
//! are read. Most masks only grow: what they hide without growing stays hidden, so facts, which are of words as they lie,
//! decide. Of a mask that may un-hide, by opening or erosion, facts say nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tesela_index::SlotRow;
use tesela_layout::facts::{flag_tables_attribute, mask_fact, masks_attribute, unobserved_fact};
use tesela_model::Band;
use tesela_store::{ObjectKey, Window};

use crate::catalog::Product;
use crate::{ComputeError, Cube};

/// Chunks of a computation's input that hold observations: decoded, or not because the mask hides all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkReport {
    /// Chunks of measured bands decoded.
    pub read: u64,
    /// Chunks of measured bands left out.
    pub skipped: u64,
    /// Chunks of the quality band decoded.
    pub quality_read: u64,
    /// Chunks of the quality band left out, because facts say that all of them is hidden.
    pub quality_skipped: u64,
}

impl ChunkReport {
    /// Adds another's chunks.
    pub(crate) fn add(&mut self, other: Self) {
        self.read += other.read;
        self.skipped += other.skipped;
        self.quality_read += other.quality_read;
        self.quality_skipped += other.quality_skipped;
    }

    /// Share of chunks left out, of all bands: 0 to 1; `None` when there was none.
    pub fn share_skipped(&self) -> Option<f64> {
        let skipped = self.skipped + self.quality_skipped;
        let all = self.read + self.quality_read + skipped;
        (all > 0).then(|| skipped as f64 / all as f64)
    }
}

/// What anyone looks for in a chunk of one date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// Nothing was observed there.
    Nothing,
    /// All that was observed is hidden.
    Hidden,
    /// Some pixel may be used.
    Use,
}

/// Where a date's chunks lie: how large they are, and which dates share them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Grid {
    /// Dates, rows and columns of a chunk.
    pub(crate) chunk: [u64; 3],
    /// Dates with the same number lie in the same chunks.
    pub(crate) shared: (usize, u64),
}

/// What is looked for in the chunks under a window, slot by slot.
#[derive(Debug)]
pub(crate) struct Needs {
    /// From the tile's first pixel.
    window: Window,
    slots: Vec<(Grid, Vec<Need>)>,
}

/// Flags looked at together.
const TOGETHER: usize = 32;

/// What of a window lies in one chunk.
struct Part {
    rows: Range<usize>,
    columns: Range<usize>,
    /// Of the window.
    width: usize,
}

impl Part {
    /// Its pixels in the window, row by row.
    fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        self.rows.clone().map(|row| {
            let start = row * self.width;
            start + self.columns.start..start + self.columns.end
        })
    }

    fn any(&self, of: &[bool], what: bool) -> bool {
        // Of a length that the compiler knows, so that many are looked at together.
        let has = |flags: &[bool; TOGETHER]| flags.iter().fold(false, |any, flag| any | (*flag == what));
        self.runs().any(|run| {
            let (many, rest) = of[run].as_chunks();
            many.iter().any(has) || rest.contains(&what)
        })
    }
}

/// Rows and columns of chunks from first to before end.
fn span(start: i64, len: usize, chunk: u64) -> (u64, u64) {
    let start = start.max(0) as u64;
    (start / chunk, (start + len as u64).div_ceil(chunk))
}

impl Needs {
    /// Of a window that lies inside its tile, from the tile's first pixel.
    pub(crate) fn new(window: Window) -> Self {
        Self { window, slots: Vec::new() }
    }

    /// The next slot: where the window's pixels are hidden and where they were observed.
    pub(crate) fn push(&mut self, grid: Grid, hidden: &[bool], seen: &[bool]) {
        let cells = self.parts(grid).map(|part| match (part.any(hidden, false), part.any(seen, true)) {
            (true, _) => Need::Use,
            (false, true) => Need::Hidden,
            (false, false) => Need::Nothing,
        });
        let cells = cells.collect();
        self.slots.push((grid, cells));
    }

    /// The next slot, of which everything observed is looked at: its quality words.
    pub(crate) fn push_seen(&mut self, grid: Grid, seen: &[bool]) {
        let of = |any: bool| if any { Need::Use } else { Need::Nothing };
        let cells = self.parts(grid).map(|part| of(part.any(seen, true))).collect();
        self.slots.push((grid, cells));
    }

    /// Sets the pixels of the window that lie in a slot's chunks of hidden observations.
    pub(crate) fn seen(&self, slot: usize, observed: &mut [bool]) {
        let Some((grid, cells)) = self.slots.get(slot) else { return };
        for (part, _) in self.parts(*grid).zip(cells).filter(|(_, need)| **need == Need::Hidden) {
            part.runs().for_each(|run| observed[run].fill(true));
        }
    }

    /// The parts of the window that lie in one chunk, row by row.
    fn parts(&self, grid: Grid) -> impl Iterator<Item = Part> + use<> {
        let Window { y0, x0, height, width } = self.window;
        let (top, bottom) = span(y0, height, grid.chunk[1]);
        let (left, right) = span(x0, width, grid.chunk[2]);
        let clip = |cell: u64, chunk: u64, start: i64, len: usize| {
            let first = (cell * chunk) as i64 - start;
            (first.max(0) as usize)..((first + chunk as i64).min(len as i64) as usize)
        };
        (top..bottom).flat_map(move |cy| (left..right).map(move |cx| (cy, cx))).map(move |(cy, cx)| Part {
            rows: clip(cy, grid.chunk[1], y0, height),
            columns: clip(cx, grid.chunk[2], x0, width),
            width,
        })
    }

    /// The next slot, known without its pixels.
    pub(crate) fn push_known(&mut self, grid: Grid, cells: Vec<Need>) {
        self.slots.push((grid, cells));
    }

    /// Whether any chunk of a slot is looked at.
    pub(crate) fn any(&self, slot: usize) -> bool {
        self.slots.get(slot).is_none_or(|(_, cells)| cells.contains(&Need::Use))
    }

    /// Whether a slot's chunk, of an array cut like `chunk`, is looked at.
    pub(crate) fn wants(&self, slot: usize, chunk: [u64; 3], [cy, cx]: [u64; 2]) -> bool {
        let Some((grid, cells)) = self.slots.get(slot).filter(|(g, _)| g.chunk == chunk) else { return true };
        let (top, _) = span(self.window.y0, self.window.height, grid.chunk[1]);
        let (left, right) = span(self.window.x0, self.window.width, grid.chunk[2]);
        let at = cy.checked_sub(top).zip(cx.checked_sub(left)).filter(|(_, x)| *x < right - left);
        let need = at.and_then(|(y, x)| cells.get((y * (right - left) + x) as usize));
        need.is_none_or(|need| *need == Need::Use)
    }

    /// Chunks of one band that are read, and those that are left out though something was observed in them.
    pub(crate) fn count(&self) -> (u64, u64) {
        let mut shared: HashMap<(usize, u64), Vec<Need>> = HashMap::new();
        for (grid, cells) in &self.slots {
            let all = shared.entry(grid.shared).or_insert_with(|| vec![Need::Nothing; cells.len()]);
            all.iter_mut().zip(cells).for_each(|(a, b)| *a = (*a).max(*b));
        }
        let of = |need: Need| shared.values().flatten().filter(|n| **n == need).count() as u64;
        (of(Need::Use), of(Need::Hidden))
    }
}

/// How the chunks of a band lie, slot by slot.
pub(crate) fn grids(cube: &Cube, band: &Band, slots: &[SlotRow]) -> Result<Vec<Grid>, ComputeError> {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    slots
        .iter()
        .map(|slot| {
            let next = groups.len();
            let group = *groups.entry(&slot.prefix).or_insert(next);
            let array = cube.store().open_array(&ObjectKey::new(&slot.prefix)?, &band.name)?;
            let chunk = array.inner();
            Ok(Grid { chunk, shared: (group, slot.position / chunk[0]) })
        })
        .collect()
}

/// What facts say of the quality words of one slot, chunk by chunk; `None` where they have to be read.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    cells: Arc<Vec<Option<Need>>>,
    /// Of the slot's date in `cells`.
    first: usize,
    chunk: [u64; 2],
    across: u64,
}

impl Known {
    /// Whether its chunks are those of a grid.
    pub(crate) fn is_of(&self, grid: &Grid) -> bool {
        self.chunk == [grid.chunk[1], grid.chunk[2]]
    }

    /// The needs of the chunks under a window that lies inside the tile, when each of them is known.
    pub(crate) fn needs(&self, window: Window) -> Option<Vec<Need>> {
        let (top, bottom) = span(window.y0, window.height, self.chunk[0]);
        let (left, right) = span(window.x0, window.width, self.chunk[1]);
        (top..bottom)
            .flat_map(|y| (left..right).map(move |x| (y * self.across + x) as usize))
            .map(|i| self.cells.get(self.first + i).copied().flatten())
            .collect()
    }
}

/// What the facts of slots of one tile say of a mask; nothing where a group has none, or of another mask of that name.
pub(crate) fn known(
    cube: &Cube,
    product: &Product,
    mask: &str,
    slots: &[SlotRow],
) -> Result<Vec<Option<Known>>, ComputeError> {
    let nothing = || vec![None; slots.len()];
    let (Some(def), Some((quality, _))) = (product.scenes(), product.quality()) else { return Ok(nothing()) };
    // Words are taken as unsigned; a nodata that is none of them is left to those who read.
    if !def.masks.get(mask).is_some_and(tesela_model::MaskDef::only_grows)
        || !(0.0..=65535.0).contains(&quality.nodata)
    {
        return Ok(nothing());
    }
    let masks = masks_attribute(&def.masks);
    let tables = flag_tables_attribute(&product.bands);
    let mut groups: BTreeMap<&str, Option<Group>> = BTreeMap::new();
    let mut found = Vec::with_capacity(slots.len());
    for slot in slots {
        if !groups.contains_key(slot.prefix.as_str()) {
            let group = group(cube, quality, mask, (&masks[mask], &tables), &slot.prefix)?;
            groups.insert(&slot.prefix, group);
        }
        found.push(groups.get(slot.prefix.as_str()).and_then(Option::as_ref).map(|g| {
            let [_, down, across] = g.shape;
            Known {
                cells: g.cells.clone(),
                first: (slot.position / g.chunk[0] * down * across) as usize,
                chunk: [g.chunk[1], g.chunk[2]],
                across,
            }
        }));
    }
    Ok(found)
}

struct Group {
    cells: Arc<Vec<Option<Need>>>,
    shape: [u64; 3],
    chunk: [u64; 3],
}

fn group(
    cube: &Cube,
    quality: &Band,
    mask: &str,
    (flags, tables): (&serde_json::Value, &serde_json::Value),
    prefix: &str,
) -> Result<Option<Group>, ComputeError> {
    let prefix = ObjectKey::new(prefix)?;
    let Some(facts) = cube.store().open_facts(&prefix)? else { return Ok(None) };
    let array = cube.store().open_array(&prefix, &quality.name)?;
    let same = |name: &str, value: &serde_json::Value| facts.attributes().get(name) == Some(value);
    let same_mask = facts.attributes().get("masks").and_then(|m| m.get(mask)) == Some(flags);
    let plane = |name: String| facts.names().iter().position(|n| *n == name);
    let planes = plane(mask_fact(&quality.name, mask)).zip(plane(unobserved_fact(&quality.name)));
    let Some((hidden, unobserved)) = planes else { return Ok(None) };
    if !same_mask
        || !same("flag_tables", tables)
        || facts.chunk() != array.inner()
        || facts.objects() != [1, 1]
    {
        return Ok(None);
    }
    let hidden = cube.store().read_facts(&facts, hidden, [0, 0])?;
    let unobserved = cube.store().read_facts(&facts, unobserved, [0, 0])?;
    let (shape, chunk) = (facts.cells(), facts.chunk());
    let cells = hidden.iter().zip(&unobserved).enumerate().map(|(i, (hidden, unobserved))| {
        let i = i as u64;
        let at = [i / (shape[1] * shape[2]), i / shape[2] % shape[1], i % shape[2]];
        let size = |axis: usize| chunk[axis].min(array.shape()[axis].saturating_sub(at[axis] * chunk[axis]));
        let pixels = (size(0) * size(1) * size(2)) as f32;
        match (*hidden == pixels, *unobserved == pixels) {
            (true, true) => Some(Need::Nothing),
            (true, false) if *unobserved == 0.0 => Some(Need::Hidden),
            _ => None,
        }
    });
    Ok(Some(Group { cells: Arc::new(cells.collect()), shape, chunk }))
}

#[cfg(test)]
mod tests;
