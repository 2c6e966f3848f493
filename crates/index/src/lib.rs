//! What exists where and when: products, scenes, slots, derived rasters, zones and snapshots.
//!
//! One [`Index`] trait; [`SqliteIndex`] is the embedded backend. Every commit is one transaction that takes
//! the next snapshot number; readers ask at a snapshot and never see a mixture.

mod commit;
mod error;
mod lock;
mod rows;
mod sqlite;
mod traits;

pub use commit::{
    ArchivedScene, GenerationCommit, GroupKind, IngestCommit, MoveCommit, NewGeneration, NewGroup, NewObject,
    NewOverview, NewScene, NewSlot, NewZone, NewZoneSet, SceneChange, ZoneSetCommit,
};
pub use error::IndexError;
pub use lock::{LockHolder, WriterLock};
pub use rows::{
    ArchivedRow, Collected, GenerationRow, GroupRow, ObjectRow, OverviewRow, PositionRow, ProductKind,
    ProductRow, QuarantineRow, SceneDayRow, SceneOrder, ScenePosition, SceneQuery, SceneRow, SlotRow,
    SnapshotRow, StagedRow, StaleRow, TagRow, ZoneRow, ZoneSetRow,
};
pub use sqlite::SqliteIndex;
pub use traits::Index;
