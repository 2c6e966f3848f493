//! A clock that goes backwards changes nothing: numbers give the order of commits, and their times never go back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed test panics")]

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use tesela_grid::{BoundingBox, CrsName, builtin_grid};
use tesela_index::{Index, IngestCommit, NewScene, ProductKind, SceneQuery, SqliteIndex, WriterLock};
use tesela_model::Instant;

const YEAR_S: i64 = 366 * 86_400;

fn now_s() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// Moves every time that the index has noted, as a clock that was put right since then would leave them.
fn shift_clock(dir: &Path, seconds: i64) {
    let db = rusqlite::Connection::open(dir.join("index.db")).unwrap();
    db.execute("UPDATE snapshots SET created = created + ?1", [seconds]).unwrap();
    db.execute("UPDATE runs SET started = started + ?1, finished = finished + ?1", [seconds]).unwrap();
    db.execute("UPDATE quarantine SET noted = noted + ?1", [seconds]).unwrap();
}

fn commit(index: &SqliteIndex, processed: &str) -> u64 {
    let run = index.begin_run("test").unwrap();
    let scene = NewScene {
        scene_key: "LC08_001001_20200101".into(),
        product_id: format!("scene-{processed}"),
        platform: "landsat-8".into(),
        wrs_path: 1,
        wrs_row: 1,
        acquired: Instant(1_577_880_000),
        solar_day: "2020-01-01".into(),
        processed: Some(processed.into()),
        tier: None,
        cloud_cover: None,
        bbox: BoundingBox::new(-100.0, 19.0, -99.0, 20.0),
        synthetic: true,
        document: "{}".into(),
    };
    let commit = IngestCommit {
        product: "p".into(),
        run: run.clone(),
        scenes: vec![scene],
        summary: "{}".into(),
        ..IngestCommit::default()
    };
    let n = index.commit_ingest(&commit).unwrap();
    index.end_run(&run).unwrap();
    n
}

#[test]
fn numbers_order_commits_whatever_the_clock_says() {
    let folder = tempfile::tempdir().unwrap();
    let index = SqliteIndex::create(folder.path()).unwrap();
    let grid = builtin_grid("mx6372_30").unwrap();
    assert_eq!(grid.crs, CrsName::epsg(6372));
    index.put_grid(&grid).unwrap();
    index.put_product("p", ProductKind::Scenes, &grid.id, "{}").unwrap();
    assert_eq!(commit(&index, "2020-02-01"), 1);
    // The first commit was made by a clock a year ahead.
    shift_clock(folder.path(), YEAR_S);
    assert_eq!(commit(&index, "2020-03-01"), 2);
    assert_eq!(commit(&index, "2020-04-01"), 3);

    let rows = index.snapshots(10).unwrap();
    assert_eq!(rows.iter().map(|s| s.n).collect::<Vec<_>>(), [3, 2, 1]);
    let times: Vec<i64> = rows.iter().map(|s| s.created.0).collect();
    assert!(times.iter().rev().is_sorted(), "{times:?}");
    assert!(times[0] > now_s() + YEAR_S / 2, "the last time stands until the clock comes up to it");
    for (snapshot, id) in [(1, "scene-2020-02-01"), (2, "scene-2020-03-01"), (3, "scene-2020-04-01")] {
        let seen = index.scenes(&SceneQuery::default(), snapshot).unwrap();
        assert_eq!(seen.iter().map(|s| s.product_id.as_str()).collect::<Vec<_>>(), [id], "at {snapshot}");
    }

    // A clock put forward again: times go on from where it is.
    shift_clock(folder.path(), -2 * YEAR_S);
    assert_eq!(commit(&index, "2020-05-01"), 4);
    let last = index.snapshots(1).unwrap()[0].created.0;
    assert!((last - now_s()).abs() < 60, "{last}");
}

#[test]
fn runs_are_told_apart_whatever_the_clock_says() {
    let folder = tempfile::tempdir().unwrap();
    let index = SqliteIndex::create(folder.path()).unwrap();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(index.begin_run("test").unwrap());
        shift_clock(folder.path(), YEAR_S);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    assert_eq!(index.unfinished_runs().unwrap().len(), 5);
}

#[test]
fn refusals_are_listed_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let index = SqliteIndex::create(folder.path()).unwrap();
    index.put_quarantine("p", "first", "code", "why").unwrap();
    shift_clock(folder.path(), YEAR_S);
    index.put_quarantine("p", "second", "code", "why").unwrap();
    let paths: Vec<_> = index.quarantine().unwrap().into_iter().map(|r| r.path).collect();
    assert_eq!(paths, ["second", "first"]);
}

/// The age of a lock taken in the future is nothing, not an absurd number.
#[test]
fn a_lock_from_the_future_is_young() {
    let folder = tempfile::tempdir().unwrap();
    let _held = WriterLock::acquire(folder.path(), "ingest").unwrap();
    let path = folder.path().join("writer.lock");
    let mut text: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    text["since_s"] = (now_s() + YEAR_S).into();
    std::fs::write(&path, text.to_string()).unwrap();
    let refused = WriterLock::acquire(folder.path(), "compute").unwrap_err().to_string();
    assert!(refused.contains("for 0 s"), "{refused}");
}
