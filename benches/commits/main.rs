//! How long a commit takes when 0, 10,000 and 100,000 scenes are in the index: 250 scenes at once, four slots to a scene,
//! an overview for each solar day and platform, on the disk of the target folder with every commit made durable. Times
//! are medians, CPU milliseconds where the name says so.
//!
//! `cargo bench -p tesela-benches --profile dev --bench commits`
//!
//! What grows is the number of pages a commit changes: 230 to 410 in the first nine, 1,050 with 10,000 scenes, 1,830 with
//! 64,000, 1,850 with 100,000. With 64,000, 900 are of `slots_tile`, one a tile that the batch meets (1,000 slots in 1,272
//! tiles), 660 of the three indexes of scenes by path and row, by key and by name (750 rows), 290 of all other trees. Nearly
//! each row of those four has a page of its own by then: readers of a tile's dates and searches by place enter there.

#![allow(clippy::expect_used, reason = "a bench that fails stops")]
#![allow(dead_code, reason = "the archive is shared with the search")]

#[path = "../scene_search/archive.rs"]
mod archive;

use std::time::Instant as Clock;

use tesela_index::{Index, SqliteIndex};

const SEED: u64 = 7_999;
/// Scenes in the index before the measured commits.
const SIZES: [usize; 3] = [0, 10_000, 100_000];
/// Scenes of one commit, the same at every size: about 32 solar days of a country.
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
            archive::commit_whole(&index, &all[at..at + size - held], BATCH).expect("scenes go in");
            at += size - held;
            held = size;
        }
        let (mut times, mut cpu_times) = (Vec::new(), Vec::new());
        for _ in 0..COMMITS {
            let batch = &all[at..at + BATCH];
            at += BATCH;
            held += BATCH;
            let (start, cpu) = (Clock::now(), cpu_s());
            archive::commit_whole(&index, batch, BATCH).expect("scenes go in");
            cpu_times.push((cpu_s() - cpu) * 1e3);
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        cpu_times.sort_by(f64::total_cmp);
        println!("commit_{size}_scenes_ms {:.1}", times[COMMITS / 2]);
        println!("commit_{size}_scenes_worst_ms {:.1}", times[COMMITS - 1]);
        println!("commit_{size}_scenes_cpu_ms {:.1}", cpu_times[COMMITS / 2]);
    }
    println!("commit_batch_scenes {BATCH}");
    println!("commit_snapshots {}", index.latest_snapshot().expect("a snapshot"));
}

/// CPU seconds of this process so far.
fn cpu_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
