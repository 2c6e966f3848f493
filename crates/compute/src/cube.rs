//! A cube opened for reading or writing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Clock};

use moka::sync::Cache;
use tesela_index::{GenerationRow, Index, IndexError, OverviewRow, SlotRow, SqliteIndex, WriterLock};
use tesela_model::{Instant, Period};
use tesela_store::{Store, StoreOptions};

use crate::view::View;
use crate::{Catalog, ComputeError};

/// Directory of pixels inside a cube.
const STORE_DIR: &str = "store";

/// How long a catalogue is used before the index is asked whether it changed.
const CATALOG_AGE: Duration = Duration::from_millis(500);

/// A cube: pixels, index, and a catalogue that follows the index.
#[derive(Clone)]
pub struct Cube {
    dir: PathBuf,
    store: Store,
    index: Arc<dyn Index>,
    catalog: Arc<Mutex<Held>>,
    caches: Arc<Caches>,
}

/// The catalogue as last read, and when it was last found current.
type Held = Option<(Clock, Arc<Catalog>)>;

/// What was read from the index at a snapshot never changes, so it is kept; key: (product, snapshot).
struct Caches {
    days: Cache<(String, u64), Arc<Vec<DayRow>>>,
    generations: Cache<(String, u64), Arc<Vec<GenerationRow>>>,
    day_slots: Cache<(String, u64, String), Arc<Vec<SlotRow>>>,
    overviews: Cache<(String, u64), Arc<Vec<OverviewRow>>>,
    /// By product, snapshot and the catalogue's version: titles may change without a snapshot.
    views: Cache<(String, u64, u64), Arc<View>>,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            days: Cache::new(64),
            generations: Cache::new(256),
            day_slots: Cache::new(512),
            overviews: Cache::new(64),
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
        let store = Store::open_local(&dir.join(STORE_DIR), &StoreOptions::default())?;
        Ok(Self {
            dir: dir.to_owned(),
            store,
            index: Arc::new(index),
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

    /// Takes the right to write.
    ///
    /// # Errors
    /// [`IndexError::Locked`] names who has it.
    pub fn lock(&self, command: &str) -> Result<WriterLock, ComputeError> {
        Ok(WriterLock::acquire(&self.dir, command)?)
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
    /// [`IndexError::UnknownSnapshot`].
    pub fn snapshot(&self, asked: Option<u64>) -> Result<u64, ComputeError> {
        let latest = self.catalog()?.snapshot;
        match asked {
            Some(n) if n > latest => Err(IndexError::UnknownSnapshot { n, latest }.into()),
            Some(n) => Ok(n),
            None => Ok(latest),
        }
    }

    /// Solar days and platforms of a scenes product, by time.
    ///
    /// # Errors
    /// Those of the index.
    pub fn days(&self, product: &str, snapshot: u64) -> Result<Arc<Vec<DayRow>>, ComputeError> {
        let key = (product.to_owned(), snapshot);
        if let Some(found) = self.caches.days.get(&key) {
            return Ok(found);
        }
        let rows = self.index.slot_days(product, snapshot)?;
        let rows = rows.into_iter().map(|(solar_day, platform, time)| DayRow { solar_day, platform, time });
        let rows = Arc::new(rows.collect::<Vec<_>>());
        self.caches.days.insert(key, rows.clone());
        Ok(rows)
    }

    /// Rasters of a derived product, by period.
    ///
    /// # Errors
    /// Those of the index.
    pub fn generations(&self, product: &str, snapshot: u64) -> Result<Arc<Vec<GenerationRow>>, ComputeError> {
        let key = (product.to_owned(), snapshot);
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
        let key = (product.to_owned(), snapshot, day.solar_day.clone());
        if let Some(found) = self.caches.day_slots.get(&key) {
            return Ok(found);
        }
        let around = Period { start: Instant(day.time.0 - 172_800), end: Instant(day.time.0 + 172_800) };
        let mut rows = self.index.slots(product, None, &around, snapshot)?;
        rows.retain(|s| s.solar_day == day.solar_day);
        let rows = Arc::new(rows);
        self.caches.day_slots.insert(key, rows.clone());
        Ok(rows)
    }

    /// Grid-wide overviews of a scenes product, by time.
    pub(crate) fn overviews(
        &self,
        product: &str,
        snapshot: u64,
    ) -> Result<Arc<Vec<OverviewRow>>, ComputeError> {
        let key = (product.to_owned(), snapshot);
        if let Some(found) = self.caches.overviews.get(&key) {
            return Ok(found);
        }
        let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
        let rows = Arc::new(self.index.overviews(product, &always, snapshot)?);
        self.caches.overviews.insert(key, rows.clone());
        Ok(rows)
    }
}
