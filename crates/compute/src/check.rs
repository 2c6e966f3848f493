//! Does the store hold what the index says, and nothing else?
//!
//! Every object is read and its digest compared; every place on a group's time axis must have its row and the same
//! date; pyramids must follow from what lies under them, and facts of chunks from their pixels.

mod facts;
mod pixels;
mod pyramid;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;
use tesela_grid::TileId;
use tesela_index::{PositionRow, ProductKind};
use tesela_layout::names::slots_digest;
use tesela_model::landsat::solar_offset_seconds;
use tesela_model::{Instant, Period, Progress};
use tesela_store::{ObjectKey, StoreError};

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
            self.check_pixels(progress, &mut report)?;
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
}

/// Whether a solar day fits an instant at some longitude.
fn near(solar_day: &str, time: Instant) -> bool {
    let span = solar_offset_seconds(180.0);
    [-span, 0, span].iter().any(|o| Instant(time.0 + o).date().to_string() == solar_day)
}

fn fault(kind: &'static str, what: &str, detail: String) -> Fault {
    Fault { kind, what: what.into(), detail }
}

#[cfg(test)]
mod tests;
