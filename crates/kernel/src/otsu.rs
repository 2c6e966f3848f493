//! A threshold between two heaps of values, found without training.
//!
//! # Source
//! Otsu (1979), IEEE Trans. SMC 9; conventions of scikit-image: foreground is **above** the threshold, the
//! threshold is the centre of a bin, and of equally good ones the lowest.

/// Position of the bin whose centre is the threshold, from how many values each bin holds and the `centres` of
/// the bins (increasing).
///
/// `None` if fewer than two bins hold anything, or the slices differ in length.
pub fn otsu_of_histogram(counts: &[u64], centres: &[f64]) -> Option<usize> {
    if counts.len() != centres.len() {
        return None;
    }
    let weighed = || counts.iter().zip(centres).map(|(&count, &centre)| (count as f64, centre));
    let total: f64 = weighed().map(|(count, _)| count).sum();
    let sum: f64 = weighed().map(|(count, centre)| count * centre).sum();
    let (mut below, mut sum_below) = (0.0, 0.0);
    let mut best: Option<(usize, f64)> = None;
    for (bin, (count, centre)) in weighed().enumerate() {
        below += count;
        sum_below += count * centre;
        let above = total - below;
        if below == 0.0 || above == 0.0 {
            continue;
        }
        let apart = sum_below / below - (sum - sum_below) / above;
        let between = below * above * apart * apart;
        if best.is_none_or(|(_, most)| between > most) {
            best = Some((bin, between));
        }
    }
    best.map(|(bin, _)| bin)
}

/// The threshold of `values`, by a histogram of `bins` equal bins from the least to the greatest; 256 is usual.
///
/// Values that are not finite are left out. `None` if there are fewer than two different values or no bin.
pub fn otsu(values: &[f32], bins: usize) -> Option<f64> {
    let finite = || values.iter().filter(|value| value.is_finite()).map(|&value| f64::from(value));
    let (least, greatest) =
        finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), value| (a.min(value), b.max(value)));
    if bins == 0 || least >= greatest {
        return None;
    }
    let width = (greatest - least) / bins as f64;
    let mut counts = vec![0u64; bins];
    for value in finite() {
        let bin = ((value - least) / width) as usize;
        counts[bin.min(bins - 1)] += 1; // the greatest belongs to the last bin
    }
    let centres: Vec<f64> = (0..bins).map(|bin| least + (bin as f64 + 0.5) * width).collect();
    otsu_of_histogram(&counts, &centres).map(|bin| centres[bin])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Known answer of science 6.2.
    #[test]
    fn known_histogram() {
        let levels = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(otsu_of_histogram(&[8, 7, 2, 6, 9, 4], &levels), Some(2));
        assert_eq!(otsu_of_histogram(&[0, 7, 0, 0, 9, 0], &levels), Some(1)); // the lowest of equals
        assert_eq!(otsu_of_histogram(&[0, 7, 0, 0, 0, 0], &levels), None);
        assert_eq!(otsu_of_histogram(&[1, 1], &levels), None);
        assert_eq!(otsu_of_histogram(&[], &[]), None);
    }

    #[test]
    fn two_heaps_are_parted() {
        let mut values: Vec<f32> = (0..100).map(|k| k as f32 / 1000.0).collect();
        values.extend((0..50).map(|k| 0.8 + k as f32 / 1000.0));
        values.extend([f32::NAN, f32::INFINITY]);
        let threshold = otsu(&values, 256).unwrap();
        assert!((0.097..0.8).contains(&threshold), "{threshold}");
        assert_eq!(otsu(&[0.5; 9], 256), None);
        assert_eq!(otsu(&[f32::NAN], 256), None);
        assert_eq!(otsu(&values, 0), None);
    }

    proptest! {
        /// The threshold leaves the least variance within the two heaps, the form Otsu's criterion comes from.
        #[test]
        fn the_variance_within_is_least(counts in prop::collection::vec(0u64..20, 2..12)) {
            let centres: Vec<f64> = (0..counts.len()).map(|k| k as f64).collect();
            let within = |bin: usize| -> Option<f64> {
                let part = |range: std::ops::Range<usize>| -> Option<f64> {
                    let n: u64 = counts[range.clone()].iter().sum();
                    let mean = range.clone().map(|k| k as f64 * counts[k] as f64).sum::<f64>() / n as f64;
                    let spread = range.map(|k| counts[k] as f64 * (k as f64 - mean).powi(2)).sum();
                    (n > 0).then_some(spread)
                };
                Some(part(0..bin + 1)? + part(bin + 1..counts.len())?)
            };
            let least = (0..counts.len()).filter_map(within).fold(f64::INFINITY, f64::min);
            match otsu_of_histogram(&counts, &centres) {
                Some(bin) => prop_assert!(within(bin).unwrap() <= least + 1e-9 * least.max(1.0)),
                None => prop_assert!(least.is_infinite()),
            }
        }
    }
}
