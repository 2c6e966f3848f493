//! The whole job: discover, refuse or place, batch by days, write, commit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde::Serialize;
use tesela_crs::crs_info;
use tesela_grid::GridDef;
use tesela_index::{Index, SceneQuery, SceneRow};
use tesela_layout::Form;
use tesela_model::{ProductDef, Progress};
use tesela_store::{Kept, Store, keep_freed_memory};

use crate::IngestError;
use crate::batch::{Job, units_at_once, write_batch};
use crate::join::{days_left, join_day, without_archived};
use crate::plan::{Day, DayKey, PlannedScene, batches, place, resolve_files};
use crate::raster;
use crate::slots::Context;
use crate::source::{AcceptRule, RefusalReason, SceneSource, discover};
use crate::sweep::{drop_staged, sweep, sweep_run};

/// How an ingest runs.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Days in one commit; `None` is 32, and 512 in bulk.
    pub batch_days: Option<usize>,
    /// Write archive blocks at once, for an archive that is loaded once.
    pub bulk: bool,
    /// Memory to stay within, bytes: as few units as needed are worked on at a time. Less than one takes is refused.
    pub memory_bytes: Option<u64>,
}

impl IngestOptions {
    fn days(&self) -> usize {
        self.batch_days.unwrap_or(if self.bulk { 512 } else { 32 }).max(1)
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
    /// Scenes that the operator archived, which stay out.
    pub archived: usize,
    /// Earlier versions retired.
    pub superseded: usize,
    /// Scenes refused.
    pub refused: Vec<RefusedScene>,
    /// Units that a killed run had finished, taken as they are.
    pub resumed: usize,
    /// Pixels read from files for each pixel that the new scenes have.
    pub overlap: f64,
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
    raster::limit_cache(options.memory_bytes);
    keep_freed_memory(Kept::Stacks);
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
    let doubles = std::mem::take(&mut discovery.doubles);
    let (mut scenes, archived) = without_archived(index, product, discovery.scenes, report.snapshot)?;
    let (mut spare, _) = without_archived(index, product, doubles, report.snapshot)?;
    report.archived = archived;
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
    let form = if options.bulk { Form::Archive } else { Form::Recent };
    let context = Context::new(product, grid, &crs, store, &run, form);
    let new_ids: BTreeSet<String> = new_scenes.iter().map(|s| s.source.product_id.clone()).collect();
    let scene_pixels: u64 =
        new_scenes.iter().map(|s| (s.geobox.width * s.geobox.height * s.files.len()) as u64).sum();
    let mut batches = batches(new_scenes, options.days());
    together(index, &mut batches, known, report.snapshot)?;
    for days in &mut batches {
        *days = joined(index, product, grid, std::mem::take(days), known, options, progress, report)?;
    }
    let total: usize = batches.iter().flatten().map(|d| d.tiles(grid, &new_ids).len()).sum();
    progress.begin("ingest", total as u64, "slots");
    let at_once = match units_at_once(&context, options) {
        Ok(units) => units,
        Err(e) => {
            progress.end();
            index.end_run(&run)?;
            return Err(e);
        }
    };
    let job = Job { context: &context, index, new_ids: &new_ids, at_once, numbers: AtomicUsize::new(0) };
    for days in &mut batches {
        while !days.is_empty() {
            match write_batch(&job, days, progress) {
                Ok(written) => {
                    report.snapshot = written.snapshot;
                    report.slots += written.slots;
                    report.bytes += written.bytes;
                    report.resumed += written.resumed;
                    break;
                }
                Err(e) => {
                    // Damage that shows only when the pixels are read: that scene stays out, the rest goes on.
                    if let (Some(path), Some(code)) = (take_damaged(days, &e, &new_ids), e.scene_code()) {
                        sweep_run(store, index, &run)?;
                        refuse(index, product, options, progress, report, &path, code, &e.to_string())?;
                        // What that scene would have replaced stays.
                        for day in days.iter_mut() {
                            day.scenes.retain(|s| new_ids.contains(&s.source.product_id));
                            day.left.clear();
                        }
                        let again = std::mem::take(days);
                        *days = joined(index, product, grid, again, known, options, progress, report)?;
                        continue;
                    }
                    // Nothing of this batch is visible. Whole units stay for the next run; the rest goes away now,
                    // or with the next run.
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
    report.overlap = context.pixels_read.load(Ordering::Relaxed) as f64 / scene_pixels.max(1) as f64;
    drop_staged(store, index, &product.product)?;
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

/// Days with the scenes of the cube that fuse with theirs, and the days that a new scene leaves because its earlier
/// processing was on another one. A source that is gone keeps new scenes of its day out, and nothing else.
#[allow(clippy::too_many_arguments)]
fn joined(
    index: &dyn Index,
    product: &ProductDef,
    grid: &GridDef,
    mut days: Vec<Day>,
    known: &BTreeMap<&str, &SceneRow>,
    options: &IngestOptions,
    progress: &dyn Progress,
    report: &mut IngestReport,
) -> Result<Vec<Day>, IngestError> {
    'again: loop {
        let left = days_left(index, &days, known, report.snapshot)?;
        let new = || days.iter().flat_map(|day| &day.scenes);
        let replaced: BTreeSet<String> = new().map(|s| s.source.scene_key.clone()).collect();
        let mut whole = days.clone();
        for (key, left) in &left {
            match whole.iter_mut().find(|day| day.key == *key) {
                Some(day) => day.left.extend(&left.tiles),
                None => whole.push(Day { key: *key, scenes: Vec::new(), left: left.tiles.clone() }),
            }
        }
        for day in &mut whole {
            match join_day(index, product, grid, day, known, &replaced, report.snapshot) {
                Ok(joined) => {
                    for id in joined {
                        let words = format!("{id} is fused again with new scenes of its day");
                        if !report.warnings.contains(&words) {
                            progress.note(&words);
                            report.warnings.push(words);
                        }
                    }
                }
                Err(e) => {
                    let Some(code) = e.scene_code() else { return Err(e) };
                    let leaves = left.get(&day.key).map(|left| left.scenes.clone()).unwrap_or_default();
                    // A day without a new scene is there for those that leave it.
                    let e = match e {
                        IngestError::RefuseSource { product_id, other, reason } if product_id.is_empty() => {
                            let product_id = leaves.first().cloned().unwrap_or_default();
                            IngestError::RefuseSource { product_id, other, reason }
                        }
                        e => e,
                    };
                    let goes = |key: DayKey, s: &PlannedScene| {
                        key == day.key || leaves.contains(&s.source.product_id)
                    };
                    for (key, scene) in days.iter().flat_map(|d| d.scenes.iter().map(move |s| (d.key, s))) {
                        if goes(key, scene) {
                            let path = &scene.source.source;
                            refuse(index, product, options, progress, report, path, code, &e.to_string())?;
                        }
                    }
                    for other in &mut days {
                        let key = other.key;
                        other.scenes.retain(|s| !goes(key, s));
                    }
                    days.retain(|day| !day.scenes.is_empty());
                    continue 'again;
                }
            }
        }
        whole.sort_by_key(|day| (day.time(), day.key));
        return Ok(whole);
    }
}

/// Makes one batch of those that change the same day, one because scenes come to it, the other because they leave it:
/// both are one commit.
fn together(
    index: &dyn Index,
    batches: &mut Vec<Vec<Day>>,
    known: &BTreeMap<&str, &SceneRow>,
    snapshot: u64,
) -> Result<(), IngestError> {
    let mut left: Vec<BTreeSet<DayKey>> = Vec::with_capacity(batches.len());
    for days in batches.iter() {
        left.push(days_left(index, days, known, snapshot)?.into_keys().collect());
    }
    let mut at = 0;
    while at < batches.len() {
        let changes =
            |i: usize, key: &DayKey| left[i].contains(key) || batches[i].iter().any(|day| day.key == *key);
        let other = (0..batches.len()).find(|i| *i != at && left[at].iter().any(|key| changes(*i, key)));
        match other {
            // The grown batch is looked at again.
            Some(other) => {
                let (days, mut more) = (batches.remove(other), left.remove(other));
                at -= usize::from(other < at);
                left[at].append(&mut more);
                batches[at].extend(days);
                batches[at].sort_by_key(|day| (day.time(), day.key));
            }
            None => at += 1,
        }
    }
    Ok(())
}
