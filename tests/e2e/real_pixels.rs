//! Real pixels bit for bit: copied where the grid is the scene's own, north and south of the equator.

use std::path::Path;

use serde_json::Value;

use crate::harness::{Raster, Server, TestCube, Window, data, lon_lat, python_with, read_store};
use crate::real_inputs::{cube_for, without_quality};

/// Every band of a scene on its own grid: some pixels over HTTP, all of them in the store where Python can read it.
pub fn is_copied(cube: &TestCube, product: &str, crs: &str, date: &str, bands: &[(&str, &Path, f64, f64)]) {
    let server = Server::start(cube);
    let groups = cube.groups(product);
    let names: Vec<&str> = bands.iter().map(|b| b.0).collect();
    let sources: Vec<Raster> = bands.iter().map(|b| Raster::read(b.1, 1)).collect();
    let first = &sources[0];
    let chosen: Vec<(usize, usize)> =
        (0..120).map(|i| ((i * 7919) % first.width, (i * 104_729) % first.height)).collect();
    let centres: Vec<(f64, f64)> = chosen.iter().map(|(c, r)| first.centre(*c, *r)).collect();
    for ((col, row), place) in chosen.iter().zip(lon_lat(crs, &centres)) {
        let more = format!("&mask=none&masked=keep&datetime={date}&bands={}", names.join(","));
        let found = server.series(product, place, &more);
        for ((name, _, scale, offset), source) in bands.iter().zip(&sources) {
            let stored = source.at(*col, *row);
            let value = found.first().and_then(|o| o["values"][*name].as_f64());
            let at = format!("{product} {date} {name} column {col} row {row}");
            match value {
                Some(v) => assert!((v - (stored * scale + offset)).abs() < 1e-9, "{at}: {v} from {stored}"),
                // Fill, in the source too.
                None => assert!(
                    stored == 0.0 || stored < -1000.0 || (*name == "pixel_qa" && stored == 1.0),
                    "{at}: nothing, the source has {stored}"
                ),
            }
        }
    }
    let mut compared = 0;
    if python_with("zarr, xarray") {
        let window = Window {
            x_min: first.x_min,
            y_max: first.y_max,
            resolution: first.dx,
            width: first.width,
            height: first.height,
        };
        let stored = read_store(&groups, &names, &[date.to_owned()], &window);
        for ((name, ..), (plane, source)) in bands.iter().zip(stored[0].iter().zip(&sources)) {
            let differing = plane.iter().zip(&source.values).filter(|(a, b)| a != b).count();
            assert_eq!(differing, 0, "{product} {date} {name}: {differing} pixels differ from the source");
            compared += plane.len();
        }
    }
    eprintln!("{product} {date}: 120 pixels over HTTP, {compared} values in the store, all equal");
}

#[test]
fn collection_2_crops_are_copied_bit_for_bit() {
    let scenes = [
        ("LC08_L2SP_017051_20151205_20200908_02_T1", "utm16_30", "EPSG:32616"),
        ("LC08_L2SP_204023_20200927_20201006_02_T1", "utm30_30", "EPSG:32630"),
        ("LC08_L2SP_218074_20190114_20200829_02_T1", "utm23_30", "EPSG:32623"),
        ("LC08_L2SP_218074_20190130_20200829_02_T1", "utm23_30", "EPSG:32623"),
    ];
    for (scene, grid, crs) in scenes {
        let Some(folder) = data(&format!("04-landsat8-c2l2-crops/{scene}")) else { return };
        let cube = cube_for("landsat_c2_sr", without_quality, grid);
        cube.ok(&["ingest", folder.to_str().unwrap()]);
        let file = |n: usize| folder.join(format!("{scene}_SR_B{n}.TIF"));
        let files = [2, 3, 4, 5, 6, 7].map(file);
        let names = ["blue", "green", "red", "nir", "swir1", "swir2"];
        let bands: Vec<(&str, &Path, f64, f64)> =
            names.into_iter().zip(&files).map(|(name, path)| (name, path.as_path(), 2.75e-5, -0.2)).collect();
        let date = format!("{}-{}-{}", &scene[17..21], &scene[21..23], &scene[23..25]);
        is_copied(&cube, "landsat_c2_sr", crs, &date, &bands);
    }
}

const CANBERRA: &str = "06-canberra-ls5-1992-ls8-2019/ls8_espa_c1_sr_20190205";
const CANBERRA_ID: &str = "LC08_L1TP_091084_20190205_20190221_01_T1";

#[test]
fn collection_1_is_copied_and_its_ndvi_is_the_delivered_one() {
    let Some(folder) = data(CANBERRA) else { return };
    let cube = TestCube::with("landsat_c1_sr", "utm55_30");
    cube.ok(&["ingest", "--product", "landsat_c1_sr", folder.to_str().unwrap()]);
    let file = |name: &str| folder.join(format!("{CANBERRA_ID}_{name}.tif"));
    let (red, nir, quality) = (file("sr_band4"), file("sr_band5"), file("pixel_qa"));
    is_copied(
        &cube,
        "landsat_c1_sr",
        "EPSG:32655",
        "2019-02-05",
        &[("red", &red, 1e-4, 0.0), ("nir", &nir, 1e-4, 0.0), ("pixel_qa", &quality, 1.0, 0.0)],
    );

    // NDVI by expression, where red and near infrared are valid reflectances, against ESPA's own, in 1e-4.
    let [red, nir, ndvi] = [red, nir, file("sr_ndvi")].map(|p| Raster::read(&p, 1));
    let mut chosen = Vec::new();
    for row in (0..red.height).step_by(8) {
        for col in (0..red.width).step_by(8) {
            let valid = |r: &Raster| (1.0..=10_000.0).contains(&r.at(col, row));
            if valid(&red) && valid(&nir) {
                chosen.push((col, row));
            }
        }
    }
    let centres: Vec<(f64, f64)> = chosen.iter().map(|(c, r)| red.centre(*c, *r)).collect();
    let server = Server::start(&cube);
    let mut worst = 0.0f64;
    let mut compared = 0;
    for ((col, row), place) in chosen.iter().zip(lon_lat("EPSG:32655", &centres)) {
        let more = "&mask=none&expression=(nir-red)%2F(nir%2Bred)";
        let found = server.series("landsat_c1_sr", place, more);
        let [one] = found.as_slice() else { panic!("column {col} row {row}: {found:?}") };
        let value =
            one["values"].as_object().and_then(|v| v.values().next()).and_then(Value::as_f64).unwrap();
        let off = (value * 1e4 - ndvi.at(*col, *row)).abs();
        worst = worst.max(off);
        compared += 1;
        assert!(off <= 1.0, "column {col} row {row}: NDVI {value}, delivered {}", ndvi.at(*col, *row));
    }
    eprintln!("NDVI of Canberra: {compared} pixels, largest difference {worst:.3} in 1e-4");
    assert!(compared > 1000, "{compared}");
}
