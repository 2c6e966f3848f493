use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Leftover, Objects, Staged};
use crate::{ObjectKey, StoreError};

/// Requests an object store has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Whole objects read.
    pub gets: u64,
    /// Ranges read.
    pub ranges: u64,
    /// Suffixes read.
    pub suffixes: u64,
    /// Sizes asked for.
    pub sizes: u64,
    /// Objects put, linked or copied.
    pub puts: u64,
    /// Objects deleted.
    pub deletes: u64,
    /// Listings.
    pub lists: u64,
    /// Bytes read.
    pub bytes_read: u64,
}

impl Requests {
    /// Requests that read data or sizes.
    pub const fn reads(&self) -> u64 {
        self.gets + self.ranges + self.suffixes + self.sizes + self.lists
    }
}

#[derive(Debug, Default)]
struct Counters {
    gets: AtomicU64,
    ranges: AtomicU64,
    suffixes: AtomicU64,
    sizes: AtomicU64,
    puts: AtomicU64,
    deletes: AtomicU64,
    lists: AtomicU64,
    bytes_read: AtomicU64,
}

/// Counts the requests that reach another object store: what holds readers to their request budget.
pub struct CountingObjects {
    inner: Arc<dyn Objects>,
    counters: Counters,
}

impl CountingObjects {
    /// Counts what reaches `inner`.
    pub fn new(inner: Arc<dyn Objects>) -> Self {
        Self { inner, counters: Counters::default() }
    }

    /// The requests since the last call, or since the start.
    pub fn take(&self) -> Requests {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        Requests {
            gets: take(&self.counters.gets),
            ranges: take(&self.counters.ranges),
            suffixes: take(&self.counters.suffixes),
            sizes: take(&self.counters.sizes),
            puts: take(&self.counters.puts),
            deletes: take(&self.counters.deletes),
            lists: take(&self.counters.lists),
            bytes_read: take(&self.counters.bytes_read),
        }
    }

    fn count_read(&self, counter: &AtomicU64, answer: &Result<Option<Vec<u8>>, StoreError>) {
        counter.fetch_add(1, Ordering::Relaxed);
        if let Ok(Some(bytes)) = answer {
            self.counters.bytes_read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    }
}

impl Objects for CountingObjects {
    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError> {
        self.counters.puts.fetch_add(1, Ordering::Relaxed);
        self.inner.put(key, bytes)
    }

    fn stage(&self, key: &ObjectKey) -> Result<Staged, StoreError> {
        self.inner.stage(key)
    }

    fn put_staged(&self, key: &ObjectKey, staged: Staged) -> Result<(), StoreError> {
        self.counters.puts.fetch_add(1, Ordering::Relaxed);
        self.inner.put_staged(key, staged)
    }

    fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, StoreError> {
        let answer = self.inner.get(key);
        self.count_read(&self.counters.gets, &answer);
        answer
    }

    fn get_range(&self, key: &ObjectKey, offset: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let answer = self.inner.get_range(key, offset, len);
        self.count_read(&self.counters.ranges, &answer);
        answer
    }

    fn get_suffix(&self, key: &ObjectKey, len: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let answer = self.inner.get_suffix(key, len);
        self.count_read(&self.counters.suffixes, &answer);
        answer
    }

    fn requests_in_flight(&self) -> usize {
        self.inner.requests_in_flight()
    }

    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError> {
        self.counters.sizes.fetch_add(1, Ordering::Relaxed);
        self.inner.size(key)
    }

    fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError> {
        self.counters.deletes.fetch_add(1, Ordering::Relaxed);
        self.inner.delete(key)
    }

    fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError> {
        self.counters.lists.fetch_add(1, Ordering::Relaxed);
        self.inner.list(prefix)
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.inner.sync()
    }

    fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError> {
        self.counters.puts.fetch_add(1, Ordering::Relaxed);
        self.inner.link_or_copy(from, to)
    }

    fn leftovers(&self, under: Option<&ObjectKey>) -> Result<Vec<Leftover>, StoreError> {
        self.inner.leftovers(under)
    }

    fn remove_leftover(&self, leftover: &Leftover) -> Result<bool, StoreError> {
        self.inner.remove_leftover(leftover)
    }
}
