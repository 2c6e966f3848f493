//! What a block is made from: stored samples as they lie in `(time, pixel)` chunks.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use super::super::MAX_BANDS;

/// Stored samples of one band, `(time, pixel)` with pixels fastest.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Samples<'a> {
    /// 8-bit unsigned.
    U8(&'a [u8]),
    /// 16-bit unsigned.
    U16(&'a [u16]),
    /// 16-bit signed.
    I16(&'a [i16]),
    /// 32-bit float.
    F32(&'a [f32]),
}

impl Samples<'_> {
    /// Number of samples.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(s) => s.len(),
            Self::U16(s) => s.len(),
            Self::I16(s) => s.len(),
            Self::F32(s) => s.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Asks the processor to fetch the `len` samples from `start` on, those that exist: the planes of a stack are too
    /// far apart, and too many, for it to see by itself what comes next.
    #[inline(always)]
    pub(super) fn expect(&self, start: usize, len: usize) {
        match self {
            Self::U8(s) => expect(s.get(start..start + len)),
            Self::U16(s) => expect(s.get(start..start + len)),
            Self::I16(s) => expect(s.get(start..start + len)),
            Self::F32(s) => expect(s.get(start..start + len)),
        }
    }

    pub(super) fn get(&self, index: usize) -> f64 {
        match self {
            Self::U8(s) => s.get(index).map_or(f64::NAN, |&v| v.into()),
            Self::U16(s) => s.get(index).map_or(f64::NAN, |&v| v.into()),
            Self::I16(s) => s.get(index).map_or(f64::NAN, |&v| v.into()),
            Self::F32(s) => s.get(index).map_or(f64::NAN, |&v| v.into()),
        }
    }
}

/// Fetches the cache lines of `samples`; a hint, without effect on what is computed.
#[inline(always)]
pub(super) fn expect<T>(samples: Option<&[T]>) {
    const LINE: usize = 64;
    #[cfg(target_arch = "x86_64")]
    for line in samples.unwrap_or_default().chunks(LINE / size_of::<T>()) {
        // SAFETY: a hint about an address that is part of the slice.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (samples, LINE);
}

/// One band of a [`Stack`].
#[derive(Debug, Clone, Copy)]
pub struct Layer<'a> {
    /// The stored samples.
    pub samples: Samples<'a>,
    /// Reflectance is `stored · scale + offset`.
    pub scale: f64,
    /// See `scale`.
    pub offset: f64,
    /// The stored value that means that there is none.
    pub nodata: f64,
    /// First and last stored value that may be used.
    pub valid: [f64; 2],
}

/// All that one block of pixels was observed to be.
#[derive(Debug, Clone, Copy)]
pub struct Stack<'a> {
    /// The bands of a spectrum, all of the same length.
    pub layers: &'a [Layer<'a>],
    /// Observations not to be used, `(time, pixel)`: clouds, saturation.
    pub hidden: &'a [bool],
    /// Pixels of the block; times follow from the lengths.
    pub pixels: usize,
}

/// Why a block was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StackError {
    /// The number of bands is 0 or above [`MAX_BANDS`](super::MAX_BANDS).
    #[error("a geomedian takes 1 to {} bands, not {bands}", MAX_BANDS)]
    BandCount {
        /// The number given.
        bands: usize,
    },
    /// A band or the mask does not hold `(time, pixel)` values.
    #[error("layer {layer} holds {len} values and the mask {hidden}: both must be times · {pixels} pixels")]
    Shape {
        /// Position of the band.
        layer: usize,
        /// Its length.
        len: usize,
        /// Length of the mask.
        hidden: usize,
        /// Pixels of the block.
        pixels: usize,
    },
}

impl Stack<'_> {
    /// Checks the shape.
    /// # Errors
    /// [`StackError`] if bands are none or too many, or lengths do not agree.
    pub(super) fn check(&self) -> Result<(), StackError> {
        let bands = self.layers.len();
        if bands == 0 || bands > MAX_BANDS {
            return Err(StackError::BandCount { bands });
        }
        let (hidden, pixels) = (self.hidden.len(), self.pixels);
        let whole = if pixels == 0 { hidden == 0 } else { hidden.is_multiple_of(pixels) };
        for (layer, len) in self.layers.iter().map(|l| l.samples.len()).enumerate() {
            if len != hidden || !whole {
                return Err(StackError::Shape { layer, len, hidden, pixels });
            }
        }
        Ok(())
    }

    /// Number of times.
    pub(super) fn times(&self) -> usize {
        self.hidden.len().checked_div(self.pixels).unwrap_or(0)
    }
}
