//! What commits take. Each becomes one transaction and one snapshot.

use serde::{Deserialize, Serialize};
use tesela_grid::{BoundingBox, TileId};
use tesela_model::{Instant, Period};

/// A Zarr group that now exists in the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewGroup {
    /// Prefix in the store.
    pub prefix: String,
    /// Whether it is an archive block of slots.
    #[serde(default)]
    pub archive: bool,
    /// Every object under it.
    pub objects: Vec<NewObject>,
}

/// An object written by a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewObject {
    /// Key in the store.
    pub key: String,
    /// Size.
    pub bytes: u64,
    /// blake3, hex.
    pub digest: String,
}

/// A scene to register.
#[derive(Debug, Clone)]
pub struct NewScene {
    /// See [`crate::SceneRow`].
    pub scene_key: String,
    /// Full identifier.
    pub product_id: String,
    /// Platform.
    pub platform: String,
    /// WRS-2 path.
    pub wrs_path: u16,
    /// WRS-2 row.
    pub wrs_row: u16,
    /// Scene centre time.
    pub acquired: Instant,
    /// ISO date.
    pub solar_day: String,
    /// ISO date.
    pub processed: Option<String>,
    /// Tier.
    pub tier: Option<String>,
    /// Per cent.
    pub cloud_cover: Option<f64>,
    /// Longitude and latitude bounds.
    pub bbox: BoundingBox,
    /// Generated, not observed.
    pub synthetic: bool,
    /// Whole source description, JSON.
    pub document: String,
}

/// A slot whose pixels are in the store.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewSlot {
    /// Tile.
    pub tile: TileId,
    /// ISO date.
    pub solar_day: String,
    /// Time of the first scene.
    pub time: Instant,
    /// Platform.
    pub platform: String,
    /// Group prefix, one of the commit's groups.
    pub prefix: String,
    /// Index on the group's time axis.
    pub position: u64,
    /// Product ids of its scenes, in fuse order.
    pub scenes: Vec<String>,
}

/// A grid-wide overview whose pixels are in the store.
#[derive(Debug, Clone)]
pub struct NewOverview {
    /// ISO date.
    pub solar_day: String,
    /// Time of the first scene.
    pub time: Instant,
    /// Platform.
    pub platform: String,
    /// Group prefix, one of the commit's groups.
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

/// Why the scenes of a product change: the kind of the snapshot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SceneChange {
    /// Scenes came in.
    #[default]
    Ingest,
    /// Scenes were taken out by the operator.
    Archive,
    /// Archived scenes came back.
    Restore,
    /// Slots were made again from sources that differ from what they were.
    Repair,
}

impl SceneChange {
    /// The kind of the snapshot.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Archive => "archive",
            Self::Restore => "restore",
            Self::Repair => "repair",
        }
    }
}

/// A scene that the operator takes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedScene {
    /// Row id of the scene.
    pub scene: i64,
    /// Why, in the operator's words.
    pub reason: String,
}

/// One batch of ingested scenes, closed over their tiles.
#[derive(Debug, Clone, Default)]
pub struct IngestCommit {
    /// Why.
    pub change: SceneChange,
    /// Product.
    pub product: String,
    /// Run that wrote the objects.
    pub run: String,
    /// Scenes to add; an older scene with the same key is retired.
    pub scenes: Vec<NewScene>,
    /// Groups of slots.
    pub slot_groups: Vec<NewGroup>,
    /// Slots; an older revision of the same slot is retired.
    pub slots: Vec<NewSlot>,
    /// Groups of overviews.
    pub overview_groups: Vec<NewGroup>,
    /// Overviews; an older one of the same day and platform is retired.
    pub overviews: Vec<NewOverview>,
    /// Scenes to take out: retired, and kept out of later ingests.
    pub archived: Vec<ArchivedScene>,
    /// Archived scenes that come back: [`ArchivedRow::id`](crate::ArchivedRow).
    pub restored: Vec<i64>,
    /// Slots that go, none taking their place.
    pub emptied: Vec<i64>,
    /// Solar days and platforms without a slot now: their overviews go.
    pub emptied_days: Vec<(String, String)>,
    /// Staged units that this makes visible: [`StagedRow::unit`](crate::StagedRow).
    pub staged: Vec<String>,
    /// What it did, JSON.
    pub summary: String,
}

/// What a group of the store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupKind {
    /// Slots of one tile.
    Slots,
    /// Grid-wide overviews.
    Overviews,
    /// One derived raster.
    Generation,
}

impl GroupKind {
    /// As the index has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slots => "slots",
            Self::Overviews => "overviews",
            Self::Generation => "generation",
        }
    }
}

/// What now lies elsewhere: a compaction, a repair. No snapshot, nothing changes but the place.
#[derive(Debug, Clone)]
pub struct MoveCommit {
    /// Product.
    pub product: String,
    /// Run that wrote the objects.
    pub run: String,
    /// What moves.
    pub kind: GroupKind,
    /// The group that holds it now.
    pub group: NewGroup,
    /// Row ids of what moves, with positions on the group's time axis.
    pub rows: Vec<(i64, u64)>,
    /// Prefixes of groups that hold nothing after this and that nobody is to read again: their objects are doomed.
    pub doomed: Vec<String>,
}

/// A derived raster whose pixels are in the store.
#[derive(Debug, Clone)]
pub struct NewGeneration {
    /// Time span.
    pub period: Period,
    /// Its group.
    pub group: NewGroup,
    /// South-western tile.
    pub tile_min: TileId,
    /// One past the north-eastern tile.
    pub tile_end: TileId,
    /// How it was made, JSON.
    pub provenance: String,
    /// Slots it was made from.
    pub slots: Vec<i64>,
    /// Generations it was made from.
    pub sources: Vec<i64>,
}

/// New rasters of one derived product.
#[derive(Debug, Clone, Default)]
pub struct GenerationCommit {
    /// Derived product.
    pub product: String,
    /// Run that wrote the objects.
    pub run: String,
    /// Rasters; an older one of the same period is retired and its stale marks are cleared.
    pub generations: Vec<NewGeneration>,
    /// Row ids of rasters that go, because nothing is left to make them from.
    pub withdrawn: Vec<i64>,
    /// What it did, JSON.
    pub summary: String,
}

/// A zone to register.
#[derive(Debug, Clone)]
pub struct NewZone {
    /// Key.
    pub key: String,
    /// Attributes, JSON object.
    pub properties: String,
    /// GeoJSON geometry, longitude and latitude.
    pub geometry: String,
    /// True area, m².
    pub area_m2: f64,
    /// Longitude and latitude bounds.
    pub bbox: BoundingBox,
}

/// A zone set to register.
#[derive(Debug, Clone)]
pub struct NewZoneSet {
    /// `manzanas@2020`.
    pub id: String,
    /// Titles by language, JSON.
    pub title: String,
    /// Edition.
    pub edition: Option<String>,
    /// Key attribute.
    pub key_field: String,
    /// Where it was read from.
    pub source: String,
    /// Generated, not real.
    pub synthetic: bool,
    /// What was repaired, JSON.
    pub report: String,
    /// Zones in key order.
    pub zones: Vec<NewZone>,
}

/// A zone set with its coverage on the cube's grids.
#[derive(Debug, Clone)]
pub struct ZoneSetCommit {
    /// The set.
    pub set: NewZoneSet,
    /// Encoded coverage by grid and tile.
    pub coverage: Vec<(String, TileId, Vec<u8>)>,
}
