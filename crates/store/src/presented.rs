//! A group that was never written: its documents as any Zarr v3 reader expects them, and its chunks made when they
//! are asked for. An assembled view is one.

use serde_json::{Map, Value, json};

use crate::group::{parts, whole};
use crate::metadata::{COORDINATE_BYTES, coordinate_document};
use crate::{ArraySpec, Codec, GroupSpec, Pixels, StoreError};

/// What one object of a data array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chunking {
    /// A shard of inner chunks, as groups in the store have them.
    Shards,
    /// One compressed chunk of the shape [`ArraySpec::inner`]; [`ArraySpec::shard`] does not count. A reader
    /// fetches it whole, so a server can make it when it is asked for.
    Plain,
}

/// A further coordinate along time, int64: a code, a day.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeCoordinate {
    /// Its name; no array's.
    pub name: String,
    /// One value a date.
    pub values: Vec<i64>,
    /// CF attributes.
    pub attributes: Map<String, Value>,
}

/// A group to present.
#[derive(Debug, Clone, PartialEq)]
pub struct PresentedGroup {
    /// The group; its prefix matters only to errors.
    pub group: GroupSpec,
    /// What one object of its data arrays is.
    pub chunking: Chunking,
    /// Coordinates beside `time`, at level 0.
    pub along_time: Vec<TimeCoordinate>,
}

impl PresentedGroup {
    /// Every object of the group but those of its data arrays, by key inside the group (`zarr.json`,
    /// `red/zarr.json`, `time/c/0`): metadata first, consolidated as well.
    /// # Errors
    /// As [`GroupSpec::validate`]; [`StoreError::InvalidSpec`] for a coordinate whose name is taken or whose values
    /// are not one a date.
    pub fn documents(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let spec = &self.group;
        let (mut nodes, mut chunks) = parts(spec)?;
        let more: String = self.along_time.iter().map(|c| format!(" {}", c.name)).collect();
        for array in &spec.arrays {
            let Some((path, node)) = nodes.iter_mut().find(|(path, _)| *path == array.name) else { continue };
            if self.chunking == Chunking::Plain {
                unshard(node);
            }
            if !path.contains('/') {
                node["attributes"]["coordinates"] = format!("spatial_ref{more}").into();
            }
        }
        for coordinate in &self.along_time {
            let name = &coordinate.name;
            let wrong =
                |reason: &str| StoreError::InvalidSpec { name: name.clone(), reason: reason.to_owned() };
            if name.contains('/') || nodes.iter().any(|(path, _)| path == name) {
                return Err(wrong("the name is taken"));
            }
            if coordinate.values.len() != spec.time.len() {
                return Err(wrong("it must have one value a date"));
            }
            let attributes = Value::Object(coordinate.attributes.clone());
            let mut node = coordinate_document(name, "int64", Some(spec.time.len()), attributes)?;
            node["dimension_names"] = json!(["time"]);
            nodes.push((name.clone(), node));
            let values: Vec<[u8; 8]> = coordinate.values.iter().map(|v| v.to_le_bytes()).collect();
            let encoded = Codec::Zstd5Byte
                .encode(&values.concat(), COORDINATE_BYTES)
                .map_err(|reason| StoreError::Encode { array: name.clone(), reason })?;
            chunks.push((spec.prefix.join(name)?.join("c/0")?, encoded));
        }
        let inside = |key: &str| key[spec.prefix.as_str().len() + 1..].to_owned();
        let all = whole(spec, nodes, chunks)?;
        Ok(all.into_iter().map(|(key, bytes)| (inside(key.as_str()), bytes)).collect())
    }
}

/// Makes an array's inner chunks its chunks.
fn unshard(node: &mut Value) {
    let sharding = node["codecs"][0]["configuration"].take();
    node["chunk_grid"]["configuration"]["chunk_shape"] = sharding["chunk_shape"].clone();
    node["codecs"] = sharding["codecs"].clone();
}

impl ArraySpec {
    /// One chunk of [`Chunking::Plain`] from all its `(time, y, x)` values; `None` when they are nothing but fill,
    /// which is not stored.
    /// # Errors
    /// [`StoreError::PixelsMismatch`] when they are not as many as [`ArraySpec::inner`] says, or of another type;
    /// [`StoreError::Encode`].
    pub fn encode_plain(&self, pixels: &Pixels) -> Result<Option<Vec<u8>>, StoreError> {
        let expected_len = self.inner.iter().product::<u64>() as usize;
        if pixels.dtype() != self.dtype || pixels.len() != expected_len {
            return Err(StoreError::PixelsMismatch {
                array: self.name.clone(),
                expected: self.dtype,
                found: pixels.dtype(),
                expected_len,
                len: pixels.len(),
            });
        }
        if pixels.is_all(self.fill) {
            return Ok(None);
        }
        let encoded = self.codec.encode(&pixels.to_le_bytes(), self.dtype.size_bytes());
        encoded.map(Some).map_err(|reason| StoreError::Encode { array: self.name.clone(), reason })
    }
}
