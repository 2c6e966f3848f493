//! Dates of one band as they lie in memory.

use std::fmt::Debug;
use std::ops::RangeInclusive;

/// Numbers a [`Stack`] holds.
pub trait Sample: Copy + PartialOrd + Debug + private::Sealed {
    /// Sorts behind every value.
    #[doc(hidden)]
    const LAST: Self;
    /// Without loss.
    fn to_f64(self) -> f64;
}

impl Sample for u16 {
    const LAST: Self = Self::MAX;

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

impl Sample for f32 {
    const LAST: Self = Self::INFINITY;

    #[inline(always)]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }
}

mod private {
    pub trait Sealed {}
    impl Sealed for u16 {}
    impl Sealed for f32 {}
}

/// Why a statistic over time was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TemporalError {
    /// The values are not whole dates.
    #[error("{values} values are not a whole number of dates of {pixels} pixels")]
    Ragged {
        /// Values given.
        values: usize,
        /// Pixels per date.
        pixels: usize,
    },
    /// A stack of more dates than a date's position (16 bits) can say.
    #[error("a stack holds at most {} dates, not {dates}", super::NO_DATE)]
    TooManyDates {
        /// Dates given.
        dates: usize,
    },
    /// Two inputs, or input and output, do not have the same size.
    #[error("{what} holds {found} values where {expected} are needed")]
    Length {
        /// The slice.
        what: &'static str,
        /// Length it should have.
        expected: usize,
        /// Length of the slice.
        found: usize,
    },
    /// A percentile outside 0 to 1.
    #[error("a percentile is a share between 0 and 1, not {share}")]
    Share {
        /// The share given.
        share: f64,
    },
    /// No band was given.
    #[error("at least one band is needed")]
    NoBands,
}

/// Observations of one band, `(date, pixel)`: all pixels of the first date, then all of the second.
#[derive(Debug, Clone)]
pub struct Stack<'a, T> {
    values: &'a [T],
    hidden: Option<&'a [bool]>,
    pixels: usize,
    valid: RangeInclusive<T>,
}

impl<'a, T: Sample> Stack<'a, T> {
    /// A stack whose observations are those within `valid`, ends included; nodata must lie outside. Usual are
    /// `1..=65535` for Landsat's numbers and `f32::MIN..=f32::MAX`, which NaN and infinities are not within.
    /// # Errors
    /// [`TemporalError::Ragged`], [`TemporalError::TooManyDates`].
    pub fn new(values: &'a [T], pixels: usize, valid: RangeInclusive<T>) -> Result<Self, TemporalError> {
        if (pixels == 0 && !values.is_empty()) || (pixels > 0 && !values.len().is_multiple_of(pixels)) {
            return Err(TemporalError::Ragged { values: values.len(), pixels });
        }
        let dates = values.len().checked_div(pixels).unwrap_or(0);
        if dates > usize::from(super::NO_DATE) {
            return Err(TemporalError::TooManyDates { dates });
        }
        Ok(Self { values, hidden: None, pixels, valid })
    }

    /// Leaves out the observations where `hidden`, of the same shape, is true.
    /// # Errors
    /// [`TemporalError::Length`].
    pub fn with_hidden(self, hidden: &'a [bool]) -> Result<Self, TemporalError> {
        check("the mask", self.values.len(), hidden.len())?;
        Ok(Self { hidden: Some(hidden), ..self })
    }

    /// Pixels of one date.
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// Number of dates.
    pub fn dates(&self) -> usize {
        self.values.len().checked_div(self.pixels).unwrap_or(0)
    }

    /// The observation of a pixel on a date, unless it is missing or there is none.
    pub fn get(&self, date: usize, pixel: usize) -> Option<T> {
        if pixel >= self.pixels {
            return None;
        }
        let at = date.checked_mul(self.pixels)?.checked_add(pixel)?;
        let value = *self.values.get(at)?;
        let hidden = self.hidden.is_some_and(|hidden| hidden[at]);
        (!hidden && self.valid.contains(&value)).then_some(value)
    }

    /// `out.len()` pixels of a date from `start` on, missing ones as [`Sample::LAST`], and adds 1 to the counts
    /// of the others; whether there was any.
    #[inline(always)]
    pub(super) fn load(&self, date: usize, start: usize, out: &mut [T], counts: &mut [u16]) -> bool {
        let at = date * self.pixels + start;
        let values = &self.values[at..at + out.len()];
        let (least, greatest) = (*self.valid.start(), *self.valid.end());
        let mut seen = 0;
        let mut put = |out: &mut T, count: &mut u16, value: T, hidden: bool| {
            let usable = (value >= least) & (value <= greatest) & !hidden;
            *out = if usable { value } else { T::LAST };
            *count = count.wrapping_add(u16::from(usable)); // at most 65535 dates; a check would not vectorise
            seen |= u16::from(usable);
        };
        if let Some(hidden) = self.hidden {
            let hidden = &hidden[at..at + out.len()];
            for (((o, c), &v), &h) in out.iter_mut().zip(counts).zip(values).zip(hidden) {
                put(o, c, v, h);
            }
        } else {
            for ((o, c), &v) in out.iter_mut().zip(counts).zip(values) {
                put(o, c, v, false);
            }
        }
        seen != 0
    }
}

/// Refuses a slice of the wrong length.
pub(super) fn check(what: &'static str, expected: usize, found: usize) -> Result<(), TemporalError> {
    if expected == found { Ok(()) } else { Err(TemporalError::Length { what, expected, found }) }
}
