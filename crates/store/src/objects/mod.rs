//! Named, immutable byte strings: the one trait under the store, and what implements it.
//!
//! The trait is synchronous. Callers are rayon tasks or blocking threads, and a local read costs tens of
//! microseconds; an async local backend measured two to four times slower (`stack.md` 4). A bucket
//! implements [`Objects::get_many`] with requests in flight together and says so by
//! [`Objects::requests_in_flight`].

mod counting;
mod local;
mod memory;
mod staged;

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

pub use counting::{CountingObjects, Requests};
pub use local::LocalObjects;
pub use memory::MemoryObjects;
pub use staged::Staged;

use crate::{ObjectKey, StoreError};

/// An object's identity: what a commit records and `tesela check` compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectInfo {
    /// Its name.
    pub key: ObjectKey,
    /// Its size in bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes, 64 lower-case hexadecimal digits.
    pub digest: String,
}

impl ObjectInfo {
    /// The identity of `bytes` under `key`.
    pub fn of(key: &ObjectKey, bytes: &[u8]) -> Self {
        Self {
            key: key.clone(),
            bytes: bytes.len() as u64,
            digest: blake3::hash(bytes).to_hex().as_str().to_owned(),
        }
    }
}

/// Which bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// `len` bytes from `offset`, all of which must exist.
    At {
        /// First byte.
        offset: u64,
        /// Number of bytes.
        len: u64,
    },
    /// The last bytes, at most this many.
    Last(u64),
}

/// One read of [`Objects::get_many`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRequest {
    /// The object.
    pub key: ObjectKey,
    /// Which of its bytes.
    pub range: ByteRange,
}

/// A staged write whose writer is gone, or still at work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Where it lies, in words only its store understands.
    pub path: String,
    /// The process that wrote it, on whichever host that was; `None` when the name does not say.
    pub pid: Option<u32>,
    /// Its size in bytes so far.
    pub bytes: u64,
    /// When it was last written to.
    pub modified: Option<SystemTime>,
}

/// Named, immutable byte strings.
///
/// Every implementation passes the same suite (`tests/store/objects.rs`).
pub trait Objects: Send + Sync {
    /// Stores a new object; afterwards it is there whole, before and after a failure not at all.
    /// # Errors
    /// [`StoreError::ObjectExists`] when the key is taken, whatever its bytes; [`StoreError::Io`].
    fn put(&self, key: &ObjectKey, bytes: &[u8]) -> Result<(), StoreError>;

    /// Begins an object that comes in parts and is too large to hold: what [`Objects::put_staged`] ends. The default
    /// holds the parts in memory.
    /// # Errors
    /// [`StoreError::Io`].
    fn stage(&self, key: &ObjectKey) -> Result<Staged, StoreError> {
        let _ = key;
        Ok(Staged::in_memory())
    }

    /// Gives what was staged for `key` its name, as [`Objects::put`] does.
    /// # Errors
    /// As [`Objects::put`].
    fn put_staged(&self, key: &ObjectKey, staged: Staged) -> Result<(), StoreError> {
        self.put(key, &staged.into_bytes()?)
    }

    /// A whole object; `None` when there is none.
    /// # Errors
    /// [`StoreError::Io`].
    fn get(&self, key: &ObjectKey) -> Result<Option<Vec<u8>>, StoreError>;

    /// `len` bytes of an object from `offset`; `None` when there is no such object.
    /// # Errors
    /// [`StoreError::ObjectTruncated`] when it ends before; [`StoreError::Io`].
    fn get_range(&self, key: &ObjectKey, offset: u64, len: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// The last `len` bytes of an object, or all of a shorter one; `None` when there is no such object.
    /// # Errors
    /// [`StoreError::Io`].
    fn get_suffix(&self, key: &ObjectKey, len: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// Several reads, answered in order. The default is one after the other.
    fn get_many(&self, requests: &[ObjectRequest]) -> Vec<Result<Option<Vec<u8>>, StoreError>> {
        requests.iter().map(|request| self.get_one(request)).collect()
    }

    /// One read as [`Objects::get_many`] takes it.
    /// # Errors
    /// As [`Objects::get_range`] and [`Objects::get_suffix`].
    fn get_one(&self, request: &ObjectRequest) -> Result<Option<Vec<u8>>, StoreError> {
        match request.range {
            ByteRange::At { offset, len } => self.get_range(&request.key, offset, len),
            ByteRange::Last(len) => self.get_suffix(&request.key, len),
        }
    }

    /// How many reads are worth handing to one [`Objects::get_many`]: 1 where they are answered in turn.
    fn requests_in_flight(&self) -> usize {
        1
    }

    /// An object's size in bytes; `None` when there is none.
    /// # Errors
    /// [`StoreError::Io`].
    fn size(&self, key: &ObjectKey) -> Result<Option<u64>, StoreError>;

    /// Removes an object; whether there was one.
    /// # Errors
    /// [`StoreError::Io`].
    fn delete(&self, key: &ObjectKey) -> Result<bool, StoreError>;

    /// Removes `prefix` and everything under it; how many objects that were.
    /// # Errors
    /// [`StoreError::Io`]; what was removed until then stays removed.
    fn delete_under(&self, prefix: &ObjectKey) -> Result<u64, StoreError> {
        let mut removed = 0;
        for (key, _) in self.list(Some(prefix))? {
            removed += u64::from(self.delete(&key)?);
        }
        Ok(removed)
    }

    /// Keys and sizes of everything under `prefix` (or in the store), in key order; never staged writes.
    /// # Errors
    /// [`StoreError::Io`].
    fn list(&self, prefix: Option<&ObjectKey>) -> Result<Vec<(ObjectKey, u64)>, StoreError>;

    /// Makes every earlier put, link and delete survive a power loss. Call it before the commit that
    /// refers to them.
    /// # Errors
    /// [`StoreError::Io`]; then nothing may be committed, and the call may be repeated.
    fn sync(&self) -> Result<(), StoreError>;

    /// Makes `to` an object with the bytes of `from`, sharing them where the store can.
    /// # Errors
    /// [`StoreError::ObjectMissing`] for `from`, [`StoreError::ObjectExists`] for `to`, [`StoreError::Io`].
    fn link_or_copy(&self, from: &ObjectKey, to: &ObjectKey) -> Result<(), StoreError>;

    /// Staged writes that lie about, everywhere or under a prefix. They harm nothing; only the holder of the writer lock may remove them.
    /// # Errors
    /// [`StoreError::Io`].
    fn leftovers(&self, under: Option<&ObjectKey>) -> Result<Vec<Leftover>, StoreError> {
        let _ = under;
        Ok(Vec::new())
    }

    /// Removes a staged write that [`Objects::leftovers`] named; whether it was still there.
    /// # Errors
    /// [`StoreError::Io`]; [`StoreError::InvalidKey`] when it is not the name of a staged write here.
    fn remove_leftover(&self, leftover: &Leftover) -> Result<bool, StoreError> {
        let _ = leftover;
        Ok(false)
    }
}
