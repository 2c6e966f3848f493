//! `repair`: what `check` names as damaged or lost is made again.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use serde::Serialize;
use tesela_compute::Cube;
use tesela_compute::check::Fault;
use tesela_compute::recipe::RasterRepair;
use tesela_index::{GroupRow, ObjectRow};
use tesela_ingest::repair::{DamagedGroup, Outcome, Repairer};
use tesela_ingest::{IngestOptions, fuse_outdated};
use tesela_model::Progress;

use super::ingest::half_of_memory;
use crate::args::RepairArgs;
use crate::failure::Failure;
use crate::output::Output;

/// What became of one fault.
#[derive(Debug, Serialize)]
struct Repaired {
    #[serde(flatten)]
    fault: Fault,
    /// `repaired`, `changed` or `cannot`.
    outcome: &'static str,
    /// In words.
    told: String,
}

/// What a repair did.
#[derive(Debug, Default, Serialize)]
struct Report {
    faults: Vec<Repaired>,
    /// Groups made again.
    groups: usize,
    /// Objects of the groups they replace that were deleted.
    deleted_objects: u64,
    snapshot: u64,
}

/// Makes again what is damaged; exit code 1 when some of it cannot be.
pub fn run(
    cube: &Cube,
    args: &RepairArgs,
    progress: &dyn Progress,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let _lock = cube.lock_within("repair", Duration::from_secs(args.wait))?;
    tesela_ingest::sweep(cube.store(), cube.index())?;
    let check = cube.check(progress)?;
    let mut damaged = Damaged::of(cube, &check.faults)?;
    let mut report = Report::default();
    if !damaged.groups.is_empty() {
        let run = cube.index().begin_run("repair")?;
        damaged.repair(cube, args.accept_changed, &run, progress)?;
        cube.index().end_run(&run)?;
    }
    let mended = outdated(cube, &check.faults, progress)?;
    report.groups = damaged.outcomes.values().filter(|o| !matches!(o, Outcome::Cannot(_))).count();
    report.deleted_objects = cube.delete_doomed(args.grace, progress)?;
    report.snapshot = cube.fresh_catalog()?.snapshot;
    for fault in check.faults {
        // A damaged axis tells other dates: such a fault names the group.
        let group = damaged.of_key.get(&fault.what).unwrap_or(&fault.what);
        let outcomes = if fault.kind == "slot_outdated" { &mended } else { &damaged.outcomes };
        let (outcome, told) = match outcomes.get(group) {
            Some(Outcome::Repaired) => ("repaired", String::new()),
            Some(Outcome::Changed(how)) => ("changed", how.clone()),
            Some(Outcome::Cannot(why)) => ("cannot", why.clone()),
            None => {
                ("cannot", "only damaged and missing objects and outdated slots can be made again".into())
            }
        };
        // What dead runs and earlier collections left is gone by now.
        if fault.kind != "leftover" {
            report.faults.push(Repaired { fault, outcome, told });
        }
    }
    let failed = report.faults.iter().filter(|f| f.outcome == "cannot").count();
    output.answer(&report, || words(&report, failed));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Fuses slots again that show scenes which have gone, by product.
fn outdated(
    cube: &Cube,
    faults: &[Fault],
    progress: &dyn Progress,
) -> Result<BTreeMap<String, Outcome>, Failure> {
    let catalog = cube.fresh_catalog()?;
    let mut outcomes = BTreeMap::new();
    let products: BTreeSet<&String> =
        faults.iter().filter(|f| f.kind == "slot_outdated").map(|f| &f.what).collect();
    for id in products {
        let product = catalog.product(id)?;
        let options = IngestOptions { memory_bytes: half_of_memory(), ..IngestOptions::default() };
        let def = super::ingest::scenes_of(product)?;
        let done = fuse_outdated(cube.store(), cube.index(), def, &product.grid, &options, progress);
        let outcome = match done {
            Ok(_) => Outcome::Changed("fused again without it, as a new snapshot".into()),
            Err(e) if e.scene_code().is_some() => Outcome::Cannot(e.to_string()),
            Err(e) => return Err(e.into()),
        };
        outcomes.insert(id.clone(), outcome);
    }
    Ok(outcomes)
}

fn words(report: &Report, failed: usize) -> String {
    let mut lines: Vec<String> = report
        .faults
        .iter()
        .map(|f| {
            let told = if f.told.is_empty() { String::new() } else { format!(": {}", f.told) };
            format!("{} {} {}{told}", f.outcome, f.fault.kind, f.fault.what)
        })
        .collect();
    lines.push(format!(
        "{} fault(s), {failed} of them stay; {} groups made again, {} objects deleted, snapshot {}",
        report.faults.len(),
        report.groups,
        report.deleted_objects,
        report.snapshot
    ));
    lines.join("\n")
}

/// Groups with faults, and what becomes of them.
struct Damaged {
    groups: BTreeMap<String, (GroupRow, DamagedGroup)>,
    /// The group of each damaged object.
    of_key: BTreeMap<String, String>,
    outcomes: BTreeMap<String, Outcome>,
}

impl Damaged {
    fn of(cube: &Cube, faults: &[Fault]) -> Result<Self, Failure> {
        let keys: BTreeSet<&str> = faults
            .iter()
            .filter(|f| ["object_missing", "object_damaged"].contains(&f.kind))
            .map(|f| f.what.as_str())
            .collect();
        let mut found = Self { groups: BTreeMap::new(), of_key: BTreeMap::new(), outcomes: BTreeMap::new() };
        if keys.is_empty() {
            return Ok(found);
        }
        let objects = cube.index().objects()?;
        for object in objects.iter().filter(|o| keys.contains(o.key.as_str())) {
            found.of_key.insert(object.key.clone(), object.prefix.clone());
        }
        let prefixes: BTreeSet<&String> = found.of_key.values().collect();
        let mut by_group: BTreeMap<String, Vec<ObjectRow>> = BTreeMap::new();
        for object in objects.into_iter().filter(|o| prefixes.contains(&o.prefix)) {
            by_group.entry(object.prefix.clone()).or_default().push(object);
        }
        for row in cube.index().groups()? {
            let Some(objects) = by_group.remove(&row.prefix) else { continue };
            let damaged: BTreeSet<String> =
                objects.iter().map(|o| o.key.clone()).filter(|k| keys.contains(k.as_str())).collect();
            let group = DamagedGroup { prefix: row.prefix.clone(), archive: row.archive, objects, damaged };
            found.groups.insert(row.prefix.clone(), (row, group));
        }
        Ok(found)
    }

    /// Groups that are damaged and not made again yet.
    fn broken(&self) -> BTreeSet<String> {
        let whole = |prefix: &&String| {
            matches!(self.outcomes.get(*prefix), Some(Outcome::Repaired | Outcome::Changed(_)))
        };
        self.groups.keys().filter(|prefix| !whole(prefix)).cloned().collect()
    }

    /// Groups whose objects are damaged still: what was taken as it is now lies elsewhere, and not for what sees it as it
    /// was.
    fn damaged_still(&self) -> BTreeSet<String> {
        let repaired = |prefix: &&String| matches!(self.outcomes.get(*prefix), Some(Outcome::Repaired));
        self.groups.keys().filter(|prefix| !repaired(prefix)).cloned().collect()
    }

    /// Slots first, then what is made from them, then what is made from that.
    fn repair(
        &mut self,
        cube: &Cube,
        accept_changed: bool,
        run: &str,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let of_scenes = self.groups.values().filter(|(row, _)| row.kind != "generation").count();
        progress.begin("repair", of_scenes as u64, "groups");
        let catalog = cube.fresh_catalog()?;
        let numbers = AtomicUsize::new(0);
        let began = cube.index().latest_snapshot()?;
        for kind in ["slots", "overviews"] {
            let of_kind: Vec<String> = self
                .groups
                .values()
                .filter(|(row, _)| row.kind == kind)
                .map(|(r, _)| r.prefix.clone())
                .collect();
            for prefix in of_kind {
                let Some((row, group)) = self.groups.get(&prefix) else { continue };
                let product = catalog.product(&row.product)?;
                let repairer = Repairer {
                    store: cube.store(),
                    index: cube.index(),
                    product: super::ingest::scenes_of(product)?,
                    grid: &product.grid,
                    run,
                    accept_changed,
                    began,
                    numbers: &numbers,
                };
                let outcome = match kind {
                    "slots" => repairer.slots(group, progress)?,
                    _ => repairer.overviews(group, &self.damaged_still())?,
                };
                self.outcomes.insert(prefix, outcome);
                progress.advance(1);
            }
        }
        progress.end();
        self.repair_rasters(cube, accept_changed, run, progress)
    }

    /// Rasters in the order in which they can be made: one that is made from another waits for it.
    fn repair_rasters(
        &mut self,
        cube: &Cube,
        accept_changed: bool,
        run: &str,
        progress: &dyn Progress,
    ) -> Result<(), Failure> {
        let mut waiting: Vec<String> = self
            .groups
            .values()
            .filter(|(row, _)| row.kind == "generation")
            .map(|(row, _)| row.prefix.clone())
            .collect();
        loop {
            let (mut later, before) = (Vec::new(), waiting.len());
            for prefix in waiting {
                let Some((_, group)) = self.groups.get(&prefix) else { continue };
                if self.waits(cube, &prefix)? {
                    later.push(prefix);
                    continue;
                }
                let broken = self.broken();
                let outcome =
                    cube.repair_raster(&prefix, &group.objects, &broken, accept_changed, run, progress)?;
                let outcome = match outcome {
                    RasterRepair::Repaired => Outcome::Repaired,
                    RasterRepair::Changed(n) => Outcome::Changed(format!("a new raster in snapshot {n}")),
                    RasterRepair::Cannot(why) => Outcome::Cannot(why),
                };
                self.outcomes.insert(prefix, outcome);
            }
            // Rasters cannot wait for each other in a circle, but a loop must end.
            if later.is_empty() || later.len() == before {
                return Ok(());
            }
            waiting = later;
        }
    }

    /// Whether a raster is made from one that is damaged and whose turn has not come.
    fn waits(&self, cube: &Cube, prefix: &str) -> Result<bool, Failure> {
        let Some(row) = cube.index().group_generation(prefix)? else { return Ok(false) };
        for source in cube.index().generation_sources(row.id)? {
            if let Some(source) = cube.index().generation(source)?
                && self.groups.contains_key(&source.prefix)
                && !self.outcomes.contains_key(&source.prefix)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
