//! Bilinear samples of a run of pixels at once, for the type that nearly every band has: written so that the compiler
//! takes several in one instruction. The numbers are those of sampling one by one.

use crate::Source;
use crate::sample::ROUNDER;

/// Pixels looked at together: where every neighbour of all of them is valid, the sample is the weighted sum.
pub(crate) const TOGETHER: usize = 16;

/// Samples a source at positions in its window, `u` and `v`. Runs of [`TOGETHER`] that reach past its edge, or have valid neighbours and
/// others, are left alone, as is a last one that is shorter; `left` has their starts. In the vector lanes of the
/// machine, which give the same numbers.
pub(crate) fn bilinear(source: &Source<'_, u16>, at: [&[f64]; 2], out: &mut [u16], left: &mut Vec<usize>) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions, asked here.
        return unsafe { bilinear_avx2(source, at, out, left) };
    }
    by_runs(source, at, out, left);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn bilinear_avx2(source: &Source<'_, u16>, at: [&[f64]; 2], out: &mut [u16], left: &mut Vec<usize>) {
    by_runs(source, at, out, left);
}

#[inline(always)]
fn by_runs(source: &Source<'_, u16>, at: [&[f64]; 2], out: &mut [u16], left: &mut Vec<usize>) {
    let (runs, rest) = out.as_chunks_mut::<TOGETHER>();
    let whole = runs.len() * TOGETHER;
    let [us, vs] = at.map(|axis| axis.as_chunks::<TOGETHER>().0);
    let positions = us.iter().zip(vs);
    for ((start, run), (us, vs)) in (0..whole).step_by(TOGETHER).zip(runs).zip(positions) {
        match together(source, us, vs) {
            Some(samples) => *run = samples,
            None => left.push(start),
        }
    }
    if !rest.is_empty() {
        left.push(whole);
    }
}

/// The samples at some positions, if all have four valid neighbours, or all have none.
#[inline(always)]
fn together(source: &Source<'_, u16>, us: &[f64; TOGETHER], vs: &[f64; TOGETHER]) -> Option<[u16; TOGETHER]> {
    let (values, nodata) = (source.values, source.nodata);
    let (width, height) = (source.window.width, source.window.height);
    // From the centre of the first pixel to that of the last. Not for NaN.
    let (right, bottom) = (width as f64 - 0.5, height as f64 - 0.5);
    let mut inside = true;
    for (u, v) in us.iter().zip(vs) {
        inside &= (*u >= 0.5) & (*u < right) & (*v >= 0.5) & (*v < bottom);
    }
    // Offsets are taken in 32 bits.
    if !inside || values.len() != width * height || i32::try_from(values.len()).is_err() {
        return None;
    }
    let (mut first, mut tx, mut ty) = ([0i32; TOGETHER], [0.0; TOGETHER], [0.0; TOGETHER]);
    for k in 0..TOGETHER {
        let (u, v) = (us[k] + 0.5, vs[k] + 0.5);
        // SAFETY: inside a raster of fewer than 2^31 pixels, so both are from 1 to less than 2^31.
        let (i, j) = unsafe { (u.to_int_unchecked::<i32>(), v.to_int_unchecked::<i32>()) };
        (tx[k], ty[k]) = (u - f64::from(i), v - f64::from(j));
        first[k] = (j.wrapping_sub(1)).wrapping_mul(width as i32).wrapping_add(i.wrapping_sub(1));
    }
    let mut near = [[0u16; TOGETHER]; 4];
    for (k, first) in first.iter().enumerate() {
        // Both rows of neighbours in one slice, so that its end is looked at once.
        let pixels = values.get(*first as usize..)?.get(..width + 2)?;
        (near[0][k], near[1][k]) = (pixels[0], pixels[1]);
        (near[2][k], near[3][k]) = (pixels[width], pixels[width + 1]);
    }
    let (mut any, mut all) = (false, true);
    for value in near.as_flattened() {
        any |= *value != nodata;
        all &= *value != nodata;
    }
    if !any {
        return Some([nodata; TOGETHER]);
    }
    if !all {
        return None;
    }
    let mut samples = [0; TOGETHER];
    let mut is_nodata = false;
    for (k, sample) in samples.iter_mut().enumerate() {
        let (a, b) = (f64::from(near[0][k]), f64::from(near[1][k]));
        let (c, d) = (f64::from(near[2][k]), f64::from(near[3][k]));
        let (left, right) = (1.0 - tx[k], tx[k]);
        let (above, below) = (1.0 - ty[k], ty[k]);
        let sum = (a * left + b * right) * above + (c * left + d * right) * below;
        let rounded = (sum + ROUNDER) - ROUNDER;
        // SAFETY: a mean of 16-bit numbers, give or take a rounding, is a number of far fewer than 32 bits.
        *sample = unsafe { rounded.to_int_unchecked::<i32>() } as u16;
        is_nodata |= *sample == nodata;
    }
    // A sample of valid pixels is never nodata itself.
    (!is_nodata).then_some(samples)
}
