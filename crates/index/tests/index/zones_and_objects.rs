//! Zones found by a box, across the 180th meridian too; objects known by their key.

use tesela_grid::BoundingBox;
use tesela_index::{
    Index, IngestCommit, NewGroup, NewObject, NewZone, NewZoneSet, ProductKind, SqliteIndex, ZoneSetCommit,
};

fn index() -> (tempfile::TempDir, SqliteIndex) {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteIndex::create(dir.path()).unwrap();
    (dir, index)
}

#[test]
fn zones_on_either_side_of_180() {
    let (_dir, index) = index();
    let zone = |key: &str, [w, s, e, n]: [f64; 4]| NewZone {
        key: key.into(),
        properties: "{}".into(),
        geometry: "{}".into(),
        area_m2: 1.0,
        bbox: BoundingBox::new(w, s, e, n),
    };
    let zones = vec![
        zone("east", [-179.9, -17.0, -179.0, -16.0]),
        zone("mexico", [-103.0, 21.0, -102.0, 22.0]),
        zone("of_360", [257.0, 21.0, 258.0, 22.0]),
        zone("west", [179.0, -17.0, 179.9, -16.0]),
    ];
    let set = NewZoneSet {
        id: "z@1".into(),
        title: "{}".into(),
        edition: None,
        key_field: "key".into(),
        source: "test".into(),
        synthetic: true,
        report: "[]".into(),
        zones,
    };
    index.commit_zone_set(&ZoneSetCommit { set, coverage: Vec::new() }).unwrap();
    let found = |bbox: Option<[f64; 4]>| {
        let bbox = bbox.map(|[w, s, e, n]| BoundingBox::new(w, s, e, n));
        let (matched, zones) = index.zones("z@1", bbox.as_ref(), 0, 10).unwrap();
        assert_eq!(matched as usize, zones.len());
        zones.into_iter().map(|z| z.key).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found(None), "east mexico of_360 west");
    assert_eq!(found(Some([179.5, -18.0, -179.5, -15.0])), "east west");
    assert_eq!(found(Some([179.95, -18.0, -179.5, -15.0])), "east");
    assert_eq!(found(Some([179.5, -18.0, 180.0, -15.0])), "west");
    assert_eq!(found(Some([179.5, 0.0, -179.5, 15.0])), "");
    assert_eq!(found(Some([-104.0, 20.0, -101.0, 23.0])), "mexico");
    assert_eq!(found(Some([-178.0, -90.0, 178.0, 90.0])), "mexico");
    let (matched, page) = index.zones("z@1", None, 1, 2).unwrap();
    assert_eq!((matched, page.len(), page[0].key.as_str()), (4, 2, "mexico"));
}

#[test]
fn an_object_is_known_from_its_commit_on() {
    let (_dir, index) = index();
    index.put_grid(&tesela_grid::builtin_grid("mx6372_30").unwrap()).unwrap();
    index.put_product("p", ProductKind::Scenes, "mx6372_30", "{}").unwrap();
    let key = "scenes/p/0_0/run-1/red/c/0/0/0";
    assert!(!index.has_object(key).unwrap());
    let objects = vec![NewObject { key: key.into(), bytes: 1, digest: "0".repeat(64) }];
    let group = NewGroup { prefix: "scenes/p/0_0/run-1".into(), archive: false, objects };
    let commit = IngestCommit {
        product: "p".into(),
        summary: "{}".into(),
        slot_groups: vec![group],
        ..IngestCommit::default()
    };
    index.commit_ingest(&commit).unwrap();
    assert!(index.has_object(key).unwrap());
    for other in ["scenes/p/0_0/run-1/red/c/0/0/1", "scenes/p/0_0/run-1", ""] {
        assert!(!index.has_object(other).unwrap(), "{other}");
    }
}
