//! How the store's chunks are best cut: layouts of the archive, and of scenes as they arrive, on real reflectance
//! arranged to a stack (`stack` says what is real), through the store's own interface. One thread reads.
//!
//! `cargo bench -p tesela-benches --profile dev --bench layout [-- --quick] [--dates N] [--side N]`
//!
//! One figure a line, `layout_{inner}_{codec}_{what} value`, then a table. *Warm*: files in the page cache, shard
//! indexes cached, chunk cache off. *Fresh*: as warm, by a store just opened. *Cold*: as fresh, every file dropped
//! from the page cache before; what the host of a virtual machine caches is beyond reach. Arrays are as large as their
//! shards (archive 64×1024×1024 in groups of 64 dates, recent 1×2048×2048 in groups of 32), so indexes have their true
//! size; the stack fills the north-west of them, and the empty entries are not counted as stored.

mod measure;
mod real;
mod stack;

use std::path::Path;
use std::time::Instant;

use tesela_store::{Codec, Pixels};

use measure::{Figures, Layout, Repeats, measure, stored};
use real::{BANDS, Fallible};
use stack::Stack;

/// What the bars are set for (design 12), milliseconds.
const SERIES_WARM_MOST: f64 = 40.0;
const SERIES_COLD_MOST: f64 = 150.0;
/// What a tile may take to read, of 4.5 ms for all of it.
const TILE_WARM_MOST: f64 = 3.0;

/// Crops at 30 m.
const CROPS: [&str; 4] = ["017051_20151205", "204023_20200927", "218074_20190114", "218074_20190130"];

struct Arguments {
    dates: usize,
    side: usize,
    repeats: Repeats,
    quick: bool,
}

fn main() -> Fallible<()> {
    let arguments = arguments()?;
    let begun = Instant::now();
    let data = match real::folder() {
        Ok(data) => data,
        Err(missing) => {
            eprintln!("left out: {missing}");
            return Ok(());
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(4);
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let stack = Stack::make(&data, scratch.path(), arguments.dates, arguments.side, threads)?;
    println!(
        "{} dates of {} × {}, {:.2} GB, made in {:.0} s",
        stack.dates,
        stack.side,
        stack.side,
        stack.bytes() / 1e9,
        begun.elapsed().as_secs_f64()
    );
    controls(&data)?;
    let mut rows = Vec::new();
    for layout in layouts(arguments.quick) {
        let root = scratch.path().join(&layout.name);
        let figures = measure(&stack, &layout, &root, threads, arguments.repeats)?;
        print(&layout, &figures);
        rows.push((layout, figures));
    }
    table(&rows);
    println!("\n{:.0} s in all", begun.elapsed().as_secs_f64());
    Ok(())
}

fn arguments() -> Fallible<Arguments> {
    let mut given = std::env::args().skip(1);
    let repeats = Repeats { warm: 15, cold: 7 };
    let mut a = Arguments { dates: 690, side: 512, repeats, quick: false };
    while let Some(argument) = given.next() {
        let mut number =
            || given.next().and_then(|n| n.parse().ok()).ok_or(format!("{argument} takes a number"));
        match argument.as_str() {
            "--quick" => {
                a = Arguments { dates: 128, side: 512, repeats: Repeats { warm: 5, cold: 3 }, quick: true };
            }
            "--dates" => a.dates = number()?,
            "--side" => a.side = number()?,
            "--bench" => {}
            other => return Err(format!("unknown argument {other}").into()),
        }
    }
    if a.dates == 0 || ![512, 1024].contains(&a.side) {
        return Err("at least one date, and a side of 512 or 1024".into());
    }
    Ok(a)
}

fn layouts(quick: bool) -> Vec<Layout> {
    let codecs = [("lz4", Codec::Lz4Bit), ("zstd5", Codec::Zstd5Byte)];
    let mut all = Vec::new();
    for [t, y, x] in
        [[4, 128, 128], [8, 128, 128], [4, 64, 64], [8, 64, 64], [16, 64, 64], [8, 32, 32], [16, 32, 32]]
    {
        for (name, codec) in codecs.into_iter().skip(usize::from(quick)) {
            all.push(Layout {
                name: format!("{t}x{y}x{x}_{name}"),
                codec,
                inner: [t, y, x],
                shard: [64, 1024, 1024],
                group_dates: 64,
            });
        }
    }
    for side in [64, 128, 256] {
        all.push(Layout {
            name: format!("recent{side}_lz4"),
            codec: Codec::Lz4Bit,
            inner: [1, side, side],
            shard: [1, 2048, 2048],
            group_dates: 32,
        });
    }
    all
}

/// How well real pixels compress that nobody arranged: the crops at 30 m, by chunk side, and the cube, by depth.
fn controls(data: &Path) -> Fallible<()> {
    for (name, codec) in [("lz4", Codec::Lz4Bit), ("zstd5", Codec::Zstd5Byte)] {
        for side in [64, 128, 256] {
            let mut mean = 0.0;
            for id in CROPS {
                let image = real::crop(data, id)?;
                let mut bytes = 0.0;
                for band in image.bands {
                    let rows = band.chunks_exact(image.width).take(256);
                    let part: Vec<u16> = rows.flat_map(|row| row[..256].to_vec()).collect();
                    bytes += stored(part.into(), 0.0, [1, 256, 256], [1, side, side], codec)? / BANDS as f64;
                }
                println!("real_crop_{id}_{side}_{name}_bytes {bytes:.3}");
                mean += bytes / CROPS.len() as f64;
            }
            println!("real_crops_{side}_{name}_bytes {mean:.3}");
        }
        let cube = real::cube(data)?;
        for depth in [1, 4, 8, 16, 32] {
            let bytes = stored(
                Pixels::from(cube.values.clone()),
                f64::from(i16::MIN),
                cube.shape,
                [depth, cube.shape[1] as u64, cube.shape[2] as u64],
                codec,
            )?;
            println!("real_cube_{depth}x31x31_{name}_bytes {bytes:.3}");
        }
    }
    Ok(())
}

fn print(layout: &Layout, f: &Figures) {
    let figures = [
        ("reflectance_bytes", f.bytes[0]),
        ("qa_bytes", f.bytes[1]),
        ("ratio", 2.0 / f.bytes[2]),
        ("bytes_per_pixel", f.bytes[2] * (BANDS + 1) as f64),
        ("write_mb_s", f.write),
        ("tile_cached_ms", f.tile[0]),
        ("tile_warm_ms", f.tile[1]),
        ("tile_fresh_ms", f.tile[2]),
        ("tile_cold_ms", f.tile[3]),
        ("tile_requests", f.tile_requests.reads() as f64),
        ("tile_kb", f.tile_requests.bytes_read as f64 / 1e3),
        ("series_warm_ms", f.series[0]),
        ("series_fresh_ms", f.series[1]),
        ("series_cold_ms", f.series[2]),
        ("series_requests", f.series_requests.reads() as f64),
        ("series_mb", f.series_requests.bytes_read as f64 / 1e6),
        ("stack_mb_s", f.stack),
    ];
    for (name, value) in figures {
        println!("layout_{}_{name} {value:.3}", layout.name);
    }
}

fn table(rows: &[(Layout, Figures)]) {
    println!(
        "\n| layout | bytes/value: reflectance, QA | ratio | write MB/s | tile ms: cached, warm, fresh, cold \
         | tile requests, MB | series ms: warm, fresh, cold | series requests, MB | stack MB/s | bars |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for (layout, f) in rows {
        let [cached, warm, fresh, cold] = f.tile;
        let [s_warm, s_fresh, s_cold] = f.series;
        let kept = s_warm <= SERIES_WARM_MOST && s_cold <= SERIES_COLD_MOST && warm <= TILE_WARM_MOST;
        println!(
            "| {} | {:.2}, {:.2} | {:.2} | {:.0} | {cached:.2}, {warm:.2}, {fresh:.2}, {cold:.2} | {}, {:.2} \
             | {s_warm:.1}, {s_fresh:.1}, {s_cold:.1} | {}, {:.1} | {:.0} | {} |",
            layout.name,
            f.bytes[0],
            f.bytes[1],
            2.0 / f.bytes[2],
            f.write,
            f.tile_requests.reads(),
            f.tile_requests.bytes_read as f64 / 1e6,
            f.series_requests.reads(),
            f.series_requests.bytes_read as f64 / 1e6,
            f.stack,
            if kept { "met" } else { "not met" },
        );
    }
}
