//! Scene search in an index of 118,000 scenes (synthetic: real WRS-2 cells and calendars, clouds from a seed), against
//! a plain scan of the same table; then, with four slots to a scene, what a server asks of the index when it starts.
//! The search is measured on scenes without slots, which it does not read.

#![allow(clippy::expect_used, reason = "a bench that fails stops")]

mod archive;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant as Clock;

use archive::{PRODUCT, Random, cells};
use rusqlite::{Connection, params};
use tesela_compute::Cube;
use tesela_grid::{BoundingBox, TileId};
use tesela_index::{Index, SceneOrder, SceneQuery, SceneRow, SqliteIndex};
use tesela_model::{Instant, Period, TimeSelector};

const SCENES: usize = 118_000;
const QUERIES: usize = 1_000;
/// Every so many queries are answered by the scan too.
const SCANNED: usize = 10;
const SEED: u64 = 7_999;
const KINDS: [&str; 3] = ["degree", "state", "country"];

fn main() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let scenes = archive::scenes(SCENES, SEED);
    let index = SqliteIndex::create(dir.path()).expect("an index");
    archive::register(&index);
    let (commits, s) = timed(|| archive::commit_scenes(&index, &scenes).expect("scenes go in"));
    println!("scenes {SCENES}");
    println!("scenes_per_s_commit {:.0}", SCENES as f64 / s);
    println!("ms_per_commit_of_32_days {:.1}", 1e3 * s / commits as f64);
    println!("index_mb_scenes {:.1}", megabytes(dir.path()));
    let snapshot = index.latest_snapshot().expect("a snapshot");
    search(dir.path(), &index, snapshot);
    drop(index);

    let index = SqliteIndex::open(dir.path()).expect("an index");
    let (slots, s) = timed(|| archive::commit_slots(&index, &scenes).expect("slots go in"));
    println!("slots {slots}");
    println!("slots_per_s_commit {:.0}", slots as f64 / s);
    drop(index);
    println!("index_mb_with_slots {:.1}", megabytes(dir.path()));
    start(dir.path());
}

/// Seeded searches: box of each kind in turn, three years, cloud below 20.
fn queries() -> Vec<SceneQuery> {
    let mut random = Random::new(SEED);
    let cells = cells();
    (0..QUERIES)
        .map(|i| {
            let b = cells[random.next() as usize % cells.len()].bounds;
            let (x, y) = (random.between(b.x_min, b.x_max), random.between(b.y_min, b.y_max));
            let bbox = match KINDS[i % 3] {
                "degree" => BoundingBox::new(x - 0.5, y - 0.5, x + 0.5, y + 0.5),
                "state" => BoundingBox::new(x - 2.0, y - 1.5, x + 2.0, y + 1.5),
                _ => BoundingBox::new(-118.4, 14.5, -86.7, 32.8),
            };
            let start = random.between(4.6e8, 1.67e9) as i64;
            SceneQuery {
                product: Some(PRODUCT.into()),
                time: Some(Period { start: Instant(start), end: Instant(start + 3 * 31_557_600) }),
                bbox: Some(bbox),
                cloud_cover_max: Some(20.0),
                order: SceneOrder::NewestFirst,
                limit: 100,
                ..SceneQuery::default()
            }
        })
        .collect()
}

fn search(dir: &Path, index: &SqliteIndex, snapshot: u64) {
    let queries = queries();
    let scan = Connection::open(dir.join("index.db")).expect("the database");
    let mut ours: Vec<Vec<f64>> = vec![Vec::new(); KINDS.len()];
    let mut counts = Vec::new();
    let mut pages = Vec::new();
    let (mut both, mut scans) = (0.0, 0.0);
    let mut rows = [0usize; KINDS.len()];
    for (i, query) in queries.iter().enumerate() {
        let (found, s) = timed(|| index.scenes(query, snapshot).expect("scenes"));
        ours[i % KINDS.len()].push(s);
        rows[i % KINDS.len()] += found.len();
        let (matched, t) = timed(|| index.count_scenes(query, snapshot).expect("a count"));
        counts.push(t);
        assert!(matched as usize >= found.len(), "{matched} matched, {} listed", found.len());
        if let (Some(last), 100) = (found.last(), found.len()) {
            let next = SceneQuery { after: Some(last.position()), ..query.clone() };
            pages.push(timed(|| black_box(index.scenes(&next, snapshot).expect("scenes"))).1);
        }
        if i % SCANNED == 0 {
            let (keys, t) = timed(|| scanned(&scan, query, snapshot));
            both += s;
            scans += t;
            assert_eq!(keys, found.iter().map(|s| s.id).collect::<Vec<_>>(), "{query:?}");
        }
    }
    for (kind, (times, rows)) in KINDS.iter().zip(ours.iter().zip(rows)) {
        println!("scene_search_rows_mean_{kind} {:.1}", rows as f64 / times.len() as f64);
        percentiles(&format!("scene_search_{kind}"), times);
    }
    percentiles("scene_search", &ours.concat());
    percentiles("scene_search_next_page", &pages);
    percentiles("scene_count", &counts);
    println!("scene_scan_mean_ms {:.3}", 1e3 * scans / (QUERIES / SCANNED) as f64);
    println!("ratio_vs_scan {:.1}", scans / both);
}

/// Row ids that a plain scan of the table finds.
fn scanned(db: &Connection, q: &SceneQuery, snapshot: u64) -> Vec<i64> {
    let sql = "SELECT id, product_id, platform, solar_day, west, south, east, north FROM scenes NOT INDEXED
               WHERE product = ?1 AND acquired >= ?2 AND acquired < ?3 AND cloud_cover <= ?4
                 AND west <= ?7 AND east >= ?5 AND south <= ?8 AND north >= ?6
                 AND added <= ?9 AND (retired IS NULL OR retired > ?9)
               ORDER BY acquired DESC, id DESC LIMIT ?10";
    let (t, b) = (q.time.expect("a time"), q.bbox.expect("a box"));
    let mut statement = db.prepare_cached(sql).expect("SQL");
    let values = params![
        q.product,
        t.start.0,
        t.end.0,
        q.cloud_cover_max,
        b.x_min,
        b.y_min,
        b.x_max,
        b.y_max,
        snapshot as i64,
        q.limit as i64
    ];
    let rows = statement.query_map(values, |r| r.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// A question to the index; how many rows answer it.
type Ask<'a> = &'a dyn Fn(&SqliteIndex) -> usize;

/// What a server asks before its first picture, each on a newly opened index whose file the system has in memory.
fn start(dir: &Path) {
    let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
    let snapshot = SqliteIndex::open(dir).and_then(|i| i.latest_snapshot()).expect("a snapshot");
    let last = SceneQuery { order: SceneOrder::NewestFirst, limit: 1, ..SceneQuery::default() };
    let scene: SceneRow =
        SqliteIndex::open(dir).and_then(|i| i.scenes(&last, snapshot)).expect("scenes").remove(0);
    let around =
        Period { start: Instant(scene.acquired.0 - 172_800), end: Instant(scene.acquired.0 + 172_800) };
    let tile = TileId { ix: 2 * i32::from(scene.wrs_path), iy: 2 * (100 - i32::from(scene.wrs_row)) };
    let asked: [(&str, Ask<'_>); 14] = [
        ("latest_snapshot", &|i| i.latest_snapshot().expect("read") as usize),
        ("has_synthetic", &|i| usize::from(i.has_synthetic().expect("read"))),
        ("scenes_extent", &|i| usize::from(i.scenes_extent(PRODUCT, snapshot).expect("read").is_some())),
        ("scene_by_id", &|i| {
            let query = SceneQuery { id: Some(scene.product_id.clone()), ..SceneQuery::default() };
            i.scenes(&query, snapshot).expect("read").len()
        }),
        ("scene_days", &|i| i.scene_days(PRODUCT, None, snapshot).expect("read").len()),
        ("scene_days_of_a_cell", &|i| {
            i.scene_days(PRODUCT, Some(&scene.bbox), snapshot).expect("read").len()
        }),
        ("scene_days_of_half", &|i| {
            let half = BoundingBox::new(-103.0, 0.0, -80.0, 40.0);
            i.scene_days(PRODUCT, Some(&half), snapshot).expect("read").len()
        }),
        ("latest_slot_day", &|i| {
            let last = i.slot_day(PRODUCT, &always, None, SceneOrder::NewestFirst, snapshot);
            usize::from(last.expect("read").is_some())
        }),
        ("slot_days", &|i| i.slot_days(PRODUCT, snapshot).expect("read").len()),
        ("slot_tiles", &|i| i.slot_tiles(PRODUCT, snapshot).expect("read").len()),
        ("slots_of_a_day", &|i| i.slots(PRODUCT, None, &around, snapshot).expect("read").len()),
        ("slots_of_a_tile", &|i| i.slots(PRODUCT, Some(tile), &always, snapshot).expect("read").len()),
        ("overviews_of_a_day", &|i| i.overviews(PRODUCT, &around, snapshot).expect("read").len()),
        ("all_scenes", &|i| {
            let query = SceneQuery { product: Some(PRODUCT.into()), ..SceneQuery::default() };
            i.scenes(&query, snapshot).expect("read").len()
        }),
    ];
    for (name, ask) in asked {
        let mut rows = 0;
        let ms = median(|| {
            let index = SqliteIndex::open(dir).expect("an index");
            let (n, s) = timed(|| ask(&index));
            rows = n;
            s
        });
        println!("{name}_rows {rows}");
        println!("{name}_ms {ms:.2}");
    }
    let ms = median(|| {
        timed(|| {
            let cube = Cube::open(dir).expect("a cube");
            let snapshot = cube.snapshot(None).expect("a snapshot");
            cube.moment(PRODUCT, &TimeSelector::Latest, snapshot).expect("a moment")
        })
        .1
    });
    println!("cube_open_to_moment_ms {ms:.2}");
    let ms = median(|| {
        timed(|| {
            let cube = Cube::open(dir).expect("a cube");
            let snapshot = cube.snapshot(None).expect("a snapshot");
            cube.extent(PRODUCT, snapshot).expect("an extent");
            cube.dates(PRODUCT, None, snapshot).expect("dates")
        })
        .1
    });
    println!("cube_open_to_capabilities_ms {ms:.2}");
}

fn timed<R>(work: impl FnOnce() -> R) -> (R, f64) {
    let start = Clock::now();
    let result = work();
    (result, start.elapsed().as_secs_f64())
}

/// Of five runs, ms.
fn median(mut seconds: impl FnMut() -> f64) -> f64 {
    let mut times: Vec<f64> = (0..5).map(|_| seconds()).collect();
    times.sort_by(f64::total_cmp);
    1e3 * times[2]
}

fn percentiles(name: &str, seconds: &[f64]) {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    for p in [50, 95] {
        let at = (sorted.len() * p).div_ceil(100).saturating_sub(1);
        println!("{name}_p{p}_ms {:.3}", 1e3 * sorted.get(at).copied().unwrap_or(f64::NAN));
    }
}

fn megabytes(dir: &Path) -> f64 {
    let size = |name: &str| std::fs::metadata(dir.join(name)).map_or(0, |m| m.len());
    (size("index.db") + size("index.db-wal")) as f64 / 1e6
}
