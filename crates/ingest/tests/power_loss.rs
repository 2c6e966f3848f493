//! The power fails in the middle of an ingest: whatever the index committed is there, whole, and the next run goes on.
//!
//! The store is one whose writes stay volatile until they are synced, as a disk's cache keeps them. When the power
//! goes, each unsynced object is gone, cut short, or there, and each unsynced delete may not have happened.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tesela_grid::{GridDef, builtin_grid};
use tesela_index::{Index, ProductKind, SceneQuery, SqliteIndex};
use tesela_ingest::{IngestError, IngestOptions, IngestReport, ingest};
use tesela_model::{Instant, Period, ProductDef, Silent};
use tesela_store::{ObjectKey, Objects, Store, StoreError, StoreOptions};
use tesela_synth::SynthConfig;

type Map = BTreeMap<ObjectKey, Vec<u8>>;

/// What a store did with its writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sync {
    /// `sync` makes them durable.
    Real,
    /// `sync` does nothing: the fault that this test must be able to see.
    Idle,
}

/// Objects that are durable once synced, and a moment at which the power goes.
struct Volatile {
    /// As a program sees them.
    seen: Mutex<Map>,
    /// As the disk has them.
    durable: Mutex<Map>,
    sync: Sync,
    done: AtomicU64,
    /// Which change (put, delete, link, sync) the power goes at; a sync ends first.
    goes_at: u64,
    gone: AtomicBool,
    /// The numbers of the syncs among the changes.
    syncs: Mutex<Vec<u64>>,
}

impl Volatile {
    fn new(on_disk: Map, sync: Sync, goes_at: u64) -> Arc<Self> {
        Arc::new(Self {
            seen: Mutex::new(on_disk.clone()),
            durable: Mutex::new(on_disk),
            sync,
            done: AtomicU64::new(0),
            goes_at,
            gone: AtomicBool::new(false),
            syncs: Mutex::default(),
        })
    }

    fn power(&self) -> Result<(), StoreError> {
        if !self.gone.load(Ordering::SeqCst) {
            return Ok(());
        }
        let source = std::io::Error::other("the power is gone");
        Err(StoreError::Io { action: "reach", path: "the disk".into(), source })
    }

    /// Counts a change; fails from the one at which the power goes.
    fn change(&self) -> Result<u64, StoreError> {
        self.power()?;
        let number = self.done.fetch_add(1, Ordering::SeqCst) + 1;
        if number >= self.goes_at {
            self.gone.store(true, Ordering::SeqCst);
        }
        Ok(number)
    }

    /// What is on the disk when the power is back: of what was not synced, some, all or none.
    fn after_the_loss(&self) -> Map {
        let (seen, mut disk) = (self.seen.lock().unwrap(), self.durable.lock().unwrap().clone());
        let keys: BTreeSet<ObjectKey> = seen.keys().chain(disk.keys()).cloned().collect();
        for key in keys {
            let chance = mixed(key.as_str(), self.goes_at) % 4;
            match (seen.get(&key), disk.contains_key(&key)) {
                (Some(bytes), false) if chance == 0 => {
                    disk.insert(key, bytes.clone());
                }
                (Some(bytes), false) if chance == 1 => {
                    disk.insert(key, bytes[..bytes.len() / 2].to_vec());
                }
                (Some(bytes), false) if chance == 2 => {
                    disk.insert(key, vec![0; bytes.len()]);
                }
                (None, true) if chance < 2 => {
                    disk.remove(&key);
                }
                _ => {}
            }
        }
        disk
    }
}

/// A number that depends on a text and a seed.
fn mixed(text: &str, seed: u64) -> u64 {
    let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash >> 33
}

impl Objects for Volatile {
    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        self.change()?;
        let mut seen = self.seen.lock().unwrap();
        if seen.contains_key(key) {
            return Err(StoreError::ObjectExists { key: key.clone() });
        }
        seen.insert(key.clone(), bytes.to_vec());
        drop(seen);
        self.power()
    }

    fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.power()?;
        Ok(self.seen.lock().unwrap().get(key).cloned())
    }

    fn get_range(&self, key: &ObjectKey, offset: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(bytes) = self.get(key)? else { return Ok(None) };
        let part = bytes.get(offset as usize..(offset + len) as usize).map(<[u8]>::to_vec);
        let size = bytes.len() as u64;
        part.map(Some).ok_or(StoreError::ObjectTruncated { key: key.clone(), offset, len, size })
    }

    fn get_suffix(&self, key: &ObjectKey, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = self.get(key)?;
        Ok(bytes.map(|bytes| bytes[bytes.len().saturating_sub(len as usize)..].to_vec()))
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        Ok(self.get(key)?.map(|bytes| bytes.len() as u64))
    }

    fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        self.change()?;
        let removed = self.seen.lock().unwrap().remove(key).is_some();
        self.power()?;
        Ok(removed)
    }

    fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError> {
        self.power()?;
        let seen = self.seen.lock().unwrap();
        let under = seen.iter().filter(|(key, _)| prefix.is_none_or(|prefix| key.is_under(prefix)));
        Ok(under.map(|(key, bytes)| (key.clone(), bytes.len() as u64)).collect())
    }

    fn sync(&self) -> Result<(), StoreError> {
        let number = self.change()?;
        self.syncs.lock().unwrap().push(number);
        if self.sync == Sync::Real {
            // Both at once: of two syncs side by side the earlier must not undo the later.
            let seen = self.seen.lock().unwrap();
            *self.durable.lock().unwrap() = seen.clone();
        }
        // Synced, and gone before the commit that would follow.
        self.power()
    }

    fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError> {
        let bytes = self.get(from)?.ok_or_else(|| StoreError::ObjectMissing { key: from.clone() })?;
        self.put(to, &bytes)
    }
}

/// A synthetic archive, and the product it goes into.
struct Archive {
    _folder: tempfile::TempDir,
    scenes: PathBuf,
    product: ProductDef,
    grid: GridDef,
}

impl Archive {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config =
            SynthConfig { years: 2020..=2020, size_px: 64, max_scenes: Some(10), ..SynthConfig::default() };
        tesela_synth::generate(&config, &folder.path().join("archive"), &|_| {}).unwrap();
        let (name, text) = tesela_model::shipped_products().find(|(n, _)| *n == "landsat_c2_sr").unwrap();
        let product = ProductDef::from_yaml(name, text).unwrap();
        let grid = builtin_grid(&product.grid).unwrap();
        Self { scenes: folder.path().join("archive/scenes"), _folder: folder, product, grid }
    }

    fn index(&self) -> (tempfile::TempDir, SqliteIndex) {
        let folder = tempfile::tempdir().unwrap();
        let index = SqliteIndex::create(folder.path()).unwrap();
        index.put_grid(&self.grid).unwrap();
        let text = serde_json::to_string(&self.product).unwrap();
        index.put_product(&self.product.product, ProductKind::Scenes, &self.grid.id, &text).unwrap();
        (folder, index)
    }

    fn ingest(&self, objects: &Arc<Volatile>, index: &SqliteIndex) -> Result<IngestReport, IngestError> {
        let store = Store::with_objects(objects.clone(), &StoreOptions::default());
        let options = IngestOptions { batch_days: Some(1), ..IngestOptions::default() };
        let paths = [self.scenes.clone()];
        ingest(&store, index, &self.product, &self.grid, &paths, &options, &Silent)
    }
}

/// What the index says is there and the disk does not have, or has with other bytes.
fn lost(index: &SqliteIndex, disk: &Map) -> Vec<String> {
    let rows = index.objects().unwrap();
    let whole = |row: &tesela_index::ObjectRow| {
        disk.get(&ObjectKey::new(&row.key).unwrap()).is_some_and(|bytes| {
            let found = tesela_store::ObjectInfo::of(&ObjectKey::new(&row.key).unwrap(), bytes);
            (found.bytes, found.digest.as_str()) == (row.bytes, row.digest.as_str())
        })
    };
    rows.iter().filter(|row| !whole(row)).map(|row| row.key.clone()).collect()
}

/// Scene ids, and how many slots there are.
fn holds(archive: &Archive, index: &SqliteIndex) -> (BTreeSet<String>, usize) {
    let now = index.latest_snapshot().unwrap();
    let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
    let scenes = index.scenes(&SceneQuery::default(), now).unwrap();
    let slots = index.slots(&archive.product.product, None, &always, now).unwrap();
    (scenes.into_iter().map(|s| s.product_id).collect(), slots.len())
}

#[test]
fn every_commit_survives_a_power_loss_at_any_moment() {
    let archive = Archive::make();
    let calm = Volatile::new(Map::new(), Sync::Real, u64::MAX);
    let (_kept, index) = archive.index();
    let report = archive.ingest(&calm, &index).unwrap();
    assert!(report.added >= 4 && report.refused.is_empty(), "{report:?}");
    let whole = holds(&archive, &index);
    let (changes, syncs) = (calm.done.load(Ordering::SeqCst), calm.syncs.lock().unwrap().clone());
    assert!(syncs.len() >= 4, "a commit a day: {syncs:?}");
    assert_eq!(lost(&index, &calm.after_the_loss()), Vec::<String>::new());

    let mut moments: BTreeSet<u64> = syncs.iter().flat_map(|s| [s - 1, *s, s + 1]).collect();
    moments.extend((0..12).map(|i| 1 + mixed("moment", i) % changes));
    let (mut with_commits, mut without) = (0, 0);
    for moment in moments {
        let first = Volatile::new(Map::new(), Sync::Real, moment);
        let (_kept, index) = archive.index();
        let outcome = archive.ingest(&first, &index);
        assert!(outcome.is_err() || moment > changes, "at {moment} of {changes}");
        let disk = first.after_the_loss();
        assert_eq!(lost(&index, &disk), Vec::<String>::new(), "lost at change {moment} of {changes}");
        *(if index.latest_snapshot().unwrap() > 0 { &mut with_commits } else { &mut without }) += 1;

        // The power fails again while the next run sweeps and goes on; the one after it completes.
        let second = Volatile::new(disk, Sync::Real, 1 + moment / 3);
        let _ = archive.ingest(&second, &index);
        let disk = second.after_the_loss();
        assert_eq!(lost(&index, &disk), Vec::<String>::new(), "lost the second time after {moment}");

        let third = Volatile::new(disk, Sync::Real, u64::MAX);
        archive.ingest(&third, &index).unwrap();
        assert_eq!(holds(&archive, &index), whole, "after {moment}");
        let disk = third.after_the_loss();
        assert_eq!(lost(&index, &disk), Vec::<String>::new());
        let known: BTreeSet<String> = index.objects().unwrap().into_iter().map(|o| o.key).collect();
        let seen = third.seen.lock().unwrap();
        let left: Vec<_> = seen.keys().filter(|k| !known.contains(k.as_str())).collect();
        assert!(left.is_empty(), "left behind after {moment}: {left:?}");
    }
    assert!(with_commits > 5 && without > 0, "{with_commits} losses after a commit, {without} before any");
}

/// The test sees the fault it is about: with a sync that does nothing, commits lose objects.
#[test]
fn a_sync_that_does_nothing_is_found_out() {
    let archive = Archive::make();
    let objects = Volatile::new(Map::new(), Sync::Idle, u64::MAX);
    let (_kept, index) = archive.index();
    archive.ingest(&objects, &index).unwrap();
    assert!(!lost(&index, &objects.after_the_loss()).is_empty());
}
