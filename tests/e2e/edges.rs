//! The edges of the world: UTM borders, the 180th meridian, a pole, negative northings. Pixels are those of a real crop
//! whose corner was moved there, since no real scene of these places is at hand.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{
    Outcome, Raster, Server, TestCube, Window, copy_folder, data, python_with, read_store, run_python,
};
use crate::real_inputs::{cube_for, without_quality};
use crate::real_pixels::is_copied;

const SCENE: &str = "LC08_L2SP_218074_20190114_20200829_02_T1";
const DATE: &str = "2019-01-14";
const PRODUCT: &str = "landsat_c2_sr";
const BANDS: [&str; 6] = ["blue", "green", "red", "nir", "swir1", "swir2"];

/// Around latitude -17, where UTM zone 1 begins: 180° is at an easting of some 181 km. Landsat's north-zone northings.
const FIJI: (&str, f64, f64) = ("EPSG:32601", 175_005.0, -1_880_025.0);
/// The South Pole is in it.
const SOUTH_POLE: (&str, f64, f64) = ("EPSG:3031", -6_000.0, 4_500.0);

const DEGREES: &str = "id: degrees\ntitle: {es: Grados, en: Degrees}\ncrs: \"EPSG:4326\"\nresolution: 0.00025\n\
    origin: [-180, -90]\ntile_size: 512\nextent: {ix: [0, 2813], iy: [0, 1407]}\n";
const POLAR: &str = "id: polar_30\ntitle: {es: Polo Sur, en: South Pole}\ncrs: \"EPSG:3031\"\nresolution: 30\n\
    origin: [0, 0]\ntile_size: 512\nextent: {ix: [-200, 200], iy: [-200, 200]}\n";

/// The crop with its upper left corner somewhere else; files by band.
fn moved(cube: &TestCube, (crs, x, y): (&str, f64, f64)) -> Option<(PathBuf, Vec<PathBuf>)> {
    let source = data(&format!("04-landsat8-c2l2-crops/{SCENE}"))?;
    let folder = cube.path(SCENE);
    copy_folder(&source, &folder, |_| true);
    let files: Vec<PathBuf> = (2..=7).map(|n| folder.join(format!("{SCENE}_SR_B{n}.TIF"))).collect();
    for file in &files {
        let was = Raster::read(file, 1);
        let corners =
            [x, y, x + was.width as f64 * 30.0, y - was.height as f64 * 30.0].map(|v| v.to_string());
        let there = file.with_extension("moved");
        let mut tool = Command::new("gdal_translate");
        tool.args(["-q", "-of", "GTiff", "-a_srs", crs, "-a_ullr"]).args(&corners).arg(file).arg(&there);
        let done = Outcome::of(&mut tool);
        assert_eq!(done.code, Some(0), "{done:#?}");
        std::fs::rename(there, file).unwrap();
    }
    Some((folder, files))
}

fn bands(files: &[PathBuf]) -> Vec<(&'static str, &Path, f64, f64)> {
    BANDS.into_iter().zip(files).map(|(name, file)| (name, file.as_path(), 2.75e-5, -0.2)).collect()
}

/// Boxes that find the only scene, and boxes that do not, by the command line and over HTTP.
#[track_caller]
fn is_found_in(cube: &TestCube, boxes: &[(&str, bool)]) {
    let server = Server::start(cube);
    for (bbox, there) in boxes {
        let found = cube.json(&["scenes", "list", &format!("--bbox={bbox}")]);
        assert_eq!(found.as_array().unwrap().len(), usize::from(*there), "{bbox}: {found:#}");
        let dates = server.json(&format!("v1/products/{PRODUCT}/dates?bbox={bbox}"));
        assert_eq!(dates["dates"].as_array().unwrap().len(), usize::from(*there), "{bbox}: {dates:#}");
    }
}

fn scene_box(cube: &TestCube) -> [f64; 4] {
    let scenes = cube.json(&["scenes", "list"]);
    std::array::from_fn(|i| scenes[0]["bbox"][i].as_f64().unwrap_or_else(|| panic!("{scenes:#}")))
}

#[test]
fn across_180_on_its_own_grid() {
    for how in [&["ingest"][..], &["ingest", "--bulk"]] {
        let cube = cube_for(PRODUCT, without_quality, "utm1_30");
        let Some((folder, files)) = moved(&cube, FIJI) else { return };
        cube.ok(&[how, &[folder.to_str().unwrap()]].concat());
        is_copied(&cube, PRODUCT, FIJI.0, DATE, &bands(&files));
        let [west, south, east, north] = scene_box(&cube);
        assert!(179.9 < west && west < 180.0 && -180.0 < east && east < -179.9, "{west} {east}");
        assert!(-17.1 < south && south < north && north < -16.9, "{south} {north}");
        is_found_in(
            &cube,
            &[
                ("179.9,-18,180,-16", true),
                ("-180,-18,-179.9,-16", true),
                ("179,-18,-179,-16", true),
                ("-180,-90,180,90", true),
                ("0,-18,10,-16", false),
                ("-179,-18,179,-16", false),
                ("170,-18,179.5,-16", false),
                ("179,-16,-179,-10", false),
            ],
        );
        // Either side, and beside the scene in the same tile.
        let server = Server::start(&cube);
        // OGC API boxes cross 180, as GeoJSON's do; those of WMS, WMTS and TileJSON must not.
        let collection = server.json(&format!("collections/{PRODUCT}"));
        let whole: [f64; 4] =
            std::array::from_fn(|i| collection["extent"]["spatial"]["bbox"][0][i].as_f64().unwrap());
        assert_eq!(whole, [west, south, east, north]);
        let tilejson = server.json(&format!("tiles/{PRODUCT}/WebMercatorQuad/tilejson.json"));
        assert_eq!(tilejson["bounds"], serde_json::json!([-180.0, south, 180.0, north]));
        let centre = tilejson["center"][0].as_f64().unwrap();
        assert!(centre.abs() > 179.9, "{tilejson:#}");
        let wms = server.get("wms?service=WMS&request=GetCapabilities&version=1.3.0").text();
        assert!(wms.contains("<westBoundLongitude>-180</westBoundLongitude>"), "{wms}");
        assert!(wms.contains("<eastBoundLongitude>180</eastBoundLongitude>"), "{wms}");
        let wmts = server.get("wmts?service=WMTS&request=GetCapabilities").text();
        assert!(wmts.contains(&format!("<ows:LowerCorner>-180 {south}</ows:LowerCorner>")), "{wmts}");
        for (lon, scenes) in [(west + 0.01, 1), (180.0, 1), (-180.0, 1), (east - 0.01, 1), (west - 0.01, 0)] {
            let lat = (south + north) / 2.0;
            let path = format!("v1/lineage?product={PRODUCT}&lon={lon}&lat={lat}&datetime={DATE}");
            let behind = server.json(&path);
            assert_eq!(behind["scenes"].as_array().unwrap().len(), scenes, "{lon}: {behind:#}");
        }
        cube.is_sound();
    }
}

/// Warped into a grid's own pixels by GDAL, without approximation.
fn gdalwarp(cube: &TestCube, file: &Path, crs: &str, window: &Window) -> Vec<f64> {
    let out = cube.path("warped.tif");
    let (x, y) = (window.x_min, window.y_max);
    let far = (x + window.width as f64 * window.resolution, y - window.height as f64 * window.resolution);
    let extent = [x, far.1, far.0, y].map(|v| v.to_string());
    let mut tool = Command::new("gdalwarp");
    tool.args(["-q", "-overwrite", "-r", "near", "-et", "0", "-tr", "30", "30", "-t_srs", crs, "-te"]);
    let done = Outcome::of(tool.args(&extent).arg(file).arg(&out));
    assert_eq!(done.code, Some(0), "{done:#?}");
    Raster::read(&out, 1).values
}

/// The same window by the textbook's bilinear formula at each pixel's own place; 0 where a neighbour is fill or beyond.
/// `gdalwarp -r bilinear` weighs otherwise where a pixel is not exactly as large as the source's.
const BILINEAR: &str = r"
import sys, numpy, rasterio
from rasterio.warp import transform
file, out, crs, x, y, width, height = sys.argv[1:]
width, height = int(width), int(height)
columns, rows = numpy.meshgrid(numpy.arange(width) + .5, numpy.arange(height) + .5)
with rasterio.open(file) as source:
    band = source.read(1).astype(float)
    there = transform(crs, source.crs, (float(x) + 30 * columns).ravel(), (float(y) - 30 * rows).ravel())
    u, v = ~source.transform * (numpy.array(there[0]), numpy.array(there[1]))
u, v = u - .5, v - .5
i, j = numpy.floor(u).astype(int), numpy.floor(v).astype(int)
inside = (i >= 0) & (j >= 0) & (i < band.shape[1] - 1) & (j < band.shape[0] - 1)
i, j, u, v = (a[inside] for a in (i, j, u, v))
near = [band[j + dy, i + dx] for dy in (0, 1) for dx in (0, 1)]
s, t = u - i, v - j
value = (near[0] * (1 - s) + near[1] * s) * (1 - t) + (near[2] * (1 - s) + near[3] * s) * t
value[numpy.min(near, axis=0) == 0] = 0
whole = numpy.zeros(width * height)
whole[inside] = value
whole.tofile(out)
";

fn bilinear(cube: &TestCube, file: &Path, crs: &str, window: &Window) -> Vec<f64> {
    let out = cube.path("bilinear.raw");
    let Window { x_min, y_max, width, height, .. } = window;
    let numbers = [x_min.to_string(), y_max.to_string(), width.to_string(), height.to_string()];
    let mut args = vec![file.to_str().unwrap(), out.to_str().unwrap(), crs];
    args.extend(numbers.iter().map(String::as_str));
    run_python(BILINEAR, &args);
    std::fs::read(&out).unwrap().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
}

/// A scene of one UTM zone on the pixels of another.
fn is_warped(place: (&str, f64, f64), grid: &str, crs: &str, x_min: f64, y_max: f64) {
    for (kernel, how) in
        [("nearest", &["ingest"][..]), ("nearest", &["ingest", "--bulk"]), ("bilinear", &["ingest"])]
    {
        let product = |text: &str| {
            without_quality(&text.replace("resampling: bilinear", &format!("resampling: {kernel}")))
        };
        let cube = cube_for(PRODUCT, product, grid);
        let Some((folder, files)) = moved(&cube, place) else { return };
        cube.ok(&[how, &[folder.to_str().unwrap()]].concat());
        if !python_with("zarr, xarray, rasterio") {
            return;
        }
        let window = Window { x_min, y_max, resolution: 30.0, width: 600, height: 600 };
        let stored = read_store(&cube.groups(PRODUCT), &["nir"], &[DATE.to_owned()], &window);
        let known = match kernel {
            "nearest" => gdalwarp(&cube, &files[3], crs, &window),
            _ => bilinear(&cube, &files[3], crs, &window),
        };
        let pairs =
            || stored[0][0].iter().map(|v| if v.is_nan() { 0.0 } else { *v }).zip(known.iter().copied());
        // At the crop's border a bilinear value may come of fewer than four neighbours.
        let with_data =
            pairs().filter(|(ours, theirs)| *theirs != 0.0 || (*ours != 0.0 && kernel == "nearest")).count();
        let within = if kernel == "nearest" { 0.0 } else { 1.0 };
        let same = pairs().filter(|(ours, theirs)| *theirs != 0.0 && (ours - theirs).abs() <= within).count();
        eprintln!("{grid} {kernel} {how:?}: {same} of {with_data} pixels with data are as expected");
        // The whole crop is in the window; positions are interpolated within an eighth of a pixel.
        assert!(with_data > 400 * 300 - 3000 && same * 100 >= with_data * 99, "{same} of {with_data}");
        cube.is_sound();
    }
}

#[test]
fn across_180_on_the_grid_of_the_zone_beside() {
    // 180° is at an easting of some 819 km in zone 60.
    is_warped(FIJI, "utm60_30", "EPSG:32660", 810_015.0, -1_876_485.0);
}

#[test]
fn across_the_border_of_two_zones() {
    // At latitude 20 zones 13 and 14 meet at 102° W: eastings of some 814 and 186 km.
    let mexico = ("EPSG:32613", 808_005.0, 2_213_985.0);
    is_warped(mexico, "utm14_30", "EPSG:32614", 177_015.0, 2_218_005.0);
}

/// The reason the only scene was refused for.
#[track_caller]
fn refused(cube: &TestCube, folder: &Path) -> Value {
    let outcome = cube.run(&["--json", "ingest", folder.to_str().unwrap()]);
    assert_eq!((outcome.code, &outcome.json()["added"]), (Some(1), &0.into()), "{outcome:#?}");
    let quarantine = cube.json(&["quarantine", "list"]);
    let [one] = quarantine.as_array().unwrap().as_slice() else { panic!("{quarantine:#}") };
    assert_eq!(cube.json(&["scenes", "list"]), Value::Array(Vec::new()));
    cube.is_sound();
    one.clone()
}

#[test]
fn a_map_in_degrees_refuses_what_lies_across_its_cut() {
    for place in [FIJI, SOUTH_POLE] {
        let cube = cube_for(PRODUCT, without_quality, DEGREES);
        let Some((folder, _)) = moved(&cube, place) else { return };
        let one = refused(&cube, &folder);
        assert_eq!(one["code"], "across_the_cut", "{one:#}");
        for part in [SCENE, "grid degrees", "EPSG:4326", "cut", place.0] {
            assert!(one["reason"].as_str().unwrap().contains(part), "{part}: {one:#}");
        }
    }
    // Beside the meridian such a grid is as good as any.
    let cube = cube_for(PRODUCT, without_quality, DEGREES);
    let Some((folder, _)) = moved(&cube, ("EPSG:32601", 200_025.0, -1_880_025.0)) else { return };
    assert_eq!(cube.json(&["ingest", folder.to_str().unwrap()])["added"], 1);
}

#[test]
fn the_pole_on_a_polar_grid() {
    for how in [&["ingest"][..], &["ingest", "--bulk"]] {
        let cube = cube_for(PRODUCT, without_quality, POLAR);
        let Some((folder, files)) = moved(&cube, SOUTH_POLE) else { return };
        cube.ok(&[how, &[folder.to_str().unwrap()]].concat());
        is_copied(&cube, PRODUCT, SOUTH_POLE.0, DATE, &bands(&files));
        let [west, south, east, north] = scene_box(&cube);
        assert_eq!([west, south, east], [-180.0, -90.0, 180.0]);
        assert!(-90.0 < north && north < -89.9, "{north}");
        is_found_in(
            &cube,
            &[("10,-90,11,-89.95", true), ("179,-90,-179,-80", true), ("-180,-89,180,90", false)],
        );
        cube.is_sound();
    }
}

#[test]
fn the_pole_has_no_place_on_the_national_grid() {
    let cube = cube_for(PRODUCT, without_quality, "mx6372_30");
    let Some((folder, _)) = moved(&cube, SOUTH_POLE) else { return };
    let one = refused(&cube, &folder);
    assert_eq!(one["code"], "outside_grid", "{one:#}");
    for part in [SCENE, "mx6372_30", "choose a product on another grid"] {
        assert!(one["reason"].as_str().unwrap().contains(part), "{part}: {one:#}");
    }
}
