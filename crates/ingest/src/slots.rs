//! A unit of an ingest: slots of one tile and their pyramids into the store, as one group.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tesela_crs::CrsInfo;
use tesela_grid::{GridDef, PixelWindow, TileId};
use tesela_index::{NewGroup, NewObject, NewSlot};
use tesela_layout::facts::BandFacts;
use tesela_layout::names::slots_prefix;
use tesela_layout::{BandWriter, Form, SlotsGroup};
use tesela_model::{Band, Instant, ProductDef, Progress, PyramidRule};
use tesela_raster::{Sample, SceneReduction};
use tesela_store::{ObjectInfo, ObjectKey, Pixels, Store};

use crate::IngestError;
use crate::fuse::{Content, Slot, decide, read_band};
use crate::plan::Day;
use crate::quality::QualityTable;

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
    /// Index of the quality band, and what its words say.
    pub quality: Option<(usize, QualityTable)>,
    /// How level 0 is cut into objects.
    pub form: Form,
    /// Pixels read from files so far, over all bands.
    pub pixels_read: AtomicU64,
}

/// What one unit became: what is staged, and committed with the others of its batch.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct UnitResult {
    /// The group, if any slot had pixels.
    pub group: Option<NewGroup>,
    /// Its slots.
    pub slots: Vec<NewSlot>,
}

impl<'c> Context<'c> {
    /// For one run.
    pub fn new(
        product: &'c ProductDef,
        grid: &'c GridDef,
        crs: &'c CrsInfo,
        store: &'c Store,
        run: &'c str,
        form: Form,
    ) -> Self {
        let flags = product.measurements.iter().position(|m| m.flags.is_some());
        Self {
            product,
            bands: product.measurements.iter().map(Band::from).collect(),
            grid,
            crs,
            store,
            run,
            quality: flags.zip(QualityTable::new(product)),
            form,
            pixels_read: AtomicU64::new(0),
        }
    }

    /// Which children the next level of a set of planes is made of.
    ///
    /// # Errors
    /// Never in practice: sizes are ours.
    fn reduction(
        &self,
        planes: &[Pixels],
        width: usize,
        height: usize,
    ) -> Result<SceneReduction, IngestError> {
        if let Some((q, table)) = &self.quality {
            return SceneReduction::judged(width, height, &table.judged(&planes[*q])).map_err(size);
        }
        let fill: Vec<bool> = (0..width * height)
            .map(|i| planes.iter().zip(&self.bands).all(|(p, b)| p.get_f64(i).is_none_or(|v| b.is_nodata(v))))
            .collect();
        let clear: Vec<bool> = fill.iter().map(|f| !f).collect();
        SceneReduction::new(width, height, &clear, &fill).map_err(size)
    }

    /// The next pyramid level of a set of planes.
    ///
    /// # Errors
    /// Never in practice: sizes are ours.
    pub fn halve(&self, planes: &[Pixels], width: usize, height: usize) -> Result<Vec<Pixels>, IngestError> {
        let reduction = self.reduction(planes, width, height)?;
        planes.par_iter().zip(&self.bands).map(|(plane, band)| reduced(&reduction, plane, band)).collect()
    }
}

/// A band's plane at the next level.
fn reduced(reduction: &SceneReduction, plane: &Pixels, band: &Band) -> Result<Pixels, IngestError> {
    Ok(match plane {
        Pixels::U8(v) => Pixels::U8(reduce(reduction, v, band.nodata as u8, band.pyramid)?),
        Pixels::U16(v) => Pixels::U16(reduce(reduction, v, band.nodata as u16, band.pyramid)?),
        Pixels::I16(v) => Pixels::I16(reduce(reduction, v, band.nodata as i16, band.pyramid)?),
        Pixels::F32(v) => Pixels::F32(reduce(reduction, v, band.nodata as f32, band.pyramid)?),
    })
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

/// Writes slots of one tile, day by day in time order, as the group numbered `number` of the run.
///
/// # Errors
/// [`IngestError`] of reading a scene or of the store.
pub fn write_unit(
    c: &Context<'_>,
    tile: TileId,
    days: &[&Day],
    number: usize,
    progress: &dyn Progress,
) -> Result<UnitResult, IngestError> {
    let prefix = ObjectKey::new(&slots_prefix(&c.product.product, tile, c.run, number))?;
    let group = SlotsGroup {
        prefix: prefix.clone(),
        tile,
        bands: &c.bands,
        grid: c.grid,
        crs: c.crs,
        layout: c.product.layout,
        form: c.form,
        planned: days.len() as u64,
    };
    let windows = group.windows();
    let here: Vec<Day> = days.iter().map(|day| day.within(&windows[0])).collect();
    let mut writers =
        c.bands.iter().map(|band| group.band_writer(c.store, band)).collect::<Result<Vec<_>, _>>()?;
    let masks = &c.product.masks;
    let mut facts = group.facts(masks);
    let mut result = UnitResult::default();
    let mut times = Vec::new();
    for day in &here {
        if progress.cancelled() {
            return Err(IngestError::Cancelled);
        }
        let table = c.quality.as_ref().map(|(_, table)| table);
        if let Some(slot) = decide(c.product, table, c.grid, tile, day)? {
            c.pixels_read.fetch_add(slot.pixels_read, Ordering::Relaxed);
            let position = times.len() as u64;
            write_slot(c, &windows, &mut writers, &mut facts, position, slot)?;
            let time = later(day.time(), &times);
            times.push(time);
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
    let written: Vec<Vec<ObjectInfo>> =
        writers.into_par_iter().map(BandWriter::finish).collect::<Result<_, _>>()?;
    let mut objects: Vec<ObjectInfo> = written.into_iter().flatten().collect();
    let mut spec = group.spec(times);
    objects.extend(group.put_facts(c.store, &facts, masks, &mut spec)?);
    objects.extend(c.store.write_group(&spec)?);
    result.group = Some(NewGroup {
        prefix: prefix.as_str().into(),
        archive: c.form == Form::Archive,
        objects: objects.iter().map(new_object).collect(),
    });
    Ok(result)
}

thread_local! {
    /// This thread's plane of a band: fresh memory for each would cost a page fault every 4 kB.
    static PLANE: Cell<Option<Pixels>> = const { Cell::new(None) };
}

/// One slot into the group, all levels and facts, band by band in parallel.
pub(crate) fn write_slot(
    c: &Context<'_>,
    tiles: &[PixelWindow],
    writers: &mut [BandWriter],
    facts: &mut [BandFacts],
    position: u64,
    slot: Slot<'_>,
) -> Result<(), IngestError> {
    let windows = level_windows(slot.window, tiles.len());
    let pass = |writer: &mut BandWriter| match c.form {
        Form::Archive => writer.pass(position + 1),
        Form::Recent => Ok(()),
    };
    let (words, judged, shares) = match slot.content {
        Content::Judged { words, judged, shares } => (words, judged, shares),
        Content::Planes(mut planes) => {
            facts
                .par_iter_mut()
                .zip(&planes)
                .for_each(|(facts, plane)| facts.add(position, &tiles[0], &slot.window, plane));
            for (level, tile) in tiles.iter().enumerate() {
                if level > 0 {
                    planes = c.halve(&planes, windows[level - 1].width, windows[level - 1].height)?;
                }
                writers.par_iter_mut().zip(&planes).try_for_each(|(writer, plane)| {
                    writer.put(position, level as u32, tile, &windows[level], plane)
                })?;
            }
            return Ok(writers.par_iter_mut().try_for_each(pass)?);
        }
    };
    // Quality decides, at every level, which pixels the other bands' means are made of.
    let quality = c.quality.as_ref().map(|(q, table)| (*q, table));
    let (mut levels, mut reductions) = (vec![words], Vec::new());
    if let Some((q, table)) = quality {
        let mut judged = judged;
        for (below, w) in windows.iter().take(tiles.len().saturating_sub(1)).enumerate() {
            let reduction = SceneReduction::judged(w.width, w.height, &judged).map_err(size)?;
            let words = reduced(&reduction, &levels[below], &c.bands[q])?;
            judged = table.judged(&words);
            levels.push(words);
            reductions.push(reduction);
        }
    }
    writers.par_iter_mut().zip(facts).enumerate().try_for_each(|(b, (writer, facts))| {
        if quality.is_some_and(|(q, _)| q == b) {
            facts.add(position, &tiles[0], &slot.window, &levels[0]);
            for (level, words) in levels.iter().enumerate() {
                writer.put(position, level as u32, &tiles[level], &windows[level], words)?;
            }
        } else {
            let m = &c.product.measurements[b];
            let mut plane = PLANE.take().unwrap_or(Pixels::empty(m.dtype));
            if read_band(&shares, m, &slot.window, &mut plane)? {
                facts.add(position, &tiles[0], &slot.window, &plane);
                writer.put(position, 0, &tiles[0], &windows[0], &plane)?;
                let mut above = None;
                for (level, tile) in tiles.iter().enumerate().skip(1) {
                    let below = above.as_ref().unwrap_or(&plane);
                    let reduced = reduced(&reductions[level - 1], below, &c.bands[b])?;
                    writer.put(position, level as u32, tile, &windows[level], &reduced)?;
                    above = Some(reduced);
                }
            }
            PLANE.set(Some(plane));
        }
        Ok(pass(writer)?)
    })
}

/// A slot's window at each level.
fn level_windows(window: PixelWindow, levels: usize) -> Vec<PixelWindow> {
    let halved = |w: &PixelWindow| {
        let (px, py) = (w.px.div_euclid(2), w.py.div_euclid(2));
        Some(PixelWindow::new(px, py, w.width.div_ceil(2), w.height.div_ceil(2)))
    };
    std::iter::successors(Some(window), halved).take(levels).collect()
}

/// The date itself, or one second past the last: a group's time axis never repeats.
pub(crate) fn later(time: Instant, times: &[Instant]) -> Instant {
    times.last().map_or(time, |last| Instant(time.0.max(last.0 + 1)))
}

pub(crate) fn new_object(o: &ObjectInfo) -> NewObject {
    NewObject { key: o.key.as_str().into(), bytes: o.bytes, digest: o.digest.clone() }
}
