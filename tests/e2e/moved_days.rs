//! A scene that comes again on another solar day, because its later processing says another time: its earlier day is what
//! the other scenes of that day give, or is gone.

use std::path::{Path, PathBuf};

use crate::archive_scenes::{copy, id, ingest, listed, questions, reprocessed, same_derived};
use crate::harness::answers::{all_same, ask, ask_at};
use crate::harness::archive::{Archive, compute, day};
use crate::harness::{Server, TestCube};

/// A later processing of a scene, whose centre time is two in the morning, UTC: in Mexico the evening before.
fn earlier_by_a_day(scene: &Path, to: &Path) -> PathBuf {
    let folder = reprocessed(scene, to, "20290101", copy);
    let mut changed = 0;
    for file in std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()) {
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        let moved = |line: &str| match line.find("SCENE_CENTER_TIME") {
            Some(at) if line[at..].contains(':') => {
                let hour = at + line[at..].find(|c: char| c.is_ascii_digit()).unwrap();
                format!("{}02{}", &line[..hour], &line[hour + 2..])
            }
            _ => line.to_owned(),
        };
        let after: Vec<String> = text.lines().map(moved).collect();
        changed += usize::from(after != text.lines().collect::<Vec<_>>());
        std::fs::write(file, after.join("\n") + "\n").unwrap();
    }
    assert!(changed > 0, "no centre time in {}", folder.display());
    folder
}

fn latest(cube: &TestCube) -> u64 {
    cube.json(&["info"])["snapshot"].as_u64().unwrap()
}

fn server_dates(server: &Server) -> Vec<String> {
    let json = server.json("v1/products/landsat_c2_sr/dates");
    json["dates"].as_array().unwrap().iter().map(|d| d["label"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_scene_that_changes_its_solar_day_leaves_its_old_one() {
    let archive = Archive::of("2020", 96);
    let cube = archive.cube();
    let scenes = archive.scenes();
    let whole = archive.cube();
    ingest(&whole, &scenes);
    let accepted = listed(&whole, &[]);
    let days: Vec<Vec<PathBuf>> = archive
        .days()
        .into_iter()
        .map(|day| day.into_iter().filter(|s| accepted.contains(&id(s))).collect::<Vec<_>>())
        .filter(|day| !day.is_empty())
        .collect();
    let mut pairs = days.iter().filter(|day| day.len() == 2);
    let (shared, with_new, both) =
        (pairs.next().unwrap(), pairs.next().unwrap(), pairs.next().expect("three days of two scenes"));
    // One of a day's two scenes goes; one goes while the other first comes; both go.
    let late = with_new[1].clone();
    let first: Vec<PathBuf> = scenes.iter().filter(|s| **s != late).cloned().collect();
    ingest(&cube, &first);
    compute(&cube);
    let (before, old_questions, old) = {
        let server = Server::start(&cube);
        let questions = questions(&server, 41);
        (latest(&cube), questions.clone(), ask(&server, &questions))
    };

    let gone = [&shared[0], &with_new[0], &both[0], &both[1]];
    let to = cube.path("moved");
    let mut coming: Vec<PathBuf> = gone.iter().map(|s| earlier_by_a_day(s, &to)).collect();
    coming.push(late.clone());
    let more: Vec<String> = coming.iter().map(|p| p.to_str().unwrap().to_owned()).collect();
    // A day a batch: what leaves a day and what comes to it are one commit all the same.
    let report = cube.json(&[vec!["ingest".into(), "--batch-days".into(), "1".into()], more].concat());
    assert_eq!((report["superseded"].as_u64(), report["added"].as_u64()), (Some(4), Some(5)), "{report:#}");
    cube.is_sound();
    compute(&cube);
    cube.is_sound();

    let never = archive.cube();
    let mut only: Vec<PathBuf> =
        scenes.iter().filter(|s| **s != late && !gone.contains(s)).cloned().collect();
    only.extend(coming);
    ingest(&never, &only);
    compute(&never);
    never.is_sound();
    assert_eq!(listed(&cube, &[]), listed(&never, &[]));
    let (server, other) = (Server::start(&cube), Server::start(&never));
    let dates = server_dates(&server);
    assert_eq!(dates, server_dates(&other));
    let label = |scene: &PathBuf| {
        let compact = day(scene);
        format!("{}-{}-{}", &compact[..4], &compact[4..6], &compact[6..])
    };
    assert!(dates.contains(&label(&shared[1])) && !dates.contains(&label(&both[0])), "{dates:?}");
    let questions = questions(&other, 43);
    all_same("as if it had come so at once", &ask(&other, &questions), &ask(&server, &questions));
    same_derived(&cube, &never);
    let now = ask(&server, &old_questions);
    assert!(old.iter().any(|(q, a)| now[q] != *a));
    all_same("before", &old, &ask_at(&server, &old_questions, before));
}
