//! Bounded memories, one of each a process so that their bounds are the process's.

use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use moka::sync::Cache;
use tesela_compute::query::Moment;

use super::key::Key;

/// Bytes of encoded pictures kept.
const PICTURE_BYTES: u64 = 128 << 20;
/// Bytes of capabilities documents and legends kept.
const DOCUMENT_BYTES: u64 = 32 << 20;
/// Meanings of times kept.
const MOMENTS: u64 = 16_384;
/// What an entry costs beside its bytes.
const OVERHEAD_BYTES: usize = 256;

/// An encoded picture.
#[derive(Debug, Clone)]
pub struct Painted {
    /// The file.
    pub bytes: Bytes,
    /// Whether it shows nothing at all.
    pub empty: bool,
}

/// A document with its entity tag.
#[derive(Debug, Clone)]
pub struct Document {
    /// The text or file.
    pub bytes: Bytes,
    /// Entity tag, quotes included.
    pub etag: String,
}

impl Document {
    /// A document from its bytes.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let etag = super::key::etag_of_bytes(&bytes);
        Self { bytes, etag }
    }
}

/// Encoded pictures by what decides their bytes.
pub fn pictures() -> &'static Cache<Key, Painted> {
    static CACHE: LazyLock<Cache<Key, Painted>> =
        LazyLock::new(|| bounded(PICTURE_BYTES, |painted: &Painted| painted.bytes.len()));
    &CACHE
}

/// Rendered documents and legends by what decides them.
pub fn documents() -> &'static Cache<String, Document> {
    static CACHE: LazyLock<Cache<String, Document>> =
        LazyLock::new(|| bounded(DOCUMENT_BYTES, |document: &Document| document.bytes.len()));
    &CACHE
}

/// Meanings of times.
pub fn moments() -> &'static Cache<String, Arc<Moment>> {
    static CACHE: LazyLock<Cache<String, Arc<Moment>>> = LazyLock::new(|| Cache::new(MOMENTS));
    &CACHE
}

fn bounded<K, V>(bytes: u64, size: fn(&V) -> usize) -> Cache<K, V>
where
    K: std::hash::Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    Cache::builder()
        .max_capacity(bytes)
        .weigher(move |_, value| u32::try_from(size(value) + OVERHEAD_BYTES).unwrap_or(u32::MAX))
        .build()
}
