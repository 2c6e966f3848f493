//! Scenes and definitions that cannot be used: each refused with its reason, the rest unharmed.

use std::path::Path;

use serde_json::Value;

use crate::harness::{TestCube, copy_folder, data};
use crate::real_inputs::{cube_for, replaced, shipped_product};

const SCENE: &str = "05-c2l2-whole-scenes-decimated/LC08_L2SP_008059_20191201_20200825";
const GRID: &str = "id: utm18_450\ntitle: {es: UTM 18, en: UTM 18}\ncrs: \"EPSG:32618\"\nresolution: 450\n\
    origin: [0, 0]\ntile_size: 512\nextent: {ix: [0, 5], iy: [-2, 4]}\n";

/// A real scene with text metadata, under a name of its own, spoilt.
fn spoilt(cube: &TestCube, scene: &Path, name: &str, spoil: impl Fn(&Path)) -> String {
    let folder = cube.path(name);
    copy_folder(scene, &folder, |f| {
        f.ends_with("_MTL.txt") || (f.ends_with(".TIF") && !f.contains("ST_B10"))
    });
    spoil(&folder);
    folder.to_str().unwrap().to_owned()
}

/// The file of a folder whose name ends so.
fn file(folder: &Path, end: &str) -> std::path::PathBuf {
    let mut names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    names.find(|p| p.to_str().unwrap().ends_with(end)).unwrap()
}

#[test]
fn bad_scenes_are_quarantined_with_the_reason() {
    let Some(scene) = data(SCENE) else { return };
    let Some(level1) = data("14-mtl-metadata/LC08_L1TP_193024_20180824_20200831_02_T1_MTL.txt") else {
        return;
    };
    let cube = cube_for("landsat_c2_sr", str::to_owned, GRID);
    let missing = spoilt(&cube, &scene, "missing", |f| std::fs::remove_file(file(f, "SR_B4.TIF")).unwrap());
    let cut = spoilt(&cube, &scene, "cut", |f| {
        let path = file(f, "SR_B5.TIF");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    let header = spoilt(&cube, &scene, "header", |f| std::fs::write(file(f, "SR_B6.TIF"), b"II*\0").unwrap());
    let sensor = spoilt(&cube, &scene, "sensor", |f| {
        let path = file(f, "MTL.txt");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, replaced(&text, "LANDSAT_8", "LANDSAT_42")).unwrap();
    });
    let metadata = spoilt(&cube, &scene, "metadata", |f| {
        let path = file(f, "MTL.txt");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, &text[..300]).unwrap();
    });
    let level_1 = spoilt(&cube, &scene, "level-1", |f| {
        std::fs::remove_file(file(f, "MTL.txt")).unwrap();
        std::fs::copy(&level1, f.join(level1.file_name().unwrap())).unwrap();
        std::fs::rename(file(f, "SR_B4.TIF"), f.join("LC08_L1TP_193024_20180824_20200831_02_T1_B4.TIF"))
            .unwrap();
    });
    let empty = cube.path("empty").to_str().unwrap().to_owned();
    std::fs::create_dir(&empty).unwrap();
    let table: &[(&str, &str, &[&str])] = &[
        (&missing, "missing_bands", &["LC08_L2SP_008059_20191201", "SR_B4 (red) missing"]),
        (&cut, "unreadable_raster", &["SR_B5.TIF"]),
        (&header, "unreadable_raster", &["SR_B6.TIF"]),
        (&sensor, "unknown_sensor", &["MTL.txt", "Landsat 42", "landsat-9"]),
        (&metadata, "bad_metadata", &["MTL.txt"]),
        (&level_1, "level_1", &["LC08_L1TP_193024_20180824", "L2SP"]),
        (&empty, "no_metadata", &["no *_MTL", "empty"]),
        ("/nowhere/at/all", "not_found", &["/nowhere/at/all does not exist"]),
    ];
    let mut wrong = Vec::new();
    for (path, code, says) in table {
        let outcome = cube.run(&["--json", "ingest", path]);
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        let Ok(report) = serde_json::from_str::<Value>(&outcome.stdout) else {
            wrong.push(format!("{path}: the run stopped instead of going on: {}", outcome.stderr.trim()));
            continue;
        };
        let refused = &report["refused"][0];
        let reason = refused["reason"].as_str().unwrap_or_default();
        if refused["code"] != *code || !says.iter().all(|part| reason.contains(part)) {
            wrong.push(format!("{path}: expected {code} {says:?}, got {refused}"));
        }
    }
    assert_eq!(cube.json(&["scenes", "list"]), Value::Array(Vec::new()));
    cube.is_sound();
    let leftovers = std::fs::read_dir(cube.store()).unwrap().count();
    assert_eq!(leftovers, 0, "something was half written");

    // A good scene goes in beside bad ones.
    let good = spoilt(&cube, &scene, "good", |_| ());
    let later = spoilt(&cube, &scene, "later", |f| {
        for path in std::fs::read_dir(f).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>() {
            let to = replaced(path.to_str().unwrap(), "_20191201_", "_20191217_");
            std::fs::rename(&path, to).unwrap();
        }
        let path = file(f, "MTL.txt");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = replaced(&replaced(&text, "20191201", "20191217"), "2019-12-01", "2019-12-17");
        std::fs::write(path, text).unwrap();
        let path = file(f, "SR_B5.TIF");
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    });
    let outcome = cube.run(&["--json", "ingest", &level_1, &good, &later, &empty]);
    match serde_json::from_str::<Value>(&outcome.stdout) {
        Ok(report) if report["added"] == 1 => {}
        _ => wrong.push(format!("a good scene beside bad ones: {}", outcome.text())),
    }
    cube.is_sound();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_scene_off_the_grid_is_refused() {
    let Some(scene) = data(SCENE) else { return };
    let cube = TestCube::init();
    cube.fails(&["ingest", scene.to_str().unwrap()]).says(&["outside_grid", "mx6372_30", "LC08_L2SP_008059"]);
    cube.is_sound();
}

#[test]
fn manifests_name_line_and_column() {
    let cube = TestCube::init();
    let table = [
        ("path,datetime,platform,band.red\nno.tif,2020-01-01,landsat-8,1\n", ":2:1", "no.tif"),
        ("path,datetime,platform,band.red\nno.tif,1/1/2020,landsat-8,1\n", ":2:2", "1/1/2020"),
        ("path,datetime,platform,band.red\nno.tif,2020-01-01,sputnik,1\n", ":2:3", "sputnik"),
        ("path,datetime,platform,band.red\nno.tif,2020-01-01,landsat-8,zero\n", ":2:4", "zero"),
        ("path,platform,band.red\n", ":1:0", "datetime"),
        (
            "path,datetime,platform,band.red\nhttp://h/x.tif,2020-01-01,landsat-8,1\n",
            ":2:1",
            "http://h/x.tif",
        ),
    ];
    for (i, (text, place, says)) in table.into_iter().enumerate() {
        let manifest = cube.write(&format!("m{i}.csv"), text);
        cube.fails(&["ingest", "--product", "landsat_stack_fmask", &manifest]).says(&[
            "bad_manifest",
            &format!("m{i}.csv{place}"),
            says,
        ]);
    }
    cube.is_sound();
}

#[test]
fn definitions_name_file_line_and_column() {
    let cube = TestCube::init();
    let good = shipped_product("landsat_c2_sr");
    let table = [
        (
            "field",
            replaced(&good, "valid: [7273", "vaild: [7273"),
            "field.yaml:20:5",
            "unknown field `vaild`",
        ),
        ("number", replaced(&good, "nodata: 0", "nodata: x"), "number.yaml:17:13", "\"x\" is not a number"),
        (
            "band",
            replaced(&good, "[red, green, blue]", "[red, grin, blue]"),
            "band.yaml:104:",
            "unknown band \"grin\"",
        ),
        ("flag", replaced(&good, "cloud_shadow, snow]", "cloud_shadow, slow]"), "flag.yaml:10", "slow"),
        ("tab", "product:\n\t- x\n".into(), "tab.yaml:2:", ""),
    ];
    for (name, text, place, says) in table {
        let file = cube.write(&format!("{name}.yaml"), &text);
        cube.fails(&["products", "validate", &file]).says(&[place, says]);
        cube.fails(&["products", "add", &file]).says(&[place]);
    }
    let recipe = cube.write("recipe.yaml", "recipe: Bad Name\nversion: 1\n");
    cube.fails(&["products", "validate", "--recipe", &recipe]).says(&["recipe.yaml:"]);
    cube.fails(&["compute", &recipe]).says(&["recipe.yaml:"]);
    cube.fails(&["compute", "nothing_annual"]).says(&["nothing_annual"]);
    cube.fails(&["ingest", "--product", "nothing", "."]).says(&["unknown product nothing", "landsat_c2_sr"]);
    cube.fails(&["products", "add", "landsat_c2_sr", "--grid", "utm99_30"]).says(&["utm99_30"]);
    assert_eq!(cube.json(&["products", "list"]).as_array().map(Vec::len), Some(3));
    cube.is_sound();
}
