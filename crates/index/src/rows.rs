//! What reads return.

use serde::{Deserialize, Serialize};
use tesela_grid::{BoundingBox, TileId};
use tesela_model::{Instant, Period};

/// Whether a product holds scenes or computed rasters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProductKind {
    /// Slots of scenes.
    Scenes,
    /// One raster a period.
    Derived,
}

/// A registered product.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductRow {
    /// Identifier.
    pub id: String,
    /// Kind.
    pub kind: ProductKind,
    /// Grid id.
    pub grid: String,
    /// `ProductDef` or `RecipeDef` as JSON.
    pub definition: String,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotRow {
    /// Number, from 1.
    pub n: u64,
    /// When, seconds since 1970.
    pub created: Instant,
    /// `ingest`, `compute`, `zones`, `archive`, `restore`, `repair`.
    pub kind: String,
    /// What it did, JSON.
    pub summary: String,
    /// When `gc` let it go: it cannot be read any more.
    pub expired: Option<Instant>,
    /// Its names.
    pub tags: Vec<String>,
}

/// A scene as registered.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneRow {
    /// Row id.
    pub id: i64,
    /// Product.
    pub product: String,
    /// Sensor, path, row and date: what reprocessing keeps.
    pub scene_key: String,
    /// Full USGS identifier, or the stack's name.
    pub product_id: String,
    /// `landsat-8`.
    pub platform: String,
    /// WRS-2 path.
    pub wrs_path: u16,
    /// WRS-2 row.
    pub wrs_row: u16,
    /// Scene centre time.
    pub acquired: Instant,
    /// ISO date of the solar day.
    pub solar_day: String,
    /// ISO date of processing.
    pub processed: Option<String>,
    /// `T1`, `T2`, `RT`.
    pub tier: Option<String>,
    /// Per cent.
    pub cloud_cover: Option<f64>,
    /// Longitude and latitude bounds.
    pub bbox: BoundingBox,
    /// Whether the scene is generated, not observed.
    pub synthetic: bool,
    /// Snapshot that added it.
    pub added: u64,
}

/// A scene that the operator took out.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivedRow {
    /// Row id.
    pub id: i64,
    /// Product.
    pub product: String,
    /// Row id that the scene had; `gc` may have let it go since.
    pub scene: i64,
    /// Sensor, path, row and date: what reprocessing keeps.
    pub scene_key: String,
    /// Full USGS identifier, or the stack's name.
    pub product_id: String,
    /// `landsat-8`.
    pub platform: String,
    /// WRS-2 path.
    pub wrs_path: u16,
    /// WRS-2 row.
    pub wrs_row: u16,
    /// Scene centre time.
    pub acquired: Instant,
    /// ISO date of processing.
    pub processed: Option<String>,
    /// Whole source description, JSON.
    pub document: String,
    /// Why, in the operator's words.
    pub reason: String,
    /// When.
    pub noted: Instant,
    /// Snapshot that archived it.
    pub added: u64,
}

/// Which scenes to list. Everything given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SceneQuery {
    /// Only this product.
    pub product: Option<String>,
    /// Only the scene of this full identifier.
    pub id: Option<String>,
    /// Only these platforms; none means all.
    pub platforms: Vec<String>,
    /// Only within this time.
    pub time: Option<Period>,
    /// Only meeting this lon/lat box; west above east is a box across the antimeridian.
    pub bbox: Option<BoundingBox>,
    /// Only this WRS-2 path.
    pub wrs_path: Option<u16>,
    /// Only this WRS-2 row.
    pub wrs_row: Option<u16>,
    /// Only scenes known to be at most so cloudy, per cent.
    pub cloud_cover_max: Option<f64>,
    /// Order of the answer, and of its pages.
    pub order: SceneOrder,
    /// Only what follows this position in the order: the last scene of the page before.
    pub after: Option<ScenePosition>,
    /// Most rows; 0 means all.
    pub limit: usize,
}

/// Order of scenes: by time, then by row id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SceneOrder {
    /// Oldest first.
    #[default]
    OldestFirst,
    /// Newest first.
    NewestFirst,
}

/// Where a scene stands in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenePosition {
    /// Scene centre time.
    pub acquired: Instant,
    /// Row id.
    pub id: i64,
}

impl SceneRow {
    /// Where the scene stands: the `after` of the next page.
    pub fn position(&self) -> ScenePosition {
        ScenePosition { acquired: self.acquired, id: self.id }
    }
}

/// The scenes of one solar day.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneDayRow {
    /// ISO date.
    pub solar_day: String,
    /// Platform of its first scene.
    pub platform: String,
    /// Mean cloud cover of its scenes, per cent; `None` when none says.
    pub cloud_cover: Option<f64>,
}

/// What scenes contribute to a tile on a solar day, and where its pixels lie.
#[derive(Debug, Clone, PartialEq)]
pub struct SlotRow {
    /// Row id.
    pub id: i64,
    /// Tile.
    pub tile: TileId,
    /// ISO date of the solar day.
    pub solar_day: String,
    /// Time of the first scene.
    pub time: Instant,
    /// Platform.
    pub platform: String,
    /// Counts up when the slot's scenes change.
    pub revision: u32,
    /// Group prefix in the store.
    pub prefix: String,
    /// Index on the group's time axis.
    pub position: u64,
    /// Whether the group is an archive block.
    pub archive: bool,
}

/// A grid-wide overview of one solar day and platform.
#[derive(Debug, Clone, PartialEq)]
pub struct OverviewRow {
    /// Row id.
    pub id: i64,
    /// ISO date of the solar day.
    pub solar_day: String,
    /// Time of the first scene.
    pub time: Instant,
    /// Platform.
    pub platform: String,
    /// Group prefix in the store.
    pub prefix: String,
    /// Index on the group's time axis.
    pub position: u64,
    /// Digest of the slots it was made from.
    pub slots_digest: String,
    /// South-western tile of its group.
    pub tile_min: TileId,
    /// One past the north-eastern tile of its group.
    pub tile_end: TileId,
}

/// A derived raster of one period.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationRow {
    /// Row id.
    pub id: i64,
    /// Product.
    pub product: String,
    /// Time span.
    pub period: Period,
    /// Group prefix in the store.
    pub prefix: String,
    /// South-western tile.
    pub tile_min: TileId,
    /// One past the north-eastern tile.
    pub tile_end: TileId,
    /// How it was made, JSON.
    pub provenance: String,
    /// Snapshot that added it.
    pub added: u64,
}

/// An object that some group owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRow {
    /// Key in the store.
    pub key: String,
    /// Size.
    pub bytes: u64,
    /// blake3, hex.
    pub digest: String,
    /// The owning group's prefix.
    pub prefix: String,
}

/// A derived period and tile whose inputs changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StaleRow {
    /// Derived product.
    pub product: String,
    /// Start of the period.
    pub period_start: Instant,
    /// Tile.
    pub tile: TileId,
    /// Snapshot that made it stale.
    pub since: u64,
}

/// A finished unit of work that no commit has made visible yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedRow {
    /// Product.
    pub product: String,
    /// Name of what it was made from.
    pub unit: String,
    /// Its group's prefix in the store.
    pub prefix: String,
    /// What it became, JSON.
    pub result: String,
}

/// A name that keeps a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TagRow {
    /// The name.
    pub name: String,
    /// The snapshot.
    pub snapshot: u64,
    /// Why, in the operator's words.
    pub note: String,
    /// When it was given.
    pub created: Instant,
}

/// A group of slots, for `compact`, `gc` and `info --usage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupRow {
    /// Product.
    pub product: String,
    /// `slots`, `overviews` or `generation`.
    pub kind: String,
    /// Prefix in the store.
    pub prefix: String,
    /// Whether it is an archive block.
    pub archive: bool,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// First and last time it holds.
    pub first: Option<Instant>,
    /// See `first`.
    pub last: Option<Instant>,
}

/// What a collection of garbage took out of the index; the store can let go of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Snapshots that expired now.
    pub expired: Vec<u64>,
    /// Prefixes of groups that nothing refers to any more.
    pub prefixes: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
    /// Scene rows removed.
    pub scenes: u64,
    /// Slot rows removed.
    pub slots: u64,
    /// Derived rasters removed.
    pub generations: u64,
}

/// A scene that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantineRow {
    /// Row id.
    pub id: i64,
    /// Product it was meant for.
    pub product: String,
    /// Source path.
    pub path: String,
    /// Stable code of the reason.
    pub code: String,
    /// The reason in words.
    pub reason: String,
    /// When, seconds since 1970.
    pub noted: Instant,
}

/// A registered polygon layer.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneSetRow {
    /// `manzanas@2020`.
    pub id: String,
    /// Titles by language, JSON.
    pub title: String,
    /// Edition.
    pub edition: Option<String>,
    /// Name of the key attribute.
    pub key_field: String,
    /// Number of zones.
    pub zones: u64,
    /// Longitude and latitude bounds.
    pub bbox: BoundingBox,
    /// Whether the layer is generated, not real.
    pub synthetic: bool,
    /// What was repaired on the way in, JSON.
    pub report: String,
    /// Snapshot that added it.
    pub added: u64,
}

/// One polygon.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneRow {
    /// Position in key order.
    pub ordinal: u32,
    /// Key, a string always.
    pub key: String,
    /// Attributes, JSON object.
    pub properties: String,
    /// GeoJSON geometry, longitude and latitude.
    pub geometry: String,
    /// True (geodesic) area, m².
    pub area_m2: f64,
}

/// A place on a group's time axis that the index knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionRow {
    /// `slots`, `overviews` or `generation`.
    pub kind: String,
    /// Product.
    pub product: String,
    /// Group prefix in the store.
    pub prefix: String,
    /// Index on the group's time axis; `None` when the index has lost every row of the group.
    pub position: Option<u64>,
    /// Time in the index.
    pub time: Option<Instant>,
    /// Solar day in the index; empty for generations.
    pub solar_day: String,
}
