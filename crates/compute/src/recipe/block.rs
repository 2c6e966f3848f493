//! One block of 256 × 256 pixels: the smallest piece of work. Blocks do not depend on one another, so results
//! do not depend on threads.

use tesela_grid::PixelWindow;
use tesela_index::SlotRow;
use tesela_model::landsat::{Platform, saturation_mask};
use tesela_model::{Band, DType, RecipeDef};
use tesela_store::Pixels;

use crate::catalog::Product;
use crate::load::{Item, Neighbours};
use crate::mask::Masker;
use crate::query::physical;
use crate::{ComputeError, Cube};
use tesela_kernel::expr::Expression;
use tesela_kernel::geomedian::{Layer, Samples, Stack, geomad_block};

/// Side of a block, pixels.
pub(super) const SIDE: usize = 256;

/// Output planes of one block in the order of the recipe's outputs, and how many pixels have a value.
pub(super) struct BlockPixels {
    pub(super) planes: Vec<Pixels>,
    pub(super) pixels: u64,
}

/// `(slots, pixels)` of what the mask or saturation hides, and which pixels were ever observed.
type Usable = (Vec<bool>, Vec<bool>);

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
        Ok(Self { cube, recipe, input, bands, outputs, slots, neighbours, masker, saturated })
    }

    /// The block's outputs; `None` when nothing was ever observed there.
    pub(super) fn run(&self, window: &PixelWindow) -> Result<Option<BlockPixels>, ComputeError> {
        let Some((hidden, observed)) = self.hidden(window)? else { return Ok(None) };
        let stacks = self
            .bands
            .iter()
            .map(|b| self.cube.read_slot_stack(self.input, b, self.slots, self.neighbours, window))
            .collect::<Result<Vec<_>, _>>()?;
        let found = composite(&self.bands, self.outputs, self.recipe.min_obs, &stacks, &hidden, &observed);
        found
            .map(Some)
            .map_err(|problem| ComputeError::Recipe { recipe: self.recipe.recipe.clone(), problem })
    }

    /// What may be used of a window; `None` when nothing was ever observed there.
    fn hidden(&self, window: &PixelWindow) -> Result<Option<Usable>, ComputeError> {
        let n = self.slots.len();
        let len = window.len();
        let mut hidden = vec![false; n * len];
        let mut observed = vec![false; len];
        if let (Some(masker), Some((quality, table))) = (&self.masker, self.input.quality()) {
            let halo = masker.halo();
            let grown = window.grown(halo);
            let words =
                self.cube.read_slot_stack(self.input, quality, self.slots, self.neighbours, &grown)?;
            if words.is_all(quality.nodata) {
                return Ok(None);
            }
            let fill = table.mask(&["fill"]).map(|m| m.table()).unwrap_or_default();
            for s in 0..n {
                let at = s * grown.len();
                let word = |i: usize| words.get_f64(at + i).unwrap_or(quality.nodata) as u16;
                let mask = masker.hidden(word, grown.width, grown.height, halo)?;
                hidden[s * len..(s + 1) * len].copy_from_slice(&mask);
                for (i, o) in observed.iter_mut().enumerate() {
                    let w = word((i / window.width + halo) * grown.width + i % window.width + halo);
                    *o |=
                        f64::from(w) != quality.nodata && !fill.get(usize::from(w)).copied().unwrap_or(false);
                }
            }
        } else {
            let first =
                self.cube.read_slot_stack(self.input, self.bands[0], self.slots, self.neighbours, window)?;
            for k in 0..n * len {
                let seen = first.get_f64(k).is_some_and(|v| !self.bands[0].is_nodata(v));
                observed[k % len] |= seen;
            }
        }
        if !observed.contains(&true) {
            return Ok(None);
        }
        if let Some(name) = self.input.scenes().and_then(|d| d.saturation.as_deref()) {
            let band = self.input.band(name)?;
            let words = self.cube.read_slot_stack(self.input, band, self.slots, self.neighbours, window)?;
            for (k, h) in hidden.iter_mut().enumerate() {
                let w = words.get_f64(k).unwrap_or(band.nodata);
                *h |= w != band.nodata && (w as u16) & self.saturated[k / len] != 0;
            }
        }
        Ok(Some((hidden, observed)))
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

/// The arithmetic of a block: `stacks` and `hidden` are `(time, pixel)`, one time after another. Pixels never observed
/// stay nodata in every layer, the count too.
fn composite(
    bands: &[&Band],
    outputs: &[Band],
    min_obs: u16,
    stacks: &[Pixels],
    hidden: &[bool],
    observed: &[bool],
) -> Result<BlockPixels, String> {
    let layers: Vec<Layer<'_>> = bands
        .iter()
        .zip(stacks)
        .map(|(band, stack)| Layer {
            samples: match stack {
                Pixels::U8(v) => Samples::U8(v),
                Pixels::U16(v) => Samples::U16(v),
                Pixels::I16(v) => Samples::I16(v),
                Pixels::F32(v) => Samples::F32(v),
            },
            scale: band.scale,
            offset: band.offset,
            nodata: band.nodata,
            valid: band.valid.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]),
        })
        .collect();
    let len = observed.len();
    let stack = Stack { layers: &layers, hidden, pixels: len };
    let found = geomad_block(&stack, min_obs).map_err(|e| e.to_string())?;
    let mut out = Outputs::new(outputs, len).map_err(|e| e.to_string())?;
    let mut point = vec![0.0; layers.len()];
    for i in (0..len).filter(|&i| observed[i]) {
        for (j, v) in point.iter_mut().enumerate() {
            *v = f64::from(found.point[j * len + i]);
        }
        let mads = [found.smad[i], found.emad[i], found.bcmad[i]].map(f64::from);
        out.put(i, &point, mads, found.count[i], min_obs);
    }
    Ok(BlockPixels { pixels: out.pixels, planes: out.planes })
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
    Ok(Some(BlockPixels { planes: vec![plane], pixels }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tesela_kernel::geomedian::{Quantizer, Workspace, geomad};
    use tesela_model::PyramidRule;

    fn band(name: &str, dtype: DType, nodata: f64, scale: f64, offset: f64) -> Band {
        Band {
            name: name.into(),
            title: Default::default(),
            dtype,
            nodata,
            scale,
            offset,
            unit: String::new(),
            valid: (offset != 0.0).then_some([7273.0, 43636.0]),
            flags: None,
            pyramid: PyramidRule::Mean,
        }
    }

    /// Stored bytes are the kernel's numbers, quantised once, wherever a block is cut.
    #[test]
    fn composites_are_the_kernels_numbers() {
        const SIX: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];
        let (times, len, min_obs) = (14, 40, 3);
        let at = |seed: usize| seed.wrapping_mul(2_654_435_761) >> 7;
        let dn = |j: usize, k: usize| (9000 + 900 * j + at(k * 7 + j + 1) % 700) as u16;
        let stacks: Vec<Vec<u16>> = (0..6)
            .map(|j| (0..times * len).map(|k| if at(k) % 11 == 0 { 0 } else { dn(j, k) }).collect())
            .collect();
        let hidden: Vec<bool> = (0..times * len).map(|k| at(k + 5) % 40 < 3 * (k % len) / 2).collect();
        let observed: Vec<bool> = (0..len).map(|i| i != 17).collect();
        let bands: Vec<Band> = SIX.iter().map(|n| band(n, DType::Uint16, 0.0, 2.75e-5, -0.2)).collect();
        let bands: Vec<&Band> = bands.iter().collect();
        let mut outputs: Vec<Band> = SIX.iter().map(|n| band(n, DType::Uint16, 0.0, 1e-4, 0.0)).collect();
        outputs.extend(["smad", "emad", "bcmad"].map(|n| band(n, DType::Float32, f64::NAN, 1.0, 0.0)));
        outputs.push(band("count", DType::Uint16, 65535.0, 1.0, 0.0));

        let cut = |from: usize, to: usize| {
            let rows = |k: &usize| (from..to).contains(&(k % len));
            let keep: Vec<usize> = (0..times * len).filter(rows).collect();
            let stacks: Vec<Pixels> =
                stacks.iter().map(|s| Pixels::U16(keep.iter().map(|&k| s[k]).collect())).collect();
            let hidden: Vec<bool> = keep.iter().map(|&k| hidden[k]).collect();
            composite(&bands, &outputs, min_obs, &stacks, &hidden, &observed[from..to]).unwrap()
        };
        let whole = cut(0, len);
        let (left, right) = (cut(0, 19), cut(19, len));
        for ((whole, left), right) in whole.planes.iter().zip(&left.planes).zip(&right.planes) {
            assert_eq!(whole.bytes(), [left.bytes(), right.bytes()].concat());
        }

        let quantizer = Quantizer::<u16>::new(1e-4, 0.0, 0).unwrap();
        let mut workspace = Workspace::new();
        let mut values = 0;
        for (i, &seen) in observed.iter().enumerate() {
            let rows: Vec<[f64; 6]> = (i..times * len)
                .step_by(len)
                .filter(|&k| !hidden[k] && (0..6).all(|j| stacks[j][k] != 0))
                .map(|k| std::array::from_fn(|j| f64::from(stacks[j][k]) * 2.75e-5 - 0.2))
                .collect();
            let found = geomad(&rows, min_obs, &mut workspace);
            let stored = |plane: usize| whole.planes[plane].get_f64(i).unwrap();
            if !seen {
                assert_eq!((stored(0), stored(9)), (0.0, 65535.0));
                continue;
            }
            assert_eq!(stored(9), f64::from(found.count));
            values += u64::from(!found.point[0].is_nan());
            for j in 0..6 {
                let exact = f64::from(quantizer.encode(found.point[j]));
                assert!((stored(j) - exact).abs() <= 1.0, "pixel {i} band {j}: {} {exact}", stored(j));
            }
            for (plane, exact) in [(6, found.mads.smad), (7, found.mads.emad), (8, found.mads.bcmad)] {
                assert!((stored(plane) - exact).abs() <= 1e-5 || exact.is_nan(), "pixel {i} plane {plane}");
            }
        }
        assert_eq!(whole.pixels, values);
        assert!(values > 20 && values < 39, "{values}");
    }
}
