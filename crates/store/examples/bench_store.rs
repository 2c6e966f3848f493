//! Figures of the store on this machine and disk: `cargo run -p tesela-store --example bench_store [DIR]`.
//!
//! Prints one figure a line, `name value`; asserts nothing. One thread throughout. The data are made
//! here: smooth reflectance with parcels and sensor noise, and cloud gaps.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Map;
use tesela_model::DType;
use tesela_store::{
    ArrayRef, ArraySpec, Codec, LocalObjects, ObjectKey, Objects, Pixels, Slice, Store, StoreOptions, Window,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let root = std::env::args()
        .nth(1)
        .map_or_else(|| std::env::temp_dir().join("tesela_bench_store"), PathBuf::from);
    let _ = std::fs::remove_dir_all(&root);
    for (name, codec) in [("lz4_bit", Codec::Lz4Bit), ("zstd5_byte", Codec::Zstd5Byte)] {
        tiles(&root, name, codec)?;
    }
    fsync(&root)?;
    series(&root)?;
    archive(&root)?;
    std::fs::remove_dir_all(&root)?;
    Ok(())
}

fn spec(codec: Codec, shape: [u64; 3], shard: [u64; 3], inner: [u64; 3]) -> ArraySpec {
    ArraySpec {
        name: "red".to_owned(),
        dtype: DType::Uint16,
        fill: 0.0,
        mask_fill: true,
        shape,
        shard,
        inner,
        codec,
        scale: 2.75e-5,
        offset: -0.2,
        unit: "1".to_owned(),
        long_name: "red".to_owned(),
        attributes: Map::new(),
    }
}

/// `size × size` values of one date.
fn scene(size: usize, date: u64) -> Pixels {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64 ^ (date + 1).wrapping_mul(0xd134_2543_de82_ef95);
    let mut values = Vec::with_capacity(size * size);
    for y in 0..size {
        for x in 0..size {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let noise = (seed >> 58) as f64;
            let (u, v) = (x as f64, y as f64);
            let land = 900.0 * (u / 97.0).sin() * (v / 71.0).cos() + 400.0 * (u / 23.0 + v / 31.0).sin();
            let parcel = ((x / 17) * 7919 + (y / 13) * 104_729) % 1500;
            let cloud = (u / 210.0 + date as f64).sin() * (v / 180.0 - date as f64 * 0.7).cos() > 0.75;
            values.push(if cloud { 0 } else { (9500.0 + land + parcel as f64 + noise) as u16 });
        }
    }
    Pixels::from(values)
}

fn key(text: &str) -> Outcome<ObjectKey> {
    Ok(ObjectKey::new(text)?)
}

fn say(name: &str, value: f64) {
    println!("{name} {value:.3}");
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(f64::NAN, |t| t.as_secs_f64() * 1e3)
}

fn time<T>(mut work: impl FnMut() -> Outcome<T>) -> Outcome<Duration> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// Derived layout: shards of 2048², inner chunks of 256².
fn tiles(root: &Path, name: &str, codec: Codec) -> Outcome<()> {
    let no_cache = StoreOptions { chunk_cache_bytes: 0, ..StoreOptions::default() };
    let store = Store::open_local(root, &no_cache)?;
    let spec = spec(codec, [1, 2048, 2048], [1, 2048, 2048], [1, 256, 256]);
    let pixels = scene(2048, 3);
    let raw = pixels.bytes().len() as f64;
    let (mut encode, mut put, mut stored) = (Vec::new(), Vec::new(), 0);
    for n in 0..5 {
        let array = ArrayRef::from_spec(&key(&format!("tiles/{name}/{n}"))?, &spec)?;
        let mut writer = store.shard_writer(&array, [0; 3])?;
        encode.push(time(|| Ok(writer.put_window(0, 0, 0, 2048, 2048, &pixels)?))?);
        let mut writer = Some(writer);
        put.push(time(|| {
            let info = writer.take().ok_or("once")?.finish()?.ok_or("not empty")?;
            stored = info.bytes;
            Ok(())
        })?);
    }
    say(&format!("{name}_ratio"), raw / stored as f64);
    say(&format!("{name}_encode_mb_per_s"), raw / 1e3 / median(encode.clone()));
    say(&format!("{name}_put_2048_shard_ms"), median(put.clone()));
    let total: Vec<_> = encode.iter().zip(&put).map(|(a, b)| *a + *b).collect();
    say(&format!("{name}_write_mb_per_s_durable"), raw / 1e3 / median(total));

    let array = ArrayRef::from_spec(&key(&format!("tiles/{name}/0"))?, &spec)?;
    let mut out = Pixels::empty(DType::Uint16);
    let aligned = |n: i64| Window { y0: n / 8 % 8 * 256, x0: n % 8 * 256, height: 256, width: 256 };
    let across = |n: i64| Window { y0: n / 7 % 7 * 256 + 100, x0: n % 7 * 256 + 77, height: 256, width: 256 };
    let cached = Store::open_local(root, &StoreOptions::default())?;
    for n in 0..64 {
        cached.read_window(&array, 0, aligned(n), &mut out)?;
    }
    for (way, store) in [("file_warm", &store), ("cached", &cached)] {
        let mut read = |window: &dyn Fn(i64) -> Window| -> Outcome<f64> {
            let times: Outcome<Vec<_>> =
                (0..400).map(|n| time(|| Ok(store.read_window(&array, 0, window(n), &mut out)?))).collect();
            Ok(median(times?))
        };
        say(&format!("{name}_256_window_{way}_ms"), read(&aligned)?);
        say(&format!("{name}_256_window_across_4_chunks_{way}_ms"), read(&across)?);
    }
    let whole = Window { y0: 0, x0: 0, height: 2048, width: 2048 };
    let times: Outcome<Vec<_>> =
        (0..9).map(|_| time(|| Ok(store.read_window(&array, 0, whole, &mut out)?))).collect();
    say(&format!("{name}_whole_shard_mb_per_s"), raw / 1e3 / median(times?));
    Ok(())
}

/// What a put costs with and without fsync, and the fsync of its directory.
fn fsync(root: &Path) -> Outcome<()> {
    for (size, bytes) in [("4kb", 4 << 10), ("1mb", 1 << 20), ("8mb", 8 << 20)] {
        let body = vec![0x5a_u8; bytes];
        for (name, durable) in [("durable", true), ("unsynced", false)] {
            let objects = LocalObjects::open(&root.join(format!("fsync/{size}/{name}")), 16, durable)?;
            let mut count = 0;
            let times: Outcome<Vec<_>> = (0..40)
                .map(|_| {
                    count += 1;
                    let key = key(&format!("d/{count}"))?;
                    time(|| Ok(objects.put(&key, &body)?))
                })
                .collect();
            say(&format!("put_{size}_{name}_ms"), median(times?));
            if durable {
                say(
                    &format!("sync_directories_after_40_puts_{size}_ms"),
                    median(vec![time(|| Ok(objects.sync()?))?]),
                );
            }
        }
    }
    Ok(())
}

/// One pixel over 300 dates, each a shard of its own: the recent array of a scenes product.
fn series(root: &Path) -> Outcome<()> {
    let writing = Store::open_local(root, &StoreOptions { durable: false, ..StoreOptions::default() })?;
    let scenes: Vec<_> = (0..6).map(|date| scene(1024, date)).collect();
    for inner in [256, 64] {
        let spec = spec(Codec::Lz4Bit, [1, 1024, 1024], [1, 1024, 1024], [1, inner, inner]);
        let mut slots = Vec::new();
        for date in 0..300 {
            let array = ArrayRef::from_spec(&key(&format!("series/{inner}/{date}"))?, &spec)?;
            let mut writer = writing.shard_writer(&array, [0; 3])?;
            writer.put_window(0, 0, 0, 1024, 1024, &scenes[date % scenes.len()])?;
            writer.finish()?;
            slots.push(Slice { array, t: 0 });
        }
        let mut out = Pixels::empty(DType::Uint16);
        let name = format!("series_300_slots_inner_{inner}");
        let mut first = Vec::new();
        for _ in 0..5 {
            let fresh = Store::open_local(root, &StoreOptions::default())?;
            first.push(time(|| Ok(fresh.read_stack(&slots, Window::pixel(500, 500), &mut out)?))?);
        }
        say(&format!("{name}_no_index_cached_ms"), median(first));
        let store = Store::open_local(
            root,
            &StoreOptions { chunk_cache_bytes: 0, open_files: 600, ..StoreOptions::default() },
        )?;
        let times: Outcome<Vec<_>> = (0..9)
            .map(|_| time(|| Ok(store.read_stack(&slots, Window::pixel(500, 500), &mut out)?)))
            .collect();
        say(&format!("{name}_index_cached_ms"), median(times?));
        let store = Store::open_local(root, &StoreOptions::default())?;
        let times: Outcome<Vec<_>> = (0..9)
            .map(|_| time(|| Ok(store.read_stack(&slots, Window::pixel(500, 500), &mut out)?)))
            .collect();
        say(&format!("{name}_chunks_cached_ms"), median(times?));
    }
    Ok(())
}

/// One pixel over 320 dates in five archive blocks of 64, for the layouts design 5 names.
fn archive(root: &Path) -> Outcome<()> {
    let store = Store::open_local(
        root,
        &StoreOptions { durable: false, chunk_cache_bytes: 0, ..StoreOptions::default() },
    )?;
    let scenes: Vec<_> = (0..16).map(|date| scene(512, date)).collect();
    for inner in [[4, 128, 128], [8, 64, 64], [16, 64, 64]] {
        let spec = spec(Codec::Zstd5Byte, [320, 512, 512], [64, 512, 512], inner);
        let name = format!("archive_{}x{}x{}", inner[0], inner[1], inner[2]);
        let array = ArrayRef::from_spec(&key(&name)?, &spec)?;
        let (mut stored, start) = (0, Instant::now());
        for block in 0..5 {
            let mut writer = store.shard_writer(&array, [block, 0, 0])?;
            for date in 0..64 {
                writer.put_window(
                    date as u64,
                    0,
                    0,
                    512,
                    512,
                    &scenes[(date * 5 + block as usize) % scenes.len()],
                )?;
            }
            stored += writer.finish()?.ok_or("not empty")?.bytes;
        }
        let raw = 320.0 * 512.0 * 512.0 * 2.0;
        say(&format!("{name}_write_mb_per_s"), raw / 1e6 / start.elapsed().as_secs_f64());
        say(&format!("{name}_ratio"), raw / stored as f64);
        let dates: Vec<u64> = (0..320).collect();
        let mut out = Pixels::empty(DType::Uint16);
        let mut read = |dates: &[u64], window| -> Outcome<f64> {
            let times: Outcome<Vec<_>> =
                (0..9).map(|_| time(|| Ok(store.read_windows(&array, dates, window, &mut out)?))).collect();
            Ok(median(times?))
        };
        say(&format!("{name}_series_320_ms"), read(&dates, Window::pixel(200, 300))?);
        say(
            &format!("{name}_256_window_1_date_ms"),
            read(&[100], Window { y0: 64, x0: 64, height: 256, width: 256 })?,
        );
        let stack = read(&dates, Window { y0: 128, x0: 128, height: 256, width: 256 })?;
        say(&format!("{name}_256_window_320_dates_mb_per_s"), 320.0 * 256.0 * 256.0 * 2.0 / 1e3 / stack);
    }
    Ok(())
}
