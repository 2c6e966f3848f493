//! Strips of neighbouring pixels read from all planes, several at a time: planes are far apart, so of each a run of
//! cache lines is fetched that are next to each other, and each line once.

use super::stack::{Layer, Samples, Stack};

/// Pixels of a strip.
pub(super) const STRIP: usize = 64;

/// What the strips read together may take, bytes: a share of the second-level cache.
const BUDGET: usize = 384 << 10;

/// Most strips read together.
const MOST: usize = 8;

/// Observations of one strip that are complete in at least one pixel.
#[derive(Debug, Default)]
pub(super) struct Strip {
    /// Times kept, ascending.
    pub(super) times: Vec<usize>,
    /// Which pixels of the strip are complete at each time kept; bit `i` is pixel `i`.
    pub(super) complete: Vec<u64>,
    /// Reflectance, `(time kept, band, STRIP)`.
    pub(super) values: Vec<Row>,
    /// What may still be complete at the time being read, one byte a pixel.
    usable: Usable,
}

/// One band of one time. On a cache line of its own, so that no vector of it lies across two.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Row(pub(super) [f32; STRIP]);

#[derive(Debug)]
struct Usable([u8; STRIP]);

impl Default for Usable {
    fn default() -> Self {
        Self([0; STRIP])
    }
}

/// As many strips as are best read together.
pub(super) fn strips(stack: &Stack<'_>) -> Vec<Strip> {
    let one = stack.times() * stack.layers.len() * size_of::<[f32; STRIP]>();
    let together = (BUDGET / one.max(1)).clamp(1, MOST);
    (0..together).map(|_| Strip::default()).collect()
}

/// Reads the `len` pixels from `first` on: whole strips but for the last one.
#[inline(always)]
pub(super) fn read(strips: &mut [Strip], stack: &Stack<'_>, first: usize, len: usize) {
    let bands = stack.layers.len();
    for strip in strips.iter_mut() {
        strip.times.clear();
        strip.complete.clear();
    }
    for time in 0..stack.times() {
        let at = time * stack.pixels + first;
        let hidden = stack.hidden[at..at + len].chunks(STRIP);
        let mut any = 0;
        for (strip, hidden) in strips.iter_mut().zip(hidden) {
            strip.usable.0 = [0; STRIP];
            for (u, hidden) in strip.usable.0.iter_mut().zip(hidden) {
                *u = u8::from(!*hidden);
            }
            any |= bits(&strip.usable.0);
            // Rows are written over again if the time is not kept.
            let rows = (strip.times.len() + 1) * bands;
            if strip.values.len() < rows {
                strip.values.resize(rows, Row([0.0; STRIP]));
            }
        }
        if any == 0 {
            continue;
        }
        let next = at + stack.pixels;
        for (band, layer) in stack.layers.iter().enumerate() {
            layer.samples.expect(next, len);
            match layer.samples {
                Samples::U8(s) => read_band(strips, &s[at..at + len], layer, band, bands),
                Samples::U16(s) => read_band(strips, &s[at..at + len], layer, band, bands),
                Samples::I16(s) => read_band(strips, &s[at..at + len], layer, band, bands),
                Samples::F32(s) => read_band(strips, &s[at..at + len], layer, band, bands),
            }
        }
        for strip in strips.iter_mut().take(len.div_ceil(STRIP)) {
            let complete = bits(&strip.usable.0);
            if complete != 0 {
                strip.times.push(time);
                strip.complete.push(complete);
            }
        }
    }
}

impl Strip {
    /// Complete observations of `L` pixels from `first` on.
    #[inline(always)]
    pub(super) fn counts<const L: usize>(&self, first: usize) -> [usize; L] {
        let mut counts = [0u32; L];
        for complete in &self.complete {
            let here = complete >> first;
            for (l, n) in counts.iter_mut().enumerate() {
                *n += (here >> l) as u32 & 1;
            }
        }
        counts.map(|n| n as usize)
    }
}

/// One band of one time: its reflectance, and what of `usable` it leaves.
#[inline(always)]
fn read_band<T: Sample>(strips: &mut [Strip], stored: &[T], layer: &Layer<'_>, band: usize, bands: usize) {
    let limits = T::at_least(layer.valid[0]).zip(T::at_most(layer.valid[1]));
    let nodata = T::exactly(layer.nodata);
    let (scale, offset) = (layer.scale as f32, layer.offset as f32);
    for (strip, stored) in strips.iter_mut().zip(stored.chunks(STRIP)) {
        let usable = &mut strip.usable.0;
        if bits(usable) == 0 {
            continue;
        }
        let Some((low, high)) = limits else {
            *usable = [0; STRIP];
            continue;
        };
        // Loops of a known length; the last strip is filled up with what is not usable.
        let mut filled = [T::default(); STRIP];
        let stored: &[T; STRIP] = stored.try_into().unwrap_or_else(|_| {
            filled[..stored.len()].copy_from_slice(stored);
            &filled
        });
        for (u, &v) in usable.iter_mut().zip(stored) {
            *u &= u8::from((v >= low) & (v <= high));
        }
        if let Some(nodata) = nodata {
            for (u, &v) in usable.iter_mut().zip(stored) {
                *u &= u8::from(v != nodata);
            }
        }
        let row = &mut strip.values[strip.times.len() * bands + band];
        for (out, &v) in row.0.iter_mut().zip(stored) {
            *out = v.to_f32() * scale + offset;
        }
    }
}

#[inline(always)]
fn bits(usable: &[u8; STRIP]) -> u64 {
    let mut out = 0;
    for (i, eight) in usable.as_chunks::<8>().0.iter().enumerate() {
        // The lowest bit of each byte, gathered in the highest byte.
        let word = u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        out |= word << (8 * i);
    }
    out
}

/// A stored type whose limits are compared as stored.
trait Sample: Copy + Default + PartialOrd {
    /// The least value of the type that is `bound` or more; `None` when there is none.
    fn at_least(bound: f64) -> Option<Self>;
    /// The greatest value of the type that is `bound` or less; `None` when there is none.
    fn at_most(bound: f64) -> Option<Self>;
    /// `value` if the type has it.
    fn exactly(value: f64) -> Option<Self>;
    fn to_f32(self) -> f32;
}

macro_rules! integer_sample {
    ($($type:ty)*) => {$(
        impl Sample for $type {
            fn at_least(bound: f64) -> Option<Self> {
                let bound = bound.ceil().max(Self::MIN.into());
                (bound <= Self::MAX.into()).then_some(bound as Self)
            }

            fn at_most(bound: f64) -> Option<Self> {
                let bound = bound.floor().min(Self::MAX.into());
                (bound >= Self::MIN.into()).then_some(bound as Self)
            }

            fn exactly(value: f64) -> Option<Self> {
                (f64::from(value as Self) == value).then_some(value as Self)
            }

            #[inline(always)]
            fn to_f32(self) -> f32 {
                f32::from(self)
            }
        }
    )*};
}
integer_sample!(u8 u16 i16);

/// Only finite values are at least or at most anything.
impl Sample for f32 {
    fn at_least(bound: f64) -> Option<Self> {
        let bound = bound.max(Self::MIN.into());
        let near = bound as Self;
        let near = if f64::from(near) < bound { near.next_up() } else { near };
        near.is_finite().then_some(near)
    }

    fn at_most(bound: f64) -> Option<Self> {
        let bound = bound.min(Self::MAX.into());
        let near = bound as Self;
        let near = if f64::from(near) > bound { near.next_down() } else { near };
        near.is_finite().then_some(near)
    }

    fn exactly(value: f64) -> Option<Self> {
        (f64::from(value as Self) == value).then_some(value as Self)
    }

    #[inline(always)]
    fn to_f32(self) -> f32 {
        self
    }
}
