//! Archived scenes: noted at their snapshot, gone at it, there before it; and the schema that came with them.

use std::path::Path;

use tesela_grid::{BoundingBox, TileId, builtin_grid};
use tesela_index::{
    ArchivedScene, GroupKind, Index, IndexError, IngestCommit, MoveCommit, NewGroup, NewObject, NewScene,
    NewSlot, ProductKind, SceneChange, SceneQuery, SqliteIndex,
};
use tesela_model::{Instant, Period};

const NOON: i64 = 1_580_558_400;

fn scene(product_id: &str, row: u16) -> NewScene {
    NewScene {
        scene_key: format!("LC08_029{row:03}_20200201"),
        product_id: product_id.into(),
        platform: "landsat-8".into(),
        wrs_path: 29,
        wrs_row: row,
        acquired: Instant(NOON),
        solar_day: "2020-02-01".into(),
        processed: Some("2020-03-01".into()),
        tier: Some("T1".into()),
        cloud_cover: None,
        bbox: BoundingBox::new(-103.0, 21.0, -102.0, 22.0),
        synthetic: true,
        document: format!("{{\"id\":\"{product_id}\"}}"),
    }
}

fn group(prefix: &str) -> NewGroup {
    let object = NewObject { key: format!("{prefix}/red/c/0/0/0"), bytes: 7, digest: "ab".into() };
    NewGroup { prefix: prefix.into(), archive: false, objects: vec![object] }
}

fn slot(ix: i32, prefix: &str, scenes: &[&str]) -> NewSlot {
    NewSlot {
        tile: TileId { ix, iy: 1 },
        solar_day: "2020-02-01".into(),
        time: Instant(NOON),
        platform: "landsat-8".into(),
        prefix: prefix.into(),
        position: 0,
        scenes: scenes.iter().map(|s| (*s).to_owned()).collect(),
    }
}

/// A cube with two scenes in two tiles: both in the first, one alone in the second.
fn cube(dir: &Path) -> SqliteIndex {
    let index = SqliteIndex::create(dir).unwrap();
    index.put_grid(&builtin_grid("mx6372_30").unwrap()).unwrap();
    index.put_product("p", ProductKind::Scenes, "mx6372_30", "{}").unwrap();
    let commit = IngestCommit {
        product: "p".into(),
        scenes: vec![scene("one", 45), scene("two", 46)],
        slot_groups: vec![group("a"), group("b")],
        slots: vec![slot(1, "a", &["one", "two"]), slot(2, "b", &["two"])],
        summary: "{}".into(),
        ..IngestCommit::default()
    };
    assert_eq!(index.commit_ingest(&commit).unwrap(), 1);
    index
}

fn ids(index: &SqliteIndex, snapshot: u64) -> Vec<String> {
    index.scenes(&SceneQuery::default(), snapshot).unwrap().into_iter().map(|s| s.product_id).collect()
}

fn always() -> Period {
    Period { start: Instant(0), end: Instant(i64::MAX / 4) }
}

#[test]
fn an_archived_scene_goes_at_its_snapshot_and_comes_back_at_another() {
    let dir = tempfile::tempdir().unwrap();
    let index = cube(dir.path());
    let two = index.scenes(&SceneQuery::default(), 1).unwrap()[1].clone();
    let slots = index.scene_slots(two.id, 1).unwrap();
    assert_eq!(slots.iter().map(|s| s.tile.ix).collect::<Vec<_>>(), [1, 2]);
    let archive = IngestCommit {
        change: SceneChange::Archive,
        product: "p".into(),
        archived: vec![ArchivedScene { scene: two.id, reason: "haze".into() }],
        slot_groups: vec![group("c")],
        slots: vec![slot(1, "c", &["one"])],
        emptied: vec![slots[1].id],
        summary: "{}".into(),
        ..IngestCommit::default()
    };
    assert_eq!(index.commit_ingest(&archive).unwrap(), 2);
    assert_eq!(index.snapshots(1).unwrap()[0].kind, "archive");
    assert_eq!((ids(&index, 1), ids(&index, 2)), (vec!["one".into(), "two".into()], vec!["one".to_owned()]));
    let tiles =
        |n| index.slots("p", None, &always(), n).unwrap().iter().map(|s| s.tile.ix).collect::<Vec<_>>();
    assert_eq!((tiles(1), tiles(2)), (vec![1, 2], vec![1]));
    let noted = index.archived_scenes(Some("p"), 2).unwrap();
    assert_eq!((noted[0].product_id.as_str(), noted[0].reason.as_str(), noted[0].added), ("two", "haze", 2));
    assert_eq!(noted[0].document, "{\"id\":\"two\"}");
    assert!(index.archived_scenes(None, 1).unwrap().is_empty());
    assert!(index.archived_scenes(Some("q"), 2).unwrap().is_empty());
    // Twice is a contradiction, and nothing of that commit stays.
    let again = IngestCommit { slot_groups: Vec::new(), slots: Vec::new(), ..archive };
    assert!(matches!(index.commit_ingest(&again), Err(IndexError::Corrupt { .. })));
    assert_eq!(index.latest_snapshot().unwrap(), 2);

    let restore = IngestCommit {
        change: SceneChange::Restore,
        product: "p".into(),
        restored: vec![noted[0].id],
        scenes: vec![scene("two", 46)],
        slots: vec![slot(2, "b", &["two"])],
        summary: "{}".into(),
        ..IngestCommit::default()
    };
    assert_eq!(index.commit_ingest(&restore).unwrap(), 3);
    assert_eq!((ids(&index, 2).len(), ids(&index, 3).len()), (1, 2));
    assert_eq!(
        (index.archived_scenes(None, 2).unwrap().len(), index.archived_scenes(None, 3).unwrap().len()),
        (1, 0)
    );
    // Two rows at one place: what was, and what came back.
    assert_eq!(index.group_slots("b").unwrap().len(), 2);
    assert_eq!(index.contradictions().unwrap(), Vec::<String>::new());
}

#[test]
fn a_group_is_doomed_only_when_it_holds_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let index = cube(dir.path());
    let held = index.group_slots("a").unwrap();
    assert!(matches!(index.doom_group("a"), Err(IndexError::Corrupt { .. })));
    let moved = |rows: Vec<(i64, u64)>| MoveCommit {
        product: "p".into(),
        run: "r".into(),
        kind: GroupKind::Slots,
        group: group("d"),
        rows,
        doomed: vec!["a".into()],
    };
    assert!(matches!(index.commit_move(&moved(Vec::new())), Err(IndexError::Corrupt { .. })));
    assert!(index.doomed().unwrap().is_empty() && !index.group_prefixes().unwrap().contains(&"d".into()));
    index.commit_move(&moved(vec![(held[0].id, 0)])).unwrap();
    assert_eq!(index.doomed().unwrap(), ["a"]);
    assert_eq!(index.group_prefixes().unwrap(), ["b", "d"]);
    assert!(index.objects().unwrap().iter().all(|o| o.prefix != "a"));
    assert_eq!(index.latest_snapshot().unwrap(), 1, "a move is no snapshot");
}

/// Turns an index into one of an earlier schema that holds the same.
fn put_back(file: &std::path::Path, migrations: &[&str]) {
    let now = file.with_extension("now");
    std::fs::rename(file, &now).unwrap();
    let db = rusqlite::Connection::open(file).unwrap();
    migrations.iter().for_each(|sql| db.execute_batch(sql).unwrap());
    db.execute_batch(&format!("PRAGMA foreign_keys = OFF; ATTACH '{}' AS now", now.display())).unwrap();
    let list = |sql: &str| -> Vec<String> {
        let mut all = db.prepare(sql).unwrap();
        all.query_map((), |r| r.get(0)).unwrap().map(Result::unwrap).collect()
    };
    for table in list("SELECT name FROM main.sqlite_schema WHERE type = 'table'") {
        let columns = list(&format!("SELECT name FROM pragma_table_info('{table}')")).join(", ");
        db.execute_batch(&format!("INSERT INTO main.{table} ({columns}) SELECT {columns} FROM now.{table}"))
            .unwrap();
    }
    db.pragma_update(None, "user_version", migrations.len() as i64).unwrap();
}

/// The index of a cube that was made before scenes could be archived.
#[test]
fn a_cube_of_schema_2_is_migrated_with_all_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let made = cube(dir.path());
    let (objects, groups) = (made.objects().unwrap(), made.groups().unwrap());
    assert!(!objects.is_empty() && !groups.is_empty());
    drop(made);
    put_back(
        &dir.path().join("index.db"),
        &[
            include_str!("../../../../migrations/sqlite/0001_init.sql"),
            include_str!("../../../../migrations/sqlite/0002_archive.sql"),
        ],
    );
    let refused = SqliteIndex::open(dir.path()).unwrap_err().to_string();
    assert!(refused.contains("schema 2") && refused.contains("tesela migrate"), "{refused}");
    assert_eq!(SqliteIndex::migrate(dir.path()).unwrap(), (2, 4));
    assert!(dir.path().join("index.db.schema-2").is_file());
    assert_eq!(SqliteIndex::migrate(dir.path()).unwrap(), (4, 4));
    let index = SqliteIndex::open(dir.path()).unwrap();
    assert_eq!(format!("{:?}", index.objects().unwrap()), format!("{objects:?}"));
    assert_eq!(format!("{:?}", index.groups().unwrap()), format!("{groups:?}"));
    assert!(index.contradictions().unwrap().is_empty());
    assert_eq!(ids(&index, 1), ["one", "two"]);
    assert!(index.archived_scenes(None, 1).unwrap().is_empty());
    let one = index.scenes(&SceneQuery::default(), 1).unwrap()[0].id;
    let archive = IngestCommit {
        change: SceneChange::Archive,
        product: "p".into(),
        archived: vec![ArchivedScene { scene: one, reason: String::new() }],
        summary: "{}".into(),
        ..IngestCommit::default()
    };
    assert_eq!(index.commit_ingest(&archive).unwrap(), 2);
    assert_eq!(index.archived_scenes(None, 2).unwrap().len(), 1);
}
