//! Lanes in the registers of x86-64.
//!
//! # Safety
//! Every `unsafe` block here is a call of an instruction that the processor must have: whoever uses these types has
//! asked it, and is compiled for it ([`super::level`]).

use std::arch::x86_64::*;
use std::ops::{Add, Div, Mul, Sub};

use super::lanes::Lanes;

/// SSE2: every x86-64 processor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sse2(__m128);

/// AVX2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(__m256);

/// AVX-512.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx512(__m512);

macro_rules! operators {
    ($type:ident $($trait:ident $method:ident $instruction:ident)*) => {$(
        impl $trait for $type {
            type Output = Self;

            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(unsafe { $instruction(self.0, other.0) })
            }
        }
    )*};
}
operators!(Sse2 Add add _mm_add_ps Sub sub _mm_sub_ps Mul mul _mm_mul_ps Div div _mm_div_ps);
operators!(Avx2 Add add _mm256_add_ps Sub sub _mm256_sub_ps Mul mul _mm256_mul_ps Div div _mm256_div_ps);
operators!(Avx512 Add add _mm512_add_ps Sub sub _mm512_sub_ps Mul mul _mm512_mul_ps Div div _mm512_div_ps);

/// What differs by name alone.
macro_rules! named_alike {
    ($lanes:literal $splat:ident $load:ident $store:ident $sqrt:ident $min:ident $max:ident) => {
        #[inline(always)]
        fn splat(value: f32) -> Self {
            Self(unsafe { $splat(value) })
        }

        #[inline(always)]
        fn load(values: &[f32; $lanes]) -> Self {
            Self(unsafe { $load(values.as_ptr()) })
        }

        #[inline(always)]
        fn store(self, values: &mut [f32; $lanes]) {
            unsafe { $store(values.as_mut_ptr(), self.0) };
        }

        #[inline(always)]
        fn sqrt(self) -> Self {
            Self(unsafe { $sqrt(self.0) })
        }

        #[inline(always)]
        fn min(self, other: Self) -> Self {
            Self(unsafe { $min(self.0, other.0) })
        }

        #[inline(always)]
        fn max(self, other: Self) -> Self {
            Self(unsafe { $max(self.0, other.0) })
        }
    };
}

/// Masks that are vectors of all ones or all zeros.
macro_rules! vector_masks {
    ($mask:ident $and:ident $or:ident $and_not:ident $bits:ident) => {
        #[inline(always)]
        fn and(a: $mask, b: $mask) -> $mask {
            unsafe { $and(a, b) }
        }

        #[inline(always)]
        fn or(a: $mask, b: $mask) -> $mask {
            unsafe { $or(a, b) }
        }

        #[inline(always)]
        fn and_not(a: $mask, b: $mask) -> $mask {
            unsafe { $and_not(b, a) } // the instruction negates the first
        }

        #[inline(always)]
        fn bits(mask: $mask) -> u32 {
            (unsafe { $bits(mask) }) as u32
        }
    };
}

impl Lanes<4> for Sse2 {
    type Mask = __m128;

    named_alike!(4 _mm_set1_ps _mm_loadu_ps _mm_storeu_ps _mm_sqrt_ps _mm_min_ps _mm_max_ps);
    vector_masks!(__m128 _mm_and_ps _mm_or_ps _mm_andnot_ps _mm_movemask_ps);

    #[inline(always)]
    fn abs(self) -> Self {
        Self(unsafe { _mm_andnot_ps(_mm_set1_ps(-0.0), self.0) })
    }

    #[inline(always)]
    fn less(self, other: Self) -> __m128 {
        unsafe { _mm_cmplt_ps(self.0, other.0) }
    }

    #[inline(always)]
    fn choose(mask: __m128, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm_or_ps(_mm_and_ps(mask, yes.0), _mm_andnot_ps(mask, no.0)) })
    }
}

impl Lanes<8> for Avx2 {
    type Mask = __m256;

    named_alike!(8 _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_sqrt_ps _mm256_min_ps _mm256_max_ps);
    vector_masks!(__m256 _mm256_and_ps _mm256_or_ps _mm256_andnot_ps _mm256_movemask_ps);

    #[inline(always)]
    fn abs(self) -> Self {
        Self(unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), self.0) })
    }

    #[inline(always)]
    fn less(self, other: Self) -> __m256 {
        unsafe { _mm256_cmp_ps::<_CMP_LT_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn choose(mask: __m256, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm256_blendv_ps(no.0, yes.0, mask) })
    }
}

impl Lanes<16> for Avx512 {
    type Mask = __mmask16;

    named_alike!(16 _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_sqrt_ps _mm512_min_ps _mm512_max_ps);

    #[inline(always)]
    fn abs(self) -> Self {
        Self(unsafe { _mm512_abs_ps(self.0) })
    }

    #[inline(always)]
    fn less(self, other: Self) -> __mmask16 {
        unsafe { _mm512_cmp_ps_mask::<_CMP_LT_OQ>(self.0, other.0) }
    }

    #[inline(always)]
    fn choose(mask: __mmask16, yes: Self, no: Self) -> Self {
        Self(unsafe { _mm512_mask_blend_ps(mask, no.0, yes.0) })
    }

    #[inline(always)]
    fn and(a: __mmask16, b: __mmask16) -> __mmask16 {
        a & b
    }

    #[inline(always)]
    fn or(a: __mmask16, b: __mmask16) -> __mmask16 {
        a | b
    }

    #[inline(always)]
    fn and_not(a: __mmask16, b: __mmask16) -> __mmask16 {
        a & !b
    }

    #[inline(always)]
    fn bits(mask: __mmask16) -> u32 {
        mask.into()
    }
}
