//! From a physical value to the integer a product stores.

/// Integer types a [`Quantizer`] writes.
pub trait IntegerSample: Copy + PartialEq + Into<f64> {
    /// Smallest value.
    const MIN: Self;
    /// Largest value.
    const MAX: Self;
    /// Conversion of a whole number already inside the range.
    fn from_whole(value: f64) -> Self;
    /// The whole number nearest to a value already inside the range, halves to even; anything for NaN.
    fn nearest(value: f64) -> Self;
}

/// Added to a value of less than 2⁵¹ it leaves the nearest whole number in the low bits of the sum, halves to even.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

impl IntegerSample for u16 {
    const MIN: Self = Self::MIN;
    const MAX: Self = Self::MAX;

    fn from_whole(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn nearest(value: f64) -> Self {
        (value + ROUNDER).to_bits() as Self
    }
}

impl IntegerSample for i16 {
    const MIN: Self = Self::MIN;
    const MAX: Self = Self::MAX;

    fn from_whole(value: f64) -> Self {
        value as Self
    }

    #[inline(always)]
    fn nearest(value: f64) -> Self {
        (value + ROUNDER).to_bits() as Self
    }
}

/// A scale or offset that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("scale {scale} and offset {offset} must be finite, and the scale above zero")]
pub struct QuantizerError {
    /// The scale given.
    pub scale: f64,
    /// The offset given.
    pub offset: f64,
}

/// Stores `value = stored · scale + offset` as an integer, rounding halves to even.
///
/// Values beyond the integer range saturate. A value that would land on nodata is moved to the next
/// integer (with nodata 0: to 1; with nodata at the top of the range: one below), so that nodata always
/// means that there is no value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantizer<T> {
    per_unit: f64,
    offset: f64,
    nodata: T,
    beside_nodata: T,
}

impl<T: IntegerSample> Quantizer<T> {
    /// A quantizer for stored values of the given scale, offset and nodata.
    /// # Errors
    /// [`QuantizerError`] if the scale is not above zero or either number is not finite.
    pub fn new(scale: f64, offset: f64, nodata: T) -> Result<Self, QuantizerError> {
        let per_unit = 1.0 / scale;
        if !(scale > 0.0 && scale.is_finite() && per_unit.is_finite() && offset.is_finite()) {
            return Err(QuantizerError { scale, offset });
        }
        let number: f64 = nodata.into();
        let aside = if nodata == T::MAX { -1.0 } else { 1.0 };
        Ok(Self { per_unit, offset, nodata, beside_nodata: T::from_whole(number + aside) })
    }

    /// The stored integer of `value`; nodata for NaN and infinities.
    pub fn encode(&self, value: f64) -> T {
        if !value.is_finite() {
            return self.nodata;
        }
        let whole = ((value - self.offset) * self.per_unit).round_ties_even();
        let stored = T::from_whole(whole.clamp(T::MIN.into(), T::MAX.into()));
        if stored == self.nodata { self.beside_nodata } else { stored }
    }

    #[inline(always)]
    fn encode_each(&self, values: &[f32]) -> Vec<T> {
        let (least, most) = (T::MIN.into(), T::MAX.into());
        let one = |v: &f32| {
            let inside = ((f64::from(*v) - self.offset) * self.per_unit).max(least).min(most);
            let stored = T::nearest(inside);
            let stored = if stored == self.nodata { self.beside_nodata } else { stored };
            if v.is_finite() { stored } else { self.nodata }
        };
        values.iter().map(one).collect()
    }
}

macro_rules! encode_all {
    ($($type:ty)*) => {$(
        impl Quantizer<$type> {
            /// [`Quantizer::encode`] of many values, several at a time.
            pub fn encode_all(&self, values: &[f32]) -> Vec<$type> {
                #[cfg(target_arch = "x86_64")]
                if is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has the instructions, asked here.
                    return unsafe { self.encode_avx2(values) };
                }
                self.encode_each(values)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn encode_avx2(&self, values: &[f32]) -> Vec<$type> {
                self.encode_each(values)
            }
        }
    )*};
}
encode_all!(u16 i16);
