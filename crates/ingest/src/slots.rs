//! A batch's slots and their pyramids into the store: one group a tile, level 0 as one object per slot and band,
//! levels 1 to 3 as one object per group and band.

use tesela_crs::CrsInfo;
use tesela_grid::{GridDef, PixelWindow, TileId};
use tesela_index::{NewGroup, NewObject, NewSlot};
use tesela_layout::names::{TILE_LEVELS, slots_prefix};
use tesela_layout::{Shape, array_spec, group_spec};
use tesela_model::landsat::FlagMask;
use tesela_model::{Band, Instant, ProductDef, Progress, PyramidRule};
use tesela_raster::{Sample, SceneReduction};
use tesela_store::{ArrayRef, Codec, ObjectInfo, ObjectKey, Pixels, ShardWriter, Store};

use crate::IngestError;
use crate::fuse::{SlotPixels, fuse};
use crate::plan::{Day, DayKey};

/// What all writers of one ingest share.
pub struct Context<'c> {
    /// The product.
    pub product: &'c ProductDef,
    /// Its bands, in order.
    pub bands: Vec<Band>,
    /// Its grid.
    pub grid: &'c GridDef,
    /// The grid's CRS.
    pub crs: &'c CrsInfo,
    /// Where pixels go.
    pub store: &'c Store,
    /// This run.
    pub run: &'c str,
    /// Index of the quality band.
    pub quality: Option<usize>,
    /// Flags that mean "no observation".
    pub fill: Option<FlagMask>,
    /// Flags of the standard mask.
    pub hidden: Option<FlagMask>,
}

/// A day's level-3 pixels in one tile: what overviews are made from.
#[derive(Debug, Clone)]
pub struct TopLevel {
    /// Tile.
    pub tile: TileId,
    /// Day and platform.
    pub day: DayKey,
    /// Time of the slot.
    pub time: Instant,
    /// Level-3 window.
    pub window: PixelWindow,
    /// One plane a band.
    pub planes: Vec<Pixels>,
}

/// What one tile's part of a batch became.
#[derive(Debug, Default)]
pub struct TileResult {
    /// The group, if any slot had pixels.
    pub group: Option<NewGroup>,
    /// Its slots.
    pub slots: Vec<NewSlot>,
    /// Level-3 pixels of each slot.
    pub tops: Vec<TopLevel>,
}

impl Context<'_> {
    /// Which pixels of a level are fill, and which pass the standard mask.
    fn clear_and_fill(&self, planes: &[Pixels]) -> (Vec<bool>, Vec<bool>) {
        let n = planes.first().map_or(0, Pixels::len);
        if let Some(q) = self.quality {
            let nodata = self.bands[q].nodata;
            let word = |i: usize| planes[q].get_f64(i).unwrap_or(nodata);
            let is = |mask: &Option<FlagMask>, w: f64| mask.as_ref().is_some_and(|m| m.matches(w as i32));
            let fill: Vec<bool> = (0..n).map(|i| word(i) == nodata || is(&self.fill, word(i))).collect();
            let clear = (0..n).map(|i| !fill[i] && !is(&self.hidden, word(i))).collect();
            return (clear, fill);
        }
        let fill: Vec<bool> = (0..n)
            .map(|i| planes.iter().zip(&self.bands).all(|(p, b)| p.get_f64(i).is_none_or(|v| b.is_nodata(v))))
            .collect();
        (fill.iter().map(|f| !f).collect(), fill)
    }

    /// The next pyramid level of a set of planes.
    ///
    /// # Errors
    /// Never in practice: sizes are ours.
    pub fn halve(&self, planes: &[Pixels], width: usize, height: usize) -> Result<Vec<Pixels>, IngestError> {
        let (clear, fill) = self.clear_and_fill(planes);
        let reduction = SceneReduction::new(width, height, &clear, &fill).map_err(size)?;
        planes
            .iter()
            .zip(&self.bands)
            .map(|(plane, band)| {
                Ok(match plane {
                    Pixels::U8(v) => Pixels::U8(reduce(&reduction, v, band.nodata as u8, band.pyramid)?),
                    Pixels::U16(v) => Pixels::U16(reduce(&reduction, v, band.nodata as u16, band.pyramid)?),
                    Pixels::I16(v) => Pixels::I16(reduce(&reduction, v, band.nodata as i16, band.pyramid)?),
                    Pixels::F32(v) => Pixels::F32(reduce(&reduction, v, band.nodata as f32, band.pyramid)?),
                })
            })
            .collect()
    }
}

fn reduce<T: Sample>(
    r: &SceneReduction,
    v: &[T],
    nodata: T,
    rule: PyramidRule,
) -> Result<Vec<T>, IngestError> {
    match rule {
        PyramidRule::Mean => r.mean(v, nodata),
        PyramidRule::Mode | PyramidRule::Qa => r.quality(v, nodata),
        PyramidRule::Max => r.max(v, nodata),
    }
    .map_err(size)
}

pub(crate) fn size(e: tesela_raster::RasterError) -> IngestError {
    IngestError::Geometry { path: "pyramid".into(), problem: e.to_string() }
}

/// Writes one tile's slots of a batch, day by day in time order.
///
/// # Errors
/// [`IngestError`] of reading a scene or of the store.
pub fn write_tile(
    c: &Context<'_>,
    tile: TileId,
    days: &[&Day],
    batch: usize,
    progress: &dyn Progress,
) -> Result<TileResult, IngestError> {
    let prefix = ObjectKey::new(&slots_prefix(&c.product.product, tile, c.run, batch))?;
    let planned = days.len() as u64;
    let windows: Vec<PixelWindow> = (0..=TILE_LEVELS).map(|l| c.grid.tile_window(tile, l)).collect();
    let mut result = TileResult::default();
    let mut objects = Vec::new();
    let mut writers = level_writers(c, &prefix, &windows, planned)?;
    let mut times = Vec::new();
    for day in days {
        if progress.cancelled() {
            return Err(IngestError::Cancelled);
        }
        if let Some(slot) = fuse(c.product, c.grid, tile, day)? {
            let position = times.len() as u64;
            objects.extend(write_level_0(c, &prefix, &windows[0], planned, position, &slot)?);
            let top = write_levels(c, &windows, &mut writers, position, &slot)?;
            let time = later(day.time(), &times);
            times.push(time);
            result.tops.push(TopLevel { tile, day: day.key, time, window: top.window, planes: top.planes });
            result.slots.push(NewSlot {
                tile,
                solar_day: day.key.solar_day.to_string(),
                time,
                platform: day.key.platform.into(),
                prefix: prefix.as_str().into(),
                position,
                scenes: day.scenes.iter().map(|s| s.source.product_id.clone()).collect(),
            });
        }
        progress.advance(1);
    }
    if times.is_empty() {
        return Ok(result);
    }
    let dates = times.len() as u64;
    for writer in writers {
        objects.extend(writer.finish()?);
    }
    let mut specs = Vec::new();
    for (level, window) in windows.iter().enumerate() {
        for band in &c.bands {
            let shape = level_shape(c, window, level as u32, dates, planned);
            specs.push(array_spec(band, level as u32, shape, Codec::Lz4Bit));
        }
    }
    let spec = group_spec(prefix.clone(), c.grid, c.crs, &windows, times, specs, serde_json::Map::new());
    objects.extend(c.store.write_group(&spec)?);
    result.group =
        Some(NewGroup { prefix: prefix.as_str().into(), objects: objects.iter().map(new_object).collect() });
    Ok(result)
}

/// The date itself, or one second past the last: a group's time axis never repeats.
pub(crate) fn later(time: Instant, times: &[Instant]) -> Instant {
    times.last().map_or(time, |last| Instant(time.0.max(last.0 + 1)))
}

pub(crate) fn new_object(o: &ObjectInfo) -> NewObject {
    NewObject { key: o.key.as_str().into(), bytes: o.bytes, digest: o.digest.clone() }
}

/// Level 0 has one object a date; levels 1 to 3 have one for all the group's dates.
fn level_shape(c: &Context<'_>, window: &PixelWindow, level: u32, dates: u64, planned: u64) -> Shape {
    let dates_per_shard = if level == 0 { 1 } else { planned };
    Shape::tiled(dates, window, dates_per_shard, window.width, c.product.layout.inner_chunk)
}

fn level_writers(
    c: &Context<'_>,
    prefix: &ObjectKey,
    windows: &[PixelWindow],
    planned: u64,
) -> Result<Vec<ShardWriter>, IngestError> {
    let mut writers = Vec::new();
    for (level, window) in windows.iter().enumerate().skip(1) {
        for band in &c.bands {
            let shape = level_shape(c, window, level as u32, planned, planned);
            let array = ArrayRef::from_spec(prefix, &array_spec(band, level as u32, shape, Codec::Lz4Bit))?;
            writers.push(c.store.shard_writer(&array, [0, 0, 0])?);
        }
    }
    Ok(writers)
}

fn write_level_0(
    c: &Context<'_>,
    prefix: &ObjectKey,
    tile: &PixelWindow,
    planned: u64,
    position: u64,
    slot: &SlotPixels,
) -> Result<Vec<ObjectInfo>, IngestError> {
    use rayon::prelude::*;
    let (y0, x0) = ((slot.window.py - tile.py) as u64, (slot.window.px - tile.px) as u64);
    let written: Vec<Option<ObjectInfo>> = c
        .bands
        .par_iter()
        .zip(&slot.planes)
        .map(|(band, plane)| {
            let shape = level_shape(c, tile, 0, planned, planned);
            let array = ArrayRef::from_spec(prefix, &array_spec(band, 0, shape, Codec::Lz4Bit))?;
            let mut writer = c.store.shard_writer(&array, [position, 0, 0])?;
            writer.put_window(0, y0, x0, slot.window.height, slot.window.width, plane)?;
            Ok::<_, IngestError>(writer.finish()?)
        })
        .collect::<Result<_, _>>()?;
    Ok(written.into_iter().flatten().collect())
}

/// Adds a slot's levels 1 to 3 to the group's shards and returns level 3.
fn write_levels(
    c: &Context<'_>,
    windows: &[PixelWindow],
    writers: &mut [ShardWriter],
    position: u64,
    slot: &SlotPixels,
) -> Result<SlotPixels, IngestError> {
    let mut below = slot.clone();
    for level in 1..windows.len() {
        let planes = c.halve(&below.planes, below.window.width, below.window.height)?;
        let w = below.window;
        let window = PixelWindow::new(
            w.px.div_euclid(2),
            w.py.div_euclid(2),
            w.width.div_ceil(2),
            w.height.div_ceil(2),
        );
        let tile = windows[level];
        let (y0, x0) = ((window.py - tile.py) as u64, (window.px - tile.px) as u64);
        let writers = &mut writers[(level - 1) * c.bands.len()..level * c.bands.len()];
        for (writer, plane) in writers.iter_mut().zip(&planes) {
            writer.put_window(position, y0, x0, window.height, window.width, plane)?;
        }
        below = SlotPixels { window, planes };
    }
    Ok(below)
}
