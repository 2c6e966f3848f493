//! NDVI of the two dates of Chiapas, and its statistics by polygon, against the known answers.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::harness::{
    Raster, Server, TestCube, Window, answers, data, demo, lon_lat, python_with, read_store,
};
use crate::real_inputs::chiapas_manifest;

/// Red and near infrared of a year without masks: with one date a year, that date. The reference has no mask either.
const PAIR: &str = r#"
recipe: pair_annual
version: "1"
title: {es: "Rojo e infrarrojo", en: "Red and infrared"}
status: experimental
input: landsat_stack_fmask
period: year
mask: none
reducer: {geomedian: {bands: [red, nir]}}
outputs:
  - {name: red, dtype: uint16, nodata: 0, scale: 1.0e-4, pyramid: mean}
  - {name: nir, dtype: uint16, nodata: 0, scale: 1.0e-4, pyramid: mean}
  - {name: smad, dtype: float32, nodata: nan, pyramid: mean}
  - {name: emad, dtype: float32, nodata: nan, pyramid: mean}
  - {name: bcmad, dtype: float32, nodata: nan, pyramid: mean}
  - {name: count, dtype: uint16, nodata: 65535, unit: "1", pyramid: mean}
"#;

const NDVI: &str = r#"
recipe: ndvi_unmasked
version: "1"
title: {es: "NDVI", en: "NDVI"}
status: experimental
input: pair_annual
period: year
mask: none
reducer: {expression: {expression: "(nir - red) / (nir + red)", band: ndvi}}
outputs:
  - {name: ndvi, dtype: float32, nodata: nan, unit: "1", pyramid: mean}
"#;

#[test]
fn ndvi_and_its_zonal_statistics_are_the_known_ones() {
    let Some(scenes) = data("01-chiapas-l7-sr") else { return };
    let Some(answers) = data("18-known-answers") else { return };
    let Some(towns) = data("16-mexico-inegi-polygons/localidades/AGLOC_07069.geojson") else { return };
    let cube = TestCube::with("landsat_stack_fmask", "utm15_30");
    let manifest = cube.write("scenes.csv", &chiapas_manifest(&scenes));
    cube.ok(&["ingest", "--product", "landsat_stack_fmask", &manifest]);
    for (name, recipe) in [("pair.yaml", PAIR), ("ndvi.yaml", NDVI)] {
        let file = cube.write(name, recipe);
        cube.ok(&["compute", &file]).says(&["2 periods computed", "1999 2002"]);
        cube.ok(&["compute", &file]).says(&["0 periods computed, 2 up to date"]);
    }
    let polygons = cube.write("training.geojson", &numbered(&scenes.join("training_data.geojson")));
    cube.ok(&["zones", "add", &polygons, "--key", "zid", "--id", "training@1"]);
    cube.ok(&["zones", "add", towns.to_str().unwrap(), "--key", "cvegeo", "--id", "localidades@2025"]);

    let server = Server::start(&cube);
    for year in ["1999", "2002"] {
        pixels(&cube, &server, year, &answers);
        let table = answers.join(format!("zonal_ndvi_{year}_training_polygons.csv"));
        let rows = zones(&server, "training@1", year, &table, |row| format!("z{:0>2}", row["zid"]));
        assert_eq!(rows, 30);
    }
    let table = answers.join("zonal_ndvi_1999_localidades_pijijiapan.csv");
    assert_eq!(zones(&server, "localidades@2025", "1999", &table, |row| row["cvegeo"].clone()), 4);
    cube.is_sound();
}

/// The polygons with a key of text, in their order; their own `id` is a number and not unique.
fn numbered(path: &Path) -> String {
    let mut layer: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    for (i, feature) in layer["features"].as_array_mut().unwrap().iter_mut().enumerate() {
        feature["properties"]["zid"] = format!("z{i:02}").into();
    }
    layer.to_string()
}

fn pixels(cube: &TestCube, server: &Server, year: &str, answers: &Path) {
    let known = Raster::read(&answers.join(format!("ndvi_chiapas_{year}.tif")), 1);
    let chosen: Vec<(usize, usize)> =
        (0..known.height).step_by(6).flat_map(|r| (0..known.width).step_by(6).map(move |c| (c, r))).collect();
    let centres: Vec<(f64, f64)> = chosen.iter().map(|(c, r)| known.centre(*c, *r)).collect();
    let mut worst = 0.0f64;
    let mut check = |how: &str, col: usize, row: usize, found: Option<f64>| {
        let right = Some(known.at(col, row)).filter(|v| !v.is_nan());
        match (found, right) {
            (Some(f), Some(k)) => {
                worst = worst.max((f - k).abs());
                assert!((f - k).abs() <= 1e-6, "{how} {year} column {col} row {row}: {f}, known {k}");
            }
            (None, None) => {}
            other => panic!("{how} {year} column {col} row {row}: {other:?}"),
        }
    };
    for ((col, row), place) in chosen.iter().zip(lon_lat("EPSG:32615", &centres)) {
        let found = server.series("ndvi_unmasked", place, &format!("&datetime={year}"));
        check("HTTP", *col, *row, found.first().and_then(|o| o["values"]["ndvi"].as_f64()));
    }
    let mut stored_pixels = 0;
    if python_with("zarr, xarray") {
        let window = Window {
            x_min: known.x_min,
            y_max: known.y_max,
            resolution: known.dx,
            width: known.width,
            height: known.height,
        };
        let groups = [cube.period("ndvi_unmasked", year)];
        let stored = &read_store(&groups, &["ndvi"], &[format!("{year}-01-01")], &window)[0][0];
        for (i, value) in stored.iter().enumerate() {
            check("store", i % known.width, i / known.width, Some(*value).filter(|v| !v.is_nan()));
        }
        stored_pixels = stored.len();
    }
    eprintln!(
        "NDVI {year}: {} pixels over HTTP, {stored_pixels} in the store: largest difference {worst:.1e}",
        chosen.len()
    );
}

/// Compares a table of exactextract's statistics; how many rows.
fn zones(
    server: &Server,
    set: &str,
    year: &str,
    table: &Path,
    key: impl Fn(&BTreeMap<String, String>) -> String,
) -> usize {
    let path = format!("v1/zones/{set}/stats?product=ndvi_unmasked&band=ndvi&datetime={year}&min_coverage=0");
    let answer = server.json(&path);
    let found: BTreeMap<&str, &Value> =
        answer["rows"].as_array().unwrap().iter().map(|r| (r["key"].as_str().unwrap(), r)).collect();
    let mut reader = csv::Reader::from_path(table).unwrap();
    let known: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    let mut worst = 0.0f64;
    for row in &known {
        let key = key(row);
        let zone = found.get(key.as_str()).unwrap_or_else(|| panic!("no zone {key} in {answer:#}"));
        for (ours, theirs) in [
            ("count", "exact_count"),
            ("mean", "exact_mean"),
            ("sd", "exact_stdev"),
            ("min", "exact_min"),
            ("max", "exact_max"),
        ] {
            let right: f64 = row[theirs].parse().unwrap();
            let value = zone[ours].as_f64().unwrap_or_else(|| panic!("{set} {key}: no {ours} in {zone:#}"));
            // The known answers have seven digits: relative for the count, absolute for NDVI.
            let off = (value - right).abs() / if ours == "count" { right } else { 1.0 };
            worst = worst.max(off);
            assert!(off <= 1e-5, "{set} {year} {key} {ours}: {value}, known {right}");
        }
    }
    eprintln!("{set} {year}: {} zones, 5 statistics: largest difference {worst:.1e}", known.len());
    known.len()
}

/// Of two zones one lies three quarters outside the data. Without a word both ways of asking leave its values out.
#[test]
fn the_command_line_and_http_leave_out_the_same_values() {
    let cube = demo("2024");
    let [west, south, east, north] = answers::bounds(&Server::start(&cube));
    let (width, height) = (east - west, north - south);
    let square = |key: &str, x: f64| {
        let (x, y) = (west + x * width, south + 0.4 * height);
        let (far_x, far_y) = (x + 0.2 * width, y + 0.2 * height);
        serde_json::json!({"type": "Feature", "properties": {"key": key}, "geometry": {"type": "Polygon", "coordinates":
            [[[x, y], [far_x, y], [far_x, far_y], [x, far_y], [x, y]]]}})
    };
    let features = [square("inside", 0.4), square("border", 0.95)];
    let file = cube.write(
        "zones.geojson",
        &serde_json::json!({"type": "FeatureCollection", "features": features}).to_string(),
    );
    cube.ok(&[
        "zones",
        "add",
        &file,
        "--key",
        "key",
        "--id",
        "two@1",
        "--title-es",
        "Dos",
        "--title-en",
        "Two",
    ]);
    let server = Server::start(&cube);
    for (share, border_has_values) in
        [(None, false), (Some("0.5"), false), (Some("0"), true), (Some("1"), false)]
    {
        let path = "v1/zones/two@1/stats?product=ndvi_annual&band=ndvi&datetime=2024";
        let http = server.json(&share.map_or(path.to_owned(), |s| format!("{path}&min_coverage={s}")));
        let mut command = vec!["zones", "stats", "two@1", "--product", "ndvi_annual", "--band", "ndvi"];
        command.extend(["--datetime", "2024"]);
        command.extend(share.map(|s| ["--min-coverage", s]).into_iter().flatten());
        let cli = cube.json(&command);
        for (row, key) in [(0, "border"), (1, "inside")] {
            let (ours, theirs) = (&http["rows"][row], &cli["rows"][row]);
            assert_eq!((&ours["key"], &theirs["key"]), (&key.into(), &key.into()), "{http:#} {cli:#}");
            for field in ["mean", "sd", "min", "max", "median", "coverage", "reason"] {
                assert_eq!(ours[field], theirs[field], "{key} {field} at {share:?}");
            }
            let has_values = ours["mean"].is_f64();
            if key == "border" {
                let reason = if border_has_values { Value::Null } else { "below_min_coverage".into() };
                assert_eq!((has_values, &ours["reason"]), (border_has_values, &reason), "{share:?} {ours:#}");
            } else if share != Some("1") {
                assert!(has_values, "{share:?} {ours:#}");
            }
        }
    }
    let stats = ["zones", "stats", "two@1", "--product", "ndvi_annual", "--band", "ndvi"];
    let refused = cube.run(&[&stats[..], &["--min-coverage", "2"]].concat());
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    refused.says(&["a share from 0 to 1"]);
}
