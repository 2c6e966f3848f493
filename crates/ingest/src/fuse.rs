//! One slot: the scenes of a solar day and platform in one tile.
//!
//! Per pixel the first scene in row order whose quality is not fill gives **all** bands and the quality word;
//! words are never OR-ed and spectra never mixed. Products without a quality band take the first scene with any
//! valid band. Quality is read first and decides for every pixel; then each band is read by itself, so that one plane
//! at a time is held.

use rayon::prelude::*;
use tesela_grid::{GridDef, PixelWindow, TileId};
use tesela_model::{Measurement, ProductDef, Resampling};
use tesela_store::Pixels;

use crate::IngestError;
use crate::plan::{Day, PlannedScene};
use crate::quality::{FILL, HIDDEN, QualityTable};
use crate::sampler::{Sampler, recycle};
use crate::taken::Taken;

/// Slot windows start and end on multiples of this, so that three pyramid levels halve exactly.
const ALIGN: i64 = 8;

/// One slot, decided: which scene gives each of its pixels.
pub struct Slot<'d> {
    /// Level-0 window, inside the tile.
    pub window: PixelWindow,
    /// Pixels taken from files when all bands are read, over all bands.
    pub pixels_read: u64,
    /// What it is made of.
    pub content: Content<'d>,
}

/// What a slot is made of.
pub enum Content<'d> {
    /// A product with a quality band: other bands are read when they are asked for.
    Judged {
        /// Fused quality words, row-major.
        words: Pixels,
        /// What they say: [`FILL`] and [`HIDDEN`] of each pixel.
        judged: Vec<u8>,
        /// What each scene gives.
        shares: Vec<Share<'d>>,
    },
    /// A product without: every measurement's plane, in the product's order, row-major.
    Planes(Vec<Pixels>),
}

/// What one scene gives to a slot.
pub struct Share<'d> {
    scene: &'d PlannedScene,
    sampler: Sampler,
    /// What of the sampler's part is taken; `None` when all of it is.
    taken: Option<Taken>,
}

/// Decides a day's slot in one tile; `None` when no pixel was observed there.
///
/// # Errors
/// [`IngestError::Raster`] when a scene's pixels cannot be read.
pub fn decide<'d>(
    product: &ProductDef,
    table: Option<&QualityTable>,
    grid: &GridDef,
    tile: TileId,
    day: &'d Day,
) -> Result<Option<Slot<'d>>, IngestError> {
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
    match product.measurements.iter().find(|m| m.flags.is_some()).zip(table) {
        Some((m, table)) => by_quality(product, (m, table), grid, window, day),
        None => by_validity(product, grid, window, day),
    }
}

fn aligned(w: &PixelWindow, within: &PixelWindow) -> Option<PixelWindow> {
    let (px, py) = (w.px.div_euclid(ALIGN) * ALIGN, w.py.div_euclid(ALIGN) * ALIGN);
    let up = |v: i64| -(-v).div_euclid(ALIGN) * ALIGN;
    let grown = PixelWindow::new(px, py, (up(w.px_end()) - px) as usize, (up(w.py_end()) - py) as usize);
    grown.intersection(within)
}

/// Whether so many bands take the nearest pixels that finding these anew for each costs more than keeping them, four
/// bytes a pixel.
pub(crate) fn keeps_nearest(product: &ProductDef) -> bool {
    let nearest = |m: &&Measurement| m.flags.is_none() && m.resampling == Resampling::Nearest;
    product.measurements.iter().filter(nearest).count() > 2
}

fn blank(m: &Measurement, window: &PixelWindow) -> Pixels {
    Pixels::filled(m.dtype, window.len(), m.nodata)
}

fn by_quality<'d>(
    product: &ProductDef,
    (quality, table): (&Measurement, &QualityTable),
    grid: &GridDef,
    window: PixelWindow,
    day: &'d Day,
) -> Result<Option<Slot<'d>>, IngestError> {
    let mut words = blank(quality, &window);
    let mut judged = vec![FILL | HIDDEN; window.len()];
    let (mut shares, mut pixels_read) = (Vec::new(), 0);
    let keeps_nearest = keeps_nearest(product);
    for scene in &day.scenes {
        let Some(sampler) = Sampler::new(grid, scene, &window)? else { continue };
        let Some(of_scene) = sampler.sample(scene, quality)? else { continue };
        let of_part = table.judged(&of_scene);
        let mut take = vec![false; of_part.len()];
        let part = sampler.part;
        for (row, (take, from)) in
            take.chunks_exact_mut(part.width).zip(of_part.chunks_exact(part.width)).enumerate()
        {
            let first = (part.py as usize + row) * window.width + part.px as usize;
            let so_far = &mut judged[first..first + part.width];
            for ((take, from), so_far) in take.iter_mut().zip(from).zip(so_far) {
                let takes = *so_far & FILL & !*from;
                *so_far = if takes == 0 { *so_far } else { *from };
                *take = takes != 0;
            }
        }
        let Some((inside, taken)) = Taken::of_flags(&take, part.width) else {
            pixels_read += sampler.pixels_read();
            continue;
        };
        put_part(&of_scene, &part, &take, &mut words, window.width);
        recycle(of_scene);
        // Of the other bands no more is read than what is taken.
        let others = product.measurements.iter().filter(|m| scene.files.contains_key(&m.name)).count() - 1;
        pixels_read += sampler.pixels_read();
        let taken = (!taken.is_all(inside.width)).then_some(taken);
        let Some(sampler) = sampler.within(&inside, keeps_nearest) else { continue };
        pixels_read += others as u64 * sampler.pixels_read();
        shares.push(Share { scene, sampler, taken });
    }
    let content = Content::Judged { words, judged, shares };
    Ok(content.has_pixels().then_some(Slot { window, pixels_read, content }))
}

fn by_validity<'d>(
    product: &ProductDef,
    grid: &GridDef,
    window: PixelWindow,
    day: &'d Day,
) -> Result<Option<Slot<'d>>, IngestError> {
    let mut planes: Vec<Pixels> = product.measurements.iter().map(|m| blank(m, &window)).collect();
    let mut taken = vec![false; window.len()];
    let mut pixels_read = 0;
    for scene in &day.scenes {
        let Some(sampler) = Sampler::new(grid, scene, &window)? else { continue };
        let bands: Vec<Option<Pixels>> = product
            .measurements
            .par_iter()
            .map(|m| sampler.sample(scene, m))
            .collect::<Result<_, IngestError>>()?;
        let part = sampler.part;
        let mut take = vec![false; part.len()];
        for (i, take) in take.iter_mut().enumerate() {
            let valid = bands.iter().zip(&product.measurements).any(|(band, m)| {
                band.as_ref()
                    .and_then(|b| b.get_f64(i))
                    .is_some_and(|value| value != m.nodata && !value.is_nan())
            });
            let at = (part.py as usize + i / part.width) * window.width + part.px as usize + i % part.width;
            *take = valid && !taken[at];
            taken[at] |= valid;
        }
        pixels_read += bands.iter().flatten().count() as u64 * sampler.pixels_read();
        bands.into_par_iter().zip(&mut planes).for_each(|(band, plane)| {
            if let Some(band) = band {
                put_part(&band, &part, &take, plane, window.width);
            }
        });
    }
    let content = Content::Planes(planes);
    Ok(taken.contains(&true).then_some(Slot { window, pixels_read, content }))
}

impl Content<'_> {
    fn has_pixels(&self) -> bool {
        match self {
            Content::Judged { shares, .. } => !shares.is_empty(),
            Content::Planes(_) => true,
        }
    }
}

/// One measurement of a slot, row-major, into `plane`, whose memory serves again; whether any scene has it.
///
/// # Errors
/// [`IngestError::Raster`] when a scene's pixels cannot be read.
pub fn read_band(
    shares: &[Share<'_>],
    m: &Measurement,
    window: &PixelWindow,
    plane: &mut Pixels,
) -> Result<bool, IngestError> {
    plane.reshape(m.dtype, window.len());
    let mut any = false;
    for share in shares {
        any |= share.sampler.put(share.scene, m, share.taken.as_ref(), plane, window.width, !any)?;
    }
    Ok(any)
}

/// Puts what is taken of a part's pixels into a plane whose rows are `stride` long.
fn put_part(from: &Pixels, part: &PixelWindow, take: &[bool], to: &mut Pixels, stride: usize) {
    fn each<T: Copy>(from: &[T], part: &PixelWindow, take: &[bool], to: &mut [T], stride: usize) {
        let first = part.py as usize * stride + part.px as usize;
        let rows = from.chunks_exact(part.width).zip(take.chunks_exact(part.width));
        for ((from, take), to) in rows.zip(to[first..].chunks_mut(stride)) {
            for ((to, from), take) in to.iter_mut().zip(from).zip(take) {
                *to = if *take { *from } else { *to };
            }
        }
    }
    match (from, to) {
        (Pixels::U8(f), Pixels::U8(t)) => each(f, part, take, t, stride),
        (Pixels::U16(f), Pixels::U16(t)) => each(f, part, take, t, stride),
        (Pixels::I16(f), Pixels::I16(t)) => each(f, part, take, t, stride),
        (Pixels::F32(f), Pixels::F32(t)) => each(f, part, take, t, stride),
        _ => {}
    }
}
