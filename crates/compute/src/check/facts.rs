//! Facts of chunks, counted again from the chunks.

use std::collections::BTreeMap;

use tesela_grid::PixelWindow;
use tesela_layout::facts::BandFacts;
use tesela_model::{Band, MaskDef};
use tesela_store::{ArrayRef, FactsRef, Pixels, Store};

use crate::ComputeError;

/// The masks as they were when the facts were written.
pub(super) fn masks(facts: &FactsRef) -> BTreeMap<String, MaskDef> {
    let listed = facts.attributes().get("masks").and_then(|m| m.as_object());
    let flags = |v: &serde_json::Value| serde_json::from_value(v.clone()).unwrap_or_default();
    let def = |v| MaskDef { any_of: flags(v), dilate: BTreeMap::new(), cleanup: Vec::new() };
    listed.into_iter().flatten().map(|(name, v)| (name.clone(), def(v))).collect()
}

/// What one object of facts must say of a band, counted chunk by chunk; a chunk that is not added holds nothing.
pub(super) struct Recount<'r> {
    facts: &'r FactsRef,
    at: [u64; 2],
    shape: [u64; 3],
    inner: [u64; 3],
    /// Rows and columns of the array that the object is about.
    window: PixelWindow,
    counted: BandFacts,
}

impl<'r> Recount<'r> {
    /// `None` when the facts are of other chunks than the array has.
    pub(super) fn new(
        facts: &'r FactsRef,
        at: [u64; 2],
        array: &ArrayRef,
        band: &Band,
        masks: &BTreeMap<String, MaskDef>,
    ) -> Option<Self> {
        let (shape, inner) = (array.shape(), array.inner());
        let cells: [u64; 3] = std::array::from_fn(|i| shape[i].div_ceil(inner[i]));
        if inner != facts.chunk() || cells != facts.cells() {
            return None;
        }
        let first: [u64; 2] = std::array::from_fn(|i| at[i] * facts.object()[i] * inner[i + 1]);
        let size: [usize; 2] = std::array::from_fn(|i| {
            let left = shape[i + 1].saturating_sub(first[i]);
            (facts.object()[i] * inner[i + 1]).min(left) as usize
        });
        let window = PixelWindow::new(first[1] as i64, first[0] as i64, size[1], size[0]);
        let counted = BandFacts::new(band, inner, size, masks);
        Some(Self { facts, at, shape, inner, window, counted })
    }

    /// Rows and columns of the array that the object is about.
    pub(super) fn window(&self) -> &PixelWindow {
        &self.window
    }

    /// Counts a whole chunk `[t, y, x]` of the array: those of its pixels that the array has.
    pub(super) fn add(&mut self, chunk: [u64; 3], pixels: &Pixels) {
        let [down, across] = self.facts.object();
        let (top, left) = (self.at[0] * down, self.at[1] * across);
        if chunk[1] < top || chunk[2] < left {
            return;
        }
        let cell = [chunk[0], chunk[1] - top, chunk[2] - left];
        let [dates, rows, columns]: [u64; 3] = std::array::from_fn(|i| {
            self.inner[i].min(self.shape[i].saturating_sub(chunk[i] * self.inner[i]))
        });
        if [rows, columns] == [self.inner[1], self.inner[2]] {
            self.counted.add_run(cell, pixels, 0..(dates * rows * columns) as usize);
            return;
        }
        for (t, y) in (0..dates).flat_map(|t| (0..rows).map(move |y| (t, y))) {
            let first = ((t * self.inner[1] + y) * self.inner[2]) as usize;
            self.counted.add_run(cell, pixels, first..first + columns as usize);
        }
    }

    /// The first fact that is not as the pixels say. Facts that this version does not know are left alone.
    pub(super) fn first_wrong(self, store: &Store) -> Result<Option<String>, ComputeError> {
        let planes = self.counted.planes(self.shape[0]);
        let names = self.counted.names();
        let len = planes.len() / names.len().max(1);
        for (name, plane) in names.iter().zip(planes.chunks_exact(len.max(1))) {
            let Some(stored) = self.facts.names().iter().position(|n| n == name) else { continue };
            let stored = store.read_facts(self.facts, stored, self.at)?;
            // Nothing at all is not stored, and read as 0.
            let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && (b.is_nan() || *b == 0.0));
            if stored.len() != plane.len() || !plane.iter().zip(&stored).all(same) {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }
}
