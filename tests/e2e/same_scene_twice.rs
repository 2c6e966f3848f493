//! One scene given twice in one command: the same folder, a link to it, and two copies of which one is bad.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{TestCube, copy_folder, demo};

/// A name, the code of the refusal, and what is done to a band.
type Spoil = (&'static str, &'static str, fn(&Path));

/// A scene folder of a synthetic archive.
fn scene(archive: &TestCube) -> PathBuf {
    let folder = archive.path("cube/synthetic/scenes");
    let mut scenes: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    scenes.sort();
    scenes.remove(0)
}

/// A copy under the same name in a folder of its own.
fn copy(cube: &TestCube, scene: &Path, name: &str) -> PathBuf {
    let to = cube.path(name).join(scene.file_name().unwrap());
    copy_folder(scene, &to, |_| true);
    to
}

fn band(folder: &Path) -> PathBuf {
    let mut names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    names.find(|p| p.to_str().unwrap().ends_with("_SR_B3.TIF")).unwrap()
}

fn ingest(cube: &TestCube, paths: &[&Path]) -> Value {
    let mut args = vec!["--json", "ingest"];
    args.extend(paths.iter().map(|p| p.to_str().unwrap()));
    cube.run(&args).json()
}

#[test]
fn the_same_folder_twice_is_one_scene() {
    let archive = demo("2020");
    let scene = scene(&archive);
    let cube = TestCube::init();
    let link = cube.path("link");
    std::os::unix::fs::symlink(&scene, &link).unwrap();
    let report = ingest(&cube, &[&scene, &scene, &link]);
    assert_eq!((&report["added"], &report["refused"]), (&1.into(), &Value::Array(vec![])), "{report:#}");
    assert!(report["warnings"].to_string().contains("is given twice"), "{report:#}");
    assert_eq!(cube.json(&["scenes", "list"]).as_array().unwrap().len(), 1);
    cube.is_sound();

    // A bad folder given twice is refused once.
    let bad = copy(&cube, &scene, "bad");
    std::fs::write(band(&bad), b"II*\0").unwrap();
    let other = TestCube::init();
    let report = ingest(&other, &[&bad, &bad]);
    assert_eq!(
        (&report["added"], report["refused"].as_array().map(Vec::len)),
        (&0.into(), Some(1)),
        "{report:#}"
    );
}

#[test]
fn a_good_copy_goes_in_whichever_comes_first() {
    let archive = demo("2020");
    let scene = scene(&archive);
    let spoils: [Spoil; 3] = [
        ("header", "unreadable_raster", |band| std::fs::write(band, b"II*\0").unwrap()),
        ("pixels", "unreadable_raster", |band| {
            let bytes = std::fs::read(band).unwrap();
            std::fs::write(band, &bytes[..bytes.len() * 2 / 3]).unwrap();
        }),
        ("missing", "missing_bands", |band| std::fs::remove_file(band).unwrap()),
    ];
    for (name, code, spoil) in spoils {
        let cube = TestCube::init();
        let (bad, good) = (copy(&cube, &scene, &format!("bad-{name}")), copy(&cube, &scene, "good"));
        spoil(&band(&bad));
        let dry: Vec<&str> =
            vec!["--json", "ingest", "--dry-run", bad.to_str().unwrap(), good.to_str().unwrap()];
        assert_eq!(cube.run(&dry).json()["added"], 1, "{name}");
        let report = ingest(&cube, &[&bad, &good]);
        assert_eq!(
            (&report["added"], &report["refused"][0]["code"]),
            (&1.into(), &code.into()),
            "{name} {report:#}"
        );
        let document = cube.json(&["scenes", "show", scene.file_name().unwrap().to_str().unwrap()]);
        assert!(document["source"].as_str().unwrap().contains("/good/"), "{name} {document:#}");
        assert_eq!(cube.json(&["quarantine", "list"]).as_array().unwrap().len(), 1, "{name}");
        cube.is_sound();

        let cube = TestCube::init();
        let report = ingest(&cube, &[&good, &bad]);
        assert_eq!(report["added"], 1, "{name} {report:#}");
        assert_eq!(report["refused"], Value::Array(Vec::new()), "{name}");
        cube.is_sound();

        // Both bad: each is refused and named, and nothing goes in.
        spoil(&band(&good));
        let cube = TestCube::init();
        let report = ingest(&cube, &[&good, &bad]);
        assert_eq!(
            (&report["added"], report["refused"].as_array().unwrap().len()),
            (&0.into(), 2),
            "{name} {report:#}"
        );
        cube.is_sound();
    }
}

#[test]
fn a_bad_newer_processing_leaves_the_older_one() {
    let archive = demo("2020");
    let scene = scene(&archive);
    let cube = TestCube::init();
    let older = copy(&cube, &scene, "older");
    // The same scene processed later: its id, folder, files and metadata say so.
    let id = scene.file_name().unwrap().to_str().unwrap().to_owned();
    let processed = id.split('_').nth(4).unwrap().to_owned();
    let newer_id = id.replace(&format!("_{processed}_"), "_20290101_");
    let newer = cube.path("newer").join(&newer_id);
    std::fs::create_dir_all(&newer).unwrap();
    for file in std::fs::read_dir(&scene).unwrap().map(|e| e.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().replace(&id, &newer_id);
        let bytes = std::fs::read(&file).unwrap();
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => text.replace(&id, &newer_id).into_bytes(),
            Err(e) => e.into_bytes(),
        };
        std::fs::write(newer.join(name), bytes).unwrap();
    }
    std::fs::write(band(&newer), b"II*\0").unwrap();
    let report = ingest(&cube, &[&older, &newer]);
    assert_eq!(report["added"], 1, "{report:#}");
    assert_eq!(cube.json(&["scenes", "list"])[0]["id"], id.as_str());
    cube.is_sound();
}
