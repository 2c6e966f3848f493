//! An annual geomedian from the store, against decoding the same chunks and doing nothing with them, and against what
//! decoding, the kernel and the encoder take by themselves.

use std::path::Path;

use tesela_compute::Cube;
use tesela_compute::recipe::ComputeOptions;
use tesela_kernel::geomedian::{Layer, Samples, Stack, geomad_block};
use tesela_model::{Silent, shipped_product, shipped_recipe};
use tesela_store::{ObjectKey, Pixels, Slice, Store, Window};

use crate::figures::{cpu_s, say};
use crate::keeping::{encode, plain, slot_groups};
use crate::scenes::BANDS;
use crate::{Fallible, PRODUCT, TILE};

/// Turns of each side; the least CPU time counts.
const TURNS: usize = 5;
/// Side of the windows that a recipe reads.
const SIDE: usize = 256;

/// All sides take turns, one thread each.
///
/// *Decode*: every chunk of every band, the quality words among them, of all dates, once each, through the store and
/// into memory that is used again; nothing is passed over. *Kernel*: `geomad_block` of what was decoded, the quality
/// words being a mask already. *Encode*: compressing every chunk that the composite wrote, pyramid included. *Composite*:
/// `compute`, from the plan to the commit; what of its chunks the mask hides wholly it does not decode, which is a share
/// printed beside it. No composite can take less than decode, kernel and encode together; what share of decode that
/// leaves is the ceiling.
pub fn measure(dir: &Path, dates: usize, side: usize) -> Fallible<()> {
    let cube = Cube::open(dir)?;
    // Of the tile itself: recipes do not read the mosaic's coarse levels.
    let tile = format!("/{}_{}/", TILE.0, TILE.1);
    let mut groups = slot_groups(cube.index())?;
    groups.retain(|group| group.contains(&tile));
    let mut recipe = shipped_recipe("geomedian_annual").ok_or("no such recipe")??;
    recipe.input = PRODUCT.into();
    let options = ComputeOptions { force: true, threads: Some(1), ..ComputeOptions::default() };
    let lock = cube.lock("bench")?;
    let [mut decoded, mut solved, mut made, mut encoded, mut skipped] = [f64::INFINITY; 5];
    for _ in 0..TURNS {
        let ours = decode_and_solve(&plain(&cube), &groups, dates, side)?;
        decoded = decoded.min(ours[0]);
        solved = solved.min(ours[1]);
        let before = generations(&cube)?;
        let fresh = Cube::open(dir)?;
        let start = cpu_s();
        let report = fresh.compute(&recipe, &options, &Silent)?;
        made = made.min(cpu_s() - start);
        if report.computed.len() != 1 || report.pixels != (side * side) as u64 {
            return Err(format!("{:?} were computed, {} pixels", report.computed, report.pixels).into());
        }
        skipped = report.chunks.share_skipped().unwrap_or(0.0);
        let mut written = generations(&cube)?;
        written.retain(|group| !before.contains(group));
        encoded = encoded.min(encode(&cube, &written)?);
    }
    drop(lock);
    let least = decoded + solved + encoded;
    say("composite_dates", dates as f64);
    say("composite_decode_cpu_s", decoded);
    say("composite_kernel_cpu_s", solved);
    say("composite_encode_cpu_s", encoded);
    say("composite_cpu_s", made);
    say("composite_mobs_per_cpu_s", (dates * side * side) as f64 / made / 1e6);
    say("composite_chunks_skipped_share", skipped);
    say("composite_share_of_decode", decoded / made);
    say("composite_ceiling_of_decode", decoded / least);
    say("composite_share_of_ceiling", least / made);
    Ok(())
}

/// Prefixes of derived rasters.
fn generations(cube: &Cube) -> Fallible<Vec<String>> {
    let groups = cube.index().groups()?.into_iter();
    Ok(groups.filter(|g| g.kind == "generation").map(|g| g.prefix).collect())
}

/// Decodes all dates of all bands, window by window, and makes the geomedian of each; CPU seconds of the two.
fn decode_and_solve(store: &Store, groups: &[String], dates: usize, side: usize) -> Fallible<[f64; 2]> {
    let product = shipped_product(PRODUCT).ok_or("no such product")??;
    let mut slices = Vec::new();
    for band in BANDS {
        let arrays = groups.iter().map(|g| Ok(store.open_array(&ObjectKey::new(g)?, band)?));
        let arrays = arrays.collect::<Fallible<Vec<_>>>()?;
        let dates = arrays.iter().flat_map(|a| (0..a.shape()[0]).map(|t| Slice { array: a.clone(), t }));
        slices.push(dates.collect::<Vec<_>>());
    }
    if slices.iter().any(|s| s.len() != dates) {
        return Err(
            format!("not {dates} dates: {:?}", slices.iter().map(Vec::len).collect::<Vec<_>>()).into()
        );
    }
    let (quality, bands) = slices.split_last().ok_or("no bands")?;
    let mut stacks: Vec<Pixels> = BANDS.iter().map(|_| Pixels::empty(tesela_model::DType::Int16)).collect();
    let mut words = Pixels::empty(tesela_model::DType::Uint8);
    let [mut decoded, mut solved, mut pixels] = [0.0, 0.0, 0.0];
    for (y0, x0) in (0..side).step_by(SIDE).flat_map(|y| (0..side).step_by(SIDE).map(move |x| (y, x))) {
        let (height, width) = (SIDE.min(side - y0), SIDE.min(side - x0));
        let window = Window { y0: y0 as i64, x0: x0 as i64, height, width };
        let start = cpu_s();
        for (slices, out) in bands.iter().zip(&mut stacks) {
            store.read_stack(slices, window, out)?;
        }
        store.read_stack(quality, window, &mut words)?;
        decoded += cpu_s() - start;
        let Pixels::U8(found) = &words else { return Err("quality words of another type".into()) };
        // Clear land is 0; what is not, the recipe's mask hides.
        let hidden: Vec<bool> = found.iter().map(|w| *w != 0).collect();
        let layers = stacks.iter().zip(&product.measurements).take(bands.len());
        let layers: Vec<Layer<'_>> = layers
            .map(|(stack, band)| match stack {
                Pixels::I16(v) => Ok(Layer {
                    samples: Samples::I16(v),
                    scale: band.scale,
                    offset: band.offset,
                    nodata: band.nodata,
                    valid: band.valid.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]),
                }),
                _ => Err(format!("{} is of another type", band.name)),
            })
            .collect::<Result<_, _>>()?;
        let stack = Stack { layers: &layers, hidden: &hidden, pixels: window.len() };
        let start = cpu_s();
        let made = geomad_block(&stack, 1)?;
        solved += cpu_s() - start;
        pixels += made.emad.iter().filter(|v| !v.is_nan()).count() as f64;
    }
    if pixels == (side * side) as f64 {
        Ok([decoded, solved])
    } else {
        Err(format!("{pixels} pixels have a geomedian").into())
    }
}
