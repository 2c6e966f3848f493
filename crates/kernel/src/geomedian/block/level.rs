//! Which instructions this machine has, found out when running.

/// A set of vector instructions. All give the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Level {
    /// Plain arithmetic, left to the compiler (NEON on aarch64): four pixels at a time.
    Plain,
    /// SSE2: four.
    #[cfg(target_arch = "x86_64")]
    Sse2,
    /// AVX2: eight.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, DQ and VL: sixteen.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// Every level this machine can run, the fastest last.
    pub fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let levels = [Self::Plain, Self::Sse2, Self::Avx2, Self::Avx512];
        #[cfg(not(target_arch = "x86_64"))]
        let levels = [Self::Plain];
        levels.into_iter().filter(|level| level.is_available()).collect()
    }

    /// The fastest of [`Self::available`].
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self::Plain)
    }

    /// Whether this machine can run it.
    pub(super) fn is_available(self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
            }
        }
    }

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            #[cfg(target_arch = "x86_64")]
            Self::Sse2 => "sse2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "avx512",
        }
    }
}
