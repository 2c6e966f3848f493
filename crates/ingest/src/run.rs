//! The whole job: discover, refuse or place, batch by days, write, commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Serialize;
use tesela_crs::crs_info;
use tesela_grid::{GridDef, TileId};
use tesela_index::{Index, IngestCommit, NewScene, SceneQuery, SceneRow};
use tesela_model::{Band, Instant, Period, ProductDef, Progress};
use tesela_store::{ObjectKey, Store};

use crate::IngestError;
use crate::overviews::write_overviews;
use crate::plan::{Day, DayKey, PlannedScene, batches, place, resolve_files};
use crate::slots::{Context, write_tile};
use crate::source::{AcceptRule, RefusalReason, SceneSource, discover};

/// How an ingest runs.
#[derive(Debug, Clone)]
pub struct IngestOptions {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Days in one commit.
    pub batch_days: usize,
}

impl Default for IngestOptions {
    fn default() -> Self {
        Self { dry_run: false, batch_days: 32 }
    }
}

/// A scene that was left out.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedScene {
    /// Where it lies.
    pub path: PathBuf,
    /// Stable code.
    pub code: String,
    /// In words.
    pub reason: String,
}

/// What an ingest did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IngestReport {
    /// Scenes found.
    pub found: usize,
    /// Scenes added.
    pub added: usize,
    /// Scenes that were in the cube already.
    pub already: usize,
    /// Earlier versions retired.
    pub superseded: usize,
    /// Scenes refused.
    pub refused: Vec<RefusedScene>,
    /// Slots written.
    pub slots: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Latest snapshot.
    pub snapshot: u64,
    /// Warnings, by scene.
    pub warnings: Vec<String>,
}

/// Ingests every scene found under some paths into a product. The caller holds the writer lock.
///
/// Bad scenes go to quarantine and never stop the rest; a scene that is there already is skipped; a newer
/// processing of a known scene replaces it.
///
/// # Errors
/// [`IngestError`] of the store or the index, or [`IngestError::Cancelled`]; batches committed before stay.
pub fn ingest(
    store: &Store,
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    paths: &[PathBuf],
    options: &IngestOptions,
    progress: &dyn Progress,
) -> Result<IngestReport, IngestError> {
    sweep(store, index)?;
    let mut discovery = discover(paths);
    let mut report = IngestReport {
        found: discovery.scenes.len() + discovery.refused.len(),
        warnings: discovery.warnings.clone(),
        snapshot: index.latest_snapshot()?,
        ..IngestReport::default()
    };
    for r in &discovery.refused {
        refuse(
            index,
            product,
            options,
            progress,
            &mut report,
            &r.path,
            r.reason.code(),
            &r.reason.to_string(),
        )?;
    }
    let mut scenes = discovery.scenes;
    let mut spare = std::mem::take(&mut discovery.doubles);
    // Where a scene's first copy turned out bad, the next one has its turn.
    while !scenes.is_empty() {
        let went_in = add(store, index, product, grid, scenes, options, progress, &mut spare, &mut report)?;
        spare.retain(|s| !went_in.contains(&s.scene_key));
        let mut turn = BTreeSet::new();
        (scenes, spare) = spare.into_iter().partition(|s| turn.insert(s.scene_key.clone()));
    }
    Ok(report)
}

/// Adds scenes, each known once; those that went in, or were in. Older processings go to `spare`.
#[allow(clippy::too_many_arguments)]
fn add(
    store: &Store,
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    scenes: Vec<SceneSource>,
    options: &IngestOptions,
    progress: &dyn Progress,
    spare: &mut Vec<SceneSource>,
    report: &mut IngestReport,
) -> Result<BTreeSet<String>, IngestError> {
    let known = index.scenes(
        &SceneQuery { product: Some(product.product.clone()), ..SceneQuery::default() },
        report.snapshot,
    )?;
    let known: BTreeMap<&str, &SceneRow> = known.iter().map(|s| (s.scene_key.as_str(), s)).collect();
    let mut went_in = BTreeSet::new();
    let accepted = accept(index, product, options, progress, scenes, &known, spare, &mut went_in, report)?;
    progress.begin("validate", accepted.len() as u64, "scenes");
    let placed: Vec<(PathBuf, Result<PlannedScene, IngestError>)> = accepted
        .into_par_iter()
        .map(|(source, files)| {
            let path = source.source.clone();
            let placed = place(product, grid, source, files);
            progress.advance(1);
            (path, placed)
        })
        .collect();
    progress.end();
    let mut new_scenes = Vec::new();
    for (path, placed) in placed {
        match placed {
            Ok(scene) => {
                report
                    .warnings
                    .extend(scene.warnings.iter().map(|w| format!("{}: {w}", scene.source.product_id)));
                new_scenes.push(scene);
            }
            Err(e) => match e.scene_code() {
                Some(code) => {
                    refuse(index, product, options, progress, report, &path, code, &e.to_string())?;
                }
                None => return Err(e),
            },
        }
    }
    if options.dry_run {
        report.added += new_scenes.len();
        went_in.extend(new_scenes.into_iter().map(|s| s.source.scene_key));
    } else if !new_scenes.is_empty() {
        write(store, index, product, grid, new_scenes, &known, options, progress, &mut went_in, report)?;
    }
    Ok(went_in)
}

/// Removes what dead runs left in the store. The caller holds the writer lock.
///
/// # Errors
/// [`IngestError`] of the store or the index.
pub fn sweep(store: &Store, index: &dyn Index) -> Result<u64, IngestError> {
    let dead = index.unfinished_runs()?;
    if dead.is_empty() {
        return Ok(0);
    }
    let registered: BTreeSet<String> = index.group_prefixes()?.into_iter().collect();
    let mut orphans = BTreeSet::new();
    for (key, _) in store.list(None)? {
        let text = key.as_str();
        let mut at = 0;
        for part in text.split('/') {
            let of_dead = dead.iter().any(|run| {
                part == run || part.strip_prefix(run.as_str()).is_some_and(|r| r.starts_with('-'))
            });
            let prefix = &text[..at + part.len()];
            if of_dead && !registered.contains(prefix) {
                orphans.insert(prefix.to_owned());
            }
            at += part.len() + 1;
        }
    }
    let mut removed = 0;
    for prefix in orphans {
        removed += store.delete_under(&ObjectKey::new(&prefix)?)?;
    }
    for leftover in store.objects().leftovers()? {
        store.objects().remove_leftover(&leftover)?;
        removed += 1;
    }
    // A run has ended for good only when what it left cannot come back.
    store.sync()?;
    for run in dead {
        index.end_run(&run)?;
    }
    Ok(removed)
}

#[allow(clippy::too_many_arguments)]
fn refuse(
    index: &dyn Index,
    product: &ProductDef,
    options: &IngestOptions,
    progress: &dyn Progress,
    report: &mut IngestReport,
    path: &Path,
    code: &str,
    reason: &str,
) -> Result<(), IngestError> {
    progress.note(&format!("refused {}: {reason}", path.display()));
    if !options.dry_run {
        index.put_quarantine(&product.product, &path.display().to_string(), code, reason)?;
    }
    report.refused.push(RefusedScene { path: path.into(), code: code.into(), reason: reason.into() });
    Ok(())
}

type Files = Vec<(String, String, crate::source::BandFile)>;

/// Scenes the product takes and does not have yet, with the files it needs from each.
#[allow(clippy::too_many_arguments)]
fn accept(
    index: &dyn Index,
    product: &ProductDef,
    options: &IngestOptions,
    progress: &dyn Progress,
    scenes: Vec<SceneSource>,
    known: &BTreeMap<&str, &SceneRow>,
    spare: &mut Vec<SceneSource>,
    went_in: &mut BTreeSet<String>,
    report: &mut IngestReport,
) -> Result<Vec<(SceneSource, Files)>, IngestError> {
    let rule = AcceptRule {
        product: product.product.clone(),
        collections: product.accept.collections.clone(),
        levels: product.accept.levels.clone(),
        tiers: product.accept.tiers.clone(),
        platforms: product.accept.platforms.clone(),
    };
    // Of several processings of one scene in this run, the newest goes in.
    let mut newest: BTreeMap<String, SceneSource> = BTreeMap::new();
    for scene in scenes {
        if let Err(reason) = rule.accepts(&scene) {
            let (code, text) = (reason.code(), reason.to_string());
            refuse(index, product, options, progress, report, &scene.source, code, &text)?;
            continue;
        }
        match newest.get(&scene.scene_key) {
            Some(other) if other.processed >= scene.processed => {
                report.warnings.push(format!("{} is older than {}", scene.product_id, other.product_id));
                spare.push(scene);
            }
            _ => spare.extend(newest.insert(scene.scene_key.clone(), scene)),
        }
    }
    let mut accepted = Vec::new();
    for (key, scene) in newest {
        if let Some(old) = known.get(key.as_str()) {
            let newer = scene.processed.map(|d| d.to_string()) > old.processed;
            if !newer {
                report.already += 1;
                went_in.insert(key);
                continue;
            }
        }
        let files: Result<Files, RefusalReason> = resolve_files(product, &scene);
        match files {
            Ok(files) => accepted.push((scene, files)),
            Err(reason) => {
                let (code, text) = (reason.code(), reason.to_string());
                refuse(index, product, options, progress, report, &scene.source, code, &text)?;
            }
        }
    }
    Ok(accepted)
}

#[allow(clippy::too_many_arguments)]
fn write(
    store: &Store,
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    new_scenes: Vec<PlannedScene>,
    known: &BTreeMap<&str, &SceneRow>,
    options: &IngestOptions,
    progress: &dyn Progress,
    went_in: &mut BTreeSet<String>,
    report: &mut IngestReport,
) -> Result<(), IngestError> {
    let run = index.begin_run("ingest")?;
    let crs = crs_info(&grid.crs)?;
    let table = product.flag_table();
    let mask = |flags: &[String]| table.and_then(|t| t.mask(flags).ok());
    let context = Context {
        product,
        bands: product.measurements.iter().map(Band::from).collect(),
        grid,
        crs: &crs,
        store,
        run: &run,
        quality: product.measurements.iter().position(|m| m.flags.is_some()),
        fill: mask(&["fill".to_owned()]),
        hidden: product.masks.get("standard").and_then(|m| mask(&m.any_of)),
    };
    let new_ids: BTreeSet<String> = new_scenes.iter().map(|s| s.source.product_id.clone()).collect();
    let mut batches = batches(new_scenes, options.batch_days);
    for day in batches.iter_mut().flatten() {
        join_known(index, product, grid, day, known, &new_ids, progress, report)?;
    }
    let total: usize = batches.iter().flatten().map(|d| d.tiles(grid).len()).sum();
    progress.begin("ingest", total as u64, "slots");
    // Each attempt has a number of its own: what a failed one staged is never written over.
    let mut number = 0;
    for days in &mut batches {
        while !days.is_empty() {
            let committed = write_batch(&context, index, days, number, &new_ids, progress);
            number += 1;
            match committed {
                Ok(written) => {
                    if let Some((snapshot, slots, bytes)) = written {
                        report.snapshot = snapshot;
                        report.slots += slots;
                        report.bytes += bytes;
                    }
                    break;
                }
                Err(e) => {
                    // Damage that shows only when the pixels are read: that scene stays out, the rest goes on.
                    if let (Some(path), Some(code)) = (take_damaged(days, &e, &new_ids), e.scene_code()) {
                        sweep_run(store, index, &run)?;
                        refuse(index, product, options, progress, report, &path, code, &e.to_string())?;
                        continue;
                    }
                    // Nothing of this batch is visible; what it staged goes away now, or with the next run.
                    progress.end();
                    // A run whose objects could not all be removed has not ended: the next one sweeps it.
                    if !matches!(e, IngestError::Store(_)) {
                        let _ = sweep_run(store, index, &run).and_then(|()| Ok(index.end_run(&run)?));
                    }
                    return Err(e);
                }
            }
        }
        for scene in days.iter().flat_map(|d| &d.scenes).filter(|s| new_ids.contains(&s.source.product_id)) {
            report.added += 1;
            went_in.insert(scene.source.scene_key.clone());
            if known.contains_key(scene.source.scene_key.as_str()) {
                report.superseded += 1;
            }
            index.clear_quarantine(&product.product, &scene.source.source.display().to_string())?;
        }
    }
    progress.end();
    index.end_run(&run)?;
    Ok(())
}

/// Takes out of a batch the new scene whose file cannot be read, and days that have no new scene then; where its
/// description was read. `None` when the error is about no new scene.
fn take_damaged(days: &mut Vec<Day>, error: &IngestError, new_ids: &BTreeSet<String>) -> Option<PathBuf> {
    let IngestError::Raster { path, .. } = error else { return None };
    let is_new = |s: &PlannedScene| new_ids.contains(&s.source.product_id);
    let has_file = |s: &PlannedScene| s.files.values().any(|(_, file, _)| file.path == *path);
    let mut taken = None;
    for day in days.iter_mut() {
        if let Some(at) = day.scenes.iter().position(|s| is_new(s) && has_file(s)) {
            taken = Some(day.scenes.remove(at).source.source);
            break;
        }
    }
    days.retain(|day| day.scenes.iter().any(is_new));
    taken
}

fn sweep_run(store: &Store, index: &dyn Index, run: &str) -> Result<(), IngestError> {
    let registered: BTreeSet<String> = index.group_prefixes()?.into_iter().collect();
    let mut orphans = BTreeSet::new();
    for (key, _) in store.list(None)? {
        let parts: Vec<&str> = key.as_str().split('/').collect();
        if let Some(i) = parts.iter().position(|p| p.strip_prefix(run).is_some_and(|r| r.starts_with('-'))) {
            let prefix = parts[..=i].join("/");
            if !registered.contains(&prefix) {
                orphans.insert(prefix);
            }
        }
    }
    for prefix in orphans {
        store.delete_under(&ObjectKey::new(&prefix)?)?;
    }
    Ok(store.sync()?)
}

/// Adds to a day the scenes that the cube holds of it already, so that slots are fused from all their sources.
#[allow(clippy::too_many_arguments)]
fn join_known(
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    day: &mut Day,
    known: &BTreeMap<&str, &SceneRow>,
    new_ids: &BTreeSet<String>,
    progress: &dyn Progress,
    report: &mut IngestReport,
) -> Result<(), IngestError> {
    let solar_day = day.key.solar_day.to_string();
    let new_keys: BTreeSet<String> = day.scenes.iter().map(|s| s.source.scene_key.clone()).collect();
    let around = Period { start: Instant(day.time().0 - 172_800), end: Instant(day.time().0 + 172_800) };
    for row in known.values() {
        if row.solar_day != solar_day
            || row.platform != day.key.platform
            || !around.contains(row.acquired)
            || new_keys.contains(&row.scene_key)
            || new_ids.contains(&row.product_id)
        {
            continue;
        }
        let fail = |reason: String| IngestError::RefuseSource {
            product_id: day.scenes.first().map(|s| s.source.product_id.clone()).unwrap_or_default(),
            other: row.product_id.clone(),
            reason,
        };
        let text = index.scene_document(row.id)?.unwrap_or_default();
        let source: SceneSource = serde_json::from_str(&text).map_err(|e| fail(e.to_string()))?;
        let files = resolve_files(product, &source).map_err(|e| fail(e.to_string()))?;
        let placed = place(product, grid, source, files).map_err(|e| fail(e.to_string()))?;
        // Only tiles that the new scenes touch change; the others keep their slot.
        if day.scenes.iter().any(|s| s.window.intersection(&placed.window).is_some()) {
            progress.note(&format!("{} is fused again with new scenes of its day", row.product_id));
            report.warnings.push(format!("{} is fused again with new scenes of its day", row.product_id));
            day.scenes.push(placed);
        }
    }
    day.scenes.sort_by_key(|a| (a.source.row, a.source.path));
    Ok(())
}

fn write_batch(
    c: &Context<'_>,
    index: &dyn Index,
    days: &[Day],
    number: usize,
    new_ids: &BTreeSet<String>,
    progress: &dyn Progress,
) -> Result<Option<(u64, usize, u64)>, IngestError> {
    let mut by_tile: BTreeMap<TileId, Vec<&Day>> = BTreeMap::new();
    for day in days {
        for tile in day.tiles(c.grid) {
            by_tile.entry(tile).or_default().push(day);
        }
    }
    let results: Vec<_> = by_tile
        .par_iter()
        .map(|(tile, days)| write_tile(c, *tile, days, number, progress))
        .collect::<Result<_, _>>()?;
    let mut commit =
        IngestCommit { product: c.product.product.clone(), run: c.run.into(), ..IngestCommit::default() };
    let mut tops = Vec::new();
    let mut scenes_of: BTreeMap<(TileId, DayKey), Vec<String>> = BTreeMap::new();
    for result in results {
        for (slot, top) in result.slots.iter().zip(&result.tops) {
            scenes_of.insert((slot.tile, top.day), slot.scenes.clone());
        }
        commit.slot_groups.extend(result.group);
        commit.slots.extend(result.slots);
        tops.extend(result.tops);
    }
    if let Some((group, overviews)) = write_overviews(c, index, tops, &scenes_of, number)? {
        commit.overview_groups.push(group);
        commit.overviews = overviews;
    }
    commit.scenes = days
        .iter()
        .flat_map(|d| d.scenes.iter().map(move |s| (d, s)))
        .filter(|(_, s)| new_ids.contains(&s.source.product_id))
        .map(|(d, s)| new_scene(d.key, s))
        .collect();
    let bytes = commit
        .slot_groups
        .iter()
        .chain(&commit.overview_groups)
        .flat_map(|g| &g.objects)
        .map(|o| o.bytes)
        .sum();
    commit.summary = serde_json::json!({
        "product": c.product.product,
        "scenes": commit.scenes.len(),
        "slots": commit.slots.len(),
        "bytes": bytes,
    })
    .to_string();
    c.store.sync()?;
    let snapshot = index.commit_ingest(&commit)?;
    Ok(Some((snapshot, commit.slots.len(), bytes)))
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
