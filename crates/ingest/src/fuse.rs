//! One slot: the scenes of a solar day and platform in one tile.
//!
//! Per pixel the first scene in row order whose quality is not fill gives **all** bands and the quality word;
//! words are never OR-ed and spectra never mixed. Products without a quality band take the first scene with any
//! valid band. Scenes on the grid's own pixels are copied bit for bit; others are warped once.

use rayon::prelude::*;
use tesela_crs::with_transformer;
use tesela_grid::{GridDef, PixelWindow, TileId};
use tesela_model::landsat::FlagMask;
use tesela_model::{DType, Measurement, ProductDef, Resampling};
use tesela_raster::{NearestIndex, Source, SourceGrid, gather};
use tesela_store::Pixels;

use crate::IngestError;
use crate::plan::{Day, PlannedScene};
use crate::raster::read_window;

/// Slot windows start and end on multiples of this, so that three pyramid levels halve exactly.
const ALIGN: i64 = 8;

/// The pixels of one slot: a window of the tile and one plane a measurement.
#[derive(Debug, Clone)]
pub struct SlotPixels {
    /// Level-0 window, inside the tile.
    pub window: PixelWindow,
    /// Stored values of each measurement, in the product's order, row-major.
    pub planes: Vec<Pixels>,
}

/// Reads and fuses a day's scenes in one tile, and how many pixels that took from files, over all bands; `None` when
/// no pixel was observed there.
///
/// # Errors
/// [`IngestError::Raster`] when a scene's pixels cannot be read.
pub fn fuse(
    product: &ProductDef,
    table: Option<&QualityTable>,
    grid: &GridDef,
    tile: TileId,
    day: &Day,
) -> Result<Option<(SlotPixels, u64)>, IngestError> {
    let tile_window = grid.tile_window(tile, 0);
    let Some(window) = day
        .scenes
        .iter()
        .filter_map(|s| s.window.intersection(&tile_window))
        .reduce(|a, b| a.union(&b))
        .and_then(|w| aligned(&w, &tile_window))
    else {
        return Ok(None);
    };
    let blank = |m: &Measurement| Pixels::filled(m.dtype, window.len(), m.nodata);
    let mut slot = SlotPixels { window, planes: product.measurements.iter().map(blank).collect() };
    let quality = product.measurements.iter().position(|m| m.flags.is_some()).zip(table);
    let mut taken = vec![false; window.len()];
    let mut read = 0;
    for scene in &day.scenes {
        if let Some(sampler) = Sampler::new(grid, scene, &window)? {
            let bands = take_scene(product, scene, &sampler, quality, &mut taken, &mut slot)?;
            read += bands * (sampler.size.0 * sampler.size.1) as u64;
        }
    }
    Ok(taken.contains(&true).then_some((slot, read)))
}

fn aligned(w: &PixelWindow, within: &PixelWindow) -> Option<PixelWindow> {
    let (px, py) = (w.px.div_euclid(ALIGN) * ALIGN, w.py.div_euclid(ALIGN) * ALIGN);
    let up = |v: i64| -(-v).div_euclid(ALIGN) * ALIGN;
    let grown = PixelWindow::new(px, py, (up(w.px_end()) - px) as usize, (up(w.py_end()) - py) as usize);
    grown.intersection(within)
}

/// Takes from a scene what earlier ones of the day left; how many bands were read.
fn take_scene(
    product: &ProductDef,
    scene: &PlannedScene,
    sampler: &Sampler,
    quality: Option<(usize, &QualityTable)>,
    taken: &mut [bool],
    slot: &mut SlotPixels,
) -> Result<u64, IngestError> {
    // Quality first: it says which pixels this scene observed.
    let mut take: Vec<bool> = vec![false; taken.len()];
    let first = !taken.contains(&true);
    if let Some((q, table)) = quality {
        let m = &product.measurements[q];
        let Some(words) = sampler.sample(scene, m, None)? else { return Ok(0) };
        table.each(&words, |i, fill, _| take[i] = !taken[i] && !fill);
        if !take.contains(&true) {
            return Ok(1);
        }
        put_where(words, &take, &mut slot.planes[q], m.nodata, first);
    }
    let planes: Vec<Option<Pixels>> = product
        .measurements
        .par_iter()
        .enumerate()
        .map(|(i, m)| {
            if quality.is_some_and(|(q, _)| q == i) {
                return Ok(None);
            }
            sampler.sample(scene, m, Some(&take).filter(|_| quality.is_some()))
        })
        .collect::<Result<_, IngestError>>()?;
    if quality.is_none() {
        for (plane, m) in planes.iter().zip(&product.measurements) {
            let Some(p) = plane else { continue };
            for (i, t) in take.iter_mut().enumerate() {
                *t |= !taken[i] && p.get_f64(i).is_some_and(|v| v != m.nodata && !v.is_nan());
            }
        }
    }
    let read = planes.iter().flatten().count() as u64 + u64::from(quality.is_some());
    planes.into_par_iter().zip(&mut slot.planes).zip(&product.measurements).for_each(|((plane, out), m)| {
        if let Some(p) = plane {
            put_where(p, &take, out, m.nodata, first);
        }
    });
    for (done, t) in taken.iter_mut().zip(&take) {
        *done |= t;
    }
    Ok(read)
}

/// Puts what is taken of a scene's plane into the slot's. Of a slot that holds nothing yet it becomes the plane.
fn put_where(plane: Pixels, take: &[bool], to: &mut Pixels, nodata: f64, first: bool) {
    fn hide<T: Copy>(values: &mut [T], take: &[bool], nodata: T) {
        for (v, keep) in values.iter_mut().zip(take) {
            *v = if *keep { *v } else { nodata };
        }
    }
    if !first {
        copy_where(&plane, take, to);
        return;
    }
    *to = plane;
    match to {
        Pixels::U8(v) => hide(v, take, nodata as u8),
        Pixels::U16(v) => hide(v, take, nodata as u16),
        Pixels::I16(v) => hide(v, take, nodata as i16),
        Pixels::F32(v) => hide(v, take, nodata as f32),
    }
}

/// What quality words say, looked up by value where they are 16-bit.
#[derive(Debug)]
pub struct QualityTable {
    nodata: f64,
    fill: Option<FlagMask>,
    hidden: Option<FlagMask>,
    /// Bit 0: fill; bit 1: fill, or hidden by the standard mask.
    words: Vec<u8>,
}

const FILL: u8 = 1;
const HIDDEN: u8 = 2;

impl QualityTable {
    /// The table of a product's quality band, if it has one.
    pub fn new(product: &ProductDef) -> Option<Self> {
        let band = product.measurements.iter().find(|m| m.flags.is_some())?;
        let table = product.flag_table();
        let mask = |flags: &[String]| table.and_then(|t| t.mask(flags).ok());
        let mut made = Self {
            nodata: band.nodata,
            fill: mask(&["fill".to_owned()]),
            hidden: product.masks.get("standard").and_then(|m| mask(&m.any_of)),
            words: Vec::new(),
        };
        made.words = (0..=u16::MAX).map(|word| made.judge(f64::from(word))).collect();
        Some(made)
    }

    fn judge(&self, word: f64) -> u8 {
        let is = |mask: &Option<FlagMask>| mask.as_ref().is_some_and(|m| m.matches(word as i32));
        if word == self.nodata || is(&self.fill) {
            FILL | HIDDEN
        } else if is(&self.hidden) {
            HIDDEN
        } else {
            0
        }
    }

    /// Tells of each word whether it is fill, and whether it passes the standard mask.
    pub fn each(&self, words: &Pixels, mut tell: impl FnMut(usize, bool, bool)) {
        let mut told = |i: usize, bits: u8| tell(i, bits & FILL != 0, bits & HIDDEN == 0);
        if let Pixels::U16(words) = words {
            words.iter().enumerate().for_each(|(i, word)| told(i, self.words[usize::from(*word)]));
        } else {
            (0..words.len())
                .for_each(|i| told(i, words.get_f64(i).map_or(FILL | HIDDEN, |word| self.judge(word))));
        }
    }
}

fn copy_where(from: &Pixels, take: &[bool], to: &mut Pixels) {
    fn each<T: Copy>(from: &[T], take: &[bool], to: &mut [T]) {
        for ((f, t), o) in from.iter().zip(take).zip(to) {
            if *t {
                *o = *f;
            }
        }
    }
    match (from, to) {
        (Pixels::U8(f), Pixels::U8(t)) => each(f, take, t),
        (Pixels::U16(f), Pixels::U16(t)) => each(f, take, t),
        (Pixels::I16(f), Pixels::I16(t)) => each(f, take, t),
        (Pixels::F32(f), Pixels::F32(t)) => each(f, take, t),
        _ => {}
    }
}

/// Where a slot's pixels lie in one scene's rasters.
struct Sampler {
    /// Window to read from every file: offset and size.
    offset: (usize, usize),
    size: (usize, usize),
    way: Way,
}

enum Way {
    /// The scene lies on the grid's own pixels: copy to this place of the slot.
    Copy { col: usize, row: usize, slot_width: usize, slot_len: usize },
    /// Warp.
    Warp { grid: SourceGrid, nearest: NearestIndex, read: PixelWindow, slot_len: usize },
}

impl Sampler {
    fn new(grid: &GridDef, scene: &PlannedScene, slot: &PixelWindow) -> Result<Option<Self>, IngestError> {
        let Some(part) = scene.window.intersection(slot) else { return Ok(None) };
        let g = &scene.geobox;
        if grid.shares_pixels_with(g) {
            let offset = ((part.px - scene.window.px) as usize, (part.py - scene.window.py) as usize);
            let way = Way::Copy {
                col: (part.px - slot.px) as usize,
                row: (part.py - slot.py) as usize,
                slot_width: slot.width,
                slot_len: slot.len(),
            };
            return Ok(Some(Self { offset, size: (part.width, part.height), way }));
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
        let Some(read) = source_grid.source_window(Resampling::Cubic).and_then(|w| w.intersection(&raster))
        else {
            return Ok(None);
        };
        let nearest = NearestIndex::new(&source_grid, &read);
        if nearest.is_outside() {
            return Ok(None);
        }
        Ok(Some(Self {
            offset: (read.px as usize, read.py as usize),
            size: (read.width, read.height),
            way: Way::Warp { grid: source_grid, nearest, read, slot_len: slot.len() },
        }))
    }

    /// One measurement of the scene on the slot's pixels; `None` when the scene lacks it. `wanted` limits an
    /// interpolating kernel to pixels that were observed.
    fn sample(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        wanted: Option<&Vec<bool>>,
    ) -> Result<Option<Pixels>, IngestError> {
        let Some((band, file, info)) = scene.files.get(&m.name) else { return Ok(None) };
        let raw = read_window(file, band, self.offset, self.size)?;
        let as_it_is = match (&raw, m.dtype) {
            (Pixels::U8(v), DType::Uint8) => self.copied(v, m.nodata as u8, tag(info.nodata)).map(Pixels::U8),
            (Pixels::U16(v), DType::Uint16) => {
                self.copied(v, m.nodata as u16, tag(info.nodata)).map(Pixels::U16)
            }
            (Pixels::I16(v), DType::Int16) => {
                self.copied(v, m.nodata as i16, tag(info.nodata)).map(Pixels::I16)
            }
            _ => None,
        };
        if let Some(pixels) = as_it_is
            && (m.resampling == Resampling::Nearest || matches!(self.way, Way::Copy { .. }))
        {
            return Ok(Some(pixels));
        }
        self.interpolated(scene, m, &floats(&raw), info.nodata.map(|v| v as f32), wanted).map(Some)
    }

    /// Pixels of the scene on the slot's, no value changed but the file's nodata tag.
    fn copied<T: Copy + PartialEq>(&self, raw: &[T], nodata: T, tag: Option<T>) -> Option<Vec<T>> {
        let mut picture;
        match &self.way {
            Way::Copy { col, row, slot_width, slot_len } => {
                picture = vec![nodata; *slot_len];
                for (r, line) in raw.chunks_exact(self.size.0).enumerate() {
                    let at = (row + r) * slot_width + col;
                    picture[at..at + line.len()].copy_from_slice(line);
                }
            }
            Way::Warp { nearest, slot_len, .. } => {
                picture = vec![nodata; *slot_len];
                nearest.gather(raw, nodata, &mut picture).ok()?;
            }
        }
        if let Some(tag) = tag.filter(|tag| *tag != nodata) {
            picture.iter_mut().filter(|v| **v == tag).for_each(|v| *v = nodata);
        }
        Some(picture)
    }

    /// As [`Sampler::copied`] for values of another type, and for kernels that weigh several pixels.
    fn interpolated(
        &self,
        scene: &PlannedScene,
        m: &Measurement,
        raw: &[f32],
        nodata: Option<f32>,
        wanted: Option<&Vec<bool>>,
    ) -> Result<Pixels, IngestError> {
        let picture: Vec<f32> = match &self.way {
            Way::Copy { col, row, slot_width, slot_len } => {
                let mut picture = vec![f32::NAN; *slot_len];
                for (r, line) in raw.chunks_exact(self.size.0).enumerate() {
                    let at = (row + r) * slot_width + col;
                    picture[at..at + line.len()].copy_from_slice(line);
                }
                picture
            }
            Way::Warp { grid, nearest, read, slot_len } => {
                let mut picture = vec![f32::NAN; *slot_len];
                if m.resampling == Resampling::Nearest {
                    nearest.gather(raw, f32::NAN, &mut picture).map_err(|e| size_error(scene, &e))?;
                } else {
                    let missing = |v: f32| v.is_nan() || Some(v) == nodata || f64::from(v) == m.nodata;
                    let valid: Vec<f32> =
                        raw.iter().map(|&v| if missing(v) { f32::NAN } else { v }).collect();
                    let source = Source::new(&valid, *read, f32::NAN).map_err(|e| size_error(scene, &e))?;
                    gather(&source, grid, m.resampling, &mut picture).map_err(|e| size_error(scene, &e))?;
                    if let Some(w) = wanted {
                        for (v, keep) in picture.iter_mut().zip(w) {
                            if !keep {
                                *v = f32::NAN;
                            }
                        }
                    }
                }
                picture
            }
        };
        Ok(to_stored(&picture, m, nodata))
    }
}

/// A file's nodata tag as a value of its type; none when the type cannot hold it.
fn tag<T: TryFrom<i64>>(tag: Option<f64>) -> Option<T> {
    let tag = tag.filter(|tag| tag.fract() == 0.0 && tag.abs() < 1e9)?;
    T::try_from(tag as i64).ok()
}

fn floats(raw: &Pixels) -> Vec<f32> {
    match raw {
        Pixels::U8(v) => v.iter().map(|&v| f32::from(v)).collect(),
        Pixels::U16(v) => v.iter().map(|&v| f32::from(v)).collect(),
        Pixels::I16(v) => v.iter().map(|&v| f32::from(v)).collect(),
        Pixels::F32(v) => v.clone(),
    }
}

fn size_error(scene: &PlannedScene, e: &tesela_raster::RasterError) -> IngestError {
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
