//! Strips of neighbouring pixels read from all planes, several at a time: planes are far apart, so of each a run of
//! cache lines is fetched that are next to each other, and each line once.

use super::lanes::Kept;
use super::sample::Sample;
use super::stack::{Layer, Samples, Stack};

/// Pixels of a strip.
pub(super) const STRIP: usize = 64;

/// What the strips read together may take, bytes: a share of the second-level cache.
const BUDGET: usize = 1 << 20;

/// Fewest strips read together, whatever they take: each plane of a long series is a page of memory of its own, and to find
/// a page takes longer than to write values that the cache cannot hold.
const LEAST: usize = 4;

/// Most strips read together.
const MOST: usize = 8;

/// Observations of one strip that are complete in at least one pixel.
#[derive(Debug)]
pub(super) struct Strip<const L: usize> {
    pub(super) seen: Seen,
    /// Reflectance, `(L pixels, time, band, pixel)`: all times of the stack, as many filled as are kept. Finite.
    values: Kept<L>,
    /// What cannot be complete at the time being read.
    lost: Lost,
}

/// When something of a strip was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// Times kept, ascending.
    pub(super) times: Vec<usize>,
    /// Which pixels of the strip are complete at each time kept; bit `i` is pixel `i`.
    pub(super) complete: Vec<u64>,
}

/// All ones for a pixel that is lost.
#[derive(Debug)]
#[repr(align(64))]
struct Lost([u16; STRIP]);

impl Lost {
    /// Which pixels are not.
    #[inline(always)]
    fn complete(&self) -> u64 {
        let bytes = self.0.map(|lost| !lost as u8 & 1);
        let mut out = 0;
        for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            // The lowest bit of each byte, gathered in the highest byte.
            let word = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            out |= word << (8 * i);
        }
        out
    }
}

/// As many strips as are best read together.
pub(super) fn strips<const L: usize>(stack: &Stack<'_>) -> Vec<Strip<L>> {
    let one = stack.times() * stack.layers.len() * size_of::<[f32; STRIP]>();
    let together = (BUDGET / one.max(1)).clamp(LEAST, MOST);
    let new = || Strip {
        seen: Seen { times: Vec::with_capacity(stack.times()), complete: Vec::with_capacity(stack.times()) },
        values: Kept::default(),
        lost: Lost([0; STRIP]),
    };
    (0..together).map(|_| new()).collect()
}

/// Reads the `len` pixels from `first` on: whole strips but for the last one.
#[inline(always)]
pub(super) fn read<const L: usize>(strips: &mut [Strip<L>], stack: &Stack<'_>, first: usize, len: usize) {
    for strip in strips.iter_mut() {
        strip.seen.times.clear();
        strip.seen.complete.clear();
    }
    for time in 0..stack.times() {
        let at = time * stack.pixels + first;
        let mut any = false;
        for (strip, hidden) in strips.iter_mut().zip(stack.hidden[at..at + len].chunks(STRIP)) {
            // What the last strip of a block lacks is lost.
            let lost = &mut strip.lost.0;
            *lost = [u16::MAX; STRIP];
            let mut all = true;
            for (lost, &hidden) in lost.iter_mut().zip(hidden) {
                *lost = ones(hidden);
                all &= hidden;
            }
            any |= !all;
        }
        if !any {
            continue;
        }
        for (band, layer) in stack.layers.iter().enumerate() {
            let to = Place { band, bands: stack.layers.len(), times: stack.times() };
            layer.samples.expect(at + stack.pixels, len);
            match layer.samples {
                Samples::U8(s) => read_band(strips, &s[at..at + len], layer, to),
                Samples::U16(s) => read_band(strips, &s[at..at + len], layer, to),
                Samples::I16(s) => read_band(strips, &s[at..at + len], layer, to),
                Samples::F32(s) => read_band(strips, &s[at..at + len], layer, to),
            }
        }
        for strip in strips.iter_mut().take(len.div_ceil(STRIP)) {
            let complete = strip.lost.complete();
            if complete != 0 {
                strip.seen.times.push(time);
                strip.seen.complete.push(complete);
            }
        }
    }
}

impl<const L: usize> Strip<L> {
    /// Complete observations of the `L` pixels from `first` on.
    #[inline(always)]
    pub(super) fn counts(&self, first: usize) -> [usize; L] {
        let mut counts = [0u32; L];
        for complete in &self.seen.complete {
            let here = complete >> first;
            for (l, n) in counts.iter_mut().enumerate() {
                *n += (here >> l) as u32 & 1;
            }
        }
        counts.map(|n| n as usize)
    }

    /// The `L` pixels from `first` on, `(time kept, band, pixel)`, of a stack of `times`; and the times kept.
    #[inline(always)]
    pub(super) fn rows<const P: usize>(
        &mut self,
        first: usize,
        times: usize,
    ) -> (&mut [[[f32; L]; P]], &Seen) {
        let start = first / L * times * P;
        let values = &mut self.values.room(STRIP / L * times * P)[start..start + self.seen.times.len() * P];
        (values.as_chunks_mut().0, &self.seen)
    }
}

/// Where a band goes.
#[derive(Clone, Copy)]
struct Place {
    band: usize,
    bands: usize,
    times: usize,
}

/// One band of one time: its reflectance, and who is lost.
#[inline(always)]
fn read_band<T: Sample, const L: usize>(strips: &mut [Strip<L>], stored: &[T], layer: &Layer<'_>, to: Place) {
    let limits = T::at_least(layer.valid[0]).zip(T::at_most(layer.valid[1]));
    // What is not valid needs no second look.
    let nodata =
        T::exactly(layer.nodata).filter(|n| limits.is_some_and(|(low, high)| (low..=high).contains(n)));
    let (scale, offset) = (layer.scale as f32, layer.offset as f32);
    for (strip, stored) in strips.iter_mut().zip(stored.chunks(STRIP)) {
        let lost = &mut strip.lost.0;
        let Some((low, high)) = limits else {
            *lost = [u16::MAX; STRIP];
            continue;
        };
        // Loops of a known length; the last strip is filled up, with what is lost already.
        let mut filled = [T::default(); STRIP];
        let stored: &[T; STRIP] = stored.try_into().unwrap_or_else(|_| {
            filled[..stored.len()].copy_from_slice(stored);
            &filled
        });
        for (lost, &v) in lost.iter_mut().zip(stored) {
            *lost |= ones(!((v >= low) & (v <= high)));
        }
        if let Some(nodata) = nodata {
            for (lost, &v) in lost.iter_mut().zip(stored) {
                *lost |= ones(v == nodata);
            }
        }
        // Written over again if the time is not kept.
        let row = strip.seen.times.len();
        let values = strip.values.room(STRIP / L * to.times * to.bands);
        let mut reflectance = [0.0; STRIP];
        for (to, &v) in reflectance.iter_mut().zip(stored) {
            *to = v.reflectance(scale, offset);
        }
        for (group, from) in reflectance.as_chunks::<L>().0.iter().enumerate() {
            values[(group * to.times + row) * to.bands + to.band] = *from;
        }
    }
}

#[inline(always)]
fn ones(yes: bool) -> u16 {
    u16::from(yes).wrapping_neg()
}
