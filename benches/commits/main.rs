//! How long a commit takes when 0, 10,000 and 100,000 scenes are in the index: batches of 32 solar days, four slots to
//! a scene, overviews, on the disk of the target folder with every commit made durable.
//!
//! `cargo bench -p tesela-benches --profile dev --bench commits`

#![allow(clippy::expect_used, reason = "a bench that fails stops")]
#![allow(dead_code, reason = "the archive is shared with the search")]

#[path = "../scene_search/archive.rs"]
mod archive;

use std::time::Instant as Clock;

use tesela_index::{Index, NewScene, SqliteIndex};

const SEED: u64 = 7_999;
/// Scenes in the index before the measured commits.
const SIZES: [usize; 3] = [0, 10_000, 100_000];
/// Scenes of one commit: about 32 solar days of a country.
const BATCH: usize = 250;
const COMMITS: usize = 9;

fn main() {
    let all = archive::scenes(SIZES[2] + BATCH * COMMITS * SIZES.len(), SEED);
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let index = SqliteIndex::create(dir.path()).expect("an index");
    archive::register(&index);
    let (mut at, mut held) = (0, 0);
    for size in SIZES {
        if size > held {
            put(&index, &all[at..at + size - held]);
            at += size - held;
            held = size;
        }
        let mut times = Vec::new();
        for _ in 0..COMMITS {
            let batch = &all[at..at + BATCH];
            at += BATCH;
            held += BATCH;
            let start = Clock::now();
            let commits = put(&index, batch);
            times.push(start.elapsed().as_secs_f64() * 1e3 / commits as f64);
        }
        times.sort_by(f64::total_cmp);
        println!("commit_{size}_scenes_ms {:.1}", times[COMMITS / 2]);
        println!("commit_{size}_scenes_worst_ms {:.1}", times[COMMITS - 1]);
    }
    println!("commit_batch_scenes {BATCH}");
    println!("commit_snapshots {}", index.latest_snapshot().expect("a snapshot"));
}

/// Scenes, slots and overviews; the number of commits.
fn put(index: &SqliteIndex, scenes: &[NewScene]) -> usize {
    archive::commit_whole(index, scenes).expect("scenes go in")
}
