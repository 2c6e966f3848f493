//! How many times a field turned green.

use super::{PhenologyError, check, observations};

/// A peak lower than this above its surroundings is noise (NDVI).
pub const MIN_PROMINENCE: f64 = 0.1;

/// Days of the local maxima whose prominence is **above** `min_prominence` (usual: [`MIN_PROMINENCE`]), in
/// order of time; their number is the number of crops of an agricultural year.
///
/// Prominence is the height above the higher of the two lowest points that lie between the peak and the next
/// greater value, or the end of the series, on either side. A plateau counts once, at its first day; the ends
/// of the series are no peaks, so give the series a margin.
/// # Errors
/// [`PhenologyError::Length`], [`PhenologyError::Times`].
pub fn peaks(times: &[f64], values: &[f64], min_prominence: f64) -> Result<Vec<f64>, PhenologyError> {
    check(times, values)?;
    let seen: Vec<(f64, f64)> = observations(times, values).collect();
    let mut days = Vec::new();
    let mut first = 0;
    while first < seen.len() {
        let (day, height) = seen[first];
        let plateau = seen[first..].iter().take_while(|o| o.1 == height).count();
        let next = first + plateau;
        let rises = first > 0 && seen[first - 1].1 < height;
        let falls = next < seen.len() && seen[next].1 < height;
        if rises && falls {
            let left = lowest(seen[..first].iter().rev().map(|o| o.1), height);
            let right = lowest(seen[next..].iter().map(|o| o.1), height);
            if height - left.max(right) > min_prominence {
                days.push(day);
            }
        }
        first = next;
    }
    Ok(days)
}

/// Least value on the way down from a peak, before a greater one.
fn lowest(away: impl Iterator<Item = f64>, height: f64) -> f64 {
    away.take_while(|&value| value <= height).fold(height, f64::min)
}
