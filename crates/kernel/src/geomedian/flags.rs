//! Quality bits of a composite pixel.

use std::ops::{BitOr, BitOrAssign};

use super::LOW_COUNT_BELOW;

/// Quality bits published beside a geomedian; the numeric values are part of the product format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct QaFlags(u8);

impl QaFlags {
    /// Nothing to report.
    pub const NONE: Self = Self(0);
    /// Fewer than five valid observations (bit 0).
    pub const LOW_COUNT: Self = Self(1);
    /// The solver stopped at its iteration limit; the point is its best so far (bit 1).
    pub const MAX_ITERATIONS: Self = Self(1 << 1);
    /// Every point of a segment is a minimiser: an even number of collinear observations, two distinct
    /// ones included (bit 2).
    pub const NON_UNIQUE: Self = Self(1 << 2);

    /// The bits as stored.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// Whether every bit of `other` is set.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The flags that follow from the number of observations alone.
    pub(super) fn of_count(count: usize) -> Self {
        if count < LOW_COUNT_BELOW { Self::LOW_COUNT } else { Self::NONE }
    }
}

impl BitOr for QaFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for QaFlags {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
