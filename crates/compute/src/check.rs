//! Does the store hold what the index says, and nothing else?
//!
//! Every object is read and its digest compared; every place on a group's time axis must have its row and the same
//! date; pyramids must follow from what lies under them, and facts of chunks from their pixels.

mod facts;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{PositionRow, ProductKind};
use tesela_layout::names::{TILE_LEVELS, slots_digest, tiles_window};
use tesela_model::landsat::solar_offset_seconds;
use tesela_model::{Band, Instant, Period, Progress};
use tesela_store::{ObjectKey, Pixels, StoreError};

use crate::catalog::Product;
use crate::load::Item;
use crate::recipe::pyramid::{Counted, halved};
use crate::{ComputeError, Cube};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// `object_missing`, `object_damaged`, `object_orphan`, `index_row_missing`, `date_differs`, `pyramid_stale`,
    /// `index_contradiction`, `slot_outdated`, `leftover`, `facts_wrong`.
    pub kind: &'static str,
    /// What it is about: an object key, a group, a row.
    pub what: String,
    /// In words, and what to do.
    pub detail: String,
}

/// What a check found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CheckReport {
    /// Objects compared.
    pub objects: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Groups whose dates were compared.
    pub groups: u64,
    /// Differences, none in a sound cube.
    pub faults: Vec<Fault>,
}

impl Cube {
    /// Compares store and index, wholly.
    ///
    /// # Errors
    /// Those of store and index; a difference is no error but a [`Fault`].
    pub fn check(&self, progress: &dyn Progress) -> Result<CheckReport, ComputeError> {
        let mut report = CheckReport::default();
        self.check_objects(progress, &mut report)?;
        for text in self.index().contradictions()? {
            report.faults.push(fault("index_contradiction", "index.db", text));
        }
        self.check_slots(&mut report)?;
        self.check_dates(&mut report)?;
        self.check_overviews(&mut report)?;
        // Pixels of damaged objects cannot be compared further.
        if !report.faults.iter().any(|f| f.kind.starts_with("object_")) {
            self.check_pyramids(progress, &mut report)?;
            self.check_facts(progress, &mut report)?;
        }
        Ok(report)
    }

    fn check_objects(&self, progress: &dyn Progress, report: &mut CheckReport) -> Result<(), ComputeError> {
        let known = self.index().objects()?;
        let present: BTreeMap<String, u64> =
            self.store().list(None)?.into_iter().map(|(k, n)| (k.as_str().to_owned(), n)).collect();
        let unfinished = self.index().unfinished_runs()?;
        let staged: Vec<String> = self.index().staged_units()?.into_iter().map(|s| s.prefix).collect();
        let doomed = self.index().doomed()?;
        let under = |key: &str, prefixes: &[String]| {
            prefixes.iter().any(|p| key.strip_prefix(p.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        let names: BTreeSet<&str> = known.iter().map(|o| o.key.as_str()).collect();
        progress.begin("check objects", known.len() as u64, "objects");
        let faults: Vec<Fault> = known
            .par_iter()
            .filter_map(|o| {
                progress.advance(1);
                if !present.contains_key(&o.key) {
                    let detail = format!("object {} is registered but missing from the store", o.key);
                    return Some(Ok(fault("object_missing", &o.key, detail)));
                }
                let key = match ObjectKey::new(&o.key) {
                    Ok(key) => key,
                    Err(e) => return Some(Err(ComputeError::from(e))),
                };
                match self.store().digest(&key) {
                    Ok(Some(found)) if found.bytes == o.bytes && found.digest == o.digest => None,
                    Ok(Some(found)) => {
                        let detail = format!(
                            "object {} differs from what was written: {} bytes, digest {}…; registered {} bytes, digest {}…",
                            o.key,
                            found.bytes,
                            &found.digest[..12.min(found.digest.len())],
                            o.bytes,
                            &o.digest[..12.min(o.digest.len())]
                        );
                        Some(Ok(fault("object_damaged", &o.key, detail)))
                    }
                    Ok(None) => Some(Ok(fault("object_missing", &o.key, format!("object {} is missing", o.key)))),
                    Err(e) => Some(Err(e.into())),
                }
            })
            .collect::<Result<_, _>>()?;
        progress.end();
        report.objects = known.len() as u64;
        report.bytes = known.iter().map(|o| o.bytes).sum();
        report.faults.extend(faults);
        // What plans wrote is neither visible nor left over.
        let planned = self.index().planned_runs()?;
        let is_planned = |key: &str| key.split('/').any(|part| planned.iter().any(|run| run == part));
        for key in present.keys().filter(|k| !names.contains(k.as_str()) && !is_planned(k)) {
            let of_run = unfinished
                .iter()
                .any(|run| key.split('/').any(|p| p == run || p.starts_with(&format!("{run}-"))));
            let (kind, detail) = if under(key, &staged) {
                let detail = format!(
                    "object {key} was finished by an ingest that did not end; run that ingest again to use it"
                );
                ("leftover", detail)
            } else if under(key, &doomed) {
                ("leftover", format!("object {key} is no longer needed; the next `tesela gc` deletes it"))
            } else if of_run {
                (
                    "leftover",
                    format!(
                        "object {key} was left by a run that did not end; the next ingest or compute removes it"
                    ),
                )
            } else {
                ("object_orphan", format!("object {key} is in the store but in no row of the index"))
            };
            report.faults.push(fault(kind, key, detail));
        }
        Ok(())
    }

    /// Visible slots hold visible scenes.
    fn check_slots(&self, report: &mut CheckReport) -> Result<(), ComputeError> {
        for product in self.fresh_catalog()?.products.values().filter(|p| p.kind == ProductKind::Scenes) {
            for (slot, scene) in self.index().outdated_slots(&product.id)? {
                let detail = format!(
                    "tile {} of {} {} shows {scene}, which is not in the cube any more; `tesela repair` fuses it again",
                    slot.tile, product.id, slot.solar_day
                );
                report.faults.push(fault("slot_outdated", &product.id, detail));
            }
        }
        Ok(())
    }

    fn check_dates(&self, report: &mut CheckReport) -> Result<(), ComputeError> {
        let mut groups: BTreeMap<(String, String), Vec<PositionRow>> = BTreeMap::new();
        for row in self.index().all_positions()? {
            groups.entry((row.prefix.clone(), row.kind.clone())).or_default().push(row);
        }
        report.groups = groups.len() as u64;
        for ((prefix, kind), rows) in groups {
            let Some(times) = self.group_times(&prefix)? else { continue };
            let what = if kind == "slots" { "slot" } else { kind.trim_end_matches('s') };
            for (i, time) in times.iter().enumerate() {
                let Some(row) = rows.iter().find(|r| r.position == Some(i as u64)) else {
                    let detail =
                        format!("{prefix} holds {time} at position {i}, but the index has no {what} there");
                    report.faults.push(fault("index_row_missing", &prefix, detail));
                    continue;
                };
                let Some(indexed) = row.time else { continue };
                if indexed != *time {
                    let detail = format!("{prefix} position {i}: the store says {time}, the index {indexed}");
                    report.faults.push(fault("date_differs", &prefix, detail));
                } else if !row.solar_day.is_empty() && !near(&row.solar_day, indexed) {
                    let detail =
                        format!("{prefix} position {i}: solar day {} does not fit {indexed}", row.solar_day);
                    report.faults.push(fault("date_differs", &prefix, detail));
                }
            }
            for row in rows.iter().filter(|r| r.position.is_some_and(|p| p >= times.len() as u64)) {
                let detail = format!(
                    "the index places a {what} at position {:?} of {prefix}, which has {} dates",
                    row.position,
                    times.len()
                );
                report.faults.push(fault("index_contradiction", &prefix, detail));
            }
        }
        Ok(())
    }

    /// `None` for an axis that is missing or damaged: its object is a fault already.
    fn group_times(&self, prefix: &str) -> Result<Option<Vec<Instant>>, ComputeError> {
        match self.store().times(&ObjectKey::new(prefix)?) {
            Ok(times) => Ok(times.map(|t| t.into_iter().map(Instant).collect())),
            Err(StoreError::Corrupt { .. }) => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// Overviews of scenes name the slots they were made from.
    fn check_overviews(&self, report: &mut CheckReport) -> Result<(), ComputeError> {
        let catalog = self.fresh_catalog()?;
        let snapshot = catalog.snapshot;
        for product in catalog.products.values().filter(|p| p.kind == ProductKind::Scenes) {
            let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
            let mut members: BTreeMap<(String, String), BTreeMap<TileId, Vec<String>>> = BTreeMap::new();
            for slot in self.index().slots(&product.id, None, &always, snapshot)? {
                let scenes = self.index().slot_scenes(slot.id)?.into_iter().map(|s| s.product_id).collect();
                members.entry((slot.solar_day, slot.platform)).or_default().insert(slot.tile, scenes);
            }
            let overviews = self.index().overviews(&product.id, &always, snapshot)?;
            for o in &overviews {
                let day = (o.solar_day.clone(), o.platform.clone());
                let now = members.remove(&day).map(|m| slots_digest(&m));
                if now.as_ref() != Some(&o.slots_digest) {
                    let detail = format!(
                        "the overview of {} {} {} was made from other slots than the index holds now",
                        product.id, o.solar_day, o.platform
                    );
                    report.faults.push(fault("pyramid_stale", &o.prefix, detail));
                }
            }
            for (day, platform) in members.into_keys() {
                let detail = format!("{} {day} {platform} has slots but no overview", product.id);
                report.faults.push(fault("index_row_missing", &product.id, detail));
            }
        }
        Ok(())
    }

    /// Every pyramid level of every visible derived raster, made again from level 0.
    fn check_pyramids(&self, progress: &dyn Progress, report: &mut CheckReport) -> Result<(), ComputeError> {
        let catalog = self.fresh_catalog()?;
        for product in catalog.products.values().filter(|p| p.kind == ProductKind::Derived) {
            let rows = self.index().generations(&product.id, catalog.snapshot)?;
            progress.begin(&format!("check pyramids of {}", product.id), rows.len() as u64, "periods");
            let stale: Vec<Option<Fault>> = rows
                .par_iter()
                .map(|g| {
                    let item = Item::Generation(Box::new(g.clone()));
                    let mut found = None;
                    for iy in g.tile_min.iy..g.tile_end.iy {
                        for ix in g.tile_min.ix..g.tile_end.ix {
                            let tile = TileId { ix, iy };
                            if let Some(level) = self.stale_level(product, &item, tile)? {
                                let detail = format!(
                                    "level {level} of tile {tile} of {} {} does not follow from level 0",
                                    product.id,
                                    g.period.label()
                                );
                                found.get_or_insert(fault("pyramid_stale", &g.prefix, detail));
                            }
                        }
                    }
                    if let Some(level) = self.stale_wide_level(product, &item, g.tile_min, g.tile_end)? {
                        let detail = format!(
                            "level {level} of {} {} does not follow from level {}",
                            product.id,
                            g.period.label(),
                            level - 1
                        );
                        found.get_or_insert(fault("pyramid_stale", &g.prefix, detail));
                    }
                    progress.advance(1);
                    Ok(found)
                })
                .collect::<Result<_, ComputeError>>()?;
            progress.end();
            report.faults.extend(stale.into_iter().flatten());
        }
        Ok(())
    }

    /// The first level of 1 to 3 that differs in a tile, worked block by block.
    fn stale_level(&self, product: &Product, item: &Item, tile: TileId) -> Result<Option<u32>, ComputeError> {
        let bands: Vec<&Band> = product.bands.iter().collect();
        let whole = product.grid.tile_window(tile, 0);
        let side = 256;
        for y in (0..whole.height).step_by(side) {
            for x in (0..whole.width).step_by(side) {
                let mut window = PixelWindow::new(
                    whole.px + x as i64,
                    whole.py + y as i64,
                    side.min(whole.width - x),
                    side.min(whole.height - y),
                );
                let base = self.read_item(product, item, &bands, 0, &window)?;
                let mut made: Vec<Counted> =
                    base.into_iter().zip(&product.bands).map(|(p, b)| Counted::base(p, b)).collect();
                for level in 1..=TILE_LEVELS {
                    made = made
                        .iter()
                        .zip(&product.bands)
                        .map(|(c, b)| c.halve(b, window.width, window.height))
                        .collect::<Result<_, _>>()?;
                    window = halved(&window);
                    let stored = self.read_item(product, item, &bands, level, &window)?;
                    if made.iter().zip(&stored).any(|(m, s)| !same(&m.values, s)) {
                        return Ok(Some(level));
                    }
                }
            }
        }
        Ok(None)
    }

    /// The first level above 3 whose valid pixels are not those of the level under it.
    fn stale_wide_level(
        &self,
        product: &Product,
        item: &Item,
        min: TileId,
        end: TileId,
    ) -> Result<Option<u32>, ComputeError> {
        let bands: Vec<&Band> = product.bands.iter().collect();
        let top = item.top_level(product);
        for level in TILE_LEVELS + 1..=top {
            let below = tiles_window(&product.grid, min, end, level - 1);
            let here = tiles_window(&product.grid, min, end, level);
            let fine = self.read_item(product, item, &bands, level - 1, &below)?;
            let coarse = self.read_item(product, item, &bands, level, &here)?;
            for ((f, c), band) in fine.into_iter().zip(&coarse).zip(&product.bands) {
                // Weights are not stored, so values are compared to the range of their children.
                if !follows(&f, &below, c, &here, band) {
                    return Ok(Some(level));
                }
            }
        }
        Ok(None)
    }
}

/// Whether each coarse pixel lies within its valid children (one stored step of rounding allowed), and is nodata
/// just where they all are.
fn follows(fine: &Pixels, fw: &PixelWindow, coarse: &Pixels, cw: &PixelWindow, band: &Band) -> bool {
    for y in 0..cw.height {
        for x in 0..cw.width {
            let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
            for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (fy, fx) = (2 * y + dy, 2 * x + dx);
                if fy < fw.height
                    && fx < fw.width
                    && let Some(v) = fine.get_f64(fy * fw.width + fx).filter(|v| !band.is_nodata(*v))
                {
                    (low, high) = (low.min(v), high.max(v));
                }
            }
            let v = coarse.get_f64(y * cw.width + x).unwrap_or(band.nodata);
            let slack = if matches!(coarse, Pixels::F32(_)) { 1e-6 * high.abs().max(1.0) } else { 1.0 };
            let fits = if low > high {
                band.is_nodata(v)
            } else {
                !band.is_nodata(v) && v >= low - slack && v <= high + slack
            };
            if !fits {
                return false;
            }
        }
    }
    true
}

fn same(a: &Pixels, b: &Pixels) -> bool {
    match (a, b) {
        (Pixels::F32(a), Pixels::F32(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x == y || (x.is_nan() && y.is_nan()))
        }
        _ => a == b,
    }
}

/// Whether a solar day fits an instant at some longitude.
fn near(solar_day: &str, time: Instant) -> bool {
    let span = solar_offset_seconds(180.0);
    [-span, 0, span].iter().any(|o| Instant(time.0 + o).date().to_string() == solar_day)
}

fn fault(kind: &'static str, what: &str, detail: String) -> Fault {
    Fault { kind, what: what.into(), detail }
}
