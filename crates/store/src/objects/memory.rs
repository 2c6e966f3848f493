use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::Objects;
use crate::{ObjectKey, StoreError};

type Map = BTreeMap<ObjectKey, Arc<[u8]>>;

/// Objects in memory: tests, and previews that are thrown away.
#[derive(Debug, Default)]
pub struct MemoryObjects {
    map: RwLock<Map>,
}

impl MemoryObjects {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn read(&self) -> RwLockReadGuard<'_, Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Map> {
        self.map.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(&self, key: &ObjectKey, bytes: Arc<[u8]>) -> Result<(), StoreError> {
        let mut map = self.write();
        if map.contains_key(key) {
            return Err(StoreError::ObjectExists { key: key.clone() });
        }
        map.insert(key.clone(), bytes);
        Ok(())
    }

    fn find(&self, key: &ObjectKey) -> Option<Arc<[u8]>> {
        self.read().get(key).cloned()
    }
}

impl Objects for MemoryObjects {
    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        self.insert(key, bytes.into())
    }

    fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.find(key).map(|bytes| bytes.to_vec()))
    }

    fn get_range(&self, key: &ObjectKey, offset: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(bytes) = self.find(key) else { return Ok(None) };
        let end = offset.saturating_add(len);
        let range = usize::try_from(offset).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
        match bytes.get(range) {
            Some(part) => Ok(Some(part.to_vec())),
            None => {
                Err(StoreError::ObjectTruncated { key: key.clone(), offset, len, size: bytes.len() as u64 })
            }
        }
    }

    fn get_suffix(&self, key: &ObjectKey, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        Ok(self.find(key).map(|bytes| bytes[bytes.len().saturating_sub(len)..].to_vec()))
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        Ok(self.find(key).map(|bytes| bytes.len() as u64))
    }

    fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        Ok(self.write().remove(key).is_some())
    }

    fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError> {
        let under = |key: &ObjectKey| prefix.is_none_or(|prefix| key.is_under(prefix));
        let map = self.read();
        Ok(map.iter().filter(|(key, _)| under(key)).map(|(k, b)| (k.clone(), b.len() as u64)).collect())
    }

    fn sync(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError> {
        let bytes = self.find(from).ok_or_else(|| StoreError::ObjectMissing { key: from.clone() })?;
        self.insert(to, bytes)
    }
}
