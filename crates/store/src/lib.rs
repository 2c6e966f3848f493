//! Pixels at rest: the only crate that knows Zarr.
//!
//! | module | idea |
//! |---|---|
//! | `objects` | named immutable byte strings: local files, memory, a counting wrapper |
//! | `key` | their names |
//! | `pixels`, `codec`, `shard` | values, compressed chunks, and the shards they lie in |
//! | `spec`, `metadata`, `group` | what a group is, and the documents that say so to any Zarr reader |
//! | `writer`, `reader` | one shard from windows; windows and stacks from shards, through caches |
//! | `scan` | every stored chunk once, for those who look at all pixels |
//! | `facts` | what is known of a group's chunks without decoding them |
//! | `presented` | a group that was never written: its documents, and its chunks made when asked for |
//! | `memory` | what the allocator is told |
//! | `store` | all of it together |
//!
//! Rules, everywhere in this crate:
//! - axes are `(time, y, x)`, row-major; rows go south, so row 0 is the northernmost;
//! - values are as stored: scale and offset are recorded, never applied;
//! - **nodata is the array's fill**: never written, it costs nothing, and reading what is not stored, or
//!   lies outside the array, gives fill;
//! - objects are immutable: a put never replaces, nothing is appended inside a shard;
//! - the layout is plain Zarr v3 (`sharding_indexed`, index at the end with crc32c; `bytes`, `blosc`, then `crc32c`),
//!   with consolidated metadata, CF and GeoZarr attributes, so that xarray, GDAL and zarrs read it as it lies.

mod array;
mod codec;
mod error;
mod facts;
mod group;
mod key;
mod memory;
mod metadata;
mod objects;
mod pixels;
mod presented;
mod reader;
mod scan;
mod shard;
mod spec;
mod store;
mod writer;

pub use array::ArrayRef;
pub use codec::Codec;
pub use error::StoreError;
pub use facts::{FactsRef, FactsSpec};
pub use key::ObjectKey;
pub use memory::{Kept, keep_freed_memory};
pub use objects::{
    ByteRange, CountingObjects, Leftover, LocalObjects, MemoryObjects, ObjectInfo, ObjectRequest, Objects,
    Requests, Staged,
};
pub use pixels::Pixels;
pub use presented::{Chunking, PresentedGroup, TimeCoordinate};
pub use reader::{Slice, Window};
pub use spec::{ArraySpec, GroupSpec, LevelSpec};
pub use store::{Store, StoreOptions};
pub use writer::{EncodedChunk, ShardWriter};
