//! Scenes that the operator takes out of the cube, and brings back: each a single snapshot.
//!
//! An archived scene is visible nowhere from its snapshot on. Slots it was in are fused again from the scenes of their
//! day that stay, or go. Reads at an earlier snapshot see it still. No ingest brings it back; a later processing of it
//! comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;

use serde::Serialize;
use tesela_crs::crs_info;
use tesela_grid::GridDef;
use tesela_index::{
    ArchivedRow, ArchivedScene, Index, IngestCommit, NewScene, NewSlot, SceneChange, SceneQuery, SceneRow,
    SlotRow,
};
use tesela_layout::Form;
use tesela_model::{ProductDef, Progress};
use tesela_store::Store;

use crate::IngestError;
use crate::batch::{Beside, Job, commit_batch, make_batch, units_at_once};
use crate::join::{join_day, placed, placed_from, scenes_in};
use crate::plan::{Day, DayKey, PlannedScene, batches};
use crate::run::IngestOptions;
use crate::slots::Context;
use crate::source::SceneSource;
use crate::sweep::{sweep, sweep_run};

/// What an archiving did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WithdrawReport {
    /// Scenes archived now.
    pub archived: Vec<String>,
    /// Scenes that were archived before.
    pub already: Vec<String>,
    /// Slots fused again without them.
    pub fused_slots: usize,
    /// Slots that went with them.
    pub emptied_slots: usize,
    /// Latest snapshot.
    pub snapshot: u64,
}

/// What a restoring did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RestoreReport {
    /// Scenes brought back from their sources.
    pub from_source: Vec<String>,
    /// Scenes brought back from pixels that a kept snapshot holds.
    pub from_store: Vec<String>,
    /// Scenes that were in the cube.
    pub already: Vec<String>,
    /// Slots that hold them now.
    pub slots: usize,
    /// Latest snapshot.
    pub snapshot: u64,
}

/// What they share.
struct Work<'w> {
    store: &'w Store,
    index: &'w dyn Index,
    product: &'w ProductDef,
    grid: &'w GridDef,
    options: &'w IngestOptions,
}

/// Takes scenes out of a product. The caller holds the writer lock.
///
/// # Errors
/// [`IngestError::UnknownScene`]; [`IngestError::CannotArchive`] when a scene that stays must be fused again and its
/// files are gone; those of store and index. Nothing has changed then.
#[allow(clippy::too_many_arguments)]
pub fn archive_scenes(
    store: &Store,
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    ids: &[String],
    reason: &str,
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<WithdrawReport, IngestError> {
    sweep(store, index)?;
    let work = Work { store, index, product, grid, options };
    let snapshot = index.latest_snapshot()?;
    let archived = index.archived_scenes(Some(&product.product), snapshot)?;
    let mut report = WithdrawReport { snapshot, ..WithdrawReport::default() };
    let mut rows: BTreeMap<String, SceneRow> = BTreeMap::new();
    for id in ids {
        match work.visible(id, snapshot)? {
            Some(row) => {
                rows.insert(id.clone(), row);
            }
            None if archived.iter().any(|a| a.product_id == *id) => report.already.push(id.clone()),
            None => return Err(work.unknown(id)),
        }
    }
    if rows.is_empty() {
        return Ok(report);
    }
    let days = work.days_without(&rows, snapshot)?;
    let mut commit = IngestCommit::default();
    report.snapshot =
        work.commit("archive", &BTreeSet::new(), &days, Beside::default(), progress, |made| {
            made.change = SceneChange::Archive;
            made.archived =
                rows.values().map(|row| ArchivedScene { scene: row.id, reason: reason.to_owned() }).collect();
            made.summary = serde_json::json!({
                "product": product.product,
                "scenes": rows.len(),
                "slots": made.slots.len(),
                "emptied": made.emptied.len(),
            })
            .to_string();
            commit = made.clone();
        })?;
    report.fused_slots = commit.slots.len();
    report.emptied_slots = commit.emptied.len();
    report.archived = rows.into_keys().collect();
    Ok(report)
}

/// Brings archived scenes back: from their sources, or, where these are gone and the scene was alone in its slots,
/// from the pixels that a kept snapshot holds. The caller holds the writer lock.
///
/// # Errors
/// [`IngestError::UnknownScene`]; [`IngestError::CannotRestore`] names the file that is missing, or the later
/// processing that stands in its place; those of store and index. Nothing has changed then.
pub fn restore_scenes(
    store: &Store,
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    ids: &[String],
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<RestoreReport, IngestError> {
    sweep(store, index)?;
    let work = Work { store, index, product, grid, options };
    let snapshot = index.latest_snapshot()?;
    let archived = index.archived_scenes(Some(&product.product), snapshot)?;
    let known = index
        .scenes(&SceneQuery { product: Some(product.product.clone()), ..SceneQuery::default() }, snapshot)?;
    let known: BTreeMap<&str, &SceneRow> = known.iter().map(|s| (s.scene_key.as_str(), s)).collect();
    let mut report = RestoreReport { snapshot, ..RestoreReport::default() };
    let mut rows: BTreeMap<&str, &ArchivedRow> = BTreeMap::new();
    for id in ids {
        let found = archived.iter().find(|a| a.product_id == *id);
        match found {
            Some(row) => {
                if let Some(other) = known.get(row.scene_key.as_str()) {
                    return Err(cannot(
                        row,
                        format!("{} of the same scene is in the cube; archive that first", other.product_id),
                    ));
                }
                if let Some(twin) = rows.insert(&row.scene_key, row).filter(|twin| twin.id != row.id) {
                    return Err(cannot(row, format!("{} is of the same scene; choose one", twin.product_id)));
                }
            }
            None if work.visible(id, snapshot)?.is_some() => report.already.push(id.clone()),
            None => return Err(work.unknown(id)),
        }
    }
    if rows.is_empty() {
        return Ok(report);
    }
    let mut sources = Vec::new();
    let mut beside = Beside::default();
    for row in rows.values() {
        match placed_from(product, grid, &row.document) {
            Ok(scene) => sources.push(scene),
            Err(missing) => {
                work.take_from_store(row, snapshot, &missing, &mut beside)?;
                report.from_store.push(row.product_id.clone());
            }
        }
    }
    report.from_source = sources.iter().map(|s| s.source.product_id.clone()).collect();
    let new_ids: BTreeSet<String> = report.from_source.iter().cloned().collect();
    let days = work.days_with(sources, &known, snapshot)?;
    for day in &days {
        let clash = |slot: &NewSlot| {
            slot.solar_day == day.key.solar_day.to_string()
                && slot.platform == day.key.platform
                && day.tiles(grid, &new_ids).contains(&slot.tile)
        };
        if let Some(slot) = beside.slots.iter().find(|slot| clash(slot)) {
            return Err(IngestError::CannotRestore {
                product_id: slot.scenes.join(", "),
                reason: "its files are missing, and another scene that comes back shares its day and place"
                    .into(),
            });
        }
    }
    let restored: Vec<i64> = rows.values().map(|row| row.id).collect();
    let mut slots = 0;
    report.snapshot = work.commit("restore", &new_ids, &days, beside, progress, |made| {
        made.change = SceneChange::Restore;
        made.restored = restored;
        slots = made.slots.len();
    })?;
    report.slots = slots;
    Ok(report)
}

/// Fuses slots again that show a scene which is not in the product any more, in one snapshot; how many there were.
/// Version 0.1.0 left such slots where a later processing no longer met a tile. The caller holds the writer lock.
///
/// # Errors
/// [`IngestError::CannotArchive`] when a scene that stays cannot be read; those of store and index.
pub fn fuse_outdated(
    store: &Store,
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<usize, IngestError> {
    let work = Work { store, index, product, grid, options };
    let snapshot = index.latest_snapshot()?;
    let outdated = index.outdated_slots(&product.product)?;
    let mut days: BTreeMap<DayKey, Day> = BTreeMap::new();
    let mut gone: BTreeSet<String> = BTreeSet::new();
    for (slot, product_id) in &outdated {
        for scene in index.slot_scenes(slot.id)?.iter().filter(|s| s.product_id == *product_id) {
            let Some(key) = work.day_key(scene)? else { continue };
            let day = || Day { key, scenes: Vec::new(), left: BTreeSet::new() };
            days.entry(key).or_insert_with(day).left.insert(slot.tile);
            gone.insert(product_id.clone());
        }
    }
    if days.is_empty() {
        return Ok(0);
    }
    for day in days.values_mut() {
        work.join_staying(day, |id| gone.contains(id), snapshot)?;
    }
    let days: Vec<Day> = days.into_values().collect();
    work.commit("repair", &BTreeSet::new(), &days, Beside::default(), progress, |made| {
        made.change = SceneChange::Repair;
    })?;
    Ok(outdated.len())
}

fn cannot(row: &ArchivedRow, reason: String) -> IngestError {
    IngestError::CannotRestore { product_id: row.product_id.clone(), reason }
}

impl Work<'_> {
    fn visible(&self, id: &str, snapshot: u64) -> Result<Option<SceneRow>, IngestError> {
        let query = SceneQuery {
            product: Some(self.product.product.clone()),
            id: Some(id.into()),
            limit: 1,
            ..SceneQuery::default()
        };
        Ok(self.index.scenes(&query, snapshot)?.pop())
    }

    fn unknown(&self, id: &str) -> IngestError {
        IngestError::UnknownScene { product_id: id.into(), product: self.product.product.clone() }
    }

    /// The days of scenes that go, each with the scenes that stay in the slots which change.
    fn days_without(
        &self,
        rows: &BTreeMap<String, SceneRow>,
        snapshot: u64,
    ) -> Result<Vec<Day>, IngestError> {
        let mut days: BTreeMap<DayKey, Day> = BTreeMap::new();
        for row in rows.values() {
            let Some(key) = self.day_key(row)? else { continue };
            let day =
                days.entry(key).or_insert_with(|| Day { key, scenes: Vec::new(), left: BTreeSet::new() });
            let slots = self.index.scene_slots(row.id, snapshot)?;
            day.left.extend(slots.iter().filter(|slot| key.holds(slot)).map(|slot| slot.tile));
        }
        for day in days.values_mut() {
            self.join_staying(day, |id| rows.contains_key(id), snapshot)?;
        }
        Ok(days.into_values().collect())
    }

    /// Adds to a day the scenes that stay in the slots which change.
    fn join_staying(
        &self,
        day: &mut Day,
        goes: impl Fn(&str) -> bool,
        snapshot: u64,
    ) -> Result<(), IngestError> {
        let sharing = scenes_in(self.index, self.product, &day.key, &day.left, snapshot)?;
        let going = sharing.keys().find(|id| goes(id)).cloned().unwrap_or_default();
        for (id, row) in sharing.into_iter().filter(|(id, _)| !goes(id)) {
            let scene = placed(self.index, self.product, self.grid, &row).map_err(|reason| {
                IngestError::CannotArchive { product_id: going.clone(), other: id, reason }
            })?;
            day.scenes.push(scene);
        }
        day.sort();
        Ok(())
    }

    /// The day of a scene as its slots have it; `None` for one without a slot.
    fn day_key(&self, row: &SceneRow) -> Result<Option<DayKey>, IngestError> {
        let text = self.index.scene_document(row.id)?.unwrap_or_default();
        let source = serde_json::from_str::<SceneSource>(&text);
        let solar_day = row.solar_day.parse();
        Ok(match (source, solar_day) {
            (Ok(source), Ok(solar_day)) => Some(DayKey { solar_day, platform: source.platform.stac_name() }),
            _ => {
                return Err(IngestError::CannotArchive {
                    product_id: row.product_id.clone(),
                    other: row.product_id.clone(),
                    reason: "the index has no description of it that can be read; run `tesela check`".into(),
                });
            }
        })
    }

    /// The days of scenes that come back from their sources, each with the scenes that fuse with them.
    fn days_with(
        &self,
        scenes: Vec<PlannedScene>,
        known: &BTreeMap<&str, &SceneRow>,
        snapshot: u64,
    ) -> Result<Vec<Day>, IngestError> {
        let mut days: Vec<Day> = batches(scenes, usize::MAX).into_iter().flatten().collect();
        for day in &mut days {
            join_day(self.index, self.product, self.grid, day, known, &BTreeSet::new(), snapshot)?;
        }
        Ok(days)
    }

    /// A scene whose files are missing, from the slots it was in before it was archived.
    fn take_from_store(
        &self,
        row: &ArchivedRow,
        snapshot: u64,
        missing: &str,
        beside: &mut Beside,
    ) -> Result<(), IngestError> {
        let before = row.added.saturating_sub(1);
        let slots = self.index.scene_slots(row.scene, before)?;
        let scene = match slots.first() {
            Some(slot) => self.index.slot_scenes(slot.id)?.into_iter().find(|s| s.id == row.scene),
            None => None,
        };
        let Some(scene) = scene.filter(|s| s.product_id == row.product_id) else {
            return Err(cannot(row, format!("{missing}, and no kept snapshot holds its pixels")));
        };
        for slot in slots {
            if self.index.slot_scenes(slot.id)?.len() != 1 || self.is_taken(&slot, snapshot)? {
                return Err(cannot(
                    row,
                    format!(
                        "{missing}, and on {} other scenes share its place in tile {}",
                        slot.solar_day, slot.tile
                    ),
                ));
            }
            beside.slots.push(NewSlot {
                tile: slot.tile,
                solar_day: slot.solar_day,
                time: slot.time,
                platform: slot.platform,
                prefix: slot.prefix,
                position: slot.position,
                scenes: vec![row.product_id.clone()],
            });
        }
        beside.days.extend(self.day_key_of(row, &scene)?);
        beside.scenes.push(NewScene {
            scene_key: scene.scene_key,
            product_id: scene.product_id,
            platform: scene.platform,
            wrs_path: scene.wrs_path,
            wrs_row: scene.wrs_row,
            acquired: scene.acquired,
            solar_day: scene.solar_day,
            processed: scene.processed,
            tier: scene.tier,
            cloud_cover: scene.cloud_cover,
            bbox: scene.bbox,
            synthetic: scene.synthetic,
            document: row.document.clone(),
        });
        Ok(())
    }

    fn day_key_of(&self, row: &ArchivedRow, scene: &SceneRow) -> Result<Option<DayKey>, IngestError> {
        let unreadable = |e: String| cannot(row, format!("its description cannot be read: {e}"));
        let source: SceneSource =
            serde_json::from_str(&row.document).map_err(|e| unreadable(e.to_string()))?;
        let solar_day = scene.solar_day.parse().map_err(|_| unreadable(scene.solar_day.clone()))?;
        Ok(Some(DayKey { solar_day, platform: source.platform.stac_name() }))
    }

    /// Whether other scenes have a slot of that day and tile now.
    fn is_taken(&self, slot: &SlotRow, snapshot: u64) -> Result<bool, IngestError> {
        let around = tesela_model::Period {
            start: tesela_model::Instant(slot.time.0 - 172_800),
            end: tesela_model::Instant(slot.time.0 + 172_800),
        };
        let here = self.index.slots(&self.product.product, Some(slot.tile), &around, snapshot)?;
        Ok(here.iter().any(|s| s.solar_day == slot.solar_day && s.platform == slot.platform))
    }

    /// Writes the slots that change, and commits them with what `complete` adds.
    fn commit(
        &self,
        kind: &str,
        new_ids: &BTreeSet<String>,
        days: &[Day],
        beside: Beside,
        progress: &dyn Progress,
        complete: impl FnOnce(&mut IngestCommit),
    ) -> Result<u64, IngestError> {
        let run = self.index.begin_run(kind)?;
        let crs = crs_info(&self.grid.crs)?;
        let context = Context::new(self.product, self.grid, &crs, self.store, &run, Form::Recent);
        let total: usize = days.iter().map(|day| day.tiles(self.grid, new_ids).len()).sum();
        progress.begin(kind, total as u64, "slots");
        let written = units_at_once(&context, self.options).and_then(|at_once| {
            let numbers = AtomicUsize::new(0);
            let job = Job { context: &context, index: self.index, new_ids, at_once, numbers };
            let (mut commit, resumed) = make_batch(&job, days, beside, progress)?;
            complete(&mut commit);
            commit_batch(&job, commit, resumed)
        });
        progress.end();
        match written {
            Ok(written) => {
                self.index.end_run(&run)?;
                Ok(written.snapshot)
            }
            Err(e) => {
                // A run whose objects could not all be removed has not ended: the next writer sweeps it.
                if !matches!(e, IngestError::Store(_)) {
                    let _ = sweep_run(self.store, self.index, &run)
                        .and_then(|()| Ok(self.index.end_run(&run)?));
                }
                Err(e)
            }
        }
    }
}
