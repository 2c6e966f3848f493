//! Geomedians of whole blocks: many pixels at once, straight from stored samples.
//!
//! Pixels go side by side through the vector lanes of the machine in `f32`; a pixel with one observation or two, with its
//! minimiser close to an observation, with a nearly flat cost or with no unique minimiser goes through the scalar solver
//! in `f64`. Which way a pixel goes
//! and what comes out depends on its own observations alone: not on the pixels beside it, on where a block begins, on
//! threads or on the [`Level`].

mod count;
mod deviations;
mod group;
mod lanes;
mod level;
mod planes;
mod sample;
mod select;
mod single;
mod solve;
mod stack;
mod strip;
#[cfg(test)]
mod tests;
mod vertex;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use level::Level;
pub use planes::Planes;
pub use stack::{Layer, Samples, Stack, StackError};

use super::QaFlags;
use deviations::Columns;
use group::Group;
use lanes::{Lanes, Plain};
use single::Single;
use strip::{STRIP, Strip, read, strips};
#[cfg(target_arch = "x86_64")]
use x86::{Avx2, Avx512, Sse2};

/// Pixels with at most this many observations are solved in `f64`, in closed form.
pub const SCALAR_UP_TO: usize = 2;

/// The number of bands that goes through the lanes; others are solved pixel by pixel.
const LANE_BANDS: usize = 6;

/// Geomedian, deviations, count and flags of every pixel of `stack`, as [`super::geomad`] has them for one.
///
/// An observation takes part if nothing hides it and every band is within its valid range and not nodata. Pixels with
/// fewer than `min_obs` of them are NaN and keep their count. The point is within 0.5 DN (1.4e-5 ρ) of the minimiser.
/// # Errors
/// [`StackError`] if the bands are none or more than [`MAX_BANDS`](super::MAX_BANDS), or their lengths do not agree.
pub fn geomad_block(stack: &Stack<'_>, min_obs: u16) -> Result<Planes, StackError> {
    geomad_block_at(Level::best(), stack, min_obs)
}

/// [`geomad_block`] with the instructions of `level`, or plain ones where the machine lacks them.
/// # Errors
/// As [`geomad_block`].
pub fn geomad_block_at(level: Level, stack: &Stack<'_>, min_obs: u16) -> Result<Planes, StackError> {
    stack.check()?;
    let mut planes = Planes::nodata(stack.layers.len(), stack.pixels);
    match level {
        #[cfg(target_arch = "x86_64")]
        Level::Sse2 => run::<Sse2, 4>(stack, min_obs, &mut planes),
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions, asked here.
        Level::Avx2 if level.is_available() => unsafe { run_avx2(stack, min_obs, &mut planes) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor has the instructions, asked here.
        Level::Avx512 if level.is_available() => unsafe { run_avx512(stack, min_obs, &mut planes) },
        _ => run::<Plain, 4>(stack, min_obs, &mut planes),
    }
    Ok(planes)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn run_avx2(stack: &Stack<'_>, min_obs: u16, planes: &mut Planes) {
    run::<Avx2, 8>(stack, min_obs, planes);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
fn run_avx512(stack: &Stack<'_>, min_obs: u16, planes: &mut Planes) {
    run::<Avx512, 16>(stack, min_obs, planes);
}

#[inline(always)]
fn run<V: Lanes<L>, const L: usize>(stack: &Stack<'_>, min_obs: u16, planes: &mut Planes) {
    let mut strips = strips::<L>(stack);
    let mut scratch = Scratch { columns: Columns::default(), single: Single::default() };
    let step = strips.len() * STRIP;
    for start in (0..stack.pixels).step_by(step) {
        let end = (start + step).min(stack.pixels);
        read(&mut strips, stack, start, end - start);
        for (strip, first) in strips.iter_mut().zip((start..end).step_by(STRIP)) {
            let len = STRIP.min(end - first);
            for lane_0 in (0..len).step_by(L) {
                let mut here =
                    Here { stack, strip, lane_0, pixel_0: first + lane_0, lanes: L.min(len - lane_0) };
                answer::<V, L>(&mut here, min_obs, &mut scratch, planes);
            }
        }
    }
}

/// `L` neighbouring pixels, fewer at the end of a block.
struct Here<'a, const L: usize> {
    stack: &'a Stack<'a>,
    strip: &'a mut Strip<L>,
    /// The first of them, counted in the strip and in the block.
    lane_0: usize,
    pixel_0: usize,
    lanes: usize,
}

/// Made once and used again.
struct Scratch<const L: usize> {
    columns: Columns<L>,
    single: Single,
}

#[inline(always)]
fn answer<V: Lanes<L>, const L: usize>(
    here: &mut Here<'_, L>,
    min_obs: u16,
    scratch: &mut Scratch<L>,
    planes: &mut Planes,
) {
    let &mut Here { stack, ref mut strip, lane_0, pixel_0, lanes } = here;
    let counts = strip.counts(lane_0);
    let mut wanted = 0u32;
    let mut many = 0u32;
    for (l, &n) in counts[..lanes].iter().enumerate() {
        planes.count[pixel_0 + l] = u16::try_from(n).unwrap_or(u16::MAX);
        planes.flags[pixel_0 + l] = QaFlags::of_count(n);
        wanted |= u32::from(n > 0 && n >= usize::from(min_obs)) << l;
        many |= u32::from(n > SCALAR_UP_TO) << l;
    }
    let Scratch { columns, single } = scratch;
    if stack.layers.len() == LANE_BANDS && wanted & many != 0 {
        let (rows, seen) = strip.rows(lane_0, stack.times());
        let mut group = Group::new(rows, &seen.complete, lane_0, &counts, wanted & many);
        for l in set_bits(group.perhaps_on_a_line::<V>()) {
            if single.is_segment(stack, seen, lane_0 + l, pixel_0 + l) {
                group.leave(l);
            }
        }
        wanted &= !group.answer::<V>(planes, pixel_0, columns);
    }
    for l in set_bits(wanted) {
        single.answer(stack, &strip.seen, lane_0 + l, pixel_0 + l, planes);
    }
}

/// Positions of the bits that are one, ascending.
fn set_bits(bits: u32) -> impl Iterator<Item = usize> {
    (0..u32::BITS as usize).filter(move |l| bits >> l & 1 == 1)
}
