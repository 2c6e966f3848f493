//! The disk fills up: the command says so and leaves what was committed whole; with room it goes on, and what comes
//! out is what comes out of a run that was never disturbed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::harness::{Mount, Outcome, TestCube, demo, files_under};

const INGEST: [&str; 3] = ["ingest", "--batch-days", "2"];
const COMPUTE: [&str; 2] = ["compute", "geomedian_annual"];

/// Chunks of derived products, without the name of the run that wrote them.
fn derived(cube: &TestCube) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = cube.store().join("derived");
    let files = files_under(&root).into_iter().map(|(file, _)| file);
    let chunks = files.filter(|f| f.to_str().unwrap().contains("/c/"));
    chunks
        .map(|file| {
            let parts: Vec<_> = file.strip_prefix(&root).unwrap().iter().collect();
            let name = parts[..2].iter().chain(&parts[3..]).collect();
            (name, std::fs::read(&file).unwrap())
        })
        .collect()
}

/// Exit 1, in words that name a path of the place that is full, and a cube without fault but leftovers.
#[track_caller]
fn stopped_for_space(cube: &TestCube, outcome: &Outcome, place: &str) {
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    let last = outcome.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: "), "{outcome:#?}");
    assert!(last.to_lowercase().contains("no space") && last.contains(place), "{place}: {last}");
    assert!(last.contains("make room"), "{last}");
    let check = cube.run(&["--json", "check"]);
    let report = check.json();
    let faults = report["faults"].as_array().unwrap();
    assert!(faults.iter().all(|f| f["kind"] == "leftover"), "{faults:#?}");
}

fn scenes(cube: &TestCube) -> usize {
    cube.json(&["scenes", "list", "--limit", "0"]).as_array().unwrap().len()
}

/// What an undisturbed run makes: the archive, the derived chunks, the number of scenes, and bytes before and after
/// the compute.
struct Calm {
    archive: TestCube,
    derived: BTreeMap<PathBuf, Vec<u8>>,
    scenes: usize,
    ingested: u64,
    whole: u64,
}

impl Calm {
    fn run() -> Option<Self> {
        let archive = demo("2019-2020");
        let cube = TestCube::unmade();
        let mount = Mount::memory(&cube.dir(), 64 << 20)?;
        cube.init_here();
        let mut ingest = INGEST.map(str::to_owned).to_vec();
        ingest.push(archive.path("cube/synthetic/scenes").to_str().unwrap().to_owned());
        cube.ok(&ingest);
        let ingested = mount.used();
        cube.ok(&COMPUTE);
        let (derived, scenes, whole) = (derived(&cube), scenes(&cube), mount.used());
        assert!(derived.len() > 50 && whole > ingested);
        Some(Self { archive, derived, scenes, ingested, whole })
    }

    fn ingest(&self) -> [String; 4] {
        let path = self.archive.path("cube/synthetic/scenes").to_str().unwrap().to_owned();
        let [a, b, c] = INGEST.map(str::to_owned);
        [a, b, c, path]
    }

    /// Fills the disk at a share of what the ingest needs, and again at one of what the compute adds; then goes on.
    fn disturbed(&self, cube: &TestCube, mount: &Mount, place: &str, share: f64) {
        let size = (self.ingested as f64 * share) as u64;
        mount.remount(&format!("size={}", size.max(mount.used() + 4096)));
        let stopped = cube.run(&self.ingest());
        stopped_for_space(cube, &stopped, place);
        let committed = scenes(cube);
        assert!(committed < self.scenes, "nothing stopped it");
        // Once more in the same narrow place: it sweeps, fails again, and spoils nothing.
        let again = cube.run(&self.ingest());
        stopped_for_space(cube, &again, place);
        assert!(scenes(cube) >= committed);
        mount.remount(&format!("size={}", self.whole * 3));
        cube.ok(&self.ingest());
        assert_eq!(scenes(cube), self.scenes);
        cube.is_sound();
        let more = (self.whole - self.ingested) as f64 * share;
        mount.remount(&format!("size={}", mount.used() + more as u64));
        stopped_for_space(cube, &cube.run(&COMPUTE), place);
        mount.remount(&format!("size={}", self.whole * 3));
        cube.ok(&COMPUTE);
        cube.is_sound();
        assert!(derived(cube) == self.derived, "other values than an undisturbed run's at {share}");
        eprintln!("full at {share} in {place}: {committed} of {} scenes were committed", self.scenes);
    }
}

#[test]
fn a_full_disk_stops_the_run_and_spoils_nothing() {
    let Some(calm) = Calm::run() else { return };
    for share in [0.03, 0.2, 0.5, 0.8] {
        let cube = TestCube::unmade();
        let Some(mount) = Mount::memory(&cube.dir(), 64 << 20) else { return };
        cube.init_here();
        calm.disturbed(&cube, &mount, cube.dir().to_str().unwrap(), share);
    }
}

#[test]
fn a_full_store_stops_the_run_and_spoils_nothing() {
    let Some(calm) = Calm::run() else { return };
    for share in [0.0, 0.1, 0.4, 0.7] {
        let cube = TestCube::init();
        let Some(mount) = Mount::memory(&cube.store(), 64 << 20) else { return };
        calm.disturbed(&cube, &mount, cube.store().to_str().unwrap(), share);
    }
}

#[test]
fn a_full_disk_stops_a_plan_its_workers_and_its_commit() {
    let Some(calm) = Calm::run() else { return };
    for share in [0.2, 0.6, 0.9] {
        let cube = TestCube::unmade();
        let Some(mount) = Mount::memory(&cube.dir(), 64 << 20) else { return };
        let place = cube.dir().to_str().unwrap().to_owned();
        cube.init_here();
        cube.ok(&calm.ingest());
        let latest = || cube.json(&["snapshots", "list", "--limit", "1"])[0]["n"].as_u64().unwrap();
        let before = latest();
        let (narrow, wide) = (format!("size={}", mount.used()), format!("size={}", calm.whole * 3));
        // No room for a plan, not even to note it.
        mount.remount(&narrow);
        stopped_for_space(&cube, &cube.run(&["plan", COMPUTE[1]]), &place);
        mount.remount(&wide);
        assert_eq!(cube.json(&["plan", "list"]), serde_json::json!([]));
        let plan = cube.json(&["plan", COMPUTE[1]])["plan"].as_str().unwrap().to_owned();
        // Room for some of the units.
        let work = ["work", &plan, "--index", "0/1"];
        let more = ((calm.whole - calm.ingested) as f64 * share) as u64;
        mount.remount(&format!("size={}", mount.used() + more));
        stopped_for_space(&cube, &cube.run(&work), &place);
        let done = cube.json(&["plan", "list"])[0]["done"].as_u64().unwrap();
        stopped_for_space(&cube, &cube.run(&work), &place);
        assert_eq!(latest(), before);
        mount.remount(&wide);
        let report = cube.json(&work);
        assert_eq!(report["found_done"], done, "{report:#}");
        // None for the levels that a commit writes.
        mount.remount(&format!("size={}", mount.used()));
        stopped_for_space(&cube, &cube.run(&["commit", &plan]), &place);
        assert_eq!(latest(), before);
        assert_eq!(cube.json(&["plan", "list"])[0]["done"], report["done"].as_u64().unwrap() + done);
        mount.remount(&wide);
        cube.ok(&["commit", &plan]);
        cube.is_sound();
        assert!(derived(&cube) == calm.derived, "other values than an undisturbed run's at {share}");
        eprintln!("plan: {done} units were done when the disk was full at {share}");
    }
}

#[test]
fn a_disk_too_small_for_a_cube_is_named() {
    let cube = TestCube::unmade();
    let Some(mount) = Mount::memory(&cube.dir(), 16384) else { return };
    let made = cube.try_init();
    assert_eq!(made.code, Some(1), "{made:#?}");
    let text = made.stderr.to_lowercase();
    assert!(text.contains("no space") && made.stderr.contains(cube.dir().to_str().unwrap()), "{made:#?}");
    mount.remount("size=8m");
    cube.init_here();
    cube.is_sound();
}
