//! `L` pixels side by side, one in each lane of a vector.
//!
//! Every operation is one correctly rounded IEEE operation a lane, in the order written: no fused multiply-add, no
//! approximate reciprocals. So a lane's result is the same bits whatever the width and the instruction set.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Sub};

/// One `f32` a lane.
///
/// Implementations are inlined into functions compiled for their instructions, and may be used nowhere else.
pub(super) trait Lanes<const L: usize>:
    Copy + Debug + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// Yes or no a lane.
    type Mask: Copy + Debug;

    fn splat(value: f32) -> Self;
    fn load(values: &[f32; L]) -> Self;
    fn store(self, values: &mut [f32; L]);
    fn sqrt(self) -> Self;
    fn abs(self) -> Self;
    /// The smaller; `other` where they are equal or either is NaN.
    fn min(self, other: Self) -> Self;
    /// The larger; `other` where they are equal or either is NaN.
    fn max(self, other: Self) -> Self;
    /// Where `self < other`.
    fn less(self, other: Self) -> Self::Mask;
    /// `yes` where the mask is set, else `no`: a choice of bits, so a NaN not chosen does no harm.
    fn choose(mask: Self::Mask, yes: Self, no: Self) -> Self;
    fn and(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    fn or(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    fn and_not(a: Self::Mask, b: Self::Mask) -> Self::Mask;
    /// Bit `l` is lane `l`.
    fn bits(mask: Self::Mask) -> u32;

    #[inline(always)]
    fn to_array(self) -> [f32; L] {
        let mut values = [0.0; L];
        self.store(&mut values);
        values
    }

    /// The lanes whose bit is set.
    #[inline(always)]
    fn mask(bits: u32) -> Self::Mask {
        let mut set = [0.0; L];
        for (l, s) in set.iter_mut().enumerate() {
            *s = (bits >> l & 1) as f32;
        }
        Self::splat(0.0).less(Self::load(&set))
    }
}

/// Vectors of lanes that are kept: no vector lies across two cache lines, where each load would cost two.
#[derive(Debug, Default)]
pub(super) struct Kept<const L: usize>(Vec<f32>);

impl<const L: usize> Kept<L> {
    const LINE: usize = 64;

    /// Room for `vectors` of them. Values are kept until a call asks for more room, finite ones are finite even then.
    #[inline(always)]
    pub(super) fn room(&mut self, vectors: usize) -> &mut [[f32; L]] {
        let spare = Self::LINE / size_of::<f32>();
        if self.0.len() < vectors * L + spare {
            self.0.resize(vectors * L + spare, 0.0);
        }
        let start = self.0.as_ptr().align_offset(Self::LINE).min(spare);
        self.0[start..start + vectors * L].as_chunks_mut().0
    }
}

/// `Σ a·b` over the bands.
#[inline(always)]
pub(super) fn dot<V: Lanes<L>, const L: usize, const P: usize>(a: &[V; P], b: &[V; P]) -> V {
    let mut sum = a[0] * b[0];
    for j in 1..P {
        sum = sum + a[j] * b[j];
    }
    sum
}

/// Plain arrays: any processor, and the version to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain(pub(super) [f32; 4]);

impl Lanes<4> for Plain {
    type Mask = [bool; 4];

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    fn load(values: &[f32; 4]) -> Self {
        Self(*values)
    }

    #[inline(always)]
    fn store(self, values: &mut [f32; 4]) {
        *values = self.0;
    }

    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(self.0.map(f32::sqrt))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.map(f32::abs))
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { a } else { b })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn less(self, other: Self) -> [bool; 4] {
        std::array::from_fn(|l| self.0[l] < other.0[l])
    }

    #[inline(always)]
    fn choose(mask: [bool; 4], yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|l| if mask[l] { yes.0[l] } else { no.0[l] }))
    }

    #[inline(always)]
    fn and(a: [bool; 4], b: [bool; 4]) -> [bool; 4] {
        std::array::from_fn(|l| a[l] & b[l])
    }

    #[inline(always)]
    fn or(a: [bool; 4], b: [bool; 4]) -> [bool; 4] {
        std::array::from_fn(|l| a[l] | b[l])
    }

    #[inline(always)]
    fn and_not(a: [bool; 4], b: [bool; 4]) -> [bool; 4] {
        std::array::from_fn(|l| a[l] & !b[l])
    }

    #[inline(always)]
    fn bits(mask: [bool; 4]) -> u32 {
        (0..4).map(|l| u32::from(mask[l]) << l).sum()
    }
}

impl Plain {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        Self(std::array::from_fn(|l| f(self.0[l], other.0[l])))
    }
}

macro_rules! plain_operator {
    ($($trait:ident $method:ident $sign:tt)*) => {$(
        impl $trait for Plain {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $sign b)
            }
        }
    )*};
}
plain_operator!(Add add + Sub sub - Mul mul * Div div /);
