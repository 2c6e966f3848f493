//! Facts of a group's chunks: what a reader may know of a chunk without decoding it.
//!
//! One array `facts/chunks` of float32 with the axes `(fact, time_chunk, y_chunk, x_chunk)`: a *cell* is an inner
//! chunk of the group's level 0, a *plane* one fact of all cells of an object. The attribute `facts` names the planes,
//! `chunk` says how many dates, rows and columns a cell has. Each object is a shard whose inner chunks are planes, so
//! one fact is read without the others. Counts are exact up to 2²⁴.

use std::num::NonZeroU64;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use zarrs::array::codec::{BytesCodec, Crc32cCodec, ShardingCodecBuilder};
use zarrs::array::{ArrayBuilder, FillValue, data_type};

use crate::codec::InnerCodec;
use crate::group::Node;
use crate::metadata::group_document;
use crate::objects::{ByteRange, ObjectRequest};
use crate::shard::{ShardIndex, assemble};
use crate::{Codec, ObjectInfo, ObjectKey, Store, StoreError};

/// The subgroup that facts lie in: not beside the bands, whose axes they do not share.
pub(crate) const FACTS_GROUP: &str = "facts";
/// The array, inside the group of the bands.
const ARRAY: &str = "facts/chunks";
const VALUE_BYTES: usize = 4;
/// The longest plane read, values: also the guard against hostile metadata.
const LONGEST_PLANE: u64 = 1 << 26;
/// Most facts of a group.
const MOST_FACTS: u64 = 1 << 16;

/// Whether a node of a group is its facts, which are no data array.
pub(crate) fn is_facts(name: &str) -> bool {
    name == ARRAY
}

/// The facts of a group to write.
#[derive(Debug, Clone, PartialEq)]
pub struct FactsSpec {
    /// What each plane says, in order: `red.count`.
    pub names: Vec<String>,
    /// Cells along `(time, y, x)`.
    pub cells: [u64; 3],
    /// Rows and columns of cells in one object.
    pub object: [u64; 2],
    /// Dates, rows and columns in one cell.
    pub chunk: [u64; 3],
    /// Further attributes of the array.
    pub attributes: Map<String, Value>,
}

impl FactsSpec {
    /// Name of the object of facts in a row and column of objects.
    ///
    /// # Errors
    /// [`StoreError::InvalidKey`] for a prefix that is too long.
    pub fn object_key(&self, prefix: &ObjectKey, [row, column]: [u64; 2]) -> Result<ObjectKey, StoreError> {
        prefix.join(&format!("{ARRAY}/c/0/0/{row}/{column}"))
    }

    /// Number of objects down and across.
    pub fn objects(&self) -> [u64; 2] {
        [self.cells[1].div_ceil(self.object[0]), self.cells[2].div_ceil(self.object[1])]
    }

    fn plane(&self) -> [u64; 3] {
        [self.cells[0], self.object[0], self.object[1]]
    }

    fn validate(&self) -> Result<(), StoreError> {
        let wrong = |reason: String| Err(StoreError::InvalidSpec { name: ARRAY.to_owned(), reason });
        if self.names.is_empty() || self.names.len() as u64 > MOST_FACTS {
            return wrong(format!("{} facts", self.names.len()));
        }
        let Some(len) = product(self.plane()).filter(|n| (1..=LONGEST_PLANE).contains(n)) else {
            return wrong(format!("a plane of {:?} cells", self.plane()));
        };
        if self.cells.contains(&0) {
            return wrong(format!("{:?} cells in planes of {len}", self.cells));
        }
        Ok(())
    }

    /// The subgroup and its array.
    pub(crate) fn nodes(&self) -> Result<[Node; 2], StoreError> {
        self.validate()?;
        let array =
            self.document().map_err(|reason| StoreError::InvalidSpec { name: ARRAY.to_owned(), reason })?;
        Ok([(FACTS_GROUP.to_owned(), group_document(&Map::new())), (ARRAY.to_owned(), array)])
    }

    fn document(&self) -> Result<Value, String> {
        let [t, y, x] = self.plane();
        let inner: Option<Vec<NonZeroU64>> = [1, t, y, x].into_iter().map(NonZeroU64::new).collect();
        let facts = self.names.len() as u64;
        let mut sharding =
            ShardingCodecBuilder::new(inner.ok_or("a plane of 0 cells")?, &data_type::float32());
        sharding
            .array_to_bytes_codec(Arc::new(BytesCodec::little()))
            .bytes_to_bytes_codecs(vec![
                Arc::new(Codec::Zstd5Byte.to_zarrs(VALUE_BYTES)?),
                Arc::new(Crc32cCodec::new()),
            ])
            .index_array_to_bytes_codec(Arc::new(BytesCodec::little()));
        let mut attributes = self.attributes.clone();
        attributes.insert("long_name".into(), "facts of chunks, by name along `fact`".into());
        attributes.insert("facts".into(), json!(self.names));
        attributes.insert("chunk".into(), json!(self.chunk));
        let shape = vec![facts, self.cells[0], self.cells[1], self.cells[2]];
        let shard = vec![facts, t, y, x];
        let metadata = ArrayBuilder::new(shape, shard, data_type::float32(), FillValue::from(0.0_f32))
            .array_to_bytes_codec(Arc::new(sharding.build()))
            .bytes_to_bytes_codecs(vec![])
            .dimension_names(Some(["fact", "time_chunk", "y_chunk", "x_chunk"]))
            .attributes(attributes)
            .build_metadata()
            .map_err(|e| e.to_string())?;
        serde_json::to_value(metadata).map_err(|e| e.to_string())
    }
}

/// The facts of a stored group, known well enough to read a plane. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FactsRef(Arc<FactsInfo>);

#[derive(Debug)]
struct FactsInfo {
    array: ObjectKey,
    names: Vec<String>,
    cells: [u64; 3],
    object: [u64; 2],
    chunk: [u64; 3],
    attributes: Map<String, Value>,
}

impl FactsRef {
    /// What each plane says.
    pub fn names(&self) -> &[String] {
        &self.0.names
    }

    /// Cells along `(time, y, x)`.
    pub fn cells(&self) -> [u64; 3] {
        self.0.cells
    }

    /// Dates, rows and columns in one cell.
    pub fn chunk(&self) -> [u64; 3] {
        self.0.chunk
    }

    /// The array's attributes.
    pub fn attributes(&self) -> &Map<String, Value> {
        &self.0.attributes
    }

    /// Number of objects down and across.
    pub fn objects(&self) -> [u64; 2] {
        [self.0.cells[1].div_ceil(self.0.object[0]), self.0.cells[2].div_ceil(self.0.object[1])]
    }

    /// Rows and columns of cells in one object.
    pub fn object(&self) -> [u64; 2] {
        self.0.object
    }

    fn plane_len(&self) -> usize {
        (self.0.cells[0] * self.0.object[0] * self.0.object[1]) as usize
    }

    fn key(&self, [y, x]: [u64; 2]) -> ObjectKey {
        self.0.array.join_known(format_args!("c/0/0/{y}/{x}"))
    }
}

impl Store {
    /// Puts one object of a group's facts, of the object's row and column. `values` are whole planes
    /// `(fact, time, y, x)`, of cells that the group does not have too; `None` when all of them are 0, which is not
    /// stored.
    /// # Errors
    /// [`StoreError::InvalidSpec`] when there are not as many values as that; [`StoreError::Encode`];
    /// [`StoreError::ObjectExists`]; [`StoreError::Io`].
    pub fn put_facts(
        &self,
        prefix: &ObjectKey,
        spec: &FactsSpec,
        at: [u64; 2],
        values: &[f32],
    ) -> Result<Option<ObjectInfo>, StoreError> {
        spec.validate()?;
        let plane = product(spec.plane()).unwrap_or(0) as usize;
        if values.len() != plane * spec.names.len() {
            let reason = format!("{} values for {} planes of {plane}", values.len(), spec.names.len());
            return Err(StoreError::InvalidSpec { name: ARRAY.to_owned(), reason });
        }
        let array = prefix.join(ARRAY)?;
        let encode = |plane: &[f32]| {
            if plane.iter().all(|v| v.to_bits() == 0) {
                return Ok(None);
            }
            let bytes: Vec<u8> = plane.iter().flat_map(|v| v.to_le_bytes()).collect();
            Codec::Zstd5Byte
                .encode(&bytes, VALUE_BYTES)
                .map(Some)
                .map_err(|reason| StoreError::Encode { array: array.to_string(), reason })
        };
        let planes = values.chunks_exact(plane).map(encode).collect::<Result<_, _>>()?;
        let key = spec.object_key(prefix, at)?;
        match assemble(planes) {
            Some(shard) => self.put_object(&key, &shard).map(Some),
            None => Ok(None),
        }
    }

    /// The facts of the group at `prefix`; `None` for a group without, which is as good.
    /// # Errors
    /// [`StoreError::Metadata`] when they are not laid out as this crate writes them; [`StoreError::Io`].
    pub fn open_facts(&self, prefix: &ObjectKey) -> Result<Option<FactsRef>, StoreError> {
        let array = prefix.join(ARRAY)?;
        let object = array.join("zarr.json")?;
        let Some(bytes) = self.objects().get(&object)? else { return Ok(None) };
        let wrong = |reason: String| StoreError::Metadata { object: object.clone(), reason };
        let document: Value = serde_json::from_slice(&bytes).map_err(|e| wrong(format!("not JSON: {e}")))?;
        let info =
            parse(array, &document).ok_or_else(|| wrong("no facts as Tesela writes them".to_owned()))?;
        Ok(Some(FactsRef(Arc::new(info))))
    }

    /// One plane of one object: a fact of its cells `(time, y, x)`; 0 where the object is not stored.
    /// # Errors
    /// [`StoreError::OutOfBounds`] for a plane there is not; [`StoreError::Corrupt`]; [`StoreError::Io`].
    pub fn read_facts(&self, facts: &FactsRef, plane: usize, at: [u64; 2]) -> Result<Vec<f32>, StoreError> {
        let count = facts.names().len();
        let key = facts.key(at);
        if plane >= count {
            let reason = format!("no fact {plane} of {count}");
            return Err(StoreError::OutOfBounds { array: facts.0.array.to_string(), reason });
        }
        let chunk = [0, at[0], at[1]];
        let array = facts.0.array.to_string();
        let corrupt =
            |reason: String| StoreError::Corrupt { array: array.clone(), chunk, object: key.clone(), reason };
        let len = facts.plane_len();
        let ask = |range: ByteRange| self.objects().get_one(&ObjectRequest { key: key.clone(), range });
        let index = ByteRange::Last(ShardIndex::byte_len(count) as u64);
        let Some(bytes) = ask(index)? else { return Ok(vec![0.0; len]) };
        let index = ShardIndex::parse(&bytes, count).map_err(corrupt)?;
        let Some((offset, bytes)) = index.get(plane).map_err(corrupt)? else { return Ok(vec![0.0; len]) };
        if bytes > InnerCodec::BloscChecked.largest(len * VALUE_BYTES) {
            return Err(corrupt(format!("the shard index says {bytes} bytes for {len} values")));
        }
        let encoded = ask(ByteRange::At { offset, len: bytes })?
            .ok_or_else(|| StoreError::ObjectMissing { key: key.clone() })?;
        let decoded = InnerCodec::BloscChecked.decode(&encoded, len * VALUE_BYTES).map_err(corrupt)?;
        Ok(decoded.as_chunks::<VALUE_BYTES>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }
}

/// The facts that a document describes; `None` when it is anything but what [`FactsSpec::document`] makes.
fn parse(array: ObjectKey, document: &Value) -> Option<FactsInfo> {
    let numbers = |pointer: &str| -> Option<Vec<u64>> {
        document.pointer(pointer)?.as_array()?.iter().map(Value::as_u64).collect()
    };
    let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
    if text("/data_type") != Some("float32") || text("/codecs/0/name") != Some("sharding_indexed") {
        return None;
    }
    let codecs = document.pointer("/codecs/0/configuration/codecs")?.as_array()?;
    let codecs: Vec<&str> = codecs.iter().filter_map(|c| c.get("name")?.as_str()).collect();
    if codecs != ["bytes", "blosc", "crc32c"] {
        return None;
    }
    let [facts, t, y, x] = numbers("/shape")?.try_into().ok()?;
    let shard: [u64; 4] = numbers("/chunk_grid/configuration/chunk_shape")?.try_into().ok()?;
    let plane: [u64; 4] = numbers("/codecs/0/configuration/chunk_shape")?.try_into().ok()?;
    let [_, depth, rows, columns] = shard;
    let names: Vec<String> = serde_json::from_value(document.pointer("/attributes/facts")?.clone()).ok()?;
    let plane_len = product([depth, rows, columns])?;
    let fits = shard[0] == facts
        && plane == [1, depth, rows, columns]
        && depth == t
        && names.len() as u64 == facts
        && (1..=MOST_FACTS).contains(&facts)
        && (1..=LONGEST_PLANE).contains(&plane_len);
    fits.then_some(())?;
    Some(FactsInfo {
        array,
        names,
        cells: [t, y, x],
        object: [rows, columns],
        chunk: numbers("/attributes/chunk")?.try_into().ok()?,
        attributes: document.get("attributes")?.as_object()?.clone(),
    })
}

fn product([a, b, c]: [u64; 3]) -> Option<u64> {
    a.checked_mul(b)?.checked_mul(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> FactsSpec {
        FactsSpec {
            names: vec!["a.count".into(), "a.min".into(), "b.count".into()],
            cells: [2, 3, 3],
            object: [2, 2],
            chunk: [8, 64, 64],
            attributes: Map::new(),
        }
    }

    #[test]
    fn planes_come_back_each_by_itself() {
        let store = Store::in_memory();
        let prefix = ObjectKey::new("g").unwrap();
        for (key, bytes) in spec().nodes().unwrap() {
            let key = prefix.join(&key).unwrap().join("zarr.json").unwrap();
            store.put_object(&key, bytes.to_string().as_bytes()).unwrap();
        }
        let mut values: Vec<f32> = (0..24).map(|i| i as f32 - 3.0).collect();
        values[8..16].fill(0.0);
        values[20] = f32::NAN;
        assert!(store.put_facts(&prefix, &spec(), [0, 1], &values).unwrap().is_some());
        assert!(store.put_facts(&prefix, &spec(), [1, 1], &[0.0; 24]).unwrap().is_none());
        assert!(store.put_facts(&prefix, &spec(), [1, 0], &[0.0; 23]).is_err());
        let facts = store.open_facts(&prefix).unwrap().unwrap();
        assert_eq!((facts.cells(), facts.object(), facts.objects()), ([2, 3, 3], [2, 2], [2, 2]));
        assert_eq!(facts.chunk(), [8, 64, 64]);
        for plane in 0..3 {
            let read = store.read_facts(&facts, plane, [0, 1]).unwrap();
            let same = |(a, b): (&f32, &f32)| a.to_bits() == b.to_bits();
            assert!(read.iter().zip(&values[plane * 8..]).all(same), "{plane}");
            assert_eq!(store.read_facts(&facts, plane, [1, 1]).unwrap(), [0.0; 8]);
        }
        assert!(store.read_facts(&facts, 3, [0, 1]).is_err());
    }

    #[test]
    fn a_group_without_facts_has_none_and_a_damaged_plane_is_an_error() {
        let store = Store::in_memory();
        let prefix = ObjectKey::new("g").unwrap();
        assert!(store.open_facts(&prefix).unwrap().is_none());
        for (key, bytes) in spec().nodes().unwrap() {
            let key = prefix.join(&key).unwrap().join("zarr.json").unwrap();
            store.put_object(&key, bytes.to_string().as_bytes()).unwrap();
        }
        let info = store.put_facts(&prefix, &spec(), [0, 0], &[7.0; 24]).unwrap().unwrap();
        let mut bytes = store.objects().get(&info.key).unwrap().unwrap();
        bytes[20] ^= 1;
        store.delete(&info.key).unwrap();
        store.put_object(&info.key, &bytes).unwrap();
        let facts = store.open_facts(&prefix).unwrap().unwrap();
        assert!(matches!(store.read_facts(&facts, 0, [0, 0]), Err(StoreError::Corrupt { .. })));
        assert_eq!(store.read_facts(&facts, 2, [0, 0]).unwrap(), [7.0; 8]);
    }
}
