//! Levels of derived products.

use super::blocks::{half, parents};
use super::rules;
use crate::Sample;
use crate::error::{RasterError, check_size};

/// Mean of the valid children; integers are rounded half to even. Nodata where no child is valid.
///
/// # Errors
/// [`RasterError::Size`] if the values do not fill the level.
pub fn reduce_mean<T: Sample>(
    values: &[T],
    width: usize,
    height: usize,
    nodata: T,
) -> Result<Vec<T>, RasterError> {
    parents(values, width, height, |(children, used)| rules::mean(children, used, nodata))
}

/// Mean of the valid children, each weighing its count of valid level-0 pixels, and the parents' counts (the sum,
/// at most 65,535). A child with count 0 is not valid. Level by level this is the mean of the level-0 pixels, but
/// for rounding to the stored type.
///
/// # Errors
/// [`RasterError::Size`] if values or counts do not fill the level.
pub fn reduce_mean_weighted<T: Sample>(
    values: &[T],
    counts: &[u16],
    width: usize,
    height: usize,
    nodata: T,
) -> Result<(Vec<T>, Vec<u16>), RasterError> {
    check_size("the level", values.len(), width * height)?;
    check_size("the counts of the level", counts.len(), width * height)?;
    let level = Level { values, counts, width, nodata };
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has the instructions, asked here.
        return Ok(unsafe { level.parents_avx2() });
    }
    Ok(level.parents())
}

/// Parents looked at together: where every child of all of them is valid and weighs the same, their means need no
/// division. Most of a raster.
const TOGETHER: usize = 16;

/// A level of a pyramid, and how many valid level-0 pixels stand behind each pixel.
struct Level<'l, T> {
    values: &'l [T],
    counts: &'l [u16],
    width: usize,
    nodata: T,
}

impl<T: Sample> Level<'_, T> {
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn parents_avx2(&self) -> (Vec<T>, Vec<u16>) {
        self.parents()
    }

    /// Weighted means and counts of the parents, in the vector lanes of whichever caller.
    #[inline(always)]
    fn parents(&self) -> (Vec<T>, Vec<u16>) {
        let Self { values, counts, width, .. } = *self;
        let len = half(width) * half(values.len().checked_div(width).unwrap_or(0));
        let mut parents = (Vec::with_capacity(len), Vec::with_capacity(len));
        if width == 0 {
            return parents;
        }
        for (values, counts) in values.chunks(2 * width).zip(counts.chunks(2 * width)) {
            let (top, low) = values.split_at(width);
            let (top_counts, low_counts) = counts.split_at(width);
            // At an odd lower edge the row stands for the missing one, which weighs nothing.
            if low.is_empty() {
                self.row([top, top], [top_counts, &vec![0; width]], &mut parents);
            } else {
                self.row([top, low], [top_counts, low_counts], &mut parents);
            }
        }
        parents
    }

    /// The parents of two rows.
    #[inline(always)]
    fn row(&self, values: [&[T]; 2], counts: [&[u16]; 2], parents: &mut (Vec<T>, Vec<u16>)) {
        let [(tops, top), (lows, low)] = values.map(|row| row.as_chunks::<2>().0.as_chunks());
        let [(top_weights, top_weight), (low_weights, low_weight)] =
            counts.map(|row| row.as_chunks::<2>().0.as_chunks());
        for ((top, low), weights) in tops.iter().zip(lows).zip(top_weights.iter().zip(low_weights)) {
            if let Some((means, count)) = even_means([top, low], [weights.0, weights.1], self.nodata) {
                parents.0.extend_from_slice(&means);
                parents.1.extend_from_slice(&[count; TOGETHER]);
            } else {
                self.each([top, low], [weights.0, weights.1], parents);
            }
        }
        self.each([top, low], [top_weight, low_weight], parents);
        if self.width % 2 == 1 {
            // At an odd right edge the column stands for the missing one, which weighs nothing.
            let last = self.width - 1;
            let pairs = values.map(|row| [row[last]; 2]);
            self.one(pairs, counts.map(|row| [row[last], 0]), parents);
        }
    }

    /// Parents one by one.
    #[inline(always)]
    fn each(
        &self,
        [top, low]: [&[[T; 2]]; 2],
        [top_counts, low_counts]: [&[[u16; 2]]; 2],
        parents: &mut (Vec<T>, Vec<u16>),
    ) {
        for ((top, low), (top_count, low_count)) in top.iter().zip(low).zip(top_counts.iter().zip(low_counts))
        {
            self.one([*top, *low], [*top_count, *low_count], parents);
        }
    }

    /// One parent; children that weigh nothing do not count.
    #[inline(always)]
    fn one(&self, values: [[T; 2]; 2], counts: [[u16; 2]; 2], parents: &mut (Vec<T>, Vec<u16>)) {
        let (mut sum, mut total) = (0.0, 0u32);
        for (child, count) in values.as_flattened().iter().zip(counts.as_flattened()) {
            let counts_in = *count != 0 && !child.is_nodata(self.nodata);
            let count = if counts_in { u32::from(*count) } else { 0 };
            sum += if counts_in { child.to_f64() * f64::from(count) } else { 0.0 };
            total += count;
        }
        let mean = if total == 0 { self.nodata } else { T::from_f64(sum / f64::from(total), self.nodata) };
        parents.0.push(mean);
        parents.1.push(total.min(u32::from(u16::MAX)) as u16);
    }
}

/// The weighted means of parents whose children are all valid and weigh the same power of two, which changes no rounding;
/// and the count of each. The numbers are those of [`Level::one`].
#[inline(always)]
fn even_means<T: Sample>(
    [top, low]: [&[[T; 2]; TOGETHER]; 2],
    weights: [&[[u16; 2]; TOGETHER]; 2],
    nodata: T,
) -> Option<([T; TOGETHER], u16)> {
    let count = weights[0][0][0];
    // Loops, for iterators put end to end are not taken together.
    let mut even = count.is_power_of_two();
    for counts in weights {
        for other in counts.as_flattened() {
            even &= *other == count;
        }
    }
    for children in [top, low] {
        for child in children.as_flattened() {
            even &= !child.is_nodata(nodata);
        }
    }
    if !even {
        return None;
    }
    let mut means = [nodata; TOGETHER];
    let mut valid = true;
    for (mean, (above, below)) in means.iter_mut().zip(top.iter().zip(low)) {
        let [a, b, c, d] = [above[0], above[1], below[0], below[1]];
        *mean = T::mean_of_four([a, b, c, d]).unwrap_or_else(|| {
            let [a, b, c, d] = [a, b, c, d].map(T::to_f64);
            // From 0 on, as one by one: four times -0.0 is 0.0.
            T::from_f64((0.0 + a + b + c + d) * 0.25, nodata)
        });
        valid &= !mean.is_nodata(nodata);
    }
    // A mean that meets nodata by chance is moved, one by one.
    valid.then(|| (means, (4 * u32::from(count)).min(u32::from(u16::MAX)) as u16))
}

/// The most frequent of the valid children, ties to the smallest. Nodata where no child is valid.
///
/// # Errors
/// [`RasterError::Size`] if the values do not fill the level.
pub fn reduce_mode<T: Sample>(
    values: &[T],
    width: usize,
    height: usize,
    nodata: T,
) -> Result<Vec<T>, RasterError> {
    parents(values, width, height, |(children, used)| rules::valid_mode(children, used, nodata))
}

/// The largest of the valid children. Nodata where no child is valid.
///
/// # Errors
/// [`RasterError::Size`] if the values do not fill the level.
pub fn reduce_max<T: Sample>(
    values: &[T],
    width: usize,
    height: usize,
    nodata: T,
) -> Result<Vec<T>, RasterError> {
    parents(values, width, height, |(children, used)| rules::max(children, used, nodata))
}
