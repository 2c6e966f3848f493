//! Killed in the middle, run again; and one writer at a time.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{Outcome, TestCube, demo};

/// The scenes of a small synthetic archive, and the cube that holds them.
fn archive() -> (TestCube, String) {
    let cube = demo("2019-2021");
    let scenes = cube.dir().join("synthetic/scenes");
    assert!(scenes.is_dir());
    let scenes = scenes.to_str().unwrap().to_owned();
    (cube, scenes)
}

/// Starts an ingest, one solar day a commit.
fn start(cube: &TestCube, scenes: &str) -> Child {
    let mut command = cube.command(&["ingest", "--batch-days", "1", scenes]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

fn files_under(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.flatten().map(|e| if e.path().is_dir() { files_under(&e.path()) } else { 1 }).sum()
}

/// Waits until the store has so many files; whether the process is still at work.
fn wait_for_files(cube: &TestCube, child: &mut Child, files: usize) -> bool {
    let started = Instant::now();
    while files_under(&cube.store()) < files {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no progress");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.try_wait().unwrap().is_none()
}

fn count(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

#[test]
fn a_killed_ingest_is_completed_by_the_next() {
    let (whole, scenes) = archive();
    let all = count(&whole.json(&["scenes", "list", "--limit", "0"]));
    let slots = whole.product("landsat_c2_sr")["slots"].clone();
    let cube = TestCube::init();
    let (mut kills, mut committed) = (0, Vec::new());
    for more in [1, 150, 400, 700] {
        let before = files_under(&cube.store());
        let mut child = start(&cube, &scenes);
        if wait_for_files(&cube, &mut child, before + more) {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
        // What was committed is whole: each scene counted has its slot, and nothing is damaged or missing.
        committed.push(count(&cube.json(&["scenes", "list", "--limit", "0"])));
        let check = cube.run(&["--json", "check"]);
        let faults = check.json()["faults"].as_array().unwrap().clone();
        assert!(faults.iter().all(|f| f["kind"] == "leftover"), "{faults:#?}");
    }
    assert!(kills >= 3, "the ingest was too quick to be killed: {kills}");
    let last = *committed.last().unwrap();
    assert!(committed.is_sorted() && last > 0 && last < all, "{committed:?} of {all}");
    let report = cube.json(&["ingest", &scenes]);
    assert_eq!(report["added"].as_u64().unwrap() as usize + committed.last().unwrap(), all, "{report:#}");
    assert_eq!(report["already"].as_u64().unwrap() as usize, *committed.last().unwrap());
    assert_eq!(cube.product("landsat_c2_sr")["slots"], slots);
    cube.is_sound();
    eprintln!("{kills} kills; scenes after each: {committed:?} of {all}");
    let again = cube.json(&["ingest", &scenes]);
    assert_eq!((&again["added"], &again["slots"]), (&0.into(), &0.into()));
}

#[test]
fn a_killed_compute_is_completed_by_the_next() {
    let (_archive, scenes) = archive();
    let cube = TestCube::init();
    cube.ok(&["ingest", &scenes]);
    let before = files_under(&cube.store());
    let mut command = cube.command(&["compute", "geomedian_annual"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let at_work = wait_for_files(&cube, &mut child, before + 20);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(at_work, "the compute was too quick to be killed");
    cube.ok(&["compute", "geomedian_annual"]);
    assert_eq!(count(&cube.product("geomedian_annual")["periods"]), 3);
    cube.is_sound();
    cube.ok(&["compute", "geomedian_annual"]).says(&["0 periods computed, 3 up to date"]);
}

#[test]
fn a_second_writer_is_told_who_the_first_is() {
    let (_archive, scenes) = archive();
    let cube = TestCube::init();
    let mut first = start(&cube, &scenes);
    assert!(wait_for_files(&cube, &mut first, 1));
    // Stopped, it keeps the lock for as long as the test needs.
    let pid = first.id().to_string();
    let signal = |name: &str| assert!(Command::new("kill").args([name, &pid]).status().unwrap().success());
    signal("-STOP");
    let second = cube.run(&["ingest", &scenes]);
    let reader = cube.run(&["scenes", "list"]);
    signal("-CONT");
    assert!(first.wait().unwrap().success());
    let Outcome { code, stderr, .. } = &second;
    assert_eq!(*code, Some(1));
    assert!(stderr.contains(&format!("pid {pid}")) && stderr.contains("tesela ingest"), "{stderr}");
    assert_eq!(reader.code, Some(0), "{reader:#?}");
    cube.is_sound();
}
