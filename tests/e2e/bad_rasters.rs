//! The corpus of bad rasters that `bad_rasters.py` writes, each through `ingest` and `zones add`: none crashes, none
//! that must be refused is taken, and each refusal has a code and names the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::{Outcome, TestCube, clients, require, tesela};

/// A single band, so that every file of the corpus can be one.
const PRODUCT: &str = r##"product: stack
title: {es: Pila, en: Stack}
status: experimental
grid: mx6372_30
accept: {collections: [pre], levels: [SR]}
mask: none
measurements:
  - {name: red, title: {es: r, en: r}, aliases: {any: red}, dtype: int16, nodata: -9999, scale: 1.0e-4, valid: [1, 10000], resampling: nearest, pyramid: mean}
styles:
  - {name: red, title: {es: r, en: r}, expression: "red", unit: "1", ramp: [{value: 0, color: "#000000"}, {value: 1, color: "#ffffff"}]}
"##;

/// Memory a run may ask for, KiB, and processor seconds.
const LIMITS: &str = "ulimit -v 1536000; ulimit -t 60; ulimit -c 0; exec \"$@\"";

/// Words of GDAL and Rust that say nothing to an operator.
const FOREIGN: [&str; 6] = ["NULL pointer", "CPL error", "OGR method", "ERROR ", "Warning ", "panicked"];

/// Writes the corpus; each file and whether it must be refused, must be taken, or either.
fn corpus(cube: &TestCube) -> Option<BTreeMap<PathBuf, &'static str>> {
    let script = clients("bad_rasters.py")?;
    let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let tried = Command::new(python).args(["-c", "import numpy, osgeo"]).output();
        tried.is_ok_and(|o| o.status.success())
    });
    if !require(python.is_some(), "no Python with osgeo and numpy (apt: python3-gdal)") {
        return None;
    }
    let out = cube.path("corpus");
    // The script fails `true` for every file that must be refused and `false` for every one that must be taken.
    let mut wants = BTreeMap::new();
    for (tool, mode) in [("true", "reject"), ("false", "accept")] {
        let written = Outcome::of(
            Command::new(python?)
                .arg("-B")
                .arg(&script)
                .arg(&out)
                .args(["--run", &format!("{tool} {{file}}")]),
        );
        let ending = format!(" ({mode}) -- ");
        for line in written.stdout.lines().filter_map(|line| line.trim().strip_prefix("FAIL ")) {
            let (name, _) = line.split_once(&ending).unwrap_or_else(|| panic!("{written:#?}"));
            wants.insert(out.join(name), mode);
        }
        assert!(wants.values().any(|m| *m == mode), "{written:#?}");
    }
    let files = std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().path());
    Some(files.map(|file| (file.clone(), *wants.get(&file).unwrap_or(&"any"))).collect())
}

/// Runs a command within limits; what is wrong however it ended.
fn limited(cube: &TestCube, args: &[&str]) -> (Outcome, Vec<String>) {
    let inner = tesela();
    let mut command = Command::new("sh");
    command.args(["-c", LIMITS, "sh"]).arg(inner.get_program());
    command.arg("--json").arg("--cube").arg(cube.dir()).args(args);
    let outcome = Outcome::of(&mut command);
    let mut wrong = Vec::new();
    if !matches!(outcome.code, Some(0 | 1)) {
        wrong.push(format!("ended with {:?}", outcome.code));
    }
    wrong.extend(
        outcome
            .stderr
            .lines()
            .filter(|l| serde_json::from_str::<Value>(l).is_err())
            .map(|l| format!("prints {l:?}")),
    );
    wrong.extend(FOREIGN.iter().filter(|w| outcome.text().contains(**w)).map(|w| format!("says {w:?}")));
    (outcome, wrong)
}

fn stem(file: &Path) -> &str {
    file.file_stem().unwrap().to_str().unwrap()
}

#[test]
fn each_bad_raster_is_refused_by_name_and_none_crashes() {
    let cube = TestCube::init();
    let Some(corpus) = corpus(&cube) else { return };
    assert!(corpus.len() >= 87, "{}", corpus.len());
    let product = cube.write("stack.yaml", PRODUCT);
    cube.ok(&["products", "add", &product]);
    let mut faults = Vec::new();
    let (mut taken, mut refused) = (0, 0);
    for (day, (file, mode)) in corpus.iter().enumerate() {
        let (month, day) = (day / 28 + 1, day % 28 + 1);
        let row = format!("\"{}\",2001-{month:02}-{day:02},landsat-5,1", file.display());
        let manifest = cube.write("m.csv", &format!("path,datetime,platform,band.red\n{row}\n"));
        let (outcome, mut wrong) = limited(&cube, &["ingest", "--product", "stack", &manifest]);
        let report: Value = serde_json::from_str(&outcome.stdout).unwrap_or_default();
        let reason = &report["refused"][0];
        if report["added"] == 1 {
            taken += 1;
            if *mode == "reject" {
                wrong.push("is taken".into());
            }
        } else if *mode == "accept" {
            wrong.push(format!("is refused: {}", outcome.text()));
        } else {
            refused += 1;
            let known = ["unreadable_raster", "bad_geometry", "outside_grid"];
            if outcome.code != Some(1) || !known.iter().any(|code| reason["code"] == *code) {
                wrong.push(format!("exit {:?} without a known code: {}", outcome.code, outcome.text()));
            }
            if !reason["reason"].as_str().unwrap_or_default().contains(stem(file)) {
                wrong.push(format!("is not named: {reason}"));
            }
        }
        faults.extend(wrong.into_iter().map(|w| format!("{} ({mode}) {w}", file.display())));
    }
    cube.is_sound();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    eprintln!("{taken} taken, {refused} refused");
}

#[test]
fn a_raster_is_no_polygon_layer() {
    let cube = TestCube::init();
    let Some(corpus) = corpus(&cube) else { return };
    let mut faults = Vec::new();
    for file in corpus.keys() {
        let path = file.to_str().unwrap();
        let (outcome, mut wrong) = limited(&cube, &["zones", "add", path, "--key", "k", "--id", "bad@1"]);
        if outcome.code != Some(1) || !outcome.stderr.contains(stem(file)) {
            wrong.push(format!("exit {:?}: {}", outcome.code, outcome.text()));
        }
        faults.extend(wrong.into_iter().map(|w| format!("{} {w}", file.display())));
    }
    assert_eq!(cube.json(&["zones", "list"]), serde_json::json!([]));
    cube.is_sound();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
