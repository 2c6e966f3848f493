//! One block of 256 × 256 pixels: the smallest piece of work. Blocks do not depend on one another, so results
//! do not depend on threads.

use tesela_grid::PixelWindow;
use tesela_index::SlotRow;
use tesela_model::landsat::{FlagTable, Platform, saturation_mask};
use tesela_model::{Band, DType, RecipeDef};
use tesela_store::Pixels;

use crate::catalog::Product;
use crate::load::{Item, Neighbours, place};
use crate::mask::Masker;
use crate::query::physical;
use crate::skip::{ChunkReport, Grid, Known, Need, Needs, grids, known};
use crate::{ComputeError, Cube};
use tesela_kernel::expr::Expression;
use tesela_kernel::geomedian::{Geomad, Workspace, geomad, geomad_rows};

/// Side of a block, pixels.
pub(super) const SIDE: usize = 256;

/// Output planes of one block in the order of the recipe's outputs, and how many pixels have a value.
pub(super) struct BlockPixels {
    pub(super) planes: Vec<Pixels>,
    pub(super) pixels: u64,
    pub(super) chunks: ChunkReport,
}

/// What may be used of a window.
struct Usable {
    /// `(slots, pixels)` of what the mask or saturation hides.
    hidden: Vec<bool>,
    /// Pixels ever observed.
    observed: Vec<bool>,
    /// What is looked at of each slot; `None` is everything.
    needs: Option<Needs>,
    /// Slots with anything to look at.
    live: Vec<usize>,
    chunks: ChunkReport,
}

/// What every block of one tile's geomedian shares.
pub(super) struct GeomedianTile<'t> {
    pub(super) cube: &'t Cube,
    pub(super) recipe: &'t RecipeDef,
    pub(super) input: &'t Product,
    pub(super) bands: Vec<&'t Band>,
    pub(super) outputs: &'t [Band],
    pub(super) slots: &'t [SlotRow],
    pub(super) neighbours: &'t Neighbours,
    pub(super) masker: Option<Masker>,
    pub(super) saturated: Vec<u16>,
    /// How chunks lie in each slot; `None` when all are read.
    grids: Option<Vec<Grid>>,
    /// What facts say of each slot.
    known: Vec<Option<Known>>,
}

impl<'t> GeomedianTile<'t> {
    pub(super) fn new(
        cube: &'t Cube,
        recipe: &'t RecipeDef,
        input: &'t Product,
        outputs: &'t [Band],
        names: &[String],
        slots: &'t [SlotRow],
        neighbours: &'t Neighbours,
    ) -> Result<Self, ComputeError> {
        let bands = names.iter().map(|n| input.band(n)).collect::<Result<Vec<_>, _>>()?;
        let masker = match input.quality() {
            Some((quality, _)) => Some(Masker::new(input.mask(&recipe.mask)?, quality.nodata)?),
            None => None,
        };
        let saturated = slots.iter().map(|s| saturation_bits(&s.platform, names)).collect();
        let (grids, known) = match &masker {
            Some(_) => {
                let grids = grids(cube, bands[0], slots)?;
                let mut known = known(cube, input, &recipe.mask, slots)?;
                known.iter_mut().zip(&grids).for_each(|(k, g)| *k = k.take().filter(|k| k.is_of(g)));
                (Some(grids), known)
            }
            None => (None, vec![None; slots.len()]),
        };
        Ok(Self { cube, recipe, input, bands, outputs, slots, neighbours, masker, saturated, grids, known })
    }

    /// Decodes every chunk, hidden or not.
    pub(super) fn read_all(&mut self) {
        self.grids = None;
        self.known.fill(None);
    }

    /// The block's outputs; `None` when nothing was ever observed there.
    pub(super) fn run(&self, window: &PixelWindow) -> Result<Option<BlockPixels>, ComputeError> {
        let n = self.slots.len();
        let len = window.len();
        let Some(usable) = self.usable(window)? else { return Ok(None) };
        let Usable { hidden, observed, needs, live, chunks } = usable;
        let stacks = self
            .bands
            .iter()
            .map(|b| self.cube.read_slots_where(self.input, b, self.slots, &live, needs.as_ref(), window))
            .collect::<Result<Vec<_>, _>>()?;
        let scales: Vec<(f64, f64, f64, [f64; 2])> = self
            .bands
            .iter()
            .map(|b| (b.scale, b.offset, b.nodata, b.valid.unwrap_or([f64::NEG_INFINITY, f64::INFINITY])))
            .collect();
        let p = self.bands.len();
        let mut out = Outputs::new(self.outputs, len)?;
        let mut workspace = Workspace::new();
        let mut rows: Vec<f64> = Vec::with_capacity(n * p);
        let mut six: Vec<[f64; 6]> = Vec::with_capacity(n);
        let mut point = vec![0.0; p];
        for i in 0..len {
            if !observed[i] {
                continue;
            }
            rows.clear();
            'slot: for (k, s) in live.iter().enumerate() {
                if hidden[s * len + i] {
                    continue;
                }
                let start = rows.len();
                for (stack, (scale, offset, nodata, valid)) in stacks.iter().zip(&scales) {
                    let v = stack.get_f64(k * len + i).unwrap_or(*nodata);
                    if v == *nodata || !(valid[0]..=valid[1]).contains(&v) {
                        rows.truncate(start);
                        continue 'slot;
                    }
                    rows.push(v * scale + offset);
                }
            }
            let count = (rows.len() / p) as u16;
            if p == 6 {
                six.clear();
                six.extend(rows.chunks_exact(6).map(|r| [r[0], r[1], r[2], r[3], r[4], r[5]]));
                let Geomad { point, mads, .. } = geomad(&six, self.recipe.min_obs, &mut workspace);
                out.put(i, &point, [mads.smad, mads.emad, mads.bcmad], count, self.recipe.min_obs);
            } else {
                let done =
                    geomad_rows(&rows, p, self.recipe.min_obs, &mut point, &mut workspace).map_err(|e| {
                        ComputeError::Recipe { recipe: self.recipe.recipe.clone(), problem: e.to_string() }
                    })?;
                let m = done.mads;
                out.put(i, &point, [m.smad, m.emad, m.bcmad], count, self.recipe.min_obs);
            }
        }
        Ok(Some(BlockPixels { pixels: out.pixels, planes: out.planes, chunks }))
    }

    /// What may be used of a window; `None` when nothing was ever observed there.
    fn usable(&self, window: &PixelWindow) -> Result<Option<Usable>, ComputeError> {
        let n = self.slots.len();
        let len = window.len();
        let mut usable = Usable {
            hidden: vec![false; n * len],
            observed: vec![false; len],
            needs: None,
            live: (0..n).collect(),
            chunks: ChunkReport::default(),
        };
        if let (Some(masker), Some(quality)) = (&self.masker, self.input.quality()) {
            self.mask(masker, quality, window, &mut usable)?;
        } else {
            let first =
                self.cube.read_slot_stack(self.input, self.bands[0], self.slots, self.neighbours, window)?;
            for k in 0..n * len {
                let seen = first.get_f64(k).is_some_and(|v| !self.bands[0].is_nodata(v));
                usable.observed[k % len] |= seen;
            }
        }
        if !usable.observed.contains(&true) {
            return Ok(None);
        }
        let mut bands = self.bands.len() as u64;
        if let Some(name) = self.input.scenes().and_then(|d| d.saturation.as_deref()) {
            let band = self.input.band(name)?;
            let Usable { hidden, needs, live, .. } = &mut usable;
            let words =
                self.cube.read_slots_where(self.input, band, self.slots, live, needs.as_ref(), window)?;
            for (k, s) in live.iter().enumerate() {
                for (i, h) in hidden[s * len..(s + 1) * len].iter_mut().enumerate() {
                    let w = words.get_f64(k * len + i).unwrap_or(band.nodata);
                    *h |= w != band.nodata && (w as u16) & self.saturated[*s] != 0;
                }
            }
            bands += 1;
        }
        if let Some((read, skipped)) = usable.needs.as_ref().map(Needs::count) {
            (usable.chunks.read, usable.chunks.skipped) = (bands * read, bands * skipped);
        }
        Ok(Some(usable))
    }

    /// Hides what the mask does. Slots of which facts say all are not read.
    fn mask(
        &self,
        masker: &Masker,
        (quality, table): (&Band, &FlagTable),
        window: &PixelWindow,
        usable: &mut Usable,
    ) -> Result<(), ComputeError> {
        let Some(home) = self.slots.first().map(|s| s.tile) else { return Ok(()) };
        let len = window.len();
        let halo = masker.halo();
        let grown = window.grown(halo);
        let inside = place(&self.input.grid.tile_window(home, 0), window);
        let told: Vec<Option<Vec<Need>>> =
            self.known.iter().map(|known| known.as_ref()?.needs(inside)).collect();
        let open: Vec<SlotRow> =
            self.slots.iter().zip(&told).filter(|(_, t)| t.is_none()).map(|(s, _)| s.clone()).collect();
        let words = self.cube.read_slot_stack(self.input, quality, &open, self.neighbours, &grown)?;
        if words.is_all(quality.nodata) && told.iter().flatten().flatten().all(|n| *n == Need::Nothing) {
            return Ok(());
        }
        let fill = table.mask(&["fill"]).map(|m| m.table()).unwrap_or_default();
        let (mut needs, mut of_quality) = (Needs::new(inside), Needs::new(inside));
        let mut seen = vec![false; len];
        let mut next = 0;
        for (s, told) in told.into_iter().enumerate() {
            let hidden = &mut usable.hidden[s * len..(s + 1) * len];
            let grid = self.grids.as_ref().and_then(|g| g.get(s)).copied();
            if let (Some(told), Some(grid)) = (told, grid) {
                hidden.fill(true);
                needs.push_known(grid, told.clone());
                needs.seen(s, &mut usable.observed);
                of_quality.push_known(grid, told);
                continue;
            }
            let at = next * grown.len();
            next += 1;
            let word = |i: usize| words.get_f64(at + i).unwrap_or(quality.nodata) as u16;
            hidden.copy_from_slice(&masker.hidden(word, grown.width, grown.height, halo)?);
            for (i, (seen, o)) in seen.iter_mut().zip(&mut usable.observed).enumerate() {
                let w = word((i / window.width + halo) * grown.width + i % window.width + halo);
                *seen = f64::from(w) != quality.nodata && !fill.get(usize::from(w)).copied().unwrap_or(false);
                *o |= *seen;
            }
            if let Some(grid) = grid {
                needs.push(grid, hidden, &seen);
                of_quality.push_seen(grid, &seen);
            }
        }
        if self.grids.is_some() {
            usable.live.retain(|s| needs.any(*s));
            (usable.chunks.quality_read, usable.chunks.quality_skipped) = of_quality.count();
            usable.needs = Some(needs);
        }
        Ok(())
    }
}

/// Bits of the saturation word that spoil any of these bands on a platform.
pub(crate) fn saturation_bits(platform: &str, bands: &[String]) -> u16 {
    let Ok(platform) = platform.parse::<Platform>() else { return 0 };
    // Bands the table does not know have no bit of their own.
    let known: Vec<&String> =
        bands.iter().filter(|b| saturation_mask(platform.family(), &[b.as_str()]).is_ok()).collect();
    let names: Vec<&str> = known.iter().map(|b| b.as_str()).collect();
    saturation_mask(platform.family(), &names).unwrap_or(0)
}

/// Output planes being filled: the bands, then SMAD, EMAD, BCMAD, count.
struct Outputs {
    planes: Vec<Pixels>,
    quantizers: Vec<Option<Quantize>>,
    pixels: u64,
}

enum Quantize {
    U16(tesela_kernel::geomedian::Quantizer<u16>),
    I16(tesela_kernel::geomedian::Quantizer<i16>),
}

impl Outputs {
    fn new(bands: &[Band], len: usize) -> Result<Self, ComputeError> {
        use tesela_kernel::geomedian::Quantizer;
        let bad = |b: &Band, e: String| ComputeError::Parameter {
            parameter: "outputs",
            problem: format!("{}: {e}", b.name),
        };
        let quantizers = bands
            .iter()
            .map(|b| {
                Ok(match b.dtype {
                    DType::Uint16 => Some(Quantize::U16(
                        Quantizer::<u16>::new(b.scale, b.offset, b.nodata as u16)
                            .map_err(|e| bad(b, e.to_string()))?,
                    )),
                    DType::Int16 => Some(Quantize::I16(
                        Quantizer::<i16>::new(b.scale, b.offset, b.nodata as i16)
                            .map_err(|e| bad(b, e.to_string()))?,
                    )),
                    _ => None,
                })
            })
            .collect::<Result<_, ComputeError>>()?;
        Ok(Self {
            planes: bands.iter().map(|b| Pixels::filled(b.dtype, len, b.nodata)).collect(),
            quantizers,
            pixels: 0,
        })
    }

    fn put(&mut self, i: usize, point: &[f64], mads: [f64; 3], count: u16, min_obs: u16) {
        let p = point.len();
        // Nothing valid leaves every layer nodata but the count.
        set(&mut self.planes[p + 3], i, f64::from(count), None);
        if count == 0 || count < min_obs {
            return;
        }
        self.pixels += 1;
        for (k, v) in point.iter().chain(&mads).enumerate() {
            set(&mut self.planes[k], i, *v, self.quantizers[k].as_ref());
        }
    }
}

fn set(plane: &mut Pixels, i: usize, v: f64, quantize: Option<&Quantize>) {
    match (plane, quantize) {
        (Pixels::U16(p), Some(Quantize::U16(q))) => p[i] = q.encode(v),
        (Pixels::I16(p), Some(Quantize::I16(q))) => p[i] = q.encode(v),
        (Pixels::F32(p), _) => p[i] = v as f32,
        (Pixels::U16(p), _) => p[i] = v as u16,
        (Pixels::U8(p), _) => p[i] = v as u8,
        (Pixels::I16(p), _) => p[i] = v as i16,
    }
}

/// An expression over another derived raster, for one block.
pub(super) fn expression_block(
    cube: &Cube,
    input: &Product,
    item: &Item,
    expression: &Expression,
    output: &Band,
    window: &PixelWindow,
) -> Result<Option<BlockPixels>, ComputeError> {
    let bands = expression.bands().iter().map(|n| input.band(n)).collect::<Result<Vec<_>, _>>()?;
    let read = cube.read_item(input, item, &bands, 0, window)?;
    if read.iter().zip(&bands).all(|(p, b)| p.is_all(b.nodata)) {
        return Ok(None);
    }
    let layers = read.iter().zip(&bands).map(|(p, b)| physical(p, b)).collect::<Result<Vec<_>, _>>()?;
    let inputs: Vec<&[f32]> = layers.iter().map(Vec::as_slice).collect();
    let mut values = vec![f32::NAN; window.len()];
    expression
        .evaluate(&inputs, &mut values)
        .map_err(|e| ComputeError::Recipe { recipe: input.id.clone(), problem: e.to_string() })?;
    let pixels = values.iter().filter(|v| !v.is_nan()).count() as u64;
    let plane = match output.dtype {
        DType::Float32 => Pixels::F32(values),
        _ => {
            let mut out = Outputs::new(std::slice::from_ref(output), window.len())?;
            for (i, v) in values.iter().enumerate().filter(|(_, v)| !v.is_nan()) {
                set(&mut out.planes[0], i, f64::from(*v), out.quantizers[0].as_ref());
            }
            out.planes.remove(0)
        }
    };
    Ok(Some(BlockPixels { planes: vec![plane], pixels, chunks: ChunkReport::default() }))
}
