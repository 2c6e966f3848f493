//! Percentiles and other statistics over time, on a generated stack of 92 dates (synthetic: three observations
//! in five hidden, as over Mexico), one thread. Figures are millions of observations, hidden ones included, per
//! CPU-second. `--write DIR` leaves the stack and the medians for other programs (`benches/peers/percentiles.sh`).

use std::error::Error;
use std::hint::black_box;
use std::path::PathBuf;

use tesela_kernel::temporal::{Deviation, Method, Stack, median, medoid, percentiles, summarise};

const DATES: usize = 92;
const PIXELS: usize = 256 * 256;
const ALL: std::ops::RangeInclusive<f32> = f32::MIN..=f32::MAX;

fn main() -> Result<(), Box<dyn Error>> {
    let (values, hidden) = stack(DATES);
    let reflectance: Vec<f32> = values
        .iter()
        .zip(&hidden)
        .map(|(&v, &h)| if h || v == 0 { f32::NAN } else { f32::from(v) * 2.75e-5 - 0.2 })
        .collect();
    let numbers = Stack::new(&values, PIXELS, 1..=u16::MAX)?.with_hidden(&hidden)?;
    let floats = Stack::new(&reflectance, PIXELS, ALL)?;
    let observations = values.len() as f64 / 1e6;

    let mut out = vec![0.0; 3 * PIXELS];
    let mut report = |name: &str, observations: f64, work: &mut dyn FnMut(&mut [f32])| {
        let seconds = cpu_seconds(|| work(black_box(&mut out)));
        println!("{name}_mobs_per_cpu_s {:.0}", observations / seconds);
    };
    let shares = [0.1, 0.5, 0.9];
    report("median", observations, &mut |out| median(&numbers, &mut out[..PIXELS]).unwrap_or_default());
    report("median_float", observations, &mut |out| median(&floats, &mut out[..PIXELS]).unwrap_or_default());
    report("three_percentiles", observations, &mut |out| {
        percentiles(&numbers, &shares, Method::Linear, out).unwrap_or_default();
    });
    report("three_percentiles_float", observations, &mut |out| {
        percentiles(&floats, &shares, Method::Linear, out).unwrap_or_default();
    });
    report("summary", observations, &mut |_| {
        black_box(summarise(&numbers, Deviation::Population));
    });
    let bands = [numbers.clone(), numbers.clone(), numbers.clone()];
    report("medoid_three_bands", 3.0 * observations, &mut |_| {
        black_box(medoid(&bands).unwrap_or_default());
    });

    let (long, hidden) = stack(690);
    let long = Stack::new(&long, PIXELS, 1..=u16::MAX)?.with_hidden(&hidden)?;
    report("median_690_dates", 690.0 * PIXELS as f64 / 1e6, &mut |out| {
        median(&long, &mut out[..PIXELS]).unwrap_or_default();
    });

    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--write") {
        let dir = PathBuf::from(arguments.get(at + 1).ok_or("--write takes a folder")?);
        median(&floats, &mut out[..PIXELS])?;
        let bytes = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
        std::fs::write(dir.join("stack.f32"), bytes(&reflectance))?;
        std::fs::write(dir.join("median.f32"), bytes(&out[..PIXELS]))?;
        percentiles(&floats, &shares, Method::Linear, &mut out)?;
        std::fs::write(dir.join("percentiles.f32"), bytes(&out))?;
    }
    Ok(())
}

/// CPU time of the best of five runs.
fn cpu_seconds(mut work: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = cpu_clock();
        work();
        best = best.min(cpu_clock() - start);
    }
    best
}

/// CPU time of this process so far, seconds.
fn cpu_clock() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one `timespec` through a pointer to one.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// A season in DN with noise and clouds, and what a mask would hide of it.
fn stack(dates: usize) -> (Vec<u16>, Vec<bool>) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut uniform = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut values = Vec::with_capacity(dates * PIXELS);
    let mut hidden = Vec::with_capacity(dates * PIXELS);
    for date in 0..dates {
        let season = (date as f64 / 23.0 * std::f64::consts::TAU).sin();
        for _ in 0..PIXELS {
            let cloud = if uniform() < 0.6 { 20_000.0 } else { 0.0 };
            values.push((11_000.0 + 2500.0 * season + 3000.0 * uniform() + cloud) as u16);
            hidden.push(cloud > 0.0);
        }
    }
    (values, hidden)
}
