//! The number types that pixels have.

use std::fmt::Debug;

use crate::pyramid::row::mean_u16_zero;
use crate::{Source, lanes};

mod sealed {
    pub trait Sealed {}
}

/// A pixel's number type: u8, u16, i16 or f32.
pub trait Sample: Copy + PartialEq + PartialOrd + Debug + Send + Sync + sealed::Sealed + 'static {
    /// The value as f64; exact.
    fn to_f64(self) -> f64;

    /// The nearest value of this type (integers: half to even, clamped to the range) that is not `nodata`: a result
    /// computed from valid pixels stays valid.
    fn from_f64(value: f64, nodata: Self) -> Self;

    /// Whether the value means "no observation"; NaN always does.
    fn is_nodata(self, nodata: Self) -> bool;

    /// The mean of four values, rounded half to even, where that is quicker than by way of f64; the same number.
    #[inline]
    fn mean_of_four(_values: [Self; 4]) -> Option<Self> {
        None
    }

    /// Appends the means of a row of parents, two rows of children and the bits of those used, where that is quicker
    /// than one by one; the same numbers. Whether it did.
    #[inline]
    fn mean_row(_top: &[Self], _low: &[Self], _used: &[u8], _nodata: Self, _parents: &mut Vec<Self>) -> bool {
        false
    }

    /// Bilinear samples of a source at positions `u` and `v` in its window, where that is quicker than one by one; the
    /// same numbers. Whether it did. Appends to `left` where the runs start that it left alone.
    #[inline]
    fn bilinear_row(
        _source: &Source<'_, Self>,
        _at: [&[f64]; 2],
        _out: &mut [Self],
        _left: &mut Vec<usize>,
    ) -> bool {
        false
    }
}

/// Adding and taking away 1.5 · 2^52 rounds half to even where |value| < 2^51.
pub(crate) const ROUNDER: f64 = 6_755_399_441_055_744.0;

macro_rules! integer_sample {
    ($($t:ty $(, $row:item)*);*) => {$(
        impl sealed::Sealed for $t {}
        impl Sample for $t {
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline]
            fn from_f64(value: f64, nodata: Self) -> Self {
                let clamped = value.clamp(f64::from(Self::MIN), f64::from(Self::MAX));
                let rounded = ((clamped + ROUNDER) - ROUNDER) as Self;
                if rounded != nodata {
                    rounded
                } else if nodata == Self::MIN || (value >= f64::from(nodata) && nodata != Self::MAX) {
                    nodata + 1
                } else {
                    nodata - 1
                }
            }
            #[inline]
            fn is_nodata(self, nodata: Self) -> bool {
                self == nodata
            }
            #[inline]
            fn mean_of_four(values: [Self; 4]) -> Option<Self> {
                // Wrapping, because checked sums are not taken together.
                let [a, b, c, d] = values.map(i32::from);
                let sum = a.wrapping_add(b).wrapping_add(c).wrapping_add(d);
                Some((sum.wrapping_add(1).wrapping_add((sum >> 2) & 1) >> 2) as Self)
            }
            $($row)*
        }
    )*};
}

integer_sample!(
    u8;
    u16,
    #[inline]
    fn mean_row(top: &[u16], low: &[u16], used: &[u8], nodata: u16, parents: &mut Vec<u16>) -> bool {
        if nodata == 0 {
            mean_u16_zero(top, low, used, parents);
        }
        nodata == 0
    },
    #[inline]
    fn bilinear_row(
        source: &Source<'_, u16>,
        at: [&[f64]; 2],
        out: &mut [u16],
        left: &mut Vec<usize>,
    ) -> bool {
        lanes::bilinear(source, at, out, left);
        true
    };
    i16
);

impl sealed::Sealed for f32 {}

impl Sample for f32 {
    #[inline]
    fn to_f64(self) -> f64 {
        f64::from(self)
    }

    #[inline]
    fn from_f64(value: f64, nodata: Self) -> Self {
        let rounded = value as Self;
        if rounded == nodata { nodata.next_up() } else { rounded }
    }

    #[inline]
    fn is_nodata(self, nodata: Self) -> bool {
        self.is_nan() || self == nodata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_round_half_to_even_and_clamp() {
        let to = |v| u16::from_f64(v, 9999);
        assert_eq!([0.5, 1.5, 2.5, 2.500001, -7.0, 1e9].map(to), [0, 2, 2, 3, 0, 65535]);
        assert_eq!([-0.5, -1.5, -2.5, -40000.0].map(|v| i16::from_f64(v, 99)), [0, -2, -2, -32768]);
    }

    #[test]
    fn a_result_never_becomes_nodata() {
        assert_eq!([0.0, 0.4, -3.0].map(|v| u16::from_f64(v, 0)), [1, 1, 1]);
        assert_eq!([255.0, 254.6].map(|v| u8::from_f64(v, 255)), [254, 254]);
        assert_eq!([-0.2, 0.2].map(|v| i16::from_f64(v, 0)), [-1, 1]);
        assert_eq!(i16::from_f64(-99999.0, i16::MIN), -32767);
        assert!(f32::from_f64(-1.0, -1.0) > -1.0);
        assert_eq!(f32::from_f64(-1.0, f32::NAN), -1.0);
    }
}
