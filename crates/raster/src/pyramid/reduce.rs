//! Levels of derived products.

use super::blocks::{parents, parents_of_two};
use super::rules;
use crate::Sample;
use crate::error::RasterError;

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
    let parents = parents_of_two(values, counts, width, height, |(children, used), counts| {
        if let Some(even) = even_mean(children, used, counts, nodata) {
            return even;
        }
        let (mut sum, mut total) = (0.0, 0u32);
        for (k, (child, count)) in children.into_iter().zip(counts).enumerate() {
            let counts_in = used & (1 << k) != 0 && !child.is_nodata(nodata);
            let count = if counts_in { u32::from(count) } else { 0 };
            sum += if counts_in { child.to_f64() * f64::from(count) } else { 0.0 };
            total += count;
        }
        let mean = if total == 0 { nodata } else { T::from_f64(sum / f64::from(total), nodata) };
        (mean, total.min(u32::from(u16::MAX)) as u16)
    })?;
    Ok(parents.into_iter().unzip())
}

/// The weighted mean where all four children are valid and weigh the same power of two, which changes no rounding: most
/// of a raster. The numbers are those of the general way.
#[inline]
fn even_mean<T: Sample>(children: [T; 4], used: u8, counts: [u16; 4], nodata: T) -> Option<(T, u16)> {
    let [count, rest @ ..] = counts;
    let even = used == 0b1111
        && count.is_power_of_two()
        && rest.iter().all(|c| *c == count)
        && !children.iter().any(|c| c.is_nodata(nodata));
    if !even {
        return None;
    }
    let mean = T::mean_of_four(children).filter(|mean| !mean.is_nodata(nodata)).unwrap_or_else(|| {
        let [a, b, c, d] = children.map(T::to_f64);
        // From 0 on, as the general way adds: four times -0.0 is 0.0.
        T::from_f64((0.0 + a + b + c + d) * 0.25, nodata)
    });
    Some((mean, (4 * u32::from(count)).min(u32::from(u16::MAX)) as u16))
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
