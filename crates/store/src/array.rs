use std::sync::Arc;

use tesela_model::DType;

use crate::codec::InnerCodec;
use crate::spec::layout_fault;
use crate::{ArraySpec, Codec, ObjectKey, StoreError};

/// A stored array, known well enough to read it without another look at its metadata. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ArrayRef(Arc<ArrayInfo>);

#[derive(Debug)]
pub(crate) struct ArrayInfo {
    /// `prefix/name`.
    pub(crate) path: ObjectKey,
    pub(crate) dtype: DType,
    pub(crate) fill: f64,
    pub(crate) shape: [u64; 3],
    pub(crate) shard: [u64; 3],
    pub(crate) inner: [u64; 3],
    pub(crate) decoder: InnerCodec,
    /// `None` for a foreign codec, which is read but never written.
    pub(crate) encoder: Option<Codec>,
    pub(crate) scale: f64,
    pub(crate) offset: f64,
}

impl ArrayRef {
    /// The array that [`Store::write_group`](crate::Store::write_group) makes of `spec` under `prefix`,
    /// without a request: for those who know the layout from the index or the product.
    /// # Errors
    /// [`StoreError::InvalidSpec`], [`StoreError::InvalidKey`].
    pub fn from_spec(prefix: &ObjectKey, spec: &ArraySpec) -> Result<Self, StoreError> {
        spec.validate()?;
        Self::new(ArrayInfo {
            path: prefix.join(&spec.name)?,
            dtype: spec.dtype,
            fill: spec.fill,
            shape: spec.shape,
            shard: spec.shard,
            inner: spec.inner,
            decoder: InnerCodec::BloscChecked,
            encoder: Some(spec.codec),
            scale: spec.scale,
            offset: spec.offset,
        })
    }

    pub(crate) fn new(info: ArrayInfo) -> Result<Self, StoreError> {
        match layout_fault(info.shape, info.shard, info.inner, info.dtype) {
            None => Ok(Self(Arc::new(info))),
            Some(reason) => Err(StoreError::InvalidSpec { name: info.path.to_string(), reason }),
        }
    }

    pub(crate) fn info(&self) -> &ArrayInfo {
        &self.0
    }

    /// Orders arrays within one call.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The array's own prefix in the store, `prefix/name`.
    pub fn path(&self) -> &ObjectKey {
        &self.0.path
    }

    /// The type of the values.
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// The nodata value, stored (not scaled).
    pub fn fill(&self) -> f64 {
        self.0.fill
    }

    /// Number of dates, rows and columns.
    pub fn shape(&self) -> [u64; 3] {
        self.0.shape
    }

    /// Dates, rows and columns in one shard.
    pub fn shard(&self) -> [u64; 3] {
        self.0.shard
    }

    /// Dates, rows and columns in one inner chunk.
    pub fn inner(&self) -> [u64; 3] {
        self.0.inner
    }

    /// Physical value = stored × scale + offset: the scale.
    pub fn scale(&self) -> f64 {
        self.0.scale
    }

    /// Physical value = stored × scale + offset: the offset.
    pub fn offset(&self) -> f64 {
        self.0.offset
    }

    /// How inner chunks are compressed; `None` for a codec that is not ours.
    pub fn codec(&self) -> Option<Codec> {
        self.0.encoder
    }

    /// Number of shards along `(time, y, x)`.
    pub fn shard_counts(&self) -> [u64; 3] {
        std::array::from_fn(|i| self.0.shape[i].div_ceil(self.0.shard[i]))
    }

    /// The object of a shard, whether it exists or not (a shard of nothing but fill does not).
    pub fn shard_key(&self, shard: [u64; 3]) -> ObjectKey {
        let [t, y, x] = shard;
        self.0.path.join_known(format_args!("c/{t}/{y}/{x}"))
    }

    /// Number of inner chunks in a shard along `(time, y, x)`.
    pub fn chunks_per_shard(&self) -> [u64; 3] {
        std::array::from_fn(|i| self.0.shard[i] / self.0.inner[i])
    }

    /// Values in one inner chunk.
    pub fn chunk_len(&self) -> usize {
        self.0.inner.iter().product::<u64>() as usize
    }

    /// Bytes of one decoded inner chunk.
    pub(crate) fn chunk_bytes(&self) -> usize {
        self.chunk_len() * self.0.dtype.size_bytes()
    }

    /// Number of inner chunks in a shard.
    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks_per_shard().iter().product::<u64>() as usize
    }

    /// The shard of a global inner chunk index and its row-major place in it.
    pub(crate) fn locate(&self, chunk: [u64; 3]) -> ([u64; 3], u32) {
        let per = self.chunks_per_shard();
        let shard = std::array::from_fn(|i| chunk[i] / per[i]);
        let [t, y, x]: [u64; 3] = std::array::from_fn(|i| chunk[i] % per[i]);
        (shard, ((t * per[1] + y) * per[2] + x) as u32)
    }

    pub(crate) fn corrupt(&self, chunk: [u64; 3], object: &ObjectKey, reason: String) -> StoreError {
        StoreError::Corrupt { array: self.0.path.to_string(), chunk, object: object.clone(), reason }
    }
}
