//! A batch run frozen on disk: what is to be made, from what, in which units, and which of them are done.
//!
//! ```text
//! CUBE/plans/{run}/plan.json              inputs, units, thresholds: written once
//! CUBE/plans/{run}/plan.lock              shared by those who work it; who drops it has it alone
//! CUBE/plans/{run}/units/{unit}.json      a unit that is done: its objects with their digests
//! CUBE/plans/{run}/units/{unit}.top       its coarsest pixels, from which grid-wide levels are made
//! CUBE/plans/{run}/units/{unit}.lock      held by the process that works it, and freed when that dies
//! ```
//!
//! A unit is one tile of one job: one shard of every output array and level. It is done when its `.json` is there, which
//! is put last. Nothing of a unit is made durable before the commit, which compares the digests of what another process
//! noted: after a power cut a unit may have to be worked again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use tesela_grid::TileId;
use tesela_model::{Period, RecipeDef};
use tesela_store::ObjectInfo;

use super::thresholds::Decided;
use crate::ComputeError;
use crate::skip::ChunkReport;

/// Directory of plans inside a cube.
const PLANS: &str = "plans";
/// How often a plan's directory is removed before what is put there is an error.
const MOST_ATTEMPTS: u32 = 20;

/// What rasters are made from, by row ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedInputs {
    /// Slots of a scenes product, ascending.
    Slots(Vec<i64>),
    /// Rasters of a derived product, by period.
    Rasters(Vec<i64>),
}

/// Rasters that are made together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedJob {
    /// One raster each.
    pub periods: Vec<Period>,
    /// From what.
    pub inputs: PlannedInputs,
    /// What the input decided before any unit.
    pub(super) decided: Decided,
    /// South-western tile of the rasters.
    pub tile_min: TileId,
    /// One past the north-eastern tile.
    pub tile_end: TileId,
    /// Tiles to work, one unit each.
    pub tiles: Vec<TileId>,
    /// Tiles whose inputs are those of the raster there is: taken over as they are.
    #[serde(default)]
    pub kept: Vec<TileId>,
}

/// A frozen run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// Run, and directory of the plan.
    pub run: String,
    /// The recipe as it is worked.
    pub recipe: RecipeDef,
    /// Digest of the recipe.
    pub digest: String,
    /// Snapshot that inputs are read at.
    pub snapshot: u64,
    /// In order of time.
    pub jobs: Vec<PlannedJob>,
}

/// A piece of work: one tile of one job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// Position of the job in the plan.
    pub job: usize,
    /// Tile.
    pub tile: TileId,
}

/// What a unit left.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct UnitDone {
    /// Objects of each period, in the order of the job's periods.
    pub(super) objects: Vec<Vec<ObjectInfo>>,
    /// Pixels with a value, over all periods.
    pub(super) pixels: u64,
    /// Chunks of scenes read and left out.
    pub(super) chunks: ChunkReport,
}

impl Plan {
    /// Every unit, job by job.
    pub fn units(&self) -> impl Iterator<Item = Unit> + '_ {
        self.jobs
            .iter()
            .enumerate()
            .flat_map(|(job, planned)| planned.tiles.iter().map(move |&tile| Unit { job, tile }))
    }
}

/// Plans of a cube.
#[derive(Debug, Clone)]
pub(super) struct Plans {
    root: PathBuf,
}

/// The right to work a unit, or a share in working a plan, held until dropped or until the process dies.
#[derive(Debug)]
pub(super) struct Claim {
    _file: File,
}

/// What came of asking for a unit.
#[derive(Debug)]
pub(super) enum Asked {
    /// It is the caller's.
    Given(Claim),
    /// Another process has it.
    Taken,
    /// The plan is not there any more.
    Gone,
}

impl Plans {
    pub(super) fn of(cube: &Path) -> Self {
        Self { root: cube.join(PLANS) }
    }

    fn dir(&self, run: &str) -> PathBuf {
        self.root.join(run)
    }

    fn unit(&self, run: &str, unit: Unit, ending: &str) -> PathBuf {
        self.dir(run).join("units").join(format!("{}-{}.{ending}", unit.job, unit.tile))
    }

    /// Writes a plan. It is there when this returns, whatever happens then.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn put(&self, plan: &Plan) -> Result<(), ComputeError> {
        let dir = self.dir(&plan.run);
        let units = dir.join("units");
        fs::create_dir_all(&units).map_err(|e| failed("make", &units, e))?;
        let text = serde_json::to_vec(plan).map_err(|e| unreadable(&dir, &e))?;
        write_whole(&dir.join("plan.json"), &text, true)
    }

    /// Reads a plan.
    ///
    /// # Errors
    /// [`ComputeError::UnknownPlan`] lists the plans there are; [`ComputeError::Plan`].
    pub(super) fn get(&self, run: &str) -> Result<Plan, ComputeError> {
        let runs = self.runs()?;
        if !runs.iter().any(|known| known == run) {
            let known = if runs.is_empty() { "none".into() } else { runs.join(", ") };
            return Err(ComputeError::UnknownPlan { plan: run.chars().take(64).collect(), known });
        }
        let path = self.dir(run).join("plan.json");
        let text = fs::read(&path).map_err(|e| failed("read", &path, e))?;
        serde_json::from_slice(&text).map_err(|e| unreadable(&path, &e))
    }

    /// Plans there are, oldest first.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn runs(&self) -> Result<Vec<String>, ComputeError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed("list", &self.root, e)),
        };
        let mut runs: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("plan.json").is_file())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        runs.sort();
        Ok(runs)
    }

    /// Whether a plan is there.
    pub(super) fn is_there(&self, run: &str) -> bool {
        self.dir(run).join("plan.json").is_file()
    }

    /// A share in working a plan: as long as somebody has one, nobody drops it.
    ///
    /// # Errors
    /// [`ComputeError::UnknownPlan`]; [`ComputeError::Plan`].
    pub(super) fn enter(&self, run: &str) -> Result<Claim, ComputeError> {
        // Its name is checked before anything is opened.
        self.get(run)?;
        let path = self.dir(run).join("plan.lock");
        let file = open_lock(&path)?;
        // Who has it alone is dropping it, which does not take long.
        file.lock_shared().map_err(|e| failed("lock", &path, e))?;
        self.get(run)?;
        Ok(Claim { _file: file })
    }

    /// A plan for the caller alone, to drop it.
    ///
    /// # Errors
    /// [`ComputeError::PlanAtWork`] while somebody works it; [`ComputeError::Plan`].
    pub(super) fn alone(&self, run: &str) -> Result<Claim, ComputeError> {
        let path = self.dir(run).join("plan.lock");
        let file = open_lock(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Claim { _file: file }),
            Err(TryLockError::WouldBlock) => Err(ComputeError::PlanAtWork { plan: run.to_owned() }),
            Err(TryLockError::Error(e)) => Err(failed("lock", &path, e)),
        }
    }

    /// When something was last done for a plan.
    pub(super) fn touched(&self, run: &str) -> Option<SystemTime> {
        let dir = self.dir(run);
        let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
        // Each unit that is done changes the directory that it is noted in.
        [dir.join("plan.json"), dir.join("units")].iter().filter_map(|path| changed(path)).max()
    }

    /// Directories without a plan: of a process that died while it made or removed one.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn remove_remnants(&self) -> Result<(), ComputeError> {
        let Ok(entries) = fs::read_dir(&self.root) else { return Ok(()) };
        for entry in entries.filter_map(Result::ok) {
            if let Ok(run) = entry.file_name().into_string()
                && !self.is_there(&run)
            {
                self.remove(&run)?;
            }
        }
        Ok(())
    }

    /// Removes a plan and what its units noted; their objects are the caller's.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn remove(&self, run: &str) -> Result<(), ComputeError> {
        let dir = self.dir(run);
        // Without its plan.json it is no plan, should the rest of this be cut off.
        match fs::remove_file(dir.join("plan.json")) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed("remove", &dir, e)),
            _ => {}
        }
        for attempt in 1.. {
            match fs::remove_dir_all(&dir) {
                // A worker that comes late has just made a lock in it, before it saw that there is no plan.
                Err(e) if e.kind() == ErrorKind::DirectoryNotEmpty && attempt < MOST_ATTEMPTS => {}
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed("remove", &dir, e)),
                _ => break,
            }
        }
        Ok(())
    }

    /// Takes a unit.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn claim(&self, run: &str, unit: Unit) -> Result<Asked, ComputeError> {
        if !self.is_there(run) {
            return Ok(Asked::Gone);
        }
        let path = self.unit(run, unit, "lock");
        let file = match open_lock(&path) {
            Err(ComputeError::Plan { source, .. }) if source.kind() == ErrorKind::NotFound => {
                return Ok(Asked::Gone);
            }
            file => file?,
        };
        match file.try_lock() {
            // A plan that is being removed loses its units one by one: none of them is to be worked again then.
            Ok(()) if !self.is_there(run) => Ok(Asked::Gone),
            Ok(()) => Ok(Asked::Given(Claim { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(Asked::Taken),
            Err(TryLockError::Error(e)) => Err(failed("lock", &path, e)),
        }
    }

    /// What a unit left, if it is done.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn done(&self, run: &str, unit: Unit) -> Result<Option<UnitDone>, ComputeError> {
        let path = self.unit(run, unit, "json");
        match fs::read(&path) {
            // What a power cut left of it says nothing.
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("read", &path, e)),
        }
    }

    /// Whether a unit is done.
    pub(super) fn is_done(&self, run: &str, unit: Unit) -> bool {
        self.unit(run, unit, "json").is_file()
    }

    /// Forgets that a unit is done.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn forget(&self, run: &str, unit: Unit) -> Result<(), ComputeError> {
        let path = self.unit(run, unit, "json");
        match fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(failed("remove", &path, e)),
            _ => Ok(()),
        }
    }

    /// Notes that a unit is done, its coarsest pixels first.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn put_done(
        &self,
        run: &str,
        unit: Unit,
        done: &UnitDone,
        top: &[u8],
    ) -> Result<(), ComputeError> {
        write_whole(&self.unit(run, unit, "top"), top, false)?;
        let path = self.unit(run, unit, "json");
        let text = serde_json::to_vec(done).map_err(|e| unreadable(&path, &e))?;
        write_whole(&path, &text, false)
    }

    /// A done unit's coarsest pixels.
    ///
    /// # Errors
    /// [`ComputeError::Plan`].
    pub(super) fn top(&self, run: &str, unit: Unit) -> Result<Vec<u8>, ComputeError> {
        let path = self.unit(run, unit, "top");
        fs::read(&path).map_err(|e| failed("read", &path, e))
    }
}

fn open_lock(path: &Path) -> Result<File, ComputeError> {
    let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
    opened.map_err(|e| failed("open", path, e))
}

/// Puts a file whole, or not at all.
fn write_whole(path: &Path, bytes: &[u8], durable: bool) -> Result<(), ComputeError> {
    let part = path.with_extension(format!("{}.part", std::process::id()));
    let written = File::create(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        if durable { file.sync_all() } else { Ok(()) }
    });
    written.and_then(|()| fs::rename(&part, path)).map_err(|e| failed("write", path, e))?;
    if let Some(dir) = path.parent().filter(|_| durable) {
        File::open(dir).and_then(|d| d.sync_all()).map_err(|e| failed("write", dir, e))?;
    }
    Ok(())
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> ComputeError {
    ComputeError::Plan { action, path: path.to_owned(), source }
}

fn unreadable(path: &Path, e: &serde_json::Error) -> ComputeError {
    failed("read", path, std::io::Error::new(ErrorKind::InvalidData, e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Unit = Unit { job: 0, tile: TileId { ix: 3, iy: -4 } };

    fn plan(run: &str) -> Plan {
        let recipe = tesela_model::shipped_recipe("ndvi_annual").unwrap().unwrap();
        Plan { run: run.into(), recipe, digest: "d".into(), snapshot: 7, jobs: Vec::new() }
    }

    #[test]
    fn a_plan_and_its_units_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let plans = Plans::of(dir.path());
        assert!(plans.runs().unwrap().is_empty());
        plans.put(&plan("b")).unwrap();
        plans.put(&plan("a")).unwrap();
        assert_eq!(plans.runs().unwrap(), ["a", "b"]);
        // As JSON: nodata may be NaN, which equals nothing.
        let json = |plan: &Plan| serde_json::to_string(plan).unwrap();
        assert_eq!(json(&plans.get("b").unwrap()), json(&plan("b")));
        assert!(plans.get("../b").unwrap_err().to_string().contains("a, b"));
        assert!(plans.done("a", UNIT).unwrap().is_none());
        plans
            .put_done(
                "a",
                UNIT,
                &UnitDone { objects: vec![Vec::new()], pixels: 5, ..UnitDone::default() },
                b"top",
            )
            .unwrap();
        assert_eq!(plans.done("a", UNIT).unwrap().unwrap().pixels, 5);
        assert_eq!(plans.top("a", UNIT).unwrap(), b"top");
        plans.remove("a").unwrap();
        plans.remove("a").unwrap();
        assert_eq!(plans.runs().unwrap(), ["b"]);
    }

    #[test]
    fn one_process_has_a_unit() {
        let dir = tempfile::tempdir().unwrap();
        let plans = Plans::of(dir.path());
        plans.put(&plan("a")).unwrap();
        let claim = plans.claim("a", UNIT).unwrap();
        assert!(matches!(claim, Asked::Given(_)));
        assert!(matches!(plans.claim("a", UNIT).unwrap(), Asked::Taken));
        drop(claim);
        assert!(matches!(plans.claim("a", UNIT).unwrap(), Asked::Given(_)));
    }

    #[test]
    fn a_plan_that_is_worked_is_nobodys_alone() {
        let dir = tempfile::tempdir().unwrap();
        let plans = Plans::of(dir.path());
        plans.put(&plan("a")).unwrap();
        let workers = [plans.enter("a").unwrap(), plans.enter("a").unwrap()];
        let refused = plans.alone("a").unwrap_err().to_string();
        assert!(refused.contains("plan a is being worked"), "{refused}");
        drop(workers);
        drop(plans.alone("a").unwrap());
        assert!(plans.enter("b").unwrap_err().to_string().contains("no plan b"));
        assert!(!dir.path().join("plans/b").exists());
    }

    #[test]
    fn a_plan_that_is_half_removed_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let plans = Plans::of(dir.path());
        plans.put(&plan("a")).unwrap();
        fs::remove_file(plans.dir("a").join("plan.json")).unwrap();
        assert!(matches!(plans.claim("a", UNIT).unwrap(), Asked::Gone));
        assert!(plans.runs().unwrap().is_empty() && plans.dir("a").exists());
        plans.remove_remnants().unwrap();
        assert!(!plans.dir("a").exists());
        assert!(matches!(plans.claim("a", UNIT).unwrap(), Asked::Gone));
    }
}
