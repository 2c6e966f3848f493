//! Sorting the dates of many pixels side by side.
//!
//! One row is one date of [`LANES`] neighbouring pixels. A sorting network (Batcher's merge exchange, Knuth
//! 5.2.2, algorithm M) compares whole rows, so every pixel takes the same steps: minima and maxima of vectors,
//! no branch and no shuffle.

use super::Sample;

/// Pixels side by side: a cache line of 16-bit numbers.
pub(super) const LANES: usize = 32;

/// One date of [`LANES`] pixels.
pub(super) type Row<T> = [T; LANES];

/// Sorts every lane of `rows` from least to greatest; no value may be NaN.
#[inline(always)]
pub(super) fn sort<T: Sample>(rows: &mut [Row<T>]) {
    let n = rows.len();
    if n < 2 {
        return;
    }
    let top = n.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            // Rows i with i & p == r come in runs of p, and i + d lies behind the run because d ≥ p.
            let mut base = r;
            while base + d < n {
                let run = p.min(n - d - base);
                let (front, back) = rows[base..].split_at_mut(d);
                for (low, high) in front[..run].iter_mut().zip(&mut back[..run]) {
                    exchange(low, high);
                }
                base += 2 * p;
            }
            if q == p {
                break;
            }
            d = q - p;
            q /= 2;
            r = p;
        }
        p /= 2;
    }
}

#[inline(always)]
fn exchange<T: Sample>(low: &mut Row<T>, high: &mut Row<T>) {
    for (a, b) in low.iter_mut().zip(high) {
        let (x, y) = (*a, *b);
        *a = if x < y { x } else { y };
        *b = if x < y { y } else { x };
    }
}

/// Instruction sets a kernel is compiled for; all give the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Those this machine runs, the widest last.
    pub(super) fn available() -> impl DoubleEndedIterator<Item = Self> {
        [
            Some(Self::Portable),
            #[cfg(target_arch = "x86_64")]
            is_x86_feature_detected!("avx2").then_some(Self::Avx2),
            #[cfg(target_arch = "x86_64")]
            (is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq"))
            .then_some(Self::Avx512),
        ]
        .into_iter()
        .flatten()
    }

    /// The widest.
    pub(super) fn best() -> Self {
        Self::available().next_back().unwrap_or(Self::Portable)
    }
}

/// Defines `$name(level, arguments…)`, which runs the `#[inline(always)]` function `$body` compiled for that
/// level.
macro_rules! at_level {
    ($name:ident = $body:ident$(<$T:ident>)?($($arg:ident: $ty:ty),*) $(-> $ret:ty)?) => {
        #[inline]
        fn $name$(<$T: Sample>)?(level: Level, $($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2")]
            fn avx2$(<$T: Sample>)?($($arg: $ty),*) $(-> $ret)? {
                $body($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
            fn avx512$(<$T: Sample>)?($($arg: $ty),*) $(-> $ret)? {
                $body($($arg),*)
            }
            match level {
                Level::Portable => $body($($arg),*),
                // SAFETY: `Level::available` hands out a level only where the processor has its features.
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 => unsafe { avx2($($arg),*) },
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 => unsafe { avx512($($arg),*) },
            }
        }
    };
}
pub(super) use at_level;
