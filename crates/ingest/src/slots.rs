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
use crate::fuse::{Content, Share, Slot, decide, read_band};
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

    /// Dates that are worked on together: as many as a chunk is deep, where quality decides. Without it all bands of a
    /// date are held anyway.
    pub(crate) fn dates_together(&self) -> usize {
        match (self.form, &self.quality) {
            (Form::Archive, Some(_)) => (self.product.layout.archive.inner[0] as usize).max(1),
            _ => 1,
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
    if c.form == Form::Archive {
        // From the first on, chunks go to their file as they are compressed.
        writers.iter_mut().try_for_each(|writer| writer.pass(0))?;
    }
    let masks = &c.product.masks;
    let mut facts = group.facts(masks);
    let mut result = UnitResult::default();
    let mut times = Vec::new();
    // As many dates together as a chunk is deep: then each band is done with its chunks before the next begins any, and
    // no more than the bands being worked on are held.
    let depth = c.dates_together();
    let table = c.quality.as_ref().map(|(_, table)| table);
    let (mut left, mut slots) = (here.as_slice(), Vec::with_capacity(depth));
    while !left.is_empty() {
        if progress.cancelled() {
            return Err(IngestError::Cancelled);
        }
        let (next, rest) = left.split_at(left.len().min(depth - slots.len()));
        let decided = next
            .par_iter()
            .map(|day| decide(c.product, table, c.grid, tile, day))
            .collect::<Result<Vec<_>, _>>()?;
        for (day, slot) in next.iter().zip(decided) {
            let Some(slot) = slot else { continue };
            c.pixels_read.fetch_add(slot.pixels_read, Ordering::Relaxed);
            let position = times.len() as u64;
            let time = later(day.time(), &times);
            times.push(time);
            slots.push(slot);
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
        left = rest;
        if slots.len() == depth || left.is_empty() {
            let first = (times.len() - slots.len()) as u64;
            write_slots(c, &windows, &mut writers, &mut facts, first, std::mem::take(&mut slots))?;
        }
        progress.advance(next.len() as u64);
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

/// Slots into the group, the first of them at position `first`: all levels and facts, band by band in parallel.
pub(crate) fn write_slots(
    c: &Context<'_>,
    tiles: &[PixelWindow],
    writers: &mut [BandWriter],
    facts: &mut [BandFacts],
    first: u64,
    slots: Vec<Slot<'_>>,
) -> Result<(), IngestError> {
    let (mut judged, mut position) = (Vec::new(), first);
    for Slot { window, content, .. } in slots {
        match content {
            Content::Judged { words, judged: children, shares } => {
                judged.push((position, window, words, children, shares));
            }
            Content::Planes(planes) => write_planes(c, tiles, writers, facts, (position, window), planes)?,
        }
        position += 1;
    }
    let ready = judged
        .into_par_iter()
        .map(|(position, window, words, children, shares)| {
            let windows = level_windows(window, tiles.len());
            let (words, reductions) = quality_levels(c, &windows, words, children)?;
            Ok(Ready { position, windows, words, reductions, shares })
        })
        .collect::<Result<Vec<_>, IngestError>>()?;
    let quality = c.quality.as_ref().map(|(q, _)| *q);
    writers.par_iter_mut().zip(facts).enumerate().try_for_each(|(b, (writer, facts))| {
        for slot in &ready {
            if quality == Some(b) {
                slot.write_words(tiles, writer, facts)?;
            } else {
                slot.write_band(c, b, tiles, writer, facts)?;
            }
        }
        if c.form == Form::Archive {
            writer.pass(position)?;
        }
        Ok(())
    })
}

/// One slot of a product without quality: all its planes.
fn write_planes(
    c: &Context<'_>,
    tiles: &[PixelWindow],
    writers: &mut [BandWriter],
    facts: &mut [BandFacts],
    (position, window): (u64, PixelWindow),
    mut planes: Vec<Pixels>,
) -> Result<(), IngestError> {
    let windows = level_windows(window, tiles.len());
    facts
        .par_iter_mut()
        .zip(&planes)
        .for_each(|(facts, plane)| facts.add(position, &tiles[0], &window, plane));
    for (level, tile) in tiles.iter().enumerate() {
        if level > 0 {
            planes = c.halve(&planes, windows[level - 1].width, windows[level - 1].height)?;
        }
        writers.par_iter_mut().zip(&planes).try_for_each(|(writer, plane)| {
            writer.put(position, level as u32, tile, &windows[level], plane)
        })?;
    }
    Ok(())
}

/// A slot whose quality words are known at every level.
struct Ready<'d> {
    position: u64,
    windows: Vec<PixelWindow>,
    words: Vec<Pixels>,
    /// From each level to the next.
    reductions: Vec<SceneReduction>,
    shares: Vec<Share<'d>>,
}

/// The quality words of each level, which decide there what the other bands' means are made of.
fn quality_levels(
    c: &Context<'_>,
    windows: &[PixelWindow],
    words: Pixels,
    mut judged: Vec<u8>,
) -> Result<(Vec<Pixels>, Vec<SceneReduction>), IngestError> {
    let (mut levels, mut reductions) = (vec![words], Vec::new());
    let Some((q, table)) = &c.quality else { return Ok((levels, reductions)) };
    for (below, w) in windows.iter().take(windows.len().saturating_sub(1)).enumerate() {
        let reduction = SceneReduction::judged(w.width, w.height, &judged).map_err(size)?;
        let words = reduced(&reduction, &levels[below], &c.bands[*q])?;
        judged = table.judged(&words);
        levels.push(words);
        reductions.push(reduction);
    }
    Ok((levels, reductions))
}

impl Ready<'_> {
    fn write_words(
        &self,
        tiles: &[PixelWindow],
        writer: &mut BandWriter,
        facts: &mut BandFacts,
    ) -> Result<(), IngestError> {
        facts.add(self.position, &tiles[0], &self.windows[0], &self.words[0]);
        for (level, words) in self.words.iter().enumerate() {
            writer.put(self.position, level as u32, &tiles[level], &self.windows[level], words)?;
        }
        Ok(())
    }

    fn write_band(
        &self,
        c: &Context<'_>,
        b: usize,
        tiles: &[PixelWindow],
        writer: &mut BandWriter,
        facts: &mut BandFacts,
    ) -> Result<(), IngestError> {
        let m = &c.product.measurements[b];
        let mut plane = PLANE.take().unwrap_or(Pixels::empty(m.dtype));
        if read_band(&self.shares, m, &self.windows[0], &mut plane)? {
            facts.add(self.position, &tiles[0], &self.windows[0], &plane);
            writer.put(self.position, 0, &tiles[0], &self.windows[0], &plane)?;
            let mut above = None;
            for (level, tile) in tiles.iter().enumerate().skip(1) {
                let below = above.as_ref().unwrap_or(&plane);
                let reduced = reduced(&self.reductions[level - 1], below, &c.bands[b])?;
                writer.put(self.position, level as u32, tile, &self.windows[level], &reduced)?;
                above = Some(reduced);
            }
        }
        PLANE.set(Some(plane));
        Ok(())
    }
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
