//! The assembled view: one product of one snapshot as one Zarr v3 group, with all its dates and tiles.
//!
//! | module | idea |
//! |---|---|
//! | [`build`] | which arrays there are, over which dates and pixels |
//! | [`key`] | what a client's key names |
//! | [`read`] | the bytes of a key |
//! | [`export`] | the same as a directory |
//!
//! Axes are `(time, y, x)`: time is periods, or solar days and platforms; y and x cover the tiles of all of them. A
//! chunk lies in one tile and one date. A derived product's objects are the stored ones, byte for byte; a scenes
//! product's chunks are read and encoded when they are asked for, so that it does not matter whether a slot lies in an
//! object of its own or in an archive block.
//!
//! A view never changes: it is of one snapshot.

mod build;
mod export;
mod key;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use tesela_grid::PixelWindow;
use tesela_index::GenerationRow;
use tesela_store::{ArraySpec, GroupSpec};

use crate::catalog::Product;
use crate::cube::DayRow;

pub use export::ViewExport;
pub use read::ViewObject;

/// One product of one snapshot as a Zarr v3 group.
pub struct View {
    product: Arc<Product>,
    snapshot: u64,
    /// Metadata and coordinates, by key.
    documents: BTreeMap<String, Arc<[u8]>>,
    /// Data arrays, by path inside the group.
    arrays: BTreeMap<String, ViewArray>,
    group: GroupSpec,
    source: Source,
    /// Names the documents, and the program that wrote them.
    digest: blake3::Hash,
}

/// A data array.
struct ViewArray {
    /// The band's place in the product.
    band: usize,
    level: u32,
    /// Pixels of the level.
    window: PixelWindow,
    spec: ArraySpec,
    /// Shape of what one key names.
    chunk: [u64; 3],
}

/// Where pixels come from; each has one item a date.
enum Source {
    /// Stored objects as they are.
    Objects(Arc<Vec<GenerationRow>>),
    /// Rasters of periods, read and encoded anew.
    Generations(Arc<Vec<GenerationRow>>),
    /// Slots, read and encoded anew.
    Days(Arc<Vec<DayRow>>),
}

impl View {
    /// The snapshot.
    pub fn snapshot(&self) -> u64 {
        self.snapshot
    }

    /// The product.
    pub fn product(&self) -> &str {
        &self.product.id
    }

    /// A validator of what lies under a key: equal texts mean equal bytes. Names the snapshot.
    pub fn tag(&self, key: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.digest.as_bytes());
        hasher.update(key.as_bytes());
        format!("{}-{}", self.snapshot, &hasher.finalize().to_hex()[..16])
    }
}
