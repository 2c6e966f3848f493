//! How near bulk ingest comes to its bound: the CPU time of decoding every scene once for each tile that it meets,
//! warping it, and compressing every chunk that is written, pyramids included, each measured alone in the same run.
//!
//! `cargo bench -p tesela-benches --profile dev --bench ingest [-- --size PX] [--years A-B] [--repeat N]
//! [--archive DIR]`; the last keeps the scenes in a directory, and takes those that are there.
//!
//! Both sides are measured in turn, `N` times, and added up: CPU time alone is not the same from one minute to the
//! next on a machine with other work.
//!
//! The scenes are synthetic (a Landsat archive in the USGS layout, deflate with predictor), once onto their own pixels
//! (`utm15_30`), once warped (`mx6372_30`). One figure a line: `ingest_{own|warped}_{what} value`. Not in the bound:
//! fusing, pyramids' arithmetic, digests, checksums, writing files, the index.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gdal::Dataset;
use rayon::prelude::*;
use tesela_crs::with_transformer;
use tesela_grid::{GridDef, PixelWindow, builtin_grid};
use tesela_index::{Index, ProductKind, SqliteIndex};
use tesela_ingest::plan::{PlannedScene, place, resolve_files};
use tesela_ingest::source::discover;
use tesela_ingest::{IngestOptions, IngestReport, ingest};
use tesela_model::{ProductDef, Silent, shipped_product};
use tesela_raster::{NearestIndex, SourceGrid};
use tesela_store::{ObjectKey, Pixels, Store, StoreOptions, Window};
use tesela_synth::SynthConfig;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Fallible<()> {
    let (mut size, mut years, mut repeat, mut kept) = (1024, 2013..=2015, 3, None);
    let mut given = std::env::args().skip(1);
    while let Some(argument) = given.next() {
        match argument.as_str() {
            "--size" => size = given.next().ok_or("--size PX")?.parse()?,
            "--years" => {
                let text = given.next().ok_or("--years A-B")?;
                let (a, b) = text.split_once('-').ok_or("--years A-B")?;
                years = a.parse()?..=b.parse()?;
            }
            "--repeat" => repeat = given.next().ok_or("--repeat N")?.parse::<u32>()?.max(1),
            "--archive" => kept = Some(PathBuf::from(given.next().ok_or("--archive DIR")?)),
            _ => {}
        }
    }
    let scratch = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let archive = kept.unwrap_or_else(|| scratch.path().join("archive"));
    let config = SynthConfig { size_px: size, years, ..SynthConfig::default() };
    if !archive.join("scenes").exists() {
        tesela_synth::generate(&config, &archive, &|_| {})?;
    }
    for (name, grid) in [("own", "utm15_30"), ("warped", "mx6372_30")] {
        let cube = scratch.path().join(name);
        measure(name, &builtin_grid(grid)?, &archive.join("scenes"), &cube, repeat)?;
    }
    Ok(())
}

fn measure(name: &str, grid: &GridDef, scenes: &Path, cube: &Path, repeat: u32) -> Fallible<()> {
    let mut product = shipped_product("landsat_c2_sr").ok_or("no landsat_c2_sr")??;
    product.grid.clone_from(&grid.id);
    let paths = [scenes.to_path_buf()];
    let options = IngestOptions { bulk: true, ..IngestOptions::default() };
    // Once without measuring: files into the page cache.
    let planned = plan(&product, grid, &paths)?;
    let source_bytes = decode(&planned)?;
    let (mut report, mut written) = (IngestReport::default(), 0);
    let (mut wall, mut cpu, mut whole, mut decoding, mut warping, mut encoding) =
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    let mut shares = Vec::new();
    for _ in 0..repeat {
        let so_far = (cpu, decoding + warping + encoding);
        let index = SqliteIndex::create(cube)?;
        index.put_grid(grid)?;
        index.put_product(
            &product.product,
            ProductKind::Scenes,
            &grid.id,
            &serde_json::to_string(&product)?,
        )?;
        let store = Store::open_local(&cube.join("store"), &StoreOptions::default())?;
        let clock = Instant::now();
        let start = cpu_s();
        report = ingest(&store, &index, &product, grid, &paths, &options, &Silent)?;
        wall += clock.elapsed().as_secs_f64();
        cpu += cpu_s() - start;
        let start = cpu_s();
        decode(&planned)?;
        whole += cpu_s() - start;
        let start = cpu_s();
        decode_by_tile(&planned, grid)?;
        decoding += cpu_s() - start;
        if name == "warped" {
            let start = cpu_s();
            warp(&planned, grid)?;
            warping += cpu_s() - start;
        }
        let (seconds, bytes) = encode(&store, &index)?;
        encoding += seconds;
        written = bytes;
        shares.push((decoding + warping + encoding - so_far.1) / (cpu - so_far.0));
        drop((store, index));
        std::fs::remove_dir_all(cube)?;
    }
    let each = |sum: f64| sum / f64::from(repeat);
    let say = |what: &str, value: f64| println!("ingest_{name}_{what} {value:.3}");
    say("scenes", report.added as f64);
    say("source_mb", source_bytes as f64 / 1e6);
    say("written_mb_uncompressed", written as f64 / 1e6);
    say("written_mb", report.bytes as f64 / 1e6);
    say("overlap", report.overlap);
    say("overlap_of_decoding", decoding / whole);
    say("cpu_s", each(cpu));
    say("wall_s", each(wall));
    say("mb_per_cpu_s", source_bytes as f64 / 1e6 / each(cpu));
    say("decode_cpu_s", each(decoding));
    say("warp_cpu_s", each(warping));
    say("encode_cpu_s", each(encoding));
    // As if every block of every file were decoded once, however many tiles it lies in.
    say("share_of_bound_decoding_once", (whole + warping + encoding) / cpu);
    shares.sort_by(f64::total_cmp);
    say("share_of_bound_least", shares[0]);
    say("share_of_bound_median", shares[shares.len() / 2]);
    say("share_of_bound", (decoding + warping + encoding) / cpu);
    Ok(())
}

fn plan(product: &ProductDef, grid: &GridDef, paths: &[PathBuf]) -> Fallible<Vec<PlannedScene>> {
    let mut planned = Vec::new();
    for source in discover(paths).scenes.into_iter().filter(|s| s.tier.as_deref() == Some("T1")) {
        let files = resolve_files(product, &source)?;
        planned.push(place(product, grid, source, files)?);
    }
    Ok(planned)
}

/// Reads every band of every scene whole, as it is; bytes.
fn decode(scenes: &[PlannedScene]) -> Fallible<u64> {
    let files: Vec<&PathBuf> =
        scenes.iter().flat_map(|s| s.files.values().map(|(_, file, _)| &file.path)).collect();
    let bytes: Vec<u64> = files
        .par_iter()
        .map(|path| {
            let dataset = Dataset::open(path)?;
            let (width, height) = dataset.raster_size();
            let buffer =
                dataset.rasterband(1)?.read_as::<u16>((0, 0), (width, height), (width, height), None)?;
            Ok::<u64, gdal::errors::GdalError>(buffer.data().len() as u64 * 2)
        })
        .collect::<Result<_, _>>()?;
    Ok(bytes.into_iter().sum())
}

/// Reads every band of every scene once for each tile that it meets, the window that it needs.
fn decode_by_tile(scenes: &[PlannedScene], grid: &GridDef) -> Fallible<()> {
    let mut jobs = Vec::new();
    for scene in scenes {
        for tile in scene.tiles(grid) {
            let Some(window) = scene.window.intersection(&grid.tile_window(tile, 0)) else { continue };
            let g = &scene.geobox;
            let bounds = with_transformer(&grid.crs, &g.crs, |t| {
                let (mut xs, mut ys): (Vec<f64>, Vec<f64>) =
                    grid.geobox(&window, 0).bounds().edge_points(9).into_iter().unzip();
                t.transform(&mut xs, &mut ys);
                let places = xs.iter().zip(&ys).map(|(x, y)| g.col_row(*x, *y));
                places.fold([f64::MAX, f64::MAX, f64::MIN, f64::MIN], |b, (c, r)| {
                    [b[0].min(c), b[1].min(r), b[2].max(c), b[3].max(r)]
                })
            })?;
            let (left, top) = (bounds[0].floor().max(0.0) as usize, bounds[1].floor().max(0.0) as usize);
            let right = (bounds[2].ceil().max(0.0) as usize).min(g.width);
            let bottom = (bounds[3].ceil().max(0.0) as usize).min(g.height);
            if left < right && top < bottom {
                let size = (right - left, bottom - top);
                jobs.extend(scene.files.values().map(|(_, file, _)| (&file.path, (left, top), size)));
            }
        }
    }
    jobs.par_iter().try_for_each(|(path, at, size)| {
        let dataset = Dataset::open(path)?;
        let at = (at.0 as isize, at.1 as isize);
        std::hint::black_box(dataset.rasterband(1)?.read_as::<u16>(at, *size, *size, None)?);
        Ok(())
    })
}

/// Finds and gathers the nearest source pixel for every pixel of every tile a scene meets, band by band.
fn warp(scenes: &[PlannedScene], grid: &GridDef) -> Fallible<()> {
    let jobs: Vec<(&PlannedScene, PixelWindow)> = scenes
        .iter()
        .flat_map(|s| {
            let tiles = s.tiles(grid).into_iter();
            tiles.filter_map(move |t| Some((s, s.window.intersection(&grid.tile_window(t, 0))?)))
        })
        .collect();
    jobs.par_iter().try_for_each(|(scene, window)| {
        let g = &scene.geobox;
        let source = with_transformer(&grid.crs, &g.crs, |t| {
            SourceGrid::new(&grid.geobox(window, 0), |xs, ys| {
                t.transform(xs, ys);
                for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
                    (*x, *y) = g.col_row(*x, *y);
                }
            })
        })?;
        let whole = PixelWindow::new(0, 0, g.width, g.height);
        let nearest = NearestIndex::new(&source, &whole);
        let raw = vec![7_u16; whole.len()];
        for _ in scene.files.values() {
            let mut picture = vec![0_u16; window.len()];
            nearest.gather(&raw, 0, &mut picture)?;
            std::hint::black_box(&picture);
        }
        Ok(())
    })
}

/// Compresses every stored chunk of the cube's slots again; CPU seconds of that alone, and bytes uncompressed.
fn encode(store: &Store, index: &SqliteIndex) -> Fallible<(f64, u64)> {
    let memory = Store::in_memory();
    let (mut seconds, mut bytes) = (0.0, 0);
    for group in index.groups()?.into_iter().filter(|g| g.kind != "generation") {
        for array in store.open_group(&ObjectKey::new(&group.prefix)?)? {
            let ([dates, ..], [depth, rows, columns]) = (array.shape(), array.inner());
            let per = array.chunks_per_shard();
            for first in (0..dates).step_by(depth as usize) {
                let held: Vec<u64> = (first..dates.min(first + depth)).collect();
                let mut windows: BTreeMap<(i64, i64), Window> = BTreeMap::new();
                for t in &held {
                    let Some(w) = store.stored_window(&array, *t)? else { continue };
                    for y in (w.y0..w.y0 + w.height as i64).step_by(rows as usize) {
                        for x in (w.x0..w.x0 + w.width as i64).step_by(columns as usize) {
                            let (height, width) = (rows as usize, columns as usize);
                            windows.insert((y, x), Window { y0: y, x0: x, height, width });
                        }
                    }
                }
                for window in windows.into_values() {
                    let mut pixels = Pixels::empty(array.dtype());
                    // Dates past the end are fill, as they are in the chunk.
                    let all: Vec<u64> = (first..first + depth).collect();
                    store.read_windows(&array, &all, window, &mut pixels)?;
                    let chunk = [first / depth, window.y0 as u64 / rows, window.x0 as u64 / columns];
                    let shard: [u64; 3] = std::array::from_fn(|i| chunk[i] / per[i]);
                    let inner: [u64; 3] = std::array::from_fn(|i| chunk[i] % per[i]);
                    let writer = memory.shard_writer(&array, shard)?;
                    let start = cpu_s();
                    std::hint::black_box(writer.encode_chunk(inner, &pixels)?);
                    seconds += cpu_s() - start;
                    bytes += pixels.bytes().len() as u64;
                }
            }
        }
    }
    Ok((seconds, bytes))
}

/// CPU seconds of this process so far, all threads.
fn cpu_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
