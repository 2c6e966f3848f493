//! What is stored is what the kernel makes of the stack, byte for byte: whatever blocks, chunks and masks lie between. The
//! benches time that kernel.

use tesela_kernel::geomedian::{Layer, Planes, Samples, Stack, geomad_block};

use super::*;
use crate::load::Item;

const BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

/// The kernel's answer for all pixels of a tile at once, and which were ever observed.
fn planes(bands: &[tesela_model::Band], places: &[(i64, i64)]) -> (Planes, Vec<bool>) {
    let at = |name: &&str| bands.iter().position(|b| b.name == **name).unwrap();
    let stacks: Vec<Vec<u16>> = BANDS
        .iter()
        .map(|name| {
            let value = |date, (x, y): &(i64, i64)| match word(date, *x, *y) {
                1 => 0,
                word => reflectance(date, at(name), *x, *y, word) as u16,
            };
            (0..DATES).flat_map(|date| places.iter().map(move |p| value(date, p))).collect()
        })
        .collect();
    let layers: Vec<Layer<'_>> = BANDS
        .iter()
        .zip(&stacks)
        .map(|(name, stack)| {
            let band = &bands[at(name)];
            let (samples, valid) = (Samples::U16(stack), band.valid.unwrap());
            Layer { samples, scale: band.scale, offset: band.offset, nodata: band.nodata, valid }
        })
        .collect();
    // The mask leaves 64, clear; one date in a thousand has its red band saturated.
    let usable = |date, (x, y): &(i64, i64)| word(date, *x, *y) == 64 && noise(date, 3, *x, *y) >= 1e-3;
    let hidden: Vec<bool> =
        (0..DATES).flat_map(|date| places.iter().map(move |p| !usable(date, p))).collect();
    let observed = places.iter().map(|(x, y)| (0..DATES).any(|date| word(date, *x, *y) != 1)).collect();
    let stack = Stack { layers: &layers, hidden: &hidden, pixels: places.len() };
    (geomad_block(&stack, 1).unwrap(), observed)
}

#[test]
fn a_composite_is_the_kernel_of_its_stack() {
    for form in [Form::Recent, Form::Archive] {
        let (_dir, cube) = cube(form, true);
        let mut recipe = shipped_recipe("geomedian_annual").unwrap().unwrap();
        recipe.mask = "clouds".into();
        let report = cube.compute(&recipe, &ComputeOptions::default(), &Silent).unwrap();
        let row = cube.index().generations("geomedian_annual", report.snapshot).unwrap().remove(0);
        let item = Item::Generation(Box::new(row));
        let catalog = cube.fresh_catalog().unwrap();
        let (output, input) =
            (catalog.product("geomedian_annual").unwrap(), catalog.product(SCENES).unwrap());
        let bands: Vec<_> = output.bands.iter().collect();
        let mut answered = 0;
        for ix in 0..2 {
            let window = output.grid.tile_window(TileId { ix, iy: 0 }, 0);
            let places: Vec<(i64, i64)> = (window.py..window.py_end())
                .flat_map(|y| (window.px..window.px_end()).map(move |x| (x, y)))
                .collect();
            let (planes, observed) = planes(&input.bands, &places);
            let stored = cube.read_item(output, &item, &bands, 0, &window).unwrap();
            for (band, stored) in bands.iter().zip(&stored) {
                let of_band = |j: usize| &planes.point[j * places.len()..(j + 1) * places.len()];
                let expected = |i: usize| {
                    let reflectance = BANDS.iter().position(|name| *name == band.name).map(of_band);
                    match (band.name.as_str(), reflectance) {
                        _ if !observed[i] => band.nodata,
                        (_, Some(plane)) if plane[i].is_nan() => 0.0,
                        // A reflectance of nothing would be nodata.
                        (_, Some(plane)) => (f64::from(plane[i]) * 1e4).round_ties_even().max(1.0),
                        ("smad", _) => planes.smad[i].into(),
                        ("emad", _) => planes.emad[i].into(),
                        ("bcmad", _) => planes.bcmad[i].into(),
                        ("count", _) => planes.count[i].into(),
                        ("qa", _) => planes.flags[i].bits().into(),
                        (name, _) => panic!("{name}"),
                    }
                };
                for (i, place) in places.iter().enumerate() {
                    let (found, expected) = (stored.get_f64(i).unwrap(), expected(i));
                    let same = found == expected || (found.is_nan() && expected.is_nan());
                    assert!(same, "{form:?} {} at {place:?}: {found}, not {expected}", band.name);
                }
            }
            answered += planes.emad.iter().filter(|v| !v.is_nan()).count() as u64;
        }
        assert!(answered == report.pixels && answered > 50_000, "{answered} of {}", report.pixels);
    }
}
