//! Tiles and days of slots, found by the index, are those that a list of all slots holds.

use std::collections::BTreeSet;

use tesela_grid::{BoundingBox, TileId};
use tesela_index::{
    Index, IngestCommit, NewGroup, NewScene, NewSlot, ProductKind, SceneOrder, SlotRow, SqliteIndex,
};
use tesela_model::{Instant, Period};

use crate::scene_search::Random;

const ALWAYS: Period = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };

fn cube(index: &SqliteIndex, random: &mut Random) {
    index.put_grid(&tesela_grid::builtin_grid("mx6372_30").unwrap()).unwrap();
    index.put_product("p", ProductKind::Scenes, "mx6372_30", "{}").unwrap();
    for batch in 0..12 {
        let mut commit =
            IngestCommit { product: "p".into(), summary: "{}".into(), ..IngestCommit::default() };
        let prefix = format!("g{batch}");
        commit.slot_groups.push(NewGroup { prefix: prefix.clone(), archive: false, objects: Vec::new() });
        for day in 0..10 {
            // Some days come again: their slots are revised.
            let day = (batch * 7 + day) * 86_400;
            let platform = ["landsat-7", "landsat-8"][random.below(2)];
            let time = Instant(day + 60_000 + random.below(900) as i64);
            let solar_day = time.date().to_string();
            let name = format!("{platform}-{solar_day}-{batch}");
            commit.scenes.push(NewScene {
                scene_key: format!("{platform}-{solar_day}"),
                product_id: name.clone(),
                platform: platform.into(),
                wrs_path: 1,
                wrs_row: 1,
                acquired: time,
                solar_day: solar_day.clone(),
                processed: None,
                tier: None,
                cloud_cover: None,
                bbox: BoundingBox::new(0.0, 0.0, 1.0, 1.0),
                synthetic: false,
                document: "{}".into(),
            });
            let tiles: BTreeSet<(i32, i32)> =
                (0..3).map(|_| (random.below(5) as i32 - 2, random.below(5) as i32 - 2)).collect();
            for (ix, iy) in tiles {
                commit.slots.push(NewSlot {
                    tile: TileId { ix, iy },
                    solar_day: solar_day.clone(),
                    time,
                    platform: platform.into(),
                    prefix: prefix.clone(),
                    position: commit.slots.len() as u64,
                    scenes: vec![name.clone()],
                });
            }
        }
        index.commit_ingest(&commit).unwrap();
    }
}

#[test]
fn tiles_and_days_are_those_of_all_slots() {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteIndex::create(dir.path()).unwrap();
    let mut random = Random::new(5);
    cube(&index, &mut random);
    for snapshot in 0..=index.latest_snapshot().unwrap() {
        let slots = index.slots("p", None, &ALWAYS, snapshot).unwrap();
        let tiles: BTreeSet<(i32, i32)> = slots.iter().map(|s| (s.tile.iy, s.tile.ix)).collect();
        let found: Vec<(i32, i32)> =
            index.slot_tiles("p", snapshot).unwrap().iter().map(|t| (t.iy, t.ix)).collect();
        assert_eq!(found, tiles.into_iter().collect::<Vec<_>>(), "at {snapshot}");

        for _ in 0..50 {
            let start = random.below(100) as i64 * 86_400 - 43_200;
            let time =
                Period { start: Instant(start), end: Instant(start + random.below(9) as i64 * 86_400) };
            let named = (random.below(2) == 0).then(|| Instant(start + 86_400).date().to_string());
            let admitted =
                |s: &&SlotRow| time.contains(s.time) && named.as_ref().is_none_or(|n| *n == s.solar_day);
            let key = |s: &SlotRow| (s.time, s.platform.clone(), s.solar_day.clone());
            let inside = || slots.iter().filter(admitted).map(key);
            for (order, expected) in
                [(SceneOrder::OldestFirst, inside().min()), (SceneOrder::NewestFirst, inside().max())]
            {
                let found = index.slot_day("p", &time, named.as_deref(), order, snapshot).unwrap();
                let found = found.map(|(day, platform, time)| (time, platform, day));
                assert_eq!(found, expected, "{time:?} {named:?} {order:?} at {snapshot}");
            }
        }
    }
}
