//! Objects damaged and deleted: `repair` makes them again as they were, says what it cannot, and may be killed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::answers::{Random, all_same, ask, bounds, dates, series_of, tiles, zone_tables};
use crate::harness::archive::{Archive, DERIVED, compute, copied, derived_digests};
use crate::harness::{Server, TestCube, copy_folder, files_under, python_with, run_python};

/// A cube with recent groups, archive blocks, overviews and rasters, its own copies of the sources, and what it says.
struct Prepared {
    _archive: Archive,
    cube: TestCube,
    questions: Vec<String>,
    answers: BTreeMap<String, String>,
    digests: Option<Vec<String>>,
}

impl Prepared {
    fn new() -> Self {
        let archive = Archive::of("2018-2020", 96);
        let cube = archive.cube();
        let sources = cube.path("sources");
        let scenes: Vec<String> = archive
            .scenes()
            .iter()
            .map(|scene| {
                let to = sources.join(scene.file_name().unwrap());
                copy_folder(scene, &to, |_| true);
                to.to_str().unwrap().to_owned()
            })
            .collect();
        let (early, late) = scenes.split_at(scenes.len() / 2);
        let ingest = |how: &[&str], scenes: &[String]| {
            let how: Vec<String> = how.iter().map(|a| (*a).to_owned()).collect();
            cube.ok(&[vec!["ingest".to_owned()], how, scenes.to_vec()].concat());
        };
        ingest(&["--bulk"], early);
        ingest(&["--batch-days", "3"], late);
        compute(&cube);
        cube.is_sound();
        let server = Server::start(&cube);
        let questions = questions(&server);
        let answers = ask(&server, &questions);
        let digests = python_with("zarr").then(|| derived_digests(&cube));
        Self { _archive: archive, cube, questions, answers, digests }
    }

    /// The cube answers as it did before any damage.
    #[track_caller]
    fn as_before(&self, cube: &TestCube, about: &str) {
        let server = Server::start(cube);
        all_same(about, &self.answers, &ask(&server, &self.questions));
        if let Some(digests) = &self.digests {
            assert_eq!(*digests, derived_digests(cube), "{about}");
        }
    }
}

fn questions(server: &Server) -> Vec<String> {
    let area = bounds(server);
    let mut random = Random(41);
    let mut all: Vec<String> = (0..25).map(|_| series_of(&mut random, area)).collect();
    all.extend(dates());
    all.extend(zone_tables(&[("geomedian_annual", "nir"), ("ndvi_annual", "ndvi")]));
    let json = server.json("v1/products/landsat_c2_sr/dates");
    for day in json["dates"].as_array().unwrap() {
        all.extend(tiles("landsat_c2_sr", area, &[6, 8, 10, 12, 14], day["label"].as_str().unwrap()));
    }
    for product in DERIVED {
        let json = server.json(&format!("v1/products/{product}/dates"));
        for year in json["dates"].as_array().unwrap() {
            all.extend(tiles(product, area, &[7, 10, 13], &year["label"].as_str().unwrap()[..4]));
        }
    }
    all
}

/// Objects by what they are.
fn objects(cube: &TestCube) -> BTreeMap<&'static str, Vec<PathBuf>> {
    let mut found: BTreeMap<&'static str, Vec<PathBuf>> = BTreeMap::new();
    let mut forms: BTreeMap<PathBuf, bool> = BTreeMap::new();
    let store = cube.store();
    for (path, _) in files_under(&store) {
        let name = path.strip_prefix(&store).unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = name.split('/').collect();
        let group = store.join(parts[..4].join("/"));
        let archive = *forms.entry(group.clone()).or_insert_with(|| {
            std::fs::read_to_string(group.join("zarr.json"))
                .is_ok_and(|t| t.contains("\"tesela_form\"") && t.contains("\"archive\""))
        });
        let kind = match (parts[0], parts[2]) {
            _ if parts.last() == Some(&"zarr.json") && parts.len() == 5 => "metadata of a group",
            _ if parts.last() == Some(&"zarr.json") => "metadata of an array",
            _ if ["time", "x", "y"].contains(&parts[4]) => "axis",
            ("scenes", "mosaic") => "overviews",
            ("scenes", _) if archive && parts[4] == "overviews" => "levels of a block",
            ("scenes", _) if archive => "block",
            ("scenes", _) if parts[4] == "overviews" => "levels of slots",
            ("scenes", _) => "slots",
            ("derived", _) if parts[1] == "ndvi_annual" => "index",
            _ => "geomedian",
        };
        found.entry(kind).or_default().push(path);
    }
    assert_eq!(found.len(), 10, "{:?}", found.keys());
    found
}

fn flip(object: &Path) {
    let mut bytes = std::fs::read(object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    std::fs::remove_file(object).unwrap();
    std::fs::write(object, bytes).unwrap();
}

/// Damages one object of every kind and deletes another.
fn damage(cube: &TestCube, random: &mut Random) -> usize {
    let mut spoilt = BTreeSet::new();
    for (_, all) in objects(cube) {
        let pick = |random: &mut Random| all[(random.next() % all.len() as u64) as usize].clone();
        let first = pick(random);
        flip(&first);
        let second = pick(random);
        std::fs::remove_file(&second).unwrap();
        spoilt.extend([first, second]);
    }
    spoilt.len()
}

fn faults(cube: &TestCube) -> Vec<Value> {
    cube.run(&["--json", "check"]).json()["faults"].as_array().unwrap().clone()
}

fn latest(cube: &TestCube) -> u64 {
    cube.json(&["info"])["snapshot"].as_u64().unwrap()
}

#[test]
fn what_is_damaged_is_made_again_as_it_was() {
    let prepared = Prepared::new();
    let mut random = Random(77);
    for round in 0..3 {
        let cube = copied(&prepared.cube);
        let server = Server::start(&cube);
        let spoilt = damage(&cube, &mut random);
        let found =
            faults(&cube).iter().filter(|f| f["kind"].as_str().unwrap().starts_with("object_")).count();
        assert_eq!(found, spoilt, "round {round}");
        let report = cube.json(&["repair", "--grace", "0s"]);
        let all = report["faults"].as_array().unwrap();
        assert!(all.len() >= spoilt && all.iter().all(|f| f["outcome"] == "repaired"), "{report:#}");
        cube.is_sound();
        assert_eq!(latest(&cube), latest(&prepared.cube), "a repair is no snapshot");
        prepared.as_before(&cube, &format!("round {round}"));
        all_same("the server that ran", &prepared.answers, &ask(&server, &prepared.questions));
        // Nothing is left to do, and nothing is done.
        let again = cube.json(&["repair", "--grace", "0s"]);
        assert_eq!((&again["groups"], again["faults"].as_array().unwrap().len()), (&0.into(), 0));
        assert_eq!(cube.json(&["ingest", cube_sources(&prepared).to_str().unwrap()])["added"], 0);
    }
}

fn cube_sources(prepared: &Prepared) -> PathBuf {
    prepared.cube.path("sources")
}

#[test]
fn without_sources_it_does_what_it_can_and_names_the_file() {
    let prepared = Prepared::new();
    let cube = copied(&prepared.cube);
    let (sources, hidden) = (cube_sources(&prepared), prepared.cube.path("hidden"));
    std::fs::rename(&sources, &hidden).unwrap();
    // Everything but level 0 of slots comes from what is whole.
    let all = objects(&cube);
    for kind in ["levels of slots", "levels of a block", "overviews", "geomedian", "index", "axis"] {
        flip(&all[kind][all[kind].len() / 2]);
    }
    let report = cube.json(&["repair", "--grace", "0s"]);
    assert!(report["groups"].as_u64() > Some(4), "{report:#}");
    cube.is_sound();
    prepared.as_before(&cube, "without sources");

    let all = objects(&cube);
    let (slot, block) = (&all["slots"][7], &all["block"][3]);
    flip(slot);
    std::fs::remove_file(block).unwrap();
    let outcome = cube.run(&["repair", "--grace", "0s"]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    let told: Vec<&str> = outcome.stdout.lines().filter(|l| l.starts_with("cannot")).collect();
    assert_eq!(told.len(), 2, "{outcome:#?}");
    assert!(told.iter().all(|l| l.contains("sources/") && l.contains("is missing")), "{told:#?}");
    assert_eq!(faults(&cube).len(), 2, "nothing else changed");
    std::fs::rename(&hidden, &sources).unwrap();
    cube.ok(&["repair", "--grace", "0s"]);
    cube.is_sound();
    prepared.as_before(&cube, "with sources");
}

#[test]
fn sources_that_changed_are_taken_only_when_told_to() {
    let prepared = Prepared::new();
    let cube = copied(&prepared.cube);
    // Red and near infrared of every scene change places.
    for scene in std::fs::read_dir(cube_sources(&prepared)).unwrap().map(|e| e.unwrap().path()) {
        let id = scene.file_name().unwrap().to_str().unwrap();
        let (red, nir) = if id.starts_with("LC") { ("4", "5") } else { ("3", "4") };
        let band = |n: &str| scene.join(format!("{id}_SR_B{n}.TIF"));
        if band(red).exists() && band(nir).exists() {
            std::fs::rename(band(red), scene.join("aside")).unwrap();
            std::fs::rename(band(nir), band(red)).unwrap();
            std::fs::rename(scene.join("aside"), band(nir)).unwrap();
        }
    }
    let all = objects(&cube);
    // Every date of one group.
    let red = |p: &&PathBuf| p.to_str().unwrap().contains("/red/c/");
    let group = |p: &Path| p.to_str().unwrap().split("/red/c/").next().unwrap().to_owned();
    let first = group(all["slots"].iter().find(red).unwrap());
    let slots: Vec<&PathBuf> = all["slots"].iter().filter(red).filter(|p| group(p) == first).collect();
    slots.iter().for_each(|p| flip(p));
    // The overviews of their days cannot be made as they were either.
    all["overviews"].iter().filter(|p| p.to_str().unwrap().contains("/red/c/")).for_each(|p| flip(p));
    let before = latest(&cube);
    let outcome = cube.run(&["repair", "--grace", "0s"]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    outcome.says(&["cannot", "--accept-changed", "differ from what was recorded", "are damaged themselves"]);
    let left = faults(&cube);
    let of_slots = left.iter().filter(|f| !f["what"].as_str().unwrap().contains("/mosaic/")).count();
    assert!((latest(&cube), of_slots) == (before, slots.len()) && left.len() > of_slots, "{left:#?}");
    let report = cube.json(&["repair", "--accept-changed", "--grace", "0s"]);
    let outcomes = report["faults"].as_array().unwrap();
    assert!(outcomes.iter().all(|f| f["outcome"] == "changed"), "{report:#}");
    assert_eq!(latest(&cube), before + 1, "the overviews came with the slots");
    {
        // Days that no changed slot is of look as they did, at every level.
        let server = Server::start(&cube);
        let now = ask(&server, &prepared.questions);
        let same = |q: &&String| q.contains("landsat_c2_sr") && q.starts_with("tiles/");
        let asked: Vec<&String> = prepared.questions.iter().filter(same).collect();
        let differ = asked.iter().filter(|q| now[**q] != prepared.answers[**q]).count();
        assert!(differ > 0 && differ < asked.len() / 3, "{differ} of {} tiles changed", asked.len());
    }
    assert!(!cube.json(&["info"])["stale"].as_array().unwrap().is_empty());
    compute(&cube);
    cube.ok(&["gc", "--keep", "0d", "--grace", "0s"]);
    cube.is_sound();
}

#[test]
fn a_group_that_lost_dates_is_made_again_without_them() {
    let prepared = Prepared::new();
    let cube = copied(&prepared.cube);
    // Some scenes go, and their dates with them.
    let listed = cube.json(&["scenes", "list", "--limit", "0"]);
    let ids: Vec<&str> = listed.as_array().unwrap().iter().map(|s| s["id"].as_str().unwrap()).collect();
    let mut args = vec!["scenes", "archive"];
    args.extend(ids.iter().step_by(4));
    cube.ok(&args);
    compute(&cube);
    cube.ok(&["gc", "--keep", "0d", "--grace", "0s"]);
    cube.is_sound();
    let questions = &prepared.questions;
    let known = ask(&Server::start(&cube), questions);
    let mut random = Random(9);
    for round in 0..2 {
        damage(&cube, &mut random);
        cube.ok(&["repair", "--grace", "0s"]);
        cube.is_sound();
        all_same(&format!("round {round}"), &known, &ask(&Server::start(&cube), questions));
    }
}

#[test]
fn killed_it_leaves_all_as_it_was_and_is_run_again() {
    let prepared = Prepared::new();
    let mut random = Random(0xdead);
    let cube = copied(&prepared.cube);
    damage(&cube, &mut random);
    let known: BTreeSet<String> = faults(&cube).iter().map(|f| f["what"].as_str().unwrap().into()).collect();
    let calm = copied(&cube);
    let started = Instant::now();
    calm.ok(&["repair", "--grace", "0s"]);
    let seconds = started.elapsed().as_secs_f64();
    let mut kills = 0;
    for _ in 0..8 {
        let mut command = cube.command(&["repair", "--grace", "0s"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(random.share() * seconds));
        child.kill().unwrap();
        kills += usize::from(child.wait().unwrap().code().is_none());
        let strange: Vec<Value> = faults(&cube)
            .into_iter()
            .filter(|f| f["kind"] != "leftover" && !known.contains(f["what"].as_str().unwrap()))
            .collect();
        assert!(strange.is_empty(), "{strange:#?}");
    }
    assert!(kills > 3, "{kills} kills in {seconds:.2} s");
    cube.ok(&["repair", "--grace", "0s"]);
    cube.is_sound();
    assert_eq!(latest(&cube), latest(&prepared.cube));
    prepared.as_before(&cube, "after the kills");
    eprintln!("{kills} kills; a repair takes {seconds:.2} s");
}

/// As an earlier version that made them otherwise would have left them: the recorded digests are of other bytes.
#[test]
fn overviews_that_come_out_otherwise_are_taken_only_when_told_to() {
    if !python_with("sqlite3") {
        return;
    }
    let prepared = Prepared::new();
    let cube = copied(&prepared.cube);
    let all = objects(&cube);
    let overview = all["overviews"].iter().find(|p| p.to_str().unwrap().contains("/red/c/")).unwrap();
    let key = overview.strip_prefix(cube.store()).unwrap().to_str().unwrap().to_owned();
    flip(overview);
    let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n\
                  n = db.execute('update objects set digest = ? where key = ?', ('0' * 64, sys.argv[2])).rowcount\n\
                  assert n == 1, n\ndb.commit()";
    run_python(script, &[cube.index().to_str().unwrap().to_owned(), key]);
    let before = latest(&cube);
    let outcome = cube.run(&["repair", "--grace", "0s"]);
    assert_eq!(outcome.code, Some(1), "{outcome:#?}");
    outcome.says(&["cannot", "differ from what was recorded", "--accept-changed"]);
    assert_eq!((latest(&cube), faults(&cube).len()), (before, 1));
    let report = cube.json(&["repair", "--accept-changed", "--grace", "0s"]);
    assert_eq!(report["faults"][0]["outcome"], "changed", "{report:#}");
    assert_eq!(latest(&cube), before + 1);
    // What is made now is what there was: only the record was another. Nothing derived depends on it.
    prepared.as_before(&cube, "overviews of now");
    assert!(cube.json(&["info"])["stale"].as_array().unwrap().is_empty());
    cube.ok(&["gc", "--keep", "0d", "--grace", "0s"]);
    cube.is_sound();
}

/// As versions before left it where a later processing met fewer tiles: the scene has gone, its pixels have not.
#[test]
fn slots_of_scenes_that_have_gone_are_fused_again() {
    if !python_with("sqlite3") {
        return;
    }
    let archive = Archive::of("2019-2020", 96);
    let (cube, never) = (archive.cube(), archive.cube());
    cube.ok(&["ingest", &archive.path()]);
    compute(&cube);
    let rows = cube.json(&["scenes", "list", "--limit", "0"]);
    let ids: Vec<String> =
        rows.as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
    // One of a day of two, and both of another.
    let day = |id: &str| id.split('_').nth(3).unwrap().to_owned();
    let pairs: Vec<&[String]> = ids.chunk_by(|a, b| day(a) == day(b)).filter(|d| d.len() == 2).collect();
    let gone = [&pairs[0][0], &pairs[1][0], &pairs[1][1]];
    let script = "import sqlite3, sys\ndb = sqlite3.connect(sys.argv[1])\n\
                  for scene in sys.argv[2:]:\n    \
                  db.execute('update scenes set retired = (select max(n) from snapshots) where product_id = ?', (scene,))\n\
                  db.commit()";
    let index = cube.index();
    let mut args = vec![index.to_str().unwrap().to_owned()];
    args.extend(gone.iter().map(|id| (*id).clone()));
    run_python(script, &args);
    let found = faults(&cube);
    assert!(found.iter().any(|f| f["kind"] == "slot_outdated"), "{found:#?}");
    let before = latest(&cube);
    let report = cube.json(&["repair", "--grace", "0s"]);
    let outdated = |f: &&Value| f["kind"] == "slot_outdated";
    let mended: Vec<&Value> = report["faults"].as_array().unwrap().iter().filter(outdated).collect();
    assert!(!mended.is_empty() && mended.iter().all(|f| f["outcome"] == "changed"), "{report:#}");
    assert_eq!(latest(&cube), before + 1);
    cube.is_sound();
    compute(&cube);
    let others: Vec<String> = archive
        .scenes()
        .iter()
        .filter(|s| gone.iter().all(|id| !s.ends_with(id)))
        .map(|s| s.to_str().unwrap().to_owned())
        .collect();
    never.ok(&[vec!["ingest".to_owned()], others].concat());
    compute(&never);
    let (server, other) = (Server::start(&cube), Server::start(&never));
    let questions = questions(&other);
    all_same("as if they had never come", &ask(&other, &questions), &ask(&server, &questions));
}
