//! What is kept for decades: tagged snapshots answer as they did, others are let go of, backups are cubes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::harness::answers::{
    Random, Watch, all_same, ask, ask_at, bounds, dates, pinned, series_of, tiles, zone_tables,
};
use crate::harness::archive::{Archive, DERIVED, ZONES, compute, usage};
use crate::harness::{Server, TestCube, files_under};

/// A later processing of a scene with other pixels: near infrared and red change places.
fn reprocessed(scene: &Path, to: &Path) {
    let id = scene.file_name().unwrap().to_str().unwrap().to_owned();
    let processed = id.split('_').nth(4).unwrap().to_owned();
    let newer_id = id.replace(&format!("_{processed}_"), "_20290101_");
    let newer = to.join(&newer_id);
    std::fs::create_dir_all(&newer).unwrap();
    let eight = id.starts_with("LC");
    let (red, nir) = if eight { ("_SR_B4.TIF", "_SR_B5.TIF") } else { ("_SR_B3.TIF", "_SR_B4.TIF") };
    for file in std::fs::read_dir(scene).unwrap().map(|e| e.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap().replace(&id, &newer_id);
        let name = if name.ends_with(red) {
            name.replace(red, nir)
        } else if name.ends_with(nir) {
            name.replace(nir, red)
        } else {
            name
        };
        let bytes = std::fs::read(&file).unwrap();
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => text.replace(&id, &newer_id).into_bytes(),
            Err(e) => e.into_bytes(),
        };
        std::fs::write(newer.join(name), bytes).unwrap();
    }
}

fn latest(cube: &TestCube) -> u64 {
    cube.json(&["info"])["snapshot"].as_u64().unwrap()
}

/// Questions about one place and the whole, each of which a snapshot answers.
fn questions(server: &Server, seed: u64) -> Vec<String> {
    let area = bounds(server);
    let mut random = Random(seed);
    let mut all: Vec<String> = (0..40).map(|_| series_of(&mut random, area)).collect();
    all.extend(dates());
    all.extend(zone_tables(&[
        ("geomedian_annual", "nir"),
        ("geomedian_annual", "count"),
        ("ndvi_annual", "ndvi"),
    ]));
    let json = server.json("v1/products/landsat_c2_sr/dates");
    let days = json["dates"].as_array().unwrap();
    for day in days.iter().step_by(4) {
        all.extend(tiles("landsat_c2_sr", area, &[7, 10, 12, 14], day["label"].as_str().unwrap()));
    }
    for product in DERIVED {
        let json = server.json(&format!("v1/products/{product}/dates"));
        for year in json["dates"].as_array().unwrap() {
            all.extend(tiles(product, area, &[9, 12, 14], &year["label"].as_str().unwrap()[..4]));
        }
    }
    all
}

/// `zones stats` on the command line, as it is printed.
fn tables(cube: &TestCube, snapshot: u64) -> Vec<String> {
    let snapshot = snapshot.to_string();
    let table = |set: &str, product: &str, band: &str| {
        let args = [
            "zones",
            "stats",
            set,
            "--product",
            product,
            "--band",
            band,
            "--datetime",
            "all",
            "--snapshot",
            &snapshot,
        ];
        cube.ok(&args).stdout
    };
    let mut all = Vec::new();
    for set in ZONES {
        all.push(table(set, "geomedian_annual", "red"));
        all.push(table(set, "ndvi_annual", "ndvi"));
    }
    assert!(all.iter().all(|t| t.lines().count() > 20));
    all
}

/// What the reading commands say at a snapshot, but where pixels lie.
fn commands(cube: &TestCube, snapshot: &str) -> Vec<String> {
    let say = |args: &[&str]| cube.ok(&[args, &["--snapshot", snapshot]].concat()).stdout;
    let mut all = vec![
        say(&["scenes", "list", "--limit", "0"]),
        say(&["scenes", "list", "--archived"]),
        say(&["zones", "list"]),
        say(&["zones", "show", "agebs@demo"]),
    ];
    let scene = all[0].lines().next().unwrap().split_whitespace().last().unwrap().to_owned();
    all.push(say(&["scenes", "show", &scene]));
    let info = cube.json(&["info", "--snapshot", snapshot]);
    for product in info["products"].as_array().unwrap() {
        let periods = product["periods"].as_array().map(Vec::len);
        all.push(format!("{} {} {} {periods:?}", product["id"], product["slots"], product["bbox"]));
    }
    all.push(info["zone_sets"].to_string());
    all
}

#[test]
fn a_tagged_snapshot_answers_as_it_did() {
    let archive = Archive::of("2018-2020", 96);
    let cube = archive.cube();
    cube.ok(&["ingest", "--batch-days", "4", &archive.path()]);
    compute(&cube);
    let tagged = latest(&cube);
    cube.ok(&["snapshots", "tag", "before"]);
    cube.fails(&["snapshots", "tag", "before", "--snapshot", "1"]).says(&["before"]);
    cube.fails(&["snapshots", "tag", "later", "--snapshot", "999"]).says(&["999"]);

    let server = Server::start(&cube);
    let questions = questions(&server, 3);
    let before = ask_at(&server, &questions, tagged);
    all_same("without and with its number", &before, &ask(&server, &questions));
    let known = tables(&cube, tagged);
    let told = commands(&cube, "before");
    assert_eq!(told, commands(&cube, &tagged.to_string()));
    cube.fails(&["info", "--snapshot", "never"]).says(&["never", "before"]);
    cube.fails(&["scenes", "list", "--snapshot", "999"]).says(&["999"]);

    // A third of the scenes come again, processed later, with other pixels.
    let newer = cube.path("newer");
    let scenes = archive.scenes();
    let again: Vec<&PathBuf> = scenes.iter().step_by(3).collect();
    again.iter().for_each(|scene| reprocessed(scene, &newer));
    let report = cube.json(&["ingest", "--batch-days", "4", newer.to_str().unwrap()]);
    assert_eq!(report["superseded"].as_u64(), Some(again.len() as u64), "{report:#}");
    let between = latest(&cube);
    compute(&cube);
    assert!(latest(&cube) > between);
    cube.is_sound();
    let now = ask(&server, &questions);
    let changed = before.iter().filter(|(q, a)| now[*q] != **a).count();
    assert!(changed > questions.len() / 4, "{changed} of {} changed", questions.len());
    all_same("after the reprocessing", &before, &ask_at(&server, &questions, tagged));

    let report = cube.json(&["compact", "--all"]);
    assert!(report["blocks"].as_u64().unwrap() >= 4, "{report:#}");
    cube.is_sound();
    all_same("compacted", &before, &ask_at(&server, &questions, tagged));
    let plan = cube.json(&["gc", "--keep", "0d", "--grace", "0s", "--dry-run"]);
    let gone = cube.json(&["gc", "--keep", "0d", "--grace", "0s"]);
    assert_eq!((&plan["expired"], &plan["bytes"]), (&gone["expired"], &gone["bytes"]));
    let expired: Vec<u64> = gone["expired"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    assert!(!expired.contains(&tagged) && !expired.contains(&latest(&cube)));
    assert!(expired.contains(&between) && expired.contains(&(tagged - 1)), "{expired:?}");
    cube.is_sound();

    for server in [&server, &Server::start(&cube)] {
        all_same("collected", &before, &ask_at(server, &questions, tagged));
        all_same("collected, now", &now, &ask(server, &questions));
    }
    assert_eq!(tables(&cube, tagged), known);
    assert_eq!(commands(&cube, "before"), told);
    assert_ne!(cube.ok(&["scenes", "list", "--limit", "0"]).stdout, told[0]);
    gone_are(&server, &cube, &questions, tagged - 1, tagged);

    // Without its tag it goes too, and its bytes with it.
    let held = files_under(&cube.store()).iter().map(|(_, bytes)| bytes).sum::<u64>();
    cube.ok(&["snapshots", "untag", "before"]);
    cube.fails(&["snapshots", "untag", "before"]).says(&["before"]);
    assert!(
        cube.json(&["gc", "--grace", "0s"])["expired"].as_array().unwrap().is_empty(),
        "90 days are not over"
    );
    let gone = cube.json(&["gc", "--keep", "0d", "--grace", "0s"]);
    let freed = gone["bytes"].as_u64().unwrap();
    assert!(freed > 0 && gone["expired"].as_array().unwrap().contains(&tagged.into()), "{gone:#}");
    let left = files_under(&cube.store()).iter().map(|(_, bytes)| bytes).sum::<u64>();
    assert_eq!(held - left, freed);
    cube.is_sound();
    let newest = latest(&cube);
    gone_are(&server, &cube, &questions, tagged, newest);
    all_same("untagged, now", &now, &ask(&server, &questions));
    eprintln!("{} questions, {changed} answers changed, {freed} bytes freed by the tag", questions.len());
}

/// Every question at an expired snapshot is refused, with the nearest that is kept.
#[track_caller]
fn gone_are(server: &Server, cube: &TestCube, questions: &[String], n: u64, nearest: u64) {
    let words = format!("nearest kept one is {nearest}");
    let zarr = [format!("zarr/landsat_c2_sr@{n}/zarr.json"), format!("zarr/ndvi_annual@{n}/zarr.json")];
    for question in questions.iter().map(|q| pinned(q, n)).chain(zarr) {
        let answer = server.get(&question);
        assert_eq!(answer.status, 410, "{question}: {}", answer.text());
        assert!(answer.text().contains(&words), "{question}: {}", answer.text());
    }
    let n = n.to_string();
    let args =
        ["zones", "stats", "agebs@demo", "--product", "ndvi_annual", "--band", "ndvi", "--snapshot", &n];
    cube.fails(&args).says(&[&words]);
    cube.fails(&["snapshots", "tag", "late", "--snapshot", &n]).says(&[&words]);
    let scenes = cube.json(&["scenes", "list", "--limit", "1"]);
    let scene = scenes[0]["id"].as_str().unwrap();
    for args in [
        &["scenes", "list"][..],
        &["scenes", "list", "--archived"],
        &["scenes", "show", scene],
        &["info"],
        &["zones", "list"],
        &["zones", "show", "agebs@demo"],
    ] {
        cube.fails(&[args, &["--snapshot", &n]].concat()).says(&[&words]);
    }
}

/// The report of a backup.
#[track_caller]
fn backup(cube: &TestCube, to: &Path) -> Value {
    cube.json(&["backup", "--to", to.to_str().unwrap()])
}

/// The backup is a cube without fault whose answers are the original's.
#[track_caller]
fn is_the_same(copy: &TestCube, server: &Server, questions: &[String], report: &Value) {
    copy.is_sound();
    let snapshot = report["snapshot"].as_u64().unwrap();
    assert_eq!(latest(copy), snapshot);
    assert_eq!(files_under(&copy.store()).len() as u64, report["objects"].as_u64().unwrap());
    let there = Server::start(copy);
    let original = ask_at(server, questions, snapshot);
    all_same("the backup", &original, &ask(&there, questions));
    all_same("the backup", &original, &ask_at(&there, questions, snapshot));
}

#[test]
fn a_backup_is_taken_while_others_read_and_write() {
    let archive = Archive::of("2016-2020", 96);
    let cube = archive.cube();
    let days = archive.days();
    let (first, rest) = days.split_at(days.len() / 5);
    let text = |days: &[Vec<PathBuf>]| -> Vec<String> {
        days.iter().flatten().map(|p| p.to_str().unwrap().to_owned()).collect()
    };
    let ingest = |days: &[Vec<PathBuf>]| {
        [vec!["ingest".into(), "--batch-days".into(), "1".into()], text(days)].concat()
    };
    cube.ok(&ingest(first));
    compute(&cube);
    let server = Server::start(&cube);
    let questions = questions(&server, 11);
    let copies: Vec<TestCube> = (0..3).map(|_| TestCube::unmade()).collect();
    let watch = Watch::new(questions.iter().step_by(7).cloned().collect());
    let reports = std::thread::scope(|scope| {
        let _stop = watch.stopper();
        scope.spawn(|| watch.run(0, &server));
        watch.wait_for(watch.round());
        let start = latest(&cube);
        let mut command = cube.command(&ingest(rest));
        let mut writer = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while latest(&cube) == start {
            assert!(
                writer.try_wait().unwrap().is_none(),
                "the ingest ended before its first commit was seen"
            );
        }
        let mut at_work = 0;
        let mut one = |copy: &TestCube| {
            let report = backup(&cube, &copy.dir());
            at_work += usize::from(writer.try_wait().unwrap().is_none());
            report
        };
        let reports: Vec<Value> = copies.iter().map(&mut one).collect();
        assert!(writer.wait().unwrap().success());
        assert!(at_work > 0, "the ingest was over before a backup was taken");
        watch.wait_for(watch.round());
        reports
    });
    let seen = watch.ended();
    for (copy, report) in copies.iter().zip(&reports) {
        assert_eq!(report["copied"], report["objects"]);
        is_the_same(copy, &server, &questions, report);
    }

    // Into the first one again: what is new, and nothing else.
    compute(&cube);
    let held: BTreeMap<PathBuf, u64> = relative(&copies[0]);
    let report = backup(&cube, &copies[0].dir());
    let new = relative(&cube).keys().filter(|k| !held.contains_key(*k)).count();
    assert_eq!((report["copied"].as_u64(), &report["removed"]), (Some(new as u64), &0.into()), "{report:#}");
    assert!(new > 0 && (new as u64) < report["objects"].as_u64().unwrap());
    is_the_same(&copies[0], &server, &questions, &report);
    let report = backup(&cube, &copies[0].dir());
    assert_eq!((&report["copied"], &report["removed"]), (&0.into(), &0.into()));

    // What the cube lets go of, the backup does too; and what compaction made is new.
    cube.ok(&["compact", "--all"]);
    cube.ok(&["gc", "--keep", "0d", "--grace", "0s"]);
    let report = backup(&cube, &copies[0].dir());
    assert!(report["copied"].as_u64() > Some(0) && report["removed"].as_u64() > Some(0), "{report:#}");
    assert_eq!(relative(&copies[0]), relative(&cube));
    is_the_same(&copies[0], &server, &questions, &report);
    assert_eq!(usage(&copies[0], "archive"), usage(&cube, "archive"));

    // The backup is a cube of its own: it can be written to.
    copies[0].ok(&["compute", "--force", "--years", "2019", "geomedian_annual"]);
    copies[0].is_sound();
    eprintln!("{} answers while {} backups were taken", seen.asked, copies.len());
}

/// Objects below the store, with their sizes.
fn relative(cube: &TestCube) -> BTreeMap<PathBuf, u64> {
    let root = cube.store();
    files_under(&root).into_iter().map(|(p, n)| (p.strip_prefix(&root).unwrap().to_owned(), n)).collect()
}

#[test]
fn a_backup_spoils_no_directory_of_others() {
    let archive = Archive::of("2020", 96);
    let cube = archive.cube();
    cube.ok(&["ingest", &archive.path()]);
    let refused = |to: &Path| {
        let kept = || {
            let mut files = files_under(to);
            // SQLite's own come and go with whoever reads.
            files.retain(|(p, _)| !p.starts_with(cube.dir()) && !p.to_str().unwrap().contains("index.db-"));
            files
        };
        let before = kept();
        let outcome = cube.fails(&["backup", "--to", to.to_str().unwrap()]);
        assert_eq!(kept(), before, "{outcome:#?}");
        outcome
    };
    let foreign = cube.path("documents");
    std::fs::create_dir_all(&foreign).unwrap();
    std::fs::write(foreign.join("thesis.txt"), "ten years").unwrap();
    refused(&foreign).says(&["thesis.txt"]);

    let other = archive.cube();
    other.ok(&["ingest", &archive.path()]);
    refused(&other.dir()).says(&["another cube"]);
    other.is_sound();

    let strange = |p: &Path| ["keep.lock", "index.db-wal", "index.db-shm"].iter().any(|n| p.ends_with(n));
    let whole = files_under(&cube.dir()).iter().filter(|(p, _)| !strange(p)).count();
    refused(&cube.dir()).says(&["in the cube itself"]);
    refused(&cube.dir().join("store")).says(&["in the cube itself"]);
    refused(&cube.dir().join("backup")).says(&["in the cube itself"]);
    refused(cube.dir().parent().unwrap()).says(&["in the cube itself"]);
    let link = cube.path("link");
    std::os::unix::fs::symlink(cube.dir(), &link).unwrap();
    refused(&link).says(&["in the cube itself"]);
    // But for the lock that holds off `gc`, the cube is as it was.
    let ours = files_under(&cube.dir());
    assert_eq!(ours.iter().filter(|(p, _)| !strange(p)).count(), whole, "{ours:#?}");

    // A file is no directory, and an empty directory is a good place.
    let file = cube.write("file", "text");
    cube.fails(&["backup", "--to", &file]).says(&[&file]);
    let empty = TestCube::unmade();
    std::fs::create_dir_all(empty.dir()).unwrap();
    backup(&cube, &empty.dir());
    empty.is_sound();
    cube.is_sound();
}

#[test]
fn a_backup_deletes_nothing_it_did_not_write() {
    let archive = Archive::of("2020", 96);
    let cube = archive.cube();
    cube.ok(&["ingest", &archive.path()]);
    let to = cube.path("pool");
    std::fs::create_dir_all(to.join("store/photos")).unwrap();
    std::fs::write(to.join("store/photos/1.txt"), "ten years").unwrap();
    cube.fails(&["backup", "--to", to.to_str().unwrap()]);
    assert!(to.join("store/photos/1.txt").is_file(), "a file of others was deleted");
}

#[test]
fn a_refused_backup_leaves_no_directory() {
    let archive = Archive::of("2020", 96);
    let cube = archive.cube();
    cube.ok(&["ingest", &archive.path()]);
    let inside = cube.dir().join("backup");
    cube.fails(&["backup", "--to", inside.to_str().unwrap()]).says(&["in the cube itself"]);
    assert!(!inside.exists(), "a refused backup left a directory in the cube");
}

#[test]
fn a_killed_backup_leaves_nothing_in_the_next() {
    let archive = Archive::of("2016-2020", 96);
    let cube = archive.cube();
    cube.ok(&["ingest", "--batch-days", "4", &archive.path()]);
    let mut left = 0;
    for tenths in 1..=8u64 {
        let copy = TestCube::unmade();
        let mut command = cube.command(&["backup", "--to", copy.dir().to_str().unwrap()]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(40 * tenths));
        child.kill().unwrap();
        child.wait().unwrap();
        backup(&cube, &copy.dir());
        copy.is_sound();
        assert!(!copy.dir().join(".incoming").exists());
        left +=
            files_under(&copy.store()).iter().filter(|(p, _)| p.to_str().unwrap().contains("/.tmp-")).count();
    }
    assert_eq!(left, 0, "unfinished files of killed backups stay in the backup");
}
