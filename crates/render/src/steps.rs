//! A rising staircase: how many thresholds a value has reached.

/// Equal bins over the thresholds' range; each knows the thresholds inside it.
const BINS: usize = 4096;

/// Most thresholds.
const MOST: usize = u8::MAX as usize;

/// Up to 255 rising thresholds, looked up in a few nanoseconds and exactly.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    /// NaN, which no value reaches, from the last on.
    thresholds: Box<[f32; MOST + 1]>,
    low: f32,
    bins_per_unit: f32,
    /// Number of thresholds in lower bins.
    starts: Box<[u8; BINS + 1]>,
    /// Whether no bin has more than one threshold.
    apart: bool,
}

impl Steps {
    /// At most 255 thresholds are kept; they rise.
    pub(crate) fn new(mut thresholds: Vec<f32>) -> Self {
        thresholds.truncate(MOST);
        let low = thresholds.first().copied().unwrap_or(0.0);
        let high = thresholds.last().copied().unwrap_or(0.0);
        let bins_per_unit = if high > low { BINS as f32 / (high - low) } else { 0.0 };
        let mut steps = Self {
            thresholds: Box::new([f32::NAN; MOST + 1]),
            low,
            bins_per_unit,
            starts: Box::new([0; BINS + 1]),
            apart: true,
        };
        for (place, threshold) in steps.thresholds.iter_mut().zip(&thresholds) {
            *place = *threshold;
        }
        let mut below = [0u8; BINS + 1];
        for threshold in &thresholds {
            // Counts stay below 256: there are no more thresholds.
            below[steps.bin(*threshold) + 1] += 1;
        }
        steps.apart = below.iter().all(|count| *count <= 1);
        for bin in 1..below.len() {
            below[bin] += below[bin - 1];
        }
        *steps.starts = below;
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
        let from = self.starts[bin];
        if self.apart {
            // Without a branch: one in a higher bin is larger than the value.
            return from + u8::from(self.thresholds[usize::from(from)] <= value);
        }
        let mut reached = from;
        while reached < self.starts[bin + 1] && self.thresholds[usize::from(reached)] <= value {
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
