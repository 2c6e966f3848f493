//! Strips of neighbouring pixels read from all planes, several at a time: planes are far apart, so of each a run of
//! cache lines is fetched that are next to each other, and each line once.

use super::lanes::Kept;
use super::sample::Sample;
use super::stack::{Layer, Samples, Stack, expect};

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
}

/// When something of a strip was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// Times kept, ascending.
    pub(super) times: Vec<usize>,
    /// Which pixels of the strip are complete at each time kept; bit `i` is pixel `i`.
    pub(super) complete: Vec<u64>,
}

/// What of a strip cannot be complete at one time.
#[derive(Debug)]
#[repr(align(64))]
struct Lost {
    /// All ones for a pixel that is lost.
    pixels: [u16; STRIP],
    /// Whether all is hidden: nothing else of it is looked at then.
    hidden: bool,
}

impl Lost {
    const fn all() -> Self {
        Self { pixels: [u16::MAX; STRIP], hidden: true }
    }

    /// What is hidden is lost, and what the last strip of a block lacks.
    #[inline(always)]
    fn hide(&mut self, hidden: &[bool]) {
        self.pixels = [u16::MAX; STRIP];
        let mut all = true;
        for (lost, &hidden) in self.pixels.iter_mut().zip(hidden) {
            *lost = ones(hidden);
            all &= hidden;
        }
        self.hidden = all;
    }

    /// Which pixels are not.
    #[inline(always)]
    fn complete(&self) -> u64 {
        let bytes = self.pixels.map(|lost| !lost as u8 & 1);
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
    };
    (0..together).map(|_| new()).collect()
}

/// Reads the `len` pixels from `first` on: whole strips but for the last one.
#[inline(always)]
pub(super) fn read<const L: usize>(strips: &mut [Strip<L>], stack: &Stack<'_>, first: usize, len: usize) {
    let (times, bands) = (stack.times(), stack.layers.len());
    let mut begun: Vec<Begun<'_, L>> =
        strips.iter_mut().take(len.div_ceil(STRIP)).map(|strip| strip.begin(times * bands)).collect();
    look_ahead(&mut begun, stack, 0, first, len);
    for time in 0..times {
        let any = begun.iter_mut().fold(false, |any, strip| strip.begin_time() | any);
        look_ahead(&mut begun, stack, time + 1, first, len);
        let at = time * stack.pixels + first;
        for (band, layer) in stack.layers.iter().enumerate() {
            for (strip, first) in begun.iter().zip((at + stack.pixels..).step_by(STRIP)) {
                if !strip.next.hidden {
                    layer.samples.expect(first, STRIP);
                }
            }
            if !any {
                continue;
            }
            let place = Place { band, bands, group: times * bands };
            match layer.samples {
                Samples::U8(s) => read_band(&mut begun, &s[at..at + len], layer, place),
                Samples::U16(s) => read_band(&mut begun, &s[at..at + len], layer, place),
                Samples::I16(s) => read_band(&mut begun, &s[at..at + len], layer, place),
                Samples::F32(s) => read_band(&mut begun, &s[at..at + len], layer, place),
            }
        }
        for strip in begun.iter_mut().filter(|strip| !strip.now.hidden) {
            strip.keep(time);
        }
    }
}

/// Notes what is hidden at the time after the one being read: what is hidden wholly need not be fetched.
#[inline(always)]
fn look_ahead<const L: usize>(
    strips: &mut [Begun<'_, L>],
    stack: &Stack<'_>,
    time: usize,
    first: usize,
    len: usize,
) {
    let at = time * stack.pixels + first;
    let Some(hidden) = stack.hidden.get(at..at + len) else {
        strips.iter_mut().for_each(|strip| strip.next.hidden = true);
        return;
    };
    expect(stack.hidden.get(at + stack.pixels..at + stack.pixels + len));
    for (strip, hidden) in strips.iter_mut().zip(hidden.chunks(STRIP)) {
        strip.next.hide(hidden);
    }
}

/// A strip being read.
#[derive(Debug)]
struct Begun<'a, const L: usize> {
    seen: &'a mut Seen,
    /// See [`Strip::values`].
    values: &'a mut [[f32; L]],
    now: Lost,
    next: Lost,
}

impl<const L: usize> Begun<'_, L> {
    /// Goes on to the next time; whether anything of it is not hidden.
    #[inline(always)]
    fn begin_time(&mut self) -> bool {
        std::mem::swap(&mut self.now, &mut self.next);
        !self.now.hidden
    }

    /// Ends a time: it is kept if any pixel is complete.
    #[inline(always)]
    fn keep(&mut self, time: usize) {
        let complete = self.now.complete();
        if complete != 0 {
            self.seen.times.push(time);
            self.seen.complete.push(complete);
        }
    }
}

impl<const L: usize> Strip<L> {
    /// Forgets what it holds; `vectors` is times by bands.
    #[inline(always)]
    fn begin(&mut self, vectors: usize) -> Begun<'_, L> {
        self.seen.times.clear();
        self.seen.complete.clear();
        let values = self.values.room(STRIP / L * vectors);
        Begun { seen: &mut self.seen, values, now: Lost::all(), next: Lost::all() }
    }

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
    /// Vectors of one group of pixels: times by bands.
    group: usize,
}

/// One band of one time: its reflectance, and who is lost.
#[inline(always)]
fn read_band<T: Sample, const L: usize>(
    strips: &mut [Begun<'_, L>],
    stored: &[T],
    layer: &Layer<'_>,
    place: Place,
) {
    let limits = T::at_least(layer.valid[0]).zip(T::at_most(layer.valid[1]));
    // What is not valid needs no second look.
    let nodata =
        T::exactly(layer.nodata).filter(|n| limits.is_some_and(|(low, high)| (low..=high).contains(n)));
    let (scale, offset) = (layer.scale as f32, layer.offset as f32);
    for (strip, stored) in strips.iter_mut().zip(stored.chunks(STRIP)) {
        if strip.now.hidden {
            continue;
        }
        let lost = &mut strip.now.pixels;
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
        let at = strip.seen.times.len() * place.bands + place.band;
        for (group, stored) in stored.as_chunks::<L>().0.iter().enumerate() {
            strip.values[group * place.group + at] = stored.map(|v| v.reflectance(scale, offset));
        }
    }
}

#[inline(always)]
fn ones(yes: bool) -> u16 {
    u16::from(yes).wrapping_neg()
}
