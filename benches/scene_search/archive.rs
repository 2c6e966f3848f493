//! An index of synthetic scenes over Mexico: the WRS-2 cells and the 16-day calendars are real, which of the passes are
//! there and how cloudy they are comes from a seed.

use tesela_grid::{BoundingBox, TileId};
use tesela_index::{
    Index, IndexError, IngestCommit, NewGroup, NewObject, NewOverview, NewScene, NewSlot, ProductKind,
};
use tesela_model::Instant;

/// Product the scenes belong to.
pub const PRODUCT: &str = "landsat_c2_sr";

/// Solar days in one commit, as `ingest` does by default.
const BATCH_DAYS: usize = 32;

/// Platform, sensor, first and last day of its archive, days since 1970; day of path 44, modulo 16.
const PLATFORMS: [(&str, &str, i64, i64, i64); 4] = [
    ("landsat-5", "LT05", 5_173, 15_129, PATH_44_DAY),
    ("landsat-7", "LE07", 10_696, 19_087, PATH_44_DAY + 8),
    ("landsat-8", "LC08", 15_806, 20_453, PATH_44_DAY),
    ("landsat-9", "LC09", 18_931, 20_453, PATH_44_DAY + 8),
];
/// Landsat 8 passed over path 44 on 2014-03-18.
const PATH_44_DAY: i64 = 16_147;

/// Repeatable pseudo-random numbers (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A cell of WRS-2 and its lon/lat bounds.
#[derive(Clone, Copy)]
pub struct Cell {
    pub path: u16,
    pub row: u16,
    pub bounds: BoundingBox,
}

/// The cells over Mexico.
pub fn cells() -> Vec<Cell> {
    let line = |l: &str| -> Option<Cell> {
        let n: Vec<f64> = l.split(',').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [path, row, west, south, east, north] = n[..] else { return None };
        let bounds = BoundingBox::new(west, south, east, north);
        Some(Cell { path: path as u16, row: row as u16, bounds })
    };
    include_str!("wrs2_mexico.csv").lines().filter_map(line).collect()
}

/// `count` scenes, drawn from all passes of all platforms, by solar day.
pub fn scenes(count: usize, seed: u64) -> Vec<NewScene> {
    let mut random = Random::new(seed);
    let mut passes = Vec::new();
    for cell in cells() {
        for (p, (_, _, first, last, phase)) in PLATFORMS.iter().enumerate() {
            // A path is passed seven days after the one east of it.
            let due = phase + 7 * (i64::from(cell.path) - 44);
            let start = first + (due - first).rem_euclid(16);
            passes.extend((start..=*last).step_by(16).map(|day| (random.next(), day, p, cell)));
        }
    }
    assert!(passes.len() >= count, "only {} passes", passes.len());
    passes.sort_by_key(|(draw, ..)| *draw);
    passes.truncate(count);
    passes.sort_by_key(|(_, day, p, cell)| (*day, *p, cell.path, cell.row));
    passes.into_iter().map(|(_, day, p, cell)| scene(&mut random, day, p, &cell)).collect()
}

fn scene(random: &mut Random, day: i64, platform: usize, cell: &Cell) -> NewScene {
    let (platform, sensor, ..) = PLATFORMS[platform];
    // Mid-morning, and 24 s from row to row.
    let acquired = Instant(day * 86_400 + 61_200 + 24 * (i64::from(cell.row) - 36));
    let solar_day = acquired.date().to_string();
    let compact = solar_day.replace('-', "");
    let scene_key = format!("{sensor}_{:03}{:03}_{compact}", cell.path, cell.row);
    let product_id = format!("{sensor}_L2SP_{:03}{:03}_{compact}_20200831_02_T1", cell.path, cell.row);
    // Bounds wander a little from pass to pass.
    let (dx, dy) = (random.between(-0.05, 0.05), random.between(-0.01, 0.01));
    let b = cell.bounds;
    let file = format!("/archive/{product_id}/{product_id}_SR_B");
    let files: Vec<String> =
        (1..=7).map(|n| format!("{{\"band\":\"B{n}\",\"path\":\"{file}{n}.TIF\"}}")).collect();
    NewScene {
        document: format!("{{\"product_id\":\"{product_id}\",\"files\":[{}]}}", files.join(",")),
        scene_key,
        product_id,
        platform: platform.into(),
        wrs_path: cell.path,
        wrs_row: cell.row,
        acquired,
        solar_day,
        processed: Some("2020-08-31".into()),
        tier: Some("T1".into()),
        cloud_cover: Some(100.0 * random.between(0.0, 1.0).powf(1.4)),
        bbox: BoundingBox::new(b.x_min + dx, b.y_min + dy, b.x_max + dx, b.y_max + dy),
        synthetic: false,
    }
}

/// Registers the shipped product and its grid.
pub fn register(index: &dyn Index) {
    let grid = tesela_grid::builtin_grid("mx6372_30").expect("a shipped grid");
    index.put_grid(&grid).expect("a grid goes in");
    let product = tesela_model::shipped_product(PRODUCT).expect("a shipped product").expect("it reads");
    let definition = serde_json::to_string(&product).expect("it writes");
    index.put_product(PRODUCT, ProductKind::Scenes, &grid.id, &definition).expect("a product goes in");
}

/// Runs of scenes of 32 solar days.
fn batches(scenes: &[NewScene]) -> Vec<&[NewScene]> {
    let days: Vec<&[NewScene]> = scenes.chunk_by(|a, b| a.solar_day == b.solar_day).collect();
    let mut at = 0;
    let mut batches = Vec::new();
    for days in days.chunks(BATCH_DAYS) {
        let n: usize = days.iter().map(|d| d.len()).sum();
        batches.push(&scenes[at..at + n]);
        at += n;
    }
    batches
}

/// Commits scenes, 32 solar days at once; the number of commits.
pub fn commit_scenes(index: &dyn Index, scenes: &[NewScene]) -> Result<usize, IndexError> {
    let batches = batches(scenes);
    for batch in &batches {
        index.commit_ingest(&IngestCommit {
            product: PRODUCT.into(),
            run: "bench".into(),
            scenes: batch.to_vec(),
            summary: "{}".into(),
            ..IngestCommit::default()
        })?;
    }
    Ok(batches.len())
}

/// Commits four slots for each scene and an overview for each solar day and platform; the number of slots.
pub fn commit_slots(index: &dyn Index, scenes: &[NewScene]) -> Result<usize, IndexError> {
    commit_with(index, &batches(scenes), false)
}

/// Commits scenes with their slots and overviews, so many scenes at once.
#[allow(dead_code, reason = "the bench of commits uses it")]
pub fn commit_whole(index: &dyn Index, scenes: &[NewScene], at_once: usize) -> Result<(), IndexError> {
    commit_with(index, &scenes.chunks(at_once).collect::<Vec<_>>(), true).map(|_| ())
}

fn commit_with(index: &dyn Index, batches: &[&[NewScene]], whole: bool) -> Result<usize, IndexError> {
    let mut slots = 0;
    for batch in batches {
        // Names that no other call gives.
        let b = batch.first().map_or("", |s| &s.scene_key);
        let mut commit = IngestCommit {
            product: PRODUCT.into(),
            run: "bench".into(),
            summary: "{}".into(),
            scenes: if whole { batch.to_vec() } else { Vec::new() },
            ..IngestCommit::default()
        };
        let group = |prefix: String| NewGroup {
            archive: false,
            objects: vec![NewObject { key: format!("{prefix}/zarr.json"), bytes: 1, digest: "0".repeat(64) }],
            prefix,
        };
        let mut positions = std::collections::BTreeMap::new();
        for s in *batch {
            for k in 0..4 {
                let tile = TileId {
                    ix: 2 * i32::from(s.wrs_path) + k % 2,
                    iy: 2 * (100 - i32::from(s.wrs_row)) + k / 2,
                };
                let prefix = format!("scenes/{PRODUCT}/{}_{}/bench-{b}", tile.ix, tile.iy);
                let position = positions.entry(prefix.clone()).or_insert(0);
                commit.slots.push(NewSlot {
                    tile,
                    solar_day: s.solar_day.clone(),
                    time: s.acquired,
                    platform: s.platform.clone(),
                    prefix,
                    position: *position,
                    scenes: vec![s.product_id.clone()],
                });
                *position += 1;
            }
        }
        commit.slot_groups = positions.into_keys().map(group).collect();
        let mosaic = format!("scenes/{PRODUCT}/mosaic/bench-{b}");
        for day in batch.chunk_by(|a, b| a.solar_day == b.solar_day && a.platform == b.platform) {
            commit.overviews.push(NewOverview {
                solar_day: day[0].solar_day.clone(),
                time: day[0].acquired,
                platform: day[0].platform.clone(),
                prefix: mosaic.clone(),
                position: commit.overviews.len() as u64,
                slots_digest: "0".repeat(64),
                tile_min: TileId { ix: 0, iy: 0 },
                tile_end: TileId { ix: 200, iy: 200 },
            });
        }
        commit.overview_groups.push(group(mosaic));
        slots += commit.slots.len();
        index.commit_ingest(&commit)?;
    }
    Ok(slots)
}
