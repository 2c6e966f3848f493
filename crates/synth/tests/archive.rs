//! A small archive, read back with GDAL and serde as any other program would.
#![allow(clippy::unwrap_used, clippy::panic)] // helpers outside #[test] functions, too

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gdal::vector::LayerAccess;
use gdal::{Dataset, Metadata};
use tesela_synth::calendar::Platform;
use tesela_synth::{MANIFEST, Summary, SynthConfig, SynthError, generate, qa};

fn scratch(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("synth-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    dir
}

/// One archive for all tests of this file.
fn archive() -> &'static Summary {
    static ARCHIVE: OnceLock<Summary> = OnceLock::new();
    ARCHIVE.get_or_init(|| generate(&SynthConfig::small(), &scratch("shared"), &|_| ()).unwrap())
}

fn scenes() -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(archive().root.join("scenes")).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn id(scene: &Path) -> String {
    scene.file_name().unwrap().to_str().unwrap().to_owned()
}

fn platform(id: &str) -> Platform {
    match &id[..4] {
        "LT05" => Platform::Landsat5,
        "LE07" => Platform::Landsat7,
        "LC08" => Platform::Landsat8,
        _ => Platform::Landsat9,
    }
}

fn pixels(path: &Path) -> Vec<u16> {
    let dataset = Dataset::open(path).unwrap();
    let band = dataset.rasterband(1).unwrap();
    band.read_band_as::<u16>().unwrap().into_shape_and_vec().1
}

/// The values of an MTL in whichever encoding the scene has.
fn mtl(scene: &Path) -> BTreeMap<String, String> {
    let path = |ext: &str| scene.join(format!("{}_MTL.{ext}", id(scene)));
    let mut out = BTreeMap::new();
    if let Ok(text) = std::fs::read_to_string(path("json")) {
        let document: serde_json::Value = serde_json::from_str(&text).unwrap();
        for (group, items) in document["LANDSAT_METADATA_FILE"].as_object().unwrap() {
            for (key, value) in items.as_object().unwrap() {
                out.insert(format!("{group}/{key}"), value.as_str().unwrap().to_owned());
            }
        }
    } else if let Ok(text) = std::fs::read_to_string(path("txt")) {
        let mut group = String::new();
        for line in text.lines() {
            let Some((key, value)) = line.trim().split_once(" = ") else { continue };
            match key {
                "GROUP" => value.clone_into(&mut group),
                "END_GROUP" => {}
                _ => drop(out.insert(format!("{group}/{key}"), value.trim_matches('"').to_owned())),
            }
        }
    } else {
        let text = std::fs::read_to_string(path("xml")).unwrap();
        let mut group = String::new();
        for line in text.lines().filter(|l| l.starts_with("  ")) {
            let (tag, rest) = line.trim().strip_prefix('<').unwrap().split_once('>').unwrap();
            match rest.split_once('<') {
                Some((value, _)) => drop(out.insert(format!("{group}/{tag}"), value.to_owned())),
                None => tag.clone_into(&mut group),
            }
        }
    }
    out
}

#[test]
fn the_layout_is_complete() {
    let summary = archive();
    assert_eq!(scenes().len(), summary.scenes);
    assert!(summary.scenes <= 16 && summary.scenes >= 12);
    for scene in scenes() {
        let id = id(&scene);
        let mut files: Vec<String> =
            platform(&id).sr_bands().iter().map(|b| format!("{id}_SR_B{b}.TIF")).collect();
        files.extend([format!("{id}_QA_PIXEL.TIF"), format!("{id}_QA_RADSAT.TIF")]);
        for file in &files {
            assert!(scene.join(file).is_file(), "{file}");
        }
        let extra = std::fs::read_dir(&scene).unwrap().count() - files.len();
        assert!((1..=2).contains(&extra), "{id}: {extra} metadata files");
        assert!(!scene.join(format!("{id}_MTL.json")).exists() || !id.starts_with("LT05"));
    }
    for file in
        ["zones/manzanas.gpkg", "zones/manzanas.geojson", "zones/agebs.gpkg", "zones/municipio.geojson"]
    {
        assert!(summary.root.join(file).is_file(), "{file}");
    }
    for year in 2011..=2014 {
        for kind in ["geomedian", "geomedian_all_passes", "visible", "ndvi", "landclass"] {
            assert!(summary.root.join(format!("truth/{kind}_{year}.tif")).is_file());
        }
    }
    assert!(summary.root.join("truth/change_year.tif").is_file());
    assert!(summary.root.join("truth/README.md").is_file());
    let text = std::fs::read_to_string(summary.root.join(MANIFEST)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(manifest["synthetic"], true);
    assert_eq!(manifest["scenes"], summary.scenes);
}

#[test]
fn rasters_are_valid_and_say_that_they_are_synthetic() {
    for scene in scenes() {
        let id = id(&scene);
        let path = |suffix: &str| scene.join(format!("{id}_{suffix}.TIF"));
        let words = pixels(&path("QA_PIXEL"));
        let valid = qa::valid_words(platform(&id));
        assert!(words.iter().all(|w| valid.contains(w)), "{id}");
        assert!(words.contains(&qa::QA_FILL) && words.iter().any(|w| w & 31 == 0), "{id}");
        for band in platform(&id).sr_bands() {
            let path = path(&format!("SR_B{band}"));
            let dataset = Dataset::open(&path).unwrap();
            assert_eq!(dataset.metadata_item("TESELA_SYNTHETIC", "").as_deref(), Some("YES"));
            let notice = dataset.metadata_item("TIFFTAG_IMAGEDESCRIPTION", "").unwrap();
            assert!(notice.starts_with("SYNTHETIC"));
            assert_eq!(dataset.rasterband(1).unwrap().no_data_value(), Some(0.0));
            assert_eq!(dataset.spatial_ref().unwrap().auth_code().unwrap(), 32_615);
            for (value, word) in pixels(&path).iter().zip(&words) {
                assert_eq!(*value == 0, *word == qa::QA_FILL, "{id} B{band}");
            }
        }
        let saturation: u16 = if id.starts_with("LC") { 0x7F } else { 0x5F };
        assert!(pixels(&path("QA_RADSAT")).iter().all(|w| w & !saturation == 0));
    }
}

#[test]
fn metadata_agrees_with_the_rasters() {
    for scene in scenes() {
        let (id, mtl) = (id(&scene), mtl(&scene));
        let get = |key: &str| mtl.get(key).unwrap_or_else(|| panic!("{id}: no {key}")).as_str();
        let number = |key: &str| get(key).parse::<f64>().unwrap();
        assert!(get("PRODUCT_CONTENTS/ORIGIN").starts_with("SYNTHETIC"));
        assert_eq!(get("PRODUCT_CONTENTS/LANDSAT_PRODUCT_ID"), id);
        assert_eq!(get("PRODUCT_CONTENTS/PROCESSING_LEVEL"), &id[5..9]);
        assert_eq!(get("PRODUCT_CONTENTS/COLLECTION_CATEGORY"), &id[38..40]);
        assert_eq!(get("PRODUCT_CONTENTS/COLLECTION_NUMBER"), "02");
        assert_eq!(get("IMAGE_ATTRIBUTES/DATE_ACQUIRED").replace('-', ""), id[17..25]);
        assert_eq!(number("IMAGE_ATTRIBUTES/WRS_ROW"), id[13..16].parse::<f64>().unwrap());
        assert!((40.0..80.0).contains(&number("IMAGE_ATTRIBUTES/SUN_ELEVATION")));
        assert_eq!(number("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS/REFLECTANCE_MULT_BAND_7"), 2.75e-5);

        let qa_path = scene.join(get("PRODUCT_CONTENTS/FILE_NAME_QUALITY_L1_PIXEL"));
        let dataset = Dataset::open(&qa_path).unwrap();
        let (width, height) = dataset.raster_size();
        assert_eq!(number("PROJECTION_ATTRIBUTES/REFLECTIVE_SAMPLES"), width as f64);
        assert_eq!(number("PROJECTION_ATTRIBUTES/REFLECTIVE_LINES"), height as f64);
        let [west, dx, _, north, _, dy] = dataset.geo_transform().unwrap();
        assert_eq!((dx, dy, west.rem_euclid(30.0), north.rem_euclid(30.0)), (30.0, -30.0, 15.0, 15.0));
        let corner = |c: &str, axis: &str| {
            number(&format!("PROJECTION_ATTRIBUTES/CORNER_{c}_PROJECTION_{axis}_PRODUCT"))
        };
        // Centres of the corner pixels.
        assert_eq!((corner("UL", "X"), corner("UL", "Y")), (west + 15.0, north - 15.0));
        assert_eq!(corner("LR", "X"), west + width as f64 * 30.0 - 15.0);
        assert_eq!(corner("LR", "Y"), north - height as f64 * 30.0 + 15.0);
        assert!((number("PROJECTION_ATTRIBUTES/CORNER_UL_LON_PRODUCT") + 93.26).abs() < 0.1);

        let words = pixels(&qa_path);
        let seen = words.iter().filter(|w| *w & 1 == 0).count() as f64;
        let cloud = words.iter().filter(|w| *w & 8 != 0).count() as f64;
        assert!((number("IMAGE_ATTRIBUTES/CLOUD_COVER") - 100.0 * cloud / seen).abs() < 0.006);
    }
}

#[test]
fn rows_of_one_pass_overlap_with_equal_pixels() {
    let all = scenes();
    let pair = all
        .iter()
        .find_map(|north| {
            let other = all.iter().find(|s| {
                let (a, b) = (id(north), id(s));
                a[..4] == b[..4] && a[17..25] == b[17..25] && &a[13..16] == "048" && &b[13..16] == "049"
            })?;
            Some((north.clone(), other.clone()))
        })
        .unwrap();
    let read = |scene: &Path| {
        let path = scene.join(format!("{}_SR_B4.TIF", id(scene)));
        let dataset = Dataset::open(&path).unwrap();
        (dataset.geo_transform().unwrap()[3], dataset.raster_size().0, pixels(&path))
    };
    let ((top, width, north), (other_top, _, south)) = (read(&pair.0), read(&pair.1));
    let shift = ((top - other_top) / 30.0) as usize * width;
    let (mut both, mut equal) = (0, 0);
    for (a, b) in north[shift..].iter().zip(&south) {
        if *a > 0 && *b > 0 {
            both += 1;
            equal += usize::from(a == b);
        }
    }
    assert!(both > north.len() / 20, "{both} of {}", north.len());
    assert_eq!(both, equal);
}

#[test]
fn truth_lies_on_the_cube_grid() {
    let dir = archive().root.join("truth");
    let geomedian = Dataset::open(dir.join("geomedian_2012.tif")).unwrap();
    assert_eq!(geomedian.raster_count(), 6);
    assert_eq!(geomedian.raster_size(), (96, 96));
    let [west, _, _, north, _, _] = geomedian.geo_transform().unwrap();
    assert_eq!((west + 48.0 * 30.0, north - 48.0 * 30.0), (3_440_640.0, 430_080.0));
    let read = |band: usize| {
        let band = geomedian.rasterband(band).unwrap();
        band.read_band_as::<u16>().unwrap().into_shape_and_vec().1
    };
    let (red, nir) = (read(3), read(4));
    let visible = pixels(&dir.join("visible_2012.tif"));
    assert!(visible.iter().any(|&n| n > 1));
    for values in [&red, &nir] {
        assert!(values.iter().zip(&visible).all(|(&v, &n)| if n == 0 {
            v == 0
        } else {
            (7273..43_636).contains(&v)
        }));
    }
    let ideal = pixels(&dir.join("geomedian_all_passes_2012.tif"));
    assert!(ideal.iter().all(|&v| (7273..43_636).contains(&v)));
    let ndvi = Dataset::open(dir.join("ndvi_2012.tif")).unwrap();
    let ndvi = ndvi.rasterband(1).unwrap().read_band_as::<f32>().unwrap().into_shape_and_vec().1;
    for ((red, nir), ndvi) in red.iter().zip(&nir).zip(&ndvi).filter(|((red, _), _)| **red > 0) {
        let rho = |dn: u16| f64::from(dn) * 2.75e-5 - 0.2;
        let want = (rho(*nir) - rho(*red)) / (rho(*nir) + rho(*red));
        assert!((want - f64::from(*ndvi)).abs() < 2e-3);
    }
    let years = pixels(&dir.join("change_year.tif"));
    assert!(years.iter().all(|&y| y == 0 || (1960..=2024).contains(&y)));
    assert!(years.iter().filter(|&&y| y > 0).count() > 1000);
}

#[test]
fn zones_carry_their_keys() {
    let zones = archive().root.join("zones");
    let mut count = BTreeMap::new();
    for (file, layer, length) in [("manzanas.gpkg", "manzanas", 16), ("agebs.gpkg", "agebs", 13)] {
        let dataset = Dataset::open(zones.join(file)).unwrap();
        let mut layer_read = dataset.layer_by_name(layer).unwrap();
        assert_eq!(layer_read.spatial_ref().unwrap().auth_code().unwrap(), 6372);
        let mut n = 0;
        for feature in layer_read.features() {
            let key = feature.field_as_string(feature.field_index("CVEGEO").unwrap()).unwrap().unwrap();
            assert!(key.starts_with("07999") && key.len() == length, "{key}");
            assert!(feature.geometry().unwrap().is_valid());
            n += 1;
        }
        count.insert(layer, n);
    }
    assert_eq!(count["manzanas"], archive().blocks);
    assert_eq!(count["agebs"], archive().agebs);
    assert!(archive().blocks > 50);
    let text = std::fs::read_to_string(zones.join("manzanas.geojson")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["features"].as_array().unwrap().len(), archive().blocks);
    let first = &document["features"][0]["geometry"]["coordinates"][0][0];
    assert!((first[0].as_f64().unwrap() + 93.26).abs() < 0.1, "longitude first");
    assert!((first[1].as_f64().unwrap() - 15.60).abs() < 0.1);
}

fn all_files(dir: &Path, out: &mut BTreeMap<PathBuf, Vec<u8>>, root: &Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all_files(&path, out, root);
        } else {
            out.insert(path.strip_prefix(root).unwrap().to_path_buf(), std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn every_byte_is_the_same_on_one_and_on_three_threads() {
    let config = SynthConfig { size_px: 64, max_scenes: Some(6), ..SynthConfig::small() };
    let run = |threads: usize| {
        let dir = scratch(&format!("threads{threads}"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| generate(&config, &dir, &|_| ())).unwrap();
        let mut files = BTreeMap::new();
        all_files(&dir, &mut files, &dir);
        std::fs::remove_dir_all(&dir).unwrap();
        files
    };
    let (one, three) = (run(1), run(3));
    assert!(one.keys().eq(three.keys()));
    for (path, bytes) in &one {
        assert!(bytes == &three[path], "{}", path.display());
    }
}

#[test]
fn an_equal_archive_is_reused_and_anything_else_left_alone() {
    let config = SynthConfig { size_px: 64, max_scenes: Some(2), ..SynthConfig::small() };
    let dir = scratch("reuse");
    let last = std::sync::Mutex::new(None);
    let first = generate(&config, &dir, &|p| *last.lock().unwrap() = Some(p)).unwrap();
    assert_eq!(last.lock().unwrap().unwrap().total, first.scenes);
    assert!(!first.reused && first.bytes > 0);
    let again = generate(&config, &dir, &|_| panic!("nothing to do")).unwrap();
    assert!(again.reused);
    assert_eq!((again.scenes, again.blocks, again.bytes), (first.scenes, first.blocks, first.bytes));
    let other = SynthConfig { seed: 1, ..config.clone() };
    assert!(matches!(generate(&other, &dir, &|_| ()), Err(SynthError::Occupied { .. })));
    assert!(dir.join(MANIFEST).exists());
    std::fs::remove_dir_all(&dir).unwrap();
    let siblings = std::fs::read_dir(dir.parent().unwrap()).unwrap();
    let left = siblings.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().contains("-reuse-"));
    assert_eq!(left.count(), 0, "no partial directory stays behind");
}

#[test]
fn leftovers_of_dead_runs_are_removed_and_nothing_else() {
    let config = SynthConfig { size_px: 64, max_scenes: Some(1), ..SynthConfig::small() };
    let dir = scratch("leftovers");
    // Above the largest process id that Linux gives out.
    let beside = |name: String| dir.with_file_name(name);
    let name = dir.file_name().unwrap().to_str().unwrap();
    let dead = beside(format!(".{name}.4194400-0.partial"));
    let alive = beside(format!(".{name}.{}-99.partial", std::process::id()));
    let other = beside(format!(".{name}.notes.partial"));
    for folder in [&dead, &alive, &other] {
        std::fs::create_dir_all(folder.join("scenes")).unwrap();
    }
    generate(&config, &dir, &|_| ()).unwrap();
    let (dead_left, kept) = (dead.exists(), alive.exists() && other.exists());
    for folder in [&dir, &dead, &alive, &other] {
        let _ = std::fs::remove_dir_all(folder);
    }
    assert!(kept && (!dead_left || !Path::new("/proc/self").exists()));
}

#[test]
fn bad_configurations_are_refused() {
    let dir = scratch("refused");
    for (field, config) in [
        ("size_px", SynthConfig { size_px: 63, ..SynthConfig::small() }),
        ("years", SynthConfig { years: 1970..=1980, ..SynthConfig::small() }),
        ("days_per_year", SynthConfig { days_per_year: 0, ..SynthConfig::small() }),
        ("max_scenes", SynthConfig { max_scenes: Some(0), ..SynthConfig::small() }),
    ] {
        match generate(&config, &dir, &|_| ()) {
            Err(SynthError::Config { field: named, .. }) => assert_eq!(named, field),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert!(!dir.exists());
}
