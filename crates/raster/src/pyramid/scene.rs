//! The rule for scenes: which children a reduced pixel is made of is decided once, from their quality.

use super::blocks::{half, parents, parents_of_two};
use super::rules;
use crate::Sample;
use crate::error::{RasterError, check_size};

/// Which of its four children each reduced pixel uses: those that pass the standard mask; if none does, all that
/// are not fill.
///
/// So a band's mean and the quality word of a pixel always speak of the same children.
#[derive(Debug, Clone)]
pub struct SceneReduction {
    width: usize,
    height: usize,
    /// Bit k: child k is used, in row order.
    used: Vec<u8>,
}

/// Which of four judged children are used: those observed and not hidden; if there is none, all that are observed.
const fn used_of(children: [u8; 4], exists: u8) -> u8 {
    let (mut observed, mut passing) = (0, 0);
    let mut k = 0;
    while k < 4 {
        let is_observed = exists >> k & 1 & !children[k];
        observed |= is_observed << k;
        passing |= (is_observed & !(children[k] >> 1)) << k;
        k += 1;
    }
    if passing != 0 { passing } else { observed }
}

/// [`used_of`] four children of two bits each, the first in the lowest.
const USED: [u8; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let all = i as u8;
        table[i] = used_of([all & 3, all >> 2 & 3, all >> 4 & 3, all >> 6], 0b1111);
        i += 1;
    }
    table
};

/// Parents looked at together: words and flags are mostly those of their neighbours.
const ALIKE: usize = 16;

/// The parents of two rows of children that are all equal, and of which the same are used: the same for all.
#[inline]
fn of_equals<T: Copy + PartialEq>(
    top: &[T],
    low: &[T],
    used: &[u8],
    parent: impl FnOnce([T; 4], u8) -> T,
) -> Option<[T; ALIKE]> {
    let (top, low) = (top.first_chunk::<{ 2 * ALIKE }>()?, low.first_chunk::<{ 2 * ALIKE }>()?);
    let (used, first) = (used.first_chunk::<ALIKE>()?, top[0]);
    let (mut equal, bits) = (true, used[0]);
    for (a, b) in top.iter().zip(low) {
        equal &= (*a == first) & (*b == first);
    }
    for used in used {
        equal &= *used == bits;
    }
    equal.then(|| [parent([first; 4], bits); ALIKE])
}

impl SceneReduction {
    /// Decides from the children of one level: `clear` is true where a pixel passes the standard mask, `fill` where
    /// there is no observation. A pixel that is fill is never used, whatever `clear` says.
    ///
    /// # Errors
    /// [`RasterError::Size`] if a slice does not fill the level.
    pub fn new(width: usize, height: usize, clear: &[bool], fill: &[bool]) -> Result<Self, RasterError> {
        let used = parents_of_two(fill, clear, width, height, |(fill, exists), clear| {
            let bits = |flags: [bool; 4]| (0..4).fold(0u8, |bits, k| bits | u8::from(flags[k]) << k);
            let observed = exists & !bits(fill);
            let passing = observed & bits(clear);
            if passing != 0 { passing } else { observed }
        })?;
        Ok(Self { width, height, used })
    }

    /// As [`SceneReduction::new`] from one byte a child: bit 0 where there is no observation, bit 1 where the standard
    /// mask hides it.
    ///
    /// # Errors
    /// [`RasterError::Size`] if the bytes do not fill the level.
    pub fn judged(width: usize, height: usize, children: &[u8]) -> Result<Self, RasterError> {
        if width == 0 || !width.is_multiple_of(2) || !height.is_multiple_of(2) {
            let used = parents(children, width, height, |(children, exists)| used_of(children, exists))?;
            return Ok(Self { width, height, used });
        }
        check_size("the level", children.len(), width * height)?;
        let mut used = Vec::with_capacity(children.len() / 4);
        for pair in children.chunks_exact(2 * width) {
            let (top, low) = pair.split_at(width);
            let blocks = top.as_chunks::<2>().0.iter().zip(low.as_chunks::<2>().0);
            used.extend(blocks.map(|([a, b], [c, d])| {
                USED[usize::from(a & 3 | (b & 3) << 2 | (c & 3) << 4 | (d & 3) << 6)]
            }));
        }
        Ok(Self { width, height, used })
    }

    /// Columns of the reduced level.
    pub fn width(&self) -> usize {
        half(self.width)
    }

    /// Rows of the reduced level.
    pub fn height(&self) -> usize {
        half(self.height)
    }

    /// Mean of the children used, nodata among them left out; integers are rounded half to even. Nodata where none
    /// is left.
    ///
    /// # Errors
    /// [`RasterError::Size`] if the values do not fill the level.
    pub fn mean<T: Sample>(&self, values: &[T], nodata: T) -> Result<Vec<T>, RasterError> {
        const ALL: u8 = 0b1111;
        if let Some(means) = self.mean_by_rows(values, nodata) {
            return Ok(means);
        }
        self.reduce(values, |children, used| {
            // Most pixels have four good children.
            if used == ALL
                && !children.iter().any(|v| v.is_nodata(nodata))
                && let Some(mean) = T::mean_of_four(children)
                && !mean.is_nodata(nodata)
            {
                return mean;
            }
            rules::mean(children, used, nodata)
        })
    }

    /// [`SceneReduction::mean`] where the type has a quick way for whole rows.
    fn mean_by_rows<T: Sample>(&self, values: &[T], nodata: T) -> Option<Vec<T>> {
        let (width, height) = (self.width, self.height);
        if width == 0
            || !width.is_multiple_of(2)
            || !height.is_multiple_of(2)
            || values.len() != width * height
        {
            return None;
        }
        let mut means = Vec::with_capacity(self.used.len());
        for (pair, used) in values.chunks_exact(2 * width).zip(self.used.chunks_exact(width / 2)) {
            let (top, low) = pair.split_at(width);
            if !T::mean_row(top, low, used, nodata, &mut means) {
                return None;
            }
        }
        Some(means)
    }

    /// The most frequent whole quality word of the children used, ties to the smallest; `fill` where none is used.
    /// Never a mix of words: the pixel's flags were observed together.
    ///
    /// # Errors
    /// [`RasterError::Size`] if the words do not fill the level.
    pub fn quality<T: Sample>(&self, words: &[T], fill: T) -> Result<Vec<T>, RasterError> {
        self.reduce(words, |children, used| rules::mode(children, used, fill))
    }

    /// The largest of the children used that is not nodata, for bands that keep their maximum.
    ///
    /// # Errors
    /// [`RasterError::Size`] if the values do not fill the level.
    pub fn max<T: Sample>(&self, values: &[T], nodata: T) -> Result<Vec<T>, RasterError> {
        self.reduce(values, |children, used| rules::max(children, used, nodata))
    }

    fn reduce<T: Sample>(
        &self,
        values: &[T],
        mut parent: impl FnMut([T; 4], u8) -> T,
    ) -> Result<Vec<T>, RasterError> {
        let (width, height) = (self.width, self.height);
        if width > 0 && width % 2 == 0 && height % 2 == 0 && values.len() == width * height {
            // As below, without the edges.
            let mut reduced = Vec::with_capacity(self.used.len());
            for (pair, used) in values.chunks_exact(2 * width).zip(self.used.chunks_exact(width / 2)) {
                let (top, low) = pair.split_at(width);
                for ((top, low), used) in
                    top.chunks(2 * ALIKE).zip(low.chunks(2 * ALIKE)).zip(used.chunks(ALIKE))
                {
                    if let Some(parents) = of_equals(top, low, used, &mut parent) {
                        reduced.extend(parents);
                        continue;
                    }
                    let children = top.as_chunks::<2>().0.iter().zip(low.as_chunks::<2>().0);
                    reduced.extend(
                        children.zip(used).map(|((a, c), used)| parent([a[0], a[1], c[0], c[1]], *used)),
                    );
                }
            }
            return Ok(reduced);
        }
        let mut used = self.used.iter();
        parents(values, self.width, self.height, |(children, _)| {
            parent(children, used.next().copied().unwrap_or(0))
        })
    }
}
