//! A batch of days: cut into units, each written as one group and noted when it is whole, then one commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use tesela_grid::TileId;
use tesela_index::{Index, IngestCommit, NewGroup, NewScene, NewSlot, SlotRow, StagedRow};
use tesela_layout::Form;
use tesela_model::Progress;
use tesela_store::{ObjectKey, Store};

use crate::IngestError;
use crate::memory::Need;
use crate::overviews::write_overviews;
use crate::plan::{Day, DayKey, PlannedScene};
use crate::run::IngestOptions;
use crate::slots::{Context, UnitResult, write_unit};
use crate::sweep::forget_staged;

/// What the batches of one ingest share.
pub(crate) struct Job<'j> {
    pub(crate) context: &'j Context<'j>,
    pub(crate) index: &'j dyn Index,
    pub(crate) new_ids: &'j BTreeSet<String>,
    /// Units worked on together.
    pub(crate) at_once: usize,
    /// Numbers groups; each attempt has numbers of its own, so that nothing is ever written over.
    pub(crate) numbers: AtomicUsize,
}

/// Some days of one tile: what is written as one group, and kept when the run is killed.
struct Unit<'d> {
    tile: TileId,
    days: Vec<&'d Day>,
    /// Names all it is made from.
    name: String,
}

/// What joins a batch though it is not made from files.
#[derive(Default)]
pub(crate) struct Beside {
    /// Days that it is about.
    pub(crate) days: Vec<DayKey>,
    /// Scenes to register.
    pub(crate) scenes: Vec<NewScene>,
    /// Groups that are whole, though not of the cube yet.
    pub(crate) groups: Vec<NewGroup>,
    /// Slots whose pixels lie in these or in groups of the cube.
    pub(crate) slots: Vec<NewSlot>,
}

/// What a committed batch added.
pub(crate) struct Written {
    pub(crate) snapshot: u64,
    pub(crate) slots: usize,
    pub(crate) bytes: u64,
    pub(crate) resumed: usize,
}

/// How many units fit the memory.
///
/// # Errors
/// [`IngestError::TooLittleMemory`] when not even one fits.
pub(crate) fn units_at_once(c: &Context<'_>, options: &IngestOptions) -> Result<usize, IngestError> {
    let threads = rayon::current_num_threads().max(1);
    let Some(memory) = options.memory_bytes else { return Ok(threads) };
    Need::of(c, threads).units(memory, threads)
}

/// Cuts a batch into units: all days of a tile in one group, or archive blocks of about the same size.
fn units<'d>(c: &Context<'_>, days: &'d [Day], new_ids: &BTreeSet<String>) -> Vec<Unit<'d>> {
    let mut by_tile: BTreeMap<TileId, Vec<&Day>> = BTreeMap::new();
    for day in days {
        for tile in day.tiles(c.grid, new_ids) {
            by_tile.entry(tile).or_default().push(day);
        }
    }
    let archive = c.product.layout.archive;
    let mut found = Vec::new();
    for (tile, days) in by_tile {
        let size = match c.form {
            Form::Recent => days.len(),
            Form::Archive => {
                let blocks = days.len().div_ceil(archive.dates as usize);
                days.len().div_ceil(blocks.max(1)).next_multiple_of(archive.inner[0] as usize)
            }
        };
        for days in days.chunks(size.max(1)) {
            let days = days.to_vec();
            found.push(Unit { tile, name: unit_name(c, tile, &days), days });
        }
    }
    found
}

fn unit_name(c: &Context<'_>, tile: TileId, days: &[&Day]) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut add = |text: &str| {
        hasher.update(text.as_bytes());
        hasher.update(b"\n");
    };
    add(concat!("tesela ", env!("CARGO_PKG_VERSION")));
    add(&serde_json::to_string(c.product).unwrap_or_default());
    add(&format!("{} {tile} {:?}", c.grid.id, c.form));
    for day in days {
        add(&format!("{} {}", day.key.solar_day, day.key.platform));
        for scene in &day.scenes {
            add(&serde_json::to_string(&scene.source).unwrap_or_default());
            for (_, file, _) in scene.files.values() {
                let metadata = std::fs::metadata(&file.path).ok();
                let modified = metadata.as_ref().and_then(|m| m.modified().ok());
                add(&format!("{} {modified:?}", metadata.map_or(0, |m| m.len())));
            }
        }
    }
    hasher.finalize().to_hex().to_string()
}

pub(crate) fn write_batch(
    job: &Job<'_>,
    days: &[Day],
    progress: &dyn Progress,
) -> Result<Written, IngestError> {
    let (commit, resumed) = make_batch(job, days, Beside::default(), progress)?;
    commit_batch(job, commit, resumed)
}

/// Makes all that a batch wrote visible at once.
pub(crate) fn commit_batch(
    job: &Job<'_>,
    commit: IngestCommit,
    resumed: usize,
) -> Result<Written, IngestError> {
    job.context.store.sync()?;
    let snapshot = job.index.commit_ingest(&commit)?;
    let groups = commit.slot_groups.iter().chain(&commit.overview_groups);
    let bytes = groups.flat_map(|g| &g.objects).map(|o| o.bytes).sum();
    Ok(Written { snapshot, slots: commit.slots.len(), bytes, resumed })
}

/// Writes a batch's slots and overviews; nothing of it is visible yet. How many units an earlier run had finished.
pub(crate) fn make_batch(
    job: &Job<'_>,
    days: &[Day],
    beside: Beside,
    progress: &dyn Progress,
) -> Result<(IngestCommit, usize), IngestError> {
    let c = job.context;
    let units = units(c, days, job.new_ids);
    let staged: BTreeMap<String, StagedRow> =
        job.index.staged_units()?.into_iter().map(|s| (s.unit.clone(), s)).collect();
    let next = AtomicUsize::new(0);
    let resumed = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let work = || -> Result<(), IngestError> {
        loop {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(unit) = units.get(i) else { return Ok(()) };
            let row = staged.get(&unit.name);
            let found = row.and_then(|row| whole(c.store, row));
            if let (Some(row), None) = (row, &found) {
                forget_staged(c.store, job.index, &row.product, std::slice::from_ref(row))?;
            }
            let result = match found {
                Some(result) => {
                    resumed.fetch_add(1, Ordering::Relaxed);
                    progress.advance(unit.days.len() as u64);
                    result
                }
                None => {
                    let number = job.numbers.fetch_add(1, Ordering::Relaxed);
                    let result = write_unit(c, unit.tile, &unit.days, number, progress)?;
                    stage(job, unit, &result)?;
                    result
                }
            };
            results.lock().unwrap_or_else(PoisonError::into_inner).insert(i, result);
        }
    };
    let units_done = (0..job.at_once).into_par_iter().try_for_each(|_| {
        // The first error ends the others at their next unit.
        work().inspect_err(|_| next.store(units.len(), Ordering::Relaxed))
    });
    units_done?;
    let mut commit =
        IngestCommit { product: c.product.product.clone(), run: c.run.into(), ..IngestCommit::default() };
    for result in results.into_inner().unwrap_or_else(PoisonError::into_inner).into_values() {
        commit.slot_groups.extend(result.group);
        commit.slots.extend(result.slots);
    }
    commit.staged = units.iter().map(|u| u.name.clone()).collect();
    commit.slot_groups.extend(beside.groups);
    commit.slots.extend(beside.slots);
    let gone = emptied(job, days, &commit.slots)?;
    let keys: BTreeSet<DayKey> = days.iter().map(|d| d.key).chain(beside.days).collect();
    let keys: Vec<DayKey> = keys.into_iter().collect();
    let number = job.numbers.fetch_add(1, Ordering::Relaxed);
    if let Some((group, overviews)) = write_overviews(c, job.index, &keys, &commit.slots, &gone, number)? {
        commit.overview_groups.push(group);
        commit.overviews = overviews;
    }
    let remade: BTreeSet<(String, String)> =
        commit.overviews.iter().map(|o| (o.solar_day.clone(), o.platform.clone())).collect();
    let changed: BTreeSet<(String, String)> =
        gone.iter().map(|slot| (slot.solar_day.clone(), slot.platform.clone())).collect();
    commit.emptied_days = changed.difference(&remade).cloned().collect();
    commit.emptied = gone.iter().map(|slot| slot.id).collect();
    commit.scenes = days
        .iter()
        .flat_map(|d| d.scenes.iter().map(move |s| (d, s)))
        .filter(|(_, s)| job.new_ids.contains(&s.source.product_id))
        .map(|(d, s)| new_scene(d.key, s))
        .chain(beside.scenes)
        .collect();
    let groups = commit.slot_groups.iter().chain(&commit.overview_groups);
    let bytes: u64 = groups.flat_map(|g| &g.objects).map(|o| o.bytes).sum();
    commit.summary = serde_json::json!({
        "product": c.product.product,
        "scenes": commit.scenes.len(),
        "slots": commit.slots.len(),
        "bytes": bytes,
    })
    .to_string();
    Ok((commit, resumed.into_inner()))
}

/// Slots of the cube that are to change and that nothing observed any more.
fn emptied(job: &Job<'_>, days: &[Day], slots: &[NewSlot]) -> Result<Vec<SlotRow>, IngestError> {
    let c = job.context;
    let made: BTreeSet<(TileId, &str, &str)> =
        slots.iter().map(|s| (s.tile, s.solar_day.as_str(), s.platform.as_str())).collect();
    let snapshot = job.index.latest_snapshot()?;
    let mut found = Vec::new();
    for day in days {
        let solar_day = day.key.solar_day.to_string();
        for tile in day.tiles(c.grid, job.new_ids) {
            if made.contains(&(tile, solar_day.as_str(), day.key.platform)) {
                continue;
            }
            let here = job.index.slots(&c.product.product, Some(tile), &day.key.around(), snapshot)?;
            found.extend(here.into_iter().filter(|slot| day.key.holds(slot)));
        }
    }
    Ok(found)
}

/// Notes a finished unit, so that a killed run need not do it again.
fn stage(job: &Job<'_>, unit: &Unit<'_>, result: &UnitResult) -> Result<(), IngestError> {
    let Some(group) = &result.group else { return Ok(()) };
    job.index.stage_unit(&StagedRow {
        product: job.context.product.product.clone(),
        unit: unit.name.clone(),
        prefix: group.prefix.clone(),
        result: serde_json::to_string(result).unwrap_or_default(),
    })?;
    Ok(())
}

/// A staged unit, if every object of it is there as it was written: it was not synced, and the machine may have
/// stopped since.
fn whole(store: &Store, row: &StagedRow) -> Option<UnitResult> {
    let result: UnitResult = serde_json::from_str(&row.result).ok()?;
    let is_there = |o: &tesela_index::NewObject| {
        let found = ObjectKey::new(&o.key).ok().and_then(|key| store.digest(&key).ok().flatten());
        found.is_some_and(|found| found.bytes == o.bytes && found.digest == o.digest)
    };
    result.group.as_ref().is_some_and(|g| g.objects.par_iter().all(is_there)).then_some(result)
}

fn new_scene(day: DayKey, s: &PlannedScene) -> NewScene {
    NewScene {
        scene_key: s.source.scene_key.clone(),
        product_id: s.source.product_id.clone(),
        platform: day.platform.into(),
        wrs_path: s.source.path,
        wrs_row: s.source.row,
        acquired: s.time(),
        solar_day: day.solar_day.to_string(),
        processed: s.source.processed.map(|d| d.to_string()),
        tier: s.source.tier.clone(),
        cloud_cover: s.source.cloud_cover_percent,
        bbox: s.bbox,
        synthetic: s.source.synthetic,
        document: serde_json::to_string(&s.source).unwrap_or_default(),
    }
}
