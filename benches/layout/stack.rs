//! A stack of real reflectance, arranged.
//!
//! *Real*, unchanged but for the scale of Collection 2: the series of 300 pixels of Harvard Forest, 25 of Colorado,
//! the Collection 2 sites and single pixels of group 10; the spatial texture and the noise between dates, from two
//! Landsat 8 crops of one place at 30 m, 16 days apart (Brumadinho); the QA words and the reflectance of clouds, from
//! two whole scenes, decimated; how cloudy each date is, from Harvard's row.
//!
//! *Arrangement*: which patch of 16 × 16 pixels gets which series (by rank of near infrared in the crops); a clear
//! pixel is series + texture (the crops' mean less its local mean) + noise (half the crops' difference less its local
//! mean, held to ±1,024, shifted and mirrored anew each date); dates of a series that were not clear repeat the
//! nearest that was; the calendar of 423 dates is walked forth and back; a date's cloud field is a window of a scene,
//! enlarged four times (QA by nearest neighbour, cloud reflectance bilinear) and mirrored, one of the twelve whose
//! clear share is nearest to the date's. It compresses about as the crops do that gave the texture, which are
//! rough land: the bench prints both.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tesela_store::Pixels;

use crate::real::{self, BANDS, Fallible, Image, Scene, Series};

/// Reflectances, then the QA word.
pub const NAMES: [&str; BANDS + 1] = ["blue", "green", "red", "nir", "swir1", "swir2", "qa_pixel"];

/// Enlargement of the decimated scenes.
const ZOOM: usize = 4;
/// Side of the patches that share a series, pixels.
const PATCH: usize = 16;
/// Half the window whose mean is the local mean, pixels.
const LOCAL: usize = 7;
/// The noise is held to ± this, stored values.
const NOISE_MOST: i32 = 1024;
/// `QA_PIXEL`: fill; dilated cloud, cirrus, cloud.
const FILL: u16 = 1;
const CLOUD: u16 = 0b1110;
/// Those and shadow: not clear.
const MASKED: u16 = 0b11111;

/// The stack in a scratch file: `(band, date, row, column)`.
pub struct Stack {
    pub dates: usize,
    pub side: usize,
    file: File,
}

impl Stack {
    /// Makes the stack; a date at a time is in memory, times the threads.
    pub fn make(data: &Path, scratch: &Path, dates: usize, side: usize, threads: usize) -> Fallible<Self> {
        let arrangement = Arrangement::new(data, scratch, side)?;
        let file = File::options().read(true).write(true).create_new(true).open(scratch.join("stack"))?;
        let stack = Self { dates, side, file };
        let next = AtomicUsize::new(0);
        let work = || -> Fallible<()> {
            loop {
                let t = next.fetch_add(1, Ordering::Relaxed);
                if t >= dates {
                    return Ok(());
                }
                for (band, plane) in arrangement.date(t).into_iter().enumerate() {
                    let at = stack.offset(band, t);
                    stack.file.write_all_at(&Pixels::from(plane).to_le_bytes(), at)?;
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers.into_iter().try_for_each(|w| w.join().map_err(|_| "a thread stopped")?)
        })?;
        Ok(stack)
    }

    fn offset(&self, band: usize, t: usize) -> u64 {
        ((band * self.dates + t) * self.side * self.side * 2) as u64
    }

    /// Dates of a band.
    pub fn read(&self, band: usize, first: usize, dates: usize) -> Fallible<Vec<u16>> {
        let mut bytes = vec![0; dates * self.side * self.side * 2];
        self.file.read_exact_at(&mut bytes, self.offset(band, first))?;
        Ok(bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect())
    }

    /// A pixel of a band on every date.
    pub fn series(&self, band: usize, y: usize, x: usize) -> Fallible<Vec<u16>> {
        let mut value = [0; 2];
        (0..self.dates)
            .map(|t| {
                self.file
                    .read_exact_at(&mut value, self.offset(band, t) + ((y * self.side + x) * 2) as u64)?;
                Ok(u16::from_le_bytes(value))
            })
            .collect()
    }

    /// Bytes of the stack.
    pub fn bytes(&self) -> f64 {
        ((BANDS + 1) * self.dates * self.side * self.side * 2) as f64
    }
}

/// A window of a decimated scene.
#[derive(Clone, Copy)]
struct Place {
    scene: usize,
    y: usize,
    x: usize,
    clear: f64,
}

struct Arrangement {
    side: usize,
    series: Vec<Series>,
    /// Which series a patch has.
    cover: Vec<u16>,
    /// The crop's deviation from its local mean, band by band.
    texture: Vec<Vec<i32>>,
    noise: Noise,
    scenes: Vec<Scene>,
    places: Vec<Place>,
    /// Clear share of the dates of the calendar.
    clear: Vec<f64>,
}

struct Noise {
    height: usize,
    width: usize,
    bands: Vec<Vec<i32>>,
}

impl Arrangement {
    fn new(data: &Path, scratch: &Path, side: usize) -> Fallible<Self> {
        let row = real::harvard(data)?;
        let mut series = row.series;
        series.extend(real::colorado(data, scratch)?);
        series.extend(real::sites(data)?);
        series.sort_by_key(|s| {
            let mut nir: Vec<u16> = s.0.iter().map(|v| v[3]).collect();
            nir.sort_unstable();
            nir[nir.len() / 2]
        });
        let (land, noise) = pair(data)?;
        let land = land.mirrored(side);
        let means: Vec<Vec<i32>> = land.bands.iter().map(|b| local_mean(&widened(b), side, side)).collect();
        let difference = |(band, mean): (&Vec<u16>, &Vec<i32>)| {
            band.iter().zip(mean).map(|(&v, m)| i32::from(v) - m).collect()
        };
        let texture = land.bands.iter().zip(&means).map(difference).collect();
        let per = side / PATCH;
        let mut order: Vec<usize> = (0..per * per).collect();
        let centre =
            |patch: usize| (patch / per * PATCH + PATCH / 2) * side + patch % per * PATCH + PATCH / 2;
        order.sort_by_key(|&patch| (means[3][centre(patch)], patch));
        let mut cover = vec![0; per * per];
        for (rank, patch) in order.into_iter().enumerate() {
            cover[patch] = (rank * series.len() / (per * per)) as u16;
        }
        let scenes = vec![real::scene(data, "008059")?, real::scene(data, "017036")?];
        let places = places(&scenes, side / ZOOM);
        println!("{} real series, {} windows of two real scenes", series.len(), places.len());
        Ok(Self { side, series, cover, texture, noise, scenes, places, clear: row.clear })
    }

    /// The planes of a date, in the order of [`NAMES`].
    fn date(&self, t: usize) -> Vec<Vec<u16>> {
        let side = self.side;
        let calendar = self.clear.len();
        let lap = t % (2 * calendar);
        let day = if lap < calendar { lap } else { 2 * calendar - 1 - lap };
        let dice = scrambled(t as u64);
        let place = self.place(self.clear[day], dice);
        let scene = &self.scenes[place.scene];
        let land: Vec<[u16; BANDS]> =
            self.series.iter().map(|s| s.0[day * (s.0.len() - 1) / (calendar - 1)]).collect();
        let flips = [dice & 1 != 0, dice & 2 != 0];
        let shift = [(dice >> 8) as usize % 4096, (dice >> 24) as usize % 4096];
        let noise_at = |y: usize, x: usize| {
            let y = mirror(if flips[0] { side - 1 - y } else { y } + shift[0], self.noise.height);
            let x = mirror(if flips[1] { side - 1 - x } else { x } + shift[1], self.noise.width);
            y * self.noise.width + x
        };
        let mut planes = vec![vec![0_u16; side * side]; BANDS + 1];
        for y in 0..side {
            let sy = if flips[0] { side - 1 - y } else { y };
            for x in 0..side {
                let sx = if flips[1] { side - 1 - x } else { x };
                let i = y * side + x;
                let word = scene.qa[(place.y + sy / ZOOM) * scene.reflectance.width + place.x + sx / ZOOM];
                if word & FILL != 0 {
                    planes[BANDS][i] = FILL;
                    continue;
                }
                planes[BANDS][i] = word;
                let patch = y / PATCH * (side / PATCH) + x / PATCH;
                let n = noise_at(y, x);
                for (band, plane) in planes.iter_mut().take(BANDS).enumerate() {
                    let base = if word & CLOUD != 0 {
                        scene.reflectance.enlarged(band, place, sy, sx)
                    } else {
                        i32::from(land[usize::from(self.cover[patch])][band]) + self.texture[band][i]
                    };
                    plane[i] = (base + self.noise.bands[band][n]).clamp(1, 65_535) as u16;
                }
            }
        }
        planes
    }

    /// One of the twelve windows whose clear share is nearest.
    fn place(&self, clear: f64, dice: u64) -> Place {
        let mut near = self.places.clone();
        near.sort_by(|a, b| (a.clear - clear).abs().total_cmp(&(b.clear - clear).abs()));
        near[(dice >> 40) as usize % near.len().min(12)]
    }
}

impl Image {
    /// A square, continued beyond the edges by mirroring.
    fn mirrored(&self, side: usize) -> Self {
        let pixel = |i: usize| mirror(i / side, self.height) * self.width + mirror(i % side, self.width);
        let bands = self.bands.iter().map(|b| (0..side * side).map(|i| b[pixel(i)]).collect()).collect();
        Self { height: side, width: side, bands }
    }

    /// A value of an enlarged window: bilinear, or the nearest beside fill.
    fn enlarged(&self, band: usize, place: Place, y: usize, x: usize) -> i32 {
        let values = &self.bands[band];
        let at = |y: usize, x: usize| {
            i32::from(values[y.min(self.height - 1) * self.width + x.min(self.width - 1)])
        };
        let (y0, x0) = (place.y + y / ZOOM, place.x + x / ZOOM);
        let corners = [at(y0, x0), at(y0, x0 + 1), at(y0 + 1, x0), at(y0 + 1, x0 + 1)];
        if corners.contains(&0) {
            return corners[0];
        }
        let zoom = ZOOM as i32;
        let (v, u) = ((y % ZOOM) as i32, (x % ZOOM) as i32);
        let top = corners[0] * (zoom - u) + corners[1] * u;
        let bottom = corners[2] * (zoom - u) + corners[3] * u;
        (top * (zoom - v) + bottom * v) / (zoom * zoom)
    }
}

/// The windows of `size` that are not mostly fill.
fn places(scenes: &[Scene], size: usize) -> Vec<Place> {
    let mut found = Vec::new();
    for (s, scene) in scenes.iter().enumerate() {
        let (height, width) = (scene.reflectance.height, scene.reflectance.width);
        for y in (0..=height - size).step_by(32) {
            for x in (0..=width - size).step_by(32) {
                let words = || (0..size * size).map(|i| scene.qa[(y + i / size) * width + x + i % size]);
                let share =
                    |bits: u16| words().filter(|w| w & bits == 0).count() as f64 / (size * size) as f64;
                if share(FILL) > 0.5 {
                    found.push(Place { scene: s, y, x, clear: share(MASKED) });
                }
            }
        }
    }
    found
}

/// The mean of two dates of one place, and half of what they differ by, less its local mean: the variance of one date
/// in two parts, of which the second may be laid elsewhere on each date.
fn pair(data: &Path) -> Fallible<(Image, Noise)> {
    /// Columns by which the second crop lies east of the first.
    const EAST: usize = 30;
    let (before, after) = (real::crop(data, "218074_20190114")?, real::crop(data, "218074_20190130")?);
    let (height, width) = (before.height, before.width - EAST);
    let both = |b: usize, i: usize| {
        let (y, x) = (i / width, i % width);
        let first = before.bands[b][y * before.width + x + EAST];
        (i32::from(first), i32::from(after.bands[b][y * after.width + x]))
    };
    let mean =
        |b: usize| (0..height * width).map(|i| both(b, i)).map(|(f, s)| ((f + s) / 2) as u16).collect();
    let half = |b: usize| {
        let half: Vec<i32> = (0..height * width).map(|i| both(b, i)).map(|(f, s)| (s - f) / 2).collect();
        let local = local_mean(&half, height, width);
        half.iter().zip(&local).map(|(h, l)| (h - l).clamp(-NOISE_MOST, NOISE_MOST)).collect()
    };
    let land = Image { height, width, bands: (0..BANDS).map(mean).collect() };
    Ok((land, Noise { height, width, bands: (0..BANDS).map(half).collect() }))
}

fn widened(values: &[u16]) -> Vec<i32> {
    values.iter().map(|&v| i32::from(v)).collect()
}

/// Means of the squares around the pixels, cut at the edges.
fn local_mean(values: &[i32], height: usize, width: usize) -> Vec<i32> {
    let mut sums = vec![0_i64; (height + 1) * (width + 1)];
    for y in 0..height {
        let mut row = 0;
        for x in 0..width {
            row += i64::from(values[y * width + x]);
            sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
        }
    }
    let mean = |i: usize| {
        let (y, x) = (i / width, i % width);
        let (top, bottom) = (y.saturating_sub(LOCAL), (y + LOCAL + 1).min(height));
        let (left, right) = (x.saturating_sub(LOCAL), (x + LOCAL + 1).min(width));
        let at = |y: usize, x: usize| sums[y * (width + 1) + x];
        let sum = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
        (sum / ((bottom - top) * (right - left)) as i64) as i32
    };
    (0..height * width).map(mean).collect()
}

/// The place in `0..len` of an endless mirrored axis.
fn mirror(i: usize, len: usize) -> usize {
    let i = i % (2 * len);
    if i < len { i } else { 2 * len - 1 - i }
}

/// Scrambles a number (splitmix64).
pub fn scrambled(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
