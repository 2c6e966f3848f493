//! Where a slot's pixels lie in one scene's rasters, and what those hold there.
//!
//! Scenes on the grid's own pixels are copied bit for bit; others are warped once.

use std::cell::Cell;

use tesela_crs::with_transformer;
use tesela_grid::{GridDef, PixelWindow};
use tesela_model::{DType, Measurement, Resampling};
use tesela_raster::{NearestIndex, RasterError, Source, SourceGrid, gather};
use tesela_store::Pixels;

use crate::IngestError;
use crate::plan::PlannedScene;
use crate::raster::{read_window, read_window_into};

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
    /// Warp: positions of the whole slot, the nearest pixels of the part, and the window read.
    Warp { grid: SourceGrid, nearest: NearestIndex, read: PixelWindow },
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
        Ok(Some(Self { part, offset, size, way: Way::Warp { grid: source_grid, nearest, read } }))
    }

    /// Says which pixels of the part are taken when its bands are put, one flag a pixel.
    ///
    /// # Errors
    /// [`RasterError`] if `take` is not the part.
    pub(crate) fn take_only(&mut self, take: &[bool]) -> Result<(), RasterError> {
        match &mut self.way {
            Way::Warp { nearest, .. } => nearest.take_only(take),
            Way::Copy => Ok(()),
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
        let Some(raw) = self.read(scene, m, Pixels::empty(m.dtype))? else { return Ok(None) };
        if matches!((&raw, &self.way), (Raw::AsStored(_), Way::Copy) | (Raw::OfPart(_), _)) {
            return Ok(Some(raw.into_pixels()));
        }
        let mut picture = Pixels::filled(m.dtype, self.part.len(), m.nodata);
        let part = PixelWindow::new(0, 0, self.part.width, self.part.height);
        let to = To { part: &part, stride: part.width, take: None, new: true };
        self.put_raw(scene, m, &raw, &to, &mut picture)?;
        Ok(Some(picture))
    }

    /// Puts one measurement of the scene into a plane of the slot, `stride` pixels a row, where `take` says so (one
    /// flag a pixel of the part; everywhere without it). Whether the scene has it. A plane that is `new` holds nothing
    /// that matters yet: nodata is put wherever the scene gives nothing.
    pub(crate) fn put(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        take: Option<&[bool]>,
        plane: &mut Pixels,
        stride: usize,
        new: bool,
    ) -> Result<bool, IngestError> {
        let to = To { part: &self.part, stride, take, new };
        if new && matches!(self.way, Way::Copy) && self.put_in_place(scene, m, &to, plane)? {
            return Ok(true);
        }
        let memory = READ.take().unwrap_or(Pixels::empty(m.dtype));
        let Some(raw) = self.read(scene, m, memory)? else { return Ok(false) };
        self.put_raw(scene, m, &raw, &to, plane)?;
        READ.set(Some(raw.into_pixels()));
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
                    to.clean(part, tag_to_replace(info.nodata, m.nodata as $t), m.nodata as $t);
                    to.surround($values, m.nodata as $t);
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

    /// What the scene's file holds of a measurement, in `memory` where it fits.
    fn read(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        memory: Pixels,
    ) -> Result<Option<Raw>, IngestError> {
        let Some((band, file, info)) = scene.files.get(&m.name) else { return Ok(None) };
        let mut raw = read_window(file, band, self.offset, self.size, memory)?;
        let kept = m.resampling == Resampling::Nearest || matches!(self.way, Way::Copy);
        if kept && raw.dtype() == m.dtype && m.dtype != DType::Float32 {
            match &mut raw {
                Pixels::U8(v) => replace_tag(v, info.nodata, m.nodata as u8),
                Pixels::U16(v) => replace_tag(v, info.nodata, m.nodata as u16),
                Pixels::I16(v) => replace_tag(v, info.nodata, m.nodata as i16),
                Pixels::F32(_) => {}
            }
            return Ok(Some(Raw::AsStored(raw)));
        }
        self.interpolated(scene, m, &floats(&raw), info.nodata.map(|v| v as f32))
            .map(|p| Some(Raw::OfPart(p)))
    }

    fn put_raw(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        raw: &Raw,
        to: &To<'_>,
        plane: &mut Pixels,
    ) -> Result<(), IngestError> {
        let nearest = match (&self.way, raw) {
            (Way::Warp { nearest, .. }, Raw::AsStored(_)) => Some(nearest),
            _ => None,
        };
        let (Raw::AsStored(raw) | Raw::OfPart(raw)) = raw;
        match (raw, plane) {
            (Pixels::U8(f), Pixels::U8(t)) => to.put(f, nearest, m.nodata as u8, t),
            (Pixels::U16(f), Pixels::U16(t)) => to.put(f, nearest, m.nodata as u16, t),
            (Pixels::I16(f), Pixels::I16(t)) => to.put(f, nearest, m.nodata as i16, t),
            (Pixels::F32(f), Pixels::F32(t)) => to.put(f, nearest, m.nodata as f32, t),
            // Both are of the measurement's type.
            _ => Ok(()),
        }
        .map_err(|e| size_error(scene, &e))
    }

    /// The part's pixels from values of another type, or by a kernel that weighs several pixels.
    fn interpolated(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        raw: &[f32],
        nodata: Option<f32>,
    ) -> Result<Pixels, IngestError> {
        let Way::Warp { grid, nearest, read } = &self.way else { return Ok(to_stored(raw, m, nodata)) };
        let mut picture = vec![f32::NAN; self.part.len()];
        if m.resampling == Resampling::Nearest {
            nearest.gather(raw, f32::NAN, &mut picture).map_err(|e| size_error(scene, &e))?;
        } else {
            let missing = |v: f32| v.is_nan() || Some(v) == nodata || f64::from(v) == m.nodata;
            let valid: Vec<f32> = raw.iter().map(|&v| if missing(v) { f32::NAN } else { v }).collect();
            let source = Source::new(&valid, *read, f32::NAN).map_err(|e| size_error(scene, &e))?;
            let mut whole = vec![f32::NAN; grid.width() * grid.height()];
            gather(&source, grid, m.resampling, &mut whole).map_err(|e| size_error(scene, &e))?;
            let (left, top) = (self.part.px as usize, self.part.py as usize);
            for (row, line) in picture.chunks_exact_mut(self.part.width.max(1)).enumerate() {
                let at = (top + row) * grid.width() + left;
                line.copy_from_slice(&whole[at..at + line.len()]);
            }
        }
        Ok(to_stored(&picture, m, nodata))
    }
}

/// Values of a measurement's type.
enum Raw {
    /// As the file holds them, for each pixel read.
    AsStored(Pixels),
    /// For each pixel of the part.
    OfPart(Pixels),
}

impl Raw {
    fn into_pixels(self) -> Pixels {
        let (Self::AsStored(pixels) | Self::OfPart(pixels)) = self;
        pixels
    }
}

/// Which pixels of a plane are written.
struct To<'t> {
    part: &'t PixelWindow,
    stride: usize,
    /// One flag a pixel of the part; all without it.
    take: Option<&'t [bool]>,
    /// Whether the plane holds nothing that matters yet.
    new: bool,
}

impl To<'_> {
    /// Place of the part's first pixel.
    fn first(&self) -> usize {
        self.part.py as usize * self.stride + self.part.px as usize
    }

    /// `nearest` leaves out itself what is not taken.
    fn put<T: Copy>(
        &self,
        from: &[T],
        nearest: Option<&NearestIndex>,
        nodata: T,
        plane: &mut [T],
    ) -> Result<(), RasterError> {
        let width = self.part.width;
        if let Some(nearest) = nearest {
            if self.new {
                self.surround(plane, nodata);
            }
            let fill = self.new.then_some(nodata);
            return nearest.gather_rows(from, fill, width, &mut plane[self.first()..], self.stride);
        }
        if self.new {
            plane.fill(nodata);
        }
        let plane = &mut plane[self.first()..];
        let rows = plane.chunks_mut(self.stride.max(1)).zip(from.chunks_exact(width.max(1)));
        for (row, (to, from)) in rows.enumerate() {
            match self.take.map(|take| &take[row * width..(row + 1) * width]) {
                None => to[..width].copy_from_slice(from),
                Some(take) => {
                    for ((to, from), take) in to.iter_mut().zip(from).zip(take) {
                        *to = if *take { *from } else { *to };
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts nodata all around the part.
    fn surround<T: Copy>(&self, plane: &mut [T], nodata: T) {
        let (top, left) = (self.part.py as usize, self.part.px as usize);
        for (row, line) in plane.chunks_mut(self.stride.max(1)).enumerate() {
            if row < top || row >= top + self.part.height {
                line.fill(nodata);
            } else {
                line[..left].fill(nodata);
                line[left + self.part.width..].fill(nodata);
            }
        }
    }

    /// Clears what is not taken, and what is `tag`, in the rows of the part from the first of `values`.
    fn clean<T: Copy + PartialEq>(&self, values: &mut [T], tag: Option<T>, nodata: T) {
        let width = self.part.width;
        for (row, to) in values.chunks_mut(self.stride.max(1)).take(self.part.height).enumerate() {
            let to = &mut to[..width];
            if let Some(tag) = tag {
                to.iter_mut().for_each(|v| *v = if *v == tag { nodata } else { *v });
            }
            if let Some(take) = self.take {
                let take = &take[row * width..][..width];
                to.iter_mut().zip(take).for_each(|(v, take)| *v = if *take { *v } else { nodata });
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
