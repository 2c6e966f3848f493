//! Other projections against GDAL: scenes warped at ingest, and Web Mercator tiles warped when asked for.

use std::fmt::Write as _;

use crate::harness::{
    Raster, Server, TestCube, Window, data, python_with, read_store, stack_manifest, transformed,
};
use crate::real_inputs::{cube_for, replaced};

const STACK: &str = "01-chiapas-l7-sr/LE70220491999322EDC01_stack.gtif";
const FILL: f64 = -9999.0;

/// GDAL approximates its transform to an eighth of a pixel, so a pixel in a hundred may come from the neighbour.
const EQUAL_SHARE: f64 = 0.99;

fn with_1999(cube: &TestCube, stack: &std::path::Path) {
    let manifest = stack_manifest(&[(stack.to_owned(), "1999-11-18".into(), "landsat-7")]);
    let manifest = cube.write("scenes.csv", &manifest);
    cube.ok(&["ingest", "--product", "landsat_stack_fmask", &manifest]);
}

/// The share of equal pixels, of all and of those with data on either side.
#[track_caller]
fn agree(what: &str, found: &[f64], known: &[f64]) {
    assert_eq!(found.len(), known.len());
    let data: Vec<(&f64, &f64)> =
        found.iter().zip(known).filter(|(f, k)| **f != FILL || **k != FILL).collect();
    let equal = data.iter().filter(|(f, k)| f == k).count();
    let share = equal as f64 / data.len() as f64;
    eprintln!("{what}: {equal} of {} pixels with data equal ({:.3} %)", data.len(), share * 100.0);
    assert!(data.len() > 1000 && share >= EQUAL_SHARE, "{what}: {share}");
}

#[test]
fn nearest_on_the_mexican_lambert_grid_is_gdals() {
    let Some(stack) = data(STACK) else { return };
    let Some(known) = data("18-known-answers/chiapas_1999_b4_epsg6372_30m_nearest.tif") else { return };
    if !python_with("zarr, xarray") {
        return;
    }
    let cube = TestCube::init();
    with_1999(&cube, &stack);
    let known = Raster::read(&known, 1);
    let window = Window {
        x_min: known.x_min,
        y_max: known.y_max,
        resolution: known.dx,
        width: known.width,
        height: known.height,
    };
    let groups = cube.groups("landsat_stack_fmask");
    let mut found = read_store(&groups, &["nir"], &["1999-11-18".into()], &window).remove(0).remove(0);
    // Outside the tiles that were written there is nothing.
    found.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = FILL);
    agree("EPSG:6372", &found, &known.values);
    cube.is_sound();
}

/// Values that one style tells apart.
const STEP: usize = 250;
/// Styles; they reach to 4999 + 5 in steps of 0.0001.
const STYLES: usize = 24;

/// Grey in bytes, one step of the stored values each: style k paints 250·k as 0 and 250·k + 255 as 255. Where a
/// byte is neither 0 nor 255 it gives the stored value back exactly.
fn with_exact_styles(text: &str) -> String {
    let mut styles = String::from("styles:\n");
    for k in 0..STYLES {
        let low = k * STEP;
        let title = format!("title: {{es: s{k}, en: s{k}}}");
        let range = [low, low + 255].map(|v| format!("{:.4}", v as f64 / 1e4));
        writeln!(
            styles,
            "  - {{name: s{k}, {title}, rgb: [nir, nir, nir], range: [{}, {}]}}",
            range[0], range[1]
        )
        .unwrap();
    }
    replaced(text, "styles:\n", &styles)
}

/// A map tile's stored values, through its pictures.
fn tile_values(server: &Server, tile: &str) -> Vec<f64> {
    let mut values = vec![FILL; 256 * 256];
    for k in 0..STYLES {
        let path = format!(
            "tiles/landsat_stack_fmask/WebMercatorQuad/{tile}.png?style=s{k}&datetime=1999-11-18&mask=none&resampling=nearest"
        );
        let (_, _, pixels) = server.get(&path).rgba();
        for (value, [grey, _, _, alpha]) in values.iter_mut().zip(pixels) {
            if alpha == 255 && (1..255).contains(&grey) {
                *value = (k * STEP + usize::from(grey)) as f64;
            }
        }
    }
    values
}

#[test]
fn web_mercator_tiles_are_gdals_nearest() {
    let Some(stack) = data(STACK) else { return };
    let Some(answers) = data("18-known-answers") else { return };
    let cube = cube_for("landsat_stack_fmask", with_exact_styles, "utm15_30");
    with_1999(&cube, &stack);
    let server = Server::start(&cube);
    let known = |tile: &str| {
        Raster::read(&answers.join(format!("chiapas_1999_b4_WebMercatorQuad_{tile}_nearest.tif")), 1)
    };

    // Level 13 is finer than the scene: pixels of the scene itself.
    let fine = known("13_1972_3733");
    agree("WebMercatorQuad 13", &tile_values(&server, "13/1972/3733"), &fine.values);

    // Level 11 has 74 m on the ground: the product reads its pyramid, means of two by two pixels of the grid, where
    // the reference picks single pixels. So the footprint is compared with it, the values with such means.
    let coarse = known("11_493_933");
    let found = tile_values(&server, "11/493/933");
    let footprint =
        |values: &[f64]| values.iter().map(|v| if *v == FILL { FILL } else { 1.0 }).collect::<Vec<_>>();
    agree("WebMercatorQuad 11, footprint", &footprint(&found), &footprint(&coarse.values));
    let scene = Raster::read(&stack, 4);
    let centres: Vec<(f64, f64)> = (0..256 * 256).map(|i| coarse.centre(i % 256, i / 256)).collect();
    let places = transformed("EPSG:3857", "EPSG:32615", &centres);
    let means: Vec<f64> = places.into_iter().map(|(x, y)| mean_of_four(&scene, x, y)).collect();
    agree("WebMercatorQuad 11, means of four", &found, &means);
}

/// The mean, to the nearest even, of the scene's pixels in the 60 m cell that holds a point; cells begin at 15 m.
fn mean_of_four(scene: &Raster, x: f64, y: f64) -> f64 {
    let corner = |v: f64| ((v - 15.0) / 60.0).floor() * 60.0 + 15.0;
    let (west, south) = (corner(x), corner(y));
    let children = [(15.0, 15.0), (45.0, 15.0), (15.0, 45.0), (45.0, 45.0)];
    let values: Vec<f64> = children
        .into_iter()
        .filter_map(|(dx, dy)| scene.value_at(west + dx, south + dy).filter(|v| *v != FILL))
        .collect();
    if values.is_empty() {
        return FILL;
    }
    (values.iter().sum::<f64>() / values.len() as f64).round_ties_even()
}
