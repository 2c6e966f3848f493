//! Which arrays a view has, over which dates and pixels.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use tesela_crs::crs_info;
use tesela_grid::{PixelWindow, TileId};
use tesela_index::{GenerationRow, ProductKind};
use tesela_layout::names::{TILE_LEVELS, array_name, coarsest_level, tiles_extent, tiles_window};
use tesela_layout::{Shape, array_spec, group_spec, inner_chunk};
use tesela_model::Instant;
use tesela_store::{ArrayRef, ArraySpec, Chunking, Codec, ObjectKey, PresentedGroup, TimeCoordinate};

use super::read::values_differ;
use super::{Source, View, ViewArray};
use crate::catalog::{Catalog, Product};
use crate::cube::DayRow;
use crate::{ComputeError, Cube};

/// Largest side of a chunk that is encoded when it is asked for, pixels: 512 KiB of 16-bit values.
const PLAIN_SIDE: u32 = 512;
/// Side of the inner chunks of shards that an export encodes, pixels.
const EXPORT_INNER: u32 = 256;
const DAY_S: i64 = 86_400;

/// Who will read a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Clients, chunk by chunk.
    Serve,
    /// A directory is written of it.
    Export,
}

/// What decides a view beside the product.
struct Axes {
    time: Vec<Instant>,
    along_time: Vec<TimeCoordinate>,
    /// South-western tile, and one past the north-eastern.
    extent: (TileId, TileId),
    source: Source,
}

impl View {
    pub(crate) fn to_serve(
        cube: &Cube,
        catalog: &Catalog,
        product: &str,
        snapshot: u64,
    ) -> Result<Self, ComputeError> {
        Self::build(cube, catalog, product, snapshot, Purpose::Serve)
    }

    pub(super) fn build(
        cube: &Cube,
        catalog: &Catalog,
        product: &str,
        snapshot: u64,
        purpose: Purpose,
    ) -> Result<Self, ComputeError> {
        let product = catalog.product(product)?.clone();
        let axes = match product.kind {
            ProductKind::Derived => periods(cube, &product, snapshot)?,
            ProductKind::Scenes => days(cube, &product, snapshot)?,
        };
        let axes = axes.ok_or_else(|| ComputeError::NoData {
            product: product.id.clone(),
            time: "any time".into(),
            hint: format!("it is empty at snapshot {snapshot}"),
        })?;
        let dates = axes.time.len() as u64;
        let (levels, source) = match axes.source {
            Source::Objects(rows) => match as_stored(cube, &product, &rows, axes.extent)? {
                Some(levels) => (levels, Source::Objects(rows)),
                None => (encoded(&product, dates, axes.extent, purpose), Source::Generations(rows)),
            },
            other => (encoded(&product, dates, axes.extent, purpose), other),
        };
        let chunking = match (&source, purpose) {
            (Source::Objects(_), _) | (_, Purpose::Export) => Chunking::Shards,
            _ => Chunking::Plain,
        };
        let windows: Vec<PixelWindow> = levels.iter().map(|(window, _)| *window).collect();
        let specs: Vec<ArraySpec> = levels.into_iter().flat_map(|(_, specs)| specs).collect();
        let group = group_spec(
            ObjectKey::new("view")?,
            &product.grid,
            crs_info(&product.grid.crs)?.as_ref(),
            &windows,
            axes.time,
            specs,
            attributes(&product, &source, snapshot, catalog.synthetic),
        );
        let presented = PresentedGroup { group, chunking, along_time: axes.along_time };
        let documents = presented.documents()?;
        let group = presented.group;
        let mut hasher = blake3::Hasher::new();
        hasher.update(concat!(env!("CARGO_PKG_VERSION"), "\n").as_bytes());
        for (key, bytes) in &documents {
            hasher.update(key.as_bytes()).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        }
        let bands = product.bands.len();
        let arrays = group.arrays.iter().enumerate().map(|(i, spec)| {
            let chunk = if chunking == Chunking::Plain { spec.inner } else { spec.shard };
            let level = i / bands;
            let array = ViewArray {
                band: i % bands,
                level: level as u32,
                window: windows[level],
                spec: spec.clone(),
                chunk,
            };
            (spec.name.clone(), array)
        });
        Ok(Self {
            arrays: arrays.collect(),
            documents: documents.into_iter().map(|(key, bytes)| (key, bytes.into())).collect(),
            digest: hasher.finalize(),
            group,
            product,
            snapshot,
            source,
        })
    }
}

/// Periods over the tiles of all of them.
fn periods(cube: &Cube, product: &Product, snapshot: u64) -> Result<Option<Axes>, ComputeError> {
    let rows = cube.generations(&product.id, snapshot)?;
    let corners =
        rows.iter().flat_map(|r| [r.tile_min, TileId { ix: r.tile_end.ix - 1, iy: r.tile_end.iy - 1 }]);
    let Some(extent) = tiles_extent(corners) else { return Ok(None) };
    let time = ascending(rows.iter().map(|r| r.period.start));
    Ok(Some(Axes { time, along_time: Vec::new(), extent, source: Source::Objects(rows) }))
}

/// Solar days and platforms over the tiles of all of them.
fn days(cube: &Cube, product: &Product, snapshot: u64) -> Result<Option<Axes>, ComputeError> {
    let days = cube.days(&product.id, snapshot)?;
    let Some(extent) = tiles_extent(cube.index().slot_tiles(&product.id, snapshot)?) else { return Ok(None) };
    let time = ascending(days.iter().map(|d| d.time));
    let along_time = vec![solar_day(&days), platform(&days)];
    Ok(Some(Axes { time, along_time, extent, source: Source::Days(days) }))
}

/// A time axis that never repeats: an instant that is taken becomes a second later.
fn ascending(times: impl Iterator<Item = Instant>) -> Vec<Instant> {
    let mut out: Vec<Instant> = Vec::new();
    for time in times {
        out.push(out.last().map_or(time, |last| Instant(time.0.max(last.0 + 1))));
    }
    out
}

fn solar_day(days: &[DayRow]) -> TimeCoordinate {
    let day = |d: &DayRow| {
        let midnight = d.solar_day.parse().map_or(d.time, Instant::at_midnight);
        midnight.0.div_euclid(DAY_S)
    };
    TimeCoordinate {
        name: "solar_day".into(),
        values: days.iter().map(day).collect(),
        attributes: object(json!({
            "long_name": "local solar day of the acquisition",
            "units": "days since 1970-01-01", "calendar": "proleptic_gregorian",
        })),
    }
}

/// Platforms as their numbers (8 is `landsat-8`), or counted from 1 where those are not one each.
fn platform(days: &[DayRow]) -> TimeCoordinate {
    let mut names: Vec<&str> = days.iter().map(|d| d.platform.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let own = |name: &&str| name.rsplit('-').next()?.parse().ok().filter(|n: &i64| (0..100).contains(n));
    let mut codes: Vec<i64> = names.iter().filter_map(own).collect();
    let mut distinct = codes.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() != names.len() {
        codes = (1..=names.len() as i64).collect();
    }
    let code = |d: &DayRow| names.binary_search(&d.platform.as_str()).map_or(0, |i| codes[i]);
    TimeCoordinate {
        name: "platform".into(),
        values: days.iter().map(code).collect(),
        attributes: object(json!({
            "long_name": "satellite", "flag_values": codes, "flag_meanings": names.join(" "),
        })),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// One level: its pixels, and its arrays in the order of the product's bands.
type Level = (PixelWindow, Vec<ArraySpec>);

/// Level 0 as it is encoded when asked for.
fn encoded(product: &Product, dates: u64, extent: (TileId, TileId), purpose: Purpose) -> Vec<Level> {
    let window = tiles_window(&product.grid, extent.0, extent.1, 0);
    let side = product.grid.level_tile_size(0);
    let (inner, codec) = match purpose {
        Purpose::Serve => (inner_chunk(side, PLAIN_SIDE), Codec::Lz4Bit),
        Purpose::Export => (inner_chunk(side, EXPORT_INNER), Codec::Zstd5Byte),
    };
    let shape = Shape {
        array: [dates, window.height as u64, window.width as u64],
        shard: [1, side as u64, side as u64],
        inner: [1, inner, inner],
    };
    vec![(window, product.bands.iter().map(|b| array_spec(b, 0, shape, codec)).collect())]
}

/// Levels whose arrays' shards are the stored objects; `None` when rasters are cut up or compressed in several
/// ways, so that no one array can be made of their objects.
fn as_stored(
    cube: &Cube,
    product: &Product,
    rows: &[GenerationRow],
    (min, end): (TileId, TileId),
) -> Result<Option<Vec<Level>>, ComputeError> {
    let one_extent = rows.iter().all(|r| (r.tile_min, r.tile_end) == (min, end));
    let top = if one_extent { coarsest_level(&product.grid, min, end) } else { TILE_LEVELS };
    let mut levels = Vec::new();
    for level in 0..=top {
        let window = tiles_window(&product.grid, min, end, level);
        let mut specs = Vec::new();
        for band in &product.bands {
            let name = array_name(&band.name, level);
            let mut spec: Option<ArraySpec> = None;
            for row in rows {
                let Some(stored) = cube.open_if_there(&ObjectKey::new(&row.prefix)?, &name)? else {
                    continue;
                };
                let spec = match &spec {
                    Some(spec) => spec,
                    None => {
                        let array = [rows.len() as u64, window.height as u64, window.width as u64];
                        let shape = Shape { array, shard: stored.shard(), inner: stored.inner() };
                        let codec = stored.codec().unwrap_or(Codec::Zstd5Byte);
                        spec.insert(array_spec(band, level, shape, codec))
                    }
                };
                if let Some(problem) = values_differ(&stored, spec) {
                    return Err(ComputeError::View { product: product.id.clone(), problem });
                }
                if !fits(product, &stored, spec, level) {
                    return Ok(None);
                }
            }
            let Some(spec) = spec else {
                // No raster has the band (yet, or at this level): there is no layout to follow.
                return Ok(None);
            };
            specs.push(spec);
        }
        levels.push((window, specs));
    }
    Ok(Some(levels))
}

/// Whether a stored array's objects can be an array's shards.
fn fits(product: &Product, stored: &ArrayRef, spec: &ArraySpec, level: u32) -> bool {
    let side = product.grid.level_tile_size(level) as u64;
    let by_tile = level > TILE_LEVELS || stored.shard() == [1, side, side];
    by_tile
        && stored.shape()[0] == 1
        && stored.shard() == spec.shard
        && stored.inner() == spec.inner
        && stored.codec() == Some(spec.codec)
}

fn attributes(product: &Product, source: &Source, snapshot: u64, synthetic: bool) -> Map<String, Value> {
    let mut attributes = Map::new();
    let mut set = |name: &str, value: Value| attributes.insert(name.to_owned(), value);
    set("title", product.title.get("en").cloned().unwrap_or_default().into());
    set("tesela_product", product.id.clone().into());
    set("tesela_snapshot", snapshot.into());
    set("tesela_view", format!("/zarr/{}@{snapshot}", product.id).into());
    set("tesela_status", product.status.as_str().into());
    if synthetic {
        set("synthetic", true.into());
    }
    if let Source::Objects(rows) | Source::Generations(rows) = source {
        let period = |row: &GenerationRow| {
            json!({
                "period": row.period.label(),
                "start": row.period.start.to_string(),
                "end": row.period.end.to_string(),
                "snapshot": row.added,
                "provenance": serde_json::from_str::<Value>(&row.provenance).unwrap_or_default(),
            })
        };
        set("tesela_periods", rows.iter().map(period).collect());
    }
    attributes
}

/// A view of a product to be exported.
pub(super) fn to_export(
    cube: &Cube,
    product: &str,
    snapshot: Option<u64>,
) -> Result<Arc<View>, ComputeError> {
    let catalog = cube.fresh_catalog()?;
    let snapshot = cube.snapshot(snapshot)?;
    Ok(Arc::new(View::build(cube, &catalog, product, snapshot, Purpose::Export)?))
}
