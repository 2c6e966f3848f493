//! Compaction against decoding and encoding the same pixels; `check` against hashing and decoding the same objects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use tesela_compute::Cube;
use tesela_compute::archive::CompactOptions;
use tesela_index::Index;
use tesela_model::{Instant, Period, Silent};
use tesela_store::{ArrayRef, ObjectKey, Pixels, Store, StoreError, Window};

use crate::Fallible;
use crate::figures::{cpu_s, say, timed};

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

/// Turns of each side of a check; the least CPU time counts.
const CHECK_TURNS: usize = 3;

/// The whole check, and what it cannot do without: reading and hashing every object, and decoding once, to nothing, every
/// stored chunk that facts or levels follow from (level 0 of slots, every level of derived rasters). All sides with as
/// many threads, in turn.
pub fn check(dir: &Path, name: &str) -> Fallible<()> {
    let cube = Cube::open(dir)?;
    let objects = cube.index().objects()?;
    let hash = || -> Fallible<()> {
        objects.par_iter().try_for_each(|object| {
            let bytes = std::fs::read(cube.store_dir().join(&object.key))?;
            std::hint::black_box(blake3::hash(&bytes));
            Ok(())
        })
    };
    hash()?;
    let arrays = checked_arrays(&cube)?;
    let (mut hashed, mut decoded, mut checked) = ([f64::INFINITY; 2], [f64::INFINITY; 2], [f64::INFINITY; 2]);
    let least = |known: &mut [f64; 2], found: [f64; 2]| *known = [0, 1].map(|k| known[k].min(found[k]));
    let (mut raw, mut bytes) = (0, 0);
    for _ in 0..CHECK_TURNS {
        least(&mut hashed, timed(hash)?.0);
        let (times, values) = timed(|| scan(&plain(&cube), &arrays))?;
        least(&mut decoded, times);
        raw = values;
        let fresh = Cube::open(dir)?;
        let (times, report) = timed(|| Ok(fresh.check(&Silent)?))?;
        least(&mut checked, times);
        bytes = report.bytes;
        if let Some(fault) = report.faults.first() {
            return Err(format!("{}: {}", fault.kind, fault.detail).into());
        }
    }
    let mb = bytes as f64 / 1e6;
    let (wall, cpu) = (checked[0] / 1e3, checked[1] / 1e3);
    say(&format!("{name}_objects"), objects.len() as f64);
    say(&format!("{name}_mb"), mb);
    say(&format!("{name}_decoded_raw_mb"), raw as f64 / 1e6);
    say(&format!("{name}_objects_per_s"), objects.len() as f64 / wall);
    say(&format!("{name}_mb_per_s"), mb / wall);
    say(&format!("{name}_cpu_s"), cpu);
    say(&format!("{name}_mb_per_cpu_s"), mb / cpu);
    say(&format!("{name}_hash_mb_per_cpu_s"), mb / (hashed[1] / 1e3));
    say(&format!("{name}_bound_hash_cpu_s"), hashed[1] / 1e3);
    say(&format!("{name}_bound_decode_cpu_s"), decoded[1] / 1e3);
    say(&format!("{name}_share_of_bound"), (hashed[1] + decoded[1]) / 1e3 / cpu);
    Ok(())
}

/// The arrays whose pixels a check looks at: level 0 of visible slots, every level of visible rasters.
fn checked_arrays(cube: &Cube) -> Fallible<Vec<ArrayRef>> {
    let (index, store) = (cube.index(), plain(cube));
    let snapshot = index.latest_snapshot()?;
    let always = Period { start: Instant(i64::MIN / 4), end: Instant(i64::MAX / 4) };
    let mut found = Vec::new();
    for product in index.products()? {
        let slots = index.slots(&product.id, None, &always, snapshot)?;
        let groups: BTreeSet<String> = slots.into_iter().map(|slot| slot.prefix).collect();
        for group in groups {
            let arrays = store.open_group(&ObjectKey::new(&group)?)?;
            found.extend(arrays.into_iter().filter(|a| !a.path().as_str().contains("/overviews/")));
        }
        for raster in index.generations(&product.id, snapshot)? {
            found.extend(store.open_group(&ObjectKey::new(&raster.prefix)?)?);
        }
    }
    Ok(found)
}

/// Decodes every stored chunk; bytes of values.
fn scan(store: &Store, arrays: &[ArrayRef]) -> Fallible<u64> {
    let bytes = arrays.par_iter().map(|array| {
        let [_, height, width] = array.shape().map(|n| n as usize);
        let mut bytes = 0;
        store.scan(array, Window { y0: 0, x0: 0, height, width }, &mut |_, pixels| {
            bytes += std::hint::black_box(pixels).bytes().len() as u64;
            Ok::<(), StoreError>(())
        })?;
        Ok::<u64, StoreError>(bytes)
    });
    Ok(bytes.sum::<Result<u64, _>>()?)
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
