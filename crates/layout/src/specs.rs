use serde_json::{Map, Value, json};
use tesela_crs::{CfValue, CrsInfo};
use tesela_grid::{GridDef, PixelWindow};
use tesela_model::{Band, Instant};
use tesela_store::{ArraySpec, Codec, GroupSpec, LevelSpec, ObjectKey};

use crate::names::array_name;

/// How one level of a band is cut up. Axes are `(time, y, x)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Dates, rows, columns.
    pub array: [u64; 3],
    /// Of one object.
    pub shard: [u64; 3],
    /// Of the smallest thing read.
    pub inner: [u64; 3],
}

impl Shape {
    /// An array of `dates` whose objects are squares of `side` pixels and `dates_per_shard` dates.
    pub fn tiled(
        dates: u64,
        window: &PixelWindow,
        dates_per_shard: u64,
        side: usize,
        preferred: u32,
    ) -> Self {
        let inner = inner_chunk(side, preferred);
        Self {
            array: [dates, window.height as u64, window.width as u64],
            shard: [dates_per_shard, side as u64, side as u64],
            inner: [1, inner, inner],
        }
    }

    /// An array of `dates` whose objects hold `dates_per_shard` dates of squares of up to `side` pixels, and inner
    /// chunks several dates deep: archive blocks.
    pub fn deep(
        dates: u64,
        window: &PixelWindow,
        dates_per_shard: u64,
        side: usize,
        inner: [u32; 3],
    ) -> Self {
        let [depth, rows, columns] = inner;
        Self {
            array: [dates, window.height as u64, window.width as u64],
            shard: [dates_per_shard, side as u64, side as u64],
            inner: [u64::from(depth), inner_chunk(side, rows), inner_chunk(side, columns)],
        }
    }

    /// An array of `dates` with one object a date, whatever its size: grid-wide overviews.
    pub fn whole(dates: u64, window: &PixelWindow, preferred: u32) -> Self {
        let inner = u64::from(preferred);
        let up = |n: usize| (n as u64).div_ceil(inner).max(1) * inner;
        Self {
            array: [dates, window.height as u64, window.width as u64],
            shard: [1, up(window.height), up(window.width)],
            inner: [1, inner, inner],
        }
    }
}

/// The largest power of two up to `preferred` that divides `side`.
pub fn inner_chunk(side: usize, preferred: u32) -> u64 {
    let power_in_side = 1u64 << side.trailing_zeros().min(31);
    power_in_side.min(u64::from(preferred))
}

/// A band at a level as an array of its group.
pub fn array_spec(band: &Band, level: u32, shape: Shape, codec: Codec) -> ArraySpec {
    let title = |lang: &str| band.title.get(lang).cloned();
    let mut attributes = Map::new();
    for lang in ["es", "en"] {
        if let Some(t) = title(lang) {
            attributes.insert(format!("title_{lang}"), json!(t));
        }
    }
    if let Some(valid) = band.valid {
        attributes.insert("valid_range_stored".into(), json!(valid));
    }
    if let Some(flags) = &band.flags {
        attributes.insert("flag_table".into(), json!(flags));
    }
    ArraySpec {
        name: array_name(&band.name, level),
        dtype: band.dtype,
        fill: band.nodata,
        mask_fill: band.flags.is_none(),
        shape: shape.array,
        shard: shape.shard,
        inner: shape.inner,
        codec,
        scale: band.scale,
        offset: band.offset,
        unit: band.unit.clone(),
        long_name: title("en").unwrap_or_else(|| band.name.clone()),
        attributes,
    }
}

/// A group over a window of the grid, with pyramid levels `1..=levels`; `level_window` gives each one's pixels.
pub fn group_spec(
    prefix: ObjectKey,
    grid: &GridDef,
    crs: &CrsInfo,
    level_windows: &[PixelWindow],
    time: Vec<Instant>,
    arrays: Vec<ArraySpec>,
    attributes: Map<String, Value>,
) -> GroupSpec {
    let geobox = |level: usize| grid.geobox(&level_windows[level], level as u32);
    let grid_mapping = crs
        .cf_grid_mapping
        .iter()
        .map(|(name, value)| {
            let value = match value {
                CfValue::Number(n) => json!(n),
                CfValue::Numbers(n) => json!(n),
                CfValue::Text(t) => json!(t),
            };
            ((*name).to_owned(), value)
        })
        .collect();
    GroupSpec {
        prefix,
        geobox: geobox(0),
        crs_wkt: crs.wkt2.clone(),
        epsg: crs.epsg,
        grid_mapping,
        time,
        arrays,
        levels: (1..level_windows.len())
            .map(|level| LevelSpec { level: level as u32, geobox: geobox(level) })
            .collect(),
        facts: None,
        attributes,
    }
}
