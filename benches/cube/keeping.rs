//! Compaction against decoding and encoding the same pixels; `check` against reading and hashing the same files.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;
use tesela_compute::Cube;
use tesela_compute::archive::CompactOptions;
use tesela_index::Index;
use tesela_model::Silent;
use tesela_store::{ArrayRef, ObjectKey, Pixels, Store, Window};

use crate::Fallible;
use crate::figures::{cpu_s, files, say, timed};

pub fn measure(dir: &Path) -> Fallible<()> {
    check(dir, "check_recent")?;
    let cube = Cube::open(dir)?;
    let before = slot_groups(cube.index())?;
    let bound_decode = decode(&cube, &before)?;
    let lock = cube.lock("bench")?;
    let options = CompactOptions { all: true, ..CompactOptions::default() };
    let ([wall, cpu], report) = timed(|| Ok(cube.compact(&options, &Silent)?))?;
    drop(lock);
    if report.blocks == 0 {
        return Err("nothing was compacted".into());
    }
    let after: Vec<String> =
        slot_groups(cube.index())?.into_iter().filter(|group| !before.contains(group)).collect();
    let bound_encode = encode(&cube, &after)?;
    // What was written is read back once: that belongs to the task.
    let read_back = decode(&cube, &after)?;
    let stored = report.bytes_before as f64 / 1e6;
    say("compact_slots", report.slots as f64);
    say("compact_stored_mb", stored);
    say("compact_raw_mb", report.raw_bytes as f64 / 1e6);
    say("compact_wall_s", wall / 1e3);
    say("compact_cpu_s", cpu / 1e3);
    say("compact_stored_mb_per_s", stored / (wall / 1e3));
    say("compact_stored_mb_per_cpu_s", stored / (cpu / 1e3));
    say("compact_bound_decode_cpu_s", bound_decode);
    say("compact_bound_encode_cpu_s", bound_encode);
    say("compact_bound_read_back_cpu_s", read_back);
    say("compact_share_of_bound", (bound_decode + bound_encode) / (cpu / 1e3));
    say("compact_share_of_bound_with_read_back", (bound_decode + bound_encode + read_back) / (cpu / 1e3));
    check(dir, "check_both")
}

pub fn slot_groups(index: &dyn Index) -> Fallible<Vec<String>> {
    Ok(index.groups()?.into_iter().filter(|g| g.kind != "generation").map(|g| g.prefix).collect())
}

/// Whole check, and reading and hashing every file of the store with as many threads.
fn check(dir: &Path, name: &str) -> Fallible<()> {
    let cube = Cube::open(dir)?;
    let all = files(&cube.store_dir())?;
    let hash = || -> Fallible<u64> {
        let bytes: Vec<u64> = all
            .par_iter()
            .map(|path| {
                let bytes = std::fs::read(path)?;
                std::hint::black_box(blake3::hash(&bytes));
                Ok::<u64, std::io::Error>(bytes.len() as u64)
            })
            .collect::<Result<_, _>>()?;
        Ok(bytes.into_iter().sum())
    };
    hash()?;
    let ([hash_wall, hash_cpu], bytes) = timed(hash)?;
    let ([wall, cpu], report) = timed(|| Ok(cube.check(&Silent)?))?;
    if let Some(fault) = report.faults.first() {
        return Err(format!("{}: {}", fault.kind, fault.detail).into());
    }
    say(&format!("{name}_objects"), report.objects as f64);
    say(&format!("{name}_mb"), report.bytes as f64 / 1e6);
    say(&format!("{name}_objects_per_s"), report.objects as f64 / (wall / 1e3));
    say(&format!("{name}_mb_per_s"), report.bytes as f64 / 1e6 / (wall / 1e3));
    say(&format!("{name}_mb_per_cpu_s"), report.bytes as f64 / 1e6 / (cpu / 1e3));
    say(&format!("{name}_hash_mb_per_s"), bytes as f64 / 1e6 / (hash_wall / 1e3));
    say(&format!("{name}_hash_mb_per_cpu_s"), bytes as f64 / 1e6 / (hash_cpu / 1e3));
    say(&format!("{name}_cpu_vs_hash"), cpu / hash_cpu);
    Ok(())
}

/// A store over the cube's objects with nothing cached, so that every chunk is decoded.
pub fn plain(cube: &Cube) -> Store {
    let options = tesela_store::StoreOptions { chunk_cache_bytes: 0, ..Default::default() };
    Store::with_objects(cube.store().objects().clone(), &options)
}

/// Reads all stored pixels of some groups; CPU seconds.
fn decode(cube: &Cube, groups: &[String]) -> Fallible<f64> {
    let store = plain(cube);
    let start = cpu_s();
    for group in groups {
        for array in store.open_group(&ObjectKey::new(group)?)? {
            decode_array(&store, &array)?;
        }
    }
    Ok(cpu_s() - start)
}

/// Reads all stored pixels of an array.
fn decode_array(store: &Store, array: &ArrayRef) -> Fallible<()> {
    let [dates, ..] = array.shape();
    let depth = array.inner()[0];
    for first in (0..dates).step_by(depth as usize) {
        let held: Vec<u64> = (first..dates.min(first + depth)).collect();
        if let Some(window) = held.iter().find_map(|t| store.stored_window(array, *t).ok().flatten()) {
            let mut pixels = Pixels::empty(array.dtype());
            store.read_windows(array, &held, window, &mut pixels)?;
            std::hint::black_box(&pixels);
        }
    }
    Ok(())
}

/// Compresses every stored chunk of some groups again; CPU seconds of that alone.
pub fn encode(cube: &Cube, groups: &[String]) -> Fallible<f64> {
    let (store, memory) = (plain(cube), Store::in_memory());
    let mut seconds = 0.0;
    for group in groups {
        for array in store.open_group(&ObjectKey::new(group)?)? {
            let ([dates, ..], [depth, rows, columns]) = (array.shape(), array.inner());
            let per = array.chunks_per_shard();
            for first in (0..dates).step_by(depth as usize) {
                let mut windows: BTreeMap<(i64, i64), Window> = BTreeMap::new();
                for t in first..dates.min(first + depth) {
                    let Some(w) = store.stored_window(&array, t)? else { continue };
                    for y0 in (w.y0..w.y0 + w.height as i64).step_by(rows as usize) {
                        for x0 in (w.x0..w.x0 + w.width as i64).step_by(columns as usize) {
                            let (height, width) = (rows as usize, columns as usize);
                            windows.insert((y0, x0), Window { y0, x0, height, width });
                        }
                    }
                }
                let all: Vec<u64> = (first..first + depth).collect();
                for window in windows.into_values() {
                    let mut pixels = Pixels::empty(array.dtype());
                    store.read_windows(&array, &all, window, &mut pixels)?;
                    let chunk = [first / depth, window.y0 as u64 / rows, window.x0 as u64 / columns];
                    let shard: [u64; 3] = std::array::from_fn(|i| chunk[i] / per[i]);
                    let inner: [u64; 3] = std::array::from_fn(|i| chunk[i] % per[i]);
                    let writer = memory.shard_writer(&array, shard)?;
                    let start = cpu_s();
                    std::hint::black_box(writer.encode_chunk(inner, &pixels)?);
                    seconds += cpu_s() - start;
                }
            }
        }
    }
    Ok(seconds)
}
