//! A rising staircase: how many thresholds a value has reached.

/// Equal bins over the thresholds' range; each knows the thresholds inside it.
const BINS: usize = 4096;

/// Up to 255 rising thresholds, looked up in a few nanoseconds and exactly.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    thresholds: Vec<f32>,
    low: f32,
    bins_per_unit: f32,
    /// Number of thresholds in lower bins.
    starts: Vec<u8>,
}

impl Steps {
    /// At most 255 thresholds are kept; they rise.
    pub(crate) fn new(mut thresholds: Vec<f32>) -> Self {
        thresholds.truncate(usize::from(u8::MAX));
        let low = thresholds.first().copied().unwrap_or(0.0);
        let high = thresholds.last().copied().unwrap_or(0.0);
        let bins_per_unit = if high > low { BINS as f32 / (high - low) } else { 0.0 };
        let mut steps = Self { thresholds, low, bins_per_unit, starts: Vec::new() };
        let mut below = vec![0u8; BINS + 1];
        for threshold in &steps.thresholds {
            // Counts stay below 256: there are no more thresholds.
            below[steps.bin(*threshold) + 1] += 1;
        }
        for bin in 1..below.len() {
            below[bin] += below[bin - 1];
        }
        steps.starts = below;
        steps
    }

    /// The bin never falls as the value rises, so thresholds in lower bins are reached and in higher ones not.
    #[inline]
    fn bin(&self, value: f32) -> usize {
        (((value - self.low) * self.bins_per_unit) as i32).clamp(0, BINS as i32 - 1) as usize
    }

    /// Number of thresholds at or below `value`; 0 for NaN.
    #[inline]
    pub(crate) fn reached(&self, value: f32) -> u8 {
        let bin = self.bin(value);
        let (from, to) = (self.starts[bin], self.starts[bin + 1]);
        let mut reached = from;
        while reached < to && self.thresholds[usize::from(reached)] <= value {
            reached += 1;
        }
        reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn few_thresholds() {
        let steps = Steps::new(vec![1.0, 2.0, 2.0, 5.0]);
        let reached = [f32::NEG_INFINITY, 0.9, 1.0, 1.9, 2.0, 4.9, 5.0, 1e30, f32::INFINITY];
        assert_eq!(reached.map(|v| steps.reached(v)), [0, 0, 1, 1, 3, 3, 4, 4, 4]);
        assert_eq!(steps.reached(f32::NAN), 0);
        assert_eq!(Steps::new(vec![]).reached(1.0), 0);
        assert_eq!([6.9, 7.0].map(|v| Steps::new(vec![7.0]).reached(v)), [0, 1]);
    }

    proptest! {
        #[test]
        fn equals_counting(
            mut thresholds in prop::collection::vec(-10f32..10.0, 0..255),
            clustered in any::<bool>(),
            values in prop::collection::vec(-12f32..12.0, 50),
        ) {
            if clustered {
                thresholds.iter_mut().for_each(|t| *t = t.powi(7));
            }
            thresholds.sort_by(f32::total_cmp);
            let steps = Steps::new(thresholds.clone());
            for value in values.iter().chain(&thresholds) {
                let expected = thresholds.iter().filter(|t| *t <= value).count();
                prop_assert_eq!(usize::from(steps.reached(*value)), expected);
            }
        }
    }
}
