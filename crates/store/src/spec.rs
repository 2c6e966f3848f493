use serde_json::{Map, Value};
use tesela_grid::GeoBox;
use tesela_model::{DType, Instant};

use crate::pixels::holds;
use crate::{Codec, FactsSpec, ObjectKey, StoreError};

/// Largest inner chunk in bytes, decoded: blosc's own bound is 2³¹, ours keeps a cache useful.
const LARGEST_CHUNK: u64 = 1 << 28;
/// Most inner chunks in a shard: an index of 16 MiB.
const MOST_CHUNKS: u64 = 1 << 20;
/// Longest axis, so that products of two never overflow.
const LONGEST_AXIS: u64 = 1 << 40;

/// An array to write: its type, its shape and how it is cut up. Axes are always `(time, y, x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct ArraySpec {
    /// Path inside the group: `red`, or `overviews/1/red` for a pyramid level.
    pub name: String,
    /// The type of the values.
    pub dtype: DType,
    /// The nodata value, stored (not scaled); NaN for floats only. Chunks that hold nothing else take no space.
    pub fill: f64,
    /// Whether readers of CF replace `fill` by NaN (`_FillValue`). Off for flag words, which xarray would
    /// otherwise turn into floats; the value is then named by the attribute `nodata` alone.
    pub mask_fill: bool,
    /// Number of dates, rows and columns.
    pub shape: [u64; 3],
    /// Dates, rows and columns in one shard: one object. A multiple of `inner`; may exceed `shape`.
    pub shard: [u64; 3],
    /// Dates, rows and columns in one inner chunk: the smallest thing that is read.
    pub inner: [u64; 3],
    /// How inner chunks are compressed.
    pub codec: Codec,
    /// Physical value = stored × `scale` + `offset`.
    pub scale: f64,
    /// Physical value = stored × `scale` + `offset`.
    pub offset: f64,
    /// Unit of the physical value, after UDUNITS; `1` for ratios.
    pub unit: String,
    /// What a person calls it.
    pub long_name: String,
    /// Further attributes; those this crate writes itself win.
    pub attributes: Map<String, Value>,
}

impl ArraySpec {
    /// Whether the parts fit together.
    /// # Errors
    /// [`StoreError::InvalidSpec`] naming the contradiction.
    pub fn validate(&self) -> Result<(), StoreError> {
        let wrong = |reason: String| Err(StoreError::InvalidSpec { name: self.name.clone(), reason });
        ObjectKey::new(&self.name)?;
        if let Some(reason) = layout_fault(self.shape, self.shard, self.inner, self.dtype) {
            return wrong(reason);
        }
        if !holds(self.dtype, self.fill) {
            return wrong(format!("its fill {} is no {}", self.fill, self.dtype.as_str()));
        }
        if !self.scale.is_finite() || self.scale == 0.0 || !self.offset.is_finite() {
            return wrong(format!("scale {} and offset {} cannot be undone", self.scale, self.offset));
        }
        Ok(())
    }
}

/// What is wrong with a layout, if anything: also the guard against hostile metadata.
pub(crate) fn layout_fault(
    shape: [u64; 3],
    shard: [u64; 3],
    inner: [u64; 3],
    dtype: DType,
) -> Option<String> {
    let axes = [("time", 0), ("y", 1), ("x", 2)];
    for (name, i) in axes {
        if !(1..=LONGEST_AXIS).contains(&shape[i])
            || inner[i] == 0
            || shard[i] == 0
            || shard[i] > LONGEST_AXIS
        {
            return Some(format!(
                "axis {name}: shape {}, shard {}, inner chunk {}",
                shape[i], shard[i], inner[i]
            ));
        }
        if !shard[i].is_multiple_of(inner[i]) {
            return Some(format!(
                "axis {name}: shard {} is no multiple of inner chunk {}",
                shard[i], inner[i]
            ));
        }
    }
    let product = |n: [u64; 3]| n[0].checked_mul(n[1])?.checked_mul(n[2]);
    let chunk_bytes = product(inner).and_then(|n| n.checked_mul(dtype.size_bytes() as u64));
    if chunk_bytes.is_none_or(|n| n > LARGEST_CHUNK) {
        return Some(format!("inner chunk {inner:?} of {} exceeds {LARGEST_CHUNK} bytes", dtype.as_str()));
    }
    let chunks = product([shard[0] / inner[0], shard[1] / inner[1], shard[2] / inner[2]]);
    if chunks.is_none_or(|n| n > MOST_CHUNKS) {
        return Some(format!("more than {MOST_CHUNKS} inner chunks in a shard"));
    }
    None
}

/// One level of a pyramid, below level 0, which is the group itself.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelSpec {
    /// 1 for the first; the subgroup is `overviews/{level}`.
    pub level: u32,
    /// Where its pixels are.
    pub geobox: GeoBox,
}

/// A Zarr group to write: what its arrays share. Self-describing, so that it can be read where it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSpec {
    /// Where the group lies in the store.
    pub prefix: ObjectKey,
    /// Where the pixels of level 0 are.
    pub geobox: GeoBox,
    /// The CRS as WKT2.
    pub crs_wkt: String,
    /// The CRS's EPSG code, when it has one.
    pub epsg: Option<u32>,
    /// CF's parameters of the projection: `grid_mapping_name` and what that asks for.
    pub grid_mapping: Map<String, Value>,
    /// The dates, strictly ascending.
    pub time: Vec<Instant>,
    /// The arrays, over all levels.
    pub arrays: Vec<ArraySpec>,
    /// The pyramid, finest first.
    pub levels: Vec<LevelSpec>,
    /// Facts of the chunks of level 0, if any were put.
    pub facts: Option<FactsSpec>,
    /// Further attributes of the group; those this crate writes itself win.
    pub attributes: Map<String, Value>,
}

/// The subgroup of a pyramid level.
pub(crate) fn level_path(level: u32) -> String {
    format!("overviews/{level}")
}

impl GroupSpec {
    /// Whether the parts fit together.
    /// # Errors
    /// [`StoreError::InvalidSpec`] for dates that do not ascend, levels that are not 1, 2, 3 …, an array that lies
    /// in no level, is named twice or like a coordinate, or whose shape is not (dates, height, width) of its
    /// level; and as [`ArraySpec::validate`].
    pub fn validate(&self) -> Result<(), StoreError> {
        let wrong =
            |name: &str, reason: String| Err(StoreError::InvalidSpec { name: name.to_owned(), reason });
        let group = self.prefix.as_str();
        if self.time.is_empty() || !self.time.is_sorted_by(|a, b| a < b) {
            return wrong(group, "its dates must be strictly ascending, and at least one".to_owned());
        }
        if !self.levels.iter().zip(1..).all(|(l, n)| l.level == n) {
            return wrong(group, "its pyramid levels must be 1, 2, 3 …".to_owned());
        }
        if self.geoboxes().any(|(_, b)| b.width == 0 || b.height == 0) {
            return wrong(group, "a level without pixels".to_owned());
        }
        for (i, array) in self.arrays.iter().enumerate() {
            array.validate()?;
            let (level, leaf) = array.name.rsplit_once('/').unwrap_or(("", &array.name));
            let Some((_, geobox)) = self.geoboxes().find(|(path, _)| path == level) else {
                return wrong(&array.name, "it lies in no level of the group".to_owned());
            };
            if ["time", "y", "x", "spatial_ref", "overviews", "facts", "zarr.json"].contains(&leaf) {
                return wrong(&array.name, "the name is taken".to_owned());
            }
            if self.arrays[..i].iter().any(|earlier| earlier.name == array.name) {
                return wrong(&array.name, "it is named twice".to_owned());
            }
            let expected = [self.time.len() as u64, geobox.height as u64, geobox.width as u64];
            if array.shape != expected {
                return wrong(
                    &array.name,
                    format!("its shape is {:?}, its level's {expected:?}", array.shape),
                );
            }
        }
        Ok(())
    }

    /// Every level's path inside the group and its pixels, level 0 (path "") first.
    pub(crate) fn geoboxes(&self) -> impl Iterator<Item = (String, &GeoBox)> {
        let below = self.levels.iter().map(|level| (level_path(level.level), &level.geobox));
        std::iter::once((String::new(), &self.geobox)).chain(below)
    }
}
