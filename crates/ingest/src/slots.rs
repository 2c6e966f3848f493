//! A unit of an ingest: slots of one tile and their pyramids into the store, as one group.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tesela_crs::CrsInfo;
use tesela_grid::{GridDef, PixelWindow, TileId};
use tesela_index::{NewGroup, NewObject, NewSlot};
use tesela_layout::names::slots_prefix;
use tesela_layout::{BandWriter, Form, SlotsGroup};
use tesela_model::{Band, Instant, ProductDef, Progress, PyramidRule};
use tesela_raster::{Sample, SceneReduction};
use tesela_store::{ObjectInfo, ObjectKey, Pixels, Store};

use crate::IngestError;
use crate::fuse::{QualityTable, SlotPixels, fuse};
use crate::plan::Day;

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

    /// Which pixels of a level are fill, and which pass the standard mask.
    fn clear_and_fill(&self, planes: &[Pixels]) -> (Vec<bool>, Vec<bool>) {
        let n = planes.first().map_or(0, Pixels::len);
        if let Some((q, table)) = &self.quality {
            let (mut clear, mut fill) = (vec![false; n], vec![false; n]);
            table.each(&planes[*q], |i, is_fill, is_clear| (fill[i], clear[i]) = (is_fill, is_clear));
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
            .par_iter()
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
        if let Some((slot, read)) =
            fuse(c.product, c.quality.as_ref().map(|(_, table)| table), c.grid, tile, day)?
        {
            c.pixels_read.fetch_add(read, Ordering::Relaxed);
            let position = times.len() as u64;
            facts
                .par_iter_mut()
                .zip(&slot.planes)
                .for_each(|(facts, plane)| facts.add(position, &windows[0], &slot.window, plane));
            write_slot(c, &windows, &mut writers, position, slot)?;
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

/// One slot into the group, all levels, band by band in parallel.
pub(crate) fn write_slot(
    c: &Context<'_>,
    windows: &[PixelWindow],
    writers: &mut [BandWriter],
    position: u64,
    slot: SlotPixels,
) -> Result<(), IngestError> {
    let mut slot = slot;
    for (level, tile) in windows.iter().enumerate() {
        if level > 0 {
            let planes = c.halve(&slot.planes, slot.window.width, slot.window.height)?;
            let w = slot.window;
            let window = PixelWindow::new(
                w.px.div_euclid(2),
                w.py.div_euclid(2),
                w.width.div_ceil(2),
                w.height.div_ceil(2),
            );
            slot = SlotPixels { window, planes };
        }
        writers
            .par_iter_mut()
            .zip(&slot.planes)
            .try_for_each(|(writer, plane)| writer.put(position, level as u32, tile, &slot.window, plane))?;
    }
    if c.form == Form::Archive {
        writers.par_iter_mut().try_for_each(|writer| writer.pass(position + 1))?;
    }
    Ok(())
}

/// The date itself, or one second past the last: a group's time axis never repeats.
pub(crate) fn later(time: Instant, times: &[Instant]) -> Instant {
    times.last().map_or(time, |last| Instant(time.0.max(last.0 + 1)))
}

pub(crate) fn new_object(o: &ObjectInfo) -> NewObject {
    NewObject { key: o.key.as_str().into(), bytes: o.bytes, digest: o.digest.clone() }
}
