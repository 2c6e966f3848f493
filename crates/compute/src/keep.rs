//! What an operator does with a cube that is kept for decades: let go of what nobody needs, see what takes space,
//! make copies.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use serde::Serialize;
use tesela_index::{Collected, Index, IndexError, SqliteIndex};
use tesela_model::{Instant, Progress};
use tesela_store::{LocalObjects, ObjectKey, Objects, StoreError};

use crate::cube::STORE_DIR;
use crate::{ComputeError, Cube};

/// File in a backup that names its cube.
const MARK: &str = "backup-of";

/// How garbage is collected.
#[derive(Debug, Clone)]
pub struct GcOptions {
    /// How long untagged snapshots are kept.
    pub keep: Duration,
    /// How long objects stay after the last row that names them is gone: what servers take to notice, and requests
    /// to end.
    pub grace: Duration,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What a collection did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct GcReport {
    /// What the index let go of.
    #[serde(flatten)]
    pub collected: Collected,
    /// Objects deleted, those of a collection that was interrupted among them.
    pub deleted_objects: u64,
    /// Plans that nobody worked for as long as snapshots are kept: dropped, with what their units wrote.
    pub plans: Vec<String>,
}

/// Bytes of one product in one year and form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Product.
    pub product: String,
    /// `recent`, `archive`, `overviews` or `generation`.
    pub form: String,
    /// Year of the first date in the group; none for groups that hold nothing visible.
    pub year: Option<i32>,
    /// Groups.
    pub groups: u64,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What a backup did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct BackupReport {
    /// Where.
    pub to: PathBuf,
    /// Snapshot it holds.
    pub snapshot: u64,
    /// Objects it holds.
    pub objects: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Objects that were copied now; the others were there.
    pub copied: u64,
    /// Objects of an earlier backup that this one no longer needs.
    pub removed: u64,
}

impl Cube {
    /// Lets go of old snapshots and deletes what only they needed; drops plans that nobody worked for as long. The
    /// caller holds the writer lock.
    ///
    /// # Errors
    /// [`ComputeError::Busy`] while a backup runs; [`ComputeError::Cancelled`]; those of store and index. What is left
    /// to delete is deleted by the next collection.
    pub fn gc(&self, options: &GcOptions, progress: &dyn Progress) -> Result<GcReport, ComputeError> {
        let _keep = KeepLock::exclusive(self.dir())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
        let keep = i64::try_from(options.keep.as_secs()).unwrap_or(i64::MAX);
        // At 0 the snapshots of this very second go too.
        let before = if keep == 0 { i64::MAX } else { now.saturating_sub(keep) };
        let mut report = GcReport {
            collected: self.index().collect(Instant(before), options.dry_run)?,
            ..GcReport::default()
        };
        if !options.dry_run {
            self.clear_remnants()?;
        }
        report.plans = self.abandoned_plans(options.keep)?;
        if !options.dry_run {
            for plan in &report.plans {
                self.drop_plan(plan)?;
            }
            report.deleted_objects = self.delete_doomed_groups(options.grace, progress)?;
        }
        Ok(report)
    }

    /// Deletes what a repair replaced, as [`Cube::gc`] does. The caller holds the writer lock.
    ///
    /// # Errors
    /// As [`Cube::gc`].
    pub fn delete_doomed(&self, grace: Duration, progress: &dyn Progress) -> Result<u64, ComputeError> {
        let _keep = KeepLock::exclusive(self.dir())?;
        self.delete_doomed_groups(grace, progress)
    }

    fn delete_doomed_groups(&self, grace: Duration, progress: &dyn Progress) -> Result<u64, ComputeError> {
        let doomed = self.index().doomed()?;
        if doomed.is_empty() {
            return Ok(0);
        }
        let mut waited = Duration::ZERO;
        while waited < grace {
            if progress.cancelled() {
                return Err(ComputeError::Cancelled);
            }
            let step = Duration::from_millis(100).min(grace - waited);
            std::thread::sleep(step);
            waited += step;
        }
        let mut deleted = 0;
        progress.begin("delete", doomed.len() as u64, "groups");
        for prefix in doomed {
            if progress.cancelled() {
                return Err(ComputeError::Cancelled);
            }
            deleted += self.delete_group(&ObjectKey::new(&prefix)?)?;
            self.index().forget_doomed(&prefix)?;
            progress.advance(1);
        }
        progress.end();
        Ok(deleted)
    }

    /// Deletes a group, its metadata first: a reader that finds a chunk missing asks for them, and learns that this is
    /// not fill.
    fn delete_group(&self, prefix: &ObjectKey) -> Result<u64, ComputeError> {
        let mut removed = 0;
        for (key, _) in self.store().list(Some(prefix))? {
            if key.as_str().ends_with("zarr.json") {
                removed += u64::from(self.store().delete(&key)?);
            }
        }
        Ok(removed + self.store().delete_under(prefix)?)
    }

    /// What takes how much space.
    ///
    /// # Errors
    /// Those of the index.
    pub fn usage(&self) -> Result<Vec<Usage>, ComputeError> {
        let mut sums: BTreeMap<(String, String, Option<i32>), Usage> = BTreeMap::new();
        for g in self.index().groups()? {
            let form = match g.kind.as_str() {
                "slots" if g.archive => "archive",
                "slots" => "recent",
                other => other,
            };
            let (form, year) = (form.to_owned(), g.first.map(Instant::year));
            let key = (g.product.clone(), form.clone(), year);
            let sum = sums.entry(key).or_insert_with(|| Usage {
                product: g.product,
                form,
                year,
                groups: 0,
                objects: 0,
                bytes: 0,
            });
            sum.groups += 1;
            sum.objects += g.objects;
            sum.bytes += g.bytes;
        }
        Ok(sums.into_values().collect())
    }

    /// Copies the cube as it is now to a directory, while others read and write; into the backup that lies there, only
    /// what it lacks. The copy is a cube.
    ///
    /// # Errors
    /// [`ComputeError::Busy`] while garbage is collected; [`ComputeError::Cancelled`], then the backup that was there
    /// is as it was; [`ComputeError::Backup`] when the directory holds something else; those of store and index.
    pub fn backup(&self, to: &Path, progress: &dyn Progress) -> Result<BackupReport, ComputeError> {
        let fail = |action: &'static str, path: &Path| {
            let path = path.to_owned();
            move |source: std::io::Error| {
                ComputeError::Index(IndexError::Io { action, path: path.clone(), source })
            }
        };
        let _keep = KeepLock::shared(self.dir())?;
        let own = self.dir().canonicalize().map_err(fail("cannot read", self.dir()))?;
        // Where it will lie, before anything is made there.
        let there = std::path::absolute(to).map_err(fail("cannot read", to))?;
        let there = there
            .ancestors()
            .find_map(|above| Some(above.canonicalize().ok()?.join(there.strip_prefix(above).ok()?)))
            .unwrap_or_else(|| there.clone());
        if there.starts_with(&own) || own.starts_with(&there) {
            return Err(ComputeError::Backup {
                path: to.into(),
                problem: "it lies in the cube itself".into(),
            });
        }
        self.refuse_foreign(to)?;
        fs::create_dir_all(to).map_err(fail("cannot create", to))?;
        // Says whose backup this is from the first object on, so that a killed one can go on.
        let mark = to.join(MARK);
        fs::write(&mark, self.index().fact("id")?.unwrap_or_default())
            .map_err(fail("cannot write", &mark))?;
        let incoming = to.join(".incoming");
        let _ = fs::remove_dir_all(&incoming);
        fs::create_dir_all(&incoming).map_err(fail("cannot create", &incoming))?;
        let copy = incoming.join("index.db");
        self.database().copy_to(&copy)?;
        let index = SqliteIndex::open(&incoming)?;
        let wanted = index.objects()?;
        let mut report = BackupReport {
            to: to.into(),
            snapshot: index.latest_snapshot()?,
            objects: wanted.len() as u64,
            bytes: wanted.iter().map(|o| o.bytes).sum(),
            ..BackupReport::default()
        };
        drop(index);
        let target = LocalObjects::open(&to.join(STORE_DIR), 16, true)?;
        for leftover in target.leftovers(None)? {
            target.remove_leftover(&leftover)?;
        }
        let have: BTreeMap<ObjectKey, u64> = target.list(None)?.into_iter().collect();
        progress.begin("back up", wanted.len() as u64, "objects");
        let copied = wanted
            .par_iter()
            .map(|o| {
                if progress.cancelled() {
                    return Err(ComputeError::Cancelled);
                }
                let key = ObjectKey::new(&o.key)?;
                progress.advance(1);
                if have.get(&key) == Some(&o.bytes) {
                    return Ok(0);
                }
                let Some(bytes) = self.store().objects().get(&key)? else {
                    return Err(StoreError::ObjectMissing { key }.into());
                };
                if blake3::hash(&bytes).to_hex().as_str() != o.digest {
                    let problem = format!("object {key} differs from what was written; run `tesela check`");
                    return Err(ComputeError::Backup { path: self.store_dir(), problem });
                }
                if have.contains_key(&key) {
                    target.delete(&key)?;
                }
                target.put(&key, &bytes)?;
                Ok(1)
            })
            .try_reduce(|| 0, |a, b| Ok(a + b))?;
        report.copied = copied;
        target.sync()?;
        File::open(&copy).and_then(|f| f.sync_all()).map_err(fail("cannot sync", &copy))?;
        for log in ["index.db-wal", "index.db-shm"] {
            let _ = fs::remove_file(to.join(log));
        }
        fs::rename(&copy, to.join("index.db")).map_err(fail("cannot rename", &copy))?;
        let _ = fs::remove_dir_all(&incoming);
        File::open(to).and_then(|f| f.sync_all()).map_err(fail("cannot sync", to))?;
        let names: BTreeSet<&str> = wanted.iter().map(|o| o.key.as_str()).collect();
        for key in have.keys().filter(|key| !names.contains(key.as_str())) {
            report.removed += u64::from(target.delete(key)?);
        }
        progress.end();
        Ok(report)
    }

    /// A backup goes into an empty directory or into an earlier backup of the same cube.
    fn refuse_foreign(&self, to: &Path) -> Result<(), ComputeError> {
        let refuse = |problem: String| Err(ComputeError::Backup { path: to.into(), problem });
        match SqliteIndex::open(to) {
            Ok(there) => {
                let (ours, theirs) = (self.index().fact("id")?, there.fact("id")?);
                if ours != theirs {
                    return refuse("it holds another cube".into());
                }
                Ok(())
            }
            Err(IndexError::Missing { .. }) => {
                let ours = fs::read_to_string(to.join(MARK)).ok();
                if ours.is_some() && ours == self.index().fact("id")? {
                    return Ok(()); // a backup that was killed
                }
                match fs::read_dir(to).ok().into_iter().flatten().flatten().next() {
                    Some(entry) => refuse(format!(
                        "it holds {:?} and no backup; give an empty directory",
                        entry.file_name()
                    )),
                    None => Ok(()),
                }
            }
            // A backup of an earlier version is brought up to date.
            Err(IndexError::Schema { .. }) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }
}

/// Held by those who need objects to stay (shared) and by who deletes them (exclusive).
struct KeepLock(#[allow(dead_code)] File);

impl KeepLock {
    fn open(dir: &Path) -> Result<File, ComputeError> {
        let path = dir.join("keep.lock");
        File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(|source| {
            ComputeError::Index(IndexError::Io { action: "cannot open", path: path.clone(), source })
        })
    }

    fn shared(dir: &Path) -> Result<Self, ComputeError> {
        let file = Self::open(dir)?;
        let taken = file.try_lock_shared();
        Self::taken(file, taken, "garbage is being collected (`tesela gc`)")
    }

    fn exclusive(dir: &Path) -> Result<Self, ComputeError> {
        let file = Self::open(dir)?;
        let taken = file.try_lock();
        Self::taken(file, taken, "a backup is being made (`tesela backup`)")
    }

    fn taken(file: File, taken: Result<(), TryLockError>, by: &'static str) -> Result<Self, ComputeError> {
        match taken {
            Ok(()) => Ok(Self(file)),
            Err(_) => Err(ComputeError::Busy { by }),
        }
    }
}
