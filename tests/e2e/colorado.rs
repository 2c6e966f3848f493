//! Thirty annual geomedians of 447 real dates, against the known answers, over HTTP and in the store.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::{
    Server, TestCube, Window, data, lon_lat, python_with, read_store, run_python, stack_manifest,
};

const STACKS: &str = "landsat_stack_fmask";
const BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];
/// The five by five pixels, EPSG:32613.
const AREA: Window = Window { x_min: 336_375.0, y_max: 4_462_425.0, resolution: 30.0, width: 5, height: 5 };

/// A line of `geomedian_colorado.csv` for one year.
struct Known {
    year: String,
    row: usize,
    col: usize,
    count: f64,
    /// Reflectance · 10,000.
    geomedian: [f64; 6],
    emad: f64,
    smad: f64,
    bcmad: f64,
}

/// What a year and pixel hold, stored units for reflectance.
struct Found {
    count: f64,
    geomedian: [f64; 6],
    emad: f64,
    smad: f64,
    bcmad: f64,
}

#[test]
fn annual_geomedians_of_colorado_are_the_known_ones() {
    let Some(archive) = data("02-colorado-p035r032-447dates/p035r032_testdata.tar.gz") else { return };
    let Some(answers) = data("18-known-answers/geomedian_colorado.csv") else { return };
    let known = known_answers(&answers);
    let cube = TestCube::with(STACKS, "utm13_30");
    let manifest = cube.write("scenes.csv", &manifest(&cube, &archive));
    let ingest = ["ingest", "--product", STACKS, manifest.as_str()];
    let report = cube.json(&ingest);
    assert_eq!((&report["found"], &report["added"]), (&447.into(), &447.into()), "{report:#}");
    assert_eq!(report["refused"], Value::Array(Vec::new()));
    let compute = ["compute", "geomedian_annual", "--input", STACKS];
    cube.ok(&compute).says(&["30 periods computed"]);

    over_http(&cube, &known);
    in_the_store(&cube, &known);

    // Again: nothing new.
    let again = cube.json(&ingest);
    assert_eq!((&again["added"], &again["already"], &again["slots"]), (&0.into(), &447.into(), &0.into()));
    cube.ok(&compute).says(&["0 periods computed, 30 up to date"]);
}

/// Unpacks the stacks and lists them. A name's day 366 of a year of 365 days is the first of the next year, as the
/// known answers have it: day one plus 365.
fn manifest(cube: &TestCube, archive: &Path) -> String {
    let folder = cube.path("stacks");
    std::fs::create_dir(&folder).unwrap();
    let done = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&folder).status().unwrap();
    assert!(done.success());
    let images = folder.join("p035r032/images");
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(images).unwrap() {
        let id = entry.unwrap().file_name().into_string().unwrap();
        let path = folder.join(format!("p035r032/images/{id}/{id}_stack.gtif"));
        let platform = match &id[..3] {
            "LT4" => "landsat-4",
            "LT5" => "landsat-5",
            "LE7" => "landsat-7",
            other => panic!("{other}"),
        };
        rows.push((path, date_of(id[9..13].parse().unwrap(), id[13..16].parse().unwrap()), platform));
    }
    rows.sort();
    assert_eq!(rows.len(), 447);
    stack_manifest(&rows)
}

/// The date of a day of the year, 366 of a common year being the next new year's day.
fn date_of(year: u32, mut day: u32) -> String {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, length) in (1..).zip(lengths) {
        if day <= length {
            return format!("{year}-{month:02}-{day:02}");
        }
        day -= length;
    }
    format!("{}-01-{day:02}", year + 1)
}

fn known_answers(path: &Path) -> Vec<Known> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    rows.iter()
        .filter(|row| row["period"] != "all")
        .map(|row| {
            let n = |name: &str| row[name].parse::<f64>().unwrap();
            Known {
                year: row["period"].clone(),
                row: n("row") as usize,
                col: n("col") as usize,
                count: n("n_clear"),
                geomedian: ["gm_b1", "gm_b2", "gm_b3", "gm_b4", "gm_b5", "gm_b7"].map(n),
                emad: n("emad"),
                smad: n("smad_cosine"),
                bcmad: n("bcmad"),
            }
        })
        .filter(|k| k.count >= 3.0)
        .collect()
}

/// Compares every known year and pixel; all must be found.
fn compare(how: &str, known: &[Known], find: impl Fn(&Known) -> Option<Found>) {
    // EMAD is in reflectance, the known one in DN; the stored dispersions are f32, the known ones have 8 digits.
    let mut worst = [0.0f64; 4];
    for k in known {
        let at = format!("{how}: {} row {} column {}", k.year, k.row, k.col);
        let found = find(k).unwrap_or_else(|| panic!("{at} is missing"));
        assert_eq!(found.count, k.count, "{at}: count");
        for ((f, g), band) in found.geomedian.iter().zip(k.geomedian).zip(BANDS) {
            worst[0] = worst[0].max((f - g).abs());
            assert!((f - g).abs() <= 1.0, "{at} {band}: {f}, known {g}");
        }
        let pairs = [(found.emad * 1e4, k.emad), (found.smad, k.smad), (found.bcmad, k.bcmad)];
        for (i, (f, g)) in pairs.into_iter().enumerate() {
            let off = (f - g).abs() / g.abs();
            worst[i + 1] = worst[i + 1].max(off);
            assert!(off <= 1e-4, "{at}: dispersion {i} is {f}, known {g}");
        }
    }
    eprintln!(
        "{how}: {} years and pixels, 6 bands: largest difference {:.3} units; EMAD {:.1e}, SMAD {:.1e}, BCMAD {:.1e} \
         (relative)",
        known.len(),
        worst[0],
        worst[1],
        worst[2],
        worst[3]
    );
}

fn over_http(cube: &TestCube, known: &[Known]) {
    assert!(known.len() > 500, "{}", known.len());
    let server = Server::start(cube);
    let centres: Vec<(f64, f64)> = (0..25).map(|i| centre(i / 5, i % 5)).collect();
    let places = lon_lat("EPSG:32613", &centres);
    let series: Vec<Vec<Value>> =
        places.into_iter().map(|place| server.series("geomedian_annual", place, "")).collect();
    compare("HTTP", known, |k| {
        let day = format!("{}-01-01", k.year);
        let found = series[k.row * 5 + k.col].iter().find(|o| o["datetime"] == day.as_str())?;
        let n = |band: &str| found["values"][band].as_f64().unwrap_or(f64::NAN);
        Some(Found {
            count: n("count"),
            geomedian: BANDS.map(|b| n(b) * 1e4),
            emad: n("emad"),
            smad: n("smad"),
            bcmad: n("bcmad"),
        })
    });
    // The pixel that is never observed has no series.
    assert_eq!(series[0], Vec::<Value>::new());
}

fn centre(row: usize, col: usize) -> (f64, f64) {
    let half = AREA.resolution / 2.0;
    (AREA.x_min + col as f64 * AREA.resolution + half, AREA.y_max - row as f64 * AREA.resolution - half)
}

/// The same through xarray, from the path that `tesela info` prints.
fn in_the_store(cube: &TestCube, known: &[Known]) {
    if !python_with("zarr, xarray, rioxarray") {
        return;
    }
    let group = cube.period("geomedian_annual", "1999");
    let decoded = run_python(
        "import sys, xarray as xr, rioxarray\n\
         d = xr.open_zarr(sys.argv[1], decode_coords='all')\n\
         print(str(d.time.values[0])[:10], d.rio.crs.to_epsg(), d.nir.dims, d.rio.resolution(), \
         d.x.dtype, float(d.nir.encoding['scale_factor']))",
        &[&group],
    );
    assert_eq!(decoded.trim(), "1999-01-01 32613 ('time', 'y', 'x') (30.0, -30.0) float64 0.0001");
    let entry = cube.product("geomedian_annual");
    let periods = entry["periods"].as_array().unwrap();
    let groups: Vec<String> = periods.iter().map(|p| p["zarr"].as_str().unwrap().to_owned()).collect();
    let days: Vec<String> =
        periods.iter().map(|p| format!("{}-01-01", p["period"].as_str().unwrap())).collect();
    let names: Vec<&str> = BANDS.into_iter().chain(["count", "emad", "smad", "bcmad"]).collect();
    let stored = read_store(&groups, &names, &days, &AREA);
    compare("store", known, |k| {
        let year = days.iter().position(|d| d.starts_with(&k.year))?;
        let n = |band: usize| stored[year][band][k.row * 5 + k.col];
        Some(Found { count: n(6), geomedian: [0, 1, 2, 3, 4, 5].map(n), emad: n(7), smad: n(8), bcmad: n(9) })
    });
}
