use std::borrow::Cow;
use std::ops::Range;

use tesela_model::DType;

/// Values of one of the four stored types, in row-major order; the shape is the caller's to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Pixels {
    /// 8-bit unsigned.
    U8(Vec<u8>),
    /// 16-bit unsigned.
    U16(Vec<u16>),
    /// 16-bit signed.
    I16(Vec<i16>),
    /// 32-bit float.
    F32(Vec<f32>),
}

macro_rules! each {
    ($pixels:expr, $values:ident => $body:expr) => {
        match $pixels {
            Pixels::U8($values) => $body,
            Pixels::U16($values) => $body,
            Pixels::I16($values) => $body,
            Pixels::F32($values) => $body,
        }
    };
}

impl Pixels {
    /// No values, of a type; what a read grows.
    pub const fn empty(dtype: DType) -> Self {
        match dtype {
            DType::Uint8 => Self::U8(Vec::new()),
            DType::Uint16 => Self::U16(Vec::new()),
            DType::Int16 => Self::I16(Vec::new()),
            DType::Float32 => Self::F32(Vec::new()),
        }
    }

    /// `len` times the same value; integer types take the nearest value they have (NaN becomes 0).
    pub fn filled(dtype: DType, len: usize, fill: f64) -> Self {
        match dtype {
            DType::Uint8 => Self::U8(vec![fill as u8; len]),
            DType::Uint16 => Self::U16(vec![fill as u16; len]),
            DType::Int16 => Self::I16(vec![fill as i16; len]),
            DType::Float32 => Self::F32(vec![fill as f32; len]),
        }
    }

    /// The type of the values.
    pub const fn dtype(&self) -> DType {
        match self {
            Self::U8(_) => DType::Uint8,
            Self::U16(_) => DType::Uint16,
            Self::I16(_) => DType::Int16,
            Self::F32(_) => DType::Float32,
        }
    }

    /// The number of values.
    pub const fn len(&self) -> usize {
        each!(self, values => values.len())
    }

    /// Whether there is no value.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One value as stored (no scale, no offset); `None` past the end.
    pub fn get_f64(&self, index: usize) -> Option<f64> {
        each!(self, values => values.get(index).map(|&v| f64::from(v)))
    }

    /// The values as bytes, little-endian; borrowed where the machine is little-endian.
    pub fn to_le_bytes(&self) -> Cow<'_, [u8]> {
        if cfg!(target_endian = "little") {
            return Cow::Borrowed(self.bytes());
        }
        let mut bytes = self.bytes().to_vec();
        swap_unless_little(&mut bytes, self.dtype().size_bytes());
        Cow::Owned(bytes)
    }

    /// Values from little-endian bytes; `None` when the length is no multiple of the value's size.
    pub fn from_le_bytes(dtype: DType, bytes: &[u8]) -> Option<Self> {
        if !bytes.len().is_multiple_of(dtype.size_bytes()) {
            return None;
        }
        let mut pixels = Self::filled(dtype, bytes.len() / dtype.size_bytes(), 0.0);
        pixels.bytes_mut().copy_from_slice(bytes);
        swap_unless_little(pixels.bytes_mut(), dtype.size_bytes());
        Some(pixels)
    }

    /// The values as the machine holds them.
    pub fn bytes(&self) -> &[u8] {
        each!(self, values => bytemuck::cast_slice(values))
    }

    /// The values as the machine holds them, to write into.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        each!(self, values => bytemuck::cast_slice_mut(values))
    }

    /// Makes this `len` values of `dtype`, keeping the memory where it fits. Contents are unspecified.
    pub fn reshape(&mut self, dtype: DType, len: usize) {
        if self.dtype() != dtype {
            *self = Self::filled(dtype, len, 0.0);
            return;
        }
        match self {
            Self::U8(v) => v.resize(len, 0),
            Self::U16(v) => v.resize(len, 0),
            Self::I16(v) => v.resize(len, 0),
            Self::F32(v) => v.resize(len, 0.0),
        }
    }

    /// Sets a run of values. The run must lie inside.
    pub(crate) fn fill_run(&mut self, run: Range<usize>, fill: f64) {
        match self {
            Self::U8(v) => v[run].fill(fill as u8),
            Self::U16(v) => v[run].fill(fill as u16),
            Self::I16(v) => v[run].fill(fill as i16),
            Self::F32(v) => v[run].fill(fill as f32),
        }
    }

    /// Whether every value is `fill`. Every NaN is the NaN fill; `-0.0` is not `0.0`.
    pub fn is_all(&self, fill: f64) -> bool {
        match self {
            Self::U8(v) => v.iter().all(|&x| x == fill as u8),
            Self::U16(v) => v.iter().all(|&x| x == fill as u16),
            Self::I16(v) => v.iter().all(|&x| x == fill as i16),
            Self::F32(v) if fill.is_nan() => v.iter().all(|x| x.is_nan()),
            Self::F32(v) => v.iter().all(|x| x.to_bits() == (fill as f32).to_bits()),
        }
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(values: Vec<u8>) -> Self {
        Self::U8(values)
    }
}

impl From<Vec<u16>> for Pixels {
    fn from(values: Vec<u16>) -> Self {
        Self::U16(values)
    }
}

impl From<Vec<i16>> for Pixels {
    fn from(values: Vec<i16>) -> Self {
        Self::I16(values)
    }
}

impl From<Vec<f32>> for Pixels {
    fn from(values: Vec<f32>) -> Self {
        Self::F32(values)
    }
}

/// Turns little-endian values of `size` bytes into the machine's, or back.
pub(crate) fn swap_unless_little(bytes: &mut [u8], size: usize) {
    if cfg!(target_endian = "big") {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
}

/// Whether `fill` is a value of the type (an integer in range, or any f32; only f32 has NaN).
pub(crate) fn holds(dtype: DType, fill: f64) -> bool {
    match dtype {
        DType::Float32 => fill.is_nan() || f64::from(fill as f32) == fill,
        integer => {
            let (low, high) = integer.range();
            (low..=high).contains(&fill) && fill.fract() == 0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_little_endian() {
        let pixels = Pixels::from(vec![0x1234_u16, 0xff00]);
        assert_eq!(&*pixels.to_le_bytes(), [0x34, 0x12, 0x00, 0xff]);
        assert_eq!(Pixels::from_le_bytes(DType::Uint16, &[0x34, 0x12, 0x00, 0xff]), Some(pixels));
        assert_eq!(Pixels::from_le_bytes(DType::Uint16, &[0x34]), None);
    }

    #[test]
    fn all_fill_is_exact() {
        assert!(Pixels::from(vec![f32::NAN, -f32::NAN]).is_all(f64::NAN));
        assert!(!Pixels::from(vec![f32::NAN, 0.0]).is_all(f64::NAN));
        assert!(!Pixels::from(vec![-0.0_f32]).is_all(0.0));
        assert!(Pixels::from(vec![-9999_i16; 3]).is_all(-9999.0));
    }

    #[test]
    fn fills_fit_their_type() {
        assert!(holds(DType::Uint8, 255.0) && !holds(DType::Uint8, 256.0) && !holds(DType::Uint8, -1.0));
        assert!(!holds(DType::Int16, f64::NAN) && !holds(DType::Int16, 0.5));
        assert!(holds(DType::Float32, f64::NAN) && holds(DType::Float32, -9999.0));
        assert!(!holds(DType::Float32, 0.1) && holds(DType::Float32, f64::from(0.1_f32)));
    }

    #[test]
    fn values_past_the_end_are_none() {
        let pixels = Pixels::from(vec![-3_i16]);
        assert_eq!((pixels.get_f64(0), pixels.get_f64(1)), (Some(-3.0), None));
    }
}
