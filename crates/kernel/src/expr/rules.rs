//! What each operation gives, nodata rules included, once for `f32` and once for `f64`.
//!
//! Every result is finite or NaN, and NaN whenever an operand is NaN or infinite. Written with selects
//! instead of branches so that loops over them vectorise.

macro_rules! rules {
    ($module:ident, $float:ident) => {
        /// The rules for one float type.
        pub(super) mod $module {
            use super::super::MIN_DENOMINATOR;
            use super::super::ast::{Binary, Unary};

            const NODATA: $float = $float::NAN;

            /// `x`, or nodata if it is not finite.
            #[inline(always)]
            pub(in super::super) fn finite(x: $float) -> $float {
                if x.abs() <= $float::MAX { x } else { NODATA }
            }

            /// Whether dividing by `x` is refused.
            #[inline(always)]
            pub(in super::super) fn is_no_denominator(x: $float) -> bool {
                !(x.abs() >= MIN_DENOMINATOR as $float && x.abs() <= $float::MAX)
            }

            #[inline(always)]
            pub(in super::super) fn add(a: $float, b: $float) -> $float {
                finite(a + b)
            }

            #[inline(always)]
            pub(in super::super) fn subtract(a: $float, b: $float) -> $float {
                finite(a - b)
            }

            #[inline(always)]
            pub(in super::super) fn multiply(a: $float, b: $float) -> $float {
                finite(a * b)
            }

            #[inline(always)]
            pub(in super::super) fn divide(a: $float, b: $float) -> $float {
                let quotient = finite(a / b);
                if is_no_denominator(b) { NODATA } else { quotient }
            }

            #[inline(always)]
            pub(in super::super) fn min(a: $float, b: $float) -> $float {
                let least = if a < b { a } else { b };
                if finite(a).is_nan() | finite(b).is_nan() { NODATA } else { least }
            }

            #[inline(always)]
            pub(in super::super) fn max(a: $float, b: $float) -> $float {
                let most = if a > b { a } else { b };
                if finite(a).is_nan() | finite(b).is_nan() { NODATA } else { most }
            }

            /// `a ** b`; a negative power is `1 / a ** -b` and follows the rule of denominators.
            #[inline]
            pub(in super::super) fn power(a: $float, b: $float) -> $float {
                if finite(a).is_nan() || finite(b).is_nan() {
                    return NODATA; // even for x ** 0, which the standard library calls 1
                }
                let whole = a.powf(b.abs());
                if b < 0.0 { divide(1.0, whole) } else { finite(whole) }
            }

            /// `a ** exponent` for a small whole exponent, by repeated multiplication.
            #[inline(always)]
            pub(in super::super) fn whole_power(a: $float, exponent: i32) -> $float {
                let mut whole = 1.0;
                for _ in 0..exponent.unsigned_abs() {
                    whole *= a;
                }
                let power = if exponent < 0 { divide(1.0, whole) } else { finite(whole) };
                if finite(a).is_nan() { NODATA } else { power }
            }

            #[inline(always)]
            pub(in super::super) fn negate(a: $float) -> $float {
                finite(-a)
            }

            /// NaN below zero.
            #[inline(always)]
            pub(in super::super) fn sqrt(a: $float) -> $float {
                finite(a.sqrt())
            }

            /// NaN at and below zero.
            #[inline]
            pub(in super::super) fn ln(a: $float) -> $float {
                finite(a.ln())
            }

            /// `1 / (1 + e^-a)`, between 0 and 1.
            #[inline]
            pub(in super::super) fn logistic(a: $float) -> $float {
                let value = 1.0 / (1.0 + (-a).exp());
                if finite(a).is_nan() { NODATA } else { value }
            }

            #[inline(always)]
            pub(in super::super) fn abs(a: $float) -> $float {
                finite(a.abs())
            }

            /// Any operation on one value.
            #[allow(dead_code, reason = "blocks dispatch once per block, points once per value")]
            pub(in super::super) fn unary(operation: Unary, a: $float) -> $float {
                match operation {
                    Unary::Negate => negate(a),
                    Unary::Sqrt => sqrt(a),
                    Unary::Ln => ln(a),
                    Unary::Logistic => logistic(a),
                    Unary::Abs => abs(a),
                }
            }

            /// Any operation on two values.
            #[allow(dead_code, reason = "blocks dispatch once per block, points once per value")]
            pub(in super::super) fn binary(operation: Binary, a: $float, b: $float) -> $float {
                match operation {
                    Binary::Add => add(a, b),
                    Binary::Subtract => subtract(a, b),
                    Binary::Multiply => multiply(a, b),
                    Binary::Divide => divide(a, b),
                    Binary::Power => match super::small_whole(f64::from(b)) {
                        Some(exponent) => whole_power(a, exponent),
                        None => power(a, b),
                    },
                    Binary::Min => min(a, b),
                    Binary::Max => max(a, b),
                }
            }
        }
    };
}

rules!(single, f32);
rules!(double, f64);

/// `exponent` as an integer, if it is a whole number small enough to multiply out.
pub(super) fn small_whole(exponent: f64) -> Option<i32> {
    (exponent.abs() <= 8.0 && exponent.fract() == 0.0).then_some(exponent as i32)
}
