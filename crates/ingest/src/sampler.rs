//! Where a slot's pixels lie in one scene's rasters, and what those hold there.
//!
//! Scenes on the grid's own pixels are copied bit for bit; others are warped once.

use std::cell::Cell;

use tesela_crs::with_transformer;
use tesela_grid::{GridDef, PixelWindow};
use tesela_model::{DType, Measurement, Resampling};
use tesela_raster::{NearestIndex, RasterError, Sample, Source, SourceGrid, gather_part};
use tesela_store::Pixels;

use crate::IngestError;
use crate::plan::PlannedScene;
use crate::raster::{read_window, read_window_into};
use crate::taken::Taken;

/// How far past the scene's window its pixels may lie: the window is that of its bounds, whose sides are transformed
/// point by point.
const EDGE: usize = 8;

thread_local! {
    /// Memory of what this thread read last: fresh memory for each band would cost a page fault every 4 kB.
    static READ: Cell<Option<Pixels>> = const { Cell::new(None) };
}

/// Where one scene's pixels lie in a slot.
pub(crate) struct Sampler {
    /// The part of the slot that the scene may fill, from the slot's first pixel.
    pub(crate) part: PixelWindow,
    /// Window to read from every file: offset and size.
    offset: (usize, usize),
    size: (usize, usize),
    way: Way,
}

enum Way {
    /// The scene lies on the grid's own pixels: what is read is the part.
    Copy,
    /// Warp: positions of the whole slot, the nearest pixels of the part where they are kept, and the window read.
    Warp { grid: SourceGrid, nearest: Option<NearestIndex>, read: PixelWindow },
}

impl Sampler {
    /// `None` where the scene has no pixel in the slot. Both windows are of the grid's level 0.
    pub(crate) fn new(
        grid: &GridDef,
        scene: &PlannedScene,
        slot: &PixelWindow,
    ) -> Result<Option<Self>, IngestError> {
        let Some(inside) = scene.window.intersection(slot) else { return Ok(None) };
        let within = |w: &PixelWindow| PixelWindow::new(w.px - slot.px, w.py - slot.py, w.width, w.height);
        let g = &scene.geobox;
        if grid.shares_pixels_with(g) {
            let offset = ((inside.px - scene.window.px) as usize, (inside.py - scene.window.py) as usize);
            let size = (inside.width, inside.height);
            return Ok(Some(Self { part: within(&inside), offset, size, way: Way::Copy }));
        }
        let target = grid.geobox(slot, 0);
        let source_grid = with_transformer(&grid.crs, &g.crs, |t| {
            SourceGrid::new(&target, |xs, ys| {
                t.transform(xs, ys);
                for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
                    (*x, *y) = g.col_row(*x, *y);
                }
            })
        })?;
        let raster = PixelWindow::new(0, 0, g.width, g.height);
        // Cubic reaches furthest, so its window serves every kernel.
        let read = source_grid.source_window(Resampling::Cubic).and_then(|w| w.intersection(&raster));
        let part = inside.grown(EDGE).intersection(slot).map(|w| within(&w));
        let (Some(read), Some(part)) = (read, part) else { return Ok(None) };
        let nearest = NearestIndex::of_part(&source_grid, &read, &part);
        if nearest.is_outside() {
            return Ok(None);
        }
        let (offset, size) = ((read.px as usize, read.py as usize), (read.width, read.height));
        Ok(Some(Self {
            part,
            offset,
            size,
            way: Way::Warp { grid: source_grid, nearest: Some(nearest), read },
        }))
    }

    /// The same for a window of the part, counted from its first pixel: reads no more than that needs. `None` where it
    /// has no pixel. Of a warped scene the nearest pixels are kept if they are wanted, else found for each band.
    pub(crate) fn within(self, window: &PixelWindow, keeps_nearest: bool) -> Option<Self> {
        let part =
            PixelWindow::new(self.part.px + window.px, self.part.py + window.py, window.width, window.height);
        let smaller = window.len() < self.part.len();
        match self.way {
            Way::Copy => {
                let offset = (self.offset.0 + window.px as usize, self.offset.1 + window.py as usize);
                Some(Self { part, offset, size: (window.width, window.height), way: Way::Copy })
            }
            Way::Warp { grid, nearest, read } => {
                let rows = part.py.max(0) as usize..part.py_end().max(0) as usize;
                let needed = grid.rows_window(Resampling::Cubic, &rows).and_then(|w| w.intersection(&read));
                let read = if smaller { needed? } else { read };
                let nearest = match nearest {
                    nearest if keeps_nearest && !smaller => nearest,
                    _ if keeps_nearest => Some(NearestIndex::of_part(&grid, &read, &part)),
                    _ => None,
                };
                let (offset, size) = ((read.px as usize, read.py as usize), (read.width, read.height));
                Some(Self { part, offset, size, way: Way::Warp { grid, nearest, read } })
            }
        }
    }

    /// Pixels that reading one band takes from its file.
    pub(crate) fn pixels_read(&self) -> u64 {
        (self.size.0 * self.size.1) as u64
    }

    /// One measurement of the scene on the part's pixels; `None` when the scene lacks it.
    pub(crate) fn sample(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
    ) -> Result<Option<Pixels>, IngestError> {
        let mut picture = Pixels::empty(m.dtype);
        let memory = READ.take().unwrap_or(Pixels::empty(m.dtype));
        let Some(mut raw) = self.read(scene, m, memory)? else { return Ok(None) };
        if self.is_copy() && is_stored_type(&raw, m) {
            replace_tags(&mut raw, scene, m);
            return Ok(Some(raw));
        }
        picture.reshape(m.dtype, self.part.len());
        let part = PixelWindow::new(0, 0, self.part.width, self.part.height);
        let to = To { part: &part, stride: part.width, taken: None, new: true };
        self.put_raw(scene, m, raw, &to, &mut picture)?;
        Ok(Some(picture))
    }

    fn is_copy(&self) -> bool {
        matches!(self.way, Way::Copy)
    }

    /// Puts one measurement of the scene into a plane of the slot, `stride` pixels a row, where it is taken (all of the
    /// part without `taken`). Whether the scene has it. A plane that is `new` holds nothing that matters yet: nodata is
    /// put wherever the scene gives nothing.
    pub(crate) fn put(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        taken: Option<&Taken>,
        plane: &mut Pixels,
        stride: usize,
        new: bool,
    ) -> Result<bool, IngestError> {
        let to = To { part: &self.part, stride, taken, new };
        if new && self.is_copy() && self.put_in_place(scene, m, &to, plane)? {
            return Ok(true);
        }
        let memory = READ.take().unwrap_or(Pixels::empty(m.dtype));
        let Some(raw) = self.read(scene, m, memory)? else { return Ok(false) };
        self.put_raw(scene, m, raw, &to, plane)?;
        Ok(true)
    }

    /// [`Sampler::put`] of a scene on the grid's own pixels into a new plane: the file is read to where its pixels
    /// belong, and what is not taken is cleared. Whether the file's type allowed it.
    fn put_in_place(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        to: &To<'_>,
        plane: &mut Pixels,
    ) -> Result<bool, IngestError> {
        let Some((band, file, info)) = scene.files.get(&m.name) else { return Ok(false) };
        macro_rules! in_place {
            ($values:ident, $t:ty) => {{
                let part = &mut $values[to.first()..];
                let done = read_window_into(file, band, self.offset, self.size, part, to.stride)?;
                if done {
                    to.clean($values, tag_to_replace(info.nodata, m.nodata as $t), m.nodata as $t);
                }
                Ok(done)
            }};
        }
        match plane {
            Pixels::U8(values) => in_place!(values, u8),
            Pixels::U16(values) => in_place!(values, u16),
            Pixels::I16(values) => in_place!(values, i16),
            Pixels::F32(_) => Ok(false),
        }
    }

    /// What the scene's file holds of a measurement in the window to read, in `memory` where it fits.
    fn read(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        memory: Pixels,
    ) -> Result<Option<Pixels>, IngestError> {
        let Some((band, file, _)) = scene.files.get(&m.name) else { return Ok(None) };
        read_window(file, band, self.offset, self.size, memory).map(Some)
    }

    /// Puts what was read; its memory serves again.
    fn put_raw(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        mut raw: Pixels,
        to: &To<'_>,
        plane: &mut Pixels,
    ) -> Result<(), IngestError> {
        if is_stored_type(&raw, m) {
            replace_tags(&mut raw, scene, m);
            match (&raw, plane) {
                (Pixels::U8(f), Pixels::U8(t)) => self.put_stored(f, m, m.nodata as u8, to, t),
                (Pixels::U16(f), Pixels::U16(t)) => self.put_stored(f, m, m.nodata as u16, to, t),
                (Pixels::I16(f), Pixels::I16(t)) => self.put_stored(f, m, m.nodata as i16, to, t),
                // Both are of the measurement's type.
                _ => Ok(()),
            }
            .map_err(|e| size_error(scene, &e))?;
            recycle(raw);
            return Ok(());
        }
        let tag = scene.files.get(&m.name).and_then(|(_, _, info)| info.nodata).map(|v| v as f32);
        let part = self.converted(scene, m, &floats(&raw), tag)?;
        recycle(raw);
        match (&part, plane) {
            (Pixels::U8(f), Pixels::U8(t)) => to.put(f, m.nodata as u8, t),
            (Pixels::U16(f), Pixels::U16(t)) => to.put(f, m.nodata as u16, t),
            (Pixels::I16(f), Pixels::I16(t)) => to.put(f, m.nodata as i16, t),
            (Pixels::F32(f), Pixels::F32(t)) => to.put(f, m.nodata as f32, t),
            _ => {}
        }
        Ok(())
    }

    /// Puts values of the measurement's own type.
    fn put_stored<T: Sample>(
        &self,
        from: &[T],
        m: &Measurement,
        nodata: T,
        to: &To<'_>,
        plane: &mut [T],
    ) -> Result<(), RasterError> {
        let (grid, nearest, read) = match &self.way {
            Way::Copy => {
                to.put(from, nodata, plane);
                return Ok(());
            }
            Way::Warp { grid, nearest, read } => (grid, nearest, read),
        };
        let (width, first) = (self.part.width, to.first());
        if m.resampling == Resampling::Nearest {
            let found;
            let nearest = match nearest {
                Some(nearest) => nearest,
                None => {
                    found = NearestIndex::of_part(grid, read, &self.part);
                    &found
                }
            };
            for (row, line) in plane[first..].chunks_mut(to.stride).take(self.part.height).enumerate() {
                let Some(taken) = to.taken else {
                    nearest.gather_run(row * width, from, nodata, &mut line[..width])?;
                    continue;
                };
                for run in taken.row(row) {
                    nearest.gather_run(row * width + run.start, from, nodata, &mut line[run])?;
                }
            }
        } else {
            let source = Source::new(from, *read, nodata)?;
            if to.new {
                gather_part(&source, grid, m.resampling, &self.part, &mut plane[first..], to.stride)?;
            } else {
                let mut picture = vec![nodata; self.part.len()];
                gather_part(&source, grid, m.resampling, &self.part, &mut picture, width)?;
                to.put(&picture, nodata, plane);
            }
        }
        if to.new {
            to.clean(plane, None, nodata);
        }
        Ok(())
    }

    /// The part's pixels from values of another type, or of floats.
    fn converted(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        raw: &[f32],
        tag: Option<f32>,
    ) -> Result<Pixels, IngestError> {
        let Way::Warp { grid, nearest, read } = &self.way else { return Ok(to_stored(raw, m, tag)) };
        let mut picture = vec![f32::NAN; self.part.len()];
        let outcome = match (m.resampling, nearest) {
            (Resampling::Nearest, Some(nearest)) => nearest.gather(raw, f32::NAN, &mut picture),
            (Resampling::Nearest, None) => {
                NearestIndex::of_part(grid, read, &self.part).gather(raw, f32::NAN, &mut picture)
            }
            (kernel, _) => {
                let missing = |v: f32| v.is_nan() || Some(v) == tag || f64::from(v) == m.nodata;
                let valid: Vec<f32> = raw.iter().map(|&v| if missing(v) { f32::NAN } else { v }).collect();
                Source::new(&valid, *read, f32::NAN).and_then(|source| {
                    gather_part(&source, grid, kernel, &self.part, &mut picture, self.part.width)
                })
            }
        };
        outcome.map_err(|e| size_error(scene, &e))?;
        Ok(to_stored(&picture, m, tag))
    }
}

/// Whether what a file holds is stored as it is.
fn is_stored_type(raw: &Pixels, m: &Measurement) -> bool {
    raw.dtype() == m.dtype && m.dtype != DType::Float32
}

/// Makes a file's nodata tag the product's nodata.
fn replace_tags(raw: &mut Pixels, scene: &PlannedScene, m: &Measurement) {
    let tag = scene.files.get(&m.name).and_then(|(_, _, info)| info.nodata);
    match raw {
        Pixels::U8(v) => replace_tag(v, tag, m.nodata as u8),
        Pixels::U16(v) => replace_tag(v, tag, m.nodata as u16),
        Pixels::I16(v) => replace_tag(v, tag, m.nodata as i16),
        Pixels::F32(_) => {}
    }
}

/// Gives memory back for the next file that this thread reads.
pub(crate) fn recycle(memory: Pixels) {
    READ.set(Some(memory));
}

/// Which pixels of a plane are written.
struct To<'t> {
    part: &'t PixelWindow,
    stride: usize,
    /// What of the part is taken; all without it.
    taken: Option<&'t Taken>,
    /// Whether the plane holds nothing that matters yet.
    new: bool,
}

impl To<'_> {
    /// Place of the part's first pixel.
    fn first(&self) -> usize {
        self.part.py as usize * self.stride + self.part.px as usize
    }

    /// Copies what is taken of a part's pixels.
    fn put<T: Copy>(&self, from: &[T], nodata: T, plane: &mut [T]) {
        let width = self.part.width;
        if self.new {
            plane.fill(nodata);
        }
        let plane = &mut plane[self.first()..];
        let rows = plane.chunks_mut(self.stride.max(1)).zip(from.chunks_exact(width.max(1)));
        for (row, (to, from)) in rows.enumerate() {
            match self.taken {
                None => to[..width].copy_from_slice(from),
                Some(taken) => {
                    for run in taken.row(row) {
                        to[run.clone()].copy_from_slice(&from[run]);
                    }
                }
            }
        }
    }

    /// Puts nodata wherever the part gives nothing: all around it, where it is not taken, and in place of `tag`.
    fn clean<T: Copy + PartialEq>(&self, plane: &mut [T], tag: Option<T>, nodata: T) {
        let (top, left) = (self.part.py as usize, self.part.px as usize);
        for (row, line) in plane.chunks_mut(self.stride.max(1)).enumerate() {
            if row < top || row >= top + self.part.height {
                line.fill(nodata);
                continue;
            }
            line[..left].fill(nodata);
            line[left + self.part.width..].fill(nodata);
            let inside = &mut line[left..left + self.part.width];
            if let Some(tag) = tag {
                inside.iter_mut().for_each(|v| *v = if *v == tag { nodata } else { *v });
            }
            if let Some(taken) = self.taken {
                taken.clear(row - top, inside, nodata);
            }
        }
    }
}

/// The file's nodata tag, where the product's nodata is another.
fn tag_to_replace<T: Copy + PartialEq + TryFrom<i64>>(tag: Option<f64>, nodata: T) -> Option<T> {
    let tag = tag.filter(|tag| tag.fract() == 0.0 && tag.abs() < 1e9);
    tag.and_then(|tag| T::try_from(tag as i64).ok()).filter(|tag| *tag != nodata)
}

/// Makes the file's nodata tag the product's nodata.
fn replace_tag<T: Copy + PartialEq + TryFrom<i64>>(values: &mut [T], tag: Option<f64>, nodata: T) {
    if let Some(tag) = tag_to_replace(tag, nodata) {
        values.iter_mut().for_each(|v| *v = if *v == tag { nodata } else { *v });
    }
}

fn floats(raw: &Pixels) -> Vec<f32> {
    match raw {
        Pixels::U8(v) => v.iter().map(|&v| f32::from(v)).collect(),
        Pixels::U16(v) => v.iter().map(|&v| f32::from(v)).collect(),
        Pixels::I16(v) => v.iter().map(|&v| f32::from(v)).collect(),
        Pixels::F32(v) => v.clone(),
    }
}

fn size_error(scene: &PlannedScene, e: &RasterError) -> IngestError {
    IngestError::Geometry { path: scene.source.source.clone(), problem: e.to_string() }
}

/// Raw values to the measurement's type: the file's nodata tag, NaN and values the type cannot hold become the
/// product's nodata.
fn to_stored(values: &[f32], m: &Measurement, tag: Option<f32>) -> Pixels {
    let (low, high) = m.dtype.range();
    let store = |v: f32| -> f64 {
        let r = if m.dtype == DType::Float32 { f64::from(v) } else { f64::from(v).round_ties_even() };
        if v.is_nan() || Some(v) == tag || !(low..=high).contains(&r) { m.nodata } else { r }
    };
    match m.dtype {
        DType::Uint8 => Pixels::U8(values.iter().map(|&v| store(v) as u8).collect()),
        DType::Uint16 => Pixels::U16(values.iter().map(|&v| store(v) as u16).collect()),
        DType::Int16 => Pixels::I16(values.iter().map(|&v| store(v) as i16).collect()),
        DType::Float32 => Pixels::F32(values.iter().map(|&v| store(v) as f32).collect()),
    }
}
