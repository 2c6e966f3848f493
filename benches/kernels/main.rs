//! The geomedian kernel with its MADs against plain Weiszfeld iteration (without MADs) to a tight step, on generated Landsat-like stacks
//! (synthetic: seven clear observations in eight, the rest bright clouds), one thread; then whole blocks ([`block`]).

mod block;

use std::hint::black_box;
use std::time::Instant;

use tesela_kernel::geomedian::{Workspace, geomad, geomedian};

const BANDS: usize = 6;
/// Reflectance of bare ground, band by band.
const GROUND: [f64; BANDS] = [0.022, 0.055, 0.069, 0.234, 0.189, 0.121];
/// Convergence of the reference, reflectance; near a datum it is slow, and a looser step stops tens of DN short.
const REFERENCE_STEP: f64 = 1e-9;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|a| a == "--stack") {
        return block::from_file(&arguments);
    }
    scalar();
    block::generated();
}

fn scalar() {
    for n in [8, 12, 46] {
        let pixels = stacks(n, 1000);
        let mut workspace = Workspace::new();
        let ours = seconds(|| {
            for p in &pixels {
                black_box(geomad(p, 1, &mut workspace));
            }
        });
        let reference = seconds(|| {
            for p in &pixels {
                black_box(weiszfeld(p));
            }
        });
        let worst = pixels
            .iter()
            .map(|p| distance(&geomedian(p, &mut workspace).point, &weiszfeld(p)))
            .fold(0.0, f64::max);
        let per_pixel = 1e6 / pixels.len() as f64;
        println!("geomedian_mads_us_per_pixel_n{n} {:.3}", ours * per_pixel);
        println!("weiszfeld_us_per_pixel_n{n} {:.3}", reference * per_pixel);
        println!("ratio_vs_weiszfeld_n{n} {:.2}", reference / ours);
        println!("largest_distance_to_weiszfeld_dn_n{n} {:.4}", worst / 2.75e-5);
    }
}

/// Best of five runs.
fn seconds(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn stacks(n: usize, pixels: usize) -> Vec<Vec<[f64; BANDS]>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..pixels)
        .map(|_| {
            (0..n)
                .map(|_| {
                    let cloud = if uniform() < 0.125 { 0.3 + 0.3 * uniform() } else { 0.0 };
                    GROUND.map(|g| g * (0.8 + 0.4 * uniform()) + cloud)
                })
                .collect()
        })
        .collect()
}

/// Weiszfeld iteration from the mean until a step is below [`REFERENCE_STEP`].
fn weiszfeld(points: &[[f64; BANDS]]) -> [f64; BANDS] {
    let mut y = [0.0; BANDS];
    for p in points {
        for (a, v) in y.iter_mut().zip(p) {
            *a += v / points.len() as f64;
        }
    }
    for _ in 0..10_000 {
        let (mut sum, mut weights) = ([0.0; BANDS], 0.0);
        for p in points {
            let w = 1.0 / distance(p, &y).max(1e-12);
            weights += w;
            for (s, v) in sum.iter_mut().zip(p) {
                *s += w * v;
            }
        }
        let next = sum.map(|s| s / weights);
        let step = distance(&next, &y);
        y = next;
        if step < REFERENCE_STEP {
            break;
        }
    }
    y
}

fn distance(a: &[f64; BANDS], b: &[f64; BANDS]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}
