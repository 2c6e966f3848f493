//! One layout: written, read every way, and removed.

use std::fs::File;
use std::hint::black_box;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Map;
use tesela_grid::{CrsName, GeoBox};
use tesela_store::{
    ArrayRef, ArraySpec, Codec, CountingObjects, GroupSpec, LocalObjects, ObjectKey, Pixels, Requests, Slice,
    Store, StoreOptions, Window,
};

use crate::real::{BANDS, Fallible};
use crate::stack::{NAMES, Stack, scrambled};

/// Side of a map tile, pixels.
const TILE: usize = 256;
/// Red, green, blue.
const RGB: [usize; 3] = [2, 1, 0];

/// How a stack is cut up.
#[derive(Debug, Clone)]
pub struct Layout {
    pub name: String,
    pub codec: Codec,
    pub inner: [u64; 3],
    pub shard: [u64; 3],
    /// Dates of one Zarr group: of a batch, of an archive block.
    pub group_dates: usize,
}

/// What was measured; times are medians.
#[derive(Debug, Default, Clone, Copy)]
pub struct Figures {
    /// Stored bytes a value: reflectances, QA words, all.
    pub bytes: [f64; 3],
    /// Written by one of the threads, raw MB/s.
    pub write: f64,
    /// RGB tile: chunks cached; index cached; fresh store; fresh store and page cache dropped.
    pub tile: [f64; 4],
    pub tile_requests: Requests,
    /// Series of a pixel, all bands: index cached; fresh store; fresh store and page cache dropped.
    pub series: [f64; 3],
    pub series_requests: Requests,
    /// A 256² window on all dates, raw MB/s.
    pub stack: f64,
}

/// How often each read is repeated.
#[derive(Debug, Clone, Copy)]
pub struct Repeats {
    pub warm: usize,
    pub cold: usize,
}

fn options(chunk_cache_bytes: u64) -> StoreOptions {
    StoreOptions { chunk_cache_bytes, durable: false, ..StoreOptions::default() }
}

pub fn measure(
    stack: &Stack,
    layout: &Layout,
    root: &Path,
    threads: usize,
    repeats: Repeats,
) -> Fallible<Figures> {
    let groups = groups(stack, layout)?;
    let mut figures = Figures::default();
    let written = write(stack, layout, &groups, root, threads)?;
    figures.bytes = written.bytes;
    figures.write = written.raw / 1e6 / written.busy;

    // Warm: what was just written is in the page cache.
    let cube = Cube { groups: &groups, stack };
    let warm = Store::open_local(root, &options(0))?;
    cube.verify(&warm)?;
    figures.series[0] = cube.medians(repeats.warm, |n| cube.series(&warm, n))?;
    figures.tile[1] = cube.medians(repeats.warm * 4, |n| cube.tile(&warm, n))?;
    let raw = (2 * stack.dates * TILE * TILE * 2) as f64 / 1e6;
    figures.stack = raw * 1e3 / cube.medians(3, |n| cube.window(&warm, n))?;
    let cached = Store::open_local(root, &options(1 << 30))?;
    let mut tiles = Vec::new();
    for n in 0..repeats.warm as u64 {
        cube.tile(&cached, n)?;
        tiles.push(timed(|| cube.tile(&cached, n))?);
    }
    figures.tile[0] = median(tiles);
    figures.tile[2] = cube.medians(repeats.warm, |n| cube.tile(&Store::open_local(root, &options(0))?, n))?;
    figures.series[1] =
        cube.medians(repeats.cold, |n| cube.series(&Store::open_local(root, &options(0))?, n))?;

    // Cold.
    flush(root)?;
    let (mut tiles, mut series) = (Vec::new(), Vec::new());
    for n in 0..repeats.cold as u64 {
        drop_pages(root)?;
        series.push(timed(|| cube.series(&Store::open_local(root, &options(0))?, 100 + n))?);
        drop_pages(root)?;
        tiles.push(timed(|| cube.tile(&Store::open_local(root, &options(0))?, 100 + n))?);
    }
    figures.series[2] = median(series);
    figures.tile[3] = median(tiles);
    figures.series_requests = counted(root, |store| cube.series(store, 100))?;
    figures.tile_requests = counted(root, |store| cube.tile(store, 100))?;
    std::fs::remove_dir_all(root)?;
    Ok(figures)
}

/// The groups of a layout. The arrays are as large as the layout's shards, so that indexes have their true size; the
/// stack lies in the north-west of them.
fn groups(stack: &Stack, layout: &Layout) -> Fallible<Vec<GroupSpec>> {
    let side = layout.shard[1] as usize;
    let group = |first: usize| -> Fallible<GroupSpec> {
        let dates = layout.group_dates.min(stack.dates - first);
        let array = |name: &&str| ArraySpec {
            name: (*name).to_owned(),
            dtype: Pixels::from(Vec::<u16>::new()).dtype(),
            fill: if *name == NAMES[BANDS] { 1.0 } else { 0.0 },
            mask_fill: *name != NAMES[BANDS],
            shape: [dates as u64, side as u64, side as u64],
            shard: layout.shard,
            inner: layout.inner,
            codec: layout.codec,
            scale: 1.0,
            offset: 0.0,
            unit: "1".to_owned(),
            long_name: (*name).to_owned(),
            attributes: Map::new(),
        };
        Ok(GroupSpec {
            prefix: ObjectKey::new(&format!("stack/{first:04}"))?,
            geobox: GeoBox {
                crs: CrsName::epsg(6372),
                x_min: 0.0,
                y_max: 0.0,
                dx: 30.0,
                dy: 30.0,
                width: side,
                height: side,
            },
            crs_wkt: "EPSG:6372".to_owned(),
            epsg: Some(6372),
            grid_mapping: Map::new(),
            time: (first..first + dates).map(|t| tesela_model::Instant(86_400 * t as i64)).collect(),
            arrays: NAMES.iter().map(array).collect(),
            levels: Vec::new(),
            facts: None,
            attributes: Map::new(),
        })
    };
    (0..stack.dates).step_by(layout.group_dates).map(group).collect()
}

struct Written {
    raw: f64,
    /// Seconds of all threads, without reading the scratch file.
    busy: f64,
    bytes: [f64; 3],
}

fn write(
    stack: &Stack,
    layout: &Layout,
    groups: &[GroupSpec],
    root: &Path,
    threads: usize,
) -> Fallible<Written> {
    let store = Store::open_local(root, &options(0))?;
    for group in groups {
        store.write_group(group)?;
    }
    let jobs: Vec<(usize, usize)> =
        (0..groups.len()).flat_map(|g| (0..NAMES.len()).map(move |band| (g, band))).collect();
    let next = AtomicUsize::new(0);
    let sum = Mutex::new((Duration::ZERO, [0.0; 2]));
    let work = || -> Fallible<()> {
        while let Some(&(g, band)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let dates = groups[g].time.len();
            let values = stack.read(band, g * layout.group_dates, dates)?;
            let begun = Instant::now();
            let array = ArrayRef::from_spec(&groups[g].prefix, &groups[g].arrays[band])?;
            let bytes = write_array(&store, &array, &values, dates, stack.side)?;
            let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
            sum.0 += begun.elapsed();
            sum.1[usize::from(band == BANDS)] += bytes;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|w| w.join().map_err(|_| "a thread stopped")?)
    })?;
    let (busy, bytes) = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    let values = (stack.dates * stack.side * stack.side) as f64;
    let all = (bytes[0] + bytes[1]) / (values * NAMES.len() as f64);
    let bytes = [bytes[0] / (values * BANDS as f64), bytes[1] / values, all];
    Ok(Written { raw: stack.bytes(), busy: busy.as_secs_f64(), bytes })
}

/// Writes the values of a band of a group; the bytes stored, less the index of what the stack does not fill.
fn write_array(store: &Store, array: &ArrayRef, values: &[u16], dates: usize, side: usize) -> Fallible<f64> {
    let inner = array.inner().map(|n| n as usize);
    let shard_dates = array.shard()[0] as usize;
    let per = side / inner[1];
    let empty = array.chunks_per_shard()[1].pow(2) as usize - per * per;
    let mut bytes = 0.0;
    for shard in 0..dates.div_ceil(shard_dates) {
        let mut writer = store.shard_writer(array, [shard as u64, 0, 0])?;
        let end = dates.min((shard + 1) * shard_dates);
        for (layer, first) in (shard * shard_dates..end).step_by(inner[0]).enumerate() {
            for place in 0..per * per {
                let (cy, cx) = (place / per, place % per);
                let mut chunk = vec![0; inner.iter().product()];
                let rows = (0..inner[0].min(end - first)).flat_map(|t| (0..inner[1]).map(move |y| (t, y)));
                for (t, y) in rows {
                    let from = ((first + t) * side + cy * inner[1] + y) * side + cx * inner[2];
                    let to = (t * inner[1] + y) * inner[2];
                    chunk[to..to + inner[2]].copy_from_slice(&values[from..from + inner[2]]);
                }
                writer.put_chunk([layer as u64, cy as u64, cx as u64], &Pixels::from(chunk))?;
            }
        }
        let layers = array.chunks_per_shard()[0] as usize;
        bytes += writer.finish()?.map_or(0.0, |info| info.bytes as f64 - (16 * empty * layers) as f64);
    }
    Ok(bytes)
}

struct Cube<'a> {
    groups: &'a [GroupSpec],
    stack: &'a Stack,
}

impl Cube<'_> {
    fn medians(&self, times: usize, read: impl Fn(u64) -> Fallible<()>) -> Fallible<f64> {
        read(1_000)?;
        let taken: Fallible<Vec<f64>> = (0..times as u64).map(|n| timed(|| read(n))).collect();
        Ok(median(taken?))
    }

    /// A place from a number: a row or column up to `end`, the same for every layout.
    fn place(&self, n: u64, end: usize) -> (i64, i64) {
        let (y, x) = (scrambled(2 * n) % end as u64, scrambled(2 * n + 1) % end as u64);
        (y as i64, x as i64)
    }

    fn slices(&self, store: &Store, band: usize) -> Fallible<Vec<Slice>> {
        let mut slices = Vec::with_capacity(self.stack.dates);
        for group in self.groups {
            let array = store.open_array(&group.prefix, NAMES[band])?;
            slices.extend((0..group.time.len()).map(|t| Slice { array: array.clone(), t: t as u64 }));
        }
        Ok(slices)
    }

    /// Every band of a pixel on every date.
    fn series(&self, store: &Store, n: u64) -> Fallible<()> {
        let (y, x) = self.place(n, self.stack.side);
        let mut out = Pixels::from(Vec::<u16>::new());
        for band in 0..NAMES.len() {
            store.read_stack(&self.slices(store, band)?, Window::pixel(y, x), &mut out)?;
            black_box(&out);
        }
        Ok(())
    }

    /// Three bands of a map tile of some date, anywhere: tiles of a map do not lie on chunks.
    fn tile(&self, store: &Store, n: u64) -> Fallible<()> {
        let (y0, x0) = self.place(n, self.stack.side - TILE + 1);
        let group = &self.groups[(scrambled(3 * n + 7) % self.groups.len() as u64) as usize];
        let t = scrambled(5 * n + 11) % group.time.len() as u64;
        let mut out = Pixels::from(Vec::<u16>::new());
        for band in RGB {
            let array = store.open_array(&group.prefix, NAMES[band])?;
            store.read_window(&array, t, Window { y0, x0, height: TILE, width: TILE }, &mut out)?;
            black_box(&out);
        }
        Ok(())
    }

    /// Two bands of a quarter of the stack, which lies on chunks, on every date.
    fn window(&self, store: &Store, n: u64) -> Fallible<()> {
        let at = |bit: u64| if n & bit == 0 { 0 } else { (self.stack.side - TILE) as i64 };
        let window = Window { y0: at(1), x0: at(2), height: TILE, width: TILE };
        let mut out = Pixels::from(Vec::<u16>::new());
        for band in [2, 3] {
            store.read_stack(&self.slices(store, band)?, window, &mut out)?;
            black_box(&out);
        }
        Ok(())
    }

    /// What is read is what was written.
    fn verify(&self, store: &Store) -> Fallible<()> {
        for (n, band) in [(1, 3), (2, BANDS)] {
            let (y, x) = self.place(n, self.stack.side);
            let mut out = Pixels::from(Vec::<u16>::new());
            store.read_stack(&self.slices(store, band)?, Window::pixel(y, x), &mut out)?;
            if out != Pixels::from(self.stack.series(band, y as usize, x as usize)?) {
                return Err(
                    format!("band {} of pixel {y}, {x} reads otherwise than written", NAMES[band]).into()
                );
            }
        }
        Ok(())
    }
}

/// Milliseconds.
fn timed(work: impl FnOnce() -> Fallible<()>) -> Fallible<f64> {
    let begun = Instant::now();
    work()?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The requests of a read by a fresh store.
fn counted(root: &Path, read: impl FnOnce(&Store) -> Fallible<()>) -> Fallible<Requests> {
    let options = options(0);
    let local = LocalObjects::open(root, options.open_files, false)?;
    let counting = Arc::new(CountingObjects::new(Arc::new(local)));
    read(&Store::with_objects(counting.clone(), &options))?;
    Ok(counting.take())
}

/// Writes out the file system of `root`: only clean pages can be dropped.
fn flush(root: &Path) -> Fallible<()> {
    let open = File::open(root)?;
    // SAFETY: the descriptor is open for the length of the call.
    match unsafe { libc::syncfs(open.as_raw_fd()) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().into()),
    }
}

/// Drops every file below `folder` from the page cache.
fn drop_pages(folder: &Path) -> Fallible<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            drop_pages(&path)?;
        } else {
            let open = File::open(&path)?;
            // SAFETY: the descriptor is open for the length of the call.
            match unsafe { libc::posix_fadvise(open.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) } {
                0 => {}
                code => return Err(std::io::Error::from_raw_os_error(code).into()),
            }
        }
    }
    Ok(())
}

/// Stored bytes a value of `(dates, height, width)` values under a layout, in memory.
pub fn stored(values: Pixels, fill: f64, shape: [usize; 3], inner: [u64; 3], codec: Codec) -> Fallible<f64> {
    let store = Store::in_memory();
    let shape = shape.map(|n| n as u64);
    let spec = ArraySpec {
        name: "control".to_owned(),
        dtype: values.dtype(),
        fill,
        mask_fill: true,
        shape,
        shard: std::array::from_fn(|i| shape[i].next_multiple_of(inner[i])),
        inner,
        codec,
        scale: 1.0,
        offset: 0.0,
        unit: "1".to_owned(),
        long_name: "control".to_owned(),
        attributes: Map::new(),
    };
    let array = ArrayRef::from_spec(&ObjectKey::new("control")?, &spec)?;
    let mut writer = store.shard_writer(&array, [0; 3])?;
    let plane = (shape[1] * shape[2]) as usize * values.dtype().size_bytes();
    for (t, bytes) in values.to_le_bytes().chunks_exact(plane).enumerate() {
        let pixels = Pixels::from_le_bytes(values.dtype(), bytes).ok_or("not whole values")?;
        writer.put_window(t as u64, 0, 0, shape[1] as usize, shape[2] as usize, &pixels)?;
    }
    Ok(writer.finish()?.map_or(0.0, |info| info.bytes as f64) / values.len() as f64)
}
