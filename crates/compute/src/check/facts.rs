//! Facts of chunks, counted again from the chunks.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use tesela_grid::PixelWindow;
use tesela_index::ProductKind;
use tesela_layout::facts::BandFacts;
use tesela_model::{Band, Instant, MaskDef, Period, Progress};
use tesela_store::{FactsRef, ObjectKey, Pixels, Store, StoreOptions, Window};

use super::{CheckReport, Fault, fault};
use crate::catalog::Product;
use crate::cube::store_options;
use crate::{ComputeError, Cube};

/// Most pixels decoded at once, of all dates of a chunk.
const STRIP_PIXELS: u64 = 8 << 20;

impl Cube {
    /// Facts of every visible group that has them, against its pixels.
    pub(crate) fn check_facts(
        &self,
        progress: &dyn Progress,
        report: &mut CheckReport,
    ) -> Result<(), ComputeError> {
        let catalog = self.fresh_catalog()?;
        let mut groups: Vec<(&Product, String)> = Vec::new();
        for product in catalog.products.values() {
            let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
            let prefixes: BTreeSet<String> = match product.kind {
                ProductKind::Scenes => {
                    let slots = self.index().slots(&product.id, None, &always, catalog.snapshot)?;
                    slots.into_iter().map(|s| s.prefix).collect()
                }
                ProductKind::Derived => {
                    let rows = self.index().generations(&product.id, catalog.snapshot)?;
                    rows.into_iter().map(|g| g.prefix).collect()
                }
            };
            groups.extend(prefixes.into_iter().map(|prefix| (&**product, prefix)));
        }
        // Every chunk is read once.
        let reading = StoreOptions { chunk_cache_bytes: 0, ..store_options() };
        let store = Store::with_objects(self.store().objects().clone(), &reading);
        progress.begin("check facts", groups.len() as u64, "groups");
        let found: Vec<Vec<Fault>> = groups
            .par_iter()
            .map(|(product, prefix)| {
                let found = group_faults(&store, product, prefix);
                progress.advance(1);
                found
            })
            .collect::<Result<_, _>>()?;
        progress.end();
        report.faults.extend(found.into_iter().flatten());
        Ok(())
    }
}

/// Bands of a group whose facts do not follow from their pixels.
fn group_faults(store: &Store, product: &Product, prefix: &str) -> Result<Vec<Fault>, ComputeError> {
    let key = ObjectKey::new(prefix)?;
    let Some(facts) = store.open_facts(&key)? else { return Ok(Vec::new()) };
    let masks = masks(&facts);
    let mut found = Vec::new();
    for band in &product.bands {
        if let Some(name) = wrong_fact(store, &key, &facts, band, &masks)? {
            let detail = format!("{prefix}: the facts say of `{name}` what does not follow from the pixels");
            found.push(fault("facts_wrong", prefix, detail));
        }
    }
    Ok(found)
}

/// The masks as they were when the facts were written.
fn masks(facts: &FactsRef) -> BTreeMap<String, MaskDef> {
    let listed = facts.attributes().get("masks").and_then(|m| m.as_object());
    let flags = |v: &serde_json::Value| serde_json::from_value(v.clone()).unwrap_or_default();
    let def = |v| MaskDef { any_of: flags(v), dilate: BTreeMap::new(), cleanup: Vec::new() };
    listed.into_iter().flatten().map(|(name, v)| (name.clone(), def(v))).collect()
}

/// The first fact of a band that is not as its pixels say. Facts that this version does not know are left alone.
fn wrong_fact(
    store: &Store,
    prefix: &ObjectKey,
    facts: &FactsRef,
    band: &Band,
    masks: &BTreeMap<String, MaskDef>,
) -> Result<Option<String>, ComputeError> {
    let array = store.open_array(prefix, &band.name)?;
    let [dates, height, width] = array.shape();
    let chunk = facts.chunk();
    let cells: [u64; 3] = std::array::from_fn(|i| array.shape()[i].div_ceil(chunk[i]));
    if array.inner() != chunk || cells != facts.cells() {
        return Ok(Some(format!("{}: the number of chunks", band.name)));
    }
    let [down, across] = facts.object();
    let (rows, columns) = (down * chunk[1], across * chunk[2]);
    for at in (0..facts.objects()[0]).flat_map(|y| (0..facts.objects()[1]).map(move |x| [y, x])) {
        let (top, left) = (at[0] * rows, at[1] * columns);
        let tile = PixelWindow::new(
            left as i64,
            top as i64,
            columns.min(width - left) as usize,
            rows.min(height - top) as usize,
        );
        let mut counted = BandFacts::new(band, chunk, [tile.height, tile.width], masks);
        let step = (STRIP_PIXELS / (chunk[0] * chunk[1] * tile.width as u64)).max(1) * chunk[1];
        let mut pixels = Pixels::empty(band.dtype);
        for first in (0..dates).step_by(chunk[0] as usize) {
            let times: Vec<u64> = (first..dates.min(first + chunk[0])).collect();
            for y in (0..tile.height).step_by(step as usize) {
                let strip = PixelWindow::new(
                    tile.px,
                    tile.py + y as i64,
                    tile.width,
                    (step as usize).min(tile.height - y),
                );
                let window = Window { y0: strip.py, x0: strip.px, height: strip.height, width: strip.width };
                store.read_windows(&array, &times, window, &mut pixels)?;
                for (k, t) in times.iter().enumerate() {
                    counted.add_part(*t, &tile, &strip, &pixels, k * strip.len());
                }
            }
        }
        let planes = counted.planes(dates);
        let names = counted.names();
        let len = planes.len() / names.len().max(1);
        for (name, plane) in names.iter().zip(planes.chunks_exact(len.max(1))) {
            let Some(stored) = facts.names().iter().position(|n| n == name) else { continue };
            let stored = store.read_facts(facts, stored, at)?;
            // Nothing at all is not stored, and read as 0.
            let same = |(a, b): (&f32, &f32)| a == b || (a.is_nan() && (b.is_nan() || *b == 0.0));
            if stored.len() != plane.len() || !plane.iter().zip(&stored).all(same) {
                return Ok(Some(name.clone()));
            }
        }
    }
    Ok(None)
}
