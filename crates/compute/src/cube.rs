//! A cube opened for reading or writing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Clock};

use moka::sync::Cache;
use tesela_index::{
    GenerationRow, Index, OverviewRow, SceneDayRow, SceneOrder, SlotRow, SqliteIndex, WriterLock,
};
use tesela_model::{Instant, Period};
use tesela_store::{LocalObjects, Store, StoreOptions};

use crate::registered::Registered;
use crate::view::View;
use crate::{Catalog, ComputeError};

/// Directory of pixels inside a cube.
pub(crate) const STORE_DIR: &str = "store";

/// How long a catalogue is used before the index is asked whether it changed.
const CATALOG_AGE: Duration = Duration::from_millis(500);

/// A cube: pixels, index, and a catalogue that follows the index.
#[derive(Clone)]
pub struct Cube {
    dir: PathBuf,
    store: Store,
    index: Arc<SqliteIndex>,
    catalog: Arc<Mutex<Held>>,
    caches: Arc<Caches>,
}

/// Decoded chunks kept, bytes.
pub(crate) const CHUNK_CACHE_BYTES: u64 = 512 << 20;

/// Indexes of shards kept, bytes.
pub(crate) const INDEX_CACHE_BYTES: u64 = 256 << 20;

/// Groups are deleted by `gc` beside readers.
pub(crate) fn store_options() -> StoreOptions {
    StoreOptions {
        verify_missing: true,
        chunk_cache_bytes: CHUNK_CACHE_BYTES,
        index_cache_bytes: INDEX_CACHE_BYTES,
        open_files: 512,
        ..StoreOptions::default()
    }
}

/// The catalogue as last read, and when it was last found current.
type Held = Option<(Clock, Arc<Catalog>)>;

/// Rows at a snapshot: product, snapshot, and the catalogue's version, since `compact` moves pixels without changing
/// what a snapshot shows.
type At = (String, u64, u64);

/// Rows as read from the index.
struct Caches {
    days: Cache<At, Arc<Vec<DayRow>>>,
    scene_days: Cache<At, Arc<Vec<SceneDayRow>>>,
    generations: Cache<At, Arc<Vec<GenerationRow>>>,
    day_slots: Cache<(At, String), Arc<Vec<SlotRow>>>,
    day_overviews: Cache<(At, String), Arc<Vec<OverviewRow>>>,
    views: Cache<At, Arc<View>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            days: Cache::new(64),
            scene_days: Cache::new(16),
            generations: Cache::new(256),
            day_slots: Cache::new(512),
            day_overviews: Cache::new(512),
            views: Cache::new(32),
        }
    }
}

/// A solar day of one platform that a scenes product holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayRow {
    /// ISO date.
    pub solar_day: String,
    /// Platform.
    pub platform: String,
    /// Time of the first scene.
    pub time: Instant,
}

impl Cube {
    /// Makes an empty cube.
    ///
    /// # Errors
    /// [`IndexError::Exists`] when the directory holds one.
    pub fn create(dir: &Path) -> Result<Self, ComputeError> {
        let index = SqliteIndex::create(dir)?;
        Self::assemble(dir, index)
    }

    /// Opens a cube.
    ///
    /// # Errors
    /// [`IndexError::Missing`] or [`IndexError::Schema`].
    pub fn open(dir: &Path) -> Result<Self, ComputeError> {
        let index = SqliteIndex::open(dir)?;
        Self::assemble(dir, index)
    }

    fn assemble(dir: &Path, index: SqliteIndex) -> Result<Self, ComputeError> {
        let (options, index) = (store_options(), Arc::new(index));
        let objects = LocalObjects::open(&dir.join(STORE_DIR), options.open_files, options.durable)?;
        let objects = Registered::new(objects, index.clone());
        Ok(Self {
            dir: dir.to_owned(),
            store: Store::with_objects(Arc::new(objects), &options),
            index,
            catalog: Arc::default(),
            caches: Arc::default(),
        })
    }

    /// The cube's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Root of the store on disk.
    pub fn store_dir(&self) -> PathBuf {
        self.dir.join(STORE_DIR)
    }

    /// Pixels.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The index.
    pub fn index(&self) -> &dyn Index {
        self.index.as_ref()
    }

    /// The index as the embedded database that it is: for copies.
    pub(crate) fn database(&self) -> &SqliteIndex {
        &self.index
    }

    /// Takes the right to write.
    ///
    /// # Errors
    /// [`IndexError::Locked`] names who has it.
    pub fn lock(&self, command: &str) -> Result<WriterLock, ComputeError> {
        self.lock_within(command, Duration::ZERO)
    }

    /// Takes the writer lock, waiting so long for another writer to end.
    ///
    /// # Errors
    /// [`IndexError::Locked`] names who has it then.
    pub fn lock_within(&self, command: &str, wait: Duration) -> Result<WriterLock, ComputeError> {
        Ok(WriterLock::acquire_within(&self.dir, command, wait)?)
    }

    /// What the cube offers now. Follows the index within half a second.
    ///
    /// # Errors
    /// Those of [`Catalog::read`].
    pub fn catalog(&self) -> Result<Arc<Catalog>, ComputeError> {
        let mut held = self.catalog.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((seen, catalog)) = held.as_mut() {
            if seen.elapsed() < CATALOG_AGE {
                return Ok(catalog.clone());
            }
            if self.index.change_counter()? == catalog.version {
                *seen = Clock::now();
                return Ok(catalog.clone());
            }
        }
        let fresh = Arc::new(Catalog::read(self.index())?);
        *held = Some((Clock::now(), fresh.clone()));
        Ok(fresh)
    }

    /// What the cube offers, if that is known without asking the index.
    pub fn catalog_at_hand(&self) -> Option<Arc<Catalog>> {
        let held = self.catalog.try_lock().ok()?;
        held.as_ref().filter(|(seen, _)| seen.elapsed() < CATALOG_AGE).map(|(_, catalog)| catalog.clone())
    }

    /// What the cube offers, read anew: for a process that has just written.
    ///
    /// # Errors
    /// Those of [`Catalog::read`].
    pub fn fresh_catalog(&self) -> Result<Arc<Catalog>, ComputeError> {
        *self.catalog.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.catalog()
    }

    /// The snapshot a query reads: the one asked for, else the latest.
    ///
    /// # Errors
    /// [`IndexError::UnknownSnapshot`], [`IndexError::ExpiredSnapshot`].
    pub fn snapshot(&self, asked: Option<u64>) -> Result<u64, ComputeError> {
        let latest = self.catalog()?.snapshot;
        match asked {
            Some(n) if n == latest => Ok(n),
            Some(n) => {
                self.index.require_snapshot(n)?;
                Ok(n)
            }
            None => Ok(latest),
        }
    }

    fn at(&self, product: &str, snapshot: u64) -> Result<At, ComputeError> {
        Ok((product.to_owned(), snapshot, self.catalog()?.version))
    }

    /// Solar days and platforms of a scenes product, by time.
    ///
    /// # Errors
    /// Those of the index.
    pub fn days(&self, product: &str, snapshot: u64) -> Result<Arc<Vec<DayRow>>, ComputeError> {
        let key = self.at(product, snapshot)?;
        if let Some(found) = self.caches.days.get(&key) {
            return Ok(found);
        }
        let rows = self.index.slot_days(product, snapshot)?;
        let rows = rows.into_iter().map(|(solar_day, platform, time)| DayRow { solar_day, platform, time });
        let rows = Arc::new(rows.collect::<Vec<_>>());
        self.caches.days.insert(key, rows.clone());
        Ok(rows)
    }

    /// Solar days of a product's scenes.
    pub(crate) fn scene_days(
        &self,
        product: &str,
        snapshot: u64,
    ) -> Result<Arc<Vec<SceneDayRow>>, ComputeError> {
        let key = self.at(product, snapshot)?;
        if let Some(found) = self.caches.scene_days.get(&key) {
            return Ok(found);
        }
        let rows = Arc::new(self.index.scene_days(product, None, snapshot)?);
        self.caches.scene_days.insert(key, rows.clone());
        Ok(rows)
    }

    /// The first solar day in an order with a slot within a time; of that name, if given.
    pub(crate) fn day(
        &self,
        product: &str,
        time: &Period,
        named: Option<&str>,
        order: SceneOrder,
        snapshot: u64,
    ) -> Result<Option<DayRow>, ComputeError> {
        let found = self.index.slot_day(product, time, named, order, snapshot)?;
        Ok(found.map(|(solar_day, platform, time)| DayRow { solar_day, platform, time }))
    }

    /// Rasters of a derived product, by period.
    ///
    /// # Errors
    /// Those of the index.
    pub fn generations(&self, product: &str, snapshot: u64) -> Result<Arc<Vec<GenerationRow>>, ComputeError> {
        let key = self.at(product, snapshot)?;
        if let Some(found) = self.caches.generations.get(&key) {
            return Ok(found);
        }
        let rows = Arc::new(self.index.generations(product, snapshot)?);
        self.caches.generations.insert(key, rows.clone());
        Ok(rows)
    }

    /// A product of a snapshot (the latest unless one is asked for) as one Zarr group.
    ///
    /// # Errors
    /// Unknown products and snapshots; [`ComputeError::NoData`]; [`ComputeError::View`] when the product's rasters
    /// do not make one.
    pub fn view(&self, product: &str, snapshot: Option<u64>) -> Result<Arc<View>, ComputeError> {
        let snapshot = self.snapshot(snapshot)?;
        let catalog = self.catalog()?;
        let key = (product.to_owned(), snapshot, catalog.version);
        if let Some(found) = self.caches.views.get(&key) {
            return Ok(found);
        }
        let view = Arc::new(View::to_serve(self, &catalog, product, snapshot)?);
        self.caches.views.insert(key, view.clone());
        Ok(view)
    }

    /// Slots of all tiles on one solar day, every platform, by time.
    pub(crate) fn day_slots(
        &self,
        product: &str,
        day: &DayRow,
        snapshot: u64,
    ) -> Result<Arc<Vec<SlotRow>>, ComputeError> {
        let key = (self.at(product, snapshot)?, day.solar_day.clone());
        if let Some(found) = self.caches.day_slots.get(&key) {
            return Ok(found);
        }
        let mut rows = self.index.slots(product, None, &around(day.time), snapshot)?;
        rows.retain(|s| s.solar_day == day.solar_day);
        let rows = Arc::new(rows);
        self.caches.day_slots.insert(key, rows.clone());
        Ok(rows)
    }

    /// Grid-wide overviews of one solar day, every platform, by time.
    pub(crate) fn day_overviews(
        &self,
        product: &str,
        day: &DayRow,
        snapshot: u64,
    ) -> Result<Arc<Vec<OverviewRow>>, ComputeError> {
        let key = (self.at(product, snapshot)?, day.solar_day.clone());
        if let Some(found) = self.caches.day_overviews.get(&key) {
            return Ok(found);
        }
        let mut rows = self.index.overviews(product, &around(day.time), snapshot)?;
        rows.retain(|o| o.solar_day == day.solar_day);
        let rows = Arc::new(rows);
        self.caches.day_overviews.insert(key, rows.clone());
        Ok(rows)
    }
}

/// A time that holds the whole solar day of an instant, wherever on the globe.
pub(crate) fn around(time: Instant) -> Period {
    Period { start: Instant(time.0 - 172_800), end: Instant(time.0 + 172_800) }
}
