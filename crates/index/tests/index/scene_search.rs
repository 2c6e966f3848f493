//! Scene search equals a filter over all scenes ever committed, at any snapshot, in any order, page by page.

use std::collections::BTreeMap;
use std::path::Path;

use tesela_grid::BoundingBox;
use tesela_index::{
    Index, IngestCommit, NewScene, ProductKind, SceneOrder, SceneQuery, SceneRow, SqliteIndex,
};
use tesela_model::{Instant, Period};

const PRODUCTS: [&str; 2] = ["one", "two"];
const PLATFORMS: [&str; 3] = ["landsat-5", "landsat-7", "landsat-8"];
const DAY: i64 = 86_400;

/// Repeatable pseudo-random numbers (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A scene as committed, in the order of row ids.
struct Known {
    product: &'static str,
    scene: NewScene,
    added: u64,
    retired: Option<u64>,
}

/// Two products, 3,000 scenes over 60 places: a cluster in Mexico, some across the antimeridian, some anywhere.
fn fill(index: &SqliteIndex, random: &mut Random) -> Vec<Known> {
    index.put_grid(&tesela_grid::builtin_grid("mx6372_30").unwrap()).unwrap();
    for product in PRODUCTS {
        index.put_product(product, ProductKind::Scenes, "mx6372_30", "{}").unwrap();
    }
    let places: Vec<(u16, u16, f64, f64)> = (0..60)
        .map(|i| {
            let (x, y) = match i % 3 {
                0 => (random.between(-112.0, -90.0), random.between(15.0, 30.0)),
                1 => (wrap(random.between(176.0, 184.0)), random.between(-20.0, 20.0)),
                _ => (random.between(-180.0, 180.0), random.between(-80.0, 80.0)),
            };
            (1 + i / 10, 30 + i % 10, x, y)
        })
        .collect();
    let mut known: Vec<Known> = Vec::new();
    for batch in 0..30 {
        let product = PRODUCTS[random.below(2)];
        let mut scenes: BTreeMap<String, NewScene> = BTreeMap::new();
        while scenes.len() < 100 {
            let (path, row, x, y) = places[random.below(places.len())];
            // Few instants: many scenes share one.
            let acquired = Instant(random.below(2_000) as i64 * DAY / 2);
            let platform = PLATFORMS[random.below(3)];
            let scene_key = format!("{platform}_{path}_{row}_{}", acquired.0);
            let (dx, dy) = (random.between(-0.5, 0.5), random.between(-0.1, 0.1));
            let (x, y) = (x + dx, y + dy);
            let scene = NewScene {
                scene_key: scene_key.clone(),
                product_id: format!("{scene_key}_{batch}"),
                platform: platform.into(),
                wrs_path: path,
                wrs_row: row,
                acquired,
                solar_day: acquired.date().to_string(),
                processed: None,
                tier: None,
                cloud_cover: (!random.one_in(10)).then(|| random.between(0.0, 100.0)),
                bbox: BoundingBox::new(wrap(x - 1.1), y - 0.9, wrap(x + 1.1), y + 0.9),
                synthetic: false,
                document: "{}".into(),
            };
            scenes.insert(scene_key, scene);
        }
        let scenes: Vec<NewScene> = scenes.into_values().collect();
        let commit = IngestCommit {
            product: product.into(),
            scenes: scenes.clone(),
            summary: "{}".into(),
            ..IngestCommit::default()
        };
        let n = index.commit_ingest(&commit).unwrap();
        for scene in scenes {
            let replaced = known.iter_mut().find(|k| {
                k.product == product && k.scene.scene_key == scene.scene_key && k.retired.is_none()
            });
            if let Some(old) = replaced {
                old.retired = Some(n);
            }
            known.push(Known { product, scene, added: n, retired: None });
        }
    }
    known
}

fn wrap(x: f64) -> f64 {
    if x > 180.0 {
        x - 360.0
    } else if x < -180.0 {
        x + 360.0
    } else {
        x
    }
}

/// The spans of longitude of a box, one to three turns of the globe.
fn spans(b: &BoundingBox) -> Vec<(f64, f64)> {
    let spans =
        if b.x_min > b.x_max { vec![(b.x_min, 180.0), (-180.0, b.x_max)] } else { vec![(b.x_min, b.x_max)] };
    let turns = [-360.0, 0.0, 360.0];
    spans.iter().flat_map(|(w, e)| turns.map(|t| (w + t, e + t))).collect()
}

fn meet(a: &BoundingBox, b: &BoundingBox) -> bool {
    let spans_meet = spans(a).iter().any(|(w, e)| spans(b).iter().any(|(v, f)| w <= f && v <= e));
    spans_meet && a.y_min <= b.y_max && b.y_min <= a.y_max
}

fn visible(k: &Known, snapshot: u64) -> bool {
    k.added <= snapshot && k.retired.is_none_or(|r| r > snapshot)
}

/// What a query without limit and position must give: product ids.
fn filtered<'a>(known: &'a [Known], q: &SceneQuery, snapshot: u64) -> Vec<&'a str> {
    let mut found: Vec<(Instant, usize)> = known
        .iter()
        .enumerate()
        .filter(|(_, k)| {
            let s = &k.scene;
            visible(k, snapshot)
                && q.product.as_ref().is_none_or(|p| p == k.product)
                && q.id.as_ref().is_none_or(|id| *id == s.product_id)
                && (q.platforms.is_empty() || q.platforms.contains(&s.platform))
                && q.time.is_none_or(|t| t.contains(s.acquired))
                && q.bbox.is_none_or(|b| meet(&b, &s.bbox))
                && q.wrs_path.is_none_or(|p| p == s.wrs_path)
                && q.wrs_row.is_none_or(|r| r == s.wrs_row)
                && q.cloud_cover_max.is_none_or(|most| s.cloud_cover.is_some_and(|c| c <= most))
        })
        .map(|(i, k)| (k.scene.acquired, i))
        .collect();
    found.sort_unstable();
    if q.order == SceneOrder::NewestFirst {
        found.reverse();
    }
    found.into_iter().map(|(_, i)| known[i].scene.product_id.as_str()).collect()
}

fn random_query(random: &mut Random, known: &[Known]) -> SceneQuery {
    let some = |random: &mut Random| known[random.below(known.len())].scene.clone();
    let mut q = SceneQuery::default();
    if random.one_in(2) {
        q.product = Some(PRODUCTS[random.below(2)].into());
    }
    if random.one_in(3) {
        q.platforms = (0..=random.below(2)).map(|_| PLATFORMS[random.below(3)].into()).collect();
    }
    if random.one_in(2) {
        let start = random.below(1_000) as i64 * DAY;
        q.time = Some(Period { start: Instant(start), end: Instant(start + random.below(500) as i64 * DAY) });
    }
    if random.one_in(3) {
        q.cloud_cover_max = Some(random.between(0.0, 100.0));
    }
    if random.one_in(8) {
        q.wrs_path = Some(some(random).wrs_path);
    }
    if random.one_in(8) {
        q.wrs_row = Some(some(random).wrs_row);
    }
    if random.one_in(20) {
        q.id = Some(some(random).product_id);
    }
    if random.one_in(2) {
        q.order = SceneOrder::NewestFirst;
    }
    let (x, y) = (random.between(-180.0, 180.0), random.between(-80.0, 80.0));
    q.bbox = match random.below(9) {
        0 => None,
        1 => Some(BoundingBox::new(-118.0, 14.0, -86.0, 33.0)),
        // Across the antimeridian, written either way.
        2 => {
            Some(BoundingBox::new(random.between(174.0, 180.0), -15.0, random.between(-180.0, -174.0), 15.0))
        }
        3 => Some(BoundingBox::new(random.between(174.0, 180.0), -15.0, random.between(180.0, 186.0), 15.0)),
        4 => Some(BoundingBox::new(
            random.between(-186.0, -180.0),
            -15.0,
            random.between(-180.0, -174.0),
            15.0,
        )),
        // Nothing in it: no height, or in no place.
        5 => Some(BoundingBox::new(x, 1.0, x + 3.0, 0.5)),
        6 => Some(BoundingBox::new(x, 88.0, x + 1.0, 89.0)),
        7 => Some(BoundingBox::new(-180.0, -90.0, 180.0, 90.0)),
        _ => Some(BoundingBox::new(
            x,
            y,
            (x + random.between(0.0, 90.0)).min(180.0),
            y + random.between(0.0, 40.0),
        )),
    };
    q
}

fn ids(rows: &[SceneRow]) -> Vec<&str> {
    rows.iter().map(|s| s.product_id.as_str()).collect()
}

/// Random queries, each whole, counted, limited and by pages.
fn compare(index: &SqliteIndex, known: &[Known], random: &mut Random, queries: usize) {
    let latest = index.latest_snapshot().unwrap();
    let mut answered = 0;
    for _ in 0..queries {
        let query = random_query(random, known);
        let snapshot = if random.one_in(2) { latest } else { random.below(latest as usize + 1) as u64 };
        let expected = filtered(known, &query, snapshot);
        answered += usize::from(!expected.is_empty());
        let all = index.scenes(&query, snapshot).unwrap();
        assert_eq!(ids(&all), expected, "{query:?} at {snapshot}");
        assert_eq!(index.count_scenes(&query, snapshot).unwrap(), expected.len() as u64, "{query:?}");

        let limit = 1 + random.below(1 + expected.len() / 3);
        let mut page = SceneQuery { limit, ..query.clone() };
        let mut joined: Vec<String> = Vec::new();
        loop {
            let rows = index.scenes(&page, snapshot).unwrap();
            assert!(rows.len() <= limit);
            assert_eq!(index.count_scenes(&page, snapshot).unwrap(), expected.len() as u64);
            joined.extend(rows.iter().map(|s| s.product_id.clone()));
            let Some(last) = rows.last() else { break };
            page.after = Some(last.position());
        }
        assert_eq!(joined, expected, "{page:?} at {snapshot}");
    }
    assert!(answered * 3 > queries, "only {answered} of {queries} queries have an answer");
}

fn cube(seed: u64) -> (tempfile::TempDir, SqliteIndex, Vec<Known>, Random) {
    let dir = tempfile::tempdir().unwrap();
    let index = SqliteIndex::create(dir.path()).unwrap();
    let mut random = Random::new(seed);
    let known = fill(&index, &mut random);
    assert!(known.iter().any(|k| k.scene.bbox.x_min > k.scene.bbox.x_max), "no scene crosses");
    assert!(known.iter().any(|k| k.retired.is_some()), "no scene was replaced");
    (dir, index, known, random)
}

#[test]
fn a_search_finds_what_a_filter_finds() {
    let (_dir, index, known, mut random) = cube(1);
    compare(&index, &known, &mut random, 1_000);
}

/// A cube of the schema before: `migrate` makes the footprints that later commits would have.
#[test]
fn a_migrated_cube_finds_the_same() {
    let (dir, index, known, mut random) = cube(2);
    drop(index);
    refill_footprints(dir.path());
    let index = SqliteIndex::open(dir.path()).unwrap();
    compare(&index, &known, &mut random, 300);
}

fn refill_footprints(dir: &Path) {
    let migration = include_str!("../../../../migrations/sqlite/0002_archive.sql");
    let from = migration.find("INSERT INTO footprints").unwrap();
    let insert = migration[from..].split_inclusive(';').next().unwrap();
    let db = rusqlite::Connection::open(dir.join("index.db")).unwrap();
    db.execute("DELETE FROM footprints", ()).unwrap();
    assert!(db.execute(insert, ()).unwrap() > 60);
}

/// Bounds of all boxes. With one across the antimeridian: from the western edge from which the last eastern edge lies
/// nearest, going east; the whole circle where that is a turn or more.
fn extent(boxes: &[BoundingBox]) -> Option<BoundingBox> {
    let flat = boxes.iter().copied().map(|b| b.not_across_180()).reduce(|a, b| a.union(&b))?;
    if !boxes.iter().any(|b| b.x_min > b.x_max) {
        return Some(flat);
    }
    let turned = |from: f64, to: f64| if to < from { to + 360.0 - from } else { to - from };
    let reach = |from: f64| {
        let last = |b: &BoundingBox| turned(from, b.x_min) + turned(b.x_min, b.x_max);
        boxes.iter().map(last).fold(0.0, f64::max)
    };
    let (west, reach) = boxes.iter().map(|b| (b.x_min, reach(b.x_min))).min_by(|a, b| a.1.total_cmp(&b.1))?;
    if reach >= 360.0 {
        return Some(BoundingBox { x_min: -180.0, x_max: 180.0, ..flat });
    }
    let nearest = |b: &&BoundingBox| (turned(west, b.x_max) - reach).abs() < 1e-9;
    let east = boxes.iter().find(nearest)?.x_max;
    Some(BoundingBox { x_min: west, x_max: east, ..flat })
}

#[test]
fn the_extent_of_scenes_on_either_side_of_180_is_the_shortest_that_holds_them() {
    let of = |boxes: &[[f64; 2]]| {
        let dir = tempfile::tempdir().unwrap();
        let index = SqliteIndex::create(dir.path()).unwrap();
        index.put_grid(&tesela_grid::builtin_grid("mx6372_30").unwrap()).unwrap();
        index.put_product("p", ProductKind::Scenes, "mx6372_30", "{}").unwrap();
        let scenes = boxes.iter().enumerate().map(|(i, [west, east])| NewScene {
            scene_key: i.to_string(),
            product_id: i.to_string(),
            platform: "landsat-8".into(),
            wrs_path: 1 + (i % 2) as u16,
            wrs_row: 1,
            acquired: Instant(i as i64),
            solar_day: "1970-01-01".into(),
            processed: None,
            tier: None,
            cloud_cover: None,
            bbox: BoundingBox::new(*west, -18.0, *east, -16.0),
            synthetic: true,
            document: "{}".into(),
        });
        let commit = IngestCommit {
            product: "p".into(),
            scenes: scenes.collect(),
            summary: "{}".into(),
            ..IngestCommit::default()
        };
        index.commit_ingest(&commit).unwrap();
        let (found, ..) = index.scenes_extent("p", 1).unwrap().unwrap();
        (found.x_min, found.x_max)
    };
    assert_eq!(of(&[[179.0, -179.0]]), (179.0, -179.0));
    assert_eq!(of(&[[179.0, -179.0], [176.0, 178.0], [-178.0, -176.0]]), (176.0, -176.0));
    assert_eq!(of(&[[179.0, -179.0], [-70.0, -60.0], [100.0, 110.0]]), (100.0, -60.0));
    // Across 180 from a scene that begins there, and one that ends there.
    assert_eq!(of(&[[180.0, -179.0], [-180.0, -178.0], [178.0, 180.0]]), (178.0, -178.0));
    assert_eq!(of(&[[-180.0, 180.0], [179.0, -179.0]]), (-180.0, 180.0), "round a pole");
    assert_eq!(of(&[[1.0, -179.0], [-180.0, 2.0]]), (-180.0, 180.0), "no gap");
    // None crosses it: as they lie.
    assert_eq!(of(&[[176.0, 178.0], [-178.0, -176.0]]), (-178.0, 178.0));
}

#[test]
fn the_extent_and_the_days_are_those_of_all_scenes() {
    let (_dir, index, known, mut random) = cube(3);
    let latest = index.latest_snapshot().unwrap();
    for i in 0..200 {
        let (product, snapshot) = (PRODUCTS[random.below(2)], random.below(latest as usize + 1) as u64);
        let scenes =
            || known.iter().filter(|k| k.product == product && visible(k, snapshot)).map(|k| &k.scene);
        let expected = extent(&scenes().map(|s| s.bbox).collect::<Vec<_>>()).map(|b| {
            let times = || scenes().map(|s| s.acquired);
            (b, times().min().unwrap(), times().max().unwrap())
        });
        assert_eq!(index.scenes_extent(product, snapshot).unwrap(), expected, "{product} at {snapshot}");

        let bbox = if i % 4 == 0 { None } else { random_query(&mut random, &known).bbox };
        let mut days: BTreeMap<&str, Vec<&NewScene>> = BTreeMap::new();
        for s in scenes().filter(|s| bbox.is_none_or(|b| meet(&b, &s.bbox))) {
            days.entry(&s.solar_day).or_default().push(s);
        }
        let found = index.scene_days(product, bbox.as_ref(), snapshot).unwrap();
        assert_eq!(found.len(), days.len(), "{bbox:?}");
        for (row, (day, scenes)) in found.iter().zip(days) {
            assert_eq!(row.solar_day, day);
            let first = scenes.iter().map(|s| s.acquired).min().unwrap();
            assert!(scenes.iter().any(|s| s.acquired == first && s.platform == row.platform), "{row:?}");
            let clouds: Vec<f64> = scenes.iter().filter_map(|s| s.cloud_cover).collect();
            let mean = (!clouds.is_empty()).then(|| clouds.iter().sum::<f64>() / clouds.len() as f64);
            assert_eq!(row.cloud_cover.is_some(), mean.is_some());
            assert!((row.cloud_cover.unwrap_or(0.0) - mean.unwrap_or(0.0)).abs() < 1e-9, "{row:?} {mean:?}");
        }
    }
}
