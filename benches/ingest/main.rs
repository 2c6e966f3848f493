//! How near bulk ingest comes to its bound: the CPU time of decoding every scene once for each tile that it meets,
//! warping it, and compressing every chunk that is written, pyramids included, each measured alone in the same run.
//!
//! `cargo bench -p tesela-benches --profile dev --bench ingest [-- --size PX] [--years A-B] [--repeat N]
//! [--archive DIR] [--only NAME]`; an archive keeps the scenes in a directory, and takes those that are there.
//!
//! Both sides are measured in turn, `N` times, and added up: CPU time alone is not the same from one minute to the
//! next on a machine with other work.
//!
//! The scenes are synthetic (a Landsat archive in the USGS layout, deflate with predictor), once onto their own pixels
//! (`utm15_30`), twice warped (`mx6372_30`): measured bands by the nearest pixel, and bilinear. One figure a line:
//! `ingest_{own|warped_nearest|warped_bilinear}_{what} value`. In the bound: opening a file for each tile, as who holds
//! no thousand files open must; sampling by the very kernels of ingest, on the same pixels; the checksum of a chunk,
//! which is part of its codec. Not in the bound: planning, fusing, pyramids' arithmetic, facts, digests, writing files,
//! the index.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gdal::{Dataset, DatasetOptions, GdalOpenFlags};
use rayon::prelude::*;
use tesela_crs::with_transformer;
use tesela_grid::{GridDef, PixelWindow, builtin_grid};
use tesela_index::{Index, ProductKind, SqliteIndex};
use tesela_ingest::plan::{PlannedScene, place, resolve_files};
use tesela_ingest::source::discover;
use tesela_ingest::{IngestOptions, IngestReport, ingest};
use tesela_model::{Measurement, ProductDef, PyramidRule, Resampling, Silent, shipped_product};
use tesela_raster::{NearestIndex, Source, SourceGrid, gather};
use tesela_store::{ObjectKey, Pixels, ShardWriter, Store, StoreOptions, Window};
use tesela_synth::SynthConfig;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Fallible<()> {
    let (mut size, mut years, mut repeat, mut kept, mut only) = (1024, 2013..=2015, 3, None, None);
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
            "--only" => only = Some(given.next().ok_or("--only NAME")?),
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
    for (name, grid, kernel) in [
        ("own", "utm15_30", None),
        ("warped_nearest", "mx6372_30", Some(Resampling::Nearest)),
        ("warped_bilinear", "mx6372_30", Some(Resampling::Bilinear)),
    ] {
        if only.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let cube = scratch.path().join(name);
        measure(name, &builtin_grid(grid)?, kernel, &archive.join("scenes"), &cube, repeat)?;
    }
    Ok(())
}

/// One way in, `repeat` times; warped by `kernel` where a band holds measured values, else not warped at all.
fn measure(
    name: &str,
    grid: &GridDef,
    kernel: Option<Resampling>,
    scenes: &Path,
    cube: &Path,
    repeat: u32,
) -> Fallible<()> {
    let mut product = shipped_product("landsat_c2_sr").ok_or("no landsat_c2_sr")??;
    product.grid.clone_from(&grid.id);
    for m in product.measurements.iter_mut().filter(|m| m.pyramid == PyramidRule::Mean) {
        m.resampling = kernel.unwrap_or(m.resampling);
    }
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
        if kernel.is_some() {
            warping += warp(&product, &planned, grid)?;
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
    let whole = |s: &PlannedScene| PixelWindow::new(0, 0, s.geobox.width, s.geobox.height);
    let files: Vec<(&Path, PixelWindow)> = scenes
        .iter()
        .flat_map(|s| s.files.values().map(move |(_, file, _)| (file.path.as_path(), whole(s))))
        .collect();
    let bytes = files.par_iter().map(|(path, window)| Ok(read(path, window)?.len() as u64 * 2));
    bytes.try_reduce(|| 0, |a, b| Ok(a + b))
}

/// A scene in a tile: the part of the grid, and the pixels of its files that this needs.
struct Place<'s> {
    scene: &'s PlannedScene,
    part: PixelWindow,
    read: PixelWindow,
}

/// Every scene once for each tile that it meets.
fn places<'s>(scenes: &'s [PlannedScene], grid: &GridDef) -> Fallible<Vec<Place<'s>>> {
    let mut found = Vec::new();
    for scene in scenes {
        for tile in scene.tiles(grid) {
            let Some(part) = scene.window.intersection(&grid.tile_window(tile, 0)) else { continue };
            let g = &scene.geobox;
            let bounds = with_transformer(&grid.crs, &g.crs, |t| {
                let (mut xs, mut ys): (Vec<f64>, Vec<f64>) =
                    grid.geobox(&part, 0).bounds().edge_points(9).into_iter().unzip();
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
                let read = PixelWindow::new(left as i64, top as i64, right - left, bottom - top);
                found.push(Place { scene, part, read });
            }
        }
    }
    Ok(found)
}

/// A window of a file. Only the driver that ingest allows is asked.
fn read(path: &Path, window: &PixelWindow) -> Fallible<Vec<u16>> {
    let options = DatasetOptions {
        open_flags: GdalOpenFlags::GDAL_OF_RASTER | GdalOpenFlags::GDAL_OF_READONLY,
        allowed_drivers: Some(&["GTiff"]),
        ..DatasetOptions::default()
    };
    let dataset = Dataset::open_ex(path, options)?;
    let (at, size) = ((window.px as isize, window.py as isize), (window.width, window.height));
    Ok(dataset.rasterband(1)?.read_as::<u16>(at, size, size, None)?.into_shape_and_vec().1)
}

/// Reads every band of every scene once for each tile that it meets, the window that it needs.
fn decode_by_tile(scenes: &[PlannedScene], grid: &GridDef) -> Fallible<()> {
    let places = places(scenes, grid)?;
    let jobs: Vec<(&Path, &PixelWindow)> = places
        .iter()
        .flat_map(|p| p.scene.files.values().map(|(_, file, _)| (file.path.as_path(), &p.read)))
        .collect();
    jobs.par_iter().try_for_each(|(path, window)| {
        std::hint::black_box(read(path, window)?);
        Ok(())
    })
}

/// What was read of each band.
type Bands<'p> = Vec<(&'p Measurement, Vec<u16>)>;

/// Scenes in tiles whose pixels are held together.
const WARPED_TOGETHER: usize = 4;

/// Finds where the pixels of every tile lie in each scene that it meets, once for all bands, and samples each band by
/// its own kernel, nodata left out of its weights. CPU seconds of that alone: reading is done before.
fn warp(product: &ProductDef, scenes: &[PlannedScene], grid: &GridDef) -> Fallible<f64> {
    let kernels: BTreeMap<&str, &Measurement> =
        product.measurements.iter().map(|m| (m.name.as_str(), m)).collect();
    let mut seconds = 0.0;
    for places in places(scenes, grid)?.chunks(WARPED_TOGETHER) {
        let pixels: Vec<(&Place<'_>, Bands<'_>)> = places
            .iter()
            .map(|p| {
                let bands = p.scene.files.iter();
                let bands = bands
                    .map(|(name, (_, file, _))| Ok((kernels[name.as_str()], read(&file.path, &p.read)?)));
                Ok((p, bands.collect::<Fallible<_>>()?))
            })
            .collect::<Fallible<_>>()?;
        let start = cpu_s();
        pixels.par_iter().try_for_each(|(p, bands)| {
            let g = &p.scene.geobox;
            let source = with_transformer(&grid.crs, &g.crs, |t| {
                SourceGrid::new(&grid.geobox(&p.part, 0), |xs, ys| {
                    t.transform(xs, ys);
                    for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
                        (*x, *y) = g.col_row(*x, *y);
                    }
                })
            })?;
            let nearest = NearestIndex::new(&source, &p.read);
            bands.par_iter().try_for_each(|(m, raw)| {
                let mut picture = vec![0_u16; p.part.len()];
                match m.resampling {
                    Resampling::Nearest => nearest.gather(raw, m.nodata as u16, &mut picture)?,
                    kernel => {
                        gather(&Source::new(raw, p.read, m.nodata as u16)?, &source, kernel, &mut picture)?;
                    }
                }
                std::hint::black_box(&picture);
                Fallible::Ok(())
            })
        })?;
        seconds += cpu_s() - start;
    }
    Ok(seconds)
}

/// Chunks that are compressed together.
const ENCODED_TOGETHER: usize = 512;

/// Compresses every stored chunk of the cube's slots again, pyramids and mosaic levels among them; CPU seconds of that
/// alone, and bytes uncompressed. On all threads, as ingest does it: a core that shares its cache and clock with another
/// that works takes longer for the same.
fn encode(store: &Store, index: &SqliteIndex) -> Fallible<(f64, u64)> {
    let memory = Store::in_memory();
    let (mut seconds, mut bytes) = (0.0, 0);
    let mut chunks: Vec<(ShardWriter, [u64; 3], Pixels)> = Vec::new();
    let mut encode = |chunks: &mut Vec<(ShardWriter, [u64; 3], Pixels)>| -> Fallible<()> {
        let start = cpu_s();
        chunks.par_iter().try_for_each(|(writer, inner, pixels)| {
            std::hint::black_box(writer.encode_chunk(*inner, pixels)?);
            Fallible::Ok(())
        })?;
        seconds += cpu_s() - start;
        bytes += chunks.drain(..).map(|(_, _, pixels)| pixels.bytes().len() as u64).sum::<u64>();
        Ok(())
    };
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
                    chunks.push((memory.shard_writer(&array, shard)?, inner, pixels));
                    if chunks.len() == ENCODED_TOGETHER {
                        encode(&mut chunks)?;
                    }
                }
            }
        }
    }
    encode(&mut chunks)?;
    Ok((seconds, bytes))
}

/// CPU seconds of this process so far, all threads.
fn cpu_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a live timespec.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}
