use tesela_grid::{BoundingBox, GridDef, TileId};
use tesela_model::{Instant, Period};

use crate::{
    ArchivedRow, Collected, GenerationCommit, GenerationRow, GroupRow, IndexError, IngestCommit, MoveCommit,
    ObjectRow, OverviewRow, PositionRow, ProductKind, ProductRow, QuarantineRow, SceneDayRow, SceneOrder,
    SceneQuery, SceneRow, SlotRow, SnapshotRow, StagedRow, StaleRow, TagRow, ZoneRow, ZoneSetCommit,
    ZoneSetRow,
};

/// What exists where and when. Reads take the snapshot they are made at.
///
/// Every method fails with [`IndexError::Database`] when the database does; other errors are named.
pub trait Index: Send + Sync {
    /// The latest snapshot number, 0 for an empty cube.
    ///
    /// # Errors
    /// See the trait.
    fn latest_snapshot(&self) -> Result<u64, IndexError>;

    /// Commits, newest first.
    ///
    /// # Errors
    /// See the trait.
    fn snapshots(&self, limit: usize) -> Result<Vec<SnapshotRow>, IndexError>;

    /// A commit, if there was one of that number.
    ///
    /// # Errors
    /// See the trait.
    fn snapshot(&self, n: u64) -> Result<Option<SnapshotRow>, IndexError>;

    /// Fails unless a snapshot can be read.
    ///
    /// # Errors
    /// [`IndexError::UnknownSnapshot`]; [`IndexError::ExpiredSnapshot`] names the nearest kept.
    fn require_snapshot(&self, n: u64) -> Result<(), IndexError>;

    /// Gives a snapshot a name, which keeps it for ever.
    ///
    /// # Errors
    /// [`IndexError::Duplicate`] when the name is another snapshot's; as [`Index::require_snapshot`].
    fn put_tag(&self, name: &str, snapshot: u64, note: &str) -> Result<(), IndexError>;

    /// Takes a name away.
    ///
    /// # Errors
    /// [`IndexError::UnknownTag`].
    fn delete_tag(&self, name: &str) -> Result<(), IndexError>;

    /// Names of snapshots, by name.
    ///
    /// # Errors
    /// See the trait.
    fn tags(&self) -> Result<Vec<TagRow>, IndexError>;

    /// A number that changes whenever products, styles, zones or snapshots do.
    ///
    /// # Errors
    /// See the trait.
    fn change_counter(&self) -> Result<u64, IndexError>;

    /// A fact about the whole cube (`id`, `created`).
    ///
    /// # Errors
    /// See the trait.
    fn fact(&self, key: &str) -> Result<Option<String>, IndexError>;

    /// Whether any visible scene or zone set is generated rather than observed.
    ///
    /// # Errors
    /// See the trait.
    fn has_synthetic(&self) -> Result<bool, IndexError>;

    /// Registers a grid; the same definition twice is fine.
    ///
    /// # Errors
    /// [`IndexError::Duplicate`] when the id names another grid.
    fn put_grid(&self, grid: &GridDef) -> Result<(), IndexError>;

    /// All grids.
    ///
    /// # Errors
    /// See the trait.
    fn grids(&self) -> Result<Vec<GridDef>, IndexError>;

    /// Registers or updates a product.
    ///
    /// # Errors
    /// [`IndexError::Duplicate`] when kind or grid would change while the product holds data.
    fn put_product(
        &self,
        id: &str,
        kind: ProductKind,
        grid: &str,
        definition: &str,
    ) -> Result<(), IndexError>;

    /// All products, by id.
    ///
    /// # Errors
    /// See the trait.
    fn products(&self) -> Result<Vec<ProductRow>, IndexError>;

    /// Notes that a run begins; its unfinished objects may be swept by the next lock holder.
    ///
    /// # Errors
    /// See the trait.
    fn begin_run(&self, kind: &str) -> Result<String, IndexError>;

    /// Notes that a run ended by itself.
    ///
    /// # Errors
    /// See the trait.
    fn end_run(&self, run: &str) -> Result<(), IndexError>;

    /// Runs that began and never ended: killed, or still going.
    ///
    /// # Errors
    /// See the trait.
    fn unfinished_runs(&self) -> Result<Vec<String>, IndexError>;

    /// Runs of kind `plan` that have neither ended nor been dropped: what they wrote is theirs until then.
    ///
    /// # Errors
    /// See the trait.
    fn planned_runs(&self) -> Result<Vec<String>, IndexError>;

    /// Notes a finished unit that is not to be visible yet; the same unit again replaces the note.
    ///
    /// # Errors
    /// See the trait.
    fn stage_unit(&self, unit: &StagedRow) -> Result<(), IndexError>;

    /// Finished units that no commit has taken.
    ///
    /// # Errors
    /// See the trait.
    fn staged_units(&self) -> Result<Vec<StagedRow>, IndexError>;

    /// Forgets staged units; their objects are the caller's to delete.
    ///
    /// # Errors
    /// See the trait.
    fn drop_staged(&self, product: &str, units: &[String]) -> Result<(), IndexError>;

    /// Makes rows lie elsewhere; changes nothing that a reader sees, so there is no snapshot.
    ///
    /// # Errors
    /// [`IndexError::Corrupt`] when a row is not there any more, or a group to be doomed still holds one.
    fn commit_move(&self, commit: &MoveCommit) -> Result<(), IndexError>;

    /// Every group with its size and the times it holds.
    ///
    /// # Errors
    /// See the trait.
    fn groups(&self) -> Result<Vec<GroupRow>, IndexError>;

    /// Lets go of untagged snapshots made before an instant, the latest excepted, and of every row that no kept
    /// snapshot sees; groups that nothing refers to then are doomed. Rasters of `official` products stay.
    ///
    /// # Errors
    /// See the trait.
    fn collect(&self, before: Instant, dry_run: bool) -> Result<Collected, IndexError>;

    /// Prefixes whose objects are to be deleted.
    ///
    /// # Errors
    /// See the trait.
    fn doomed(&self) -> Result<Vec<String>, IndexError>;

    /// Notes that a doomed prefix is deleted.
    ///
    /// # Errors
    /// See the trait.
    fn forget_doomed(&self, prefix: &str) -> Result<(), IndexError>;

    /// Prefixes of every registered group, and of every staged unit.
    ///
    /// # Errors
    /// See the trait.
    fn group_prefixes(&self) -> Result<Vec<String>, IndexError>;

    /// Longitude and latitude bounds, first and last time of a product's scenes.
    ///
    /// # Errors
    /// See the trait.
    fn scenes_extent(
        &self,
        product: &str,
        snapshot: u64,
    ) -> Result<Option<(BoundingBox, Instant, Instant)>, IndexError>;

    /// Makes a batch of scenes visible.
    ///
    /// # Errors
    /// See the trait.
    fn commit_ingest(&self, commit: &IngestCommit) -> Result<u64, IndexError>;

    /// Makes derived rasters visible.
    ///
    /// # Errors
    /// See the trait.
    fn commit_generations(&self, commit: &GenerationCommit) -> Result<u64, IndexError>;

    /// Registers a zone set.
    ///
    /// # Errors
    /// [`IndexError::Duplicate`] when the id is taken.
    fn commit_zone_set(&self, commit: &ZoneSetCommit) -> Result<u64, IndexError>;

    /// Scenes visible at a snapshot, in the query's order.
    ///
    /// # Errors
    /// See the trait.
    fn scenes(&self, query: &SceneQuery, snapshot: u64) -> Result<Vec<SceneRow>, IndexError>;

    /// How many scenes a query matches, whatever its limit and position. Reads every match: dearer than a page.
    ///
    /// # Errors
    /// See the trait.
    fn count_scenes(&self, query: &SceneQuery, snapshot: u64) -> Result<u64, IndexError>;

    /// Solar days of a product's scenes, ascending; of those that meet a lon/lat box, if given.
    ///
    /// # Errors
    /// See the trait.
    fn scene_days(
        &self,
        product: &str,
        bbox: Option<&BoundingBox>,
        snapshot: u64,
    ) -> Result<Vec<SceneDayRow>, IndexError>;

    /// The source description of a scene.
    ///
    /// # Errors
    /// See the trait.
    fn scene_document(&self, scene: i64) -> Result<Option<String>, IndexError>;

    /// Scenes of a slot in fuse order.
    ///
    /// # Errors
    /// See the trait.
    fn slot_scenes(&self, slot: i64) -> Result<Vec<SceneRow>, IndexError>;

    /// Scenes of many slots, each once, by time; `limit` 0 means all.
    ///
    /// # Errors
    /// See the trait.
    fn slots_scenes(&self, slots: &[i64], offset: usize, limit: usize) -> Result<Vec<SceneRow>, IndexError>;

    /// Slots that a scene is in, visible at a snapshot.
    ///
    /// # Errors
    /// See the trait.
    fn scene_slots(&self, scene: i64, snapshot: u64) -> Result<Vec<SlotRow>, IndexError>;

    /// Visible slots of a product that hold a scene which is not visible any more, with that scene's identifier.
    ///
    /// # Errors
    /// See the trait.
    fn outdated_slots(&self, product: &str) -> Result<Vec<(SlotRow, String)>, IndexError>;

    /// Scenes that are archived at a snapshot, by time; of one product, or of all.
    ///
    /// # Errors
    /// See the trait.
    fn archived_scenes(&self, product: Option<&str>, snapshot: u64) -> Result<Vec<ArchivedRow>, IndexError>;

    /// Slots that lie in a group, by position, whichever snapshot sees them.
    ///
    /// # Errors
    /// See the trait.
    fn group_slots(&self, prefix: &str) -> Result<Vec<SlotRow>, IndexError>;

    /// Overviews that lie in a group, by position, each with the snapshot that added it.
    ///
    /// # Errors
    /// See the trait.
    fn group_overviews(&self, prefix: &str) -> Result<Vec<(OverviewRow, u64)>, IndexError>;

    /// The derived raster that lies in a group.
    ///
    /// # Errors
    /// See the trait.
    fn group_generation(&self, prefix: &str) -> Result<Option<GenerationRow>, IndexError>;

    /// A slot by its row id, as long as its pixels are kept.
    ///
    /// # Errors
    /// See the trait.
    fn slot(&self, id: i64) -> Result<Option<SlotRow>, IndexError>;

    /// A derived raster by its row id.
    ///
    /// # Errors
    /// See the trait.
    fn generation(&self, id: i64) -> Result<Option<GenerationRow>, IndexError>;

    /// Takes a group that holds nothing out of the index; its objects are doomed.
    ///
    /// # Errors
    /// [`IndexError::Corrupt`] when rows still lie in it.
    fn doom_group(&self, prefix: &str) -> Result<(), IndexError>;

    /// Notes that a derived raster is to be made again.
    ///
    /// # Errors
    /// See the trait.
    fn mark_stale(&self, generation: i64) -> Result<(), IndexError>;

    /// Slots of a product, by time then platform; of one tile, or of all.
    ///
    /// # Errors
    /// See the trait.
    fn slots(
        &self,
        product: &str,
        tile: Option<TileId>,
        time: &Period,
        snapshot: u64,
    ) -> Result<Vec<SlotRow>, IndexError>;

    /// Tiles of a product that hold slots.
    ///
    /// # Errors
    /// See the trait.
    fn slot_tiles(&self, product: &str, snapshot: u64) -> Result<Vec<TileId>, IndexError>;

    /// Distinct (solar day, platform, first time) of a product, by time.
    ///
    /// # Errors
    /// See the trait.
    fn slot_days(&self, product: &str, snapshot: u64) -> Result<Vec<(String, String, Instant)>, IndexError>;

    /// The first (solar day, platform, time) in an order that has a slot within a time; of one solar day, if named.
    ///
    /// # Errors
    /// See the trait.
    fn slot_day(
        &self,
        product: &str,
        time: &Period,
        solar_day: Option<&str>,
        order: SceneOrder,
        snapshot: u64,
    ) -> Result<Option<(String, String, Instant)>, IndexError>;

    /// Grid-wide overviews of a product, by time.
    ///
    /// # Errors
    /// See the trait.
    fn overviews(&self, product: &str, time: &Period, snapshot: u64) -> Result<Vec<OverviewRow>, IndexError>;

    /// Rasters of a derived product, by period.
    ///
    /// # Errors
    /// See the trait.
    fn generations(&self, product: &str, snapshot: u64) -> Result<Vec<GenerationRow>, IndexError>;

    /// Slot ids a generation was made from.
    ///
    /// # Errors
    /// See the trait.
    fn generation_slots(&self, generation: i64) -> Result<Vec<i64>, IndexError>;

    /// Generation ids a generation was made from.
    ///
    /// # Errors
    /// See the trait.
    fn generation_sources(&self, generation: i64) -> Result<Vec<i64>, IndexError>;

    /// Derived periods whose inputs changed.
    ///
    /// # Errors
    /// See the trait.
    fn stale(&self) -> Result<Vec<StaleRow>, IndexError>;

    /// Every object of every group.
    ///
    /// # Errors
    /// See the trait.
    fn objects(&self) -> Result<Vec<ObjectRow>, IndexError>;

    /// Every object of one group, by key.
    ///
    /// # Errors
    /// See the trait.
    fn group_objects(&self, prefix: &str) -> Result<Vec<ObjectRow>, IndexError>;

    /// Whether some group has an object of that key: then it must be in the store.
    ///
    /// # Errors
    /// See the trait.
    fn has_object(&self, key: &str) -> Result<bool, IndexError>;

    /// What contradicts itself inside the index, each as one sentence: rows that point at nothing, slots without
    /// place or scenes, scenes without slots.
    ///
    /// # Errors
    /// See the trait.
    fn contradictions(&self) -> Result<Vec<String>, IndexError>;

    /// Slots and overviews of every snapshot, for `check`: product, group prefix, position, time, solar day.
    ///
    /// # Errors
    /// See the trait.
    fn all_positions(&self) -> Result<Vec<PositionRow>, IndexError>;

    /// Notes a refused scene; the same path again replaces the note.
    ///
    /// # Errors
    /// See the trait.
    fn put_quarantine(&self, product: &str, path: &str, code: &str, reason: &str) -> Result<(), IndexError>;

    /// Forgets a refusal, when the scene went in after all.
    ///
    /// # Errors
    /// See the trait.
    fn clear_quarantine(&self, product: &str, path: &str) -> Result<(), IndexError>;

    /// Refused scenes, newest first.
    ///
    /// # Errors
    /// See the trait.
    fn quarantine(&self) -> Result<Vec<QuarantineRow>, IndexError>;

    /// Zone sets, by id.
    ///
    /// # Errors
    /// See the trait.
    fn zone_sets(&self) -> Result<Vec<ZoneSetRow>, IndexError>;

    /// Zones of a set in key order, meeting a lon/lat box if given; with the number matched.
    ///
    /// # Errors
    /// See the trait.
    fn zones(
        &self,
        set: &str,
        bbox: Option<&BoundingBox>,
        offset: usize,
        limit: usize,
    ) -> Result<(u64, Vec<ZoneRow>), IndexError>;

    /// One zone by key.
    ///
    /// # Errors
    /// See the trait.
    fn zone(&self, set: &str, key: &str) -> Result<Option<ZoneRow>, IndexError>;

    /// Ordinals and keys of a set, in order.
    ///
    /// # Errors
    /// See the trait.
    fn zone_keys(&self, set: &str) -> Result<Vec<String>, IndexError>;

    /// Encoded coverage of a set on a grid, by tile.
    ///
    /// # Errors
    /// See the trait.
    fn zone_coverage(&self, set: &str, grid: &str) -> Result<Vec<(TileId, Vec<u8>)>, IndexError>;
}
