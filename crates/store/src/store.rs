use std::path::Path;
use std::sync::Arc;

use moka::sync::Cache;
use serde_json::Value;

use crate::codec::decode_coordinate;
use crate::facts::is_facts;
use crate::metadata::parse_array;
use crate::objects::{LocalObjects, MemoryObjects, ObjectInfo, Objects, Staged};
use crate::shard::ShardIndex;
use crate::{ArrayRef, GroupSpec, ObjectKey, ShardWriter, StoreError};

/// What a cache entry costs beside its bytes: key, counters, the allocator.
const ENTRY_OVERHEAD: usize = 200;

/// Sizes of a store's caches, and how careful it is.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// Decoded inner chunks kept, bytes. 0 keeps none: right for a batch run that reads every shard once.
    pub chunk_cache_bytes: u64,
    /// Shard indexes kept, bytes.
    pub index_cache_bytes: u64,
    /// Opened arrays kept.
    pub open_arrays: u64,
    /// Files kept open (local disk only); mind `ulimit -n`.
    pub open_files: u64,
    /// Ranges of one shard closer than this are read by one request, bytes.
    pub merge_gap_bytes: u64,
    /// Whether a shard found missing is remembered as all fill. Right wherever arrays are read only after
    /// their commit; this process's own writes are seen either way.
    pub remember_missing: bool,
    /// Whether a shard found missing is taken for fill only while its array's metadata is there. Right where groups
    /// are deleted beside readers, metadata first: then a deleted group is an error, never fill.
    pub verify_missing: bool,
    /// Whether puts survive a power loss. Off leaves out every fsync: scratch stores only.
    pub durable: bool,
}

impl Default for StoreOptions {
    /// 512 MiB of chunks, 64 MiB of indexes, durable.
    fn default() -> Self {
        Self {
            chunk_cache_bytes: 512 << 20,
            index_cache_bytes: 64 << 20,
            open_arrays: 20_000,
            open_files: 256,
            merge_gap_bytes: 32 << 10,
            remember_missing: true,
            verify_missing: false,
            durable: true,
        }
    }
}

/// A cached inner chunk's name.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct ChunkName {
    pub(crate) object: ObjectKey,
    pub(crate) inner: u32,
}

/// What is known of a shard.
#[derive(Clone)]
pub(crate) enum ShardState {
    /// It is not there: all fill.
    Missing,
    /// It is, and its chunks lie here.
    Present(Arc<ShardIndex>),
}

/// Pixels at rest: groups of sharded arrays over an object store. Cheap to clone, shared by threads.
///
/// Nothing here runs in parallel by itself: callers do, so that requests and units are the parallelism.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    objects: Arc<dyn Objects>,
    options: StoreOptions,
    chunks: Cache<ChunkName, Arc<Vec<u8>>>,
    indexes: Cache<ObjectKey, ShardState>,
    arrays: Cache<ObjectKey, ArrayRef>,
}

impl Store {
    /// A store in a local directory, made if need be.
    /// # Errors
    /// [`StoreError::Io`].
    pub fn open_local(root: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let objects = LocalObjects::open(root, options.open_files, options.durable)?;
        Ok(Self::with_objects(Arc::new(objects), options))
    }

    /// An empty store in memory.
    pub fn in_memory() -> Self {
        Self::with_objects(Arc::new(MemoryObjects::new()), &StoreOptions::default())
    }

    /// A store over any objects.
    pub fn with_objects(objects: Arc<dyn Objects>, options: &StoreOptions) -> Self {
        let weight = |bytes: usize| u32::try_from(bytes + ENTRY_OVERHEAD).unwrap_or(u32::MAX);
        Self(Arc::new(Inner {
            objects,
            options: options.clone(),
            chunks: Cache::builder()
                .max_capacity(options.chunk_cache_bytes)
                .weigher(move |_, bytes: &Arc<Vec<u8>>| weight(bytes.len()))
                .build(),
            indexes: Cache::builder()
                .max_capacity(options.index_cache_bytes)
                .weigher(move |_, state| match state {
                    ShardState::Missing => weight(0),
                    ShardState::Present(index) => weight(index.weight()),
                })
                .build(),
            arrays: Cache::new(options.open_arrays),
        }))
    }

    /// The objects underneath: for copies, sweeps and whatever is no array.
    pub fn objects(&self) -> &Arc<dyn Objects> {
        &self.0.objects
    }

    pub(crate) fn options(&self) -> &StoreOptions {
        &self.0.options
    }

    pub(crate) fn chunks(&self) -> &Cache<ChunkName, Arc<Vec<u8>>> {
        &self.0.chunks
    }

    pub(crate) fn indexes(&self) -> &Cache<ObjectKey, ShardState> {
        &self.0.indexes
    }

    /// Bytes the caches of chunks and indexes hold now, about.
    pub fn cached_bytes(&self) -> (u64, u64) {
        (self.0.chunks.weighted_size(), self.0.indexes.weighted_size())
    }

    /// Writes everything of a group but its shards: metadata (consolidated as well), and the coordinates
    /// `time`, `y`, `x` and `spatial_ref` of every level. May be repeated with the same specification.
    ///
    /// Returns the objects in the order written.
    /// # Errors
    /// [`StoreError::InvalidSpec`]; [`StoreError::ObjectExists`] when a different group lies there;
    /// [`StoreError::Io`].
    pub fn write_group(&self, spec: &GroupSpec) -> Result<Vec<ObjectInfo>, StoreError> {
        let documents = spec.documents()?;
        documents.iter().map(|(key, bytes)| self.put_object(key, bytes)).collect()
    }

    /// Puts an object; one that is there already with the same bytes is as good. So an interrupted unit
    /// can be redone over what it left.
    /// # Errors
    /// [`StoreError::ObjectExists`] when the key holds other bytes; [`StoreError::Io`].
    pub fn put_object(&self, key: &ObjectKey, bytes: &[u8]) -> Result<ObjectInfo, StoreError> {
        let info = ObjectInfo::of(key, bytes);
        match self.0.objects.put(key, bytes) {
            Ok(()) => {}
            Err(StoreError::ObjectExists { .. }) if self.digest(key)?.as_ref() == Some(&info) => {}
            Err(e) => return Err(e),
        }
        self.0.indexes.invalidate(key);
        Ok(info)
    }

    /// Puts what was staged, as [`Store::put_object`] does.
    pub(crate) fn put_staged(&self, info: ObjectInfo, staged: Staged) -> Result<ObjectInfo, StoreError> {
        match self.0.objects.put_staged(&info.key, staged) {
            Ok(()) => {}
            Err(StoreError::ObjectExists { .. }) if self.digest(&info.key)?.as_ref() == Some(&info) => {}
            Err(e) => return Err(e),
        }
        self.0.indexes.invalidate(&info.key);
        Ok(info)
    }

    /// A writer of one shard of an array, by the shard's index `[t, y, x]`.
    /// # Errors
    /// [`StoreError::OutOfBounds`] for a shard the array has not; [`StoreError::Metadata`] for an array
    /// written by others with a codec that is not ours.
    pub fn shard_writer(&self, array: &ArrayRef, shard: [u64; 3]) -> Result<ShardWriter, StoreError> {
        ShardWriter::new(self.clone(), array.clone(), shard)
    }

    /// The array `name` of the group at `prefix`. One request the first time, none afterwards.
    /// # Errors
    /// [`StoreError::NodeMissing`]; [`StoreError::Metadata`] when it is no sharded `(time, y, x)` array of
    /// a supported type and codec; [`StoreError::Io`].
    pub fn open_array(&self, prefix: &ObjectKey, name: &str) -> Result<ArrayRef, StoreError> {
        let path = prefix.join(name)?;
        if let Some(array) = self.0.arrays.get(&path) {
            return Ok(array);
        }
        let array = parse_array(&path.join("zarr.json")?, path.clone(), &self.document("array", &path)?)?;
        self.0.arrays.insert(path, array.clone());
        Ok(array)
    }

    /// Every data array of the group at `prefix`, over all levels, in name order. One request in all, by
    /// the consolidated metadata; [`Store::open_array`] then needs none.
    /// # Errors
    /// As [`Store::open_array`], and [`StoreError::Metadata`] when the group is not consolidated.
    pub fn open_group(&self, prefix: &ObjectKey) -> Result<Vec<ArrayRef>, StoreError> {
        let object = prefix.join("zarr.json")?;
        let document = self.document("group", prefix)?;
        let nodes = document.pointer("/consolidated_metadata/metadata").and_then(Value::as_object);
        let Some(nodes) = nodes else {
            return Err(StoreError::Metadata { object, reason: "no consolidated metadata".to_owned() });
        };
        let mut arrays = Vec::new();
        for (name, node) in nodes {
            let sharded = node.pointer("/codecs/0/name").is_some_and(|codec| codec == "sharding_indexed");
            if sharded && !is_facts(name) {
                let path = prefix.join(name)?;
                let array = parse_array(&object, path.clone(), node)?;
                self.0.arrays.insert(path, array.clone());
                arrays.push(array);
            }
        }
        arrays.sort_by(|a, b| a.path().cmp(b.path()));
        Ok(arrays)
    }

    /// The time axis of the group at `prefix`, seconds since 1970 UTC, read from its one chunk; `None` when that
    /// is missing.
    /// # Errors
    /// [`StoreError::Corrupt`] when it does not decode to whole instants; [`StoreError::Io`].
    pub fn times(&self, prefix: &ObjectKey) -> Result<Option<Vec<i64>>, StoreError> {
        let array = prefix.join("time")?;
        let object = array.join("c/0")?;
        let Some(bytes) = self.0.objects.get(&object)? else { return Ok(None) };
        let decoded = decode_coordinate(&bytes).map_err(|reason| StoreError::Corrupt {
            array: array.to_string(),
            chunk: [0; 3],
            object,
            reason,
        })?;
        Ok(Some(decoded.into_iter().map(i64::from_le_bytes).collect()))
    }

    fn document(&self, what: &'static str, path: &ObjectKey) -> Result<Value, StoreError> {
        let object = path.join("zarr.json")?;
        let Some(bytes) = self.0.objects.get(&object)? else {
            return Err(StoreError::NodeMissing { what, path: path.to_string() });
        };
        serde_json::from_slice(&bytes)
            .map_err(|e| StoreError::Metadata { object, reason: format!("not JSON: {e}") })
    }

    /// The identity of an object, from all its bytes; `None` when there is none. What `tesela check` compares.
    /// # Errors
    /// [`StoreError::Io`].
    pub fn digest(&self, key: &ObjectKey) -> Result<Option<ObjectInfo>, StoreError> {
        Ok(self.0.objects.get(key)?.map(|bytes| ObjectInfo::of(key, &bytes)))
    }

    /// Removes an object and forgets its index; whether there was one. Cached chunks age out.
    /// # Errors
    /// [`StoreError::Io`].
    pub fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        self.0.indexes.invalidate(key);
        self.0.objects.delete(key)
    }

    /// Removes a generation: `prefix` and everything under it; how many objects that were.
    /// # Errors
    /// [`StoreError::Io`].
    pub fn delete_under(&self, prefix: &ObjectKey) -> Result<u64, StoreError> {
        for (key, _) in self.0.indexes.iter().filter(|(key, _)| key.is_under(prefix)) {
            self.0.indexes.invalidate(&*key);
        }
        for (path, _) in self.0.arrays.iter().filter(|(path, _)| path.is_under(prefix)) {
            self.0.arrays.invalidate(&*path);
        }
        self.0.objects.delete_under(prefix)
    }

    /// Keys and sizes of everything under `prefix` (or in the store), in key order.
    /// # Errors
    /// [`StoreError::Io`].
    pub fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError> {
        self.0.objects.list(prefix)
    }

    /// Gives `to` the bytes of `from`, by a hard link where the store can: untouched shards of a new generation.
    /// # Errors
    /// [`StoreError::ObjectMissing`] for `from`, [`StoreError::ObjectExists`] for `to`, [`StoreError::Io`].
    pub fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError> {
        self.0.objects.link_or_copy(from, to)?;
        self.0.indexes.invalidate(to);
        Ok(())
    }

    /// Makes every earlier write survive a power loss. Call it before the commit that refers to them.
    /// # Errors
    /// [`StoreError::Io`]; then nothing may be committed, and the call may be repeated.
    pub fn sync(&self) -> Result<(), StoreError> {
        self.0.objects.sync()
    }
}
