//! Killed at random moments, over and over, under the eyes of readers: what was committed stays whole, the same
//! command run again finishes the work, and what comes out is what an undisturbed cube has.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::answers::{
    Random, Watch, all_same, ask, bounds, dates, pinned, plain, same, series_of, tiles, zone_tables,
};
use crate::harness::archive::{Archive, compute, copied, derived_digests};
use crate::harness::{Server, TestCube, files_under, python_with};

/// Kills in all, at least.
const KILLS: usize = 50;
/// However few were killed by then, no further round begins.
const LONGEST: Duration = Duration::from_secs(480);

/// One command of a cube's life.
struct Step {
    args: Vec<String>,
    /// Seconds before which it has nothing to lose: it waits.
    idle: f64,
}

fn step(args: &[&str], paths: &[PathBuf], idle: f64) -> Step {
    let paths = paths.iter().map(|p| p.to_str().unwrap().to_owned());
    Step { args: args.iter().map(|a| (*a).to_owned()).chain(paths).collect(), idle }
}

/// Scenes in two halves: whole days to either, and some days with a scene in each, so that the second half makes
/// another revision of what the first brought.
fn halves(archive: &Archive) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (i, day) in archive.days().into_iter().enumerate() {
        match i % 3 {
            0 => first.extend(day),
            1 => second.extend(day),
            _ => {
                second.extend_from_slice(&day[day.len() / 2..]);
                first.extend_from_slice(&day[..day.len() / 2]);
            }
        }
    }
    (first, second)
}

/// A cube's life: what is killed in each round.
fn life(archive: &Archive) -> Vec<Step> {
    let (first, second) = halves(archive);
    // A scene of a day of two, and a whole day.
    let id = |scene: &PathBuf| scene.file_name().unwrap().to_str().unwrap().to_owned();
    let accepted: Vec<Vec<String>> = archive
        .days()
        .iter()
        .map(|day| day.iter().map(id).filter(|id| id.ends_with("_T1")).collect::<Vec<_>>())
        .filter(|day| day.len() == 2)
        .collect();
    let mut archived = vec![accepted[1][0].clone()];
    archived.extend(accepted[3].iter().cloned());
    let scenes = |what: &str, ids: &[String]| Step {
        args: ["scenes", what].map(str::to_owned).into_iter().chain(ids.iter().cloned()).collect(),
        idle: 0.0,
    };
    vec![
        step(&["ingest", "--batch-days", "2"], &first, 0.0),
        step(&["compute", "geomedian_annual"], &[], 0.0),
        step(&["compute", "ndvi_annual"], &[], 0.0),
        step(&["ingest", "--bulk"], &second, 0.0),
        step(&["compute", "geomedian_annual"], &[], 0.0),
        step(&["compute", "ndvi_annual"], &[], 0.0),
        scenes("archive", &archived),
        scenes("restore", &archived[..2]),
        step(&["compact", "--all"], &[], 0.0),
        step(&["gc", "--keep", "0d", "--grace", "3s"], &[], 3.0),
    ]
}

/// The commits, oldest first, as they are the same in two cubes: kind, and what it counts.
fn commits(cube: &TestCube) -> Vec<String> {
    let rows = cube.json(&["snapshots", "list", "--limit", "1000"]);
    let mut rows = rows.as_array().unwrap().clone();
    rows.reverse();
    rows.iter()
        .map(|row| {
            let mut summary: Value = serde_json::from_str(row["summary"].as_str().unwrap()).unwrap();
            if let Some(map) = summary.as_object_mut() {
                map.retain(|k, _| !["bytes", "seconds", "run"].contains(&k.as_str()));
            }
            format!("{} {} {summary}", row["n"], row["kind"])
        })
        .collect()
}

/// The undisturbed cube.
struct Calm {
    /// Kept, for it is read again and again.
    _archive: Archive,
    empty: TestCube,
    cube: TestCube,
    steps: Vec<Step>,
    /// Seconds each step took.
    seconds: Vec<f64>,
    commits: Vec<String>,
    digests: Option<Vec<String>>,
    /// What readers ask throughout, and what is compared in the end.
    watched: Vec<String>,
    compared: Vec<String>,
    answers: BTreeMap<String, String>,
}

impl Calm {
    fn run() -> Self {
        let archive = Archive::of("2019-2021", 96);
        let (empty, steps) = (archive.cube(), life(&archive));
        let cube = copied(&empty);
        let mut seconds = Vec::new();
        // Not the last: every snapshot is asked for later.
        for step in &steps[..steps.len() - 1] {
            let started = Instant::now();
            cube.ok(&step.args);
            seconds.push(started.elapsed().as_secs_f64());
        }
        let collected = copied(&cube);
        let started = Instant::now();
        collected.ok(&steps[steps.len() - 1].args);
        seconds.push(started.elapsed().as_secs_f64());
        collected.is_sound();
        cube.is_sound();
        let server = Server::start(&cube);
        let area = bounds(&server);
        let mut random = Random(99);
        let mut watched: Vec<String> = (0..3).map(|_| series_of(&mut random, area)).collect();
        watched.extend(dates());
        let listed = server.json("v1/products/landsat_c2_sr/dates");
        let day = listed["dates"][2]["label"].as_str().unwrap().to_owned();
        watched.extend(tiles("landsat_c2_sr", area, &[8, 12], &day));
        watched.extend(tiles("geomedian_annual", area, &[12], "2020"));
        watched.extend(zone_tables(&[("ndvi_annual", "ndvi")]));
        let mut compared: Vec<String> = (0..60).map(|_| series_of(&mut random, area)).collect();
        compared.extend(zone_tables(&[("geomedian_annual", "red"), ("geomedian_annual", "count")]));
        compared.extend(watched.iter().cloned());
        let answers = ask(&server, &compared);
        assert!(answers.values().all(|a| a.starts_with('2')), "{answers:#?}");
        let digests = python_with("zarr").then(|| derived_digests(&cube));
        Self {
            _archive: archive,
            commits: commits(&cube),
            empty,
            steps,
            seconds,
            digests,
            watched,
            compared,
            answers,
            cube,
        }
    }
}

/// Nothing is wrong but what an interrupted run left.
#[track_caller]
fn only_leftovers(cube: &TestCube, about: &str) {
    let check = cube.run(&["--json", "check"]);
    let report = check.json();
    let faults = report["faults"].as_array().unwrap();
    let wrong: Vec<&Value> = faults.iter().filter(|f| f["kind"] != "leftover").collect();
    assert!(wrong.is_empty(), "{about}: {:#?}", &wrong[..wrong.len().min(5)]);
    assert_eq!(check.code, Some(i32::from(!faults.is_empty())), "{about}: {check:#?}");
}

#[test]
fn killed_anywhere_and_run_again_it_is_the_undisturbed_cube() {
    let calm = Calm::run();
    let reference = Server::start(&calm.cube);
    let mut random = Random(0x7e5e1a);
    let (mut kills, mut rounds, started) = (BTreeMap::<String, usize>::new(), 0, Instant::now());
    let (mut asked, mut snapshots) = (0, BTreeSet::new());
    let mut expected: BTreeMap<(String, u64), String> = BTreeMap::new();
    while kills.values().sum::<usize>() < KILLS && started.elapsed() < LONGEST {
        let cube = copied(&calm.empty);
        let server = Server::start(&cube);
        let watch = Watch::new(calm.watched.clone());
        std::thread::scope(|scope| {
            let _stop = watch.stopper();
            scope.spawn(|| watch.run(0, &server));
            for (step, seconds) in calm.steps.iter().zip(&calm.seconds) {
                let mut child =
                    cube.command(&step.args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                // With a reader beside it, a run takes longer than it did alone.
                let busy = (seconds - step.idle) * 1.3;
                let at = random.share() * busy + if random.share() < 0.2 { 0.0 } else { step.idle };
                std::thread::sleep(Duration::from_secs_f64(at));
                child.kill().unwrap();
                let name = step
                    .args
                    .iter()
                    .take_while(|a| !a.starts_with('/') && !a.starts_with('L'))
                    .cloned()
                    .collect::<Vec<_>>()
                    .join(" ");
                let about = format!("round {rounds}, {name} killed after {at:.3} s of {seconds:.3}");
                if child.wait().unwrap().code().is_none() {
                    *kills.entry(name).or_default() += 1;
                }
                only_leftovers(&cube, &about);
                let again = cube.run(&step.args);
                assert_eq!(again.code, Some(0), "{about}: {again:#?}");
                let check = cube.run(&["check"]);
                assert_eq!(check.code, Some(0), "{about}, run again: {check:#?}");
            }
            watch.wait_for(watch.round());
        });
        let seen = watch.ended();
        asked += seen.asked;
        assert_eq!(commits(&cube), calm.commits, "round {rounds}");
        if let Some(digests) = &calm.digests {
            assert_eq!(*digests, derived_digests(&cube), "round {rounds}");
        }
        all_same(&format!("round {rounds}"), &calm.answers, &ask(&server, &calm.compared));
        // What readers saw at any moment is what the undisturbed cube had at that commit: no mixtures.
        for ((question, n), answer) in &seen.answers {
            snapshots.insert(*n);
            let known = expected.entry((question.clone(), *n)).or_insert_with(|| {
                let answer = reference.get(&pinned(question, *n));
                plain(&reference, &answer)
            });
            same(&format!("round {rounds}, {question} at {n}"), known, answer);
        }
        rounds += 1;
    }
    let all: usize = kills.values().sum();
    eprintln!(
        "{all} kills in {rounds} rounds, {:.0} s: {kills:?}; {asked} answers at {} of {} snapshots",
        started.elapsed().as_secs_f64(),
        snapshots.len(),
        calm.commits.len()
    );
    assert!(all >= KILLS, "{all} kills: {kills:?}");
}

/// Objects in the store that are whole.
fn whole_objects(cube: &TestCube) -> Vec<PathBuf> {
    let files = files_under(&cube.store()).into_iter().map(|(path, _)| path);
    files.filter(|p| !p.to_str().unwrap().contains("/.tmp-")).collect()
}

#[test]
fn units_of_a_killed_ingest_are_taken_as_they_are() {
    let archive = Archive::of("2016-2020", 128);
    let calm = archive.cube();
    let args = ["ingest", "--bulk", "--threads", "1", &archive.path()];
    let whole = calm.json(&args);
    compute(&calm);
    let cube = archive.cube();
    // Each run is killed when a unit more is there.
    for run in 0..3 {
        let before = whole_objects(&cube).len();
        let mut child = cube.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let started = Instant::now();
        while whole_objects(&cube).len() <= before {
            assert!(started.elapsed() < Duration::from_secs(60), "no progress");
            assert!(child.try_wait().unwrap().is_none(), "run {run} ended before it was killed");
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(40));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "run {run} ended before it was killed");
        only_leftovers(&cube, &format!("run {run}"));
        assert_eq!(cube.product("landsat_c2_sr")["slots"], 0);
    }
    // What another hand has spoiled since is not taken.
    let spoiled = copied(&cube);
    let object =
        whole_objects(&spoiled).into_iter().find(|p| p.to_str().unwrap().contains("/red/c/")).unwrap();
    let mut bytes = std::fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, bytes).unwrap();
    let resumed = [&cube, &spoiled].map(|cube| {
        let report = cube.json(&args);
        assert_eq!((&report["added"], &report["slots"]), (&whole["added"], &whole["slots"]), "{report:#}");
        cube.is_sound();
        compute(cube);
        cube.is_sound();
        if python_with("zarr") {
            assert_eq!(derived_digests(cube), derived_digests(&calm));
        }
        report["resumed"].as_u64().unwrap()
    });
    assert!(resumed[0] >= 2 && resumed[1] == resumed[0] - 1, "{resumed:?}");
    eprintln!("units taken as they were, and with one spoiled: {resumed:?}");
}

#[test]
fn units_of_a_killed_ingest_that_nobody_takes_go_away() {
    let archive = Archive::of("2016-2020", 128);
    let cube = archive.cube();
    let bulk = ["ingest", "--bulk", "--threads", "1", &archive.path()];
    let mut child = cube.command(&bulk).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while whole_objects(&cube).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(60), "no progress");
        std::thread::sleep(Duration::from_millis(2));
    }
    std::thread::sleep(Duration::from_millis(40));
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "it ended before it was killed");
    only_leftovers(&cube, "killed");
    let left = whole_objects(&cube);
    // The same scenes another way: other units.
    cube.ok(&["ingest", "--batch-days", "8", &archive.path()]);
    assert!(left.iter().all(|object| !object.exists()));
    cube.is_sound();
    assert_eq!(cube.json(&bulk)["added"], 0);
}
