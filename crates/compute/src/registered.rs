//! The cube's objects, with the index knowing which there must be.
//!
//! A shard that was never written holds nothing but fill, and so does one that somebody deleted, as far as the store
//! can tell. The index can tell: rows of objects go before their objects do. It is asked only where a shard is not
//! found, once for each: the store remembers the answer.

use std::sync::Arc;

use tesela_index::{Index, SqliteIndex};
use tesela_store::{Leftover, LocalObjects, ObjectKey, Objects, Staged, StoreError};

/// Objects whose loss is an error.
pub(crate) struct Registered {
    objects: LocalObjects,
    index: Arc<SqliteIndex>,
}

impl Registered {
    pub(crate) fn new(objects: LocalObjects, index: Arc<SqliteIndex>) -> Self {
        Self { objects, index }
    }

    /// What was found, unless nothing was and the index says that there is something.
    fn or_lost<T>(&self, key: &ObjectKey, found: Option<T>) -> Result<Option<T>, StoreError> {
        if found.is_some() {
            return Ok(found);
        }
        match self.index.has_object(key.as_str()) {
            Ok(false) => Ok(None),
            Ok(true) => Err(StoreError::ObjectLost { key: key.clone() }),
            Err(e) => Err(StoreError::Io {
                action: "ask the index about",
                path: key.to_string(),
                source: std::io::Error::other(e),
            }),
        }
    }
}

impl Objects for Registered {
    /// How every read of pixels begins: a shard's index lies at its end.
    fn get_suffix(&self, key: &ObjectKey, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.or_lost(key, self.objects.get_suffix(key, len)?)
    }

    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        self.objects.put(key, bytes)
    }

    fn stage(&self, key: &ObjectKey) -> Result<Staged, StoreError> {
        self.objects.stage(key)
    }

    fn put_staged(&self, key: &ObjectKey, staged: Staged) -> Result<(), StoreError> {
        self.objects.put_staged(key, staged)
    }

    fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        self.objects.get(key)
    }

    fn get_range(&self, key: &ObjectKey, offset: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.objects.get_range(key, offset, len)
    }

    fn requests_in_flight(&self) -> usize {
        self.objects.requests_in_flight()
    }

    /// How a shard is looked for that is handed on as it lies.
    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.or_lost(key, self.objects.size(key)?)
    }

    fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        self.objects.delete(key)
    }

    fn delete_under(&self, prefix: &ObjectKey) -> Result<u64, StoreError> {
        self.objects.delete_under(prefix)
    }

    fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError> {
        self.objects.list(prefix)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.objects.sync()
    }

    fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError> {
        self.objects.link_or_copy(from, to)
    }

    fn leftovers(&self, under: Option<&ObjectKey>) -> Result<Vec<Leftover>, StoreError> {
        self.objects.leftovers(under)
    }

    fn remove_leftover(&self, leftover: &Leftover) -> Result<bool, StoreError> {
        self.objects.remove_leftover(leftover)
    }
}
