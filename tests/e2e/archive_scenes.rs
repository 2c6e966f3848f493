//! Scenes that the operator takes out: nothing shows them from then on, as if they had never come; earlier snapshots do;
//! no ingest brings them back, a restore does. And a scene that was processed again and covers less than before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::harness::answers::{Random, all_same, ask, ask_at, bounds, dates, series_of, tiles, zone_tables};
use crate::harness::archive::{Archive, DERIVED, compute, derived_digests};
use crate::harness::{Server, TestCube, python_with};

/// The USGS identifier of a scene folder.
pub fn id(scene: &Path) -> String {
    scene.file_name().unwrap().to_str().unwrap().to_owned()
}

fn texts(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|p| p.to_str().unwrap().to_owned()).collect()
}

pub fn ingest(cube: &TestCube, scenes: &[PathBuf]) -> Value {
    cube.json(&[vec!["ingest".to_owned(), "--batch-days".to_owned(), "4".to_owned()], texts(scenes)].concat())
}

fn latest(cube: &TestCube) -> u64 {
    cube.json(&["info"])["snapshot"].as_u64().unwrap()
}

pub fn listed(cube: &TestCube, more: &[&str]) -> Vec<String> {
    let rows = cube.json(&[&["scenes", "list", "--limit", "0"][..], more].concat());
    rows.as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
}

/// Questions about the whole and about random places, on every date there ever was.
pub fn questions(server: &Server, seed: u64) -> Vec<String> {
    let area = bounds(server);
    let mut random = Random(seed);
    let mut all: Vec<String> = (0..30).map(|_| series_of(&mut random, area)).collect();
    all.extend(dates());
    all.extend(zone_tables(&[("geomedian_annual", "nir"), ("ndvi_annual", "ndvi")]));
    let json = server.json("v1/products/landsat_c2_sr/dates");
    for day in json["dates"].as_array().unwrap() {
        all.extend(tiles("landsat_c2_sr", area, &[7, 10, 13], day["label"].as_str().unwrap()));
    }
    for product in DERIVED {
        let json = server.json(&format!("v1/products/{product}/dates"));
        for year in json["dates"].as_array().unwrap() {
            all.extend(tiles(product, area, &[9, 12], &year["label"].as_str().unwrap()[..4]));
        }
    }
    all
}

#[track_caller]
pub fn same_derived(a: &TestCube, b: &TestCube) {
    if python_with("zarr") {
        assert_eq!(derived_digests(a), derived_digests(b));
    }
}

#[test]
fn an_archived_scene_is_as_if_it_had_never_come() {
    let archive = Archive::of("2018-2020", 96);
    let cube = archive.cube();
    let scenes = archive.scenes();
    ingest(&cube, &scenes);
    compute(&cube);
    let before = latest(&cube);
    cube.ok(&["snapshots", "tag", "before"]);
    let server = Server::start(&cube);
    let questions = questions(&server, 17);
    let known = ask_at(&server, &questions, before);

    // One scene of a day of two, a whole day, and all of the last year.
    let accepted = listed(&cube, &[]);
    let days: Vec<Vec<PathBuf>> = archive
        .days()
        .into_iter()
        .map(|day| day.into_iter().filter(|s| accepted.contains(&id(s))).collect::<Vec<_>>())
        .filter(|day| day.len() > 1)
        .collect();
    let mut out: Vec<String> = vec![id(&days[0][0]), id(&days[1][1])];
    out.extend(days[2].iter().map(|s| id(s)));
    out.extend(accepted.iter().filter(|s| s.split('_').nth(3).unwrap().starts_with("2020")).cloned());
    out.sort();
    out.dedup();
    let mut args = vec!["scenes", "archive", "--reason", "haze that no flag tells"];
    args.extend(out.iter().map(String::as_str));
    let report = cube.json(&args);
    assert_eq!(report["archived"].as_array().unwrap().len(), out.len(), "{report:#}");
    assert!(report["fused_slots"].as_u64() > Some(0) && report["emptied_slots"].as_u64() > Some(0));
    assert_eq!(latest(&cube), before + 1, "one snapshot");
    cube.is_sound();
    assert!(!cube.json(&["info"])["stale"].as_array().unwrap().is_empty());
    let again = cube.json(&args);
    assert_eq!(
        (&again["snapshot"], again["already"].as_array().unwrap().len()),
        (&report["snapshot"], out.len())
    );

    // What is listed, now and before.
    let left: Vec<String> = accepted.iter().filter(|s| !out.contains(s)).cloned().collect();
    assert_eq!(listed(&cube, &[]), left);
    assert_eq!(listed(&cube, &["--snapshot", "before"]), accepted);
    let mut archived = listed(&cube, &["--archived"]);
    archived.sort();
    assert_eq!(archived, out);
    assert!(listed(&cube, &["--archived", "--snapshot", &before.to_string()]).is_empty());
    assert!(cube.ok(&["scenes", "list", "--archived"]).stdout.contains("haze that no flag tells"));
    cube.fails(&["scenes", "show", &out[0]]).says(&[&out[0]]);
    cube.ok(&["scenes", "show", &out[0], "--snapshot", "before"]);

    // The nightly ingest leaves them out.
    let night = ingest(&cube, &scenes);
    assert_eq!(
        (&night["added"], night["archived"].as_u64()),
        (&0.into(), Some(out.len() as u64)),
        "{night:#}"
    );
    assert_eq!(latest(&cube), before + 1);

    // Computed anew, it is the cube that never had them.
    compute(&cube);
    cube.is_sound();
    let never = archive.cube();
    let others: Vec<PathBuf> = scenes.iter().filter(|s| !out.contains(&id(s))).cloned().collect();
    ingest(&never, &others);
    compute(&never);
    let other = Server::start(&never);
    let without = ask(&other, &questions);
    all_same("never ingested", &without, &ask(&server, &questions));
    same_derived(&cube, &never);
    let changed = without.iter().filter(|(q, a)| known[*q] != **a).count();
    assert!(changed > questions.len() / 10, "{changed} of {} changed", questions.len());
    assert!(cube.product("geomedian_annual")["periods"].as_array().unwrap().len() == 2, "2020 is gone");
    all_same("at the earlier snapshot", &known, &ask_at(&server, &questions, before));

    // Compacted and collected, all the same; then brought back.
    cube.ok(&["compact", "--all"]);
    cube.ok(&["gc", "--keep", "0d", "--grace", "0s"]);
    cube.is_sound();
    all_same("collected", &without, &ask(&server, &questions));
    all_same("collected, at the tag", &known, &ask_at(&server, &questions, before));
    let at = latest(&cube);
    let mut args = vec!["scenes", "restore"];
    args.extend(out.iter().map(String::as_str));
    let back = cube.json(&args);
    assert_eq!(back["from_source"].as_array().unwrap().len(), out.len(), "{back:#}");
    assert_eq!(latest(&cube), at + 1, "one snapshot");
    assert_eq!(listed(&cube, &[]), accepted);
    assert!(listed(&cube, &["--archived"]).is_empty());
    let again = cube.json(&args);
    assert_eq!(again["already"].as_array().unwrap().len(), out.len());
    assert_eq!(latest(&cube), at + 1);
    cube.is_sound();
    compute(&cube);
    all_same("restored", &known, &ask(&server, &questions));
    all_same("restored, at the tag", &known, &ask_at(&server, &questions, before));
    eprintln!(
        "{} of {} scenes archived, {changed} of {} answers changed",
        out.len(),
        accepted.len(),
        questions.len()
    );
}

/// A later processing of a scene: its names and metadata say so; `change` makes each file.
pub fn reprocessed(scene: &Path, to: &Path, date: &str, change: impl Fn(&Path, &Path)) -> PathBuf {
    let old = id(scene);
    let processed = old.split('_').nth(4).unwrap().to_owned();
    let new = old.replace(&format!("_{processed}_"), &format!("_{date}_"));
    let folder = to.join(&new);
    std::fs::create_dir_all(&folder).unwrap();
    for file in std::fs::read_dir(scene).unwrap().map(|e| e.unwrap().path()) {
        let target = folder.join(file.file_name().unwrap().to_str().unwrap().replace(&old, &new));
        match String::from_utf8(std::fs::read(&file).unwrap()) {
            Ok(text) => std::fs::write(target, text.replace(&old, &new)).unwrap(),
            Err(_) => change(&file, &target),
        }
    }
    folder
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap();
}

#[test]
fn a_later_processing_comes_in_and_earlier_ones_stay_out() {
    let archive = Archive::of("2020", 96);
    let cube = archive.cube();
    ingest(&cube, &archive.scenes());
    let scene = archive.scenes().into_iter().find(|s| listed(&cube, &[]).contains(&id(s))).unwrap();
    let later = reprocessed(&scene, &cube.path("later"), "20290101", copy);
    let latest_one = reprocessed(&scene, &cube.path("latest"), "20290202", copy);
    assert_eq!(ingest(&cube, std::slice::from_ref(&later))["superseded"], 1);
    cube.ok(&["scenes", "archive", &id(&later)]);
    cube.fails(&["scenes", "archive", &id(&scene)]).says(&[&id(&scene)]);
    // Neither the archived one nor what came before it.
    let report = ingest(&cube, &[scene.clone(), later.clone()]);
    assert_eq!((&report["added"], &report["archived"]), (&0.into(), &2.into()), "{report:#}");
    let report = ingest(&cube, &[scene.clone(), later.clone(), latest_one.clone()]);
    assert_eq!((&report["added"], &report["archived"]), (&1.into(), &2.into()), "{report:#}");
    assert!(listed(&cube, &[]).contains(&id(&latest_one)));
    cube.is_sound();
    cube.fails(&["scenes", "restore", &id(&later)]).says(&[&id(&latest_one), "archive that first"]);
    cube.fails(&["scenes", "restore", "LC08_NOBODY"]).says(&["LC08_NOBODY"]);
    cube.ok(&["scenes", "archive", &id(&latest_one)]);
    cube.ok(&["scenes", "restore", &id(&later)]);
    cube.is_sound();
    let report = ingest(&cube, &[scene, later.clone(), latest_one]);
    assert_eq!(
        (&report["added"], &report["archived"], &report["already"]),
        (&0.into(), &2.into(), &1.into())
    );
}

#[test]
fn what_cannot_be_done_names_the_file_and_changes_nothing() {
    let archive = Archive::of("2019-2020", 96);
    let cube = archive.cube();
    let scenes = archive.scenes();
    let mine = cube.path("mine");
    let moved: Vec<PathBuf> = scenes
        .iter()
        .map(|s| {
            let to = mine.join(id(s));
            crate::harness::copy_folder(s, &to, |_| true);
            to
        })
        .collect();
    ingest(&cube, &moved);
    let accepted = listed(&cube, &[]);
    let of = |day: &Vec<PathBuf>| -> Vec<String> {
        day.iter().map(|s| id(s)).filter(|s| accepted.contains(s)).collect()
    };
    let days: Vec<Vec<String>> = archive.days().iter().map(of).filter(|d| !d.is_empty()).collect();
    let shared = days.iter().find(|d| d.len() == 2).unwrap().clone();
    let at = latest(&cube);
    let server = Server::start(&cube);
    let questions: Vec<String> = {
        let area = bounds(&server);
        let mut random = Random(5);
        (0..20).map(|_| series_of(&mut random, area)).chain(dates().into_iter().take(1)).collect()
    };
    let known = ask(&server, &questions);

    // The other scene of the day would have to be fused again, and its files are gone.
    let hidden = cube.path("hidden");
    std::fs::rename(mine.join(&shared[1]), &hidden).unwrap();
    cube.fails(&["scenes", "archive", &shared[0]]).says(&[&shared[1], "is missing"]);
    assert_eq!(latest(&cube), at);
    cube.is_sound();
    // Both together need no file.
    cube.ok(&["scenes", "archive", &shared[0], &shared[1]]);
    cube.is_sound();
    // Back they do not come without it: they were fused.
    cube.fails(&["scenes", "restore", &shared[0], &shared[1]]).says(&[&shared[1], "is missing"]);
    assert_eq!(latest(&cube), at + 1);
    std::fs::rename(&hidden, mine.join(&shared[1])).unwrap();
    cube.ok(&["scenes", "restore", &shared[0], &shared[1]]);
    cube.is_sound();
    all_same("restored", &known, &ask(&server, &questions));

    // A scene alone on its day, in its slots, comes back from the store.
    let single = ingest_alone(&archive, &moved, &accepted);
    let (alone, name) = (&single.0, &single.1);
    let answers = {
        let there = Server::start(alone);
        let known = ask(&there, &questions);
        alone.ok(&["scenes", "archive", name]);
        alone.is_sound();
        std::fs::rename(mine.join(name), &hidden).unwrap();
        let report = alone.json(&["scenes", "restore", name]);
        assert_eq!(
            (&report["from_store"][0], report["from_source"].as_array().unwrap().len()),
            (&name.as_str().into(), 0)
        );
        alone.is_sound();
        all_same("from the store", &known, &ask(&there, &questions));
        known
    };
    assert!(answers.values().any(|a| a.len() > 100));
    // Not once nothing keeps its pixels.
    alone.ok(&["scenes", "archive", name]);
    alone.ok(&["gc", "--keep", "0d", "--grace", "0s"]);
    alone.fails(&["scenes", "restore", name]).says(&[name, "is missing", "no kept snapshot"]);
    std::fs::rename(&hidden, mine.join(name)).unwrap();
    alone.ok(&["scenes", "restore", name]);
    alone.is_sound();
}

/// A cube with one scene of each day, and the name of one.
fn ingest_alone(archive: &Archive, moved: &[PathBuf], accepted: &[String]) -> (TestCube, String) {
    let mut by_day: BTreeMap<String, PathBuf> = BTreeMap::new();
    for scene in moved.iter().filter(|s| accepted.contains(&id(s))) {
        by_day.insert(crate::harness::archive::day(scene), scene.clone());
    }
    let chosen: Vec<PathBuf> = by_day.into_values().collect();
    let cube = archive.cube();
    ingest(&cube, &chosen);
    let name = id(&chosen[1]);
    (cube, name)
}

/// Tiles that hold slots.
fn tiles_of(cube: &TestCube) -> usize {
    let mut tiles: Vec<String> = cube
        .groups("landsat_c2_sr")
        .iter()
        .map(|g| Path::new(g).parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    tiles.sort();
    tiles.dedup();
    tiles.len()
}

#[test]
fn a_scene_processed_again_leaves_the_tiles_it_no_longer_meets() {
    let archive = Archive::of("2019-2020", 320);
    let cube = archive.cube();
    let scenes = archive.scenes();
    ingest(&cube, &scenes);
    compute(&cube);
    assert!(tiles_of(&cube) > 1, "the archive lies in one tile");
    let accepted = listed(&cube, &[]);
    // Every third scene comes again, smaller: a corner of it.
    let small: Vec<&PathBuf> = scenes.iter().filter(|s| accepted.contains(&id(s))).step_by(3).collect();
    let newer = cube.path("newer");
    let crop = |from: &Path, to: &Path| {
        if from.extension().is_none_or(|e| !e.eq_ignore_ascii_case("tif")) {
            return copy(from, to);
        }
        let done = Command::new("gdal_translate")
            .args(["-q", "-of", "GTiff", "-srcwin", "0", "0", "60", "60"])
            .args([from, to])
            .status()
            .unwrap();
        assert!(done.success());
    };
    for scene in &small {
        reprocessed(scene, &newer, "20290101", crop);
    }
    let (before, known) = (latest(&cube), {
        let server = Server::start(&cube);
        let questions = questions(&server, 23);
        (ask(&server, &questions), questions)
    });
    let report = cube.json(&["ingest", newer.to_str().unwrap()]);
    assert_eq!(report["superseded"].as_u64(), Some(small.len() as u64), "{report:#}");
    cube.is_sound();
    compute(&cube);
    cube.is_sound();

    let never = archive.cube();
    let mut only: Vec<PathBuf> = scenes.iter().filter(|s| !small.contains(s)).cloned().collect();
    only.push(newer);
    ingest(&never, &only);
    compute(&never);
    let (server, other) = (Server::start(&cube), Server::start(&never));
    let (known, questions) = known;
    let expected = ask(&other, &questions);
    all_same("as if it had come so at once", &expected, &ask(&server, &questions));
    same_derived(&cube, &never);
    assert!(expected.iter().any(|(q, a)| known[q] != *a));
    all_same("before", &known, &ask_at(&server, &questions, before));
}

#[test]
fn a_damaged_later_processing_leaves_the_earlier_pixels_where_they_were() {
    let archive = Archive::of("2020", 96);
    let (cube, other) = (archive.cube(), archive.cube());
    ingest(&cube, &archive.scenes());
    ingest(&other, &archive.scenes());
    let accepted = listed(&cube, &[]);
    let good = |day: &Vec<PathBuf>| day.len() == 2 && day.iter().all(|s| accepted.contains(&id(s)));
    let day = archive.days().into_iter().find(good).unwrap();
    // Of two scenes of a day, the first comes again damaged in its pixels, the second whole.
    let spoil = |from: &Path, to: &Path| {
        let bytes = std::fs::read(from).unwrap();
        let red = from.to_str().unwrap().ends_with("_SR_B3.TIF");
        std::fs::write(to, if red { &bytes[..bytes.len() * 2 / 3] } else { &bytes[..] }).unwrap();
    };
    let bad = reprocessed(&day[0], &cube.path("bad"), "20290101", spoil);
    let whole = reprocessed(&day[1], &cube.path("whole"), "20290101", copy);
    let report = ingest(&cube, &[bad.clone(), whole.clone()]);
    assert_eq!((&report["added"], report["refused"].as_array().unwrap().len()), (&1.into(), 1), "{report:#}");
    assert_eq!(ingest(&other, &[whole])["added"], 1);
    cube.is_sound();
    assert_eq!(listed(&cube, &[]), listed(&other, &[]));
    let (server, there) = (Server::start(&cube), Server::start(&other));
    let area = bounds(&server);
    let mut random = Random(31);
    let mut questions: Vec<String> = (0..40).map(|_| series_of(&mut random, area)).collect();
    let json = server.json("v1/products/landsat_c2_sr/dates");
    for day in json["dates"].as_array().unwrap() {
        questions.extend(tiles("landsat_c2_sr", area, &[7, 10, 13], day["label"].as_str().unwrap()));
    }
    all_same("without the damaged one", &ask(&there, &questions), &ask(&server, &questions));
}
