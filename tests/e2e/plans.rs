//! `plan`, `work` and `commit` by several processes that are killed at random: no reader sees anything before the
//! commit, nothing half of it ever, and what comes out are the bytes of one undisturbed `compute`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::answers::{
    Random, Watch, bounds, dates, pinned, plain, same, series_of, tiles, zone_tables,
};
use crate::harness::archive::{Archive, copied};
use crate::harness::{Server, TestCube, files_under};

/// Kills in all, at least; of each command, at least.
const KILLS: usize = 30;
const OF_EACH: usize = 3;
/// No further round begins after so long.
const LONGEST: Duration = Duration::from_secs(75);
/// Workers of a plan.
const WORKERS: usize = 3;
const RECIPES: [&str; 2] = ["geomedian_annual", "ndvi_annual"];

/// Chunks of derived products by name, without the run that wrote them: of one run only.
fn derived(cube: &TestCube) -> BTreeMap<PathBuf, Vec<u8>> {
    let root = cube.store().join("derived");
    let mut found = BTreeMap::new();
    for (file, _) in files_under(&root) {
        let name: Vec<_> = file.strip_prefix(&root).unwrap().iter().collect();
        assert!(
            !file.file_name().unwrap().to_str().unwrap().starts_with(".tmp-"),
            "{} is left",
            file.display()
        );
        if file.to_str().unwrap().contains("/c/") {
            let name: PathBuf = name[..2].iter().chain(&name[3..]).collect();
            assert!(
                found.insert(name, std::fs::read(&file).unwrap()).is_none(),
                "{} of two runs",
                file.display()
            );
        }
    }
    found
}

fn latest(cube: &TestCube) -> u64 {
    cube.json(&["snapshots", "list", "--limit", "1"])[0]["n"].as_u64().unwrap()
}

fn spawn(cube: &TestCube, args: &[&str]) -> Child {
    cube.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills a process after a while; whether it was still alive.
fn killed(mut child: Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().code().is_none()
}

/// The plans there are.
fn plans(cube: &TestCube) -> Vec<String> {
    let list = cube.json(&["plan", "list"]);
    list.as_array().unwrap().iter().map(|p| p["plan"].as_str().unwrap().to_owned()).collect()
}

/// Seconds of each command of a plan, undisturbed.
struct Paces {
    plan: f64,
    work: f64,
    commit: f64,
}

/// A plan, worked by one and committed.
fn undisturbed(cube: &TestCube, recipe: &str) -> Paces {
    let timed = |args: &[&str]| {
        let started = Instant::now();
        cube.ok(args);
        started.elapsed().as_secs_f64()
    };
    let plan_s = timed(&["plan", recipe]);
    let plan = plans(cube).remove(0);
    Paces { plan: plan_s, work: timed(&["work", &plan, "--all"]), commit: timed(&["commit", &plan]) }
}

/// What was killed, by command.
type Kills = BTreeMap<&'static str, usize>;

/// One recipe through plan, work and commit, each killed again and again.
fn disturbed(cube: &TestCube, recipe: &str, paces: &Paces, random: &mut Random, kills: &mut Kills) {
    let mut pause = |most: f64| std::thread::sleep(Duration::from_secs_f64(random.share() * most));
    let mut note = |what: &'static str, killed: bool| *kills.entry(what).or_default() += usize::from(killed);
    let before = latest(cube);
    let plan = loop {
        let child = spawn(cube, &["plan", recipe]);
        pause(paces.plan * 1.1);
        note("plan", killed(child));
        // Killed when it was done, it left a plan.
        if let [plan] = &plans(cube)[..] {
            break plan.clone();
        }
    };
    // Each a share, one of them twice, and one that takes whatever is left.
    let shares: Vec<String> = (0..WORKERS).map(|i| format!("{i}/{WORKERS}")).collect();
    let workers = || -> Vec<Child> {
        let mut all: Vec<Child> =
            shares.iter().chain([&shares[1]]).map(|s| spawn(cube, &["work", &plan, "--index", s])).collect();
        all.push(spawn(cube, &["work", &plan, "--all"]));
        all
    };
    for round in 0..3 {
        for child in workers() {
            // Five of them, one after the other: in all they live about as long as one that does everything.
            pause(paces.work * 0.3);
            note("work", killed(child));
        }
        assert_eq!(latest(cube), before, "work is seen by nobody");
        let state = cube.json(&["plan", "list"])[0].clone();
        if round == 1 && state["done"] != state["units"] {
            cube.is_sound();
            cube.fails(&["commit", &plan]).says(&["units are not done", "tesela work"]);
        }
    }
    for mut child in workers() {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(latest(cube), before, "nothing is seen before the commit");
    loop {
        // A worker that comes late finds everything done, or committed, or the plan gone.
        let late = spawn(cube, &["work", &plan, "--all"]);
        let child = spawn(cube, &["commit", &plan]);
        pause(paces.commit * 1.1);
        note("commit", killed(child));
        late.wait_with_output().unwrap();
        if plans(cube).is_empty() {
            break;
        }
        cube.is_sound();
    }
}

#[test]
fn killed_processes_of_a_plan_leave_what_one_compute_makes() {
    let archive = Archive::of("2019-2020", 400);
    let base = archive.cube();
    base.ok(&["ingest", "--bulk", &archive.path()]);
    let calm = copied(&base);
    for recipe in RECIPES {
        calm.ok(&["compute", recipe]);
    }
    calm.is_sound();
    let expected = derived(&calm);
    let tiles_of = |name: &str| expected.keys().filter(|k| k.starts_with(name)).count();
    assert!(
        tiles_of("geomedian_annual/2020") > 0 && tiles_of("ndvi_annual/2020/ndvi/c") >= 4,
        "{:?}",
        expected.keys()
    );
    let paced = copied(&base);
    let paces = RECIPES.map(|recipe| undisturbed(&paced, recipe));
    assert!(derived(&paced) == expected, "a plan makes other bytes than compute");

    let reference = Server::start(&calm);
    let area = bounds(&reference);
    let mut random = Random(0x91a5);
    let mut watched: Vec<String> = (0..3).map(|_| series_of(&mut random, area)).collect();
    watched.extend(dates());
    watched.extend(tiles("geomedian_annual", area, &[11, 12], "2020"));
    watched.extend(zone_tables(&[("ndvi_annual", "ndvi")]));
    let (mut kills, started, mut rounds, mut asked) = (Kills::new(), Instant::now(), 0, 0);
    let enough = |kills: &Kills| {
        kills.values().sum::<usize>() >= KILLS
            && ["plan", "work", "commit"].iter().all(|c| kills.get(c) >= Some(&OF_EACH))
    };
    while !enough(&kills) && started.elapsed() < LONGEST {
        let cube = copied(&base);
        let server = Server::start(&cube);
        let watch = Watch::new(watched.clone());
        std::thread::scope(|scope| {
            let _stop = watch.stopper();
            scope.spawn(|| watch.run(0, &server));
            for (recipe, paces) in RECIPES.iter().zip(&paces) {
                disturbed(&cube, recipe, paces, &mut random, &mut kills);
            }
            watch.wait_for(watch.round());
        });
        let seen = watch.ended();
        asked += seen.asked;
        cube.is_sound();
        assert!(derived(&cube) == expected, "round {rounds}: other bytes than an undisturbed compute");
        assert_eq!(latest(&cube), latest(&calm));
        let left = files_under(&cube.path("cube/plans"));
        assert!(left.is_empty(), "round {rounds}: {left:?}");
        // Each answer is that of the undisturbed cube at the same commit: no mixtures.
        for ((question, n), answer) in &seen.answers {
            let known = plain(&reference, &reference.get(&pinned(question, *n)));
            same(&format!("round {rounds}, {question} at {n}"), &known, answer);
        }
        rounds += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("{kills:?} killed in {rounds} rounds, {seconds:.0} s; {asked} answers");
    assert!(enough(&kills), "{kills:?} in {seconds:.0} s");
}

#[test]
fn a_plan_cannot_be_dropped_under_a_worker() {
    let archive = Archive::of("2019-2020", 128);
    let cube = archive.cube();
    cube.ok(&["ingest", "--bulk", &archive.path()]);
    let files = files_under(&cube.store()).len();
    let plan = cube.json(&["plan", "geomedian_annual"])["plan"].as_str().unwrap().to_owned();
    let mut worker = spawn(&cube, &["work", &plan, "--all", "--threads", "1"]);
    let started = Instant::now();
    while !cube.path("cube/plans").join(&plan).join("plan.lock").exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "no progress");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(20));
    // Stopped, it keeps the plan for as long as the test needs.
    let pid = worker.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    assert!(worker.try_wait().unwrap().is_none(), "it ended before it was stopped");
    cube.fails(&["plan", "drop", &plan]).says(&[&plan, "being worked", "wait for it"]);
    let collected = cube.json(&["gc", "--keep", "0d", "--grace", "0s"]);
    assert_eq!(collected["plans"], serde_json::json!([]), "{collected:#}");
    worker.kill().unwrap();
    worker.wait().unwrap();
    cube.is_sound();
    // Not older than what is kept, it stays; else it goes, and all that it left.
    assert_eq!(cube.json(&["gc", "--keep", "1d", "--grace", "0s"])["plans"], serde_json::json!([]));
    let collected = cube.json(&["gc", "--keep", "0d", "--grace", "0s", "--dry-run"]);
    assert_eq!(collected["plans"], serde_json::json!([plan]));
    cube.ok(&["gc", "--keep", "0d", "--grace", "0s"]).says(&["abandoned plans dropped", &plan]);
    assert!(plans(&cube).is_empty());
    assert_eq!(files_under(&cube.store()).len(), files);
    cube.is_sound();
    cube.fails(&["work", &plan, "--all"]).says(&["no plan", &plan]);
}
