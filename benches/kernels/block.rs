//! Whole blocks: `cargo bench -p tesela-benches --profile dev --bench kernels` on generated stacks (synthetic), or
//! `... --bench kernels -- --stack FILE --times T [options]` on samples in a file, for the scripts that compare.
//!
//! A figure a line: CPU microseconds a pixel at every level of instructions, best of several runs; the distance from
//! the `f64` optimum in digital numbers (DN, 2.75e-5 ρ); the share of pixels that the scalar solver answers.
//!
//! Instructions, where `perf stat -e instructions:u` has no counters:
//! `LEVEL=avx2 valgrind --tool=callgrind --toggle-collect='*geomad_block_at*' BENCH --stack FILE --times 46 --reps 0`,
//! divided by the pixels (no valgrind knows AVX-512): `benches/peers/geomedian.sh` does that.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use tesela_kernel::geomedian::{Layer, Level, Planes, Samples, Stack, Workspace, geomad_block_at, geomedian};

const BANDS: usize = 6;
const VALID: [f64; 2] = [7273.0, 43636.0];
/// Reflectance per DN of Collection 2: the unit of errors.
const DN: f64 = 2.75e-5;

/// Samples of six bands, `(time, pixel)` each; 0 is nodata.
struct Case {
    bands: Vec<Vec<u16>>,
    times: usize,
    scale: f64,
    offset: f64,
    valid: [f64; 2],
}

impl Case {
    fn pixels(&self) -> usize {
        self.bands[0].len() / self.times
    }

    fn solve(&self, level: Level, hidden: &[bool]) -> Planes {
        let layer = |samples| Layer {
            samples,
            scale: self.scale,
            offset: self.offset,
            nodata: 0.0,
            valid: self.valid,
        };
        let layers: Vec<Layer<'_>> = self.bands.iter().map(|b| layer(Samples::U16(b))).collect();
        let stack = Stack { layers: &layers, hidden, pixels: self.pixels() };
        match geomad_block_at(level, &stack, 1) {
            Ok(planes) => planes,
            Err(e) => fail(&e.to_string()),
        }
    }

    fn rows(&self, pixel: usize) -> Vec<[f64; BANDS]> {
        let n = self.pixels();
        (0..self.times)
            .map(|t| std::array::from_fn(|j| f64::from(self.bands[j][t * n + pixel])))
            .filter(|dn: &[f64; BANDS]| {
                dn.iter().all(|v| *v != 0.0 && (self.valid[0]..=self.valid[1]).contains(v))
            })
            .map(|dn| dn.map(|v| v * self.scale + self.offset))
            .collect()
    }
}

fn fail(problem: &str) -> ! {
    eprintln!("{problem}");
    std::process::exit(2);
}

/// Generated stacks: every level, accuracy, two threads.
pub fn generated() {
    for (name, times, masked) in [
        ("n10", 10, 0.0),
        ("n20", 20, 0.0),
        ("n46", 46, 0.0),
        ("n46_masked60", 46, 0.6),
        ("n90", 90, 0.0),
        ("n690", 690, 0.0),
    ] {
        let case = synthetic(times, (1_500_000 / times).clamp(1024, 32_768), masked);
        let hidden = vec![false; case.bands[0].len()];
        for level in Level::available() {
            let seconds = best_cpu(5, || drop(black_box(case.solve(level, &hidden))));
            println!("geomad_block_us_per_pixel_{name}_{} {:.3}", level.name(), per_pixel(&case, seconds));
        }
        let planes = case.solve(Level::best(), &hidden);
        let share = planes.scalar_pixels as f64 / case.pixels() as f64;
        let Accuracy { largest, p99, excess, .. } = accuracy(&case, &planes, case.pixels().div_ceil(2000));
        println!("scalar_share_{name} {share:.5}");
        println!("max_error_dn_{name} {largest:.4}");
        println!("p99_error_dn_{name} {p99:.4}");
        println!("objective_excess_{name} {excess:.2e}");
    }
    two_threads(&synthetic(46, 65_536, 0.0));
}

/// How much more two threads do in the same time than one, each with a stack of its own, beside what the machine allows:
/// the same of a loop that never leaves the registers. Virtual processors share caches, power and neighbours, so that two
/// are not always twice one.
fn two_threads(case: &Case) {
    let hidden = vec![false; case.bands[0].len()];
    // Long enough that starting threads does not count.
    let solve = || (0..4).for_each(|_| drop(black_box(case.solve(Level::best(), &hidden))));
    let count = || {
        let mut x = black_box(0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..100_000_000u32 {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        black_box(x);
    };
    let [mut solving, mut counting] = [[f64::INFINITY; 2]; 2];
    for _ in 0..7 {
        least(&mut solving, solve);
        least(&mut counting, count);
    }
    let scaling = |[one, two]: [f64; 2]| 2.0 * one / two;
    println!("two_thread_scaling {:.2}", scaling(solving));
    println!("two_thread_scaling_of_registers {:.2}", scaling(counting));
}

/// Wall seconds of one thread and of two, the least so far; the two take turns.
fn least(found: &mut [f64; 2], work: impl Fn() + Copy + Send) {
    for (found, threads) in found.iter_mut().zip(1..) {
        let start = Instant::now();
        std::thread::scope(|s| (0..threads).for_each(|_| drop(s.spawn(work))));
        *found = found.min(start.elapsed().as_secs_f64());
    }
}

/// Samples in a file, `(band, time, pixel)` u16 in the byte order of the machine. Options: `--scale`, `--offset`,
/// `--valid LOW,HIGH`, `--reps`; `--planes FILE` writes the six bands, EMAD, SMAD and BCMAD as f32; `--optimum FILE
/// --every K` writes the `f64` minimiser of every K-th pixel; `--reps 0` solves once, for counting instructions;
/// `--scaling` says what two threads do. `LEVEL` chooses the instructions.
pub fn from_file(arguments: &[String]) {
    let option = |name: &str| {
        arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1)).map(String::as_str)
    };
    let number = |name: &str, default: f64| match option(name).map(str::parse::<f64>) {
        None => default,
        Some(Ok(v)) => v,
        Some(Err(e)) => fail(&format!("{name}: {e}")),
    };
    let path = option("--stack").unwrap_or_default();
    let bytes = std::fs::read(path).unwrap_or_else(|e| fail(&format!("{path}: {e}")));
    let samples: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|b| u16::from_ne_bytes(*b)).collect();
    let times = number("--times", 0.0) as usize;
    if times == 0 || samples.is_empty() || !samples.len().is_multiple_of(times * BANDS) {
        fail("--stack FILE must hold 6 bands · --times T · pixels samples of 16 bits");
    }
    let valid = match option("--valid").and_then(|v| v.split_once(',')) {
        Some((a, b)) => [a, b].map(|v| v.parse().unwrap_or(f64::NAN)),
        None => VALID,
    };
    let bands = samples.chunks(samples.len() / BANDS).map(<[u16]>::to_vec).collect();
    let case = Case { bands, times, scale: number("--scale", DN), offset: number("--offset", -0.2), valid };
    let hidden = vec![false; case.bands[0].len()];
    let wanted = std::env::var("LEVEL").ok();
    let level = Level::available()
        .into_iter()
        .rfind(|l| wanted.as_ref().is_none_or(|w| w == l.name()))
        .unwrap_or_else(|| fail("LEVEL is not available on this machine"));
    let runs = number("--reps", 5.0) as usize;
    println!("level {}", level.name());
    if runs > 0 {
        let seconds = best_cpu(runs, || drop(black_box(case.solve(level, &hidden))));
        println!("cpu_seconds {seconds:.6}");
        println!("us_per_pixel {:.4}", per_pixel(&case, seconds));
    }
    if arguments.iter().any(|a| a == "--scaling") {
        two_threads(&case);
    }
    let planes = case.solve(level, &hidden);
    println!("scalar_share {:.5}", planes.scalar_pixels as f64 / case.pixels() as f64);
    if let Some(path) = option("--planes") {
        let values = planes.point.iter().chain(&planes.emad).chain(&planes.smad).chain(&planes.bcmad);
        write(path, values.flat_map(|v| v.to_ne_bytes()));
    }
    if let Some(path) = option("--optimum") {
        let found = accuracy(&case, &planes, (number("--every", 1.0) as usize).max(1));
        write(path, found.optimum.iter().flatten().flat_map(|v| v.to_ne_bytes()));
        println!("objective_excess {:.2e}", found.excess);
        println!("max_error_dn {:.4}", found.largest);
        println!("p99_error_dn {:.4}", found.p99);
    }
}

fn write(path: &str, bytes: impl Iterator<Item = u8>) {
    let bytes: Vec<u8> = bytes.collect();
    let done = std::fs::File::create(path).and_then(|mut f| f.write_all(&bytes));
    done.unwrap_or_else(|e| fail(&format!("{path}: {e}")));
}

fn per_pixel(case: &Case, seconds: f64) -> f64 {
    seconds * 1e6 / case.pixels() as f64
}

struct Accuracy {
    optimum: Vec<[f64; BANDS]>,
    /// DN, largest of any pixel.
    largest: f64,
    /// DN, of 99 pixels in 100.
    p99: f64,
    /// By how much the mean sum of distances is above the least, as a share.
    excess: f64,
}

/// Every `step`-th pixel against the minimiser in `f64`.
fn accuracy(case: &Case, planes: &Planes, step: usize) -> Accuracy {
    let mut workspace = Workspace::new();
    let n = case.pixels();
    let (mut optimum, mut errors) = (Vec::new(), Vec::new());
    let (mut least, mut ours) = (0.0, 0.0);
    for i in (0..n).step_by(step) {
        let rows = case.rows(i);
        let best = geomedian(&rows, &mut workspace).point;
        optimum.push(best);
        if rows.len() < 3 {
            continue; // two points have no unique optimum
        }
        let found: [f64; BANDS] = std::array::from_fn(|j| f64::from(planes.point[j * n + i]));
        errors.push((0..BANDS).map(|j| (found[j] - best[j]).abs() / DN).fold(0.0, f64::max));
        least += cost(&rows, &best);
        ours += cost(&rows, &found);
    }
    errors.sort_by(f64::total_cmp);
    let at = |share: usize| errors.get((errors.len() * share / 100).min(errors.len().saturating_sub(1)));
    Accuracy {
        optimum,
        largest: at(100).copied().unwrap_or(f64::NAN),
        p99: at(99).copied().unwrap_or(f64::NAN),
        excess: ours / least - 1.0,
    }
}

fn cost(rows: &[[f64; BANDS]], y: &[f64; BANDS]) -> f64 {
    rows.iter().map(|x| super::distance(x, y)).sum()
}

/// CPU seconds of this process, the least of `runs`.
fn best_cpu(runs: usize, mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..runs {
        let start = cpu_seconds();
        work();
        best = best.min(cpu_seconds() - start);
    }
    best
}

fn cpu_seconds() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills in the one structure it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Synthetic Landsat: five surfaces with a season, brightness and noise; haze in three dates of ten, 8 % clouds, 5 %
/// shadows, and a share of nodata.
fn synthetic(times: usize, pixels: usize, masked: f64) -> Case {
    const SURFACES: [[f64; BANDS]; 5] = [
        [0.03, 0.05, 0.045, 0.28, 0.15, 0.08],
        [0.05, 0.08, 0.08, 0.26, 0.25, 0.16],
        [0.11, 0.125, 0.14, 0.2, 0.23, 0.21],
        [0.04, 0.05, 0.035, 0.02, 0.01, 0.008],
        [0.11, 0.15, 0.2, 0.27, 0.34, 0.29],
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut bands = vec![Vec::new(); BANDS];
    for t in 0..times {
        let season = (t as f64 / times as f64 * std::f64::consts::TAU).sin();
        for i in 0..pixels {
            let surface = SURFACES[i / 97 % SURFACES.len()];
            let missing = uniform() < masked;
            let haze = if uniform() < 0.3 { 0.02 * uniform() } else { 0.0 };
            let weather = uniform();
            let cloud = if weather < 0.08 { 0.2 + 0.3 * uniform() } else { 0.0 };
            let light = (1.0 + 0.36 * (uniform() - 0.5)) * if weather > 0.95 { 0.5 } else { 1.0 };
            for (j, band) in bands.iter_mut().enumerate() {
                let green = 1.0 + if j == 3 { 0.15 } else { -0.05 } * season;
                let noise = 1.0 + 0.12 * (uniform() - 0.5);
                let rho = surface[j] * green * light * noise + haze * (1.2 - 0.2 * j as f64) + cloud;
                let rho = rho + 0.01 * (uniform() - 0.5);
                let dn = ((rho + 0.2) / DN).round().clamp(VALID[0], VALID[1]) as u16;
                band.push(if missing { 0 } else { dn });
            }
        }
    }
    Case { bands, times, scale: DN, offset: -0.2, valid: VALID }
}
